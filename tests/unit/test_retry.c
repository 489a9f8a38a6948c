/* SPDX-License-Identifier: MIT */
/* Section 3.1 of the design, sentence by sentence. */
#include "policy/retry.h"

#include "base/clock.h"
#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW (5000 * INF_NS_PER_S)
#define MS  INF_NS_PER_MS
#define S   INF_NS_PER_S

enum { max_targets = 4, draws = 500 };

/* A call with its targets, of which the first has just been asked. */
typedef struct scene {
  inf_route_params params;
  inf_retry_target targets[max_targets];
  inf_retry_call call;
  inf_retry_failure failure;
  inf_rng rng;
} scene;

static void
scene_init(scene *at, size_t target_count, int32_t status)
{
  *at = (scene){
      .params = {.retries = 2, .stay_retries = 1, .stay_max_wait_ms = 1000},
      .failure = {.status = status,
                  .hint_ns = -1,
                  .should_retry = -1,
                  .sent = true,
                  .keyed = true},
  };
  for (size_t i = 0; i < target_count; i++)
    at->targets[i].has_key = true;
  at->call = (inf_retry_call){
      .params = &at->params,
      .targets = at->targets,
      .target_count = target_count,
      .attempts = 1,
      .deadline_ns = NOW + 60 * S,
  };
  inf_rng_seed(&at->rng, 7);
}

static inf_retry_decision
decide(scene *at)
{
  return inf_retry_decide(&at->call, &at->failure, NOW, &at->rng);
}

static inf_retry_decision
decide_fresh(size_t target_count, int32_t status)
{
  scene at;
  scene_init(&at, target_count, status);
  return decide(&at);
}

/* The attempt that was decided on was made, and failed too. */
static inf_retry_decision
then_fails(scene *at, inf_retry_decision before, int32_t status)
{
  assert_int_equal(before.action, INF_RETRY_ATTEMPT);
  at->call.current = before.target;
  at->call.attempts += before.counted ? 1 : 0;
  at->failure.status = status;
  at->failure.hint_ns = -1;
  at->failure.was_resend = before.reason == INFER_REASON_RESEND;
  return decide(at);
}

static void
assert_end(inf_retry_decision decision)
{
  assert_int_equal(decision.action, INF_RETRY_END);
  assert_non_null(decision.why);
}

static void
assert_attempt(inf_retry_decision decision, size_t target, int32_t reason)
{
  assert_int_equal(decision.action, INF_RETRY_ATTEMPT);
  assert_int_equal(decision.target, target);
  assert_int_equal(decision.reason, reason);
  assert_non_null(decision.why);
}

static void
assert_at_once(inf_retry_decision decision, size_t target, int32_t reason)
{
  assert_attempt(decision, target, reason);
  assert_int_equal(decision.at_ns, NOW);
}

/* ---- The two middle columns -------------------------------------------------
 */

static const int32_t backoff_classes[] = {
    INFER_E_RESOLVE,  INFER_E_CONNECT,    INFER_E_TLS,
    INFER_E_RESET,    INFER_E_OVERLOADED, INFER_E_SERVER,
    INFER_E_PROTOCOL, INFER_E_TOO_LARGE,  INFER_E_TOO_DEEP,
};
static const int32_t elsewhere_only_classes[] = {
    INFER_E_FIRST_TOKEN_TIMEOUT, INFER_E_ATTEMPT_TIMEOUT,
    INFER_E_IDLE_TIMEOUT,        INFER_E_TRUNCATED,
    INFER_E_NOT_FOUND,           INFER_E_REQUEST_TOO_LARGE,
    INFER_E_UNSUPPORTED,
};
static const int32_t final_classes[] = {
    INFER_E_BAD_REQUEST, INFER_E_CANCELLED,      INFER_E_DEADLINE,
    INFER_E_BUDGET,      INFER_E_NO_TARGET,      INFER_E_LIMIT,
    INFER_E_TLS_VERIFY,  INFER_E_CONTENT_FILTER, INFER_E_CONTEXT_LENGTH,
    INFER_E_NO_MEMORY,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
same_target_again_with_backoff(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(backoff_classes); i++) {
    inf_retry_decision decision = decide_fresh(2, backoff_classes[i]);
    assert_attempt(decision, 0, INFER_REASON_RETRY);
    assert_true(decision.counted);
    assert_in_range(decision.at_ns, NOW + 50 * MS, NOW + 250 * MS);
  }
}

