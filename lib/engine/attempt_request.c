/* SPDX-License-Identifier: MIT */
/* What goes into an attempt; see attempt_request.h. */
#include "engine/attempt_request.h"

#include "engine/carry.h"
#include "engine/engine.h"
#include "engine/fit.h"
#include "engine/overrides.h"
#include "engine/tracing.h"

/* A line of the log names no more members than this. */
#define DROPPED_MAX_BYTES ((size_t)1 << 10)

/* The text that the attempt goes on from, "" where it does not. */
static inf_sv
beginning(const struct infer_call *call)
{
  const inf_choice *choice =
      call->carry ? inf_answer_choice(&call->carry->answer, 0) : NULL;
  return choice ? inf_buf_sv(&choice->text) : INF_SV("");
}

void
inf_attempt_prepare_decoder(inf_attempt *attempt)
{
  const struct infer_call *call = attempt->call;
  const inf_client_options *client = &call->trail->config->client;
  inf_decoder_options options = {
      .kind = attempt->record->provider->kind,
      .stream = attempt->stream,
      .choices = call->choices,
      .prompt_bytes = call->request->chat.messages.len + beginning(call).len,
      .max_body_bytes = (size_t)client->max_response_bytes,
      .max_event_bytes = (size_t)client->max_event_bytes,
      .max_depth = (unsigned)client->max_json_depth,
  };
  if (attempt->decoder_made)
    inf_decoder_reuse(&attempt->decoder, &options, &attempt->answer);
  else
    inf_decoder_init(&attempt->decoder, &options, &attempt->answer);
  attempt->decoder_made = attempt->has_decoder = true;
}

static bool
has_name(inf_sv line, inf_sv name)
{
  return line.len > name.len && line.ptr[name.len] == ':' &&
         inf_sv_eq_nocase(inf_sv_of(line.ptr, name.len), name);
}

/* The request's lines, without its traceparent, and without tracestate unless
 * that goes on. */
static void
append_untraced(inf_sv lines, bool state, inf_buf *out)
{
  while (lines.len > 0) {
    size_t len = inf_sv_find(lines, '\0') + 1;
    inf_sv line = inf_sv_of(lines.ptr, len < lines.len ? len : lines.len);
    if (!has_name(line, INF_SV("traceparent")) &&
        (state || !has_name(line, INF_SV("tracestate"))))
      inf_buf_append_sv(out, line);
    lines = inf_sv_of(lines.ptr + line.len, lines.len - line.len);
  }
}

/* The account's header lines and the request's, and the place in a trace.
 * Mostly all but one are missing: else they are joined. */
static inf_sv
headers_of(inf_attempt *attempt, const inf_provider_config *provider,
           inf_buf *joined)
{
  const struct infer_call *call = attempt->call;
  inf_sv account = inf_buf_sv(&provider->headers);
  inf_sv own = inf_buf_sv(&call->request->headers);
  char traceparent[INF_TRACEPARENT_LEN + 1];
  bool traced = inf_tracing_begin(attempt, traceparent);
  bool as_they_are = provider->traceparent ? !traced : own.len == 0;
  if (as_they_are && (account.len == 0 || own.len == 0))
    return account.len == 0 ? own : account;
  inf_buf_append_sv(joined, account);
  if (as_they_are)
    inf_buf_append_sv(joined, own);
  else
    append_untraced(own, provider->traceparent && call->trace.parent != 0,
                    joined);
  if (traced && provider->traceparent) {
    inf_buf_append_cstr(joined, "traceparent: ");
    inf_buf_append(joined, traceparent, sizeof traceparent);
  }
  return inf_buf_sv(joined);
}

static int32_t
write_as(const inf_dialect *dialect, inf_call_kind kind, const inf_send *send,
         inf_wire_request *wire, inf_buf *why)
{
  switch (kind) {
  case INF_CALL_MODELS:
    return dialect->write_models(send, wire);
  case INF_CALL_EMBED:
    return dialect->write_embed(send, wire, why);
  default:
    return dialect->write_chat(send, wire, why);
  }
}

