/* SPDX-License-Identifier: MIT */
/* What a target has beyond its name, from the document. */
#include "config_util.h"

#include "config/compile_target.h"

/* One target with these members; the message behind its path. */
static void
target_refused(const char *members, const char *message)
{
  char text[500], wanted[500];
  snprintf(text, sizeof text,
           "{'providers':[" HOUSE
           "],'routes':{'r':{'targets':[{'target':'house/m',%s}]}}}",
           members);
  snprintf(wanted, sizeof wanted, "routes.r.targets[0].%s", message);
  refused(text, wanted);
}

static inf_config *
target_compiled(const char *members, const inf_target_config **target)
{
  char text[500];
  snprintf(text, sizeof text,
           "{'providers':[" HOUSE
           "],'routes':{'r':{'targets':[{'target':'house/m'%s}]}}}",
           members);
  inf_config *config = compiled(text);
  *target = &config->routes[0].targets[0];
  return config;
}

static void
assert_quoted(const char *text, const char *wanted)
{
  char *copy = quoted(wanted);
  assert_string_equal(text, copy);
  free(copy);
}

static void
of_which_nothing_is_said(const inf_target_config *target)
{
  assert_int_equal(target->weight, 1);
  assert_int_equal(target->price.input, INF_PRICE_UNKNOWN);
  assert_int_equal(target->price.output, INF_PRICE_UNKNOWN);
  assert_int_equal(target->context_tokens, 0);
  assert_int_equal(target->lacks, 0);
  assert_int_equal(target->overrides.len, 0);
  assert_null(target->system_prompt);
}

/* However it is named: a price that is not given is not 0. */
static void
defaults_are_the_same_for_all(void **state)
{
  (void)state;
  const inf_target_config *target;
  inf_config *config = target_compiled("", &target);
  of_which_nothing_is_said(target);
  inf_config_unref(config);
  config = compiled("{'providers':[" HOUSE
                    "],'routes':{'r':{'targets':['house/m']}}}");
  of_which_nothing_is_said(&config->routes[0].targets[0]);
  const inf_route_config *route;
  assert_int_equal(inf_config_resolve(config, INF_SV("house/x"), &route, NULL),
                   INFER_OK);
  of_which_nothing_is_said(&route->targets[0]);
  inf_config_release_route(config, route);
  inf_config_unref(config);
}

static void
prices_are_micro_dollars_per_million(void **state)
{
  (void)state;
  const inf_target_config *target;
  inf_config *config =
      target_compiled(",'price':{'input':0.0375,'output':10000}", &target);
  assert_int_equal(target->price.input, 37500);
  assert_true(target->price.output == INF_PRICE_MAX);
  inf_config_unref(config);
}

static void
overrides_are_kept_as_json(void **state)
{
  (void)state;
  const inf_target_config *target;
  inf_config *config = target_compiled(
      ",'overrides':{'temperature':1.50,'system_prompt':'a\\nb','seed':null,"
      "'metadata':{'x':[1]}}",
      &target);
  assert_quoted(inf_buf_cstr(&target->overrides),
                "{'temperature':1.50,'seed':null,'metadata':{'x':[1]}}");
  assert_quoted(target->system_prompt, "'a\\nb'");
  inf_config_unref(config);
}

static void
refuses_what_it_cannot_do(void **state)
{
  (void)state;
  target_refused("'weight':-1",
                 "weight: expected a whole number from 0 to 1000000, got -1");
  target_refused("'price':{'input':-0.1}",
                 "price.input: expected a number from 0 to 10000, got -0.1");
  target_refused("'price':0.1", "price: expected an object");
  target_refused("'lacks':['sight']",
                 "lacks[0]: expected 'tools' or 'vision' or 'json_schema', got "
                 "'sight'");
  target_refused("'lacks':'tools'",
                 "lacks: expected an array of strings, got a string");
  target_refused("'overrides':[]", "overrides: expected an object, got an "
                                   "array");
  target_refused("'overrides':{'system_prompt':5}",
                 "overrides.system_prompt: expected a string");
  static const char *const own[] = {"model",          "messages", "stream",
                                    "stream_options", "n",        "input"};
  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
    char members[100], message[200];
    snprintf(members, sizeof members, "'overrides':{'%s':1}", own[i]);
    snprintf(message, sizeof message,
             "overrides.%s: belongs to the request and cannot be given",
             own[i]);
    target_refused(members, message);
  }
}

/* ---- Of routes ----------------------------------------------------------- */

