/* SPDX-License-Identifier: MIT */
/* Streamed JSON arrays: each of the corpus has its elements written down, and
 * must give them in whatever pieces its bytes come. */
#include "support/fail_alloc.h"
#include "support/pieces.h"
#include "support/recordings.h"

#include "wire/json_array.h"
#include "wire/json_scan.h"

#include <infer/infer.h>

#define MAX          4096
#define DEPTH        8

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct sample {
  inf_sv bytes;
  const char *elements;
  int32_t status;
  const char *reason;
} sample;

#define S(bytes, elements)                  \
  {                                         \
    INF_SV(bytes), elements, INFER_OK, NULL \
  }
#define BAD(bytes, elements, status, reason)          \
  {                                                   \
    INF_SV(bytes), elements, INFER_E_##status, reason \
  }

static const sample corpus[] = {
    S("[]", ""),
    S(" \n[ \r\n\t] \n", ""),
    S("[{\"a\":1}\r\n,\r\n{\"b\":2}\r\n]\r\n", "({\"a\":1})({\"b\":2})"),
    S("[{\"a\":1},{\"b\":2}]", "({\"a\":1})({\"b\":2})"),
    S("[1, -2.5e3 ,true,null,\"x\"]", "(1)(-2.5e3)(true)(null)(\"x\")"),
    S("[[],[[1],{}],{}]", "([])([[1],{}])({})"),
    S("[{ \"a\" : [ 1 , 2 ] }]", "({ \"a\" : [ 1 , 2 ] })"),
    /* Brackets, commas and escapes within strings. */
    S("[{\"a\":\"]},[{\"},2]", "({\"a\":\"]},[{\"})(2)"),
    S("[\"\\\"\",\"\\\\\",\"a\\\\\\\"]\",{\"\\\"\":\"\\\\\"}]",
      "(\"\\\"\")(\"\\\\\")(\"a\\\\\\\"]\")({\"\\\"\":\"\\\\\"})"),
    S("[\"\xc3\xa4\xf0\x9f\x98\x80\\u00e4\"]",
      "(\"\xc3\xa4\xf0\x9f\x98\x80\\u00e4\")"),
    /* Longer than what is looked at in one step. */
    S("[{\"text\":\"0123456789abcdef0123456789abcdef\\\\\"},"
      "\"0123456789abcde\"]",
      "({\"text\":\"0123456789abcdef0123456789abcdef\\\\\"})"
      "(\"0123456789abcde\")"),
    /* An element is framed, not checked. */
    S("[{],tru,\"\n\"]", "({])(tru)(\"\n\")"),
    BAD("", "", TRUNCATED, NULL),
    BAD(" ", "", TRUNCATED, NULL),
    BAD("[", "", TRUNCATED, NULL),
    BAD("[{\"a\":1}", "({\"a\":1})", TRUNCATED, NULL),
    BAD("[{\"a\":1},", "({\"a\":1})", TRUNCATED, NULL),
    BAD("[{\"a\":1},{\"b\":", "({\"a\":1})", TRUNCATED, NULL),
    BAD("[{\"a\":1},\"b\\", "({\"a\":1})", TRUNCATED, NULL),
    /* More digits may be missing. */
    BAD("[1,2", "(1)", TRUNCATED, NULL),
    BAD("{\"a\":1}", "", PROTOCOL, "expected '['"),
    BAD("<html>", "", PROTOCOL, "expected '['"),
    BAD("[,1]", "", PROTOCOL, "expected a value"),
    BAD("[1,,2]", "(1)", PROTOCOL, "expected a value"),
    BAD("[1,]", "(1)", PROTOCOL, "expected a value"),
    BAD("[}", "", PROTOCOL, "expected a value"),
    BAD("[{}{}]", "({})", PROTOCOL, "expected ',' or ']'"),
    BAD("[1 2]", "(1)", PROTOCOL, "expected ',' or ']'"),
    BAD("[\"a\":1]", "(\"a\")", PROTOCOL, "expected ',' or ']'"),
    BAD("[1] 2", "(1)", PROTOCOL, "expected nothing behind the array"),
    BAD("[][]", "", PROTOCOL, "expected nothing behind the array"),
    S("[[[[[[[[[1]]]]]]]]]", "([[[[[[[[1]]]]]]]])"),
    S("[{\"a\":[{}]},[[[[[[[[\"[\"]]]]]]]]]", /* depth goes down again */
      "({\"a\":[{}]})([[[[[[[[\"[\"]]]]]]]])"),
    BAD("[1,[[[[[[[[[1]]]]]]]]]]", "(1)", TOO_DEEP, NULL),
};

