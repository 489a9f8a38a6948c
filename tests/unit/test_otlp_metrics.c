/* SPDX-License-Identifier: MIT */
#include "telemetry/otlp_metrics.h"

#include "support/fail_alloc.h"
#include "support/golden.h"

#define S  INF_NS_PER_S
#define MS INF_NS_PER_MS

static const inf_otlp_times times = {1700000000000000000, 1700000060000000000};
static const char *
reason_name(int32_t reason)
{
  return reason == INFER_REASON_FIRST ? "first" : "hedge";
}

static void
add(inf_telemetry *telemetry, const char *model, int32_t status)
{
  bool ok = status == INFER_OK;
  const inf_series_name name = {"a", "bedrock", model, model, "r", false};
  const inf_attempt_facts attempt = {
      .name = name,
      .reason = ok ? INFER_REASON_FIRST : INFER_REASON_HEDGE,
      .status = status,
      .won = ok,
      .timed = true,
      .stream = true,
      .first_seen = ok,
      .total_seen = ok,
      .first_ns = 500 * MS,
      .total_ns = 2 * S,
      .waited_ns = 30 * MS,
      .per_token_ns = 20 * MS,
      .input = 100,
      .cached = 40,
      .output = 70,
      .reasoning = 10,
      .cost_nano_usd = 1500000,
      .now_ns = 10 * S,
  };
  const inf_call_facts call = {
      .name = name,
      .tenant = "te\"nant",
      .tenants_max = 2,
      .status = status,
      .timed = true,
      .total_ns = 2 * S,
      .first_ns = ok ? 600 * MS : 0,
      .input = ok ? 100 : -1,
      .output = ok ? 70 : -1,
      .all_input = 100,
      .all_output = 70,
      .cost_nano_usd = 1500000,
      .now_ns = 10 * S,
  };
  inf_telemetry_attempt(telemetry, &attempt);
  inf_telemetry_call(telemetry, &call);
}

/* A request with most series from that one on. */
static const inf_telemetry_series *
write_from(inf_telemetry *telemetry, const inf_telemetry_series *from,
           size_t most, inf_semconv version, inf_buf *out)
{
  const inf_otlp_origin origin = {"shop", "00ff", inf_otlp_names_of(version)};
  inf_otlp_request_open(out, INF_OTLP_METRICS, &origin);
  const inf_telemetry_series *next = inf_otlp_metrics_write(
      telemetry, from, most, origin.names, &times, reason_name, out);
  inf_otlp_request_close(out, &origin);
  return next;
}

static void
check_golden(inf_semconv version, const char *path)
{
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_buf out;
  inf_buf_init(&out, 1 << 20);
  add(telemetry, "m", INFER_OK);
  add(telemetry, "m", INFER_OK);
  add(telemetry, "m", INFER_E_RATE_LIMITED);
  assert_null(
      write_from(telemetry, inf_telemetry_first(telemetry), 32, version, &out));
  assert_golden(path, inf_buf_cstr(&out));
  inf_buf_fini(&out);
  inf_telemetry_free(telemetry);
}

static void
metrics_by_the_published_names(void **state)
{
  (void)state;
  check_golden(INF_SEMCONV_V1_41, "otlp/metrics.json");
}

static void
metrics_by_the_new_names(void **state)
{
  (void)state;
  check_golden(INF_SEMCONV_GENAI_HEAD, "otlp/metrics-genai-head.json");
}

static size_t
occurrences(const char *text, const char *part)
{
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, part)); at++)
    count++;
  return count;
}

