/* SPDX-License-Identifier: MIT */
/* The messages of a request as Gemini's contents. Sources: ai.google.dev
 * /api/caching#Content, /gemini-api/docs/function-calling and
 * /gemini-api/docs/thought-signatures (read 2026-08), and recorded requests. */
#include "provider/gemini_write.h"

#include "infer/infer.h"

#include "provider/gemini_read.h"
#include "provider/member_rules.h"
#include "provider/message_taken.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

#define FORMAT       "google-gemini-v1"
#define NO_SIGNATURE "skip_thought_signature_validator"

typedef struct writer {
  const inf_gemini_request *request;
  inf_buf *out;
  inf_buf text;    /* a decoded string, until the next */
  int32_t decoded; /* INFER_OK, or why a string could not be decoded */
  inf_sv callers; /* the last message with calls, which results mostly answer */
} writer;

static inf_json_iter
messages_of(const inf_gemini_request *request)
{
  const inf_buf *messages = &request->send->chat->messages;
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
is_system(inf_sv message)
{
  return is_role(message, "system") || is_role(message, "developer");
}

static bool
is_filled(inf_sv string)
{
  return inf_json_is(string, INF_JSON_STRING) && string.len > 2;
}

/* The decoded string, until the next is decoded; "" for anything else. */
static inf_sv
decode(writer *w, inf_sv string)
{
  inf_sv plain;
  if (inf_json_plain(string, &plain))
    return plain;
  inf_buf_clear(&w->text);
  inf_json_string(string, &w->text);
  if (w->text.status != INFER_OK)
    w->decoded = w->text.status;
  return inf_buf_sv(&w->text);
}

static int32_t
refuse(const writer *w, const char *what, inf_sv name, const char *reason)
{
  return inf_gemini_refuse(w->request, what, name, reason);
}

static int32_t
refuse_part(writer *w, inf_sv part)
{
  return refuse(w, "a content part of type",
                decode(w, inf_json_get(part, INF_SV("type"))),
                "Gemini has nothing like it");
}

/* ---- Parts --------------------------------------------------------------- */

/* string: JSON. An empty text is refused by Gemini and says nothing. */
static void
put_text(inf_buf *out, inf_sv string)
{
  if (!is_filled(string))
    return;
  inf_json_open(out, '{');
  inf_json_member_raw(out, INF_SV("text"), string);
  inf_json_close(out, '}');
}

static int32_t
put_url(writer *w, inf_sv string)
{
  return inf_gemini_put_url(w->request, decode(w, string), INF_SV(""));
}

/* {"data": base64, "format": "wav"}. */
static int32_t
put_audio(writer *w, inf_sv audio)
{
  inf_buf *out = w->out;
  inf_sv data = inf_json_get(audio, INF_SV("data"));
  inf_sv format = decode(w, inf_json_get(audio, INF_SV("format")));
  if (!is_filled(data) || format.len == 0)
    return refuse(w, "input_audio", INF_SV(""), "no data or no format");
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("inlineData"));
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("mimeType"));
  inf_buf_append_cstr(out, "\"audio/");
  inf_json_escape(out, format);
  inf_buf_append_char(out, '"');
  inf_json_member_raw(out, INF_SV("data"), data);
  inf_json_close(out, '}');
  inf_json_close(out, '}');
  return INFER_OK;
}

/* {"file_data": "data:...", "filename"} or {"file_id": the file's URI,
 * "format": its type}. */
static int32_t
put_file(writer *w, inf_sv file)
{
  inf_sv type = {0};
  inf_sv data = inf_json_get(file, INF_SV("file_data"));
  if (!is_filled(data))
    data = inf_json_get(file, INF_SV("file_id"));
  if (!is_filled(data))
    return refuse(w, "a file", INF_SV(""), "neither file_data nor file_id");
  inf_json_plain(inf_json_get(file, INF_SV("format")), &type);
  return inf_gemini_put_url(w->request, decode(w, data), type);
}

