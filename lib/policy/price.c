/* SPDX-License-Identifier: MIT */
#include "policy/price.h"

#include "base/wide.h"

enum { most_tokens = 1000000000 };

static void
take(int64_t *price, int64_t other)
{
  if (*price < 0)
    *price = other;
}

void
inf_price_complete(inf_price *price, const inf_price *other)
{
  if (price->input < 0) {
    price->input = other->input;
    take(&price->cache_read, other->cache_read);
    take(&price->cache_write, other->cache_write);
    take(&price->audio_input, other->audio_input);
  }
  if (price->output < 0) {
    price->output = other->output;
    take(&price->reasoning, other->reasoning);
    take(&price->audio_output, other->audio_output);
  }
}

bool
inf_price_is_known(const inf_price *price)
{
  return price->input >= 0 && price->output >= 0;
}

static int64_t
multiply(int64_t price, int64_t times)
{
  if (price <= 0)
    return price;
  return price > INT64_MAX / times ? INT64_MAX : price * times;
}

inf_price
inf_price_times(const inf_price *price, int64_t times)
{
  return (inf_price){
      .input = multiply(price->input, times),
      .output = multiply(price->output, times),
      .cache_read = multiply(price->cache_read, times),
      .cache_write = multiply(price->cache_write, times),
      .reasoning = multiply(price->reasoning, times),
      .audio_input = multiply(price->audio_input, times),
      .audio_output = multiply(price->audio_output, times),
  };
}

static uint64_t
capped(uint64_t tokens)
{
  return tokens < most_tokens ? tokens : most_tokens;
}

int64_t
inf_price_pico_usd(const inf_price *price, uint64_t prompt_tokens,
                   uint64_t answer_tokens)
{
  if (!inf_price_is_known(price))
    return INT64_MAX;
  inf_i128 cost = (inf_i128)price->input * (inf_i128)capped(prompt_tokens) +
                  (inf_i128)price->output * (inf_i128)capped(answer_tokens);
  return cost < INT64_MAX - 1 ? (int64_t)cost : INT64_MAX - 1;
}
