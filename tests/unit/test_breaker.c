/* SPDX-License-Identifier: MIT */
#include "policy/breaker.h"

#include "base/clock.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS INF_NS_PER_MS
#define S  INF_NS_PER_S

enum { alternatives = 0, last_resort = 1, many = 1000 };

/* One target, at some time. */
typedef struct scene {
  inf_breaker breaker;
  inf_rng rng;
  uint64_t now_ns;
} scene;

static scene
scene_new(uint64_t seed)
{
  scene at = {.breaker = {.params = &inf_breaker_defaults}, .now_ns = 5000 * S};
  inf_rng_seed(&at.rng, seed);
  return at;
}

static inf_breaker_attempt
begin_as(scene *at, bool probe)
{
  inf_breaker_attempt attempt;
  assert_true(inf_breaker_begin(&at->breaker, &attempt, probe, 0, at->now_ns,
                                &at->rng));
  return attempt;
}

static inf_breaker_attempt
begin(scene *at)
{
  return begin_as(at, false);
}

static void
end(scene *at, inf_breaker_attempt *attempt, inf_breaker_outcome outcome,
    uint8_t percent)
{
  inf_breaker_end(&at->breaker, attempt, outcome, percent, at->now_ns,
                  &at->rng);
}

static void
content(scene *at, inf_breaker_attempt *attempt)
{
  inf_breaker_content(&at->breaker, attempt, at->now_ns, &at->rng);
}

static void
age(scene *at, inf_breaker_attempt *attempt)
{
  inf_breaker_age(&at->breaker, attempt, at->now_ns, &at->rng);
}

static void
lose(scene *at, uint8_t percent)
{
  inf_breaker_attempt attempt = begin(at);
  end(at, &attempt, INF_BREAKER_FAILED, percent);
}

static void
lose_times(scene *at, int times)
{
  for (int i = 0; i < times; i++)
    lose(at, 100);
}

static void
succeed(scene *at, int times, uint64_t ttft_ns)
{
  for (int i = 0; i < times; i++) {
    inf_breaker_attempt attempt = begin(at);
    at->now_ns += ttft_ns;
    end(at, &attempt, INF_BREAKER_OK, 0);
  }
}

static inf_breaker_verdict
admit(scene *at, bool last)
{
  return inf_breaker_admit(&at->breaker, last, at->now_ns, &at->rng);
}

static void
assert_action(scene *at, bool last, inf_breaker_action action)
{
  inf_breaker_verdict result = admit(at, last);
  assert_int_equal(result.action, action);
  assert_non_null(result.why);
}

static void
assert_state(const scene *at, inf_breaker_state state)
{
  assert_int_equal(at->breaker.state, state);
}

static scene
scene_open(uint64_t seed)
{
  scene at = scene_new(seed);
  lose_times(&at, 4);
  assert_state(&at, INF_BREAKER_OPEN);
  return at;
}

/* The next probe, when it is due. */
static inf_breaker_attempt
begin_probe(scene *at, bool last)
{
  inf_breaker_verdict result = admit(at, last);
  if (result.action == INF_BREAKER_DENY) {
    at->now_ns = result.retry_at_ns;
    result = admit(at, last);
  }
  assert_int_equal(result.action, INF_BREAKER_PROBE_DUE);
  return begin_as(at, true);
}

static void
probe(scene *at, inf_breaker_outcome outcome, uint8_t percent)
{
  inf_breaker_attempt attempt = begin_probe(at, alternatives);
  end(at, &attempt, outcome, percent);
}

static scene
scene_returning(uint64_t seed)
{
  scene at = scene_open(seed);
  probe(&at, INF_BREAKER_OK, 0);
  probe(&at, INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_RETURNING);
  return at;
}

/* Its usual 99th percentile is near 2 s, its late time near 4 s. */
static scene
scene_known(uint64_t seed)
{
  scene at = scene_new(seed);
  succeed(&at, 64, 2 * S);
  assert_int_equal(inf_breaker_late_ns(&at.breaker), 4 * S);
  return at;
}

/* ---- Evidence ------------------------------------------------------------ */

static void
four_failures_open(void **state)
{
  (void)state;
  scene at = scene_new(1);
  assert_action(&at, alternatives, INF_BREAKER_PASS);
  lose_times(&at, 3);
  assert_action(&at, alternatives, INF_BREAKER_PASS);
  lose_times(&at, 1);
  assert_action(&at, alternatives, INF_BREAKER_DENY);
  assert_int_equal(at.breaker.cause, INF_BREAKER_FAILING);
}

static void
evidence_is_the_sum_of_the_steps(void **state)
{
  (void)state;
  scene at = scene_new(1);
  lose(&at, 100);
  assert_int_equal(at.breaker.evidence, 177475);
  lose(&at, 50);
  assert_int_equal(at.breaker.evidence, 177475 + 88737);
  succeed(&at, 1, 0);
  assert_int_equal(at.breaker.evidence, 177475 + 88737 - 22051);
  succeed(&at, 12, 0);
  assert_int_equal(at.breaker.evidence, 0);
  succeed(&at, 100, 0);
  assert_int_equal(at.breaker.evidence, 0);
}

