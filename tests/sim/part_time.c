/* SPDX-License-Identifier: MIT */
/* When things are sent, and the failures that a script can place. The clock
 * is virtual: times are exact. */
#include "play.h"

#include <math.h>

#define ASK(members)                                                      \
  "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}" \
  "]" members "}"
#define STREAM ASK(",\"stream\":true")
#define WHOLE  ASK("")
#define ABC    "\"text\":\"alpha beta gamma delta\""

static void
assert_ms(double got, double wanted)
{
  if (fabs(got - wanted) > 1e-6)
    fail_msg("%.6f ms, not %.6f", got, wanted);
}

static void
tokens_come_when_they_should(void **state)
{
  (void)state;
  play p;
  play_run(&p, ABC ",\"first_token_ms\":100,\"inter_token_ms\":10", STREAM,
           NULL);
  assert_ms(play_when(&p, "HTTP/1.1 200 OK"), 100);
  assert_ms(play_when(&p, "\"assistant\""), 100);
  assert_ms(play_when(&p, "alpha"), 100);
  assert_ms(play_when(&p, " beta"), 110);
  assert_ms(play_when(&p, " delta"), 130);
  assert_ms(play_when(&p, "[DONE]"), 130);
  assert_ms(play_when(&p, "0\r\n\r\n"), 130);
  play_fini(&p);
  /* The whole is ready with its last token. */
  play_run(&p, ABC ",\"first_token_ms\":100,\"inter_token_ms\":10", WHOLE,
           NULL);
  assert_ms(play_when(&p, "HTTP/1.1 200 OK"), 130);
  assert_ms(play_when(&p, "delta"), 130);
  play_fini(&p);
}

static void
headers_come_when_they_should(void **state)
{
  static const struct {
    const char *behaviour;
    double headers_ms, role_ms, first_ms;
  } cases[] = {
      {"\"first_token_ms\":100", 100, 100, 100},
      {"\"first_token_ms\":100,\"headers\":\"immediate\"", 0, 100, 100},
      {"\"first_token_ms\":100,\"headers\":\"with_role\"", 0, 0, 100},
      {"\"first_token_ms\":100,\"headers_ms\":40", 40, 100, 100},
      {"\"first_token_ms\":100,\"headers_ms\":40,\"headers\":\"with_role\"", 40,
       40, 100},
      {"\"first_token_ms\":100,\"headers_ms\":150", 150, 150, 150},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char behaviour[256];
    play p;
    snprintf(behaviour, sizeof(behaviour), ABC ",%s", cases[i].behaviour);
    play_run(&p, behaviour, STREAM, NULL);
    assert_ms(play_when(&p, "HTTP/1.1"), cases[i].headers_ms);
    assert_ms(play_when(&p, "assistant"), cases[i].role_ms);
    assert_ms(play_when(&p, "alpha"), cases[i].first_ms);
    play_fini(&p);
    play_run(&p, behaviour, WHOLE, NULL);
    assert_ms(play_when(&p, "HTTP/1.1"), cases[i].headers_ms);
    assert_ms(play_when(&p, "alpha"), cases[i].first_ms);
    play_fini(&p);
  }
}

static void
errors_do_not_wait_for_tokens(void **state)
{
  (void)state;
  play p;
  play_run(&p, "\"status\":503,\"first_token_ms\":500", WHOLE, NULL);
  assert_int_equal(p.status, 503);
  assert_ms(p.end_ms, 0);
  play_fini(&p);
  play_run(&p, "\"status\":503,\"headers_ms\":30", STREAM, NULL);
  assert_ms(play_when(&p, "HTTP/1.1 503 Service Unavailable\r\n"), 30);
  play_fini(&p);
}

