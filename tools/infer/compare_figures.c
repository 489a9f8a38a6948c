/* SPDX-License-Identifier: MIT */
/* The plots of the page. */

#include "compare_figures.h"

#include "compare_plot.h"
#include "compare_text.h"

#include "infer/infer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Points of a curve: more than this cannot be seen. */
#define MAX_POINTS 300
/* Between the marks of two subjects at the same place. */
#define SHIFT 6

static const char *
name_of(const inf_cmp_summary *summary, size_t subject)
{
  return summary->data->subjects[subject].name;
}

static void
open_figure(inf_buf *out, const char *id, const char *title)
{
  inf_buf_appendf(out, "<figure id=\"%s\"><figcaption>%s</figcaption>\n", id,
                  title);
}

/* shown[i]: subject i is in the plot. */
static void
close_figure(const inf_cmp_summary *summary, const bool *shown, inf_buf *out)
{
  inf_buf_append_cstr(out, "<ul class=\"legend\">");
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    if (shown[i]) {
      inf_buf_append_cstr(out, "<li>");
      inf_cmp_plot_key(out, i);
      inf_buf_append_cstr(out, "<span>");
      inf_cmp_html_text(out, name_of(summary, i));
      inf_buf_append_cstr(out, "</span></li>");
    }
  }
  inf_buf_append_cstr(out, "</ul></figure>\n");
}

static void
say_empty(const char *id, const char *title, const char *why, inf_buf *out)
{
  open_figure(out, id, title);
  inf_buf_appendf(out, "<p class=\"none\">%s</p></figure>\n", why);
}

/* Do low and high take in the value? Only what can be drawn. */
static void
take_in(double value, double *low, double *high)
{
  if (isfinite(value) && value > 0) {
    *low = fmin(*low, value);
    *high = fmax(*high, value);
  }
}

/* ---- Distributions ------------------------------------------------------- */

static int
by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* The times of answers that came, sorted; how many calls there were. */
static size_t
seen_times(const inf_cmp_data *data, size_t subject, bool total, double *times,
           size_t *calls)
{
  size_t count = 0;
  *calls = 0;
  for (size_t i = 0; i < data->sample_count; i++) {
    const inf_cmp_sample *sample = &data->samples[i];
    if (sample->subject != subject ||
        sample->concurrency != data->base_concurrency || sample->stopped) {
      continue;
    }
    inf_cmp_time time =
        total ? inf_cmp_sample_total(sample) : inf_cmp_sample_ttft(sample);
    ++*calls;
    if (time.kind == INF_CMP_SEEN) {
      times[count++] = fmax(time.ms, 0.01);
    }
  }
  if (count > 0) {
    qsort(times, count, sizeof(*times), by_value);
  }
  return count;
}

static void
draw_distribution(inf_cmp_plot *plot, size_t subject, const double *times,
                  size_t count, size_t calls)
{
  size_t every = count / MAX_POINTS + 1;
  inf_cmp_plot_curve_begin(plot, subject);
  inf_cmp_plot_curve_to(plot, times[0], 0, true, false);
  for (size_t i = 0; i < count; i += every) {
    size_t at = i + every > count ? count : i + every;
    inf_cmp_plot_curve_to(plot, times[at - 1], 100 * (double)at / (double)calls,
                          false, true);
  }
  inf_cmp_plot_curve_to(plot, plot->x.high, 100 * (double)count / (double)calls,
                        false, true);
  inf_cmp_plot_curve_end(plot);
}

