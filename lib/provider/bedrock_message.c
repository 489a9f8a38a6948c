/* SPDX-License-Identifier: MIT */
/* The messages of a Converse request. Converse wants user and assistant by
 * turns, so a message is opened by its first block and stays open for all that
 * the same side says. Strings go as they are, escapes and all: both sides are
 * JSON. */
#include "provider/bedrock_writer.h"

#include "infer/infer.h"

#include "provider/message_taken.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

#define COUNT(array)      (sizeof(array) / sizeof((array)[0]))
#define MAX_DOCUMENT_NAME 200

static const char user[] = "user", assistant[] = "assistant";

/* ---- Blocks -------------------------------------------------------------- */

static void
end_message(inf_bedrock_writer *writer)
{
  if (!writer->role)
    return;
  inf_json_close(writer->body, ']');
  inf_json_close(writer->body, '}');
  writer->role = NULL;
}

/* That side speaks; NULL: what comes goes into another list, which is open. */
static void
begin_turn(inf_bedrock_writer *writer, const char *role)
{
  inf_buf *body = writer->body;
  if (!role || role == writer->role)
    return;
  end_message(writer);
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("role"), inf_sv_from(role));
  inf_json_key(body, INF_SV("content"));
  inf_json_open(body, '[');
  writer->role = role;
}

static void
begin_block(inf_bedrock_writer *writer, const char *role)
{
  begin_turn(writer, role);
  inf_json_open(writer->body, '{');
}

static void
end_block(inf_bedrock_writer *writer)
{
  inf_json_close(writer->body, '}');
}

/* An empty text says nothing, and is refused by Bedrock. */
static void
put_text(inf_bedrock_writer *writer, const char *role, inf_sv json)
{
  if (!inf_json_is(json, INF_JSON_STRING) || json.len == 2)
    return;
  begin_block(writer, role);
  inf_json_member_raw(writer->body, INF_SV("text"), json);
  end_block(writer);
}

void
inf_bedrock_cache_point(inf_bedrock_writer *writer, inf_sv object)
{
  inf_sv control = inf_json_get(object, INF_SV("cache_control"));
  inf_sv ttl = inf_json_get(control, INF_SV("ttl"));
  if (!inf_json_is(control, INF_JSON_OBJECT))
    return;
  inf_json_open(writer->body, '{');
  inf_json_key(writer->body, INF_SV("cachePoint"));
  inf_json_open(writer->body, '{');
  inf_json_member_string(writer->body, INF_SV("type"), INF_SV("default"));
  if (ttl.len > 0)
    inf_json_member_raw(writer->body, INF_SV("ttl"), ttl);
  inf_json_close(writer->body, '}');
  inf_json_close(writer->body, '}');
}

/* ---- Images, documents, videos, sound ------------------------------------ */

typedef struct media_format {
  const char *block; /* "image", ... */
  const char *name;  /* as Converse has it; a file's ending is mostly that */
  const char *mime, *other; /* types that are it */
} media_format;

