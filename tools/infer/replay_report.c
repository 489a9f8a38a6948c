/* SPDX-License-Identifier: MIT */
/* Prints the results of a replay: see replay_report.h. */

#include "replay_report.h"

#include "base/error.h"
#include "wire/json_write.h"

#include <inttypes.h>
#include <stdio.h>

enum { label_width = 24, column_width = 14, columns_at_once = 4 };

/* ---- Text ---------------------------------------------------------------- */

typedef enum row_kind { ROW_COUNT, ROW_TTFT, ROW_TOTAL, ROW_USD } row_kind;

typedef struct report_row {
  const char *label;
  row_kind kind;
  size_t offset; /* of COUNT and USD, a uint64_t in the result */
  double share;  /* of TTFT and TOTAL */
} report_row;

#define RESULT(member) offsetof(inf_replay_result, member)
#define TALLY(member)  offsetof(inf_replay_result, tally.member)

// clang-format off
static const report_row rows[] = {
    {"requests", ROW_COUNT, RESULT(requests), 0},
    {"  most at a time", ROW_COUNT, RESULT(live_max), 0},
    {"  answered", ROW_COUNT, TALLY(answered), 0},
    {"  failed", ROW_COUNT, TALLY(failed), 0},
    {"first token p50, ms", ROW_TTFT, 0, 0.5},
    {"            p95", ROW_TTFT, 0, 0.95},
    {"            p99", ROW_TTFT, 0, 0.99},
    {"answer      p50, ms", ROW_TOTAL, 0, 0.5},
    {"            p95", ROW_TOTAL, 0, 0.95},
    {"            p99", ROW_TOTAL, 0, 0.99},
    {"attempts", ROW_COUNT, TALLY(attempts), 0},
    {"  answered 429", ROW_COUNT, TALLY(limited), 0},
    {"  retries", ROW_COUNT, TALLY(retries), 0},
    {"  failovers", ROW_COUNT, TALLY(failovers), 0},
    {"  hedges", ROW_COUNT, TALLY(hedges), 0},
    {"  hedges that won", ROW_COUNT, TALLY(hedges_won), 0},
    {"  probes", ROW_COUNT, TALLY(probes), 0},
    {"prompt tokens", ROW_COUNT, TALLY(prompt_tokens), 0},
    {"  from a cache", ROW_COUNT, TALLY(cached_tokens), 0},
    {"answer tokens", ROW_COUNT, TALLY(answer_tokens), 0},
    {"spend, $", ROW_USD, TALLY(spend_nano_usd), 0},
    {"  of it wasted, $", ROW_USD, TALLY(wasted_nano_usd), 0},
};
// clang-format on

/* Four digits of it at least. */
static void
put_ms(inf_buf *out, double ms)
{
  if (ms < 0) {
    inf_buf_append_cstr(out, "-");
  } else {
    inf_buf_appendf(out, "%.*f", ms < 10 ? 3 : ms < 100 ? 2 : ms < 1000, ms);
  }
}

/* A hundredth of a cent is the last digit; below a cent, a nano-dollar. */
static void
put_usd(inf_buf *out, uint64_t nano_usd)
{
  const uint64_t dollar = 1000000000, cent = dollar / 100;
  if (nano_usd > 0 && nano_usd < cent) {
    inf_buf_appendf(out, "0.%09" PRIu64, nano_usd);
    return;
  }
  uint64_t parts = (nano_usd + 50000) / 100000;
  inf_buf_appendf(out, "%" PRIu64 ".%04" PRIu64, parts / 10000, parts % 10000);
}

static void
put_value(inf_buf *out, const report_row *row, const inf_replay_result *result)
{
  const inf_replay_tally *tally = &result->tally;
  uint64_t number =
      *(const uint64_t *)(const void *)((const char *)result + row->offset);
  switch (row->kind) {
  case ROW_COUNT:
    inf_buf_append_uint(out, number);
    break;
  case ROW_TTFT:
    put_ms(out, inf_replay_tally_ms(&tally->ttft, row->share));
    break;
  case ROW_TOTAL:
    put_ms(out, inf_replay_tally_ms(&tally->total, row->share));
    break;
  case ROW_USD:
    /* What failed costs nothing: that is no price. */
    if (tally->unknown_costs > 0 && tally->spend_nano_usd == 0) {
      inf_buf_append_cstr(out, "unknown");
    } else {
      put_usd(out, number);
    }
    break;
  }
}