static int32_t
put_part(writer *w, inf_sv part)
{
  inf_sv type = inf_json_get(part, INF_SV("type"));
  if (inf_json_equal(type, INF_SV("text"))) {
    put_text(w->out, inf_json_get(part, INF_SV("text")));
    return INFER_OK;
  }
  if (inf_json_equal(type, INF_SV("refusal"))) {
    put_text(w->out, inf_json_get(part, INF_SV("refusal")));
    return INFER_OK;
  }
  if (inf_json_equal(type, INF_SV("image_url")))
    return put_url(w, inf_json_path(part, "image_url.url"));
  if (inf_json_equal(type, INF_SV("video_url")))
    return put_url(w, inf_json_path(part, "video_url.url"));
  if (inf_json_equal(type, INF_SV("input_audio")))
    return put_audio(w, inf_json_get(part, INF_SV("input_audio")));
  if (inf_json_equal(type, INF_SV("file")))
    return put_file(w, inf_json_get(part, INF_SV("file")));
  /* One of Gemini's own, as the caller wrote it. */
  if (type.len == 0 && inf_json_is(part, INF_JSON_OBJECT)) {
    inf_json_put_raw(w->out, part);
    return INFER_OK;
  }
  return refuse_part(w, part);
}

/* A string, or a list of parts. */
static int32_t
put_content(writer *w, inf_sv content)
{
  int32_t status = INFER_OK;
  put_text(w->out, content);
  inf_json_iter it = inf_json_iter_of(content);
  while (status == INFER_OK && !it.object && inf_json_next(&it))
    status = put_part(w, it.value);
  return status;
}

static void
open_content(inf_buf *out, const char *role)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("role"), inf_sv_from(role));
  inf_json_key(out, INF_SV("parts"));
  inf_json_open(out, '[');
}

/* What has no parts is taken back: Gemini refuses it. */
static void
close_content(inf_buf *out, size_t before)
{
  bool empty = out->len > 0 && out->ptr[out->len - 1] == '[';
  inf_json_close(out, ']');
  inf_json_close(out, '}');
  if (empty && out->status == INFER_OK)
    inf_buf_truncate(out, before);
}

/* ---- Signatures ---------------------------------------------------------- */

static bool
is_ours(inf_sv detail, const char *type)
{
  return inf_json_equal(inf_json_get(detail, INF_SV("format")),
                        INF_SV(FORMAT)) &&
         inf_json_equal(inf_json_get(detail, INF_SV("type")),
                        inf_sv_from(type));
}

/* The signature of the call with that id (a JSON string), or of the text where
 * it is empty; "" if there is none. One that came alone belongs to neither. */
static inf_sv
signature_of(inf_sv message, inf_sv id, bool alone)
{
  inf_sv found = {0};
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(message, INF_SV("reasoning_details")));
  while (inf_json_next(&it)) {
    inf_sv of = inf_json_get(it.value, INF_SV("id"));
    if (is_ours(it.value, "reasoning.encrypted") && inf_sv_eq(of, id) &&
        alone ==
            inf_json_is(inf_json_get(it.value, INF_SV("alone")), INF_JSON_TRUE))
      found = inf_json_get(it.value, INF_SV("data"));
  }
  return inf_json_is(found, INF_JSON_STRING) ? found : INF_SV("");
}

/* Google's own place for it in OpenAI's shape is read too. */
static inf_sv
signature_of_call(inf_sv message, inf_sv call)
{
  inf_sv own = inf_json_path(call, "extra_content.google.thought_signature");
  return is_filled(own)
             ? own
             : signature_of(message, inf_json_get(call, INF_SV("id")), false);
}

/* Thoughts that the model knows again. */
static void
put_thoughts(inf_buf *out, inf_sv message)
{
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(message, INF_SV("reasoning_details")));
  while (inf_json_next(&it)) {
    inf_sv text = inf_json_get(it.value, INF_SV("text"));
    inf_sv signature = inf_json_get(it.value, INF_SV("signature"));
    if (!is_ours(it.value, "reasoning.text") || !is_filled(text))
      continue;
    inf_json_open(out, '{');
    inf_json_member_raw(out, INF_SV("text"), text);
    inf_json_member_bool(out, INF_SV("thought"), true);
    if (is_filled(signature))
      inf_json_member_raw(out, INF_SV("thoughtSignature"), signature);
    inf_json_close(out, '}');
  }
}

/* Puts it into the part that was written last, which stands at the end; parts:
 * where the first of them begins. */
