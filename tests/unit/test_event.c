/* SPDX-License-Identifier: MIT */
/* The accessors of events: made by hand, and as a call gives them. */
#include "support/fake_client.h"

#include "engine/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
every_part_by_its_accessor(void **state)
{
  (void)state;
  infer_event event = {
      .type = INFER_EVENT_TOOL_CALL_DELTA,
      .epoch = 1,
      .choice = 2,
      .tool = 3,
      .call_id = UINT64_MAX,
      .tag = UINT64_MAX - 1,
  };
  size_t len = 99;
  assert_string_equal(infer_event_text(&event, &len), "");
  assert_int_equal(len, 0);
  assert_string_equal(infer_event_tool_id(&event), "");
  assert_string_equal(infer_event_tool_name(&event), "");
  assert_string_equal(infer_event_head(&event, &len), "");
  assert_int_equal(len, 0);
  inf_buf_init(&event.text, 16);
  inf_buf_init(&event.tool_id, 16);
  inf_buf_init(&event.tool_name, 16);
  inf_buf_append(&event.text, "a\0b", 3);
  inf_buf_append_cstr(&event.tool_id, "id");
  inf_buf_append_cstr(&event.tool_name, "f");
  assert_int_equal(infer_event_type(&event), INFER_EVENT_TOOL_CALL_DELTA);
  assert_int_equal(infer_event_epoch(&event), 1);
  assert_int_equal(infer_event_choice(&event), 2);
  assert_int_equal(infer_event_tool_index(&event), 3);
  assert_true(infer_event_call_id(&event) == UINT64_MAX);
  assert_true(infer_event_tag(&event) == UINT64_MAX - 1);
  assert_memory_equal(infer_event_text(&event, &len), "a\0b", 4);
  assert_int_equal(len, 3);
  assert_string_equal(infer_event_text(&event, NULL), "a");
  assert_string_equal(infer_event_tool_id(&event), "id");
  assert_string_equal(infer_event_tool_name(&event), "f");
  assert_string_equal(infer_event_head(&event, NULL), "");
  assert_int_equal(infer_event_status(&event), INFER_OK);
  assert_null(infer_event_response(&event));
  assert_null(infer_event_error(&event));
  assert_null(infer_event_take_response(&event));
  assert_null(infer_event_take_error(&event));
  inf_buf_fini(&event.text);
  inf_buf_fini(&event.tool_id);
  inf_buf_fini(&event.tool_name);
  infer_event_free(NULL);
}

static void
every_type_has_its_name(void **state)
{
  (void)state;
  static const struct {
    int32_t type;
    const char *name;
  } names[] = {
      {INFER_EVENT_START, "start"},
      {INFER_EVENT_TEXT, "text"},
      {INFER_EVENT_REASONING, "reasoning"},
      {INFER_EVENT_REFUSAL, "refusal"},
      {INFER_EVENT_TOOL_CALL_DELTA, "tool_call_delta"},
      {INFER_EVENT_TOOL_CALL_DONE, "tool_call_done"},
      {INFER_EVENT_LOGPROBS, "logprobs"},
      {INFER_EVENT_EXTRA, "extra"},
      {INFER_EVENT_FINISH, "finish"},
      {INFER_EVENT_USAGE, "usage"},
      {INFER_EVENT_RESTART, "restart"},
      {INFER_EVENT_DONE, "done"},
      {INFER_EVENT_ATTEMPT, "attempt"},
      {0, "unknown"},
      {INFER_EVENT_ATTEMPT + 1, "unknown"},
      {-1, "unknown"},
      {INT32_MAX, "unknown"},
      {INT32_MIN, "unknown"},
  };
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    infer_event event = {.type = names[i].type};
    assert_string_equal(infer_event_type_name(&event), names[i].name);
  }
}

/* The next event, which must be of that type. */
static infer_event *
next(fake_client *fake, int32_t type)
{
  infer_event *event;
  assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
  assert_int_equal(infer_event_type(event), type);
  return event;
}

static void
submit_with_tag(fake_client *fake, infer_call **call)
{
  infer_request *request = fake_request_new("one");
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_STREAM,
                                fake->queue, 77, call, NULL),
                   INFER_OK);
  infer_request_free(request);
  fake_run_ms(fake, 1000);
}

static void
the_result_is_lent_and_then_given(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call;
  fake_stream_all(fake_script_next(&fake->net), 10, "hello");
  submit_with_tag(fake, &call);
  infer_event *event = next(fake, INFER_EVENT_START);
  assert_string_equal(infer_event_text(event, NULL), "a/m");
  infer_event_free(event);
  event = next(fake, INFER_EVENT_TEXT);
  assert_true(infer_event_call_id(event) == infer_call_id(call));
  assert_int_equal(infer_event_tag(event), 77);
  assert_string_equal(infer_event_text(event, NULL), "hello");
  infer_event_free(event);
  infer_event_free(next(fake, INFER_EVENT_FINISH));
  infer_event_free(next(fake, INFER_EVENT_USAGE));
  event = next(fake, INFER_EVENT_DONE);
  assert_int_equal(infer_event_status(event), INFER_OK);
  assert_null(infer_event_error(event));
  const infer_response *lent = infer_event_response(event);
  assert_string_equal(infer_response_text(lent, NULL), "hello");
  infer_response *given = infer_event_take_response(event);
  assert_ptr_equal(given, lent);
  assert_null(infer_event_response(event));
  assert_null(infer_event_take_response(event));
  infer_event_free(event);
  infer_call_free(call);
  fake_client_free(fake);
  /* It outlives event, call and client. */
  assert_string_equal(infer_response_text(given, NULL), "hello");
  assert_string_equal(infer_response_target(given), "a/m");
  infer_response_free(given);
}

