/* SPDX-License-Identifier: MIT */
#include "provider/plugin_request.h"

#include "provider/member_rules.h"
#include "provider/plugin_json.h"
#include "provider/send.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

#include <stdio.h>

#define MAX_HEADERS_BYTES ((size_t)64 << 10)
#define MAX_PATH_BYTES    ((size_t)8 << 10)

/* ---- The request --------------------------------------------------------- */

/* What is found out on demand. */
typedef struct request_notes {
  inf_buf json; /* the whole, once it was asked for */
  inf_json_iter at;
  size_t index; /* of the message that `at` gives next */
} request_notes;

struct infer_provider_request {
  const inf_send *send;
  request_notes *notes;
};

const char *
infer_provider_request_model(const infer_provider_request *request, size_t *len)
{
  return inf_plugin_lend(request->send->model, len);
}

int32_t
infer_provider_request_stream(const infer_provider_request *request)
{
  return request->send->stream;
}

const char *
infer_provider_request_key(const infer_provider_request *request, size_t *len)
{
  return inf_plugin_lend(request->send->key, len);
}

static void
rewind_messages(const inf_send *send, request_notes *notes)
{
  const inf_buf *messages = &send->chat->messages;
  notes->index = 0;
  notes->at = (inf_json_iter){.at = messages->ptr,
                              .end = messages->ptr + messages->len};
}

const char *
infer_provider_request_message(const infer_provider_request *request,
                               size_t index, size_t *len)
{
  request_notes *notes = request->notes;
  if (index >= request->send->chat->message_count)
    return inf_plugin_lend_value(INF_SV(""), len);
  if (index < notes->index || notes->index == 0)
    rewind_messages(request->send, notes);
  for (bool more = true; more && notes->index <= index; notes->index++)
    more = inf_json_next(&notes->at);
  return inf_plugin_lend_value(notes->at.value, len);
}

const char *
infer_provider_request_member(const infer_provider_request *request,
                              const char *name, size_t *len)
{
  inf_sv value = inf_member_find(request->send, inf_sv_from(name));
  if (inf_json_is(value, INF_JSON_NULL))
    value = INF_SV("");
  return inf_plugin_lend_value(value, len);
}

static int32_t
write_json(const inf_send *send, inf_buf *json)
{
  inf_json_open(json, '{');
  inf_json_member_string(json, INF_SV("model"), send->model);
  inf_json_key(json, INF_SV("messages"));
  inf_json_open(json, '[');
  if (send->chat->messages.len > 0)
    inf_json_put_raw(json, inf_buf_sv(&send->chat->messages));
  inf_json_close(json, ']');
  inf_json_member_bool(json, INF_SV("stream"), send->stream);
  inf_member_walk walk = inf_member_walk_of(send);
  while (inf_member_next(&walk)) {
    inf_members_put_name(json, walk.it.key);
    inf_json_put_raw(json, walk.it.value);
  }
  inf_json_close(json, '}');
  return walk.status == INFER_OK ? json->status : walk.status;
}

const char *
infer_provider_request_json(const infer_provider_request *request, size_t *len)
{
  inf_buf *json = &request->notes->json;
  if (json->len == 0 && write_json(request->send, json) != INFER_OK) {
    inf_buf_clear(json);
    return inf_plugin_lend_value(INF_SV(""), len);
  }
  return inf_plugin_lend_value(inf_buf_sv(json), len);
}

/* ---- The writer ---------------------------------------------------------- */

struct infer_provider_writer {
  const inf_send *send;
  inf_wire_request *out;
  inf_buf headers; /* the plug-in's; may hold the key */
  inf_buf path;    /* in place of the kind's, if any */
  inf_buf *why;    /* or NULL */
  int32_t status;
  bool signing;
};

static void
trouble(infer_provider_writer *writer, int32_t status, const char *text)
{
  if (writer->status != INFER_OK)
    return;
  writer->status = status;
  if (writer->why) {
    inf_buf_clear(writer->why);
    inf_buf_appendf(writer->why, "%s: %s", writer->send->kind->type, text);
  }
}

/* Appends to the body, or tells why not. */
static inf_buf *
body_of(infer_provider_writer *writer)
{
  if (!writer->signing)
    return &writer->out->body;
  trouble(writer, INFER_E_INVALID_ARGUMENT, "sign may not change the body");
  return NULL;
}

void
infer_provider_writer_append(infer_provider_writer *writer, const char *bytes,
                             size_t len)
{
  inf_buf *body = body_of(writer);
  if (body)
    inf_buf_append_sv(body, inf_plugin_text(bytes, len));
}

void
infer_provider_writer_append_string(infer_provider_writer *writer,
                                    const char *text, size_t len)
{
  inf_buf *body = body_of(writer);
  if (!body)
    return;
  inf_buf_append_char(body, '"');
  inf_json_escape(body, inf_plugin_text(text, len));
  inf_buf_append_char(body, '"');
}