static void
a_silent_or_broken_target_is_not_asked_twice(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(elsewhere_only_classes); i++) {
    scene at;
    scene_init(&at, 2, elsewhere_only_classes[i]);
    inf_retry_decision decision = decide(&at);
    assert_at_once(decision, 1, INFER_REASON_FAILOVER);
    assert_true(decision.counted);
    /* Not even when the other target has failed and the allowance holds. */
    decision = then_fails(&at, decision, INFER_E_NOT_FOUND);
    assert_end(decision);
    assert_end(decide_fresh(1, elsewhere_only_classes[i]));
  }
}

static void
final_failures_end_the_call(void **state)
{
  (void)state;
  for (size_t i = 0; i < COUNT(final_classes); i++) {
    assert_end(decide_fresh(1, final_classes[i]));
    assert_end(decide_fresh(3, final_classes[i]));
  }
}

static void
refused_content_goes_elsewhere_only_if_the_route_says_so(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_CONTENT_FILTER);
  at.params.failover_content_filter = true;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  scene_init(&at, 2, INFER_E_CONTENT_FILTER);
  at.params.failover_tls_verify = true;
  assert_end(decide(&at));
}

static void
an_untrusted_certificate_goes_elsewhere_only_if_the_route_says_so(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_TLS_VERIFY);
  at.params.failover_tls_verify = true;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  scene_init(&at, 2, INFER_E_TLS_VERIFY);
  at.params.failover_content_filter = true;
  assert_end(decide(&at));
}

/* ---- Backoff ------------------------------------------------------------- */

static void
backoff_is_drawn_from_50_to_250_ms(void **state)
{
  (void)state;
  uint64_t low = UINT64_MAX, high = 0;
  scene at;
  scene_init(&at, 1, INFER_E_SERVER);
  for (int i = 0; i < draws; i++) {
    at.targets[0] = (inf_retry_target){.has_key = true};
    uint64_t wait_ns = decide(&at).at_ns - NOW;
    assert_in_range(wait_ns, 50 * MS, 250 * MS);
    low = wait_ns < low ? wait_ns : low;
    high = wait_ns > high ? wait_ns : high;
  }
  assert_true(low < 60 * MS);
  assert_true(high > 240 * MS);
}

static void
further_waits_on_a_target_double_the_window_up_to_8_s(void **state)
{
  (void)state;
  const uint64_t high_ms[] = {250, 500, 1000, 2000, 4000, 8000, 8000, 8000};
  scene at;
  scene_init(&at, 1, INFER_E_SERVER);
  for (uint32_t stays = 0; stays < COUNT(high_ms); stays++) {
    uint64_t high = 0;
    for (int i = 0; i < draws; i++) {
      at.targets[0] = (inf_retry_target){.has_key = true, .stays = stays};
      uint64_t wait_ns = decide(&at).at_ns - NOW;
      assert_in_range(wait_ns, 50 * MS, high_ms[stays] * MS);
      high = wait_ns > high ? wait_ns : high;
    }
    assert_true(high > high_ms[stays] * MS * 9 / 10);
  }
}

static void
the_same_seed_draws_the_same_waits(void **state)
{
  (void)state;
  assert_int_equal(decide_fresh(1, INFER_E_SERVER).at_ns,
                   decide_fresh(1, INFER_E_SERVER).at_ns);
}

/* ---- Stay ---------------------------------------------------------------- */

static void
after_stay_retries_the_next_target_at_once(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 3, INFER_E_OVERLOADED);
  inf_retry_decision decision = decide(&at);
  assert_attempt(decision, 0, INFER_REASON_RETRY);
  decision = then_fails(&at, decision, INFER_E_OVERLOADED);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  decision = then_fails(&at, decision, INFER_E_OVERLOADED);
  assert_attempt(decision, 1, INFER_REASON_RETRY);
  decision = then_fails(&at, decision, INFER_E_OVERLOADED);
  assert_at_once(decision, 2, INFER_REASON_FAILOVER);
}

static void
stay_retries_of_zero_goes_on_at_once(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_SERVER);
  at.params.stay_retries = 0;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
}

static void
stay_retries_of_two_stays_twice(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_SERVER);
  at.params.retries = 9;
  at.params.stay_retries = 2;
  inf_retry_decision decision = decide(&at);
  assert_attempt(decision, 0, INFER_REASON_RETRY);
  decision = then_fails(&at, decision, INFER_E_SERVER);
  assert_attempt(decision, 0, INFER_REASON_RETRY);
  decision = then_fails(&at, decision, INFER_E_SERVER);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
}

