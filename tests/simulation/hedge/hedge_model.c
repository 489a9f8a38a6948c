/* SPDX-License-Identifier: MIT */
/* How much of what hedging can do at best the shipped policies reach, and at
 * what cost. Prints
 *
 *   NAME VALUE LIMIT ok|MISSED
 *
 * and, on lines that begin with '#', absolute times, and what other libraries'
 * rules reach over the same draws.
 *
 *   hedge_model [--seed N] [--calls N] [--short] [--ttft FILE]
 *
 * --short: fewer calls, wider limits for the noise, and without the figures
 * that so few calls do not show, for use as a test.
 * --ttft: the optimum and the share of it for that sample, nothing else.
 *
 * hedge_vs_peers_min compares with the rules that spend no more than the budget
 * of the cell; those that spend more stand on lines of their own. */
#include "rules.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct options {
  uint64_t seed;
  size_t calls, shift_runs;
  bool is_short;
  const char *ttft;
} options;

/* One distribution, percentile and budget. */
typedef struct cell {
  const times *of;
  double share, budget;
  double none, got[RULE_KINDS], spent[RULE_KINDS];
  double excess, bias, snapshots;
} cell;

static bool missed;
static rule player;

static void
print_figure(const char *name, double value, double limit, bool at_least)
{
  bool ok = at_least ? value >= limit : value <= limit;
  missed = missed || !ok;
  printf("%s %.4g %g %s\n", name, value, limit, ok ? "ok" : "MISSED");
}

static double *
new_values(size_t count)
{
  double *values = malloc(count * sizeof *values);
  if (values == NULL)
    exit(2);
  return values;
}

/* ---- One cell ------------------------------------------------------------ */

/* What was learned of the percentile, in units of the true one; each reading
 * after the first 3000 calls. */
static void
note_bias(cell *at, double true_s)
{
  if (player.calls < 3000 || player.calls % 200 != 0)
    return;
  uint64_t learned = inf_survival_quantile(&player.survival, 0.99);
  if (learned == INF_NEVER)
    return;
  at->bias += (double)learned / 1e9 / true_s - 1;
  at->snapshots++;
}

static void
play_cell(cell *at, const double *x, const double *y, double *result,
          const options *opt)
{
  size_t count = opt->calls;
  double true_s = times_quantile(at->of, 0.99);
  memcpy(result, x, count * sizeof *result);
  at->none = percentile_of(result, count, at->share);
  for (rule_kind kind = 0; kind < RULE_KINDS; kind++) {
    rule_init(&player, kind, at->of, at->share, at->budget, opt->seed + 17);
    for (size_t i = 0; i < count; i++) {
      result[i] = rule_play(&player, x[i], y[i]);
      if (kind == RULE_SHIPPED)
        note_bias(at, true_s);
    }
    at->got[kind] = percentile_of(result, count, at->share);
    at->spent[kind] = (double)player.hedges / (double)count;
    if (kind == RULE_SHIPPED)
      at->excess = 100 * player.worst_excess;
    rule_fini(&player);
  }
}

static double
possible(const cell *at)
{
  return 1 - at->got[RULE_OPTIMUM] / at->none;
}

static double
share_of_optimum(const cell *at)
{
  return (at->none - at->got[RULE_SHIPPED]) /
         (at->none - at->got[RULE_OPTIMUM]);
}

/* Against the best of those that spend no more, or that spend more. */
static double
against_peers(const cell *at, bool overspenders)
{
  double best = 0;
  for (rule_kind kind = RULE_STATIC; kind < RULE_KINDS; kind++) {
    bool over = at->spent[kind] > at->budget + 0.005;
    if (over == overspenders && (best == 0 || at->got[kind] < best))
      best = at->got[kind];
  }
  return best == 0 ? 1 : (best - at->got[RULE_SHIPPED]) / best;
}

static void
print_cell(const cell *at)
{
  printf("# %s p%g budget %g %%: none %.3f s, possible %.1f %%, share %.1f %%, "
         "p99 learned %+.1f %%:",
         at->of->name, 100 * at->share, 100 * at->budget, at->none,
         100 * possible(at), 100 * share_of_optimum(at),
         at->snapshots > 0 ? 100 * at->bias / at->snapshots : 0);
  for (rule_kind kind = 0; kind < RULE_KINDS; kind++)
    printf(" %s %.3f s (+%.2f %%)", rule_names[kind], at->got[kind],
           100 * at->spent[kind]);
  printf("\n");
}