static void
sign_last(inf_buf *out, size_t parts, inf_sv signature)
{
  if (signature.len == 0 || out->status != INFER_OK)
    return;
  if (out->len > parts) {
    inf_buf_truncate(out, out->len - 1);
  } else {
    inf_json_open(out, '{');
    inf_json_member_string(out, INF_SV("text"), INF_SV(""));
  }
  inf_json_member_raw(out, INF_SV("thoughtSignature"), signature);
  inf_json_close(out, '}');
}

/* ---- Calls --------------------------------------------------------------- */

/* An id that others gave; one of our reader's says nothing to Gemini. */
static void
put_id(writer *w, inf_sv id)
{
  if (is_filled(id) && !inf_gemini_is_made_id(decode(w, id)))
    inf_json_member_raw(w->out, INF_SV("id"), id);
}

/* Arguments are an object in a string. */
static int32_t
put_arguments(writer *w, inf_sv arguments, inf_sv name)
{
  inf_sv object;
  inf_sv text = inf_sv_trim(decode(w, arguments));
  if (inf_json_is(arguments, INF_JSON_OBJECT))
    text = arguments;
  if (text.len == 0)
    text = INF_SV("{}");
  if (!inf_json_parse(text, INF_CHAT_MAX_DEPTH, &object, NULL) ||
      !inf_json_is(object, INF_JSON_OBJECT))
    return refuse(w, "the arguments of the call of", decode(w, name),
                  "not a JSON object");
  inf_json_member_raw(w->out, INF_SV("args"), object);
  return INFER_OK;
}

static int32_t
put_call(writer *w, inf_sv message, inf_sv call, bool first)
{
  inf_buf *out = w->out;
  inf_sv name = inf_json_path(call, "function.name");
  inf_sv signature = signature_of_call(message, call);
  if (!is_filled(name))
    return refuse(w, "a tool call", INF_SV(""), "it is not one of a function");
  if (first && signature.len == 0 &&
      !inf_gemini_is_old(w->request->send->model))
    signature = INF_SV("\"" NO_SIGNATURE "\"");
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("functionCall"));
  inf_json_open(out, '{');
  put_id(w, inf_json_get(call, INF_SV("id")));
  inf_json_member_raw(out, INF_SV("name"), name);
  int32_t status =
      put_arguments(w, inf_json_path(call, "function.arguments"), name);
  inf_json_close(out, '}');
  if (signature.len > 0)
    inf_json_member_raw(out, INF_SV("thoughtSignature"), signature);
  inf_json_close(out, '}');
  return status;
}

/* ---- Messages ------------------------------------------------------------ */

/* As gemini_read.c keeps them; a part that other providers' content had has a
 * type. */
static void
put_raw_parts(writer *w, inf_sv parts)
{
  inf_json_iter it = inf_json_iter_of(parts);
  while (!it.object && inf_json_next(&it)) {
    const inf_json_iter left = {.key = INF_SV("content_parts"),
                                .value = it.value};
    if (inf_json_is(it.value, INF_JSON_OBJECT) &&
        inf_json_get(it.value, INF_SV("type")).len == 0)
      inf_json_put_raw(w->out, it.value);
    else
      inf_member_note_within(w->request->send, "messages", &left);
  }
}

/* As the model made them. */
static int32_t
put_images(writer *w, inf_sv images)
{
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(images);
  while (status == INFER_OK && !it.object && inf_json_next(&it)) {
    size_t before = w->out->len;
    inf_sv signature = inf_json_get(it.value, INF_SV("signature"));
    status = put_part(w, it.value);
    if (status == INFER_OK && is_filled(signature))
      sign_last(w->out, before, signature);
  }
  return status;
}

static int32_t
put_assistant(writer *w, inf_sv message)
{
  inf_buf *out = w->out;
  size_t before = out->len;
  bool first = true;
  if (inf_json_get(message, INF_SV("function_call")).len > 0 &&
      !inf_json_is(inf_json_get(message, INF_SV("function_call")),
                   INF_JSON_NULL))
    return refuse(w, "function_call", INF_SV(""), "send tool_calls instead");
  open_content(out, "model");
  put_thoughts(out, message);
  put_raw_parts(w, inf_json_get(message, INF_SV("content_parts")));
  size_t parts = out->len;
  int32_t status = put_content(w, inf_json_get(message, INF_SV("content")));
  put_text(out, inf_json_get(message, INF_SV("refusal")));
  sign_last(out, parts, signature_of(message, INF_SV(""), false));
  if (status == INFER_OK)
    status = put_images(w, inf_json_get(message, INF_SV("images")));
  sign_last(out, out->len, signature_of(message, INF_SV(""), true));
  inf_sv calls = inf_json_get(message, INF_SV("tool_calls"));
  if (inf_json_has_items(calls))
    w->callers = message;
  inf_json_iter it = inf_json_iter_of(calls);
  for (; status == INFER_OK && inf_json_next(&it); first = false)
    status = put_call(w, message, it.value, first);
  close_content(out, before);
  return status;
}