static void
what_weighs_nothing_opens_nothing(void **state)
{
  (void)state;
  scene at = scene_new(1);
  lose_times(&at, 3);
  for (int i = 0; i < many; i++) {
    lose(&at, 0);
    inf_breaker_attempt attempt = begin(&at);
    end(&at, &attempt, INF_BREAKER_ENDED_BY_US, 100);
  }
  assert_state(&at, INF_BREAKER_CLOSED);
  assert_int_equal(at.breaker.evidence, 3 * inf_breaker_failure);
  assert_int_equal(at.breaker.young, 0);
}

static void
a_timeout_is_half_a_failure(void **state)
{
  (void)state;
  scene at = scene_new(1);
  for (int i = 0; i < 7; i++)
    lose(&at, 50);
  assert_state(&at, INF_BREAKER_CLOSED);
  lose(&at, 50);
  assert_state(&at, INF_BREAKER_OPEN);
}

/* An attempt is one result: the success that its content was is undone. */
static void
a_cut_answer_is_one_failure(void **state)
{
  (void)state;
  scene at = scene_new(1);
  lose(&at, 100);
  for (int i = 0; i < 2; i++) {
    inf_breaker_attempt attempt = begin(&at);
    content(&at, &attempt);
    content(&at, &attempt);
    assert_int_equal(at.breaker.evidence,
                     (i + 1) * inf_breaker_failure - inf_breaker_success);
    end(&at, &attempt, INF_BREAKER_FAILED, 100);
    assert_int_equal(at.breaker.evidence, (i + 2) * inf_breaker_failure);
  }
  inf_breaker_attempt attempt = begin(&at);
  content(&at, &attempt);
  end(&at, &attempt, INF_BREAKER_FAILED, 100);
  assert_state(&at, INF_BREAKER_OPEN);
  assert_int_equal(at.breaker.cause, INF_BREAKER_CUT);
}

static void
an_attempt_ends_once(void **state)
{
  (void)state;
  scene at = scene_new(1);
  inf_breaker_attempt attempt = begin(&at);
  for (int i = 0; i < 10; i++)
    end(&at, &attempt, INF_BREAKER_FAILED, 100);
  content(&at, &attempt);
  at.now_ns += 100 * S;
  age(&at, &attempt);
  assert_int_equal(at.breaker.evidence, inf_breaker_failure);
  assert_int_equal(at.breaker.young, 0);
}

static void
an_attempt_of_no_breaker_is_nothing(void **state)
{
  (void)state;
  scene at = scene_new(1);
  scene before = at;
  inf_breaker_attempt attempt = {0};
  age(&at, &attempt);
  content(&at, &attempt);
  end(&at, &attempt, INF_BREAKER_OK, 0);
  end(&at, &attempt, INF_BREAKER_FAILED, 100);
  assert_memory_equal(&at, &before, sizeof at);
}

/* 1000 calls at once of which 20 fail, before the others are answered. */
static void
a_burst_with_early_failures_is_no_outage(void **state)
{
  (void)state;
  scene at = scene_new(1);
  static inf_breaker_attempt attempts[many];
  for (int i = 0; i < many; i++)
    attempts[i] = begin(&at);
  for (int i = 0; i < 20; i++)
    end(&at, &attempts[i], INF_BREAKER_FAILED, 100);
  assert_state(&at, INF_BREAKER_CLOSED);
  for (int i = 20; i < many; i++)
    content(&at, &attempts[i]);
  assert_state(&at, INF_BREAKER_CLOSED);
  assert_int_equal(at.breaker.evidence, 0);
}

/* With 32 in flight, two more than without. */
static void
concurrency_delays_opening_by_little(void **state)
{
  (void)state;
  scene at = scene_new(1);
  inf_breaker_attempt attempts[32];
  for (int i = 0; i < 32; i++)
    attempts[i] = begin(&at);
  int failures = 0;
  while (at.breaker.state == INF_BREAKER_CLOSED) {
    end(&at, &attempts[failures], INF_BREAKER_FAILED, 100);
    failures++;
  }
  assert_int_equal(failures, 6);
}

/* Nobody knows how long they may take, but not for ever. */
static void
what_waits_too_long_is_not_hoped_for(void **state)
{
  (void)state;
  scene at = scene_new(1);
  inf_breaker_attempt attempts[100];
  for (int i = 0; i < 100; i++)
    attempts[i] = begin(&at);
  assert_int_equal(attempts[0].late_at_ns, at.now_ns + 10 * S);
  at.now_ns += 10 * S;
  for (int i = 0; i < 100; i++)
    age(&at, &attempts[i]);
  assert_int_equal(at.breaker.evidence, 0);
  for (int i = 0; i < 4; i++)
    end(&at, &attempts[i], INF_BREAKER_FAILED, 100);
  assert_state(&at, INF_BREAKER_OPEN);
}

static void
a_flaky_target_needs_more(void **state)
{
  (void)state;
  scene at = scene_new(1);
  for (int i = 0; i < 400; i++) {
    succeed(&at, 49, 0);
    lose(&at, 100);
  }
  succeed(&at, 49, 0); /* 2 % failures */
  assert_state(&at, INF_BREAKER_CLOSED);
  lose_times(&at, 4);
  assert_state(&at, INF_BREAKER_CLOSED);
  lose_times(&at, 1);
  assert_state(&at, INF_BREAKER_OPEN);
  scene good = scene_new(1);
  for (int i = 0; i < 200; i++) {
    succeed(&good, 99, 0);
    lose(&good, 100);
  }
  succeed(&good, 99, 0); /* 1 % */
  lose_times(&good, 4);
  assert_state(&good, INF_BREAKER_OPEN);
}

