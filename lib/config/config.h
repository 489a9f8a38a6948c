/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_CONFIG_H
#define INF_CONFIG_CONFIG_H

#include "base/log.h"
#include "config/model_facts.h"
#include "infer/infer.h"
#include "policy/budget.h"
#include "policy/params.h"
#include "policy/price.h"
#include "policy/route_weighted.h"
#include "provider/plugin.h"
#include "transport/transport.h"

/* The configuration as the engine uses it: checked, complete, unchanged for
 * its whole life and shared by reference count. It is made from the public
 * infer_config, a JSON document, by the table of options in options.c: that
 * table alone knows names, types, units, ranges, defaults and manual texts.
 *
 * Layout of the document:
 *   top level     options of the client, plus:
 *   "providers"   array of objects, each with a "name"
 *   "routes"      object: route name -> object with "targets"
 *   "defaults"    object: the same policy options as a route; they hold for
 *                 every route that does not say otherwise and for requests
 *                 that name a provider and model directly
 * Members that begin with "x-" are the user's own, on every level. */

/* Does the catalogue of models hold for a provider? DEFAULT: if the address is
 * that of its kind, or the kind has none. Another one is a server of one's own,
 * a gateway or a region, with other models and prices. */
typedef enum inf_catalogue {
  INF_CATALOGUE_DEFAULT,
  INF_CATALOGUE_ON,
  INF_CATALOGUE_OFF,
} inf_catalogue;
/* Where a credential that expires comes from. */
typedef enum inf_key_source {
  INF_KEY_GIVEN,    /* it does not: the secret is what is sent */
  INF_KEY_GOOGLE,   /* a service account: provider/google_token.h */
  INF_KEY_CALLBACK, /* the application, which is asked by a hook */
} inf_key_source;

/* infer_config_set_token_source(). */
typedef struct inf_token_hook {
  void (*fn)(struct infer_token_request *request, void *user_data);
  void *user_data;
} inf_token_hook;

typedef struct inf_token_source {
  struct inf_token_source *next;
  char *provider;
  inf_token_hook hook;
} inf_token_source;

typedef struct inf_key {
  char *secret; /* NUL-terminated; wiped when freed */
  size_t secret_len;
  char *organization; /* or NULL */
  char *project;
  uint64_t fingerprint; /* hash of the secret: the key's name across reloads */
  /* Of a key that is made of something else, and has no secret. */
  inf_key_source source;
  char *account; /* GOOGLE: the service account's JSON; wiped when freed */
  size_t account_len;
  char *token_uri; /* GOOGLE: where tokens are had */
  inf_token_hook hook;
} inf_key;

typedef struct inf_alias {
  char *name, *model;
} inf_alias;

/* A provider's limits, of each of its keys; 0: none. */
typedef struct inf_provider_limits {
  int64_t requests_per_second, requests_per_minute, requests_per_day;
  int64_t tokens_per_second, tokens_per_minute, tokens_per_day;
  int64_t input_tokens_per_minute, output_tokens_per_minute;
  int64_t concurrency; /* requests under way at the same time */
  int32_t scope;       /* inf_limit_scope; once compiled never DEFAULT */
} inf_provider_limits;

/* What a model costs that a provider is told to have. */
typedef struct inf_model_price {
  char *model; /* or "*": any other */
  inf_price price;
} inf_model_price;

typedef struct inf_provider_config {
  char *name;
  const inf_provider_kind *kind;
  char *base_url; /* without a slash at its end */
  char *auth_scheme;
  char *region;    /* or NULL: see region.h */
  char *warm_path; /* on the server, from its root; or NULL: the kind's */
  inf_key *keys;   /* key_count is 0 for a provider without keys */
  size_t key_count;
  char **labels;
  size_t label_count;
  inf_buf headers;    /* "Name: value" lines, each NUL-terminated */
  inf_buf query;      /* encoded */
  inf_buf body;       /* JSON object or empty */
  inf_buf embed_body; /* the same, of requests for embeddings */
  inf_alias *aliases;
  size_t alias_count;
  inf_model_price *prices;
  size_t price_count;
  inf_endpoint endpoint; /* its strings are owned by this provider */
  /* The same without what belongs to the provider's own server: the way to who
   * gives out its tokens. Has no strings of its own. */
  inf_endpoint token_endpoint;
  int32_t upstream;     /* inf_upstream */
  int32_t prefill;      /* inf_prefill */
  int64_t embed_inputs; /* of one request; 0: as the kind's */
  inf_provider_limits limits;
  bool limited;          /* one of them is not 0 */
  bool from_environment; /* found by its key variable, not configured */
  bool traceparent;      /* it is told of traces */
  int32_t catalogue;     /* inf_catalogue */
  /* What is known of its models; NULL: nothing, or it does not hold here. */
  const inf_model_table *models;
  const inf_token_source *token_sources; /* all; while it is compiled */
} inf_provider_config;

