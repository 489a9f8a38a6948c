/* SPDX-License-Identifier: MIT */
/* Attempts' records; see attempt_record.h. */
#include "engine/attempt_record.h"

#include "base/mem.h"
#include "base/text.h"
#include "engine/attempt_cost.h"
#include "engine/observe.h"
#include "engine/race.h"

/* Longest message kept in a record. */
enum { message_max_bytes = 2 << 10 };
/* Longest request id kept. */
enum { request_id_max_bytes = 256 };

static inf_sv
key_of(const inf_attempt *attempt)
{
  const inf_provider_config *provider = attempt->record->provider;
  if (attempt->token.len > 0)
    return inf_buf_sv(&attempt->token);
  if (attempt->key >= provider->key_count)
    return INF_SV("");
  const inf_key *key = &provider->keys[attempt->key];
  return inf_sv_of(key->secret, key->secret_len);
}

/* How much of the key, at least four bytes, stands at the front: all of it, or
 * what a cut at the end of the text left. */
static size_t
key_at(inf_sv text, inf_sv key)
{
  enum { least = 4 };
  size_t len = 0;
  while (len < text.len && len < key.len && text.ptr[len] == key.ptr[len])
    len++;
  bool cut = len == text.len;
  return len >= least && (len == key.len || cut) ? len : 0;
}

/* Stars out the key, should a provider echo it: in place, so that it happens
 * however short memory is. */
static void
redact(inf_buf *text, inf_sv key)
{
  size_t to = 0, at = 0;
  if (key.len == 0)
    return;
  while (at < text->len) {
    size_t left = text->len - at;
    size_t run = inf_sv_find(inf_sv_of(text->ptr + at, left), key.ptr[0]);
    if (to < at)
      memmove(text->ptr + to, text->ptr + at, run);
    to += run;
    at += run;
    size_t len = key_at(inf_sv_of(text->ptr + at, left - run), key);
    if (len > 0) {
      memcpy(text->ptr + to, "***", 3);
      to += 3;
      at += len;
    } else if (at < text->len) {
      text->ptr[to++] = text->ptr[at++];
    }
  }
  inf_buf_truncate(text, to);
}

static void
redact_failure(inf_failure *failure, const inf_dialect *dialect, inf_sv key)
{
  inf_sv parts[INF_SECRET_PARTS_MAX];
  inf_buf *texts[] = {&failure->message, &failure->type, &failure->code,
                      &failure->param, &failure->request_id};
  size_t count = dialect->secret_parts ? dialect->secret_parts(key, parts) : 0;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    redact(texts[i], key);
    for (size_t part = 0; part < count; part++)
      redact(texts[i], parts[part]);
  }
}

void
inf_attempt_note_over(inf_attempt *attempt, const inf_exchange_result *result)
{
  if (!attempt->sent)
    inf_attempt_note_way(attempt->record, &result->times);
  attempt->refused = result->net == INF_NET_REFUSED_STREAM;
  attempt->untouched =
      attempt->refused ||
      (result->net == INF_NET_RESET && !result->response_begun &&
       (result->reused_connection || result->going_away));
  attempt->sent = attempt->sent || result->sent;
}

void
inf_attempt_note_usage(inf_attempt *attempt)
{
  const inf_usage *usage = &attempt->answer.usage;
  int64_t *out = attempt->record->usage;
  out[INFER_USAGE_INPUT] = usage->input;
  out[INFER_USAGE_OUTPUT] = usage->output;
  out[INFER_USAGE_REASONING] = usage->reasoning;
  out[INFER_USAGE_CACHE_READ] = usage->cache_read;
  out[INFER_USAGE_CACHE_WRITE] = usage->cache_write;
  out[INFER_USAGE_TOTAL] = usage->total;
  out[INFER_USAGE_AUDIO_INPUT] = usage->audio_input;
  out[INFER_USAGE_AUDIO_OUTPUT] = usage->audio_output;
}

/* The words as one line; NULL for none, and when memory is short: the record
 * then goes without. */
static char *
line_of(inf_sv words, size_t max_bytes)
{
  size_t len = words.len < max_bytes ? words.len : max_bytes;
  char *line = len > 0 ? inf_strndup(words.ptr, len) : NULL;
  if (line)
    inf_text_clean(line, len);
  return line;
}

void
inf_attempt_log_health(const inf_attempt *attempt, const char *news)
{
  if (news)
    inf_logf(&attempt->engine->hooks->log, INFER_LOG_WARN, "%s: %s",
             attempt->record->target, news);
}