typedef struct fixture {
  const sample *sample;
  inf_sv bytes;
  size_t max;
  unsigned depth; /* 0: DEPTH */
  bool by_element;
  inf_json_array parser;
  pieces_log log;
  int32_t status;
} fixture;

static bool
on_element(void *context, inf_sv element)
{
  return pieces_log_add(context, element);
}

static size_t
feed_one(void *context, const char *ptr, size_t len)
{
  fixture *f = context;

  return inf_json_array_feed_element(&f->parser, ptr, len, on_element, &f->log);
}

static void
feed(void *context, const char *ptr, size_t len)
{
  fixture *f = context;

  if (f->by_element)
    pieces_feed_items(ptr, len, &f->log, &f->parser.stopped, feed_one, f);
  else
    inf_json_array_feed(&f->parser, ptr, len, on_element, &f->log);
}

static void
run(fixture *f, const size_t *cuts, size_t count)
{
  size_t stop_after = f->log.stop_after;

  memset(&f->log, 0, sizeof(f->log));
  f->log.stop_after = stop_after;
  inf_json_array_init(&f->parser, f->max, f->depth ? f->depth : DEPTH);
  pieces_feed(f->bytes.ptr, f->bytes.len, cuts, count, feed, f);
  f->status = inf_json_array_finish(&f->parser);
  assert_true(f->parser.stopped);
  /* Nothing comes after the end, and it stays the same. */
  feed(f, "[1]", 3);
  assert_int_equal(inf_json_array_finish(&f->parser), f->status);
  inf_json_array_fini(&f->parser);
}

static void
run_sample(void *context, const size_t *cuts, size_t count)
{
  fixture *f = context;

  run(f, cuts, count);
  assert_string_equal(f->log.text, f->sample->elements);
  assert_int_equal(f->status, f->sample->status);
  if (f->sample->reason)
    assert_string_equal(f->parser.reason, f->sample->reason);
  else
    assert_null(f->parser.reason);
}

static void
run_samples(const sample *samples, size_t count, size_t max)
{
  static fixture f;

  for (size_t i = 0; i < 2 * count; i++) {
    f = (fixture){.sample = &samples[i / 2],
                  .bytes = samples[i / 2].bytes,
                  .max = max,
                  .by_element = i % 2 == 1};
    pieces_each(f.bytes.len, run_sample, &f);
  }
}

static void
test_corpus_in_any_pieces(void **state)
{
  (void)state;
  run_samples(corpus, COUNT(corpus), MAX);
}

static void
test_limit_is_exact_in_any_pieces(void **state)
{
  static const sample samples[] = {
      S("[ {\"a\":1} , \"12345\" , 1234567 , [[1,2]] ]",
        "({\"a\":1})(\"12345\")(1234567)([[1,2]])"),
      S("[1234567]", "(1234567)"),
      BAD("[1,{\"ab\":1}]", "(1)", TOO_LARGE, NULL),
      BAD("[1,\"123456\"]", "(1)", TOO_LARGE, NULL),
      BAD("[1,\"12345\\\"\"]", "(1)", TOO_LARGE, NULL),
      BAD("[1,12345678]", "(1)", TOO_LARGE, NULL),
      BAD("[1,[[[1,2]]]]", "(1)", TOO_LARGE, NULL),
      /* Too long before it is too deep. */
      BAD("[1,[1,2,3,[[[[[[[[[[", "(1)", TOO_LARGE, NULL),
      BAD("[1,{\"a\":12", "(1)", TRUNCATED, NULL),
      BAD("[1,{\"a\":123", "(1)", TOO_LARGE, NULL),
  };

  (void)state;
  run_samples(samples, COUNT(samples), 7);
}

static void
test_the_function_can_stop_it(void **state)
{
  static const sample stopped = S("[1,{\"b\":2},3,oops", "(1)({\"b\":2})");
  static fixture f;

  (void)state;
  f = (fixture){.sample = &stopped, .bytes = stopped.bytes, .max = MAX};
  f.log.stop_after = 2;
  pieces_each(f.bytes.len, run_sample, &f);
}

