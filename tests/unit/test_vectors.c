/* SPDX-License-Identifier: MIT */
/* Vectors: each place filled once, by numbers, of one length. */
#include "unit/provider_support.h"

#include "provider/vectors.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct holder {
  inf_vectors *vectors;
  inf_buf why;
} holder;

static holder
hold(size_t count, size_t wanted)
{
  holder h = {.vectors = inf_vectors_new(count, wanted)};
  assert_non_null(h.vectors);
  inf_buf_init(&h.why, 1024);
  return h;
}

static void
drop(holder *h)
{
  inf_vectors_unref(h->vectors);
  inf_buf_fini(&h->why);
}

static int32_t
put(holder *h, size_t index, const char *json)
{
  inf_buf_clear(&h->why);
  return inf_vectors_put(h->vectors, index, S(json), &h->why);
}

static void
test_numbers_are_read_as_they_stand(void **state)
{
  (void)state;
  holder h = hold(2, 0);
  assert_int_equal(put(&h, 1, "[ 0.1,\n-2e-3 , 3 ]"), INFER_OK);
  assert_int_equal(put(&h, 0, "[-0.0123456789012345678901,1E2,0]"), INFER_OK);
  assert_int_equal(h.vectors->dimensions, 3);
  const float *v = inf_vectors_at(h.vectors, 1);
  assert_true(v[0] == 0.1f && v[1] == -0.002f && v[2] == 3.0f);
  v = inf_vectors_at(h.vectors, 0);
  assert_true(v[0] == -0.0123456789012345678901f && v[1] == 100.0f);
  assert_int_equal(inf_vectors_check(h.vectors, &h.why), INFER_OK);
  assert_null(inf_vectors_at(h.vectors, 2));
  drop(&h);
}

static void
test_base64_is_floats(void **state)
{
  (void)state;
  holder h = hold(4, 0);
  assert_int_equal(put(&h, 0, "\"AACAPwAAAMA=\""), INFER_OK);
  const float *v = inf_vectors_at(h.vectors, 0);
  assert_true(v[0] == 1.0f && v[1] == -2.0f);
  assert_int_equal(put(&h, 1, "\"AACAPwAAAM\\u0041=\""), INFER_OK);
  assert_int_equal(put(&h, 2, "[1,2]"), INFER_OK);
  static const char *const bad[] = {
      "\"AACAPwAAAMA\"",    /* padding */
      "\"AACAPwAAAMAAAA\"", /* no whole number of floats */
      "\"AACA*wAAAMA=\"",   "\"\"", "\"AADAfwAAgH8=\"", /* NaN, infinity */
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (put(&h, 3, bad[i]) != INFER_E_PROTOCOL)
      fail_msg("%s was taken", bad[i]);
  assert_int_equal(inf_vectors_check(h.vectors, &h.why), INFER_E_PROTOCOL);
  drop(&h);
}

static void
expect_refusal(holder *h, size_t index, const char *json, const char *why)
{
  assert_int_equal(put(h, index, json), INFER_E_PROTOCOL);
  assert_buf(&h->why, why);
}

static void
test_what_does_not_fit_is_refused(void **state)
{
  (void)state;
  holder h = hold(3, 0);
  expect_refusal(&h, 0, "[]", "a vector is empty");
  expect_refusal(&h, 0, "null", "input 0 has no vector");
  expect_refusal(&h, 0, "", "input 0 has no vector");
  expect_refusal(&h, 0, "{\"a\":1}", "input 0 has no vector");
  assert_int_equal(put(&h, 0, "[1,2]"), INFER_OK);
  expect_refusal(&h, 3, "[1,2]", "a vector for input 3 of 3");
  expect_refusal(&h, 0, "[1,2]", "two vectors for input 0");
  expect_refusal(&h, 1, "[1,2,3]",
                 "the vector of input 1 has 3 dimensions, others 2");
  expect_refusal(&h, 1, "[1]",
                 "the vector of input 1 has 1 dimensions, others 2");
  static const char *const bad[] = {"[1,null]",  "[1,\"2\"]", "[1,true]",
                                    "[1,[2]]",   "[1,NaN]",   "[1,1e39]",
                                    "[1,-1e39]", "[1,{}]"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    expect_refusal(&h, 1, bad[i],
                   "place 1 of the vector of input 1 is no "
                   "number");
  inf_buf_clear(&h.why);
  assert_int_equal(inf_vectors_check(h.vectors, &h.why), INFER_E_PROTOCOL);
  assert_buf(&h.why, "1 vectors for 3 inputs");
  drop(&h);
}

static void
test_no_more_memory_than_vectors_may_take(void **state)
{
  (void)state;
  enum { count = INF_VECTORS_MAX_DIMENSIONS + 1 };
  char *json = malloc(2 * count + 2);
  for (size_t i = 0; i < count; i++)
    memcpy(json + 2 * i, i ? ",1" : "[1", 2);
  memcpy(json + 2 * count, "]", 2);
  holder h = hold(1, 0);
  assert_int_equal(put(&h, 0, json), INFER_E_TOO_LARGE);
  drop(&h);
  h = hold(INF_VECTORS_MAX_BYTES / 4 + 1, 0);
  assert_int_equal(put(&h, 0, "[1]"), INFER_E_TOO_LARGE);
  drop(&h);
  free(json);
}

static void
test_the_dimensions_asked_for_are_those_that_come(void **state)
{
  (void)state;
  holder h = hold(1, 3);
  expect_refusal(&h, 0, "[1,2]", "vectors have 2 dimensions, 3 were asked for");
  assert_int_equal(put(&h, 0, "[1,2,3]"), INFER_OK);
  drop(&h);
}

static void
test_parts_join_at_their_place(void **state)
{
  (void)state;
  holder whole = hold(3, 0), part = hold(2, 0), other = hold(1, 0);
  assert_int_equal(put(&part, 0, "[1,2]"), INFER_OK);
  assert_int_equal(put(&part, 1, "[3,4]"), INFER_OK);
  assert_int_equal(put(&other, 0, "[5,6]"), INFER_OK);
  assert_int_equal(inf_vectors_join(whole.vectors, 1, part.vectors, &whole.why),
                   INFER_OK);
  assert_int_equal(inf_vectors_check(whole.vectors, &whole.why),
                   INFER_E_PROTOCOL);
  assert_int_equal(
      inf_vectors_join(whole.vectors, 0, other.vectors, &whole.why), INFER_OK);
  assert_int_equal(inf_vectors_check(whole.vectors, &whole.why), INFER_OK);
  static const float expected[] = {5, 6, 1, 2, 3, 4};
  assert_memory_equal(inf_vectors_at(whole.vectors, 0), expected,
                      sizeof expected);
  assert_int_equal(
      inf_vectors_join(whole.vectors, 2, other.vectors, &whole.why),
      INFER_E_PROTOCOL);
  inf_vectors_clear(whole.vectors);
  assert_null(inf_vectors_at(whole.vectors, 0));
  assert_int_equal(
      inf_vectors_join(whole.vectors, 2, other.vectors, &whole.why), INFER_OK);
  drop(&whole);
  drop(&part);
  drop(&other);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_numbers_are_read_as_they_stand),
      cmocka_unit_test(test_base64_is_floats),
      cmocka_unit_test(test_what_does_not_fit_is_refused),
      cmocka_unit_test(test_no_more_memory_than_vectors_may_take),
      cmocka_unit_test(test_the_dimensions_asked_for_are_those_that_come),
      cmocka_unit_test(test_parts_join_at_their_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
