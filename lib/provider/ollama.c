/* SPDX-License-Identifier: MIT */
#include "provider/ollama.h"
#include "provider/embed.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "provider/members.h"
#include "provider/message_taken.h"
#include "provider/ollama_read.h"
#include "provider/plugin_sink.h"
#include "provider/prefill.h"
#include "provider/send.h"
#include "provider/tool_ids.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

/* See ollama.h. */
static const char member_rules[] =
    "-user -store -metadata -stream_options -prompt_cache_key "
    "-prompt_cache_retention -safety_identifier -options !n !logit_bias !audio "
    "!prediction !functions "
    "!function_call "
    "!web_search_options !verbosity !parallel_tool_calls !service_tier "
    "!modalities !moderation";
static const char message_rules[] =
    "-refusal -annotations -audio -reasoning -reasoning_content "
    "-reasoning_details -content_parts -tool_plan -citations "
    "-anthropic_content -name !function_call";
/* Other members of messages are seen to by the rules. */
static const inf_part_taken parts_taken[] = {
    {"text", "type text", NULL},
    {"image_url", "type image_url", "url"},
};
static const inf_message_taken taken = {
    .call = "type id index function",
    .function = "name arguments",
    .parts = parts_taken,
    .part_count = sizeof(parts_taken) / sizeof(parts_taken[0]),
};

/* Members of "options" that OpenAI has at the top, or that callers of
 * compatible services put there. */
