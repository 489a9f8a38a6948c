/* SPDX-License-Identifier: MIT */
#include "unit/gemini_support.h"
#include "unit/gemini_writing.h"

#define MESSAGES(model, list) \
  "{\"model\":\"" model "\",\"messages\":[" list "]}"
#define USER(content) "{\"role\":\"user\",\"content\":" content "}"
#define RESULT(id, content) \
  "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":" content "}"
#define CALL(id, name, args)                                                \
  "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name \
  "\",\"arguments\":\"" args "\"}}"
#define CALLS(list) \
  "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" list "]}"

static void
test_roles(void **state)
{
  (void)state;
  static const char chat[] = MESSAGES(
      OLD,
      "{\"role\":\"system\",\"content\":\"s\"}," USER(
          "\"a\"") ","
                   "{\"role\":\"developer\",\"content\":[{\"type\":\"text\","
                   "\"text\":\"d\"}]},{\"role\":\"assistant\",\"content\":"
                   "\"b\"},"
                   "{\"role\":\"assistant\",\"content\":\"\"}," USER("\"c\""));
  assert_writes(chat, "contents",
                "[{\"role\":\"user\",\"parts\":[{\"text\":\"a\"}]},"
                "{\"role\":\"model\",\"parts\":[{\"text\":\"b\"}]},"
                "{\"role\":\"user\",\"parts\":[{\"text\":\"c\"}]}]");
  assert_writes(chat, "systemInstruction",
                "{\"parts\":[{\"text\":\"s\"},{\"text\":\"d\"}]}");
  assert_writes(MESSAGES(OLD, USER("\"a\"")), "systemInstruction", NULL);
  assert_refuses(MESSAGES(OLD, "{\"role\":\"critic\",\"content\":\"s\"}"),
                 "a message with role \"critic\": Gemini has no such role");
  assert_refuses(MESSAGES(OLD, "{\"role\":\"system\",\"content\":["
                               "{\"type\":\"image_url\"}]}"),
                 "a system message: it can have nothing but text");
}

static void
test_parts(void **state)
{
  (void)state;
  assert_writes(
      MESSAGES(
          OLD,
          USER("[{\"type\":\"text\",\"text\":\"a\\u00e4\"},"
               "{\"type\":\"image_url\",\"image_url\":{\"url\":"
               "\"data:image/png;base64,QQ==\",\"detail\":\"low\"}},"
               "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QQ==\","
               "\"format\":\"wav\"}},"
               "{\"type\":\"file\",\"file\":{\"filename\":\"x.pdf\","
               "\"file_data\":\"data:application/pdf;base64,QQ==\"}},"
               "{\"type\":\"file\",\"file\":{\"file_id\":\"https://h/files/1\","
               "\"format\":\"text/csv\"}},"
               "{\"type\":\"video_url\",\"video_url\":{\"url\":"
               "\"gs://b/v.mp4\"}},{\"text\":\"own\"}]")),
      "contents",
      "[{\"role\":\"user\",\"parts\":[{\"text\":\"a\xC3\xA4\"},"
      "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QQ==\"}},"
      "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"QQ==\"}},"
      "{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"QQ==\"}},"
      "{\"fileData\":{\"mimeType\":\"text/csv\",\"fileUri\":"
      "\"https://h/files/1\"}},"
      "{\"fileData\":{\"mimeType\":\"video/mp4\",\"fileUri\":\"gs://b/v.mp4\"}}"
      ",{\"text\":\"own\"}]}]");
  assert_refuses(MESSAGES(OLD, USER("[{\"type\":\"hologram\"}]")),
                 "a content part of type \"hologram\": Gemini has nothing like "
                 "it");
  assert_refuses(MESSAGES(OLD, USER("[{\"type\":\"input_audio\"}]")),
                 "input_audio: no data or no format");
  assert_refuses(MESSAGES(OLD, USER("[{\"type\":\"file\",\"file\":{}}]")),
                 "a file: neither file_data nor file_id");
}

#define TWO_TEXTS                        \
  "[{\"type\":\"text\",\"text\":\"x\"}," \
  "{\"type\":\"text\",\"text\":\"y\"}]"
#define FIRST_CALLS                                                          \
  CALLS(CALL("call_gemini_x_0", "f", "{\\\"a\\\":1.0}") "," CALL("own", "g", \
                                                                 ""))
#define FIRST_RESULTS                \
  RESULT("own", "\"{\\\"b\\\":2}\"") \
  "," RESULT("call_gemini_x_0", "\"[1]\"")
