/* SPDX-License-Identifier: MIT */
/* Recovery by "continue": who goes on with a cut answer, what it is sent, and
 * what the reader, the response and the trail tell of it. */
#include "support/fail_alloc.h"
#include "support/fake_client.h"

#include "engine/carry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Long enough to be told from an echo. */
#define BEGINNING "It was a dark and "
#define REST      "stormy night."

#define CONTINUE  "routes.r.recovery", "'continue'"
#define B_TAKES   "providers.b.prefill", "'assistant'"

static void
script_cut_after(fake_client *fake, const char *first, const char *second)
{
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, first);
  if (second)
    fake_body(script, 20, second);
  fake_done(script, 30, INF_NET_RESET);
}

static void
script_cut(fake_client *fake)
{
  script_cut_after(fake, sse_text("It was a dark"), sse_text(" and "));
}

static void
script_error(fake_client *fake, int status, const char *code)
{
  fake_reply(fake_script_next(&fake->net), 5, status,
             "content-type: application/json", error_body(code, "No prefill"));
}

static void
script_rest(fake_client *fake)
{
  fake_stream_all(fake_script_next(&fake->net), 5, REST);
}

/* A call whose reader takes what comes before the cut. */
static infer_call *
submit_and_read(fake_client *fake, infer_request *request, const char *seen)
{
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 29);
  assert_events(fake, seen);
  fake_run_ms(fake, 2000);
  return call;
}

static infer_call *
cut_call(fake_client *fake)
{
  return submit_and_read(fake, fake_request_new("r"),
                         "start a/m|text " BEGINNING);
}

static const char *
body(const fake_client *fake, size_t request)
{
  assert_true(request < fake->net.request_count);
  return fake->net.requests[request].body;
}

static void
end(fake_client *fake, infer_call *call)
{
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- It goes on ---------------------------------------------------------- */

static void
another_target_goes_on(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  script_rest(fake);
  infer_call *call = cut_call(fake);
  assert_request(fake, 1, "b", 30);
  assert_contains(body(fake, 1), "{\"role\":\"assistant\",\"content\":"
                                 "\"" BEGINNING "\"}]");
  assert_lacks(body(fake, 0), "assistant");
  assert_events(fake, "text " REST "|finish stop|usage|done OK");
  assert_string_equal(fake->telemetry, "attempt a/m first TRUNCATED http=200 "
                                       "connection reset by peer\n"
                                       "attempt b/m continue OK http=200 \n"
                                       "call OK\n");
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), BEGINNING REST);
  assert_string_equal(infer_response_finish_reason(response, 0), "stop");
  assert_string_equal(infer_response_target(response), "b/m");
  infer_response_free(response);
  end(fake, call);
}

/* Nothing that is unread is discarded: so the reader has to catch up first,
 * whoever goes on. */
static void
the_transfer_stays_paused(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(CONTINUE, B_TAKES, "max_undelivered_bytes", "4096", NULL);
  char text[701];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  for (int i = 0; i < 8; i++)
    fake_body(script, 10, sse_text(text));
  script_rest(fake);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, fake_attempt_ms + 1000);
  assert_int_equal(fake->net.requests[0].pauses, 1);
  assert_int_equal(fake->net.request_count, 2);
  assert_int_equal(fake->net.requests[1].pauses, 1);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_events(fake);
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.requests[1].resumes, 1);
  assert_int_equal(fake_status(call), INFER_OK);
  end(fake, call);
}

static void
the_response_names_both(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut_after(fake,
                   "data: {\"id\":\"c0\",\"model\":\"a-model\",\"choices\":[{"
                   "\"index\":0,\"delta\":{\"content\":\"" BEGINNING
                   "\"}}]}\n\n",
                   NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 5,
            "data: {\"id\":\"c1\",\"model\":\"b-model\",\"choices\":[{"
            "\"index\":0,\"delta\":{\"content\":\"" REST "\"},"
            "\"finish_reason\":\"length\"}]}\n\n" SSE_DONE);
  fake_done(script, 5, INF_NET_OK);
  infer_call *call = cut_call(fake);
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_id(response), "c1");
  assert_string_equal(infer_response_model(response), "b-model");
  assert_int_equal(infer_response_part_count(response), 2);
  assert_string_equal(infer_attempt_target(infer_response_part(response, 0)),
                      "a/m");
  assert_string_equal(infer_attempt_target(infer_response_part(response, 1)),
                      "b/m");
  assert_string_equal(infer_response_part_model(response, 0), "a-model");
  assert_string_equal(infer_response_part_model(response, 1), "b-model");
  assert_int_equal(infer_response_part_bytes(response, 0), strlen(BEGINNING));
  assert_int_equal(infer_response_part_bytes(response, 1), strlen(REST));
  assert_null(infer_response_part(response, 2));
  assert_string_equal(infer_response_part_model(response, 2), "");
  assert_int_equal(infer_response_part_bytes(response, 2), 0);
  assert_contains(infer_response_json(response, NULL),
                  "\"x_parts\":[{\"target\":\"a/m\",\"model\":\"a-model\","
                  "\"bytes\":18},{\"target\":\"b/m\",\"model\":\"b-model\","
                  "\"bytes\":13}]");
  assert_contains(infer_response_json(response, NULL),
                  "\"content\":\"" BEGINNING REST "\"");
  infer_response_free(response);
  end(fake, call);
}

