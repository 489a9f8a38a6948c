/* SPDX-License-Identifier: MIT */
/* Each option of the manual, set to another value, makes the difference that
 * the manual promises; and none may be added without a test that sees it. */
#include "observe.h"

#include "config/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// clang-format off
static const struct row {
  const char *section, *name;
  CMUnitTestFunction test;
} rows[] = {
    {"client", "threads", observe_threads},
    {"client", "delivery_interval_ms", observe_delivery_interval_ms},
    {"client", "max_response_bytes", observe_max_response_bytes},
    {"client", "max_event_bytes", observe_max_event_bytes},
    {"client", "max_json_depth", observe_max_json_depth},
    {"client", "max_undelivered_bytes", observe_max_undelivered_bytes},
    {"client", "max_paused_bytes", observe_max_paused_bytes},
    {"client", "max_calls", observe_max_calls},
    {"client", "tenants", observe_tenants},
    {"client", "max_waiting_calls", observe_max_waiting_calls},
    {"client", "budgets", observe_budgets},
    {"client", "budgets_file", observe_budgets_file},
    {"budget", "name", observe_budget_name},
    {"budget", "per", observe_budget_per},
    {"budget", "period", observe_budget_period},
    {"budget", "usd", observe_budget_usd},
    {"budget", "tokens", observe_budget_tokens},
    {"budget", "warn", observe_budget_warn},
    {"budget", "at_limit", observe_budget_at_limit},
    {"budget", "without_price", observe_budget_without_price},
    {"budget", "utc_offset_minutes", observe_budget_utc_offset_minutes},
    {"client", "max_idle_connections", observe_max_idle_connections},
    {"client", "metrics_tenants", observe_metrics_tenants},
    {"client", "telemetry.otlp.endpoint", observe_otlp_endpoint},
    {"client", "telemetry.otlp.headers", observe_otlp_headers},
    {"client", "telemetry.otlp.interval_ms", observe_otlp_interval_ms},
    {"client", "telemetry.otlp.max_queue_bytes", observe_otlp_max_queue_bytes},
    {"client", "telemetry.otlp.semconv", observe_otlp_semconv},
    {"client", "telemetry.otlp.service_name", observe_otlp_service_name},
    {"client", "telemetry.otlp.from_environment", observe_otlp_from_environment},
    {"provider", "traceparent", observe_traceparent},
    {"provider", "name", observe_name},
    {"provider", "type", observe_type},
    {"provider", "base_url", observe_base_url},
    {"provider", "api_key", observe_api_key},
    {"provider", "google_credentials", observe_google_credentials},
    {"provider", "organization", observe_organization},
    {"provider", "project", observe_project},
    {"provider", "auth_scheme", observe_auth_scheme},
    {"provider", "region", observe_region},
    {"provider", "embed_inputs", observe_embed_inputs},
    {"provider", "labels", observe_labels},
    {"provider", "headers", observe_headers},
    {"provider", "query", observe_query},
    {"provider", "body", observe_body},
    {"provider", "embed_body", observe_embed_body},
    {"provider", "models", observe_models},
    {"provider", "prices", observe_prices},
    {"provider", "upstream", observe_provider_upstream},
    {"provider", "prefill", observe_provider_prefill},
    {"provider", "catalogue", observe_catalogue},
    {"provider", "proxy", observe_proxy},
    {"provider", "ca_file", observe_ca_file},
    {"provider", "ca_pem", observe_ca_pem},
    {"provider", "client_cert", observe_client_cert},
    {"provider", "client_key", observe_client_key},
    {"provider", "tls_verify", observe_tls_verify},
    {"provider", "unix_socket", observe_unix_socket},
    {"provider", "resolve", observe_resolve},
    {"provider", "compression", observe_compression},
    {"provider", "http_version", observe_http_version},
    {"provider", "warm_path", observe_warm_path},
    {"provider", "limits.requests_per_second", observe_requests_per_second},
    {"provider", "limits.requests_per_minute", observe_requests_per_minute},
    {"provider", "limits.requests_per_day", observe_requests_per_day},
    {"provider", "limits.tokens_per_second", observe_tokens_per_second},
    {"provider", "limits.tokens_per_minute", observe_tokens_per_minute},
    {"provider", "limits.tokens_per_day", observe_tokens_per_day},
    {"provider", "limits.input_tokens_per_minute", observe_input_tokens_per_minute},
    {"provider", "limits.output_tokens_per_minute", observe_output_tokens_per_minute},
    {"provider", "limits.concurrency", observe_concurrency},
    {"provider", "limits.scope", observe_limits_scope},
    {"key", "key", observe_key},
    {"key", "organization", observe_key_organization},
    {"key", "project", observe_key_project},
    {"route", "targets", observe_targets},
    {"route", "require_labels", observe_require_labels},
    {"target", "target", observe_target},
    {"target", "upstream", observe_target_upstream},
    {"target", "prefill", observe_target_prefill},
    {"route", "sticky", observe_sticky},
    {"target", "weight", observe_weight},
    {"target", "price.input", observe_price_input},
    {"target", "price.output", observe_price_output},
    {"target", "price.cache_read", observe_price_cache_read},
    {"target", "price.cache_write", observe_price_cache_write},
    {"target", "price.reasoning", observe_price_reasoning},
    {"target", "price.audio_input", observe_price_audio_input},
    {"target", "price.audio_output", observe_price_audio_output},
    {"target", "context_tokens", observe_context_tokens},
    {"target", "output_tokens", observe_output_tokens},
    {"target", "lacks", observe_lacks},
    {"target", "overrides", observe_overrides},
    {"policy", "strategy", observe_strategy},
    {"policy", "cost.max_first_token_ms", observe_cost_max_first_token_ms},
    {"policy", "max_price.input", observe_max_price_input},
    {"policy", "max_price.output", observe_max_price_output},
    {"policy", "retries", observe_retries},
    {"policy", "stay.retries", observe_stay_retries},
    {"policy", "stay.max_wait_ms", observe_stay_max_wait_ms},
    {"policy", "recovery", observe_recovery},
    {"policy", "keep_warm", observe_keep_warm},
    {"policy", "hedge.budget", observe_hedge_budget},
    {"policy", "hedge.percentile", observe_hedge_percentile},
    {"policy", "hedge.min_delay_ms", observe_hedge_min_delay_ms},
    {"policy", "race_on", observe_race_on},
    {"policy", "breaker", observe_breaker},
    {"policy", "retry_budget", observe_retry_budget},
    {"policy", "upstream", observe_policy_upstream},
    {"policy", "failover_on", observe_failover_on},
    {"policy", "timeouts.connect_ms", observe_connect_ms},
    {"policy", "timeouts.first_token_ms", observe_first_token_ms},
    {"policy", "timeouts.idle_ms", observe_idle_ms},
    {"policy", "timeouts.attempt_ms", observe_attempt_ms},
    {"policy", "timeouts.deadline_ms", observe_deadline_ms},
};
// clang-format on

