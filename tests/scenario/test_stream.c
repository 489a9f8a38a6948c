/* SPDX-License-Identifier: MIT */
/* Answers over a socket: streamed equals whole, what breaks off is told or
 * recovered, and what is malformed is never taken for an answer. */
#include "world.h"

#include "support/json_compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUICK                                                                  \
  "'timeouts':{'connect_ms':500,'first_token_ms':400,'idle_ms':300,"          \
  "'attempt_ms':5000,'deadline_ms':10000}"

/* ---- Streamed equals whole ----------------------------------------------- */

static const char *const shapes[] = {
    "{'text':'Grüße, 世界! \\u2028 🙂'}",
    "{'tokens':200}",
    "{'text':''}",
    "{'reasoning':'Let me think.','text':'42'}",
    "{'refusal':'I cannot do that.'}",
    "{'tool_calls':[{'id':'c1','name':'weather','arguments':{'city':'Ulm'}},{"
    "'id':'c2','name':'time','arguments':{}}]}",
    "{'tool_calls':[{'id':'c1','name':'a','arguments':{'x':1}},{'id':'c2',"
    "'name':'b','arguments':{'y':'two'}}],'tool_index':'absent'}",
    "{'tool_calls':[{'id':'c1','name':'a','arguments':{'x':1}},{'id':'c2',"
    "'name':'b','arguments':{'y':'two'}}],'tool_index':'shared'}",
    "{'text':'x','service_tier':'default','system_fingerprint':'fp_1'}",
    "{'text':'some words here','usage':{'prompt_tokens':10,"
    "'completion_tokens':3,'total_tokens':13,'prompt_tokens_details':{"
    "'cached_tokens':4},'completion_tokens_details':{'reasoning_tokens':2}}}",
    "{'text':'cut short','finish_reason':'length'}",
};

/* How the bytes come does not matter either. */
static const char *const deliveries[] = {
    "",
    ",'write_bytes':1",
    ",'crlf':true",
    ",'cr':true",
    ",'bom':true",
    ",'comments':true",
    ",'gzip':true",
    ",'usage_chunk':'with_choices'",
    ",'role_chunk':'null_content'",
    ",'missing_done':true",
};

static char *
answer_json(const char *shape, const char *delivery, bool stream, int n)
{
  world w = {0};
  char script[4096];
  size_t len = strlen(shape);
  snprintf(script, sizeof script, "{'defaults':%.*s%s}}", (int)len - 1, shape,
           delivery);
  world_sim(&w, 1, script);
  world_usual(&w, stream ? "" : "'defaults':{'upstream':'unary'}");
  infer_request *request = world_request("a/m", "same question");
  if (n > 1)
    assert_int_equal(infer_request_set_int(request, "n", n), INFER_OK);
  outcome o = world_run(&w, request, true);
  if (o.status != INFER_OK)
    fail_msg("%s %s: %s", shape, delivery, infer_error_message(o.error));
  assert_int_equal(o.starts, 1);
  assert_int_equal(o.finishes, n);
  assert_int_equal(o.tools_done, infer_response_tool_call_count(o.response, 0));
  json_object *log = world_log(&w, 1, 1);
  assert_int_equal(log_int(log, 0, "stream"), stream);
  json_object_put(log);
  char *json = strdup(infer_response_json(o.response, NULL));
  outcome_end(&o);
  infer_request_free(request);
  world_end(&w);
  return json;
}

/* The simulator makes a new id and time for each answer, and marks neither. */
static char *
without_identity(char *json)
{
  json_object *object = json_tokener_parse(json);
  assert_non_null(object);
  json_object_object_del(object, "id");
  json_object_object_del(object, "created");
  char *text = strdup(json_object_to_json_string(object));
  json_object_put(object);
  free(json);
  return text;
}

static void
test_streamed_equals_whole(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    char *whole = without_identity(answer_json(shapes[i], "", false, 1));
    for (size_t j = 0; j < sizeof deliveries / sizeof deliveries[0]; j++) {
      /* A stream that says nothing but "null" cannot tell "" from null. */
      if (strstr(shapes[i], "'text':''") && strstr(deliveries[j], "null"))
        continue;
      char *streamed =
          without_identity(answer_json(shapes[i], deliveries[j], true, 1));
      char where[256];
      if (!json_same(whole, streamed, where, sizeof where))
        fail_msg("%s %s differs at %s\nwhole:    %s\nstreamed: %s", shapes[i],
                 deliveries[j], where, whole, streamed);
      free(streamed);
    }
    free(whole);
  }
}

