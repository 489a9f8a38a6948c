/* SPDX-License-Identifier: MIT */
/* Which exchanges share a connection: those that begin while one to their
 * server is being made wait for it, and what a server was seen to speak is
 * remembered.
 *
 * IMPLEMENTATION NOTES
 *
 * libcurl knows only after the TLS handshake whether a server speaks HTTP/2,
 * and meanwhile opens a connection for each exchange. Its own remedy,
 * CURLOPT_PIPEWAIT, is not safe: up to version 8.10 the waiting transfers of
 * all servers stand in one list of which only the head is looked at, so that a
 * server which does not answer keeps up the calls to another; and the waiting
 * ones go on one by one when the connection fails.
 *
 * So the first exchange with a server leads until its request goes out, and
 * later ones follow: they are handed to libcurl when the connection is there.
 * Where ALPN said HTTP/2 they are streams of it, else each opens its own. A
 * leader that ends before frees its followers, and so does patience: a
 * handshake over half the world needs less, a lost SYN needs more.
 *
 * Before the server's SETTINGS have come libcurl assumes that it takes 100
 * streams, the least that RFC 9113 recommends (6.5.2). Therefore a leader
 * takes no more along: the next of those who wait leads the rest. A server
 * that takes fewer refuses the others, and the engine sends them again. Where
 * a connection has as many streams as it may have, libcurl opens another.
 *
 * A server that is known to speak HTTP/1.1 has no leaders. One that answered
 * HTTP_1_1_REQUIRED is asked in HTTP/1.1 from then on. What is remembered may
 * be forgotten at any time: it costs a wait or a refusal.
 *
 * A stream that we end is to be reset, or the provider goes on with an answer
 * that nobody reads. libcurl 7.88 makes the RST_STREAM frame, but leaves it in
 * its buffer until something else is sent on the connection, which may be
 * never. So the exchange passes through libcurl once more, as a ghost: it gets
 * the connection, has the buffer sent by pausing and resuming, and is aborted
 * before a request is made. Where it would need another connection it fails.
 * Of several connections to a server it may get another than the one that it
 * had; there the frame waits for the next that is sent. */
#include "transport/curl_exchange.h"

#include "base/place.h"

const uint64_t inf_multiplex_patience_ns = 500 * INF_NS_PER_MS;
/* Streams of a connection whose SETTINGS have not come. */
enum { streams_at_first = 100 };

/* ---- Servers ------------------------------------------------------------- */

static size_t
origin_len(const char *url)
{
  static const char scheme[] = "https://";
  size_t len = sizeof scheme - 1;
  return strncmp(url, scheme, len) == 0 ? len + strcspn(url + len, "/?#") : 0;
}

uint64_t
inf_multiplex_origin(const char *url, const inf_endpoint *endpoint)
{
  size_t len = endpoint->http_version == 1 ? 0 : origin_len(url);
  uint64_t hash = 0;
  if (len > 0) { /* FNV-1a; 0 stands for none */
    hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
      hash = (hash ^ (unsigned char)url[i]) * 0x100000001b3u;
  }
  return hash;
}

static inf_server *
server_of(inf_exchange *exchange)
{
  size_t count = sizeof exchange->transport->servers /
                 sizeof exchange->transport->servers[0];
  return &exchange->transport->servers[exchange->origin % count];
}

inf_http
inf_multiplex_spoken(inf_exchange *exchange)
{
  const inf_server *server = server_of(exchange);
  return exchange->origin > 0 && server->origin == exchange->origin
             ? server->spoken
             : INF_HTTP_UNKNOWN;
}

void
inf_multiplex_learn(inf_exchange *exchange, inf_http spoken)
{
  if (exchange->origin > 0 &&
      inf_multiplex_spoken(exchange) != INF_HTTP_1_REQUIRED)
    *server_of(exchange) = (inf_server){exchange->origin, spoken};
}

/* ---- Leaders and followers ----------------------------------------------- */

