/* SPDX-License-Identifier: MIT */
/* What libcurl calls for an exchange: its progress as events of the engine.
 *
 * IMPLEMENTATION NOTES
 *
 * libcurl repeats a request by itself when a reused connection breaks before
 * the first response byte, and when an HTTP/2 server refuses the stream. It
 * looks up the name (RESOLVER_START), opens a socket (OPENSOCKET) and sends
 * (PREREQ): whichever comes first after a send is refused, so that the engine
 * hears of the break at once and not after another handshake.
 *
 * A thread that libcurl makes for a lookup inherits the signal mask of ours,
 * which may be the application's, with handlers that must run on no thread but
 * its own. So signals are blocked from RESOLVER_START until libcurl has
 * returned. */
#include "transport/curl_exchange.h"

#include "base/place.h"

#include "infer/infer.h"

static void
note_response(inf_exchange *exchange)
{
  if (exchange->response_begun)
    return;
  exchange->response_begun = true;
  exchange->first_byte_ns = inf_clock_now(exchange->transport->options.clock);
}

/* What libcurl has said so far tells why. Over a new connection it sends again
 * after REFUSED_STREAM, when it says nothing, and after HTTP_1_1_REQUIRED, when
 * it complains of an empty reply. */
void
inf_exchange_refuse_resend(inf_exchange *exchange)
{
  if (!exchange->resend_refused)
    exchange->wants_http1 =
        strstr(exchange->error, "HTTP_1_1_REQUIRED") ||
        (!exchange->reused && strstr(exchange->error, "Empty reply"));
  exchange->resend_refused = true;
}

static int
on_lookup(void *resolver_state, void *reserved, void *context)
{
  (void)resolver_state;
  (void)reserved;
  inf_exchange *exchange = context;
  if (exchange->forsaken)
    return 0;
  if (exchange->sent)
    inf_exchange_refuse_resend(exchange);
  inf_curl_hold_signals(exchange->transport);
  return exchange->sent || exchange->state != INF_EXCHANGE_LIVE;
}

static int
on_prereq(void *context, char *remote_ip, char *local_ip, int remote_port,
          int local_port)
{
  (void)remote_ip;
  (void)local_ip;
  (void)remote_port;
  inf_exchange *exchange = context;
  if (exchange->state == INF_EXCHANGE_GHOST)
    inf_multiplex_flush(exchange);
  if (exchange->state != INF_EXCHANGE_LIVE)
    return CURL_PREREQFUNC_ABORT;
  if (exchange->sent) {
    inf_exchange_refuse_resend(exchange);
    return CURL_PREREQFUNC_ABORT;
  }
  long connects = 1;
  curl_easy_getinfo(exchange->easy, CURLINFO_NUM_CONNECTS, &connects);
  exchange->reused = connects == 0;
  exchange->connected = true;
  inf_multiplex_leave(exchange, INF_LEAVE_SENT);
  if (exchange->warm_up == INF_WARM_UP_CONNECT)
    return CURL_PREREQFUNC_ABORT;
  inf_silence_join(exchange, local_port);
  exchange->sent = true;
  exchange->no_memory = false;
  exchange->sent_ns = inf_clock_now(exchange->transport->options.clock);
  if (exchange->events->on_sent) {
    inf_exchange_times times;
    inf_exchange_times_fill(exchange, &times);
    exchange->events->on_sent(exchange->context, &times, exchange->reused);
  }
  return exchange->state == INF_EXCHANGE_LIVE ? CURL_PREREQFUNC_OK
                                              : CURL_PREREQFUNC_ABORT;
}

static size_t
on_read(char *to, size_t size, size_t count, void *context)
{
  inf_exchange *exchange = context;
  if (exchange->state != INF_EXCHANGE_LIVE)
    return CURL_READFUNC_ABORT;
  inf_sv *left = &exchange->unsent;
  size_t len = size * count < left->len ? size * count : left->len;
  if (len > 0)
    memcpy(to, left->ptr, len);
  *left = inf_sv_of(left->ptr + len, left->len - len);
  return len;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200"; 0 for what is neither. */
static int
status_of_line(inf_sv line)
{
  size_t space = inf_sv_find(line, ' ');
  long long status;
  if (line.len - space < 4 ||
      !inf_sv_to_int64(inf_sv_of(line.ptr + space + 1, 3), &status))
    return 0;
  return status >= 100 ? (int)status : 0;
}

static bool
tell_headers(inf_exchange *exchange)
{
  exchange->headers_told = true;
  bool go_on = exchange->events->on_headers(exchange->context, exchange->status,
                                            &exchange->headers);
  exchange->aborted = !go_on;
  return go_on && exchange->state == INF_EXCHANGE_LIVE;
}

static bool
take_field(inf_exchange *exchange, inf_sv line)
{
  if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
    return true; /* the obsolete folding of lines: nothing we read has it */
  int32_t status = inf_headers_add_line(&exchange->headers, line);
  exchange->headers_too_large = status == INFER_E_TOO_LARGE;
  exchange->no_memory = status == INFER_E_NO_MEMORY;
  return status == INFER_OK;
}

/* Header blocks come line by line: a status line, fields, an empty line. Any
 * number of interim (1xx) blocks stands before the final one; after that there
 * are only trailers. */
static size_t
on_header(char *ptr, size_t size, size_t count, void *context)
{
  inf_exchange *exchange = context;
  inf_sv line = inf_sv_of(ptr, size * count);
  if (exchange->state != INF_EXCHANGE_LIVE || exchange->aborted)
    return 0;
  note_response(exchange);
  inf_silence_note(exchange);
  if (exchange->headers_told)
    return line.len;
  if (!exchange->in_headers) {
    exchange->in_headers = true;
    exchange->status = status_of_line(line);
    inf_multiplex_learn(exchange, inf_sv_starts_with(line, INF_SV("HTTP/2"))
                                      ? INF_HTTP_2
                                      : INF_HTTP_1);
    inf_headers_clear(&exchange->headers);
    return line.len;
  }
  if (inf_sv_trim(line).len > 0)
    return take_field(exchange, line) ? line.len : 0;
  exchange->in_headers = false;
  bool final = exchange->status >= 200;
  return !final || tell_headers(exchange) ? line.len : 0;
}

INF_COLD static size_t
hold_back(inf_exchange *exchange, size_t len)
{
  curl_off_t raw_bytes = 0;
  curl_easy_getinfo(exchange->easy, CURLINFO_SIZE_DOWNLOAD_T, &raw_bytes);
  exchange->held = true;
  exchange->first_held_bytes = len;
  exchange->raw_bytes = (uint64_t)raw_bytes;
  return CURL_WRITEFUNC_PAUSE;
}

INF_HOT static size_t
on_write(char *ptr, size_t size, size_t count, void *context)
{
  inf_exchange *exchange = context;
  size_t len = size * count;
  if (exchange->state != INF_EXCHANGE_LIVE || exchange->aborted)
    return 0;
  if (exchange->paused)
    return hold_back(exchange, len);
  if (!exchange->headers_told) {
    exchange->no_http = true; /* a body, as after 101, without an answer */
    return 0;
  }
  if (len == 0)
    return 0;
  exchange->told_bytes += len;
  inf_silence_note(exchange);
  exchange->aborted = !exchange->events->on_body(exchange->context, ptr, len);
  return !exchange->aborted && exchange->state == INF_EXCHANGE_LIVE ? len : 0;
}

void
inf_exchange_set_callbacks(inf_exchange *exchange)
{
  CURL *easy = exchange->easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_prereq);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_lookup);
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, exchange);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, inf_curl_open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, inf_curl_close_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, exchange->transport);
}
