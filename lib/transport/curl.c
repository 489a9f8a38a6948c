/* SPDX-License-Identifier: MIT */
/* The real transport: libcurl's multi interface, driven socket by socket.
 *
 * IMPLEMENTATION NOTES
 *
 * One exchange is one easy handle; both are kept in a pool and used again. A
 * handle is set up anew for each exchange (curl_easy_reset), so nothing of one
 * account can leak into the exchange of another; connections belong to the
 * multi handle and outlive it.
 *
 * libcurl repeats a POST by itself when a reused connection is reset after the
 * request was sent. CURLOPT_PREREQFUNCTION runs before each send: the second
 * one is refused there.
 *
 * libcurl forbids removing a handle from within its callbacks. cancel() called
 * there only marks the exchange; it is removed when libcurl has returned.
 *
 * CURLOPT_QUICK_EXIT, because removing a handle whose name lookup hangs would
 * otherwise wait for the lookup. CURLOPT_NOSIGNAL, because a library has no
 * business with signals; sockets are written with MSG_NOSIGNAL by libcurl.
 *
 * CURLOPT_PROXY and CURLOPT_NOPROXY are always set, so that libcurl itself
 * never looks into the environment: getenv() in a loop thread races with an
 * application's setenv(). */
#include "transport/transport.h"

#include "base/list.h"
#include "base/mem.h"
#include "infer/infer.h"
#include "transport/poller.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Exchanges kept for reuse. */
enum { pool_max = 64 };
/* Header lines of one request. */
enum { max_request_headers = 160 };
/* Idle connections are not used after this: most servers close them at 120 s
 * or later, and a request on a dying connection costs a resend. */
enum { max_idle_seconds = 118 };

typedef struct curl_transport {
  inf_transport base;
  inf_curl_options options;
  CURLM *multi;
  inf_poller *poller;
  uint64_t timer_ns; /* libcurl's own timer; INF_NEVER */
  inf_list live;     /* exchanges added to the multi handle */
  inf_list failed;   /* could not be added; told in the next run() */
  inf_list resumed;  /* to be unpaused in the next run() */
  inf_list dead;     /* cancelled within a callback */
  inf_list pool;
  size_t pool_count;
  bool dispatching; /* libcurl is on the stack */
  bool retiring;    /* old idle connections are not to be used */
  uint64_t retire_ns;
  int *sockets; /* open ones, for a forked child to close */
  size_t socket_count, socket_capacity;
} curl_transport;

struct inf_exchange {
  inf_list node;        /* in live, failed, dead or pool */
  inf_list resume_node; /* in resumed */
  curl_transport *transport;
  /* These three are kept when the exchange is used again. */
  CURL *easy;
  inf_headers headers;
  struct curl_slist *lines; /* room for max_request_headers + 1 */
  /* From here on everything is zero at the start of an exchange. */
  const inf_exchange_events *events;
  void *context;
  struct curl_slist *resolve;
  uint64_t start_ns;
  uint64_t first_byte_ns;
  int status;
  unsigned sends;
  bool headers_told, response_begun, reused;
  bool resend_refused, aborted, cancelled, paused;
  bool headers_too_large;
  CURLcode start_failure;
  char error[CURL_ERROR_SIZE];
};

/* ---- Process-wide set-up ------------------------------------------------- */

/* curl_global_init() counts itself, and is safe to call from any thread since
 * 7.84; the lock serves older builds. */
static pthread_mutex_t global_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool
global_init(void)
{
  pthread_mutex_lock(&global_mutex);
  CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  pthread_mutex_unlock(&global_mutex);
  return code == CURLE_OK;
}

static void
global_cleanup(void)
{
  pthread_mutex_lock(&global_mutex);
  curl_global_cleanup();
  pthread_mutex_unlock(&global_mutex);
}

const char *
inf_curl_version(void)
{
  return curl_version();
}