static void
a_start_has_the_head_of_its_answer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call;
  size_t len;
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 10);
  fake_body(script, 20,
            "data: {\"id\":\"c\\u002d7\",\"created\":17,\"model\":\"big\","
            "\"system_fingerprint\":\"fp\",\"service_tier\":null,"
            "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n");
  fake_body(script, 30, sse_finish("stop"));
  fake_body(script, 30, SSE_DONE);
  fake_done(script, 30, INF_NET_OK);
  submit_with_tag(fake, &call);
  infer_event *event = next(fake, INFER_EVENT_START);
  assert_string_equal(infer_event_head(event, &len),
                      "{\"id\":\"c-7\",\"object\":\"chat.completion.chunk\","
                      "\"created\":17,\"model\":\"big\","
                      "\"system_fingerprint\":\"fp\"}");
  assert_int_equal(len, strlen(infer_event_head(event, NULL)));
  assert_string_equal(infer_event_text(event, NULL), "a/m");
  assert_string_equal(infer_event_tool_id(event), "");
  infer_event_free(event);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_error_is_lent_and_then_given(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call;
  fake_reply(fake_script_next(&fake->net), 10, 400, NULL,
             error_body("bad", "no good"));
  submit_with_tag(fake, &call);
  infer_event *event = next(fake, INFER_EVENT_DONE);
  assert_int_equal(infer_event_status(event), INFER_E_BAD_REQUEST);
  assert_null(infer_event_response(event));
  assert_null(infer_event_take_response(event));
  const infer_error *lent = infer_event_error(event);
  assert_int_equal(infer_error_status(lent), INFER_E_BAD_REQUEST);
  infer_error *given = infer_event_take_error(event);
  assert_ptr_equal(given, lent);
  assert_null(infer_event_take_error(event));
  infer_event_free(event);
  infer_call_free(call);
  fake_client_free(fake);
  assert_string_equal(infer_error_provider_code(given), "bad");
  assert_int_equal(infer_error_attempt_count(given), 1);
  infer_error_free(given);
}

static void
tool_events_name_their_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call;
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 10);
  fake_body(script, 20, sse_tool(0, "id-1", "f", "{\\\"x\\\":"));
  fake_body(script, 30, sse_tool(0, NULL, NULL, "1}"));
  fake_body(script, 40, sse_finish("tool_calls"));
  fake_body(script, 50, SSE_DONE);
  fake_done(script, 50, INF_NET_OK);
  submit_with_tag(fake, &call);
  infer_event_free(next(fake, INFER_EVENT_START));
  infer_event *event = next(fake, INFER_EVENT_TOOL_CALL_DELTA);
  assert_int_equal(infer_event_tool_index(event), 0);
  assert_string_equal(infer_event_tool_id(event), "id-1");
  assert_string_equal(infer_event_tool_name(event), "f");
  infer_event_free(event);
  do {
    assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
    int32_t type = infer_event_type(event);
    if (type == INFER_EVENT_TOOL_CALL_DONE)
      break;
    assert_int_equal(type, INFER_EVENT_TOOL_CALL_DELTA);
    infer_event_free(event);
  } while (1);
  assert_string_equal(infer_event_text(event, NULL), "{\"x\":1}");
  assert_string_equal(infer_event_tool_id(event), "id-1");
  assert_string_equal(infer_event_tool_name(event), "f");
  infer_event_free(event);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
accessors_accept_null(void **state)
{
  (void)state;
  size_t len = 1;
  assert_int_equal(infer_event_type(NULL), 0);
  assert_string_equal(infer_event_type_name(NULL), "unknown");
  assert_int_equal(infer_event_call_id(NULL), 0);
  assert_int_equal(infer_event_tag(NULL), 0);
  assert_int_equal(infer_event_epoch(NULL), 0);
  assert_int_equal(infer_event_choice(NULL), 0);
  assert_string_equal(infer_event_text(NULL, &len), "");
  assert_int_equal(len, 0);
  len = 1;
  assert_string_equal(infer_event_head(NULL, &len), "");
  assert_int_equal(len, 0);
  assert_int_equal(infer_event_tool_index(NULL), 0);
  assert_string_equal(infer_event_tool_id(NULL), "");
  assert_string_equal(infer_event_tool_name(NULL), "");
  assert_int_equal(infer_event_status(NULL), INFER_OK);
  assert_null(infer_event_response(NULL));
  assert_null(infer_event_error(NULL));
  assert_null(infer_event_take_response(NULL));
  assert_null(infer_event_take_error(NULL));
  infer_event_free(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_part_by_its_accessor),
      cmocka_unit_test(every_type_has_its_name),
      cmocka_unit_test(the_result_is_lent_and_then_given),
      cmocka_unit_test(a_start_has_the_head_of_its_answer),
      cmocka_unit_test(the_error_is_lent_and_then_given),
      cmocka_unit_test(tool_events_name_their_call),
      cmocka_unit_test(accessors_accept_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
