/* SPDX-License-Identifier: MIT */
/* No answer is ever silently cut: streams and bodies that end at every single
 * byte, and answers that come one byte at a time. */
#include "support/every_cut.h"
#include "support/json_compare.h"
#include "support/tiny_server.h"

#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Answers ------------------------------------------------------------- */

#define CHUNK                                                  \
  "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\"," \
  "\"created\":7,\"model\":\"m-1\",\"choices\":[{\"index\":0,"
#define END  "\n\n"
#define DONE "data: [DONE]\n\n"

static const char plain_stream[] = CHUNK
    "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
    "\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{\"content\":\"Gr\xc3\xbc\xc3\x9f\"},"
    "\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{\"content\":\"e \\ud83d\\ude00 \xe2\x80\xa8!\"},"
    "\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{},\"finish_reason\":\"stop\"}]}" END
    "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":7,"
    "\"model\":\"m-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,"
    "\"completion_tokens\":4,\"total_tokens\":7}}" END DONE;

static const char plain_body[] =
    "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":7,"
    "\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
    "\"assistant\",\"content\":\"Gr\xc3\xbc\xc3\x9f"
    "e \\ud83d\\ude00 \xe2\x80\xa8!\"},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,"
    "\"total_tokens\":7}}";

static const char tools_stream[] =
    ": a comment\n\n" CHUNK
    "\"delta\":{\"role\":\"assistant\",\"content\":null,\"tool_calls\":"
    "[{\"index\":0,\"id\":\"t1\",\"type\":\"function\",\"function\":{"
    "\"name\":\"weather\",\"arguments\":\"\"}}]},"
    "\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
    "\"arguments\":\"{\\\"city\\\":\"}}]},\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"t2\",\"type\":"
    "\"function\",\"function\":{\"name\":\"time\",\"arguments\":\"{}\""
    "}}]},\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
    "\"arguments\":\"\\\"Ulm\\\"}\"}}]},\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{},\"finish_reason\":\"tool_calls\"}]}" END DONE;

static const char tools_body[] =
    "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":7,"
    "\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
    "\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"t1\",\"type\":"
    "\"function\",\"function\":{\"name\":\"weather\",\"arguments\":"
    "\"{\\\"city\\\":\\\"Ulm\\\"}\"}},{\"id\":\"t2\",\"type\":\"function\","
    "\"function\":{\"name\":\"time\",\"arguments\":\"{}\"}}]},"
    "\"finish_reason\":\"tool_calls\"}]}";

static const char reasoning_stream[] =
    "\xef\xbb\xbf" CHUNK "\"delta\":{\"role\":\"assistant\",\"content\":null,"
    "\"reasoning_content\":\"Let me \"},\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{\"reasoning_content\":\"think\"},"
    "\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{\"content\":\"42\"},\"logprobs\":{\"content\":[{"
    "\"token\":\"42\",\"logprob\":-0.5,\"bytes\":[52,50],"
    "\"top_logprobs\":[]}]},\"finish_reason\":null}]}" END CHUNK
    "\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{"
    "\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}" END DONE;

static const char reasoning_body[] =
    "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":7,"
    "\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
    "\"assistant\",\"content\":\"42\",\"reasoning_content\":\"Let me think\"},"
    "\"logprobs\":{\"content\":[{\"token\":\"42\",\"logprob\":-0.5,\"bytes\":"
    "[52,50],\"top_logprobs\":[]}]},\"finish_reason\":\"stop\"}],\"usage\":{"
    "\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}";

static const char two_choices_stream[] =
    CHUNK "\"delta\":{\"role\":\"assistant\",\"content\":\"a\"},"
          "\"finish_reason\":null}]}" END
          "data: {\"id\":\"c1\",\"created\":7,\"model\":\"m-1\",\"choices\":[{"
          "\"index\":1,\"delta\":{\"role\":\"assistant\",\"content\":\"b\"},"
          "\"finish_reason\":null}]}" END CHUNK
          "\"delta\":{\"content\":\"A\"},\"finish_reason\":\"stop\"}]}" END
          "data: {\"id\":\"c1\",\"created\":7,\"model\":\"m-1\",\"choices\":[{"
          "\"index\":1,\"delta\":{\"content\":\"B\"},\"finish_reason\":"
          "\"length\"}]}" END DONE;

