/* SPDX-License-Identifier: MIT */
/* Calls with budgets, of which a collector hears: within a limit, at it, with a
 * file, for embeddings, in parts. Whatever fails, nothing stays reserved and no
 * limit is passed. */
#include "oom.h"

#include "support/fake_client.h"

#include "engine/budgets.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct setting {
  fake_net net;
  infer_client *client;
} setting;

static char folder[64];

static void
remove_files(void)
{
  static const char *const ends[] = {"", ".old", ".bad", ".lock", ".new"};
  char path[128];
  for (size_t i = 0; folder[0] && i < sizeof ends / sizeof ends[0]; i++) {
    snprintf(path, sizeof path, "%s/spent%s", folder, ends[i]);
    unlink(path);
  }
}

void
oom_budgets_end(void)
{
  remove_files();
  if (folder[0])
    rmdir(folder);
}

/* "file": what is spent is kept in one. A token costs a micro-dollar at a, at b
 * nothing. */
static infer_config *
config_of(const char *kind)
{
  char text[1536];
  bool file = strcmp(kind, "file") == 0;
  if (file && !folder[0]) {
    snprintf(folder, sizeof folder, "/tmp/infer-oom-XXXXXX");
    assert_non_null(mkdtemp(folder));
  }
  remove_files();
  snprintf(text, sizeof text,
           "{'providers':["
           "{'name':'a','type':'openai','base_url':'http://a.test/v1',"
           "'api_key':'k','proxy':'none','embed_inputs':1,"
           "'prices':{'*':{'input':1,'output':1}}},"
           "{'name':'b','type':'openai','base_url':'http://b.test/v1',"
           "'api_key':'k','proxy':'none',"
           "'prices':{'*':{'input':0,'output':0}}}],"
           "'routes':{'r':{'targets':['a/m','b/m']},"
           "'alone':{'targets':['a/m']}},'defaults':{'retries':0},"
           "'budgets':["
           "{'name':'all','usd':0.0001,'at_limit':'cheaper'},"
           "{'name':'day','per':'tenant','period':'day','usd':0.0001,"
           "'at_limit':'cheaper','warn':0.1},"
           "{'name':'team','per':'tag:team','tokens':100000}],"
           "'metrics_tenants':2,"
           "'telemetry':{'otlp':{'endpoint':'http://otel.test'}}%s%s%s}",
           file ? ",'budgets_file':'" : "", file ? folder : "",
           file ? "/spent'" : "");
  return oom_config_of(text, "0");
}

static bool
set_up(setting *at, const char *kind)
{
  *at = (setting){.client = NULL};
  fake_net_init(&at->net);
  at->client = oom_client_of(&at->net, config_of(kind));
  fake_reply(fake_script_for(&at->net, "http://otel.test"), 1, 200, NULL, "{}");
  fake_stream_all(fake_script_for(&at->net, "http://a.test"), 1, "Hello");
  fake_stream_all(fake_script_for(&at->net, "http://b.test"), 1, "Hello");
  return at->client;
}

/* Nothing of them is reserved any more, and none was passed. */
static void
check_account(void *context, const inf_budgets_view *view)
{
  size_t *count = context;
  assert_int_equal(view->reserved.nano_usd, 0);
  assert_int_equal(view->reserved.tokens, 0);
  if (view->limit.nano_usd >= 0)
    assert_true(view->spent.nano_usd <= view->limit.nano_usd);
  ++*count;
}

static void
tear_down(setting *at)
{
  if (at->client) {
    size_t accounts = 0;
    oom_end_shortage();
    inf_budgets_each(at->client->runtime, at->net.clock.wall_ns(&at->net),
                     check_account, &accounts);
    assert_true(accounts > 0 || oom_hits() > 0);
    infer_client_close(at->client, 100);
  }
  infer_client_free(at->client);
  fake_net_fini(&at->net);
}

/* NULL: out of memory. */
static infer_request *
request_of(const char *model, int64_t max_tokens)
{
  infer_request *request = NULL;
  if (!oom_is_ok(infer_request_new(&request, model), NULL))
    return NULL;
  if (oom_is_ok(infer_request_set_tenant(request, "acme"), NULL) &&
      oom_is_ok(infer_request_set_tag(request, "team", "blue"), NULL) &&
      (max_tokens == 0 ||
       (oom_is_ok(infer_request_add_message(request, "user", "Hi"), NULL) &&
        oom_is_ok(infer_request_set_int(request, "max_tokens", max_tokens),
                  NULL))))
    return request;
  infer_request_free(request);
  return NULL;
}

/* With 60 tokens at most one call fits at a, the next goes to b. */
static void
within_the_limit(void *kind)
{
  setting at;
  if (set_up(&at, kind))
    for (int i = 0; i < 3; i++) {
      infer_request *request = request_of("r", 60);
      infer_response *response = NULL;
      infer_error *error = NULL;
      if (request &&
          oom_is_ok(infer_chat(at.client, request, &response, &error), &error))
        assert_string_equal(infer_response_text(response, NULL), "Hello");
      infer_response_free(response);
      infer_request_free(request);
    }
  tear_down(&at);
}

/* No answer of that length is paid for. */
static void
at_the_limit(void *kind)
{
  setting at;
  infer_request *request = NULL;
  if (set_up(&at, kind) && (request = request_of("alone", 500))) {
    infer_error *error = NULL;
    int32_t status = infer_chat(at.client, request, NULL, &error);
    oom_fails(status, &error, INFER_E_BUDGET);
    assert_int_equal(at.net.request_count, 0);
  }
  infer_request_free(request);
  tear_down(&at);
}

/* Two parts. */
static void
embeddings(void *kind)
{
  setting at;
  infer_request *request = NULL;
  if (set_up(&at, kind) && (request = request_of("a/m", 0)) &&
      oom_is_ok(infer_request_add_input(request, "x"), NULL) &&
      oom_is_ok(infer_request_add_input(request, "y"), NULL)) {
    fake_reply(fake_script_for(&at.net, "http://a.test"), 1, 200, NULL,
               "{\"data\":[{\"index\":0,\"embedding\":[1,0.5]}],"
               "\"usage\":{\"prompt_tokens\":1}}");
    infer_embeddings *got = NULL;
    infer_error *error = NULL;
    if (oom_is_ok(infer_embed(at.client, request, &got, &error), &error))
      assert_true(infer_embeddings_vector(got, 1)[1] == 0.5f);
    infer_embeddings_free(got);
  }
  infer_request_free(request);
  tear_down(&at);
}

static const oom_scenario scenarios[] = {
    {"calls within a budget", within_the_limit, ""},
    {"calls within a budget that has a file", within_the_limit, "file"},
    {"a call at the limit", at_the_limit, ""},
    {"embeddings within a budget", embeddings, ""},
};

const oom_suite oom_budgets = OOM_SUITE(scenarios);
