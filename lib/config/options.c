/* SPDX-License-Identifier: MIT */
/* The table of options: each stands here once, with its type, range, default
 * and its line of the manual. Reading, checking, the redacted document and
 * the manual all go by it.
 *
 * An option enters the table together with what it does; what is not here is
 * an error that names its path. */
#include "config/options.h"

#include <stdio.h>

#define KIB  ((int64_t)1 << 10)
#define MIB  ((int64_t)1 << 20)
#define GIB  ((int64_t)1 << 30)
#define HOUR ((int64_t)3600 * 1000)

#define CLIENT(name, unit, low, high, number, field, text)           \
  {                                                                  \
    "client", name, INF_OPTION_INT, unit, low, high, number, "", "", \
        offsetof(inf_client_options, field), text                    \
  }
#define PROVIDER(name, type, number, words, choices, offset, text)         \
  {                                                                        \
    "provider", name, type, "", 0, 0, number, words, choices, offset, text \
  }
#define POLICY_INT(name, unit, low, high, number, field, text)       \
  {                                                                  \
    "policy", name, INF_OPTION_INT, unit, low, high, number, "", "", \
        offsetof(inf_route_params, field), text                      \
  }
/* Numbers in millionths. */
#define POLICY_DECIMAL(name, unit, low, high, number, words, field, text)   \
  {                                                                         \
    "policy", name, INF_OPTION_DECIMAL, unit, low, high, number, words, "", \
        offsetof(inf_route_params, field), text                             \
  }
#define MILLION ((int64_t)1000000)
#define POLICY_ENUM(name, choices, field, text)                \
  {                                                            \
    "policy", name, INF_OPTION_ENUM, "", 0, 0, 0, "", choices, \
        offsetof(inf_route_params, field), text                \
  }
#define POLICY_BOOL(name, number, field, text)                 \
  {                                                            \
    "policy", name, INF_OPTION_BOOL, "", 0, 0, number, "", "", \
        offsetof(inf_route_params, field), text                \
  }
#define OTHER(section, name, type, words, choices, offset, text)   \
  {                                                                \
    section, name, type, "", 0, 0, 0, words, choices, offset, text \
  }

#define BUDGET(name, type, low, high, number, words, choices, field, text) \
  {                                                                        \
    "budget", name, type, "", low, high, number, words, choices,           \
        offsetof(inf_budget_config, field), text                           \
  }

#define TARGET_INT(name, low, high, number, field, text)           \
  {                                                                \
    "target", name, INF_OPTION_INT, "", low, high, number, "", "", \
        offsetof(inf_target_config, field), text                   \
  }
#define TARGET_PRICE(name, field, text)                       \
  {                                                           \
    "target", name, INF_OPTION_DECIMAL, "", 0, INF_PRICE_MAX, \
        INF_PRICE_UNKNOWN, "not known", "",                   \
        offsetof(inf_target_config, field), text              \
  }

/* -1 stands for what is left out. */
#define LIMIT(field, high, text)                                            \
  {                                                                         \
    "provider", "limits." #field, INF_OPTION_INT, "", 0, high, -1,          \
        "the kind's", "", offsetof(inf_provider_config, limits.field), text \
  }
/* A hundred times what is sold in a day. */
#define UNITS_MAX 1000000000000

/* More than anybody spends; its nano-dollars fit. */
#define BUDGET_USD_MAX     ((int64_t)1000000000 * MILLION)

#define IN_PROVIDER(field) offsetof(inf_provider_config, field)
#define IN_ENDPOINT(field) offsetof(inf_provider_config, endpoint.field)
#define APART              INF_OPTION_APART

