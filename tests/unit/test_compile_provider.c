/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/compile_provider.h"

static void
takes_name_and_kind(void **state)
{
  (void)state;
  inf_config *config = compiled(
      "{'providers':[{'name':'A.b_c-9','type':'clarifai','api_key':'k',"
      "'labels':['eu','private']},{'name':'openai','api_key':'k'}]}");
  const inf_provider_config *p = &config->providers[0];
  assert_string_equal(p->name, "A.b_c-9");
  assert_string_equal(p->kind->type, "clarifai");
  assert_string_equal(p->base_url, p->kind->base_url);
  assert_string_equal(p->auth_scheme, p->kind->auth_scheme);
  assert_int_equal(p->label_count, 2);
  assert_string_equal(p->labels[0], "eu");
  assert_int_equal(p->upstream, INF_UPSTREAM_DEFAULT);
  assert_false(p->from_environment);
  assert_string_equal(config->providers[1].kind->type, "openai");
  assert_ptr_equal(inf_config_provider(config, INF_SV("openai")),
                   &config->providers[1]);
  assert_null(inf_config_provider(config, INF_SV("other")));
  inf_config_unref(config);
}

static void
refuses_names(void **state)
{
  (void)state;
  static const char *const names[] = {"a/b", "a b", "\\u00e9", "a:b"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, "{'providers':[{'name':'%s','type':'openai'}]}",
             names[i]);
    refused(text, "providers[0].name: expected 1 to 64 letters, digits, dots, "
                  "dashes and underscores");
  }
  char text[200];
  snprintf(text, sizeof text, "{'providers':[{'name':'%065d'}]}", 0);
  refused(text, "providers[0].name: expected 1 to 64 letters, digits, dots, "
                "dashes and underscores");
  refused("{'providers':[{'type':'openai'}]}", "providers[0]: has no 'name'");
  refused("{'providers':[{'name':''}]}", "providers[0].name: is empty");
  refused("{'providers':[{'name':'a\\n'}]}",
          "providers[0].name: contains control characters");
  refused("{'providers':[{'name':7}]}",
          "providers[0].name: expected a string, got 7");
}

/* Near to none of them, it is told which there are: all of them, in the
 * catalogue's order. */
static void
unlike_any_refused(const char *type)
{
  char text[128];
  inf_buf wanted;
  inf_buf_init(&wanted, SIZE_MAX);
  snprintf(text, sizeof text, "{'providers':[{'name':'a','type':'%s'}]}", type);
  inf_buf_appendf(&wanted,
                  "providers[0].type: no kind '%s'; there are: ", type);
  for (size_t i = 0; i < inf_provider_kind_count(); i++)
    inf_buf_appendf(&wanted, "%s%s", i > 0 ? ", " : "",
                    inf_provider_kind_at(i)->type);
  assert_non_null(strstr(inf_buf_cstr(&wanted), ": openai, clarifai, "));
  refused(text, inf_buf_cstr(&wanted));
  inf_buf_fini(&wanted);
}

static void
refuses_kinds(void **state)
{
  (void)state;
  refused("{'providers':[{'name':'a'}]}", "providers[0]: has no 'type'");
  refused("{'providers':[{'name':'a','type':'opnai'}]}",
          "providers[0].type: no kind 'opnai' (did you mean 'openai'?)");
  unlike_any_refused("oracle");
  refused("{'providers':[{'name':'a','type':['openai']}]}",
          "providers[0].type: expected a string, got an array");
}

static void
takes_addresses(void **state)
{
  (void)state;
  inf_config *config = provider_compiled("'base_url':'http://h/v1///'");
  assert_string_equal(config->providers[0].base_url, "http://h/v1");
  inf_config_unref(config);
  provider_refused("'base_url':'http://u:secret@h/'",
                   "providers[0].base_url: must name no user (use api_key or "
                   "headers)");
  provider_refused("'base_url':5",
                   "providers[0].base_url: expected a string, got 5");
  provider_refused("'base_url':'http://h\\r\\nX: y'",
                   "providers[0].base_url: contains control characters");
}

