/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "support/token_house.h"

#include "base/mem.h"

#define PEM "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"

/* ---- Every option makes a difference --------------------------------------
 */

#define BASE                                                                  \
  "{'providers':[" HOUSE                                                      \
  ",{'name':'p','type':'openai','base_url':'http://p','api_key':'sk-base'}]," \
  "'routes':{'r':{'targets':['house/m']}}}"

static char dump_text[16384];
static size_t dump_len;

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  dump_len += (size_t)vsnprintf(dump_text + dump_len,
                                sizeof dump_text - dump_len, format, args);
  va_end(args);
  assert_true(dump_len < sizeof dump_text);
}

static const char *
or_none(const char *text)
{
  return text ? text : "(none)";
}

static void
dump_policy(const char *who, const inf_route_params *p)
{
  say("%s.retries=%d\n", who, (int)p->retries);
  say("%s.stay.retries=%d\n", who, (int)p->stay_retries);
  say("%s.stay.max_wait_ms=%d\n", who, (int)p->stay_max_wait_ms);
  say("%s.strategy=%d\n", who, p->strategy);
  say("%s.cost.max_first_token_ms=%d\n", who, (int)p->cost_max_first_token_ms);
  say("%s.max_price=%lld %lld\n", who, (long long)p->max_input_price,
      (long long)p->max_output_price);
  say("%s.recovery=%d\n", who, p->recovery);
  say("%s.keep_warm=%d\n", who, p->keep_warm);
  say("%s.breaker=%d\n", who, p->breaker);
  say("%s.retry_budget=%d\n", who, p->retry_budget);
  say("%s.hedge.budget=%d\n", who, (int)p->hedge_budget);
  say("%s.hedge.percentile=%d\n", who, (int)p->hedge_percentile);
  say("%s.hedge.min_delay_ms=%d\n", who, (int)p->hedge_min_delay_ms);
  say("%s.race_on=%d\n", who, p->race_on);
  say("%s.upstream=%d\n", who, p->upstream);
  say("%s.failover_on=%d%d\n", who, p->failover_content_filter,
      p->failover_tls_verify);
  say("%s.timeouts.connect_ms=%d\n", who, (int)p->timeouts.connect_ms);
  say("%s.timeouts.first_token_ms=%d\n", who, (int)p->timeouts.first_token_ms);
  say("%s.timeouts.idle_ms=%d\n", who, (int)p->timeouts.idle_ms);
  say("%s.timeouts.attempt_ms=%d\n", who, (int)p->timeouts.attempt_ms);
  say("%s.timeouts.deadline_ms=%d\n", who, (int)p->timeouts.deadline_ms);
}

static void
dump_client(const inf_client_options *c)
{
  say("threads=%d\n", (int)c->threads);
  say("delivery_interval_ms=%d\n", (int)c->delivery_interval_ms);
  say("max_response_bytes=%d\n", (int)c->max_response_bytes);
  say("max_event_bytes=%d\n", (int)c->max_event_bytes);
  say("max_json_depth=%d\n", (int)c->max_json_depth);
  say("max_undelivered_bytes=%d\n", (int)c->max_undelivered_bytes);
  say("max_paused_bytes=%lld\n", (long long)c->max_paused_bytes);
  say("max_calls=%d\n", (int)c->max_calls);
  say("max_waiting_calls=%d\n", (int)c->max_waiting_calls);
  say("max_idle_connections=%d\n", (int)c->max_idle_connections);
  say("metrics_tenants=%d\n", (int)c->metrics_tenants);
  say("otlp.endpoint=%s\notlp.service_name=%s\notlp.headers=%s\n",
      or_none(c->otlp.endpoint), or_none(c->otlp.service_name),
      inf_buf_cstr(&c->otlp.headers));
  say("otlp.interval_ms=%d\notlp.max_queue_bytes=%d\n",
      (int)c->otlp.interval_ms, (int)c->otlp.max_queue_bytes);
  say("otlp.semconv=%d\notlp.from_environment=%d\n", c->otlp.semconv,
      c->otlp.from_environment);
}

static void
dump_limits(const inf_provider_limits *l)
{
  say("limits.requests_per_second=%lld\n", (long long)l->requests_per_second);
  say("limits.requests_per_minute=%lld\n", (long long)l->requests_per_minute);
  say("limits.requests_per_day=%lld\n", (long long)l->requests_per_day);
  say("limits.tokens_per_second=%lld\n", (long long)l->tokens_per_second);
  say("limits.tokens_per_minute=%lld\n", (long long)l->tokens_per_minute);
  say("limits.tokens_per_day=%lld\n", (long long)l->tokens_per_day);
  say("limits.input_tokens_per_minute=%lld\n",
      (long long)l->input_tokens_per_minute);
  say("limits.output_tokens_per_minute=%lld\n",
      (long long)l->output_tokens_per_minute);
  say("limits.concurrency=%lld\n", (long long)l->concurrency);
  say("limits.scope=%d\n", l->scope);
}

