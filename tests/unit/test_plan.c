/* SPDX-License-Identifier: MIT */
/* The order of targets and the hard filters over them, by the dry run, which
 * is the same code. */
#include "support/breaker_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static infer_plan *
plan_of(fake_client *fake, const infer_request *request)
{
  infer_plan *plan;
  infer_error *error = NULL;
  if (infer_client_plan(fake->client, request, &plan, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  return plan;
}

static void
assert_line(const infer_plan *plan, size_t index, const char *target,
            int32_t status, const char *reason)
{
  assert_string_equal(infer_plan_target(plan, index), target);
  assert_int_equal(infer_plan_status(plan, index), status);
  assert_contains(infer_plan_reason(plan, index), reason);
}

static void
targets_stand_in_the_route_s_order(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("three");
  infer_plan *plan = plan_of(fake, request);
  assert_int_equal(infer_plan_count(plan), 3);
  assert_line(plan, 0, "a/m", INFER_OK, "place 1");
  assert_line(plan, 1, "b/m", INFER_OK, "place 2");
  assert_line(plan, 2, "c/m", INFER_OK, "\"three\"");
  infer_plan_free(plan);
  infer_request_free(request);
  assert_int_equal(fake->net.request_count, 0);
  fake_client_free(fake);
}

static void
a_target_that_is_named_stands_alone(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("b/some/model");
  infer_plan *plan = plan_of(fake, request);
  assert_int_equal(infer_plan_count(plan), 1);
  assert_line(plan, 0, "b/some/model", INFER_OK, "named by the request");
  infer_plan_free(plan);
  infer_request_free(request);
  fake_client_free(fake);
}

/* Those that may be tried come first, the others in their own order. */
static void
filtered_targets_stand_behind_with_the_reason(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.c.labels", "['eu','private']", "providers.b.labels",
      "['private']", "routes.three.require_labels", "['private']", NULL);
  infer_request *request = fake_request_new("three");
  infer_plan *plan = plan_of(fake, request);
  assert_line(plan, 0, "b/m", INFER_OK, "place 1");
  assert_line(plan, 1, "c/m", INFER_OK, "place 2");
  assert_line(plan, 2, "a/m", INFER_E_NO_TARGET, "\"private\"");
  infer_plan_free(plan);
  infer_request_require_label(request, "eu");
  plan = plan_of(fake, request);
  assert_line(plan, 0, "c/m", INFER_OK, "place 1");
  assert_line(plan, 1, "a/m", INFER_E_NO_TARGET, "\"private\"");
  assert_line(plan, 2, "b/m", INFER_E_NO_TARGET, "\"eu\"");
  infer_plan_free(plan);
  infer_request_require_label(request, "mars");
  plan = plan_of(fake, request);
  assert_line(plan, 0, "a/m", INFER_E_NO_TARGET, "\"private\"");
  assert_line(plan, 1, "b/m", INFER_E_NO_TARGET, "\"eu\"");
  assert_line(plan, 2, "c/m", INFER_E_NO_TARGET, "\"mars\"");
  infer_plan_free(plan);
  infer_request_free(request);
  fake_client_free(fake);
}

static void
a_route_may_require_several_labels(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.a.labels", "['private']", "providers.b.labels",
      "['private','eu']", "routes.r.require_labels", "['private','eu']", NULL);
  infer_request *request = fake_request_new("r");
  infer_plan *plan = plan_of(fake, request);
  assert_line(plan, 0, "b/m", INFER_OK, "place 1");
  assert_line(plan, 1, "a/m", INFER_E_NO_TARGET, "\"eu\"");
  infer_plan_free(plan);
  infer_request_free(request);
  fake_client_free(fake);
}

/* The very characters: nothing that only begins, ends or looks alike. */
static void
a_label_is_what_it_is(void **state)
{
  (void)state;
  static const char *const others[] = {"['eu-west']", "['not-eu']", "['EU']",
                                       "['e']",       "['eu ']",    "[]"};
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    fake_client *fake = fake_client_new(
        "providers.a.labels", others[i], "providers.b.labels", "['x','eu']",
        "routes.r.require_labels", "['eu']", NULL);
    infer_request *request = fake_request_new("r");
    infer_plan *plan = plan_of(fake, request);
    assert_line(plan, 0, "b/m", INFER_OK, "place 1");
    assert_line(plan, 1, "a/m", INFER_E_NO_TARGET, "\"eu\"");
    infer_plan_free(plan);
    infer_request_free(request);
    fake_client_free(fake);
  }
}

static void
keys_that_are_set_aside_keep_a_target_out(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 0, 401, NULL, "");
  fake_stream_all(fake_script_always(&fake->net), 0, "x");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  infer_request *request = fake_request_new("three");
  infer_plan *plan = plan_of(fake, request);
  assert_line(plan, 0, "b/m", INFER_OK, "place 1");
  assert_line(plan, 1, "c/m", INFER_OK, "place 2"); /* it needs no key */
  assert_line(plan, 2, "a/m", INFER_E_AUTH, "key refused");
  infer_plan_free(plan);
  infer_request_free(request);
  fake_client_free(fake);
}

