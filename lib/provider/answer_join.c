/* SPDX-License-Identifier: MIT */
/* An answer that goes on where another attempt's ended: what of it is new,
 * and how the two become one. The answer under construction holds what its
 * own attempt says, so that limits, estimates and the proper end are judged by
 * that alone; the beginning is put in front at the end. */
#include "provider/answer.h"

bool
inf_answer_is_plain_text(const inf_answer *answer)
{
  if (answer->choice_count == 0)
    return true;
  const inf_choice *choice = &answer->choices[0];
  return answer->choice_count == 1 && choice->index == 0 &&
         choice->reasoning.len == 0 && choice->refusal.len == 0 &&
         choice->tool_call_count == 0 && !choice->has_logprobs &&
         choice->finish_reason.len == 0 && choice->message_extra.count == 0 &&
         !inf_members_has(&choice->extra, INF_SV("logprobs"));
}

/* ---- The echo ------------------------------------------------------------ */

void
inf_answer_go_on(inf_answer *answer, inf_sv text, int64_t tokens,
                 bool tokens_estimated, size_t echo_min_bytes)
{
  answer->prior_tokens = tokens;
  answer->prior_estimated = tokens_estimated;
  answer->echo = text.len >= echo_min_bytes ? text : (inf_sv){0};
  answer->echo_held = 0;
}

void
inf_answer_end_echo(inf_answer *answer)
{
  inf_sv held = inf_sv_of(answer->echo.ptr, answer->echo_held);
  answer->echo = (inf_sv){0};
  answer->echo_held = 0;
  if (held.len > 0)
    inf_answer_add_text(answer, 0, held);
}

bool
inf_answer_pass_echo(inf_answer *answer, uint32_t choice, inf_sv *text)
{
  size_t left = answer->echo.len - answer->echo_held;
  size_t len = text->len < left ? text->len : left;
  const char *expected = answer->echo.ptr + answer->echo_held;
  if (choice != 0 || text->len == 0)
    return true;
  if (memcmp(expected, text->ptr, len) != 0) {
    inf_answer_end_echo(answer);
    return true;
  }
  answer->echo_held += len;
  if (len < left)
    return false;
  answer->echo = (inf_sv){0};
  answer->echo_held = 0;
  *text = inf_sv_of(text->ptr + len, text->len - len);
  return true;
}

/* ---- One out of two ------------------------------------------------------ */

bool
inf_answer_join(inf_answer *answer, inf_sv text)
{
  inf_buf joined;
  inf_answer_set_role(answer, 0, INF_SV("")); /* there is a choice */
  inf_choice *choice = inf_answer_choice(answer, 0);
  size_t max_bytes = answer->max_bytes + text.len;
  if (!choice || max_bytes < text.len)
    return false;
  inf_buf_init(&joined, max_bytes);
  if (!inf_buf_reserve(&joined, text.len + choice->text.len) ||
      !inf_buf_append_sv(&joined, text) ||
      !inf_buf_append_sv(&joined, inf_buf_sv(&choice->text))) {
    inf_buf_fini(&joined);
    return false;
  }
  answer->echo = (inf_sv){0};
  answer->echo_held = 0;
  inf_buf_fini(&choice->text);
  choice->text = joined;
  choice->has_text = true;
  answer->max_bytes = max_bytes;
  answer->bytes += text.len;
  return true;
}

/* What the model was given of its own answer stands in its prompt's count. An
 * estimate of that is never more than the prompt. */
inf_usage
inf_answer_whole_usage(const inf_answer *answer)
{
  inf_usage usage = answer->usage;
  int64_t moved = answer->prior_tokens;
  if (moved == 0)
    return usage;
  if (usage.input >= 0) {
    moved = moved < usage.input ? moved : usage.input;
    usage.input -= moved;
  }
  if (usage.output >= 0)
    usage.output =
        moved > INT64_MAX - usage.output ? INT64_MAX : usage.output + moved;
  if (usage.input >= 0 && usage.cache_read > usage.input)
    usage.cache_read = usage.input;
  usage.estimated = usage.estimated || answer->prior_estimated;
  return usage;
}