#define SECOND_CALL CALLS(CALL("call_gemini_x_0", "h", "{}"))
#define SECOND_RESULTS                 \
  RESULT("call_gemini_x_0", TWO_TEXTS) \
  "," RESULT("own", "\"late\"")

static void
test_calls_and_results(void **state)
{
  (void)state;
  static const char chat[] =
      MESSAGES(OLD, FIRST_CALLS "," FIRST_RESULTS "," USER(
                        "\"and?\"") "," SECOND_CALL "," SECOND_RESULTS);
  assert_writes(
      chat, "contents",
      "[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\","
      "\"args\":{\"a\":1.0}}},{\"functionCall\":{\"id\":\"own\",\"name\":\"g\","
      "\"args\":{}}}]},"
      "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"own\","
      "\"name\":\"g\",\"response\":{\"b\":2}}},{\"functionResponse\":{"
      "\"name\":\"f\",\"response\":{\"output\":\"[1]\"}}}]},"
      "{\"role\":\"user\",\"parts\":[{\"text\":\"and?\"}]},"
      "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"h\","
      "\"args\":{}}}]},"
      "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"h\","
      "\"response\":{\"output\":\"xy\"}}},{\"functionResponse\":{"
      "\"id\":\"own\",\"name\":\"g\",\"response\":{\"output\":\"late\"}}}]}]");
  /* A name in the result will do. */
  assert_writes(MESSAGES(OLD, "{\"role\":\"tool\",\"name\":\"f\",\"content\":"
                              "\"x\"}"),
                "contents",
                "[{\"role\":\"user\",\"parts\":[{\"functionResponse\":{"
                "\"name\":\"f\",\"response\":{\"output\":\"x\"}}}]}]");
  assert_refuses(MESSAGES(OLD, RESULT("z", "\"x\"")),
                 "the result of tool call \"z\": no call before it has this "
                 "id, so that its function is not known");
  assert_refuses(MESSAGES(OLD, CALLS(CALL("a", "f", "{\\\"a"))),
                 "the arguments of the call of \"f\": not a JSON object");
  assert_refuses(MESSAGES(OLD, CALLS(CALL("a", "f", "[1]"))),
                 "the arguments of the call of \"f\": not a JSON object");
  assert_refuses(MESSAGES(OLD, CALLS("{\"type\":\"custom\"}")),
                 "a tool call: it is not one of a function");
  assert_refuses(MESSAGES(OLD, "{\"role\":\"assistant\",\"function_call\":{}}"),
                 "function_call: send tool_calls instead");
}

static void
test_images_in_results(void **state)
{
  (void)state;
#define WITH_IMAGE                                                   \
  CALLS(CALL("own", "f", "{}"))                                      \
  "," RESULT("own", "[{\"type\":\"text\",\"text\":\"x\"},{\"type\":" \
                    "\"image_url\",\"image_url\":{\"url\":"          \
                    "\"data:image/png;base64,QQ==\"}}]")
  assert_writes(
      MESSAGES(OLD, WITH_IMAGE), "contents",
      "[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"own\","
      "\"name\":\"f\",\"args\":{}}}]},"
      "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"own\","
      "\"name\":\"f\",\"response\":{\"output\":\"x\"}}},{\"inlineData\":{"
      "\"mimeType\":\"image/png\",\"data\":\"QQ==\"}}]}]");
  assert_writes(
      MESSAGES(NEW, WITH_IMAGE), "contents",
      "[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"own\","
      "\"name\":\"f\",\"args\":{}},\"thoughtSignature\":"
      "\"skip_thought_signature_validator\"}]},"
      "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"own\","
      "\"name\":\"f\",\"response\":{\"output\":\"x\"},\"parts\":[{"
      "\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QQ==\"}}]}}]}]");
#undef WITH_IMAGE
}

static void
test_signatures_of_others_are_left_out(void **state)
{
  (void)state;
  assert_writes(
      MESSAGES(NEW, "{\"role\":\"assistant\",\"content\":\"a\","
                    "\"reasoning_content\":\"hmm\",\"reasoning_details\":[{"
                    "\"type\":\"reasoning.text\",\"text\":\"t\","
                    "\"signature\":\"s\"},{\"type\":\"reasoning.encrypted\","
                    "\"data\":\"d\",\"id\":\"own\",\"format\":"
                    "\"anthropic-claude-v1\"}],\"tool_calls\":[" CALL(
                        "own", "f", "{}") "," CALL("too", "g", "{}") "]}"),
      "contents",
      "[{\"role\":\"model\",\"parts\":[{\"text\":\"a\"},{\"functionCall\":{"
      "\"id\":\"own\",\"name\":\"f\",\"args\":{}},\"thoughtSignature\":"
      "\"skip_thought_signature_validator\"},{\"functionCall\":{\"id\":\"too\","
      "\"name\":\"g\",\"args\":{}}}]}]");
  /* Google's own place for it. */
  assert_writes(
      MESSAGES(NEW, CALLS("{\"id\":\"own\",\"extra_content\":{\"google\":{"
                          "\"thought_signature\":\"s\"}},\"function\":{"
                          "\"name\":\"f\",\"arguments\":\"{}\"}}")),
      "contents",
      "[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"own\","
      "\"name\":\"f\",\"args\":{}},\"thoughtSignature\":\"s\"}]}]");
}

