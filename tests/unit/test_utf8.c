/* SPDX-License-Identifier: MIT */
/* UTF-8: every code point, every sequence of up to three bytes against a
 * second, slower reading of the definition, and the replacements of the
 * WHATWG decoder. */
#include "wire/utf8.h"

#include <infer/infer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FFFD         "\xef\xbf\xbd"

static void
test_every_code_point(void **state)
{
  (void)state;
  for (uint32_t c = 0; c <= 0x110010; c++) {
    char bytes[4];
    size_t len = inf_utf8_encode(c, bytes);
    bool none = c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff);

    assert_int_equal(len, none          ? 3
                          : c < 0x80    ? 1
                          : c < 0x800   ? 2
                          : c < 0x10000 ? 3
                                        : 4);
    assert_true(inf_utf8_valid(inf_sv_of(bytes, len)));
    assert_int_equal(memcmp(bytes, FFFD, len) == 0, none || c == 0xfffd);
    for (size_t n = 1; n < len; n++)
      assert_int_equal(inf_utf8_valid_prefix(bytes, n), 0);
  }
}

/* Decodes the code point from the bits first and then asks whether it may be
 * written so. */
static size_t
reference_length(const unsigned char *bytes, size_t len)
{
  size_t need = bytes[0] < 0x80    ? 1
                : bytes[0] >= 0xf8 ? 0
                : bytes[0] >= 0xf0 ? 4
                : bytes[0] >= 0xe0 ? 3
                : bytes[0] >= 0xc0 ? 2
                                   : 0;
  uint32_t c;
  char again[4];

  if (need == 0 || need > len)
    return 0;
  c = need == 1 ? bytes[0] : bytes[0] & (0x7fu >> need);
  for (size_t i = 1; i < need; i++) {
    if ((bytes[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | (bytes[i] & 0x3f);
  }
  return inf_utf8_encode(c, again) == need && memcmp(again, bytes, need) == 0
             ? need
             : 0;
}

static size_t
reference_prefix(const unsigned char *bytes, size_t len)
{
  size_t at = 0;

  while (at < len) {
    size_t n = reference_length(bytes + at, len - at);

    if (n == 0)
      break;
    at += n;
  }
  return at;
}

static void
check(const unsigned char *bytes, size_t len)
{
  assert_int_equal(inf_utf8_valid_prefix((const char *)bytes, len),
                   reference_prefix(bytes, len));
}

static void
test_all_short_sequences(void **state)
{
  (void)state;
  for (unsigned n = 0; n < 1u << 24; n++) {
    unsigned char bytes[3] = {(unsigned char)(n >> 16), (unsigned char)(n >> 8),
                              (unsigned char)n};

    /* ASCII in front leaves the shorter sequence. */
    if (bytes[0] >= 0x80 || bytes[0] == 'a')
      check(bytes, 3);
  }
}

static void
test_four_byte_edges(void **state)
{
  static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f,
                                        0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                        0xc2, 0xed, 0xf0, 0xf4, 0xff};

  (void)state;
  for (unsigned lead = 0xe0; lead < 0x100; lead++) {
    for (size_t n = 0; n < 15 * 15 * 15; n++) {
      unsigned char bytes[4] = {(unsigned char)lead, edges[n % 15],
                                edges[n / 15 % 15], edges[n / 225]};

      check(bytes, 4);
    }
  }
}

/* The first bad byte at every place, over the eight-byte steps. */
static void
test_place_of_the_fault(void **state)
{
  (void)state;
  for (size_t len = 1; len < 40; len++) {
    for (size_t at = 0; at < len; at++) {
      char *text = malloc(len);

      assert_non_null(text);
      memset(text, 'x', len);
      text[at] = '\xff';
      assert_int_equal(inf_utf8_valid_prefix(text, len), at);
      text[at] = '\xc3';
      assert_int_equal(inf_utf8_valid_prefix(text, len), at);
      text[at] = 'x';
      assert_int_equal(inf_utf8_valid_prefix(text, len), len);
      free(text);
    }
  }
  assert_int_equal(inf_utf8_valid_prefix(NULL, 0), 0);
  assert_true(inf_utf8_valid(inf_sv_of(NULL, 0)));
}

typedef struct lossy {
  const char *in, *out;
} lossy;

static const lossy cases[] = {
    {"", ""},
    {"plain", "plain"},
    {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"\xff", FFFD},
    {"a\xff"
     "b",
     "a" FFFD "b"},
    {"\xc3", FFFD},
    {"\xe2\x82", FFFD},
    {"\xe2\x82z", FFFD "z"},
    {"\xf0\x9f\x98", FFFD},
    {"\xf0\x9f\x98\xf0\x9f\x98\x80", FFFD "\xf0\x9f\x98\x80"},
    {"\x80\x80", FFFD FFFD},
    {"\xc0\xaf", FFFD FFFD},
    {"\xe0\x80\xaf", FFFD FFFD FFFD},
    {"\xed\xa0\x80", FFFD FFFD FFFD},
    {"\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD},
    {"\xf1\x80\x80\xe1\x80\xc2\x62\x80", FFFD FFFD FFFD "b" FFFD},
};

static void
test_lossy(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    inf_buf buf;

    inf_buf_init(&buf, 100);
    assert_true(inf_utf8_append_lossy(&buf, inf_sv_from(cases[i].in)));
    assert_string_equal(inf_buf_cstr(&buf), cases[i].out);
    inf_buf_fini(&buf);
  }
}

static void
test_lossy_passes_the_limit_on(void **state)
{
  inf_buf buf;

  (void)state;
  inf_buf_init(&buf, 4);
  assert_false(inf_utf8_append_lossy(&buf, INF_SV("ab\xff")));
  assert_int_equal(buf.status, INFER_E_TOO_LARGE);
  inf_buf_clear(&buf);
  assert_true(inf_utf8_append_code_point(&buf, 0x1f600));
  assert_false(inf_utf8_append_code_point(&buf, 'x'));
  assert_string_equal(buf.ptr, "\xf0\x9f\x98\x80");
  inf_buf_fini(&buf);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_code_point),
      cmocka_unit_test(test_all_short_sequences),
      cmocka_unit_test(test_four_byte_edges),
      cmocka_unit_test(test_place_of_the_fault),
      cmocka_unit_test(test_lossy),
      cmocka_unit_test(test_lossy_passes_the_limit_on),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
