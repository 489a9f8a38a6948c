/* SPDX-License-Identifier: MIT */
/* Options of routes, targets and policies: see observe.h. */
#include "observe.h"

#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Providers a and b over one simulated provider, told apart by their models:
 * x on a misbehaves, y on b is well. */
#define TWO(route)                                                            \
  "{'providers':[{'name':'a','type':'openai','base_url':'$1','labels':["      \
  "'left']},{'name':'b','type':'openai','base_url':'$1','labels':['right']}]" \
  ",'routes':{'r':{" route "}}}"
#define BAD_X(behaviour)                            \
  "{'rules':[{'when':{'model':'x'},'do':" behaviour \
  "}],'defaults':{'text':'ok'}}"
#define BOTH "'targets':['a/x','b/y']"

static void
expect_trail(const char *script, const char *config, const char *trail)
{
  assert_string_equal(observe_trail(script, config, "r"), trail);
}

void
observe_targets(void **state)
{
  (void)state;
  expect_trail(OK_SCRIPT, TWO(BOTH), "a/x first OK");
  expect_trail(OK_SCRIPT, TWO("'targets':['b/y','a/x']"), "b/y first OK");
}

void
observe_require_labels(void **state)
{
  (void)state;
  expect_trail(OK_SCRIPT, TWO(BOTH ",'require_labels':['right']"),
               "b/y first OK");
}

void
observe_target(void **state)
{
  (void)state;
  expect_trail(OK_SCRIPT, TWO("'targets':[{'target':'b/y'}]"), "b/y first OK");
}

static void
expect_stream(const char *config, const char *model, const char *stream)
{
  json_object *log = observe_log(config, model);
  assert_string_equal(log_text(log, 0, "stream"), stream);
  json_object_put(log);
}

void
observe_target_upstream(void **state)
{
  (void)state;
  expect_stream(TWO("'targets':[{'target':'a/x','upstream':'unary'}]"), "r",
                "false");
  expect_stream(TWO("'upstream':'unary','targets':[{'target':'a/x',"
                    "'upstream':'stream'}]"),
                "r", "true");
}

void
observe_policy_upstream(void **state)
{
  (void)state;
  expect_stream(TWO(BOTH), "r", "true");
  expect_stream(TWO(BOTH ",'upstream':'unary'"), "r", "false");
  expect_stream(ONE("", ",'defaults':{'upstream':'unary'}"), "p/m", "false");
}

void
observe_retries(void **state)
{
  (void)state;
  static const char script[] = "{'defaults':{'status':503}}";
  expect_trail(script, TWO("'targets':['a/x'],'retries':0"),
               "a/x first OVERLOADED");
  expect_trail(script, TWO("'targets':['a/x'],'retries':1"),
               "a/x first OVERLOADED, a/x retry OVERLOADED");
}

void
observe_stay_retries(void **state)
{
  (void)state;
  static const char script[] = BAD_X("{'status':503}");
  expect_trail(script, TWO(BOTH ",'stay':{'retries':0}"),
               "a/x first OVERLOADED, b/y failover OK");
  expect_trail(script, TWO(BOTH ",'stay':{'retries':2}"),
               "a/x first OVERLOADED, a/x retry OVERLOADED, "
               "a/x retry OVERLOADED, b/y failover OK");
}

void
observe_stay_max_wait_ms(void **state)
{
  (void)state;
  static const char script[] =
      BAD_X("{'status':429,'headers':{'retry-after-ms':'300'}}");
  expect_trail(script, TWO(BOTH ",'stay':{'max_wait_ms':100}"),
               "a/x first RATE_LIMITED, b/y failover OK");
  expect_trail(script, TWO(BOTH ",'stay':{'max_wait_ms':2000}"),
               "a/x first RATE_LIMITED, a/x retry RATE_LIMITED, "
               "b/y failover OK");
}

/* A stream that the reader has begun to read when it breaks off. */
static void
broken_stream(const char *config, int32_t status, int restarts)
{
  world w =
      observe_world(BAD_X("{'text':'one two three four five six',"
                          "'inter_token_ms':100,'cut':{'after_tokens':3}}"),
                    config);
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, status);
  assert_int_equal(o.restarts, restarts);
  outcome_end(&o);
  world_end(&w);
}

