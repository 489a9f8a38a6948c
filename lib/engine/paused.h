/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_PAUSED_H
#define INF_ENGINE_PAUSED_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the calls hold that are paused for want of a reader, all together, and
 * which of them goes when that is too much: the one that was paused first. A
 * call is charged with what its reader has not taken and what the transport
 * keeps for it. The transport takes in more without a word, so the charges are
 * looked at again from time to time, each in its turn. */

typedef struct inf_paused_entry {
  inf_list age_node;  /* in by_age */
  inf_list turn_node; /* in by_turn */
  size_t bytes;
} inf_paused_entry;

typedef struct inf_paused {
  inf_list by_age;  /* paused first comes first */
  inf_list by_turn; /* looked at last comes last */
  size_t count;
  size_t bytes; /* of all entries */
  uint64_t max_bytes;
} inf_paused;

void inf_paused_init(inf_paused *paused, uint64_t max_bytes);
void inf_paused_entry_init(inf_paused_entry *entry);
/* Nothing if it is in already. */
void inf_paused_add(inf_paused *paused, inf_paused_entry *entry);
/* Nothing if it is not in. */
void inf_paused_remove(inf_paused *paused, inf_paused_entry *entry);
void inf_paused_charge(inf_paused *paused, inf_paused_entry *entry,
                       size_t bytes);
/* The one whose turn it is to be looked at; NULL if there is none. */
inf_paused_entry *inf_paused_next(inf_paused *paused);
/* The one that has to go; NULL while all keep within max_bytes. */
inf_paused_entry *inf_paused_victim(const inf_paused *paused);

#endif