/* Our wall clock, as far as is known corrected to that of providers. */
static int64_t
provider_time(const inf_attempt *attempt)
{
  const inf_clock *clock = attempt->engine->clock;
  return inf_skew_time(&attempt->engine->skew, clock->wall_ns(clock->context));
}

/* The request as this target gets it, in out. */
static int32_t
adapt(const inf_attempt *attempt, inf_chat *out,
      const inf_target_config *target, inf_buf *why)
{
  inf_buf notes;
  inf_buf_init(&notes, 512);
  int32_t status =
      inf_overrides_apply(out, &attempt->call->request->chat, target);
  if (status == INFER_OK)
    status = inf_fit_apply(out, target, &notes, why);
  if (notes.len > 0)
    inf_logf(&attempt->engine->hooks->log, INFER_LOG_INFO, "%s: %s",
             target->name, inf_buf_cstr(&notes));
  inf_buf_fini(&notes);
  return status;
}

int32_t
inf_attempt_write_request(inf_attempt *attempt, const inf_target_config *target,
                          inf_buf *why)
{
  const struct infer_call *call = attempt->call;
  const inf_provider_config *provider = target->provider;
  inf_buf headers;
  inf_buf_init(&headers, INF_REQUEST_MAX_HEADER_BYTES * 2);
  inf_send send = {
      .kind = provider->kind,
      .base_url = inf_sv_from(provider->base_url),
      .query = inf_buf_sv(&provider->query),
      .auth_scheme = inf_sv_from(provider->auth_scheme),
      .region = inf_sv_from(provider->region),
      .headers = headers_of(attempt, provider, &headers),
      .body_members = inf_buf_sv(&provider->body),
      .model = inf_sv_from(target->model),
      .chat = &call->request->chat,
      .stream = attempt->stream,
      .partial = beginning(call),
      .partial_tokens = call->carry ? call->carry->tokens : 0,
      .prefill = (inf_prefill)target->prefill,
      .page = call->pages ? inf_buf_sv(&call->pages->asked) : INF_SV(""),
  };
  if (attempt->key < provider->key_count) {
    const inf_key *key = &provider->keys[attempt->key];
    send.key = attempt->token.len > 0 ? inf_buf_sv(&attempt->token)
                                      : inf_sv_of(key->secret, key->secret_len);
    send.organization = inf_sv_from(key->organization);
    send.project = inf_sv_from(key->project);
  }
  const inf_dialect *dialect = provider->kind->dialect;
  inf_chat own;
  inf_buf dropped;
  inf_chat_init(&own);
  inf_buf_init(&dropped, DROPPED_MAX_BYTES);
  if (inf_log_enabled(&attempt->engine->hooks->log, INFER_LOG_INFO))
    send.dropped = &dropped;
  int32_t status = headers.status;
  if (status == INFER_OK && call->kind == INF_CALL_CHAT &&
      (inf_overrides_any(target) || inf_fit_needed(send.chat, target))) {
    status = adapt(attempt, &own, target, why);
    send.chat = &own;
  } else if (status == INFER_OK && call->kind == INF_CALL_EMBED &&
             inf_overrides_any_embed(target)) {
    status = inf_overrides_apply_embed(&own, send.chat, target);
    send.chat = &own;
  }
  if (status == INFER_OK)
    status = write_as(dialect, call->kind, &send, &attempt->wire, why);
  if (status == INFER_OK && dialect->sign)
    status = dialect->sign(&send, &attempt->wire, provider_time(attempt), why);
  if (dropped.len > 0)
    inf_logf(&attempt->engine->hooks->log, INFER_LOG_INFO, "%s: no %s",
             target->name, inf_buf_cstr(&dropped));
  inf_buf_fini(&dropped);
  inf_chat_fini(&own);
  inf_buf_fini_secret(&headers);
  return status;
}
