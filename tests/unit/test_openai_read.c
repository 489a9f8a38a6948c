/* SPDX-License-Identifier: MIT */
/* The reader of Chat Completions, through a decoder: what a chunk or a body
 * says, and above all that both say the same. */
#include "unit/provider_support.h"

#define CHUNK(choice)                                           \
  "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\"," \
  "\"created\":17,\"model\":\"m\",\"choices\":[" choice "]}\n\n"
#define DELTA(delta) \
  CHUNK("{\"index\":0,\"delta\":" delta ",\"finish_reason\":null}")
#define FINISH(reason) \
  CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}")
#define DONE "data: [DONE]\n\n"

static void
run(reading *r, bool stream, const char *body)
{
  reading_init(r, default_options(stream));
  reading_run(r, 200, S(body), 0);
}

/* The stream and the body must assemble to the same, member by member. */
static void
same(const char *stream, const char *body)
{
  reading a, b;
  run(&a, true, stream);
  run(&b, false, body);
  assert_int_equal(a.status, INFER_OK);
  assert_int_equal(b.status, INFER_OK);
  assert_json(inf_buf_cstr(&a.json), inf_buf_cstr(&b.json));
  reading_fini(&a);
  reading_fini(&b);
}

static void
test_text(void **state)
{
  (void)state;
  same(DELTA("{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}")
           DELTA("{\"content\":\"Hel\"}") DELTA("{\"content\":\"lo \\ud83d\\"
                                                "ude00\"}") FINISH("stop")
               CHUNK("") "data: {\"id\":\"c-1\",\"created\":17,\"model\":"
                         "\"m\",\"choices\":[],\"usage\":{"
                         "\"prompt_tokens\":3,\"completion_tokens\":2,"
                         "\"total_tokens\":5}}\n\n" DONE,
       "{\"id\":\"c-1\",\"object\":\"chat.completion\",\"created\":17,"
       "\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
       "\"assistant\",\"content\":\"Hello \\ud83d\\ude00\",\"refusal\":null,"
       "\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
       "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,"
       "\"total_tokens\":5}}");
}

#define USAGE                                                            \
  "data: {\"id\":\"c-1\",\"created\":17,\"model\":\"m\",\"choices\":[]," \
  "\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n"
#define BODY(message, more)                                                   \
  "{\"id\":\"c-1\",\"created\":17,\"model\":\"m\",\"choices\":[{\"index\":0," \
  "\"message\":" message more "}],\"usage\":{\"prompt_tokens\":1,"            \
  "\"completion_tokens\":1}}"

static void
test_tool_calls(void **state)
{
  (void)state;
  same(DELTA("{\"role\":\"assistant\",\"content\":null}")
           DELTA("{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":"
                 "\"function\",\"function\":{\"name\":\"f\","
                 "\"arguments\":\"\"}}]}")
               DELTA("{\"tool_calls\":[{\"index\":0,\"function\":{"
                     "\"arguments\":\"{\\\"x\\\":\"}},{\"index\":1,\"id\":"
                     "\"b\",\"function\":{\"name\":\"g\",\"arguments\":"
                     "\"{}\"},\"extra\":1}]}")
                   DELTA("{\"tool_calls\":[{\"index\":0,\"id\":\"\","
                         "\"function\":{\"name\":null,\"arguments\":"
                         "\"1}\"}}]}") FINISH("tool_calls") USAGE DONE,
       BODY("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
            "{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
            "\"arguments\":\"{\\\"x\\\":1}\"}},{\"id\":\"b\",\"type\":"
            "\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"},"
            "\"extra\":1}]}",
            ",\"finish_reason\":\"tool_calls\""));
}

static void
test_custom_tools_and_objects_as_arguments(void **state)
{
  (void)state;
  reading r;
  run(&r, false,
      BODY("{\"content\":\"\",\"tool_calls\":[{\"id\":\"a\",\"type\":"
           "\"custom\",\"custom\":{\"name\":\"g\",\"input\":\"free\"}},"
           "{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}},"
           "{\"function\":{\"name\":\"f\",\"arguments\":null}}]}",
           ",\"finish_reason\":\"tool_calls\""));
  assert_json_at(inf_buf_cstr(&r.json), "/choices/0/message/tool_calls",
                 "[{\"id\":\"a\",\"type\":\"custom\",\"custom\":{\"name\":"
                 "\"g\",\"input\":\"free\"}},{\"id\":\"\",\"type\":"
                 "\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
                 "\"{\\\"a\\\":1}\"}},{\"id\":\"\",\"type\":\"function\","
                 "\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]");
  reading_fini(&r);
}