static void
an_answer_in_one_piece_has_one_part(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "Hello");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 100);
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_part_count(response), 1);
  assert_string_equal(infer_attempt_target(infer_response_part(response, 0)),
                      "a/m");
  assert_string_equal(infer_response_part_model(response, 0),
                      infer_response_model(response));
  assert_int_equal(infer_response_part_bytes(response, 0), 5);
  assert_lacks(infer_response_json(response, NULL), "x_parts");
  assert_int_equal(infer_response_part_count(NULL), 0);
  infer_response_free(response);
  end(fake, call);
}

/* ---- Every cut ----------------------------------------------------------- */

static const char whole[] = "It was a d\xc3\xa4rk \xf0\x9f\x8c\x99 and "
                            "stormy night.";
static const char stream[] =
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
    "\"assistant\",\"content\":\"\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"It was\"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" a d\xc3\xa4rk\""
    "}}]}\r\n\r\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" "
    "\\ud83c\\udf19\""
    "}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" and \"}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"stormy night.\""
    "}}]}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}"
    "]}\n\n" SSE_DONE;

/* The stream up to the cut, its last line for itself, so that what is before
 * it was delivered. */
static void
script_stream_cut(fake_client *fake, size_t cut)
{
  fake_script *script = fake_script_next(&fake->net);
  size_t last = cut;
  while (last > 0 && stream[last - 1] != '\n')
    last--;
  fake_stream(script, 5);
  if (last > 0)
    fake_body_n(script, 10, stream, last);
  fake_body_n(script, 20, stream + last, cut - last);
  fake_done(script, 30, INF_NET_RESET);
}

/* How much of the whole text the request asks to go on from; 0: nothing. */
static size_t
prefilled_bytes(const char *request)
{
  static const char mark[] = "{\"role\":\"assistant\",\"content\":\"";
  const char *prefill = strstr(request, mark);
  if (!prefill)
    return 0;
  prefill += strlen(mark);
  size_t len = (size_t)(strchr(prefill, '"') - prefill);
  assert_memory_equal(prefill, whole, len);
  return len;
}

/* The pieces of text in a line of events, one after the other. */
static void
add_texts(char *text, size_t size, const char *events)
{
  for (const char *at = events; (at = strstr(at, "text ")); at++) {
    size_t len = strlen(text);
    snprintf(text + len, size - len, "%.*s", (int)strcspn(at + 5, "|"), at + 5);
  }
}

/* echo: the second server says again first what it was given. Returns how
 * many parts the answer has. */
static size_t
cut_at(size_t cut, const char *prefill, bool echo)
{
  char seen[128] = "", rest[128] = "";
  fake_client *fake =
      fake_client_new(CONTINUE, "providers.b.prefill", prefill, NULL);
  script_stream_cut(fake, cut);
  fake_script *second = fake_script_next(&fake->net);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 29);
  add_texts(seen, sizeof seen, fake_events(fake));
  for (int i = 0; i < 300 && fake->net.request_count < 2; i++)
    fake_run_ms(fake, 1);
  if (fake->net.request_count > 1) {
    size_t len = prefilled_bytes(body(fake, 1));
    assert_true(len == 0 || len >= strlen(seen));
    snprintf(rest, sizeof rest, "%s", whole + (echo ? 0 : len));
    fake_stream_all(second, 5, rest);
  }
  fake_run_ms(fake, 2000);
  if (fake_status(call) != INFER_OK)
    fail_msg("cut at %zu: %s", cut, fake_message(call));
  const char *events = fake_events(fake);
  if (strstr(events, "restart"))
    fail_msg("cut at %zu: %s", cut, events);
  assert_string_equal(strstr(events, "done"), "done OK");
  add_texts(seen, sizeof seen, events);
  assert_string_equal(seen, whole);
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), whole);
  size_t parts = infer_response_part_count(response);
  infer_response_free(response);
  end(fake, call);
  return parts;
}

