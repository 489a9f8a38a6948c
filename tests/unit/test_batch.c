/* SPDX-License-Identifier: MIT */
/* Calls for embeddings over a fake network: one model, parts, their order, and
 * what becomes of the whole when one of them fails. */
#include "support/fail_alloc.h"
#include "support/fake_client.h"

#include "engine/spend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Ten inputs at most: see the catalogue. */
#define TEN "providers.a.type", "'alibaba'", "providers.b.type", "'alibaba'"

/* The answer for count inputs: the i-th vector is [first + i, 0.5]. */
static const char *
body_of(size_t first, size_t count)
{
  static char text[64 << 10];
  size_t len = 0;
  len += (size_t)snprintf(text, sizeof text, "{\"data\":[");
  for (size_t i = 0; i < count; i++)
    len += (size_t)snprintf(text + len, sizeof text - len,
                            "%s{\"index\":%zu,\"embedding\":[%zu,0.5]}",
                            i ? "," : "", i, first + i);
  snprintf(text + len, sizeof text - len,
           "],\"model\":\"said\",\"usage\":{\"prompt_tokens\":%zu,"
           "\"total_tokens\":%zu}}",
           count, count);
  return text;
}

static void
answers(fake_client *fake, uint64_t at_ms, size_t first, size_t count)
{
  fake_reply(fake_script_next(&fake->net), at_ms, 200, NULL,
             body_of(first, count));
}

static infer_request *
request_of(const char *model, size_t count)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, model), INFER_OK);
  for (size_t i = 0; i < count; i++) {
    char text[32];
    snprintf(text, sizeof text, "text %zu", i);
    assert_int_equal(infer_request_add_input(request, text), INFER_OK);
  }
  return request;
}

static infer_call *
submit(fake_client *fake, const char *model, size_t count)
{
  infer_request *request = request_of(model, count);
  infer_call *call;
  infer_error *error;
  if (infer_submit_embed(fake->client, request, fake->queue, 7, &call,
                         &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  infer_request_free(request);
  return call;
}

/* Its vectors are [0, 0.5], [1, 0.5] and so on. */
static void
assert_in_order(infer_call *call, size_t count)
{
  infer_embeddings *got;
  infer_error *error;
  if (infer_call_embeddings(call, &got, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  assert_int_equal(infer_embeddings_count(got), count);
  assert_int_equal(infer_embeddings_dimensions(got), 2);
  for (size_t i = 0; i < count; i++) {
    assert_true(infer_embeddings_vector(got, i)[0] == (float)i);
    assert_true(infer_embeddings_vector(got, i)[1] == 0.5f);
  }
  assert_null(infer_embeddings_vector(got, count));
  infer_embeddings_free(got);
}

static infer_error *
error_of(infer_call *call, int32_t expected)
{
  infer_embeddings *got;
  infer_error *error;
  assert_int_equal(infer_call_embeddings(call, &got, &error), expected);
  assert_null(got);
  return error;
}

static void
assert_trail(const infer_response *response, const char *expected)
{
  char text[2048] = "";
  size_t len = 0;
  for (size_t i = 0; i < infer_response_attempt_count(response); i++) {
    const infer_attempt *attempt = infer_response_attempt(response, i);
    len += (size_t)snprintf(
        text + len, sizeof text - len, "%s%s %s %s", i ? ", " : "",
        infer_attempt_target(attempt), infer_attempt_reason_name(attempt),
        infer_status_name(infer_attempt_status(attempt)) + 6);
  }
  assert_string_equal(text, expected);
}

/* ---- One part ------------------------------------------------------------ */

static void
a_few_inputs_are_one_request(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  answers(fake, 5, 0, 3);
  infer_call *call = submit(fake, "a/m", 3);
  fake_run_ms(fake, 4);
  infer_error_free(error_of(call, INFER_E_TIMEOUT));
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "done OK");
  assert_in_order(call, 3);
  assert_int_equal(fake->net.request_count, 1);
  assert_string_equal(fake->net.requests[0].method, "POST");
  assert_string_equal(fake->net.requests[0].url, "http://a.test/v1/embeddings");
  assert_string_equal(
      fake->net.requests[0].body,
      "{\"model\":\"m\",\"input\":[\"text 0\",\"text 1\",\"text 2\"]}");
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT), 3);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_OUTPUT), 0);
  assert_string_equal(infer_response_model(response), "said");
  assert_int_equal(infer_response_choice_count(response), 0);
  infer_response_free(response);
  assert_int_equal(infer_call_tag(call), 7);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_vectors_outlive_the_client(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  answers(fake, 5, 0, 2);
  infer_request *request = request_of("a/m", 2);
  infer_embeddings *got;
  assert_int_equal(infer_embed(fake->client, request, &got, NULL), INFER_OK);
  infer_request_free(request);
  fake_client_free(fake);
  assert_true(infer_embeddings_vector(got, 1)[0] == 1.0f);
  char *json;
  size_t len;
  assert_int_equal(infer_embeddings_json(got, 0, &json, &len), INFER_OK);
  assert_string_equal(
      json, "{\"object\":\"list\",\"data\":["
            "{\"object\":\"embedding\",\"index\":0,\"embedding\":[0,0.5]},"
            "{\"object\":\"embedding\",\"index\":1,\"embedding\":[1,0.5]}],"
            "\"model\":\"said\","
            "\"usage\":{\"prompt_tokens\":2,\"total_tokens\":2}}");
  assert_int_equal(len, strlen(json));
  infer_text_free(json);
  assert_int_equal(infer_embeddings_json(got, 1, &json, NULL), INFER_OK);
  assert_contains(json, "\"embedding\":\"AACAPwAAAD8=\"");
  infer_text_free(json);
  infer_embeddings_free(got);
}

