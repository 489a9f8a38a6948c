/* SPDX-License-Identifier: MIT */
/* How soon the shipped breaker opens, how often for nothing, and what an
 * outage costs with it and the retry budget. Prints
 *
 *   NAME VALUE LIMIT ok|MISSED
 *
 * and, on lines that begin with '#', the same of other libraries' rules in the
 * same runs, and of circumstances for which there is no limit.
 *
 *   breaker_model [--seed N] [--requests N] [--short]
 *
 * --requests: for the false alarms, 2 * 10^7 by default.
 * --short: fewer runs and only what has a limit, for use as a test. */
#include "base/clock.h"
#include "outage.h"
#include "policy/breaker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INF_NS_PER_MS

enum { detections = 40000, few_detections = 2000, longest = 3000 };
enum { history = 20000, outages = 60, few_outages = 4 };

static bool missed, is_short;

static void
print_figure(const char *name, double value, double limit)
{
  bool ok = value <= limit;
  missed = missed || !ok;
  printf("%s %.4g %g %s\n", name, value, limit, ok ? "ok" : "MISSED");
}

/* ---- Detection ----------------------------------------------------------- */

/* A breaker that is fed one request after another. */
typedef struct sim_subject {
  const sim_rule *rule; /* NULL: the shipped breaker */
  inf_breaker breaker;
  rule_state state;
  uint64_t now_ns;
} sim_subject;

static void
subject_init(sim_subject *subject, const sim_rule *rule)
{
  subject->rule = rule;
  subject->now_ns = 1;
  subject->breaker = (inf_breaker){.params = &inf_breaker_defaults};
  if (rule)
    rule_init(rule, &subject->state);
}

/* Returns true if it opens. */
static bool
feed(sim_subject *subject, bool bad, inf_rng *rng)
{
  subject->now_ns += MS;
  if (subject->rule) {
    subject->rule->result(&subject->state, !bad, false, subject->now_ns);
    return subject->state.open;
  }
  inf_breaker_attempt attempt;
  inf_breaker_begin(&subject->breaker, &attempt, false, 0, subject->now_ns,
                    rng);
  inf_breaker_end(&subject->breaker, &attempt,
                  bad ? INF_BREAKER_FAILED : INF_BREAKER_OK, 100,
                  subject->now_ns, rng);
  return subject->breaker.state == INF_BREAKER_OPEN;
}

static bool
draw(inf_rng *rng, double probability)
{
  return inf_rng_double(rng) < probability;
}

/* As if it had never been opened; what it has learned stays. */
static void
reopen(sim_subject *subject)
{
  int64_t base = subject->breaker.base;
  subject_init(subject, subject->rule);
  subject->breaker.base = base;
}

/* Mean number of requests until it opens, after a history of requests of
 * which the share `base` failed; base < 0: none. -1: most never open it. */
static double
detect(const sim_rule *rule, double base, double rate, int runs, inf_rng *rng)
{
  sim_subject start, now;
  subject_init(&start, rule);
  for (int i = 0; base >= 0 && i < history; i++)
    if (feed(&start, draw(rng, base), rng))
      reopen(&start);
  double sum = 0;
  int found = 0;
  for (int run = 0; run < runs; run++) {
    for (int i = 0; base >= 0 && i < rule_window; i++)
      if (feed(&start, draw(rng, base), rng))
        reopen(&start);
    now = start;
    int count = 1;
    while (count < longest && !feed(&now, draw(rng, rate), rng))
      count++;
    found += count < longest;
    sum += count;
  }
  return found > runs / 2 ? sum / runs : -1;
}

static void
print_detection(const char *name, const sim_rule *rule, double base,
                inf_rng *rng)
{
  printf("# detect %-20s 100 %%: %6.2f  50 %%: %7.2f  20 %%: %8.2f", name,
         detect(rule, base, 1, few_detections, rng),
         detect(rule, base, 0.5, few_detections, rng),
         detect(rule, base, 0.2, few_detections, rng));
  printf("  after %g %% (-1: never)\n", base * 100);
}

