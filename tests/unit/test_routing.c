/* SPDX-License-Identifier: MIT */
/* The strategies of a route, over a client whose network is a script. */
#include "support/breaker_world.h"

#include "engine/runtime_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define NO_HASTE "defaults.breaker", "false"

static void
answers_after(fake_client *fake, const char *url, uint64_t ms)
{
  fake_stream_all(fake_script_for(&fake->net, url), ms, "ok");
}

/* Calls one after the other, each with so long to end. */
static void
call_times(fake_client *fake, const char *model, int times, uint64_t ms)
{
  for (int i = 0; i < times; i++) {
    infer_call *call = fake_submit_whole(fake, model);
    fake_run_ms(fake, ms);
    infer_call_free(call);
  }
  fake_events(fake);
}

static void
call_for(fake_client *fake, const char *model, const char *tenant,
         const char *tag)
{
  infer_request *request = fake_request_new(model);
  if (tenant)
    assert_int_equal(infer_request_set_tenant(request, tenant), INFER_OK);
  if (tag)
    assert_int_equal(infer_request_set_tag(request, "conversation", tag),
                     INFER_OK);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_events(fake);
}

static void
all_answer(fake_client *fake)
{
  answers_after(fake, A, 5);
  answers_after(fake, B, 5);
  answers_after(fake, C, 5);
}

static const char *
planned(fake_client *fake, infer_request *request, size_t place)
{
  static char text[200];
  infer_plan *plan;
  assert_int_equal(infer_client_plan(fake->client, request, &plan, NULL),
                   INFER_OK);
  snprintf(text, sizeof text, "%s: %s", infer_plan_target(plan, place),
           infer_plan_reason(plan, place));
  infer_plan_free(plan);
  return text;
}

/* ---- Weights ------------------------------------------------------------- */

static void
weights_are_shares(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "routes.r.strategy", "'weighted'", "routes.r.targets",
      "[{'target':'a/m','weight':3},'b/m',{'target':'c/m','weight':0}]", NULL);
  all_answer(fake);
  call_times(fake, "r", 200, 20);
  size_t a = requests_to(fake, A), b = requests_to(fake, B);
  assert_int_equal(a + b, 200);
  assert_in_range(a, 130, 170); /* 150, sigma 6 */
  fake_client_free(fake);
}

/* The one that was drawn fails: the call goes on to the others. */
static void
the_others_serve_failover(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      NO_STAY, "routes.r.strategy", "'weighted'", "routes.r.targets",
      "[{'target':'a/m','weight':0},{'target':'b/m','weight':9}]", NULL);
  is_down(fake, B);
  answers_after(fake, A, 5);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_request(fake, 0, "b", 0);
  assert_request(fake, 1, "a", 5);
  fake_client_free(fake);
}

static void
a_tenant_stays_where_it_is(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.strategy", "'weighted'",
                                      "routes.r.sticky", "'tenant'", NULL);
  all_answer(fake);
  size_t seen[2] = {0};
  for (int i = 0; i < 20; i++) {
    char tenant[32];
    snprintf(tenant, sizeof tenant, "tenant-%d", i);
    size_t first = fake->net.request_count;
    for (int j = 0; j < 4; j++)
      call_for(fake, "r", tenant, NULL);
    for (size_t j = first + 1; j < first + 4; j++)
      assert_string_equal(fake->net.requests[j].url,
                          fake->net.requests[first].url);
    seen[fake->net.requests[first].url[7] == 'b']++;
    infer_request *request = fake_request_new("r");
    infer_request_set_tenant(request, tenant); /* the dry run knows it */
    assert_int_equal(planned(fake, request, 0)[0],
                     fake->net.requests[first].url[7]);
    infer_request_free(request);
  }
  assert_true(seen[0] > 3 && seen[1] > 3);
  fake_client_free(fake);
}

static void
so_does_what_has_the_same_tag(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.r.strategy", "'weighted'", "routes.r.sticky",
                      "'tag:conversation'", NULL);
  all_answer(fake);
  for (int i = 0; i < 10; i++) {
    char tag[32];
    snprintf(tag, sizeof tag, "talk %d", i);
    size_t first = fake->net.request_count;
    call_for(fake, "r", "x", tag);
    call_for(fake, "r", "y", tag);
    assert_string_equal(fake->net.requests[first].url,
                        fake->net.requests[first + 1].url);
  }
  /* Without it, by chance. */
  size_t before = requests_to(fake, A);
  for (int i = 0; i < 40; i++)
    call_for(fake, "r", "x", NULL);
  assert_in_range(requests_to(fake, A) - before, 8, 32);
  fake_client_free(fake);
}

