/* SPDX-License-Identifier: MIT */
/* What a client remembers of providers, keys and targets. */
#include "support/fail_alloc.h"

#include "base/clock.h"
#include "engine/runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { max_keys = 8 };

/* A provider whose keys are known by these fingerprints, ended by 0. */
typedef struct pool {
  inf_provider_config provider;
  inf_key keys[max_keys];
  char name[16];
} pool;

static pool *
pool_init(pool *at, const char *name, const uint64_t *fingerprints)
{
  *at = (pool){0};
  snprintf(at->name, sizeof at->name, "%s", name);
  at->provider.name = at->name;
  at->provider.keys = at->keys;
  for (size_t i = 0; fingerprints[i] != 0; i++) {
    assert_true(i < max_keys);
    at->keys[i].fingerprint = fingerprints[i];
    at->provider.key_count = i + 1;
  }
  return at;
}

#define POOL(at, name, ...) \
  pool_init(at, name, (const uint64_t[]){__VA_ARGS__, 0})

static inf_runtime *
runtime_new(void)
{
  inf_runtime *runtime = inf_runtime_new();
  assert_non_null(runtime);
  return runtime;
}

static size_t
pick(inf_runtime *runtime, const pool *from, uint64_t now_ns)
{
  int32_t why = 99;
  size_t key = inf_runtime_pick_key(runtime, &from->provider, now_ns, &why);
  assert_true(key == INF_KEY_NONE || why == INFER_OK);
  return key;
}

static void
note(inf_runtime *runtime, const pool *at, size_t key, int32_t status,
     uint64_t now_ns)
{
  inf_runtime_note_key(runtime, &at->provider, key, status, -1, now_ns);
}

/* ---- Picking ------------------------------------------------------------- */

static void
keys_are_used_in_turn(void **state)
{
  (void)state;
  pool a, b;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11, 12, 13);
  POOL(&b, "b", 11, 12);
  assert_int_equal(pick(runtime, &a, 1), 0);
  assert_int_equal(pick(runtime, &a, 1), 1);
  assert_int_equal(pick(runtime, &b, 1), 0); /* each provider its own turn */
  assert_int_equal(pick(runtime, &a, 1), 2);
  assert_int_equal(pick(runtime, &a, 1), 0);
  assert_int_equal(pick(runtime, &b, 1), 1);
  inf_runtime_free(runtime);
}

static void
looking_uses_no_key_up(void **state)
{
  (void)state;
  pool a;
  int32_t why = 99;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11, 12);
  assert_int_equal(pick(runtime, &a, 1), 0);
  for (int i = 0; i < 3; i++) {
    assert_true(inf_runtime_has_key(runtime, &a.provider, 1, &why));
    assert_int_equal(why, INFER_OK);
  }
  assert_int_equal(pick(runtime, &a, 1), 1);
  inf_runtime_free(runtime);
}

static void
a_provider_without_keys_needs_none(void **state)
{
  (void)state;
  pool open;
  int32_t why = 99;
  inf_runtime *runtime = runtime_new();
  pool_init(&open, "open", (const uint64_t[]){0});
  assert_true(inf_runtime_pick_key(runtime, &open.provider, 1, &why) ==
              INF_KEY_NONE);
  assert_int_equal(why, INFER_OK);
  why = 99;
  assert_true(inf_runtime_has_key(runtime, &open.provider, 1, &why));
  assert_int_equal(why, INFER_OK);
  assert_false(inf_runtime_other_key_free(runtime, &open.provider, 0, 1));
  note(runtime, &open, 0, INFER_E_AUTH, 1); /* there is none to note it of */
  note(runtime, &open, INF_KEY_NONE, INFER_E_AUTH, 1);
  assert_true(inf_runtime_has_key(runtime, &open.provider, 1, &why));
  inf_runtime_free(runtime);
}

static void
refused_keys_are_set_aside_and_tell_why(void **state)
{
  (void)state;
  pool a;
  int32_t why = INFER_OK;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11, 12);
  assert_true(inf_runtime_other_key_free(runtime, &a.provider, 0, 1));
  note(runtime, &a, 1, INFER_E_QUOTA, 1);
  assert_false(inf_runtime_other_key_free(runtime, &a.provider, 0, 1));
  assert_true(inf_runtime_other_key_free(runtime, &a.provider, 1, 1));
  assert_int_equal(pick(runtime, &a, 1), 0);
  assert_int_equal(pick(runtime, &a, 1), 0);
  note(runtime, &a, 0, INFER_E_AUTH, 1);
  assert_true(inf_runtime_pick_key(runtime, &a.provider, 1, &why) ==
              INF_KEY_NONE);
  assert_int_equal(why, INFER_E_AUTH); /* the first one's */
  why = INFER_OK;
  assert_false(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_int_equal(why, INFER_E_AUTH);
  /* The spent one rests for five minutes, the refused one until a reload. */
  const uint64_t end_ns = 1 + 300 * INF_NS_PER_S;
  assert_false(inf_runtime_has_key(runtime, &a.provider, end_ns - 1, &why));
  assert_int_equal(pick(runtime, &a, end_ns), 1);
  assert_int_equal(pick(runtime, &a, INF_NEVER - 1), 1);
  inf_runtime_free(runtime);
}

