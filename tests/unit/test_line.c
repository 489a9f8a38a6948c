/* SPDX-License-Identifier: MIT */
/* The waiting line: its order, its bound, its limits, and what it foretells. */
#include "policy/line.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#define NOW   (5000 * INF_NS_PER_S)
#define S     INF_NS_PER_S
#define SCALE 1024u

enum { many = 64, A = 1, B = 2 };

typedef struct scene {
  inf_line line;
  inf_line_entry calls[many];
  inf_line_entry *evicted;
} scene;

static void
scene_init(scene *at, size_t count_max)
{
  *at = (scene){0};
  inf_line_init(&at->line, count_max);
  for (int i = 0; i < many; i++) {
    at->calls[i].deadline_ns = INF_NEVER;
    at->calls[i].where = INF_LINE_ANYWHERE;
    at->calls[i].cost = 10;
  }
}

static int32_t
push(scene *at, int i, uint64_t tenant)
{
  return inf_line_push(&at->line, &at->calls[i], tenant, 1, NOW, &at->evicted);
}

static int32_t
push_until(scene *at, int i, uint64_t tenant, uint64_t deadline_ns)
{
  at->calls[i].deadline_ns = deadline_ns;
  return push(at, i, tenant);
}

/* The number of the next call, which is taken; -1: none waits. */
static int
take(scene *at)
{
  inf_line_walk walk;
  inf_line_entry *entry = inf_line_first(&at->line, &walk, INF_LINE_ANYWHERE);
  if (!entry)
    return -1;
  inf_line_take(&at->line, entry);
  return (int)(entry - at->calls);
}

static void
test_empty(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  assert_int_equal(at.line.count_max, INF_LINE_CALLS_MAX);
  assert_int_equal(take(&at), -1);
  assert_false(inf_line_has(&at.calls[0]));
  inf_line_remove(&at.line, &at.calls[0]);
  assert_int_equal(at.line.count, 0);
  inf_line_fini(&at.line);
}

static void
test_cost(void **state)
{
  (void)state;
  assert_int_equal(inf_line_cost(100, 30, 0), 160);
  assert_int_equal(inf_line_cost(100, 30, 400), 560);
  assert_int_equal(inf_line_cost(0, 0, 0), 1);
  assert_true(inf_line_cost(UINT64_MAX, UINT64_MAX, UINT64_MAX) ==
              INF_LINE_COST_MAX);
}

static void
test_deadlines_within_a_tenant(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  push_until(&at, 0, A, NOW + 30 * S);
  push_until(&at, 1, A, NOW + 10 * S);
  push_until(&at, 2, A, NOW + 20 * S);
  push_until(&at, 3, A, NOW + 10 * S);
  assert_int_equal(take(&at), 1);
  assert_int_equal(take(&at), 3);
  assert_int_equal(take(&at), 2);
  assert_int_equal(take(&at), 0);
  inf_line_fini(&at.line);
}

/* Without a deadline a call is due a minute after it came. */
static void
test_patience(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  push(&at, 0, A);
  at.calls[1].deadline_ns = NOW + 70 * S;
  inf_line_push(&at.line, &at.calls[1], A, 1, NOW + 20 * S, &at.evicted);
  at.calls[2].deadline_ns = NOW + 50 * S;
  inf_line_push(&at.line, &at.calls[2], A, 1, NOW + 20 * S, &at.evicted);
  assert_int_equal(take(&at), 2);
  assert_int_equal(take(&at), 0);
  assert_int_equal(take(&at), 1);
  inf_line_fini(&at.line);
}

/* A's calls cost three times as much, so B is served three times as often. */
static void
test_least_service_first(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  for (int i = 0; i < 8; i++) {
    at.calls[i].cost = 30;
    push(&at, i, A);
    push(&at, 8 + i, B);
  }
  int of_a = 0;
  for (int i = 0; i < 8; i++)
    of_a += take(&at) < 8;
  assert_int_equal(of_a, 2);
  assert_int_equal(inf_line_counter(&at.line, A), 60 * SCALE);
  assert_int_equal(inf_line_counter(&at.line, B), 60 * SCALE);
  inf_line_fini(&at.line);
}

/* Three virtual tokens for one of weight 7, again and again: nothing is lost
 * by rounding, in either direction. */
