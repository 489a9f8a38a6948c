/* SPDX-License-Identifier: MIT */
#include "unit/gemini_writing.h"

#include "provider/gemini_write.h"

static int32_t
put(const char *url, const char *type, inf_buf *out, inf_buf *why)
{
  const inf_gemini_request request = {NULL, out, why};
  return inf_gemini_put_url(&request, S(url), S(type));
}

static void
assert_part(const char *url, const char *type, const char *expected)
{
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  assert_int_equal(put(url, type, &out, NULL), INFER_OK);
  assert_buf(&out, expected);
  inf_buf_fini(&out);
}

static void
test_data(void **state)
{
  (void)state;
  assert_part(
      "data:image/png;base64,QQ==", "",
      "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QQ==\"}}");
  assert_part("data:text/plain;charset=utf-8;base64,QQ==", "",
              "{\"inlineData\":{\"mimeType\":\"text/plain\",\"data\":\"QQ==\"}}"
              "");
}

static void
test_addresses(void **state)
{
  (void)state;
  assert_part("https://h/a.JPG?x=.png#y", "",
              "{\"fileData\":{\"mimeType\":\"image/jpeg\",\"fileUri\":"
              "\"https://h/a.JPG?x=.png#y\"}}");
  assert_part("gs://b/a.pdf", "text/csv",
              "{\"fileData\":{\"mimeType\":\"text/csv\",\"fileUri\":"
              "\"gs://b/a.pdf\"}}");
  assert_part("http://h/a", "", "{\"fileData\":{\"fileUri\":\"http://h/a\"}}");
}

static void
test_what_is_neither(void **state)
{
  (void)state;
  static const char *const urls[] = {"",
                                     "x",
                                     "file:///a.png",
                                     "data:",
                                     "data:image/png,abc",
                                     "data:;base64,QQ==",
                                     "data:image/png;base64"};
  for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
    inf_buf out, why;
    inf_buf_init(&out, SIZE_MAX);
    inf_buf_init(&why, SIZE_MAX);
    assert_int_equal(put(urls[i], "", &out, &why), INFER_E_UNSUPPORTED);
    assert_buf(&why, "a URL: neither data with a type and base64 nor http, "
                     "https or gs");
    assert_int_equal(out.len, 0);
    inf_buf_fini(&out);
    inf_buf_fini(&why);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_data),
      cmocka_unit_test(test_addresses),
      cmocka_unit_test(test_what_is_neither),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
