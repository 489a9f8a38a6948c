/* SPDX-License-Identifier: MIT */
/* What goes wrong between a provider and a client, for every dialect alike: a
 * page from a proxy, nothing at all, another content type, events and words
 * that are not known yet, figures that are strings, values of other types,
 * errors in a success. One table has a small answer of each dialect, whole and
 * as a stream; each test does the same to all of them. */
#include "support/eventstream_write.h"
#include "unit/provider_support.h"
#include "unit/writer_support.h"

enum { most_events = 8 };

typedef struct event {
  const char *type; /* of the framing; NULL: it has none */
  const char *json; /* with single quotes */
} event;

typedef struct language {
  const char *type; /* of the catalogue */
  const char *whole;
  event events[most_events];
  const char *finish;    /* the word for its end */
  const char *input;     /* the figure of its prompt, as it stands in both */
  const char *error;     /* an error as the provider writes it */
  event error_event;     /* and in a stream */
  const char *arguments; /* a piece of a call's arguments, where those are
                          * text; NULL: they are objects */
} language;

/* Each says "Hi", calls f, and has read 31 tokens. */
static const language languages[] = {
    {
        .type = "openai",
        .whole = "{'id':'i','object':'chat.completion','created':1,'model':'m',"
                 "'choices':[{'index':0,'message':{'role':'assistant',"
                 "'content':'Hi','tool_calls':[{'id':'c1','type':'function',"
                 "'function':{'name':'f','arguments':'{}'}}]},"
                 "'finish_reason':'tool_calls'}],'usage':{'prompt_tokens':31,"
                 "'completion_tokens':2,'total_tokens':33}}",
        .events =
            {
                {NULL, "{'id':'i','object':'chat.completion.chunk','created':1,"
                       "'model':'m','choices':[{'index':0,'delta':{'role':"
                       "'assistant','content':'Hi'},'finish_reason':null}]}"},
                {NULL,
                 "{'id':'i','object':'chat.completion.chunk','created':1,"
                 "'model':'m','choices':[{'index':0,'delta':{'tool_calls':"
                 "[{'index':0,'id':'c1','type':'function','function':{'name':"
                 "'f','arguments':'{}'}}]},'finish_reason':null}]}"},
                {NULL, "{'id':'i','object':'chat.completion.chunk','created':1,"
                       "'model':'m','choices':[{'index':0,'delta':{},"
                       "'finish_reason':'tool_calls'}],'usage':{"
                       "'prompt_tokens':31,'completion_tokens':2,"
                       "'total_tokens':33}}"},
                {NULL, "[DONE]"},
            },
        .finish = "'tool_calls'}",
        .input = "'prompt_tokens':31",
        .error = "{'error':{'message':'busy','type':'server_error'}}",
        .error_event = {NULL, "{'error':{'message':'busy','type':"
                              "'server_error'}}"},
        .arguments = "'arguments':'{}'",
    },
    {
        .type = "openai-responses",
        .whole =
            "{'id':'i','object':'response','created_at':1,'model':'m','status':"
            "'completed','output':[{'type':'message','id':'o1','role':"
            "'assistant','status':'completed','content':[{'type':"
            "'output_text','text':'Hi','annotations':[]}]},{'type':"
            "'function_call','id':'o2','call_id':'c1','name':'f','arguments':"
            "'{}','status':'completed'}],'usage':{'input_tokens':31,"
            "'output_tokens':2,'total_tokens':33}}",
        .events =
            {
                {"response.created",
                 "{'type':'response.created','response':{'id':'i','object':"
                 "'response','created_at':1,'model':'m','status':"
                 "'in_progress','output':[]}}"},
                {"response.output_item.added",
                 "{'type':'response.output_item.added','output_index':0,'item':"
                 "{'type':'message','id':'o1','role':'assistant','content':[]}"
                 "}"},
                {"response.output_text.delta",
                 "{'type':'response.output_text.delta','item_id':'o1',"
                 "'output_index':0,'content_index':0,'delta':'Hi'}"},
                {"response.output_item.added",
                 "{'type':'response.output_item.added','output_index':1,'item':"
                 "{'type':'function_call','id':'o2','call_id':'c1','name':'f',"
                 "'arguments':''}}"},
                {"response.function_call_arguments.delta",
                 "{'type':'response.function_call_arguments.delta','item_id':"
                 "'o2','output_index':1,'delta':'{}'}"},
                {"response.completed",
                 "{'type':'response.completed','response':{'id':'i','object':"
                 "'response','created_at':1,'model':'m','status':'completed',"
                 "'output':[],'usage':{'input_tokens':31,'output_tokens':2,"
                 "'total_tokens':33}}}"},
            },
        .input = "'input_tokens':31",
        .error = "{'error':{'message':'busy','type':'server_error'}}",
        .error_event = {"error", "{'type':'error','code':'server_error',"
                                 "'message':'busy','param':null}"},
        .arguments = "'delta':'{}'",
    },
    {
        .type = "anthropic",
        .whole = "{'id':'i','type':'message','role':'assistant','model':'m',"
                 "'content':[{'type':'text','text':'Hi'},{'type':'tool_use',"
                 "'id':'c1','name':'f','input':{}}],'stop_reason':'tool_use',"
                 "'usage':{'input_tokens':31,'output_tokens':2}}",
        .events =
            {
                {"message_start",
                 "{'type':'message_start','message':{'id':'i','type':'message',"
                 "'role':'assistant','model':'m','content':[],'stop_reason':"
                 "null,'usage':{'input_tokens':31,'output_tokens':1}}}"},
                {"content_block_start",
                 "{'type':'content_block_start','index':0,'content_block':{"
                 "'type':'text','text':''}}"},
                {"content_block_delta",
                 "{'type':'content_block_delta','index':0,'delta':{'type':"
                 "'text_delta','text':'Hi'}}"},
                {"content_block_stop",
                 "{'type':'content_block_stop','index':0}"},
                {"content_block_start",
                 "{'type':'content_block_start','index':1,'content_block':{"
                 "'type':'tool_use','id':'c1','name':'f','input':{}}}"},
                {"content_block_delta",
                 "{'type':'content_block_delta','index':1,'delta':{'type':"
                 "'input_json_delta','partial_json':'{}'}}"},
                {"message_delta",
                 "{'type':'message_delta','delta':{'stop_reason':'tool_use',"
                 "'stop_sequence':null},'usage':{'output_tokens':2}}"},
                {"message_stop", "{'type':'message_stop'}"},
            },
        .finish = "'stop_reason':'tool_use'",
        .input = "'input_tokens':31",
        .error = "{'type':'error','error':{'type':'overloaded_error',"
                 "'message':'busy'}}",
        .error_event = {"error", "{'type':'error','error':{'type':"
                                 "'overloaded_error','message':'busy'}}"},
        .arguments = "'partial_json':'{}'",
    },
    {
        .type = "gemini",
        .whole = "{'candidates':[{'content':{'parts':[{'text':'Hi'},{"
                 "'functionCall':{'name':'f','args':{}}}],'role':'model'},"
                 "'finishReason':'STOP','index':0}],'usageMetadata':{"
                 "'promptTokenCount':31,'candidatesTokenCount':2,"
                 "'totalTokenCount':33},'modelVersion':'m','responseId':'i'}",
        .events =
            {
                {NULL, "{'candidates':[{'content':{'parts':[{'text':'Hi'}],"
                       "'role':'model'},'index':0}],'modelVersion':'m',"
                       "'responseId':'i'}"},
                {NULL, "{'candidates':[{'content':{'parts':[{'functionCall':{"
                       "'name':'f','args':{}}}],'role':'model'},"
                       "'finishReason':'STOP','index':0}],'usageMetadata':{"
                       "'promptTokenCount':31,'candidatesTokenCount':2,"
                       "'totalTokenCount':33},'modelVersion':'m','responseId':"
                       "'i'}"},
            },
        .finish = "'finishReason':'STOP'",
        .input = "'promptTokenCount':31",
        .error = "{'error':{'code':503,'message':'busy','status':"
                 "'UNAVAILABLE'}}",
        .error_event = {NULL, "{'error':{'code':503,'message':'busy','status':"
                              "'UNAVAILABLE'}}"},
    },
    {
        .type = "bedrock",
        .whole = "{'output':{'message':{'role':'assistant','content':[{'text':"
                 "'Hi'},{'toolUse':{'toolUseId':'c1','name':'f','input':{}}}]}}"
                 ",'stopReason':'tool_use','usage':{'inputTokens':31,"
                 "'outputTokens':2,'totalTokens':33},'metrics':{'latencyMs':1}"
                 "}",
        .events =
            {
                {"messageStart", "{'role':'assistant'}"},
                {"contentBlockDelta",
                 "{'contentBlockIndex':0,'delta':{'text':'Hi'}}"},
                {"contentBlockStop", "{'contentBlockIndex':0}"},
                {"contentBlockStart", "{'contentBlockIndex':1,'start':{"
                                      "'toolUse':{'toolUseId':'c1','name':'f'}"
                                      "}}"},
                {"contentBlockDelta", "{'contentBlockIndex':1,'delta':{"
                                      "'toolUse':{'input':'{}'}}}"},
                {"contentBlockStop", "{'contentBlockIndex':1}"},
                {"messageStop", "{'stopReason':'tool_use'}"},
                {"metadata", "{'usage':{'inputTokens':31,'outputTokens':2,"
                             "'totalTokens':33},'metrics':{'latencyMs':1}}"},
            },
        .finish = "'stopReason':'tool_use'",
        .input = "'inputTokens':31",
        .error = "{'message':'busy','__type':'ServiceUnavailableException'}",
        .arguments = "'input':'{}'",
    },
    {
        .type = "cohere",
        .whole = "{'id':'i','finish_reason':'TOOL_CALL','message':{'role':"
                 "'assistant','content':[{'type':'text','text':'Hi'}],"
                 "'tool_calls':[{'id':'c1','type':'function','function':{"
                 "'name':'f','arguments':'{}'}}]},'usage':{'tokens':{"
                 "'input_tokens':31,'output_tokens':2}}}",
        .events =
            {
                {"message-start",
                 "{'id':'i','type':'message-start','delta':{'message':{'role':"
                 "'assistant','content':[],'tool_calls':[]}}}"},
                {"content-start",
                 "{'type':'content-start','index':0,'delta':{'message':{"
                 "'content':{'type':'text','text':''}}}}"},
                {"content-delta", "{'type':'content-delta','index':0,'delta':{"
                                  "'message':{'content':{'text':'Hi'}}}}"},
                {"tool-call-start",
                 "{'type':'tool-call-start','index':0,'delta':{'message':{"
                 "'tool_calls':{'id':'c1','type':'function','function':{'name':"
                 "'f','arguments':''}}}}}"},
                {"tool-call-delta",
                 "{'type':'tool-call-delta','index':0,'delta':{'message':{"
                 "'tool_calls':{'function':{'arguments':'{}'}}}}}"},
                {"message-end", "{'type':'message-end','delta':{"
                                "'finish_reason':'TOOL_CALL','usage':{'tokens':"
                                "{'input_tokens':31,'output_tokens':2}}}}"},
            },
        .finish = "'finish_reason':'TOOL_CALL'",
        .input = "'input_tokens':31",
        .error = "{'id':'i','message':'busy'}",
        .arguments = "'arguments':'{}'",
    },
    {
        .type = "ollama",
        .whole = "{'model':'m','created_at':'2026-08-02T17:43:57.5Z','message':"
                 "{'role':'assistant','content':'Hi','tool_calls':[{'function':"
                 "{'name':'f','arguments':{}}}]},'done':true,'done_reason':"
                 "'stop','prompt_eval_count':31,'eval_count':2}",
        .events =
            {
                {NULL, "{'model':'m','created_at':'2026-08-02T17:43:57.5Z',"
                       "'message':{'role':'assistant','content':'Hi'},'done':"
                       "false}"},
                {NULL, "{'model':'m','created_at':'2026-08-02T17:43:57.5Z',"
                       "'message':{'role':'assistant','content':'',"
                       "'tool_calls':[{'function':{'name':'f','arguments':{}}}]"
                       "},'done':false}"},
                {NULL, "{'model':'m','created_at':'2026-08-02T17:43:58Z',"
                       "'message':{'role':'assistant','content':''},'done':"
                       "true,'done_reason':'stop','prompt_eval_count':31,"
                       "'eval_count':2}"},
            },
        .finish = "'done_reason':'stop'",
        .input = "'prompt_eval_count':31",
        .error = "{'error':'busy'}",
        .error_event = {NULL, "{'error':'busy'}"},
    },
};

