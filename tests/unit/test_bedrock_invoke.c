/* SPDX-License-Identifier: MIT */
/* Anthropic's events in Bedrock's messages. */
#include "support/eventstream_write.h"
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

#include "provider/anthropic_read.h"
#include "provider/bedrock_invoke.h"
#include "wire/base64.h"

static const inf_dialect dialect = {
    .name = "invoke",
    .framing = INF_FRAMING_EVENTSTREAM,
    .read_body = inf_anthropic_read_body,
    .read_event = inf_bedrock_invoke_read_event,
};
static const inf_provider_kind kind = {
    .type = "invoke",
    .dialect = &dialect,
    .request_id_headers = "x-amzn-requestid",
};

typedef struct fixture {
  reading r;
  inf_buf out, headers;
} fixture;

static void
begin(fixture *f)
{
  inf_decoder_options options = default_options(true);
  options.kind = &kind;
  reading_init(&f->r, options);
  inf_buf_init(&f->out, 1 << 16);
  inf_buf_init(&f->headers, 1 << 16);
}

static void
end(fixture *f)
{
  reading_fini(&f->r);
  inf_buf_fini(&f->out);
  inf_buf_fini(&f->headers);
}

static void
put(fixture *f, const char *message, const char *type, const char *payload)
{
  inf_buf_clear(&f->headers);
  eventstream_put_string(&f->headers, ":message-type", message);
  eventstream_put_string(
      &f->headers,
      strcmp(message, "event") == 0 ? ":event-type" : ":exception-type", type);
  eventstream_put_message(&f->out, &f->headers, S(payload));
}

static void
chunk(fixture *f, const char *event)
{
  inf_buf payload;
  inf_buf_init(&payload, 1 << 16);
  inf_buf_append_cstr(&payload, "{\"p\":\"ab\",\"bytes\":\"");
  inf_base64_put(&payload, S(event));
  inf_buf_append_cstr(&payload, "\"}");
  put(f, "event", "chunk", inf_buf_cstr(&payload));
  inf_buf_fini(&payload);
}

static void
delta(fixture *f, const char *text)
{
  char event[200];
  snprintf(event, sizeof(event),
           "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
           "\"text_delta\",\"text\":\"%s\"}}",
           text);
  chunk(f, event);
}

static void
test_an_answer(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  chunk(&f, "{\"type\":\"message_start\",\"message\":{\"id\":\"m1\",\"model\":"
            "\"claude\",\"usage\":{\"input_tokens\":3}}}");
  delta(&f, "a");
  put(&f, "event", "new", "{}");
  delta(&f, "b");
  chunk(&f, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
            "\"end_turn\"},\"usage\":{\"output_tokens\":2}}");
  chunk(&f, "{\"type\":\"message_stop\"}");
  assert_int_equal(reading_run(&f.r, 200, inf_buf_sv(&f.out), 0), INFER_OK);
  assert_buf(&f.r.answer.choices[0].text, "ab");
  assert_buf(&f.r.answer.choices[0].finish_reason, "stop");
  assert_buf(&f.r.answer.id, "m1");
  assert_int_equal(f.r.answer.usage.input, 3);
  assert_int_equal(f.r.answer.usage.output, 2);
  assert_int_equal(f.r.decoder.skipped_events, 0);
  end(&f);
}

/* A chunk that holds no event is passed over, and counted. */
static void
test_odd_chunks(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  put(&f, "event", "chunk", "no JSON");
  put(&f, "event", "chunk", "{}");
  put(&f, "event", "chunk", "{\"bytes\":\"!\"}");
  chunk(&f, "no JSON");
  delta(&f, "a");
  assert_int_equal(reading_run(&f.r, 200, inf_buf_sv(&f.out), 1),
                   INFER_E_TRUNCATED);
  assert_int_equal(f.r.decoder.skipped_events, 4);
  assert_buf(&f.r.answer.choices[0].text, "a");
  end(&f);
}

static void
test_an_exception(void **state)
{
  (void)state;
  fixture f;
  begin(&f);
  delta(&f, "a");
  put(&f, "exception", "modelTimeoutException", "{\"message\":\"late\"}");
  assert_int_equal(reading_run(&f.r, 200, inf_buf_sv(&f.out), 0),
                   INFER_E_SERVER);
  assert_buf(&f.r.decoder.failure.message, "late");
  assert_int_equal(f.r.decoder.failure.body_status, 408);
  end(&f);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_answer),
      cmocka_unit_test(test_odd_chunks),
      cmocka_unit_test(test_an_exception),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