/* Every byte of the stream is the last one that comes: no byte of the text is
 * lost or doubled, and its reader need not forget any. */
static void
cut_at_every_byte(void **state)
{
  (void)state;
  size_t continued = 0;
  for (size_t cut = 0; cut < sizeof stream - 1; cut++)
    continued += cut_at(cut, "'continue_final_message'", false) == 2;
  assert_in_range(continued, 300, 600);
}

/* From where the beginning is long enough for it. */
static void
cut_at_every_byte_with_an_echo(void **state)
{
  (void)state;
  const char *from = strstr(stream, "\\ud83c");
  size_t continued = 0;
  for (size_t cut = (size_t)(strchr(from, '\n') - stream) + 2;
       cut < sizeof stream - 1; cut++) {
    continued += cut_at(cut, "'prefix'", true) == 2;
    assert_int_equal(cut_at(cut, "'prefix'", false),
                     cut_at(cut, "'prefix'", true));
  }
  assert_in_range(continued, 150, 400);
}

/* ---- Or it does not ------------------------------------------------------ */

static void
a_short_beginning_starts_again_where_it_might_be_echoed(void **state)
{
  (void)state;
  static const char *const prefills[] = {"'assistant'", "'prefix'"};
  for (size_t i = 0; i < 2; i++) {
    fake_client *fake =
        fake_client_new(CONTINUE, "providers.b.prefill", prefills[i], NULL);
    script_cut_after(fake, sse_text("It was"), NULL);
    fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
    infer_call *call =
        submit_and_read(fake, fake_request_new("r"), "start a/m|text It was");
    assert_lacks(body(fake, 1), "assistant");
    assert_events(fake, "1:restart answer truncated|1:start b/m|1:text Howdy|"
                        "1:finish stop|1:usage|1:done OK");
    assert_contains(fake->telemetry, "attempt b/m recovery OK");
    end(fake, call);
  }
}

static infer_request *
request_with(const char *member, const char *json)
{
  infer_request *request = fake_request_new("r");
  if (member)
    assert_int_equal(infer_request_set_json(request, member, json,
                                            INFER_NUL_TERMINATED, NULL),
                     INFER_OK);
  return request;
}

/* Requests whose answer is more than plain text. */
static void
other_requests_start_again(void **state)
{
  (void)state;
  static const char *const members[][2] = {
      {"n", "2"},
      {"logprobs", "true"},
      {"tools", "[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]"},
      {"response_format",
       "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"s\"}}"},
  };
  for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
    fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
    script_cut(fake);
    fake_script *script = fake_script_next(&fake->net);
    fake_stream(script, 5);
    fake_body(script, 5, sse_text("Howdy"));
    fake_body(script, 5, sse_finish("stop"));
    fake_body(script, 5, sse_finish_of(1, "stop"));
    fake_body(script, 5, SSE_DONE);
    infer_call *call =
        submit_and_read(fake, request_with(members[i][0], members[i][1]),
                        "start a/m|text " BEGINNING);
    assert_lacks(body(fake, 1), "\"assistant\"");
    assert_contains(fake_events(fake), "1:restart answer truncated|1:start");
    assert_int_equal(fake_status(call), INFER_OK);
    end(fake, call);
  }
}

static void
so_does_what_an_account_adds(void **state)
{
  (void)state;
  static const char *const bodies[] = {"providers.a.body", "providers.b.body"};
  for (size_t i = 0; i < 2; i++) {
    fake_client *fake = fake_client_new(CONTINUE, B_TAKES, bodies[i],
                                        "{'logprobs':true}", NULL);
    script_cut(fake);
    script_rest(fake);
    infer_call *call = cut_call(fake);
    assert_contains(fake_events(fake), "1:restart");
    end(fake, call);
  }
}

/* Answers in which more came than text. */
static void
other_answers_start_again(void **state)
{
  (void)state;
  const char *const pieces[] = {
      sse_reasoning("Hm"),
      sse_tool(0, "id-1", "f", "{"),
      sse_delta(0, "{\"refusal\":\"No\"}", NULL),
      sse_delta(0, "{\"audio\":{\"id\":\"x\"}}", NULL),
  };
  for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
    script_cut_after(fake, sse_text(BEGINNING), pieces[i]);
    fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
    infer_call *call = fake_submit_model(fake, "r");
    fake_run_ms(fake, 29);
    assert_contains(fake_events(fake), "text " BEGINNING "|");
    fake_run_ms(fake, 2000);
    assert_events(fake, "1:restart answer truncated|1:start b/m|1:text Howdy|"
                        "1:finish stop|1:usage|1:done OK");
    end(fake, call);
  }
}

