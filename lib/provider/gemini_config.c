/* SPDX-License-Identifier: MIT */
/* generationConfig, tools and toolConfig: what a request says beside its
 * messages.
 *
 * Sources: ai.google.dev/api/generate-content, /gemini-api/docs/openai (what
 * Google itself makes of reasoning_effort), /gemini-api/docs/thinking; read
 * 2026-08. */
#include "provider/gemini_write.h"

#include "infer/infer.h"

#include "provider/member_rules.h"
#include "wire/json_write.h"

/* ---- Shared -------------------------------------------------------------- */

inf_sv
inf_gemini_member(const inf_send *send, const char *name)
{
  inf_sv value = inf_chat_member(send->chat, inf_sv_from(name));
  if (value.len == 0)
    value = inf_json_get(send->body_members, inf_sv_from(name));
  return inf_json_is(value, INF_JSON_NULL) ? INF_SV("") : value;
}

/* Names without a version ("gemini-flash-latest") are those of the newest. */
bool
inf_gemini_is_old(inf_sv model)
{
  static const char *const starts[] = {"gemini-1", "gemini-2", "gemini-pro",
                                       "gemini-pro-vision"};
  for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
    inf_sv start = inf_sv_from(starts[i]);
    if (inf_sv_starts_with(model, start) && (model.len == start.len || i < 2))
      return true;
  }
  return false;
}

bool
inf_gemini_is_own_schema(inf_sv schema)
{
  inf_sv type;
  return inf_json_plain(inf_json_get(schema, INF_SV("type")), &type) &&
         type.len > 0 && type.ptr[0] >= 'A' && type.ptr[0] <= 'Z';
}

int32_t
inf_gemini_refuse(const inf_gemini_request *request, const char *what,
                  inf_sv name, const char *reason)
{
  if (!request->why)
    return INFER_E_UNSUPPORTED;
  inf_buf_append_cstr(request->why, what);
  if (name.len > 0) {
    inf_buf_append_cstr(request->why, " \"");
    inf_buf_append_sv(request->why, name);
    inf_buf_append_char(request->why, '"');
  }
  inf_buf_append_cstr(request->why, ": ");
  inf_buf_append_cstr(request->why, reason);
  return INFER_E_UNSUPPORTED;
}

/* ---- Thinking ------------------------------------------------------------ */

typedef struct effort {
  const char *name;
  int64_t budget;    /* tokens, for Gemini 2.5: what Google's own translation
                      * of the word gives; -1: there is none */
  const char *level; /* for Gemini 3 and later; NULL: there is none */
} effort;

/* Gemini 2.5 Pro and what came later cannot go without thinking; the others
 * do at a budget of 0. The highest words of others are its highest too. */
static const effort efforts[] = {
    {"none", 0, NULL},       {"minimal", 1024, "minimal"},
    {"low", 1024, "low"},    {"medium", 8192, "medium"},
    {"high", 24576, "high"}, {"xhigh", 24576, "high"},
    {"max", 24576, "high"},
};

static int32_t
put_effort(const inf_gemini_request *request, inf_sv value)
{
  const effort *found = NULL;
  inf_sv model = request->send->model;
  bool old = inf_gemini_is_old(model);
  for (size_t i = 0; i < sizeof(efforts) / sizeof(efforts[0]); i++)
    if (inf_json_equal(value, inf_sv_from(efforts[i].name)))
      found = &efforts[i];
  if (!found)
    return inf_gemini_refuse(request, "reasoning_effort", INF_SV(""),
                             "not a word that is known");
  bool none = found->budget == 0;
  if (old && !inf_sv_starts_with(model, INF_SV("gemini-2.5")))
    return none ? INFER_OK
                : inf_gemini_refuse(request, "reasoning_effort for", model,
                                    "the model does not think");
  if (none && (!old || inf_sv_starts_with(model, INF_SV("gemini-2.5-pro"))))
    return inf_gemini_refuse(request, "reasoning_effort \"none\" for", model,
                             "the model cannot go without thinking");
  inf_buf *out = request->out;
  inf_json_key(out, INF_SV("thinkingConfig"));
  inf_json_open(out, '{');
  if (!none)
    inf_json_member_bool(out, INF_SV("includeThoughts"), true);
  if (old)
    inf_json_member_int(out, INF_SV("thinkingBudget"), found->budget);
  else
    inf_json_member_string(out, INF_SV("thinkingLevel"),
                           inf_sv_from(found->level));
  inf_json_close(out, '}');
  return INFER_OK;
}

