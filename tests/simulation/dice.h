/* SPDX-License-Identifier: MIT */
/* Draws for the simulation, in integers throughout: the same seed draws the
 * same numbers with every compiler and at every level of optimisation. */
#ifndef TESTS_SIMULATION_DICE_H
#define TESTS_SIMULATION_DICE_H

#include "base/rng.h"

#include <stdbool.h>

/* A share or a deviation as a multiple of 1/65536. */
#define DICE_ONE 65536

/* Uniform in [0, bound); for bounds up to 2^32, with a bias below 2^-32. */
static inline uint32_t
dice_below(inf_rng *rng, uint32_t bound)
{
  return (uint32_t)(((inf_rng_next(rng) >> 32) * bound) >> 32);
}

/* Uniform in [low, high]. */
static inline uint32_t
dice_between(inf_rng *rng, uint32_t low, uint32_t high)
{
  return low + dice_below(rng, high - low + 1);
}

/* True permille times in a thousand. */
static inline bool
dice_chance(inf_rng *rng, uint32_t permille)
{
  return permille > 0 && dice_below(rng, 1000) < permille;
}

/* Uniform in the logarithm, in [low, high]; low above 0. */
uint64_t dice_log_between(inf_rng *rng, uint64_t low, uint64_t high);
/* Exponential with that mean, which is below 2^48. */
uint64_t dice_exponential(inf_rng *rng, uint64_t mean);
/* Lognormal: median * exp(sigma * z); sigma in 1/65536, at most 4. The normal
 * z is a sum of twelve uniform draws: good to three deviations and more, and
 * never beyond six. */
uint64_t dice_lognormal(inf_rng *rng, uint64_t median, uint32_t sigma);

#endif
