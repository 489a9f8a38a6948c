/* SPDX-License-Identifier: MIT */
#include "unit/provider_support.h"

#include "support/fail_alloc.h"

#define DELTA(text)                                                        \
  "data: "                                                                 \
  "{\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text \
  "\"},\"finish_reason\":null}]}\n\n"
#define FINISH(reason)                                          \
  "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{}," \
  "\"finish_reason\":\"" reason "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define ANSWER                                                     \
  "{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"role\":" \
  "\"assistant\",\"content\":\"ab\"},\"finish_reason\":\"stop\"}]}"

typedef struct expectation {
  int http_status;
  bool stream;
  const char *body;
  int32_t status;
  const char *text; /* of choice 0, NULL: no choice */
} expectation;

static void
check_step(const expectation *e, size_t step)
{
  reading r;
  reading_init(&r, default_options(e->stream));
  reading_run(&r, e->http_status, S(e->body), step);
  if (r.status != e->status)
    fail_msg("step %zu: %d instead of %d (%s): %s", step, r.status, e->status,
             inf_buf_cstr(&r.decoder.failure.message), e->body);
  assert_int_equal(r.decoder.failure.status, e->status);
  const inf_choice *choice = inf_answer_choice(&r.answer, 0);
  if (e->text) {
    assert_non_null(choice);
    assert_buf(&choice->text, e->text);
  } else {
    assert_null(choice);
  }
  reading_fini(&r);
}

static void
check(const expectation *e, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    check_step(&e[i], 0);
    check_step(&e[i], 1);
    check_step(&e[i], 5);
  }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows[0]))

static void
test_proper_ends_of_streams(void **state)
{
  (void)state;
  static const expectation rows[] = {
      {200, true, DELTA("a") DELTA("b") FINISH("stop") DONE, INFER_OK, "ab"},
      /* The terminator alone, without a finish reason. */
      {200, true, DELTA("a") DONE, INFER_OK, "a"},
      /* A finish reason alone. */
      {200, true, DELTA("a") FINISH("stop"), INFER_OK, "a"},
      /* What follows the terminator is ignored. */
      {200, true, DELTA("a") FINISH("stop") DONE DELTA("z") "x", INFER_OK, "a"},
      /* Without the last blank line or line end. */
      {200, true, DELTA("a") "data: [DONE]", INFER_OK, "a"},
      {200, true,
       "data:{\"choices\":[{\"delta\":{\"content\":\"a\"},"
       "\"finish_reason\":\"stop\"}]}",
       INFER_OK, "a"},
      /* Comments, a mark, other line ends, a retry field. */
      {200, true,
       "\xEF\xBB\xBF: hello\r\n\r\nretry: 7\r\n\r\ndata: {\"choices\""
       ":[{\"delta\":{\"content\":\"a\"}}]}\r\r\ndata:[DONE]\r\r",
       INFER_OK, "a"},
  };
  CHECK(rows);
}

static void
test_other_ends_are_truncation(void **state)
{
  (void)state;
  static const expectation rows[] = {
      {200, true, "", INFER_E_TRUNCATED, NULL},
      {200, true, " \n", INFER_E_TRUNCATED, NULL},
      {200, true, "da", INFER_E_TRUNCATED, NULL},
      {200, true, ": ping\n\n", INFER_E_TRUNCATED, NULL},
      {200, true, "data: {\"choi", INFER_E_TRUNCATED, NULL},
      {200, true, DELTA("a"), INFER_E_TRUNCATED, "a"},
      {200, true, DELTA("a") "data: {\"choices\":[{\"delta\":{\"content\":\"b",
       INFER_E_TRUNCATED, "a"},
      {200, true, "data: {\"type\":\"ping\"}\n\n", INFER_E_TRUNCATED, NULL},
  };
  CHECK(rows);
}

