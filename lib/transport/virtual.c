/* SPDX-License-Identifier: MIT */
/* The simulated network.
 *
 * IMPLEMENTATION NOTES
 *
 * An exchange is a small machine with one timer, set to its next step:
 * connected or refused, headers, each piece of the body, the end. Timers of
 * the same time fire in the order in which they were set, so that a run is
 * repeatable.
 *
 * The server plans the whole answer when the request arrives. While an
 * exchange is paused the plan goes on without it: what falls due is held, as
 * HTTP/2 does, and is delivered in the first run() after the pause. */
#include "transport/virtual.h"

#include "base/list.h"
#include "base/mem.h"
#include "infer/infer.h"

#include <stdatomic.h>

/* Exchanges kept for reuse, and the largest buffer among them. */
enum { pool_max = 256, pool_max_buffer_bytes = 64 << 10 };
enum { max_header_bytes = 64 << 10, max_pieces_bytes = 16 << 20 };

typedef struct inf_virtual_piece {
  uint64_t at_ns; /* from the request's arrival */
  size_t end;     /* in the body */
} inf_virtual_piece;

typedef enum inf_virtual_step {
  STEP_LINK,
  STEP_HEADERS,
  STEP_BODY,
  STEP_END,
} inf_virtual_step;

typedef struct inf_virtual {
  inf_transport base;
  inf_virtual_clock *clock;
  const inf_virtual_server *server;
  inf_timer_heap timers;
  inf_list pool;
  size_t pool_count;
  size_t live;
  inf_exchange *current; /* whose callback runs */
  atomic_bool woken;
} inf_virtual;

struct inf_exchange {
  inf_list node; /* in the pool */
  inf_virtual *network;
  inf_virtual_answer answer;
  /* From here on all is zero when an exchange begins. */
  inf_timer timer;
  inf_virtual_step step;
  inf_virtual_link link;
  const inf_http_request *request;
  inf_http_request copy; /* its strings stay the caller's */
  const inf_exchange_events *events;
  void *context;
  inf_exchange_times times;
  uint64_t give_up_ns; /* of a warm-up */
  size_t piece;        /* the next one */
  size_t told_bytes;
  bool sent, response_begun, paused;
  bool dead; /* cancelled within its own callback */
};

/* ---- Clock --------------------------------------------------------------- */

static uint64_t
clock_now(void *context)
{
  return ((const inf_virtual_clock *)context)->now_ns;
}

static int64_t
clock_wall(void *context)
{
  const inf_virtual_clock *clock = context;
  return clock->wall_start_ns + (int64_t)clock->now_ns;
}

void
inf_virtual_clock_init(inf_virtual_clock *clock, uint64_t now_ns,
                       int64_t wall_start_ns)
{
  *clock = (inf_virtual_clock){
      .clock = {clock_now, clock_wall, clock, NULL},
      .now_ns = now_ns,
      .wall_start_ns = wall_start_ns,
  };
}

/* ---- Answers ------------------------------------------------------------- */

static void
answer_init(inf_virtual_answer *answer)
{
  inf_headers_init(&answer->headers, max_header_bytes);
  inf_buf_init(&answer->body, INF_VIRTUAL_MAX_BODY_BYTES);
  inf_buf_init(&answer->pieces, max_pieces_bytes);
}

static void
answer_clear(inf_virtual_answer *answer)
{
  inf_headers_clear(&answer->headers);
  inf_buf_reuse(&answer->body, INF_VIRTUAL_MAX_BODY_BYTES,
                pool_max_buffer_bytes);
  inf_buf_reuse(&answer->pieces, max_pieces_bytes, pool_max_buffer_bytes);
  answer->status = 0;
  answer->headers_ns = answer->end_ns = 0;
  answer->end = INF_VIRTUAL_CLEAN;
}

static void
answer_fini(inf_virtual_answer *answer)
{
  inf_headers_fini(&answer->headers);
  inf_buf_fini(&answer->body);
  inf_buf_fini(&answer->pieces);
}

static size_t
piece_count(const inf_virtual_answer *answer)
{
  return answer->pieces.len / sizeof(inf_virtual_piece);
}

static const inf_virtual_piece *
piece_of(const inf_virtual_answer *answer, size_t index)
{
  return (const inf_virtual_piece *)(const void *)answer->pieces.ptr + index;
}

