/* SPDX-License-Identifier: MIT */
/* The caller's request, checked and kept as text. All changes build the new
 * text first and swap it in, so that a failed call changes nothing. */
#include "provider/chat.h"

#include "infer/infer.h"

#include "provider/members.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

#define MAX_MODEL_BYTES 1024
/* OpenAI's request object has about forty members. */
#define MAX_MEMBERS 256

static int32_t
refuse(const char **reason, const char *text)
{
  if (reason)
    *reason = text;
  return INFER_E_INVALID_ARGUMENT;
}

static int32_t
refuse_at(const char **reason, const char *text, size_t *offset, size_t at)
{
  if (offset)
    *offset = at;
  return refuse(reason, text);
}

void
inf_chat_init(inf_chat *chat)
{
  *chat = (inf_chat){0};
  inf_buf_init(&chat->model, MAX_MODEL_BYTES);
  inf_buf_init(&chat->messages, INF_CHAT_MAX_BYTES);
  inf_buf_init(&chat->members, INF_CHAT_MAX_BYTES);
}

void
inf_chat_fini(inf_chat *chat)
{
  inf_buf_fini(&chat->model);
  inf_buf_fini(&chat->messages);
  inf_buf_fini(&chat->members);
  chat->message_count = 0;
  chat->inputs = false;
}

static inf_sv
members_of(const inf_chat *chat)
{
  return chat->members.len > 0 ? inf_buf_sv(&chat->members) : INF_SV("{}");
}

static void
replace(inf_buf *buf, inf_buf *with)
{
  inf_buf_fini(buf);
  *buf = *with;
}

/* Would the request with added bytes more still be within its limit? */
static bool
fits(const inf_chat *chat, size_t added)
{
  size_t used = chat->model.len + chat->messages.len + chat->members.len;
  return added <= INF_CHAT_MAX_BYTES && used <= INF_CHAT_MAX_BYTES - added;
}

/* ---- Checks -------------------------------------------------------------- */

static bool
has_control(inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    if (c < 0x20 || c == 0x7F)
      return true;
  }
  return false;
}

static int32_t
check_model(inf_sv model, const char **reason)
{
  if (model.len == 0)
    return refuse(reason, "the model is empty");
  if (model.len > MAX_MODEL_BYTES)
    return refuse(reason, "the model's name is longer than 1024 bytes");
  if (has_control(model))
    return refuse(reason, "the model's name has control characters");
  if (!inf_utf8_valid(model))
    return refuse(reason, "the model's name is not valid UTF-8");
  return INFER_OK;
}

/* The whole text as one value at most depth deep. */
static int32_t
parse(inf_sv json, unsigned depth, inf_sv *value, const char **reason,
      size_t *offset)
{
  inf_json_error error;
  if (json.len > INF_CHAT_MAX_BYTES)
    return INFER_E_TOO_LARGE;
  if (inf_json_parse(json, depth, value, &error))
    return INFER_OK;
  return refuse_at(reason, error.reason, offset, error.offset);
}

/* Is the text after the last of the ends one of those before it? */
static bool
stands_before(const inf_buf *names, const size_t *ends, size_t count)
{
  if (names->len == 0)
    return count > 0;
  inf_sv last = inf_sv_of(names->ptr + ends[count], names->len - ends[count]);
  for (size_t i = 0; i < count; i++) {
    inf_sv other = inf_sv_of(names->ptr + ends[i], ends[i + 1] - ends[i]);
    if (inf_sv_eq(last, other))
      return true;
  }
  return false;
}

/* Parsers differ in what they make of a name that stands twice in an object:
 * what a guard in front of a provider reads and what the provider reads must
 * be the same, so it is refused. */
