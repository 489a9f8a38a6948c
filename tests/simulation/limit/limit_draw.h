/* SPDX-License-Identifier: MIT */
#ifndef LIMIT_DRAW_H
#define LIMIT_DRAW_H

#include "base/rng.h"
#include "policy/limit.h"

/* What limit_steps draws at random: rules, costs and waits, usual ones and
 * extreme ones. */

bool draw_chance(inf_rng *rng, uint64_t one_in);
/* Of any size up to `most`, small ones as likely as large ones. */
uint64_t draw_size(inf_rng *rng, uint64_t most);
/* The limit and burst of a rule. */
void draw_rate(inf_rng *rng, inf_limit_rule *rule);
uint64_t draw_burst_of(const inf_limit_rule *rule);
void draw_rules(inf_rng *rng, inf_limit_rules *rules);
/* One more, unless it is of a kind and period that is there. */
void draw_add_rule(inf_rng *rng, inf_limit_rules *rules);
/* Down to one in most_share of the smallest burst of tokens. */
inf_limit_cost draw_cost(inf_rng *rng, const inf_limit_rules *rules,
                         uint64_t most_share, bool all_small);
inf_limit_cost draw_actual(inf_rng *rng, const inf_limit_cost *reserved);
/* As a rule so long that some share of a burst drains. */
uint64_t draw_wait_ns(inf_rng *rng, const inf_limit_rules *rules,
                      uint64_t pace);

#endif
