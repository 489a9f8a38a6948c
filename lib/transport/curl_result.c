/* SPDX-License-Identifier: MIT */
/* How an exchange ended: libcurl's many codes as the few that the engine
 * knows, a line for people, and the times. */
#include "transport/curl_exchange.h"

#include <string.h>

/* Codes that mean the same in every phase. What is not here is a connection
 * that broke. */
static const struct {
  CURLcode code;
  inf_net net;
} net_of_code[] = {
    {CURLE_OK, INF_NET_OK},
    {CURLE_URL_MALFORMAT, INF_NET_BAD_URL},
    {CURLE_UNKNOWN_OPTION, INF_NET_BAD_URL},
    {CURLE_NOT_BUILT_IN, INF_NET_BAD_URL},
    {CURLE_BAD_FUNCTION_ARGUMENT, INF_NET_BAD_URL},
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
    {CURLE_SSL_ENGINE_SETFAILED, INF_NET_TLS},
    {CURLE_SSL_ENGINE_INITFAILED, INF_NET_TLS},
    {CURLE_SSL_CLIENTCERT, INF_NET_TLS},
    {CURLE_USE_SSL_FAILED, INF_NET_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, INF_NET_TLS_VERIFY},
    {CURLE_SSL_CACERT_BADFILE, INF_NET_TLS_VERIFY},
    {CURLE_SSL_CRL_BADFILE, INF_NET_TLS_VERIFY},
    {CURLE_SSL_ISSUER_ERROR, INF_NET_TLS_VERIFY},
    {CURLE_SSL_INVALIDCERTSTATUS, INF_NET_TLS_VERIFY},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, INF_NET_TLS_VERIFY},
    {CURLE_WEIRD_SERVER_REPLY, INF_NET_PROTOCOL},
    {CURLE_BAD_CONTENT_ENCODING, INF_NET_PROTOCOL},
    {CURLE_OUT_OF_MEMORY, INF_NET_NO_MEMORY},
};

static bool
error_has(const inf_exchange *exchange, const char *words)
{
  return strstr(exchange->error, words) != NULL;
}

/* Codes that mean several things, told apart by phase or by libcurl's words:
 * should a later version say it in others, the class is a little coarser. */
static bool
net_by_phase(const inf_exchange *exchange, CURLcode code, inf_net *net)
{
  bool in_headers = exchange->response_begun && !exchange->headers_told;
  switch (code) {
  case CURLE_OK: /* also for an end amid the headers */
    *net = exchange->response_begun ? INF_NET_PARTIAL : INF_NET_RESET;
    return !exchange->headers_told;
  case CURLE_UNSUPPORTED_PROTOCOL: /* of the URL, or not HTTP what came */
    *net = exchange->sent ? INF_NET_PROTOCOL : INF_NET_BAD_URL;
    return true;
  case CURLE_OUT_OF_MEMORY: /* also for a header line over libcurl's limit */
    *net = INF_NET_TOO_LARGE;
    return in_headers;
  case CURLE_RECV_ERROR:
    if (in_headers && error_has(exchange, "Too large response headers"))
      *net = INF_NET_TOO_LARGE;
    else if (error_has(exchange, "chunked-encoding"))
      *net = INF_NET_PROTOCOL;
    else if (!exchange->response_begun && error_has(exchange, "alert"))
      *net = INF_NET_TLS; /* TLS 1.3 refuses a client certificate so late */
    else
      return false;
    return true;
  default:
    return false;
  }
}

/* A body that went through the READ callback cannot be had again, which
 * libcurl finds out even before it connects. */
static bool
wanted_resend(const inf_exchange *exchange, CURLcode code)
{
  return exchange->resend_refused || code == CURLE_SEND_FAIL_REWIND;
}

