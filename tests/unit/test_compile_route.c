/* SPDX-License-Identifier: MIT */
#include "config_util.h"
#include "support/noisy_plugin.h"

#include "config/compile_route.h"

#define OTHER                                                                 \
  "{'name':'other','type':'openai','base_url':'http://o','upstream':'unary'," \
  "'models':{'kimi':'https://c/m/k'}}"
#define PROVIDERS "'providers':[" HOUSE "," OTHER "]"

static inf_config *
with_routes(const char *members)
{
  char text[4000];
  snprintf(text, sizeof text, "{" PROVIDERS ",%s}", members);
  return compiled(text);
}

static void
route_refused(const char *members, const char *message)
{
  char text[4000];
  snprintf(text, sizeof text, "{" PROVIDERS ",%s}", members);
  refused(text, message);
}

static void
takes_targets(void **state)
{
  (void)state;
  inf_config *config =
      with_routes("'routes':{'fast':{'targets':['house/org/model','other/kimi',"
                  "{'target':'house/b','upstream':'unary'}]}}");
  const inf_route_config *route = &config->routes[0];
  assert_int_equal(config->route_count, 1);
  assert_string_equal(route->name, "fast");
  assert_int_equal(route->target_count, 3);
  assert_ptr_equal(route->targets[0].provider, &config->providers[0]);
  assert_string_equal(route->targets[0].model, "org/model");
  assert_string_equal(route->targets[0].name, "house/org/model");
  assert_int_equal(route->targets[0].upstream, INF_UPSTREAM_DEFAULT);
  assert_string_equal(route->targets[1].model, "https://c/m/k");
  assert_string_equal(route->targets[1].name, "other/kimi");
  assert_int_equal(route->targets[1].upstream, INF_UPSTREAM_UNARY);
  assert_int_equal(route->targets[2].upstream, INF_UPSTREAM_UNARY);
  assert_int_equal(route->require_label_count, 0);
  inf_config_unref(config);
}

static void
the_nearest_says_how_to_ask(void **state)
{
  (void)state;
  inf_config *config = with_routes(
      "'defaults':{'upstream':'stream'},'routes':{"
      "'a':{'targets':['other/m',{'target':'house/m','upstream':'unary'}]},"
      "'b':{'upstream':'default','targets':['other/m','house/m']}}");
  assert_int_equal(config->defaults.upstream, INF_UPSTREAM_STREAM);
  assert_int_equal(config->routes[0].targets[0].upstream, INF_UPSTREAM_STREAM);
  assert_int_equal(config->routes[0].targets[1].upstream, INF_UPSTREAM_UNARY);
  assert_int_equal(config->routes[1].targets[0].upstream, INF_UPSTREAM_UNARY);
  assert_int_equal(config->routes[1].targets[1].upstream, INF_UPSTREAM_DEFAULT);
  inf_config_unref(config);
}

static void
routes_begin_with_the_defaults(void **state)
{
  (void)state;
  inf_config *config = with_routes(
      "'routes':{'a':{'targets':['house/m'],'retries':5,'stay':{'retries':0},"
      "'timeouts':{'idle_ms':7}},'b':{'targets':['house/m'],"
      "'failover_on':[]},'x-note':'mine'},"
      "'defaults':{'retries':3,'timeouts':{'idle_ms':9,'connect_ms':11},"
      "'failover_on':['tls_verify','content_filter'],'recovery':'restart'}");
  const inf_route_params *a = &config->routes[0].params;
  const inf_route_params *b = &config->routes[1].params;
  assert_int_equal(config->route_count, 2);
  assert_int_equal(a->retries, 5);
  assert_int_equal(a->stay_retries, 0);
  assert_int_equal(a->timeouts.idle_ms, 7);
  assert_int_equal(a->timeouts.connect_ms, 11);
  assert_int_equal(a->recovery, INF_RECOVERY_RESTART);
  assert_true(a->failover_content_filter);
  assert_true(a->failover_tls_verify);
  assert_int_equal(b->retries, 3);
  assert_int_equal(b->timeouts.idle_ms, 9);
  assert_false(b->failover_content_filter);
  assert_false(b->failover_tls_verify);
  assert_int_equal(config->defaults.retries, 3);
  inf_config_unref(config);
}

/* The budget of a route, in millionths, where defaults and the route say these
 * about hedges ("": nothing). */
static void
expect_budget(const char *defaults, const char *route, int64_t of_defaults,
              int64_t of_route)
{
  char members[500];
  snprintf(members, sizeof members,
           "'defaults':{'retries':3%s},"
           "'routes':{'r':{'targets':['house/m']%s}}",
           defaults, route);
  inf_config *config = with_routes(members);
  assert_int_equal(config->defaults.hedge_budget, of_defaults);
  assert_int_equal(config->routes[0].params.hedge_budget, of_route);
  inf_config_unref(config);
}

#define HEDGE(members) ",'hedge':{" members "}"

