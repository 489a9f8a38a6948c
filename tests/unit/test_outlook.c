/* SPDX-License-Identifier: MIT */
#include "policy/outlook.h"

#include "base/clock.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS INF_NS_PER_MS
#define S  INF_NS_PER_S

static inf_outlook outlook;
static uint64_t now_ns;

static int
set_up(void **state)
{
  (void)state;
  outlook = (inf_outlook){0};
  now_ns = 1000 * S;
  return 0;
}

static void
play(uint32_t bucket, uint64_t took_ns, inf_outlook_end_kind how)
{
  inf_outlook_attempt attempt;
  inf_outlook_begin(&outlook, &attempt, bucket, now_ns);
  now_ns += took_ns;
  inf_outlook_end(&outlook, &attempt, how, now_ns);
}

static uint64_t
look(uint32_t bucket)
{
  return inf_outlook_ns(&outlook, bucket, now_ns);
}

/* One answer of half a second, so long ago that only the usual is left. */
static void
know_half_a_second(void)
{
  play(0, 500 * MS, INF_OUTLOOK_CONTENT);
  now_ns += 1000 * S;
}

static void
assert_near(uint64_t value_ns, uint64_t wanted_ns)
{
  assert_in_range(value_ns, wanted_ns - wanted_ns / 1000,
                  wanted_ns + wanted_ns / 1000);
}

/* ---- Usual --------------------------------------------------------------- */

static void
nothing_is_known_at_first(void **state)
{
  (void)state;
  assert_int_equal(look(0), 0);
  inf_outlook_attempt attempt;
  inf_outlook_begin(&outlook, &attempt, 0, now_ns);
  now_ns += 30 * S;
  assert_int_equal(look(0), 0);
  assert_int_equal(outlook.waiting, 1);
  inf_outlook_end(&outlook, &attempt, INF_OUTLOOK_FAILED, now_ns);
  assert_int_equal(look(0), 0);
}

static void
as_it_was_it_will_be(void **state)
{
  (void)state;
  play(0, 500 * MS, INF_OUTLOOK_CONTENT);
  assert_int_equal(look(0), 500 * MS);
  now_ns += 3600 * S;
  assert_int_equal(look(0), 500 * MS);
}

static void
usual_is_the_mean(void **state)
{
  (void)state;
  play(0, 400 * MS, INF_OUTLOOK_CONTENT);
  play(0, 600 * MS, INF_OUTLOOK_CONTENT);
  now_ns += 1000 * S;
  assert_int_equal(look(0), 500 * MS);
}

/* To take the cancelled for nothing makes slow targets look fast: 1.2 s were
 * waited for two contents. */
static void
who_was_cancelled_has_waited(void **state)
{
  (void)state;
  play(0, 400 * MS, INF_OUTLOOK_CONTENT);
  play(0, 400 * MS, INF_OUTLOOK_CANCELLED);
  play(0, 400 * MS, INF_OUTLOOK_CONTENT);
  now_ns += 1000 * S;
  assert_int_equal(look(0), 600 * MS);
}

static void
one_long_wait_counts_as_four(void **state)
{
  (void)state;
  for (int i = 0; i < 16; i++)
    play(0, 500 * MS, INF_OUTLOOK_CONTENT);
  play(0, 30 * S, INF_OUTLOOK_CONTENT);
  now_ns += 1000 * S;
  assert_int_equal(look(0), (16 * 500 + 2000) * MS / 17);
}

static void
it_learns_anew_what_is_usual(void **state)
{
  (void)state;
  for (int i = 0; i < 2000; i++)
    play(0, 500 * MS, INF_OUTLOOK_CONTENT);
  for (int i = 0; i < 2000; i++)
    play(0, 1000 * MS, INF_OUTLOOK_CONTENT);
  now_ns += 1000 * S;
  assert_in_range(look(0), 950 * MS, 1000 * MS);
  assert_true(outlook.usual[0].contents < 512);
}

static void
each_length_has_its_own(void **state)
{
  (void)state;
  play(1, 300 * MS, INF_OUTLOOK_CONTENT);
  play(6, 4000 * MS, INF_OUTLOOK_CONTENT);
  now_ns += 1000 * S;
  assert_int_equal(look(1), 300 * MS);
  assert_int_equal(look(6), 4000 * MS);
  /* Not seen: the nearest. */
  assert_int_equal(look(0), 300 * MS);
  assert_int_equal(look(3), 300 * MS);
  assert_int_equal(look(4), 4000 * MS);
  assert_int_equal(look(7), 4000 * MS);
}

/* ---- Present ------------------------------------------------------------- */

