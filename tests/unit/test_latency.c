/* SPDX-License-Identifier: MIT */
/* Times of targets: what is recorded, what is late, who is silent. */
#include "engine/latency.h"

#include "engine/runtime_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const inf_latency_place place = {"a/m", INF_LATENCY_CONTENT, 1};

static int
set_up(void **state)
{
  *state = inf_runtime_new();
  return *state ? 0 : -1;
}

static int
tear_down(void **state)
{
  inf_runtime_free(*state);
  return 0;
}

static void
record(inf_runtime *runtime, const inf_latency_place *at, int count,
       uint64_t time_ms, bool censored)
{
  for (int i = 0; i < count; i++)
    inf_latency_record(runtime, at, time_ms * INF_NS_PER_MS, censored);
}

static bool
read_curve(inf_runtime *runtime, const inf_latency_place *at)
{
  static inf_survival curve;
  return inf_latency_read_locked(runtime, at, &curve);
}

/* Within the width of a bucket of the histogram: 1/64 of an octave. */
static void
assert_about(uint64_t ns, uint64_t about_ms)
{
  uint64_t about_ns = about_ms * INF_NS_PER_MS;
  assert_in_range(ns, about_ns - about_ns / 64, about_ns + about_ns / 64);
}

static void
of_a_new_target_nothing_is_known(void **state)
{
  inf_runtime *runtime = *state;
  assert_int_equal(inf_latency_marks_of(runtime, &place).late_ns, INF_NEVER);
  assert_int_equal(inf_latency_usual_locked(runtime, &place), INF_NEVER);
  assert_int_equal(inf_latency_doubt(runtime, &place, 1, INF_NEVER), 0);
  inf_latency_note_late(runtime, "a/m");
  inf_latency_set_silent(runtime, "a/m", 1);
  assert_false(inf_latency_is_silent(runtime, "a/m"));
  assert_false(read_curve(runtime, &place));
  assert_null(inf_latency_view_locked(runtime, &place).series);
  assert_null(inf_latency_view_locked(runtime, &place).slowdown);
  inf_latency_note_content(runtime, "a/m", 1, false);
  int64_t input, output;
  inf_latency_expect(runtime, "a/m", 40, &input, &output);
  assert_int_equal(input, 10); /* four bytes a token */
  assert_int_equal(output, 0);
  assert_int_equal(runtime->target_count, 0); /* asking makes nothing */
}

static void
late_and_usual_go_by_the_last_reading(void **state)
{
  inf_runtime *runtime = *state;
  record(runtime, &place, 80, 100, false);
  record(runtime, &place, 20, 400, false);
  assert_int_equal(inf_latency_marks_of(runtime, &place).late_ns, INF_NEVER);
  assert_true(read_curve(runtime, &place));
  assert_about(inf_latency_usual_locked(runtime, &place), 100);
  assert_about(inf_latency_marks_of(runtime, &place).late_ns, 400);
  record(runtime, &place, 900, 100, false);
  assert_about(inf_latency_marks_of(runtime, &place).late_ns, 400);
  assert_true(read_curve(runtime, &place));
  assert_about(inf_latency_marks_of(runtime, &place).late_ns, 100);
}

static void
targets_kinds_and_lengths_are_kept_apart(void **state)
{
  inf_runtime *runtime = *state;
  const inf_latency_place others[] = {{"b/m", INF_LATENCY_CONTENT, 1},
                                      {"a/m", INF_LATENCY_ANSWER, 1},
                                      {"a/m", INF_LATENCY_CONTENT, 2}};
  record(runtime, &place, 40, 100, false);
  for (int i = 0; i < 3; i++) {
    assert_false(read_curve(runtime, &others[i]));
    record(runtime, &others[i], 40, 200 + 100 * (uint64_t)i, false);
  }
  for (int i = 0; i < 3; i++) {
    assert_true(read_curve(runtime, &others[i]));
    assert_about(inf_latency_usual_locked(runtime, &others[i]),
                 200 + 100 * (uint64_t)i);
  }
  assert_true(read_curve(runtime, &place));
  assert_about(inf_latency_usual_locked(runtime, &place), 100);
}

