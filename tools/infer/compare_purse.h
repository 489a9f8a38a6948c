/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_PURSE_H
#define INF_TOOLS_COMPARE_PURSE_H

#include "compare_data.h"

/* The money of a run: --budget-usd. What a call is expected to cost is reserved
 * before it is sent, so that calls under way cannot pass the limit together,
 * and settled by what it did cost.
 *
 * The expectation is learned from the subject's own calls: the dearest of them
 * by weight, where a token of an answer weighs WEIGHT (price lists ask three to
 * eight times as much for it as for one of a prompt) and an answer is as long
 * as its limit allows, or twice the longest seen where it has none. Until the
 * first call of a subject has told its price nothing is expected of it: it is
 * sent alone. */

#define INF_CMP_ANSWER_WEIGHT 5

typedef struct inf_cmp_purse {
  int64_t limit_nano_usd; /* -1: none */
  int64_t spent_nano_usd, reserved_nano_usd;
  bool incomplete; /* the cost of some calls is not known */
  struct {
    bool known;
    double nano_per_weight; /* of the dearest */
    int64_t longest_answer; /* tokens */
  } subjects[INF_CMP_MAX_SUBJECTS];
} inf_cmp_purse;

void inf_cmp_purse_init(inf_cmp_purse *purse, int64_t limit_nano_usd);
/* Nano-dollars of a prompt of so many bytes; 0 while nothing is known.
 * max_tokens -1: the answer has no limit. */
int64_t inf_cmp_purse_expect(const inf_cmp_purse *purse, size_t subject,
                             size_t prompt_bytes, int64_t max_tokens);
/* Is there room for it under the limit? If so it is reserved. */
bool inf_cmp_purse_reserve(inf_cmp_purse *purse, int64_t nano_usd);
/* Ends a reservation: the call cost this. cost -1: it is not known; then what
 * was reserved counts as spent. */
void inf_cmp_purse_settle(inf_cmp_purse *purse, size_t subject,
                          int64_t reserved_nano_usd, size_t prompt_bytes,
                          int64_t output_tokens, int64_t cost_nano_usd);

#endif
