# SPDX-License-Identifier: MIT
# Bugs in the waiting line and the token estimator. See bugs.cmake.

infer_bug(360 policy/line.c
  "unit/test_line"
  "who stays away for a night has the provider for itself in the morning"
  [[    tenant->order.key = least_counter(line);]]
  [[]])

infer_bug(361 policy/line.c
  "unit/test_line"
  "who leaves and comes back has paid for what it got ahead of its turn"
  [[  if (counter < least_counter(line))
    counter = least_counter(line);]]
  [[  counter = least_counter(line);]])

infer_bug(362 policy/line.c
  "unit/test_line"
  "small calls of heavy tenants cost nothing: the division drops them"
  [[  *rest = (uint64_t)(parts - steps * (swide)tenant->weight);]]
  [[  *rest = 0;]])

infer_bug(363 policy/line.c
  "unit/test_line"
  "nobody is charged, so the first tenant is served until it has no calls"
  [[  charge(line, entry->tenant, (int64_t)entry->cost);]]
  [[]])

infer_bug(364 policy/line.c
  "unit/test_line"
  "who was estimated too high gets nothing back"
  [[  charge(line, tenant, delta);
  forget_idle(line);]]
  [[  charge(line, tenant, delta > 0 ? delta : 0);
  forget_idle(line);]])

infer_bug(365 policy/line.c
  "unit/test_line"
  "an expensive call starves behind cheap ones that never end"
  [[  walk->open &= ~((reserve & places) != 0 ? reserve & places : places);]]
  [[  walk->open &= ~(reserve & places ? 0 : places);]])

infer_bug(366 policy/line.c
  "unit/test_line"
  "two tenants throw each other's calls out of a full line, in turns"
  [[  return (most->count - 1) * clamp_weight(weight)]]
  [[  return (most->count + 1) * clamp_weight(weight)]])

infer_bug(367 policy/line.c
  "unit/test_line"
  "a full line loses the calls that would have been next"
  [[    *evicted = entry_of(most->calls.prev);]]
  [[    *evicted = entry_of(most->calls.next);]])

infer_bug(368 policy/line.c
  "unit/test_line"
  "of calls with equal deadlines the last to come is the first to go"
  [[entry_of(after)->due_ns > entry->due_ns)]]
  [[entry_of(after)->due_ns >= entry->due_ns)]])

infer_bug(369 policy/line.c
  "unit/test_line"
  "a call without a deadline waits for ever behind those with one"
  [[  return deadline_ns < patience_ns ? deadline_ns : patience_ns;]]
  [[  return deadline_ns < patience_ns || true ? deadline_ns : patience_ns;]])

infer_bug(370 policy/line.c
  "unit/test_line"
  "urgent calls are refused for the sake of those that can wait"
  [[    if (other->due_ns > due)
      break;]]
  [[    (void)due;]])

infer_bug(371 policy/line.c
  "unit/test_line"
  "a limit that lets nothing through for a thousand years lets calls in"
  [[  if (ns > INT64_MAX)
    return INF_NEVER;
  swide at_ns = (swide)limit->start_ns + (swide)ns;]]
  [[  swide at_ns = (swide)limit->start_ns + (swide)(uint32_t)ns;]])

infer_bug(372 policy/estimate.c
  "unit/test_estimate"
  "one wrong usage figure spoils the estimates of an hour"
  [[    return 1 / (1 + ratio * ratio);]]
  [[    return 1;]])

infer_bug(373 policy/estimate.c
  "unit/test_estimate"
  "after a few pictures every text is taken for an expensive one"
  [[  double tokens = (double)input_tokens - (double)prompt->known_tokens;]]
  [[  double tokens = (double)input_tokens;]])

infer_bug(374 policy/estimate.c
  "unit/test_estimate"
  "more is reserved than the request allows: short answers wait in vain"
  [[  if (max_tokens > 0 && tokens > max_tokens)
    return max_tokens;]]
  [[  (void)max_tokens;]])