void
observe_recovery(void **state)
{
  (void)state;
  broken_stream(TWO(BOTH ",'stay':{'retries':0}"), INFER_E_TRUNCATED, 0);
  broken_stream(TWO(BOTH ",'stay':{'retries':0},'recovery':'restart'"),
                INFER_OK, 1);
  /* Nobody there takes a prefill. */
  broken_stream(TWO(BOTH ",'stay':{'retries':0},'recovery':'continue'"),
                INFER_OK, 1);
}

/* The stream of a/x is cut; b/y takes a prefill that says "prefix". */
static void
expect_recovery(const char *providers, const char *route, const char *trail)
{
  char config[1024];
  snprintf(config, sizeof config,
           "{'providers':[%s],'routes':{'r':{%s,'stay':{'retries':0}}}}",
           providers, route);
  world w = observe_world(
      "{'rules':[{'when':{'model':'x'},'do':{'cut':{'after_tokens':6},"
      "'inter_token_ms':60}}],'defaults':{'prefill_by':'prefix','text':"
      "'one two three four five six seven eight nine ten'}}",
      config);
  outcome o = world_stream(&w, "r");
  assert_string_equal(outcome_trail(&o), trail);
  if (o.status == INFER_OK)
    assert_string_equal(o.text,
                        "one two three four five six seven eight nine ten");
  outcome_end(&o);
  world_end(&w);
}

#define PLAIN_A "{'name':'a','type':'openai','base_url':'$1'}"
#define PLAIN_B "{'name':'b','type':'openai','base_url':'$1'}"
#define PREFIX_B \
  "{'name':'b','type':'openai','base_url':'$1','prefill':'prefix'}"
#define CUT_THEN(reason) "a/x first TRUNCATED, b/y " reason " OK"

void
observe_provider_prefill(void **state)
{
  (void)state;
#define CONTINUE_BOTH BOTH ",'recovery':'continue'"
  expect_recovery(PLAIN_A "," PLAIN_B, CONTINUE_BOTH, CUT_THEN("recovery"));
  expect_recovery(PLAIN_A "," PREFIX_B, CONTINUE_BOTH, CUT_THEN("continue"));
  expect_recovery(PLAIN_A "," PREFIX_B, BOTH, "a/x first TRUNCATED");
  expect_recovery(PLAIN_A "," PREFIX_B, BOTH ",'recovery':'restart'",
                  CUT_THEN("recovery"));
}

void
observe_target_prefill(void **state)
{
  (void)state;
#define WITH(prefill)                                    \
  "'targets':['a/x',{'target':'b/y','prefill':'" prefill \
  "'}],'recovery':'continue'"
  expect_recovery(PLAIN_A "," PLAIN_B, WITH("prefix"), CUT_THEN("continue"));
  expect_recovery(PLAIN_A "," PREFIX_B, WITH("none"), CUT_THEN("recovery"));
  /* Refused, since it is not said as that server wants it. */
  expect_recovery(PLAIN_A "," PREFIX_B, WITH("assistant"),
                  "a/x first TRUNCATED, b/y continue BAD_REQUEST, "
                  "b/y recovery OK");
}

void
observe_failover_on(void **state)
{
  (void)state;
  static const char script[] =
      BAD_X("{'status':400,'body':{'error':{'message':'no','code':"
            "'content_filter'}}}");
  expect_trail(script, TWO(BOTH), "a/x first CONTENT_FILTER");
  expect_trail(script, TWO(BOTH ",'failover_on':['content_filter']"),
               "a/x first CONTENT_FILTER, b/y failover OK");
}

/* ---- Times --------------------------------------------------------------- */

/* The call fails with the status soon after ms, long before the default: the
 * soonest of a few, because the machine may be busy. */
static void
expect_end_after(const char *script, const char *config, int32_t status,
                 uint64_t ms)
{
  uint64_t took = UINT64_MAX;
  for (int i = 0; i < 3 && took > ms + 2500; i++)
    assert_int_equal(observe_status(script, config, "p/m", true, &took),
                     status);
  assert_in_range(took, ms - 5, ms + 2500);
}

