/* SPDX-License-Identifier: MIT */
/* Calls and attempts as spans; see otlp_spans.h.
 *
 * Attributes that the conventions have (gen_ai.*, http.*, server.*, error.type)
 * are theirs; all others begin with libinfer. There is no url.full, though the
 * conventions want one for HTTP: some providers take the key in it. */
#include "telemetry/otlp_spans.h"

#include "base/error.h"
#include "telemetry/aggregate.h"
#include "telemetry/genai.h"
#include "wire/json_write.h"

enum { kind_client = 3, status_error = 2 }; /* of the protocol */
/* A span's name takes so much of a model's. */
enum { name_max_bytes = 256 };

/* ---- What they have in common -------------------------------------------- */

static void
open_span(inf_buf *out, const inf_trace *trace, uint64_t span, uint64_t parent,
          const char *name, const char *model, const inf_span_base *base)
{
  inf_json_open(out, '{');
  inf_otlp_member_id(out, "traceId", trace->id, 2);
  inf_otlp_member_id(out, "spanId", &span, 1);
  if (parent != 0)
    inf_otlp_member_id(out, "parentSpanId", &parent, 1);
  inf_json_key(out, INF_SV("name"));
  inf_buf_append_char(out, '"');
  inf_buf_append_cstr(out, name);
  if (model[0])
    inf_buf_append_char(out, ' ');
  inf_json_escape(out, inf_sv_of(model, strnlen(model, name_max_bytes)));
  inf_buf_append_char(out, '"');
  inf_json_member_int(out, INF_SV("kind"), kind_client);
  inf_otlp_member_int64(out, "startTimeUnixNano", base->start_unix_ns);
  inf_otlp_member_int64(out, "endTimeUnixNano", base->end_unix_ns);
  inf_otlp_attributes_open(out);
}

/* The message is ours: a provider's may quote the prompt. */
static void
close_span(inf_buf *out, int32_t status, bool failed)
{
  inf_otlp_attributes_close(out);
  if (failed) {
    inf_json_key(out, INF_SV("status"));
    inf_json_open(out, '{');
    inf_json_member_int(out, INF_SV("code"), status_error);
    inf_json_member_string(out, INF_SV("message"),
                           inf_sv_from(inf_status_find(status)->text));
    inf_json_close(out, '}');
  }
  inf_json_close(out, '}');
}

static void
put_error(inf_buf *out, const char *key, int32_t status)
{
  char type[32];
  inf_otlp_put_text(
      out, key, inf_telemetry_error_type(inf_telemetry_class(status), type));
}

/* "http://[::1]:8000/v1": ::1 and 8000. */
static void
put_server(inf_buf *out, const char *base_url)
{
  const char *begin = strstr(base_url, "://");
  if (!begin)
    return;
  begin += 3;
  const char *end, *colon;
  if (begin[0] == '[') {
    begin++;
    end = begin + strcspn(begin, "]");
    colon = end + (*end == ']');
  } else {
    end = begin + strcspn(begin, ":/");
    colon = end;
  }
  int64_t port = strncmp(base_url, "https:", 6) == 0 ? 443 : 80;
  if (*colon == ':')
    for (port = 0, colon++; *colon >= '0' && *colon <= '9'; colon++)
      port = port < 65536 ? port * 10 + (*colon - '0') : port;
  inf_otlp_put_string(out, "server.address",
                      inf_sv_of(begin, (size_t)(end - begin)));
  inf_otlp_put_int(out, "server.port", port);
}

static void
put_tokens(inf_buf *out, const inf_otlp_names *names,
           const inf_span_tokens *tokens)
{
  const struct {
    const char *key;
    int64_t count;
  } all[] = {
      {"gen_ai.usage.input_tokens", tokens->input},
      {"gen_ai.usage.output_tokens", tokens->output},
      {"gen_ai.usage.cache_read.input_tokens", tokens->cached},
      {names->cache_write, tokens->cache_write},
      {"gen_ai.usage.reasoning.output_tokens", tokens->reasoning},
  };
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (all[i].count >= 0)
      inf_otlp_put_int(out, all[i].key, all[i].count);
}

static void
put_cost(inf_buf *out, const inf_span_cost *cost)
{
  if (cost->nano_usd < 0)
    return;
  inf_otlp_put_int(out, "libinfer.cost.nano_usd", cost->nano_usd);
  inf_otlp_put_bool(out, "libinfer.cost.estimated", cost->estimated);
}

/* ---- Calls --------------------------------------------------------------- */

static void
put_finish_reasons(inf_buf *out, const inf_call_span *call)
{
  if (call->choice_count == 0)
    return;
  inf_otlp_array_open(out, "gen_ai.response.finish_reasons");
  for (size_t i = 0; i < call->choice_count; i++)
    inf_otlp_array_string(out, call->finish_reason(call->context, i));
  inf_otlp_array_close(out);
}

static void
put_tags(inf_buf *out, const inf_call_span *call)
{
  enum { key_max_bytes = 512 };
  for (size_t i = 0; i < call->tag_count; i++) {
    const char *name, *value = call->tag(call->context, i, &name);
    inf_buf key;
    inf_buf_init(&key, key_max_bytes);
    inf_buf_appendf(&key, "libinfer.tag.%s", name);
    if (key.status == INFER_OK)
      inf_otlp_put_text(out, inf_buf_cstr(&key), value);
    inf_buf_fini(&key);
  }
}

