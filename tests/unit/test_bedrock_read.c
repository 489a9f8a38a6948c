/* SPDX-License-Identifier: MIT */
/* Answers of Bedrock's Converse, whole and as streams of messages. */
#include "support/eventstream_write.h"
#include "support/fail_alloc.h"
#include "unit/provider_support.h"

#include "provider/bedrock_read.h"

typedef struct fixture {
  reading r;
  inf_buf out, headers;
  size_t stop; /* where messageStop ends */
} fixture;

static inf_decoder_options
bedrock_options(bool stream)
{
  inf_decoder_options options = default_options(stream);
  options.kind = inf_provider_kind_find(S("bedrock"));
  return options;
}

static int
setup(void **state)
{
  fixture *f = test_calloc(1, sizeof(*f));
  inf_buf_init(&f->out, 1 << 20);
  inf_buf_init(&f->headers, 1 << 20);
  reading_init(&f->r, bedrock_options(true));
  *state = f;
  return 0;
}

static int
teardown(void **state)
{
  fixture *f = *state;
  reading_fini(&f->r);
  inf_buf_fini(&f->out);
  inf_buf_fini(&f->headers);
  test_free(f);
  return 0;
}

/* ---- Streams ------------------------------------------------------------- */

static void
put(fixture *f, const char *kind, const char *name, const char *type,
    const char *payload)
{
  inf_buf_clear(&f->headers);
  eventstream_put_string(&f->headers, ":message-type", kind);
  eventstream_put_string(&f->headers, name, type);
  eventstream_put_message(&f->out, &f->headers, S(payload));
}

static void
event(fixture *f, const char *type, const char *payload)
{
  put(f, "event", ":event-type", type, payload);
}

static void
exception(fixture *f, const char *type, const char *payload)
{
  put(f, "exception", ":exception-type", type, payload);
}

static void
end(fixture *f, const char *reason)
{
  char text[100];
  snprintf(text, sizeof(text), "{\"stopReason\":\"%s\",\"p\":\"ab\"}", reason);
  event(f, "messageStop", text);
  f->stop = f->out.len;
  event(f, "metadata",
        "{\"usage\":{\"inputTokens\":3,\"outputTokens\":5,\"totalTokens\":19,"
        "\"cacheReadInputTokens\":7,\"cacheWriteInputTokens\":4},"
        "\"metrics\":{\"latencyMs\":9},\"trace\":{\"t\":1},\"p\":\"abc\"}");
}

static int32_t
run(fixture *f)
{
  return reading_run(&f->r, 200, inf_buf_sv(&f->out), 0);
}

static const char *
json_of(const fixture *f)
{
  return inf_buf_cstr(&f->r.json);
}

static void
test_text(void **state)
{
  fixture *f = *state;
  reading_header(&f->r, "x-amzn-RequestId: id-1");
  event(f, "messageStart", "{\"role\":\"assistant\"}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\\u00e9\"}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"b\"}}");
  event(f, "contentBlockStop", "{\"contentBlockIndex\":0}");
  event(f, "somethingNew", "{\"text\":\"z\"}");
  end(f, "end_turn");
  assert_int_equal(run(f), INFER_OK);
  assert_json_at(json_of(f), "/id", "\"id-1\"");
  assert_json_at(
      json_of(f), "/choices",
      "[{\"index\":0,\"message\":{\"role\":\"assistant\","
      "\"content\":\"a\\u00e9b\",\"refusal\":null},\"logprobs\":null,"
      "\"finish_reason\":\"stop\","
      "\"native_finish_reason\":\"end_turn\"}]");
  assert_json_at(json_of(f), "/metrics", "{\"latencyMs\":9}");
  assert_json_at(json_of(f), "/trace", "{\"t\":1}");
  assert_false(json_has(json_of(f), "/p"));
}

/* Bedrock's input leaves out what the cache gave and took. */
static void
test_usage(void **state)
{
  fixture *f = *state;
  end(f, "end_turn");
  assert_int_equal(run(f), INFER_OK);
  const inf_usage *usage = &f->r.answer.usage;
  assert_int_equal(usage->input, 3 + 7 + 4);
  assert_int_equal(usage->output, 5);
  assert_int_equal(usage->cache_read, 7);
  assert_int_equal(usage->cache_write, 4);
  assert_int_equal(usage->total, 19);
  assert_int_equal(usage->reasoning, -1);
  assert_false(usage->estimated);
}

