/* SPDX-License-Identifier: MIT */
#include "provider/conversation.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "provider/members.h"
#include "provider/message_taken.h"
#include "wire/json_write.h"

/* What the answers of one service have, and no other understands. */
static const char foreign_rules[] =
    "-reasoning_details -tool_plan -citations -content_parts "
    "-anthropic_content -images";

typedef struct writer {
  const inf_send *send;
  const char *rules;
  const char *foreign; /* NULL: its messages may have any */
  inf_buf *body, *why;
  bool repairs_ids;
  inf_tool_ids ids;
  inf_buf id;
} writer;

static bool
is_filled(inf_sv value)
{
  return inf_json_is(value, INF_JSON_STRING) && value.len > 2;
}

/* ---- Roles and ids ------------------------------------------------------- */

static void
write_role(writer *w, inf_sv role)
{
  inf_sv to;
  inf_json_iter word = {.key = role, .value = role};
  if (is_filled(role))
    word.key = inf_sv_of(role.ptr + 1, role.len - 2);
  if (inf_member_rule(w->rules, &word, &to) == INF_MEMBER_RENAMED)
    inf_json_member_string(w->body, INF_SV("role"), to);
  else
    inf_json_member_raw(w->body, INF_SV("role"), role);
}

/* The id at hand, which may have found no memory. */
static void
put_id(writer *w, inf_sv name)
{
  inf_json_member_string(w->body, name, inf_buf_sv(&w->id));
  if (w->id.status != INFER_OK && w->body->status == INFER_OK)
    w->body->status = w->id.status;
}

/* Members stay where they are; an id that there was none of comes last. */
static void
write_call(writer *w, inf_sv call, size_t place)
{
  bool has_id = false;
  inf_buf_clear(&w->id);
  inf_tool_ids_of_call(&w->ids, place, &w->id);
  inf_json_open(w->body, '{');
  inf_json_iter it = inf_json_iter_of(call);
  while (inf_json_next(&it)) {
    if (!it.object)
      continue;
    if (inf_json_key_is(&it, INF_SV("id"))) {
      has_id = true;
      put_id(w, INF_SV("id"));
      continue;
    }
    inf_members_put_name(w->body, it.key);
    inf_json_put_raw(w->body, it.value);
  }
  if (!has_id)
    put_id(w, INF_SV("id"));
  inf_json_close(w->body, '}');
}

static void
write_calls(writer *w, inf_sv calls)
{
  size_t place = 0;
  inf_json_key(w->body, INF_SV("tool_calls"));
  inf_json_open(w->body, '[');
  inf_json_iter it = inf_json_iter_of(calls);
  while (inf_json_next(&it))
    write_call(w, it.value, place++);
  inf_json_close(w->body, ']');
}

static void
write_result_id(writer *w, inf_sv message)
{
  inf_buf_clear(&w->id);
  size_t place = inf_tool_ids_answered(&w->ids, message);
  inf_tool_ids_of_result(&w->ids, message, place, &w->id);
  if (w->id.len > 0 || w->id.status != INFER_OK)
    put_id(w, INF_SV("tool_call_id"));
}

/* ---- Thinking ------------------------------------------------------------ */

static inf_sv
reasoning_of(const writer *w, inf_sv message)
{
  if (!w->send->kind->thinking_parts)
    return INF_SV("");
  inf_sv text = inf_json_get(message, INF_SV("reasoning_content"));
  if (!is_filled(text))
    text = inf_json_get(message, INF_SV("reasoning"));
  return is_filled(text) ? text : INF_SV("");
}

static void
write_text_part(inf_buf *body, inf_sv text)
{
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), INF_SV("text"));
  inf_json_member_raw(body, INF_SV("text"), text);
  inf_json_close(body, '}');
}

/* Its thinking is a list of parts again. */
static void
write_thought(writer *w, inf_sv reasoning, inf_sv content)
{
  inf_json_key(w->body, INF_SV("content"));
  inf_json_open(w->body, '[');
  inf_json_open(w->body, '{');
  inf_json_member_string(w->body, INF_SV("type"), INF_SV("thinking"));
  inf_json_key(w->body, INF_SV("thinking"));
  inf_json_open(w->body, '[');
  write_text_part(w->body, reasoning);
  inf_json_close(w->body, ']');
  inf_json_close(w->body, '}');
  if (is_filled(content))
    write_text_part(w->body, content);
  inf_json_iter it = inf_json_iter_of(content);
  while (inf_json_is(content, INF_JSON_ARRAY) && inf_json_next(&it))
    inf_json_put_raw(w->body, it.value);
  inf_json_close(w->body, ']');
}

