/* SPDX-License-Identifier: MIT */
#include "telemetry/prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define S  INF_NS_PER_S
#define MS INF_NS_PER_MS

static const char *
reason_name(int32_t reason)
{
  return reason == INFER_REASON_FIRST ? "first" : "hedge";
}

static inf_buf out;

static const char *
written(inf_telemetry *telemetry)
{
  inf_buf_fini(&out);
  inf_buf_init(&out, 1 << 24);
  inf_prometheus_write(telemetry, reason_name, &out);
  assert_int_equal(out.status, INFER_OK);
  return inf_buf_cstr(&out);
}

static void
assert_has(inf_telemetry *telemetry, const char *line)
{
  char whole[512];
  snprintf(whole, sizeof whole, "%s\n", line);
  const char *text = written(telemetry);
  const char *at = strstr(text, whole);
  if (!at || (at > text && at[-1] != '\n'))
    fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void
add_attempt(inf_telemetry *telemetry, const char *route, int32_t reason,
            int32_t status)
{
  bool ok = status == INFER_OK;
  const inf_attempt_facts facts = {
      .name = {"a", "bedrock", "a/m", "m", route},
      .reason = reason,
      .status = status,
      .won = ok,
      .timed = true,
      .stream = true,
      .first_seen = ok,
      .total_seen = ok,
      .first_ns = 500 * MS,
      .total_ns = 2 * S,
      .waited_ns = 30 * MS,
      .per_token_ns = ok ? 20 * MS : 0,
      .input = 100,
      .cached = 60,
      .output = 40,
      .reasoning = 10,
      .cost_nano_usd = 1234567890,
      .now_ns = 1000 * S,
  };
  inf_telemetry_attempt(telemetry, &facts);
}

static void
add_call(inf_telemetry *telemetry, const char *route, const char *tenant,
         int32_t status)
{
  const inf_call_facts facts = {
      .name = {"a", "bedrock", "a/m", "m", route},
      .tenant = tenant,
      .tenants_max = 5,
      .status = status,
      .timed = true,
      .unsent = status == INFER_E_LIMIT,
      .total_ns = 3 * S,
      .first_ns = status == INFER_OK ? 600 * MS : 0,
      .input = status == INFER_OK ? 100 : -1,
      .output = status == INFER_OK ? 40 : -1,
      .all_input = 200,
      .all_output = 50,
      .cost_nano_usd = 5,
      .now_ns = 1000 * S,
  };
  inf_telemetry_call(telemetry, &facts);
}

#define GENAI                                                            \
  "gen_ai_operation_name=\"chat\",gen_ai_provider_name=\"aws.bedrock\"," \
  "gen_ai_request_model=\"m\",libinfer_provider=\"a\",libinfer_route=\"r\""
#define OWN "provider=\"a\",model=\"m\",route=\"r\""

static void
calls_have_the_conventions_names(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  add_call(telemetry, "r", "", INFER_OK);
  add_call(telemetry, "r", "", INFER_E_LIMIT);
  assert_has(telemetry,
             "# TYPE gen_ai_client_operation_duration_seconds histogram");
  assert_has(telemetry, "gen_ai_client_operation_duration_seconds_bucket{" GENAI
                        ",le=\"5.12\"} 1");
  assert_has(telemetry, "gen_ai_client_operation_duration_seconds_bucket{" GENAI
                        ",le=\"2.56\"} 0");
  assert_has(telemetry, "gen_ai_client_operation_duration_seconds_sum{" GENAI
                        "} 3.000000000");
  assert_has(telemetry, "gen_ai_client_operation_duration_seconds_count{" GENAI
                        ",error_type=\"limit\"} 1");
  assert_has(telemetry,
             "gen_ai_client_operation_time_to_first_chunk_seconds_sum{" GENAI
             "} 0.600000000");
  assert_has(telemetry, "gen_ai_client_token_usage_bucket{" GENAI
                        ",gen_ai_token_type=\"input\",le=\"256\"} 1");
  assert_has(telemetry, "gen_ai_client_token_usage_sum{" GENAI
                        ",gen_ai_token_type=\"output\"} 40");
  assert_has(telemetry, "libinfer_calls_total{" OWN "} 1");
  assert_has(telemetry, "libinfer_calls_total{" OWN ",error_type=\"limit\"} 1");
  assert_has(telemetry, "libinfer_limiter_refusals_total{" OWN "} 1");
  inf_telemetry_free(telemetry);
}

static void
attempts_have_ours(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  add_attempt(telemetry, "r", INFER_REASON_FIRST, INFER_OK);
  add_attempt(telemetry, "r", INFER_REASON_FIRST, INFER_OK);
  add_attempt(telemetry, "r", INFER_REASON_HEDGE, INFER_E_CANCELLED);
  assert_has(telemetry, "libinfer_attempts_total{" OWN ",reason=\"first\"} 2");
  assert_has(telemetry, "libinfer_attempts_total{" OWN
                        ",reason=\"hedge\",error_type=\"cancelled\"} 1");
  assert_has(telemetry, "libinfer_tokens_total{" OWN ",type=\"input\"} 300");
  assert_has(telemetry,
             "libinfer_tokens_total{" OWN ",type=\"cached_input\"} 180");
  assert_has(telemetry,
             "libinfer_cost_usd_total{" OWN ",use=\"delivered\"} 2.469135780");
  assert_has(telemetry,
             "libinfer_cost_usd_total{" OWN ",use=\"wasted\"} 1.234567890");
  assert_has(telemetry, "libinfer_unpriced_attempts_total{" OWN "} 0");
  assert_has(telemetry,
             "libinfer_attempt_time_to_first_token_seconds_count{" OWN "} 2");
  assert_has(telemetry,
             "libinfer_attempt_time_per_output_token_seconds_bucket{" OWN
             ",le=\"0.025\"} 2");
  assert_has(telemetry, "libinfer_limiter_wait_seconds_count{" OWN "} 3");
  inf_telemetry_free(telemetry);
}

/* A request that names its target has no route, and no tenant no metrics. */
static void
what_is_not_there_is_left_out(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  add_call(telemetry, "", "", INFER_OK);
  assert_has(telemetry, "libinfer_calls_total{provider=\"a\",model=\"m\"} 1");
  assert_null(strstr(written(telemetry), "tenant"));
  assert_null(strstr(written(telemetry), "wait_seconds_count"));
  add_call(telemetry, "", "g\"old\n", INFER_E_SERVER);
  assert_has(telemetry,
             "libinfer_tenant_calls_total{tenant=\"g\\\"old\\n\"} 1");
  assert_has(telemetry,
             "libinfer_tenant_failed_calls_total{tenant=\"g\\\"old\\n\"} 1");
  assert_has(telemetry,
             "libinfer_tenant_cost_usd_total{tenant=\"g\\\"old\\n\"} "
             "0.000000005");
  inf_telemetry_free(telemetry);
}

/* All samples of a family stand together, and no family comes twice. */
static void
families_are_whole(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  add_attempt(telemetry, "r", INFER_REASON_FIRST, INFER_OK);
  add_attempt(telemetry, "s", INFER_REASON_FIRST, INFER_OK);
  add_call(telemetry, "s", "", INFER_OK);
  const char *text = written(telemetry);
  char family[128] = "";
  size_t samples = 0;
  for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
    if (strncmp(line, "# HELP ", 7) == 0) {
      char again[160];
      sscanf(line + 7, "%127s", family);
      snprintf(again, sizeof again, "# HELP %s ", family);
      assert_null(strstr(line + 1, again));
    } else if (line[0] != '#') {
      assert_int_equal(strncmp(line, family, strlen(family)), 0);
      samples++;
    }
  }
  assert_true(samples > 100);
  inf_telemetry_free(telemetry);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_have_the_conventions_names),
      cmocka_unit_test(attempts_have_ours),
      cmocka_unit_test(what_is_not_there_is_left_out),
      cmocka_unit_test(families_are_whole),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  inf_buf_fini(&out);
  return failed;
}