bool
inf_curl_has_http2(void)
{
  return (curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2) !=
         0;
}

/* ---- Sockets ------------------------------------------------------------- */

static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
  (void)purpose;
  curl_transport *transport = context;
  if (transport->socket_count == transport->socket_capacity) {
    size_t capacity =
        transport->socket_capacity ? transport->socket_capacity * 2 : 16;
    void *sockets = inf_realloc(transport->sockets, capacity * sizeof(int));
    if (!sockets)
      return CURL_SOCKET_BAD;
    transport->sockets = sockets;
    transport->socket_capacity = capacity;
  }
  int type = address->socktype;
#if defined(SOCK_CLOEXEC)
  type |= SOCK_CLOEXEC;
#endif
  int fd = socket(address->family, type, address->protocol);
  if (fd >= 0)
    transport->sockets[transport->socket_count++] = fd;
  return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static int
close_socket(void *context, curl_socket_t fd)
{
  curl_transport *transport = context;
  for (size_t i = 0; i < transport->socket_count; i++)
    if (transport->sockets[i] == fd) {
      transport->sockets[i] = transport->sockets[--transport->socket_count];
      break;
    }
  return close(fd);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
  (void)easy;
  (void)known;
  curl_transport *transport = context;
  unsigned mask = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
    mask |= INF_POLL_IN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    mask |= INF_POLL_OUT;
  return inf_poller_set(transport->poller, fd, mask) ? 0 : -1;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *context)
{
  (void)multi;
  curl_transport *transport = context;
  transport->timer_ns =
      timeout_ms < 0
          ? INF_NEVER
          : inf_time_add(inf_clock_now(transport->options.clock),
                         (uint64_t)timeout_ms * INF_NS_PER_MS);
  return 0;
}

/* ---- Callbacks of an exchange -------------------------------------------- */

/* libcurl's times count microseconds from the start of the transfer; 0 for a
 * step that a reused connection did not need. */
static uint64_t
time_of(const inf_exchange *exchange, CURLINFO info)
{
  curl_off_t us = 0;
  curl_easy_getinfo(exchange->easy, info, &us);
  return us > 0 ? exchange->start_ns + (uint64_t)us * INF_NS_PER_US : 0;
}

static void
fill_times(const inf_exchange *exchange, inf_exchange_times *times)
{
  times->start_ns = exchange->start_ns;
  if (!exchange->reused) {
    times->lookup_ns = time_of(exchange, CURLINFO_NAMELOOKUP_TIME_T);
    times->connect_ns = time_of(exchange, CURLINFO_CONNECT_TIME_T);
    times->tls_ns = time_of(exchange, CURLINFO_APPCONNECT_TIME_T);
  }
  times->sent_ns = time_of(exchange, CURLINFO_PRETRANSFER_TIME_T);
  times->first_byte_ns = exchange->first_byte_ns;
}

static int
on_prereq(void *context, char *remote_ip, char *local_ip, int remote_port,
          int local_port)
{
  (void)remote_ip;
  (void)local_ip;
  (void)remote_port;
  (void)local_port;
  inf_exchange *exchange = context;
  if (exchange->cancelled)
    return CURL_PREREQFUNC_ABORT;
  if (++exchange->sends > 1) {
    exchange->resend_refused = true;
    return CURL_PREREQFUNC_ABORT;
  }
  long connects = 1;
  curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connects);
  exchange->reused = connects == 0;
  inf_exchange_times times = {0};
  fill_times(exchange, &times);
  times.sent_ns = inf_clock_now(exchange->transport->options.clock);
  exchange->events->on_sent(exchange->context, &times, exchange->reused);
  return exchange->cancelled ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200". */
static int
status_of_line(inf_sv line)
{
  size_t space = inf_sv_find(line, ' ');
  if (line.len - space < 4)
    return 0;
  long long status;
  bool ok = inf_sv_to_int64(inf_sv_of(line.ptr + space + 1, 3), &status);
  return ok && status >= 100 ? (int)status : 0;
}

