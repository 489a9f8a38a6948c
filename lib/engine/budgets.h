/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_BUDGETS_H
#define INF_ENGINE_BUDGETS_H

#include "engine/runtime.h"
#include "policy/budget.h"

/* What may be spent, as attempts meet it. Each budget of the configuration has
 * an account for the client, or for each route, tenant or value of a tag
 * (policy/budget.h). Every attempt, whatever it is for, reserves at
 * all of them before it is sent, and settles once, at its end, by what it cost
 * (attempt_cost.h), an estimate or not.
 *
 * What is reserved, at the target's price (the larger, where parts have some of
 * their own; audio aside):
 *   input    the estimate of policy/estimate.h. If it is longer than three
 *            quarters of what the price holds for, at the highest price that
 *            the catalogue knows beyond
 *   output   for each choice: max_tokens as it is sent there; without it four
 *            times the usual answer of the target, of which nothing is known
 *            yet INF_BUDGETS_UNKNOWN_OUTPUT; and no more than the longest
 *            answer of the model, where that is known. Embeddings: nothing
 * An answer cannot be longer than its max_tokens, so with it a limit is passed
 * only by what the prompts of attempts under way were estimated too low.
 *
 * Accounts stand in the runtime and outlive configurations: a reload finds them
 * by name, "per", period and key. Beyond INF_RUNTIME_MAX accounts, those for
 * which nothing is reserved and whose period is over make room; without such
 * the keys of a budget that come then share one account, "*". Nobody goes
 * uncounted: without memory an attempt is refused. All functions take the
 * runtime's lock; those that have an engine are for its loop only. */

/* Tokens; that of a long answer of prose. */
#define INF_BUDGETS_UNKNOWN_OUTPUT 1024

struct inf_engine;
struct infer_call;
struct inf_budgets;
struct inf_budget_entry;

/* What an attempt holds. Zeroed: nothing. It may be moved, not copied. */
typedef struct inf_budgets_pass {
  struct inf_budget_entry **entries; /* owned */
  size_t count;
  inf_budget_amount reserved; /* at each */
} inf_budgets_pass;

typedef enum inf_budgets_what {
  INF_BUDGETS_GO,
  INF_BUDGETS_OVER,     /* it may cost more than is left */
  INF_BUDGETS_NO_PRICE, /* nobody knows what it costs */
  INF_BUDGETS_NO_MEMORY,
} inf_budgets_what;

typedef struct inf_budgets_verdict {
  inf_budgets_what what;
  bool elsewhere; /* the budget allows to ask another target instead */
  /* Of the budget that speaks against it. */
  const inf_budget_config *budget;
  const char *key;
  inf_budget_amount spent, reserved, wanted;
  int64_t now_s, resets_s; /* seconds since 1970 */
} inf_budgets_verdict;

/* For an attempt of the call at the target. GO: pass, which holds nothing
 * before, holds it; else nothing is taken. */
inf_budgets_verdict inf_budgets_reserve(struct inf_engine *engine,
                                        const struct infer_call *call,
                                        size_t target, inf_budgets_pass *pass);
/* Why not, in words. */
void inf_budgets_explain(const inf_budgets_verdict *verdict,
                         const inf_target_config *target, inf_buf *out);
/* The end of what the pass holds; harmless if it holds nothing. nano_usd -1: as
 * was reserved. */
void inf_budgets_settle(struct inf_engine *engine, inf_budgets_pass *pass,
                        int64_t nano_usd, int64_t tokens);
/* The attempt is not made. */
void inf_budgets_release(struct inf_engine *engine, inf_budgets_pass *pass);

/* All accounts as an array, as infer_client_stats() promises it. Any thread. */
void inf_budgets_write_json(inf_runtime *runtime, int64_t wall_ns,
                            inf_buf *out);

/* One account in its present period. */
typedef struct inf_budgets_view {
  const char *name, *per, *period, *key; /* period: "day" or "month" */
  inf_budget_amount spent, reserved, limit;
  uint64_t refused;
} inf_budgets_view;

/* Tells see of each, with the runtime's lock. Any thread. */
void inf_budgets_each(inf_runtime *runtime, int64_t wall_ns,
                      void (*see)(void *context, const inf_budgets_view *view),
                      void *context);

/* ---- For the store ------------------------------------------------------- */

/* Takes over what the text says, as inf_budgets_write() wrote it, and adds what
 * was spent here since. INFER_E_PROTOCOL: it is damaged, and nothing was taken.
 * INFER_E_NO_MEMORY: not all was; it is to be done again before anything is
 * written, or what the text alone knows is lost. An empty text has no accounts.
 * Any thread. */
int32_t inf_budgets_merge(inf_runtime *runtime, inf_sv text, int64_t wall_ns);
/* All accounts, for the store, after a merge with what it has: what of them is
 * new is known to be there after inf_budgets_stored(). Any thread. */
void inf_budgets_write(inf_runtime *runtime, inf_buf *out);
void inf_budgets_stored(inf_runtime *runtime);
/* Is called with the runtime's lock when there is something new to be stored;
 * NULL: nobody. It may only signal. False without memory. */
bool inf_budgets_watch(inf_runtime *runtime, void (*changed)(void *context),
                       void *context);
/* More than the text of all accounts. */
#define INF_BUDGETS_TEXT_MAX ((size_t)64 << 20)

/* NULL is harmless. */
void inf_budgets_free(struct inf_budgets *budgets);

#endif
