/* SPDX-License-Identifier: MIT */
/* Options of strategies, filters and overrides: see observe.h. */
#include "observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Providers a and b over one simulated provider, told apart by their models. */
#define TWO(route)                                                          \
  "{'providers':[{'name':'a','type':'openai','base_url':'$1'},{'name':'b'," \
  "'type':'openai','base_url':'$1'}],'routes':{'r':{" route "}}}"
#define SLOW_X                                                                \
  "{'rules':[{'when':{'model':'x'},'do':{'text':'ok','first_token_ms':300}}]" \
  ",'defaults':{'text':'ok'}}"
#define TOO_LONG_FOR_X                                                   \
  "{'rules':[{'when':{'model':'x'},'do':{'status':400,'body':{'error':{" \
  "'message':'too long','code':'context_length_exceeded'}}}}],"          \
  "'defaults':{'text':'ok'}}"
#define BOTH "'targets':['a/x','b/y']"

static void
expect_trail(const char *script, const char *config, const char *trail)
{
  assert_string_equal(observe_trail(script, config, "r"), trail);
}

/* Of so many calls of the route, how many were sent to a/x first. */
static int
firsts_of_x(const char *script, const char *config, int calls)
{
  world w = observe_world(script, config);
  int count = 0;
  for (int i = 0; i < calls; i++) {
    outcome o = world_chat(&w, "r");
    assert_int_equal(o.status, INFER_OK);
    count += strncmp(outcome_trail(&o), "a/x first", 9) == 0;
    outcome_end(&o);
  }
  world_end(&w);
  return count;
}

void
observe_strategy(void **state)
{
  (void)state;
  assert_int_equal(firsts_of_x(SLOW_X, TWO(BOTH), 5), 5);
  assert_true(firsts_of_x(SLOW_X, TWO(BOTH ",'strategy':'latency'"), 8) <= 2);
}

void
observe_weight(void **state)
{
  (void)state;
  assert_int_equal(
      firsts_of_x(OK_SCRIPT,
                  TWO("'strategy':'weighted','targets':[{'target':'a/x',"
                      "'weight':0},'b/y']"),
                  5),
      0);
  assert_int_equal(
      firsts_of_x(OK_SCRIPT,
                  TWO("'strategy':'weighted','targets':['a/x',{'target':"
                      "'b/y','weight':0}]"),
                  5),
      5);
}

void
observe_sticky(void **state)
{
  (void)state;
  world w = observe_world(OK_SCRIPT,
                          TWO(BOTH ",'strategy':'weighted','sticky':'tenant'"));
  char first[100] = "";
  for (int i = 0; i < 12; i++) {
    infer_request *request = world_request("r", "hello");
    infer_request_set_tenant(request, "acme");
    outcome o = world_run(&w, request, false);
    if (i == 0)
      snprintf(first, sizeof first, "%s", outcome_trail(&o));
    assert_string_equal(outcome_trail(&o), first);
    outcome_end(&o);
    infer_request_free(request);
  }
  world_end(&w);
}

#define PRICED(more)                                                \
  TWO("'targets':[{'target':'a/x','price':{'input':2,'output':8}}," \
      "{'target':'b/y','price':{'input':1,'output':9}}]" more)

void
observe_price_input(void **state)
{
  (void)state;
  expect_trail(OK_SCRIPT, PRICED(""), "a/x first OK");
  expect_trail(OK_SCRIPT,
               TWO("'strategy':'cost','targets':[{'target':'a/x','price':{"
                   "'input':1,'output':1}},{'target':'b/y','price':{'input':"
                   "0.5,'output':1}}]"),
               "b/y first OK");
}

void
observe_price_output(void **state)
{
  (void)state;
  expect_trail(OK_SCRIPT,
               TWO("'strategy':'cost','targets':[{'target':'a/x','price':{"
                   "'input':1,'output':2}},{'target':'b/y','price':{'input':1,"
                   "'output':1}}]"),
               "b/y first OK");
}

void
observe_max_price_input(void **state)
{
  (void)state;
  expect_trail(OK_SCRIPT, PRICED(",'max_price':{'input':1.5}"), "b/y first OK");
}

void
observe_max_price_output(void **state)
{
  (void)state;
  expect_trail(OK_SCRIPT, PRICED(",'max_price':{'output':8}"), "a/x first OK");
}

/* x is cheaper, and takes 300 ms. */
void
observe_cost_max_first_token_ms(void **state)
{
  (void)state;
#define COST(more)                                                     \
  TWO("'strategy':'cost'," more "'targets':[{'target':'a/x','price':{" \
      "'input':1,'output':1}},{'target':'b/"                           \
      "y','price':{'input':9,'output':9}}]")
  assert_int_equal(firsts_of_x(SLOW_X, COST(""), 5), 5);
  assert_true(
      firsts_of_x(SLOW_X, COST("'cost':{'max_first_token_ms':100},"), 8) <= 2);
}

