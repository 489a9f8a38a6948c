/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_TAKE_H
#define INF_WIRE_TAKE_H

#include "base/sv.h"

#include <stdint.h>

/* For small parsers of header values: each function takes what it knows off
 * the front of the text, or leaves the text alone. */

static inline bool
inf_take_is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static inline inf_sv
inf_take_drop(inf_sv text, size_t n)
{
  return inf_sv_of(n > 0 ? text.ptr + n : text.ptr, text.len - n);
}

static inline bool
inf_take_char(inf_sv *text, char c)
{
  if (text->len == 0 || text->ptr[0] != c)
    return false;
  *text = inf_take_drop(*text, 1);
  return true;
}

static inline bool
inf_take_word(inf_sv *text, const char *word)
{
  inf_sv prefix = inf_sv_from(word);

  if (!inf_sv_starts_with(*text, prefix))
    return false;
  *text = inf_take_drop(*text, prefix.len);
  return true;
}

static inline size_t
inf_take_count_digits(inf_sv text)
{
  size_t n = 0;

  while (n < text.len && inf_take_is_digit(text.ptr[n]))
    n++;
  return n;
}

/* Digits after the point, as a part of unit. */
static inline uint64_t
inf_take_fraction(inf_sv digits, uint64_t unit)
{
  uint64_t sum = 0;

  for (size_t i = 0; i < digits.len; i++) {
    unit /= 10;
    sum += (uint64_t)(digits.ptr[i] - '0') * unit;
  }
  return sum;
}

#endif
