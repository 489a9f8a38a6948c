/* SPDX-License-Identifier: MIT */
/* What a client tells of its hedges: the counters, and the line of a dry run.
 * That a race counts right is tested with the races. */
#include "support/breaker_world.h"
#include "support/fail_alloc.h"

#include <stdio.h>
#include <stdlib.h>

#define HEDGED "routes.r.hedge", "{}"

static char *
stats_of(fake_client *fake)
{
  char *json = NULL;
  size_t len = 0;
  assert_int_equal(infer_client_stats(fake->client, &json, &len), INFER_OK);
  assert_int_equal(len, strlen(json));
  return json;
}

/* What it tells of hedges: the first member. The others have tests of their
 * own. */
static void
assert_stats(fake_client *fake, const char *expected)
{
  char *json = stats_of(fake);
  for (char *at = json; *at; at++)
    *at = *at == '"' ? '\'' : *at;
  char *rest = strstr(json, ",'calls_in_flight'");
  assert_non_null(rest);
  rest[0] = '}';
  rest[1] = '\0';
  assert_string_equal(json, expected);
  infer_text_free(json);
}

/* Nothing has come of the hedges of a route. */
#define NO_HEDGES(cost)                                                        \
  "{'sent':0,'won':0,'lost':0,'rescues':0,'delay_ms':null,'probability':0,"    \
  "'calls_cost':" cost ",'losers_cost':0,'suppressed':{'no_plan':0,'drawn':0," \
  "'run_once':0,'nowhere':0,'slowdown':0,'loses':0,'budget':0}}"

static void
routes_that_hedge_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(HEDGED, NULL);
  is_well(fake, A);
  assert_stats(fake, "{'hedging':{}}");
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_stats(fake, "{'hedging':{}}");
  /* 3 tokens in, 2 out. */
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_stats(fake, "{'hedging':{'r':" NO_HEDGES("11") "}}");
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_stats(fake, "{'hedging':{'r':" NO_HEDGES("22") "}}");
  fake_client_free(fake);
}

static void
so_are_targets_that_requests_name(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.hedge", "{}", NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "a/\"x\""), INFER_OK);
  char *json = stats_of(fake);
  assert_contains(json, "{\"hedging\":{\"a/\\\"x\\\"\":{\"sent\":0,");
  infer_text_free(json);
  fake_client_free(fake);
}