/* ---- All cells ----------------------------------------------------------- */

typedef struct summary {
  double opt_min, opt_sum, opt_count, excess, peers, overspenders, bias;
  double straggler, stall;
} summary;

static void
add_cell(summary *all, const cell *at)
{
  if (possible(at) >= 0.05) {
    all->opt_min = fmin(all->opt_min, share_of_optimum(at));
    all->opt_sum += share_of_optimum(at);
    all->opt_count++;
  }
  all->excess = fmax(all->excess, at->excess);
  all->peers = fmin(all->peers, against_peers(at, false));
  all->overspenders = fmin(all->overspenders, against_peers(at, true));
  /* A p99 that is a jump of the distribution has no relative error. */
  if (at->snapshots > 0 && at->of->parts[1].kind != POINT)
    all->bias = fmax(all->bias, fabs(at->bias / at->snapshots));
  double change = at->got[RULE_SHIPPED] / at->none - 1;
  if (at->of == &all_times[3] && at->share < 0.96 && at->budget < 0.06)
    all->straggler = change;
  if (at->of == &all_times[4] && at->share > 0.96 && at->budget < 0.06)
    all->stall = change;
}

static void
play_times(const times *of, const options *opt, summary *all)
{
  double *x = new_values(opt->calls), *y = new_values(opt->calls);
  double *result = new_values(opt->calls);
  inf_rng rng;
  inf_rng_seed(&rng, opt->seed);
  for (size_t i = 0; i < opt->calls; i++) {
    x[i] = times_draw(of, &rng);
    y[i] = times_draw(of, &rng);
  }
  for (int i = 0; i < 4; i++) {
    cell at = {
        .of = of, .share = i & 1 ? 0.99 : 0.95, .budget = i & 2 ? 0.1 : 0.05};
    play_cell(&at, x, y, result, opt);
    print_cell(&at);
    add_cell(all, &at);
  }
  free(x);
  free(y);
  free(result);
}

static void
efficiency(const options *opt)
{
  summary all = {.opt_min = 9, .excess = -9, .peers = 9, .overspenders = 9};
  for (size_t i = 0; i < all_times_count; i++)
    play_times(&all_times[i], opt, &all);
  bool brief = opt->is_short;
  print_figure("hedge_opt_min", all.opt_min, brief ? 0.85 : 0.95, true);
  print_figure("hedge_opt_mean", all.opt_sum / all.opt_count,
               brief ? 0.95 : 0.98, true);
  print_figure("hedge_budget_excess", all.excess, 0.1, false);
  print_figure("hedge_vs_peers_min", all.peers, brief ? -0.05 : -0.02, true);
  printf("# against rules that spend more than the budget: %.4g\n",
         all.overspenders);
  print_figure("straggler_p95", all.straggler, brief ? -0.2 : -0.32, false);
  print_figure("stall_p99", all.stall, -0.95, false);
  if (!brief) /* over so few calls it is noise */
    print_figure("km_bias_p99", all.bias, 0.05, false);
}

/* ---- A change of regime -------------------------------------------------- */

enum { warm_up = 3000, block = 100, blocks = 10 };

/* After a x3 shift: calls until 90 % of the new optimum, over many runs. */
static size_t
shift_requests(const times *of, const options *opt)
{
  times slow = *of;
  slow.stretch = 3;
  size_t runs = opt->shift_runs, each = runs * block;
  double *values[3][blocks]; /* none, optimum, ours */
  for (int i = 0; i < 3 * blocks; i++)
    values[i / blocks][i % blocks] = new_values(each);
  optimum best = times_optimum(&slow, 0.99, 0.05);
  for (size_t run = 0; run < runs; run++) {
    inf_rng rng;
    inf_rng_seed(&rng, opt->seed + run);
    rule_init(&player, RULE_SHIPPED, of, 0.99, 0.05, opt->seed + run);
    for (int i = 0; i < warm_up; i++) {
      double x = times_draw(of, &rng);
      rule_play(&player, x, times_draw(of, &rng));
    }
    for (int i = 0; i < block * blocks; i++) {
      double x = times_draw(&slow, &rng), y = times_draw(&slow, &rng);
      size_t at = run * block + (size_t)(i % block);
      bool drawn = inf_rng_double(&rng) < best.probability;
      values[0][i / block][at] = x;
      values[1][i / block][at] =
          x > best.delay && drawn ? fmin(x, best.delay + y) : x;
      values[2][i / block][at] = rule_play(&player, x, y);
    }
    rule_fini(&player);
  }
  size_t needed = 0;
  printf("# shift x3 %s p99 budget 5 %%, share of the new optimum by hundreds:",
         of->name);
  for (int i = 0; i < blocks; i++) {
    double p[3];
    for (int j = 0; j < 3; j++) {
      p[j] = percentile_of(values[j][i], each, 0.99);
      free(values[j][i]);
    }
    double share = (p[0] - p[2]) / (p[0] - p[1]);
    printf(" %.2f", share);
    if (share < 0.9)
      needed = (size_t)(i + 1) * block;
  }
  printf("\n");
  return needed;
}