static const media_format formats[] = {
    {"image", "png", "image/png", NULL},
    {"image", "jpeg", "image/jpeg", "image/jpg"},
    {"image", "gif", "image/gif", NULL},
    {"image", "webp", "image/webp", NULL},
    {"document", "pdf", "application/pdf", NULL},
    {"document", "csv", "text/csv", NULL},
    {"document", "doc", "application/msword", NULL},
    {"document", "docx",
     "application/"
     "vnd.openxmlformats-officedocument.wordprocessingml.document",
     NULL},
    {"document", "xls", "application/vnd.ms-excel", NULL},
    {"document", "xlsx",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", NULL},
    {"document", "html", "text/html", NULL},
    {"document", "txt", "text/plain", NULL},
    {"document", "md", "text/markdown", NULL},
    {"video", "mp4", "video/mp4", NULL},
    {"video", "mov", "video/quicktime", NULL},
    {"video", "mkv", "video/x-matroska", NULL},
    {"video", "webm", "video/webm", NULL},
    {"video", "flv", "video/x-flv", NULL},
    {"video", "mpeg", "video/mpeg", NULL},
    {"video", "wmv", "video/x-ms-wmv", NULL},
    {"video", "three_gp", "video/3gpp", NULL},
    {"audio", "wav", "audio/wav", "audio/x-wav"},
    {"audio", "mp3", "audio/mpeg", "audio/mp3"},
    {"audio", "flac", "audio/flac", NULL},
    {"audio", "ogg", "audio/ogg", NULL},
    {"audio", "aac", "audio/aac", NULL},
};

static const media_format *
format_of_type(inf_sv type)
{
  for (size_t i = 0; i < COUNT(formats); i++)
    if (inf_sv_eq_nocase(type, inf_sv_from(formats[i].mime)) ||
        (formats[i].other &&
         inf_sv_eq_nocase(type, inf_sv_from(formats[i].other))))
      return &formats[i];
  return NULL;
}

/* By what stands behind the last dot. */
static const media_format *
format_of_name(inf_sv name)
{
  size_t dot = name.len;
  while (dot > 0 && name.ptr[dot - 1] != '.')
    dot--;
  inf_sv end = inf_sv_of(name.ptr + dot, name.len - dot);
  if (inf_sv_eq_nocase(end, INF_SV("jpg")))
    end = INF_SV("jpeg");
  for (size_t i = 0; dot > 0 && i < COUNT(formats); i++)
    if (inf_sv_eq_nocase(end, inf_sv_from(formats[i].name)))
      return &formats[i];
  return NULL;
}

/* What a URL has: "" in type where it is of S3. */
typedef struct source {
  inf_sv type, data;
} source;

/* False for what Converse cannot be given. */
static bool
read_url(inf_sv url, source *found)
{
  const inf_sv scheme = INF_SV("data:"), mark = INF_SV(";base64");
  *found = (source){INF_SV(""), url};
  if (inf_sv_starts_with(url, INF_SV("s3://")))
    return true;
  size_t comma = inf_sv_find(url, ',');
  if (!inf_sv_starts_with(url, scheme) || comma == url.len ||
      comma < scheme.len + mark.len)
    return false;
  inf_sv head = inf_sv_of(url.ptr + scheme.len, comma - scheme.len);
  if (!inf_sv_eq_nocase(inf_sv_of(head.ptr + head.len - mark.len, mark.len),
                        mark))
    return false;
  /* Without parameters: "text/plain;charset=utf-8;base64". */
  found->type = inf_sv_of(head.ptr, inf_sv_find(head, ';'));
  found->data = inf_sv_of(url.ptr + comma + 1, url.len - comma - 1);
  return true;
}

static bool
is_name_char(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || (c && strchr("-()[]", c));
}

/* Bedrock takes letters, digits, dashes, brackets and single spaces, and no
 * name twice: one that the caller did not give is numbered. */
static void
put_document_name(inf_bedrock_writer *writer, inf_sv file)
{
  inf_buf name;
  size_t end = file.len;
  while (end > 0 && file.ptr[end - 1] != '.')
    end--;
  if (end > 1)
    file.len = end - 1;
  inf_buf_init(&name, MAX_DOCUMENT_NAME);
  for (size_t i = 0; i < file.len && name.len < MAX_DOCUMENT_NAME - 1; i++) {
    char c = file.ptr[i];
    if (is_name_char(c))
      inf_buf_append_char(&name, c);
    else if (name.len > 0 && name.ptr[name.len - 1] != ' ')
      inf_buf_append_char(&name, ' ');
  }
  writer->documents++;
  if (name.len == 0)
    inf_buf_append_cstr(&name, "document");
  if (file.len == 0 && writer->documents > 1)
    inf_buf_appendf(&name, "-%u", writer->documents);
  inf_json_member_string(writer->body, INF_SV("name"),
                         inf_sv_trim(inf_buf_sv(&name)));
  if (name.status != INFER_OK)
    writer->body->status = name.status;
  inf_buf_fini(&name);
}

static void
put_source(inf_bedrock_writer *writer, const source *from)
{
  inf_buf *body = writer->body;
  inf_json_key(body, INF_SV("source"));
  inf_json_open(body, '{');
  if (from->type.len > 0) {
    inf_json_member_string(body, INF_SV("bytes"), from->data);
  } else {
    inf_json_key(body, INF_SV("s3Location"));
    inf_json_open(body, '{');
    inf_json_member_string(body, INF_SV("uri"), from->data);
    inf_json_close(body, '}');
  }
  inf_json_close(body, '}');
}

static void
put_media(inf_bedrock_writer *writer, const char *role,
          const media_format *format, const source *from, inf_sv file)
{
  begin_block(writer, role);
  inf_json_key(writer->body, inf_sv_from(format->block));
  inf_json_open(writer->body, '{');
  inf_json_member_string(writer->body, INF_SV("format"),
                         inf_sv_from(format->name));
  if (strcmp(format->block, "document") == 0)
    put_document_name(writer, file);
  put_source(writer, from);
  inf_json_close(writer->body, '}');
  end_block(writer);
}

/* The string of a part that is a URL; file: the raw string of a name. */
static void
put_url(inf_bedrock_writer *writer, const char *role, inf_sv url, inf_sv file)
{
  source from;
  inf_buf name;
  inf_sv text = inf_bedrock_text(writer, url);
  if (!read_url(text, &from)) {
    inf_bedrock_refuse(writer,
                       "Bedrock takes data: and s3:// URLs only, as of images",
                       INF_SV(""));
    return;
  }
  const media_format *format =
      from.type.len > 0 ? format_of_type(from.type) : format_of_name(from.data);
  if (!format) {
    inf_bedrock_refuse(writer, "Bedrock does not take files of type",
                       from.type.len > 0 ? from.type : INF_SV("unknown"));
    return;
  }
  inf_buf_init(&name, SIZE_MAX);
  if (file.len > 0 && !inf_json_string(file, &name))
    writer->body->status = INFER_E_NO_MEMORY;
  put_media(writer, role, format, &from, inf_buf_sv(&name));
  inf_buf_fini(&name);
}

static void
put_file(inf_bedrock_writer *writer, const char *role, inf_sv file)
{
  inf_sv data = inf_json_get(file, INF_SV("file_data"));
  if (inf_json_is(data, INF_JSON_STRING))
    put_url(writer, role, data, inf_json_get(file, INF_SV("filename")));
  else
    inf_bedrock_refuse(writer, "Bedrock takes no files by", INF_SV("file_id"));
}

static void
put_sound(inf_bedrock_writer *writer, const char *role, inf_sv audio)
{
  inf_sv name = inf_bedrock_text(writer, inf_json_get(audio, INF_SV("format")));
  const media_format *found = NULL;
  for (size_t i = 0; i < COUNT(formats); i++)
    if (strcmp(formats[i].block, "audio") == 0 &&
        inf_sv_eq(name, inf_sv_from(formats[i].name)))
      found = &formats[i];
  if (!found) {
    inf_bedrock_refuse(writer, "Bedrock does not take sound of format", name);
    return;
  }
  source from = {INF_SV("audio"),
                 inf_bedrock_text(writer, inf_json_get(audio, INF_SV("data")))};
  put_media(writer, role, found, &from, INF_SV(""));
}

/* ---- Parts --------------------------------------------------------------- */

/* A URL stands in an object, or is the member itself. */
static inf_sv
url_of(inf_sv value)
{
  return inf_json_is(value, INF_JSON_OBJECT)
             ? inf_json_get(value, INF_SV("url"))
             : value;
}

static void
put_own_block(inf_bedrock_writer *writer, const char *role, inf_sv block)
{
  begin_turn(writer, role);
  inf_json_put_raw(writer->body, block);
  if (inf_json_get(block, INF_SV("toolUse")).len > 0 ||
      inf_json_get(block, INF_SV("toolResult")).len > 0)
    writer->tools = true;
}

static void
put_part(inf_bedrock_writer *writer, const char *role, inf_sv part)
{
  inf_sv type = inf_json_get(part, INF_SV("type"));
  if (inf_json_is(part, INF_JSON_OBJECT) && type.len == 0) {
    put_own_block(writer, role, part);
    return;
  }
  if (inf_json_equal(type, INF_SV("text")))
    put_text(writer, role, inf_json_get(part, INF_SV("text")));
  else if (inf_json_equal(type, INF_SV("refusal")))
    put_text(writer, role, inf_json_get(part, INF_SV("refusal")));
  else if (inf_json_equal(type, INF_SV("image_url")))
    put_url(writer, role, url_of(inf_json_get(part, INF_SV("image_url"))),
            INF_SV(""));
  else if (inf_json_equal(type, INF_SV("video_url")))
    put_url(writer, role, url_of(inf_json_get(part, INF_SV("video_url"))),
            INF_SV(""));
  else if (inf_json_equal(type, INF_SV("file")))
    put_file(writer, role, inf_json_get(part, INF_SV("file")));
  else if (inf_json_equal(type, INF_SV("input_audio")))
    put_sound(writer, role, inf_json_get(part, INF_SV("input_audio")));
  else
    inf_bedrock_refuse(writer, "Bedrock does not take content of type",
                       inf_bedrock_text(writer, type));
  if (!writer->in_result)
    inf_bedrock_cache_point(writer, part);
}

static void
put_content(inf_bedrock_writer *writer, const char *role, inf_sv content)
{
  if (inf_json_is(content, INF_JSON_STRING)) {
    put_text(writer, role, content);
    return;
  }
  inf_json_iter it = inf_json_iter_of(content);
  while (inf_json_is(content, INF_JSON_ARRAY) && inf_json_next(&it))
    put_part(writer, role, it.value);
}

/* ---- Assistant ----------------------------------------------------------- */

/* May it have come from Bedrock? Who sends a format says whose it is. */
static bool
is_ours(inf_sv detail)
{
  inf_sv format = inf_json_get(detail, INF_SV("format"));
  return !inf_json_is(format, INF_JSON_STRING) || format.len == 2 ||
         inf_sv_starts_with(format, INF_SV("\"anthropic"));
}

static bool
is_readable(inf_sv detail)
{
  return inf_json_equal(inf_json_get(detail, INF_SV("type")),
                        INF_SV("reasoning.text")) &&
         inf_json_is(inf_json_get(detail, INF_SV("signature")),
                     INF_JSON_STRING);
}

static bool
is_hidden(inf_sv detail)
{
  return inf_json_equal(inf_json_get(detail, INF_SV("type")),
                        INF_SV("reasoning.encrypted")) &&
         inf_json_is(inf_json_get(detail, INF_SV("data")), INF_JSON_STRING);
}

static bool
takes_detail(inf_sv detail)
{
  return is_ours(detail) && (is_readable(detail) || is_hidden(detail));
}

static void
put_detail(inf_bedrock_writer *writer, inf_sv detail)
{
  inf_buf *body = writer->body;
  inf_sv text = inf_json_get(detail, INF_SV("text"));
  if (!takes_detail(detail))
    return;
  begin_block(writer, assistant);
  inf_json_key(body, INF_SV("reasoningContent"));
  inf_json_open(body, '{');
  if (is_readable(detail)) {
    inf_json_key(body, INF_SV("reasoningText"));
    inf_json_open(body, '{');
    inf_json_member_raw(body, INF_SV("text"),
                        text.len > 0 ? text : INF_SV("\"\""));
    inf_json_member_raw(body, INF_SV("signature"),
                        inf_json_get(detail, INF_SV("signature")));
    inf_json_close(body, '}');
  } else {
    inf_json_member_raw(body, INF_SV("redactedContent"),
                        inf_json_get(detail, INF_SV("data")));
  }
  inf_json_close(body, '}');
  end_block(writer);
}

/* Bedrock takes letters, digits, '_' and '-', at most 64. Other providers make
 * other ids, which a conversation may come with; their ends differ most. The
 * same id is the same again where the result has it. */
static void
put_id(inf_bedrock_writer *writer, inf_sv json)
{
  enum { most = 64 };
  char id[most];
  inf_sv text = inf_bedrock_text(writer, json);
  size_t len = text.len < most ? text.len : most;
  for (size_t i = 0; i < len; i++) {
    char c = text.ptr[text.len - len + i];
    id[i] = c != '_' && (!is_name_char(c) || strchr("()[]", c)) ? '_' : c;
  }
  inf_json_member_string(writer->body, INF_SV("toolUseId"), inf_sv_of(id, len));
}

/* The arguments, a string of JSON, as the object that they are. */
static void
put_input(inf_bedrock_writer *writer, inf_sv arguments, inf_sv name)
{
  inf_sv value = INF_SV("{}");
  inf_sv text = inf_sv_trim(inf_bedrock_text(writer, arguments));
  if (inf_json_is(arguments, INF_JSON_OBJECT))
    value = arguments;
  else if (text.len > 0 &&
           (!inf_json_parse(text, INF_CHAT_MAX_DEPTH - 8, &value, NULL) ||
            !inf_json_is(value, INF_JSON_OBJECT))) {
    inf_bedrock_refuse_as(writer, INFER_E_INVALID_ARGUMENT,
                          "no JSON object as the arguments of tool",
                          inf_bedrock_text(writer, name));
    return;
  }
  inf_json_member_raw(writer->body, INF_SV("input"), value);
}

static void
put_tool_call(inf_bedrock_writer *writer, inf_sv call)
{
  inf_buf *body = writer->body;
  inf_sv function = inf_json_get(call, INF_SV("function"));
  inf_sv name = inf_json_get(function, INF_SV("name"));
  inf_sv id = inf_json_get(call, INF_SV("id"));
  writer->tools = true;
  if (!inf_json_is(name, INF_JSON_STRING) ||
      !inf_json_is(id, INF_JSON_STRING)) {
    inf_bedrock_refuse(writer,
                       "Bedrock takes only calls of functions, with id and "
                       "name",
                       INF_SV(""));
    return;
  }
  begin_block(writer, assistant);
  inf_json_key(body, INF_SV("toolUse"));
  inf_json_open(body, '{');
  put_id(writer, id);
  inf_json_member_raw(body, INF_SV("name"), name);
  put_input(writer, inf_json_get(function, INF_SV("arguments")), name);
  inf_json_close(body, '}');
  end_block(writer);
}

static void
put_assistant(inf_bedrock_writer *writer, inf_sv message)
{
  inf_sv audio = inf_json_get(message, INF_SV("audio"));
  inf_sv call = inf_json_get(message, INF_SV("function_call"));
  if (inf_json_is(audio, INF_JSON_OBJECT))
    inf_bedrock_refuse(writer, "Bedrock does not take in a message",
                       INF_SV("audio"));
  if (inf_json_is(call, INF_JSON_OBJECT))
    inf_bedrock_refuse(writer, "Bedrock does not take in a message",
                       INF_SV("function_call"));
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(message, INF_SV("reasoning_details")));
  while (inf_json_next(&it))
    put_detail(writer, it.value);
  put_content(writer, assistant, inf_json_get(message, INF_SV("content")));
  inf_sv refusal = inf_json_get(message, INF_SV("refusal"));
  if (inf_json_is(refusal, INF_JSON_STRING))
    put_text(writer, assistant, refusal);
  it = inf_json_iter_of(inf_json_get(message, INF_SV("tool_calls")));
  while (inf_json_next(&it))
    put_tool_call(writer, it.value);
}

