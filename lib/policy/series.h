/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_SERIES_H
#define INF_POLICY_SERIES_H

#include "base/survival.h"

#include <stdbool.h>
#include <stddef.h>

/* What is known of one latency: the time to the first content of one target
 * for prompts of one length, say. Times that were seen (events) and times at
 * which an attempt was cancelled (censored); survival.h makes a curve of them.
 *
 * Two windows. The slow one is a pair of histograms in which all counts are
 * halved whenever they stand for 64,000 times, so that 32,000 to 64,000 are
 * looked back on. So many because hedges hide the tail: of the times beyond the
 * 99th percentile as few as one in eight is seen to its end. From 3000 to 6000
 * times it is learned with a standard deviation of 27 to 38 % where it lies
 * among few stragglers, and 7 to 12 % too long on average; from 32,000 to
 * 64,000 with 11 to 15 %, and 2 to 5 %. The price is paid under drift: while
 * all times swing slowly between a half and twice their size (each 20,000 or
 * 100,000 calls), hedges reach 90 to 99 % of the optimum, in most cases as with
 * the short window, at worst 3.5 points less; the tests below begin anew ever
 * so often.
 * The fast one is a ring of the last 256 times, as numbers of histogram
 * buckets.
 *
 * A change of regime is found by three tests of the form of the breaker's
 * (Page's CUSUM) on each new time, against the slow window's median and 90th
 * percentile at the last reading:
 *
 *   above the median      half of all    or three quarters of them
 *   below the median      the same
 *   above the 90th        a tenth        or three tenths
 *
 * in units of 1/1024; each alarm is at e^15: one in 3 million times at most, by
 * chance, on average. A latency that is three times as long is found after 37
 * times. The slow window then becomes what the fast one holds since the test
 * last stood at zero, which is when the change probably came.
 *
 * What was known before stays as a guess of the shape: scaled by the ratio of
 * the medians and with the weight of 1500 times, since load stretches all
 * latencies alike. A median of 37 times is some 10 % off: the guess is scaled
 * again after 64, 128, 192 and 256. If the curve of what was seen since is then
 * further from the guess than 1.7 / sqrt(number of times), the shape has
 * changed as well (Kolmogorov and Smirnov; by chance at most 1 in 150), and the
 * guess keeps a weight of 64. A fit takes some 25 us. Where only the long times
 * change, nothing is kept. An alarm needs 100 times in the window.
 *
 * A time that was censored below a threshold says nothing about it and is not
 * counted there; one above it is.
 *
 * Memory (17 KB) is taken at the first record and counted in a room that many
 * series share; when the room is full or memory is short, records are dropped
 * and counted, and the series knows nothing. One thread at a time. */

enum { INF_SERIES_RING = 256 };

/* What all series of a client may take together. */
typedef struct inf_series_room {
  size_t used_bytes, cap_bytes;
  uint64_t dropped; /* records for which there was no room */
} inf_series_room;

typedef struct inf_series_window {
  inf_histogram events, censored;
} inf_series_window;

typedef struct inf_series_body inf_series_body;

typedef struct inf_series {
  inf_series_room *room;
  inf_series_body *body; /* NULL: nothing was recorded yet */
} inf_series;

void inf_series_init(inf_series *series, inf_series_room *room);
void inf_series_fini(inf_series *series);

/* ns: until the content came or, if censored, until it was no longer waited
 * for. Returns true if the regime has changed: plans made so far are void. */
bool inf_series_record(inf_series *series, uint64_t ns, bool censored);

/* How many times the slow window stands for, at most 64,000. */
uint32_t inf_series_known(const inf_series *series);
/* How many have ended since the beginning or the last change of regime. */
uint32_t inf_series_events(const inf_series *series);
/* Whether enough is new for another reading: a quarter of what was seen
 * since the last change, 16 to 200 times, or a change of regime. */
bool inf_series_is_due(const inf_series *series);
/* The slow window's curve. Returns false, and a curve of nothing, if there is
 * none yet. The tests' thresholds are those of the last reading. */
bool inf_series_read(inf_series *series, inf_survival *survival);
/* The curve of the fast window; changes nothing. Takes a window of the
 * caller's as its workspace. */
bool inf_series_read_fast(const inf_series *series, inf_series_window *work,
                          inf_survival *survival);

/* How often the regime has changed. */
uint32_t inf_series_changes(const inf_series *series);
/* Bytes of a series in use. */
size_t inf_series_bytes(void);

#endif
