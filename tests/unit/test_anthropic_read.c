/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "provider/anthropic_read.h"

static const inf_dialect dialect = {
    .name = "anthropic",
    .read_body = inf_anthropic_read_body,
    .read_event = inf_anthropic_read_event,
};
static const inf_provider_kind kind = {.type = "anthropic",
                                       .dialect = &dialect};

#define EVENT(json) "data: " json "\n\n"
#define OPENING                                                         \
  EVENT("{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","    \
        "\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":5," \
        "\"cache_read_input_tokens\":3,\"output_tokens\":1}}}")         \
  EVENT("{\"type\":\"content_block_start\",\"index\":0,"                \
        "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}")         \
  EVENT("{\"type\":\"content_block_delta\",\"index\":0,"                \
        "\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}")
#define CLOSING                                                   \
  "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":" \
  "\"end_turn\"},\"usage\":{\"output_tokens\":7}}"

static int32_t
read_stream(const char *text, size_t len, inf_answer *answer)
{
  inf_decoder decoder;
  inf_headers headers;
  inf_decoder_options options = {.kind = &kind,
                                 .stream = true,
                                 .choices = 1,
                                 .max_body_bytes = 1 << 20,
                                 .max_event_bytes = 1 << 20,
                                 .max_depth = 64};
  inf_headers_init(&headers, 1024);
  inf_answer_init(answer, 1 << 20);
  inf_decoder_init(&decoder, &options, answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  inf_decoder_feed(&decoder, text, len);
  int32_t status = inf_decoder_end(&decoder, true);
  inf_decoder_fini(&decoder);
  inf_headers_fini(&headers);
  return status;
}

static void
test_a_cut_stream_is_never_a_success(void **state)
{
  (void)state;
  static const char text[] = OPENING CLOSING;
  inf_answer answer;
  for (size_t len = 0; len < sizeof(text) - 1; len++) {
    assert_int_not_equal(read_stream(text, len, &answer), INFER_OK);
    inf_answer_fini(&answer);
  }
  assert_int_equal(read_stream(text, sizeof(text) - 1, &answer), INFER_OK);
  const inf_choice *choice = inf_answer_choice(&answer, 0);
  assert_buf(&choice->text, "Hi");
  assert_buf(&choice->finish_reason, "stop");
  assert_buf(&choice->native_finish_reason, "end_turn");
  assert_int_equal(answer.usage.input, 8);
  assert_int_equal(answer.usage.output, 7);
  inf_answer_fini(&answer);
}

static void
test_an_error_event_ends_the_answer(void **state)
{
  (void)state;
  static const char text[] = OPENING EVENT(
      "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
      "\"message\":\"Overloaded\"}}") CLOSING;
  inf_answer answer;
  assert_int_equal(read_stream(text, sizeof(text) - 1, &answer),
                   INFER_E_OVERLOADED);
  inf_answer_fini(&answer);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_cut_stream_is_never_a_success),
      cmocka_unit_test(test_an_error_event_ends_the_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
