/* SPDX-License-Identifier: MIT */
/* Event streams: each stream of the corpus has its events written down, and
 * must give them in whatever pieces its bytes come. Every piece lies in a
 * block of exactly its size that is freed right after it was fed: a sanitizer
 * sees reads past it and views that outlive it. */
#include "support/fail_alloc.h"
#include "support/recordings.h"

#include "base/rng.h"
#include "wire/sse.h"

#include <infer/infer.h>
#include <stdio.h>

#define MAX 4096

/* Events as text: "(type|data|error)" one after the other. */
typedef struct event_log {
  char text[16384];
  size_t len;
  size_t count;
  uint64_t hash; /* of all, whatever fits into text */
  size_t stop_after;
} event_log;

static void
log_put(event_log *log, const char *ptr, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    log->hash = (log->hash ^ (unsigned char)ptr[i]) * 1099511628211u;
    if (log->len + 1 < sizeof(log->text))
      log->text[log->len++] = ptr[i];
  }
  log->text[log->len] = '\0';
}

static bool
log_event(void *context, const inf_sse_event *event)
{
  event_log *log = context;

  log_put(log, "(", 1);
  log_put(log, event->event.ptr, event->event.len);
  log_put(log, "|", 1);
  log_put(log, event->data.ptr, event->data.len);
  log_put(log, "|", 1);
  log_put(log, event->error.ptr, event->error.len);
  log_put(log, ")", 1);
  log->count++;
  return log->stop_after == 0 || log->count < log->stop_after;
}

/* Stops after each event, to go on from there. */
static void
feed_by_event(inf_sse *sse, const char *ptr, size_t len, event_log *log)
{
  for (size_t at = 0; at < len && !sse->stopped;) {
    size_t before = log->count;
    size_t taken = inf_sse_feed_event(sse, ptr + at, len - at, log_event, log);

    assert_true(taken <= len - at);
    assert_true(log->count <= before + 1);
    if (taken < len - at && !sse->stopped) {
      assert_int_equal(log->count, before + 1);
      assert_true(inf_sse_between_events(sse));
    }
    at += taken;
  }
}

static bool by_event;

static int32_t
feed_piece(inf_sse *sse, const char *ptr, size_t len, event_log *log)
{
  char *piece = malloc(len ? len : 1);
  int32_t status;

  assert_non_null(piece);
  memcpy(piece, ptr, len);
  if (by_event)
    feed_by_event(sse, piece, len, log);
  status = inf_sse_feed(sse, piece, by_event ? 0 : len, log_event, log);
  free(piece);
  return status;
}

/* Feeds the stream cut at the given places (ascending), then ends it. */
static int32_t
run_cut(const char *ptr, size_t len, const size_t *cuts, size_t count,
        size_t max, event_log *log)
{
  inf_sse sse;
  size_t at = 0;
  int32_t status;

  memset(log, 0, sizeof(*log));
  inf_sse_init(&sse, max);
  for (size_t i = 0; i < count; i++) {
    feed_piece(&sse, ptr + at, cuts[i] - at, log);
    at = cuts[i];
  }
  feed_piece(&sse, ptr + at, len - at, log);
  status = inf_sse_finish(&sse, log_event, log);
  inf_sse_fini(&sse);
  return status;
}

typedef struct sample {
  const char *bytes;
  size_t len;
  const char *events;
  size_t events_len;
} sample;

#define S(bytes, events)                                 \
  {                                                      \
    bytes, sizeof(bytes) - 1, events, sizeof(events) - 1 \
  }

