/* SPDX-License-Identifier: MIT */
/* Embeddings over real sockets: batches that are cut to what a provider takes,
 * their order, a part that fails over, answers that are cut, and the lists of
 * models of each dialect. */
#include "world.h"

#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Three providers that have the model m and take ten inputs at once. */
static void
three_providers(world *w, const char *script_of_a)
{
  world_sim(w, 1, script_of_a);
  world_sim(w, 2, "{}");
  world_client(w,
               "{'providers':["
               "{'name':'a','type':'alibaba','base_url':'$1','api_key':'k'},"
               "{'name':'b','type':'alibaba','base_url':'$2','api_key':'k'}],"
               "'defaults':{'breaker':false,'retry_budget':false,"
               "'timeouts':{'attempt_ms':2000,'deadline_ms':8000}},"
               "'routes':{'r':{'targets':['a/m','b/m']},"
               "'x':{'targets':['a/m','b/other']}}}");
}

static infer_request *
request_of(const char *model, size_t first, size_t count)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, model), INFER_OK);
  for (size_t i = first; i < first + count; i++) {
    char text[32];
    snprintf(text, sizeof text, "text %zu", i);
    assert_int_equal(infer_request_add_input(request, text), INFER_OK);
  }
  return request;
}

static infer_embeddings *
embed(world *w, const char *model, size_t first, size_t count)
{
  infer_request *request = request_of(model, first, count);
  infer_embeddings *got;
  infer_error *error;
  if (infer_embed(w->client, request, &got, &error) != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  infer_request_free(request);
  return got;
}

/* Each vector is what the text alone gives. */
static void
assert_each_is_its_own(world *w, const infer_embeddings *got, size_t count)
{
  assert_int_equal(infer_embeddings_count(got), count);
  size_t bytes = infer_embeddings_dimensions(got) * sizeof(float);
  assert_int_equal(bytes, 8 * sizeof(float));
  for (size_t i = 0; i < count; i += 7) {
    infer_embeddings *alone = embed(w, "b/m", i, 1);
    assert_memory_equal(infer_embeddings_vector(got, i),
                        infer_embeddings_vector(alone, 0), bytes);
    infer_embeddings_free(alone);
  }
}

static size_t
inputs_of(json_object *log, size_t index)
{
  json_object *input;
  assert_true(json_object_object_get_ex(log_body(log, index), "input", &input));
  return json_object_array_length(input);
}

static void
a_batch_is_cut_and_keeps_its_order(void **state)
{
  (void)state;
  world w = {0};
  three_providers(&w, "{}");
  infer_embeddings *got = embed(&w, "r", 0, 95);
  json_object *log = world_log(&w, 1, 10);
  size_t total = 0;
  for (size_t i = 0; i < 10; i++) {
    assert_true(inputs_of(log, i) <= 10);
    total += inputs_of(log, i);
  }
  assert_int_equal(total, 95);
  json_object_put(log);
  const infer_response *response = infer_embeddings_response(got);
  assert_int_equal(infer_response_attempt_count(response), 10);
  assert_true(infer_response_usage(response, INFER_USAGE_INPUT) > 95);
  assert_int_equal(infer_response_usage(response, INFER_USAGE_INPUT),
                   infer_response_total_usage(response, INFER_USAGE_INPUT));
  assert_string_equal(infer_response_model(response), "m");
  assert_each_is_its_own(&w, got, 95);
  infer_embeddings_free(got);
  world_end(&w);
}

/* The third and the fourth request to a fail; their inputs, and no others, go
 * to b. */
static void
a_part_of_a_batch_fails_over(void **state)
{
  (void)state;
  world w = {0};
  three_providers(&w, "{'rules':[{'when':{'requests':'3-4'},"
                      "'do':{'status':404}}]}");
  infer_embeddings *got = embed(&w, "r", 0, 60);
  assert_int_equal(world_requests(&w, 1), 6);
  assert_int_equal(world_requests(&w, 2), 2);
  json_object *log = world_log(&w, 2, 2);
  assert_int_equal(inputs_of(log, 0) + inputs_of(log, 1), 20);
  json_object_put(log);
  const infer_response *response = infer_embeddings_response(got);
  size_t failed = 0, over = 0;
  for (size_t i = 0; i < infer_response_attempt_count(response); i++) {
    const infer_attempt *attempt = infer_response_attempt(response, i);
    failed += infer_attempt_status(attempt) == INFER_E_NOT_FOUND;
    over += infer_attempt_reason(attempt) == INFER_REASON_FAILOVER &&
            strcmp(infer_attempt_target(attempt), "b/m") == 0;
  }
  assert_int_equal(failed, 2);
  assert_int_equal(over, 2);
  assert_each_is_its_own(&w, got, 60);
  infer_embeddings_free(got);
  world_end(&w);
}

static void
nothing_goes_to_another_model(void **state)
{
  (void)state;
  world w = {0};
  three_providers(&w, "{'defaults':{'status':503}}");
  infer_request *request = request_of("x", 0, 25);
  infer_embeddings *got;
  infer_error *error;
  assert_int_equal(infer_embed(w.client, request, &got, &error),
                   INFER_E_OVERLOADED);
  assert_null(got);
  assert_string_equal(infer_error_target(error), "a/m");
  infer_error_free(error);
  infer_request_free(request);
  assert_int_equal(world_requests(&w, 2), 0);
  world_end(&w);
}

static void
a_call_in_a_queue_has_one_end(void **state)
{
  (void)state;
  world w = {0};
  three_providers(&w, "{}");
  infer_queue *queue;
  infer_call *calls[4];
  infer_event *event;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  for (uint64_t i = 0; i < 4; i++) {
    infer_request *request = request_of("r", 0, 35);
    assert_int_equal(
        infer_submit_embed(w.client, request, queue, i, &calls[i], NULL),
        INFER_OK);
    infer_request_free(request);
  }
  bool seen[4] = {false};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(infer_queue_poll(queue, 5000, &event), INFER_OK);
    assert_int_equal(infer_event_type(event), INFER_EVENT_DONE);
    assert_int_equal(infer_event_status(event), INFER_OK);
    uint64_t tag = infer_event_tag(event);
    assert_true(tag < 4 && !seen[tag]);
    seen[tag] = true;
    infer_event_free(event);
  }
  assert_int_equal(infer_queue_poll(queue, 20, &event), INFER_E_TIMEOUT);
  for (int i = 0; i < 4; i++) {
    infer_embeddings *got;
    assert_int_equal(infer_call_embeddings(calls[i], &got, NULL), INFER_OK);
    assert_int_equal(infer_embeddings_count(got), 35);
    infer_embeddings_free(got);
    infer_call_free(calls[i]);
  }
  infer_queue_free(queue);
  world_end(&w);
}