/* The name in the call that has the id, if one of the message's has. */
static inf_sv
name_in(inf_sv message, inf_sv id)
{
  inf_sv name = {0};
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(message, INF_SV("tool_calls")));
  while (inf_json_next(&it))
    if (inf_sv_eq(inf_json_get(it.value, INF_SV("id")), id))
      name = inf_json_path(it.value, "function.name");
  return name;
}

/* The name of the function whose call has that id: the last one before the
 * result. */
static inf_sv
name_of_call(const writer *w, inf_sv result, inf_sv id)
{
  inf_sv name = name_in(w->callers, id);
  inf_json_iter it = messages_of(w->request);
  while (name.len == 0 && inf_json_next(&it) && it.value.ptr != result.ptr) {
    inf_sv found = name_in(it.value, id);
    if (found.len > 0)
      name = found;
  }
  return name.len > 0 ? name : inf_json_get(result, INF_SV("name"));
}

static bool
is_text_part(inf_sv part)
{
  return inf_json_equal(inf_json_get(part, INF_SV("type")), INF_SV("text"));
}

/* The texts of a content, as one. */
static void
join_texts(inf_sv content, inf_buf *text)
{
  inf_json_string(content, text);
  inf_json_iter it = inf_json_iter_of(content);
  while (!it.object && inf_json_next(&it))
    if (is_text_part(it.value))
      inf_json_string(inf_json_get(it.value, INF_SV("text")), text);
}

static void
put_response(inf_buf *out, inf_sv content)
{
  inf_sv object;
  inf_buf text;
  inf_buf_init(&text, INF_CHAT_MAX_BYTES);
  if (content.len > 0 && content.ptr[0] == '"')
    inf_json_string(content, &text);
  else
    join_texts(content, &text);
  inf_json_key(out, INF_SV("response"));
  if (inf_json_parse(inf_buf_sv(&text), INF_CHAT_MAX_DEPTH, &object, NULL) &&
      inf_json_is(object, INF_JSON_OBJECT)) {
    inf_json_put_raw(out, object);
  } else {
    inf_json_open(out, '{');
    inf_json_member_string(out, INF_SV("output"), inf_buf_sv(&text));
    inf_json_close(out, '}');
  }
  if (text.status != INFER_OK && out->status == INFER_OK)
    out->status = text.status;
  inf_buf_fini(&text);
}

/* Images and files of a result. */
static int32_t
put_media(writer *w, inf_sv content)
{
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(content);
  while (status == INFER_OK && !it.object && inf_json_next(&it))
    if (!is_text_part(it.value))
      status = put_part(w, it.value);
  return status;
}

static bool
has_media(inf_sv content)
{
  inf_json_iter it = inf_json_iter_of(content);
  while (!it.object && inf_json_next(&it))
    if (!is_text_part(it.value))
      return true;
  return false;
}

static int32_t
put_result(writer *w, inf_sv message)
{
  inf_buf *out = w->out;
  int32_t status = INFER_OK;
  inf_sv id = inf_json_get(message, INF_SV("tool_call_id"));
  inf_sv name = name_of_call(w, message, id);
  inf_sv content = inf_json_get(message, INF_SV("content"));
  bool beside = inf_gemini_is_old(w->request->send->model);
  if (!is_filled(name))
    return refuse(w, "the result of tool call", decode(w, id),
                  "no call before it has this id, so that its function is "
                  "not known");
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("functionResponse"));
  inf_json_open(out, '{');
  put_id(w, id);
  inf_json_member_raw(out, INF_SV("name"), name);
  put_response(out, content);
  if (!beside && has_media(content)) {
    inf_json_key(out, INF_SV("parts"));
    inf_json_open(out, '[');
    status = put_media(w, content);
    inf_json_close(out, ']');
  }
  inf_json_close(out, '}');
  inf_json_close(out, '}');
  if (beside && status == INFER_OK)
    status = put_media(w, content);
  return status;
}