/* A string, or the strings of the text parts of an array, one after another:
 * decoded, or as they stand between their quotes. */
static void
append_strings(inf_buf *body, inf_sv value, bool decode)
{
  if (inf_json_is(value, INF_JSON_STRING) && value.len >= 2) {
    if (decode)
      inf_json_string(value, body);
    else
      inf_buf_append(body, value.ptr + 1, value.len - 2);
    return;
  }
  if (!inf_json_is(value, INF_JSON_ARRAY))
    return;
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it)) {
    inf_sv text = inf_json_get(it.value, INF_SV("text"));
    if (inf_json_equal(inf_json_get(it.value, INF_SV("type")),
                       INF_SV("text")) &&
        inf_json_is(text, INF_JSON_STRING))
      append_strings(body, text, decode);
  }
}

void
infer_provider_writer_append_text(infer_provider_writer *writer,
                                  const char *json, size_t len)
{
  inf_buf *body = body_of(writer);
  if (body)
    append_strings(body, inf_plugin_text(json, len), true);
}

void
infer_provider_writer_append_content(infer_provider_writer *writer,
                                     const char *json, size_t len)
{
  inf_buf *body = body_of(writer);
  if (!body)
    return;
  inf_buf_append_char(body, '"');
  append_strings(body, inf_plugin_text(json, len), false);
  inf_buf_append_char(body, '"');
}

void
infer_provider_writer_set_path(infer_provider_writer *writer, const char *path)
{
  if (writer->signing || !path || path[0] != '/') {
    trouble(writer, INFER_E_INVALID_ARGUMENT,
            writer->signing ? "sign may not change the path"
                            : "the path does not begin with a slash");
    return;
  }
  inf_buf_clear(&writer->path);
  inf_buf_append_cstr(&writer->path, path);
}

/* The next of NUL-terminated lines; empty at the end. */
static inf_sv
take_line(inf_sv *rest)
{
  size_t len = inf_sv_find(*rest, '\0');
  inf_sv line = inf_sv_of(rest->ptr, len);
  len += len < rest->len;
  *rest = inf_sv_of(rest->ptr + len, rest->len - len);
  return line;
}

static bool
has_header(inf_sv rest, inf_sv name)
{
  while (rest.len > 0) {
    inf_sv line = take_line(&rest);
    if (inf_sv_eq_nocase(inf_sv_of(line.ptr, inf_sv_find(line, ':')), name))
      return true;
  }
  return false;
}

/* Room without leaving a copy of what may be a key behind. */
static bool
make_room(inf_buf *headers, size_t more)
{
  inf_buf larger;
  if (headers->cap - headers->len > more)
    return true;
  inf_buf_init(&larger, headers->max);
  if (!inf_buf_reserve(&larger, headers->len * 2 + more) &&
      headers->len + more < headers->max) {
    inf_buf_clear(&larger);
    inf_buf_reserve(&larger, headers->len + more);
  }
  if (!inf_buf_append_sv(&larger, inf_buf_sv(headers))) {
    headers->status = larger.status;
    inf_buf_fini_secret(&larger);
    return false;
  }
  inf_buf_fini_secret(headers);
  *headers = larger;
  return true;
}

void
infer_provider_writer_add_header(infer_provider_writer *writer,
                                 const char *name, const char *value,
                                 size_t len)
{
  inf_sv key = inf_sv_from(name), text = inf_plugin_text(value, len);
  inf_buf *headers = writer->signing ? &writer->out->headers : &writer->headers;
  if (writer->status != INFER_OK)
    return;
  if (!inf_header_name_valid(key) || !inf_header_value_valid(text)) {
    trouble(writer, INFER_E_INVALID_ARGUMENT,
            "the plug-in wrote a header that is not valid");
    return;
  }
  if (has_header(writer->send->headers, key)) /* the account's stands */
    return;
  if (has_header(inf_buf_sv(headers), key))
    trouble(writer, INFER_E_INVALID_ARGUMENT,
            "the plug-in wrote a header that is there already");
  else if (make_room(headers, key.len + text.len + sizeof ": "))
    inf_send_write_header(writer->send, key, text, headers, NULL);
}

int32_t
infer_provider_writer_refuse(infer_provider_writer *writer, const char *why)
{
  inf_sv text = inf_sv_from(why);
  trouble(writer, INFER_E_UNSUPPORTED,
          text.len > 0 && inf_utf8_valid(text) ? why
                                               : "cannot be told this request");
  return INFER_E_UNSUPPORTED;
}

const char *
infer_provider_writer_method(const infer_provider_writer *writer)
{
  /* What has no messages asks for the list of models. */
  return writer->send->chat->message_count > 0 ? "POST" : "GET";
}

const char *
infer_provider_writer_url(const infer_provider_writer *writer, size_t *len)
{
  return inf_plugin_lend(inf_buf_sv(&writer->out->url), len);
}

const char *
infer_provider_writer_body(const infer_provider_writer *writer, size_t *len)
{
  return inf_plugin_lend(inf_buf_sv(&writer->out->body), len);
}

