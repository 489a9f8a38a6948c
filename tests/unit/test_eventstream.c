/* SPDX-License-Identifier: MIT */
/* Amazon's event streams, written by another hand than the reader's, in
 * whatever pieces their bytes come; each way in which one can be wrong; and
 * recorded ones. */
#include "support/eventstream_write.h"
#include "support/fail_alloc.h"
#include "support/pieces.h"
#include "support/recordings.h"

#include "wire/eventstream.h"
#include "wire/json_scan.h"

#include <infer/infer.h>
#include <stdio.h>

#define MAX          4096

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct fixture {
  inf_buf out, headers; /* what is written for the test */
  inf_sv bytes;         /* what is fed */
  size_t max;
  bool by_message;
  inf_eventstream parser;
  pieces_log log;
  int32_t status;
  /* What must come of it. */
  const char *messages;
  int32_t want;
  const char *reason;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));

  inf_buf_init(&f->out, 1 << 20);
  inf_buf_init(&f->headers, 1 << 20);
  f->max = MAX;
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

/* Logged as "(name=type:hex,...|payload)". */
static bool
on_message(void *context, const inf_eventstream_message *message)
{
  pieces_log *log = context;
  inf_sv rest = message->headers;
  inf_eventstream_header header;
  char text[16];

  pieces_log_put(log, INF_SV("("));
  while (inf_eventstream_next(&rest, &header)) {
    pieces_log_put(log, header.name);
    snprintf(text, sizeof(text), "=%d:", (int)header.type);
    pieces_log_put(log, inf_sv_from(text));
    for (size_t i = 0; i < header.value.len; i++) {
      snprintf(text, sizeof(text), "%02x", (unsigned char)header.value.ptr[i]);
      pieces_log_put(log, inf_sv_from(text));
    }
    pieces_log_put(log, INF_SV(","));
  }
  assert_int_equal(rest.len, 0);
  pieces_log_put(log, INF_SV("|"));
  pieces_log_put(log, message->payload);
  pieces_log_put(log, INF_SV(")"));
  return ++log->count != log->stop_after;
}

static size_t
feed_one(void *context, const char *ptr, size_t len)
{
  fixture *f = context;

  return inf_eventstream_feed_message(&f->parser, ptr, len, on_message,
                                      &f->log);
}

static void
feed(void *context, const char *ptr, size_t len)
{
  fixture *f = context;

  if (f->by_message)
    pieces_feed_items(ptr, len, &f->log, &f->parser.stopped, feed_one, f);
  else
    inf_eventstream_feed(&f->parser, ptr, len, on_message, &f->log);
}

static void
run(fixture *f, const size_t *cuts, size_t count)
{
  size_t stop_after = f->log.stop_after;

  memset(&f->log, 0, sizeof(f->log));
  f->log.stop_after = stop_after;
  inf_eventstream_init(&f->parser, f->max);
  pieces_feed(f->bytes.ptr, f->bytes.len, cuts, count, feed, f);
  f->status = inf_eventstream_finish(&f->parser);
  assert_true(f->parser.stopped);
  /* Nothing comes after the end, and it stays the same. */
  feed(f, f->bytes.ptr, f->bytes.len);
  assert_int_equal(inf_eventstream_finish(&f->parser), f->status);
  inf_eventstream_fini(&f->parser);
}

static void
run_and_check(void *context, const size_t *cuts, size_t count)
{
  fixture *f = context;

  run(f, cuts, count);
  assert_string_equal(f->log.text, f->messages);
  assert_int_equal(f->status, f->want);
  if (f->reason)
    assert_string_equal(f->parser.reason, f->reason);
  else
    assert_null(f->parser.reason);
}

static void
check(fixture *f, const char *messages, int32_t want, const char *reason)
{
  f->bytes = inf_buf_sv(&f->out);
  f->messages = messages;
  f->want = want;
  f->reason = reason;
  for (int i = 0; i < 2; i++) {
    f->by_message = i == 1;
    pieces_each(f->bytes.len, run_and_check, f);
  }
  inf_buf_clear(&f->out);
  inf_buf_clear(&f->headers);
}