static bool
tell_headers(inf_exchange *exchange)
{
  exchange->headers_told = true;
  bool go_on = exchange->events->on_headers(exchange->context, exchange->status,
                                            &exchange->headers);
  exchange->aborted = exchange->aborted || !go_on;
  return go_on && !exchange->cancelled;
}

static size_t
on_header(char *ptr, size_t size, size_t count, void *context)
{
  inf_exchange *exchange = context;
  inf_sv line = inf_sv_of(ptr, size * count);
  if (exchange->cancelled)
    return 0;
  if (exchange->headers_told) /* trailers */
    return line.len;
  if (!exchange->response_begun) {
    exchange->response_begun = true;
    exchange->first_byte_ns = inf_clock_now(exchange->transport->options.clock);
  }
  if (inf_sv_starts_with(line, INF_SV("HTTP/"))) {
    exchange->status = status_of_line(line);
    inf_headers_clear(&exchange->headers);
    return line.len;
  }
  if (inf_sv_trim(line).len > 0) {
    if (inf_headers_add_line(&exchange->headers, line) == INFER_OK)
      return line.len;
    exchange->headers_too_large = true;
    return 0;
  }
  bool final = exchange->status >= 200;
  return !final || tell_headers(exchange) ? line.len : 0;
}

static size_t
on_write(char *ptr, size_t size, size_t count, void *context)
{
  inf_exchange *exchange = context;
  size_t len = size * count;
  if (exchange->cancelled)
    return 0;
  if (exchange->paused)
    return CURL_WRITEFUNC_PAUSE;
  if (!exchange->headers_told && !tell_headers(exchange))
    return 0;
  bool go_on = exchange->events->on_body(exchange->context, ptr, len);
  exchange->aborted = exchange->aborted || !go_on;
  return go_on && !exchange->cancelled ? len : 0;
}

/* ---- How it ended -------------------------------------------------------- */

static const struct {
  CURLcode code;
  inf_net net;
} net_of_code[] = {
    {CURLE_OK, INF_NET_OK},
    {CURLE_UNSUPPORTED_PROTOCOL, INF_NET_BAD_URL},
    {CURLE_URL_MALFORMAT, INF_NET_BAD_URL},
    {CURLE_COULDNT_RESOLVE_PROXY, INF_NET_RESOLVE},
    {CURLE_COULDNT_RESOLVE_HOST, INF_NET_RESOLVE},
    {CURLE_COULDNT_CONNECT, INF_NET_CONNECT},
    {CURLE_PROXY, INF_NET_CONNECT},
    {CURLE_OPERATION_TIMEDOUT, INF_NET_CONNECT},
    {CURLE_INTERFACE_FAILED, INF_NET_CONNECT},
    {CURLE_SSL_CONNECT_ERROR, INF_NET_TLS},
    {CURLE_SSL_CERTPROBLEM, INF_NET_TLS},
    {CURLE_SSL_CIPHER, INF_NET_TLS},
    {CURLE_SSL_ENGINE_NOTFOUND, INF_NET_TLS},
    {CURLE_SSL_CLIENTCERT, INF_NET_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, INF_NET_TLS_VERIFY},
    {CURLE_SSL_CACERT_BADFILE, INF_NET_TLS_VERIFY},
    {CURLE_SSL_ISSUER_ERROR, INF_NET_TLS_VERIFY},
    {CURLE_SSL_INVALIDCERTSTATUS, INF_NET_TLS_VERIFY},
    {CURLE_PARTIAL_FILE, INF_NET_PARTIAL},
    {CURLE_WEIRD_SERVER_REPLY, INF_NET_PROTOCOL},
    {CURLE_BAD_CONTENT_ENCODING, INF_NET_PROTOCOL},
    {CURLE_OUT_OF_MEMORY, INF_NET_NO_MEMORY},
};