static void
a_failure_goes_elsewhere(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 5, 404, NULL, "");
  answers(fake, 5, 0, 2);
  infer_call *call = submit(fake, "r", 2);
  fake_run_ms(fake, 20);
  assert_in_order(call, 2);
  infer_response *response = fake_response(call);
  assert_trail(response, "a/m first E_NOT_FOUND, b/m failover OK");
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* Each is the body of a 200, and is none. */
static void
what_is_no_answer_is_never_a_success(void **state)
{
  (void)state;
  static const struct {
    const char *body;
    int32_t status;
  } cases[] = {
      {"", INFER_E_TRUNCATED},
      {"{\"data\":[{\"index\":0,\"embedding\":[1,2]}", INFER_E_TRUNCATED},
      {"<html>", INFER_E_PROTOCOL},
      {"{\"data\":[]}", INFER_E_PROTOCOL},
      {"{\"data\":[{\"index\":0,\"embedding\":[1,2]}]}", INFER_E_PROTOCOL},
      {"{\"error\":{\"message\":\"slow down\",\"type\":\"rate_limit_error\","
       "\"code\":\"rate_limit_exceeded\"}}",
       INFER_E_RATE_LIMITED},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fake_client *fake = fake_client_new("defaults.retries", "0", NULL);
    fake_reply(fake_script_next(&fake->net), 5, 200, NULL, cases[i].body);
    infer_call *call = submit(fake, "a/m", 2);
    fake_run_ms(fake, 20);
    infer_error *error = error_of(call, cases[i].status);
    assert_int_equal(infer_error_attempt_count(error), 1);
    infer_error_free(error);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

static void
an_answer_begins_anew_after_a_bad_one(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL,
             "{\"data\":[{\"index\":0,\"embedding\":[9,9,9]}]}");
  answers(fake, 5, 0, 2);
  infer_call *call = submit(fake, "a/m", 2);
  fake_run_ms(fake, 1000);
  assert_in_order(call, 2);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
other_dimensions_than_asked_for_are_no_answer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.retries", "0", NULL);
  answers(fake, 5, 0, 1);
  infer_request *request = request_of("a/m", 1);
  infer_request_set_int(request, "dimensions", 3);
  infer_embeddings *got;
  infer_error *error;
  assert_int_equal(infer_embed(fake->client, request, &got, &error),
                   INFER_E_PROTOCOL);
  assert_contains(infer_error_message(error),
                  "vectors have 2 dimensions, 3 were asked for");
  infer_error_free(error);
  infer_request_free(request);
  fake_client_free(fake);
}

/* ---- One model ----------------------------------------------------------- */

static const char mixed[] = "{'targets':['a/m','b/other','c/m']}";

static void
nothing_goes_to_another_model(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.mixed", mixed, NULL);
  fake_reply(fake_script_for(&fake->net, "http://a.test"), 5, 404, NULL, "");
  fake_reply(fake_script_for(&fake->net, "http://c.test"), 5, 404, NULL, "");
  infer_call *call = submit(fake, "mixed", 2);
  fake_run_ms(fake, 100);
  infer_error_free(error_of(call, INFER_E_NOT_FOUND));
  assert_int_equal(fake->net.request_count, 2);
  assert_string_equal(fake->net.requests[0].url, "http://a.test/v1/embeddings");
  assert_string_equal(fake->net.requests[1].url, "http://c.test/v1/embeddings");
  infer_call_free(call);
  fake_client_free(fake);
}

/* Overrides reach embeddings. Vectors of other lengths than the first's are
 * those of another model. */
static void
overrides_hold_and_lengths_do_not_mix(void **state)
{
  (void)state;
  static const char *const routes[] = {
      "{'targets':[{'target':'a/m','overrides':{'dimensions':2,'user':null,"
      "'x':1}},'b/m',{'target':'c/m','overrides':{'dimensions':2}}]}",
      "{'targets':['a/m',{'target':'b/m','overrides':{'dimensions':3}},"
      "{'target':'c/m','overrides':{'user':null}}]}"};
  for (int i = 0; i < 2; i++) {
    fake_client *fake = fake_client_new("routes.sizes", routes[i], NULL);
    fake_reply(fake_script_for(&fake->net, "http://a.test"), 5, 404, NULL, "");
    fake_reply(fake_script_for(&fake->net, "http://c.test"), 5, 200, NULL,
               body_of(0, 1));
    infer_request *request = request_of("sizes", 1);
    infer_request_set_string(request, "user", "u");
    infer_embeddings *got;
    assert_int_equal(infer_embed(fake->client, request, &got, NULL), INFER_OK);
    assert_int_equal(fake->net.request_count, 2);
    const char *first = fake->net.requests[0].body;
    const char *second = fake->net.requests[1].body;
    assert_non_null(strstr(fake->net.requests[1].url, "c.test"));
    if (i == 0) {
      assert_contains(first, "\"dimensions\":2");
      assert_contains(first, "\"x\":1");
      assert_lacks(first, "\"user\"");
      assert_contains(second, "\"dimensions\":2");
      assert_contains(second, "\"user\":\"u\"");
    } else {
      assert_contains(first, "\"user\":\"u\"");
      assert_lacks(second, "\"user\"");
    }
    infer_embeddings_free(got);
    infer_request_free(request);
    fake_client_free(fake);
  }
}

/* The length that the first target asks for is the one that counts. */
static void
overridden_dimensions_are_checked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "defaults.retries", "0", "routes.three",
      "{'targets':[{'target':'a/m','overrides':{'dimensions':3}}]}", NULL);
  answers(fake, 5, 0, 1);
  infer_request *request = request_of("three", 1);
  infer_request_set_int(request, "dimensions", 2);
  infer_embeddings *got;
  infer_error *error;
  assert_int_equal(infer_embed(fake->client, request, &got, &error),
                   INFER_E_PROTOCOL);
  assert_contains(infer_error_message(error),
                  "vectors have 2 dimensions, 3 were asked for");
  infer_error_free(error);
  infer_request_free(request);
  fake_client_free(fake);
}

