/* SPDX-License-Identifier: MIT */
/* What attempts reserve and settle; see meter.h. */
#include "engine/meter_state.h"

#include "base/mem.h"

/* Where nobody counts: English text, and an answer of moderate length. */
enum { bytes_per_token = 4, usual_output = 256 };

/* What the estimate learns from, at the end of an attempt. */
typedef struct inf_meter_sample {
  inf_estimate_prompt prompt;
  uint64_t max_tokens;
  uint32_t choices;
} inf_meter_sample;

/* ---- Estimates ----------------------------------------------------------- */

static uint64_t
choices_of(const inf_meter_cost *cost)
{
  return cost->choices > 0 ? cost->choices : 1;
}

static uint64_t
at_most(uint64_t units, uint64_t most)
{
  return units < most ? units : most;
}

static inf_limit_cost
guess(const inf_meter_cost *cost)
{
  uint64_t output = usual_output;
  if (cost->max_tokens > 0 && cost->max_tokens < output)
    output = cost->max_tokens;
  return (inf_limit_cost){1, cost->bytes / bytes_per_token + 1,
                          output * choices_of(cost)};
}

inf_limit_cost
inf_meter_estimate_locked(inf_runtime *runtime, const inf_target_config *target,
                          const inf_meter_cost *cost, bool mean)
{
  static const inf_estimate nothing_known;
  if (!cost->counted)
    return guess(cost);
  const inf_target_state *state =
      inf_runtime_target_locked(runtime, target->name);
  const inf_estimate *estimate = state ? &state->estimate : &nothing_known;
  uint64_t output = mean ? inf_estimate_mean_output(estimate, cost->max_tokens)
                         : inf_estimate_output(estimate, cost->max_tokens);
  if (target->output_tokens > 0) /* what is asked of it is lowered to that */
    output = at_most(output, (uint64_t)target->output_tokens);
  return (inf_limit_cost){1, inf_estimate_input(estimate, &cost->prompt),
                          output * choices_of(cost)};
}

/* The answer is an estimate, and no reason to keep a prompt from being sent
 * that fits: no more is reserved for it than is ever free. */
static void
fit_output(inf_limit_cost *cost, inf_limit_kind kind, uint64_t most)
{
  uint64_t input = kind == INF_LIMIT_TOKENS ? cost->input_tokens : 0;
  if (kind == INF_LIMIT_TOKENS || kind == INF_LIMIT_OUTPUT)
    cost->output_tokens =
        at_most(cost->output_tokens, most > input ? most - input : 0);
}

static void
fit(const inf_meter *meter, inf_limit_cost *cost)
{
  const inf_limiter *limiter = meter->limiter;
  for (size_t i = 0; limiter && i < limiter->count; i++)
    fit_output(cost, limiter->dimension[i].kind,
               limiter->dimension[i].gcra.rate.burst);
}

/* ---- The provider's quotas ----------------------------------------------- */

/* When the quota lets the units through, as far as can be foreseen: it is to
 * be asked again then. */
static uint64_t
quota_at_ns(meter_quota *quota, uint64_t units, uint32_t keep_percent,
            uint64_t now_ns)
{
  static const uint64_t least_ns = INF_NS_PER_MS;
  inf_quota_now now = inf_quota_read(&quota->law, (double)units, now_ns);
  double need = (double)units;
  if (!now.limited)
    return now_ns;
  if (now.not_ns > now_ns)
    return now.not_ns;
  /* A prompt that is counted as more than the whole quota may be counted
   * wrongly: the provider has the last word. */
  if (need > now.limit)
    need = now.limit;
  need += now.burst * keep_percent / 100;
  if (now.level >= need)
    return now_ns;
  double wait_ns = (need - now.level) / (now.pace + 1e-9) * 1e9;
  if (wait_ns > (double)INF_QUOTA_REREAD_NS)
    return inf_time_add(now_ns, INF_QUOTA_REREAD_NS);
  uint64_t whole_ns = (uint64_t)wait_ns;
  return inf_time_add(now_ns, whole_ns > least_ns ? whole_ns : least_ns);
}