static void
hedges_have_a_usual_budget(void **state)
{
  (void)state;
  expect_budget("", "", 0, 0);
  expect_budget("", HEDGE(""), 0, 50000);
  expect_budget("", HEDGE("'percentile':99"), 0, 50000);
  expect_budget("", HEDGE("'x-why':'p95'"), 0, 50000);
  expect_budget("", HEDGE("'budget':0.2"), 0, 200000);
  expect_budget("", HEDGE("'budget':0"), 0, 0);
}

static void
hedges_begin_with_the_defaults(void **state)
{
  (void)state;
  expect_budget(HEDGE(""), "", 50000, 50000);
  expect_budget(HEDGE("'budget':0"), "", 0, 0);
  expect_budget(HEDGE("'budget':0"), HEDGE(""), 0, 50000);
  expect_budget(HEDGE("'budget':0.1"), "", 100000, 100000);
  expect_budget(HEDGE("'budget':0.1"), HEDGE(""), 100000, 100000);
  expect_budget(HEDGE("'budget':0.1"), HEDGE("'percentile':90"), 100000,
                100000);
  expect_budget(HEDGE("'budget':0.1"), HEDGE("'budget':0"), 100000, 0);
  inf_config *config =
      with_routes("'defaults':{'hedge':{'percentile':99,'min_delay_ms':30},"
                  "'race_on':'answer'},'routes':{'a':{'targets':['house/m']},"
                  "'b':{'targets':['house/m'],'hedge':{'min_delay_ms':0},"
                  "'race_on':'content'}}");
  const inf_route_params *a = &config->routes[0].params;
  const inf_route_params *b = &config->routes[1].params;
  assert_int_equal(a->hedge_percentile, 99000000);
  assert_int_equal(a->hedge_min_delay_ms, 30);
  assert_int_equal(a->race_on, INF_RACE_ON_ANSWER);
  assert_int_equal(b->hedge_percentile, 99000000);
  assert_int_equal(b->hedge_min_delay_ms, 0);
  assert_int_equal(b->race_on, INF_RACE_ON_CONTENT);
  inf_config_unref(config);
}

static void
takes_labels(void **state)
{
  (void)state;
  inf_config *config = with_routes(
      "'routes':{'a':{'targets':['house/m'],'require_labels':['eu','x']}}");
  assert_int_equal(config->routes[0].require_label_count, 2);
  assert_string_equal(config->routes[0].require_labels[1], "x");
  inf_config_unref(config);
}