enum { language_count = sizeof(languages) / sizeof(languages[0]) };

/* ---- Framing ------------------------------------------------------------- */

static inf_framing
framing_of(const language *l)
{
  return inf_provider_kind_find(S(l->type))->dialect->framing;
}

static void
put_event(const language *l, const event *e, inf_buf *out)
{
  char *json = quoted(e->json);
  inf_buf headers;
  inf_buf_init(&headers, 1024);
  switch (framing_of(l)) {
  case INF_FRAMING_NDJSON:
    inf_buf_appendf(out, "%s\n", json);
    break;
  case INF_FRAMING_EVENTSTREAM:
    eventstream_put_string(&headers, ":message-type", "event");
    eventstream_put_string(&headers, ":event-type", e->type);
    eventstream_put_message(out, &headers, S(json));
    break;
  default:
    if (e->type)
      inf_buf_appendf(out, "event: %s\n", e->type);
    inf_buf_appendf(out, "data: %s\n\n", json);
  }
  inf_buf_fini(&headers);
  free(json);
}

static size_t
event_count(const language *l)
{
  size_t count = 0;
  while (count < most_events && l->events[count].json)
    count++;
  return count;
}

/* A copy in which one text stands in place of another. */
static char *
with(const char *text, const char *old, const char *new)
{
  const char *at = old ? strstr(text, old) : NULL;
  if (!at)
    return strdup(text);
  size_t len = strlen(text) + strlen(new) + 1, before = (size_t)(at - text);
  char *copy = malloc(len);
  snprintf(copy, len, "%.*s%s%s", (int)before, text, new, at + strlen(old));
  return copy;
}

