/* SPDX-License-Identifier: MIT */
/* One exchange over libcurl: its easy handle, and how it starts, pauses, is
 * cancelled and ends. What libcurl calls is in curl_callbacks.c.
 *
 * IMPLEMENTATION NOTES
 *
 * An exchange and its easy handle are kept in a pool. A handle that served an
 * endpoint with a proxy, certificates, authorities or addresses of its own is
 * reset when it goes there, so that nothing of them can reach the exchange of
 * another. Any other keeps what is the same for all and the address, which
 * saves some microseconds for each exchange, and forgets the request.
 * Connections belong to the multi handle.
 *
 * libcurl forbids adding and removing handles within its callbacks. start()
 * called there leaves the exchange in `starting`, cancel() in `dead`, until
 * libcurl has returned. Before it returns it may serve a handle in `dead` once
 * more, and must then read no byte of a request whose memory is gone. The
 * header lines are read right after the PREREQ callback, which refuses the
 * dead. A body below 64 KiB is copied then, too; a larger one, which libcurl
 * would read from the caller's memory piece by piece, goes through the READ
 * callback. What else comes from the caller, libcurl or we have copied. */
#include "transport/curl_exchange.h"

#include "base/mem.h"

/* Exchanges kept for reuse. */
enum { pool_max = 64 };
/* A header buffer larger than this is not kept. */
enum { keep_header_bytes = 16 << 10 };
/* Idle connections are not used after this: many servers and gateways close
 * theirs after 120 s, and a request on a dying connection costs a resend. */
enum { max_idle_seconds = 118 };
/* Long before the idle limit of common network address translators (350 s). */
enum { keepalive_seconds = 30 };
/* The engine has its own timers: libcurl's must not come first. */
enum { connect_timeout_seconds = 86400 };

static void
forget_address(inf_exchange *exchange)
{
  curl_url_cleanup(exchange->address);
  inf_free(exchange->address_text);
  exchange->address = NULL;
  exchange->address_text = NULL;
}

/* ---- The pool ----------------------------------------------------------- */

void
inf_exchange_free(inf_exchange *exchange)
{
  if (exchange->easy)
    curl_easy_cleanup(exchange->easy);
  inf_exchange_clear_endpoint(exchange);
  forget_address(exchange);
  inf_headers_fini(&exchange->headers);
  inf_free(exchange->lines);
  inf_free(exchange);
}

static inf_exchange *
exchange_make(inf_curl *transport)
{
  inf_exchange *exchange = inf_calloc(1, sizeof *exchange);
  if (!exchange)
    return NULL;
  inf_headers_init(&exchange->headers, transport->options.max_header_bytes);
  exchange->easy = curl_easy_init();
  if (!exchange->easy) {
    inf_exchange_free(exchange);
    return NULL;
  }
  /* Outlives curl_easy_reset(). */
  curl_easy_setopt(exchange->easy, CURLOPT_SHARE, transport->share);
  return exchange;
}

/* One as new, but with the memory of the one that was there before. */
static inf_exchange *
exchange_take(inf_curl *transport)
{
  inf_list *node = inf_list_pop_front(&transport->pool);
  inf_exchange *exchange;
  if (node) {
    transport->pool_count--;
    exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    const size_t kept = offsetof(inf_exchange, node);
    memset((char *)exchange + kept, 0, offsetof(inf_exchange, error) - kept);
    exchange->error[0] = '\0';
  } else {
    exchange = exchange_make(transport);
  }
  if (!exchange)
    return NULL;
  inf_list_init(&exchange->node);
  inf_list_init(&exchange->resume_node);
  inf_list_init(&exchange->leader_node);
  inf_list_init(&exchange->followers);
  exchange->transport = transport;
  return exchange;
}

static void
clean_handle(inf_exchange *exchange)
{
  CURL *easy = exchange->easy;
  if (exchange->peculiar) {
    curl_easy_reset(easy);
    exchange->prepared = exchange->compressed = exchange->lasting = false;
    exchange->connection_options = 0;
    inf_exchange_clear_endpoint(exchange);
    forget_address(exchange);
    return;
  }
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
}

