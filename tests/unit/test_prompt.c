/* SPDX-License-Identifier: MIT */
/* What is counted of a request, and what is not. */
#include "engine/prompt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* JSON with ' for ". */
static inf_estimate_prompt
prompt_of(const char *json)
{
  struct infer_request *request = NULL;
  inf_estimate_prompt prompt;
  char *text = strdup(json);
  for (char *at = text; *at; at++)
    *at = *at == '\'' ? '"' : *at;
  assert_int_equal(infer_request_from_json(&request, text, strlen(text), NULL),
                   INFER_OK);
  inf_prompt_of(&prompt, request);
  infer_request_free(request);
  free(text);
  return prompt;
}

static uint64_t
tokens_of(const char *json)
{
  inf_estimate_prompt prompt = prompt_of(json);
  inf_estimate nothing_known = {0};
  return inf_estimate_input(&nothing_known, &prompt);
}

#define ONE_MESSAGE(content) \
  "{'model':'m','messages':[{'role':'user','content':" content "}]}"

static void
text_counts_wherever_it_stands(void **state)
{
  (void)state;
  inf_estimate_prompt whole = prompt_of(ONE_MESSAGE("'eight words are a fine "
                                                    "thing to count'"));
  inf_estimate_prompt parts =
      prompt_of(ONE_MESSAGE("[{'type':'text','text':'eight words are a fine "
                            "thing to count'}]"));
  assert_int_equal(whole.pieces, parts.pieces);
  assert_true(whole.pieces > 0);
  assert_int_equal(whole.has_tools, 0);
}

static void
every_message_counts(void **state)
{
  (void)state;
  inf_estimate_prompt one = prompt_of(ONE_MESSAGE("'hello there'"));
  inf_estimate_prompt two =
      prompt_of("{'model':'m','messages':[{'role':'user','content':'hello "
                "there'},{'role':'assistant','content':'hello there'}]}");
  assert_int_equal(two.pieces + two.known_tokens * 64,
                   2 * (one.pieces + one.known_tokens * 64));
}

/* An escape is one character. */
static void
escapes_are_what_they_stand_for(void **state)
{
  (void)state;
  inf_estimate_prompt prompt = prompt_of(ONE_MESSAGE("'a\\nb\\u4e2d'"));
  inf_estimate_prompt plain = prompt_of(ONE_MESSAGE("'a'"));
  assert_int_equal(prompt.wide_bytes, 3);
  assert_true(prompt.pieces > plain.pieces);
  assert_true(prompt.pieces < plain.pieces + 4 * 64);
}

/* The bytes of an image are no words. */
static void
images_count_by_the_piece(void **state)
{
  (void)state;
  enum { bytes = 1 << 20 };
  static const char before[] =
      "{'model':'m','messages':[{'role':'user','content':[{'type':"
      "'image_url','image_url':{'url':'data:image/png;base64,";
  const size_t len = sizeof before - 1;
  char *json = malloc(bytes + 300);
  memcpy(json, before, len);
  memset(json + len, 'A', bytes);
  memcpy(json + len + bytes, "'}}]}]}", sizeof "'}}]}]}");
  inf_estimate_prompt prompt = prompt_of(json);
  free(json);
  assert_in_range(prompt.known_tokens, INF_PROMPT_IMAGE_TOKENS,
                  INF_PROMPT_IMAGE_TOKENS + 10);
  assert_true(prompt.pieces < 64 * 64);
}

static void
a_long_text_is_not_read_to_its_end(void **state)
{
  (void)state;
  enum { bytes = 1 << 20 };
  static const char before[] =
      "{'model':'m','messages':[{'role':'user','content':'";
  const size_t len = sizeof before - 1;
  char *json = malloc(bytes + 300);
  memcpy(json, before, len);
  for (size_t i = 0; i < bytes; i++)
    json[len + i] = i % 5 == 4 ? ' ' : 'w';
  memcpy(json + len + bytes, "'}]}", sizeof "'}]}");
  uint64_t tokens = tokens_of(json);
  free(json);
  assert_in_range(tokens, bytes / 6, bytes / 3);
}

static void
tools_count(void **state)
{
  (void)state;
  static const char with[] =
      "{'model':'m','messages':[{'role':'user','content':'x'}],'tools':[{"
      "'type':'function','function':{'name':'weather','description':'Tells the "
      "weather of a town','parameters':{'type':'object'}}}]}";
  inf_estimate_prompt prompt = prompt_of(with);
  assert_int_equal(prompt.has_tools, 1);
  assert_true(tokens_of(with) > tokens_of(ONE_MESSAGE("'x'")) + 20);
  assert_int_equal(prompt_of("{'model':'m','messages':[{'role':'user',"
                             "'content':'x'}],'tools':[]}")
                       .has_tools,
                   0);
}

static uint64_t
max_tokens_of(const char *json)
{
  struct infer_request *request = NULL;
  assert_int_equal(infer_request_from_json(&request, json, strlen(json), NULL),
                   INFER_OK);
  uint64_t most = inf_prompt_max_tokens(request);
  infer_request_free(request);
  return most;
}

static void
the_limit_of_the_answer(void **state)
{
  (void)state;
#define WITH(members)                                                    \
  "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}" \
  "]" members "}"
  assert_int_equal(max_tokens_of(WITH("")), 0);
  assert_int_equal(max_tokens_of(WITH(",\"max_tokens\":12")), 12);
  assert_int_equal(
      max_tokens_of(WITH(",\"max_tokens\":12,\"max_completion_tokens\":7")), 7);
  assert_int_equal(max_tokens_of(WITH(",\"max_tokens\":-3")), 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_counts_wherever_it_stands),
      cmocka_unit_test(every_message_counts),
      cmocka_unit_test(escapes_are_what_they_stand_for),
      cmocka_unit_test(images_count_by_the_piece),
      cmocka_unit_test(a_long_text_is_not_read_to_its_end),
      cmocka_unit_test(tools_count),
      cmocka_unit_test(the_limit_of_the_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
