/* SPDX-License-Identifier: MIT */
/* Clients: what goes over the wire, secrets, reload, the dry run, model lists,
 * hooks, and the library as a guest in somebody's process. */
#include "world.h"

#include "support/tiny_server.h"

#include <curl/curl.h>
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- What goes over the wire --------------------------------------------- */

static void
test_the_request_as_the_provider_sees_it(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'ok'}}");
  world_client(
      &w,
      "{'providers':[{'name':'a','type':'openai','base_url':'$1','api_key':[{"
      "'key':'sk-the-key','organization':'org-1','project':'proj-1'}],"
      "'headers':{'X-Account':'yes'},'query':{'api version':'1&2'},'body':{"
      "'store':false,'temperature':0.1},'models':{'short':'very/long:name'}}"
      "]}");
  static const char json[] =
      "{\"model\":\"a/short\",\"messages\":[{\"role\":\"user\",\"content\":[{"
      "\"type\":\"text\",\"text\":\"a\\u0000b\"},{\"type\":\"image_url\","
      "\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}],\"x_unknown\":"
      "[1,{\"y\":null}]}],\"temperature\":0.7,\"seed\":1400000000000000001,"
      "\"brand_new_member\":{\"deep\":[1.10]},\"stream\":false}";
  infer_request *request;
  infer_error *error;
  assert_int_equal(
      infer_request_from_json(&request, json, sizeof json - 1, &error),
      INFER_OK);
  assert_int_equal(infer_request_set_header(request, "X-Call", "7"), INFER_OK);
  outcome o = world_run(&w, request, true);
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  infer_request_free(request);
  json_object *log = world_log(&w, 1, 1);
  assert_string_equal(log_text(log, 0, "path"),
                      "/v1/chat/completions?api%20version=1%262");
  assert_string_equal(log_header(log, 0, "openai-organization"), "org-1");
  assert_string_equal(log_header(log, 0, "openai-project"), "proj-1");
  assert_string_equal(log_header(log, 0, "x-account"), "yes");
  assert_string_equal(log_header(log, 0, "x-call"), "7");
  assert_string_equal(log_header(log, 0, "content-type"), "application/json");
  json_object *expected = json_tokener_parse(
      "{\"model\":\"very/long:name\",\"messages\":[{\"role\":\"user\","
      "\"content\":[{\"type\":\"text\",\"text\":\"a\\u0000b\"},{\"type\":"
      "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}],"
      "\"x_unknown\":[1,{\"y\":null}]}],\"temperature\":0.7,\"seed\":"
      "1400000000000000001,\"brand_new_member\":{\"deep\":[1.10]},\"store\":"
      "false,\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
  assert_true(json_object_equal(expected, log_body(log, 0)));
  json_object_put(expected);
  json_object_put(log);
  world_end(&w);
}

static void
test_clarifai(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'key':'pat-bearer'},'do':{'status':200,'body':{"
            "'status':{'code':11005,'description':'Making too many requests',"
            "'details':'exceeded limit of 15 requests per second'}}}}],"
            "'defaults':{'text':'ok'}}");
  world_client(
      &w, "{'providers':[{'name':'c','type':'clarifai','base_url':'$1',"
          "'api_key':'pat-1','models':{'kimi':'https://clarifai.com/moonshotai/"
          "chat-completion/models/Kimi-K2_5'}},{'name':'k','type':'clarifai',"
          "'base_url':'$1','api_key':'pat-2','auth_scheme':'Key'},{'name':"
          "'throttled','type':'clarifai','base_url':'$1','api_key':"
          "'pat-bearer'}],'defaults':{'retries':0}}");
  outcome o = world_chat(&w, "c/kimi");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_chat(&w, "k/openai/chat-completion/models/gpt-oss-120b");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_chat(&w, "throttled/m");
  assert_int_equal(o.status, INFER_E_RATE_LIMITED);
  assert_string_equal(infer_error_provider_code(o.error), "11005");
  outcome_end(&o);
  json_object *log = world_log(&w, 1, 3);
  assert_string_equal(log_text(log, 0, "model"),
                      "https://clarifai.com/moonshotai/chat-completion/models/"
                      "Kimi-K2_5");
  assert_string_equal(log_text(log, 1, "model"),
                      "openai/chat-completion/models/gpt-oss-120b");
  json_object_put(log);
  world_end(&w);
}

