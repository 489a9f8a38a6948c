/* SPDX-License-Identifier: MIT */
/* The simulator over raw sockets: connections, requests, framing. */
#include "wire_util.h"

static sim_process *sim;

static int
start(void **state)
{
  (void)state;
  sim = sim_start("{\"defaults\":{\"text\":\"one two\"}}", NULL);
  return sim ? 0 : -1;
}

static int
stop(void **state)
{
  (void)state;
  return sim_stop(sim) ? 0 : -1;
}

static int
begin(void **state)
{
  (void)state;
  return sim_set_script(sim, "{\"defaults\":{\"text\":\"one two\"}}") &&
                 sim_reset(sim)
             ? 0
             : -1;
}

static void
a_connection_is_used_again(void **state)
{
  (void)state;
  int fd = sim_connect(sim);
  char *request = make_request("", WHOLE);
  for (int i = 0; i < 3; i++) {
    send_text(fd, request);
    char *answer = read_until(fd, "prediction_tokens\":0}}}");
    assert_non_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    assert_null(strstr(answer, "connection: close"));
    free(answer);
  }
  free(request);
  close(fd);
  json_object *log = ended_log(sim, 3);
  assert_int_equal(int_at(log, "/0/reuse"), 0);
  assert_int_equal(int_at(log, "/2/reuse"), 2);
  assert_int_equal(int_at(log, "/0/connection"), int_at(log, "/2/connection"));
  assert_string_equal(text_at(log, "/2/end"), "complete");
  json_object_put(log);
  assert_int_equal(stat_of(sim, "/connections_accepted"), 1);
  assert_int_equal(stat_of(sim, "/requests"), 3);
}

static void
pipelined_requests_are_answered_in_order(void **state)
{
  (void)state;
  assert_true(sim_set_script(
      sim, "{\"rules\":[{\"when\":{\"model\":\"slow\"},\"do\":{\"text\":"
           "\"first\",\"first_token_ms\":60}}],\"defaults\":{\"text\":"
           "\"second\"}}"));
  char *a = make_request(
      "", "{\"model\":\"slow\",\"messages\":[{\"role\":\"user\"}]}");
  char *b = make_request("", STREAM);
  char *c = make_request("Connection: close\r\n", WHOLE);
  size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
  char *all = malloc(size);
  snprintf(all, size, "%s%s%s", a, b, c);
  char *answer = sim_exchange(sim, all, strlen(all), NULL, NULL);
  char *first = strstr(answer, "first");
  char *second = first ? strstr(first, "text/event-stream") : NULL;
  char *end = second ? strstr(second, "0\r\n\r\nHTTP/1.1 200 OK") : NULL;
  assert_non_null(end);
  assert_non_null(strstr(end, "connection: close"));
  free(answer);
  free(all);
  free(a);
  free(b);
  free(c);
}

static void
requests_come_in_any_pieces(void **state)
{
  (void)state;
  int fd = sim_connect(sim);
  char *request = make_request("", STREAM);
  for (size_t i = 0; i < strlen(request); i++)
    assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
  char *answer = read_until(fd, "0\r\n\r\n");
  assert_non_null(strstr(answer, "data: [DONE]\n\n"));
  free(answer);
  free(request);
  close(fd);
}

static void
a_chunked_request_after_100_continue(void **state)
{
  (void)state;
  int fd = sim_connect(sim);
  send_text(fd, "POST /v2/ext/openai/v1/chat/completions HTTP/1.1\r\n"
                "Host: sim\r\nTransfer-Encoding: chunked\r\n"
                "Expect: 100-continue\r\n\r\n");
  char *answer = read_until(fd, "\r\n\r\n");
  assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
  free(answer);
  char chunks[512];
  snprintf(chunks, sizeof(chunks), "%zx\r\n%s\r\n%zx\r\n%s\r\n0\r\n\r\n",
           sizeof(HI) - 1, HI, sizeof("}") - 1, "}");
  send_text(fd, chunks);
  answer = read_until(fd, "one two");
  assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0);
  free(answer);
  close(fd);
  json_object *log = ended_log(sim, 1);
  assert_string_equal(text_at(log, "/0/path"),
                      "/v2/ext/openai/v1/chat/completions");
  assert_string_equal(text_at(log, "/0/body/model"), "m");
  json_object_put(log);
}

