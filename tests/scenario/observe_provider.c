/* SPDX-License-Identifier: MIT */
/* Options of a provider that show in what it is sent: see observe.h. */
#include "observe.h"

#include "support/token_house.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The header as the provider sees it under the configuration. */
static void
expect_header(const char *config, const char *header, const char *value)
{
  json_object *log = observe_log(config, "p/m");
  assert_string_equal(log_header(log, 0, header), value);
  json_object_put(log);
}

/* A member of the provider's log, as text. */
static void
expect_logged(const char *config, const char *model, const char *member,
              const char *value)
{
  json_object *log = observe_log(config, model);
  assert_string_equal(log_text(log, 0, member), value);
  json_object_put(log);
}

void
observe_name(void **state)
{
  (void)state;
  static const char other[] =
      "{'providers':[{'name':'my.house','type':'openai','base_url':'$1'}]}";
  world w = observe_world(OK_SCRIPT, other);
  outcome o = world_chat(&w, "my.house/m");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(infer_response_provider(o.response), "my.house");
  outcome_end(&o);
  world_end(&w);
  assert_int_equal(
      observe_status(OK_SCRIPT, ONE("", ""), "my.house/m", false, NULL),
      INFER_E_CONFIG);
}

/* Kinds differ in the headers that tell the id of a request. */
static void
expect_request_id(const char *config, const char *id)
{
  world w = observe_world("{'defaults':{'text':'ok','headers':{'x-request-id':'"
                          "','request-id':'id-1'}}}",
                          config);
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(infer_response_request_id(o.response), id);
  outcome_end(&o);
  world_end(&w);
}

void
observe_type(void **state)
{
  (void)state;
  expect_request_id(ONE("", ""), "id-1");
  expect_request_id("{'providers':[{'name':'p','type':'clarifai','base_url':"
                    "'$1'}]}",
                    "");
}

void
observe_base_url(void **state)
{
  (void)state;
  expect_logged(ONE("", ""), "p/m", "path", "/v1/chat/completions");
  world w = observe_world("{'rules':[{'when':{'path':'/v1/deep/*'},'do':{"
                          "'status':418}}]}",
                          "{'providers':[{'name':'p','type':'openai',"
                          "'base_url':'$1/deep/er/'}]}");
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(infer_error_http_status(o.error), 418);
  outcome_end(&o);
  json_object *log = world_log(&w, 1, 1);
  assert_string_equal(log_text(log, 0, "path"), "/v1/deep/er/chat/completions");
  json_object_put(log);
  world_end(&w);
}

void
observe_api_key(void **state)
{
  (void)state;
  expect_logged(ONE(",'api_key':'sk-0123456789-abcd'", ""), "p/m", "key",
                "abcd");
  expect_logged(ONE(",'api_key':['sk-0123456789-wxyz']", ""), "p/m", "key",
                "wxyz");
  expect_logged(ONE("", ""), "p/m", "key", "");
}

/* It is part of what is signed: without one nothing is sent. */
void
observe_region(void **state)
{
  (void)state;
  static const char *const members[] = {"", ",'region':'eu-west-1'"};
  unsetenv("AWS_REGION");
  unsetenv("AWS_DEFAULT_REGION");
  for (int i = 0; i < 2; i++) {
    char config[256];
    snprintf(config, sizeof config,
             "{'providers':[{'name':'p','type':'bedrock','base_url':'$1',"
             "'api_key':'AKID:secret'%s}]}",
             members[i]);
    world w = observe_world("{}", config);
    outcome o = world_chat(&w, "p/m");
    assert_int_equal(infer_error_http_status(o.error), i == 0 ? 0 : 404);
    if (i == 0)
      assert_non_null(strstr(infer_error_message(o.error), "no AWS region"));
    outcome_end(&o);
    world_end(&w);
  }
}

/* A provider without another key, whose calls show a token of the account. */
void
observe_google_credentials(void **state)
{
  token_house house;
  char text[512];
  (void)state;
  world w = {0};
  world_folder(&w);
  house_start(&house);
  house_write_account(&house, w.folder, "sa");
  snprintf(text, sizeof text,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'http://127.0.0.1:%d','upstream':'unary',"
           "'google_credentials':'file:$DIR/sa.json'}]}",
           tiny_port(house.server));
  world_client(&w, text);
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(house.authorization, "Bearer ya29.token-1");
  outcome_end(&o);
  world_end(&w);
  house_stop(&house);
}

void
observe_organization(void **state)
{
  (void)state;
#define KEYED ",'api_key':'sk-0123456789'"
  expect_header(ONE(KEYED ",'organization':'org-7'", ""), "openai-organization",
                "org-7");
  expect_header(ONE(KEYED, ""), "openai-organization", "");
}

void
observe_project(void **state)
{
  (void)state;
  expect_header(ONE(KEYED ",'project':'proj-7'", ""), "openai-project",
                "proj-7");
  expect_header(ONE(KEYED, ""), "openai-project", "");
}

void
observe_auth_scheme(void **state)
{
  (void)state;
  expect_header(ONE(KEYED, ""), "authorization", "Bearer ***");
  expect_header(ONE(KEYED ",'auth_scheme':'Key'", ""), "authorization",
                "Key ***");
  expect_header(ONE(KEYED ",'auth_scheme':'none'", ""), "authorization", "");
}

