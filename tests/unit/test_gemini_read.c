/* SPDX-License-Identifier: MIT */
#include "unit/gemini_support.h"

#include "wire/json_value.h"

/* A body with one candidate of these parts. */
#define BODY(parts, more)                                          \
  "{\"candidates\":[{\"content\":{\"parts\":[" parts "],\"role\":" \
  "\"model\"}" more "}],\"responseId\":\"r/1\",\"modelVersion\":\"m\"}"
#define END ",\"finishReason\":\"STOP\""

static const struct gemini_way whole = {.stream = false};
static const struct gemini_way streamed = {.stream = true};

/* The value at the path of the answer's JSON, as text. */
static void
assert_member(const inf_answer *answer, const char *path, const char *expected)
{
  inf_buf json = gemini_json(answer);
  inf_sv choice =
      inf_json_at(inf_json_get(inf_buf_sv(&json), INF_SV("choices")), 0);
  bool of_choice = strncmp(path, "choice.", 7) == 0;
  inf_sv value = of_choice ? inf_json_path(choice, path + 7)
                           : inf_json_path(inf_buf_sv(&json), path);
  assert_sv(value, expected);
  inf_buf_fini(&json);
}

static void
test_a_cut_stream_is_never_a_success(void **state)
{
  (void)state;
  static const char text[] =
      EVENT("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}],"
            "\"usageMetadata\":{\"promptTokenCount\":5,\"totalTokenCount\":5}"
            "}") "data: "
                 "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"!\"}]"
                 "},"
                 "\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
                 "\"promptTokenCount\":5,"
                 "\"candidatesTokenCount\":2,\"thoughtsTokenCount\":3,"
                 "\"toolUsePromptTokenCount\":7,\"cachedContentTokenCount\":"
                 "1,"
                 "\"totalTokenCount\":17}}";
  inf_answer answer;
  for (size_t len = 0; len < sizeof(text) - 1; len++) {
    assert_int_not_equal(
        gemini_read(streamed, inf_sv_of(text, len), &answer, NULL), INFER_OK);
    inf_answer_fini(&answer);
  }
  assert_int_equal(gemini_read(streamed, S(text), &answer, NULL), INFER_OK);
  const inf_choice *choice = inf_answer_choice(&answer, 0);
  assert_buf(&choice->text, "Hi!");
  assert_buf(&choice->role, "assistant");
  assert_buf(&choice->finish_reason, "stop");
  assert_buf(&choice->native_finish_reason, "STOP");
  assert_int_equal(answer.usage.input, 12);
  assert_int_equal(answer.usage.output, 5);
  assert_int_equal(answer.usage.reasoning, 3);
  assert_int_equal(answer.usage.cache_read, 1);
  assert_int_equal(answer.usage.total, 17);
  inf_answer_fini(&answer);
}

static void
test_a_streamed_array_that_is_cut_is_none_either(void **state)
{
  (void)state;
  static const char text[] =
      "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}\r\n,"
      "\r\n{\"candidates\":[{\"finishReason\":\"STOP\"}]}";
  inf_answer answer;
  for (size_t len = 0; len < sizeof(text) - 1; len++) {
    assert_int_not_equal(
        gemini_read(streamed, inf_sv_of(text, len), &answer, NULL), INFER_OK);
    inf_answer_fini(&answer);
    assert_int_not_equal(
        gemini_read(whole, inf_sv_of(text, len), &answer, NULL), INFER_OK);
    inf_answer_fini(&answer);
  }
  assert_int_equal(gemini_read(streamed, S(text), &answer, NULL), INFER_OK);
  inf_answer_fini(&answer);
  /* As one document it needs its bracket. */
  assert_int_equal(gemini_read(whole, S(text), &answer, NULL),
                   INFER_E_TRUNCATED);
  inf_answer_fini(&answer);
}

