/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_LOWS_H
#define INF_POLICY_LOWS_H

#include "base/wide.h"

#include <stddef.h>
#include <stdint.h>

/* How low a value has been since each of several moments. gcra.h needs it to
 * know how much of a reservation may still be given back.
 *
 * The value falls by itself and is raised in steps; every raise has a mark, a
 * number that grows. Its lowest points are those just before a raise, and
 * only they are noted. Of two points the older one is of no more interest if
 * it is not lower: so what is kept is a stack that rises from its oldest to
 * its newest point, and the lowest since mark m is the first point noted by a
 * raise after m (the monotone stack of sliding-window minima).
 *
 * The stack has a fixed size. When it is full, points whose values lie in the
 * same class become one that has the lowest value and the newest mark; there
 * are 32 classes of the same width, and one for all that is above them. An
 * answer is then too low, by less than the width of a class, and never too
 * high. A point costs constant time, spread over the points.
 *
 * How many classes: of a quota of 600,000 tokens per minute with a burst of
 * 10 s, at 1.3 times the load and with twice the tokens reserved that calls
 * of 1 to 21 s use, 16 classes let 86 % be used, 32 let 92 %, and lows without
 * any bound 94 %. With estimates that are good to a third, or with a burst of
 * a minute, it is 100 % with any of them. */
#define INF_LOWS_CLASSES 32
/* Half again as many as there are classes: at least fifteen points come
 * between two occasions at which all are looked through. */
#define INF_LOWS_MAX 48

typedef struct inf_lows {
  inf_u128 value[INF_LOWS_MAX]; /* of count: not falling */
  uint64_t mark[INF_LOWS_MAX];  /* of the raise it preceded: growing */
  uint32_t count;
  uint32_t class_bits; /* a class is 2^this wide */
  uint32_t merges;     /* since the beginning: of interest to tests */
} inf_lows;

/* Values up to `largest` are of interest: chooses classes that are at most
 * a sixteenth of it wide. */
void inf_lows_set_range(inf_lows *lows, inf_u128 largest);
/* The value is about to be raised from `value` by the raise `mark`, which is
 * above all marks before. */
void inf_lows_note(inf_lows *lows, uint64_t mark, inf_u128 value);
/* The lowest value since right after the raise `mark`; `value` is the current
 * one. */
inf_u128 inf_lows_since(const inf_lows *lows, uint64_t mark, inf_u128 value);
/* The raise `mark` turns out to have been smaller by `by`, which is at most
 * inf_lows_since(): all since then was lower. */
void inf_lows_lower(inf_lows *lows, uint64_t mark, inf_u128 by);

#endif
