/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_RNG_H
#define INF_BASE_RNG_H

#include <stdint.h>

/* xoshiro256** (Blackman and Vigna, 2018), seeded through splitmix64. Not for
 * secrets: it draws jitter and samples, repeatably from a seed. */
typedef struct inf_rng {
  uint64_t state[4];
} inf_rng;

void inf_rng_seed(inf_rng *rng, uint64_t seed);
/* A seed from the system's entropy (getrandom), or from time and address
 * where there is none. */
uint64_t inf_rng_system_seed(void);
uint64_t inf_rng_next(inf_rng *rng);
/* Uniform in [0, bound); 0 for bound 0. Without modulo bias. */
uint64_t inf_rng_below(inf_rng *rng, uint64_t bound);
/* Uniform in [low, high]. */
uint64_t inf_rng_between(inf_rng *rng, uint64_t low, uint64_t high);
/* Uniform in [0, 1). */
double inf_rng_double(inf_rng *rng);

#endif
