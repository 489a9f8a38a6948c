/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_GCRA_H
#define INF_POLICY_GCRA_H

#include "base/clock.h"
#include "policy/lows.h"

#include <stdbool.h>

/* One dimension of a rate limit: `limit` units in `period_ns`, and `burst`
 * units at once. It is the generic cell rate algorithm in its form as a
 * continuous-state leaky bucket (ITU-T I.371, annex A), which is the same as
 * a token bucket that is refilled continuously.
 *
 * State: the debt, what was taken and has not drained yet. It drains at
 * limit / period_ns, down to 0; n units fit if debt + n <= burst.
 *
 * Nothing is rounded. The debt is counted in ticks, of which a unit has
 * period_ns and a nanosecond drains `limit`: both are whole numbers, in 128
 * bits. So it is a matter of exact integers whether n units fit, and the
 * earliest time at which they will is the exact one, rounded up to a whole
 * nanosecond.
 *
 * The law. Let r = limit / period_ns. Unrolled (Lindley's recursion), the
 * debt is the largest value, over all windows that end now, of what was taken
 * in the window minus r times its length, and 0. Units are admitted only if
 * debt + n <= burst: so in every window that ends with an admission, what was
 * taken is at most burst + r * window. Any other window holds no more than
 * the shorter one that ends with its last admission. Hence:
 *
 *   in no window is more admitted than burst + r * window.
 *
 * What is taken without asking (a call that used more than was reserved for
 * it) counts at the time at which it is taken. It may lift the debt over the
 * burst and then delays the next admission until the law holds again, with
 * it counted: over-use never allows an admission. A window can exceed the law
 * only by over-use that came after the last admission in it.
 *
 * What is given back (a call that used less) counts as never taken, at the
 * time of its reservation: the law holds for what was really used. Therefore
 * it is not enough to subtract it. A unit that has drained since is gone:
 * giving it back would allow a second burst beside one that was taken
 * meanwhile. By the recursion, g units less at time s lower today's debt by
 *
 *   min(g, the lowest debt between s and now),
 *
 * and that is what inf_gcra_give_back() does. lows.h keeps the lowest debts,
 * exactly as long as few of them matter, and rather too low when many do:
 * then less may be given back than could be, never more.
 * (Example: burst 10. 10 are reserved and drain fully; 10 more are taken;
 * then the first call says that it used nothing. Subtracting would admit 10
 * more at once: 20 really used in no time.)
 *
 * If the rate changes, r * window is the sum over its parts, and the burst
 * the one in force at the admission.
 *
 * The burst is what the provider's own bucket holds: see limit.h. */

/* The largest limit and burst, in units: a thousand times the largest token
 * limit per day that is sold. */
#define INF_GCRA_UNITS_MAX 1000000000000000ull
/* The longest period: monthly quotas exist. */
#define INF_GCRA_PERIOD_MAX_NS (31 * 86400ull * INF_NS_PER_S)
/* What is taken at once beyond this counts as this. With it no product
 * exceeds 2^114, and the debt is stopped at 2^127: more than can drain in
 * 2^63 ns, so that stopping it admits nothing. */
#define INF_GCRA_COST_MAX (1ull << 62)

typedef struct inf_gcra_rate {
  uint64_t limit; /* 0: nothing is refilled */
  uint64_t period_ns;
  uint64_t burst;
} inf_gcra_rate;

typedef struct inf_gcra {
  inf_gcra_rate rate;
  inf_u128 debt;     /* at seen_ns; in ticks, as the next */
  inf_u128 capacity; /* the burst */
  uint64_t seen_ns;  /* the latest time seen: an older one counts as this */
  inf_lows lows;     /* of the debt */
} inf_gcra;

/* Within the largest values above, period and burst not 0. */
bool inf_gcra_rate_valid(const inf_gcra_rate *rate);
/* Without any debt. The rate is valid. */
void inf_gcra_init(inf_gcra *gcra, const inf_gcra_rate *rate);
/* The earliest time at which `units` fit if nothing else is taken and
 * keep_percent of the burst is to be free afterwards: now_ns itself if they
 * fit now, INF_NEVER if they never do. 0 units always fit. */
uint64_t inf_gcra_when(const inf_gcra *gcra, uint64_t units,
                       uint32_t keep_percent, uint64_t now_ns);
/* Takes units, also if they do not fit. `mark` is above those of all takes
 * before; it names this one to inf_gcra_give_back(). */
void inf_gcra_take(inf_gcra *gcra, uint64_t units, uint64_t mark,
                   uint64_t now_ns);
/* Of the take `mark`, `units` were not used. At most once for a take, and at
 * most what it took. */
void inf_gcra_give_back(inf_gcra *gcra, uint64_t units, uint64_t mark,
                        uint64_t now_ns);
/* Whole units that are free; 0 also if over-use has yet to drain. */
uint64_t inf_gcra_level(const inf_gcra *gcra, uint64_t now_ns);
/* `level` units are free (as the provider says, for one), at most the burst.
 * If that is less than was known, the difference counts as taken now, by the
 * take `mark`; if more, as given back now: the law above then holds for what
 * was taken minus this. */
void inf_gcra_set_level(inf_gcra *gcra, uint64_t level, uint64_t mark,
                        uint64_t now_ns);
/* A new rate from now on; the debt stays what it is in units. With the same
 * period that is exact; with another one, less than a tick is added. */
void inf_gcra_set_rate(inf_gcra *gcra, const inf_gcra_rate *rate,
                       uint64_t now_ns);

#endif
