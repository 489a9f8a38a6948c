/* SPDX-License-Identifier: MIT */
/* Traces of every format, and what is wrong with some. */
#include "replay_trace.h"
#include "replay_trace_line.h"

#include "base/rng.h"
#include "config/hash.h"
#include "replay_test.h"

typedef struct reading {
  char *path;
  inf_replay_trace *trace;
  inf_replay_trace_request request;
  inf_buf error;
} reading;

static void
open_text(reading *r, const char *text)
{
  inf_buf_init(&r->error, 4096);
  r->path = write_file(text, strlen(text));
  r->trace = inf_replay_trace_open(r->path, &r->error);
  assert_non_null(r->trace);
}

static int
next(reading *r)
{
  return inf_replay_trace_next(r->trace, &r->request, &r->error);
}

static void
close_text(reading *r)
{
  inf_replay_trace_close(r->trace);
  remove_file(r->path);
  inf_buf_fini(&r->error);
}

static void
expect(reading *r, double at_ms, uint32_t prompt, uint32_t answer)
{
  assert_int_equal(next(r), 1);
  assert_int_equal(r->request.at_ns, (uint64_t)(at_ms * 1e6));
  assert_int_equal(r->request.prompt_tokens, prompt);
  assert_int_equal(r->request.answer_tokens, answer);
}

static void
expect_end(reading *r)
{
  assert_int_equal(next(r), 0);
  assert_int_equal(next(r), 0);
  close_text(r);
}

static void
reads_the_formats(void **state)
{
  (void)state;
  reading r;
  /* Azure, of 2023: CR LF, seven digits of a second, the last line open. */
  open_text(&r, "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                "2023-11-16 18:17:03.9799600,4808,10\r\n"
                "2023-11-16 18:17:04.0319600,3180,8");
  expect(&r, 0, 4808, 10);
  expect(&r, 52, 3180, 8);
  assert_int_equal(r.request.line, 3);
  expect_end(&r);
  /* Azure, of 2024: a zone, six digits or none. */
  open_text(&r, "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                "2024-05-10 00:00:00+00:00,2162,5\n"
                "2024-05-10 01:00:00.250000+01:00,1,2\n");
  expect(&r, 0, 2162, 5);
  expect(&r, 250, 1, 2);
  expect_end(&r);
  /* Mooncake. */
  open_text(&r, "{\"timestamp\": 3052, \"input_length\": 7, "
                "\"output_length\": 5, \"hash_ids\": [0, 17]}\n"
                "{\"timestamp\": 4000, \"input_length\": 8, "
                "\"output_length\": 6, \"tenant\": \"t\\u0031\", "
                "\"model\":\"r\"}\n");
  expect(&r, 0, 7, 5);
  assert_int_equal(r.request.prefix_count, 2);
  assert_true(r.request.prefix[1] == inf_fnv1a(INF_FNV_START, INF_SV("17")));
  assert_string_equal(r.request.tenant, "");
  expect(&r, 948, 8, 6);
  assert_int_equal(r.request.prefix_count, 0);
  assert_string_equal(r.request.tenant, "t1");
  assert_string_equal(r.request.model, "r");
  expect_end(&r);
  /* Ours, whatever the order of the columns; others are passed over. */
  open_text(&r, "\xEF\xBB\xBF# a remark\n\n"
                "model,answer_tokens,extra,prompt_tokens,time,tenant,prefix\n"
                "fast,3,x,2,10.5,\"a \"\"b\"\", c\",p1 17\n"
                " ,5,,4,10.75,,\n");
  expect(&r, 0, 2, 3);
  assert_string_equal(r.request.model, "fast");
  assert_string_equal(r.request.tenant, "a \"b\", c");
  assert_int_equal(r.request.prefix_count, 2);
  assert_true(r.request.prefix[1] == inf_fnv1a(INF_FNV_START, INF_SV("17")));
  expect(&r, 250, 4, 5);
  assert_string_equal(r.request.model, "");
  assert_string_equal(r.request.tenant, "");
  expect_end(&r);
  /* Without a header. */
  open_text(&r, "0,100,20\n1.5,101,21,team,x y z\n");
  expect(&r, 0, 100, 20);
  expect(&r, 1500, 101, 21);
  assert_string_equal(r.request.tenant, "team");
  assert_int_equal(r.request.prefix_count, 3);
  expect_end(&r);
}

