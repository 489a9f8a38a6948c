/* SPDX-License-Identifier: MIT */
/* A provider that reports an error in the middle of an answer and then what
 * the answer cost: the error carries the figures, and nobody waits long for a
 * provider that says no more. */
#include "support/tiny_server.h"

#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define CONTENT                                                         \
  "data: {\"id\":\"c1\",\"created\":7,\"model\":\"m-1\",\"choices\":[{" \
  "\"index\":0,\"delta\":{\"content\":\"half\"}}]}\n\n"
#define FAILURE                                                         \
  "data: {\"id\":\"c1\",\"created\":7,\"model\":\"m-1\",\"choices\":[{" \
  "\"index\":0,\"delta\":{},\"finish_reason\":\"error\"}],"             \
  "\"error\":{\"message\":\"upstream broke\",\"code\":502}}\n\n"
#define USAGE                                                            \
  "data: {\"id\":\"c1\",\"created\":7,\"model\":\"m-1\",\"choices\":[]," \
  "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,"              \
  "\"total_tokens\":7}}\n\n"

/* Each part is a write of its own, and arrives after the one before it was
 * read. The connection then stays open until the client closes it. */
static void
serve_parts(tiny_conn *conn)
{
  const char *const *parts = conn->context;
  if (!tiny_read(conn))
    return;
  tiny_puts(conn, HEAD);
  for (; *parts; parts++) {
    tiny_sleep_ms(10);
    tiny_puts(conn, *parts);
  }
  tiny_wait_closed(conn);
}

static int64_t
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static infer_client *
client_of(const tiny_server *server)
{
  char text[512];
  infer_config *config = NULL;
  infer_client *client = NULL;
  snprintf(text, sizeof text,
           "{\"providers\":[{\"name\":\"a\",\"type\":\"openai\","
           "\"base_url\":\"http://127.0.0.1:%d/v1\",\"proxy\":\"none\"}],"
           "\"defaults\":{\"retries\":0,\"stay\":{\"retries\":0}}}",
           tiny_port(server));
  assert_int_equal(
      infer_config_from_json(&config, text, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  assert_int_equal(infer_client_new(&client, config, NULL), INFER_OK);
  infer_config_free(config);
  return client;
}

static int32_t
ignore_event(const infer_event *event, void *user_data)
{
  (void)event;
  (void)user_data;
  return 0;
}

/* The error of one streamed call against these parts; took_ms: its time. */
static infer_error *
failure_of(const char *const *parts, int64_t *took_ms)
{
  tiny_server *server = tiny_start(serve_parts, (void *)parts, NULL);
  infer_client *client = client_of(server);
  infer_request *request = NULL;
  infer_response *response = NULL;
  infer_error *error = NULL;
  assert_int_equal(infer_request_new(&request, "a/m"), INFER_OK);
  assert_int_equal(infer_request_add_message(request, "user", "Hi"), INFER_OK);
  int64_t start = now_ms();
  assert_int_equal(
      infer_chat_stream(client, request, ignore_event, NULL, &response, &error),
      INFER_E_SERVER);
  *took_ms = now_ms() - start;
  assert_null(response);
  assert_string_equal(infer_error_provider_message(error), "upstream broke");
  infer_request_free(request);
  infer_client_free(client);
  tiny_stop(server);
  return error;
}

static void
test_usage_after_the_error(void **state)
{
  (void)state;
  static const char *const parts[] = {CONTENT, FAILURE, USAGE, NULL};
  int64_t took_ms;
  infer_error *error = failure_of(parts, &took_ms);
  const infer_response *partial = infer_error_partial(error);
  assert_string_equal(infer_response_text(partial, NULL), "half");
  assert_int_equal(infer_response_usage(partial, INFER_USAGE_INPUT), 3);
  assert_int_equal(infer_response_usage(partial, INFER_USAGE_OUTPUT), 4);
  const infer_attempt *attempt = infer_error_attempt(error, 0);
  assert_int_equal(infer_attempt_usage(attempt, INFER_USAGE_TOTAL), 7);
  assert_string_equal(infer_attempt_message(attempt), "upstream broke");
  infer_error_free(error);
}

static void
test_silence_after_the_error(void **state)
{
  (void)state;
  static const char *const parts[] = {CONTENT, FAILURE, NULL};
  int64_t took_ms;
  infer_error *error = failure_of(parts, &took_ms);
  const infer_response *partial = infer_error_partial(error);
  assert_string_equal(infer_response_text(partial, NULL), "half");
  assert_int_equal(infer_response_usage(partial, INFER_USAGE_TOTAL), -1);
  assert_string_equal(infer_attempt_message(infer_error_attempt(error, 0)),
                      "upstream broke");
  /* Far below idle_ms, which is the next timer. */
  assert_true(took_ms < 5000);
  infer_error_free(error);
}

static void
test_chatter_after_the_error(void **state)
{
  (void)state;
  static const char *const parts[] = {CONTENT,      FAILURE, CONTENT,
                                      ": ping\n\n", USAGE,   NULL};
  int64_t took_ms;
  infer_error *error = failure_of(parts, &took_ms);
  const infer_response *partial = infer_error_partial(error);
  assert_string_equal(infer_response_text(partial, NULL), "half");
  assert_int_equal(infer_response_usage(partial, INFER_USAGE_TOTAL), 7);
  infer_error_free(error);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_usage_after_the_error),
      cmocka_unit_test(test_silence_after_the_error),
      cmocka_unit_test(test_chatter_after_the_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