/* The reader heard how it ends; there is nothing to go on with. */
static void
a_finished_choice_is_not_continued(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(CONTINUE, B_TAKES, "routes.r.stay.retries", "0", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, sse_text(BEGINNING));
  fake_body(script, 20, sse_finish("stop"));
  fake_body(script, 30,
            "data: {\"error\":{\"message\":\"x\",\"code\":500}}\n\n");
  fake_done(script, 40, INF_NET_OK);
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 29);
  assert_events(fake, "start a/m|text " BEGINNING "|finish stop");
  fake_run_ms(fake, 2000);
  assert_contains(fake_events(fake), "1:restart provider error");
  end(fake, call);
}

static void
a_delivered_tool_call_forbids_both(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, sse_tool(0, "id-1", "f", "{}"));
  fake_body(script, 20, sse_finish("tool_calls"));
  fake_body(script, 25,
            "data: {\"error\":{\"message\":\"x\",\"code\":500}}\n\n");
  fake_done(script, 30, INF_NET_RESET);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 1000);
  assert_int_equal(fake->net.request_count, 1);
  assert_contains(fake_events(fake), "done SERVER");
  end(fake, call);
}

static void
nobody_takes_a_prefill(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, NULL);
  script_cut(fake);
  script_rest(fake);
  infer_call *call = cut_call(fake);
  assert_lacks(body(fake, 1), "assistant");
  assert_contains(fake_events(fake), "1:restart answer truncated|1:start b/m");
  end(fake, call);
}

static void
one_target_does_not_go_on_by_itself(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(CONTINUE, "routes.r.targets",
                      "[{'target':'a/m','prefill':'assistant'}]", NULL);
  script_cut(fake);
  infer_call *call = cut_call(fake);
  assert_int_equal(fake->net.request_count, 1);
  assert_events(fake, "done TRUNCATED [" BEGINNING "]");
  end(fake, call);
}

/* Nothing was handed out, and a whole answer by one model is the better. */
static void
a_whole_call_starts_again_unseen(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 2000);
  assert_lacks(body(fake, 1), "assistant");
  assert_contains(fake->telemetry, "attempt b/m failover OK");
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), "Howdy");
  assert_int_equal(infer_response_part_count(response), 1);
  infer_response_free(response);
  end(fake, call);
}

static void
run_once_stays_run_once(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  infer_request *request = fake_request_new("r");
  infer_request_set_run_once(request, 1);
  infer_call *call =
      submit_and_read(fake, request, "start a/m|text " BEGINNING);
  assert_int_equal(fake->net.request_count, 1);
  assert_events(fake, "done TRUNCATED [" BEGINNING "]");
  end(fake, call);
}

/* ---- Which target -------------------------------------------------------- */

#define THREE "routes.three.recovery", "'continue'"

static infer_call *
cut_call_of_three(fake_client *fake)
{
  return submit_and_read(fake, fake_request_new("three"),
                         "start a/m|text " BEGINNING);
}

static void
one_that_takes_a_prefill_comes_first(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(THREE, "providers.c.prefill", "'assistant'", NULL);
  script_cut(fake);
  script_rest(fake);
  infer_call *call = cut_call_of_three(fake);
  assert_request(fake, 1, "c", 30);
  assert_events(fake, "text " REST "|finish stop|usage|done OK");
  end(fake, call);
}

static void
a_target_may_say_otherwise_than_its_provider(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      CONTINUE, "routes.r.targets", "['a/m',{'target':'b/m','prefill':'none'}]",
      B_TAKES, NULL);
  script_cut(fake);
  script_rest(fake);
  infer_call *call = cut_call(fake);
  assert_contains(fake_events(fake), "1:restart");
  end(fake, call);
}

static void
it_may_be_cut_again(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(THREE, B_TAKES, "providers.c.prefill", "'prefix'", NULL);
  script_cut(fake);
  script_cut_after(fake, sse_text("stormy "), NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "night.");
  infer_call *call = cut_call_of_three(fake);
  assert_contains(body(fake, 1), "\"content\":\"" BEGINNING "\"}]");
  assert_contains(body(fake, 2),
                  "\"content\":\"" BEGINNING "stormy \",\"prefix\":true}]");
  assert_events(fake, "text stormy night.|finish stop|usage|done OK");
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), BEGINNING REST);
  assert_int_equal(infer_response_part_count(response), 3);
  assert_int_equal(infer_response_part_bytes(response, 1), 7);
  infer_response_free(response);
  end(fake, call);
}

