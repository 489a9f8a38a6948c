/* SPDX-License-Identifier: MIT */
/* Calls of every kind over a fake network: blocking, streamed, asynchronous;
 * that fail, are retried, cut, continued, cancelled or closed. */
#include "oom.h"

#include "support/fake_client.h"

#include "engine/hedger.h"

#include <stdio.h>
#include <string.h>

/* ---- What a scenario works with ---------------------------------------- */

typedef struct setting {
  fake_net net;
  infer_client *client;
  infer_request *request;
  bool records; /* attempts come as events */
} setting;

static const char document[] =
    "{'threads':0,'providers':["
    "{'name':'a','type':'openai','base_url':'http://a.test/v1',"
    "'api_key':'key-of-a','proxy':'none','labels':['x'],"
    "'headers':{'X-One':'1'},'models':{'alias':'m'}},"
    "{'name':'b','type':'openai','base_url':'http://b.test/v1',"
    "'api_key':['key-b-1','key-b-2'],'prefill':'continue_final_message','proxy'"
    ":'none'},"
    "{'name':'g','type':'gemini','base_url':'http://g.test/v1',"
    "'api_key':'k','proxy':'none'},"
    "{'name':'l','type':'ollama','base_url':'http://l.test',"
    "'proxy':'none'},"
    "{'name':'w','type':'bedrock','base_url':'http://w.test',"
    "'region':'us-east-1','api_key':'AKID:secret','proxy':'none'}],"
    "'routes':{'r':{'targets':['a/m','b/m'],"
    "'recovery':'restart'},"
    "'c':{'targets':['a/m','b/m'],'recovery':'continue'},"
    "'u':{'targets':[{'target':'a/m','upstream':'unary','overrides':{"
    "'system_prompt':'be brief','seed':1}}],'strategy':'latency'}}}";

/* A route that hedges. It would have connections made ready for the others. */
static const char hedging[] =
    "{'threads':0,'providers':["
    "{'name':'a','type':'openai','base_url':'http://a.test/v1',"
    "'api_key':'key-of-a','proxy':'none'},"
    "{'name':'b','type':'openai','base_url':'http://b.test/v1',"
    "'api_key':['key-b-1','key-b-2'],'proxy':'none'}],"
    "'routes':{'r':{'targets':['a/m','b/m'],'hedge':{'budget':0.5},"
    "'race_on':'answer'}}}";

static infer_client *
client_of(setting *at, const char *text, const char *threads)
{
  return oom_client_of(&at->net, oom_config_of(text, threads));
}

static infer_request *
request_of(const char *model)
{
  infer_request *request = NULL;
  if (!oom_is_ok(infer_request_new(&request, model), NULL))
    return NULL;
  bool ok = oom_is_ok(infer_request_add_message(request, "user", "Hi"), NULL) &&
            oom_is_ok(infer_request_set_header(request, "X-Two", "2"), NULL) &&
            oom_is_ok(infer_request_require_label(request, "x"), NULL) &&
            oom_is_ok(infer_request_set_tag(request, "team", "blue"), NULL) &&
            oom_is_ok(infer_request_set_tenant(request, "acme"), NULL);
  if (ok)
    return request;
  infer_request_free(request);
  return NULL;
}

/* False when memory was too short for as much. */
static bool
set_up_with(setting *at, const char *text, const char *threads)
{
  *at = (setting){.client = NULL};
  fake_net_init(&at->net);
  at->net.real_time = threads[0] == '1';
  at->client = client_of(at, text, threads);
  at->request = at->client ? request_of("r") : NULL;
  return at->request != NULL;
}

