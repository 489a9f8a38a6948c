/* SPDX-License-Identifier: MIT */
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Key 00 01 .. 0f, text 00 01 .. : appendix A of the paper, and the vectors
 * that go with it. */
static const struct {
  size_t len;
  uint64_t hash;
} vectors[] = {
    {0, 0x726fdb47dd0e0e31},
    {1, 0x74f839c593dc67fd},
    {8, 0x93f5f5799a932462},
    {15, 0xa129ca6149be45e5},
};

static void
it_is_the_published_function(void **state)
{
  (void)state;
  char text[16];
  for (size_t i = 0; i < sizeof text; i++)
    text[i] = (char)i;
  for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
    assert_true(inf_siphash(0x0706050403020100, 0x0f0e0d0c0b0a0908,
                            inf_sv_of(text, vectors[i].len)) ==
                vectors[i].hash);
}

static void
bytes_are_unsigned(void **state)
{
  (void)state;
  assert_true(inf_siphash(1, 2, INF_SV("\xff")) !=
              inf_siphash(1, 2, INF_SV("\xff\xff")));
  assert_true(inf_siphash(1, 2, INF_SV("a")) != inf_siphash(2, 1, INF_SV("a")));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_the_published_function),
      cmocka_unit_test(bytes_are_unsigned),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
