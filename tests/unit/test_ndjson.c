/* SPDX-License-Identifier: MIT */
/* JSON lines: each stream of the corpus has its documents written down, and
 * must give them in whatever pieces its bytes come. */
#include "support/fail_alloc.h"
#include "support/pieces.h"
#include "support/recordings.h"

#include "wire/json_scan.h"
#include "wire/ndjson.h"

#include <infer/infer.h>

#define MAX          4096

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct sample {
  inf_sv bytes;
  const char *documents;
  int32_t status;
} sample;

#define S(bytes, documents, status)          \
  {                                          \
    INF_SV(bytes), documents, INFER_##status \
  }

static const sample corpus[] = {
    S("", "", OK),
    S("\n\r\n \t\n\n", "", OK),
    S("{\"a\":1}\n{\"b\":2}\n", "({\"a\":1})({\"b\":2})", OK),
    S("{\"a\":1}\r\n\r\n{\"b\":2}\r\n", "({\"a\":1})({\"b\":2})", OK),
    S("  {\"a\":1}\t \n", "({\"a\":1})", OK),
    /* CR alone ends no line. */
    S("{\"a\":\r1}\n", "({\"a\":\r1})", OK),
    /* An end of line within a string is written as an escape. */
    S("{\"a\":\"x\\ny\"}\n", "({\"a\":\"x\\ny\"})", OK),
    S("{\"a\":\"\xc3\xa4\xe2\x80\xa8\"}\n",
      "({\"a\":\"\xc3\xa4\xe2\x80\xa8\"})", OK),
    /* What is no JSON is for the reader of the documents. */
    S("oops\n{]\n", "(oops)({])", OK),
    /* The last line without its end. */
    S("{\"a\":1}\n{\"b\":2}", "({\"a\":1})({\"b\":2})", OK),
    S("{\"a\":1}\n{\"b\":2}\r", "({\"a\":1})({\"b\":2})", OK),
    S("[1]", "([1])", OK),
    S("\"x\"", "(\"x\")", OK),
    S("null", "(null)", OK),
    S("{\"a\":1}\n  \t", "({\"a\":1})", OK),
    /* A cut line is no line. */
    S("{\"a\":1}\n{\"b\":2", "({\"a\":1})", E_TRUNCATED),
    S("{\"a\":1}\n{\"b\":\"}", "({\"a\":1})", E_TRUNCATED),
    S("{\"a\":1}\n\"b", "({\"a\":1})", E_TRUNCATED),
    S("{\"a\":1}\n12", "({\"a\":1})", E_TRUNCATED),
    S("{\"a\":1} {", "", E_TRUNCATED),
    S("oops", "", E_TRUNCATED),
};

typedef struct fixture {
  const sample *sample;
  inf_sv bytes;
  size_t max;
  bool by_document;
  inf_ndjson parser;
  pieces_log log;
  int32_t status;
} fixture;

static bool
on_document(void *context, inf_sv document)
{
  return pieces_log_add(context, document);
}

static size_t
feed_one(void *context, const char *ptr, size_t len)
{
  fixture *f = context;

  size_t taken =
      inf_ndjson_feed_document(&f->parser, ptr, len, on_document, &f->log);

  assert_true(taken > 0);
  return taken;
}

static void
feed(void *context, const char *ptr, size_t len)
{
  fixture *f = context;

  if (f->by_document)
    pieces_feed_items(ptr, len, &f->log, &f->parser.stopped, feed_one, f);
  else
    inf_ndjson_feed(&f->parser, ptr, len, on_document, &f->log);
}

static void
run(fixture *f, const size_t *cuts, size_t count)
{
  size_t stop_after = f->log.stop_after;

  memset(&f->log, 0, sizeof(f->log));
  f->log.stop_after = stop_after;
  inf_ndjson_init(&f->parser, f->max);
  pieces_feed(f->bytes.ptr, f->bytes.len, cuts, count, feed, f);
  f->status = inf_ndjson_finish(&f->parser, on_document, &f->log);
  assert_true(f->parser.stopped);
  /* Nothing comes after the end, and it stays the same. */
  feed(f, "{}\n", 3);
  assert_int_equal(inf_ndjson_finish(&f->parser, on_document, &f->log),
                   f->status);
  inf_ndjson_fini(&f->parser);
}

static void
run_sample(void *context, const size_t *cuts, size_t count)
{
  fixture *f = context;

  run(f, cuts, count);
  assert_string_equal(f->log.text, f->sample->documents);
  assert_int_equal(f->status, f->sample->status);
}

