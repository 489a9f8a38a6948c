/* SPDX-License-Identifier: MIT */
/* Calls that need a token: of a service account, of the application, and of
 * one that was refused. */
#include "oom.h"

#include "support/fake_client.h"
#include "support/token_house.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TOKEN_URI "http://127.0.0.1:1/token"
#define TOKEN     "{\"access_token\":\"ya29.a\",\"expires_in\":3600}"

static char folder[64];

void
oom_tokens_end(void)
{
  static const char *const names[] = {"sa.json", "sa.pub"};
  char path[128];
  for (size_t i = 0; folder[0] && i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  if (folder[0])
    rmdir(folder);
}

typedef struct setting {
  fake_net net;
  infer_client *client;
  infer_request *request;
} setting;

/* Answers at once; what cannot be delivered is a failure. */
static void
on_question(infer_token_request *request, void *user_data)
{
  (void)user_data;
  oom_is_ok(infer_token_deliver(request, "token", INFER_NUL_TERMINATED, 0),
            NULL);
}

static infer_config *
config_of(const char *kind)
{
  char text[512];
  bool google = strcmp(kind, "source") != 0;
  if (!folder[0]) {
    snprintf(folder, sizeof folder, "/tmp/infer-oom-XXXXXX");
    assert_non_null(mkdtemp(folder));
    token_write_account(TOKEN_URI, folder, "sa");
  }
  snprintf(text, sizeof text,
           "{'providers':[{'name':'a','type':'openai','base_url':"
           "'http://a.test/v1','proxy':'none'%s%s%s}],"
           "'defaults':{'retries':0}}",
           google ? ",'google_credentials':'file:" : "", google ? folder : "",
           google ? "/sa.json'" : "");
  infer_config *config = oom_config_of(text, "0");
  if (google || !config ||
      oom_is_ok(infer_config_set_token_source(config, "a", on_question, NULL),
                NULL))
    return config;
  infer_config_free(config);
  return NULL;
}

static bool
set_up(setting *at, const char *kind)
{
  *at = (setting){.client = NULL};
  fake_net_init(&at->net);
  at->client = oom_client_of(&at->net, config_of(kind));
  return at->client &&
         oom_is_ok(infer_request_new(&at->request, "a/m"), NULL) &&
         oom_is_ok(infer_request_add_message(at->request, "user", "Hi"), NULL);
}

static void
call(setting *at)
{
  infer_response *response = NULL;
  infer_error *error = NULL;
  int32_t status = infer_chat(at->client, at->request, &response, &error);
  if (oom_is_ok(status, &error))
    assert_string_equal(infer_response_text(response, NULL), "Hello");
  infer_response_free(response);
}

static void
with_a_token(void *kind)
{
  setting at;
  if (set_up(&at, kind)) {
    fake_reply(fake_script_for(&at.net, TOKEN_URI), 1, 200, NULL, TOKEN);
    if (strcmp(kind, "refused") == 0)
      fake_reply(fake_script_for(&at.net, "http://a.test"), 1, 401, NULL, "{}");
    else
      fake_stream_all(fake_script_for(&at.net, "http://a.test"), 1, "Hello");
    if (strcmp(kind, "refused") == 0) {
      infer_error *error = NULL;
      int32_t status = infer_chat(at.client, at.request, NULL, &error);
      oom_fails(status, &error, INFER_E_AUTH);
      fake_stream_all(fake_script_for(&at.net, "http://a.test"), 1, "Hello");
    } else {
      call(&at);
    }
    oom_end_shortage();
    infer_error *error = NULL;
    int32_t status = infer_chat(at.client, at.request, NULL, &error);
    if (status != INFER_OK)
      fail_msg("%s", infer_error_message(error));
  }
  infer_request_free(at.request);
  infer_client_free(at.client);
  fake_net_fini(&at.net);
}

static const oom_scenario scenarios[] = {
    {"a token of a service account", with_a_token, "google"},
    {"a token of the application", with_a_token, "source"},
    {"a token that is refused", with_a_token, "refused"},
};

const oom_suite oom_tokens = OOM_SUITE(scenarios);
