/* SPDX-License-Identifier: MIT */
/* Quotas of a provider, and how it tells of them. */
#include "fleet.h"

#include <stdio.h>

enum { millionth = 1000000 };

/* ---- Quota --------------------------------------------------------------- */

static uint64_t
refilled(uint64_t left, uint32_t per_minute, uint32_t permille, uint64_t for_ns)
{
  uint64_t limit = (uint64_t)per_minute * millionth;
  uint64_t us = for_ns / INF_NS_PER_US;
  uint64_t more =
      us > 60 * millionth ? limit : us * per_minute / 60 * permille / 1000;
  return left + more > limit ? limit : left + more;
}

/* The co-tenant takes its share of what flows in while it is awake. */
static void
refill(fleet_provider *provider, uint64_t now_ns)
{
  const fleet_params *params = &provider->params;
  while (provider->refilled_ns < now_ns) {
    uint64_t until_ns = now_ns;
    if (params->cotenant > 0 && provider->cotenant_until_ns < until_ns)
      until_ns = provider->cotenant_until_ns;
    uint32_t permille = 1000 - (provider->cotenant_on ? params->cotenant : 0);
    uint64_t for_ns = until_ns - provider->refilled_ns;
    provider->requests_left = refilled(
        provider->requests_left, params->requests_per_minute, permille, for_ns);
    provider->tokens_left = refilled(
        provider->tokens_left, params->tokens_per_minute, permille, for_ns);
    provider->refilled_ns = until_ns;
    if (params->cotenant > 0 && provider->cotenant_until_ns <= until_ns) {
      provider->cotenant_on = !provider->cotenant_on;
      provider->cotenant_until_ns +=
          1 + dice_exponential(&provider->weather, params->cotenant_ns);
    }
  }
}

bool
fleet_take(fleet_provider *provider, uint32_t tokens, uint64_t now_ns)
{
  if (provider->params.requests_per_minute == 0)
    return true;
  refill(provider, now_ns);
  uint64_t need = (uint64_t)tokens * millionth;
  if (provider->requests_left < millionth || provider->tokens_left < need)
    return false;
  provider->requests_left -= millionth;
  provider->tokens_left -= need;
  return true;
}

/* ---- Headers ------------------------------------------------------------- */

/* The calendar's day of a day since 1970 (Howard Hinnant's civil_from_days). */
static void
write_rfc3339(char *text, size_t size, int64_t wall_s)
{
  uint64_t days = (uint64_t)wall_s / 86400, s = (uint64_t)wall_s % 86400;
  uint64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
  uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  uint64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9;
  uint64_t year = yoe + era * 400 + (month <= 2);
  snprintf(text, size, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year,
           (unsigned)month, (unsigned)(doy - (153 * mp + 2) / 5 + 1),
           (unsigned)(s / 3600), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

/* As Go prints a duration: "6m0s", "17ms". */
static void
write_duration(char *text, size_t size, uint64_t ms)
{
  if (ms < 1000)
    snprintf(text, size, "%ums", (unsigned)ms);
  else if (ms < 60000)
    snprintf(text, size, "%u.%03us", (unsigned)(ms / 1000),
             (unsigned)(ms % 1000));
  else
    snprintf(text, size, "%um%us", (unsigned)(ms / 60000),
             (unsigned)(ms / 1000 % 60));
}

static void add(inf_headers *headers, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(inf_headers *headers, const char *format, ...)
{
  char line[128];
  va_list args;
  va_start(args, format);
  vsnprintf(line, sizeof line, format, args);
  va_end(args);
  inf_headers_add_line(headers, inf_sv_from(line));
}

/* Time until the quota is full, in milliseconds. */
static uint64_t
full_ms(uint64_t left, uint32_t per_minute)
{
  uint64_t limit = (uint64_t)per_minute * millionth;
  return (limit - left) / per_minute * 60 / 1000;
}

static void
write_kind(fleet_provider *provider, fleet_headers kind, const char *what,
           uint32_t limit, uint64_t left, int64_t wall_ns, inf_headers *headers)
{
  char reset[40];
  uint64_t ms = full_ms(left, limit);
  unsigned whole = (unsigned)(left / millionth);
  (void)provider;
  switch (kind) {
  case FLEET_HEADERS_OPENAI:
    write_duration(reset, sizeof reset, ms);
    add(headers, "x-ratelimit-limit-%s: %u", what, (unsigned)limit);
    add(headers, "x-ratelimit-remaining-%s: %u", what, whole);
    add(headers, "x-ratelimit-reset-%s: %s", what, reset);
    break;
  case FLEET_HEADERS_ANTHROPIC:
    write_rfc3339(reset, sizeof reset,
                  (wall_ns + (int64_t)(ms * INF_NS_PER_MS)) /
                      (int64_t)INF_NS_PER_S);
    add(headers, "anthropic-ratelimit-%s-limit: %u", what, (unsigned)limit);
    add(headers, "anthropic-ratelimit-%s-remaining: %u", what, whole);
    add(headers, "anthropic-ratelimit-%s-reset: %s", what, reset);
    break;
  case FLEET_HEADERS_SECONDS:
    add(headers, "ratelimit-limit-%s: %u", what, (unsigned)limit);
    add(headers, "ratelimit-remaining-%s: %u", what, whole);
    add(headers, "ratelimit-reset-%s: %u", what, (unsigned)(ms / 1000 + 1));
    break;
  default:
    break;
  }
}

static void
write_retry_after(fleet_provider *provider, inf_headers *headers)
{
  const fleet_params *params = &provider->params;
  uint64_t ms = 60000 / params->requests_per_minute + 1;
  switch (dice_below(&provider->rng, 8)) {
  case 0: /* no word */
    break;
  case 1:
    add(headers, "retry-after-ms: %u", (unsigned)ms);
    break;
  case 2:
    add(headers, "Retry-After: -1");
    break;
  case 3:
    add(headers, "Retry-After: %u",
        (unsigned)dice_log_between(&provider->rng, 1, 600));
    break;
  default:
    add(headers, "Retry-After: %u", (unsigned)(ms / 1000 + 1));
  }
}

void
fleet_write_limits(fleet_provider *provider, bool refused, int64_t wall_ns,
                   inf_headers *headers)
{
  const fleet_params *params = &provider->params;
  if (params->requests_per_minute == 0)
    return;
  write_kind(provider, params->headers, "requests", params->requests_per_minute,
             provider->requests_left, wall_ns, headers);
  write_kind(provider, params->headers, "tokens", params->tokens_per_minute,
             provider->tokens_left, wall_ns, headers);
  if (refused)
    write_retry_after(provider, headers);
}