/* What cannot be reached was given no prefill to refuse. */
static void
one_that_fails_first_is_passed_over(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(THREE, B_TAKES, "providers.c.prefill", "'assistant'",
                      "routes.three.stay.retries", "0", NULL);
  script_cut(fake);
  script_error(fake, 503, "overloaded");
  script_rest(fake);
  infer_call *call = cut_call_of_three(fake);
  assert_contains(fake->telemetry, "attempt b/m continue OVERLOADED");
  assert_contains(fake->telemetry, "attempt c/m continue OK");
  assert_events(fake, "text " REST "|finish stop|usage|done OK");
  end(fake, call);
}

static void
one_that_stumbles_is_asked_for_a_whole_answer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  script_error(fake, 500, "internal");
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_call *call = cut_call(fake);
  assert_contains(fake->telemetry, "attempt b/m continue SERVER");
  assert_contains(fake->telemetry, "attempt b/m recovery OK");
  assert_lacks(body(fake, 2), "assistant");
  assert_events(fake, "1:restart provider error|1:start b/m|1:text Howdy|"
                      "1:finish stop|1:usage|1:done OK");
  end(fake, call);
}

/* A stream that is refused is asked for again at once, once, and goes on. */
static void
a_refused_stream_goes_on_when_sent_again(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  fake_script *script = fake_script_next(&fake->net);
  fake_sent(script, 1);
  fake_done(script, 2, INF_NET_REFUSED_STREAM);
  script_rest(fake);
  infer_call *call = cut_call(fake);
  assert_request(fake, 2, "b", 32);
  assert_string_equal(body(fake, 1), body(fake, 2));
  assert_contains(fake->telemetry, "attempt b/m resend OK");
  assert_events(fake, "text " REST "|finish stop|usage|done OK");
  end(fake, call);
}

/* ---- Refusals ------------------------------------------------------------ */

static void
who_refuses_is_asked_for_a_whole_answer(void **state)
{
  (void)state;
  static const int statuses[] = {400, 422, 413};
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
    script_cut(fake);
    script_error(fake, statuses[i], "invalid_request_error");
    fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
    infer_call *call = cut_call(fake);
    assert_request(fake, 2, "b", 35);
    assert_lacks(body(fake, 2), "assistant");
    assert_contains(fake->telemetry, "attempt b/m continue ");
    assert_contains(fake->telemetry, "No prefill");
    assert_contains(fake->telemetry, "attempt b/m recovery OK");
    /* Why it starts again is that it was cut. */
    assert_events(fake, "1:restart answer truncated|1:start b/m|1:text Howdy|"
                        "1:finish stop|1:usage|1:done OK");
    end(fake, call);
  }
}

static void
an_error_inside_a_200_refuses_too(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  fake_reply(fake_script_next(&fake->net), 5, 200,
             "content-type: application/json",
             "{\"error\":{\"message\":\"No prefill\",\"type\":"
             "\"invalid_request_error\",\"code\":400}}");
  fake_stream_all(fake_script_next(&fake->net), 5, "Howdy");
  infer_call *call = cut_call(fake);
  assert_contains(fake->telemetry, "attempt b/m continue BAD_REQUEST");
  assert_contains(fake_events(fake), "1:restart answer truncated");
  assert_int_equal(fake_status(call), INFER_OK);
  end(fake, call);
}

static void
another_that_takes_it_is_tried_first(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(THREE, B_TAKES, "providers.c.prefill",
                                      "'assistant'", NULL);
  script_cut(fake);
  script_error(fake, 400, "invalid_request_error");
  script_rest(fake);
  infer_call *call = cut_call_of_three(fake);
  assert_request(fake, 2, "c", 35);
  assert_events(fake, "text " REST "|finish stop|usage|done OK");
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_part_count(response), 2);
  assert_string_equal(infer_attempt_target(infer_response_part(response, 1)),
                      "c/m");
  infer_response_free(response);
  end(fake, call);
}

