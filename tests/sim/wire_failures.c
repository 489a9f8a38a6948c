/* SPDX-License-Identifier: MIT */
/* Resets, cuts, silence and being down, on real sockets; what log and invoice
 * say of them. */
#include "wire_util.h"

#define PRICES "\"prices\":{\"m\":{\"input\":1,\"output\":2}}"

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

static void
use_script(const char *script)
{
  assert_true(sim_set_script(sim, script));
  assert_true(sim_reset(sim));
}

static void
use(const char *behaviour)
{
  char script[512];
  snprintf(script, sizeof(script),
           "{\"defaults\":{\"text\":\"alpha beta gamma\",%s}," PRICES "}",
           behaviour);
  use_script(script);
}

static void
sleep_ms(int ms)
{
  poll(NULL, 0, ms);
}

/* The connection itself succeeds; what is asked on it meets a reset. */
static void
reset_at_accept(void **state)
{
  (void)state;
  use_script("{\"rules\":[{\"when\":{\"requests\":\"2\"},\"do\":{\"reset\":"
             "\"accept\"}}],\"defaults\":{\"text\":\"x\"}}");
  size_t len = 0;
  bool was_reset = false;
  char *answer = ask(sim, WHOLE, &len, &was_reset);
  assert_true(len > 0 && !was_reset);
  free(answer);
  int fd = sim_connect(sim);
  char byte;
  assert_true(fd >= 0);
  assert_int_equal(recv(fd, &byte, 1, 0), -1);
  assert_int_equal(errno, ECONNRESET);
  close(fd);
  answer = ask(sim, WHOLE, &len, &was_reset);
  assert_true(len > 0 && !was_reset);
  free(answer);
  assert_int_equal(stat_of(sim, "/accept_resets"), 1);
  assert_int_equal(stat_of(sim, "/requests"), 2);
}

static void
ends_of_all_kinds(void **state)
{
  static const struct {
    const char *behaviour, *body;
    bool reset;
    const char *has, *lacks; /* in the raw answer; NULL has: no byte */
    const char *end;
    int64_t tokens, cost; /* prompt 1 token */
  } cases[] = {
      {"\"reset\":\"before_headers\"", STREAM, true, NULL, NULL, "reset", 0, 0},
      {"\"reset\":\"after_headers\"", STREAM, true, "HTTP/1.1 200 OK\r\n",
       "data:", "reset", 0, 1000},
      {"\"reset\":{\"after_tokens\":2}", STREAM, true, "beta", "gamma", "reset",
       2, 5000},
      {"\"reset\":{\"after_bytes\":10}", WHOLE, true, "\r\n\r\n{\"id\":\"cha",
       "chat", "reset", 3, 7000},
      {"\"cut\":{\"after_tokens\":1}", STREAM, false, "alpha", "beta", "cut", 1,
       3000},
      {"\"cut\":{\"after_bytes\":6}", STREAM, false, "\r\n\r\n6\r\ndata: \r\n",
       "{", "cut", 0, 1000},
      {"\"cut\":{\"after_bytes\":3}", WHOLE, false, "\r\n\r\n{\"i", "\"id\"",
       "cut", 3, 7000},
      {"\"cut\":{\"after_tokens\":1},\"cut_clean\":true", STREAM, false,
       "\n\n\r\n0\r\n\r\n", "beta", "complete", 1, 3000},
      {"\"status\":503", STREAM, false, "HTTP/1.1 503 ", "data:", "complete", 0,
       0},
      {"\"error_in_200\":{\"m\":1},\"after_tokens\":1", STREAM, false,
       "data: {\"error\":{\"m\":1}}\n\n", "beta", "complete", 1, 3000},
      {"\"inter_token_ms\":0", STREAM, false, "[DONE]\n\n\r\n0\r\n\r\n", NULL,
       "complete", 3, 7000},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    use(cases[i].behaviour);
    size_t len = 0;
    bool was_reset = false;
    char *answer = ask(sim, cases[i].body, &len, &was_reset);
    const char *has = cases[i].has;
    if (was_reset != cases[i].reset || (has ? !strstr(answer, has) : len > 0) ||
        (cases[i].lacks && strstr(answer, cases[i].lacks)))
      fail_msg("%s: reset %d\n%s", cases[i].behaviour, was_reset, answer);
    free(answer);
    json_object *log = ended_log(sim, 1);
    char *text = sim_invoice(sim);
    json_object *invoice = parse_json(text);
    assert_string_equal(text_at(log, "/0/end"), cases[i].end);
    if (int_at(invoice, "/total/completion_tokens") != cases[i].tokens ||
        int_at(invoice, "/total/cost_nano_usd") != cases[i].cost)
      fail_msg("%s: %s", cases[i].behaviour, text);
    assert_int_equal(int_at(invoice, "/requests/0/cost_nano_usd"),
                     cases[i].cost);
    assert_int_equal(int_at(log, "/0/bytes_sent"), len);
    json_object_put(invoice);
    json_object_put(log);
    free(text);
  }
}

