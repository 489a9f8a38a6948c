/* SPDX-License-Identifier: MIT */
/* interop aimock: tests against the aimock that run.sh started, at
 * $INTEROP_URL. interop live: tests against the server at
 * $INFER_TEST_ENDPOINT. Exit code 77 without it. */
#include "interop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Client and request -------------------------------------------------- */

static void
add_provider(json_object *providers, const char *name, const char *upstream,
             const char *base_url, const char *key)
{
  json_object *provider = json_object_new_object();
  const char *const members[][2] = {
      {"name", name},         {"type", "openai"}, {"base_url", base_url},
      {"upstream", upstream}, {"api_key", key},
  };
  for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
    if (members[i][1])
      json_object_object_add(provider, members[i][0],
                             json_object_new_string(members[i][1]));
  }
  json_object_array_add(providers, provider);
}

static char *
config_text(const char *base_url, const char *key, const char *members)
{
  json_object *providers = json_object_new_array();
  add_provider(providers, "s", "stream", base_url, key);
  add_provider(providers, "u", "unary", base_url, key);
  const char *list = json_object_to_json_string(providers);
  size_t size = strlen(list) + strlen(members) + 256;
  char *text = malloc(size);
  assert_non_null(text);
  snprintf(text, size,
           "{\"providers\":%s,\"defaults\":{\"retries\":0,\"breaker\":false,"
           "\"stay\":{\"retries\":0},\"timeouts\":{\"deadline_ms\":%d}}%s}",
           list, INTEROP_DEADLINE_MS, members);
  json_object_put(providers);
  return text;
}

infer_client *
interop_client(const char *base_url, const char *key, const char *members)
{
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_error *error = NULL;
  char *text = config_text(base_url, key, members);
  if (infer_config_from_json(&config, text, INFER_NUL_TERMINATED, &error) !=
          INFER_OK ||
      infer_client_new(&client, config, &error) != INFER_OK)
    fail_msg("no client: %s", infer_error_message(error));
  infer_config_free(config);
  free(text);
  return client;
}

infer_request *
interop_request(const char *model, const char *prompt)
{
  infer_request *request = NULL;
  assert_int_equal(infer_request_new(&request, model), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", prompt),
                   INFER_OK);
  return request;
}

/* ---- Calls --------------------------------------------------------------- */

static void
hear_text(interop_result *result, const infer_event *event)
{
  size_t len;
  const char *text = infer_event_text(event, &len);
  if (infer_event_choice(event) != 0)
    return;
  char *longer = realloc(result->heard, result->heard_len + len + 1);
  assert_non_null(longer);
  memcpy(longer + result->heard_len, text, len);
  result->heard = longer;
  result->heard_len += len;
  result->heard[result->heard_len] = '\0';
  result->text_events++;
}

static int32_t
on_event(const infer_event *event, void *user_data)
{
  interop_result *result = user_data;
  switch (infer_event_type(event)) {
  case INFER_EVENT_TEXT:
    hear_text(result, event);
    break;
  case INFER_EVENT_TOOL_CALL_DONE:
    result->tool_calls_done++;
    break;
  case INFER_EVENT_FINISH:
    result->finishes++;
    break;
  case INFER_EVENT_RESTART:
    result->heard_len = 0;
    break;
  default:
    break;
  }
  return 0;
}

interop_result
interop_stream(infer_client *client, infer_request *request)
{
  interop_result result = {.heard = strdup("")};
  result.status = infer_chat_stream(client, request, on_event, &result,
                                    &result.response, &result.error);
  infer_request_free(request);
  return result;
}

interop_result
interop_chat(infer_client *client, infer_request *request)
{
  interop_result result = {0};
  result.status = infer_chat(client, request, &result.response, &result.error);
  infer_request_free(request);
  return result;
}

void
interop_expect_ok(const interop_result *result)
{
  size_t len;
  if (result->status != INFER_OK)
    fail_msg("%s", infer_error_message(result->error));
  assert_non_null(result->response);
  assert_null(result->error);
  const char *text = infer_response_text(result->response, &len);
  if (!result->heard)
    return;
  assert_int_equal(len, result->heard_len);
  assert_memory_equal(text, result->heard, len);
}

void
interop_result_free(interop_result *result)
{
  infer_response_free(result->response);
  infer_error_free(result->error);
  free(result->heard);
}

int
main(int argc, char **argv)
{
  const char *what = argc == 2 ? argv[1] : "";
  if (strcmp(what, "aimock") == 0)
    return run_aimock_tests();
  if (strcmp(what, "live") == 0)
    return run_live_tests();
  fprintf(stderr, "usage: interop aimock|live\n");
  return 2;
}
