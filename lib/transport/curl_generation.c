/* SPDX-License-Identifier: MIT */
/* The connections of the curl transport: generations of multi handles, and the
 * sockets that they open and wait for.
 *
 * IMPLEMENTATION NOTES
 *
 * Idle connections belong to a multi handle, and libcurl has no function that
 * closes them. So the transport has generations, each a multi handle:
 * retire_idle() makes a new one for all later exchanges, and an older one is
 * freed, with its idle connections, when its last exchange ends. It also
 * forgets the names that were looked up before a suspend. TLS sessions are
 * shared by all generations and by all pooled handles: without the share each
 * handle would remember only its own.
 *
 * Every socket is made by our own function, which marks it close-on-exec and
 * in a bit map, for a forked child to close. SIGPIPE is neither raised (libcurl
 * sends with MSG_NOSIGNAL, also below OpenSSL) nor its handler touched. */
#include "transport/curl_exchange.h"

#include "base/mem.h"
#include "base/place.h"

#include <sys/socket.h>
#include <unistd.h>

/* ---- Sockets ------------------------------------------------------------ */

static bool
make_room(inf_curl *transport, size_t at)
{
  inf_open_sockets *old = atomic_load(&transport->open_sockets);
  if (old && at < old->size)
    return true;
  size_t size = at < 64 ? 128 : at * 2;
  inf_open_sockets *made = inf_calloc(1, sizeof *made + size);
  if (!made)
    return false;
  made->size = size;
  if (old)
    memcpy(made->bits, old->bits, old->size);
  atomic_store(&transport->open_sockets, made);
  inf_free(old);
  return true;
}

static bool
note_open(inf_curl *transport, int fd)
{
  size_t at = (size_t)fd / 8;
  if (!make_room(transport, at))
    return false;
  inf_open_sockets *open = atomic_load(&transport->open_sockets);
  open->bits[at] |= (uint8_t)(1u << fd % 8);
  return true;
}

/* Before the descriptor is closed: once it is, it may be anybody's. */
static void
note_closed(inf_curl *transport, int fd)
{
  inf_open_sockets *open = atomic_load(&transport->open_sockets);
  size_t at = (size_t)fd / 8;
  if (open && at < open->size)
    open->bits[at] &= (uint8_t) ~(1u << fd % 8);
}

curl_socket_t
inf_curl_open_socket(void *context, curlsocktype purpose,
                     struct curl_sockaddr *address)
{
  (void)purpose;
  inf_exchange *exchange = context;
  if (exchange->sent) { /* libcurl is about to send the request again */
    inf_exchange_refuse_resend(exchange);
    return CURL_SOCKET_BAD;
  }
  if (exchange->lookup)
    return inf_lookup_take(exchange->lookup, address);
  inf_exchange_note_connecting(exchange);
  int type = address->socktype;
#if defined(SOCK_CLOEXEC)
  type |= SOCK_CLOEXEC;
#endif
  int fd = socket(address->family, type, address->protocol);
  if (fd < 0)
    return CURL_SOCKET_BAD;
  if (!note_open(exchange->transport, fd)) {
    exchange->no_memory = true; /* unless another address is had */
    close(fd);
    return CURL_SOCKET_BAD;
  }
  return fd;
}

static bool
is_ours(const inf_curl *transport, int fd)
{
  const inf_open_sockets *open = atomic_load(&transport->open_sockets);
  size_t at = (size_t)fd / 8;
  return open && at < open->size && (open->bits[at] & 1u << fd % 8) != 0;
}

int
inf_curl_close_socket(void *context, curl_socket_t fd)
{
  inf_curl *transport = context;
  inf_poller_set(transport->poller, fd, 0, 0);
  note_closed(transport, fd);
  return close(fd);
}

/* The connections are the parent's: no TLS alert, no END_STREAM, no epoll_ctl
 * may come from here. */
void
inf_curl_close_sockets(inf_curl *transport)
{
  const inf_open_sockets *open = atomic_load(&transport->open_sockets);
  for (size_t fd = 0; open && fd < open->size * 8; fd++)
    if (open->bits[fd / 8] & 1u << fd % 8)
      close((int)fd);
}

/* An error told to libcurl here would end every transfer of the multi handle
 * without a word; so the generation is marked, and run() ends them. */
INF_HOT static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *known)
{
  (void)easy;
  (void)known;
  inf_generation *generation = context;
  unsigned mask = 0;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
    mask |= INF_POLL_IN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
    mask |= INF_POLL_OUT;
  inf_curl *transport = generation->owner;
  /* Of a socket of our own we hear when it is closed. */
  if (what == CURL_POLL_REMOVE && is_ours(transport, fd))
    inf_poller_rest(transport->poller, fd);
  else if (!inf_poller_set(transport->poller, fd, mask, generation->id))
    generation->broken = true;
  return 0;
}

/* 0 stands for "now": most of libcurl's timers, and no clock is read. */
INF_HOT static int
on_timer(CURLM *multi, long timeout_ms, void *context)
{
  (void)multi;
  inf_generation *generation = context;
  const inf_clock *clock = generation->owner->options.clock;
  if (timeout_ms <= 0)
    generation->timer_ns = timeout_ms < 0 ? INF_NEVER : 0;
  else
    generation->timer_ns = inf_time_add(inf_clock_now(clock),
                                        (uint64_t)timeout_ms * INF_NS_PER_MS);
  return 0;
}

/* ---- Generations -------------------------------------------------------- */

inf_generation *
inf_generation_of(inf_list *node)
{
  return INF_CONTAINER_OF(node, inf_generation, node);
}

bool
inf_generation_add(inf_curl *transport)
{
  inf_generation *generation = inf_calloc(1, sizeof *generation);
  CURLM *multi = generation ? curl_multi_init() : NULL;
  if (!multi) {
    inf_free(generation);
    return false;
  }
  generation->owner = transport;
  generation->multi = multi;
  generation->timer_ns = INF_NEVER;
  generation->id = ++transport->last_id;
  inf_list_init(&generation->live);
  inf_list_push_front(&transport->generations, &generation->node);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, generation);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, generation);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                    (long)transport->options.max_idle_connections);
  return true;
}

void
inf_generation_free(inf_generation *generation)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&generation->live))) /* ghosts */
    inf_exchange_recycle(INF_CONTAINER_OF(node, inf_exchange, node));
  inf_list_remove(&generation->node);
  curl_multi_cleanup(generation->multi);
  inf_free(generation);
}

void
inf_generations_free_drained(inf_curl *transport)
{
  inf_list *node = transport->generations.next->next;
  while (node != &transport->generations) {
    inf_generation *generation = inf_generation_of(node);
    node = node->next;
    if (inf_list_empty(&generation->live))
      inf_generation_free(generation);
  }
}

bool
inf_generations_retire(inf_curl *transport)
{
  transport->retire_wanted = !inf_generation_add(transport);
  inf_lookups_cancel(transport);
  inf_generations_free_drained(transport);
  return !transport->retire_wanted;
}

void
inf_curl_retire(inf_curl *transport)
{
  transport->retire_wanted = true;
  if (!transport->running)
    inf_generations_retire(transport);
}

INF_HOT inf_generation *
inf_generation_find(inf_curl *transport, uint32_t id)
{
  inf_list *end = &transport->generations;
  for (inf_list *node = end->next; node != end; node = node->next)
    if (inf_generation_of(node)->id == id)
      return inf_generation_of(node);
  return NULL;
}