/* {"type": "enabled", "budget_tokens": N} or {"type": "disabled"}. */
static int32_t
put_thinking(const inf_gemini_request *request, inf_sv value)
{
  inf_buf *out = request->out;
  inf_sv budget = inf_json_get(value, INF_SV("budget_tokens"));
  inf_sv type = inf_json_get(value, INF_SV("type"));
  bool disabled = inf_json_equal(type, INF_SV("disabled"));
  if (!disabled && !inf_json_equal(type, INF_SV("enabled")))
    return inf_gemini_refuse(request, "thinking", INF_SV(""),
                             "its type is neither enabled nor disabled");
  if (disabled && !inf_gemini_is_old(request->send->model))
    return inf_gemini_refuse(request, "thinking disabled for",
                             request->send->model,
                             "the model cannot go without thinking");
  inf_json_key(out, INF_SV("thinkingConfig"));
  inf_json_open(out, '{');
  if (!disabled)
    inf_json_member_bool(out, INF_SV("includeThoughts"), true);
  if (disabled)
    inf_json_member_int(out, INF_SV("thinkingBudget"), 0);
  else if (budget.len > 0)
    inf_json_member_raw(out, INF_SV("thinkingBudget"), budget);
  inf_json_close(out, '}');
  return INFER_OK;
}

/* ---- generationConfig ---------------------------------------------------- */

static int32_t
put_stop(const inf_gemini_request *request, inf_sv value)
{
  inf_buf *out = request->out;
  inf_json_key(out, INF_SV("stopSequences"));
  if (inf_json_is(value, INF_JSON_ARRAY)) {
    inf_json_put_raw(out, value);
    return INFER_OK;
  }
  inf_json_open(out, '[');
  inf_json_put_raw(out, value);
  inf_json_close(out, ']');
  return INFER_OK;
}

/* "text" becomes "TEXT". What is no plain word passes as it is. */
static int32_t
put_modalities(const inf_gemini_request *request, inf_sv value)
{
  inf_buf *out = request->out;
  inf_json_key(out, INF_SV("responseModalities"));
  inf_json_open(out, '[');
  inf_json_iter it = inf_json_iter_of(value);
  while (inf_json_next(&it)) {
    inf_sv word;
    size_t from = out->len;
    inf_json_put_raw(out, it.value);
    if (!inf_json_plain(it.value, &word))
      continue;
    for (size_t i = from; i < out->len; i++)
      if (out->ptr[i] >= 'a' && out->ptr[i] <= 'z')
        out->ptr[i] = (char)(out->ptr[i] - 'a' + 'A');
  }
  inf_json_close(out, ']');
  return INFER_OK;
}

static int32_t
put_format(const inf_gemini_request *request, inf_sv value)
{
  inf_buf *out = request->out;
  inf_sv type = inf_json_get(value, INF_SV("type"));
  inf_sv schema = inf_json_path(value, "json_schema.schema");
  bool with_schema = inf_json_equal(type, INF_SV("json_schema"));
  if (inf_json_equal(type, INF_SV("text")))
    return INFER_OK;
  if (!with_schema && !inf_json_equal(type, INF_SV("json_object")))
    return inf_gemini_refuse(request, "response_format", INF_SV(""),
                             "only text, json_object and json_schema are "
                             "understood");
  inf_json_member_string(out, INF_SV("responseMimeType"),
                         INF_SV("application/json"));
  inf_member_note_format(request->send, value);
  if (with_schema && schema.len > 0)
    inf_json_member_raw(out,
                        inf_gemini_is_own_schema(schema)
                            ? INF_SV("responseSchema")
                            : INF_SV("responseJsonSchema"),
                        schema);
  return INFER_OK;
}

typedef struct setting {
  const char *name, *gemini;
  /* NULL: the value as it is. gemini is then the member that it writes. */
  int32_t (*put)(const inf_gemini_request *request, inf_sv value);
  const char *unless; /* a setting that says the same better; NULL */
} setting;