/* The provider calls the model otherwise; the route knows it by one name. */
static void
an_alias_tells_that_it_is_the_same_model(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.b.models", "{'m':'deployment-3'}", NULL);
  fake_reply(fake_script_next(&fake->net), 5, 404, NULL, "");
  answers(fake, 5, 0, 1);
  infer_call *call = submit(fake, "r", 1);
  fake_run_ms(fake, 100);
  assert_in_order(call, 1);
  assert_contains(fake->net.requests[1].body, "\"deployment-3\"");
  infer_call_free(call);
  fake_client_free(fake);
}

/* A key that was refused does not make another model the route's. */
static void
the_model_stays_when_its_key_does_not(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("routes.mixed", "{'targets':['a/m','c/other']}", NULL);
  fake_reply(fake_script_next(&fake->net), 5, 401, NULL, "");
  infer_call *call = submit(fake, "mixed", 1);
  fake_run_ms(fake, 100);
  infer_error_free(error_of(call, INFER_E_AUTH));
  infer_call_free(call);
  infer_request *request = request_of("mixed", 1);
  infer_error *error;
  assert_int_equal(
      infer_submit_embed(fake->client, request, fake->queue, 0, &call, &error),
      INFER_E_AUTH);
  assert_contains(infer_error_message(error), "all keys of provider \"a\"");
  infer_error_free(error);
  infer_request_free(request);
  assert_int_equal(fake->net.request_count, 1);
  fake_client_free(fake);
}