#define TIMED(name) \
  ONE("", ",'defaults':{'retries':0,'timeouts':{'" name "':200}}")

static void
take_and_say_nothing(tiny_conn *conn)
{
  while (tiny_read(conn))
    ;
}

/* A handshake that is never answered. */
void
observe_connect_ms(void **state)
{
  (void)state;
  tiny_server *server = tiny_start(take_and_say_nothing, NULL, NULL);
  char config[512];
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'https://127.0.0.1:%d/v1'}],'defaults':{'retries':0,'timeouts':{"
           "'connect_ms':200}}}",
           tiny_port(server));
  expect_end_after(OK_SCRIPT, config, INFER_E_CONNECT, 200);
  tiny_stop(server);
}

void
observe_first_token_ms(void **state)
{
  (void)state;
  expect_end_after("{'defaults':{'silence':true}}", TIMED("first_token_ms"),
                   INFER_E_FIRST_TOKEN_TIMEOUT, 200);
}

void
observe_idle_ms(void **state)
{
  (void)state;
  expect_end_after("{'defaults':{'tokens':9,'stall_after_tokens':3}}",
                   TIMED("idle_ms"), INFER_E_IDLE_TIMEOUT, 200);
}

#define SLOW "{'defaults':{'tokens':500,'inter_token_ms':20}}"

void
observe_attempt_ms(void **state)
{
  (void)state;
  expect_end_after(SLOW, TIMED("attempt_ms"), INFER_E_ATTEMPT_TIMEOUT, 200);
}

void
observe_deadline_ms(void **state)
{
  (void)state;
  expect_end_after(SLOW, TIMED("deadline_ms"), INFER_E_DEADLINE, 200);
}

/* The second target is sent a GET although no call needs it. */
void
observe_keep_warm(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, OK_SCRIPT);
  world_sim(&w, 2, OK_SCRIPT);
  world_client(&w, "{'providers':["
                   "{'name':'a','type':'openai','base_url':'$1'},"
                   "{'name':'b','type':'openai','base_url':'$2',"
                   "'warm_path':'/v1/models'}],"
                   "'routes':{"
                   "'warm':{'targets':['a/m','b/m'],'keep_warm':true}}}");
  outcome o = world_chat(&w, "warm");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  uint64_t until_ms = world_now_ms() + 10000;
  while (world_requests(&w, 2) == 0) {
    assert_true(world_now_ms() < until_ms);
    if (infer_client_drive(w.client, 5) != INFER_OK)
      world_sleep_ms(5);
  }
  json_object *log = world_log(&w, 2, 1);
  assert_string_equal(log_text(log, 0, "path"), "/v1/models");
  json_object_put(log);
  world_end(&w);
}

/* How many requests a provider that always fails sees of eight calls. */
static size_t
requests_of_eight(const char *policy)
{
  char config[512];
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'status':503}}");
  snprintf(config, sizeof config,
           "{'providers':[{'name':'a','type':'openai','base_url':'$1'}],"
           "'defaults':{%s}}",
           policy);
  world_client(&w, config);
  for (int i = 0; i < 8; i++) {
    outcome o = world_chat(&w, "a/m");
    assert_int_equal(o.status, INFER_E_OVERLOADED);
    outcome_end(&o);
  }
  size_t count = world_requests(&w, 1);
  world_end(&w);
  return count;
}

/* The evidence is enough after four failures. */
void
observe_breaker(void **state)
{
  (void)state;
  assert_int_equal(requests_of_eight("'retries':0,'breaker':false"), 8);
  assert_int_equal(requests_of_eight("'retries':0"), 4);
}

/* Five retries on a target that fails, then no more. */
void
observe_retry_budget(void **state)
{
  (void)state;
  assert_int_equal(requests_of_eight("'retries':1,'breaker':false,"
                                     "'retry_budget':false"),
                   16);
  assert_int_equal(requests_of_eight("'retries':1,'breaker':false"), 8 + 5);
}
