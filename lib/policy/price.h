/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_PRICE_H
#define INF_POLICY_PRICE_H

#include <stdbool.h>
#include <stdint.h>

/* What a model's tokens cost.
 *
 * Prices are in micro-dollars per million tokens, an integer: the "$0.15 per
 * million" of a price list are 150000, and $0.0375 are 37500. That is as many
 * pico-dollars per token, so costs add up exactly. A price that is not known is
 * not 0: what it costs is not known either. */

#define INF_PRICE_UNKNOWN (-1)
/* $10000 per million: above ten times what the dearest model costs. */
#define INF_PRICE_MAX 10000000000

/* Micro-dollars per million tokens; INF_PRICE_UNKNOWN. Of the parts of input
 * and output (cache_read and what stands below it) it means: as the whole. */
typedef struct inf_price {
  int64_t input, output;
  int64_t cache_read, cache_write;   /* of the input */
  int64_t reasoning;                 /* of the output */
  int64_t audio_input, audio_output; /* of either */
} inf_price;

/* Nothing is known; for initialisers. */
#define INF_PRICE_NONE                                           \
  {                                                              \
    INF_PRICE_UNKNOWN, INF_PRICE_UNKNOWN, INF_PRICE_UNKNOWN,     \
        INF_PRICE_UNKNOWN, INF_PRICE_UNKNOWN, INF_PRICE_UNKNOWN, \
        INF_PRICE_UNKNOWN                                        \
  }

/* Takes what price does not say from another. Where price has an input, the
 * parts of the other's input are not taken; the same with output. */
void inf_price_complete(inf_price *price, const inf_price *other);
/* Are both that of the input and that of the output known? */
bool inf_price_is_known(const inf_price *price);
/* So many times the price, in all its parts; at least 1. */
inf_price inf_price_times(const inf_price *price, int64_t times);
/* What prompt and answer cost without their parts, for a plan: pico-dollars
 * (1000 are a nano-dollar), at most INT64_MAX - 1; INT64_MAX: the price is not
 * known. Counts above 10^9 are taken for that. */
int64_t inf_price_pico_usd(const inf_price *price, uint64_t prompt_tokens,
                           uint64_t answer_tokens);

#endif