const char *
infer_provider_writer_header(const infer_provider_writer *writer, size_t index,
                             size_t *len)
{
  inf_sv rest = inf_buf_sv(&writer->out->headers);
  while (rest.len > 0) {
    inf_sv line = take_line(&rest);
    if (index-- == 0)
      return inf_plugin_lend_value(line, len);
  }
  return inf_plugin_lend_value(INF_SV(""), len);
}

/* ---- The hooks ----------------------------------------------------------- */

/* What a hook gave, as what write_chat and sign may give. */
static int32_t
outcome(infer_provider_writer *writer, const char *hook, int32_t status)
{
  char text[96];
  if (writer->status != INFER_OK)
    return writer->status;
  switch (status) {
  case INFER_OK:
    return writer->headers.status != INFER_OK ? writer->headers.status
           : writer->path.status != INFER_OK  ? writer->path.status
                                              : writer->out->body.status;
  case INFER_E_NO_MEMORY:
    return status;
  case INFER_E_UNSUPPORTED:
  case INFER_E_INVALID_ARGUMENT:
    trouble(writer, status, "cannot be told this request");
    return status;
  default:
    snprintf(text, sizeof text, "the plug-in's %s gave %d, which it must not",
             hook, (int)status);
    trouble(writer, INFER_E_UNSUPPORTED, text);
    return INFER_E_UNSUPPORTED;
  }
}

/* Address and headers around what the plug-in wrote. */
static int32_t
write_head(const infer_provider_writer *writer, inf_wire_request *out,
           inf_buf *why)
{
  static const char *const accepted[] = {
      [INF_FRAMING_SSE] = "Accept: text/event-stream",
      [INF_FRAMING_NDJSON] = "Accept: application/x-ndjson",
      [INF_FRAMING_JSON_ARRAY] = "Accept: application/json",
      [INF_FRAMING_EVENTSTREAM] = "Accept: application/vnd.amazon.eventstream",
      [INF_FRAMING_SPLIT] = "Accept: */*",
      [INF_FRAMING_NONE] = "Accept: application/json",
  };
  inf_send send = *writer->send;
  inf_provider_kind kind = *send.kind;
  inf_sv accept = send.stream ? inf_sv_from(accepted[kind.dialect->framing])
                  : kind.dialect->framing == INF_FRAMING_SPLIT
                      ? inf_sv_from(accepted[INF_FRAMING_SPLIT])
                      : INF_ACCEPT_JSON;
  if (writer->path.len > 0) {
    kind.chat_path = writer->path.ptr;
    kind.stream_path = NULL;
    send.kind = &kind;
  }
  send.headers = inf_buf_sv(&writer->headers);
  return inf_send_write_head(&send, accept, out, why);
}

static int32_t
write_all(infer_provider_writer *writer, const infer_provider_request *request)
{
  const infer_provider_descriptor *plugin = writer->send->kind->dialect->hooks;
  int32_t status =
      outcome(writer, "write_request",
              plugin->write_request(plugin->user_data, request, writer));
  if (status != INFER_OK)
    return status;
  /* The account's own come last: what has their names was not written. */
  if (!make_room(&writer->headers, writer->send->headers.len + 1) ||
      !inf_buf_append_sv(&writer->headers, writer->send->headers))
    return writer->headers.status;
  return write_head(writer, writer->out, writer->why);
}

int32_t
inf_plugin_write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  request_notes notes = {.index = 0};
  infer_provider_request request = {send, &notes};
  infer_provider_writer writer = {.send = send, .out = out, .why = why};
  if (send->partial.len > 0) {
    trouble(&writer, INFER_E_UNSUPPORTED,
            "a plug-in cannot be told to go on from a partial answer");
    return writer.status;
  }
  inf_buf_init(&notes.json, INF_CHAT_MAX_BYTES * 2);
  inf_buf_init(&writer.headers, MAX_HEADERS_BYTES);
  inf_buf_init(&writer.path, MAX_PATH_BYTES);
  int32_t status = write_all(&writer, &request);
  inf_buf_fini(&notes.json);
  inf_buf_fini_secret(&writer.headers);
  inf_buf_fini(&writer.path);
  return status;
}

int32_t
inf_plugin_sign(const inf_send *send, inf_wire_request *out,
                int64_t wall_now_ns, inf_buf *why)
{
  const infer_provider_descriptor *plugin = send->kind->dialect->hooks;
  request_notes notes = {.index = 0};
  infer_provider_request request = {send, &notes};
  infer_provider_writer writer = {
      .send = send, .out = out, .why = why, .signing = true};
  inf_buf_init(&notes.json, INF_CHAT_MAX_BYTES * 2);
  int32_t status =
      outcome(&writer, "sign",
              plugin->sign(plugin->user_data, &request, &writer, wall_now_ns));
  inf_buf_fini(&notes.json);
  return status == INFER_OK ? out->headers.status : status;
}