static void
test_reasoning_refusal_and_logprobs(void **state)
{
  (void)state;
  same(DELTA("{\"content\":null,\"reasoning_content\":\"we\"}")
           DELTA("{\"reasoning_content\":\"ll\"}") CHUNK(
               "{\"finish_reason\":null,\"logprobs\":{\"content\":[{"
               "\"t\":1}],\"refusal\":null},\"index\":0,\"delta\":{"
               "\"content\":\"a\"}}")
               CHUNK("{\"index\":0,\"delta\":{\"content\":\"b\"},"
                     "\"logprobs\":{\"content\":[{\"t\":2},{\"t\":3}],"
                     "\"refusal\":[]},\"finish_reason\":\"stop\"}") USAGE DONE,
       BODY("{\"content\":\"ab\",\"reasoning_content\":\"well\"}",
            ",\"logprobs\":{\"content\":[{\"t\":1},{\"t\":2},{\"t\":3}],"
            "\"refusal\":null},\"finish_reason\":\"stop\""));
  same(DELTA("{\"content\":\"\",\"refusal\":\"I \"}")
           DELTA("{\"refusal\":\"can't\"}") FINISH("stop") USAGE DONE,
       BODY("{\"content\":null,\"refusal\":\"I can't\"}",
            ",\"finish_reason\":\"stop\""));
}

static void
test_reasoning_details(void **state)
{
  (void)state;
  same(DELTA("{\"content\":\"\",\"reasoning\":\"th\",\"reasoning_details\":[{"
             "\"type\":\"reasoning.text\",\"text\":\"th\",\"index\":0,"
             "\"format\":null}]}")
           DELTA("{\"content\":\"\",\"reasoning\":\"ink\","
                 "\"reasoning_details\":[{\"type\":\"reasoning.text\","
                 "\"text\":\"ink\",\"index\":0,\"format\":null}]}")
               DELTA("{\"content\":\"x\",\"reasoning\":null,"
                     "\"reasoning_details\":[]}") FINISH("stop") USAGE DONE,
       BODY("{\"content\":\"x\",\"reasoning\":\"think\",\"reasoning_details\":"
            "[{\"type\":\"reasoning.text\",\"text\":\"think\",\"index\":0,"
            "\"format\":null}]}",
            ",\"finish_reason\":\"stop\""));
}

static void
test_audio_and_legacy_function_calls(void **state)
{
  (void)state;
  same(DELTA("{\"audio\":{\"id\":\"au\"}}")
           DELTA("{\"audio\":{\"transcript\":\"He\"}}")
               DELTA("{\"audio\":{\"data\":\"QUJD\"}}")
                   DELTA("{\"audio\":{\"data\":\"REVG\",\"transcript\":"
                         "\"y\"}}") DELTA("{\"audio\":{\"expires_at\":9}}")
                       FINISH("stop") USAGE DONE,
       BODY("{\"content\":null,\"audio\":{\"id\":\"au\",\"transcript\":"
            "\"Hey\",\"data\":\"QUJDREVG\",\"expires_at\":9}}",
            ",\"finish_reason\":\"stop\""));
  same(DELTA("{\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}}")
           DELTA("{\"function_call\":{\"arguments\":\"{\\\"a\\\"\"}}")
               DELTA("{\"function_call\":{\"arguments\":\":1}\"}}")
                   FINISH("function_call") USAGE DONE,
       BODY("{\"content\":null,\"function_call\":{\"name\":\"f\","
            "\"arguments\":\"{\\\"a\\\":1}\"}}",
            ",\"finish_reason\":\"function_call\""));
}

