/* SPDX-License-Identifier: MIT */
#include "support/fake_transport.h"

#include "base/thread.h"
#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

struct inf_exchange {
  inf_list node; /* in net->exchanges */
  fake_net *net;
  fake_request *request; /* NULL past the last record */
  const fake_script *script;
  size_t step; /* the next one */
  const inf_exchange_events *events;
  void *context;
  uint64_t start_ns;
  inf_http_request borrowed;
  inf_endpoint endpoint_then;
  bool sent, response_begun, paused;
  bool dead; /* cancelled within a callback: freed when that is over */
};

static void *
need(void *ptr)
{
  if (!ptr)
    abort();
  return ptr;
}

static char *
copy_text(const char *ptr, size_t len)
{
  char *copy = need(malloc(len + 1));
  if (len > 0)
    memcpy(copy, ptr, len);
  copy[len] = '\0';
  return copy;
}

/* ---- Clock ------------------------------------------------------------------
 */

static uint64_t
clock_now(void *context)
{
  const fake_net *net = context;
  return net->real_time ? inf_clock_now(inf_clock_system()) : net->now_ns;
}

/* 2026-01-01 and the virtual time. */
static int64_t
clock_wall(void *context)
{
  const fake_net *net = context;
  return INT64_C(1767225600) * (int64_t)INF_NS_PER_S + net->wall_shift_ns +
         (int64_t)(clock_now(context) - FAKE_EPOCH_NS);
}

static uint64_t
clock_asleep(void *context)
{
  return ((const fake_net *)context)->asleep_ns;
}

/* ---- Scripts ------------------------------------------------------------- */

fake_script *
fake_script_next(fake_net *net)
{
  assert_true(net->script_count < fake_max_exchanges);
  fake_script *script = need(calloc(1, sizeof *script));
  net->scripts[net->script_count++] = script;
  return script;
}

fake_script *
fake_script_always(fake_net *net)
{
  assert_null(net->always);
  net->always = need(calloc(1, sizeof *net->always));
  return net->always;
}

fake_script *
fake_script_for(fake_net *net, const char *url)
{
  assert_true(net->host_count < fake_max_hosts);
  fake_script *script = need(calloc(1, sizeof *script));
  net->hosts[net->host_count].url = url;
  net->hosts[net->host_count++].script = script;
  return script;
}

static const fake_script *
script_of(const fake_net *net, size_t number, const char *url)
{
  if (number < net->script_count)
    return net->scripts[number];
  for (size_t i = net->host_count; i-- > 0;)
    if (strncmp(url, net->hosts[i].url, strlen(net->hosts[i].url)) == 0)
      return net->hosts[i].script;
  return net->always;
}

static fake_step *
add_step(fake_script *script, fake_step_kind kind, uint64_t at_ms)
{
  assert_true(script->step_count < fake_max_steps);
  fake_step *step = &script->steps[script->step_count++];
  step->kind = kind;
  step->at_ns = at_ms * INF_NS_PER_MS;
  return step;
}

void
fake_sent(fake_script *script, uint64_t at_ms)
{
  add_step(script, FAKE_SENT, at_ms);
}

void
fake_headers(fake_script *script, uint64_t at_ms, int status, const char *lines)
{
  fake_step *step = add_step(script, FAKE_HEADERS, at_ms);
  step->status = status;
  step->text = copy_text(lines, lines ? strlen(lines) : 0);
}

void
fake_body_n(fake_script *script, uint64_t at_ms, const char *ptr, size_t len)
{
  fake_step *step = add_step(script, FAKE_BODY, at_ms);
  step->text = copy_text(ptr, len);
  step->len = len;
}

void
fake_body(fake_script *script, uint64_t at_ms, const char *text)
{
  fake_body_n(script, at_ms, text, strlen(text));
}

void
fake_done(fake_script *script, uint64_t at_ms, inf_net result)
{
  add_step(script, FAKE_DONE, at_ms)->net = result;
}

void
fake_reply(fake_script *script, uint64_t at_ms, int status, const char *lines,
           const char *body)
{
  fake_sent(script, 0);
  fake_headers(script, at_ms, status, lines);
  fake_body(script, at_ms, body);
  fake_done(script, at_ms, INF_NET_OK);
}

void
fake_stream(fake_script *script, uint64_t at_ms)
{
  fake_sent(script, 0);
  fake_headers(script, at_ms, 200, "content-type: text/event-stream");
}