static inf_exchange *
leader_of(inf_list *node)
{
  return INF_CONTAINER_OF(node, inf_exchange, leader_node);
}

static inf_exchange *
find_leader(inf_curl *transport, uint64_t origin)
{
  inf_list *end = &transport->leaders;
  for (inf_list *node = end->next; node != end; node = node->next)
    if (leader_of(node)->origin == origin)
      return leader_of(node);
  return NULL;
}

bool
inf_multiplex_hold(inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  if (exchange->origin == 0 || exchange->waited || exchange->lookup ||
      inf_multiplex_spoken(exchange) >= INF_HTTP_1)
    return false;
  inf_exchange *leader = find_leader(transport, exchange->origin);
  if (leader) {
    inf_list_remove(&exchange->node);
    inf_list_push_back(&leader->followers, &exchange->node);
    return true;
  }
  exchange->lead_until_ns = inf_time_add(
      inf_clock_now(transport->options.clock), transport->patience_ns);
  inf_list_push_back(&transport->leaders, &exchange->leader_node);
  return false;
}

/* So many of its followers need not wait any longer; the first of the others
 * leads them. */
static void
end_lead(inf_exchange *leader, size_t take)
{
  inf_curl *transport = leader->transport;
  inf_list *node;
  inf_list_remove(&leader->leader_node);
  for (size_t i = 0; (node = inf_list_pop_front(&leader->followers)); i++) {
    inf_exchange *follower = INF_CONTAINER_OF(node, inf_exchange, node);
    follower->waited = i < take;
    inf_list_push_back(&transport->starting, node);
  }
}

void
inf_multiplex_leave(inf_exchange *exchange, inf_leave why)
{
  static const size_t take[] = {
      [INF_LEAVE_SENT] = streams_at_first - 1,
      [INF_LEAVE_FAILED] = SIZE_MAX,
      [INF_LEAVE_CANCELLED] = 0,
  };
  if (!inf_list_empty(&exchange->leader_node))
    end_lead(exchange, take[why]);
}

INF_HOT uint64_t
inf_multiplex_next_ns(const inf_curl *transport)
{
  const inf_list *end = &transport->leaders;
  uint64_t next_ns = INF_NEVER;
  for (inf_list *node = end->next; node != end; node = node->next)
    if (leader_of(node)->lead_until_ns < next_ns &&
        !inf_list_empty(&leader_of(node)->followers))
      next_ns = leader_of(node)->lead_until_ns;
  return next_ns;
}

INF_HOT void
inf_multiplex_serve_timer(inf_curl *transport)
{
  uint64_t next_ns = inf_multiplex_next_ns(transport);
  if (next_ns == INF_NEVER)
    return;
  uint64_t now_ns = inf_clock_now(transport->options.clock);
  inf_list *node = transport->leaders.next;
  while (node != &transport->leaders) {
    inf_exchange *leader = leader_of(node);
    node = node->next;
    if (leader->lead_until_ns <= now_ns)
      end_lead(leader, SIZE_MAX);
  }
}

/* ---- Ghosts -------------------------------------------------------------- */

bool
inf_multiplex_haunt(inf_exchange *exchange)
{
  inf_generation *generation = exchange->generation;
  CURL *easy = exchange->easy;
  if (exchange->origin == 0 || !exchange->sent ||
      exchange->state == INF_EXCHANGE_GHOST ||
      inf_multiplex_spoken(exchange) >= INF_HTTP_1)
    return false;
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, NULL);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
  if (curl_multi_add_handle(generation->multi, easy) != CURLM_OK)
    return false;
  exchange->state = INF_EXCHANGE_GHOST;
  inf_list_remove(&exchange->node);
  inf_list_push_back(&generation->live, &exchange->node);
  return true;
}

void
inf_multiplex_flush(inf_exchange *ghost)
{
  curl_easy_pause(ghost->easy, CURLPAUSE_RECV);
  curl_easy_pause(ghost->easy, CURLPAUSE_CONT);
}
