/* SPDX-License-Identifier: MIT */
/* Each own allocation failed, one at a time and from there on: every function
 * then gives INFER_E_NO_MEMORY or succeeds, every accepted call has exactly one
 * terminal event, nothing leaks, and the client works afterwards. */
#include "support/fail_alloc.h"
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Memory is there again; what was counted stays. */
static void
end_shortage(void)
{
  fail_alloc_get()->first = SIZE_MAX;
  fail_alloc_get()->last = 0;
}

/* INFER_OK, or INFER_E_NO_MEMORY when an allocation has failed. error may be
 * NULL. */
static bool
is_ok(int32_t status, infer_error **error)
{
  infer_error *given = error ? *error : NULL;
  if (status == INFER_OK) {
    assert_null(given);
    return true;
  }
  if (status != INFER_E_NO_MEMORY)
    fail_msg("%s: %s", infer_status_name(status), infer_error_message(given));
  assert_true(fail_alloc_hits() > 0);
  if (given)
    assert_int_equal(infer_error_status(given), INFER_E_NO_MEMORY);
  infer_error_free(given);
  return false;
}

/* ---- What a scenario works with ---------------------------------------- */

typedef struct setting {
  fake_net net;
  infer_client *client;
  infer_request *request;
} setting;

static const char document[] =
    "{\"threads\":0,\"providers\":["
    "{\"name\":\"a\",\"type\":\"openai\",\"base_url\":\"http://a.test/v1\","
    "\"api_key\":\"key-of-a\",\"proxy\":\"none\",\"labels\":[\"x\"],"
    "\"headers\":{\"X-One\":\"1\"},\"models\":{\"alias\":\"m\"}},"
    "{\"name\":\"b\",\"type\":\"openai\",\"base_url\":\"http://b.test/v1\","
    "\"api_key\":[\"key-b-1\",\"key-b-2\"],\"proxy\":\"none\"}],"
    "\"routes\":{\"r\":{\"targets\":[\"a/m\",\"b/m\"],"
    "\"recovery\":\"restart\"}}}";

static infer_config *
config_of(const char *threads)
{
  infer_config *config = NULL;
  infer_error *error = NULL;
  int32_t status =
      infer_config_from_json(&config, document, INFER_NUL_TERMINATED, &error);
  if (!is_ok(status, &error))
    return NULL;
  error = NULL;
  status = infer_config_set_json(config, "threads", threads,
                                 INFER_NUL_TERMINATED, &error);
  if (is_ok(status, &error))
    return config;
  infer_config_free(config);
  return NULL;
}

static infer_client *
client_of(setting *at, const char *threads)
{
  infer_config *config = config_of(threads);
  if (!config)
    return NULL;
  const inf_client_parts parts = {
      .new_transport = fake_net_transport,
      .context = &at->net,
      .clock = &at->net.clock,
      .seed = 1,
  };
  infer_client *client = NULL;
  infer_error *error = NULL;
  if (!is_ok(inf_client_new_with(&client, config, &parts, &error), &error))
    client = NULL;
  infer_config_free(config);
  return client;
}

static infer_request *
request_of(const char *model)
{
  infer_request *request = NULL;
  if (!is_ok(infer_request_new(&request, model), NULL))
    return NULL;
  bool ok = is_ok(infer_request_add_message(request, "user", "Hi"), NULL) &&
            is_ok(infer_request_set_header(request, "X-Two", "2"), NULL) &&
            is_ok(infer_request_require_label(request, "x"), NULL) &&
            is_ok(infer_request_set_tag(request, "team", "blue"), NULL) &&
            is_ok(infer_request_set_tenant(request, "acme"), NULL);
  if (ok)
    return request;
  infer_request_free(request);
  return NULL;
}

/* False when memory was too short for as much. */
static bool
set_up(setting *at, const char *threads)
{
  *at = (setting){.client = NULL};
  fake_net_init(&at->net);
  at->net.real_time = threads[0] == '1';
  at->client = client_of(at, threads);
  at->request = at->client ? request_of("r") : NULL;
  return at->request != NULL;
}

