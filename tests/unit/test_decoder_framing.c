/* SPDX-License-Identifier: MIT */
/* Which framing a body is taken for, and that limits, the rule of the proper
 * end and the skipping of bad events are the same in all of them. The dialect
 * reads chunks of Chat Completions, whatever framed them. */
#include "support/eventstream_write.h"
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

#define CHUNK(text) \
  "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" text "\"}}]}"
#define FINISH \
  "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}"
#define USAGE \
  "{\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}"
#define ANSWER                                                     \
  "{\"id\":\"c\",\"choices\":[{\"index\":0,\"message\":{\"role\":" \
  "\"assistant\",\"content\":\"ab\"},\"finish_reason\":\"stop\"}]}"

typedef struct fixture {
  inf_dialect dialect;
  inf_provider_kind kind;
  inf_decoder_options options;
  inf_buf out, headers;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  f->options = default_options(true);
  f->kind = *f->options.kind;
  f->dialect = *f->kind.dialect;
  f->kind.dialect = &f->dialect;
  f->options.kind = &f->kind;
  inf_buf_init(&f->out, 1 << 20);
  inf_buf_init(&f->headers, 1 << 20);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_buf_fini(&f->out);
  inf_buf_fini(&f->headers);
  test_free(f);
  return 0;
}

typedef struct expectation {
  inf_framing framing;
  int http_status;
  bool stream;
  const char *body;
  int32_t status;
  const char *text; /* of choice 0, NULL: no choice */
} expectation;