static void
test_bad_requests_send_nothing(void **state)
{
  (void)state;
  static const char *const bad[] = {
      "",
      "[]",
      "{\"model\":\"a/m\"}",
      "{\"model\":\"a/m\",\"messages\":[]}",
      "{\"model\":\"a/m\",\"messages\":[1]}",
      "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
      "{\"model\":\"a/m\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff"
      "\"}]}",
      "{\"model\":\"a/m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]",
      "{\"model\":\"a/m\\r\\nX: y\",\"messages\":[{\"role\":\"user\","
      "\"content\":\"x\"}]}",
  };
  world w = {0};
  world_sim(&w, 1, "{}");
  world_usual(&w, "");
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    infer_request *request;
    infer_error *error;
    assert_int_equal(
        infer_request_from_json(&request, bad[i], strlen(bad[i]), &error),
        INFER_E_INVALID_ARGUMENT);
    assert_null(request);
    assert_true(strlen(infer_error_message(error)) > 10);
    infer_error_free(error);
  }
  infer_request *empty;
  assert_int_equal(infer_request_new(&empty, "a/m"), INFER_OK);
  outcome o = world_run(&w, empty, false);
  assert_int_equal(o.status, INFER_E_INVALID_ARGUMENT);
  outcome_end(&o);
  infer_request_free(empty);
  infer_request *request = world_request("a/m", "x");
  static const char *const headers[][2] = {
      {"X-A", "b\r\nX-C: d"}, {"X A", "b"},           {"X-A", "b\nc"},
      {"Host", "evil"},       {"Authorization", "x"}, {"", "x"},
      {"X:Y", "z"},           {"Content-Length", "3"}};
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
    assert_int_equal(
        infer_request_set_header(request, headers[i][0], headers[i][1]),
        INFER_E_INVALID_ARGUMENT);
  infer_request_free(request);
  o = world_chat(&w, "nobody/m");
  assert_int_equal(o.status, INFER_E_CONFIG);
  assert_non_null(strstr(infer_error_message(o.error), "nobody"));
  outcome_end(&o);
  assert_int_equal(world_requests(&w, 1), 0);
  world_end(&w);
}

/* ---- Secrets ------------------------------------------------------------- */

static char *logged;
static pthread_mutex_t logged_mutex = PTHREAD_MUTEX_INITIALIZER;

static void
keep_log(int32_t level, const char *message, void *user_data)
{
  (void)level;
  (void)user_data;
  pthread_mutex_lock(&logged_mutex);
  size_t old = logged ? strlen(logged) : 0;
  logged = realloc(logged, old + strlen(message) + 2);
  if (logged)
    snprintf(logged + old, strlen(message) + 2, "%s\n", message);
  pthread_mutex_unlock(&logged_mutex);
}

static void
test_keys_and_prompts_stay_secret(void **state)
{
  (void)state;
  static const char key[] = "sk-VERY-secret-0123456789abcdef";
  world w = {0};
  /* A provider that sends the key back in everything it says. */
  world_sim(&w, 1,
            "{'defaults':{'status':401,'headers':{'x-request-id':"
            "'sk-VERY-secret-0123456789abcdef'},'body':{'error':{'message':"
            "'Bad key sk-VERY-secret-0123456789abcdef, sorry','type':"
            "'sk-VERY-secret-0123456789abcdef','code':"
            "'sk-VERY-secret-0123456789abcdef','param':"
            "'sk-VERY-secret-0123456789abcdef'}}}}");
  infer_config *config;
  char text[512];
  snprintf(text, sizeof text,
           "{\"providers\":[{\"name\":\"a\",\"type\":\"openai\",\"base_url\":"
           "\"%s\",\"api_key\":\"%s\"}]}",
           sim_url(w.sims[0]), key);
  assert_int_equal(infer_config_from_json(&config, text, strlen(text), NULL),
                   INFER_OK);
  infer_config_set_log(config, INFER_LOG_TRACE, keep_log, NULL);
  char *shown;
  assert_int_equal(infer_config_json(config, &shown, NULL), INFER_OK);
  assert_null(strstr(shown, "secret"));
  infer_text_free(shown);
  assert_int_equal(infer_client_new(&w.client, config, NULL), INFER_OK);
  infer_config_free(config);
  infer_request *request = world_request("a/m", "my private prompt");
  outcome o = world_run(&w, request, true);
  infer_request_free(request);
  assert_int_equal(o.status, INFER_E_AUTH);
  const char *const told[] = {
      infer_error_message(o.error),
      infer_error_provider_message(o.error),
      infer_error_provider_code(o.error),
      infer_error_provider_type(o.error),
      infer_error_provider_param(o.error),
      infer_error_request_id(o.error),
      infer_attempt_message(infer_error_attempt(o.error, 0)),
      infer_attempt_request_id(infer_error_attempt(o.error, 0)),
  };
  for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
    if (strstr(told[i], "secret"))
      fail_msg("%zu: %s", i, told[i]);
  outcome_end(&o);
  world_end(&w);
  assert_non_null(logged);
  assert_null(strstr(logged, "secret"));
  assert_null(strstr(logged, "private"));
  free(logged);
  logged = NULL;
}