static void
sticky_names_a_tenant_or_a_tag(void **state)
{
  (void)state;
#define STICKY(value)    \
  "{'providers':[" HOUSE \
  "],'routes':{'r':{'targets':['house/m'],'sticky':'" value "'}}}"
  inf_config *config = compiled(STICKY("tag:x"));
  assert_string_equal(config->routes[0].sticky, "tag:x");
  inf_config_unref(config);
  refused(STICKY("user"),
          "routes.r.sticky: expected 'tenant' or 'tag:NAME', got 'user'");
  refused(STICKY("tag:"),
          "routes.r.sticky: expected 'tenant' or 'tag:NAME', got 'tag:'");
}

static int64_t
stay_retries(const char *defaults, const char *members)
{
  char text[500];
  snprintf(text, sizeof text,
           "{'providers':[" HOUSE
           "],'defaults':{%s},'routes':{'r':{'targets':['house/m']%s}}}",
           defaults, members);
  inf_config *config = compiled(text);
  int64_t retries = config->routes[0].params.stay_retries;
  inf_config_unref(config);
  return retries;
}

static void
strategy_latency_does_not_stay_unless_told(void **state)
{
  (void)state;
  assert_int_equal(stay_retries("", ""), 1);
  assert_int_equal(stay_retries("", ",'strategy':'latency'"), 0);
  assert_int_equal(stay_retries("'strategy':'latency'", ""), 0);
  assert_int_equal(stay_retries("'strategy':'latency'", ",'strategy':'order'"),
                   1);
  assert_int_equal(
      stay_retries("", ",'strategy':'latency','stay':{'retries':1}"), 1);
  assert_int_equal(
      stay_retries("'stay':{'retries':2}", ",'strategy':'latency'"), 2);
}

/* ---- From the catalogue of models ---------------------------------------- */

/* The target of a route; more: members of its object. */
static inf_config *
known(const char *provider, const char *target, const char *more,
      const inf_target_config **out)
{
  char text[800];
  snprintf(text, sizeof text,
           "{'providers':[{'name':'p',%s,'api_key':'k'}],'routes':{'r':{"
           "'targets':[{'target':'p/%s'%s}]}}}",
           provider, target, more);
  inf_config *config = compiled(text);
  *out = &config->routes[0].targets[0];
  return config;
}

static void
the_catalogue_completes_a_target(void **state)
{
  (void)state;
  const inf_target_config *target;
  inf_config *config = known("'type':'openai'", "o3-mini", "", &target);
  assert_int_equal(target->context_tokens, 200000);
  assert_int_equal(target->output_tokens, 100000);
  assert_int_equal(target->price.input, 1100000);
  assert_int_equal(target->price.output, 4400000);
  assert_int_equal(target->price.cache_read, 550000);
  assert_int_equal(target->price.cache_write, INF_PRICE_UNKNOWN);
  assert_int_equal(target->lacks, INF_LACKS_VISION);
  assert_int_equal(target->manners,
                   INF_MANNERS_COMPLETION_LIMIT | INF_MANNERS_NO_SAMPLING);
  inf_config_unref(config);
  config = known("'type':'openai'", "gpt-5.4", "", &target);
  assert_int_equal(target->price_up_to_tokens, 272000);
  assert_int_equal(target->price_times_beyond, 2);
  inf_config_unref(config);
  config = known("'type':'openai'", "gpt-4o", "", &target);
  assert_int_equal(target->manners, 0);
  assert_int_equal(target->lacks, 0);
  inf_config_unref(config);
  /* By the provider's name for it. */
  config = known("'type':'openai','models':{'mine':'gpt-4o-2024-11-20'}",
                 "mine", "", &target);
  assert_int_equal(target->context_tokens, 128000);
  inf_config_unref(config);
  /* Of a model that is not known nothing is said. */
  config = known("'type':'openai'", "gpt-99", "", &target);
  of_which_nothing_is_said(target);
  assert_int_equal(target->output_tokens, 0);
  inf_config_unref(config);
}

static void
the_configuration_comes_first(void **state)
{
  (void)state;
  const inf_target_config *target;
  inf_config *config =
      known("'type':'openai'", "o3-mini",
            ",'context_tokens':5,'output_tokens':3,'lacks':['tools'],"
            "'price':{'output':2}",
            &target);
  assert_int_equal(target->context_tokens, 5);
  assert_int_equal(target->output_tokens, 3);
  assert_int_equal(target->lacks, INF_LACKS_TOOLS);
  /* No price of two lists, and none that holds up to a length. */
  assert_int_equal(target->price.input, INF_PRICE_UNKNOWN);
  assert_int_equal(target->price.output, 2000000);
  assert_int_equal(target->price.cache_read, INF_PRICE_UNKNOWN);
  inf_config_unref(config);
  config = known("'type':'openai'", "o3-mini", ",'lacks':[]", &target);
  assert_int_equal(target->lacks, 0);
  inf_config_unref(config);
  config = known("'type':'openai'", "gpt-5.4", ",'price':{'input':1}", &target);
  assert_int_equal(target->price_up_to_tokens, 0);
  inf_config_unref(config);
}

