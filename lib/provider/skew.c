/* SPDX-License-Identifier: MIT */
/* The offset of a provider's clock. A Date header has whole seconds and is as
 * old as the answer's way took: a minute is more than both, and less than what
 * any provider takes. */
#include "provider/skew.h"

#include "base/clock.h"
#include "wire/date.h"

#define LEAST_NS ((int64_t)(60 * INF_NS_PER_S))

bool
inf_skew_learn(inf_skew *skew, inf_sv date, int64_t wall_now_ns)
{
  int64_t theirs, ours = inf_skew_time(skew, wall_now_ns);

  if (!inf_parse_http_date(inf_sv_trim(date), &theirs))
    return false;
  /* None of the three is below 0. */
  if (theirs - ours <= LEAST_NS && ours - theirs <= LEAST_NS)
    return false;
  skew->offset_ns = theirs - (wall_now_ns < 0 ? 0 : wall_now_ns);
  return true;
}

int64_t
inf_skew_time(const inf_skew *skew, int64_t wall_now_ns)
{
  int64_t now_ns = wall_now_ns < 0 ? 0 : wall_now_ns;

  if (skew->offset_ns > 0 && now_ns > INT64_MAX - skew->offset_ns)
    return INT64_MAX;
  /* An offset below 0 is never below that of 2261. */
  return now_ns + skew->offset_ns < 0 ? 0 : now_ns + skew->offset_ns;
}
