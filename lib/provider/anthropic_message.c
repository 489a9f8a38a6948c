/* SPDX-License-Identifier: MIT */
/* The messages of a request to Anthropic's Messages. There the results of
 * tools are part of the user's turn: all that answer one message stand in one
 * turn, with what the user says after them. */
#include "provider/anthropic_write.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "provider/message_taken.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

/* Shorter ids (numbers, "call_1") come again in every turn of some servers,
 * where the API wants each once. Mistral's have 9 bytes and are drawn. */
#define ID_MIN_BYTES 9

struct walk {
  inf_anthropic_writer *writer;
  size_t number;     /* of the message at hand */
  bool in_results;   /* a user's turn that begins with results is open */
  inf_sv calls;      /* tool_calls of the last assistant's message */
  size_t calls_from; /* its number */
  size_t answered;   /* how many results came since */
};

static inf_json_iter
messages_of(const inf_send *send)
{
  const inf_buf *messages = &send->chat->messages;
  if (messages->len == 0)
    return inf_json_iter_of(INF_SV(""));
  return (inf_json_iter){.at = messages->ptr,
                         .end = messages->ptr + messages->len};
}

static bool
is_role(inf_sv message, const char *role)
{
  return inf_json_equal(inf_json_get(message, INF_SV("role")),
                        inf_sv_from(role));
}

static bool
is_text(inf_sv value)
{
  return inf_json_is(value, INF_JSON_STRING) && value.len > 2;
}

static void
copy_member(inf_sv from, const char *name, inf_buf *body)
{
  inf_sv value = inf_json_get(from, inf_sv_from(name));
  if (value.len > 0 && !inf_json_is(value, INF_JSON_NULL))
    inf_json_member_raw(body, inf_sv_from(name), value);
}

/* ---- System -------------------------------------------------------------- */

static bool
is_system(inf_sv message)
{
  return is_role(message, "system") || is_role(message, "developer");
}

/* One that is a string stays one. */
static void
write_system(inf_anthropic_writer *writer)
{
  inf_buf *body = writer->body;
  size_t count = 0, start = body->len;
  inf_sv only = {0};
  inf_json_iter it = messages_of(writer->send);
  while (inf_json_next(&it)) {
    if (is_system(it.value)) {
      only = inf_json_get(it.value, INF_SV("content"));
      count++;
    }
  }
  if (count == 0)
    return;
  if (inf_json_has_items(inf_anthropic_member(writer, "system"))) {
    inf_anthropic_refuse(writer, "system", " beside system messages");
    return;
  }
  if (count == 1 && inf_json_is(only, INF_JSON_STRING)) {
    if (is_text(only))
      inf_json_member_raw(body, INF_SV("system"), only);
    return;
  }
  inf_json_key(body, INF_SV("system"));
  inf_json_open(body, '[');
  size_t opened = body->len;
  for (it = messages_of(writer->send); inf_json_next(&it);)
    if (is_system(it.value))
      inf_anthropic_write_blocks(writer,
                                 inf_json_get(it.value, INF_SV("content")));
  if (body->len == opened)
    inf_buf_truncate(body, start);
  else
    inf_json_close(body, ']');
}

/* ---- Ids of tool calls --------------------------------------------------- */

/* As the id came, with what the API refuses in it spelled out; or one made of
 * where the call stands. */
static void
write_id(inf_buf *body, inf_sv id, size_t message, size_t call)
{
  static const char digits[] = "0123456789abcdef";
  inf_buf out;
  inf_buf_init(&out, INF_CHAT_MAX_BYTES);
  if (id.len < ID_MIN_BYTES)
    inf_buf_appendf(&out, "call_%zu_%zu", message, call);
  for (size_t i = 0; i < id.len && id.len >= ID_MIN_BYTES; i++) {
    unsigned char c = (unsigned char)id.ptr[i];
    const char hex[] = {'_', digits[c >> 4], digits[c & 15]};
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
        (c >= '0' && c <= '9') || c == '_' || c == '-')
      inf_buf_append_char(&out, (char)c);
    else
      inf_buf_append(&out, hex, sizeof(hex));
  }
  inf_json_put_string(body, inf_buf_sv(&out));
  if (body->status == INFER_OK)
    body->status = out.status;
  inf_buf_fini(&out);
}

