/* SPDX-License-Identifier: MIT */
/* CRC-32, four bytes at a time. Four tables of 256 words: table k holds the
 * checksum of a byte that k zero bytes follow. A checksum is linear, so each
 * entry is the sum (exclusive or) of the entries of its bits: of each table
 * only the eight of single bits are written down, and the compiler makes the
 * rest of them. */
#include "wire/crc32.h"

/* Of bit 0 first. */
#define MIX(n, b0, b1, b2, b3, b4, b5, b6, b7)                      \
  (((n)&1 ? (b0) : 0) ^ ((n)&2 ? (b1) : 0) ^ ((n)&4 ? (b2) : 0) ^   \
   ((n)&8 ? (b3) : 0) ^ ((n)&16 ? (b4) : 0) ^ ((n)&32 ? (b5) : 0) ^ \
   ((n)&64 ? (b6) : 0) ^ ((n)&128 ? (b7) : 0))
#define TABLE0(n)                                                         \
  MIX(n, 0x77073096u, 0xee0e612cu, 0x076dc419u, 0x0edb8832u, 0x1db71064u, \
      0x3b6e20c8u, 0x76dc4190u, 0xedb88320u)
#define TABLE1(n)                                                         \
  MIX(n, 0x191b3141u, 0x32366282u, 0x646cc504u, 0xc8d98a08u, 0x4ac21251u, \
      0x958424a2u, 0xf0794f05u, 0x3b83984bu)
#define TABLE2(n)                                                         \
  MIX(n, 0x01c26a37u, 0x0384d46eu, 0x0709a8dcu, 0x0e1351b8u, 0x1c26a370u, \
      0x384d46e0u, 0x709a8dc0u, 0xe1351b80u)
#define TABLE3(n)                                                         \
  MIX(n, 0xb8bc6765u, 0xaa09c88bu, 0x8f629757u, 0xc5b428efu, 0x5019579fu, \
      0xa032af3eu, 0x9b14583du, 0xed59b63bu)

#define FOUR(of, n) of((n)), of((n) + 1), of((n) + 2), of((n) + 3)
#define SIXTEEN(of, n) \
  FOUR(of, (n)), FOUR(of, (n) + 4), FOUR(of, (n) + 8), FOUR(of, (n) + 12)
#define SIXTY_FOUR(of, n)                                         \
  SIXTEEN(of, (n)), SIXTEEN(of, (n) + 16), SIXTEEN(of, (n) + 32), \
      SIXTEEN(of, (n) + 48)
#define ALL(of)                                               \
  SIXTY_FOUR(of, 0), SIXTY_FOUR(of, 64), SIXTY_FOUR(of, 128), \
      SIXTY_FOUR(of, 192)

static const uint32_t table[4][256] = {
    {ALL(TABLE0)}, {ALL(TABLE1)}, {ALL(TABLE2)}, {ALL(TABLE3)}};

uint32_t
inf_crc32(uint32_t crc, const void *ptr, size_t len)
{
  const unsigned char *at = ptr;

  crc = ~crc;
  for (; len >= 4; at += 4, len -= 4) {
    crc ^= (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
    crc = table[3][crc & 0xff] ^ table[2][crc >> 8 & 0xff] ^
          table[1][crc >> 16 & 0xff] ^ table[0][crc >> 24];
  }
  for (; len > 0; at++, len--)
    crc = table[0][(crc ^ *at) & 0xff] ^ crc >> 8;
  return ~crc;
}
