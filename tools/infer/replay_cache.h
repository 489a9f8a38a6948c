/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_CACHE_H
#define INF_TOOLS_REPLAY_CACHE_H

#include <stddef.h>
#include <stdint.h>

/* A provider's cache of the beginnings of prompts: the blocks that were asked
 * for last. A block counts as there only together with all that stand before it
 * in the prompt. */
typedef struct inf_prefix_cache inf_prefix_cache;

/* Holds so many blocks, at least one. */
inf_prefix_cache *inf_prefix_cache_new(size_t max_blocks);
/* NULL is harmless. */
void inf_prefix_cache_free(inf_prefix_cache *cache);
/* How many blocks from the first on are there; afterwards all of them are, and
 * those that were asked for longest ago are gone. */
size_t inf_prefix_cache_ask(inf_prefix_cache *cache, const uint64_t *blocks,
                            size_t count);

#endif
