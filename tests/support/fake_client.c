/* SPDX-License-Identifier: MIT */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char document[] =
    "{'threads':0,"
    "'providers':["
    "{'name':'a','type':'openai','base_url':'http://a.test/v1',"
    "'api_key':'key-of-a','proxy':'none'},"
    "{'name':'b','type':'openai','base_url':'http://b.test/v1',"
    "'api_key':['key-b-1','key-b-2'],'proxy':'none'},"
    "{'name':'c','type':'openai','base_url':'http://c.test/v1',"
    "'auth_scheme':'none','proxy':'none'}],"
    "'defaults':{'timeouts':{'connect_ms':1000,'first_token_ms':2000,"
    "'idle_ms':3000,'attempt_ms':20000,'deadline_ms':60000}},"
    "'routes':{"
    "'r':{'targets':['a/m','b/m']},"
    "'one':{'targets':['a/m']},"
    "'three':{'targets':['a/m','b/m','c/m']}}}";

/* ---- Text that grows ----------------------------------------------------- */

static void append(char *text, size_t *len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
append(char *text, size_t *len, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  int more = vsnprintf(text + *len, fake_text_bytes - *len, format, args);
  va_end(args);
  assert_true(more >= 0 && (size_t)more < fake_text_bytes - *len);
  *len += (size_t)more;
}

static const char *
short_name(int32_t status)
{
  const char *name = infer_status_name(status);
  return name + (status == INFER_OK ? strlen("INFER_") : strlen("INFER_E_"));
}

/* ---- Hooks --------------------------------------------------------------- */

static void
on_log(int32_t level, const char *message, void *user_data)
{
  fake_client *fake = user_data;
  if (!fake->telemetry_off)
    append(fake->log, &fake->log_len, "%d %s\n", (int)level, message);
}

static void
on_attempt(const infer_call *call, const infer_attempt *attempt,
           void *user_data)
{
  fake_client *fake = user_data;
  append(fake->telemetry, &fake->telemetry_len, "attempt %s %s %s http=%d %s\n",
         infer_attempt_target(attempt), infer_attempt_reason_name(attempt),
         short_name(infer_attempt_status(attempt)),
         (int)infer_attempt_http_status(attempt),
         infer_attempt_message(attempt));
  if (fake->on_hook)
    fake->on_hook(fake, call, attempt);
}

static void
on_call(const infer_call *call, const infer_response *response,
        const infer_error *error, void *user_data)
{
  fake_client *fake = user_data;
  int32_t status = infer_error_status(error);
  assert_true((response == NULL) == (status != INFER_OK));
  if (!fake->telemetry_off)
    append(fake->telemetry, &fake->telemetry_len, "call %s\n",
           short_name(status));
  if (fake->on_hook)
    fake->on_hook(fake, call, NULL);
}

/* ---- Life ---------------------------------------------------------------- */

static char *
with_quotes(const char *text)
{
  char *copy = strdup(text);
  assert_non_null(copy);
  for (char *at = copy; *at; at++)
    if (*at == '\'')
      *at = '"';
  return copy;
}

static infer_config *
config_of(fake_client *fake, const char *path, va_list args)
{
  infer_config *config;
  char *json = with_quotes(document);
  assert_int_equal(
      infer_config_from_json(&config, json, INFER_NUL_TERMINATED, NULL), 0);
  free(json);
  for (; path; path = va_arg(args, const char *)) {
    infer_error *error = NULL;
    char *value = with_quotes(va_arg(args, const char *));
    if (infer_config_set_json(config, path, value, INFER_NUL_TERMINATED,
                              &error) != INFER_OK)
      fail_msg("%s", infer_error_message(error));
    free(value);
  }
  if (fake) {
    infer_config_set_log(config, INFER_LOG_TRACE, on_log, fake);
    infer_config_set_telemetry(config, on_attempt, on_call, fake);
  }
  return config;
}

infer_config *
fake_config_new(fake_client *fake, const char *path, ...)
{
  va_list args;
  va_start(args, path);
  infer_config *config = config_of(fake, path, args);
  va_end(args);
  return config;
}

int32_t
fake_client_start(fake_client *fake, const infer_config *config,
                  infer_client **client, infer_error **error)
{
  inf_client_parts parts = {
      .new_transport = fake_net_transport,
      .context = &fake->net,
      .clock = &fake->net.clock,
      .seed = 1,
  };
  *error = NULL;
  return inf_client_new_with(client, config, &parts, error);
}

static fake_client *
client_of(bool real_time, bool threaded, const char *path, va_list args)
{
  fake_client *fake = calloc(1, sizeof *fake);
  assert_non_null(fake);
  fake_net_init(&fake->net);
  fake->net.real_time = real_time;
  infer_config *config = config_of(fake, path, args);
  if (threaded)
    assert_int_equal(infer_config_set_int(config, "threads", 1, NULL), 0);
  infer_error *error = NULL;
  if (fake_client_start(fake, config, &fake->client, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  infer_config_free(config);
  assert_int_equal(infer_queue_new(&fake->queue, fake->client), INFER_OK);
  return fake;
}

fake_client *
fake_client_new(const char *path, ...)
{
  va_list args;
  va_start(args, path);
  fake_client *fake = client_of(false, false, path, args);
  va_end(args);
  return fake;
}

fake_client *
fake_client_new_threaded(const char *path, ...)
{
  va_list args;
  va_start(args, path);
  fake_client *fake = client_of(true, true, path, args);
  va_end(args);
  return fake;
}

fake_client *
fake_client_new_real_time(const char *path, ...)
{
  va_list args;
  va_start(args, path);
  fake_client *fake = client_of(true, false, path, args);
  va_end(args);
  return fake;
}

void
fake_client_free(fake_client *fake)
{
  infer_queue_free(fake->queue);
  infer_client_free(fake->client);
  fake_net_fini(&fake->net);
  free(fake);
}

/* ---- Calls --------------------------------------------------------------- */

infer_request *
fake_request_new(const char *model)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, model), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "Hi"), INFER_OK);
  return request;
}

