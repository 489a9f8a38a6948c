/* SPDX-License-Identifier: MIT */
/* What may be spent: no limit is passed, whatever happens.
 *
 *   budgets_simulation [--seed N] [--worlds K]
 *
 * Runs K worlds about budgets (swarm.h) from seed N on: a random configuration
 * each, with hedges, retries, failover, recovery and probes, every way to fail
 * at every provider, and two budgets that do not suffice. After each turn of
 * the loop what is spent and reserved is within every limit, and in the end
 * what is spent is what all attempts cost, to the nano-dollar, of which those
 * whose figures came cost what their provider charged (ledger.c). A run in
 * which one of the ways to spend was never gone, or no limit was met, proves
 * nothing: it goes on, and fails if that is still so after three times the
 * worlds. */
#include "counted.h"
#include "world.h"

#include "infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { calls_of_a_world = 1000, most_times = 3 };

static const struct {
  const char *name;
  int32_t reason; /* INFER_REASON_* */
} ways[] = {
    {"first", INFER_REASON_FIRST},       {"retry", INFER_REASON_RETRY},
    {"failover", INFER_REASON_FAILOVER}, {"key", INFER_REASON_KEY},
    {"resend", INFER_REASON_RESEND},     {"recovery", INFER_REASON_RECOVERY},
    {"continue", INFER_REASON_CONTINUE}, {"hedge", INFER_REASON_HEDGE},
    {"probe", INFER_REASON_PROBE},
};

static unsigned long long
told(uint64_t value)
{
  return (unsigned long long)value;
}

static void
add_up(world_result *sum, const world_result *one)
{
  sum->calls += one->calls;
  sum->succeeded += one->succeeded;
  sum->over_budget += one->over_budget;
  sum->over_nano += one->over_nano;
  for (int i = 0; i < 16; i++)
    sum->reasons[i] += one->reasons[i];
}

static bool
all_ways_were_gone(const world_result *sum)
{
  bool all = sum->over_budget > 0 && sum->succeeded > 0;
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
    all = all && sum->reasons[ways[i].reason] > 0;
  return all;
}

static void
print_ways(const world_result *sum)
{
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
    printf("%s%s %llu", i ? ", " : "# ", ways[i].name,
           told(sum->reasons[ways[i].reason]));
  printf("\n");
}

int
main(int argc, char **argv)
{
  uint64_t seed = 1, worlds = 60;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0)
      seed = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--worlds") == 0)
      worlds = strtoull(argv[i + 1], NULL, 10);
  }
  counted_install();
  world_result sum = {0}, result;
  uint64_t played = 0;
  for (; played < worlds ||
         (played < most_times * worlds && !all_ways_were_gone(&sum));
       played++) {
    bool made =
        world_run(seed + played, SWARM_BUDGETS, calls_of_a_world, &result);
    add_up(&sum, &result);
    if (made && !result.violation[0])
      continue;
    printf("seed %llu: %s\n  to see it again: INFER_SIMULATION_TRACE=1 "
           "budgets_simulation --seed %llu --worlds 1\n",
           told(seed + played), made ? result.violation : "no client",
           told(seed + played));
    return 1;
  }
  printf("# %llu worlds, %llu calls, %llu succeeded, %llu ended by a budget; "
         "%llu nano-dollars more than was reserved\n",
         told(played), told(sum.calls), told(sum.succeeded),
         told(sum.over_budget), told(sum.over_nano));
  print_ways(&sum);
  if (all_ways_were_gone(&sum))
    return 0;
  printf("one of these ways was never gone, or no limit met: this proves "
         "nothing\n");
  return 1;
}
