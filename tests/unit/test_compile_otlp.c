/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/compile_otlp.h"
#include "support/fail_alloc.h"
#include "telemetry/otlp_names.h"

#define LINES                                              \
  "User-Agent: libinfer/" INFER_VERSION "\0Content-Type: " \
  "application/json"

/* A document with these members of telemetry.otlp. */
static const char *
document(const char *members)
{
  static char text[4096];
  snprintf(text, sizeof text,
           "{'providers':[" HOUSE "],'telemetry':{'otlp':{%s}}}", members);
  return text;
}

#define with(members)            compiled(document(members))
#define refuse(members, message) refused(document(members), message)

static int
clear(void **state)
{
  unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
  unsetenv("OTEL_EXPORTER_OTLP_HEADERS");
  unsetenv("OTEL_SEMCONV_STABILITY_OPT_IN");
  return clear_environment(state);
}

static void
assert_headers(const inf_config *config, const char *wanted, size_t len)
{
  const inf_buf *headers = &config->client.otlp.headers;
  assert_int_equal(headers->len, len);
  assert_memory_equal(headers->ptr, wanted, len);
}

static void
without_a_word_there_is_no_collector(void **state)
{
  (void)state;
  setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:4318", 1);
  inf_config *config = with("");
  assert_null(config->client.otlp.endpoint);
  assert_int_equal(config->client.otlp.interval_ms, 10000);
  assert_int_equal(config->client.otlp.max_queue_bytes, 4 << 20);
  inf_config_unref(config);
}

static void
takes_a_collector(void **state)
{
  (void)state;
  setenv("INFER_TEST_KEY", "Bearer t", 1);
  setenv("https_proxy", "http://proxy:1", 1);
  inf_config *config =
      with("'endpoint':'https://c.test/otel//','headers':{'Authorization':"
           "'env:INFER_TEST_KEY','X-A':'1'}");
  const inf_otlp_options *otlp = &config->client.otlp;
  static const char lines[] = "Authorization: Bearer t\0X-A: 1\0" LINES;
  assert_string_equal(otlp->endpoint, "https://c.test/otel");
  assert_headers(config, lines, sizeof lines);
  assert_true(otlp->network.tls_verify);
  assert_string_equal(otlp->network.proxy, "http://proxy:1");
  inf_config_unref(config);
  unsetenv("INFER_TEST_KEY");
  unsetenv("https_proxy");
}

static void
refuses_what_is_no_collector(void **state)
{
  (void)state;
  refuse("'endpoint':'localhost:4318'",
         "telemetry.otlp.endpoint: must begin with https:// or http://");
  refuse("'endpoint':'http://a:b@c'",
         "telemetry.otlp.endpoint: must name no user (use api_key or headers)");
  refuse("'endpoint':''", "telemetry.otlp.endpoint: is empty");
  refuse("'endpoint':'http://c','headers':{'Host':'x'}",
         "telemetry.otlp.headers.Host: is set by the library and cannot be "
         "given");
  refuse("'endpoint':'http://c','semconv':'v1.36'",
         "telemetry.otlp.semconv: expected \"environment\" or \"v1.41\" or "
         "\"genai-head\", got \"v1.36\"");
}

static void
takes_the_environment_where_asked(void **state)
{
  (void)state;
  setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://env:4318/", 1);
  setenv("OTEL_EXPORTER_OTLP_HEADERS",
         "api-key=a%2Cb%20c, x-a=from env,,User-Agent=me,odd=%zz%4", 1);
  setenv("OTEL_SERVICE_NAME", "shop", 1);
  inf_config *config =
      with("'from_environment':true,'headers':{'X-A':'given'}");
  static const char lines[] =
      "X-A: given\0api-key: a,b c\0User-Agent: me\0odd: %zz%4\0"
      "Content-Type: application/json";
  assert_string_equal(config->client.otlp.endpoint, "http://env:4318");
  assert_string_equal(config->client.otlp.service_name, "shop");
  assert_headers(config, lines, sizeof lines);
  inf_config_unref(config);
  config = with("'from_environment':true,'endpoint':'http://given',"
                "'service_name':'mine'");
  assert_string_equal(config->client.otlp.endpoint, "http://given");
  assert_string_equal(config->client.otlp.service_name, "mine");
  inf_config_unref(config);
  static const char *const wrong[] = {"a", "=b", "a=b%0ac", "a b=c", "a=%00"};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
    setenv("OTEL_EXPORTER_OTLP_HEADERS", wrong[i], 1);
    refuse("'from_environment':true",
           "environment variable OTEL_EXPORTER_OTLP_HEADERS: expected "
           "name=value,name=value");
  }
}

