/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "provider/error_body.h"

static inf_error_body
body(const char *text)
{
  inf_error_body error;
  assert_true(inf_error_body_read(S(text), &error));
  return error;
}

static void
test_the_usual_shape(void **state)
{
  (void)state;
  inf_error_body e =
      body("{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":\"p\","
           "\"code\":\"c\"}}");
  assert_sv(e.message, "\"m\"");
  assert_sv(e.type, "\"t\"");
  assert_sv(e.param, "\"p\"");
  assert_sv(e.code, "\"c\"");
  assert_int_equal(e.body_status, 0);
}

static void
test_numbers_as_codes(void **state)
{
  (void)state;
  inf_error_body e = body("{\"error\":{\"message\":\"m\",\"code\":502}}");
  assert_sv(e.code, "502");
  assert_int_equal(e.body_status, 502);
  /* Text, and numbers of another range, are no status. */
  assert_int_equal(body("{\"error\":{\"code\":\"404\"}}").body_status, 0);
  assert_int_equal(body("{\"message\":\"m\",\"code\":40301}").body_status, 0);
  e = body("{\"error\":{\"message\":\"m\",\"code\":\"x\",\"status\":422}}");
  assert_int_equal(e.body_status, 422);
  assert_sv(e.type, "");
}

static void
test_other_shapes(void **state)
{
  (void)state;
  inf_error_body e = body("{\"type\":\"error\",\"error\":{\"type\":\"t\","
                          "\"message\":\"m\"},\"request_id\":\"r\"}");
  assert_sv(e.type, "\"t\"");
  assert_sv(e.request_id, "\"r\"");
  e = body("{\"error\":\"text\",\"error_type\":\"generation\"}");
  assert_sv(e.message, "\"text\"");
  assert_sv(e.type, "\"generation\"");
  e = body("{\"code\":\"a sentence\",\"error\":\"text\"}");
  assert_sv(e.code, "\"a sentence\"");
  e = body("{\"object\":\"error\",\"message\":\"m\",\"type\":\"t\","
           "\"param\":null,\"code\":\"1300\",\"raw_status_code\":429}");
  assert_sv(e.message, "\"m\"");
  assert_sv(e.code, "\"1300\"");
  assert_int_equal(e.body_status, 429);
  assert_sv(body("{\"Message\":\"m\"}").message, "\"m\"");
  assert_sv(body("{\"detail\":\"d\"}").message, "\"d\"");
  assert_sv(body("{\"detail\":[{\"msg\":\"a\"}]}").list, "[{\"msg\":\"a\"}]");
  assert_sv(body("[{\"error\":{\"message\":\"m\"}}]").message, "\"m\"");
  assert_sv(body("\"just text\"").message, "\"just text\"");
}

static void
test_clarifai(void **state)
{
  (void)state;
  inf_error_body e = body("{\"status\":{\"code\":11005,\"description\":\"d\","
                          "\"details\":\"more\",\"req_id\":\"r\"}}");
  assert_true(e.clarifai);
  assert_sv(e.code, "11005");
  assert_sv(e.message, "\"d\"");
  assert_sv(e.message_more, "\"more\"");
  assert_sv(e.request_id, "\"r\"");
  assert_int_equal(e.body_status, 0);
  assert_false(inf_error_body_read(S("{\"status\":{\"code\":10000}}"), &e));
  assert_false(
      inf_error_body_read(S("{\"status\":{\"code\":\"SUCCESS\"}}"), &e));
}

static void
test_minimax(void **state)
{
  (void)state;
  inf_error_body e =
      body("{\"base_resp\":{\"status_code\":1004,\"status_msg\":\"m\"}}");
  assert_true(e.minimax);
  assert_sv(e.code, "1004");
  assert_sv(e.message, "\"m\"");
  assert_int_equal(e.body_status, 0);
  assert_false(inf_error_body_read(
      S("{\"base_resp\":{\"status_code\":0,\"status_msg\":\"\"}}"), &e));
}

static void
test_cloudflare(void **state)
{
  (void)state;
  inf_error_body e = body("{\"result\":null,\"success\":false,\"errors\":[{"
                          "\"code\":10000,\"message\":\"m\"},{}]}");
  assert_sv(e.code, "10000");
  assert_sv(e.message, "\"m\"");
  assert_int_equal(e.body_status, 0);
  assert_false(inf_error_body_read(S("{\"success\":true,\"errors\":[]}"), &e));
  assert_false(
      inf_error_body_read(S("{\"success\":false,\"errors\":null}"), &e));
}

static void
test_details(void **state)
{
  (void)state;
  inf_error_body e =
      body("{\"error\":{\"code\":429,\"message\":\"m\",\"status\":\"RESOURCE\","
           "\"details\":[{\"@type\":\"x\",\"reason\":\"R\"},"
           "{\"@type\":\"RetryInfo\",\"retryDelay\":\"34.4s\"}]}}");
  assert_sv(e.retry_delay, "\"34.4s\"");
  assert_sv(e.detail_code, "\"R\"");
  assert_sv(e.type, "\"RESOURCE\"");
  e = body("{\"error\":{\"details\":{\"error_code\":\"spend\"}}}");
  assert_sv(e.detail_code, "\"spend\"");
  e = body("{\"error\":{\"code\":\"content_filter\",\"innererror\":{"
           "\"code\":\"Policy\"}}}");
  assert_sv(e.detail_code, "\"Policy\"");
  e = body("{\"error\":{\"message\":\"m\",\"metadata\":{\"raw\":\"up\","
           "\"headers\":{\"X-RateLimit-Reset\":\"17\"}}}}");
  assert_sv(e.raw, "\"up\"");
  assert_sv(e.reset, "\"17\"");
}

static void
test_what_is_no_json(void **state)
{
  (void)state;
  assert_sv(body(" upstream failed \n").text, "upstream failed");
  assert_sv(body("<!DOCTYPE html>\n<html><head><TITLE>\napi | 520: Error"
                 "</title>")
                .text,
            "api | 520: Error");
  assert_sv(body("<html><body>x").text, "an HTML page");
  assert_sv(body("{\"error\":{\"message\":\"cut").text,
            "{\"error\":{\"message\":\"cut");
  inf_error_body e;
  assert_false(inf_error_body_read(S(""), &e));
  assert_false(inf_error_body_read(S(" \r\n"), &e));
  assert_true(inf_error_body_is_html(S("  <HTML>")));
  assert_false(inf_error_body_is_html(S("{\"a\":\"<html>\"}")));
}

static void
test_what_reports_no_error(void **state)
{
  (void)state;
  static const char *const values[] = {
      "{}",
      "[]",
      "7",
      "{\"error\":null}",
      "{\"error\":false}",
      "{\"error\":\"\"}",
      "{\"error\":{}}",
      "{\"id\":\"x\",\"choices\":[]}",
      "{\"type\":\"ping\"}",
      "{\"message\":{\"content\":\"x\"}}",
      "{\"detail\":7}",
      "{\"status\":\"ok\"}",
  };
  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
    inf_error_body e;
    if (inf_error_body_of(S(values[i]), &e))
      fail_msg("taken for an error: %s", values[i]);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_usual_shape),
      cmocka_unit_test(test_numbers_as_codes),
      cmocka_unit_test(test_other_shapes),
      cmocka_unit_test(test_clarifai),
      cmocka_unit_test(test_minimax),
      cmocka_unit_test(test_cloudflare),
      cmocka_unit_test(test_details),
      cmocka_unit_test(test_what_is_no_json),
      cmocka_unit_test(test_what_reports_no_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
