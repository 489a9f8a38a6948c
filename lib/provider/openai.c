/* SPDX-License-Identifier: MIT */
/* OpenAI's Chat Completions as it is sent: what is here writes, openai_read.c
 * reads. The body goes straight into the send buffer, member by member as the
 * caller wrote it, so that what we do not know passes through untouched. */
#include "provider/conversation.h"
#include "provider/embed.h"
#include "provider/member_rules.h"
#include "provider/model_list.h"
#include "provider/openai_read.h"
#include "provider/openai_send.h"
#include "provider/prefill.h"
#include "provider/send.h"

#include "infer/infer.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"

/* ---- Body ---------------------------------------------------------------- */

static void
put_as_is(const inf_json_iter *it, inf_buf *body)
{
  inf_members_put_name(body, it->key);
  inf_json_put_raw(body, it->value);
}

/* Under another name it is what it was: a limit too is less what was
 * delivered. */
static void
put_renamed(const inf_send *send, const inf_json_iter *it, inf_sv to,
            inf_buf *body)
{
  inf_json_iter as = *it;
  as.key = to;
  if (inf_member_find(send, to).len == 0 &&
      !inf_prefill_write_member(send, &as, body))
    put_as_is(&as, body);
}

static int32_t
put_member(const inf_send *send, const inf_json_iter *it, inf_buf *body,
           inf_buf *why)
{
  inf_sv to;
  switch (inf_member_rule(send->kind->member_rules, it, &to)) {
  case INF_MEMBER_REFUSED:
    return inf_member_refuse(send, it->key, why);
  case INF_MEMBER_LEFT_OUT:
    inf_member_note_dropped(send, it);
    break;
  case INF_MEMBER_RENAMED:
    put_renamed(send, it, to, body);
    break;
  case INF_MEMBER_AS_IS:
    if (!inf_prefill_write_member(send, it, body))
      put_as_is(it, body);
    break;
  }
  return INFER_OK;
}

/* Members of the request, then those of the account that it lacks. */
static int32_t
write_members(const inf_send *send, inf_buf *body, inf_buf *why)
{
  int32_t status = INFER_OK;
  inf_member_walk walk = inf_member_walk_of(send);
  while (status == INFER_OK && inf_member_next(&walk))
    if (!inf_json_key_is(&walk.it, INF_SV("stream_options")))
      status = put_member(send, &walk.it, body, why);
  return status == INFER_OK ? walk.status : status;
}

/* The caller's stream_options with include_usage, where that is understood:
 * without the figures there is no cost. */
static void
write_stream(const inf_send *send, inf_buf *body)
{
  inf_sv to;
  const inf_sv name = INF_SV("stream_options");
  inf_sv options = inf_member_find(send, name);
  if (!send->stream)
    return;
  inf_json_member_bool(body, INF_SV("stream"), true);
  if (!send->kind->stream_options) {
    const inf_json_iter it = {.key = name, .value = options};
    if (options.len > 0 &&
        inf_member_rule(send->kind->member_rules, &it, &to) == INF_MEMBER_AS_IS)
      inf_json_member_raw(body, name, options);
    return;
  }
  inf_json_key(body, name);
  inf_json_open(body, '{');
  inf_json_iter it = inf_json_iter_of(options);
  while (inf_json_next(&it)) {
    if (it.object && !inf_json_key_is(&it, INF_SV("include_usage")))
      put_as_is(&it, body);
  }
  inf_json_member_bool(body, INF_SV("include_usage"), true);
  inf_json_close(body, '}');
}

static int32_t
write_body(const inf_send *send, inf_buf *body, inf_buf *why)
{
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("model"), send->model);
  inf_json_key(body, INF_SV("messages"));
  inf_json_open(body, '[');
  int32_t status = inf_conversation_write(send, body, why);
  inf_prefill_write_message(send, body);
  inf_json_close(body, ']');
  if (status == INFER_OK)
    status = write_members(send, body, why);
  inf_prefill_write_members(send, body);
  write_stream(send, body);
  inf_json_close(body, '}');
  return status == INFER_OK ? body->status : status;
}

/* ---- Headers ------------------------------------------------------------- */

int32_t
inf_openai_write_headers(const inf_send *send, bool has_body, bool stream,
                         inf_buf *headers, inf_buf *why)
{
  const struct {
    inf_sv name, value;
  } fields[] = {
      {INF_SV("OpenAI-Organization"), send->organization},
      {INF_SV("OpenAI-Project"), send->project},
  };
  inf_send_write_common(send, has_body, inf_accept_events(stream), headers);
  int32_t status = headers->status;
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
    if (status == INFER_OK && fields[i].value.len > 0)
      status = inf_send_write_header(send, fields[i].name, fields[i].value,
                                     headers, why);
  }
  if (status == INFER_OK)
    status = inf_send_write_key(send, headers, why);
  if (status == INFER_OK)
    status = inf_send_write_extra(send, headers, why);
  return status;
}

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

int32_t
inf_openai_write_models(const inf_send *send, inf_wire_request *out)
{
  int32_t status = inf_model_list_write(send, out);
  if (status == INFER_OK)
    status = inf_openai_write_headers(send, out->body.len > 0, false,
                                      &out->headers, NULL);
  return status;
}

const inf_dialect inf_dialect_openai = {
    .name = "openai",
    .write_chat = write_chat,
    .write_models = inf_openai_write_models,
    .write_embed = inf_openai_write_embed,
    .read_embed = inf_openai_read_embed,
    .read_body = inf_openai_read_body,
    .read_event = inf_openai_read_event,
    .read_alike = inf_openai_read_alike,
};