static int32_t
check_names(inf_sv object, const char *base, const char **reason,
            size_t *offset)
{
  size_t ends[MAX_MEMBERS + 1] = {0};
  size_t count = 0;
  int32_t status = INFER_OK;
  inf_buf names;
  inf_buf_init(&names, INF_CHAT_MAX_BYTES);
  inf_json_iter it = inf_json_iter_of(object);
  while (status == INFER_OK && inf_json_next(&it)) {
    size_t at = (size_t)(it.key.ptr - base);
    if (count == MAX_MEMBERS)
      status = refuse_at(reason, "too many members", offset, at);
    else if (!inf_json_unescape(it.key, &names))
      status = INFER_E_NO_MEMORY;
    else if (stands_before(&names, ends, count))
      status = refuse_at(reason, "duplicate member", offset, at);
    else
      ends[++count] = names.len;
  }
  inf_buf_fini(&names);
  return status;
}

static int32_t
check_message(inf_sv message, const char *base, const char **reason,
              size_t *offset)
{
  size_t at = (size_t)(message.ptr - base);
  if (!inf_json_is(message, INF_JSON_OBJECT))
    return refuse_at(reason, "a message must be an object", offset, at);
  inf_sv role = inf_json_get(message, INF_SV("role"));
  if (!inf_json_is(role, INF_JSON_STRING) || role.len == 2)
    return refuse_at(reason, "a message needs a \"role\"", offset, at);
  return check_names(message, base, reason, offset);
}

/* ---- From JSON ----------------------------------------------------------- */

int32_t
inf_chat_take_model(inf_chat *chat, inf_sv value, const char **reason)
{
  if (!inf_json_is(value, INF_JSON_STRING))
    return refuse(reason, "\"model\" must be a string");
  inf_buf text;
  inf_buf_init(&text, INF_CHAT_MAX_BYTES);
  int32_t status = INFER_E_NO_MEMORY;
  if (inf_json_string(value, &text))
    status = inf_chat_set_model(chat, inf_buf_sv(&text), reason);
  inf_buf_fini(&text);
  return status;
}

static int32_t
take_messages(inf_chat *chat, inf_sv value, const char *base,
              const char **reason, size_t *offset)
{
  if (!inf_json_is(value, INF_JSON_ARRAY))
    return refuse(reason, "\"messages\" must be an array");
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it)) {
    int32_t status = check_message(it.value, base, reason, offset);
    if (status != INFER_OK)
      return status;
    if (chat->message_count++ > 0)
      inf_buf_append_char(&chat->messages, ',');
    inf_buf_append_sv(&chat->messages, it.value);
  }
  if (chat->message_count == 0)
    return refuse(reason, "\"messages\" is empty");
  return chat->messages.status;
}

static int32_t
take_member(inf_chat *chat, const inf_json_iter *it, const char *base,
            const char **reason, size_t *offset)
{
  if (inf_json_key_is(it, INF_SV("model")))
    return inf_chat_take_model(chat, it->value, reason);
  if (inf_json_key_is(it, INF_SV("messages")))
    return take_messages(chat, it->value, base, reason, offset);
  if (inf_json_key_is(it, INF_SV("stream")))
    return INFER_OK;
  inf_members_put_name(&chat->members, it->key);
  inf_json_put_raw(&chat->members, it->value);
  return chat->members.status;
}

int32_t
inf_chat_from_json(inf_chat *chat, inf_sv json, const char **reason,
                   size_t *offset)
{
  inf_sv object;
  inf_chat fresh;
  if (offset)
    *offset = 0;
  int32_t status = parse(json, INF_CHAT_MAX_DEPTH, &object, reason, offset);
  if (status != INFER_OK)
    return status;
  if (!inf_json_is(object, INF_JSON_OBJECT))
    return refuse(reason, "a request must be an object");
  status = check_names(object, json.ptr, reason, offset);
  if (status != INFER_OK)
    return status;
  inf_chat_init(&fresh);
  inf_json_open(&fresh.members, '{');
  inf_json_iter it = inf_json_iter_of(object);
  while (status == INFER_OK && inf_json_next(&it)) {
    if (offset)
      *offset = (size_t)(it.value.ptr - json.ptr);
    status = take_member(&fresh, &it, json.ptr, reason, offset);
  }
  inf_json_close(&fresh.members, '}');
  if (status == INFER_OK)
    status = fresh.members.status;
  if (status == INFER_OK && offset)
    *offset = 0;
  if (status == INFER_OK)
    status = inf_chat_check(&fresh, reason);
  if (status != INFER_OK) {
    inf_chat_fini(&fresh);
    return status;
  }
  inf_chat_fini(chat);
  *chat = fresh;
  return INFER_OK;
}

