/* SPDX-License-Identifier: MIT */
/* The plug-in of examples/plugin against a server of its protocol: what holds
 * for built-in providers holds for it. Sees public headers and its own server
 * only, so that it is also built outside the source tree, with the installed
 * library (tests/consumer). */
#include "support/tiny_server.h"

#include "parcel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TOKEN "parcel-token-1"

/* ---- The server ---------------------------------------------------------- */

#define PLAIN                   \
  "T00000009Gr\xc3\xbc\xc3\x9f" \
  "e \n"                        \
  "T00000005\xe2\x80\xa8!\n"    \
  "T00000000U000000033 4Z00000004stop"
#define PLAIN_TEXT     \
  "Gr\xc3\xbc\xc3\x9f" \
  "e \n\xe2\x80\xa8!\n"
#define TOOLS                                                     \
  "C00000029t1 weather {\"city\": \"Ulm, D\"}C00000010t2 time {}" \
  "Z00000008tool_use"

typedef struct post {
  tiny_server *server;
  infer_client *client;
  infer_config *config;
  infer_error *error;
  infer_response *response;
  atomic_size_t cut; /* the answer ends after so many bytes */
  atomic_int asked;  /* of model "twice" */
  char seen[4096];   /* the body of the last request */
  char text[256];    /* what a reader of the stream got */
  int tools_done;
} post;

static void
answer(tiny_conn *conn, int status, const char *fields, const char *body,
       size_t len)
{
  char head[512];
  snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nConnection: close\r\n%s\r\n",
           status, fields);
  tiny_puts(conn, head);
  tiny_write(conn, body, len);
}

static void
answer_all(tiny_conn *conn, int status, const char *fields, const char *body)
{
  answer(conn, status, fields, body, strlen(body));
}

static bool
is_signed(const tiny_conn *conn)
{
  char token[64] = "", sum[64] = "", expected[16];
  unsigned number = 0;
  tiny_field(conn, "Parcel-Token", token, sizeof token);
  tiny_field(conn, "Parcel-Sum", sum, sizeof sum);
  for (const char *at = token; *at; at++)
    number = number * 31 + (unsigned char)*at;
  for (size_t i = 0; i < conn->body_len; i++)
    number = number * 31 + (unsigned char)conn->body[i];
  snprintf(expected, sizeof expected, "%08x", number);
  return strcmp(token, TOKEN) == 0 && strcmp(sum, expected) == 0;
}

static void
answer_parcel(post *p, tiny_conn *conn)
{
  static const char busy[] = "120 busy come back later";
  char type[64] = "";
  tiny_field(conn, "Content-Type", type, sizeof type);
  if (!is_signed(conn) || strcmp(type, "text/plain") != 0)
    answer_all(conn, 403, "", "0 token not signed");
  else if (strstr(conn->head, "/parcels/plain "))
    answer_all(conn, 200, "", PLAIN);
  else if (strstr(conn->head, "/parcels/last "))
    answer_all(conn, 200, "Parcel-Left: 0/60\r\n", PLAIN);
  else if (strstr(conn->head, "/parcels/tools%2Fall "))
    answer_all(conn, 200, "", TOOLS);
  else if (strstr(conn->head, "/parcels/cut "))
    answer(conn, 200, "", PLAIN, atomic_load(&p->cut));
  else if (strstr(conn->head, "/parcels/cut-tools "))
    answer(conn, 200, "", TOOLS, atomic_load(&p->cut));
  else if (strstr(conn->head, "/parcels/twice ") &&
           atomic_fetch_add(&p->asked, 1) > 0)
    answer_all(conn, 200, "", PLAIN);
  else if (strstr(conn->head, "/parcels/late "))
    answer_all(conn, 200, "",
               "T00000004half"
               "E00000023700 full no room today\n");
  else if (strstr(conn->head, "/parcels/noise "))
    answer_all(conn, 200, "", "T0000000x half and more of it");
  else
    answer_all(conn, 429, "Content-Type: text/plain\r\n", busy);
}

static void
handle(tiny_conn *conn)
{
  static const char stream[] =
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
      "\"built in\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
  post *p = conn->context;
  if (!tiny_read(conn))
    return;
  snprintf(p->seen, sizeof p->seen, "%.*s", 4000, conn->body);
  if (strstr(conn->head, "/parcels/"))
    answer_parcel(p, conn);
  else if (strstr(conn->body, "\"down\""))
    answer_all(conn, 503, "", "{\"error\":{\"message\":\"down\"}}");
  else
    answer_all(conn, 200, "Content-Type: text/event-stream\r\n", stream);
}

