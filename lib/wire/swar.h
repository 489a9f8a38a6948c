/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_SWAR_H
#define INF_WIRE_SWAR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The inner loops of the scanners: sixteen bytes at a time where SSE2 is there
 * (on each x86-64), else eight in a plain 64-bit word, the rest one by one.
 *
 * On words each test gives a word in which the high bit of a byte is set if
 * that byte matches. Borrows may set it falsely too, but only above a byte
 * that truly matches: the first match in memory order, which is all that
 * inf_swar_first() reads, is exact on little-endian machines. On others the
 * word is only asked whether there is a match at all (it is zero exactly when
 * there is none), and the bytes are looked at one by one. */

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define INF_SWAR_ONES  0x0101010101010101ull
#define INF_SWAR_HIGHS 0x8080808080808080ull

#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__) && \
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define INF_SWAR_LITTLE_ENDIAN 1
#else
#define INF_SWAR_LITTLE_ENDIAN 0
#endif

static inline uint64_t
inf_swar_load(const char *ptr)
{
  uint64_t word;

  memcpy(&word, ptr, sizeof(word));
  return word;
}

static inline uint64_t
inf_swar_equal(uint64_t word, unsigned char c)
{
  uint64_t x = word ^ (INF_SWAR_ONES * c);

  return (x - INF_SWAR_ONES) & ~x & INF_SWAR_HIGHS;
}

/* For limits up to 0x80. */
static inline uint64_t
inf_swar_below(uint64_t word, unsigned char limit)
{
  return (word - INF_SWAR_ONES * limit) & ~word & INF_SWAR_HIGHS;
}

/* Index of the first match in a word that has one. */
static inline size_t
inf_swar_first(uint64_t matches)
{
  return (size_t)__builtin_ctzll(matches) / 8;
}

/* Are the len bytes at both places the same? For names and other short texts
 * whose length is not known to the compiler: without a call. */
static inline int
inf_swar_same(const char *a, const char *b, size_t len)
{
  if (len >= 8) {
    for (size_t i = 0; i < len - 8; i += 8)
      if (inf_swar_load(a + i) != inf_swar_load(b + i))
        return 0;
    return inf_swar_load(a + len - 8) == inf_swar_load(b + len - 8);
  }
  if (len >= 4) /* both loads may be of the same bytes, in part or all */
    return memcmp(a, b, 4) == 0 && memcmp(a + len - 4, b + len - 4, 4) == 0;
  while (len > 0 && a[len - 1] == b[len - 1])
    len--;
  return len == 0;
}

/* What ends a run of plain text within a JSON string: a quote, a backslash or
 * a control character. */
static inline int
inf_swar_ends_plain(unsigned char c)
{
  return c == '"' || c == '\\' || c < 0x20;
}

