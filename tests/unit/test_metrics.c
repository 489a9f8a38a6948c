/* SPDX-License-Identifier: MIT */
/* infer_client_metrics(): what is not of the aggregates, and the door. */
#include "engine/metrics.h"

#include "support/fail_alloc.h"
#include "support/golden.h"
#include "support/race_world.h"

#include "engine/record.h"
#include "telemetry/otlp_metrics.h"

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
budgets_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "budgets", "[{'name':'n','per':'tenant','period':'day','tokens':1000}]",
      NULL);
  infer_request *request = fake_request_new("one");
  infer_request_set_tenant(request, "t");
  fake_stream_all(fake_script_for(&fake->net, "http://a.test"), 5, "ok");
  infer_request_set_int(request, "max_tokens", 2);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 100);
  infer_call_free(call);
#define ACCOUNT "{budget=\"n\",per=\"tenant\",key=\"t\",period=\"day\"} "
  assert_has(fake, "libinfer_budget_spent_tokens" ACCOUNT "5");
  assert_has(fake, "libinfer_budget_limit_tokens" ACCOUNT "1000");
  assert_has(fake, "libinfer_budget_spent_usd" ACCOUNT "0.000000000");
  assert_has(fake, "libinfer_budget_refused_total" ACCOUNT "0");
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

/* ---- The same for a collector -------------------------------------------- */

/* All of it as OTLP. */
static void
write_otlp(fake_client *fake, inf_buf *out)
{
  const inf_otlp_times times = {1, 2};
  const inf_otlp_names *names = inf_otlp_names_of(INF_SEMCONV_V1_41);
  inf_telemetry *telemetry = runtime_of(fake)->telemetry;
  inf_buf_init(out, 1 << 20);
  inf_buf_append_char(out, '['); /* whose members the metrics are */
  inf_otlp_metrics_write(telemetry, inf_telemetry_first(telemetry), 99, names,
                         &times, inf_reason_name, out);
  inf_metrics_write_otlp(&fake->client->engine, fake->client->config, &times,
                         out);
  inf_buf_append_char(out, ']');
  assert_int_equal(out->status, INFER_OK);
}

typedef struct otlp_metric {
  char prometheus[128]; /* its name there, by OpenTelemetry's rules */
  const char *type;
  size_t points;
} otlp_metric;

static bool
begins(const char *text, const char *with)
{
  return strncmp(text, with, strlen(with)) == 0;
}

/* "libinfer.hedge.delay", unit "s": libinfer_hedge_delay_seconds. Gives where
 * the next metric begins. */
static const char *
read_metric(const char *text, otlp_metric *metric)
{
  static const char *const units[][2] = {{"s\"", "_seconds"},
                                         {"By\"", "_bytes"},
                                         {"{USD}\"", "_usd"},
                                         {"1\"", "_ratio"}};
  const char *name = text + strlen("{\"name\":\"");
  const char *unit = strstr(text, "\"unit\":\"") + strlen("\"unit\":\"");
  const char *kind = strchr(unit, ',') + 2;
  const char *suffix = "";
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (begins(unit, units[i][0]))
      suffix = units[i][1];
  bool counts = begins(kind, "sum\"");
  snprintf(metric->prometheus, sizeof metric->prometheus, "%.*s%s%s",
           (int)strcspn(name, "\""), name, suffix, counts ? "_total" : "");
  for (char *at = metric->prometheus; *at; at++)
    *at = *at == '.' ? '_' : *at;
  metric->type = counts                    ? "counter"
                 : begins(kind, "gauge\"") ? "gauge"
                                           : "histogram";
  const char *next = strstr(kind, "{\"name\":\"");
  metric->points = 0;
  for (const char *at = kind; (at = strstr(at, "\"timeUnixNano\"")); at++)
    metric->points += !next || at < next;
  return next;
}

/* Its lines in the text; -1: there is no such metric of that type. */
static int64_t
samples_of(const char *text, const otlp_metric *metric)
{
  char line[256];
  int64_t count = 0;
  snprintf(line, sizeof line, "# TYPE %s %s\n", metric->prometheus,
           metric->type);
  const char *at = strstr(text, line);
  if (!at)
    return -1;
  bool buckets = strcmp(metric->type, "histogram") == 0;
  snprintf(line, sizeof line, "%s%s", metric->prometheus,
           buckets ? "_count" : "");
  for (at += strlen("# TYPE ");
       (at = strchr(at, '\n')) && at[1] && at[1] != '#'; at++)
    count += begins(at + 1, line);
  return count;
}

