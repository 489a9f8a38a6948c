/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_LATENESS_H
#define INF_POLICY_LATENESS_H

#include <stdbool.h>
#include <stdint.h>

/* When is an answer late? After twice the usual 99th percentile of the times
 * to first content, and never before 1 s. For a lognormal distribution with
 * sigma 1 that is the 99.9th percentile; with 0.5 one in 10000 is late.
 *
 * Algorithm: the first guess is the second largest of the first 64 times, the
 * 97th to 98th percentile: one freak among them does no harm. Then (Robbins and
 * Monro 1951) each time above the percentile raises it by 99/4096, each other
 * one lowers it by 1/4096 of itself, which balances where one in a hundred is
 * above. While a black hole is noticed, by eight attempts, it rises by a fifth.
 *
 * What is known to be slow is learned sooner: by an eighth for each time above.
 * A target that has become three times as slow for good is so accepted after
 * some four slow probes, one that is ten times as slow after fourteen. */
typedef struct inf_lateness {
  uint64_t usual_ns;   /* the percentile; before: the second largest */
  uint64_t largest_ns; /* of the first ones */
  uint32_t samples;    /* up to INF_LATENESS_SAMPLES */
} inf_lateness;

#define INF_LATENESS_SAMPLES 64

/* A time to first content, or that of an attempt which waited so long without.
 * slow: the target is known to be slow at present. */
void inf_lateness_note(inf_lateness *lateness, uint64_t sample_ns, bool slow);
/* 0: not known yet. */
uint64_t inf_lateness_ns(const inf_lateness *lateness);

#endif
