/* SPDX-License-Identifier: MIT */
/* Pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986) with the
 * children of a node in a doubly linked list: prev of the first child is its
 * parent. The two-pass merge is a loop, so that a million timers need no
 * stack. */
#include "base/heap.h"
#include "base/place.h"

#include <stddef.h>
#include <string.h>

void
inf_timer_init(inf_timer *timer)
{
  memset(timer, 0, sizeof *timer);
}

static bool
before(const inf_timer *a, const inf_timer *b)
{
  return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->seq < b->seq;
}

/* Joins two roots; either may be NULL. */
static inf_timer *
meld(inf_timer *a, inf_timer *b)
{
  if (!a || !b)
    return a ? a : b;
  if (before(b, a)) {
    inf_timer *other = a;
    a = b;
    b = other;
  }
  b->prev = a;
  b->next = a->child;
  if (a->child)
    a->child->prev = b;
  a->child = b;
  return a;
}

/* Joins a list of siblings into one root: pairs from left to right, then all
 * of them from right to left. */
static inf_timer *
merge_siblings(inf_timer *first)
{
  inf_timer *pairs = NULL;
  while (first) {
    inf_timer *a = first, *b = a->next;
    first = b ? b->next : NULL;
    a->next = a->prev = NULL;
    if (b)
      b->next = b->prev = NULL;
    a = meld(a, b);
    a->next = pairs;
    pairs = a;
  }
  inf_timer *root = NULL;
  while (pairs) {
    inf_timer *next = pairs->next;
    pairs->next = NULL;
    root = meld(root, pairs);
    pairs = next;
  }
  return root;
}

void
inf_timer_cancel(inf_timer_heap *heap, inf_timer *timer)
{
  if (!timer->armed)
    return;
  inf_timer *rest = merge_siblings(timer->child);
  if (timer == heap->root) {
    heap->root = rest;
  } else {
    if (timer->prev->child == timer)
      timer->prev->child = timer->next;
    else
      timer->prev->next = timer->next;
    if (timer->next)
      timer->next->prev = timer->prev;
    heap->root = meld(heap->root, rest);
  }
  if (heap->root)
    heap->root->prev = heap->root->next = NULL;
  timer->child = timer->next = timer->prev = NULL;
  timer->armed = false;
}

void
inf_timer_set(inf_timer_heap *heap, inf_timer *timer, uint64_t at_ns)
{
  inf_timer_cancel(heap, timer);
  timer->at_ns = at_ns;
  timer->seq = heap->next_seq++;
  timer->armed = true;
  heap->root = meld(heap->root, timer);
}

INF_HOT inf_timer *
inf_timer_pop_due(inf_timer_heap *heap, uint64_t now_ns)
{
  inf_timer *timer = heap->root;
  if (!timer || timer->at_ns > now_ns)
    return NULL;
  inf_timer_cancel(heap, timer);
  return timer;
}

INF_HOT uint64_t
inf_timer_next_ns(const inf_timer_heap *heap)
{
  return heap->root ? heap->root->at_ns : UINT64_MAX;
}