static void
the_dry_run_tells_the_heaviest(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.r.strategy", "'weighted'", "routes.r.targets",
                      "['a/m',{'target':'b/m','weight':2}]", NULL);
  infer_request *request = fake_request_new("r");
  for (int i = 0; i < 10; i++)
    assert_int_equal(planned(fake, request, 0)[0], 'b');
  infer_request_free(request);
  fake_client_free(fake);
}

/* ---- Latency ------------------------------------------------------------- */

static void
the_fastest_is_asked(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_HASTE, "routes.three.strategy", "'latency'", NULL);
  answers_after(fake, A, 900);
  answers_after(fake, B, 300);
  answers_after(fake, C, 900);
  call_times(fake, "three", 40, 1000);
  /* Each was tried; then b, but for what explores. */
  assert_in_range(requests_to(fake, A), 1, 3);
  assert_in_range(requests_to(fake, C), 1, 3);
  assert_true(requests_to(fake, B) >= 34);
  infer_request *request = fake_request_new("three");
  assert_contains(planned(fake, request, 0), "b/m");
  infer_request_free(request);
  fake_client_free(fake);
}

/* Calls that are submitted before the loop has sent any: nothing is known of
 * the targets. */
static void
submit_at_once(fake_client *fake, const char *model, infer_call **calls,
               size_t count)
{
  for (size_t i = 0; i < count; i++) {
    calls[i] = fake_submit_whole(fake, model);
    fake->net.now_ns++;
  }
  fake_run_ms(fake, 30);
  for (size_t i = 0; i < count; i++)
    infer_call_free(calls[i]);
  fake_events(fake);
}

static void
the_first_burst_is_shared_out(void **state)
{
  (void)state;
  enum { count = 9 };
  fake_client *fake =
      fake_client_new(NO_HASTE, "routes.three.strategy", "'latency'", NULL);
  all_answer(fake);
  infer_call *calls[count];
  submit_at_once(fake, "three", calls, count);
  assert_int_equal(requests_to(fake, A), count / 3);
  assert_int_equal(requests_to(fake, B), count / 3);
  assert_int_equal(requests_to(fake, C), count / 3);
  fake_client_free(fake);
}

/* One call of a burst asks what is not known. */
static void
a_burst_does_not_explore(const char *strategy, const char *targets)
{
  enum { count = 9 };
  fake_client *fake = fake_client_new(
      NO_HASTE, "routes.three.strategy", strategy, "routes.three.targets",
      targets, "routes.three.cost", "{'max_first_token_ms':1000}", NULL);
  all_answer(fake);
  assert_int_equal(call_once(fake, "a/m"), INFER_OK);
  infer_call *calls[count];
  submit_at_once(fake, "three", calls, count);
  assert_int_equal(requests_to(fake, A), 1 + count - 1);
  assert_int_equal(requests_to(fake, B), 1);
  fake_client_free(fake);
}

static void
one_call_of_a_burst_explores(void **state)
{
  (void)state;
  a_burst_does_not_explore("'latency'", "['a/m','b/m']");
  a_burst_does_not_explore("'cost'",
                           "[{'target':'a/m','price':{'input':2,'output':2}},"
                           "{'target':'b/m','price':{'input':1,'output':1}}]");
}

/* Nothing comes back from it any more, and nothing has timed out yet. */
static void
silence_drives_calls_away(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_HASTE, "routes.r.strategy", "'latency'", NULL);
  answers_after(fake, A, 100);
  answers_after(fake, B, 150);
  call_times(fake, "r", 40, 200);
  size_t before = requests_to(fake, A);
  assert_true(before > 25);
  fake_script_for(&fake->net, A); /* silence */
  infer_call *calls[20];
  for (int i = 0; i < 20; i++) {
    calls[i] = fake_submit_whole(fake, "r");
    fake_run_ms(fake, 90);
  }
  /* 1.8 s: nobody has waited for first_token_ms. */
  assert_in_range(requests_to(fake, A) - before, 1, 12);
  before = requests_to(fake, A);
  call_times(fake, "r", 10, 20);
  assert_true(requests_to(fake, A) - before <= 2);
  for (int i = 0; i < 20; i++)
    infer_call_free(calls[i]);
  fake_run_ms(fake, 5000);
  fake_client_free(fake);
}

