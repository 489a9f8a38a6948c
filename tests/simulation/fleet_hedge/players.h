/* SPDX-License-Identifier: MIT */
/* Who decides where a call goes and whether it is hedged: the shipped policies,
 * and the rules of others. All fail over to another target after 30 s. */
#ifndef TESTS_SIMULATION_FLEET_HEDGE_PLAYERS_H
#define TESTS_SIMULATION_FLEET_HEDGE_PLAYERS_H

#include "policy/hedge.h"
#include "policy/outlook.h"
#include "policy/series.h"
#include "weather.h"

#include <stddef.h>

typedef enum player_kind {
  PLAYER_SHIPPED,
  PLAYER_UNHEDGED,     /* the shipped routing alone */
  PLAYER_FIXED,        /* the first of the fleet, then the next ones */
  PLAYER_FIXED_HEDGED, /* the same, with the shipped hedges */
  PLAYER_PEAK_EWMA,    /* Finagle: two choices, the least loaded peak-EWMA */
  PLAYER_PEAK_BEST,    /* the least of all, 1 in 100 explores */
  PLAYER_KINDS,
} player_kind;

extern const char *const player_names[PLAYER_KINDS];

/* Finagle's peak-EWMA. */
typedef struct peak {
  double cost_s;
  uint64_t at_ns;
  uint32_t pending;
} peak;

typedef struct player {
  player_kind kind;
  double budget;
  inf_rng rng;
  peak peaks[fleet_size];
  inf_outlook outlooks[fleet_size];
  /* Hedging. */
  inf_series_room room;
  inf_series series[fleet_size];
  inf_survival survivals[fleet_size];
  uint64_t late_ns[fleet_size];
  inf_slowdown slowdowns[fleet_size];
  double asked[fleet_size]; /* share of first attempts, of late */
  inf_hedge_params params;
  inf_hedge hedge;
  inf_hedge_budget money;
  inf_single_r_work work;
} player;

/* One attempt at a member. */
typedef struct leg {
  int member;
  uint64_t began_ns;
  inf_outlook_attempt outlook;
} leg;

void player_init(player *at, player_kind kind, double share, double budget,
                 uint64_t seed);
void player_fini(player *at);
bool player_hedges(const player *at);

/* The fleet, in the order in which a call is sent to it now. */
void player_order(player *at, uint64_t now_ns, size_t *order);
/* The member that is to be asked beside or after those that were; -1: none. */
int player_next(player *at, unsigned asked, uint64_t now_ns);
void player_begin(player *at, leg *one, int member, bool first,
                  uint64_t now_ns);
void player_end(player *at, leg *one, inf_outlook_end_kind how,
                uint64_t now_ns);
/* When the call whose first leg this is would be hedged; INF_NEVER: not. */
uint64_t player_arm(player *at, const leg *first, uint64_t now_ns);
bool player_fire(player *at, int member, inf_hedge_claim *claim);
/* The race is over, or the call had none (claim zeroed). */
void player_settle(player *at, inf_hedge_claim *claim, bool raced, bool won);

#endif
