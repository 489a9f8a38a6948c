# SPDX-License-Identifier: MIT
# Bugs in prices and costs.

infer_bug(540 policy/cost.c
  "unit/test_cost"
  "each part of a bill is rounded: a fleet of short calls costs a third more"
  [[    *pico += (inf_i128)tokens * each;]]
  [[    *pico += ((inf_i128)tokens * each + 999) / 1000 * 1000;]])

infer_bug(541 policy/cost.c
  "unit/test_cost unit/test_attempt_cost"
  "a model without a price is free, and the month is a surprise"
  [[    if (each < 0)
      return false;
]]
  [[    if (each < 0)
      each = 0;
]])

infer_bug(542 policy/cost.c
  "unit/test_cost"
  "what came from a cache is paid twice: as itself, and at the full price"
  [[    left -= tokens;]]
  [[    left -= 0;]])

infer_bug(543 policy/cost.c
  "unit/test_cost unit/test_response"
  "a sum with an unknown part looks like the whole"
  [[  if (a.kind == INFER_COST_UNKNOWN || b.kind == INFER_COST_UNKNOWN)
    return inf_cost_unknown();
]]
  [[  if (a.kind == INFER_COST_UNKNOWN)
    return b;
]])

infer_bug(544 engine/attempt_cost.c
  "unit/test_attempt_cost"
  "an answer that was cut costs what its first words said, exactly"
  [[attempt->has_decoder && at_end && ]]
  [[attempt->has_decoder && (at_end || attempt->content) && ]])

infer_bug(545 engine/attempt_cost.c
  "unit/test_attempt_cost"
  "cancelled answers of providers that run on are cheap in the books alone"
  [[  return !stream || kind->cancel_billing != INF_CANCEL_STOPS;]]
  [[  return !stream || kind->cancel_billing == INF_CANCEL_UNKNOWN;]])

infer_bug(546 engine/attempt_cost.c
  "unit/test_attempt_cost scenario/test_cost"
  "a provider that refuses for want of quota is paid for the prompt each time"
  [[  if (is_refusal(attempt))]]
  [[  if (is_refusal(attempt) && record->http_status >= 500)]])

infer_bug(547 engine/spend.c
  "unit/test_spend"
  "what failed calls have cost is not among what was wasted"
  [[                 !inf_response_has_part(response, trail->records[i]));]]
  [[                 response &&
                     !inf_response_has_part(response, trail->records[i]));]])

infer_bug(548 policy/price.c
  "unit/test_price unit/test_compile_price"
  "who has a price of his own still pays the list price for the cached part"
  [[  if (price->input < 0) {
    price->input = other->input;
    take(&price->cache_read, other->cache_read);]]
  [[  take(&price->cache_read, other->cache_read);
  if (price->input < 0) {
    price->input = other->input;]])

infer_bug(549 engine/attempt_cost.c
  "unit/test_attempt_cost scenario/test_cost"
  "tokens from a cache cost as much as any other"
  [[  tokens->cache_read = usage->cache_read;
]]
  [[]])

infer_bug(640 engine/attempt_cost.c
  "unit/test_probe"
  "figures at the begin of an answer are taken for what a probe costs"
  [[INFER_OK && !attempt->enough;]]
  [[INFER_OK;]])

infer_bug(641 engine/probe.c
  "unit/test_probe"
  "what probes cost is in no sum of the client"
  [[  inf_spend_note_stray(attempt->engine->runtime, &probe->record, probe->route);
]]
  [[]])
