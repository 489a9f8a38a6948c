/* SPDX-License-Identifier: MIT */
/* Log lines: which are let through, how long they get, what they cannot
 * contain. */
#include "base/log.h"

#include "infer/infer.h"
#include "support/fail_alloc.h"

#include <string.h>

typedef struct seen {
  int count;
  int32_t level;
  char line[4096];
} seen;

static void
record(int32_t level, const char *message, void *user_data)
{
  seen *log = user_data;
  log->count++;
  log->level = level;
  assert_true(strlen(message) < sizeof log->line);
  memcpy(log->line, message, strlen(message) + 1);
}

static void
test_levels(void **state)
{
  (void)state;
  for (int32_t limit = 0; limit <= INFER_LOG_TRACE; limit++) {
    for (int32_t level = 1; level <= INFER_LOG_TRACE; level++) {
      seen log = {0};
      inf_log to = {limit, record, &log};
      inf_logf(&to, level, "line");
      assert_int_equal(log.count, level <= limit);
      assert_int_equal(inf_log_enabled(&to, level), level <= limit);
      assert_int_equal(log.level, level <= limit ? level : 0);
    }
  }
}

static void
test_nowhere_to_log(void **state)
{
  (void)state;
  inf_log without_hook = {INFER_LOG_TRACE, NULL, NULL};
  assert_false(inf_log_enabled(NULL, INFER_LOG_ERROR));
  assert_false(inf_log_enabled(&without_hook, INFER_LOG_ERROR));
  inf_logf(NULL, INFER_LOG_ERROR, "line");
  inf_logf(&without_hook, INFER_LOG_ERROR, "line");
}

static void
test_format(void **state)
{
  (void)state;
  seen log = {0};
  inf_log to = {INFER_LOG_INFO, record, &log};
  inf_logf(&to, INFER_LOG_WARN, "provider \"%s\": %d", "openai", 429);
  assert_string_equal(log.line, "provider \"openai\": 429");
  inf_logf(&to, INFER_LOG_WARN, "%s", "");
  assert_string_equal(log.line, "");
  assert_int_equal(log.count, 2);
}

static void
test_no_second_line_can_be_forged(void **state)
{
  (void)state;
  seen log = {0};
  inf_log to = {INFER_LOG_INFO, record, &log};
  inf_logf(&to, INFER_LOG_INFO, "server: %s", "x\r\nERROR\x1b[2J\x7f");
  assert_string_equal(log.line, "server: x  ERROR [2J ");
  inf_logf(&to, INFER_LOG_INFO, "%s", "x\xe2\x80\xa8y\xff");
  assert_string_equal(log.line, "x y?");
}

/* 1 KiB, and never a part of a character at the end. */
static void
test_cut(void **state)
{
  (void)state;
  seen log = {0};
  inf_log to = {INFER_LOG_INFO, record, &log};
  char text[3001];
  memset(text, 'x', sizeof text);
  static const int lens[] = {1023, 1024, 1025, 3000};
  for (int i = 0; i < 4; i++) {
    inf_logf(&to, INFER_LOG_INFO, "%.*s", lens[i], text);
    assert_int_equal(strlen(log.line), lens[i] < 1024 ? lens[i] : 1024);
  }
  for (size_t before = 1020; before <= 1024; before++) {
    memset(text, 'x', before);
    memcpy(text + before, "\xf0\x9f\x98\x80...", 8);
    inf_logf(&to, INFER_LOG_INFO, "%s", text);
    assert_int_equal(strlen(log.line), before == 1020 ? 1024 : before);
  }
}

static void
test_needs_no_memory(void **state)
{
  (void)state;
  fail_alloc_install();
  fail_alloc_from(1);
  seen log = {0};
  inf_log to = {INFER_LOG_INFO, record, &log};
  inf_logf(&to, INFER_LOG_ERROR, "memory is short: %d", 1);
  assert_string_equal(log.line, "memory is short: 1");
  assert_int_equal(fail_alloc_count(), 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_levels),
      cmocka_unit_test(test_nowhere_to_log),
      cmocka_unit_test(test_format),
      cmocka_unit_test(test_no_second_line_can_be_forged),
      cmocka_unit_test(test_cut),
      cmocka_unit_test(test_needs_no_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
