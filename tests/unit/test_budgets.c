/* SPDX-License-Identifier: MIT */
/* Budgets as calls meet them. An answer is 3 tokens and 2; only those of the
 * answer cost something here, $10 a million, so a request with max_tokens 2
 * reserves 20000 nano-dollars and costs them. */
#include "support/fail_alloc.h"
#include "support/race_world.h"

#include "engine/budgets_state.h"
#include "engine/spend.h"

#include <stdio.h>
#include <stdlib.h>

#define PRICED(target, output) \
  "{'target':'" target "','price':{'input':0,'output':" output "}}"
#define ROUTE(options)                                                        \
  "routes.r.targets", "[" PRICED("a/m", "10") "," PRICED("b/m", "1") "]",     \
      "routes.s.targets", "[" PRICED("a/m", "10") "]", "routes.free.targets", \
      "[" PRICED("c/m", "0") "]", "defaults.retries", "0", "budgets",         \
      "[" options "]"
#define ALL(limit) "{'name':'all','usd':" limit "}"
/* So much is the price of three calls. */
#define THREE "0.00006"

enum { call_nano = 20000 };

typedef struct who {
  const char *tenant, *team;
} who;

static infer_call *
begin(fake_client *fake, const char *model, int max_tokens, who by)
{
  infer_request *request = fake_request_new(model);
  if (max_tokens > 0)
    infer_request_set_int(request, "max_tokens", max_tokens);
  if (by.tenant)
    infer_request_set_tenant(request, by.tenant);
  if (by.team)
    infer_request_set_tag(request, "team", by.team);
  return fake_submit(fake, request);
}

static int32_t
ends(fake_client *fake, infer_call *call)
{
  fake_run_ms(fake, 200);
  int32_t status = fake_status(call);
  infer_call_free(call);
  return status;
}

static int32_t
call_by(fake_client *fake, const char *model, who by)
{
  return ends(fake, begin(fake, model, 2, by));
}

static int32_t
call(fake_client *fake, const char *model)
{
  return call_by(fake, model, (who){NULL, NULL});
}

static char *
budgets_of(fake_client *fake)
{
  static char text[8192];
  char *json = NULL;
  assert_int_equal(infer_client_stats(fake->client, &json, NULL), INFER_OK);
  for (char *at = json; *at; at++)
    *at = *at == '"' ? '\'' : *at;
  snprintf(text, sizeof text, "%s", strstr(json, "'budgets':"));
  infer_text_free(json);
  return text;
}

#define client_with(budgets) all_well(fake_client_new(ROUTE(budgets), NULL))

static fake_client *
all_well(fake_client *fake)
{
  fake->net.warm_ups_apart = true;
  is_well(fake, A);
  is_well(fake, B);
  is_well(fake, C);
  return fake;
}

/* ---- Limits -------------------------------------------------------------- */

static void
calls_end_at_the_limit(void **state)
{
  (void)state;
  fake_client *fake = client_with(ALL(THREE));
  for (int i = 0; i < 3; i++)
    assert_int_equal(call(fake, "s"), INFER_OK);
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  assert_int_equal(requests_to(fake, A), 3);
  fake_client_free(fake);
}

/* All at once: what the first have reserved is not there for the others. */
static void
calls_under_way_cannot_pass_it_together(void **state)
{
  (void)state;
  fake_client *fake = client_with(ALL(THREE));
  infer_call *calls[10];
  size_t good = 0;
  for (size_t i = 0; i < 10; i++)
    calls[i] = begin(fake, "s", 2, (who){NULL, NULL});
  fake_run_ms(fake, 0);
  assert_contains(budgets_of(fake), "'spent_nano_usd':0,'spent_tokens':0,"
                                    "'reserved_nano_usd':60000,");
  fake_run_ms(fake, 200);
  for (size_t i = 0; i < 10; i++) {
    good += fake_status(calls[i]) == INFER_OK ? 1 : 0;
    infer_call_free(calls[i]);
  }
  assert_int_equal(good, 3);
  assert_int_equal(requests_to(fake, A), 3);
  assert_contains(budgets_of(fake), "'spent_nano_usd':60000,'spent_tokens':15,"
                                    "'reserved_nano_usd':0,'reserved_tokens':"
                                    "0,'limit_nano_usd':60000,'limit_tokens':"
                                    "null,'warned':true,'refused':7}");
  fake_client_free(fake);
}