static void
dump_provider(const inf_provider_config *p)
{
  say("name=%s\ntype=%s\nbase_url=%s\nauth_scheme=%s\n", p->name, p->kind->type,
      p->base_url, p->auth_scheme);
  for (size_t i = 0; i < p->key_count; i++)
    say("key=%s\nkey.source=%d\norganization=%s\nproject=%s\n",
        or_none(p->keys[i].secret), (int)p->keys[i].source,
        or_none(p->keys[i].organization), or_none(p->keys[i].project));
  for (size_t i = 0; i < p->label_count; i++)
    say("label=%s\n", p->labels[i]);
  for (size_t i = 0; i < p->alias_count; i++)
    say("alias=%s=%s\n", p->aliases[i].name, p->aliases[i].model);
  for (size_t i = 0; i < p->price_count; i++)
    say("price of %s=%lld %lld\n", p->prices[i].model,
        (long long)p->prices[i].price.input,
        (long long)p->prices[i].price.output);
  say("headers=%s\nquery=%s\nbody=%s\n", inf_buf_cstr(&p->headers),
      inf_buf_cstr(&p->query), inf_buf_cstr(&p->body));
  say("embed_body=%s\n", inf_buf_cstr(&p->embed_body));
  say("provider.upstream=%d\n", p->upstream);
  say("provider.prefill=%d\n", p->prefill);
  say("provider.traceparent=%d\n", p->traceparent);
  say("catalogue=%d %s\n", p->catalogue, p->models ? p->models->kinds : "");
  say("embed_inputs=%lld\n", (long long)p->embed_inputs);
  dump_limits(&p->limits);
  say("proxy=%s\nca_file=%s\nca_pem=%s\n", or_none(p->endpoint.proxy),
      or_none(p->endpoint.ca_file), or_none(p->endpoint.ca_pem));
  say("client_cert=%s\nclient_key=%s\n", or_none(p->endpoint.client_cert),
      or_none(p->endpoint.client_key));
  say("warm_path=%s\nregion=%s\n", or_none(p->warm_path), or_none(p->region));
  say("unix_socket=%s\nresolve=%s\n", or_none(p->endpoint.unix_socket),
      p->endpoint.resolve ? p->endpoint.resolve[0] : "(none)");
  say("tls_verify=%d\ncompression=%d\nhttp_version=%d\n",
      p->endpoint.tls_verify, p->endpoint.compression,
      p->endpoint.http_version);
}

static void
dump_target(const inf_target_config *target)
{
  say("target.weight=%d\n", (int)target->weight);
  const inf_price *price = &target->price;
  say("target.price=%lld %lld\n", (long long)price->input,
      (long long)price->output);
  say("target.parts=%lld %lld %lld %lld %lld\n", (long long)price->cache_read,
      (long long)price->cache_write, (long long)price->reasoning,
      (long long)price->audio_input, (long long)price->audio_output);
  say("target.context_tokens=%d\n", (int)target->context_tokens);
  say("target.output_tokens=%d\n", (int)target->output_tokens);
  say("target.lacks=%u\n", (unsigned)target->lacks);
  say("target.overrides=%s %s\n", inf_buf_cstr(&target->overrides),
      or_none(target->system_prompt));
}

/* All that the options decide, one line for each field. */
static void
dump(const inf_config *config)
{
  dump_len = 0;
  dump_client(&config->client);
  for (size_t i = 0; i < config->tenant_count; i++)
    say("tenant %s=%u\n", config->tenants[i].name,
        (unsigned)config->tenants[i].weight);
  for (size_t i = 0; i < config->budget_count; i++) {
    const inf_budget_config *b = &config->budgets[i];
    say("budget %s per=%d period=%d offset=%d\n", b->name, (int)b->kind,
        (int)b->rule.period, (int)b->rule.offset_minutes);
    say("budget %s usd=%lld tokens=%lld\n", b->name, (long long)b->usd,
        (long long)b->tokens);
    say("budget %s warn=%lld at_limit=%d without_price=%d\n", b->name,
        (long long)b->warn, (int)b->at_limit, (int)b->without_price);
  }
  if (config->budgets_file)
    say("budgets_file=%s\n", config->budgets_file);
  dump_provider(&config->providers[1]);
  dump_policy("defaults", &config->defaults);
  dump_policy("route", &config->routes[0].params);
  for (size_t i = 0; i < config->routes[0].target_count; i++) {
    say("target=%s %d\n", config->routes[0].targets[i].name,
        config->routes[0].targets[i].upstream);
    say("target.prefill=%d\n", config->routes[0].targets[i].prefill);
    dump_target(&config->routes[0].targets[i]);
  }
  say("sticky=%s\n", or_none(config->routes[0].sticky));
  for (size_t i = 0; i < config->routes[0].require_label_count; i++)
    say("require=%s\n", config->routes[0].require_labels[i]);
}

