/* SPDX-License-Identifier: MIT */
/* Where data may go: no byte of a call that requires labels reaches a provider
 * without them, whatever happens.
 *
 *   labels_simulation [--seed N] [--calls M]
 *
 * Runs worlds about labels (swarm.h) from seed N on, each a random
 * configuration with every way to fail at every provider, until M calls that
 * require labels were sent. Each request says in its prompt which labels it
 * requires and which configuration it was submitted to; each provider checks
 * that, of first attempts, retries, failovers, hedges, probes and
 * continuations alike, and that a warm-up brings no key and no body, nor comes
 * where no route could go. A run in which one of these ways was never gone
 * proves nothing: it fails. */
#include "counted.h"
#include "world.h"

#include "infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Calls that are tried in each world: mostly a quarter of them is refused for
 * want of a target, which is a result as well. */
enum { calls_of_a_world = 2000, worlds_max = 1000000 };

typedef struct way {
  const char *name;
  int32_t reason; /* INFER_REASON_* */
} way;

static const way ways[] = {
    {"first", INFER_REASON_FIRST},       {"retry", INFER_REASON_RETRY},
    {"failover", INFER_REASON_FAILOVER}, {"key", INFER_REASON_KEY},
    {"resend", INFER_REASON_RESEND},     {"recovery", INFER_REASON_RECOVERY},
    {"continue", INFER_REASON_CONTINUE}, {"hedge", INFER_REASON_HEDGE},
};
enum { way_count = sizeof ways / sizeof ways[0] };

static void
add_up(world_result *sum, const world_result *one)
{
  sum->calls += one->calls;
  sum->refused += one->refused;
  sum->labelled += one->labelled;
  sum->labelled_requests += one->labelled_requests;
  sum->labelled_probes += one->labelled_probes;
  sum->warm_ups += one->warm_ups;
  sum->reloads += one->reloads;
  sum->succeeded += one->succeeded;
  for (int i = 0; i < 16; i++)
    sum->reasons[i] += one->reasons[i];
}

static unsigned long long
told(uint64_t value)
{
  return (unsigned long long)value;
}

static bool
all_ways_were_gone(const world_result *sum)
{
  bool all = true;
  for (size_t i = 0; i < way_count; i++) {
    uint64_t count = sum->reasons[ways[i].reason];
    printf("%s %llu, ", ways[i].name, told(count));
    all = all && count > 0;
  }
  printf("probe %llu, warm-up %llu, reload %llu, refused %llu\n",
         told(sum->labelled_probes), told(sum->warm_ups), told(sum->reloads),
         told(sum->refused));
  return all && sum->labelled_probes > 0 && sum->warm_ups > 0 &&
         sum->reloads > 0 && sum->refused > 0;
}

int
main(int argc, char **argv)
{
  uint64_t seed = 1, calls = 100000;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strcmp(argv[i], "--seed") == 0)
      seed = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--calls") == 0)
      calls = strtoull(argv[i + 1], NULL, 10);
  }
  counted_install();
  world_result sum = {0}, result;
  clock_t began = clock();
  uint64_t worlds = 0;
  for (; sum.labelled < calls && worlds < worlds_max; worlds++) {
    bool made =
        world_run(seed + worlds, SWARM_LABELS, calls_of_a_world, &result);
    add_up(&sum, &result);
    if (made && !result.violation[0])
      continue;
    printf("seed %llu: %s\n  to see it again: INFER_SIMULATION_TRACE=1 "
           "labels_simulation --seed %llu --calls 1\n",
           told(seed + worlds), made ? result.violation : "no client",
           told(seed + worlds));
    return 1;
  }
  printf("# %llu worlds, %llu calls with labels sent in %llu requests, %llu "
         "calls in all, %llu succeeded, %.1f s of CPU\n# ",
         told(worlds), told(sum.labelled), told(sum.labelled_requests),
         told(sum.calls), told(sum.succeeded),
         (double)(clock() - began) / CLOCKS_PER_SEC);
  if (all_ways_were_gone(&sum))
    return 0;
  printf("one of these ways was never gone: this proves nothing\n");
  return 1;
}