static int32_t
put_user(writer *w, inf_sv message)
{
  size_t before = w->out->len;
  open_content(w->out, "user");
  int32_t status = put_content(w, inf_json_get(message, INF_SV("content")));
  close_content(w->out, before);
  return status;
}

/* ---- What is taken ------------------------------------------------------- */

static bool
takes_detail(inf_sv detail)
{
  return is_ours(detail, "reasoning.text") ||
         is_ours(detail, "reasoning.encrypted");
}

static const inf_part_taken parts[] = {
    {"text", "type text", NULL},
    {"refusal", "type refusal", NULL},
    {"image_url", "type image_url", "url"},
    {"video_url", "type video_url", "url"},
    {"input_audio", "type input_audio", "data format"},
    {"file", "type file", "file_data file_id format"},
};
static const inf_message_taken taken = {
    .system = "role content",
    .user = "role content",
    .assistant = "role content refusal images content_parts tool_calls "
                 "reasoning_details function_call",
    .tool = "role content tool_call_id name",
    .call = "type id index function extra_content",
    .function = "name arguments",
    .parts = parts,
    .part_count = sizeof(parts) / sizeof(parts[0]),
    .detail = takes_detail,
};

/* ---- The whole ----------------------------------------------------------- */

static int32_t
put_system(writer *w)
{
  int32_t status = INFER_OK;
  bool any = false;
  inf_json_iter it = messages_of(w->request);
  while (status == INFER_OK && inf_json_next(&it)) {
    inf_sv content = inf_json_get(it.value, INF_SV("content"));
    if (!is_system(it.value))
      continue;
    if (!any) {
      inf_json_key(w->out, INF_SV("systemInstruction"));
      inf_json_open(w->out, '{');
      inf_json_key(w->out, INF_SV("parts"));
      inf_json_open(w->out, '[');
    }
    any = true;
    status = has_media(content) ? refuse(w, "a system message", INF_SV(""),
                                         "it can have nothing but text")
                                : put_content(w, content);
  }
  if (any) {
    inf_json_close(w->out, ']');
    inf_json_close(w->out, '}');
  }
  return status;
}

static int32_t
put_messages(writer *w)
{
  int32_t status = INFER_OK;
  bool results = false;
  inf_json_iter it = messages_of(w->request);
  while (status == INFER_OK && inf_json_next(&it)) {
    if (is_system(it.value))
      continue;
    bool result = is_role(it.value, "tool");
    if (results && !result) {
      inf_json_close(w->out, ']');
      inf_json_close(w->out, '}');
    } else if (result && !results) {
      open_content(w->out, "user");
    }
    results = result;
    if (result)
      status = put_result(w, it.value);
    else if (is_role(it.value, "assistant"))
      status = put_assistant(w, it.value);
    else if (is_role(it.value, "user"))
      status = put_user(w, it.value);
    else
      status = refuse(w, "a message with role",
                      decode(w, inf_json_get(it.value, INF_SV("role"))),
                      "Gemini has no such role");
  }
  if (results) {
    inf_json_close(w->out, ']');
    inf_json_close(w->out, '}');
  }
  return status;
}

int32_t
inf_gemini_write_contents(const inf_gemini_request *request)
{
  writer w = {.request = request, .out = request->out};
  inf_buf_init(&w.text, INF_CHAT_MAX_BYTES);
  inf_message_note_dropped(request->send, &taken);
  inf_json_key(w.out, INF_SV("contents"));
  inf_json_open(w.out, '[');
  int32_t status = put_messages(&w);
  inf_json_close(w.out, ']');
  if (status == INFER_OK)
    status = put_system(&w);
  /* What could not be decoded may have been refused for what it then lacked:
   * short of memory is what went wrong. */
  if (w.decoded != INFER_OK) {
    status = w.decoded;
    if (request->why)
      inf_buf_clear(request->why);
  }
  inf_buf_fini(&w.text);
  return status == INFER_OK ? w.out->status : status;
}
