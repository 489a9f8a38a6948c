/* SPDX-License-Identifier: MIT */
/* Writes OpenAI's Responses; see responses.h. */
#include "provider/openai_send.h"
#include "provider/responses.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "provider/members.h"
#include "provider/responses_input.h"
#include "provider/responses_read.h"
#include "provider/send.h"
#include "wire/json_write.h"

/* ---- Members with another place -------------------------------------------
 */

/* The smaller of the two names' limits; 0: none. */
static int64_t
limit_of(const inf_send *send)
{
  int64_t a, b;
  if (!inf_json_int64(inf_member_find(send, INF_SV("max_completion_tokens")),
                      false, &a))
    a = 0;
  if (!inf_json_int64(inf_member_find(send, INF_SV("max_tokens")), false, &b))
    b = 0;
  return a > 0 && (b <= 0 || a < b) ? a : b;
}

static void
copy_members(inf_sv from, const char *but, inf_buf *body)
{
  inf_json_iter it = inf_json_iter_of(from);
  while (inf_json_next(&it)) {
    if (inf_json_key_is(&it, inf_sv_from(but)))
      continue;
    inf_members_put_name(body, it.key);
    inf_json_put_raw(body, it.value);
  }
}

/* "text": {"format", "verbosity"}. */
static void
write_text(const inf_send *send, inf_buf *body)
{
  inf_sv own = inf_member_find(send, INF_SV("text"));
  inf_sv format = inf_member_find(send, INF_SV("response_format"));
  inf_sv verbosity = inf_member_find(send, INF_SV("verbosity"));
  bool has_format = inf_json_is(format, INF_JSON_OBJECT);
  bool has_verbosity = inf_json_is(verbosity, INF_JSON_STRING) &&
                       inf_json_get(own, INF_SV("verbosity")).len == 0;
  if (!inf_json_is(own, INF_JSON_OBJECT) && !has_format && !has_verbosity)
    return;
  inf_json_key(body, INF_SV("text"));
  inf_json_open(body, '{');
  copy_members(own, has_format ? "format" : "", body);
  if (has_format) {
    inf_json_key(body, INF_SV("format"));
    inf_json_open(body, '{');
    copy_members(format, "json_schema", body);
    copy_members(inf_json_get(format, INF_SV("json_schema")), "", body);
    inf_json_close(body, '}');
  }
  if (has_verbosity)
    inf_json_member_raw(body, INF_SV("verbosity"), verbosity);
  inf_json_close(body, '}');
}

static void
write_reasoning(const inf_send *send, inf_buf *body)
{
  inf_sv own = inf_member_find(send, INF_SV("reasoning"));
  inf_sv effort = inf_member_find(send, INF_SV("reasoning_effort"));
  bool has_effort = inf_json_is(effort, INF_JSON_STRING) &&
                    inf_json_get(own, INF_SV("effort")).len == 0;
  if (!inf_json_is(own, INF_JSON_OBJECT) && !has_effort)
    return;
  inf_json_key(body, INF_SV("reasoning"));
  inf_json_open(body, '{');
  copy_members(own, "", body);
  if (has_effort)
    inf_json_member_raw(body, INF_SV("effort"), effort);
  inf_json_close(body, '}');
}

/* The members of its "function" or "custom" stand beside the type. */
static void
write_flat(inf_sv object, inf_buf *body)
{
  static const char *const names[] = {"function", "custom"};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    inf_sv inner = inf_json_get(object, inf_sv_from(names[i]));
    if (!inf_json_is(inner, INF_JSON_OBJECT))
      continue;
    inf_json_open(body, '{');
    copy_members(object, names[i], body);
    copy_members(inner, "", body);
    inf_json_close(body, '}');
    return;
  }
  inf_json_put_raw(body, object);
}

static void
write_list(inf_sv list, inf_buf *body)
{
  inf_json_open(body, '[');
  inf_json_iter it = inf_json_iter_of(list);
  while (inf_json_next(&it))
    write_flat(it.value, body);
  inf_json_close(body, ']');
}