static void
reads_nothing(void **state)
{
  (void)state;
  reading r;
  static const char *const texts[] = {"", "\n\n", "# only a remark\n",
                                      "time,prompt_tokens,answer_tokens\n"};
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    open_text(&r, texts[i]);
    expect_end(&r);
  }
  inf_buf error;
  inf_buf_init(&error, 4096);
  assert_null(inf_replay_trace_open("/nowhere/trace.csv", &error));
  assert_string_equal(error.ptr,
                      "/nowhere/trace.csv: No such file or directory");
  inf_buf_fini(&error);
}

typedef struct wrong_case {
  const char *text;
  unsigned line;
  const char *why;
} wrong_case;

static void
names_the_line_that_is_wrong(void **state)
{
  (void)state;
  static const wrong_case cases[] = {
      {"when,who\n1,2\n", 1, "the header must have"},
      {"0,1,2\n1,x,2\n", 2, "the prompt's tokens"},
      {"0,1,2\n1,1,-2\n", 2, "the answer's tokens"},
      {"0,1,4000001\n", 1, "the answer's tokens"},
      {"0,1.5,2\n", 1, "the prompt's tokens"},
      {"0,1,2\n\n\nsoon,1,2\n", 4, "the time must be"},
      {"0,1,2\n1e300,1,2\n", 2, "the time must be"},
      {"time,prompt_tokens,answer_tokens\n2023-13-16 18:17:03,1,2\n", 2,
       "the time must be"},
      {"0,1\n", 1, "too few fields"},
      {"0,1,2,\"open\n", 1, "a quoted field does not end"},
      {"0,1,2,\"open\"\"\n", 1, "a quoted field does not end"},
      {"0,1,2,\"a\"b\n", 1, "a quoted field does not end"},
      {"{\"timestamp\": 1}\n", 1, "\"input_length\""},
      {"{\"timestamp\": \"1\", \"input_length\": 1, \"output_length\": 1}\n", 1,
       "\"timestamp\""},
      {"{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1}\n{", 2,
       ""},
      {"{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1}\n[]", 2,
       "must be a JSON object"},
      {"{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1, "
       "\"hash_ids\": 3}\n",
       1, "\"hash_ids\""},
      {"{\"timestamp\": 1, \"input_length\": 1, \"output_length\": 1, "
       "\"tenant\": \"\\u0000\"}\n",
       1, "a name contains a NUL"},
  };
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    reading r;
    char begin[512];
    int got = 1;
    open_text(&r, cases[i].text);
    while (got == 1)
      got = next(&r);
    assert_int_equal(got, -1);
    snprintf(begin, sizeof begin, "%s:%u: %s", r.path, cases[i].line,
             cases[i].why);
    if (strncmp(inf_buf_cstr(&r.error), begin, strlen(begin)) != 0)
      fail_msg("case %zu: %s, not %s", i, inf_buf_cstr(&r.error), begin);
    close_text(&r);
  }
}

static void
a_line_too_long_is_wrong(void **state)
{
  (void)state;
  inf_buf text;
  reading r;
  inf_buf_init(&text, 4 << 20);
  inf_buf_append_cstr(&text, "0,1,2\n1,1,2,");
  for (size_t i = 0; i < INF_REPLAY_TRACE_MAX_LINE; i++)
    inf_buf_append_char(&text, 'x');
  open_text(&r, inf_buf_cstr(&text));
  assert_int_equal(next(&r), -1);
  assert_non_null(strstr(r.error.ptr, ":2: the line is longer than 1 MiB"));
  close_text(&r);
  inf_buf_fini(&text);
}

/* Requests are given in the order of their times, those of the same time in
 * that of the file. */
static void
orders_what_is_near(void **state)
{
  (void)state;
  reading r;
  open_text(&r, "5,1,1\n4,2,1\n6,3,1\n4,4,1\n5.5,5,1\n");
  expect(&r, 0, 2, 1);
  expect(&r, 0, 4, 1);
  expect(&r, 1000, 1, 1);
  expect(&r, 1500, 5, 1);
  expect(&r, 2000, 3, 1);
  expect_end(&r);
}

static void
write_ascending(inf_buf *text, unsigned count)
{
  for (unsigned i = 0; i < count; i++)
    inf_buf_appendf(text, "%u,%u,1\n", 10 + i, i);
}