static void
large_requests(void **state)
{
  (void)state;
  size_t size = (size_t)24 << 20;
  char *body = malloc(size + 128);
  assert_non_null(body);
  int begun = snprintf(body, 128,
                       "{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
                       "\"content\":\"");
  memset(body + begun, 'x', size);
  snprintf(body + begun + size, 8, "\"}]}");
  char *answer = ask(sim, body, NULL, NULL);
  char wanted[64];
  snprintf(wanted, sizeof(wanted), "\"prompt_tokens\":%zu,", size / 4 + 1);
  assert_non_null(strstr(answer, wanted));
  free(answer);
  free(body);
  json_object *log = ended_log(sim, 1);
  assert_null(at(log, "/0/body")); /* too large to be kept */
  json_object_put(log);
}

static void
malformed_requests_are_refused(void **state)
{
  static const struct {
    const char *request, *status;
  } cases[] = {
      {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
      {"P / HTTP/1.1\r\nHost: a\r\nContent-Length: 134217729\r\n\r\n",
       "HTTP/1.1 413 Payload Too Large\r\n"},
      {"P / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br\r\n\r\n",
       "HTTP/1.1 501 Not Implemented\r\n"},
      {"GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
       "HTTP/1.1 404 Not Found\r\n"},
      {"GET /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: "
       "close\r\n\r\n",
       "HTTP/1.1 405 Method Not Allowed\r\n"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    const char *request = cases[i].request;
    char *answer = sim_exchange(sim, request, strlen(request), NULL, NULL);
    if (strncmp(answer, cases[i].status, strlen(cases[i].status)) != 0)
      fail_msg("%s:\n%s", request, answer);
    assert_non_null(strstr(answer, "connection: close\r\n"));
    json_object *body = parse_json(strstr(answer, "\r\n\r\n") + 4);
    assert_string_equal(text_at(body, "/error/type"), "invalid_request_error");
    json_object_put(body);
    free(answer);
  }
  json_object *log = ended_log(sim, COUNT_OF(cases));
  assert_int_equal(int_at(log, "/1/status"), 413);
  json_object_put(log);
}

static void
models_are_listed(void **state)
{
  (void)state;
  static const char get[] = "GET /v1/models HTTP/1.1\r\nHost: a\r\n"
                            "Connection: close\r\n\r\n";
  assert_true(sim_set_script(
      sim, "{\"rules\":[{\"when\":{\"model\":\"b\"}},{\"when\":{\"model\":"
           "\"a*\"}},{\"when\":{\"model\":\"b\"}},{\"when\":{\"model\":"
           "\"c\"}}]}"));
  char *answer = sim_exchange(sim, get, strlen(get), NULL, NULL);
  json_object *list = parse_json(strstr(answer, "\r\n\r\n") + 4);
  assert_int_equal(json_object_array_length(at(list, "/data")), 2);
  assert_string_equal(text_at(list, "/data/0/id"), "b");
  assert_string_equal(text_at(list, "/data/1/id"), "c");
  json_object_put(list);
  free(answer);
  assert_true(sim_set_script(
      sim, "{\"models\":[\"x\",\"y\"],\"rules\":[{\"when\":{\"path\":"
           "\"*/models\",\"requests\":\"2\"},\"do\":{\"status\":500}}],"
           "\"defaults\":{\"status\":503}}"));
  answer = sim_exchange(sim, get, strlen(get), NULL, NULL);
  assert_non_null(strstr(answer, "200 OK")); /* the default is for chats */
  list = parse_json(strstr(answer, "\r\n\r\n") + 4);
  assert_string_equal(text_at(list, "/data/1/id"), "y");
  json_object_put(list);
  free(answer);
  answer = sim_exchange(sim, get, strlen(get), NULL, NULL);
  assert_non_null(strstr(answer, "HTTP/1.1 500 "));
  free(answer);
}

static void
the_server_closes_when_told_to(void **state)
{
  (void)state;
  assert_true(sim_set_script(
      sim, "{\"rules\":[{\"when\":{\"model\":\"idle\"},\"do\":{\"text\":"
           "\"x\",\"keepalive_idle_ms\":40,\"close_after_response\":false}}],"
           "\"defaults\":{\"text\":\"y\","
           "\"close_after_response\":true}}"));
  char *request = make_request("", WHOLE);
  char *answer = sim_exchange(sim, request, strlen(request), NULL, NULL);
  assert_non_null(strstr(answer, "connection: close\r\n"));
  free(answer);
  free(request);
  request = make_request(
      "", "{\"model\":\"idle\",\"messages\":[{\"role\":\"user\"}]}");
  double before = now_ms();
  bool was_reset = true;
  answer = sim_exchange(sim, request, strlen(request), NULL, &was_reset);
  assert_non_null(strstr(answer, "\"x\""));
  assert_null(strstr(answer, "connection: close"));
  assert_true(now_ms() - before >= 40);
  assert_false(was_reset);
  free(answer);
  free(request);
}

static void
small_slow_writes(void **state)
{
  (void)state;
  assert_true(sim_set_script(
      sim, "{\"defaults\":{\"body\":\"0123456789\",\"write_bytes\":1,"
           "\"write_delay_us\":500}}"));
  int fd = sim_connect(sim);
  char *request = make_request("Connection: close\r\n", WHOLE);
  char byte[64];
  size_t reads = 0, bytes = 0;
  ssize_t n = 0;
  double before = now_ms();
  send_text(fd, request);
  while ((n = recv(fd, byte, sizeof(byte), 0)) > 0) {
    reads++;
    bytes += (size_t)n;
  }
  assert_int_equal(n, 0);
  assert_true(bytes > 100);
  assert_true(now_ms() - before >= 0.5 * (double)(bytes - 1));
  assert_true(reads >= bytes / 16); /* this process may have slept */
  assert_int_equal(byte[0], '9');
  close(fd);
  free(request);
  /* Without a delay the same bytes, as fast as they go. */
  assert_true(sim_set_script(
      sim, "{\"defaults\":{\"text\":\"one two\",\"write_bytes\":1}}"));
  char *answer = ask(sim, STREAM, NULL, NULL);
  assert_non_null(strstr(answer, "data: [DONE]\n\n\r\n0\r\n\r\n"));
  free(answer);
}

static void
times_are_kept(void **state)
{
  (void)state;
  assert_true(sim_set_script(
      sim, "{\"defaults\":{\"text\":\"a b c\",\"first_token_ms\":50,"
           "\"inter_token_ms\":10,\"headers\":\"immediate\"}}"));
  double before = now_ms();
  char *answer = ask(sim, STREAM, NULL, NULL);
  double took = now_ms() - before;
  assert_true(took >= 70);
  free(answer);
  json_object *log = ended_log(sim, 1);
  int64_t received = int_at(log, "/0/received_ns");
  int64_t headers = int_at(log, "/0/headers_ns") - received;
  int64_t first = int_at(log, "/0/first_token_ns") - received;
  int64_t ended = int_at(log, "/0/ended_ns") - received;
  assert_true(headers < first && first >= 50000000 && ended >= 70000000);
  json_object_put(log);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_connection_is_used_again, begin),
      cmocka_unit_test_setup(pipelined_requests_are_answered_in_order, begin),
      cmocka_unit_test_setup(requests_come_in_any_pieces, begin),
      cmocka_unit_test_setup(a_chunked_request_after_100_continue, begin),
      cmocka_unit_test_setup(large_requests, begin),
      cmocka_unit_test_setup(malformed_requests_are_refused, begin),
      cmocka_unit_test_setup(models_are_listed, begin),
      cmocka_unit_test_setup(the_server_closes_when_told_to, begin),
      cmocka_unit_test_setup(small_slow_writes, begin),
      cmocka_unit_test_setup(times_are_kept, begin),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
