/* SPDX-License-Identifier: MIT */
/* Recovery after the commit; see recovery.h.
 *
 * Which classes mean that a partial answer was refused: servers say so with
 * 400 or 422 (Anthropic's newer models: "This model does not support
 * assistant message prefill"; llama.cpp: "Assistant response prefill is
 * incompatible with enable_thinking"; Mistral without "prefix": "Expected
 * last role User or Tool"), and the longer prompt may be too long where the
 * original one was not (context length, 413). A dialect that cannot write it
 * says "unsupported" or "invalid argument". The plain request may pass in all
 * of these cases. Servers that fall over it answer 5xx, or something that is
 * no answer. */
#include "policy/recovery.h"

#include "infer/infer.h"

#include <stddef.h>

inf_recovery_decision
inf_recovery_decide(const inf_recovery_state *state)
{
  if (state->mode == INF_RECOVERY_ERROR)
    return (inf_recovery_decision){INF_RECOVERY_END,
                                   "the route's recovery is \"error\""};
  if (state->tool_call_done)
    return (inf_recovery_decision){INF_RECOVERY_END,
                                   "a completed tool call was delivered"};
  if (state->mode == INF_RECOVERY_CONTINUE && state->continues)
    return (inf_recovery_decision){INF_RECOVERY_GO_ON,
                                   "the answer goes on where it broke off"};
  return (inf_recovery_decision){INF_RECOVERY_START_AGAIN,
                                 "the answer starts again"};
}

static const struct verdict {
  int32_t status;
  inf_recovery_verdict verdict;
} verdicts[] = {
    {INFER_E_BAD_REQUEST, INF_RECOVERY_REFUSED},
    {INFER_E_CONTEXT_LENGTH, INF_RECOVERY_REFUSED},
    {INFER_E_REQUEST_TOO_LARGE, INF_RECOVERY_REFUSED},
    {INFER_E_UNSUPPORTED, INF_RECOVERY_REFUSED},
    {INFER_E_INVALID_ARGUMENT, INF_RECOVERY_REFUSED},
    {INFER_E_SERVER, INF_RECOVERY_DOUBTFUL},
    {INFER_E_PROTOCOL, INF_RECOVERY_DOUBTFUL},
};

inf_recovery_verdict
inf_recovery_judge(int32_t status, bool content)
{
  for (size_t i = 0; !content && i < sizeof verdicts / sizeof verdicts[0]; i++)
    if (verdicts[i].status == status)
      return verdicts[i].verdict;
  return INF_RECOVERY_FAILED;
}
