/* SPDX-License-Identifier: MIT */
#include "times.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const times all_times[] = {
    {.name = "lognormal_0.65", .parts = {{1, LOGNORMAL, 0.762, 0.65}}},
    {.name = "lognormal_0.87", .parts = {{1, LOGNORMAL, 0.552, 0.87}}},
    {.name = "pareto_1.5", .parts = {{1, PARETO, 0.4, 1.5}}},
    {.name = "stragglers_5%_x10",
     .parts = {{0.95, LOGNORMAL, 0.5, 0.385}, {0.05, LOGNORMAL, 5, 0.385}}},
    {.name = "stalls_2%_30s",
     .parts = {{0.98, LOGNORMAL, 0.5, 0.35}, {0.02, POINT, 30, 0}}},
    {.name = "cache_20%_x4_1%_x20",
     .parts = {{0.79, LOGNORMAL, 0.4, 0.35},
               {0.20, LOGNORMAL, 1.6, 0.35},
               {0.01, LOGNORMAL, 8, 0.35}}},
};

const size_t all_times_count = sizeof all_times / sizeof all_times[0];

static double
part_cdf(const times_part *part, double t)
{
  if (t <= 0)
    return 0;
  switch (part->kind) {
  case LOGNORMAL:
    return 0.5 * erfc(-log(t / part->scale) / (part->shape * sqrt(2)));
  case PARETO:
    return t <= part->scale ? 0 : 1 - pow(part->scale / t, part->shape);
  case POINT:
    return t >= part->scale;
  }
  return 0;
}

static double
stretch_of(const times *of)
{
  return of->stretch > 0 ? of->stretch : 1;
}

static double
sample_cdf(const times *of, double t)
{
  size_t low = 0, high = of->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (of->sample[middle] <= t)
      low = middle + 1;
    else
      high = middle;
  }
  return (double)low / (double)of->count;
}

double
times_cdf(const times *of, double t)
{
  t /= stretch_of(of);
  if (of->sample)
    return sample_cdf(of, t);
  double sum = 0;
  for (int i = 0; i < 3 && of->parts[i].weight > 0; i++)
    sum += of->parts[i].weight * part_cdf(&of->parts[i], t);
  return sum;
}

static double
draw_normal(inf_rng *rng)
{
  double radius = sqrt(-2 * log(1 - inf_rng_double(rng)));
  return radius * cos(6.283185307179586 * inf_rng_double(rng));
}

static double
part_draw(const times_part *part, inf_rng *rng)
{
  switch (part->kind) {
  case LOGNORMAL:
    return part->scale * exp(part->shape * draw_normal(rng));
  case PARETO:
    return part->scale * pow(1 - inf_rng_double(rng), -1 / part->shape);
  case POINT:
    break;
  }
  return part->scale;
}

double
times_draw(const times *of, inf_rng *rng)
{
  double stretch = stretch_of(of);
  if (of->sample)
    return stretch * of->sample[inf_rng_below(rng, of->count)];
  double draw = inf_rng_double(rng);
  int i = 0;
  while (i < 2 && draw >= of->parts[i].weight && of->parts[i + 1].weight > 0)
    draw -= of->parts[i++].weight;
  return stretch * part_draw(&of->parts[i], rng);
}

/* The least t at which a growing function of it reaches the share. */
typedef double growing(const times *of, double t, double budget);

static double
least_t(const times *of, growing *reached, double budget, double share)
{
  double low = 1e-4, high = 1e6;
  if (of->sample && of->sample[0] * stretch_of(of) < 2 * low)
    low = of->sample[0] * stretch_of(of) / 2;
  for (int i = 0; i < 60; i++) {
    double middle = sqrt(low * high);
    if (reached(of, middle, budget) < share)
      low = middle;
    else
      high = middle;
  }
  return high;
}

static double
alone(const times *of, double t, double budget)
{
  (void)budget;
  return times_cdf(of, t);
}

double
times_quantile(const times *of, double share)
{
  return least_t(of, alone, 0, share);
}

enum { delays = 4000 };

static double
delay_at(const times *of, double t, int i)
{
  if (of->sample) { /* only where F rises */
    size_t step = 1 + of->count / delays;
    size_t at = (size_t)i * step;
    return i == 0 ? 0
                  : of->sample[at < of->count ? at : of->count - 1] *
                        stretch_of(of);
  }
  return t * (double)i / delays;
}

static optimum
best_at(const times *of, double t, double budget)
{
  optimum best = {0};
  double best_gain = -1, late = 1 - times_cdf(of, t);
  for (int i = 0; i < delays; i++) {
    double delay = delay_at(of, t, i);
    if (delay >= t)
      break;
    double reach = 1 - times_cdf(of, delay);
    double probability = reach > budget ? budget / reach : 1;
    double gain = probability * late * times_cdf(of, t - delay);
    if (gain <= best_gain)
      continue;
    best_gain = gain;
    best = (optimum){delay, probability, 1 - late + gain};
  }
  return best;
}

static double
at_best(const times *of, double t, double budget)
{
  return best_at(of, t, budget).percentile;
}

optimum
times_optimum(const times *of, double share, double budget)
{
  double t = least_t(of, at_best, budget, share);
  optimum best = best_at(of, t, budget);
  best.percentile = t;
  return best;
}

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double
percentile_of(double *values, size_t count, double share)
{
  qsort(values, count, sizeof *values, compare);
  size_t rank = (size_t)ceil(share * (double)count);
  return values[rank > 0 ? rank - 1 : 0];
}

/* The number that a line gives; below 0: none. */
static double
number_in(const char *line)
{
  const char *at = strstr(line, "\"ttft_s\":");
  at = at ? at + strlen("\"ttft_s\":") : line;
  char *end;
  double value = strtod(at, &end);
  return end != at && value > 0 && value < 1e6 ? value : -1;
}

double *
times_read(const char *path, size_t *count)
{
  *count = 0;
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return NULL;
  enum { most = 1000000 };
  double *values = malloc(most * sizeof *values);
  char line[4096];
  while (values && *count < most && fgets(line, sizeof line, file)) {
    double value = number_in(line);
    if (value > 0)
      values[(*count)++] = value;
  }
  fclose(file);
  if (*count == 0) {
    free(values);
    return NULL;
  }
  qsort(values, *count, sizeof *values, compare);
  return values;
}