/* Half were cancelled at 100 ms: what they would have taken is not known. */
static void
cancelled_ones_took_at_least_that_long(void **state)
{
  inf_runtime *runtime = *state;
  record(runtime, &place, 50, 50, false);
  record(runtime, &place, 50, 100, true);
  record(runtime, &place, 50, 300, false);
  assert_true(read_curve(runtime, &place));
  assert_about(inf_latency_usual_locked(runtime, &place), 300);
  inf_latency_view view = inf_latency_view_locked(runtime, &place);
  assert_int_equal(inf_series_events(view.series), 100);
  assert_int_equal(inf_series_known(view.series), 150);
}

static const uint64_t ms = INF_NS_PER_MS;

/* A tenth each comes by 10, 20, ... 100 ms. */
static void
learn_even_times(inf_runtime *runtime)
{
  for (uint64_t i = 1; i <= 10; i++)
    record(runtime, &place, 100, 10 * i, false);
  assert_true(read_curve(runtime, &place));
}

static void
doubt_grows_with_the_time_waited(void **state)
{
  inf_runtime *runtime = *state;
  learn_even_times(runtime);
  const struct {
    uint64_t age_ms;
    uint32_t least, most; /* hundredths of a bit */
  } ages[] = {{0, 0, 0},         {10, 0, 30},    {50, 80, 110},
              {75, 170, 220},    {90, 290, 340}, {200, 432, 432},
              {100000, 432, 432}};
  for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++)
    assert_in_range(inf_latency_doubt(runtime, &place, 1000 * ms,
                                      (1000 + ages[i].age_ms) * ms),
                    ages[i].least, ages[i].most);
}

/* What the loop has heard is older than what it has just begun. */
static void
what_is_begun_since_is_no_reason_for_doubt(void **state)
{
  inf_runtime *runtime = *state;
  learn_even_times(runtime);
  assert_int_equal(inf_latency_doubt(runtime, &place, 1001 * ms, 1000 * ms), 0);
  assert_int_equal(inf_latency_doubt(runtime, &place, 1000 * ms, 1000 * ms), 0);
}

/* One that was sent later is answered: then it is a straggler. */
static void
a_straggler_is_no_reason_for_doubt(void **state)
{
  inf_runtime *runtime = *state;
  learn_even_times(runtime);
  inf_latency_note_content(runtime, "a/m", 1001 * ms, false);
  assert_int_equal(inf_latency_doubt(runtime, &place, 1000 * ms, 1090 * ms), 0);
  assert_int_equal(inf_latency_doubt(runtime, &place, 1001 * ms, 1090 * ms), 0);
  assert_true(inf_latency_doubt(runtime, &place, 1002 * ms, 1090 * ms) > 200);
  inf_latency_note_content(runtime, "a/m", 900 * ms,
                           false); /* an earlier one */
  assert_int_equal(inf_latency_doubt(runtime, &place, 1000 * ms, 1090 * ms), 0);
}

static void
silence_ends_with_what_was_sent_since(void **state)
{
  inf_runtime *runtime = *state;
  record(runtime, &place, 1, 100, false);
  assert_false(inf_latency_is_silent(runtime, "a/m"));
  inf_latency_set_silent(runtime, "a/m", 1000 * ms);
  assert_true(inf_latency_is_silent(runtime, "a/m"));
  assert_false(inf_latency_is_silent(runtime, "b/m"));
  inf_latency_note_content(runtime, "a/m", 999 * ms, true);
  assert_true(inf_latency_is_silent(runtime, "a/m"));
  inf_latency_note_content(runtime, "a/m", 1000 * ms, true);
  assert_false(inf_latency_is_silent(runtime, "a/m"));
}

/* Each attempt says once whether it was late. */
static void
late_ones_make_a_slowdown(void **state)
{
  inf_runtime *runtime = *state;
  record(runtime, &place, 1, 100, false);
  const inf_slowdown *slowdown =
      inf_latency_view_locked(runtime, &place).slowdown;
  for (int i = 0; i < 23; i++) {
    inf_latency_note_late(runtime, "a/m");
    inf_latency_note_content(runtime, "a/m", 1, true);
  }
  assert_false(inf_slowdown_is(slowdown));
  inf_latency_note_late(runtime, "a/m");
  assert_true(inf_slowdown_is(slowdown));
  for (int i = 0; i < 41; i++) /* of 64 */
    inf_latency_note_content(runtime, "a/m", 1, false);
  assert_false(inf_slowdown_is(slowdown));
}