/* ---- Tool results -------------------------------------------------------- */

static void
put_result(inf_bedrock_writer *writer, inf_sv message)
{
  inf_buf *body = writer->body;
  inf_sv id = inf_json_get(message, INF_SV("tool_call_id"));
  inf_sv state = inf_json_get(message, INF_SV("status"));
  writer->tools = true;
  if (!inf_json_is(id, INF_JSON_STRING)) {
    inf_bedrock_refuse_as(writer, INFER_E_INVALID_ARGUMENT,
                          "a message of role \"tool\" has no",
                          INF_SV("tool_call_id"));
    return;
  }
  begin_block(writer, user);
  inf_json_key(body, INF_SV("toolResult"));
  inf_json_open(body, '{');
  put_id(writer, id);
  inf_json_key(body, INF_SV("content"));
  inf_json_open(body, '[');
  writer->in_result = true;
  put_content(writer, NULL, inf_json_get(message, INF_SV("content")));
  writer->in_result = false;
  inf_json_close(body, ']');
  if (inf_json_is(state, INF_JSON_STRING))
    inf_json_member_raw(body, INF_SV("status"), state);
  inf_json_close(body, '}');
  end_block(writer);
  inf_json_iter it = inf_json_iter_of(inf_json_get(message, INF_SV("content")));
  while (inf_json_next(&it))
    inf_bedrock_cache_point(writer, it.value);
}

