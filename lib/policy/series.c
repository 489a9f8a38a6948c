/* SPDX-License-Identifier: MIT */
#include "policy/series.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

enum {
  one_time = 256, /* weight of a time when it is new */
  full = 6000,    /* times at which all counts are halved */
  guess = 64,     /* times that the shape before a change counts for */
  least_base = 100,
};

/* Of a code in the ring. */
static const uint32_t censored_bit = 0x8000;

/* A sequential test for one share: what a time above the threshold adds, and
 * one below it, in 1/1024 (natural logarithms of likelihood ratios). */
typedef struct change_test {
  int32_t above, below;
  bool tail; /* of the 90th percentile, not of the median */
} change_test;

static const change_test tests[] = {
    {415, -710, false}, /* 0.50 -> 0.75 above */
    {-710, 415, false}, /* 0.50 -> 0.25 above */
    {1125, -257, true}, /* 0.10 -> 0.30 above */
};

enum { test_count = sizeof tests / sizeof tests[0], alarm = 12 * 1024 };

struct inf_series_body {
  inf_series_window slow;
  uint64_t median_ns, tail_ns; /* INF_NEVER: no test yet */
  int32_t score[test_count];
  uint32_t since[test_count]; /* times since the score stood at zero */
  uint32_t ring_next, ring_count;
  uint32_t events;    /* since the last change */
  uint32_t unread;    /* times since the last reading */
  uint32_t due_after; /* of them */
  uint32_t changes;
  uint16_t ring[INF_SERIES_RING];
};

size_t
inf_series_bytes(void)
{
  return sizeof(inf_series_body);
}

void
inf_series_init(inf_series *series, inf_series_room *room)
{
  *series = (inf_series){.room = room};
}

void
inf_series_fini(inf_series *series)
{
  if (series->body)
    series->room->used_bytes -= sizeof *series->body;
  inf_free(series->body);
  series->body = NULL;
}

static inf_series_body *
make_body(inf_series *series)
{
  inf_series_room *room = series->room;
  size_t size = sizeof(inf_series_body);
  if (room->used_bytes > room->cap_bytes ||
      room->cap_bytes - room->used_bytes < size)
    return NULL;
  inf_series_body *body = inf_calloc(1, size);
  if (body == NULL)
    return NULL;
  room->used_bytes += size;
  body->median_ns = body->tail_ns = INF_NEVER;
  body->due_after = 16;
  return series->body = body;
}

/* ---- Windows ------------------------------------------------------------- */

static uint64_t
weight_of(const inf_series_window *window)
{
  return window->events.total + window->censored.total;
}

static void
add(inf_series_window *window, uint64_t ns, bool censored, uint32_t weight)
{
  inf_histogram_record(censored ? &window->censored : &window->events, ns,
                       weight);
}

/* The last `count` times of the ring. */
static void
add_ring(const inf_series_body *body, uint32_t count, inf_series_window *window)
{
  for (uint32_t i = 1; i <= count && i <= body->ring_count; i++) {
    uint32_t code = body->ring[(body->ring_next - i) % INF_SERIES_RING];
    add(window, inf_histogram_middle(code & ~censored_bit),
        (code & censored_bit) != 0, one_time);
  }
}

static void
push_ring(inf_series_body *body, uint64_t ns, bool censored)
{
  uint32_t code = inf_histogram_index(ns) | (censored ? censored_bit : 0);
  body->ring[body->ring_next++ % INF_SERIES_RING] = (uint16_t)code;
  if (body->ring_count < INF_SERIES_RING)
    body->ring_count++;
}

/* ---- Change of regime ---------------------------------------------------- */

/* Moves all times by a factor, and their weights by another. Nothing is moved
 * twice: the order is that of the direction. */
static void
rescale(inf_histogram *histogram, double stretch, double keep)
{
  const uint32_t count = INF_HISTOGRAM_BUCKETS;
  histogram->total = 0;
  for (uint32_t n = 0; n < count; n++) {
    uint32_t from = stretch > 1 ? count - 1 - n : n;
    uint32_t weight = (uint32_t)((double)histogram->counts[from] * keep + 0.5);
    histogram->counts[from] = 0;
    double ns = (double)inf_histogram_middle(from) * stretch;
    if (weight > 0)
      inf_histogram_record(histogram, (uint64_t)ns, weight);
  }
}

static uint64_t
median_of(const inf_series_window *window)
{
  inf_survival survival;
  inf_survival_estimate(&survival, &window->events, &window->censored);
  return inf_survival_quantile(&survival, 0.5);
}

/* What was known becomes a guess; returns false if there is none to make. */
static bool
keep_shape(inf_series_window *window, uint64_t new_median_ns)
{
  uint64_t old_median_ns = median_of(window);
  if (old_median_ns == INF_NEVER || new_median_ns == INF_NEVER ||
      old_median_ns == 0)
    return false;
  double stretch = (double)new_median_ns / (double)old_median_ns;
  double keep = (double)(guess * one_time) / (double)weight_of(window);
  if (keep > 1)
    keep = 1;
  rescale(&window->events, stretch, keep);
  rescale(&window->censored, stretch, keep);
  return true;
}