static void
test_every_cut_of_a_stream(void **state)
{
  (void)state;
  static const char stream[] =
      DELTA("a") DELTA("\xC3\xA9\\n") FINISH("stop") DONE;
  size_t finish = (size_t)(strstr(stream, "\"stop\"}]}") - stream) + 9;
  for (size_t cut = 0; cut < sizeof(stream); cut++) {
    reading r;
    reading_init(&r, default_options(true));
    inf_decoder_headers(&r.decoder, 200, &r.headers, 0);
    inf_decoder_feed(&r.decoder, stream, cut);
    int32_t status = inf_decoder_end(&r.decoder, cut % 2 == 0);
    if (status != (cut < finish ? INFER_E_TRUNCATED : INFER_OK))
      fail_msg("cut at %zu of %zu: %d", cut, finish, status);
    reading_fini(&r);
  }
}

static void
test_malformed_events(void **state)
{
  (void)state;
  static const expectation rows[] = {
      {200, true, DELTA("a") "data: {oops\n\n" DELTA("b") FINISH("stop"),
       INFER_OK, "ab"},
      {200, true, DELTA("a") "data: [1]\n\ndata: 7\n\n" DELTA("b") DONE,
       INFER_OK, "ab"},
      {200, true, "data: nonsense\n\ndata: {\"a\":\n\n", INFER_E_PROTOCOL,
       NULL},
      {200, true, "data: nonsense\n\n" DONE, INFER_E_PROTOCOL, NULL},
      {200, true, DONE, INFER_E_PROTOCOL, NULL},
  };
  CHECK(rows);
  reading r;
  reading_init(&r, default_options(true));
  reading_run(&r, 200, S(DELTA("a") "data: x\n\ndata: y\n\n" DELTA("b") DONE),
              0);
  assert_int_equal(r.decoder.skipped_events, 2);
  assert_int_equal(r.decoder.events, 3);
  reading_fini(&r);
}

static void
test_errors_in_a_stream(void **state)
{
  (void)state;
  static const expectation rows[] = {
      {200, true,
       DELTA("a") "data: {\"error\":{\"message\":\"x\","
                  "\"type\":\"server_error\"}}\n\n",
       INFER_E_SERVER, "a"},
      {200, true,
       DELTA("a") "data: {\"error\":{\"code\":429}}\n\n" DELTA("b") DONE,
       INFER_E_RATE_LIMITED, "a"},
      /* Error and choices in one chunk: the choices count first. */
      {200, true,
       DELTA("a") "data: {\"choices\":[{\"delta\":{\"content\":"
                  "\"b\"},\"finish_reason\":\"error\"}],\"error\":"
                  "{\"code\":502,\"message\":\"x\"}}\n\n",
       INFER_E_SERVER, "ab"},
      {200, true, DELTA("a") "data: {\"choices\":[],\"error\":null}\n\n" DONE,
       INFER_OK, "a"},
      /* llama.cpp until 2025. */
      {200, true, DELTA("a") "error: {\"error\":{\"message\":\"x\"}}\n\n",
       INFER_E_SERVER, "a"},
      {200, true, DELTA("a") "error: words\n\n", INFER_E_SERVER, "a"},
      {200, true,
       "event: error\ndata: {\"error\":{\"type\":"
       "\"invalid_request_error\",\"status_code\":400}}\n\n",
       INFER_E_BAD_REQUEST, NULL},
      {200, true, "event: error\ndata: overloaded\n\n", INFER_E_OVERLOADED,
       NULL},
      {200, true, DELTA("a") "data: {\"status\":{\"code\":11005}}\n\n",
       INFER_E_RATE_LIMITED, "a"},
      {200, true, DELTA("a") FINISH("error"), INFER_E_SERVER, "a"},
      {200, true, DELTA("a") FINISH("network_error") DONE, INFER_E_SERVER, "a"},
      {200, true, DELTA("a") FINISH("insufficient_system_resource") DONE,
       INFER_E_OVERLOADED, "a"},
      {200, true, "data: {\"error\":\"x\",\"error_type\":\"validation\"}\n\n",
       INFER_E_BAD_REQUEST, NULL},
  };
  CHECK(rows);
}

