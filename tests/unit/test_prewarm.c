/* SPDX-License-Identifier: MIT */
/* infer_client_prewarm(): who is warmed, its arguments, and the report. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The providers of the report, one letter each. */
static const char *
warmed(fake_client *fake, const char *name)
{
  static char text[16];
  infer_warm_report *report;
  infer_error *error;
  if (infer_client_prewarm(fake->client, name, 1000, &report, &error) !=
      INFER_OK)
    fail_msg("%s", infer_error_message(error));
  size_t count = infer_warm_report_count(report);
  for (size_t i = 0; i < count; i++)
    text[i] = infer_warm_report_provider(report, i)[0];
  text[count] = '\0';
  infer_warm_report_free(report);
  return text;
}

static fake_client *
client_that_warms(void)
{
  fake_client *fake = fake_client_new(NULL);
  fake_script *always = fake_script_always(&fake->net);
  always->kept = true;
  always->protocol = "h2";
  fake_done(always, 5, INF_NET_OK);
  return fake;
}

static void
names_of_all_kinds(void **state)
{
  (void)state;
  fake_client *fake = client_that_warms();
  assert_string_equal(warmed(fake, NULL), "abc");
  assert_string_equal(warmed(fake, "r"), "ab");
  assert_string_equal(warmed(fake, "three"), "abc");
  assert_string_equal(warmed(fake, "c"), "c");
  assert_string_equal(warmed(fake, "b/some/model"), "b");
  assert_int_equal(fake->net.request_count, 3 + 2 + 3 + 1 + 1);
  fake_client_free(fake);
}

static void
expect_refusal(fake_client *fake, const char *name, int32_t status,
               const char *word)
{
  infer_warm_report *report = (infer_warm_report *)1;
  infer_error *error = NULL;
  assert_int_equal(
      infer_client_prewarm(fake->client, name, 1000, &report, &error), status);
  assert_null(report);
  assert_contains(infer_error_message(error), word);
  infer_error_free(error);
}

static void
what_is_refused(void **state)
{
  (void)state;
  infer_warm_report *report;
  fake_client *fake = client_that_warms();
  expect_refusal(fake, "nobody", INFER_E_CONFIG, "nobody");
  expect_refusal(fake, "", INFER_E_CONFIG, "\"\"");
  expect_refusal(fake, "nobody/m", INFER_E_CONFIG, "nobody/m");
  assert_int_equal(infer_client_prewarm(NULL, NULL, 0, &report, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_prewarm(fake->client, NULL, 0, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(fake->net.request_count, 0);
  assert_int_equal(infer_client_close(fake->client, 0), INFER_OK);
  expect_refusal(fake, NULL, INFER_E_CLOSED, "closed");
  fake_client_free(fake);
}

static int32_t status_in_hook;

static void
prewarm_in_hook(fake_client *fake, const infer_call *call,
                const infer_attempt *attempt)
{
  (void)call;
  (void)attempt;
  infer_warm_report *report;
  status_in_hook = infer_client_prewarm(fake->client, "a", 0, &report, NULL);
}

static void
not_from_a_hook(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 0, "ok");
  fake->on_hook = prewarm_in_hook;
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  assert_int_equal(status_in_hook, INFER_E_REENTRANT);
  assert_int_equal(fake->net.request_count, 1);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_report_of_one_that_is_ready(void **state)
{
  (void)state;
  fake_client *fake = client_that_warms();
  infer_warm_report *report;
  assert_int_equal(infer_client_prewarm(fake->client, "a", 1000, &report, NULL),
                   INFER_OK);
  assert_string_equal(infer_warm_report_provider(report, 0), "a");
  assert_int_equal(infer_warm_report_status(report, 0), INFER_OK);
  assert_int_equal(infer_warm_report_reached(report, 0), INFER_WARM_READY);
  assert_int_equal(infer_warm_report_ready(report, 0), 1);
  assert_string_equal(infer_warm_report_protocol(report, 0), "h2");
  assert_string_equal(infer_warm_report_reason(report, 0), "");
  assert_int_equal(infer_warm_report_took_ns(report, 0), 5 * INF_NS_PER_MS);
  fake_client_free(fake); /* the report is the caller's own */
  assert_string_equal(infer_warm_report_provider(report, 0), "a");
  infer_warm_report_free(report);
}

static void
rows_that_are_not_there(void **state)
{
  (void)state;
  fake_client *fake = client_that_warms();
  infer_warm_report *report;
  assert_int_equal(infer_client_prewarm(fake->client, "a", 1000, &report, NULL),
                   INFER_OK);
  const infer_warm_report *reports[] = {report, NULL};
  for (int i = 0; i < 2; i++) {
    assert_string_equal(infer_warm_report_provider(reports[i], 1), "");
    assert_int_equal(infer_warm_report_status(reports[i], 1),
                     INFER_E_INVALID_ARGUMENT);
    assert_int_equal(infer_warm_report_reached(reports[i], 1), 0);
    assert_int_equal(infer_warm_report_ready(reports[i], 1), 0);
    assert_string_equal(infer_warm_report_protocol(reports[i], 1), "");
    assert_string_equal(infer_warm_report_reason(reports[i], 1), "");
    assert_int_equal(infer_warm_report_took_ns(reports[i], 1), -1);
  }
  assert_int_equal(infer_warm_report_count(NULL), 0);
  infer_warm_report_free(report);
  infer_warm_report_free(NULL);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_of_all_kinds),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(not_from_a_hook),
      cmocka_unit_test(the_report_of_one_that_is_ready),
      cmocka_unit_test(rows_that_are_not_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