/* A request for ten tokens that needs two leaves what it has not used. */
static void
what_was_not_used_is_free_again(void **state)
{
  (void)state;
  fake_client *fake = client_with(ALL("0.000139"));
  infer_call *one = begin(fake, "s", 10, (who){NULL, NULL});
  fake_run_ms(fake, 0);
  assert_int_equal(call(fake, "s"), INFER_OK); /* 100000 and 20000 */
  assert_int_equal(ends(fake, one), INFER_OK);
  for (int i = 0; i < 4; i++)
    assert_int_equal(call(fake, "s"), INFER_OK);
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  fake_client_free(fake);
}

static void
the_error_says_which_and_how_much(void **state)
{
  (void)state;
  fake_client *fake =
      client_with("{'name':'team','per':'tag:team','usd':" THREE "}");
  who red = {NULL, "red"};
  for (int i = 0; i < 3; i++)
    assert_int_equal(call_by(fake, "s", red), INFER_OK);
  infer_call *last = begin(fake, "s", 2, red);
  fake_run_ms(fake, 1);
  infer_error *error = fake_error(last);
  assert_int_equal(infer_error_status(error), INFER_E_BUDGET);
  assert_int_equal(infer_error_retryable(error), 0);
  assert_contains(infer_error_message(error),
                  "not sent: budget \"team\" (tag:team \"red\") of the month: "
                  "$0.00006 of $0.00006 spent, $0 reserved, and this attempt "
                  "may cost $0.00002; it begins anew at 2026-02-01T00:00:00Z");
  assert_true(infer_error_retry_after_ms(error) > 30 * 86400 * INT64_C(1000));
  assert_true(infer_error_retry_after_ms(error) <= 31 * 86400 * INT64_C(1000));
  infer_error_free(error);
  infer_call_free(last);
  fake_client_free(fake);
}

static void
tokens_have_a_limit_of_their_own(void **state)
{
  (void)state;
  fake_client *fake = client_with("{'name':'all','period':'day','tokens':30}");
  /* Reserved are some 9 and 2, used 3 and 2. */
  for (int i = 0; i < 4; i++)
    assert_int_equal(call(fake, "free"), INFER_OK);
  infer_call *last = begin(fake, "free", 30, (who){NULL, NULL});
  fake_run_ms(fake, 1);
  infer_error *error = fake_error(last);
  assert_int_equal(infer_error_status(error), INFER_E_BUDGET);
  assert_contains(infer_error_message(error),
                  "of the day: 20 of 30 tokens spent, 0 reserved, and this "
                  "attempt may cost ");
  assert_contains(infer_error_message(error), "anew at 2026-01-02T00:00:00Z");
  infer_error_free(error);
  infer_call_free(last);
  fake_client_free(fake);
}

/* ---- Whose -------------------------------------------------------------- */

static void
each_has_his_own(void **state)
{
  (void)state;
  static const char *const budgets[] = {
      "[{'name':'x','per':'tenant','usd':" THREE "}]",
      "[{'name':'x','per':'tag:team','usd':" THREE "}]"};
  static const who they[2][3] = {{{"t", NULL}, {"u", NULL}, {NULL, "t"}},
                                 {{NULL, "t"}, {"t", "u"}, {"t", NULL}}};
  for (int kind = 0; kind < 2; kind++) {
    fake_client *fake =
        all_well(fake_client_new(ROUTE(""), "budgets", budgets[kind], NULL));
    for (int i = 0; i < 3; i++)
      for (int w = 0; w < 3; w++)
        assert_int_equal(call_by(fake, "s", they[kind][w]), INFER_OK);
    for (int w = 0; w < 3; w++)
      assert_int_equal(call_by(fake, "s", they[kind][w]), INFER_E_BUDGET);
    fake_client_free(fake);
  }
}

static void
each_route_has_its_own(void **state)
{
  (void)state;
  fake_client *fake = client_with("{'name':'x','per':'route','usd':" THREE "}");
  for (int i = 0; i < 3; i++) {
    assert_int_equal(call(fake, "s"), INFER_OK);
    assert_int_equal(call(fake, "r"), INFER_OK);
  }
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  assert_int_equal(call(fake, "r"), INFER_E_BUDGET);
  assert_int_equal(call(fake, "free"), INFER_OK);
  fake_client_free(fake);
}