static void
test_what_only_streams_have_is_dropped(void **state)
{
  (void)state;
  same("data: {\"id\":\"c-1\",\"created\":17,\"model\":\"m\",\"obfuscation\":"
       "\"x8\",\"choices\":[{\"index\":0,\"text\":\"a\",\"obfuscation\":\"q\","
       "\"delta\":{\"content\":\"a\",\"token_id\":7,\"index\":0},"
       "\"message\":{\"content\":\"a\"},\"finish_reason\":null}],\"usage\":"
       "null,\"p\":\"abcdef\"}\n\n" FINISH("stop") USAGE DONE,
       BODY("{\"content\":\"a\"}", ",\"finish_reason\":\"stop\""));
}

static void
test_unknown_members_pass_through_on_every_level(void **state)
{
  (void)state;
  reading r;
  run(&r, true,
      "data: {\"id\":\"c\",\"x_top\":1.50,\"p\":\"not padding\",\"choices\":[{"
      "\"index\":0,\"x_choice\":{\"a\":1},\"delta\":{\"content\":\"t\","
      "\"x_message\":\"one\"}}]}\n\n"
      "data: {\"x_top\":2.50,\"x_null\":null,\"choices\":[{\"index\":0,"
      "\"x_choice\":null,\"delta\":{\"x_message\":\" two\"},"
      "\"finish_reason\":\"stop\"}]}\n\n" DONE);
  assert_int_equal(r.status, INFER_OK);
  assert_json_at(inf_buf_cstr(&r.json), "/x_top", "2.50");
  assert_json_at(inf_buf_cstr(&r.json), "/p", "\"not padding\"");
  assert_json_at(inf_buf_cstr(&r.json), "/choices/0/x_choice", "{\"a\":1}");
  assert_json_at(inf_buf_cstr(&r.json), "/choices/0/message/x_message",
                 "\"one two\"");
  assert_false(json_has(inf_buf_cstr(&r.json), "/x_null"));
  reading_fini(&r);
}

static void
test_a_whole_body_keeps_a_choices_text(void **state)
{
  (void)state;
  reading r;
  run(&r, false,
      "{\"choices\":[{\"text\":\"old\",\"message\":{\"content\":\"x\"},"
      "\"finish_reason\":\"stop\"}]}");
  assert_json_at(inf_buf_cstr(&r.json), "/choices/0/text", "\"old\"");
  reading_fini(&r);
}

static void
test_content_of_parts(void **state)
{
  (void)state;
  same(DELTA("{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":"
             "\"text\",\"text\":\"h\"}]}]}")
           DELTA("{\"content\":[{\"type\":\"thinking\",\"thinking\":[{"
                 "\"type\":\"text\",\"text\":\"m\"}]}]}")
               DELTA("{\"content\":\"a\"}")
                   DELTA("{\"content\":[{\"type\":\"text\",\"text\":\"b\"},{"
                         "\"type\":\"reference\",\"ids\":[1]}]}") FINISH("stop")
                       USAGE DONE,
       BODY("{\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":"
            "\"text\",\"text\":\"hm\"}]},{\"type\":\"text\",\"text\":\"ab\"},"
            "{\"type\":\"reference\",\"ids\":[1]}]}",
            ",\"finish_reason\":\"stop\""));
}

static void
test_several_choices(void **state)
{
  (void)state;
  reading r;
  inf_decoder_options options = default_options(true);
  options.choices = 2;
  reading_init(&r, options);
  reading_run(&r, 200,
              S(CHUNK("{\"index\":1,\"delta\":{\"content\":\"b\"}}")
                    CHUNK("{\"index\":0,\"delta\":{\"content\":\"a\"}},"
                          "{\"index\":1,\"delta\":{\"content\":\"B\"},"
                          "\"finish_reason\":\"length\"}") FINISH("stop")),
              0);
  assert_int_equal(r.status, INFER_OK);
  assert_json_at(inf_buf_cstr(&r.json), "/choices/0/message/content", "\"a\"");
  assert_json_at(inf_buf_cstr(&r.json), "/choices/1/message/content", "\"bB\"");
  assert_json_at(inf_buf_cstr(&r.json), "/choices/1/finish_reason",
                 "\"length\"");
  reading_fini(&r);
}

