/* SPDX-License-Identifier: MIT */
/* The paused calls: two orders of one set, and a sum. */
#include "engine/paused.h"

void
inf_paused_init(inf_paused *paused, uint64_t max_bytes)
{
  *paused = (inf_paused){.max_bytes = max_bytes};
  inf_list_init(&paused->by_age);
  inf_list_init(&paused->by_turn);
}

void
inf_paused_entry_init(inf_paused_entry *entry)
{
  *entry = (inf_paused_entry){.bytes = 0};
  inf_list_init(&entry->age_node);
  inf_list_init(&entry->turn_node);
}

void
inf_paused_add(inf_paused *paused, inf_paused_entry *entry)
{
  if (!inf_list_empty(&entry->age_node))
    return;
  inf_list_push_back(&paused->by_age, &entry->age_node);
  inf_list_push_front(&paused->by_turn, &entry->turn_node);
  paused->count++;
}

void
inf_paused_remove(inf_paused *paused, inf_paused_entry *entry)
{
  if (inf_list_empty(&entry->age_node))
    return;
  inf_list_remove(&entry->age_node);
  inf_list_remove(&entry->turn_node);
  paused->count--;
  paused->bytes -= entry->bytes;
  entry->bytes = 0;
}

void
inf_paused_charge(inf_paused *paused, inf_paused_entry *entry, size_t bytes)
{
  paused->bytes = paused->bytes - entry->bytes + bytes;
  entry->bytes = bytes;
}

inf_paused_entry *
inf_paused_next(inf_paused *paused)
{
  inf_list *node = inf_list_pop_front(&paused->by_turn);
  if (!node)
    return NULL;
  inf_list_push_back(&paused->by_turn, node);
  return INF_CONTAINER_OF(node, inf_paused_entry, turn_node);
}

inf_paused_entry *
inf_paused_victim(const inf_paused *paused)
{
  if (paused->bytes <= paused->max_bytes || inf_list_empty(&paused->by_age))
    return NULL;
  return INF_CONTAINER_OF(paused->by_age.next, inf_paused_entry, age_node);
}
