/* SPDX-License-Identifier: MIT */
/* Traces of calls; see tracing.h. */
#include "engine/tracing.h"

#include "engine/overrides.h"
#include "engine/record.h"
#include "engine/result.h"
#include "engine/runtime_state.h"
#include "provider/embed.h"
#include "telemetry/otlp_spans.h"

/* Spans of one call, together; more are dropped. An attempt takes some 1.5
 * KiB. */
enum { spans_max_bytes = 256 << 10, spans_on_stack = 8 << 10 };

/* ---- The begin ----------------------------------------------------------- */

/* The value of the first header line of that name; empty: there is none. */
static inf_sv
header_of(const inf_buf *lines, inf_sv name)
{
  inf_sv rest = inf_buf_sv(lines);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, '\0');
    inf_sv line = inf_sv_of(rest.ptr, len);
    size_t colon = inf_sv_find(line, ':');
    if (colon < len && inf_sv_eq_nocase(inf_sv_of(line.ptr, colon), name))
      return inf_sv_trim(inf_sv_of(line.ptr + colon + 1, len - colon - 1));
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  return INF_SV("");
}

static void
begin_trace(inf_exporter *exporter, struct infer_call *call)
{
  inf_trace *trace = &call->trace;
  if (trace->span != 0)
    return;
  inf_sv given = header_of(&call->request->headers, INF_SV("traceparent"));
  if (!inf_traceparent_read(given, trace)) {
    trace->id[0] = inf_exporter_id(exporter);
    trace->id[1] = inf_exporter_id(exporter);
    trace->parent = 0;
    trace->flags = INF_TRACE_SAMPLED;
  }
  trace->span = inf_exporter_id(exporter);
}

bool
inf_tracing_begin(inf_attempt *attempt,
                  char traceparent[INF_TRACEPARENT_LEN + 1])
{
  inf_exporter *exporter = attempt->engine->exporter;
  struct infer_call *call = attempt->call;
  if (!exporter || attempt->probe || call->kind == INF_CALL_MODELS)
    return false;
  if (call->part) /* it ends with its whole, at the latest */
    call = call->whole;
  begin_trace(exporter, call);
  attempt->record->span = inf_exporter_id(exporter);
  inf_traceparent_write(&call->trace, attempt->record->span, traceparent);
  return true;
}

/* ---- Attempts ------------------------------------------------------------ */

static inf_span_tokens
tokens_of(const int64_t usage[INFER_USAGE_COUNT])
{
  return (inf_span_tokens){
      .input = usage[INFER_USAGE_INPUT],
      .output = usage[INFER_USAGE_OUTPUT],
      .cached = usage[INFER_USAGE_CACHE_READ],
      .cache_write = usage[INFER_USAGE_CACHE_WRITE],
      .reasoning = usage[INFER_USAGE_REASONING],
  };
}

static inf_span_cost
cost_of(inf_cost cost)
{
  return (inf_span_cost){cost.nano_usd, cost.kind == INFER_COST_ESTIMATED};
}

/* Between the engine's clock and the time of day. */
static int64_t
unix_ns(const inf_engine *engine, int64_t unix_now_ns, uint64_t at_ns)
{
  return unix_now_ns - (int64_t)(engine->now_ns - at_ns);
}

static void
write_attempt(inf_engine *engine, const struct infer_call *call, size_t index,
              int64_t unix_now_ns, const inf_otlp_names *names, inf_buf *out)
{
  const struct infer_attempt *record = call->trail->records[index];
  uint64_t end_ns = record->phase_ns[INFER_PHASE_END];
  inf_attempt_span span = {
      .base =
          {
              .start_unix_ns = unix_ns(engine, unix_now_ns, record->start_ns),
              .end_unix_ns = end_ns > 0 ? unix_ns(engine, unix_now_ns, end_ns)
                                        : unix_now_ns,
              .provider = record->provider->name,
              .target = record->target,
              .base_url = record->provider->base_url,
              .status = record->status,
              .tokens = tokens_of(record->usage),
              .cost = cost_of(inf_record_cost(record)),
          },
      .span =
          record->span != 0 ? record->span : inf_exporter_id(engine->exporter),
      .reason = inf_reason_name(record->reason),
      .http_status = record->http_status,
      .resend = index,
      .won = record->won,
      .reused_connection = record->reused_connection,
      .ended_by_us = inf_tracing_is_ended_by_us(record->status),
      .waited_ns = record->waited_ns,
  };
  for (size_t i = 0; i < INFER_PHASE_COUNT; i++) {
    uint64_t at_ns = record->phase_ns[i];
    span.phase_ns[i] = at_ns > 0 && at_ns >= record->start_ns
                           ? (int64_t)(at_ns - record->start_ns)
                           : -1;
  }
  inf_otlp_attempt_span(out, &call->trace, names, &span);
}

