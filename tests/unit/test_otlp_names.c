/* SPDX-License-Identifier: MIT */
#include "telemetry/otlp_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* What was published, and what is removed or renamed since. */
static void
versions_have_their_names(void **state)
{
  (void)state;
  const inf_otlp_names *old = inf_otlp_names_of(INF_SEMCONV_V1_41);
  const inf_otlp_names *head = inf_otlp_names_of(INF_SEMCONV_GENAI_HEAD);
  assert_string_equal(old->duration, "gen_ai.client.operation.duration");
  assert_string_equal(old->token_usage, "gen_ai.client.token.usage");
  assert_string_equal(old->schema_url,
                      "https://opentelemetry.io/schemas/1.41.0");
  for (size_t i = 0; i < 2; i++) {
    assert_null(old->operation_tokens[i]);
    assert_null(old->usage_counters[i]);
    assert_non_null(head->operation_tokens[i]);
    assert_non_null(head->usage_counters[i]);
  }
  assert_null(head->token_usage);
  assert_null(head->schema_url); /* nothing is released */
  assert_string_equal(head->duration, "gen_ai.client.inference.duration");
  assert_non_null(strstr(old->cache_write, "cache_creation"));
  assert_non_null(strstr(head->cache_write, "cache_write"));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(versions_have_their_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