static int32_t
semconv(const char *members, const char *variable)
{
  if (variable)
    setenv("OTEL_SEMCONV_STABILITY_OPT_IN", variable, 1);
  else
    unsetenv("OTEL_SEMCONV_STABILITY_OPT_IN");
  inf_config *config = with(members);
  int32_t version = config->client.otlp.semconv;
  inf_config_unref(config);
  return version;
}

static void
the_environment_may_opt_in_to_new_names(void **state)
{
  (void)state;
  static const char in[] = "http/dup, gen_ai_latest_experimental";
  assert_int_equal(semconv("", NULL), INF_SEMCONV_V1_41);
  assert_int_equal(semconv("", "http"), INF_SEMCONV_V1_41);
  assert_int_equal(semconv("", "gen_ai_latest_experimental_not"),
                   INF_SEMCONV_V1_41);
  assert_int_equal(semconv("", in), INF_SEMCONV_GENAI_HEAD);
  assert_int_equal(semconv("'semconv':'v1.41'", in), INF_SEMCONV_V1_41);
  assert_int_equal(semconv("'semconv':'genai-head'", NULL),
                   INF_SEMCONV_GENAI_HEAD);
}

static void
headers_of_the_collector_are_not_shown(void **state)
{
  (void)state;
  infer_config *source;
  char *json =
      quoted(document("'endpoint':'http://u:pw@c','headers':{"
                      "'Authorization':'MARK','X-A':'1'},'junk':'MARK'"));
  assert_int_equal(
      infer_config_from_json(&source, json, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  char *text;
  assert_int_equal(infer_config_json(source, &text, NULL), INFER_OK);
  assert_null(strstr(text, "MARK"));
  assert_null(strstr(text, "pw"));
  assert_non_null(strstr(text, "\"X-A\":\"1\""));
  assert_non_null(strstr(text, "@c"));
  infer_text_free(text);
  infer_config_free(source);
  free(json);
}

static void
compile_it(void *arg)
{
  (void)arg;
  inf_config *config = NULL;
  infer_error *error = NULL;
  int32_t status = compile_text(
      document("'from_environment':true,'headers':{'X':'y'}"), &config, &error);
  if (status == INFER_OK)
    assert_string_equal(config->client.otlp.endpoint, "http://env:4318");
  else
    assert_int_equal(status, INFER_E_NO_MEMORY);
  inf_config_unref(config);
  infer_error_free(error);
  assert_true(status == INFER_OK || fail_alloc_hits() > 0);
}

static void
memory_may_be_short(void **state)
{
  (void)state;
  setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://env:4318/", 1);
  setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=b,c=d", 1);
  fail_alloc_install();
  assert_true(fail_alloc_sweep(compile_it, NULL) > 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(without_a_word_there_is_no_collector, clear),
      cmocka_unit_test_setup(takes_a_collector, clear),
      cmocka_unit_test_setup(refuses_what_is_no_collector, clear),
      cmocka_unit_test_setup(takes_the_environment_where_asked, clear),
      cmocka_unit_test_setup(the_environment_may_opt_in_to_new_names, clear),
      cmocka_unit_test_setup(headers_of_the_collector_are_not_shown, clear),
      cmocka_unit_test_setup(memory_may_be_short, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