void
inf_cmp_figure_distribution(const inf_cmp_summary *summary, bool total,
                            inf_buf *out)
{
  const inf_cmp_data *data = summary->data;
  const char *id = total ? "plot-total" : "plot-ttft";
  const char *title = total ? "Whole answer: share of calls answered within "
                              "a time"
                            : "First token: share of calls answered within a "
                              "time";
  bool shown[INF_CMP_MAX_SUBJECTS] = {false};
  double low = INFINITY, high = 0;
  double *times = calloc(data->sample_count + 1, sizeof(*times));
  size_t calls = 0;
  if (!times) {
    out->status = INFER_E_NO_MEMORY;
    return;
  }
  for (size_t i = 0; i < data->subject_count; i++) {
    size_t count = seen_times(data, i, total, times, &calls);
    shown[i] = count > 0;
    take_in(count ? times[0] : NAN, &low, &high);
    take_in(count ? times[count - 1] : NAN, &low, &high);
  }
  if (high <= 0) {
    say_empty(id, title, "No call had an answer.", out);
    free(times);
    return;
  }
  inf_cmp_plot plot = {.out = out};
  inf_cmp_axis_log(&plot.x, low, high, INF_CMP_FIELD_LEFT,
                   INF_CMP_FIELD_RIGHT - INF_CMP_FIELD_LEFT);
  inf_cmp_axis_linear(&plot.y, 100, INF_CMP_FIELD_FOOT,
                      INF_CMP_FIELD_TOP - INF_CMP_FIELD_FOOT);
  open_figure(out, id, title);
  inf_cmp_plot_begin(&plot, title, "milliseconds", "calls", "%");
  for (size_t i = 0; i < data->subject_count; i++) {
    size_t count = seen_times(data, i, total, times, &calls);
    if (count > 0) {
      draw_distribution(&plot, i, times, count, calls);
    }
  }
  inf_cmp_plot_end(&plot);
  close_figure(summary, shown, out);
  free(times);
}

/* ---- Against concurrency ------------------------------------------------- */

static double
step_value(const inf_cmp_summary *summary, size_t step, bool throughput)
{
  return throughput ? inf_cmp_step_tokens_per_s(&summary->data->steps[step])
                    : summary->steps[step].ttft_p95.value;
}

static void
mark_step(inf_cmp_plot *plot, const inf_cmp_summary *summary, size_t index,
          bool throughput)
{
  const inf_cmp_step *step = &summary->data->steps[index];
  char tip[256], number[INF_CMP_FIGURE];
  if (throughput) {
    inf_cmp_number(number, step_value(summary, index, true));
  } else {
    inf_cmp_range(number, &summary->steps[index].ttft_p95);
    inf_cmp_plot_whisker(plot, step->subject, step->concurrency,
                         summary->steps[index].ttft_p95.low,
                         summary->steps[index].ttft_p95.high, false);
  }
  snprintf(tip, sizeof(tip), "%.100s, %u at a time: %s %s%s%s",
           name_of(summary, step->subject), step->concurrency, number,
           throughput ? "a second" : "ms", step->stop ? "; then: " : "",
           inf_cmp_stop_text(step->stop));
  inf_cmp_plot_mark(plot, step->subject, step->concurrency,
                    step_value(summary, index, throughput), tip);
}

static void
draw_steps(inf_cmp_plot *plot, const inf_cmp_summary *summary, size_t subject,
           bool throughput)
{
  const inf_cmp_data *data = summary->data;
  bool first = true;
  inf_cmp_plot_curve_begin(plot, subject);
  for (size_t i = 0; i < data->step_count; i++) {
    double value = step_value(summary, i, throughput);
    if (data->steps[i].subject == subject && isfinite(value)) {
      inf_cmp_plot_curve_to(plot, data->steps[i].concurrency, value, first,
                            false);
      first = false;
    }
  }
  inf_cmp_plot_curve_end(plot);
  for (size_t i = 0; i < data->step_count; i++) {
    if (data->steps[i].subject == subject &&
        isfinite(step_value(summary, i, throughput))) {
      mark_step(plot, summary, i, throughput);
    }
  }
}

static void
draw_load(const inf_cmp_summary *summary, const char *id, const char *title,
          const char *y_title, bool throughput, inf_buf *out)
{
  const inf_cmp_data *data = summary->data;
  bool shown[INF_CMP_MAX_SUBJECTS] = {false};
  double low = INFINITY, high = 0, most = 1;
  if (!data->ladder) {
    say_empty(id, title, "One level alone was measured.", out);
    return;
  }
  for (size_t i = 0; i < data->step_count; i++) {
    double value = step_value(summary, i, throughput);
    shown[data->steps[i].subject] |= isfinite(value);
    take_in(value, &low, &high);
    if (!throughput) {
      take_in(summary->steps[i].ttft_p95.high, &low, &high);
    }
    most = fmax(most, data->steps[i].concurrency);
  }
  if (high <= 0) {
    say_empty(id, title, "Too few calls had an answer.", out);
    return;
  }
  inf_cmp_plot plot = {.out = out};
  inf_cmp_axis_doubling(&plot.x, most, INF_CMP_FIELD_LEFT + 24,
                        INF_CMP_FIELD_RIGHT - INF_CMP_FIELD_LEFT - 48);
  inf_cmp_axis_linear(&plot.y, high, INF_CMP_FIELD_FOOT,
                      INF_CMP_FIELD_TOP - INF_CMP_FIELD_FOOT);
  open_figure(out, id, title);
  inf_cmp_plot_begin(&plot, title, "requests at a time", y_title, "");
  for (size_t i = 0; i < data->subject_count; i++) {
    if (shown[i]) {
      plot.shift = SHIFT * ((double)i - ((double)data->subject_count - 1) / 2);
      draw_steps(&plot, summary, i, throughput);
    }
  }
  inf_cmp_plot_end(&plot);
  close_figure(summary, shown, out);
}

