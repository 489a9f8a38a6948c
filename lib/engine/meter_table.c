/* SPDX-License-Identifier: MIT */
/* Where meters stand, and how they are made of a configuration's limits. */
#include "engine/meter_state.h"

#include "base/mem.h"
#include "config/hash.h"

#define MINUTE_NS (60 * INF_NS_PER_S)
#define DAY_NS    (86400 * INF_NS_PER_S)

#define RULE(field, kind, period)                                           \
  {                                                                         \
    offsetof(inf_provider_limits, field), kind, period, "the limit " #field \
  }

static const meter_rule rules[] = {
    RULE(requests_per_second, INF_LIMIT_REQUESTS, INF_NS_PER_S),
    RULE(requests_per_minute, INF_LIMIT_REQUESTS, MINUTE_NS),
    RULE(requests_per_day, INF_LIMIT_REQUESTS, DAY_NS),
    RULE(tokens_per_second, INF_LIMIT_TOKENS, INF_NS_PER_S),
    RULE(tokens_per_minute, INF_LIMIT_TOKENS, MINUTE_NS),
    RULE(tokens_per_day, INF_LIMIT_TOKENS, DAY_NS),
    RULE(input_tokens_per_minute, INF_LIMIT_INPUT, MINUTE_NS),
    RULE(output_tokens_per_minute, INF_LIMIT_OUTPUT, MINUTE_NS),
};
enum { rule_count = sizeof rules / sizeof rules[0] };

_Static_assert(rule_count <= INF_LIMIT_RULES_MAX, "they fit into a limiter");

const char *
inf_meter_why(const inf_limiter *limiter, size_t dimension)
{
  if (dimension == INF_LIMIT_CONCURRENCY)
    return "the limit concurrency";
  if (dimension >= limiter->count)
    return "";
  const inf_limit_dimension *decided = &limiter->dimension[dimension];
  for (size_t i = 0; i < rule_count; i++)
    if (rules[i].kind == decided->kind &&
        rules[i].period_ns == decided->gcra.rate.period_ns)
      return rules[i].why;
  return "";
}

const char *
inf_meter_quota_why(inf_limit_kind kind)
{
  static const char *const texts[INF_METER_KINDS] = {
      [INF_LIMIT_REQUESTS] = "the provider's quota of requests",
      [INF_LIMIT_TOKENS] = "the provider's quota of tokens",
      [INF_LIMIT_INPUT] = "the provider's quota of input tokens",
      [INF_LIMIT_OUTPUT] = "the provider's quota of output tokens",
  };
  return texts[kind];
}

uint64_t
inf_meter_units(const inf_limit_cost *cost, inf_limit_kind kind)
{
  const uint64_t units[] = {cost->requests, cost->input_tokens,
                            cost->output_tokens};
  return inf_meter_sent(units, kind);
}

uint64_t
inf_meter_sent(const uint64_t sent[3], inf_limit_kind kind)
{
  switch (kind) {
  case INF_LIMIT_REQUESTS:
    return sent[0];
  case INF_LIMIT_INPUT:
    return sent[1];
  case INF_LIMIT_OUTPUT:
    return sent[2];
  case INF_LIMIT_TOKENS:
    break;
  }
  return sent[1] + sent[2];
}

bool
inf_meter_counts_tokens(const inf_meter *meter)
{
  const inf_limiter *limiter = meter->limiter;
  for (size_t i = 0; limiter && i < limiter->count; i++)
    if (limiter->dimension[i].kind != INF_LIMIT_REQUESTS)
      return true;
  for (size_t i = 0; i < meter->quota_count; i++)
    if (meter->quotas[i].kind != INF_LIMIT_REQUESTS)
      return true;
  return false;
}

/* ---- Limits -------------------------------------------------------------- */

static int64_t
limit_of(const inf_provider_limits *limits, const meter_rule *rule)
{
  int64_t limit;
  memcpy(&limit, (const char *)limits + rule->offset, sizeof limit);
  return limit;
}

static inf_limit_rules
rules_of(const inf_provider_limits *limits)
{
  inf_limit_rules out = {.concurrency = (uint32_t)limits->concurrency};
  for (size_t i = 0; i < rule_count; i++) {
    int64_t limit = limit_of(limits, &rules[i]);
    if (limit > 0)
      out.rule[out.count++] = (inf_limit_rule){rules[i].kind, (uint64_t)limit,
                                               rules[i].period_ns, 0};
  }
  return out;
}

static bool
same_limits(const inf_provider_limits *a, const inf_provider_limits *b)
{
  for (size_t i = 0; i < rule_count; i++)
    if (limit_of(a, &rules[i]) != limit_of(b, &rules[i]))
      return false;
  return a->concurrency == b->concurrency;
}