static void
tear_down(setting *at)
{
  infer_request_free(at->request);
  infer_client_free(at->client);
  fake_net_fini(&at->net);
}

static void
check_text(const infer_response *response, const char *expected)
{
  assert_non_null(response);
  assert_string_equal(infer_response_text(response, NULL), expected);
}

/* The client works once there is memory again. */
static void
check_works(setting *at, const char *expected)
{
  end_shortage();
  infer_response *response = NULL;
  infer_error *error = NULL;
  if (infer_chat(at->client, at->request, &response, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  check_text(response, expected);
  infer_response_free(response);
}

/* ---- Scenarios --------------------------------------------------------- */

static void
blocking_call(void *threads)
{
  setting at;
  if (set_up(&at, threads)) {
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_response *response = NULL;
    infer_error *error = NULL;
    if (is_ok(infer_chat(at.client, at.request, &response, &error), &error)) {
      check_text(response, "Hello");
      size_t len;
      const char *json = infer_response_json(response, &len);
      assert_true(len > 100 || fail_alloc_hits() > 0);
      assert_int_equal(strlen(json), len);
    } else {
      assert_null(response);
    }
    infer_response_free(response);
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

static int32_t
on_event(const infer_event *event, void *user_data)
{
  int *done = user_data;
  assert_int_equal(*done, 0);
  *done += infer_event_type(event) == INFER_EVENT_DONE;
  return 0;
}

/* Everything that an answer may hold. */
static void
script_rich(fake_script *script)
{
  fake_stream(script, 1);
  fake_body(script, 1, sse_role());
  fake_body(script, 1, sse_reasoning("Hm"));
  fake_body(script, 1, sse_text("Hel"));
  fake_body(script, 1, sse_text("lo"));
  fake_body(script, 1, sse_delta(0, "{\"audio\":{\"id\":\"x\"}}", NULL));
  fake_body(script, 1, sse_tool(0, "id-1", "f", "{"));
  fake_body(script, 1, sse_tool(0, NULL, NULL, "}"));
  fake_body(script, 1,
            "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},"
            "\"logprobs\":{\"content\":[{\"token\":\"a\"}]}}]}\n\n");
  fake_body(script, 1, "data: {\"bad\n\n");
  fake_body(script, 1, sse_finish("tool_calls"));
  fake_body(script, 1, sse_usage(3, 4));
  fake_body(script, 1, SSE_DONE);
  fake_done(script, 1, INF_NET_OK);
}

static void
streamed_call(void *threads)
{
  setting at;
  if (set_up(&at, threads)) {
    script_rich(fake_script_always(&at.net));
    infer_response *response = NULL;
    infer_error *error = NULL;
    int done = 0;
    int32_t status = infer_chat_stream(at.client, at.request, on_event, &done,
                                       &response, &error);
    if (is_ok(status, &error)) {
      check_text(response, "Hello");
      assert_int_equal(done, 1);
      assert_int_equal(infer_response_tool_call_count(response, 0), 1);
    }
    infer_response_free(response);
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

/* Polls to the end of an accepted call; one terminal event, nothing after. */
static int32_t
poll_to_end(infer_queue *queue, const char *expected)
{
  int32_t result = INFER_OK;
  for (bool done = false; !done;) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, -1, &event), INFER_OK);
    done = infer_event_type(event) == INFER_EVENT_DONE;
    if (done) {
      result = infer_event_status(event);
      assert_int_equal(infer_error_status(infer_event_error(event)), result);
      if (result == INFER_OK)
        check_text(infer_event_response(event), expected);
    }
    infer_event_free(event);
  }
  infer_event *event;
  assert_int_equal(infer_queue_poll(queue, 0, &event), INFER_E_TIMEOUT);
  return result;
}

static void
submit_and_poll(setting *at, const char *expected)
{
  infer_queue *queue;
  if (!is_ok(infer_queue_new(&queue, at->client), NULL))
    return;
  infer_call *call = NULL;
  infer_error *error = NULL;
  int32_t status = infer_submit(at->client, at->request, INFER_SUBMIT_STREAM,
                                queue, 0, &call, &error);
  if (is_ok(status, &error)) {
    is_ok(poll_to_end(queue, expected), NULL);
    infer_call_free(call);
  } else {
    infer_event *event;
    assert_null(call);
    assert_int_equal(infer_queue_poll(queue, 0, &event), INFER_E_TIMEOUT);
  }
  infer_queue_free(queue);
}

static void
asynchronous_call(void *threads)
{
  setting at;
  if (set_up(&at, threads)) {
    script_rich(fake_script_always(&at.net));
    submit_and_poll(&at, "Hello");
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

/* Retry, a key that is refused, and a restart in the middle. */
static void
call_with_failures(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    infer_request_free(at.request);
    at.request = request_of("r");
    fake_reply(fake_script_next(&at.net), 1, 503, "retry-after: 1",
               error_body("busy", "Come back"));
    fake_script *script = fake_script_next(&at.net);
    fake_stream(script, 1);
    fake_body(script, 2, sse_text("Hal"));
    fake_body(script, 3,
              "data: {\"error\":{\"message\":\"x\","
              "\"code\":500}}\n\n");
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    if (at.request) {
      submit_and_poll(&at, "Hello");
      check_works(&at, "Hello");
    }
  }
  tear_down(&at);
}

/* A call that fails anyway: with its own class, or for want of memory. */
static void
failing_call(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    fake_reply(fake_script_next(&at.net), 1, 400, "x-request-id: r-1",
               error_body("bad", "key-of-a is no parameter"));
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_error *error = NULL;
    int32_t status = infer_chat(at.client, at.request, NULL, &error);
    assert_true(status == INFER_E_BAD_REQUEST ||
                (status == INFER_E_NO_MEMORY && fail_alloc_hits() > 0));
    assert_int_equal(infer_error_status(error), status);
    assert_lacks(infer_error_message(error), "key-of-a");
    infer_error_free(error);
    /* A call that never reached the network leaves the 400 to the next. */
    if (at.net.request_count == 0)
      at.net.request_count = 1;
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

static void
cut_call(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    for (int i = 0; i < 2; i++) {
      fake_script *script = fake_script_next(&at.net);
      fake_stream(script, 1);
      fake_body(script, 2, sse_text("Hal"));
      fake_done(script, 3, INF_NET_PARTIAL);
    }
    infer_error *error = NULL;
    int32_t status = infer_chat(at.client, at.request, NULL, &error);
    assert_true(status == INFER_E_TRUNCATED ||
                (status == INFER_E_NO_MEMORY && fail_alloc_hits() > 0));
    assert_int_equal(infer_error_status(error), status);
    infer_error_free(error);
  }
  tear_down(&at);
}

static void
client_creation(void *threads)
{
  setting at;
  set_up(&at, threads);
  tear_down(&at);
}

static void
reload(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_config *config = config_of("0");
    infer_error *error = NULL;
    if (config)
      is_ok(infer_client_reload(at.client, config, &error), &error);
    infer_config_free(config);
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

static void
dry_run(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_plan *plan = NULL;
    infer_error *error = NULL;
    int32_t status = infer_client_plan(at.client, at.request, &plan, &error);
    if (is_ok(status, &error))
      assert_int_equal(infer_plan_count(plan), 2);
    else
      assert_null(plan);
    infer_plan_free(plan);
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

static void
list_of_models(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    fake_reply(fake_script_always(&at.net), 1, 200, NULL,
               "{\"data\":[{\"id\":\"m-1\"},{\"id\":\"m-2\",\"x\":[1]}]}");
    infer_model_list *models = NULL;
    infer_error *error = NULL;
    int32_t status = infer_models(at.client, "a", 1000, &models, &error);
    if (is_ok(status, &error)) {
      assert_int_equal(infer_model_list_count(models), 2);
      assert_string_equal(infer_model_list_id(models, 1), "m-2");
    } else {
      assert_null(models);
    }
    infer_model_list_free(models);
  }
  tear_down(&at);
}

static void
builders(void *unused)
{
  (void)unused;
  static const char json[] =
      "{\"model\":\"r\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
      "\"temperature\":0.5,\"tools\":[]}";
  infer_request *request = NULL;
  infer_error *error = NULL;
  int32_t status =
      infer_request_from_json(&request, json, INFER_NUL_TERMINATED, &error);
  if (!is_ok(status, &error))
    return;
  const char *schema = "{\"type\":\"object\"}";
  error = NULL;
  is_ok(infer_request_add_tool(request, "f", "d", schema, &error), &error);
  error = NULL;
  is_ok(infer_request_set_json_schema(request, "s", schema, &error), &error);
  is_ok(infer_request_add_image(request, "t", "https://x.test/i.png"), NULL);
  is_ok(infer_request_add_tool_result(request, "id", "r", 1), NULL);
  is_ok(infer_request_set_string(request, "user", "u"), NULL);
  is_ok(infer_request_set_int(request, "seed", 1), NULL);
  is_ok(infer_request_set_double(request, "top_p", 0.5), NULL);
  char *text = NULL;
  if (is_ok(infer_request_json(request, &text, NULL), NULL))
    assert_contains(text, "temperature");
  infer_text_free(text);
  infer_request_free(request);
}

/* ---- Tests ------------------------------------------------------------- */

static void
sweep(void (*scenario)(void *arg), const char *arg)
{
  fail_alloc_install();
  size_t failed = fail_alloc_sweep(scenario, (void *)(uintptr_t)arg);
  fail_alloc_uninstall();
  assert_true(failed > 0);
}

#define SWEEP(name, scenario, arg) \
  static void name(void **state)   \
  {                                \
    (void)state;                   \
    sweep(scenario, arg);          \
  }

SWEEP(a_blocking_call, blocking_call, "0")
SWEEP(a_blocking_call_with_a_thread, blocking_call, "1")
SWEEP(a_streamed_call, streamed_call, "0")
SWEEP(a_streamed_call_with_a_thread, streamed_call, "1")
SWEEP(an_asynchronous_call, asynchronous_call, "0")
SWEEP(an_asynchronous_call_with_a_thread, asynchronous_call, "1")
SWEEP(a_call_with_failures, call_with_failures, NULL)
SWEEP(a_call_that_fails, failing_call, NULL)
SWEEP(a_call_that_is_cut, cut_call, NULL)
SWEEP(the_making_of_a_client, client_creation, "0")
SWEEP(the_making_of_a_client_with_a_thread, client_creation, "1")
SWEEP(a_reload, reload, NULL)
SWEEP(a_dry_run, dry_run, NULL)
SWEEP(a_list_of_models, list_of_models, NULL)
SWEEP(the_builders_of_a_request, builders, NULL)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_blocking_call),
      cmocka_unit_test(a_blocking_call_with_a_thread),
      cmocka_unit_test(a_streamed_call),
      cmocka_unit_test(a_streamed_call_with_a_thread),
      cmocka_unit_test(an_asynchronous_call),
      cmocka_unit_test(an_asynchronous_call_with_a_thread),
      cmocka_unit_test(a_call_with_failures),
      cmocka_unit_test(a_call_that_fails),
      cmocka_unit_test(a_call_that_is_cut),
      cmocka_unit_test(the_making_of_a_client),
      cmocka_unit_test(the_making_of_a_client_with_a_thread),
      cmocka_unit_test(a_reload),
      cmocka_unit_test(a_dry_run),
      cmocka_unit_test(a_list_of_models),
      cmocka_unit_test(the_builders_of_a_request),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
