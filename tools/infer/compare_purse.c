/* SPDX-License-Identifier: MIT */
/* Reserves and settles. */

#include "compare_purse.h"

/* Bytes of a token, as everybody reckons. */
#define TOKEN_BYTES 4
/* Where an answer has no limit and none was seen yet. */
#define UNSEEN_ANSWER_TOKENS 1024

void
inf_cmp_purse_init(inf_cmp_purse *purse, int64_t limit_nano_usd)
{
  *purse = (inf_cmp_purse){.limit_nano_usd = limit_nano_usd};
}

static double
weight(size_t prompt_bytes, int64_t answer_tokens)
{
  return (double)prompt_bytes / TOKEN_BYTES + 1 +
         INF_CMP_ANSWER_WEIGHT * (double)answer_tokens;
}

int64_t
inf_cmp_purse_expect(const inf_cmp_purse *purse, size_t subject,
                     size_t prompt_bytes, int64_t max_tokens)
{
  if (!purse->subjects[subject].known) {
    return 0;
  }
  int64_t longest = purse->subjects[subject].longest_answer;
  int64_t answer = max_tokens;
  if (answer < 0) {
    answer = longest > 0 ? 2 * longest : UNSEEN_ANSWER_TOKENS;
  }
  return (int64_t)(purse->subjects[subject].nano_per_weight *
                   weight(prompt_bytes, answer)) +
         1;
}

bool
inf_cmp_purse_reserve(inf_cmp_purse *purse, int64_t nano_usd)
{
  int64_t taken = purse->spent_nano_usd + purse->reserved_nano_usd;
  if (purse->limit_nano_usd >= 0 &&
      (taken >= purse->limit_nano_usd ||
       nano_usd > purse->limit_nano_usd - taken)) {
    return false;
  }
  purse->reserved_nano_usd += nano_usd;
  return true;
}

void
inf_cmp_purse_settle(inf_cmp_purse *purse, size_t subject,
                     int64_t reserved_nano_usd, size_t prompt_bytes,
                     int64_t output_tokens, int64_t cost_nano_usd)
{
  purse->reserved_nano_usd -= reserved_nano_usd;
  if (cost_nano_usd < 0) {
    purse->spent_nano_usd += reserved_nano_usd;
    purse->incomplete = true;
    return;
  }
  purse->spent_nano_usd += cost_nano_usd;
  if (output_tokens < 0 || cost_nano_usd == 0) {
    return; /* it tells nothing of what an answer costs */
  }
  double rate = (double)cost_nano_usd / weight(prompt_bytes, output_tokens);
  if (!purse->subjects[subject].known ||
      rate > purse->subjects[subject].nano_per_weight) {
    purse->subjects[subject].nano_per_weight = rate;
  }
  if (output_tokens > purse->subjects[subject].longest_answer) {
    purse->subjects[subject].longest_answer = output_tokens;
  }
  purse->subjects[subject].known = true;
}