static size_t
families_with_samples(const char *text)
{
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, "# TYPE ")); at++) {
    const char *line = strchr(at, '\n') + 1;
    count += *line != '\0' && *line != '#';
  }
  return count;
}

/* A client that has something of everything. */
static fake_client *
busy_client(void)
{
  fake_client *fake = hedging_client(
      "providers.a.labels", "['eu']", "providers.a.limits",
      "{'requests_per_minute':10}", "routes.r.require_labels", "['eu']",
      "metrics_tenants", "2", "telemetry.otlp.endpoint", "'http://otel.test'",
      "budgets",
      "[{'name':'n','usd':1,'tokens':100000,'without_price':'allow'}]", NULL);
  talks(fake, A, 40, "ok");
  infer_request *request = fake_request_new("r");
  assert_int_equal(infer_request_set_tenant(request, "t\"\\\xc3\xa4"),
                   INFER_OK);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 100);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  return fake;
}

/* How many bytes something takes depends on the machine. */
static void
mask(char *text, const char *metric)
{
  static const char value[] = "\"asInt\":\"";
  char *at = strstr(text, metric);
  assert_non_null(at);
  at = strstr(at, value);
  for (at += strlen(value); *at != '"'; at++)
    *at = '1';
}

/* What is of no series, as a whole request: read into the protocol's own
 * messages by tests/otlp/check.py. */
static void
the_state_for_a_collector(void **state)
{
  (void)state;
  const inf_otlp_origin origin = {"shop", "00ff",
                                  inf_otlp_names_of(INF_SEMCONV_V1_41)};
  const inf_otlp_times times = {1700000000000000000, 1700000060000000000};
  fake_client *fake = busy_client();
  inf_buf out;
  inf_buf_init(&out, 1 << 20);
  inf_otlp_request_open(&out, INF_OTLP_METRICS, &origin);
  inf_metrics_write_otlp(&fake->client->engine, fake->client->config, &times,
                         &out);
  inf_otlp_request_close(&out, &origin);
  mask(out.ptr, "\"libinfer.telemetry.memory\"");
  mask(out.ptr, "\"libinfer.collector.queue\"");
  assert_golden("otlp/state.json", inf_buf_cstr(&out));
  inf_buf_fini(&out);
  fake_client_free(fake);
}

/* Each metric that one format has the other has too, under the name that
 * OpenTelemetry's rules make of it, with as many samples. */
static void
both_formats_tell_the_same(void **state)
{
  (void)state;
  fake_client *fake = busy_client();
  inf_buf otlp;
  char *text = metrics_of(fake);
  write_otlp(fake, &otlp);
  size_t metrics = 0;
  assert_true(otlp.len > 0);
  const char *at = otlp.ptr + 1;
  while (at) {
    otlp_metric metric;
    at = read_metric(at, &metric);
    if (samples_of(text, &metric) != (int64_t)metric.points)
      fail_msg("%s: %zu points of a collector, %lld samples in:\n%s",
               metric.prometheus, metric.points,
               (long long)samples_of(text, &metric), text);
    metrics++;
  }
  assert_int_equal(metrics, families_with_samples(text));
  assert_contains(text, "libinfer_budget_reserved_tokens{");
  assert_contains(text, "libinfer_label_refusals_total{");
  assert_contains(text, "libinfer_tenant_calls_total{");
  assert_contains(text, "\nlibinfer_collector_spans_sent_total 0\n");
  assert_contains(inf_buf_cstr(&otlp),
                  "\"libinfer.limit.headroom\",\"description\":\"The least "
                  "free share of all limits of a key.\",\"unit\":\"1\","
                  "\"gauge\":{\"dataPoints\":[{\"attributes\":["
                  "{\"key\":\"libinfer.provider\",\"value\":{"
                  "\"stringValue\":\"a\"}}");
  infer_text_free(text);
  inf_buf_fini(&otlp);
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
      cmocka_unit_test(budgets_are_told),
      cmocka_unit_test(calls_in_flight_are_told),
      cmocka_unit_test(refusals_are_told),
      cmocka_unit_test(the_state_for_a_collector),
      cmocka_unit_test(both_formats_tell_the_same),
      cmocka_unit_test(arguments_are_checked),
      cmocka_unit_test(without_memory_there_is_no_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
