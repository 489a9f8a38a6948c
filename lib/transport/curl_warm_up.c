/* SPDX-License-Identifier: MIT */
/* Exchanges that leave a connection ready for others.
 *
 * IMPLEMENTATION NOTES
 *
 * CURLOPT_CONNECT_ONLY is of no use: libcurl never uses such a connection
 * again. But a handle that CURLOPT_PREREQFUNCTION stops, just before it sends,
 * leaves its connection in the pool if that serves several streams, which is
 * to say HTTP/2; a connection of HTTP/1.1 it closes (curl_callbacks.c does the
 * stopping). HTTP/2's preface and settings have gone out by then, but the
 * server's settings are read, and acknowledged, only when libcurl looks at the
 * connection again for another handle. nghttpx waits 10 s for that. So whoever
 * wants the connection to stay has another warm-up look at it.
 *
 * CURLINFO_ACTIVESOCKET names the socket of a handle's last connection for as
 * long as that is open. Asked when the transfer is over and before the handle
 * leaves its multi handle, it tells whether the connection was kept. */
#include "transport/curl_exchange.h"

/* The handle is reset afterwards, and with it the limit of its time. */
void
inf_exchange_set_warm_up(inf_exchange *exchange,
                         const inf_http_request *request)
{
  exchange->warm_up = request->warm_up;
  exchange->peculiar = true;
  curl_easy_setopt(exchange->easy, CURLOPT_TIMEOUT_MS,
                   (long)request->warm_up_ms);
}

void
inf_exchange_note_kept(inf_exchange *exchange)
{
  curl_socket_t fd = CURL_SOCKET_BAD;
  if (exchange->generation)
    curl_easy_getinfo(exchange->easy, CURLINFO_ACTIVESOCKET, &fd);
  exchange->connection_kept = fd != CURL_SOCKET_BAD;
}

/* libcurl tells the version with the response only; but one that sent nothing
 * has told it by what became of the connection. */
static const char *
protocol_of(const inf_exchange *exchange)
{
  long version = CURL_HTTP_VERSION_NONE;
  if (exchange->warm_up == INF_WARM_UP_CONNECT && exchange->connected)
    return exchange->connection_kept ? "h2" : "http/1.1";
  curl_easy_getinfo(exchange->easy, CURLINFO_HTTP_VERSION, &version);
  switch (version) {
  case CURL_HTTP_VERSION_2_0:
    return "h2";
  case CURL_HTTP_VERSION_1_1:
    return "http/1.1";
  default:
    return NULL;
  }
}

void
inf_exchange_warm_up_fill(const inf_exchange *exchange,
                          inf_exchange_result *result)
{
  result->connection_kept = exchange->connection_kept;
  result->protocol = protocol_of(exchange);
}
