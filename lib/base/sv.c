/* SPDX-License-Identifier: MIT */
/* Views of bytes. Letters are compared by ASCII and never by the locale,
 * because what is compared are protocol words. */
#include "base/sv.h"

#include <limits.h>

static unsigned char lower(char c)
{
  unsigned char byte = (unsigned char)c;
  return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

static bool equal_nocase(const char *a, const char *b, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

bool inf_sv_eq_nocase(inf_sv a, inf_sv b)
{
  return a.len == b.len && equal_nocase(a.ptr, b.ptr, a.len);
}

bool inf_sv_starts_with(inf_sv sv, inf_sv prefix)
{
  if (prefix.len > sv.len)
    return false;
  return inf_sv_eq(inf_sv_of(sv.ptr, prefix.len), prefix);
}

bool inf_sv_ends_with(inf_sv sv, inf_sv suffix)
{
  if (suffix.len == 0)
    return true;
  if (suffix.len > sv.len)
    return false;
  return inf_sv_eq(inf_sv_of(sv.ptr + sv.len - suffix.len, suffix.len), suffix);
}

bool inf_sv_contains_nocase(inf_sv sv, inf_sv needle)
{
  if (needle.len == 0)
    return true;
  for (size_t i = 0; needle.len <= sv.len - i; i++)
    if (equal_nocase(sv.ptr + i, needle.ptr, needle.len))
      return true;
  return false;
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

inf_sv inf_sv_trim(inf_sv sv)
{
  while (sv.len && is_blank(sv.ptr[0])) {
    sv.ptr++;
    sv.len--;
  }
  while (sv.len && is_blank(sv.ptr[sv.len - 1]))
    sv.len--;
  return sv;
}

size_t inf_sv_find(inf_sv sv, char c)
{
  const char *hit = sv.len ? memchr(sv.ptr, c, sv.len) : NULL;
  return hit ? (size_t)(hit - sv.ptr) : sv.len;
}

/* The sum is kept negative, since the negative numbers reach one further. */
bool inf_sv_to_int64(inf_sv sv, long long *value)
{
  bool negative = sv.len && sv.ptr[0] == '-';
  size_t i = negative ? 1 : 0;
  if (i == sv.len)
    return false;
  long long sum = 0;
  for (; i < sv.len; i++) {
    char c = sv.ptr[i];
    if (c < '0' || c > '9')
      return false;
    int digit = c - '0';
    if (sum < (LLONG_MIN + digit) / 10)
      return false;
    sum = sum * 10 - digit;
  }
  if (!negative && sum == LLONG_MIN)
    return false;
  *value = negative ? sum : -sum;
  return true;
}
