/* SPDX-License-Identifier: MIT */
#ifndef INF_POLICY_QUOTA_H
#define INF_POLICY_QUOTA_H

#include "policy/quota_shape.h"

/* What a provider's quota leaves us, learned from what its answers say.
 *
 * One inf_quota is one dimension of one key: requests per minute, say. It
 * gives the level (units that may be used now) and the pace (units per second
 * from then on), which are what a GCRA takes.
 *
 * The law. Everybody who shares a bucket sees the same level x in it. Let r be
 * its nominal refill. Each client uses, while it has work,
 *
 *     pace(x) = r * 2^(-6 (1 - x/m))   for x <= m
 *               r * x/m                above
 *
 * where the mark m is six seconds of refill (less where the bucket holds less
 * than ten), so that a client alone settles at
 * x = m: neither empty, which would be 429s, nor full, which would be waste.
 * Nobody estimates who else is there. A tenant who takes a fifth lowers the
 * level a little; N clients of equal demand settle where N * pace(x) = r, that
 * is x = m (1 - log2(N)/6), with equal shares, since pace and level are the
 * same for all. The exponential is the one demand curve whose loop gain,
 * d(sum of paces)/dx = 6 ln 2 * r/m = 0.69 per second, does not grow with the
 * number of clients (Paganini, Doyle, Low: "Scalable laws for stable network
 * congestion control", CDC 2001), so that the delay of the headers, about half
 * a second, never makes it swing. To pace by the slope (level change plus own
 * spending over time) holds a quota against a tenant who does not react as
 * well, but among clients who all do so any level and any division of the quota
 * is an equilibrium: eight of them get 3 % of 429s in the model, this law none.
 *
 * The level is that of the newest request answered, less what we have spent
 * after it, plus the net refill since: the slope is used there, as the
 * prediction over the delay. Without headers the level is that of a bucket
 * which we keep ourselves, and after a 429 the pace is cut and grows back on
 * CUBIC's curve (RFC 9438). */

/* A request of ours, as this dimension counts it: to be kept with it. */
typedef struct inf_quota_sent {
  uint64_t mark; /* all units sent up to this request, itself included */
  uint64_t units;
  uint64_t at_ns;
} inf_quota_sent;

/* The state. Only quota.c and its tests look inside. */
typedef struct inf_quota {
  uint64_t base_period_ns; /* where none is told: configured, or a minute */
  uint64_t period_ns;
  double limit; /* believed, 0: unknown */
  double rate;  /* nominal refill in units per second; 0: no limit is known */
  inf_quota_shape shape;
  double cost;    /* of a request of ours, on average */
  double mark;    /* the level at which a client alone settles */
  double reserve; /* what is left untouched */
  bool coarse;

  double level;  /* what is left at level_ns */
  double credit; /* what may be used at once of it */
  uint64_t level_ns;
  uint64_t spent; /* since ever; may wrap */
  uint64_t spent_ns;

  /* The newest request whose answer told the level. */
  inf_quota_sent seen_sent;
  double seen;       /* what it told */
  uint64_t heard_ns; /* when; 0: never */
  double refill;     /* net of other tenants, units per second */
  double own;        /* what we use ourselves, over the same time */
  double odd;        /* a level told that did not fit what was expected */
  uint32_t odds;     /* how often in a row */

  uint64_t refused_ns; /* the last 429 that was laid to it; 0: none */
  uint64_t hold_ns;    /* nothing before: the provider's own hint */
  /* The cut after a 429 that the level does not explain. */
  double cut_from, cut_to;
  uint64_t cut_ns, cut_mark;
} inf_quota;

/* Level and pace change with every answer, and by themselves: to be read again
 * at the latest after this time while a request waits. */
#define INF_QUOTA_REREAD_NS 250000000ull

/* What to give to the GCRA. */
typedef struct inf_quota_now {
  bool limited; /* false: nothing is known, nothing is limited */
  double limit; /* units per period */
  uint64_t period_ns;
  double level;    /* units that may be used now */
  double left;     /* what the provider has left of it, as is believed */
  double pace;     /* units per second from now on */
  double burst;    /* what the level may grow to at that pace */
  uint64_t not_ns; /* nothing before this time; 0: no such time */
} inf_quota_now;

/* limit 0: none is configured. period_ns 0: a minute. */
void inf_quota_init(inf_quota *quota, double limit, uint64_t period_ns,
                    uint64_t now_ns);
/* Just made: so many units were sent before it was. What their answers tell
 * then counts. */
void inf_quota_count_from(inf_quota *quota, uint64_t sent);
/* A request of ours goes out now. */
inf_quota_sent inf_quota_spend(inf_quota *quota, uint64_t units,
                               uint64_t now_ns);
/* It turned out to have used `actual` units; 0 if the provider refused it or
 * never saw it. Once for each request. */
void inf_quota_settle(inf_quota *quota, const inf_quota_sent *sent,
                      uint64_t actual, uint64_t now_ns);
/* The headers of its answer came now. */
void inf_quota_observe(inf_quota *quota, const inf_quota_sight *sight,
                       const inf_quota_sent *sent, uint64_t now_ns);
/* It was refused for want of this quota. hint_ns: the wait that the provider
 * asks for, -1: none. After inf_quota_observe() of the same answer. */
void inf_quota_refuse(inf_quota *quota, const inf_quota_sent *sent,
                      int64_t hint_ns, uint64_t now_ns);
/* Level and pace now. need: units of the request that waits, which may be
 * more than a burst usually holds; 0: none. */
inf_quota_now inf_quota_read(inf_quota *quota, double need, uint64_t now_ns);
/* Which of the dimensions is nearest to empty: the one to blame for a 429
 * that does not say. count if none is limited. */
size_t inf_quota_emptiest(inf_quota *const *quotas, size_t count,
                          uint64_t now_ns);

#endif