static bool
set_up(setting *at, const char *threads)
{
  return set_up_with(at, document, threads);
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
  oom_end_shortage();
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
    if (oom_is_ok(infer_chat(at.client, at.request, &response, &error),
                  &error)) {
      check_text(response, "Hello");
      size_t len;
      const char *json = infer_response_json(response, &len);
      assert_true(len > 100 || oom_hits() > 0);
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
    if (oom_is_ok(status, &error)) {
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
  if (!oom_is_ok(infer_queue_new(&queue, at->client), NULL))
    return;
  infer_call *call = NULL;
  infer_error *error = NULL;
  infer_queue_set_records(queue, at->records);
  int32_t status = infer_submit(at->client, at->request, INFER_SUBMIT_STREAM,
                                queue, 0, &call, &error);
  if (oom_is_ok(status, &error)) {
    oom_is_ok(poll_to_end(queue, expected), NULL);
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

static void
check_told(int32_t status, char *text, const char *part)
{
  if (!oom_is_ok(status, NULL))
    assert_null(text);
  else if (!text || !strstr(text, part))
    fail_msg("no \"%s\" is told", part);
  infer_text_free(text);
}

/* What is lost of telemetry is no call's loss; its texts are whole or none. */
static void
told_call(void *threads)
{
  setting at;
  if (set_up(&at, threads)) {
    at.records = true;
    fake_reply(fake_script_next(&at.net), 1, 503, NULL, "");
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    submit_and_poll(&at, "Hello");
    char *text = NULL;
    int32_t status = infer_client_stats(at.client, &text, NULL);
    check_told(status, text, "\"telemetry\":{");
    text = NULL;
    status = infer_client_metrics(at.client, &text, NULL);
    check_told(status, text, "libinfer_telemetry_dropped_total");
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

/* With a collector, that hears of the calls or loses them. */
static const char collected[] =
    "{'threads':0,'providers':["
    "{'name':'a','type':'openai','base_url':'http://a.test/v1',"
    "'api_key':'key-of-a','proxy':'none','labels':['x']},"
    "{'name':'b','type':'openai','base_url':'http://b.test/v1',"
    "'api_key':['key-b-1','key-b-2'],'proxy':'none','labels':['x']}],"
    "'routes':{'r':{'targets':['a/m','b/m']}},"
    "'telemetry':{'otlp':{'endpoint':'http://otel.test','headers':{"
    "'X-Key':'k'}}}}";

static void
collected_call(void *threads)
{
  setting at;
  if (set_up_with(&at, collected, threads)) {
    fake_reply(fake_script_for(&at.net, "http://otel.test"), 1, 200, NULL,
               "{\"partialSuccess\":{\"rejectedSpans\":\"1\"}}");
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_request_set_header(
        at.request, "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    submit_and_poll(&at, "Hello");
    int32_t status = infer_client_close(at.client, 1000);
    assert_true(status == INFER_OK || oom_hits() > 0);
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
                (status == INFER_E_NO_MEMORY && oom_hits() > 0));
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
                (status == INFER_E_NO_MEMORY && oom_hits() > 0));
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
    infer_config *config = oom_config_of(document, "0");
    infer_error *error = NULL;
    if (config)
      oom_is_ok(infer_client_reload(at.client, config, &error), &error);
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
    if (oom_is_ok(status, &error))
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
    if (oom_is_ok(status, &error)) {
      assert_int_equal(infer_model_list_count(models), 2);
      assert_string_equal(infer_model_list_id(models, 1), "m-2");
    } else {
      assert_null(models);
    }
    infer_model_list_free(models);
  }
  tear_down(&at);
}

/* Two pages of models. */
static void
pages_of_models(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    fake_reply(
        fake_script_for(&at.net, "http://g.test/v1/models?pageSize=1000&"), 1,
        200, NULL, "{\"models\":[{\"name\":\"models/m-2\"}]}");
    fake_reply(fake_script_next(&at.net), 1, 200, NULL,
               "{\"models\":[{\"name\":\"models/m-1\"}],"
               "\"nextPageToken\":\"t\"}");
    infer_model_list *models = NULL;
    infer_error *error = NULL;
    int32_t status = infer_models(at.client, "g", 1000, &models, &error);
    if (oom_is_ok(status, &error)) {
      assert_int_equal(infer_model_list_count(models), 2);
      assert_string_equal(infer_model_list_id(models, 1), "m-2");
    } else {
      assert_null(models);
    }
    infer_model_list_free(models);
  }
  tear_down(&at);
}

static infer_request *
inputs_of(const char *model, int count)
{
  infer_request *request = NULL;
  bool ok = oom_is_ok(infer_request_new(&request, model), NULL);
  for (int i = 0; ok && i < count; i++)
    ok = oom_is_ok(infer_request_add_input(request, "text"), NULL);
  if (ok)
    return request;
  infer_request_free(request);
  return NULL;
}

static void
check_vectors(infer_embeddings *got)
{
  char *json = NULL;
  assert_true(infer_embeddings_vector(got, 1)[1] == 0.5f);
  if (oom_is_ok(infer_embeddings_json(got, 1, &json, NULL), NULL))
    assert_non_null(json);
  infer_text_free(json);
}

/* Three parts at the most, each with two inputs: the answer fits them all. */
static void
embeddings(void *model)
{
  setting at;
  if (set_up(&at, "0")) {
    fake_reply(fake_script_always(&at.net), 1, 200, NULL,
               "{\"embeddings\":[[0,0.5],[1,0.5]],\"embedding\":[0,0.5]}");
    infer_request *request = inputs_of(model, 2);
    infer_embeddings *got = NULL;
    infer_error *error = NULL;
    if (request) {
      int32_t status = infer_embed(at.client, request, &got, &error);
      if (oom_is_ok(status, &error))
        check_vectors(got);
      else
        assert_null(got);
      infer_embeddings_free(got);
    }
    infer_request_free(request);
  }
  tear_down(&at);
}

/* One that any provider may serve. */
static infer_request *
plain_request_of(const char *model)
{
  infer_request *request = NULL;
  if (!oom_is_ok(infer_request_new(&request, model), NULL))
    return NULL;
  if (oom_is_ok(infer_request_add_message(request, "user", "Hi"), NULL))
    return request;
  infer_request_free(request);
  return NULL;
}

/* A stream that breaks off and is gone on with by another target. */
static void
continued_call(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    infer_request_free(at.request);
    at.request = plain_request_of("c");
    fake_script *script = fake_script_next(&at.net);
    fake_stream(script, 1);
    fake_body(script, 2, sse_text("Hel"));
    fake_done(script, 30, INF_NET_PARTIAL);
    script = fake_script_next(&at.net);
    fake_stream(script, 1);
    fake_body(script, 2, sse_text("lo"));
    fake_body(script, 3, sse_finish("stop"));
    fake_body(script, 3, SSE_DONE);
    fake_done(script, 3, INF_NET_OK);
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    if (at.request) {
      submit_and_poll(&at, "Hello");
      at.net.request_count = at.net.script_count;
      check_works(&at, "Hello");
    }
  }
  tear_down(&at);
}

/* What hedges of the route may cost is earned. */
static void
earn(setting *at)
{
  const inf_route_config *route;
  assert_int_equal(
      inf_config_resolve(at->client->config, INF_SV("r"), &route, NULL),
      INFER_OK);
  const inf_hedge_ask ask = {
      .targets = (const inf_target_config *const[]){&route->targets[0]},
      .count = 1};
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  inf_hedge_pass pass =
      inf_hedger_arm(at->client->runtime, route->name, &route->params, &ask,
                     at->net.now_ns, &rng);
  for (int i = 0; pass.hedger && i < 60; i++)
    inf_hedger_complete(at->client->runtime, &pass, 1000);
}

/* An attempt that thinks at once, which is held back, and answers at at_ms. */
static void
script_thinking(fake_script *script, uint64_t at_ms)
{
  fake_stream(script, 1);
  fake_body(script, 5, sse_reasoning("Hm"));
  fake_body(script, at_ms, sse_text("Hello"));
  fake_body(script, at_ms, sse_finish("stop"));
  fake_body(script, at_ms, SSE_DONE);
  fake_done(script, at_ms, INF_NET_OK);
}

/* Two attempts race, from 2 s on: both have content that decides nothing, then
 * one of them wins. */
static void
hedged_call(void *who)
{
  setting at;
  if (set_up_with(&at, hedging, "0")) {
    bool first = strcmp(who, "first") == 0;
    at.net.warm_ups_apart = true;
    infer_request_free(at.request);
    at.request = plain_request_of("r");
    if (strcmp(who, "alone") == 0)
      fake_reply(fake_script_next(&at.net), 2200, 503, NULL, "");
    else
      script_thinking(fake_script_next(&at.net), first ? 2100 : 9000);
    script_thinking(fake_script_next(&at.net), first ? 9000 : 300);
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    earn(&at);
    if (at.request) {
      submit_and_poll(&at, "Hello");
      assert_true(at.net.request_count == 2 || oom_hits() > 0);
      if (at.net.request_count < at.net.script_count)
        at.net.request_count = at.net.script_count;
      check_works(&at, "Hello");
    }
  }
  tear_down(&at);
}

/* One whole body, several choices, a handle without a queue. */
static void
whole_call(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    fake_reply(fake_script_always(&at.net), 1, 200, NULL, unary_body("Hello"));
    infer_request_free(at.request);
    at.request = request_of("u");
    infer_call *call = NULL;
    infer_error *error = NULL;
    int32_t status =
        at.request ? infer_submit(at.client, at.request, INFER_SUBMIT_WHOLE,
                                  NULL, 7, &call, &error)
                   : INFER_E_NO_MEMORY;
    if (at.request && oom_is_ok(status, &error)) {
      infer_response *response;
      error = NULL;
      if (oom_is_ok(infer_call_wait(call, -1, &response, &error), &error))
        check_text(response, "Hello");
      infer_response_free(response);
    }
    infer_call_free(call);
    if (at.request)
      check_works(&at, "Hello");
  }
  tear_down(&at);
}

/* Cancelled in the middle, by the handle, by the queue's end, by close. */
static void
ended_call(void *how)
{
  setting at;
  if (set_up(&at, "0")) {
    fake_script *script = fake_script_next(&at.net);
    fake_stream(script, 1);
    fake_body(script, 2, sse_text("Hal"));
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_queue *queue = NULL;
    infer_call *call = NULL;
    infer_error *error = NULL;
    if (oom_is_ok(infer_queue_new(&queue, at.client), NULL) &&
        oom_is_ok(infer_submit(at.client, at.request, INFER_SUBMIT_STREAM,
                               queue, 0, &call, &error),
                  &error)) {
      infer_event *event;
      if (infer_queue_poll(queue, 10, &event) == INFER_OK)
        infer_event_free(event);
      if (strcmp(how, "cancel") == 0)
        infer_call_cancel(call);
      else if (strcmp(how, "close") == 0)
        infer_client_close(at.client, 0);
      else
        infer_queue_free(queue);
      queue = strcmp(how, "free") == 0 ? NULL : queue;
      int32_t status = infer_call_wait(call, -1, NULL, &error);
      assert_true(status == INFER_E_CANCELLED ||
                  (status == INFER_E_NO_MEMORY && oom_hits() > 0));
      infer_error_free(error);
    }
    infer_call_free(call);
    infer_queue_free(queue);
    if (at.net.request_count == 0)
      at.net.request_count = 1;
    if (strcmp(how, "close") != 0)
      check_works(&at, "Hello");
  }
  tear_down(&at);
}

/* What cannot even be submitted: an error with words. */
static void
refused_call(void *model)
{
  setting at;
  if (set_up(&at, "0")) {
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_request *request = request_of(model);
    if (request) {
      infer_error *error = NULL;
      int32_t status = infer_chat(at.client, request, NULL, &error);
      oom_fails(status, &error,
                strcmp(model, "b/m") == 0 ? INFER_E_NO_TARGET : INFER_E_CONFIG);
    }
    infer_request_free(request);
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

static void
warm_up(void *unused)
{
  (void)unused;
  setting at;
  if (set_up(&at, "0")) {
    fake_stream_all(fake_script_always(&at.net), 1, "Hello");
    infer_warm_report *report = NULL;
    infer_error *error = NULL;
    int32_t status =
        infer_client_prewarm(at.client, "r", 1000, &report, &error);
    if (oom_is_ok(status, &error))
      assert_int_equal(infer_warm_report_count(report), 2);
    else
      assert_null(report);
    infer_warm_report_free(report);
    check_works(&at, "Hello");
  }
  tear_down(&at);
}

static const oom_scenario scenarios[] = {
    {"a blocking call", blocking_call, "0"},
    {"a blocking call with a thread", blocking_call, "1"},
    {"a streamed call", streamed_call, "0"},
    {"a streamed call with a thread", streamed_call, "1"},
    {"an asynchronous call", asynchronous_call, "0"},
    {"an asynchronous call with a thread", asynchronous_call, "1"},
    {"a call with failures", call_with_failures, NULL},
    {"a call whose telemetry is read", told_call, "0"},
    {"a call whose telemetry is read, with a thread", told_call, "1"},
    {"a call that a collector hears of", collected_call, "0"},
    {"a call that a collector hears of, with a thread", collected_call, "1"},
    {"a call that fails", failing_call, NULL},
    {"a call that is cut", cut_call, NULL},
    {"the making of a client", client_creation, "0"},
    {"the making of a client with a thread", client_creation, "1"},
    {"a reload", reload, NULL},
    {"a dry run", dry_run, NULL},
    {"a list of models", list_of_models, NULL},
    {"a list of models in pages", pages_of_models, NULL},
    {"embeddings", embeddings, "l/m"},
    {"embeddings in parts", embeddings, "w/amazon.titan-embed-text-v2:0"},
    {"a call that is continued", continued_call, NULL},
    {"a race that the first attempt wins", hedged_call, "first"},
    {"a race that the second attempt wins", hedged_call, "second"},
    {"a race whose first attempt fails", hedged_call, "alone"},
    {"a call for one whole body", whole_call, NULL},
    {"a call that is cancelled", ended_call, "cancel"},
    {"a call whose client is closed", ended_call, "close"},
    {"a call whose queue is freed", ended_call, "free"},
    {"a call of an unknown model", refused_call, "nothing/m"},
    {"a call that no target may serve", refused_call, "b/m"},
    {"a warm-up", warm_up, NULL},
};

const oom_suite oom_calls = OOM_SUITE(scenarios);