static void
test_older_names_of_usage(void **state)
{
  fixture *f = *state;
  event(f, "messageStop", "{\"stopReason\":\"end_turn\"}");
  event(f, "metadata",
        "{\"usage\":{\"inputTokens\":3,\"outputTokens\":-5,"
        "\"cacheReadInputTokenCount\":7,\"cacheWriteInputTokenCount\":0}}");
  assert_int_equal(run(f), INFER_OK);
  assert_int_equal(f->r.answer.usage.input, 10);
  assert_int_equal(f->r.answer.usage.output, -1);
  assert_int_equal(f->r.answer.usage.cache_read, 7);
  assert_int_equal(f->r.answer.usage.cache_write, 0);
}

static void
test_finish_reasons(void **state)
{
  (void)state;
  static const char *const rows[][2] = {
      {"end_turn", "stop"},
      {"stop_sequence", "stop"},
      {"max_tokens", "length"},
      {"model_context_window_exceeded", "length"},
      {"tool_use", "tool_calls"},
      {"guardrail_intervened", "content_filter"},
      {"content_filtered", "content_filter"},
      {"malformed_tool_use", "malformed_tool_use"},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    void *one;
    setup(&one);
    fixture *f = one;
    end(f, rows[i][0]);
    assert_int_equal(run(f), INFER_OK);
    assert_buf(&f->r.answer.choices[0].finish_reason, rows[i][1]);
    assert_buf(&f->r.answer.choices[0].native_finish_reason, rows[i][0]);
    teardown(&one);
  }
}

static void
test_tool_calls(void **state)
{
  fixture *f = *state;
  event(f, "contentBlockStart",
        "{\"contentBlockIndex\":1,\"start\":{\"toolUse\":{\"toolUseId\":\"t1\","
        "\"name\":\"f\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":1,\"delta\":{\"toolUse\":{\"input\":\"{\\\"a"
        "\\\"\"}}}");
  event(
      f, "contentBlockDelta",
      "{\"contentBlockIndex\":1,\"delta\":{\"toolUse\":{\"input\":\":1}\"}}}");
  event(f, "contentBlockStop", "{\"contentBlockIndex\":1}");
  event(f, "contentBlockStart",
        "{\"contentBlockIndex\":2,\"start\":{\"toolUse\":{\"toolUseId\":\"t2\","
        "\"name\":\"g\",\"type\":\"tool_use\"}}}");
  event(f, "contentBlockStop", "{\"contentBlockIndex\":2}");
  end(f, "tool_use");
  assert_int_equal(run(f), INFER_OK);
  assert_json_at(
      json_of(f), "/choices/0/message/tool_calls",
      "[{\"id\":\"t1\",\"type\":\"function\",\"function\":{\"name\":\"f\","
      "\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"t2\",\"type\":\"function\","
      "\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]");
}

static void
content(fixture *f, const char *type, int index, const char *member,
        const char *value)
{
  char text[1000];
  snprintf(text, sizeof(text), "{\"contentBlockIndex\":%d,\"%s\":%s}", index,
           member, value);
  event(f, type, text);
}

static void
start(fixture *f, int index, const char *value)
{
  content(f, "contentBlockStart", index, "start", value);
}

static void
delta(fixture *f, int index, const char *value)
{
  content(f, "contentBlockDelta", index, "delta", value);
}

static void
stop(fixture *f, int index)
{
  content(f, "contentBlockStop", index, "p", "\"abc\"");
}

#define PARTS "/choices/0/message/content_parts"

