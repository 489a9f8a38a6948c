/* SPDX-License-Identifier: MIT */
#include "telemetry/window.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define S   INF_NS_PER_S
#define MIN (60 * S)

static inf_windows *
windows_new(void)
{
  inf_windows *windows = calloc(1, sizeof *windows);
  assert_non_null(windows);
  return windows;
}

static inf_telemetry_room room = {.cap_bytes = 1 << 24};

static void
add_one(inf_windows *windows, uint64_t total_ns, bool censored, uint64_t now_ns)
{
  const inf_window_counts counts = {1, censored, 10, 20, 30};
  const inf_window_time times[] = {{INF_TIME_TOTAL, censored, total_ns},
                                   {INF_TIME_LIMITER, false, 0}};
  inf_windows_add(windows, &room, &counts, times, 2, now_ns);
}

static uint64_t
attempts(const inf_windows *windows, inf_window window, uint64_t now_ns)
{
  static inf_quantile_work work;
  inf_window_counts counts = inf_windows_counts(windows, window, now_ns);
  assert_int_equal(counts.input_tokens, 10 * counts.attempts);
  assert_int_equal(counts.output_tokens, 20 * counts.attempts);
  assert_int_equal(counts.cost_nano_usd, 30 * counts.attempts);
  inf_histogram_clear(&work.events);
  inf_histogram_clear(&work.censored);
  inf_windows_pour(windows, window, INF_TIME_TOTAL, now_ns, &work.events,
                   &work.censored);
  assert_int_equal(work.events.total + work.censored.total, counts.attempts);
  assert_int_equal(work.censored.total, counts.failed);
  return counts.attempts;
}

static void
windows_free(inf_windows *windows)
{
  inf_windows_fini(windows, &room);
  assert_int_equal(room.used_bytes, 0);
  assert_int_equal(room.dropped, 0);
  free(windows);
}

/* A window holds all of its time, and at most one slot more. */
static void
what_is_old_goes(void **state)
{
  (void)state;
  static const struct {
    inf_window window;
    uint64_t length_ns, slot_ns;
  } rows[] = {{INF_WINDOW_1M, MIN, 10 * S},
              {INF_WINDOW_5M, 5 * MIN, MIN},
              {INF_WINDOW_60M, 60 * MIN, 5 * MIN}};
  for (size_t i = 0; i < 3; i++)
    for (uint64_t shift_s = 0; shift_s < 700; shift_s += 7) {
      uint64_t at_ns = 5000 * S + shift_s * S;
      inf_windows *windows = windows_new();
      add_one(windows, S, false, at_ns);
      assert_int_equal(attempts(windows, rows[i].window, at_ns), 1);
      assert_int_equal(
          attempts(windows, rows[i].window, at_ns + rows[i].length_ns - 1), 1);
      assert_int_equal(attempts(windows, rows[i].window,
                                at_ns + rows[i].length_ns + rows[i].slot_ns),
                       0);
      windows_free(windows);
    }
}

/* One attempt a second for three hours: each window has those of its time, of
 * which it also tells the length. */
static void
a_window_rolls(void **state)
{
  (void)state;
  inf_windows *windows = windows_new();
  const uint64_t began_ns = 777 * S;
  for (uint64_t t = 0; t < 10800; t++) {
    uint64_t now_ns = began_ns + t * S;
    add_one(windows, t * S, t % 5 == 0, now_ns);
    for (int i = 0; t % 97 == 0 && i < INF_WINDOWS; i++) {
      uint64_t length_ns =
          inf_window_length_ns((inf_window)i, began_ns, now_ns);
      assert_int_equal(attempts(windows, (inf_window)i, now_ns),
                       length_ns / S + 1);
    }
  }
  windows_free(windows);
}

static void
the_length_is_told(void **state)
{
  (void)state;
  uint64_t now_ns = 100000 * S; /* 40 s into a minute, 100 s into five */
  assert_int_equal(inf_window_length_ns(INF_WINDOW_1M, 0, now_ns), MIN);
  assert_int_equal(inf_window_length_ns(INF_WINDOW_1M, 0, now_ns + 9 * S),
                   69 * S);
  assert_int_equal(inf_window_length_ns(INF_WINDOW_5M, 0, now_ns),
                   5 * MIN + 40 * S);
  assert_int_equal(inf_window_length_ns(INF_WINDOW_60M, 0, now_ns),
                   60 * MIN + 100 * S);
  assert_int_equal(inf_window_length_ns(INF_WINDOW_60M, now_ns - S, now_ns), S);
  assert_int_equal(inf_window_length_ns(INF_WINDOW_60M, INF_NEVER, now_ns), 0);
  assert_string_equal(inf_window_name(INF_WINDOW_1M), "1m");
  assert_string_equal(inf_window_name(INF_WINDOW_5M), "5m");
  assert_string_equal(inf_window_name(INF_WINDOW_60M), "60m");
}

