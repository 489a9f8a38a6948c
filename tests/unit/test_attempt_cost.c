/* SPDX-License-Identifier: MIT */
/* What attempts cost, however they end. Prices are such that an input token is
 * 1000 nano-dollars and one of the answer a million: the two counts can be read
 * from the sum. */
#include "support/race_world.h"

#include "engine/attempt_cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define TARGET_A   "[{'target':'a/m','price':{'input':1,'output':1000}}]"
#define ALONE_AT_A "routes.one.targets", TARGET_A
#define ALONE      ALONE_AT_A, "defaults.retries", "0", NO_STAY

enum { exact = INFER_COST_EXACT, estimated = INFER_COST_ESTIMATED };
/* A message "Hi", by its length. */
enum { prompt = prompt_tokens };

static int64_t
nano(int64_t input, int64_t output)
{
  return input * 1000 + output * 1000000;
}

/* Attempt i of the call cost so much. */
static void
costs(infer_call *call, size_t i, int64_t nano_usd, int32_t kind)
{
  infer_response *response;
  infer_error *error;
  infer_call_wait(call, 0, &response, &error);
  const infer_attempt *attempt = response ? infer_response_attempt(response, i)
                                          : infer_error_attempt(error, i);
  assert_non_null(attempt);
  assert_int_equal(infer_attempt_cost_nano_usd(attempt), nano_usd);
  assert_int_equal(infer_attempt_cost_kind(attempt), kind);
  infer_response_free(response);
  infer_error_free(error);
}

/* One call over route "one" that follows the script. */
static void
one_call(fake_client *fake, int64_t nano_usd, int32_t kind)
{
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 60000);
  costs(call, 0, nano_usd, kind);
  infer_call_free(call);
}

static void
figures_of_a_whole_answer_are_exact(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x"); /* 3 and 2 */
  one_call(fake, nano(3, 2), exact);
  fake_client_free(fake);
}

static void
stream_with_usage(fake_client *fake, const char *usage)
{
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("x"));
  fake_body(script, 1, sse_finish("stop"));
  fake_body(script, 1, usage);
  fake_body(script, 1, SSE_DONE);
  fake_done(script, 1, INF_NET_OK);
}

/* The price of 1 and 5 dollars holds up to 32000 tokens. */
static void
a_long_prompt_is_charged_twice_as_an_estimate(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.a.type", "'alibaba'", "providers.a.catalogue", "'on'",
      "routes.one.targets", "['a/qwen3-coder-plus']", NULL);
  stream_with_usage(fake, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":"
                          "32000,\"completion_tokens\":2}}\n\n");
  one_call(fake, 32000 * 1000 + 2 * 5000, exact);
  stream_with_usage(fake, "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":"
                          "32001,\"completion_tokens\":2}}\n\n");
  one_call(fake, 2 * (32001 * 1000 + 2 * 5000), estimated);
  fake_client_free(fake);
}

/* Each kind of token at its own price. */
static void
parts_have_their_prices(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "routes.one.targets",
      "[{'target':'a/m','price':{'input':1,'output':1,'cache_read':2,"
      "'cache_write':3,'reasoning':4,'audio_input':5,'audio_output':6}}]",
      NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("x"));
  fake_body(script, 1, sse_finish("stop"));
  fake_body(script, 1,
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1111,"
            "\"completion_tokens\":1111,\"prompt_tokens_details\":{"
            "\"cached_tokens\":1,\"cache_write_tokens\":10,"
            "\"audio_tokens\":100},\"completion_tokens_details\":{"
            "\"reasoning_tokens\":10,\"audio_tokens\":100}}}\n\n");
  fake_body(script, 1, SSE_DONE);
  fake_done(script, 1, INF_NET_OK);
  one_call(fake,
           1000 * (1000 + 1 * 2 + 10 * 3 + 100 * 5 + 1001 + 10 * 4 + 100 * 6),
           exact);
  fake_client_free(fake);
}

static void
an_answer_without_figures_is_estimated(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("12345"));
  fake_body(script, 1, sse_finish("stop"));
  fake_body(script, 1, SSE_DONE);
  fake_done(script, 1, INF_NET_OK);
  one_call(fake, nano(prompt, 2), estimated);
  fake_client_free(fake);
}