static void
forgiving_is_for_refused_keys_only(void **state)
{
  (void)state;
  pool a, b;
  int32_t why;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11);
  POOL(&b, "b", 21);
  note(runtime, &a, 0, INFER_E_AUTH, 1);
  note(runtime, &b, 0, INFER_E_QUOTA, 1);
  inf_runtime_forgive_keys(runtime);
  assert_true(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_false(inf_runtime_has_key(runtime, &b.provider, 1, &why));
  assert_int_equal(why, INFER_E_QUOTA);
  inf_runtime_free(runtime);
}

static void
a_key_past_the_last_is_not_noted(void **state)
{
  (void)state;
  pool a;
  int32_t why;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11);
  note(runtime, &a, 1, INFER_E_AUTH, 1);
  note(runtime, &a, SIZE_MAX, INFER_E_AUTH, 1);
  assert_true(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  inf_runtime_free(runtime);
}

/* ---- Reload -------------------------------------------------------------- */

/* Keys are known by their fingerprints, wherever they stand. */
static void
what_is_known_follows_a_key_over_a_reload(void **state)
{
  (void)state;
  pool a;
  int32_t why;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11, 12, 13);
  note(runtime, &a, 1, INFER_E_QUOTA, 1);
  /* 12 is first now, 11 is gone and 14 is new. */
  POOL(&a, "a", 12, 14, 13);
  assert_int_equal(pick(runtime, &a, 1), 1);
  assert_int_equal(pick(runtime, &a, 1), 2);
  assert_int_equal(pick(runtime, &a, 1), 1);
  /* The spent one alone. */
  POOL(&a, "a", 12);
  assert_false(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_int_equal(why, INFER_E_QUOTA);
  /* A new secret in its place knows nothing of it. */
  POOL(&a, "a", 15);
  assert_int_equal(pick(runtime, &a, 1), 0);
  inf_runtime_free(runtime);
}

static void
more_keys_and_fewer(void **state)
{
  (void)state;
  pool a;
  int32_t why;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11);
  note(runtime, &a, 0, INFER_E_QUOTA, 1);
  POOL(&a, "a", 11, 12, 13, 14);
  assert_int_equal(pick(runtime, &a, 1), 1);
  note(runtime, &a, 3, INFER_E_AUTH, 1);
  POOL(&a, "a", 14, 11);
  assert_false(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_int_equal(why, INFER_E_AUTH);
  POOL(&a, "a", 11, 14);
  assert_false(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_int_equal(why, INFER_E_QUOTA);
  inf_runtime_free(runtime);
}

/* The same key under another provider's name is another key. */
static void
providers_are_known_by_name(void **state)
{
  (void)state;
  pool a, b;
  int32_t why;
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11);
  POOL(&b, "b", 11);
  note(runtime, &a, 0, INFER_E_AUTH, 1);
  assert_true(inf_runtime_has_key(runtime, &b.provider, 1, &why));
  inf_runtime_free(runtime);
}

/* ---- Time to first token ------------------------------------------------- */

static void
ttft_by_target(void **state)
{
  (void)state;
  inf_runtime *runtime = runtime_new();
  assert_int_equal(inf_runtime_ttft_ns(runtime, "a/m"), 0);
  inf_runtime_note_ttft(runtime, "a/m", 300);
  inf_runtime_note_ttft(runtime, "a/m", 100);
  inf_runtime_note_ttft(runtime, "a/m", 200);
  inf_runtime_note_ttft(runtime, "b/m", 7);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "a/m"), 200);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "b/m"), 7);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "b/n"), 0);
  inf_runtime_free(runtime);
}

/* ---- Limits -------------------------------------------------------------- */

static void
no_more_targets_than_its_limit(void **state)
{
  (void)state;
  char name[16];
  inf_runtime *runtime = runtime_new();
  for (unsigned i = 0; i <= INF_RUNTIME_MAX; i++) {
    snprintf(name, sizeof name, "t/%u", i);
    inf_runtime_note_ttft(runtime, name, 1000 + i);
  }
  assert_int_equal(inf_runtime_ttft_ns(runtime, name), 0);
  snprintf(name, sizeof name, "t/%u", INF_RUNTIME_MAX - 1);
  assert_int_equal(inf_runtime_ttft_ns(runtime, name),
                   1000 + INF_RUNTIME_MAX - 1);
  /* Of those that are known, more is learned. */
  inf_runtime_note_ttft(runtime, "t/0", 3000);
  inf_runtime_note_ttft(runtime, "t/0", 3000);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "t/0"), 3000);
  inf_runtime_free(runtime);
}

/* A provider past the limit can still be used: its first key, of which nothing
 * is learned. */