/* All that hold for a call, and the strict one is told of. */
static void
every_budget_has_its_say(void **state)
{
  (void)state;
  fake_client *fake = client_with(
      ALL("0.0001") ",{'name':'each','per':'tenant','usd':" THREE "}");
  who t = {"t", NULL}, u = {"u", NULL};
  for (int i = 0; i < 3; i++)
    assert_int_equal(call_by(fake, "s", t), INFER_OK);
  assert_int_equal(call_by(fake, "s", t), INFER_E_BUDGET);
  /* Its refusal has taken nothing from the others. */
  assert_int_equal(call_by(fake, "s", u), INFER_OK);
  assert_int_equal(call_by(fake, "s", u), INFER_OK);
  assert_int_equal(call_by(fake, "s", u), INFER_E_BUDGET);
  fake_client_free(fake);
}

/* ---- Another target ------------------------------------------------------ */

static void
a_cheaper_target_steps_in(void **state)
{
  (void)state;
  fake_client *fake =
      client_with("{'name':'all','usd':0.000065,'at_limit':'cheaper'}");
  for (int i = 0; i < 3; i++)
    assert_int_equal(call(fake, "r"), INFER_OK);
  assert_int_equal(requests_to(fake, B), 0);
  for (int i = 0; i < 2; i++) /* 2000 nano-dollars each */
    assert_int_equal(call(fake, "r"), INFER_OK);
  assert_int_equal(requests_to(fake, A), 3);
  assert_int_equal(requests_to(fake, B), 2);
  assert_int_equal(call(fake, "r"), INFER_E_BUDGET);
  assert_int_equal(call(fake, "free"), INFER_OK);
  fake_client_free(fake);
}

static void
a_strict_budget_asks_no_other(void **state)
{
  (void)state;
  fake_client *fake =
      client_with("{'name':'all','usd':0.000065},"
                  "{'name':'soft','usd':0.000065,'at_limit':'cheaper'}");
  for (int i = 0; i < 3; i++)
    assert_int_equal(call(fake, "r"), INFER_OK);
  infer_call *last = begin(fake, "r", 2, (who){NULL, NULL});
  fake_run_ms(fake, 1);
  assert_contains(fake_message(last), "budget \"all\"");
  infer_call_free(last);
  assert_int_equal(requests_to(fake, B), 0);
  fake_client_free(fake);
}

/* ---- Prices -------------------------------------------------------------- */

static void
without_a_price_it_is_not_sent(void **state)
{
  (void)state;
  fake_client *fake = client_with(ALL("1"));
  infer_call *one = begin(fake, "a/m", 2, (who){NULL, NULL});
  fake_run_ms(fake, 1);
  assert_int_equal(fake_status(one), INFER_E_BUDGET);
  assert_contains(fake_message(one),
                  "budget \"all\": the price of \"a/m\" is not known (give it "
                  "a \"price\", or the budget \"without_price\": \"allow\")");
  infer_call_free(one);
  fake_client_free(fake);
  fake = client_with("{'name':'all','usd':1,'without_price':'allow'}");
  assert_int_equal(call(fake, "a/m"), INFER_OK);
  assert_contains(budgets_of(fake), "'spent_nano_usd':0,'spent_tokens':5,");
  fake_client_free(fake);
  /* Tokens need no price. */
  fake = client_with("{'name':'all','tokens':100}");
  assert_int_equal(call(fake, "a/m"), INFER_OK);
  fake_client_free(fake);
}

/* Without max_tokens: first what a long answer has, then four times 2. */
static void
usual_answers_are_reserved(void **state)
{
  (void)state;
  fake_client *fake = client_with(ALL("1"));
  for (int i = 0; i < 2; i++) {
    infer_call *one = begin(fake, "s", 0, (who){NULL, NULL});
    fake_run_ms(fake, 0);
    assert_contains(budgets_of(fake), i == 0 ? "'reserved_nano_usd':10240000,"
                                             : "'reserved_nano_usd':80000,");
    assert_int_equal(ends(fake, one), INFER_OK);
  }
  fake_client_free(fake);
}

/* One of 1 and 5 dollars a million, that costs up to twelve times as much for a
 * prompt of more than 32000 tokens. */
static void
reserves(fake_client *fake, size_t prompt_bytes, int64_t times)
{
  char *text = malloc(prompt_bytes + 1);
  memset(text, 'x', prompt_bytes);
  text[prompt_bytes] = '\0';
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "a/qwen3-coder-plus"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", text), INFER_OK);
  infer_request_set_int(request, "max_tokens", 2);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 0);
  long long nano, tokens;
  assert_int_equal(sscanf(strstr(budgets_of(fake), "'reserved_nano_usd':"),
                          "'reserved_nano_usd':%lld,'reserved_tokens':%lld",
                          &nano, &tokens),
                   2);
  assert_int_equal(tokens - 2 > 24000, times == 12);
  assert_int_equal(nano, times * ((tokens - 2) * 1000 + 2 * 5000));
  assert_int_equal(ends(fake, call), INFER_OK);
  assert_contains(budgets_of(fake), "'reserved_nano_usd':0,");
  free(text);
}

