/* SPDX-License-Identifier: MIT */
/* Anthropic's Messages as they are sent, and the table of the dialect; what
 * maps to what is in anthropic_write.h. On Vertex AI the model stands in the
 * path and the API's version in the body: both are the kind's to say. */
#include "provider/anthropic_alike.h"
#include "provider/model_list.h"
#include "provider/anthropic_read.h"
#include "provider/anthropic_write.h"
#include "provider/member_rules.h"
#include "provider/send.h"

#include "infer/infer.h"

#include "wire/json_value.h"
#include "wire/json_write.h"

/* ---- What the parts share ------------------------------------------------ */

int32_t
inf_anthropic_refuse(inf_anthropic_writer *writer, const char *what,
                     const char *rest)
{
  /* What a body that failed lacks says nothing of the request. */
  if (writer->status == INFER_OK)
    writer->status = writer->body->status;
  if (writer->status == INFER_OK && writer->why)
    inf_buf_appendf(writer->why, "%s%s", what, rest);
  if (writer->status == INFER_OK)
    writer->status = INFER_E_UNSUPPORTED;
  return writer->status;
}

inf_sv
inf_anthropic_member(const inf_anthropic_writer *writer, const char *name)
{
  inf_sv value = inf_chat_member(writer->send->chat, inf_sv_from(name));
  if (value.len == 0)
    value = inf_json_get(writer->send->body_members, inf_sv_from(name));
  return inf_json_is(value, INF_JSON_NULL) ? INF_SV("") : value;
}

inf_sv
inf_anthropic_text(inf_anthropic_writer *writer, inf_sv value)
{
  inf_buf_clear(&writer->scratch);
  if (!inf_json_string(value, &writer->scratch)) {
    if (writer->status == INFER_OK)
      writer->status = writer->scratch.status;
    inf_buf_clear(&writer->scratch);
  }
  return inf_buf_sv(&writer->scratch);
}

/* ---- Members that have a name of their own there ------------------------- */

/* The smaller limits of the API. */
static void
check_sampling(inf_anthropic_writer *writer)
{
  enum { one_of_both = 401, none_of_them = 407 };
  double temperature = 1, top_p = 1;
  inf_json_double(inf_anthropic_member(writer, "temperature"), false,
                  &temperature);
  inf_json_double(inf_anthropic_member(writer, "top_p"), false, &top_p);
  bool cool = temperature < 1, narrow = top_p < 1;
  if (temperature > 1)
    inf_anthropic_refuse(writer, "temperature", " above 1");
  if (cool && narrow && writer->version >= one_of_both)
    inf_anthropic_refuse(writer, "temperature", " beside top_p");
  if (writer->version < none_of_them)
    return;
  if (cool)
    inf_anthropic_refuse(writer, "temperature", ": the model takes none");
  if (narrow)
    inf_anthropic_refuse(writer, "top_p", ": the model takes none");
}

static void
write_sampling(inf_anthropic_writer *writer)
{
  const inf_sv name = INF_SV("temperature"), other = INF_SV("top_p");
  enum { no_sampling = 407 };
  double top_p = 1;
  inf_sv temperature = inf_anthropic_member(writer, "temperature");
  inf_sv nucleus = inf_anthropic_member(writer, "top_p");
  check_sampling(writer);
  inf_json_double(nucleus, false, &top_p);
  bool takes = writer->version < no_sampling;
  if (temperature.len > 0 && takes)
    inf_json_member_raw(writer->body, name, temperature);
  /* 1 says nothing, and newer models refuse the two together. */
  if (nucleus.len > 0 && takes && (temperature.len == 0 || top_p < 1))
    inf_json_member_raw(writer->body, other, nucleus);
}

static void
write_stop(inf_anthropic_writer *writer)
{
  inf_sv stop = inf_anthropic_member(writer, "stop");
  inf_buf *body = writer->body;
  if (inf_json_is(stop, INF_JSON_STRING)) {
    inf_json_key(body, INF_SV("stop_sequences"));
    inf_json_open(body, '[');
    inf_json_put_raw(body, stop);
    inf_json_close(body, ']');
  } else if (inf_json_has_items(stop)) {
    inf_json_member_raw(body, INF_SV("stop_sequences"), stop);
  }
}

