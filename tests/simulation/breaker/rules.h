/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIMULATION_BREAKER_RULES_H
#define TESTS_SIMULATION_BREAKER_RULES_H

#include "base/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The rules of other libraries for one target, written down from their
 * documentation (shared notes, "Retries" and "Breaker"). They are what the
 * shipped code is compared with. */

enum { rule_window = 100, rule_seconds = 120 };

typedef struct rule_state {
  uint64_t open_until_ns;
  uint32_t consecutive, ejections, trials, trials_failed;
  bool open, half_open;
  /* The last 100 results. */
  bool failed[rule_window];
  uint32_t next, count, failures;
  /* By the second, for two minutes. */
  uint64_t second[rule_seconds];
  uint32_t requests[rule_seconds], accepts[rule_seconds];
  int32_t tokens;
} rule_state;

typedef struct sim_rule {
  const char *name;
  uint32_t attempts; /* at most, of one call */
  bool breaks;       /* it is a breaker: it can be open */
  int32_t first_tokens;
  bool (*admit)(rule_state *state, uint64_t now_ns, inf_rng *rng);
  /* retried: of an attempt that is not its call's first. */
  void (*result)(rule_state *state, bool ok, bool retried, uint64_t now_ns);
  bool (*may_retry)(rule_state *state);
} sim_rule;

extern const sim_rule rules[];
extern const size_t rule_count;

void rule_init(const sim_rule *rule, rule_state *state);

#endif