/* ... but at most twice as much. */
static void
evidence_that_is_needed_has_a_bound(void **state)
{
  (void)state;
  scene at = scene_new(1);
  for (int i = 0; i < 4000; i++) {
    succeed(&at, 9, 0);
    lose(&at, 100);
  }
  assert_state(&at, INF_BREAKER_CLOSED);
  succeed(&at, 100, 0);
  lose_times(&at, 7);
  assert_state(&at, INF_BREAKER_CLOSED);
  lose_times(&at, 1);
  assert_state(&at, INF_BREAKER_OPEN);
}

static void
without_a_threshold_it_is_off(void **state)
{
  (void)state;
  inf_breaker_params off = inf_breaker_defaults;
  off.threshold = 0;
  scene at = scene_known(1);
  at.breaker.params = &off;
  lose_times(&at, 100);
  succeed(&at, 100, 60 * S);
  assert_state(&at, INF_BREAKER_CLOSED);
  at = scene_open(1);
  at.breaker.params = &off;
  assert_action(&at, alternatives, INF_BREAKER_PASS);
}

/* ---- Epochs -------------------------------------------------------------- */

static void
a_stale_success_does_not_close(void **state)
{
  (void)state;
  scene at = scene_new(1);
  inf_breaker_attempt old[8];
  for (int i = 0; i < 8; i++)
    old[i] = begin(&at);
  lose_times(&at, 5);
  assert_state(&at, INF_BREAKER_OPEN);
  scene before = at;
  for (int i = 0; i < 8; i++) {
    content(&at, &old[i]);
    end(&at, &old[i], INF_BREAKER_OK, 0);
  }
  assert_int_equal(at.breaker.stale, before.breaker.stale + 8);
  at.breaker.stale = before.breaker.stale;
  assert_memory_equal(&at.breaker, &before.breaker, sizeof at.breaker);
}

/* Nor that of a request which is no probe but was begun while it was open. */
static void
only_probes_close(void **state)
{
  (void)state;
  scene at = scene_open(1);
  succeed(&at, 100, 0);
  assert_state(&at, INF_BREAKER_OPEN);
  lose_times(&at, 100);
  assert_int_equal(at.breaker.opened, 1);
}

static void
a_stale_failure_does_not_open(void **state)
{
  (void)state;
  scene at = scene_new(1);
  inf_breaker_attempt old[16];
  for (int i = 0; i < 16; i++)
    old[i] = begin(&at);
  lose_times(&at, 5);
  inf_breaker_attempt first = begin_probe(&at, alternatives);
  content(&at, &first);
  inf_breaker_attempt second = begin_probe(&at, alternatives);
  content(&at, &second);
  assert_state(&at, INF_BREAKER_RETURNING);
  int64_t evidence = at.breaker.evidence;
  for (int i = 0; i < 16; i++)
    end(&at, &old[i], INF_BREAKER_FAILED, 100);
  end(&at, &first, INF_BREAKER_FAILED, 100);
  end(&at, &second, INF_BREAKER_FAILED, 100);
  assert_state(&at, INF_BREAKER_RETURNING);
  assert_int_equal(at.breaker.evidence, evidence);
}

/* ---- Probes -------------------------------------------------------------- */

static void
the_first_probe_after_two_seconds(void **state)
{
  (void)state;
  uint64_t low_ns = INF_NEVER, high_ns = 0;
  for (uint64_t seed = 0; seed < 500; seed++) {
    scene at = scene_open(seed);
    inf_breaker_verdict result = admit(&at, alternatives);
    assert_int_equal(result.action, INF_BREAKER_DENY);
    uint64_t wait_ns = result.retry_at_ns - at.now_ns;
    low_ns = wait_ns < low_ns ? wait_ns : low_ns;
    high_ns = wait_ns > high_ns ? wait_ns : high_ns;
    at.now_ns = result.retry_at_ns - 1;
    assert_action(&at, alternatives, INF_BREAKER_DENY);
    at.now_ns++;
    assert_action(&at, alternatives, INF_BREAKER_PROBE_DUE);
  }
  assert_in_range(low_ns, 1600 * MS, 1620 * MS);
  assert_in_range(high_ns, 2380 * MS, 2400 * MS);
}

static void
intervals_grow_to_thirty_seconds(void **state)
{
  (void)state;
  scene at = scene_open(3);
  uint64_t interval_ns = 2 * S;
  for (int i = 0; i < 12; i++) {
    uint64_t before_ns = at.now_ns;
    probe(&at, INF_BREAKER_FAILED, 100);
    assert_in_range(at.now_ns - before_ns, interval_ns / 5 * 4,
                    interval_ns / 5 * 6);
    interval_ns = interval_ns / 5 * 8;
    interval_ns = interval_ns < 30 * S ? interval_ns : 30 * S;
  }
  assert_state(&at, INF_BREAKER_OPEN);
}

