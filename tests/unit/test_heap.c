/* SPDX-License-Identifier: MIT */
/* The timers, against a reference that is plainly right: an array of what is
 * armed, searched from end to end. */
#include "base/heap.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

/* Checks every link of the heap, and that no timer is earlier than its
 * parent. Walks without recursion: down by child, on by next, up by prev.
 * Returns how many timers there are. */
static size_t
check_heap(const inf_timer_heap *heap)
{
  const inf_timer *at = heap->root;
  if (!at)
    return 0;
  assert_null(at->prev);
  assert_null(at->next);
  const inf_timer *stack[64]; /* parents of at */
  size_t depth = 0, count = 0;
  while (at) {
    count++;
    assert_true(at->queued);
    if (depth > 0) {
      const inf_timer *parent = stack[depth - 1];
      assert_true(parent->key < at->key ||
                  (parent->key == at->key && parent->seq < at->seq));
    }
    if (at->child) {
      assert_ptr_equal(at->child->prev, at);
      assert_true(depth < sizeof stack / sizeof stack[0]);
      stack[depth++] = at;
      at = at->child;
      continue;
    }
    while (at && !at->next)
      at = depth > 0 ? stack[--depth] : NULL;
    if (at) {
      assert_ptr_equal(at->next->prev, at);
      at = at->next;
    }
  }
  return count;
}

static void
test_empty(void **state)
{
  (void)state;
  inf_timer_heap heap = {0};
  inf_timer timer;
  inf_timer_init(&timer);
  assert_false(timer.queued);
  assert_null(inf_timer_pop_due(&heap, UINT64_MAX));
  assert_true(inf_timer_next_ns(&heap) == UINT64_MAX);
  inf_timer_cancel(&heap, &timer);
  assert_int_equal(check_heap(&heap), 0);
}

static void
test_due(void **state)
{
  (void)state;
  inf_timer_heap heap = {0};
  inf_timer timer;
  inf_timer_init(&timer);
  inf_timer_set(&heap, &timer, 100);
  assert_true(timer.queued);
  assert_int_equal(inf_timer_next_ns(&heap), 100);
  assert_null(inf_timer_pop_due(&heap, 99));
  assert_true(timer.queued);
  assert_ptr_equal(inf_timer_pop_due(&heap, 100), &timer);
  assert_false(timer.queued);
  assert_null(inf_timer_pop_due(&heap, 100));
  assert_true(inf_timer_next_ns(&heap) == UINT64_MAX);
}

static void
test_never(void **state)
{
  (void)state;
  inf_timer_heap heap = {0};
  inf_timer never, soon;
  inf_timer_init(&never);
  inf_timer_init(&soon);
  inf_timer_set(&heap, &never, UINT64_MAX);
  inf_timer_set(&heap, &soon, 0);
  assert_int_equal(inf_timer_next_ns(&heap), 0);
  assert_ptr_equal(inf_timer_pop_due(&heap, 0), &soon);
  assert_null(inf_timer_pop_due(&heap, UINT64_MAX - 1));
  assert_true(inf_timer_next_ns(&heap) == UINT64_MAX);
}

static void
test_equal_times_in_order_of_arming(void **state)
{
  (void)state;
  enum { count = 100 };
  inf_timer_heap heap = {0};
  inf_timer timers[count];
  for (int i = 0; i < count; i++)
    inf_timer_init(&timers[i]);
  for (int i = 0; i < count; i++)
    inf_timer_set(&heap, &timers[(i * 37) % count], 5);
  for (int i = 0; i < count; i++)
    assert_ptr_equal(inf_timer_pop_due(&heap, 5), &timers[(i * 37) % count]);
}

static void
test_move(void **state)
{
  (void)state;
  inf_timer_heap heap = {0};
  inf_timer a, b;
  inf_timer_init(&a);
  inf_timer_init(&b);
  inf_timer_set(&heap, &a, 10);
  inf_timer_set(&heap, &b, 20);
  inf_timer_set(&heap, &a, 30);
  assert_int_equal(inf_timer_next_ns(&heap), 20);
  inf_timer_set(&heap, &a, 5);
  assert_int_equal(inf_timer_next_ns(&heap), 5);
  /* Moved to where the other stands: armed later, so behind it. */
  inf_timer_set(&heap, &a, 20);
  assert_int_equal(check_heap(&heap), 2);
  assert_ptr_equal(inf_timer_pop_due(&heap, 20), &b);
  assert_ptr_equal(inf_timer_pop_due(&heap, 20), &a);
}