static void
ask_quotas(inf_meter *meter, const inf_limit_cost *cost, uint32_t keep_percent,
           uint64_t now_ns, inf_meter_verdict *verdict)
{
  for (size_t i = 0; i < meter->quota_count; i++) {
    meter_quota *quota = &meter->quotas[i];
    uint64_t at_ns = quota_at_ns(quota, inf_meter_units(cost, quota->kind),
                                 keep_percent, now_ns);
    if (at_ns <= now_ns || at_ns <= verdict->at_ns)
      continue;
    verdict->what = INF_METER_WAIT;
    verdict->at_ns = at_ns;
    verdict->why = inf_meter_quota_why(quota->kind);
  }
}

static inf_quota_sent
sent_of(const inf_meter_pass *pass, inf_limit_kind kind)
{
  return (inf_quota_sent){inf_meter_sent(pass->marks, kind),
                          inf_meter_units(&pass->reservation.cost, kind),
                          pass->at_ns};
}

/* ---- Asking -------------------------------------------------------------- */

static inf_meter_verdict
verdict_of(const inf_meter *meter, const inf_limit_verdict *limit)
{
  static const inf_meter_what whats[] = {
      [INF_LIMIT_ADMITTED] = INF_METER_GO,
      [INF_LIMIT_WAIT] = INF_METER_WAIT,
      [INF_LIMIT_FULL] = INF_METER_FULL,
      [INF_LIMIT_NEVER] = INF_METER_NEVER,
  };
  inf_meter_verdict verdict = {.what = whats[limit->outcome],
                               .at_ns = limit->at_ns,
                               .meter = meter,
                               .why = ""};
  if (verdict.what != INF_METER_GO)
    verdict.why = inf_meter_why(meter->limiter, limit->dimension);
  if (verdict.what == INF_METER_FULL)
    verdict.at_ns = INF_NEVER;
  return verdict;
}

static inf_meter_verdict
ask(inf_meter *meter, const inf_limit_cost *cost, uint32_t keep_percent,
    uint64_t now_ns)
{
  inf_limit_verdict limit = {INF_LIMIT_ADMITTED, INF_LIMIT_NONE, now_ns};
  if (meter->limiter)
    limit = inf_limit_peek(meter->limiter, cost, keep_percent, now_ns);
  inf_meter_verdict verdict = verdict_of(meter, &limit);
  if (verdict.what == INF_METER_GO || verdict.what == INF_METER_WAIT)
    ask_quotas(meter, cost, keep_percent, now_ns, &verdict);
  return verdict;
}

/* Where memory is short nothing is learned from this attempt. */
static struct inf_meter_sample *
sample_of(const inf_meter_cost *cost)
{
  struct inf_meter_sample *sample =
      cost->counted ? inf_malloc(sizeof *sample) : NULL;
  if (sample)
    *sample = (struct inf_meter_sample){cost->prompt, cost->max_tokens,
                                        cost->choices};
  return sample;
}

static void
take(inf_meter *meter, const inf_limit_cost *cost, uint64_t now_ns,
     inf_meter_pass *pass)
{
  *pass = (inf_meter_pass){.meter = meter, .at_ns = now_ns};
  if (meter->limiter)
    inf_limit_reserve(meter->limiter, cost, 0, now_ns, &pass->reservation);
  pass->reservation.cost = *cost;
  const uint64_t units[3] = {cost->requests, cost->input_tokens,
                             cost->output_tokens};
  for (size_t i = 0; i < 3; i++)
    pass->marks[i] = meter->sent[i] += units[i];
  for (size_t i = 0; i < meter->quota_count; i++) {
    meter_quota *quota = &meter->quotas[i];
    inf_quota_spend(&quota->law, inf_meter_units(cost, quota->kind), now_ns);
  }
}

static const char closed_why[] = "a limit that others wait for already";

