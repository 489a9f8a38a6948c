/* SPDX-License-Identifier: MIT */
/* Timers in the order of their time.
 *
 * A pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986): a tree in
 * which no timer is earlier than its parent. Of a timer's children the first
 * hangs on `child`, the others follow by `next`; `prev` points to the sibling
 * before, and from the first child to the parent. All loops are iterative, as
 * a list of children may be as long as there are timers. */
#include "base/heap.h"

#include <stddef.h>

static bool before(const inf_timer *a, const inf_timer *b)
{
  return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->seq < b->seq);
}

/* Hangs the later of two trees under the earlier one. Neither has siblings. */
static inf_timer *meld(inf_timer *a, inf_timer *b)
{
  if (!a || !b)
    return a ? a : b;
  inf_timer *parent = before(a, b) ? a : b;
  inf_timer *child = parent == a ? b : a;
  child->prev = parent;
  child->next = parent->child;
  if (child->next)
    child->next->prev = child;
  parent->child = child;
  return parent;
}

static inf_timer *detach_first(inf_timer **list)
{
  inf_timer *timer = *list;
  if (timer) {
    *list = timer->next;
    timer->next = timer->prev = NULL;
  }
  return timer;
}

/* Makes one tree of a list of siblings, in the two passes that give the
 * pairing heap its bound: neighbours in pairs from the left, then the pairs
 * together from the right. The pairs are stacked by `next`, which turns them
 * round. */
static inf_timer *meld_siblings(inf_timer *list)
{
  inf_timer *pairs = NULL;
  while (list) {
    inf_timer *first = detach_first(&list);
    inf_timer *pair = meld(first, detach_first(&list));
    pair->next = pairs;
    pairs = pair;
  }
  inf_timer *root = NULL;
  while (pairs)
    root = meld(root, detach_first(&pairs));
  return root;
}

static void unlink_from_parent(inf_timer *timer)
{
  if (timer->prev->child == timer)
    timer->prev->child = timer->next;
  else
    timer->prev->next = timer->next;
  if (timer->next)
    timer->next->prev = timer->prev;
}

void inf_timer_init(inf_timer *timer)
{
  *timer = (inf_timer){0};
}

void inf_timer_set(inf_timer_heap *heap, inf_timer *timer, uint64_t at_ns)
{
  inf_timer_cancel(heap, timer);
  timer->at_ns = at_ns;
  timer->seq = heap->next_seq++;
  timer->armed = true;
  heap->root = meld(heap->root, timer);
}

void inf_timer_cancel(inf_timer_heap *heap, inf_timer *timer)
{
  if (!timer->armed)
    return;
  inf_timer *orphans = meld_siblings(timer->child);
  if (timer == heap->root) {
    heap->root = orphans;
  } else {
    unlink_from_parent(timer);
    heap->root = meld(heap->root, orphans);
  }
  timer->child = timer->next = timer->prev = NULL;
  timer->armed = false;
}

inf_timer *inf_timer_pop_due(inf_timer_heap *heap, uint64_t now_ns)
{
  inf_timer *timer = heap->root;
  if (!timer || timer->at_ns > now_ns)
    return NULL;
  inf_timer_cancel(heap, timer);
  return timer;
}

uint64_t inf_timer_next_ns(const inf_timer_heap *heap)
{
  return heap->root ? heap->root->at_ns : UINT64_MAX;
}