/* The answer, whole or streamed, with that change. */
static void
write_answer(const language *l, bool stream, const char *old, const char *new,
             inf_buf *out)
{
  if (!stream) {
    char *changed = with(l->whole, old, new), *json = quoted(changed);
    inf_buf_append_cstr(out, json);
    free(changed);
    free(json);
    return;
  }
  for (size_t i = 0; i < event_count(l); i++) {
    char *changed = with(l->events[i].json, old, new);
    const event e = {l->events[i].type, changed};
    put_event(l, &e, out);
    free(changed);
  }
}

/* ---- Reading ------------------------------------------------------------- */

static const char *
usual_type(const language *l, bool stream)
{
  if (!stream)
    return "application/json";
  switch (framing_of(l)) {
  case INF_FRAMING_NDJSON:
    return "application/x-ndjson";
  case INF_FRAMING_EVENTSTREAM:
    return "application/vnd.amazon.eventstream";
  default:
    return "text/event-stream";
  }
}

static int32_t
read_bytes(reading *r, const language *l, bool stream, int http_status,
           const char *type, inf_sv body, size_t step)
{
  char line[80];
  inf_decoder_options options = default_options(stream);
  options.kind = inf_provider_kind_find(S(l->type));
  assert_non_null(options.kind);
  reading_init(r, options);
  snprintf(line, sizeof(line), "Content-Type: %s",
           type ? type : usual_type(l, stream));
  reading_header(r, line);
  return reading_run(r, http_status, body, step);
}

