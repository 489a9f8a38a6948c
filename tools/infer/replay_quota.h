/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_QUOTA_H
#define INF_TOOLS_REPLAY_QUOTA_H

#include "replay_model.h"

#include "wire/headers.h"

/* The quotas of one key at a simulated provider: two buckets, of requests and
 * of tokens, that refill steadily and hold what comes together in burst_s.
 * Integers only, no clock. */
typedef struct inf_replay_quota {
  uint64_t refilled_ns;
  /* What is there, in billionths of a request or a token. */
  uint64_t requests, tokens;
} inf_replay_quota;

/* Full. */
void inf_replay_quota_init(inf_replay_quota *quota,
                           const inf_replay_model *model, uint64_t now_ns);
/* Takes one request with so many tokens; false, and *wait_ns until it could
 * be, where it is not there. More tokens than the bucket holds are never there:
 * UINT64_MAX. */
bool inf_replay_quota_take(inf_replay_quota *quota,
                           const inf_replay_model *model, uint64_t tokens,
                           uint64_t now_ns, uint64_t *wait_ns);
/* Header lines as OpenAI's, right after a take. */
void inf_replay_quota_write(const inf_replay_quota *quota,
                            const inf_replay_model *model,
                            inf_headers *headers);

#endif
