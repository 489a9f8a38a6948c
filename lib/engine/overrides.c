/* SPDX-License-Identifier: MIT */
/* A target's own version of a request; see overrides.h. */
#include "engine/overrides.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"

/* ---- The system prompt --------------------------------------------------- */

static bool
is_instruction(inf_sv message)
{
  inf_sv role = inf_json_get(message, INF_SV("role"));
  return inf_sv_eq(role, INF_SV("\"system\"")) ||
         inf_sv_eq(role, INF_SV("\"developer\""));
}

/* The first of them keeps its role, which is what the caller's model takes. */
static int32_t
put_system_prompt(inf_chat *out, const inf_chat *chat, inf_sv prompt)
{
  inf_sv rest = inf_buf_sv(&chat->messages);
  inf_sv role = INF_SV("\"system\"");
  size_t replaced = 0;
  inf_json_iter it = {.at = rest.ptr, .end = rest.ptr + rest.len};
  while (inf_json_next(&it) && is_instruction(it.value)) {
    if (replaced++ == 0)
      role = inf_json_get(it.value, INF_SV("role"));
    const char *end = it.value.ptr + it.value.len;
    rest =
        inf_sv_of(end, (size_t)(chat->messages.ptr + chat->messages.len - end));
  }
  if (replaced > 0 && rest.len > 0) /* the comma */
    rest = inf_sv_of(rest.ptr + 1, rest.len - 1);
  inf_buf *messages = &out->messages;
  inf_json_open(messages, '{');
  inf_json_member_raw(messages, INF_SV("role"), role);
  inf_json_member_raw(messages, INF_SV("content"), prompt);
  inf_json_close(messages, '}');
  if (rest.len > 0)
    inf_buf_append_char(messages, ',');
  inf_buf_append_sv(messages, rest);
  out->message_count = chat->message_count - replaced + 1;
  return messages->status;
}

/* ---- Members ------------------------------------------------------------- */

static inf_sv
other_limit(inf_sv name)
{
  if (inf_sv_eq(name, INF_SV("max_tokens")))
    return INF_SV("max_completion_tokens");
  if (inf_sv_eq(name, INF_SV("max_completion_tokens")))
    return INF_SV("max_tokens");
  return INF_SV("");
}

static int32_t
put_member(inf_chat *out, const inf_json_iter *it)
{
  inf_sv other = other_limit(it->key);
  int32_t status = INFER_OK;
  if (other.len > 0)
    status = inf_chat_set_member(out, other, INF_SV("null"), NULL, NULL);
  if (status == INFER_OK)
    status = inf_chat_set_member(out, it->key, it->value, NULL, NULL);
  return status;
}

static int32_t
put_overrides(inf_chat *out, const inf_target_config *target)
{
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&target->overrides));
  while (status == INFER_OK && inf_json_next(&it))
    status = put_member(out, &it);
  return status;
}

int32_t
inf_overrides_apply(inf_chat *out, const inf_chat *chat,
                    const inf_target_config *target)
{
  inf_buf_append_sv(&out->model, inf_buf_sv(&chat->model));
  inf_buf_append_sv(&out->members, inf_buf_sv(&chat->members));
  if (target->system_prompt) {
    put_system_prompt(out, chat, inf_sv_from(target->system_prompt));
  } else {
    inf_buf_append_sv(&out->messages, inf_buf_sv(&chat->messages));
    out->message_count = chat->message_count;
  }
  int32_t status = out->model.status;
  if (status == INFER_OK)
    status = out->members.status;
  if (status == INFER_OK)
    status = out->messages.status;
  return status == INFER_OK ? put_overrides(out, target) : status;
}

/* ---- Embeddings ---------------------------------------------------------- */

int32_t
inf_overrides_apply_embed(inf_chat *out, const inf_chat *chat,
                          const inf_target_config *target)
{
  inf_buf_append_sv(&out->model, inf_buf_sv(&chat->model));
  inf_buf_append_sv(&out->members, inf_buf_sv(&chat->members));
  inf_buf_append_sv(&out->messages, inf_buf_sv(&chat->messages));
  out->message_count = chat->message_count;
  out->inputs = true;
  int32_t status = out->model.status;
  if (status == INFER_OK)
    status = out->members.status;
  if (status == INFER_OK)
    status = out->messages.status;
  inf_json_iter it =
      inf_json_iter_of(inf_buf_sv(&target->provider->embed_body));
  while (status == INFER_OK && inf_json_next(&it))
    if (inf_chat_member(chat, it.key).len == 0)
      status = inf_chat_set_member(out, it.key, it.value, NULL, NULL);
  return status == INFER_OK ? put_overrides(out, target) : status;
}

inf_sv
inf_overrides_dimensions(const inf_chat *chat, const inf_target_config *target)
{
  const inf_sv name = INF_SV("dimensions");
  inf_sv own = inf_json_get(inf_buf_sv(&target->overrides), name);
  if (own.len == 0)
    return inf_chat_member(chat, name);
  return inf_json_is(own, INF_JSON_NULL) ? inf_sv_of("", 0) : own;
}