static void
script_free(fake_script *script)
{
  for (size_t i = 0; script && i < script->step_count; i++)
    free(script->steps[i].text);
  free(script);
}

/* ---- Exchanges ----------------------------------------------------------- */

static fake_net *
net_of(inf_transport *transport)
{
  return INF_CONTAINER_OF(transport, fake_net, base);
}

static char *
join_headers(inf_sv headers)
{
  char *text = copy_text(headers.ptr, headers.len);
  for (size_t i = 0; i < headers.len; i++)
    if (text[i] == '\0')
      text[i] = '\n';
  return text;
}

static fake_request *
record(fake_net *net, const inf_http_request *request)
{
  size_t at = net->request_count++;
  if (at >= fake_max_exchanges)
    return NULL;
  net->requests[at] = (fake_request){
      .method = copy_text(request->method, strlen(request->method)),
      .url = copy_text(request->url, strlen(request->url)),
      .headers = join_headers(request->headers),
      .body = copy_text(request->body.ptr, request->body.len),
      .endpoint = request->endpoint,
      .fresh_connection = request->fresh_connection,
      .warm_up = request->warm_up,
      .warm_up_ms = request->warm_up_ms,
      .start_ns = clock_now(net),
  };
  return &net->requests[at];
}

static inf_exchange *
start(inf_transport *transport, const inf_http_request *request,
      const inf_exchange_events *events, void *context)
{
  fake_net *net = net_of(transport);
  if (net->fails_to_start)
    return NULL;
  size_t number = net->request_count;
  inf_exchange *exchange = need(calloc(1, sizeof *exchange));
  exchange->net = net;
  bool apart = net->warm_ups_apart && request->warm_up != INF_WARM_UP_NOT;
  exchange->request = apart ? NULL : record(net, request);
  exchange->borrowed = *request;
  memcpy(&exchange->endpoint_then, request->endpoint,
         sizeof exchange->endpoint_then);
  exchange->script = apart ? NULL : script_of(net, number, request->url);
  exchange->events = events;
  exchange->context = context;
  exchange->start_ns = clock_now(net);
  inf_list_push_back(&net->exchanges, &exchange->node);
  net->live++;
  return exchange;
}

/* As the real one may do, to the end. */
static void
use_request(const inf_exchange *exchange)
{
  const inf_http_request *request = &exchange->borrowed;
  const fake_request *then = exchange->request;
  assert_memory_equal(request->endpoint, &exchange->endpoint_then,
                      sizeof exchange->endpoint_then);
  if (!then)
    return;
  char *headers = join_headers(request->headers);
  assert_string_equal(request->url, then->url);
  assert_string_equal(headers, then->headers);
  if (request->body.len > 0)
    assert_memory_equal(request->body.ptr, then->body, request->body.len);
  free(headers);
}

static void
bury(inf_exchange *exchange)
{
  inf_list_remove(&exchange->node);
  free(exchange);
}

static void
cancel(inf_exchange *exchange)
{
  fake_net *net = exchange->net;
  assert_false(exchange->dead);
  use_request(exchange);
  if (exchange->request)
    exchange->request->cancelled_ns = clock_now(net);
  exchange->dead = true;
  net->live--;
  if (!net->running)
    bury(exchange);
}

static void
set_paused(inf_exchange *exchange, bool paused)
{
  assert_false(exchange->dead);
  fake_request *request = exchange->request;
  if (request && paused != exchange->paused) {
    request->pauses += paused;
    request->resumes += !paused;
    *(paused ? &request->paused_ns : &request->resumed_ns) =
        clock_now(exchange->net);
  }
  exchange->paused = paused;
}

static size_t
held_bytes(const inf_exchange *exchange)
{
  const fake_request *request = exchange->request;
  return request && exchange->paused ? request->held_bytes : 0;
}

/* ---- Run ----------------------------------------------------------------- */

static const fake_step *
next_step(const inf_exchange *exchange)
{
  const fake_script *script = exchange->script;
  if (exchange->dead || !script || exchange->step >= script->step_count)
    return NULL;
  const fake_step *step = &script->steps[exchange->step];
  bool held =
      exchange->paused && (step->kind == FAKE_BODY || step->kind == FAKE_DONE);
  return held ? NULL : step;
}