static inf_net
net_of(const inf_exchange *exchange, CURLcode code)
{
  if (exchange->warm_up == INF_WARM_UP_CONNECT && exchange->connected)
    return INF_NET_OK; /* that was all it was to do */
  /* Over a fresh connection libcurl sends again only after REFUSED_STREAM.
   * Over a reused one it may be either, and a reset claims less. */
  if (wanted_resend(exchange, code))
    return exchange->reused && !exchange->wants_http1 ? INF_NET_RESET
                                                      : INF_NET_REFUSED_STREAM;
  if (exchange->no_memory && code != CURLE_OK)
    return INF_NET_NO_MEMORY;
  if (exchange->headers_too_large)
    return INF_NET_TOO_LARGE;
  if (exchange->no_http)
    return INF_NET_PROTOCOL;
  if (exchange->aborted)
    return INF_NET_ABORTED;
  inf_net net;
  if (net_by_phase(exchange, code, &net))
    return net;
  for (size_t i = 0; i < sizeof net_of_code / sizeof net_of_code[0]; i++)
    if (net_of_code[i].code == code)
      return net_of_code[i].net;
  if (!exchange->sent) /* a proxy that refuses, a broken handshake */
    return INF_NET_CONNECT;
  return exchange->response_begun ? INF_NET_PARTIAL : INF_NET_RESET;
}

/* libcurl's text, as one line. A text that quotes the URL or the proxy is not
 * used: both may hold a key. */
static const char *
detail_of(inf_exchange *exchange, CURLcode code, inf_net net)
{
  const char *proxy = exchange->endpoint->proxy;
  char *text = exchange->error;
  if (exchange->wants_http1)
    return "the server wants HTTP/1.1";
  if (wanted_resend(exchange, code))
    return net == INF_NET_RESET ? "the reused connection was closed"
                                : "the server refused the stream";
  if (net == INF_NET_NO_MEMORY)
    return "out of memory";
  if (net == INF_NET_TOO_LARGE)
    return "the response headers are too large";
  if (net == INF_NET_ABORTED)
    return "aborted";
  if (exchange->no_http)
    return "the response is not HTTP any more";
  if (code == CURLE_OK && net != INF_NET_OK)
    return "the connection ended before the response headers did";
  if (!text[0] || net == INF_NET_BAD_URL ||
      error_has(exchange, exchange->url) ||
      (proxy && proxy[0] && error_has(exchange, proxy)))
    return curl_easy_strerror(code);
  for (char *at = text; *at; at++)
    if ((unsigned char)*at < ' ' || *at == 0x7f)
      *at = ' ';
  return text;
}

/* libcurl's times count microseconds from the start of the transfer. */
static uint64_t
time_of(const inf_exchange *exchange, CURLINFO info)
{
  curl_off_t us = 0;
  curl_easy_getinfo(exchange->easy, info, &us);
  if (us <= 0)
    return 0;
  uint64_t at_ns = exchange->start_ns + (uint64_t)us * INF_NS_PER_US;
  return exchange->sent && at_ns > exchange->sent_ns ? exchange->sent_ns
                                                     : at_ns;
}

/* The steps that a reused connection did not need are not reached. */
void
inf_exchange_times_fill(const inf_exchange *exchange, inf_exchange_times *times)
{
  *times = (inf_exchange_times){.start_ns = exchange->start_ns,
                                .sent_ns = exchange->sent_ns,
                                .first_byte_ns = exchange->first_byte_ns};
  if (exchange->reused)
    return;
  times->lookup_ns = time_of(exchange, CURLINFO_NAMELOOKUP_TIME_T);
  times->connect_ns = time_of(exchange, CURLINFO_CONNECT_TIME_T);
  times->tls_ns = time_of(exchange, CURLINFO_APPCONNECT_TIME_T);
}

void
inf_exchange_result_fill(inf_exchange *exchange, CURLcode code,
                         inf_exchange_result *result)
{
  *result = (inf_exchange_result){.net = net_of(exchange, code),
                                  .reused_connection = exchange->reused,
                                  .sent = exchange->sent,
                                  .response_begun = exchange->response_begun,
                                  .going_away = code == CURLE_HTTP2};
  if (exchange->wants_http1)
    inf_multiplex_learn(exchange, INF_HTTP_1_REQUIRED);
  result->detail = detail_of(exchange, code, result->net);
  inf_exchange_times_fill(exchange, &result->times);
  if (exchange->warm_up != INF_WARM_UP_NOT)
    inf_exchange_warm_up_fill(exchange, result);
}