#if defined(__SSE2__)
/* One bit for each of the sixteen bytes there that ends a plain run. */
static inline unsigned
inf_swar_plain_ends16(const char *at)
{
  __m128i bytes = _mm_loadu_si128((const void *)at);
  __m128i last_control = _mm_set1_epi8(0x1f);
  __m128i ends =
      _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
  ends = _mm_or_si128(ends, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
  ends = _mm_or_si128(ends, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
  return (unsigned)_mm_movemask_epi8(ends);
}

/* The same, and for each byte that is not ASCII. */
static inline unsigned
inf_swar_ascii_ends16(const char *at)
{
  __m128i bytes = _mm_loadu_si128((const void *)at);
  /* As signed numbers, control characters and what is not ASCII are all below
   * 0x20: the difference is negative, and the sign is what is asked for. */
  __m128i ends = _mm_subs_epi8(bytes, _mm_set1_epi8(0x20));
  ends = _mm_or_si128(ends, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
  ends = _mm_or_si128(ends, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
  return (unsigned)_mm_movemask_epi8(ends);
}

/* One bit for each that is a quote or a bracket of JSON: with bit 5 set, '['
 * and '{' are one, and so are ']' and '}'. */
static inline unsigned
inf_swar_brackets16(const char *at)
{
  __m128i bytes = _mm_loadu_si128((const void *)at);
  __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
  __m128i marks = _mm_cmpeq_epi8(folded, _mm_set1_epi8('{'));
  marks = _mm_or_si128(marks, _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
  marks = _mm_or_si128(marks, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
  return (unsigned)_mm_movemask_epi8(marks);
}
#endif

/* Is each of the bytes there, a multiple of 16, low's at its place or at most
 * as much more as span says? Without a branch that depends on them. */
static inline int
inf_swar_in_ranges(const char *at, const char *low, const char *span,
                   size_t len)
{
#if defined(__SSE2__)
  __m128i over = _mm_setzero_si128();
  for (size_t i = 0; i < len; i += 16) {
    __m128i above = _mm_sub_epi8(_mm_loadu_si128((const void *)(at + i)),
                                 _mm_loadu_si128((const void *)(low + i)));
    over = _mm_or_si128(
        over, _mm_subs_epu8(above, _mm_loadu_si128((const void *)(span + i))));
  }
  return _mm_movemask_epi8(_mm_cmpeq_epi8(over, _mm_setzero_si128())) == 0xffff;
#else
  int over = 0;
  for (size_t i = 0; i < len; i++)
    over |= (unsigned char)(at[i] - low[i]) > (unsigned char)span[i];
  return !over;
#endif
}

/* Are the bytes of the block there all ASCII? */
#if defined(__SSE2__)
#define INF_SWAR_BLOCK 16
static inline int
inf_swar_block_is_ascii(const char *at)
{
  return _mm_movemask_epi8(_mm_loadu_si128((const void *)at)) == 0;
}
#else
#define INF_SWAR_BLOCK 8
static inline int
inf_swar_block_is_ascii(const char *at)
{
  return (inf_swar_load(at) & INF_SWAR_HIGHS) == 0;
}
#endif

/* First quote or bracket of JSON in [at, end), or end. */
static inline const char *
inf_swar_bracket(const char *at, const char *end)
{
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    unsigned marks = inf_swar_brackets16(at);
    if (marks != 0)
      return at + __builtin_ctz(marks);
  }
#endif
  while (at < end && *at != '"' && (*at | 0x20) != '{' && (*at | 0x20) != '}')
    at++;
  return at;
}

/* First byte in [at, end) that ends a plain run, or end. */
static inline const char *
inf_swar_plain_end(const char *at, const char *end)
{
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    unsigned ends = inf_swar_plain_ends16(at);
    if (ends != 0)
      return at + __builtin_ctz(ends);
  }
#endif
  while (end - at >= 8) {
    uint64_t word = inf_swar_load(at);
    uint64_t matches = inf_swar_equal(word, '"') | inf_swar_equal(word, '\\') |
                       inf_swar_below(word, 0x20);
    if (matches != 0) {
      if (INF_SWAR_LITTLE_ENDIAN)
        return at + inf_swar_first(matches);
      break;
    }
    at += 8;
  }
  while (at < end && !inf_swar_ends_plain((unsigned char)*at))
    at++;
  return at;
}

/* Does the word have a byte that ends a plain run or is not ASCII? */
static inline int
inf_swar_word_is_special(uint64_t word)
{
  return ((inf_swar_equal(word, '"') | inf_swar_equal(word, '\\') |
           inf_swar_below(word, 0x20) | (word & INF_SWAR_HIGHS)) != 0);
}

/* Are all of the len bytes plain ASCII? For names and other short texts: the
 * last word overlaps the one before it. */
static inline int
inf_swar_all_plain(const char *at, size_t len)
{
  size_t i = 0;

  if (len < 8) {
    while (i < len && !inf_swar_ends_plain((unsigned char)at[i]) &&
           (unsigned char)at[i] < 0x80)
      i++;
    return i == len;
  }
  for (; i < len - 8; i += 8)
    if (inf_swar_word_is_special(inf_swar_load(at + i)))
      return 0;
  return !inf_swar_word_is_special(inf_swar_load(at + len - 8));
}

/* First byte in [at, end) that ends a plain run or is not ASCII, or end. */
static inline const char *
inf_swar_ascii_end(const char *at, const char *end)
{
#if defined(__SSE2__)
  for (; end - at >= 16; at += 16) {
    unsigned ends = inf_swar_ascii_ends16(at);
    if (ends != 0)
      return at + __builtin_ctz(ends);
  }
#else
  while (end - at >= 8) {
    if (inf_swar_word_is_special(inf_swar_load(at)))
      break;
    at += 8;
  }
#endif
  while (at < end && !inf_swar_ends_plain((unsigned char)*at) &&
         (unsigned char)*at < 0x80)
    at++;
  return at;
}

#endif