static void
failures_count(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_HASTE, "routes.r.strategy", "'latency'", NULL);
  answers_after(fake, A, 100);
  answers_after(fake, B, 150);
  call_times(fake, "r", 20, 200);
  is_down(fake, A); /* at once: the quickest of all */
  call_times(fake, "r", 10, 200);
  size_t before = requests_to(fake, A);
  call_times(fake, "r", 20, 200);
  assert_true(requests_to(fake, A) - before <= 3);
  fake_client_free(fake);
}

/* Another one is there, so nobody waits for this one to recover. */
static void
by_default_it_does_not_stay(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.one.strategy", "'latency'", "routes.one.targets",
                      "['a/m','b/m']", NULL);
  is_down(fake, A);
  is_down(fake, B);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 6);
  assert_int_equal(fake->net.request_count, 2); /* no backoff in between */
  infer_call_free(call);
  fake_run_ms(fake, 5000);
  fake_client_free(fake);
}

/* One whole body has no first content: it teaches nothing, and nobody takes it
 * for silence. */
static void
whole_answers_are_no_first_contents(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.strategy", "'latency'",
                                      "routes.r.upstream", "'unary'", NULL);
  fake_reply(fake_script_for(&fake->net, A), 50, 200, NULL, unary_body("ok"));
  fake_reply(fake_script_for(&fake->net, B), 50, 200, NULL, unary_body("ok"));
  call_times(fake, "r", 10, 100);
  assert_int_equal(fake->net.request_count, 10);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 20);
  inf_runtime *runtime = runtime_of(fake);
  pthread_mutex_lock(&runtime->mutex);
  uint32_t waiting = inf_runtime_known_locked(runtime, "a/m")->outlook.waiting;
  pthread_mutex_unlock(&runtime->mutex);
  assert_int_equal(waiting, 0);
  fake_run_ms(fake, 100);
  infer_call_free(call);
  infer_request *request = fake_request_new("r");
  assert_contains(planned(fake, request, 0), "a/m");
  infer_request_free(request);
  fake_client_free(fake);
}

/* ---- Cost ---------------------------------------------------------------- */

#define PRICED                                           \
  "[{'target':'a/m','price':{'input':2.5,'output':10}}," \
  "{'target':'b/m','price':{'input':0.15,'output':0.6}},'c/m']"

static void
the_cheapest_is_asked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.three.strategy", "'cost'",
                                      "routes.three.targets", PRICED, NULL);
  all_answer(fake);
  call_times(fake, "three", 20, 20);
  assert_int_equal(requests_to(fake, B), 20);
  infer_request *request = fake_request_new("three");
  assert_contains(planned(fake, request, 0), "b/m");
  assert_contains(planned(fake, request, 1), "a/m");
  assert_contains(planned(fake, request, 2), "c/m"); /* no price */
  infer_request_free(request);
  fake_client_free(fake);
}

static void
if_it_is_fast_enough(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      NO_HASTE, "routes.three.strategy", "'cost'", "routes.three.targets",
      PRICED, "routes.three.cost.max_first_token_ms", "500", NULL);
  answers_after(fake, A, 100);
  answers_after(fake, B, 900);
  answers_after(fake, C, 100);
  call_times(fake, "three", 20, 1000);
  assert_in_range(requests_to(fake, B), 1, 2);
  assert_true(requests_to(fake, A) >= 17);
  answers_after(fake, B, 200); /* it has become fast, and is found out */
  call_times(fake, "three", 230, 1000);
  assert_true(requests_to(fake, B) > 10);
  fake_client_free(fake);
}

/* What is a little above the bound is asked if it was below it before, and only
 * then. */
static void
at_the_bound_it_stays_as_it_was(void **state)
{
  (void)state;
  for (int was_fast = 0; was_fast < 2; was_fast++) {
    fake_client *fake = fake_client_new(
        NO_HASTE, "routes.three.strategy", "'cost'", "routes.three.targets",
        PRICED, "routes.three.cost.max_first_token_ms", "500", NULL);
    all_answer(fake);
    answers_after(fake, B, was_fast ? 500 : 530);
    call_times(fake, "three", 1, 1000);
    answers_after(fake, B, 530);
    call_times(fake, "three", 8, 1000);
    if (was_fast)
      assert_int_equal(requests_to(fake, B), 9);
    else
      assert_int_equal(requests_to(fake, B), 1);
    fake_client_free(fake);
  }
}

/* ---- Filters ------------------------------------------------------------- */

static void
filters_come_first(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.three.strategy", "'cost'", "routes.three.targets",
                      PRICED, "routes.three.max_price.input", "1", NULL);
  infer_request *request = fake_request_new("three");
  assert_contains(planned(fake, request, 0), "b/m: place 1");
  assert_contains(planned(fake, request, 1), "a/m: costs more for prompts");
  assert_contains(planned(fake, request, 2), "c/m: costs more for prompts");
  infer_request_free(request);
  fake_client_free(fake);
}