static void
a_cut_answer_costs_what_was_written(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("123456789"));
  fake_done(script, 2, INF_NET_RESET);
  one_call(fake, nano(prompt, 3), estimated);
  fake_client_free(fake);
}

/* Figures that came with the beginning are not those of the end. */
static void
figures_of_a_cut_answer_are_a_beginning(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_usage(50, 1));
  fake_body(script, 1, sse_text("123456789"));
  fake_done(script, 2, INF_NET_RESET);
  one_call(fake, nano(50, 3), estimated);
  fake_client_free(fake);
}

static void
figures_after_an_error_are_exact(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("123456789"));
  fake_body(script, 2,
            "data: {\"error\":{\"message\":\"no\",\"code\":502}}\n\n");
  fake_body(script, 3, sse_usage(50, 7));
  fake_done(script, 4, INF_NET_OK);
  one_call(fake, nano(50, 7), exact);
  fake_client_free(fake);
}

/* Statuses, and an error in place of an answer. */
static void
who_refuses_does_not_charge(void **state)
{
  (void)state;
  static const struct {
    int status;
    int32_t kind;
  } refusals[] = {
      {400, exact},     {401, exact},     {404, exact},     {429, exact},
      {500, exact},     {503, exact},     {529, exact},     {302, exact},
      {502, estimated}, {504, estimated}, {520, estimated}, {524, estimated},
  };
  for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    fake_client *fake = fake_client_new(ALONE, NULL);
    fake_reply(fake_script_next(&fake->net), 5, refusals[i].status, NULL,
               error_body("x", "no"));
    one_call(fake, 0, refusals[i].kind);
    fake_client_free(fake);
  }
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1,
            "data: {\"error\":{\"message\":\"no\",\"code\":503}}\n\n");
  fake_done(script, 1, INF_NET_OK);
  one_call(fake, 0, exact);
  fake_client_free(fake);
}

static void
what_never_left_costs_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_done(fake_script_next(&fake->net), 5, INF_NET_CONNECT);
  one_call(fake, 0, exact);
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 1);
  fake_done(script, 5, INF_NET_REFUSED_STREAM);
  fake_done(fake_script_next(&fake->net), 5, INF_NET_CONNECT);
  one_call(fake, 0, exact);
  fake_client_free(fake);
}

/* Perhaps it was read after all. */
static void
a_stale_connection_costs_nothing_we_think(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->reused = true;
  fake_sent(script, 1);
  fake_done(script, 2, INF_NET_RESET);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1000);
  costs(call, 0, 0, estimated);
  costs(call, 1, nano(3, 2), exact);
  infer_call_free(call);
  fake_client_free(fake);
}

/* It may have been read, and nothing came of it. */
static void
silence_costs_the_prompt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  fake_stream(fake_script_next(&fake->net), 1);
  one_call(fake, nano(prompt, 0), estimated);
  fake_client_free(fake);
}

static void
without_a_price_nothing_is_known(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  one_call(fake, -1, INFER_COST_UNKNOWN);
  /* Except that what never left costs nothing. */
  fake_done(fake_script_always(&fake->net), 5, INF_NET_CONNECT);
  one_call(fake, 0, exact);
  fake_client_free(fake);
}

/* ---- Answers that are made to their end ---------------------------------- */

/* Whose answer runs on: by the catalogue, Groq's does. */
#define RUNS_ON "providers.a.type", "'groq'"

/* Its answers had 20 tokens until now: 1, 39. */
static void
learn_lengths(fake_client *fake)
{
  static const unsigned lengths[] = {1, 39};
  for (size_t i = 0; i < 2; i++) {
    fake_script *script = fake_script_next(&fake->net);
    fake_stream(script, 0);
    fake_body(script, 1, sse_text("x"));
    fake_body(script, 1, sse_finish("stop"));
    fake_body(script, 1, sse_usage(prompt, lengths[i]));
    fake_body(script, 1, SSE_DONE);
    fake_done(script, 1, INF_NET_OK);
    one_call(fake, nano(prompt, lengths[i]), exact);
  }
}