/* A file's name in one line, whatever is in it. */
static void
put_name(inf_buf *out, const char *name)
{
  for (; *name; name++) {
    unsigned char c = (unsigned char)*name;
    inf_buf_append_char(out, c < ' ' || c == 0x7f ? '?' : *name);
  }
}

/* Right-justified; a name that is too long loses its beginning. */
static void
put_cell(inf_buf *out, const char *text)
{
  size_t len = strlen(text), most = column_width - 1;
  if (len > most) {
    const char *rest = text + len - (most - 2);
    while (((unsigned char)*rest & 0xc0) == 0x80) {
      rest++; /* within a character */
    }
    inf_buf_appendf(out, " ..%s", rest);
  } else {
    inf_buf_appendf(out, "%*s", column_width, text);
  }
}

static const char *
base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash && slash[1] ? slash + 1 : path;
}

static void
put_classes(const inf_replay_column *columns, size_t count, inf_buf *out)
{
  for (size_t k = 0; k < inf_status_count(); k++) {
    const inf_status_info *info = inf_status_at(k);
    uint64_t calls[columns_at_once] = {0}, any = 0;
    for (size_t i = 0; i < count; i++) {
      const inf_replay_tally *tally = &columns[i].result->tally;
      for (size_t c = 0; c < tally->class_count; c++) {
        if (tally->classes[c].status == info->status) {
          calls[i] = tally->classes[c].calls;
        }
      }
      any += calls[i];
    }
    if (any == 0) {
      continue;
    }
    inf_buf_appendf(out, "  %-*.*s", label_width - 2, label_width - 2,
                    info->name + strlen("INFER_E_"));
    for (size_t i = 0; i < count; i++) {
      inf_buf_appendf(out, "%*" PRIu64, column_width, calls[i]);
    }
    inf_buf_append_cstr(out, "\n");
  }
}

static void
put_table(const inf_replay_column *columns, size_t count, inf_buf *out)
{
  inf_buf cell;
  inf_buf_init(&cell, INF_SIM_BUF_MAX);
  inf_buf_appendf(out, "%-*s", label_width, "");
  for (size_t i = 0; i < count; i++) {
    inf_buf_clear(&cell);
    put_name(&cell, base_name(columns[i].name));
    put_cell(out, inf_buf_cstr(&cell));
  }
  inf_buf_append_cstr(out, "\n");
  for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
    inf_buf_appendf(out, "%-*s", label_width, rows[row].label);
    for (size_t i = 0; i < count; i++) {
      inf_buf_clear(&cell);
      put_value(&cell, &rows[row], columns[i].result);
      put_cell(out, inf_buf_cstr(&cell));
    }
    inf_buf_append_cstr(out, "\n");
    if (rows[row].offset == TALLY(failed)) {
      put_classes(columns, count, out);
    }
  }
  inf_buf_fini(&cell);
}

static void
put_remark(inf_buf *out, const inf_replay_column *column, uint64_t attempts,
           const char *what)
{
  if (attempts > 0) {
    put_name(out, column->name);
    inf_buf_appendf(out,
                    ": the cost of %" PRIu64 " of %" PRIu64 " attempts is %s\n",
                    attempts, column->result->tally.attempts, what);
  }
}

static void
put_remarks(const inf_replay_report *report, inf_buf *out)
{
  for (size_t i = 0; i < report->count; i++) {
    const inf_replay_column *column = &report->columns[i];
    const inf_replay_tally *tally = &column->result->tally;
    if (column->result->interrupted) {
      put_name(out, column->name);
      inf_buf_appendf(out, ": interrupted after %" PRIu64 " requests\n",
                      column->result->requests);
    }
    put_remark(out, column, tally->unknown_costs, "not known");
    put_remark(out, column, tally->estimated_costs, "estimated");
  }
}

void
inf_replay_report_text(const inf_replay_report *report, inf_buf *out)
{
  const inf_replay_options *options = report->options;
  put_name(out, options->trace);
  inf_buf_appendf(out, ": %.1f s of requests",
                  (double)report->columns[0].result->span_ns / 1e9);
  if (options->speed > 1 || options->speed < 1) {
    inf_buf_appendf(out, " at speed %g", options->speed);
  }
  inf_buf_appendf(out, ", seed %" PRIu64 "\n\n", options->seed);
  for (size_t i = 0; i < report->count; i += columns_at_once) {
    size_t rest = report->count - i;
    put_table(&report->columns[i],
              rest < columns_at_once ? rest : columns_at_once, out);
    inf_buf_append_cstr(out, "\n");
  }
  put_remarks(report, out);
}

