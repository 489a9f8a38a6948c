/* SPDX-License-Identifier: MIT */
#include "provider/cohere.h"
#include "provider/embed.h"
#include "provider/model_list.h"

#include "infer/infer.h"

#include "provider/cohere_read.h"
#include "provider/member_rules.h"
#include "provider/members.h"
#include "provider/message_taken.h"
#include "provider/send.h"
#include "provider/tool_ids.h"
#include "wire/json_write.h"

/* See cohere.h. */
static const char member_rules[] =
    "max_completion_tokens=max_tokens top_p=p top_k=k "
    "-user -store -metadata -stream_options -prompt_cache_key "
    "-prompt_cache_retention -safety_identifier !n !logprobs !top_logprobs "
    "!logit_bias !audio "
    "!prediction !functions !function_call "
    "!web_search_options !verbosity !parallel_tool_calls !service_tier "
    "!modalities !moderation";
static const char message_rules[] =
    "-name -refusal -annotations -audio -reasoning -reasoning_content "
    "-reasoning_details -content_parts -anthropic_content -images "
    "!function_call";

/* Members of messages and parts are seen to by the rules. */
static const inf_message_taken taken = {.call = "type id index function"};

typedef struct writer {
  const inf_send *send;
  inf_buf *body;
  inf_buf *why;
  inf_tool_ids ids;
} writer;

static int32_t
unsupported(writer *w, const char *text)
{
  if (w->why)
    inf_buf_appendf(w->why, "%s %s", w->send->kind->type, text);
  return INFER_E_UNSUPPORTED;
}

static void
put_as_is(const inf_json_iter *it, inf_buf *body)
{
  inf_members_put_name(body, it->key);
  inf_json_put_raw(body, it->value);
}

static bool
is_null(inf_sv value)
{
  return value.len == 0 || inf_json_is(value, INF_JSON_NULL);
}

/* ---- Messages ------------------------------------------------------------ */

static int32_t
check_parts(writer *w, inf_sv content)
{
  static const char *const known[] = {"text", "image_url", "thinking",
                                      "document"};
  if (!inf_json_is(content, INF_JSON_ARRAY))
    return INFER_OK;
  inf_json_iter it = inf_json_iter_of(content);
  while (inf_json_next(&it)) {
    inf_sv type = inf_json_get(it.value, INF_SV("type"));
    bool found = false;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
      found = found || inf_json_equal(type, inf_sv_from(known[i]));
    if (!found)
      return unsupported(w, "takes no content parts but text and images");
  }
  return INFER_OK;
}

static inf_sv
reasoning_of(inf_sv message)
{
  inf_sv text = inf_json_get(message, INF_SV("reasoning_content"));
  if (!inf_json_is(text, INF_JSON_STRING) || text.len <= 2)
    text = inf_json_get(message, INF_SV("reasoning"));
  if (!inf_json_is(text, INF_JSON_STRING) || text.len <= 2)
    return INF_SV("");
  return text;
}

static void
write_part(inf_buf *body, inf_sv type, inf_sv text)
{
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), type);
  inf_json_member_raw(body, type, text);
  inf_json_close(body, '}');
}

/* The content with the thinking in front of it. */
static void
write_thought(inf_buf *body, inf_sv reasoning, inf_sv content)
{
  inf_json_key(body, INF_SV("content"));
  inf_json_open(body, '[');
  write_part(body, INF_SV("thinking"), reasoning);
  if (inf_json_is(content, INF_JSON_STRING) && content.len > 2)
    write_part(body, INF_SV("text"), content);
  inf_json_iter it = inf_json_iter_of(content);
  while (inf_json_is(content, INF_JSON_ARRAY) && inf_json_next(&it))
    inf_json_put_raw(body, it.value);
  inf_json_close(body, ']');
}

static int32_t
write_calls(writer *w, inf_sv calls)
{
  inf_buf id;
  size_t place = 0;
  int32_t status = INFER_OK;
  inf_buf_init(&id, SIZE_MAX);
  inf_json_key(w->body, INF_SV("tool_calls"));
  inf_json_open(w->body, '[');
  inf_json_iter it = inf_json_iter_of(calls);
  for (; status == INFER_OK && inf_json_next(&it); place++) {
    inf_sv function = inf_json_get(it.value, INF_SV("function"));
    if (!inf_json_is(function, INF_JSON_OBJECT))
      status = unsupported(w, "knows no tool calls but those of functions");
    inf_buf_clear(&id);
    inf_tool_ids_of_call(&w->ids, place, &id);
    if (status == INFER_OK)
      status = id.status;
    inf_json_open(w->body, '{');
    inf_json_member_string(w->body, INF_SV("id"), inf_buf_sv(&id));
    inf_json_member_string(w->body, INF_SV("type"), INF_SV("function"));
    inf_json_member_raw(w->body, INF_SV("function"), function);
    inf_json_close(w->body, '}');
  }
  inf_json_close(w->body, ']');
  inf_buf_fini(&id);
  return status;
}

