/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_SWAR_H
#define INF_WIRE_SWAR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes at a time in a plain 64-bit word, for the inner loops of the
 * scanners. Each test gives a word in which the high bit of a byte is set if
 * that byte matches. Borrows may set it falsely too, but only above a byte
 * that truly matches: the first match in memory order, which is all that
 * inf_swar_first() reads, is exact on little-endian machines. On others the
 * word is only asked whether there is a match at all (it is zero exactly when
 * there is none), and the bytes are looked at one by one. */

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

/* What ends a run of plain text within a JSON string: a quote, a backslash or
 * a control character. */
static inline int
inf_swar_ends_plain(unsigned char c)
{
  return c == '"' || c == '\\' || c < 0x20;
}

/* First byte in [at, end) that ends a plain run, or end. */
static inline const char *
inf_swar_plain_end(const char *at, const char *end)
{
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

#endif