static inf_net
net_of(const inf_exchange *exchange, CURLcode code)
{
  if (exchange->resend_refused)
    return INF_NET_RESET;
  if (exchange->headers_too_large)
    return INF_NET_TOO_LARGE;
  if (exchange->aborted)
    return INF_NET_ABORTED;
  if (code == CURLE_UNSUPPORTED_PROTOCOL && exchange->sends > 0)
    return INF_NET_PROTOCOL; /* the answer is not HTTP */
  for (size_t i = 0; i < sizeof net_of_code / sizeof net_of_code[0]; i++)
    if (net_of_code[i].code == code)
      return net_of_code[i].net;
  /* Everything else is a connection that broke. */
  return exchange->response_begun ? INF_NET_PARTIAL : INF_NET_RESET;
}

static void
exchange_free(inf_exchange *exchange)
{
  if (exchange->easy)
    curl_easy_cleanup(exchange->easy);
  curl_slist_free_all(exchange->resolve);
  inf_headers_fini(&exchange->headers);
  inf_free(exchange->lines);
  inf_free(exchange);
}

static void
recycle(inf_exchange *exchange)
{
  curl_transport *transport = exchange->transport;
  inf_list_remove(&exchange->node);
  inf_list_remove(&exchange->resume_node);
  inf_headers_clear(&exchange->headers);
  if (exchange->headers.text.cap > 16384)
    inf_headers_fini(&exchange->headers);
  if (transport->pool_count < pool_max) {
    /* The handle forgets its key and body now, not at its next use. */
    curl_easy_reset(exchange->easy);
    curl_slist_free_all(exchange->resolve);
    exchange->resolve = NULL;
    inf_list_push_front(&transport->pool, &exchange->node);
    transport->pool_count++;
    return;
  }
  exchange_free(exchange);
}

static void
finish(inf_exchange *exchange, CURLcode code)
{
  inf_exchange_result result = {0};
  result.net = net_of(exchange, code);
  fill_times(exchange, &result.times);
  result.reused_connection = exchange->reused || exchange->resend_refused;
  result.sent = exchange->sends > 0;
  result.response_begun = exchange->response_begun && !exchange->resend_refused;
  result.detail =
      exchange->resend_refused ? "the reused connection was closed"
      : exchange->error[0]     ? exchange->error
                               : curl_easy_strerror(code);
  exchange->events->on_done(exchange->context, &result);
  recycle(exchange);
}

/* ---- Start --------------------------------------------------------------- */

static inf_exchange *
exchange_alloc(curl_transport *transport)
{
  inf_exchange *exchange = inf_calloc(1, sizeof *exchange);
  if (!exchange)
    return NULL;
  inf_headers_init(&exchange->headers, transport->options.max_header_bytes);
  exchange->lines =
      inf_calloc(max_request_headers + 1, sizeof *exchange->lines);
  exchange->easy = exchange->lines ? curl_easy_init() : NULL;
  if (exchange->easy)
    return exchange;
  exchange_free(exchange);
  return NULL;
}

static inf_exchange *
exchange_new(curl_transport *transport)
{
  inf_list *node = inf_list_pop_front(&transport->pool);
  inf_exchange *exchange;
  if (node) {
    transport->pool_count--;
    exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    memset(&exchange->events, 0,
           sizeof *exchange - offsetof(inf_exchange, events));
  } else {
    exchange = exchange_alloc(transport);
    if (!exchange)
      return NULL;
  }
  inf_list_init(&exchange->node);
  inf_list_init(&exchange->resume_node);
  exchange->transport = transport;
  return exchange;
}

/* The request's lines as libcurl's list, in place; false if they are too
 * many. */