/* What was slow then is usual now. */
static void
a_new_regime_is_no_slowdown(void **state)
{
  inf_runtime *runtime = *state;
  for (int i = 0; i < 200; i++)
    record(runtime, &place, 1, 100 + (uint64_t)(i % 10), false);
  assert_true(read_curve(runtime, &place));
  const inf_latency_view view = inf_latency_view_locked(runtime, &place);
  for (int i = 0; i < 30; i++)
    inf_latency_note_late(runtime, "a/m");
  assert_true(inf_slowdown_is(view.slowdown));
  for (int i = 0; i < 100 && inf_series_changes(view.series) == 0; i++)
    record(runtime, &place, 1, 400 + (uint64_t)(i % 10), false);
  assert_int_equal(inf_series_changes(view.series), 1);
  assert_false(inf_slowdown_is(view.slowdown));
}

static void
assert_expected(inf_runtime *runtime, const char *target, size_t bytes,
                int64_t input, int64_t output)
{
  int64_t in, out;
  inf_latency_expect(runtime, target, bytes, &in, &out);
  assert_int_equal(in, input);
  assert_int_equal(out, output);
}

static void
tokens_are_expected_as_they_were_counted(void **state)
{
  inf_runtime *runtime = *state;
  record(runtime, &place, 1, 100, false);
  inf_latency_note_tokens(runtime, "a/m", 400, 200, 100);
  assert_expected(runtime, "a/m", 1000, 500, 100);
  inf_latency_note_tokens(runtime, "a/m", 400, 100, 200);
  assert_expected(runtime, "a/m", 1000, 375, 150);
  for (int i = 0; i < 800; i++)
    inf_latency_note_tokens(runtime, "a/m", 100, 100, 1000);
  assert_expected(runtime, "a/m", 1000, 1000, 1000);
  assert_expected(runtime, "b/m", 1000, 250, 0);
  inf_latency_note_tokens(runtime, "a/m", 0, 7, 7); /* of no prompt at all */
  assert_expected(runtime, "a/m", 1000, 1000, 1000);
}

static void
there_is_a_cap_on_memory(void **state)
{
  inf_runtime *runtime = *state;
  const inf_latency_place other = {"b/m", INF_LATENCY_CONTENT, 0};
  assert_int_equal(runtime->latency_room.cap_bytes, INF_LATENCY_MAX_BYTES);
  runtime->latency_room.cap_bytes = inf_series_bytes();
  record(runtime, &place, 40, 100, false);
  record(runtime, &other, 40, 100, false);
  assert_true(read_curve(runtime, &place));
  assert_false(read_curve(runtime, &other));
  assert_int_equal(runtime->latency_room.used_bytes, inf_series_bytes());
  assert_int_equal(runtime->latency_room.dropped, 40);
}

static void
one_target_too_many_has_no_times(void **state)
{
  inf_runtime *runtime = *state;
  runtime->target_count = INF_RUNTIME_MAX;
  record(runtime, &place, 40, 100, false);
  assert_false(read_curve(runtime, &place));
  assert_int_equal(inf_latency_marks_of(runtime, &place).late_ns, INF_NEVER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(of_a_new_target_nothing_is_known),
      TEST(late_and_usual_go_by_the_last_reading),
      TEST(targets_kinds_and_lengths_are_kept_apart),
      TEST(cancelled_ones_took_at_least_that_long),
      TEST(doubt_grows_with_the_time_waited),
      TEST(what_is_begun_since_is_no_reason_for_doubt),
      TEST(a_straggler_is_no_reason_for_doubt),
      TEST(silence_ends_with_what_was_sent_since),
      TEST(late_ones_make_a_slowdown),
      TEST(a_new_regime_is_no_slowdown),
      TEST(tokens_are_expected_as_they_were_counted),
      TEST(there_is_a_cap_on_memory),
      TEST(one_target_too_many_has_no_times),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