static void
a_reload_forgets_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(HEDGED, NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  infer_config *config = fake_config_new(NULL, NULL, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  assert_stats(fake, "{'hedging':{'r':" NO_HEDGES("11") "}}");
  fake_client_free(fake);
}

static void
ask_in_hook(fake_client *fake, const infer_call *call,
            const infer_attempt *attempt)
{
  (void)call;
  (void)attempt;
  size_t *asked = fake->on_hook_data;
  char *json = stats_of(fake);
  *asked += strstr(json, "\"hedging\"") != NULL;
  infer_text_free(json);
}

static void
hooks_may_ask(void **state)
{
  (void)state;
  size_t asked = 0;
  fake_client *fake = fake_client_new(HEDGED, NULL);
  is_well(fake, A);
  fake->on_hook = ask_in_hook;
  fake->on_hook_data = &asked;
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_int_equal(asked, 2); /* an attempt and a call */
  fake_client_free(fake);
}

static void
arguments_are_checked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL, NULL);
  char *json = NULL;
  assert_int_equal(infer_client_stats(NULL, &json, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_stats(fake->client, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_stats(fake->client, &json, NULL), INFER_OK);
  infer_text_free(json);
  fake_client_free(fake);
}

/* A document without memory is none, and nothing of it is left. */
static void
bears_failing_allocations(void **state)
{
  (void)state;
  static const char *const before[] = {"", "r"};
  for (size_t i = 0; i < 2; i++) {
    fail_alloc_install();
    fake_client *fake = fake_client_new(HEDGED, NULL);
    is_well(fake, A);
    if (before[i][0])
      assert_int_equal(call_once(fake, before[i]), INFER_OK);
    size_t failed = 0;
    for (size_t n = 1;; n++) {
      char *json = (char *)"";
      fail_alloc_nth(n);
      int32_t status = infer_client_stats(fake->client, &json, NULL);
      bool hit = fail_alloc_hits() > 0;
      fail_alloc_never();
      infer_text_free(status == INFER_OK ? json : NULL);
      if (!hit) {
        assert_int_equal(status, INFER_OK);
        break;
      }
      failed++;
      assert_int_equal(status, INFER_E_NO_MEMORY);
      assert_null(json);
    }
    assert_true(failed > 0);
    fake_client_free(fake);
    fail_alloc_uninstall();
  }
}

/* ---- Plans --------------------------------------------------------------- */

/* The reason of the first target of the dry run. */
static const char *
outlook_of(fake_client *fake, const infer_request *request)
{
  static char text[500];
  infer_plan *plan;
  assert_int_equal(infer_client_plan(fake->client, request, &plan, NULL),
                   INFER_OK);
  snprintf(text, sizeof text, "%s", infer_plan_reason(plan, 0));
  for (size_t i = 1; i < infer_plan_count(plan); i++)
    assert_lacks(infer_plan_reason(plan, i), "hedge");
  infer_plan_free(plan);
  return text;
}

static const char *
outlook(fake_client *fake, const char *model)
{
  infer_request *request = fake_request_new(model);
  const char *text = outlook_of(fake, request);
  infer_request_free(request);
  return text;
}

/* 64 answers: seven of eight after answer_ms, the others after slow_ms. */
static void
learn(fake_client *fake, const char *model, uint64_t slow_ms)
{
  size_t at = fake->net.host_count;
  is_well(fake, A);
  fake_stream_all(fake_script_for(&fake->net, A), slow_ms, "ok");
  fake_script *fast = fake->net.hosts[at].script;
  fake_script *slow = fake->net.hosts[at + 1].script;
  for (int i = 0; i < 64; i++) {
    fake->net.hosts[at].script = i % 8 == 7 ? fast : slow;
    fake->net.hosts[at + 1].script = i % 8 == 7 ? slow : fast;
    assert_int_equal(call_once(fake, model), INFER_OK);
  }
}

static void
a_dry_run_tells_of_hedges(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "routes.r.hedge", "{'budget':5e-2}", "routes.one.hedge",
      "{'percentile':99.9,'budget':0.125}", "routes.one.retries", "0", NULL);
  assert_lacks(outlook(fake, "three"), "hedge");
  assert_contains(outlook(fake, "r"),
                  "place 1 in the order of route \"r\"; hedged for p95 with "
                  "5 % of the cost: too few times are known for a plan");
  assert_contains(outlook(fake, "one"),
                  "; no hedge: without retries there is one attempt only");
  infer_request *request = fake_request_new("one");
  infer_request_set_policy(request, "retries", 1);
  assert_contains(outlook_of(fake, request),
                  "; hedged for p99.9 with 12.5 % of the cost: too few");
  infer_request_set_run_once(request, 1);
  assert_contains(outlook_of(fake, request),
                  "; no hedge: the request may run only once");
  infer_request_free(request);
  assert_stats(fake, "{'hedging':{}}"); /* to look is no call */
  fake_client_free(fake);
}

/* Plan and counters speak of the same. */
static void
a_dry_run_tells_the_plan(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.hedge",
                                      "{'budget':0.5,'min_delay_ms':20}", NULL);
  learn(fake, "r", 150);
  char *json = stats_of(fake);
  const char *told = strstr(json, "\"delay_ms\":");
  assert_non_null(told);
  double delay_ms = strtod(told + strlen("\"delay_ms\":"), NULL);
  told = strstr(json, "\"probability\":");
  assert_non_null(told);
  double probability = strtod(told + strlen("\"probability\":"), NULL);
  assert_true(delay_ms >= 20 && delay_ms < 150);
  assert_true(probability > 0.2 && probability <= 1);
  infer_text_free(json);
  unsigned ms;
  double share;
  assert_int_equal(sscanf(outlook(fake, "r"),
                          "place 1 in the order of route \"r\"; hedged for p95 "
                          "with 50 %% of the cost: now after %u ms with "
                          "probability %lf",
                          &ms, &share),
                   2);
  assert_int_equal(ms, (unsigned)delay_ms);
  assert_true(share > probability - 0.006 && share < probability + 0.006);
  fake_client_free(fake);
}

static void
where_nothing_is_gained_it_says_so(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.hedge", "{}", NULL);
  learn(fake, "a/m", answer_ms);
  assert_contains(outlook(fake, "a/m"),
                  "named by the request; hedged for p95 with 5 % of the cost: "
                  "now it would not help");
  char *json = stats_of(fake);
  assert_contains(json, "\"a/m\":{\"sent\":0,");
  assert_contains(json, "\"delay_ms\":null,\"probability\":0,");
  infer_text_free(json);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(routes_that_hedge_are_told),
      cmocka_unit_test(so_are_targets_that_requests_name),
      cmocka_unit_test(a_reload_forgets_nothing),
      cmocka_unit_test(hooks_may_ask),
      cmocka_unit_test(arguments_are_checked),
      cmocka_unit_test(bears_failing_allocations),
      cmocka_unit_test(a_dry_run_tells_of_hedges),
      cmocka_unit_test(a_dry_run_tells_the_plan),
      cmocka_unit_test(where_nothing_is_gained_it_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