static void
a_wait_over_max_wait_is_no_reason_to_stay(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RATE_LIMITED);
  at.failure.hint_ns = (int64_t)(1000 * MS);
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
  scene_init(&at, 2, INFER_E_RATE_LIMITED);
  at.failure.hint_ns = (int64_t)(1001 * MS);
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  scene_init(&at, 2, INFER_E_SERVER);
  at.params.stay_max_wait_ms = 49;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
}

/* The hint decides whether to stay; the jitter on it is no dice. */
static void
jitter_does_not_decide_whether_to_stay(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 200; seed++) {
    scene at;
    scene_init(&at, 2, INFER_E_RATE_LIMITED);
    inf_rng_seed(&at.rng, seed);
    at.failure.hint_ns = (int64_t)(950 * MS);
    assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
  }
}

static void
max_wait_does_not_hold_for_the_last_target_left(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.failure.hint_ns = (int64_t)(20 * S);
  inf_retry_decision decision = decide(&at);
  assert_attempt(decision, 0, INFER_REASON_RETRY);
  assert_in_range(decision.at_ns, NOW + 20 * S, NOW + 24 * S);
}

static void
the_last_target_gets_what_the_allowance_holds(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_SERVER);
  at.params.retries = 3;
  inf_retry_decision decision = decide(&at);
  for (int i = 0; i < 3; i++) {
    assert_attempt(decision, 0, INFER_REASON_RETRY);
    decision = then_fails(&at, decision, INFER_E_SERVER);
  }
  assert_end(decision);
}

/* A target that was left with attempts in hand is gone back to, the soonest
 * first. */
static void
back_to_the_target_that_can_be_asked_soonest(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 3, INFER_E_RATE_LIMITED);
  at.failure.hint_ns = (int64_t)(9 * S);
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  at.call.current = 1;
  at.call.attempts = 2;
  at.failure.hint_ns = (int64_t)(5 * S);
  decision = decide(&at);
  assert_at_once(decision, 2, INFER_REASON_FAILOVER);
  decision = then_fails(&at, decision, INFER_E_FIRST_TOKEN_TIMEOUT);
  assert_attempt(decision, 1, INFER_REASON_FAILOVER);
  assert_in_range(decision.at_ns, NOW + 5 * S, NOW + 6 * S);
  decision = then_fails(&at, decision, INFER_E_NOT_FOUND);
  assert_attempt(decision, 0, INFER_REASON_FAILOVER);
  assert_in_range(decision.at_ns, NOW + 9 * S, NOW + 11 * S);
}

static void
a_wait_that_is_over_starts_now(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_NOT_FOUND);
  at.targets[0] = (inf_retry_target){
      .visited = true, .has_key = true, .not_before_ns = NOW - 3 * S};
  at.call.current = 1;
  assert_at_once(decide(&at), 0, INFER_REASON_FAILOVER);
}

static void
of_two_equally_soon_the_present_one_stays(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RATE_LIMITED);
  at.targets[0].visited = true;
  at.targets[0].not_before_ns = NOW + 1;
  at.call.current = 1;
  at.call.attempts = 2;
  at.failure.hint_ns = 1; /* too short for any jitter */
  assert_attempt(decide(&at), 1, INFER_REASON_RETRY);
}

/* ---- x-should-retry - */

static void
should_retry_false_forbids_the_same_target(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_SERVER);
  at.failure.should_retry = 0;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  at.failure.should_retry = -1;
  assert_attempt(then_fails(&at, decision, INFER_E_SERVER), 1,
                 INFER_REASON_RETRY);
  scene_init(&at, 1, INFER_E_OVERLOADED);
  at.failure.should_retry = 0;
  assert_end(decide(&at));
}

static void
should_retry_true_allows_the_same_target(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_NOT_FOUND);
  at.failure.should_retry = 1;
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
}

/* "Same target again?" only: it opens no other target. */
static void
should_retry_true_opens_no_other_target(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_BAD_REQUEST);
  at.failure.should_retry = 1;
  at.params.retries = 9;
  inf_retry_decision decision = decide(&at);
  for (int i = 0; i < 5; i++) {
    assert_attempt(decision, 0, INFER_REASON_RETRY);
    at.failure.should_retry = 1;
    decision = then_fails(&at, decision, INFER_E_BAD_REQUEST);
  }
}

/* Nor one that was asked before, though it could be asked sooner. */
static void
should_retry_true_opens_no_target_asked_before(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_SERVER);
  at.params.retries = 9;
  at.params.stay_retries = 0;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  at.targets[0].not_before_ns = NOW;
  at.failure.should_retry = 1;
  decision = then_fails(&at, decision, INFER_E_BAD_REQUEST);
  assert_attempt(decision, 1, INFER_REASON_RETRY);
}

