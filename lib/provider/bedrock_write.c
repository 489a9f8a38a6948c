/* SPDX-License-Identifier: MIT */
/* The members of a Converse request; bedrock_message.c has the messages. */
#include "provider/bedrock_write.h"

#include "infer/infer.h"

#include "provider/bedrock_writer.h"
#include "provider/member_rules.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- What both files need ------------------------------------------------ */

void
inf_bedrock_refuse_as(inf_bedrock_writer *writer, int32_t status,
                      const char *what, inf_sv name)
{
  if (writer->status != INFER_OK)
    return;
  writer->status = status;
  if (!writer->why)
    return;
  inf_buf_append_cstr(writer->why, what);
  if (name.len == 0)
    return;
  inf_buf_append_cstr(writer->why, " \"");
  inf_buf_append_sv(writer->why,
                    inf_sv_of(name.ptr, name.len < 64 ? name.len : 64));
  inf_buf_append_char(writer->why, '"');
}

void
inf_bedrock_refuse(inf_bedrock_writer *writer, const char *what, inf_sv name)
{
  inf_bedrock_refuse_as(writer, INFER_E_UNSUPPORTED, what, name);
}

inf_sv
inf_bedrock_text(inf_bedrock_writer *writer, inf_sv value)
{
  inf_sv text;
  if (inf_json_plain(value, &text))
    return text;
  inf_buf_clear(&writer->text);
  if (inf_json_string(value, &writer->text))
    return inf_buf_sv(&writer->text);
  if (writer->text.status != INFER_OK)
    writer->body->status = writer->text.status;
  return INF_SV("");
}

/* ---- The caller's and the account's members ------------------------------ */

/* "" for one that is not there, or null. */
static inf_sv
member(const inf_bedrock_writer *writer, const char *name)
{
  inf_sv value = inf_chat_member(writer->send->chat, inf_sv_from(name));
  if (value.len == 0)
    value = inf_json_get(writer->send->body_members, inf_sv_from(name));
  return inf_json_is(value, INF_JSON_NULL) ? INF_SV("") : value;
}

typedef enum member_fate {
  MODELS_OWN, /* goes into additionalModelRequestFields */
  WRITTEN,    /* has its place, see below */
  AS_IT_IS,   /* Converse's own */
  LEFT_OUT,
  REFUSED, /* unless it asks for nothing */
} member_fate;

static const struct {
  const char *name;
  member_fate fate;
} fates[] = {
    {"model", WRITTEN},
    {"messages", WRITTEN},
    {"stream", WRITTEN},
    {"max_tokens", WRITTEN},
    {"max_completion_tokens", WRITTEN},
    {"temperature", WRITTEN},
    {"top_p", WRITTEN},
    {"stop", WRITTEN},
    {"tools", WRITTEN},
    {"tool_choice", WRITTEN},
    {"response_format", WRITTEN},
    {"reasoning_effort", WRITTEN},
    {"metadata", WRITTEN},
    {"service_tier", WRITTEN},
    {"parallel_tool_calls", WRITTEN},
    {"n", WRITTEN},
    {"modalities", WRITTEN},
    {"inferenceConfig", WRITTEN},
    {"toolConfig", WRITTEN},
    {"additionalModelRequestFields", WRITTEN},
    {"additionalModelResponseFieldPaths", AS_IT_IS},
    {"guardrailConfig", AS_IT_IS},
    {"outputConfig", AS_IT_IS},
    {"performanceConfig", AS_IT_IS},
    {"promptVariables", AS_IT_IS},
    {"requestMetadata", AS_IT_IS},
    {"serviceTier", AS_IT_IS},
    {"stream_options", LEFT_OUT},
    {"user", LEFT_OUT},
    {"safety_identifier", LEFT_OUT},
    {"store", LEFT_OUT},
    {"prompt_cache_key", LEFT_OUT},
    {"prompt_cache_retention", LEFT_OUT},
    {"seed", REFUSED},
    {"logprobs", REFUSED},
    {"top_logprobs", REFUSED},
    {"logit_bias", REFUSED},
    {"presence_penalty", REFUSED},
    {"frequency_penalty", REFUSED},
    {"audio", REFUSED},
    {"prediction", REFUSED},
    {"web_search_options", REFUSED},
    {"verbosity", REFUSED},
    {"functions", REFUSED},
    {"function_call", REFUSED},
    {"moderation", REFUSED},
    {"system", REFUSED}, /* Converse's own: a message says it */
};

