/* SPDX-License-Identifier: MIT */
/* Pairing heap (Fredman, Sedgewick, Sleator and Tarjan, 1986) with the
 * children of a node in a doubly linked list: prev of the first child is its
 * parent. The two-pass merge is a loop, so that a million nodes need no
 * stack. */
#include "base/heap.h"
#include "base/place.h"

#include <stddef.h>
#include <string.h>

void
inf_heap_node_init(inf_heap_node *node)
{
  memset(node, 0, sizeof *node);
}

/* No branch: which of two comes first cannot be foreseen. */
static bool
before(const inf_heap_node *a, const inf_heap_node *b)
{
  return (a->key < b->key) | ((a->key == b->key) & (a->seq < b->seq));
}

/* Joins two roots; either may be NULL. */
static inf_heap_node *
meld(inf_heap_node *a, inf_heap_node *b)
{
  if (!a || !b)
    return a ? a : b;
  inf_heap_node *both[] = {a, b};
  size_t first = before(b, a);
  inf_heap_node *root = both[first], *child = both[1 - first];
  child->prev = root;
  child->next = root->child;
  if (root->child)
    root->child->prev = child;
  root->child = child;
  return root;
}

/* Joins a list of siblings into one root: pairs from left to right, then all
 * of them from right to left. */
static inf_heap_node *
merge_siblings(inf_heap_node *first)
{
  inf_heap_node *pairs = NULL;
  while (first) {
    inf_heap_node *a = first, *b = a->next;
    first = b ? b->next : NULL;
    a->next = a->prev = NULL;
    if (b)
      b->next = b->prev = NULL;
    a = meld(a, b);
    a->next = pairs;
    pairs = a;
  }
  inf_heap_node *root = NULL;
  while (pairs) {
    inf_heap_node *next = pairs->next;
    pairs->next = NULL;
    root = meld(root, pairs);
    pairs = next;
  }
  return root;
}

void
inf_heap_remove(inf_heap *heap, inf_heap_node *node)
{
  if (!node->queued)
    return;
  inf_heap_node *rest = merge_siblings(node->child);
  if (node == heap->root) {
    heap->root = rest;
  } else {
    if (node->prev->child == node)
      node->prev->child = node->next;
    else
      node->prev->next = node->next;
    if (node->next)
      node->next->prev = node->prev;
    heap->root = meld(heap->root, rest);
  }
  if (heap->root)
    heap->root->prev = heap->root->next = NULL;
  node->child = node->next = node->prev = NULL;
  node->queued = false;
}

void
inf_heap_set(inf_heap *heap, inf_heap_node *node, uint64_t key)
{
  inf_heap_remove(heap, node);
  node->key = key;
  node->seq = heap->next_seq++;
  node->queued = true;
  heap->root = meld(heap->root, node);
}

INF_HOT inf_timer *
inf_timer_pop_due(inf_timer_heap *heap, uint64_t now_ns)
{
  inf_timer *timer = heap->root;
  if (!timer || timer->key > now_ns)
    return NULL;
  inf_timer_cancel(heap, timer);
  return timer;
}

INF_HOT uint64_t
inf_timer_next_ns(const inf_timer_heap *heap)
{
  return heap->root ? heap->root->key : UINT64_MAX;
}
