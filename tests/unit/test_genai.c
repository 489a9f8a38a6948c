/* SPDX-License-Identifier: MIT */
#include "telemetry/genai.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
names_are_the_conventions(void **state)
{
  (void)state;
  assert_string_equal(inf_genai_provider("bedrock"), "aws.bedrock");
  assert_string_equal(inf_genai_provider("vertex"), "gcp.vertex_ai");
  assert_string_equal(inf_genai_provider("openai-responses"), "openai");
  assert_string_equal(inf_genai_provider("xai"), "x_ai");
  assert_string_equal(inf_genai_provider("mistral"), "mistral_ai");
}

static void
others_keep_their_own(void **state)
{
  (void)state;
  assert_string_equal(inf_genai_provider("openai"), "openai");
  assert_string_equal(inf_genai_provider("groq"), "groq");
  assert_string_equal(inf_genai_provider("clarifai"), "clarifai");
  assert_string_equal(inf_genai_provider(""), "");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_are_the_conventions),
      cmocka_unit_test(others_keep_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