/* FILE stands for the path of a PEM file. */
static const struct {
  const char *section, *name, *path, *value, *line;
} others[] = {
    {"client", "threads", "threads", "0", "threads=0"},
    {"client", "delivery_interval_ms", "delivery_interval_ms", "5",
     "delivery_interval_ms=5"},
    {"client", "max_response_bytes", "max_response_bytes", "2048",
     "max_response_bytes=2048"},
    {"client", "max_event_bytes", "max_event_bytes", "512",
     "max_event_bytes=512"},
    {"client", "max_json_depth", "max_json_depth", "16", "max_json_depth=16"},
    {"client", "max_undelivered_bytes", "max_undelivered_bytes", "8192",
     "max_undelivered_bytes=8192"},
    {"client", "max_paused_bytes", "max_paused_bytes", "1099511627776",
     "max_paused_bytes=1099511627776"},
    {"client", "max_calls", "max_calls", "9", "max_calls=9"},
    {"client", "tenants", "tenants.gold", "5", "tenant gold=5"},
    {"client", "max_waiting_calls", "max_waiting_calls", "5",
     "max_waiting_calls=5"},
    {"client", "max_idle_connections", "max_idle_connections", "0",
     "max_idle_connections=0"},
    {"client", "budgets", "budgets", "[{'name':'n','usd':1}]",
     "budget n usd=1000000 tokens=-1"},
    {"client", "budgets_file", "budgets_file", "'/x'", "budgets_file=/x"},
    {"budget", "name", "budgets", "[{'name':'m','usd':1}]",
     "budget m usd=1000000 tokens=-1"},
    {"budget", "per", "budgets", "[{'name':'n','usd':1,'per':'tenant'}]",
     "budget n per=2 period=1 offset=0"},
    {"budget", "period", "budgets", "[{'name':'n','usd':1,'period':'day'}]",
     "budget n per=0 period=0 offset=0"},
    {"budget", "usd", "budgets", "[{'name':'n','usd':0.5}]",
     "budget n usd=500000 tokens=-1"},
    {"budget", "tokens", "budgets", "[{'name':'n','tokens':7}]",
     "budget n usd=-1 tokens=7"},
    {"budget", "warn", "budgets", "[{'name':'n','usd':1,'warn':0.5}]",
     "budget n warn=500000 at_limit=0 without_price=0"},
    {"budget", "at_limit", "budgets",
     "[{'name':'n','usd':1,'at_limit':'cheaper'}]",
     "budget n warn=800000 at_limit=1 without_price=0"},
    {"budget", "without_price", "budgets",
     "[{'name':'n','usd':1,'without_price':'allow'}]",
     "budget n warn=800000 at_limit=0 without_price=1"},
    {"budget", "utc_offset_minutes", "budgets",
     "[{'name':'n','usd':1,'utc_offset_minutes':-60}]",
     "budget n per=0 period=1 offset=-60"},
    {"client", "metrics_tenants", "metrics_tenants", "7", "metrics_tenants=7"},
    {"client", "telemetry.otlp.endpoint", "telemetry.otlp.endpoint",
     "'http://c:4318/'", "otlp.endpoint=http://c:4318"},
    {"client", "telemetry.otlp.headers", "telemetry.otlp.headers.X-A", "'1'",
     "otlp.headers=X-A: 1"},
    {"client", "telemetry.otlp.interval_ms", "telemetry.otlp.interval_ms",
     "500", "otlp.interval_ms=500"},
    {"client", "telemetry.otlp.max_queue_bytes",
     "telemetry.otlp.max_queue_bytes", "65536", "otlp.max_queue_bytes=65536"},
    {"client", "telemetry.otlp.semconv", "telemetry.otlp.semconv",
     "'genai-head'", "otlp.semconv=1"},
    {"client", "telemetry.otlp.service_name", "telemetry.otlp.service_name",
     "'shop'", "otlp.service_name=shop"},
    {"client", "telemetry.otlp.from_environment",
     "telemetry.otlp.from_environment", "true", "otlp.from_environment=1"},
    {"provider", "traceparent", "providers.p.traceparent", "false",
     "provider.traceparent=0"},
    {"provider", "name", "providers.p.name", "'q'", "name=q"},
    {"provider", "type", "providers.p.type", "'clarifai'", "type=clarifai"},
    {"provider", "base_url", "providers.p.base_url", "'http://q'",
     "base_url=http://q"},
    {"provider", "api_key", "providers.p.api_key", "'sk-2'", "key=sk-2"},
    {"provider", "google_credentials", "providers.p",
     "{'type':'openai','base_url':'http://p','google_credentials':"
     "'file:ACCOUNT'}",
     "key.source=1"},
    {"provider", "organization", "providers.p.organization", "'org'",
     "organization=org"},
    {"provider", "project", "providers.p.project", "'pro'", "project=pro"},
    {"provider", "auth_scheme", "providers.p.auth_scheme", "'Key'",
     "auth_scheme=Key"},
    {"provider", "labels", "providers.p.labels", "['eu']", "label=eu"},
    {"provider", "headers", "providers.p.headers.X-A", "'1'", "headers=X-A: 1"},
    {"provider", "query", "providers.p.query.a", "'1'", "query=a=1"},
    {"provider", "body", "providers.p.body.a", "1", "body={\"a\":1}"},
    {"provider", "embed_body", "providers.p.embed_body.a", "1",
     "embed_body={\"a\":1}"},
    {"provider", "models", "providers.p.models.a", "'b'", "alias=a=b"},
    {"provider", "prices", "providers.p.prices", "{'m':{'input':2,'output':3}}",
     "price of m=2000000 3000000"},
    {"provider", "upstream", "providers.p.upstream", "'stream'",
     "provider.upstream=1"},
    {"provider", "catalogue", "providers.p.catalogue", "'on'",
     "catalogue=1 openai openai-responses"},
    {"provider", "prefill", "providers.p.prefill", "'prefix'",
     "provider.prefill=3"},
    {"provider", "limits.requests_per_second",
     "providers.p.limits.requests_per_second", "7",
     "limits.requests_per_second=7"},
    {"provider", "limits.requests_per_minute",
     "providers.p.limits.requests_per_minute", "7",
     "limits.requests_per_minute=7"},
    {"provider", "limits.requests_per_day",
     "providers.p.limits.requests_per_day", "7", "limits.requests_per_day=7"},
    {"provider", "limits.tokens_per_second",
     "providers.p.limits.tokens_per_second", "7", "limits.tokens_per_second=7"},
    {"provider", "limits.tokens_per_minute",
     "providers.p.limits.tokens_per_minute", "7", "limits.tokens_per_minute=7"},
    {"provider", "limits.tokens_per_day", "providers.p.limits.tokens_per_day",
     "7", "limits.tokens_per_day=7"},
    {"provider", "limits.input_tokens_per_minute",
     "providers.p.limits.input_tokens_per_minute", "7",
     "limits.input_tokens_per_minute=7"},
    {"provider", "limits.output_tokens_per_minute",
     "providers.p.limits.output_tokens_per_minute", "7",
     "limits.output_tokens_per_minute=7"},
    {"provider", "limits.concurrency", "providers.p.limits.concurrency", "7",
     "limits.concurrency=7"},
    {"provider", "limits.scope", "providers.p.limits.scope", "'key'",
     "limits.scope=2"},
    {"provider", "proxy", "providers.p.proxy", "'http://x:1'",
     "proxy=http://x:1"},
    {"provider", "ca_file", "providers.p.ca_file", "'FILE'", "ca_file=FILE"},
    {"provider", "ca_pem", "providers.p.ca_pem", "'-----BEGIN X'",
     "ca_pem=-----BEGIN X"},
    {"provider", "client_cert", "providers.p.client_cert", "'FILE'",
     "client_cert=FILE"},
    {"provider", "client_key", "providers.p",
     "{'type':'openai','base_url':'http://p','client_cert':'FILE',"
     "'client_key':'FILE'}",
     "client_key=FILE"},
    {"provider", "tls_verify", "providers.p.tls_verify", "false",
     "tls_verify=0"},
    {"provider", "unix_socket", "providers.p.unix_socket", "'/s'",
     "unix_socket=/s"},
    {"provider", "resolve", "providers.p.resolve", "['h:1:1.1.1.1']",
     "resolve=h:1:1.1.1.1"},
    {"provider", "compression", "providers.p.compression", "false",
     "compression=0"},
    {"provider", "http_version", "providers.p.http_version", "'1.1'",
     "http_version=1"},
    {"provider", "warm_path", "providers.p.warm_path", "'/w?x=1'",
     "warm_path=/w?x=1"},
    {"provider", "embed_inputs", "providers.p.embed_inputs", "7",
     "embed_inputs=7"},
    {"provider", "region", "providers.p",
     "{'type':'bedrock','base_url':'http://p','region':'eu-west-1'}",
     "region=eu-west-1"},
    {"key", "key", "providers.p.api_key", "[{'key':'sk-3'}]", "key=sk-3"},
    {"key", "organization", "providers.p.api_key",
     "{'key':'sk-3','organization':'o3'}", "organization=o3"},
    {"key", "project", "providers.p.api_key", "{'key':'sk-3','project':'p3'}",
     "project=p3"},
    {"route", "targets", "routes.r.targets", "['p/n']", "target=p/n 0"},
    {"route", "require_labels", "routes.r.require_labels", "['eu']",
     "require=eu"},
    {"target", "target", "routes.r.targets", "[{'target':'p/n'}]",
     "target=p/n 0"},
    {"target", "upstream", "routes.r.targets",
     "[{'target':'p/n','upstream':'unary'}]", "target=p/n 2"},
    {"target", "prefill", "routes.r.targets",
     "[{'target':'p/n','prefill':'assistant'}]", "target.prefill=2"},
    {"target", "weight", "routes.r.targets", "[{'target':'p/n','weight':7}]",
     "target.weight=7"},
    {"target", "weight", "routes.r.targets", "[{'target':'p/n','weight':0}]",
     "target.weight=0"},
    {"target", "price.input", "routes.r.targets",
     "[{'target':'p/n','price':{'input':0.15}}]", "target.price=150000 -1"},
    {"target", "price.output", "routes.r.targets",
     "[{'target':'p/n','price':{'output':0}}]", "target.price=-1 0"},
    {"target", "price.cache_read", "routes.r.targets",
     "[{'target':'p/n','price':{'cache_read':0.5}}]",
     "target.parts=500000 -1 -1 -1 -1"},
    {"target", "price.cache_write", "routes.r.targets",
     "[{'target':'p/n','price':{'cache_write':0.5}}]",
     "target.parts=-1 500000 -1 -1 -1"},
    {"target", "price.reasoning", "routes.r.targets",
     "[{'target':'p/n','price':{'reasoning':0.5}}]",
     "target.parts=-1 -1 500000 -1 -1"},
    {"target", "price.audio_input", "routes.r.targets",
     "[{'target':'p/n','price':{'audio_input':0.5}}]",
     "target.parts=-1 -1 -1 500000 -1"},
    {"target", "price.audio_output", "routes.r.targets",
     "[{'target':'p/n','price':{'audio_output':0.5}}]",
     "target.parts=-1 -1 -1 -1 500000"},
    {"target", "context_tokens", "routes.r.targets",
     "[{'target':'p/n','context_tokens':8000}]", "target.context_tokens=8000"},
    {"target", "output_tokens", "routes.r.targets",
     "[{'target':'p/n','output_tokens':800}]", "target.output_tokens=800"},
    {"target", "lacks", "routes.r.targets",
     "[{'target':'p/n','lacks':['json_schema','tools']}]", "target.lacks=5"},
    {"target", "overrides", "routes.r.targets",
     "[{'target':'p/n','overrides':{'seed':7,'system_prompt':'be'}}]",
     "target.overrides={'seed':7} 'be'"},
    {"route", "sticky", "routes.r.sticky", "'tag:x'", "sticky=tag:x"},
    {"policy", "strategy", "routes.r.strategy", "'weighted'",
     "route.strategy=1"},
    {"policy", "strategy", "routes.r.strategy", "'cost'", "route.strategy=3"},
    {"policy", "strategy", "defaults.strategy", "'latency'",
     "defaults.strategy=2"},
    {"policy", "cost.max_first_token_ms", "routes.r.cost.max_first_token_ms",
     "3", "route.cost.max_first_token_ms=3"},
    {"policy", "max_price.input", "routes.r.max_price.input", "2.5",
     "route.max_price=2500000 -1"},
    {"policy", "max_price.output", "routes.r.max_price.output", "0",
     "route.max_price=-1 0"},
    {"policy", "retries", "routes.r.retries", "7", "route.retries=7"},
    {"policy", "retries", "defaults.retries", "7", "defaults.retries=7"},
    {"policy", "stay.retries", "routes.r.stay.retries", "3",
     "route.stay.retries=3"},
    {"policy", "stay.max_wait_ms", "routes.r.stay.max_wait_ms", "3",
     "route.stay.max_wait_ms=3"},
    {"policy", "keep_warm", "routes.r.keep_warm", "true", "route.keep_warm=1"},
    {"policy", "breaker", "routes.r.breaker", "false", "route.breaker=0"},
    {"policy", "retry_budget", "routes.r.retry_budget", "false",
     "route.retry_budget=0"},
    {"policy", "hedge.budget", "routes.r.hedge.budget", "0.1",
     "route.hedge.budget=100000"},
    {"policy", "hedge.budget", "defaults.hedge.budget", "1e-1",
     "defaults.hedge.budget=100000"},
    {"policy", "hedge.percentile", "routes.r.hedge.percentile", "99.5",
     "route.hedge.percentile=99500000"},
    {"policy", "hedge.min_delay_ms", "routes.r.hedge.min_delay_ms", "7",
     "route.hedge.min_delay_ms=7"},
    {"policy", "race_on", "routes.r.race_on", "'answer'", "route.race_on=1"},
    {"policy", "recovery", "routes.r.recovery", "'restart'",
     "route.recovery=1"},
    {"policy", "recovery", "routes.r.recovery", "'continue'",
     "route.recovery=2"},
    {"policy", "upstream", "routes.r.upstream", "'unary'", "route.upstream=2"},
    {"policy", "failover_on", "routes.r.failover_on", "['content_filter']",
     "route.failover_on=10"},
    {"policy", "failover_on", "defaults.failover_on", "['tls_verify']",
     "defaults.failover_on=01"},
    {"policy", "timeouts.connect_ms", "routes.r.timeouts.connect_ms", "3",
     "route.timeouts.connect_ms=3"},
    {"policy", "timeouts.first_token_ms", "routes.r.timeouts.first_token_ms",
     "3", "route.timeouts.first_token_ms=3"},
    {"policy", "timeouts.idle_ms", "routes.r.timeouts.idle_ms", "3",
     "route.timeouts.idle_ms=3"},
    {"policy", "timeouts.attempt_ms", "routes.r.timeouts.attempt_ms", "3",
     "route.timeouts.attempt_ms=3"},
    {"policy", "timeouts.deadline_ms", "routes.r.timeouts.deadline_ms", "3",
     "route.timeouts.deadline_ms=3"},
    {"policy", "timeouts.deadline_ms", "defaults.timeouts.deadline_ms", "3",
     "defaults.timeouts.deadline_ms=3"},
};