static void
one_probe_at_a_time(void **state)
{
  (void)state;
  scene at = scene_open(1);
  inf_breaker_attempt attempt = begin_probe(&at, alternatives);
  for (int i = 0; i < 99; i++) {
    at.now_ns += 100 * MS;
    inf_breaker_verdict result = admit(&at, alternatives);
    assert_int_equal(result.action, INF_BREAKER_DENY);
    assert_true(result.retry_at_ns >= attempt.began_ns + 10 * S);
  }
}

/* Many requests may be told that a probe is due before one of them is sent. */
static void
of_those_that_were_told_one_is_sent(void **state)
{
  (void)state;
  scene at = scene_open(1);
  at.now_ns += 3 * S;
  int sent = 0;
  for (int i = 0; i < 100; i++)
    assert_action(&at, alternatives, INF_BREAKER_PROBE_DUE);
  for (int i = 0; i < 100; i++) {
    inf_breaker_attempt attempt;
    sent +=
        inf_breaker_begin(&at.breaker, &attempt, true, 0, at.now_ns, &at.rng);
    content(&at, &attempt); /* without effect, but for the first */
  }
  assert_int_equal(sent, 2); /* the second follows the first at once */
  at = scene_open(1);
  inf_breaker_attempt probe = begin_probe(&at, alternatives), late;
  assert_false(
      inf_breaker_begin(&at.breaker, &late, true, 0, at.now_ns, &at.rng));
  end(&at, &late, INF_BREAKER_OK, 0);
  end(&at, &probe, INF_BREAKER_FAILED, 100);
  assert_int_equal(at.breaker.probes, 1);
}

static void
two_good_probes_in_a_row_end_it(void **state)
{
  (void)state;
  scene at = scene_open(1);
  for (int i = 0; i < 5; i++) {
    probe(&at, INF_BREAKER_OK, 0);
    probe(&at, INF_BREAKER_FAILED, 50);
  }
  assert_state(&at, INF_BREAKER_OPEN);
  probe(&at, INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_OPEN);
  assert_action(&at, alternatives, INF_BREAKER_PROBE_DUE);
  probe(&at, INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_RETURNING);
}

/* A limit or a bad request says nothing, and does not make the next sooner. */
static void
a_probe_that_says_nothing_changes_nothing(void **state)
{
  (void)state;
  scene at = scene_open(1);
  probe(&at, INF_BREAKER_OK, 0);
  probe(&at, INF_BREAKER_FAILED, 0);
  assert_action(&at, alternatives, INF_BREAKER_DENY);
  probe(&at, INF_BREAKER_ENDED_BY_US, 0);
  assert_action(&at, alternatives, INF_BREAKER_DENY);
  probe(&at, INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_RETURNING);
}

static void
its_first_content_is_enough(void **state)
{
  (void)state;
  scene at = scene_open(1);
  inf_breaker_attempt first = begin_probe(&at, alternatives);
  content(&at, &first);
  inf_breaker_attempt second = begin_probe(&at, alternatives);
  content(&at, &second);
  assert_state(&at, INF_BREAKER_RETURNING);
}

/* ... unless answers broke off after it. */
static void
after_cut_answers_it_must_end_well(void **state)
{
  (void)state;
  scene at = scene_new(1);
  for (int i = 0; i < 5; i++) {
    inf_breaker_attempt attempt = begin(&at);
    content(&at, &attempt);
    end(&at, &attempt, INF_BREAKER_FAILED, 100);
  }
  assert_state(&at, INF_BREAKER_OPEN);
  inf_breaker_attempt attempts[8];
  for (int i = 0; i < 8; i++) {
    attempts[i] = begin_probe(&at, alternatives);
    content(&at, &attempts[i]);
  }
  assert_state(&at, INF_BREAKER_OPEN);
  end(&at, &attempts[0], INF_BREAKER_OK, 0);
  end(&at, &attempts[1], INF_BREAKER_FAILED, 100);
  end(&at, &attempts[2], INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_OPEN);
  end(&at, &attempts[3], INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_RETURNING);
}

static void
a_silent_probe_is_given_up(void **state)
{
  (void)state;
  scene at = scene_open(1);
  probe(&at, INF_BREAKER_OK, 0);
  inf_breaker_attempt silent = begin_probe(&at, alternatives);
  at.now_ns += 10 * S - 1;
  assert_true(inf_breaker_look(&at.breaker, false, at.now_ns).probing);
  assert_action(&at, alternatives, INF_BREAKER_DENY);
  at.now_ns++;
  assert_false(inf_breaker_look(&at.breaker, false, at.now_ns).probing);
  assert_action(&at, alternatives, INF_BREAKER_PROBE_DUE);
  /* Two in a row: the silent one does not count as good, */
  probe(&at, INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_OPEN);
  /* but does when it speaks. */
  content(&at, &silent);
  assert_state(&at, INF_BREAKER_RETURNING);
}

/* In a black hole: probes from before the repair time out after it. */
static void
an_old_probe_that_fails_is_no_news(void **state)
{
  (void)state;
  scene at = scene_open(1);
  inf_breaker_attempt old = begin_probe(&at, alternatives);
  at.now_ns += 10 * S;
  probe(&at, INF_BREAKER_OK, 0);
  end(&at, &old, INF_BREAKER_FAILED, 50);
  probe(&at, INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_RETURNING);
}