/* ---- Messages ------------------------------------------------------------ */

static inf_member_fate
fate_of(const writer *w, inf_sv message, const inf_json_iter *it, inf_sv *to)
{
  inf_member_fate fate = inf_member_rule(w->rules, it, to);
  if (fate != INF_MEMBER_AS_IS || !w->foreign ||
      !inf_json_equal(inf_json_get(message, INF_SV("role")),
                      INF_SV("assistant")))
    return fate;
  return inf_member_rule(w->foreign, it, to);
}

static int32_t
write_member(writer *w, inf_sv message, const inf_json_iter *it)
{
  inf_sv to;
  if (inf_json_key_is(it, INF_SV("role"))) {
    write_role(w, it->value);
    return INFER_OK;
  }
  if (w->repairs_ids && inf_json_key_is(it, INF_SV("tool_calls")) &&
      inf_json_is(it->value, INF_JSON_ARRAY)) {
    write_calls(w, it->value);
    return INFER_OK;
  }
  if (w->repairs_ids && inf_json_key_is(it, INF_SV("tool_call_id"))) {
    write_result_id(w, message);
    return INFER_OK;
  }
  if (inf_json_key_is(it, INF_SV("content")) &&
      reasoning_of(w, message).len > 0)
    return INFER_OK; /* write_message() has it */
  switch (fate_of(w, message, it, &to)) {
  case INF_MEMBER_REFUSED:
    return inf_member_refuse(w->send, it->key, w->why);
  case INF_MEMBER_LEFT_OUT:
    if (!inf_message_is_reasoning(it) || reasoning_of(w, message).len == 0)
      inf_member_note_within(w->send, "messages", it);
    break;
  case INF_MEMBER_RENAMED:
    inf_json_member_raw(w->body, to, it->value);
    break;
  case INF_MEMBER_AS_IS:
    inf_members_put_name(w->body, it->key);
    inf_json_put_raw(w->body, it->value);
    break;
  }
  return INFER_OK;
}

static int32_t
write_message(writer *w, inf_sv message)
{
  int32_t status = INFER_OK;
  inf_sv reasoning = reasoning_of(w, message);
  inf_tool_ids_see(&w->ids, message);
  inf_json_open(w->body, '{');
  inf_json_iter it = inf_json_iter_of(message);
  while (status == INFER_OK && inf_json_next(&it))
    status = write_member(w, message, &it);
  if (reasoning.len > 0)
    write_thought(w, reasoning, inf_json_get(message, INF_SV("content")));
  if (w->repairs_ids &&
      inf_json_equal(inf_json_get(message, INF_SV("role")), INF_SV("tool")) &&
      inf_json_get(message, INF_SV("tool_call_id")).len == 0)
    write_result_id(w, message);
  inf_json_close(w->body, '}');
  return status == INFER_OK ? w->body->status : status;
}

static bool
has_rules(const inf_send *send)
{
  const inf_provider_kind *kind = send->kind;
  return !kind->rules_at_home ||
         inf_sv_eq(send->base_url, inf_sv_from(kind->base_url));
}

int32_t
inf_conversation_write(const inf_send *send, inf_buf *body, inf_buf *why)
{
  const inf_provider_kind *kind = send->kind;
  const char *rules = has_rules(send) ? kind->message_rules : NULL;
  const char *foreign =
      has_rules(send) && !kind->takes_foreign ? foreign_rules : NULL;
  inf_sv messages = inf_buf_sv(&send->chat->messages);
  if (messages.len == 0)
    return INFER_OK;
  bool repairs_ids = inf_tool_ids_needed(kind->tool_ids, messages);
  if (!rules && !foreign && !kind->thinking_parts && !repairs_ids) {
    inf_json_put_raw(body, messages);
    return INFER_OK;
  }
  writer w = {.send = send,
              .rules = rules,
              .foreign = foreign,
              .repairs_ids = repairs_ids,
              .body = body,
              .why = why,
              .ids = {.form = kind->tool_ids}};
  int32_t status = INFER_OK;
  inf_buf_init(&w.id, SIZE_MAX);
  inf_json_iter it = {.at = messages.ptr, .end = messages.ptr + messages.len};
  while (status == INFER_OK && inf_json_next(&it))
    status = write_message(&w, it.value);
  inf_buf_fini(&w.id);
  return status;
}
