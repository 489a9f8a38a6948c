/* SPDX-License-Identifier: MIT */
/* A simulated provider's quotas: see replay_quota.h. */

#include "replay_quota.h"

#include "base/clock.h"
#include "base/wide.h"

#include <stdio.h>

/* A whole one. */
static const uint64_t unit = 1000000000;

/* What a bucket holds: at most 10^12 a minute for a day, times 10^9, is more
 * than 64 bits have. */
static uint64_t
room_of(const inf_replay_model *model, uint64_t per_minute)
{
  const uint64_t most = UINT64_MAX / unit / 2;
  uint64_t whole = per_minute * model->burst_s / 60;
  whole = whole > 0 ? whole : 1;
  return (whole < most ? whole : most) * unit;
}

void
inf_replay_quota_init(inf_replay_quota *quota, const inf_replay_model *model,
                      uint64_t now_ns)
{
  *quota = (inf_replay_quota){
      .refilled_ns = now_ns,
      .requests = room_of(model, model->requests_per_minute),
      .tokens = room_of(model, model->tokens_per_minute),
  };
}

/* per_minute units a minute are per_minute / 60 billionths a nanosecond. */
static uint64_t
gained(uint64_t per_minute, uint64_t passed_ns)
{
  inf_u128 gain = (inf_u128)per_minute * passed_ns / 60;
  return gain < UINT64_MAX / 2 ? (uint64_t)gain : UINT64_MAX / 2;
}

static void
refill(uint64_t *left, const inf_replay_model *model, uint64_t per_minute,
       uint64_t passed_ns)
{
  uint64_t room = room_of(model, per_minute);
  uint64_t gain = gained(per_minute, passed_ns);
  *left = gain < room - *left ? *left + gain : room;
}

/* Until so much is there, rounded up. */
static uint64_t
wait_for(uint64_t needed, uint64_t left, uint64_t per_minute)
{
  if (needed <= left) {
    return 0;
  }
  inf_u128 wait_ns =
      ((inf_u128)(needed - left) * 60 + per_minute - 1) / per_minute;
  return wait_ns < UINT64_MAX ? (uint64_t)wait_ns : UINT64_MAX;
}

bool
inf_replay_quota_take(inf_replay_quota *quota, const inf_replay_model *model,
                      uint64_t tokens, uint64_t now_ns, uint64_t *wait_ns)
{
  uint64_t passed_ns = now_ns - quota->refilled_ns;
  bool by_requests = model->requests_per_minute > 0;
  bool by_tokens = model->tokens_per_minute > 0;
  quota->refilled_ns = now_ns;
  *wait_ns = 0;
  if (by_requests) {
    refill(&quota->requests, model, model->requests_per_minute, passed_ns);
    *wait_ns = wait_for(unit, quota->requests, model->requests_per_minute);
  }
  if (by_tokens) {
    refill(&quota->tokens, model, model->tokens_per_minute, passed_ns);
    uint64_t needed = tokens * unit;
    uint64_t wait =
        needed > room_of(model, model->tokens_per_minute)
            ? UINT64_MAX
            : wait_for(needed, quota->tokens, model->tokens_per_minute);
    *wait_ns = wait > *wait_ns ? wait : *wait_ns;
  }
  if (*wait_ns > 0) {
    return false;
  }
  quota->requests -= by_requests ? unit : 0;
  quota->tokens -= by_tokens ? tokens * unit : 0;
  return true;
}

static void
add_line(inf_headers *headers, const char *name, const char *what,
         uint64_t value, const char *suffix)
{
  char line[96];
  int len = snprintf(line, sizeof(line), "x-ratelimit-%s-%s: %llu%s", name,
                     what, (unsigned long long)value, suffix);
  inf_headers_add_line(headers, inf_sv_of(line, (size_t)len));
}

static void
write_bucket(const inf_replay_model *model, const char *what,
             uint64_t per_minute, uint64_t left, inf_headers *headers)
{
  if (per_minute == 0) {
    return;
  }
  uint64_t full_ns = wait_for(room_of(model, per_minute), left, per_minute);
  add_line(headers, "limit", what, per_minute, "");
  add_line(headers, "remaining", what, left / unit, "");
  add_line(headers, "reset", what, full_ns / INF_NS_PER_MS + 1, "ms");
}

void
inf_replay_quota_write(const inf_replay_quota *quota,
                       const inf_replay_model *model, inf_headers *headers)
{
  write_bucket(model, "requests", model->requests_per_minute, quota->requests,
               headers);
  write_bucket(model, "tokens", model->tokens_per_minute, quota->tokens,
               headers);
}