/* Whose model it is depends on who answers. */
static void
it_holds_at_the_kind_s_own_address(void **state)
{
  (void)state;
  static const struct {
    const char *provider, *model;
    bool holds;
  } rows[] = {
      {"'type':'openai'", "gpt-4o", true},
      {"'type':'openai','base_url':'https://api.openai.com/v1/'", "gpt-4o",
       true},
      {"'type':'openai','base_url':'http://localhost:8000/v1'", "gpt-4o",
       false},
      {"'type':'openai','base_url':'https://eu.api.openai.com/v1'", "gpt-4o",
       false},
      {"'type':'openai','base_url':'http://gateway/v1','catalogue':'on'",
       "gpt-4o", true},
      {"'type':'openai','catalogue':'off'", "gpt-4o", false},
      {"'type':'groq','base_url':'http://localhost/v1'", "qwen/qwen3-32b",
       false},
      /* Kinds whose address is always the account's. */
      {"'type':'azure-openai','base_url':'https://x.openai.azure.com/openai/"
       "v1'",
       "gpt-5", true},
      {"'type':'azure-openai','base_url':'https://x.openai.azure.com/openai/"
       "v1','catalogue':'off'",
       "gpt-5", false},
      {"'type':'vllm'", "gpt-4o", false},
      {"'type':'vllm','catalogue':'on'", "gpt-4o", false},
      {"'type':'bedrock-openai','region':'eu-west-1'", "openai.gpt-oss-20b-1:0",
       true},
      {"'type':'bedrock-openai','region':'eu-west-1','base_url':"
       "'http://localhost/v1'",
       "openai.gpt-oss-20b-1:0", false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const inf_target_config *target;
    inf_config *config = known(rows[i].provider, rows[i].model, "", &target);
    if ((target->context_tokens > 0) != rows[i].holds)
      fail_msg("%s", rows[i].provider);
    inf_config_unref(config);
  }
}

static void
a_model_says_whether_it_takes_a_prefill(void **state)
{
  (void)state;
  static const struct {
    const char *provider, *model, *more;
    int32_t prefill;
  } rows[] = {
      {"'type':'anthropic'", "claude-haiku-4-5", "", INF_PREFILL_ASSISTANT},
      {"'type':'anthropic'", "claude-opus-4-7", "", INF_PREFILL_NONE},
      {"'type':'anthropic'", "claude-of-tomorrow", "", INF_PREFILL_NONE},
      {"'type':'anthropic','prefill':'none'", "claude-haiku-4-5", "",
       INF_PREFILL_NONE},
      {"'type':'anthropic'", "claude-haiku-4-5", ",'prefill':'none'",
       INF_PREFILL_NONE},
      {"'type':'anthropic'", "claude-opus-4-7", ",'prefill':'assistant'",
       INF_PREFILL_ASSISTANT},
      {"'type':'mistral'", "mistral-large-latest", "", INF_PREFILL_PREFIX},
      {"'type':'openai'", "gpt-4o", "", INF_PREFILL_NONE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    const inf_target_config *target;
    inf_config *config =
        known(rows[i].provider, rows[i].model, rows[i].more, &target);
    if (target->prefill != rows[i].prefill)
      fail_msg("%s %s: %d", rows[i].provider, rows[i].model, target->prefill);
    inf_config_unref(config);
  }
}

/* As a route's target, so one that a request names. */
static void
a_model_named_directly_is_known_too(void **state)
{
  (void)state;
  const inf_route_config *route;
  inf_config *config =
      compiled("{'providers':[{'name':'p','type':'anthropic','api_key':'k',"
               "'models':{'small':'claude-haiku-4-5'}}]}");
  assert_int_equal(inf_config_resolve(config, INF_SV("p/small"), &route, NULL),
                   INFER_OK);
  assert_int_equal(route->targets[0].context_tokens, 200000);
  assert_int_equal(route->targets[0].price.output, 5000000);
  assert_int_equal(route->targets[0].prefill, INF_PREFILL_ASSISTANT);
  inf_config_release_route(config, route);
  inf_config_unref(config);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_the_same_for_all),
      cmocka_unit_test(prices_are_micro_dollars_per_million),
      cmocka_unit_test(overrides_are_kept_as_json),
      cmocka_unit_test(refuses_what_it_cannot_do),
      cmocka_unit_test(sticky_names_a_tenant_or_a_tag),
      cmocka_unit_test(strategy_latency_does_not_stay_unless_told),
      cmocka_unit_test(the_catalogue_completes_a_target),
      cmocka_unit_test(the_configuration_comes_first),
      cmocka_unit_test(it_holds_at_the_kind_s_own_address),
      cmocka_unit_test(a_model_says_whether_it_takes_a_prefill),
      cmocka_unit_test(a_model_named_directly_is_known_too),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