static void
should_retry_false_closes_no_other_target(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_TRUNCATED);
  at.failure.should_retry = 0;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
}

/* ---- The hint ------------------------------------------------------------ */

static void
the_hint_is_a_floor_with_jitter_on_top(void **state)
{
  (void)state;
  uint64_t low = UINT64_MAX, high = 0;
  for (uint64_t seed = 0; seed < draws; seed++) {
    scene at;
    scene_init(&at, 1, INFER_E_RATE_LIMITED);
    inf_rng_seed(&at.rng, seed);
    at.failure.hint_ns = (int64_t)(10 * S);
    uint64_t wait_ns = decide(&at).at_ns - NOW;
    assert_in_range(wait_ns, 10 * S, 12 * S);
    low = wait_ns < low ? wait_ns : low;
    high = wait_ns > high ? wait_ns : high;
  }
  assert_true(low < 10 * S + 100 * MS);
  assert_true(high > 12 * S - 100 * MS);
}

static void
without_a_hint_a_limit_is_retried_like_a_failure(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  assert_in_range(decide(&at).at_ns, NOW + 50 * MS, NOW + 250 * MS);
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.failure.hint_ns = 0;
  assert_in_range(decide(&at).at_ns, NOW + 50 * MS, NOW + 250 * MS);
}

static void
a_hint_holds_for_other_classes_too(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_OVERLOADED);
  at.failure.hint_ns = (int64_t)(3 * S);
  assert_in_range(decide(&at).at_ns, NOW + 3 * S, NOW + 3600 * MS);
}

static void
above_120_s_it_means_not_here(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = NOW + 3600 * S;
  at.failure.hint_ns = (int64_t)(120 * S);
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);

  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = NOW + 3600 * S;
  at.failure.hint_ns = (int64_t)(120 * S) + 1;
  assert_end(decide(&at));

  scene_init(&at, 2, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = NOW + 3600 * S;
  at.failure.hint_ns = (int64_t)(121 * S);
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  assert_end(then_fails(&at, decision, INFER_E_NOT_FOUND));
}

static void
a_hint_past_the_deadline_fails_over(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RATE_LIMITED);
  at.params.stay_max_wait_ms = 120000;
  at.call.deadline_ns = NOW + 5 * S;
  at.failure.hint_ns = (int64_t)(6 * S);
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
}

static void
with_nowhere_to_go_it_ends_at_once_as_rate_limited(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = NOW + 5 * S;
  at.failure.hint_ns = (int64_t)(6 * S);
  assert_end(decide(&at));
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = NOW + 8 * S;
  at.failure.hint_ns = (int64_t)(6 * S);
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
}

static void
the_usual_first_token_time_must_fit_too(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = NOW + 5 * S;
  at.failure.hint_ns = (int64_t)(2 * S);
  at.targets[0].ttft_ns = 3 * S;
  assert_end(decide(&at));
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = NOW + 5 * S;
  at.failure.hint_ns = (int64_t)(2 * S);
  at.targets[0].ttft_ns = 2 * S; /* hint with its jitter is at most 2.4 s */
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
  scene_init(&at, 2, INFER_E_RATE_LIMITED);
  at.params.stay_max_wait_ms = 10000;
  at.call.deadline_ns = NOW + 5 * S;
  at.failure.hint_ns = (int64_t)(2 * S);
  at.targets[0].ttft_ns = 3 * S;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
}

static void
a_backoff_past_the_deadline_is_not_begun(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_SERVER);
  at.call.deadline_ns = NOW + 50 * MS;
  assert_end(decide(&at));
}

static void
a_passed_deadline_ends_the_call(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_FIRST_TOKEN_TIMEOUT);
  at.call.deadline_ns = NOW;
  assert_end(decide(&at));
}

static void
a_hint_without_end_does_not_wrap(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RATE_LIMITED);
  at.call.deadline_ns = INF_NEVER;
  at.failure.hint_ns = INT64_MAX;
  assert_end(decide(&at));
}

/* ---- The allowance ------------------------------------------------------- */

static void
allowance_is_one_and_retries_and_the_other_targets(void **state)
{
  (void)state;
  inf_route_params params = {.retries = 2};
  assert_int_equal(inf_retry_allowance(&params, 1), 3);
  assert_int_equal(inf_retry_allowance(&params, 3), 5);
  params.retries = 0;
  assert_int_equal(inf_retry_allowance(&params, 1), 1);
  assert_int_equal(inf_retry_allowance(&params, 4), 4);
}

