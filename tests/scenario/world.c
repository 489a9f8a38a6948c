/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

uint64_t
world_now_ms(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
world_sleep_ms(unsigned ms)
{
  struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&wait, NULL);
}

/* ---- Set-up -------------------------------------------------------------- */

char *
world_text(const world *w, const char *json)
{
  size_t size = strlen(json) + 4096;
  char *text = calloc(1, size);
  assert_non_null(text);
  size_t len = 0;
  for (const char *at = json; *at; at++) {
    if (*at == '$' && at[1] >= '1' && at[1] <= '3') {
      len += (size_t)snprintf(text + len, size - len, "%s",
                              sim_url(w->sims[at[1] - '1']));
      at++;
    } else if (strncmp(at, "$DEAD", 5) == 0) {
      len += (size_t)snprintf(text + len, size - len, "http://127.0.0.1:1/v1");
      at += 4;
    } else if (strncmp(at, "$DIR", 4) == 0) {
      len += (size_t)snprintf(text + len, size - len, "%s", w->folder);
      at += 3;
    } else {
      text[len++] = *at == '\'' ? '"' : *at;
    }
    assert_true(len + 256 < size);
  }
  return text;
}

void
world_sim_with(world *w, int index, const char *script, const char *const *args)
{
  char *text = world_text(w, script);
  w->sims[index - 1] = sim_start(text, args);
  free(text);
  assert_non_null(w->sims[index - 1]);
}

void
world_sim(world *w, int index, const char *script)
{
  world_sim_with(w, index, script, NULL);
}

void
world_folder(world *w)
{
  snprintf(w->folder, sizeof w->folder, "/tmp/infer-world-XXXXXX");
  assert_non_null(mkdtemp(w->folder));
}

void
world_tls_sim(world *w, int index, const char *script, bool client_ca)
{
  char ca[128];
  if (!w->folder[0])
    world_folder(w);
  snprintf(ca, sizeof ca, "%s/ca.pem", w->folder);
  const char *args[] = {"--self-signed", w->folder, NULL, NULL, NULL};
  if (client_ca) {
    args[2] = "--tls-client-ca";
    args[3] = ca;
  }
  world_sim_with(w, index, script, args);
}

static void
remove_folder(const char *folder)
{
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));)
    if (entry->d_name[0] != '.')
      unlinkat(dirfd(dir), entry->d_name, 0);
  closedir(dir);
  assert_int_equal(rmdir(folder), 0);
}

void
world_client(world *w, const char *config_text)
{
  infer_config *config;
  infer_error *error = NULL;
  char *text = world_text(w, config_text);
  int32_t status = infer_config_from_json(&config, text, strlen(text), &error);
  free(text);
  const char *threads = getenv("WORLD_THREADS");
  if (status == INFER_OK && threads)
    status = infer_config_set_json(config, "threads", threads, strlen(threads),
                                   &error);
  if (status == INFER_OK)
    status = infer_client_new(&w->client, config, &error);
  if (status != INFER_OK)
    fail_msg("client: %s", infer_error_message(error));
  infer_config_free(config);
}

void
world_usual(world *w, const char *members)
{
  static const char *const names[] = {"a", "b", "c"};
  char text[8192];
  int len = snprintf(text, sizeof text, "{'providers':[");
  for (int i = 0; i < WORLD_MAX_SIMS; i++)
    if (w->sims[i])
      len += snprintf(text + len, sizeof text - (size_t)len,
                      "%s{'name':'%s','type':'openai','base_url':'$%d'}",
                      i ? "," : "", names[i], i + 1);
  snprintf(text + len, sizeof text - (size_t)len, "]%s%s}",
           members[0] ? "," : "", members);
  world_client(w, text);
}

void
world_forget_proxies(void)
{
  static const char *const names[] = {
      "http_proxy", "https_proxy", "HTTPS_PROXY", "HTTP_PROXY",
      "all_proxy",  "ALL_PROXY",   "no_proxy",    "NO_PROXY"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    unsetenv(names[i]);
}

char *
world_refused(const char *config_text)
{
  world none = {0};
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_error *error = NULL;
  char *text = world_text(&none, config_text);
  int32_t status = infer_config_from_json(&config, text, strlen(text), &error);
  if (status == INFER_OK)
    status = infer_client_new(&client, config, &error);
  assert_int_equal(status, INFER_E_CONFIG);
  char *message = strdup(infer_error_message(error));
  infer_error_free(error);
  infer_config_free(config);
  free(text);
  return message;
}

void
world_end(world *w)
{
  infer_client_free(w->client);
  for (int i = 0; i < WORLD_MAX_SIMS; i++)
    assert_true(sim_stop(w->sims[i]));
  if (w->folder[0])
    remove_folder(w->folder);
  memset(w, 0, sizeof *w);
}

/* ---- One call ------------------------------------------------------------ */

infer_request *
world_request(const char *model, const char *prompt)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, model), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", prompt),
                   INFER_OK);
  return request;
}

static void
add_text(outcome *o, const char *piece)
{
  size_t old = o->text ? strlen(o->text) : 0;
  o->text = realloc(o->text, old + strlen(piece) + 1);
  assert_non_null(o->text);
  memcpy(o->text + old, piece, strlen(piece) + 1);
}

