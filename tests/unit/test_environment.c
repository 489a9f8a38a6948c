/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/environment.h"

#define NO_PROVIDERS                                                          \
  "no providers (set OPENAI_API_KEY, CLARIFAI_PAT or another provider's key " \
  "variable, or configure providers)"

static void
fails(const char *wanted)
{
  infer_error *error = NULL;
  inf_config *config;
  assert_int_equal(inf_config_compile(NULL, &config, &error), INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error), wanted);
  infer_error_free(error);
}

static inf_config *
found(size_t count)
{
  infer_error *error = NULL;
  inf_config *config;
  if (inf_config_compile(NULL, &config, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  assert_int_equal(config->provider_count, count);
  for (size_t i = 0; i < count; i++)
    assert_true(config->providers[i].from_environment);
  return config;
}

static void
tells_what_to_set(void **state)
{
  (void)state;
  fails(NO_PROVIDERS);
  setenv("OPENAI_API_KEY", "", 1); /* as good as not set */
  fails(NO_PROVIDERS);
}

static void
finds_providers_by_their_keys(void **state)
{
  (void)state;
  setenv("CLARIFAI_PAT", "pat-1", 1);
  inf_config *config = found(1);
  assert_string_equal(config->providers[0].name, "clarifai");
  assert_string_equal(config->providers[0].keys[0].secret, "pat-1");
  inf_config_unref(config);
  setenv("OPENAI_API_KEY", "sk-1", 1);
  config = found(2);
  assert_string_equal(config->providers[0].name, "openai");
  assert_string_equal(config->providers[0].kind->type, "openai");
  assert_string_equal(config->providers[0].base_url,
                      config->providers[0].kind->base_url);
  inf_config_unref(config);
}

/* Keys that are set for other reasons, or have no address, make none. */
static void
leaves_out_what_only_a_name_can_mean(void **state)
{
  (void)state;
  setenv("GITHUB_TOKEN", "t", 1);
  setenv("HF_TOKEN", "t", 1);
  setenv("AZURE_OPENAI_API_KEY", "t", 1);
  setenv("OLLAMA_API_KEY", "t", 1);
  fails(NO_PROVIDERS);
  setenv("GROQ_API_KEY", "gsk", 1);
  setenv("CO_API_KEY", "co", 1);
  inf_config *config = found(2);
  assert_string_equal(config->providers[0].name, "groq");
  assert_string_equal(config->providers[1].name, "cohere");
  inf_config_unref(config);
  /* Named, each is what it says. */
  config = compiled("{'providers':[{'name':'gh','type':'github-models'}]}");
  assert_string_equal(config->providers[0].keys[0].secret, "t");
  inf_config_unref(config);
  refused("{'providers':[{'name':'az','type':'azure-openai'}]}",
          "providers[0]: has no 'base_url', which its type needs");
}

static void
an_empty_array_is_no_provider(void **state)
{
  (void)state;
  setenv("OPENAI_API_KEY", "sk-1", 1);
  inf_config *config = compiled("{'providers':[],'threads':0}");
  assert_int_equal(config->provider_count, 1);
  assert_int_equal(config->client.threads, 0);
  inf_config_unref(config);
  /* With providers the environment's are not looked at. */
  config = compiled("{'providers':[" HOUSE "]}");
  assert_int_equal(config->provider_count, 1);
  assert_string_equal(config->providers[0].name, "house");
  assert_false(config->providers[0].from_environment);
  inf_config_unref(config);
}

static void
takes_the_address_from_the_environment(void **state)
{
  (void)state;
  setenv("OPENAI_BASE_URL", "http://localhost:8000/v1/", 1);
  inf_config *config = found(1);
  assert_string_equal(config->providers[0].base_url,
                      "http://localhost:8000/v1");
  assert_int_equal(config->providers[0].key_count, 0);
  uint64_t hash = config->hash;
  inf_config_unref(config);
  setenv("OPENAI_API_KEY", "sk-1", 1);
  config = found(1);
  assert_int_equal(config->providers[0].key_count, 1);
  assert_true(config->hash == hash); /* keys do not count */
  inf_config_unref(config);
  setenv("OPENAI_BASE_URL", "http://localhost:8001/v1", 1);
  config = found(1);
  assert_true(config->hash != hash);
  inf_config_unref(config);
  setenv("OPENAI_BASE_URL", "localhost:8000", 1);
  fails("environment variable OPENAI_BASE_URL must begin with https:// or "
        "http://");
}

/* AWS names an account by variables that are set for other reasons too. */
static void
finds_bedrock_where_key_and_region_are_set(void **state)
{
  (void)state;
  setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
  setenv("AWS_REGION", "eu-west-1", 1);
  fails(NO_PROVIDERS);
  setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  inf_config *config = found(1);
  const inf_provider_config *provider = &config->providers[0];
  assert_string_equal(provider->name, "bedrock");
  assert_string_equal(provider->base_url,
                      "https://bedrock-runtime.eu-west-1.amazonaws.com");
  assert_string_equal(provider->region, "eu-west-1");
  assert_string_equal(provider->keys[0].secret, "AKID:secret");
  inf_config_unref(config);
  setenv("AWS_SESSION_TOKEN", "token", 1);
  unsetenv("AWS_REGION");
  setenv("AWS_DEFAULT_REGION", "us-west-2", 1);
  config = found(1);
  assert_string_equal(config->providers[0].region, "us-west-2");
  assert_string_equal(config->providers[0].keys[0].secret, "AKID:secret:token");
  inf_config_unref(config);
  /* A key for Bedrock alone goes before those for all of AWS. */
  setenv("AWS_BEARER_TOKEN_BEDROCK", "ABSK", 1);
  config = found(1);
  assert_string_equal(config->providers[0].keys[0].secret, "ABSK");
  inf_config_unref(config);
  unsetenv("AWS_DEFAULT_REGION");
  fails(NO_PROVIDERS);
}

static void
refuses_a_key_that_is_none(void **state)
{
  (void)state;
  setenv("OPENAI_API_KEY", "sk-1\r\nX: y", 1);
  fails("OPENAI_API_KEY: the key contains control characters");
}

static void
proxy_is(const char *base_url, const char *wanted, const char *no_proxy)
{
  char text[300];
  snprintf(text, sizeof text,
           "{'providers':[{'name':'p','type':'openai','base_url':'%s'}]}",
           base_url);
  inf_config *config = compiled(text);
  const inf_endpoint *endpoint = &config->providers[0].endpoint;
  if (wanted)
    assert_string_equal(endpoint->proxy, wanted);
  else
    assert_null(endpoint->proxy);
  if (no_proxy)
    assert_string_equal(endpoint->no_proxy, no_proxy);
  else
    assert_null(endpoint->no_proxy);
  inf_config_unref(config);
}

static void
takes_proxies_by_scheme(void **state)
{
  (void)state;
  proxy_is("https://h", NULL, NULL);
  setenv("ALL_PROXY", "http://ALL:1", 1);
  proxy_is("https://h", "http://ALL:1", NULL);
  proxy_is("http://h", "http://ALL:1", NULL);
  setenv("all_proxy", "http://all:1", 1);
  proxy_is("http://h", "http://all:1", NULL);
  setenv("HTTP_PROXY", "http://evil:1", 1);
  proxy_is("http://h", "http://all:1", NULL);
  setenv("http_proxy", "http://http:1", 1);
  proxy_is("http://h", "http://http:1", NULL);
  proxy_is("https://h", "http://all:1", NULL);
  setenv("HTTPS_PROXY", "http://HTTPS:1", 1);
  proxy_is("https://h", "http://HTTPS:1", NULL);
  setenv("https_proxy", "http://https:1", 1);
  setenv("NO_PROXY", "a,b", 1);
  proxy_is("https://h", "http://https:1", "a,b");
  setenv("no_proxy", "c", 1);
  proxy_is("https://h", "http://https:1", "c");
  setenv("https_proxy", "", 1); /* set to nothing: none */
  proxy_is("https://h", NULL, NULL);
}

static void
names_the_variable_of_a_bad_proxy(void **state)
{
  (void)state;
  setenv("https_proxy", "gopher://h", 1);
  refused("{'providers':[{'name':'p','type':'openai','base_url':"
          "'https://h'}]}",
          "provider 'p': environment variable https_proxy must begin with "
          "http://, https:// or socks5h:// (or socks5, socks4, socks4a)");
}

static void
a_socket_or_a_configured_proxy_needs_none(void **state)
{
  (void)state;
  setenv("http_proxy", "http://env:1", 1);
  setenv("no_proxy", "c", 1);
  inf_config *config =
      provider_compiled("'base_url':'http://h','unix_socket':'/s'");
  assert_null(config->providers[0].endpoint.proxy);
  inf_config_unref(config);
  config = provider_compiled("'base_url':'http://h','proxy':'http://own:1'");
  assert_string_equal(config->providers[0].endpoint.proxy, "http://own:1");
  assert_null(config->providers[0].endpoint.no_proxy);
  inf_config_unref(config);
  config = provider_compiled("'base_url':'http://h','proxy':'none'");
  assert_null(config->providers[0].endpoint.proxy);
  inf_config_unref(config);
  config = provider_compiled("'base_url':'http://h','proxy':''");
  assert_null(config->providers[0].endpoint.proxy);
  inf_config_unref(config);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(tells_what_to_set, clear_environment),
      cmocka_unit_test_setup(finds_providers_by_their_keys, clear_environment),
      cmocka_unit_test_setup(finds_bedrock_where_key_and_region_are_set,
                             clear_environment),
      cmocka_unit_test_setup(leaves_out_what_only_a_name_can_mean,
                             clear_environment),
      cmocka_unit_test_setup(an_empty_array_is_no_provider, clear_environment),
      cmocka_unit_test_setup(takes_the_address_from_the_environment,
                             clear_environment),
      cmocka_unit_test_setup(refuses_a_key_that_is_none, clear_environment),
      cmocka_unit_test_setup(takes_proxies_by_scheme, clear_environment),
      cmocka_unit_test_setup(names_the_variable_of_a_bad_proxy,
                             clear_environment),
      cmocka_unit_test_setup(a_socket_or_a_configured_proxy_needs_none,
                             clear_environment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
