/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_ANTHROPIC_SUPPORT_H
#define TESTS_UNIT_ANTHROPIC_SUPPORT_H

/* What the tests of Anthropic's dialect, and of Responses, share: writing a
 * request and reading an answer. JSON is written with ' for ". */

#include "unit/provider_support.h"

#include <stdlib.h>

#ifndef SUPPORT_KIND
#define SUPPORT_KIND "anthropic"
#endif

/* The text with quotes; freed by the caller. */
static inline char *
quoted(const char *text)
{
  char *copy = strdup(text);
  assert_non_null(copy);
  for (char *at = copy; *at; at++)
    if (*at == '\'')
      *at = '"';
  return copy;
}

/* ---- Writing --------------------------------------------------------------
 */

typedef struct written {
  inf_chat chat;
  inf_send send;
  inf_wire_request out;
  inf_buf why;
  char *json;
  int32_t status;
} written;

/* Ready to be written: settings of w->send may be changed before. */
static inline void
written_init(written *w, const char *type, const char *chat)
{
  *w = (written){.json = quoted(chat)};
  const char *reason = NULL;
  inf_chat_init(&w->chat);
  inf_wire_request_init(&w->out);
  inf_buf_init(&w->why, 4096);
  if (inf_chat_from_json(&w->chat, S(w->json), &reason, NULL) != INFER_OK)
    fail_msg("%s: %s", reason, chat);
  const inf_provider_kind *kind = inf_provider_kind_find(S(type));
  w->send = (inf_send){
      .kind = kind,
      .base_url = S("https://h/v1"),
      .auth_scheme = S(kind->auth_scheme),
      .key = S("sk"),
      .body_members = S("{}"),
      .model = inf_buf_sv(&w->chat.model),
      .chat = &w->chat,
      .prefill = INF_PREFILL_NONE,
  };
}

static inline const char *
written_body(written *w)
{
  w->status = w->send.kind->dialect->write_chat(&w->send, &w->out, &w->why);
  return inf_buf_cstr(&w->out.body);
}

static inline void
written_fini(written *w)
{
  inf_chat_fini(&w->chat);
  inf_wire_request_fini(&w->out);
  inf_buf_fini(&w->why);
  free(w->json);
}

/* What stands at a pointer of the body that a chat becomes; NULL: nothing. */
static inline void
assert_becomes(const char *chat, const char *pointer, const char *expected)
{
  written w;
  written_init(&w, SUPPORT_KIND, chat);
  const char *body = written_body(&w);
  if (w.status != INFER_OK)
    fail_msg("%s: %s", chat, inf_buf_cstr(&w.why));
  if (!expected && json_has(body, pointer))
    fail_msg("something at %s in %s", pointer, body);
  char *wanted = expected ? quoted(expected) : NULL;
  if (wanted)
    assert_json_at(body, pointer, wanted);
  free(wanted);
  written_fini(&w);
}

static inline void
assert_refused(const char *chat, const char *why)
{
  written w;
  written_init(&w, SUPPORT_KIND, chat);
  written_body(&w);
  if (w.status != INFER_E_UNSUPPORTED)
    fail_msg("%s: %s", chat, inf_buf_cstr(&w.out.body));
  assert_string_equal(inf_buf_cstr(&w.why), why);
  written_fini(&w);
}

#define USER "{'role':'user','content':'Hi'}"
/* A chat of messages, and one of members. */
#define MESSAGES(list) "{'model':'claude-sonnet-4-5','messages':[" list "]}"
#define MEMBERS(list) \
  "{'model':'claude-sonnet-4-5','messages':[" USER "]," list "}"
#define MODEL(model, list) \
  "{'model':'" model "','messages':[" USER "]," list "}"

/* ---- Reading --------------------------------------------------------------
 */

typedef struct read_answer {
  inf_answer answer;
  inf_buf json;
  int32_t status;
  bool terminated;
} read_answer;

static inline void
read_init(read_answer *r, const char *text, size_t len, bool stream,
          size_t step)
{
  inf_decoder decoder;
  inf_headers headers;
  inf_decoder_options options = {
      .kind = inf_provider_kind_find(S(SUPPORT_KIND)),
      .stream = stream,
      .choices = 1,
      .max_body_bytes = 1 << 20,
      .max_event_bytes = 1 << 20,
      .max_depth = 64,
  };
  *r = (read_answer){0};
  inf_headers_init(&headers, 1024);
  inf_buf_init(&r->json, SIZE_MAX);
  inf_answer_init(&r->answer, options.max_body_bytes);
  inf_decoder_init(&decoder, &options, &r->answer);
  inf_decoder_headers(&decoder, 200, &headers, 0);
  for (size_t at = 0; at < len;) {
    size_t piece = step > 0 && step < len - at ? step : len - at;
    if (inf_decoder_feed(&decoder, text + at, piece) == INF_DECODER_DONE)
      break;
    at += piece;
  }
  r->status = inf_decoder_end(&decoder, true);
  r->terminated = decoder.terminated;
  inf_answer_write_json(&r->answer, &r->json);
  inf_decoder_fini(&decoder);
  inf_headers_fini(&headers);
}

static inline void
read_fini(read_answer *r)
{
  inf_answer_fini(&r->answer);
  inf_buf_fini(&r->json);
}

/* What the answer to some text has at a pointer; NULL: nothing. */
static inline void
assert_reads(const char *text, bool stream, const char *pointer,
             const char *expected)
{
  read_answer r;
  char *body = quoted(text);
  char *wanted = expected ? quoted(expected) : NULL;
  for (size_t step = 0; step < 3; step++) {
    read_init(&r, body, strlen(body), stream, step);
    if (r.status != INFER_OK)
      fail_msg("%d of %s", r.status, body);
    if (wanted)
      assert_json_at(inf_buf_cstr(&r.json), pointer, wanted);
    else if (json_has(inf_buf_cstr(&r.json), pointer))
      fail_msg("something at %s in %s", pointer, inf_buf_cstr(&r.json));
    read_fini(&r);
  }
  free(body);
  free(wanted);
}

#define EVENT(name, data) "event: " name "\ndata: " data "\n\n"
#define START(index, block)              \
  EVENT("content_block_start",           \
        "{'type':'content_block_start'," \
        "'index':" #index ",'content_block':" block "}")
#define DELTA(index, delta)                                     \
  EVENT("content_block_delta", "{'type':'content_block_delta'," \
                               "'index':" #index ",'delta':" delta "}")
#define STOP(index)           \
  EVENT("content_block_stop", \
        "{'type':'content_block_stop','index':" #index "}")
#define TEXT(text) "{'type':'text_delta','text':'" text "'}"
/* A stream of those blocks. */
#define STREAM(blocks, reason)                                           \
  EVENT("message_start",                                                 \
        "{'type':'message_start','message':{'id':'msg_1','model':'m',"   \
        "'content':[],'usage':{'input_tokens':5,"                        \
        "'cache_read_input_tokens':3,'output_tokens':1}}}")              \
  EVENT("ping", "{'type': 'ping'}")                                      \
  blocks EVENT("message_delta",                                          \
               "{'type':'message_delta','delta':{'stop_reason':'" reason \
               "','stop_sequence':null},'usage':{'output_tokens':7}}")   \
      EVENT("message_stop", "{'type':'message_stop'}")
/* A whole answer of those blocks. */
#define WHOLE(blocks, reason)                                      \
  "{'id':'msg_1','type':'message','role':'assistant','model':'m'," \
  "'content':[" blocks "],'stop_reason':'" reason                  \
  "','stop_sequence':null,'usage':{'input_tokens':5,'output_tokens':7}}"

#endif
