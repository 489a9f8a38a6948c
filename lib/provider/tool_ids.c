/* SPDX-License-Identifier: MIT */
#include "provider/tool_ids.h"

#include "wire/json_value.h"

#define NINE 9

/* ---- Ids ----------------------------------------------------------------- */

static bool
has_id(inf_sv id)
{
  return inf_json_is(id, INF_JSON_STRING) && id.len > 2;
}

static bool
is_nine(inf_sv text)
{
  for (size_t i = 0; i < text.len; i++) {
    char c = text.ptr[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
          (c >= '0' && c <= '9')))
      return false;
  }
  return text.len == NINE;
}

/* 62^9 is just under 2^54: of a hundred thousand ids two are the same with a
 * chance of one to a million. */
static void
append_hashed(inf_sv text, inf_buf *out)
{
  static const char digits[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
  for (size_t i = 0; i < text.len; i++)
    hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
  hash ^= hash >> 32;
  for (int i = 0; i < NINE; i++, hash /= 62)
    inf_buf_append_char(out, digits[hash % 62]);
}

static void
append_in_form(inf_tool_id_form form, inf_sv text, inf_buf *out)
{
  if (form == INF_TOOL_ID_NINE && !is_nine(text))
    append_hashed(text, out);
  else
    inf_buf_append_sv(out, text);
}

static void
append_id(const inf_tool_ids *ids, inf_sv id, size_t number, inf_buf *out)
{
  inf_buf text;
  inf_buf_init(&text, SIZE_MAX);
  if (has_id(id))
    inf_json_string(id, &text);
  else
    inf_buf_appendf(&text, "call_%zu", number);
  if (text.status == 0)
    append_in_form(ids->form, inf_buf_sv(&text), out);
  else if (out->status == 0)
    out->status = text.status;
  inf_buf_fini(&text);
}

static inf_sv
id_of(const inf_tool_ids *ids, size_t place)
{
  return inf_json_get(inf_json_at(ids->calls, place), INF_SV("id"));
}

/* ---- Messages ------------------------------------------------------------ */

void
inf_tool_ids_see(inf_tool_ids *ids, inf_sv message)
{
  inf_sv calls = inf_json_get(message, INF_SV("tool_calls"));
  if (!inf_json_is(calls, INF_JSON_ARRAY) || !inf_json_has_items(calls))
    return;
  ids->seen += ids->count;
  ids->calls = calls;
  ids->count = inf_json_count(calls);
  ids->answered = 0;
}

void
inf_tool_ids_of_call(const inf_tool_ids *ids, size_t place, inf_buf *out)
{
  append_id(ids, id_of(ids, place), ids->seen + place, out);
}

/* Both are strings; escapes hardly ever differ, and if so it is no match by
 * id but still sent as it is. */
static bool
same_id(inf_sv a, inf_sv b)
{
  return inf_sv_eq(a, b);
}

size_t
inf_tool_ids_answered(inf_tool_ids *ids, inf_sv result)
{
  inf_sv id = inf_json_get(result, INF_SV("tool_call_id"));
  if (!has_id(id))
    return ids->answered < ids->count ? ids->answered++ : SIZE_MAX;
  for (size_t i = 0; i < ids->count; i++)
    if (same_id(id_of(ids, i), id))
      return i;
  return SIZE_MAX;
}

void
inf_tool_ids_of_result(const inf_tool_ids *ids, inf_sv result, size_t place,
                       inf_buf *out)
{
  inf_sv id = inf_json_get(result, INF_SV("tool_call_id"));
  if (has_id(id))
    append_id(ids, id, 0, out);
  else if (place != SIZE_MAX)
    inf_tool_ids_of_call(ids, place, out);
}

static bool
is_fine(inf_tool_id_form form, inf_sv id)
{
  if (!has_id(id))
    return false;
  return form != INF_TOOL_ID_NINE || is_nine(inf_sv_of(id.ptr + 1, id.len - 2));
}

static bool
message_needs(inf_tool_id_form form, inf_sv message)
{
  bool is_result =
      inf_json_equal(inf_json_get(message, INF_SV("role")), INF_SV("tool"));
  inf_json_iter it =
      inf_json_iter_of(inf_json_get(message, INF_SV("tool_calls")));
  while (inf_json_next(&it))
    if (!is_fine(form, inf_json_get(it.value, INF_SV("id"))))
      return true;
  return is_result &&
         !is_fine(form, inf_json_get(message, INF_SV("tool_call_id")));
}

/* Most conversations have no tools, and those with images are long. */
static bool
speaks_of_calls(inf_sv messages)
{
  static const char mark[] = "\"tool_call";
  const size_t len = sizeof(mark) - 1;
  const char *at = messages.ptr;
  const char *end = at + messages.len;
  while (at && (size_t)(end - at) >= len) {
    at = memchr(at, '"', (size_t)(end - at) - len + 1);
    if (at && memcmp(at, mark, len) == 0)
      return true;
    at = at ? at + 1 : NULL;
  }
  return false;
}

bool
inf_tool_ids_needed(inf_tool_id_form form, inf_sv messages)
{
  if (form == INF_TOOL_ID_FREE || !speaks_of_calls(messages))
    return false;
  inf_json_iter it = {.at = messages.ptr, .end = messages.ptr + messages.len};
  while (inf_json_next(&it))
    if (message_needs(form, it.value))
      return true;
  return false;
}
