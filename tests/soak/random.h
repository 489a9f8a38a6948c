/* SPDX-License-Identifier: MIT */
#ifndef TEST_SOAK_RANDOM_H
#define TEST_SOAK_RANDOM_H

#include <stdint.h>

/* A generator for each thread: what a thread does depends on the seed, and
 * only the order of threads on the day. */
typedef struct soak_random {
  uint64_t state;
} soak_random;

static inline soak_random
soak_random_of(uint64_t seed, uint64_t thread)
{
  return (soak_random){(seed + 1) * 0xD1342543DE82EF95u +
                       thread * 0x9E3779B97F4A7C15u};
}

/* From 0 to below. */
static inline unsigned
roll(soak_random *random, unsigned below)
{
  uint64_t x = random->state += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return (unsigned)(((x ^ (x >> 31)) >> 32) * below >> 32);
}

#endif
