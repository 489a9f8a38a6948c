/* SPDX-License-Identifier: MIT */
/* One clean line of UTF-8 out of anything. */
#include "base/text.h"

#include "base/rng.h"
#include "base/sv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Cleans a copy and compares with what is expected. */
static void
check(inf_sv in, inf_sv expected)
{
  char text[256];
  assert_true(in.len < sizeof text);
  memset(text, 'Z', sizeof text);
  if (in.len)
    memcpy(text, in.ptr, in.len);
  size_t len = inf_text_clean(text, in.len);
  assert_int_equal(len, expected.len);
  assert_memory_equal(text, expected.ptr, expected.len);
  assert_int_equal(text[len], '\0');
  for (size_t i = in.len + 1; i < sizeof text; i++)
    assert_int_equal(text[i], 'Z');
}

#define CHECK(in, expected) check(INF_SV(in), INF_SV(expected))
#define UNCHANGED(text)     CHECK(text, text)

static void
test_good_text_is_unchanged(void **state)
{
  (void)state;
  UNCHANGED("");
  UNCHANGED("plain text, \"quoted\" ~");
  UNCHANGED("gr\xc3\xbc\xc3\x9f"
            "e");
  UNCHANGED("\xe6\x97\xa5\xe6\x9c\xac");
  UNCHANGED("\xf0\x9f\x98\x80!");
  /* The first and the last character of each length. */
  UNCHANGED("\xc2\xa0 \xdf\xbf");
  UNCHANGED("\xe0\xa0\x80 \xef\xbf\xbf");
  UNCHANGED("\xed\x9f\xbf \xee\x80\x80");
  UNCHANGED("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf");
  /* Neighbours of the line separators. */
  UNCHANGED("\xe2\x80\xa7 \xe2\x80\xaa");
}

static void
test_controls_become_spaces(void **state)
{
  (void)state;
  CHECK("a\nb\r\nc\td", "a b  c d");
  CHECK("a\0b", "a b");
  CHECK("\x1b[31mred\x1b[0m", " [31mred [0m");
  CHECK("\x01\x1f\x7f", "   ");
  CHECK("end\n", "end ");
}

/* Next line, and the one-character form of ESC [. */
static void
test_c1_controls_become_spaces(void **state)
{
  (void)state;
  CHECK("a\xc2\x85"
        "b",
        "a b");
  CHECK("a\xc2\x9b"
        "31m",
        "a 31m");
  CHECK("\xc2\x80\xc2\x9f", "  ");
}

static void
test_line_separators_become_spaces(void **state)
{
  (void)state;
  CHECK("a\xe2\x80\xa8"
        "b\xe2\x80\xa9"
        "c",
        "a b c");
}

static void
test_bad_bytes_become_question_marks(void **state)
{
  (void)state;
  CHECK("a\xff"
        "b",
        "a?b");
  CHECK("\x80", "?");
  CHECK("\xbf\xbf", "??");
  CHECK("gr\xfc\xdf"
        "e",
        "gr??e");
  /* Over-long forms, surrogates, more than U+10FFFF. */
  CHECK("\xc0\xaf.", "??.");
  CHECK("\xc1\xbf.", "??.");
  CHECK("\xe0\x9f\xbf.", "???.");
  CHECK("\xed\xa0\x80.", "???.");
  CHECK("\xf0\x8f\xbf\xbf.", "????.");
  CHECK("\xf4\x90\x80\x80.", "????.");
  CHECK("\xf5\x80\x80\x80.", "????.");
  /* A character that is broken off by another is one bad thing. */
  CHECK("\xe6\x97|", "?|");
  CHECK("\xf0\x9f\x98|", "?|");
  CHECK("\xc3\xc3\xbc", "?\xc3\xbc");
}

static void
test_unfinished_end_is_dropped(void **state)
{
  (void)state;
  CHECK("ab\xc3", "ab");
  CHECK("ab\xe6", "ab");
  CHECK("ab\xe6\x97", "ab");
  CHECK("ab\xf0\x9f\x98", "ab");
  CHECK("\xf4\x8f", "");
  /* Not unfinished, but wrong. */
  CHECK("ab\xed\xa0", "ab??");
}

/* The end of a cut text, wherever the cut is. */
static void
test_cut_at_every_byte(void **state)
{
  (void)state;
  static const char text[] = "a\xc3\xbc\xe6\x97\xa5\xf0\x9f\x98\x80z";
  static const size_t ends[] = {0, 1, 3, 6, 10, 11};
  for (size_t cut = 0; cut < sizeof text; cut++) {
    size_t expected = 0;
    for (size_t i = 0; i < 6 && ends[i] <= cut; i++)
      expected = ends[i];
    check(inf_sv_of(text, cut), inf_sv_of(text, expected));
  }
}

static bool
has_bad_byte(const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
      return true;
  return false;
}

/* Whatever comes in, what goes out is clean: cleaning it again changes
 * nothing. */
static void
test_random_bytes(void **state)
{
  (void)state;
  /* Bytes that matter come more often than among all. */
  static const unsigned char some[] = {
      'a',  '\n', 0x7f, 0x80, 0x85, 0x90, 0x9f, 0xa0, 0xa8, 0xbf,
      0xc2, 0xdf, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xf5, 0xff, 0,
  };
  inf_rng rng;
  inf_rng_seed(&rng, 11);
  for (int round = 0; round < 100000; round++) {
    char once[17], twice[17];
    size_t len = inf_rng_below(&rng, 17);
    for (size_t i = 0; i < len; i++)
      once[i] = (char)some[inf_rng_below(&rng, sizeof some)];
    size_t cleaned = inf_text_clean(once, len);
    assert_true(cleaned <= len && once[cleaned] == '\0');
    assert_false(has_bad_byte(once, cleaned));
    memcpy(twice, once, cleaned);
    assert_int_equal(inf_text_clean(twice, cleaned), cleaned);
    assert_memory_equal(twice, once, cleaned);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good_text_is_unchanged),
      cmocka_unit_test(test_controls_become_spaces),
      cmocka_unit_test(test_c1_controls_become_spaces),
      cmocka_unit_test(test_line_separators_become_spaces),
      cmocka_unit_test(test_bad_bytes_become_question_marks),
      cmocka_unit_test(test_unfinished_end_is_dropped),
      cmocka_unit_test(test_cut_at_every_byte),
      cmocka_unit_test(test_random_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
