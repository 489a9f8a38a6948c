/* SPDX-License-Identifier: MIT */
/* Budgets at the gate and at the end of attempts; see budgets.h. */
#include "engine/budgets.h"

#include "base/mem.h"
#include "config/options.h"
#include "engine/budgets_state.h"
#include "engine/engine.h"
#include "engine/prompt.h"
#include "policy/cost.h"
#include "wire/date.h"
#include "wire/json_value.h"

/* An answer may be so many times as long as the usual one. */
enum { usual_answers = 4 };
enum { warnings_max_bytes = INF_BUDGETS_MAX << 10 };

static int64_t
wall_s(const inf_engine *engine)
{
  int64_t wall_ns = engine->clock->wall_ns(engine->clock->context);
  return wall_ns / (int64_t)INF_NS_PER_S;
}

/* ---- What an attempt may cost -------------------------------------------- */

static int64_t
larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/* The request's limit of an answer, or what the target has in its place. */
static int64_t
max_tokens_of(const struct infer_call *call, const inf_target_config *target)
{
  static const char *const names[] = {"max_completion_tokens", "max_tokens"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    int64_t number;
    if (inf_json_int64(
            inf_json_get(inf_buf_sv(&target->overrides), inf_sv_from(names[i])),
            false, &number) &&
        number > 0)
      return number;
  }
  uint64_t given = inf_prompt_max_tokens(call->request);
  return given > INT32_MAX ? INT32_MAX : (int64_t)given;
}

static void
expect_tokens(inf_engine *engine, const struct infer_call *call,
              const inf_target_config *target, inf_cost_tokens *tokens)
{
  static const inf_estimate unknown;
  inf_runtime *runtime = engine->runtime;
  inf_estimate_prompt prompt = {0};
  inf_prompt_of(&prompt, call->request);
  bool writes = call->kind == INF_CALL_CHAT;
  int64_t output = writes ? max_tokens_of(call, target) : 0;
  pthread_mutex_lock(&runtime->mutex);
  const inf_target_state *state =
      inf_runtime_known_locked(runtime, target->name);
  tokens->input =
      (int64_t)inf_estimate_input(state ? &state->estimate : &unknown, &prompt);
  if (writes && output == 0)
    output = state && state->usual.counted > 0
                 ? (int64_t)(state->usual.output * usual_answers + 0.5)
                 : INF_BUDGETS_UNKNOWN_OUTPUT;
  pthread_mutex_unlock(&runtime->mutex);
  if (target->output_tokens > 0 && output > target->output_tokens)
    output = target->output_tokens;
  tokens->output = output * (int64_t)call->choices;
}

/* A prompt for which the price may not hold: an estimate can be too low by a
 * quarter, and what may be dearer is reserved as dearer. */
static bool
may_be_beyond(const inf_target_config *target, int64_t input)
{
  int64_t holds = target->price_up_to_tokens;
  return holds > 0 && input > holds - holds / 4;
}

/* nano_usd -1: nobody knows. */
static inf_budget_amount
expect(inf_engine *engine, const struct infer_call *call,
       const inf_target_config *target)
{
  inf_cost_tokens tokens = {0};
  const inf_price *given = &target->price;
  inf_price price = INF_PRICE_NONE;
  price.input = given->input < 0 ? given->input
                                 : larger(given->input, given->cache_write);
  price.output = given->output < 0 ? given->output
                                   : larger(given->output, given->reasoning);
  expect_tokens(engine, call, target, &tokens);
  if (may_be_beyond(target, tokens.input))
    price = inf_price_times(&price, target->price_times_beyond);
  inf_cost cost = inf_cost_of(&price, &tokens, true);
  return (inf_budget_amount){cost.nano_usd, tokens.input + tokens.output};
}

/* ---- Reserve ------------------------------------------------------------- */

static inf_sv
key_of(const inf_budget_config *budget, const struct infer_call *call)
{
  const struct infer_request *request = call->request;
  if (budget->kind == INF_BUDGET_PER_ROUTE)
    return inf_sv_from(call->trail->route->name);
  if (budget->kind == INF_BUDGET_PER_TENANT)
    return inf_sv_from(request->tenant);
  if (budget->kind == INF_BUDGET_PER_TAG && budget->per)
    for (size_t i = 0; i < request->tag_count; i++)
      if (strcmp(request->tags[i].name, budget->per + 4) == 0)
        return inf_sv_from(request->tags[i].value);
  return INF_SV("");
}

static inf_budget_entry *
entry_of(inf_runtime *runtime, const inf_budget_config *budget,
         const struct infer_call *call, int64_t now_s)
{
  inf_budget_id id = {
      .name = inf_sv_from(budget->name),
      .per = inf_sv_from(budget->per ? budget->per : "client"),
      .period = inf_sv_from(inf_budget_period_name(budget->period)),
      .key = key_of(budget, call),
  };
  inf_budget_entry *entry = inf_budgets_entry_locked(runtime, &id, now_s);
  if (entry) {
    entry->rule = budget->rule;
    entry->asked = true;
  }
  return entry;
}

