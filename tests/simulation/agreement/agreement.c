/* SPDX-License-Identifier: MIT */
/* Does the simulation tell what happens on real sockets? Plays each scene of
 * scene.c twice, with the shipped engine in both: over the simulated network
 * under the virtual clock, and over libcurl against `infer sim` on loopback in
 * real time. Prints what came of it in both,
 *
 *   SCENE: FIGURE  SIMULATED  REAL  ok|DIFFERS
 *
 * and ends with 1 if a share differs by more than 0.005, or anything else by
 * more than 5 %.
 *
 *   agreement [--scene NAME] [--runs N] [--seed N] [--verbose]
 *   agreement --blind       is a difference seen? No sockets, a second
 *
 * Both worlds make the same calls at the same times, and their clients draw
 * from the same seeds. Each scene is played with several seeds, and for each
 * figure the seed with the median difference counts and is shown: a moment in
 * which the machine was busy may send a run another way, but not most of them.
 * All runs of the real world are played side by side.
 *
 * The machine has to keep the schedule for that. How late calls were made, and
 * how late answers came, is measured and told. If one in a hundred was later
 * than slow_ms, or the worlds differ and one in a hundred was later than
 * good_ms, all is played once more; what then comes out counts, and a machine
 * that is too slow again is a failure. */
#include "compare.h"
#include "worlds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { max_records = 64 };

/* 5 % of a second: shorter times are not compared. */
static const double slow_ms = 50, good_ms = 10;

typedef struct agreement_options {
  const char *scene; /* NULL: all */
  size_t runs;       /* 0: as many as the scene says */
  uint64_t seed;
  bool verbose, blind;
} agreement_options;

/* ---- Playing ------------------------------------------------------------- */

/* The records of all runs; those of one scene follow one another. */
typedef struct run_batch {
  sim_run *runs[max_records];
  size_t count;
} run_batch;

static void
fail(const char *what)
{
  fprintf(stderr, "agreement: %s\n", what);
  exit(2);
}

static void
add_run(run_batch *batch, const sim_scene *scene, uint64_t seed)
{
  sim_run *run = malloc(sizeof *run);
  if (!run || batch->count == max_records)
    fail("no room for so many runs");
  sim_run_init(run, scene, seed);
  batch->runs[batch->count++] = run;
}

static void
make_batch(run_batch *batch, const agreement_options *options)
{
  batch->count = 0;
  for (size_t i = 0; i < scene_count; i++) {
    size_t runs = options->runs > 0 ? options->runs : scenes[i].runs;
    if (options->scene ? strcmp(options->scene, scenes[i].name) != 0
                       : scenes[i].hedges)
      continue;
    for (size_t k = 0; k < runs; k++)
      add_run(batch, &scenes[i], options->seed + k);
  }
  if (batch->count == 0)
    fail("no such scene");
}

static void
free_batch(run_batch *batch)
{
  while (batch->count > 0)
    free(batch->runs[--batch->count]);
}

/* Ends the program if a run went wrong. */
static void
check_runs(const run_batch *batch, const char *world)
{
  for (size_t i = 0; i < batch->count; i++)
    if (batch->runs[i]->trouble[0]) {
      printf("%s, seed %llu, %s: %s\n", batch->runs[i]->scene->name,
             (unsigned long long)batch->runs[i]->seed, world,
             batch->runs[i]->trouble);
      exit(1);
    }
}

static void
play_virtual(run_batch *batch)
{
  for (size_t i = 0; i < batch->count; i++)
    virtual_play(batch->runs[i]);
  check_runs(batch, "simulated");
}

/* The runs from `at` on that are of one scene; where the next one begins. */
static size_t
take_scene(const run_batch *batch, size_t at, scene_runs *played)
{
  played->scene = batch->runs[at]->scene;
  played->count = 0;
  while (at < batch->count && batch->runs[at]->scene == played->scene &&
         played->count < compare_max_runs)
    sim_run_measure(batch->runs[at++], &played->runs[played->count++]);
  return at;
}

static size_t
compare_all(const run_batch *simulated, const run_batch *real, bool verbose)
{
  static scene_runs a, b;
  size_t differ = 0;
  for (size_t at = 0; at < simulated->count;) {
    take_scene(real, at, &b);
    at = take_scene(simulated, at, &a);
    differ += compare_runs(&a, &b, false, verbose);
  }
  return differ;
}

/* ---- Both worlds --------------------------------------------------------- */

static double
worse(double a, double b)
{
  return a > b ? a : b;
}

static void
print_pace(const real_pace *pace)
{
  printf("# calls were late by %.1f ms (99 %%) and %.1f ms (all), answers by "
         "%.1f ms and %.1f ms\n",
         pace->late_p99_ms, pace->late_max_ms, pace->answer_p99_ms,
         pace->answer_max_ms);
}

/* 0 if the worlds agree, 1 if not. Sets *late_ms. */
static int
play_both(const agreement_options *options, double *late_ms)
{
  run_batch simulated, real;
  real_pace pace;
  make_batch(&simulated, options);
  make_batch(&real, options);
  play_virtual(&simulated);
  real_play(real.runs, real.count, &pace);
  check_runs(&real, "real");
  size_t differ = compare_all(&simulated, &real, options->verbose);
  print_pace(&pace);
  *late_ms = worse(pace.late_p99_ms, pace.answer_p99_ms);
  free_batch(&simulated);
  free_batch(&real);
  return differ > 0;
}

