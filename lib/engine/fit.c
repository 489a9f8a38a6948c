/* SPDX-License-Identifier: MIT */
/* A request that suits the model; see fit.h. */
#include "engine/fit.h"

#include "provider/member_rules.h"
#include "wire/json_scan.h"
#include "wire/json_value.h"

#include <inttypes.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const limits[] = {"max_tokens", "max_completion_tokens"};

static const struct sampling {
  const char *name;
  double usual; /* for every service that has it, and -1: for none */
} samplings[] = {
    {"temperature", 1},
    {"top_p", 1},
    {"top_k", -1},
    {"presence_penalty", 0},
    {"frequency_penalty", 0},
};

/* What comes back with the answer, or forces it. */
static const char *const refused[] = {"logprobs", "top_logprobs", "logit_bias"};

/* The caller's; the empty view where the target's own stands in its place. */
static inf_sv
member(const inf_chat *chat, const inf_target_config *target, const char *name)
{
  inf_sv own = inf_json_get(inf_buf_sv(&target->overrides), inf_sv_from(name));
  return own.len > 0 ? INF_SV("") : inf_chat_member(chat, inf_sv_from(name));
}

static bool
is_above(inf_sv value, const inf_target_config *target, int64_t *tokens)
{
  return target->output_tokens > 0 && inf_json_int64(value, false, tokens) &&
         *tokens > target->output_tokens;
}

/* Does the model refuse sampling, asked like that? */
static bool
refuses_sampling(const inf_chat *chat, const inf_target_config *target)
{
  if ((target->manners & INF_MANNERS_NO_SAMPLING_BY_EFFORT) != 0) {
    const inf_sv name = INF_SV("reasoning_effort");
    inf_sv own = inf_json_get(inf_buf_sv(&target->overrides), name);
    inf_sv effort = own.len > 0 ? own : inf_chat_member(chat, name);
    return inf_json_is(effort, INF_JSON_STRING) &&
           !inf_json_equal(effort, INF_SV("none"));
  }
  return (target->manners & INF_MANNERS_NO_SAMPLING) != 0;
}

bool
inf_fit_needed(const inf_chat *chat, const inf_target_config *target)
{
  int64_t tokens;
  if (target->output_tokens == 0 && target->manners == 0)
    return false;
  for (size_t i = 0; i < COUNT(limits); i++)
    if (is_above(member(chat, target, limits[i]), target, &tokens))
      return true;
  if ((target->manners & INF_MANNERS_COMPLETION_LIMIT) != 0 &&
      member(chat, target, "max_tokens").len > 0)
    return true;
  if (!refuses_sampling(chat, target))
    return false;
  for (size_t i = 0; i < COUNT(samplings); i++)
    if (member(chat, target, samplings[i].name).len > 0)
      return true;
  for (size_t i = 0; i < COUNT(refused); i++)
    if (member(chat, target, refused[i]).len > 0)
      return true;
  return false;
}

/* ---- Changes ------------------------------------------------------------- */

static int32_t
set(inf_chat *chat, const char *name, inf_sv value)
{
  return inf_chat_set_member(chat, inf_sv_from(name), value, NULL, NULL);
}

static int32_t
leave_out(inf_chat *chat, const char *name)
{
  return set(chat, name, INF_SV("null"));
}

/* The value may be a view into the members that are to be changed. */
static int32_t
set_copy(inf_chat *chat, const char *name, inf_sv value)
{
  inf_buf copy;
  inf_buf_init(&copy, INF_CHAT_MAX_BYTES);
  inf_buf_append_sv(&copy, value);
  int32_t status = copy.status;
  if (status == INFER_OK)
    status = set(chat, name, inf_buf_sv(&copy));
  inf_buf_fini(&copy);
  return status;
}

static void
note(inf_buf *notes, const char *words, const char *name)
{
  inf_buf_appendf(notes, "%s%s%s", notes->len > 0 ? ", " : "", words, name);
}

static int32_t
lower_limit(inf_chat *chat, const inf_target_config *target, const char *name,
            inf_buf *notes)
{
  char text[24];
  int64_t tokens;
  if (!is_above(member(chat, target, name), target, &tokens))
    return INFER_OK;
  int len = snprintf(text, sizeof text, "%" PRId64, target->output_tokens);
  note(notes, "", name);
  inf_buf_appendf(notes, " lowered from %" PRId64 " to %s", tokens, text);
  return set(chat, name, inf_sv_of(text, (size_t)len));
}

static int32_t
rename_limit(inf_chat *chat, const inf_target_config *target)
{
  inf_sv limit = member(chat, target, "max_tokens");
  int32_t status = INFER_OK;
  if ((target->manners & INF_MANNERS_COMPLETION_LIMIT) == 0 || limit.len == 0)
    return INFER_OK;
  if (inf_chat_member(chat, INF_SV("max_completion_tokens")).len == 0)
    status = set_copy(chat, "max_completion_tokens", limit);
  return status == INFER_OK ? leave_out(chat, "max_tokens") : status;
}

static bool
is_usual(const struct sampling *sampling, inf_sv value)
{
  double number;
  return sampling->usual >= 0 && inf_json_double(value, false, &number) &&
         number >= sampling->usual && number <= sampling->usual;
}

static int32_t
drop_sampling(inf_chat *chat, const inf_target_config *target, inf_buf *notes)
{
  int32_t status = INFER_OK;
  for (size_t i = 0; i < COUNT(samplings) && status == INFER_OK; i++) {
    inf_sv value = member(chat, target, samplings[i].name);
    if (value.len == 0)
      continue;
    if (!is_usual(&samplings[i], value))
      note(notes, "no ", samplings[i].name);
    status = leave_out(chat, samplings[i].name);
  }
  return status;
}

static int32_t
refuse(inf_chat *chat, const inf_target_config *target, inf_buf *why)
{
  int32_t status = INFER_OK;
  for (size_t i = 0; i < COUNT(refused) && status == INFER_OK; i++) {
    inf_sv name = inf_sv_from(refused[i]);
    const inf_json_iter it = {.key = name,
                              .value = member(chat, target, refused[i])};
    if (it.value.len == 0)
      continue;
    if (!inf_member_asks_for_nothing(&it)) {
      if (why)
        inf_buf_appendf(why, "the model does not take \"%s\"", refused[i]);
      return INFER_E_UNSUPPORTED;
    }
    status = leave_out(chat, refused[i]);
  }
  return status;
}

int32_t
inf_fit_apply(inf_chat *chat, const inf_target_config *target, inf_buf *notes,
              inf_buf *why)
{
  int32_t status = INFER_OK;
  for (size_t i = 0; i < COUNT(limits) && status == INFER_OK; i++)
    status = lower_limit(chat, target, limits[i], notes);
  if (status == INFER_OK)
    status = rename_limit(chat, target);
  if (status != INFER_OK || !refuses_sampling(chat, target))
    return status;
  status = drop_sampling(chat, target, notes);
  return status == INFER_OK ? refuse(chat, target, why) : status;
}