/* The place among the last calls of the one that a result answers: the next
 * one if it has that id or the result has none, else any that has it. */
static size_t
place_of_call(const struct walk *walk, inf_sv id)
{
  size_t place = 0, found = SIZE_MAX;
  inf_json_iter it = inf_json_iter_of(walk->calls);
  for (; inf_json_next(&it); place++) {
    bool same =
        id.len > 0 && inf_json_equal(inf_json_get(it.value, INF_SV("id")), id);
    if (place == walk->answered && (same || id.len == 0))
      return place;
    if (same && found == SIZE_MAX)
      found = place;
  }
  return found;
}

/* ---- Turns --------------------------------------------------------------- */

static void
open_turn(inf_buf *body, const char *role)
{
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("role"), inf_sv_from(role));
  inf_json_key(body, INF_SV("content"));
}

static void
open_blocks(inf_buf *body, const char *role)
{
  open_turn(body, role);
  inf_json_open(body, '[');
}

static void
close_blocks(inf_buf *body)
{
  inf_json_close(body, ']');
  inf_json_close(body, '}');
}

static void
end_results(struct walk *walk)
{
  if (walk->in_results)
    close_blocks(walk->writer->body);
  walk->in_results = false;
}

/* A whole turn of blocks; nothing if there are none. */
static void
write_turn(inf_anthropic_writer *writer, const char *role, inf_sv content)
{
  inf_buf *body = writer->body;
  size_t start = body->len;
  if (inf_json_is(content, INF_JSON_STRING)) {
    if (!is_text(content))
      return;
    open_turn(body, role);
    inf_json_put_raw(body, content);
    inf_json_close(body, '}');
    return;
  }
  open_blocks(body, role);
  size_t opened = body->len;
  inf_anthropic_write_blocks(writer, content);
  if (body->len == opened)
    inf_buf_truncate(body, start);
  else
    close_blocks(body);
}

static void
write_user(struct walk *walk, inf_sv message)
{
  inf_sv content = inf_json_get(message, INF_SV("content"));
  if (walk->in_results)
    inf_anthropic_write_blocks(walk->writer, content);
  else
    write_turn(walk->writer, "user", content);
  end_results(walk);
}

static void
write_result(struct walk *walk, inf_sv message)
{
  inf_anthropic_writer *writer = walk->writer;
  inf_buf *body = writer->body;
  inf_sv content = inf_json_get(message, INF_SV("content"));
  if (!walk->in_results)
    open_blocks(body, "user");
  walk->in_results = true;
  inf_sv id =
      inf_anthropic_text(writer, inf_json_get(message, INF_SV("tool_call_id")));
  size_t place = place_of_call(walk, id);
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), INF_SV("tool_result"));
  inf_json_key(body, INF_SV("tool_use_id"));
  if (place == SIZE_MAX)
    write_id(body, id, walk->number, 0);
  else
    write_id(body, id, walk->calls_from, place);
  walk->answered++;
  if (is_text(content)) {
    inf_json_member_raw(body, INF_SV("content"), content);
  } else if (inf_json_has_items(content)) {
    inf_json_key(body, INF_SV("content"));
    inf_json_open(body, '[');
    inf_anthropic_write_blocks(writer, content);
    inf_json_close(body, ']');
  }
  copy_member(message, "is_error", body);
  copy_member(message, "cache_control", body);
  inf_json_close(body, '}');
}

/* ---- The assistant's ----------------------------------------------------- */

/* The API takes an object. What a model wrote otherwise, cut perhaps, is told
 * as the text that it is. */
