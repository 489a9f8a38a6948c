/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_WINDOW_H
#define INF_TELEMETRY_WINDOW_H

#include "base/clock.h"
#include "base/survival.h"
#include "telemetry/sketch.h"

/* What happened in the last 1, 5 and 60 minutes: three rings of slots,
 *
 *   1 minute     7 slots of  10 s
 *   5 minutes    6 slots of   1 min
 *   60 minutes  13 slots of   5 min
 *
 * of which the newest is under way. So a window holds all of its time, and at
 * most one slot more; rates are of the time that it really holds. A slot whose
 * time is over is emptied when it is written or left out when it is read, also
 * after a sleep of the machine: nothing has to tick. A record goes to one slot
 * of each ring.
 *
 * 3.1 KB, and the sketches' cells from the room. Zeroed is empty. One thread at
 * a time; times are of a monotonic clock. */

typedef enum inf_window {
  INF_WINDOW_1M,
  INF_WINDOW_5M,
  INF_WINDOW_60M,
  INF_WINDOWS,
} inf_window;

typedef enum inf_time_kind {
  INF_TIME_FIRST_TOKEN, /* from the attempt's start to its first content */
  INF_TIME_PER_TOKEN,   /* of the output after the first content */
  INF_TIME_TOTAL,       /* from the attempt's start to its end */
  INF_TIME_LIMITER,     /* what it waited before its start */
  INF_TIMES,
} inf_time_kind;

typedef struct inf_window_counts {
  uint64_t attempts, failed; /* failed: neither a success nor ended by us */
  uint64_t input_tokens, output_tokens;
  uint64_t cost_nano_usd; /* of those whose price is known */
} inf_window_counts;

/* One time; a length of 0 is one too. */
typedef struct inf_window_time {
  inf_time_kind kind;
  bool censored; /* it is at least that long */
  uint64_t ns;
} inf_window_time;

typedef struct inf_window_slot {
  uint64_t number; /* of its time, counted in slots since the clock's zero */
  inf_window_counts counts;
  inf_sketch times[INF_TIMES];
} inf_window_slot;

enum { INF_WINDOW_SLOTS = 7 + 6 + 13 };

typedef struct inf_windows {
  inf_window_slot slots[INF_WINDOW_SLOTS];
} inf_windows;

void inf_windows_add(inf_windows *windows, inf_telemetry_room *room,
                     const inf_window_counts *counts,
                     const inf_window_time *times, size_t time_count,
                     uint64_t now_ns);
/* "1m", "5m", "60m". */
const char *inf_window_name(inf_window window);
/* How far back it reaches at now_ns: at most to began_ns. */
uint64_t inf_window_length_ns(inf_window window, uint64_t began_ns,
                              uint64_t now_ns);
inf_window_counts inf_windows_counts(const inf_windows *windows,
                                     inf_window window, uint64_t now_ns);
/* Adds the window's times of one kind. */
void inf_windows_pour(const inf_windows *windows, inf_window window,
                      inf_time_kind kind, uint64_t now_ns,
                      inf_histogram *events, inf_histogram *censored);
void inf_windows_fini(inf_windows *windows, inf_telemetry_room *room);

/* ---- Quantiles ----------------------------------------------------------- */

enum { INF_QUANTILES = 4 }; /* 50, 90, 95 and 99 in 100 */
extern const double inf_quantile_shares[INF_QUANTILES];

typedef struct inf_quantiles {
  uint64_t events, censored;
  uint64_t ns[INF_QUANTILES]; /* INF_NEVER: not known */
} inf_quantiles;

/* For reading; 24 KB. */
typedef struct inf_quantile_work {
  inf_histogram events, censored;
  inf_survival curve;
} inf_quantile_work;

/* Of what was poured into work->events and ->censored, by survival.h. */
inf_quantiles inf_quantiles_read(inf_quantile_work *work);

#endif
