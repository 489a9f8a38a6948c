/* SPDX-License-Identifier: MIT */
/* Where and how to connect, as options of a libcurl handle.
 *
 * IMPLEMENTATION NOTES
 *
 * Nothing comes from the environment. CURLOPT_PROXY and CURLOPT_NOPROXY are
 * always set, empty for none (curl_exchange.c), because libcurl else asks
 * getenv(), which races with an application's setenv() and would send keys
 * where nobody said so.
 *
 * libcurl keeps the addresses of CURLOPT_RESOLVE in the name cache of the
 * multi handle, for every later transfer, and reuses connections by host name
 * whatever the address was. Two providers behind one name, one of them with an
 * address of its own, would so share both. Therefore an entry
 * "host:port:address" resolves a name that nobody else uses, made from the
 * host and a hash of the entry, and CURLOPT_CONNECT_TO leads there: libcurl
 * keeps such connections apart, while the Host field, SNI and the
 * certificate's name stay those of the URL. Through a proxy, which resolves
 * names itself, the entries are given as they are; they then hold for hosts
 * that bypass it. */
#include "transport/curl_exchange.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

/* One entry: libcurl's nodes and their text in one block. */
typedef struct pin {
  struct curl_slist resolve; /* first, so that its address is the block's */
  struct curl_slist connect_to;
  char text[];
} pin;

/* FNV-1a. */
static uint64_t
hash_of(const char *text)
{
  uint64_t hash = 0xcbf29ce484222325u;
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
  return hash;
}

/* Makes the nodes of "host:port:address". */
static pin *
pin_make(const char *entry, bool proxied)
{
  inf_sv text = inf_sv_from(entry);
  int host = (int)inf_sv_find(text, ':');
  inf_sv rest = inf_sv_of(entry + host, text.len - (size_t)host);
  int port = rest.len ? (int)strcspn(rest.ptr + 1, ":") : 0;
  /* The longest text: the host twice, the port twice, the hash, signs. */
  size_t size = 2 * (text.len + 64);
  pin *made = inf_calloc(1, sizeof *made + 2 * size);
  if (!made)
    return NULL;
  made->resolve.data = made->text;
  made->connect_to.data = made->text + size;
  if (proxied || rest.len == 0) {
    memcpy(made->text, entry, text.len + 1);
    return made;
  }
  const char *port_text = entry + host + 1;
  uint64_t hash = hash_of(entry);
  snprintf(made->resolve.data, size, "%.*s.pinned-%016" PRIx64 ":%s", host,
           entry, hash, port_text);
  snprintf(made->connect_to.data, size, "%.*s:%.*s:%.*s.pinned-%016" PRIx64 ":",
           host, entry, port, port_text, host, entry, hash);
  return made;
}

static CURLcode
set_resolve(inf_exchange *exchange, const inf_endpoint *endpoint)
{
  bool proxied = endpoint->proxy && endpoint->proxy[0];
  for (const char *const *at = endpoint->resolve; at && *at; at++) {
    pin *made = pin_make(*at, proxied);
    if (!made)
      return CURLE_OUT_OF_MEMORY;
    made->resolve.next = exchange->resolve;
    exchange->resolve = &made->resolve;
    made->connect_to.next = exchange->connect_to;
    if (!proxied)
      exchange->connect_to = &made->connect_to;
  }
  if (exchange->resolve)
    curl_easy_setopt(exchange->easy, CURLOPT_RESOLVE, exchange->resolve);
  if (exchange->connect_to)
    curl_easy_setopt(exchange->easy, CURLOPT_CONNECT_TO, exchange->connect_to);
  return CURLE_OK;
}

void
inf_exchange_clear_endpoint(inf_exchange *exchange)
{
  while (exchange->resolve) {
    pin *made = (pin *)(void *)exchange->resolve;
    exchange->resolve = made->resolve.next;
    inf_free(made);
  }
  exchange->connect_to = NULL;
}

/* The system's CAs are left out where others are given. */
static CURLcode
set_authorities(CURL *easy, const inf_endpoint *endpoint)
{
  if (!endpoint->ca_file && !endpoint->ca_pem)
    return CURLE_OK;
  curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
  CURLcode code = curl_easy_setopt(easy, CURLOPT_CAINFO, endpoint->ca_file);
  if (code != CURLE_OK || !endpoint->ca_pem)
    return code;
  /* Copied: a handle that was cancelled within a callback may still set up
   * its connection while the configuration is already gone. */
  struct curl_blob blob = {(void *)(uintptr_t)endpoint->ca_pem,
                           strlen(endpoint->ca_pem), CURL_BLOB_COPY};
  return curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
}

static CURLcode
set_texts(CURL *easy, const inf_endpoint *endpoint)
{
  const struct {
    CURLoption option;
    const char *value;
  } texts[] = {
      {CURLOPT_PROXY, endpoint->proxy},
      {CURLOPT_NOPROXY, endpoint->no_proxy},
      {CURLOPT_UNIX_SOCKET_PATH, endpoint->unix_socket},
      {CURLOPT_SSLCERT, endpoint->client_cert},
      {CURLOPT_SSLKEY, endpoint->client_key},
  };
  CURLcode code = CURLE_OK;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (texts[i].value && code == CURLE_OK)
      code = curl_easy_setopt(easy, texts[i].option, texts[i].value);
  return code;
}

static bool
is_peculiar(const inf_endpoint *endpoint)
{
  return endpoint->proxy || endpoint->no_proxy || endpoint->unix_socket ||
         endpoint->client_cert || endpoint->client_key || endpoint->ca_file ||
         endpoint->ca_pem || endpoint->resolve;
}

static CURLcode
set_peculiar(inf_exchange *exchange, const inf_endpoint *endpoint)
{
  exchange->peculiar = true;
  CURLcode code = set_texts(exchange->easy, endpoint);
  if (code == CURLE_OK)
    code = set_authorities(exchange->easy, endpoint);
  return code == CURLE_OK ? set_resolve(exchange, endpoint) : code;
}

/* A handle mostly goes where it went before, and knows all this. */
static void
set_connection(inf_exchange *exchange, bool verify, bool only_1_1)
{
  CURL *easy = exchange->easy;
  unsigned options = 1u | (verify ? 2u : 0u) | (only_1_1 ? 4u : 0u);
  if (exchange->connection_options == options)
    return;
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                   only_1_1 ? (long)CURL_HTTP_VERSION_1_1
                            : (long)CURL_HTTP_VERSION_2TLS);
  exchange->connection_options = options;
}

CURLcode
inf_exchange_set_endpoint(inf_exchange *exchange, const inf_endpoint *endpoint)
{
  CURL *easy = exchange->easy;
  CURLcode code = CURLE_OK;
  bool gzip = endpoint->compression;
  bool only_1_1 = endpoint->http_version == 1 ||
                  inf_multiplex_spoken(exchange) == INF_HTTP_1_REQUIRED;
  set_connection(exchange, endpoint->tls_verify, only_1_1);
  if (exchange->compressed != gzip)
    code =
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, gzip ? "gzip" : NULL);
  if (code != CURLE_OK)
    return code;
  exchange->compressed = gzip;
  return is_peculiar(endpoint) ? set_peculiar(exchange, endpoint) : CURLE_OK;
}