static void
test_the_last_usage_stands_as_a_whole(void **state)
{
  (void)state;
  static const char text[] = EVENT(
      "{\"usageMetadata\":{\"promptTokenCount\":5,"
      "\"thoughtsTokenCount\":9,\"totalTokenCount\":14}}")
      EVENT("{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":"
            "{\"promptTokenCount\":6,\"totalTokenCount\":6}}")
          EVENT("{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}");
  inf_answer answer;
  assert_int_equal(gemini_read(streamed, S(text), &answer, NULL), INFER_OK);
  assert_int_equal(answer.usage.input, 6);
  assert_int_equal(answer.usage.reasoning, -1);
  assert_int_equal(answer.usage.output, -1);
  inf_answer_fini(&answer);
}

static void
test_audio_is_counted_apart(void **state)
{
  (void)state;
  static const char text[] =
      EVENT("{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
            "\"promptTokenCount\":6,\"promptTokensDetails\":[{\"modality\":"
            "\"TEXT\",\"tokenCount\":2},{\"modality\":\"AUDIO\",\"tokenCount\":"
            "4}],\"totalTokenCount\":6}}");
  inf_answer answer;
  assert_int_equal(gemini_read(streamed, S(text), &answer, NULL), INFER_OK);
  assert_int_equal(answer.usage.input, 6);
  assert_int_equal(answer.usage.audio_input, 4);
  assert_int_equal(answer.usage.audio_output, -1);
  inf_answer_fini(&answer);
}

static void
test_calls_without_ids_are_given_some(void **state)
{
  (void)state;
  inf_answer answer;
  gemini_body(BODY("{\"functionCall\":{\"name\":\"f\",\"args\":{ \"a\" :1.0}}},"
                   "{\"functionCall\":{\"name\":\"g\"}},"
                   "{\"functionCall\":{\"name\":\"h\",\"id\":\"own\"}}",
                   END),
              &answer);
  const inf_choice *choice = inf_answer_choice(&answer, 0);
  assert_int_equal(choice->tool_call_count, 3);
  assert_buf(&choice->tool_calls[0].id, "call_gemini_r-1_0");
  assert_buf(&choice->tool_calls[0].arguments, "{ \"a\" :1.0}");
  assert_buf(&choice->tool_calls[1].id, "call_gemini_r-1_1");
  assert_buf(&choice->tool_calls[1].arguments, "{}");
  assert_buf(&choice->tool_calls[2].id, "own");
  assert_buf(&choice->finish_reason, "tool_calls");
  assert_buf(&choice->native_finish_reason, "STOP");
  assert_true(inf_gemini_is_made_id(S("call_gemini_r-1_0")));
  assert_false(inf_gemini_is_made_id(S("call_1")));
  inf_answer_fini(&answer);
}

static void
test_arguments_in_pieces(void **state)
{
  (void)state;
#define PART(call)                                                          \
  EVENT("{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":" call \
        "}]}}]}")
  static const char text[] = PART("{\"name\":\"f\",\"willContinue\":true}")
      PART("{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"stringValue\":\"x\","
           "\"willContinue\":true}],\"willContinue\":true}")
          PART(
              "{\"partialArgs\":[{\"jsonPath\":\"$.a\",\"stringValue\":\"y\"}],"
              "\"willContinue\":true}") PART("{}")
              PART("{\"name\":\"g\",\"willContinue\":true}")
                  PART("{\"name\":\"h\",\"args\":{}}") PART(
                      "{\"name\":\"i\",\"partialArgs\":[{\"jsonPath\":\"$.a\","
                      "\"numberValue\":1}],\"willContinue\":true}")
                      EVENT("{\"candidates\":[{\"finishReason\":\"STOP\"}]}");
  static const char broken[] = PART("{\"name\":\"f\",\"willContinue\":true}")
      PART("{\"partialArgs\":[{\"jsonPath\":\"$.a[1]\",\"numberValue\":1}]}")
          EVENT("{\"candidates\":[{\"finishReason\":\"STOP\"}]}");