/* 3 usual ones in front and 3 lengths of silence: twice as long. */
static void
silence_counts_while_it_lasts(void **state)
{
  (void)state;
  know_half_a_second();
  inf_outlook_attempt attempt;
  inf_outlook_begin(&outlook, &attempt, 0, now_ns);
  assert_int_equal(look(0), 500 * MS);
  now_ns += 1500 * MS;
  assert_near(look(0), 1000 * MS);
  now_ns += 1500 * MS;
  assert_near(look(0), 1500 * MS);
  inf_outlook_end(&outlook, &attempt, INF_OUTLOOK_CANCELLED, now_ns);
  assert_near(look(0) * 500 * MS / (outlook.usual[0].waited_ns), 1500 * MS);
}

static void
a_failure_is_worse_than_silence(void **state)
{
  (void)state;
  know_half_a_second();
  play(0, 0, INF_OUTLOOK_FAILED);
  assert_near(look(0), 500 * MS * 11 / 3);
  play(0, 0, INF_OUTLOOK_FAILED);
  assert_near(look(0), 500 * MS * 19 / 3);
}

/* 6 lengths for one content, with 3 in front: (6 + 3) / (1 + 3). */
static void
slow_contents_count(void **state)
{
  (void)state;
  know_half_a_second();
  play(0, 3 * S, INF_OUTLOOK_CONTENT);
  assert_near(outlook.lengths, 6 * 65536);
  uint64_t usual_ns = outlook.usual[0].waited_ns / 2;
  assert_near(look(0), usual_ns * 9 / 4);
}

static void
a_timeout_says_it_is_dead_not_for_how_long(void **state)
{
  (void)state;
  know_half_a_second();
  play(0, 300 * S, INF_OUTLOOK_FAILED);
  assert_int_equal(outlook.lengths, 64 * 65536);
}

/* All lengths of prompts tell of the present. */
static void
trouble_with_long_prompts_is_trouble_with_short_ones(void **state)
{
  (void)state;
  play(0, 500 * MS, INF_OUTLOOK_CONTENT);
  play(5, 2000 * MS, INF_OUTLOOK_CONTENT);
  now_ns += 1000 * S;
  inf_outlook_attempt attempt;
  inf_outlook_begin(&outlook, &attempt, 5, now_ns);
  now_ns += 6 * S; /* three lengths */
  assert_near(look(0), 1000 * MS);
  assert_near(look(5), 4000 * MS);
}

static void
the_past_fades_by_half_in_seven_seconds(void **state)
{
  (void)state;
  know_half_a_second();
  play(0, 0, INF_OUTLOOK_FAILED);
  uint64_t lengths = outlook.lengths;
  for (int i = 1; i <= 8; i++) {
    now_ns += 7 * S;
    inf_outlook_note(&outlook, now_ns);
    assert_near(outlook.lengths + 1000, (lengths >> i) + 1000);
  }
  /* In many small steps as in one. */
  outlook.lengths = lengths;
  for (int i = 0; i < 7000; i++)
    inf_outlook_note(&outlook, now_ns += MS);
  assert_in_range(outlook.lengths, lengths * 49 / 100, lengths * 51 / 100);
}

static void
the_peak_fades_by_half_in_25_seconds(void **state)
{
  (void)state;
  know_half_a_second();
  inf_outlook_attempt attempt;
  inf_outlook_begin(&outlook, &attempt, 0, now_ns);
  now_ns += 1500 * MS;
  inf_outlook_note(&outlook, now_ns);
  inf_outlook_forget(&outlook, &attempt);
  assert_near(look(0), 1000 * MS);
  now_ns += 25 * S;
  assert_near(look(0), 750 * MS);
  now_ns += 25 * S;
  assert_near(look(0), 625 * MS);
  now_ns += 1000 * S;
  assert_near(look(0), 500 * MS);
}

static void
looking_changes_nothing(void **state)
{
  (void)state;
  know_half_a_second();
  inf_outlook_attempt attempt;
  inf_outlook_begin(&outlook, &attempt, 0, now_ns);
  inf_outlook before = outlook;
  inf_outlook_ns(&outlook, 0, now_ns + 10 * S);
  assert_true(before.aged_ns == outlook.aged_ns &&
              before.excess == outlook.excess);
}

/* ---- Attempts ------------------------------------------------------------ */