static const struct option {
  const char *name, *ours;
} option_names[] = {
    {"max_tokens", "num_predict"},
    {"max_completion_tokens", "num_predict"},
    {"temperature", "temperature"},
    {"top_p", "top_p"},
    {"top_k", "top_k"},
    {"min_p", "min_p"},
    {"seed", "seed"},
    {"frequency_penalty", "frequency_penalty"},
    {"presence_penalty", "presence_penalty"},
    {"repeat_penalty", "repeat_penalty"},
    {"stop", "stop"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct writer {
  const inf_send *send;
  inf_buf *body;
  inf_buf *why;
  inf_tool_ids ids;
  inf_buf text; /* a decoded string */
} writer;

static int32_t
unsupported(writer *w, const char *text)
{
  if (w->why)
    inf_buf_appendf(w->why, "%s %s", w->send->kind->type, text);
  return INFER_E_UNSUPPORTED;
}

static bool
is_null(inf_sv value)
{
  return value.len == 0 || inf_json_is(value, INF_JSON_NULL);
}

static bool
is_filled(inf_sv value)
{
  return inf_json_is(value, INF_JSON_STRING) && value.len > 2;
}

/* ---- Content ------------------------------------------------------------- */

/* The base64 of a data: URL, without escapes; empty if it is none. */
static inf_sv
data_of(inf_sv url)
{
  inf_sv text = INF_SV("");
  if (!inf_json_plain(url, &text) || !inf_sv_starts_with(text, INF_SV("data:")))
    return INF_SV("");
  size_t comma = inf_sv_find(text, ',');
  if (comma == text.len ||
      !inf_sv_ends_with(inf_sv_of(text.ptr, comma), INF_SV(";base64")))
    return INF_SV("");
  return inf_sv_of(text.ptr + comma + 1, text.len - comma - 1);
}

static bool
is_text(inf_sv part)
{
  return inf_json_equal(inf_json_get(part, INF_SV("type")), INF_SV("text"));
}

static inf_sv
url_of(inf_sv part)
{
  inf_sv image = inf_json_get(part, INF_SV("image_url"));
  return inf_json_is(image, INF_JSON_STRING)
             ? image
             : inf_json_get(image, INF_SV("url"));
}

/* The raw texts of the parts, one after another, are the raw whole. */
static void
write_texts(writer *w, inf_sv parts)
{
  inf_json_key(w->body, INF_SV("content"));
  inf_buf_append_char(w->body, '"');
  inf_json_iter it = inf_json_iter_of(parts);
  while (inf_json_next(&it)) {
    inf_sv text = inf_json_get(it.value, INF_SV("text"));
    if (is_text(it.value) && is_filled(text))
      inf_buf_append(w->body, text.ptr + 1, text.len - 2);
  }
  inf_buf_append_char(w->body, '"');
}

static int32_t
write_parts(writer *w, inf_sv parts)
{
  size_t images = 0;
  write_texts(w, parts);
  inf_json_iter it = inf_json_iter_of(parts);
  while (inf_json_next(&it)) {
    if (is_text(it.value))
      continue;
    if (!inf_json_equal(inf_json_get(it.value, INF_SV("type")),
                        INF_SV("image_url")))
      return unsupported(w, "takes no content parts but text and images");
    inf_sv data = data_of(url_of(it.value));
    if (data.len == 0)
      return unsupported(w, "takes images as data: URLs in base64 only");
    if (images++ == 0) {
      inf_json_key(w->body, INF_SV("images"));
      inf_json_open(w->body, '[');
    }
    inf_json_put_string(w->body, data);
  }
  if (images > 0)
    inf_json_close(w->body, ']');
  return INFER_OK;
}

static int32_t
write_content(writer *w, inf_sv content)
{
  if (inf_json_is(content, INF_JSON_ARRAY))
    return write_parts(w, content);
  inf_json_member_raw(w->body, INF_SV("content"),
                      is_null(content) ? INF_SV("\"\"") : content);
  return INFER_OK;
}

/* ---- Tool calls ---------------------------------------------------------- */

static int32_t
write_arguments(writer *w, inf_sv arguments)
{
  inf_sv object;
  const inf_sv name = INF_SV("arguments");
  if (inf_json_is(arguments, INF_JSON_OBJECT)) {
    inf_json_member_raw(w->body, name, arguments);
    return INFER_OK;
  }
  inf_buf_clear(&w->text);
  if (is_filled(arguments) && !inf_json_string(arguments, &w->text))
    return INFER_E_NO_MEMORY;
  inf_sv text = inf_sv_trim(inf_buf_sv(&w->text));
  if (text.len == 0) {
    inf_json_member_raw(w->body, name, INF_SV("{}"));
    return INFER_OK;
  }
  if (!inf_json_parse(text, INF_CHAT_MAX_DEPTH, &object, NULL) ||
      !inf_json_is(object, INF_JSON_OBJECT)) {
    unsupported(w, "takes no arguments of a tool call but an object");
    return INFER_E_INVALID_ARGUMENT;
  }
  inf_json_member_raw(w->body, name, object);
  return INFER_OK;
}

static int32_t
write_calls(writer *w, inf_sv calls)
{
  int32_t status = INFER_OK;
  inf_json_key(w->body, INF_SV("tool_calls"));
  inf_json_open(w->body, '[');
  inf_json_iter it = inf_json_iter_of(calls);
  while (status == INFER_OK && inf_json_next(&it)) {
    inf_sv id = inf_json_get(it.value, INF_SV("id"));
    inf_sv function = inf_json_get(it.value, INF_SV("function"));
    if (!inf_json_is(function, INF_JSON_OBJECT))
      return unsupported(w, "knows no tool calls but those of functions");
    inf_json_open(w->body, '{');
    if (is_filled(id))
      inf_json_member_raw(w->body, INF_SV("id"), id);
    inf_json_key(w->body, INF_SV("function"));
    inf_json_open(w->body, '{');
    inf_sv name = inf_json_get(function, INF_SV("name"));
    inf_json_member_raw(w->body, INF_SV("name"),
                        name.len > 0 ? name : INF_SV("\"\""));
    status = write_arguments(w, inf_json_get(function, INF_SV("arguments")));
    inf_json_close(w->body, '}');
    inf_json_close(w->body, '}');
  }
  inf_json_close(w->body, ']');
  return status;
}

static void
write_result(writer *w, inf_sv message)
{
  size_t place = inf_tool_ids_answered(&w->ids, message);
  inf_sv call = inf_json_at(w->ids.calls, place);
  inf_sv name = inf_json_get(message, INF_SV("tool_name"));
  inf_sv id = inf_json_get(message, INF_SV("tool_call_id"));
  if (!is_filled(name) && place != SIZE_MAX)
    name = inf_json_path(call, "function.name");
  if (!is_filled(name))
    name = inf_json_get(message, INF_SV("name"));
  if (!is_filled(id) && place != SIZE_MAX)
    id = inf_json_get(call, INF_SV("id"));
  if (is_filled(name))
    inf_json_member_raw(w->body, INF_SV("tool_name"), name);
  if (is_filled(id))
    inf_json_member_raw(w->body, INF_SV("tool_call_id"), id);
}

/* ---- Messages ------------------------------------------------------------ */

static int32_t
write_role(writer *w, inf_sv role)
{
  static const char *const known[] = {"system", "user", "assistant", "tool"};
  if (inf_json_equal(role, INF_SV("developer")))
    role = INF_SV("\"system\"");
  for (size_t i = 0; i < COUNT(known); i++) {
    if (inf_json_equal(role, inf_sv_from(known[i]))) {
      inf_json_member_raw(w->body, INF_SV("role"), role);
      return INFER_OK;
    }
  }
  return unsupported(w, "has no such role of a message");
}

/* "" if there is none that goes out: it does so beside calls. */
static inf_sv
thinking_of(inf_sv message)
{
  if (!inf_json_has_items(inf_json_get(message, INF_SV("tool_calls"))))
    return INF_SV("");
  inf_sv text = inf_json_get(message, INF_SV("reasoning_content"));
  if (!is_filled(text))
    text = inf_json_get(message, INF_SV("reasoning"));
  return is_filled(text) ? text : INF_SV("");
}

/* "images" of an answer of another service are objects, Ollama's own are
 * strings. */
static bool
is_answered_image(const inf_json_iter *it)
{
  return inf_json_key_is(it, INF_SV("images")) &&
         inf_json_is(inf_json_at(it->value, 0), INF_JSON_OBJECT);
}

/* written: the names of what is already. thinking: "" if none is. */
static int32_t
write_others(writer *w, inf_sv message, const char *written, inf_sv thinking)
{
  inf_sv to;
  inf_json_iter it = inf_json_iter_of(message);
  while (inf_json_next(&it)) {
    if (inf_member_is_listed(&it, written) ||
        (thinking.len > 0 && inf_message_is_reasoning(&it)))
      continue;
    inf_member_fate fate = inf_member_rule(message_rules, &it, &to);
    if (fate == INF_MEMBER_REFUSED)
      return inf_member_refuse(w->send, it.key, w->why);
    if (fate != INF_MEMBER_AS_IS || is_answered_image(&it)) {
      inf_member_note_within(w->send, "messages", &it);
      continue;
    }
    inf_members_put_name(w->body, it.key);
    inf_json_put_raw(w->body, it.value);
  }
  return INFER_OK;
}

static int32_t
write_message(writer *w, inf_sv message)
{
  inf_sv role = inf_json_get(message, INF_SV("role"));
  inf_sv calls = inf_json_get(message, INF_SV("tool_calls"));
  inf_tool_ids_see(&w->ids, message);
  inf_json_open(w->body, '{');
  int32_t status = write_role(w, role);
  if (status == INFER_OK)
    status = write_content(w, inf_json_get(message, INF_SV("content")));
  inf_sv thinking = thinking_of(message);
  if (thinking.len > 0)
    inf_json_member_raw(w->body, INF_SV("thinking"), thinking);
  if (status == INFER_OK && inf_json_has_items(calls))
    status = write_calls(w, calls);
  const char *written = "role content tool_calls tool_call_id tool_name";
  if (inf_json_equal(role, INF_SV("tool"))) {
    write_result(w, message);
    written = "role content tool_calls tool_call_id tool_name name";
  }
  if (status == INFER_OK)
    status = write_others(w, message, written, thinking);
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
  inf_prefill_write_message(w->send, w->body);
  inf_json_close(w->body, ']');
  return status;
}

/* ---- Options ------------------------------------------------------------- */

static const struct option *
option_of(const inf_json_iter *it)
{
  for (size_t i = 0; i < COUNT(option_names); i++)
    if (inf_json_key_is(it, inf_sv_from(option_names[i].name)))
      return &option_names[i];
  return NULL;
}

static void
write_option(writer *w, const struct option *option, inf_sv value)
{
  int64_t tokens;
  inf_sv name = inf_sv_from(option->ours);
  bool text = inf_json_is(value, INF_JSON_STRING);
  if (inf_sv_eq(name, INF_SV("num_predict")) && w->send->partial.len > 0 &&
      inf_json_int64(value, false, &tokens)) {
    int64_t left = tokens - w->send->partial_tokens;
    inf_json_member_int(w->body, name, left > 1 ? left : 1);
    return;
  }
  inf_json_key(w->body, name);
  if (text) /* one stop word */
    inf_json_open(w->body, '[');
  inf_json_put_raw(w->body, value);
  if (text)
    inf_json_close(w->body, ']');
}

/* The caller's own options, then those that stand at the top. */
static int32_t
write_options(writer *w)
{
  inf_sv own = inf_member_find(w->send, INF_SV("options"));
  bool is_open = false;
  bool has_limit = false;
  if (inf_json_has_items(own)) {
    inf_json_key(w->body, INF_SV("options"));
    inf_json_open(w->body, '{');
    is_open = true;
  }
  inf_json_iter it = inf_json_iter_of(own);
  while (inf_json_next(&it)) {
    inf_members_put_name(w->body, it.key);
    inf_json_put_raw(w->body, it.value);
  }
  inf_member_walk walk = inf_member_walk_of(w->send);
  while (inf_member_next(&walk)) {
    const struct option *option = option_of(&walk.it);
    if (!option || is_null(walk.it.value) ||
        inf_json_get(own, inf_sv_from(option->ours)).len > 0)
      continue;
    bool limit = inf_sv_eq(inf_sv_from(option->ours), INF_SV("num_predict"));
    if (limit && has_limit)
      continue;
    has_limit = has_limit || limit;
    if (!is_open) {
      inf_json_key(w->body, INF_SV("options"));
      inf_json_open(w->body, '{');
      is_open = true;
    }
    write_option(w, option, walk.it.value);
  }
  if (is_open)
    inf_json_close(w->body, '}');
  return walk.status;
}

/* ---- Other members ------------------------------------------------------- */

static int32_t
write_tools(writer *w, inf_sv tools)
{
  if (is_null(tools) ||
      inf_json_equal(inf_member_find(w->send, INF_SV("tool_choice")),
                     INF_SV("none")))
    return INFER_OK;
  inf_json_iter it = inf_json_iter_of(tools);
  while (inf_json_next(&it))
    if (!inf_json_is(inf_json_get(it.value, INF_SV("function")),
                     INF_JSON_OBJECT))
      return unsupported(w, "takes no tools but functions");
  inf_json_member_raw(w->body, INF_SV("tools"), tools);
  return INFER_OK;
}

static int32_t
check_tool_choice(writer *w, inf_sv choice)
{
  if (is_null(choice) || inf_json_equal(choice, INF_SV("auto")) ||
      inf_json_equal(choice, INF_SV("none")))
    return INFER_OK;
  return unsupported(w, "cannot be made to call a tool (tool_choice)");
}

static int32_t
write_format(writer *w, inf_sv format)
{
  const inf_sv name = INF_SV("format");
  inf_sv type = inf_json_get(format, INF_SV("type"));
  if (is_null(format) || inf_json_equal(type, INF_SV("text")) ||
      inf_member_find(w->send, name).len > 0)
    return INFER_OK;
  if (inf_json_equal(type, INF_SV("json_object"))) {
    inf_json_member_string(w->body, name, INF_SV("json"));
    return INFER_OK;
  }
  inf_sv schema = inf_json_path(format, "json_schema.schema");
  if (!inf_json_is(schema, INF_JSON_OBJECT))
    return unsupported(w, "needs a schema in response_format");
  inf_member_note_format(w->send, format);
  inf_json_member_raw(w->body, name, schema);
  return INFER_OK;
}

static int32_t
write_effort(writer *w, inf_sv effort)
{
  const inf_sv name = INF_SV("think");
  if (is_null(effort) || inf_member_find(w->send, name).len > 0)
    return INFER_OK;
  if (inf_json_equal(effort, INF_SV("none")))
    inf_json_member_bool(w->body, name, false);
  else if (inf_json_equal(effort, INF_SV("minimal")))
    inf_json_member_string(w->body, name, INF_SV("low"));
  else if (inf_json_equal(effort, INF_SV("xhigh")))
    inf_json_member_string(w->body, name, INF_SV("high"));
  else
    inf_json_member_raw(w->body, name, effort);
  return INFER_OK;
}

static const struct special {
  const char *name;
  int32_t (*write)(writer *w, inf_sv value);
} specials[] = {
    {"tools", write_tools},
    {"tool_choice", check_tool_choice},
    {"response_format", write_format},
    {"reasoning_effort", write_effort},
};

static int32_t
write_member(writer *w, const inf_json_iter *it)
{
  inf_sv to;
  if (option_of(it)) /* write_options() has them */
    return INFER_OK;
  for (size_t i = 0; i < COUNT(specials); i++)
    if (inf_json_key_is(it, inf_sv_from(specials[i].name)))
      return specials[i].write(w, it->value);
  inf_member_fate fate = inf_member_rule(member_rules, it, &to);
  if (fate == INF_MEMBER_REFUSED)
    return inf_member_refuse(w->send, it->key, w->why);
  if (fate == INF_MEMBER_LEFT_OUT)
    inf_member_note_dropped(w->send, it);
  if (fate == INF_MEMBER_AS_IS) {
    inf_members_put_name(w->body, it->key);
    inf_json_put_raw(w->body, it->value);
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
  if (status == INFER_OK)
    status = write_options(w);
  inf_json_close(w->body, '}');
  return status == INFER_OK ? w->body->status : status;
}

/* ---- Entry points -------------------------------------------------------- */

static int32_t
write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  writer w = {.send = send, .body = &out->body, .why = why};
  inf_buf_init(&w.text, SIZE_MAX);
  inf_sv accept =
      send->stream ? INF_SV("Accept: application/x-ndjson") : INF_ACCEPT_JSON;
  int32_t status = inf_send_write_head(send, accept, out, why);
  if (status == INFER_OK)
    status = write_body(&w);
  inf_buf_fini(&w.text);
  return status;
}

const inf_dialect inf_dialect_ollama = {
    .name = "ollama",
    .framing = INF_FRAMING_NDJSON,
    .write_chat = write_chat,
    .write_models = inf_send_write_models,
    .write_embed = inf_ollama_write_embed,
    .read_embed = inf_ollama_read_embed,
    .hooks = &inf_ollama_hooks,
    .read_body = inf_plugin_read_body,
    .read_event = inf_plugin_read_event,
};
