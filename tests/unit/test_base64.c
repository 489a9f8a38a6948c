/* SPDX-License-Identifier: MIT */
/* Base64 against the vectors of RFC 4648, section 10, against OpenSSL, and
 * back; floats bit by bit. */
#include "support/fail_alloc.h"

#include "base/rng.h"
#include "wire/base64.h"

#include <infer/infer.h>
#include <math.h>
#include <openssl/evp.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct pair {
  const char *bytes, *text;
} pair;

static const pair vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void
test_vectors_of_the_standard(void **state)
{
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 64);
  for (size_t i = 0; i < COUNT(vectors); i++) {
    inf_buf_clear(&out);
    assert_true(inf_base64_put(&out, inf_sv_from(vectors[i].bytes)));
    assert_string_equal(inf_buf_cstr(&out), vectors[i].text);
    inf_buf_clear(&out);
    assert_int_equal(inf_base64_get(inf_sv_from(vectors[i].text), &out),
                     INFER_OK);
    assert_string_equal(inf_buf_cstr(&out), vectors[i].bytes);
    assert_int_equal(inf_base64_size(inf_sv_from(vectors[i].text)), out.len);
  }
  inf_buf_fini(&out);
}

static void
test_the_alphabet_of_urls(void **state)
{
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 64);
  inf_base64_put(&out, INF_SV("\xfb\xff\xfe?>"));
  assert_string_equal(out.ptr, "+//+Pz4=");
  inf_buf_clear(&out);
  inf_base64_put_url(&out, INF_SV("\xfb\xff\xfe?>"));
  assert_string_equal(out.ptr, "-__-Pz4");
  inf_buf_clear(&out);
  inf_base64_put_url(&out, INF_SV("f"));
  assert_string_equal(out.ptr, "Zg");
  inf_buf_fini(&out);
}

static void
test_as_openssl_and_back(void **state)
{
  unsigned char bytes[200], want[300];
  inf_buf text, back;
  inf_rng rng;

  (void)state;
  inf_buf_init(&text, 1024);
  inf_buf_init(&back, 1024);
  inf_rng_seed(&rng, 1);
  for (size_t len = 0; len <= sizeof(bytes); len++) {
    for (size_t i = 0; i < len; i++)
      bytes[i] = (unsigned char)inf_rng_below(&rng, 256);
    inf_buf_clear(&text);
    inf_buf_clear(&back);
    inf_base64_put(&text, inf_sv_of((const char *)bytes, len));
    EVP_EncodeBlock(want, bytes, (int)len);
    assert_string_equal(inf_buf_cstr(&text), (const char *)want);
    assert_int_equal(inf_base64_get(inf_buf_sv(&text), &back), INFER_OK);
    assert_int_equal(back.len, len);
    if (len > 0)
      assert_memory_equal(back.ptr, bytes, len);
  }
  inf_buf_fini(&text);
  inf_buf_fini(&back);
}

static void
test_what_is_none_is_refused(void **state)
{
  static const char *const texts[] = {
      "Z",      "Zg",        "Zg=",      "Zm9vY",   "====",
      "=g==",   "Z===",      "Zg==Zg==", "Z=g=",    "Zm=v",
      "Zm9v\n", "Zm9v Zm9v", "Zm-_",     "Zm9\x80", "Zh==", /* stray bits */
      "Zm9=",
  };
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 64);
  inf_buf_append_cstr(&out, "kept");
  for (size_t i = 0; i < COUNT(texts); i++) {
    if (inf_base64_get(inf_sv_from(texts[i]), &out) != INFER_E_PROTOCOL)
      fail_msg("\"%s\" passes", texts[i]);
    assert_string_equal(out.ptr, "kept");
  }
  inf_buf_fini(&out);
}

/* 1.0 is 0x3f800000, lowest byte first. */
static void
test_floats_are_little_endian(void **state)
{
  const float numbers[] = {1.0f, -2.0f};
  float got[2];
  size_t count;
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 64);
  inf_base64_put_floats(&out, numbers, 2);
  assert_string_equal(out.ptr, "AACAPwAAAMA=");
  assert_int_equal(
      inf_base64_get_floats(INF_SV("AACAPwAAAMA="), got, 2, &count), INFER_OK);
  assert_int_equal(count, 2);
  assert_memory_equal(got, numbers, sizeof(numbers));
  inf_buf_fini(&out);
}