static void
test_several_choices(void **state)
{
  (void)state;
  char *whole = without_identity(
      answer_json("{'tokens':20}", "", false, 3));
  char *streamed = without_identity(
      answer_json("{'tokens':20}", ",'write_bytes':1", true, 3));
  char where[256];
  if (!json_same(whole, streamed, where, sizeof where))
    fail_msg("differs at %s\n%s\n%s", where, whole, streamed);
  assert_non_null(strstr(whole, "\"index\": 2"));
  free(whole);
  free(streamed);
}

/* ---- What breaks off ----------------------------------------------------- */

static const struct breakage {
  const char *behaviour;
  int32_t status;
} breakages[] = {
    {"{'tokens':20,'cut':{'after_tokens':5}}", INFER_E_TRUNCATED},
    {"{'tokens':20,'cut':{'after_tokens':5},'cut_clean':true}",
     INFER_E_TRUNCATED},
    {"{'tokens':20,'reset':{'after_tokens':5}}", INFER_E_TRUNCATED},
    {"{'tokens':20,'stall_after_tokens':5,'stall_ms':5000}",
     INFER_E_IDLE_TIMEOUT},
    {"{'tokens':20,'error_in_200':{'message':'The server is overloaded','type':"
     "'server_error','code':'overloaded'},'after_tokens':5}",
     INFER_E_OVERLOADED},
};

static void
broken(world *w, const char *behaviour, const char *route)
{
  char script[2048], members[1024];
  snprintf(script, sizeof script,
           "{'defaults':%.*s,'inter_token_ms':40}}",
           (int)strlen(behaviour) - 1, behaviour);
  world_sim(w, 1, script);
  world_sim(w, 2, "{'defaults':{'text':'All is well.'}}");
  snprintf(members, sizeof members,
           "'routes':{'r':{'targets':['a/m','b/m']," QUICK "%s}}", route);
  world_usual(w, members);
}

static void
test_recovery_error(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof breakages / sizeof breakages[0]; i++) {
    world w = {0};
    broken(&w, breakages[i].behaviour, "");
    outcome o = world_stream(&w, "r");
    if (o.status != breakages[i].status)
      fail_msg("%s: %s", breakages[i].behaviour, infer_status_name(o.status));
    assert_int_equal(outcome_attempts(&o), 1);
    assert_int_equal(o.restarts, 0);
    assert_int_equal(o.finishes, 0);
    assert_true(strlen(o.text) > 0);
    const infer_response *partial = infer_error_partial(o.error);
    assert_non_null(partial);
    assert_string_equal(infer_response_text(partial, NULL), o.text);
    assert_string_equal(infer_response_finish_reason(partial, 0), "");
    assert_int_equal(world_requests(&w, 2), 0);
    outcome_end(&o);
    world_end(&w);
  }
}

static void
test_recovery_restart(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof breakages / sizeof breakages[0]; i++) {
    world w = {0};
    broken(&w, breakages[i].behaviour,
           ",'recovery':'restart','stay':{'retries':0}");
    outcome o = world_stream(&w, "r");
    if (o.status != INFER_OK)
      fail_msg("%s: %s", breakages[i].behaviour, infer_error_message(o.error));
    assert_int_equal(o.restarts, 1);
    assert_int_equal(o.epoch, 1);
    assert_string_equal(o.text, "All is well.");
    assert_int_equal(outcome_attempts(&o), 2);
    assert_string_equal(infer_attempt_reason_name(outcome_attempt(&o, 1)),
                        "recovery");
    outcome_end(&o);
    world_end(&w);
  }
}

