/* SPDX-License-Identifier: MIT */
/* Addresses that outlive libcurl's cache: names are looked up beside the
 * exchanges that use them, and what was found is put in place of what was
 * known. When that is to happen is decided in names.c.
 *
 * IMPLEMENTATION NOTES
 *
 * libcurl looks a name up when the first exchange needs it, as ever. Its
 * handles are told to use that address however old it becomes
 * (CURLOPT_DNS_CACHE_TIMEOUT -1), so that no later exchange waits for a
 * resolver; we see to it that it does not become too old.
 *
 * A lookup is an exchange that is offered each address in turn
 * (CURLOPT_OPENSOCKETFUNCTION), notes and refuses it: libcurl's resolver does
 * the wait, with a thread of its own or not, and CURLOPT_QUICK_EXIT lets us
 * leave. The cache of the multi handle would answer it; a share with another
 * cache keeps it from there.
 *
 * What was found goes into that cache by CURLOPT_RESOLVE, which libcurl reads
 * as soon as a transfer begins: a transfer of a URL that it then refuses, so
 * that no exchange of a call carries the list or depends on who does. Entries
 * put there stay for ever, and are only replaced or removed ("-host:port") in
 * the same way.
 *
 * Where no_proxy says that some hosts are reached without the proxy, one
 * cannot know which name an exchange will look up. libcurl's own limit stays
 * then, and only the proxy's addresses that we put there outlive it. */
#include "transport/curl_exchange.h"

#include "base/mem.h"
#include "infer/infer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* The resolver's own limits are lower, as a rule: 5 s, twice, for each of up
 * to three servers. */
enum { lookup_timeout_ms = 30000 };
/* libcurl's own limit of an address's age. */
enum { usual_cache_seconds = 60 };
/* More addresses than that are not used. */
enum { max_addresses = 16 };
/* A cancelled exchange had no connection for so long: its address is no
 * good. */
#define PATIENCE_NS (1 * INF_NS_PER_S)

/* A lookup, or a change of the addresses in libcurl's cache. */
typedef struct inf_lookup {
  inf_list node; /* in transport->lookups */
  inf_curl *transport;
  inf_exchange *exchange;
  inf_name *name; /* held; NULL: a change */
  size_t count;
  inf_buf url;
  inf_buf entry; /* "host:port:address,address" or "-host:port" */
  struct curl_slist list;
} inf_lookup;

static const inf_endpoint plain = {.tls_verify = true};

static bool
nothing_comes(void *context, int status, const inf_headers *headers)
{
  (void)context;
  (void)status;
  (void)headers;
  return false;
}

static void
lookup_free(inf_lookup *lookup)
{
  if (lookup->name)
    inf_names_release(&lookup->transport->names, lookup->name);
  inf_list_remove(&lookup->node);
  inf_buf_fini(&lookup->url);
  inf_buf_fini(&lookup->entry);
  inf_free(lookup);
}

static inf_lookup *
lookup_new(inf_curl *transport)
{
  inf_lookup *lookup = inf_calloc(1, sizeof *lookup);
  if (!lookup)
    return NULL;
  lookup->transport = transport;
  inf_buf_init(&lookup->url, 1024);
  inf_buf_init(&lookup->entry, 1024 + max_addresses * INET6_ADDRSTRLEN);
  inf_list_push_back(&transport->lookups, &lookup->node);
  return lookup;
}

/* An exchange for it, whose handle is as new afterwards. */
static bool
make_exchange(inf_lookup *lookup, const inf_exchange_events *events)
{
  const inf_http_request request = {.method = "GET",
                                    .url = inf_buf_cstr(&lookup->url),
                                    .endpoint = &plain,
                                    .fresh_connection = true};
  if (lookup->url.status != INFER_OK || lookup->entry.status != INFER_OK)
    return false;
  lookup->exchange =
      inf_exchange_make(lookup->transport, &request, events, lookup);
  if (!lookup->exchange)
    return false;
  lookup->exchange->peculiar = true;
  return true;
}

/* ---- Changing what libcurl knows ----------------------------------------- */

static void
on_changed(void *context, const inf_exchange_result *result)
{
  (void)result; /* always that the URL is refused */
  lookup_free(context);
}

static const inf_exchange_events change_events = {.on_headers = nothing_comes,
                                                  .on_done = on_changed};

/* Puts the entry into the newest generation's cache. Takes over lookup. */
static void
change(inf_lookup *lookup)
{
  inf_buf_clear(&lookup->url);
  inf_buf_append_cstr(&lookup->url, "none://none/");
  if (!make_exchange(lookup, &change_events)) {
    lookup_free(lookup);
    return;
  }
  lookup->list.data = lookup->entry.ptr;
  curl_easy_setopt(lookup->exchange->easy, CURLOPT_RESOLVE, &lookup->list);
  inf_exchange_launch(lookup->exchange);
}

static void
drop_addresses(inf_curl *transport, const inf_name *name)
{
  inf_lookup *lookup = lookup_new(transport);
  if (!lookup)
    return;
  inf_buf_appendf(&lookup->entry, "-%s:%u", name->host, (unsigned)name->port);
  change(lookup);
}

/* ---- Lookups ------------------------------------------------------------- */