static void
check_step(fixture *f, const expectation *e, inf_sv body, size_t step)
{
  reading r;
  f->dialect.framing = e->framing;
  f->options.stream = e->stream;
  reading_init(&r, f->options);
  reading_run(&r, e->http_status, body, step);
  if (r.status != e->status)
    fail_msg("step %zu: %d instead of %d (%s): %s", step, r.status, e->status,
             inf_buf_cstr(&r.decoder.failure.message), e->body);
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
check_bytes(fixture *f, const expectation *e, inf_sv body)
{
  check_step(f, e, body, 0);
  check_step(f, e, body, 1);
  check_step(f, e, body, 5);
}

static void
check(fixture *f, const expectation *rows, size_t count)
{
  for (size_t i = 0; i < count; i++)
    check_bytes(f, &rows[i], S(rows[i].body));
}

#define CHECK(f, rows) check(f, rows, sizeof(rows) / sizeof(rows[0]))

static void
test_lines_of_json(void **state)
{
  static const expectation rows[] = {
      {INF_FRAMING_NDJSON, 200, true, CHUNK("a") "\n" CHUNK("b") "\n" FINISH,
       INFER_OK, "ab"},
      {INF_FRAMING_NDJSON, 200, true,
       "\n\xEF\xBB\xBF { "
       "\"x\":1}\r\n" CHUNK("a") "\r\n" FINISH "\r\n",
       INFER_OK, "a"},
      {INF_FRAMING_NDJSON, 200, true, CHUNK("a") "\n", INFER_E_TRUNCATED, "a"},
      {INF_FRAMING_NDJSON, 200, true,
       CHUNK("a") "\n{\"choices\":", INFER_E_TRUNCATED, "a"},
      /* A line that is not JSON is passed over. */
      {INF_FRAMING_NDJSON, 200, true, CHUNK("a") "\n?\n{]\n" FINISH, INFER_OK,
       "a"},
      {INF_FRAMING_NDJSON, 200, true, "{\"a\n{\"b\n", INFER_E_PROTOCOL, NULL},
      {INF_FRAMING_NDJSON, 200, true,
       CHUNK("a") "\n{\"error\":{\"code\":503}}\n", INFER_E_OVERLOADED, "a"},
      /* A document over several lines, and one that nobody asked to stream. */
      {INF_FRAMING_NDJSON, 200, true,
       "{\n \"choices\": [{\"message\": {\"content\":\n\"ab\"},"
       "\"finish_reason\": \"stop\"}]\n}",
       INFER_OK, "ab"},
      {INF_FRAMING_NDJSON, 200, true, "{\n}", INFER_E_PROTOCOL, NULL},
      {INF_FRAMING_NDJSON, 200, true, "{", INFER_E_TRUNCATED, NULL},
      {INF_FRAMING_NDJSON, 200, false, ANSWER, INFER_OK, "ab"},
      {INF_FRAMING_NDJSON, 503, true, "{\"error\":{\"message\":\"x\"}}\n",
       INFER_E_OVERLOADED, NULL},
      {INF_FRAMING_NDJSON, 200, true, "<html>", INFER_E_PROTOCOL, NULL},
      {INF_FRAMING_NDJSON, 200, true, "[" CHUNK("a") "]", INFER_E_PROTOCOL,
       NULL},
      /* Where server-sent events come none the less. */
      {INF_FRAMING_NDJSON, 200, true, "data: " CHUNK("a") "\n\ndata: [DONE]\n",
       INFER_OK, "a"},
      /* The same where events are awaited is a document. */
      {INF_FRAMING_SSE, 200, true, CHUNK("a") "\n" FINISH, INFER_E_PROTOCOL,
       NULL},
  };
  CHECK(*state, rows);
}

static void
test_an_array_in_pieces(void **state)
{
  static const inf_framing framings[] = {INF_FRAMING_SSE,
                                         INF_FRAMING_JSON_ARRAY};
  for (size_t i = 0; i < 2; i++) {
    inf_framing framing = framings[i];
    const expectation rows[] = {
        {framing, 200, true, "[" CHUNK("a") "\r\n,\r\n" CHUNK("b") "," FINISH,
         INFER_OK, "ab"},
        {framing, 200, true, " [" CHUNK("a") "," FINISH "]\n", INFER_OK, "a"},
        {framing, 200, true, "[" CHUNK("a") "]", INFER_E_TRUNCATED, "a"},
        {framing, 200, true, "[" CHUNK("a") ",{\"choices\":[{",
         INFER_E_TRUNCATED, "a"},
        {framing, 200, true, "[", INFER_E_TRUNCATED, NULL},
        {framing, 200, true, "[]", INFER_E_TRUNCATED, NULL},
        {framing, 200, true, "[1]", INFER_E_PROTOCOL, NULL},
        {framing, 200, true, "[" CHUNK("a") " " CHUNK("b"), INFER_E_PROTOCOL,
         "a"},
        {framing, 200, true, "[" CHUNK("a") ",7," FINISH "]", INFER_OK, "a"},
        {framing, 200, true, "[" CHUNK("a") ",{\"error\":{\"code\":429}}]",
         INFER_E_RATE_LIMITED, "a"},
        {framing, 200, true, "[{\"error\":{\"code\":503}}]", INFER_E_OVERLOADED,
         NULL},
        {framing, 503, true, "[{\"error\":{\"message\":\"x\"}}]",
         INFER_E_OVERLOADED, NULL},
        {framing, 200, false, "[{\"error\":{\"code\":503}}]",
         INFER_E_OVERLOADED, NULL},
        {framing, 200, true, ANSWER, INFER_OK, "ab"},
        {framing, 200, true, "data: " CHUNK("a") "\n\ndata: [DONE]\n", INFER_OK,
         "a"},
    };
    CHECK(*state, rows);
  }
}

static void
put(fixture *f, const char *payload)
{
  inf_buf_clear(&f->headers);
  eventstream_put_string(&f->headers, ":event-type", "chunk");
  eventstream_put_string(&f->headers, ":message-type", "event");
  eventstream_put_message(&f->out, &f->headers, S(payload));
}

static void
test_amazon_messages(void **state)
{
  fixture *f = *state;
  expectation e = {INF_FRAMING_EVENTSTREAM, 200, true, "",
                   INFER_E_TRUNCATED,       "a"};
  put(f, CHUNK("a"));
  check_bytes(f, &e, inf_buf_sv(&f->out));
  put(f, "not JSON");
  put(f, CHUNK("b"));
  put(f, FINISH);
  size_t finished = f->out.len;
  put(f, USAGE);
  e.status = INFER_OK;
  e.text = "ab";
  check_bytes(f, &e, inf_buf_sv(&f->out));
  /* Cut behind the finish, the answer is whole; a message that is wrong is no
   * cut. */
  check_bytes(f, &e, inf_sv_of(f->out.ptr, finished + 3));
  f->out.ptr[f->out.len - 1] ^= 1;
  e.status = INFER_E_PROTOCOL;
  check_bytes(f, &e, inf_buf_sv(&f->out));
}

static void
test_other_bodies_where_messages_are_awaited(void **state)
{
  static const expectation rows[] = {
      {INF_FRAMING_EVENTSTREAM, 200, true, ANSWER, INFER_OK, "ab"},
      {INF_FRAMING_EVENTSTREAM, 200, false, ANSWER, INFER_OK, "ab"},
      {INF_FRAMING_EVENTSTREAM, 200, true, "<html>", INFER_E_PROTOCOL, NULL},
      {INF_FRAMING_EVENTSTREAM, 200, true, "a word", INFER_E_TRUNCATED, NULL},
      {INF_FRAMING_EVENTSTREAM, 200, true, "more than twelve bytes",
       INFER_E_PROTOCOL, NULL},
      {INF_FRAMING_EVENTSTREAM, 200, false, "a word", INFER_E_PROTOCOL, NULL},
      {INF_FRAMING_EVENTSTREAM, 200, true, "", INFER_E_TRUNCATED, NULL},
      {INF_FRAMING_EVENTSTREAM, 503, true, "a word", INFER_E_OVERLOADED, NULL},
  };
  CHECK(*state, rows);
}

static void
test_no_cut_of_a_stream_of_messages_is_a_success(void **state)
{
  fixture *f = *state;
  put(f, CHUNK("a"));
  put(f, FINISH);
  f->dialect.framing = INF_FRAMING_EVENTSTREAM;
  for (size_t cut = 0; cut <= f->out.len; cut++) {
    reading r;
    reading_init(&r, f->options);
    reading_run(&r, 200, inf_sv_of(f->out.ptr, cut), 0);
    assert_int_equal(r.status, cut < f->out.len ? INFER_E_TRUNCATED : INFER_OK);
    reading_fini(&r);
  }
}

/* As with server-sent events, what a failed answer cost is still read. */
static void
test_after_an_error_usage_is_taken(void **state)
{
  static const struct {
    inf_framing framing;
    const char *body;
  } rows[] = {
      {INF_FRAMING_NDJSON,
       CHUNK("a") "\n{\"error\":{\"code\":503}}\n" USAGE "\n" CHUNK("b")},
      {INF_FRAMING_JSON_ARRAY,
       "[" CHUNK("a") ",{\"error\":{\"code\":503}}," USAGE "," CHUNK("b") "]"},
  };
  fixture *f = *state;
  for (size_t i = 0; i < 2; i++) {
    reading r;
    f->dialect.framing = rows[i].framing;
    reading_init(&r, f->options);
    assert_int_equal(reading_run(&r, 200, S(rows[i].body), 1),
                     INFER_E_OVERLOADED);
    assert_int_equal(r.answer.usage.input, 3);
    assert_buf(&r.answer.choices[0].text, "a");
    reading_fini(&r);
  }
}

static void
test_limits(void **state)
{
  fixture *f = *state;
  const expectation rows[] = {
      {INF_FRAMING_NDJSON, 200, true, CHUNK("a") "\n" CHUNK("0123456789"),
       INFER_E_TOO_LARGE, "a"},
      {INF_FRAMING_JSON_ARRAY, 200, true,
       "[" CHUNK("a") "," CHUNK("0123456789"), INFER_E_TOO_LARGE, "a"},
  };
  f->options.max_event_bytes = sizeof(CHUNK("a")) + 4;
  CHECK(f, rows);
  expectation e = {INF_FRAMING_EVENTSTREAM, 200, true, "",
                   INFER_E_TOO_LARGE,       "a"};
  put(f, CHUNK("a"));
  f->options.max_event_bytes = f->out.len;
  put(f, CHUNK("ab"));
  check_bytes(f, &e, inf_buf_sv(&f->out));
  f->options.max_depth = 6;
  const expectation deep = {
      INF_FRAMING_JSON_ARRAY, 200, true, "[" CHUNK("a") ",[[[[[[[]]]]]]]]",
      INFER_E_TOO_DEEP,       "a"};
  check_bytes(f, &deep, S(deep.body));
}

/* One decoder for one response after another, each framed otherwise. */
static void
test_a_decoder_is_used_again(void **state)
{
  static const struct {
    inf_framing framing;
    const char *body;
  } rows[] = {
      {INF_FRAMING_NDJSON, CHUNK("a") "\n" FINISH "\n{\"cut"},
      {INF_FRAMING_SSE, "data: " CHUNK("a") "\n\ndata: " FINISH "\n\ndata: "},
      {INF_FRAMING_JSON_ARRAY, "[" CHUNK("a") "," FINISH ",{\"cut"},
      {INF_FRAMING_NDJSON, CHUNK("a") "\n" FINISH "\n"},
      {INF_FRAMING_SSE, "[" CHUNK("a") "," FINISH},
  };
  fixture *f = *state;
  reading r;
  reading_init(&r, f->options);
  for (size_t round = 0; round < 3; round++) {
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
      f->dialect.framing = rows[i].framing;
      inf_answer_reuse(&r.answer, f->options.max_body_bytes);
      inf_decoder_reuse(&r.decoder, &f->options, &r.answer);
      assert_int_equal(reading_run(&r, 200, S(rows[i].body), 1), INFER_OK);
      assert_buf(&r.answer.choices[0].text, "a");
    }
  }
  reading_fini(&r);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
      TEST(test_lines_of_json),
      TEST(test_an_array_in_pieces),
      TEST(test_amazon_messages),
      TEST(test_other_bodies_where_messages_are_awaited),
      TEST(test_no_cut_of_a_stream_of_messages_is_a_success),
      TEST(test_after_an_error_usage_is_taken),
      TEST(test_limits),
      TEST(test_a_decoder_is_used_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
