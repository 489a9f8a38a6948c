/* SPDX-License-Identifier: MIT */
/* The failure table, row by row as the design has it. */
#include "policy/failure_table.h"

#include "base/error.h"
#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct row {
  int32_t status;
  inf_again again;
  inf_elsewhere elsewhere;
  inf_key_fate key_fate;
  int breaker_percent;
  bool retryable;
} row;

#define NO      INF_AGAIN_NO
#define BACKOFF INF_AGAIN_BACKOFF
#define YES     INF_ELSEWHERE_YES
#define NOWHERE INF_ELSEWHERE_NO
#define KEEP    INF_KEY_KEEP

/* clang-format off */
static const row rows[] = {
  /* resolve, connect, tls handshake, reset */
  {INFER_E_RESOLVE,             BACKOFF, YES, KEEP, 100, true},
  {INFER_E_CONNECT,             BACKOFF, YES, KEEP, 100, true},
  {INFER_E_TLS,                 BACKOFF, YES, KEEP, 100, true},
  {INFER_E_RESET,               BACKOFF, YES, KEEP, 100, true},
  /* tls verify: only if the route says so */
  {INFER_E_TLS_VERIFY,          NO, INF_ELSEWHERE_IF_TLS, KEEP, 0, false},
  /* silent or too slow to start */
  {INFER_E_FIRST_TOKEN_TIMEOUT, NO, YES, KEEP, 50, true},
  {INFER_E_ATTEMPT_TIMEOUT,     NO, YES, KEEP, 50, true},
  /* stopped in the middle of the answer */
  {INFER_E_IDLE_TIMEOUT,        NO, YES, KEEP, 100, true},
  {INFER_E_TRUNCATED,           NO, YES, KEEP, 100, true},
  {INFER_E_OVERLOADED,          BACKOFF, YES, KEEP, 100, true},
  {INFER_E_SERVER,              BACKOFF, YES, KEEP, 100, true},
  {INFER_E_RATE_LIMITED,        INF_AGAIN_HINT, YES, KEEP, 0, true},
  /* the key is spent, the key is refused */
  {INFER_E_QUOTA,               INF_AGAIN_KEY, YES, INF_KEY_REST, 0, false},
  {INFER_E_AUTH,                INF_AGAIN_KEY, YES, INF_KEY_REFUSE, 0, false},
  {INFER_E_NOT_FOUND,           NO, YES, KEEP, 0, false},
  {INFER_E_CONTEXT_LENGTH,      NO, INF_ELSEWHERE_LARGER_CONTEXT, KEEP, 0,
                                false},
  {INFER_E_REQUEST_TOO_LARGE,   NO, YES, KEEP, 0, false},
  {INFER_E_CONTENT_FILTER,      NO, INF_ELSEWHERE_IF_FILTER, KEEP, 0, false},
  {INFER_E_BAD_REQUEST,         NO, NOWHERE, KEEP, 0, false},
  /* malformed or oversized answer: as server */
  {INFER_E_PROTOCOL,            BACKOFF, YES, KEEP, 100, true},
  {INFER_E_TOO_LARGE,           BACKOFF, YES, KEEP, 100, true},
  {INFER_E_TOO_DEEP,            BACKOFF, YES, KEEP, 100, true},
  /* what this dialect cannot say, another one may */
  {INFER_E_UNSUPPORTED,         NO, YES, KEEP, 0, false},
  /* ended by us */
  {INFER_E_DEADLINE,            NO, NOWHERE, KEEP, 0, true},
  {INFER_E_LIMIT,               NO, NOWHERE, KEEP, 0, true},
  {INFER_E_CANCELLED,           NO, NOWHERE, KEEP, 0, false},
  {INFER_E_BUDGET,              NO, NOWHERE, KEEP, 0, false},
  {INFER_E_NO_TARGET,           NO, NOWHERE, KEEP, 0, false},
  /* misuse and local trouble */
  {INFER_E_INVALID_ARGUMENT,    NO, NOWHERE, KEEP, 0, false},
  {INFER_E_NO_MEMORY,           NO, NOWHERE, KEEP, 0, false},
  {INFER_E_CONFIG,              NO, NOWHERE, KEEP, 0, false},
  {INFER_E_CLOSED,              NO, NOWHERE, KEEP, 0, false},
  {INFER_E_TIMEOUT,             NO, NOWHERE, KEEP, 0, false},
  {INFER_E_REENTRANT,           NO, NOWHERE, KEEP, 0, false},
  {INFER_E_FORKED,              NO, NOWHERE, KEEP, 0, false},
  {INFER_E_IO,                  NO, NOWHERE, KEEP, 0, false},
  {INFER_E_INTERNAL,            NO, NOWHERE, KEEP, 0, false},
  {INFER_OK,                    NO, NOWHERE, KEEP, 0, false},
};
/* clang-format on */

enum { row_count = sizeof rows / sizeof rows[0] };

static void
every_row_is_as_designed(void **state)
{
  (void)state;
  for (size_t i = 0; i < row_count; i++) {
    const inf_failure_rule *rule = inf_failure_rule_of(rows[i].status);
    assert_non_null(rule);
    if (rule->again != rows[i].again || rule->elsewhere != rows[i].elsewhere ||
        rule->key_fate != rows[i].key_fate ||
        rule->breaker_percent != rows[i].breaker_percent ||
        rule->retryable != rows[i].retryable)
      fail_msg("%s differs", infer_status_name(rows[i].status));
  }
}

/* A class that is added to the taxonomy must be given its row here. */
static void
every_status_has_a_row(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_status_count(); i++) {
    size_t at = 0;
    while (at < row_count && rows[at].status != inf_status_at(i)->status)
      at++;
    if (at == row_count)
      fail_msg("%s has no row", inf_status_at(i)->name);
  }
}

static void
an_unknown_class_ends_the_call(void **state)
{
  (void)state;
  const int32_t unknown[] = {1, -11, -1000, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    const inf_failure_rule *rule = inf_failure_rule_of(unknown[i]);
    assert_non_null(rule);
    assert_int_equal(rule->again, INF_AGAIN_NO);
    assert_int_equal(rule->elsewhere, INF_ELSEWHERE_NO);
    assert_int_equal(rule->key_fate, INF_KEY_KEEP);
    assert_int_equal(rule->breaker_percent, 0);
    assert_false(rule->retryable);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_is_as_designed),
      cmocka_unit_test(every_status_has_a_row),
      cmocka_unit_test(an_unknown_class_ends_the_call),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
