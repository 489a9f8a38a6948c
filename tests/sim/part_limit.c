/* SPDX-License-Identifier: MIT */
/* Buckets against an exact reference, and distributions. */
#include "part_util.h"

#include "sim_dist.h"
#include "sim_limit.h"

#include "base/clock.h"
#include "wire/headers.h"

/* The same rule in 128-bit arithmetic, from the beginning each time: the
 * level in units after a list of takings. */
__extension__ typedef unsigned __int128 wide;

typedef struct reference {
  wide level, capacity;
  uint64_t rate, at_ns;
} reference;

#define UNIT (60 * INF_NS_PER_S)

static void
advance(reference *r, uint64_t now_ns)
{
  r->level += (wide)(now_ns - r->at_ns) * r->rate;
  if (r->level > r->capacity)
    r->level = r->capacity;
  r->at_ns = now_ns;
}

static void
buckets_are_exact(void **state)
{
  (void)state;
  static const uint64_t rates[] = {1, 7, 60, 999, 1000003, 100000000};
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  for (size_t i = 0; i < COUNT_OF(rates); i++) {
    uint64_t now_ns = 12345, capacity = rates[i] / 2 + 1;
    inf_sim_bucket bucket;
    inf_sim_bucket_init(&bucket, rates[i], capacity, now_ns);
    reference r = {(wide)capacity * UNIT, (wide)capacity * UNIT, rates[i],
                   now_ns};
    for (int step = 0; step < 20000; step++) {
      now_ns += inf_rng_below(&rng, 3 * UNIT / rates[i] + 2);
      uint64_t n = 1 + inf_rng_below(&rng, capacity);
      advance(&r, now_ns);
      uint64_t wait_ns = inf_sim_bucket_wait_ns(&bucket, n, now_ns);
      assert_int_equal(wait_ns == 0, r.level >= (wide)n * UNIT);
      if (wait_ns > 0) { /* enough then, and not a nanosecond before */
        assert_true(r.level + (wide)wait_ns * r.rate >= (wide)n * UNIT);
        assert_true(r.level + (wide)(wait_ns - 1) * r.rate < (wide)n * UNIT);
      } else {
        inf_sim_bucket_take(&bucket, n);
        r.level -= (wide)n * UNIT;
      }
      assert_int_equal(inf_sim_bucket_left(&bucket, now_ns),
                       (uint64_t)(r.level / UNIT));
    }
  }
}

static void
long_rests_do_not_overflow(void **state)
{
  (void)state;
  inf_sim_bucket bucket;
  inf_sim_bucket_init(&bucket, 100000000, 100000000, 0);
  inf_sim_bucket_take(&bucket, 100000000);
  assert_int_equal(inf_sim_bucket_left(&bucket, UINT64_MAX - 1), 100000000);
  assert_true(inf_sim_bucket_wait_ns(&bucket, 100000001, UINT64_MAX) ==
              UINT64_MAX);
}

static void
verdicts(void **state)
{
  (void)state;
  inf_sim_limits limits = {0};
  const inf_sim_limit limit = {
      .requests = 2, .tokens = 100, .burst = 2, .burst_tokens = 100};
  inf_sim_verdict v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 60, 0);
  assert_true(v.limited && v.admitted);
  assert_int_equal(v.requests_left, 1);
  assert_int_equal(v.tokens_left, 40);
  assert_int_equal(v.requests_full_ns, 30 * INF_NS_PER_S);
  assert_int_equal(v.tokens_full_ns, 36 * INF_NS_PER_S);
  /* 41 tokens come 0.6 s later; refusing takes nothing. */
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 41, 0);
  assert_true(!v.admitted && v.by_tokens && !v.too_large);
  assert_int_equal(v.wait_ns, 600000000);
  assert_int_equal(v.requests_left, 1);
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 40, 0);
  assert_true(v.admitted);
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 0, 0);
  assert_true(!v.admitted && !v.by_tokens);
  assert_int_equal(v.wait_ns, 30 * INF_NS_PER_S);
  /* Another key has its own; what can never pass is told apart. */
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("b"), 101, 0);
  assert_true(!v.admitted && v.too_large && v.by_tokens);
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("b"), 100, 0);
  assert_true(v.admitted);
  v = inf_sim_limits_ask(&limits, NULL, INF_SV("b"), 100, 0);
  assert_true(v.admitted && !v.limited);
  inf_sim_limits_fini(&limits);
}

/* Somebody else takes a fifth of what flows in, and no header says so. */
static void
others_are_hidden(void **state)
{
  (void)state;
  inf_sim_limits limits = {0};
  const inf_sim_limit limit = {
      .requests = 60, .burst = 60, .others_requests = 12};
  inf_sim_verdict v = {0};
  for (int i = 0; i < 60; i++)
    v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 0, 0);
  assert_true(v.admitted);
  assert_int_equal(v.requests_full_ns, 60 * INF_NS_PER_S);
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 0, 1);
  assert_false(v.admitted);
  assert_int_equal(v.requests, 60);
  assert_int_equal(v.wait_ns, INF_NS_PER_S);
  /* It waits as it was told to, and the request is not there yet. */
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 0, INF_NS_PER_S);
  assert_false(v.admitted);
  assert_int_equal(v.wait_ns, INF_NS_PER_S / 5);
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 0,
                         INF_NS_PER_S + INF_NS_PER_S / 4);
  assert_true(v.admitted);
  /* Eight of ten come back, and no more than it holds. */
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 0,
                         11 * INF_NS_PER_S + INF_NS_PER_S / 4);
  assert_int_equal(v.requests_left, 7);
  v = inf_sim_limits_ask(&limits, &limit, INF_SV("a"), 0, 200 * INF_NS_PER_S);
  assert_int_equal(v.requests_left, 59);
  inf_sim_limits_fini(&limits);
}

