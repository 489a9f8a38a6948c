/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_GEMINI_WRITING_H
#define TESTS_UNIT_GEMINI_WRITING_H

#include "unit/provider_support.h"

/* Writes requests for Gemini, for the tests of its writers. */

struct gemini_sent {
  inf_chat chat;
  inf_wire_request out;
  inf_buf why;
  int32_t status;
};

/* chat: a request in OpenAI's shape with its model. body: members that the
 * account adds, or NULL. */
static inline struct gemini_sent
gemini_send(const char *type, const char *chat, const char *body, bool stream)
{
  struct gemini_sent sent;
  inf_chat_init(&sent.chat);
  inf_wire_request_init(&sent.out);
  inf_buf_init(&sent.why, 4096);
  assert_int_equal(inf_chat_from_json(&sent.chat, S(chat), NULL, NULL),
                   INFER_OK);
  const inf_provider_kind *kind = inf_provider_kind_find(S(type));
  inf_send send = {
      .kind = kind,
      .base_url = kind->base_url ? S(kind->base_url) : S("http://h/v1"),
      .auth_scheme = S(kind->auth_scheme),
      .key = S("k"),
      .body_members = S(body ? body : "{}"),
      .model = inf_buf_sv(&sent.chat.model),
      .chat = &sent.chat,
      .stream = stream,
      .prefill = INF_PREFILL_NONE,
  };
  sent.status = kind->dialect->write_chat(&send, &sent.out, &sent.why);
  return sent;
}

static inline void
gemini_sent_fini(struct gemini_sent *sent)
{
  inf_chat_fini(&sent->chat);
  inf_wire_request_fini(&sent->out);
  inf_buf_fini(&sent->why);
}

/* The member of the body that a request makes. */
static inline void
assert_writes(const char *chat, const char *member, const char *expected)
{
  struct gemini_sent sent = gemini_send("gemini", chat, NULL, false);
  if (sent.status != INFER_OK)
    print_error("%s\n", inf_buf_cstr(&sent.why));
  assert_int_equal(sent.status, INFER_OK);
  json_object *body = json_tokener_parse(inf_buf_cstr(&sent.out.body));
  assert_non_null(body);
  json_object *value = NULL;
  json_object_object_get_ex(body, member, &value);
  if (expected)
    assert_json(json_object_to_json_string(value), expected);
  else
    assert_null(value);
  json_object_put(body);
  gemini_sent_fini(&sent);
}

static inline void
assert_refuses(const char *chat, const char *why)
{
  struct gemini_sent sent = gemini_send("gemini", chat, NULL, false);
  assert_int_equal(sent.status, INFER_E_UNSUPPORTED);
  assert_buf(&sent.why, why);
  gemini_sent_fini(&sent);
}

/* A request for a model of Gemini 2.5 or of Gemini 3 with one more member. */
#define ASK(model, more)                                       \
  "{\"model\":\"" model "\",\"messages\":[{\"role\":\"user\"," \
  "\"content\":\"hi\"}]" more "}"
#define OLD "gemini-2.5-flash"
#define NEW "gemini-3-flash-preview"

#endif
