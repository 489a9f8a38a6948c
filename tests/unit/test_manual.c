/* SPDX-License-Identifier: MIT */
#include "config_util.h"

static char *
manual(size_t *len)
{
  char *text = NULL;
  assert_int_equal(infer_options_manual(&text, len), INFER_OK);
  assert_int_equal(*len, strlen(text));
  return text;
}

static void
tells_every_option(void **state)
{
  (void)state;
  size_t len;
  char *text = manual(&len);
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *o = inf_option_at(i);
    char row[128], end[400];
    snprintf(row, sizeof row, "\n| `%s` | ", o->name);
    snprintf(end, sizeof end, " | %s |\n", o->text);
    assert_non_null(strstr(text, row));
    assert_non_null(strstr(text, end));
  }
  infer_text_free(text);
}

static void
tells_ranges_and_defaults(void **state)
{
  (void)state;
  static const char *const rows[] = {
      "| `max_response_bytes` | 1 KiB to 1 GiB | 64 MiB |",
      "| `max_event_bytes` | 256 B to 64 MiB | 1 MiB |",
      "| `stay.max_wait_ms` | 0 to 120000 ms | 1000 |",
      "| `hedge.budget` | 0 to 0.5 | 0, no hedges; 0.05 where hedge stands |",
      "| `hedge.percentile` | 50 to 99.9 | 95 |",
      "| `hedge.min_delay_ms` | 0 to 600000 ms | 10 |",
      "| `race_on` | `\"content\"` or `\"answer\"` | `\"content\"` |",
      "| `tls_verify` | true or false | true |",
      "| `recovery` | `\"error\"` or `\"restart\"` or `\"continue\"` | "
      "`\"error\"` |",
      "| `targets` | array | required |",
  };
  size_t len;
  char *text = manual(&len);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (!strstr(text, rows[i]))
      fail_msg("no line %s", rows[i]);
  infer_text_free(text);
}

/* docs/options.md is what the function gives; `infer config options` writes
 * it anew. */
static void
the_page_is_up_to_date(void **state)
{
  (void)state;
  size_t len;
  char *text = manual(&len), *page = malloc(len + 2);
  assert_non_null(page);
  FILE *file = fopen(INFER_SOURCE_DIR "/docs/options.md", "rb");
  assert_non_null(file);
  size_t read = fread(page, 1, len + 1, file);
  fclose(file);
  assert_int_equal(read, len);
  assert_memory_equal(page, text, len);
  free(page);
  infer_text_free(text);
}

static void
checks_its_argument(void **state)
{
  (void)state;
  char *text;
  assert_int_equal(infer_options_manual(NULL, NULL), INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_options_manual(&text, NULL), INFER_OK);
  infer_text_free(text);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tells_every_option),
      cmocka_unit_test(tells_ranges_and_defaults),
      cmocka_unit_test(the_page_is_up_to_date),
      cmocka_unit_test(checks_its_argument),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
