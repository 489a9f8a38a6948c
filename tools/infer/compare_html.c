/* SPDX-License-Identifier: MIT */
/* The report as one HTML page: no script, no font, no picture from elsewhere.
 * It follows the reader's choice of light or dark, is light on paper, and turns
 * its tables into lists on a phone. */

#include "compare_report.h"

#include "compare_figures.h"
#include "compare_notes.h"
#include "compare_plot.h"
#include "compare_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Colours that also those who confuse some can tell apart (Okabe and Ito,
 * "Color universal design", 2008), darker on light ground, lighter on dark. */
static const char style[] =
    ":root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--dim:#5b636d;"
    "--rule:#d5dae0;--card:#f6f8fa;--c0:#0069a8;--c1:#c04a00;--c2:#00795a;"
    "--c3:#a3437f;--c4:#7a6000;--c5:#2f87b8;--c6:#5f3dc4;--c7:#444}\n"
    "@media (prefers-color-scheme:dark){:root{--ground:#14171a;--ink:#e8eaed;"
    "--dim:#9aa3ad;--rule:#343a41;--card:#1d2125;--c0:#58b4f0;--c1:#f08c42;"
    "--c2:#3fcf9f;--c3:#e08fc0;--c4:#e0c030;--c5:#9ad5f5;--c6:#b39dff;"
    "--c7:#bbb}}\n"
    "*{box-sizing:border-box}body{margin:0 auto;max-width:1060px;"
    "padding:1.2rem 1rem 3rem;background:var(--ground);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.6rem;line-height:1.2;margin:.4rem 0}h2{font-size:1.15rem;"
    "margin:2rem 0 .5rem}p,ul{margin:.4rem 0}.dim{color:var(--dim)}"
    "ul.plain{padding-left:1.1rem}ul.plain li{margin:.25rem 0}\n"
    ".verdict{border-left:4px solid var(--c0);background:var(--card);"
    "padding:.6rem 1rem}\n"
    "table{border-collapse:collapse;width:100%;table-layout:fixed;margin:.8rem "
    "0 "
    "1.4rem;font-variant-numeric:"
    "tabular-nums}th,td{text-align:right;padding:.35rem .6rem;border-bottom:"
    "1px solid var(--rule);vertical-align:top}th:first-child,td:first-child{"
    "text-align:left}th:first-child{width:28%}thead "
    "th{color:var(--dim);font-weight:600;font-size:"
    ".9rem}caption{text-align:left;font-weight:600;"
    "padding-bottom:.2rem}td small{display:block;color:var(--dim)}\n"
    ".plots{display:grid;margin:1.4rem "
    "0;grid-template-columns:repeat(auto-fit,minmax("
    "min(100%,440px),1fr));gap:1rem}figure{margin:0;padding:.8rem;"
    "border:1px solid var(--rule);border-radius:8px}figcaption{font-weight:"
    "600;margin-bottom:.4rem}\n"
    "svg{display:block;width:100%;height:auto}svg text{fill:var(--ink);"
    "font:13px system-ui,sans-serif}.grid{stroke:var(--rule);fill:none}"
    ".axis{stroke:var(--dim);fill:none}.line{fill:none;stroke-width:2;"
    "stroke:var(--c)}.mark{fill:var(--c);stroke:var(--ground);stroke-width:1}"
    ".whisker{fill:none;stroke:var(--c);stroke-width:1.5;opacity:.45}\n"
    ".s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}"
    ".s4{--c:var(--c4)}.s5{--c:var(--c5)}.s6{--c:var(--c6)}"
    ".s7{--c:var(--c7)}\n"
    ".legend{list-style:none;padding:0;display:flex;flex-wrap:wrap;"
    "gap:.2rem 1.2rem;font-size:.9em}.legend li{display:flex;"
    "align-items:center;gap:.5rem}.key{flex:none;width:36px;height:14px}"
    ".none{color:var(--dim)}\n"
    "@media (max-width:640px){thead{position:absolute;width:1px;height:1px;"
    "overflow:hidden;clip-path:inset(50%)}table,caption,tbody,tr,td{display:"
    "block}"
    "tr{padding:.5rem 0;border-bottom:1px solid var(--rule)}td,td:first-child{"
    "border:0;padding:.1rem 0;text-align:left}td:first-child{font-weight:600}"
    "td[data-l]{display:flex;justify-content:space-between;gap:1rem}"
    "td[data-l]::before{content:attr(data-l);color:var(--dim)}"
    ".blank{display:none}td small{display:inline;margin-left:.4rem}}\n"
    "@media print{:root{color-scheme:light;--ground:#fff;--ink:#000;"
    "--dim:#444;--rule:#bbb;--card:#fff;--c0:#0069a8;--c1:#c04a00;"
    "--c2:#00795a;--c3:#a3437f;--c4:#7a6000;--c5:#2f87b8;--c6:#5f3dc4;"
    "--c7:#444}body{font-size:10pt;padding:0;max-width:none}figure,tr,li{"
    "break-inside:avoid}h2,caption{break-after:avoid}.plots{"
    "grid-template-columns:1fr 1fr}th,td{padding:.15rem .4rem}}\n";