static uint64_t
next_step_ns(const fake_net *net)
{
  uint64_t next_ns = INF_NEVER;
  for (const inf_list *node = net->exchanges.next; node != &net->exchanges;
       node = node->next) {
    const inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    const fake_step *step = next_step(exchange);
    uint64_t at_ns =
        step ? inf_time_add(exchange->start_ns, step->at_ns) : INF_NEVER;
    next_ns = at_ns < next_ns ? at_ns : next_ns;
  }
  return next_ns;
}

static uint64_t
phase_ns(const inf_exchange *exchange, uint64_t at_ms)
{
  return at_ms > 0 ? exchange->start_ns + at_ms * INF_NS_PER_MS : 0;
}

static inf_exchange_times
way_of(const inf_exchange *exchange, const fake_script *script)
{
  return (inf_exchange_times){
      .start_ns = exchange->start_ns,
      .lookup_ns = phase_ns(exchange, script->lookup_ms),
      .connect_ns = phase_ns(exchange, script->connect_ms),
      .tls_ns = phase_ns(exchange, script->tls_ms),
  };
}

static void
finish(inf_exchange *exchange, inf_net result)
{
  static const char *const details[] = {
      [INF_NET_OK] = "",
      [INF_NET_BAD_URL] = "bad address",
      [INF_NET_RESOLVE] = "no such host",
      [INF_NET_CONNECT] = "connection refused",
      [INF_NET_TLS] = "handshake failed",
      [INF_NET_TLS_VERIFY] = "certificate not trusted",
      [INF_NET_RESET] = "connection reset by peer",
      [INF_NET_PARTIAL] = "body cut",
      [INF_NET_REFUSED_STREAM] = "stream refused",
      [INF_NET_PROTOCOL] = "not HTTP",
      [INF_NET_TOO_LARGE] = "headers too large",
      [INF_NET_ABORTED] = "aborted",
      [INF_NET_NO_MEMORY] = "out of memory",
  };
  static const fake_script silence;
  const fake_script *script = exchange->script ? exchange->script : &silence;
  inf_exchange_result end = {
      .net = result,
      .times = way_of(exchange, script),
      .reused_connection = script->reused,
      .connection_kept = script->kept,
      .protocol = script->protocol,
      .sent = exchange->sent,
      .response_begun = exchange->response_begun,
      .detail = details[result],
  };
  if (exchange->request)
    exchange->request->done_ns = clock_now(exchange->net);
  use_request(exchange);
  exchange->dead = true;
  exchange->net->live--;
  exchange->events->on_done(exchange->context, &end);
}

static void
tell_sent(inf_exchange *exchange)
{
  const fake_script *script = exchange->script;
  exchange->sent = true;
  inf_exchange_times times = way_of(exchange, script);
  times.sent_ns = clock_now(exchange->net);
  if (exchange->events->on_sent)
    exchange->events->on_sent(exchange->context, &times, script->reused);
}

static bool
tell_headers(inf_exchange *exchange, const fake_step *step)
{
  exchange->response_begun = true;
  inf_headers headers;
  inf_headers_init(&headers, SIZE_MAX);
  inf_sv rest = inf_sv_from(step->text);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, '\n');
    inf_headers_add_line(&headers, inf_sv_of(rest.ptr, len));
    len += len < rest.len;
    rest = inf_sv_of(rest.ptr + len, rest.len - len);
  }
  bool go_on =
      exchange->events->on_headers(exchange->context, step->status, &headers);
  inf_headers_fini(&headers);
  return go_on;
}

/* A body piece is given in memory of its own, so that a sanitizer sees who
 * keeps a pointer into it. */
static bool
tell_body(inf_exchange *exchange, const fake_step *step)
{
  char *bytes = copy_text(step->text, step->len);
  bool go_on = exchange->events->on_body(exchange->context, bytes, step->len);
  free(bytes);
  return go_on;
}

static void
take_step(inf_exchange *exchange, const fake_step *step)
{
  bool go_on = true;
  exchange->step++;
  switch (step->kind) {
  case FAKE_SENT:
    tell_sent(exchange);
    break;
  case FAKE_HEADERS:
    go_on = tell_headers(exchange, step);
    break;
  case FAKE_BODY:
    go_on = tell_body(exchange, step);
    break;
  case FAKE_DONE:
    finish(exchange, step->net);
    return;
  }
  if (!go_on && !exchange->dead)
    finish(exchange, INF_NET_ABORTED);
}