static void
test_weights(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  inf_line_push(&at.line, &at.calls[0], A, 7, NOW, &at.evicted);
  for (int i = 0; i < 7000; i++)
    inf_line_charge(&at.line, A, 7, 3);
  assert_int_equal(inf_line_counter(&at.line, A), 3000 * SCALE);
  for (int i = 0; i < 6993; i++)
    inf_line_charge(&at.line, A, 7, -3);
  assert_int_equal(inf_line_counter(&at.line, A), 3 * SCALE);
  /* More is given back than there is, and more is taken than there can be. */
  inf_line_charge(&at.line, A, 7, INT64_MIN);
  assert_int_equal(inf_line_counter(&at.line, A), 0);
  inf_line_push(&at.line, &at.calls[1], A, 0, NOW, &at.evicted);
  inf_line_charge(&at.line, A, 1, INT64_MAX);
  assert_true(inf_line_counter(&at.line, A) == INF_LINE_COST_MAX * SCALE);
  inf_line_fini(&at.line);
}

static void
test_idling_earns_nothing(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  for (int i = 0; i < 20; i++)
    push(&at, i, A);
  for (int i = 0; i < 10; i++)
    take(&at);
  push(&at, 20, B);
  push(&at, 21, B);
  assert_int_equal(inf_line_counter(&at.line, B), 100 * SCALE);
  int of_b = 0;
  for (int i = 0; i < 4; i++)
    of_b += take(&at) >= 20;
  assert_int_equal(of_b, 2); /* in turn, not first of all */
  inf_line_fini(&at.line);
}

/* One that was served ahead of its turn does not get rid of it by leaving. */
static void
test_a_debt_stays(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  at.calls[0].cost = 1000;
  push(&at, 0, A);
  for (int i = 1; i < 30; i++)
    push(&at, i, B);
  assert_int_equal(take(&at), 0);
  assert_int_equal(inf_line_tenants(&at.line), 2);
  push(&at, 40, A);
  assert_int_equal(inf_line_counter(&at.line, A), 1000 * SCALE);
  for (int i = 1; i < 30; i++)
    assert_int_equal(take(&at), i);
  assert_int_equal(take(&at), 40);
  inf_line_fini(&at.line);
}

/* Two with debts: the line begins again with the larger one, and the other
 * gains nothing by coming later. */
static void
test_two_debts(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  inf_line_charge(&at.line, A, 1, 25);
  inf_line_charge(&at.line, B, 1, 40);
  push(&at, 0, B);
  push(&at, 1, A);
  push(&at, 2, A);
  assert_int_equal(inf_line_counter(&at.line, A), 40 * SCALE);
  assert_int_equal(take(&at), 0);
  assert_int_equal(take(&at), 1);
  inf_line_fini(&at.line);
}

/* Where nobody waited there was no turn either: A pays nothing for the night
 * in which it was alone. */
static void
test_alone(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  for (int i = 0; i < 100; i++)
    inf_line_serve(&at.line, A, 1, 1000);
  push(&at, 0, A);
  take(&at);
  push(&at, 0, B);
  push(&at, 1, A);
  assert_int_equal(inf_line_counter(&at.line, B),
                   inf_line_counter(&at.line, A));
  assert_int_equal(inf_line_counter(&at.line, B), 100010 * SCALE);
  /* While B waits, A is served without waiting, elsewhere: that counts. */
  inf_line_serve(&at.line, A, 1, 500);
  assert_int_equal(inf_line_counter(&at.line, A), 100510 * SCALE);
  inf_line_fini(&at.line);
}

static void
test_settling(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  for (int i = 0; i < 8; i++)
    push(&at, i, i < 4 ? A : B);
  assert_int_equal(take(&at), 0);
  /* It cost 25, not 10: B has its next two turns, and half of the third. */
  inf_line_charge(&at.line, A, 1, 15);
  for (int i = 4; i < 7; i++)
    assert_int_equal(take(&at), i);
  assert_int_equal(take(&at), 1);
  inf_line_charge(&at.line, A, 1, -10);
  assert_int_equal(take(&at), 2);
  inf_line_fini(&at.line);
}