/* The dry run says what the call then does. */
static void
the_dry_run_does_not_lie(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.b.labels", "['x']", "providers.c.labels",
                      "['x']", "routes.three.retries", "0", NULL);
  fake_reply(fake_script_always(&fake->net), 0, 404, NULL, "");
  infer_request *request = fake_request_new("three");
  infer_request_require_label(request, "x");
  infer_plan *plan = plan_of(fake, request);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 1000);
  infer_error *error = fake_error(call);
  size_t tried = 0;
  while (infer_plan_status(plan, tried) == INFER_OK) {
    assert_string_equal(infer_attempt_target(infer_error_attempt(error, tried)),
                        infer_plan_target(plan, tried));
    tried++;
  }
  assert_int_equal(infer_error_attempt_count(error), tried);
  infer_error_free(error);
  infer_plan_free(plan);
  infer_call_free(call);
  fake_client_free(fake);
}

/* What is open stands behind the others, and before what is kept out. */
static void
what_a_breaker_says_is_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "routes.four",
      "{'targets':['a/m','b/m','c/m','a/n'],'require_labels':[]}", "routes.off",
      "{'targets':['a/m','b/m'],'breaker':false}", NULL);
  open_breaker(fake, "a/m", A);
  open_breaker(fake, "c/m", C);
  infer_request *request = fake_request_new("four");
  infer_plan *plan = plan_of(fake, request);
  assert_line(plan, 0, "b/m", INFER_OK, "place 1");
  assert_lacks(infer_plan_reason(plan, 0), "breaker");
  assert_line(plan, 1, "a/n", INFER_OK, "place 2");
  assert_line(plan, 2, "a/m", INFER_OK, "; its breaker is open: failing; next");
  assert_line(plan, 3, "c/m", INFER_OK, "; its breaker is open: failing; next");
  unsigned wait_ms;
  assert_int_equal(sscanf(infer_plan_reason(plan, 3),
                          "place 4 in the order of route \"four\"; its breaker "
                          "is open: failing; next probe in %u ms",
                          &wait_ms),
                   1);
  assert_in_range(wait_ms, 1600, 2400);
  infer_plan_free(plan);
  infer_request_set_model(request, "off");
  plan = plan_of(fake, request);
  assert_line(plan, 0, "a/m", INFER_OK, "place 1");
  assert_lacks(infer_plan_reason(plan, 0), "breaker");
  infer_plan_free(plan);
  infer_request_free(request);
  fake_client_free(fake);
}

/* Where it is the last resort it is asked sooner. */
static void
a_single_target_is_asked_sooner(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  open_breaker(fake, "a/m", A);
  infer_request *request = fake_request_new("a/m");
  infer_plan *plan = plan_of(fake, request);
  unsigned wait_ms;
  assert_int_equal(sscanf(infer_plan_reason(plan, 0),
                          "named by the request; its breaker is open: failing; "
                          "next probe in %u ms",
                          &wait_ms),
                   1);
  assert_in_range(wait_ms, 1280, 1600);
  infer_plan_free(plan);
  fake_run_ms(fake, 1600);
  plan = plan_of(fake, request);
  assert_line(plan, 0, "a/m", INFER_OK, "failing; a probe is due");
  infer_plan_free(plan);
  is_well(fake, A);
  call_once(fake, "one");
  call_once(fake, "one");
  plan = plan_of(fake, request);
  assert_line(plan, 0, "a/m", INFER_OK, "lets 10 % of the requests through");
  infer_plan_free(plan);
  infer_request_free(request);
  fake_client_free(fake);
}

static void
bad_arguments_are_refused(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("three");
  infer_plan *plan;
  infer_error *error;
  assert_int_equal(infer_client_plan(NULL, request, &plan, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_plan(fake->client, NULL, &plan, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_plan(fake->client, request, NULL, &error),
                   INFER_E_INVALID_ARGUMENT);
  infer_error_free(error);
  infer_request_set_model(request, "nobody/m");
  assert_int_equal(infer_client_plan(fake->client, request, &plan, &error),
                   INFER_E_CONFIG);
  assert_null(plan);
  infer_error_free(error);
  assert_int_equal(infer_plan_count(NULL), 0);
  assert_string_equal(infer_plan_target(NULL, 0), "");
  assert_string_equal(infer_plan_reason(NULL, 0), "");
  assert_int_equal(infer_plan_status(NULL, 0), INFER_E_INVALID_ARGUMENT);
  infer_plan_free(NULL);
  infer_request_free(request);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(targets_stand_in_the_route_s_order),
      cmocka_unit_test(a_target_that_is_named_stands_alone),
      cmocka_unit_test(filtered_targets_stand_behind_with_the_reason),
      cmocka_unit_test(a_route_may_require_several_labels),
      cmocka_unit_test(a_label_is_what_it_is),
      cmocka_unit_test(keys_that_are_set_aside_keep_a_target_out),
      cmocka_unit_test(the_dry_run_does_not_lie),
      cmocka_unit_test(what_a_breaker_says_is_told),
      cmocka_unit_test(a_single_target_is_asked_sooner),
      cmocka_unit_test(bad_arguments_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