static void
refuses_what_is_far_out_of_order(void **state)
{
  (void)state;
  inf_buf text;
  reading r;
  inf_buf_init(&text, 1 << 20);
  /* By as much as is held: still in order. */
  write_ascending(&text, INF_REPLAY_TRACE_WINDOW);
  inf_buf_append_cstr(&text, "1,777,1\n");
  open_text(&r, inf_buf_cstr(&text));
  expect(&r, 0, 777, 1);
  close_text(&r);
  /* By one more. */
  inf_buf_clear(&text);
  write_ascending(&text, INF_REPLAY_TRACE_WINDOW + 1);
  inf_buf_append_cstr(&text, "1,777,1\n");
  open_text(&r, inf_buf_cstr(&text));
  expect(&r, 0, 0, 1);
  assert_int_equal(next(&r), -1);
  assert_non_null(strstr(r.error.ptr, ":1026: earlier than requests"));
  close_text(&r);
  inf_buf_fini(&text);
}

/* Whatever a line is, it is read or refused, with a reason; its memory is its
 * own, so that a byte beyond it would be seen. */
static void
rubbish_is_read_or_refused(void **state)
{
  (void)state;
  static const char *const lines[] = {
      "time,prompt_tokens,answer_tokens,tenant,prefix,model",
      "2023-11-16 18:17:03.9799600,4808,10",
      "1.5e0,100,20,\"a \"\"b\"\"\",x y z",
      "{\"timestamp\": 3052, \"input_length\": 7, \"output_length\": 5, "
      "\"hash_ids\": [0, 17], \"tenant\": \"t\\u0031\"}",
  };
  static const char bytes[] = "\"{}[],:.-+eZT0 9#\\x\0\xff";
  inf_rng rng;
  unsigned read = 0, refused = 0;
  inf_replay_trace_line line;
  inf_replay_trace_line_init(&line);
  inf_rng_seed(&rng, 11);
  for (int i = 0; i < 40000; i++) {
    const char *from = lines[inf_rng_below(&rng, COUNT_OF(lines))];
    size_t len = 1 + inf_rng_below(&rng, strlen(from));
    char *text = malloc(len);
    memcpy(text, from, len);
    for (uint64_t k = inf_rng_below(&rng, 4); k > 0; k--)
      text[inf_rng_below(&rng, len)] =
          bytes[inf_rng_below(&rng, sizeof bytes - 1)];
    inf_replay_trace_columns columns;
    const char *why = NULL;
    bool ok =
        inf_replay_trace_columns_read(&columns, inf_sv_of(text, len), &why) &&
        inf_replay_trace_line_read(&line, &columns, inf_sv_of(text, len), &why);
    assert_true(ok || why);
    read += ok;
    refused += !ok;
    free(text);
  }
  assert_true(read > 1000 && refused > 1000);
  inf_replay_trace_line_fini(&line);
}

/* The public samples, where they are. */
static void
reads_the_public_traces(void **state)
{
  (void)state;
  static const struct {
    const char *name;
    unsigned count;
    double span_s;
  } traces[] = {
      {"AzureLLMInferenceTrace_conv_2023.csv", 19366, 3501.7},
      {"AzureLLMInferenceTrace_code_2023.csv", 8819, 3435.9},
      {"mooncake_conversation_trace.jsonl", 12031, 3537},
      {"mooncake_synthetic_trace.jsonl", 3993, 1022},
  };
  const char *shared = getenv("INFER_SHARED");
  for (size_t i = 0; i < COUNT_OF(traces); i++) {
    char path[512];
    reading r;
    unsigned count = 0;
    int got = 1;
    snprintf(path, sizeof path, "%s/data/traces/%s", shared ? shared : "",
             traces[i].name);
    if (!shared || access(path, R_OK) != 0) {
      print_message("SKIP: no %s (set INFER_SHARED)\n", traces[i].name);
      continue;
    }
    inf_buf_init(&r.error, 4096);
    r.trace = inf_replay_trace_open(path, &r.error);
    while (got == 1) {
      got = next(&r);
      count += got == 1;
    }
    assert_int_equal(got, 0);
    assert_int_equal(count, traces[i].count);
    double span_s = (double)r.request.at_ns / 1e9;
    assert_true(span_s > traces[i].span_s - 1 && span_s < traces[i].span_s + 1);
    inf_replay_trace_close(r.trace);
    inf_buf_fini(&r.error);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_the_formats),
      cmocka_unit_test(reads_nothing),
      cmocka_unit_test(names_the_line_that_is_wrong),
      cmocka_unit_test(a_line_too_long_is_wrong),
      cmocka_unit_test(orders_what_is_near),
      cmocka_unit_test(refuses_what_is_far_out_of_order),
      cmocka_unit_test(rubbish_is_read_or_refused),
      cmocka_unit_test(reads_the_public_traces),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
