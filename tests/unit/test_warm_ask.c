/* SPDX-License-Identifier: MIT */
/* Two threads share an ask: one waits, the loop fills the rows; whoever is
 * last frees it. */
#include "engine/warm_ask.h"
#include "support/fail_alloc.h"
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static inf_warm_ask *
ask_for_all(fake_client *fake, uint64_t wait_ns)
{
  inf_config *config = fake->client->config;
  const inf_provider_config *providers[3];
  for (size_t i = 0; i < 3; i++)
    providers[i] = &config->providers[i];
  return inf_warm_ask_new(fake->client, config, providers, 3, wait_ns);
}

static void
times_of_an_ask(void **state)
{
  (void)state;
  static const struct {
    uint64_t wait_ms, until_ms, end_ms;
  } cases[] = {{0, 0, 30000}, {8, 8, 7}, {800, 800, 700}, {5000, 5000, 4900}};
  fake_client *fake = fake_client_new(NULL);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    inf_warm_ask *ask = ask_for_all(fake, cases[i].wait_ms * INF_NS_PER_MS);
    assert_int_equal(fake_ms(ask->until_ns), cases[i].until_ms);
    assert_int_equal(fake_ms(ask->end_ns), cases[i].end_ms);
    inf_warm_ask_unref(ask);
  }
  inf_warm_ask *ask = ask_for_all(fake, INF_NEVER);
  assert_true(ask->until_ns == INF_NEVER);
  assert_true(ask->end_ns >= INF_NEVER - INF_NS_PER_S);
  inf_warm_ask_unref(ask);
  fake_client_free(fake);
}

static void
rows_are_filled_one_by_one(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_warm_ask *ask = ask_for_all(fake, INF_NS_PER_S);
  const inf_warm_row row = {.provider = "never used",
                            .status = INFER_E_CONNECT,
                            .reached = INFER_WARM_LOOKUP,
                            .protocol = "h2",
                            .took_ns = 7,
                            .reason = "why"};
  inf_warm_ask_put(ask, 1, &row);
  assert_int_equal(ask->pending, 2);
  const inf_warm_row *rows = ask->report->rows;
  assert_string_equal(rows[1].provider, "b"); /* its name stays */
  assert_int_equal(rows[1].status, INFER_E_CONNECT);
  assert_string_equal(rows[1].reason, "why");
  assert_int_equal(rows[0].status, INFER_E_TIMEOUT);
  assert_int_equal(rows[2].took_ns, -1);
  inf_warm_ask_unref(ask);
  fake_client_free(fake);
}

/* The asking thread has gone with its report; the loop still has rows. */
static void
a_row_that_comes_too_late(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_warm_ask *ask = ask_for_all(fake, 10 * INF_NS_PER_MS);
  struct infer_warm_report *report;
  assert_int_equal(inf_warm_ask_run(fake->client, ask, &report),
                   INFER_E_TIMEOUT);
  const inf_warm_row row = {.status = INFER_OK, .protocol = ""};
  inf_warm_ask_put(ask, 0, &row);
  assert_int_equal(report->rows[0].status, INFER_E_TIMEOUT);
  inf_warm_ask_unref(ask);
  infer_warm_report_free(report);
  fake_client_free(fake); /* with the warm-ups under way */
}

static fake_client *scarce;

static void
ask_short_of_memory(void *arg)
{
  (void)arg;
  inf_warm_ask *ask = ask_for_all(scarce, INF_NS_PER_S);
  if (ask)
    inf_warm_ask_unref(ask);
  else
    assert_true(fail_alloc_hits() > 0);
}

static void
memory_failure(void **state)
{
  (void)state;
  fail_alloc_install();
  scarce = fake_client_new(NULL);
  assert_true(fail_alloc_sweep(ask_short_of_memory, NULL) > 0);
  fake_client_free(scarce);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_of_an_ask),
      cmocka_unit_test(rows_are_filled_one_by_one),
      cmocka_unit_test(a_row_that_comes_too_late),
      cmocka_unit_test(memory_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