/* "output_config": the caller's, with what other members say. */
static void
write_output(inf_anthropic_writer *writer, const inf_anthropic_thinking *plan)
{
  inf_buf *body = writer->body;
  inf_sv own = inf_anthropic_member(writer, "output_config");
  inf_sv format = inf_anthropic_member(writer, "response_format");
  inf_sv type = inf_json_get(format, INF_SV("type"));
  inf_sv schema = inf_json_path(format, "json_schema.schema");
  bool by_schema = inf_json_equal(type, INF_SV("json_schema"));
  bool effort = plan->effort && inf_json_get(own, INF_SV("effort")).len == 0;
  if (format.len > 0 && !by_schema && !inf_json_equal(type, INF_SV("text")))
    inf_anthropic_refuse(writer, "response_format",
                         ": only text and json_schema");
  inf_member_note_format(writer->send, format);
  if (by_schema && !inf_json_is(schema, INF_JSON_OBJECT))
    inf_anthropic_refuse(writer, "response_format", ": no schema");
  if (own.len == 0 && !by_schema && !effort)
    return;
  inf_json_key(body, INF_SV("output_config"));
  inf_json_open(body, '{');
  inf_json_iter it = inf_json_iter_of(own);
  while (inf_json_next(&it)) {
    if (by_schema && inf_json_key_is(&it, INF_SV("format")))
      continue;
    inf_members_put_name(body, it.key);
    inf_json_put_raw(body, it.value);
  }
  if (effort)
    inf_json_member_string(body, INF_SV("effort"), inf_sv_from(plan->effort));
  if (by_schema) {
    inf_json_key(body, INF_SV("format"));
    inf_json_open(body, '{');
    inf_json_member_string(body, INF_SV("type"), INF_SV("json_schema"));
    inf_json_member_raw(body, INF_SV("schema"), schema);
    inf_json_close(body, '}');
  }
  inf_json_close(body, '}');
}

static void
write_metadata(inf_anthropic_writer *writer)
{
  inf_sv metadata = inf_anthropic_member(writer, "metadata");
  inf_sv user = inf_json_get(metadata, INF_SV("user_id"));
  const inf_json_iter it = {.key = INF_SV("metadata"), .value = metadata};
  if (inf_json_count(metadata) > (user.len > 0 ? 1U : 0U))
    inf_member_note_dropped(writer->send, &it);
  if (user.len == 0)
    user = inf_anthropic_member(writer, "user");
  if (user.len == 0)
    user = inf_anthropic_member(writer, "safety_identifier");
  if (!inf_json_is(user, INF_JSON_STRING) || user.len <= 2)
    return;
  inf_json_key(writer->body, INF_SV("metadata"));
  inf_json_open(writer->body, '{');
  inf_json_member_raw(writer->body, INF_SV("user_id"), user);
  inf_json_close(writer->body, '}');
}

static void
write_tier(inf_anthropic_writer *writer)
{
  inf_sv tier = inf_anthropic_member(writer, "service_tier");
  if (tier.len == 0)
    return;
  if (inf_json_equal(tier, INF_SV("default")))
    tier = INF_SV("\"standard_only\"");
  else if (!inf_json_equal(tier, INF_SV("auto")) &&
           !inf_json_equal(tier, INF_SV("standard_only")))
    inf_anthropic_refuse(writer, "service_tier",
                         ": none but auto, default and standard_only");
  inf_json_member_raw(writer->body, INF_SV("service_tier"), tier);
}

/* ---- All other members --------------------------------------------------- */

typedef enum treatment {
  WRITTEN,  /* above */
  HARMLESS, /* left out */
  REFUSED,  /* unless it says nothing */
} treatment;

static const struct member_rule {
  const char *name;
  treatment treatment;
} rules[] = {
    {"model", WRITTEN},
    {"messages", WRITTEN},
    {"stream", WRITTEN},
    {"max_tokens", WRITTEN},
    {"max_completion_tokens", WRITTEN},
    {"thinking", WRITTEN},
    {"reasoning_effort", WRITTEN},
    {"output_config", WRITTEN},
    {"response_format", WRITTEN},
    {"temperature", WRITTEN},
    {"top_p", WRITTEN},
    {"stop", WRITTEN},
    {"tools", WRITTEN},
    {"tool_choice", WRITTEN},
    {"parallel_tool_calls", WRITTEN},
    {"metadata", WRITTEN},
    {"user", WRITTEN},
    {"safety_identifier", WRITTEN},
    {"service_tier", WRITTEN},
    {"stream_options", HARMLESS},
    {"store", HARMLESS},
    {"prompt_cache_key", HARMLESS},
    {"prompt_cache_retention", HARMLESS},
    {"n", REFUSED},
    {"seed", REFUSED},
    {"logprobs", REFUSED},
    {"top_logprobs", REFUSED},
    {"logit_bias", REFUSED},
    {"frequency_penalty", REFUSED},
    {"presence_penalty", REFUSED},
    {"audio", REFUSED},
    {"modalities", REFUSED},
    {"prediction", REFUSED},
    {"verbosity", REFUSED},
    {"web_search_options", REFUSED},
    {"functions", REFUSED},
    {"function_call", REFUSED},
    {"moderation", REFUSED},
};

static const struct member_rule *
find_rule(const inf_json_iter *it)
{
  for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
    if (inf_json_key_is(it, inf_sv_from(rules[i].name)))
      return &rules[i];
  return NULL;
}

