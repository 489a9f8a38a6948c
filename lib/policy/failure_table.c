/* SPDX-License-Identifier: MIT */
/* The failure table. Source of each line: the design's section 3.1, which
 * gathers the retry sets of the providers' own SDKs (408, 409, 429, 5xx), their
 * documented error pages, and what gateways got wrong. */
#include "policy/failure_table.h"

#include "infer/infer.h"

#include <stddef.h>

/* clang-format off */
static const inf_failure_rule rules[] = {
  /* class                        same target        another target                key             weight  later? */
  {INFER_E_RESOLVE,               INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_CONNECT,               INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_TLS,                   INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_RESET,                 INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_TLS_VERIFY,            INF_AGAIN_NO,      INF_ELSEWHERE_IF_TLS,         INF_KEY_KEEP,     0, false},
  {INFER_E_FIRST_TOKEN_TIMEOUT,   INF_AGAIN_NO,      INF_ELSEWHERE_YES,            INF_KEY_KEEP,    50, true},
  {INFER_E_ATTEMPT_TIMEOUT,       INF_AGAIN_NO,      INF_ELSEWHERE_YES,            INF_KEY_KEEP,    50, true},
  {INFER_E_IDLE_TIMEOUT,          INF_AGAIN_NO,      INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_TRUNCATED,             INF_AGAIN_NO,      INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_OVERLOADED,            INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_SERVER,                INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_RATE_LIMITED,          INF_AGAIN_HINT,    INF_ELSEWHERE_YES,            INF_KEY_KEEP,     0, true},
  {INFER_E_QUOTA,                 INF_AGAIN_KEY,     INF_ELSEWHERE_YES,            INF_KEY_REST,     0, false},
  {INFER_E_AUTH,                  INF_AGAIN_KEY,     INF_ELSEWHERE_YES,            INF_KEY_REFUSE,   0, false},
  {INFER_E_NOT_FOUND,             INF_AGAIN_NO,      INF_ELSEWHERE_YES,            INF_KEY_KEEP,     0, false},
  {INFER_E_CONTEXT_LENGTH,        INF_AGAIN_NO,      INF_ELSEWHERE_LARGER_CONTEXT, INF_KEY_KEEP,     0, false},
  {INFER_E_REQUEST_TOO_LARGE,     INF_AGAIN_NO,      INF_ELSEWHERE_YES,            INF_KEY_KEEP,     0, false},
  {INFER_E_CONTENT_FILTER,        INF_AGAIN_NO,      INF_ELSEWHERE_IF_FILTER,      INF_KEY_KEEP,     0, false},
  {INFER_E_BAD_REQUEST,           INF_AGAIN_NO,      INF_ELSEWHERE_NO,             INF_KEY_KEEP,     0, false},
  {INFER_E_PROTOCOL,              INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_TOO_LARGE,             INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_TOO_DEEP,              INF_AGAIN_BACKOFF, INF_ELSEWHERE_YES,            INF_KEY_KEEP,   100, true},
  {INFER_E_UNSUPPORTED,           INF_AGAIN_NO,      INF_ELSEWHERE_YES,            INF_KEY_KEEP,     0, false},
  {INFER_E_DEADLINE,              INF_AGAIN_NO,      INF_ELSEWHERE_NO,             INF_KEY_KEEP,     0, true},
  {INFER_E_LIMIT,                 INF_AGAIN_NO,      INF_ELSEWHERE_NO,             INF_KEY_KEEP,     0, true},
};
/* clang-format on */

/* Ended by us, misuse, or unknown. */
static const inf_failure_rule final_rule = {
    0, INF_AGAIN_NO, INF_ELSEWHERE_NO, INF_KEY_KEEP, 0, false};

const inf_failure_rule *
inf_failure_rule_of(int32_t status)
{
  for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
    if (rules[i].status == status)
      return &rules[i];
  return &final_rule;
}
