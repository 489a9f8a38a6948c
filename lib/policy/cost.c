/* SPDX-License-Identifier: MIT */
/* Costs of tokens; see cost.h. */
#include "policy/cost.h"

#include "base/wide.h"

#include <stddef.h>

enum { pico_per_nano = 1000 };

/* Some of the tokens of a whole. */
typedef struct part {
  int64_t tokens, price;
} part;

/* Adds what `whole` tokens cost, `parts` of them apart, to *pico. False if a
 * price is wanted that is not known. The sum cannot overflow: seven products of
 * 63 by 34 bits. */
static bool
add_whole(inf_i128 *pico, int64_t whole, int64_t price, const part *parts,
          size_t count)
{
  int64_t left = whole;
  for (size_t i = 0; i < count; i++) {
    int64_t tokens = parts[i].tokens < left ? parts[i].tokens : left;
    int64_t each = parts[i].price >= 0 ? parts[i].price : price;
    if (tokens <= 0)
      continue;
    if (each < 0)
      return false;
    *pico += (inf_i128)tokens * each;
    left -= tokens;
  }
  if (left > 0 && price < 0)
    return false;
  *pico += (inf_i128)left * (left > 0 ? price : 0);
  return true;
}

inf_cost
inf_cost_of(const inf_price *price, const inf_cost_tokens *tokens,
            bool estimated)
{
  const part of_input[] = {
      {tokens->cache_read, price->cache_read},
      {tokens->cache_write, price->cache_write},
      {tokens->audio_input, price->audio_input},
  };
  const part of_output[] = {
      {tokens->reasoning, price->reasoning},
      {tokens->audio_output, price->audio_output},
  };
  inf_i128 pico = 0;
  if (tokens->input < 0 || tokens->output < 0 ||
      !add_whole(&pico, tokens->input, price->input, of_input,
                 sizeof of_input / sizeof of_input[0]) ||
      !add_whole(&pico, tokens->output, price->output, of_output,
                 sizeof of_output / sizeof of_output[0]))
    return inf_cost_unknown();
  inf_i128 nano = (pico + pico_per_nano / 2) / pico_per_nano;
  return (inf_cost){nano < INT64_MAX ? (int64_t)nano : INT64_MAX,
                    estimated ? INFER_COST_ESTIMATED : INFER_COST_EXACT};
}

inf_cost
inf_cost_add(inf_cost a, inf_cost b)
{
  if (a.kind == INFER_COST_UNKNOWN || b.kind == INFER_COST_UNKNOWN)
    return inf_cost_unknown();
  bool exact = a.kind == INFER_COST_EXACT && b.kind == INFER_COST_EXACT;
  bool fits = b.nano_usd <= INT64_MAX - a.nano_usd;
  return (inf_cost){fits ? a.nano_usd + b.nano_usd : INT64_MAX,
                    exact ? INFER_COST_EXACT : INFER_COST_ESTIMATED};
}