static void
put_text(inf_buf *out, const char *text)
{
  inf_cmp_html_text(out, text);
}

/* Each line of notes as an item. */
static void
put_items(inf_buf *out, const inf_buf *lines)
{
  const char *text = inf_buf_cstr(lines);
  inf_buf_append_cstr(out, "<ul class=\"plain\">\n");
  while (*text) {
    char line[2048];
    size_t len = strcspn(text, "\n");
    snprintf(line, sizeof(line), "%.*s", (int)len, text);
    inf_buf_append_cstr(out, "<li>");
    put_text(out, line);
    inf_buf_append_cstr(out, "</li>\n");
    text += len + (text[len] == '\n');
  }
  inf_buf_append_cstr(out, "</ul>\n");
}

static void
put_notes(inf_buf *out, const inf_cmp_summary *summary,
          void (*note)(const inf_cmp_summary *summary, inf_buf *lines))
{
  inf_buf lines;
  inf_buf_init(&lines, INF_CMP_MAX_REPORT);
  note(summary, &lines);
  put_items(out, &lines);
  inf_buf_fini(&lines);
}

static void
put_subject_notes(inf_buf *out, const inf_cmp_summary *summary,
                  void (*note)(const inf_cmp_summary *summary, size_t subject,
                               inf_buf *lines))
{
  inf_buf lines;
  inf_buf_init(&lines, INF_CMP_MAX_REPORT);
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    note(summary, i, &lines);
  }
  put_items(out, &lines);
  inf_buf_fini(&lines);
}

/* ---- Tables -------------------------------------------------------------- */

static void
open_table(inf_buf *out, const char *first, const char *const *heads,
           size_t count)
{
  inf_buf_appendf(out, "<table><caption>%s</caption><thead><tr><th>target</th>",
                  first);
  for (size_t i = 0; i < count; i++) {
    inf_buf_appendf(out, "<th>%s</th>", heads[i]);
  }
  inf_buf_append_cstr(out, "</tr></thead><tbody>\n");
}

static void
open_row(inf_buf *out, const char *name)
{
  inf_buf_append_cstr(out, "<tr><td>");
  put_text(out, name);
  inf_buf_append_cstr(out, "</td>");
}

static void
put_cell(inf_buf *out, const char *head, const char *text)
{
  if (text[0] == '\0') {
    inf_buf_append_cstr(out, "<td class=\"blank\"></td>");
    return;
  }
  inf_buf_appendf(out, "<td data-l=\"%s\"><span>", head);
  put_text(out, text);
  inf_buf_append_cstr(out, "</span></td>");
}

static void
put_range(inf_buf *out, const char *head, const inf_cmp_interval *interval)
{
  char value[INF_CMP_FIGURE], low[INF_CMP_FIGURE], high[INF_CMP_FIGURE];
  inf_buf_appendf(out, "<td data-l=\"%s\"><span>%s", head,
                  inf_cmp_number(value, interval->value));
  if (!isnan(interval->low) || !isnan(interval->high)) {
    inf_buf_appendf(out, " <small>[%s, %s]</small>",
                    inf_cmp_number(low, interval->low),
                    inf_cmp_number(high, interval->high));
  }
  inf_buf_append_cstr(out, "</span></td>");
}

static void
put_times(inf_buf *out, const inf_cmp_summary *summary, bool total)
{
  static const char *const heads[] = {"p50", "p95", "p99"};
  open_table(out, total ? "Whole answer, ms" : "First token, ms", heads,
             INF_CMP_PS);
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    const inf_cmp_figures *figures = &summary->figures[i];
    open_row(out, summary->data->subjects[i].name);
    for (size_t k = 0; k < INF_CMP_PS; k++) {
      put_range(out, heads[k],
                total ? &figures->total_ms[k] : &figures->ttft_ms[k]);
    }
    inf_buf_append_cstr(out, "</tr>\n");
  }
  inf_buf_append_cstr(out, "</tbody></table>\n");
}

static void
put_speed(inf_buf *out, const inf_cmp_summary *summary)
{
  static const char *const heads[] = {"tokens/s, one stream",
                                      "tokens/s, all streams", "$/1000 calls",
                                      "$/M tokens"};
  open_table(out, "Speed and cost", heads, 4);
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    const inf_cmp_figures *figures = &summary->figures[i];
    char text[INF_CMP_FIGURE];
    open_row(out, summary->data->subjects[i].name);
    put_range(out, heads[0], &figures->speed);
    put_cell(out, heads[1],
             inf_cmp_number(text, figures->throughput_is_calls
                                      ? NAN
                                      : figures->throughput));
    put_cell(out, heads[2],
             inf_cmp_dollars(text, figures->usd_per_1000_calls.value));
    put_cell(out, heads[3],
             inf_cmp_dollars(text, figures->usd_per_million_tokens));
    inf_buf_append_cstr(out, "</tr>\n");
  }
  inf_buf_append_cstr(out, "</tbody></table>\n");
}

