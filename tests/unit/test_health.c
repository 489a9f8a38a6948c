/* SPDX-License-Identifier: MIT */
/* Breakers and budgets of targets, as the runtime keeps them. */
#include "engine/health.h"

#include "engine/runtime_state.h"
#include "support/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#define NOW (1000 * INF_NS_PER_S)
#define MS  INF_NS_PER_MS

typedef struct scene {
  inf_runtime *runtime;
  inf_rng rng;
  uint64_t now_ns;
} scene;

static scene
scene_new(void)
{
  scene at = {.runtime = inf_runtime_new(), .now_ns = NOW};
  assert_non_null(at.runtime);
  inf_rng_seed(&at.rng, 3);
  return at;
}

static void
scene_end(scene *at)
{
  inf_runtime_free(at->runtime);
}

static inf_health_attempt
begin(scene *at, const char *target)
{
  inf_health_attempt attempt = {0};
  inf_retry_claim none = {0};
  assert_true(inf_health_begin(at->runtime, &attempt, target, false, &none,
                               at->now_ns, &at->rng));
  return attempt;
}

/* An attempt that ends so at once; what the log is told. */
static const char *
attempt_ends(scene *at, const char *target, int32_t status)
{
  inf_health_attempt attempt = begin(at, target);
  return inf_health_end(at->runtime, &attempt, status, at->now_ns, &at->rng);
}

static void
fail_until_open(scene *at, const char *target, int32_t status)
{
  while (!attempt_ends(at, target, status))
    continue;
}

static inf_breaker_action
admit(scene *at, const char *target, bool last_resort)
{
  return inf_health_admit(at->runtime, target, last_resort, at->now_ns,
                          &at->rng)
      .action;
}

static inf_breaker_state
state_of(scene *at, const char *target)
{
  return inf_health_look(at->runtime, target, false, at->now_ns).state;
}

static int32_t
client_balance(const scene *at)
{
  return at->runtime->retries.balance;
}

static int32_t
target_balance(const scene *at, const char *target)
{
  return inf_runtime_known_locked(at->runtime, target)->budget.balance;
}

/* ---- Breakers ------------------------------------------------------------ */

static void
of_a_new_target_nothing_is_said(void **state)
{
  (void)state;
  scene at = scene_new();
  assert_int_equal(admit(&at, "a/m", false), INF_BREAKER_PASS);
  assert_int_equal(state_of(&at, "a/m"), INF_BREAKER_CLOSED);
  assert_int_equal(inf_health_last_failure(at.runtime, "a/m"), INFER_OK);
  assert_null(inf_health_afford(at.runtime, "a/m", INF_RETRY_BUDGET_STAY));
  assert_null(inf_runtime_known_locked(at.runtime, "a/m")); /* nor kept */
  scene_end(&at);
}

static void
each_target_has_its_own(void **state)
{
  (void)state;
  scene at = scene_new();
  for (int i = 0; i < 3; i++)
    assert_null(attempt_ends(&at, "a/m", INFER_E_SERVER));
  assert_string_equal(attempt_ends(&at, "a/m", INFER_E_SERVER),
                      "its breaker opens: attempts fail");
  assert_int_equal(admit(&at, "a/m", false), INF_BREAKER_DENY);
  assert_int_equal(admit(&at, "a/n", false), INF_BREAKER_PASS);
  assert_int_equal(admit(&at, "b/m", false), INF_BREAKER_PASS);
  assert_int_equal(inf_health_last_failure(at.runtime, "a/m"), INFER_E_SERVER);
  scene_end(&at);
}

static void
what_we_end_says_nothing(void **state)
{
  (void)state;
  static const int32_t ours[] = {
      INFER_E_CANCELLED, INFER_E_CLOSED,       INFER_E_DEADLINE,
      INFER_E_LIMIT,     INFER_E_NO_MEMORY,    INFER_E_NO_TARGET,
      INFER_E_AUTH,      INFER_E_RATE_LIMITED, INFER_E_BAD_REQUEST,
  };
  scene at = scene_new();
  for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
    for (int n = 0; n < 10; n++)
      assert_null(attempt_ends(&at, "a/m", ours[i]));
  inf_breaker_view view = inf_health_look(at.runtime, "a/m", false, at.now_ns);
  assert_int_equal(view.evidence_percent, 0);
  assert_int_equal(inf_health_last_failure(at.runtime, "a/m"), INFER_OK);
  assert_int_equal(inf_runtime_known_locked(at.runtime, "a/m")->breaker.young,
                   0);
  scene_end(&at);
}

static void
only_the_first_end_counts(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_health_attempt attempt = begin(&at, "a/m");
  for (int i = 0; i < 20; i++)
    assert_null(inf_health_end(at.runtime, &attempt, INFER_E_SERVER, at.now_ns,
                               &at.rng));
  assert_int_equal(state_of(&at, "a/m"), INF_BREAKER_CLOSED);
  inf_health_attempt none = {0};
  assert_null(inf_health_age(at.runtime, &none, at.now_ns, &at.rng));
  assert_null(inf_health_content(at.runtime, &none, at.now_ns, &at.rng));
  scene_end(&at);
}

