/* SPDX-License-Identifier: MIT */
/* What others got wrong with rate limits, and that it is not so here; see
 * docs/pitfalls.md, section E. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { calls_max = 10 };

#define LIMITED(limits, defaults)                                       \
  "{'providers':[{'name':'a','type':'openai','base_url':'$1','limits':" \
  "{" limits "}}],'defaults':{'retries':0,'breaker':false" defaults "}}"
#define DEADLINE(ms) ",'timeouts':{'deadline_ms':" #ms "}"

static infer_request *
asks_for(int most)
{
  infer_request *request = world_request("a/m", "count");
  assert_int_equal(infer_request_set_int(request, "max_tokens", most),
                   INFER_OK);
  return request;
}

static outcome
stream_of(world *w, int most)
{
  infer_request *request = asks_for(most);
  outcome o = world_run(w, request, true);
  infer_request_free(request);
  return o;
}

static void
submit_all(world *w, infer_call **calls, size_t count)
{
  infer_request *request = asks_for(100);
  for (size_t i = 0; i < count; i++)
    assert_int_equal(infer_submit(w->client, request, INFER_SUBMIT_WHOLE, NULL,
                                  i, &calls[i], NULL),
                     INFER_OK);
  infer_request_free(request);
}

/* BerriAI/litellm#18730: 663 tokens passed through a limit of 100, since they
 * were counted when it was over. */
static void
tokens_are_reserved_before_the_send(void **state)
{
  (void)state;
  world w = {0};
  infer_call *calls[calls_max];
  world_sim(&w, 1, "{'defaults':{'tokens':100,'first_token_ms':100}}");
  world_client(&w, LIMITED("'tokens_per_minute':100", DEADLINE(1000)));
  submit_all(&w, calls, calls_max);
  size_t served = 0;
  for (size_t i = 0; i < calls_max; i++) {
    infer_error *error = NULL;
    int32_t status = infer_call_wait(calls[i], 5000, NULL, &error);
    served += status == INFER_OK;
    if (status != INFER_OK) {
      assert_int_equal(status, INFER_E_RATE_LIMITED);
      assert_int_equal(infer_error_attempt_count(error), 0);
    }
    infer_error_free(error);
    infer_call_free(calls[i]);
  }
  assert_int_equal(served, 1);
  assert_int_equal(world_requests(&w, 1), 1);
  world_end(&w);
}

/* What was reserved and not used is there for the next call. */
static void
usage_settles_what_was_reserved(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'text':'ok','usage':{'prompt_tokens':5,"
            "'completion_tokens':5,'total_tokens':10}}}");
  world_client(&w, LIMITED("'tokens_per_minute':250", DEADLINE(1000)));
  for (int i = 0; i < 5; i++) {
    outcome o = stream_of(&w, 100);
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
  }
  world_end(&w);
}

/* BerriAI/litellm#41610: the limit of tokens was never enforced for streams. */
static void
streams_are_limited_like_any_other(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'text':'ok','usage':{'prompt_tokens':63,"
            "'completion_tokens':600,'total_tokens':663}}}");
  world_client(&w, LIMITED("'tokens_per_minute':700", DEADLINE(1000)));
  outcome o = stream_of(&w, 600);
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = stream_of(&w, 600);
  assert_int_equal(o.status, INFER_E_RATE_LIMITED);
  assert_int_equal(outcome_attempts(&o), 0);
  outcome_end(&o);
  assert_int_equal(world_requests(&w, 1), 1);
  world_end(&w);
}

/* api7/aisix#688: the permit was released before the stream had ended. */
static void
a_permit_is_held_until_the_stream_has_ended(void **state)
{
  (void)state;
  world w = {0};
  infer_call *calls[3];
  world_sim(&w, 1, "{'defaults':{'tokens':20,'inter_token_ms':20}}");
  world_client(&w, LIMITED("'concurrency':1", ""));
  submit_all(&w, calls, 3);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(infer_call_wait(calls[i], 20000, NULL, NULL), INFER_OK);
    infer_call_free(calls[i]);
  }
  json_object *log = world_log(&w, 1, 3);
  for (size_t i = 1; i < 3; i++)
    assert_true(log_int(log, i, "received_ns") >=
                log_int(log, i - 1, "ended_ns"));
  json_object_put(log);
  world_end(&w);
}

