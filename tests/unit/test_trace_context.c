/* SPDX-License-Identifier: MIT */
#include "telemetry/trace_context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define ID     "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

static void
reads_and_writes(void **state)
{
  (void)state;
  inf_trace trace;
  char text[INF_TRACEPARENT_LEN + 1];
  assert_true(inf_traceparent_read(INF_SV("00-" ID "-" PARENT "-01"), &trace));
  assert_true(trace.id[0] == UINT64_C(0x0af7651916cd43dd));
  assert_true(trace.id[1] == UINT64_C(0x8448eb211c80319c));
  assert_true(trace.parent == UINT64_C(0xb7ad6b7169203331));
  assert_int_equal(trace.flags, INF_TRACE_SAMPLED);
  assert_int_equal(trace.span, 0);
  inf_traceparent_write(&trace, 0x1f, text);
  assert_string_equal(text, "00-" ID "-000000000000001f-01");
  assert_true(inf_traceparent_read(INF_SV("00-" ID "-" PARENT "-fe"), &trace));
  assert_int_equal(trace.flags, 0xfe);
  inf_traceparent_write(&trace, trace.parent, text);
  assert_string_equal(text, "00-" ID "-" PARENT "-fe");
}

/* Of what comes after version 00, the known part. */
static void
later_versions_are_read(void **state)
{
  (void)state;
  inf_trace trace;
  assert_true(inf_traceparent_read(INF_SV("01-" ID "-" PARENT "-03"), &trace));
  assert_int_equal(trace.flags, 1);
  assert_true(
      inf_traceparent_read(INF_SV("cc-" ID "-" PARENT "-00-more"), &trace));
  assert_int_equal(trace.flags, 0);
  assert_false(
      inf_traceparent_read(INF_SV("cc-" ID "-" PARENT "-00more"), &trace));
}

static void
refuses_what_is_malformed(void **state)
{
  (void)state;
  static const char *const wrong[] = {
      "",
      "00",
      "00-" ID "-" PARENT "-0",
      "00-" ID "-" PARENT "-011",
      "00-" ID "-" PARENT "-01-more",
      "ff-" ID "-" PARENT "-01",
      "0g-" ID "-" PARENT "-01",
      "00_" ID "-" PARENT "-01",
      "00-" ID "_" PARENT "-01",
      "00-" ID "-" PARENT "_01",
      "00-" ID "-" PARENT "-0x",
      "00-00000000000000000000000000000000-" PARENT "-01",
      "00-" ID "-0000000000000000-01",
      "00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01",
      "00-0af7651916cd43dd8448eb211c80319-" PARENT "0-01",
      " 00-" ID "-" PARENT "-01",
  };
  inf_trace trace = {.parent = 7};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
    if (inf_traceparent_read(inf_sv_from(wrong[i]), &trace))
      fail_msg("%s is taken", wrong[i]);
  assert_true(trace.parent == 7);
  /* Half of an id may be 0. */
  assert_true(inf_traceparent_read(
      INF_SV("00-00000000000000000000000000000001-" PARENT "-01"), &trace));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_and_writes),
      cmocka_unit_test(later_versions_are_read),
      cmocka_unit_test(refuses_what_is_malformed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
