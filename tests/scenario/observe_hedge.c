/* SPDX-License-Identifier: MIT */
/* Options of hedges: see observe.h. */
#include "observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A provider of which the client learns: of 60 answers most begin at once, some
 * late. Then two routes earn what hedges may cost, with 10 calls each;
 * later calls meet what is given. The other provider is well. */
enum { learned_calls = 60, paying_calls = 10 };
#define SCRIPT(tail, later)                                               \
  "{'defaults':{'text':'First.'},'rules':[{'when':{'requests':'1-60'},"   \
  "'do':{'first_token_ms':{'mix':[[0.85,2],[0.15," tail "]]}}},{'when':{" \
  "'requests':'1-20'},'do':{}},{'do':" later "}]}"
#define SLOW  "{'first_token_ms':400}"
#define HEDGE "a/m first CANCELLED, b/m hedge OK"
#define NONE  "a/m first OK"

/* Nothing is hedged meanwhile, however slow the machine. */
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

/* The routes "one" and "two" have these members besides their targets. */
static world
learned_world(const char *later, const char *one, const char *two)
{
  char text[1024];
  world w = {0};
  world_sim(&w, 1, later);
  world_sim(&w, 2, "{'defaults':{'text':'Second.'}}");
  snprintf(text, sizeof text,
           "'routes':{'learn':{'targets':['a/m'],'hedge':{'budget':0.5,"
           "'min_delay_ms':600000}},'one':{'targets':['a/m','b/m'],%s},"
           "'two':{'targets':['a/m','b/m'],%s}}",
           one, two);
  world_usual(&w, text);
  call_often(&w, "learn", learned_calls);
  call_often(&w, "one", paying_calls);
  call_often(&w, "two", paying_calls);
  return w;
}

static void
expect_trail(world *w, const char *route, const char *trail)
{
  outcome o = world_stream(w, route);
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), trail);
  outcome_end(&o);
}

static void
compare(const char *one, const char *one_trail, const char *two,
        const char *two_trail)
{
  world w = learned_world(SCRIPT("60", SLOW), one, two);
  for (int i = 0; i < 3; i++) {
    expect_trail(&w, "one", one_trail);
    expect_trail(&w, "two", two_trail);
  }
  world_end(&w);
}

/* 0 is off; the smallest is used up at once. */
void
observe_hedge_budget(void **state)
{
  (void)state;
  compare("'hedge':{'budget':0.5,'min_delay_ms':20}", HEDGE,
          "'hedge':{'budget':0,'min_delay_ms':20}", NONE);
  compare("'hedge':{'budget':5e-1}", HEDGE, "'hedge':{'budget':1e-6}", NONE);
}

/* Half of the answers begin at once: nothing makes the median smaller. */
void
observe_hedge_percentile(void **state)
{
  (void)state;
  compare("'hedge':{'budget':0.5,'min_delay_ms':20,'percentile':95}", HEDGE,
          "'hedge':{'budget':0.5,'min_delay_ms':20,'percentile':50}", NONE);
}

/* From the start of the first attempt to that of the second. */
static int64_t
hedged_after_ms(world *w, const char *route)
{
  outcome o = world_stream(w, route);
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(outcome_trail(&o), HEDGE);
  int64_t ns = (int64_t)(infer_attempt_start_ns(outcome_attempt(&o, 1)) -
                         infer_attempt_start_ns(outcome_attempt(&o, 0)));
  outcome_end(&o);
  return ns / 1000000;
}

void
observe_hedge_min_delay_ms(void **state)
{
  (void)state;
  world w = learned_world(SCRIPT("400", "{'first_token_ms':3000}"),
                          "'hedge':{'budget':0.5,'min_delay_ms':200}",
                          "'hedge':{'budget':0.5}");
  assert_in_range(hedged_after_ms(&w, "one"), 200, 1500);
  assert_in_range(hedged_after_ms(&w, "two"), 0, 199);
  world_end(&w);
}

/* The first provider reasons soon and answers late; a hedge begins so late that
 * a busy machine does not make the first reasoning later than that. */
void
observe_race_on(void **state)
{
  (void)state;
  world w = learned_world(
      SCRIPT("400",
             "{'reasoning':'Well.','inter_token_ms':1500,'chunk_tokens':1}"),
      "'hedge':{'budget':0.5,'min_delay_ms':20}",
      "'hedge':{'budget':0.5,'min_delay_ms':20},'race_on':'answer'");
  expect_trail(&w, "one", NONE);
  expect_trail(&w, "two", HEDGE);
  world_end(&w);
}