static void
test_cancel(void **state)
{
  (void)state;
  inf_timer_heap heap = {0};
  inf_timer timers[8];
  for (uint64_t i = 0; i < 8; i++) {
    inf_timer_init(&timers[i]);
    inf_timer_set(&heap, &timers[i], i);
  }
  /* The root, a leaf, and one twice. */
  inf_timer_cancel(&heap, &timers[0]);
  inf_timer_cancel(&heap, &timers[7]);
  inf_timer_cancel(&heap, &timers[3]);
  inf_timer_cancel(&heap, &timers[3]);
  assert_false(timers[3].queued);
  assert_int_equal(check_heap(&heap), 5);
  static const int left[] = {1, 2, 4, 5, 6};
  for (int i = 0; i < 5; i++)
    assert_ptr_equal(inf_timer_pop_due(&heap, 100), &timers[left[i]]);
  assert_null(inf_timer_pop_due(&heap, 100));
}

/* ---- Against the reference ---------------------------------------------- */

enum { model_count = 200 };

typedef struct model {
  inf_timer_heap heap;
  inf_timer timers[model_count];
  bool armed[model_count];
  uint64_t at_ns[model_count], order[model_count];
  uint64_t next_order;
  size_t live;
} model;

/* The armed timer with the least time, of these the one armed first. */
static int
model_first(const model *m)
{
  int first = -1;
  for (int i = 0; i < model_count; i++) {
    if (!m->armed[i])
      continue;
    if (first < 0 || m->at_ns[i] < m->at_ns[first] ||
        (m->at_ns[i] == m->at_ns[first] && m->order[i] < m->order[first]))
      first = i;
  }
  return first;
}

static void
model_set(model *m, int i, uint64_t at_ns)
{
  inf_timer_set(&m->heap, &m->timers[i], at_ns);
  m->live += !m->armed[i];
  m->armed[i] = true;
  m->at_ns[i] = at_ns;
  m->order[i] = m->next_order++;
}

static void
model_cancel(model *m, int i)
{
  inf_timer_cancel(&m->heap, &m->timers[i]);
  m->live -= m->armed[i];
  m->armed[i] = false;
}

static void
model_pop(model *m, uint64_t now_ns)
{
  int first = model_first(m);
  inf_timer *timer = inf_timer_pop_due(&m->heap, now_ns);
  if (first < 0 || m->at_ns[first] > now_ns) {
    assert_null(timer);
    return;
  }
  assert_ptr_equal(timer, &m->timers[first]);
  m->armed[first] = false;
  m->live--;
}

static void
model_step(model *m, inf_rng *rng)
{
  int i = (int)inf_rng_below(rng, model_count);
  /* Few different times, so that many are equal. */
  uint64_t at_ns = inf_rng_below(rng, 50);
  switch (inf_rng_below(rng, 4)) {
  case 0:
  case 1:
    model_set(m, i, at_ns);
    break;
  case 2:
    model_cancel(m, i);
    break;
  default:
    model_pop(m, at_ns);
  }
  int first = model_first(m);
  assert_true(inf_timer_next_ns(&m->heap) ==
              (first < 0 ? UINT64_MAX : m->at_ns[first]));
}

static void
test_random_operations(void **state)
{
  (void)state;
  static model m;
  inf_rng rng;
  inf_rng_seed(&rng, 20240601);
  for (int i = 0; i < model_count; i++)
    inf_timer_init(&m.timers[i]);
  for (int step = 0; step < 50000; step++) {
    model_step(&m, &rng);
    if (step % 10 == 0)
      assert_int_equal(check_heap(&m.heap), m.live);
  }
  while (m.live > 0)
    model_pop(&m, UINT64_MAX);
  assert_null(m.heap.root);
}

/* ---- A million ---------------------------------------------------------- */

enum { million = 1000000 };

/* Later times first makes a chain, earlier times first a million children of
 * one root: the shapes that a recursion would not survive. */
static void
pop_million(bool descending)
{
  inf_timer_heap heap = {0};
  inf_timer *timers = calloc(million, sizeof *timers);
  assert_non_null(timers);
  for (uint64_t i = 0; i < million; i++)
    inf_timer_set(&heap, &timers[i], descending ? million - i : i + 1);
  /* A cancelled root leaves all the others without a parent. */
  inf_timer_cancel(&heap, heap.root);
  uint64_t last = 1, count = 0;
  inf_timer *timer;
  while ((timer = inf_timer_pop_due(&heap, UINT64_MAX))) {
    if (timer->key != last + 1)
      fail_msg("%llu after %llu", (unsigned long long)timer->key,
               (unsigned long long)last);
    last = timer->key;
    count++;
  }
  assert_int_equal(count, million - 1);
  free(timers);
}

static void
test_million_ascending(void **state)
{
  (void)state;
  pop_million(false);
}

static void
test_million_descending(void **state)
{
  (void)state;
  pop_million(true);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_empty),
      cmocka_unit_test(test_due),
      cmocka_unit_test(test_never),
      cmocka_unit_test(test_equal_times_in_order_of_arming),
      cmocka_unit_test(test_move),
      cmocka_unit_test(test_cancel),
      cmocka_unit_test(test_random_operations),
      cmocka_unit_test(test_million_ascending),
      cmocka_unit_test(test_million_descending),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
