/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_METER_H
#define INF_ENGINE_METER_H

#include "engine/runtime.h"
#include "policy/estimate.h"
#include "policy/limit.h"
#include "policy/line.h"
#include "policy/quota.h"
#include "provider/rate_headers.h"

/* Rate limits, as attempts meet them. A meter is what counts together: one key
 * and one model, or one key with all of its models (option limits.scope). It
 * has up to two laws, and an attempt has to obey both:
 *
 *   - The limits of the configuration, exactly (policy/limit.h).
 *   - What the provider's headers say is left of its own quotas, and its 429s
 *     (policy/quota.h), which other clients may use as well.
 *
 * An attempt reserves before it is sent, by an estimate of its tokens
 * (policy/estimate.h, learned for each target), and settles once, at its end.
 * Where no limit counts tokens nobody reads the prompt for it: then the bytes
 * of the request stand in, for the case that a header tells of a limit while
 * it is under way.
 *
 * Meters stand in the runtime and outlive configurations; a reload with other
 * limits takes effect with the next attempt, and what was used stays used. All
 * functions take the runtime's lock; only the loop changes anything. Beyond
 * INF_RUNTIME_MAX meters, and without memory, a new key or model is not
 * limited by what headers say; one that the configuration limits is refused. */

struct inf_meter;

/* What one request costs, as far as it is known before it is sent. */
typedef struct inf_meter_cost {
  inf_estimate_prompt prompt; /* if counted */
  bool counted;
  uint64_t bytes; /* of the messages */
  uint64_t max_tokens;
  uint32_t choices;
} inf_meter_cost;

typedef enum inf_meter_what {
  INF_METER_GO,
  INF_METER_WAIT,  /* until at_ns, at least */
  INF_METER_FULL,  /* until something is settled; at_ns: INF_NEVER */
  INF_METER_NEVER, /* larger than the limit: it can never pass */
  INF_METER_COUNT, /* a limit counts tokens: ask again with counted */
  INF_METER_NO_MEMORY,
} inf_meter_what;

typedef struct inf_meter_verdict {
  inf_meter_what what;
  uint64_t at_ns;
  const struct inf_meter *meter; /* NULL: none limits it */
  const char *why;               /* static: which limit decided; "" */
} inf_meter_verdict;

/* What an attempt holds. Zeroed: nothing. It may be moved, not copied. */
typedef struct inf_meter_pass {
  struct inf_meter *meter;
  inf_limit_reservation reservation; /* open only with limits configured; its
                                      * cost stands anyway */
  uint64_t marks[3]; /* all requests, input and output tokens up to this one */
  uint64_t at_ns;
  struct inf_meter_sample *sample; /* for the estimate to learn from; or NULL */
} inf_meter_pass;

/* How an attempt ended, for its limits. */
typedef enum inf_meter_end {
  INF_METER_UNSENT,  /* the provider never saw it */
  INF_METER_REFUSED, /* for want of quota */
  INF_METER_USED,    /* it counts as a request, and these tokens */
  INF_METER_WHOLE,   /* the same, and the figures are the provider's own for an
                      * answer that came to its end: the estimate learns */
} inf_meter_end;

/* Asks for one attempt at the target with its provider's key (index, or
 * INF_KEY_NONE). GO: pass, which holds nothing before, holds it. keep_percent
 * of what is free must stay free: for what is of less use than a first attempt.
 * Nothing is taken otherwise. A meter with limits whose place is in `closed`
 * lets nothing through: WAIT, or FULL if it is, with at_ns INF_NEVER. */
inf_meter_verdict inf_meter_reserve(inf_runtime *runtime,
                                    const inf_target_config *target, size_t key,
                                    const inf_meter_cost *cost,
                                    uint32_t keep_percent, uint64_t closed,
                                    uint64_t now_ns, inf_meter_pass *pass);
/* The same question for a request without tokens, changing nothing: for the
 * dry run. */
inf_meter_verdict inf_meter_look(inf_runtime *runtime,
                                 const inf_target_config *target, size_t key,
                                 uint64_t now_ns);
/* The headers of the attempt's answer. True if they told anything. */
bool inf_meter_headers(inf_runtime *runtime, inf_meter_pass *pass,
                       const inf_provider_kind *kind, int http_status,
                       const inf_headers *headers, int64_t wall_now_ns,
                       uint64_t now_ns);
/* The end of what the pass holds; harmless if it holds nothing. input, output:
 * tokens used; -1: as was reserved, or nothing where none were used. hint_ns:
 * the wait that came with a refusal, -1: none. Gives what it really cost. */
inf_limit_cost inf_meter_settle(inf_runtime *runtime, inf_meter_pass *pass,
                                const inf_target_config *target,
                                inf_meter_end end, int64_t input,
                                int64_t output, int64_t hint_ns,
                                uint64_t now_ns);

/* ---- For the line of those that wait ------------------------------------- */

/* The bit of its place (policy/line.h); meters beyond 64 share them. */
uint64_t inf_meter_place(const struct inf_meter *meter);
/* What is expected of the request on average. */
void inf_meter_expect(inf_runtime *runtime, const inf_target_config *target,
                      const inf_meter_cost *cost, uint64_t *input,
                      uint64_t *output);
/* When the call would be let through with those ahead before it. */
uint64_t inf_meter_start_ns(inf_runtime *runtime, const struct inf_meter *meter,
                            const inf_line_ahead *ahead,
                            const inf_line_entry *entry, uint64_t now_ns);

/* runtime.c: the runtime goes. */
void inf_meters_free(inf_runtime *runtime);

#endif