static void
test_it_tells_whether_the_end_has_come(void **state)
{
  static pieces_log log;
  inf_json_array parser;

  (void)state;
  inf_json_array_init(&parser, MAX, DEPTH);
  inf_json_array_feed(&parser, "[{}", 3, on_element, &log);
  assert_false(inf_json_array_ended(&parser));
  assert_int_equal(log.count, 1);
  inf_json_array_feed(&parser, "]", 1, on_element, &log);
  assert_true(inf_json_array_ended(&parser));
  inf_json_array_fini(&parser);
}

static bool
is_view_of(void *context, inf_sv element)
{
  inf_sv *bytes = context;

  assert_true(element.ptr > bytes->ptr);
  assert_true(element.ptr + element.len < bytes->ptr + bytes->len);
  return true;
}

static void
test_whole_elements_are_not_copied(void **state)
{
  inf_sv bytes = INF_SV("[{\"a\":1},\r\n\"b\",2]");
  inf_json_array parser;

  (void)state;
  inf_json_array_init(&parser, MAX, DEPTH);
  assert_int_equal(
      inf_json_array_feed(&parser, bytes.ptr, bytes.len, is_view_of, &bytes),
      INFER_OK);
  assert_null(parser.element.ptr);
  inf_json_array_fini(&parser);
}

static void
test_reuse_begins_anew(void **state)
{
  static pieces_log log;
  inf_json_array parser;

  (void)state;
  inf_json_array_init(&parser, 8, DEPTH);
  inf_json_array_feed(&parser, "[\"\\", 3, on_element, &log);
  inf_json_array_reuse(&parser, MAX, DEPTH, 1024);
  inf_json_array_feed(&parser, "[\"long text\"]", 13, on_element, &log);
  assert_int_equal(inf_json_array_finish(&parser), INFER_OK);
  assert_string_equal(log.text, "(\"long text\")");
  inf_json_array_fini(&parser);
}

/* Recorded streams: against the elements that the JSON reader finds in the
 * whole text. */

static void
read_whole(inf_sv bytes, pieces_log *log)
{
  inf_sv value;

  assert_true(inf_json_parse(bytes, 64, &value, NULL));
  for (inf_json_iter it = inf_json_iter_of(value); inf_json_next(&it);)
    pieces_log_add(log, it.value);
}

static void
run_recording(void *context, const size_t *cuts, size_t count)
{
  static pieces_log want;
  fixture *f = context;

  memset(&want, 0, sizeof(want));
  read_whole(f->bytes, &want);
  run(f, cuts, count);
  assert_int_equal(f->status, INFER_OK);
  assert_true(f->log.count > 0);
  assert_int_equal(f->log.count, want.count);
  assert_true(f->log.hash == want.hash);
}

static void
check_recording(void *context, const char *name, const char *body, size_t len)
{
  static fixture f;

  if (!strstr(name, "gemini-stream-") || len == 0 || body[0] != '[')
    return;
  f = (fixture){.bytes = inf_sv_of(body, len), .max = 1 << 20, .depth = 64};
  pieces_each(len, run_recording, &f);
  ++*(size_t *)context;
}

static void
test_recordings(void **state)
{
  size_t count = 0;

  (void)state;
  recordings_each("-stream-", check_recording, &count);
  pieces_need_recordings(count);
}

static void
memory_scenario(void *arg)
{
  static const char bytes[] =
      "[{\"a\":\"some text that is a little longer than a first block of "
      "memory would be\"},{\"b\":2}]";
  static fixture f;

  (void)arg;
  f = (fixture){.bytes = inf_sv_of(bytes, sizeof(bytes) - 1), .max = MAX};
  run(&f, (const size_t[]){2, 30, 70}, 3);
  if (fail_alloc_hits() == 0)
    assert_int_equal(f.log.count, 2);
  else
    assert_int_equal(f.status, INFER_E_NO_MEMORY);
}

static void
test_memory_failures(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, NULL) > 1);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_corpus_in_any_pieces),
      cmocka_unit_test(test_limit_is_exact_in_any_pieces),
      cmocka_unit_test(test_the_function_can_stop_it),
      cmocka_unit_test(test_it_tells_whether_the_end_has_come),
      cmocka_unit_test(test_whole_elements_are_not_copied),
      cmocka_unit_test(test_reuse_begins_anew),
      cmocka_unit_test(test_recordings),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
