/* SPDX-License-Identifier: MIT */
/* Google's Gemini API, of AI Studio and of Vertex AI: one request, whose parts
 * gemini_config.c and gemini_contents.c write; gemini_read.c reads. What the
 * caller says in OpenAI's words is said in Gemini's; a member that neither of
 * the two knows passes as it is. */
#include "provider/gemini_alike.h"
#include "provider/embed.h"
#include "provider/model_list.h"
#include "provider/gemini_read.h"
#include "provider/gemini_write.h"
#include "provider/member_rules.h"
#include "provider/send.h"

#include "infer/infer.h"

#include "wire/json_write.h"

/* ---- Members ------------------------------------------------------------- */

typedef enum fate {
  WRITTEN, /* under another name, or in another place */
  LEFT,    /* changes nothing of the answer, and goes nowhere */
  REFUSED,
} fate;

static const struct {
  const char *name;
  fate fate;
} fates[] = {
    {"model", WRITTEN},
    {"messages", WRITTEN},
    {"stream", WRITTEN},
    {"generationConfig", WRITTEN},
    {"temperature", WRITTEN},
    {"top_p", WRITTEN},
    {"top_k", WRITTEN},
    {"max_tokens", WRITTEN},
    {"max_completion_tokens", WRITTEN},
    {"n", WRITTEN},
    {"stop", WRITTEN},
    {"seed", WRITTEN},
    {"presence_penalty", WRITTEN},
    {"frequency_penalty", WRITTEN},
    {"logprobs", WRITTEN},
    {"top_logprobs", WRITTEN},
    {"modalities", WRITTEN},
    {"response_format", WRITTEN},
    {"reasoning_effort", WRITTEN},
    {"thinking", WRITTEN},
    {"tools", WRITTEN},
    {"tool_choice", WRITTEN},
    {"toolConfig", WRITTEN},
    {"parallel_tool_calls", WRITTEN},
    {"service_tier", WRITTEN},
    /* Who asked, what to keep, and hints that only make it faster. */
    {"user", LEFT},
    {"store", LEFT},
    {"metadata", LEFT},
    {"stream_options", LEFT},
    {"safety_identifier", LEFT},
    {"prompt_cache_key", LEFT},
    {"prompt_cache_retention", LEFT},
    {"prediction", LEFT},
    {"audio", REFUSED},
    {"functions", REFUSED},
    {"function_call", REFUSED},
    {"logit_bias", REFUSED},
    {"verbosity", REFUSED},
    {"web_search_options", REFUSED},
    {"moderation", REFUSED},
};

static int32_t
put_member(const inf_gemini_request *request, const inf_json_iter *it)
{
  if (inf_json_is(it->value, INF_JSON_NULL))
    return INFER_OK;
  for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
    if (!inf_json_key_is(it, inf_sv_from(fates[i].name)))
      continue;
    if (fates[i].fate == LEFT)
      inf_member_note_dropped(request->send, it);
    return fates[i].fate == REFUSED
               ? inf_gemini_refuse(request, fates[i].name, INF_SV(""),
                                   "Gemini has nothing like it")
               : INFER_OK;
  }
  inf_members_put_name(request->out, it->key);
  inf_json_put_raw(request->out, it->value);
  return INFER_OK;
}

/* Members of the request, then those of the account that it lacks. */
static int32_t
put_members(const inf_gemini_request *request)
{
  inf_buf name;
  int32_t status = INFER_OK;
  const inf_send *send = request->send;
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&send->chat->members));
  while (status == INFER_OK && inf_json_next(&it))
    status = put_member(request, &it);
  inf_buf_init(&name, SIZE_MAX);
  it = inf_json_iter_of(send->body_members);
  while (status == INFER_OK && inf_json_next(&it)) {
    inf_buf_clear(&name);
    if (!inf_json_unescape(it.key, &name))
      status = INFER_E_NO_MEMORY;
    else if (inf_chat_member(send->chat, inf_buf_sv(&name)).len == 0)
      status = put_member(request, &it);
  }
  inf_buf_fini(&name);
  return status;
}

/* Members that may say what goes without saying. */
static int32_t
check_members(const inf_gemini_request *request)
{
  inf_sv tier = inf_gemini_member(request->send, "service_tier");
  inf_sv parallel = inf_gemini_member(request->send, "parallel_tool_calls");
  if (tier.len > 0 && !inf_json_equal(tier, INF_SV("auto")) &&
      !inf_json_equal(tier, INF_SV("default")))
    return inf_gemini_refuse(request, "service_tier", INF_SV(""),
                             "only auto and default");
  if (inf_json_is(parallel, INF_JSON_FALSE))
    return inf_gemini_refuse(request, "parallel_tool_calls", INF_SV(""),
                             "Gemini cannot be kept from several calls");
  return INFER_OK;
}

static int32_t
write_body(const inf_send *send, inf_buf *body, inf_buf *why)
{
  const inf_gemini_request request = {send, body, why};
  int32_t status = check_members(&request);
  inf_json_open(body, '{');
  if (status == INFER_OK)
    status = inf_gemini_write_contents(&request);
  if (status == INFER_OK)
    status = inf_gemini_write_config(&request);
  if (status == INFER_OK)
    status = inf_gemini_write_tools(&request);
  if (status == INFER_OK)
    status = put_members(&request);
  inf_json_close(body, '}');
  return status == INFER_OK ? body->status : status;
}

/* ---- Requests ------------------------------------------------------------ */

/* "models/gemini-x", as the list of models has it, is gemini-x. */
static inf_send
with_bare_model(const inf_send *send)
{
  inf_send bare = *send;
  const inf_sv prefix = INF_SV("models/");
  if (inf_sv_starts_with(bare.model, prefix))
    bare.model =
        inf_sv_of(bare.model.ptr + prefix.len, bare.model.len - prefix.len);
  return bare;
}

static int32_t
write_chat(const inf_send *given, inf_wire_request *out, inf_buf *why)
{
  inf_send send = with_bare_model(given);
  int32_t status =
      inf_send_write_head(&send, inf_accept_events(send.stream), out, why);
  if (status == INFER_OK)
    status = write_body(&send, &out->body, why);
  return status;
}

const inf_dialect inf_dialect_gemini = {
    .name = "gemini",
    .framing = INF_FRAMING_SSE,
    .write_chat = write_chat,
    .write_models = inf_send_write_models,
    .next_models = inf_gemini_next_models,
    .write_embed = inf_gemini_write_embed,
    .read_embed = inf_gemini_read_embed,
    .read_body = inf_gemini_read_body,
    .read_event = inf_gemini_read_event,
    .read_alike = inf_gemini_read_alike,
};
