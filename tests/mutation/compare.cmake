# SPDX-License-Identifier: MIT
# Bugs in `infer compare`. See bugs.cmake.

infer_bug(590 tools/infer/compare_stats.c
  "tools/test_compare_stats"
  "a provider that refuses at once looks like the fastest"
  [[    if (times[i].kind == INF_CMP_NEVER) {
      sorted[i].ms = INFINITY;
    }]]
  [[    if (times[i].kind == INF_CMP_NEVER) {
      sorted[i].kind = INF_CMP_SEEN;
    }]])

infer_bug(591 tools/infer/compare_verdict.c
  "tools/test_compare_summary"
  "whoever happens to lead is named the winner"
  [[    verdict->won &= lead.high < 0; /* an unknown end wins nothing */]]
  [[    verdict->won &= lead.value < 0;]])

infer_bug(592 tools/infer/compare_purse.c
  "tools/test_compare_purse"
  "sixteen requests at a time pass the budget together"
  [[  int64_t taken = purse->spent_nano_usd + purse->reserved_nano_usd;]]
  [[  int64_t taken = purse->spent_nano_usd;]])

infer_bug(593 tools/infer/compare_plan.c
  "tools/test_compare_plan"
  "the target that is named first is never asked first: others warm its caches"
  [[    size_t other = (size_t)inf_rng_below(rng, i);]]
  [[    size_t other = (size_t)inf_rng_below(rng, i - 1);]])

infer_bug(594 tools/infer/compare_turn.c
  "tools/compare"
  "Ctrl-C makes failures of what was under way"
  [[      .stopped = call->stopped && status == INFER_E_CANCELLED,]]
  [[      .stopped = false,]])