static const setting settings[] = {
    {"temperature", "temperature", NULL, NULL},
    {"top_p", "topP", NULL, NULL},
    {"top_k", "topK", NULL, NULL},
    {"max_completion_tokens", "maxOutputTokens", NULL, NULL},
    {"max_tokens", "maxOutputTokens", NULL, "max_completion_tokens"},
    {"n", "candidateCount", NULL, NULL},
    {"stop", "stopSequences", put_stop, NULL},
    {"seed", "seed", NULL, NULL},
    {"presence_penalty", "presencePenalty", NULL, NULL},
    {"frequency_penalty", "frequencyPenalty", NULL, NULL},
    {"logprobs", "responseLogprobs", NULL, NULL},
    {"top_logprobs", "logprobs", NULL, NULL},
    {"modalities", "responseModalities", put_modalities, NULL},
    {"response_format", "responseMimeType", put_format, NULL},
    {"reasoning_effort", "thinkingConfig", put_effort, NULL},
    {"thinking", "thinkingConfig", put_thinking, "reasoning_effort"},
};

static int32_t
put_setting(const inf_gemini_request *request, const setting *row, inf_sv own)
{
  const inf_send *send = request->send;
  inf_sv value = inf_gemini_member(send, row->name);
  if (value.len == 0 || inf_json_get(own, inf_sv_from(row->gemini)).len > 0 ||
      (row->unless && inf_gemini_member(send, row->unless).len > 0))
    return INFER_OK;
  if (row->put)
    return row->put(request, value);
  inf_json_member_raw(request->out, inf_sv_from(row->gemini), value);
  return INFER_OK;
}

int32_t
inf_gemini_write_config(const inf_gemini_request *request)
{
  inf_buf *out = request->out;
  int32_t status = INFER_OK;
  inf_sv own = inf_gemini_member(request->send, "generationConfig");
  inf_json_key(out, INF_SV("generationConfig"));
  inf_json_open(out, '{');
  for (size_t i = 0;
       status == INFER_OK && i < sizeof(settings) / sizeof(settings[0]); i++)
    status = put_setting(request, &settings[i], own);
  inf_json_iter it = inf_json_iter_of(own);
  while (it.object && inf_json_next(&it)) {
    inf_members_put_name(out, it.key);
    inf_json_put_raw(out, it.value);
  }
  inf_json_close(out, '}');
  return status == INFER_OK ? out->status : status;
}

/* ---- tools --------------------------------------------------------------- */

static bool
is_function(inf_sv tool)
{
  return inf_json_equal(inf_json_get(tool, INF_SV("type")), INF_SV("function"));
}

/* "strict" has no counterpart: Gemini's calls fit their schema where its models
 * can make them. */
static void
put_declaration(const inf_gemini_request *request, inf_sv function)
{
  inf_buf *out = request->out;
  inf_json_open(out, '{');
  inf_json_iter it = inf_json_iter_of(function);
  while (it.object && inf_json_next(&it)) {
    if (inf_json_is(it.value, INF_JSON_NULL))
      continue;
    if (inf_json_key_is(&it, INF_SV("strict"))) {
      inf_member_note_within(request->send, "tools.function", &it);
      continue;
    }
    if (inf_json_key_is(&it, INF_SV("parameters")) &&
        !inf_gemini_is_own_schema(it.value))
      inf_json_key(out, INF_SV("parametersJsonSchema"));
    else
      inf_members_put_name(out, it.key);
    inf_json_put_raw(out, it.value);
  }
  inf_json_close(out, '}');
}

/* All functions are one tool, which stands where the first of them does. */
static void
put_functions(const inf_gemini_request *request, inf_sv tools)
{
  inf_buf *out = request->out;
  inf_json_open(out, '{');
  inf_json_key(out, INF_SV("functionDeclarations"));
  inf_json_open(out, '[');
  inf_json_iter it = inf_json_iter_of(tools);
  while (inf_json_next(&it)) {
    if (!is_function(it.value))
      continue;
    inf_member_note_inner(request->send, "tools", it.value, "type function");
    put_declaration(request, inf_json_get(it.value, INF_SV("function")));
  }
  inf_json_close(out, ']');
  inf_json_close(out, '}');
}

static int32_t
write_tool_list(const inf_gemini_request *request, inf_sv tools)
{
  inf_buf *out = request->out;
  bool functions = false;
  inf_sv type;
  inf_json_key(out, INF_SV("tools"));
  inf_json_open(out, '[');
  inf_json_iter it = inf_json_iter_of(tools);
  while (inf_json_next(&it)) {
    if (is_function(it.value)) {
      if (!functions)
        put_functions(request, tools);
      functions = true;
    } else if (inf_json_get(it.value, INF_SV("type")).len == 0) {
      inf_json_put_raw(out, it.value);
    } else {
      if (!inf_json_plain(inf_json_get(it.value, INF_SV("type")), &type))
        type = INF_SV("");
      return inf_gemini_refuse(request, "a tool of type", type,
                               "Gemini has functions and tools of its own, "
                               "such as {\"googleSearch\": {}}");
    }
  }
  inf_json_close(out, ']');
  return INFER_OK;
}