#undef PART
  inf_answer answer;
  assert_int_equal(gemini_read(streamed, S(text), &answer, NULL), INFER_OK);
  const inf_choice *choice = inf_answer_choice(&answer, 0);
  assert_int_equal(choice->tool_call_count, 4);
  assert_buf(&choice->tool_calls[0].arguments, "{\"a\":\"xy\"}");
  assert_buf(&choice->tool_calls[1].arguments, "{}");
  assert_buf(&choice->tool_calls[2].arguments, "{}");
  assert_buf(&choice->tool_calls[3].arguments, "{\"a\":1}");
  inf_answer_fini(&answer);
  assert_int_equal(gemini_read(streamed, S(broken), &answer, NULL),
                   INFER_E_PROTOCOL);
  inf_answer_fini(&answer);
}

static void
test_thoughts_and_signatures(void **state)
{
  (void)state;
  inf_answer answer;
  gemini_body(
      BODY("{\"text\":\"h\\u006dm\",\"thought\":true,\"thoughtSignature\":"
           "\"s1\"},{\"text\":\"Hi\",\"thoughtSignature\":\"s2\"},"
           "{\"functionCall\":{\"name\":\"f\"},\"thoughtSignature\":\"s3\"},"
           "{\"thoughtSignature\":\"s4\"}",
           END),
      &answer);
  const inf_choice *choice = inf_answer_choice(&answer, 0);
  assert_buf(&choice->text, "Hi");
  assert_buf(&choice->reasoning, "hmm");
  assert_string_equal(choice->reasoning_name, "reasoning_content");
  assert_member(&answer, "choice.message.reasoning_details",
                "[{\"type\":\"reasoning.text\",\"text\":\"h\\u006dm\","
                "\"signature\":\"s1\",\"format\":\"google-gemini-v1\"},"
                "{\"type\":\"reasoning.encrypted\",\"data\":\"s2\","
                "\"format\":\"google-gemini-v1\"},"
                "{\"type\":\"reasoning.encrypted\",\"data\":\"s3\",\"id\":"
                "\"call_gemini_r-1_0\",\"format\":\"google-gemini-v1\"},"
                "{\"type\":\"reasoning.encrypted\",\"data\":\"s4\","
                "\"alone\":true,"
                "\"format\":\"google-gemini-v1\"}]");
  inf_answer_fini(&answer);
}

static void
test_other_parts_are_kept(void **state)
{
  (void)state;
  inf_answer answer;
  gemini_body(
      BODY("{\"executableCode\":{\"code\":\"1\"},\"thoughtSignature\":\"s\"},"
           "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QQ==\"}},"
           "{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"QQ==\"}}",
           END),
      &answer);
  assert_member(&answer, "choice.message.content", "null");
  assert_member(&answer, "choice.message.content_parts",
                "[{\"executableCode\":{\"code\":\"1\"},\"thoughtSignature\":"
                "\"s\"},{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":"
                "\"QQ==\"}}]");
  assert_member(&answer, "choice.message.images",
                "[{\"type\":\"image_url\",\"image_url\":{\"url\":"
                "\"data:image/png;base64,QQ==\"}}]");
  inf_answer_fini(&answer);
}

static void
test_members_of_candidates_and_of_the_whole(void **state)
{
  (void)state;
  inf_answer answer;
  gemini_body("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},"
              "\"groundingMetadata\":{\"x\":1},\"finishReason\":\"STOP\","
              "\"logprobsResult\":{\"chosenCandidates\":[{\"token\":\"a\","
              "\"logProbability\":-0.5}],\"topCandidates\":[{\"candidates\":["
              "{\"token\":\"b\",\"logProbability\":-0.7}]}]}},"
              "{\"index\":1,\"content\":{\"parts\":[{\"text\":\"b\"}]},"
              "\"finishReason\":\"MAX_TOKENS\"}],"
              "\"promptFeedback\":{\"safetyRatings\":[]},"
              "\"createTime\":\"2026-05-04T20:01:02.264968Z\","
              "\"usageMetadata\":{\"promptTokenCount\":1}}",
              &answer);
  assert_int_equal(answer.choice_count, 2);
  assert_buf(&inf_answer_choice(&answer, 1)->text, "b");
  assert_buf(&inf_answer_choice(&answer, 1)->finish_reason, "length");
  assert_int_equal(answer.created, 1777924862);
  assert_member(&answer, "choice.groundingMetadata", "{\"x\":1}");
  assert_member(&answer, "choice.logprobs.content",
                "[{\"token\":\"a\",\"logprob\":-0.5,\"bytes\":null,"
                "\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-0.7,"
                "\"bytes\":null}]}]");
  assert_member(&answer, "promptFeedback", "{\"safetyRatings\":[]}");
  assert_member(&answer, "usageMetadata", "{\"promptTokenCount\":1}");
  inf_answer_fini(&answer);
}

