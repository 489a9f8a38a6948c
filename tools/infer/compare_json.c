/* SPDX-License-Identifier: MIT */
/* The report for machines. */

#include "compare_report.h"

#include "infer/infer.h"

#include "wire/json_write.h"

#include <math.h>
#include <stdio.h>

#define KEY(literal) INF_SV(literal)

static void
put_number(inf_buf *out, inf_sv key, double value)
{
  inf_json_key(out, key);
  inf_json_put_double(out, value); /* null where there is none */
}

/* Times and counts below 0 are not known. */
static void
put_known(inf_buf *out, inf_sv key, double value)
{
  put_number(out, key, value < 0 ? NAN : value);
}

static void
put_text(inf_buf *out, inf_sv key, const char *text)
{
  inf_json_member_string(out, key, inf_sv_from(text));
}

static void
put_count(inf_buf *out, inf_sv key, int64_t value)
{
  inf_json_key(out, key);
  if (value < 0) {
    inf_json_put_null(out);
  } else {
    inf_json_put_int(out, value);
  }
}

/* A quantile that was not reached is "none": null would say "not known". */
static void
put_end(inf_buf *out, inf_sv key, double value)
{
  if (isinf(value)) {
    put_text(out, key, "none");
  } else {
    put_number(out, key, value);
  }
}

static void
put_interval(inf_buf *out, inf_sv key, const inf_cmp_interval *interval)
{
  inf_json_key(out, key);
  inf_json_open(out, '{');
  put_end(out, KEY("value"), interval->value);
  put_end(out, KEY("low"), interval->low);
  put_end(out, KEY("high"), interval->high);
  inf_json_close(out, '}');
}

static const char *
cost_name(int32_t kind)
{
  return kind == INF_CMP_COST_EXACT       ? "exact"
         : kind == INF_CMP_COST_ESTIMATED ? "estimated"
                                          : "unknown";
}

/* ---- Samples ------------------------------------------------------------- */

static void
put_quality(inf_buf *out, const inf_cmp_sample *sample)
{
  static const char *const words[] = {"", "broken", "mismatch", "right"};
  if (sample->json != INF_CMP_JSON_NOT_ASKED) {
    put_text(out, KEY("json"), words[sample->json]);
  }
  if (sample->tools_offered) {
    char mark[32];
    snprintf(mark, sizeof(mark), "%016llx", (unsigned long long)sample->tools);
    put_text(out, KEY("tool_calls"), sample->tools ? mark : "none");
  }
  if (sample->finish[0]) {
    put_text(out, KEY("finish_reason"), sample->finish);
  }
}

static void
put_sample(inf_buf *out, const inf_cmp_data *data, const inf_cmp_sample *sample)
{
  inf_json_open(out, '{');
  put_number(out, KEY("at_ms"), sample->at_ms);
  inf_json_member_int(out, KEY("concurrency"), sample->concurrency);
  inf_json_member_int(out, KEY("pair"), sample->pair);
  if (sample->prompt < data->prompt_count) {
    put_text(out, KEY("prompt"), data->prompts[sample->prompt]);
  }
  put_text(out, KEY("status"),
           sample->stopped ? "stopped" : infer_status_name(sample->status));
  put_count(out, KEY("http_status"),
            sample->http_status > 0 ? sample->http_status : -1);
  put_count(out, KEY("prompt_tokens"), sample->prompt_tokens);
  put_count(out, KEY("cached_tokens"), sample->cached_tokens);
  put_count(out, KEY("output_tokens"), sample->output_tokens);
  put_known(out, KEY("ttft_ms"), sample->ttft_ms);
  put_known(out, KEY("total_ms"), sample->total_ms);
  put_known(out, KEY("writing_ms"), sample->writing_ms);
  put_known(out, KEY("ms_per_token"),
            inf_cmp_sample_speed(sample) > 0
                ? 1000 / inf_cmp_sample_speed(sample)
                : -1);
  put_known(out, KEY("limiter_ms"), sample->limiter_ms);
  put_known(out, KEY("retry_after_ms"), sample->retry_after_ms);
  put_count(out, KEY("cost_nano_usd"), sample->cost_nano_usd);
  put_text(out, KEY("cost_kind"), cost_name(sample->cost_kind));
  inf_json_member_int(out, KEY("attempts"), sample->attempts);
  inf_json_member_int(out, KEY("hedges"), sample->hedges);
  inf_json_member_int(out, KEY("failovers"), sample->failovers);
  inf_json_member_bool(out, KEY("new_connection"), sample->new_connection);
  put_count(out, KEY("text_bytes"), sample->text_bytes);
  put_quality(out, sample);
  inf_json_close(out, '}');
  inf_buf_append_char(out, '\n'); /* one on a line, for diff and grep */
}