static void
deliver(fake_net *net)
{
  uint64_t now_ns = clock_now(net);
  net->running = true;
  for (inf_list *node = net->exchanges.next; node != &net->exchanges;
       node = node->next) {
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    const fake_step *step;
    while ((step = next_step(exchange)) &&
           exchange->start_ns + step->at_ns <= now_ns)
      take_step(exchange, step);
  }
  net->running = false;
  for (inf_list *node = net->exchanges.next, *next; node != &net->exchanges;
       node = next) {
    next = node->next;
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    if (exchange->dead)
      bury(exchange);
  }
}

static bool
take_wake(fake_net *net)
{
  pthread_mutex_lock(&net->mutex);
  bool woken = net->woken;
  net->woken = false;
  pthread_mutex_unlock(&net->mutex);
  return woken;
}

static void
wait_virtually(fake_net *net, uint64_t wait_ns)
{
  uint64_t until_ns = inf_time_add(net->now_ns, wait_ns);
  uint64_t next_ns = next_step_ns(net);
  until_ns = next_ns < until_ns ? next_ns : until_ns;
  if (take_wake(net))
    until_ns = net->now_ns;
  if (until_ns == INF_NEVER)
    fail_msg("the loop would wait for ever");
  if (until_ns > net->now_ns)
    net->now_ns = until_ns;
  net->now_ns += net->jump_ns;
  net->jump_ns = 0;
}

static void
wait_really(fake_net *net, uint64_t wait_ns)
{
  uint64_t now_ns = clock_now(net);
  uint64_t next_ns = next_step_ns(net);
  uint64_t until_next_ns = next_ns > now_ns ? next_ns - now_ns : 0;
  wait_ns = until_next_ns < wait_ns ? until_next_ns : wait_ns;
  pthread_mutex_lock(&net->mutex);
  if (!net->woken && wait_ns > 0)
    inf_cond_wait(&net->cond, &net->mutex, wait_ns);
  net->woken = false;
  pthread_mutex_unlock(&net->mutex);
}

static int32_t
run(inf_transport *transport, uint64_t wait_ns)
{
  fake_net *net = net_of(transport);
  assert_false(net->running);
  if (net->real_time)
    wait_really(net, wait_ns);
  else
    wait_virtually(net, wait_ns);
  if (transport->after_wait)
    transport->after_wait(transport->after_wait_context);
  transport->behind = net->behind > 0;
  if (net->behind > 0)
    net->behind--;
  else if (net->deaf > 0)
    net->deaf--;
  else
    deliver(net);
  return INFER_OK;
}

static void
wake(inf_transport *transport)
{
  fake_net *net = net_of(transport);
  atomic_fetch_add(&net->wakes, 1);
  pthread_mutex_lock(&net->mutex);
  net->woken = true;
  pthread_cond_signal(&net->cond);
  pthread_mutex_unlock(&net->mutex);
}

static int
fd(inf_transport *transport)
{
  (void)transport;
  return -1;
}

static uint64_t
next_timeout_ns(inf_transport *transport)
{
  (void)transport;
  return INF_NEVER;
}

static void
retire_idle(inf_transport *transport)
{
  net_of(transport)->retired++;
}

static void
transport_free(inf_transport *transport)
{
  fake_net *net = net_of(transport);
  assert_int_equal(net->live, 0);
  pthread_mutex_lock(&net->mutex);
  net->freed++;
  pthread_cond_broadcast(&net->cond);
  pthread_mutex_unlock(&net->mutex);
}

static void
free_forked(inf_transport *transport)
{
  (void)transport; /* it has no descriptor */
}

static const inf_transport_ops ops = {
    start, cancel,          set_paused,  held_bytes,     run,         wake,
    fd,    next_timeout_ns, retire_idle, transport_free, free_forked,
};

/* ---- Life ---------------------------------------------------------------- */

void
fake_net_init(fake_net *net)
{
  memset(net, 0, sizeof *net);
  net->base.ops = &ops;
  net->clock = (inf_clock){clock_now, clock_wall, net, clock_asleep};
  net->now_ns = FAKE_EPOCH_NS;
  inf_list_init(&net->exchanges);
  pthread_mutex_init(&net->mutex, NULL);
  inf_cond_init(&net->cond);
}

void
fake_net_fini(fake_net *net)
{
  assert_int_equal(net->transports, net->freed);
  for (size_t i = 0; i < net->script_count; i++)
    script_free(net->scripts[i]);
  for (size_t i = 0; i < net->host_count; i++)
    script_free(net->hosts[i].script);
  script_free(net->always);
  for (size_t i = 0; i < net->request_count && i < fake_max_exchanges; i++) {
    free(net->requests[i].method);
    free(net->requests[i].url);
    free(net->requests[i].headers);
    free(net->requests[i].body);
  }
  pthread_cond_destroy(&net->cond);
  pthread_mutex_destroy(&net->mutex);
}