void
observe_context_tokens(void **state)
{
  (void)state;
  expect_trail(TOO_LONG_FOR_X, TWO(BOTH), "a/x first CONTEXT_LENGTH");
  expect_trail(TOO_LONG_FOR_X,
               TWO("'targets':[{'target':'a/x','context_tokens':1000},"
                   "{'target':'b/y','context_tokens':2000}]"),
               "a/x first CONTEXT_LENGTH, b/y failover OK");
}

/* Of gpt-4 the catalogue knows that it takes 8192 tokens, of gpt-4.1 that it
 * takes more than that: where it holds, a prompt that is longer goes there. */
static void
long_prompt_goes(const char *option, const char *trail)
{
  char config[600];
  static char prompt[120000];
  memset(prompt, 'x', sizeof prompt - 1);
  for (size_t i = 4; i < sizeof prompt - 1; i += 5)
    prompt[i] = ' ';
  snprintf(config, sizeof config,
           "{'providers':[{'name':'a','type':'openai','base_url':'$1'%s}],"
           "'routes':{'r':{'targets':['a/gpt-4','a/gpt-4.1']}}}",
           option);
  world w = observe_world(OK_SCRIPT, config);
  infer_request *request = world_request("r", prompt);
  outcome o = world_run(&w, request, false);
  assert_string_equal(outcome_trail(&o), trail);
  outcome_end(&o);
  infer_request_free(request);
  world_end(&w);
}

void
observe_catalogue(void **state)
{
  (void)state;
  long_prompt_goes(",'catalogue':'on'", "a/gpt-4.1 first OK");
  /* By default it does not hold for a server of one's own. */
  long_prompt_goes("", "a/gpt-4 first OK");
  long_prompt_goes(",'catalogue':'off'", "a/gpt-4 first OK");
}

/* The limit in the body of the request that was sent as number n, "" if there
 * is none. */
static const char *
limit_sent(json_object *log, size_t n, const char *name)
{
  json_object *value;
  return json_object_object_get_ex(log_body(log, n), name, &value)
             ? json_object_get_string(value)
             : "";
}

/* Each target gets what it takes of what the caller said: the third one the
 * whole again. */
void
observe_output_tokens(void **state)
{
  (void)state;
  world w = observe_world(
      "{'rules':[{'when':{'model':'x'},'do':{'status':503}},"
      "{'when':{'model':'o3'},'do':{'status':503}}],"
      "'defaults':{'text':'ok'}}",
      "{'providers':[{'name':'a','type':'openai','base_url':'$1',"
      "'catalogue':'on'}],'routes':{'r':{'targets':[{'target':'a/x',"
      "'output_tokens':100},'a/o3','a/z'],'stay':{'retries':0}}}}");
  infer_request *request = world_request("r", "hello");
  infer_request_set_int(request, "max_tokens", 200000);
  infer_request_set_double(request, "temperature", 0.5);
  outcome o = world_run(&w, request, false);
  assert_string_equal(outcome_trail(&o),
                      "a/x first OVERLOADED, a/o3 failover OVERLOADED, "
                      "a/z failover OK");
  json_object *log = world_log(&w, 1, 3);
  assert_string_equal(limit_sent(log, 0, "max_tokens"), "100");
  assert_string_equal(limit_sent(log, 0, "temperature"), "0.5");
  assert_string_equal(limit_sent(log, 1, "max_tokens"), "");
  assert_string_equal(limit_sent(log, 1, "max_completion_tokens"), "100000");
  assert_string_equal(limit_sent(log, 1, "temperature"), "");
  assert_string_equal(limit_sent(log, 2, "max_tokens"), "200000");
  assert_string_equal(limit_sent(log, 2, "temperature"), "0.5");
  json_object_put(log);
  outcome_end(&o);
  infer_request_free(request);
  world_end(&w);
}

void
observe_lacks(void **state)
{
  (void)state;
  static const char tools[] =
      "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]";
  world w = observe_world(
      OK_SCRIPT, TWO("'targets':[{'target':'a/x','lacks':['tools']},'b/y']"));
  infer_request *request = world_request("r", "hello");
  outcome o = world_run(&w, request, false);
  assert_string_equal(outcome_trail(&o), "a/x first OK");
  outcome_end(&o);
  infer_request_set_json(request, "tools", tools, strlen(tools), NULL);
  o = world_run(&w, request, false);
  assert_string_equal(outcome_trail(&o), "b/y first OK");
  outcome_end(&o);
  infer_request_free(request);
  world_end(&w);
}

void
observe_overrides(void **state)
{
  (void)state;
  json_object *log = observe_log(
      TWO("'targets':[{'target':'a/x','overrides':{'temperature':0.5,"
          "'system_prompt':'be brief'}}]"),
      "r");
  json_object *body = log_body(log, 0), *value, *first;
  assert_true(json_object_object_get_ex(body, "temperature", &value));
  assert_string_equal(json_object_get_string(value), "0.5");
  assert_true(json_object_object_get_ex(body, "messages", &value));
  first = json_object_array_get_idx(value, 0);
  assert_true(json_object_object_get_ex(first, "content", &value));
  assert_string_equal(json_object_get_string(value), "be brief");
  json_object_put(log);
}