/* Nothing for the caller to run: parts, joined from their pieces. */
static void
test_tools_that_bedrock_runs(void **state)
{
  fixture *f = *state;
  start(f, 0,
        "{\"toolUse\":{\"toolUseId\":\"t\",\"name\":\"nova\","
        "\"type\":\"server_tool_use\"}}");
  delta(f, 0, "{\"toolUse\":{\"input\":\"{\\\"q\\\":\"}}");
  delta(f, 0, "{\"toolUse\":{\"input\":\"[1]}\"}}");
  stop(f, 0);
  start(f, 1, "{\"toolResult\":{\"toolUseId\":\"t\",\"status\":\"success\"}}");
  delta(f, 1, "{\"toolResult\":[{\"text\":\"x\"}]}");
  delta(f, 1, "{\"toolResult\":[{\"text\":\"\\u0041\"}]}");
  delta(f, 1,
        "{\"toolResult\":[{\"json\":{\"a\":1}},{\"text\":\"b\"},"
        "{\"text\":\"c\"}]}");
  delta(f, 1, "{\"toolResult\":[{\"text\":\"d\"}]}");
  stop(f, 1);
  delta(f, 2, "{\"text\":\"done\"}");
  end(f, "end_turn");
  assert_int_equal(run(f), INFER_OK);
  assert_int_equal(f->r.answer.choices[0].tool_call_count, 0);
  assert_buf(&f->r.answer.choices[0].text, "done");
  assert_json_at(json_of(f), PARTS,
                 "[{\"type\":\"toolUse\",\"toolUse\":{\"toolUseId\":\"t\","
                 "\"name\":\"nova\",\"type\":\"server_tool_use\",\"input\":"
                 "{\"q\":[1]}}},{\"type\":\"toolResult\",\"toolResult\":{"
                 "\"toolUseId\":\"t\",\"status\":\"success\",\"content\":["
                 "{\"text\":\"xA\"},{\"json\":{\"a\":1}},{\"text\":\"b\"},"
                 "{\"text\":\"cd\"}]}}]");
}

/* What a tool was asked that Bedrock ran, whether or not it is JSON. */
static void
test_input_of_tools_that_bedrock_runs(void **state)
{
  fixture *f = *state;
  static const char use[] = "{\"toolUse\":{\"type\":\"server_tool_use\"}}";
  start(f, 0, use);
  stop(f, 0);
  start(f, 1, use);
  delta(f, 1, "{\"toolUse\":{\"input\":\"{\\\"q\"}}");
  end(f, "max_tokens");
  assert_int_equal(run(f), INFER_OK);
  assert_json_at(
      json_of(f), PARTS,
      "[{\"type\":\"toolUse\",\"toolUse\":{\"type\":\"server_tool_use\","
      "\"input\":{}}},{\"type\":\"toolUse\",\"toolUse\":{\"type\":"
      "\"server_tool_use\",\"input\":\"{\\\"q\"}}]");
}

/* Each piece of bytes is base64 by itself, or a piece of one base64. */
static void
test_pieces_of_an_image(void **state)
{
  fixture *f = *state;
  start(f, 0, "{\"image\":{\"format\":\"png\"}}");
  delta(f, 0, "{\"image\":{\"source\":{\"bytes\":\"QQ==\"}}}");
  delta(f, 0, "{\"image\":{\"source\":{\"bytes\":\"QkNE\"}}}");
  delta(f, 0, "{\"image\":{\"source\":{\"bytes\":\"\\/\\/8=\"}}}");
  stop(f, 0);
  /* Without a start and an end. */
  delta(f, 1, "{\"image\":{\"source\":{\"bytes\":\"QUJ\"}}}");
  delta(f, 1, "{\"image\":{\"source\":{\"bytes\":\"D\"}}}");
  delta(f, 2,
        "{\"image\":{\"source\":{\"s3Location\":{\"uri\":\"s3://b/k\"}}}}");
  delta(f, 3, "{\"image\":{\"error\":{\"message\":\"no\"}}}");
  delta(f, 4, "{\"text\":\"a\"}");
  end(f, "end_turn");
  assert_int_equal(run(f), INFER_OK);
  assert_json_at(
      json_of(f), PARTS,
      "[{\"type\":\"image\",\"image\":{\"format\":\"png\",\"source\":{"
      "\"bytes\":\"QUJDRP//\"}}},{\"type\":\"image\",\"image\":{"
      "\"source\":{\"bytes\":\"QUJD\"}}},{\"type\":\"image\",\"image\":{"
      "\"source\":{\"s3Location\":{\"uri\":\"s3://b/k\"}}}},{\"type\":"
      "\"image\",\"image\":{\"error\":{\"message\":\"no\"}}}]");
  assert_buf(&f->r.answer.choices[0].text, "a");
}