/* Actual cost of one that the line has forgotten. */
static void
test_settling_later(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  push(&at, 0, A);
  take(&at);
  assert_int_equal(inf_line_tenants(&at.line), 0);
  inf_line_charge(&at.line, A, 1, -5);
  assert_int_equal(inf_line_tenants(&at.line), 0);
  inf_line_charge(&at.line, A, 1, 25);
  assert_int_equal(inf_line_tenants(&at.line), 1);
  for (int i = 0; i < 5; i++) {
    push(&at, 10 + i, B);
    push(&at, i, A);
  }
  for (int i = 10; i < 13; i++)
    assert_int_equal(take(&at), i);
  assert_int_equal(take(&at), 0);
  inf_line_fini(&at.line);
}

static void
test_remove(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  for (int i = 0; i < 6; i++)
    push(&at, i, i < 3 ? A : B);
  inf_line_remove(&at.line, &at.calls[1]);
  inf_line_remove(&at.line, &at.calls[1]);
  for (int i = 3; i < 6; i++)
    inf_line_remove(&at.line, &at.calls[i]);
  assert_int_equal(at.line.count, 2);
  assert_int_equal(inf_line_tenants(&at.line), 1);
  assert_int_equal(inf_line_counter(&at.line, A), 0); /* not charged */
  assert_int_equal(take(&at), 0);
  assert_int_equal(take(&at), 2);
  assert_int_equal(take(&at), -1);
  inf_line_fini(&at.line);
}

/* ---- Places ------------------------------------------------------------- */

/* What fits nowhere keeps its place free, and the others pass it by. */
static void
test_reservation(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  static const uint64_t where[] = {3, 1, 2, 3, 4};
  for (int i = 0; i < 5; i++) {
    at.calls[i].where = where[i];
    push(&at, i, i < 2 ? A : B);
  }
  inf_line_walk walk;
  /* Nobody waits for the place 8. */
  assert_null(inf_line_first(&at.line, &walk, 8));
  assert_ptr_equal(inf_line_first(&at.line, &walk, 15), &at.calls[0]);
  /* The head fits soonest at 1, so 1 is seen only where 2 is allowed. */
  assert_ptr_equal(inf_line_pass(&at.line, &walk, 1), &at.calls[2]);
  assert_ptr_equal(inf_line_pass(&at.line, &walk, 2), &at.calls[4]);
  assert_null(inf_line_pass(&at.line, &walk, 4));
  /* A reservation of nothing is one of all. */
  assert_ptr_equal(inf_line_first(&at.line, &walk, 7), &at.calls[0]);
  assert_ptr_equal(inf_line_pass(&at.line, &walk, 0), &at.calls[4]);
  /* A closed place holds up only who can go nowhere else. */
  assert_ptr_equal(inf_line_first(&at.line, &walk, 4), &at.calls[4]);
  assert_ptr_equal(inf_line_first(&at.line, &walk, 2), &at.calls[0]);
  inf_line_fini(&at.line);
}

/* An expensive call among cheap ones that never end is admitted as soon as
 * the bucket, which they would keep empty, holds enough for it. */
static void
test_no_starvation(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  at.calls[0].cost = 500;
  push(&at, 0, A);
  int tokens = 0, steps = 0;
  for (int i = 1; i < 40; i++)
    push(&at, i, B);
  for (; inf_line_has(&at.calls[0]); steps++) {
    tokens += 20;
    inf_line_walk walk;
    inf_line_entry *entry = inf_line_first(&at.line, &walk, 1);
    while (entry && (uint64_t)tokens >= entry->cost) {
      tokens -= (int)entry->cost;
      inf_line_take(&at.line, entry);
      int i = (int)(entry - at.calls);
      if (i > 0)
        push(&at, i, B);
      entry = inf_line_first(&at.line, &walk, 1);
    }
    if (entry)
      assert_null(inf_line_pass(&at.line, &walk, 1));
  }
  assert_in_range(steps, 25, 26);
  inf_line_fini(&at.line);
}

/* ---- Limits ------------------------------------------------------------- */