static int32_t
read_text(const language *l, bool stream, int http_status, const char *type,
          const char *text)
{
  reading r;
  int32_t status = read_bytes(&r, l, stream, http_status, type, S(text), 0);
  reading_fini(&r);
  return status;
}

static void
expect(const language *l, bool stream, int32_t status, int32_t wanted)
{
  if (status != wanted)
    fail_msg("%s, %s: %s, expected %s", l->type, stream ? "stream" : "whole",
             infer_status_name(status), infer_status_name(wanted));
}

/* Says it what it should? */
static void
check_answer(const language *l, bool stream, const reading *r)
{
  const inf_choice *choice = inf_answer_choice(&r->answer, 0);
  expect(l, stream, r->status, INFER_OK);
  assert_non_null(choice);
  assert_buf(&choice->text, "Hi");
  assert_int_equal(choice->tool_call_count, 1);
  assert_buf(&choice->tool_calls[0].name, "f");
  if (r->answer.usage.input != 31 || r->answer.usage.output != 2)
    fail_msg("%s, %d: usage %lld, %lld", l->type, stream,
             (long long)r->answer.usage.input,
             (long long)r->answer.usage.output);
}

#define EACH(l, stream)                \
  const language *l = languages;       \
  l < languages + language_count; l++)  \
    for (int stream = 0; stream < 2; stream++

/* ---- Tests --------------------------------------------------------------- */

/* The table is right: nothing else would show anything. */
static void
test_the_answers_are_read(void **state)
{
  (void)state;
  for (EACH(l, stream)) {
    for (size_t step = 0; step < 9; step++) {
      inf_buf body;
      reading r;
      inf_buf_init(&body, SIZE_MAX);
      write_answer(l, stream, NULL, "", &body);
      read_bytes(&r, l, stream, 200, NULL, inf_buf_sv(&body), step);
      check_answer(l, stream, &r);
      assert_buf(&inf_answer_choice(&r.answer, 0)->tool_calls[0].arguments,
                 "{}");
      assert_buf(&inf_answer_choice(&r.answer, 0)->finish_reason, "tool_calls");
      reading_fini(&r);
      inf_buf_fini(&body);
    }
  }
}

static void
test_a_page_from_a_proxy(void **state)
{
  static const char page[] = "<!DOCTYPE html>\n<html><body>503 data: event: "
                             "{\"choices\":[]}</body></html>\n";
  (void)state;
  for (EACH(l, stream)) {
    expect(l, stream, read_text(l, stream, 200, "text/html", page),
           INFER_E_PROTOCOL);
    expect(l, stream, read_text(l, stream, 502, "text/html", page),
           INFER_E_SERVER);
    expect(l, stream, read_text(l, stream, 503, "text/html", page),
           INFER_E_OVERLOADED);
  }
}

static void
test_nothing_at_all(void **state)
{
  (void)state;
  for (EACH(l, stream)) {
    int32_t wanted = stream ? INFER_E_TRUNCATED : INFER_E_PROTOCOL;
    expect(l, stream, read_text(l, stream, 200, NULL, ""), wanted);
    expect(l, stream, read_text(l, stream, 200, NULL, " \r\n\n"), wanted);
    expect(l, stream, read_text(l, stream, 500, NULL, ""), INFER_E_SERVER);
  }
}

/* What it says of itself matters less than what it is. */
static void
test_another_content_type(void **state)
{
  static const char *const types[] = {"text/plain", "text/html",
                                      "application/octet-stream", "rubbish"};
  (void)state;
  for (EACH(l, stream)) {
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
      inf_buf body;
      reading r;
      inf_buf_init(&body, SIZE_MAX);
      write_answer(l, stream, NULL, "", &body);
      read_bytes(&r, l, stream, 200, types[i], inf_buf_sv(&body), 0);
      check_answer(l, stream, &r);
      reading_fini(&r);
      inf_buf_fini(&body);
    }
  }
}

