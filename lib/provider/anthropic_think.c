/* SPDX-License-Identifier: MIT */
/* How much a model is to think. Up to version 4.5 a request gives a budget of
 * tokens, from 4.6 on an effort, and from 4.7 on a budget is refused. The
 * version is in the model's name. A name that tells none (an alias of a
 * deployment) is taken for a new model.
 *
 * Source: Anthropic's pages "Extended thinking", "Adaptive thinking" and
 * "Effort", and AWS's "Adaptive thinking" (Bedrock user guide), read 2026-11.
 */
#include "provider/anthropic_write.h"

#include "infer/infer.h"

#include "wire/json_value.h"
#include "wire/json_write.h"

#define BUDGET_MIN 1024 /* the API refuses less */

enum { first_thinking = 307, first_adaptive = 406, first_fine_effort = 407 };

/* ---- Version ------------------------------------------------------------- */

static bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* The next number of at most two digits that stands alone; a date is none. */
static bool
next_number(inf_sv *rest, int *number)
{
  size_t at = 0;
  while (at < rest->len) {
    size_t start = at;
    *number = 0;
    for (; at < rest->len && is_digit(rest->ptr[at]); at++)
      if (at - start < 3)
        *number = *number * 10 + (rest->ptr[at] - '0');
    if (at > start && at - start <= 2) {
      *rest = inf_sv_of(rest->ptr + at, rest->len - at);
      return true;
    }
    at += at == start;
  }
  return false;
}

int
inf_anthropic_version(inf_sv model)
{
  static const char name[] = "claude";
  int major, minor;
  size_t at = 0;
  while (at + sizeof(name) - 1 <= model.len &&
         memcmp(model.ptr + at, name, sizeof(name) - 1) != 0)
    at++;
  if (at + sizeof(name) - 1 > model.len)
    return 0;
  inf_sv rest = inf_sv_of(model.ptr + at, model.len - at);
  if (!next_number(&rest, &major))
    return 0;
  const char *after = rest.ptr;
  if (!next_number(&rest, &minor))
    minor = 0;
  else if (rest.ptr - after > 3) /* not of the version: "4-latest-v1:0" */
    minor = 0;
  return major * 100 + minor;
}

/* ---- What is asked for --------------------------------------------------- */

/* Words of reasoning_effort. The budgets are those that Google documents for
 * the same words before its own models (Gemini's OpenAI compatibility page);
 * Anthropic's pages have none. */
static const struct effort {
  const char *word, *ours;
  int64_t budget;
} efforts[] = {
    {"minimal", "low", BUDGET_MIN}, {"low", "low", BUDGET_MIN},
    {"medium", "medium", 8192},     {"high", "high", 24576},
    {"xhigh", "xhigh", 32000},      {"max", "max", 32000},
};

static const struct effort *
find_effort(inf_sv word)
{
  for (size_t i = 0; i < sizeof(efforts) / sizeof(efforts[0]); i++)
    if (inf_sv_eq(word, inf_sv_from(efforts[i].word)))
      return &efforts[i];
  return NULL;
}

/* The smaller of the two names' figures; 0 if the caller gave none. */
static int64_t
limit_of(const inf_anthropic_writer *writer)
{
  int64_t a, b;
  if (!inf_json_int64(inf_anthropic_member(writer, "max_completion_tokens"),
                      false, &a))
    a = 0;
  if (!inf_json_int64(inf_anthropic_member(writer, "max_tokens"), false, &b))
    b = 0;
  return a > 0 && (b <= 0 || a < b) ? a : b;
}

static inf_sv
last_of_role(const inf_chat *chat, inf_sv role)
{
  inf_sv last = {0};
  inf_json_iter it = {.at = chat->messages.ptr,
                      .end = chat->messages.ptr + chat->messages.len};
  while (chat->messages.len > 0 && inf_json_next(&it))
    if (inf_json_equal(inf_json_get(it.value, INF_SV("role")), role))
      last = it.value;
  return last;
}

/* With a budget, a turn that is in the midst of tool use must begin with its
 * signed thinking, or the API refuses it: a conversation from elsewhere has
 * none. It goes on without thinking until the turn is over. */
static bool
is_unsigned_tool_turn(const inf_chat *chat)
{
  if (!inf_json_equal(inf_json_get(inf_chat_last_message(chat), INF_SV("role")),
                      INF_SV("tool")))
    return false;
  inf_sv last = last_of_role(chat, INF_SV("assistant"));
  return !inf_json_has_items(inf_json_get(last, INF_SV("anthropic_content"))) &&
         !inf_anthropic_write_signed(last, NULL);
}

/* A forced tool, or a temperature, and thinking by a budget exclude one
 * another. */
