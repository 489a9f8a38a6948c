/* SPDX-License-Identifier: MIT */
/* What one admission in three dimensions costs, and the settling after it.
 *
 *   limit_admit
 *
 * prints "limit_admit_ns N" (the median of rounds), and on lines that begin
 * with '#' the same in other situations. */
#include "base/clock.h"
#include "policy/limit.h"

#include <stdio.h>
#include <stdlib.h>

enum { rounds = 501, calls = 1000, open_calls = 32 };

static const inf_limit_rules three = {
    .rule = {{INF_LIMIT_REQUESTS, 15, INF_NS_PER_S, 0},
             {INF_LIMIT_REQUESTS, 600, 60 * INF_NS_PER_S, 0},
             {INF_LIMIT_TOKENS, 600000, 60 * INF_NS_PER_S, 0}},
    .count = 3,
    .concurrency = 1000};

typedef enum situation {
  ADMIT,   /* admitted, and never settled */
  SETTLE,  /* admitted, and one of 32 that run settled with less */
  REFUSE,  /* has to wait */
  FILLING, /* the debt rises all the time: most lows to be kept */
} situation;

static volatile uint64_t sink;

/* Nanoseconds per call of one round. */
static double
run_round(situation in)
{
  static inf_limit_reservation open[open_calls];
  inf_limiter limiter;
  inf_limit_rules rules = three;
  inf_limit_cost cost = {1, 300, 700};
  if (in == ADMIT || in == FILLING)
    rules.concurrency = 0;
  if (in == FILLING)
    for (size_t i = 0; i < rules.count; i++)
      rules.rule[i].burst = INF_GCRA_UNITS_MAX;
  inf_limit_init(&limiter, &rules);
  uint64_t step_ns = in == ADMIT || in == SETTLE ? INF_NS_PER_S / 10 : 0;
  uint64_t now_ns = INF_NS_PER_S, admitted = 0;
  for (size_t i = 0; i < open_calls; i++)
    open[i].open = false;
  uint64_t begin_ns = inf_clock_now(inf_clock_system());
  for (size_t i = 0; i < calls; i++) {
    inf_limit_reservation *one = &open[i % open_calls];
    if (in == SETTLE)
      inf_limit_settle(&limiter, one, &(inf_limit_cost){1, 290, 400}, now_ns);
    now_ns += step_ns;
    cost.output_tokens = 500 + i % 400;
    admitted += inf_limit_reserve(&limiter, &cost, 0, now_ns, one).outcome ==
                INF_LIMIT_ADMITTED;
  }
  uint64_t end_ns = inf_clock_now(inf_clock_system());
  sink += admitted;
  return (double)(end_ns - begin_ns) / calls;
}

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double
measure(situation in)
{
  double ns[rounds];
  for (size_t i = 0; i < rounds; i++)
    ns[i] = run_round(in);
  qsort(ns, rounds, sizeof *ns, compare);
  return ns[rounds / 2];
}

int
main(void)
{
  printf("limit_admit_ns %.1f\n", measure(ADMIT));
  printf("# admitted and settled: %.1f\n", measure(SETTLE));
  printf("# has to wait: %.1f\n", measure(REFUSE));
  printf("# the debt only rises: %.1f\n", measure(FILLING));
  return 0;
}
