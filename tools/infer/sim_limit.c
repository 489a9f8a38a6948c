/* SPDX-License-Identifier: MIT */
/* Token buckets without rounding, and how their state is told to clients. */

#include "sim_limit.h"

#include "base/clock.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdio.h>

/* Units that one request or token costs: the nanoseconds of a minute. */
#define UNIT (60 * INF_NS_PER_S)

/* One pair of buckets. The limit is known by its address, which lives as long
 * as the script that these quotas belong to. */
typedef struct inf_sim_quota {
  const inf_sim_limit *limit;
  char *scope;
  size_t scope_len;
  inf_sim_bucket requests, tokens;
} inf_sim_quota;

void
inf_sim_bucket_init(inf_sim_bucket *bucket, uint64_t rate, uint64_t capacity,
                    uint64_t now_ns)
{
  *bucket = (inf_sim_bucket){rate, 0, capacity, capacity * UNIT, now_ns};
}

static uint64_t
ceil_div(uint64_t a, uint64_t b)
{
  return a / b + (a % b != 0);
}

/* Filling is bounded before it is multiplied, so that no time overflows. */
static void
refill(inf_sim_bucket *bucket, uint64_t now_ns)
{
  uint64_t elapsed = now_ns > bucket->at_ns ? now_ns - bucket->at_ns : 0;
  uint64_t missing = bucket->capacity * UNIT - bucket->level;
  uint64_t rate = bucket->rate - bucket->others;
  if (elapsed >= ceil_div(missing, rate)) {
    bucket->level += missing;
  } else {
    bucket->level += elapsed * rate;
  }
  bucket->at_ns += elapsed;
}

uint64_t
inf_sim_bucket_left(inf_sim_bucket *bucket, uint64_t now_ns)
{
  if (bucket->rate == 0) {
    return 0;
  }
  refill(bucket, now_ns);
  return bucket->level / UNIT;
}

uint64_t
inf_sim_bucket_wait_ns(inf_sim_bucket *bucket, uint64_t n, uint64_t now_ns)
{
  if (bucket->rate == 0) {
    return 0;
  }
  if (n > bucket->capacity) {
    return UINT64_MAX;
  }
  refill(bucket, now_ns);
  if (bucket->level >= n * UNIT) {
    return 0;
  }
  return ceil_div(n * UNIT - bucket->level, bucket->rate);
}

uint64_t
inf_sim_bucket_full_ns(inf_sim_bucket *bucket, uint64_t now_ns)
{
  return inf_sim_bucket_wait_ns(bucket, bucket->capacity, now_ns);
}

void
inf_sim_bucket_take(inf_sim_bucket *bucket, uint64_t n)
{
  if (bucket->rate > 0) {
    bucket->level -= n * UNIT;
  }
}

void
inf_sim_limits_fini(inf_sim_limits *limits)
{
  for (size_t i = 0; i < limits->count; i++) {
    inf_free(limits->quotas[i].scope);
  }
  inf_free(limits->quotas);
  *limits = (inf_sim_limits){0};
}

static bool
is_quota(const inf_sim_quota *quota, const inf_sim_limit *limit, inf_sv scope)
{
  return quota->limit == limit &&
         inf_sv_eq(inf_sv_of(quota->scope, quota->scope_len), scope);
}

static inf_sim_quota *
add_quota(inf_sim_limits *limits, const inf_sim_limit *limit, inf_sv scope,
          uint64_t now_ns)
{
  if (limits->count == limits->cap) {
    limits->cap = limits->cap ? limits->cap * 2 : 8;
    limits->quotas =
        inf_sim_realloc(limits->quotas, limits->cap * sizeof(*limits->quotas));
  }
  inf_sim_quota *quota = &limits->quotas[limits->count++];
  *quota = (inf_sim_quota){.limit = limit, .scope_len = scope.len};
  quota->scope = inf_sim_alloc(scope.len + 1);
  if (scope.len > 0) {
    memcpy(quota->scope, scope.ptr, scope.len);
  }
  inf_sim_bucket_init(&quota->requests, limit->requests, limit->burst, now_ns);
  inf_sim_bucket_init(&quota->tokens, limit->tokens, limit->burst_tokens,
                      now_ns);
  quota->requests.others = limit->others_requests;
  quota->tokens.others = limit->others_tokens;
  return quota;
}