void
inf_virtual_piece_at(inf_virtual_answer *answer, uint64_t at_ns,
                     size_t body_end)
{
  size_t count = piece_count(answer);
  inf_virtual_piece piece = {at_ns, body_end};
  if (count > 0) {
    const inf_virtual_piece *last = piece_of(answer, count - 1);
    if (last->end >= body_end)
      return;
    if (last->at_ns > at_ns)
      piece.at_ns = last->at_ns;
  }
  if (body_end > 0)
    inf_buf_append(&answer->pieces, &piece, sizeof piece);
}

static bool
answer_has_memory(const inf_virtual_answer *answer)
{
  return answer->headers.text.status == INFER_OK &&
         answer->body.status == INFER_OK && answer->pieces.status == INFER_OK;
}

/* ---- Steps --------------------------------------------------------------- */

/* When the next step is due by the server's plan. */
static uint64_t
plan_ns(const inf_exchange *exchange)
{
  const inf_virtual_answer *answer = &exchange->answer;
  uint64_t sent_ns = exchange->times.sent_ns, at_ns;
  switch (exchange->step) {
  case STEP_LINK:
    return inf_time_add(exchange->times.start_ns, exchange->link.after_ns);
  case STEP_HEADERS:
    return inf_time_add(sent_ns, answer->headers_ns);
  case STEP_BODY:
    return inf_time_add(sent_ns, piece_of(answer, exchange->piece)->at_ns);
  case STEP_END:
    break;
  }
  at_ns = answer->end == INF_VIRTUAL_NEVER ? INF_NEVER : answer->end_ns;
  size_t count = piece_count(answer);
  if (count > 0 && piece_of(answer, count - 1)->at_ns > at_ns)
    at_ns = piece_of(answer, count - 1)->at_ns;
  return inf_time_add(sent_ns, at_ns);
}

/* Sets the timer to the next step, and not to one that a pause holds up. */
static void
arm(inf_exchange *exchange)
{
  inf_timer_heap *timers = &exchange->network->timers;
  bool held = exchange->paused && exchange->step >= STEP_BODY;
  uint64_t at_ns = held ? INF_NEVER : plan_ns(exchange);
  if (exchange->give_up_ns < at_ns)
    at_ns = exchange->give_up_ns;
  if (at_ns == INF_NEVER)
    inf_timer_cancel(timers, &exchange->timer);
  else
    inf_timer_set(timers, &exchange->timer, at_ns);
}

static void
recycle(inf_exchange *exchange)
{
  inf_virtual *network = exchange->network;
  network->live--;
  inf_timer_cancel(&network->timers, &exchange->timer);
  network->server->over(network->server->context, exchange->link.mark,
                        network->clock->now_ns, exchange->told_bytes);
  answer_clear(&exchange->answer);
  if (network->pool_count < pool_max) {
    inf_list_push_front(&network->pool, &exchange->node);
    network->pool_count++;
    return;
  }
  answer_fini(&exchange->answer);
  inf_free(exchange);
}

/* Tells the end; the exchange goes when its step is over. */
static void
finish(inf_exchange *exchange, inf_net net)
{
  static const char *const details[] = {
      [INF_NET_OK] = "",
      [INF_NET_BAD_URL] = "bad address",
      [INF_NET_RESOLVE] = "no such host",
      [INF_NET_CONNECT] = "connection refused",
      [INF_NET_TLS] = "handshake failed",
      [INF_NET_TLS_VERIFY] = "certificate not trusted",
      [INF_NET_RESET] = "connection reset by peer",
      [INF_NET_PARTIAL] = "the body was cut",
      [INF_NET_REFUSED_STREAM] = "the stream was refused",
      [INF_NET_PROTOCOL] = "not HTTP",
      [INF_NET_TOO_LARGE] = "headers too large",
      [INF_NET_ABORTED] = "aborted",
      [INF_NET_NO_MEMORY] = "out of memory",
  };
  bool warm_up = exchange->request->warm_up != INF_WARM_UP_NOT;
  inf_exchange_result result = {
      .net = net,
      .times = exchange->times,
      .reused_connection = exchange->link.reused,
      .sent = exchange->sent,
      .response_begun = exchange->response_begun,
      .detail = details[net],
      .connection_kept = warm_up && net == INF_NET_OK,
      .protocol = warm_up && exchange->times.connect_ns > 0 ? "h2" : NULL,
  };
  exchange->dead = true;
  exchange->events->on_done(exchange->context, &result);
}