static void
test_whole_calls_recover_by_themselves(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof breakages / sizeof breakages[0]; i++) {
    world w = {0};
    broken(&w, breakages[i].behaviour, ",'stay':{'retries':0}");
    outcome o = world_chat(&w, "r");
    if (o.status != INFER_OK)
      fail_msg("%s: %s", breakages[i].behaviour, infer_error_message(o.error));
    assert_string_equal(infer_response_text(o.response, NULL), "All is well.");
    assert_int_equal(outcome_attempts(&o), 2);
    assert_int_equal(infer_attempt_status(outcome_attempt(&o, 0)),
                     breakages[i].status);
    outcome_end(&o);
    world_end(&w);
  }
}

static void
test_a_slow_but_steady_answer_is_no_failure(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'tokens':8,'first_token_ms':250,'inter_token_ms':"
            "150}}");
  world_usual(&w, "'defaults':{'timeouts':{'first_token_ms':1000,'idle_ms':"
                  "1000}}");
  outcome o = world_stream(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  assert_true(o.took_ms > 1100);
  const infer_attempt *attempt = outcome_attempt(&o, 0);
  int64_t first_ms =
      infer_attempt_phase_ns(attempt, INFER_PHASE_FIRST_CONTENT) / 1000000;
  int64_t last_ms =
      infer_attempt_phase_ns(attempt, INFER_PHASE_LAST_CONTENT) / 1000000;
  assert_true(first_ms >= 245 && first_ms < 1000);
  assert_true(last_ms - first_ms >= 900);
  outcome_end(&o);
  world_end(&w);
}

static void
test_comments_do_not_stop_the_first_token_clock(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'headers':'immediate','comments':true,"
            "'first_token_ms':3000}}");
  world_usual(&w, "'defaults':{" QUICK ",'retries':0}");
  outcome o = world_stream(&w, "a/m");
  assert_int_equal(o.status, INFER_E_FIRST_TOKEN_TIMEOUT);
  assert_true(o.took_ms >= 390 && o.took_ms < 2500);
  json_object *log = world_log(&w, 1, 1);
  assert_string_equal(log_text(log, 0, "end"), "client_closed");
  json_object_put(log);
  outcome_end(&o);
  world_end(&w);
}

static void
test_no_restart_after_a_tool_call(void **state)
{
  (void)state;
  world w = {0};
  broken(&w,
         "{'tool_calls':[{'id':'c1','name':'a','arguments':{'x':1}},{'id':"
         "'c2','name':'b','arguments':{'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
         "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy':1}}"
         "],'cut':{'after_tokens':9}}",
         ",'recovery':'restart','stay':{'retries':0}");
  outcome o = world_stream(&w, "r");
  if (o.tools_done > 0) {
    assert_int_equal(o.status, INFER_E_TRUNCATED);
    assert_int_equal(world_requests(&w, 2), 0);
  } else {
    assert_int_equal(o.restarts, 1);
  }
  outcome_end(&o);
  world_end(&w);
}

/* ---- What is malformed --------------------------------------------------- */

static void
test_a_malformed_event_is_skipped_and_counted(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'tokens':10,'malformed_event':4}}");
  world_usual(&w, "");
  outcome o = world_stream(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(infer_attempt_skipped_events(outcome_attempt(&o, 0)), 1);
  outcome_end(&o);
  world_end(&w);
}

static const struct malformed {
  const char *behaviour, *upstream, *limits;
  int32_t status;
} malformed_answers[] = {
    {"{'html_error':true,'status':200}", "stream", "", INFER_E_PROTOCOL},
    {"{'html_error':true,'status':200}", "unary", "", INFER_E_PROTOCOL},
    {"{'status':200,'body':'not JSON'}", "unary", "", INFER_E_PROTOCOL},
    {"{'status':200,'body':''}", "unary", "", INFER_E_PROTOCOL},
    {"{'status':200,'body':{'object':'list','data':[]}}", "unary", "",
     INFER_E_PROTOCOL},
    {"{'huge_line':40000}", "stream", ",'max_event_bytes':20000",
     INFER_E_TOO_LARGE},
    {"{'huge_body':40000}", "unary", ",'max_response_bytes':20000",
     INFER_E_TOO_LARGE},
    {"{'tokens':4000}", "stream", ",'max_response_bytes':4096",
     INFER_E_TOO_LARGE},
    {"{'deep':400}", "unary", ",'max_json_depth':100", INFER_E_TOO_DEEP},
};

