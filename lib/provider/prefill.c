/* SPDX-License-Identifier: MIT */
/* Prefills as servers of Chat Completions take them:
 *
 *   assistant              a last message of the assistant is gone on from as
 *                          it is: llama.cpp's server, Ollama, LMDeploy,
 *                          models behind OpenRouter that can
 *   prefix                 it must have "prefix": true: Mistral, DeepSeek
 *                          (under https://api.deepseek.com/beta)
 *   continue_final_message the request must have this member, and without
 *                          add_generation_prompt: vLLM, SGLang, TGI
 *
 * OpenAI's own service takes such a message for a finished turn and begins
 * another answer. */
#include "provider/prefill.h"

#include "wire/json_write.h"

/* ---- May it be ----------------------------------------------------------- */

bool
inf_prefill_fits(inf_prefill prefill, size_t len)
{
  switch (prefill) {
  case INF_PREFILL_ASSISTANT:
  case INF_PREFILL_PREFIX:
    return len >= INF_PREFILL_MIN_BYTES;
  case INF_PREFILL_CONTINUE_FINAL_MESSAGE:
    return len > 0; /* these servers echo only where that is asked for */
  case INF_PREFILL_DEFAULT:
  case INF_PREFILL_NONE:
    break;
  }
  return false;
}

/* Members that shape the output by more than the text before it; the second
 * group are names that vLLM, SGLang and llama.cpp have for it. */
static const char *const shaping_members[] = {
    "tools",        "functions",     "logprobs",       "guided_json",
    "guided_regex", "guided_choice", "guided_grammar", "structured_outputs",
    "json_schema",  "grammar",       "regex",          "ebnf",
};

static inf_sv
member_of(const inf_chat *chat, inf_sv body_members, inf_sv name)
{
  inf_sv value = inf_chat_member(chat, name);
  return value.len > 0 ? value : inf_json_get(body_members, name);
}

bool
inf_prefill_allows(const inf_chat *chat, inf_sv body_members)
{
  int64_t n;
  for (size_t i = 0; i < sizeof shaping_members / sizeof shaping_members[0];
       i++)
    if (!inf_json_is_nothing(
            member_of(chat, body_members, inf_sv_from(shaping_members[i]))))
      return false;
  inf_sv format = member_of(chat, body_members, INF_SV("response_format"));
  if (!inf_json_is_nothing(format) &&
      !inf_json_equal(inf_json_get(format, INF_SV("type")), INF_SV("text")))
    return false;
  inf_sv count = member_of(chat, body_members, INF_SV("n"));
  if (!inf_json_is_nothing(count) &&
      (!inf_json_int64(count, false, &n) || n != 1))
    return false;
  return !inf_json_equal(
      inf_json_get(inf_chat_last_message(chat), INF_SV("role")),
      INF_SV("assistant"));
}

/* ---- How it is written --------------------------------------------------- */

void
inf_prefill_write_message(const inf_send *send, inf_buf *messages)
{
  if (send->partial.len == 0)
    return;
  inf_json_open(messages, '{');
  inf_json_member_string(messages, INF_SV("role"), INF_SV("assistant"));
  inf_json_member_string(messages, INF_SV("content"), send->partial);
  if (send->prefill == INF_PREFILL_PREFIX)
    inf_json_member_bool(messages, INF_SV("prefix"), true);
  inf_json_close(messages, '}');
}

/* Limits of the answer in tokens, and the least that they may become: a model
 * that is asked for nothing answers with an error. */
static const struct limit {
  const char *name;
  int64_t least;
} limits[] = {
    {"max_tokens", 1},
    {"max_completion_tokens", 1},
    {"min_tokens", 0},
};

static bool
write_limit(const inf_send *send, const inf_json_iter *it, inf_buf *body)
{
  int64_t tokens;
  for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
    if (!inf_json_key_is(it, inf_sv_from(limits[i].name)))
      continue;
    if (!inf_json_int64(it->value, false, &tokens))
      return false;
    inf_json_member_int(body, inf_sv_from(limits[i].name),
                        tokens > send->partial_tokens
                            ? tokens - send->partial_tokens
                            : limits[i].least);
    return true;
  }
  return false;
}

bool
inf_prefill_write_member(const inf_send *send, const inf_json_iter *it,
                         inf_buf *body)
{
  if (send->partial.len == 0)
    return false;
  if (send->prefill == INF_PREFILL_CONTINUE_FINAL_MESSAGE &&
      (inf_json_key_is(it, INF_SV("continue_final_message")) ||
       inf_json_key_is(it, INF_SV("add_generation_prompt"))))
    return true; /* inf_prefill_write_members() says it */
  return write_limit(send, it, body);
}

void
inf_prefill_write_members(const inf_send *send, inf_buf *body)
{
  if (send->partial.len == 0 ||
      send->prefill != INF_PREFILL_CONTINUE_FINAL_MESSAGE)
    return;
  inf_json_member_bool(body, INF_SV("continue_final_message"), true);
  inf_json_member_bool(body, INF_SV("add_generation_prompt"), false);
}