/* However it is spent, the whole call makes no more attempts than that. */
static void
no_walk_makes_more_attempts_than_the_allowance(void **state)
{
  (void)state;
  for (size_t targets = 1; targets <= max_targets; targets++)
    for (int64_t retries = 0; retries <= 4; retries++) {
      scene at;
      scene_init(&at, targets, INFER_E_SERVER);
      at.params.retries = retries;
      inf_retry_decision decision = decide(&at);
      while (decision.action == INF_RETRY_ATTEMPT)
        decision = then_fails(&at, decision, INFER_E_SERVER);
      assert_int_equal(at.call.attempts, (int64_t)targets + retries);
      for (size_t i = 0; i < targets; i++)
        assert_true(at.targets[i].visited || retries + 1 < (int64_t)targets);
    }
}

static void
no_retries_still_visits_every_target(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 3, INFER_E_NOT_FOUND);
  at.params.retries = 0;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  decision = then_fails(&at, decision, INFER_E_NOT_FOUND);
  assert_at_once(decision, 2, INFER_REASON_FAILOVER);
  assert_end(then_fails(&at, decision, INFER_E_NOT_FOUND));
}

/* One attempt is kept for each target that was not asked yet. */
static void
staying_leaves_an_attempt_for_every_target(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 3, INFER_E_OVERLOADED);
  at.params.retries = 0;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  decision = then_fails(&at, decision, INFER_E_OVERLOADED);
  assert_at_once(decision, 2, INFER_REASON_FAILOVER);
  assert_end(then_fails(&at, decision, INFER_E_OVERLOADED));

  scene_init(&at, 3, INFER_E_OVERLOADED);
  at.params.retries = 1;
  decision = decide(&at);
  assert_attempt(decision, 0, INFER_REASON_RETRY);
  for (size_t i = 1; i < 3; i++) {
    decision = then_fails(&at, decision, INFER_E_OVERLOADED);
    assert_at_once(decision, i, INFER_REASON_FAILOVER);
  }
  assert_end(then_fails(&at, decision, INFER_E_OVERLOADED));
}

/* ---- A stale connection -------------------------------------------------- */

static void
a_stale_connection_is_resent_at_once_and_free(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RESET);
  at.failure.untouched = true;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 0, INFER_REASON_RESEND);
  assert_false(decision.counted);
}

static void
it_is_resent_once_in_a_row(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RESET);
  at.failure.untouched = true;
  inf_retry_decision decision = then_fails(&at, decide(&at), INFER_E_RESET);
  assert_attempt(decision, 0, INFER_REASON_RETRY);
  assert_true(decision.counted);
  assert_true(decision.at_ns >= NOW + 50 * MS);
  decision = then_fails(&at, decision, INFER_E_RESET);
  assert_at_once(decision, 0, INFER_REASON_RESEND);
}

static void
a_resend_needs_no_allowance(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_RESET);
  at.failure.untouched = true;
  at.call.attempts = 3;
  assert_at_once(decide(&at), 0, INFER_REASON_RESEND);
}

static void
a_resend_is_no_stay(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RESET);
  at.failure.untouched = true;
  decide(&at);
  assert_int_equal(at.targets[0].stays, 0);
}

/* ---- A token or a time that was refused ---------------------------------- */

/* Neither the allowance nor the budget pays for it, and the target is as good
 * as before. */
static void
a_renewed_token_is_tried_at_once_and_free(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_AUTH);
  at.failure.renewed = true;
  at.call.attempts = 4;
  at.call.stay_denied = "no budget";
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 0, INFER_REASON_KEY);
  assert_false(decision.counted);
  assert_false(at.targets[0].excluded);
  /* It is refused again: that is the target's end. */
  scene_init(&at, 2, INFER_E_AUTH);
  at.failure.keyed = false;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  assert_true(at.targets[0].excluded);
}

static void
a_renewed_token_does_not_run_twice_what_runs_once(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_AUTH);
  at.failure.renewed = at.failure.sent = at.call.run_once = true;
  assert_end(decide(&at));
}

/* ---- Run once ------------------------------------------------------------ */

static void
run_once_forbids_a_second_send(void **state)
{
  (void)state;
  const int32_t classes[] = {INFER_E_SERVER, INFER_E_RATE_LIMITED,
                             INFER_E_RESET, INFER_E_FIRST_TOKEN_TIMEOUT,
                             INFER_E_AUTH};
  for (size_t i = 0; i < COUNT(classes); i++) {
    scene at;
    scene_init(&at, 2, classes[i]);
    at.call.run_once = true;
    assert_end(decide(&at));
  }
}

/* Broken before a response byte is no proof that nothing was begun. */
static void
run_once_forbids_the_resend_after_a_stale_connection(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RESET);
  at.call.run_once = true;
  at.failure.untouched = true;
  assert_end(decide(&at));
}

