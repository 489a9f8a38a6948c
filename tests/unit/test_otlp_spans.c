/* SPDX-License-Identifier: MIT */
#include "telemetry/otlp_spans.h"

#include "support/fail_alloc.h"
#include "support/golden.h"

static const inf_trace trace = {
    .id = {UINT64_C(0x0af7651916cd43dd), UINT64_C(0x8448eb211c80319c)},
    .parent = UINT64_C(0xb7ad6b7169203331),
    .span = 0xca11,
    .flags = INF_TRACE_SAMPLED,
};

static const char *
finish_reason(const void *context, size_t choice)
{
  (void)context;
  return choice == 0 ? "stop" : "length";
}

static const char *
tag(const void *context, size_t index, const char **name)
{
  (void)context;
  *name = index == 0 ? "team" : "odd \"name\"";
  return index == 0 ? "red" : "line\nbreak";
}

static inf_call_span
a_call(void)
{
  return (inf_call_span){
      .base =
          {
              .start_unix_ns = 1700000000000000000,
              .end_unix_ns = 1700000002500000000,
              .provider = "cloud",
              .target = "cloud/m-1",
              .base_url = "https://api.test/v1",
              .tokens = {11, 21, 4, 3, 7},
              .cost = {123456, false},
          },
      .kind = "bedrock",
      .model = "m-1",
      .route = "fast",
      .response_id = INF_SV("r-1"),
      .response_model = INF_SV("m-1-2026"),
      .first_ns = 250000000,
      .stream = true,
      .choices = 2,
      .attempts = 2,
      .wasted_nano_usd = 1000,
      .tenant = "gold",
      .finish_reason = finish_reason,
      .choice_count = 2,
      .tag = tag,
      .tag_count = 2,
  };
}

static inf_attempt_span
an_attempt(void)
{
  inf_attempt_span attempt = {
      .base =
          {
              .start_unix_ns = 1700000000000000000,
              .end_unix_ns = 1700000002500000000,
              .provider = "cloud",
              .target = "cloud/m-1",
              .base_url = "http://[::1]:8000/v1",
              .tokens = {11, 21, -1, -1, -1},
              .cost = {123456, true},
          },
      .span = 0xa77e,
      .reason = "failover",
      .http_status = 200,
      .resend = 1,
      .won = true,
      .reused_connection = true,
      .waited_ns = 30000000,
  };
  for (size_t i = 0; i < INFER_PHASE_COUNT; i++)
    attempt.phase_ns[i] = i == INFER_PHASE_TLS ? -1 : (int64_t)i * 1000000;
  return attempt;
}

static inf_buf out;

static void
begin(inf_semconv version)
{
  const inf_otlp_origin origin = {"shop", "00ff", inf_otlp_names_of(version)};
  inf_buf_init(&out, 1 << 20);
  inf_otlp_request_open(&out, INF_OTLP_TRACES, &origin);
}

static void
end(inf_semconv version, const char *golden)
{
  const inf_otlp_origin origin = {"shop", "00ff", inf_otlp_names_of(version)};
  inf_otlp_request_close(&out, &origin);
  assert_int_equal(out.status, INFER_OK);
  assert_golden(golden, inf_buf_cstr(&out));
  inf_buf_fini(&out);
}

static void
a_call_with_its_attempts(void **state)
{
  (void)state;
  const inf_otlp_names *names = inf_otlp_names_of(INF_SEMCONV_V1_41);
  inf_call_span call = a_call();
  inf_attempt_span first = an_attempt(), second = an_attempt();
  first.base.status = INFER_E_OVERLOADED;
  first.base.cost.nano_usd = -1;
  first.base.tokens = (inf_span_tokens){-1, -1, -1, -1, -1};
  first.span = 0xa77d;
  first.reason = "first";
  first.http_status = 503;
  first.resend = 0;
  first.won = false;
  begin(INF_SEMCONV_V1_41);
  inf_otlp_call_span(&out, &trace, names, &call);
  inf_otlp_attempt_span(&out, &trace, names, &first);
  inf_otlp_attempt_span(&out, &trace, names, &second);
  end(INF_SEMCONV_V1_41, "otlp/traces.json");
}

static void
a_call_that_failed_by_the_new_names(void **state)
{
  (void)state;
  const inf_otlp_names *names = inf_otlp_names_of(INF_SEMCONV_GENAI_HEAD);
  inf_trace root = trace;
  inf_call_span call = {
      .base =
          {
              .start_unix_ns = 1,
              .end_unix_ns = INT64_MAX,
              .provider = "p",
              .target = "p/m\"\xff",
              .base_url = "http://h:8080",
              .status = INFER_E_DEADLINE,
              .tokens = {-1, -1, -1, 5, -1},
              .cost = {-1, false},
          },
      .kind = "openai",
      .model = "m\"\xff",
      .route = "",
      .choices = 1,
      .wasted_nano_usd = -1,
  };
  inf_attempt_span attempt = {
      .base = call.base,
      .span = 1,
      .reason = "hedge",
      .ended_by_us = true,
  };
  attempt.base.status = INFER_E_CANCELLED;
  for (size_t i = 0; i < INFER_PHASE_COUNT; i++)
    attempt.phase_ns[i] = -1;
  root.parent = 0;
  begin(INF_SEMCONV_GENAI_HEAD);
  inf_otlp_call_span(&out, &root, names, &call);
  inf_otlp_attempt_span(&out, &root, names, &attempt);
  end(INF_SEMCONV_GENAI_HEAD, "otlp/traces-genai-head.json");
}

/* Of an address the host and the port. */
static void
servers_are_told(void **state)
{
  (void)state;
  static const struct {
    const char *url, *address, *port;
  } cases[] = {
      {"https://api.test", "api.test", "443"},
      {"http://api.test/v1", "api.test", "80"},
      {"http://h:1/v1:2", "h", "1"},
      {"https://[fe80::1]/v1", "fe80::1", "443"},
      {"https://[fe80::1]:81", "fe80::1", "81"},
      {"http://h:99999999999999999999/", "h", "99999"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char wanted[256];
    inf_attempt_span attempt = an_attempt();
    attempt.base.base_url = cases[i].url;
    inf_buf_init(&out, 1 << 20);
    inf_otlp_attempt_span(&out, &trace, inf_otlp_names_of(INF_SEMCONV_V1_41),
                          &attempt);
    snprintf(wanted, sizeof wanted,
             "{\"key\":\"server.address\",\"value\":{\"stringValue\":\"%s\"}},"
             "{\"key\":\"server.port\",\"value\":{\"intValue\":\"%s\"}}",
             cases[i].address, cases[i].port);
    if (!strstr(inf_buf_cstr(&out), wanted))
      fail_msg("no %s in %s", wanted, inf_buf_cstr(&out));
    inf_buf_fini(&out);
  }
}

static void
write_a_call(void *arg)
{
  (void)arg;
  inf_call_span call = a_call();
  inf_attempt_span attempt = an_attempt();
  const inf_otlp_names *names = inf_otlp_names_of(INF_SEMCONV_V1_41);
  inf_buf_init(&out, 1 << 20);
  inf_otlp_call_span(&out, &trace, names, &call);
  inf_otlp_attempt_span(&out, &trace, names, &attempt);
  assert_true(out.status == INFER_OK || fail_alloc_hits() > 0);
  inf_buf_fini(&out);
}

static void
memory_may_be_short(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(write_a_call, NULL) > 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_call_with_its_attempts),
      cmocka_unit_test(a_call_that_failed_by_the_new_names),
      cmocka_unit_test(servers_are_told),
      cmocka_unit_test(memory_may_be_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
