/* SPDX-License-Identifier: MIT */
/* The log of refusals: counted for each target and label, told to the log now
 * and then, and in the statistics. */
#include "engine/refusals.h"

#include "support/breaker_world.h"
#include "support/fail_alloc.h"

#include <stdio.h>

#define LABELLED                                                   \
  "providers.a.labels", "['eu']", "providers.b.labels", "['zdr']", \
      "routes.r.require_labels", "['eu']"

typedef struct sought {
  const char *target, *label;
  uint64_t count;
  size_t entries;
} sought;

static void
look(void *context, const char *target, const char *label, uint64_t count)
{
  sought *for_it = context;
  for_it->entries++;
  bool same = label ? for_it->label && strcmp(label, for_it->label) == 0
                    : !for_it->label;
  if (same && strcmp(target, for_it->target) == 0)
    for_it->count = count;
}

static uint64_t
count_of(inf_runtime *runtime, const char *target, const char *label)
{
  sought for_it = {.target = target, .label = label};
  inf_refusals_each(runtime, look, &for_it);
  return for_it.count;
}

/* ---- Counting ------------------------------------------------------------ */

static void
pairs_are_counted_apart(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  assert_int_equal(count_of(runtime, "a/m", "eu"), 0);
  for (int i = 0; i < 3; i++)
    inf_refusals_note(runtime, "a/m", "eu");
  inf_refusals_note(runtime, "a/m", "zdr");
  inf_refusals_note(runtime, "b/m", "eu");
  assert_int_equal(count_of(runtime, "a/m", "eu"), 3);
  assert_int_equal(count_of(runtime, "a/m", "zdr"), 1);
  assert_int_equal(count_of(runtime, "b/m", "eu"), 1);
  inf_runtime_free(runtime);
}

static void
past_the_limit_they_are_counted_together(void **state)
{
  (void)state;
  inf_runtime *runtime = inf_runtime_new();
  char target[32];
  for (int i = 0; i < INF_REFUSALS_MAX + 5; i++) {
    snprintf(target, sizeof target, "p%d/m", i);
    inf_refusals_note(runtime, target, "eu");
  }
  sought for_it = {.target = "", .label = NULL};
  inf_refusals_each(runtime, look, &for_it);
  assert_int_equal(for_it.entries, INF_REFUSALS_MAX + 1);
  assert_int_equal(for_it.count, 5);
  inf_refusals_note(runtime, "p7/m", "eu"); /* those that are known go on */
  assert_int_equal(count_of(runtime, "p7/m", "eu"), 2);
  inf_runtime_free(runtime);
}

static void
without_memory_nothing_breaks(void **state)
{
  (void)state;
  fail_alloc_install();
  for (unsigned n = 1; n <= 3; n++) { /* the list, and the names */
    inf_runtime *runtime = inf_runtime_new();
    fail_alloc_nth(n);
    inf_refusals_note(runtime, "a/m", "eu");
    fail_alloc_never();
    assert_int_equal(count_of(runtime, "a/m", "eu"), 0);
    assert_int_equal(count_of(runtime, "", NULL), n == 1 ? 0 : 1);
    inf_refusals_note(runtime, "a/m", "eu");
    assert_int_equal(count_of(runtime, "a/m", "eu"), 1);
    inf_runtime_free(runtime);
  }
  fail_alloc_uninstall();
}

/* ---- What is told -------------------------------------------------------- */

typedef struct told {
  size_t lines;
  char last[256];
} told;

static void
hear(int32_t level, const char *message, void *user_data)
{
  told *all = user_data;
  assert_int_equal(level, INFER_LOG_INFO);
  all->lines++;
  snprintf(all->last, sizeof all->last, "%s", message);
}