/* A limiter that has been there stays, without limits: what is reserved in it
 * is under way. False: no memory. */
static bool
use_limits(inf_meter *meter, const inf_provider_config *provider,
           uint64_t now_ns)
{
  if (same_limits(&meter->limits, &provider->limits))
    return true;
  inf_limit_rules now = rules_of(&provider->limits);
  if (!meter->limiter) {
    meter->limiter = inf_malloc(sizeof *meter->limiter);
    if (!meter->limiter)
      return false;
    inf_limit_init(meter->limiter, &now);
  } else {
    inf_limit_reconfigure(meter->limiter, &now, now_ns);
  }
  meter->limits = provider->limits;
  return true;
}

/* ---- Quotas -------------------------------------------------------------- */

meter_quota *
inf_meter_add_quota(inf_meter *meter, inf_limit_kind kind, uint64_t limit,
                    uint64_t period_ns, uint64_t told_period_ns,
                    uint64_t now_ns)
{
  if (meter->quota_count == INF_METER_QUOTAS_MAX)
    return NULL;
  if (meter->quota_count == meter->quota_cap) {
    size_t cap = meter->quota_cap > 0 ? meter->quota_cap * 2 : 2;
    meter_quota *quotas = inf_realloc(meter->quotas, cap * sizeof *quotas);
    if (!quotas)
      return NULL;
    meter->quotas = quotas;
    meter->quota_cap = cap;
  }
  meter_quota *quota = &meter->quotas[meter->quota_count++];
  quota->kind = kind;
  quota->told_period_ns = told_period_ns;
  inf_quota_init(&quota->law, (double)limit, period_ns, now_ns);
  inf_quota_count_from(&quota->law, inf_meter_sent(meter->sent, kind));
  return quota;
}

void
inf_meter_add_configured(inf_meter *meter, uint64_t now_ns)
{
  for (size_t i = 0; i < rule_count; i++) {
    int64_t limit = limit_of(&meter->limits, &rules[i]);
    if (limit > 0)
      inf_meter_add_quota(meter, rules[i].kind, (uint64_t)limit,
                          rules[i].period_ns, rules[i].period_ns, now_ns);
  }
}

/* ---- The table ----------------------------------------------------------- */

static void
meter_free(inf_meter *meter)
{
  inf_free(meter->provider);
  inf_free(meter->model);
  inf_free(meter->limiter);
  inf_free(meter->quotas);
  inf_free(meter);
}

void
inf_meters_free(inf_runtime *runtime)
{
  for (size_t i = 0; i < INF_RUNTIME_BUCKETS; i++)
    for (inf_meter *meter = runtime->meters[i], *next; meter; meter = next) {
      next = meter->next;
      meter_free(meter);
    }
}

static inf_meter *
meter_new(const char *provider, const char *model, uint64_t fingerprint)
{
  inf_meter *meter = inf_calloc(1, sizeof *meter);
  if (!meter)
    return NULL;
  meter->provider = inf_strndup(provider, strlen(provider));
  meter->model = inf_strndup(model, strlen(model));
  meter->fingerprint = fingerprint;
  if (meter->provider && meter->model)
    return meter;
  meter_free(meter);
  return NULL;
}

inf_meter *
inf_meter_locked(inf_runtime *runtime, const inf_target_config *target,
                 size_t key, bool make, uint64_t now_ns)
{
  const inf_provider_config *provider = target->provider;
  const char *model =
      provider->limits.scope == INF_LIMIT_SCOPE_KEY ? "" : target->model;
  uint64_t fingerprint =
      key < provider->key_count ? provider->keys[key].fingerprint : 0;
  uint64_t hash = inf_fnv1a(INF_FNV_START, inf_sv_from(provider->name));
  hash = inf_fnv1a(hash, inf_sv_from(model)) ^ fingerprint;
  inf_meter **bucket = &runtime->meters[hash % INF_RUNTIME_BUCKETS];
  inf_meter *meter = *bucket;
  while (meter && (meter->fingerprint != fingerprint ||
                   strcmp(meter->provider, provider->name) != 0 ||
                   strcmp(meter->model, model) != 0))
    meter = meter->next;
  if (meter)
    return !make || use_limits(meter, provider, now_ns) ? meter : NULL;
  if (!make || runtime->meter_count >= INF_RUNTIME_MAX)
    return NULL;
  meter = meter_new(provider->name, model, fingerprint);
  if (!meter)
    return NULL;
  if (!use_limits(meter, provider, now_ns)) {
    meter_free(meter);
    return NULL;
  }
  meter->number = runtime->meter_count++;
  meter->next = *bucket;
  *bucket = meter;
  return meter;
}
