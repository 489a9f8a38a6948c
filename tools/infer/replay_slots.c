/* SPDX-License-Identifier: MIT */
/* The places of a provider: see replay_slots.h. */

#include "replay_slots.h"

#include "sim_mem.h"

#include "base/mem.h"

void
inf_replay_slots_init(inf_replay_slots *slots, size_t count)
{
  slots->free_ns = inf_sim_alloc(count * sizeof(*slots->free_ns));
  slots->count = count;
}

void
inf_replay_slots_fini(inf_replay_slots *slots)
{
  inf_free(slots->free_ns);
  *slots = (inf_replay_slots){0};
}

static void
swap(uint64_t *a, uint64_t *b)
{
  uint64_t old = *a;
  *a = *b;
  *b = old;
}

/* Down to where its children are later. */
static void
sink(const inf_replay_slots *slots, size_t at)
{
  for (;;) {
    size_t child = 2 * at + 1;
    if (child >= slots->count) {
      return;
    }
    if (child + 1 < slots->count &&
        slots->free_ns[child + 1] < slots->free_ns[child]) {
      child++;
    }
    if (slots->free_ns[at] <= slots->free_ns[child]) {
      return;
    }
    swap(&slots->free_ns[at], &slots->free_ns[child]);
    at = child;
  }
}

static void
rise(const inf_replay_slots *slots, size_t at)
{
  while (at > 0 && slots->free_ns[at] < slots->free_ns[(at - 1) / 2]) {
    swap(&slots->free_ns[at], &slots->free_ns[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
}

uint64_t
inf_replay_slots_begin(const inf_replay_slots *slots, uint64_t now_ns)
{
  return slots->free_ns[0] > now_ns ? slots->free_ns[0] : now_ns;
}

void
inf_replay_slots_take(inf_replay_slots *slots, uint64_t until_ns)
{
  slots->free_ns[0] = until_ns;
  sink(slots, 0);
}

void
inf_replay_slots_give(inf_replay_slots *slots, uint64_t until_ns,
                      uint64_t now_ns)
{
  size_t at = 0;
  while (at < slots->count && slots->free_ns[at] != until_ns) {
    at++;
  }
  if (at < slots->count && now_ns < until_ns) {
    slots->free_ns[at] = now_ns;
    rise(slots, at);
  }
}