static member_fate
fate_of(const inf_json_iter *it)
{
  for (size_t i = 0; i < COUNT(fates); i++)
    if (inf_json_key_is(it, inf_sv_from(fates[i].name)))
      return fates[i].fate;
  return MODELS_OWN;
}

/* false, 0, "", [] and {} ask for nothing; so does null. But a seed of 0 is
 * one, and {} asks for a search. */
static bool
asks_for_nothing(const inf_json_iter *it)
{
  int64_t number;
  switch (inf_json_type_of(it->value)) {
  case INF_JSON_NUMBER:
    return !inf_json_key_is(it, INF_SV("seed")) &&
           inf_json_int64(it->value, false, &number) && number == 0;
  case INF_JSON_STRING:
    return it->value.len == 2;
  case INF_JSON_ARRAY:
  case INF_JSON_OBJECT:
    return !inf_json_key_is(it, INF_SV("web_search_options")) &&
           inf_json_count(it->value) == 0;
  case INF_JSON_TRUE:
    return false;
  default:
    return true;
  }
}

typedef void (*member_fn)(inf_bedrock_writer *writer, const inf_json_iter *it);

/* Each member that there is, once: the request's before the account's. */
static void
for_each_member(inf_bedrock_writer *writer, member_fn fn)
{
  const inf_chat *chat = writer->send->chat;
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&chat->members));
  while (inf_json_next(&it))
    fn(writer, &it);
  it = inf_json_iter_of(writer->send->body_members);
  while (inf_json_next(&it)) {
    inf_buf_clear(&writer->text);
    if (!inf_json_unescape(it.key, &writer->text))
      writer->body->status = INFER_E_NO_MEMORY;
    else if (inf_chat_member(chat, inf_buf_sv(&writer->text)).len == 0)
      fn(writer, &it);
  }
}

static void
put_raw_member(inf_bedrock_writer *writer, const inf_json_iter *it)
{
  inf_members_put_name(writer->body, it->key);
  inf_json_put_raw(writer->body, it->value);
}

static void
put_as_it_is(inf_bedrock_writer *writer, const inf_json_iter *it)
{
  member_fate fate = fate_of(it);
  if (fate == AS_IT_IS && !inf_json_is(it->value, INF_JSON_NULL))
    put_raw_member(writer, it);
  else if (fate == REFUSED && !asks_for_nothing(it))
    inf_bedrock_refuse(writer, "Converse does not take", it->key);
  else if (fate == LEFT_OUT)
    inf_member_note_dropped(writer->send, it);
}

/* ---- inferenceConfig ----------------------------------------------------- */

/* The limit of the answer, less what of it there is already; -1: none. */
static int64_t
max_tokens(inf_bedrock_writer *writer)
{
  int64_t tokens;
  const char *name = "max_completion_tokens";
  inf_sv value = member(writer, name);
  if (value.len == 0) {
    name = "max_tokens";
    value = member(writer, name);
  }
  if (value.len == 0)
    return -1;
  if (!inf_json_int64(value, false, &tokens) || tokens < 1) {
    inf_bedrock_refuse_as(writer, INFER_E_INVALID_ARGUMENT,
                          "no number of tokens in", inf_sv_from(name));
    return -1;
  }
  if (writer->send->partial.len == 0)
    return tokens;
  return tokens > writer->send->partial_tokens
             ? tokens - writer->send->partial_tokens
             : 1;
}

