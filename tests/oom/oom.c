/* SPDX-License-Identifier: MIT */
/* Runs every scenario, and tells how many allocations were failed. */
#include "oom.h"

#include "support/fail_alloc.h"
#include "support/fake_client.h"

#include <stdio.h>
#include <string.h>

size_t
oom_hits(void)
{
  return fail_alloc_hits();
}

void
oom_end_shortage(void)
{
  fail_alloc_get()->first = SIZE_MAX;
  fail_alloc_get()->last = 0;
}

bool
oom_is_ok(int32_t status, infer_error **error)
{
  infer_error *given = error ? *error : NULL;
  if (status == INFER_OK) {
    assert_null(given);
    return true;
  }
  if (status != INFER_E_NO_MEMORY)
    fail_msg("%s: %s", infer_status_name(status), infer_error_message(given));
  assert_true(fail_alloc_hits() > 0);
  if (given)
    assert_int_equal(infer_error_status(given), INFER_E_NO_MEMORY);
  infer_error_free(given);
  return false;
}

void
oom_fails(int32_t status, infer_error **error, int32_t expected)
{
  infer_error *given = error ? *error : NULL;
  if (status != expected)
    assert_false(oom_is_ok(status, error));
  else if (given) {
    /* The class is known without memory; only the words may be lost. */
    assert_true(infer_error_status(given) == expected ||
                (infer_error_status(given) == INFER_E_NO_MEMORY &&
                 fail_alloc_hits() > 0));
    infer_error_free(given);
  }
}

char *
oom_json(const char *text)
{
  char *json = strdup(text);
  assert_non_null(json);
  for (char *at = json; (at = strchr(at, '\''));)
    *at = '"';
  return json;
}

infer_config *
oom_config_of(const char *text, const char *threads)
{
  infer_config *config = NULL;
  infer_error *error = NULL;
  char *json = oom_json(text);
  int32_t status =
      infer_config_from_json(&config, json, INFER_NUL_TERMINATED, &error);
  free(json);
  if (!oom_is_ok(status, &error))
    return NULL;
  error = NULL;
  status = infer_config_set_json(config, "threads", threads,
                                 INFER_NUL_TERMINATED, &error);
  if (oom_is_ok(status, &error))
    return config;
  infer_config_free(config);
  return NULL;
}

infer_client *
oom_client_over(struct fake_net *net, const infer_config *config)
{
  const inf_client_parts parts = {.new_transport = fake_net_transport,
                                  .context = net,
                                  .clock = &net->clock,
                                  .seed = 1};
  infer_client *client = NULL;
  infer_error *error = NULL;
  if (!oom_is_ok(inf_client_new_with(&client, config, &parts, &error), &error))
    assert_null(client);
  return client;
}

infer_client *
oom_client_of(struct fake_net *net, infer_config *config)
{
  infer_client *client = config ? oom_client_over(net, config) : NULL;
  infer_config_free(config);
  return client;
}

/* ---- Running ------------------------------------------------------------- */

static size_t total;

static void
sweep(void **state)
{
  const oom_scenario *scenario = *state;
  fail_alloc_install();
  size_t failed =
      fail_alloc_sweep(scenario->run, (void *)(uintptr_t)scenario->arg);
  fail_alloc_uninstall();
  assert_true(failed > 0);
  printf("%6zu allocations failed: %s\n", failed, scenario->name);
  total += failed;
}

static int
run_suite(const oom_suite *suite)
{
  struct CMUnitTest tests[64];
  size_t count = suite->count;
  if (count > sizeof tests / sizeof tests[0])
    return 1;
  for (size_t i = 0; i < count; i++)
    tests[i] = (struct CMUnitTest){.name = suite->scenarios[i].name,
                                   .test_func = sweep,
                                   .initial_state =
                                       (void *)(uintptr_t)&suite->scenarios[i]};
  return _cmocka_run_group_tests("oom", tests, count, NULL, NULL);
}

int
main(int argc, char **argv)
{
  static const struct {
    const char *name;
    const oom_suite *suite;
  } suites[] = {{"calls", &oom_calls},       {"config", &oom_config},
                {"requests", &oom_requests}, {"network", &oom_network},
                {"tokens", &oom_tokens},     {"budgets", &oom_budgets}};
  int failed = 0;
  for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++)
    if (argc < 2 || strcmp(argv[1], suites[i].name) == 0)
      failed += run_suite(suites[i].suite);
  oom_network_end();
  oom_tokens_end();
  oom_budgets_end();
  printf("%6zu allocations failed in all\n", total);
  return failed;
}