static void
test_parts_count_as_the_answer_does(void **state)
{
  (void)state;
  fixture f = {0};
  inf_decoder_options options = bedrock_options(true);
  options.max_body_bytes = 100;
  inf_buf_init(&f.out, 1 << 16);
  inf_buf_init(&f.headers, 1 << 16);
  reading_init(&f.r, options);
  for (int i = 0; i < 4; i++)
    delta(&f, 0, "{\"image\":{\"source\":{\"bytes\":\"QUJDQUJDQUJD\"}}}");
  end(&f, "end_turn");
  assert_int_equal(run(&f), INFER_E_TOO_LARGE);
  reading_fini(&f.r);
  inf_buf_fini(&f.out);
  inf_buf_fini(&f.headers);
}

/* Blocks that came whole are kept as they came, known or not; what is no
 * block is none. */
static void
test_whole_parts(void **state)
{
  (void)state;
#define IMAGE  "{\"format\":\"png\",\"source\":{\"bytes\":\"QQ==\"}}"
#define RESULT "{\"toolUseId\":\"t\",\"content\":[{\"text\":\"x\"}]}"
#define USE                                                     \
  "{\"toolUseId\":\"t\",\"name\":\"n\",\"input\":{\"q\":1.50}," \
  "\"type\":\"server_tool_use\"}"
#define ANSWER(content)                                                    \
  "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[" content \
  "]}},\"stopReason\":\"end_turn\"}"
  static const char *const blocks[][2] = {
      {"image", IMAGE},
      {"audio", "{\"format\":\"wav\"}"},
      {"document", "{\"name\":\"d\"}"},
      {"video", "{\"format\":\"mp4\"}"},
      {"toolUse", USE},
      {"toolResult", RESULT},
      {"searchResult", "{\"title\":\"s\"}"},
      {"guardContent", "{\"text\":{\"text\":\"g\"}}"},
      {"notYetKnown", "{\"a\":[1]}"},
      {"listed", "[{\"a\":1}]"},
  };
  for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
    char body[600], wanted[300];
    reading r;
    snprintf(body, sizeof(body),
             ANSWER("{\"text\":\"a\"},{\"%s\":%s},{\"n\":1,\"s\":\"x\","
                    "\"image\":null}"),
             blocks[i][0], blocks[i][1]);
    snprintf(wanted, sizeof(wanted), "[{\"type\":\"%s\",\"%s\":%s}]",
             blocks[i][0], blocks[i][0], blocks[i][1]);
    reading_init(&r, bedrock_options(false));
    assert_int_equal(reading_run(&r, 200, S(body), 0), INFER_OK);
    assert_json_at(inf_buf_cstr(&r.json), PARTS, wanted);
    assert_buf(&r.answer.choices[0].text, "a");
    assert_int_equal(r.answer.choices[0].tool_call_count, 0);
    reading_fini(&r);
  }
}

static void
test_reasoning_and_what_it_needs_to_be_sent_back(void **state)
{
  fixture *f = *state;
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":"
        "\"hm\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":"
        "\"m\\n\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{"
        "\"signature\":\"S1\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":1,\"delta\":{\"reasoningContent\":{"
        "\"redactedContent\":\"cmVk\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":2,\"delta\":{\"text\":\"a\"}}");
  end(f, "end_turn");
  assert_int_equal(run(f), INFER_OK);
  assert_json_at(json_of(f), "/choices/0/message/reasoning_content",
                 "\"hmm\\n\"");
  assert_json_at(
      json_of(f), "/choices/0/message/reasoning_details",
      "[{\"type\":\"reasoning.text\",\"index\":0,\"text\":\"hmm\\n\","
      "\"signature\":\"S1\"},{\"type\":\"reasoning.encrypted\","
      "\"index\":1,\"data\":\"cmVk\"}]");
}

static void
test_citations(void **state)
{
  fixture *f = *state;
  event(
      f, "contentBlockDelta",
      "{\"contentBlockIndex\":0,\"delta\":{\"citation\":{\"title\":\"t1\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"}}");
  event(
      f, "contentBlockDelta",
      "{\"contentBlockIndex\":0,\"delta\":{\"citation\":{\"title\":\"t2\"}}}");
  end(f, "end_turn");
  assert_int_equal(run(f), INFER_OK);
  assert_json_at(json_of(f), "/choices/0/message/citations",
                 "[{\"title\":\"t1\"},{\"title\":\"t2\"}]");
}