static void
patience_with_a_probe_is_the_late_time(void **state)
{
  (void)state;
  scene at = scene_known(1);
  lose_times(&at, 4);
  probe(&at, INF_BREAKER_FAILED, 100);
  probe(&at, INF_BREAKER_FAILED, 100);
  inf_breaker_attempt silent = begin_probe(&at, alternatives);
  assert_int_equal(at.breaker.give_up_ns, silent.began_ns + 4 * S);
}

/* What is asked of it again and again, with probes that end in every way. */
static void
storm(uint64_t seed, bool last)
{
  scene at = scene_open(seed);
  inf_breaker_attempt flying[64] = {0};
  uint64_t began_ns[3] = {0};
  for (int i = 0; i < 20000; i++) {
    at.now_ns += inf_rng_below(&at.rng, 40 * MS);
    size_t slot = (size_t)inf_rng_below(&at.rng, 64);
    inf_breaker_outcome how = (inf_breaker_outcome)inf_rng_below(&at.rng, 3);
    uint8_t percent = (uint8_t)(50 * inf_rng_below(&at.rng, 3));
    if (inf_rng_below(&at.rng, 2) == 0)
      content(&at, &flying[slot]);
    else if (how != INF_BREAKER_OK || inf_rng_below(&at.rng, 4) == 0)
      end(&at, &flying[slot], how, percent);
    inf_breaker_action action = admit(&at, last).action;
    if (action == INF_BREAKER_DENY)
      continue;
    end(&at, &flying[slot], INF_BREAKER_ENDED_BY_US, 0);
    flying[slot] = begin_as(&at, action == INF_BREAKER_PROBE_DUE);
    if (action == INF_BREAKER_PASS)
      continue;
    /* The last but one began an interval ago, or more. */
    assert_true(at.now_ns - began_ns[1] >= (last ? 1280 * MS : 1600 * MS));
    memmove(began_ns + 1, began_ns, sizeof began_ns[0] * 2);
    began_ns[0] = at.now_ns;
  }
  assert_true(at.breaker.probes >= 10 && at.breaker.opened >= 2);
}

static void
no_traffic_makes_a_storm_of_probes(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 20; seed++) {
    storm(seed, alternatives);
    storm(seed, last_resort);
  }
}

/* ---- The return ---------------------------------------------------------- */

static void
assert_share(scene *at, int percent)
{
  int admitted = 0;
  for (int i = 0; i < 20000; i++)
    admitted += admit(at, alternatives).action == INF_BREAKER_PASS;
  assert_in_range(admitted, 200 * percent - 400, 200 * percent + 400);
  assert_int_equal(
      inf_breaker_look(&at->breaker, false, at->now_ns).share_percent, percent);
}

static void
it_comes_back_in_steps(void **state)
{
  (void)state;
  scene at = scene_returning(1);
  assert_share(&at, 10);
  succeed(&at, 2, 0);
  assert_share(&at, 10);
  succeed(&at, 1, 0);
  assert_share(&at, 25);
  succeed(&at, 5, 0);
  assert_share(&at, 50);
  succeed(&at, 6, 0);
  assert_share(&at, 50);
  succeed(&at, 1, 0);
  assert_share(&at, 100);
  assert_state(&at, INF_BREAKER_CLOSED);
  assert_int_equal(at.breaker.closed, 1);
  lose_times(&at, 3);
  assert_state(&at, INF_BREAKER_CLOSED);
}

static void
a_failure_falls_back_and_two_open(void **state)
{
  (void)state;
  scene at = scene_returning(1);
  succeed(&at, 8, 0);
  assert_share(&at, 50);
  lose(&at, 100);
  assert_share(&at, 10);
  at = scene_returning(1);
  lose(&at, 100);
  assert_state(&at, INF_BREAKER_RETURNING);
  lose(&at, 100);
  assert_state(&at, INF_BREAKER_OPEN);
}

static void
what_weighs_nothing_does_not_fall_back(void **state)
{
  (void)state;
  scene at = scene_returning(1);
  succeed(&at, 3, 0);
  lose(&at, 0);
  assert_share(&at, 25);
}

/* Else a target that comes and goes is asked every two seconds. */
static void
intervals_go_on_until_it_is_closed(void **state)
{
  (void)state;
  scene at = scene_open(1);
  for (int i = 0; i < 8; i++)
    probe(&at, INF_BREAKER_FAILED, 100);
  probe(&at, INF_BREAKER_OK, 0);
  probe(&at, INF_BREAKER_OK, 0);
  lose_times(&at, 2);
  assert_state(&at, INF_BREAKER_OPEN);
  assert_true(admit(&at, alternatives).retry_at_ns >= at.now_ns + 24 * S);
  probe(&at, INF_BREAKER_OK, 0);
  probe(&at, INF_BREAKER_OK, 0);
  succeed(&at, 15, 0);
  assert_state(&at, INF_BREAKER_CLOSED);
  lose_times(&at, 4);
  assert_true(admit(&at, alternatives).retry_at_ns <= at.now_ns + 2400 * MS);
}

/* ---- The last resort ----------------------------------------------------- */