static void
put_stop(inf_bedrock_writer *writer, inf_sv stop)
{
  inf_json_key(writer->body, INF_SV("stopSequences"));
  if (inf_json_is(stop, INF_JSON_ARRAY)) {
    inf_json_put_raw(writer->body, stop);
    return;
  }
  inf_json_open(writer->body, '[');
  inf_json_put_raw(writer->body, stop);
  inf_json_close(writer->body, ']');
}

/* Ours and, beside them, those of a member of Converse's own. */
static void
put_inference(inf_bedrock_writer *writer)
{
  static const char *const names[] = {"maxTokens", "temperature", "topP",
                                      "stopSequences"};
  int64_t tokens = max_tokens(writer);
  inf_sv stop = member(writer, "stop");
  if (inf_json_is(stop, INF_JSON_ARRAY) && inf_json_count(stop) == 0)
    stop = INF_SV("");
  const inf_sv values[] = {tokens < 0 ? INF_SV("") : INF_SV("0"),
                           member(writer, "temperature"),
                           member(writer, "top_p"), stop};
  inf_sv own = member(writer, "inferenceConfig");
  bool any = inf_json_is(own, INF_JSON_OBJECT);
  for (size_t i = 0; i < COUNT(values); i++)
    any = any || values[i].len > 0;
  if (!any)
    return;
  inf_json_key(writer->body, INF_SV("inferenceConfig"));
  inf_json_open(writer->body, '{');
  if (tokens >= 0)
    inf_json_member_int(writer->body, INF_SV("maxTokens"), tokens);
  for (size_t i = 1; i <= 2; i++)
    if (values[i].len > 0)
      inf_json_member_raw(writer->body, inf_sv_from(names[i]), values[i]);
  if (stop.len > 0)
    put_stop(writer, stop);
  inf_json_iter it = inf_json_iter_of(own);
  while (inf_json_next(&it)) {
    bool ours = false;
    for (size_t i = 0; i < COUNT(names); i++)
      ours = ours ||
             (values[i].len > 0 && inf_json_key_is(&it, inf_sv_from(names[i])));
    if (!ours)
      put_raw_member(writer, &it);
  }
  inf_json_close(writer->body, '}');
}

/* ---- toolConfig ---------------------------------------------------------- */

static void
put_tool(inf_bedrock_writer *writer, inf_sv tool)
{
  inf_buf *body = writer->body;
  inf_sv type = inf_json_get(tool, INF_SV("type"));
  inf_sv function = inf_json_get(tool, INF_SV("function"));
  inf_sv name = inf_json_get(function, INF_SV("name"));
  inf_sv about = inf_json_get(function, INF_SV("description"));
  inf_sv schema = inf_json_get(function, INF_SV("parameters"));
  if (type.len == 0 && inf_json_is(tool, INF_JSON_OBJECT) &&
      function.len == 0) {
    inf_json_put_raw(body, tool); /* systemTool, cachePoint, toolSpec */
    return;
  }
  if (!inf_json_is(function, INF_JSON_OBJECT)) {
    inf_bedrock_refuse(writer, "Bedrock does not take tools of type",
                       inf_bedrock_text(writer, type));
    return;
  }
  if (!inf_json_is(name, INF_JSON_STRING)) {
    inf_bedrock_refuse_as(writer, INFER_E_INVALID_ARGUMENT,
                          "a function among the tools has no", INF_SV("name"));
    return;
  }
  inf_json_open(body, '{');
  inf_json_key(body, INF_SV("toolSpec"));
  inf_json_open(body, '{');
  inf_json_member_raw(body, INF_SV("name"), name);
  if (inf_json_is(about, INF_JSON_STRING) && about.len > 2)
    inf_json_member_raw(body, INF_SV("description"), about);
  inf_json_key(body, INF_SV("inputSchema"));
  inf_json_open(body, '{');
  inf_json_member_raw(body, INF_SV("json"),
                      inf_json_is(schema, INF_JSON_OBJECT)
                          ? schema
                          : INF_SV("{\"type\":\"object\",\"properties\":{}}"));
  inf_json_close(body, '}');
  if (inf_json_is(inf_json_get(function, INF_SV("strict")), INF_JSON_TRUE))
    inf_json_member_bool(body, INF_SV("strict"), true);
  inf_json_close(body, '}');
  inf_json_close(body, '}');
  inf_bedrock_cache_point(writer, tool);
  inf_member_note_inner(writer->send, "tools.function", function,
                        "name description parameters strict");
  inf_member_note_inner(writer->send, "tools", tool,
                        "type function cache_control");
}

