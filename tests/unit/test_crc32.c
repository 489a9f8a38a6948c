/* SPDX-License-Identifier: MIT */
/* CRC-32 against zlib's, over every length and in every two pieces. */
#include "wire/crc32.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <cmocka.h>

/* The check value that catalogues of checksums give for this one. */
static void
test_the_known_value(void **state)
{
  (void)state;
  assert_int_equal(inf_crc32(0, "123456789", 9), 0xcbf43926);
  assert_int_equal(inf_crc32(0, NULL, 0), 0);
}

static void
test_as_zlib(void **state)
{
  unsigned char bytes[300];
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 1);
  for (int round = 0; round < 20; round++) {
    for (size_t i = 0; i < sizeof(bytes); i++)
      bytes[i] = (unsigned char)inf_rng_below(&rng, 256);
    for (size_t len = 0; len <= sizeof(bytes); len++)
      assert_int_equal(inf_crc32(0, bytes, len),
                       crc32(0, bytes, (unsigned)len));
  }
}

/* Each byte alone: each entry of each table is met. */
static void
test_each_byte_in_each_place(void **state)
{
  (void)state;
  for (unsigned byte = 0; byte < 256; byte++) {
    for (size_t at = 0; at < 5; at++) {
      unsigned char bytes[5] = {0};

      bytes[at] = (unsigned char)byte;
      assert_int_equal(inf_crc32(0, bytes, 5), crc32(0, bytes, 5));
    }
  }
}

static void
test_in_pieces(void **state)
{
  static const char bytes[] = "the quick brown fox jumps over the lazy dog";
  size_t len = sizeof(bytes) - 1;

  (void)state;
  for (size_t cut = 0; cut <= len; cut++) {
    /* Also from places that are not aligned. */
    char *rest = malloc(len - cut + 1);
    uint32_t crc = inf_crc32(0, bytes, cut);

    assert_non_null(rest);
    memcpy(rest, bytes + cut, len - cut);
    assert_int_equal(inf_crc32(crc, rest, len - cut), inf_crc32(0, bytes, len));
    free(rest);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_known_value),
      cmocka_unit_test(test_as_zlib),
      cmocka_unit_test(test_each_byte_in_each_place),
      cmocka_unit_test(test_in_pieces),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