curl_socket_t
inf_lookup_take(inf_lookup *lookup, const struct curl_sockaddr *address)
{
  char text[INET6_ADDRSTRLEN];
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (lookup->count >= max_addresses)
    return CURL_SOCKET_BAD;
  if (address->family == AF_INET) {
    memcpy(&v4, &address->addr, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    inf_buf_appendf(&lookup->entry, "%s%s", lookup->count > 0 ? "," : "", text);
  } else if (address->family == AF_INET6) {
    memcpy(&v6, &address->addr, sizeof v6);
    if (v6.sin6_scope_id != 0) /* CURLOPT_RESOLVE has no way to say it */
      return CURL_SOCKET_BAD;
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    inf_buf_appendf(&lookup->entry, "%s[%s]", lookup->count > 0 ? "," : "",
                    text);
  } else {
    return CURL_SOCKET_BAD;
  }
  lookup->count++;
  return CURL_SOCKET_BAD;
}

static void
on_looked_up(void *context, const inf_exchange_result *result)
{
  inf_lookup *lookup = context;
  inf_curl *transport = lookup->transport;
  uint64_t now_ns = inf_clock_now(transport->options.clock);
  bool found = lookup->count > 0 && lookup->entry.status == INFER_OK;
  inf_name_found(lookup->name, found, now_ns);
  inf_logf(transport->options.log, INFER_LOG_DEBUG, "lookup of %s: %s",
           lookup->name->host, found ? "answered" : result->detail);
  if (found)
    change(lookup);
  else
    lookup_free(lookup);
}

static const inf_exchange_events lookup_events = {.on_headers = nothing_comes,
                                                  .on_done = on_looked_up};

static void
set_lookup_options(inf_lookup *lookup)
{
  CURL *easy = lookup->exchange->easy;
  curl_easy_setopt(easy, CURLOPT_SHARE, lookup->transport->lookup_share);
  curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)lookup_timeout_ms);
  /* Addresses of the other family are offered so much later. */
  curl_easy_setopt(easy, CURLOPT_HAPPY_EYEBALLS_TIMEOUT_MS, 1L);
}

static void
look_up(inf_curl *transport, const inf_name *name)
{
  inf_lookup *lookup = lookup_new(transport);
  if (!lookup)
    return;
  inf_buf_appendf(&lookup->url, "http://%s:%u/", name->host,
                  (unsigned)name->port);
  inf_buf_appendf(&lookup->entry, "%s:%u:", name->host, (unsigned)name->port);
  inf_sv host = inf_sv_of(name->host, name->host_len);
  lookup->name = inf_names_hold(&transport->names, host, name->port);
  if (!lookup->name || !make_exchange(lookup, &lookup_events)) {
    lookup_free(lookup);
    return;
  }
  lookup->exchange->lookup = lookup;
  set_lookup_options(lookup);
  inf_name_looking(lookup->name);
  inf_exchange_launch(lookup->exchange);
}

void
inf_lookups_cancel(inf_curl *transport)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&transport->lookups))) {
    inf_lookup *lookup = INF_CONTAINER_OF(node, inf_lookup, node);
    inf_exchange_cancel(lookup->exchange);
    if (lookup->name)
      lookup->name->looking = false;
    lookup_free(lookup);
  }
  inf_names_forget(&transport->names);
}

/* ---- The exchange's part ------------------------------------------------- */

static void
set_lasting(inf_exchange *exchange, bool lasting)
{
  if (exchange->lasting == lasting)
    return;
  exchange->lasting = lasting;
  curl_easy_setopt(exchange->easy, CURLOPT_DNS_CACHE_TIMEOUT,
                   lasting ? -1L : (long)usual_cache_seconds);
}

void
inf_exchange_use_name(inf_exchange *exchange, const inf_http_request *request)
{
  const inf_endpoint *endpoint = request->endpoint;
  inf_curl *transport = exchange->transport;
  inf_sv host;
  uint16_t port;
  if (!endpoint->unix_socket && !endpoint->resolve &&
      inf_names_parse(request->url, endpoint->proxy, &host, &port))
    exchange->name = inf_names_hold(&transport->names, host, port);
  bool lasting =
      exchange->name && !(endpoint->no_proxy && endpoint->no_proxy[0]);
  set_lasting(exchange, lasting);
  if (!exchange->name)
    return;
  switch (inf_name_check(exchange->name, lasting, exchange->start_ns)) {
  case INF_NAME_LOOK_UP:
    look_up(transport, exchange->name);
    break;
  case INF_NAME_DROP:
    drop_addresses(transport, exchange->name);
    break;
  case INF_NAME_GO_ON:
    break;
  }
}

void
inf_exchange_note_connecting(inf_exchange *exchange)
{
  if (exchange->connecting_ns > 0 || !exchange->name)
    return;
  exchange->connecting_ns = inf_clock_now(exchange->transport->options.clock);
  inf_name_met(exchange->name, exchange->connecting_ns);
}

/* Did the way end at the address? */
static bool
is_bad_address(const inf_exchange *exchange, inf_net net, uint64_t now_ns)
{
  if (net == INF_NET_ABORTED)
    return now_ns >= exchange->connecting_ns + PATIENCE_NS;
  return net == INF_NET_CONNECT || net == INF_NET_TLS ||
         net == INF_NET_TLS_VERIFY;
}

void
inf_exchange_leave_name(inf_exchange *exchange, inf_net net)
{
  inf_curl *transport = exchange->transport;
  inf_name *name = exchange->name;
  if (!name)
    return;
  exchange->name = NULL;
  if (exchange->connecting_ns > 0 && !exchange->sent) {
    uint64_t now_ns = inf_clock_now(transport->options.clock);
    if (is_bad_address(exchange, net, now_ns) && inf_name_failed(name, now_ns))
      drop_addresses(transport, name);
  }
  inf_names_release(&transport->names, name);
}