static void
no_more_providers_than_its_limit(void **state)
{
  (void)state;
  pool a;
  int32_t why;
  char name[16];
  inf_runtime *runtime = runtime_new();
  for (unsigned i = 0; i < INF_RUNTIME_MAX; i++) {
    snprintf(name, sizeof name, "p%u", i);
    POOL(&a, name, 11, 12);
    assert_int_equal(pick(runtime, &a, 1), 0);
  }
  assert_int_equal(pick(runtime, &a, 1), 1);
  POOL(&a, "one more", 11, 12);
  assert_int_equal(pick(runtime, &a, 1), 0);
  assert_int_equal(pick(runtime, &a, 1), 0);
  note(runtime, &a, 0, INFER_E_AUTH, 1);
  assert_true(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_false(inf_runtime_other_key_free(runtime, &a.provider, 0, 1));
  inf_runtime_free(runtime);
}

/* ---- Short memory and threads -------------------------------------------- */

/* Whatever fails, a key can be had, and what could be learned is right. */
static void
learn(void *arg)
{
  (void)arg;
  pool a;
  int32_t why;
  inf_runtime *runtime = inf_runtime_new();
  if (!runtime) {
    assert_true(fail_alloc_hits() > 0);
    return;
  }
  POOL(&a, "a", 11, 12);
  assert_true(pick(runtime, &a, 1) < 2);
  note(runtime, &a, 0, INFER_E_AUTH, 1);
  POOL(&a, "a", 12, 11, 13);
  assert_true(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_true(pick(runtime, &a, 1) < 3);
  inf_runtime_other_key_free(runtime, &a.provider, 0, 1);
  inf_runtime_note_ttft(runtime, "a/m", 5);
  uint64_t ttft_ns = inf_runtime_ttft_ns(runtime, "a/m");
  assert_true(ttft_ns == 5 || (ttft_ns == 0 && fail_alloc_hits() > 0));
  inf_runtime_free(runtime);
}

static void
short_memory_costs_only_knowledge(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(learn, NULL) > 7);
  fail_alloc_uninstall();
}

/* When a reload's pool cannot be made, what was known of the keys stays. */
static void
a_failed_adaption_keeps_what_was_known(void **state)
{
  (void)state;
  pool a;
  int32_t why;
  fail_alloc_install();
  inf_runtime *runtime = runtime_new();
  POOL(&a, "a", 11, 12);
  note(runtime, &a, 0, INFER_E_AUTH, 1);
  for (size_t n = 1; n <= 2; n++) {
    POOL(&a, "a", 12, 11);
    fail_alloc_nth(n);
    assert_int_equal(pick(runtime, &a, 1), 0);
    assert_int_equal(fail_alloc_hits(), 1);
  }
  fail_alloc_never();
  POOL(&a, "a", 11);
  assert_false(inf_runtime_has_key(runtime, &a.provider, 1, &why));
  assert_int_equal(why, INFER_E_AUTH);
  inf_runtime_free(runtime);
  fail_alloc_uninstall();
}

enum { threads = 4, rounds = 2000 };

static void *
use_it(void *context)
{
  inf_runtime *runtime = context;
  pool a, other;
  int32_t why;
  POOL(&a, "a", 11, 12);
  POOL(&other, "a", 12, 13, 14);
  for (unsigned i = 0; i < rounds; i++) {
    const pool *use = i % 7 ? &a : &other;
    size_t key = inf_runtime_pick_key(runtime, &use->provider, i, &why);
    if (key >= use->provider.key_count)
      abort();
    note(runtime, use, key, INFER_E_RATE_LIMITED, i);
    inf_runtime_other_key_free(runtime, &use->provider, key, i);
    inf_runtime_note_ttft(runtime, "a/m", 5);
    if (inf_runtime_ttft_ns(runtime, "a/m") != 5)
      abort();
    inf_runtime_forgive_keys(runtime);
  }
  return NULL;
}

static void
threads_may_share_it(void **state)
{
  (void)state;
  pthread_t ids[threads];
  inf_runtime *runtime = runtime_new();
  for (size_t i = 0; i < threads; i++)
    assert_int_equal(pthread_create(&ids[i], NULL, use_it, runtime), 0);
  for (size_t i = 0; i < threads; i++)
    pthread_join(ids[i], NULL);
  inf_runtime_free(runtime);
  inf_runtime_free(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_are_used_in_turn),
      cmocka_unit_test(looking_uses_no_key_up),
      cmocka_unit_test(a_provider_without_keys_needs_none),
      cmocka_unit_test(refused_keys_are_set_aside_and_tell_why),
      cmocka_unit_test(forgiving_is_for_refused_keys_only),
      cmocka_unit_test(a_key_past_the_last_is_not_noted),
      cmocka_unit_test(what_is_known_follows_a_key_over_a_reload),
      cmocka_unit_test(more_keys_and_fewer),
      cmocka_unit_test(providers_are_known_by_name),
      cmocka_unit_test(ttft_by_target),
      cmocka_unit_test(no_more_targets_than_its_limit),
      cmocka_unit_test(no_more_providers_than_its_limit),
      cmocka_unit_test(short_memory_costs_only_knowledge),
      cmocka_unit_test(a_failed_adaption_keeps_what_was_known),
      cmocka_unit_test(threads_may_share_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
