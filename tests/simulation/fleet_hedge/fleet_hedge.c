/* SPDX-License-Identifier: MIT */
/* What routing by latency and hedging together do for a fleet with bad
 * minutes. Prints
 *
 *   NAME VALUE LIMIT ok|MISSED
 *
 * and, on lines that begin with '#', absolute times of all players over the
 * same draws.
 *
 *   fleet_hedge [--seed N] [--calls N] [--rate CALLS_PER_S] [--short]
 *
 * One call in a second is the case of the figures: of 120 s of trouble a rule
 * sees few calls. The more calls, the sooner each rule knows; with ten in a
 * second the peers' p99 is some 4 s, and what is left to gain is less.
 *
 * About one call in a hundred of the peers' meets a black hole, so their p99 is
 * 5 s or 30 s by the luck of the sample: the figures are played over four times
 * the calls.
 *
 * The change is that against latency routing with failover and without hedging
 * as others have it: of the two peak-EWMA rules, for each percentile the one
 * that is better there. */
#include "calls.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
  uint64_t seed;
  size_t calls;
  double rate;
  bool is_short;
} options;

enum { P50, P95, P99, P999, MEASURES };
enum { figures_factor = 4 };

static const double shares[MEASURES] = {0.5, 0.95, 0.99, 0.999};

static const double hedge_share = 0.995, hedge_budget = 0.1;

static player who;
static bool missed;

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void
play(player_kind kind, const options *opt, double *times, double *measures,
     double *excess)
{
  calls_result result = {.times_s = times, .count = opt->calls};
  player_init(&who, kind, hedge_share, hedge_budget, opt->seed + 17);
  calls_play(&who, opt->rate, opt->seed, &result);
  player_fini(&who);
  qsort(times, opt->calls, sizeof *times, compare);
  printf("# %-18s", player_names[kind]);
  for (int i = 0; i < MEASURES; i++) {
    size_t rank = (size_t)ceil(shares[i] * (double)opt->calls);
    measures[i] = times[rank - 1];
    printf(" p%g %.3f s", 100 * shares[i], measures[i]);
  }
  printf(" hedges +%.2f %%, all attempts +%.2f %%\n",
         100 * (double)result.hedges / (double)opt->calls,
         100 * ((double)result.attempts / (double)opt->calls - 1));
  *excess = 100 * result.worst_excess;
}

static void
print_figure(const char *name, double value, double limit)
{
  bool ok = value <= limit;
  missed = missed || !ok;
  printf("%s %.4g %g %s\n", name, value, limit, ok ? "ok" : "MISSED");
}

static bool
read_options(int argc, char **argv, options *opt)
{
  for (int i = 1; i < argc; i++) {
    bool last = i + 1 == argc;
    if (strcmp(argv[i], "--short") == 0) {
      opt->is_short = true;
      opt->calls = 200000;
    } else if (!last && strcmp(argv[i], "--seed") == 0) {
      opt->seed = strtoull(argv[++i], NULL, 10);
    } else if (!last && strcmp(argv[i], "--calls") == 0) {
      opt->calls = strtoull(argv[++i], NULL, 10);
    } else if (!last && strcmp(argv[i], "--rate") == 0) {
      opt->rate = strtod(argv[++i], NULL);
    } else {
      return false;
    }
  }
  return opt->calls > 0 && opt->rate > 0;
}

static void
play_all(const options *opt, double *times, double *change)
{
  double got[PLAYER_KINDS][MEASURES], excess[PLAYER_KINDS];
  for (player_kind kind = 0; kind < PLAYER_KINDS; kind++)
    play(kind, opt, times, got[kind], &excess[kind]);
  printf("# %g calls/s, change to the better peak-EWMA (and to our own routing "
         "alone):",
         opt->rate);
  for (int i = 0; i < MEASURES; i++) {
    double best = fmin(got[PLAYER_PEAK_EWMA][i], got[PLAYER_PEAK_BEST][i]);
    change[i] = got[PLAYER_SHIPPED][i] / best - 1;
    printf(" p%g %+.1f (%+.1f) %%", 100 * shares[i], 100 * change[i],
           100 * (got[PLAYER_SHIPPED][i] / got[PLAYER_UNHEDGED][i] - 1));
  }
  printf("\n");
  if (excess[PLAYER_SHIPPED] > 0) {
    printf("# hedges were %.3f points above the budget\n",
           excess[PLAYER_SHIPPED]);
    missed = true;
  }
}

int
main(int argc, char **argv)
{
  options opt = {.seed = 1, .calls = 2000000, .rate = 1};
  if (!read_options(argc, argv, &opt)) {
    fprintf(stderr, "usage: fleet_hedge [--seed N] [--calls N] [--rate R] "
                    "[--short]\n");
    return 2;
  }
  options figures = opt;
  if (!opt.is_short)
    figures.calls *= figures_factor;
  double *times = malloc(figures.calls * sizeof *times);
  if (times == NULL)
    return 2;
  double change[MEASURES], busy[MEASURES];
  if (!opt.is_short && opt.rate < 10) { /* for comparison, no figure */
    options more = opt;
    more.rate = 10;
    play_all(&more, times, busy);
  }
  play_all(&figures, times, change);
  free(times);
  print_figure("fleet_p99", change[P99], opt.is_short ? -0.7 : -0.8);
  print_figure("fleet_p999", change[P999], opt.is_short ? -0.75 : -0.85);
  print_figure("fleet_p50", change[P50], 0.05);
  return missed ? 1 : 0;
}
