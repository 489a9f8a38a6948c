/* SPDX-License-Identifier: MIT */
#include "policy/keys.h"

#include "base/clock.h"
#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW (1000 * INF_NS_PER_S)
#define S   INF_NS_PER_S

/* ---- Which key is next ----------------------------------------------------
 */

static void
keys_are_used_in_turn(void **state)
{
  (void)state;
  inf_key_state keys[3] = {{0}};
  assert_int_equal(inf_keys_pick(keys, 3, INF_KEY_NONE, NOW), 0);
  assert_int_equal(inf_keys_pick(keys, 3, 0, NOW), 1);
  assert_int_equal(inf_keys_pick(keys, 3, 1, NOW), 2);
  assert_int_equal(inf_keys_pick(keys, 3, 2, NOW), 0);
}

static void
no_keys_no_key(void **state)
{
  (void)state;
  assert_int_equal(inf_keys_pick(NULL, 0, INF_KEY_NONE, NOW), INF_KEY_NONE);
  assert_false(inf_keys_other_free(NULL, 0, INF_KEY_NONE, NOW));
}

static void
a_last_that_is_gone_does_no_harm(void **state)
{
  (void)state;
  inf_key_state keys[2] = {{0}};
  assert_true(inf_keys_pick(keys, 2, 7, NOW) < 2);
}

static void
a_key_that_is_set_aside_is_passed_over(void **state)
{
  (void)state;
  inf_key_state keys[3] = {{0}};
  keys[1].aside_until_ns = NOW + 1;
  assert_int_equal(inf_keys_pick(keys, 3, 0, NOW), 2);
  /* Its rest is over at the very moment that it names. */
  assert_int_equal(inf_keys_pick(keys, 3, 0, NOW + 1), 1);
}

static void
all_set_aside_is_none(void **state)
{
  (void)state;
  inf_key_state keys[2] = {{0}};
  keys[0].aside_until_ns = INF_NEVER;
  keys[1].aside_until_ns = NOW + 5 * S;
  assert_int_equal(inf_keys_pick(keys, 2, 0, NOW), INF_KEY_NONE);
  assert_int_equal(inf_keys_pick(keys, 2, 0, NOW + 5 * S), 1);
}

static void
a_limited_key_waits_while_another_is_free(void **state)
{
  (void)state;
  inf_key_state keys[3] = {{0}};
  keys[1].limited_until_ns = NOW + S;
  assert_int_equal(inf_keys_pick(keys, 3, 0, NOW), 2);
  assert_int_equal(inf_keys_pick(keys, 3, 0, NOW + S), 1);
}

/* A limit is a preference, never a refusal. */
static void
of_limited_keys_the_soonest_is_used(void **state)
{
  (void)state;
  inf_key_state keys[3] = {{0}};
  keys[0].limited_until_ns = NOW + 3 * S;
  keys[1].limited_until_ns = NOW + 2 * S;
  keys[2].limited_until_ns = NOW + 4 * S;
  assert_int_equal(inf_keys_pick(keys, 3, 1, NOW), 1);
  keys[1].aside_until_ns = INF_NEVER;
  assert_int_equal(inf_keys_pick(keys, 3, 1, NOW), 0);
}

/* ---- What a failure says of a key ------------------------------------------
 */

static void
a_spent_key_rests_five_minutes_or_its_hint(void **state)
{
  (void)state;
  inf_key_state key = {0};
  inf_keys_note(&key, INFER_E_QUOTA, -1, NOW);
  assert_int_equal(key.aside_until_ns, NOW + 300 * S);
  assert_int_equal(key.aside_status, INFER_E_QUOTA);
  assert_int_equal(key.limited_until_ns, 0);

  inf_key_state hinted = {0};
  inf_keys_note(&hinted, INFER_E_QUOTA, (int64_t)(20 * S), NOW);
  assert_int_equal(hinted.aside_until_ns, NOW + 20 * S);
  inf_key_state zero = {0};
  inf_keys_note(&zero, INFER_E_QUOTA, 0, NOW);
  assert_int_equal(zero.aside_until_ns, NOW + 300 * S);
}

/* The longer of two rests holds: a second answer with a shorter hint must not
 * bring the key back early. */
static void
a_rest_is_never_shortened(void **state)
{
  (void)state;
  inf_key_state key = {0};
  inf_keys_note(&key, INFER_E_QUOTA, (int64_t)(600 * S), NOW);
  inf_keys_note(&key, INFER_E_QUOTA, (int64_t)(10 * S), NOW + S);
  assert_int_equal(key.aside_until_ns, NOW + 600 * S);
  inf_keys_note(&key, INFER_E_QUOTA, (int64_t)(900 * S), NOW + S);
  assert_int_equal(key.aside_until_ns, NOW + 901 * S);

  inf_keys_note(&key, INFER_E_RATE_LIMITED, (int64_t)(60 * S), NOW);
  inf_keys_note(&key, INFER_E_RATE_LIMITED, (int64_t)(2 * S), NOW);
  assert_int_equal(key.limited_until_ns, NOW + 60 * S);
}

