/* SPDX-License-Identifier: MIT */
/* Configurations from a string, a file, option by option and from the
 * environment; checked, written down, used; good ones and bad ones. */
#include "oom.h"

#include "support/fake_client.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As many options as there are, each of which may need memory of its own. */
static const char rich[] =
    "{'threads':0,'max_calls':10,'x-note':[1,{'two':2}],'providers':["
    "{'name':'a','type':'openai','base_url':'http://a.test/v1',"
    "'api_key':['env:INFER_OOM_KEY','key-2'],'proxy':'none',"
    "'organization':'o','project':'p','labels':['x','y'],"
    "'headers':{'X-One':'1','X-Two':'2'},'query':{'v':'1'},"
    "'body':{'user':'u','deep':[[1]]},'models':{'alias':'m','other':'n'}},"
    "{'name':'b','type':'clarifai','api_key':'file:%s',"
    "'proxy':'http://proxy.test:3128','tls_verify':false,"
    "'resolve':['b.test:443:127.0.0.1']}],"
    "'defaults':{'timeouts':{'idle_ms':5000}},"
    "'routes':{'r':{'targets':['a/alias',{'target':'b/m','upstream':'unary'}],"
    "'recovery':'restart','require_labels':['x'],"
    "'failover_on':['tls_verify','content_filter'],"
    "'timeouts':{'first_token_ms':8000},'stay':{'retries':0}},"
    "'s':{'targets':['b/m']},"
    "'w':{'strategy':'weighted','sticky':'tag:x','targets':[{'target':'a/m',"
    "'weight':2,'price':{'input':1},'lacks':['tools'],'overrides':{"
    "'system_prompt':'be brief','seed':1}},'b/m']}}}";

/* Files that hold a key and the configuration that names it. */
static char key_file[64], config_file[64];

static void
write_file(char name[64], const char *format, const char *arg)
{
  snprintf(name, 64, "/tmp/infer-oom-XXXXXX");
  int fd = mkstemp(name);
  FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
  assert_non_null(file);
  char *json = oom_json(format), text[4096];
  int len = snprintf(text, sizeof text, strstr(json, "%s") ? json : "%s",
                     strstr(json, "%s") ? arg : json);
  assert_in_range(len, 1, sizeof text - 1);
  assert_true(fputs(text, file) >= 0);
  fclose(file);
  free(json);
}

static void
make_files(void)
{
  setenv("INFER_OOM_KEY", "key-1", 1);
  write_file(key_file, "key-of-file\n", "");
  write_file(config_file, rich, key_file);
}

static void
remove_files(void)
{
  unlink(key_file);
  unlink(config_file);
}

/* What there is to do with one: each may lack memory by itself. */
static void
use(infer_config *config)
{
  infer_error *error = NULL;
  char *json = NULL;
  size_t len;
  oom_is_ok(infer_config_check(config, &error), &error);
  if (oom_is_ok(infer_config_json(config, &json, &len), NULL)) {
    assert_int_equal(strlen(json), len);
    assert_null(strstr(json, "key-2"));
  } else {
    assert_null(json);
  }
  infer_text_free(json);
}

static void
from_file(void *unused)
{
  (void)unused;
  make_files();
  infer_config *config = NULL;
  infer_error *error = NULL;
  if (oom_is_ok(infer_config_from_file(&config, config_file, &error), &error))
    use(config);
  else
    assert_null(config);
  infer_config_free(config);
  remove_files();
}

static void
from_string(void *unused)
{
  (void)unused;
  make_files();
  char text[4096];
  char *format = oom_json(rich);
  snprintf(text, sizeof text, format, key_file);
  free(format);
  infer_config *config = NULL;
  infer_error *error = NULL;
  int32_t status =
      infer_config_from_json(&config, text, INFER_NUL_TERMINATED, &error);
  if (oom_is_ok(status, &error))
    use(config);
  else
    assert_null(config);
  infer_config_free(config);
  remove_files();
}