/* ---- Cut answers --------------------------------------------------------- */

static const char answer[] =
    "{\"data\":[{\"index\":0,\"embedding\":[1,2]},{\"index\":1,\"embedding\":"
    "\"AACAPwAAAEA=\"}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":2}}";

typedef struct cut {
  size_t at;
  bool length; /* the head promises all of it */
} cut;

static void
cut_answer(tiny_conn *conn)
{
  const cut *how = conn->context;
  char head[160];
  if (!tiny_read(conn))
    return;
  if (how->length)
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
             sizeof answer - 1);
  else
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  tiny_puts(conn, head);
  tiny_write(conn, answer, how->at);
}

static int32_t
embed_cut(cut *how)
{
  char config[256];
  world w = {0};
  tiny_server *server = tiny_start(cut_answer, how, NULL);
  assert_non_null(server);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'a','type':'openai','base_url':"
           "'http://127.0.0.1:%d','api_key':'k'}],'defaults':{'retries':0,"
           "'stay':{'retries':0}}}",
           tiny_port(server));
  world_client(&w, config);
  infer_request *request = request_of("a/m", 0, 2);
  infer_embeddings *got;
  int32_t status = infer_embed(w.client, request, &got, NULL);
  assert_int_equal(got != NULL, status == INFER_OK);
  infer_embeddings_free(got);
  infer_request_free(request);
  world_end(&w);
  tiny_stop(server);
  return status;
}

static void
no_cut_answer_is_a_success(void **state)
{
  (void)state;
  for (int length = 0; length < 2; length++)
    for (size_t at = 0; at < sizeof answer - 1; at++) {
      int32_t status = embed_cut(&(cut){at, length});
      if (status != INFER_E_TRUNCATED && !(at == 0 && status == INFER_E_RESET))
        fail_msg("cut at %zu: %s", at, infer_status_name(status));
    }
  assert_int_equal(embed_cut(&(cut){sizeof answer - 1, true}), INFER_OK);
  assert_int_equal(embed_cut(&(cut){sizeof answer - 1, false}), INFER_OK);
}

/* ---- Lists of models ----------------------------------------------------- */

/* One server that speaks for all services: by the path and query that are
 * asked for. */