/* ---- Ends ---------------------------------------------------------------- */

static void
test_a_cut_before_the_end_is_no_success(void **state)
{
  fixture *f = *state;
  event(f, "messageStart", "{\"role\":\"assistant\"}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"}}");
  event(f, "contentBlockStop", "{\"contentBlockIndex\":0}");
  end(f, "end_turn");
  for (size_t cut = 0; cut <= f->out.len; cut++) {
    reading r;
    reading_init(&r, bedrock_options(true));
    reading_run(&r, 200, inf_sv_of(f->out.ptr, cut), 0);
    assert_int_equal(r.status, cut < f->stop ? INFER_E_TRUNCATED : INFER_OK);
    /* Usage that did not come is marked. */
    if (r.status == INFER_OK)
      assert_int_equal(r.answer.usage.estimated, cut < f->out.len);
    reading_fini(&r);
  }
}

static void
test_exceptions(void **state)
{
  (void)state;
  static const struct {
    const char *type;
    int32_t status;
  } rows[] = {
      {"internalServerException", INFER_E_SERVER},
      {"modelStreamErrorException", INFER_E_OVERLOADED},
      {"modelTimeoutException", INFER_E_SERVER},
      {"serviceUnavailableException", INFER_E_OVERLOADED},
      {"throttlingException", INFER_E_RATE_LIMITED},
      {"validationException", INFER_E_BAD_REQUEST},
      {"newException", INFER_E_SERVER},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    void *one;
    setup(&one);
    fixture *f = one;
    event(f, "contentBlockDelta",
          "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"a\"}}");
    exception(f, rows[i].type, "{\"message\":\"why \\u0041\"}");
    event(f, "contentBlockDelta",
          "{\"contentBlockIndex\":0,\"delta\":{\"text\":\"b\"}}");
    assert_int_equal(run(f), rows[i].status);
    assert_buf(&f->r.decoder.failure.message, "why A");
    assert_buf(&f->r.decoder.failure.type, rows[i].type);
    assert_buf(&f->r.answer.choices[0].text, "a");
    teardown(&one);
  }
}

/* What an exception says may be anything; the end after it is none. */
static void
test_odd_exceptions(void **state)
{
  fixture *f = *state;
  put(f, "error", ":error-code", "InternalError", "no \"JSON\" \xff");
  exception(f, "throttlingException", "{}");
  end(f, "end_turn");
  assert_int_equal(run(f), INFER_E_SERVER);
  assert_buf(&f->r.decoder.failure.message, "no \"JSON\" \xEF\xBF\xBD");
  assert_buf(&f->r.decoder.failure.type, "InternalError");
  /* Its cost is known. */
  assert_int_equal(f->r.answer.usage.output, 5);
}

static void
test_an_end_without_an_answer_is_none(void **state)
{
  fixture *f = *state;
  event(f, "messageStop", "{}");
  event(f, "metadata", "{}");
  assert_int_equal(run(f), INFER_E_PROTOCOL);
}

/* ---- Whole bodies -------------------------------------------------------- */

