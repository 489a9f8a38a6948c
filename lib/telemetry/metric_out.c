/* SPDX-License-Identifier: MIT */
#include "telemetry/metric_out.h"

#include <stdio.h>

enum { attribute_max_bytes = 64 };

void
inf_metric_begin(inf_metric_out *at, const inf_metric_about *about)
{
  at->about = about;
  if (!at->times) {
    inf_family_begin(at->out, about->prometheus,
                     about->counter ? "counter" : "gauge", about->help);
    return;
  }
  at->before_bytes = at->out->len;
  inf_otlp_metric_open(at->out, about->otlp, about->unit, about->help,
                       about->counter ? INF_OTLP_SUM : INF_OTLP_GAUGE);
  at->empty_bytes = at->out->len;
}

void
inf_metric_end(inf_metric_out *at)
{
  if (!at->times)
    return;
  if (at->out->len == at->empty_bytes)
    inf_buf_truncate(at->out, at->before_bytes);
  else
    inf_otlp_metric_close(at->out,
                          at->about->counter ? INF_OTLP_SUM : INF_OTLP_GAUGE);
}

static void
open_point(inf_metric_out *at, const inf_labels *labels)
{
  inf_otlp_point_open(at->out);
  for (size_t i = 0; i < labels->count; i++) {
    char name[attribute_max_bytes];
    snprintf(name, sizeof name, "libinfer.%s", labels->all[i].name);
    inf_otlp_put_text(at->out, name, labels->all[i].value);
  }
}

void
inf_metric_uint(inf_metric_out *at, const inf_labels *labels, uint64_t value)
{
  if (!at->times) {
    inf_sample_uint(at->out, at->about->prometheus, labels, value);
    return;
  }
  open_point(at, labels);
  inf_otlp_point_count(at->out, at->times, value);
}

void
inf_metric_double(inf_metric_out *at, const inf_labels *labels, double value)
{
  if (!at->times) {
    inf_sample_double(at->out, at->about->prometheus, labels, value);
    return;
  }
  open_point(at, labels);
  inf_otlp_point_double(at->out, at->times, value);
}

void
inf_metric_nano(inf_metric_out *at, const inf_labels *labels, uint64_t value)
{
  if (at->times)
    inf_metric_double(at, labels, (double)value / 1e9);
  else
    inf_sample_nano(at->out, at->about->prometheus, labels, value);
}