static uint64_t
recent_median(const inf_series_body *body, uint32_t count)
{
  uint16_t sorted[INF_SERIES_RING];
  uint32_t used = 0;
  for (uint32_t i = 1; i <= count && i <= body->ring_count; i++) {
    uint32_t code = body->ring[(body->ring_next - i) % INF_SERIES_RING];
    uint16_t index = (uint16_t)(code & ~censored_bit);
    uint32_t at = used++;
    for (; at > 0 && sorted[at - 1] > index; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = index;
  }
  return used > 0 ? inf_histogram_middle(sorted[used / 2]) : INF_NEVER;
}

static void
change(inf_series_body *body, uint32_t since, bool tail)
{
  if (tail || !keep_shape(&body->slow, recent_median(body, since)))
    body->slow = (inf_series_window){0};
  add_ring(body, since, &body->slow);
  memset(body->score, 0, sizeof body->score);
  body->median_ns = body->tail_ns = INF_NEVER;
  body->events = 0;
  for (uint32_t i = 1; i <= since && i <= body->ring_count; i++)
    body->events +=
        !(body->ring[(body->ring_next - i) % INF_SERIES_RING] & censored_bit);
  body->due_after = 0;
  body->changes++;
}

/* Returns how many times ago the regime changed; 0: it has not. tail: only the
 * long times did. */
static uint32_t
test_change(inf_series_body *body, uint64_t ns, bool censored, bool *tail)
{
  for (uint32_t i = 0; i < test_count; i++) {
    uint64_t threshold_ns = tests[i].tail ? body->tail_ns : body->median_ns;
    if (threshold_ns == INF_NEVER)
      return 0;
    body->since[i]++;
    bool above = ns >= threshold_ns;
    if (!above && censored)
      continue;
    int32_t score = body->score[i] + (above ? tests[i].above : tests[i].below);
    body->score[i] = score > 0 ? score : 0;
    if (score <= 0)
      body->since[i] = 0;
  }
  for (uint32_t i = 0; i < test_count; i++) {
    /* Where the median moves as well, its own test will tell, later, from more
     * times, and not only from long ones. */
    bool waits = tests[i].tail && body->score[0] > alarm / 4;
    if (body->score[i] < alarm || waits)
      continue;
    *tail = tests[i].tail;
    return body->since[i];
  }
  return 0;
}

/* ---- The series ---------------------------------------------------------- */

bool
inf_series_record(inf_series *series, uint64_t ns, bool censored)
{
  inf_series_body *body = series->body;
  if (body == NULL && (body = make_body(series)) == NULL) {
    series->room->dropped++;
    return false;
  }
  push_ring(body, ns, censored);
  add(&body->slow, ns, censored, one_time);
  body->events += !censored;
  body->unread++;
  if (weight_of(&body->slow) >= (uint64_t)full * one_time) {
    inf_histogram_halve(&body->slow.events);
    inf_histogram_halve(&body->slow.censored);
  }
  bool tail = false;
  uint32_t since = test_change(body, ns, censored, &tail);
  if (since > 0)
    change(body, since, tail);
  return since > 0;
}

uint32_t
inf_series_known(const inf_series *series)
{
  return series->body ? (uint32_t)(weight_of(&series->body->slow) / one_time)
                      : 0;
}

uint32_t
inf_series_events(const inf_series *series)
{
  return series->body ? series->body->events : 0;
}

bool
inf_series_is_due(const inf_series *series)
{
  return series->body && series->body->unread >= series->body->due_after;
}

static uint32_t
next_due(uint32_t known)
{
  uint32_t quarter = known / 4;
  if (quarter < 16)
    return 16;
  return quarter > 200 ? 200 : quarter;
}

bool
inf_series_read(inf_series *series, inf_survival *survival)
{
  static const inf_histogram none;
  inf_series_body *body = series->body;
  if (body == NULL) {
    inf_survival_estimate(survival, &none, &none);
    return false;
  }
  inf_survival_estimate(survival, &body->slow.events, &body->slow.censored);
  uint32_t known = inf_series_known(series);
  body->unread = 0;
  body->due_after = next_due(known < body->events ? known : body->events);
  if (known >= least_base) {
    body->median_ns = inf_survival_quantile(survival, 0.5);
    body->tail_ns = inf_survival_quantile(survival, 0.9);
  }
  return true;
}

bool
inf_series_read_fast(const inf_series *series, inf_series_window *work,
                     inf_survival *survival)
{
  memset(work, 0, sizeof *work);
  if (series->body)
    add_ring(series->body, INF_SERIES_RING, work);
  inf_survival_estimate(survival, &work->events, &work->censored);
  return series->body != NULL;
}

uint32_t
inf_series_changes(const inf_series *series)
{
  return series->body ? series->body->changes : 0;
}
