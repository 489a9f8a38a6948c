/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_EXPOSITION_H
#define INF_TELEMETRY_EXPOSITION_H

#include "base/buf.h"
#include "telemetry/buckets.h"

/* Writing the Prometheus text format (version 0.0.4), whatever the metrics
 * mean. Labels are escaped; text that is not UTF-8 gets U+FFFD in place of what
 * is wrong. Errors are the buffer's sticky status. */

enum { INF_LABELS_MAX = 12 };

typedef struct inf_label {
  const char *name, *value; /* value "": the label is left out */
} inf_label;

typedef struct inf_labels {
  inf_label all[INF_LABELS_MAX];
  size_t count;
} inf_labels;

void inf_labels_add(inf_labels *labels, const char *name, const char *value);
/* The same labels and one more. */
inf_labels inf_labels_with(const inf_labels *labels, const char *name,
                           const char *value);

/* "# HELP" and "# TYPE" of a family, whose samples follow at once. type:
 * "counter", "gauge" or "histogram". */
void inf_family_begin(inf_buf *out, const char *name, const char *type,
                      const char *help);
void inf_sample_uint(inf_buf *out, const char *name, const inf_labels *labels,
                     uint64_t value);
void inf_sample_double(inf_buf *out, const char *name, const inf_labels *labels,
                       double value);
/* value / 10^9, to the last digit. */
void inf_sample_nano(inf_buf *out, const char *name, const inf_labels *labels,
                     uint64_t value);
/* All samples of one histogram. */
void inf_sample_buckets(inf_buf *out, const char *name,
                        const inf_labels *labels, const inf_buckets *buckets,
                        const inf_bucket_bounds *bounds);

#endif
