/* SPDX-License-Identifier: MIT */
/* Quotas and prefix caches of simulated providers: exact integers. */
#include "replay_cache.h"
#include "replay_quota.h"
#include "replay_slots.h"
#include "replay_test.h"

#include "base/clock.h"

static inf_replay_model
model_with(uint64_t requests, uint64_t tokens, uint64_t burst_s)
{
  inf_replay_model model;
  inf_replay_model_init(&model);
  model.requests_per_minute = requests;
  model.tokens_per_minute = tokens;
  model.burst_s = burst_s;
  return model;
}

static void
requests_refill_steadily(void **state)
{
  (void)state;
  inf_replay_model model = model_with(120, 0, 2); /* two a second, four hold */
  inf_replay_quota quota;
  uint64_t now_ns = 7 * INF_NS_PER_S, wait_ns;
  inf_replay_quota_init(&quota, &model, now_ns);
  for (int i = 0; i < 4; i++)
    assert_true(
        inf_replay_quota_take(&quota, &model, 1 << 20, now_ns, &wait_ns));
  assert_false(inf_replay_quota_take(&quota, &model, 1, now_ns, &wait_ns));
  assert_int_equal(wait_ns, INF_NS_PER_S / 2);
  now_ns += wait_ns - 1;
  assert_false(inf_replay_quota_take(&quota, &model, 1, now_ns, &wait_ns));
  assert_int_equal(wait_ns, 1);
  now_ns += 1;
  assert_true(inf_replay_quota_take(&quota, &model, 1, now_ns, &wait_ns));
  assert_false(inf_replay_quota_take(&quota, &model, 1, now_ns, &wait_ns));
  /* It never holds more than its burst. */
  now_ns += 86400 * INF_NS_PER_S;
  for (int i = 0; i < 4; i++)
    assert_true(inf_replay_quota_take(&quota, &model, 1, now_ns, &wait_ns));
  assert_false(inf_replay_quota_take(&quota, &model, 1, now_ns, &wait_ns));
}

static void
tokens_count_too(void **state)
{
  (void)state;
  inf_replay_model model = model_with(60000, 6000, 60); /* 100 a second */
  inf_replay_quota quota;
  uint64_t now_ns = INF_NS_PER_S, wait_ns;
  inf_replay_quota_init(&quota, &model, now_ns);
  assert_true(inf_replay_quota_take(&quota, &model, 5900, now_ns, &wait_ns));
  assert_false(inf_replay_quota_take(&quota, &model, 300, now_ns, &wait_ns));
  assert_int_equal(wait_ns, 2 * INF_NS_PER_S);
  /* What was refused took nothing, of the requests neither. */
  assert_true(inf_replay_quota_take(&quota, &model, 100, now_ns, &wait_ns));
  assert_int_equal(quota.requests, (60000 - 2) * UINT64_C(1000000000));
  assert_int_equal(quota.tokens, 0);
  /* More than it ever holds. */
  assert_false(inf_replay_quota_take(&quota, &model, 6001, now_ns, &wait_ns));
  assert_true(wait_ns == UINT64_MAX);
}

static void
tells_what_is_left(void **state)
{
  (void)state;
  inf_replay_model model = model_with(60, 6000, 60);
  inf_replay_quota quota;
  inf_headers headers;
  inf_sv value;
  uint64_t wait_ns;
  inf_headers_init(&headers, 4096);
  inf_replay_quota_init(&quota, &model, 1);
  assert_true(inf_replay_quota_take(&quota, &model, 1000, 1, &wait_ns));
  inf_replay_quota_write(&quota, &model, &headers);
  static const char *const lines[][2] = {
      {"x-ratelimit-limit-requests", "60"},
      {"x-ratelimit-remaining-requests", "59"},
      {"x-ratelimit-reset-requests", "1001ms"},
      {"x-ratelimit-limit-tokens", "6000"},
      {"x-ratelimit-remaining-tokens", "5000"},
      {"x-ratelimit-reset-tokens", "10001ms"},
  };
  assert_int_equal(headers.count, COUNT_OF(lines));
  for (size_t i = 0; i < COUNT_OF(lines); i++) {
    assert_true(inf_headers_get(&headers, inf_sv_from(lines[i][0]), &value));
    assert_true(inf_sv_eq(value, inf_sv_from(lines[i][1])));
  }
  inf_headers_fini(&headers);
}

static size_t
ask(inf_prefix_cache *cache, uint64_t a, uint64_t b, uint64_t c)
{
  const uint64_t blocks[] = {a, b, c};
  return inf_prefix_cache_ask(cache, blocks, 3);
}