static void
test_finish_reasons(void **state)
{
  (void)state;
  static const char *const words[][2] = {
      {"\"STOP\"", "stop"},
      {"1", "stop"},
      {"2", "length"},
      {"\"SAFETY\"", "content_filter"},
      {"3", "content_filter"},
      {"\"RECITATION\"", "content_filter"},
      {"\"MODEL_ARMOR\"", "content_filter"},
      {"\"IMAGE_SAFETY\"", "content_filter"},
      {"\"UNEXPECTED_TOOL_CALL\"", "UNEXPECTED_TOOL_CALL"},
      {"\"NEW\"", "NEW"},
  };
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    char body[256];
    inf_answer answer;
    snprintf(body, sizeof(body), "{\"candidates\":[{\"finishReason\":%s}]}",
             words[i][0]);
    gemini_body(body, &answer);
    assert_buf(&inf_answer_choice(&answer, 0)->finish_reason, words[i][1]);
    inf_answer_fini(&answer);
  }
}

static void
assert_failure(struct gemini_way way, const char *text, int32_t status,
               const char *message)
{
  inf_answer answer;
  inf_failure failure;
  inf_failure_init(&failure);
  assert_int_equal(gemini_read(way, S(text), &answer, &failure), status);
  assert_buf(&failure.message, message);
  inf_failure_fini(&failure);
  inf_answer_fini(&answer);
}

static void
test_failures_in_a_200(void **state)
{
  (void)state;
  static const char blocked[] =
      "{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}";
  static const char busy[] =
      "{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":"
      "\"UNAVAILABLE\"}}";
  char event[256];
  assert_failure(whole, blocked, INFER_E_CONTENT_FILTER,
                 "the provider blocked the prompt: SAFETY");
  snprintf(event, sizeof(event), "data: %s\n\n", blocked);
  assert_failure(streamed, event, INFER_E_CONTENT_FILTER,
                 "the provider blocked the prompt: SAFETY");
  /* In the middle of an answer; of one that has ended it is no more. */
#define BEGUN(more)                                                         \
  "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}" more \
  "}]}\n\n"
  snprintf(event, sizeof(event), BEGUN("") "data: %s\n\n", blocked);
  assert_failure(streamed, event, INFER_E_CONTENT_FILTER,
                 "the provider blocked the prompt: SAFETY");
  snprintf(event, sizeof(event),
           BEGUN(",\"finishReason\":\"STOP\"") "data: %s\n\n", blocked);
  assert_failure(streamed, event, INFER_OK, "");
  assert_failure(whole, busy, INFER_E_OVERLOADED, "busy");
  snprintf(event, sizeof(event), "[%s]", busy);
  assert_failure(whole, event, INFER_E_OVERLOADED, "busy");
  assert_failure(streamed, event, INFER_E_OVERLOADED, "busy");
  snprintf(event, sizeof(event), "data: %s\n\n", busy);
  assert_failure(streamed, event, INFER_E_OVERLOADED, "busy");
  snprintf(event, sizeof(event), "event: error\ndata: %s\n\n", busy);
  assert_failure(streamed, event, INFER_E_OVERLOADED, "busy");
}

