/* SPDX-License-Identifier: MIT */
#include "engine/runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define NOW (1000 * INF_NS_PER_S)
#define S   INF_NS_PER_S

/* A provider with keys of these fingerprints. */
static inf_provider_config
provider_of(const char *name, inf_key *keys, const uint64_t *prints,
            size_t count)
{
  for (size_t i = 0; i < count; i++)
    keys[i] = (inf_key){.fingerprint = prints[i]};
  return (inf_provider_config){
      .name = (char *)(uintptr_t)name, .keys = keys, .key_count = count};
}

static size_t
pick(inf_runtime *runtime, const inf_provider_config *provider)
{
  int32_t why;
  return inf_runtime_pick_key(runtime, provider, NOW, &why);
}

static void
a_provider_without_keys_needs_none(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_provider_config provider = provider_of("p", NULL, NULL, 0);
  int32_t why = 1;
  assert_int_equal(inf_runtime_pick_key(runtime, &provider, NOW, &why),
                   INF_KEY_NONE);
  assert_int_equal(why, INFER_OK);
  assert_true(inf_runtime_has_key(runtime, &provider, NOW, &why));
  assert_false(inf_runtime_other_key_free(runtime, &provider, 0, NOW));
  inf_runtime_note_key(runtime, &provider, INF_KEY_NONE, INFER_E_AUTH, -1, NOW);
  assert_true(inf_runtime_has_key(runtime, &provider, NOW, &why));
  inf_runtime_free(runtime);
}

static void
looking_uses_no_key_up(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key keys[2];
  inf_provider_config provider =
      provider_of("p", keys, (const uint64_t[]){11, 22}, 2);
  int32_t why;
  assert_int_equal(pick(runtime, &provider), 0);
  for (int i = 0; i < 3; i++)
    assert_true(inf_runtime_has_key(runtime, &provider, NOW, &why));
  assert_int_equal(pick(runtime, &provider), 1);
  assert_int_equal(pick(runtime, &provider), 0);
  inf_runtime_free(runtime);
}

static void
all_keys_set_aside_tells_the_class_of_the_first(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key keys[2];
  inf_provider_config provider =
      provider_of("p", keys, (const uint64_t[]){11, 22}, 2);
  int32_t why;
  inf_runtime_note_key(runtime, &provider, 0, INFER_E_QUOTA, -1, NOW);
  inf_runtime_note_key(runtime, &provider, 1, INFER_E_AUTH, -1, NOW);
  assert_int_equal(inf_runtime_pick_key(runtime, &provider, NOW, &why),
                   INF_KEY_NONE);
  assert_int_equal(why, INFER_E_QUOTA);
  assert_false(inf_runtime_has_key(runtime, &provider, NOW, &why));
  assert_int_equal(why, INFER_E_QUOTA);
  /* The spent one comes back, the refused one does not. */
  assert_int_equal(
      inf_runtime_pick_key(runtime, &provider, NOW + 300 * S, &why), 0);
  inf_runtime_free(runtime);
}

static void
providers_are_apart(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key keys[2];
  inf_provider_config p = provider_of("p", &keys[0], (const uint64_t[]){1}, 1);
  inf_provider_config q = provider_of("q", &keys[1], (const uint64_t[]){1}, 1);
  int32_t why;
  inf_runtime_note_key(runtime, &p, 0, INFER_E_AUTH, -1, NOW);
  assert_false(inf_runtime_has_key(runtime, &p, NOW, &why));
  assert_true(inf_runtime_has_key(runtime, &q, NOW, &why));
  inf_runtime_free(runtime);
}

/* A reload that reorders or replaces keys keeps what is known of each. */
static void
keys_are_known_by_their_fingerprint(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key keys[2], moved[3], fresh[1];
  inf_provider_config before =
      provider_of("p", keys, (const uint64_t[]){11, 22}, 2);
  inf_runtime_note_key(runtime, &before, 0, INFER_E_AUTH, -1, NOW);
  inf_provider_config after =
      provider_of("p", moved, (const uint64_t[]){33, 22, 11}, 3);
  assert_int_equal(pick(runtime, &after), 0);
  assert_int_equal(pick(runtime, &after), 1);
  assert_int_equal(pick(runtime, &after), 0); /* 11 is refused wherever */
  inf_provider_config replaced =
      provider_of("p", fresh, (const uint64_t[]){44}, 1);
  assert_int_equal(pick(runtime, &replaced), 0);
  inf_runtime_free(runtime);
}

/* A call that began before a reload still works with the old keys. Its look
 * at them does not make the client forget what it knows of the new ones. */
