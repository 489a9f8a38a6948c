/* SPDX-License-Identifier: MIT */
/* Quotas of a provider, and how it tells of them. */
#include "fleet.h"

#include <stdio.h>

enum { millionth = 1000000 };

/* ---- Quota --------------------------------------------------------------- */

static uint64_t
refilled(uint64_t left, uint32_t per_minute, uint32_t most, uint32_t permille,
         uint64_t for_ns)
{
  uint64_t limit = (uint64_t)most * millionth;
  uint64_t us = for_ns / INF_NS_PER_US;
  uint64_t more =
      us > 60 * millionth ? limit : us * per_minute / 60 * permille / 1000;
  return left + more > limit ? limit : left + more;
}

static uint32_t
burst_of(const fleet_params *params)
{
  return params->burst > 0 ? params->burst : params->requests_per_minute;
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
    provider->requests_left =
        refilled(provider->requests_left, params->requests_per_minute,
                 burst_of(params), permille, for_ns);
    provider->tokens_left =
        refilled(provider->tokens_left, params->tokens_per_minute,
                 params->tokens_per_minute, permille, for_ns);
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
  uint64_t need =
      provider->params.tokens_per_minute ? (uint64_t)tokens * millionth : 0;
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

/* A line, its name made of three parts. */
static void
add_text(inf_headers *headers, const char *prefix, const char *what,
         const char *suffix, const char *value)
{
  char memory[128];
  inf_buf line;
  inf_buf_init(&line, sizeof memory);
  inf_buf_lend(&line, memory, sizeof memory);
  inf_buf_append_cstr(&line, prefix);
  inf_buf_append_cstr(&line, what);
  inf_buf_append_cstr(&line, suffix);
  inf_buf_append_cstr(&line, ": ");
  inf_buf_append_cstr(&line, value);
  inf_headers_add_line(headers, inf_buf_sv(&line));
  inf_buf_fini(&line);
}

static void
add_number(inf_headers *headers, const char *prefix, const char *what,
           const char *suffix, uint64_t value)
{
  char text[24], *at = text + sizeof text;
  *--at = '\0';
  do
    *--at = (char)('0' + value % 10);
  while (value /= 10);
  add_text(headers, prefix, what, suffix, at);
}

/* Time until the quota is full, in milliseconds. */
static uint64_t
full_ms(uint64_t left, uint32_t per_minute, uint32_t most)
{
  uint64_t limit = (uint64_t)most * millionth;
  return (limit - left) / per_minute * 60 / 1000;
}

static void
write_kind(fleet_headers kind, const char *what, uint32_t limit, uint32_t most,
           uint64_t left, int64_t wall_ns, inf_headers *headers)
{
  char reset[40];
  uint64_t ms = full_ms(left, limit, most);
  uint64_t whole = left / millionth;
  switch (kind) {
  case FLEET_HEADERS_OPENAI:
    write_duration(reset, sizeof reset, ms);
    add_number(headers, "x-ratelimit-limit-", what, "", limit);
    add_number(headers, "x-ratelimit-remaining-", what, "", whole);
    add_text(headers, "x-ratelimit-reset-", what, "", reset);
    break;
  case FLEET_HEADERS_ANTHROPIC:
    write_rfc3339(reset, sizeof reset,
                  (wall_ns + (int64_t)(ms * INF_NS_PER_MS)) /
                      (int64_t)INF_NS_PER_S);
    add_number(headers, "anthropic-ratelimit-", what, "-limit", limit);
    add_number(headers, "anthropic-ratelimit-", what, "-remaining", whole);
    add_text(headers, "anthropic-ratelimit-", what, "-reset", reset);
    break;
  case FLEET_HEADERS_SECONDS:
    add_number(headers, "ratelimit-limit-", what, "", limit);
    add_number(headers, "ratelimit-remaining-", what, "", whole);
    add_number(headers, "ratelimit-reset-", what, "", ms / 1000 + 1);
    break;
  default:
    break;
  }
}

/* Until there is a request again, rounded up. */
static void
write_exact_wait(const fleet_provider *provider, inf_headers *headers)
{
  uint64_t missing = millionth - provider->requests_left;
  uint64_t per_minute = provider->params.requests_per_minute;
  uint64_t us = missing * 60 / per_minute + 1;
  add_number(headers, "retry-after-ms", "", "", (us + 999) / 1000);
  add_number(headers, "retry-after", "", "", (us + millionth - 1) / millionth);
}

static void
write_retry_after(fleet_provider *provider, inf_headers *headers)
{
  const fleet_params *params = &provider->params;
  uint64_t ms = 60000 / params->requests_per_minute + 1;
  if (params->exact) {
    write_exact_wait(provider, headers);
    return;
  }
  switch (dice_below(&provider->rng, 8)) {
  case 0: /* no word */
    break;
  case 1:
    add_number(headers, "retry-after-ms", "", "", ms);
    break;
  case 2:
    add_text(headers, "Retry-After", "", "", "-1");
    break;
  case 3:
    add_number(headers, "Retry-After", "", "",
               dice_log_between(&provider->rng, 1, 600));
    break;
  default:
    add_number(headers, "Retry-After", "", "", ms / 1000 + 1);
  }
}

void
fleet_write_limits(fleet_provider *provider, bool refused, int64_t wall_ns,
                   inf_headers *headers)
{
  const fleet_params *params = &provider->params;
  if (params->requests_per_minute == 0)
    return;
  write_kind(params->headers, "requests", params->requests_per_minute,
             burst_of(params), provider->requests_left, wall_ns, headers);
  if (params->tokens_per_minute > 0)
    write_kind(params->headers, "tokens", params->tokens_per_minute,
               params->tokens_per_minute, provider->tokens_left, wall_ns,
               headers);
  if (refused)
    write_retry_after(provider, headers);
}