static double
false_alarms(const sim_rule *rule, uint64_t requests, double base, inf_rng *rng)
{
  sim_subject now;
  subject_init(&now, rule);
  uint64_t alarms = 0;
  for (uint64_t i = 0; i < requests; i++) {
    if (!feed(&now, draw(rng, base), rng))
      continue;
    alarms++;
    reopen(&now);
  }
  return (double)alarms * 1e6 / (double)requests;
}

/* Time to first content as in outage.c is not needed here: half of all in
 * 0.3 s, one in twenty takes ten times as long. Failures 2 %. */
static double
slow_false_alarms(uint64_t requests, inf_rng *rng)
{
  inf_breaker breaker = {.params = &inf_breaker_defaults};
  uint64_t now_ns = 1, alarms = 0;
  for (uint64_t i = 0; i < requests; i++) {
    inf_breaker_attempt attempt;
    inf_breaker_begin(&breaker, &attempt, false, 0, now_ns, rng);
    uint64_t ttft_ns = inf_rng_between(rng, 200 * MS, 600 * MS);
    now_ns += draw(rng, 0.05) ? 10 * ttft_ns : ttft_ns;
    inf_breaker_age(&breaker, &attempt, now_ns, rng);
    inf_breaker_end(&breaker, &attempt,
                    draw(rng, 0.02) ? INF_BREAKER_FAILED : INF_BREAKER_OK, 100,
                    now_ns, rng);
    if (breaker.state != INF_BREAKER_OPEN)
      continue;
    alarms++;
    breaker.state = INF_BREAKER_CLOSED;
  }
  return (double)alarms * 1e6 / (double)requests;
}

static void
detection(uint64_t requests, inf_rng *rng)
{
  int runs = is_short ? detections / 4 : detections;
  print_figure("breaker_detect_100", detect(NULL, -1, 1, runs, rng), 4);
  print_figure("breaker_detect_50", detect(NULL, -1, 0.5, runs, rng), 9.5);
  print_figure("breaker_detect_20", detect(NULL, -1, 0.2, runs, rng), 35);
  print_figure("breaker_false_trips", false_alarms(NULL, requests, 0.02, rng),
               1);
}

static void
compare_detection(uint64_t requests, inf_rng *rng)
{
  print_detection("libinfer", NULL, 0.01, rng);
  print_detection("libinfer", NULL, 0.02, rng);
  for (size_t i = 0; i < rule_count; i++)
    if (rules[i].breaks)
      print_detection(rules[i].name, &rules[i], 0.01, rng);
  printf("# false_trips per 10^6 libinfer 1 %%: %.2f  3 %%: %.2f  5 %%: %.2f  "
         "with 5 %% stragglers: %.2f\n",
         false_alarms(NULL, requests / 2, 0.01, rng),
         false_alarms(NULL, requests / 2, 0.03, rng),
         false_alarms(NULL, requests / 2, 0.05, rng),
         slow_false_alarms(requests / 2, rng));
  for (size_t i = 0; i < rule_count; i++)
    if (rules[i].breaks)
      printf("# false_trips per 10^6 %s 2 %%: %.2f\n", rules[i].name,
             false_alarms(&rules[i], requests / 4, 0.02, rng));
}

/* ---- Outages ------------------------------------------------------------- */

static double
max_of(double a, double b)
{
  return a > b ? a : b;
}

/* The worst of several runs; of the others the mean. */
static outage_figures
worst(const outage_setup *setup, int runs, uint64_t seed, double *recovery_s)
{
  outage_figures all = {0};
  *recovery_s = 0;
  for (int i = 0; i < runs; i++) {
    outage_figures one = outage_run(setup, seed + (uint64_t)i);
    all.amplification_1s = max_of(all.amplification_1s, one.amplification_1s);
    all.amplification_100s =
        max_of(all.amplification_100s, one.amplification_100s);
    all.recovery_s = max_of(all.recovery_s, one.recovery_s);
    *recovery_s += one.recovery_s / runs;
    all.opened_s += one.opened_s / runs;
    all.lost += one.lost / runs;
    all.probes += one.probes / runs;
  }
  return all;
}