static void
cancel_after(fake_client *fake, uint64_t ms, int64_t nano_usd)
{
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, ms);
  infer_call_cancel(call);
  fake_run_ms(fake, 1);
  assert_int_equal(fake_status(call), INFER_E_CANCELLED);
  costs(call, 0, nano_usd, estimated);
  infer_call_free(call);
}

static void
write_and_wait(fake_client *fake, const char *text)
{
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text(text));
}

static void
a_cancelled_answer_that_runs_on_costs_the_usual(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, RUNS_ON, NULL);
  learn_lengths(fake);
  write_and_wait(fake, "12345678");
  cancel_after(fake, 2, nano(prompt, 20));
  /* More than usual was written. */
  write_and_wait(fake, "0123456789012345678901234567890123456789"
                       "0123456789012345678901234567890123456789"
                       "0123456789");
  cancel_after(fake, 2, nano(prompt, 23));
  fake_client_free(fake);
}

static void
a_cancelled_answer_that_stops_costs_what_was_written(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(ALONE, NULL);
  learn_lengths(fake);
  write_and_wait(fake, "12345678");
  cancel_after(fake, 2, nano(prompt, 2));
  fake_client_free(fake);
}

/* Nobody can stop a whole body. */
static void
a_cancelled_whole_body_costs_the_usual(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(ALONE, "routes.one.upstream", "'unary'", NULL);
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL,
             "{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,"
             "\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
             "\"assistant\",\"content\":\"x\"},\"finish_reason\":\"stop\"}],"
             "\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":30,"
             "\"total_tokens\":38}}");
  one_call(fake, nano(prompt, 30), exact);
  fake_sent(fake_script_next(&fake->net), 0);
  cancel_after(fake, 2, nano(prompt, 30));
  fake_client_free(fake);
}

/* ---- Races --------------------------------------------------------------- */

/* A nano-dollar a token: the route has earned a few. */
#define CHEAP "'price':{'input':0.001,'output':0.001}"
#define BOTH  "[{'target':'a/m'," CHEAP "},{'target':'b/m'," CHEAP "}]"

/* The race is charged what the record says, and no more. */
static void
a_loser_is_charged_once(void **state)
{
  (void)state;
  fake_client *fake = hedging_client("routes.r.targets", BOTH, NULL);
  earn(fake, "r");
  int64_t before = totals_of(fake, "r").losers_cost;
  is_silent(fake, "http://a.test");
  talks(fake, "http://b.test", 100, "x");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 10000);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge OK won");
  costs(call, 0, prompt, estimated);
  costs(call, 1, 3 + 2, exact);
  /* Pico-dollars there. */
  int64_t settled = totals_of(fake, "r").losers_cost - before;
  assert_int_equal(settled, prompt * 1000);
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_total_cost_nano_usd(response),
                   prompt + 3 + 2);
  assert_int_equal(infer_response_wasted_cost_nano_usd(response), prompt);
  assert_int_equal(infer_response_cost_kind(response), estimated);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_of_a_whole_answer_are_exact),
      cmocka_unit_test(parts_have_their_prices),
      cmocka_unit_test(a_long_prompt_is_charged_twice_as_an_estimate),
      cmocka_unit_test(an_answer_without_figures_is_estimated),
      cmocka_unit_test(a_cut_answer_costs_what_was_written),
      cmocka_unit_test(figures_of_a_cut_answer_are_a_beginning),
      cmocka_unit_test(figures_after_an_error_are_exact),
      cmocka_unit_test(who_refuses_does_not_charge),
      cmocka_unit_test(what_never_left_costs_nothing),
      cmocka_unit_test(a_stale_connection_costs_nothing_we_think),
      cmocka_unit_test(silence_costs_the_prompt),
      cmocka_unit_test(without_a_price_nothing_is_known),
      cmocka_unit_test(a_cancelled_answer_that_runs_on_costs_the_usual),
      cmocka_unit_test(a_cancelled_answer_that_stops_costs_what_was_written),
      cmocka_unit_test(a_cancelled_whole_body_costs_the_usual),
      cmocka_unit_test(a_loser_is_charged_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
