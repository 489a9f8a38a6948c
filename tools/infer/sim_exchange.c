/* SPDX-License-Identifier: MIT */
/* From a whole request to its answer, its line in the log and its line in the
 * invoice. */

#include "sim_exchange.h"

#include "sim_control.h"
#include "sim_embed.h"
#include "sim_match.h"
#include "sim_reply.h"

#include "base/clock.h"
#include "base/mem.h"
#include "wire/json_scan.h"

#define LOGGED_JSON_DEPTH 512

static char *
copy_text(inf_sv text)
{
  char *copy = inf_sim_alloc(text.len + 1);
  if (text.len > 0) {
    memcpy(copy, text.ptr, text.len);
  }
  return copy;
}

static inf_sv
path_of(const inf_sim_http *http)
{
  inf_sv target = inf_buf_sv(&http->target);
  return inf_sv_of(target.ptr, inf_sv_find(target, '?'));
}

static int
kind_of(const inf_sim_http *http)
{
  inf_sv path = path_of(http);
  inf_sv method = inf_buf_sv(&http->method);
  if (inf_sv_ends_with(path, INF_SV("/chat/completions"))) {
    return inf_sv_eq(method, INF_SV("POST")) ? INF_SIM_CHAT
                                             : INF_SIM_NO_SUCH_METHOD;
  }
  if (inf_sv_ends_with(path, INF_SV("/embeddings"))) {
    return inf_sv_eq(method, INF_SV("POST")) ? INF_SIM_EMBED
                                             : INF_SIM_NO_SUCH_METHOD;
  }
  if (inf_sv_ends_with(path, INF_SV("/models"))) {
    return inf_sv_eq(method, INF_SV("GET")) ? INF_SIM_MODELS
                                            : INF_SIM_NO_SUCH_METHOD;
  }
  return INF_SIM_NO_SUCH_PATH;
}

/* The headers go to the log without being copied: the parser gets the empty
 * ones of the new entry. */
static void
swap_headers(inf_headers *a, inf_headers *b)
{
  inf_headers kept = *a;
  *a = *b;
  *b = kept;
}

static inf_sim_entry *
log_request(inf_sim_conn *conn, const inf_sim_call *call, uint64_t now_ns)
{
  inf_sim_entry *entry = inf_sim_log_add(&conn->server->log);
  inf_sim_http *http = &conn->http;
  entry->number = call->number;
  entry->received_ns = now_ns;
  entry->connection = conn->number;
  entry->reuse = conn->requests;
  entry->tls = conn->ssl != NULL;
  entry->method = copy_text(inf_buf_sv(&http->method));
  entry->path = copy_text(inf_buf_sv(&http->target));
  entry->model = copy_text(inf_buf_sv(&call->request.model));
  entry->chat = call->kind == INF_SIM_CHAT;
  entry->stream = call->request.stream;
  swap_headers(&entry->headers, &http->headers);
  inf_sv body = inf_buf_sv(&http->body);
  entry->body_is_json =
      call->kind == INF_SIM_CHAT && !call->request_error
          ? true
          : inf_json_parse(body, LOGGED_JSON_DEPTH, &body, NULL);
  entry->body = inf_buf_take(&http->body, &entry->body_len);
  inf_sim_ledger_request(&conn->server->ledger, entry);
  return entry;
}

/* Is a model asked something? */
static bool
is_asked(const inf_sim_call *call)
{
  return call->kind == INF_SIM_CHAT || call->kind == INF_SIM_EMBED;
}

static inf_sim_rule *
find_rule(inf_sim_conn *conn, const inf_sim_call *call, uint64_t now_ns)
{
  inf_sim_server *server = conn->server;
  inf_sim_facts facts = {
      .model = inf_buf_sv(&call->request.model),
      .path = path_of(&conn->http),
      .key = call->key,
      .headers = &conn->entry->headers,
      .chat = is_asked(call),
      .stream = call->request.stream,
      .prefill = call->request.prefilled,
      .reused = conn->requests > 0,
      .since_ns = now_ns - server->script_start_ns,
  };
  return inf_sim_match(server->script, &facts, &server->rng);
}

