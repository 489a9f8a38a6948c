/* SPDX-License-Identifier: MIT */
#include "provider/member_rules.h"

#include "infer/infer.h"

/* Members whose usual value is another than nothing. */
static const struct usual {
  const char *name, *value;
} usuals[] = {
    {"n", "1"},
    {"parallel_tool_calls", "true"},
    {"service_tier", "\"auto\""},
    {"service_tier", "\"default\""},
    {"modalities", "[\"text\"]"},
    {"verbosity", "\"medium\""},
    {"detail", "\"auto\""},         /* of an image */
    {"seed", "null"},               /* 0 is one */
    {"web_search_options", "null"}, /* {} asks for a search */
};

bool
inf_member_asks_for_nothing(const inf_json_iter *it)
{
  bool listed = false;
  for (size_t i = 0; i < sizeof(usuals) / sizeof(usuals[0]); i++) {
    if (!inf_json_key_is(it, inf_sv_from(usuals[i].name)))
      continue;
    if (inf_sv_eq(it->value, inf_sv_from(usuals[i].value)))
      return true;
    listed = true;
  }
  return listed ? inf_json_is(it->value, INF_JSON_NULL)
                : inf_json_is_nothing(it->value);
}

/* Takes the word in front off the rest, with the sign and blanks behind it. */
static inf_sv
next_word(inf_sv *rest, char sign)
{
  size_t len = inf_sv_find(*rest, sign);
  inf_sv word = inf_sv_of(rest->ptr, len);
  size_t gone = len < rest->len ? len + 1 : len;
  *rest = inf_sv_trim(inf_sv_of(rest->ptr + gone, rest->len - gone));
  return word;
}

inf_member_fate
inf_member_rule(const char *rules, const inf_json_iter *it, inf_sv *to)
{
  inf_sv rest = rules ? inf_sv_from(rules) : INF_SV("");
  while (rest.len > 0) {
    inf_sv word = next_word(&rest, ' ');
    size_t equals = inf_sv_find(word, '=');
    if (equals < word.len) {
      if (!inf_json_key_is(it, inf_sv_of(word.ptr, equals)))
        continue;
      *to = inf_sv_of(word.ptr + equals + 1, word.len - equals - 1);
      return INF_MEMBER_RENAMED;
    }
    if (!inf_json_key_is(it, inf_sv_of(word.ptr + 1, word.len - 1)))
      continue;
    if (word.ptr[0] == '-' || inf_member_asks_for_nothing(it))
      return INF_MEMBER_LEFT_OUT;
    return INF_MEMBER_REFUSED;
  }
  return INF_MEMBER_AS_IS;
}

int32_t
inf_member_refuse(const inf_send *send, inf_sv name, inf_buf *why)
{
  if (why)
    inf_buf_appendf(why, "%s does not take \"%.*s\"", send->kind->type,
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
  return INFER_E_UNSUPPORTED;
}

/* What does not fit into the list any more is told by its end. */
static void
add_to_list(inf_buf *list, inf_sv name)
{
  const inf_sv between = INF_SV(", "), more = INF_SV("...");
  size_t taken = list->len + 2 * between.len + more.len;
  if (inf_sv_ends_with(inf_buf_sv(list), more))
    return;
  if (taken > list->max || name.len > list->max - taken)
    name = more;
  if (list->len > 0)
    inf_buf_append_sv(list, between);
  inf_buf_append_sv(list, name);
}

void
inf_member_note_dropped(const inf_send *send, const inf_json_iter *it)
{
  if (send->dropped && !inf_json_key_is(it, INF_SV("stream_options")) &&
      !inf_member_asks_for_nothing(it))
    add_to_list(send->dropped, it->key);
}

bool
inf_member_is_listed(const inf_json_iter *it, const char *names)
{
  inf_sv rest = inf_sv_from(names);
  while (rest.len > 0)
    if (inf_json_key_is(it, next_word(&rest, ' ')))
      return true;
  return false;
}

/* Is the name in the list of what is left out already? */
static bool
is_noted(inf_sv list, inf_sv name)
{
  while (list.len > 0)
    if (inf_sv_eq(next_word(&list, ','), name))
      return true;
  return false;
}

void
inf_member_note_within(const inf_send *send, const char *outer,
                       const inf_json_iter *it)
{
  inf_buf name;
  if (!send->dropped || inf_member_asks_for_nothing(it))
    return;
  inf_buf_init(&name, SIZE_MAX);
  inf_buf_append_cstr(&name, outer);
  inf_buf_append_char(&name, '.');
  inf_buf_append_sv(&name, it->key);
  const inf_json_iter named = {.key = inf_buf_sv(&name), .value = it->value};
  if (name.status == INFER_OK &&
      !is_noted(inf_buf_sv(send->dropped), named.key))
    inf_member_note_dropped(send, &named);
  inf_buf_fini(&name);
}

void
inf_member_note_inner(const inf_send *send, const char *outer, inf_sv object,
                      const char *taken)
{
  inf_json_iter it = inf_json_iter_of(object);
  while (it.object && inf_json_next(&it))
    if (!inf_member_is_listed(&it, taken))
      inf_member_note_within(send, outer, &it);
}

void
inf_member_note_format(const inf_send *send, inf_sv format)
{
  inf_member_note_inner(send, "response_format.json_schema",
                        inf_json_get(format, INF_SV("json_schema")),
                        "name schema strict");
}

/* ---- Walking ------------------------------------------------------------- */

inf_member_walk
inf_member_walk_of(const inf_send *send)
{
  return (inf_member_walk){
      .send = send, .it = inf_json_iter_of(inf_buf_sv(&send->chat->members))};
}

/* Does the request have the member at hand, which is the account's? */
static bool
is_overridden(inf_member_walk *walk)
{
  inf_json_iter own = inf_json_iter_of(inf_buf_sv(&walk->send->chat->members));
  inf_sv key = walk->it.key;
  inf_buf name;
  bool found = false;
  inf_buf_init(&name, SIZE_MAX);
  if (memchr(key.ptr, '\\', key.len)) {
    if (!inf_json_unescape(key, &name))
      walk->status = INFER_E_NO_MEMORY;
    key = inf_buf_sv(&name);
  }
  while (!found && inf_json_next(&own))
    found = inf_json_key_is(&own, key);
  inf_buf_fini(&name);
  return found;
}

static bool
is_ours(const inf_json_iter *it)
{
  return inf_json_key_is(it, INF_SV("model")) ||
         inf_json_key_is(it, INF_SV("messages")) ||
         inf_json_key_is(it, INF_SV("stream"));
}

bool
inf_member_next(inf_member_walk *walk)
{
  while (walk->status == INFER_OK) {
    if (!inf_json_next(&walk->it)) {
      if (walk->of_account)
        return false;
      walk->of_account = true;
      walk->it = inf_json_iter_of(walk->send->body_members);
    } else if (!is_ours(&walk->it) &&
               (!walk->of_account || !is_overridden(walk))) {
      return walk->status == INFER_OK;
    }
  }
  return false;
}

inf_sv
inf_member_find(const inf_send *send, inf_sv name)
{
  inf_sv value = inf_chat_member(send->chat, name);
  return value.len > 0 ? value : inf_json_get(send->body_members, name);
}