static void
as_the_last_resort_it_is_tried_sooner(void **state)
{
  (void)state;
  for (uint64_t seed = 0; seed < 50; seed++) {
    scene at = scene_open(seed);
    for (int i = 0; i < 30; i++) {
      uint64_t before_ns = at.now_ns;
      inf_breaker_attempt attempt = begin_probe(&at, last_resort);
      assert_in_range(at.now_ns - before_ns, 1280 * MS, 1600 * MS);
      end(&at, &attempt, INF_BREAKER_FAILED, 100);
      assert_action(&at, last_resort, INF_BREAKER_DENY);
    }
  }
}

/* In a black hole too, where none of them ends. */
static void
a_silent_probe_does_not_keep_the_last_resort_shut(void **state)
{
  (void)state;
  scene at = scene_open(1);
  begin_probe(&at, alternatives);
  for (int i = 0; i < 30; i++) {
    uint64_t before_ns = at.now_ns;
    begin_probe(&at, last_resort);
    assert_in_range(at.now_ns - before_ns, 1280 * MS, 1600 * MS);
  }
}

static void
as_the_last_resort_all_come_back_at_once(void **state)
{
  (void)state;
  scene at = scene_returning(1);
  for (int i = 0; i < many; i++)
    assert_action(&at, last_resort, INF_BREAKER_PASS);
}

static void
slow_is_better_than_none(void **state)
{
  (void)state;
  scene at = scene_known(1);
  while (at.breaker.state == INF_BREAKER_CLOSED)
    succeed(&at, 1, 6 * S);
  assert_int_equal(at.breaker.cause, INF_BREAKER_SLOW);
  assert_action(&at, alternatives, INF_BREAKER_DENY);
  assert_action(&at, last_resort, INF_BREAKER_PASS);
  /* But if it fails as well, it is shut. */
  lose_times(&at, 4);
  assert_int_equal(at.breaker.cause, INF_BREAKER_FAILING);
  assert_action(&at, last_resort, INF_BREAKER_DENY);
}

/* ---- Silence and slowness ------------------------------------------------ */

static void
nothing_is_late_before_64_contents(void **state)
{
  (void)state;
  scene at = scene_new(1);
  succeed(&at, 63, 2 * S);
  assert_int_equal(inf_breaker_late_ns(&at.breaker), 0);
  inf_breaker_attempt attempts[100];
  for (int i = 0; i < 100; i++)
    attempts[i] = begin(&at);
  at.now_ns += 60 * S;
  for (int i = 0; i < 100; i++)
    age(&at, &attempts[i]);
  assert_int_equal(at.breaker.evidence, 0);
  assert_int_equal(at.breaker.slow, 0);
}

static void
eight_that_hang_open_it(void **state)
{
  (void)state;
  scene at = scene_known(1);
  inf_breaker_attempt attempts[100];
  for (int i = 0; i < 100; i++) {
    attempts[i] = begin(&at);
    at.now_ns += 10 * MS;
  }
  int opened_by = 0;
  for (; at.breaker.state == INF_BREAKER_CLOSED; opened_by++) {
    if (attempts[opened_by].late_at_ns > at.now_ns)
      at.now_ns = attempts[opened_by].late_at_ns;
    age(&at, &attempts[opened_by]);
  }
  /* 92 others are hoped for, half of them: it takes longer, but little. */
  assert_in_range(opened_by, 8, 18);
  assert_true(at.now_ns < attempts[0].began_ns + 4200 * MS);
  at = scene_known(1);
  for (int i = 0; i < 8; i++) {
    assert_state(&at, INF_BREAKER_CLOSED);
    attempts[i] = begin(&at);
    at.now_ns = attempts[i].late_at_ns;
    age(&at, &attempts[i]);
  }
  assert_state(&at, INF_BREAKER_OPEN);
}

static void
one_that_hangs_counts_once(void **state)
{
  (void)state;
  int64_t soft = inf_breaker_failure * 50 / 100;
  scene at = scene_known(1);
  inf_breaker_attempt attempt = begin(&at);
  at.now_ns = attempt.late_at_ns - 1;
  age(&at, &attempt);
  assert_int_equal(at.breaker.evidence, 0);
  for (int i = 0; i < 100; i++) {
    at.now_ns += S;
    age(&at, &attempt);
  }
  assert_int_equal(at.breaker.evidence, soft);
  scene timed_out = at;
  inf_breaker_attempt copy = attempt;
  end(&timed_out, &copy, INF_BREAKER_FAILED, 50);
  assert_int_equal(timed_out.breaker.evidence, soft);
  assert_int_equal(timed_out.breaker.soft, 0);
  scene failed = at;
  copy = attempt;
  end(&failed, &copy, INF_BREAKER_FAILED, 100);
  assert_int_equal(failed.breaker.evidence, inf_breaker_failure);
  scene cancelled = at;
  copy = attempt;
  end(&cancelled, &copy, INF_BREAKER_ENDED_BY_US, 0);
  assert_int_equal(cancelled.breaker.evidence, soft);
  assert_int_equal(cancelled.breaker.soft, 0);
}

