# SPDX-License-Identifier: MIT
# Bugs in budgets.

infer_bug(610 policy/budget.c
  "unit/test_budget unit/test_budgets simulation/budgets"
  "what calls under way have reserved is not there: together they pass the limit"
  [[  inf_budget_amount used = add(account->spent, budget->reserved);]]
  [[  inf_budget_amount used = account->spent;]])

infer_bug(611 policy/budget.c
  "unit/test_budget"
  "a clock that is set back begins a fresh account"
  [[  } else if (!comes_on && before->period > 0 && period > before->period) {]]
  [[  } else if (!comes_on && before->period > 0 && period != before->period) {]])

infer_bug(612 policy/budget.c
  "unit/test_budget"
  "after a clock was set forth and back its month is shut for a year"
  [[  budget->goes_back = !comes_on && before->period > 0;]]
  [[  budget->goes_back = false;]])

infer_bug(613 policy/budget.c
  "unit/test_budget unit/test_budgets"
  "what is stored is added again with each write"
  [[add(both[i]->spent, subtract(ours->spent, ours->stored));]]
  [[add(both[i]->spent, ours->spent);]])

infer_bug(614 policy/budget.c
  "unit/test_budget"
  "what is spent while the store is written is never stored"
  [[  budget->latest.stored = budget->latest.writing;]]
  [[  budget->latest.stored = budget->latest.spent;]])

infer_bug(615 engine/budgets.c
  "unit/test_budgets"
  "a refused attempt keeps what it took from the other budgets"
  [[    if (verdict.what == INF_BUDGETS_GO)
      inf_budget_reserve(]]
  [[    if (verdict.what != INF_BUDGETS_NO_MEMORY)
      inf_budget_reserve(]])

infer_bug(616 engine/budgets.c
  "unit/test_budgets"
  "a target without a price is free, whatever the budget says"
  [[budget->usd >= 0 && budget->without_price == 0)]]
  [[budget->usd > INT64_MAX / 2 && budget->without_price == 0)]])

infer_bug(617 engine/gate.c
  "unit/test_budgets"
  "an attempt that a rate limit holds back keeps its share of the budget"
  [[      inf_budgets_release(what->engine, &what->engine->budgets);
]]
  [[      what->engine->budgets.count = 0;
]])

infer_bug(618 engine/budget_file.c
  "unit/test_budget_file"
  "a child that was forked during a write keeps the lock for ever"
  [[  flock(lock, LOCK_UN);
]]
  [[]])

infer_bug(619 engine/budget_store.c
  "unit/test_budget_store"
  "a damaged file is taken for an empty one, and the month begins anew"
  [[    status = inf_budget_file_read(store->file, true, &text, why);]]
  [[    status = inf_budget_file_read(store->file, false, &text, why);]])

infer_bug(648 engine/budgets.c
  "oom/budgets"
  "short of memory, a warning of a budget ends the process"
  [[  size_t len;
  while ((len = inf_sv_find(lines, '\n')) < lines.len) {]]
  [[  size_t len;
  while (lines.len > 0) {
    len = inf_sv_find(lines, '\n');]])

infer_bug(649 engine/budgets_table.c
  "unit/test_budgets"
  "short of memory for a moment, a process forgets what others have spent"
  [[  return *out ? INFER_OK : INFER_E_NO_MEMORY;]]
  [[  return INFER_OK;]])

infer_bug(651 engine/attempt_cost.c
  "unit/test_budgets simulation/budgets"
  "a budget pays nothing for hedges that lose"
  [[  inf_budgets_settle(attempt->engine, &attempt->budgets, cost.nano_usd,]]
  [[  inf_budgets_settle(attempt->engine, &attempt->budgets,
                     attempt->record->won ? cost.nano_usd : 0,]])
