/* SPDX-License-Identifier: MIT */
/* Log, invoice, counters and scripts over HTTP; many streams at once. */
#include "wire_util.h"

#include <sys/resource.h>

static sim_process *sim;

static int
start(void **state)
{
  (void)state;
  sim = sim_start(NULL, NULL);
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
  return sim_set_script(sim, "{}") && sim_reset(sim) ? 0 : -1;
}

/* A control request over the ordinary listener; the raw answer. */
static char *
control(const char *method, const char *what, const char *body)
{
  char request[1024];
  snprintf(request, sizeof(request),
           "%s /_sim/%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
           "Content-Length: %zu\r\n\r\n%s",
           method, what, strlen(body), body);
  return sim_exchange(sim, request, strlen(request), NULL, NULL);
}

static void
the_log_tells_what_was_seen(void **state)
{
  (void)state;
  char *request = make_request(
      "Authorization: Bearer sk-secret-0000-abcd\r\nX-API-Key: hidden\r\n"
      "X-Two: a\r\nx-two: b\r\nConnection: close\r\n",
      "{ \"model\" : \"m\" ,\n\"messages\":[{\"role\":\"user\",\"content\":"
      "\"x  y\\\" \\n\"}],\"stream\":true, \"temperature\": 0.50 }");
  free(sim_exchange(sim, request, strlen(request), NULL, NULL));
  free(request);
  free(ask(sim, "{not json\x01\xff", NULL, NULL));
  char *text = sim_wait_log(sim, 2, 5000);
  assert_non_null(text);
  assert_null(strstr(text, "secret"));
  assert_null(strstr(text, "hidden"));
  assert_non_null(
      strstr(text, "\"body\":{\"model\":\"m\",\"messages\":[{\"role\":"
                   "\"user\",\"content\":\"x  y\\\" \\n\"}],\"stream\":true,"
                   "\"temperature\":0.50}"));
  json_object *log = parse_json(text);
  assert_int_equal(int_at(log, "/0/seq"), 1);
  assert_string_equal(text_at(log, "/0/method"), "POST");
  assert_string_equal(text_at(log, "/0/path"), "/v1/chat/completions");
  assert_string_equal(text_at(log, "/0/headers/authorization"), "Bearer ***");
  assert_string_equal(text_at(log, "/0/headers/x-api-key"), "***");
  assert_string_equal(text_at(log, "/0/headers/x-two"), "a, b");
  assert_string_equal(text_at(log, "/0/key"), "abcd");
  assert_int_equal(strlen(text_at(log, "/0/key_hash")), 16);
  assert_string_equal(text_at(log, "/0/model"), "m");
  assert_true(json_object_get_boolean(at(log, "/0/stream")));
  assert_int_equal(int_at(log, "/0/status"), 200);
  assert_true(int_at(log, "/0/received_monotonic_ns") >
              int_at(log, "/0/received_ns"));
  assert_null(at(log, "/1/body"));
  assert_string_equal(text_at(log, "/1/body_text"),
                      "{not json\x01\xef\xbf\xbd");
  assert_int_equal(int_at(log, "/1/status"), 400);
  json_object_put(log);
  free(text);
}

static void
short_keys_are_not_shown(void **state)
{
  (void)state;
  char *request = make_request(
      "Authorization: Bearer tiny\r\nConnection: close\r\n", WHOLE);
  free(sim_exchange(sim, request, strlen(request), NULL, NULL));
  free(request);
  json_object *log = ended_log(sim, 1);
  assert_string_equal(text_at(log, "/0/key"), "****");
  json_object_put(log);
}

static void
the_log_by_lines_and_from_a_number(void **state)
{
  (void)state;
  for (int i = 0; i < 3; i++)
    free(ask(sim, WHOLE, NULL, NULL));
  char *answer = control("GET", "log?since=1&format=ndjson", "");
  char *line = strstr(answer, "\r\n\r\n") + 4;
  assert_non_null(strstr(answer, "content-type: application/x-ndjson\r\n"));
  for (int i = 2; i <= 3; i++) {
    char *end = strchr(line, '\n');
    assert_non_null(end);
    *end = '\0';
    json_object *entry = parse_json(line);
    assert_int_equal(int_at(entry, "/seq"), i);
    json_object_put(entry);
    line = end + 1;
  }
  assert_string_equal(line, "");
  free(answer);
}