static bool
is_forced(const inf_anthropic_writer *writer)
{
  inf_sv choice = inf_anthropic_member(writer, "tool_choice");
  inf_sv type = inf_json_get(choice, INF_SV("type"));
  return inf_json_equal(choice, INF_SV("required")) ||
         inf_json_equal(type, INF_SV("function")) ||
         inf_json_equal(type, INF_SV("tool")) ||
         inf_json_equal(type, INF_SV("any"));
}

static void
plan_budget(inf_anthropic_writer *writer, inf_anthropic_thinking *plan,
            int64_t wanted, int64_t limit)
{
  double temperature;
  if (writer->version < first_thinking) {
    inf_anthropic_refuse(writer, "reasoning_effort", ": the model has none");
  } else if (is_unsigned_tool_turn(writer->send->chat)) {
    return;
  } else if (is_forced(writer)) {
    inf_anthropic_refuse(writer, "reasoning_effort",
                         " beside a tool_choice that forces a tool");
  } else if (inf_json_double(inf_anthropic_member(writer, "temperature"), false,
                             &temperature) &&
             (temperature < 1 || temperature > 1)) {
    inf_anthropic_refuse(writer, "reasoning_effort",
                         " beside a temperature other than 1");
  } else if (limit > 0 && limit <= BUDGET_MIN) {
    inf_anthropic_refuse(writer, "reasoning_effort",
                         " with a limit of 1024 tokens or less");
  } else {
    /* The answer itself has to have room below the limit too. */
    int64_t half = limit / 2 > BUDGET_MIN ? limit / 2 : BUDGET_MIN;
    plan->budget = limit > 0 && wanted > half ? half : wanted;
  }
}

static void
plan_effort(inf_anthropic_writer *writer, inf_anthropic_thinking *plan,
            inf_sv word, int64_t limit)
{
  const struct effort *effort = find_effort(word);
  int version = writer->version;
  if (inf_sv_eq(word, INF_SV("none")))
    return;
  if (!effort) {
    inf_anthropic_refuse(writer, "reasoning_effort",
                         ": not one of none, minimal, low, medium, high, "
                         "xhigh and max");
  } else if (version > 0 && version < first_adaptive) {
    plan_budget(writer, plan, effort->budget, limit);
  } else {
    bool fine = version == 0 || version >= first_fine_effort ||
                strcmp(effort->ours, "xhigh") != 0;
    plan->adaptive = true;
    plan->effort = fine ? effort->ours : "high";
  }
}

void
inf_anthropic_plan(inf_anthropic_writer *writer, inf_anthropic_thinking *plan)
{
  int64_t limit = limit_of(writer);
  inf_sv own = inf_anthropic_member(writer, "thinking");
  inf_sv word = inf_anthropic_member(writer, "reasoning_effort");
  *plan = (inf_anthropic_thinking){.own = INF_SV("")};
  if (inf_json_is(own, INF_JSON_OBJECT)) {
    plan->own = own;
    if (!inf_json_int64(inf_json_get(own, INF_SV("budget_tokens")), false,
                        &plan->budget) ||
        plan->budget < 0)
      plan->budget = 0;
  } else if (inf_json_is(word, INF_JSON_STRING)) {
    plan_effort(writer, plan, inf_anthropic_text(writer, word), limit);
  }
  plan->max_tokens = limit;
  if (limit <= 0)
    plan->max_tokens = plan->budget < INT64_MAX - INF_ANTHROPIC_MAX_TOKENS
                           ? plan->budget + INF_ANTHROPIC_MAX_TOKENS
                           : plan->budget;
  if (writer->send->partial.len > 0) {
    int64_t rest = plan->max_tokens - writer->send->partial_tokens;
    plan->max_tokens = rest > 0 ? rest : 1;
  }
}

/* Without "display" new models leave the text of their thinking out. */
void
inf_anthropic_write_thinking(inf_anthropic_writer *writer,
                             const inf_anthropic_thinking *plan)
{
  inf_buf *body = writer->body;
  if (plan->own.len > 0) {
    inf_json_member_raw(body, INF_SV("thinking"), plan->own);
  } else if (plan->adaptive) {
    inf_json_member_raw(
        body, INF_SV("thinking"),
        INF_SV("{\"type\":\"adaptive\",\"display\":\"summarized\"}"));
  } else if (plan->budget > 0) {
    inf_json_key(body, INF_SV("thinking"));
    inf_json_open(body, '{');
    inf_json_member_string(body, INF_SV("type"), INF_SV("enabled"));
    inf_json_member_int(body, INF_SV("budget_tokens"), plan->budget);
    inf_json_close(body, '}');
  }
}