static void
test_after_an_error_only_usage_is_taken(void **state)
{
  (void)state;
  reading r;
  reading_init(&r, default_options(true));
  reading_run(&r, 200,
              S(DELTA("a") "data: {\"error\":{\"message\":\"m\"}}\n\n" DELTA(
                  "b") "data: {\"choices\":[{\"delta\":{\"content\":\"c\"}}],"
                       "\"usage\":{\"prompt_tokens\":7}}\n\n" DONE),
              0);
  assert_int_equal(r.status, INFER_E_SERVER);
  assert_true(r.decoder.terminated);
  assert_false(r.decoder.finished);
  assert_buf(&r.answer.choices[0].text, "a");
  assert_int_equal(r.answer.usage.input, 7);
  assert_buf(&r.decoder.failure.message, "m");
  reading_fini(&r);
}

static void
test_whole_bodies(void **state)
{
  (void)state;
  static const expectation rows[] = {
      {200, false, ANSWER, INFER_OK, "ab"},
      {200, false, "\n         \n \t\r\n" ANSWER "\n", INFER_OK, "ab"},
      {200, false, "\xEF\xBB\xBF" ANSWER, INFER_OK, "ab"},
      {200, false, "\n\xEF\xBB\xBF " ANSWER, INFER_OK, "ab"},
      /* A body where a stream was asked for, and the other way round. */
      {200, true, "\n " ANSWER, INFER_OK, "ab"},
      {200, false, DELTA("a") DELTA("b") DONE, INFER_OK, "ab"},
      {201, false, ANSWER, INFER_OK, "ab"},
      {200, false, ANSWER "x", INFER_E_PROTOCOL, NULL},
      {200, false, "", INFER_E_PROTOCOL, NULL},
      {200, false, "  ", INFER_E_PROTOCOL, NULL},
      {200, false, "\xEF\xBB", INFER_E_PROTOCOL, NULL},
      {200, false, "dat", INFER_E_PROTOCOL, NULL},
      {200, false, "internal error", INFER_E_PROTOCOL, NULL},
      {200, true, "internal error", INFER_E_PROTOCOL, NULL},
      {200, false, "<!DOCTYPE html><title>x</title>", INFER_E_PROTOCOL, NULL},
      {200, true, "<html>", INFER_E_PROTOCOL, NULL},
      {200, false, "[]", INFER_E_PROTOCOL, NULL},
      {200, false, "\"text\"", INFER_E_PROTOCOL, NULL},
      {200, false, "{}", INFER_E_PROTOCOL, NULL},
      {200, false, "{\"choices\":[]}", INFER_E_PROTOCOL, NULL},
      {200, false, "{\"choices\":[{\"index\":0}]}", INFER_E_PROTOCOL, ""},
      {200, false, "{\"choices\":[{\"message\":null}]}", INFER_E_PROTOCOL, ""},
      /* Azure's filter leaves no message. */
      {200, false, "{\"choices\":[{\"finish_reason\":\"content_filter\"}]}",
       INFER_OK, ""},
      /* Without a finish reason only with content. */
      {200, false,
       "{\"choices\":[{\"message\":{\"content\":\"x\"},"
       "\"finish_reason\":null}]}",
       INFER_OK, "x"},
      {200, false,
       "{\"choices\":[{\"message\":{\"content\":\"x\"},"
       "\"finish_reason\":\"\"}]}",
       INFER_OK, "x"},
      {200, false,
       "{\"choices\":[{\"message\":{\"content\":\"\"},"
       "\"finish_reason\":null}]}",
       INFER_E_TRUNCATED, ""},
      {200, false, "{\"choices\":[{\"message\":{\"content\":\"x",
       INFER_E_TRUNCATED, NULL},
      {200, false,
       "{\"choices\":[{\"message\":{\"content\":\"x\"},"
       "\"finish_reason\":\"error\"}]}",
       INFER_E_SERVER, "x"},
  };
  CHECK(rows);
}

