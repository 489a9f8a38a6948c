/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/region.h"
#include "support/token_house.h"

static char folder[64], account[192], path[128];

static int
set_up(void **state)
{
  clear_environment(state);
  snprintf(folder, sizeof folder, "/tmp/infer-credentials-XXXXXX");
  assert_non_null(mkdtemp(folder));
  token_write_account("https://tokens.example/t", folder, "sa");
  snprintf(path, sizeof path, "%s/sa.json", folder);
  snprintf(account, sizeof account, "'google_credentials':'file:%s'", path);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  char other[160];
  unlink(path);
  snprintf(other, sizeof other, "%s/sa.pub", folder);
  unlink(other);
  return rmdir(folder);
}

/* One provider p of that type, with these members; "@" is the account's. */
static const char *
document(const char *type, const char *members)
{
  static char text[2048];
  size_t len = (size_t)snprintf(text, sizeof text,
                                "{'providers':[{'name':'p','type':'%s',", type);
  for (const char *at = members; *at; at++)
    len +=
        (size_t)snprintf(text + len, sizeof text - len,
                         *at == '@' ? "%s" : "%.1s", *at == '@' ? account : at);
  snprintf(text + len, sizeof text - len, "}]}");
  return text;
}

static void
an_account_is_a_key_without_a_secret(void **state)
{
  (void)state;
  inf_config *config = compiled(document("openai", "@,'project':'pro'"));
  const inf_provider_config *provider = &config->providers[0];
  assert_int_equal(provider->key_count, 1);
  const inf_key *key = &provider->keys[0];
  assert_int_equal(key->source, INF_KEY_GOOGLE);
  assert_int_equal(key->secret_len, 0);
  assert_string_equal(key->token_uri, "https://tokens.example/t");
  assert_string_equal(key->project, "pro");
  assert_non_null(strstr(key->account, "BEGIN PRIVATE KEY"));
  assert_int_equal(key->account_len, strlen(key->account));
  inf_config_unref(config);
}

/* As Google's own libraries name it: the path, in a variable. */
static void
a_variable_holds_the_path_or_the_account(void **state)
{
  (void)state;
  setenv("TEST_ACCOUNT", path, 1);
  inf_config *config =
      compiled(document("openai", "'google_credentials':'env:TEST_ACCOUNT'"));
  char *json = strdup(config->providers[0].keys[0].account);
  uint64_t fingerprint = config->providers[0].keys[0].fingerprint;
  inf_config_unref(config);
  setenv("TEST_ACCOUNT", json, 1);
  config =
      compiled(document("openai", "'google_credentials':'env:TEST_ACCOUNT'"));
  assert_string_equal(config->providers[0].keys[0].account, json);
  assert_true(config->providers[0].keys[0].fingerprint == fingerprint);
  inf_config_unref(config);
  unsetenv("TEST_ACCOUNT");
  free(json);
}

static void
what_expires_is_a_bearers(void **state)
{
  (void)state;
  static const char *const types[] = {"gemini", "anthropic", "openai"};
  for (size_t i = 0; i < 3; i++) {
    inf_config *config = compiled(document(types[i], "@"));
    assert_string_equal(config->providers[0].auth_scheme, "Bearer");
    inf_config_unref(config);
  }
  inf_config *config =
      compiled(document("gemini", "@,'auth_scheme':'x-goog-api-key'"));
  assert_string_equal(config->providers[0].auth_scheme, "x-goog-api-key");
  inf_config_unref(config);
}

/* The token server is another server than the provider's. */
static void
the_way_to_the_token_server(void **state)
{
  (void)state;
  inf_config *config = compiled(
      document("openai", "@,'base_url':'http://h','unix_socket':'/run/s'"));
  assert_string_equal(config->providers[0].endpoint.unix_socket, "/run/s");
  assert_null(config->providers[0].token_endpoint.unix_socket);
  inf_config_unref(config);
  config = compiled(document("openai", "@,'proxy':'http://proxy:3128',"
                                       "'tls_verify':false"));
  assert_string_equal(config->providers[0].token_endpoint.proxy,
                      "http://proxy:3128");
  assert_false(config->providers[0].token_endpoint.tls_verify);
  inf_config_unref(config);
}

static void
what_is_no_account_is_refused(void **state)
{
  (void)state;
  refused(document("openai", "'google_credentials':'file:/no/such'"),
          "providers[0].google_credentials: cannot read /no/such: no such "
          "file");
  refused(document("openai", "'google_credentials':'env:NO_SUCH'"),
          "providers[0].google_credentials: environment variable NO_SUCH is "
          "not set");
  refused(document("openai", "'google_credentials':7"),
          "providers[0].google_credentials: expected a string");
  refused(document("openai", "@,'api_key':'k'"),
          "providers[0].api_key: cannot go with google_credentials or a token "
          "source");
}

