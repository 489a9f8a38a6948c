/* SPDX-License-Identifier: MIT */
/* Hedges over real sockets: a second attempt where the first is silent, the
 * first content wins, and nothing of the other is ever seen. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Times of which the client learns: most answers begin at once, some late.
 * Nothing is hedged meanwhile, however slow the machine; then the route earns
 * what hedges may cost.
 *
 * A hedge is sent after some 20 ms. What is to come later than that comes a
 * second later or more, what is to be cancelled never comes. */
enum { learned_calls = 60, paying_calls = 10 };
#define LEARNED                                         \
  "{'when':{'requests':'1-60'},'do':{'first_token_ms':" \
  "{'mix':[[0.85,2],[0.15,60]]}}},{'when':{'requests':'1-10'},'do':{}}"
/* What the calls after those meet at the first target. */
#define LATER(what) \
  "{'defaults':{'text':'First.'},'rules':[" LEARNED ",{'do':" what "}]}"
#define SECOND "{'defaults':{'text':'Second.'}}"

static void
call_often(world *w, const char *route, int count)
{
  infer_request *request = world_request(route, "Hi");
  assert_int_equal(
      infer_request_set_policy(request, "hedge.min_delay_ms", 600000),
      INFER_OK);
  for (int i = 0; i < count; i++) {
    outcome o = world_run(w, request, false);
    assert_int_equal(o.status, INFER_OK);
    assert_int_equal(outcome_attempts(&o), 1);
    outcome_end(&o);
  }
  infer_request_free(request);
}

/* members: of the defaults, after a comma. */
static void
begin(world *w, const char *first, const char *second, const char *members)
{
  char text[1024];
  world_sim(w, 1, first);
  world_sim(w, 2, second);
  snprintf(text, sizeof text,
           "'defaults':{'retries':2%s},'routes':{'learn':{'targets':['a/m'],"
           "'hedge':{'budget':0.5,'min_delay_ms':600000}},'r':{'targets':['a/"
           "m','b/m'],"
           "'hedge':{'budget':0.5,'min_delay_ms':20}}}",
           members);
  world_usual(w, text);
  call_often(w, "learn", learned_calls);
  call_often(w, "r", paying_calls);
}

/* The provider has seen that its request was cancelled. */
static void
assert_cancelled(world *w, int sim, size_t count)
{
  json_object *log = world_log(w, sim, count);
  assert_string_equal(log_text(log, count - 1, "end"), "client_closed");
  json_object_put(log);
}

static void
first_content_wins(bool stream)
{
  world w = {0};
  begin(&w, LATER("{'first_token_ms':20000}"), SECOND, "");
  for (int i = 0; i < 5; i++) {
    outcome o = stream ? world_stream(&w, "r") : world_chat(&w, "r");
    assert_int_equal(o.status, INFER_OK);
    assert_string_equal(outcome_trail(&o), "a/m first CANCELLED, b/m hedge OK");
    assert_string_equal(infer_response_text(o.response, 0), "Second.");
    assert_string_equal(infer_response_target(o.response), "b/m");
    assert_true(o.took_ms < 15000);
    assert_int_equal(infer_attempt_won(outcome_attempt(&o, 0)), 0);
    assert_int_equal(infer_attempt_won(outcome_attempt(&o, 1)), 1);
    if (stream) {
      assert_string_equal(o.text, "Second.");
      assert_int_equal(o.starts, 1);
      assert_int_equal(o.restarts, 0);
      assert_int_equal(o.after_done, 0);
    }
    outcome_end(&o);
  }
  assert_cancelled(&w, 1, learned_calls + paying_calls + 5);
  world_end(&w);
}

static void
the_second_is_faster(void **state)
{
  (void)state;
  first_content_wins(false);
}

static void
the_second_is_faster_streamed(void **state)
{
  (void)state;
  first_content_wins(true);
}

/* Both are under way; the first comes after all, the hedge is cancelled. */
static void
the_first_is_faster(void **state)
{
  (void)state;
  world w = {0};
  begin(&w, LATER("{'first_token_ms':1200}"),
        "{'defaults':{'text':'Second.','first_token_ms':20000}}", "");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), "a/m first OK, b/m hedge CANCELLED");
  assert_string_equal(o.text, "First.");
  assert_int_equal(o.starts, 1);
  assert_true(o.took_ms < 15000);
  outcome_end(&o);
  assert_cancelled(&w, 2, 1);
  world_end(&w);
}

/* What the hedge says wins only as the last: then the first goes on. */
static void
check_no_win(const char *second, const char *trail)
{
  world w = {0};
  begin(&w, LATER("{'first_token_ms':1500}"), second, "");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), trail);
  assert_string_equal(o.text, "First.");
  assert_int_equal(o.starts, 1);
  assert_int_equal(o.restarts, 0);
  outcome_end(&o);
  world_end(&w);
}

static void
an_error_never_wins(void **state)
{
  (void)state;
  check_no_win("{'defaults':{'status':500}}", "a/m first OK, b/m hedge SERVER");
}

static void
a_refusal_does_not_win(void **state)
{
  (void)state;
  check_no_win("{'defaults':{'refusal':'I cannot.'}}",
               "a/m first OK, b/m hedge OK");
}

static void
white_space_does_not_win(void **state)
{
  (void)state;
  check_no_win("{'defaults':{'text':'\\n\\n','stall_after_tokens':1}}",
               "a/m first OK, b/m hedge CANCELLED");
}

static void
a_cut_beginning_does_not_win(void **state)
{
  (void)state;
  check_no_win("{'defaults':{'cut':{'after_bytes':20}}}",
               "a/m first OK, b/m hedge RESET");
}