static void
test_floats_there_and_back(void **state)
{
  float numbers[50], got[50];
  inf_buf out;
  inf_rng rng;

  (void)state;
  inf_buf_init(&out, 1024);
  inf_rng_seed(&rng, 2);
  for (size_t n = 0; n <= COUNT(numbers); n++) {
    size_t count;

    for (size_t i = 0; i < n; i++) {
      uint32_t bits = (uint32_t)inf_rng_next(&rng); /* also NaN */

      memcpy(&numbers[i], &bits, sizeof(bits));
    }
    inf_buf_clear(&out);
    assert_true(inf_base64_put_floats(&out, numbers, n));
    assert_int_equal(inf_base64_get_floats(inf_buf_sv(&out), got, n, &count),
                     INFER_OK);
    assert_int_equal(count, n);
    if (n > 0)
      assert_memory_equal(got, numbers, n * sizeof(float));
  }
  inf_buf_fini(&out);
}

static void
test_floats_that_cannot_be(void **state)
{
  float got[2] = {0};
  size_t count;

  (void)state;
  /* Three bytes, five, no base64, three floats. */
  assert_int_equal(inf_base64_get_floats(INF_SV("AACA"), got, 2, &count),
                   INFER_E_PROTOCOL);
  assert_int_equal(inf_base64_get_floats(INF_SV("AACAPwA="), got, 2, &count),
                   INFER_E_PROTOCOL);
  assert_int_equal(inf_base64_get_floats(INF_SV("AACAP!=="), got, 2, &count),
                   INFER_E_PROTOCOL);
  assert_int_equal(
      inf_base64_get_floats(INF_SV("AACAPwAAgD8AAIA/"), got, 2, &count),
      INFER_E_TOO_LARGE);
}

static void
test_a_full_buffer_keeps_what_it_has(void **state)
{
  const float numbers[8] = {0};
  inf_buf out;

  (void)state;
  inf_buf_init(&out, 20);
  inf_buf_append_cstr(&out, "kept");
  assert_false(inf_base64_put_floats(&out, numbers, 8));
  assert_int_equal(out.status, INFER_E_TOO_LARGE);
  assert_string_equal(out.ptr, "kept");
  inf_buf_clear(&out);
  assert_false(inf_base64_put(&out, INF_SV("0123456789abcdef")));
  assert_int_equal(out.len, 0);
  inf_buf_clear(&out);
  assert_int_equal(
      inf_base64_get(INF_SV("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), &out),
      INFER_E_TOO_LARGE);
  inf_buf_fini(&out);
}

static void
memory_scenario(void *arg)
{
  const float numbers[40] = {0};
  float got[40];
  size_t count;
  inf_buf text, bytes;

  (void)arg;
  inf_buf_init(&text, 1024);
  inf_buf_init(&bytes, 1024);
  if (inf_base64_put_floats(&text, numbers, 40)) {
    int32_t status = inf_base64_get(inf_buf_sv(&text), &bytes);

    assert_int_equal(bytes.len, status == INFER_OK ? 160 : 0);
    assert_int_equal(inf_base64_get_floats(inf_buf_sv(&text), got, 40, &count),
                     INFER_OK);
  } else {
    assert_int_equal(text.status, INFER_E_NO_MEMORY);
    assert_int_equal(text.len, 0);
  }
  inf_buf_fini(&text);
  inf_buf_fini(&bytes);
}

static void
test_memory_failures(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, NULL) > 1);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors_of_the_standard),
      cmocka_unit_test(test_the_alphabet_of_urls),
      cmocka_unit_test(test_as_openssl_and_back),
      cmocka_unit_test(test_what_is_none_is_refused),
      cmocka_unit_test(test_floats_are_little_endian),
      cmocka_unit_test(test_floats_there_and_back),
      cmocka_unit_test(test_floats_that_cannot_be),
      cmocka_unit_test(test_a_full_buffer_keeps_what_it_has),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
