/* SPDX-License-Identifier: MIT */
#include "unit/gemini_writing.h"

#include "provider/gemini_write.h"

#define CONFIG "generationConfig"

static void
test_settings(void **state)
{
  (void)state;
  assert_writes(ASK(OLD, ",\"temperature\":0.5,\"top_p\":0.9,\"top_k\":40,"
                         "\"max_tokens\":7,\"n\":2,\"stop\":\"x\",\"seed\":3,"
                         "\"presence_penalty\":1,\"frequency_penalty\":2,"
                         "\"logprobs\":true,\"top_logprobs\":4,"
                         "\"modalities\":[\"text\",\"image\"]"),
                CONFIG,
                "{\"temperature\":0.5,\"topP\":0.9,\"topK\":40,"
                "\"maxOutputTokens\":7,\"candidateCount\":2,"
                "\"stopSequences\":[\"x\"],\"seed\":3,\"presencePenalty\":1,"
                "\"frequencyPenalty\":2,\"responseLogprobs\":true,"
                "\"logprobs\":4,\"responseModalities\":[\"TEXT\",\"IMAGE\"]}");
  assert_writes(ASK(OLD, ",\"modalities\":[\"te\\u00e9xt\",true,\"audio\"]"),
                CONFIG,
                "{\"responseModalities\":[\"te\\u00e9xt\",true,\"AUDIO\"]}");
  assert_writes(ASK(OLD, ",\"stop\":[\"x\",\"y\"],\"temperature\":null"),
                CONFIG, "{\"stopSequences\":[\"x\",\"y\"]}");
  assert_writes(ASK(OLD, ",\"max_tokens\":7,\"max_completion_tokens\":8"),
                CONFIG, "{\"maxOutputTokens\":8}");
  assert_writes(ASK(OLD, ""), CONFIG, "{}");
}

static void
test_the_callers_own_config_counts_more(void **state)
{
  (void)state;
  assert_writes(ASK(OLD, ",\"temperature\":0.5,\"top_k\":1,"
                         "\"reasoning_effort\":\"low\",\"generationConfig\":{"
                         "\"temperature\":0.7,\"thinkingConfig\":{\"x\":1}}"),
                CONFIG,
                "{\"topK\":1,\"temperature\":0.7,"
                "\"thinkingConfig\":{\"x\":1}}");
}

static void
test_form_of_the_answer(void **state)
{
  (void)state;
  assert_writes(ASK(OLD, ",\"response_format\":{\"type\":\"text\"}"), CONFIG,
                "{}");
  assert_writes(ASK(OLD, ",\"response_format\":{\"type\":\"json_object\"}"),
                CONFIG, "{\"responseMimeType\":\"application/json\"}");
  assert_writes(ASK(OLD, ",\"response_format\":{\"type\":\"json_schema\","
                         "\"json_schema\":{\"name\":\"a\",\"strict\":true,"
                         "\"schema\":{\"type\":\"object\"}}}"),
                CONFIG,
                "{\"responseMimeType\":\"application/json\","
                "\"responseJsonSchema\":{\"type\":\"object\"}}");
  assert_writes(ASK(OLD, ",\"response_format\":{\"type\":\"json_schema\","
                         "\"json_schema\":{\"schema\":{\"type\":\"OBJECT\"}}}"),
                CONFIG,
                "{\"responseMimeType\":\"application/json\","
                "\"responseSchema\":{\"type\":\"OBJECT\"}}");
  assert_refuses(ASK(OLD, ",\"response_format\":{\"type\":\"grammar\"}"),
                 "response_format: only text, json_object and json_schema are "
                 "understood");
}

#define EFFORT(word) ",\"reasoning_effort\":\"" word "\""

static void
test_thinking(void **state)
{
  (void)state;
  assert_writes(ASK(OLD, EFFORT("none")), CONFIG,
                "{\"thinkingConfig\":{\"thinkingBudget\":0}}");
  assert_writes(ASK(OLD, EFFORT("minimal")), CONFIG,
                "{\"thinkingConfig\":{\"includeThoughts\":true,"
                "\"thinkingBudget\":1024}}");
  assert_writes(ASK(OLD, EFFORT("medium")), CONFIG,
                "{\"thinkingConfig\":{\"includeThoughts\":true,"
                "\"thinkingBudget\":8192}}");
  assert_writes(ASK(OLD, EFFORT("xhigh")), CONFIG,
                "{\"thinkingConfig\":{\"includeThoughts\":true,"
                "\"thinkingBudget\":24576}}");
  assert_writes(ASK(NEW, EFFORT("low")), CONFIG,
                "{\"thinkingConfig\":{\"includeThoughts\":true,"
                "\"thinkingLevel\":\"low\"}}");
  assert_writes(ASK("gemini-2.0-flash", EFFORT("none")), CONFIG, "{}");
  assert_refuses(ASK("gemini-2.0-flash", EFFORT("low")),
                 "reasoning_effort for \"gemini-2.0-flash\": the model does "
                 "not think");
  assert_refuses(ASK("gemini-2.5-pro", EFFORT("none")),
                 "reasoning_effort \"none\" for \"gemini-2.5-pro\": the model "
                 "cannot go without thinking");
  assert_refuses(ASK(NEW, EFFORT("none")),
                 "reasoning_effort \"none\" for \"" NEW "\": the model cannot "
                 "go without thinking");
  assert_refuses(ASK(NEW, EFFORT("huge")),
                 "reasoning_effort: not a word that is known");
  assert_writes(ASK(OLD, ",\"thinking\":{\"type\":\"enabled\","
                         "\"budget_tokens\":128}"),
                CONFIG,
                "{\"thinkingConfig\":{\"includeThoughts\":true,"
                "\"thinkingBudget\":128}}");
  assert_writes(ASK(OLD, ",\"thinking\":{\"type\":\"disabled\"}"), CONFIG,
                "{\"thinkingConfig\":{\"thinkingBudget\":0}}");
  assert_refuses(ASK(NEW, ",\"thinking\":{\"type\":\"disabled\"}"),
                 "thinking disabled for \"" NEW "\": the model cannot go "
                 "without thinking");
  assert_refuses(ASK(OLD, ",\"thinking\":{}"),
                 "thinking: its type is neither enabled nor disabled");
}

