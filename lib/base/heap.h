/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_HEAP_H
#define INF_BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* What has an order: a pairing heap whose nodes stand inside the elements.
 * Adding one allocates nothing and so cannot fail. set and min are O(1),
 * remove is O(log n) amortised. Equal keys come out in the order in which
 * they were set (seq), so that runs are repeatable. */
typedef struct inf_heap_node {
  uint64_t key;
  uint64_t seq;
  struct inf_heap_node *child, *next, *prev; /* prev: sibling or parent */
  bool queued;
} inf_heap_node;

typedef struct inf_heap {
  inf_heap_node *root;
  uint64_t next_seq;
} inf_heap;

void inf_heap_node_init(inf_heap_node *node);
/* Adds the node under the key; one that is in the heap is moved. */
void inf_heap_set(inf_heap *heap, inf_heap_node *node, uint64_t key);
/* Harmless when not in a heap. */
void inf_heap_remove(inf_heap *heap, inf_heap_node *node);

/* The node with the least key, which stays; NULL when the heap is empty. */
static inline inf_heap_node *
inf_heap_min(const inf_heap *heap)
{
  return heap->root;
}

/* Timers in the order of their time: the key is the absolute time, a node in
 * the heap is an armed timer. */
typedef inf_heap_node inf_timer;
typedef inf_heap inf_timer_heap;

static inline void
inf_timer_init(inf_timer *timer)
{
  inf_heap_node_init(timer);
}

/* Arms at the absolute time; an armed timer is moved. */
static inline void
inf_timer_set(inf_timer_heap *heap, inf_timer *timer, uint64_t at_ns)
{
  inf_heap_set(heap, timer, at_ns);
}

/* Harmless when not armed. */
static inline void
inf_timer_cancel(inf_timer_heap *heap, inf_timer *timer)
{
  inf_heap_remove(heap, timer);
}

/* The earliest timer if it is due at now_ns, disarmed; else NULL. */
inf_timer *inf_timer_pop_due(inf_timer_heap *heap, uint64_t now_ns);
/* Time of the earliest timer; UINT64_MAX if none is armed. */
uint64_t inf_timer_next_ns(const inf_timer_heap *heap);

#endif
