/* SPDX-License-Identifier: MIT */
/* How much of a quota is used, and at what price in 429s, by policy/quota.c and
 * by other rules. For tuning the law; the engine is simulated elsewhere.
 *
 *   quota_model [--seed N] [--seeds COUNT] [--load X] [--all] [--brief]
 *               [--goal I] [--variant I] [--trace FILE]
 *
 * Prints `figure value target ok|short`, for the worst of COUNT seeds (20) from
 * N (1) on, and on lines that begin with '#' what other rules reach in three of
 * these runs; with --all also what the law reaches where the provider behaves
 * otherwise; with --brief neither. --goal and --variant choose one of each.
 * --trace takes arrivals and lengths from a file (trace.h says of which form)
 * in place of the draws; one that cannot be read ends the program with 2. */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const policy_names[] = {"retry with jitter",
                                           "reserve and settle",
                                           "min(local, remaining)",
                                           "min, and cut on a 429",
                                           "slope",
                                           "this law"};

/* ---- Figures ------------------------------------------------------------- */

static figures
worst_of(const scenario *scene, policy rule, uint64_t seed, int seeds)
{
  figures worst = {9, 0, 9, 9};
  for (int i = 0; i < seeds; i++) {
    figures f = model_play(scene, rule, seed + (uint64_t)i);
    worst.util = fmin(worst.util, f.util);
    worst.refused = fmax(worst.refused, f.refused);
    worst.jain = fmin(worst.jain, f.jain);
    worst.usable = fmin(worst.usable, f.usable);
  }
  return worst;
}

static bool
print_figure(const char *what, const char *name, double value, double target,
             bool at_least)
{
  bool ok = at_least ? value >= target : value <= target;
  printf("limit_%s_%s %.5f %g %s\n", what, name, value, target,
         ok ? "ok" : "short");
  return ok;
}

typedef struct goal {
  scenario scene;
  double util, refused, jain;
} goal;

static const goal goals[] = {
    {{.name = "alone", .clients = 1}, 0.99, 0.001, 0},
    {{.name = "cotenant20", .clients = 1, .cotenant = 0.2}, 0.98, 0.001, 0},
    {{.name = "cotenant50", .clients = 1, .cotenant = 0.5}, 0.95, 0.005, 0},
    {{.name = "8procs", .clients = 8}, 0.95, 0.01, 0.95},
};

static const scenario variants[] = {
    {.name = "charge split", .charge = CHARGE_SPLIT},
    {.name = "charge reserve", .charge = CHARGE_RESERVE},
    {.name = "burst 60 s", .burst_s = 60},
    {.name = "burst 3 s", .burst_s = 3},
    {.name = "burst 3 s, no reset", .burst_s = 3, .no_reset = true},
    {.name = "no reset", .no_reset = true},
    {.name = "requests bind", .per_request = true},
    {.name = "coarse", .coarse = true},
    {.name = "on success only", .on_success_only = true},
    {.name = "no limit told", .no_limit = true},
    {.name = "resets only", .resets_only = true},
    {.name = "no headers", .no_headers = true},
    {.name = "nonsense 5 %", .nonsense = 0.05},
    {.name = "limit halves", .change = 0.5},
    {.name = "limit doubles", .change = 2, .load = 2.6},
    {.name = "late joiners", .joins_s = 600},
    {.name = "slow answers", .ttft_s = 3},
    {.name = "60 per minute", .rate_scale = 0.1, .burst_s = 60},
    {.name = "6000 per minute", .rate_scale = 10},
    {.name = "fixed windows", .window = true},
    {.name = "load 0.8", .load = 0.8},
    {.name = "on and off", .on_off = true},
    {.name = "twice the clients", .clients = 2},
    {.name = "four times the clients", .clients = 4},
    {.name = "load 1", .load = 1},
    {.name = "load 5", .load = 5},
    {.name = "remaining is offset", .offset = true},
    {.name = "remaining is scaled", .scaled = true},
};

typedef struct options {
  uint64_t seed;
  int seeds, goal, variant;
  double load;
  bool all, brief;
  trace trace;
} options;

