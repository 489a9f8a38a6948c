/* SPDX-License-Identifier: MIT */
/* The attempts of a call, for `infer chat -v`: who was asked, why, how long
 * each part took, and why it ended. */

#include "trail.h"

#include "out.h"

#include <stdbool.h>
#include <stdio.h>

static const struct {
  int32_t phase;
  const char *name;
} phases[] = {
    {INFER_PHASE_LIMITER_WAIT, "waited"},
    {INFER_PHASE_LOOKUP, "lookup"},
    {INFER_PHASE_CONNECT, "connect"},
    {INFER_PHASE_TLS, "tls"},
    {INFER_PHASE_SENT, "sent"},
    {INFER_PHASE_HEADERS, "headers"},
    {INFER_PHASE_FIRST_BYTE, "first byte"},
    {INFER_PHASE_FIRST_CONTENT, "first content"},
    {INFER_PHASE_FIRST_ANSWER, "first answer"},
    {INFER_PHASE_LAST_CONTENT, "last content"},
    {INFER_PHASE_END, "end"},
};

static bool
worth_telling(const infer_attempt *attempt, int32_t phase, int64_t ns)
{
  if (phase == INFER_PHASE_LIMITER_WAIT) {
    return ns >= 50000; /* what would read as 0.0 */
  }
  if (phase == INFER_PHASE_FIRST_ANSWER) {
    return ns != infer_attempt_phase_ns(attempt, INFER_PHASE_FIRST_CONTENT);
  }
  return ns >= 0;
}

static void
say_phases(const infer_attempt *attempt)
{
  char line[512] = "";
  size_t used = 0;
  for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
    int64_t ns = infer_attempt_phase_ns(attempt, phases[i].phase);
    if (!worth_telling(attempt, phases[i].phase, ns) || ns < 0) {
      continue;
    }
    int n = snprintf(line + used, sizeof(line) - used, "%s%s %.1f",
                     used ? ", " : "", phases[i].name, (double)ns / 1e6);
    if (n < 0 || (size_t)n >= sizeof(line) - used) {
      break;
    }
    used += (size_t)n;
  }
  inf_note("*   ms: %s", used ? line : "nothing was reached");
}

static void
say_tokens(const infer_attempt *attempt)
{
  int64_t in = infer_attempt_usage(attempt, INFER_USAGE_INPUT);
  int64_t out = infer_attempt_usage(attempt, INFER_USAGE_OUTPUT);
  int64_t cached = infer_attempt_usage(attempt, INFER_USAGE_CACHE_READ);
  int64_t reasoning = infer_attempt_usage(attempt, INFER_USAGE_REASONING);
  if (in < 0 && out < 0) {
    return;
  }
  char line[256];
  int n = snprintf(line, sizeof(line), "in %lld, out %lld", (long long)in,
                   (long long)out);
  if (cached > 0) {
    n += snprintf(line + n, sizeof(line) - (size_t)n, ", from cache %lld",
                  (long long)cached);
  }
  if (reasoning > 0) {
    snprintf(line + n, sizeof(line) - (size_t)n, ", reasoning %lld",
             (long long)reasoning);
  }
  inf_note("*   tokens: %s", line);
}

/* "$0.000123456", all digits: it is exact. */
static const char *
dollars(int64_t nano_usd, char text[32])
{
  const long long each = 1000000000;
  snprintf(text, 32, "$%lld.%09lld", (long long)nano_usd / each,
           (long long)nano_usd % each);
  return text;
}

static const char *
quality(int32_t kind)
{
  return kind == INFER_COST_ESTIMATED ? " (estimated)" : "";
}

static void
say_cost(const infer_attempt *attempt)
{
  char text[32];
  int64_t nano_usd = infer_attempt_cost_nano_usd(attempt);
  if (nano_usd < 0) {
    inf_note("*   cost: not known");
  } else {
    inf_note("*   cost: %s%s", dollars(nano_usd, text),
             quality(infer_attempt_cost_kind(attempt)));
  }
}

/* Of all attempts, where there are several. */
static void
say_total(const infer_response *response, const infer_error *error)
{
  char total[32], wasted[32];
  int64_t nano_usd = response ? infer_response_total_cost_nano_usd(response)
                              : infer_error_total_cost_nano_usd(error);
  int64_t lost = response ? infer_response_wasted_cost_nano_usd(response)
                          : infer_error_wasted_cost_nano_usd(error);
  int32_t kind = response ? infer_response_cost_kind(response)
                          : infer_error_cost_kind(error);
  if (nano_usd < 0) {
    inf_note("* cost of all attempts: not known");
  } else {
    inf_note("* cost of all attempts: %s%s, wasted %s",
             dollars(nano_usd, total), quality(kind), dollars(lost, wasted));
  }
}

static void
say_connection(const infer_attempt *attempt)
{
  const char *id = infer_attempt_request_id(attempt);
  int32_t http = infer_attempt_http_status(attempt);
  if (http == 0) {
    return;
  }
  inf_note("*   HTTP %d, %s connection, key %d%s%s", (int)http,
           infer_attempt_reused_connection(attempt) ? "kept" : "new",
           (int)infer_attempt_key_index(attempt), id[0] ? ", request id " : "",
           id);
}

static void
say_end(const infer_attempt *attempt)
{
  int32_t status = infer_attempt_status(attempt);
  const char *message = infer_attempt_message(attempt);
  const char *decision = infer_attempt_decision(attempt);
  long long skipped = infer_attempt_skipped_events(attempt);
  if (skipped > 0) {
    inf_note("*   skipped %lld malformed events", skipped);
  }
  if (status == INFER_OK) {
    inf_note("*   ended: %s", infer_attempt_won(attempt)
                                  ? "answered"
                                  : "complete, but not the answer");
    return;
  }
  inf_note("*   ended: %s (%s)%s%s", infer_status_text(status),
           infer_status_name(status), message[0] ? ": " : "", message);
  if (decision[0]) {
    inf_note("*   then: %s", decision);
  }
}

static void
say_attempt(size_t number, const infer_attempt *attempt)
{
  inf_note("* attempt %zu: %s (%s) after %.1f ms", number,
           infer_attempt_target(attempt), infer_attempt_reason_name(attempt),
           (double)infer_attempt_start_ns(attempt) / 1e6);
  say_connection(attempt);
  say_phases(attempt);
  say_tokens(attempt);
  say_cost(attempt);
  say_end(attempt);
}

void
inf_trail_say(const infer_response *response, const infer_error *error)
{
  size_t count = response ? infer_response_attempt_count(response)
                          : infer_error_attempt_count(error);
  for (size_t i = 0; i < count; i++) {
    say_attempt(i + 1, response ? infer_response_attempt(response, i)
                                : infer_error_attempt(error, i));
  }
  if (count == 0) {
    inf_note("* no attempt was made");
  }
  if (count > 1) {
    say_total(response, error);
  }
}