static void
takes_schemes(void **state)
{
  (void)state;
  inf_config *config =
      provider_compiled("'base_url':'http://h','auth_scheme':'Key'");
  assert_string_equal(config->providers[0].auth_scheme, "Key");
  inf_config_unref(config);
  provider_refused("'base_url':'http://h','auth_scheme':'two words'",
                   "providers[0].auth_scheme: expected one word, as in "
                   "'Bearer', or 'none'");
  provider_refused("'base_url':'http://h','auth_scheme':''",
                   "providers[0].auth_scheme: expected one word, as in "
                   "'Bearer', or 'none'");
  provider_refused("'base_url':'http://h','auth_scheme':false",
                   "providers[0].auth_scheme: expected a string, got false");
}

static void
model_is(const inf_provider_config *provider, const char *name,
         const char *wanted)
{
  size_t len;
  const char *model = inf_provider_model(provider, inf_sv_from(name), &len);
  assert_int_equal(len, strlen(wanted));
  assert_memory_equal(model, wanted, len);
}

static void
takes_aliases(void **state)
{
  (void)state;
  inf_config *config = provider_compiled(
      "'base_url':'http://h','models':{'kimi':'https://a/b','x':'y'}");
  model_is(&config->providers[0], "kimi", "https://a/b");
  model_is(&config->providers[0], "kim", "kim");
  assert_int_equal(config->providers[0].alias_count, 2);
  inf_config_unref(config);
  config = provider_compiled("'base_url':'http://h','models':['a','b']");
  model_is(&config->providers[0], "b", "b");
  assert_string_equal(config->providers[0].aliases[1].name, "b");
  inf_config_unref(config);
  config = provider_compiled("'base_url':'http://h','models':{}");
  assert_int_equal(config->providers[0].alias_count, 0);
  inf_config_unref(config);
}

static void
refuses_aliases(void **state)
{
  (void)state;
  static const struct {
    const char *models, *message;
  } cases[] = {
      {"'a'", "providers[0].models: expected an object of aliases or an array "
              "of names"},
      {"{'a':5}", "providers[0].models.a: expected a string, got 5"},
      {"{'a':''}", "providers[0].models.a: is empty"},
      {"{'':'a'}", "providers[0].models.'': is empty"},
      {"['a','']", "providers[0].models[1]: is empty"},
      {"['a','a']", "providers[0].models[1]: given twice"},
      {"{'a\\u0000':'b'}",
       "providers[0].models.'a ': contains control characters"},
      {"['a\\n']", "providers[0].models[0]: contains control characters"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, "'base_url':'http://h','models':%s",
             cases[i].models);
    provider_refused(text, cases[i].message);
  }
}

static void
takes_paths_of_warm_ups(void **state)
{
  (void)state;
#define PLAIN                                                     \
  "providers[0].warm_path: expected a path on the server, as in " \
  "'/health', of plain characters"
  static const char *const refused[][2] = {
      {"", "providers[0].warm_path: is empty"},
      {"health", PLAIN},
      {"http://h/health", PLAIN},
      {"/a b", PLAIN},
      {"/a#b", PLAIN},
      {"/\xc3\xa4", PLAIN},
      {"/\\u0001", "providers[0].warm_path: contains control characters"},
  };
  inf_config *config =
      provider_compiled("'base_url':'http://h/v1','warm_path':'/v1/models?a'");
  assert_string_equal(config->providers[0].warm_path, "/v1/models?a");
  inf_config_unref(config);
  config = provider_compiled("'base_url':'http://h'");
  assert_null(config->providers[0].warm_path);
  inf_config_unref(config);
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    char text[200];
    snprintf(text, sizeof text, "'base_url':'http://h','warm_path':'%s'",
             refused[i][0]);
    provider_refused(text, refused[i][1]);
  }
}

static void
refuses_unknown_options(void **state)
{
  (void)state;
  provider_refused("'base_uri':'http://h'",
                   "providers[0].base_uri: unknown option (did you mean "
                   "'base_url'?)");
  provider_refused("'limits':{'request_per_minute':1}",
                   "providers[0].limits.request_per_minute: unknown option "
                   "(did you mean \"requests_per_minute\"?)");
  inf_config *config =
      provider_compiled("'base_url':'http://h','x-owner':{'a':1}");
  inf_config_unref(config);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_name_and_kind),
      cmocka_unit_test(refuses_names),
      cmocka_unit_test(refuses_kinds),
      cmocka_unit_test(takes_addresses),
      cmocka_unit_test(takes_schemes),
      cmocka_unit_test(takes_aliases),
      cmocka_unit_test(refuses_aliases),
      cmocka_unit_test(takes_paths_of_warm_ups),
      cmocka_unit_test(refuses_unknown_options),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
