/* SPDX-License-Identifier: MIT */
/* Lists of models: addresses, pages and entries of each dialect, and a call
 * that goes through the pages. */
#include "support/fake_client.h"

#include "provider/model_list.h"
#include "wire/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Two pages at most, and the models that they list. */
static const struct listing {
  const char *type;
  const char *urls[3], *pages[3], *ids[5];
  const char *base; /* NULL: http://a.test/v1 */
  const char *body; /* of the requests; NULL: none */
} listings[] = {
    {"openai",
     {"http://a.test/v1/models"},
     {"{\"data\":[{\"id\":\"x\"},{\"id\":\"y\"}],\"has_more\":false}"},
     {"x", "y"},
     NULL,
     NULL},
    {"openai-responses",
     {"http://a.test/v1/models"},
     {"{\"data\":[{\"id\":\"x\"}]}"},
     {"x"},
     NULL,
     NULL},
    {"azure-openai",
     {"http://a.test/v1/models"},
     {"{\"data\":[{\"id\":\"x\"}]}"},
     {"x"},
     NULL,
     NULL},
    {"azure-openai-deployments",
     {"http://a.test/v1/models?api-version=2024-10-21"},
     {"{\"data\":[{\"id\":\"x\"}]}"},
     {"x"},
     NULL,
     NULL},
    {"anthropic",
     {"http://a.test/v1/models?limit=1000",
      "http://a.test/v1/models?limit=1000&after_id=y"},
     {"{\"data\":[{\"id\":\"x\"},{\"id\":\"y\"}],\"has_more\":true,"
      "\"last_id\":\"y\"}",
      "{\"data\":[{\"id\":\"z\"}],\"has_more\":false,\"last_id\":\"z\"}"},
     {"x", "y", "z"},
     NULL,
     NULL},
    {"gemini",
     {"http://a.test/v1/models?pageSize=1000",
      "http://a.test/v1/models?pageSize=1000&pageToken=a%2Fb%3D"},
     {"{\"models\":[{\"name\":\"models/x\"}],\"nextPageToken\":\"a/b=\"}",
      "{\"models\":[{\"name\":\"models/y\"}]}"},
     {"x", "y"},
     NULL,
     NULL},
    {"cohere",
     {"http://a.test/v1/v1/models?page_size=1000",
      "http://a.test/v1/v1/models?page_size=1000&page_token=t"},
     {"{\"models\":[{\"name\":\"x\"}],\"next_page_token\":\"t\"}",
      "{\"models\":[{\"name\":\"y\"}],\"next_page_token\":\"\"}"},
     {"x", "y"},
     NULL,
     NULL},
    {"ollama",
     {"http://a.test/v1/api/tags"},
     {"{\"models\":[{\"name\":\"x:1b\",\"model\":\"x:1b\"}]}"},
     {"x:1b"},
     NULL,
     NULL},
    {"bedrock",
     {"http://a.test/v1/foundation-models",
      "http://a.test/v1/inference-profiles?maxResults=1000",
      "http://a.test/v1/inference-profiles?maxResults=1000&nextToken=n"},
     {"{\"modelSummaries\":[{\"modelId\":\"x\",\"modelName\":\"X\"}]}",
      "{\"inferenceProfileSummaries\":[{\"inferenceProfileId\":\"us.x\","
      "\"inferenceProfileName\":\"X\"}],\"nextToken\":\"n\"}",
      "{\"inferenceProfileSummaries\":[{\"inferenceProfileId\":\"eu.x\"}]}"},
     {"x", "us.x", "eu.x"},
     NULL,
     NULL},
    {"vertex",
     {"http://a.test/v1beta1/publishers/google/models?pageSize=100",
      "http://a.test/v1beta1/publishers/google/models?pageSize=100&pageToken="
      "t"},
     {"{\"publisherModels\":[{\"name\":\"publishers/google/models/x\","
      "\"versionId\":\"1\"}],\"nextPageToken\":\"t\"}",
      "{\"publisherModels\":[{\"name\":\"publishers/google/models/y\"}]}"},
     {"x", "y"},
     "http://a.test/v1/projects/p/locations/l",
     NULL},
    {"vertex-anthropic",
     {"http://a.test/v1beta1/publishers/anthropic/models?pageSize=100",
      "http://a.test/v1beta1/publishers/anthropic/models?pageSize=100&pageToken"
      "=t"},
     {"{\"publisherModels\":[{\"name\":\"publishers/anthropic/models/x\"}],"
      "\"nextPageToken\":\"t\"}",
      "{\"publisherModels\":[]}"},
     {"x"},
     "http://a.test/v1/projects/p/locations/l",
     NULL},
    {"databricks",
     {"http://a.test/api/2.0/serving-endpoints"},
     {"{\"endpoints\":[{\"id\":\"7f\",\"name\":\"x\",\"task\":\"llm/v1/chat\"}"
      "]}"},
     {"x"},
     "http://a.test/serving-endpoints",
     NULL},
    {"snowflake",
     {"http://a.test/api/v2/cortex/models"},
     {"{\"models\":[\"x\",{\"name\":\"y\"}]}"},
     {"x", "y"},
     "http://a.test/api/v2/cortex/v1",
     "{}"},
    {"cloudflare",
     {"http://a.test/accounts/7/ai/models/search?per_page=100",
      "http://a.test/accounts/7/ai/models/search?per_page=100&page=2"},
     {"{\"success\":true,\"result\":[{\"id\":\"429b\",\"name\":\"@cf/m/x\"}],"
      "\"result_info\":{\"page\":1,\"per_page\":100,\"total_count\":101}}",
      "{\"success\":true,\"result\":[{\"id\":\"7f1a\",\"name\":\"@cf/m/y\"}],"
      "\"result_info\":{\"page\":2,\"per_page\":100,\"total_count\":101}}"},
     {"@cf/m/x", "@cf/m/y"},
     "http://a.test/accounts/7/ai/v1",
     NULL},
    {"github-models",
     {"http://a.test/catalog/models"},
     {"[{\"id\":\"openai/x\",\"name\":\"X\"}]"},
     {"openai/x"},
     "http://a.test/inference",
     NULL},
    {"cohere-compatible",
     {"http://a.test/v1/models?page_size=1000",
      "http://a.test/v1/models?page_size=1000&page_token=t"},
     {"{\"models\":[{\"name\":\"x\"}],\"next_page_token\":\"t\"}",
      "{\"models\":[{\"name\":\"y\"}]}"},
     {"x", "y"},
     "http://a.test/compatibility/v1",
     NULL},
    /* Not the service's own address: the list stands below it. */
    {"databricks",
     {"http://a.test/proxy/api/2.0/serving-endpoints"},
     {"{\"endpoints\":[]}"},
     {NULL},
     "http://a.test/proxy",
     NULL},
    {"github-models",
     {"http://inference.test/catalog/models"},
     {"[]"},
     {NULL},
     "http://inference.test",
     NULL},
    /* Pages of Cloudflare's that do not tell how many there are. */
    {"cloudflare",
     {"http://a.test/ai/models/search?per_page=100"},
     {"{\"result\":[{\"name\":\"x\"}],\"result_info\":{\"page\":1}}"},
     {"x"},
     "http://a.test/ai/v1",
     NULL},
    /* Nor one whose product is beyond 64 bits. */
    {"cloudflare",
     {"http://a.test/ai/models/search?per_page=100"},
     {"{\"result\":[{\"name\":\"x\"}],\"result_info\":{\"page\":4,"
      "\"per_page\":4611686018427387904,"
      "\"total_count\":9223372036854775807}}"},
     {"x"},
     "http://a.test/ai/v1",
     NULL},
    {"cloudflare",
     {"http://a.test/ai/models/search?per_page=100"},
     {"{\"result\":[],\"result_info\":{\"page\":1,\"per_page\":100,"
      "\"total_count\":900}}"},
     {NULL},
     "http://a.test/ai/v1",
     NULL},
};