/* ---- Figures ------------------------------------------------------------- */

static void
put_classes(inf_buf *out, const inf_cmp_figures *figures)
{
  inf_json_key(out, KEY("failures"));
  inf_json_open(out, '{');
  for (size_t i = 0; i < figures->class_count; i++) {
    inf_json_member_int(
        out, inf_sv_from(infer_status_name(figures->classes[i].status)),
        (int64_t)figures->classes[i].count);
  }
  inf_json_close(out, '}');
}

static void
put_answers(inf_buf *out, const inf_cmp_figures *figures)
{
  inf_json_key(out, KEY("answers"));
  inf_json_open(out, '{');
  put_interval(out, KEY("tokens"), &figures->answer_tokens);
  put_interval(out, KEY("bytes"), &figures->answer_bytes);
  inf_json_member_int(out, KEY("json_asked"), (int64_t)figures->json_asked);
  inf_json_member_int(out, KEY("json_valid"), (int64_t)figures->json_valid);
  inf_json_member_int(out, KEY("json_right"), (int64_t)figures->json_right);
  inf_json_member_int(out, KEY("tools_offered"),
                      (int64_t)figures->tools_offered);
  inf_json_member_int(out, KEY("tools_used"), (int64_t)figures->tools_used);
  inf_json_member_int(out, KEY("tools_compared"),
                      (int64_t)figures->tools.compared);
  inf_json_member_int(out, KEY("tools_same"), (int64_t)figures->tools.same);
  inf_json_key(out, KEY("finish_reasons"));
  inf_json_open(out, '{');
  for (size_t i = 0; i < figures->finish_count; i++) {
    inf_json_member_int(out, inf_sv_from(figures->finishes[i].reason),
                        (int64_t)figures->finishes[i].count);
  }
  inf_json_close(out, '}');
  inf_json_close(out, '}');
}

static void
put_figures(inf_buf *out, const inf_cmp_figures *figures)
{
  static const char *const names[INF_CMP_PS] = {"p50", "p95", "p99"};
  inf_json_key(out, KEY("summary"));
  inf_json_open(out, '{');
  inf_json_member_int(out, KEY("calls"), (int64_t)figures->calls);
  inf_json_member_int(out, KEY("answered"), (int64_t)figures->answered);
  inf_json_member_int(out, KEY("stopped"), (int64_t)figures->stopped);
  inf_json_member_int(out, KEY("refused"), (int64_t)figures->refused);
  inf_json_member_int(out, KEY("waited"), (int64_t)figures->waited);
  inf_json_key(out, KEY("ttft_ms"));
  inf_json_open(out, '{');
  for (size_t i = 0; i < INF_CMP_PS; i++) {
    put_interval(out, inf_sv_from(names[i]), &figures->ttft_ms[i]);
  }
  inf_json_close(out, '}');
  inf_json_key(out, KEY("total_ms"));
  inf_json_open(out, '{');
  for (size_t i = 0; i < INF_CMP_PS; i++) {
    put_interval(out, inf_sv_from(names[i]), &figures->total_ms[i]);
  }
  inf_json_close(out, '}');
  put_interval(out, KEY("tokens_per_s_stream"), &figures->speed);
  put_number(out, KEY("tokens_per_s"),
             figures->throughput_is_calls ? NAN : figures->throughput);
  put_interval(out, KEY("failure_share"), &figures->failures);
  put_classes(out, figures);
  put_interval(out, KEY("usd_per_1000_calls"), &figures->usd_per_1000_calls);
  put_number(out, KEY("usd_per_million_tokens"),
             figures->usd_per_million_tokens);
  inf_json_member_int(out, KEY("priced_calls"), (int64_t)figures->priced);
  inf_json_member_int(out, KEY("estimated_costs"),
                      (int64_t)figures->cost_estimated);
  put_answers(out, figures);
  inf_json_close(out, '}');
}

