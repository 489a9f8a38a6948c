/* SPDX-License-Identifier: MIT */
/* A message with calls becomes several items, one after another: its
 * reasoning, its text, its calls. */
#include "provider/responses_input.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "provider/members.h"
#include "provider/message_taken.h"
#include "wire/json_value.h"
#include "wire/json_write.h"

typedef struct input {
  const inf_send *send;
  inf_buf *body, *why;
  inf_sv calls;      /* tool_calls of the last message that has any */
  size_t calls_from; /* its number */
  size_t number;     /* of the message at hand */
  size_t answered;   /* results since */
  int32_t status;
} input;

static bool
is(inf_sv value, const char *word)
{
  return inf_json_equal(value, inf_sv_from(word));
}

static inf_sv
get(inf_sv object, const char *name)
{
  return inf_json_get(object, inf_sv_from(name));
}

static bool
is_text(inf_sv value)
{
  return inf_json_is(value, INF_JSON_STRING) && value.len > 2;
}

static void
copy(inf_sv from, const char *name, const char *as, inf_buf *body)
{
  inf_sv value = get(from, name);
  if (value.len > 0 && !inf_json_is(value, INF_JSON_NULL))
    inf_json_member_raw(body, inf_sv_from(as), value);
}

/* type: with its quotes. */
static void
refuse(input *in, inf_sv type)
{
  if (in->status == INFER_OK && in->why)
    inf_buf_appendf(in->why, "%.*s: not a content or role of the provider",
                    (int)(type.len < 64 ? type.len : 64), type.ptr);
  if (in->status == INFER_OK)
    in->status = INFER_E_UNSUPPORTED;
}

/* ---- Parts ----------------------------------------------------------------
 */

static void
open_part(inf_buf *body, const char *type)
{
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), inf_sv_from(type));
}

static void
write_image(inf_sv part, inf_buf *body)
{
  inf_sv image = get(part, "image_url");
  open_part(body, "input_image");
  if (inf_json_is(image, INF_JSON_OBJECT)) {
    copy(image, "url", "image_url", body);
    copy(image, "detail", "detail", body);
  } else {
    copy(part, "image_url", "image_url", body);
  }
  inf_json_close(body, '}');
}

static void
write_file(inf_sv part, inf_buf *body)
{
  inf_sv file = get(part, "file");
  open_part(body, "input_file");
  inf_json_iter it = inf_json_iter_of(file);
  while (inf_json_next(&it)) {
    inf_members_put_name(body, it.key);
    inf_json_put_raw(body, it.value);
  }
  inf_json_close(body, '}');
}

static void
write_part(input *in, inf_sv part, const char *text_type)
{
  inf_buf *body = in->body;
  inf_sv type = get(part, "type");
  if (is(type, "text")) {
    open_part(body, text_type);
    copy(part, "text", "text", body);
    inf_json_close(body, '}');
  } else if (is(type, "image_url")) {
    write_image(part, body);
  } else if (is(type, "file")) {
    write_file(part, body);
  } else if (is(type, "input_audio") || is(type, "video_url") ||
             !inf_json_is(type, INF_JSON_STRING)) {
    refuse(in, type);
  } else if (is(type, "thinking")) {
    const inf_json_iter left = {.key = INF_SV("thinking"), .value = part};
    inf_member_note_within(in->send, "messages.content", &left);
  } else {
    inf_json_put_raw(body, part); /* in the API's own shape */
  }
}

/* A string stays one. */
static void
write_content(input *in, inf_sv content, const char *text_type)
{
  if (inf_json_is(content, INF_JSON_STRING)) {
    inf_json_put_raw(in->body, content);
    return;
  }
  inf_json_open(in->body, '[');
  inf_json_iter it = inf_json_iter_of(content);
  while (!it.object && inf_json_next(&it))
    write_part(in, it.value, text_type);
  inf_json_close(in->body, ']');
}

static void
write_message(input *in, inf_sv role, inf_sv content, const char *text_type)
{
  inf_buf *body = in->body;
  inf_json_open(body, '{');
  inf_json_member_raw(body, INF_SV("role"), role);
  inf_json_key(body, INF_SV("content"));
  write_content(in, content, text_type);
  inf_json_close(body, '}');
}

/* ---- Calls and their results ----------------------------------------------
 */

/* As it came, or made of where the call stands. */
static void
write_call_id(inf_sv id, size_t message, size_t place, inf_buf *body)
{
  inf_json_key(body, INF_SV("call_id"));
  if (is_text(id)) {
    inf_json_put_raw(body, id);
    return;
  }
  inf_buf made;
  inf_buf_init(&made, 64);
  inf_buf_appendf(&made, "call_%zu_%zu", message, place);
  inf_json_put_string(body, inf_buf_sv(&made));
  if (body->status == INFER_OK)
    body->status = made.status;
  inf_buf_fini(&made);
}

