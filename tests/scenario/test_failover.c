/* SPDX-License-Identifier: MIT */
/* A provider that refuses, resets, stalls, cuts or overloads: what the caller
 * gets, what each provider saw, and when. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOOD "{'defaults':{'text':'All is well.'}}"
#define FAST                                                         \
  "'timeouts':{'connect_ms':500,'first_token_ms':300,'idle_ms':300," \
  "'attempt_ms':3000,'deadline_ms':8000}"
#define ROUTE(options) \
  "'routes':{'r':{'targets':['a/m','b/m']," FAST options "}}"

/* For tests of what a call does: nothing of it is to depend on the calls
 * before. */
#define UNCHECKED "'defaults':{'breaker':false,'retry_budget':false}"

/* Provider a behaves as the script says, b is well. */
static void
two_providers(world *w, const char *behaviour, const char *options)
{
  char script[2048], members[2048];
  snprintf(script, sizeof script, "{'defaults':%s}", behaviour);
  world_sim(w, 1, script);
  world_sim(w, 2, GOOD);
  snprintf(members, sizeof members,
           "'routes':{'r':{'targets':['a/m','b/m']," FAST "%s}}", options);
  world_usual(w, members);
}

static void
expect_good(const outcome *o, const char *trail)
{
  if (o->status != INFER_OK)
    fail_msg("%s (%s)", infer_error_message(o->error), outcome_trail(o));
  assert_string_equal(infer_response_text(o->response, NULL), "All is well.");
  assert_string_equal(outcome_trail(o), trail);
  assert_string_equal(infer_response_provider(o->response), "b");
  assert_string_equal(infer_response_target(o->response), "b/m");
  size_t last = outcome_attempts(o) - 1;
  assert_int_equal(infer_attempt_won(outcome_attempt(o, last)), 1);
  assert_int_equal(infer_attempt_won(outcome_attempt(o, 0)), 0);
}

/* ---- What goes elsewhere, and after what --------------------------------- */

static const struct misfortune {
  const char *behaviour;
  const char *trail;
  size_t seen_by_a;
} misfortunes[] = {
    /* the same target once more, then the next */
    {"{'status':503}",
     "a/m first OVERLOADED, a/m retry OVERLOADED, b/m failover OK", 2},
    {"{'status':529}",
     "a/m first OVERLOADED, a/m retry OVERLOADED, b/m failover OK", 2},
    {"{'status':500}", "a/m first SERVER, a/m retry SERVER, b/m failover OK",
     2},
    {"{'status':524}", "a/m first SERVER, a/m retry SERVER, b/m failover OK",
     2},
    {"{'html_error':true,'status':502}",
     "a/m first SERVER, a/m retry SERVER, b/m failover OK", 2},
    {"{'status':429}",
     "a/m first RATE_LIMITED, a/m retry RATE_LIMITED, b/m failover OK", 2},
    {"{'reset':'before_headers'}",
     "a/m first RESET, a/m retry RESET, b/m failover OK", 2},
    {"{'error_in_200':{'message':'overloaded','type':'overloaded_error'}}",
     "a/m first OVERLOADED, a/m retry OVERLOADED, b/m failover OK", 2},
    /* at once elsewhere */
    {"{'status':404}", "a/m first NOT_FOUND, b/m failover OK", 1},
    {"{'status':401}", "a/m first AUTH, b/m failover OK", 1},
    {"{'status':402}", "a/m first QUOTA, b/m failover OK", 1},
    {"{'status':413}", "a/m first REQUEST_TOO_LARGE, b/m failover OK", 1},
    {"{'silence':true}", "a/m first FIRST_TOKEN_TIMEOUT, b/m failover OK", 1},
    {"{'headers':'immediate','first_token_ms':5000}",
     "a/m first FIRST_TOKEN_TIMEOUT, b/m failover OK", 1},
    {"{'status':429,'headers':{'retry-after':'300'}}",
     "a/m first RATE_LIMITED, b/m failover OK", 1},
    {"{'status':503,'headers':{'x-should-retry':'false'}}",
     "a/m first OVERLOADED, b/m failover OK", 1},
};