static void
test_errors_inside_a_200_body(void **state)
{
  (void)state;
  static const expectation rows[] = {
      {200, false, "{\"error\":{\"code\":429,\"message\":\"x\"}}",
       INFER_E_RATE_LIMITED, NULL},
      {200, true, "{\"error\":{\"message\":\"x\"}}", INFER_E_SERVER, NULL},
      {200, false, "[{\"error\":{\"code\":503}}]", INFER_E_OVERLOADED, NULL},
      {200, false, "{\"status\":{\"code\":11001,\"description\":\"x\"}}",
       INFER_E_AUTH, NULL},
      {200, false, "{\"detail\":\"nope\"}", INFER_E_SERVER, NULL},
      {200, false, "{\"object\":\"error\",\"message\":\"m\",\"code\":400}",
       INFER_E_BAD_REQUEST, NULL},
      {200, false,
       "{\"choices\":[{\"message\":{\"content\":\"a\"},\"error\":{"
       "\"code\":502,\"message\":\"x\"}}]}",
       INFER_E_SERVER, "a"},
      {200, false,
       "{\"error\":null,\"choices\":[{\"error\":null,\"message\":{"
       "\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
       INFER_OK, "a"},
  };
  CHECK(rows);
}

static void
test_http_errors(void **state)
{
  (void)state;
  static const expectation rows[] = {
      {429, true, "{\"error\":{\"message\":\"slow\"}}", INFER_E_RATE_LIMITED,
       NULL},
      {500, false, "", INFER_E_SERVER, NULL},
      {502, true, "<html><title>bad</title>", INFER_E_SERVER, NULL},
      {404, false, "data: looks like an event\n\n", INFER_E_NOT_FOUND, NULL},
      {301, false, ANSWER, INFER_E_BAD_REQUEST, NULL},
      {0, false, ANSWER, INFER_E_PROTOCOL, NULL},
  };
  CHECK(rows);
  reading r;
  reading_init(&r, default_options(true));
  reading_header(&r, "x-request-id: req_9");
  reading_header(&r, "retry-after: 3");
  reading_run(&r, 429, S(" {\"error\":{\"message\":\"slow\"}}"), 3);
  assert_buf(&r.decoder.failure.message, "slow");
  assert_buf(&r.decoder.failure.request_id, "req_9");
  assert_int_equal(r.decoder.failure.hint_ns, 3000000000ll);
  assert_int_equal(r.decoder.failure.http_status, 429);
  reading_fini(&r);
}

static void
test_of_a_large_error_body_the_beginning_is_kept(void **state)
{
  (void)state;
  char block[4096];
  reading r;
  reading_init(&r, default_options(false));
  memset(block, 'x', sizeof(block));
  inf_decoder_headers(&r.decoder, 500, &r.headers, 0);
  for (int i = 0; i < 1000; i++)
    assert_int_equal(inf_decoder_feed(&r.decoder, block, sizeof(block)),
                     INFER_OK);
  assert_int_equal(inf_decoder_end(&r.decoder, true), INFER_E_SERVER);
  assert_int_equal(r.decoder.body.len, 65536);
  assert_int_equal(r.decoder.failure.message.len, 4096);
  reading_fini(&r);
}

static void
test_limits(void **state)
{
  (void)state;
  inf_decoder_options options = default_options(false);
  reading r;
  options.max_body_bytes = 60;
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(ANSWER), 7), INFER_E_TOO_LARGE);
  reading_fini(&r);
  /* Of a stream it is the answer that must not be larger. */
  options.max_body_bytes = 4;
  options.stream = true;
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(DELTA("abc") DELTA("def") DONE), 0),
                   INFER_E_TOO_LARGE);
  assert_buf(&r.answer.choices[0].text, "abc");
  reading_fini(&r);
  options = default_options(true);
  options.max_event_bytes = 100;
  reading_init(&r, options);
  assert_int_equal(
      reading_run(&r, 200, S(DELTA("a") DELTA("a very long text indeed")), 9),
      INFER_E_TOO_LARGE);
  assert_buf(&r.answer.choices[0].text, "a");
  reading_fini(&r);
}