/* A message whose headers are f->headers. */
static void
put_message(fixture *f, const char *payload)
{
  eventstream_put_message(&f->out, &f->headers, inf_sv_from(payload));
  inf_buf_clear(&f->headers);
}

static void
test_no_bytes_and_the_least_message(void **state)
{
  fixture *f = *state;

  check(f, "", INFER_OK, NULL);
  put_message(f, "");
  check(f, "(|)", INFER_OK, NULL);
}

static void
test_messages_in_any_pieces(void **state)
{
  fixture *f = *state;

  eventstream_put_string(&f->headers, ":event-type", "a");
  eventstream_put_string(&f->headers, "x", "");
  put_message(f, "{\"p\":1}");
  put_message(f, "payload only");
  eventstream_put_string(&f->headers, "y", "headers only");
  put_message(f, "");
  check(f,
        "(:event-type=7:61,x=7:,|{\"p\":1})(|payload only)"
        "(y=7:68656164657273206f6e6c79,|)",
        INFER_OK, NULL);
}

static void
put_number_header(fixture *f, const char *name, unsigned type, uint64_t value,
                  unsigned bytes)
{
  eventstream_put_header(&f->headers, name, type);
  eventstream_put_number(&f->headers, value, bytes);
}

static void
put_all_types(fixture *f)
{
  put_number_header(f, "t", 0, 0, 0);
  put_number_header(f, "f", 1, 0, 0);
  put_number_header(f, "b", 2, 0x80, 1);
  put_number_header(f, "s", 3, 0xfffe, 2);
  put_number_header(f, "i", 4, 0x7fffffff, 4);
  put_number_header(f, "l", 5, UINT64_C(0x8000000000000000), 8);
  eventstream_put_bytes(&f->headers, "B", 6, INF_SV("\x00\xff"));
  eventstream_put_bytes(&f->headers, "S", 7, INF_SV("\xc3\xa4"));
  put_number_header(f, "T", 8, UINT64_C(1724672472000), 8);
  put_number_header(f, "U", 9, UINT64_C(0x0123456789abcdef), 8);
  eventstream_put_number(&f->headers, UINT64_C(0xfedcba9876543210), 8);
}

static void
test_all_ten_types(void **state)
{
  fixture *f = *state;

  put_all_types(f);
  put_message(f, "p");
  check(f,
        "(t=0:,f=1:,b=2:80,s=3:fffe,i=4:7fffffff,l=5:8000000000000000,"
        "B=6:00ff,S=7:c3a4,T=8:000001918e7d73c0,"
        "U=9:0123456789abcdeffedcba9876543210,|p)",
        INFER_OK, NULL);
}

static void
test_numbers_of_headers(void **state)
{
  static const int64_t want[] = {1,          0,         -128,         -2,
                                 2147483647, INT64_MIN, 1724672472000};
  fixture *f = *state;
  inf_eventstream_header header;
  size_t numbers = 0;
  int64_t number;

  put_all_types(f);
  inf_sv rest = inf_buf_sv(&f->headers);
  while (inf_eventstream_next(&rest, &header)) {
    bool has = header.type < INF_EVENTSTREAM_BYTES ||
               header.type == INF_EVENTSTREAM_TIMESTAMP;

    assert_int_equal(inf_eventstream_int64(&header, &number), has);
    if (has)
      assert_true(number == want[numbers++]);
  }
  assert_int_equal(numbers, COUNT(want));
}

static void
test_strings_by_name(void **state)
{
  fixture *f = *state;

  eventstream_put_string(&f->headers, "a", "first");
  eventstream_put_string(&f->headers, "a", "second");
  put_number_header(f, "n", 2, 1, 1);
  eventstream_put_string(&f->headers, "ab", "other");
  inf_eventstream_message message = {inf_buf_sv(&f->headers), INF_SV("")};
  static const char *const pairs[][2] = {
      {"a", "first"}, {"n", ""}, {"ab", "other"}, {"b", ""}, {"A", ""}};
  for (size_t i = 0; i < COUNT(pairs); i++)
    assert_true(
        inf_sv_eq(inf_eventstream_string(&message, inf_sv_from(pairs[i][0])),
                  inf_sv_from(pairs[i][1])));
}