static void
test_failover_before_content(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof misfortunes / sizeof misfortunes[0]; i++) {
    const struct misfortune *m = &misfortunes[i];
    for (int stream = 0; stream < 2; stream++) {
      world w = {0};
      two_providers(&w, m->behaviour, "");
      outcome o = stream ? world_stream(&w, "r") : world_chat(&w, "r");
      if (strcmp(outcome_trail(&o), m->trail) != 0)
        fail_msg("%s: %s\nwant: %s", m->behaviour, outcome_trail(&o), m->trail);
      expect_good(&o, m->trail);
      if (stream) {
        assert_int_equal(o.starts, 1);
        assert_int_equal(o.restarts, 0);
      }
      assert_int_equal(world_requests(&w, 1), m->seen_by_a);
      assert_int_equal(world_requests(&w, 2), 1);
      outcome_end(&o);
      world_end(&w);
    }
  }
}

static void
test_what_ends_the_call(void **state)
{
  (void)state;
  static const struct {
    const char *behaviour;
    int32_t status;
  } cases[] = {
      {"{'status':400}", INFER_E_BAD_REQUEST},
      {"{'status':422}", INFER_E_BAD_REQUEST},
      {"{'redirect':'http://127.0.0.1:1/'}", INFER_E_BAD_REQUEST},
      {"{'status':400,'body':{'error':{'message':'too long','code':"
       "'context_length_exceeded'}}}",
       INFER_E_CONTEXT_LENGTH},
      {"{'status':400,'body':{'error':{'message':'refused','code':"
       "'content_filter'}}}",
       INFER_E_CONTENT_FILTER},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world w = {0};
    two_providers(&w, cases[i].behaviour, "");
    outcome o = world_chat(&w, "r");
    if (o.status != cases[i].status)
      fail_msg("%s: %s", cases[i].behaviour, infer_status_name(o.status));
    assert_int_equal(outcome_attempts(&o), 1);
    assert_int_equal(infer_error_retryable(o.error), 0);
    assert_string_equal(infer_error_provider(o.error), "a");
    assert_string_equal(infer_error_target(o.error), "a/m");
    assert_int_equal(world_requests(&w, 1), 1);
    assert_int_equal(world_requests(&w, 2), 0);
    outcome_end(&o);
    world_end(&w);
  }
}

static void
test_content_filter_goes_elsewhere_if_the_route_says_so(void **state)
{
  (void)state;
  world w = {0};
  two_providers(&w,
                "{'status':400,'body':{'error':{'message':'refused','code':"
                "'content_filter'}}}",
                ",'failover_on':['content_filter']");
  outcome o = world_chat(&w, "r");
  expect_good(&o, "a/m first CONTENT_FILTER, b/m failover OK");
  outcome_end(&o);
  world_end(&w);
}

static void
test_a_dead_port(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, GOOD);
  world_client(&w, "{'providers':[{'name':'dead','type':'openai','base_url':"
                   "'$DEAD'},{'name':'b','type':'openai','base_url':'$1'}],"
                   "'routes':{'r':{'targets':['dead/m','b/m'],'stay':{"
                   "'retries':0}}}}");
  outcome o = world_stream(&w, "r");
  expect_good(&o, "dead/m first CONNECT, b/m failover OK");
  assert_true(o.took_ms < 1500);
  const infer_attempt *first = outcome_attempt(&o, 0);
  assert_int_equal(infer_attempt_http_status(first), 0);
  assert_int_equal(infer_attempt_phase_ns(first, INFER_PHASE_SENT), -1);
  assert_true(strlen(infer_attempt_message(first)) > 0);
  outcome_end(&o);
  world_end(&w);
}

static void
test_an_unknown_host(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, GOOD);
  world_client(&w, "{'providers':[{'name':'x','type':'openai','base_url':"
                   "'http://no-such-host.invalid/v1'},{'name':'b','type':"
                   "'openai','base_url':'$1'}],'routes':{'r':{'targets':["
                   "'x/m','b/m'],'stay':{'retries':0}}}}");
  outcome o = world_chat(&w, "r");
  expect_good(&o, "x/m first RESOLVE, b/m failover OK");
  assert_int_equal(
      infer_attempt_phase_ns(outcome_attempt(&o, 0), INFER_PHASE_SENT), -1);
  outcome_end(&o);
  world_end(&w);
}