/* ---- Reload, dry run, models --------------------------------------------- */

static void
reload(world *w, const char *json, int32_t expected)
{
  char *text = world_text(w, json);
  infer_config *config;
  infer_error *error = NULL;
  int32_t status = infer_config_from_json(&config, text, strlen(text), &error);
  const char *threads = getenv("WORLD_THREADS");
  if (status == INFER_OK && threads)
    infer_config_set_json(config, "threads", threads, 1, NULL);
  if (status == INFER_OK)
    status = infer_client_reload(w->client, config, &error);
  if (status != expected)
    fail_msg("reload: %s", infer_error_message(error));
  infer_error_free(error);
  infer_config_free(config);
  free(text);
}

static void
test_reload(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'one','first_token_ms':200}}");
  world_sim(&w, 2, "{'defaults':{'text':'two'}}");
  world_client(&w, "{'providers':[{'name':'p','type':'openai','base_url':'$1'"
                   "}]}");
  infer_request *request = world_request("p/m", "x");
  infer_call *call;
  assert_int_equal(
      infer_submit(w.client, request, INFER_SUBMIT_WHOLE, NULL, 0, &call, NULL),
      INFER_OK);
  infer_request_free(request);
  reload(&w,
         "{'providers':[{'name':'p','type':'openai','base_url':'nonsense'}]"
         "}",
         INFER_E_CONFIG);
  reload(&w, "{'providers':[{'name':'p','type':'openai','base_url':'$2'}]}",
         INFER_OK);
  /* The call in flight keeps what it began with. */
  outcome o = world_chat(&w, "p/m");
  assert_string_equal(infer_response_text(o.response, NULL), "two");
  outcome_end(&o);
  infer_response *response;
  assert_int_equal(infer_call_wait(call, 5000, &response, NULL), INFER_OK);
  assert_string_equal(infer_response_text(response, NULL), "one");
  infer_response_free(response);
  infer_call_free(call);
  world_end(&w);
}

static void
test_reload_forgives_refused_keys(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'requests':'1'},'do':{'status':401}}],"
            "'defaults':{'text':'ok'}}");
  static const char config[] =
      "{'providers':[{'name':'p','type':'openai','base_url':'$1','api_key':"
      "'key-a-0123'}]}";
  world_client(&w, config);
  for (int i = 0; i < 2; i++) {
    outcome o = world_chat(&w, "p/m");
    assert_int_equal(o.status, INFER_E_AUTH);
    outcome_end(&o);
  }
  reload(&w, config, INFER_OK);
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  world_end(&w);
}