void
fake_net_wait_freed(fake_net *net)
{
  pthread_mutex_lock(&net->mutex);
  while (net->freed < net->transports)
    inf_cond_wait(&net->cond, &net->mutex, 10 * INF_NS_PER_S);
  pthread_mutex_unlock(&net->mutex);
}

inf_transport *
fake_net_transport(void *context, const inf_curl_options *options)
{
  (void)options;
  fake_net *net = context;
  assert_int_equal(net->transports, net->freed);
  net->transports++;
  return &net->base;
}

/* ---- Pieces of streams --------------------------------------------------- */

static const char *format(const char *text, ...)
    __attribute__((format(printf, 1, 2)));

static const char *
format(const char *text, ...)
{
  enum { buffers = 32, bytes = 1024 };
  static _Thread_local char ring[buffers][bytes];
  static _Thread_local unsigned next;
  char *out = ring[next++ % buffers];
  va_list args;
  va_start(args, text);
  int len = vsnprintf(out, bytes, text, args);
  va_end(args);
  assert_true(len >= 0 && len < bytes);
  return out;
}

const char *
sse_delta(unsigned choice, const char *delta_json, const char *finish_json)
{
  return format("data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\","
                "\"created\":1,\"model\":\"m-1\",\"choices\":[{\"index\":%u,"
                "\"delta\":%s,\"finish_reason\":%s}]}\n\n",
                choice, delta_json, finish_json ? finish_json : "null");
}

const char *
sse_role(void)
{
  return sse_delta(0, "{\"role\":\"assistant\",\"content\":null}", NULL);
}

const char *
sse_empty(void)
{
  return sse_delta(0, "{\"content\":\"\"}", NULL);
}

const char *
sse_text_of(unsigned choice, const char *text)
{
  return sse_delta(choice, format("{\"content\":\"%s\"}", text), NULL);
}

const char *
sse_text(const char *text)
{
  return sse_text_of(0, text);
}

const char *
sse_reasoning(const char *text)
{
  return sse_delta(0, format("{\"reasoning_content\":\"%s\"}", text), NULL);
}

const char *
sse_tool(unsigned index, const char *id, const char *name,
         const char *arguments)
{
  const char *id_json = id ? format("\"id\":\"%s\",", id) : "";
  const char *name_json = name ? format("\"name\":\"%s\",", name) : "";
  return sse_delta(0,
                   format("{\"tool_calls\":[{\"index\":%u,%s\"type\":"
                          "\"function\",\"function\":{%s\"arguments\":\"%s\"}"
                          "}]}",
                          index, id_json, name_json, arguments),
                   NULL);
}

const char *
sse_finish_of(unsigned choice, const char *reason)
{
  return sse_delta(choice, "{}", format("\"%s\"", reason));
}

const char *
sse_finish(const char *reason)
{
  return sse_finish_of(0, reason);
}

const char *
sse_usage(unsigned input, unsigned output)
{
  return format("data: {\"id\":\"c-1\",\"choices\":[],\"usage\":{"
                "\"prompt_tokens\":%u,\"completion_tokens\":%u,"
                "\"total_tokens\":%u}}\n\n",
                input, output, input + output);
}

void
fake_stream_all(fake_script *script, uint64_t at_ms, const char *text)
{
  fake_stream(script, at_ms);
  fake_body(script, at_ms, sse_text(text));
  fake_body(script, at_ms, sse_finish("stop"));
  fake_body(script, at_ms, sse_usage(3, 2));
  fake_body(script, at_ms, SSE_DONE);
  fake_done(script, at_ms, INF_NET_OK);
}

const char *
unary_body(const char *text)
{
  return format("{\"id\":\"c-1\",\"object\":\"chat.completion\",\"created\":1,"
                "\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{"
                "\"role\":\"assistant\",\"content\":\"%s\"},"
                "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"
                "\"completion_tokens\":2,\"total_tokens\":5}}",
                text);
}

const char *
error_body(const char *code, const char *message)
{
  return format("{\"error\":{\"message\":\"%s\",\"type\":\"t\",\"param\":null,"
                "\"code\":\"%s\"}}",
                message, code);
}