/* ---- toolConfig ---------------------------------------------------------- */

/* mode: Gemini's word; names: of functions that may be called, as a list of
 * tools or one of them, or "". */
static void
put_calling(inf_buf *out, const char *mode, inf_sv tools)
{
  inf_json_key(out, INF_SV("functionCallingConfig"));
  inf_json_open(out, '{');
  inf_json_member_string(out, INF_SV("mode"), inf_sv_from(mode));
  if (tools.len > 0) {
    inf_json_key(out, INF_SV("allowedFunctionNames"));
    inf_json_open(out, '[');
    if (inf_json_is(tools, INF_JSON_OBJECT))
      inf_json_put_raw(out, inf_json_path(tools, "function.name"));
    inf_json_iter it = inf_json_iter_of(tools);
    while (!it.object && inf_json_next(&it))
      inf_json_put_raw(out, inf_json_path(it.value, "function.name"));
    inf_json_close(out, ']');
  }
  inf_json_close(out, '}');
}

static const char *
mode_of(inf_sv word)
{
  static const char *const modes[][2] = {
      {"none", "NONE"}, {"auto", "AUTO"}, {"required", "ANY"}};
  for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
    if (inf_json_equal(word, inf_sv_from(modes[i][0])))
      return modes[i][1];
  return NULL;
}

static bool
all_named(inf_sv tools)
{
  inf_json_iter it = inf_json_iter_of(tools);
  while (inf_json_next(&it))
    if (!inf_json_is(inf_json_path(it.value, "function.name"), INF_JSON_STRING))
      return false;
  return inf_json_has_items(tools);
}

static int32_t
put_choice(const inf_gemini_request *request, inf_sv choice)
{
  inf_buf *out = request->out;
  const char *mode = mode_of(choice);
  inf_sv type = inf_json_get(choice, INF_SV("type"));
  inf_sv allowed = inf_json_get(choice, INF_SV("allowed_tools"));
  inf_sv tools = inf_json_get(allowed, INF_SV("tools"));
  if (mode) {
    put_calling(out, mode, INF_SV(""));
    return INFER_OK;
  }
  if (inf_json_equal(type, INF_SV("function")) &&
      inf_json_is(inf_json_path(choice, "function.name"), INF_JSON_STRING)) {
    put_calling(out, "ANY", choice);
    return INFER_OK;
  }
  /* Names are allowed beside ANY alone. */
  if (inf_json_equal(type, INF_SV("allowed_tools")) && all_named(tools) &&
      inf_json_equal(inf_json_get(allowed, INF_SV("mode")),
                     INF_SV("required"))) {
    put_calling(out, "ANY", tools);
    return INFER_OK;
  }
  return inf_gemini_refuse(request, "tool_choice", INF_SV(""),
                           "only none, auto, required, a function, and "
                           "allowed_tools that are required");
}

int32_t
inf_gemini_write_tools(const inf_gemini_request *request)
{
  inf_buf *out = request->out;
  const inf_send *send = request->send;
  inf_sv tools = inf_gemini_member(send, "tools");
  inf_sv choice = inf_gemini_member(send, "tool_choice");
  inf_sv own = inf_gemini_member(send, "toolConfig");
  int32_t status = INFER_OK;
  bool own_calling = inf_json_get(own, INF_SV("functionCallingConfig")).len > 0;
  if (inf_json_has_items(tools))
    status = write_tool_list(request, tools);
  else
    choice = INF_SV(""); /* there is nothing to choose */
  if (status != INFER_OK || (choice.len == 0 && own.len == 0))
    return status;
  inf_json_key(out, INF_SV("toolConfig"));
  inf_json_open(out, '{');
  if (choice.len > 0 && !own_calling)
    status = put_choice(request, choice);
  inf_json_iter it = inf_json_iter_of(own);
  while (it.object && inf_json_next(&it)) {
    inf_members_put_name(out, it.key);
    inf_json_put_raw(out, it.value);
  }
  inf_json_close(out, '}');
  return status == INFER_OK ? out->status : status;
}