/* ---- The client ---------------------------------------------------------- */

static infer_config *
make_config(const post *p, const char *more)
{
  char json[2048];
  infer_config *config;
  int port = tiny_port(p->server);
  snprintf(json, sizeof json,
           "{\"threads\":%s,\"providers\":["
           "{\"name\":\"post\",\"type\":\"parcel\",\"api_key\":\"" TOKEN "\","
           "\"base_url\":\"http://127.0.0.1:%d\"},"
           "{\"name\":\"pile\",\"type\":\"parcel\",\"api_key\":\"" TOKEN "\","
           "\"base_url\":\"http://127.0.0.1:%d\",\"upstream\":\"unary\"},"
           "{\"name\":\"other\",\"type\":\"openai\",\"api_key\":\"k\","
           "\"base_url\":\"http://127.0.0.1:%d/v1\"}],%s}",
           getenv("WORLD_THREADS") ? getenv("WORLD_THREADS") : "1", port, port,
           port, more);
  assert_int_equal(
      infer_config_from_json(&config, json, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  assert_int_equal(
      infer_config_add_provider_type(config, parcel_provider(), NULL),
      INFER_OK);
  return config;
}

#define NO_RETRIES \
  "\"defaults\":{\"retries\":0,\"stay\":{\"retries\":0},\"breaker\":false}"

static post *
post_start(const char *more)
{
  post *p = calloc(1, sizeof *p);
  assert_non_null(p);
  p->server = tiny_start(handle, p, NULL);
  assert_non_null(p->server);
  p->config = make_config(p, more);
  int32_t status = infer_client_new(&p->client, p->config, &p->error);
  if (status != INFER_OK)
    fail_msg("%s", infer_error_message(p->error));
  return p;
}

static void
post_clear(post *p)
{
  infer_error_free(p->error);
  infer_response_free(p->response);
  p->error = NULL;
  p->response = NULL;
  p->text[0] = '\0';
  p->tools_done = 0;
}

static void
post_end(post *p)
{
  post_clear(p);
  infer_client_free(p->client);
  infer_config_free(p->config);
  tiny_stop(p->server);
  free(p);
}

static int32_t
on_event(const infer_event *event, void *user_data)
{
  post *p = user_data;
  size_t len, have = strlen(p->text);
  const char *text = infer_event_text(event, &len);
  if (infer_event_type(event) == INFER_EVENT_TEXT)
    snprintf(p->text + have, sizeof p->text - have, "%.*s", (int)len, text);
  if (infer_event_type(event) == INFER_EVENT_RESTART)
    p->text[0] = '\0';
  p->tools_done += infer_event_type(event) == INFER_EVENT_TOOL_CALL_DONE;
  return INFER_OK;
}

/* kind: 's' a stream, 'c' a chat over a stream, 'u' over a whole body. */
static int32_t
ask(post *p, const char *model, char kind)
{
  char name[64];
  infer_request *request;
  post_clear(p);
  if (strchr(model, '/'))
    snprintf(name, sizeof name, "%s%s", kind == 'u' ? "pile" : "post",
             strchr(model, '/'));
  assert_int_equal(
      infer_request_new(&request, strchr(model, '/') ? name : model), INFER_OK);
  infer_request_add_message(request, "system", "Be \"brief\"\n");
  infer_request_add_message(request, "user", "hello");
  int32_t status =
      kind == 's' ? infer_chat_stream(p->client, request, on_event, p,
                                      &p->response, &p->error)
                  : infer_chat(p->client, request, &p->response, &p->error);
  infer_request_free(request);
  return status;
}

/* ---- Answers ------------------------------------------------------------- */

static void
a_chat_is_written_and_read(void **state)
{
  (void)state;
  post *p = post_start(NO_RETRIES);
  for (const char *kind = "scu"; *kind; kind++) {
    if (ask(p, "post/plain", *kind) != INFER_OK)
      fail_msg("%c: %s", *kind, infer_error_message(p->error));
    assert_string_equal(infer_response_text(p->response, NULL), PLAIN_TEXT);
    assert_string_equal(infer_response_finish_reason(p->response, 0), "stop");
    assert_string_equal(infer_response_provider(p->response),
                        *kind == 'u' ? "pile" : "post");
    assert_int_equal(infer_response_usage(p->response, INFER_USAGE_INPUT), 3);
    assert_int_equal(infer_response_usage(p->response, INFER_USAGE_OUTPUT), 4);
    assert_false(infer_response_usage_estimated(p->response));
    if (*kind == 's')
      assert_string_equal(p->text, PLAIN_TEXT);
    assert_non_null(strstr(p->seen, "role \"system\"\n"
                                    "content \"Be \\\"brief\\\"\\n\"\n"));
    assert_non_null(
        strstr(p->seen, *kind == 'u' ? "stream false\n" : "stream true\n"));
  }
  post_end(p);
}

static void
tool_calls_are_whole(void **state)
{
  (void)state;
  post *p = post_start(NO_RETRIES);
  for (const char *kind = "scu"; *kind; kind++) {
    assert_int_equal(ask(p, "post/tools/all", *kind), INFER_OK);
    const infer_response *r = p->response;
    assert_int_equal(infer_response_tool_call_count(r, 0), 2);
    assert_string_equal(infer_response_tool_call_id(r, 0, 0), "t1");
    assert_string_equal(infer_response_tool_call_name(r, 0, 1), "time");
    assert_string_equal(infer_response_tool_call_arguments(r, 0, 0, NULL),
                        "{\"city\": \"Ulm, D\"}");
    assert_string_equal(infer_response_finish_reason(r, 0), "tool_calls");
    assert_string_equal(infer_response_native_finish_reason(r, 0), "tool_use");
    if (*kind == 's')
      assert_int_equal(p->tools_done, 2);
  }
  post_end(p);
}

/* An answer that ends at any byte is none, streamed or not. */
static void
no_cut_is_a_success(void **state)
{
  static const struct {
    const char *model;
    size_t len;
  } cuts[] = {{"post/cut", sizeof PLAIN - 1},
              {"post/cut-tools", sizeof TOOLS - 1}};
  (void)state;
  post *p = post_start(NO_RETRIES);
  for (size_t i = 0; i < 2; i++)
    for (size_t cut = 0; cut <= cuts[i].len; cut++)
      for (const char *kind = "su"; *kind; kind++) {
        atomic_store(&p->cut, cut);
        int32_t status = ask(p, cuts[i].model, *kind);
        if (cut == cuts[i].len)
          assert_int_equal(status, INFER_OK);
        else if (status != INFER_E_TRUNCATED &&
                 (*kind == 's' || status != INFER_E_PROTOCOL))
          fail_msg("%s cut at %zu (%c): %s", cuts[i].model, cut, *kind,
                   infer_status_name(status));
        assert_true(strncmp(p->text, PLAIN_TEXT, strlen(p->text)) == 0);
      }
  post_end(p);
}

/* ---- Failures ------------------------------------------------------------ */

static void
a_refusal_has_its_class_hint_and_words(void **state)
{
  (void)state;
  post *p = post_start(NO_RETRIES);
  assert_int_equal(ask(p, "post/busy", 's'), INFER_E_RATE_LIMITED);
  assert_int_equal(infer_error_http_status(p->error), 429);
  assert_int_equal(infer_error_retry_after_ms(p->error), 120);
  assert_string_equal(infer_error_provider_message(p->error),
                      "come back later");
  assert_int_equal(ask(p, "post/late", 's'), INFER_E_OVERLOADED);
  assert_string_equal(infer_error_provider_code(p->error), "full");
  assert_string_equal(infer_error_provider_message(p->error),
                      "no room today\n");
  assert_string_equal(p->text, "half");
  assert_int_equal(ask(p, "post/noise", 's'), INFER_E_PROTOCOL);
  post_end(p);
}

static int64_t
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
the_hint_is_waited_for(void **state)
{
  (void)state;
  post *p = post_start("\"defaults\":{\"breaker\":false}");
  int64_t begin_ms = now_ms();
  assert_int_equal(ask(p, "post/twice", 'c'), INFER_OK);
  assert_true(now_ms() - begin_ms >= 120);
  assert_int_equal(infer_response_attempt_count(p->response), 2);
  assert_string_equal(infer_response_text(p->response, NULL), PLAIN_TEXT);
  post_end(p);
}

static void
calls_fail_over_to_and_from_it(void **state)
{
  (void)state;
  post *p = post_start(
      "\"routes\":{\"to\":{\"targets\":[\"other/down\",\"post/"
      "plain\"],\"stay\":"
      "{\"retries\":0}},\"from\":{\"targets\":[\"post/busy\",\"other/up\"],"
      "\"stay\":{\"retries\":0}}}");
  for (const char *kind = "sc"; *kind; kind++) {
    assert_int_equal(ask(p, "to", *kind), INFER_OK);
    assert_string_equal(infer_response_provider(p->response), "post");
    assert_string_equal(infer_response_text(p->response, NULL), PLAIN_TEXT);
    assert_int_equal(ask(p, "from", *kind), INFER_OK);
    assert_string_equal(infer_response_provider(p->response), "other");
    assert_string_equal(infer_response_text(p->response, NULL), "built in");
  }
  post_end(p);
}

static void
what_it_cannot_say_is_refused(void **state)
{
  (void)state;
  post *p = post_start(NO_RETRIES);
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "post/plain"), INFER_OK);
  infer_request_add_message(request, "user", "x");
  infer_request_set_json(request, "response_format",
                         "{\"type\":\"json_object\"}", INFER_NUL_TERMINATED,
                         NULL);
  assert_int_equal(infer_chat(p->client, request, &p->response, &p->error),
                   INFER_E_UNSUPPORTED);
  assert_non_null(
      strstr(infer_error_message(p->error), "Parcel writes no JSON"));
  assert_int_equal(tiny_requests(p->server), 0);
  infer_request_free(request);
  post_end(p);
}