static void
put_choice(inf_bedrock_writer *writer, inf_sv choice)
{
  inf_sv value = INF_SV("{\"auto\":{}}");
  inf_sv name = inf_json_path(choice, "function.name");
  if (choice.len == 0)
    return;
  if (inf_json_is(name, INF_JSON_STRING)) {
    inf_json_key(writer->body, INF_SV("toolChoice"));
    inf_json_open(writer->body, '{');
    inf_json_key(writer->body, INF_SV("tool"));
    inf_json_open(writer->body, '{');
    inf_json_member_raw(writer->body, INF_SV("name"), name);
    inf_json_close(writer->body, '}');
    inf_json_close(writer->body, '}');
    return;
  }
  if (inf_json_equal(choice, INF_SV("required")))
    value = INF_SV("{\"any\":{}}");
  else if (!inf_json_equal(choice, INF_SV("auto"))) {
    inf_bedrock_refuse(writer, "Bedrock does not take this",
                       INF_SV("tool_choice"));
    return;
  }
  inf_json_member_raw(writer->body, INF_SV("toolChoice"), value);
}

/* Is there a choice of none? Converse has none, but may be told of no tools,
 * unless the messages have some. */
static bool
forbids_tools(inf_bedrock_writer *writer)
{
  if (!inf_json_equal(member(writer, "tool_choice"), INF_SV("none")))
    return false;
  if (writer->tools)
    inf_bedrock_refuse(writer,
                       "Bedrock cannot be kept from tools that the messages "
                       "use, as tool_choice says:",
                       INF_SV("none"));
  return true;
}

static void
put_tools(inf_bedrock_writer *writer)
{
  inf_sv tools = member(writer, "tools"), own = member(writer, "toolConfig");
  bool some = inf_json_is(tools, INF_JSON_ARRAY) && inf_json_count(tools) > 0;
  if (inf_json_is(member(writer, "parallel_tool_calls"), INF_JSON_FALSE) &&
      some)
    inf_bedrock_refuse(writer, "Bedrock does not take false as",
                       INF_SV("parallel_tool_calls"));
  if (some && own.len > 0)
    inf_bedrock_refuse(writer, "\"tools\" stands beside", INF_SV("toolConfig"));
  if (forbids_tools(writer))
    return;
  if (own.len > 0)
    inf_json_member_raw(writer->body, INF_SV("toolConfig"), own);
  if (!some)
    return;
  inf_json_key(writer->body, INF_SV("toolConfig"));
  inf_json_open(writer->body, '{');
  inf_json_key(writer->body, INF_SV("tools"));
  inf_json_open(writer->body, '[');
  inf_json_iter it = inf_json_iter_of(tools);
  while (inf_json_next(&it))
    put_tool(writer, it.value);
  inf_json_close(writer->body, ']');
  put_choice(writer, member(writer, "tool_choice"));
  inf_json_close(writer->body, '}');
}

/* ---- outputConfig -------------------------------------------------------- */

