/* SPDX-License-Identifier: MIT */
#include "prompts.h"

#include "base/clock.h"
#include "policy/hedge.h"
#include "policy/series.h"
#include "times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { buckets = INF_SINGLE_R_BUCKETS };

const char *const prompts_names[PROMPTS_RULES] = {"none", "blind", "libinfer",
                                                  "known distributions"};

static const double budget_share = 0.05;

/* ---- Lengths ------------------------------------------------------------- */

prompt *
prompts_read(const char *path, size_t *count)
{
  enum { most = 1000000 };
  *count = 0;
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return NULL;
  prompt *prompts = malloc(most * sizeof *prompts);
  char line[256];
  while (prompts && *count < most && fgets(line, sizeof line, file)) {
    prompt *next = &prompts[*count];
    if (sscanf(line, "%*[^,],%u,%u", &next->context, &next->answer) == 2)
      ++*count;
  }
  fclose(file);
  if (*count > 0)
    return prompts;
  free(prompts);
  return NULL;
}

/* Of a table of quantiles, a straight line in between. */
typedef struct quantile {
  double share, tokens;
} quantile;

static const quantile contexts[] = {{0, 3},       {0.01, 29},     {0.05, 181},
                                    {0.1, 207},   {0.25, 396},    {0.5, 1020},
                                    {0.75, 1189}, {0.9, 2734},    {0.95, 4083},
                                    {0.99, 4142}, {0.9999, 4200}, {1, 14050}};
static const quantile answers[] = {{0, 7},     {0.05, 41},  {0.25, 85},
                                   {0.5, 129}, {0.75, 395}, {0.95, 451},
                                   {1, 1000}};

static uint32_t
draw_length(const quantile *table, inf_rng *rng)
{
  double share = inf_rng_double(rng);
  while (share > table[1].share)
    table++;
  double part = (share - table[0].share) / (table[1].share - table[0].share);
  double tokens = table[0].tokens + part * (table[1].tokens - table[0].tokens);
  return (uint32_t)tokens;
}

prompt *
prompts_make(uint64_t seed, size_t *count)
{
  *count = 20000;
  prompt *prompts = malloc(*count * sizeof *prompts);
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  for (size_t i = 0; prompts && i < *count; i++)
    prompts[i] =
        (prompt){draw_length(contexts, &rng), draw_length(answers, &rng)};
  return prompts;
}

static double
base_time(uint32_t context)
{
  return 0.25 + 0.00012 * context;
}

double
prompts_quantile(const prompt *prompts, size_t count, double share,
                 double sigma)
{
  double low = 0, high = 100;
  for (int i = 0; i < 40; i++) {
    double middle = (low + high) / 2, reached = 0;
    for (size_t k = 0; k < count; k++) {
      times of = {
          .parts = {{1, LOGNORMAL, base_time(prompts[k].context), sigma}}};
      reached +=
          0.95 * times_cdf(&of, middle) + 0.05 * times_cdf(&of, middle - 5);
    }
    if (reached < (share + 1e-6) * (double)count) /* past the level part */
      low = middle;
    else
      high = middle;
  }
  return high;
}

/* ---- The client ---------------------------------------------------------- */

/* What a client keeps for each bucket of lengths. */
typedef struct known {
  inf_series series;
  inf_survival survival;
  uint64_t late_ns;
  double calls; /* fade */
  double mean_context;
} known;

typedef struct client {
  prompts_rule kind;
  double sigma;
  inf_rng rng;
  inf_series_room room;
  known of[buckets];
  double mean_cost; /* of a call */
  inf_hedge_params params;
  inf_hedge hedge;
  inf_hedge_budget money;
  inf_slowdown slowdown;
  inf_single_r_work work;
  double paid, spent, excess;
  double solving_ns, solved;
} client;

static client player;

static double
draw_time(double sigma, uint32_t context, inf_rng *rng)
{
  times of = {.parts = {{1, LOGNORMAL, base_time(context), sigma}}};
  double s = times_draw(&of, rng);
  return inf_rng_double(rng) < 0.05 ? s + 5 : s;
}

static uint32_t
bucket_of(const client *at, uint32_t context)
{
  return at->kind == PROMPTS_BLIND ? 0 : inf_hedge_bucket(context);
}

/* The true curves, from many draws. */
static void
tell(client *at, const prompt *prompts, size_t count)
{
  static inf_histogram seen[buckets], none;
  memset(seen, 0, sizeof seen);
  inf_rng rng;
  inf_rng_seed(&rng, 99);
  for (size_t i = 0; i < 4000000; i++) {
    uint32_t context = prompts[i % count].context;
    double s = draw_time(at->sigma, context, &rng);
    inf_histogram_record(&seen[bucket_of(at, context)], (uint64_t)(s * 1e9), 1);
  }
  for (uint32_t i = 0; i < buckets; i++)
    inf_survival_estimate(&at->of[i].survival, &seen[i], &none);
}

static void
client_init(client *at, prompts_rule kind, double share, uint64_t seed)
{
  memset(at, 0, sizeof *at);
  at->kind = kind;
  at->room.cap_bytes = 1 << 20;
  for (int i = 0; i < buckets; i++) {
    inf_series_init(&at->of[i].series, &at->room);
    at->of[i].late_ns = INF_NEVER;
  }
  at->params = inf_hedge_defaults;
  at->params.share = share;
  at->params.budget = budget_share;
  inf_hedge_init(&at->hedge, &at->params);
  inf_hedge_budget_init(&at->money, budget_share);
  inf_rng_seed(&at->rng, seed);
}