/* Without another attempt the call ends with what really went wrong. */
static void
the_real_failure_is_reported(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(CONTINUE, B_TAKES, "routes.r.retries", "0", NULL);
  script_cut(fake);
  script_error(fake, 400, "invalid_request_error");
  infer_call *call = cut_call(fake);
  assert_int_equal(fake->net.request_count, 2);
  assert_events(fake, "done TRUNCATED [" BEGINNING "]");
  infer_error *error = fake_error(call);
  assert_string_equal(infer_error_target(error), "a/m");
  assert_int_equal(infer_error_http_status(error), 200);
  assert_lacks(infer_error_provider_message(error), "No prefill");
  assert_lacks(infer_error_message(error), "No prefill");
  assert_int_equal(infer_error_attempt_count(error), 2);
  const infer_attempt *refused = infer_error_attempt(error, 1);
  assert_int_equal(infer_attempt_status(refused), INFER_E_BAD_REQUEST);
  assert_int_equal(infer_attempt_reason(refused), INFER_REASON_CONTINUE);
  assert_contains(infer_attempt_message(refused), "No prefill");
  const infer_response *partial = infer_error_partial(error);
  assert_string_equal(infer_response_text(partial, NULL), BEGINNING);
  assert_string_equal(infer_response_target(partial), "a/m");
  assert_int_equal(infer_response_part_count(partial), 1);
  assert_lacks(infer_response_json(partial, NULL), "x_parts");
  infer_error_free(error);
  end(fake, call);
}

static void
however_many_refuse(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(THREE, B_TAKES, "providers.c.prefill", "'assistant'",
                      "routes.three.retries", "0", NULL);
  script_cut(fake);
  script_error(fake, 400, "invalid_request_error");
  script_error(fake, 422, "invalid_request_error");
  infer_call *call = cut_call_of_three(fake);
  assert_int_equal(fake->net.request_count, 3);
  assert_events(fake, "done TRUNCATED [" BEGINNING "]");
  infer_error *error = fake_error(call);
  assert_string_equal(infer_error_target(error), "a/m");
  infer_error_free(error);
  end(fake, call);
}

/* A failure of the whole answer that is then asked for is one of the call. */
static void
a_restart_that_fails_is_reported(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  script_error(fake, 400, "invalid_request_error");
  script_error(fake, 404, "not_found");
  infer_call *call = cut_call(fake);
  assert_int_equal(fake_status(call), INFER_E_NOT_FOUND);
  end(fake, call);
}

/* Who has gone on and then fails did not refuse. */
static void
a_late_bad_request_is_its_own_failure(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, sse_text("stormy "));
  fake_body(script, 20,
            "data: {\"error\":{\"message\":\"x\",\"code\":400,\"type\":"
            "\"invalid_request_error\"}}\n\n");
  fake_done(script, 20, INF_NET_OK);
  infer_call *call = cut_call(fake);
  assert_events(fake, "text stormy |done BAD_REQUEST [" BEGINNING "stormy ]");
  infer_error *error = fake_error(call);
  const infer_response *partial = infer_error_partial(error);
  assert_int_equal(infer_response_part_count(partial), 2);
  assert_contains(infer_response_json(partial, NULL), "x_parts");
  infer_error_free(error);
  end(fake, call);
}

/* ---- Ends meanwhile ------------------------------------------------------ */

static void
a_cancelled_continuation_has_its_partial_answer(void **state)
{
  (void)state;
  for (int content = 0; content < 2; content++) {
    fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
    script_cut(fake);
    fake_script *script = fake_script_next(&fake->net);
    fake_stream(script, 5);
    if (content)
      fake_body(script, 10, sse_text("stormy "));
    infer_call *call = cut_call(fake);
    fake_events(fake);
    infer_call_cancel(call);
    fake_run_ms(fake, 10);
    assert_events(fake, content ? "done CANCELLED [" BEGINNING "stormy ]"
                                : "done CANCELLED [" BEGINNING "]");
    end(fake, call);
  }
}

/* While the call waits for its next attempt. */
static void
so_has_one_that_ends_between_two(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  script_error(fake, 503, "overloaded");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 29);
  assert_events(fake, "start a/m|text " BEGINNING);
  fake_run_ms(fake, 20);
  assert_contains(fake->telemetry, "attempt b/m continue OVERLOADED");
  infer_call_cancel(call);
  fake_run_ms(fake, 1);
  assert_int_equal(fake->net.request_count, 2);
  assert_events(fake, "done CANCELLED [" BEGINNING "]");
  end(fake, call);
}

/* ---- What it is charged -------------------------------------------------- */

static void
limits_are_lessened(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  script_rest(fake);
  infer_call *call = submit_and_read(fake, request_with("max_tokens", "50"),
                                     "start a/m|text " BEGINNING);
  assert_contains(body(fake, 0), "\"max_tokens\":50");
  assert_contains(body(fake, 1), "\"max_tokens\":45"); /* 18 bytes: 5 tokens */
  end(fake, call);
}

