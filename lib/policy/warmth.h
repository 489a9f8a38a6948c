/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_WARMTH_H
#define INF_POLICY_WARMTH_H

#include <stdbool.h>
#include <stdint.h>

/* When the connection to a provider is to be made ready for the next call, so
 * that a failover does not begin with a name lookup and handshakes. */

/* A client that had no call for so long warms nothing any more. */
#define INF_WARM_CLIENT_IDLE_NS (300 * 1000000000ull)

/* What is known of the connections to one provider. Zeroed: nothing. */
typedef struct inf_warm_state {
  uint64_t ready_ns;  /* when a connection was last seen to be ready; 0 */
  uint64_t tried_ns;  /* when that last failed */
  uint64_t period_ns; /* 0: the usual one */
  uint32_t failures;  /* in a row */
  bool warmed;        /* ready by a warm-up, and not used since */
  bool hopeless;      /* warming it has no effect */
} inf_warm_state;

/* What came of a warm-up. */
typedef enum inf_warm_outcome {
  INF_WARM_MADE,     /* a new connection waits */
  INF_WARM_THERE,    /* one that was there waits on */
  INF_WARM_FAILED,   /* no connection was to be had */
  INF_WARM_HOPELESS, /* one was, but it cannot be kept */
} inf_warm_outcome;

/* When it is to be warmed next, which may be past; UINT64_MAX: not at all
 * until the client is used again. client_used_ns: its last call; 0: none. */
uint64_t inf_warm_next_ns(const inf_warm_state *state, uint64_t client_used_ns);
void inf_warm_note(inf_warm_state *state, inf_warm_outcome outcome,
                   uint64_t now_ns);
/* A call uses a connection there, or has just left one. */
void inf_warm_note_use(inf_warm_state *state, uint64_t now_ns);
/* A connection has ended with what was cancelled over it. */
void inf_warm_note_cut(inf_warm_state *state);

#endif