static void
test_json_that_is_no_answer(void **state)
{
  static const char *const bodies[] = {"null", "12",  "\"busy\"", "[]",
                                       "{}",   "[1]", "true",     "{\"a\":1}"};
  (void)state;
  for (EACH(l, stream)) {
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
      int32_t status = read_text(l, stream, 200, NULL, bodies[i]);
      if (status == INFER_OK)
        fail_msg("%s, %d: %s is an answer", l->type, stream, bodies[i]);
    }
  }
}

/* Gzip that libcurl could not undo is no answer either. */
static void
test_bytes_that_are_no_text(void **state)
{
  static const char bytes[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\x56\x4a\xce";
  (void)state;
  for (EACH(l, stream)) {
    reading r;
    int32_t status = read_bytes(&r, l, stream, 200, NULL,
                                inf_sv_of(bytes, sizeof(bytes) - 1), 0);
    if (status == INFER_OK)
      fail_msg("%s, %d: compressed bytes are an answer", l->type, stream);
    reading_fini(&r);
  }
}

/* Cut at any byte by a connection that seems to have ended well. */
static void
test_a_body_that_is_cut(void **state)
{
  (void)state;
  for (const language *l = languages; l < languages + language_count; l++) {
    inf_buf body;
    inf_buf_init(&body, SIZE_MAX);
    write_answer(l, false, NULL, "", &body);
    for (size_t cut = 1; cut < body.len; cut++) {
      reading r;
      read_bytes(&r, l, false, 200, NULL, inf_sv_of(body.ptr, cut), 0);
      if (r.status != INFER_E_TRUNCATED)
        fail_msg("%s cut at %zu: %s", l->type, cut,
                 infer_status_name(r.status));
      reading_fini(&r);
    }
    inf_buf_fini(&body);
  }
}

/* Up to where the event begins that tells of the end. */
static void
test_a_stream_that_is_cut(void **state)
{
  (void)state;
  for (const language *l = languages; l < languages + language_count; l++) {
    inf_buf body;
    size_t end = 0, last = event_count(l) - 1;
    while (l->finish && !strstr(l->events[last].json, l->finish))
      last--;
    inf_buf_init(&body, SIZE_MAX);
    for (size_t i = 0; i < event_count(l); i++) {
      end = i == last ? body.len : end;
      put_event(l, &l->events[i], &body);
    }
    for (size_t cut = 1; cut <= end; cut++) {
      reading r;
      read_bytes(&r, l, true, 200, NULL, inf_sv_of(body.ptr, cut), 0);
      expect(l, true, r.status, INFER_E_TRUNCATED);
      reading_fini(&r);
    }
    inf_buf_fini(&body);
  }
}

/* An event that is not known yet, between any two. */
static void
test_an_unknown_event(void **state)
{
  static const event news = {
      "something_new", "{'type':'something_new','x':{'y':[1,{}]},'z':null}"};
  (void)state;
  for (const language *l = languages; l < languages + language_count; l++) {
    for (size_t at = 0; at + 1 < event_count(l); at++) {
      inf_buf body;
      reading r;
      inf_buf_init(&body, SIZE_MAX);
      for (size_t i = 0; i < event_count(l); i++) {
        if (i == at)
          put_event(l, &news, &body);
        put_event(l, &l->events[i], &body);
      }
      read_bytes(&r, l, true, 200, NULL, inf_buf_sv(&body), 0);
      check_answer(l, true, &r);
      reading_fini(&r);
      inf_buf_fini(&body);
    }
  }
}

static void
test_an_unknown_finish_reason(void **state)
{
  (void)state;
  for (EACH(l, stream)) {
    inf_buf body;
    reading r;
    char word[80];
    if (!l->finish)
      continue;
    const char *colon = strchr(l->finish, ':');
    size_t key = colon ? (size_t)(colon - l->finish) + 1 : 0;
    snprintf(word, sizeof(word), "%.*s'NEW_WORD'%s", (int)key, l->finish,
             l->finish[strlen(l->finish) - 1] == '}' ? "}" : "");
    inf_buf_init(&body, SIZE_MAX);
    write_answer(l, stream, l->finish, word, &body);
    read_bytes(&r, l, stream, 200, NULL, inf_buf_sv(&body), 0);
    check_answer(l, stream, &r);
    const inf_choice *choice = inf_answer_choice(&r.answer, 0);
    assert_buf(choice->native_finish_reason.len > 0
                   ? &choice->native_finish_reason
                   : &choice->finish_reason,
               "NEW_WORD");
    reading_fini(&r);
    inf_buf_fini(&body);
  }
}

static void
test_figures_that_are_strings(void **state)
{
  (void)state;
  for (EACH(l, stream)) {
    char figure[80];
    inf_buf body;
    reading r;
    snprintf(figure, sizeof(figure), "%.*s'31'", (int)strlen(l->input) - 2,
             l->input);
    inf_buf_init(&body, SIZE_MAX);
    write_answer(l, stream, l->input, figure, &body);
    read_bytes(&r, l, stream, 200, NULL, inf_buf_sv(&body), 0);
    check_answer(l, stream, &r);
    reading_fini(&r);
    inf_buf_fini(&body);
  }
}

static void
test_arguments_that_are_not_json(void **state)
{
  (void)state;
  for (EACH(l, stream)) {
    inf_buf body;
    reading r;
    char wrong[80];
    bool there = l->arguments && strstr(l->whole, l->arguments);
    if (!l->arguments || (!stream && !there))
      continue;
    snprintf(wrong, sizeof(wrong), "%.*s'{x'",
             (int)(strchr(l->arguments, ':') - l->arguments) + 1, l->arguments);
    inf_buf_init(&body, SIZE_MAX);
    write_answer(l, stream, l->arguments, wrong, &body);
    read_bytes(&r, l, stream, 200, NULL, inf_buf_sv(&body), 0);
    check_answer(l, stream, &r);
    assert_buf(&inf_answer_choice(&r.answer, 0)->tool_calls[0].arguments, "{x");
    reading_fini(&r);
    inf_buf_fini(&body);
  }
}

static void
test_an_error_in_a_success(void **state)
{
  (void)state;
  for (EACH(l, stream)) {
    char *json = quoted(l->error);
    int32_t status = read_text(l, stream, 200, "application/json", json);
    if (status == INFER_OK)
      fail_msg("%s: an error is an answer", l->type);
    free(json);
  }
  for (const language *l = languages; l < languages + language_count; l++) {
    inf_buf body;
    reading r;
    if (!l->error_event.json)
      continue;
    inf_buf_init(&body, SIZE_MAX);
    put_event(l, &l->events[0], &body);
    put_event(l, &l->error_event, &body);
    read_bytes(&r, l, true, 200, NULL, inf_buf_sv(&body), 0);
    if (r.status == INFER_OK || r.status == INFER_E_TRUNCATED ||
        !strstr(inf_buf_cstr(&r.decoder.failure.message), "busy"))
      fail_msg("%s: the error in the stream is %s", l->type,
               infer_status_name(r.status));
    reading_fini(&r);
    inf_buf_fini(&body);
  }
}

/* ---- Values of other types ----------------------------------------------- */

typedef struct change {
  const char *value; /* what stands there now */
  int at, wanted;    /* places are counted as they are walked over */
} change;

/* Writes the value, with one place in it changed. */
static json_object *
changed(json_object *value, change *c)
{
  if (c->at++ == c->wanted)
    return json_tokener_parse(c->value);
  if (json_object_is_type(value, json_type_object)) {
    json_object *copy = json_object_new_object();
    json_object_object_foreach(value, key, member)
        json_object_object_add(copy, key, changed(member, c));
    return copy;
  }
  if (json_object_is_type(value, json_type_array)) {
    json_object *copy = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(value); i++)
      json_object_array_add(copy,
                            changed(json_object_array_get_idx(value, i), c));
    return copy;
  }
  return json_object_get(value);
}