/* ---- What is taken ------------------------------------------------------- */

static const inf_part_taken parts[] = {
    {"text", "type text cache_control", NULL},
    {"refusal", "type refusal cache_control", NULL},
    {"image_url", "type image_url cache_control", "url"},
    {"video_url", "type video_url cache_control", "url"},
    {"file", "type file cache_control", "file_data filename"},
    {"input_audio", "type input_audio cache_control", "data format"},
};
static const inf_message_taken taken = {
    .system = "role content",
    .user = "role content",
    .assistant = "role content refusal tool_calls reasoning_details "
                 "function_call audio",
    .tool = "role content tool_call_id status",
    .call = "type id index function",
    .function = "name arguments",
    .parts = parts,
    .part_count = COUNT(parts),
    .detail = takes_detail,
};

/* ---- All ----------------------------------------------------------------- */

static bool
is_system(inf_sv role)
{
  return inf_json_equal(role, INF_SV("system")) ||
         inf_json_equal(role, INF_SV("developer"));
}

static void
put_message(inf_bedrock_writer *writer, inf_sv message)
{
  inf_sv role = inf_json_get(message, INF_SV("role"));
  if (is_system(role))
    return;
  if (inf_json_equal(role, INF_SV("user")))
    put_content(writer, user, inf_json_get(message, INF_SV("content")));
  else if (inf_json_equal(role, INF_SV("assistant")))
    put_assistant(writer, message);
  else if (inf_json_equal(role, INF_SV("tool")))
    put_result(writer, message);
  else
    inf_bedrock_refuse(writer, "Bedrock does not take messages of role",
                       inf_bedrock_text(writer, role));
}

