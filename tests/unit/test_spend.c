/* SPDX-License-Identifier: MIT */
/* What a client has spent, as it tells it. */
#include "support/breaker_world.h"
#include "support/fail_alloc.h"

#include "engine/spend.h"

#include <stdlib.h>

#define PRICED(target) "{'target':'" target "','price':{'input':1,'output':10}}"
#define ROUTE                                                  \
  "routes.r.targets", "[" PRICED("a/m") "," PRICED("b/m") "]", \
      "routes.r.stay.retries", "0"

/* Of "spend", with ' for ". */
static void
tells(fake_client *fake, const char *part)
{
  char *json = NULL;
  assert_int_equal(infer_client_stats(fake->client, &json, NULL), INFER_OK);
  for (char *at = json; *at; at++)
    *at = *at == '"' ? '\'' : *at;
  const char *spend = strstr(json, "'spend':");
  assert_non_null(spend);
  assert_contains(spend, part);
  infer_text_free(json);
}

#define SPENT(exact, estimated, wasted, attempts, unknown)      \
  "{'exact_nano_usd':" exact ",'estimated_nano_usd':" estimated \
  ",'wasted_nano_usd':" wasted ",'attempts':" attempts          \
  ",'unknown_attempts':" unknown "}"

static void
nothing_is_spent_at_first(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  tells(fake,
        "{'total':" SPENT("0", "0", "0", "0",
                          "0") ",'providers':{},'targets':{},'routes':{}}");
  fake_client_free(fake);
}

/* An answer is 3 tokens and 2: 23000 nano-dollars. */
static void
calls_add_up_by_name(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ROUTE, NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  tells(
      fake,
      "{'total':" SPENT("46000", "0", "0", "2", "0") ",'providers':{'a':" SPENT(
          "46000", "0",
          "0", "2", "0") "},'targets':{'a/m':" SPENT("46000", "0", "0", "2",
                                                     "0") "},'routes':{'r'"
                                                          ":" SPENT("46000",
                                                                    "0", "0",
                                                                    "2",
                                                                    "0") "}}");
  /* A target that a request names is of no route, and has no price here. */
  assert_int_equal(call_once(fake, "a/m"), INFER_OK);
  tells(fake, "'routes':{'r':" SPENT("46000", "0", "0", "2", "0") "}}");
  tells(fake, "{'total':" SPENT("46000", "0", "0", "3", "1"));
  fake_client_free(fake);
}

/* The first target cuts its answer: 8 tokens of a prompt and 2 of text. */
static void
what_a_failed_attempt_cost_is_wasted(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ROUTE, NULL);
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("12345"));
  fake_done(script, 2, INF_NET_RESET);
  is_well(fake, B);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 5000);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  tells(fake, "'a':" SPENT("0", "28000", "28000", "1", "0"));
  tells(fake, "'b':" SPENT("23000", "0", "0", "1", "0"));
  tells(fake, "{'total':" SPENT("23000", "28000", "28000", "2", "0"));
  inf_spend total = inf_spend_total(fake->client->runtime);
  assert_int_equal(total.estimated_nano, 28000);
  assert_int_equal(total.attempts, 2);
  fake_client_free(fake);
}

/* A failed call has delivered nothing. */
static void
all_that_a_failed_call_cost_is_wasted(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.one.targets", "[" PRICED("a/m") "]",
                      "defaults.retries", "0", NULL);
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("12345"));
  fake_done(script, 2, INF_NET_RESET);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 5000);
  assert_int_equal(fake_status(call), INFER_E_TRUNCATED);
  infer_call_free(call);
  tells(fake, "{'total':" SPENT("0", "28000", "28000", "1", "0"));
  fake_client_free(fake);
}

/* Without memory for a name there is the sum. */
static void
a_name_without_memory_is_in_the_sum(void **state)
{
  (void)state;
  fail_alloc_install();
  fake_client *fake = fake_client_new(ROUTE, NULL);
  const inf_route_config *route;
  assert_int_equal(
      inf_config_resolve(fake->client->config, INF_SV("r"), &route, NULL),
      INFER_OK);
  inf_trail *trail =
      inf_trail_new(inf_config_ref(fake->client->config), route, 1);
  struct infer_attempt *record = inf_trail_add(trail);
  record->provider = route->targets[0].provider;
  record->target = route->targets[0].name;
  record->cost_nano = 7;
  record->cost_kind = INFER_COST_EXACT;
  for (size_t n = 1; n <= 7; n++) {
    fail_alloc_nth(n);
    inf_spend_note(fake->client->runtime, trail, NULL);
    fail_alloc_never();
  }
  inf_spend total = inf_spend_total(fake->client->runtime);
  assert_int_equal(total.attempts, 6); /* but the first, of the sum itself */
  assert_int_equal(total.exact_nano, 42);
  assert_int_equal(total.wasted_nano, 42);
  inf_trail_unref(trail);
  fake_client_free(fake);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_spent_at_first),
      cmocka_unit_test(calls_add_up_by_name),
      cmocka_unit_test(what_a_failed_attempt_cost_is_wasted),
      cmocka_unit_test(all_that_a_failed_call_cost_is_wasted),
      cmocka_unit_test(a_name_without_memory_is_in_the_sum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