/* What a target cannot do, as bits. */
enum {
  INF_LACKS_TOOLS = 1,
  INF_LACKS_VISION = 2,
  INF_LACKS_JSON_SCHEMA = 4,
};

/* How a model wants to be asked, as bits; see fit.h. */
enum {
  INF_MANNERS_COMPLETION_LIMIT = 1, /* max_tokens by its other name */
  INF_MANNERS_NO_SAMPLING = 2,
  /* The same where reasoning_effort is given and not "none". */
  INF_MANNERS_NO_SAMPLING_BY_EFFORT = 4,
};

typedef struct inf_target_config {
  const inf_provider_config *provider;
  char *model;      /* alias resolved: what goes to the provider */
  char *name;       /* "provider/model" as configured */
  int32_t upstream; /* inf_upstream, of target, else route, else provider */
  int32_t prefill;  /* inf_prefill, of target, else provider, else kind */
  int64_t weight;   /* for strategy weighted */
  inf_price price;  /* see compile_price.h */
  int64_t context_tokens; /* of prompt and answer together; 0: not known */
  uint32_t lacks;         /* INF_LACKS_* */
  bool lacks_said;        /* in the configuration, be it nothing */
  /* Longest answer; what a request allows beyond it is lowered. 0: not known */
  int64_t output_tokens;
  uint32_t manners; /* INF_MANNERS_*, of the catalogue */
  /* A longer prompt costs more than price says; 0: none does. */
  int64_t price_up_to_tokens;
  int32_t price_times_beyond; /* at most so many times, then */
  /* Members of the request that this target has otherwise: a JSON object, null
   * for those that it does not get, or empty. */
  inf_buf overrides;
  char *system_prompt; /* in place of the request's, as JSON; or NULL */
} inf_target_config;

typedef struct inf_route_config {
  char *name; /* "" for a request that names a target directly */
  inf_target_config *targets;
  size_t target_count;
  inf_route_params params;
  char **require_labels;
  size_t require_label_count;
  char *sticky; /* "tenant", or "tag:NAME"; NULL: by chance */
} inf_route_config;

/* The collector that telemetry is sent to. */
typedef struct inf_otlp_options {
  char *endpoint;     /* without a slash at its end; NULL: none */
  char *service_name; /* or NULL */
  inf_buf headers; /* "Name: value" lines, each NUL-terminated, all of them */
  inf_endpoint network;
  int64_t interval_ms;     /* default 10 s */
  int64_t max_queue_bytes; /* default 4 MiB */
  int32_t semconv;         /* inf_semconv, once compiled */
  bool from_environment;   /* the standard variables are looked at */
} inf_otlp_options;

typedef struct inf_client_options {
  int64_t threads; /* 0 or 1 */
  int64_t delivery_interval_ms;
  int64_t max_response_bytes;    /* default 64 MiB */
  int64_t max_event_bytes;       /* default 1 MiB */
  int64_t max_json_depth;        /* default 128 */
  int64_t max_undelivered_bytes; /* per call, default 1 MiB */
  int64_t max_paused_bytes;      /* of all calls, default 256 MiB */
  int64_t max_calls;             /* in flight, default 100000 */
  int64_t max_waiting_calls;     /* for limits, default 1024 */
  int64_t max_idle_connections;  /* default 256 */
  int64_t metrics_tenants;       /* told apart, default 0 */
  inf_otlp_options otlp;
} inf_client_options;

/* Its share where calls wait for a limit; that of any other is 1. */
typedef struct inf_tenant {
  char *name;
  uint32_t weight;
} inf_tenant;

/* So many budgets may one configuration have. */
#define INF_BUDGETS_MAX 16

typedef enum inf_budget_kind {
  INF_BUDGET_PER_CLIENT,
  INF_BUDGET_PER_ROUTE,
  INF_BUDGET_PER_TENANT,
  INF_BUDGET_PER_TAG,
} inf_budget_kind;