#define FUNCTION(more) \
  "{\"type\":\"function\",\"function\":{\"name\":\"f\"" more "}}"

#define JSON_SCHEMA                         \
  ",\"description\":\"d\",\"strict\":true," \
  "\"parameters\":{\"type\":\"object\"}"
#define OWN_SCHEMA ",\"parameters\":{\"type\":\"OBJECT\"}"
#define TOOLS                                    \
  ",\"tools\":[{\"googleSearch\":{}}," FUNCTION( \
      JSON_SCHEMA) ",{\"codeExecution\":{}}," FUNCTION(OWN_SCHEMA) "]"

static void
test_tools(void **state)
{
  (void)state;
  assert_writes(ASK(OLD, TOOLS), "tools",
                "[{\"googleSearch\":{}},{\"functionDeclarations\":["
                "{\"name\":\"f\",\"description\":\"d\","
                "\"parametersJsonSchema\":{\"type\":\"object\"}},"
                "{\"name\":\"f\",\"parameters\":{\"type\":\"OBJECT\"}}]},"
                "{\"codeExecution\":{}}]");
  assert_writes(ASK(OLD, ",\"tools\":[]"), "tools", NULL);
  assert_refuses(ASK(OLD, ",\"tools\":[{\"type\":\"custom\"}]"),
                 "a tool of type \"custom\": Gemini has functions and tools of "
                 "its own, such as {\"googleSearch\": {}}");
}

#define CHOICE(json) \
  ASK(OLD, ",\"tools\":[" FUNCTION("") "],\"tool_choice\":" json)

static void
test_tool_choice(void **state)
{
  (void)state;
  assert_writes(CHOICE("\"auto\""), "toolConfig",
                "{\"functionCallingConfig\":{\"mode\":\"AUTO\"}}");
  assert_writes(CHOICE("\"none\""), "toolConfig",
                "{\"functionCallingConfig\":{\"mode\":\"NONE\"}}");
  assert_writes(CHOICE("\"required\""), "toolConfig",
                "{\"functionCallingConfig\":{\"mode\":\"ANY\"}}");
  assert_writes(CHOICE(FUNCTION("")), "toolConfig",
                "{\"functionCallingConfig\":{\"mode\":\"ANY\","
                "\"allowedFunctionNames\":[\"f\"]}}");
  assert_writes(CHOICE("{\"type\":\"allowed_tools\",\"allowed_tools\":{"
                       "\"mode\":\"required\",\"tools\":[" FUNCTION("") "]}}"),
                "toolConfig",
                "{\"functionCallingConfig\":{\"mode\":\"ANY\","
                "\"allowedFunctionNames\":[\"f\"]}}");
  assert_writes(CHOICE("\"auto\",\"toolConfig\":{\"x\":1}"), "toolConfig",
                "{\"functionCallingConfig\":{\"mode\":\"AUTO\"},\"x\":1}");
  assert_writes(CHOICE("\"auto\",\"toolConfig\":{\"functionCallingConfig\":1}"),
                "toolConfig", "{\"functionCallingConfig\":1}");
  assert_writes(ASK(OLD, ",\"tool_choice\":\"auto\""), "toolConfig", NULL);
  assert_refuses(CHOICE("{\"type\":\"custom\"}"),
                 "tool_choice: only none, auto, required, a function, and "
                 "allowed_tools that are required");
  assert_refuses(CHOICE("{\"type\":\"allowed_tools\",\"allowed_tools\":{"
                        "\"mode\":\"auto\",\"tools\":[" FUNCTION("") "]}}"),
                 "tool_choice: only none, auto, required, a function, and "
                 "allowed_tools that are required");
}

static void
test_which_models_are_old(void **state)
{
  (void)state;
  assert_true(inf_gemini_is_old(S("gemini-1.5-flash")));
  assert_true(inf_gemini_is_old(S("gemini-2.5-pro")));
  assert_true(inf_gemini_is_old(S("gemini-pro")));
  assert_true(inf_gemini_is_old(S("gemini-pro-vision")));
  assert_false(inf_gemini_is_old(S("gemini-pro-latest")));
  assert_false(inf_gemini_is_old(S("gemini-3.1-pro-preview")));
  assert_false(inf_gemini_is_old(S("gemini-flash-latest")));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_settings),
      cmocka_unit_test(test_the_callers_own_config_counts_more),
      cmocka_unit_test(test_form_of_the_answer),
      cmocka_unit_test(test_thinking),
      cmocka_unit_test(test_tools),
      cmocka_unit_test(test_tool_choice),
      cmocka_unit_test(test_which_models_are_old),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