static const sample corpus[] = {
    S("", ""),
    S("\n\n\r\n\r\r", ""),
    S("data: a\n\ndata: b\n\n", "(|a|)(|b|)"),
    S("data: a\r\n\r\ndata: b\r\n\r\n", "(|a|)(|b|)"),
    S("data: a\r\rdata: b\r\r", "(|a|)(|b|)"),
    S("data: a\n\r\ndata: b\r\n\rdata: c\r\n\n", "(|a|)(|b|)(|c|)"),
    /* CR LF is one end, LF CR two. */
    S("data: a\r\ndata: b\n\rdata: c\n\n", "(|a\nb|)(|c|)"),
    S("\xef\xbb\xbf"
      "data: a\n\n",
      "(|a|)"),
    S("\xef\xbb\xbf\xef\xbb\xbf"
      "data: a\ndata: b\n\n",
      "(|b|)"),
    S("\xef\xbb"
      "data: a\ndata: b\n\n",
      "(|b|)"),
    S("\xef\xbb\xbf: c\n\ndata: a\n\n", "(|a|)"),
    S("\xef\xbb\xbf\n\ndata: a\n\n", "(|a|)"),
    S(": OPENROUTER PROCESSING\n\n:\n\ndata: a\n: in the middle\ndata: b\n\n",
      "(|a\nb|)"),
    S("data: one\ndata: two\ndata:\ndata:three\n\n", "(|one\ntwo\n\nthree|)"),
    S("data\n\n", "(||)"),
    S("data:\n\n", "(||)"),
    S("data\ndata\n\n", "(|\n|)"),
    S("data:\ndata: x\n\n", "(|\nx|)"),
    S("data:a\n\ndata: b\n\ndata:  c\n\ndata:\td\n\n",
      "(|a|)(|b|)(| c|)(|\td|)"),
    S("event: delta\ndata: 1\n\ndata: 2\n\n", "(delta|1|)(|2|)"),
    S("event: a\nevent: b\ndata: 1\n\n", "(b|1|)"),
    S("event: a\nevent\ndata: 1\n\n", "(|1|)"),
    S("data: 1\nevent: late\n\n", "(late|1|)"),
    S("event: nothing\n\ndata: 1\n\n", "(|1|)"),
    S("id: 7\nretry: 100\ndata: 1\nfoo: bar\nnocolon\n\nid: 8\n\n", "(|1|)"),
    S("Data: a\ndatax: b\n data: c\ndat: d\n\n", ""),
    S("error: {\"code\":500}\n\ndata: x\n\n", "(||{\"code\":500})(|x|)"),
    S("event: e\ndata: x\nerror: a\nerror: b\n\n", "(e|x|a\nb)"),
    S("data: a\xe2\x80\xa8"
      "b\xc2\x85"
      "c\xe2\x80\xa9"
      "d\x0b\x0c"
      "e\n\n",
      "(|a\xe2\x80\xa8"
      "b\xc2\x85"
      "c\xe2\x80\xa9"
      "d\x0b\x0c"
      "e|)"),
    S("data: a\0b\0\n\n", "(|a\0b\0|)"),
    S("data: gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n\n",
      "(|gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80|)"),
    S("data: a\n\ndata: last", "(|a|)(|last|)"),
    S("data: a\n\ndata: last\n", "(|a|)(|last|)"),
    S("data: a\n\ndata: last\r", "(|a|)(|last|)"),
    S("data: a\n\ndata: l1\ndata: l2\n\r", "(|a|)(|l1\nl2|)"),
    S("data: a\n\nevent: x\nda", "(|a|)"),
    S("data: a\n\n: unfinished comment", "(|a|)"),
    S("data: a\n\nerror: e", "(|a|)(||e)"),
    S(":\r\n\r\n: x\r\n\r\ndata: {\"a\":\"b:c\"}\r\n\r\n",
      "(|{\"a\":\"b:c\"}|)"),
    S(":a:b\ndata::\n\ndata: :\n\n", "(|:|)(|:|)"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
assert_log(const event_log *log, const sample *want)
{
  assert_int_equal(log->len, want->events_len);
  assert_memory_equal(log->text, want->events, want->events_len);
}

static void
test_corpus_whole(void **state)
{
  static event_log log;

  (void)state;
  for (size_t i = 0; i < COUNT(corpus); i++) {
    assert_int_equal(
        run_cut(corpus[i].bytes, corpus[i].len, NULL, 0, MAX, &log), INFER_OK);
    assert_log(&log, &corpus[i]);
  }
}

static void
test_corpus_two_and_three_pieces(void **state)
{
  static event_log log;

  (void)state;
  for (size_t i = 0; i < COUNT(corpus); i++) {
    const sample *s = &corpus[i];

    for (size_t a = 0; a <= s->len; a++) {
      for (size_t b = a; b <= s->len; b++) {
        size_t cuts[2] = {a, b};

        assert_int_equal(run_cut(s->bytes, s->len, cuts, 2, MAX, &log),
                         INFER_OK);
        assert_log(&log, s);
      }
    }
  }
}

static size_t
cut_everywhere(size_t len, size_t *cuts, size_t most)
{
  size_t count = 0;

  while (count + 1 < len && count < most) {
    cuts[count] = count + 1;
    count++;
  }
  return count;
}

static void
test_corpus_byte_by_byte(void **state)
{
  static event_log log;
  size_t cuts[512];

  (void)state;
  for (size_t i = 0; i < COUNT(corpus); i++) {
    size_t count = cut_everywhere(corpus[i].len, cuts, COUNT(cuts));

    run_cut(corpus[i].bytes, corpus[i].len, cuts, count, MAX, &log);
    assert_log(&log, &corpus[i]);
  }
}

static size_t
cut_randomly(inf_rng *rng, size_t len, size_t *cuts, size_t most)
{
  size_t at = 0, count = 0, step = (size_t)inf_rng_between(rng, 1, 40);

  while (count < most) {
    at += (size_t)inf_rng_between(rng, 0, step);
    if (at > len)
      break;
    cuts[count++] = at;
  }
  return count;
}

/* Streams made of random lines, over an alphabet in which everything that
 * matters is frequent, compared with themselves in random pieces. */
static size_t
random_stream(inf_rng *rng, char *out, size_t size)
{
  static const char *const parts[] = {
      "data", "data: ", "data:", "event:", "error:", ":",       "\n",
      "\n",   "\r",     "\r\n",  "\n\n",   "\r\r",   " ",       "text",
      "id",   "\xef",   "\xbb",  "\xbf",   "e",      "\r\n\r\n"};
  size_t len = 0, n = (size_t)inf_rng_between(rng, 0, 40);

  for (size_t i = 0; i < n; i++) {
    const char *part = parts[inf_rng_below(rng, COUNT(parts))];
    size_t part_len = strlen(part);

    if (len + part_len > size)
      break;
    memcpy(out + len, part, part_len);
    len += part_len;
  }
  return len;
}

static void
test_random_streams_random_pieces(void **state)
{
  static event_log whole, cut;
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 1);
  for (int i = 0; i < 20000; i++) {
    char bytes[512];
    size_t cuts[64];
    size_t max = (size_t)inf_rng_between(&rng, 0, 200);
    size_t len = random_stream(&rng, bytes, sizeof(bytes));
    size_t count = cut_randomly(&rng, len, cuts, COUNT(cuts));
    int32_t status = run_cut(bytes, len, NULL, 0, max, &whole);

    by_event = i % 2 == 1;
    assert_int_equal(run_cut(bytes, len, cuts, count, max, &cut), status);
    by_event = false;
    assert_string_equal(whole.text, cut.text);
    assert_int_equal(whole.len, cut.len);
  }
}

/* The same by another way: lines split by hand, fields by the letter of the
 * specification. */
static size_t
reference_line(const char *at, const char *end, const char **line_end)
{
  const char *p = at;

  while (p < end && *p != '\n' && *p != '\r')
    p++;
  *line_end = p;
  if (p == end)
    return (size_t)(p - at);
  return (size_t)(p - at) + (*p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1);
}

typedef struct reference {
  char data[4096], event[4096], error[4096];
  size_t data_len, event_len, error_len;
  bool has_data, has_error;
} reference;

static void
reference_flush(reference *ref, event_log *log)
{
  if (ref->has_data || ref->has_error) {
    inf_sse_event event = {inf_sv_of(ref->event, ref->event_len),
                           inf_sv_of(ref->data, ref->data_len),
                           inf_sv_of(ref->error, ref->error_len)};
    log_event(log, &event);
  }
  memset(ref, 0, sizeof(*ref));
}

static void
reference_join(char *to, size_t *len, bool *has, const char *ptr, size_t n)
{
  if (*has)
    to[(*len)++] = '\n';
  memcpy(to + *len, ptr, n);
  *len += n;
  *has = true;
}

static void
reference_field(reference *ref, const char *line, size_t len)
{
  const char *colon = memchr(line, ':', len);
  size_t name = colon ? (size_t)(colon - line) : len;
  const char *value = colon ? colon + 1 : line + len;
  size_t value_len = (size_t)(line + len - value);

  if (value_len > 0 && *value == ' ') {
    value++;
    value_len--;
  }
  if (name == 4 && memcmp(line, "data", 4) == 0)
    reference_join(ref->data, &ref->data_len, &ref->has_data, value, value_len);
  if (name == 5 && memcmp(line, "error", 5) == 0)
    reference_join(ref->error, &ref->error_len, &ref->has_error, value,
                   value_len);
  if (name == 5 && memcmp(line, "event", 5) == 0) {
    memcpy(ref->event, value, value_len);
    ref->event_len = value_len;
  }
}

static void
reference_run(const char *at, size_t len, event_log *log)
{
  static reference ref;
  const char *end = at + len;

  memset(log, 0, sizeof(*log));
  memset(&ref, 0, sizeof(ref));
  if (len >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
    at += 3;
  while (at < end) {
    const char *line_end;
    size_t n = reference_line(at, end, &line_end);

    if (line_end == at)
      reference_flush(&ref, log);
    else
      reference_field(&ref, at, (size_t)(line_end - at));
    at += n;
  }
  reference_flush(&ref, log);
}

static void
test_random_streams_against_reference(void **state)
{
  static event_log got, want;
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 2);
  for (int i = 0; i < 50000; i++) {
    char bytes[512];
    size_t len = random_stream(&rng, bytes, sizeof(bytes));

    run_cut(bytes, len, NULL, 0, MAX, &got);
    reference_run(bytes, len, &want);
    assert_string_equal(got.text, want.text);
  }
}

/* Recorded streams in random pieces and byte by byte. */
static void
check_recording(void *context, const char *name, const char *body, size_t len)
{
  static event_log whole, cut;
  inf_rng *rng = context;
  size_t *cuts = malloc((len + 1) * sizeof(*cuts));

  assert_non_null(cuts);
  assert_int_equal(run_cut(body, len, NULL, 0, 1 << 24, &whole), INFER_OK);
  for (int i = 0; i < 3; i++) {
    size_t count = i == 0 && len < 65536
                       ? cut_everywhere(len, cuts, len)
                       : cut_randomly(rng, len, cuts, len < 4000 ? len : 4000);

    run_cut(body, len, cuts, count, 1 << 24, &cut);
    if (whole.count != cut.count || whole.hash != cut.hash)
      fail_msg("%s: differs in pieces", name);
  }
  free(cuts);
}

static void
test_recordings(void **state)
{
  inf_rng rng;

  (void)state;
  inf_rng_seed(&rng, 3);
  if (recordings_each("-stream-", check_recording, &rng) == 0) {
    print_message("SKIP: no recordings (set INFER_SHARED)\n");
    skip();
  }
}

typedef struct place_range {
  const char *start, *end;
  size_t count;
} place_range;

static bool
inside(void *context, const inf_sse_event *event)
{
  place_range *place = context;

  assert_true(event->data.ptr >= place->start);
  assert_true(event->data.ptr + event->data.len <= place->end);
  if (event->event.len > 0)
    assert_true(event->event.ptr > place->start);
  place->count++;
  return true;
}

static void
test_whole_events_are_not_copied(void **state)
{
  static const char bytes[] = "data: one\n\nevent: e\ndata: two\r\n\r\n: x\n\n"
                              "id: 4\ndata:three\n\n";
  place_range place = {bytes, bytes + sizeof(bytes), 0};
  inf_sse sse;

  (void)state;
  fail_alloc_install();
  inf_sse_init(&sse, MAX);
  assert_int_equal(inf_sse_feed(&sse, bytes, sizeof(bytes) - 1, inside, &place),
                   INFER_OK);
  assert_int_equal(place.count, 3);
  assert_int_equal(fail_alloc_count(), 0);
  inf_sse_fini(&sse);
  fail_alloc_uninstall();
}

static void
test_limit_is_exact_in_any_pieces(void **state)
{
  /* 4 + 7 + 8 bytes of lines; the comment and the ends do not count. */
  static const char bytes[] =
      "data: ok\n\n:comment\nid:1\r\nevent:e\ndata:two\n\ndata: ok\n\n";
  static event_log log;
  size_t len = sizeof(bytes) - 1;

  (void)state;
  for (size_t a = 0; a <= len; a++) {
    assert_int_equal(run_cut(bytes, len, &a, 1, 19, &log), INFER_OK);
    assert_string_equal(log.text, "(|ok|)(e|two|)(|ok|)");
    assert_int_equal(run_cut(bytes, len, &a, 1, 18, &log), INFER_E_TOO_LARGE);
    assert_string_equal(log.text, "(|ok|)");
  }
}

static void
test_limit_counts_unfinished_and_unknown_lines(void **state)
{
  static event_log log;
  inf_sse sse;

  (void)state;
  memset(&log, 0, sizeof(log));
  inf_sse_init(&sse, 10);
  assert_int_equal(feed_piece(&sse, "unknown", 7, &log), INFER_OK);
  assert_int_equal(feed_piece(&sse, "lin", 3, &log), INFER_OK);
  assert_int_equal(feed_piece(&sse, "e", 1, &log), INFER_E_TOO_LARGE);
  /* It stays stopped. */
  assert_int_equal(feed_piece(&sse, "\n\ndata: x\n\n", 11, &log),
                   INFER_E_TOO_LARGE);
  assert_int_equal(inf_sse_finish(&sse, log_event, &log), INFER_E_TOO_LARGE);
  assert_int_equal(log.count, 0);
  inf_sse_fini(&sse);
  /* Many short lines of one event add up. */
  assert_int_equal(run_cut("a\nb\nc\nd\n", 8, NULL, 0, 3, &log),
                   INFER_E_TOO_LARGE);
  assert_int_equal(run_cut("a\nb\nc\n\nd\n", 9, NULL, 0, 3, &log), INFER_OK);
}

static void
test_huge_comment_takes_no_memory(void **state)
{
  static event_log log;
  char block[1000];
  inf_sse sse;

  (void)state;
  memset(&log, 0, sizeof(log));
  memset(block, ':', sizeof(block));
  fail_alloc_install();
  inf_sse_init(&sse, 16);
  for (int i = 0; i < 100; i++)
    assert_int_equal(feed_piece(&sse, block, sizeof(block), &log), INFER_OK);
  assert_int_equal(fail_alloc_count(), 0);
  assert_int_equal(sse.comments, 1);
  assert_int_equal(feed_piece(&sse, "data: x\r\ndata: y\n\n", 18, &log),
                   INFER_OK);
  assert_string_equal(log.text, "(|y|)");
  inf_sse_fini(&sse);
  fail_alloc_uninstall();
}

static void
test_comments_are_counted(void **state)
{
  static const char bytes[] = ":\n: a\n\ndata: :no\n:b\r\nx:\n\n::\n";
  static event_log log;

  (void)state;
  for (size_t a = 0; a < sizeof(bytes); a++) {
    inf_sse sse;

    memset(&log, 0, sizeof(log));
    inf_sse_init(&sse, MAX);
    feed_piece(&sse, bytes, a, &log);
    feed_piece(&sse, bytes + a, sizeof(bytes) - 1 - a, &log);
    assert_int_equal(sse.comments, 4);
    inf_sse_fini(&sse);
  }
}

static void
test_false_stops(void **state)
{
  static const char bytes[] = "data: a\n\ndata: b\n\ndata: c\n\ndata: d";
  static event_log log;

  (void)state;
  for (size_t a = 0; a < sizeof(bytes); a++) {
    inf_sse sse;

    memset(&log, 0, sizeof(log));
    log.stop_after = 2;
    inf_sse_init(&sse, MAX);
    assert_int_equal(feed_piece(&sse, bytes, a, &log), INFER_OK);
    assert_int_equal(feed_piece(&sse, bytes + a, sizeof(bytes) - 1 - a, &log),
                     INFER_OK);
    assert_int_equal(inf_sse_finish(&sse, log_event, &log), INFER_OK);
    assert_true(sse.stopped);
    assert_string_equal(log.text, "(|a|)(|b|)");
    inf_sse_fini(&sse);
  }
}

static void
test_nothing_after_the_end(void **state)
{
  static event_log log;
  inf_sse sse;

  (void)state;
  memset(&log, 0, sizeof(log));
  inf_sse_init(&sse, MAX);
  assert_int_equal(inf_sse_feed(&sse, NULL, 0, log_event, &log), INFER_OK);
  feed_piece(&sse, "data: a", 7, &log);
  assert_int_equal(inf_sse_finish(&sse, log_event, &log), INFER_OK);
  assert_int_equal(inf_sse_finish(&sse, log_event, &log), INFER_OK);
  feed_piece(&sse, "data: b\n\n", 9, &log);
  assert_string_equal(log.text, "(|a|)");
  inf_sse_fini(&sse);
}

/* A line of CRs would cost the square of its length if each looked anew for
 * the next LF. The test ends in time only if it does not. */
static void
test_many_line_ends_of_one_kind(void **state)
{
  static const char ends[] = {'\r', '\n'};
  size_t len = 8u << 20;
  char *bytes = malloc(len);
  static event_log log;

  (void)state;
  assert_non_null(bytes);
  for (size_t i = 0; i < COUNT(ends); i++) {
    memset(bytes, ends[i], len);
    assert_int_equal(run_cut(bytes, len, NULL, 0, MAX, &log), INFER_OK);
    assert_int_equal(log.count, 0);
  }
  free(bytes);
}

static void
memory_scenario(void *arg)
{
  static const char bytes[] =
      "event: e\ndata: some text that is a little longer than a first block of "
      "memory would be\ndata: more\nerror: x\n\ndata: b\n\n";
  static event_log log;
  inf_sse sse;
  int32_t status;

  (void)arg;
  memset(&log, 0, sizeof(log));
  inf_sse_init(&sse, MAX);
  for (size_t i = 0; i + 1 < sizeof(bytes); i++)
    feed_piece(&sse, bytes + i, 1, &log);
  status = inf_sse_finish(&sse, log_event, &log);
  inf_sse_fini(&sse);
  if (fail_alloc_hits() == 0)
    assert_int_equal(log.count, 2);
  else
    assert_int_equal(status, INFER_E_NO_MEMORY);
}

static void
test_memory_failures(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, NULL) > 4);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_corpus_whole),
      cmocka_unit_test(test_corpus_two_and_three_pieces),
      cmocka_unit_test(test_corpus_byte_by_byte),
      cmocka_unit_test(test_random_streams_random_pieces),
      cmocka_unit_test(test_random_streams_against_reference),
      cmocka_unit_test(test_recordings),
      cmocka_unit_test(test_whole_events_are_not_copied),
      cmocka_unit_test(test_limit_is_exact_in_any_pieces),
      cmocka_unit_test(test_limit_counts_unfinished_and_unknown_lines),
      cmocka_unit_test(test_huge_comment_takes_no_memory),
      cmocka_unit_test(test_comments_are_counted),
      cmocka_unit_test(test_false_stops),
      cmocka_unit_test(test_nothing_after_the_end),
      cmocka_unit_test(test_many_line_ends_of_one_kind),
      cmocka_unit_test(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