/* An answer to a call may lack the call's id. */
static void
write_result_id(writer *w, inf_sv message)
{
  inf_buf id;
  inf_buf_init(&id, SIZE_MAX);
  size_t place = inf_tool_ids_answered(&w->ids, message);
  inf_tool_ids_of_result(&w->ids, message, place, &id);
  inf_json_member_string(w->body, INF_SV("tool_call_id"), inf_buf_sv(&id));
  if (id.status != INFER_OK && w->body->status == INFER_OK)
    w->body->status = id.status;
  inf_buf_fini(&id);
}

static int32_t
write_role(writer *w, inf_sv role)
{
  static const char *const known[] = {"system", "user", "assistant", "tool"};
  if (inf_json_equal(role, INF_SV("developer"))) {
    inf_json_member_string(w->body, INF_SV("role"), INF_SV("system"));
    return INFER_OK;
  }
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
    if (inf_json_equal(role, inf_sv_from(known[i]))) {
      inf_json_member_raw(w->body, INF_SV("role"), role);
      return INFER_OK;
    }
  }
  return unsupported(w, "has no such role of a message");
}

/* thought: the reasoning that is part of the content; "" if none is. */
static int32_t
write_others(writer *w, inf_sv message, inf_sv thought)
{
  inf_sv to;
  inf_json_iter it = inf_json_iter_of(message);
  while (inf_json_next(&it)) {
    if (inf_member_is_listed(&it, "role content tool_calls tool_call_id"))
      continue;
    inf_member_fate fate = inf_member_rule(message_rules, &it, &to);
    if (fate == INF_MEMBER_REFUSED)
      return inf_member_refuse(w->send, it.key, w->why);
    if (fate == INF_MEMBER_AS_IS)
      put_as_is(&it, w->body);
    else if (thought.len == 0 || !inf_message_is_reasoning(&it))
      inf_member_note_within(w->send, "messages", &it);
  }
  return INFER_OK;
}

static int32_t
write_message(writer *w, inf_sv message)
{
  inf_sv role = inf_json_get(message, INF_SV("role"));
  inf_sv content = inf_json_get(message, INF_SV("content"));
  inf_sv calls = inf_json_get(message, INF_SV("tool_calls"));
  bool has_calls =
      inf_json_is(calls, INF_JSON_ARRAY) && inf_json_has_items(calls);
  inf_sv thought = has_calls ? reasoning_of(message) : INF_SV("");
  inf_tool_ids_see(&w->ids, message);
  inf_json_open(w->body, '{');
  int32_t status = write_role(w, role);
  if (status == INFER_OK)
    status = check_parts(w, content);
  if (thought.len > 0)
    write_thought(w->body, thought, content);
  else if (content.len > 0)
    inf_json_member_raw(w->body, INF_SV("content"), content);
  if (status == INFER_OK && has_calls)
    status = write_calls(w, calls);
  if (inf_json_equal(role, INF_SV("tool")))
    write_result_id(w, message);
  if (status == INFER_OK)
    status = write_others(w, message, thought);
  inf_json_close(w->body, '}');
  return status;
}

static int32_t
write_messages(writer *w)
{
  int32_t status = INFER_OK;
  const inf_buf *messages = &w->send->chat->messages;
  inf_json_iter it = {.at = messages->ptr,
                      .end = messages->ptr + messages->len};
  inf_message_note_dropped(w->send, &taken);
  inf_json_key(w->body, INF_SV("messages"));
  inf_json_open(w->body, '[');
  while (status == INFER_OK && inf_json_next(&it))
    status = write_message(w, it.value);
  inf_json_close(w->body, ']');
  return status;
}

/* ---- Tools and formats --------------------------------------------------- */

static int32_t
write_tools(writer *w, inf_sv tools)
{
  bool strict = false;
  inf_json_key(w->body, INF_SV("tools"));
  inf_json_open(w->body, '[');
  inf_json_iter it = inf_json_iter_of(tools);
  while (inf_json_next(&it)) {
    inf_sv function = inf_json_get(it.value, INF_SV("function"));
    if (!inf_json_is(function, INF_JSON_OBJECT))
      return unsupported(w, "takes no tools but functions");
    inf_json_open(w->body, '{');
    inf_json_member_string(w->body, INF_SV("type"), INF_SV("function"));
    inf_json_key(w->body, INF_SV("function"));
    inf_json_open(w->body, '{');
    inf_json_iter member = inf_json_iter_of(function);
    while (inf_json_next(&member)) {
      if (!inf_json_key_is(&member, INF_SV("strict")))
        put_as_is(&member, w->body);
      else
        strict = strict || inf_json_is(member.value, INF_JSON_TRUE);
    }
    inf_json_close(w->body, '}');
    inf_json_close(w->body, '}');
    inf_member_note_inner(w->send, "tools", it.value, "type function");
  }
  inf_json_close(w->body, ']');
  if (strict)
    inf_json_member_bool(w->body, INF_SV("strict_tools"), true);
  return INFER_OK;
}