/* A set that fails leaves the configuration as it was, and usable. */
static void
option_by_option(void *unused)
{
  (void)unused;
  static const char *const options[][2] = {
      {"providers.a.type", "'openai'"},
      {"providers.a.base_url", "'http://a.test/v1'"},
      {"providers.a.api_key", "['k-1','k-2']"},
      {"providers.a.headers", "{'X-One':'1'}"},
      {"routes.r.targets", "['a/m']"},
      {"routes.r.timeouts.idle_ms", "7000"},
      {"routes.r.timeouts.idle_ms", "null"},
      {"x-mine.deep", "{'a':[1,2,3]}"},
  };
  infer_config *config = NULL;
  if (!oom_is_ok(infer_config_new(&config), NULL))
    return;
  for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
    infer_error *error = NULL;
    char *json = oom_json(options[i][1]);
    oom_is_ok(infer_config_set_json(config, options[i][0], json,
                                    INFER_NUL_TERMINATED, &error),
              &error);
    free(json);
  }
  infer_error *error = NULL;
  oom_is_ok(
      infer_config_set_string(config, "routes.r.recovery", "restart", &error),
      &error);
  error = NULL;
  oom_is_ok(infer_config_set_int(config, "max_calls", 5, &error), &error);
  oom_is_ok(infer_config_set_log(config, INFER_LOG_WARN, NULL, NULL), NULL);
  oom_is_ok(infer_config_set_telemetry(config, NULL, NULL, NULL), NULL);
  oom_end_shortage();
  /* What could not be set then can be set now. */
  error = NULL;
  char *json = oom_json("[{'name':'a','type':'openai','api_key':'k'}]");
  assert_int_equal(infer_config_set_json(config, "providers", json,
                                         INFER_NUL_TERMINATED, &error),
                   INFER_OK);
  free(json);
  assert_int_equal(infer_config_set_json(config, "routes", "null", 4, &error),
                   INFER_OK);
  if (infer_config_check(config, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  infer_config_free(config);
}

static void
a_bad_one(void *text)
{
  infer_config *config = NULL;
  infer_error *error = NULL;
  char *json = oom_json(text);
  int32_t status =
      infer_config_from_json(&config, json, INFER_NUL_TERMINATED, &error);
  if (status == INFER_OK)
    status = infer_config_check(config, &error);
  free(json);
  oom_fails(status, &error, INFER_E_CONFIG);
  infer_config_free(config);
}

static void
manual(void *unused)
{
  (void)unused;
  char *text = NULL;
  size_t len;
  if (oom_is_ok(infer_options_manual(&text, &len), NULL))
    assert_true(len > 1000 && strlen(text) == len);
  else
    assert_null(text);
  infer_text_free(text);
}

/* ---- Clients made of them ------------------------------------------------ */

static void
check_call(infer_client *client, const char *model)
{
  oom_end_shortage();
  infer_request *request = fake_request_new(model);
  infer_response *response = NULL;
  infer_error *error = NULL;
  if (infer_chat(client, request, &response, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  assert_string_equal(infer_response_text(response, NULL), "Hello");
  infer_response_free(response);
  infer_request_free(request);
}

/* No configuration: keys and proxies come from the environment. */
static void
from_the_environment(void *unused)
{
  (void)unused;
  setenv("OPENAI_API_KEY", "key", 1);
  setenv("CLARIFAI_PAT", "pat", 1);
  setenv("https_proxy", "http://proxy.test:1", 1);
  fake_net net;
  fake_net_init(&net);
  net.real_time = true; /* the client has a thread */
  fake_stream_all(fake_script_always(&net), 0, "Hello");
  infer_client *client = oom_client_over(&net, NULL);
  if (client)
    check_call(client, "openai/m");
  infer_client_free(client);
  fake_net_fini(&net);
  unsetenv("OPENAI_API_KEY");
  unsetenv("CLARIFAI_PAT");
  unsetenv("https_proxy");
}

/* A reload that fails changes nothing: also a rich one, also a bad one. */
static void
reload(void *text)
{
  static const char plain[] =
      "{'providers':[{'name':'a','type':'openai','auth_scheme':'none',"
      "'base_url':'http://a.test/v1','proxy':'none'}]}";
  fake_net net;
  fake_net_init(&net);
  fake_stream_all(fake_script_always(&net), 0, "Hello");
  infer_config *config = oom_config_of(plain, "0");
  infer_client *client = config ? oom_client_over(&net, config) : NULL;
  infer_config_free(config);
  infer_config *next = client ? oom_config_of(text, "0") : NULL;
  if (next) {
    infer_error *error = NULL;
    int32_t status = infer_client_reload(client, next, &error);
    if (status == INFER_E_CONFIG)
      oom_fails(status, &error, INFER_E_CONFIG);
    else
      oom_is_ok(status, &error);
  }
  infer_config_free(next);
  if (client)
    check_call(client, "a/m");
  infer_client_free(client);
  fake_net_fini(&net);
}

static const oom_scenario scenarios[] = {
    {"a configuration from a file", from_file, NULL},
    {"a configuration from a string", from_string, NULL},
    {"a configuration option by option", option_by_option, NULL},
    {"a configuration with an unknown option", a_bad_one,
     "{'providers':[{'name':'a','type':'openai','api_kee':'x'}]}"},
    {"a configuration with an unknown target", a_bad_one,
     "{'providers':[{'name':'a','type':'openai','api_key':'x'}],"
     "'routes':{'r':{'targets':['b/m']}}}"},
    {"a configuration without a key", a_bad_one,
     "{'providers':[{'name':'a','type':'openai','api_key':'env:NOT_THERE'}]}"},
    {"the manual of the options", manual, NULL},
    {"a client from the environment", from_the_environment, NULL},
    {"a reload", reload,
     "{'max_calls':7,'providers':[{'name':'a','type':'openai','api_key':"
     "['k-1','k-2'],'base_url':'http://a.test/v2','proxy':'none',"
     "'tls_verify':false,'headers':{'X-One':'1'},'models':{'x':'y'}},"
     "{'name':'b','type':'openai','api_key':'k','proxy':'none'}],"
     "'routes':{'r':{'targets':['a/x','b/m']},'s':{'targets':['b/m']}}}"},
    {"a reload of a bad configuration", reload,
     "{'providers':[{'name':'a','type':'openai','api_key':''}]}"},
};

const oom_suite oom_config = OOM_SUITE(scenarios);