static inf_budgets_what
judge(inf_budget_entry *entry, const inf_budget_config *budget, int64_t now_s,
      inf_budget_amount wanted)
{
  if (!entry)
    return INF_BUDGETS_NO_MEMORY;
  if (wanted.nano_usd < 0 && budget->usd >= 0 && budget->without_price == 0)
    return INF_BUDGETS_NO_PRICE;
  if (wanted.nano_usd < 0)
    wanted.nano_usd = 0;
  return inf_budget_fits(&entry->budget, &entry->rule, now_s, wanted)
             ? INF_BUDGETS_GO
             : INF_BUDGETS_OVER;
}

static void
note_refusal(inf_budgets_verdict *verdict, inf_budget_entry *entry,
             const inf_budget_config *budget)
{
  bool first = verdict->what == INF_BUDGETS_GO;
  verdict->elsewhere = (first || verdict->elsewhere) && budget->at_limit == 1;
  if (!first && verdict->budget->at_limit == 0)
    return; /* the one that is strict is told of */
  verdict->budget = budget;
  if (!entry)
    return;
  const inf_budget_account *account =
      inf_budget_turn(&entry->budget, &entry->rule, verdict->now_s);
  entry->refused++;
  verdict->key = entry->key;
  verdict->spent = account->spent;
  verdict->reserved = entry->budget.reserved;
  verdict->resets_s =
      inf_budget_period_start(&entry->rule, account->period + 1);
}

static inf_budgets_verdict
reserve_locked(inf_runtime *runtime, const struct infer_call *call,
               inf_budget_amount wanted, int64_t now_s, inf_budgets_pass *taken)
{
  const inf_config *config = call->trail->config;
  inf_budgets_verdict verdict = {
      .what = INF_BUDGETS_GO, .key = "", .wanted = wanted, .now_s = now_s};
  taken->reserved = wanted;
  if (taken->reserved.nano_usd < 0)
    taken->reserved.nano_usd = 0;
  for (size_t i = 0; i < config->budget_count; i++) {
    const inf_budget_config *budget = &config->budgets[i];
    inf_budget_entry *entry = entry_of(runtime, budget, call, now_s);
    inf_budgets_what what = judge(entry, budget, now_s, wanted);
    if (what == INF_BUDGETS_GO) {
      entry->users++; /* it is not to make room for another */
      taken->entries[taken->count++] = entry;
      continue;
    }
    note_refusal(&verdict, entry, budget);
    verdict.what = what;
  }
  for (size_t i = 0; i < taken->count; i++)
    if (verdict.what == INF_BUDGETS_GO)
      inf_budget_reserve(&taken->entries[i]->budget, taken->reserved);
    else
      taken->entries[i]->users--;
  return verdict;
}

inf_budgets_verdict
inf_budgets_reserve(inf_engine *engine, const struct infer_call *call,
                    size_t target, inf_budgets_pass *pass)
{
  inf_budgets_verdict verdict = {.what = INF_BUDGETS_GO, .key = ""};
  const inf_config *config = call->trail->config;
  if (config->budget_count == 0 || call->kind == INF_CALL_MODELS)
    return verdict;
  inf_budgets_pass taken = {
      .entries = inf_calloc(config->budget_count, sizeof *taken.entries)};
  if (!taken.entries) {
    verdict.what = INF_BUDGETS_NO_MEMORY;
    verdict.budget = &config->budgets[0];
    return verdict;
  }
  inf_budget_amount wanted = expect(engine, call, call->targets[target]);
  int64_t now_s = wall_s(engine);
  pthread_mutex_lock(&engine->runtime->mutex);
  verdict = reserve_locked(engine->runtime, call, wanted, now_s, &taken);
  pthread_mutex_unlock(&engine->runtime->mutex);
  if (verdict.what == INF_BUDGETS_GO)
    *pass = taken;
  else
    inf_free(taken.entries);
  return verdict;
}

/* ---- Settle -------------------------------------------------------------- */

static void
put_dollars(inf_buf *out, int64_t nano_usd)
{
  char text[INF_DECIMAL_TEXT];
  inf_buf_appendf(out, "$%s", inf_option_decimal(nano_usd / 1000, text));
}

/* budget "team" (tenant "acme") */
static void
put_name(inf_buf *out, inf_sv name, inf_sv per, const char *key)
{
  inf_buf_appendf(out, "budget \"%.*s\"", (int)name.len, name.ptr);
  if (!inf_sv_eq(per, INF_SV("client")))
    inf_buf_appendf(out, " (%.*s \"%s\")", (int)per.len, per.ptr, key);
}