/* Whatever byte is changed, and however: the message never comes. */
static void
test_no_changed_byte_passes(void **state)
{
  fixture *f = *state;

  eventstream_put_string(&f->headers, ":event-type", "chunk");
  put_message(f, "{\"bytes\":1}");
  f->bytes = inf_buf_sv(&f->out);
  for (size_t at = 0; at < f->out.len; at++) {
    for (unsigned change = 1; change < 256; change++) {
      char kept = f->out.ptr[at];

      f->out.ptr[at] = (char)((unsigned char)kept ^ change);
      run(f, NULL, 0);
      f->out.ptr[at] = kept;
      assert_int_equal(f->log.count, 0);
      assert_int_equal(f->status, INFER_E_PROTOCOL);
    }
  }
}

static void
test_a_wrong_checksum_is_named(void **state)
{
  fixture *f = *state;

  put_message(f, "good");
  put_message(f, "bad");
  f->out.ptr[20 + 9] ^= 1;
  check(f, "(|good)", INFER_E_PROTOCOL, "a prelude's checksum is wrong");
  put_message(f, "good");
  put_message(f, "bad");
  f->out.ptr[20 + 12] ^= 1;
  check(f, "(|good)", INFER_E_PROTOCOL, "a message's checksum is wrong");
}

typedef struct bad_lengths {
  uint64_t total, headers;
  int32_t status;
  const char *reason;
} bad_lengths;

static void
test_lengths_that_cannot_be(void **state)
{
  static const bad_lengths cases[] = {
      {15, 0, INFER_E_PROTOCOL, "a message is too short to be one"},
      {0, 0, INFER_E_PROTOCOL, "a message is too short to be one"},
      {24, 9, INFER_E_PROTOCOL, "headers go past their message"},
      {24, 0xffffffff, INFER_E_PROTOCOL, "headers go past their message"},
      {MAX + 1, 0, INFER_E_TOO_LARGE, "a message is too large"},
      {0xffffffff, 0, INFER_E_TOO_LARGE, "a message is too large"},
  };
  fixture *f = *state;

  for (size_t i = 0; i < COUNT(cases); i++) {
    put_message(f, "good");
    eventstream_put_raw(&f->out, cases[i].total, cases[i].headers, INF_SV(""),
                        INF_SV("12345678"));
    check(f, "(|good)", cases[i].status, cases[i].reason);
  }
}

static void
test_limits_are_exact(void **state)
{
  fixture *f = *state;

  f->max = 20;
  put_message(f, "1234");
  check(f, "(|1234)", INFER_OK, NULL);
  put_message(f, "12345");
  check(f, "", INFER_E_TOO_LARGE, "a message is too large");
  /* A limit that no message can keep. */
  f->max = 0;
  put_message(f, "");
  check(f, "", INFER_E_TOO_LARGE, "a message is too large");
}

static void
test_headers_have_a_limit_of_their_own(void **state)
{
  static char value[60000];
  fixture *f = *state;

  memset(value, 'v', sizeof(value) - 1);
  f->max = 1 << 20;
  for (int i = 0; i < 3; i++)
    eventstream_put_string(&f->headers, "long", value);
  put_message(f, "");
  check(f, "", INFER_E_TOO_LARGE, "headers are too large");
}

typedef struct bad_headers {
  inf_sv headers;
  const char *reason;
} bad_headers;

static void
test_headers_that_cannot_be(void **state)
{
  static const bad_headers cases[] = {
      {INF_SV("\x05"
              "name"),
       "a header's name goes past the headers"},
      {INF_SV("\x00\x00"), "a header has no name"},
      {INF_SV("\x04"
              "name"),
       "a header has no type"},
      {INF_SV("\x01n\x0a"), "a header's type is unknown"},
      {INF_SV("\x01n\xff"), "a header's type is unknown"},
      {INF_SV("\x01n\x07\x00"), "a header's value has no length"},
      {INF_SV("\x01n\x07\x00\x02v"), "a header's value goes past the headers"},
      {INF_SV("\x01n\x06\xff\xffv"), "a header's value goes past the headers"},
      {INF_SV("\x01n\x04\x01\x02\x03"),
       "a header's value goes past the headers"},
      {INF_SV("\x01n\x09\x01\x02\x03"),
       "a header's value goes past the headers"},
      /* Behind a good one. */
      {INF_SV("\x01n\x00\x01"), "a header's name goes past the headers"},
  };
  fixture *f = *state;

  for (size_t i = 0; i < COUNT(cases); i++) {
    put_message(f, "good");
    inf_buf_append_sv(&f->headers, cases[i].headers);
    put_message(f, "payload");
    check(f, "(|good)", INFER_E_PROTOCOL, cases[i].reason);
  }
}

