/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/suggest.h"

static const char *
nearest(const char *word, const char *a, const char *b)
{
  static char text[INF_SUGGEST_TEXT_MAX];
  inf_suggestion suggestion;
  inf_suggest_init(&suggestion, inf_sv_from(word));
  inf_suggest_offer(&suggestion, inf_sv_from(a));
  inf_suggest_offer(&suggestion, inf_sv_from(b));
  return inf_suggest_text(&suggestion, text);
}

static void
finds_the_nearest(void **state)
{
  (void)state;
  assert_string_equal(nearest("retrys", "retries", "timeouts"),
                      " (did you mean \"retries\"?)");
  assert_string_equal(nearest("api_kye", "body", "api_key"),
                      " (did you mean \"api_key\"?)");
  assert_string_equal(nearest("base_ur", "base_uri", "base_url"),
                      " (did you mean \"base_uri\"?)");
}

static void
an_exchange_of_neighbours_counts_once(void **state)
{
  (void)state;
  /* Of four letters one may differ. */
  assert_string_equal(nearest("nmae", "name", ""), " (did you mean \"name\"?)");
  assert_string_equal(nearest("nmea", "name", ""), "");
}

static void
says_nothing_when_nothing_is_near(void **state)
{
  (void)state;
  assert_string_equal(nearest("hedge", "headers", "stay"), "");
  assert_string_equal(nearest("x", "y", "z"), "");
  assert_string_equal(nearest("", "a", ""), "");
  assert_string_equal(nearest("completely", "different", "words"), "");
}

static void
bears_long_words(void **state)
{
  (void)state;
  char word[500];
  memset(word, 'a', sizeof word - 1);
  word[sizeof word - 1] = '\0';
  assert_string_equal(nearest(word, word, "a"), "");
  assert_string_equal(nearest("aaaaaaaa", word, "a"), "");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_the_nearest),
      cmocka_unit_test(an_exchange_of_neighbours_counts_once),
      cmocka_unit_test(says_nothing_when_nothing_is_near),
      cmocka_unit_test(bears_long_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