static inf_net
net_of_end(const inf_exchange *exchange)
{
  switch (exchange->answer.end) {
  case INF_VIRTUAL_CUT:
    return exchange->response_begun ? INF_NET_PARTIAL : INF_NET_RESET;
  case INF_VIRTUAL_RESET:
    return INF_NET_RESET;
  case INF_VIRTUAL_REFUSED:
    return INF_NET_REFUSED_STREAM;
  case INF_VIRTUAL_CLEAN:
  case INF_VIRTUAL_NEVER:
    break;
  }
  return exchange->response_begun ? INF_NET_OK : INF_NET_RESET;
}

static void
note_connected(inf_exchange *exchange, uint64_t now_ns)
{
  if (!exchange->link.reused)
    exchange->times.lookup_ns = exchange->times.connect_ns = now_ns;
}

/* Connected, or not. */
static void
take_link(inf_exchange *exchange, uint64_t now_ns)
{
  const inf_virtual_server *server = exchange->network->server;
  inf_virtual_answer *answer = &exchange->answer;
  if (exchange->link.net != INF_NET_OK) {
    finish(exchange, exchange->link.net);
    return;
  }
  note_connected(exchange, now_ns);
  if (exchange->request->warm_up == INF_WARM_UP_CONNECT) {
    finish(exchange, INF_NET_OK);
    return;
  }
  exchange->times.sent_ns = now_ns;
  exchange->sent = true;
  server->answer(server->context, exchange->link.mark, exchange->request,
                 now_ns, answer);
  exchange->step = answer->status > 0 ? STEP_HEADERS : STEP_END;
  if (exchange->events->on_sent)
    exchange->events->on_sent(exchange->context, &exchange->times,
                              exchange->link.reused);
  if (!exchange->dead && !answer_has_memory(answer))
    finish(exchange, INF_NET_NO_MEMORY);
}

static bool
take_headers(inf_exchange *exchange, uint64_t now_ns)
{
  const inf_virtual_answer *answer = &exchange->answer;
  exchange->response_begun = true;
  exchange->times.first_byte_ns = now_ns;
  exchange->step = piece_count(answer) > 0 ? STEP_BODY : STEP_END;
  return exchange->events->on_headers(exchange->context, answer->status,
                                      &answer->headers);
}

/* A piece goes to its reader in one, even if several were held. */
static bool
take_piece(inf_exchange *exchange)
{
  const inf_virtual_answer *answer = &exchange->answer;
  size_t from = exchange->told_bytes;
  exchange->told_bytes = piece_of(answer, exchange->piece)->end;
  exchange->piece++;
  if (exchange->piece == piece_count(answer))
    exchange->step = STEP_END;
  return exchange->events->on_body(exchange->context, answer->body.ptr + from,
                                   exchange->told_bytes - from);
}

static void
take_step(inf_exchange *exchange, uint64_t now_ns)
{
  bool go_on = true;
  if (now_ns >= exchange->give_up_ns) {
    finish(exchange, exchange->sent ? INF_NET_RESET : INF_NET_CONNECT);
    return;
  }
  switch (exchange->step) {
  case STEP_LINK:
    take_link(exchange, now_ns);
    break;
  case STEP_HEADERS:
    go_on = take_headers(exchange, now_ns);
    break;
  case STEP_BODY:
    go_on = take_piece(exchange);
    break;
  case STEP_END:
    finish(exchange, net_of_end(exchange));
    break;
  }
  if (!go_on && !exchange->dead)
    finish(exchange, INF_NET_ABORTED);
}

/* ---- The table ----------------------------------------------------------- */

static inf_virtual *
network_of(const inf_transport *transport)
{
  return INF_CONTAINER_OF(transport, inf_virtual, base);
}

static inf_exchange *
exchange_new(inf_virtual *network)
{
  inf_list *node = inf_list_pop_front(&network->pool);
  if (node) {
    network->pool_count--;
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    const size_t kept = offsetof(inf_exchange, timer);
    memset((char *)exchange + kept, 0, sizeof *exchange - kept);
    return exchange;
  }
  inf_exchange *exchange = inf_calloc(1, sizeof *exchange);
  if (!exchange)
    return NULL;
  inf_list_init(&exchange->node);
  exchange->network = network;
  answer_init(&exchange->answer);
  return exchange;
}