/* ---- The call ------------------------------------------------------------ */

/* What the span's functions look into. */
typedef struct ended_call {
  const struct infer_call *call;
  const inf_answer *answer; /* NULL: there is none */
} ended_call;

static const char *
finish_reason(const void *context, size_t choice)
{
  const ended_call *ended = context;
  return inf_buf_cstr(&ended->answer->choices[choice].finish_reason);
}

static const char *
tag(const void *context, size_t index, const char **name)
{
  const ended_call *ended = context;
  const inf_request_tag *found = &ended->call->request->tags[index];
  *name = found->name;
  return found->value;
}

/* What those attempts cost that wrote nothing of the answer. */
static int64_t
wasted_nano_usd(const inf_trail *trail, const struct infer_response *response)
{
  inf_cost sum = inf_cost_none();
  for (size_t i = 0; i < trail->count; i++)
    if (!inf_response_has_part(response, trail->records[i]))
      sum = inf_cost_add(sum, inf_record_cost(trail->records[i]));
  return sum.nano_usd;
}

/* Of the vectors that came, else as many as were asked for; 0: not known. */
static size_t
dimensions_of(const struct infer_call *call,
              const struct infer_response *response)
{
  if (call->kind != INF_CALL_EMBED)
    return 0;
  if (response)
    return call->vectors->dimensions;
  return inf_embed_dimensions(
      inf_overrides_dimensions(&call->request->chat, call->targets[0]));
}

static void
write_call(inf_engine *engine, const struct infer_call *call,
           const struct infer_attempt *told, const inf_call_facts *facts,
           const struct infer_response *response, int64_t unix_now_ns,
           const inf_otlp_names *names, inf_buf *out)
{
  static const int64_t no_usage[INFER_USAGE_COUNT] = {-1, -1, -1, -1, -1, -1};
  const inf_answer *answer = response ? &response->answer : NULL;
  inf_cost total = inf_trail_cost(call->trail);
  const inf_provider_config *provider =
      told ? told->provider : call->targets[call->next_target]->provider;
  ended_call context = {call, answer};
  inf_call_span span = {
      .base =
          {
              .start_unix_ns = unix_ns(engine, unix_now_ns, call->accepted_ns),
              .end_unix_ns = unix_now_ns,
              .provider = facts->name.provider,
              .target = facts->name.target,
              .base_url = provider->base_url,
              .status = facts->status,
              .tokens = tokens_of(told && told->won ? told->usage : no_usage),
              .cost = cost_of(total),
          },
      .kind = facts->name.kind,
      .embeds = facts->name.embeds,
      .dimensions = dimensions_of(call, response),
      .model = facts->name.model,
      .route = facts->name.route,
      .response_id = answer ? inf_buf_sv(&answer->id) : INF_SV(""),
      .response_model = answer ? inf_buf_sv(&answer->model) : INF_SV(""),
      .first_ns = facts->first_ns,
      .stream = call->wants_events,
      .choices = call->choices,
      .attempts = call->trail->count,
      .wasted_nano_usd = wasted_nano_usd(call->trail, response),
      .tenant = facts->tenant,
      .finish_reason = finish_reason,
      .choice_count = answer ? answer->choice_count : 0,
      .tag = tag,
      .tag_count = call->request->tag_count,
      .context = &context,
  };
  if (facts->name.embeds) { /* of all parts; there is no output */
    span.base.tokens = tokens_of(no_usage);
    span.base.tokens.input = facts->input;
  }
  inf_otlp_call_span(out, &call->trace, names, &span);
}

void
inf_tracing_end(inf_engine *engine, struct infer_call *call,
                const struct infer_attempt *told, const inf_call_facts *facts,
                const struct infer_response *response)
{
  inf_exporter *exporter = engine->exporter;
  char room[spans_on_stack];
  inf_buf out;
  if (!exporter)
    return;
  begin_trace(exporter, call);
  if (!(call->trace.flags & INF_TRACE_SAMPLED))
    return;
  int64_t unix_now_ns = engine->clock->wall_ns(engine->clock->context);
  const inf_otlp_names *names =
      inf_otlp_names_of((inf_semconv)inf_exporter_options(exporter)->semconv);
  inf_buf_init(&out, spans_max_bytes);
  inf_buf_lend(&out, room, sizeof room);
  write_call(engine, call, told, facts, response, unix_now_ns, names, &out);
  for (size_t i = 0; i < call->trail->count; i++)
    write_attempt(engine, call, i, unix_now_ns, names, &out);
  size_t count = 1 + call->trail->count;
  if (out.status == INFER_OK)
    inf_exporter_add(engine, inf_buf_sv(&out), count);
  else
    atomic_fetch_add(&engine->runtime->exported.spans_dropped, count);
  inf_buf_fini(&out);
}
