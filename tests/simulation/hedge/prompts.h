/* SPDX-License-Identifier: MIT */
/* Hedging where prompts differ in length: the longer one takes longer and costs
 * more. The time to the first content of n prompt tokens is
 *
 *   (0.25 s + 0.12 ms * n) * lognormal(sigma), and
 *   for 5 % of the attempts 5 s more (a stall),
 *
 * a call costs n + 4 * answer tokens (output is four times as dear as input),
 * and a leg that loses costs its n: it has shown nothing. 5 % of what completed
 * calls cost may be spent. sigma is that of equal prompts: 0.25 and 0.32 in a
 * week of probes of two small models (p95 / p50 of 1.5 and 1.7).
 *
 * Lengths: those of a trace with columns time, context, generated tokens; or,
 * where there is none, independent draws from quantiles of the conversations
 * that Azure published in 2023 (19,366; many prompts lie close to a limit of
 * 4096 tokens). */
#ifndef TESTS_SIMULATION_HEDGE_PROMPTS_H
#define TESTS_SIMULATION_HEDGE_PROMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct prompt {
  uint32_t context, answer; /* tokens */
} prompt;

/* NULL: the file has none, or there is no file. The caller frees it. */
prompt *prompts_read(const char *path, size_t *count);
/* 20,000 from the quantiles. */
prompt *prompts_make(uint64_t seed, size_t *count);

typedef enum prompts_rule {
  PROMPTS_NONE,
  PROMPTS_BLIND,   /* shipped, with one series for all prompts */
  PROMPTS_SHIPPED, /* a series for each bucket of lengths */
  PROMPTS_KNOWN,   /* the shipped solver, told the distributions */
  PROMPTS_RULES,
} prompts_rule;

extern const char *const prompts_names[PROMPTS_RULES];

typedef struct prompts_result {
  double percentile; /* s */
  double spent;      /* on losers, as a share of completed calls */
  double excess;     /* the most by which that was above the budget, ever */
  double solve_ns;   /* mean time of one plan */
} prompts_result;

/* Without hedges, of the distribution itself. A sample's p95 would jump: it
 * lies where the stalls begin, and a sample has 0.1 % of them more or less. In
 * s. */
double prompts_quantile(const prompt *prompts, size_t count, double share,
                        double sigma);

/* Plays calls under one rule, solved for that percentile. The draws are the
 * same for all rules. */
prompts_result prompts_play(const prompt *prompts, size_t count,
                            prompts_rule kind, double share, double sigma,
                            size_t calls, uint64_t seed);

#endif