static void
a_request_that_nobody_can_serve_says_why(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "routes.one.targets", "[{'target':'a/m','lacks':['tools']}]", NULL);
  infer_request *request = fake_request_new("one");
  const char tools[] =
      "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]";
  infer_request_set_json(request, "tools", tools, strlen(tools), NULL);
  infer_call *call = NULL;
  infer_error *error = NULL;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 0, &call, &error),
                   INFER_E_NO_TARGET);
  assert_string_equal(infer_error_message(error),
                      "one: no target may serve the call: \"a/m\" takes no "
                      "tools");
  infer_error_free(error);
  infer_request_free(request);
  fake_client_free(fake);
}

static const char too_long[] =
    "{\"error\":{\"message\":\"too long\",\"type\":\"invalid_request_error\","
    "\"code\":\"context_length_exceeded\"}}";

/* And nowhere else: b's is smaller, c's is not known. */
static void
too_long_a_prompt_goes_to_a_larger_context(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_STAY, "routes.r.targets",
                      "[{'target':'a/m','context_tokens':8000},"
                      "{'target':'b/m','context_tokens':4000},'c/m',"
                      "{'target':'b/large','context_tokens':128000}]",
                      NULL);
  fake_reply(fake_script_next(&fake->net), 5, 400, NULL, too_long);
  answers_after(fake, B, 5);
  answers_after(fake, C, 5);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_int_equal(fake->net.request_count, 2);
  assert_contains(fake->net.requests[1].body, "\"model\":\"large\"");
  fake_client_free(fake);
}

static void
or_ends(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_STAY, "routes.r.targets",
                      "[{'target':'a/m','context_tokens':8000},'b/m',"
                      "{'target':'c/m','context_tokens':8000}]",
                      NULL);
  fake_reply(fake_script_next(&fake->net), 5, 400, NULL, too_long);
  all_answer(fake);
  assert_int_equal(call_once(fake, "r"), INFER_E_CONTEXT_LENGTH);
  assert_int_equal(fake->net.request_count, 1);
  fake_client_free(fake);
}

/* ---- Overrides ----------------------------------------------------------- */

static void
another_model_gets_other_settings(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_STAY, "routes.r.targets",
                      "['a/m',{'target':'b/m','overrides':{'temperature':1,"
                      "'system_prompt':'be brief','seed':null}}]",
                      NULL);
  is_down(fake, A);
  answers_after(fake, B, 5);
  infer_request *request = fake_request_new("r");
  infer_request_set_json(request, "temperature", "0.25", 4, NULL);
  infer_request_set_json(request, "seed", "7", 1, NULL);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 50);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_contains(fake->net.requests[0].body, "\"temperature\":0.25");
  assert_contains(fake->net.requests[0].body, "\"seed\":7");
  assert_lacks(fake->net.requests[0].body, "be brief");
  assert_contains(fake->net.requests[1].body, "\"temperature\":1,");
  assert_lacks(fake->net.requests[1].body, "seed");
  assert_contains(fake->net.requests[1].body,
                  "\"messages\":[{\"role\":\"system\",\"content\":\"be "
                  "brief\"},");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_are_shares),
      cmocka_unit_test(the_others_serve_failover),
      cmocka_unit_test(a_tenant_stays_where_it_is),
      cmocka_unit_test(so_does_what_has_the_same_tag),
      cmocka_unit_test(the_dry_run_tells_the_heaviest),
      cmocka_unit_test(the_fastest_is_asked),
      cmocka_unit_test(the_first_burst_is_shared_out),
      cmocka_unit_test(one_call_of_a_burst_explores),
      cmocka_unit_test(silence_drives_calls_away),
      cmocka_unit_test(failures_count),
      cmocka_unit_test(by_default_it_does_not_stay),
      cmocka_unit_test(whole_answers_are_no_first_contents),
      cmocka_unit_test(the_cheapest_is_asked),
      cmocka_unit_test(if_it_is_fast_enough),
      cmocka_unit_test(at_the_bound_it_stays_as_it_was),
      cmocka_unit_test(filters_come_first),
      cmocka_unit_test(a_request_that_nobody_can_serve_says_why),
      cmocka_unit_test(too_long_a_prompt_goes_to_a_larger_context),
      cmocka_unit_test(or_ends),
      cmocka_unit_test(another_model_gets_other_settings),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
