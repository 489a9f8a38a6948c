/* SPDX-License-Identifier: MIT */
#include "conformance/recorded_request.h"

#include "provider/member_rules.h"

#include <string.h>

/* What the answers of other services have, and no messages take back. */
#define FOREIGN                                              \
  "-reasoning_details -tool_plan -citations -content_parts " \
  "-anthropic_content -images"

static const char *
text_of(json_object *value)
{
  return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
}

static inf_member_fate
fate_of(const char *rules, const char *name, json_object *value, inf_sv *to)
{
  inf_json_iter it = {.key = inf_sv_from(name),
                      .value = inf_sv_from(text_of(value))};
  return inf_member_rule(rules, &it, to);
}

static const char *
message_rules(const inf_provider_kind *kind)
{
  return kind->rules_at_home ? NULL : kind->message_rules;
}

static json_object *
get(json_object *object, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex(object, name, &value);
  return value;
}

static bool
is(json_object *message, const char *role)
{
  json_object *value = get(message, "role");
  return value && strcmp(json_object_get_string(value), role) == 0;
}

static size_t
length(json_object *list)
{
  return json_object_is_type(list, json_type_array)
             ? json_object_array_length(list)
             : 0;
}

/* ---- What is refused ----------------------------------------------------- */

static void
drop(const char *rules, json_object *object)
{
  inf_sv to;
  json_object_object_foreach(object, name, value)
  {
    if (fate_of(rules, name, value, &to) == INF_MEMBER_REFUSED)
      json_object_object_del(object, name);
  }
}

void
recorded_drop_refused(const inf_provider_kind *kind, json_object *body)
{
  json_object *messages = get(body, "messages");
  drop(kind->member_rules, body);
  for (size_t i = 0; i < length(messages); i++)
    drop(message_rules(kind), json_object_array_get_idx(messages, i));
}

/* ---- Messages ------------------------------------------------------------ */

static bool
same_json(json_object *a, json_object *b)
{
  /* Compared as text: the order of members and the digits of numbers have to
   * arrive as they were sent, too. */
  inf_buf text;
  inf_buf_init(&text, SIZE_MAX);
  inf_buf_append_cstr(&text, text_of(a));
  bool same = strcmp(inf_buf_cstr(&text), text_of(b)) == 0;
  inf_buf_fini(&text);
  return same;
}

/* A message as the service gets it. */
static void
apply_rules(const inf_provider_kind *kind, json_object *message)
{
  inf_sv to;
  const char *rules = message_rules(kind);
  bool foreign =
      !kind->takes_foreign && !kind->rules_at_home && is(message, "assistant");
  json_object *role = get(message, "role");
  json_object_object_foreach(message, name, value)
  {
    inf_member_fate fate = fate_of(rules, name, value, &to);
    if (fate == INF_MEMBER_AS_IS && foreign)
      fate = fate_of(FOREIGN, name, value, &to);
    if (fate != INF_MEMBER_AS_IS)
      json_object_object_del(message, name);
  }
  if (role && fate_of(rules, json_object_get_string(role), role, &to) ==
                  INF_MEMBER_RENAMED)
    json_object_set_string_len(role, to.ptr, (int)to.len);
}

/* Are ids made anew, or thinking put elsewhere? */
static bool
is_rewritten(const inf_provider_kind *kind, json_object *messages)
{
  const char *text = text_of(messages);
  size_t len = strlen(text);
  return (len > 2 &&
          inf_tool_ids_needed(kind->tool_ids, inf_sv_of(text + 1, len - 2))) ||
         (kind->thinking_parts && strstr(text, "\"reasoning"));
}

static bool
messages_arrived(const inf_provider_kind *kind, json_object *recorded,
                 json_object *sent)
{
  json_object *messages = NULL;
  if (length(recorded) != length(sent))
    return false;
  if (is_rewritten(kind, recorded))
    return true;
  if (json_object_deep_copy(recorded, &messages, NULL) != 0)
    return false;
  for (size_t i = 0; i < length(messages); i++)
    apply_rules(kind, json_object_array_get_idx(messages, i));
  bool same = same_json(messages, sent);
  json_object_put(messages);
  return same;
}

/* ---- The whole ----------------------------------------------------------- */

static bool
is_ours(const char *name)
{
  return strcmp(name, "model") == 0 || strcmp(name, "stream") == 0 ||
         strcmp(name, "stream_options") == 0;
}

static void
compare_member(const inf_provider_kind *kind, const char *name,
               json_object *recorded, json_object *sent, inf_buf *why)
{
  inf_sv to;
  char other[64];
  inf_member_fate fate = fate_of(kind->member_rules, name, recorded, &to);
  if (fate == INF_MEMBER_LEFT_OUT || fate == INF_MEMBER_REFUSED)
    return;
  if (fate == INF_MEMBER_RENAMED && to.len < sizeof other) {
    memcpy(other, to.ptr, to.len);
    other[to.len] = '\0';
    name = other;
  }
  json_object *value = get(sent, name);
  bool is_there = json_object_object_get_ex(sent, name, NULL);
  bool same = strcmp(name, "messages") == 0
                  ? messages_arrived(kind, recorded, value)
                  : same_json(recorded, value);
  if (!is_there)
    inf_buf_appendf(why, "the server did not get member \"%s\"\n", name);
  else if (!same && fate != INF_MEMBER_RENAMED)
    inf_buf_appendf(why, "member \"%s\" arrived changed\n", name);
}

void
recorded_compare(const inf_provider_kind *kind, json_object *recorded,
                 json_object *sent, inf_buf *why)
{
  json_object_object_foreach(recorded, name, value)
  {
    if (!is_ours(name))
      compare_member(kind, name, value, sent, why);
  }
}