static void
test_a_provider_that_is_killed(void **state)
{
  (void)state;
  world w = {0};
  two_providers(&w, "{'text':'All is well.'}", "");
  outcome o = world_chat(&w, "r");
  assert_string_equal(outcome_trail(&o), "a/m first OK");
  outcome_end(&o);
  sim_kill(w.sims[0]);
  w.sims[0] = NULL;
  for (int i = 0; i < 3; i++) {
    o = world_stream(&w, "r");
    assert_int_equal(o.status, INFER_OK);
    assert_string_equal(infer_response_provider(o.response), "b");
    outcome_end(&o);
  }
  assert_int_equal(world_requests(&w, 2), 3);
  world_end(&w);
}

/* ---- When ---------------------------------------------------------------- */

static void
test_backoff_on_the_same_target(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'requests':'1'},'do':{'status':503}}],"
            "'defaults':{'text':'All is well.'}}");
  world_usual(&w, UNCHECKED);
  for (int i = 0; i < 5; i++) {
    outcome o = world_chat(&w, "a/m");
    assert_string_equal(outcome_trail(&o),
                        "a/m first OVERLOADED, a/m retry OK");
    json_object *log = world_log(&w, 1, 2);
    int64_t gap_ns =
        log_int(log, 1, "received_ns") - log_int(log, 0, "received_ns");
    assert_true(gap_ns >= 50 * 1000000ll && gap_ns <= 600 * 1000000ll);
    int64_t waited_ns = infer_attempt_phase_ns(outcome_attempt(&o, 1),
                                               INFER_PHASE_LIMITER_WAIT);
    assert_true(waited_ns >= 50 * 1000000ll && waited_ns <= 600 * 1000000ll);
    json_object_put(log);
    outcome_end(&o);
    assert_true(sim_reset(w.sims[0]));
  }
  world_end(&w);
}

static void
test_hint_is_a_floor(void **state)
{
  (void)state;
  static const char *const hints[] = {
      "{'status':429,'headers':{'retry-after-ms':'400'}}",
      "{'status':429,'headers':{'retry-after-ms':'0','retry-after':'0.4'}}",
      "{'status':429,'body':{'error':{'message':'Please try again in "
      "400ms.'}}}",
      "{'status':503,'headers':{'retry-after':'0.4'}}",
  };
  for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
    world w = {0};
    char script[1024];
    snprintf(script, sizeof script,
             "{'rules':[{'when':{'requests':'1'},'do':%s}]}", hints[i]);
    world_sim(&w, 1, script);
    world_usual(&w, "");
    outcome o = world_chat(&w, "a/m");
    assert_int_equal(o.status, INFER_OK);
    json_object *log = world_log(&w, 1, 2);
    int64_t gap_ns =
        log_int(log, 1, "received_ns") - log_int(log, 0, "received_ns");
    if (gap_ns < 400 * 1000000ll || gap_ns > 1000 * 1000000ll)
      fail_msg("%s: the second request came after %lld ms", hints[i],
               (long long)(gap_ns / 1000000));
    json_object_put(log);
    outcome_end(&o);
    world_end(&w);
  }
}

static void
test_hint_beyond_the_deadline_ends_at_once(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'status':429,'headers':{'retry-after':'5'}}}");
  world_usual(&w, "'defaults':{'timeouts':{'deadline_ms':2000}}");
  outcome o = world_chat(&w, "a/m");
  assert_int_equal(o.status, INFER_E_RATE_LIMITED);
  assert_int_equal(infer_error_retry_after_ms(o.error), 5000);
  assert_int_equal(infer_error_retryable(o.error), 1);
  assert_int_equal(infer_error_http_status(o.error), 429);
  assert_true(o.took_ms < 1500);
  assert_int_equal(world_requests(&w, 1), 1);
  outcome_end(&o);
  world_end(&w);
}

static void
test_retry_after_on_success_is_no_hint(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'ok','headers':{'retry-after':'55'}}}");
  world_usual(&w, "");
  outcome o = world_chat(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_chat(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  assert_true(o.took_ms < 3000);
  outcome_end(&o);
  world_end(&w);
}

static void
test_allowance(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'status':503}}");
  world_sim(&w, 2, "{'defaults':{'status':500}}");
  world_usual(&w, "'routes':{'r':{'targets':['a/m','b/m']},'none':{'targets':["
                  "'a/m','b/m'],'retries':0},'many':{'targets':['a/m'],"
                  "'retries':4}}," UNCHECKED);
  outcome o = world_chat(&w, "r");
  assert_int_equal(outcome_attempts(&o), 4); /* 1 + 2 + (2 - 1) */
  outcome_end(&o);
  o = world_chat(&w, "none");
  assert_int_equal(outcome_attempts(&o), 2);
  outcome_end(&o);
  o = world_chat(&w, "many");
  assert_int_equal(outcome_attempts(&o), 5);
  assert_int_equal(o.status, INFER_E_OVERLOADED);
  outcome_end(&o);
  world_end(&w);
}