/* The breaker hears of the end. A used connection that broke before any byte of
 * the answer says nothing of the target; the resend, if there is one, goes on
 * with what this attempt was to the breaker. */
static void
end_health(inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  if (attempt->untouched && !attempt->resend) {
    attempt->call->resent = attempt->health;
    attempt->health = (inf_health_attempt){0};
    return;
  }
  if (inf_attempt_jumped(attempt)) {
    inf_health_untimed(&attempt->health);
    status = status == INFER_OK ? INFER_OK : INFER_E_CANCELLED;
  }
  if (inf_attempt_loads(attempt, status))
    inf_attempt_log_health(attempt,
                           inf_health_loading(engine->runtime, &attempt->health,
                                              engine->now_ns, &engine->rng));
  else
    inf_attempt_log_health(
        attempt, inf_health_end(engine->runtime, &attempt->health, status,
                                engine->now_ns, &engine->rng));
}

/* ---- Limits -------------------------------------------------------------- */

/* Where no figures came: four bytes a token, as of English text. */
enum { bytes_per_token = 4 };

static int64_t
written_tokens(const inf_attempt *attempt)
{
  size_t bytes = 0;
  for (size_t i = 0; i < attempt->answer.choice_count; i++)
    bytes += inf_choice_content_bytes(&attempt->answer.choices[i]);
  return (int64_t)((bytes + bytes_per_token - 1) / bytes_per_token);
}

static inf_meter_end
meter_end(const inf_attempt *attempt, int32_t status, bool figures)
{
  bool arrived = attempt->sent || attempt->record->http_status > 0;
  if (!arrived || attempt->refused)
    return INF_METER_UNSENT;
  if (status == INFER_E_RATE_LIMITED)
    return INF_METER_REFUSED;
  return figures && status == INFER_OK ? INF_METER_WHOLE : INF_METER_USED;
}

/* An error costs no tokens that are not told. What was begun, or may have been,
 * costs the prompt as it was reserved. */
static void
settle_limits(inf_attempt *attempt, int32_t status)
{
  inf_engine *engine = attempt->engine;
  const struct infer_call *call = attempt->call;
  const inf_usage *usage = &attempt->answer.usage;
  bool figures = usage->input >= 0 && usage->output >= 0 && !usage->estimated;
  bool error = attempt->record->http_status >= 300 || attempt->untouched;
  if (!attempt->pass.meter)
    return;
  int64_t hint_ns =
      attempt->has_decoder ? attempt->decoder.failure.hint_ns : -1;
  inf_limit_cost used = inf_meter_settle(
      engine->runtime, &attempt->pass, call->targets[attempt->target],
      meter_end(attempt, status, figures),
      figures ? usage->input
      : error ? 0
              : -1,
      figures ? usage->output : written_tokens(attempt), hint_ns,
      engine->now_ns);
  inf_waiting_settle(engine, call, &used);
  inf_waiting_stir(engine);
}

/* ---- The end ------------------------------------------------------------- */

void
inf_attempt_close_record(inf_attempt *attempt, int32_t status,
                         const char *message)
{
  inf_engine *engine = attempt->engine;
  struct infer_attempt *record = attempt->record;
  record->status = status;
  record->won = status == INFER_OK && !attempt->parked;
  end_health(attempt, status);
  if (attempt->watched)
    inf_race_record_end(attempt, status);
  settle_limits(attempt, status);
  inf_attempt_set_phase(attempt, INFER_PHASE_END);
  inf_attempt_note_usage(attempt);
  inf_attempt_settle_cost(attempt);
  inf_sv words = inf_sv_from(message);
  if (attempt->has_decoder) {
    record->skipped_events = (int64_t)attempt->decoder.skipped_events;
    inf_failure *failure = &attempt->decoder.failure;
    redact_failure(failure, record->provider->kind->dialect, key_of(attempt));
    if (!message && status != INFER_OK)
      words = inf_buf_sv(&failure->message);
    record->request_id =
        line_of(inf_buf_sv(&failure->request_id), request_id_max_bytes);
  }
  record->message = line_of(words, message_max_bytes);
  /* The provider's own words stay out of the log: they may quote the prompt. */
  inf_logf(&engine->hooks->log,
           status == INFER_OK ? INFER_LOG_DEBUG : INFER_LOG_INFO,
           "call %llu: %s (%s): %s (HTTP %d)%s%s",
           (unsigned long long)attempt->call->id, record->target,
           inf_reason_name(record->reason), inf_status_find(status)->text,
           (int)record->http_status, message ? ": " : "",
           message && record->message ? record->message : "");
  inf_observe_attempt(attempt);
}
