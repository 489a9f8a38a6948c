/* SPDX-License-Identifier: MIT */
/* Views of bytes. ASCII only where case matters: names of headers and words of
 * error messages. */
#include "base/sv.h"

#include <limits.h>

static unsigned char
lower(char c)
{
  unsigned char u = (unsigned char)c;
  return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool
inf_sv_eq_nocase(inf_sv a, inf_sv b)
{
  if (a.len != b.len)
    return false;
  for (size_t i = 0; i < a.len; i++)
    if (lower(a.ptr[i]) != lower(b.ptr[i]))
      return false;
  return true;
}

bool
inf_sv_starts_with(inf_sv sv, inf_sv prefix)
{
  return sv.len >= prefix.len &&
         inf_sv_eq(inf_sv_of(sv.ptr, prefix.len), prefix);
}

bool
inf_sv_ends_with(inf_sv sv, inf_sv suffix)
{
  /* A step from NULL is undefined, even one of zero bytes. */
  if (suffix.len == 0)
    return true;
  return sv.len >= suffix.len &&
         inf_sv_eq(inf_sv_of(sv.ptr + (sv.len - suffix.len), suffix.len),
                   suffix);
}

bool
inf_sv_contains_nocase(inf_sv sv, inf_sv needle)
{
  if (needle.len == 0)
    return true;
  for (size_t i = 0; i + needle.len <= sv.len; i++)
    if (inf_sv_eq_nocase(inf_sv_of(sv.ptr + i, needle.len), needle))
      return true;
  return false;
}

static bool
is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

inf_sv
inf_sv_trim(inf_sv sv)
{
  while (sv.len > 0 && is_space(sv.ptr[sv.len - 1]))
    sv.len--;
  while (sv.len > 0 && is_space(*sv.ptr)) {
    sv.ptr++;
    sv.len--;
  }
  return sv;
}

size_t
inf_sv_find(inf_sv sv, char c)
{
  const char *at = sv.len > 0 ? memchr(sv.ptr, c, sv.len) : NULL;
  return at ? (size_t)(at - sv.ptr) : sv.len;
}

bool
inf_sv_to_int64(inf_sv sv, long long *value)
{
  bool negative = sv.len > 0 && sv.ptr[0] == '-';
  size_t i = negative ? 1 : 0;
  if (i == sv.len)
    return false;
  /* Counted downwards: the smallest number has no positive twin. */
  long long number = 0;
  for (; i < sv.len; i++) {
    if (sv.ptr[i] < '0' || sv.ptr[i] > '9')
      return false;
    int digit = sv.ptr[i] - '0';
    if (number < (LLONG_MIN + digit) / 10)
      return false;
    number = number * 10 - digit;
  }
  if (!negative && number == LLONG_MIN)
    return false;
  *value = negative ? number : -number;
  return true;
}