static void
silence_lasts_until_the_client_goes(void **state)
{
  (void)state;
  use("\"silence\":true");
  int fd = sim_connect(sim);
  char *request = make_request("", WHOLE);
  send_text(fd, request);
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  char *text = NULL;
  json_object *log = NULL;
  for (int i = 0; i < 10000 && !at(log, "/0/end"); i++) { /* it has to come */
    json_object_put(log);
    free(text);
    text = sim_log(sim);
    log = parse_json(text);
  }
  assert_int_equal(poll(&ready, 1, 80), 0);
  assert_string_equal(text_at(log, "/0/end"), "silent");
  assert_int_equal(int_at(log, "/0/status"), 0);
  assert_null(at(log, "/0/ended_ns"));
  json_object_put(log);
  free(text);
  close(fd);
  log = ended_log(sim, 1);
  assert_string_equal(text_at(log, "/0/end"), "client_closed");
  assert_true(int_at(log, "/0/ended_ns") - int_at(log, "/0/received_ns") >=
              80000000);
  assert_int_equal(int_at(log, "/0/bytes_sent"), 0);
  json_object_put(log);
  free(request);
}

/* Leaves after the second token; the third would take long. */
static void
leave_early(const char *behaviour, const char *body, const char *until,
            int64_t wanted_tokens, int64_t wanted_billed)
{
  use(behaviour);
  int fd = sim_connect(sim);
  char *request = make_request("", body);
  send_text(fd, request);
  char *answer = read_until(fd, until);
  close(fd);
  json_object *log = ended_log(sim, 1);
  assert_string_equal(text_at(log, "/0/end"), "client_closed");
  assert_int_equal(int_at(log, "/0/tokens"), wanted_tokens);
  assert_int_equal(int_at(log, "/0/bytes_sent"), strlen(answer));
  char *text = sim_invoice(sim);
  json_object *invoice = parse_json(text);
  assert_int_equal(int_at(invoice, "/requests/0/completion_tokens"),
                   wanted_billed);
  assert_int_equal(int_at(invoice, "/requests/0/prompt_tokens"), 1);
  assert_int_equal(int_at(invoice, "/total/cost_nano_usd"),
                   1000 + wanted_billed * 2000);
  json_object_put(invoice);
  json_object_put(log);
  free(text);
  free(answer);
  free(request);
}

static void
cancelled_answers_are_charged(void **state)
{
  (void)state;
  leave_early("\"stall_after_tokens\":2", STREAM,
              " beta\"},\"logprobs\":null,"
              "\"finish_reason\":null}]}"
              "\n\n\r\n",
              2, 2);
  leave_early("\"stall_after_tokens\":2,\"cancel_billing\":\"full\"", STREAM,
              " beta\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n\r\n", 2,
              3);
  leave_early("\"headers\":\"immediate\",\"first_token_ms\":5000", STREAM,
              "\r\n\r\n", 0, 0);
}

static void
a_reset_by_the_client_is_seen(void **state)
{
  (void)state;
  use("\"stall_after_tokens\":1");
  int fd = sim_connect(sim);
  char *request = make_request("", STREAM);
  send_text(fd, request);
  char *answer = read_until(fd, "alpha");
  struct linger hard = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  close(fd);
  json_object *log = ended_log(sim, 1);
  assert_string_equal(text_at(log, "/0/end"), "client_closed");
  assert_int_equal(stat_of(sim, "/open_streams"), 0);
  assert_int_equal(stat_of(sim, "/peak_open_streams"), 1);
  json_object_put(log);
  free(answer);
  free(request);
}

