/* SPDX-License-Identifier: MIT */
/* The text of a request as the model sees it; see prompt.h. */
#include "engine/prompt.h"

#include "wire/json_scan.h"

enum { bytes_per_medium_token = 8 };

/* ---- Texts --------------------------------------------------------------- */

/* What stands behind a backslash counts as the character that it is. Gives how
 * much of the text it took. */
static size_t
add_escape(inf_estimate_prompt *prompt, inf_sv rest)
{
  static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
  enum { wide_of_escape = 3, length_of_escape = 5 };
  if (rest.len == 0)
    return 0;
  if (rest.ptr[0] == 'u') {
    prompt->wide_bytes += wide_of_escape;
    return rest.len < length_of_escape ? rest.len : length_of_escape;
  }
  const char *known = strchr(from, rest.ptr[0]);
  inf_estimate_add_text(prompt, known ? &to[known - from] : rest.ptr, 1);
  return 1;
}

/* raw: between the quotes of a JSON string. */
static void
add_raw(inf_estimate_prompt *prompt, inf_sv raw)
{
  size_t read = raw.len < INF_PROMPT_READ_MAX ? raw.len : INF_PROMPT_READ_MAX;
  inf_estimate_add_bytes(prompt, raw.len - read);
  raw.len = read;
  while (raw.len > 0) {
    size_t plain = inf_sv_find(raw, '\\');
    inf_estimate_add_text(prompt, raw.ptr, plain);
    raw = inf_sv_of(raw.ptr + plain, raw.len - plain);
    if (raw.len == 0)
      return;
    size_t taken = 1 + add_escape(prompt, inf_sv_of(raw.ptr + 1, raw.len - 1));
    raw = inf_sv_of(raw.ptr + taken, raw.len - taken);
  }
}

/* As its JSON, in which names and brackets count too. */
static void
add_json(inf_estimate_prompt *prompt, inf_sv json)
{
  size_t read = json.len < INF_PROMPT_READ_MAX ? json.len : INF_PROMPT_READ_MAX;
  inf_estimate_add_text(prompt, json.ptr, read);
  inf_estimate_add_bytes(prompt, json.len - read);
}

/* ---- Messages ------------------------------------------------------------ */

typedef enum member_kind {
  IS_CONTENT,
  IS_LABEL,  /* names something, and is no text */
  IS_IMAGE,  /* counted by the piece */
  IS_MEDIUM, /* sound, files */
} member_kind;

static member_kind
kind_of(const inf_json_iter *member)
{
  static const struct {
    const char *name;
    member_kind kind;
  } known[] = {
      {"role", IS_LABEL},
      {"type", IS_LABEL},
      {"id", IS_LABEL},
      {"tool_call_id", IS_LABEL},
      {"image_url", IS_IMAGE},
      {"input_image", IS_IMAGE},
      {"input_audio", IS_MEDIUM},
      {"file", IS_MEDIUM},
      {"video_url", IS_MEDIUM},
      {"audio", IS_MEDIUM},
      {"cache_control", IS_LABEL},
      {"signature", IS_LABEL},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (inf_sv_eq(member->key, inf_sv_from(known[i].name)))
      return known[i].kind;
  return IS_CONTENT;
}

static void add_value(inf_estimate_prompt *prompt, inf_sv value);

static void
add_member(inf_estimate_prompt *prompt, const inf_json_iter *member)
{
  switch (kind_of(member)) {
  case IS_CONTENT:
    add_value(prompt, member->value);
    break;
  case IS_MEDIUM:
    prompt->known_tokens += member->value.len / bytes_per_medium_token;
    /* fallthrough */
  case IS_IMAGE:
    prompt->known_tokens += INF_PROMPT_IMAGE_TOKENS;
    break;
  case IS_LABEL:
    break;
  }
}

/* As deep as INF_CHAT_MAX_DEPTH. */
static void
add_value(inf_estimate_prompt *prompt, inf_sv value)
{
  inf_json_type type = inf_json_type_of(value);
  if (type == INF_JSON_STRING && value.len >= 2)
    add_raw(prompt, inf_sv_of(value.ptr + 1, value.len - 2));
  if (type != INF_JSON_OBJECT && type != INF_JSON_ARRAY)
    return;
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it)) {
    if (type == INF_JSON_OBJECT)
      add_member(prompt, &it);
    else
      add_value(prompt, it.value);
  }
}

/* The messages stand one after another, without an array's brackets: as one
 * value each, with a comma or nothing behind it. */
static void
add_messages(inf_estimate_prompt *prompt, inf_sv text)
{
  inf_sv message;
  while (inf_json_scan(text, INF_CHAT_MAX_DEPTH, &message, NULL)) {
    inf_estimate_add_message(prompt);
    add_value(prompt, message);
    const char *end = message.ptr + message.len;
    size_t left = (size_t)(text.ptr + text.len - end);
    if (left == 0)
      return;
    text = inf_sv_of(end + 1, left - 1);
  }
}

void
inf_prompt_of(inf_estimate_prompt *prompt, const struct infer_request *request)
{
  static const char *const schemas[] = {"tools", "functions",
                                        "response_format"};
  *prompt = (inf_estimate_prompt){0};
  add_messages(prompt, inf_buf_sv(&request->chat.messages));
  for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
    inf_sv json = inf_chat_member(&request->chat, inf_sv_from(schemas[i]));
    add_json(prompt, json);
    if (i < 2 && inf_json_has_items(json))
      prompt->has_tools = 1;
  }
}

uint64_t
inf_prompt_max_tokens(const struct infer_request *request)
{
  static const char *const names[] = {"max_completion_tokens", "max_tokens"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    int64_t number;
    inf_sv member = inf_chat_member(&request->chat, inf_sv_from(names[i]));
    if (inf_json_int64(member, false, &number) && number > 0)
      return (uint64_t)number;
  }
  return 0;
}
