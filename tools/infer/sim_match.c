/* SPDX-License-Identifier: MIT */
/* Which rule a request falls under. */

#include "sim_match.h"

#include "base/clock.h"

bool
inf_sim_glob(inf_sv pattern, inf_sv text)
{
  size_t p = 0, t = 0;
  size_t star = SIZE_MAX, resume = 0;
  while (t < text.len) {
    if (p < pattern.len && pattern.ptr[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
      p++;
      t++;
    } else if (star != SIZE_MAX) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.len && pattern.ptr[p] == '*') {
    p++;
  }
  return p == pattern.len;
}

static bool
headers_fit(const inf_sim_pairs *wanted, const inf_headers *headers)
{
  for (size_t i = 0; i < wanted->count; i++) {
    inf_sv value;
    if (!headers || !inf_headers_get(headers, wanted->items[i].name, &value) ||
        !inf_sim_glob(wanted->items[i].value, value)) {
      return false;
    }
  }
  return true;
}

static bool
tristate_fits(int8_t wanted, bool is)
{
  return wanted < 0 || (wanted == 1) == is;
}

static bool
time_fits(const inf_sim_when *when, uint64_t since_ns)
{
  uint64_t since_ms = since_ns / INF_NS_PER_MS;
  return (!when->after_ms.set || since_ms >= when->after_ms.value) &&
         (!when->until_ms.set || since_ms < when->until_ms.value);
}

static bool
request_fits(const inf_sim_when *when, const inf_sim_facts *facts)
{
  if (!facts->chat && !when->path.set) {
    return false;
  }
  return (!when->model.set || inf_sim_glob(when->model.sv, facts->model)) &&
         (!when->key.set || inf_sv_eq(when->key.sv, facts->key)) &&
         (!when->path.set || inf_sim_glob(when->path.sv, facts->path)) &&
         headers_fit(&when->header, facts->headers) &&
         tristate_fits(when->stream, facts->stream) &&
         tristate_fits(when->prefill, facts->prefill) &&
         tristate_fits(when->reused, facts->reused);
}

static bool
number_fits(const inf_sim_numbers *numbers, uint64_t number)
{
  return !numbers->set ||
         (number >= numbers->first && number <= numbers->last &&
          number % numbers->every == 0);
}

/* The chance is drawn only where it matters, so that adding a rule does not
 * change what others draw. */
static bool
count_and_chance(inf_sim_rule *rule, inf_rng *rng)
{
  rule->seen++;
  return number_fits(&rule->when.requests, rule->seen) &&
         (rule->when.probability >= 1 ||
          inf_rng_double(rng) < rule->when.probability);
}

inf_sim_rule *
inf_sim_match(inf_sim_script *script, const inf_sim_facts *facts, inf_rng *rng)
{
  for (size_t i = 0; i < script->rule_count; i++) {
    inf_sim_rule *rule = &script->rules[i];
    if (rule->behaviour.reset != INF_SIM_RESET_ACCEPT &&
        time_fits(&rule->when, facts->since_ns) &&
        request_fits(&rule->when, facts) && count_and_chance(rule, rng)) {
      return rule;
    }
  }
  return NULL;
}

bool
inf_sim_match_accept(inf_sim_script *script, uint64_t since_ns, inf_rng *rng)
{
  for (size_t i = 0; i < script->rule_count; i++) {
    inf_sim_rule *rule = &script->rules[i];
    if (rule->behaviour.reset == INF_SIM_RESET_ACCEPT &&
        time_fits(&rule->when, since_ns) && count_and_chance(rule, rng)) {
      return true;
    }
  }
  return false;
}

bool
inf_sim_when_before_request(const inf_sim_when *when)
{
  return !when->model.set && !when->key.set && !when->path.set &&
         when->header.count == 0 && when->stream < 0 && when->prefill < 0 &&
         when->reused < 0;
}