/* Some at a time, each once; tenants with the last. */
static void
series_come_in_parts(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  const inf_telemetry_series *next;
  char models[5][8];
  size_t parts = 0, seen[5] = {0};
  for (int i = 0; i < 5; i++) {
    snprintf(models[i], sizeof models[i], "m-%d", i);
    add(telemetry, models[i], INFER_OK);
  }
  next = inf_telemetry_first(telemetry);
  while (next) {
    inf_buf out;
    inf_buf_init(&out, 1 << 20);
    next = write_from(telemetry, next, 2, INF_SEMCONV_V1_41, &out);
    const char *text = inf_buf_cstr(&out);
    assert_int_equal(occurrences(text, "libinfer.tenant.calls"), !next);
    assert_int_equal(occurrences(text, "\"gen_ai.client.operation.duration\""),
                     1);
    for (size_t i = 0; i < 5; i++)
      seen[i] += strstr(text, models[i]) != NULL;
    inf_buf_fini(&out);
    parts++;
  }
  assert_int_equal(parts, 3);
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(seen[i], 1);
  inf_telemetry_free(telemetry);
}

/* Embeddings under the conventions' names: with all else in the published ones,
 * apart from it in the new ones. */
static void
embeddings_have_their_names(void **state)
{
  (void)state;
  static const char *const names[INF_SEMCONVS][2] = {
      [INF_SEMCONV_V1_41] = {"gen_ai.client.operation.duration",
                             "gen_ai.client.token.usage"},
      [INF_SEMCONV_GENAI_HEAD] =
          {"gen_ai.client.embeddings.duration",
           "gen_ai.client.embeddings.operation.input_tokens"},
  };
  for (int version = 0; version < INF_SEMCONVS; version++) {
    inf_telemetry *telemetry = inf_telemetry_new();
    const inf_call_facts call = {
        .name = {"a", "openai", "a/e", "e", "", true},
        .tenant = "",
        .status = INFER_OK,
        .timed = true,
        .total_ns = 2 * S,
        .input = 100,
        .output = -1,
        .cost_nano_usd = 1,
        .now_ns = 10 * S,
    };
    inf_telemetry_call(telemetry, &call);
    inf_buf out;
    inf_buf_init(&out, 1 << 20);
    write_from(telemetry, inf_telemetry_first(telemetry), 9,
               (inf_semconv)version, &out);
    const char *text = inf_buf_cstr(&out);
    for (int i = 0; i < 2; i++)
      assert_non_null(strstr(text, names[version][i]));
    assert_int_equal(occurrences(text, "\"name\":\"gen_ai."), 2);
    assert_int_equal(occurrences(text, "\"gen_ai.operation.name\""), 2);
    assert_non_null(strstr(text, "\"libinfer.operation\""));
    assert_null(strstr(text, "\"chat\""));
    inf_buf_fini(&out);
    inf_telemetry_free(telemetry);
  }
}

/* What has no point is left out: a collector may refuse an empty metric. */
static void
nothing_is_empty(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_buf out;
  inf_buf_init(&out, 1 << 20);
  add(telemetry, "m", INFER_E_CONNECT);
  write_from(telemetry, inf_telemetry_first(telemetry), 32, INF_SEMCONV_V1_41,
             &out);
  assert_null(strstr(inf_buf_cstr(&out), "\"dataPoints\":[]"));
  assert_null(strstr(inf_buf_cstr(&out), "time_to_first_chunk"));
  assert_non_null(strstr(inf_buf_cstr(&out), "\"libinfer.attempts\""));
  inf_buf_fini(&out);
  inf_telemetry_free(telemetry);
}

static inf_telemetry *filled;

static void
write_it(void *arg)
{
  (void)arg;
  inf_buf out;
  inf_buf_init(&out, 1 << 20);
  write_from(filled, inf_telemetry_first(filled), 32, INF_SEMCONV_V1_41, &out);
  assert_true(out.status == INFER_OK || fail_alloc_hits() > 0);
  inf_buf_fini(&out);
}

static void
memory_may_be_short(void **state)
{
  (void)state;
  fail_alloc_install();
  filled = inf_telemetry_new();
  add(filled, "m", INFER_OK);
  assert_true(fail_alloc_sweep(write_it, NULL) > 0);
  inf_telemetry_free(filled);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(metrics_by_the_published_names),
      cmocka_unit_test(metrics_by_the_new_names),
      cmocka_unit_test(series_come_in_parts),
      cmocka_unit_test(embeddings_have_their_names),
      cmocka_unit_test(nothing_is_empty),
      cmocka_unit_test(memory_may_be_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