static const inf_sim_behaviour *
choose_behaviour(inf_sim_conn *conn, const inf_sim_call *call, uint64_t now_ns)
{
  inf_sim_script *script = conn->server->script;
  inf_sim_rule *rule = find_rule(conn, call, now_ns);
  if (!rule) {
    return is_asked(call) ? &script->defaults : &script->plain;
  }
  inf_sim_entry *entry = conn->entry;
  entry->rule = rule - script->rules;
  if (rule->name.set) {
    entry->rule_name.set = true;
    entry->rule_name.sv =
        inf_sv_of(copy_text(rule->name.sv), rule->name.sv.len);
  }
  return &rule->behaviour;
}

static void
count_stream(inf_sim_stats *stats)
{
  stats->open_streams++;
  if (stats->open_streams > stats->peak_open_streams) {
    stats->peak_open_streams = stats->open_streams;
  }
}

static void
read_call(inf_sim_conn *conn, inf_sim_call *call, uint64_t now_ns)
{
  inf_sim_server *server = conn->server;
  const inf_sim_http *http = &conn->http;
  inf_sv accept = {0};
  *call = (inf_sim_call){
      .kind = kind_of(http),
      .script = server->script,
      .number = ++server->next_request,
      .now_ns = now_ns,
      .seed =
          server->script->seed.set ? server->script->seed.value : server->seed,
      .http_1_0 = http->http_1_0,
      .keep_alive = http->keep_alive,
  };
  inf_headers_get(&http->headers, INF_SV("accept-encoding"), &accept);
  call->accepts_gzip = inf_sim_http_lists(accept, INF_SV("gzip"));
  inf_sim_request_init(&call->request);
  if (call->kind == INF_SIM_CHAT) {
    call->request_error =
        inf_sim_request_read(&call->request, inf_buf_sv(&http->body));
  }
  if (call->kind == INF_SIM_EMBED) {
    call->request_error =
        inf_sim_embed_read(&call->request, inf_buf_sv(&http->body));
  }
}

static void
begin_answer(inf_sim_conn *conn, uint64_t now_ns)
{
  inf_sim_call call;
  read_call(conn, &call, now_ns);
  conn->entry = log_request(conn, &call, now_ns);
  call.key = inf_sim_key_of(&conn->entry->headers);
  call.behaviour = choose_behaviour(conn, &call, now_ns);
  inf_sim_answer_init(&conn->answer, &call);
  conn->has_answer = true;
  conn->close_after = conn->answer.close_after;
  conn->idle_ns = call.behaviour->keepalive_idle_ms.set
                      ? call.behaviour->keepalive_idle_ms.value * INF_NS_PER_MS
                      : INF_NEVER;
  if (conn->answer.silent) {
    conn->entry->end = INF_SIM_END_SILENT;
  }
  if (conn->answer.streaming) {
    count_stream(&conn->server->stats);
  }
  conn->server->stats.requests++;
}

void
inf_sim_exchange_begin(inf_sim_conn *conn, uint64_t now_ns)
{
  conn->exchange_bytes = 0;
  conn->step = (inf_sim_step){INF_SIM_MORE, 0};
  if (inf_sim_is_control(inf_buf_sv(&conn->http.target))) {
    conn->close_after = !conn->http.keep_alive;
    conn->idle_ns = INF_NEVER;
    inf_sim_control(conn->server, &conn->http, conn->close_after, &conn->out);
    conn->step.action = INF_SIM_DONE;
  } else {
    begin_answer(conn, now_ns);
  }
  conn->requests++;
}

