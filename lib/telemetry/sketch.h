/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_SKETCH_H
#define INF_TELEMETRY_SKETCH_H

#include "base/histogram.h"

#include <stdbool.h>
#include <stddef.h>

/* A histogram of few times: the buckets of base/histogram.h, but only those
 * that are in use, four bytes each, sorted. A rolling window has dozens of
 * histograms, most of them with some ten or hundred times in two or three
 * octaves: 100 to 800 bytes each instead of 16 KiB.
 *
 * Events (times seen to the end) and censored times (an attempt that was
 * cancelled takes at least that long) stand in one list, so that one search
 * finds either. A count stays at 2^20 - 1, which is 3,500 times a second in one
 * bucket over five minutes.
 *
 * One record is a binary search and, for a new bucket, a move of those above
 * it: 10 to 60 ns. Memory is taken from a room that many share; when the room
 * is full, or memory is short, the time is dropped and counted there. Zeroed is
 * empty. One thread at a time. */

/* What all aggregates of a client may take together. */
typedef struct inf_telemetry_room {
  size_t used_bytes, cap_bytes;
  uint64_t dropped; /* records for which there was no room */
} inf_telemetry_room;

/* Memory from the room, zeroed; NULL, and counted as dropped, if there is
 * none. */
void *inf_telemetry_room_take(inf_telemetry_room *room, size_t bytes);
void inf_telemetry_room_give(inf_telemetry_room *room, void *memory,
                             size_t bytes);

typedef struct inf_sketch {
  uint32_t *cells; /* bucket, censored or not, count */
  uint16_t count, capacity;
} inf_sketch;

void inf_sketch_add(inf_sketch *sketch, inf_telemetry_room *room, uint64_t ns,
                    bool censored);
/* Empties it and keeps the memory. */
void inf_sketch_clear(inf_sketch *sketch);
void inf_sketch_fini(inf_sketch *sketch, inf_telemetry_room *room);
/* Adds all times to the two histograms. */
void inf_sketch_pour(const inf_sketch *sketch, inf_histogram *events,
                     inf_histogram *censored);

#endif