void
inf_cmp_figure_load(const inf_cmp_summary *summary, inf_buf *out)
{
  draw_load(summary, "plot-load", "First token, p95, as load rises",
            "milliseconds", false, out);
}

void
inf_cmp_figure_throughput(const inf_cmp_summary *summary, inf_buf *out)
{
  draw_load(summary, "plot-throughput",
            "Tokens a second, all streams, as load rises", "tokens a second",
            true, out);
}

/* ---- Cost ---------------------------------------------------------------- */

static void
mark_cost(inf_cmp_plot *plot, const inf_cmp_summary *summary, size_t subject)
{
  const inf_cmp_figures *figures = &summary->figures[subject];
  const inf_cmp_interval *p95 = &figures->total_ms[INF_CMP_P95];
  const inf_cmp_interval *usd = &figures->usd_per_1000_calls;
  char tip[300], range[INF_CMP_FIGURE], dollars[INF_CMP_FIGURE];
  inf_cmp_plot_whisker(plot, subject, usd->value, p95->low, p95->high, true);
  if (isfinite(usd->low) && isfinite(usd->high)) {
    inf_cmp_plot_whisker(plot, subject, p95->value, usd->low, usd->high, false);
  }
  snprintf(tip, sizeof(tip), "%.100s: %s for 1000 calls, p95 %s ms",
           name_of(summary, subject), inf_cmp_dollars(dollars, usd->value),
           inf_cmp_range(range, p95));
  inf_cmp_plot_mark(plot, subject, p95->value, usd->value, tip);
}

void
inf_cmp_figure_cost(const inf_cmp_summary *summary, inf_buf *out)
{
  static const char id[] = "plot-cost";
  static const char title[] = "Cost of 1000 calls against p95 of the answer";
  const inf_cmp_data *data = summary->data;
  bool shown[INF_CMP_MAX_SUBJECTS] = {false};
  double fast = INFINITY, slow = 0, cheap = INFINITY, dear = 0;
  for (size_t i = 0; i < data->subject_count; i++) {
    const inf_cmp_figures *figures = &summary->figures[i];
    const inf_cmp_interval *p95 = &figures->total_ms[INF_CMP_P95];
    shown[i] =
        isfinite(p95->value) && isfinite(figures->usd_per_1000_calls.value);
    if (shown[i]) {
      take_in(p95->value, &fast, &slow);
      take_in(p95->high, &fast, &slow);
      take_in(figures->usd_per_1000_calls.value, &cheap, &dear);
      take_in(figures->usd_per_1000_calls.high, &cheap, &dear);
    }
  }
  if (slow <= 0 || dear <= 0) {
    say_empty(id, title, "No target has both a known price and a p95.", out);
    return;
  }
  inf_cmp_plot plot = {.out = out};
  inf_cmp_axis_linear(&plot.x, slow, INF_CMP_FIELD_LEFT,
                      INF_CMP_FIELD_RIGHT - INF_CMP_FIELD_LEFT);
  inf_cmp_axis_linear(&plot.y, dear, INF_CMP_FIELD_FOOT,
                      INF_CMP_FIELD_TOP - INF_CMP_FIELD_FOOT);
  open_figure(out, id, title);
  inf_cmp_plot_begin(&plot, title, "p95 of the whole answer, ms",
                     "dollars for 1000 calls", "");
  for (size_t i = 0; i < data->subject_count; i++) {
    if (shown[i]) {
      mark_cost(&plot, summary, i);
    }
  }
  inf_cmp_plot_end(&plot);
  close_figure(summary, shown, out);
}