static void
stalls(void **state)
{
  (void)state;
  play p;
  play_run(&p,
           ABC ",\"first_token_ms\":100,\"inter_token_ms\":10,"
               "\"stall_after_tokens\":2,\"stall_ms\":500",
           STREAM, NULL);
  assert_ms(play_when(&p, " beta"), 110);
  assert_ms(play_when(&p, " gamma"), 620);
  assert_ms(play_when(&p, " delta"), 630);
  assert_int_equal(p.end, INF_SIM_DONE);
  play_fini(&p);
  play_run(&p, ABC ",\"stall_after_tokens\":2", STREAM, NULL);
  assert_int_equal(p.end, INF_SIM_HANG);
  assert_int_equal(p.tokens, 2);
  assert_true(play_has(&p, "beta") && !play_has(&p, "gamma"));
  play_fini(&p);
  play_run(&p, ABC ",\"first_token_ms\":50,\"stall_after_tokens\":0", STREAM,
           NULL);
  assert_int_equal(p.end, INF_SIM_HANG);
  assert_ms(play_when(&p, "assistant"), 50);
  assert_false(play_has(&p, "alpha"));
  play_fini(&p);
  /* A whole body stops half way and goes on. */
  play_run(&p, ABC ",\"stall_after_tokens\":2,\"stall_ms\":500", WHOLE, NULL);
  assert_int_equal(p.count, 2);
  assert_ms(p.marks[1].at_ms, 500);
  assert_int_equal(p.marks[1].len, (p.body.len + 1) / 2);
  assert_true(p.body_ended);
  play_fini(&p);
}

static void
comments_while_waiting(void **state)
{
  (void)state;
  play p;
  play_run(&p,
           ABC ",\"first_token_ms\":100,\"headers\":\"immediate\","
               "\"comment_ms\":30",
           STREAM, NULL);
  static const double times[] = {0, 30, 60, 90, 100};
  assert_int_equal(p.count, COUNT_OF(times));
  for (size_t i = 0; i < COUNT_OF(times); i++)
    assert_ms(p.marks[i].at_ms, times[i]);
  assert_int_equal(strncmp(inf_buf_cstr(&p.body), ": OPEN", 6), 0);
  play_fini(&p);
  /* They come in a stall without end too. */
  play_run(&p, ABC ",\"stall_after_tokens\":1,\"comment_ms\":30", STREAM,
           &(play_options){.stop_ms = 100});
  assert_int_equal(p.count, 4);
  assert_ms(p.marks[3].at_ms, 90);
  play_fini(&p);
}

static void
blanks_before_a_body(void **state)
{
  (void)state;
  play p;
  play_run(&p,
           ABC ",\"first_token_ms\":100,\"headers\":\"immediate\","
               "\"whitespace_before_body\":4",
           WHOLE, NULL);
  assert_int_equal(strncmp(inf_buf_cstr(&p.body), "\n \n {", 5), 0);
  assert_ms(play_when(&p, "\r\n\r\n\n \n "), 0);
  assert_ms(play_when(&p, "alpha"), 100);
  play_fini(&p);
}

/* Every byte of the body as the place of the end. */
static void
cuts_at_every_byte(void **state)
{
  static const struct {
    const char *what;
    inf_sim_action end;
  } kinds[] = {{"\"cut\"", INF_SIM_CUT}, {"\"reset\"", INF_SIM_RESET}};
  static const char *const asks[] = {STREAM, WHOLE};
  (void)state;
  for (size_t kind = 0; kind < 4; kind++) {
    play all;
    const char *ask = asks[kind / 2];
    play_run(&all, ABC, ask, NULL);
    for (size_t at = 0; at <= all.body.len; at++) {
      char behaviour[128];
      play p;
      snprintf(behaviour, sizeof(behaviour), ABC ",%s:{\"after_bytes\":%zu}",
               kinds[kind % 2].what, at);
      play_run(&p, behaviour, ask, NULL);
      assert_int_equal(p.end, kinds[kind % 2].end);
      assert_int_equal(p.body.len, at);
      if (at > 0)
        assert_memory_equal(p.body.ptr, all.body.ptr, at);
      assert_true(!p.body_ended || (kind >= 2 && at == all.body.len));
      play_fini(&p);
    }
    play_fini(&all);
  }
}

