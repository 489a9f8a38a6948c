/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_SIPHASH_H
#define INF_BASE_SIPHASH_H

#include "base/sv.h"

#include <stdint.h>

/* SipHash-2-4 (Aumasson and Bernstein: "SipHash: a fast short-input PRF",
 * 2012): a hash with a key. Who does not know the key cannot choose texts that
 * fall together, and any two keys give two hashes that have nothing to do with
 * each other. The same on every machine. */
uint64_t inf_siphash(uint64_t key0, uint64_t key1, inf_sv text);

#endif
