/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_SPEND_H
#define INF_ENGINE_SPEND_H

#include "engine/result.h"
#include "engine/runtime.h"

/* What a client has spent so far: in all, by provider, by target and by route.
 * Counted when a call ends, with all its attempts at once, since only then is
 * known which of them wrote its answer; a probe when it ends. Sums saturate. Of
 * each kind at most INF_RUNTIME_MAX names are counted; calls by further names,
 * and those for which memory was short, are in the sum of all alone. */

typedef struct inf_spend {
  int64_t exact_nano, estimated_nano; /* nano-dollars */
  int64_t wasted_nano;                /* of both: for no delivered answer */
  uint64_t attempts, unknown;         /* unknown: of those, without a cost */
} inf_spend;

struct inf_spends;

/* A call has ended; response: what it was answered, or NULL. Any thread. */
void inf_spend_note(inf_runtime *runtime, const inf_trail *trail,
                    const struct infer_response *response);
/* An attempt in no call's record has ended: a probe mostly. Nothing of it was
 * delivered. route: that it was made for; "". Any thread. */
void inf_spend_note_stray(inf_runtime *runtime,
                          const struct infer_attempt *record,
                          const char *route);
/* Of all. Any thread. */
inf_spend inf_spend_total(inf_runtime *runtime);
/* As the value of a member: an object, as infer_client_stats() promises it. Any
 * thread. */
void inf_spends_write_json(inf_runtime *runtime, inf_buf *out);
/* NULL is harmless. */
void inf_spends_free(struct inf_spends *spends);

#endif