/* A dead server: connections in flight are reset, new ones refused, and then
 * it is back at the same address. */
static void
down_for_a_while(void **state)
{
  (void)state;
  use_script("{\"defaults\":{\"text\":\"a b\",\"stall_after_tokens\":1}}");
  int fd = sim_connect(sim);
  char *request = make_request("", STREAM);
  send_text(fd, request);
  char *answer = read_until(fd, "assistant");
  double before = now_ms();
  assert_true(
      sim_set_script(sim, "{\"down\":[{\"from_ms\":0,\"until_ms\":500}]}"));
  char bytes[4096];
  ssize_t n = 0;
  while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
    ;
  assert_int_equal(n, -1);
  assert_int_equal(errno, ECONNRESET);
  close(fd);
  int again = sim_connect(sim);
  assert_int_equal(again, -1);
  assert_int_equal(errno, ECONNREFUSED);
  while ((again = sim_connect(sim)) < 0 && now_ms() - before < 5000)
    sleep_ms(5);
  assert_true(again >= 0 && now_ms() - before >= 490);
  close(again);
  free(answer);
  answer = ask(sim, WHOLE, NULL, NULL);
  assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
  json_object *log = ended_log(sim, 2);
  assert_string_equal(text_at(log, "/0/end"), "server_down");
  json_object_put(log);
  free(answer);
  free(request);
}

static void
rules_by_time_and_number(void **state)
{
  (void)state;
  use_script("{\"rules\":[{\"name\":\"ill\",\"when\":{\"until_ms\":400},"
             "\"do\":{\"status\":500}},{\"when\":{\"requests\":\"1\"},"
             "\"do\":{\"status\":502}}],\"defaults\":{\"text\":\"x\"}}");
  static const char *const wanted[] = {"500", "502", "200"};
  for (size_t i = 0; i < COUNT_OF(wanted); i++) {
    if (i == 1)
      sleep_ms(410);
    char *answer = ask(sim, WHOLE, NULL, NULL);
    assert_int_equal(strncmp(answer + 9, wanted[i], 3), 0);
    free(answer);
  }
  json_object *log = ended_log(sim, 3);
  assert_int_equal(int_at(log, "/0/rule"), 0);
  assert_string_equal(text_at(log, "/0/rule_name"), "ill");
  assert_int_equal(int_at(log, "/1/rule"), 1);
  assert_int_equal(int_at(log, "/2/rule"), -1);
  json_object_put(log);
}

static void
a_limit_refuses_and_recovers(void **state)
{
  (void)state;
  use("\"limit\":{\"requests_per_minute\":120,\"burst\":2}");
  for (int i = 0; i < 2; i++) {
    char *answer = ask(sim, WHOLE, NULL, NULL);
    assert_non_null(strstr(answer, "x-ratelimit-limit-requests: 120\r\n"));
    free(answer);
  }
  char *answer = ask(sim, WHOLE, NULL, NULL);
  assert_int_equal(strncmp(answer, "HTTP/1.1 429 Too Many Requests", 30), 0);
  char *hint = strstr(answer, "retry-after-ms: ");
  assert_non_null(hint);
  sleep_ms((int)strtol(hint + 16, NULL, 10));
  free(answer);
  answer = ask(sim, WHOLE, NULL, NULL);
  assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
  free(answer);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reset_at_accept),
      cmocka_unit_test(ends_of_all_kinds),
      cmocka_unit_test(silence_lasts_until_the_client_goes),
      cmocka_unit_test(cancelled_answers_are_charged),
      cmocka_unit_test(a_reset_by_the_client_is_seen),
      cmocka_unit_test(down_for_a_while),
      cmocka_unit_test(rules_by_time_and_number),
      cmocka_unit_test(a_limit_refuses_and_recovers),
  };
  return cmocka_run_group_tests(tests, start, stop);
}