typedef struct inf_budget_config {
  char *name, *per;    /* per: as it was given, or NULL: "client" */
  int64_t usd, tokens; /* usd in millionths; below 0: no limit */
  int64_t warn;        /* in millionths */
  int64_t utc_offset_minutes;
  int32_t period;        /* inf_budget_period */
  int32_t at_limit;      /* 1: a cheaper target, where there is one */
  int32_t without_price; /* 1: a target that has none is allowed */
  int32_t kind;          /* inf_budget_kind */
  inf_budget_rule rule;  /* of all that */
} inf_budget_config;

typedef struct inf_config {
  inf_client_options client;
  inf_budget_config *budgets;
  size_t budget_count;
  char *budgets_file; /* or NULL */
  inf_tenant *tenants;
  size_t tenant_count;
  inf_provider_config *providers;
  size_t provider_count;
  inf_route_config *routes;
  size_t route_count;
  inf_route_params defaults;
  uint64_t hash; /* of everything but secrets */
  inf_plugins plugins;
} inf_config;

/* infer_config_set_budget_store(); load NULL: there is none. */
typedef struct inf_budget_hooks {
  int32_t (*load)(char *data, size_t capacity, size_t *len, void *user_data);
  int32_t (*save)(const char *data, size_t len, void *user_data);
  void *user_data;
} inf_budget_hooks;

/* What the public handle holds: the document (or tree) and the hooks. Defined
 * in builder.c; the accessors serve lib/api. */
typedef struct inf_config_hooks {
  inf_log log;
  void (*on_attempt)(const infer_call *call, const infer_attempt *attempt,
                     void *user_data);
  void (*on_call)(const infer_call *call, const infer_response *response,
                  const infer_error *error, void *user_data);
  void *telemetry_user_data;
  inf_budget_hooks budgets;
} inf_config_hooks;

const inf_config_hooks *inf_config_hooks_of(const infer_config *config);
/* A list; NULL: none. */
const inf_token_source *inf_config_token_sources_of(const infer_config *config);

/* Compiles the document (NULL: an empty one) into *out: checks everything,
 * reads secrets, CA files and the environment. Errors in *error. */
int32_t inf_config_compile(const infer_config *source, inf_config **out,
                           infer_error **error);
inf_config *inf_config_ref(inf_config *config); /* atomic */
void inf_config_unref(inf_config *config);      /* atomic; NULL is harmless */

/* Finds what a request's model name means (DESIGN section 3, "Names"): a
 * route, or one target, for which *route becomes a new route object of its
 * own. It must be released by inf_config_release_route(), before the config.
 * INFER_E_CONFIG with the choices listed if nothing or too much fits. */
int32_t inf_config_resolve(const inf_config *config, inf_sv model,
                           const inf_route_config **route, infer_error **error);
void inf_config_release_route(const inf_config *config,
                              const inf_route_config *route);
const inf_provider_config *inf_config_provider(const inf_config *config,
                                               inf_sv name);

/* ---- The option table ---------------------------------------------------- */

typedef enum inf_option_type {
  INF_OPTION_BOOL,
  INF_OPTION_INT,
  INF_OPTION_DECIMAL, /* kept in millionths; so are its bounds and default */
  INF_OPTION_STRING,
  INF_OPTION_SECRET,      /* a string that names where the secret is */
  INF_OPTION_SECRET_LIST, /* one, or an array; elements may be objects */
  INF_OPTION_STRING_LIST,
  INF_OPTION_STRING_MAP,
  INF_OPTION_JSON, /* any object */
  INF_OPTION_ENUM,
  INF_OPTION_TARGETS,
} inf_option_type;

typedef struct inf_option {
  /* "client", "budget", "provider", "key", "route", "target", or "policy": what
   * a route and "defaults" have in common. */
  const char *section;
  const char *name; /* path within the section: "timeouts.connect_ms" */
  inf_option_type type;
  const char *unit; /* "ms", "bytes", "" */
  int64_t minimum, maximum;
  int64_t default_number;
  const char *default_text; /* for other types; "" for none */
  const char *choices;      /* ENUM: words separated by spaces, in order */
  size_t offset;            /* in the section's struct; or options.h */
  const char *text;         /* the manual's line */
} inf_option;

size_t inf_option_count(void);
const inf_option *inf_option_at(size_t index);

#endif
