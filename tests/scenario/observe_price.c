/* SPDX-License-Identifier: MIT */
/* Options of prices that no choice of a target goes by: see observe.h. They are
 * seen in what a call costs. */
#include "observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* One answer with tokens of every kind. */
#define USAGE                                                             \
  "{'defaults':{'text':'ok','usage':{'prompt_tokens':1000,"               \
  "'completion_tokens':100,'total_tokens':1100,'prompt_tokens_details':{" \
  "'cached_tokens':10,'cache_write_tokens':20,'audio_tokens':30},"        \
  "'completion_tokens_details':{'reasoning_tokens':40,'audio_tokens':50}}}}"
#define PROVIDER "'name':'a','type':'openai','base_url':'$1'"

static void
expect_cost(const char *config, int64_t nano_usd)
{
  world w = observe_world(USAGE, config);
  outcome o = world_chat(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(infer_response_total_cost_nano_usd(o.response), nano_usd);
  assert_int_equal(infer_response_cost_kind(o.response), INFER_COST_EXACT);
  outcome_end(&o);
  world_end(&w);
}

/* A dollar for a million tokens, that is 1000 nano-dollars a token, and two
 * for those of the one kind, of which there are so many. */
static void
expect_part(const char *name, int64_t tokens)
{
  char config[400];
  const char *form =
      "{'providers':[{" PROVIDER "}],'routes':{'r':{'targets':[{'target':'a/x',"
      "'price':{'input':1,'output':1,'%s':%d}}]}}}";
  snprintf(config, sizeof config, form, name, 1);
  expect_cost(config, 1100 * 1000);
  snprintf(config, sizeof config, form, name, 2);
  expect_cost(config, (1100 + tokens) * 1000);
}

void
observe_price_cache_read(void **state)
{
  (void)state;
  expect_part("cache_read", 10);
}

void
observe_price_cache_write(void **state)
{
  (void)state;
  expect_part("cache_write", 20);
}

void
observe_price_audio_input(void **state)
{
  (void)state;
  expect_part("audio_input", 30);
}

void
observe_price_reasoning(void **state)
{
  (void)state;
  expect_part("reasoning", 40);
}

void
observe_price_audio_output(void **state)
{
  (void)state;
  expect_part("audio_output", 50);
}

void
observe_prices(void **state)
{
  (void)state;
  expect_cost("{'providers':[{" PROVIDER ",'prices':{'x':{'input':1,'output':"
              "2}}}],'routes':{'r':{'targets':['a/x']}}}",
              1000 * 1000 + 100 * 2000);
  expect_cost("{'providers':[{" PROVIDER ",'prices':{'x':{'input':1,'output':"
              "2}}}],'routes':{'r':{'targets':[{'target':'a/x','price':{"
              "'input':0}}]}}}",
              100 * 2000);
}