/* Once, however it ends: a second release would let two through, none would
 * let nobody through. */
static void
whatever_the_end_a_permit_is_released_once(void **state)
{
  (void)state;
  static const char *const ends[] = {
      "'status':503",
      "'reset':{'after_tokens':3},'inter_token_ms':5",
      "'cut':{'after_tokens':3},'inter_token_ms':5",
      "'stall_after_tokens':3",
  };
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    world w = {0};
    char script[512];
    infer_call *calls[4];
    snprintf(script, sizeof script,
             "{'rules':[{'when':{'requests':'1'},'do':{%s}}],"
             "'defaults':{'tokens':5,'inter_token_ms':10}}",
             ends[i]);
    world_sim(&w, 1, script);
    world_client(&w, LIMITED("'concurrency':1", ",'timeouts':{'idle_ms':300}"));
    submit_all(&w, calls, 4);
    int ok = 0;
    for (size_t k = 0; k < 4; k++) {
      ok += infer_call_wait(calls[k], 20000, NULL, NULL) == INFER_OK;
      infer_call_free(calls[k]);
    }
    assert_int_equal(ok, 3);
    json_object *log = world_log(&w, 1, 4);
    for (size_t k = 2; k < 4; k++)
      assert_true(log_int(log, k, "received_ns") >=
                  log_int(log, k - 1, "ended_ns"));
    json_object_put(log);
    world_end(&w);
  }
}

/* The rule: reject at once if the wait exceeds what is left of the deadline. */
static void
a_wait_past_the_deadline_is_not_begun(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'ok'}}");
  world_client(&w, LIMITED("'requests_per_minute':1", DEADLINE(2000)));
  outcome o = world_stream(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_stream(&w, "a/m");
  assert_int_equal(o.status, INFER_E_RATE_LIMITED);
  assert_true(o.took_ms < 500);
  assert_true(infer_error_retry_after_ms(o.error) > 50000);
  assert_int_equal(outcome_attempts(&o), 0);
  outcome_end(&o);
  assert_int_equal(world_requests(&w, 1), 1);
  world_end(&w);
}

/* What is learned from headers alone keeps a provider from having to refuse. */
static void
a_quota_that_headers_tell_of_is_not_overrun(void **state)
{
  (void)state;
  world w = {0};
  infer_call *calls[calls_max];
  world_sim(&w, 1,
            "{'defaults':{'text':'ok','limit':{'requests_per_minute':600,"
            "'burst':12}}}");
  world_client(&w, LIMITED("", ""));
  outcome o = world_stream(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  for (int round = 0; round < 3; round++) {
    submit_all(&w, calls, calls_max);
    for (size_t i = 0; i < calls_max; i++) {
      assert_int_equal(infer_call_wait(calls[i], 20000, NULL, NULL), INFER_OK);
      infer_call_free(calls[i]);
    }
  }
  json_object *log = world_log(&w, 1, 1 + 3 * calls_max);
  for (size_t i = 0; i < 1 + 3 * calls_max; i++)
    assert_int_equal(log_int(log, i, "status"), 200);
  json_object_put(log);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tokens_are_reserved_before_the_send),
      cmocka_unit_test(usage_settles_what_was_reserved),
      cmocka_unit_test(streams_are_limited_like_any_other),
      cmocka_unit_test(a_permit_is_held_until_the_stream_has_ended),
      cmocka_unit_test(whatever_the_end_a_permit_is_released_once),
      cmocka_unit_test(a_wait_past_the_deadline_is_not_begun),
      cmocka_unit_test(a_quota_that_headers_tell_of_is_not_overrun),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
