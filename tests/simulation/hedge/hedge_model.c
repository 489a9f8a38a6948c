/* SPDX-License-Identifier: MIT */
/* How much of what hedging can do at best the shipped policies reach, and at
 * what cost. Prints
 *
 *   NAME VALUE LIMIT ok|MISSED
 *
 * and, on lines that begin with '#', absolute times, and what other libraries'
 * rules reach over the same draws.
 *
 *   hedge_model [--seed N] [--calls N] [--short] [--ttft FILE] [--lengths FILE]
 *               [--only PART]
 *
 * --short: fewer calls, wider limits for the noise, and without the figures
 * that so few calls do not show, for use as a test.
 * --ttft: the optimum and the share of it for that sample, nothing else.
 *
 * --lengths: lengths of prompts, see prompts.h.
 * --only: one part: efficiency, change, prompts, learning, shift or cost.
 *
 * hedge_vs_peers_min is, over all cells and peers that spend no more than the
 * budget of the cell, the least (peer - ours) / peer. A peer that spends more
 * (0.5 points and more) is compared in its cell at that budget: the one with a
 * bucket of 10 % in the cells of 10 %, the fixed delay at p95, which is 5 %, in
 * all. The line after it names the worst cell of each peer.
 *
 * straggler_p95 is a change against the true percentile without hedges. In a
 * sample that one scatters: it lies in the gap between the usual times and the
 * stragglers, where 0.03 points of the calls more or less are 6 % of it.
 *
 * km_bias_p99 is a mean, and what it is the mean of scatters: over 400,000
 * calls even an estimator that sees every time to its end is off by up to 8 %
 * where the 99th percentile lies among few stragglers. So each cell is played
 * from further seeds until the standard error of the mean is 0.7 points or 60
 * runs are played, and the estimator that sees everything stands beside it. */
#include "prompts.h"
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
  const char *ttft, *lengths, *only;
} options;

