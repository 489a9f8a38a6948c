/* SPDX-License-Identifier: MIT */
/* Options of rate limits: see observe.h. */
#include "observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* An answer that cost 150 tokens. */
#define DEAR                                              \
  "{'defaults':{'text':'ok','usage':{'prompt_tokens':60," \
  "'completion_tokens':90,'total_tokens':150}}}"
#define SHORT           ",'defaults':{'timeouts':{'deadline_ms':700}}"
#define LIMITED(limits) ONE(",'limits':{" limits "}", SHORT)

/* The status of the second of two calls, of which the first succeeds. */
static int32_t
second(const char *config, const char *model)
{
  world w = observe_world(DEAR, config);
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_chat(&w, model);
  int32_t status = o.status;
  outcome_end(&o);
  world_end(&w);
  return status;
}

/* What is small holds the second call back until it is too late; what is large
 * does not. */
static void
expect_limit(const char *small, const char *large)
{
  assert_int_equal(second(small, "p/m"), INFER_E_RATE_LIMITED);
  assert_int_equal(second(large, "p/m"), INFER_OK);
}

#define OBSERVE_LIMIT(name, small, large)         \
  void observe_##name(void **state)               \
  {                                               \
    (void)state;                                  \
    expect_limit(LIMITED("'" #name "':" #small),  \
                 LIMITED("'" #name "':" #large)); \
  }

OBSERVE_LIMIT(requests_per_second, 1, 2)
OBSERVE_LIMIT(requests_per_minute, 1, 2)
OBSERVE_LIMIT(requests_per_day, 1, 2)
OBSERVE_LIMIT(tokens_per_second, 100, 1000)
OBSERVE_LIMIT(tokens_per_minute, 100, 1000)
OBSERVE_LIMIT(tokens_per_day, 100, 1000)
OBSERVE_LIMIT(input_tokens_per_minute, 100, 1000)
OBSERVE_LIMIT(output_tokens_per_minute, 50, 1000)

void
observe_limits_scope(void **state)
{
  (void)state;
  assert_int_equal(second(LIMITED("'requests_per_minute':1"), "p/n"), INFER_OK);
  assert_int_equal(
      second(LIMITED("'requests_per_minute':1,'scope':'key'"), "p/n"),
      INFER_E_RATE_LIMITED);
}

/* How long two calls take that begin at the same time. */
static uint64_t
two_calls_ms(const char *config, int32_t *status)
{
  world w =
      observe_world("{'defaults':{'text':'ok','first_token_ms':300}}", config);
  infer_request *request = world_request("p/m", "x");
  infer_call *calls[2];
  uint64_t began_ms = world_now_ms();
  for (int i = 0; i < 2; i++)
    assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL,
                                  0, &calls[i], NULL),
                     INFER_OK);
  for (int i = 0; i < 2; i++) {
    infer_error *error = NULL;
    *status = infer_call_wait(calls[i], 5000, NULL, &error);
    infer_error_free(error);
    infer_call_free(calls[i]);
  }
  infer_request_free(request);
  uint64_t took_ms = world_now_ms() - began_ms;
  world_end(&w);
  return took_ms;
}

void
observe_concurrency(void **state)
{
  (void)state;
  int32_t status;
  uint64_t one_ms =
      two_calls_ms(ONE(",'limits':{'concurrency':1}", ""), &status);
  assert_int_equal(status, INFER_OK);
  assert_in_range(one_ms, 600, 5000);
  uint64_t two_ms =
      two_calls_ms(ONE(",'limits':{'concurrency':2}", ""), &status);
  assert_int_equal(status, INFER_OK);
  assert_true(two_ms < one_ms);
}

void
observe_max_waiting_calls(void **state)
{
  (void)state;
  int32_t status;
  two_calls_ms(ONE(",'limits':{'concurrency':1}", ",'max_waiting_calls':0"),
               &status);
  assert_int_equal(status, INFER_E_LIMIT);
  two_calls_ms(ONE(",'limits':{'concurrency':1}", ",'max_waiting_calls':1"),
               &status);
  assert_int_equal(status, INFER_OK);
}

/* How many of the first six requests are gold's, while two tenants wait. */
static int
gold_of_six(const char *document)
{
  world w =
      observe_world("{'defaults':{'text':'ok','first_token_ms':20}}", document);
  infer_call *calls[16];
  for (int i = 0; i < 16; i++) {
    infer_request *request = world_request(i % 2 ? "p/gold" : "p/iron", "x");
    infer_request_set_tenant(request, i % 2 ? "gold" : "iron");
    assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL,
                                  0, &calls[i], NULL),
                     INFER_OK);
    infer_request_free(request);
  }
  for (int i = 0; i < 16; i++) {
    assert_int_equal(infer_call_wait(calls[i], 10000, NULL, NULL), INFER_OK);
    infer_call_free(calls[i]);
  }
  json_object *log = world_log(&w, 1, 16);
  int gold = 0;
  for (size_t i = 1; i < 7; i++) /* the first did not wait */
    gold += strcmp(json_object_get_string(
                       json_object_object_get(log_body(log, i), "model")),
                   "gold") == 0;
  json_object_put(log);
  world_end(&w);
  return gold;
}

void
observe_tenants(void **state)
{
  (void)state;
#define LINE ONE(",'limits':{'concurrency':1,'scope':'key'}", "")
#define GOLD \
  ONE(",'limits':{'concurrency':1,'scope':'key'}", ",'tenants':{'gold':5}")
  assert_int_equal(gold_of_six(LINE), 3);
  assert_true(gold_of_six(GOLD) >= 5);
}
