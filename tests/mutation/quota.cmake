# SPDX-License-Identifier: MIT
# Quotas: what headers say of them, and what is made of it.

infer_bug(320 provider/rate_headers.c
  "unit/test_rate_headers"
  "Azure's -1 and 0 are taken for an empty quota: nothing is sent any more"
  [[  if (sight->limit == 0)
    sight->limit = INF_RATE_UNKNOWN;]]
  [[]])

infer_bug(321 provider/rate_headers.c
  "unit/test_rate_headers"
  "images or seconds of audio are counted as if they were tokens"
  [[    if (!take_known_word(&rest, parts))
      return false;]]
  [[    if (!take_known_word(&rest, parts))
      break;]])

infer_bug(322 provider/rate_headers.c
  "unit/test_rate_headers"
  "a clock that is wrong by an hour holds all requests for an hour"
  [[      wall_now_ns = inf_hint_now(headers, wall_now_ns);]]
  [[      wall_now_ns += 0;]])

infer_bug(323 provider/rate_headers.c
  "unit/test_rate_headers"
  "the remaining of 2^63 of an unlimited quota overflows"
  [[    if (count > max_units)
      return INF_RATE_UNKNOWN;]]
  [[]])

infer_bug(324 policy/quota.c
  "unit/test_quota"
  "requests under way are forgotten: each answer lets a burst of 429s go"
  [[ -
                 (double)(quota->spent - sent->mark);]]
  [[ -
                 0 * (double)(quota->spent - sent->mark);]])

infer_bug(325 policy/quota.c
  "unit/test_quota"
  "an answer that was overtaken puts the level back to what it was"
  [[!is_newer(quota, sent) || seen < 0)]]
  [[seen < 0)]])

infer_bug(326 policy/quota.c
  "unit/test_quota"
  "one nonsensical header stops the client, or sends it far over its quota"
  [[ && quota->odds < wanted)]]
  [[ && quota->odds < 1)]])

infer_bug(327 policy/quota.c
  "unit/test_quota"
  "ten requests refused at once cut the pace ten times over"
  [[  if (known || expected)]]
  [[  if (expected)]])

infer_bug(328 policy/quota.c
  "unit/test_quota"
  "tokens given back are counted twice where headers tell the level"
  [[  if (!seen)
    quota->level += back;]]
  [[  quota->level += back;]])

infer_bug(329 policy/quota.c
  "unit/test_quota"
  "a level that was told wrong stops the client for ever"
  [[  if (is_idle(quota, need, now_ns))]]
  [[  if (false)]])

infer_bug(330 policy/quota.c
  "unit/test_quota"
  "a daily quota that is nearly untouched is given out one request a minute"
  [[  if (quota->period_ns >= unpaced_period_ns)
    grown =]]
  [[  if (false)
    grown =]])

infer_bug(331 policy/quota.c
  "unit/test_quota"
  "after a 429 the pace never comes back"
  [[  double t = seconds_between(quota->cut_ns, now_ns) / recovery_s - 1;]]
  [[  double t = -1;]])

infer_bug(332 policy/quota_shape.c
  "unit/test_quota_shape"
  "a bucket that happens to fill is taken for a window: nothing flows in it"
  [[  if (!same || sight->remaining > shape->window_level) {]]
  [[  if (!same) {]])

infer_bug(333 policy/quota_shape.c
  "unit/test_quota_shape"
  "a quota per minute whose bucket is small is taken for one per second"
  [[  if (sight->remaining < sight->limit / 2)
    return;]]
  [[]])

infer_bug(334 policy/quota.c
  "unit/test_quota"
  "the hint of a 429 is not waited for"
  [[  if (quota->hold_ns > now_ns) {]]
  [[  if (false) {]])