static inf_sim_quota *
find_quota(inf_sim_limits *limits, const inf_sim_limit *limit, inf_sv scope,
           uint64_t now_ns)
{
  for (size_t i = 0; i < limits->count; i++) {
    if (is_quota(&limits->quotas[i], limit, scope)) {
      return &limits->quotas[i];
    }
  }
  return add_quota(limits, limit, scope, now_ns);
}

static void
report(inf_sim_quota *quota, uint64_t now_ns, inf_sim_verdict *verdict)
{
  verdict->requests = quota->requests.rate;
  verdict->requests_left = inf_sim_bucket_left(&quota->requests, now_ns);
  verdict->requests_full_ns = inf_sim_bucket_full_ns(&quota->requests, now_ns);
  verdict->tokens = quota->tokens.rate;
  verdict->tokens_left = inf_sim_bucket_left(&quota->tokens, now_ns);
  verdict->tokens_full_ns = inf_sim_bucket_full_ns(&quota->tokens, now_ns);
}

inf_sim_verdict
inf_sim_limits_ask(inf_sim_limits *limits, const inf_sim_limit *limit,
                   inf_sv scope, uint64_t tokens, uint64_t now_ns)
{
  inf_sim_verdict verdict = {.limited = limit != NULL, .admitted = true};
  if (!limit) {
    return verdict;
  }
  inf_sim_quota *quota = find_quota(limits, limit, scope, now_ns);
  uint64_t by_requests = inf_sim_bucket_wait_ns(&quota->requests, 1, now_ns);
  uint64_t by_tokens = inf_sim_bucket_wait_ns(&quota->tokens, tokens, now_ns);
  verdict.needed_tokens = tokens;
  verdict.by_tokens = by_tokens > by_requests;
  verdict.wait_ns = verdict.by_tokens ? by_tokens : by_requests;
  verdict.too_large = verdict.wait_ns == UINT64_MAX;
  verdict.admitted = verdict.wait_ns == 0;
  if (verdict.admitted) {
    inf_sim_bucket_take(&quota->requests, 1);
    inf_sim_bucket_take(&quota->tokens, tokens);
  }
  report(quota, now_ns, &verdict);
  return verdict;
}

/* Appends ns as a decimal number of a unit of 10^digits nanoseconds, without
 * zeros at the end. */
static void
put_decimal(inf_buf *buf, uint64_t ns, unsigned digits, const char *unit)
{
  uint64_t one = 1;
  for (unsigned i = 0; i < digits; i++) {
    one *= 10;
  }
  inf_buf_append_uint(buf, ns / one);
  uint64_t rest = ns % one;
  if (rest > 0) {
    char fraction[24];
    int len =
        snprintf(fraction, sizeof(fraction), ".%0*" PRIu64, (int)digits, rest);
    while (len > 0 && fraction[len - 1] == '0') {
      len--;
    }
    inf_buf_append(buf, fraction, (size_t)len);
  }
  inf_buf_append_cstr(buf, unit);
}

void
inf_sim_put_go_duration(inf_buf *buf, uint64_t ns)
{
  if (ns == 0) {
    inf_buf_append_cstr(buf, "0s");
  } else if (ns < INF_NS_PER_US) {
    put_decimal(buf, ns, 0, "ns");
  } else if (ns < INF_NS_PER_MS) {
    put_decimal(buf, ns, 3, "us");
  } else if (ns < INF_NS_PER_S) {
    put_decimal(buf, ns, 6, "ms");
  } else {
    uint64_t minutes = ns / UNIT;
    if (minutes >= 60) {
      inf_buf_appendf(buf, "%" PRIu64 "h", minutes / 60);
    }
    if (minutes > 0) {
      inf_buf_appendf(buf, "%" PRIu64 "m", minutes % 60);
    }
    put_decimal(buf, ns % UNIT, 9, "s");
  }
}
