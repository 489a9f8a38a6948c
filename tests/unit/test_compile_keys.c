/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/compile_keys.h"

static void
takes_one_key(void **state)
{
  (void)state;
  inf_config *config = provider_compiled("'api_key':'sk-1'");
  assert_int_equal(config->providers[0].key_count, 1);
  assert_string_equal(config->providers[0].keys[0].secret, "sk-1");
  assert_int_equal(config->providers[0].keys[0].secret_len, 4);
  assert_null(config->providers[0].keys[0].organization);
  inf_config_unref(config);
}

static void
takes_a_list_of_keys(void **state)
{
  (void)state;
  setenv("INFER_TEST_KEY", "sk-env", 1);
  char *path = new_file("sk-file\n", 8), text[700];
  snprintf(text, sizeof text,
           "'organization':'org','project':'proj','api_key':['sk-1',"
           "{'key':'env:INFER_TEST_KEY','organization':'own'},"
           "{'key':'file:%s','project':'mine','x-note':1}]",
           path);
  inf_config *config = provider_compiled(text);
  const inf_key *keys = config->providers[0].keys;
  assert_int_equal(config->providers[0].key_count, 3);
  assert_string_equal(keys[0].secret, "sk-1");
  assert_string_equal(keys[0].organization, "org");
  assert_string_equal(keys[0].project, "proj");
  assert_string_equal(keys[1].secret, "sk-env");
  assert_string_equal(keys[1].organization, "own");
  assert_string_equal(keys[1].project, "proj");
  assert_string_equal(keys[2].secret, "sk-file");
  assert_string_equal(keys[2].project, "mine");
  assert_true(keys[0].fingerprint != keys[1].fingerprint);
  inf_config_unref(config);
  drop_file(path);
  unsetenv("INFER_TEST_KEY");
}

static void
a_fingerprint_names_the_key(void **state)
{
  (void)state;
  inf_config *one = provider_compiled("'api_key':'sk-1'");
  inf_config *other = provider_compiled("'api_key':['sk-0','sk-1']");
  assert_true(one->providers[0].keys[0].fingerprint ==
              other->providers[0].keys[1].fingerprint);
  inf_config_unref(one);
  inf_config_unref(other);
}

static void
takes_the_kinds_variable(void **state)
{
  (void)state;
  refused("{'providers':[{'name':'p','type':'openai'}]}",
          "provider 'p': no API key (set OPENAI_API_KEY or api_key)");
  refused("{'providers':[{'name':'clarifai'}]}",
          "provider 'clarifai': no API key (set CLARIFAI_PAT or api_key)");
  setenv("OPENAI_API_KEY", "sk-env", 1);
  inf_config *config = provider_compiled("'labels':[]");
  assert_int_equal(config->providers[0].key_count, 1);
  assert_string_equal(config->providers[0].keys[0].secret, "sk-env");
  inf_config_unref(config);
}

static void
own_addresses_need_no_key(void **state)
{
  (void)state;
  inf_config *config = provider_compiled("'base_url':'http://h'");
  assert_int_equal(config->providers[0].key_count, 0);
  assert_null(config->providers[0].keys);
  inf_config_unref(config);
  /* The key of the kind's own service does not go there by itself. */
  setenv("OPENAI_API_KEY", "sk-env", 1);
  config = provider_compiled("'base_url':'http://h'");
  assert_int_equal(config->providers[0].key_count, 0);
  inf_config_unref(config);
  config = provider_compiled("'base_url':'http://h','api_key':"
                             "'env:OPENAI_API_KEY'");
  assert_int_equal(config->providers[0].key_count, 1);
  inf_config_unref(config);
  unsetenv("OPENAI_API_KEY");
  config = provider_compiled("'auth_scheme':'none'");
  assert_int_equal(config->providers[0].key_count, 0);
  inf_config_unref(config);
}

static void
refuses(void **state)
{
  (void)state;
  provider_refused("'api_key':''", "providers[0].api_key: is empty");
  provider_refused("'api_key':[]",
                   "providers[0].api_key: expected between 1 and 256 keys, "
                   "got 0");
  provider_refused("'api_key':12345",
                   "providers[0].api_key: expected a key or an array of keys");
  provider_refused("'api_key':['a',12345]",
                   "providers[0].api_key[1]: expected a string");
  provider_refused("'api_key':['a',null]",
                   "providers[0].api_key[1]: expected a string");
  provider_refused("'api_key':{'organization':'o'}",
                   "providers[0].api_key: has no 'key'");
  provider_refused("'api_key':{'key':{}}",
                   "providers[0].api_key.key: expected a string");
  provider_refused("'api_key':[{'kye':'sk-secret'}]",
                   "providers[0].api_key[0].kye: unknown option (did you mean "
                   "'key'?)");
  provider_refused("'api_key':'env:INFER_TEST_NONE'",
                   "providers[0].api_key: environment variable "
                   "INFER_TEST_NONE is not set");
  provider_refused("'api_key':['a','env:INFER_TEST_NONE']",
                   "providers[0].api_key[1]: environment variable "
                   "INFER_TEST_NONE is not set");
  provider_refused("'api_key':'a','organization':''",
                   "providers[0].organization: is empty");
  provider_refused("'api_key':'a','project':5",
                   "providers[0].project: expected a string, got 5");
  provider_refused("'api_key':{'key':'a','project':'\\n'}",
                   "providers[0].api_key.project: contains control "
                   "characters");
}

static void
never_tells_a_key(void **state)
{
  (void)state;
  static const char *const keys[] = {"sk-secret\\r\\nX: y", "sk-secret\\u0000",
                                     "sk-secret\\u0007", "sk-secret\\u007f",
                                     "sk-secret\\t"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    char text[100];
    snprintf(text, sizeof text, "'api_key':'%s'", keys[i]);
    provider_refused(text, "providers[0].api_key: the key contains control "
                           "characters");
  }
  provider_refused("'api_key':' sk-secret'",
                   "providers[0].api_key: the key begins or ends with white "
                   "space");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(takes_one_key, clear_environment),
      cmocka_unit_test_setup(takes_a_list_of_keys, clear_environment),
      cmocka_unit_test_setup(a_fingerprint_names_the_key, clear_environment),
      cmocka_unit_test_setup(takes_the_kinds_variable, clear_environment),
      cmocka_unit_test_setup(own_addresses_need_no_key, clear_environment),
      cmocka_unit_test_setup(refuses, clear_environment),
      cmocka_unit_test_setup(never_tells_a_key, clear_environment),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