static void
test_malformed_answers(void **state)
{
  (void)state;
  for (size_t i = 0;
       i < sizeof malformed_answers / sizeof malformed_answers[0]; i++) {
    const struct malformed *m = &malformed_answers[i];
    world w = {0};
    char script[512], members[512];
    snprintf(script, sizeof script, "{'defaults':%s}", m->behaviour);
    world_sim(&w, 1, script);
    snprintf(members, sizeof members,
             "'defaults':{'retries':0,'upstream':'%s'}%s", m->upstream,
             m->limits);
    world_usual(&w, members);
    outcome o = world_chat(&w, "a/m");
    if (o.status != m->status)
      fail_msg("%s (%s): %s: %s", m->behaviour, m->upstream,
               infer_status_name(o.status), infer_error_message(o.error));
    outcome_end(&o);
    world_end(&w);
  }
}

static void
test_a_wrong_content_type_is_forgiven(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'text':'fine','wrong_content_type':true,"
            "'whitespace_before_body':300}}");
  world_usual(&w, "'routes':{'u':{'targets':['a/m'],'upstream':'unary'}}");
  outcome o = world_stream(&w, "a/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_chat(&w, "u");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  world_end(&w);
}

/* ---- Usage, unary mode --------------------------------------------------- */

static void
test_usage(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'model':'silent'},'do':{'usage_chunk':'never',"
            "'text':'about ten words'}}],'defaults':{'text':'x','usage':{"
            "'prompt_tokens':10,'completion_tokens':3,'total_tokens':13,"
            "'prompt_tokens_details':{'cached_tokens':4},"
            "'completion_tokens_details':{'reasoning_tokens':2}}}}");
  world_usual(&w, "");
  outcome o = world_stream(&w, "a/m");
  const infer_response *r = o.response;
  assert_int_equal(infer_response_usage(r, INFER_USAGE_INPUT), 10);
  assert_int_equal(infer_response_usage(r, INFER_USAGE_OUTPUT), 3);
  assert_int_equal(infer_response_usage(r, INFER_USAGE_TOTAL), 13);
  assert_int_equal(infer_response_usage(r, INFER_USAGE_CACHE_READ), 4);
  assert_int_equal(infer_response_usage(r, INFER_USAGE_REASONING), 2);
  assert_int_equal(infer_response_usage_estimated(r), 0);
  outcome_end(&o);
  o = world_stream(&w, "a/silent");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(infer_response_usage_estimated(o.response), 1);
  assert_true(infer_response_usage(o.response, INFER_USAGE_OUTPUT) > 0);
  assert_true(infer_response_usage(o.response, INFER_USAGE_INPUT) > 0);
  outcome_end(&o);
  world_end(&w);
}

static void
test_unary_mode_has_no_first_token_clock(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'late','first_token_ms':600}}");
  world_usual(&w, "'routes':{'u':{'targets':['a/m'],'upstream':'unary'," QUICK
                  "},'t':{'targets':['a/m'],'upstream':'unary','retries':0,"
                  "'timeouts':{'attempt_ms':300}}}");
  outcome o = world_stream(&w, "u");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_chat(&w, "t");
  assert_int_equal(o.status, INFER_E_ATTEMPT_TIMEOUT);
  assert_true(o.took_ms >= 290 && o.took_ms < 1500);
  outcome_end(&o);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_streamed_equals_whole),
      cmocka_unit_test(test_several_choices),
      cmocka_unit_test(test_recovery_error),
      cmocka_unit_test(test_recovery_restart),
      cmocka_unit_test(test_whole_calls_recover_by_themselves),
      cmocka_unit_test(test_a_slow_but_steady_answer_is_no_failure),
      cmocka_unit_test(test_comments_do_not_stop_the_first_token_clock),
      cmocka_unit_test(test_no_restart_after_a_tool_call),
      cmocka_unit_test(test_a_malformed_event_is_skipped_and_counted),
      cmocka_unit_test(test_malformed_answers),
      cmocka_unit_test(test_a_wrong_content_type_is_forgiven),
      cmocka_unit_test(test_usage),
      cmocka_unit_test(test_unary_mode_has_no_first_token_clock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
