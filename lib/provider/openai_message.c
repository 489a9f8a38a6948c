/* SPDX-License-Identifier: MIT */
/* Reads a message of Chat Completions, whole or as the delta of a chunk: text,
 * reasoning, refusal, tool calls, and whatever else is in it. */
#include "provider/openai_reader.h"

#include "infer/infer.h"

#include "wire/json_write.h"

/* ---- Tool calls ---------------------------------------------------------- */

/* One element of tool_calls, before it is known which call it belongs to. */
typedef struct call_piece {
  uint32_t index;
  inf_sv id, type, name, arguments;
  inf_sv function; /* the object that has the name */
} call_piece;

static uint32_t
call_index(inf_sv call, bool chunk, uint32_t place)
{
  int64_t number;
  /* The elements of a whole body are different calls, whatever they say. */
  if (!chunk)
    return place;
  inf_sv index = inf_json_get(call, INF_SV("index"));
  if (inf_json_int64(index, true, &number) && number >= 0 &&
      number < INF_TOOL_NO_INDEX)
    return (uint32_t)number;
  return INF_TOOL_NO_INDEX;
}

/* Arguments are a string that holds JSON; some servers send the JSON. */
static inf_sv
arguments_of(inf_openai_reader *reader, inf_sv value)
{
  return inf_json_is(value, INF_JSON_OBJECT) ? value
                                             : inf_openai_text(reader, value);
}

static call_piece
read_call(inf_openai_reader *reader, inf_sv call, uint32_t place)
{
  call_piece piece = {.index = call_index(call, reader->chunk, place)};
  inf_sv input = INF_SV("arguments");
  piece.id = inf_openai_text(reader, inf_json_get(call, INF_SV("id")));
  piece.type = inf_openai_text(reader, inf_json_get(call, INF_SV("type")));
  piece.function = inf_json_get(call, INF_SV("function"));
  if (!inf_json_is(piece.function, INF_JSON_OBJECT)) {
    piece.function = inf_json_get(call, INF_SV("custom"));
    input = INF_SV("input");
    if (piece.type.len == 0 && inf_json_is(piece.function, INF_JSON_OBJECT))
      piece.type = INF_SV("custom");
  }
  piece.name =
      inf_openai_text(reader, inf_json_get(piece.function, INF_SV("name")));
  piece.arguments = arguments_of(reader, inf_json_get(piece.function, input));
  return piece;
}

static const inf_json_name function_names[] = {
    INF_JSON_NAME("name"),
    INF_JSON_NAME("arguments"),
    INF_JSON_NAME("input"),
};