static void
the_invoice_adds_up(void **state)
{
  (void)state;
  assert_true(sim_set_script(
      sim, "{\"prices\":{\"m*\":{\"input\":0.15,\"output\":0.6,\"cached\":"
           "0.075,\"reasoning\":0.7}},\"rules\":[{\"when\":{\"model\":\"m2\"},"
           "\"do\":{\"usage\":"
           "{\"prompt_tokens\":1001,\"completion_tokens\":333,"
           "\"prompt_tokens_details\":{\"cached_tokens\":1},"
           "\"completion_tokens_details\":{\"reasoning_tokens\":33}}}},"
           "{\"when\":{\"model\":\"free\"}}],\"defaults\":{\"tokens\":10}}"));
  free(ask(sim, WHOLE, NULL, NULL)); /* 1 prompt, 10 completion tokens */
  free(ask(sim, "{\"model\":\"m2\",\"messages\":[{\"role\":\"user\"}]}", NULL,
           NULL));
  free(ask(sim, "{\"model\":\"free\",\"messages\":[{\"role\":\"user\"}]}", NULL,
           NULL));
  json_object_put(ended_log(sim, 3));
  char *text = sim_invoice(sim);
  json_object *invoice = parse_json(text);
  assert_int_equal(int_at(invoice, "/requests/0/cost_nano_usd"),
                   150 + 10 * 600);
  assert_int_equal(int_at(invoice, "/requests/1/cost_nano_usd"),
                   1000 * 150 + 75 + 300 * 600 + 33 * 700);
  assert_int_equal(int_at(invoice, "/requests/2/cost_nano_usd"), 0);
  assert_int_equal(int_at(invoice, "/total/requests"), 3);
  assert_int_equal(int_at(invoice, "/total/prompt_tokens"), 1003);
  assert_int_equal(int_at(invoice, "/total/cached_tokens"), 1);
  assert_int_equal(int_at(invoice, "/total/completion_tokens"), 353);
  assert_int_equal(int_at(invoice, "/total/cost_nano_usd"),
                   150 + 6000 + 150000 + 75 + 180000 + 23100);
  assert_int_equal(int_at(invoice, "/total/reasoning_tokens"), 33);
  assert_string_equal(text_at(invoice, "/requests/1/request_id"),
                      "req_sim000000000002");
  /* Each model with each key. */
  assert_string_equal(text_at(invoice, "/accounts/1/model"), "m2");
  assert_int_equal(int_at(invoice, "/accounts/1/requests"), 1);
  assert_int_equal(int_at(invoice, "/accounts/1/completion_tokens"), 333);
  assert_int_equal(int_at(invoice, "/accounts/1/cost_nano_usd"), 353175);
  json_object_put(invoice);
  free(text);
}

static void
scripts_are_replaced_or_refused(void **state)
{
  (void)state;
  char *answer =
      control("POST", "script", "{\"defaults\":{\"text\":\"new words\"}}");
  assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
  free(answer);
  answer = control("POST", "script", "{\"defaults\":{\"txt\":1}}");
  assert_non_null(strstr(answer, "HTTP/1.1 400 Bad Request"));
  assert_non_null(strstr(answer, "\"defaults.txt: unknown member\""));
  free(answer);
  answer = ask(sim, WHOLE, NULL, NULL); /* the old one goes on */
  assert_non_null(strstr(answer, "new words"));
  free(answer);
  answer = control("GET", "script", "");
  assert_non_null(strstr(answer, "HTTP/1.1 405 "));
  free(answer);
  answer = control("GET", "other", "");
  assert_non_null(strstr(answer, "HTTP/1.1 404 "));
  free(answer);
}

