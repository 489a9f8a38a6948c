/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include "base/clock.h"
#include "base/heap.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static const uint64_t timeout_ns = 30 * INF_NS_PER_S;

/* A call has at most two legs at a time: what was asked first, or what took its
 * place, and a hedge. */
typedef struct call call;

typedef struct slot {
  inf_timer timer; /* first content or timeout */
  call *owner;
  leg leg;
  uint64_t content_ns; /* INF_NEVER: it does not come */
  bool alive;
} slot;

struct call {
  inf_timer hedge_timer;
  uint64_t number, arrived_ns;
  slot slots[2];
  unsigned asked; /* members, as bits */
  inf_hedge_claim claim;
  bool hedged;
};

typedef struct world {
  player *who;
  uint64_t seed, now_ns, ended;
  inf_timer_heap legs, hedges;
  calls_result *result;
} world;

#define OWNER(type, member, node) \
  ((type *)(void *)((char *)(node)-offsetof(type, member)))

static void
begin(world *at, call *one, int which, int member, bool first)
{
  slot *mine = &one->slots[which];
  uint64_t takes_ns =
      weather_time_ns(at->seed, member, one->number, at->now_ns);
  mine->owner = one;
  mine->alive = true;
  mine->content_ns = inf_time_add(at->now_ns, takes_ns);
  one->asked |= 1u << member;
  player_begin(at->who, &mine->leg, member, first, at->now_ns);
  uint64_t over_ns = at->now_ns + timeout_ns;
  inf_timer_set(&at->legs, &mine->timer,
                mine->content_ns < over_ns ? mine->content_ns : over_ns);
  at->result->attempts++;
}

static void
arrive(world *at, uint64_t number)
{
  call *one = inf_calloc(1, sizeof *one);
  if (one == NULL)
    abort();
  one->number = number;
  one->arrived_ns = at->now_ns;
  inf_timer_init(&one->hedge_timer);
  for (int i = 0; i < 2; i++)
    inf_timer_init(&one->slots[i].timer);
  size_t order[fleet_size];
  player_order(at->who, at->now_ns, order);
  begin(at, one, 0, (int)order[0], true);
  uint64_t fire_ns = player_arm(at->who, &one->slots[0].leg, at->now_ns);
  if (fire_ns != INF_NEVER)
    inf_timer_set(&at->hedges, &one->hedge_timer, fire_ns);
}

static void
fire(world *at, call *one)
{
  int member = player_next(at->who, one->asked, at->now_ns);
  if (!player_fire(at->who, member, &one->claim))
    return;
  begin(at, one, 1, member, false);
  one->hedged = true;
  at->result->hedges++;
}

static void
finish(world *at, call *one, int winner)
{
  slot *other = &one->slots[!winner];
  bool raced = one->hedged && other->alive;
  if (other->alive) {
    inf_timer_cancel(&at->legs, &other->timer);
    player_end(at->who, &other->leg, INF_OUTLOOK_CANCELLED, at->now_ns);
  }
  inf_timer_cancel(&at->hedges, &one->hedge_timer);
  player_settle(at->who, &one->claim, raced, winner == 1);
  calls_result *result = at->result;
  result->times_s[at->ended++] = (double)(at->now_ns - one->arrived_ns) / 1e9;
  double excess = (double)result->hedges / (double)at->ended - at->who->budget;
  if (at->ended >= 1000 && excess > result->worst_excess)
    result->worst_excess = excess;
  inf_free(one);
}

/* Content, or the timeout: then another target, if no other leg lives. */
static void
leg_due(world *at, slot *mine)
{
  call *one = mine->owner;
  int which = mine == &one->slots[1];
  bool content = mine->content_ns <= at->now_ns;
  mine->alive = false;
  player_end(at->who, &mine->leg,
             content ? INF_OUTLOOK_CONTENT : INF_OUTLOOK_FAILED, at->now_ns);
  if (content) {
    finish(at, one, which);
    return;
  }
  if (one->slots[!which].alive)
    return;
  inf_timer_cancel(&at->hedges, &one->hedge_timer);
  int member = player_next(at->who, one->asked, at->now_ns);
  if (member < 0) { /* all three are silent: from the beginning */
    one->asked = 0;
    member = player_next(at->who, 0, at->now_ns);
  }
  begin(at, one, which, member, false);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
  return a < b ? a : b;
}

void
calls_play(player *who, double rate, uint64_t seed, calls_result *result)
{
  world at = {.who = who, .seed = seed, .now_ns = 1, .result = result};
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  uint64_t arrived = 0, next_ns = 1;
  result->attempts = result->hedges = 0;
  result->worst_excess = -1;
  while (at.ended < result->count) {
    at.now_ns = least(next_ns, least(inf_timer_next_ns(&at.legs),
                                     inf_timer_next_ns(&at.hedges)));
    inf_timer *timer;
    while ((timer = inf_timer_pop_due(&at.legs, at.now_ns)))
      leg_due(&at, OWNER(slot, timer, timer));
    while ((timer = inf_timer_pop_due(&at.hedges, at.now_ns)))
      fire(&at, OWNER(call, hedge_timer, timer));
    if (next_ns > at.now_ns)
      continue;
    arrive(&at, arrived++);
    double gap_s = -log(1 - inf_rng_double(&rng)) / rate;
    next_ns = arrived == result->count
                  ? INF_NEVER
                  : at.now_ns + 1 + (uint64_t)(gap_s * 1e9);
  }
}