static void
a_refused_key_is_out_until_reload(void **state)
{
  (void)state;
  inf_key_state key = {0};
  inf_keys_note(&key, INFER_E_AUTH, (int64_t)(5 * S), NOW);
  assert_int_equal(key.aside_until_ns, INF_NEVER);
  assert_int_equal(key.aside_status, INFER_E_AUTH);
  inf_keys_note(&key, INFER_E_QUOTA, (int64_t)(5 * S), NOW);
  assert_int_equal(key.aside_until_ns, INF_NEVER);
  assert_int_equal(key.aside_status, INFER_E_AUTH);
}

static void
a_limited_key_is_noted_softly(void **state)
{
  (void)state;
  inf_key_state key = {0};
  inf_keys_note(&key, INFER_E_RATE_LIMITED, (int64_t)(7 * S), NOW);
  assert_int_equal(key.limited_until_ns, NOW + 7 * S);
  assert_int_equal(key.aside_until_ns, 0);
  inf_key_state unhinted = {0};
  inf_keys_note(&unhinted, INFER_E_RATE_LIMITED, -1, NOW);
  assert_int_equal(unhinted.limited_until_ns, NOW + S);
}

static void
other_failures_say_nothing_of_the_key(void **state)
{
  (void)state;
  const int32_t others[] = {
      INFER_OK,        INFER_E_SERVER,    INFER_E_OVERLOADED,
      INFER_E_RESET,   INFER_E_NOT_FOUND, INFER_E_BAD_REQUEST,
      INFER_E_TIMEOUT, INFER_E_CANCELLED, INFER_E_CONTENT_FILTER,
  };
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    inf_key_state key = {0};
    inf_keys_note(&key, others[i], (int64_t)(9 * S), NOW);
    assert_int_equal(key.aside_until_ns, 0);
    assert_int_equal(key.limited_until_ns, 0);
  }
}

static void
a_hint_without_end_does_not_wrap(void **state)
{
  (void)state;
  inf_key_state key = {0};
  inf_keys_note(&key, INFER_E_RATE_LIMITED, INT64_MAX, INF_NEVER - 10);
  assert_int_equal(key.limited_until_ns, INF_NEVER);
}

/* A wrong number must not cost a key for ever. */
static void
no_key_rests_longer_than_a_day(void **state)
{
  (void)state;
  const uint64_t day_ns = 24 * 3600 * S;
  inf_key_state key = {0};
  inf_keys_note(&key, INFER_E_QUOTA, (int64_t)day_ns, NOW);
  assert_int_equal(key.aside_until_ns, NOW + day_ns);
  inf_keys_note(&key, INFER_E_QUOTA, (int64_t)(365 * day_ns), NOW);
  assert_int_equal(key.aside_until_ns, NOW + day_ns);
  inf_keys_note(&key, INFER_E_RATE_LIMITED, (int64_t)(365 * day_ns), NOW);
  assert_int_equal(key.limited_until_ns, NOW + day_ns);
}

/* ---- Is there another? ------------------------------------------------------
 */

static void
another_key_must_be_free_and_not_the_used_one(void **state)
{
  (void)state;
  inf_key_state keys[3] = {{0}};
  assert_true(inf_keys_other_free(keys, 3, 0, NOW));
  keys[1].limited_until_ns = NOW + 1;
  keys[2].aside_until_ns = NOW + 1;
  assert_false(inf_keys_other_free(keys, 3, 0, NOW));
  assert_true(inf_keys_other_free(keys, 3, 1, NOW));
  assert_true(inf_keys_other_free(keys, 3, 0, NOW + 1));
  assert_false(inf_keys_other_free(keys, 1, 0, NOW));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_are_used_in_turn),
      cmocka_unit_test(no_keys_no_key),
      cmocka_unit_test(a_last_that_is_gone_does_no_harm),
      cmocka_unit_test(a_key_that_is_set_aside_is_passed_over),
      cmocka_unit_test(all_set_aside_is_none),
      cmocka_unit_test(a_limited_key_waits_while_another_is_free),
      cmocka_unit_test(of_limited_keys_the_soonest_is_used),
      cmocka_unit_test(a_spent_key_rests_five_minutes_or_its_hint),
      cmocka_unit_test(a_rest_is_never_shortened),
      cmocka_unit_test(a_refused_key_is_out_until_reload),
      cmocka_unit_test(a_limited_key_is_noted_softly),
      cmocka_unit_test(other_failures_say_nothing_of_the_key),
      cmocka_unit_test(a_hint_without_end_does_not_wrap),
      cmocka_unit_test(no_key_rests_longer_than_a_day),
      cmocka_unit_test(another_key_must_be_free_and_not_the_used_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
