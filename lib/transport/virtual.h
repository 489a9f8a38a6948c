/* SPDX-License-Identifier: MIT */
#ifndef INF_TRANSPORT_VIRTUAL_H
#define INF_TRANSPORT_VIRTUAL_H

#include "base/heap.h"
#include "transport/transport.h"

/* A simulated network under a virtual clock. It delivers bytes: what is above
 * it reads, decides and times out as it does over the real one.
 *
 * Nothing sleeps. run(wait) moves the clock to the next thing that happens on
 * this network, at most by wait, and delivers all that is due then, in the
 * order in which it was planned. The same requests at the same times get the
 * same bytes at the same times: no address, no real clock and no thread has a
 * say in it.
 *
 * Several networks, of several clients, may share a clock. Whoever drives them
 * then turns to the one whose next_timeout_ns() is earliest, which here covers
 * all that will happen by itself.
 *
 * One thread at a time, but for wake(). */

typedef struct inf_virtual_clock {
  inf_clock clock;
  uint64_t now_ns;       /* never 0 */
  int64_t wall_start_ns; /* wall time at now_ns 0 */
} inf_virtual_clock;

void inf_virtual_clock_init(inf_virtual_clock *clock, uint64_t now_ns,
                            int64_t wall_start_ns);

/* How a server meets who wants to connect. */
typedef struct inf_virtual_link {
  uint64_t after_ns; /* INF_NEVER: no word ever comes */
  inf_net net;       /* INF_NET_OK: connected; else why not */
  bool reused;       /* over a connection that waited */
  uint64_t mark;     /* the server's own, for what follows */
} inf_virtual_link;

typedef enum inf_virtual_end {
  INF_VIRTUAL_CLEAN,   /* as the framing announced */
  INF_VIRTUAL_CUT,     /* closed before that */
  INF_VIRTUAL_RESET,   /* the connection broke */
  INF_VIRTUAL_REFUSED, /* HTTP/2: the stream is refused */
  INF_VIRTUAL_NEVER,   /* silence */
} inf_virtual_end;

/* What comes back for a request. Filled by the server; times count from the
 * arrival of the request. Without a status the end alone comes, at end_ns. */
typedef struct inf_virtual_answer {
  int status;
  uint64_t headers_ns;
  inf_headers headers;
  inf_buf body;
  inf_buf pieces; /* of inf_virtual_piece */
  inf_virtual_end end;
  uint64_t end_ns; /* not before the last piece */
} inf_virtual_answer;

/* What was appended to the body since the last piece, up to body_end, arrives
 * as one, at at_ns or with the piece before it, whichever is later. Memory
 * that runs out shows in the status of pieces. */
void inf_virtual_piece_at(inf_virtual_answer *answer, uint64_t at_ns,
                          size_t body_end);

/* The other side of the network. Called within start() and run(); calls
 * nothing of the transport. */
typedef struct inf_virtual_server {
  void (*connect)(void *context, const inf_http_request *request,
                  uint64_t now_ns, inf_virtual_link *link);
  /* The request has arrived. The answer is empty and clean, with status 0. */
  void (*answer)(void *context, uint64_t mark, const inf_http_request *request,
                 uint64_t now_ns, inf_virtual_answer *answer);
  /* The exchange is over, however that came; told_bytes of the body were
   * delivered. */
  void (*over)(void *context, uint64_t mark, uint64_t now_ns,
               size_t told_bytes);
  void *context;
} inf_virtual_server;

/* Longest body of an answer. */
#define INF_VIRTUAL_MAX_BODY_BYTES (64u << 20)

/* The clock and the server must outlive it. NULL when memory is short. */
inf_transport *inf_virtual_transport_new(inf_virtual_clock *clock,
                                         const inf_virtual_server *server);
/* Exchanges that are neither over nor cancelled. */
size_t inf_virtual_live(const inf_transport *transport);

#endif