static const inf_option options[] = {
    CLIENT("threads", "", 0, 1, 1, threads,
           "loop threads of the client; 0: the application drives it"),
    CLIENT("delivery_interval_ms", "ms", 0, 1000, 0, delivery_interval_ms,
           "collect events for so long before the reader is woken: fewer "
           "wake-ups for added delay"),
    CLIENT("max_response_bytes", "bytes", KIB, GIB, 64 * MIB,
           max_response_bytes, "longest answer, whole or assembled"),
    CLIENT("max_event_bytes", "bytes", 256, 64 * MIB, MIB, max_event_bytes,
           "longest event of a stream"),
    CLIENT("max_json_depth", "", 8, 512, 128, max_json_depth,
           "deepest JSON in an answer"),
    CLIENT("max_undelivered_bytes", "bytes", 4 * KIB, 64 * MIB, MIB,
           max_undelivered_bytes,
           "unread events of one call at which its transfer pauses"),
    CLIENT("max_paused_bytes", "bytes", 64 * KIB, 1024 * GIB, 256 * MIB,
           max_paused_bytes,
           "unread bytes of all paused calls together, those that libcurl "
           "holds included; beyond it the call that was paused first ends "
           "with INFER_E_LIMIT"),
    CLIENT("max_calls", "", 1, 1000000, 100000, max_calls,
           "calls in flight; more are refused with INFER_E_LIMIT"),
    CLIENT("max_waiting_calls", "", 0, 1000000, 1024, max_waiting_calls,
           "calls that wait for a limit; more are refused with "
           "INFER_E_LIMIT, those of the tenant first that has the most"),
    CLIENT("max_idle_connections", "", 0, 10000, 256, max_idle_connections,
           "connections kept open for later calls"),
    CLIENT("metrics_tenants", "", 0, 1000, 0, metrics_tenants,
           "tenants that statistics and metrics tell apart: so many, those "
           "first that call first"),

    OTHER("client", "telemetry.otlp.endpoint", INF_OPTION_STRING, "none", "",
          offsetof(inf_client_options, otlp.endpoint),
          "OpenTelemetry collector that spans and metrics go to, as OTLP/HTTP "
          "with JSON: the address before /v1/traces and /v1/metrics, such as "
          "http://localhost:4318"),
    OTHER("client", "telemetry.otlp.headers", INF_OPTION_STRING_MAP, "", "",
          APART,
          "headers for the collector; those that carry secrets may "
          "name them"),
    CLIENT("telemetry.otlp.interval_ms", "ms", 100, HOUR, 10000,
           otlp.interval_ms,
           "how often metrics are sent, and how long spans wait for others to "
           "be sent with"),
    CLIENT("telemetry.otlp.max_queue_bytes", "bytes", 64 * KIB, GIB, 4 * MIB,
           otlp.max_queue_bytes,
           "spans that wait for the collector; more are dropped and counted"),
    OTHER("client", "telemetry.otlp.semconv", INF_OPTION_ENUM, "",
          "environment v1.41 genai-head",
          offsetof(inf_client_options, otlp.semconv),
          "version of the OpenTelemetry conventions for generative AI that "
          "names are from; environment: v1.41, or genai-head where "
          "OTEL_SEMCONV_STABILITY_OPT_IN has gen_ai_latest_experimental"),
    OTHER("client", "telemetry.otlp.service_name", INF_OPTION_STRING,
          "unknown_service:libinfer", "",
          offsetof(inf_client_options, otlp.service_name),
          "service.name, by which the collector knows the application"),
    {"client", "telemetry.otlp.from_environment", INF_OPTION_BOOL, "", 0, 0, 0,
     "", "", offsetof(inf_client_options, otlp.from_environment),
     "endpoint, headers and service_name that are not given here are taken "
     "from OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS and "
     "OTEL_SERVICE_NAME"},

    OTHER("client", "tenants", INF_OPTION_JSON, "", "", APART,
          "object: tenant -> weight, 1 to 1000: its share where calls wait "
          "for a limit; others have 1"),

    OTHER("client", "budgets", INF_OPTION_TARGETS, "", "", APART,
          "what may be spent, see Budgets and docs/budgets.md"),
    OTHER("client", "budgets_file", INF_OPTION_STRING, "", "", APART,
          "file that keeps what was spent, so that a restart does not forget "
          "it; processes may share it. It cannot change in a reload"),

    BUDGET("name", INF_OPTION_STRING, 0, 0, 0, "required", "", name,
           "its name: what was spent is kept by it"),
    BUDGET("per", INF_OPTION_STRING, 0, 0, 0, "client", "", per,
           "who has it: \"client\": all calls together; \"route\", "
           "\"tenant\": each of them; \"tag:NAME\": all requests with the "
           "same value of that tag. Those without one have one together"),
    BUDGET("period", INF_OPTION_ENUM, 0, 0, INF_BUDGET_MONTH, "", "day month",
           period, "for how long"),
    BUDGET("usd", INF_OPTION_DECIMAL, 0, BUDGET_USD_MAX, -1, "no limit", "",
           usd, "dollars that may be spent in a period"),
    BUDGET("tokens", INF_OPTION_INT, 0, UNITS_MAX * 1000, -1, "no limit", "",
           tokens, "tokens of prompts and answers, together, in a period"),
    BUDGET("warn", INF_OPTION_DECIMAL, 0, MILLION, 800000, "", "", warn,
           "share of the limit at which to warn in the log, once in a period; "
           "0: never"),
    BUDGET("at_limit", INF_OPTION_ENUM, 0, 0, 0, "", "refuse cheaper", at_limit,
           "when an attempt may cost more than is left: the call ends with "
           "INFER_E_BUDGET; or another of its targets is asked for which "
           "there is enough, and only without one it ends"),
    BUDGET("without_price", INF_OPTION_ENUM, 0, 0, 0, "", "refuse allow",
           without_price,
           "with usd: whether a target may be asked whose price is not "
           "known. What it costs is then not counted, its tokens are"),
    BUDGET("utc_offset_minutes", INF_OPTION_INT, -840, 840, 0, "", "",
           utc_offset_minutes,
           "when its days begin: so many minutes before midnight UTC"),

    PROVIDER("name", INF_OPTION_STRING, 0, "required", "", IN_PROVIDER(name),
             "its name: letters, digits, dots, dashes and underscores, at "
             "most 64"),
    PROVIDER("type", INF_OPTION_STRING, 0, "its name", "", APART,
             "its kind in the catalogue; left out, the name must be one"),
    PROVIDER("base_url", INF_OPTION_STRING, 0, "the kind's", "", APART,
             "address of the API: http or https, without user, query and "
             "fragment"),
    PROVIDER(
        "api_key", INF_OPTION_SECRET_LIST, 0,
        "the kind's variable, without base_url", "", APART,
        "a key, or an array of keys: when one is refused or spent, the next "
        "one steps in. An element may be an object, see Keys"),
    PROVIDER("google_credentials", INF_OPTION_SECRET, 0,
             "GOOGLE_APPLICATION_CREDENTIALS, for Vertex AI without api_key "
             "and base_url",
             "", APART,
             "a Google service account in place of api_key: \"file:PATH\" of "
             "its JSON, \"env:NAME\" of a variable with that path or the JSON "
             "itself. Access tokens are had for it, kept, and renewed ahead "
             "of their end. See docs/credentials.md"),
    PROVIDER("organization", INF_OPTION_STRING, 0, "", "", APART,
             "organization of those keys that name none"),
    PROVIDER("project", INF_OPTION_STRING, 0, "", "", APART,
             "project of those keys that name none; of Vertex AI: the project "
             "in its address, else that of the service account, else "
             "GOOGLE_CLOUD_PROJECT"),
    PROVIDER("auth_scheme", INF_OPTION_STRING, 0, "the kind's", "", APART,
             "word before the key in the Authorization header; \"none\": no "
             "such header"),
    PROVIDER("region", INF_OPTION_STRING, 0,
             "AWS_REGION, GOOGLE_CLOUD_LOCATION", "", IN_PROVIDER(region),
             "region of a service that has some (Bedrock, Vertex AI): part "
             "of its address and of what is signed. With base_url: the one "
             "named there, where there is one"),
    PROVIDER("labels", INF_OPTION_STRING_LIST, 0, "", "", IN_PROVIDER(labels),
             "what routes and requests may require of a provider"),
    PROVIDER("headers", INF_OPTION_STRING_MAP, 0, "", "", APART,
             "HTTP headers to add; the value of one that carries a secret "
             "(x-api-key, cookie, ...) may be given like a key"),
    PROVIDER("query", INF_OPTION_STRING_MAP, 0, "", "", APART,
             "query parameters to add to each address; they are encoded"),
    PROVIDER("body", INF_OPTION_JSON, 0, "", "", APART,
             "members to add to each request for a chat; the request's own "
             "win. Requests for embeddings have embed_body"),
    PROVIDER("models", INF_OPTION_STRING_MAP, 0, "", "", APART,
             "aliases: name in requests -> the provider's name; or an array "
             "of names that this provider claims"),
    PROVIDER("prices", INF_OPTION_JSON, 0, "", "", APART,
             "object: model -> prices, as a target's price: what its models "
             "cost where the target does not say; \"*\": any other model"),
    PROVIDER("upstream", INF_OPTION_ENUM, 0, "", "default stream unary",
             IN_PROVIDER(upstream),
             "how its models are asked where neither target nor route says"),
    PROVIDER("prefill", INF_OPTION_ENUM, 0, "",
             "default none assistant prefix continue_final_message",
             IN_PROVIDER(prefill),
             "how its models are given a partial answer to go on from, see "
             "recovery: as a last message of the assistant, as one with "
             "\"prefix\": true (Mistral, DeepSeek), or with the member "
             "continue_final_message (vLLM, SGLang); none: they cannot; "
             "default: as its kind can"),
    PROVIDER("catalogue", INF_OPTION_ENUM, 0, "", "default on off",
             IN_PROVIDER(catalogue),
             "whether contexts, limits, abilities and prices of its models "
             "are taken from the catalogue of models where a target does not "
             "say; default: if base_url is its kind's own. See docs/models.md"),
    PROVIDER("proxy", INF_OPTION_STRING, 0, "the environment's", "", APART,
             "address of a proxy; \"none\": no proxy. Left out: https_proxy, "
             "HTTPS_PROXY, http_proxy (lower case only), all_proxy, ALL_PROXY "
             "except for hosts in no_proxy, NO_PROXY; never for a Unix "
             "socket"),
    PROVIDER("ca_file", INF_OPTION_STRING, 0, "the system's", "",
             IN_ENDPOINT(ca_file), "PEM file with the CAs to trust"),
    PROVIDER("ca_pem", INF_OPTION_STRING, 0, "the system's", "", APART,
             "the same as text, or given like a key"),
    PROVIDER("client_cert", INF_OPTION_STRING, 0, "", "",
             IN_ENDPOINT(client_cert), "PEM file with the client certificate"),
    PROVIDER("client_key", INF_OPTION_STRING, 0, "client_cert", "",
             IN_ENDPOINT(client_key), "PEM file with its key"),
    PROVIDER("traceparent", INF_OPTION_BOOL, 1, "", "",
             IN_PROVIDER(traceparent),
             "tell it of traces: the headers traceparent and tracestate, where "
             "a request has them or telemetry.otlp is on"),
    PROVIDER("tls_verify", INF_OPTION_BOOL, 1, "", "", IN_ENDPOINT(tls_verify),
             "false accepts any certificate: for tests only"),
    PROVIDER("unix_socket", INF_OPTION_STRING, 0, "", "",
             IN_ENDPOINT(unix_socket),
             "absolute path of a socket to connect to instead of TCP"),
    PROVIDER("resolve", INF_OPTION_STRING_LIST, 0, "", "", APART,
             "fixed addresses, each \"host:port:address\""),
    PROVIDER("compression", INF_OPTION_BOOL, 1, "", "",
             IN_ENDPOINT(compression), "offer gzip"),
    PROVIDER("http_version", INF_OPTION_ENUM, 0, "", "auto 1.1", APART,
             "auto: HTTP/2 where the server has it"),

    PROVIDER("warm_path", INF_OPTION_STRING, 0, "", "", IN_PROVIDER(warm_path),
             "path on the server, as in \"/health\", of a GET that costs "
             "nothing: to have a connection ready it is sent, without a key. "
             "Without one only HTTP/2 can be kept ready"),

    {"provider", "embed_inputs", INF_OPTION_INT, "", 0, 100000, 0, "the kind's",
     "", IN_PROVIDER(embed_inputs),
     "texts that one request for embeddings may hold: of a server of your own "
     "what it was started with. A call with more of them is cut into parts; 0: "
     "as docs/embeddings.md has it for the kind"},
    PROVIDER("embed_body", INF_OPTION_JSON, 0, "", "", APART,
             "members to add to each request for embeddings, named as in "
             "infer_embed(); the request's own win. As in {\"truncate\": "
             "\"END\"}"),

    LIMIT(requests_per_second, UNITS_MAX,
          "requests that each key may send in a second: calls wait for "
          "their turn, or go to another target. 0: no such limit, here and "
          "below. See docs/limiting.md"),
    LIMIT(requests_per_minute, UNITS_MAX, "the same in a minute"),
    LIMIT(requests_per_day, UNITS_MAX, "the same in a day"),
    LIMIT(tokens_per_second, UNITS_MAX,
          "tokens of prompts and answers in a second: estimated before the "
          "request is sent, settled by what the provider says it used"),
    LIMIT(tokens_per_minute, UNITS_MAX, "the same in a minute"),
    LIMIT(tokens_per_day, UNITS_MAX, "the same in a day"),
    LIMIT(input_tokens_per_minute, UNITS_MAX, "tokens of prompts alone"),
    LIMIT(output_tokens_per_minute, UNITS_MAX, "tokens of answers alone"),
    LIMIT(concurrency, 1000000, "requests of a key under way at the same time"),
    PROVIDER("limits.scope", INF_OPTION_ENUM, 0, "", "default model key",
             IN_PROVIDER(limits.scope),
             "what these limits count together: each model of a key by "
             "itself, or all models of a key; default: as its kind does"),

    OTHER("key", "key", INF_OPTION_SECRET, "required", "", APART,
          "\"env:NAME\", \"file:PATH\", or the key itself"),
    OTHER("key", "organization", INF_OPTION_STRING, "the provider's", "",
          offsetof(inf_key, organization), "organization that it is for"),
    OTHER("key", "project", INF_OPTION_STRING, "the provider's", "",
          offsetof(inf_key, project), "project that it is for"),

    OTHER("route", "targets", INF_OPTION_TARGETS, "required", "", APART,
          "\"provider/model\", or objects, see Targets; tried in this order"),
    OTHER("route", "require_labels", INF_OPTION_STRING_LIST, "", "",
          offsetof(inf_route_config, require_labels),
          "only providers with all of these labels may serve the route"),
    OTHER("route", "sticky", INF_OPTION_STRING, "", "",
          offsetof(inf_route_config, sticky),
          "with strategy weighted: who always goes to the same target. "
          "\"tenant\": each tenant; \"tag:NAME\": all requests with the same "
          "value of that tag. Those without one are drawn"),

    OTHER("target", "target", INF_OPTION_STRING, "required", "",
          offsetof(inf_target_config, name), "\"provider/model\""),
    OTHER("target", "upstream", INF_OPTION_ENUM, "", "default stream unary",
          offsetof(inf_target_config, upstream),
          "how this target is asked; default: as the route says"),
    OTHER("target", "prefill", INF_OPTION_ENUM, "",
          "default none assistant prefix continue_final_message",
          offsetof(inf_target_config, prefill),
          "how this target is given a partial answer; default: as the "
          "provider says"),

    TARGET_INT("weight", 0, INF_ROUTE_WEIGHT_MAX, 1, weight,
               "with strategy weighted: its share of the calls is its weight "
               "over the sum of all; 0: only when no other can"),
    TARGET_PRICE("price.input", price.input,
                 "dollars for a million tokens of prompts"),
    TARGET_PRICE("price.output", price.output,
                 "dollars for a million tokens of answers"),
    TARGET_PRICE("price.cache_read", price.cache_read,
                 "the same of what was read from the provider's cache; left "
                 "out, here and below: as the whole"),
    TARGET_PRICE("price.cache_write", price.cache_write,
                 "of what was written to its cache"),
    TARGET_PRICE("price.reasoning", price.reasoning,
                 "of the reasoning in answers"),
    TARGET_PRICE("price.audio_input", price.audio_input, "of audio in prompts"),
    TARGET_PRICE("price.audio_output", price.audio_output,
                 "of audio in answers"),
    TARGET_INT("context_tokens", 0, 1000000000, 0, context_tokens,
               "longest prompt and answer together; 0: not known. A prompt "
               "that is longer is not sent there, and one that is too long "
               "elsewhere is"),
    TARGET_INT("output_tokens", 0, 1000000000, 0, output_tokens,
               "longest answer: a request that allows more is sent with this "
               "limit; 0: not known"),
    OTHER("target", "lacks", INF_OPTION_STRING_LIST, "",
          "tools vision json_schema", APART,
          "what it cannot do: requests that need it are not sent there"),
    OTHER("target", "overrides", INF_OPTION_JSON, "", "", APART,
          "members of the request that this target gets in place of the "
          "request's own, null: not at all; and \"system_prompt\", a text. As "
          "in {\"temperature\": 1, \"reasoning_effort\": \"low\"}"),

    POLICY_ENUM("strategy", "order weighted latency cost", strategy,
                "which target is asked first: as they are listed, by weight, "
                "the one that would answer soonest, or the cheapest; the "
                "others follow for failover. See docs/routing.md"),
    POLICY_INT("cost.max_first_token_ms", "ms", 0, 600000, 0,
               cost_max_first_token_ms,
               "with strategy cost: the cheapest of the targets that are "
               "expected to show their first content by then; 0: of all"),
    POLICY_DECIMAL("max_price.input", "", 0, INF_PRICE_MAX, INF_PRICE_UNKNOWN,
                   "any", max_input_price,
                   "dollars for a million tokens of prompts: targets that "
                   "cost more, or whose price is not given, are not asked"),
    POLICY_DECIMAL("max_price.output", "", 0, INF_PRICE_MAX, INF_PRICE_UNKNOWN,
                   "any", max_output_price, "the same for answers"),
    POLICY_INT("retries", "", 0, 10, 2, retries,
               "attempts of a call beyond one for each target"),
    POLICY_INT("stay.retries", "", 0, 10, 1, stay_retries,
               "of those, on one target before the next is tried"),
    POLICY_INT("stay.max_wait_ms", "ms", 0, 120000, 1000, stay_max_wait_ms,
               "longest wait for the same target; if it is longer, the next "
               "target is tried at once"),
    POLICY_ENUM("recovery", "error restart continue", recovery,
                "when an answer breaks off that the caller has begun to "
                "read: an error, a restart from the beginning, or the rest "
                "from another target, where one takes a prefill and the "
                "answer is plain text; else a restart"),
    POLICY_BOOL(
        "keep_warm", 0, keep_warm,
        "while the client is in use, have a connection ready to the "
        "target that is asked first and to the next one, or to four where "
        "the strategy is not order; so it is, too, where hedge stands, and "
        "to the target that a hedge would go to"),
    POLICY_DECIMAL("hedge.budget", "", 0, MILLION / 2, 0,
                   "0, no hedges; 0.05 where hedge stands", hedge_budget,
                   "second attempts while the first is silent: what those "
                   "that lose may cost, as a share of what calls cost. See "
                   "docs/hedging.md"),
    POLICY_DECIMAL("hedge.percentile", "", 50 * MILLION, 99900000, 95 * MILLION,
                   "", hedge_percentile,
                   "the percentile of the time to the first content that "
                   "hedges are to make smaller"),
    POLICY_INT("hedge.min_delay_ms", "ms", 0, 600000, 10, hedge_min_delay_ms,
               "no hedge is sent sooner"),
    POLICY_ENUM("race_on", "content answer", race_on,
                "which of two attempts wins: the one with content first, "
                "reasoning included, or with the first of the answer itself"),
    POLICY_BOOL("breaker", 1, breaker,
                "do not ask a target that has just failed again and again, "
                "until a probe finds it well: docs/breaker.md"),
    POLICY_BOOL("retry_budget", 1, retry_budget,
                "attempts beyond the first are paid from a budget that "
                "successes fund, so that an outage makes no storm of retries"),
    POLICY_ENUM("upstream", "default stream unary", upstream,
                "how targets are asked: streamed, or for one whole body; "
                "default: as the provider says, else streamed"),
    OTHER("policy", "failover_on", INF_OPTION_STRING_LIST, "",
          "content_filter tls_verify", APART,
          "failures that are final unless named here: refused content, an "
          "untrusted certificate"),
    POLICY_INT("timeouts.connect_ms", "ms", 1, 24 * HOUR, 5000,
               timeouts.connect_ms, "name lookup, TCP and TLS"),
    POLICY_INT("timeouts.first_token_ms", "ms", 1, 24 * HOUR, 30000,
               timeouts.first_token_ms, "from the send to the first content"),
    POLICY_INT("timeouts.idle_ms", "ms", 1, 24 * HOUR, 30000, timeouts.idle_ms,
               "silence within an answer"),
    POLICY_INT("timeouts.attempt_ms", "ms", 1, 24 * HOUR, 600000,
               timeouts.attempt_ms, "one attempt, start to end"),
    POLICY_INT("timeouts.deadline_ms", "ms", 1, 24 * HOUR, 600000,
               timeouts.deadline_ms, "the whole call"),
};

