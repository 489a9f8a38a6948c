/* SPDX-License-Identifier: MIT */
/* Text that is compared with a file beside the tests, byte by byte. With
 * INFER_WRITE_GOLDEN in the environment the file is written instead: look at
 * what git says of it before you keep it. */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* path: below tests/. The file has one more line end. */
static inline void
assert_golden(const char *path, const char *text)
{
  static char expected[1 << 18];
  char whole[1024];
  snprintf(whole, sizeof whole, "%s/tests/%s", INFER_SOURCE_DIR, path);
  if (getenv("INFER_WRITE_GOLDEN")) {
    FILE *out = fopen(whole, "w");
    assert_non_null(out);
    fprintf(out, "%s\n", text);
    assert_int_equal(fclose(out), 0);
    return;
  }
  FILE *in = fopen(whole, "r");
  if (!in)
    fail_msg("no file %s", whole);
  size_t len = fread(expected, 1, sizeof expected - 1, in);
  fclose(in);
  assert_true(len > 0 && expected[len - 1] == '\n');
  expected[len - 1] = '\0';
  for (size_t i = 0; text[i] || expected[i]; i++)
    if (text[i] != expected[i])
      fail_msg("%s differs at byte %zu: \"%.60s\" instead of \"%.60s\"", path,
               i, text + i, expected + i);
}

#endif