static void
who_makes_no_embeddings_is_not_asked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("providers.a.type", "'anthropic'", NULL);
  answers(fake, 5, 0, 1);
  infer_call *call = submit(fake, "r", 1);
  fake_run_ms(fake, 20);
  assert_in_order(call, 1);
  assert_string_equal(fake->net.requests[0].url, "http://b.test/v1/embeddings");
  infer_call_free(call);
  infer_request *request = request_of("a/m", 1);
  infer_error *error;
  assert_int_equal(
      infer_submit_embed(fake->client, request, fake->queue, 0, &call, &error),
      INFER_E_NO_TARGET);
  assert_contains(infer_error_message(error), "makes no embeddings");
  infer_error_free(error);
  infer_request_free(request);
  fake_client_free(fake);
}

/* ---- Parts --------------------------------------------------------------- */

static void
parts_come_in_any_order(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  answers(fake, 30, 0, 10);
  answers(fake, 10, 10, 10);
  answers(fake, 20, 20, 5);
  infer_call *call = submit(fake, "a/m", 25);
  fake_run_ms(fake, 1);
  assert_int_equal(fake->net.request_count, 3);
  fake_run_ms(fake, 28);
  assert_events(fake, "");
  fake_run_ms(fake, 2);
  assert_events(fake, "done OK");
  assert_in_order(call, 25);
  assert_contains(fake->net.requests[1].body, "[\"text 10\",");
  assert_contains(fake->net.requests[2].body, "\"text 24\"]");
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT), 25);
  assert_int_equal(infer_response_total_usage(response, INFER_USAGE_INPUT), 25);
  assert_trail(response, "a/m first OK, a/m first OK, a/m first OK");
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
so_many_parts_go_at_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  for (size_t i = 0; i < 10; i++)
    answers(fake, 10, i * 10, 10);
  infer_call *call = submit(fake, "a/m", 100);
  fake_run_ms(fake, 9);
  assert_int_equal(fake->net.request_count, 8);
  fake_run_ms(fake, 2);
  assert_int_equal(fake->net.request_count, 10);
  fake_run_ms(fake, 10);
  assert_in_order(call, 100);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_part_fails_over_by_itself(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  answers(fake, 10, 0, 10);
  fake_reply(fake_script_next(&fake->net), 5, 404, NULL, "");
  answers(fake, 10, 10, 4); /* of b */
  infer_call *call = submit(fake, "r", 14);
  fake_run_ms(fake, 50);
  assert_in_order(call, 14);
  assert_string_equal(fake->net.requests[2].url, "http://b.test/v1/embeddings");
  assert_contains(fake->net.requests[2].body, "[\"text 10\",");
  assert_int_equal(fake->net.request_count, 3);
  infer_response *response = fake_response(call);
  assert_trail(response,
               "a/m first OK, a/m first E_NOT_FOUND, b/m failover OK");
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* A million tokens are a dollar: a token is 1000 nano-dollars. */
#define PRICED                                                                \
  "providers.a.prices", "{'*':{'input':1,'output':1}}", "providers.b.prices", \
      "{'*':{'input':1,'output':1}}"

static void
assert_spent(fake_client *fake, int64_t nano, int64_t wasted_nano,
             uint64_t attempts)
{
  inf_spend total = inf_spend_total(fake->client->runtime);
  assert_int_equal(total.exact_nano, nano);
  assert_int_equal(total.wasted_nano, wasted_nano);
  assert_int_equal(total.attempts, attempts);
}

/* Statistics, metrics and sums of what was spent have embeddings as they have
 * all else, and apart from chat. */
static void
telemetry_tells_of_them(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, PRICED, NULL);
  answers(fake, 10, 0, 3);
  infer_call *call = submit(fake, "a/m", 3);
  fake_run_ms(fake, 50);
  infer_call_free(call);
  assert_spent(fake, 3000, 0, 1);
  answers(fake, 10, 0, 10);
  answers(fake, 10, 10, 4);
  call = submit(fake, "a/m", 14);
  fake_run_ms(fake, 50);
  infer_call_free(call);
  assert_spent(fake, 17000, 0, 3);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call_free(fake_submit_whole(fake, "a/m"));
  fake_run_ms(fake, 50);
  char *text = NULL;
  assert_int_equal(infer_client_stats(fake->client, &text, NULL), INFER_OK);
  assert_contains(text, "\"route\":\"\",\"operation\":\"chat\","
                        "\"calls\":{\"ok\":1}");
  assert_contains(text, "\"route\":\"\",\"operation\":\"embeddings\","
                        "\"calls\":{\"ok\":2},"
                        "\"attempts\":{\"first\":{\"ok\":3}},"
                        "\"tokens\":{\"input\":17,");
  infer_text_free(text);
  assert_int_equal(infer_client_metrics(fake->client, &text, NULL), INFER_OK);
  assert_contains(text, "gen_ai_client_operation_duration_seconds_count{"
                        "gen_ai_operation_name=\"embeddings\",");
  assert_contains(text, "gen_ai_client_operation_duration_seconds_count{"
                        "gen_ai_operation_name=\"chat\",");
  assert_contains(text, "libinfer_calls_total{provider=\"a\",model=\"m\","
                        "operation=\"embeddings\"} 2\n");
  assert_contains(text, "libinfer_calls_total{provider=\"a\",model=\"m\"} 1\n");
  /* Of the whole answer, in whatever parts it came. */
  assert_contains(text, "gen_ai_client_token_usage_sum{"
                        "gen_ai_operation_name=\"embeddings\","
                        "gen_ai_provider_name=\"alibaba\","
                        "gen_ai_request_model=\"m\",libinfer_provider=\"a\","
                        "gen_ai_token_type=\"input\"} 17\n");
  infer_text_free(text);
  fake_client_free(fake);
}