/* Parcel takes no images: a route goes past it, and a direct call fails. */
static void
what_it_cannot_do_goes_elsewhere(void **state)
{
  (void)state;
  static const char *const models[] = {"from", "post/plain"};
  post *p = post_start("\"routes\":{\"from\":{\"targets\":[\"post/plain\","
                       "\"other/up\"]}}");
  for (size_t i = 0; i < 2; i++) {
    infer_request *request;
    post_clear(p);
    assert_int_equal(infer_request_new(&request, models[i]), INFER_OK);
    infer_request_add_image(request, "see", "https://h/i.png");
    int32_t status = infer_chat(p->client, request, &p->response, &p->error);
    infer_request_free(request);
    if (i == 0)
      assert_string_equal(infer_response_provider(p->response), "other");
    else
      assert_int_equal(status, INFER_E_NO_TARGET);
  }
  assert_int_equal(tiny_requests(p->server), 1);
  post_end(p);
}

/* ---- Limits, lifetimes --------------------------------------------------- */

/* Nothing is left of this minute's: the next call is not even sent. */
static void
its_quotas_are_learnt(void **state)
{
  (void)state;
  infer_request *request;
  post *p = post_start(NO_RETRIES);
  assert_int_equal(ask(p, "post/last", 'c'), INFER_OK);
  post_clear(p);
  assert_int_equal(infer_request_new(&request, "post/last"), INFER_OK);
  infer_request_add_message(request, "user", "x");
  infer_request_set_deadline_ms(request, 300);
  assert_int_equal(infer_chat(p->client, request, &p->response, &p->error),
                   INFER_E_RATE_LIMITED);
  assert_int_equal(tiny_requests(p->server), 1);
  infer_request_free(request);
  post_end(p);
}

static void
it_outlives_the_configuration(void **state)
{
  (void)state;
  post *p = post_start(NO_RETRIES);
  infer_config_free(p->config);
  p->config = make_config(p, NO_RETRIES ",\"max_calls\":7");
  assert_int_equal(ask(p, "post/plain", 'c'), INFER_OK);
  assert_int_equal(infer_client_reload(p->client, p->config, NULL), INFER_OK);
  assert_int_equal(ask(p, "post/plain", 's'), INFER_OK);
  infer_client_free(p->client);
  p->client = NULL;
  assert_string_equal(infer_response_provider(p->response), "post");
  post_end(p);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_chat_is_written_and_read),
      cmocka_unit_test(tool_calls_are_whole),
      cmocka_unit_test(no_cut_is_a_success),
      cmocka_unit_test(a_refusal_has_its_class_hint_and_words),
      cmocka_unit_test(the_hint_is_waited_for),
      cmocka_unit_test(calls_fail_over_to_and_from_it),
      cmocka_unit_test(what_it_cannot_say_is_refused),
      cmocka_unit_test(what_it_cannot_do_goes_elsewhere),
      cmocka_unit_test(its_quotas_are_learnt),
      cmocka_unit_test(it_outlives_the_configuration),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