/* A content, or an answer that weighs nothing, takes it back. */
static void
one_that_comes_after_all_is_withdrawn(void **state)
{
  (void)state;
  scene at = scene_known(1);
  lose(&at, 100);
  inf_breaker_attempt attempts[2] = {begin(&at), begin(&at)};
  at.now_ns = attempts[0].late_at_ns;
  age(&at, &attempts[0]);
  age(&at, &attempts[1]);
  end(&at, &attempts[0], INF_BREAKER_FAILED, 0);
  content(&at, &attempts[1]);
  assert_int_equal(at.breaker.evidence,
                   inf_breaker_failure - inf_breaker_success);
  assert_int_equal(at.breaker.soft, 0);
  assert_int_equal(at.breaker.overdue, 0);
  assert_int_equal(at.breaker.slow, inf_breaker_failure * 50 / 100);
}

/* Successes in between have taken their share of it: no more is withdrawn. */
static void
what_successes_took_is_not_withdrawn_again(void **state)
{
  (void)state;
  scene at = scene_known(1);
  inf_breaker_attempt attempt = begin(&at);
  at.now_ns = attempt.late_at_ns;
  age(&at, &attempt);
  succeed(&at, 100, 0);
  lose_times(&at, 3);
  content(&at, &attempt);
  assert_int_equal(at.breaker.evidence,
                   3 * inf_breaker_failure - inf_breaker_success);
}

static void
what_is_not_timed_is_never_late(void **state)
{
  (void)state;
  scene at = scene_known(1);
  uint64_t late_ns = inf_breaker_late_ns(&at.breaker);
  inf_breaker_attempt attempts[20];
  for (int i = 0; i < 20; i++) {
    attempts[i] = begin(&at);
    inf_breaker_untimed(&attempts[i]);
  }
  at.now_ns += 60 * S;
  for (int i = 0; i < 20; i++) {
    age(&at, &attempts[i]);
    assert_int_equal(at.breaker.evidence, 0);
    end(&at, &attempts[i], INF_BREAKER_OK, 0);
  }
  assert_int_equal(at.breaker.slow, 0);
  assert_int_equal(at.breaker.young, 0);
  assert_int_equal(inf_breaker_late_ns(&at.breaker), late_ns);
}

static void
late_contents_open_it_as_slow(void **state)
{
  (void)state;
  scene at = scene_known(1);
  int late = 0;
  for (; at.breaker.state == INF_BREAKER_CLOSED; late++)
    succeed(&at, 1, 6 * S);
  assert_int_equal(late, 8);
  assert_int_equal(at.breaker.cause, INF_BREAKER_SLOW);
  /* Late probes do not bring it back; those in time do. */
  for (int i = 0; i < 2; i++) {
    inf_breaker_attempt attempt = begin_probe(&at, alternatives);
    at.now_ns = attempt.late_at_ns;
    end(&at, &attempt, INF_BREAKER_OK, 0);
  }
  assert_state(&at, INF_BREAKER_OPEN);
  probe(&at, INF_BREAKER_OK, 0);
  probe(&at, INF_BREAKER_OK, 0);
  assert_state(&at, INF_BREAKER_RETURNING);
}

/* A tenth of them late is the tail of its distribution. */
static void
a_tail_is_not_slow(void **state)
{
  (void)state;
  scene at = scene_known(1);
  for (int i = 0; i < 200; i++) {
    succeed(&at, 9, S);
    succeed(&at, 1, 5 * S);
  }
  assert_state(&at, INF_BREAKER_CLOSED);
}

/* Its times have trebled, for good. */
static void
what_stays_slow_is_accepted(void **state)
{
  (void)state;
  scene at = scene_known(1);
  while (at.breaker.state == INF_BREAKER_CLOSED)
    succeed(&at, 1, 6 * S);
  uint64_t opened_ns = at.now_ns;
  while (at.breaker.state == INF_BREAKER_OPEN) {
    inf_breaker_attempt attempt = begin_probe(&at, alternatives);
    at.now_ns += 6 * S;
    end(&at, &attempt, INF_BREAKER_OK, 0);
  }
  assert_in_range(at.now_ns - opened_ns, 5 * S, 300 * S);
}

static void
the_caller_may_know_better(void **state)
{
  (void)state;
  scene at = scene_new(1);
  inf_breaker_attempt attempt;
  inf_breaker_begin(&at.breaker, &attempt, false, 30 * S, at.now_ns, &at.rng);
  assert_int_equal(attempt.late_at_ns, at.now_ns + 30 * S);
  at.now_ns += 30 * S;
  age(&at, &attempt);
  assert_int_equal(at.breaker.overdue, 1);
}

/* ---- What is known ------------------------------------------------------- */

static void
looking_changes_nothing(void **state)
{
  (void)state;
  scene at = scene_returning(1);
  scene before = at;
  inf_breaker_view view = inf_breaker_look(&at.breaker, false, at.now_ns);
  assert_memory_equal(&at, &before, sizeof at);
  assert_int_equal(view.state, INF_BREAKER_RETURNING);
  assert_int_equal(view.share_percent, 10);
  assert_int_equal(view.next_probe_ns, INF_NEVER);
  at = scene_new(1);
  lose(&at, 100);
  view = inf_breaker_look(&at.breaker, false, at.now_ns);
  assert_int_equal(view.evidence_percent, 27);
  assert_int_equal(view.share_percent, 100);
  lose_times(&at, 3);
  view = inf_breaker_look(&at.breaker, false, at.now_ns);
  assert_int_equal(view.evidence_percent, 100);
  assert_int_equal(view.share_percent, 0);
  assert_int_equal(view.next_probe_ns, admit(&at, false).retry_at_ns);
  assert_string_equal(view.why, "breaker open: attempts fail");
}