static bool
link_headers(inf_exchange *exchange, inf_sv headers)
{
  static char no_expect[] = "Expect:";
  size_t count = 0;
  const char *at = headers.ptr, *end = headers.ptr + headers.len;
  exchange->lines[count++].data = no_expect;
  while (at < end) {
    if (count > max_request_headers)
      return false;
    exchange->lines[count++].data = (char *)(uintptr_t)at;
    at += strlen(at) + 1;
  }
  for (size_t i = 0; i < count; i++)
    exchange->lines[i].next = i + 1 < count ? &exchange->lines[i + 1] : NULL;
  return true;
}

static void
set_transfer(inf_exchange *exchange, const inf_http_request *request)
{
  CURL *easy = exchange->easy;
  curl_transport *transport = exchange->transport;
  curl_easy_setopt(easy, CURLOPT_URL, request->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->lines);
  if (request->method[0] == 'P') {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)request->body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                     request->body.ptr ? request->body.ptr : "");
  }
  curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prereq);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transport);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transport);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 30L);
  /* The engine has its own timers: libcurl's 5 minutes must not come first. */
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, 86400L);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)max_idle_seconds);
  if (request->fresh_connection || transport->retiring)
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

static bool
set_resolve(inf_exchange *exchange, const inf_endpoint *endpoint)
{
  for (const char *const *at = endpoint->resolve; at && *at; at++) {
    struct curl_slist *list = curl_slist_append(exchange->resolve, *at);
    if (!list)
      return false;
    exchange->resolve = list;
  }
  if (exchange->resolve)
    curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, exchange->resolve);
  return true;
}

static void
set_endpoint(inf_exchange *exchange, const inf_endpoint *endpoint)
{
  CURL *easy = exchange->easy;
  curl_easy_setopt(easy, CURLOPT_PROXY,
                   endpoint->proxy ? endpoint->proxy : "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY,
                   endpoint->no_proxy ? endpoint->no_proxy : "");
  if (endpoint->unix_socket)
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, endpoint->unix_socket);
  if (endpoint->ca_file || endpoint->ca_pem)
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
  if (endpoint->ca_file)
    curl_easy_setopt(easy, CURLOPT_CAINFO, endpoint->ca_file);
  if (endpoint->ca_pem) {
    struct curl_blob blob = {(void *)(uintptr_t)endpoint->ca_pem,
                             strlen(endpoint->ca_pem), CURL_BLOB_COPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }
  if (endpoint->client_cert)
    curl_easy_setopt(easy, CURLOPT_SSLCERT, endpoint->client_cert);
  if (endpoint->client_key)
    curl_easy_setopt(easy, CURLOPT_SSLKEY, endpoint->client_key);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER,
                   endpoint->tls_verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST,
                   endpoint->tls_verify ? 2L : 0L);
  if (endpoint->compression)
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   endpoint->http_version == 1 ? (long)CURL_HTTP_VERSION_1_1
                                               : (long)CURL_HTTP_VERSION_2TLS);
}

/* Idle connections from before a clock jump go with the multi handle, as soon
 * as it serves no exchange; until then, or until they are too old anyway, new
 * exchanges connect afresh. */
static bool set_up_multi(curl_transport *transport);

static void
retire_multi(curl_transport *transport)
{
  uint64_t now_ns = inf_clock_now(transport->options.clock);
  if (now_ns - transport->retire_ns > max_idle_seconds * INF_NS_PER_S)
    transport->retiring = false;
  if (!transport->retiring || transport->dispatching ||
      !inf_list_empty(&transport->live) || !inf_list_empty(&transport->dead))
    return;
  CURLM *old = transport->multi;
  if (!set_up_multi(transport)) {
    transport->multi = old;
    return;
  }
  curl_multi_cleanup(old);
  transport->retiring = false;
}