/* Whatever a provider says of tokens can be added up. */
static void
figures_beyond_all_measure_stay_positive(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.a.embed_inputs", "1", PRICED, "budgets",
                      "[{'name':'all','tokens':4000000000000}]", NULL);
  for (int i = 0; i < 2; i++)
    fake_reply(fake_script_next(&fake->net), 5, 200, NULL,
               "{\"data\":[{\"index\":0,\"embedding\":[1]}],\"usage\":{"
               "\"prompt_tokens\":9223372036854775807,"
               "\"total_tokens\":9223372036854775807}}");
  infer_call *call = submit(fake, "a/m", 2);
  fake_run_ms(fake, 20);
  infer_response *response = fake_response(call);
  assert_true(infer_response_usage(response, INFER_USAGE_INPUT) > 0);
  infer_response_free(response);
  char *text = NULL;
  assert_int_equal(infer_client_stats(fake->client, &text, NULL), INFER_OK);
  assert_contains(text, "\"spent_tokens\":2000000000000,");
  assert_contains(text, "\"tokens\":{\"input\":2000000000000,");
  infer_text_free(text);
  infer_call_free(call);
  fake_client_free(fake);
}

/* What its parts cost is wasted, those that were answered too. */
static void
a_failed_call_has_wasted_all(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, PRICED, NULL);
  answers(fake, 10, 0, 10);
  fake_reply(fake_script_next(&fake->net), 20, 400, NULL, "");
  infer_call *call = submit(fake, "a/m", 14);
  fake_run_ms(fake, 50);
  infer_error *error = error_of(call, INFER_E_BAD_REQUEST);
  assert_int_equal(infer_error_wasted_cost_nano_usd(error), 10000);
  infer_error_free(error);
  assert_spent(fake, 10000, 10000, 2);
  char *text = NULL;
  assert_int_equal(infer_client_metrics(fake->client, &text, NULL), INFER_OK);
  assert_lacks(text, "gen_ai_client_token_usage_sum");
  infer_text_free(text);
  infer_call_free(call);
  fake_client_free(fake);
}