/* Open, probes, return, closed: the log hears of each. */
static void
changes_of_state_are_told(void **state)
{
  (void)state;
  scene at = scene_new();
  fail_until_open(&at, "a/m", INFER_E_CONNECT);
  at.now_ns += 3000 * MS;
  for (int i = 0; i < 2; i++) {
    inf_health_attempt probe = {0};
    inf_retry_claim claim = {0};
    assert_true(inf_health_begin(at.runtime, &probe, "a/m", true, &claim,
                                 at.now_ns, &at.rng));
    const char *news =
        inf_health_content(at.runtime, &probe, at.now_ns, &at.rng);
    if (i == 0)
      assert_null(news);
    else
      assert_string_equal(news,
                          "its breaker lets a part of the requests through");
    assert_null(
        inf_health_end(at.runtime, &probe, INFER_OK, at.now_ns, &at.rng));
  }
  const char *news = NULL;
  int goods = 0;
  for (; !news; goods++)
    news = attempt_ends(&at, "a/m", INFER_OK);
  assert_string_equal(news, "its breaker closes");
  assert_int_equal(goods, 3 + 5 + 7);
  scene_end(&at);
}

static void
a_probe_that_is_not_due_begins_nothing(void **state)
{
  (void)state;
  scene at = scene_new();
  fail_until_open(&at, "a/m", INFER_E_CONNECT);
  inf_health_attempt probe = {0};
  inf_retry_claim claim;
  assert_null(
      inf_health_claim(at.runtime, "a/m", INF_RETRY_BUDGET_STAY, &claim));
  assert_false(inf_health_begin(at.runtime, &probe, "a/m", true, &claim,
                                at.now_ns, &at.rng));
  assert_null(probe.target);
  assert_int_equal(client_balance(&at), 3400);
  inf_health_refund(at.runtime, &claim); /* it is not spent */
  assert_int_equal(client_balance(&at), 3500);
  scene_end(&at);
}

static void
silence_that_opens_it_has_a_class(void **state)
{
  (void)state;
  scene at = scene_new();
  for (int i = 0; i < 64; i++)
    attempt_ends(&at, "a/m", INFER_OK);
  inf_health_attempt attempts[8] = {{0}};
  for (int i = 0; i < 8; i++)
    attempts[i] = begin(&at, "a/m");
  at.now_ns += 1000 * MS;
  const char *news = NULL;
  for (int i = 0; i < 8; i++) {
    assert_null(news);
    news = inf_health_age(at.runtime, &attempts[i], at.now_ns, &at.rng);
  }
  assert_string_equal(news, "its breaker opens: attempts fail");
  assert_int_equal(inf_health_last_failure(at.runtime, "a/m"),
                   INFER_E_FIRST_TOKEN_TIMEOUT);
  scene_end(&at);
}

/* ---- Budgets ------------------------------------------------------------- */

static void
a_claim_takes_from_client_and_target(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  assert_null(
      inf_health_claim(at.runtime, "a/m", INF_RETRY_BUDGET_STAY, &claim));
  assert_int_equal(client_balance(&at), 3400);
  assert_int_equal(target_balance(&at, "a/m"), 3400);
  inf_health_refund(at.runtime, &claim);
  inf_health_refund(at.runtime, &claim);
  assert_int_equal(client_balance(&at), 3500);
  assert_int_equal(target_balance(&at, "a/m"), 3500);
  scene_end(&at);
}

static void
a_beginning_spends_it(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  inf_health_attempt attempt = {0};
  inf_health_claim(at.runtime, "a/m", INF_RETRY_BUDGET_STAY, &claim);
  inf_health_begin(at.runtime, &attempt, "a/m", false, &claim, at.now_ns,
                   &at.rng);
  inf_health_refund(at.runtime, &claim);
  assert_int_equal(client_balance(&at), 3400);
  inf_health_end(at.runtime, &attempt, INFER_OK, at.now_ns, &at.rng);
  assert_int_equal(client_balance(&at), 3420);
  assert_int_equal(target_balance(&at, "a/m"), 3420);
  scene_end(&at);
}

static void
a_moved_claim_is_a_failover(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  inf_health_claim(at.runtime, "a/m", INF_RETRY_BUDGET_STAY, &claim);
  inf_health_move(at.runtime, "b/m", &claim);
  assert_int_equal(client_balance(&at), 3480);
  assert_int_equal(target_balance(&at, "a/m"), 3500);
  assert_int_equal(target_balance(&at, "b/m"), 3480);
  inf_health_refund(at.runtime, &claim);
  assert_int_equal(client_balance(&at), 3500);
  assert_int_equal(target_balance(&at, "b/m"), 3500);
  inf_health_move(at.runtime, "b/m", &claim); /* a first attempt is free */
  assert_int_equal(client_balance(&at), 3500);
  scene_end(&at);
}