static void
test_usage_figures(void **state)
{
  (void)state;
  reading r;
  run(&r, false,
      "{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
      "\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20,"
      "\"total_tokens\":30,\"prompt_tokens_details\":{\"cached_tokens\":4},"
      "\"completion_tokens_details\":{\"reasoning_tokens\":5}}}");
  assert_int_equal(r.answer.usage.input, 10);
  assert_int_equal(r.answer.usage.output, 20);
  assert_int_equal(r.answer.usage.reasoning, 5);
  assert_int_equal(r.answer.usage.cache_read, 4);
  assert_int_equal(r.answer.usage.cache_write, -1);
  assert_int_equal(r.answer.usage.total, 30);
  assert_false(r.answer.usage.estimated);
  reading_fini(&r);
  /* xAI: reasoning beside the output. */
  run(&r, false,
      "{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":"
      "\"stop\"}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":20,"
      "\"reasoning_tokens\":5,\"total_tokens\":35,"
      "\"prompt_cache_hit_tokens\":3,\"cache_creation_input_tokens\":2}}");
  assert_int_equal(r.answer.usage.output, 25);
  assert_int_equal(r.answer.usage.cache_read, 3);
  assert_int_equal(r.answer.usage.cache_write, 2);
  reading_fini(&r);
}

static void
test_groqs_usage(void **state)
{
  (void)state;
  reading r;
  run(&r, true,
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
      "\"a\"}}],\"x_groq\":{\"id\":\"req\"}}\n\n"
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},"
      "\"finish_reason\":\"stop\"}],\"x_groq\":{\"id\":\"req\",\"usage\":{"
      "\"prompt_tokens\":7,\"completion_tokens\":1}}}\n\n" DONE);
  assert_int_equal(r.answer.usage.input, 7);
  assert_json_at(inf_buf_cstr(&r.json), "/x_groq", "{\"id\":\"req\"}");
  assert_json_at(inf_buf_cstr(&r.json), "/usage/prompt_tokens", "7");
  reading_fini(&r);
}

static void
test_nulls_in_usage_are_no_usage(void **state)
{
  (void)state;
  reading r;
  run(&r, true,
      DELTA("{\"content\":\"abcde\"}")
          FINISH("stop") "data: {\"choices\":[],\"usage\":{"
                         "\"prompt_tokens\":null}}\n\n" DONE);
  assert_true(r.answer.usage.estimated);
  assert_int_equal(r.answer.usage.output, 2);
  reading_fini(&r);
}

static void
test_perplexitys_last_object_is_not_appended(void **state)
{
  (void)state;
  reading r;
  run(&r, true,
      "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
      "\"delta\":{\"content\":\"ab\"},\"message\":{\"content\":\"ab\"},"
      "\"finish_reason\":null}]}\r\n\r\n"
      "data: {\"object\":\"chat.completion.done\",\"choices\":[{\"index\":0,"
      "\"delta\":{\"content\":\"\"},\"message\":{\"content\":\"ab\"},"
      "\"finish_reason\":\"stop\"}],\"citations\":[\"u\"]}\r\n\r\n");
  assert_int_equal(r.status, INFER_OK);
  assert_true(r.decoder.terminated);
  assert_buf(&r.answer.choices[0].text, "ab");
  assert_json_at(inf_buf_cstr(&r.json), "/choices/0/finish_reason", "\"stop\"");
  assert_json_at(inf_buf_cstr(&r.json), "/citations", "[\"u\"]");
  reading_fini(&r);
}

static void
test_invalid_utf8_is_replaced(void **state)
{
  (void)state;
  reading r;
  run(&r, true,
      DELTA("{\"content\":\"a\xFFz\",\"x\":\"\xC3\"}") FINISH("stop") DONE);
  assert_int_equal(r.status, INFER_OK);
  assert_buf(&r.answer.choices[0].text, "a\xEF\xBF\xBDz");
  assert_json_at(inf_buf_cstr(&r.json), "/choices/0/message/x",
                 "\"\xEF\xBF\xBD\"");
  reading_fini(&r);
}

