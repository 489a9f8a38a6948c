/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_EVERY_CUT_H
#define TESTS_SUPPORT_EVERY_CUT_H

#include <stddef.h>

/* An answer of count bytes, cut at every byte:
 *
 *   for (size_t at = 0; at < count; at = next_cut(at, count))
 *
 * ThreadSanitizer makes a call many times as slow, and has the same threads to
 * look at wherever the cut is: there it is every fifth, and the last. */
#if defined(__SANITIZE_THREAD__)
#define EVERY_CUT_STEP 5
#else
#define EVERY_CUT_STEP 1
#endif

static inline size_t
next_cut(size_t at, size_t count)
{
  size_t next = at + EVERY_CUT_STEP;
  return next < count || at + 1 >= count ? next : count - 1;
}

#endif