/* An answer that has begun keeps its script; a reset of the log while it is
 * open loses the request. */
static void
answers_outlive_script_and_log(void **state)
{
  (void)state;
  assert_true(sim_set_script(
      sim, "{\"defaults\":{\"text\":\"old words here\",\"inter_token_ms\":60}"
           "}"));
  int fd = sim_connect(sim);
  char *request = make_request("", STREAM);
  send_text(fd, request);
  char *answer = read_until(fd, "old");
  assert_true(sim_set_script(sim, "{\"defaults\":{\"text\":\"new\"}}"));
  assert_true(sim_reset(sim));
  assert_int_equal(stat_of(sim, "/open_streams"), 1);
  char *rest = read_until(fd, "0\r\n\r\n");
  assert_non_null(strstr(rest, " here"));
  free(rest);
  free(answer);
  free(request);
  close(fd);
  char *log = sim_log(sim);
  assert_string_equal(log, "[]");
  assert_int_equal(stat_of(sim, "/open_streams"), 0);
  free(log);
}

static void
the_log_is_bounded(void **state)
{
  (void)state;
  sim_process *small =
      must_start(NULL, (const char *const[]){"--log-limit", "2", NULL});
  for (int i = 0; i < 5; i++)
    free(ask(small, WHOLE, NULL, NULL));
  char *text = sim_log(small);
  json_object *log = parse_json(text);
  assert_int_equal(json_object_array_length(log), 2);
  assert_int_equal(int_at(log, "/0/seq"), 4);
  json_object_put(log);
  free(text);
  assert_int_equal(stat_of(small, "/log_dropped"), 3);
  text = sim_invoice(small);
  json_object *invoice = parse_json(text);
  assert_int_equal(int_at(invoice, "/total/requests"), 5);
  json_object_put(invoice);
  free(text);
  assert_true(sim_stop(small));
}

static size_t
room_for_streams(void)
{
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  size_t room = limit.rlim_max < 10100 ? (size_t)limit.rlim_max - 100 : 10000;
  if (room < 10000)
    print_message("only %zu descriptors may be open here\n", room);
  return room;
}

/* All are open at the same moment: each has got one token and waits. */
static void
ten_thousand_streams(void **state)
{
  (void)state;
  size_t count = room_for_streams();
  int *fds = calloc(count, sizeof(*fds));
  char *request = make_request("", STREAM);
  assert_non_null(fds);
  assert_true(sim_set_script(
      sim, "{\"defaults\":{\"text\":\"one two\",\"first_token_ms\":1,"
           "\"stall_after_tokens\":1}}"));
  for (size_t i = 0; i < count; i++) {
    fds[i] = sim_connect(sim);
    assert_true(fds[i] >= 0);
    send_text(fds[i], request);
  }
  for (size_t i = 0; i < count; i++)
    free(read_until(fds[i], "\"one\""));
  assert_int_equal(stat_of(sim, "/open_streams"), count);
  for (size_t i = 0; i < count; i++)
    close(fds[i]);
  for (int i = 0; i < 1000 && stat_of(sim, "/open_streams") > 0; i++)
    poll(NULL, 0, 5);
  assert_int_equal(stat_of(sim, "/open_streams"), 0);
  assert_int_equal(stat_of(sim, "/peak_open_streams"), count);
  free(request);
  free(fds);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(the_log_tells_what_was_seen, begin),
      cmocka_unit_test_setup(short_keys_are_not_shown, begin),
      cmocka_unit_test_setup(the_log_by_lines_and_from_a_number, begin),
      cmocka_unit_test_setup(the_invoice_adds_up, begin),
      cmocka_unit_test_setup(scripts_are_replaced_or_refused, begin),
      cmocka_unit_test_setup(answers_outlive_script_and_log, begin),
      cmocka_unit_test_setup(the_log_is_bounded, begin),
      cmocka_unit_test_setup(ten_thousand_streams, begin),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
