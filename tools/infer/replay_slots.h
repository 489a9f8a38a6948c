/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_SLOTS_H
#define INF_TOOLS_REPLAY_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/* The places of a provider that answers so many requests at a time and lets
 * others wait in the order in which they came: when each place is free next. */
typedef struct inf_replay_slots {
  uint64_t *free_ns; /* a heap: the first is the earliest */
  size_t count;
} inf_replay_slots;

/* count is at least 1; all are free. */
void inf_replay_slots_init(inf_replay_slots *slots, size_t count);
void inf_replay_slots_fini(inf_replay_slots *slots);
/* When a request that comes now begins: now, or when a place is free. The
 * caller says with inf_replay_slots_take() until when it has it. */
uint64_t inf_replay_slots_begin(const inf_replay_slots *slots, uint64_t now_ns);
void inf_replay_slots_take(inf_replay_slots *slots, uint64_t until_ns);
/* A request that has a place until then gives it back earlier. Those that wait
 * already do not begin sooner for it. */
void inf_replay_slots_give(inf_replay_slots *slots, uint64_t until_ns,
                           uint64_t now_ns);

#endif