static void
test_full(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 8);
  for (int i = 0; i < 8; i++)
    assert_int_equal(push_until(&at, i, A, NOW + (unsigned)(i + 1) * S),
                     INFER_OK);
  /* One tenant alone may use all of it, and no more. */
  assert_int_equal(push(&at, 8, A), INFER_E_LIMIT);
  assert_false(inf_line_has(&at.calls[8]));
  assert_null(at.evicted);
  /* Another gets up to its half; the calls that are due last make room. */
  for (int i = 0; i < 4; i++) {
    assert_int_equal(push(&at, 16 + i, B), INFER_OK);
    assert_ptr_equal(at.evicted, &at.calls[7 - i]);
    assert_false(inf_line_has(at.evicted));
    assert_int_equal(at.line.count, 8);
  }
  assert_int_equal(push(&at, 20, B), INFER_E_LIMIT);
  assert_int_equal(push(&at, 9, A), INFER_E_LIMIT);
  /* A third: from 4 and 4 one is taken, from 4 and 3 another. */
  assert_int_equal(push(&at, 30, 3), INFER_OK);
  assert_int_equal(push(&at, 31, 3), INFER_OK);
  assert_int_equal(push(&at, 32, 3), INFER_E_LIMIT);
  inf_line_fini(&at.line);
}

static void
test_full_with_weights(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 8);
  for (int i = 0; i < 8; i++)
    push(&at, i, A);
  int got = 0;
  for (int i = 8; i < 20; i++)
    got += inf_line_push(&at.line, &at.calls[i], B, 3, NOW, &at.evicted) ==
           INFER_OK;
  assert_int_equal(got, 6);
  inf_line_fini(&at.line);
}

static bool memory_is_short;

static void *
failing_malloc(size_t size, void *user_data)
{
  (void)user_data;
  return memory_is_short ? NULL : malloc(size);
}

static void *
failing_realloc(void *ptr, size_t size, void *user_data)
{
  (void)user_data;
  return memory_is_short ? NULL : realloc(ptr, size);
}

static void
plain_free(void *ptr, void *user_data)
{
  (void)user_data;
  free(ptr);
}

static void
test_memory(void **state)
{
  (void)state;
  inf_mem_set_functions(failing_malloc, failing_realloc, plain_free, NULL);
  scene at;
  scene_init(&at, 4);
  for (int i = 0; i < 4; i++)
    push(&at, i, A);
  memory_is_short = true;
  assert_int_equal(push(&at, 4, B), INFER_E_NO_MEMORY);
  assert_false(inf_line_has(&at.calls[4]));
  assert_null(at.evicted);
  assert_int_equal(at.line.count, 4);
  inf_line_serve(&at.line, B, 1, 10);
  inf_line_charge(&at.line, B, 1, 10);
  assert_int_equal(inf_line_tenants(&at.line), 1);
  for (int i = 0; i < 4; i++)
    assert_int_equal(take(&at), i); /* which needs none */
  memory_is_short = false;
  inf_line_fini(&at.line);
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
}

/* Tenants that come once are not remembered, and of debtors only so many. */
static void
test_tenants_are_bounded(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  for (uint64_t id = 0; id < 5000; id++) {
    push(&at, 0, id);
    take(&at);
  }
  assert_int_equal(inf_line_tenants(&at.line), 0);
  push(&at, 0, 6000);
  for (uint64_t id = 0; id < 5000; id++)
    inf_line_charge(&at.line, id, 1, (int64_t)(100 + id));
  assert_int_equal(inf_line_tenants(&at.line), 1 + INF_LINE_IDLE_MAX);
  assert_int_equal(inf_line_counter(&at.line, 0), 0); /* the least debts go */
  assert_true(inf_line_counter(&at.line, 4999) > 0);
  inf_line_fini(&at.line);
}

static void
test_fini_lets_go(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  push(&at, 0, A);
  inf_line_fini(&at.line);
  assert_false(inf_line_has(&at.calls[0]));
  inf_line_remove(&at.line, &at.calls[0]);
}

/* ---- The bound ---------------------------------------------------------- */

/* Backlogged tenants of random weights with calls of random cost: at each
 * step their counters differ by no more than the greatest cost / weight, and
 * so do their services, from any moment on, by no more than twice that. */