static void
what_does_not_cover_the_move_pays_as_it_is(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claim;
  inf_health_claim(at.runtime, "b/m", INF_RETRY_BUDGET_STAY, &claim);
  inf_health_refund(at.runtime, &claim);
  inf_runtime_known_locked(at.runtime, "b/m")->budget.balance = 0;
  inf_health_claim(at.runtime, "a/m", INF_RETRY_BUDGET_STAY, &claim);
  inf_health_move(at.runtime, "b/m", &claim);
  assert_int_equal(client_balance(&at), 3400);
  inf_health_refund(at.runtime, &claim);
  assert_int_equal(client_balance(&at), 3500);
  assert_int_equal(target_balance(&at, "a/m"), 3500);
  scene_end(&at);
}

static void
to_afford_takes_nothing(void **state)
{
  (void)state;
  scene at = scene_new();
  at.runtime->retries.balance = 3099;
  assert_non_null(inf_health_afford(at.runtime, "a/m", INF_RETRY_BUDGET_STAY));
  assert_null(inf_health_afford(at.runtime, "a/m", INF_RETRY_BUDGET_FAILOVER));
  assert_int_equal(client_balance(&at), 3099);
  scene_end(&at);
}

static void
probes_have_a_budget_of_their_own(void **state)
{
  (void)state;
  scene at = scene_new();
  inf_retry_claim claims[10], none;
  for (int i = 0; i < 10; i++)
    assert_true(inf_health_claim_probe(at.runtime, &claims[i]));
  assert_false(inf_health_claim_probe(at.runtime, &none));
  assert_int_equal(client_balance(&at), 3500);
  for (int i = 0; i < 10; i++)
    inf_health_refund(at.runtime, &claims[i]);
  assert_int_equal(at.runtime->probes.balance, 1000);
  scene_end(&at);
}

/* ---- No room ------------------------------------------------------------- */

/* Nothing is kept of a target then: it is asked like any other. */
static void
without_memory_all_pass(void **state)
{
  (void)state;
  fail_alloc_install();
  scene at = scene_new();
  fail_alloc_from(1);
  for (int i = 0; i < 10; i++)
    assert_null(attempt_ends(&at, "a/m", INFER_E_SERVER));
  assert_int_equal(admit(&at, "a/m", false), INF_BREAKER_PASS);
  inf_retry_claim claim;
  assert_null(
      inf_health_claim(at.runtime, "a/m", INF_RETRY_BUDGET_STAY, &claim));
  assert_int_equal(client_balance(&at), 3400);
  inf_health_move(at.runtime, "b/m", &claim);
  assert_int_equal(client_balance(&at), 3480);
  inf_health_attempt attempt = {0};
  assert_true(inf_health_begin(at.runtime, &attempt, "a/m", true, &claim,
                               at.now_ns, &at.rng));
  assert_null(attempt.target);
  inf_health_refund(at.runtime, &claim);
  assert_int_equal(client_balance(&at), 3480);
  fail_alloc_never();
  scene_end(&at);
  fail_alloc_uninstall();
}

static void
past_the_limit_all_pass(void **state)
{
  (void)state;
  scene at = scene_new();
  char name[32];
  for (int i = 0; i < INF_RUNTIME_MAX; i++) {
    snprintf(name, sizeof name, "a/%d", i);
    attempt_ends(&at, name, INFER_OK);
  }
  for (int i = 0; i < 10; i++)
    assert_null(attempt_ends(&at, "b/m", INFER_E_SERVER));
  fail_until_open(&at, "a/7", INFER_E_SERVER);
  assert_int_equal(admit(&at, "b/m", false), INF_BREAKER_PASS);
  assert_int_equal(admit(&at, "a/7", false), INF_BREAKER_DENY);
  scene_end(&at);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_a_new_target_nothing_is_said),
      cmocka_unit_test(each_target_has_its_own),
      cmocka_unit_test(what_we_end_says_nothing),
      cmocka_unit_test(only_the_first_end_counts),
      cmocka_unit_test(changes_of_state_are_told),
      cmocka_unit_test(a_probe_that_is_not_due_begins_nothing),
      cmocka_unit_test(silence_that_opens_it_has_a_class),
      cmocka_unit_test(a_claim_takes_from_client_and_target),
      cmocka_unit_test(a_beginning_spends_it),
      cmocka_unit_test(a_moved_claim_is_a_failover),
      cmocka_unit_test(what_does_not_cover_the_move_pays_as_it_is),
      cmocka_unit_test(to_afford_takes_nothing),
      cmocka_unit_test(probes_have_a_budget_of_their_own),
      cmocka_unit_test(without_memory_all_pass),
      cmocka_unit_test(past_the_limit_all_pass),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