size_t
inf_option_count(void)
{
  return sizeof options / sizeof options[0];
}

const inf_option *
inf_option_at(size_t index)
{
  return index < inf_option_count() ? &options[index] : NULL;
}

static bool
in_group(inf_sv path, inf_sv group)
{
  return path.len > group.len && path.ptr[group.len] == '.' &&
         inf_sv_starts_with(path, group);
}

const inf_option *
inf_option_find(const char *section, inf_sv group, inf_sv name)
{
  for (size_t i = 0; i < inf_option_count(); i++) {
    inf_sv path = inf_sv_from(options[i].name);
    if (strcmp(options[i].section, section) != 0)
      continue;
    if (group.len > 0) {
      if (!in_group(path, group))
        continue;
      path = inf_sv_of(path.ptr + group.len + 1, path.len - group.len - 1);
    }
    if (inf_sv_eq(path, name) && inf_sv_find(name, '.') == name.len)
      return &options[i];
  }
  return NULL;
}

bool
inf_option_is_group(const char *section, inf_sv name)
{
  for (size_t i = 0; i < inf_option_count(); i++)
    if (strcmp(options[i].section, section) == 0 &&
        in_group(inf_sv_from(options[i].name), name))
      return true;
  return false;
}

const char *
inf_option_decimal(int64_t millionths, char text[INF_DECIMAL_TEXT])
{
  size_t len = (size_t)snprintf(text, INF_DECIMAL_TEXT, "%lld.%06lld",
                                (long long)(millionths / MILLION),
                                (long long)(millionths % MILLION));
  while (text[len - 1] == '0')
    len--;
  if (text[len - 1] == '.')
    len--;
  text[len] = '\0';
  return text;
}

inf_sv
inf_option_choice(const inf_option *option, size_t index)
{
  inf_sv rest = inf_sv_from(option->choices);
  for (;;) {
    size_t len = inf_sv_find(rest, ' ');
    if (index == 0 || len == rest.len)
      return index == 0 ? inf_sv_of(rest.ptr, len) : INF_SV("");
    rest = inf_sv_of(rest.ptr + len + 1, rest.len - len - 1);
    index--;
  }
}

int32_t
inf_option_choice_index(const inf_option *option, inf_sv word)
{
  for (int32_t i = 0;; i++) {
    inf_sv choice = inf_option_choice(option, (size_t)i);
    if (choice.len == 0)
      return -1;
    if (inf_sv_eq(choice, word))
      return i;
  }
}

bool
inf_option_is_private(inf_sv name)
{
  return inf_sv_starts_with(name, INF_SV("x-"));
}
