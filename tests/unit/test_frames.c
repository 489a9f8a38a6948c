/* SPDX-License-Identifier: MIT */
/* Lines, arrays and Amazon's messages as events. What each framing can have
 * wrong with it is tested with its reader. */
#include "support/eventstream_write.h"
#include "support/fail_alloc.h"
#include "support/pieces.h"
#include "unit/provider_support.h"

#include "provider/frames.h"

typedef struct fixture {
  inf_frames frames;
  pieces_log log;
  inf_buf out, headers;
} fixture;

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  inf_frames_init(&f->frames);
  inf_buf_init(&f->out, 65536);
  inf_buf_init(&f->headers, 65536);
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  inf_frames_fini(&f->frames);
  inf_buf_fini(&f->out);
  inf_buf_fini(&f->headers);
  test_free(f);
  return 0;
}

/* Logged as "(event|error|data)". */
static bool
on_event(void *context, const inf_sse_event *event)
{
  pieces_log *log = context;
  pieces_log_put(log, INF_SV("("));
  pieces_log_put(log, event->event);
  pieces_log_put(log, INF_SV("|"));
  pieces_log_put(log, event->error);
  pieces_log_put(log, INF_SV("|"));
  pieces_log_put(log, event->data);
  pieces_log_put(log, INF_SV(")"));
  return ++log->count != log->stop_after;
}

static int32_t
run(fixture *f, inf_framing framing, inf_sv bytes, size_t step)
{
  f->log = (pieces_log){.stop_after = f->log.stop_after};
  inf_frames_begin(&f->frames, framing, 200, 4, 64);
  while (bytes.len > 0) {
    size_t len = step > 0 && step < bytes.len ? step : bytes.len;
    inf_frames_feed(&f->frames, inf_sv_of(bytes.ptr, len), on_event, &f->log);
    bytes = inf_sv_of(bytes.ptr + len, bytes.len - len);
  }
  return inf_frames_finish(&f->frames, on_event, &f->log);
}

static void
check(fixture *f, inf_framing framing, inf_sv bytes, int32_t status,
      const char *events, const char *reason)
{
  static const size_t steps[] = {0, 1, 7};
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    assert_int_equal(run(f, framing, bytes, steps[i]), status);
    assert_string_equal(f->log.text, events);
    assert_string_equal(inf_frames_reason(&f->frames, status), reason);
  }
}

static void
test_lines(void **state)
{
  fixture *f = *state;
  check(f, INF_FRAMING_NDJSON, S("{\"a\":1}\n\r\n {\"b\":2}\r\n{\"c\":3}"),
        INFER_OK, "(||{\"a\":1})(||{\"b\":2})(||{\"c\":3})", "");
  check(f, INF_FRAMING_NDJSON, S("{\"a\":1}\n{\"b\":"), INFER_E_TRUNCATED,
        "(||{\"a\":1})", "");
}

static void
test_an_array(void **state)
{
  fixture *f = *state;
  check(f, INF_FRAMING_JSON_ARRAY, S("[{\"a\":1}\r\n,\r\n{\"b\":2}]"), INFER_OK,
        "(||{\"a\":1})(||{\"b\":2})", "");
  check(f, INF_FRAMING_JSON_ARRAY, S("[{\"a\":1},{\"b\":"), INFER_E_TRUNCATED,
        "(||{\"a\":1})", "");
  check(f, INF_FRAMING_JSON_ARRAY, S("[[[[[[]]]]]]"), INFER_E_TOO_DEEP, "",
        "an event is nested deeper than max_json_depth");
}

static void
put(fixture *f, const char *name, const char *value)
{
  eventstream_put_string(&f->headers, name, value);
}

static void
message(fixture *f, const char *payload)
{
  eventstream_put_message(&f->out, &f->headers, S(payload));
  inf_buf_clear(&f->headers);
}

static void
test_messages(void **state)
{
  fixture *f = *state;
  put(f, ":event-type", "messageStart");
  put(f, ":content-type", "application/json");
  put(f, ":message-type", "event");
  message(f, "{}");
  message(f, "bare");
  put(f, ":message-type", "exception");
  put(f, ":exception-type", "throttlingException");
  message(f, "{\"message\":\"slow\"}");
  put(f, ":message-type", "error");
  put(f, ":error-code", "InternalError");
  put(f, ":error-message", "it broke");
  message(f, "");
  put(f, ":message-type", "exception");
  message(f, "x");
  check(f, INF_FRAMING_EVENTSTREAM, inf_buf_sv(&f->out), INFER_OK,
        "(messageStart||{})(||bare)(|throttlingException|{\"message\":"
        "\"slow\"})(|InternalError|it broke)(|exception|x)",
        "");
}