static void
test_corpus_in_any_pieces(void **state)
{
  static fixture f;

  (void)state;
  for (size_t i = 0; i < 2 * COUNT(corpus); i++) {
    f = (fixture){.sample = &corpus[i / 2],
                  .bytes = corpus[i / 2].bytes,
                  .max = MAX,
                  .by_document = i % 2 == 1};
    pieces_each(f.bytes.len, run_sample, &f);
  }
}

static void
test_limit_is_exact_in_any_pieces(void **state)
{
  static const sample fits = S("{\"a\":1}\n{\"abc\":1}\n", /* 7, 9 */
                               "({\"a\":1})({\"abc\":1})", OK);
  static const sample too_long =
      S("{\"a\":1}\n{\"abcd\":1}\n{\"a\":1}\n", "({\"a\":1})", E_TOO_LARGE);
  static const sample without_end =
      S("{\"a\":1}\n{\"abcd\":1}", "({\"a\":1})", E_TOO_LARGE);
  static const sample *const samples[] = {&fits, &too_long, &without_end};
  static fixture f;

  (void)state;
  for (size_t i = 0; i < COUNT(samples); i++) {
    f = (fixture){.sample = samples[i], .bytes = samples[i]->bytes, .max = 9};
    pieces_each(f.bytes.len, run_sample, &f);
  }
}

static void
test_the_function_can_stop_it(void **state)
{
  static const sample stopped =
      S("{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n", "({\"a\":1})({\"b\":2})", OK);
  static fixture f;

  (void)state;
  f = (fixture){.sample = &stopped, .bytes = stopped.bytes, .max = MAX};
  f.log.stop_after = 2;
  pieces_each(f.bytes.len, run_sample, &f);
}

static bool
is_view_of(void *context, inf_sv document)
{
  inf_sv *bytes = context;

  assert_true(document.ptr >= bytes->ptr);
  assert_true(document.ptr + document.len <= bytes->ptr + bytes->len);
  return true;
}

static void
test_whole_lines_are_not_copied(void **state)
{
  inf_sv bytes = INF_SV("{\"a\":1}\r\n{\"b\":2}\n");
  inf_ndjson parser;

  (void)state;
  inf_ndjson_init(&parser, MAX);
  assert_int_equal(
      inf_ndjson_feed(&parser, bytes.ptr, bytes.len, is_view_of, &bytes),
      INFER_OK);
  assert_null(parser.line.ptr);
  inf_ndjson_fini(&parser);
}

static void
test_reuse_begins_anew(void **state)
{
  static pieces_log log;
  inf_ndjson parser;

  (void)state;
  inf_ndjson_init(&parser, 8);
  inf_ndjson_feed(&parser, "{\"long\":1}", 10, on_document, &log);
  assert_int_equal(parser.status, INFER_E_TOO_LARGE);
  inf_ndjson_reuse(&parser, MAX, 1024);
  memset(&log, 0, sizeof(log));
  inf_ndjson_feed(&parser, "{\"long\":1}", 10, on_document, &log);
  assert_int_equal(inf_ndjson_finish(&parser, on_document, &log), INFER_OK);
  assert_string_equal(log.text, "({\"long\":1})");
  inf_ndjson_fini(&parser);
}

/* Recorded streams: against lines split by hand, each of which is JSON. */

static void
split_by_hand(inf_sv bytes, pieces_log *log)
{
  while (bytes.len > 0) {
    size_t len = inf_sv_find(bytes, '\n'), step = len + (len < bytes.len);
    inf_sv line = inf_sv_of(bytes.ptr, len), value;

    if (inf_json_parse(line, 64, &value, NULL))
      pieces_log_add(log, value);
    else
      assert_int_equal(inf_sv_trim(line).len, 0);
    bytes = inf_sv_of(bytes.ptr + step, bytes.len - step);
  }
}

static void
run_recording(void *context, const size_t *cuts, size_t count)
{
  static pieces_log want;
  fixture *f = context;

  memset(&want, 0, sizeof(want));
  split_by_hand(f->bytes, &want);
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

  if (strncmp(name, "ollama-", 7) != 0 || len == 0 || body[0] != '{')
    return;
  f = (fixture){.bytes = inf_sv_of(body, len), .max = 1 << 20};
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
      "{\"a\":\"some text that is a little longer than a first block of memory "
      "would be\"}\n{\"b\":2}\n";
  static fixture f;

  (void)arg;
  f = (fixture){.bytes = inf_sv_of(bytes, sizeof(bytes) - 1), .max = MAX};
  run(&f, (const size_t[]){1, 30, 70}, 3);
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
      cmocka_unit_test(test_whole_lines_are_not_copied),
      cmocka_unit_test(test_reuse_begins_anew),
      cmocka_unit_test(test_recordings),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