static void
run_once_allows_another_send_when_no_byte_was_sent(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_CONNECT);
  at.call.run_once = true;
  at.failure.sent = false;
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
}

static void
run_once_allows_another_send_after_a_refused_stream(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RESET);
  at.call.run_once = true;
  at.failure.untouched = at.failure.refused = true;
  assert_at_once(decide(&at), 0, INFER_REASON_RESEND);
}

/* ---- Keys ---------------------------------------------------------------- */

static void
a_spent_or_refused_key_gives_way_to_the_next(void **state)
{
  (void)state;
  const int32_t classes[] = {INFER_E_QUOTA, INFER_E_AUTH};
  for (size_t i = 0; i < COUNT(classes); i++) {
    scene at;
    scene_init(&at, 2, classes[i]);
    inf_retry_decision decision = decide(&at);
    assert_at_once(decision, 0, INFER_REASON_KEY);
    assert_true(decision.counted); /* another key counts as a retry */
    assert_int_equal(at.targets[0].stays, 0);
  }
}

static void
without_another_key_the_next_target(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_AUTH);
  at.targets[0].has_key = false;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 1, INFER_REASON_FAILOVER);
  /* The target is out for this call, also if a key comes back. */
  at.targets[0].has_key = true;
  assert_end(then_fails(&at, decision, INFER_E_NOT_FOUND));
  scene_init(&at, 1, INFER_E_QUOTA);
  at.targets[0].has_key = false;
  assert_end(decide(&at));
}

/* A provider without keys that answers 401 has no next one. */
static void
without_keys_there_is_no_next_key(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_AUTH);
  at.failure.keyed = false;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  scene_init(&at, 1, INFER_E_QUOTA);
  at.failure.keyed = false;
  assert_end(decide(&at));
}

static void
a_limited_key_gives_way_to_a_free_one(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RATE_LIMITED);
  at.failure.hint_ns = (int64_t)(30 * S);
  at.failure.other_key_free = true;
  assert_at_once(decide(&at), 0, INFER_REASON_KEY);
  scene_init(&at, 2, INFER_E_SERVER);
  at.failure.other_key_free = true;
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
}

/* What was said of one key holds for that key, not for the target. */
static void
a_long_hint_for_one_key_leaves_the_target_in(void **state)
{
  (void)state;
  const int32_t classes[] = {INFER_E_RATE_LIMITED, INFER_E_QUOTA};
  for (size_t i = 0; i < COUNT(classes); i++) {
    scene at;
    scene_init(&at, 1, classes[i]);
    at.failure.hint_ns = (int64_t)(600 * S);
    at.failure.other_key_free = true;
    inf_retry_decision decision = decide(&at);
    assert_at_once(decision, 0, INFER_REASON_KEY);
    at.failure.other_key_free = false;
    assert_attempt(then_fails(&at, decision, INFER_E_SERVER), 0,
                   INFER_REASON_RETRY);
  }
}

static void
a_key_counts_against_the_allowance(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_AUTH);
  at.params.retries = 1;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 0, INFER_REASON_KEY);
  assert_end(then_fails(&at, decision, INFER_E_AUTH));
}

static void
targets_without_a_key_are_passed_over(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 3, INFER_E_NOT_FOUND);
  at.targets[1].has_key = false;
  inf_retry_decision decision = decide(&at);
  assert_at_once(decision, 2, INFER_REASON_FAILOVER);
  assert_end(then_fails(&at, decision, INFER_E_NOT_FOUND));
}

/* ---- A partial answer -----------------------------------------------------
 */

static void
who_can_go_on_is_taken_first(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 3, INFER_E_TRUNCATED);
  at.targets[2].continues = true;
  assert_at_once(decide(&at), 2, INFER_REASON_FAILOVER);
  /* Then the others, once there is none. */
  at.targets[2].continues = false;
  at.targets[2].visited = at.targets[2].excluded = true;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
}

static void
one_that_may_not_be_asked_is_not(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    scene at;
    scene_init(&at, 3, INFER_E_TRUNCATED);
    at.targets[2].continues = true;
    at.targets[2].has_key = i == 0;
    at.targets[2].excluded = i == 0;
    assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  }
}

/* A wait here is worth less than to go on elsewhere, and more than to start
 * again. */
static void
staying_depends_on_who_can_go_on(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_OVERLOADED);
  at.targets[1].continues = true;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  scene_init(&at, 2, INFER_E_OVERLOADED);
  at.targets[0].continues = at.targets[1].continues = true;
  assert_attempt(decide(&at), 0, INFER_REASON_RETRY);
  scene_init(&at, 2, INFER_E_OVERLOADED);
  at.params.stay_retries = 0;
  at.targets[0].continues = true;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
}

