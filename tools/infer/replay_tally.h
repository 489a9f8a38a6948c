/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_TALLY_H
#define INF_TOOLS_REPLAY_TALLY_H

#include "base/histogram.h"
#include "infer/infer.h"

#include <stdbool.h>
#include <stddef.h>

/* What came of a replay, counted call by call and attempt by attempt: its size
 * is the same however long the trace is. Quantiles are of a histogram and at
 * most 0.8 % off (base/histogram.h); money is exact. */

enum { INF_REPLAY_TALLY_CLASSES = 32 };

typedef struct inf_replay_tally_class {
  int32_t status;
  uint64_t calls;
} inf_replay_tally_class;

typedef struct inf_replay_tally {
  uint64_t calls, answered, failed;
  /* By class, the most frequent first after inf_replay_tally_sort(). */
  inf_replay_tally_class classes[INF_REPLAY_TALLY_CLASSES];
  size_t class_count;
  inf_histogram ttft, total; /* of the calls that were answered */
  /* Attempts. */
  uint64_t attempts, limited; /* answered with 429 */
  uint64_t retries, failovers, hedges, hedges_won, probes;
  uint64_t prompt_tokens, answer_tokens, cached_tokens; /* as far as known */
  /* Nano-dollars of those whose cost is known; wasted: that were no part of an
   * answer. */
  uint64_t spend_nano_usd, wasted_nano_usd;
  uint64_t estimated_costs, unknown_costs; /* attempts */
} inf_replay_tally;

/* A call has ended. Times in ns since it was made; of a call that was answered
 * both are known. */
void inf_replay_tally_call(inf_replay_tally *tally, int32_t status,
                           uint64_t ttft_ns, uint64_t total_ns);
/* Warm connections, which are no requests, do not count. */
void inf_replay_tally_attempt(inf_replay_tally *tally,
                              const infer_attempt *attempt);
void inf_replay_tally_sort(inf_replay_tally *tally);
/* In milliseconds; -1 where no call was answered. */
double inf_replay_tally_ms(const inf_histogram *histogram, double share);

#endif
