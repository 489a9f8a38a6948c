/* SPDX-License-Identifier: MIT */
#include "policy/series.h"

#include "base/clock.h"
#include "base/mem.h"

#include <string.h>

enum {
  one_time = 256,  /* weight of a time when it is new */
  full = 64000,    /* times at which all counts are halved */
  guess = 1500,    /* times that the shape before a change counts for */
  poor_guess = 64, /* the same, if the shape proves to be another */
  first_fit = 64,  /* every so many times its scale is fitted again */
  least_base = 100,
};

/* Of two curves that differ, times the root of the number of times. */
static const double distance = 1.7;

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

enum { test_count = sizeof tests / sizeof tests[0], alarm = 15 * 1024 };

struct inf_series_body {
  inf_series_window slow;
  uint64_t median_ns, tail_ns; /* INF_NEVER: no test yet */
  int32_t score[test_count];
  uint32_t since[test_count]; /* times since the score stood at zero */
  uint32_t ring_next, ring_count;
  uint32_t events;    /* since the last change */
  uint32_t after;     /* times since the last change, as long as that counts */
  uint32_t next_fit;  /* of them; 0: the shape is no guess any more */
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

static uint32_t
ring_code(const inf_series_body *body, uint32_t ago)
{
  return body->ring[(body->ring_next - ago) % INF_SERIES_RING];
}

/* The last `count` times of the ring. */
static void
add_ring(const inf_series_body *body, uint32_t count, inf_series_window *window)
{
  for (uint32_t i = 1; i <= count && i <= body->ring_count; i++) {
    uint32_t code = ring_code(body, i);
    add(window, inf_histogram_middle(code & ~censored_bit),
        (code & censored_bit) != 0, one_time);
  }
}

static void
take_out(inf_histogram *histogram, uint32_t index)
{
  uint32_t *count = &histogram->counts[index];
  uint32_t weight = *count < one_time ? *count : one_time;
  *count -= weight;
  histogram->total -= weight;
}

/* Undoes add_ring(). */
static void
remove_ring(const inf_series_body *body, uint32_t count,
            inf_series_window *window)
{
  for (uint32_t i = 1; i <= count && i <= body->ring_count; i++) {
    uint32_t code = ring_code(body, i);
    take_out(code & censored_bit ? &window->censored : &window->events,
             code & ~censored_bit);
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

/* The last times, sorted: of each its bucket, and a lowest bit that puts what
 * was cancelled behind what ended there. */
typedef struct recent {
  uint16_t keys[INF_SERIES_RING];
  uint32_t count;
} recent;

static void
sort_recent(const inf_series_body *body, uint32_t count, recent *times)
{
  times->count = 0;
  for (uint32_t i = 1; i <= count && i <= body->ring_count; i++) {
    uint32_t code = ring_code(body, i);
    uint16_t key = (uint16_t)((code & ~censored_bit) << 1 | code >> 15);
    uint32_t at = times->count++;
    for (; at > 0 && times->keys[at - 1] > key; at--)
      times->keys[at] = times->keys[at - 1];
    times->keys[at] = key;
  }
}

/* As by survival.h. */
static uint64_t
recent_median(const recent *times)
{
  double alive = 1;
  for (uint32_t i = 0; i < times->count; i++) {
    if (times->keys[i] & 1)
      continue;
    alive *= 1 - 1 / (double)(times->count - i);
    if (alive <= 0.5)
      return inf_histogram_middle(times->keys[i] >> 1);
  }
  return INF_NEVER;
}

/* Whether they are of another shape than the window: the greatest distance of
 * the two curves (Kolmogorov and Smirnov) is beyond chance. */
static bool
differs(const recent *times, const inf_series_window *window)
{
  inf_survival survival;
  inf_survival_estimate(&survival, &window->events, &window->censored);
  double alive = 1, square = 0;
  for (uint32_t i = 0; i < times->count; i++) {
    if (times->keys[i] & 1)
      continue;
    alive *= 1 - 1 / (double)(times->count - i);
    double off = alive - (double)survival.at[(times->keys[i] >> 1) + 1];
    square = off * off > square ? off * off : square;
  }
  return square * (double)times->count > distance * distance;
}

static void
fade(inf_series_window *window, double keep)
{
  rescale(&window->events, 1, keep);
  rescale(&window->censored, 1, keep);
}

/* More is known of how far the latency has moved: what is a guess is scaled
 * again, what was seen since is not. */
static void
fit_again(inf_series_body *body)
{
  recent times;
  sort_recent(body, body->after, &times);
  remove_ring(body, body->after, &body->slow);
  keep_shape(&body->slow, recent_median(&times));
  body->next_fit += first_fit;
  if (differs(&times, &body->slow)) {
    fade(&body->slow, (double)poor_guess / guess);
    body->next_fit = 0;
  }
  add_ring(body, body->after, &body->slow);
  if (body->next_fit > INF_SERIES_RING)
    body->next_fit = 0;
  body->due_after = 0;
}

static void
change(inf_series_body *body, uint32_t since, bool tail)
{
  recent times;
  sort_recent(body, since, &times);
  bool kept = !tail && keep_shape(&body->slow, recent_median(&times));
  if (!kept)
    body->slow = (inf_series_window){0};
  add_ring(body, since, &body->slow);
  memset(body->score, 0, sizeof body->score);
  body->median_ns = body->tail_ns = INF_NEVER;
  body->events = 0;
  for (uint32_t i = 1; i <= since && i <= body->ring_count; i++)
    body->events += !(ring_code(body, i) & censored_bit);
  body->after = since;
  body->next_fit = kept && since < INF_SERIES_RING ? first_fit : 0;
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
  if (body->next_fit > 0 && ++body->after >= body->next_fit)
    fit_again(body);
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
