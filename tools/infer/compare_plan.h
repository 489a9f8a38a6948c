/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_PLAN_H
#define INF_TOOLS_COMPARE_PLAN_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which request when. Pure: no clock, nothing is sent.
 *
 * A run goes through levels of concurrency. Each level is a number of rounds;
 * in a round every subject (a target or a route) has one turn, in an order that
 * is drawn anew, and all are asked the same prompts. One subject is at work at
 * a time: they do not compete for this machine's network, a route does not
 * compete with its own targets, and all see the same minutes. Prompts come from
 * a shuffled deck, so that all are used about equally often. */

typedef struct inf_cmp_deck {
  inf_rng *rng;
  size_t *cards, count, next;
} inf_cmp_deck;

/* False if memory is short. */
bool inf_cmp_deck_init(inf_cmp_deck *deck, size_t count, inf_rng *rng);
size_t inf_cmp_deck_draw(inf_cmp_deck *deck);
void inf_cmp_deck_fini(inf_cmp_deck *deck);

/* Puts 0 to count - 1 into order, each order as likely as the other. */
void inf_cmp_shuffle(inf_rng *rng, size_t *order, size_t count);

typedef struct inf_cmp_level {
  uint32_t concurrency;
  uint32_t rounds;
  uint32_t per_turn;  /* requests of one turn */
  uint32_t last_turn; /* of one in the last round */
} inf_cmp_level;

/* The level that the figures are about: `requests` requests to each subject, in
 * turns as short as the concurrency allows. */
inf_cmp_level inf_cmp_base_level(uint32_t requests, uint32_t concurrency);
/* Requests to each subject at the level, and in a round of it. */
uint32_t inf_cmp_level_requests(const inf_cmp_level *level);
uint32_t inf_cmp_turn_requests(const inf_cmp_level *level, uint32_t round);
/* A step of the ladder: fewer requests, in turns of twice the concurrency, so
 * that the last ones of a turn, which run alone, count for less. */
inf_cmp_level inf_cmp_ladder_level(uint32_t concurrency);

/* Requests to one subject that climbs all the way, without warm-up. */
uint64_t inf_cmp_most_requests(uint32_t requests, uint32_t base,
                               uint32_t max_concurrency, bool ladder);

/* The concurrency of the level after this one: twice as much, but never past
 * the base without stopping there. */
uint32_t inf_cmp_next_concurrency(uint32_t concurrency, uint32_t base);

/* What a subject did at a level. */
typedef struct inf_cmp_step {
  size_t subject;
  uint32_t concurrency;
  uint32_t requests, ok;
  uint32_t refused; /* 429, 503 and their like */
  uint32_t waited;  /* were held back by a rate limit that we know of */
  int64_t output_tokens;
  double busy_ms; /* its requests' times together */
  int stop;       /* INF_CMP_STOP_*: why it climbs no further */
} inf_cmp_step;

#define INF_CMP_STOP_NOT       0 /* climbs on */
#define INF_CMP_STOP_PUSHBACK  1 /* refuses, or its rate limit holds us back */
#define INF_CMP_STOP_FAILING   2 /* half of the requests or more fail */
#define INF_CMP_STOP_NO_FASTER 3 /* twice the load, no more throughput */
#define INF_CMP_STOP_TOP       4 /* the highest level that was asked for */
#define INF_CMP_STOP_ENDED     5 /* interrupted, or the budget is used up */

/* Shares above which a target pushes back. One refusal in twenty is more than
 * a passing fault, and two are more than an accident. */
#define INF_CMP_PUSHBACK_SHARE 0.05
#define INF_CMP_PUSHBACK_LEAST 2
/* Throughput that twice the concurrency has to add: below it, requests only
 * wait for one another. */
#define INF_CMP_LEAST_GAIN 0.1

/* Output tokens in a second; requests answered in a second where the provider
 * tells no tokens. That is of as many streams as the concurrency, all of them
 * always busy (Little's law): the end of a turn, when some are idle, does not
 * count. */
double inf_cmp_step_throughput(const inf_cmp_step *step);
/* The same where it is of tokens; NAN where answers came without telling
 * any. */
double inf_cmp_step_tokens_per_s(const inf_cmp_step *step);
/* Why the subject does not go to the next level: INF_CMP_STOP_*. before is its
 * step on the level below; NULL on the first. */
int inf_cmp_climb(const inf_cmp_step *before, const inf_cmp_step *step,
                  uint32_t max_concurrency);
/* One or two words for INF_CMP_STOP_*; "" for NOT. */
const char *inf_cmp_stop_text(int stop);

#endif