/* A count that the provider told is better than an estimate. */
static void
a_told_count_is_taken(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut_after(fake, sse_text(BEGINNING), sse_usage(10, 7));
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 5, sse_text(REST));
  fake_body(script, 5, sse_finish("stop"));
  fake_body(script, 5, sse_usage(17, 4));
  fake_body(script, 5, SSE_DONE);
  infer_call *call = submit_and_read(fake, request_with("max_tokens", "50"),
                                     "start a/m|text " BEGINNING);
  assert_contains(body(fake, 1), "\"max_tokens\":43");
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT), 10);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_OUTPUT), 11);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_TOTAL), 21);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_COUNT), -1);
  assert_int_equal(infer_response_usage_estimated(response), 0);
  assert_int_equal(infer_response_total_usage(response, INFER_USAGE_INPUT), 27);
  assert_int_equal(infer_response_total_usage(response, INFER_USAGE_OUTPUT),
                   11);
  infer_response_free(response);
  end(fake, call);
}

static void
usage_is_as_if_one_had_written_it(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 5, sse_text(REST));
  fake_body(script, 5, sse_finish("stop"));
  fake_body(script, 5, sse_usage(105, 4));
  fake_body(script, 5, SSE_DONE);
  infer_call *call = cut_call(fake);
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT), 100);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_OUTPUT), 9);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_TOTAL), 109);
  assert_int_equal(infer_response_usage_estimated(response), 1);
  const infer_attempt *last = infer_response_attempt(response, 1);
  assert_int_equal(infer_attempt_usage(last, INFER_USAGE_INPUT), 105);
  assert_int_equal(infer_attempt_usage(last, INFER_USAGE_OUTPUT), 4);
  assert_contains(infer_response_json(response, NULL),
                  "\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":9,"
                  "\"total_tokens\":109,\"x_estimated\":true}");
  infer_response_free(response);
  end(fake, call);
}

/* The beginning is a part of what the provider charges as the prompt. */
static void
an_estimate_counts_the_beginning_as_prompt(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 5, sse_text(REST));
  fake_body(script, 5, sse_finish("stop"));
  fake_body(script, 5, SSE_DONE);
  infer_call *call = cut_call(fake);
  const char *messages = strstr(body(fake, 1), "[{") + 1;
  size_t len =
      (size_t)(strstr(messages, ",{\"role\":\"assistant\"") - messages);
  int64_t prompt = (int64_t)(len + strlen(BEGINNING) + 3) / 4;
  infer_response *response = fake_response(call);
  const infer_attempt *last = infer_response_attempt(response, 1);
  assert_int_equal(infer_attempt_usage(last, INFER_USAGE_INPUT), prompt);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT),
                   prompt - 5);
  assert_int_equal(infer_response_usage_estimated(response), 1);
  infer_response_free(response);
  end(fake, call);
}

/* All parts together stay under the limit of one answer. */
static void
the_limit_is_one_for_the_whole_answer(void **state)
{
  (void)state;
  char rest[1200];
  int front = snprintf(rest, sizeof rest,
                       "data: {\"choices\":[{\"index\":0,\"delta\":{"
                       "\"content\":\"");
  size_t bytes = 1024 - strlen(BEGINNING) + 1; /* one too many */
  memset(rest + front, 'x', bytes);
  snprintf(rest + front + bytes, sizeof rest - (size_t)front - bytes,
           "\"}}]}\n\n");
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, "max_response_bytes",
                                      "1024", "routes.r.retries", "0", NULL);
  script_cut(fake);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 5, rest);
  fake_body(script, 15, sse_finish("stop"));
  fake_done(script, 20, INF_NET_OK);
  infer_call *call = cut_call(fake);
  assert_int_equal(fake_status(call), INFER_E_TOO_LARGE);
  end(fake, call);
}

/* ---- Short memory -------------------------------------------------------- */

static int32_t
ignore_event(const infer_event *event, void *user_data)
{
  int *dones = user_data;
  *dones += infer_event_type(event) == INFER_EVENT_DONE;
  return 0;
}

static void
run_short(fake_client *fake, const char *expected)
{
  infer_request *request;
  infer_response *response = NULL;
  infer_error *error = NULL;
  int dones = 0;
  if (infer_request_new(&request, "r") != INFER_OK)
    return;
  int32_t status = infer_request_add_message(request, "user", "Hi");
  if (status == INFER_OK)
    status = infer_chat_stream(fake->client, request, ignore_event, &dones,
                               &response, &error);
  if (status == INFER_OK) {
    assert_int_equal(dones, 1);
    assert_string_equal(infer_response_text(response, NULL), expected);
    assert_true(infer_response_json(response, NULL)[0] ||
                fail_alloc_hits() > 0);
  } else {
    assert_int_equal(status, INFER_E_NO_MEMORY);
    assert_true(fail_alloc_hits() > 0);
  }
  infer_response_free(response);
  infer_error_free(error);
  infer_request_free(request);
}