static infer_call *
submit(fake_client *fake, infer_request *request, int32_t mode)
{
  infer_call *call;
  infer_error *error = NULL;
  if (infer_submit(fake->client, request, mode, fake->queue, 7, &call,
                   &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  infer_request_free(request);
  return call;
}

infer_call *
fake_submit(fake_client *fake, infer_request *request)
{
  return submit(fake, request, INFER_SUBMIT_STREAM);
}

infer_call *
fake_submit_model(fake_client *fake, const char *model)
{
  return fake_submit(fake, fake_request_new(model));
}

infer_call *
fake_submit_whole(fake_client *fake, const char *model)
{
  return submit(fake, fake_request_new(model), INFER_SUBMIT_WHOLE);
}

/* ---- Time ---------------------------------------------------------------- */

uint64_t
fake_ms(uint64_t at_ns)
{
  return at_ns == 0 ? 0 : (at_ns - FAKE_EPOCH_NS) / INF_NS_PER_MS;
}

uint64_t
fake_now_ms(const fake_client *fake)
{
  return fake_ms(fake->net.now_ns);
}

/* Several turns without a wait: what one turn starts the next one answers. */
static void
settle(fake_client *fake)
{
  for (int i = 0; i < 8; i++)
    inf_client_drive(fake->client, 0);
}

void
fake_run_ms(fake_client *fake, uint64_t ms)
{
  uint64_t until_ns = fake->net.now_ns + ms * INF_NS_PER_MS;
  settle(fake);
  while (fake->net.now_ns < until_ns)
    inf_client_drive(fake->client, until_ns - fake->net.now_ns);
  settle(fake);
}

/* ---- Events -------------------------------------------------------------- */

static void
write_event(char *text, size_t *len, const infer_event *event)
{
  int32_t type = infer_event_type(event);
  if (*len > 0)
    append(text, len, "|");
  if (infer_event_epoch(event) > 0)
    append(text, len, "%u:", infer_event_epoch(event));
  append(text, len, "%s", infer_event_type_name(event));
  if (infer_event_choice(event) > 0)
    append(text, len, "#%u", infer_event_choice(event));
  switch (type) {
  case INFER_EVENT_DONE:
    append(text, len, " %s", short_name(infer_event_status(event)));
    if (infer_error_partial(infer_event_error(event)))
      append(text, len, " [%s]",
             infer_response_text(infer_error_partial(infer_event_error(event)),
                                 NULL));
    break;
  case INFER_EVENT_ATTEMPT:
    append(text, len, " %s %s %s",
           infer_attempt_target(infer_event_attempt(event)),
           infer_attempt_reason_name(infer_event_attempt(event)),
           short_name(infer_event_status(event)));
    break;
  case INFER_EVENT_USAGE:
  case INFER_EVENT_LOGPROBS:
  case INFER_EVENT_EXTRA:
    break;
  case INFER_EVENT_TOOL_CALL_DELTA:
  case INFER_EVENT_TOOL_CALL_DONE:
    append(text, len, " %u %s %s", infer_event_tool_index(event),
           infer_event_tool_name(event), infer_event_text(event, NULL));
    break;
  default:
    append(text, len, " %s", infer_event_text(event, NULL));
  }
}

const char *
fake_events_of(infer_queue *queue, size_t limit)
{
  static char text[fake_text_bytes];
  size_t len = 0;
  infer_event *event;
  text[0] = '\0';
  while (limit-- > 0 && inf_queue_take(queue, &event, 1, NULL) > 0) {
    write_event(text, &len, event);
    infer_event_free(event);
  }
  return text;
}

const char *
fake_events(fake_client *fake)
{
  return fake_events_of(fake->queue, SIZE_MAX);
}

/* ---- Results ------------------------------------------------------------- */

int32_t
fake_status(infer_call *call)
{
  return infer_call_wait(call, 0, NULL, NULL);
}

infer_error *
fake_error(infer_call *call)
{
  infer_error *error;
  infer_call_wait(call, 0, NULL, &error);
  assert_non_null(error);
  return error;
}

const char *
fake_message(infer_call *call)
{
  static char text[4096];
  infer_error *error = fake_error(call);
  snprintf(text, sizeof text, "%s", infer_error_message(error));
  infer_error_free(error);
  return text;
}

infer_response *
fake_response(infer_call *call)
{
  infer_response *response;
  assert_int_equal(infer_call_wait(call, 0, &response, NULL), INFER_OK);
  assert_non_null(response);
  return response;
}