/* A prefill that was refused leaves the call where its answer broke off, and
 * the target unvisited. */
static void
who_refused_a_prefill_is_still_to_be_asked(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_TRUNCATED);
  at.targets[1].continues = true;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  at.targets[1].continues = false;
  at.call.attempts++;
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  at.call.attempts = inf_retry_allowance(&at.params, 2);
  assert_end(decide(&at));
}

/* ---- A budget that does not pay ------------------------------------------ */

static void
what_is_not_paid_goes_elsewhere(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_OVERLOADED);
  at.call.stay_denied = "no money";
  inf_retry_decision next = decide(&at);
  assert_at_once(next, 1, INFER_REASON_FAILOVER);
  /* Back to the first one is a failover too. */
  at.call.attempts++;
  at.call.current = 1;
  assert_attempt(decide(&at), 0, INFER_REASON_FAILOVER);
}

static void
or_nowhere(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1, INFER_E_OVERLOADED);
  at.call.stay_denied = "no money";
  inf_retry_decision next = decide(&at);
  assert_end(next);
  assert_string_equal(next.why, "no money");
}

static void
nor_is_the_next_key_tried(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_QUOTA);
  assert_attempt(decide(&at), 0, INFER_REASON_KEY);
  scene_init(&at, 2, INFER_E_QUOTA);
  at.call.stay_denied = "no money";
  assert_at_once(decide(&at), 1, INFER_REASON_FAILOVER);
  scene_init(&at, 1, INFER_E_QUOTA);
  at.call.stay_denied = "no money";
  assert_end(decide(&at));
}

static void
a_resend_is_not_paid(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_RESET);
  at.failure.untouched = true;
  at.call.stay_denied = "no money";
  assert_at_once(decide(&at), 0, INFER_REASON_RESEND);
}

/* What its class keeps here stays here, though the provider says "again". */
static void
who_may_take_its_place(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_OVERLOADED);
  assert_true(decide(&at).movable);
  scene_init(&at, 2, INFER_E_CONTENT_FILTER);
  at.failure.should_retry = 1;
  inf_retry_decision next = decide(&at);
  assert_attempt(next, 0, INFER_REASON_RETRY);
  assert_false(next.movable);
  scene_init(&at, 2, INFER_E_CONTENT_FILTER);
  at.params.failover_content_filter = true;
  assert_true(decide(&at).movable);
}

/* One whose breaker is open is the last to be asked, and not asked again. */
static void
one_that_is_shut_comes_last(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 3, INFER_E_OVERLOADED);
  at.targets[0].shut = at.targets[1].shut = true;
  inf_retry_decision next = decide(&at);
  assert_at_once(next, 2, INFER_REASON_FAILOVER);
  assert_at_once(then_fails(&at, next, INFER_E_IDLE_TIMEOUT), 1,
                 INFER_REASON_FAILOVER);
}

/* ---- Contexts ------------------------------------------------------------ */

static void
too_long_a_prompt_goes_to_a_larger_context_only(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 4, INFER_E_CONTEXT_LENGTH);
  at.targets[0].context_tokens = 8000;
  at.targets[1].context_tokens = 8000;
  at.targets[3].context_tokens = 8001; /* that of 2 is not known */
  inf_retry_decision next = decide(&at);
  assert_at_once(next, 3, INFER_REASON_FAILOVER);
  /* And not back to the others, whatever happens there. */
  assert_attempt(next = then_fails(&at, next, INFER_E_OVERLOADED), 3,
                 INFER_REASON_RETRY);
  assert_end(then_fails(&at, next, INFER_E_NOT_FOUND));
}

