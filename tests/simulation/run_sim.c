/* SPDX-License-Identifier: MIT */
/* infer_simulation: the shipped code under a virtual clock.
 *
 *   infer_simulation [--seed N] [--seeds K] [--calls M] [--minutes X]
 *
 * Runs the worlds of the seeds N, N + 1, ... (K of them, or until X minutes
 * have passed), each with M calls, and prints a line for each. All that a
 * world is follows from its seed: the line of a seed, its hash included, is the
 * same wherever it is run. The first broken promise ends the program with 1,
 * and with the command that shows it again. INFER_SIMULATION_TRACE=1 in the
 * environment prints what happens. */
#include "counted.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct sim_options {
  uint64_t seed, seeds, calls;
  double minutes; /* 0: as many as seeds says */
} sim_options;

static double
seconds_of(clockid_t clock)
{
  struct timespec ts;
  clock_gettime(clock, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static bool
read_options(sim_options *options, int argc, char **argv)
{
  *options = (sim_options){.seed = 1, .seeds = 1, .calls = 2000};
  for (int i = 1; i + 1 < argc; i += 2) {
    uint64_t value = strtoull(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--seed") == 0)
      options->seed = value;
    else if (strcmp(argv[i], "--seeds") == 0)
      options->seeds = value;
    else if (strcmp(argv[i], "--calls") == 0)
      options->calls = value;
    else if (strcmp(argv[i], "--minutes") == 0)
      options->minutes = strtod(argv[i + 1], NULL);
    else
      return false;
  }
  return argc % 2 == 1;
}

static void
add_up(world_result *sum, const world_result *one)
{
  sum->calls += one->calls;
  sum->refused += one->refused;
  sum->attempts += one->attempts;
  sum->hedges += one->hedges;
  sum->rescues += one->rescues;
  sum->sent += one->sent;
  sum->events += one->events;
  sum->succeeded += one->succeeded;
  sum->bytes += one->bytes;
  sum->turns += one->turns;
  sum->virtual_ns += one->virtual_ns;
  sum->hash = (sum->hash ^ one->hash) * 0x100000001b3ull;
}

/* A crash within the world leaves its seed as the last word. */
static bool
run_seed(uint64_t seed, const sim_options *options, world_result *sum)
{
  world_result result;
  printf("seed %llu ", (unsigned long long)seed);
  fflush(stdout);
  bool made = world_run(seed, SWARM_ANYTHING, options->calls, &result);
  printf("calls %llu attempts %llu hash %016llx\n",
         (unsigned long long)result.calls, (unsigned long long)result.attempts,
         (unsigned long long)result.hash);
  add_up(sum, &result);
  if (made && !result.violation[0])
    return true;
  printf("seed %llu: %s\n  to see it again: infer_simulation --seed %llu "
         "--calls %llu\n",
         (unsigned long long)seed, made ? result.violation : "no client",
         (unsigned long long)seed, (unsigned long long)options->calls);
  return false;
}

static void
print_sum(const world_result *sum, uint64_t seeds, double cpu_s)
{
  printf("# %llu seeds, %llu calls (%llu sent, %llu succeeded, %llu refused), "
         "%llu attempts, %llu events, %llu turns, %.0f virtual seconds, "
         "hash %016llx\n",
         (unsigned long long)seeds, (unsigned long long)sum->calls,
         (unsigned long long)sum->sent, (unsigned long long)sum->succeeded,
         (unsigned long long)sum->refused, (unsigned long long)sum->attempts,
         (unsigned long long)sum->events, (unsigned long long)sum->turns,
         (double)sum->virtual_ns * 1e-9, (unsigned long long)sum->hash);
  printf("# %llu hedges, %llu rescues\n", (unsigned long long)sum->hedges,
         (unsigned long long)sum->rescues);
  printf("# %.1f s of CPU, peak %zu bytes of the library\n", cpu_s,
         counted_peak_bytes());

  printf("sim_bytes_calls_per_s %.0f\n", (double)sum->sent / cpu_s);
}

int
main(int argc, char **argv)
{
  sim_options options;
  world_result sum = {0};
  if (!read_options(&options, argc, argv)) {
    fprintf(stderr, "usage: infer_simulation [--seed N] [--seeds K] "
                    "[--calls M] [--minutes X]\n");
    return 2;
  }
  counted_install();
  double began_s = seconds_of(CLOCK_MONOTONIC), cpu_s;
  double until_s = began_s + options.minutes * 60;
  double cpu_began_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t done = 0;
  while (options.minutes > 0 ? seconds_of(CLOCK_MONOTONIC) < until_s
                             : done < options.seeds) {
    if (!run_seed(options.seed + done, &options, &sum))
      return 1;
    done++;
  }
  cpu_s = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_began_s;
  print_sum(&sum, done, cpu_s);
  return 0;
}
