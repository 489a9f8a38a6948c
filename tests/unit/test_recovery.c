/* SPDX-License-Identifier: MIT */
/* Section 3.3 of the design. */
#include "policy/recovery.h"

#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static inf_recovery_action
action_of(int32_t mode, bool tool_call_done, bool continues)
{
  inf_recovery_state state = {mode, tool_call_done, continues};
  inf_recovery_decision decision = inf_recovery_decide(&state);
  assert_non_null(decision.why);
  return decision.action;
}

static void
the_mode_says_how_to_go_on(void **state)
{
  (void)state;
  static const struct {
    int32_t mode;
    bool tool_call_done, continues;
    inf_recovery_action action;
  } cases[] = {
      {INF_RECOVERY_ERROR, false, false, INF_RECOVERY_END},
      {INF_RECOVERY_ERROR, false, true, INF_RECOVERY_END},
      {INF_RECOVERY_ERROR, true, true, INF_RECOVERY_END},
      {INF_RECOVERY_RESTART, false, false, INF_RECOVERY_START_AGAIN},
      {INF_RECOVERY_RESTART, false, true, INF_RECOVERY_START_AGAIN},
      {INF_RECOVERY_RESTART, true, false, INF_RECOVERY_END},
      {INF_RECOVERY_CONTINUE, false, true, INF_RECOVERY_GO_ON},
      {INF_RECOVERY_CONTINUE, false, false, INF_RECOVERY_START_AGAIN},
      {INF_RECOVERY_CONTINUE, true, true, INF_RECOVERY_END},
      {INF_RECOVERY_CONTINUE, true, false, INF_RECOVERY_END},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(
        action_of(cases[i].mode, cases[i].tool_call_done, cases[i].continues),
        cases[i].action);
}

static void
a_refusal_is_no_failure_of_its_own(void **state)
{
  (void)state;
  static const int32_t refused[] = {
      INFER_E_BAD_REQUEST, INFER_E_CONTEXT_LENGTH, INFER_E_REQUEST_TOO_LARGE,
      INFER_E_UNSUPPORTED, INFER_E_INVALID_ARGUMENT};
  static const int32_t doubtful[] = {INFER_E_SERVER, INFER_E_PROTOCOL};
  static const int32_t failed[] = {
      INFER_E_RESET,        INFER_E_OVERLOADED, INFER_E_RATE_LIMITED,
      INFER_E_AUTH,         INFER_E_NOT_FOUND,  INFER_E_FIRST_TOKEN_TIMEOUT,
      INFER_E_IDLE_TIMEOUT, INFER_E_TRUNCATED,  INFER_E_CONTENT_FILTER,
      INFER_E_NO_MEMORY};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
    assert_int_equal(inf_recovery_judge(refused[i], false),
                     INF_RECOVERY_REFUSED);
  for (size_t i = 0; i < sizeof doubtful / sizeof doubtful[0]; i++)
    assert_int_equal(inf_recovery_judge(doubtful[i], false),
                     INF_RECOVERY_DOUBTFUL);
  for (size_t i = 0; i < sizeof failed / sizeof failed[0]; i++)
    assert_int_equal(inf_recovery_judge(failed[i], false), INF_RECOVERY_FAILED);
}

/* Who has gone on for a while has not refused. */
static void
content_is_proof_that_it_was_taken(void **state)
{
  (void)state;
  assert_int_equal(inf_recovery_judge(INFER_E_BAD_REQUEST, true),
                   INF_RECOVERY_FAILED);
  assert_int_equal(inf_recovery_judge(INFER_E_SERVER, true),
                   INF_RECOVERY_FAILED);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_mode_says_how_to_go_on),
      cmocka_unit_test(a_refusal_is_no_failure_of_its_own),
      cmocka_unit_test(content_is_proof_that_it_was_taken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