static void
durations_as_go_writes_them(void **state)
{
  static const struct {
    uint64_t ns;
    const char *text;
  } cases[] = {
      {0, "0s"},
      {1, "1ns"},
      {350000, "350us"},
      {1500, "1.5us"},
      {17 * INF_NS_PER_MS, "17ms"},
      {1234567, "1.234567ms"},
      {INF_NS_PER_S, "1s"},
      {8640 * INF_NS_PER_MS, "8.64s"},
      {60 * INF_NS_PER_S, "1m0s"},
      {360 * INF_NS_PER_S, "6m0s"},
      {86400 * INF_NS_PER_MS, "1m26.4s"},
      {3723 * INF_NS_PER_S, "1h2m3s"},
      {7200 * INF_NS_PER_S, "2h0m0s"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    inf_buf text;
    uint64_t back_ns = 0;
    inf_buf_init(&text, 64);
    inf_sim_put_go_duration(&text, cases[i].ns);
    assert_string_equal(inf_buf_cstr(&text), cases[i].text);
    if (cases[i].ns != 1 && cases[i].ns != 1500) {
      assert_true(inf_parse_go_duration(inf_buf_sv(&text), &back_ns));
      assert_int_equal(back_ns, cases[i].ns);
    }
    inf_buf_fini(&text);
  }
}

/* Distributions. */

static int
compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

#define DRAWS 100000
static double drawn[DRAWS];

static double
draw_all(const inf_sim_dist *dist)
{
  inf_rng rng;
  double sum = 0;
  inf_rng_seed(&rng, 3);
  for (size_t i = 0; i < DRAWS; i++) {
    drawn[i] = inf_sim_dist_draw(dist, &rng);
    sum += drawn[i];
  }
  qsort(drawn, DRAWS, sizeof(drawn[0]), compare);
  return sum / DRAWS;
}

static void
assert_near(double value, double wanted, double part)
{
  if (value < wanted * (1 - part) || value > wanted * (1 + part))
    fail_msg("%g is not near %g", value, wanted);
}

static void
distributions_are_what_they_say(void **state)
{
  (void)state;
  inf_sim_dist lognormal = inf_sim_dist_lognormal(200, 900);
  draw_all(&lognormal);
  assert_near(drawn[DRAWS / 2], 200, 0.02);
  assert_near(drawn[DRAWS * 95 / 100], 900, 0.03);
  inf_sim_dist uniform = {.kind = INF_SIM_UNIFORM, .a = 10, .b = 30};
  assert_near(draw_all(&uniform), 20, 0.01);
  assert_true(drawn[0] >= 10 && drawn[DRAWS - 1] < 30);
  inf_sim_dist exponential = {.kind = INF_SIM_EXPONENTIAL, .a = 50};
  assert_near(draw_all(&exponential), 50, 0.02);
  assert_near(drawn[DRAWS / 2], 50 * 0.693147, 0.02);
  const inf_sim_part parts[] = {{3, inf_sim_dist_constant(1)},
                                {1, inf_sim_dist_constant(5)}};
  inf_sim_dist mix = {.kind = INF_SIM_MIX, .parts = parts, .part_count = 2};
  assert_near(draw_all(&mix), 2, 0.02);
  assert_true(drawn[0] == 1 && drawn[DRAWS - 1] == 5);
  const inf_sim_part points[] = {{0, inf_sim_dist_constant(100)},
                                 {0.5, inf_sim_dist_constant(200)},
                                 {0.9, inf_sim_dist_constant(200)},
                                 {1, inf_sim_dist_constant(1200)}};
  inf_sim_dist quantiles = {
      .kind = INF_SIM_QUANTILES, .parts = points, .part_count = 4};
  draw_all(&quantiles);
  assert_true(drawn[0] >= 100 && drawn[DRAWS - 1] <= 1200);
  assert_near(drawn[DRAWS / 4], 150, 0.02);
  assert_near(drawn[DRAWS * 7 / 10], 200, 1e-9);
  assert_near(drawn[DRAWS * 95 / 100], 700, 0.05);
}

static void
a_constant_draws_nothing(void **state)
{
  (void)state;
  inf_rng rng, untouched;
  inf_rng_seed(&rng, 9);
  untouched = rng;
  inf_sim_dist constant = inf_sim_dist_constant(2.5);
  assert_int_equal(inf_sim_dist_draw_ns(&constant, &rng), 2500000);
  assert_int_equal(inf_sim_dist_draw_count(&constant, &rng, 100), 3);
  assert_memory_equal(&rng, &untouched, sizeof(rng));
  inf_sim_dist zero = {0};
  assert_true(inf_sim_dist_is_zero(&zero));
  assert_int_equal(inf_sim_dist_draw_count(&zero, &rng, 100), 1);
  inf_sim_dist much = inf_sim_dist_constant(1e300);
  assert_int_equal(inf_sim_dist_draw_count(&much, &rng, 100), 100);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(buckets_are_exact),
      cmocka_unit_test(long_rests_do_not_overflow),
      cmocka_unit_test(verdicts),
      cmocka_unit_test(others_are_hidden),
      cmocka_unit_test(durations_as_go_writes_them),
      cmocka_unit_test(distributions_are_what_they_say),
      cmocka_unit_test(a_constant_draws_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
