/* SPDX-License-Identifier: MIT */
/* Scales of plots. */

#include "compare_axis.h"

#include <math.h>

/* More labels would run into one another on a phone. */
#define GOOD_TICKS 7
/* Those of powers and their multiples are short. */
#define GOOD_LOG_TICKS 9

static void
put_tick(inf_cmp_axis *axis, double value)
{
  if (axis->tick_count < INF_CMP_MAX_TICKS) {
    axis->ticks[axis->tick_count++] = value;
  }
}

static bool
is_usable(double value)
{
  return isfinite(value) && value > 0;
}

void
inf_cmp_axis_linear(inf_cmp_axis *axis, double high, double start,
                    double length)
{
  *axis = (inf_cmp_axis){.start = start, .length = length};
  high = is_usable(high) ? high : 1;
  double power = pow(10, floor(log10(high / 5))), step = power;
  for (int i = 0; high / step > GOOD_TICKS - 1; i++) {
    step = power * (i % 3 == 0 ? 2 : i % 3 == 1 ? 5 : 10);
  }
  int steps = (int)ceil(high / step - 1e-9);
  axis->high = steps * step;
  for (int i = 0; i <= steps; i++) {
    put_tick(axis, i * step);
  }
}

/* Ticks between low and high at `count` multiples of powers of ten. */
static void
put_powers(inf_cmp_axis *axis, const double *multiples, size_t count, int every)
{
  axis->tick_count = 0;
  int power = (int)floor(log10(axis->low) + 1e-9);
  for (; pow(10, power) <= axis->high * 1.0001; power += every) {
    for (size_t i = 0; i < count; i++) {
      double value = multiples[i] * pow(10, power);
      if (value >= axis->low * 0.9999 && value <= axis->high * 1.0001) {
        put_tick(axis, value);
      }
    }
  }
}

/* The next of 1, 2 and 5 times a power of ten, downwards or upwards. */
static double
round_off(double value, bool up)
{
  static const double steps[] = {1, 2, 5, 10};
  double power = pow(10, floor(log10(value) + 1e-9));
  double found = up ? 10 * power : power;
  for (int i = 0; i < 4; i++) {
    double step = steps[up ? 3 - i : i] * power;
    if (up ? step >= value * 0.9999 : step <= value * 1.0001) {
      found = step;
    }
  }
  return found;
}

void
inf_cmp_axis_log(inf_cmp_axis *axis, double low, double high, double start,
                 double length)
{
  static const double multiples[] = {1, 2, 5};
  *axis = (inf_cmp_axis){.start = start, .length = length, .logarithmic = true};
  low = is_usable(low) ? low : 1;
  high = is_usable(high) ? high : low;
  axis->low = round_off(low, false);
  axis->high = round_off(fmax(high, low * 1.01), true);
  put_powers(axis, multiples, 3, 1);
  if (axis->tick_count > GOOD_LOG_TICKS) {
    double decades = log10(axis->high / axis->low);
    put_powers(axis, multiples, 1, (int)ceil(decades / (GOOD_TICKS - 1)));
  }
}

void
inf_cmp_axis_doubling(inf_cmp_axis *axis, double high, double start,
                      double length)
{
  *axis = (inf_cmp_axis){.low = 1,
                         .high = 2,
                         .start = start,
                         .length = length,
                         .logarithmic = true};
  high = is_usable(high) ? high : 1;
  put_tick(axis, axis->low);
  put_tick(axis, axis->high);
  while (axis->high < high && axis->tick_count < INF_CMP_MAX_TICKS) {
    axis->high *= 2;
    put_tick(axis, axis->high);
  }
}

double
inf_cmp_axis_place(const inf_cmp_axis *axis, double value)
{
  double share = 0;
  value = fmin(fmax(value, axis->low), axis->high);
  if (axis->logarithmic) {
    share = log(value / axis->low) / log(axis->high / axis->low);
  } else {
    share = (value - axis->low) / (axis->high - axis->low);
  }
  return axis->start + share * axis->length;
}
