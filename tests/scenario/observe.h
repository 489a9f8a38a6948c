/* SPDX-License-Identifier: MIT */
#ifndef TEST_SCENARIO_OBSERVE_H
#define TEST_SCENARIO_OBSERVE_H

#include "world.h"

/* One test for each option of the manual: it sets the option to another value
 * and observes the difference, at the caller or at the provider. The list of
 * them is in test_options.c. */

/* A world with one simulated provider and the client of the configuration. */
world observe_world(const char *script, const char *config);
/* One call in such a world; gives its status. took_ms may be NULL. */
int32_t observe_status(const char *script, const char *config,
                       const char *model, bool stream, uint64_t *took_ms);
/* The trail of attempts of one call; a copy that the next one overwrites. */
const char *observe_trail(const char *script, const char *config,
                          const char *model);
/* One call that succeeds; the provider's log of it. The caller puts it. */
json_object *observe_log(const char *config, const char *model);

/* A provider "p" with more members, and members of the document. */
#define ONE(members, document)                                        \
  "{'providers':[{'name':'p','type':'openai','base_url':'$1'" members \
  "}]" document "}"
#define OK_SCRIPT     "{'defaults':{'text':'ok'}}"

#define OBSERVE(name) void observe_##name(void **state)

/* The client: observe_client.c */
OBSERVE(threads);
OBSERVE(delivery_interval_ms);
OBSERVE(max_response_bytes);
OBSERVE(max_event_bytes);
OBSERVE(max_json_depth);
OBSERVE(max_undelivered_bytes);
OBSERVE(max_paused_bytes);
OBSERVE(max_calls);
OBSERVE(max_idle_connections);
OBSERVE(metrics_tenants);

/* Budgets: observe_budgets.c */
OBSERVE(budgets);
OBSERVE(budgets_file);
OBSERVE(budget_name);
OBSERVE(budget_per);
OBSERVE(budget_period);
OBSERVE(budget_usd);
OBSERVE(budget_tokens);
OBSERVE(budget_warn);
OBSERVE(budget_at_limit);
OBSERVE(budget_without_price);
OBSERVE(budget_utc_offset_minutes);

/* The collector: observe_otlp.c */
OBSERVE(otlp_endpoint);
OBSERVE(otlp_headers);
OBSERVE(otlp_interval_ms);
OBSERVE(otlp_max_queue_bytes);
OBSERVE(otlp_semconv);
OBSERVE(otlp_service_name);
OBSERVE(otlp_from_environment);
OBSERVE(traceparent);

/* What is sent: observe_provider.c */
OBSERVE(name);
OBSERVE(type);
OBSERVE(base_url);
OBSERVE(api_key);
OBSERVE(google_credentials);
OBSERVE(organization);
OBSERVE(project);
OBSERVE(auth_scheme);
OBSERVE(region);
OBSERVE(labels);
OBSERVE(headers);
OBSERVE(query);
OBSERVE(body);
OBSERVE(models);
OBSERVE(provider_upstream);
OBSERVE(provider_prefill);
OBSERVE(embed_inputs);
OBSERVE(embed_body);
OBSERVE(compression);
OBSERVE(key);
OBSERVE(key_organization);
OBSERVE(key_project);

/* How it gets there: observe_network.c */
OBSERVE(proxy);
OBSERVE(ca_file);
OBSERVE(ca_pem);
OBSERVE(client_cert);
OBSERVE(client_key);
OBSERVE(tls_verify);
OBSERVE(unix_socket);
OBSERVE(resolve);
OBSERVE(http_version);
OBSERVE(warm_path);

/* Rate limits: observe_limits.c */
OBSERVE(max_waiting_calls);
OBSERVE(tenants);
OBSERVE(requests_per_second);
OBSERVE(requests_per_minute);
OBSERVE(requests_per_day);
OBSERVE(tokens_per_second);
OBSERVE(tokens_per_minute);
OBSERVE(tokens_per_day);
OBSERVE(input_tokens_per_minute);
OBSERVE(output_tokens_per_minute);
OBSERVE(concurrency);
OBSERVE(limits_scope);

/* Routes, targets and policies: observe_policy.c */
OBSERVE(targets);
OBSERVE(require_labels);
OBSERVE(target);
OBSERVE(target_upstream);
OBSERVE(target_prefill);
OBSERVE(retries);
OBSERVE(stay_retries);
OBSERVE(stay_max_wait_ms);
OBSERVE(recovery);
OBSERVE(keep_warm);
OBSERVE(breaker);
OBSERVE(retry_budget);
OBSERVE(policy_upstream);
OBSERVE(failover_on);
OBSERVE(connect_ms);
OBSERVE(first_token_ms);
OBSERVE(idle_ms);
OBSERVE(attempt_ms);
OBSERVE(deadline_ms);

/* Hedges: observe_hedge.c */
OBSERVE(hedge_budget);
OBSERVE(hedge_percentile);
OBSERVE(hedge_min_delay_ms);
OBSERVE(race_on);
/* Strategies, filters, overrides: observe_routing.c */
OBSERVE(strategy);
OBSERVE(weight);
OBSERVE(sticky);
OBSERVE(price_input);
OBSERVE(price_output);
OBSERVE(price_cache_read);
OBSERVE(price_cache_write);
OBSERVE(price_reasoning);
OBSERVE(price_audio_input);
OBSERVE(price_audio_output);
OBSERVE(prices);
OBSERVE(max_price_input);
OBSERVE(max_price_output);
OBSERVE(cost_max_first_token_ms);
OBSERVE(context_tokens);
OBSERVE(catalogue);
OBSERVE(output_tokens);
OBSERVE(lacks);
OBSERVE(overrides);

#endif
