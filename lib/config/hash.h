/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_HASH_H
#define INF_CONFIG_HASH_H

#include "base/sv.h"

#include <stdint.h>

/* FNV-1a, 64 bits (Fowler, Noll, Vo): names things that we wrote ourselves;
 * it withstands no attacker who chooses the text. */
#define INF_FNV_START 0xcbf29ce484222325ull

static inline uint64_t
inf_fnv1a(uint64_t hash, inf_sv text)
{
  for (size_t i = 0; i < text.len; i++)
    hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3ull;
  return hash;
}

#endif