static scenario
variant_of(const goal *g, const scenario *v, const options *o)
{
  scenario s = *v;
  s.clients = g->scene.clients * (v->clients > 0 ? v->clients : 1);
  s.cotenant = g->scene.cotenant;
  s.load = v->load > 0 ? v->load : o->load;
  s.trace = o->trace.count > 0 ? &o->trace : NULL;
  s.burst_s = v->burst_s > 0 ? v->burst_s : 10;
  s.rate_scale = v->rate_scale > 0 ? v->rate_scale : 1;
  return s;
}

static void
print_comment(const char *name, const char *which, figures f)
{
  printf("#   %-12s %-22s util %.4f  429 %.5f  jain %.4f\n", name, which,
         f.util, f.refused, f.jain);
}

static bool
read_options(int argc, char **argv, options *o, const char **trace_path)
{
  *o = (options){1, 20, -1, -1, 1.3, false, false, {0}};
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i];
    if (strcmp(name, "--all") == 0 || strcmp(name, "--brief") == 0) {
      *(name[2] == 'a' ? &o->all : &o->brief) = true;
      continue;
    }
    if (i + 1 == argc)
      return false;
    const char *value = argv[++i];
    if (strcmp(name, "--seed") == 0)
      o->seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--seeds") == 0)
      o->seeds = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--load") == 0)
      o->load = strtod(value, NULL);
    else if (strcmp(name, "--goal") == 0)
      o->goal = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--variant") == 0)
      o->variant = (int)strtol(value, NULL, 10);
    else if (strcmp(name, "--trace") == 0)
      *trace_path = value;
    else
      return false;
  }
  return o->seeds > 0 && o->load > 0;
}

static bool
play_goal(const goal *g, const options *o)
{
  scenario one = {.name = ""}, s = variant_of(g, &one, o);
  s.name = g->scene.name;
  figures f = worst_of(&s, POLICY_LAW, o->seed, o->seeds);
  bool ok = print_figure("util", s.name, f.util, g->util, true);
  ok &= print_figure("429", s.name, f.refused, g->refused, false);
  if (g->jain > 0)
    ok &= print_figure("jain", s.name, f.jain, g->jain, true);
  if (s.trace)
    printf("#   %.4f of the quota could be used\n", fmin(1, f.usable));
  int few = o->seeds < 3 ? o->seeds : 3;
  for (int rule = 0; !o->brief && rule < POLICY_LAW; rule++)
    print_comment(s.name, policy_names[rule],
                  worst_of(&s, (policy)rule, o->seed, few));
  return ok;
}

static void
play_variants(const goal *g, const options *o)
{
  int few = o->seeds < 5 ? o->seeds : 5;
  for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
    if (o->variant >= 0 && o->variant != (int)i)
      continue;
    scenario s = variant_of(g, &variants[i], o);
    print_comment(g->scene.name, s.name,
                  worst_of(&s, POLICY_LAW, o->seed, few));
  }
}

static void
print_trace(const options *o, const char *path)
{
  scenario one = {.name = ""}, s = variant_of(&goals[0], &one, o);
  size_t too_long = model_trace_too_long(&s);
  printf("# %s: %zu requests, of which %zu are longer than the bucket and left "
         "out; played at %.4g of its units of time per second\n",
         path, o->trace.count, too_long, model_trace_speed(&s));
}

int
main(int argc, char **argv)
{
  options o;
  bool ok = true;
  const char *trace_path = NULL;
  char why[512];
  if (!read_options(argc, argv, &o, &trace_path)) {
    fprintf(stderr,
            "usage: quota_model [--seed N] [--seeds COUNT] [--load X] "
            "[--all] [--brief] [--goal I] [--variant I] [--trace FILE]\n");
    return 2;
  }
  if (trace_path && !trace_load(&o.trace, trace_path, why, sizeof why)) {
    fprintf(stderr, "quota_model: %s\n", why);
    return 2;
  }
  if (trace_path)
    print_trace(&o, trace_path);
  for (size_t i = 0; i < sizeof goals / sizeof goals[0]; i++) {
    if (o.goal >= 0 && o.goal != (int)i)
      continue;
    ok &= play_goal(&goals[i], &o);
    if (o.all || o.variant >= 0)
      play_variants(&goals[i], &o);
  }
  printf("# %.0f simulated requests per second of one core\n",
         model_simulated / model_cpu_s);
  trace_free(&o.trace);
  return ok ? 0 : 1;
}