static void
put_step_row(inf_buf *out, const inf_cmp_summary *summary, size_t index,
             const char *const *heads)
{
  const inf_cmp_step *step = &summary->data->steps[index];
  char text[INF_CMP_FIGURE];
  open_row(out, summary->data->subjects[step->subject].name);
  snprintf(text, sizeof(text), "%u", step->concurrency);
  put_cell(out, heads[0], text);
  put_range(out, heads[1], &summary->steps[index].ttft_p95);
  put_range(out, heads[2], &summary->steps[index].total_p95);
  put_cell(out, heads[3],
           inf_cmp_number(text, inf_cmp_step_tokens_per_s(step)));
  snprintf(text, sizeof(text), "%u of %u", step->refused + step->waited,
           step->requests);
  put_cell(out, heads[4], text);
  put_cell(out, heads[5], inf_cmp_stop_text(step->stop));
  inf_buf_append_cstr(out, "</tr>\n");
}

static void
put_steps(inf_buf *out, const inf_cmp_summary *summary)
{
  static const char *const heads[] = {
      "at a time", "p95 first token, ms", "p95 whole answer, ms",
      "tokens/s",  "held back",           "then"};
  open_table(out, "As load rises", heads, 6);
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    for (size_t k = 0; k < summary->data->step_count; k++) {
      if (summary->data->steps[k].subject == i) {
        put_step_row(out, summary, k, heads);
      }
    }
  }
  inf_buf_append_cstr(out, "</tbody></table>\n");
}

/* ---- The page ------------------------------------------------------------ */

static void
put_head(inf_buf *out, const inf_cmp_summary *summary)
{
  char when[64] = "";
  time_t started = (time_t)summary->data->started;
  struct tm utc;
  if (gmtime_r(&started, &utc)) {
    strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &utc);
  }
  inf_buf_appendf(out,
                  "<!doctype html>\n<html lang=\"en\"><head>"
                  "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                  "content=\"width=device-width,initial-scale=1\">\n"
                  "<link rel=\"icon\" href=\"data:,\">\n"
                  "<title>infer compare, %s</title>\n<style>\n%s</style>"
                  "</head>\n<body>\n<h1>",
                  when, style);
  for (size_t i = 0, shown = 0; i < summary->data->subject_count; i++) {
    if (!summary->data->subjects[i].generated) {
      inf_buf_append_cstr(out, shown++ ? ", " : "");
      put_text(out, summary->data->subjects[i].name);
    }
  }
  inf_buf_appendf(out, "</h1>\n<p class=\"dim\">infer compare, %s</p>\n", when);
}

static void
put_plots(inf_buf *out, const inf_cmp_summary *summary)
{
  inf_buf_append_cstr(out, "<div class=\"plots\">\n");
  inf_cmp_figure_distribution(summary, false, out);
  inf_cmp_figure_distribution(summary, true, out);
  inf_cmp_figure_load(summary, out);
  inf_cmp_figure_throughput(summary, out);
  inf_cmp_figure_cost(summary, out);
  inf_buf_append_cstr(out, "</div>\n");
}

void
inf_cmp_report_html(const inf_cmp_summary *summary, inf_buf *out)
{
  put_head(out, summary);
  inf_buf_append_cstr(out, "<section class=\"verdict\">\n");
  put_notes(out, summary, inf_cmp_note_verdicts);
  inf_buf_append_cstr(out, "</section>\n<h2>Times</h2>\n");
  put_times(out, summary, false);
  put_times(out, summary, true);
  put_plots(out, summary);
  inf_buf_append_cstr(out, "<h2>Speed, cost and load</h2>\n");
  put_speed(out, summary);
  if (summary->data->ladder) {
    put_steps(out, summary);
  }
  inf_buf_append_cstr(out, "<h2>Failures</h2>\n");
  put_subject_notes(out, summary, inf_cmp_note_failures);
  inf_buf_append_cstr(out, "<h2>Answers</h2>\n");
  put_subject_notes(out, summary, inf_cmp_note_answers);
  inf_buf_append_cstr(out, "<h2>The run</h2>\n");
  put_notes(out, summary, inf_cmp_note_run);
  inf_buf_append_cstr(out, "<h2>How to read this</h2>\n");
  put_notes(out, summary, inf_cmp_note_method);
  inf_buf_append_cstr(out, "</body></html>\n");
}