static bool
is_closed(const inf_meter *meter, uint64_t closed)
{
  return (meter->limiter || meter->quota_count > 0) &&
         (inf_meter_place(meter) & closed);
}

static inf_meter_verdict
reserve_locked(inf_runtime *runtime, const inf_target_config *target,
               size_t key, const inf_meter_cost *cost, uint32_t keep_percent,
               uint64_t closed, uint64_t now_ns, inf_meter_pass *pass)
{
  inf_meter_verdict verdict = {.what = INF_METER_GO, .why = ""};
  inf_meter *meter = inf_meter_locked(runtime, target, key, true, now_ns);
  if (!meter) {
    if (target->provider->limited)
      verdict.what = INF_METER_NO_MEMORY;
    return verdict;
  }
  if (!cost->counted && inf_meter_counts_tokens(meter)) {
    verdict.what = INF_METER_COUNT;
    return verdict;
  }
  inf_limit_cost reserved =
      inf_meter_estimate_locked(runtime, target, cost, false);
  fit(meter, &reserved);
  verdict = ask(meter, &reserved, keep_percent, now_ns);
  if (verdict.what != INF_METER_NEVER && is_closed(meter, closed))
    return (inf_meter_verdict){
        verdict.what == INF_METER_FULL ? INF_METER_FULL : INF_METER_WAIT,
        INF_NEVER, meter, verdict.why[0] ? verdict.why : closed_why};
  if (verdict.what == INF_METER_GO)
    take(meter, &reserved, now_ns, pass);
  return verdict;
}

inf_meter_verdict
inf_meter_reserve(inf_runtime *runtime, const inf_target_config *target,
                  size_t key, const inf_meter_cost *cost, uint32_t keep_percent,
                  uint64_t closed, uint64_t now_ns, inf_meter_pass *pass)
{
  pthread_mutex_lock(&runtime->mutex);
  inf_meter_verdict verdict = reserve_locked(
      runtime, target, key, cost, keep_percent, closed, now_ns, pass);
  pthread_mutex_unlock(&runtime->mutex);
  if (verdict.what == INF_METER_GO && pass->meter)
    pass->sample = sample_of(cost);
  return verdict;
}

inf_meter_verdict
inf_meter_look(inf_runtime *runtime, const inf_target_config *target,
               size_t key, uint64_t now_ns)
{
  static const inf_limit_cost one = {1, 0, 0};
  inf_meter_verdict verdict = {.what = INF_METER_GO, .why = ""};
  pthread_mutex_lock(&runtime->mutex);
  inf_meter *meter = inf_meter_locked(runtime, target, key, false, now_ns);
  if (meter)
    verdict = ask(meter, &one, 0, now_ns);
  pthread_mutex_unlock(&runtime->mutex);
  return verdict;
}

/* ---- What the answer says ------------------------------------------------ */

static meter_quota *
find_quota(inf_meter *meter, const inf_rate_sight *sight, uint64_t now_ns)
{
  inf_limit_kind kind = (inf_limit_kind)sight->kind;
  for (size_t i = 0; i < meter->quota_count; i++)
    if (meter->quotas[i].kind == kind &&
        meter->quotas[i].told_period_ns == sight->period_ns)
      return &meter->quotas[i];
  return inf_meter_add_quota(meter, kind, 0, 0, sight->period_ns, now_ns);
}

bool
inf_meter_headers(inf_runtime *runtime, inf_meter_pass *pass,
                  const inf_provider_kind *kind, int http_status,
                  const inf_headers *headers, int64_t wall_now_ns,
                  uint64_t now_ns)
{
  inf_rate_sights sights;
  if (!pass->meter)
    return false;
  if (kind->dialect->read_limits)
    kind->dialect->read_limits(kind, http_status, headers, &sights);
  else
    inf_rate_headers_read(headers, wall_now_ns, &sights);
  if (sights.count == 0)
    return false;
  pthread_mutex_lock(&runtime->mutex);
  for (size_t i = 0; i < sights.count; i++) {
    const inf_rate_sight *told = &sights.items[i];
    meter_quota *quota = find_quota(pass->meter, told, now_ns);
    inf_quota_sight sight = {told->period_ns, told->limit, told->remaining,
                             told->reset_ns, told->coarse};
    if (!quota)
      continue;
    inf_quota_sent sent = sent_of(pass, quota->kind);
    inf_quota_observe(&quota->law, &sight, &sent, now_ns);
  }
  pthread_mutex_unlock(&runtime->mutex);
  return true;
}