/* What may come of it is an answer with an end, or an error with words. */
static void
check_harmless(const language *l, bool stream, inf_sv body, const char *value,
               int place)
{
  reading r;
  read_bytes(&r, l, stream, 200, NULL, body, 0);
  if (r.status == INFER_OK) {
    json_object *root = json_tokener_parse(inf_buf_cstr(&r.json));
    if (!root || r.answer.choice_count == 0)
      fail_msg("%s: %s at place %d", l->type, value, place);
    json_object_put(root);
  } else if (!r.decoder.failed || r.status > 0) {
    fail_msg("%s: %s at place %d: no failure", l->type, value, place);
  }
  reading_fini(&r);
}

/* The event at index, with value at that place. False past the last place. */
static bool
try_change(const language *l, bool stream, size_t index, const char *value,
           int place)
{
  inf_buf body;
  change c = {value, 0, place};
  char *json = quoted(stream ? l->events[index].json : l->whole);
  json_object *root = json_tokener_parse(json);
  json_object *other = root ? changed(root, &c) : NULL;
  inf_buf_init(&body, SIZE_MAX);
  if (c.at > place && stream) {
    for (size_t i = 0; i < event_count(l); i++) {
      const event e = {l->events[i].type,
                       i == index ? json_object_to_json_string(other)
                                  : l->events[i].json};
      put_event(l, &e, &body);
    }
  } else if (c.at > place) {
    inf_buf_append_cstr(&body, json_object_to_json_string(other));
  }
  if (c.at > place)
    check_harmless(l, stream, inf_buf_sv(&body), value, place);
  json_object_put(other);
  json_object_put(root);
  inf_buf_fini(&body);
  free(json);
  return c.at > place;
}