static void
the_log_hears_of_powers_of_two(void **state)
{
  (void)state;
  told all = {0};
  const inf_log log = {INFER_LOG_INFO, hear, &all};
  inf_runtime *runtime = inf_runtime_new();
  inf_refusals_tell(runtime, &log);
  assert_int_equal(all.lines, 0);
  for (int i = 1; i <= 1000; i++) {
    bool due = inf_refusals_note(runtime, "a/m", "eu");
    assert_int_equal(due, (i & (i - 1)) == 0);
    inf_refusals_tell(runtime, &log);
  }
  assert_int_equal(all.lines, 10);
  assert_string_equal(all.last, "a/m is kept out: its provider does not have "
                                "the required label \"eu\" (512 calls so far)");
  inf_runtime_free(runtime);
}

static void
what_waited_long_is_one_line(void **state)
{
  (void)state;
  told all = {0};
  const inf_log log = {INFER_LOG_INFO, hear, &all};
  inf_runtime *runtime = inf_runtime_new();
  for (int i = 0; i < 7; i++)
    inf_refusals_note(runtime, "a/m", "eu");
  inf_refusals_tell(runtime, &log);
  assert_int_equal(all.lines, 1);
  assert_non_null(strstr(all.last, "(7 calls so far)"));
  inf_refusals_tell(runtime, &log);
  assert_int_equal(all.lines, 1);
  inf_runtime_free(runtime);
}

/* ---- Calls --------------------------------------------------------------- */

static char *
stats_of(fake_client *fake)
{
  char *json = NULL;
  assert_int_equal(infer_client_stats(fake->client, &json, NULL), INFER_OK);
  return json;
}

static void
a_call_that_is_served_elsewhere_leaves_a_trace(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LABELLED, NULL);
  is_well(fake, A);
  char *json = stats_of(fake);
  assert_null(strstr(json, "refusals"));
  infer_text_free(json);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  json = stats_of(fake);
  assert_contains(json, "\"refusals\":[{\"target\":\"b/m\",\"label\":\"eu\","
                        "\"calls\":1}]");
  infer_text_free(json);
  assert_contains(fake->log, "b/m is kept out: its provider does not have the "
                             "required label \"eu\" (1 calls so far)");
  assert_int_equal(requests_to(fake, B), 0);
  fake_client_free(fake);
}

static void
so_does_one_that_no_target_may_serve(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LABELLED, NULL);
  infer_request *request = fake_request_new("r");
  infer_request_require_label(request, "zdr");
  infer_call *call = NULL;
  assert_int_equal(infer_submit(fake->client, request, INFER_SUBMIT_WHOLE,
                                fake->queue, 0, &call, NULL),
                   INFER_E_NO_TARGET);
  infer_request_free(request);
  assert_int_equal(count_of(runtime_of(fake), "a/m", "zdr"), 1);
  assert_int_equal(count_of(runtime_of(fake), "b/m", "eu"), 1);
  assert_null(strstr(fake->log, "kept out")); /* hooks are the loop's */
  fake_run_ms(fake, 1);
  assert_contains(fake->log, "a/m is kept out");
  assert_int_equal(fake->net.request_count, 0);
  fake_client_free(fake);
}

static void
a_dry_run_leaves_none(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(LABELLED, NULL);
  infer_request *request = fake_request_new("r");
  infer_plan *plan;
  assert_int_equal(infer_client_plan(fake->client, request, &plan, NULL),
                   INFER_OK);
  assert_string_equal(infer_plan_reason(plan, 1),
                      "provider \"b\" does not have the label \"eu\"");
  infer_plan_free(plan);
  infer_request_free(request);
  assert_int_equal(count_of(runtime_of(fake), "b/m", "eu"), 0);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pairs_are_counted_apart),
      cmocka_unit_test(past_the_limit_they_are_counted_together),
      cmocka_unit_test(without_memory_nothing_breaks),
      cmocka_unit_test(the_log_hears_of_powers_of_two),
      cmocka_unit_test(what_waited_long_is_one_line),
      cmocka_unit_test(a_call_that_is_served_elsewhere_leaves_a_trace),
      cmocka_unit_test(so_does_one_that_no_target_may_serve),
      cmocka_unit_test(a_dry_run_leaves_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
