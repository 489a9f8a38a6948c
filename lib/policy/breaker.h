/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_BREAKER_H
#define INF_POLICY_BREAKER_H

#include "base/rng.h"
#include "policy/lateness.h"

#include <stdbool.h>
#include <stdint.h>

/* The breaker of one target: is it worth asking? A pure machine of (state,
 * time, random generator).
 *
 * Evidence. A sequential test (Wald 1945) in the form of Page's CUSUM (1954):
 * of two hypotheses, "2 in 100 attempts fail" and "30 in 100 do", each result
 * adds the logarithm of its likelihood ratio,
 *
 *   failure   + ln(p1 / p0)              = + 2.708, times the failure's weight
 *   success   + ln((1 - p1) / (1 - p0))  = - 0.336
 *   s = max(0, s + that); open when s >= h = 10
 *
 * in integers of 1/65536. Weights are the failure table's: 429, our own fault
 * and what we cancelled weigh nothing.
 *
 * Threshold. For a target that fails 1.4 times in 100 false alarms are rarer
 * than one in a million requests. At 2 in 100 that cannot be had together with
 * finding half failing within 9.5 requests and a fifth within 35: a CUSUM is
 * the quickest test there is (Moustakides 1986), and the best one for either of
 * the two has 1.8 alarms, this one 4.3. So the breaker learns how often its
 * target fails in good times: above 1.2 in 100 the threshold grows, by a
 * quarter at 2 in 100, up to twice h. A target that is known to be flaky needs
 * more evidence (at 2 in 100: 5, 11 and 46 requests); others, and one that is
 * not known yet, do not pay for it.
 *
 * Results that are not known yet. Failures come back sooner than first
 * contents, so of 1000 calls sent at once the 20 that fail in good health
 * would be seen first. Half of the attempts that wait for their first content,
 * and are not overdue, are therefore taken for successes when s is compared
 * with h. Without concurrency this changes nothing.
 *
 * Silence. An attempt that waits longer than the target's late time counts as
 * a failure of weight 0.5 from then on, long before it times out: eight that
 * hang open the breaker. It counts once. When its content comes after all,
 * what is left of that is withdrawn; when it fails, only the difference to
 * the failure's own weight is added; when we cancel it, it stands.
 *
 * Slowness. A second test of the same form counts first contents that come
 * later than the late time, with weight 0.5. A target that is open because it
 * is slow is still better than none: as a last resort it is asked.
 *
 * The late time is that of lateness.h, twice the usual 99th percentile, or what
 * the caller knows better. Nothing is late before 64 contents were seen.
 *
 * Epochs. Each attempt is tagged with the breaker's epoch at its start.
 * Opening, and the return from it, begin a new epoch; what belongs to an
 * earlier one changes nothing any more.
 *
 * Probes. An open breaker asks for one probe at a time: 2 s after it opened,
 * then each interval is 1.6 times the last, up to 30 s, +-20 %, from start to
 * start. Where another target can serve the user the probe is a duplicate of
 * a real request, whose answer nobody waits for. Where none can (last resort)
 * a request itself is let through every 1.3 to 1.6 s; the others are denied.
 * Two good first contents in a row end the state; the second probe follows
 * the first good one at once, once for each that was scheduled. So never more
 * than two probes begin in any 1.6 s (1.28 s as a last resort), whatever the
 * traffic and however they end.
 * A probe that says nothing is given up after the late time (2 to 10 s; as a
 * last resort when the next one is due). Its content still counts as good.
 * If answers broke off after their first content, a probe is good at its end.
 *
 * Return. 10, 25, 50 % of the requests are admitted for 3, 5 and 7 good first
 * contents, then all; one failure falls back to 10 %. The test begins with all
 * evidence but h/2 (the fast initial response of Lucas and Crosier 1982): two
 * failures open it again; 15 good ones in a row use that up. As a last resort
 * all are admitted. Intervals of probes go on where they were until the return
 * is complete. */

typedef struct inf_breaker_params {
  int64_t threshold;        /* h, in 1/65536; 0: it never opens */
  uint64_t probe_first_ns;  /* from opening to the first probe */
  uint64_t probe_cap_ns;    /* longest interval between probes */
  uint64_t last_resort_ns;  /* longest one while nothing else is left */
  uint64_t give_up_low_ns;  /* bounds of the patience with a probe */
  uint64_t give_up_high_ns; /* (also: with a target not yet known) */
} inf_breaker_params;

extern const inf_breaker_params inf_breaker_defaults;

/* Units of evidence; sources beside their definition in breaker.c. */
extern const int64_t inf_breaker_unit;
extern const int64_t inf_breaker_failure;
extern const int64_t inf_breaker_success;

typedef enum inf_breaker_state {
  INF_BREAKER_CLOSED,
  INF_BREAKER_OPEN,
  INF_BREAKER_RETURNING,
} inf_breaker_state;

/* Why it was opened, last. */
typedef enum inf_breaker_cause {
  INF_BREAKER_NO_CAUSE,
  INF_BREAKER_FAILING, /* failures, or silence */
  INF_BREAKER_CUT,     /* answers that broke off */
  INF_BREAKER_SLOW,    /* first contents that came late */
} inf_breaker_cause;