/* What could be read of a malformed request. */
static void
log_refused(inf_sim_conn *conn, uint64_t now_ns)
{
  inf_sim_call call = {.kind = INF_SIM_NO_SUCH_PATH};
  inf_sim_request_init(&call.request);
  call.number = ++conn->server->next_request;
  inf_sim_entry *entry = log_request(conn, &call, now_ns);
  entry->status = conn->http.error_status;
  entry->end = INF_SIM_END_COMPLETE;
  entry->head_sent_ns = entry->ended_ns = now_ns;
  inf_sim_ledger_end(&conn->server->ledger, entry);
  inf_sim_log_finish(entry);
  conn->server->stats.requests++;
}

void
inf_sim_exchange_refuse(inf_sim_conn *conn, uint64_t now_ns)
{
  log_refused(conn, now_ns);
  inf_buf body;
  inf_buf_init(&body, INF_SIM_BUF_MAX);
  inf_sim_put_error(&body, inf_sv_from(conn->http.error),
                    "invalid_request_error", NULL, NULL);
  inf_sim_put_head(&conn->out,
                   &(inf_sim_head){.status = conn->http.error_status,
                                   .content_type = INF_SV("application/json"),
                                   .length = body.len,
                                   .close = true});
  inf_buf_append_sv(&conn->out, inf_buf_sv(&body));
  inf_buf_fini(&body);
  conn->close_after = true;
  conn->step.action = INF_SIM_DONE;
}

void
inf_sim_exchange_run(inf_sim_conn *conn, uint64_t now_ns)
{
  inf_sim_answer *answer = &conn->answer;
  inf_sim_entry *entry = conn->entry;
  conn->step =
      inf_sim_answer_run(answer, now_ns, &conn->server->scratch, &conn->out);
  entry->status = answer->head_sent ? answer->status : 0;
  entry->head_sent_ns = answer->head_sent_ns;
  entry->first_token_ns = answer->first_token_ns;
  entry->tokens = inf_sim_answer_tokens(answer, now_ns);
}

/* Whether the client can know what it is charged. */
static bool
has_told_usage(const inf_sim_answer *answer, int end)
{
  return answer->streaming
             ? answer->usage_sent && end != INF_SIM_END_CLIENT_CLOSED
             : answer->behaviour->usage_chunk != INF_SIM_USAGE_NEVER &&
                   end == INF_SIM_END_COMPLETE;
}

static void
charge(inf_sim_conn *conn, int end, uint64_t now_ns)
{
  const inf_sim_answer *answer = &conn->answer;
  const inf_sim_content *content = &answer->content;
  inf_sim_charge *bill = &conn->entry->charge;
  if (!answer->completion || answer->silent || answer->reset_first) {
    return;
  }
  uint64_t made = inf_sim_answer_tokens(answer, now_ns);
  bool full = made >= content->completion_tokens ||
              (end == INF_SIM_END_CLIENT_CLOSED &&
               answer->behaviour->cancel_billing == INF_SIM_CANCEL_FULL);
  if (full || made > content->billed_tokens) {
    made = content->billed_tokens;
  }
  *bill = (inf_sim_charge){.charged = true,
                           .usage_sent = has_told_usage(answer, end),
                           .prompt_tokens = content->prompt_tokens,
                           .cached_tokens = content->cached_tokens,
                           .completion_tokens = made,
                           .reasoning_tokens = made < content->reasoning_tokens
                                                   ? made
                                                   : content->reasoning_tokens};
  inf_sim_charge_price(bill, answer->script,
                       inf_buf_sv(&answer->request.model));
}

void
inf_sim_exchange_end(inf_sim_conn *conn, int end, uint64_t now_ns)
{
  if (!conn->has_answer) {
    return;
  }
  inf_sim_entry *entry = conn->entry;
  entry->end = end;
  entry->ended_ns = now_ns;
  entry->bytes_sent = conn->exchange_bytes;
  entry->tokens = inf_sim_answer_tokens(&conn->answer, now_ns);
  charge(conn, end, now_ns);
  if (conn->answer.streaming) {
    conn->server->stats.open_streams--;
  }
  inf_sim_answer_fini(&conn->answer);
  conn->has_answer = false;
  conn->entry = NULL;
  inf_sim_ledger_end(&conn->server->ledger, entry);
  inf_sim_log_finish(entry);
}
