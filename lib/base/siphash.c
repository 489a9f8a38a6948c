/* SPDX-License-Identifier: MIT */
/* From the paper's section 2: four words of state, two rounds for each word of
 * the text, four at the end. */
#include "base/siphash.h"

typedef struct state {
  uint64_t v0, v1, v2, v3;
} state;

static uint64_t
rotl(uint64_t x, int k)
{
  return x << k | x >> (64 - k);
}

static void
rounds(state *s, int count)
{
  for (; count > 0; count--) {
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotl(s->v1, 13) ^ s->v0;
    s->v3 = rotl(s->v3, 16) ^ s->v2;
    s->v0 = rotl(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotl(s->v1, 17) ^ s->v2;
    s->v3 = rotl(s->v3, 21) ^ s->v0;
    s->v2 = rotl(s->v2, 32);
  }
}

static void
take(state *s, uint64_t word)
{
  s->v3 ^= word;
  rounds(s, 2);
  s->v0 ^= word;
}

/* Little-endian, whatever the machine. */
static uint64_t
word_of(const char *bytes, size_t len)
{
  uint64_t word = 0;
  for (size_t i = 0; i < len; i++)
    word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
  return word;
}

uint64_t
inf_siphash(uint64_t key0, uint64_t key1, inf_sv text)
{
  /* "somepseudorandomlygeneratedbytes" */
  state s = {key0 ^ 0x736f6d6570736575, key1 ^ 0x646f72616e646f6d,
             key0 ^ 0x6c7967656e657261, key1 ^ 0x7465646279746573};
  size_t at = 0;
  for (; text.len - at >= 8; at += 8)
    take(&s, word_of(text.ptr + at, 8));
  take(&s, word_of(text.ptr + at, text.len - at) | (uint64_t)text.len << 56);
  s.v2 ^= 0xff;
  rounds(&s, 4);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