static void
test_depth(void **state)
{
  (void)state;
  static const char deep[] =
      "{\"x\":[[[[[[[[[[]]]]]]]]]],\"choices\":[{\"message\":{\"content\":"
      "\"a\"},\"finish_reason\":\"stop\"}]}";
  inf_decoder_options options = default_options(false);
  reading r;
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(deep), 0), INFER_OK);
  reading_fini(&r);
  options.max_depth = 9;
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(deep), 0), INFER_E_TOO_DEEP);
  reading_fini(&r);
  options.stream = true;
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200,
                               S(DELTA("a") "data: {\"x\":[[[[[[[[[[]]]]]]]]]]"
                                            "}\n\n" DELTA("b")),
                               0),
                   INFER_E_TOO_DEEP);
  assert_buf(&r.answer.choices[0].text, "a");
  reading_fini(&r);
}

static void
test_the_content_type_decides_what_looks_like_neither(void **state)
{
  (void)state;
  static const char body[] = "unknown: field\n\n" DELTA("a") DONE;
  reading r;
  reading_init(&r, default_options(true));
  assert_int_equal(reading_run(&r, 200, S(body), 1), INFER_E_PROTOCOL);
  reading_fini(&r);
  reading_init(&r, default_options(true));
  reading_header(&r, "Content-Type: text/event-stream; charset=utf-8");
  assert_int_equal(reading_run(&r, 200, S(body), 1), INFER_OK);
  reading_fini(&r);
}

static void
test_every_choice_must_finish(void **state)
{
  (void)state;
  inf_decoder_options options = default_options(true);
  reading r;
  options.choices = 2;
  reading_init(&r, options);
  assert_int_equal(reading_run(&r, 200, S(DELTA("a") FINISH("stop")), 0),
                   INFER_E_TRUNCATED);
  reading_fini(&r);
  reading_init(&r, options);
  assert_int_equal(
      reading_run(&r, 200,
                  S(DELTA("a") FINISH("stop") "data: {\"choices\":[{\"index\":"
                                              "1,\"delta\":{\"content\":\"b\"}"
                                              ",\"finish_reason\":\"stop\"}]}"),
                  0),
      INFER_OK);
  reading_fini(&r);
}

static void
test_usage_is_estimated_where_none_came(void **state)
{
  (void)state;
  inf_decoder_options options = default_options(true);
  reading r;
  options.prompt_bytes = 9;
  reading_init(&r, options);
  reading_run(&r, 200, S(DELTA("abcdefghi") FINISH("stop")), 0);
  assert_int_equal(r.answer.usage.input, 3);
  assert_int_equal(r.answer.usage.output, 3);
  assert_int_equal(r.answer.usage.total, 6);
  assert_json_at(inf_buf_cstr(&r.json), "/usage/x_estimated", "true");
  reading_fini(&r);
}

static void
test_the_feed_tells_when_it_is_done(void **state)
{
  (void)state;
  reading r;
  reading_init(&r, default_options(true));
  reading_header(&r, "x-request-id: req_1");
  assert_int_equal(inf_decoder_headers(&r.decoder, 200, &r.headers, 0),
                   INFER_OK);
  assert_buf(&r.decoder.failure.request_id, "req_1");
  assert_int_equal(inf_decoder_feed(&r.decoder, DELTA("a"), strlen(DELTA("a"))),
                   INFER_OK);
  assert_int_equal(inf_decoder_feed(&r.decoder, DONE "more", strlen(DONE) + 4),
                   INF_DECODER_DONE);
  assert_true(r.decoder.finished);
  assert_int_equal(inf_decoder_feed(&r.decoder, "x", 1), INF_DECODER_DONE);
  assert_int_equal(inf_decoder_end(&r.decoder, false), INFER_OK);
  assert_int_equal(inf_decoder_end(&r.decoder, false), INFER_OK);
  reading_fini(&r);
  reading_init(&r, default_options(true));
  inf_decoder_headers(&r.decoder, 200, &r.headers, 0);
  static const char failure[] = "data: {\"error\":{\"code\":402}}\n\n";
  assert_int_equal(inf_decoder_feed(&r.decoder, failure, strlen(failure)),
                   INFER_E_QUOTA);
  assert_int_equal(inf_decoder_feed(&r.decoder, DONE, strlen(DONE)),
                   INFER_E_QUOTA);
  assert_int_equal(inf_decoder_end(&r.decoder, true), INFER_E_QUOTA);
  reading_fini(&r);
}