/* The first fails while the hedge is under way: no failover, no error. */
static void
the_hedge_goes_on_alone(void **state)
{
  (void)state;
  world w = {0};
  begin(&w, LATER("{'headers_ms':1000,'status':500}"),
        "{'defaults':{'text':'Second.','first_token_ms':2500}}", "");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), "a/m first SERVER, b/m hedge OK");
  assert_string_equal(o.text, "Second.");
  outcome_end(&o);
  world_end(&w);
}

/* A refusal that came from the one counts when the other has failed. */
static void
what_was_held_back_counts_at_last(void **state)
{
  (void)state;
  world w = {0};
  begin(&w, LATER("{'headers_ms':1500,'status':500}"),
        "{'defaults':{'refusal':'I cannot.'}}", "");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(infer_response_refusal(o.response, 0, NULL), "I cannot.");
  assert_string_equal(infer_response_target(o.response), "b/m");
  assert_int_equal(o.starts, 1);
  outcome_end(&o);
  world_end(&w);
}

/* Or when the deadline is there. */
static void
what_was_held_back_counts_at_the_deadline(void **state)
{
  (void)state;
  world w = {0};
  begin(&w, LATER("{'silence':true}"), "{'defaults':{'refusal':'I cannot.'}}",
        ",'timeouts':{'deadline_ms':3000}");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(infer_response_refusal(o.response, 0, NULL), "I cannot.");
  outcome_end(&o);
  world_end(&w);
}

static void
both_are_silent(void **state)
{
  (void)state;
  world w = {0};
  begin(&w, LATER("{'silence':true}"), "{'defaults':{'silence':true}}",
        ",'timeouts':{'deadline_ms':2000}");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_E_DEADLINE);
  assert_string_equal(outcome_trail(&o),
                      "a/m first DEADLINE, b/m hedge DEADLINE");
  outcome_end(&o);
  assert_cancelled(&w, 2, 1);
  world_end(&w);
}

static void
no_hedge_for_what_may_run_only_once(void **state)
{
  (void)state;
  world w = {0};
  begin(&w, LATER("{'first_token_ms':300}"), SECOND, "");
  infer_request *request = world_request("r", "Hi");
  infer_request_set_run_once(request, 1);
  outcome o = world_run(&w, request, false);
  assert_string_equal(outcome_trail(&o), "a/m first OK");
  outcome_end(&o);
  infer_request_free(request);
  assert_int_equal(world_requests(&w, 2), 0);
  world_end(&w);
}

/* Reasoning is content, unless the route waits for the answer. The hedge is
 * late, so that a busy machine does not make the reasoning later than that. */
static void
race_on(const char *members, const char *trail, const char *text)
{
  world w = {0};
  begin(&w,
        LATER("{'reasoning':'Well.','inter_token_ms':1500,'chunk_tokens':1}"),
        SECOND, members);
  infer_request *request = world_request("r", "Hi");
  infer_request_set_policy(request, "hedge.min_delay_ms", 500);
  outcome o = world_run(&w, request, true);
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), trail);
  assert_string_equal(o.text, text);
  outcome_end(&o);
  infer_request_free(request);
  world_end(&w);
}

static void
reasoning_wins(void **state)
{
  (void)state;
  race_on("", "a/m first OK", "First.");
}

static void
reasoning_does_not_win_on_answer(void **state)
{
  (void)state;
  race_on(",'race_on':'answer'", "a/m first CANCELLED, b/m hedge OK",
          "Second.");
}

/* One target: a hedge goes over another connection. */
static void
one_target_alone(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'text':'First.'},'rules':[" LEARNED
            ",{'when':{'reused':true},'do':{'first_token_ms':20000}}]}");
  world_usual(&w, "'routes':{'learn':{'targets':['a/m'],'hedge':{'budget':0.5,"
                  "'min_delay_ms':600000}},'r':{'targets':['a/m'],"
                  "'hedge':{'budget':0.5,'min_delay_ms':20}}}");
  call_often(&w, "learn", learned_calls);
  call_often(&w, "r", paying_calls);
  outcome o = world_chat(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), "a/m first CANCELLED, a/m hedge OK");
  assert_true(o.took_ms < 15000);
  outcome_end(&o);
  world_end(&w);
}

/* A whole body is asked for: its end decides. */
static void
whole_bodies_race_too(void **state)
{
  (void)state;
  world w = {0};
  begin(&w, LATER("{'first_token_ms':20000}"), SECOND, ",'upstream':'unary'");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), "a/m first CANCELLED, b/m hedge OK");
  assert_string_equal(o.text, "Second.");
  outcome_end(&o);
  world_end(&w);
}

int
main(void)
{
  world_forget_proxies();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_second_is_faster),
      cmocka_unit_test(the_second_is_faster_streamed),
      cmocka_unit_test(the_first_is_faster),
      cmocka_unit_test(an_error_never_wins),
      cmocka_unit_test(a_refusal_does_not_win),
      cmocka_unit_test(white_space_does_not_win),
      cmocka_unit_test(a_cut_beginning_does_not_win),
      cmocka_unit_test(the_hedge_goes_on_alone),
      cmocka_unit_test(what_was_held_back_counts_at_last),
      cmocka_unit_test(what_was_held_back_counts_at_the_deadline),
      cmocka_unit_test(both_are_silent),
      cmocka_unit_test(no_hedge_for_what_may_run_only_once),
      cmocka_unit_test(reasoning_wins),
      cmocka_unit_test(reasoning_does_not_win_on_answer),
      cmocka_unit_test(one_target_alone),
      cmocka_unit_test(whole_bodies_race_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
