/* SPDX-License-Identifier: MIT */
#include "telemetry/exposition.h"

#include "wire/number.h"
#include "wire/utf8.h"

#define NANO UINT64_C(1000000000)

void
inf_labels_add(inf_labels *labels, const char *name, const char *value)
{
  if (labels->count < INF_LABELS_MAX)
    labels->all[labels->count++] = (inf_label){name, value};
}

inf_labels
inf_labels_with(const inf_labels *labels, const char *name, const char *value)
{
  inf_labels more = *labels;
  inf_labels_add(&more, name, value);
  return more;
}

void
inf_family_begin(inf_buf *out, const char *name, const char *type,
                 const char *help)
{
  inf_buf_appendf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
put_escaped(inf_buf *out, const char *text)
{
  inf_sv rest = inf_sv_from(text);
  while (rest.len > 0) {
    size_t plain = 0;
    while (plain < rest.len && rest.ptr[plain] != '\\' &&
           rest.ptr[plain] != '"' && rest.ptr[plain] != '\n')
      plain++;
    inf_utf8_append_lossy(out, inf_sv_of(rest.ptr, plain));
    if (plain == rest.len)
      return;
    char c = rest.ptr[plain];
    inf_buf_append_char(out, '\\');
    inf_buf_append_char(out, c == '\n' ? 'n' : c);
    rest = inf_sv_of(rest.ptr + plain + 1, rest.len - plain - 1);
  }
}

/* The name, suffix and labels of a sample, and the blank before its value. */
static void
put_name(inf_buf *out, const char *name, const char *suffix,
         const inf_labels *labels)
{
  char before = '{';
  inf_buf_append_cstr(out, name);
  inf_buf_append_cstr(out, suffix);
  for (size_t i = 0; i < labels->count; i++) {
    const inf_label *label = &labels->all[i];
    if (label->value[0] == '\0')
      continue;
    inf_buf_append_char(out, before);
    inf_buf_append_cstr(out, label->name);
    inf_buf_append_cstr(out, "=\"");
    put_escaped(out, label->value);
    inf_buf_append_char(out, '"');
    before = ',';
  }
  inf_buf_append_cstr(out, before == '{' ? " " : "} ");
}

static void
put_uint(inf_buf *out, const char *name, const char *suffix,
         const inf_labels *labels, uint64_t value)
{
  put_name(out, name, suffix, labels);
  inf_buf_append_uint(out, value);
  inf_buf_append_char(out, '\n');
}

static void
put_double(inf_buf *out, double value)
{
  char text[INF_NUMBER_MAX_BYTES];
  inf_buf_append(out, text, inf_number_from_double(value, text));
}

void
inf_sample_uint(inf_buf *out, const char *name, const inf_labels *labels,
                uint64_t value)
{
  put_uint(out, name, "", labels, value);
}

void
inf_sample_double(inf_buf *out, const char *name, const inf_labels *labels,
                  double value)
{
  put_name(out, name, "", labels);
  put_double(out, value);
  inf_buf_append_char(out, '\n');
}

static void
put_nano(inf_buf *out, uint64_t value)
{
  inf_buf_appendf(out, "%llu.%09llu\n", (unsigned long long)(value / NANO),
                  (unsigned long long)(value % NANO));
}

void
inf_sample_nano(inf_buf *out, const char *name, const inf_labels *labels,
                uint64_t value)
{
  put_name(out, name, "", labels);
  put_nano(out, value);
}

void
inf_sample_buckets(inf_buf *out, const char *name, const inf_labels *labels,
                   const inf_buckets *buckets, const inf_bucket_bounds *bounds)
{
  char le[INF_NUMBER_MAX_BYTES + 1];
  uint64_t sum = 0;
  for (size_t i = 0; i < bounds->count; i++) {
    sum += buckets->counts[i];
    double upper = (double)bounds->upper[i] / bounds->unit;
    le[inf_number_from_double(upper, le)] = '\0';
    inf_labels more = inf_labels_with(labels, "le", le);
    put_uint(out, name, "_bucket", &more, sum);
  }
  sum += buckets->counts[INF_BUCKETS_MAX];
  inf_labels more = inf_labels_with(labels, "le", "+Inf");
  put_uint(out, name, "_bucket", &more, sum);
  put_name(out, name, "_sum", labels);
  if (bounds->unit > 1)
    put_nano(out, buckets->sum);
  else
    inf_buf_appendf(out, "%llu\n", (unsigned long long)buckets->sum);
  put_uint(out, name, "_count", labels, sum);
}