void
observe_labels(void **state)
{
  (void)state;
  static const char *const configs[] = {ONE(",'labels':['eu','house']", ""),
                                        ONE("", "")};
  static const int32_t expected[] = {INFER_OK, INFER_E_NO_TARGET};
  for (int i = 0; i < 2; i++) {
    world w = observe_world(OK_SCRIPT, configs[i]);
    infer_request *request = world_request("p/m", "x");
    infer_request_require_label(request, "eu");
    outcome o = world_run(&w, request, false);
    assert_int_equal(o.status, expected[i]);
    assert_int_equal(world_requests(&w, 1), i == 0);
    outcome_end(&o);
    infer_request_free(request);
    world_end(&w);
  }
}

void
observe_headers(void **state)
{
  (void)state;
  expect_header(ONE(",'headers':{'X-Team':'red'}", ""), "x-team", "red");
  expect_header(ONE("", ""), "x-team", "");
}

void
observe_query(void **state)
{
  (void)state;
  expect_logged(ONE(",'query':{'api-version':'2024 06'}", ""), "p/m", "path",
                "/v1/chat/completions?api-version=2024%2006");
}

/* Member "seed" of the request's body, or -1. */
static int64_t
seed_seen(const char *config)
{
  json_object *log = observe_log(config, "p/m"), *seed;
  int64_t value = json_object_object_get_ex(log_body(log, 0), "seed", &seed)
                      ? json_object_get_int64(seed)
                      : -1;
  json_object_put(log);
  return value;
}

void
observe_body(void **state)
{
  (void)state;
  assert_int_equal(seed_seen(ONE(",'body':{'seed':42}", "")), 42);
  assert_int_equal(seed_seen(ONE("", "")), -1);
}

void
observe_models(void **state)
{
  (void)state;
  expect_logged(ONE(",'models':{'small':'vendor/tiny-1'}", ""), "p/small",
                "model", "vendor/tiny-1");
  expect_logged(ONE("", ""), "p/small", "model", "small");
}

void
observe_provider_upstream(void **state)
{
  (void)state;
  expect_logged(ONE("", ""), "p/m", "stream", "true");
  expect_logged(ONE(",'upstream':'unary'", ""), "p/m", "stream", "false");
}

void
observe_compression(void **state)
{
  (void)state;
  expect_header(ONE("", ""), "accept-encoding", "gzip");
  expect_header(ONE(",'compression':false", ""), "accept-encoding", "");
}

/* ---- Keys ---------------------------------------------------------------- */

void
observe_key(void **state)
{
  (void)state;
  expect_logged(ONE(",'api_key':[{'key':'sk-0123456789-efgh'}]", ""), "p/m",
                "key", "efgh");
}

#define ORGANIZED(member)                                             \
  ONE(",'organization':'org-p','project':'proj-p','api_key':[{'key':" \
      "'sk-0123456789'" member "}]",                                  \
      "")

void
observe_key_organization(void **state)
{
  (void)state;
  expect_header(ORGANIZED(",'organization':'org-k'"), "openai-organization",
                "org-k");
  expect_header(ORGANIZED(""), "openai-organization", "org-p");
}

void
observe_key_project(void **state)
{
  (void)state;
  expect_header(ORGANIZED(",'project':'proj-k'"), "openai-project", "proj-k");
  expect_header(ORGANIZED(""), "openai-project", "proj-p");
}

/* How the texts are cut, as the server was asked; "" where nothing was said. */
static void
expect_truncate(const char *config, const char *own, const char *expected)
{
  world w = observe_world("{}", config);
  infer_request *request;
  infer_embeddings *got;
  assert_int_equal(infer_request_new(&request, "p/m"), INFER_OK);
  infer_request_add_input(request, "text");
  if (own)
    assert_int_equal(infer_request_set_string(request, "truncate", own),
                     INFER_OK);
  assert_int_equal(infer_embed(w.client, request, &got, NULL), INFER_OK);
  infer_embeddings_free(got);
  infer_request_free(request);
  json_object *log = world_log(&w, 1, 1), *truncate;
  bool said =
      json_object_object_get_ex(log_body(log, 0), "truncate", &truncate);
  assert_string_equal(said ? json_object_get_string(truncate) : "", expected);
  json_object_put(log);
  world_end(&w);
}

void
observe_embed_body(void **state)
{
  (void)state;
  expect_truncate(ONE(",'embed_body':{'truncate':'END'}", ""), NULL, "END");
  expect_truncate(ONE(",'embed_body':{'truncate':'END'}", ""), "NONE", "NONE");
  expect_truncate(ONE(",'body':{'truncate':'END'}", ""), NULL, "");
}

void
observe_embed_inputs(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    world w =
        observe_world("{}", i ? ONE(",'embed_inputs':2", "") : ONE("", ""));
    infer_request *request;
    assert_int_equal(infer_request_new(&request, "p/m"), INFER_OK);
    for (int k = 0; k < 5; k++)
      infer_request_add_input(request, "text");
    infer_embeddings *got;
    assert_int_equal(infer_embed(w.client, request, &got, NULL), INFER_OK);
    assert_int_equal(infer_embeddings_count(got), 5);
    infer_embeddings_free(got);
    infer_request_free(request);
    assert_int_equal(world_requests(&w, 1), i ? 3 : 1);
    world_end(&w);
  }
}