/* ---- Builders ------------------------------------------------------------ */

int32_t
inf_chat_set_model(inf_chat *chat, inf_sv model, const char **reason)
{
  int32_t status = check_model(model, reason);
  if (status != INFER_OK)
    return status;
  if (!fits(chat, model.len))
    return INFER_E_TOO_LARGE;
  inf_buf fresh;
  inf_buf_init(&fresh, MAX_MODEL_BYTES);
  if (!inf_buf_append_sv(&fresh, model))
    return fresh.status;
  replace(&chat->model, &fresh);
  return INFER_OK;
}

/* Takes back what was added after len when an append has failed. */
static int32_t
settle_messages(inf_chat *chat, size_t len)
{
  int32_t status = chat->messages.status;
  if (status == INFER_OK && fits(chat, 0)) {
    chat->message_count++;
    return INFER_OK;
  }
  chat->messages.status = INFER_OK;
  inf_buf_truncate(&chat->messages, len);
  return status == INFER_OK ? INFER_E_TOO_LARGE : status;
}

int32_t
inf_chat_add_message(inf_chat *chat, inf_sv role, inf_sv text,
                     const char **reason)
{
  if (chat->inputs)
    return refuse(reason, "the request has inputs: it takes no messages");
  if (role.len == 0)
    return refuse(reason, "the role is empty");
  if (has_control(role) || !inf_utf8_valid(role))
    return refuse(reason, "the role is not plain text");
  if (!inf_utf8_valid(text))
    return refuse(reason, "the text is not valid UTF-8");
  size_t len = chat->messages.len;
  inf_json_open(&chat->messages, '{');
  inf_json_member_string(&chat->messages, INF_SV("role"), role);
  inf_json_member_string(&chat->messages, INF_SV("content"), text);
  inf_json_close(&chat->messages, '}');
  return settle_messages(chat, len);
}

int32_t
inf_chat_add_message_json(inf_chat *chat, inf_sv json, const char **reason,
                          size_t *offset)
{
  inf_sv message;
  /* Within the request a message stands two levels down. */
  int32_t status =
      parse(json, INF_CHAT_MAX_DEPTH - 2, &message, reason, offset);
  if (status == INFER_OK && chat->inputs)
    status = refuse(reason, "the request has inputs: it takes no messages");
  if (status == INFER_OK)
    status = check_message(message, json.ptr, reason, offset);
  if (status != INFER_OK)
    return status;
  size_t len = chat->messages.len;
  inf_json_put_raw(&chat->messages, message);
  return settle_messages(chat, len);
}

/* Writes the members with name set to value; the empty view removes it. */
static int32_t
rewrite_members(inf_chat *chat, inf_sv name, inf_sv value)
{
  inf_buf fresh;
  bool placed = value.len == 0;
  inf_buf_init(&fresh, INF_CHAT_MAX_BYTES);
  inf_json_open(&fresh, '{');
  inf_json_iter it = inf_json_iter_of(members_of(chat));
  while (inf_json_next(&it)) {
    inf_sv kept = it.value;
    if (inf_json_key_is(&it, name)) {
      if (value.len == 0)
        continue;
      kept = value;
      placed = true;
    }
    inf_members_put_name(&fresh, it.key);
    inf_json_put_raw(&fresh, kept);
  }
  if (!placed)
    inf_json_member_raw(&fresh, name, value);
  inf_json_close(&fresh, '}');
  int32_t status = fresh.status;
  if (status == INFER_OK && fresh.len > chat->members.len &&
      !fits(chat, fresh.len - chat->members.len))
    status = INFER_E_TOO_LARGE;
  if (status != INFER_OK) {
    inf_buf_fini(&fresh);
    return status;
  }
  replace(&chat->members, &fresh);
  return INFER_OK;
}