static void
cuts_at_tokens(void **state)
{
  static const struct {
    const char *behaviour, *ask;
    inf_sim_action end;
    const char *has, *lacks;
    bool body_ended;
  } cases[] = {
      {"\"cut\":{\"after_tokens\":2}", STREAM, INF_SIM_CUT, "beta", "gamma",
       false},
      {"\"cut\":{\"after_tokens\":0}", STREAM, INF_SIM_CUT, "assistant",
       "alpha", false},
      {"\"cut\":{\"after_tokens\":4}", STREAM, INF_SIM_CUT, "delta\"",
       "\"stop\"", false},
      {"\"cut\":{\"after_tokens\":5}", STREAM, INF_SIM_DONE, "[DONE]", NULL,
       true},
      {"\"cut\":{\"after_tokens\":2},\"cut_clean\":true", STREAM, INF_SIM_DONE,
       "beta", "gamma", true},
      {"\"cut\":{\"after_bytes\":200},\"cut_clean\":true", STREAM, INF_SIM_DONE,
       "data: {", "alpha", true},
      {"\"cut\":{\"after_bytes\":20},\"cut_clean\":true", WHOLE, INF_SIM_CUT,
       "{\"id\"", "object", false},
      {"\"cut\":{\"after_tokens\":2}", WHOLE, INF_SIM_CUT, "{\"id\"",
       "\"usage\"", false},
      {"\"cut\":{\"after_tokens\":9}", WHOLE, INF_SIM_DONE, "usage", NULL,
       true},
      {"\"reset\":{\"after_tokens\":1}", STREAM, INF_SIM_RESET, "alpha", "beta",
       false},
      {"\"reset\":\"after_headers\"", STREAM, INF_SIM_RESET, "", "data", false},
      {"\"reset\":\"after_headers\"", WHOLE, INF_SIM_RESET, "", "{", false},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char behaviour[256];
    play p;
    snprintf(behaviour, sizeof(behaviour), ABC ",%s", cases[i].behaviour);
    play_run(&p, behaviour, cases[i].ask, NULL);
    if (p.end != cases[i].end || !play_has(&p, cases[i].has) ||
        (cases[i].lacks && play_has(&p, cases[i].lacks)) ||
        p.body_ended != cases[i].body_ended || p.status != 200)
      fail_msg("%s: end %d\n%s", cases[i].behaviour, (int)p.end,
               inf_buf_cstr(&p.bytes));
    play_fini(&p);
  }
}

static void
resets_and_silence_before_headers(void **state)
{
  (void)state;
  play p;
  play_run(&p, ABC ",\"reset\":\"before_headers\",\"first_token_ms\":50",
           STREAM, NULL);
  assert_int_equal(p.end, INF_SIM_RESET);
  assert_int_equal(p.bytes.len, 0);
  assert_ms(p.end_ms, 0);
  play_fini(&p);
  play_run(&p, "\"reset\":\"before_headers\",\"headers_ms\":50", WHOLE, NULL);
  assert_int_equal(p.end, INF_SIM_RESET);
  assert_int_equal(p.bytes.len, 0);
  assert_ms(p.end_ms, 50);
  play_fini(&p);
  play_run(&p, "\"silence\":true,\"status\":500", WHOLE, NULL);
  assert_int_equal(p.end, INF_SIM_HANG);
  assert_int_equal(p.bytes.len, 0);
  play_fini(&p);
}