static const struct page {
  const char *line, *body;
} pages[] = {
    {"GET /openai/models HTTP/1.1", "{\"data\":[{\"id\":\"o-1\"}]}"},
    {"GET /azure/models?api-version=2024-10-21 HTTP/1.1",
     "{\"data\":[{\"id\":\"z-1\"}]}"},
    {"GET /anthropic/models?limit=1000 HTTP/1.1",
     "{\"data\":[{\"id\":\"c-1\"}],\"has_more\":true,\"last_id\":\"c-1\"}"},
    {"GET /anthropic/models?limit=1000&after_id=c-1 HTTP/1.1",
     "{\"data\":[{\"id\":\"c-2\"}],\"has_more\":false,\"last_id\":\"c-2\"}"},
    {"GET /gemini/models?pageSize=1000 HTTP/1.1",
     "{\"models\":[{\"name\":\"models/g-1\"}],\"nextPageToken\":\"p+2\"}"},
    {"GET /gemini/models?pageSize=1000&pageToken=p%2B2 HTTP/1.1",
     "{\"models\":[{\"name\":\"models/g-2\"}]}"},
    {"GET /cohere/v1/models?page_size=1000 HTTP/1.1",
     "{\"models\":[{\"name\":\"h-1\"}],\"next_page_token\":\"n\"}"},
    {"GET /cohere/v1/models?page_size=1000&page_token=n HTTP/1.1",
     "{\"models\":[{\"name\":\"h-2\"}]}"},
    {"GET /ollama/api/tags HTTP/1.1", "{\"models\":[{\"name\":\"l-1\"}]}"},
    {"GET /bedrock/foundation-models HTTP/1.1",
     "{\"modelSummaries\":[{\"modelId\":\"b-1\"}]}"},
    {"GET /bedrock/inference-profiles?maxResults=1000 HTTP/1.1",
     "{\"inferenceProfileSummaries\":[{\"inferenceProfileId\":\"us.b-1\"}]}"},
    {"POST /openai/embeddings HTTP/1.1",
     "{\"data\":[{\"index\":0,\"embedding\":[1]}]}"},
    {"GET /snowflake/cortex/models HTTP/1.1", "{\"models\":[\"s-1\"]}"},
    {"GET /vertex/v1beta1/publishers/google/models?pageSize=100 HTTP/1.1",
     "{\"publisherModels\":[{\"name\":\"publishers/google/models/v-1\"}]}"},
};

static void
serve_pages(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    size_t len = strcspn(conn->head, "\r");
    const char *body = NULL;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
      if (strlen(pages[i].line) == len &&
          strncmp(pages[i].line, conn->head, len) == 0)
        body = pages[i].body;
    /* Snowflake takes no GET without a body, and others none with one. */
    bool has_body = conn->body_len > 0;
    if (conn->head[0] == 'G' &&
        has_body != (strstr(conn->head, "/snowflake/") != NULL))
      body = NULL;
    if (body)
      tiny_answer(conn, body);
    else
      tiny_puts(conn, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  }
}

static void
each_dialect_lists_its_models(void **state)
{
  (void)state;
  static const char *const expected[][3] = {
      {"openai", "o-1", ""},
      {"azure", "z-1", ""},
      {"snowflake", "s-1", "/cortex/v1"},
      {"anthropic", "c-1,c-2", ""},
      {"gemini", "g-1,g-2", ""},
      {"cohere", "h-1,h-2", ""},
      {"ollama", "l-1", ""},
      {"bedrock", "b-1,us.b-1", ""},
      {"vertex", "v-1", "/v1/projects/p/locations/l"},
  };
  enum { count = sizeof expected / sizeof expected[0] };
  char config[2048];
  size_t len = (size_t)snprintf(config, sizeof config, "{'providers':[");
  world w = {0};
  tiny_server *server = tiny_start(serve_pages, NULL, NULL);
  for (size_t i = 0; i < count; i++) {
    const char *name = expected[i][0];
    len += (size_t)snprintf(
        config + len, sizeof config - len,
        "%s{'name':'%s','type':'%s','base_url':'http://127.0.0.1:%d/%s%s',"
        "'api_key':'k'}",
        i ? "," : "", name,
        strcmp(name, "azure") == 0 ? "azure-openai-deployments" : name,
        tiny_port(server), name, expected[i][2]);
  }
  snprintf(config + len, sizeof config - len, "]}");
  world_client(&w, config);
  for (size_t i = 0; i < count; i++) {
    char ids[128] = "";
    size_t used = 0;
    infer_model_list *models;
    infer_error *error;
    if (infer_models(w.client, expected[i][0], 5000, &models, &error) !=
        INFER_OK)
      fail_msg("%s: %s", expected[i][0], infer_error_message(error));
    for (size_t k = 0; k < infer_model_list_count(models); k++)
      used += (size_t)snprintf(ids + used, sizeof ids - used, "%s%s",
                               k ? "," : "", infer_model_list_id(models, k));
    assert_string_equal(ids, expected[i][1]);
    infer_model_list_free(models);
  }
  /* What sent a GET with a body sends a POST again. */
  infer_model_list *models;
  assert_int_equal(infer_models(w.client, "snowflake", 5000, &models, NULL),
                   INFER_OK);
  infer_model_list_free(models);
  infer_request *request;
  infer_embeddings *vectors;
  assert_int_equal(infer_request_new(&request, "openai/m"), INFER_OK);
  assert_int_equal(infer_request_add_input(request, "a"), INFER_OK);
  assert_int_equal(infer_embed(w.client, request, &vectors, NULL), INFER_OK);
  infer_request_free(request);
  infer_embeddings_free(vectors);
  world_end(&w);
  tiny_stop(server);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_batch_is_cut_and_keeps_its_order),
      cmocka_unit_test(a_part_of_a_batch_fails_over),
      cmocka_unit_test(nothing_goes_to_another_model),
      cmocka_unit_test(a_call_in_a_queue_has_one_end),
      cmocka_unit_test(no_cut_answer_is_a_success),
      cmocka_unit_test(each_dialect_lists_its_models),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
