/* SPDX-License-Identifier: MIT */
/* What may be continued, and how each kind of server is asked for it: to the
 * byte. */
#include "provider/prefill.h"

#include "unit/provider_support.h"

/* ---- May it be ----------------------------------------------------------- */

static void
what_may_come_back_must_be_long_enough_to_tell(void **state)
{
  (void)state;
  static const struct {
    inf_prefill prefill;
    size_t least; /* 0: never */
  } cases[] = {
      {INF_PREFILL_DEFAULT, 0},
      {INF_PREFILL_NONE, 0},
      {INF_PREFILL_ASSISTANT, INF_PREFILL_MIN_BYTES},
      {INF_PREFILL_PREFIX, INF_PREFILL_MIN_BYTES},
      {INF_PREFILL_CONTINUE_FINAL_MESSAGE, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    for (size_t len = 0; len < 40; len++)
      assert_int_equal(inf_prefill_fits(cases[i].prefill, len),
                       cases[i].least > 0 && len >= cases[i].least);
}

static bool
allows(const char *request, const char *body_members)
{
  inf_chat chat;
  inf_chat_init(&chat);
  const char *why = NULL;
  if (inf_chat_from_json(&chat, S(request), &why, NULL) != INFER_OK)
    fail_msg("%s: %s", request, why);
  bool result = inf_prefill_allows(&chat, S(body_members));
  inf_chat_fini(&chat);
  return result;
}

#define USER         "{\"role\":\"user\",\"content\":\"hi\"}"
#define ASK(members) "{\"model\":\"m\",\"messages\":[" USER "]" members "}"

static void
only_plain_text_may_be_continued(void **state)
{
  (void)state;
  static const char *const allowed[] = {
      "",
      ",\"n\":1",
      ",\"n\":null",
      ",\"tools\":[]",
      ",\"functions\":null",
      ",\"logprobs\":false",
      ",\"response_format\":{\"type\":\"text\"}",
      ",\"response_format\":null",
      ",\"temperature\":0.5,\"stop\":[\"x\"],\"max_tokens\":7",
      ",\"grammar\":\"\"",
      ",\"logprobs\":0",
  };
  static const char *const refused[] = {
      ",\"n\":2",
      ",\"n\":\"one\"",
      ",\"tools\":[{\"type\":\"function\"}]",
      ",\"functions\":[{\"name\":\"f\"}]",
      ",\"logprobs\":true",
      ",\"logprobs\":3",
      ",\"response_format\":{\"type\":\"json_schema\"}",
      ",\"response_format\":{\"type\":\"json_object\"}",
      ",\"response_format\":\"json\"",
      ",\"guided_json\":{\"type\":\"object\"}",
      ",\"guided_regex\":\"a+\"",
      ",\"guided_choice\":[\"a\"]",
      ",\"guided_grammar\":\"root\"",
      ",\"structured_outputs\":{\"regex\":\"a\"}",
      ",\"json_schema\":{\"a\":1}",
      ",\"grammar\":\"root\"",
      ",\"regex\":\"a\"",
      ",\"ebnf\":\"a\"",
  };
  char request[512], body[512];
  for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
    snprintf(request, sizeof request, ASK("%s"), allowed[i]);
    if (!allows(request, "{}"))
      fail_msg("%s is refused", request);
  }
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    snprintf(request, sizeof request, ASK("%s"), refused[i]);
    if (allows(request, ""))
      fail_msg("%s is allowed", request);
    /* What the account adds counts as much, if the request does not say. */
    snprintf(body, sizeof body, "{%s}", refused[i] + 1);
    if (allows(ASK(""), body))
      fail_msg("%s is allowed", body);
  }
  assert_true(allows(ASK(",\"n\":1"), "{\"n\":2}"));
  assert_false(allows(ASK(",\"n\":2"), "{\"n\":1}"));
}

/* Two messages of the assistant in a row are refused by some servers, and
 * read as two turns by others. */
static void
a_request_that_is_a_prefill_is_not_continued(void **state)
{
  (void)state;
  assert_false(allows("{\"model\":\"m\",\"messages\":[" USER
                      ",{\"role\":\"assistant\",\"content\":\"The \"}]}",
                      ""));
  assert_true(allows("{\"model\":\"m\",\"messages\":["
                     "{\"role\":\"assistant\",\"content\":\"Hello\"}," USER
                     "]}",
                     ""));
}

/* ---- How it is written --------------------------------------------------- */

static const char *
written(const char *members, inf_send send)
{
  static char body[2048];
  inf_chat chat;
  inf_buf why;
  inf_wire_request out;
  char request[1024];
  inf_chat_init(&chat);
  inf_wire_request_init(&out);
  inf_buf_init(&why, 1024);
  snprintf(request, sizeof request, ASK("%s"), members);
  assert_int_equal(inf_chat_from_json(&chat, S(request), NULL, NULL), INFER_OK);
  send.kind = inf_provider_kind_find(S("openai"));
  send.base_url = S("http://h/v1");
  send.model = S("m");
  send.chat = &chat;
  assert_int_equal(inf_dialect_openai.write_chat(&send, &out, &why), INFER_OK);
  snprintf(body, sizeof body, "%s", inf_buf_cstr(&out.body));
  inf_buf_fini(&why);
  inf_wire_request_fini(&out);
  inf_chat_fini(&chat);
  return body;
}