static void
an_attempt_ends_once(void **state)
{
  (void)state;
  know_half_a_second();
  inf_outlook_attempt attempt, none = {0};
  inf_outlook_begin(&outlook, &attempt, 0, now_ns);
  inf_outlook_end(&outlook, &attempt, INF_OUTLOOK_CONTENT, now_ns + S);
  uint32_t contents = outlook.usual[0].contents;
  inf_outlook_end(&outlook, &attempt, INF_OUTLOOK_FAILED, now_ns + 9 * S);
  inf_outlook_end(&outlook, &none, INF_OUTLOOK_CONTENT, now_ns + 9 * S);
  inf_outlook_forget(&outlook, &attempt);
  assert_int_equal(outlook.waiting, 0);
  assert_int_equal(outlook.usual[0].contents, contents);
}

static void
what_has_no_time_leaves_no_trace(void **state)
{
  (void)state;
  know_half_a_second();
  inf_outlook_attempt attempt;
  inf_outlook_begin(&outlook, &attempt, 0, now_ns);
  inf_outlook_forget(&outlook, &attempt);
  inf_outlook_end(&outlook, &attempt, INF_OUTLOOK_CONTENT, now_ns + 60 * S);
  now_ns += 60 * S;
  assert_int_equal(look(0), 500 * MS);
}

/* Any order of beginnings and ends: when all have ended nobody waits, and a
 * target that answers as usual has the usual outlook. */
static void
nothing_is_left_when_all_have_ended(void **state)
{
  (void)state;
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  inf_outlook_attempt attempts[50] = {{0}};
  for (int i = 0; i < 100000; i++) {
    inf_outlook_attempt *one = &attempts[inf_rng_below(&rng, 50)];
    now_ns += inf_rng_below(&rng, 50 * MS);
    if (!one->waiting)
      inf_outlook_begin(&outlook, one, (uint32_t)inf_rng_below(&rng, 8),
                        now_ns);
    else
      inf_outlook_end(&outlook, one,
                      (inf_outlook_end_kind)inf_rng_below(&rng, 3), now_ns);
  }
  for (int i = 0; i < 50; i++)
    inf_outlook_end(&outlook, &attempts[i], INF_OUTLOOK_CANCELLED, now_ns);
  assert_int_equal(outlook.waiting, 0);
  assert_true(outlook.rate == 0 && outlook.starts == 0);
  now_ns += 3600 * S;
  for (uint32_t i = 0; i < 8; i++)
    assert_near(look(i),
                outlook.usual[i].waited_ns / outlook.usual[i].contents);
}

/* 5 calls in a second, half a second each, and then no answer any more. */
static void
a_black_hole_is_seen_within_two_seconds(void **state)
{
  (void)state;
  for (int i = 0; i < 100; i++) {
    play(0, 500 * MS, INF_OUTLOOK_CONTENT);
    now_ns -= 300 * MS; /* they overlap */
  }
  assert_near(look(0), 500 * MS);
  inf_outlook_attempt attempts[15];
  uint64_t last_ns = 0;
  for (int i = 0; i < 15; i++) {
    inf_outlook_begin(&outlook, &attempts[i], 0, now_ns += 200 * MS);
    if (i > 0)
      assert_true(look(0) > last_ns);
    last_ns = look(0);
    if (i == 9) /* 18 lengths are waited for in vain */
      assert_true(look(0) > 650 * MS);
  }
  assert_true(look(0) > 850 * MS);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(nothing_is_known_at_first, set_up),
      cmocka_unit_test_setup(as_it_was_it_will_be, set_up),
      cmocka_unit_test_setup(usual_is_the_mean, set_up),
      cmocka_unit_test_setup(who_was_cancelled_has_waited, set_up),
      cmocka_unit_test_setup(one_long_wait_counts_as_four, set_up),
      cmocka_unit_test_setup(it_learns_anew_what_is_usual, set_up),
      cmocka_unit_test_setup(each_length_has_its_own, set_up),
      cmocka_unit_test_setup(silence_counts_while_it_lasts, set_up),
      cmocka_unit_test_setup(a_failure_is_worse_than_silence, set_up),
      cmocka_unit_test_setup(slow_contents_count, set_up),
      cmocka_unit_test_setup(a_timeout_says_it_is_dead_not_for_how_long,
                             set_up),
      cmocka_unit_test_setup(
          trouble_with_long_prompts_is_trouble_with_short_ones, set_up),
      cmocka_unit_test_setup(the_past_fades_by_half_in_seven_seconds, set_up),
      cmocka_unit_test_setup(the_peak_fades_by_half_in_25_seconds, set_up),
      cmocka_unit_test_setup(looking_changes_nothing, set_up),
      cmocka_unit_test_setup(an_attempt_ends_once, set_up),
      cmocka_unit_test_setup(what_has_no_time_leaves_no_trace, set_up),
      cmocka_unit_test_setup(nothing_is_left_when_all_have_ended, set_up),
      cmocka_unit_test_setup(a_black_hole_is_seen_within_two_seconds, set_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