/* Takes the handle from libcurl; its exchange is over and takes nothing any
 * more. What libcurl keeps for one that is held back must go first: version
 * 7.88 leaves it with the handle when other streams use the connection, and
 * would give it to the handle's next exchange. */
static void
take_from_libcurl(inf_exchange *exchange)
{
  if (exchange->held)
    exchange->forsaken = curl_easy_pause(exchange->easy, CURLPAUSE_CONT) ==
                         CURLE_BAD_FUNCTION_ARGUMENT;
  if (exchange->generation)
    curl_multi_remove_handle(exchange->generation->multi, exchange->easy);
  exchange->held = false;
}

/* Frees one for which libcurl may keep something although the connection has
 * left the handle. Only the end of a transfer lets go of it, and so this makes
 * one, which ends when libcurl asks for a socket. */
static void
free_forsaken(inf_exchange *exchange)
{
  CURL *easy = exchange->easy;
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1/");
  curl_easy_perform(easy);
  inf_exchange_free(exchange);
}

/* Back to the pool. */
static void
put_back(inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  exchange->generation = NULL;
  inf_list_remove(&exchange->node);
  inf_list_remove(&exchange->resume_node);
  if (exchange->forsaken) {
    free_forsaken(exchange);
    return;
  }
  bool other_share = exchange->lookup != NULL; /* it outlives a reset */
  if (transport->pool_count >= pool_max || other_share) {
    inf_exchange_free(exchange);
    return;
  }
  clean_handle(exchange);
  inf_headers_clear(&exchange->headers);
  if (exchange->headers.text.cap > keep_header_bytes)
    inf_headers_fini(&exchange->headers);
  inf_list_push_front(&transport->pool, &exchange->node);
  transport->pool_count++;
}

void
inf_exchange_recycle(inf_exchange *exchange)
{
  inf_multiplex_leave(exchange, INF_LEAVE_CANCELLED);
  if (exchange->state == INF_EXCHANGE_LIVE)
    exchange->state = INF_EXCHANGE_DEAD; /* takes nothing any more */
  bool closes = inf_silence_leave(exchange, true);
  take_from_libcurl(exchange);
  inf_list_remove(&exchange->resume_node);
  if (!exchange->generation || closes || !inf_multiplex_haunt(exchange))
    put_back(exchange);
}

/* ---- Start -------------------------------------------------------------- */

static size_t
count_lines(inf_sv headers)
{
  size_t count = 0;
  for (size_t at = 0; at < headers.len; at += strlen(headers.ptr + at) + 1)
    count++;
  return count;
}

/* libcurl's list over the request's own lines: nothing is copied, and one
 * block holds all nodes. An "Expect:" without a value keeps libcurl from
 * asking for leave to send a large body, which costs a round trip or, where
 * the server does not answer, a second. */
static bool
link_lines(inf_exchange *exchange, inf_sv headers)
{
  static char no_expect[] = "Expect:";
  size_t count = count_lines(headers) + 1;
  if (count > exchange->lines_capacity) {
    size_t capacity = count < 16 ? 16 : count;
    void *lines =
        inf_realloc(exchange->lines, capacity * sizeof *exchange->lines);
    if (!lines)
      return false;
    exchange->lines = lines;
    exchange->lines_capacity = capacity;
  }
  const char *at = headers.ptr;
  for (size_t i = 0; i < count; i++) {
    struct curl_slist *line = &exchange->lines[i];
    line->data = i == 0 ? no_expect : (char *)(uintptr_t)at;
    line->next = i + 1 < count ? line + 1 : NULL;
    if (i > 0)
      at += strlen(at) + 1;
  }
  return true;
}

static const struct {
  CURLoption option;
  long value;
} fixed_options[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_QUICK_EXIT, 1}, /* or removing waits for a hanging lookup */
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_TCP_KEEPALIVE, 1},
    {CURLOPT_TCP_KEEPIDLE, keepalive_seconds},
    {CURLOPT_TCP_KEEPINTVL, keepalive_seconds},
    {CURLOPT_CONNECTTIMEOUT, connect_timeout_seconds},
    {CURLOPT_MAXAGE_CONN, max_idle_seconds},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2}, /* or newer */
};