static void
refuses_targets(void **state)
{
  (void)state;
  static const struct {
    const char *targets, *message;
  } cases[] = {
      {"[]", "routes.r.targets: expected between 1 and 100 targets, got 0"},
      {"'house/m'",
       "routes.r.targets: expected an array of targets, got a string"},
      {"['house']", "routes.r.targets[0]: expected 'provider/model', got "
                    "'house'"},
      {"['house/']", "routes.r.targets[0]: expected 'provider/model', got "
                     "'house/'"},
      {"['/m']", "routes.r.targets[0]: expected 'provider/model', got '/m'"},
      {"['hosue/m']", "routes.r.targets[0]: no provider is named 'hosue' (did "
                      "you mean 'house'?)"},
      {"[{'target':'zzz/m'}]",
       "routes.r.targets[0].target: no provider is named 'zzz'"},
      {"[5]", "routes.r.targets[0]: expected 'provider/model' or an object, "
              "got 5"},
      {"[{}]", "routes.r.targets[0]: has no 'target'"},
      {"[{'target':5}]",
       "routes.r.targets[0].target: expected a string, got 5"},
      {"[{'target':'house/m','colour':1}]",
       "routes.r.targets[0].colour: unknown option"},
      {"[{'target':'house/m','upstream':'both'}]",
       "routes.r.targets[0].upstream: expected 'default' or 'stream' or "
       "'unary', got 'both'"},
      {"['house/m','other/m','house/m']",
       "routes.r.targets[2]: target 'house/m' is there twice"},
      {"['other/kimi','other/https://c/m/k']",
       "routes.r.targets[1]: target 'other/https://c/m/k' is there twice"},
      {"['house/a\\nb']", "routes.r.targets[0]: contains control characters"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[300];
    snprintf(text, sizeof text, "'routes':{'r':{'targets':%s}}",
             cases[i].targets);
    route_refused(text, cases[i].message);
  }
}

static void
refuses_routes(void **state)
{
  (void)state;
  route_refused("'routes':[]",
                "routes: expected an object: name of the route -> route");
  route_refused("'routes':{'r':{}}", "routes.r: has no 'targets'");
  route_refused("'routes':{'r':[]}",
                "routes.r: expected an object, got an array");
  route_refused("'routes':{'':{}}",
                "routes.'': the name of a route has 1 to 128 bytes");
  route_refused("'routes':{'a/b':{}}",
                "routes.'a/b': the name of a route contains no '/' (it stands "
                "between a provider and its model)");
  route_refused("'routes':{'a\\n':{}}",
                "routes.'a ': the name of a route contains no control "
                "characters");
  route_refused("'routes':{'r':{'targets':['house/m'],'mirror':{}}}",
                "routes.r.mirror: unknown option");
  route_refused("'routes':{'r':{'targets':['house/m'],'hedge':true}}",
                "routes.r.hedge: expected an object");
  route_refused("'routes':{'r':{'targets':['house/m'],'hedge':null}}",
                "routes.r.hedge: expected an object");
  route_refused("'routes':{'r':{'targets':['house/m'],"
                "'hedge':{'budget':'5%'}}}",
                "routes.r.hedge.budget: expected a number from 0 to 0.5, got "
                "'5%'");
  route_refused("'routes':{'r':{'targets':['house/m'],'retries':'two'}}",
                "routes.r.retries: expected a whole number from 0 to 10, got "
                "'two'");
  route_refused("'routes':{'r':{'targets':['house/m'],"
                "'failover_on':['everything']}}",
                "routes.r.failover_on[0]: expected 'content_filter' or "
                "'tls_verify', got 'everything'");
  route_refused("'routes':{'r':{'targets':['house/m'],"
                "'failover_on':'tls_verify'}}",
                "routes.r.failover_on: expected an array of strings, got a "
                "string");
}

static void
refuses_defaults(void **state)
{
  (void)state;
  route_refused("'defaults':5", "defaults: expected an object, got 5");
  route_refused("'defaults':{'targets':[]}",
                "defaults.targets: unknown option");
  route_refused("'defaults':{'require_labels':[]}",
                "defaults.require_labels: unknown option");
  route_refused("'defaults':{'timeouts':{'idle_ms':0}}",
                "defaults.timeouts.idle_ms: expected a whole number from 1 to "
                "86400000, got 0");
  route_refused("'defaults':{'hedge':{'budget':0.51}}",
                "defaults.hedge.budget: expected a number from 0 to 0.5, got "
                "0.51");
}

static void
the_nearest_word_says_how_a_prefill_is_given(void **state)
{
  (void)state;
  static const inf_provider_kind kind = {.dialect = &inf_dialect_openai,
                                         .prefill = INF_PREFILL_ASSISTANT};
  inf_provider_config provider = {.kind = &kind};
  assert_int_equal(inf_effective_prefill(INF_PREFILL_DEFAULT, &provider),
                   INF_PREFILL_ASSISTANT);
  provider.prefill = INF_PREFILL_NONE;
  assert_int_equal(inf_effective_prefill(INF_PREFILL_DEFAULT, &provider),
                   INF_PREFILL_NONE);
  assert_int_equal(inf_effective_prefill(INF_PREFILL_PREFIX, &provider),
                   INF_PREFILL_PREFIX);
}

/* Whatever the configuration says of it. */
static void
a_plug_in_is_asked_what_it_says_it_can(void **state)
{
  (void)state;
  char why[INF_PLUGIN_WHY_MAX];
  inf_plugin *plugin;
  infer_provider_descriptor descriptor = noisy_descriptor(INFER_FRAMING_WHOLE);
  descriptor.abilities = INFER_PROVIDER_CAN_VISION;
  assert_int_equal(inf_plugin_new(&descriptor, &plugin, why), INFER_OK);
  inf_provider_config provider = {.kind = &plugin->kind};
  inf_route_params params = {.upstream = INF_UPSTREAM_STREAM};
  assert_int_equal(inf_effective_prefill(INF_PREFILL_PREFIX, &provider),
                   INF_PREFILL_NONE);
  assert_int_equal(
      inf_effective_upstream(INF_UPSTREAM_STREAM, &params, &provider),
      INF_UPSTREAM_UNARY);
  assert_int_equal(inf_effective_lacks(INF_LACKS_VISION, &provider),
                   INF_LACKS_TOOLS | INF_LACKS_VISION | INF_LACKS_JSON_SCHEMA);
  assert_int_equal(inf_effective_lacks(0, &provider),
                   INF_LACKS_TOOLS | INF_LACKS_JSON_SCHEMA);
  provider.kind = inf_provider_kind_at(0);
  assert_int_equal(inf_effective_lacks(0, &provider), 0);
  inf_plugin_unref(plugin);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_nearest_word_says_how_a_prefill_is_given),
      cmocka_unit_test(a_plug_in_is_asked_what_it_says_it_can),
      cmocka_unit_test(takes_targets),
      cmocka_unit_test(the_nearest_says_how_to_ask),
      cmocka_unit_test(routes_begin_with_the_defaults),
      cmocka_unit_test(hedges_have_a_usual_budget),
      cmocka_unit_test(hedges_begin_with_the_defaults),
      cmocka_unit_test(takes_labels),
      cmocka_unit_test(refuses_targets),
      cmocka_unit_test(refuses_routes),
      cmocka_unit_test(refuses_defaults),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