static void
test_dry_run(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{}");
  world_client(&w, "{'providers':[{'name':'a','type':'openai','base_url':'$1'"
                   "},{'name':'b','type':'openai','base_url':'$1','labels':["
                   "'eu']}],'routes':{'r':{'targets':['a/x','b/y']}}}");
  infer_request *request = world_request("r", "x");
  infer_plan *plan;
  assert_int_equal(infer_client_plan(w.client, request, &plan, NULL), INFER_OK);
  assert_int_equal(infer_plan_count(plan), 2);
  assert_string_equal(infer_plan_target(plan, 0), "a/x");
  assert_int_equal(infer_plan_status(plan, 0), INFER_OK);
  infer_plan_free(plan);
  infer_request_require_label(request, "eu");
  assert_int_equal(infer_client_plan(w.client, request, &plan, NULL), INFER_OK);
  assert_string_equal(infer_plan_target(plan, 0), "b/y");
  assert_int_equal(infer_plan_status(plan, 0), INFER_OK);
  assert_int_equal(infer_plan_status(plan, 1), INFER_E_NO_TARGET);
  assert_non_null(strstr(infer_plan_reason(plan, 1), "eu"));
  infer_plan_free(plan);
  infer_request_free(request);
  assert_int_equal(world_requests(&w, 1), 0);
  world_end(&w);
}

static void
test_models(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'models':['gpt-4o-mini','o3','x/y']}");
  world_usual(&w, "");
  infer_model_list *models;
  infer_error *error;
  assert_int_equal(infer_models(w.client, "a", 5000, &models, &error),
                   INFER_OK);
  assert_int_equal(infer_model_list_count(models), 3);
  assert_string_equal(infer_model_list_id(models, 2), "x/y");
  size_t len;
  assert_non_null(strstr(infer_model_list_json(models, 0, &len), "gpt-4o"));
  infer_model_list_free(models);
  assert_int_equal(infer_models(w.client, "nobody", 5000, &models, &error),
                   INFER_E_CONFIG);
  assert_null(models);
  infer_error_free(error);
  world_end(&w);
}

/* ---- Hooks --------------------------------------------------------------- */

static struct {
  world *w;
  infer_request *request;
  int attempts, calls, reentrant, submitted;
  char tenant[32], tag[32];
  int64_t first_content_ns;
} hooked;

static void
on_attempt(const infer_call *call, const infer_attempt *attempt,
           void *user_data)
{
  assert_ptr_equal(user_data, &hooked);
  assert_true(infer_call_id(call) > 0);
  hooked.attempts++;
  if (infer_attempt_won(attempt))
    hooked.first_content_ns =
        infer_attempt_phase_ns(attempt, INFER_PHASE_FIRST_CONTENT);
}

static void
on_call(const infer_call *call, const infer_response *response,
        const infer_error *error, void *user_data)
{
  (void)user_data;
  assert_true((response != NULL) != (error != NULL));
  snprintf(hooked.tenant, sizeof hooked.tenant, "%s", infer_call_tenant(call));
  snprintf(hooked.tag, sizeof hooked.tag, "%s",
           infer_call_tag_value(call, "team"));
  hooked.calls++;
  /* Waiting is refused here, submitting is not. */
  infer_error *refused;
  if (infer_chat(hooked.w->client, hooked.request, NULL, &refused) ==
      INFER_E_REENTRANT)
    hooked.reentrant++;
  infer_error_free(refused);
  if (hooked.submitted == 0) {
    hooked.submitted++;
    assert_int_equal(infer_submit(hooked.w->client, hooked.request,
                                  INFER_SUBMIT_WHOLE, NULL, 0, NULL, NULL),
                     INFER_OK);
  }
}

static void
test_telemetry_hooks(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'rules':[{'when':{'requests':'1'},'do':{'status':503}}],"
            "'defaults':{'text':'ok','first_token_ms':20}}");
  char *text = world_text(&w, "{'providers':[{'name':'a','type':'openai',"
                              "'base_url':'$1'}]}");
  infer_config *config;
  assert_int_equal(infer_config_from_json(&config, text, strlen(text), NULL),
                   INFER_OK);
  free(text);
  if (getenv("WORLD_THREADS"))
    infer_config_set_json(config, "threads", getenv("WORLD_THREADS"), 1, NULL);
  infer_config_set_telemetry(config, on_attempt, on_call, &hooked);
  assert_int_equal(infer_client_new(&w.client, config, NULL), INFER_OK);
  infer_config_free(config);
  hooked.w = &w;
  hooked.request = world_request("a/m", "x");
  infer_request_set_tenant(hooked.request, "acme");
  infer_request_set_tag(hooked.request, "team", "red");
  outcome o = world_run(&w, hooked.request, true);
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  assert_int_equal(infer_client_close(w.client, 5000), INFER_OK);
  assert_int_equal(hooked.attempts, 3);
  assert_int_equal(hooked.calls, 2);
  assert_int_equal(hooked.reentrant, 2);
  assert_string_equal(hooked.tenant, "acme");
  assert_string_equal(hooked.tag, "red");
  assert_true(hooked.first_content_ns >= 20000000);
  infer_request_free(hooked.request);
  world_end(&w);
}