static void
prefixes_are_kept_by_their_use(void **state)
{
  (void)state;
  inf_prefix_cache *cache = inf_prefix_cache_new(5);
  assert_int_equal(inf_prefix_cache_ask(cache, NULL, 0), 0);
  assert_int_equal(ask(cache, 1, 2, 3), 0);
  assert_int_equal(ask(cache, 1, 2, 4), 2);
  assert_int_equal(ask(cache, 9, 2, 4), 0); /* the first is not there */
  assert_int_equal(ask(cache, 1, 2, 4), 3);
  /* Full: 3 was asked for longest ago, then 9. */
  assert_int_equal(ask(cache, 1, 2, 5), 2);
  assert_int_equal(ask(cache, 1, 2, 3), 2);
  assert_int_equal(ask(cache, 9, 2, 1), 0);
  assert_int_equal(ask(cache, 5, 3, 9), 3);
  inf_prefix_cache_free(cache);
  inf_prefix_cache_free(NULL);
}

/* Against a plain list. */
static void
a_cache_is_what_a_list_would_be(void **state)
{
  (void)state;
  enum { room = 40, names = 100, steps = 20000 };
  uint64_t list[room + 1];
  size_t count = 0;
  inf_rng rng;
  inf_prefix_cache *cache = inf_prefix_cache_new(room);
  inf_rng_seed(&rng, 3);
  for (int i = 0; i < steps; i++) {
    uint64_t name = inf_rng_below(&rng, names) << 40;
    size_t at = 0;
    while (at < count && list[at] != name)
      at++;
    assert_int_equal(inf_prefix_cache_ask(cache, &name, 1), at < count);
    if (at == count && count == room)
      at = 0; /* the first was used longest ago */
    else if (at == count)
      count++;
    memmove(&list[at], &list[at + 1], (count - at) * sizeof list[0]);
    list[count - 1] = name;
  }
  inf_prefix_cache_free(cache);
}

static void
places_are_free_in_turn(void **state)
{
  (void)state;
  inf_replay_slots slots;
  inf_replay_slots_init(&slots, 2);
  assert_int_equal(inf_replay_slots_begin(&slots, 10), 10);
  inf_replay_slots_take(&slots, 50);
  assert_int_equal(inf_replay_slots_begin(&slots, 10), 10);
  inf_replay_slots_take(&slots, 30);
  assert_int_equal(inf_replay_slots_begin(&slots, 10), 30);
  inf_replay_slots_take(&slots, 100);
  assert_int_equal(inf_replay_slots_begin(&slots, 10), 50);
  /* Given back, and what is not there any more. */
  inf_replay_slots_give(&slots, 100, 35);
  assert_int_equal(inf_replay_slots_begin(&slots, 20), 35);
  inf_replay_slots_give(&slots, 77, 1);
  inf_replay_slots_give(&slots, 50, 60);
  assert_int_equal(inf_replay_slots_begin(&slots, 20), 35);
  assert_int_equal(inf_replay_slots_begin(&slots, 40), 40);
  inf_replay_slots_fini(&slots);
}

/* Against the least of all places. */
static void
places_are_as_in_a_list(void **state)
{
  (void)state;
  enum { places = 9, steps = 5000 };
  uint64_t list[places] = {0}, now_ns = 1;
  inf_replay_slots slots;
  inf_rng rng;
  inf_rng_seed(&rng, 4);
  inf_replay_slots_init(&slots, places);
  for (int i = 0; i < steps; i++) {
    size_t least = 0;
    for (size_t k = 1; k < places; k++)
      least = list[k] < list[least] ? k : least;
    uint64_t begin_ns = list[least] > now_ns ? list[least] : now_ns;
    assert_int_equal(inf_replay_slots_begin(&slots, now_ns), begin_ns);
    list[least] = begin_ns + inf_rng_between(&rng, 1, 100000) * 16 + least;
    inf_replay_slots_take(&slots, list[least]);
    size_t back = inf_rng_below(&rng, places);
    if (i % 3 == 0 && list[back] > now_ns) {
      inf_replay_slots_give(&slots, list[back], now_ns);
      list[back] = now_ns;
    }
    now_ns += inf_rng_below(&rng, 300000);
  }
  inf_replay_slots_fini(&slots);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(requests_refill_steadily),
      cmocka_unit_test(tokens_count_too),
      cmocka_unit_test(tells_what_is_left),
      cmocka_unit_test(places_are_free_in_turn),
      cmocka_unit_test(places_are_as_in_a_list),
      cmocka_unit_test(prefixes_are_kept_by_their_use),
      cmocka_unit_test(a_cache_is_what_a_list_would_be),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
