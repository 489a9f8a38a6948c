# SPDX-License-Identifier: MIT
# Bugs in routing: shares, outlook, choice by time and by cost. See bugs.cmake.

infer_bug(476 policy/route_weighted.c
  "unit/test_route_weighted"
  "a canary of ten percent instead of five moves every tenant"
  [[  uint64_t hash = inf_siphash(key, share->id ^ draw_key, INF_SV(""));]]
  [[  uint64_t hash = inf_siphash(key ^ share->weight, share->id, INF_SV(""));]])

infer_bug(477 policy/route_weighted.c
  "unit/test_route_weighted"
  "a canary of one in a hundred gets half of the calls"
  [[  return (inf_u128)a.exponential * b.weight <
         (inf_u128)b.exponential * a.weight;]]
  [[  return (a.weight > 0) > (b.weight > 0) ||
         ((a.weight > 0) == (b.weight > 0) && a.exponential < b.exponential &&
          a.weight > 0);]])

infer_bug(478 policy/outlook.c
  "unit/test_outlook"
  "a provider that says nothing gets calls until the first one times out"
  [[      lengths_in((inf_u128)outlook->rate * now_ns - outlook->starts);]]
  [[      0 * lengths_in((inf_u128)outlook->rate * now_ns - outlook->starts);]])

infer_bug(479 policy/outlook.c
  "unit/test_outlook"
  "the slower of two, always overtaken by its hedges, looks like the faster"
  [[  if (how != INF_OUTLOOK_FAILED)
    learn(]]
  [[  if (content)
    learn(]])

infer_bug(480 policy/outlook.c
  "unit/test_outlook"
  "a provider that fails at once is the fastest of all"
  [[    lengths += penalty;]]
  [[    lengths += 0;]])

infer_bug(481 policy/route_latency.c
  "unit/test_route_latency"
  "all calls go to the fastest, until it is not"
  [[    at = draw(times, order, count, rng);]]
  [[    at = 0 * draw(times, order, count, rng);]])

infer_bug(482 policy/route_latency.c
  "unit/test_route_latency"
  "a provider that was slow once is never asked again"
  [[  return oldest < count && inf_rng_below(rng, explore_one_in) == 0 ? oldest
                                                                   : count;]]
  [[  return count;]])

infer_bug(483 policy/price.c
  "unit/test_price"
  "a price of which one half is missing is the cheapest"
  [[  return price->input >= 0 && price->output >= 0;]]
  [[  return price->input >= 0 || price->output >= 0;]])

infer_bug(484 policy/route_cost.c
  "unit/test_route_cost"
  "at the bound every other call goes to the dear model"
  [[  uint64_t more_ns = offer->was_fast ? bound_ns / 10 : 0;]]
  [[  uint64_t more_ns = 0;]])

infer_bug(485 engine/ability.c
  "unit/test_ability"
  "a model whose price nobody knows passes every ceiling"
  [[  return ceiling >= 0 && (price < 0 || price > ceiling);]]
  [[  return ceiling >= 0 && price > ceiling;]])
