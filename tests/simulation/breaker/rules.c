/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "base/clock.h"

#define S INF_NS_PER_S

static bool
always(rule_state *state, uint64_t now_ns, inf_rng *rng)
{
  (void)state, (void)now_ns, (void)rng;
  return true;
}

static bool
retry_always(rule_state *state)
{
  (void)state;
  return true;
}

static void
note_nothing(rule_state *state, bool ok, bool retried, uint64_t now_ns)
{
  (void)state, (void)ok, (void)retried, (void)now_ns;
}

/* ---- Consecutive failures: Envoy (5xx), Finagle -------------------------- */

static bool
admit_until(rule_state *state, uint64_t now_ns, inf_rng *rng)
{
  (void)rng;
  if (state->open && now_ns >= state->open_until_ns)
    state->open = false;
  return !state->open;
}

/* 30 s, times the number of ejections. */
static void
note_consecutive(rule_state *state, bool ok, bool retried, uint64_t now_ns)
{
  (void)retried;
  state->consecutive = ok ? 0 : state->consecutive + 1;
  if (state->open || state->consecutive < 5)
    return;
  state->open = true;
  state->consecutive = 0;
  state->open_until_ns = now_ns + ++state->ejections * 30 * S;
}

/* ---- Share of failures in a window --------------------------------------- */

static void
window_add(rule_state *state, bool failed)
{
  if (state->count == rule_window)
    state->failures -= state->failed[state->next];
  else
    state->count++;
  state->failed[state->next] = failed;
  state->failures += failed;
  state->next = (state->next + 1) % rule_window;
}

static void
window_open(rule_state *state, uint64_t until_ns)
{
  state->open = true;
  state->half_open = false;
  state->open_until_ns = until_ns;
}

static bool
admit_trials(rule_state *state, uint32_t trials, uint64_t now_ns)
{
  if (!state->open)
    return true;
  if (!state->half_open && now_ns < state->open_until_ns)
    return false;
  if (!state->half_open) {
    state->half_open = true;
    state->trials = 0;
    state->trials_failed = 0;
  }
  return state->trials++ < trials;
}

static void
window_close(rule_state *state)
{
  state->open = false;
  state->half_open = false;
  state->next = 0;
  state->count = 0;
  state->failures = 0;
}

/* 100 calls, 50 % failures; open for 60 s; then 10 calls are tried. */
static bool
admit_resilience(rule_state *state, uint64_t now_ns, inf_rng *rng)
{
  (void)rng;
  return admit_trials(state, 10, now_ns);
}

static void
note_resilience(rule_state *state, bool ok, bool retried, uint64_t now_ns)
{
  (void)retried;
  if (state->half_open) {
    state->consecutive++;
    state->trials_failed += !ok;
    if (state->consecutive < 10)
      return;
    if (state->trials_failed >= 5)
      window_open(state, now_ns + 60 * S);
    else
      window_close(state);
    state->consecutive = 0;
    return;
  }
  if (state->open)
    return;
  window_add(state, !ok);
  if (state->count == rule_window && state->failures >= 50)
    window_open(state, now_ns + 60 * S);
}

/* 10 % failures of at least 100 calls; open for 5 s; then one is tried. */
static bool
admit_polly(rule_state *state, uint64_t now_ns, inf_rng *rng)
{
  (void)rng;
  return admit_trials(state, 1, now_ns);
}

static void
note_polly(rule_state *state, bool ok, bool retried, uint64_t now_ns)
{
  (void)retried;
  if (state->half_open) {
    if (ok)
      window_close(state);
    else
      window_open(state, now_ns + 5 * S);
    return;
  }
  if (state->open)
    return;
  window_add(state, !ok);
  if (state->count == rule_window && state->failures >= 10)
    window_open(state, now_ns + 5 * S);
}

/* ---- Adaptive throttling: Site Reliability Engineering, chapter 21 ------- */

static size_t
second_of(rule_state *state, uint64_t now_ns)
{
  uint64_t second = now_ns / S;
  size_t at = (size_t)(second % rule_seconds);
  if (state->second[at] != second) {
    state->second[at] = second;
    state->requests[at] = 0;
    state->accepts[at] = 0;
  }
  return at;
}

/* Rejects with max(0, (requests - 2 accepts) / (requests + 1)). */
static bool
admit_throttled(rule_state *state, uint64_t now_ns, inf_rng *rng)
{
  size_t at = second_of(state, now_ns);
  double requests = 0, accepts = 0;
  for (size_t i = 0; i < rule_seconds; i++) {
    if (state->second[i] + rule_seconds <= now_ns / S)
      continue;
    requests += state->requests[i];
    accepts += state->accepts[i];
  }
  state->requests[at]++;
  return inf_rng_double(rng) >= (requests - 2 * accepts) / (requests + 1);
}

static void
note_throttled(rule_state *state, bool ok, bool retried, uint64_t now_ns)
{
  (void)retried;
  size_t at = second_of(state, now_ns);
  state->accepts[at] += ok;
}

/* ---- Retry budgets ------------------------------------------------------- */

/* 500 tokens, 14 for a retry; its success gives them back, another one 1. */
static bool
retry_aws(rule_state *state)
{
  if (state->tokens < 14)
    return false;
  state->tokens -= 14;
  return true;
}

static void
note_aws(rule_state *state, bool ok, bool retried, uint64_t now_ns)
{
  (void)now_ns;
  if (!ok)
    return;
  state->tokens += retried ? 14 : 1;
  if (state->tokens > 500)
    state->tokens = 500;
}

/* In tenths: 10 tokens, a failure takes 1, a success gives 0.1; retries only
 * above half. */
static bool
retry_grpc(rule_state *state)
{
  return state->tokens > 50;
}

static void
note_grpc(rule_state *state, bool ok, bool retried, uint64_t now_ns)
{
  (void)retried, (void)now_ns;
  state->tokens += ok ? 1 : -10;
  if (state->tokens > 100)
    state->tokens = 100;
  if (state->tokens < 0)
    state->tokens = 0;
}

/* clang-format off */
const sim_rule rules[] = {
  /* name               attempts breaks tokens admit             result            may_retry */
  {"retry_jitter",          4,   false,    0,  always,           note_nothing,     retry_always},
  {"aws_500_14",            3,   false,  500,  always,           note_aws,         retry_aws},
  {"grpc_10_0.1",           4,   false,  100,  always,           note_grpc,        retry_grpc},
  {"sre_throttle_k2",       4,   false,    0,  admit_throttled,  note_throttled,   retry_always},
  {"consecutive_5",         4,   true,     0,  admit_until,      note_consecutive, retry_always},
  {"resilience4j_100_50",   4,   true,     0,  admit_resilience, note_resilience,  retry_always},
  {"polly_10_100",          4,   true,     0,  admit_polly,      note_polly,       retry_always},
};
/* clang-format on */

const size_t rule_count = sizeof rules / sizeof rules[0];

void
rule_init(const sim_rule *rule, rule_state *state)
{
  *state = (rule_state){.tokens = rule->first_tokens};
}