enum { row_count = sizeof rows / sizeof rows[0] };

static const struct row *
row_of(const inf_option *option)
{
  for (size_t i = 0; i < row_count; i++)
    if (strcmp(rows[i].section, option->section) == 0 &&
        strcmp(rows[i].name, option->name) == 0)
      return &rows[i];
  return NULL;
}

static void
test_every_option_is_observed(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *option = inf_option_at(i);
    if (!row_of(option))
      fail_msg("no test observes the option %s of section %s", option->name,
               option->section);
  }
  /* With as many rows as options, each row is of one that exists. */
  assert_int_equal(inf_option_count(), row_count);
}

/* ---- What the observers share -------------------------------------------- */

world
observe_world(const char *script, const char *config)
{
  world w = {0};
  world_sim(&w, 1, script);
  world_client(&w, config);
  return w;
}

int32_t
observe_status(const char *script, const char *config, const char *model,
               bool stream, uint64_t *took_ms)
{
  world w = observe_world(script, config);
  outcome o = stream ? world_stream(&w, model) : world_chat(&w, model);
  int32_t status = o.status;
  if (took_ms)
    *took_ms = o.took_ms;
  outcome_end(&o);
  world_end(&w);
  return status;
}

const char *
observe_trail(const char *script, const char *config, const char *model)
{
  static char trail[2048];
  world w = observe_world(script, config);
  outcome o = world_chat(&w, model);
  snprintf(trail, sizeof trail, "%s", outcome_trail(&o));
  outcome_end(&o);
  world_end(&w);
  return trail;
}

json_object *
observe_log(const char *config, const char *model)
{
  world w = observe_world(OK_SCRIPT, config);
  outcome o = world_chat(&w, model);
  if (o.status != INFER_OK)
    fail_msg("%s", infer_error_message(o.error));
  outcome_end(&o);
  json_object *log = world_log(&w, 1, 1);
  world_end(&w);
  return log;
}

int
main(void)
{
  struct CMUnitTest tests[row_count + 1] = {
      cmocka_unit_test(test_every_option_is_observed)};
  char names[row_count][64];
  world_forget_proxies();
  for (size_t i = 0; i < row_count; i++) {
    snprintf(names[i], sizeof names[i], "%s %s", rows[i].section, rows[i].name);
    tests[i + 1] =
        (struct CMUnitTest){.name = names[i], .test_func = rows[i].test};
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
