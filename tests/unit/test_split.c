/* SPDX-License-Identifier: MIT */
/* Events whose ends somebody else knows, in whatever pieces the bytes come. */
#include "support/fail_alloc.h"
#include "support/pieces.h"

#include "wire/split.h"

#include <infer/infer.h>

#include <stdio.h>

#define MAX 8

/* A digit, and so many bytes; 'x' is no event, 'y' one that is too long. */
static int64_t
rule(const void *context, inf_sv bytes)
{
  (void)context;
  if (bytes.ptr[0] == 'y')
    return (int64_t)bytes.len + 1;
  if (bytes.ptr[0] < '0' || bytes.ptr[0] > '9')
    return INFER_E_PROTOCOL;
  size_t len = 1 + (size_t)(bytes.ptr[0] - '0');
  return len <= bytes.len ? (int64_t)len : 0;
}

static bool
on_event(void *context, inf_sv event)
{
  inf_buf *seen = context;
  inf_buf_append_char(seen, '(');
  inf_buf_append_sv(seen, event);
  inf_buf_append_char(seen, ')');
  return event.ptr[event.len - 1] != '!';
}

static const struct sample {
  const char *bytes, *events;
  int32_t status;
} corpus[] = {
    {"", "", INFER_OK},
    {"0", "(0)", INFER_OK},
    {"2ab01c", "(2ab)(0)(1c)", INFER_OK},
    {"7abcdefg7hijklmn", "(7abcdefg)(7hijklmn)", INFER_OK},
    {"2ab3cd", "(2ab)", INFER_E_TRUNCATED},
    {"1", "", INFER_E_TRUNCATED},
    {"1ax", "(1a)", INFER_E_PROTOCOL},
    {"x1a", "", INFER_E_PROTOCOL},
    {"1aybc", "(1a)", INFER_E_PROTOCOL},
    {"1a8bcdefghi1j", "(1a)", INFER_E_TOO_LARGE},
    {"1a1!1b", "(1a)(1!)", INFER_OK},
};

static int32_t
run(inf_split *split, const char *bytes, size_t step, inf_buf *seen)
{
  size_t len = strlen(bytes);
  inf_split_reuse(split, rule, NULL, MAX, 64);
  for (size_t at = 0; at < len;) {
    size_t piece = step > 0 && step < len - at ? step : len - at;
    if (inf_split_feed(split, inf_sv_of(bytes + at, piece), on_event, seen) !=
        INFER_OK)
      break;
    at += piece;
  }
  return inf_split_finish(split);
}

static void
events_are_the_same_in_any_pieces(void **state)
{
  (void)state;
  inf_split split;
  inf_split_init(&split);
  for (size_t i = 0; i < sizeof corpus / sizeof corpus[0]; i++)
    for (size_t step = 0; step <= strlen(corpus[i].bytes); step++) {
      inf_buf seen;
      inf_buf_init(&seen, 256);
      int32_t status = run(&split, corpus[i].bytes, step, &seen);
      if (status != corpus[i].status ||
          strcmp(inf_buf_cstr(&seen), corpus[i].events) != 0)
        fail_msg("%s by %zu: %s, %s", corpus[i].bytes, step,
                 infer_status_name(status), inf_buf_cstr(&seen));
      assert_int_equal(inf_split_finish(&split), status);
      assert_int_equal(inf_split_feed(&split, INF_SV("1a"), on_event, &seen),
                       status);
      inf_buf_fini(&seen);
    }
  inf_split_fini(&split);
}

static void
scenario(void *context)
{
  (void)context;
  inf_split split;
  char seen_memory[256];
  inf_buf seen;
  inf_split_init(&split);
  inf_buf_init(&seen, sizeof seen_memory);
  inf_buf_lend(&seen, seen_memory, sizeof seen_memory);
  int32_t status = run(&split, "3abc2de", 2, &seen);
  assert_int_equal(status,
                   fail_alloc_hits() > 0 ? INFER_E_NO_MEMORY : INFER_OK);
  inf_split_fini(&split);
  inf_buf_fini(&seen);
}

static void
memory_may_be_short(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(scenario, NULL) > 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(events_are_the_same_in_any_pieces),
      cmocka_unit_test(memory_may_be_short),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
