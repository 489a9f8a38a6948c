/* SPDX-License-Identifier: MIT */
#include "provider/message_taken.h"

#include "provider/member_rules.h"

#include <stdio.h>

/* ---- Content ------------------------------------------------------------- */

static void
note_object(const inf_send *send, const inf_part_taken *taken, inf_sv part)
{
  enum { longest = 64 };
  char outer[longest];
  snprintf(outer, sizeof(outer), "messages.content.%s", taken->type);
  inf_member_note_inner(
      send, outer, inf_json_get(part, inf_sv_from(taken->type)), taken->object);
}

static void
note_part(const inf_send *send, const inf_message_taken *taken, inf_sv part)
{
  inf_sv type = inf_json_get(part, INF_SV("type"));
  for (size_t i = 0; i < taken->part_count; i++) {
    if (!inf_json_equal(type, inf_sv_from(taken->parts[i].type)))
      continue;
    inf_member_note_inner(send, "messages.content", part, taken->parts[i].part);
    if (taken->parts[i].object)
      note_object(send, &taken->parts[i], part);
  }
}

static void
note_content(const inf_send *send, const inf_message_taken *taken,
             inf_sv content)
{
  inf_json_iter it = inf_json_iter_of(content);
  while (inf_json_is(content, INF_JSON_ARRAY) && inf_json_next(&it))
    note_part(send, taken, it.value);
}

/* ---- Calls --------------------------------------------------------------- */

static void
note_calls(const inf_send *send, const inf_message_taken *taken, inf_sv calls)
{
  inf_json_iter it = inf_json_iter_of(calls);
  while (inf_json_is(calls, INF_JSON_ARRAY) && inf_json_next(&it)) {
    inf_member_note_inner(send, "messages.tool_calls", it.value, taken->call);
    if (taken->function)
      inf_member_note_inner(send, "messages.tool_calls.function",
                            inf_json_get(it.value, INF_SV("function")),
                            taken->function);
    if (taken->custom)
      inf_member_note_inner(send, "messages.tool_calls.custom",
                            inf_json_get(it.value, INF_SV("custom")),
                            taken->custom);
  }
}

/* ---- Reasoning ----------------------------------------------------------- */

/* Does any of it go out? */
static bool
note_details(const inf_send *send, const inf_message_taken *taken,
             inf_sv details)
{
  bool any = false;
  inf_json_iter it = inf_json_iter_of(details);
  while (taken->detail && inf_json_is(details, INF_JSON_ARRAY) &&
         inf_json_next(&it)) {
    const inf_json_iter left = {.key = INF_SV("reasoning_details"),
                                .value = it.value};
    if (taken->detail(it.value))
      any = true;
    else
      inf_member_note_within(send, "messages", &left);
  }
  return any;
}

bool
inf_message_is_reasoning(const inf_json_iter *it)
{
  return inf_json_key_is(it, INF_SV("reasoning")) ||
         inf_json_key_is(it, INF_SV("reasoning_content"));
}

/* ---- Messages ------------------------------------------------------------ */

static const char *
taken_of_role(const inf_message_taken *taken, inf_sv role)
{
  if (inf_json_equal(role, INF_SV("assistant")))
    return taken->assistant;
  if (inf_json_equal(role, INF_SV("tool")))
    return taken->tool;
  return inf_json_equal(role, INF_SV("user")) ? taken->user : taken->system;
}

static bool
goes_whole(const inf_message_taken *taken, inf_sv role, inf_sv message)
{
  return taken->whole && inf_json_equal(role, INF_SV("assistant")) &&
         inf_json_has_items(inf_json_get(message, inf_sv_from(taken->whole)));
}

static void
note_message(const inf_send *send, const inf_message_taken *taken,
             inf_sv message)
{
  inf_sv role = inf_json_get(message, INF_SV("role"));
  const char *members = taken_of_role(taken, role);
  if (goes_whole(taken, role, message))
    return;
  note_content(send, taken, inf_json_get(message, INF_SV("content")));
  if (taken->call)
    note_calls(send, taken, inf_json_get(message, INF_SV("tool_calls")));
  bool told = note_details(send, taken,
                           inf_json_get(message, INF_SV("reasoning_details")));
  inf_json_iter it = inf_json_iter_of(message);
  while (members && it.object && inf_json_next(&it))
    if (!inf_member_is_listed(&it, members) &&
        !(told && inf_message_is_reasoning(&it)))
      inf_member_note_within(send, "messages", &it);
}

void
inf_message_note_dropped(const inf_send *send, const inf_message_taken *taken)
{
  const inf_buf *messages = &send->chat->messages;
  inf_json_iter it = {.at = messages->ptr,
                      .end = messages->ptr + messages->len};
  while (send->dropped && messages->len > 0 && inf_json_next(&it))
    note_message(send, taken, it.value);
}
