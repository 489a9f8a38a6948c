/* SPDX-License-Identifier: MIT */
/* The report as text. */

#include "compare_report.h"

#include "compare_notes.h"
#include "compare_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Below it columns would not fit side by side. */
#define TABLE_WIDTH 72
/* Wider than this are tables only for long names: figures stay near them. */
#define USUAL_WIDTH ((size_t)80)
#define INDENT      ((size_t)2)

/* The columns of a table, beside that of the names. */
typedef struct columns {
  size_t count;
  const char *heads[4];
  size_t widths[4];
} columns;

static const columns time_columns = {3, {"p50", "p95", "p99"}, {19, 19, 18}};
static const columns speed_columns = {
    4,
    {"tok/s a stream", "tok/s in all", "$/1000 calls", "$/M tokens"},
    {16, 14, 14, 11}};
static const columns load_columns = {
    4,
    {"p95 first, ms", "tok/s in all", "held back", "then"},
    {21, 14, 11, 16}};

typedef struct text_report {
  const inf_cmp_summary *summary;
  inf_buf *out;
  size_t width, table_width;
  char name[160]; /* of the row's subject */
} text_report;

static void
put_cell(text_report *report, const char *text, size_t width, bool last)
{
  size_t used = inf_cmp_columns(text);
  inf_buf_append_cstr(report->out, text);
  if (!last) {
    inf_cmp_spaces(report->out, used < width ? width - used : 1);
  }
}

/* Columns that are left for names. */
static size_t
name_room(const text_report *report, const columns *table)
{
  size_t room = report->table_width;
  for (size_t i = 0; i < table->count; i++) {
    room -= table->widths[i];
  }
  return room;
}

static void
put_cells(text_report *report, const columns *table, const char *const *cells)
{
  for (size_t i = 0; i < table->count; i++) {
    put_cell(report, cells[i], table->widths[i], i + 1 == table->count);
  }
  inf_buf_append_char(report->out, '\n');
}

/* A name, then its cells: beside it where there is room, else below. */
static void
put_row(text_report *report, const char *name, const columns *table,
        char (*texts)[INF_CMP_FIGURE])
{
  const char *cells[4];
  if (report->width < TABLE_WIDTH) {
    inf_cmp_wrap(report->out, name, report->width, INDENT, INDENT + INDENT);
    for (size_t i = 0; i < table->count; i++) {
      char line[INF_CMP_FIGURE + 32];
      snprintf(line, sizeof(line), "%s: %s", table->heads[i], texts[i]);
      if (texts[i][0]) {
        inf_cmp_wrap(report->out, line, report->width, 2 * INDENT, 3 * INDENT);
      }
    }
    return;
  }
  size_t room = name_room(report, table);
  inf_cmp_spaces(report->out, INDENT);
  put_cell(report, name, room - INDENT, false);
  if (INDENT + inf_cmp_columns(name) >= room) {
    inf_buf_append_char(report->out, '\n');
    inf_cmp_spaces(report->out, room);
  }
  for (size_t i = 0; i < table->count; i++) {
    cells[i] = texts[i];
  }
  put_cells(report, table, cells);
}

/* A title, and in a table the columns' heads beside it. */
static void
put_heads(text_report *report, const char *title, const columns *table)
{
  inf_buf_append_char(report->out, '\n');
  if (report->width < TABLE_WIDTH) {
    inf_cmp_wrap(report->out, title, report->width, 0, INDENT);
    return;
  }
  put_cell(report, title, name_room(report, table), false);
  put_cells(report, table, table->heads);
}

static const char *
name_of(text_report *report, size_t subject)
{
  return inf_cmp_clean(report->name, sizeof(report->name),
                       report->summary->data->subjects[subject].name);
}

static void
put_times(text_report *report, const char *title, bool total)
{
  put_heads(report, title, &time_columns);
  for (size_t i = 0; i < report->summary->data->subject_count; i++) {
    const inf_cmp_figures *figures = &report->summary->figures[i];
    const inf_cmp_interval *times =
        total ? figures->total_ms : figures->ttft_ms;
    char cells[INF_CMP_PS][INF_CMP_FIGURE];
    for (size_t k = 0; k < INF_CMP_PS; k++) {
      inf_cmp_range(cells[k], &times[k]);
    }
    put_row(report, name_of(report, i), &time_columns, cells);
  }
}

