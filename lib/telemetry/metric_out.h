/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_METRIC_OUT_H
#define INF_TELEMETRY_METRIC_OUT_H

#include "telemetry/exposition.h"
#include "telemetry/otlp_json.h"

/* A metric that is told in both formats from one place: as Prometheus text, or
 * as OTLP between the opening and the closing of a request. There the label
 * "route" is the attribute "libinfer.route". Errors are the buffer's sticky
 * status. Pure. */

typedef struct inf_metric_about {
  const char *prometheus, *otlp; /* its names */
  const char *unit;              /* of OTLP; UCUM */
  const char *help;
  bool counter; /* it only grows; else a gauge */
} inf_metric_about;

typedef struct inf_metric_out {
  inf_buf *out;
  const inf_otlp_times *times; /* NULL: Prometheus text */
  /* Of the metric that is begun. */
  const inf_metric_about *about;
  size_t before_bytes, empty_bytes;
} inf_metric_out;

/* Its samples come in between. One without any is left out of OTLP. */
void inf_metric_begin(inf_metric_out *at, const inf_metric_about *about);
void inf_metric_end(inf_metric_out *at);

void inf_metric_uint(inf_metric_out *at, const inf_labels *labels,
                     uint64_t value);
void inf_metric_double(inf_metric_out *at, const inf_labels *labels,
                       double value);
/* value / 10^9. */
void inf_metric_nano(inf_metric_out *at, const inf_labels *labels,
                     uint64_t value);

#endif