static void
test_what_is_wrong_with_a_message(void **state)
{
  fixture *f = *state;
  put(f, ":event-type", "a");
  message(f, "{}");
  size_t first = f->out.len;
  put(f, ":event-type", "b");
  message(f, "{}");
  check(f, INF_FRAMING_EVENTSTREAM, inf_sv_of(f->out.ptr, f->out.len - 1),
        INFER_E_TRUNCATED, "(a||{})", "a message is cut");
  f->out.ptr[f->out.len - 5] ^= 1;
  check(f, INF_FRAMING_EVENTSTREAM, inf_buf_sv(&f->out), INFER_E_PROTOCOL,
        "(a||{})", "a message's checksum is wrong");
  f->out.ptr[first + 5] ^= 1;
  check(f, INF_FRAMING_EVENTSTREAM, inf_buf_sv(&f->out), INFER_E_PROTOCOL,
        "(a||{})", "a prelude's checksum is wrong");
}

static void
test_every_framing_has_a_limit(void **state)
{
  fixture *f = *state;
  char text[300];
  memset(text, 'x', sizeof(text));
  text[0] = '"';
  const char *reason = "an event is larger than max_event_bytes";
  check(f, INF_FRAMING_NDJSON, inf_sv_of(text, sizeof(text)), INFER_E_TOO_LARGE,
        "", reason);
  eventstream_put_message(&f->out, &f->headers, inf_sv_of(text, 200));
  check(f, INF_FRAMING_EVENTSTREAM, inf_buf_sv(&f->out), INFER_E_TOO_LARGE, "",
        reason);
  inf_buf_clear(&f->out);
  inf_buf_append_cstr(&f->out, "[");
  inf_buf_append(&f->out, text, sizeof(text));
  check(f, INF_FRAMING_JSON_ARRAY, inf_buf_sv(&f->out), INFER_E_TOO_LARGE, "",
        reason);
}

static void
test_who_has_enough_hears_no_more(void **state)
{
  fixture *f = *state;
  f->log.stop_after = 1;
  check(f, INF_FRAMING_NDJSON, S("1\n2\n3"), INFER_OK, "(||1)", "");
  check(f, INF_FRAMING_JSON_ARRAY, S("[1,2,3]"), INFER_OK, "(||1)", "");
  put(f, ":event-type", "a");
  message(f, "1");
  put(f, ":event-type", "b");
  message(f, "2");
  check(f, INF_FRAMING_EVENTSTREAM, inf_buf_sv(&f->out), INFER_OK, "(a||1)",
        "");
}

/* Server-sent events have their own reader. */
static void
test_before_it_begins_it_takes_nothing(void **state)
{
  fixture *f = *state;
  assert_int_equal(
      inf_frames_feed(&f->frames, S("data: 1\n\n"), on_event, &f->log),
      INFER_E_PROTOCOL);
  assert_int_equal(inf_frames_finish(&f->frames, on_event, &f->log),
                   INFER_E_PROTOCOL);
  assert_int_equal(f->log.count, 0);
}

static void
run_short(void *arg)
{
  inf_framing framing = *(const inf_framing *)arg;
  fixture f = {0};
  inf_frames_init(&f.frames);
  inf_frames_begin(&f.frames, framing, 200, 4, 64);
  inf_sv bytes = framing == INF_FRAMING_NDJSON ? S("{\"a\":1}\n") : S("[12]");
  for (size_t i = 0; i < bytes.len; i++)
    inf_frames_feed(&f.frames, inf_sv_of(bytes.ptr + i, 1), on_event, &f.log);
  int32_t status = inf_frames_finish(&f.frames, on_event, &f.log);
  assert_int_equal(status,
                   fail_alloc_hits() > 0 ? INFER_E_NO_MEMORY : INFER_OK);
  inf_frames_fini(&f.frames);
}

static void
test_short_memory(void **state)
{
  (void)state;
  inf_framing framings[] = {INF_FRAMING_NDJSON, INF_FRAMING_JSON_ARRAY};
  fail_alloc_install();
  for (size_t i = 0; i < 2; i++)
    assert_true(fail_alloc_sweep(run_short, &framings[i]) > 0);
  fail_alloc_uninstall();
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
      TEST(test_lines),
      TEST(test_an_array),
      TEST(test_messages),
      TEST(test_what_is_wrong_with_a_message),
      TEST(test_every_framing_has_a_limit),
      TEST(test_who_has_enough_hears_no_more),
      TEST(test_before_it_begins_it_takes_nothing),
      cmocka_unit_test(test_short_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
