/* SPDX-License-Identifier: MIT */
/* What a plug-in says of failures and quotas. */
#include "provider/plugin_reply.h"
#include "unit/plugin_support.h"

static int32_t (*classify_hook)(const infer_provider_reply *reply,
                                infer_provider_failure *failure);
static int32_t (*limits_hook)(const infer_provider_reply *reply,
                              infer_provider_limits *limits);

static int32_t
classify(void *user_data, const infer_provider_reply *reply,
         infer_provider_failure *failure)
{
  (void)user_data;
  return classify_hook(reply, failure);
}

static int32_t
read_limits(void *user_data, const infer_provider_reply *reply,
            infer_provider_limits *limits)
{
  (void)user_data;
  return limits_hook(reply, limits);
}

static inf_plugin *
make(void)
{
  infer_provider_descriptor descriptor = noisy_descriptor(INFER_FRAMING_CUSTOM);
  descriptor.classify = classify;
  descriptor.read_limits = read_limits;
  return plugin_made(&descriptor);
}

/* ---- Failures ------------------------------------------------------------ */

static int32_t
look(const infer_provider_reply *reply, infer_provider_failure *failure)
{
  size_t len;
  const char *text = infer_provider_reply_header(reply, "X-WHY", &len);
  assert_sv(inf_sv_of(text, len), "because");
  assert_null(infer_provider_reply_header(reply, "x-not", &len));
  assert_int_equal(infer_provider_reply_status(reply), 418);
  text = infer_provider_reply_body(reply, &len);
  assert_sv(inf_sv_of(text, len), "{\"error\":{\"message\":\"teapot\"}}");
  assert_int_equal(infer_provider_failure_class(failure), INFER_E_BAD_REQUEST);
  infer_provider_failure_set_class(failure, INFER_E_OVERLOADED);
  infer_provider_failure_set_hint_ms(failure, 70);
  infer_provider_failure_set_code(failure, "pot", 3);
  return INFER_OK;
}

static int32_t
say_nothing(const infer_provider_reply *reply, infer_provider_failure *failure)
{
  (void)reply;
  (void)failure;
  return INFER_OK;
}

static int32_t
say_too_much(const infer_provider_reply *reply, infer_provider_failure *failure)
{
  (void)reply;
  infer_provider_failure_set_message(failure, "a\xff", 2);
  infer_provider_failure_set_hint_ms(failure, INT64_MAX);
  infer_provider_failure_set_hint_ms(failure, -7);
  infer_provider_failure_set_class(failure, INFER_E_CANCELLED);
  infer_provider_failure_set_class(failure, INFER_OK);
  return INFER_OK;
}

static int32_t
give_up(const infer_provider_reply *reply, infer_provider_failure *failure)
{
  (void)reply;
  (void)failure;
  return 5;
}

/* The decoder of a refusal; the caller ends it. */
static void
read_refusal(reading *r, const inf_plugin *plugin, int32_t expected)
{
  inf_decoder_options options = default_options(true);
  options.kind = &plugin->kind;
  reading_init(r, options);
  reading_header(r, "x-why: because");
  assert_int_equal(
      reading_run(r, 418, S("{\"error\":{\"message\":\"teapot\"}}"), 0),
      expected);
}

static void
a_failure_is_refined(void **state)
{
  (void)state;
  reading r;
  inf_plugin *plugin = make();
  const inf_failure *failure = &r.decoder.failure;
  classify_hook = look;
  read_refusal(&r, plugin, INFER_E_OVERLOADED);
  assert_buf(&failure->message, "teapot");
  assert_buf(&failure->code, "pot");
  assert_int_equal(failure->hint_ns, 70000000);
  assert_int_equal(failure->http_status, 418);
  reading_fini(&r);
  classify_hook = say_nothing;
  read_refusal(&r, plugin, INFER_E_BAD_REQUEST);
  assert_buf(&failure->message, "teapot");
  reading_fini(&r);
  inf_plugin_unref(plugin);
}