static void
test_an_unclean_end_of_a_body_is_a_cut(void **state)
{
  (void)state;
  reading r;
  reading_init(&r, default_options(false));
  inf_decoder_headers(&r.decoder, 200, &r.headers, 0);
  inf_decoder_feed(&r.decoder, "internal err", 12);
  assert_int_equal(inf_decoder_end(&r.decoder, false), INFER_E_TRUNCATED);
  reading_fini(&r);
  reading_init(&r, default_options(false));
  inf_decoder_headers(&r.decoder, 200, &r.headers, 0);
  inf_decoder_feed(&r.decoder, ANSWER, strlen(ANSWER));
  assert_int_equal(inf_decoder_end(&r.decoder, false), INFER_OK);
  reading_fini(&r);
}

static void
test_failures_do_not_repeat_the_answer(void **state)
{
  (void)state;
  reading r;
  reading_init(&r, default_options(false));
  reading_run(&r, 200, S("{\"choices\": SECRET }"), 0);
  assert_int_equal(r.status, INFER_E_PROTOCOL);
  assert_null(strstr(inf_buf_cstr(&r.decoder.failure.message), "SECRET"));
  assert_true(r.decoder.failure.message.len > 0);
  reading_fini(&r);
  reading_init(&r, default_options(false));
  reading_run(&r, 200, S("<html>SECRET</html>"), 0);
  assert_non_null(strstr(inf_buf_cstr(&r.decoder.failure.message), "HTML"));
  assert_null(strstr(inf_buf_cstr(&r.decoder.failure.message), "SECRET"));
  reading_fini(&r);
}

/* ---- Short memory -------------------------------------------------------- */

static const char rich_stream[] =
    "data: {\"id\":\"c\",\"model\":\"m\",\"x\":[1],\"choices\":[{\"index\":0,"
    "\"delta\":{\"content\":\"a\\n\",\"reasoning\":\"r\",\"audio\":{\"id\":"
    "\"q\"}},\"stop_reason\":1}],\"x_groq\":{\"id\":\"g\",\"usage\":{"
    "\"prompt_tokens\":1,\"completion_tokens\":2}}}\n\n"
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,"
    "\"id\":\"t\",\"function\":{\"name\":\"f\",\"arguments\":\"{\",\"d\":1}}]"
    ",\"audio\":{\"data\":\"AA\"}},\"logprobs\":{\"content\":[{\"t\":1}]}}]}"
    "\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"b\xFF\"},"
    "\"finish_reason\":\"stop\"}]}\n\n" DONE;

typedef struct scenario {
  const char *body;
  bool stream;
  int http_status;
  char expected[2048]; /* the JSON with memory enough */
} scenario;

static int32_t
decode(inf_decoder *decoder, const inf_headers *headers, const scenario *s)
{
  inf_sv body = S(s->body);
  int32_t status = inf_decoder_headers(decoder, s->http_status, headers, 0);
  while (body.len > 0 && status == INFER_OK) {
    size_t len = body.len < 11 ? body.len : 11;
    status = inf_decoder_feed(decoder, body.ptr, len);
    body = inf_sv_of(body.ptr + len, body.len - len);
  }
  return inf_decoder_end(decoder, true);
}

/* Either the shortage is told, or nothing of the answer is missing. */
static void
decode_short(void *arg)
{
  scenario *s = arg;
  inf_decoder_options options = default_options(s->stream);
  inf_headers headers;
  inf_answer answer;
  inf_decoder decoder;
  inf_buf json;
  inf_headers_init(&headers, 1024);
  inf_headers_add_line(&headers, S("x-request-id: r"));
  inf_answer_init(&answer, options.max_body_bytes);
  inf_decoder_init(&decoder, &options, &answer);
  int32_t status = decode(&decoder, &headers, s);
  bool short_of_memory = fail_alloc_hits() > 0;
  inf_buf_init(&json, SIZE_MAX);
  inf_answer_write_json(&answer, &json);
  if (s->expected[0] == '\0' && !short_of_memory)
    snprintf(s->expected, sizeof(s->expected), "%s", inf_buf_cstr(&json));
  if (status == INFER_OK && json.status == INFER_OK)
    assert_string_equal(inf_buf_cstr(&json), s->expected);
  else if (status != INFER_OK && s->http_status == 200)
    assert_int_equal(status, INFER_E_NO_MEMORY);
  else if (status != INFER_OK)
    assert_true(status == INFER_E_RATE_LIMITED ||
                (short_of_memory && status == INFER_E_NO_MEMORY));
  inf_buf_fini(&json);
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
  inf_headers_fini(&headers);
}