static const char two_choices_body[] =
    "{\"id\":\"c1\",\"object\":\"chat.completion\",\"created\":7,"
    "\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
    "\"assistant\",\"content\":\"aA\"},\"finish_reason\":\"stop\"},{\"index\":"
    "1,\"message\":{\"role\":\"assistant\",\"content\":\"bB\"},"
    "\"finish_reason\":\"length\"}]}";

/* complete: what stands last in the shortest prefix that is whole. */
static const struct answer {
  const char *name, *stream, *complete, *body;
  int n;
} answers[] = {
    {"plain", plain_stream, "\"finish_reason\":\"stop\"}]}", plain_body, 1},
    {"tools", tools_stream, "\"finish_reason\":\"tool_calls\"}]}", tools_body,
     1},
    {"reasoning", reasoning_stream, "\"total_tokens\":3}}", reasoning_body, 1},
    {"two choices", two_choices_stream, "\"finish_reason\":\"length\"}]}",
     two_choices_body, 2},
};

enum { answer_count = sizeof answers / sizeof answers[0] };

/* ---- The server ---------------------------------------------------------- */

/* What it is to do with its next request. */
enum { CHUNKED, LENGTH, UNTIL_CLOSE };
static _Atomic(const char *) content;
static _Atomic(const char *) content_type;
static atomic_size_t cut_at;
static atomic_int framing;
static atomic_bool bytewise, reset_at_cut;

static void
write_pieces(tiny_conn *conn, const char *bytes, size_t len)
{
  if (!bytewise) {
    tiny_write(conn, bytes, len);
    return;
  }
  for (size_t i = 0; i < len; i++)
    if (!tiny_write(conn, bytes + i, 1))
      return;
}

static void
serve(tiny_conn *conn)
{
  while (tiny_read(conn)) {
    char head[256], size[64];
    size_t len = strlen(content), cut = atomic_load(&cut_at);
    bool whole = cut >= len;
    if (whole)
      cut = len;
    snprintf(size, sizeof size, "Content-Length: %zu\r\n", len);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n%s\r\n",
             content_type,
             framing == CHUNKED  ? "Transfer-Encoding: chunked\r\n"
             : framing == LENGTH ? size
                                 : "Connection: close\r\n");
    write_pieces(conn, head, strlen(head));
    if (framing == CHUNKED) {
      /* One HTTP chunk; a cut leaves it unfinished. */
      snprintf(size, sizeof size, "%zx\r\n", len);
      write_pieces(conn, size, strlen(size));
    }
    write_pieces(conn, content, cut);
    if (!whole || framing == UNTIL_CLOSE) {
      if (reset_at_cut) {
        tiny_sleep_ms(1);
        tiny_reset(conn);
      }
      return;
    }
    if (framing == CHUNKED)
      write_pieces(conn, "\r\n0\r\n\r\n", 7);
  }
}

/* ---- The client ---------------------------------------------------------- */

static tiny_server *server;
static infer_client *client;

static void
make_client(const char *upstream)
{
  char json[1024];
  snprintf(json, sizeof json,
           "{\"providers\":[{\"name\":\"p\",\"type\":\"openai\",\"base_url\":"
           "\"http://127.0.0.1:%d/v1\",\"upstream\":\"%s\"}],\"defaults\":{"
           "\"retries\":0,\"stay\":{\"retries\":0},\"breaker\":false}}",
           tiny_port(server), upstream);
  infer_config *config;
  infer_error *error = NULL;
  assert_int_equal(infer_config_from_json(&config, json, strlen(json), &error),
                   INFER_OK);
  assert_int_equal(infer_client_new(&client, config, &error), INFER_OK);
  infer_config_free(config);
}