static const inf_json_name call_names[] = {
    INF_JSON_NAME("id"),       INF_JSON_NAME("type"),   INF_JSON_NAME("index"),
    INF_JSON_NAME("function"), INF_JSON_NAME("custom"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What else the function object holds, as an object. */
static void
pass_function(inf_openai_reader *reader, size_t tool, inf_sv function)
{
  inf_buf rest;
  inf_buf_init(&rest, SIZE_MAX);
  inf_json_open(&rest, '{');
  size_t next = 0;
  inf_json_iter it = inf_openai_members_of(reader, function);
  while (inf_json_next(&it)) {
    if (inf_json_find_name(&it, function_names, COUNT(function_names), &next) <
            COUNT(function_names) ||
        inf_json_is(it.value, INF_JSON_NULL))
      continue;
    inf_members_put_name(&rest, it.key);
    inf_json_put_raw(&rest, it.value);
  }
  inf_json_close(&rest, '}');
  inf_openai_fail(reader, rest.status);
  if (rest.status == INFER_OK && rest.len > 2)
    inf_answer_set_tool_extra(reader->answer, reader->choice, tool,
                              INF_SV("function"), inf_buf_sv(&rest));
  inf_buf_fini(&rest);
}

static void
read_tool_calls(inf_openai_reader *reader, inf_sv calls)
{
  uint32_t place = 0;
  inf_json_iter it = inf_json_iter_by(reader->index, calls);
  while (inf_json_next(&it)) {
    call_piece piece = read_call(reader, it.value, place++);
    size_t tool = inf_answer_add_tool_call(reader->answer, reader->choice,
                                           piece.index, piece.id, piece.type,
                                           piece.name, piece.arguments);
    inf_openai_spoil(reader);
    if (tool == SIZE_MAX)
      return;
    pass_function(reader, tool, piece.function);
    size_t next = 0;
    inf_json_iter extra = inf_openai_members_of(reader, it.value);
    while (inf_json_next(&extra)) {
      if (inf_json_find_name(&extra, call_names, COUNT(call_names), &next) ==
          COUNT(call_names))
        inf_answer_set_tool_extra(reader->answer, reader->choice, tool,
                                  extra.key, extra.value);
    }
  }
}

/* ---- Content ------------------------------------------------------------- */

static void
add_reasoning(inf_openai_reader *reader, inf_sv value, const char *name)
{
  inf_answer_add_reasoning(reader->answer, reader->choice,
                           inf_openai_text(reader, value), name);
}

/* Mistral: {"type": "thinking", "thinking": [{"type": "text", "text"}]}. */
static void
read_thinking(inf_openai_reader *reader, inf_sv thinking)
{
  if (inf_openai_is_string(thinking)) {
    add_reasoning(reader, thinking, "reasoning_content");
    return;
  }
  inf_json_iter it = inf_json_iter_by(reader->index, thinking);
  while (inf_json_next(&it))
    add_reasoning(reader, inf_json_get(it.value, INF_SV("text")),
                  "reasoning_content");
}

/* One of the parts of a content array. What is not text, thinking or a
 * refusal is kept as "content_parts". */
static void
read_part(inf_openai_reader *reader, inf_sv part)
{
  inf_buf one;
  inf_sv type = inf_json_get(part, INF_SV("type"));
  inf_sv text = inf_json_get(part, INF_SV("text"));
  if (inf_json_equal(type, INF_SV("thinking"))) {
    read_thinking(reader, inf_json_get(part, INF_SV("thinking")));
  } else if (inf_json_equal(type, INF_SV("refusal"))) {
    inf_answer_add_refusal(
        reader->answer, reader->choice,
        inf_openai_text(reader, inf_json_get(part, INF_SV("refusal"))));
  } else if (inf_openai_is_string(text)) {
    inf_answer_add_text(reader->answer, reader->choice,
                        inf_openai_text(reader, text));
  } else {
    inf_buf_init(&one, SIZE_MAX);
    inf_json_open(&one, '[');
    inf_json_put_raw(&one, part);
    inf_json_close(&one, ']');
    if (one.status == INFER_OK)
      inf_answer_set_message_extra(reader->answer, reader->choice,
                                   INF_SV("content_parts"), inf_buf_sv(&one),
                                   true);
    inf_openai_fail(reader, one.status);
    inf_buf_fini(&one);
  }
}

static void
read_content(inf_openai_reader *reader, inf_sv content)
{
  if (inf_openai_is_string(content)) {
    inf_openai_hole(reader, INF_HOLE_TEXT, content, NULL);
    inf_answer_add_text(reader->answer, reader->choice,
                        inf_openai_text(reader, content));
    return;
  }
  if (content.len == 0 || inf_json_is(content, INF_JSON_NULL))
    return;
  inf_openai_spoil(reader);
  inf_json_iter it = inf_json_iter_by(reader->index, content);
  if (inf_json_is(content, INF_JSON_ARRAY)) {
    while (inf_json_next(&it))
      read_part(reader, it.value);
  } else {
    /* Cloudflare's JSON mode answers with the JSON itself. */
    inf_answer_set_message_extra(reader->answer, reader->choice,
                                 INF_SV("content"), content, reader->chunk);
  }
}

/* The texts of reasoning_details, where there is no other reasoning. */
static void
read_details(inf_openai_reader *reader, inf_sv details)
{
  inf_json_iter it = inf_json_iter_by(reader->index, details);
  while (inf_json_next(&it)) {
    inf_sv text = inf_json_get(it.value, INF_SV("text"));
    if (!inf_openai_is_string(text))
      text = inf_json_get(it.value, INF_SV("summary"));
    if (inf_openai_is_filled(text))
      add_reasoning(reader, text, "reasoning");
  }
}

/* Servers that send both names send the same under both. */
static void
read_reasoning(inf_openai_reader *reader, inf_sv reasoning_content,
               inf_sv reasoning, inf_sv details)
{
  bool first = inf_openai_is_string(reasoning_content);
  bool second = inf_openai_is_string(reasoning);
  if (first && second)
    inf_openai_spoil(reader);
  else if (first)
    inf_openai_hole(reader, INF_HOLE_REASONING, reasoning_content,
                    "reasoning_content");
  else if (second)
    inf_openai_hole(reader, INF_HOLE_REASONING, reasoning, "reasoning");
  if (inf_openai_is_filled(reasoning_content))
    add_reasoning(reader, reasoning_content, "reasoning_content");
  else if (inf_openai_is_filled(reasoning))
    add_reasoning(reader, reasoning, "reasoning");
  else if (details.len > 0)
    read_details(reader, details);
}

static void
read_refusal(inf_openai_reader *reader, inf_sv refusal)
{
  if (!inf_openai_is_string(refusal))
    return;
  inf_openai_spoil(reader);
  inf_answer_add_refusal(reader->answer, reader->choice,
                         inf_openai_text(reader, refusal));
}

/* A member of the message that is not known. In a chunk it is a piece. */
static void
pass_message_member(inf_openai_reader *reader, const inf_json_iter *it)
{
  inf_json_type type = inf_json_type_of(it->value);
  if ((type == INF_JSON_STRING && !inf_members_is_label(it->key)) ||
      type == INF_JSON_OBJECT || inf_json_has_items(it->value))
    inf_openai_spoil(reader);
  inf_answer_set_message_extra(reader->answer, reader->choice, it->key,
                               it->value, reader->chunk);
}

enum {
  ROLE,
  CONTENT,
  REFUSAL,
  TOOL_CALLS,
  REASONING,
  REASONING_CONTENT,
  REASONING_DETAILS,
  /* Members of a delta that whole messages do not have. */
  INDEX,
  TOKEN_ID,
  MESSAGE_NAME_COUNT,
};

static const inf_json_name message_names[MESSAGE_NAME_COUNT] = {
    [CONTENT] = INF_JSON_NAME("content"),
    [ROLE] = INF_JSON_NAME("role"),
    [REFUSAL] = INF_JSON_NAME("refusal"),
    [TOOL_CALLS] = INF_JSON_NAME("tool_calls"),
    [REASONING] = INF_JSON_NAME("reasoning"),
    [REASONING_CONTENT] = INF_JSON_NAME("reasoning_content"),
    [REASONING_DETAILS] = INF_JSON_NAME("reasoning_details"),
    [INDEX] = INF_JSON_NAME("index"),
    [TOKEN_ID] = INF_JSON_NAME("token_id"),
};

/* Members are collected first, because the order in which they are taken must
 * not depend on the order in which a server writes them. */
void
inf_openai_message(inf_openai_reader *reader, inf_sv object)
{
  inf_sv values[MESSAGE_NAME_COUNT] = {{0}};
  size_t next = 0;
  inf_json_iter it = inf_openai_members_of(reader, object);
  while (inf_json_next(&it)) {
    size_t name =
        inf_json_find_name(&it, message_names, MESSAGE_NAME_COUNT, &next);
    if (name < MESSAGE_NAME_COUNT)
      values[name] = it.value;
    /* Details pass through as they are, beside the text that is in them. */
    if (name == MESSAGE_NAME_COUNT || name == REASONING_DETAILS ||
        (name >= INDEX && !reader->chunk))
      pass_message_member(reader, &it);
  }
  if (inf_openai_is_filled(values[ROLE]))
    inf_answer_set_role(reader->answer, reader->choice,
                        inf_openai_text(reader, values[ROLE]));
  read_reasoning(reader, values[REASONING_CONTENT], values[REASONING],
                 values[REASONING_DETAILS]);
  read_content(reader, values[CONTENT]);
  read_refusal(reader, values[REFUSAL]);
  if (values[TOOL_CALLS].len > 0)
    read_tool_calls(reader, values[TOOL_CALLS]);
}