static void
test_a_whole_answer_is_as_the_stream(void **state)
{
  fixture *f = *state;
  static const char body[] =
      "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":["
      "{\"reasoningContent\":{\"reasoningText\":{\"text\":\"hm\","
      "\"signature\":\"S\"}}},"
      "{\"reasoningContent\":{\"redactedContent\":\"cg==\"}},"
      "{\"citationsContent\":{\"content\":[{\"text\":\"a\"},{\"text\":\"b\"}],"
      "\"citations\":[{\"title\":\"t\"}]}},{\"text\":\"c\"},"
      "{\"toolUse\":{\"toolUseId\":\"t1\",\"name\":\"f\",\"input\":{\"x\":1}}},"
      "{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"QUI=\"}}}"
      "]}},\"stopReason\":\"tool_use\",\"usage\":{\"inputTokens\":3,"
      "\"outputTokens\":5,\"totalTokens\":19,\"cacheReadInputTokens\":7,"
      "\"cacheWriteInputTokens\":4},\"metrics\":{\"latencyMs\":9},"
      "\"trace\":{\"t\":1}}";
  event(f, "messageStart", "{\"role\":\"assistant\"}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":"
        "\"hm\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{"
        "\"signature\":\"S\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":1,\"delta\":{\"reasoningContent\":{"
        "\"redactedContent\":\"cg==\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":2,\"delta\":{\"text\":\"ab\"}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":2,\"delta\":{\"citation\":{\"title\":\"t\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":3,\"delta\":{\"text\":\"c\"}}");
  event(f, "contentBlockStart",
        "{\"contentBlockIndex\":4,\"start\":{\"toolUse\":{\"toolUseId\":\"t1\","
        "\"name\":\"f\"}}}");
  event(f, "contentBlockDelta",
        "{\"contentBlockIndex\":4,\"delta\":{\"toolUse\":{\"input\":"
        "\"{\\\"x\\\":1}\"}}}");
  start(f, 5, "{\"image\":{\"format\":\"png\"}}");
  delta(f, 5, "{\"image\":{\"source\":{\"bytes\":\"QQ==\"}}}");
  delta(f, 5, "{\"image\":{\"source\":{\"bytes\":\"Qg==\"}}}");
  stop(f, 5);
  end(f, "tool_use");
  assert_int_equal(run(f), INFER_OK);
  for (int stream = 0; stream <= 1; stream++) {
    reading r;
    reading_init(&r, bedrock_options(stream));
    assert_int_equal(reading_run(&r, 200, S(body), 0), INFER_OK);
    assert_json(inf_buf_cstr(&r.json), json_of(f));
    reading_fini(&r);
  }
}

static void
test_bodies_that_are_no_answer(void **state)
{
  (void)state;
  static const struct {
    const char *body;
    int32_t status;
  } rows[] = {
      {"{}", INFER_E_PROTOCOL},
      {"{\"output\":{}}", INFER_E_PROTOCOL},
      {"[]", INFER_E_PROTOCOL},
      {"<html>", INFER_E_PROTOCOL},
      {"{\"output\":{\"message\":{\"content\":[{\"text\":\"",
       INFER_E_TRUNCATED},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    reading r;
    reading_init(&r, bedrock_options(false));
    assert_int_equal(reading_run(&r, 200, S(rows[i].body), 0), rows[i].status);
    reading_fini(&r);
  }
}

/* The type stands in a header, with an address behind it. */
static void
test_http_errors(void **state)
{
  (void)state;
  static const struct {
    int http_status;
    const char *type, *message;
    int32_t status;
  } rows[] = {
      {400, "ValidationException", "Input is too long for requested model.",
       INFER_E_CONTEXT_LENGTH},
      {400, "ValidationException", "The model does not exist.",
       INFER_E_BAD_REQUEST},
      {403, "AccessDeniedException", "no", INFER_E_AUTH},
      {403, "ExpiredTokenException", "expired", INFER_E_AUTH},
      {404, "ResourceNotFoundException", "none", INFER_E_NOT_FOUND},
      {424, "ModelErrorException", "x", INFER_E_OVERLOADED},
      {429, "ThrottlingException", "Too many tokens, please wait",
       INFER_E_RATE_LIMITED},
      {429, "ModelNotReadyException", "wait", INFER_E_OVERLOADED},
      {503, "ServiceUnavailableException",
       "Model is getting throttled. Try your request again.",
       INFER_E_RATE_LIMITED},
      {503, "ServiceUnavailableException", "x", INFER_E_OVERLOADED},
      {500, "InternalServerException", "x", INFER_E_SERVER},
  };
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char line[200], body[200];
    reading r;
    snprintf(line, sizeof(line),
             "x-amzn-ErrorType: %s:http://internal.amazon.com/coral/x/",
             rows[i].type);
    snprintf(body, sizeof(body), "{\"message\":\"%s\"}", rows[i].message);
    reading_init(&r, bedrock_options(true));
    reading_header(&r, line);
    assert_int_equal(reading_run(&r, rows[i].http_status, S(body), 0),
                     rows[i].status);
    assert_buf(&r.decoder.failure.type, rows[i].type);
    assert_buf(&r.decoder.failure.message, rows[i].message);
    reading_fini(&r);
  }
}

/* ---- Memory -------------------------------------------------------------- */

