/* SPDX-License-Identifier: MIT */
/* The times of warm-ups.
 *
 * IMPLEMENTATION NOTES
 *
 * Values:
 * - usual period 50 s: load balancers close a connection that is idle for 60 s
 *   (AWS) or 75 s (nginx); libcurl uses none after 118 s.
 * - shortest period 8 s: a server that closes sooner (uvicorn: 5 s) would cost
 *   a handshake every few seconds; nghttpx gives a client of HTTP/2 that has
 *   said nothing yet 10 s.
 * - delay of the first warm-up 20 ms: the call that woke the client goes
 *   first, and its own connection is then known.
 * - after a failure 50 s, doubled with each further one up to 800 s: a provider
 *   that is down is asked by calls, if by anybody. Failures within a second
 *   are one: many calls may meet the same.
 *
 * Algorithm: a connection that was ready at some time, because a call used it
 * or a warm-up left it, is looked after one period later. When it was gone
 * although nobody used it, the server closes earlier than that, and the period
 * is halved. All of it ends when the client had no call for five minutes. */
#include "policy/warmth.h"

#define S_NS 1000000000ull

static const uint64_t usual_period_ns = 50 * S_NS;
static const uint64_t shortest_period_ns = 8 * S_NS;
static const uint64_t first_delay_ns = 20 * 1000000ull;
static const uint64_t same_moment_ns = 1 * S_NS;
enum { most_doublings = 4 };

static uint64_t
period_of(const inf_warm_state *state)
{
  return state->period_ns > 0 ? state->period_ns : usual_period_ns;
}

static uint64_t
after_failure_ns(const inf_warm_state *state)
{
  uint32_t doublings = state->failures - 1;
  if (doublings > most_doublings)
    doublings = most_doublings;
  return state->tried_ns + (usual_period_ns << doublings);
}

uint64_t
inf_warm_next_ns(const inf_warm_state *state, uint64_t client_used_ns)
{
  if (client_used_ns == 0 || state->hopeless)
    return UINT64_MAX;
  uint64_t next_ns;
  if (state->failures > 0)
    next_ns = after_failure_ns(state);
  else if (state->ready_ns > 0)
    next_ns = state->ready_ns + period_of(state);
  else
    next_ns = client_used_ns + first_delay_ns;
  return next_ns <= client_used_ns + INF_WARM_CLIENT_IDLE_NS ? next_ns
                                                             : UINT64_MAX;
}

void
inf_warm_note(inf_warm_state *state, inf_warm_outcome outcome, uint64_t now_ns)
{
  switch (outcome) {
  case INF_WARM_MADE:
    if (state->warmed && period_of(state) > shortest_period_ns)
      state->period_ns = period_of(state) / 2;
    if (state->period_ns > 0 && state->period_ns < shortest_period_ns)
      state->period_ns = shortest_period_ns;
    break;
  case INF_WARM_THERE:
    break;
  case INF_WARM_FAILED:
    if (state->failures == 0 || now_ns >= state->tried_ns + same_moment_ns)
      state->failures++;
    state->tried_ns = now_ns;
    state->warmed = false;
    return;
  case INF_WARM_HOPELESS:
    state->hopeless = true;
    return;
  }
  state->ready_ns = now_ns;
  state->failures = 0;
  state->warmed = true;
}

void
inf_warm_note_use(inf_warm_state *state, uint64_t now_ns)
{
  state->ready_ns = now_ns;
  state->failures = 0;
  state->warmed = false;
}

void
inf_warm_note_cut(inf_warm_state *state)
{
  state->ready_ns = 0;
  state->warmed = false;
}