static uint64_t
attempts_told(const fake_client *fake)
{
  uint64_t count = 0;
  const char *at = fake->telemetry;
  for (; (at = strstr(at, "attempt ")) != NULL; at++)
    count++;
  return count;
}

/* A part had two attempts: whichever of them the whole has no room for, each is
 * counted once. */
static void
want_of_memory_counts_no_attempt_twice(void **state)
{
  (void)state;
  size_t hits = 1;
  fail_alloc_install();
  for (size_t n = 1; hits > 0; n++) {
    fake_client *fake = fake_client_new(TEN, PRICED, NULL);
    answers(fake, 1, 0, 1);
    infer_call_free(submit(fake, "r", 1)); /* the sums are there */
    fake_run_ms(fake, 5);
    answers(fake, 10, 0, 10);
    fake_reply(fake_script_next(&fake->net), 5, 404, NULL, "");
    answers(fake, 10, 10, 4); /* of b */
    infer_call *call = submit(fake, "r", 14);
    fail_alloc_nth(n);
    fake_run_ms(fake, 50);
    hits = fail_alloc_hits();
    fail_alloc_never();
    inf_spend total = inf_spend_total(fake->client->runtime);
    assert_int_equal(total.attempts, attempts_told(fake));
    infer_call_free(call);
    fake_client_free(fake);
  }
  fail_alloc_uninstall();
}