static void
put_steps(inf_buf *out, const inf_cmp_summary *summary, size_t subject)
{
  const inf_cmp_data *data = summary->data;
  inf_json_key(out, KEY("levels"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < data->step_count; i++) {
    const inf_cmp_step *step = &data->steps[i];
    if (step->subject != subject) {
      continue;
    }
    inf_json_open(out, '{');
    inf_json_member_int(out, KEY("concurrency"), step->concurrency);
    inf_json_member_int(out, KEY("requests"), step->requests);
    inf_json_member_int(out, KEY("answered"), step->ok);
    inf_json_member_int(out, KEY("refused"), step->refused);
    inf_json_member_int(out, KEY("waited"), step->waited);
    inf_json_member_int(out, KEY("output_tokens"), step->output_tokens);
    put_number(out, KEY("tokens_per_s"), inf_cmp_step_tokens_per_s(step));
    put_interval(out, KEY("ttft_p95_ms"), &summary->steps[i].ttft_p95);
    put_interval(out, KEY("total_p95_ms"), &summary->steps[i].total_p95);
    put_text(out, KEY("then"), inf_cmp_stop_text(step->stop));
    inf_json_close(out, '}');
  }
  inf_json_close(out, ']');
}

static void
put_limits(inf_buf *out, const inf_cmp_subject *entry)
{
  inf_json_key(out, KEY("limits"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < entry->limit_count; i++) {
    const inf_cmp_limit *limit = &entry->limits[i];
    inf_json_open(out, '{');
    put_text(out, KEY("unit"), limit->unit);
    inf_json_member_int(out, KEY("period_s"), limit->period_s);
    inf_json_member_int(out, KEY("limit"), limit->units);
    put_text(out, KEY("source"), limit->told ? "provider" : "configuration");
    inf_json_close(out, '}');
  }
  inf_json_close(out, ']');
}

static void
put_subject(inf_buf *out, const inf_cmp_summary *summary, size_t subject)
{
  const inf_cmp_data *data = summary->data;
  const inf_cmp_subject *entry = &data->subjects[subject];
  inf_json_open(out, '{');
  put_text(out, KEY("target"), entry->name);
  put_text(out, KEY("kind"), entry->is_route ? "route" : "target");
  inf_json_member_bool(out, KEY("generated"), entry->generated);
  if (entry->left_out[0]) {
    put_text(out, KEY("left_out"), entry->left_out);
  }
  put_limits(out, entry);
  put_figures(out, &summary->figures[subject]);
  put_steps(out, summary, subject);
  inf_json_key(out, KEY("samples"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < data->sample_count; i++) {
    if (data->samples[i].subject == subject) {
      put_sample(out, data, &data->samples[i]);
    }
  }
  inf_json_close(out, ']');
  inf_json_close(out, '}');
}

/* ---- The document -------------------------------------------------------- */

static void
put_verdicts(inf_buf *out, const inf_cmp_summary *summary)
{
  static const char *const names[INF_CMP_VERDICTS] = {
      "ttft_p50", "ttft_p95", "total_p50", "total_p95", "cost", "failures"};
  inf_json_key(out, KEY("winners"));
  inf_json_open(out, '{');
  for (int by = 0; by < INF_CMP_VERDICTS; by++) {
    const inf_cmp_verdict *verdict = &summary->verdicts[by];
    inf_json_key(out, inf_sv_from(names[by]));
    if (verdict->won) {
      inf_json_put_string(
          out, inf_sv_from(summary->data->subjects[verdict->best].name));
    } else {
      inf_json_put_null(out);
    }
  }
  inf_json_close(out, '}');
}

void
inf_cmp_report_json(const inf_cmp_summary *summary, inf_buf *out)
{
  const inf_cmp_data *data = summary->data;
  inf_json_open(out, '{');
  inf_json_member_int(out, KEY("version"), 1);
  inf_json_member_int(out, KEY("started"), data->started);
  put_number(out, KEY("took_ms"), data->took_ms);
  inf_json_member_int(out, KEY("seed"), (int64_t)data->seed);
  put_text(out, KEY("prompts"), data->prompt_source);
  inf_json_member_int(out, KEY("prompt_count"), (int64_t)data->prompt_count);
  inf_json_member_int(out, KEY("requests"), data->requests);
  inf_json_member_int(out, KEY("concurrency"), data->base_concurrency);
  inf_json_member_int(out, KEY("warm_up"), data->warm_up);
  put_number(out, KEY("timeout_ms"), data->timeout_ms);
  inf_json_member_bool(out, KEY("interrupted"), data->interrupted);
  inf_json_member_bool(out, KEY("budget_reached"), data->budget_reached);
  inf_json_member_int(out, KEY("spent_nano_usd"), data->spent_nano_usd);
  inf_json_member_bool(out, KEY("spent_is_all"), !data->spent_incomplete);
  put_verdicts(out, summary);
  inf_json_key(out, KEY("targets"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < data->subject_count; i++) {
    put_subject(out, summary, i);
  }
  inf_json_close(out, ']');
  inf_json_close(out, '}');
  inf_buf_append_char(out, '\n');
}