typedef struct short_run {
  inf_sv bytes;
  int32_t status;
} short_run;

static void
decode_short(void *arg)
{
  const short_run *s = arg;
  reading r;
  inf_decoder_options options = bedrock_options(true);
  r = (reading){.options = options};
  inf_answer_init(&r.answer, options.max_body_bytes);
  inf_headers_init(&r.headers, 16);
  inf_decoder_init(&r.decoder, &options, &r.answer);
  inf_decoder_headers(&r.decoder, 200, &r.headers, 0);
  inf_decoder_feed(&r.decoder, s->bytes.ptr, s->bytes.len);
  int32_t status = inf_decoder_end(&r.decoder, true);
  if (fail_alloc_hits() == 0)
    assert_int_equal(status, s->status);
  else
    assert_true(status == INFER_E_NO_MEMORY || status == s->status);
  inf_decoder_fini(&r.decoder);
  inf_answer_fini(&r.answer);
  inf_headers_fini(&r.headers);
}

static char *
copy_of(const inf_buf *buf)
{
  char *copy = malloc(buf->len);
  assert_non_null(copy);
  memcpy(copy, buf->ptr, buf->len);
  return copy;
}

static void
test_short_memory(void **state)
{
  (void)state;
  fixture f = {0};
  inf_buf_init(&f.out, 1 << 16);
  inf_buf_init(&f.headers, 1 << 16);
  event(&f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"reasoningContent\":{\"text\":"
        "\"h\\u0041\"}}}");
  event(&f, "contentBlockDelta",
        "{\"contentBlockIndex\":0,\"delta\":{\"citation\":{\"a\":\"\xff\"}}}");
  event(&f, "contentBlockStart",
        "{\"contentBlockIndex\":1,\"start\":{\"toolUse\":{\"toolUseId\":\"t\","
        "\"name\":\"f\"}}}");
  event(&f, "contentBlockStop", "{\"contentBlockIndex\":1}");
  delta(&f, 2, "{\"image\":{\"source\":{\"bytes\":\"QQ==\",\"s\":1}}}");
  delta(&f, 2, "{\"image\":{\"source\":{\"bytes\":\"QQ==\"}}}");
  delta(&f, 3, "{\"toolResult\":[{\"text\":\"x\"}]}");
  delta(&f, 4, "{\"toolUse\":{\"input\":\"{}\",\"name\":\"n\"}}");
  stop(&f, 4);
  size_t before = f.out.len;
  end(&f, "tool_use");
  char *whole = copy_of(&f.out);
  short_run answer = {inf_sv_of(whole, f.out.len), INFER_OK};
  inf_buf_truncate(&f.out, before);
  exception(&f, "throttlingException", "{\"message\":\"a\\u0041\"}");
  char *failed = copy_of(&f.out);
  short_run error = {inf_sv_of(failed, f.out.len), INFER_E_RATE_LIMITED};
  inf_buf_fini(&f.out);
  inf_buf_fini(&f.headers);
  fail_alloc_install();
  assert_true(fail_alloc_sweep(decode_short, &answer) > 8);
  assert_true(fail_alloc_sweep(decode_short, &error) > 8);
  fail_alloc_uninstall();
  free(whole);
  free(failed);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
      TEST(test_text),
      TEST(test_usage),
      TEST(test_older_names_of_usage),
      cmocka_unit_test(test_finish_reasons),
      TEST(test_tool_calls),
      TEST(test_tools_that_bedrock_runs),
      TEST(test_input_of_tools_that_bedrock_runs),
      TEST(test_pieces_of_an_image),
      cmocka_unit_test(test_parts_count_as_the_answer_does),
      cmocka_unit_test(test_whole_parts),
      TEST(test_reasoning_and_what_it_needs_to_be_sent_back),
      TEST(test_citations),
      TEST(test_a_cut_before_the_end_is_no_success),
      cmocka_unit_test(test_exceptions),
      TEST(test_odd_exceptions),
      TEST(test_an_end_without_an_answer_is_none),
      TEST(test_a_whole_answer_is_as_the_stream),
      cmocka_unit_test(test_bodies_that_are_no_answer),
      cmocka_unit_test(test_http_errors),
      cmocka_unit_test(test_short_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