static void
a_long_prompt_reserves_its_highest_price(void **state)
{
  (void)state;
  fake_client *fake = all_well(
      fake_client_new(ROUTE(ALL("100")), "providers.a.type", "'alibaba'",
                      "providers.a.catalogue", "'on'", NULL));
  reserves(fake, 4000, 1);
  reserves(fake, 33000, 1);
  reserves(fake, 37000, 12); /* by what an estimate may be too low */
  reserves(fake, 90000, 12);
  fake_client_free(fake);
}

static void
what_is_sent_is_what_is_reserved(void **state)
{
  (void)state;
  fake_client *fake = all_well(fake_client_new(
      ROUTE(ALL("1")), "routes.x.targets",
      "[{'target':'a/m','price':{'input':0,'output':10,'reasoning':20},"
      "'overrides':{'max_tokens':7}}]",
      "routes.y.targets",
      "[{'target':'a/m','price':{'input':0,'output':10},'output_tokens':5}]",
      NULL));
  infer_call *one = begin(fake, "x", 2, (who){NULL, NULL});
  fake_run_ms(fake, 0);
  assert_contains(budgets_of(fake), "'reserved_nano_usd':140000,");
  assert_int_equal(ends(fake, one), INFER_OK);
  infer_request *request = fake_request_new("y");
  infer_request_set_int(request, "n", 3);
  one = fake_submit(fake, request);
  fake_run_ms(fake, 0);
  assert_contains(budgets_of(fake), "'reserved_nano_usd':150000,");
  infer_call_cancel(one);
  fake_run_ms(fake, 1);
  infer_call_free(one);
  fake_client_free(fake);
}

/* ---- Attempts ------------------------------------------------------------ */

/* An error costs nothing, and each attempt reserves for itself. */
static void
what_failed_unserved_costs_nothing(void **state)
{
  (void)state;
  fake_client *fake =
      all_well(fake_client_new(ROUTE(ALL("0.00002")), NO_STAY, NULL));
  is_down(fake, A);
  assert_int_equal(call(fake, "r"), INFER_OK); /* b */
  assert_contains(budgets_of(fake),
                  "'spent_nano_usd':2000,'spent_tokens':5,"
                  "'reserved_nano_usd':0,'reserved_tokens':0,");
  fake_client_free(fake);
}

/* The failover costs too much: the call ends, and says so. */
static void
a_failover_needs_its_share(void **state)
{
  (void)state;
  fake_client *fake = all_well(fake_client_new(
      ROUTE(ALL("0.00001")), NO_STAY, "routes.r.targets",
      "[" PRICED("b/m", "1") "," PRICED("a/m", "10") "]", NULL));
  is_down(fake, B);
  infer_call *one = begin(fake, "r", 2, (who){NULL, NULL});
  fake_run_ms(fake, 100);
  infer_error *error = fake_error(one);
  assert_int_equal(infer_error_status(error), INFER_E_BUDGET);
  assert_int_equal(infer_error_attempt_count(error), 1);
  assert_string_equal(infer_attempt_decision(infer_error_attempt(error, 0)),
                      "a budget is used up: not sent");
  infer_error_free(error);
  infer_call_free(one);
  assert_int_equal(requests_to(fake, A), 0);
  fake_client_free(fake);
}

static void
a_cancelled_call_is_settled(void **state)
{
  (void)state;
  fake_client *fake = client_with(ALL("1"));
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("12345678"));
  infer_call *one = begin(fake, "s", 10, (who){NULL, NULL});
  fake_run_ms(fake, 10);
  assert_contains(budgets_of(fake), "'reserved_nano_usd':100000,");
  infer_call_cancel(one);
  fake_run_ms(fake, 1);
  infer_call_free(one);
  /* Two tokens of text. */
  assert_contains(budgets_of(fake), "'spent_nano_usd':20000,");
  assert_contains(budgets_of(fake), "'reserved_nano_usd':0,");
  fake_client_free(fake);
}

