/* SPDX-License-Identifier: MIT */
/* Embeddings: the request as the application makes it, how it is cut to what a
 * service takes at once, and what every answer is checked for. embed_write.c
 * and embed_read.c have what differs between dialects. */
#include "provider/embed.h"

#include "infer/infer.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

/* ---- The request --------------------------------------------------------- */

static int32_t
refuse(const char **reason, const char *text)
{
  if (reason)
    *reason = text;
  return INFER_E_INVALID_ARGUMENT;
}

/* Takes back what was added after len when that has failed. */
static int32_t
settle(inf_chat *chat, size_t len)
{
  inf_buf *inputs = &chat->messages;
  int32_t status = inputs->status;
  if (status == INFER_OK &&
      inputs->len > INF_CHAT_MAX_BYTES - chat->members.len)
    status = INFER_E_TOO_LARGE;
  if (status == INFER_OK) {
    chat->message_count++;
    chat->inputs = true;
    return INFER_OK;
  }
  inputs->status = INFER_OK;
  inf_buf_truncate(inputs, len);
  return status;
}

static int32_t
check_kind(const inf_chat *chat, const char **reason)
{
  if (chat->message_count > 0 && !chat->inputs)
    return refuse(reason, "the request has messages: it takes no inputs");
  return INFER_OK;
}

int32_t
inf_embed_add_input(inf_chat *chat, inf_sv text, const char **reason)
{
  int32_t status = check_kind(chat, reason);
  if (status != INFER_OK)
    return status;
  if (text.len == 0)
    return refuse(reason, "an input is empty");
  if (!inf_utf8_valid(text))
    return refuse(reason, "the text is not valid UTF-8");
  size_t len = chat->messages.len;
  inf_json_put_string(&chat->messages, text);
  return settle(chat, len);
}

static bool
is_tokens(inf_sv value)
{
  if (!inf_json_is(value, INF_JSON_ARRAY) || !inf_json_has_items(value))
    return false;
  inf_json_iter it = inf_json_iter_of(value);
  int64_t token;
  while (inf_json_next(&it))
    if (!inf_json_int64(it.value, false, &token) || token < 0)
      return false;
  return true;
}

static int32_t
add_value(inf_chat *chat, inf_sv value, const char **reason)
{
  bool text = inf_json_is(value, INF_JSON_STRING) && value.len > 2;
  if (!text && !is_tokens(value))
    return refuse(reason, "an input is a string that is not empty, or an array "
                          "of token numbers");
  size_t len = chat->messages.len;
  inf_json_put_raw(&chat->messages, value);
  return settle(chat, len);
}

static int32_t
take_input(inf_chat *chat, inf_sv value, const char **reason)
{
  if (inf_json_is(value, INF_JSON_STRING) || is_tokens(value))
    return add_value(chat, value, reason);
  if (!inf_json_has_items(value) || !inf_json_is(value, INF_JSON_ARRAY))
    return refuse(reason, "\"input\" must be a string or an array");
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(value);
  while (status == INFER_OK && inf_json_next(&it))
    status = add_value(chat, it.value, reason);
  return status;
}

static int32_t
take_member(inf_chat *chat, const inf_json_iter *it, const char **reason)
{
  if (inf_json_key_is(it, INF_SV("model")))
    return inf_chat_take_model(chat, it->value, reason);
  if (inf_json_key_is(it, INF_SV("input")))
    return take_input(chat, it->value, reason);
  if (inf_json_is(inf_chat_member(chat, it->key), INF_JSON_NONE))
    return inf_chat_set_member(chat, it->key, it->value, reason, NULL);
  return refuse(reason, "duplicate member");
}

static int32_t
take_members(inf_chat *chat, inf_sv object, const char *base,
             const char **reason, size_t *offset)
{
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(object);
  while (status == INFER_OK && inf_json_next(&it)) {
    if (offset)
      *offset = (size_t)(it.value.ptr - base);
    status = take_member(chat, &it, reason);
  }
  if (status == INFER_OK && offset)
    *offset = 0;
  return status == INFER_OK ? inf_embed_check(chat, reason) : status;
}

int32_t
inf_embed_from_json(inf_chat *chat, inf_sv json, const char **reason,
                    size_t *offset)
{
  inf_sv object;
  inf_json_error error;
  if (json.len > INF_CHAT_MAX_BYTES)
    return INFER_E_TOO_LARGE;
  if (!inf_json_parse(json, INF_CHAT_MAX_DEPTH, &object, &error)) {
    if (offset)
      *offset = error.offset;
    return refuse(reason, error.reason);
  }
  if (!inf_json_is(object, INF_JSON_OBJECT))
    return refuse(reason, "a request must be an object");
  inf_chat fresh;
  inf_chat_init(&fresh);
  int32_t status = take_members(&fresh, object, json.ptr, reason, offset);
  if (status != INFER_OK) {
    inf_chat_fini(&fresh);
    return status;
  }
  inf_chat_fini(chat);
  *chat = fresh;
  return INFER_OK;
}

