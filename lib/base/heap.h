/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_HEAP_H
#define INF_BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* Timers in the order of their time: a pairing heap whose nodes stand inside
 * the elements. Arming a timer allocates nothing and so cannot fail. insert
 * and min are O(1), remove is O(log n) amortised. Equal times come out in
 * the order in which they were armed (seq), so that runs are repeatable. */
typedef struct inf_timer {
  uint64_t at_ns;
  uint64_t seq;
  struct inf_timer *child, *next, *prev; /* prev: sibling or parent */
  bool armed;
} inf_timer;

typedef struct inf_timer_heap {
  inf_timer *root;
  uint64_t next_seq;
} inf_timer_heap;

void inf_timer_init(inf_timer *timer);
/* Arms at the absolute time; an armed timer is moved. */
void inf_timer_set(inf_timer_heap *heap, inf_timer *timer, uint64_t at_ns);
/* Harmless when not armed. */
void inf_timer_cancel(inf_timer_heap *heap, inf_timer *timer);
/* The earliest timer if it is due at now_ns, disarmed; else NULL. */
inf_timer *inf_timer_pop_due(inf_timer_heap *heap, uint64_t now_ns);
/* Time of the earliest timer; UINT64_MAX if none is armed. */
uint64_t inf_timer_next_ns(const inf_timer_heap *heap);

#endif
