/* SPDX-License-Identifier: MIT */
/* Which targets a request may go to, and in which order. */
#include "engine/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

enum { provider_count = 4 };

/* A route over the providers p0 to p3, each with one key; p0 and p2 are in the
 * EU, p2 also keeps nothing. */
typedef struct fixture {
  inf_key keys[provider_count];
  inf_provider_config providers[provider_count];
  inf_target_config targets[provider_count];
  inf_route_config route;
  struct infer_request *request;
  inf_runtime *runtime;
  inf_plan_item items[provider_count];
} fixture;

static char eu[] = "eu", zdr[] = "zdr",
            names[provider_count][3] = {"p0", "p1", "p2", "p3"};
static char *labels_eu[] = {eu}, *labels_both[] = {eu, zdr};
static char *labels_zdr[] = {zdr};

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof *f);
  for (size_t i = 0; i < provider_count; i++) {
    f->keys[i].fingerprint = 100 + i;
    f->providers[i].name = names[i];
    f->providers[i].keys = &f->keys[i];
    f->providers[i].key_count = 1;
    f->targets[i].provider = &f->providers[i];
  }
  f->providers[0].labels = labels_eu;
  f->providers[0].label_count = 1;
  f->providers[2].labels = labels_both;
  f->providers[2].label_count = 2;
  f->route.targets = f->targets;
  f->route.target_count = provider_count;
  f->request = inf_request_new();
  f->runtime = inf_runtime_new();
  assert_non_null(f->request);
  assert_non_null(f->runtime);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_request_free(f->request);
  inf_runtime_free(f->runtime);
  test_free(f);
  return 0;
}

/* The plan as "0 2 | 1 3": usable ones, then the others. */
static void
assert_plan(fixture *f, const char *expected)
{
  char text[4 * provider_count] = "", *at = text;
  size_t usable = inf_plan_make(f->items, &f->route, f->request, f->runtime, 1);
  for (size_t i = 0; i <= f->route.target_count; i++) {
    if (i == usable) {
      *at++ = '|';
      *at++ = ' ';
    }
    if (i == f->route.target_count)
      break;
    assert_true((f->items[i].status == INFER_OK) == (i < usable));
    *at++ = (char)('0' + (f->items[i].target - f->targets));
    *at++ = ' ';
  }
  *--at = '\0';
  assert_string_equal(text, expected);
}

static void
all_in_the_order_of_the_route(void **state)
{
  fixture *f = *state;
  assert_plan(f, "0 1 2 3 |");
  for (size_t i = 0; i < provider_count; i++)
    assert_null(f->items[i].missing_label);
  f->route.target_count = 0;
  assert_plan(f, "|");
}

static void
labels_of_the_request_keep_targets_out(void **state)
{
  fixture *f = *state;
  assert_int_equal(infer_request_require_label(f->request, "eu"), INFER_OK);
  assert_plan(f, "0 2 | 1 3");
  assert_int_equal(f->items[2].status, INFER_E_NO_TARGET);
  assert_string_equal(f->items[2].missing_label, "eu");
  assert_null(f->items[0].missing_label);
  assert_int_equal(infer_request_require_label(f->request, "zdr"), INFER_OK);
  assert_plan(f, "2 | 0 1 3");
  assert_string_equal(f->items[1].missing_label, "zdr");
  assert_string_equal(f->items[2].missing_label, "eu");
  assert_int_equal(infer_request_require_label(f->request, "eU"), INFER_OK);
  assert_plan(f, "| 0 1 2 3");
  assert_string_equal(f->items[2].missing_label, "eU");
}

static void
labels_of_the_route_come_first(void **state)
{
  fixture *f = *state;
  f->route.require_labels = labels_zdr;
  f->route.require_label_count = 1;
  assert_plan(f, "2 | 0 1 3");
  assert_int_equal(infer_request_require_label(f->request, "eu"), INFER_OK);
  assert_plan(f, "2 | 0 1 3");
  assert_string_equal(f->items[2].missing_label, "zdr");
  assert_string_equal(
      inf_plan_missing_label(&f->providers[1], &f->route, f->request), "zdr");
  assert_null(inf_plan_missing_label(&f->providers[2], &f->route, f->request));
}

/* A label must be the whole word. */
static void
a_part_of_a_label_is_not_the_label(void **state)
{
  fixture *f = *state;
  assert_int_equal(infer_request_require_label(f->request, "e"), INFER_OK);
  assert_plan(f, "| 0 1 2 3");
}

static void
keys_set_aside_keep_targets_out(void **state)
{
  fixture *f = *state;
  inf_runtime_note_key(f->runtime, &f->providers[0], 0, INFER_E_AUTH, -1, 1);
  inf_runtime_note_key(f->runtime, &f->providers[2], 0, INFER_E_QUOTA, -1, 1);
  assert_plan(f, "1 3 | 0 2");
  assert_int_equal(f->items[2].status, INFER_E_AUTH);
  assert_int_equal(f->items[3].status, INFER_E_QUOTA);
  assert_null(f->items[2].missing_label);
  /* A label is the stronger reason. */
  assert_int_equal(infer_request_require_label(f->request, "zdr"), INFER_OK);
  assert_plan(f, "| 0 1 2 3");
  assert_int_equal(f->items[0].status, INFER_E_NO_TARGET);
  assert_int_equal(f->items[2].status, INFER_E_QUOTA);
}

static void
limited_keys_and_none_keep_nothing_out(void **state)
{
  fixture *f = *state;
  inf_runtime_note_key(f->runtime, &f->providers[0], 0, INFER_E_RATE_LIMITED,
                       -1, 1);
  f->providers[1].key_count = 0;
  assert_plan(f, "0 1 2 3 |");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(all_in_the_order_of_the_route),
      TEST(labels_of_the_request_keep_targets_out),
      TEST(labels_of_the_route_come_first),
      TEST(a_part_of_a_label_is_not_the_label),
      TEST(keys_set_aside_keep_targets_out),
      TEST(limited_keys_and_none_keep_nothing_out),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
