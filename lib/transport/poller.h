/* SPDX-License-Identifier: MIT */
#ifndef INF_TRANSPORT_POLLER_H
#define INF_TRANSPORT_POLLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Waiting for sockets: epoll on Linux, poll() elsewhere (or with
 * INFER_FORCE_POLL), and a wake-up from any thread. Level-triggered. Used by
 * one thread, except inf_poller_wake(). */
typedef struct inf_poller inf_poller;

enum { INF_POLL_IN = 1, INF_POLL_OUT = 2, INF_POLL_ERR = 4 };

typedef struct inf_poll_event {
  int fd;
  uint32_t tag;  /* as given with the descriptor */
  unsigned mask; /* INF_POLL_* */
} inf_poll_event;

/* NULL when memory or descriptors are short. */
inf_poller *inf_poller_new(void);
void inf_poller_free(inf_poller *poller);
/* For a forked child: closes the poller's own descriptors, and nothing else,
 * for another thread may have been changing the rest. */
void inf_poller_close(inf_poller *poller);
/* Watches fd for what mask says; mask 0 forgets it. A descriptor must be
 * forgotten before it is closed. False when memory is short. */
bool inf_poller_set(inf_poller *poller, int fd, unsigned mask, uint32_t tag);
/* Gives no events of fd until it is watched again, which costs nothing if that
 * is for the same: a connection between two requests. It too must be forgotten
 * before it is closed. */
void inf_poller_rest(inf_poller *poller, int fd);
/* How many descriptors are watched. */
size_t inf_poller_count(const inf_poller *poller);
/* None is watched, none was left out of the last wait, and nobody has woken
 * it: a wait would only learn of those at rest. */
bool inf_poller_idle(const inf_poller *poller);
/* Waits at most wait_ns (0: not at all; UINT64_MAX: no limit; else never
 * less, unless a signal ends it) and gives up to capacity events. */
size_t inf_poller_wait(inf_poller *poller, uint64_t wait_ns,
                       inf_poll_event *events, size_t capacity);
/* Eager waits look for events for some microseconds before they sleep, as long
 * as what they wait for comes as fast as that. For somebody who waits for one
 * answer only: he has it sooner, and where many are waited for the time would
 * be taken from another. */
void inf_poller_set_eager(inf_poller *poller, bool eager);
/* Were there, perhaps, more events than the last wait gave? They come first in
 * the next one. */
bool inf_poller_left_out(const inf_poller *poller);
/* Ends the present wait, or the next one, at once. Any thread, and signal
 * handlers. Wakes that no wait has seen yet are one and cost next to nothing.
 * What the waker wrote before is seen by the thread whose wait it ends. */
void inf_poller_wake(inf_poller *poller);
/* Readable when a wait would return at once; with poll() this holds for
 * wake-ups only, so whoever waits for it must also call at short intervals. */
int inf_poller_fd(const inf_poller *poller);

#endif
