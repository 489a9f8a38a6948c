/* SPDX-License-Identifier: MIT */
#include "telemetry/sketch.h"

#include "base/mem.h"

#include <string.h>

/* A cell: 11 bits of bucket, 1 of kind, 20 of count. */
enum { count_bits = 20, first_capacity = 8 };
static const uint32_t count_max = (UINT32_C(1) << count_bits) - 1;

_Static_assert(INF_HISTOGRAM_BUCKETS <= 1 << 11, "a bucket fits into a cell");

void *
inf_telemetry_room_take(inf_telemetry_room *room, size_t bytes)
{
  void *memory = NULL;
  if (bytes <= room->cap_bytes && room->used_bytes <= room->cap_bytes - bytes)
    memory = inf_calloc(1, bytes);
  if (memory)
    room->used_bytes += bytes;
  else
    room->dropped++;
  return memory;
}

void
inf_telemetry_room_give(inf_telemetry_room *room, void *memory, size_t bytes)
{
  if (memory)
    room->used_bytes -= bytes;
  inf_free(memory);
}

static uint32_t
key_of(uint64_t ns, bool censored)
{
  return inf_histogram_index(ns) * 2 + (censored ? 1 : 0);
}

/* The first cell whose key is not below. */
static uint16_t
find(const inf_sketch *sketch, uint32_t key)
{
  uint16_t low = 0, high = sketch->count;
  while (low < high) {
    uint16_t middle = (uint16_t)(low + (high - low) / 2);
    if (sketch->cells[middle] >> count_bits < key)
      low = (uint16_t)(middle + 1);
    else
      high = middle;
  }
  return low;
}

static bool
grow(inf_sketch *sketch, inf_telemetry_room *room)
{
  uint16_t capacity =
      sketch->capacity ? (uint16_t)(sketch->capacity * 2) : first_capacity;
  uint32_t *cells =
      inf_telemetry_room_take(room, capacity * sizeof *sketch->cells);
  if (!cells)
    return false;
  if (sketch->count > 0)
    memcpy(cells, sketch->cells, sketch->count * sizeof *cells);
  inf_telemetry_room_give(room, sketch->cells,
                          sketch->capacity * sizeof *cells);
  sketch->cells = cells;
  sketch->capacity = capacity;
  return true;
}

void
inf_sketch_add(inf_sketch *sketch, inf_telemetry_room *room, uint64_t ns,
               bool censored)
{
  uint32_t key = key_of(ns, censored);
  uint16_t at = find(sketch, key);
  if (at < sketch->count && sketch->cells[at] >> count_bits == key) {
    sketch->cells[at] += (sketch->cells[at] & count_max) < count_max;
    return;
  }
  if (sketch->count == sketch->capacity && !grow(sketch, room))
    return;
  memmove(sketch->cells + at + 1, sketch->cells + at,
          (size_t)(sketch->count - at) * sizeof *sketch->cells);
  sketch->cells[at] = key << count_bits | 1;
  sketch->count++;
}

void
inf_sketch_clear(inf_sketch *sketch)
{
  sketch->count = 0;
}

void
inf_sketch_fini(inf_sketch *sketch, inf_telemetry_room *room)
{
  inf_telemetry_room_give(room, sketch->cells,
                          sketch->capacity * sizeof *sketch->cells);
  *sketch = (inf_sketch){0};
}

void
inf_sketch_pour(const inf_sketch *sketch, inf_histogram *events,
                inf_histogram *censored)
{
  for (uint16_t i = 0; i < sketch->count; i++) {
    uint32_t key = sketch->cells[i] >> count_bits;
    inf_histogram *into = key & 1 ? censored : events;
    inf_histogram_record(into, inf_histogram_lower(key / 2),
                         sketch->cells[i] & count_max);
  }
}