/* What is in "allowed_tools" stands beside the type, too. */
static void
write_choice(inf_sv choice, inf_buf *body)
{
  inf_sv allowed = inf_json_get(choice, INF_SV("allowed_tools"));
  if (!inf_json_is(allowed, INF_JSON_OBJECT)) {
    write_flat(choice, body);
    return;
  }
  inf_json_open(body, '{');
  copy_members(choice, "allowed_tools", body);
  copy_members(allowed, "tools", body);
  inf_json_key(body, INF_SV("tools"));
  write_list(inf_json_get(allowed, INF_SV("tools")), body);
  inf_json_close(body, '}');
}

static void
write_tools(const inf_send *send, inf_buf *body)
{
  inf_sv tools = inf_member_find(send, INF_SV("tools"));
  inf_sv choice = inf_member_find(send, INF_SV("tool_choice"));
  if (inf_json_is(tools, INF_JSON_ARRAY)) {
    inf_json_key(body, INF_SV("tools"));
    write_list(tools, body);
  }
  if (choice.len > 0 && !inf_json_is(choice, INF_JSON_NULL)) {
    inf_json_key(body, INF_SV("tool_choice"));
    write_choice(choice, body);
  }
}

static void
write_stream(const inf_send *send, inf_buf *body)
{
  const inf_sv name = INF_SV("include_obfuscation");
  inf_sv value =
      inf_json_get(inf_member_find(send, INF_SV("stream_options")), name);
  if (!send->stream)
    return;
  inf_json_member_bool(body, INF_SV("stream"), true);
  if (value.len == 0)
    return;
  inf_json_key(body, INF_SV("stream_options"));
  inf_json_open(body, '{');
  inf_json_member_raw(body, name, value);
  inf_json_close(body, '}');
}

/* ---- The body -------------------------------------------------------------
 */

/* Written above. */
static bool
is_written(const inf_json_iter *it)
{
  static const char *const names[] = {
      "max_tokens",
      "max_completion_tokens",
      "text",
      "response_format",
      "verbosity",
      "reasoning",
      "reasoning_effort",
      "tools",
      "tool_choice",
      "stream_options",
  };
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (inf_json_key_is(it, inf_sv_from(names[i])))
      return true;
  return false;
}

static int32_t
write_others(const inf_send *send, inf_buf *body, inf_buf *why)
{
  static const char rules[] =
      "!n !stop !seed !logprobs !logit_bias !frequency_penalty "
      "!presence_penalty !audio !modalities !prediction !web_search_options "
      "!functions !function_call";
  inf_sv to;
  int32_t status = INFER_OK;
  inf_member_walk walk = inf_member_walk_of(send);
  while (status == INFER_OK && inf_member_next(&walk)) {
    if (is_written(&walk.it))
      continue;
    inf_member_fate fate = inf_member_rule(rules, &walk.it, &to);
    if (fate == INF_MEMBER_REFUSED) {
      status = inf_member_refuse(send, walk.it.key, why);
    } else if (fate == INF_MEMBER_AS_IS) {
      inf_members_put_name(body, walk.it.key);
      inf_json_put_raw(body, walk.it.value);
    }
  }
  return status == INFER_OK ? walk.status : status;
}

static int32_t
write_body(const inf_send *send, inf_buf *body, inf_buf *why)
{
  int64_t limit = limit_of(send);
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("model"), send->model);
  inf_json_key(body, INF_SV("input"));
  int32_t status = inf_responses_write_input(send, body, why);
  if (limit > 0)
    inf_json_member_int(body, INF_SV("max_output_tokens"), limit);
  write_text(send, body);
  write_reasoning(send, body);
  write_tools(send, body);
  if (status == INFER_OK)
    status = write_others(send, body, why);
  write_stream(send, body);
  inf_json_close(body, '}');
  return status == INFER_OK ? body->status : status;
}

/* ---- The request ----------------------------------------------------------
 */

static int32_t
write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  int32_t status =
      inf_send_write_url(send, inf_send_chat_path(send), &out->url, why);
  if (status == INFER_OK)
    status =
        inf_openai_write_headers(send, true, send->stream, &out->headers, why);
  if (status == INFER_OK)
    status = write_body(send, &out->body, why);
  return status;
}

const inf_dialect inf_dialect_responses = {
    .name = "responses",
    .write_chat = write_chat,
    .write_models = inf_openai_write_models,
    .read_body = inf_responses_read_body,
    .read_event = inf_responses_read_event,
};