static void
write_input(inf_anthropic_writer *writer, inf_sv arguments)
{
  inf_sv value = INF_SV("");
  inf_buf *body = writer->body;
  inf_sv text = inf_sv_trim(inf_anthropic_text(writer, arguments));
  inf_json_key(body, INF_SV("input"));
  if (text.len == 0) {
    inf_json_put_raw(body, INF_SV("{}"));
  } else if (inf_json_parse(text, INF_CHAT_MAX_DEPTH, &value, NULL) &&
             inf_json_is(value, INF_JSON_OBJECT)) {
    inf_json_put_raw(body, value);
  } else {
    inf_json_open(body, '{');
    inf_json_member_string(body, INF_SV("arguments"), text);
    inf_json_close(body, '}');
  }
}

static void
write_call(struct walk *walk, inf_sv call, size_t place)
{
  inf_anthropic_writer *writer = walk->writer;
  inf_buf *body = writer->body;
  inf_sv function = inf_json_get(call, INF_SV("function"));
  inf_sv custom = inf_json_get(call, INF_SV("custom"));
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), INF_SV("tool_use"));
  inf_json_key(body, INF_SV("id"));
  write_id(body, inf_anthropic_text(writer, inf_json_get(call, INF_SV("id"))),
           walk->number, place);
  copy_member(function.len > 0 ? function : custom, "name", body);
  write_input(writer, function.len > 0
                          ? inf_json_get(function, INF_SV("arguments"))
                          : inf_json_get(custom, INF_SV("input")));
  copy_member(call, "caller", body);
  copy_member(call, "cache_control", body);
  inf_json_close(body, '}');
}

static bool
is_ours(inf_sv detail)
{
  inf_sv format = inf_json_get(detail, INF_SV("format"));
  return !inf_json_is(format, INF_JSON_STRING) ||
         inf_json_equal(format, INF_SV("anthropic-claude-v1"));
}

static bool
write_detail(inf_sv detail, inf_buf *body)
{
  inf_sv type = inf_json_get(detail, INF_SV("type"));
  inf_sv text = inf_json_get(detail, INF_SV("text"));
  inf_sv signature = inf_json_get(detail, INF_SV("signature"));
  inf_sv data = inf_json_get(detail, INF_SV("data"));
  bool is_thinking =
      inf_json_equal(type, INF_SV("reasoning.text")) && is_text(signature);
  bool is_redacted =
      inf_json_equal(type, INF_SV("reasoning.encrypted")) && is_text(data);
  if (!is_ours(detail) || (!is_thinking && !is_redacted))
    return false;
  if (!body)
    return true;
  inf_json_open(body, '{');
  if (is_thinking) {
    inf_json_member_string(body, INF_SV("type"), INF_SV("thinking"));
    inf_json_member_raw(body, INF_SV("thinking"),
                        text.len > 0 ? text : INF_SV("\"\""));
    inf_json_member_raw(body, INF_SV("signature"), signature);
  } else {
    inf_json_member_string(body, INF_SV("type"), INF_SV("redacted_thinking"));
    inf_json_member_raw(body, INF_SV("data"), data);
  }
  inf_json_close(body, '}');
  return true;
}

bool
inf_anthropic_write_signed(inf_sv message, inf_buf *body)
{
  bool any = false;
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(message, INF_SV("reasoning_details")));
  while (inf_json_next(&it))
    any |= write_detail(it.value, body);
  return any;
}