static int
play_and_judge(const agreement_options *options)
{
  double late_ms;
  int code = play_both(options, &late_ms);
  if (late_ms > slow_ms || (code != 0 && late_ms > good_ms)) {
    printf("# this machine was too slow: once more\n");
    code = play_both(options, &late_ms);
  }
  if (late_ms > slow_ms) {
    printf("this machine is too slow: one in a hundred was later than %.0f ms; "
           "it cannot be told whether the worlds agree\n",
           slow_ms);
    return 1;
  }
  if (code != 0 && late_ms > good_ms)
    printf("one in a hundred was later than %.0f ms: that may be why\n",
           good_ms);
  return code;
}

/* ---- Is a difference seen? ----------------------------------------------- */

/* The simulated world with something of it changed, by a little, as if it were
 * the real one. */
typedef struct blind_change {
  const char *what, *scene;
  void (*make)(sim_scene *scene);
  bool is_seen;
} blind_change;

static void
nothing(sim_scene *scene)
{
  (void)scene;
}

static void
smaller_quota(sim_scene *scene)
{
  scene->per_minute -= scene->per_minute / 100;
}

static void
tighter_limit(sim_scene *scene)
{
  scene->limits = "{\"requests_per_second\":49}";
}

static void
no_breaker(sim_scene *scene)
{
  scene->route = ",\"breaker\":false";
}

static void
no_budget(sim_scene *scene)
{
  scene->route = ",\"breaker\":false,\"retry_budget\":false";
}

static void
later_repair(sim_scene *scene)
{
  scene->until_ms += 3000;
}

static void
smaller_burst(sim_scene *scene)
{
  scene->burst = 40;
}

static const blind_change changes[] = {
    {"nothing", "quota_headers", nothing, false},
    {"nothing", "errors", nothing, false},
    {"nothing", "errors_second", nothing, false},
    {"a quota smaller by 1 %", "quota_headers", smaller_quota, true},
    {"a limit smaller by 2 %", "quota_configured", tighter_limit, true},
    {"a bucket that is too small", "quota_configured", smaller_burst, true},
    {"nothing", "quota_herd", nothing, false},
    {"no breaker", "errors", no_breaker, true},
    {"no breaker", "refused", no_breaker, true},
    {"no breaker", "errors_second", no_breaker, true},
    {"retries that are not paid", "errors_budget", no_budget, true},
    {"a repair 3 s later", "errors", later_repair, true},
    {"a repair 3 s later", "refused_second", later_repair, true},
};

static bool
play_change(const blind_change *change, const agreement_options *options)
{
  static scene_runs a, b;
  agreement_options one = *options;
  run_batch simulated, changed;
  one.scene = change->scene;
  make_batch(&simulated, &one);
  make_batch(&changed, &one);
  sim_scene scene = *changed.runs[0]->scene;
  change->make(&scene);
  play_virtual(&simulated);
  for (size_t i = 0; i < changed.count; i++)
    changed.runs[i]->scene = &scene;
  play_virtual(&changed);
  /* It is measured as if nothing were changed. */
  for (size_t i = 0; i < changed.count; i++)
    changed.runs[i]->scene = simulated.runs[i]->scene;
  take_scene(&simulated, 0, &a);
  take_scene(&changed, 0, &b);
  bool seen = compare_runs(&a, &b, !options->verbose, false) > 0;
  bool ok = seen == change->is_seen;
  printf("%s: %s: %s%s\n", change->scene, change->what,
         seen ? "differs" : "the same", ok ? "" : ", WHICH IS WRONG");
  free_batch(&simulated);
  free_batch(&changed);
  return ok;
}

static int
play_changes(const agreement_options *options)
{
  bool ok = true;
  for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
    ok &= play_change(&changes[i], options);
  return ok ? 0 : 1;
}

/* ---- Options ------------------------------------------------------------- */

static bool
read_options(int argc, char **argv, agreement_options *options)
{
  *options = (agreement_options){.seed = 1};
  for (int i = 1; i < argc; i++) {
    bool last = i + 1 == argc;
    if (strcmp(argv[i], "--verbose") == 0)
      options->verbose = true;
    else if (strcmp(argv[i], "--blind") == 0)
      options->blind = true;
    else if (!last && strcmp(argv[i], "--scene") == 0)
      options->scene = argv[++i];
    else if (!last && strcmp(argv[i], "--runs") == 0)
      options->runs = strtoul(argv[++i], NULL, 10);
    else if (!last && strcmp(argv[i], "--seed") == 0)
      options->seed = strtoull(argv[++i], NULL, 10);
    else
      return false;
  }
  return options->runs <= compare_max_runs;
}

int
main(int argc, char **argv)
{
  agreement_options options;
  if (!read_options(argc, argv, &options)) {
    fprintf(stderr, "usage: agreement [--scene NAME] [--runs N] [--seed N] "
                    "[--verbose] [--blind]\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  return options.blind ? play_changes(&options) : play_and_judge(&options);
}
