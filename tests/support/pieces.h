/* SPDX-License-Identifier: MIT */
/* Streams cut into pieces, for parsers that must not care where. Every piece
 * lies in a block of exactly its size that is freed right after it was fed: a
 * sanitizer sees reads past it and views that outlive it.
 *
 *   static void
 *   run(void *context, const size_t *cuts, size_t count)
 *   {
 *     ... a parser and a log made anew ...
 *     pieces_feed(ptr, len, cuts, count, feed, &parser);
 *     ... what the log must be ...
 *   }
 *   pieces_each(len, run, context);
 *
 * What a parser hands out is written down in a pieces_log. */
#ifndef TESTS_SUPPORT_PIECES_H
#define TESTS_SUPPORT_PIECES_H

#include "base/rng.h"
#include "base/sv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define PIECES_MOST_CUTS 65536

/* "(first)(second)": as much as fits in text, all of it in hash. */
typedef struct pieces_log {
  char text[8192];
  size_t len, count;
  uint64_t hash;
  size_t stop_after; /* 0: never */
} pieces_log;

static inline void
pieces_log_put(pieces_log *log, inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    log->hash = (log->hash ^ (unsigned char)text.ptr[i]) * 1099511628211u;
    if (log->len + 1 < sizeof(log->text))
      log->text[log->len++] = text.ptr[i];
  }
  log->text[log->len] = '\0';
}

/* False where the log wants no more. */
static inline bool
pieces_log_add(pieces_log *log, inf_sv item)
{
  pieces_log_put(log, INF_SV("("));
  pieces_log_put(log, item);
  pieces_log_put(log, INF_SV(")"));
  return ++log->count != log->stop_after;
}

typedef void (*pieces_feed_fn)(void *context, const char *ptr, size_t len);
typedef void (*pieces_run_fn)(void *context, const size_t *cuts, size_t count);

static inline void
pieces_feed_one(const char *ptr, size_t len, pieces_feed_fn feed, void *context)
{
  char *piece = malloc(len ? len : 1);

  assert_non_null(piece);
  if (len > 0)
    memcpy(piece, ptr, len);
  feed(context, piece, len);
  free(piece);
}

/* The bytes, cut at the given places, which ascend. */
static inline void
pieces_feed(const char *ptr, size_t len, const size_t *cuts, size_t count,
            pieces_feed_fn feed, void *context)
{
  size_t at = 0;

  for (size_t i = 0; i < count; i++) {
    pieces_feed_one(ptr + at, cuts[i] - at, feed, context);
    at = cuts[i];
  }
  pieces_feed_one(ptr + at, len - at, feed, context);
}

/* By a function that stops after each item, and says how much it took: it is
 * gone on from there, until the parser has stopped. */
typedef size_t (*pieces_feed_item_fn)(void *context, const char *ptr,
                                      size_t len);

static inline void
pieces_feed_items(const char *ptr, size_t len, const pieces_log *log,
                  const bool *stopped, pieces_feed_item_fn feed, void *context)
{
  for (size_t at = 0; at < len && !*stopped;) {
    size_t before = log->count;
    size_t taken = feed(context, ptr + at, len - at);

    assert_true(taken <= len - at);
    assert_true(log->count <= before + 1);
    if (taken < len - at && !*stopped)
      assert_int_equal(log->count, before + 1);
    at += taken;
  }
}

static inline void
pieces_each_two_cuts(size_t len, pieces_run_fn run, void *context)
{
  for (size_t a = 0; a <= len; a++) {
    for (size_t b = a; b <= len; b++)
      run(context, (const size_t[]){a, b}, 2);
  }
}

static inline void
pieces_bytewise(size_t len, pieces_run_fn run, void *context)
{
  size_t *cuts = malloc((len + 1) * sizeof(*cuts)), count = 0;

  assert_non_null(cuts);
  while (count + 1 < len) {
    cuts[count] = count + 1;
    count++;
  }
  run(context, cuts, count);
  free(cuts);
}

static inline void
pieces_random(inf_rng *rng, size_t len, pieces_run_fn run, void *context)
{
  uint64_t step = (uint64_t)inf_rng_between(rng, 1, 400);
  size_t *cuts = malloc(PIECES_MOST_CUTS * sizeof(*cuts)), count = 0, at = 0;

  assert_non_null(cuts);
  while (count < PIECES_MOST_CUTS) {
    at += (size_t)inf_rng_between(rng, 0, step);
    if (at > len)
      break;
    cuts[count++] = at;
  }
  run(context, cuts, count);
  free(cuts);
}

/* Whole, byte by byte, in random pieces, and in short streams cut at each
 * pair of places. */
static inline void
pieces_each(size_t len, pieces_run_fn run, void *context)
{
  inf_rng rng;

  run(context, NULL, 0);
  pieces_bytewise(len, run, context);
  inf_rng_seed(&rng, len + 1);
  for (int i = 0; i < 4; i++)
    pieces_random(&rng, len, run, context);
  if (len <= 160)
    pieces_each_two_cuts(len, run, context);
}

/* Skips the test if there were no recorded streams to cut. */
static inline void
pieces_need_recordings(size_t streams)
{
  if (streams == 0) {
    print_message("SKIP: no recordings (set INFER_SHARED)\n");
    skip();
  }
  print_message("%zu recorded streams\n", streams);
}

#endif
