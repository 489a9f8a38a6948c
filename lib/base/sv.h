/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_SV_H
#define INF_BASE_SV_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* A view of bytes that somebody else owns. ptr may be NULL only where len is
 * 0. Not NUL-terminated. */
typedef struct inf_sv {
  const char *ptr;
  size_t len;
} inf_sv;

#define INF_SV(literal) ((inf_sv){("" literal), sizeof(literal) - 1})

static inline inf_sv
inf_sv_of(const char *ptr, size_t len)
{
  return (inf_sv){ptr, len};
}

/* NULL becomes the empty view. */
static inline inf_sv
inf_sv_from(const char *cstr)
{
  return (inf_sv){cstr, cstr ? strlen(cstr) : 0};
}

static inline bool
inf_sv_eq(inf_sv a, inf_sv b)
{
  /* A view with a length has a pointer. */
  /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
  return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool inf_sv_eq_nocase(inf_sv a, inf_sv b); /* ASCII only */
bool inf_sv_starts_with(inf_sv sv, inf_sv prefix);
bool inf_sv_ends_with(inf_sv sv, inf_sv suffix);
/* Case-insensitive (ASCII) search; for the words in error messages. */
bool inf_sv_contains_nocase(inf_sv sv, inf_sv needle);
/* Without spaces, tabs, CR and LF at both ends. */
inf_sv inf_sv_trim(inf_sv sv);
/* Index of the first c, or sv.len. */
size_t inf_sv_find(inf_sv sv, char c);
/* Whole view as a decimal integer; false on anything else or overflow. */
bool inf_sv_to_int64(inf_sv sv, long long *value);

#endif