/* Where a service account is. */
static char account_folder[64];

static void
make_account(void)
{
  snprintf(account_folder, sizeof account_folder, "/tmp/infer-compile-XXXXXX");
  assert_non_null(mkdtemp(account_folder));
  token_write_account("https://tokens.example/t", account_folder, "sa");
}

static void
drop_account(void)
{
  static const char *const names[] = {"sa.json", "sa.pub"};
  for (size_t i = 0; i < 2; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", account_folder, names[i]);
    unlink(path);
  }
  assert_int_equal(rmdir(account_folder), 0);
}

/* " for ', the file's path for FILE, the account's for ACCOUNT. Freed by
 * free(). */
static char *
filled_in(const char *text, const char *file)
{
  char *copy = malloc(2000), *to = copy;
  assert_non_null(copy);
  for (; *text; text++) {
    if (strncmp(text, "FILE", 4) == 0) {
      to += snprintf(to, 600, "%s", file);
      text += 3;
    } else if (strncmp(text, "ACCOUNT", 7) == 0) {
      to += snprintf(to, 600, "%s/sa.json", account_folder);
      text += 6;
    } else {
      *to++ = *text == '\'' ? '"' : *text;
    }
  }
  *to = '\0';
  return copy;
}

/* The compiled base with one option set; dumped. */
static void
dump_with(const char *path, const char *value)
{
  infer_error *error = NULL;
  infer_config *source;
  inf_config *config;
  char *json = quoted(BASE);
  assert_int_equal(
      infer_config_from_json(&source, json, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  if (path)
    assert_int_equal(
        infer_config_set_json(source, path, value, INFER_NUL_TERMINATED, NULL),
        INFER_OK);
  if (inf_config_compile(source, &config, &error) != INFER_OK)
    fail_msg("%s: %s", path, infer_error_message(error));
  dump(config);
  inf_config_unref(config);
  infer_config_free(source);
  free(json);
}

static bool
dump_has_line(const char *line)
{
  char wanted[700];
  snprintf(wanted, sizeof wanted, "\n%s\n", line);
  return strstr(dump_text, wanted) ||
         strncmp(dump_text, wanted + 1, strlen(wanted + 1)) == 0;
}

static void
every_option_makes_a_difference(void **state)
{
  (void)state;
  char *file = new_file(PEM, sizeof PEM - 1);
  make_account();
  for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
    char *value = filled_in(others[i].value, file);
    char *line = filled_in(others[i].line, file);
    dump_with(NULL, NULL);
    if (dump_has_line(line))
      fail_msg("%s is there without the option", line);
    dump_with(others[i].path, value);
    if (!dump_has_line(line))
      fail_msg("no line %s in:\n%s", line, dump_text);
    free(value);
    free(line);
  }
  drop_account();
  drop_file(file);
}

static void
no_option_is_left_out(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *option = inf_option_at(i);
    bool found = false;
    for (size_t k = 0; k < sizeof others / sizeof others[0]; k++)
      found = found || (strcmp(others[k].section, option->section) == 0 &&
                        strcmp(others[k].name, option->name) == 0);
    if (!found)
      fail_msg("%s.%s is not tested", option->section, option->name);
  }
}