static void
test_bound(void **state)
{
  (void)state;
  enum { tenants = 16, steps = 20000, cost_max = 1000 };
  scene at;
  scene_init(&at, 0);
  inf_rng rng;
  inf_rng_seed(&rng, 11);
  uint32_t weights[tenants];
  uint64_t greatest = 0;
  for (int i = 0; i < tenants; i++) {
    weights[i] = (uint32_t)inf_rng_between(&rng, 1, 9);
    if (cost_max * SCALE / weights[i] + 1 > greatest)
      greatest = cost_max * SCALE / weights[i] + 1;
  }
  for (int i = 0; i < many; i++) {
    at.calls[i].cost = inf_rng_between(&rng, 1, cost_max);
    inf_line_push(&at.line, &at.calls[i], (uint64_t)i % tenants,
                  weights[i % tenants], NOW, &at.evicted);
  }
  for (int step = 0; step < steps; step++) {
    int i = take(&at);
    at.calls[i].cost = inf_rng_between(&rng, 1, cost_max);
    inf_line_push(&at.line, &at.calls[i], (uint64_t)i % tenants,
                  weights[i % tenants], NOW, &at.evicted);
    uint64_t least = UINT64_MAX, most = 0;
    for (uint64_t id = 0; id < tenants; id++) {
      uint64_t counter = inf_line_counter(&at.line, id);
      least = counter < least ? counter : least;
      most = counter > most ? counter : most;
    }
    assert_in_range(most - least, 0, greatest);
  }
  inf_line_fini(&at.line);
}

/* ---- Foretelling -------------------------------------------------------- */

/* What look() says is ahead is what is then taken before it, to the call. */
static void
test_look_is_exact(void **state)
{
  (void)state;
  inf_rng rng;
  inf_rng_seed(&rng, 5);
  int equal_turns = 0;
  for (int round = 0; round < 300; round++) {
    scene at;
    scene_init(&at, 0);
    for (int i = 0; i < 40; i++) {
      at.calls[i].cost = inf_rng_between(&rng, 1, 100000);
      at.calls[i].input_tokens = 1 + (uint64_t)i;
      at.calls[i].deadline_ns = NOW + inf_rng_below(&rng, 80 * S);
      if (i == 20)
        for (int k = 0; k < 6; k++)
          take(&at); /* tenants have counters by now */
      inf_line_push(&at.line, &at.calls[i], inf_rng_below(&rng, 6), 3, NOW,
                    &at.evicted);
    }
    uint64_t id = inf_rng_below(&rng, 7);
    inf_line_entry *own = &at.calls[50];
    own->deadline_ns = NOW + inf_rng_below(&rng, 80 * S);
    inf_line_ahead ahead = inf_line_look(&at.line, own, id, 3, NOW);
    inf_line_push(&at.line, own, id, 3, NOW, &at.evicted);
    uint64_t calls = 0, input = 0;
    for (int i; (i = take(&at)) != 50; calls++)
      input += at.calls[i].input_tokens;
    /* Equal turns, which come in the order in which they arose, may hide one
     * call of another tenant. */
    assert_in_range(calls, ahead.calls, ahead.calls + 5);
    if (calls == ahead.calls)
      assert_int_equal(input, ahead.input_tokens);
    else
      equal_turns++;
    inf_line_fini(&at.line);
  }
  assert_in_range(equal_turns, 0, 6);
}

/* Only what can go nowhere else than the newcomer stands in its way. */
static void
test_look_by_place(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 0);
  static const uint64_t where[] = {1, 2, 3, 1, 4};
  for (int i = 0; i < 5; i++) {
    at.calls[i].where = where[i];
    push(&at, i, A);
  }
  at.calls[10].where = 1;
  assert_int_equal(inf_line_look(&at.line, &at.calls[10], A, 1, NOW).calls, 2);
  at.calls[10].where = 3;
  assert_int_equal(inf_line_look(&at.line, &at.calls[10], A, 1, NOW).calls, 4);
  at.calls[10].where = 8;
  assert_int_equal(inf_line_look(&at.line, &at.calls[10], A, 1, NOW).calls, 0);
  inf_line_fini(&at.line);
}