/* One distribution, percentile and budget. */
typedef struct cell {
  const times *of;
  double share, budget;
  double none, got[RULE_KINDS], spent[RULE_KINDS];
  double excess;
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

static void
play_cell(cell *at, const double *x, const double *y, double *result,
          const options *opt)
{
  size_t count = opt->calls;
  memcpy(result, x, count * sizeof *result);
  at->none = percentile_of(result, count, at->share);
  for (rule_kind kind = 0; kind < RULE_KINDS; kind++) {
    rule_init(&player, kind, at->of, at->share, at->budget, opt->seed + 17);
    for (size_t i = 0; i < count; i++)
      result[i] = rule_play(&player, x[i], y[i]);
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

/* Where nothing can be had, nothing is missing. */
static double
share_of_optimum(const cell *at)
{
  if (at->got[RULE_OPTIMUM] >= at->none)
    return 1;
  return (at->none - at->got[RULE_SHIPPED]) /
         (at->none - at->got[RULE_OPTIMUM]);
}

static double
against(const cell *at, rule_kind kind)
{
  return 1 - at->got[RULE_SHIPPED] / at->got[kind];
}

static bool
is_within_budget(const cell *at, rule_kind kind)
{
  return at->spent[kind] <= at->budget + 0.005;
}

static void
print_cell(const cell *at)
{
  printf("# %s p%g budget %g %%: none %.3f s, possible %.1f %%, share %.1f %%:",
         at->of->name, 100 * at->share, 100 * at->budget, at->none,
         100 * possible(at), 100 * share_of_optimum(at));
  for (rule_kind kind = 0; kind < RULE_KINDS; kind++)
    printf(" %s %.3f s (+%.2f %%)", rule_names[kind], at->got[kind],
           100 * at->spent[kind]);
  printf("\n");
}

/* ---- All cells ----------------------------------------------------------- */

typedef struct summary {
  double opt_min, opt_sum, opt_count, excess;
  double peers[RULE_KINDS], overspenders;
  char peer_cells[RULE_KINDS][64];
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
  for (rule_kind kind = RULE_STATIC; kind < RULE_KINDS; kind++) {
    double gain = against(at, kind);
    if (!is_within_budget(at, kind)) {
      all->overspenders = fmin(all->overspenders, gain);
    } else if (gain < all->peers[kind]) {
      all->peers[kind] = gain;
      snprintf(all->peer_cells[kind], sizeof all->peer_cells[kind],
               "%s p%g at %g %%", at->of->name, 100 * at->share,
               100 * at->budget);
    }
  }
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
print_peers(const summary *all, bool brief)
{
  double worst = 9;
  for (rule_kind kind = RULE_STATIC; kind < RULE_KINDS; kind++) {
    worst = fmin(worst, all->peers[kind]);
    printf("# against %s within the budget, at worst: %+.2f %% (%s)\n",
           rule_names[kind], 100 * all->peers[kind], all->peer_cells[kind]);
  }
  print_figure("hedge_vs_peers_min", worst, brief ? -0.05 : -0.02, true);
  printf("# against rules that spend more than the budget: %.4g\n",
         all->overspenders);
}

static void
efficiency(const options *opt)
{
  summary all = {.opt_min = 9, .excess = -9, .overspenders = 9};
  for (int kind = 0; kind < RULE_KINDS; kind++)
    all.peers[kind] = 9;
  for (size_t i = 0; i < all_times_count; i++)
    play_times(&all_times[i], opt, &all);
  bool brief = opt->is_short;
  print_figure("hedge_opt_min", all.opt_min, brief ? 0.85 : 0.95, true);
  print_figure("hedge_opt_mean", all.opt_sum / all.opt_count,
               brief ? 0.95 : 0.98, true);
  print_figure("hedge_budget_excess", all.excess, 0.1, false);
  print_peers(&all, brief);
}

/* ---- Against no hedges --------------------------------------------------- */

/* With that many times the calls of a cell what hedges reach is known to 0.2
 * points. */
enum { change_factor = 8 };

static double
play_alone(const times *of, double share, rule_kind kind, const options *opt)
{
  size_t count = change_factor * opt->calls;
  double *result = new_values(count);
  inf_rng rng;
  inf_rng_seed(&rng, opt->seed);
  rule_init(&player, kind, of, share, 0.05, opt->seed + 17);
  for (size_t i = 0; i < count; i++) {
    double x = times_draw(of, &rng);
    result[i] = rule_play(&player, x, times_draw(of, &rng));
  }
  rule_fini(&player);
  double percentile = percentile_of(result, count, share);
  free(result);
  return percentile;
}

/* At a budget of 5 %, against what the distribution has without hedges. */
static void
print_change(const char *name, const times *of, double share, double limit,
             const options *opt)
{
  double none = times_quantile(of, share);
  double ours = play_alone(of, share, RULE_SHIPPED, opt);
  printf("# %s: %.3f s instead of %.3f s; the optimum %.3f s, in this sample "
         "%.3f s\n",
         name, ours, none, times_optimum(of, share, 0.05).percentile,
         play_alone(of, share, RULE_OPTIMUM, opt));
  print_figure(name, ours / none - 1, limit, false);
}

static void
changes(const options *opt)
{
  print_change("straggler_p95", &all_times[3], 0.95,
               opt->is_short ? -0.3 : -0.32, opt);
  print_change("stall_p99", &all_times[4], 0.99, -0.95, opt);
}

/* ---- What is learned of the tail while hedging --------------------------- */

enum { least_runs = 4, most_runs = 60, unread_calls = 3000, reading = 200 };

/* Relative errors. */
typedef struct errors {
  double sum, squares, count, unknown;
} errors;

static void
add_error(errors *of, uint64_t learned_ns, double true_s)
{
  double error =
      learned_ns == INF_NEVER ? 1 : (double)learned_ns / 1e9 / true_s - 1;
  of->unknown += learned_ns == INF_NEVER;
  of->sum += error;
  of->squares += error * error;
  of->count++;
}

static double
mean_of(const errors *of)
{
  return of->sum / of->count;
}

/* Of single ones. */
static double
deviation_of(const errors *of)
{
  return sqrt(fmax(0, of->squares / of->count - mean_of(of) * mean_of(of)));
}

/* Each reading after the first 3000 calls. A second series sees the same first
 * attempts, and all of them to their end. */
static void
learn_once(const times *of, double share, double budget, const options *opt,
           uint64_t seed, errors *hedged, errors *everything)
{
  static inf_survival survival;
  double true_s = times_quantile(of, 0.99);
  inf_series_room room = {.cap_bytes = 1 << 20};
  inf_series all;
  inf_series_init(&all, &room);
  rule_init(&player, RULE_SHIPPED, of, share, budget, seed + 17);
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  for (size_t i = 1; i <= opt->calls; i++) {
    double x = times_draw(of, &rng);
    rule_play(&player, x, times_draw(of, &rng));
    inf_series_record(&all, (uint64_t)(x * 1e9), false);
    if (i < unread_calls || i % reading != 0)
      continue;
    inf_series_read(&all, &survival);
    add_error(hedged, inf_survival_quantile(&player.survival, 0.99), true_s);
    add_error(everything, inf_survival_quantile(&survival, 0.99), true_s);
  }
  rule_fini(&player);
  inf_series_fini(&all);
}

static double
bias_of(const times *of, double share, double budget, const options *opt)
{
  errors hedged = {0}, everything = {0}, runs = {0};
  double worst = 0, se = 0;
  for (uint64_t run = 0; run < most_runs; run++) {
    errors one = {0};
    learn_once(of, share, budget, opt, opt->seed * 1000 + run, &one,
               &everything);
    hedged.sum += one.sum;
    hedged.squares += one.squares;
    hedged.count += one.count;
    hedged.unknown += one.unknown;
    runs.sum += mean_of(&one);
    runs.squares += mean_of(&one) * mean_of(&one);
    runs.count++;
    worst = fmax(worst, fabs(mean_of(&one)));
    se = deviation_of(&runs) / sqrt(fmax(1, runs.count - 1));
    if (runs.count >= least_runs && se < 0.007)
      break;
  }
  printf("# p99 learned, %s p%g at %g %%: true %.3f s, learned %+.3f s = %+.1f "
         "%% (s.e. %.1f, %g runs, worst run %.1f), one reading +- %.1f %%, "
         "unknown %g; without hedges %+.1f %%, one reading +- %.1f %%\n",
         of->name, 100 * share, 100 * budget, times_quantile(of, 0.99),
         mean_of(&hedged) * times_quantile(of, 0.99), 100 * mean_of(&hedged),
         100 * se, runs.count, 100 * worst, 100 * deviation_of(&hedged),
         hedged.unknown, 100 * mean_of(&everything),
         100 * deviation_of(&everything));
  return fabs(mean_of(&hedged));
}

static void
learning(const options *opt)
{
  double worst = 0;
  for (size_t i = 0; i < all_times_count; i++)
    for (int k = 0; k < 4; k++)
      worst = fmax(worst, bias_of(&all_times[i], k & 1 ? 0.99 : 0.95,
                                  k & 2 ? 0.1 : 0.05, opt));
  print_figure("km_bias_p99", worst, 0.05, false);
}

/* ---- Prompts of different lengths ---------------------------------------- */

/* With that many times the calls of a cell a change is known to 0.2 points,
 * ours to 0.1. */
enum { prompts_factor = 4, shipped_factor = 16 };

static double
play_prompts(const prompt *prompts, size_t count, double share, double sigma,
             const options *opt)
{
  double none = prompts_quantile(prompts, count, share, sigma), change = 0;
  size_t calls = prompts_factor * opt->calls;
  prompts_result got = prompts_play(prompts, count, PROMPTS_NONE, share, sigma,
                                    calls, opt->seed);
  printf("# prompts, sigma %.2f, p%g at 5 %% of cost: none %.3f s (in this "
         "sample %.3f s)",
         sigma, 100 * share, none, got.percentile);
  for (prompts_rule kind = PROMPTS_BLIND; kind < PROMPTS_RULES; kind++) {
    bool is_ours = kind == PROMPTS_SHIPPED && !opt->is_short;
    calls = (is_ours ? shipped_factor : prompts_factor) * opt->calls;
    got = prompts_play(prompts, count, kind, share, sigma, calls, opt->seed);
    printf(", %s %.3f s = %+.1f %% (+%.2f %%, at most %+.3f points over)",
           prompts_names[kind], got.percentile,
           100 * (got.percentile / none - 1), 100 * got.spent,
           100 * got.excess);
    if (kind == PROMPTS_SHIPPED)
      change = got.percentile / none - 1;
    if (kind == PROMPTS_SHIPPED && got.excess > 0.001)
      missed = true;
  }
  printf(", a plan for 8 buckets %.0f us\n", got.solve_ns / 1000);
  return change;
}

static void
cost_aware(const options *opt)
{
  size_t count = 0;
  prompt *prompts = opt->lengths ? prompts_read(opt->lengths, &count) : NULL;
  if (prompts == NULL) {
    printf("# prompts: no trace of lengths; drawn from quantiles\n");
    prompts = prompts_make(opt->seed, &count);
  }
  if (prompts == NULL)
    exit(2);
  double p95 = play_prompts(prompts, count, 0.95, 0.25, opt);
  double p99 = play_prompts(prompts, count, 0.99, 0.25, opt);
  if (!opt->is_short) {
    play_prompts(prompts, count, 0.95, 0.35, opt);
    play_prompts(prompts, count, 0.99, 0.35, opt);
  }
  free(prompts);
  print_figure("costaware_p95", p95, opt->is_short ? -0.6 : -0.68, false);
  print_figure("costaware_p99", p99, opt->is_short ? -0.65 : -0.75, false);
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
  printf(" (none %.3f s, optimum %.3f s)\n", times_quantile(&slow, 0.99),
         best.percentile);
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
    } else if (!last && strcmp(argv[i], "--only") == 0) {
      opt->only = argv[++i];
    } else if (!last && strcmp(argv[i], "--lengths") == 0) {
      opt->lengths = argv[++i];
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
  printf("# %zu times of %g to %g s\n", of.count, sample[0],
         sample[of.count - 1]);
  summary all = {.opt_min = 9};
  play_times(&of, opt, &all);
  free(sample);
  return 0;
}

static bool
is_wanted(const options *opt, const char *part)
{
  return opt->only == NULL || strcmp(opt->only, part) == 0;
}

int
main(int argc, char **argv)
{
  options opt = {.seed = 1, .calls = 400000, .shift_runs = 1000};
  if (!read_options(argc, argv, &opt)) {
    fprintf(stderr, "usage: hedge_model [--seed N] [--calls N] [--short] "
                    "[--ttft FILE] [--lengths FILE] "
                    "[--only PART]\n");
    return 2;
  }
  if (opt.ttft)
    return play_sample(&opt);
  if (is_wanted(&opt, "efficiency"))
    efficiency(&opt);
  if (is_wanted(&opt, "change"))
    changes(&opt);
  if (is_wanted(&opt, "prompts"))
    cost_aware(&opt);
  /* The next two are noise over few calls. */
  if (!opt.is_short && is_wanted(&opt, "learning"))
    learning(&opt);
  if (!opt.is_short && is_wanted(&opt, "shift"))
    adaptation(&opt);
  if (is_wanted(&opt, "cost"))
    cost_of_record(&opt);
  return missed ? 1 : 0;
}