static void
test_deadline_over_everything(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'silence':true}}");
  world_usual(&w, "'defaults':{'timeouts':{'deadline_ms':60000}}");
  infer_request *request = world_request("a/m", "hi");
  assert_int_equal(infer_request_set_deadline_ms(request, 250), INFER_OK);
  for (int stream = 0; stream < 2; stream++) {
    outcome o = world_run(&w, request, stream);
    assert_int_equal(o.status, INFER_E_DEADLINE);
    assert_true(o.took_ms >= 240 && o.took_ms < 1500);
    assert_non_null(strstr(infer_error_message(o.error), "250 ms"));
    assert_int_equal(infer_error_attempt_count(o.error), 1);
    outcome_end(&o);
  }
  infer_request_free(request);
  world_end(&w);
}

/* ---- Keys ---------------------------------------------------------------- */

static void
test_next_key(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'key':'key-one'},'do':{'status':401}},{'when':"
            "{'key':'key-two'},'do':{'status':429,'body':{'error':{'message':"
            "'You exceeded your current quota','type':'insufficient_quota',"
            "'code':'insufficient_quota'}}}}],'defaults':{'text':'ok'}}");
  world_client(&w, "{'providers':[{'name':'a','type':'openai','base_url':'$1',"
                   "'api_key':['key-one','key-two','key-three']}]}");
  outcome o = world_chat(&w, "a/m");
  assert_string_equal(outcome_trail(&o),
                      "a/m first AUTH, a/m key QUOTA, a/m key OK");
  assert_int_equal(infer_attempt_key_index(outcome_attempt(&o, 2)), 2);
  assert_true(o.took_ms < 1500);
  outcome_end(&o);
  /* The two keys are set aside: nobody asks with them again. */
  for (int i = 0; i < 3; i++) {
    o = world_chat(&w, "a/m");
    assert_string_equal(outcome_trail(&o), "a/m first OK");
    outcome_end(&o);
  }
  assert_int_equal(world_requests(&w, 1), 6);
  world_end(&w);
}

static void
test_all_keys_refused(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'require_key':'right'}}");
  world_client(&w, "{'providers':[{'name':'a','type':'openai','base_url':'$1',"
                   "'api_key':'wrong-key-0123456789'}]}");
  outcome o = world_chat(&w, "a/m");
  assert_int_equal(o.status, INFER_E_AUTH);
  assert_null(strstr(infer_error_message(o.error), "wrong-key"));
  assert_null(strstr(infer_error_provider_message(o.error), "wrong-key"));
  outcome_end(&o);
  o = world_chat(&w, "a/m");
  assert_int_equal(o.status, INFER_E_AUTH);
  assert_int_equal(outcome_attempts(&o), 0);
  assert_int_equal(world_requests(&w, 1), 1);
  outcome_end(&o);
  world_end(&w);
}

/* ---- Stale connections, run once ----------------------------------------- */

static void
test_run_once(void **state)
{
  (void)state;
  world w = {0};
  two_providers(&w, "{'status':503}", "");
  infer_request *request = world_request("r", "hi");
  assert_int_equal(infer_request_set_run_once(request, 1), INFER_OK);
  outcome o = world_run(&w, request, false);
  assert_int_equal(o.status, INFER_E_OVERLOADED);
  assert_int_equal(outcome_attempts(&o), 1);
  assert_int_equal(world_requests(&w, 1), 1);
  assert_int_equal(world_requests(&w, 2), 0);
  outcome_end(&o);
  infer_request_free(request);
  world_end(&w);

  /* Nothing was sent to a port that refuses: another may be asked. */
  world_sim(&w, 1, GOOD);
  world_client(&w, "{'providers':[{'name':'dead','type':'openai','base_url':"
                   "'$DEAD'},{'name':'b','type':'openai','base_url':'$1'}],"
                   "'routes':{'r':{'targets':['dead/m','b/m'],'stay':{"
                   "'retries':0}}}}");
  request = world_request("r", "hi");
  assert_int_equal(infer_request_set_run_once(request, 1), INFER_OK);
  o = world_run(&w, request, false);
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  infer_request_free(request);
  world_end(&w);
}