/* One that a rate limit holds back has nothing reserved meanwhile. */
static void
who_waits_reserves_nothing(void **state)
{
  (void)state;
  fake_client *fake = all_well(fake_client_new(
      ROUTE(ALL("1")), "providers.a.limits.concurrency", "1", NULL));
  infer_call *one = begin(fake, "s", 2, (who){NULL, NULL});
  infer_call *two = begin(fake, "s", 2, (who){NULL, NULL});
  fake_run_ms(fake, 0);
  assert_int_equal(requests_to(fake, A), 1);
  assert_contains(budgets_of(fake), "'reserved_nano_usd':20000,");
  assert_int_equal(ends(fake, one), INFER_OK);
  assert_int_equal(ends(fake, two), INFER_OK);
  assert_contains(budgets_of(fake), "'spent_nano_usd':40000,");
  assert_contains(budgets_of(fake), "'reserved_nano_usd':0,");
  fake_client_free(fake);
}

/* A hedge takes from the budget like any attempt, or is not sent. */
static void
a_hedge_needs_its_share(void **state)
{
  (void)state;
  for (int rich = 0; rich < 2; rich++) {
    fake_client *fake = hedging_client(
        "routes.r.targets", "[" PRICED("a/m", "10") "," PRICED("b/m", "10") "]",
        "budgets", rich ? "[" ALL("0.00004") "]" : "[" ALL("0.00003") "]",
        NULL);
    is_well(fake, B);
    fake_stream(fake_script_for(&fake->net, A), 1);
    earn(fake, "r");
    infer_call *one = begin(fake, "r", 2, (who){NULL, NULL});
    fake_run_ms(fake, cold_ms - 1);
    assert_contains(budgets_of(fake), "'reserved_nano_usd':20000,");
    fake_run_ms(fake, 1);
    assert_int_equal(requests_to(fake, B), rich);
    assert_contains(budgets_of(fake), rich ? "'reserved_nano_usd':40000,"
                                           : "'reserved_nano_usd':20000,");
    infer_call_cancel(one);
    fake_run_ms(fake, 1);
    infer_call_free(one);
    assert_contains(budgets_of(fake), "'reserved_nano_usd':0,");
    fake_client_free(fake);
  }
}

/* ---- Time ---------------------------------------------------------------- */

static void
the_next_day_has_all_of_it(void **state)
{
  (void)state;
  fake_client *fake =
      client_with("{'name':'all','period':'day','usd':" THREE "}");
  const int64_t day = INT64_C(86400) * (int64_t)INF_NS_PER_S;
  for (int i = 0; i < 3; i++)
    assert_int_equal(call(fake, "s"), INFER_OK);
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  fake->net.wall_shift_ns = -day;
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  fake->net.wall_shift_ns = day;
  assert_int_equal(call(fake, "s"), INFER_OK);
  assert_contains(budgets_of(fake), "'period':'2026-01-02'");
  fake->net.wall_shift_ns = 0;
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  assert_contains(budgets_of(fake), "'period':'2026-01-01'");
  fake_client_free(fake);
}

static void
the_log_warns_once(void **state)
{
  (void)state;
  fake_client *fake = client_with("{'name':'all','per':'route','usd':" THREE
                                  ",'warn':0.5,'tokens':1000}");
  assert_int_equal(call(fake, "s"), INFER_OK);
  assert_lacks(fake->log, "budget");
  assert_int_equal(call(fake, "s"), INFER_OK);
  static const char line[] = "budget \"all\" (route \"s\"): 50 % of 2026-01 is "
                             "spent: $0.00004 of $0.00006, 10 of 1000 tokens";
  assert_contains(fake->log, line);
  assert_int_equal(call(fake, "s"), INFER_OK);
  assert_lacks(strstr(fake->log, line) + 1, line);
  fake_client_free(fake);
}

