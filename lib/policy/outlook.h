/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_OUTLOOK_H
#define INF_POLICY_OUTLOOK_H

#include "base/wide.h"

#include <stdbool.h>
#include <stdint.h>

/* How long a target would take to the first content if it were asked now: an
 * expectation, for the routing of the next call. One for each target.
 *
 * Two parts, each for what it can do:
 *
 *   usual    the mean time for a prompt of that length, over the last 256 to
 *            512 attempts: knows the model, is slow to believe anything new
 *   present  how much longer than usual things take at the moment, over all
 *            lengths of prompts together: the last 10 s or so
 *
 *   outlook = usual * max(present, peak)
 *
 * Present. Time is counted in lengths, one being the usual time of such a
 * prompt; what is past weighs exp(-age / 10 s), as in a peak-EWMA (Finagle).
 *
 *   present = (lengths waited + lengths of those that wait now + 3)
 *             / (contents seen + 3)
 *
 * That is the maximum-likelihood estimate of a mean where some are not known to
 * the end (time at risk over events: Epstein and Sobel, 1953), with three usual
 * attempts in front. So attempts under way count while they are silent: of a
 * black hole nothing ever comes back, but the number of lengths waited for
 * nothing grows with the square of the time. A leg that lost a race and was
 * cancelled has waited, without a content. No one of these is a special case.
 * A peak-EWMA that rises at once to each larger sample is, with latencies as
 * they are (sigma 0.3 to 0.9), the largest of the last 10 s: it finds targets
 * with little scatter, not fast ones, and hears of a black hole last.
 *
 * A failure counts as waiting for 8 lengths more than it took, without a
 * content.
 *
 * Peak. What present was at its worst, of late: what is above 1 halves every
 * 25 s. Bad minutes last for minutes, and each call that tries whether they are
 * over pays for it. With the shares of route_latency.h a target that had become
 * twice as slow gets every seventh call again after 50 s, every fourth after
 * 75 s. Simulated, three providers with bad minutes, 10 calls in a second: p99
 * without hedges is 1.8 s, and 2.4 s without the peak.
 *
 * Usual. Time waited over contents, too. What takes more than 4 lengths counts
 * as 4 there, so that two bad minutes of thirty do not make a slow target. A
 * length of prompt that was never seen takes the usual time of the nearest one
 * that was.
 *
 * In integers, the same on every machine. One thread at a time. */

enum { INF_OUTLOOK_BUCKETS = 8 }; /* of prompt lengths, as inf_hedge_bucket() */

typedef struct inf_outlook_usual {
  uint64_t waited_ns;
  uint32_t contents;
} inf_outlook_usual;

/* Zeroed: nothing is known. */
typedef struct inf_outlook {
  inf_outlook_usual usual[INF_OUTLOOK_BUCKETS];
  uint64_t aged_ns;           /* lengths and contents weigh as of then */
  uint64_t lengths, contents; /* in 1/65536 */
  uint32_t waiting;           /* attempts that are silent */
  uint64_t rate;              /* lengths that those wait in a nanosecond */
  inf_u128 starts;            /* sum of rate * start of each */
  uint64_t excess;            /* of the peak over 1, in 1/65536 */
  uint64_t asked_ns;          /* when a call last chose it; 0: never */
} inf_outlook;

/* Kept with the attempt. Zeroed: none; the end of it does nothing. */
typedef struct inf_outlook_attempt {
  uint64_t began_ns;
  uint64_t rate;
  uint8_t bucket;
  bool waiting;
} inf_outlook_attempt;

typedef enum inf_outlook_end_kind {
  INF_OUTLOOK_CONTENT,
  INF_OUTLOOK_CANCELLED, /* by us: the race is lost, the caller does not care */
  INF_OUTLOOK_FAILED,    /* before its first content */
} inf_outlook_end_kind;

/* When the request is sent. bucket: of its prompt. */
void inf_outlook_begin(inf_outlook *outlook, inf_outlook_attempt *attempt,
                       uint32_t bucket, uint64_t now_ns);
/* At its first content, or when it ends without. Only the first call has an
 * effect. */
void inf_outlook_end(inf_outlook *outlook, inf_outlook_attempt *attempt,
                     inf_outlook_end_kind how, uint64_t now_ns);
/* The attempt's times mean nothing: it is forgotten. */
void inf_outlook_forget(inf_outlook *outlook, inf_outlook_attempt *attempt);

/* Before a call is routed: the peak may be now. */
void inf_outlook_note(inf_outlook *outlook, uint64_t now_ns);
/* A call has chosen the target, and will ask it as soon as it can: until then
 * others are not to explore it as well. */
void inf_outlook_choose(inf_outlook *outlook, uint64_t now_ns);
/* The expectation for a prompt of this length; 0: not known. */
uint64_t inf_outlook_ns(const inf_outlook *outlook, uint32_t bucket,
                        uint64_t now_ns);

#endif