/* What is the same for all exchanges. */
static CURLcode
prepare(inf_exchange *exchange)
{
  CURL *easy = exchange->easy;
  for (size_t i = 0; i < sizeof fixed_options / sizeof fixed_options[0]; i++)
    curl_easy_setopt(easy, fixed_options[i].option, fixed_options[i].value);
  inf_exchange_set_callbacks(exchange);
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (code == CURLE_OK)
    code = curl_easy_setopt(easy, CURLOPT_PROXY, "");
  if (code == CURLE_OK)
    code = curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  exchange->prepared = code == CURLE_OK;
  return code;
}

static void
set_body(inf_exchange *exchange, inf_sv body)
{
  CURL *easy = exchange->easy;
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
  if (body.len == 0)
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
  else if (body.len <= exchange->transport->copied_body_max)
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.ptr);
  else
    exchange->unsent = body;
}

/* Parsing an address, and writing it down once more as libcurl does, is a good
 * part of a small request. A handle mostly goes where it went before: then it
 * has the parsed one already. An address that cannot be parsed is left to
 * libcurl to refuse. */
static CURLcode
set_address(inf_exchange *exchange, const char *url)
{
  if (exchange->address_text && strcmp(exchange->address_text, url) == 0)
    return CURLE_OK;
  forget_address(exchange);
  CURLU *address = curl_url();
  char *text = inf_strndup(url, strlen(url));
  if (!address || !text) {
    curl_url_cleanup(address);
    inf_free(text);
    return CURLE_OUT_OF_MEMORY;
  }
  exchange->address = address;
  exchange->address_text = text;
  bool parsed = curl_url_set(address, CURLUPART_URL, url, 0) == CURLUE_OK;
  curl_easy_setopt(exchange->easy, CURLOPT_CURLU, parsed ? address : NULL);
  return curl_easy_setopt(exchange->easy, CURLOPT_URL, url);
}

static CURLcode
set_request(inf_exchange *exchange, const inf_http_request *request)
{
  CURL *easy = exchange->easy;
  CURLcode code = exchange->prepared ? CURLE_OK : prepare(exchange);
  if (!link_lines(exchange, request->headers))
    code = CURLE_OUT_OF_MEMORY;
  if (code != CURLE_OK)
    return code;
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->lines);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT,
                   request->fresh_connection ? 1L : 0L);
  /* CURLMOPT_MAXCONNECTS 0 means "four for each transfer". */
  bool keeps = exchange->transport->options.max_idle_connections > 0;
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, keeps ? 0L : 1L);
  bool is_get = request->method[0] == 'G';
  if (is_get && request->body.len == 0)
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  else
    set_body(exchange, request->body);
  if (is_get && request->body.len > 0)
    code = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "GET");
  if (request->warm_up != INF_WARM_UP_NOT)
    inf_exchange_set_warm_up(exchange, request);
  if (code == CURLE_OK)
    code = set_address(exchange, request->url);
  return code == CURLE_OK
             ? inf_exchange_set_endpoint(exchange, request->endpoint)
             : code;
}

static void
set_failed(inf_exchange *exchange, CURLcode code)
{
  exchange->state = INF_EXCHANGE_FAILED;
  exchange->failure = code;
  inf_list_remove(&exchange->node);
  inf_list_push_back(&exchange->transport->failed, &exchange->node);
}

void
inf_exchange_add(inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  inf_generation *newest =
      INF_CONTAINER_OF(transport->generations.next, inf_generation, node);
  if (inf_multiplex_hold(exchange))
    return;
  /* Still wanted means that there was no memory for a newer generation. */
  if (transport->retire_wanted ||
      curl_multi_add_handle(newest->multi, exchange->easy) != CURLM_OK) {
    set_failed(exchange, CURLE_OUT_OF_MEMORY);
    return;
  }
  exchange->state = INF_EXCHANGE_LIVE;
  exchange->generation = newest;
  inf_list_remove(&exchange->node);
  inf_list_push_back(&newest->live, &exchange->node);
}

