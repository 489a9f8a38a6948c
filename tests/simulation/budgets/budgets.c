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
 * whose figures came cost what their provider charged (ledger.c). Runs in which
 * one of the ways to spend was never gone, or no limit was met, prove nothing:
 * they fail. */
#include "counted.h"
#include "world.h"

#include "infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { calls_of_a_world = 1000 };

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
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    uint64_t count = sum->reasons[ways[i].reason];
    printf("%s%s %llu", i ? ", " : "# ", ways[i].name, told(count));
    all = all && count > 0;
  }
  printf("\n");
  return all;
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
  for (uint64_t i = 0; i < worlds; i++) {
    bool made = world_run(seed + i, SWARM_BUDGETS, calls_of_a_world, &result);
    add_up(&sum, &result);
    if (made && !result.violation[0])
      continue;
    printf("seed %llu: %s\n  to see it again: INFER_SIMULATION_TRACE=1 "
           "budgets_simulation --seed %llu --worlds 1\n",
           told(seed + i), made ? result.violation : "no client",
           told(seed + i));
    return 1;
  }
  printf("# %llu worlds, %llu calls, %llu succeeded, %llu ended by a budget; "
         "%llu nano-dollars more than was reserved\n",
         told(worlds), told(sum.calls), told(sum.succeeded),
         told(sum.over_budget), told(sum.over_nano));
  if (all_ways_were_gone(&sum))
    return 0;
  printf("one of these ways was never gone, or no limit met: this proves "
         "nothing\n");
  return 1;
}