static infer_request *
make_request(const struct answer *answer)
{
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "p/m-1"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "hi"), INFER_OK);
  if (answer->n > 1)
    assert_int_equal(infer_request_set_int(request, "n", answer->n), INFER_OK);
  return request;
}

/* What the reader was shown, kept by the callback. */
typedef struct seen {
  char text[256];
  int done, finished, after_done;
  size_t tool_calls_done;
} seen;

static int32_t
on_event(const infer_event *event, void *user_data)
{
  seen *s = user_data;
  s->after_done += s->done;
  switch (infer_event_type(event)) {
  case INFER_EVENT_TEXT:
    if (infer_event_choice(event) == 0) {
      size_t len = strlen(s->text);
      snprintf(s->text + len, sizeof s->text - len, "%s",
               infer_event_text(event, NULL));
    }
    break;
  case INFER_EVENT_TOOL_CALL_DONE:
    s->tool_calls_done++;
    break;
  case INFER_EVENT_FINISH:
    s->finished++;
    break;
  case INFER_EVENT_DONE:
    s->done++;
    break;
  default:
    break;
  }
  return 0;
}

static infer_response *
expect_whole(infer_request *request, const struct answer *answer,
             const char *how)
{
  infer_response *response;
  infer_error *error;
  seen s = {0};
  int32_t status =
      infer_chat_stream(client, request, on_event, &s, &response, &error);
  if (status != INFER_OK)
    fail_msg("%s, %s: %s", answer->name, how, infer_error_message(error));
  assert_int_equal(s.done, 1);
  assert_int_equal(s.after_done, 0);
  assert_int_equal(s.finished, answer->n);
  assert_string_equal(s.text, infer_response_text(response, NULL));
  assert_int_equal(s.tool_calls_done,
                   infer_response_tool_call_count(response, 0));
  return response;
}

/* The answer to the same request as one body, by the unary way. */
static char *
unary_json(const struct answer *answer)
{
  infer_client *streaming = client;
  make_client("unary");
  content = answer->body;
  content_type = "application/json";
  framing = LENGTH;
  atomic_store(&cut_at, SIZE_MAX);
  infer_request *request = make_request(answer);
  infer_response *response = expect_whole(request, answer, "unary");
  char *json = strdup(infer_response_json(response, NULL));
  infer_response_free(response);
  infer_request_free(request);
  infer_client_free(client);
  client = streaming;
  return json;
}

/* ---- Tests --------------------------------------------------------------- */

static void
test_whole_streams_equal_unary_answers(void **state)
{
  (void)state;
  make_client("stream");
  for (int i = 0; i < answer_count; i++) {
    const struct answer *answer = &answers[i];
    char *expected = unary_json(answer);
    content_type = "text/event-stream";
    infer_request *request = make_request(answer);
    for (int mode = 0; mode < 6; mode++) {
      content = answer->stream;
      framing = mode % 3 == 0 ? CHUNKED : mode % 3 == 1 ? LENGTH : UNTIL_CLOSE;
      bytewise = mode >= 3;
      infer_response *response =
          expect_whole(request, answer, bytewise ? "bytewise" : "whole");
      char where[256];
      if (!json_same(expected, infer_response_json(response, NULL), where,
                     sizeof where))
        fail_msg("%s: differs at %s:\n%s\n%s", answer->name, where, expected,
                 infer_response_json(response, NULL));
      infer_response_free(response);
    }
    bytewise = false;
    infer_request_free(request);
    free(expected);
  }
  infer_client_free(client);
}

/* The number of bytes after which a stream is whole. */
static size_t
complete_after(const struct answer *answer)
{
  const char *last = NULL;
  for (const char *at = answer->stream; (at = strstr(at, answer->complete));
       at++)
    last = at;
  assert_non_null(last);
  return (size_t)(last - answer->stream) + strlen(answer->complete);
}

