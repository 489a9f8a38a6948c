/* SPDX-License-Identifier: MIT */
/* infer_client_metrics(): what is not of the aggregates, and the door. */
#include "engine/metrics.h"

#include "support/fail_alloc.h"
#include "support/race_world.h"

static char *
metrics_of(fake_client *fake)
{
  char *text = NULL;
  size_t len = 0;
  assert_int_equal(infer_client_metrics(fake->client, &text, &len), INFER_OK);
  assert_int_equal(len, strlen(text));
  return text;
}

static void
assert_has(fake_client *fake, const char *line)
{
  char whole[512];
  snprintf(whole, sizeof whole, "\n%s\n", line);
  char *text = metrics_of(fake);
  if (!strstr(text, whole))
    fail_msg("no line \"%s\" in:\n%s", line, text);
  infer_text_free(text);
}

static void
breakers_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  is_well(fake, B);
  assert_int_equal(call_once(fake, "b/m"), INFER_OK);
  open_breaker(fake, "a/m", A);
  assert_has(fake, "libinfer_breaker_state{target=\"a/m\",state=\"open\"} 1");
  assert_has(fake, "libinfer_breaker_state{target=\"a/m\",state=\"closed\"} 0");
  assert_has(fake, "libinfer_breaker_state{target=\"b/m\",state=\"closed\"} 1");
  assert_has(fake, "libinfer_breaker_opened_total{target=\"a/m\"} 1");
  assert_has(fake, "libinfer_breaker_opened_total{target=\"b/m\"} 0");
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_has(fake, "libinfer_breaker_denied_total{target=\"a/m\"} 1");
  fake_client_free(fake);
}

static void
hedges_are_told(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  talks(fake, B, 40, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 100);
  assert_has(fake, "libinfer_hedges_sent_total{route=\"r\"} 1");
  assert_has(fake, "libinfer_hedges_won_total{route=\"r\"} 1");
  assert_has(fake, "libinfer_hedges_lost_total{route=\"r\"} 0");
  assert_has(fake, "libinfer_hedges_sent_total{route=\"three\"} 0");
  assert_has(fake, "libinfer_hedges_suppressed_total{route=\"r\","
                   "cause=\"budget\"} 0");
  assert_has(fake, "libinfer_hedge_rescues_total{route=\"r\"} 0");
  assert_has(fake, "libinfer_attempts_total{provider=\"b\",model=\"m\","
                   "route=\"r\",reason=\"hedge\"} 1");
  end(fake, call);
}

static void
limits_are_told(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.b.limits", "{'requests_per_minute':10}", NULL);
  is_well(fake, B);
  assert_int_equal(call_once(fake, "b/m"), INFER_OK);
#define LABELS "provider=\"b\",model=\"m\",key=\"0\""
#define LIMIT \
  LABELS ",unit=\"requests\",period=\"60s\",source=\"configuration\""
  assert_has(fake, "libinfer_limit_units{" LIMIT "} 10");
  assert_has(fake, "libinfer_limit_free_units{" LIMIT "} 9");
  assert_has(fake, "libinfer_limit_headroom_ratio{" LABELS "} 0.9");
  /* The key goes; what was used of its limit stays, and its name does not. */
  infer_config *config =
      fake_config_new(NULL, "providers.b.api_key", "'another'", NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  assert_has(fake, "libinfer_limit_headroom_ratio{provider=\"b\",model=\"m\","
                   "key=\"gone-0\"} 0.9");
  fake_client_free(fake);
}

static void
calls_in_flight_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  assert_has(fake, "libinfer_calls_in_flight 0");
  assert_has(fake, "libinfer_telemetry_dropped_total 0");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  assert_has(fake, "libinfer_calls_in_flight 1");
  infer_call_cancel(call);
  fake_run_ms(fake, 10);
  assert_has(fake, "libinfer_calls_in_flight 0");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
refusals_are_told(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.a.labels", "['eu']", "routes.r.require_labels",
                      "['eu']", NULL);
  is_well(fake, A);
  for (int i = 0; i < 3; i++)
    assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_has(fake, "libinfer_label_refusals_total{target=\"b/m\",label=\"eu\"} "
                   "3");
  fake_client_free(fake);
}

static void
arguments_are_checked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  char *text = NULL;
  assert_int_equal(infer_client_metrics(NULL, &text, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_metrics(fake->client, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_metrics(fake->client, &text, NULL), INFER_OK);
  infer_text_free(text);
  fake_client_free(fake);
}

static void
without_memory_there_is_no_text(void **state)
{
  (void)state;
  fail_alloc_install();
  fake_client *fake = fake_client_new(NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  size_t failed = 0;
  for (size_t n = 1;; n++) {
    char *text = (char *)"";
    fail_alloc_nth(n);
    int32_t status = infer_client_metrics(fake->client, &text, NULL);
    bool hit = fail_alloc_hits() > 0;
    fail_alloc_never();
    if (!hit) {
      assert_int_equal(status, INFER_OK);
      infer_text_free(text);
      break;
    }
    failed++;
    assert_int_equal(status, INFER_E_NO_MEMORY);
    assert_null(text);
  }
  assert_true(failed > 0);
  fake_client_free(fake);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(breakers_are_told),
      cmocka_unit_test(hedges_are_told),
      cmocka_unit_test(limits_are_told),
      cmocka_unit_test(calls_in_flight_are_told),
      cmocka_unit_test(refusals_are_told),
      cmocka_unit_test(arguments_are_checked),
      cmocka_unit_test(without_memory_there_is_no_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