/* ---- Settling ------------------------------------------------------------ */

static void
refuse(inf_meter *meter, const inf_meter_pass *pass, int64_t hint_ns,
       uint64_t now_ns)
{
  inf_quota *laws[INF_METER_QUOTAS_MAX];
  if (meter->quota_count == 0)
    inf_meter_add_configured(meter, now_ns);
  for (size_t i = 0; i < meter->quota_count; i++)
    laws[i] = &meter->quotas[i].law;
  size_t blamed = inf_quota_emptiest(laws, meter->quota_count, now_ns);
  if (blamed >= meter->quota_count)
    return;
  inf_quota_sent sent = sent_of(pass, meter->quotas[blamed].kind);
  inf_quota_refuse(laws[blamed], &sent, hint_ns, now_ns);
}

static void
settle_quotas(inf_meter *meter, const inf_meter_pass *pass,
              const inf_limit_cost *used, uint64_t now_ns)
{
  for (size_t i = 0; i < meter->quota_count; i++) {
    meter_quota *quota = &meter->quotas[i];
    inf_quota_sent sent = sent_of(pass, quota->kind);
    inf_quota_settle(&quota->law, &sent, inf_meter_units(used, quota->kind),
                     now_ns);
  }
}

static void
learn_locked(inf_runtime *runtime, const inf_target_config *target,
             const struct inf_meter_sample *sample, int64_t input,
             int64_t output)
{
  inf_target_state *state = inf_runtime_target_locked(runtime, target->name);
  if (!state || !sample)
    return;
  if (input > 0)
    inf_estimate_learn_input(&state->estimate, &sample->prompt,
                             (uint64_t)input);
  if (output > 0)
    inf_estimate_learn_output(&state->estimate, sample->max_tokens,
                              (uint64_t)output /
                                  (sample->choices > 0 ? sample->choices : 1));
}

static inf_limit_cost
used_of(const inf_meter_pass *pass, inf_meter_end end, int64_t input,
        int64_t output)
{
  const inf_limit_cost *reserved = &pass->reservation.cost;
  if (end == INF_METER_UNSENT)
    return (inf_limit_cost){0};
  if (end == INF_METER_REFUSED)
    return (inf_limit_cost){.requests = 1};
  return (inf_limit_cost){
      1, input >= 0 ? (uint64_t)input : reserved->input_tokens,
      output >= 0 ? (uint64_t)output : reserved->output_tokens};
}

inf_limit_cost
inf_meter_settle(inf_runtime *runtime, inf_meter_pass *pass,
                 const inf_target_config *target, inf_meter_end end,
                 int64_t input, int64_t output, int64_t hint_ns,
                 uint64_t now_ns)
{
  inf_meter *meter = pass->meter;
  inf_limit_cost used = used_of(pass, end, input, output);
  if (!meter)
    return used;
  pthread_mutex_lock(&runtime->mutex);
  if (meter->limiter)
    inf_limit_settle(meter->limiter, &pass->reservation, &used, now_ns);
  if (end == INF_METER_REFUSED) {
    settle_quotas(meter, pass, &(inf_limit_cost){0}, now_ns);
    refuse(meter, pass, hint_ns, now_ns);
  } else {
    settle_quotas(meter, pass, &used, now_ns);
  }
  if (end == INF_METER_WHOLE)
    learn_locked(runtime, target, pass->sample, input, output);
  pthread_mutex_unlock(&runtime->mutex);
  inf_free(pass->sample);
  *pass = (inf_meter_pass){0};
  return used;
}