static int32_t
on_event(const infer_event *event, void *user_data)
{
  outcome *o = user_data;
  o->after_done += o->dones;
  assert_true(infer_event_epoch(event) >= o->epoch);
  o->epoch = infer_event_epoch(event);
  switch (infer_event_type(event)) {
  case INFER_EVENT_START:
    o->starts++;
    break;
  case INFER_EVENT_TEXT:
    if (infer_event_choice(event) == 0)
      add_text(o, infer_event_text(event, NULL));
    break;
  case INFER_EVENT_RESTART:
    o->restarts++;
    free(o->text);
    o->text = NULL;
    break;
  case INFER_EVENT_FINISH:
    o->finishes++;
    break;
  case INFER_EVENT_TOOL_CALL_DONE:
    o->tools_done++;
    break;
  case INFER_EVENT_DONE:
    o->dones++;
    break;
  default:
    break;
  }
  return 0;
}

outcome
world_run(world *w, const infer_request *request, bool stream)
{
  outcome o = {0};
  uint64_t before = world_now_ms();
  if (stream)
    o.status = infer_chat_stream(w->client, request, on_event, &o, &o.response,
                                 &o.error);
  else
    o.status = infer_chat(w->client, request, &o.response, &o.error);
  o.took_ms = world_now_ms() - before;
  assert_int_equal(o.after_done, 0);
  assert_true((o.response != NULL) == (o.status == INFER_OK));
  assert_true((o.error != NULL) == (o.status != INFER_OK));
  assert_int_equal(infer_error_status(o.error), o.status);
  if (stream && outcome_attempts(&o) > 0)
    assert_int_equal(o.dones, 1);
  if (!o.text)
    add_text(&o, "");
  if (stream && o.status == INFER_OK)
    assert_string_equal(o.text, infer_response_text(o.response, NULL));
  return o;
}

static outcome
run_model(world *w, const char *model, bool stream)
{
  infer_request *request = world_request(model, "Say something.");
  outcome o = world_run(w, request, stream);
  infer_request_free(request);
  return o;
}

outcome
world_chat(world *w, const char *model)
{
  return run_model(w, model, false);
}

outcome
world_stream(world *w, const char *model)
{
  return run_model(w, model, true);
}

void
outcome_end(outcome *o)
{
  infer_response_free(o->response);
  infer_error_free(o->error);
  free(o->text);
  memset(o, 0, sizeof *o);
}

size_t
outcome_attempts(const outcome *o)
{
  return o->response ? infer_response_attempt_count(o->response)
                     : infer_error_attempt_count(o->error);
}

const infer_attempt *
outcome_attempt(const outcome *o, size_t index)
{
  return o->response ? infer_response_attempt(o->response, index)
                     : infer_error_attempt(o->error, index);
}

const char *
outcome_trail(const outcome *o)
{
  static char line[2048];
  size_t len = 0;
  line[0] = '\0';
  for (size_t i = 0; i < outcome_attempts(o); i++) {
    const infer_attempt *attempt = outcome_attempt(o, i);
    const char *name = infer_status_name(infer_attempt_status(attempt));
    name += strncmp(name, "INFER_E_", 8) == 0 ? 8 : 6;
    len += (size_t)snprintf(line + len, sizeof line - len, "%s%s %s %s",
                            i ? ", " : "", infer_attempt_target(attempt),
                            infer_attempt_reason_name(attempt), name);
    assert_true(len < sizeof line);
  }
  return line;
}

/* ---- The provider's side ------------------------------------------------- */

json_object *
world_log(world *w, int sim, size_t count)
{
  char *text = sim_wait_log(w->sims[sim - 1], count, 5000);
  if (!text)
    fail_msg("provider %d has not seen %zu requests", sim, count);
  json_object *log = json_tokener_parse(text);
  free(text);
  assert_true(json_object_is_type(log, json_type_array));
  assert_int_equal(json_object_array_length(log), count);
  return log;
}

size_t
world_requests(world *w, int sim)
{
  char *text = sim_log(w->sims[sim - 1]);
  assert_non_null(text);
  json_object *log = json_tokener_parse(text);
  free(text);
  size_t count = json_object_array_length(log);
  json_object_put(log);
  return count;
}

static json_object *
member(json_object *log, size_t index, const char *name)
{
  json_object *entry = json_object_array_get_idx(log, index), *value = NULL;
  assert_non_null(entry);
  json_object_object_get_ex(entry, name, &value);
  return value;
}

const char *
log_text(json_object *log, size_t index, const char *name)
{
  json_object *value = member(log, index, name);
  return value ? json_object_get_string(value) : "";
}

int64_t
log_int(json_object *log, size_t index, const char *name)
{
  json_object *value = member(log, index, name);
  assert_non_null(value);
  return json_object_get_int64(value);
}

const char *
log_header(json_object *log, size_t index, const char *name)
{
  json_object *headers = member(log, index, "headers"), *value = NULL;
  assert_non_null(headers);
  return json_object_object_get_ex(headers, name, &value)
             ? json_object_get_string(value)
             : "";
}

json_object *
log_body(json_object *log, size_t index)
{
  return member(log, index, "body");
}