static void
test_values_of_other_types(void **state)
{
  static const char *const values[] = {
      "null", "\"text\"", "7",      "-1",   "1e400",
      "[]",   "{}",       "[null]", "true", "{\"a\":{\"b\":[]}}"};
  (void)state;
  int tried = 0;
  for (EACH(l, stream)) {
    size_t count = stream ? event_count(l) : 1;
    for (size_t i = 0; i < count; i++)
      for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
        for (int place = 0; try_change(l, stream, i, values[v], place); place++)
          tried++;
  }
  assert_true(tried > 3000);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_answers_are_read),
      cmocka_unit_test(test_a_page_from_a_proxy),
      cmocka_unit_test(test_nothing_at_all),
      cmocka_unit_test(test_another_content_type),
      cmocka_unit_test(test_json_that_is_no_answer),
      cmocka_unit_test(test_bytes_that_are_no_text),
      cmocka_unit_test(test_a_body_that_is_cut),
      cmocka_unit_test(test_a_stream_that_is_cut),
      cmocka_unit_test(test_an_unknown_event),
      cmocka_unit_test(test_an_unknown_finish_reason),
      cmocka_unit_test(test_figures_that_are_strings),
      cmocka_unit_test(test_arguments_that_are_not_json),
      cmocka_unit_test(test_an_error_in_a_success),
      cmocka_unit_test(test_values_of_other_types),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