/* Everything in a random order. The sum is the same with each compiler and at
 * each level of optimisation. */
static uint64_t
trace(uint64_t seed)
{
  scene at = scene_new(seed);
  inf_breaker_attempt flying[16] = {0};
  uint64_t hash = 14695981039346656037ull;
  for (int i = 0; i < 20000; i++) {
    at.now_ns += inf_rng_below(&at.rng, 400 * MS);
    inf_breaker_attempt *one = &flying[inf_rng_below(&at.rng, 16)];
    bool bad = inf_rng_below(&at.rng, 16) < (uint64_t)(i / 1000 % 8);
    end(&at, one, bad ? INF_BREAKER_FAILED : INF_BREAKER_OK, 50);
    for (int j = 0; j < 16; j++)
      age(&at, &flying[j]);
    inf_breaker_verdict result = admit(&at, i / 5000 % 2 == 1);
    if (result.action != INF_BREAKER_DENY)
      *one = begin_as(&at, result.action == INF_BREAKER_PROBE_DUE);
    uint64_t seen = (uint64_t)at.breaker.evidence ^ result.retry_at_ns ^
                    at.breaker.lateness.usual_ns ^ at.breaker.epoch;
    hash = (hash ^ seen) * 1099511628211ull;
    assert_true(at.breaker.soft >= 0 && at.breaker.slow >= 0);
    assert_true(at.breaker.evidence >= at.breaker.soft);
  }
  assert_true(at.breaker.opened > 10 && at.breaker.closed > 1);
  return hash;
}

static void
one_seed_is_one_run(void **state)
{
  (void)state;
  assert_int_equal(trace(1), 0xb12546ea67188794);
  assert_int_equal(trace(2), 0xf66e40b5975c4cc3);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(four_failures_open),
      cmocka_unit_test(evidence_is_the_sum_of_the_steps),
      cmocka_unit_test(what_weighs_nothing_opens_nothing),
      cmocka_unit_test(a_timeout_is_half_a_failure),
      cmocka_unit_test(a_cut_answer_is_one_failure),
      cmocka_unit_test(an_attempt_ends_once),
      cmocka_unit_test(an_attempt_of_no_breaker_is_nothing),
      cmocka_unit_test(a_burst_with_early_failures_is_no_outage),
      cmocka_unit_test(concurrency_delays_opening_by_little),
      cmocka_unit_test(what_waits_too_long_is_not_hoped_for),
      cmocka_unit_test(a_flaky_target_needs_more),
      cmocka_unit_test(evidence_that_is_needed_has_a_bound),
      cmocka_unit_test(without_a_threshold_it_is_off),
      cmocka_unit_test(a_stale_success_does_not_close),
      cmocka_unit_test(only_probes_close),
      cmocka_unit_test(a_stale_failure_does_not_open),
      cmocka_unit_test(the_first_probe_after_two_seconds),
      cmocka_unit_test(intervals_grow_to_thirty_seconds),
      cmocka_unit_test(one_probe_at_a_time),
      cmocka_unit_test(of_those_that_were_told_one_is_sent),
      cmocka_unit_test(two_good_probes_in_a_row_end_it),
      cmocka_unit_test(a_probe_that_says_nothing_changes_nothing),
      cmocka_unit_test(its_first_content_is_enough),
      cmocka_unit_test(after_cut_answers_it_must_end_well),
      cmocka_unit_test(a_silent_probe_is_given_up),
      cmocka_unit_test(an_old_probe_that_fails_is_no_news),
      cmocka_unit_test(patience_with_a_probe_is_the_late_time),
      cmocka_unit_test(no_traffic_makes_a_storm_of_probes),
      cmocka_unit_test(it_comes_back_in_steps),
      cmocka_unit_test(a_failure_falls_back_and_two_open),
      cmocka_unit_test(what_weighs_nothing_does_not_fall_back),
      cmocka_unit_test(intervals_go_on_until_it_is_closed),
      cmocka_unit_test(as_the_last_resort_it_is_tried_sooner),
      cmocka_unit_test(a_silent_probe_does_not_keep_the_last_resort_shut),
      cmocka_unit_test(as_the_last_resort_all_come_back_at_once),
      cmocka_unit_test(slow_is_better_than_none),
      cmocka_unit_test(nothing_is_late_before_64_contents),
      cmocka_unit_test(eight_that_hang_open_it),
      cmocka_unit_test(one_that_hangs_counts_once),
      cmocka_unit_test(one_that_comes_after_all_is_withdrawn),
      cmocka_unit_test(what_successes_took_is_not_withdrawn_again),
      cmocka_unit_test(what_is_not_timed_is_never_late),
      cmocka_unit_test(late_contents_open_it_as_slow),
      cmocka_unit_test(a_tail_is_not_slow),
      cmocka_unit_test(what_stays_slow_is_accepted),
      cmocka_unit_test(the_caller_may_know_better),
      cmocka_unit_test(looking_changes_nothing),
      cmocka_unit_test(one_seed_is_one_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
