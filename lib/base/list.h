/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_LIST_H
#define INF_BASE_LIST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A circular doubly linked list whose nodes stand inside the elements: it
 * allocates nothing, and an element leaves in constant time. A node that is
 * in no list points to itself, so removing it again is harmless.
 *
 * A forked child may find a list that another thread of its parent was about
 * to change. Walking forward through next is then still safe: adding and
 * removing one node change what is seen there at one store. (The fences bind
 * the compiler only; a child sees its parent's stores in their order.) */
typedef struct inf_list {
  struct inf_list *prev, *next;
} inf_list;

#define INF_CONTAINER_OF(node, type, member) \
  ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void
inf_list_init(inf_list *list)
{
  list->prev = list->next = list;
}

static inline bool
inf_list_empty(const inf_list *list)
{
  return list->next == list;
}

/* Exactly one node. */
static inline bool
inf_list_single(const inf_list *list)
{
  return list->next != list && list->next->next == list;
}

static inline void
inf_list_push_back(inf_list *list, inf_list *node)
{
  node->prev = list->prev;
  node->next = list;
  atomic_signal_fence(memory_order_release);
  list->prev->next = node;
  list->prev = node;
}

static inline void
inf_list_push_front(inf_list *list, inf_list *node)
{
  inf_list_push_back(list->next, node);
}

static inline void
inf_list_remove(inf_list *node)
{
  node->prev->next = node->next;
  node->next->prev = node->prev;
  atomic_signal_fence(memory_order_release);
  inf_list_init(node);
}

/* NULL when the list is empty. */
static inline inf_list *
inf_list_pop_front(inf_list *list)
{
  inf_list *node = list->next;
  if (node == list)
    return NULL;
  inf_list_remove(node);
  return node;
}

/* Moves all nodes of from to the end of list. */
static inline void
inf_list_splice_back(inf_list *list, inf_list *from)
{
  if (inf_list_empty(from))
    return;
  from->next->prev = list->prev;
  list->prev->next = from->next;
  from->prev->next = list;
  list->prev = from->prev;
  inf_list_init(from);
}

#endif