static void
tenants_have_weights(void **state)
{
  (void)state;
  static const struct {
    const char *given, *error;
  } cases[] = {
      {"{'tenants':{'a':0}}",
       "tenants.a: expected a whole number from 1 to 1000"},
      {"{'tenants':{'a':1001}}",
       "tenants.a: expected a whole number from 1 to 1000"},
      {"{'tenants':{'a':'much'}}",
       "tenants.a: expected a whole number from 1 to 1000"},
      {"{'tenants':[1]}", "tenants: expected an object, got an array"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    refused(cases[i].given, cases[i].error);
}

/* ---- The document as a whole ----------------------------------------------
 */

static void
refuses_at_the_top(void **state)
{
  (void)state;
  refused("{'provider':[]}",
          "provider: unknown option (did you mean 'providers'?)");
  refused("{'threads':2}",
          "threads: expected a whole number from 0 to 1, got 2");
  refused("{'providers':{}}", "providers: expected an array of providers");
  refused("{'providers':['openai']}",
          "providers[0]: expected an object, got a string");
  refused("{'providers':[" HOUSE "," HOUSE "]}",
          "providers[1].name: 'house' is there twice");
}

static void
ignores_the_users_own(void **state)
{
  (void)state;
  inf_config *config =
      compiled("{'x-owner':'me','providers':[" HOUSE "],'routes':{'x-doc':5}}");
  assert_int_equal(config->route_count, 0);
  inf_config_unref(config);
}

static void
is_shared_by_reference(void **state)
{
  (void)state;
  inf_config *config = compiled(BASE);
  assert_ptr_equal(inf_config_ref(config), config);
  inf_config_unref(config);
  assert_string_equal(config->routes[0].name, "r");
  inf_config_unref(config);
  inf_config_unref(NULL);
}

static uint64_t
hash_of(const char *text)
{
  inf_config *config = compiled(text);
  uint64_t hash = config->hash;
  inf_config_unref(config);
  return hash;
}

static void
the_hash_is_of_all_but_secrets(void **state)
{
  (void)state;
  uint64_t hash = hash_of("{'providers':[" HOUSE "],'threads':1}");
  assert_true(hash == hash_of(" { 'providers' : [" HOUSE "] ,'threads': 1} "));
  assert_true(hash != hash_of("{'providers':[" HOUSE "],'threads':0}"));
  assert_true(hash_of("{'providers':[{'name':'openai','api_key':'sk-1'}]}") ==
              hash_of("{'providers':[{'name':'openai','api_key':'sk-2'}]}"));
}

/* A document of many equal parts: head, count times part with its number,
 * tail. */
static void
many_refused(const char *head, const char *part, int count, const char *tail,
             const char *message)
{
  size_t room = strlen(head) + (size_t)count * (strlen(part) + 12) + 200;
  char *text = malloc(room);
  assert_non_null(text);
  size_t len = (size_t)snprintf(text, room, "%s", head);
  for (int i = 0; i < count; i++) {
    const char *number = strchr(part, '#');
    len += (size_t)snprintf(text + len, room - len, "%s%.*s%d%s", i ? "," : "",
                            (int)(number - part), part, i, number + 1);
  }
  snprintf(text + len, room - len, "%s", tail);
  refused(text, message);
  free(text);
}

static void
everything_has_a_limit(void **state)
{
  (void)state;
  many_refused("{'providers':[", "{'name':'#'}", 1001, "]}",
               "providers: more than 1000 providers");
  many_refused("{'providers':[" HOUSE "],'routes':{", "'#':{}", 10001, "}}",
               "routes: more than 10000 routes");
  many_refused("{'providers':[" HOUSE "],'routes':{'r':{'targets':[",
               "'house/#'", 101, "]}}}",
               "routes.r.targets: expected between 1 and 100 targets, got "
               "101");
  many_refused("{'providers':[{'name':'p','type':'openai','api_key':[", "'#'",
               257, "]}]}",
               "providers[0].api_key: expected between 1 and 256 keys, got "
               "257");
  many_refused("{'providers':[{'name':'openai','api_key':'k','models':[", "'#'",
               1001, "]}]}", "providers[0].models: more than 1000 models");
  many_refused("{'providers':[{'name':'openai','api_key':'k','labels':[", "'#'",
               1001, "]}]}", "providers[0].labels: more than 1000 elements");
  many_refused("{'providers':[{'name':'openai','api_key':'k','body':{",
               "'a#':'............................'", 8000, "}}]}",
               "providers[0].body: longer than 262144 bytes");
}

/* One option whose value is a text of that length. */
static void
long_refused(const char *option, size_t len, const char *message)
{
  char *text = malloc(len + 200);
  assert_non_null(text);
  int at = snprintf(text, 200, "{'providers':[{'name':'openai','%s':'", option);
  memset(text + at, 'a', len);
  snprintf(text + at + (int)len, 100, "'}]}");
  refused(text, message);
  free(text);
}

static void
texts_have_a_limit(void **state)
{
  (void)state;
  long_refused("api_key", 65536,
               "providers[0].api_key: the key is longer than 65536 bytes");
  long_refused("base_url", 10000,
               "providers[0].base_url: longer than 8192 bytes");
}

/* ---- Memory that runs out --------------------------------------------------
 */

static struct {
  size_t count, fail_at; /* fail_at 0: never */
  bool fail_on;          /* all later ones too */
  size_t alive;
} heap;

static bool
fails_now(void)
{
  heap.count++;
  return heap.fail_at > 0 && (heap.count == heap.fail_at ||
                              (heap.fail_on && heap.count > heap.fail_at));
}

static void *
test_malloc_fn(size_t size, void *user_data)
{
  (void)user_data;
  void *ptr = fails_now() ? NULL : malloc(size);
  heap.alive += ptr != NULL;
  return ptr;
}

static void *
test_realloc_fn(void *old, size_t size, void *user_data)
{
  (void)user_data;
  void *ptr = fails_now() ? NULL : realloc(old, size);
  heap.alive += ptr != NULL && old == NULL;
  return ptr;
}

static void
test_free_fn(void *ptr, void *user_data)
{
  (void)user_data;
  heap.alive -= ptr != NULL;
  free(ptr);
}

/* What a program does with a configuration; ends at the first failure. */
static int32_t
use_everything(const char *json, const char *path)
{
  infer_error *error = NULL;
  infer_config *source = NULL;
  inf_config *config = NULL;
  const inf_route_config *route = NULL;
  char *text = NULL, *manual = NULL;
  int32_t status =
      infer_config_from_json(&source, json, INFER_NUL_TERMINATED, &error);
  if (status == INFER_OK)
    status = infer_config_set_string(source, "providers.new.base_url",
                                     "http://new", &error);
  if (status == INFER_OK)
    status =
        infer_config_set_json(source, "providers.new", "{\"type\":\"openai\"}",
                              INFER_NUL_TERMINATED, &error);
  if (status == INFER_OK)
    status =
        infer_config_set_int(source, "routes.r.timeouts.idle_ms", 7, &error);
  if (status == INFER_OK)
    status = inf_config_compile(source, &config, &error);
  if (status == INFER_OK)
    status = inf_config_resolve(config, INF_SV("house/x"), &route, &error);
  if (status == INFER_OK) {
    const inf_route_config *none;
    status = inf_config_resolve(config, INF_SV("gpt-4o"), &none, &error);
    if (status == INFER_E_CONFIG) {
      infer_error_free(error);
      error = NULL;
      status = inf_config_resolve(config, INF_SV("zzz"), &none, &error);
    }
    if (status == INFER_E_CONFIG) {
      infer_error_free(error);
      error = NULL;
      status = INFER_OK;
    }
  }
  if (status == INFER_OK)
    status = infer_config_json(source, &text, NULL);
  if (status == INFER_OK)
    status = infer_options_manual(&manual, NULL);
  if (error)
    assert_int_equal(infer_error_status(error), status);
  if (config)
    inf_config_release_route(config, route);
  inf_config_unref(config);
  infer_config_free(source);
  infer_error_free(error);
  infer_text_free(text);
  infer_text_free(manual);
  if (status == INFER_OK) {
    status = infer_config_from_file(&source, path, &error);
    infer_config_free(source);
    infer_error_free(error);
  }
  return status;
}

/* Providers from the environment, and the smaller functions. */
static int32_t
use_environment(const char *json, const char *path)
{
  infer_error *error = NULL;
  infer_config *source;
  inf_config *config = NULL;
  (void)json;
  (void)path;
  int32_t status = infer_config_new(&source);
  if (status != INFER_OK)
    return status;
  status = inf_config_compile(source, &config, &error);
  infer_error_free(error);
  inf_config_unref(config);
  infer_config_free(source);
  return status;
}

/* Fails each allocation in turn, once or from then on. The last round, in
 * which none fails, ends as usual. */
static void
run_short(int32_t (*use)(const char *json, const char *path), const char *text,
          int32_t usual)
{
  char *json = quoted(text), *path = new_file("{}", 2);
  if (text[0]) {
    setenv("OPENAI_API_KEY", "sk-env", 1);
    setenv("OPENAI_BASE_URL", "https://own/v1", 1);
  }
  setenv("https_proxy", "http://proxy:1", 1);
  setenv("no_proxy", "h", 1);
  inf_mem_set_functions(test_malloc_fn, test_realloc_fn, test_free_fn, NULL);
  for (int from_then_on = 0; from_then_on < 2; from_then_on++) {
    for (size_t at = 1;; at++) {
      memset(&heap, 0, sizeof heap);
      heap.fail_at = at;
      heap.fail_on = from_then_on;
      int32_t status = use(json, path);
      assert_int_equal(heap.alive, 0);
      if (heap.count < at) {
        assert_int_equal(status, usual);
        assert_true(at > 5);
        break;
      }
      assert_int_equal(status, INFER_E_NO_MEMORY);
    }
  }
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  clear_environment(NULL);
  drop_file(path);
  free(json);
}

static void
bears_failing_allocations(void **state)
{
  (void)state;
  run_short(use_environment, "{}", INFER_OK);
  run_short(use_environment, "", INFER_E_CONFIG); /* no variable is set */
  run_short(
      use_everything,
      "{'threads':0,'providers':[" HOUSE ",{'name':'openai','api_key':["
      "'env:OPENAI_API_KEY',{'key':'k2','organization':'o'}],'project':'p',"
      "'labels':['a','b'],'headers':{'X-Api-Key':'env:OPENAI_API_KEY',"
      "'x-b':'c'},'query':{'a':'b','key':'c'},'body':{'a':[1,2]},"
      "'models':{'a':'b'},'auth_scheme':'Key','ca_pem':'-----BEGIN X',"
      "'resolve':['h:1:::1'],'proxy':'http://u:p@h'},{'name':'e',"
      "'type':'openai','models':['m']}],'defaults':{'failover_on':"
      "['tls_verify']},'routes':{'r':{'targets':['house/m',{'target':"
      "'openai/a','upstream':'unary'}],'require_labels':['a']}}}",
      INFER_OK);
}

static void
bears_failing_allocations_in_errors(void **state)
{
  (void)state;
  static const char *const bad[] = {
      "{'providers':[" HOUSE "],'routes':{'r':{'targets':['hosue/m']}}}",
      "{'providers':[{'name':'a','type':'opnai'}]}",
      "{'providers':[" HOUSE "," HOUSE "]}",
      "{'providers':[{'name':'a','type':'openai','base_url':'h'}]}",
      "{'providers':[{'name':'openai','api_key':['a','env:NONE']}]}",
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    run_short(use_everything, bad[i], INFER_E_CONFIG);
}

/* ---- Keys are wiped --------------------------------------------------------
 */

#define MARK "sk-MARKED"

static size_t marked_blocks;

/* Each block knows its size, so that it can be searched when given back. */
typedef struct sized_block {
  size_t size;
  max_align_t bytes[];
} sized_block;

static sized_block *
block_of(void *ptr)
{
  return (sized_block *)(void *)((char *)ptr - offsetof(sized_block, bytes));
}

static void *
wiping_malloc(size_t size, void *user_data)
{
  (void)user_data;
  sized_block *block = calloc(1, sizeof *block + size);
  if (!block)
    return NULL;
  block->size = size;
  return block->bytes;
}

static void
wiping_free(void *ptr, void *user_data)
{
  (void)user_data;
  if (!ptr)
    return;
  sized_block *block = block_of(ptr);
  marked_blocks += memmem(ptr, block->size, MARK, sizeof MARK - 1) != NULL;
  free(block);
}

/* Always moves: the old bytes stay behind in the heap, as they may with any
 * realloc(). */
static void *
wiping_realloc(void *old, size_t size, void *user_data)
{
  void *ptr = wiping_malloc(size, user_data);
  if (ptr && old) {
    size_t had = block_of(old)->size;
    memcpy(ptr, old, had < size ? had : size);
  }
  if (ptr)
    wiping_free(old, user_data);
  return ptr;
}

static void
keys_are_wiped(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "{'providers':[{'name':'openai','api_key':['" MARK "',{'key':"
      "'env:INFER_TEST_KEY'},'FILE'],'headers':{'x-api-key':'" MARK "',"
      "'cookie':'env:INFER_TEST_KEY','X-1':'................................"
      "...............................................................'},"
      "'query':{'key':'" MARK "','sig':'env:INFER_TEST_KEY'},"
      "'proxy':'http://u:" MARK "@h','ca_file':'FILE'}]}",
      "{'providers':[{'name':'openai','api_key':'" MARK "','a':1}]}",
      "{'providers':[{'name':'openai','api_key':'" MARK "\\n'}]}",
      "{'providers':[{'name':'openai','api_key':['env:INFER_TEST_KEY',5]}]}",
      "{'api_key':'" MARK "','api_key':1}",
      "{'providers':'" MARK "'",
  };
  char *path = new_file(MARK "\n-----BEGIN ", sizeof MARK + 11);
  char *key_path = new_file(MARK, sizeof MARK - 1), name[700];
  setenv("INFER_TEST_KEY", MARK, 1);
  marked_blocks = 0;
  inf_mem_set_functions(wiping_malloc, wiping_realloc, wiping_free, NULL);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    char *json = filled_in(texts[i], path), *file;
    infer_config *source = NULL;
    inf_config *config = NULL;
    char *shown;
    file = new_file(json, strlen(json));
    snprintf(name, sizeof name, "file:%s", key_path);
    (void)infer_config_from_json(&source, json, INFER_NUL_TERMINATED, NULL);
    infer_config_free(source);
    if (infer_config_from_file(&source, file, NULL) == INFER_OK) {
      if (i == 0) {
        assert_int_equal(
            infer_config_set_string(source, "providers.b.api_key", MARK, NULL),
            INFER_OK);
        assert_int_equal(
            infer_config_set_string(source, "providers.b.api_key", name, NULL),
            INFER_OK);
        assert_int_equal(
            infer_config_set_string(source, "providers.b.type", "openai", NULL),
            INFER_OK);
        char *key = quoted("['" MARK "']");
        assert_int_equal(infer_config_set_json(source,
                                               "providers.openai.api_key", key,
                                               strlen(key), NULL),
                         INFER_OK);
        free(key);
      }
      int32_t status = inf_config_compile(source, &config, NULL);
      assert_int_equal(status, i == 0 ? INFER_OK : INFER_E_CONFIG);
      inf_config_unref(config);
      assert_int_equal(infer_config_json(source, &shown, NULL), INFER_OK);
      assert_null(strstr(shown, MARK));
      infer_text_free(shown);
      infer_config_free(source);
    }
    assert_int_equal(marked_blocks, 0);
    free(json);
    drop_file(file);
  }
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  unsetenv("INFER_TEST_KEY");
  drop_file(path);
  drop_file(key_path);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_option_makes_a_difference),
      cmocka_unit_test(no_option_is_left_out),
      cmocka_unit_test(tenants_have_weights),
      cmocka_unit_test(refuses_at_the_top),
      cmocka_unit_test(ignores_the_users_own),
      cmocka_unit_test(is_shared_by_reference),
      cmocka_unit_test(the_hash_is_of_all_but_secrets),
      cmocka_unit_test(everything_has_a_limit),
      cmocka_unit_test(texts_have_a_limit),
      cmocka_unit_test(bears_failing_allocations),
      cmocka_unit_test(bears_failing_allocations_in_errors),
      cmocka_unit_test(keys_are_wiped),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