int32_t
inf_chat_set_member(inf_chat *chat, inf_sv name, inf_sv json,
                    const char **reason, size_t *offset)
{
  inf_sv value;
  if (name.len == 0 || !inf_utf8_valid(name))
    return refuse(reason, "the member's name is not plain text");
  if (inf_sv_eq(name, INF_SV("model")) || inf_sv_eq(name, INF_SV("messages")))
    return refuse(reason, "model and messages are set by their own functions");
  int32_t status = parse(json, INF_CHAT_MAX_DEPTH - 1, &value, reason, offset);
  if (status != INFER_OK)
    return status;
  /* Whether the provider streams is not the request's to say. */
  if (inf_sv_eq(name, INF_SV("stream")))
    return INFER_OK;
  if (inf_json_is(value, INF_JSON_NULL))
    value = (inf_sv){0};
  else if (inf_json_is(inf_chat_member(chat, name), INF_JSON_NONE) &&
           inf_json_count(members_of(chat)) >= MAX_MEMBERS)
    return refuse(reason, "too many members");
  return rewrite_members(chat, name, value);
}

inf_sv
inf_chat_member(const inf_chat *chat, inf_sv name)
{
  return inf_json_get(members_of(chat), name);
}

inf_sv
inf_chat_last_message(const inf_chat *chat)
{
  inf_sv last = {0};
  if (chat->messages.len == 0)
    return last;
  /* As the inside of an array. */
  inf_json_iter it = {.at = chat->messages.ptr,
                      .end = chat->messages.ptr + chat->messages.len};
  while (inf_json_next(&it))
    last = it.value;
  return last;
}

int32_t
inf_chat_append_to_member(inf_chat *chat, inf_sv name, inf_sv json)
{
  inf_sv element;
  inf_buf array;
  inf_sv old = inf_chat_member(chat, name);
  inf_json_type type = inf_json_type_of(old);
  int32_t status = parse(json, INF_CHAT_MAX_DEPTH - 2, &element, NULL, NULL);
  if (status != INFER_OK)
    return status;
  if (type != INF_JSON_NONE && type != INF_JSON_NULL && type != INF_JSON_ARRAY)
    return INFER_E_INVALID_ARGUMENT;
  inf_buf_init(&array, INF_CHAT_MAX_BYTES);
  inf_json_open(&array, '[');
  inf_json_iter it = inf_json_iter_of(old);
  while (inf_json_next(&it))
    inf_json_put_raw(&array, it.value);
  inf_json_put_raw(&array, element);
  inf_json_close(&array, ']');
  status = array.status;
  if (status == INFER_OK)
    status = inf_chat_set_member(chat, name, inf_buf_sv(&array), NULL, NULL);
  inf_buf_fini(&array);
  return status;
}

int32_t
inf_chat_check(const inf_chat *chat, const char **reason)
{
  if (chat->model.len == 0)
    return refuse(reason, "no \"model\"");
  if (chat->message_count == 0 || chat->inputs)
    return refuse(reason, "no \"messages\"");
  return INFER_OK;
}

void
inf_chat_write_json(const inf_chat *chat, inf_buf *out)
{
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("model"), inf_buf_sv(&chat->model));
  inf_json_key(out, chat->inputs ? INF_SV("input") : INF_SV("messages"));
  inf_json_open(out, '[');
  if (chat->messages.len > 0)
    inf_json_put_raw(out, inf_buf_sv(&chat->messages));
  inf_json_close(out, ']');
  inf_json_iter it = inf_json_iter_of(members_of(chat));
  while (inf_json_next(&it)) {
    inf_members_put_name(out, it.key);
    inf_json_put_raw(out, it.value);
  }
  inf_json_close(out, '}');
}