static inf_exchange *
start(inf_transport *transport, const inf_http_request *request,
      const inf_exchange_events *events, void *context)
{
  inf_virtual *network = network_of(transport);
  inf_exchange *exchange = exchange_new(network);
  if (!exchange)
    return NULL;
  uint64_t now_ns = network->clock->now_ns;
  inf_timer_init(&exchange->timer);
  exchange->copy = *request;
  exchange->request = &exchange->copy;
  exchange->events = events;
  exchange->context = context;
  exchange->times.start_ns = now_ns;
  exchange->give_up_ns = INF_NEVER;
  if (request->warm_up != INF_WARM_UP_NOT)
    exchange->give_up_ns =
        inf_time_add(now_ns, request->warm_up_ms * INF_NS_PER_MS);
  network->server->connect(network->server->context, exchange->request, now_ns,
                           &exchange->link);
  network->live++;
  arm(exchange);
  return exchange;
}

static void
cancel(inf_exchange *exchange)
{
  if (exchange == exchange->network->current)
    exchange->dead = true;
  else
    recycle(exchange);
}

static void
set_paused(inf_exchange *exchange, bool paused)
{
  if (exchange->paused == paused || exchange->dead)
    return;
  exchange->paused = paused;
  if (exchange != exchange->network->current)
    arm(exchange);
}

static size_t
held_bytes(const inf_exchange *exchange)
{
  const inf_virtual_answer *answer = &exchange->answer;
  uint64_t now_ns = exchange->network->clock->now_ns;
  size_t end = exchange->told_bytes, count = piece_count(answer);
  for (size_t i = exchange->piece; exchange->paused && i < count; i++) {
    const inf_virtual_piece *piece = piece_of(answer, i);
    if (inf_time_add(exchange->times.sent_ns, piece->at_ns) > now_ns)
      break;
    end = piece->end;
  }
  return end - exchange->told_bytes;
}

static void
deliver(inf_virtual *network)
{
  uint64_t now_ns = network->clock->now_ns;
  inf_timer *timer;
  while ((timer = inf_timer_pop_due(&network->timers, now_ns))) {
    inf_exchange *exchange = INF_CONTAINER_OF(timer, inf_exchange, timer);
    network->current = exchange;
    take_step(exchange, now_ns);
    network->current = NULL;
    if (exchange->dead)
      recycle(exchange);
    else
      arm(exchange);
  }
}

static int32_t
run(inf_transport *transport, uint64_t wait_ns)
{
  inf_virtual *network = network_of(transport);
  inf_virtual_clock *clock = network->clock;
  uint64_t until_ns = inf_time_add(clock->now_ns, wait_ns);
  uint64_t next_ns = inf_timer_next_ns(&network->timers);
  if (next_ns < until_ns)
    until_ns = next_ns;
  bool woken = atomic_exchange(&network->woken, false);
  /* Nothing would ever end the wait: it is over at once. */
  if (!woken && until_ns != INF_NEVER && until_ns > clock->now_ns)
    clock->now_ns = until_ns;
  if (transport->after_wait)
    transport->after_wait(transport->after_wait_context);
  deliver(network);
  return INFER_OK;
}

static void
wake(inf_transport *transport)
{
  atomic_store(&network_of(transport)->woken, true);
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
  return inf_timer_next_ns(&network_of(transport)->timers);
}

static void
retire_idle(inf_transport *transport)
{
  (void)transport;
}

static void
transport_free(inf_transport *transport)
{
  inf_virtual *network = network_of(transport);
  inf_list *node;
  while ((node = inf_list_pop_front(&network->pool))) {
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    answer_fini(&exchange->answer);
    inf_free(exchange);
  }
  inf_free(network);
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

inf_transport *
inf_virtual_transport_new(inf_virtual_clock *clock,
                          const inf_virtual_server *server)
{
  inf_virtual *network = inf_calloc(1, sizeof *network);
  if (!network)
    return NULL;
  network->base.ops = &ops;
  network->clock = clock;
  network->server = server;
  inf_list_init(&network->pool);
  atomic_init(&network->woken, false);
  return &network->base;
}

size_t
inf_virtual_live(const inf_transport *transport)
{
  return network_of(transport)->live;
}