inf_exchange *
inf_exchange_make(inf_curl *transport, const inf_http_request *request,
                  const inf_exchange_events *events, void *context)
{
  inf_exchange *exchange = exchange_take(transport);
  if (!exchange)
    return NULL;
  exchange->state = INF_EXCHANGE_STARTING;
  exchange->events = events;
  exchange->context = context;
  exchange->url = request->url;
  exchange->endpoint = request->endpoint;
  exchange->origin = inf_multiplex_origin(request->url, request->endpoint);
  exchange->waited = request->fresh_connection;
  exchange->start_ns = inf_clock_now(transport->options.clock);
  CURLcode code = set_request(exchange, request);
  if (code == CURLE_OUT_OF_MEMORY) {
    inf_exchange_recycle(exchange);
    return NULL;
  }
  exchange->failure = code;
  return exchange;
}

void
inf_exchange_launch(inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  if (exchange->failure != CURLE_OK)
    set_failed(exchange, exchange->failure);
  else if (transport->dispatching || transport->retire_wanted)
    inf_list_push_back(&transport->starting, &exchange->node);
  else
    inf_exchange_add(exchange);
}

inf_exchange *
inf_exchange_start(inf_curl *transport, const inf_http_request *request,
                   const inf_exchange_events *events, void *context)
{
  inf_exchange *exchange =
      inf_exchange_make(transport, request, events, context);
  if (!exchange)
    return NULL;
  inf_exchange_use_name(exchange, request);
  inf_exchange_launch(exchange);
  return exchange;
}

/* ---- Pause, cancel, end ------------------------------------------------- */

static bool
is_over(const inf_exchange *exchange)
{
  return exchange->state >= INF_EXCHANGE_DEAD;
}

/* What came compressed counts as much larger as what came before it was. */
size_t
inf_exchange_held_bytes(const inf_exchange *exchange)
{
  curl_off_t now_bytes = 0;
  if (!exchange->held)
    return 0;
  curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_DOWNLOAD_T, &now_bytes);
  uint64_t grown = (uint64_t)now_bytes - exchange->raw_bytes;
  if (exchange->raw_bytes > 0 && exchange->told_bytes > exchange->raw_bytes)
    grown = grown * exchange->told_bytes / exchange->raw_bytes;
  return exchange->first_held_bytes + (size_t)grown;
}

void
inf_exchange_set_paused(inf_exchange *exchange, bool paused)
{
  if (exchange->paused == paused || is_over(exchange))
    return;
  exchange->paused = paused;
  inf_list_remove(&exchange->resume_node);
  if (!paused) /* unpausing delivers bytes, which is for run() to do */
    inf_list_push_back(&exchange->transport->resumed, &exchange->resume_node);
}

void
inf_exchange_cancel(inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  if (is_over(exchange))
    return;
  inf_exchange_leave_name(exchange, INF_NET_ABORTED);
  if (exchange->state != INF_EXCHANGE_LIVE || !transport->dispatching) {
    inf_exchange_recycle(exchange);
    return;
  }
  exchange->state = INF_EXCHANGE_DEAD;
  inf_list_remove(&exchange->resume_node);
  inf_list_remove(&exchange->node);
  inf_list_push_back(&transport->dead, &exchange->node);
}

void
inf_exchange_finish(inf_exchange *exchange, CURLcode code)
{
  if (exchange->state == INF_EXCHANGE_GHOST) {
    inf_exchange_recycle(exchange);
    return;
  }
  if (exchange->warm_up != INF_WARM_UP_NOT)
    inf_exchange_note_kept(exchange);
  inf_multiplex_leave(exchange, INF_LEAVE_FAILED);
  exchange->state = INF_EXCHANGE_ENDED;
  inf_silence_leave(exchange, false);
  take_from_libcurl(exchange);
  inf_list_remove(&exchange->node);
  inf_list_remove(&exchange->resume_node);
  inf_exchange_result result;
  inf_exchange_result_fill(exchange, code, &result);
  inf_exchange_leave_name(exchange, result.net);
  exchange->events->on_done(exchange->context, &result);
  if (!exchange->generation || result.net != INF_NET_ABORTED ||
      !inf_multiplex_haunt(exchange))
    put_back(exchange);
}