/* As the inside of an array. */
static inf_json_iter
messages_of(const inf_bedrock_writer *writer)
{
  const inf_buf *messages = &writer->send->chat->messages;
  return (inf_json_iter){.at = messages->ptr,
                         .end = messages->ptr + messages->len};
}

static void
put_partial(inf_bedrock_writer *writer)
{
  if (writer->send->partial.len == 0)
    return;
  begin_block(writer, assistant);
  inf_json_member_string(writer->body, INF_SV("text"), writer->send->partial);
  end_block(writer);
}

static void
put_system(inf_bedrock_writer *writer)
{
  bool open = false;
  inf_json_iter it = messages_of(writer);
  while (inf_json_next(&it)) {
    if (!is_system(inf_json_get(it.value, INF_SV("role"))))
      continue;
    if (!open) {
      inf_json_key(writer->body, INF_SV("system"));
      inf_json_open(writer->body, '[');
      open = true;
    }
    put_content(writer, NULL, inf_json_get(it.value, INF_SV("content")));
  }
  if (open)
    inf_json_close(writer->body, ']');
}

void
inf_bedrock_messages(inf_bedrock_writer *writer)
{
  inf_message_note_dropped(writer->send, &taken);
  inf_json_key(writer->body, INF_SV("messages"));
  inf_json_open(writer->body, '[');
  inf_json_iter it = messages_of(writer);
  while (inf_json_next(&it))
    put_message(writer, it.value);
  put_partial(writer);
  end_message(writer);
  inf_json_close(writer->body, ']');
  put_system(writer);
}