static void
print_outage(const char *name, const outage_setup *setup, uint64_t seed)
{
  double recovery_s;
  outage_figures all = worst(setup, few_outages, seed, &recovery_s);
  printf("# outage %-22s 1s %.3f  100s %.4f  recovery_s %.2f (mean %.2f)  "
         "opened_s %.2f  lost %.0f  duplicates %.0f\n",
         name, all.amplification_1s, all.amplification_100s, all.recovery_s,
         recovery_s, all.opened_s, all.lost, all.probes);
}

static void
outage(uint64_t seed)
{
  outage_setup setup = {.targets = 1, .targets_down = 1};
  double recovery_s;
  int runs = is_short ? few_outages : outages;
  outage_figures all = worst(&setup, runs, seed, &recovery_s);
  print_figure("outage_amplification_1s", all.amplification_1s, 1.05);
  print_figure("outage_amplification_100s", all.amplification_100s, 0.02);
  print_figure("outage_recovery_s", all.recovery_s, 3);
}

static void
compare_outages(uint64_t seed)
{
  for (size_t i = 0; i < rule_count; i++)
    print_outage(rules[i].name,
                 &(outage_setup){&rules[i], OUTAGE_ERRORS, 1, 1, false, 0},
                 seed);
  static const struct {
    const char *name;
    outage_setup setup;
  } ours[] = {
      {"libinfer", {NULL, OUTAGE_ERRORS, 1, 1, false, 0}},
      {"budget_alone", {NULL, OUTAGE_ERRORS, 1, 1, true, 0}},
      {"error_after_1s", {NULL, OUTAGE_SLOW_ERROR, 1, 1, false, 0}},
      {"black_hole", {NULL, OUTAGE_BLACK_HOLE, 1, 1, false, 0}},
      {"3_of_3_targets", {NULL, OUTAGE_ERRORS, 3, 3, false, 0}},
      {"3_down_third_recovers", {NULL, OUTAGE_ERRORS, 3, 3, false, 2}},
      {"1_of_2_targets", {NULL, OUTAGE_ERRORS, 2, 1, false, 0}},
      {"1_of_2_error_after_1s", {NULL, OUTAGE_SLOW_ERROR, 2, 1, false, 0}},
      {"1_of_2_black_hole", {NULL, OUTAGE_BLACK_HOLE, 2, 1, false, 0}},
  };
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    print_outage(ours[i].name, &ours[i].setup, seed);
}

/* Returns false if they are not understood. */
static bool
read_options(int argc, char **argv, uint64_t *seed, uint64_t *requests)
{
  for (int i = 1; i < argc; i++) {
    bool last = i + 1 == argc;
    if (strcmp(argv[i], "--short") == 0) {
      is_short = true;
      *requests = 1000000;
    } else if (!last && strcmp(argv[i], "--seed") == 0) {
      *seed = strtoull(argv[++i], NULL, 10);
    } else if (!last && strcmp(argv[i], "--requests") == 0) {
      *requests = strtoull(argv[++i], NULL, 10);
    } else {
      return false;
    }
  }
  return *requests > 0;
}

int
main(int argc, char **argv)
{
  uint64_t seed = 1, requests = 20000000;
  if (!read_options(argc, argv, &seed, &requests)) {
    fprintf(stderr, "usage: breaker_model [--seed N] [--requests N] "
                    "[--short]\n");
    return 2;
  }
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  detection(requests, &rng);
  outage(seed * 1000);
  if (!is_short) {
    compare_detection(requests, &rng);
    compare_outages(seed * 1000);
  }
  return missed ? 1 : 0;
}
