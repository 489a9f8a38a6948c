/* SPDX-License-Identifier: MIT */
/* Connections that many exchanges share and that say nothing any more.
 *
 * IMPLEMENTATION NOTES
 *
 * A connection can be dead without a word: an address translator has forgotten
 * it, or the server hangs. With HTTP/1.1 each exchange that is given up takes
 * its connection along. One of HTTP/2 would live on, libcurl would prefer it
 * for new exchanges as it has the fewest streams, and call after call would
 * wait for its timer there.
 *
 * So it is noted when a connection was heard last. One that has been silent
 * for a second when an exchange on it is given up is not used again: without
 * other streams it is closed, and with others libcurl has no means to keep new
 * ones off but a new generation. A provider that thinks for longer loses a
 * connection by this, as it does with HTTP/1.1, and no more than that.
 *
 * A connection is known by its local port. Two that share a place here may be
 * taken for one that was heard; then it is as it would be without all this. */
#include "transport/curl_exchange.h"

#include "base/place.h"

const uint64_t inf_silence_ns = 1 * INF_NS_PER_S;

static inf_line *
line_of(const inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  size_t count = sizeof transport->lines / sizeof transport->lines[0];
  return &transport->lines[exchange->local_port % count];
}

void
inf_silence_join(inf_exchange *exchange, int local_port)
{
  if (exchange->origin == 0)
    return;
  exchange->local_port = (uint16_t)local_port;
  exchange->on_line = true;
  line_of(exchange)->exchanges++;
}

INF_HOT void
inf_silence_note(inf_exchange *exchange)
{
  inf_curl *transport = exchange->transport;
  if (!exchange->on_line)
    return;
  if (transport->turn_ns == 0)
    transport->turn_ns = inf_clock_now(transport->options.clock);
  line_of(exchange)->heard_ns = transport->turn_ns;
}

/* One that is held back says nothing because we do not listen. */
static bool
is_silent(const inf_exchange *exchange)
{
  const inf_curl *transport = exchange->transport;
  uint64_t since_ns = line_of(exchange)->heard_ns;
  if (since_ns < exchange->sent_ns)
    since_ns = exchange->sent_ns;
  uint64_t now_ns = inf_clock_now(transport->options.clock);
  return !exchange->paused &&
         now_ns >= inf_time_add(since_ns, transport->silence_ns);
}

bool
inf_silence_leave(inf_exchange *exchange, bool given_up)
{
  inf_curl *transport = exchange->transport;
  if (!exchange->on_line)
    return false;
  exchange->on_line = false;
  size_t others = --line_of(exchange)->exchanges;
  if (!given_up || !is_silent(exchange))
    return false;
  if (others == 0)
    curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, 1L);
  else if (&exchange->generation->node == transport->generations.next)
    inf_curl_retire(transport);
  return others == 0;
}