/* Values that are what happens without the member too. */
static bool
says_nothing(inf_sv name, inf_sv value)
{
  double number;
  switch (inf_json_type_of(value)) {
  case INF_JSON_NONE:
  case INF_JSON_NULL:
  case INF_JSON_FALSE:
    return true;
  case INF_JSON_NUMBER:
    if (inf_sv_eq(name, INF_SV("seed")) ||
        !inf_json_double(value, false, &number))
      return false;
    number -= inf_sv_eq(name, INF_SV("n")) ? 1 : 0;
    return number <= 0 && number >= 0;
  case INF_JSON_STRING:
    return inf_json_equal(value, INF_SV("medium")) || /* of verbosity */
           inf_json_equal(value, INF_SV("none"));
  case INF_JSON_ARRAY:
    return !inf_json_has_items(value) ||
           (inf_json_count(value) == 1 && /* of modalities */
            inf_json_equal(inf_json_at(value, 0), INF_SV("text")));
  case INF_JSON_OBJECT:
    return !inf_sv_eq(name, INF_SV("web_search_options")) &&
           !inf_json_has_items(value);
  case INF_JSON_TRUE:
    break;
  }
  return false;
}

static void
write_other(inf_anthropic_writer *writer, const inf_json_iter *it)
{
  const struct member_rule *rule = find_rule(it);
  if (!rule && !inf_json_is(it->value, INF_JSON_NULL)) {
    inf_members_put_name(writer->body, it->key);
    inf_json_put_raw(writer->body, it->value);
  } else if (rule && rule->treatment == REFUSED &&
             !says_nothing(inf_sv_from(rule->name), it->value)) {
    inf_anthropic_refuse(writer, rule->name,
                         ": the provider has nothing like it");
  } else if (rule && rule->treatment == HARMLESS) {
    inf_member_note_dropped(writer->send, it);
  }
}

static void
write_others(inf_anthropic_writer *writer)
{
  const inf_send *send = writer->send;
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&send->chat->members));
  while (inf_json_next(&it))
    write_other(writer, &it);
  it = inf_json_iter_of(send->body_members);
  while (inf_json_next(&it)) {
    inf_buf_clear(&writer->scratch);
    if (!inf_json_unescape(it.key, &writer->scratch))
      writer->status = INFER_E_NO_MEMORY;
    else if (inf_chat_member(send->chat, inf_buf_sv(&writer->scratch)).len == 0)
      write_other(writer, &it);
  }
}

/* ---- The request --------------------------------------------------------- */

/* Members that the kind's service wants in every body. */
static void
write_fixed(const inf_send *send, inf_buf *body)
{
  inf_json_iter it = inf_json_iter_of(inf_sv_from(send->kind->fixed_members));
  if (!strstr(inf_send_chat_path(send), "{model}"))
    inf_json_member_string(body, INF_SV("model"), send->model);
  while (inf_json_next(&it)) {
    inf_members_put_name(body, it.key);
    inf_json_put_raw(body, it.value);
  }
}

static int32_t
write_body(const inf_send *send, inf_buf *body, inf_buf *why)
{
  inf_anthropic_thinking plan;
  inf_anthropic_writer writer = {.send = send,
                                 .body = body,
                                 .why = why,
                                 .version = inf_anthropic_version(send->model)};
  inf_buf_init(&writer.scratch, INF_CHAT_MAX_BYTES);
  inf_anthropic_plan(&writer, &plan);
  inf_json_open(body, '{');
  write_fixed(send, body);
  inf_json_member_int(body, INF_SV("max_tokens"), plan.max_tokens);
  inf_anthropic_write_messages(&writer);
  inf_anthropic_write_tools(&writer);
  inf_anthropic_write_thinking(&writer, &plan);
  write_output(&writer, &plan);
  write_sampling(&writer);
  write_stop(&writer);
  write_metadata(&writer);
  write_tier(&writer);
  write_others(&writer);
  if (send->stream)
    inf_json_member_bool(body, INF_SV("stream"), true);
  inf_json_close(body, '}');
  inf_buf_fini(&writer.scratch);
  return writer.status == INFER_OK ? body->status : writer.status;
}

static int32_t
write_chat(const inf_send *send, inf_wire_request *out, inf_buf *why)
{
  int32_t status =
      inf_send_write_head(send, inf_accept_events(send->stream), out, why);
  if (status == INFER_OK)
    status = write_body(send, &out->body, why);
  return status;
}

const inf_dialect inf_dialect_anthropic = {
    .name = "anthropic",
    .write_chat = write_chat,
    .write_models = inf_send_write_models,
    .next_models = inf_anthropic_next_models,
    .read_body = inf_anthropic_read_body,
    .read_event = inf_anthropic_read_event,
    .read_alike = inf_anthropic_read_alike,
};