static void
test_names_may_be_escaped(void **state)
{
  (void)state;
  reading r;
  run(&r, true,
      "data: {\"cho\\u0069ces\":[{\"index\":0,\"d\\u0065lta\":{\"c\\u006f"
      "ntent\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n");
  assert_int_equal(r.status, INFER_OK);
  assert_buf(&r.answer.choices[0].text, "x");
  reading_fini(&r);
}

static void
test_values_of_wrong_types_do_no_harm(void **state)
{
  (void)state;
  static const char *const chunks[] = {
      "{\"choices\":7}",
      "{\"choices\":[null]}",
      "{\"choices\":[[1,2]]}",
      "{\"choices\":[{\"index\":-1,\"delta\":[1]}]}",
      "{\"choices\":[{\"index\":1e99,\"delta\":\"x\"}]}",
      "{\"choices\":[{\"delta\":{\"content\":7,\"role\":[],\"refusal\":{},"
      "\"tool_calls\":\"x\",\"reasoning\":1}}]}",
      "{\"choices\":[{\"delta\":{\"tool_calls\":[null,[1],{\"function\":[2],"
      "\"custom\":3,\"index\":\"x\",\"id\":4}]}}]}",
      "{\"choices\":[{\"delta\":{\"reasoning_details\":[1,{\"text\":2}]},"
      "\"logprobs\":[1],\"finish_reason\":3,\"finish_details\":4}]}",
      "{\"choices\":[],\"usage\":[1],\"id\":1,\"model\":{},\"created\":\"x\","
      "\"x_groq\":[1],\"object\":5,\"p\":6}",
  };
  for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
    reading r;
    inf_buf text;
    inf_buf_init(&text, SIZE_MAX);
    inf_buf_appendf(&text, "data: %s\n\n%s", chunks[i],
                    DELTA("{\"content\":\"ok\"}") FINISH("stop") DONE);
    run(&r, true, inf_buf_cstr(&text));
    assert_int_equal(r.status, INFER_OK);
    assert_buf(&inf_answer_choice(&r.answer, 0)->text, "ok");
    json_object *parsed = json_tokener_parse(inf_buf_cstr(&r.json));
    assert_non_null(parsed);
    json_object_put(parsed);
    reading_fini(&r);
    inf_buf_fini(&text);
  }
}

/* A gateway that loses its server amid an answer says so in a chunk that also
 * has choices, and may even call the answer finished. */
static void
test_an_error_beside_choices_is_one(void **state)
{
  (void)state;
  static const char error[] =
      "data: {\"id\":\"c-1\",\"choices\":[{\"index\":0,\"delta\":{"
      "\"content\":\"\"},\"finish_reason\":\"stop\"}],\"error\":{\"code\":502,"
      "\"message\":\"lost my server\"}}\n\n" DONE;
  char body[1024];
  reading r;
  snprintf(body, sizeof body, "%s%s", DELTA("{\"content\":\"a\"}"), error);
  run(&r, true, body);
  assert_int_equal(r.status, INFER_E_SERVER);
  assert_buf(&r.decoder.failure.message, "lost my server");
  reading_fini(&r);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_tool_calls),
      cmocka_unit_test(test_custom_tools_and_objects_as_arguments),
      cmocka_unit_test(test_reasoning_refusal_and_logprobs),
      cmocka_unit_test(test_reasoning_details),
      cmocka_unit_test(test_audio_and_legacy_function_calls),
      cmocka_unit_test(test_what_only_streams_have_is_dropped),
      cmocka_unit_test(test_unknown_members_pass_through_on_every_level),
      cmocka_unit_test(test_a_whole_body_keeps_a_choices_text),
      cmocka_unit_test(test_content_of_parts),
      cmocka_unit_test(test_several_choices),
      cmocka_unit_test(test_usage_figures),
      cmocka_unit_test(test_groqs_usage),
      cmocka_unit_test(test_nulls_in_usage_are_no_usage),
      cmocka_unit_test(test_perplexitys_last_object_is_not_appended),
      cmocka_unit_test(test_invalid_utf8_is_replaced),
      cmocka_unit_test(test_names_may_be_escaped),
      cmocka_unit_test(test_values_of_wrong_types_do_no_harm),
      cmocka_unit_test(test_an_error_beside_choices_is_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
