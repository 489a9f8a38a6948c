/* SPDX-License-Identifier: MIT */
/* xoshiro256** by David Blackman and Sebastiano Vigna ("Scrambled linear
 * pseudorandom number generators", 2018), state filled by splitmix64. */
#include "base/rng.h"

#include "base/clock.h"

#include <sys/types.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

static uint64_t
splitmix64(uint64_t *state)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

void
inf_rng_seed(inf_rng *rng, uint64_t seed)
{
  for (int i = 0; i < 4; i++)
    rng->state[i] = splitmix64(&seed);
}

uint64_t
inf_rng_system_seed(void)
{
  uint64_t seed;
#if defined(__linux__)
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed)
    return seed;
#endif
  seed = inf_clock_now(inf_clock_system()) ^ (uint64_t)(uintptr_t)&seed;
  return splitmix64(&seed);
}

static uint64_t
rotl(uint64_t x, int k)
{
  return (x << k) | (x >> (64 - k));
}

uint64_t
inf_rng_next(inf_rng *rng)
{
  uint64_t *s = rng->state;
  uint64_t result = rotl(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

uint64_t
inf_rng_below(inf_rng *rng, uint64_t bound)
{
  if (bound == 0)
    return 0;
  /* Draws from the incomplete last stretch are thrown away. */
  uint64_t skip = (0 - bound) % bound;
  uint64_t draw;
  do
    draw = inf_rng_next(rng);
  while (draw < skip);
  return draw % bound;
}

uint64_t
inf_rng_between(inf_rng *rng, uint64_t low, uint64_t high)
{
  if (high <= low)
    return low;
  uint64_t span = high - low;
  return span == UINT64_MAX ? inf_rng_next(rng)
                            : low + inf_rng_below(rng, span + 1);
}

double
inf_rng_double(inf_rng *rng)
{
  return (double)(inf_rng_next(rng) >> 11) * 0x1.0p-53;
}