static void
test_stale_connection_is_resent_once(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'requests':'2'},'do':{'reset':"
            "'before_headers'}}],'defaults':{'text':'ok'}}");
  world_usual(&w, "'defaults':{'retries':0,'stay':{'retries':0}}");
  outcome o = world_chat(&w, "a/m");
  assert_string_equal(outcome_trail(&o), "a/m first OK");
  outcome_end(&o);
  o = world_chat(&w, "a/m");
  assert_string_equal(outcome_trail(&o), "a/m first RESET, a/m resend OK");
  assert_int_equal(infer_attempt_reused_connection(outcome_attempt(&o, 0)), 1);
  assert_int_equal(infer_attempt_reused_connection(outcome_attempt(&o, 1)), 0);
  assert_true(o.took_ms < 1000);
  outcome_end(&o);
  json_object *log = world_log(&w, 1, 3);
  assert_string_equal(log_text(log, 1, "end"), "reset");
  json_object_put(log);
  world_end(&w);
}

/* ---- Labels -------------------------------------------------------------- */

static void
test_required_labels(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, GOOD);
  world_sim(&w, 2, "{'defaults':{'status':503}}");
  world_client(
      &w, "{'providers':[{'name':'open','type':'openai','base_url':'$1'},{"
          "'name':'house','type':'openai','base_url':'$2','labels':['private',"
          "'eu']}],'routes':{'any':{'targets':['open/m','house/m']},'private':"
          "{'targets':['open/m','house/m'],'require_labels':['private']}}}");
  outcome o = world_chat(&w, "private");
  assert_int_equal(o.status, INFER_E_OVERLOADED);
  assert_string_equal(infer_error_provider(o.error), "house");
  outcome_end(&o);
  infer_request *request = world_request("any", "secret");
  assert_int_equal(infer_request_require_label(request, "eu"), INFER_OK);
  o = world_run(&w, request, true);
  assert_int_equal(o.status, INFER_E_OVERLOADED);
  outcome_end(&o);
  assert_int_equal(infer_request_require_label(request, "moon"), INFER_OK);
  o = world_run(&w, request, false);
  assert_int_equal(o.status, INFER_E_NO_TARGET);
  assert_non_null(strstr(infer_error_message(o.error), "label"));
  outcome_end(&o);
  infer_request_free(request);
  assert_int_equal(world_requests(&w, 1), 0);
  world_end(&w);
}

/* ---- A provider that comes back ------------------------------------------ */

static void
test_down_for_a_while(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'down':[{'from_ms':0,'until_ms':400}],'defaults':{'text':"
            "'back'}}");
  world_usual(&w, "'defaults':{'retries':8,'timeouts':{'deadline_ms':8000}}");
  outcome o = world_chat(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  assert_true(outcome_attempts(&o) > 1);
  /* A connection may have been waiting when the listener closed. */
  int32_t first = infer_attempt_status(outcome_attempt(&o, 0));
  assert_true(first == INFER_E_CONNECT || first == INFER_E_RESET);
  outcome_end(&o);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_failover_before_content),
      cmocka_unit_test(test_what_ends_the_call),
      cmocka_unit_test(test_content_filter_goes_elsewhere_if_the_route_says_so),
      cmocka_unit_test(test_a_dead_port),
      cmocka_unit_test(test_an_unknown_host),
      cmocka_unit_test(test_a_provider_that_is_killed),
      cmocka_unit_test(test_backoff_on_the_same_target),
      cmocka_unit_test(test_hint_is_a_floor),
      cmocka_unit_test(test_hint_beyond_the_deadline_ends_at_once),
      cmocka_unit_test(test_retry_after_on_success_is_no_hint),
      cmocka_unit_test(test_allowance),
      cmocka_unit_test(test_deadline_over_everything),
      cmocka_unit_test(test_next_key),
      cmocka_unit_test(test_all_keys_refused),
      cmocka_unit_test(test_run_once),
      cmocka_unit_test(test_stale_connection_is_resent_once),
      cmocka_unit_test(test_required_labels),
      cmocka_unit_test(test_down_for_a_while),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