static void
an_account_that_is_not_whole_is_refused(void **state)
{
  (void)state;
  infer_error *error = NULL;
  inf_config *config;
  assert_int_equal(compile_text(document("openai", "'google_credentials':'{}'"),
                                &config, &error),
                   INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error),
                      "providers[0].google_credentials: the service account's "
                      "\"client_email\" is missing");
  infer_error_free(error);
}

/* ---- Vertex AI ----------------------------------------------------------- */

static void
address_is(const char *members, const char *address)
{
  inf_config *config = compiled(document("vertex", members));
  assert_string_equal(config->providers[0].base_url, address);
  inf_config_unref(config);
}

static void
the_address_is_made_of_project_and_place(void **state)
{
  (void)state;
  address_is("@,'region':'europe-west4'",
             "https://europe-west4-aiplatform.googleapis.com/v1/projects/"
             "project-7/locations/europe-west4");
  address_is("@,'region':'global','project':'example.com:x'",
             "https://aiplatform.googleapis.com/v1/projects/example.com:x/"
             "locations/global");
  address_is("@,'region':'eu'",
             "https://aiplatform.eu.rep.googleapis.com/v1/projects/project-7/"
             "locations/eu");
  address_is("@,'base_url':'http://h/v1'", "http://h/v1");
  setenv("GOOGLE_CLOUD_LOCATION", "us-central1", 1);
  setenv("GOOGLE_CLOUD_PROJECT", "other-1", 1);
  setenv("AWS_REGION", "us-east-1", 1); /* which is none of Google's */
  address_is("'api_key':'k'",
             "https://us-central1-aiplatform.googleapis.com/v1/projects/"
             "other-1/locations/us-central1");
  address_is("@,'base_url':'http://h/v1'", "http://h/v1");
}

static void
an_address_needs_both(void **state)
{
  (void)state;
  refused(document("vertex", "@"), "provider 'p': no region (set "
                                   "GOOGLE_CLOUD_LOCATION or region)");
  refused(document("vertex", "'api_key':'k','region':'eu'"),
          "provider 'p': no project (set GOOGLE_CLOUD_PROJECT or project)");
  refused(document("vertex", "@,'region':'eu','project':'a/b'"),
          "providers[0].project: expected a project, as in 'my-project-1'");
  refused(document("vertex", "@,'region':'h.example/'"),
          "providers[0].region: expected a region, as in 'us-east-1'");
}

/* Google's usual variable serves Google's cloud alone, at its own address. */
static void
the_usual_variable(void **state)
{
  (void)state;
  setenv("GOOGLE_APPLICATION_CREDENTIALS", path, 1);
  inf_config *config =
      compiled(document("vertex-anthropic", "'region':'us-east5'"));
  assert_int_equal(config->providers[0].keys[0].source, INF_KEY_GOOGLE);
  inf_config_unref(config);
  config =
      compiled(document("vertex", "'region':'eu','project':'p','api_key':'k'"));
  assert_int_equal(config->providers[0].keys[0].source, INF_KEY_GIVEN);
  inf_config_unref(config);
  config = compiled(document("vertex", "'base_url':'http://h'"));
  assert_int_equal(config->providers[0].key_count, 0);
  inf_config_unref(config);
  setenv("OPENAI_API_KEY", "sk", 1);
  config = compiled(document("openai", "'upstream':'unary'"));
  assert_int_equal(config->providers[0].keys[0].source, INF_KEY_GIVEN);
  inf_config_unref(config);
}

static void
express_mode_has_a_key(void **state)
{
  (void)state;
  setenv("GOOGLE_API_KEY", "k", 1);
  inf_config *config =
      compiled(document("vertex-express", "'upstream':'unary'"));
  assert_string_equal(config->providers[0].base_url,
                      "https://aiplatform.googleapis.com/v1");
  assert_string_equal(config->providers[0].auth_scheme, "x-goog-api-key");
  assert_string_equal(config->providers[0].keys[0].secret, "k");
  inf_config_unref(config);
}

/* Nor does the document tell the account. */
static void
a_written_account_is_hidden(void **state)
{
  (void)state;
  infer_config *config;
  char *json, *text = quoted(document(
                  "openai", "'google_credentials':'{\\'private_key\\':1}'"));
  for (char *at = text; (at = strstr(at, "\\'"));)
    at[1] = '"';
  assert_int_equal(infer_config_from_json(&config, text, strlen(text), NULL),
                   INFER_OK);
  assert_int_equal(infer_config_json(config, &json, NULL), INFER_OK);
  assert_null(strstr(json, "private_key"));
  infer_text_free(json);
  infer_config_free(config);
  free(text);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
      TEST(an_account_is_a_key_without_a_secret),
      TEST(a_variable_holds_the_path_or_the_account),
      TEST(what_expires_is_a_bearers),
      TEST(the_way_to_the_token_server),
      TEST(what_is_no_account_is_refused),
      TEST(an_account_that_is_not_whole_is_refused),
      TEST(the_address_is_made_of_project_and_place),
      TEST(an_address_needs_both),
      TEST(the_usual_variable),
      TEST(express_mode_has_a_key),
      TEST(a_written_account_is_hidden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