static int32_t
write_tool_choice(writer *w, inf_sv choice)
{
  const inf_sv name = INF_SV("tool_choice");
  if (is_null(choice) || inf_json_equal(choice, INF_SV("auto")))
    return INFER_OK;
  if (inf_json_equal(choice, INF_SV("required")))
    inf_json_member_string(w->body, name, INF_SV("REQUIRED"));
  else if (inf_json_equal(choice, INF_SV("none")))
    inf_json_member_string(w->body, name, INF_SV("NONE"));
  else if (inf_json_is(choice, INF_JSON_STRING))
    inf_json_member_raw(w->body, name, choice);
  else
    return unsupported(w, "cannot be told which tool to call (tool_choice)");
  return INFER_OK;
}

static int32_t
write_format(writer *w, inf_sv format)
{
  const inf_sv name = INF_SV("response_format");
  if (is_null(format))
    return INFER_OK;
  if (!inf_json_equal(inf_json_get(format, INF_SV("type")),
                      INF_SV("json_schema"))) {
    inf_json_member_raw(w->body, name, format);
    return INFER_OK;
  }
  inf_sv schema = inf_json_path(format, "json_schema.schema");
  if (!inf_json_is(schema, INF_JSON_OBJECT))
    return unsupported(w, "needs a schema in response_format");
  inf_member_note_format(w->send, format);
  inf_json_key(w->body, name);
  inf_json_open(w->body, '{');
  inf_json_member_string(w->body, INF_SV("type"), INF_SV("json_object"));
  inf_json_member_raw(w->body, INF_SV("json_schema"), schema);
  inf_json_close(w->body, '}');
  return INFER_OK;
}

/* ---- Other members ------------------------------------------------------- */

static int32_t
write_stop(writer *w, inf_sv stop)
{
  if (is_null(stop))
    return INFER_OK;
  inf_json_key(w->body, INF_SV("stop_sequences"));
  if (inf_json_is(stop, INF_JSON_STRING))
    inf_json_open(w->body, '[');
  inf_json_put_raw(w->body, stop);
  if (inf_json_is(stop, INF_JSON_STRING))
    inf_json_close(w->body, ']');
  return INFER_OK;
}

static int32_t
write_effort(writer *w, inf_sv effort)
{
  if (is_null(effort) || inf_member_find(w->send, INF_SV("thinking")).len > 0)
    return INFER_OK;
  bool none = inf_json_equal(effort, INF_SV("none"));
  inf_json_key(w->body, INF_SV("thinking"));
  inf_json_open(w->body, '{');
  inf_json_member_string(w->body, INF_SV("type"),
                         none ? INF_SV("disabled") : INF_SV("enabled"));
  inf_json_close(w->body, '}');
  return INFER_OK;
}

static const struct special {
  const char *name;
  int32_t (*write)(writer *w, inf_sv value);
} specials[] = {
    {"tools", write_tools},
    {"tool_choice", write_tool_choice},
    {"response_format", write_format},
    {"stop", write_stop},
    {"reasoning_effort", write_effort},
};

static int32_t
write_member(writer *w, const inf_json_iter *it)
{
  inf_sv to;
  for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
    if (inf_json_key_is(it, inf_sv_from(specials[i].name)))
      return specials[i].write(w, it->value);
  switch (inf_member_rule(member_rules, it, &to)) {
  case INF_MEMBER_AS_IS:
    put_as_is(it, w->body);
    break;
  case INF_MEMBER_RENAMED:
    if (inf_member_find(w->send, to).len == 0)
      inf_json_member_raw(w->body, to, it->value);
    break;
  case INF_MEMBER_LEFT_OUT:
    inf_member_note_dropped(w->send, it);
    break;
  case INF_MEMBER_REFUSED:
    return inf_member_refuse(w->send, it->key, w->why);
  }
  return INFER_OK;
}

static int32_t
write_body(writer *w)
{
  inf_json_open(w->body, '{');
  inf_json_member_string(w->body, INF_SV("model"), w->send->model);
  int32_t status = write_messages(w);
  inf_json_member_bool(w->body, INF_SV("stream"), w->send->stream);
  inf_member_walk walk = inf_member_walk_of(w->send);
  while (status == INFER_OK && inf_member_next(&walk))
    status = write_member(w, &walk.it);
  if (status == INFER_OK)
    status = walk.status;
  inf_json_close(w->body, '}');
  return status == INFER_OK ? w->body->status : status;
}

/* ---- Entry points -------------------------------------------------------- */

static int32_t
write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  writer w = {.send = send, .body = &out->body, .why = why};
  int32_t status =
      inf_send_write_head(send, inf_accept_events(send->stream), out, why);
  return status == INFER_OK ? write_body(&w) : status;
}

const inf_dialect inf_dialect_cohere = {
    .name = "cohere",
    .write_chat = write_chat,
    .write_models = inf_send_write_models,
    .next_models = inf_cohere_next_models,
    .write_embed = inf_cohere_write_embed,
    .read_embed = inf_cohere_read_embed,
    .read_body = inf_cohere_read_body,
    .read_event = inf_cohere_read_event,
};