/* refused: not NULL if the prefill is, so that the answer starts again. */
static void
memory_is_short(void *refused)
{
  size_t first = fail_alloc_get()->first, last = fail_alloc_get()->last;
  fail_alloc_never(); /* the client is made in peace */
  fake_client *fake = fake_client_new(CONTINUE, B_TAKES, NULL);
  script_cut(fake);
  if (refused)
    script_error(fake, 400, "invalid_request_error");
  script_rest(fake);
  fail_alloc_plan(first, last);
  run_short(fake, refused ? REST : BEGINNING REST);
  fail_alloc_get()->first = SIZE_MAX; /* hits stay */
  fail_alloc_get()->last = 0;
  fake_client_free(fake);
}

static void
each_allocation_may_fail(void **state)
{
  (void)state;
  static char refused[] = "refused";
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_is_short, NULL) > 50);
  assert_true(fail_alloc_sweep(memory_is_short, refused) > 50);
  fail_alloc_uninstall();
}

static void
nothing_is_harmless(void **state)
{
  (void)state;
  inf_carry_free(NULL);
}

/* The limit is that of the target that goes on, less what was delivered. */
static void
the_limit_of_who_goes_on_counts(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(CONTINUE, B_TAKES, "routes.r.targets",
                      "['a/m',{'target':'b/m','output_tokens':50}]", NULL);
  script_cut(fake);
  script_rest(fake);
  infer_request *request = fake_request_new("r");
  infer_request_set_int(request, "max_tokens", 1000);
  infer_call *call =
      submit_and_read(fake, request, "start a/m|text " BEGINNING);
  assert_contains(body(fake, 0), "\"max_tokens\":1000");
  const char *limit = strstr(body(fake, 1), "\"max_tokens\":");
  assert_non_null(limit);
  assert_in_range(strtol(limit + strlen("\"max_tokens\":"), NULL, 10), 40, 49);
  end(fake, call);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(another_target_goes_on),
      cmocka_unit_test(the_transfer_stays_paused),
      cmocka_unit_test(the_response_names_both),
      cmocka_unit_test(an_answer_in_one_piece_has_one_part),
      cmocka_unit_test(cut_at_every_byte),
      cmocka_unit_test(cut_at_every_byte_with_an_echo),
      cmocka_unit_test(a_short_beginning_starts_again_where_it_might_be_echoed),
      cmocka_unit_test(other_requests_start_again),
      cmocka_unit_test(so_does_what_an_account_adds),
      cmocka_unit_test(other_answers_start_again),
      cmocka_unit_test(a_finished_choice_is_not_continued),
      cmocka_unit_test(a_delivered_tool_call_forbids_both),
      cmocka_unit_test(nobody_takes_a_prefill),
      cmocka_unit_test(one_target_does_not_go_on_by_itself),
      cmocka_unit_test(a_whole_call_starts_again_unseen),
      cmocka_unit_test(run_once_stays_run_once),
      cmocka_unit_test(one_that_takes_a_prefill_comes_first),
      cmocka_unit_test(a_target_may_say_otherwise_than_its_provider),
      cmocka_unit_test(it_may_be_cut_again),
      cmocka_unit_test(one_that_fails_first_is_passed_over),
      cmocka_unit_test(one_that_stumbles_is_asked_for_a_whole_answer),
      cmocka_unit_test(a_refused_stream_goes_on_when_sent_again),
      cmocka_unit_test(who_refuses_is_asked_for_a_whole_answer),
      cmocka_unit_test(an_error_inside_a_200_refuses_too),
      cmocka_unit_test(another_that_takes_it_is_tried_first),
      cmocka_unit_test(the_real_failure_is_reported),
      cmocka_unit_test(however_many_refuse),
      cmocka_unit_test(a_restart_that_fails_is_reported),
      cmocka_unit_test(a_late_bad_request_is_its_own_failure),
      cmocka_unit_test(a_cancelled_continuation_has_its_partial_answer),
      cmocka_unit_test(so_has_one_that_ends_between_two),
      cmocka_unit_test(limits_are_lessened),
      cmocka_unit_test(a_told_count_is_taken),
      cmocka_unit_test(usage_is_as_if_one_had_written_it),
      cmocka_unit_test(an_estimate_counts_the_beginning_as_prompt),
      cmocka_unit_test(the_limit_is_one_for_the_whole_answer),
      cmocka_unit_test(each_allocation_may_fail),
      cmocka_unit_test(nothing_is_harmless),
      cmocka_unit_test(the_limit_of_who_goes_on_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