static fake_client *
client_at(const char *type, const char *base)
{
  char name[64], url[128];
  snprintf(name, sizeof name, "'%s'", type);
  snprintf(url, sizeof url, "'%s'", base ? base : "http://a.test/v1");
  return fake_client_new("providers.a.type", name, "providers.a.base_url", url,
                         "providers.a.region",
                         strcmp(type, "bedrock") == 0 ? "'us-east-1'" : "null",
                         NULL);
}

static fake_client *
client_of(const char *type)
{
  return client_at(type, NULL);
}

static void
check_listing(const struct listing *given)
{
  fake_client *fake = client_at(given->type, given->base);
  size_t pages = 0, ids = 0;
  for (; pages < 3 && given->pages[pages]; pages++)
    fake_reply(fake_script_next(&fake->net), 5, 200, NULL, given->pages[pages]);
  infer_model_list *models;
  infer_error *error;
  if (infer_models(fake->client, "a", 1000, &models, &error) != INFER_OK)
    fail_msg("%s: %s", given->type, infer_error_message(error));
  assert_int_equal(fake->net.request_count, pages);
  for (size_t i = 0; i < pages; i++) {
    assert_string_equal(fake->net.requests[i].url, given->urls[i]);
    assert_string_equal(fake->net.requests[i].method, "GET");
    assert_string_equal(fake->net.requests[i].body,
                        given->body ? given->body : "");
    assert_int_equal(strstr(fake->net.requests[i].headers, "Content-Type") !=
                         NULL,
                     given->body != NULL);
  }
  for (; given->ids[ids]; ids++)
    assert_string_equal(infer_model_list_id(models, ids), given->ids[ids]);
  assert_int_equal(infer_model_list_count(models), ids);
  infer_model_list_free(models);
  fake_client_free(fake);
}