static void
without_a_known_larger_context_it_ends(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2, INFER_E_CONTEXT_LENGTH);
  at.targets[0].context_tokens = 8000;
  assert_end(decide(&at));
  scene_init(&at, 2, INFER_E_CONTEXT_LENGTH);
  at.targets[1].context_tokens = 8000; /* than what? */
  assert_end(decide(&at));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_paid_goes_elsewhere),
      cmocka_unit_test(or_nowhere),
      cmocka_unit_test(nor_is_the_next_key_tried),
      cmocka_unit_test(a_resend_is_not_paid),
      cmocka_unit_test(who_may_take_its_place),
      cmocka_unit_test(a_renewed_token_is_tried_at_once_and_free),
      cmocka_unit_test(a_renewed_token_does_not_run_twice_what_runs_once),
      cmocka_unit_test(one_that_is_shut_comes_last),
      cmocka_unit_test(who_can_go_on_is_taken_first),
      cmocka_unit_test(one_that_may_not_be_asked_is_not),
      cmocka_unit_test(staying_depends_on_who_can_go_on),
      cmocka_unit_test(who_refused_a_prefill_is_still_to_be_asked),
      cmocka_unit_test(same_target_again_with_backoff),
      cmocka_unit_test(a_silent_or_broken_target_is_not_asked_twice),
      cmocka_unit_test(final_failures_end_the_call),
      cmocka_unit_test(
          refused_content_goes_elsewhere_only_if_the_route_says_so),
      cmocka_unit_test(
          an_untrusted_certificate_goes_elsewhere_only_if_the_route_says_so),
      cmocka_unit_test(backoff_is_drawn_from_50_to_250_ms),
      cmocka_unit_test(further_waits_on_a_target_double_the_window_up_to_8_s),
      cmocka_unit_test(the_same_seed_draws_the_same_waits),
      cmocka_unit_test(after_stay_retries_the_next_target_at_once),
      cmocka_unit_test(stay_retries_of_zero_goes_on_at_once),
      cmocka_unit_test(stay_retries_of_two_stays_twice),
      cmocka_unit_test(a_wait_over_max_wait_is_no_reason_to_stay),
      cmocka_unit_test(jitter_does_not_decide_whether_to_stay),
      cmocka_unit_test(max_wait_does_not_hold_for_the_last_target_left),
      cmocka_unit_test(the_last_target_gets_what_the_allowance_holds),
      cmocka_unit_test(back_to_the_target_that_can_be_asked_soonest),
      cmocka_unit_test(a_wait_that_is_over_starts_now),
      cmocka_unit_test(of_two_equally_soon_the_present_one_stays),
      cmocka_unit_test(should_retry_false_forbids_the_same_target),
      cmocka_unit_test(should_retry_true_allows_the_same_target),
      cmocka_unit_test(should_retry_true_opens_no_other_target),
      cmocka_unit_test(should_retry_true_opens_no_target_asked_before),
      cmocka_unit_test(should_retry_false_closes_no_other_target),
      cmocka_unit_test(the_hint_is_a_floor_with_jitter_on_top),
      cmocka_unit_test(without_a_hint_a_limit_is_retried_like_a_failure),
      cmocka_unit_test(a_hint_holds_for_other_classes_too),
      cmocka_unit_test(above_120_s_it_means_not_here),
      cmocka_unit_test(a_hint_past_the_deadline_fails_over),
      cmocka_unit_test(with_nowhere_to_go_it_ends_at_once_as_rate_limited),
      cmocka_unit_test(the_usual_first_token_time_must_fit_too),
      cmocka_unit_test(a_backoff_past_the_deadline_is_not_begun),
      cmocka_unit_test(a_passed_deadline_ends_the_call),
      cmocka_unit_test(a_hint_without_end_does_not_wrap),
      cmocka_unit_test(allowance_is_one_and_retries_and_the_other_targets),
      cmocka_unit_test(no_walk_makes_more_attempts_than_the_allowance),
      cmocka_unit_test(no_retries_still_visits_every_target),
      cmocka_unit_test(staying_leaves_an_attempt_for_every_target),
      cmocka_unit_test(a_stale_connection_is_resent_at_once_and_free),
      cmocka_unit_test(it_is_resent_once_in_a_row),
      cmocka_unit_test(a_resend_needs_no_allowance),
      cmocka_unit_test(a_resend_is_no_stay),
      cmocka_unit_test(run_once_forbids_a_second_send),
      cmocka_unit_test(run_once_forbids_the_resend_after_a_stale_connection),
      cmocka_unit_test(run_once_allows_another_send_when_no_byte_was_sent),
      cmocka_unit_test(run_once_allows_another_send_after_a_refused_stream),
      cmocka_unit_test(a_spent_or_refused_key_gives_way_to_the_next),
      cmocka_unit_test(without_another_key_the_next_target),
      cmocka_unit_test(without_keys_there_is_no_next_key),
      cmocka_unit_test(a_limited_key_gives_way_to_a_free_one),
      cmocka_unit_test(a_long_hint_for_one_key_leaves_the_target_in),
      cmocka_unit_test(a_key_counts_against_the_allowance),
      cmocka_unit_test(targets_without_a_key_are_passed_over),
      cmocka_unit_test(too_long_a_prompt_goes_to_a_larger_context_only),
      cmocka_unit_test(without_a_known_larger_context_it_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
