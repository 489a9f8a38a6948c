/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/place.h"

static void
names_members_and_elements(void **state)
{
  (void)state;
  char text[INF_PLACE_TEXT_MAX];
  inf_place providers = inf_place_member(NULL, INF_SV("providers"));
  inf_place second = inf_place_element(&providers, 1);
  inf_place key = inf_place_member(&second, INF_SV("api_key"));
  assert_string_equal(inf_place_text(&key, text), "providers[1].api_key");
  assert_string_equal(inf_place_text(NULL, text), "");
}

static void
quotes_what_is_no_plain_word(void **state)
{
  (void)state;
  char text[INF_PLACE_TEXT_MAX];
  inf_place routes = inf_place_member(NULL, INF_SV("routes"));
  inf_place dotted = inf_place_member(&routes, INF_SV("my.route"));
  inf_place member = inf_place_member(&dotted, INF_SV(""));
  assert_string_equal(inf_place_text(&member, text),
                      "routes.\"my.route\".\"\"");
}

static void
cuts_a_long_path(void **state)
{
  (void)state;
  char text[INF_PLACE_TEXT_MAX], name[1000];
  memset(name, 'a', sizeof name);
  inf_place up = inf_place_member(NULL, inf_sv_of(name, sizeof name));
  inf_place place = inf_place_member(&up, INF_SV("b"));
  inf_place_text(&place, text);
  assert_int_equal(strlen(text), INF_PLACE_TEXT_MAX - 1);
}

static void
errors_begin_with_the_path(void **state)
{
  (void)state;
  infer_error *error = NULL;
  inf_place place = inf_place_member(NULL, INF_SV("threads"));
  assert_int_equal(inf_place_error(&place, &error, "no %s", "good"),
                   INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error), "threads: no good");
  infer_error_free(error);
  error = NULL;
  assert_int_equal(
      inf_place_error_status(NULL, INFER_E_IO, &error, "bare %d", 7),
      INFER_E_IO);
  assert_string_equal(infer_error_message(error), "bare 7");
  infer_error_free(error);
  assert_int_equal(inf_place_error(&place, NULL, "nobody listens"),
                   INFER_E_CONFIG);
}

static void
out_of_memory_is_an_error_too(void **state)
{
  (void)state;
  infer_error *error = NULL;
  assert_int_equal(inf_place_no_memory(&error), INFER_E_NO_MEMORY);
  assert_int_equal(infer_error_status(error), INFER_E_NO_MEMORY);
  infer_error_free(error);
  assert_int_equal(inf_place_no_memory(NULL), INFER_E_NO_MEMORY);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_members_and_elements),
      cmocka_unit_test(quotes_what_is_no_plain_word),
      cmocka_unit_test(cuts_a_long_path),
      cmocka_unit_test(errors_begin_with_the_path),
      cmocka_unit_test(out_of_memory_is_an_error_too),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