static void
adaptation(const options *opt)
{
  size_t lognormal = shift_requests(&all_times[0], opt);
  size_t stragglers = shift_requests(&all_times[3], opt);
  size_t worst = lognormal > stragglers ? lognormal : stragglers;
  print_figure("shift_requests", (double)worst, 500, false);
}

/* ---- Cost of a record ---------------------------------------------------- */

static void
cost_of_record(const options *opt)
{
  enum { count = 65536, rounds = 30 };
  static uint64_t ns[count];
  inf_rng rng;
  inf_rng_seed(&rng, opt->seed);
  for (size_t i = 0; i < count; i++)
    ns[i] = (uint64_t)(times_draw(&all_times[0], &rng) * 1e9);
  static inf_series_window window;
  double best[2] = {1e9, 1e9};
  rule_init(&player, RULE_SHIPPED, &all_times[0], 0.95, 0.05, 1);
  for (int round = 0; round < 2 * rounds; round++) {
    uint64_t began_ns = inf_clock_now(inf_clock_system());
    for (size_t i = 0; i < count; i++)
      if (round % 2)
        inf_series_record(&player.series, ns[i], i % 16 == 0);
      else
        inf_histogram_record(i % 16 ? &window.events : &window.censored, ns[i],
                             1);
    double took = (double)(inf_clock_now(inf_clock_system()) - began_ns);
    best[round % 2] = fmin(best[round % 2], took / count);
    inf_series_read(&player.series, &player.survival);
  }
  rule_fini(&player);
  printf("# a record with ring and tests for a change: %.2f ns; a series: %zu "
         "bytes\n",
         best[1], inf_series_bytes());
  if (!opt->is_short) /* nothing that depends on the machine is a test */
    print_figure("record_ns", best[0], 3, false);
  print_figure("series_bytes", (double)sizeof(inf_series_window), 16384, false);
}

/* Returns false if they are not understood. */
static bool
read_options(int argc, char **argv, options *opt)
{
  for (int i = 1; i < argc; i++) {
    bool last = i + 1 == argc;
    if (strcmp(argv[i], "--short") == 0) {
      opt->is_short = true;
      opt->calls = 40000;
    } else if (!last && strcmp(argv[i], "--seed") == 0) {
      opt->seed = strtoull(argv[++i], NULL, 10);
    } else if (!last && strcmp(argv[i], "--calls") == 0) {
      opt->calls = strtoull(argv[++i], NULL, 10);
    } else if (!last && strcmp(argv[i], "--ttft") == 0) {
      opt->ttft = argv[++i];
    } else {
      return false;
    }
  }
  return opt->calls > 0;
}

static int
play_sample(const options *opt)
{
  times of = {.name = "sample"};
  double *sample = times_read(opt->ttft, &of.count);
  if (sample == NULL) {
    fprintf(stderr, "hedge_model: no times in %s\n", opt->ttft);
    return 2;
  }
  of.sample = sample;
  summary all = {0};
  play_times(&of, opt, &all);
  free(sample);
  return 0;
}

int
main(int argc, char **argv)
{
  options opt = {.seed = 1, .calls = 400000, .shift_runs = 1000};
  if (!read_options(argc, argv, &opt)) {
    fprintf(stderr, "usage: hedge_model [--seed N] [--calls N] [--short] "
                    "[--ttft FILE]\n");
    return 2;
  }
  if (opt.ttft)
    return play_sample(&opt);
  efficiency(&opt);
  if (!opt.is_short)
    adaptation(&opt);
  cost_of_record(&opt);
  return missed ? 1 : 0;
}