static bool
has_curve(const client *at, uint32_t i)
{
  if (at->kind == PROMPTS_KNOWN)
    return at->of[i].survival.known > 0;
  return inf_hedge_is_known(inf_series_events(&at->of[i].series));
}

/* A bucket of which too little is known borrows the next one's curve. */
static const inf_survival *
curve_for(const client *at, uint32_t wanted)
{
  for (uint32_t off = 0; off < buckets; off++) {
    if (wanted >= off && has_curve(at, wanted - off))
      return &at->of[wanted - off].survival;
    if (wanted + off < buckets && has_curve(at, wanted + off))
      return &at->of[wanted + off].survival;
  }
  return NULL;
}

static void
make_plan(client *at)
{
  inf_single_r_bucket of[buckets];
  for (uint32_t i = 0; i < buckets; i++) {
    const inf_survival *curve = curve_for(at, i);
    if (curve == NULL)
      return;
    of[i] = (inf_single_r_bucket){curve, curve, at->of[i].calls,
                                  at->of[i].mean_context / at->mean_cost};
  }
  inf_single_r_problem problem = {.buckets = of, .count = buckets};
  uint64_t began_ns = inf_clock_now(inf_clock_system());
  inf_hedge_plan(&at->hedge, &problem, &at->money, &at->work);
  at->solving_ns += (double)(inf_clock_now(inf_clock_system()) - began_ns);
  at->solved++;
}

static void
read_series(client *at, uint64_t call)
{
  bool changed = false;
  if (at->kind == PROMPTS_KNOWN)
    changed = call >= 1000 && call % 200 == 0;
  for (int i = 0; i < buckets && at->kind != PROMPTS_KNOWN; i++) {
    known *one = &at->of[i];
    if (!inf_series_is_due(&one->series))
      continue;
    inf_series_read(&one->series, &one->survival);
    one->late_ns = inf_survival_quantile(&one->survival, 0.9);
    changed = true;
  }
  if (changed)
    make_plan(at);
}

static void
record(client *at, known *one, double s, bool censored)
{
  uint64_t ns = (uint64_t)(s * 1e9);
  inf_slowdown_add(&at->slowdown, ns >= one->late_ns);
  if (at->kind != PROMPTS_KNOWN &&
      inf_series_record(&one->series, ns, censored))
    at->slowdown = (inf_slowdown){0};
}

static void
complete(client *at, known *one, const prompt *sent)
{
  double cost = (double)sent->context + 4 * (double)sent->answer;
  for (int i = 0; i < buckets; i++)
    at->of[i].calls *= 1 - 1.0 / 20000;
  one->calls += 1;
  double part = one->calls < 1000 ? 1 / one->calls : 1e-3;
  one->mean_context += part * ((double)sent->context - one->mean_context);
  at->paid += cost;
  part = at->mean_cost == 0 ? 1 : 1e-3;
  at->mean_cost += part * (cost - at->mean_cost);
  /* In millionths, so that nothing is rounded away. */
  inf_hedge_budget_complete(&at->money, (int64_t)cost * 1000000);
}

static double
race(client *at, known *one, const prompt *sent, double delay, double x,
     double y, inf_hedge_claim *claim)
{
  bool won = delay + y < x;
  double s = won ? delay + y : x;
  record(at, one, s, won);
  record(at, one, s - delay, !won);
  inf_hedge_end(&at->hedge, won);
  inf_hedge_budget_settle(claim, (int64_t)sent->context * 1000000);
  at->spent += (double)sent->context;
  return s;
}

static double
play(client *at, const prompt *sent, double x, double y)
{
  uint32_t bucket = bucket_of(at, sent->context);
  known *one = &at->of[bucket];
  const inf_hedge_call call = {.bucket = bucket};
  inf_hedge_arming arming =
      inf_hedge_arm(&at->hedge, &call, &at->money, 0, &at->rng);
  double delay = (double)arming.fire_at_ns / 1e9, s = x;
  int64_t cost = (int64_t)sent->context * 1000000;
  inf_hedge_claim claim;
  if (x > delay && inf_hedge_fire(&at->hedge, &at->money, &at->slowdown, cost,
                                  &claim, &at->rng) == INF_HEDGE_YES)
    s = race(at, one, sent, delay, x, y, &claim);
  else
    record(at, one, x, false);
  complete(at, one, sent);
  at->excess = fmax(at->excess, at->spent / at->paid - budget_share);
  return s;
}

prompts_result
prompts_play(const prompt *prompts, size_t count, prompts_rule kind,
             double share, double sigma, size_t calls, uint64_t seed)
{
  client *at = &player;
  client_init(at, kind, share, seed + 17);
  at->sigma = sigma;
  if (kind == PROMPTS_KNOWN)
    tell(at, prompts, count);
  double *result = malloc(calls * sizeof *result);
  if (result == NULL)
    exit(2);
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  at->excess = -budget_share;
  for (size_t i = 0; i < calls; i++) {
    const prompt *sent = &prompts[inf_rng_below(&rng, count)];
    double x = draw_time(at->sigma, sent->context, &rng);
    double y = draw_time(at->sigma, sent->context, &rng);
    result[i] = x;
    if (kind == PROMPTS_NONE)
      continue;
    read_series(at, i);
    result[i] = play(at, sent, x, y);
  }
  prompts_result got = {.percentile = percentile_of(result, calls, share),
                        .spent = at->paid > 0 ? at->spent / at->paid : 0,
                        .excess = at->excess,
                        .solve_ns =
                            at->solved > 0 ? at->solving_ns / at->solved : 0};
  free(result);
  for (int i = 0; i < buckets; i++)
    inf_series_fini(&at->of[i].series);
  return got;
}