size_t
inf_embed_dimensions(inf_sv member)
{
  int64_t number;
  return inf_json_int64(member, false, &number) && number > 0 ? (size_t)number
                                                              : 0;
}

int32_t
inf_embed_check(const inf_chat *chat, const char **reason)
{
  inf_sv dimensions = inf_chat_member(chat, INF_SV("dimensions"));
  inf_sv encoding = inf_chat_member(chat, INF_SV("encoding_format"));
  size_t wanted = inf_embed_dimensions(dimensions);
  if (chat->model.len == 0)
    return refuse(reason, "no \"model\"");
  if (chat->message_count == 0 || !chat->inputs)
    return refuse(reason, "no \"input\"");
  if (dimensions.len > 0 &&
      (wanted == 0 || wanted > INF_VECTORS_MAX_DIMENSIONS))
    return refuse(reason, "\"dimensions\" must be from 1 to 65536");
  if (encoding.len > 0 && !inf_json_equal(encoding, INF_SV("float")) &&
      !inf_json_equal(encoding, INF_SV("base64")))
    return refuse(reason, "\"encoding_format\" must be float or base64");
  return INFER_OK;
}

/* ---- Parts --------------------------------------------------------------- */

inf_embed_limits
inf_embed_limits_of(const inf_provider_kind *kind, inf_sv model)
{
  inf_embed_limits limits = {.inputs = kind->embed_inputs,
                             .bytes = kind->embed_bytes};
  if (limits.inputs == 0)
    limits.inputs = INF_EMBED_SAFE_INPUTS;
  /* Of Bedrock's models Titan's take one text, as its page for each tells. */
  if (kind->embed_one &&
      inf_sv_contains_nocase(model, inf_sv_from(kind->embed_one)))
    limits.inputs = 1;
  return limits;
}

inf_sv
inf_embed_slice(inf_sv *inputs, inf_embed_limits limits, size_t *count)
{
  const char *begin = inputs->ptr, *end = begin;
  inf_json_iter it = {.at = begin, .end = begin + inputs->len};
  *count = 0;
  while (*count < limits.inputs && inputs->len > 0 && inf_json_next(&it)) {
    const char *next = it.value.ptr + it.value.len;
    if (*count > 0 && limits.bytes > 0 && (size_t)(next - begin) > limits.bytes)
      break;
    end = next;
    ++*count;
  }
  size_t len = (size_t)(end - begin);
  size_t step = len < inputs->len ? len + 1 : len; /* and the comma */
  *inputs = inf_sv_of(begin + step, inputs->len - step);
  return inf_sv_of(begin, len);
}

/* ---- The answer ---------------------------------------------------------- */

static bool
only_space(inf_sv text)
{
  for (size_t i = 0; i < text.len; i++)
    if (!strchr(" \t\r\n", text.ptr[i]) || text.ptr[i] == '\0')
      return false;
  return true;
}

/* The whole body as one value. */
static int32_t
parse(inf_sv body, unsigned max_depth, inf_sv *value, inf_buf *why)
{
  inf_json_error error;
  if (!inf_json_scan(body, max_depth, value, &error)) {
    if (error.status == INFER_E_TOO_DEEP)
      return error.status;
    bool cut = error.offset >= body.len;
    inf_buf_append_cstr(why, cut ? "the answer stops within its JSON"
                                 : "the answer is no JSON");
    return cut ? INFER_E_TRUNCATED : INFER_E_PROTOCOL;
  }
  const char *end = value->ptr + value->len;
  if (only_space(inf_sv_of(end, (size_t)(body.ptr + body.len - end))))
    return INFER_OK;
  inf_buf_append_cstr(why, "something follows the answer's JSON");
  return INFER_E_PROTOCOL;
}

/* A text that is made into a vector is answered by no tokens. */
static void
complete_usage(inf_answer *answer, size_t prompt_bytes)
{
  enum { bytes_per_token = 4 };
  inf_usage *usage = &answer->usage;
  if (usage->input < 0 && usage->total >= 0)
    usage->input = usage->total;
  if (usage->input < 0) {
    usage->input =
        (int64_t)((prompt_bytes + bytes_per_token - 1) / bytes_per_token);
    usage->estimated = true;
  }
  usage->output = 0;
  if (usage->total < 0)
    usage->total = usage->input;
}

int32_t
inf_embed_read(const inf_provider_kind *kind, inf_sv body, unsigned max_depth,
               size_t prompt_bytes, inf_vectors *vectors, inf_answer *answer,
               inf_buf *why)
{
  inf_sv value;
  int32_t status = parse(body, max_depth, &value, why);
  if (status == INFER_OK)
    status = kind->dialect->read_embed(value, vectors, answer, why);
  if (status == INFER_OK)
    status = inf_vectors_check(vectors, why);
  if (status == INFER_OK)
    complete_usage(answer, prompt_bytes);
  return status == INFER_OK ? answer->status : status;
}