/* ---- JSON ---------------------------------------------------------------- */

static void
member_ms(inf_buf *out, inf_sv key, double ms)
{
  inf_json_key(out, key);
  if (ms < 0) {
    inf_json_put_null(out);
  } else {
    inf_json_put_double(out, ms);
  }
}

static void
member_times(inf_buf *out, inf_sv key, const inf_histogram *times)
{
  inf_json_key(out, key);
  inf_json_open(out, '{');
  member_ms(out, INF_SV("p50"), inf_replay_tally_ms(times, 0.5));
  member_ms(out, INF_SV("p95"), inf_replay_tally_ms(times, 0.95));
  member_ms(out, INF_SV("p99"), inf_replay_tally_ms(times, 0.99));
  inf_json_close(out, '}');
}

static void
member_count(inf_buf *out, inf_sv key, uint64_t count)
{
  inf_json_member_int(out, key, (int64_t)count);
}

static void
member_classes(inf_buf *out, const inf_replay_tally *tally)
{
  inf_json_key(out, INF_SV("errors"));
  inf_json_open(out, '{');
  for (size_t i = 0; i < tally->class_count; i++) {
    member_count(out,
                 inf_sv_from(inf_status_find(tally->classes[i].status)->name),
                 tally->classes[i].calls);
  }
  inf_json_close(out, '}');
}

static void
write_column(inf_buf *out, const inf_replay_column *column)
{
  const inf_replay_result *result = column->result;
  const inf_replay_tally *tally = &result->tally;
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("config"), inf_sv_from(column->name));
  inf_json_member_bool(out, INF_SV("interrupted"), result->interrupted);
  member_count(out, INF_SV("requests"), result->requests);
  member_count(out, INF_SV("answered"), tally->answered);
  member_count(out, INF_SV("failed"), tally->failed);
  member_classes(out, tally);
  member_count(out, INF_SV("most_at_a_time"), result->live_max);
  member_times(out, INF_SV("ttft_ms"), &tally->ttft);
  member_times(out, INF_SV("total_ms"), &tally->total);
  member_count(out, INF_SV("attempts"), tally->attempts);
  member_count(out, INF_SV("rate_limited"), tally->limited);
  member_count(out, INF_SV("retries"), tally->retries);
  member_count(out, INF_SV("failovers"), tally->failovers);
  member_count(out, INF_SV("hedges"), tally->hedges);
  member_count(out, INF_SV("hedges_won"), tally->hedges_won);
  member_count(out, INF_SV("probes"), tally->probes);
  member_count(out, INF_SV("prompt_tokens"), tally->prompt_tokens);
  member_count(out, INF_SV("cached_tokens"), tally->cached_tokens);
  member_count(out, INF_SV("answer_tokens"), tally->answer_tokens);
  member_count(out, INF_SV("spend_nano_usd"), tally->spend_nano_usd);
  member_count(out, INF_SV("wasted_nano_usd"), tally->wasted_nano_usd);
  member_count(out, INF_SV("costs_estimated"), tally->estimated_costs);
  member_count(out, INF_SV("costs_unknown"), tally->unknown_costs);
  inf_json_close(out, '}');
}

void
inf_replay_report_json(const inf_replay_report *report, inf_buf *out)
{
  const inf_replay_options *options = report->options;
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("version"), 1);
  inf_json_member_string(out, INF_SV("trace"), inf_sv_from(options->trace));
  member_count(out, INF_SV("seed"), options->seed);
  inf_json_key(out, INF_SV("speed"));
  inf_json_put_double(out, options->speed);
  inf_json_key(out, INF_SV("span_s"));
  inf_json_put_double(out, (double)report->columns[0].result->span_ns / 1e9);
  inf_json_key(out, INF_SV("configs"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < report->count; i++) {
    write_column(out, &report->columns[i]);
  }
  inf_json_close(out, ']');
  inf_json_close(out, '}');
  inf_buf_append_char(out, '\n');
}