static void
test_what_is_no_answer(void **state)
{
  (void)state;
  assert_failure(whole, "{}", INFER_E_PROTOCOL, "the answer has no candidates");
  assert_failure(whole, "{\"candidates\":[]}", INFER_E_PROTOCOL,
                 "the answer has no candidates");
  assert_failure(whole, "{\"candidates\":[{\"content\":{}}]}",
                 INFER_E_TRUNCATED,
                 "the answer has neither content nor a finish reason");
  assert_failure(whole, "\"x\"", INFER_E_PROTOCOL,
                 "the answer is not a JSON object");
  assert_failure(whole, "{\"candidates\"", INFER_E_TRUNCATED,
                 "the answer ends before its end");
  assert_failure(whole, "<html><title>x</title>", INFER_E_PROTOCOL,
                 "an HTML page came instead of an answer");
  assert_failure(whole, "{]", INFER_E_PROTOCOL, "the answer is not JSON");
}

/* Nothing says that the model has ended: no answer, but one to be asked for
 * again, here or elsewhere; what it cost is known. With a reason and nothing
 * else it is an empty answer. */
static void
test_an_answer_of_nothing_but_usage(void **state)
{
  (void)state;
#define NOTHING(candidates)                                  \
  "{" candidates "\"promptFeedback\":{},\"usageMetadata\":{" \
  "\"promptTokenCount\":7,\"totalTokenCount\":7},\"modelVersion\":\"m\"}"
  static const struct {
    struct gemini_way way;
    const char *text;
    int32_t status;
  } rows[] = {
      {{.stream = false}, NOTHING(""), INFER_E_PROTOCOL},
      {{.stream = false}, NOTHING("\"candidates\":[],"), INFER_E_PROTOCOL},
      {{.stream = true}, EVENT(NOTHING("")), INFER_E_TRUNCATED},
      {{.stream = false},
       NOTHING("\"candidates\":[{\"finishReason\":\"STOP\"}],"),
       INFER_OK},
      {{.stream = true},
       EVENT(NOTHING("\"candidates\":[{\"finishReason\":\"STOP\"}],")),
       INFER_OK},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    inf_answer answer;
    assert_int_equal(gemini_read(rows[i].way, S(rows[i].text), &answer, NULL),
                     rows[i].status);
    assert_int_equal(answer.usage.input, 7);
    assert_false(inf_answer_has_content(&answer));
    inf_answer_fini(&answer);
  }
}

/* None of them is an answer, and none does harm. */
static void
test_wrong_types(void **state)
{
  (void)state;
  static const char *const parts[] = {
      "null",
      "1",
      "{}",
      "{\"text\":1}",
      "{\"functionCall\":null}",
      "{\"functionCall\":{}}",
      "{\"functionCall\":{\"name\":1}}",
      "{\"functionCall\":{\"name\":\"f\",\"args\":[]}}",
      "{\"inlineData\":1}",
      "{\"text\":\"a\",\"thought\":\"yes\"}",
      "{\"text\":\"\",\"thoughtSignature\":1}"};
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    char body[256];
    inf_answer answer;
    snprintf(body, sizeof(body),
             "{\"candidates\":[{\"index\":\"x\",\"content\":{\"parts\":[%s]},"
             "\"finishReason\":\"STOP\"}],\"usageMetadata\":{"
             "\"promptTokenCount\":\"7\",\"totalTokenCount\":-1}}",
             parts[i]);
    gemini_body(body, &answer);
    assert_int_equal(answer.choice_count, 1);
    assert_int_equal(answer.usage.input, 7);
    inf_answer_fini(&answer);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_cut_stream_is_never_a_success),
      cmocka_unit_test(test_a_streamed_array_that_is_cut_is_none_either),
      cmocka_unit_test(test_the_last_usage_stands_as_a_whole),
      cmocka_unit_test(test_audio_is_counted_apart),
      cmocka_unit_test(test_calls_without_ids_are_given_some),
      cmocka_unit_test(test_arguments_in_pieces),
      cmocka_unit_test(test_thoughts_and_signatures),
      cmocka_unit_test(test_other_parts_are_kept),
      cmocka_unit_test(test_members_of_candidates_and_of_the_whole),
      cmocka_unit_test(test_finish_reasons),
      cmocka_unit_test(test_failures_in_a_200),
      cmocka_unit_test(test_what_is_no_answer),
      cmocka_unit_test(test_an_answer_of_nothing_but_usage),
      cmocka_unit_test(test_wrong_types),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