static void
a_failed_part_is_the_end_of_all(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  answers(fake, 10, 0, 10);
  fake_reply(fake_script_next(&fake->net), 20, 400, NULL,
             "{\"error\":{\"message\":\"no such thing\"}}");
  fake_script_next(&fake->net); /* silence */
  infer_call *call = submit(fake, "a/m", 25);
  fake_run_ms(fake, 21);
  assert_events(fake, "done BAD_REQUEST");
  infer_error *error = error_of(call, INFER_E_BAD_REQUEST);
  assert_contains(infer_error_message(error), "no such thing");
  assert_int_equal(infer_error_attempt_count(error), 3);
  assert_int_equal(infer_attempt_status(infer_error_attempt(error, 0)),
                   INFER_OK);
  assert_int_equal(infer_attempt_status(infer_error_attempt(error, 1)),
                   INFER_E_BAD_REQUEST);
  assert_int_equal(infer_attempt_status(infer_error_attempt(error, 2)),
                   INFER_E_CANCELLED);
  infer_error_free(error);
  assert_cancelled_at(fake, 2, 20);
  assert_int_equal(fake->net.live, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
parts_of_other_lengths_do_not_fit(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  answers(fake, 10, 0, 10);
  fake_reply(fake_script_next(&fake->net), 20, 200, NULL,
             "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}]}");
  infer_call *call = submit(fake, "a/m", 11);
  fake_run_ms(fake, 30);
  infer_error *error = error_of(call, INFER_E_PROTOCOL);
  assert_contains(infer_error_message(error),
                  "the vector of input 10 has 3 dimensions, others 2");
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_deadline_is_that_of_the_whole(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  answers(fake, 10, 0, 10);
  infer_request *request = request_of("a/m", 11);
  infer_request_set_deadline_ms(request, 50);
  infer_call *call;
  assert_int_equal(
      infer_submit_embed(fake->client, request, fake->queue, 0, &call, NULL),
      INFER_OK);
  infer_request_free(request);
  fake_run_ms(fake, 49);
  assert_events(fake, "");
  fake_run_ms(fake, 2);
  assert_events(fake, "done DEADLINE");
  infer_error *error = error_of(call, INFER_E_DEADLINE);
  assert_int_equal(infer_error_attempt_count(error), 2);
  infer_error_free(error);
  assert_cancelled_at(fake, 1, 50);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_cancel_ends_all_parts(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  infer_call *call = submit(fake, "a/m", 95);
  fake_run_ms(fake, 5);
  assert_int_equal(fake->net.live, 8);
  infer_call_cancel(call);
  fake_run_ms(fake, 1);
  assert_events(fake, "done CANCELLED");
  assert_int_equal(fake->net.live, 0);
  assert_int_equal(fake->net.request_count, 8);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_client_that_goes_ends_all_parts(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  infer_call *call = submit(fake, "a/m", 25);
  fake_run_ms(fake, 5);
  assert_int_equal(infer_client_close(fake->client, 0), INFER_E_TIMEOUT);
  assert_events(fake, "done CANCELLED");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
telemetry_hears_of_one_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(TEN, NULL);
  answers(fake, 10, 0, 10);
  answers(fake, 20, 10, 1);
  infer_call *call = submit(fake, "a/m", 11);
  fake_run_ms(fake, 30);
  assert_in_order(call, 11);
  assert_string_equal(fake->telemetry, "attempt a/m first OK http=200 \n"
                                       "attempt a/m first OK http=200 \n"
                                       "call OK\n");
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Arguments ----------------------------------------------------------- */

static void
requests_are_of_one_kind(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *inputs = request_of("a/m", 1);
  infer_request *chat = fake_request_new("a/m");
  infer_call *call;
  infer_error *error;
  assert_int_equal(infer_request_add_message(inputs, "user", "x"),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_request_add_input(chat, "x"),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_submit(fake->client, inputs, INFER_SUBMIT_WHOLE,
                                fake->queue, 0, &call, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(
      infer_submit_embed(fake->client, chat, fake->queue, 0, &call, &error),
      INFER_E_INVALID_ARGUMENT);
  assert_string_equal(infer_error_message(error), "no \"input\"");
  infer_error_free(error);
  infer_request_set_int(inputs, "dimensions", 0);
  assert_int_equal(
      infer_submit_embed(fake->client, inputs, fake->queue, 0, &call, NULL),
      INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_submit_embed(NULL, inputs, NULL, 0, &call, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(
      infer_submit_embed(fake->client, inputs, NULL, 0, NULL, NULL),
      INFER_E_INVALID_ARGUMENT);
  infer_embeddings *got;
  assert_int_equal(infer_call_embeddings(NULL, &got, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_embeddings_count(NULL), 0);
  assert_null(infer_embeddings_response(NULL));
  infer_embeddings_free(NULL);
  infer_request_free(inputs);
  infer_request_free(chat);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_few_inputs_are_one_request),
      cmocka_unit_test(the_vectors_outlive_the_client),
      cmocka_unit_test(a_failure_goes_elsewhere),
      cmocka_unit_test(what_is_no_answer_is_never_a_success),
      cmocka_unit_test(an_answer_begins_anew_after_a_bad_one),
      cmocka_unit_test(other_dimensions_than_asked_for_are_no_answer),
      cmocka_unit_test(nothing_goes_to_another_model),
      cmocka_unit_test(overrides_hold_and_lengths_do_not_mix),
      cmocka_unit_test(overridden_dimensions_are_checked),
      cmocka_unit_test(an_alias_tells_that_it_is_the_same_model),
      cmocka_unit_test(the_model_stays_when_its_key_does_not),
      cmocka_unit_test(who_makes_no_embeddings_is_not_asked),
      cmocka_unit_test(parts_come_in_any_order),
      cmocka_unit_test(so_many_parts_go_at_once),
      cmocka_unit_test(a_part_fails_over_by_itself),
      cmocka_unit_test(telemetry_tells_of_them),
      cmocka_unit_test(figures_beyond_all_measure_stay_positive),
      cmocka_unit_test(a_failed_call_has_wasted_all),
      cmocka_unit_test(want_of_memory_counts_no_attempt_twice),
      cmocka_unit_test(a_failed_part_is_the_end_of_all),
      cmocka_unit_test(parts_of_other_lengths_do_not_fit),
      cmocka_unit_test(the_deadline_is_that_of_the_whole),
      cmocka_unit_test(a_cancel_ends_all_parts),
      cmocka_unit_test(a_client_that_goes_ends_all_parts),
      cmocka_unit_test(telemetry_hears_of_one_call),
      cmocka_unit_test(requests_are_of_one_kind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