static void
put_speed(text_report *report)
{
  bool estimated = false, unknown = false;
  put_heads(report, "Speed and cost", &speed_columns);
  for (size_t i = 0; i < report->summary->data->subject_count; i++) {
    const inf_cmp_figures *figures = &report->summary->figures[i];
    char cells[4][INF_CMP_FIGURE];
    inf_cmp_number(cells[0], figures->speed.value);
    inf_cmp_number(cells[1],
                   figures->throughput_is_calls ? NAN : figures->throughput);
    inf_cmp_dollars(cells[2], figures->usd_per_1000_calls.value);
    inf_cmp_dollars(cells[3], figures->usd_per_million_tokens);
    estimated |= figures->cost_estimated > 0;
    unknown |= figures->priced < figures->calls;
    put_row(report, name_of(report, i), &speed_columns, cells);
  }
  if (unknown) {
    inf_cmp_wrap(report->out,
                 "The cost of some calls is not known (a price or a token "
                 "count is missing); they are not in these figures.",
                 report->width, INDENT, INDENT);
  }
  if (estimated) {
    inf_cmp_wrap(report->out, "Some costs are estimated.", report->width,
                 INDENT, INDENT);
  }
}

static void
put_step(text_report *report, size_t index)
{
  const inf_cmp_step *step = &report->summary->data->steps[index];
  const inf_cmp_step_figures *figures = &report->summary->steps[index];
  char cells[4][INF_CMP_FIGURE], name[INF_CMP_FIGURE];
  snprintf(name, sizeof(name), "  %u at a time", step->concurrency);
  inf_cmp_range(cells[0], &figures->ttft_p95);
  inf_cmp_number(cells[1], inf_cmp_step_tokens_per_s(step));
  snprintf(cells[2], sizeof(cells[2]), "%u/%u", step->refused + step->waited,
           step->requests);
  snprintf(cells[3], sizeof(cells[3]), "%s", inf_cmp_stop_text(step->stop));
  put_row(report, name, &load_columns, cells);
}

static void
put_ladder(text_report *report)
{
  const inf_cmp_data *data = report->summary->data;
  if (!data->ladder) {
    return;
  }
  put_heads(report, "As load rises", &load_columns);
  for (size_t i = 0; i < data->subject_count; i++) {
    inf_cmp_wrap(report->out, name_of(report, i), report->width, INDENT,
                 2 * INDENT);
    for (size_t k = 0; k < data->step_count; k++) {
      if (data->steps[k].subject == i) {
        put_step(report, k);
      }
    }
  }
}

/* Each line of text, wrapped. */
static void
put_lines(text_report *report, const inf_buf *lines, size_t indent)
{
  char line[2048];
  const char *text = inf_buf_cstr(lines);
  while (*text) {
    size_t len = strcspn(text, "\n");
    snprintf(line, sizeof(line), "%.*s", (int)len, text);
    inf_cmp_wrap(report->out, line, report->width, indent, indent + INDENT);
    text += len + (text[len] == '\n');
  }
}

static void
put_notes(text_report *report, const char *title, size_t indent,
          void (*note)(const inf_cmp_summary *summary, inf_buf *out))
{
  inf_buf lines;
  inf_buf_init(&lines, INF_CMP_MAX_REPORT);
  note(report->summary, &lines);
  if (title[0]) {
    inf_buf_appendf(report->out, "\n%s\n", title);
  }
  put_lines(report, &lines, indent);
  inf_buf_fini(&lines);
}

static void
put_subject_notes(text_report *report, const char *title,
                  void (*note)(const inf_cmp_summary *summary, size_t subject,
                               inf_buf *out))
{
  inf_buf lines;
  inf_buf_init(&lines, INF_CMP_MAX_REPORT);
  for (size_t i = 0; i < report->summary->data->subject_count; i++) {
    note(report->summary, i, &lines);
  }
  inf_buf_appendf(report->out, "\n%s\n", title);
  put_lines(report, &lines, INDENT);
  inf_buf_fini(&lines);
}

/* As wide as the longest name needs, and there is room for. */
static size_t
table_width(text_report *report)
{
  size_t figures = 0, wanted = USUAL_WIDTH;
  for (size_t i = 0; i < time_columns.count; i++) {
    figures += time_columns.widths[i];
  }
  for (size_t i = 0; i < report->summary->data->subject_count; i++) {
    size_t width = INDENT + inf_cmp_columns(name_of(report, i)) + 1 + figures;
    wanted = width > wanted ? width : wanted;
  }
  return wanted < report->width ? wanted : report->width;
}

void
inf_cmp_report_text(const inf_cmp_summary *summary, size_t width, inf_buf *out)
{
  text_report report = {.summary = summary, .out = out, .width = width};
  report.table_width = table_width(&report);
  put_notes(&report, "", 0, inf_cmp_note_run);
  put_times(&report, "First token, ms", false);
  put_times(&report, "Whole answer, ms", true);
  put_speed(&report);
  put_ladder(&report);
  put_subject_notes(&report, "Failures", inf_cmp_note_failures);
  put_subject_notes(&report, "Answers", inf_cmp_note_answers);
  put_notes(&report, "Who is better", INDENT, inf_cmp_note_verdicts);
  put_notes(&report, "How to read this", INDENT, inf_cmp_note_method);
}
