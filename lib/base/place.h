/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_PLACE_H
#define INF_BASE_PLACE_H

/* Where a function's code lies. A loop that sleeps between two pieces of an
 * answer finds the processor's caches full of something else: what it costs
 * then is less the instructions than the lines they lie in.
 *
 *   INF_HOT    runs for each turn of the loop, or each piece: lies together
 *   INF_APART  belongs to one of those, but mostly does not run: not inlined
 *   INF_COLD   hardly ever runs: also far away, and small rather than fast
 */
#if defined(__GNUC__)
#define INF_HOT   __attribute__((hot))
#define INF_APART __attribute__((noinline))
#define INF_COLD  __attribute__((cold, noinline))
#else
#define INF_HOT
#define INF_APART
#define INF_COLD
#endif

#endif