static void
an_older_configuration_in_use_forgets_nothing(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key old_keys[1], new_keys[2];
  inf_provider_config old_one =
      provider_of("p", old_keys, (const uint64_t[]){11}, 1);
  inf_provider_config new_one =
      provider_of("p", new_keys, (const uint64_t[]){11, 22}, 2);
  assert_int_equal(pick(runtime, &new_one), 0);
  inf_runtime_note_key(runtime, &new_one, 1, INFER_E_AUTH, -1, NOW);
  assert_int_equal(pick(runtime, &old_one), 0);
  assert_int_equal(pick(runtime, &new_one), 0); /* not 22: it is refused */
  assert_int_equal(pick(runtime, &new_one), 0);
  inf_runtime_free(runtime);
}

static void
a_reload_forgives_refused_keys_only(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key keys[2];
  inf_provider_config provider =
      provider_of("p", keys, (const uint64_t[]){11, 22}, 2);
  inf_runtime_note_key(runtime, &provider, 0, INFER_E_AUTH, -1, NOW);
  inf_runtime_note_key(runtime, &provider, 1, INFER_E_QUOTA, -1, NOW);
  inf_runtime_forgive_keys(runtime);
  assert_int_equal(pick(runtime, &provider), 0);
  assert_int_equal(pick(runtime, &provider), 0);
  inf_runtime_free(runtime);
}

static void
another_free_key(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key keys[2];
  inf_provider_config provider =
      provider_of("p", keys, (const uint64_t[]){11, 22}, 2);
  assert_true(inf_runtime_other_key_free(runtime, &provider, 0, NOW));
  inf_runtime_note_key(runtime, &provider, 1, INFER_E_RATE_LIMITED,
                       (int64_t)(5 * S), NOW);
  assert_false(inf_runtime_other_key_free(runtime, &provider, 0, NOW));
  assert_true(inf_runtime_other_key_free(runtime, &provider, 0, NOW + 5 * S));
  assert_true(inf_runtime_other_key_free(runtime, &provider, 1, NOW));
  inf_runtime_free(runtime);
}

static void
first_token_times_are_kept_by_target(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  assert_int_equal(inf_runtime_ttft_ns(runtime, "p/m"), 0);
  inf_runtime_note_ttft(runtime, "p/m", 30);
  inf_runtime_note_ttft(runtime, "p/m", 10);
  inf_runtime_note_ttft(runtime, "p/m", 20);
  inf_runtime_note_ttft(runtime, "p/n", 99);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "p/m"), 20);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "p/n"), 99);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "p/"), 0);
  inf_runtime_free(runtime);
}

/* Keys that come and go: the pool begins anew when it is full. */
static void
keys_are_bounded(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  inf_key key;
  int32_t why;
  for (uint64_t print = 1; print <= 5000; print++) {
    inf_provider_config provider = provider_of("p", &key, &print, 1);
    assert_int_equal(pick(runtime, &provider), 0);
    inf_runtime_note_key(runtime, &provider, 0, INFER_E_AUTH, -1, NOW);
    assert_false(inf_runtime_has_key(runtime, &provider, NOW, &why));
  }
  inf_runtime_free(runtime);
}

/* Model names come with requests, so that there may be any number of them. */
static void
memory_is_bounded(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  char name[32];
  for (int i = 0; i < INF_RUNTIME_MAX + 100; i++) {
    snprintf(name, sizeof name, "p/%d", i);
    inf_runtime_note_ttft(runtime, name, 5);
  }
  assert_int_equal(inf_runtime_ttft_ns(runtime, "p/0"), 5);
  snprintf(name, sizeof name, "p/%d", INF_RUNTIME_MAX - 1);
  assert_int_equal(inf_runtime_ttft_ns(runtime, name), 5);
  snprintf(name, sizeof name, "p/%d", INF_RUNTIME_MAX);
  assert_int_equal(inf_runtime_ttft_ns(runtime, name), 0);
  inf_runtime_free(runtime);
}

static void
nothing_to_free_is_harmless(void **state)
{
  (void)state;
  inf_runtime_free(NULL);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_provider_without_keys_needs_none),
      cmocka_unit_test(looking_uses_no_key_up),
      cmocka_unit_test(all_keys_set_aside_tells_the_class_of_the_first),
      cmocka_unit_test(providers_are_apart),
      cmocka_unit_test(keys_are_known_by_their_fingerprint),
      cmocka_unit_test(an_older_configuration_in_use_forgets_nothing),
      cmocka_unit_test(a_reload_forgives_refused_keys_only),
      cmocka_unit_test(another_free_key),
      cmocka_unit_test(first_token_times_are_kept_by_target),
      cmocka_unit_test(keys_are_bounded),
      cmocka_unit_test(memory_is_bounded),
      cmocka_unit_test(nothing_to_free_is_harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