/* By name, "per" and period, whatever its limit is now. */
static void
a_reload_keeps_what_was_spent(void **state)
{
  (void)state;
  fake_client *fake = client_with(ALL("0.00002"));
  assert_int_equal(call(fake, "s"), INFER_OK);
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  infer_config *config = fake_config_new(fake, ROUTE(ALL(THREE)), NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  assert_int_equal(call(fake, "s"), INFER_OK);
  assert_int_equal(call(fake, "s"), INFER_OK);
  assert_int_equal(call(fake, "s"), INFER_E_BUDGET);
  config = fake_config_new(
      fake, ROUTE("{'name':'all','period':'day','usd':" THREE "}"), NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  assert_int_equal(call(fake, "s"), INFER_OK);
  fake_client_free(fake);
}

/* ---- Any of it ----------------------------------------------------------- */

typedef struct limits {
  size_t seen, passed;
} limits;

/* With the runtime's lock: it only counts. */
static void
check_limit(void *context, const inf_budgets_view *view)
{
  limits *all = context;
  all->seen++;
  if (view->limit.nano_usd >= 0 &&
      view->spent.nano_usd + view->reserved.nano_usd > view->limit.nano_usd)
    all->passed++;
}

static void
set_weather(fake_client *fake, inf_rng *rng, const char *url)
{
  fake_script *script = fake_script_for(&fake->net, url);
  switch (inf_rng_below(rng, 4)) {
  case 0:
    fake_reply(script, 3, 503, NULL, "");
    break;
  case 1:
    fake_stream(script, 1);
    fake_body(script, 5, sse_text("12345678"));
    fake_done(script, 9, INF_NET_RESET);
    break;
  case 2:
    fake_stream(script, 1);
    break;
  default:
    fake_stream_all(script, inf_rng_below(rng, 40), "ok");
  }
}

/* Random limits, tenants and failures, with retries, failover, hedges and
 * cancelled calls: at every moment what is spent and reserved is within each
 * limit, for no answer is longer than its max_tokens, and prompts are free. In
 * the end nothing is reserved, and what was spent is what the calls cost. */
static void
no_prefix_passes_a_limit(void **state)
{
  (void)state;
  enum { calls_of_a_run = 60, steps = 200, weather_steps = 30, tenants = 3 };
  static const char *const names[tenants] = {"t", "u", NULL};
  for (uint64_t seed = 1; seed <= 60; seed++) {
    inf_rng rng;
    inf_rng_seed(&rng, seed);
    bool probes = seed % 2 == 0;
    char budgets[300];
    snprintf(budgets, sizeof budgets,
             "[{'name':'all','usd':0.%06d,'at_limit':'%s'},"
             "{'name':'each','per':'tenant','usd':0.%06d}]",
             (int)inf_rng_below(&rng, 3000),
             inf_rng_below(&rng, 2) ? "cheaper" : "refuse",
             (int)inf_rng_below(&rng, 1000));
    fake_client *fake = hedging_client(
        "routes.r.targets", "[" PRICED("a/m", "10") "," PRICED("b/m", "1") "]",
        "budgets", budgets, "defaults.breaker", probes ? "true" : "false",
        NULL);
    infer_call *all[calls_of_a_run] = {NULL};
    size_t begun = 0;
    limits limit = {0, 0};
    earn(fake, "r");
    for (int i = 0; i < steps; i++) {
      if (i % weather_steps == 0) {
        set_weather(fake, &rng, A);
        set_weather(fake, &rng, B);
      }
      if (begun < calls_of_a_run && inf_rng_below(&rng, 3) == 0) {
        all[begun++] = begin(fake, "r", 2 + (int)inf_rng_below(&rng, 20),
                             (who){names[inf_rng_below(&rng, tenants)], NULL});
      }
      if (begun > 0 && inf_rng_below(&rng, 20) == 0)
        infer_call_cancel(all[inf_rng_below(&rng, begun)]);
      fake_run_ms(fake, inf_rng_below(&rng, 120));
      inf_budgets_each(runtime_of(fake), 0, check_limit, &limit);
      assert_int_equal(limit.passed, 0);
    }
    assert_true(limit.seen > 0);
    for (size_t i = 0; i < begun; i++) {
      infer_call_cancel(all[i]);
      fake_run_ms(fake, 0);
      infer_call_free(all[i]);
    }
    fake_run_ms(fake, fake_attempt_ms); /* the last probe ends */
    char *json = NULL, text[80];
    assert_int_equal(infer_client_stats(fake->client, &json, NULL), INFER_OK);
    inf_spend total = inf_spend_total(runtime_of(fake));
    snprintf(text, sizeof text, "\"spent_nano_usd\":%lld,",
             (long long)(total.exact_nano + total.estimated_nano));
    assert_contains(strstr(json, "\"name\":\"all\""), text);
    char *reserved = json;
    while ((reserved = strstr(reserved, "\"reserved_nano_usd\":")))
      assert_true((reserved += strlen("\"reserved_nano_usd\":"))[0] == '0');
    infer_text_free(json);
    fake_client_free(fake);
  }
}

/* ---- Accounts and their text --------------------------------------------- */

static inf_budget_entry *
entry_of(inf_runtime *runtime, const char *key, int64_t now_s)
{
  const inf_budget_id id = {INF_SV("n"), INF_SV("tenant"), INF_SV("day"),
                            inf_sv_from(key)};
  pthread_mutex_lock(&runtime->mutex);
  inf_budget_entry *entry = inf_budgets_entry_locked(runtime, &id, now_s);
  pthread_mutex_unlock(&runtime->mutex);
  return entry;
}

static const inf_budget_rule daily = {{-1, -1}, 0, INF_BUDGET_DAY, 0};

static void
spend(inf_budget_entry *entry, int64_t now_s, int64_t nano)
{
  inf_budget_settle(&entry->budget, &daily, now_s, (inf_budget_amount){0, 0},
                    (inf_budget_amount){nano, 2 * nano});
}

static void
the_table_has_an_end(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  char key[20];
  for (int i = 0; i < INF_RUNTIME_MAX; i++) {
    snprintf(key, sizeof key, "%d", i);
    inf_budget_entry *entry = entry_of(runtime, key, 100);
    assert_string_equal(entry->key, key);
    spend(entry, 100, 1);
  }
  inf_budget_entry *shared = entry_of(runtime, "more", 100);
  assert_string_equal(shared->key, "*");
  spend(shared, 100, 1);
  assert_ptr_equal(entry_of(runtime, "and more", 100), shared);
  assert_string_equal(entry_of(runtime, "7", 100)->key, "7");
  assert_int_equal(runtime->budgets->full_at_s, 100); /* not looked for again */
  /* The next day there is room; but not that of who is in use. */
  entry_of(runtime, "7", 100)->users++;
  for (int i = 0; i < INF_RUNTIME_MAX; i++) {
    snprintf(key, sizeof key, "next %d", i);
    inf_budget_entry *entry = entry_of(runtime, key, 100000);
    if (i < INF_RUNTIME_MAX - 2)
      assert_string_equal(entry->key, key);
    spend(entry, 100000, 1);
  }
  assert_int_equal(entry_of(runtime, "7", 100000)->budget.latest.spent.nano_usd,
                   1);
  inf_runtime_free(runtime);
}

static char *
text_of(inf_runtime *runtime)
{
  inf_buf out;
  inf_buf_init(&out, INF_BUDGETS_TEXT_MAX);
  inf_budgets_write(runtime, &out);
  return inf_buf_take(&out, NULL);
}

static void
accounts_come_back_from_their_text(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new(), *next = inf_runtime_new();
  spend(entry_of(runtime, "a \"key\" \xc3\xa4", 0), 100, 5);
  spend(entry_of(runtime, "a \"key\" \xc3\xa4", 0), 100000, 6);
  spend(entry_of(runtime, "b", 0), 100, 7);
  char *text = text_of(runtime), *again;
  assert_int_equal(inf_budgets_merge(next, INF_SV(""), 0), INFER_OK);
  assert_int_equal(inf_budgets_merge(next, inf_sv_from(text), 0), INFER_OK);
  again = text_of(next);
  const inf_budget *budget = &entry_of(next, "a \"key\" \xc3\xa4", 0)->budget;
  assert_int_equal(budget->before.spent.nano_usd, 5);
  assert_int_equal(budget->latest.spent.nano_usd, 6);
  assert_int_equal(budget->latest.spent.tokens, 12);
  assert_int_equal(strlen(text), strlen(again));
  /* A second time nothing is added. */
  inf_budgets_stored(next);
  assert_int_equal(inf_budgets_merge(next, inf_sv_from(text), 0), INFER_OK);
  inf_free(again);
  again = text_of(next);
  assert_int_equal(entry_of(next, "b", 0)->budget.latest.spent.nano_usd, 7);
  inf_free(again);
  inf_free(text);
  inf_runtime_free(runtime);
  inf_runtime_free(next);
}

/* Cut at each byte, and with each byte changed. */
static void
a_damaged_text_is_known(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new(), *next = inf_runtime_new();
  spend(entry_of(runtime, "a", 0), 100, 5);
  char *text = text_of(runtime);
  size_t len = strlen(text);
  for (size_t cut = 1; cut < len; cut++)
    assert_int_equal(inf_budgets_merge(next, inf_sv_of(text, cut), 0),
                     INFER_E_PROTOCOL);
  for (size_t i = 0; i < len; i++) {
    text[i] ^= 1;
    assert_int_equal(inf_budgets_merge(next, inf_sv_of(text, len), 0),
                     INFER_E_PROTOCOL);
    text[i] ^= 1;
  }
  assert_null(next->budgets);
  assert_int_equal(inf_budgets_merge(next, inf_sv_of(text, len), 0), INFER_OK);
  inf_free(text);
  inf_runtime_free(runtime);
  inf_runtime_free(next);
}

/* ---- Memory -------------------------------------------------------------- */

static void
one_call(void *arg)
{
  (void)arg;
  inf_runtime *runtime = inf_runtime_new();
  inf_budget_entry *entry = runtime ? entry_of(runtime, "a", 0) : NULL;
  if (entry)
    spend(entry, 100, 5);
  inf_buf out;
  inf_buf_init(&out, INF_BUDGETS_TEXT_MAX);
  if (runtime)
    inf_budgets_write(runtime, &out);
  if (entry && out.status == INFER_OK)
    inf_budgets_merge(runtime, inf_buf_sv(&out), 0);
  inf_buf_fini(&out);
  if (entry)
    assert_int_equal(entry->budget.latest.spent.nano_usd >= 5, 1);
  inf_runtime_free(runtime);
}

/* What could not be taken over is said, else it would be lost with the next
 * write. */
static void
take_over(void *arg)
{
  const inf_buf *text = arg;
  enum { accounts = 20 };
  inf_runtime *runtime = inf_runtime_new();
  if (!runtime)
    return;
  int32_t status = inf_budgets_merge(runtime, inf_buf_sv(text), 0);
  bool failed = fail_alloc_hits() > 0;
  assert_int_equal(status, failed ? INFER_E_NO_MEMORY : INFER_OK);
  fail_alloc_never();
  assert_int_equal(inf_budgets_merge(runtime, inf_buf_sv(text), 0), INFER_OK);
  for (int i = 0; i < accounts; i++) {
    char key[8];
    snprintf(key, sizeof key, "k%d", i);
    assert_int_equal(entry_of(runtime, key, 0)->budget.latest.spent.nano_usd,
                     i + 1);
  }
  inf_runtime_free(runtime);
}

static void
nothing_is_lost_without_memory(void **state)
{
  (void)state;
  enum { accounts = 20 };
  inf_runtime *runtime = inf_runtime_new();
  inf_buf text;
  inf_buf_init(&text, INF_BUDGETS_TEXT_MAX);
  for (int i = 0; i < accounts; i++) {
    char key[8];
    snprintf(key, sizeof key, "k%d", i);
    spend(entry_of(runtime, key, 0), 100, i + 1);
  }
  inf_budgets_write(runtime, &text);
  inf_runtime_free(runtime);
  fail_alloc_install();
  for (size_t n = 1; n < 200; n++) {
    fail_alloc_nth(n);
    take_over(&text);
  }
  fail_alloc_uninstall();
  inf_buf_fini(&text);
}

static void
memory_may_fail_anywhere(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(one_call, NULL) > 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_end_at_the_limit),
      cmocka_unit_test(calls_under_way_cannot_pass_it_together),
      cmocka_unit_test(what_was_not_used_is_free_again),
      cmocka_unit_test(the_error_says_which_and_how_much),
      cmocka_unit_test(tokens_have_a_limit_of_their_own),
      cmocka_unit_test(each_has_his_own),
      cmocka_unit_test(each_route_has_its_own),
      cmocka_unit_test(every_budget_has_its_say),
      cmocka_unit_test(a_cheaper_target_steps_in),
      cmocka_unit_test(a_strict_budget_asks_no_other),
      cmocka_unit_test(without_a_price_it_is_not_sent),
      cmocka_unit_test(usual_answers_are_reserved),
      cmocka_unit_test(a_long_prompt_reserves_its_highest_price),
      cmocka_unit_test(what_is_sent_is_what_is_reserved),
      cmocka_unit_test(what_failed_unserved_costs_nothing),
      cmocka_unit_test(a_failover_needs_its_share),
      cmocka_unit_test(a_cancelled_call_is_settled),
      cmocka_unit_test(who_waits_reserves_nothing),
      cmocka_unit_test(a_hedge_needs_its_share),
      cmocka_unit_test(the_next_day_has_all_of_it),
      cmocka_unit_test(the_log_warns_once),
      cmocka_unit_test(a_reload_keeps_what_was_spent),
      cmocka_unit_test(no_prefix_passes_a_limit),
      cmocka_unit_test(the_table_has_an_end),
      cmocka_unit_test(accounts_come_back_from_their_text),
      cmocka_unit_test(a_damaged_text_is_known),
      cmocka_unit_test(nothing_is_lost_without_memory),
      cmocka_unit_test(memory_may_fail_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