/* A line. */
static void
put_warning(inf_buf *out, inf_budget_entry *entry, int64_t now_s)
{
  const inf_budget_rule *rule = &entry->rule;
  const inf_budget_account *account =
      inf_budget_turn(&entry->budget, rule, now_s);
  char period[INF_BUDGET_PERIOD_TEXT], share[INF_DECIMAL_TEXT];
  put_name(out, entry->id.name, entry->id.per, entry->key);
  inf_buf_appendf(out, ": %s %% of %s is spent: ",
                  inf_option_decimal(rule->warn * 100, share),
                  inf_budget_period_text(rule, account->period, period));
  put_dollars(out, account->spent.nano_usd);
  if (rule->limit.nano_usd >= 0) {
    inf_buf_append_cstr(out, " of ");
    put_dollars(out, rule->limit.nano_usd);
  }
  inf_buf_appendf(out, ", %lld", (long long)account->spent.tokens);
  if (rule->limit.tokens >= 0)
    inf_buf_appendf(out, " of %lld", (long long)rule->limit.tokens);
  inf_buf_append_cstr(out, " tokens\n");
}

/* Without memory the last one has no end, and is not told. */
static void
log_lines(const inf_engine *engine, inf_sv lines)
{
  size_t len;
  while ((len = inf_sv_find(lines, '\n')) < lines.len) {
    inf_logf(&engine->hooks->log, INFER_LOG_WARN, "%.*s", (int)len, lines.ptr);
    lines = inf_sv_of(lines.ptr + len + 1, lines.len - len - 1);
  }
}

void
inf_budgets_settle(inf_engine *engine, inf_budgets_pass *pass, int64_t nano_usd,
                   int64_t tokens)
{
  if (pass->count == 0)
    return;
  inf_runtime *runtime = engine->runtime;
  inf_budget_amount cost = {nano_usd < 0 ? pass->reserved.nano_usd : nano_usd,
                            tokens};
  int64_t now_s = wall_s(engine);
  inf_buf warnings;
  inf_buf_init(&warnings, warnings_max_bytes);
  pthread_mutex_lock(&runtime->mutex);
  for (size_t i = 0; i < pass->count; i++) {
    inf_budget_entry *entry = pass->entries[i];
    entry->users--;
    if (inf_budget_settle(&entry->budget, &entry->rule, now_s, pass->reserved,
                          cost))
      put_warning(&warnings, entry, now_s);
  }
  const struct inf_budgets *budgets = runtime->budgets;
  if (budgets->changed && (cost.nano_usd > 0 || cost.tokens > 0))
    budgets->changed(budgets->context);
  pthread_mutex_unlock(&runtime->mutex);
  inf_free(pass->entries);
  *pass = (inf_budgets_pass){.count = 0};
  log_lines(engine, inf_buf_sv(&warnings)); /* the hook runs without the lock */
  inf_buf_fini(&warnings);
}

void
inf_budgets_release(inf_engine *engine, inf_budgets_pass *pass)
{
  inf_budgets_settle(engine, pass, 0, 0);
}

/* ---- Words --------------------------------------------------------------- */

static void
put_left(inf_buf *out, const char *before, inf_budget_amount amount, bool money)
{
  inf_buf_append_cstr(out, before);
  if (money)
    put_dollars(out, amount.nano_usd);
  else
    inf_buf_appendf(out, "%lld", (long long)amount.tokens);
}

static void
put_time(inf_buf *out, int64_t at_s)
{
  char t[INF_BASIC_DATE_BYTES];
  inf_write_basic_date(at_s * (int64_t)INF_NS_PER_S, t);
  inf_buf_appendf(out, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", t, t + 4, t + 6, t + 9,
                  t + 11, t + 13);
}

/* Is it the money that does not suffice? */
static bool
lacks_money(const inf_budgets_verdict *verdict)
{
  inf_budget_rule money = verdict->budget->rule;
  inf_budget budget = {.reserved = verdict->reserved};
  money.limit.tokens = -1;
  inf_budget_settle(&budget, &money, verdict->now_s, (inf_budget_amount){0, 0},
                    verdict->spent);
  return verdict->wanted.nano_usd > 0 &&
         !inf_budget_fits(&budget, &money, verdict->now_s, verdict->wanted);
}

void
inf_budgets_explain(const inf_budgets_verdict *verdict,
                    const inf_target_config *target, inf_buf *out)
{
  const inf_budget_config *budget = verdict->budget;
  inf_sv per = inf_sv_from(budget->per ? budget->per : "client");
  inf_buf_append_cstr(out, "not sent: ");
  if (verdict->what == INF_BUDGETS_NO_MEMORY) {
    inf_buf_append_cstr(out, "no memory to keep its budgets");
    return;
  }
  put_name(out, inf_sv_from(budget->name), per, verdict->key);
  if (verdict->what == INF_BUDGETS_NO_PRICE) {
    inf_buf_appendf(out,
                    ": the price of \"%s\" is not known (give it a \"price\", "
                    "or the budget \"without_price\": \"allow\")",
                    target->name);
    return;
  }
  bool money = lacks_money(verdict);
  inf_buf_appendf(out, " of the %s: ", inf_budget_period_name(budget->period));
  put_left(out, "", verdict->spent, money);
  put_left(out, " of ", budget->rule.limit, money);
  inf_buf_appendf(out, "%s spent, ", money ? "" : " tokens");
  put_left(out, "", verdict->reserved, money);
  put_left(out, " reserved, and this attempt may cost ", verdict->wanted,
           money);
  inf_buf_append_cstr(out, "; it begins anew at ");
  put_time(out, verdict->resets_s);
}
