/* SPDX-License-Identifier: MIT */
/* The blocks that were asked for last: a hash table with chains, and a list in
 * the order of their use. */

#include "replay_cache.h"

#include "sim_mem.h"

#include "base/list.h"
#include "base/mem.h"

enum { most_blocks = 1 << 24 };

typedef struct cached_block {
  inf_list used; /* the first: longest ago */
  uint64_t name;
  struct cached_block *next; /* of the same bucket */
} cached_block;

struct inf_prefix_cache {
  inf_list used;
  size_t count, max;
  size_t mask;
  cached_block **buckets;
};

inf_prefix_cache *
inf_prefix_cache_new(size_t max_blocks)
{
  inf_prefix_cache *cache = inf_sim_alloc(sizeof(*cache));
  size_t buckets = 64;
  cache->max = max_blocks < 1 ? 1 : max_blocks;
  cache->max = cache->max > most_blocks ? most_blocks : cache->max;
  while (buckets < cache->max) {
    buckets *= 2;
  }
  cache->mask = buckets - 1;
  cache->buckets = inf_sim_alloc(buckets * sizeof(cached_block *));
  inf_list_init(&cache->used);
  return cache;
}

void
inf_prefix_cache_free(inf_prefix_cache *cache)
{
  inf_list *node;
  if (!cache) {
    return;
  }
  while ((node = inf_list_pop_front(&cache->used))) {
    inf_free(INF_CONTAINER_OF(node, cached_block, used));
  }
  inf_free(cache->buckets);
  inf_free(cache);
}

static cached_block **
bucket_of(const inf_prefix_cache *cache, uint64_t name)
{
  return &cache->buckets[(name ^ name >> 32) & cache->mask];
}

static cached_block *
find(const inf_prefix_cache *cache, uint64_t name)
{
  cached_block *block = *bucket_of(cache, name);
  while (block && block->name != name) {
    block = block->next;
  }
  return block;
}

/* The block that was used longest ago, out of the table, or a new one. */
static cached_block *
make_room(inf_prefix_cache *cache)
{
  if (cache->count < cache->max) {
    cache->count++;
    return inf_sim_alloc(sizeof(cached_block));
  }
  cached_block *block =
      INF_CONTAINER_OF(inf_list_pop_front(&cache->used), cached_block, used);
  cached_block **at = bucket_of(cache, block->name);
  while (*at != block) {
    at = &(*at)->next;
  }
  *at = block->next;
  return block;
}

size_t
inf_prefix_cache_ask(inf_prefix_cache *cache, const uint64_t *blocks,
                     size_t count)
{
  size_t there = 0;
  while (there < count && find(cache, blocks[there])) {
    there++;
  }
  for (size_t i = 0; i < count; i++) {
    cached_block *block = find(cache, blocks[i]);
    if (block) {
      inf_list_remove(&block->used);
    } else {
      block = make_room(cache);
      cached_block **bucket = bucket_of(cache, blocks[i]);
      block->name = blocks[i];
      block->next = *bucket;
      *bucket = block;
    }
    inf_list_push_back(&cache->used, &block->used);
  }
  return there;
}
