/* SPDX-License-Identifier: MIT */
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

typedef struct fixture {
  inf_answer answer;
  inf_buf out;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  inf_answer_init(&f->answer, 1 << 16);
  inf_buf_init(&f->out, SIZE_MAX);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_answer_fini(&f->answer);
  inf_buf_fini(&f->out);
  test_free(f);
  return 0;
}

static const char *
written(fixture *f)
{
  inf_buf_clear(&f->out);
  inf_answer_write_json(&f->answer, &f->out);
  assert_int_equal(f->out.status, INFER_OK);
  return inf_buf_cstr(&f->out);
}

static const char *
message(fixture *f)
{
  inf_buf_clear(&f->out);
  inf_answer_write_message(&f->answer, 0, &f->out);
  assert_int_equal(f->out.status, INFER_OK);
  return inf_buf_cstr(&f->out);
}

static void
test_an_answer_in_full(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  inf_usage usage = {1, 2, -1, -1, -1, 3, -1, -1, false};
  inf_answer_set_id(answer, S("id\"1"));
  inf_answer_set_model(answer, S("m"));
  inf_answer_set_created(answer, 17);
  inf_answer_set_extra(answer, S("service_tier"), S("\"default\""));
  inf_answer_add_text(answer, 1, S("second"));
  inf_answer_add_text(answer, 0, S("line\nend"));
  inf_answer_add_reasoning(answer, 0, S("hm"), "reasoning");
  inf_answer_add_logprobs(answer, 0, S("{\"t\":1}"), false);
  inf_answer_add_logprobs(answer, 0, S("{\"t\":2}"), false);
  inf_answer_finish(answer, 0, S("stop"), S("eos"));
  inf_answer_set_choice_extra(answer, 0, S("stop_reason"), S("7"));
  inf_answer_set_message_extra(answer, 0, S("annotations"), S("[1]"), true);
  inf_answer_set_message_extra(answer, 0, S("annotations"), S("[2]"), true);
  inf_answer_set_usage(answer, &usage, S("{\"prompt_tokens\":1,\"x\":0.10}"));
  assert_string_equal(
      written(f),
      "{\"id\":\"id\\\"1\",\"object\":\"chat.completion\",\"created\":17,"
      "\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{"
      "\"role\":\"assistant\",\"content\":\"line\\nend\",\"refusal\":null,"
      "\"reasoning\":\"hm\",\"annotations\":[1,2]},"
      "\"logprobs\":{\"content\":[{\"t\":1},{\"t\":2}],\"refusal\":null},"
      "\"finish_reason\":\"stop\",\"native_finish_reason\":\"eos\","
      "\"stop_reason\":7},{\"index\":1,\"message\":{\"role\":\"assistant\","
      "\"content\":\"second\",\"refusal\":null},\"logprobs\":null,"
      "\"finish_reason\":null}],\"usage\":{\"prompt_tokens\":1,\"x\":0.10},"
      "\"service_tier\":\"default\"}");
}

static void
test_tool_calls(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  size_t tool =
      inf_answer_add_tool_call(answer, 0, 0, S("c1"), S(""), S("f"), S("{}"));
  inf_answer_set_tool_extra(answer, 0, tool, S("extra_content"),
                            S("{\"a\":1}"));
  inf_answer_set_tool_extra(answer, 0, tool, S("function"),
                            S("{\"description\":\"d\"}"));
  inf_answer_add_tool_call(answer, 0, 1, S("c2"), S("custom"), S("g"),
                           S("free text"));
  inf_answer_add_text(answer, 0, S(""));
  assert_json_at(
      written(f), "/choices/0/message",
      "{\"role\":\"assistant\",\"content\":null,\"refusal\":null,"
      "\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{"
      "\"name\":\"f\",\"arguments\":\"{}\",\"description\":\"d\"},"
      "\"extra_content\":{\"a\":1}},{\"id\":\"c2\",\"type\":\"custom\","
      "\"custom\":{\"name\":\"g\",\"input\":\"free text\"}}]}");
}

static void
test_content_is_null_unless_text_came(void **state)
{
  fixture *f = *state;
  inf_answer_set_role(&f->answer, 0, S("assistant"));
  assert_json_at(written(f), "/choices/0/message/content", "null");
  inf_answer_add_text(&f->answer, 0, S(""));
  assert_json_at(written(f), "/choices/0/message/content", "\"\"");
  inf_answer_add_refusal(&f->answer, 0, S("no"));
  assert_json_at(written(f), "/choices/0/message/content", "null");
  assert_json_at(written(f), "/choices/0/message/refusal", "\"no\"");
  inf_answer_add_text(&f->answer, 0, S("yes"));
  assert_json_at(written(f), "/choices/0/message/content", "\"yes\"");
}

static void
test_content_may_be_an_object(void **state)
{
  fixture *f = *state;
  inf_answer_set_message_extra(&f->answer, 0, S("content"), S("{\"a\":[1]}"),
                               false);
  assert_json_at(written(f), "/choices/0/message",
                 "{\"role\":\"assistant\",\"content\":{\"a\":[1]},"
                 "\"refusal\":null}");
}

