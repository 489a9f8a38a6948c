/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_BUDGETS_STATE_H
#define INF_ENGINE_BUDGETS_STATE_H

#include "engine/budgets.h"
#include "engine/runtime_state.h"

/* What budgets.c and budgets_table.c have in common. */

/* Who has an account, and of which budget. The texts hold no line ends. */
typedef struct inf_budget_id {
  inf_sv name, per, period, key;
} inf_budget_id;

typedef struct inf_budget_entry {
  struct inf_budget_entry *next;
  char *text; /* of the id */
  inf_budget_id id;
  const char *key; /* NUL-terminated */
  inf_budget budget;
  inf_budget_rule rule; /* as last asked with */
  bool asked;           /* since the start: the rule is known */
  size_t users;         /* passes that hold something of it */
  uint64_t refused;     /* attempts */
} inf_budget_entry;

enum { INF_BUDGETS_BUCKETS = 256 };

struct inf_budgets {
  inf_budget_entry *buckets[INF_BUDGETS_BUCKETS];
  size_t count;
  int64_t full_at_s; /* when no account was found that could make room */
  void (*changed)(void *context);
  void *context;
};

/* "day" or "month". */
const char *inf_budget_period_name(int32_t period);
/* The account, made if there is none; NULL without memory. */
inf_budget_entry *inf_budgets_entry_locked(inf_runtime *runtime,
                                           const inf_budget_id *id,
                                           int64_t now_s);
/* The period as people write it, "2026-11" or "2026-11-29". */
#define INF_BUDGET_PERIOD_TEXT 11
const char *inf_budget_period_text(const inf_budget_rule *rule, int64_t period,
                                   char text[INF_BUDGET_PERIOD_TEXT]);

#endif
