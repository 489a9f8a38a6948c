/* SPDX-License-Identifier: MIT */
/* Random numbers for jitter and samples: xoshiro256** by Blackman and Vigna
 * (ACM Transactions on Mathematical Software 47:4, 2021), which passes the
 * known statistical tests at one nanosecond a number. Its state must not be
 * all zero and should not be regular, so it is filled from the seed by
 * splitmix64 (Steele, Lea and Flood, 2014), as its authors advise. */
#include "base/rng.h"

#include "base/clock.h"

#include <sys/random.h>

static uint64_t splitmix64(uint64_t *state)
{
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int by)
{
  return (x << by) | (x >> (64 - by));
}

void inf_rng_seed(inf_rng *rng, uint64_t seed)
{
  for (int i = 0; i < 4; i++)
    rng->state[i] = splitmix64(&seed);
}

/* Early after boot there may be no entropy yet; waiting for it is not worth
 * it for jitter. */
static int system_random(void *ptr, size_t size)
{
#ifdef __linux__
  return getrandom(ptr, size, GRND_NONBLOCK) == (ssize_t)size ? 0 : -1;
#else
  return getentropy(ptr, size);
#endif
}

uint64_t inf_rng_system_seed(void)
{
  uint64_t seed;
  if (system_random(&seed, sizeof seed) == 0)
    return seed;
  const inf_clock *clock = inf_clock_system();
  seed = inf_clock_now(clock) ^ (uint64_t)(uintptr_t)&seed;
  seed = splitmix64(&seed) ^ (uint64_t)clock->wall_ns(clock->context);
  return splitmix64(&seed);
}

uint64_t inf_rng_next(inf_rng *rng)
{
  uint64_t *s = rng->state;
  uint64_t result = rotate_left(s[1] * 5, 7) * 9;
  uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotate_left(s[3], 45);
  return result;
}

/* The numbers below 2^64 modulo bound are refused, which leaves a whole
 * multiple of bound. A draw is refused with a chance under one half. */
uint64_t inf_rng_below(inf_rng *rng, uint64_t bound)
{
  if (bound == 0)
    return 0;
  uint64_t refused = (0 - bound) % bound;
  uint64_t draw;
  do
    draw = inf_rng_next(rng);
  while (draw < refused);
  return draw % bound;
}

uint64_t inf_rng_between(inf_rng *rng, uint64_t low, uint64_t high)
{
  if (high <= low)
    return low;
  uint64_t span = high - low;
  if (span == UINT64_MAX)
    return inf_rng_next(rng);
  return low + inf_rng_below(rng, span + 1);
}

/* The upper 53 bits are as many as a double holds. */
double inf_rng_double(inf_rng *rng)
{
  return (double)(inf_rng_next(rng) >> 11) * 0x1.0p-53;
}