/* The machine sleeps for a day and a whole turn of every ring. */
static void
a_sleep_empties_all(void **state)
{
  (void)state;
  inf_windows *windows = windows_new();
  uint64_t at_ns = 86400 * S;
  for (int i = 0; i < 10; i++)
    add_one(windows, S, true, at_ns);
  at_ns += 86400 * S;
  for (int i = 0; i < INF_WINDOWS; i++)
    assert_int_equal(attempts(windows, (inf_window)i, at_ns), 0);
  add_one(windows, S, false, at_ns);
  for (int i = 0; i < INF_WINDOWS; i++)
    assert_int_equal(attempts(windows, (inf_window)i, at_ns), 1);
  windows_free(windows);
}

static double
quantile_ms(const inf_quantiles *quantiles, size_t i)
{
  assert_true(quantiles->ns[i] != INF_NEVER);
  return (double)quantiles->ns[i] / 1e6;
}

static void
near(double value, double expected, double share)
{
  if (value < expected * (1 - share) || value > expected * (1 + share))
    fail_msg("%g instead of %g", value, expected);
}

/* 1 to 1000 ms. */
static void
quantiles_are_those_of_the_times(void **state)
{
  (void)state;
  static inf_quantile_work work;
  for (uint64_t ms = 1; ms <= 1000; ms++)
    inf_histogram_record(&work.events, ms * INF_NS_PER_MS, 1);
  inf_quantiles quantiles = inf_quantiles_read(&work);
  assert_int_equal(quantiles.events, 1000);
  assert_int_equal(quantiles.censored, 0);
  near(quantile_ms(&quantiles, 0), 500, 0.01);
  near(quantile_ms(&quantiles, 1), 900, 0.01);
  near(quantile_ms(&quantiles, 2), 950, 0.01);
  near(quantile_ms(&quantiles, 3), 990, 0.01);
}

/* Half of the attempts are cut at 400 ms: those that are left say how the
 * others would have gone on. Beyond the last that was seen nobody knows. */
static void
what_was_cut_counts_as_longer(void **state)
{
  (void)state;
  static inf_quantile_work work;
  for (uint64_t ms = 1; ms <= 1000; ms++) {
    inf_histogram_record(&work.events, ms * INF_NS_PER_MS, 1);
    if (ms < 400)
      inf_histogram_record(&work.events, ms * INF_NS_PER_MS, 1);
    else
      inf_histogram_record(&work.censored, 400 * INF_NS_PER_MS, 1);
  }
  inf_quantiles quantiles = inf_quantiles_read(&work);
  assert_int_equal(quantiles.censored, 601);
  near(quantile_ms(&quantiles, 0), 500, 0.01);
  near(quantile_ms(&quantiles, 2), 950, 0.01);

  inf_histogram_clear(&work.events);
  inf_histogram_clear(&work.censored);
  inf_histogram_record(&work.events, INF_NS_PER_MS, 70);
  inf_histogram_record(&work.censored, 2 * INF_NS_PER_MS, 30);
  quantiles = inf_quantiles_read(&work);
  near(quantile_ms(&quantiles, 0), 1, 0.02);
  assert_true(quantiles.ns[1] == INF_NEVER);
}

static void
of_nothing_nothing_is_known(void **state)
{
  (void)state;
  static inf_quantile_work work;
  inf_quantiles quantiles = inf_quantiles_read(&work);
  for (size_t i = 0; i < INF_QUANTILES; i++)
    assert_true(quantiles.ns[i] == INF_NEVER);
  inf_histogram_record(&work.censored, S, 5);
  quantiles = inf_quantiles_read(&work);
  for (size_t i = 0; i < INF_QUANTILES; i++)
    assert_true(quantiles.ns[i] == INF_NEVER);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_old_goes),
      cmocka_unit_test(a_window_rolls),
      cmocka_unit_test(the_length_is_told),
      cmocka_unit_test(a_sleep_empties_all),
      cmocka_unit_test(quantiles_are_those_of_the_times),
      cmocka_unit_test(what_was_cut_counts_as_longer),
      cmocka_unit_test(of_nothing_nothing_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