/* ---- A guest in somebody's process --------------------------------------- */

static int
entries(const char *path)
{
  DIR *dir = opendir(path);
  int count = 0;
  while (dir && readdir(dir))
    count++;
  if (dir)
    closedir(dir);
  return count;
}

/* An application that itself uses libcurl, before, while and after. */
static void
test_the_applications_own_curl(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'ok'}}");
  char models[256];
  snprintf(models, sizeof models, "%s/models", sim_url(w.sims[0]));
  assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
  CURL *own = curl_easy_init();
  FILE *sink = fopen("/dev/null", "w");
  curl_easy_setopt(own, CURLOPT_URL, models);
  curl_easy_setopt(own, CURLOPT_WRITEDATA, sink);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(curl_easy_perform(own), CURLE_OK);
    world_usual(&w, "");
    outcome o = world_chat(&w, "a/m");
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
    assert_int_equal(curl_easy_perform(own), CURLE_OK);
    infer_client_free(w.client);
    w.client = NULL;
    assert_int_equal(curl_easy_perform(own), CURLE_OK);
  }
  curl_easy_cleanup(own);
  curl_global_cleanup();
  fclose(sink);
  world_end(&w);
}

/* In a child, because a library that is unloaded under a sanitizer or under
 * this test's own static copy would tell nothing. */
static void
test_a_hundred_loads(void **state)
{
  (void)state;
  const char *library = getenv("INFER_SHARED_LIBRARY");
  if (!library || access(library, R_OK) != 0) {
    print_message("SKIP: loading a hundred times needs INFER_SHARED_LIBRARY, "
                  "which is not set under sanitizers\n");
    skip();
  }
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'ok'}}");
  char *config = world_text(&w, "{'providers':[{'name':'a','type':'openai',"
                                "'base_url':'$1'}]}");
  int fds = 0, threads = 0;
  for (int i = 0; i < 100; i++) {
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    int32_t (*from_json)(infer_config **, const char *, size_t, infer_error **);
    int32_t (*client_new)(infer_client **, const infer_config *,
                          infer_error **);
    int32_t (*request_new)(infer_request **, const char *);
    int32_t (*add)(infer_request *, const char *, const char *);
    int32_t (*chat)(infer_client *, const infer_request *, infer_response **,
                    infer_error **);
    void (*free_one[4])(void *);
    *(void **)&from_json = dlsym(handle, "infer_config_from_json");
    *(void **)&client_new = dlsym(handle, "infer_client_new");
    *(void **)&request_new = dlsym(handle, "infer_request_new");
    *(void **)&add = dlsym(handle, "infer_request_add_message");
    *(void **)&chat = dlsym(handle, "infer_chat");
    *(void **)&free_one[0] = dlsym(handle, "infer_response_free");
    *(void **)&free_one[1] = dlsym(handle, "infer_request_free");
    *(void **)&free_one[2] = dlsym(handle, "infer_client_free");
    *(void **)&free_one[3] = dlsym(handle, "infer_config_free");
    infer_config *c;
    infer_client *client;
    infer_request *request;
    infer_response *response;
    assert_int_equal(from_json(&c, config, strlen(config), NULL), INFER_OK);
    assert_int_equal(client_new(&client, c, NULL), INFER_OK);
    assert_int_equal(request_new(&request, "a/m"), INFER_OK);
    assert_int_equal(add(request, "user", "x"), INFER_OK);
    assert_int_equal(chat(client, request, &response, NULL), INFER_OK);
    free_one[0](response);
    free_one[1](request);
    free_one[2](client);
    free_one[3](c);
    assert_int_equal(dlclose(handle), 0);
    if (i == 10) {
      fds = entries("/proc/self/fd");
      threads = entries("/proc/self/task");
    }
  }
  assert_true(entries("/proc/self/fd") <= fds);
  assert_true(entries("/proc/self/task") <= threads);
  free(config);
  world_end(&w);
}