static void
nonsense_leaves_the_class(void **state)
{
  (void)state;
  reading r;
  inf_plugin *plugin = make();
  const inf_failure *failure = &r.decoder.failure;
  classify_hook = say_too_much;
  read_refusal(&r, plugin, INFER_E_BAD_REQUEST);
  assert_non_null(strstr(inf_buf_cstr(&failure->message), "\"noisy\""));
  assert_int_equal(failure->hint_ns, -1);
  reading_fini(&r);
  classify_hook = give_up;
  read_refusal(&r, plugin, INFER_E_BAD_REQUEST);
  assert_non_null(strstr(inf_buf_cstr(&failure->message), "\"noisy\""));
  reading_fini(&r);
  inf_plugin_unref(plugin);
}

/* ---- Quotas -------------------------------------------------------------- */

static int32_t
tell(const infer_provider_reply *reply, infer_provider_limits *limits)
{
  size_t len;
  assert_int_equal(infer_provider_reply_status(reply), 200);
  assert_string_equal(infer_provider_reply_body(reply, &len), "");
  infer_provider_limits_add(limits, INFER_QUOTA_REQUESTS, 60000, 60, 7, 1500);
  infer_provider_limits_add(limits, INFER_QUOTA_REQUESTS, 60000, 61, 8, -1);
  infer_provider_limits_add(limits, INFER_QUOTA_OUTPUT_TOKENS, 0, -1, 5, -1);
  infer_provider_limits_add(limits, INFER_QUOTA_TOKENS, 1000, 5, 6, -1);
  infer_provider_limits_add(limits, INFER_QUOTA_INPUT_TOKENS, 0, 0, -3, -1);
  infer_provider_limits_add(limits, 4, 60000, 60, 7, -1);
  infer_provider_limits_add(limits, -1, 60000, 60, 7, -1);
  return INFER_OK;
}

static int32_t
tell_many(const infer_provider_reply *reply, infer_provider_limits *limits)
{
  (void)reply;
  for (int64_t i = 1; i < 100; i++)
    infer_provider_limits_add(limits, INFER_QUOTA_TOKENS, i, 60, 7, INT64_MAX);
  return INFER_OK;
}

static int32_t
tell_and_fail(const infer_provider_reply *reply, infer_provider_limits *limits)
{
  tell(reply, limits);
  return INFER_E_PROTOCOL;
}

static void
quotas_are_taken_where_they_make_sense(void **state)
{
  (void)state;
  inf_rate_sights sights;
  inf_headers headers;
  inf_plugin *plugin = make();
  inf_headers_init(&headers, 64);
  limits_hook = tell;
  inf_plugin_read_limits(&plugin->kind, 200, &headers, &sights);
  assert_int_equal(sights.count, 2);
  assert_int_equal(sights.items[0].kind, INF_RATE_REQUESTS);
  assert_int_equal(sights.items[0].limit, 60);
  assert_int_equal(sights.items[0].remaining, 7);
  assert_int_equal(sights.items[0].period_ns, 60000000000);
  assert_int_equal(sights.items[0].reset_ns, 1500000000);
  assert_false(sights.items[0].coarse);
  assert_int_equal(sights.items[1].kind, INF_RATE_OUTPUT);
  assert_int_equal(sights.items[1].limit, INF_RATE_UNKNOWN);
  assert_int_equal(sights.items[1].remaining, 5);
  limits_hook = tell_many;
  inf_plugin_read_limits(&plugin->kind, 200, &headers, &sights);
  assert_int_equal(sights.count, INF_RATE_MAX_SIGHTS);
  assert_true(sights.items[0].reset_ns > 0);
  limits_hook = tell_and_fail;
  inf_plugin_read_limits(&plugin->kind, 200, &headers, &sights);
  assert_int_equal(sights.count, 0);
  inf_headers_fini(&headers);
  inf_plugin_unref(plugin);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_failure_is_refined),
      cmocka_unit_test(nonsense_leaves_the_class),
      cmocka_unit_test(quotas_are_taken_where_they_make_sense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