static void
check_cut(infer_request *request, const struct answer *answer, size_t at,
          bool must_fail)
{
  infer_response *response;
  infer_error *error;
  seen s = {0};
  int32_t status =
      infer_chat_stream(client, request, on_event, &s, &response, &error);
  assert_int_equal(s.done, 1);
  assert_int_equal(s.after_done, 0);
  if (must_fail) {
    if (status != INFER_E_TRUNCATED && status != INFER_E_RESET)
      fail_msg("%s cut at %zu: %s: %s", answer->name, at,
               infer_status_name(status), infer_error_message(error));
    assert_null(response);
    const infer_response *partial = infer_error_partial(error);
    assert_string_equal(s.text, infer_response_text(partial, NULL));
    assert_int_equal(infer_error_attempt_count(error), 1);
  } else if (status != INFER_OK) {
    fail_msg("%s cut at %zu, after its end: %s", answer->name, at,
             infer_error_message(error));
  }
  infer_response_free(response);
  infer_error_free(error);
}

static void
cut_everywhere(bool reset, int how)
{
  make_client("stream");
  content_type = "text/event-stream";
  reset_at_cut = reset;
  framing = how == 1 ? LENGTH : how == 2 ? UNTIL_CLOSE : CHUNKED;
  for (int i = 0; i < answer_count; i++) {
    const struct answer *answer = &answers[i];
    infer_request *request = make_request(answer);
    size_t whole = complete_after(answer);
    content = answer->stream;
    size_t len = strlen(answer->stream);
    for (size_t at = 0; at < len; at = next_cut(at, len)) {
      atomic_store(&cut_at, at);
      check_cut(request, answer, at, at < whole);
    }
    infer_request_free(request);
  }
  infer_client_free(client);
  reset_at_cut = false;
}

static void
test_cut_at_every_byte_chunked(void **state)
{
  (void)state;
  cut_everywhere(false, 0);
}

static void
test_cut_at_every_byte_with_a_length(void **state)
{
  (void)state;
  cut_everywhere(false, 1);
}

static void
test_cut_at_every_byte_until_close(void **state)
{
  (void)state;
  cut_everywhere(false, 2);
}

static void
test_reset_at_every_byte(void **state)
{
  (void)state;
  cut_everywhere(true, 0);
}

static void
test_unary_body_cut_at_every_byte(void **state)
{
  (void)state;
  make_client("unary");
  content_type = "application/json";
  for (int how = 0; how < 3; how++) {
    framing = how == 0 ? LENGTH : how == 1 ? CHUNKED : UNTIL_CLOSE;
    infer_request *request = make_request(&answers[0]);
    content = plain_body;
    size_t len = strlen(plain_body);
    for (size_t at = 0; at < len; at = next_cut(at, len)) {
      atomic_store(&cut_at, at);
      infer_response *response;
      infer_error *error;
      int32_t status = infer_chat(client, request, &response, &error);
      if (status == INFER_OK)
        fail_msg("a body of %zu bytes, cut at %zu, was taken for whole", len,
                 at);
      assert_null(response);
      infer_error_free(error);
    }
    infer_request_free(request);
  }
  infer_client_free(client);
}

static int
start_server(void **state)
{
  (void)state;
  atomic_store(&cut_at, SIZE_MAX);
  server = tiny_start(serve, NULL, NULL);
  return server ? 0 : -1;
}

static int
stop_server(void **state)
{
  (void)state;
  tiny_stop(server);
  return 0;
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_whole_streams_equal_unary_answers,
                                      start_server, stop_server),
      cmocka_unit_test_setup_teardown(test_cut_at_every_byte_chunked,
                                      start_server, stop_server),
      cmocka_unit_test_setup_teardown(test_cut_at_every_byte_with_a_length,
                                      start_server, stop_server),
      cmocka_unit_test_setup_teardown(test_cut_at_every_byte_until_close,
                                      start_server, stop_server),
      cmocka_unit_test_setup_teardown(test_reset_at_every_byte, start_server,
                                      stop_server),
      cmocka_unit_test_setup_teardown(test_unary_body_cut_at_every_byte,
                                      start_server, stop_server),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