static void
put_json_schema(inf_bedrock_writer *writer, inf_sv given)
{
  static const char *const texts[] = {"name", "description"};
  inf_buf *body = writer->body;
  inf_sv schema = inf_json_get(given, INF_SV("schema"));
  inf_json_key(body, INF_SV("outputConfig"));
  inf_json_open(body, '{');
  inf_json_key(body, INF_SV("textFormat"));
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), INF_SV("json_schema"));
  inf_json_key(body, INF_SV("structure"));
  inf_json_open(body, '{');
  inf_json_key(body, INF_SV("jsonSchema"));
  inf_json_open(body, '{');
  /* As text, not as an object. */
  inf_json_member_string(body, INF_SV("schema"),
                         schema.len > 0 ? schema : INF_SV("{}"));
  for (size_t i = 0; i < COUNT(texts); i++) {
    inf_sv text = inf_json_get(given, inf_sv_from(texts[i]));
    if (inf_json_is(text, INF_JSON_STRING))
      inf_json_member_raw(body, inf_sv_from(texts[i]), text);
  }
  for (size_t i = 0; i < 4; i++)
    inf_json_close(body, '}');
  inf_member_note_inner(writer->send, "response_format.json_schema", given,
                        "name description schema strict");
}

static void
put_format(inf_bedrock_writer *writer)
{
  inf_sv format = member(writer, "response_format");
  inf_sv type = inf_json_get(format, INF_SV("type"));
  if (format.len == 0 || inf_json_equal(type, INF_SV("text")))
    return;
  if (inf_json_equal(type, INF_SV("json_schema")))
    put_json_schema(writer, inf_json_get(format, INF_SV("json_schema")));
  else
    inf_bedrock_refuse(writer, "Bedrock does not take response_format",
                       inf_bedrock_text(writer, type));
}

/* ---- additionalModelRequestFields ---------------------------------------- */

/* Does the model's name, also as part of an ARN or behind a region's, begin
 * so? */
static bool
is_model_of(const inf_bedrock_writer *writer, const char *maker)
{
  return inf_sv_contains_nocase(writer->send->model, inf_sv_from(maker));
}

/* What thinking may take. The least that Anthropic's models accept is 1024,
 * and they want some tokens for the answer too. */
static void
put_budget(inf_bedrock_writer *writer, inf_sv effort)
{
  enum { least = 1024 };
  int64_t budget = 2 * (int64_t)least, most = max_tokens(writer);
  inf_buf *body = writer->body;
  if (inf_sv_eq(effort, INF_SV("low")) || inf_sv_eq(effort, INF_SV("minimal")))
    budget = least;
  else if (inf_sv_eq(effort, INF_SV("high")) ||
           inf_sv_eq(effort, INF_SV("xhigh")))
    budget = 4 * (int64_t)least;
  if (most >= 0 && budget >= most)
    budget = most - 1;
  if (budget < least) {
    inf_bedrock_refuse(writer,
                       "max_tokens leaves fewer than 1024 for thinking, which "
                       "is the least for",
                       INF_SV("reasoning_effort"));
    return;
  }
  inf_json_key(body, INF_SV("thinking"));
  inf_json_open(body, '{');
  inf_json_member_string(body, INF_SV("type"), INF_SV("enabled"));
  inf_json_member_int(body, INF_SV("budget_tokens"), budget);
  inf_json_close(body, '}');
}

static void
put_effort(inf_bedrock_writer *writer)
{
  inf_sv json = member(writer, "reasoning_effort");
  inf_sv effort = inf_bedrock_text(writer, json);
  bool anthropic = is_model_of(writer, "anthropic.");
  bool amazon = is_model_of(writer, "amazon.");
  if (json.len == 0 ||
      ((anthropic || amazon) && inf_sv_eq(effort, INF_SV("none"))))
    return;
  if (anthropic) {
    put_budget(writer, effort);
  } else if (amazon) {
    inf_json_key(writer->body, INF_SV("reasoningConfig"));
    inf_json_open(writer->body, '{');
    inf_json_member_string(writer->body, INF_SV("type"), INF_SV("enabled"));
    inf_json_member_raw(writer->body, INF_SV("maxReasoningEffort"), json);
    inf_json_close(writer->body, '}');
  } else {
    inf_json_member_raw(writer->body, INF_SV("reasoning_effort"), json);
  }
}