/* What an answer's message becomes when it is sent again. */
static void
assert_comes_back(const char *parts)
{
  inf_answer answer;
  inf_buf body, chat;
  inf_buf_init(&body, SIZE_MAX);
  inf_buf_init(&chat, SIZE_MAX);
  inf_buf_appendf(&body,
                  "{\"candidates\":[{\"content\":{\"parts\":%s},"
                  "\"finishReason\":\"STOP\"}],\"responseId\":\"r\"}",
                  parts);
  gemini_body(inf_buf_cstr(&body), &answer);
  inf_buf_appendf(&chat, "{\"model\":\"" NEW "\",\"messages\":[");
  inf_answer_write_message(&answer, 0, &chat);
  inf_buf_appendf(&chat, "]}");
  inf_buf_clear(&body);
  inf_buf_appendf(&body, "[{\"role\":\"model\",\"parts\":%s}]", parts);
  assert_writes(inf_buf_cstr(&chat), "contents", inf_buf_cstr(&body));
  inf_answer_fini(&answer);
  inf_buf_fini(&body);
  inf_buf_fini(&chat);
}

static void
test_what_was_read_comes_back(void **state)
{
  (void)state;
  assert_comes_back("[{\"text\":\"a\",\"thoughtSignature\":\"s\"}]");
  assert_comes_back("[{\"text\":\"a\"},{\"text\":\"\",\"thoughtSignature\":"
                    "\"s\"}]");
  assert_comes_back("[{\"text\":\"t\",\"thought\":true,\"thoughtSignature\":"
                    "\"s\"},{\"text\":\"a\"}]");
  assert_comes_back(
      "[{\"text\":\"a\",\"thoughtSignature\":\"s1\"},{\"functionCall\":{"
      "\"name\":\"f\",\"args\":{\"x\":[1,2.50]}},\"thoughtSignature\":\"s2\"},"
      "{\"functionCall\":{\"name\":\"g\",\"args\":{}}},{\"functionCall\":{"
      "\"id\":\"own\",\"name\":\"h\",\"args\":{}},\"thoughtSignature\":\"s3\"}"
      "]");
  assert_comes_back("[{\"executableCode\":{\"code\":\"1\"},"
                    "\"thoughtSignature\":\"s\"},{\"codeExecutionResult\":{"
                    "\"output\":\"1\"}},{\"text\":\"a\"}]");
  assert_comes_back("[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
                    "\"QQ==\"},\"thoughtSignature\":\"s\"}]");
  assert_comes_back("[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
                    "\"QQ==\"},\"thought\":true}]");
  assert_comes_back("[{\"text\":\"a\",\"thoughtSignature\":\"s\"},"
                    "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
                    "\"QQ==\"}},{\"text\":\"\",\"thoughtSignature\":\"t\"}]");
  assert_comes_back("[{\"text\":\"a\"},{\"inlineData\":{\"mimeType\":"
                    "\"image/png\",\"data\":\"QQ==\"}}]");
}

/* Parts of another provider's content, which have a type, are not sent. */
static void
test_raw_parts_of_others_stay_here(void **state)
{
  (void)state;
  assert_writes(MESSAGES(OLD, "{\"role\":\"assistant\",\"content\":\"a\","
                              "\"content_parts\":[{\"type\":\"reference\","
                              "\"reference_ids\":[1]},{\"executableCode\":{"
                              "\"code\":\"1\"}}]}"),
                "contents",
                "[{\"role\":\"model\",\"parts\":[{\"executableCode\":{"
                "\"code\":\"1\"}},{\"text\":\"a\"}]}]");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_roles),
      cmocka_unit_test(test_parts),
      cmocka_unit_test(test_calls_and_results),
      cmocka_unit_test(test_images_in_results),
      cmocka_unit_test(test_signatures_of_others_are_left_out),
      cmocka_unit_test(test_what_was_read_comes_back),
      cmocka_unit_test(test_raw_parts_of_others_stay_here),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