static void
test_usage_is_marked_when_it_is_estimated(void **state)
{
  fixture *f = *state;
  inf_usage estimate = {10, 3, -1, -1, -1, 13, -1, -1, true};
  inf_answer_set_role(&f->answer, 0, S("assistant"));
  assert_false(json_has(written(f), "/usage"));
  inf_answer_set_usage(&f->answer, &estimate, S(""));
  assert_json_at(written(f), "/usage",
                 "{\"prompt_tokens\":10,\"completion_tokens\":3,"
                 "\"total_tokens\":13,\"x_estimated\":true}");
}

static void
test_the_message_goes_back_without_what_is_refused(void **state)
{
  fixture *f = *state;
  inf_answer *answer = &f->answer;
  inf_answer_add_reasoning(answer, 0, S("hm"), "reasoning_content");
  inf_answer_add_text(answer, 0, S("hi"));
  inf_answer_set_message_extra(answer, 0, S("annotations"), S("[1]"), false);
  inf_answer_set_message_extra(answer, 0, S("reasoning_details"),
                               S("[{\"data\":\"x\"}]"), false);
  inf_answer_set_message_extra(
      answer, 0, S("audio"),
      S("{\"id\":\"au\",\"data\":\"QUJD\",\"transcript\":\"t\"}"), false);
  assert_json(message(f), "{\"role\":\"assistant\",\"content\":\"hi\","
                          "\"reasoning_details\":[{\"data\":\"x\"}],"
                          "\"audio\":{\"id\":\"au\"}}");
  inf_answer_add_tool_call(answer, 0, 0, S("c"), S(""), S("f"), S("{}"));
  assert_json_at(message(f), "/reasoning_content", "\"hm\"");
  assert_json_at(message(f), "/tool_calls/0/function/name", "\"f\"");
}

static void
test_a_choice_that_is_not_there_is_an_empty_message(void **state)
{
  fixture *f = *state;
  assert_json(message(f), "{\"role\":\"assistant\",\"content\":null}");
}

static void
test_logprobs_of_another_shape_pass_through(void **state)
{
  fixture *f = *state;
  inf_answer_set_choice_extra(&f->answer, 0, S("logprobs"),
                              S("{\"tokens\":[\"a\"],\"ids\":[1]}"));
  inf_answer_set_choice_extra(&f->answer, 0, S("logprobs"),
                              S("{\"tokens\":[\"b\"],\"ids\":[2]}"));
  assert_json_at(written(f), "/choices/0/logprobs",
                 "{\"tokens\":[\"a\",\"b\"],\"ids\":[1,2]}");
}

static void
write_with_short_memory(void *context)
{
  inf_buf whole, message;
  inf_buf_init(&whole, SIZE_MAX);
  inf_buf_init(&message, SIZE_MAX);
  inf_answer_write_json(context, &whole);
  inf_answer_write_message(context, 0, &message);
  if (fail_alloc_hits() > 0) {
    assert_true(whole.status == INFER_E_NO_MEMORY ||
                message.status == INFER_E_NO_MEMORY);
  }
  if (whole.status == INFER_OK)
    assert_non_null(strstr(inf_buf_cstr(&whole), "\"more\":{\"a\":1,\"b\":2}"));
  if (message.status == INFER_OK)
    assert_non_null(strstr(inf_buf_cstr(&message), "\"audio\":{\"id\":\"a\"}"));
  inf_buf_fini(&whole);
  inf_buf_fini(&message);
}

/* What stands in pieces is put together in buffers of its own: where these
 * fail the answer is not written without it. */
static void
test_short_memory_leaves_nothing_out(void **state)
{
  (void)state;
  inf_answer answer;
  fail_alloc_install();
  inf_answer_init(&answer, 1 << 16);
  size_t tool =
      inf_answer_add_tool_call(&answer, 0, 0, S("t"), S(""), S("f"), S("{}"));
  const char *const pieces[] = {"{\"more\":{\"a\":1}}", "{\"more\":{\"b\":2}}"};
  for (size_t i = 0; i < 2; i++) {
    inf_answer_set_tool_extra(&answer, 0, tool, S("function"), S(pieces[i]));
    inf_answer_set_message_extra(&answer, 0, S("audio"),
                                 S(i ? "{\"data\":\"b\"}" : "{\"id\":\"a\"}"),
                                 true);
  }
  assert_int_equal(answer.status, INFER_OK);
  assert_true(fail_alloc_sweep(write_with_short_memory, &answer) > 0);
  inf_answer_fini(&answer);
  fail_alloc_uninstall();
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_an_answer_in_full),
      TEST(test_tool_calls),
      TEST(test_content_is_null_unless_text_came),
      TEST(test_content_may_be_an_object),
      TEST(test_usage_is_marked_when_it_is_estimated),
      TEST(test_the_message_goes_back_without_what_is_refused),
      TEST(test_a_choice_that_is_not_there_is_an_empty_message),
      TEST(test_logprobs_of_another_shape_pass_through),
      cmocka_unit_test(test_short_memory_leaves_nothing_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