static inf_exchange *
transport_start(inf_transport *base, const inf_http_request *request,
                const inf_exchange_events *events, void *context)
{
  curl_transport *transport = (curl_transport *)(void *)base;
  if (transport->retiring)
    retire_multi(transport);
  inf_exchange *exchange = exchange_new(transport);
  if (!exchange)
    return NULL;
  exchange->events = events;
  exchange->context = context;
  exchange->start_ns = inf_clock_now(transport->options.clock);
  if (!link_headers(exchange, request->headers)) {
    exchange->start_failure = CURLE_URL_MALFORMAT;
    snprintf(exchange->error, sizeof exchange->error,
             "more than %d header lines", max_request_headers);
    inf_list_push_back(&transport->failed, &exchange->node);
    return exchange;
  }
  set_transfer(exchange, request);
  set_endpoint(exchange, request->endpoint);
  if (!set_resolve(exchange, request->endpoint) ||
      curl_multi_add_handle(transport->multi, exchange->easy) != CURLM_OK) {
    recycle(exchange);
    return NULL;
  }
  inf_list_push_back(&transport->live, &exchange->node);
  return exchange;
}

/* ---- Cancel, pause ------------------------------------------------------- */

static void
transport_cancel(inf_exchange *exchange)
{
  curl_transport *transport = exchange->transport;
  if (exchange->cancelled)
    return;
  exchange->cancelled = true;
  inf_list_remove(&exchange->resume_node);
  inf_list_remove(&exchange->node);
  if (transport->dispatching) {
    inf_list_push_back(&transport->dead, &exchange->node);
    return;
  }
  curl_multi_remove_handle(transport->multi, exchange->easy);
  recycle(exchange);
}

static void
bury_dead(curl_transport *transport)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&transport->dead))) {
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    curl_multi_remove_handle(transport->multi, exchange->easy);
    recycle(exchange);
  }
}

static void
transport_set_paused(inf_exchange *exchange, bool paused)
{
  if (exchange->paused == paused)
    return;
  exchange->paused = paused;
  inf_list_remove(&exchange->resume_node);
  if (!paused) /* unpausing delivers bytes: that is for run() to do */
    inf_list_push_back(&exchange->transport->resumed, &exchange->resume_node);
}

static void
resume_exchanges(curl_transport *transport)
{
  inf_list now;
  inf_list_init(&now);
  inf_list_splice_back(&now, &transport->resumed);
  inf_list *node;
  while ((node = inf_list_pop_front(&now))) {
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, resume_node);
    curl_easy_pause(exchange->easy, CURLPAUSE_CONT);
  }
}

/* ---- Run ----------------------------------------------------------------- */

static void
finish_failed(curl_transport *transport)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&transport->failed))) {
    inf_exchange *exchange = INF_CONTAINER_OF(node, inf_exchange, node);
    finish(exchange, exchange->start_failure);
  }
}

static void
finish_done(curl_transport *transport)
{
  int left;
  CURLMsg *message;
  while ((message = curl_multi_info_read(transport->multi, &left))) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode code = message->data.result;
    inf_exchange *exchange = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    if (!exchange || exchange->cancelled)
      continue; /* it is among the dead */
    curl_multi_remove_handle(transport->multi, exchange->easy);
    inf_list_remove(&exchange->node);
    finish(exchange, code);
  }
}