static void
each_dialect_lists_its_models(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof listings / sizeof listings[0]; i++)
    check_listing(&listings[i]);
}

/* Every dialect of the catalogue is in the table above, or in the next test. */
static void
every_dialect_has_a_list(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const inf_dialect *dialect = inf_provider_kind_at(i)->dialect;
    bool found = dialect == &inf_dialect_bedrock_openai;
    for (size_t k = 0; k < sizeof listings / sizeof listings[0]; k++)
      found = found ||
              inf_provider_kind_find(inf_sv_from(listings[k].type))->dialect ==
                  dialect;
    if (!found)
      fail_msg("nothing lists the models of %s", dialect->name);
  }
}

/* Who has no list says so by name, without asking. */
static void
who_has_no_list_says_why(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"perplexity", "provider \"a\": Perplexity (type \"perplexity\") has no "
                     "list of models: the one it has is of its Agent API's "
                     "models"},
      {"azure-ai", "provider \"a\": Azure AI model inference (type "
                   "\"azure-ai\") has no list of models: Azure tells "
                   "deployments by its management API only, and /info of one "
                   "at a time"},
      {"azure-anthropic",
       "provider \"a\": Anthropic's models on Azure AI Foundry (type "
       "\"azure-anthropic\") has no list of models: Azure tells deployments by "
       "its management API only"},
      {"vertex-express", "provider \"a\": Google Gemini on Vertex AI, express "
                         "mode (type \"vertex-express\") has no list of "
                         "models: its pages name none for express mode"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    fake_client *fake = client_of(cases[i][0]);
    infer_model_list *models;
    infer_error *error;
    assert_int_equal(infer_models(fake->client, "a", 1000, &models, &error),
                     INFER_E_UNSUPPORTED);
    assert_string_equal(infer_error_message(error), cases[i][1]);
    assert_null(models);
    assert_int_equal(fake->net.request_count, 0);
    infer_error_free(error);
    fake_client_free(fake);
  }
}

/* Every type has a list, or a reason why it has none, which the manual gives
 * too. */
static void
every_type_has_a_list_or_a_reason(void **state)
{
  (void)state;
  for (size_t i = 0; i < inf_provider_kind_count(); i++) {
    const inf_provider_kind *kind = inf_provider_kind_at(i);
    if (!kind->models_path == !kind->no_models)
      fail_msg("%s", kind->type);
  }
}