/* Zeroed, with params set: closed, nothing known. */
typedef struct inf_breaker {
  const inf_breaker_params *params; /* may be exchanged at any time */
  uint64_t epoch;
  uint64_t opened_ns;
  uint64_t next_probe_ns; /* by the schedule */
  uint64_t pace_probe_ns; /* as a last resort */
  uint64_t interval_ns;   /* of the schedule; 0: not begun */
  uint64_t probe_number;  /* of the last probe */
  uint64_t good_probe;    /* number of the first of those in a row */
  uint64_t give_up_ns;    /* when the probe in flight is given up */
  inf_lateness lateness;  /* of first contents */
  int64_t base;           /* share of failures in good times, in 1/2^30 */
  int64_t evidence;       /* s of the test for failures, soft included */
  int64_t soft;           /* the part that stems from overdue attempts */
  int64_t slow;           /* s of the test for slowness */
  uint32_t overdue;       /* attempts that soft stems from */
  uint32_t young;         /* attempts without content, not overdue */
  uint8_t state;          /* inf_breaker_state */
  uint8_t cause;          /* inf_breaker_cause */
  uint8_t goods;          /* good probes in a row, or contents of a stage */
  uint8_t stage;          /* of the return */
  uint8_t follow_up;      /* where the probe after a good one stands */
  bool probing;
  /* Counters, for telemetry. */
  uint64_t opened, closed, probes, denied, stale;
} inf_breaker;

/* ---- Admission ----------------------------------------------------------- */

typedef enum inf_breaker_action {
  INF_BREAKER_PASS,
  INF_BREAKER_DENY,
  /* Not for an ordinary request; but one that is sent here as a probe, a
   * duplicate or, as a last resort, itself, is welcome now. */
  INF_BREAKER_PROBE_DUE,
} inf_breaker_action;

typedef struct inf_breaker_verdict {
  inf_breaker_action action;
  uint64_t retry_at_ns; /* when to ask again, if denied */
  const char *why;      /* static: for the trail and the log */
} inf_breaker_verdict;

/* last_resort: the call has no other target that could be asked. */
inf_breaker_verdict inf_breaker_admit(inf_breaker *breaker, bool last_resort,
                                      uint64_t now_ns, inf_rng *rng);

/* ---- Attempts ------------------------------------------------------------ */

/* Kept with the attempt. Zeroed: of no breaker; all functions then do
 * nothing. */
typedef struct inf_breaker_attempt {
  uint64_t epoch;
  uint64_t began_ns;
  uint64_t late_at_ns; /* when inf_breaker_age() is to be called */
  uint64_t probe;      /* number of the probe; 0: none */
  int64_t credit;      /* evidence that its first content took away */
  uint8_t phase;
  bool known;   /* the late time was known */
  bool overdue; /* counted among breaker->overdue */
  bool learned;
} inf_breaker_attempt;

typedef enum inf_breaker_outcome {
  INF_BREAKER_OK,
  INF_BREAKER_FAILED, /* with the failure table's percent, which may be 0 */
  INF_BREAKER_ENDED_BY_US, /* cancelled, lost a race, deadline */
} inf_breaker_outcome;

/* Immediately before the request is sent. late_ns: the late time of this
 * request, if the caller knows better; 0: the breaker's own. Returns false if
 * a probe is not due any more, because another one was begun since or the
 * breaker is not open: then nothing is begun, a duplicate is not sent, and a
 * request asks for admission again. */
bool inf_breaker_begin(inf_breaker *breaker, inf_breaker_attempt *attempt,
                       bool probe, uint64_t late_ns, uint64_t now_ns,
                       inf_rng *rng);
/* Its times mean nothing: an answer that comes in one piece, or nobody looked
 * for a while. It is never late then, and no late time is learned from it. */
void inf_breaker_untimed(inf_breaker_attempt *attempt);
/* At late_at_ns or later, if there is no content yet. More calls do no harm. */
void inf_breaker_age(inf_breaker *breaker, inf_breaker_attempt *attempt,
                     uint64_t now_ns, inf_rng *rng);
/* At the first content. Needs no call where the answer comes in one piece. */
void inf_breaker_content(inf_breaker *breaker, inf_breaker_attempt *attempt,
                         uint64_t now_ns, inf_rng *rng);
/* At the end. Only the first call has an effect. */
void inf_breaker_end(inf_breaker *breaker, inf_breaker_attempt *attempt,
                     inf_breaker_outcome outcome, uint8_t percent,
                     uint64_t now_ns, inf_rng *rng);

/* The target said that it is there and only has to load its model: what was
 * held against it is over. Closed; what is in flight belongs to the past. */
void inf_breaker_forgive(inf_breaker *breaker);

/* ---- What is known ------------------------------------------------------- */

/* For the dry run and telemetry. */
typedef struct inf_breaker_view {
  inf_breaker_state state;
  inf_breaker_cause cause;
  uint32_t evidence_percent; /* of the threshold, 0 to 100; the larger test */
  uint32_t share_percent;    /* of ordinary requests that are admitted */
  uint64_t next_probe_ns;    /* when one may begin; INF_NEVER: not open */
  uint64_t late_ns;          /* 0: not known yet */
  bool probing;              /* a probe is in flight and not given up */
  const char *why;
} inf_breaker_view;

/* Changes nothing. */
inf_breaker_view inf_breaker_look(const inf_breaker *breaker, bool last_resort,
                                  uint64_t now_ns);

/* Twice the usual 99th percentile; 0: not known yet. */
uint64_t inf_breaker_late_ns(const inf_breaker *breaker);

#endif