static void
dispatch(curl_transport *transport, const inf_poll_event *events, size_t count)
{
  int running;
  transport->dispatching = true;
  for (size_t i = 0; i < count; i++) {
    int mask = (events[i].mask & INF_POLL_IN ? CURL_CSELECT_IN : 0) |
               (events[i].mask & INF_POLL_OUT ? CURL_CSELECT_OUT : 0) |
               (events[i].mask & INF_POLL_ERR ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(transport->multi, events[i].fd, mask, &running);
  }
  if (transport->timer_ns <= inf_clock_now(transport->options.clock)) {
    transport->timer_ns = INF_NEVER;
    curl_multi_socket_action(transport->multi, CURL_SOCKET_TIMEOUT, 0,
                             &running);
  }
  resume_exchanges(transport);
  transport->dispatching = false;
}

static int32_t
transport_run(inf_transport *base, uint64_t wait_ns)
{
  curl_transport *transport = (curl_transport *)(void *)base;
  inf_poll_event events[64];
  if (transport->retiring)
    retire_multi(transport);
  uint64_t now_ns = inf_clock_now(transport->options.clock);
  uint64_t timer_ns = base->ops->next_timeout_ns(base);
  uint64_t until_timer_ns = timer_ns > now_ns ? timer_ns - now_ns : 0;
  if (until_timer_ns < wait_ns)
    wait_ns = timer_ns == INF_NEVER ? wait_ns : until_timer_ns;
  size_t count = inf_poller_wait(transport->poller, wait_ns, events,
                                 sizeof events / sizeof events[0]);
  if (base->after_wait)
    base->after_wait(base->after_wait_context);
  finish_failed(transport);
  dispatch(transport, events, count);
  bury_dead(transport);
  finish_done(transport);
  bury_dead(transport);
  return INFER_OK;
}

static void
transport_wake(inf_transport *base)
{
  inf_poller_wake(((curl_transport *)(void *)base)->poller);
}

static int
transport_fd(inf_transport *base)
{
  return inf_poller_fd(((curl_transport *)(void *)base)->poller);
}

static uint64_t
transport_next_timeout_ns(inf_transport *base)
{
  const curl_transport *transport = (const curl_transport *)(void *)base;
  if (!inf_list_empty(&transport->failed) ||
      !inf_list_empty(&transport->resumed))
    return 0;
  return transport->timer_ns;
}

static void
transport_retire_idle(inf_transport *base)
{
  curl_transport *transport = (curl_transport *)(void *)base;
  transport->retiring = true;
  transport->retire_ns = inf_clock_now(transport->options.clock);
}

/* ---- Making and ending --------------------------------------------------- */

static bool
set_up_multi(curl_transport *transport)
{
  CURLM *multi = curl_multi_init();
  if (!multi)
    return false;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, transport);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, transport);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                    (long)transport->options.max_idle_connections);
  transport->multi = multi;
  transport->timer_ns = INF_NEVER;
  return true;
}

static void
transport_free(inf_transport *base)
{
  curl_transport *transport = (curl_transport *)(void *)base;
  inf_list *node;
  while ((node = inf_list_pop_front(&transport->pool)))
    exchange_free(INF_CONTAINER_OF(node, inf_exchange, node));
  if (transport->multi)
    curl_multi_cleanup(transport->multi);
  inf_poller_free(transport->poller);
  inf_free(transport->sockets);
  inf_free(transport);
  global_cleanup();
}

static void
transport_free_forked(inf_transport *base)
{
  curl_transport *transport = (curl_transport *)(void *)base;
  for (size_t i = 0; i < transport->socket_count; i++)
    close(transport->sockets[i]);
  inf_poller_free(transport->poller);
}

static const inf_transport_ops ops = {
    .start = transport_start,
    .cancel = transport_cancel,
    .set_paused = transport_set_paused,
    .run = transport_run,
    .wake = transport_wake,
    .fd = transport_fd,
    .next_timeout_ns = transport_next_timeout_ns,
    .retire_idle = transport_retire_idle,
    .free = transport_free,
    .free_forked = transport_free_forked,
};

inf_transport *
inf_curl_transport_new(const inf_curl_options *options)
{
  if (!global_init())
    return NULL;
  curl_transport *transport = inf_calloc(1, sizeof *transport);
  if (!transport) {
    global_cleanup();
    return NULL;
  }
  transport->base.ops = &ops;
  transport->options = *options;
  inf_list *lists[] = {&transport->live, &transport->failed,
                       &transport->resumed, &transport->dead,
                       &transport->pool};
  for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
    inf_list_init(lists[i]);
  transport->poller = inf_poller_new();
  if (!transport->poller || !set_up_multi(transport)) {
    transport_free(&transport->base);
    return NULL;
  }
  return &transport->base;
}
