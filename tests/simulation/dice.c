/* SPDX-License-Identifier: MIT */
#include "dice.h"

/* value * 2^(x / 65536), for values below 2^48 and results below 2^63. The
 * fraction's power is a cubic that is exact at both ends and off by at most
 * 0.02 % between. */
static uint64_t
times_exp2(uint64_t value, int64_t x)
{
  const uint64_t c1 = 45617, c2 = 14712, c3 = 5207;
  int64_t whole = x / DICE_ONE;
  if (x < whole * DICE_ONE) /* towards minus infinity */
    whole--;
  uint64_t f = (uint64_t)(x - whole * DICE_ONE);
  uint64_t power = c3 * f / DICE_ONE;
  power = (c2 + power) * f / DICE_ONE;
  power = DICE_ONE + (c1 + power) * f / DICE_ONE;
  value = (value >> 16) * power + (value & 0xffff) * power / DICE_ONE;
  if (whole >= 0)
    return whole < 15 ? value << whole : UINT64_MAX >> 1;
  return whole > -63 ? value >> -whole : 0;
}

/* -log2 of a uniform draw of (0, 1], in 1/65536. */
static uint64_t
minus_log2(inf_rng *rng)
{
  uint64_t draw = inf_rng_next(rng) | 1, zeros = 0, log = 0;
  while (!(draw >> 63)) {
    draw <<= 1;
    zeros++;
  }
  uint64_t x = draw >> 33; /* in [1, 2) with 30 bits behind the point */
  for (int i = 0; i < 16; i++) {
    x = x * x >> 30;
    uint64_t bit = x >> 31; /* without a branch, which none could foresee */
    x >>= bit;
    log = log << 1 | bit;
  }
  return (zeros + 1) * DICE_ONE - log;
}

uint64_t
dice_exponential(inf_rng *rng, uint64_t mean)
{
  const uint64_t ln2 = 45426; /* in 1/65536 */
  uint64_t factor = minus_log2(rng) * ln2 / DICE_ONE;
  return (mean >> 16) * factor + (mean & 0xffff) * factor / DICE_ONE;
}

uint64_t
dice_lognormal(inf_rng *rng, uint64_t median, uint32_t sigma)
{
  const int64_t log2_e = 94548, mean_of_sum = 393210;
  int64_t sum = 0;
  for (int i = 0; i < 3; i++) {
    uint64_t draw = inf_rng_next(rng);
    sum += (int64_t)((draw & 0xffff) + (draw >> 16 & 0xffff) +
                     (draw >> 32 & 0xffff) + (draw >> 48));
  }
  int64_t z = sum - mean_of_sum;
  return times_exp2(median, z * (int64_t)sigma / DICE_ONE * log2_e / DICE_ONE);
}

uint64_t
dice_log_between(inf_rng *rng, uint64_t low, uint64_t high)
{
  uint32_t octaves = 0;
  while (low << (octaves + 1) <= high && octaves < 40)
    octaves++;
  uint32_t range = (octaves + 1) * DICE_ONE;
  uint64_t value = times_exp2(low, (int64_t)dice_below(rng, range));
  return value > high ? high : value;
}