void
inf_otlp_call_span(inf_buf *out, const inf_trace *trace,
                   const inf_otlp_names *names, const inf_call_span *call)
{
  const inf_span_base *base = &call->base;
  bool failed = base->status != INFER_OK;
  const char *operation = inf_genai_operation(call->embeds);
  open_span(out, trace, trace->span, trace->parent, operation, call->model,
            base);
  inf_otlp_put_text(out, "gen_ai.operation.name", operation);
  inf_otlp_put_text(out, "gen_ai.provider.name",
                    inf_genai_provider(call->kind));
  inf_otlp_put_text(out, "gen_ai.request.model", call->model);
  if (!call->embeds)
    inf_otlp_put_bool(out, "gen_ai.request.stream", call->stream);
  if (call->choices > 1)
    inf_otlp_put_int(out, "gen_ai.request.choice.count", call->choices);
  if (call->dimensions > 0)
    inf_otlp_put_int(out, "gen_ai.embeddings.dimension.count",
                     (int64_t)call->dimensions);
  put_server(out, base->base_url);
  if (failed)
    put_error(out, "error.type", base->status);
  inf_otlp_put_string(out, "gen_ai.response.id", call->response_id);
  inf_otlp_put_string(out, "gen_ai.response.model", call->response_model);
  put_finish_reasons(out, call);
  if (call->first_ns > 0)
    inf_otlp_put_double(out, "gen_ai.response.time_to_first_chunk",
                        (double)call->first_ns / 1e9);
  put_tokens(out, names, &base->tokens);
  inf_otlp_put_text(out, "libinfer.provider", base->provider);
  inf_otlp_put_text(out, "libinfer.target", base->target);
  inf_otlp_put_text(out, "libinfer.route", call->route);
  inf_otlp_put_text(out, "libinfer.tenant", call->tenant);
  inf_otlp_put_int(out, "libinfer.attempts", (int64_t)call->attempts);
  put_cost(out, &base->cost);
  if (call->wasted_nano_usd >= 0)
    inf_otlp_put_int(out, "libinfer.wasted_cost.nano_usd",
                     call->wasted_nano_usd);
  put_tags(out, call);
  close_span(out, base->status, failed);
}

/* ---- Attempts ------------------------------------------------------------ */

static void
put_phases(inf_buf *out, const inf_attempt_span *attempt)
{
  static const char *const keys[INFER_PHASE_COUNT] = {
      [INFER_PHASE_LOOKUP] = "libinfer.phase.lookup",
      [INFER_PHASE_CONNECT] = "libinfer.phase.connect",
      [INFER_PHASE_TLS] = "libinfer.phase.tls",
      [INFER_PHASE_SENT] = "libinfer.phase.sent",
      [INFER_PHASE_HEADERS] = "libinfer.phase.headers",
      [INFER_PHASE_FIRST_BYTE] = "libinfer.phase.first_byte",
      [INFER_PHASE_FIRST_CONTENT] = "libinfer.phase.first_content",
      [INFER_PHASE_FIRST_ANSWER] = "libinfer.phase.first_answer",
      [INFER_PHASE_LAST_CONTENT] = "libinfer.phase.last_content",
  };
  for (int32_t phase = 0; phase < INFER_PHASE_COUNT; phase++)
    if (keys[phase] && attempt->phase_ns[phase] >= 0)
      inf_otlp_put_double(out, keys[phase],
                          (double)attempt->phase_ns[phase] / 1e9);
}

void
inf_otlp_attempt_span(inf_buf *out, const inf_trace *trace,
                      const inf_otlp_names *names,
                      const inf_attempt_span *attempt)
{
  const inf_span_base *base = &attempt->base;
  bool failed = base->status != INFER_OK && !attempt->ended_by_us;
  open_span(out, trace, attempt->span, trace->span, "POST", "", base);
  inf_otlp_put_text(out, "http.request.method", "POST");
  put_server(out, base->base_url);
  if (attempt->http_status > 0)
    inf_otlp_put_int(out, "http.response.status_code", attempt->http_status);
  if (attempt->resend > 0)
    inf_otlp_put_int(out, "http.request.resend_count",
                     (int64_t)attempt->resend);
  if (failed)
    put_error(out, "error.type", base->status);
  if (attempt->ended_by_us)
    put_error(out, "libinfer.ended_by", base->status);
  inf_otlp_put_text(out, "libinfer.provider", base->provider);
  inf_otlp_put_text(out, "libinfer.target", base->target);
  inf_otlp_put_text(out, "libinfer.attempt.reason", attempt->reason);
  inf_otlp_put_bool(out, "libinfer.attempt.won", attempt->won);
  inf_otlp_put_bool(out, "libinfer.connection.reused",
                    attempt->reused_connection);
  if (attempt->waited_ns > 0)
    inf_otlp_put_double(out, "libinfer.limiter.wait",
                        (double)attempt->waited_ns / 1e9);
  put_phases(out, attempt);
  put_tokens(out, names, &base->tokens);
  put_cost(out, &base->cost);
  close_span(out, base->status, failed);
}
