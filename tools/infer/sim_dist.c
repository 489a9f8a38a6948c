/* SPDX-License-Identifier: MIT */
/* Drawing from the distributions that a script may give for times and
 * lengths. */

#include "sim_dist.h"

#include <math.h>

/* Quantile 0.95 of the standard normal distribution. */
#define Z95 1.6448536269514722
/* Eleven days in milliseconds: an upper bound that keeps a script's typing
 * error from overflowing nanoseconds. */
#define DRAW_MAX 1e9
#define PI       3.14159265358979323846

inf_sim_dist
inf_sim_dist_lognormal(double p50, double p95)
{
  return (inf_sim_dist){
      .kind = INF_SIM_LOGNORMAL, .a = log(p50), .b = log(p95 / p50) / Z95};
}

/* Box and Muller (1958); 1 - u keeps the logarithm finite. */
static double
draw_normal(inf_rng *rng)
{
  double radius = sqrt(-2 * log(1 - inf_rng_double(rng)));
  return radius * cos(2 * PI * inf_rng_double(rng));
}

static double
draw_mix(const inf_sim_dist *dist, inf_rng *rng)
{
  double total = 0;
  for (size_t i = 0; i < dist->part_count; i++) {
    total += dist->parts[i].weight;
  }
  double at = inf_rng_double(rng) * total;
  size_t i = 0;
  while (i + 1 < dist->part_count && at >= dist->parts[i].weight) {
    at -= dist->parts[i].weight;
    i++;
  }
  return inf_sim_dist_draw(&dist->parts[i].dist, rng);
}

/* The quantile of a share of 0 to 1. */
static double
quantile(const inf_sim_dist *dist, double share)
{
  const inf_sim_part *parts = dist->parts;
  size_t low = 0, high = dist->part_count - 1;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (parts[middle].weight <= share) {
      low = middle;
    } else {
      high = middle;
    }
  }
  double width = parts[high].weight - parts[low].weight;
  double part = width > 0 ? (share - parts[low].weight) / width : 0;
  return parts[low].dist.a + part * (parts[high].dist.a - parts[low].dist.a);
}

/* Mixtures may hold mixtures; the reader bounds their depth. */
static double
draw_raw(const inf_sim_dist *dist, inf_rng *rng)
{
  switch (dist->kind) {
  case INF_SIM_LOGNORMAL:
    return exp(dist->a + dist->b * draw_normal(rng));
  case INF_SIM_UNIFORM:
    return dist->a + (dist->b - dist->a) * inf_rng_double(rng);
  case INF_SIM_EXPONENTIAL:
    return -dist->a * log(1 - inf_rng_double(rng));
  case INF_SIM_MIX:
    return draw_mix(dist, rng);
  case INF_SIM_QUANTILES:
    return quantile(dist, inf_rng_double(rng));
  case INF_SIM_CONSTANT:
    break;
  }
  return dist->a;
}

double
inf_sim_dist_draw(const inf_sim_dist *dist, inf_rng *rng)
{
  double value = draw_raw(dist, rng);
  if (!(value > 0)) {
    return 0;
  }
  return value > DRAW_MAX ? DRAW_MAX : value;
}

uint64_t
inf_sim_dist_draw_ns(const inf_sim_dist *dist, inf_rng *rng)
{
  return (uint64_t)(inf_sim_dist_draw(dist, rng) * 1e6);
}

uint64_t
inf_sim_dist_draw_count(const inf_sim_dist *dist, inf_rng *rng, uint64_t max)
{
  double value = floor(inf_sim_dist_draw(dist, rng) + 0.5);
  if (value < 1) {
    return 1;
  }
  return value > (double)max ? max : (uint64_t)value;
}