static void
test_start(void **state)
{
  (void)state;
  inf_line_entry own = {.input_tokens = 100, .output_tokens = 50};
  inf_line_ahead ahead = {.calls = 4, .input_tokens = 850, .output_tokens = 0};
  inf_line_pace pace = {0};
  assert_true(inf_line_start_ns(&ahead, &own, &pace, NOW) == NOW);
  /* 600 a minute: the fifth fits half a second after the first would have. */
  pace.requests = (inf_line_limit){(int64_t)NOW, 600, 60 * S};
  assert_true(inf_line_start_ns(&ahead, &own, &pace, NOW) == NOW + S / 2);
  pace.tokens = (inf_line_limit){(int64_t)NOW - (int64_t)S, 1000, 2 * S};
  assert_true(inf_line_start_ns(&ahead, &own, &pace, NOW) == NOW + S);
  pace.output_tokens = (inf_line_limit){-(int64_t)S, 1, 200 * S};
  assert_true(inf_line_start_ns(&ahead, &own, &pace, NOW) == 9999 * S);
  pace.input_tokens = (inf_line_limit){(int64_t)NOW, 3, 1};
  assert_true(inf_line_start_ns(&ahead, &own, &pace, NOW) == 9999 * S);
  /* Overflow is beyond the end of time, not in the past. */
  ahead.input_tokens = UINT64_MAX;
  assert_true(inf_line_start_ns(&ahead, &own, &pace, NOW) == INF_NEVER);
  ahead.input_tokens = UINT64_MAX - 200;
  pace.input_tokens.period_ns = UINT64_MAX;
  assert_true(inf_line_start_ns(&ahead, &own, &pace, NOW) == INF_NEVER);
}

/* A long random life: never is a call lost, and while one waits there is a
 * next one. */
static void
test_random_life(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 24);
  inf_rng rng;
  inf_rng_seed(&rng, 3);
  size_t waiting = 0;
  for (int step = 0; step < 60000; step++) {
    int i = (int)inf_rng_below(&rng, many);
    uint64_t id = inf_rng_below(&rng, 12);
    switch (inf_rng_below(&rng, 5)) {
    case 0:
    case 1:
      if (inf_line_has(&at.calls[i]))
        break;
      at.calls[i].cost = inf_rng_below(&rng, 500);
      at.calls[i].deadline_ns = NOW + inf_rng_below(&rng, 100 * S);
      if (inf_line_push(&at.line, &at.calls[i], id, (uint32_t)(id % 4), NOW,
                        &at.evicted) == INFER_OK)
        waiting += at.evicted ? 0 : 1;
      break;
    case 2:
      assert_int_equal(take(&at) >= 0, waiting > 0);
      waiting -= waiting > 0;
      break;
    case 3:
      waiting -= inf_line_has(&at.calls[i]);
      inf_line_remove(&at.line, &at.calls[i]);
      break;
    default:
      inf_line_charge(&at.line, id, (uint32_t)(id % 4),
                      (int64_t)inf_rng_below(&rng, 400) - 200);
    }
    assert_int_equal(at.line.count, waiting);
    size_t seen = 0;
    for (int k = 0; k < many; k++)
      seen += inf_line_has(&at.calls[k]);
    assert_int_equal(seen, waiting);
  }
  inf_line_fini(&at.line);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_cost),
      cmocka_unit_test(test_deadlines_within_a_tenant),
      cmocka_unit_test(test_patience),
      cmocka_unit_test(test_least_service_first),
      cmocka_unit_test(test_weights),
      cmocka_unit_test(test_idling_earns_nothing),
      cmocka_unit_test(test_a_debt_stays),
      cmocka_unit_test(test_two_debts),
      cmocka_unit_test(test_alone),
      cmocka_unit_test(test_settling),
      cmocka_unit_test(test_settling_later),
      cmocka_unit_test(test_remove),
      cmocka_unit_test(test_reservation),
      cmocka_unit_test(test_no_starvation),
      cmocka_unit_test(test_full),
      cmocka_unit_test(test_full_with_weights),
      cmocka_unit_test(test_memory),
      cmocka_unit_test(test_tenants_are_bounded),
      cmocka_unit_test(test_fini_lets_go),
      cmocka_unit_test(test_bound),
      cmocka_unit_test(test_look_is_exact),
      cmocka_unit_test(test_look_by_place),
      cmocka_unit_test(test_start),
      cmocka_unit_test(test_random_life),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
