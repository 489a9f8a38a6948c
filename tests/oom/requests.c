/* SPDX-License-Identifier: MIT */
/* Requests in all their forms: a function that fails leaves the request as it
 * was. */
#include "oom.h"

#include <string.h>

static const char schema[] = "{\"type\":\"object\",\"properties\":{}}";

static bool
add_n(infer_request *request, infer_error **error)
{
  (void)error;
  return oom_is_ok(
      infer_request_add_message_n(request, "user", "a\0b\xc3\xa9", 5), NULL);
}

static bool
add_json(infer_request *request, infer_error **error)
{
  static const char message[] =
      "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}";
  return oom_is_ok(infer_request_add_message_json(request, message,
                                                  INFER_NUL_TERMINATED, error),
                   error);
}

static bool
add_image(infer_request *request, infer_error **error)
{
  (void)error;
  return oom_is_ok(
      infer_request_add_image(request, "look", "https://x.test/i.png"), NULL);
}

static bool
add_tool_result(infer_request *request, infer_error **error)
{
  (void)error;
  return oom_is_ok(infer_request_add_tool_result(request, "id", "42", 2), NULL);
}

static bool
add_tool(infer_request *request, infer_error **error)
{
  return oom_is_ok(infer_request_add_tool(request, "f", "does", schema, error),
                   error);
}

static bool
set_schema(infer_request *request, infer_error **error)
{
  return oom_is_ok(infer_request_set_json_schema(request, "s", schema, error),
                   error);
}

static bool
set_json(infer_request *request, infer_error **error)
{
  return oom_is_ok(infer_request_set_json(request, "metadata", "{\"a\":\"b\"}",
                                          INFER_NUL_TERMINATED, error),
                   error);
}

static bool
set_scalars(infer_request *request, infer_error **error)
{
  (void)error;
  return oom_is_ok(infer_request_set_string(request, "user", "u\n"), NULL) &&
         oom_is_ok(infer_request_set_int(request, "seed", 1), NULL) &&
         oom_is_ok(infer_request_set_double(request, "top_p", 0.5), NULL) &&
         oom_is_ok(infer_request_set_string(request, "user", "other"), NULL);
}

static bool
set_model(infer_request *request, infer_error **error)
{
  (void)error;
  return oom_is_ok(infer_request_set_model(request, "another/model"), NULL);
}

static bool
set_local(infer_request *request, infer_error **error)
{
  (void)error;
  return oom_is_ok(infer_request_set_header(request, "X-Two", "2"), NULL) &&
         oom_is_ok(infer_request_require_label(request, "x"), NULL) &&
         oom_is_ok(infer_request_set_tag(request, "team", "blue"), NULL) &&
         oom_is_ok(infer_request_set_tag(request, "team", "red"), NULL) &&
         oom_is_ok(infer_request_set_tenant(request, "acme"), NULL);
}

static bool (*const steps[])(infer_request *request, infer_error **error) = {
    add_n,      add_json, add_image,   add_tool_result, add_tool,
    set_schema, set_json, set_scalars, set_model,       set_local,
};

/* The request as JSON; memory must be there. */
static char *
text_of(const infer_request *request)
{
  char *text;
  assert_int_equal(infer_request_json(request, &text, NULL), INFER_OK);
  return text;
}

/* Each step again after memory is back: what could not be added then can be
 * added now, and a request that stood a failure equals one that did not. */
static void
builders(void *unused)
{
  (void)unused;
  infer_request *request = NULL;
  if (!oom_is_ok(infer_request_new(&request, "r"), NULL)) {
    assert_null(request);
    return;
  }
  if (!oom_is_ok(infer_request_add_message(request, "user", "Hi"), NULL)) {
    oom_end_shortage();
    assert_int_equal(infer_request_add_message(request, "user", "Hi"),
                     INFER_OK);
  }
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    infer_error *error = NULL;
    if (steps[i](request, &error))
      continue;
    oom_end_shortage();
    error = NULL;
    assert_true(steps[i](request, &error));
  }
  oom_end_shortage();
  char *text = text_of(request);
  infer_request *again = NULL;
  assert_int_equal(
      infer_request_from_json(&again, text, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  char *same = text_of(again);
  assert_string_equal(text, same);
  /* One message of each step, none twice. */
  static const char *const roles[] = {"\"role\":\"user\"", "\"role\":\"tool\""};
  static const int expected[] = {4, 1};
  for (size_t i = 0; i < 2; i++) {
    int found = 0;
    for (const char *at = text; (at = strstr(at, roles[i])); at++)
      found++;
    assert_int_equal(found, expected[i]);
  }
  infer_text_free(text);
  infer_text_free(same);
  infer_request_free(again);
  infer_request_free(request);
}

static void
from_json(void *text)
{
  infer_request *request = NULL;
  infer_error *error = NULL;
  char *json = oom_json(text);
  int32_t status =
      infer_request_from_json(&request, json, INFER_NUL_TERMINATED, &error);
  free(json);
  if (oom_is_ok(status, &error)) {
    char *given = NULL;
    if (oom_is_ok(infer_request_json(request, &given, NULL), NULL))
      assert_non_null(strstr(given, "temperature"));
    infer_text_free(given);
  } else {
    assert_null(request);
  }
  infer_request_free(request);
}

static void
from_bad_json(void *text)
{
  infer_request *request = NULL;
  infer_error *error = NULL;
  char *json = oom_json(text);
  oom_fails(
      infer_request_from_json(&request, json, INFER_NUL_TERMINATED, &error),
      &error, INFER_E_INVALID_ARGUMENT);
  free(json);
  assert_null(request);
}

static const oom_scenario scenarios[] = {
    {"the builders of a request", builders, NULL},
    {"a request from JSON", from_json,
     "{'model':'r','messages':[{'role':'system','content':'s'},"
     "{'role':'user','content':[{'type':'text','text':'x'}]}],"
     "'temperature':0.5,'tools':[{'type':'function','function':{'name':'f'}}],"
     "'stop':['a','b'],'x_unknown':{'y':[1,2,3]}}"},
    {"a request from bad JSON", from_bad_json, "{'model':'r','messages':[}"},
    {"a request without messages", from_bad_json, "{'model':'r'}"},
};

const oom_suite oom_requests = OOM_SUITE(scenarios);