static void
write_assistant(struct walk *walk, inf_sv message)
{
  inf_anthropic_writer *writer = walk->writer;
  inf_buf *body = writer->body;
  size_t start = body->len, place = 0;
  inf_sv content = inf_json_get(message, INF_SV("content"));
  inf_sv own = inf_json_get(message, INF_SV("anthropic_content"));
  end_results(walk);
  walk->calls = inf_json_get(message, INF_SV("tool_calls"));
  walk->calls_from = walk->number;
  walk->answered = 0;
  if (inf_json_has_items(own)) {
    open_turn(body, "assistant");
    inf_json_put_raw(body, own);
    inf_json_close(body, '}');
    return;
  }
  if (inf_json_is(inf_json_get(message, INF_SV("function_call")),
                  INF_JSON_OBJECT))
    inf_anthropic_refuse(writer, "function_call", ": send tool_calls instead");
  const inf_json_iter refusal = {.key = INF_SV("refusal"),
                                 .value =
                                     inf_json_get(message, INF_SV("refusal"))};
  if (content.len <= 2 || inf_json_is(content, INF_JSON_NULL))
    content = refusal.value;
  else if (is_text(refusal.value))
    inf_member_note_within(writer->send, "messages", &refusal);
  if (!inf_json_has_items(walk->calls) &&
      !inf_anthropic_write_signed(message, NULL)) {
    write_turn(writer, "assistant", content);
    return;
  }
  open_blocks(body, "assistant");
  size_t opened = body->len;
  inf_anthropic_write_signed(message, body);
  inf_anthropic_write_blocks(writer, content);
  inf_json_iter it = inf_json_iter_of(walk->calls);
  for (; inf_json_next(&it); place++)
    write_call(walk, it.value, place);
  if (body->len == opened)
    inf_buf_truncate(body, start);
  else
    close_blocks(body);
}

/* ---- What is taken ------------------------------------------------------- */

static bool
takes_detail(inf_sv detail)
{
  return write_detail(detail, NULL);
}

#define BLOCK "type cache_control title context citations "

static const inf_part_taken parts[] = {
    {"image_url", BLOCK "image_url", "url"},
    {"file", BLOCK "file", "file_id file_data filename"},
    {"refusal", "type refusal", NULL},
};
static const inf_message_taken taken = {
    .system = "role content",
    .user = "role content",
    .assistant = "role content refusal tool_calls reasoning_details "
                 "function_call",
    .tool = "role content tool_call_id is_error cache_control",
    .call = "type id index function custom caller cache_control",
    .function = "name arguments",
    .custom = "name input",
    .parts = parts,
    .part_count = sizeof(parts) / sizeof(parts[0]),
    .whole = "anthropic_content",
    .detail = takes_detail,
};

/* ---- All of it ----------------------------------------------------------- */

/* The beginning of the answer, to go on from. The API refuses whitespace at
 * its end; the model writes it again. */
static void
write_partial(inf_anthropic_writer *writer)
{
  inf_sv partial = writer->send->partial;
  while (partial.len > 0 && strchr(" \t\r\n", partial.ptr[partial.len - 1]))
    partial.len--;
  if (partial.len == 0)
    return;
  open_turn(writer->body, "assistant");
  inf_json_put_string(writer->body, partial);
  inf_json_close(writer->body, '}');
}

static void
write_message(struct walk *walk, inf_sv message)
{
  inf_anthropic_writer *writer = walk->writer;
  if (is_role(message, "tool")) {
    write_result(walk, message);
  } else if (is_role(message, "user")) {
    write_user(walk, message);
  } else if (is_role(message, "assistant")) {
    write_assistant(walk, message);
  } else if (!is_system(message)) {
    inf_sv role = inf_json_get(message, INF_SV("role"));
    inf_anthropic_text(writer, role);
    inf_anthropic_refuse(writer, inf_buf_cstr(&writer->scratch),
                         ": a role that the provider does not have");
  }
}

void
inf_anthropic_write_messages(inf_anthropic_writer *writer)
{
  struct walk walk = {.writer = writer};
  inf_buf *body = writer->body;
  inf_message_note_dropped(writer->send, &taken);
  write_system(writer);
  inf_json_key(body, INF_SV("messages"));
  inf_json_open(body, '[');
  size_t opened = body->len;
  inf_json_iter it = messages_of(writer->send);
  for (; inf_json_next(&it); walk.number++)
    write_message(&walk, it.value);
  end_results(&walk);
  write_partial(writer);
  if (body->len == opened)
    inf_anthropic_refuse(writer, "messages", ": none but of the system");
  inf_json_close(body, ']');
}