static void
test_a_cut_message_is_no_message(void **state)
{
  fixture *f = *state;

  put_message(f, "good");
  put_message(f, "cut");
  for (size_t len = f->out.len - 1; len > 20; len--) {
    inf_buf_truncate(&f->out, len);
    f->bytes = inf_buf_sv(&f->out);
    f->messages = "(|good)";
    f->want = INFER_E_TRUNCATED;
    f->reason = "a message is cut";
    pieces_each(len, run_and_check, f);
  }
}

static void
test_the_function_can_stop_it(void **state)
{
  fixture *f = *state;

  put_message(f, "one");
  put_message(f, "two");
  put_message(f, "three");
  f->log.stop_after = 2;
  check(f, "(|one)(|two)", INFER_OK, NULL);
}

static void
test_no_memory_is_set_aside_for_a_promise(void **state)
{
  static pieces_log log;
  fixture *f = *state;
  inf_eventstream parser;

  eventstream_put_raw(&f->out, 15 << 20, 0, INF_SV(""), INF_SV("little"));
  inf_eventstream_init(&parser, INF_EVENTSTREAM_MAX_MESSAGE_BYTES);
  inf_eventstream_feed(&parser, f->out.ptr, f->out.len, on_message, &log);
  assert_int_equal(parser.status, INFER_OK);
  assert_true(parser.message.cap < 256);
  inf_eventstream_fini(&parser);
}

static bool
is_view_of(void *context, const inf_eventstream_message *message)
{
  inf_sv *bytes = context;

  assert_true(message->headers.ptr == bytes->ptr + 12);
  assert_true(message->payload.ptr == bytes->ptr + 12 + message->headers.len);
  return true;
}

static void
test_whole_messages_are_not_copied(void **state)
{
  fixture *f = *state;
  inf_eventstream parser;

  eventstream_put_string(&f->headers, "a", "b");
  put_message(f, "payload");
  f->bytes = inf_buf_sv(&f->out);
  inf_eventstream_init(&parser, MAX);
  assert_int_equal(inf_eventstream_feed(&parser, f->bytes.ptr, f->bytes.len,
                                        is_view_of, &f->bytes),
                   INFER_OK);
  assert_null(parser.message.ptr);
  inf_eventstream_fini(&parser);
}

static void
test_reuse_begins_anew(void **state)
{
  static pieces_log log;
  fixture *f = *state;
  inf_eventstream parser;

  put_message(f, "payload");
  inf_eventstream_init(&parser, 8);
  inf_eventstream_feed(&parser, f->out.ptr, 14, on_message, &log);
  assert_int_equal(parser.status, INFER_E_TOO_LARGE);
  inf_eventstream_reuse(&parser, MAX, 1024);
  inf_eventstream_feed(&parser, f->out.ptr, 5, on_message, &log);
  inf_eventstream_feed(&parser, f->out.ptr + 5, f->out.len - 5, on_message,
                       &log);
  assert_int_equal(inf_eventstream_finish(&parser), INFER_OK);
  assert_string_equal(log.text, "(|payload)");
  inf_eventstream_fini(&parser);
}

/* Recorded streams: message by message as a walk by the lengths finds them,
 * zlib agreeing on the checksums. */

static uint32_t
word(const char *ptr)
{
  const unsigned char *at = (const unsigned char *)ptr;

  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
         at[3];
}