static void
bedrock_lists_at_another_host(void **state)
{
  (void)state;
  static const char *const cases[][2] = {
      {"https://bedrock-runtime.us-east-1.amazonaws.com",
       "https://bedrock.us-east-1.amazonaws.com"},
      {"https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
       "https://bedrock.us-east-1.amazonaws.com"},
      {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
      {"https://proxy.test/bedrock-runtime.x",
       "https://proxy.test/bedrock-runtime.x"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    inf_buf out;
    inf_buf_init(&out, 1024);
    inf_bedrock_list_base(inf_sv_from(cases[i][0]), &out);
    assert_string_equal(inf_buf_cstr(&out), cases[i][1]);
    inf_buf_fini(&out);
  }
}

static void
a_signed_list_is_a_get(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.a.type", "'bedrock'", "providers.a.region", "'us-east-1'",
      "providers.a.api_key", "'AKID:secret'", NULL);
  fake_reply(fake_script_always(&fake->net), 5, 200, NULL,
             "{\"modelSummaries\":[]}");
  infer_model_list *models;
  assert_int_equal(infer_models(fake->client, "a", 1000, &models, NULL),
                   INFER_OK);
  assert_contains(fake->net.requests[0].headers, "AWS4-HMAC-SHA256");
  assert_lacks(fake->net.requests[0].headers, "Bearer");
  assert_int_equal(fake->net.request_count, 2);
  infer_model_list_free(models);
  fake_client_free(fake);
}

/* A page that fails is asked for again, and none is lost or doubled. */
static void
a_page_is_retried_by_itself(void **state)
{
  (void)state;
  const struct listing *given = &listings[5];
  fake_client *fake = client_of("gemini");
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL, given->pages[0]);
  fake_reply(fake_script_next(&fake->net), 5, 503, NULL, "");
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL, given->pages[1]);
  infer_model_list *models;
  assert_int_equal(infer_models(fake->client, "a", 5000, &models, NULL),
                   INFER_OK);
  assert_int_equal(infer_model_list_count(models), 2);
  assert_string_equal(fake->net.requests[2].url, given->urls[1]);
  infer_model_list_free(models);
  fake_client_free(fake);
}

/* Each page promises another one. */
static void
pages_without_end_are_an_error(void **state)
{
  (void)state;
  fake_client *fake = client_of("gemini");
  for (int i = 0; i < 60; i++) {
    char page[128];
    snprintf(page, sizeof page,
             "{\"models\":[{\"name\":\"m%d\"}],\"nextPageToken\":\"%d\"}", i,
             i);
    fake_reply(fake_script_next(&fake->net), 1, 200, NULL, page);
  }
  infer_model_list *models;
  infer_error *error;
  assert_int_equal(infer_models(fake->client, "a", 5000, &models, &error),
                   INFER_E_TOO_LARGE);
  assert_null(models);
  assert_int_equal(fake->net.request_count, INF_MODEL_LIST_MAX_PAGES);
  infer_error_free(error);
  fake_client_free(fake);
}

/* The same page again and again is the last one. */
static void
a_page_that_repeats_itself_is_the_last(void **state)
{
  (void)state;
  fake_client *fake = client_of("gemini");
  fake_reply(fake_script_always(&fake->net), 1, 200, NULL,
             "{\"models\":[{\"name\":\"m\"}],\"nextPageToken\":\"t\"}");
  infer_model_list *models;
  assert_int_equal(infer_models(fake->client, "a", 5000, &models, NULL),
                   INFER_OK);
  assert_int_equal(fake->net.request_count, 2);
  infer_model_list_free(models);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_dialect_lists_its_models),
      cmocka_unit_test(every_dialect_has_a_list),
      cmocka_unit_test(who_has_no_list_says_why),
      cmocka_unit_test(every_type_has_a_list_or_a_reason),
      cmocka_unit_test(bedrock_lists_at_another_host),
      cmocka_unit_test(a_signed_list_is_a_get),
      cmocka_unit_test(a_page_is_retried_by_itself),
      cmocka_unit_test(pages_without_end_are_an_error),
      cmocka_unit_test(a_page_that_repeats_itself_is_the_last),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
