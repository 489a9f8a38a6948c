/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/region.h"

#define BEDROCK(members) \
  "{'providers':[{'name':'b','type':'bedrock'" members "}]}"
#define WITH_KEY ",'api_key':'k'"

static void
region_is(const char *text, const char *region, const char *base_url)
{
  inf_config *config = compiled(text);
  const inf_provider_config *provider = &config->providers[0];
  if (region)
    assert_string_equal(provider->region, region);
  else
    assert_null(provider->region);
  assert_string_equal(provider->base_url, base_url);
  inf_config_unref(config);
}

static void
comes_from_the_nearest_place(void **state)
{
  (void)state;
  refused(BEDROCK(WITH_KEY),
          "provider 'b': no region (set AWS_REGION or region)");
  setenv("AWS_DEFAULT_REGION", "us-west-1", 1);
  region_is(BEDROCK(WITH_KEY), "us-west-1",
            "https://bedrock-runtime.us-west-1.amazonaws.com");
  setenv("AWS_REGION", "us-west-2", 1);
  region_is(BEDROCK(WITH_KEY), "us-west-2",
            "https://bedrock-runtime.us-west-2.amazonaws.com");
  region_is(BEDROCK(WITH_KEY ",'base_url':'https://"
                             "bedrock-runtime.eu-west-3.amazonaws.com'"),
            "eu-west-3", "https://bedrock-runtime.eu-west-3.amazonaws.com");
  region_is(BEDROCK(WITH_KEY ",'region':'eu-west-1'"), "eu-west-1",
            "https://bedrock-runtime.eu-west-1.amazonaws.com");
  region_is(BEDROCK(WITH_KEY ",'region':'eu-west-1','base_url':'http://h'"),
            "eu-west-1", "http://h");
}

static void
may_be_missing_where_the_address_is_given(void **state)
{
  (void)state;
  region_is(BEDROCK(WITH_KEY ",'base_url':'http://h'"), NULL, "http://h");
}

static void
is_refused_where_it_is_none(void **state)
{
  (void)state;
  refused(BEDROCK(WITH_KEY ",'region':'us east'"),
          "providers[0].region: expected a region, as in 'us-east-1'");
  refused(BEDROCK(WITH_KEY ",'region':'evil.example/'"),
          "providers[0].region: expected a region, as in 'us-east-1'");
  setenv("AWS_REGION", "a.b", 1);
  refused(BEDROCK(WITH_KEY), "AWS_REGION: expected a region, as in "
                             "'us-east-1'");
  refused("{'providers':[{'name':'o','type':'openai','region':'us-east-1',"
          "'api_key':'k'}]}",
          "providers[0].region: its type has no regions");
}

/* The key of the environment goes to AWS, under whatever address, and to
 * nobody else. */
static void
the_environments_key_stays_with_its_service(void **state)
{
  (void)state;
  setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
  inf_config *config = compiled(
      BEDROCK(",'base_url':'https://vpce-1a-b.bedrock-runtime.us-east-1.vpce."
              "amazonaws.com'"));
  assert_string_equal(config->providers[0].keys[0].secret, "AKID:secret");
  inf_config_unref(config);
  config = compiled(BEDROCK(",'base_url':'https://evil.example'"));
  assert_int_equal(config->providers[0].key_count, 0);
  inf_config_unref(config);
  config = compiled("{'providers':[{'name':'o','type':'openai','base_url':"
                    "'https://x.us-east-1.amazonaws.com'}]}");
  assert_int_equal(config->providers[0].key_count, 0);
  inf_config_unref(config);
}

static void
tells_which_key_is_missing(void **state)
{
  (void)state;
  refused(BEDROCK(",'region':'us-east-1'"),
          "provider 'b': no API key (set AWS_BEARER_TOKEN_BEDROCK or api_key)");
  setenv("AWS_ACCESS_KEY_ID", "AKID\n", 1);
  setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
  refused(BEDROCK(",'region':'us-east-1'"),
          "AWS_ACCESS_KEY_ID: the key contains control characters");
}

static void
expands_an_address(void **state)
{
  (void)state;
  inf_buf out;
  inf_buf_init(&out, 100);
  inf_region_expand("https://a.{region}.b/c", "r-1", "", &out);
  inf_region_expand(" plain", "r-1", "", &out);
  assert_string_equal(inf_buf_cstr(&out), "https://a.r-1.b/c plain");
  inf_buf_fini(&out);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, clear_environment)
      TEST(comes_from_the_nearest_place),
      TEST(may_be_missing_where_the_address_is_given),
      TEST(is_refused_where_it_is_none),
      TEST(the_environments_key_stays_with_its_service),
      TEST(tells_which_key_is_missing),
      TEST(expands_an_address),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