static void
walk(inf_sv bytes, pieces_log *log)
{
  while (bytes.len > 0) {
    inf_eventstream_message message;
    size_t total = word(bytes.ptr), headers = word(bytes.ptr + 4);
    const unsigned char *start = (const unsigned char *)bytes.ptr;

    assert_true(total <= bytes.len);
    assert_int_equal(word(bytes.ptr + total - 4),
                     crc32(0, start, (unsigned)(total - 4)));
    message.headers = inf_sv_of(bytes.ptr + 12, headers);
    message.payload = inf_sv_of(bytes.ptr + 12 + headers, total - 16 - headers);
    on_message(log, &message);
    bytes = inf_sv_of(bytes.ptr + total, bytes.len - total);
  }
}

static void
run_recording(void *context, const size_t *cuts, size_t count)
{
  static pieces_log want;
  fixture *f = context;

  memset(&want, 0, sizeof(want));
  walk(f->bytes, &want);
  run(f, cuts, count);
  assert_int_equal(f->status, INFER_OK);
  assert_true(f->log.count > 0);
  assert_int_equal(f->log.count, want.count);
  assert_true(f->log.hash == want.hash);
}

static bool
is_event_of_json(void *context, const inf_eventstream_message *message)
{
  inf_sv kind = inf_eventstream_string(message, INF_SV(":message-type"));
  inf_sv event = inf_eventstream_string(message, INF_SV(":event-type"));

  (void)context;
  assert_true(inf_sv_eq(kind, INF_SV("event")));
  assert_true(event.len > 0);
  assert_true(inf_json_parse(message->payload, 64, &event, NULL));
  return true;
}

typedef struct recorded {
  fixture *f;
  size_t streams;
} recorded;

static void
check_recording(void *context, const char *name, const char *body, size_t len)
{
  recorded *r = context;
  inf_eventstream parser;

  if (!strstr(name, "-stream-stream-") || len == 0 || body[0] != '\0')
    return;
  r->streams++;
  r->f->bytes = inf_sv_of(body, len);
  r->f->max = 1 << 20;
  pieces_each(len, run_recording, r->f);
  inf_eventstream_init(&parser, 1 << 20);
  inf_eventstream_feed(&parser, body, len, is_event_of_json, NULL);
  assert_int_equal(inf_eventstream_finish(&parser), INFER_OK);
  inf_eventstream_fini(&parser);
}

static void
test_recordings(void **state)
{
  recorded r = {*state, 0};

  recordings_each("bedrock-", check_recording, &r);
  pieces_need_recordings(r.streams);
}

static void
memory_scenario(void *arg)
{
  fixture *f = arg;

  run(f, (const size_t[]){2, 30, 70}, 3);
  if (fail_alloc_hits() == 0)
    assert_int_equal(f->log.count, 2);
  else
    assert_int_equal(f->status, INFER_E_NO_MEMORY);
}

static void
test_memory_failures(void **state)
{
  char bytes[512];
  fixture *f = *state;

  put_message(f, "some text that is a little longer than a first block of "
                 "memory would be");
  put_message(f, "b");
  memcpy(bytes, f->out.ptr, f->out.len);
  f->bytes = inf_sv_of(bytes, f->out.len);
  /* The allocator is changed only while none is in use. */
  inf_buf_fini(&f->out);
  inf_buf_fini(&f->headers);
  fail_alloc_install();
  assert_true(fail_alloc_sweep(memory_scenario, f) > 1);
  fail_alloc_uninstall();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(test_no_bytes_and_the_least_message),
      TEST(test_messages_in_any_pieces),
      TEST(test_all_ten_types),
      TEST(test_numbers_of_headers),
      TEST(test_strings_by_name),
      TEST(test_no_changed_byte_passes),
      TEST(test_a_wrong_checksum_is_named),
      TEST(test_lengths_that_cannot_be),
      TEST(test_limits_are_exact),
      TEST(test_headers_have_a_limit_of_their_own),
      TEST(test_headers_that_cannot_be),
      TEST(test_a_cut_message_is_no_message),
      TEST(test_the_function_can_stop_it),
      TEST(test_no_memory_is_set_aside_for_a_promise),
      TEST(test_whole_messages_are_not_copied),
      TEST(test_reuse_begins_anew),
      TEST(test_recordings),
      TEST(test_memory_failures),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
