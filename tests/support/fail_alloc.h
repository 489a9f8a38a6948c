/* SPDX-License-Identifier: MIT */
/* An allocator that fails on demand and counts what is not freed.
 *
 *   fail_alloc_install();             // from now on lib/ allocates here
 *   fail_alloc_nth(3);                // the third allocation fails, once
 *   fail_alloc_from(3);               // the third and every later one
 *   fail_alloc_never();               // none (also the state after install)
 *   ... run something, free all that it gave ...
 *   fail_alloc_hits()                 // how many failed since nth/from
 *   fail_alloc_count()                // allocations since then, failed or not
 *   fail_alloc_live()                 // blocks allocated and not freed
 *   fail_alloc_uninstall();           // asserts that none is left
 *
 * A growing realloc counts as an allocation. Installing is allowed only while
 * lib/ holds no memory, so install first and uninstall last.
 *
 * For the usual test, which fails each allocation of a scenario in turn, once
 * alone and once with all that follow, and asserts after each run that
 * nothing leaked:
 *
 *   static void
 *   scenario(void *arg)   // must stand any failure, and free what it made
 *   {
 *     ...
 *   }
 *   assert_true(fail_alloc_sweep(scenario, NULL) > 0);
 *
 * Within the scenario fail_alloc_hits() tells whether a failure has happened:
 * if none has, the result must be a success.
 *
 * The counters are atomic, for code under test that has threads; which thread
 * meets the n-th allocation is then a matter of chance. */
#ifndef TESTS_SUPPORT_FAIL_ALLOC_H
#define TESTS_SUPPORT_FAIL_ALLOC_H

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct fail_alloc_state {
  atomic_size_t count; /* allocations since the plan was made */
  atomic_size_t hits;  /* of these, failed */
  atomic_size_t live;
  size_t first, last; /* numbers of the allocations that fail, from 1 */
} fail_alloc_state;

static inline fail_alloc_state *
fail_alloc_get(void)
{
  static fail_alloc_state state;
  return &state;
}

static inline bool
fail_alloc_fails(fail_alloc_state *state)
{
  size_t n = atomic_fetch_add(&state->count, 1) + 1;
  if (n < state->first || n > state->last)
    return false;
  atomic_fetch_add(&state->hits, 1);
  return true;
}

static inline void *
fail_alloc_malloc(size_t size, void *user_data)
{
  fail_alloc_state *state = user_data;
  if (fail_alloc_fails(state))
    return NULL;
  void *ptr = malloc(size);
  if (ptr)
    atomic_fetch_add(&state->live, 1);
  return ptr;
}

static inline void *
fail_alloc_realloc(void *ptr, size_t size, void *user_data)
{
  fail_alloc_state *state = user_data;
  return fail_alloc_fails(state) ? NULL : realloc(ptr, size);
}

static inline void
fail_alloc_free(void *ptr, void *user_data)
{
  fail_alloc_state *state = user_data;
  atomic_fetch_sub(&state->live, 1);
  free(ptr);
}

static inline void
fail_alloc_plan(size_t first, size_t last)
{
  fail_alloc_state *state = fail_alloc_get();
  state->first = first;
  state->last = last;
  atomic_store(&state->count, 0);
  atomic_store(&state->hits, 0);
}

static inline void
fail_alloc_nth(size_t n)
{
  fail_alloc_plan(n, n);
}

static inline void
fail_alloc_from(size_t n)
{
  fail_alloc_plan(n, SIZE_MAX);
}

static inline void
fail_alloc_never(void)
{
  fail_alloc_plan(SIZE_MAX, 0);
}

static inline size_t
fail_alloc_hits(void)
{
  return atomic_load(&fail_alloc_get()->hits);
}

static inline size_t
fail_alloc_count(void)
{
  return atomic_load(&fail_alloc_get()->count);
}

static inline size_t
fail_alloc_live(void)
{
  return atomic_load(&fail_alloc_get()->live);
}

static inline void
fail_alloc_install(void)
{
  fail_alloc_never();
  atomic_store(&fail_alloc_get()->live, 0);
  inf_mem_set_functions(fail_alloc_malloc, fail_alloc_realloc, fail_alloc_free,
                        fail_alloc_get());
}

static inline void
fail_alloc_uninstall(void)
{
  size_t live = fail_alloc_live();
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  assert_int_equal(live, 0);
}

/* Runs the scenario with plan(1), plan(2), ... until no allocation fails, and
 * returns how many runs that took. */
static inline size_t
fail_alloc_sweep_with(void (*plan)(size_t n), void (*scenario)(void *arg),
                      void *arg)
{
  const size_t most = 1000000;
  size_t live = fail_alloc_live();
  for (size_t n = 1; n <= most; n++) {
    plan(n);
    scenario(arg);
    bool failed = fail_alloc_hits() > 0;
    fail_alloc_never();
    assert_int_equal(fail_alloc_live(), live);
    if (!failed)
      return n;
  }
  fail_msg("a scenario without end");
  return 0;
}

/* Returns the number of allocations that were failed; 0 means that the
 * scenario allocates nothing. Use between install and uninstall. */
static inline size_t
fail_alloc_sweep(void (*scenario)(void *arg), void *arg)
{
  size_t once = fail_alloc_sweep_with(fail_alloc_nth, scenario, arg) - 1;
  size_t from = fail_alloc_sweep_with(fail_alloc_from, scenario, arg) - 1;
  return once + from;
}

#endif