static void
errors_inside_a_200(void **state)
{
  static const struct {
    const char *behaviour, *ask, *has, *lacks;
  } cases[] = {
      {"\"error_in_200\":{\"message\":\"no\"}", WHOLE,
       "{\"error\":{\"message\":\"no\"}}", "choices"},
      {"\"error_in_200\":{\"status\":{\"code\":11005}}", WHOLE,
       "{\"status\":{\"code\":11005}}", "error"},
      {"\"error_in_200\":{\"error\":{\"code\":502}}", STREAM,
       "data: {\"error\":{\"code\":502}}\n\n", "alpha"},
      {"\"error_in_200\":{\"code\":502},\"after_tokens\":2", STREAM,
       "data: {\"error\":{\"code\":502}}\n\n", "gamma"},
      {"\"error_in_200\":{\"code\":502},\"after_tokens\":2", STREAM, "beta",
       "[DONE]"},
      {"\"error_in_200\":{\"code\":502},\"error_done\":true", STREAM,
       "}}\n\ndata: [DONE]\n\n", NULL},
      {"\"error_in_200\":{\"code\":502},\"error_form\":\"event\"", STREAM,
       "event: error\ndata: {\"error\":{\"code\":502}}\n\n", NULL},
      {"\"error_in_200\":{\"code\":502},\"error_form\":\"field\"", STREAM,
       "\n\nerror: {\"error\":{\"code\":502}}\n\n", NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char behaviour[256];
    play p;
    snprintf(behaviour, sizeof(behaviour), ABC ",%s", cases[i].behaviour);
    play_run(&p, behaviour, cases[i].ask, NULL);
    if (p.status != 200 || !play_has(&p, cases[i].has) ||
        (cases[i].lacks && play_has(&p, cases[i].lacks)) || !p.body_ended)
      fail_msg("%s:\n%s", cases[i].behaviour, inf_buf_cstr(&p.bytes));
    play_fini(&p);
  }
}

static void
answers_given_by_the_script(void **state)
{
  static const struct {
    const char *behaviour;
    unsigned status;
    const char *head, *body;
  } cases[] = {
      {"\"status\":500", 500, "content-type: application/json",
       "{\"error\":{\"message\":\"The server had an error"},
      {"\"status\":429", 429, "429 Too Many Requests",
       "\"code\":\"rate_limit_exceeded\""},
      {"\"status\":418", 418, "418 Client Error", "{\"error\":{"},
      {"\"status\":529,\"body\":{\"a\": [1]}", 529, "application/json",
       "{\"a\":[1]}"},
      {"\"status\":500,\"body\":\"oops\"", 500, "content-type: text/plain",
       "oops"},
      {"\"body\":\"data: x\",\"content_type\":\"text/event-stream\"", 200,
       "content-type: text/event-stream\r\n", "data: x"},
      {"\"html_error\":true", 502, "content-type: text/html; charset=UTF-8",
       "<title>502 Bad Gateway</title>"},
      {"\"html_error\":true,\"status\":504", 504, "text/html",
       "<title>504 Gateway Timeout</title>"},
      {"\"redirect\":\"http://127.0.0.1:9/v1\"", 307,
       "location: http://127.0.0.1:9/v1\r\n", ""},
      {"\"status\":503,\"headers\":{\"Retry-After\":3,\"X-A\":\"b\"}", 503,
       "Retry-After: 3\r\nX-A: b\r\n", "error"},
      {"\"wrong_content_type\":true", 200, "content-type: text/plain",
       "chat.completion"},
      {"\"headers\":{\"Server\":\"mine\"}", 200, "\r\nServer: mine\r\n", "{"},
      {"\"close_after_response\":true", 200, "connection: close\r\n", "{"},
      {"\"require_key\":[\"a\",\"b\"]", 401, "application/json",
       "\"code\":\"invalid_api_key\""},
      {"\"require_key\":\"k\"", 200, "application/json", "choices"},
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    play p;
    play_run(&p, cases[i].behaviour, WHOLE, &(play_options){.key = "k"});
    if (p.status != cases[i].status || !strstr(p.head, cases[i].head) ||
        !play_has(&p, cases[i].body) || !p.body_ended)
      fail_msg("%s:\n%s", cases[i].behaviour, inf_buf_cstr(&p.bytes));
    assert_null(strstr(p.head, "server: infer-sim\r\nServer"));
    play_fini(&p);
  }
}

static void
bad_requests(void **state)
{
  static const char *const bodies[] = {
      "",
      "{",
      "[]",
      "{\"messages\":[{\"role\":\"user\"}]}",
      "{\"model\":5,\"messages\":[{\"role\":\"user\"}]}",
      "{\"model\":\"m\"}",
      "{\"model\":\"m\",\"messages\":[]}",
      ASK(",\"n\":129"),
      ASK(",\"n\":-1"),
      ASK(",\"top_logprobs\":21"),
      ASK(",\"max_tokens\":1.5"),
  };
  (void)state;
  for (size_t i = 0; i < COUNT_OF(bodies); i++) {
    play p;
    play_run(&p, "", bodies[i], NULL);
    if (p.status != 400 || !play_has(&p, "\"type\":\"invalid_request_error\""))
      fail_msg("%s:\n%s", bodies[i], inf_buf_cstr(&p.bytes));
    play_fini(&p);
  }
}

static void
limits_on_every_answer(void **state)
{
  (void)state;
  play p;
  inf_sim_script *script =
      read_script("{\"defaults\":{\"limit\":{\"requests_per_minute\":2,"
                  "\"tokens_per_minute\":1000},\"tokens\":9}}");
  play_script(&p, script, 0, WHOLE, NULL);
  assert_int_equal(p.status, 200);
  /* 1 prompt token and 9 of the answer. */
  assert_non_null(strstr(p.head, "x-ratelimit-limit-requests: 2\r\n"
                                 "x-ratelimit-remaining-requests: 1\r\n"
                                 "x-ratelimit-reset-requests: 30s\r\n"
                                 "x-ratelimit-limit-tokens: 1000\r\n"
                                 "x-ratelimit-remaining-tokens: 990\r\n"
                                 "x-ratelimit-reset-tokens: 600ms\r\n"));
  assert_null(strstr(p.head, "retry-after"));
  play_fini(&p);
  play_script(&p, script, 0, ASK(",\"max_tokens\":899"), NULL);
  assert_non_null(strstr(p.head, "remaining-tokens: 90\r\n"));
  play_fini(&p);
  play_script(&p, script, 1500, WHOLE, NULL);
  assert_int_equal(p.status, 429);
  assert_non_null(strstr(p.head, "remaining-requests: 0\r\n"));
  assert_non_null(strstr(p.head, "retry-after-ms: 28500\r\n"));
  assert_non_null(strstr(p.head, "retry-after: 29\r\n"));
  assert_true(play_has(&p, "on requests per min (RPM): Limit 2, Used 2, "
                           "Requested 1. Please try again in 28.5s."));
  assert_true(play_has(&p, "\"type\":\"requests\",\"param\":null,\"code\":"
                           "\"rate_limit_exceeded\""));
  play_fini(&p);
  play_script(&p, script, 1500, WHOLE, &(play_options){.key = "other"});
  assert_int_equal(p.status, 200); /* a bucket for each key */
  play_fini(&p);
  play_script(&p, script, 30000, WHOLE, NULL);
  assert_int_equal(p.status, 200);
  play_fini(&p);
  play_script(&p, script, 200000, ASK(",\"max_tokens\":1000"), NULL);
  assert_int_equal(p.status, 429);
  assert_true(play_has(&p, "Request too large for m"));
  assert_null(strstr(p.head, "retry-after"));
  play_fini(&p);
  inf_sim_script_unref(script);
}

static void
bodies_without_length(void **state)
{
  (void)state;
  play p;
  play_run(&p, ABC, STREAM, &(play_options){.http_1_0 = true});
  assert_null(strstr(p.head, "chunked"));
  assert_non_null(strstr(p.head, "connection: close"));
  assert_true(play_has(&p, "data: [DONE]"));
  play_fini(&p);
  play_run(&p, ABC ",\"framing\":\"chunked\"", WHOLE, NULL);
  assert_non_null(strstr(p.head, "transfer-encoding: chunked"));
  assert_true(p.body_ended);
  play_fini(&p);
  play_run(&p, ABC ",\"framing\":\"close\"", WHOLE, NULL);
  assert_null(strstr(p.head, "content-length"));
  assert_non_null(strstr(p.head, "connection: close"));
  play_fini(&p);
}

static void
waiting_whole_answers_make_tokens(void **state)
{
  (void)state;
  static const struct {
    double stop_ms;
    uint64_t tokens;
  } cases[] = {{99, 0}, {131, 4}};
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    play p;
    play_run(&p,
             ABC ",\"headers\":\"immediate\",\"first_token_ms\":100,"
                 "\"inter_token_ms\":10",
             WHOLE, &(play_options){.stop_ms = cases[i].stop_ms});
    assert_int_equal(p.tokens, cases[i].tokens);
    play_fini(&p);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tokens_come_when_they_should),
      cmocka_unit_test(headers_come_when_they_should),
      cmocka_unit_test(errors_do_not_wait_for_tokens),
      cmocka_unit_test(stalls),
      cmocka_unit_test(comments_while_waiting),
      cmocka_unit_test(blanks_before_a_body),
      cmocka_unit_test(cuts_at_every_byte),
      cmocka_unit_test(cuts_at_tokens),
      cmocka_unit_test(resets_and_silence_before_headers),
      cmocka_unit_test(errors_inside_a_200),
      cmocka_unit_test(answers_given_by_the_script),
      cmocka_unit_test(bad_requests),
      cmocka_unit_test(limits_on_every_answer),
      cmocka_unit_test(bodies_without_length),
      cmocka_unit_test(waiting_whole_answers_make_tokens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
