/* SPDX-License-Identifier: MIT */
#include "provider/document.h"
#include "unit/writer_support.h"

typedef struct fixture {
  inf_decoder decoder;
  inf_answer answer;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  inf_decoder_options options = default_options(false);
  options.max_depth = 4;
  inf_answer_init(&f->answer, 1 << 16);
  inf_decoder_init(&f->decoder, &options, &f->answer);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_decoder_fini(&f->decoder);
  inf_answer_fini(&f->answer);
  test_free(f);
  return 0;
}

static void
test_values_of_an_object(void **state)
{
  fixture *f = *state;
  inf_sv object;
  static const char text[] =
      "{\"a\":\"x\",\"b\":\"\\u00e9\\n\",\"c\":7,"
      "\"d\":{\"e\":3,\"f\":-1,\"g\":1.5},\"h\":\"\\\"\"}";
  inf_json_index index;
  assert_int_equal(inf_document_begin(&f->decoder, S(text), &object, &index),
                   INFER_OK);
  assert_ptr_equal(index.text, text);
  assert_non_null(inf_json_index_find(&index, object));
  inf_sv b = inf_document_member(&f->decoder, object, "b");
  inf_sv h = inf_document_member(&f->decoder, object, "h");
  assert_sv(inf_document_member(&f->decoder, object, "a"), "x");
  assert_sv(b, "\xc3\xa9\n"); /* stays where it is */
  assert_sv(h, "\"");
  assert_sv(inf_document_member(&f->decoder, object, "c"), "");
  assert_sv(inf_document_member(&f->decoder, object, "none"), "");
  assert_int_equal(inf_document_figure(object, "c"), 7);
  assert_int_equal(inf_document_figure(object, "d.e"), 3);
  assert_int_equal(inf_document_figure(object, "d.f"), -1);
  assert_int_equal(inf_document_figure(object, "d.g"), -1);
  assert_int_equal(inf_document_figure(object, "d.none"), -1);
  assert_int_equal(inf_document_figure(object, "a"), -1);
}

static void
test_bytes_that_are_no_utf8_become_so(void **state)
{
  fixture *f = *state;
  inf_sv object;
  assert_int_equal(
      inf_document_begin(&f->decoder, S("{\"a\":\"x\xff\"}"), &object, NULL),
      INFER_OK);
  assert_sv(inf_document_member(&f->decoder, object, "a"), "x\xef\xbf\xbd");
}

static void
test_an_event_that_is_none_is_no_failure(void **state)
{
  fixture *f = *state;
  inf_sv object;
  static const char *const texts[] = {"", "[]", "7", "{\"a\":", "{} x"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    assert_int_equal(
        inf_document_begin(&f->decoder, S(texts[i]), &object, NULL),
        INFER_E_PROTOCOL);
    assert_false(f->decoder.failed);
  }
  assert_int_equal(
      inf_document_begin(&f->decoder, S("{\"a\":[[[[1]]]]}"), &object, NULL),
      INFER_E_TOO_DEEP);
  assert_true(f->decoder.failed);
}

static void
test_a_body_that_is_none_is_one(void **state)
{
  fixture *f = *state;
  static const struct {
    const char *text, *message;
    int32_t status;
  } cases[] = {
      {"", "the answer is not JSON", INFER_E_PROTOCOL},
      {"nonsense", "the answer is not JSON", INFER_E_PROTOCOL},
      {"[1]", "the answer is not a JSON object", INFER_E_PROTOCOL},
      {"{\"a\":[1,", "the answer ends before its end", INFER_E_TRUNCATED},
      {"<html></html>", "an HTML page came instead of an answer",
       INFER_E_PROTOCOL},
      {"{\"a\":[[[[1]]]]}", "the answer is nested too deeply",
       INFER_E_TOO_DEEP},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    inf_sv object;
    assert_int_equal(
        inf_document_body(&f->decoder, S(cases[i].text), &object, NULL),
        cases[i].status);
    assert_buf(&f->decoder.failure.message, cases[i].message);
    assert_true(f->decoder.failed);
  }
  inf_sv object;
  assert_int_equal(
      inf_document_body(&f->decoder, S(" \n{\"a\":1}\n"), &object, NULL),
      INFER_OK);
  assert_int_equal(inf_document_figure(object, "a"), 1);
}

static void
test_failures(void **state)
{
  fixture *f = *state;
  f->decoder.http_status = 200;
  assert_int_equal(
      inf_document_fail(&f->decoder, S("{\"error\":\"too many requests\"}")),
      INFER_E_RATE_LIMITED);
  assert_buf(&f->decoder.failure.message, "too many requests");
  assert_int_equal(inf_document_fail(&f->decoder, S("{}")), INFER_E_SERVER);
  assert_buf(&f->decoder.failure.message,
             "the provider ended the answer with an error");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_values_of_an_object),
      TEST(test_bytes_that_are_no_utf8_become_so),
      TEST(test_an_event_that_is_none_is_no_failure),
      TEST(test_a_body_that_is_none_is_one),
      TEST(test_failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