static void
test_fork(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'tokens':40,'inter_token_ms':10}}");
  world_usual(&w, "");
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  infer_request *request = world_request("a/m", "x");
  infer_call *call;
  assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                0, &call, NULL),
                   INFER_OK);
  infer_event *event;
  assert_int_equal(infer_queue_poll(queue, 5000, &event), INFER_OK);
  infer_event_free(event);
  pid_t child = fork();
  if (child == 0) {
    bool ok = infer_chat(w.client, request, NULL, NULL) == INFER_E_FORKED &&
              infer_queue_poll(queue, 0, &event) == INFER_E_FORKED &&
              infer_call_cancel(call) == INFER_E_FORKED &&
              infer_client_close(w.client, 0) == INFER_E_FORKED;
    infer_call_free(call);
    infer_queue_free(queue);
    infer_client_free(w.client);
    _exit(ok ? 0 : 1);
  }
  int result;
  assert_int_equal(waitpid(child, &result, 0), child);
  assert_true(WIFEXITED(result));
  assert_int_equal(WEXITSTATUS(result), 0);
  /* The parent's stream has not noticed. */
  assert_int_equal(infer_call_wait(call, 5000, NULL, NULL), INFER_OK);
  infer_call_free(call);
  infer_request_free(request);
  infer_queue_free(queue);
  world_end(&w);
}

/* Any number of threads in blocking calls on one client. */
static void *
chat_in_thread(void *context)
{
  world *w = context;
  for (int i = 0; i < 10; i++) {
    outcome o = i % 2 ? world_chat(w, "a/m") : world_stream(w, "a/m");
    if (o.status != INFER_OK)
      return w;
    outcome_end(&o);
  }
  return NULL;
}

static void
test_many_threads(void **state)
{
  (void)state;
  enum { many = 12 };
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'tokens':10,'first_token_ms':{'uniform':[1,"
            "20]},'inter_token_ms':1}}");
  world_usual(&w, "");
  pthread_t threads[many];
  for (int i = 0; i < many; i++)
    pthread_create(&threads[i], NULL, chat_in_thread, &w);
  for (int i = 0; i < many; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  json_object_put(world_log(&w, 1, many * 10));
  world_end(&w);
}

static void
test_version_and_features(void **state)
{
  (void)state;
  assert_string_equal(infer_version(), INFER_VERSION);
  assert_int_equal(infer_version_number(), 1000);
  assert_int_equal(infer_has_feature("failover"), 1);
  assert_int_equal(infer_has_feature("fail"), 0);
  assert_int_equal(infer_has_feature(""), 0);
  assert_non_null(strstr(infer_features(), "libcurl/"));
  for (size_t i = 0; infer_status_at(i) <= 0; i++) {
    const char *name = infer_status_name(infer_status_at(i));
    assert_int_equal(strncmp(name, "INFER_", 6), 0);
    assert_string_not_equal(name, "INFER_E_UNKNOWN");
  }
  assert_string_equal(infer_status_name(-999), "INFER_E_UNKNOWN");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_request_as_the_provider_sees_it),
      cmocka_unit_test(test_clarifai),
      cmocka_unit_test(test_bad_requests_send_nothing),
      cmocka_unit_test(test_keys_and_prompts_stay_secret),
      cmocka_unit_test(test_reload),
      cmocka_unit_test(test_reload_forgives_refused_keys),
      cmocka_unit_test(test_dry_run),
      cmocka_unit_test(test_models),
      cmocka_unit_test(test_telemetry_hooks),
      cmocka_unit_test(test_the_applications_own_curl),
      cmocka_unit_test(test_a_hundred_loads),
      cmocka_unit_test(test_fork),
      cmocka_unit_test(test_many_threads),
      cmocka_unit_test(test_version_and_features),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