/* What is under that name in a member of Converse's own stands. */
static void
put_models_own(inf_bedrock_writer *writer, const inf_json_iter *it)
{
  if (fate_of(it) != MODELS_OWN || inf_json_is(it->value, INF_JSON_NULL))
    return;
  inf_json_iter own =
      inf_json_iter_of(member(writer, "additionalModelRequestFields"));
  while (inf_json_next(&own))
    if (inf_sv_eq(own.key, it->key))
      return;
  put_raw_member(writer, it);
}

/* Written, and taken back where nothing came of it. */
static void
put_additional(inf_bedrock_writer *writer)
{
  inf_buf *body = writer->body;
  size_t before = body->len;
  inf_json_key(body, INF_SV("additionalModelRequestFields"));
  inf_json_open(body, '{');
  size_t empty = body->len;
  inf_json_iter it =
      inf_json_iter_of(member(writer, "additionalModelRequestFields"));
  while (inf_json_next(&it))
    put_raw_member(writer, &it);
  for_each_member(writer, put_models_own);
  put_effort(writer);
  if (body->len == empty)
    inf_buf_truncate(body, before);
  else
    inf_json_close(body, '}');
}

/* ---- The rest ------------------------------------------------------------ */

static void
put_metadata(inf_bedrock_writer *writer)
{
  inf_sv metadata = member(writer, "metadata");
  if (inf_json_has_items(metadata) &&
      member(writer, "requestMetadata").len == 0)
    inf_json_member_raw(writer->body, INF_SV("requestMetadata"), metadata);
}

/* "auto" is what is so without the member. */
static void
put_tier(inf_bedrock_writer *writer)
{
  inf_sv tier = member(writer, "service_tier");
  if (!inf_json_is(tier, INF_JSON_STRING) ||
      inf_json_equal(tier, INF_SV("auto")) ||
      member(writer, "serviceTier").len > 0)
    return;
  inf_json_key(writer->body, INF_SV("serviceTier"));
  inf_json_open(writer->body, '{');
  inf_json_member_raw(writer->body, INF_SV("type"), tier);
  inf_json_close(writer->body, '}');
}

static void
check_count(inf_bedrock_writer *writer)
{
  int64_t n;
  inf_sv value = member(writer, "n");
  if (value.len > 0 && (!inf_json_int64(value, false, &n) || n != 1))
    inf_bedrock_refuse(writer, "Bedrock gives one answer, and no more by",
                       INF_SV("n"));
}

static void
check_modalities(inf_bedrock_writer *writer)
{
  inf_json_iter it = inf_json_iter_of(member(writer, "modalities"));
  while (inf_json_next(&it))
    if (!inf_json_equal(it.value, INF_SV("text")))
      inf_bedrock_refuse(writer, "Bedrock answers with text alone, not by",
                         INF_SV("modalities"));
}

int32_t
inf_bedrock_write_body(const inf_send *send, inf_buf *body, inf_buf *why)
{
  inf_bedrock_writer writer = {.send = send, .body = body, .why = why};
  inf_buf_init(&writer.text, SIZE_MAX);
  inf_json_open(body, '{');
  inf_bedrock_messages(&writer);
  put_inference(&writer);
  put_tools(&writer);
  put_format(&writer);
  put_metadata(&writer);
  put_tier(&writer);
  for_each_member(&writer, put_as_it_is);
  put_additional(&writer);
  check_count(&writer);
  check_modalities(&writer);
  inf_json_close(body, '}');
  inf_buf_fini(&writer.text);
  return body->status != INFER_OK ? body->status : writer.status;
}