static void
write_call(input *in, inf_sv call, size_t place)
{
  inf_buf *body = in->body;
  inf_sv custom = get(call, "custom");
  bool is_custom = inf_json_is(custom, INF_JSON_OBJECT);
  inf_sv function = is_custom ? custom : get(call, "function");
  open_part(body, is_custom ? "custom_tool_call" : "function_call");
  write_call_id(get(call, "id"), in->number, place, body);
  copy(function, "name", "name", body);
  if (is_custom)
    copy(custom, "input", "input", body);
  else
    inf_json_member_raw(body, INF_SV("arguments"),
                        is_text(get(function, "arguments"))
                            ? get(function, "arguments")
                            : INF_SV("\"{}\""));
  inf_json_close(body, '}');
}

/* The call that a result answers and its place; "" if there is none. */
static inf_sv
call_answered(const input *in, inf_sv id, size_t *place)
{
  inf_sv found = INF_SV("");
  inf_json_iter it = inf_json_iter_of(in->calls);
  for (size_t i = 0; inf_json_next(&it); i++) {
    inf_sv its_id = get(it.value, "id");
    bool same = is_text(id) && inf_sv_eq(its_id, id);
    bool next = i == in->answered && !is_text(id);
    if ((same || next) && found.len == 0) {
      found = it.value;
      *place = i;
    }
  }
  return found;
}

static void
write_result(input *in, inf_sv message)
{
  size_t place = in->answered;
  inf_buf *body = in->body;
  inf_sv content = get(message, "content");
  inf_sv id = get(message, "tool_call_id");
  inf_sv call = call_answered(in, id, &place);
  bool custom = inf_json_is(get(call, "custom"), INF_JSON_OBJECT);
  open_part(body, custom ? "custom_tool_call_output" : "function_call_output");
  write_call_id(id, in->calls_from, place, body);
  inf_json_key(body, INF_SV("output"));
  if (inf_json_is(content, INF_JSON_ARRAY))
    write_content(in, content, "input_text");
  else
    inf_json_put_raw(
        body, inf_json_is(content, INF_JSON_STRING) ? content : INF_SV("\"\""));
  inf_json_close(body, '}');
  in->answered++;
}

/* ---- The assistant's ------------------------------------------------------
 */

static bool
takes_detail(inf_sv detail)
{
  return is(get(detail, "type"), "reasoning.encrypted") &&
         is(get(detail, "format"), "openai-responses-v1") &&
         is_text(get(detail, "data"));
}

static void
write_detail(inf_sv detail, inf_buf *body)
{
  if (!takes_detail(detail))
    return;
  open_part(body, "reasoning");
  copy(detail, "id", "id", body);
  inf_json_member_raw(body, INF_SV("summary"), INF_SV("[]"));
  copy(detail, "data", "encrypted_content", body);
  inf_json_close(body, '}');
}

static void
write_assistant(input *in, inf_sv message)
{
  size_t place = 0;
  inf_sv content = get(message, "content");
  inf_sv calls = get(message, "tool_calls");
  if (inf_json_is(get(message, "function_call"), INF_JSON_OBJECT))
    refuse(in, INF_SV("\"function_call\""));
  inf_json_iter it = inf_json_iter_of(get(message, "reasoning_details"));
  while (inf_json_next(&it))
    write_detail(it.value, in->body);
  const inf_json_iter refusal = {.key = INF_SV("refusal"),
                                 .value = get(message, "refusal")};
  if (!is_text(content) && !inf_json_has_items(content))
    content = refusal.value;
  else if (is_text(refusal.value))
    inf_member_note_within(in->send, "messages", &refusal);
  if (is_text(content) || inf_json_has_items(content))
    write_message(in, get(message, "role"), content, "output_text");
  if (!inf_json_has_items(calls))
    return;
  in->calls = calls;
  in->calls_from = in->number;
  in->answered = 0;
  for (it = inf_json_iter_of(calls); inf_json_next(&it); place++)
    write_call(in, it.value, place);
}

/* ---- All ------------------------------------------------------------------
 */

static const inf_part_taken parts[] = {
    {"text", "type text", NULL},
    {"image_url", "type image_url", "url detail"},
    {"file", "type file", NULL},
};
static const inf_message_taken taken = {
    .system = "role content",
    .user = "role content",
    .assistant = "role content refusal tool_calls reasoning_details "
                 "function_call",
    .tool = "role content tool_call_id",
    .call = "type id index function custom",
    .function = "name arguments",
    .custom = "name input",
    .parts = parts,
    .part_count = sizeof(parts) / sizeof(parts[0]),
    .detail = takes_detail,
};

static void
write_any(input *in, inf_sv message)
{
  inf_sv role = get(message, "role");
  if (is(role, "assistant"))
    write_assistant(in, message);
  else if (is(role, "tool"))
    write_result(in, message);
  else if (is(role, "user") || is(role, "system") || is(role, "developer"))
    write_message(in, role, get(message, "content"), "input_text");
  else
    refuse(in, role);
}

int32_t
inf_responses_write_input(const inf_send *send, inf_buf *body, inf_buf *why)
{
  const inf_buf *messages = &send->chat->messages;
  input in = {.send = send, .body = body, .why = why};
  inf_json_iter it = {.at = messages->ptr,
                      .end = messages->ptr + messages->len};
  inf_message_note_dropped(send, &taken);
  inf_json_open(body, '[');
  for (; messages->len > 0 && inf_json_next(&it); in.number++)
    write_any(&in, it.value);
  inf_json_close(body, ']');
  return in.status == INFER_OK ? body->status : in.status;
}