/* The answer can be written, or the buffer says why not. */
static void
write_short(void *arg)
{
  const inf_answer *answer = arg;
  inf_buf out;
  inf_buf_init(&out, SIZE_MAX);
  inf_answer_write_json(answer, &out);
  inf_answer_write_message(answer, 0, &out);
  if (fail_alloc_hits() == 0)
    assert_int_equal(out.status, INFER_OK);
  else
    assert_int_equal(out.status, INFER_E_NO_MEMORY);
  inf_buf_fini(&out);
}

static void
decode_with_shortages(const char *body, bool stream, int http_status)
{
  scenario s = {.body = body, .stream = stream, .http_status = http_status};
  fail_alloc_install();
  decode_short(&s);
  assert_true(s.expected[0] != '\0');
  assert_true(fail_alloc_sweep(decode_short, &s) > 4);
  fail_alloc_uninstall();
}

static void
test_short_memory_is_told_and_leaks_nothing(void **state)
{
  (void)state;
  decode_with_shortages(rich_stream, true, 200);
  decode_with_shortages(
      "{\"id\":\"c\",\"y\":{},\"choices\":[{\"message\":{\"content\":[{"
      "\"type\":\"image\"},{\"type\":\"text\",\"text\":\"\\u0061\"}],"
      "\"tool_calls\":[{\"id\":\"t\",\"function\":{\"name\":\"f\","
      "\"arguments\":\"{}\",\"d\":1},\"x\":1}]},\"finish_reason\":"
      "\"stop\"}]}",
      false, 200);
  decode_with_shortages("{\"error\":{\"message\":\"a\\u0062\",\"code\":1}}",
                        false, 429);
}

static void
test_short_memory_while_writing(void **state)
{
  (void)state;
  inf_answer answer;
  inf_decoder decoder;
  inf_headers headers;
  inf_decoder_options options = default_options(true);
  fail_alloc_install();
  inf_headers_init(&headers, 16);
  inf_answer_init(&answer, options.max_body_bytes);
  inf_decoder_init(&decoder, &options, &answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  inf_decoder_feed(&decoder, rich_stream, strlen(rich_stream));
  assert_int_equal(inf_decoder_end(&decoder, true), INFER_OK);
  assert_true(fail_alloc_sweep(write_short, &answer) > 4);
  inf_decoder_fini(&decoder);
  inf_answer_fini(&answer);
  inf_headers_fini(&headers);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_proper_ends_of_streams),
      cmocka_unit_test(test_other_ends_are_truncation),
      cmocka_unit_test(test_every_cut_of_a_stream),
      cmocka_unit_test(test_malformed_events),
      cmocka_unit_test(test_errors_in_a_stream),
      cmocka_unit_test(test_after_an_error_only_usage_is_taken),
      cmocka_unit_test(test_whole_bodies),
      cmocka_unit_test(test_errors_inside_a_200_body),
      cmocka_unit_test(test_http_errors),
      cmocka_unit_test(test_of_a_large_error_body_the_beginning_is_kept),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_depth),
      cmocka_unit_test(test_the_content_type_decides_what_looks_like_neither),
      cmocka_unit_test(test_every_choice_must_finish),
      cmocka_unit_test(test_usage_is_estimated_where_none_came),
      cmocka_unit_test(test_the_feed_tells_when_it_is_done),
      cmocka_unit_test(test_an_unclean_end_of_a_body_is_a_cut),
      cmocka_unit_test(test_failures_do_not_repeat_the_answer),
      cmocka_unit_test(test_short_memory_is_told_and_leaks_nothing),
      cmocka_unit_test(test_short_memory_while_writing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