#define START "{\"model\":\"m\",\"messages\":[" USER
#define PARTIAL \
  ",{\"role\":\"assistant\",\"content\":\"Gr\xc3\xbc\xc3\x9f\\n\\\" \"}]"

static const char partial[] = "Gr\xc3\xbc\xc3\x9f\n\" ";

static void
each_kind_is_asked_in_its_way(void **state)
{
  (void)state;
  inf_send send = {.partial = S(partial), .partial_tokens = 3};
  send.prefill = INF_PREFILL_ASSISTANT;
  assert_string_equal(written("", send), START PARTIAL "}");
  send.prefill = INF_PREFILL_PREFIX;
  assert_string_equal(
      written("", send),
      START ",{\"role\":\"assistant\",\"content\":\"Gr\xc3\xbc\xc3\x9f\\n\\\" "
            "\",\"prefix\":true}]}");
  send.prefill = INF_PREFILL_CONTINUE_FINAL_MESSAGE;
  assert_string_equal(written("", send),
                      START PARTIAL ",\"continue_final_message\":true,"
                                    "\"add_generation_prompt\":false}");
}

static void
nothing_changes_without_a_partial_answer(void **state)
{
  (void)state;
  static const char members[] =
      ",\"max_tokens\":10,\"add_generation_prompt\":true";
  for (int prefill = INF_PREFILL_DEFAULT;
       prefill <= INF_PREFILL_CONTINUE_FINAL_MESSAGE; prefill++) {
    inf_send send = {.prefill = (inf_prefill)prefill, .partial_tokens = 5};
    assert_string_equal(written(members, send),
                        START "],\"max_tokens\":10,"
                              "\"add_generation_prompt\":true}");
  }
}

static void
limits_are_lessened_by_what_was_delivered(void **state)
{
  (void)state;
  static const struct {
    const char *before, *after;
  } cases[] = {
      {",\"max_tokens\":100", ",\"max_tokens\":93"},
      {",\"max_completion_tokens\":8", ",\"max_completion_tokens\":1"},
      /* The estimate may be above what is left; a model that may say nothing
       * answers with an error. */
      {",\"max_tokens\":7", ",\"max_tokens\":1"},
      {",\"max_tokens\":3", ",\"max_tokens\":1"},
      {",\"max_tokens\":-9223372036854775808", ",\"max_tokens\":1"},
      {",\"max_tokens\":9223372036854775807",
       ",\"max_tokens\":9223372036854775800"},
      {",\"min_tokens\":9", ",\"min_tokens\":2"},
      {",\"min_tokens\":4", ",\"min_tokens\":0"},
      {",\"max_tokens\":\"many\"", ",\"max_tokens\":\"many\""},
      {",\"seed\":100", ",\"seed\":100"},
  };
  inf_send send = {.partial = S("Hello"),
                   .partial_tokens = 7,
                   .prefill = INF_PREFILL_ASSISTANT};
  char expected[512];
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    snprintf(expected, sizeof expected,
             START ",{\"role\":\"assistant\",\"content\":\"Hello\"}]%s}",
             cases[i].after);
    assert_string_equal(written(cases[i].before, send), expected);
  }
}

static void
so_are_those_of_the_account(void **state)
{
  (void)state;
  inf_send send = {.partial = S("Hello"),
                   .partial_tokens = 7,
                   .prefill = INF_PREFILL_ASSISTANT,
                   .body_members = S("{\"max_tokens\":50}")};
  assert_string_equal(written("", send),
                      START ",{\"role\":\"assistant\",\"content\":\"Hello\"}],"
                            "\"max_tokens\":43}");
  assert_string_equal(written(",\"max_tokens\":20", send),
                      START ",{\"role\":\"assistant\",\"content\":\"Hello\"}],"
                            "\"max_tokens\":13}");
}

static void
members_that_say_otherwise_are_replaced(void **state)
{
  (void)state;
  inf_send send = {.partial = S("Hello"),
                   .prefill = INF_PREFILL_CONTINUE_FINAL_MESSAGE,
                   .body_members = S("{\"add_generation_prompt\":true}")};
  assert_string_equal(
      written(",\"continue_final_message\":false,\"seed\":1", send),
      START ",{\"role\":\"assistant\",\"content\":\"Hello\"}],\"seed\":1,"
            "\"continue_final_message\":true,"
            "\"add_generation_prompt\":false}");
}

/* Options of the stream are no limits of the answer. */
static void
options_of_the_stream_stay(void **state)
{
  (void)state;
  inf_send send = {.partial = S("Hello"),
                   .partial_tokens = 7,
                   .stream = true,
                   .prefill = INF_PREFILL_ASSISTANT};
  assert_string_equal(
      written(",\"stream_options\":{\"max_tokens\":50}", send),
      START ",{\"role\":\"assistant\",\"content\":\"Hello\"}],\"stream\":true,"
            "\"stream_options\":{\"max_tokens\":50,\"include_usage\":true}}");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_may_come_back_must_be_long_enough_to_tell),
      cmocka_unit_test(only_plain_text_may_be_continued),
      cmocka_unit_test(a_request_that_is_a_prefill_is_not_continued),
      cmocka_unit_test(each_kind_is_asked_in_its_way),
      cmocka_unit_test(nothing_changes_without_a_partial_answer),
      cmocka_unit_test(limits_are_lessened_by_what_was_delivered),
      cmocka_unit_test(so_are_those_of_the_account),
      cmocka_unit_test(members_that_say_otherwise_are_replaced),
      cmocka_unit_test(options_of_the_stream_stay),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
