/* SPDX-License-Identifier: MIT */
/* Writes an assembled answer as OpenAI's chat.completion object, in the one
 * form that answer.h describes. */
#include "provider/answer.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"

static void
take_status(inf_buf *out, int32_t status)
{
  if (out->status == 0)
    out->status = status;
}

static void
member_sv(inf_buf *out, inf_sv key, const inf_buf *text)
{
  inf_json_member_string(out, key, inf_buf_sv(text));
}

static void
figure(inf_buf *out, inf_sv key, int64_t value)
{
  if (value >= 0)
    inf_json_member_int(out, key, value);
}

/* {name: {"key": value}, ...} of the figures that are known. */
static void
details(inf_buf *out, inf_sv name, inf_sv key, int64_t value, inf_sv other_key,
        int64_t other)
{
  if (value < 0 && other < 0)
    return;
  inf_json_key(out, name);
  inf_json_open(out, '{');
  figure(out, key, value);
  if (other_key.len > 0)
    figure(out, other_key, other);
  inf_json_close(out, '}');
}

bool
inf_answer_write_usage(const inf_answer *answer, inf_buf *out)
{
  inf_usage usage = inf_answer_whole_usage(answer);
  if (answer->usage_json.len > 0 && answer->prior_tokens == 0) {
    inf_json_put_raw(out, inf_buf_sv(&answer->usage_json));
    return true;
  }
  if (usage.input < 0 && usage.output < 0)
    return false;
  inf_json_open(out, '{');
  figure(out, INF_SV("prompt_tokens"), usage.input);
  figure(out, INF_SV("completion_tokens"), usage.output);
  if (usage.total < 0 && usage.input >= 0 && usage.output >= 0 &&
      usage.input <= INT64_MAX - usage.output)
    usage.total = usage.input + usage.output;
  figure(out, INF_SV("total_tokens"), usage.total);
  details(out, INF_SV("prompt_tokens_details"), INF_SV("cached_tokens"),
          usage.cache_read, INF_SV("cache_write_tokens"), usage.cache_write);
  details(out, INF_SV("completion_tokens_details"), INF_SV("reasoning_tokens"),
          usage.reasoning, INF_SV(""), -1);
  if (usage.estimated)
    inf_json_member_bool(out, INF_SV("x_estimated"), true);
  inf_json_close(out, '}');
  return true;
}

/* ---- Tool calls ---------------------------------------------------------- */

/* {"name", "arguments"}, with what else the provider's function object held. */
static void
write_function(const inf_tool_call *call, inf_buf *out)
{
  inf_buf more;
  bool custom = inf_sv_eq(inf_buf_sv(&call->type), INF_SV("custom"));
  inf_buf_init(&more, SIZE_MAX);
  if (inf_members_has(&call->extra, INF_SV("function")))
    take_status(
        out, inf_members_write_value(&call->extra, INF_SV("function"), &more));
  inf_json_key(out, custom ? INF_SV("custom") : INF_SV("function"));
  inf_json_open(out, '{');
  member_sv(out, INF_SV("name"), &call->name);
  member_sv(out, custom ? INF_SV("input") : INF_SV("arguments"),
            &call->arguments);
  inf_json_iter it = inf_json_iter_of(inf_buf_sv(&more));
  while (inf_json_next(&it)) {
    inf_members_put_name(out, it.key);
    inf_json_put_raw(out, it.value);
  }
  inf_json_close(out, '}');
  inf_buf_fini(&more);
}

static void
write_extra_but(const inf_members *members, inf_sv but, inf_buf *out)
{
  for (size_t i = 0; i < members->count; i++) {
    inf_sv name = inf_buf_sv(&members->list[i].name);
    if (inf_sv_eq(name, but))
      continue;
    inf_members_put_name(out, name);
    take_status(out, inf_members_write_value(members, name, out));
  }
}

static void
write_tool_calls(const inf_choice *choice, inf_buf *out)
{
  if (choice->tool_call_count == 0)
    return;
  inf_json_key(out, INF_SV("tool_calls"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < choice->tool_call_count; i++) {
    const inf_tool_call *call = &choice->tool_calls[i];
    inf_json_open(out, '{');
    member_sv(out, INF_SV("id"), &call->id);
    inf_json_member_string(out, INF_SV("type"),
                           call->type.len > 0 ? inf_buf_sv(&call->type)
                                              : INF_SV("function"));
    write_function(call, out);
    write_extra_but(&call->extra, INF_SV("function"), out);
    inf_json_close(out, '}');
  }
  inf_json_close(out, ']');
}

/* ---- Messages ------------------------------------------------------------ */

static void
write_content(const inf_choice *choice, inf_buf *out)
{
  const inf_members *extra = &choice->message_extra;
  bool other = choice->tool_call_count > 0 || choice->refusal.len > 0 ||
               inf_members_has(extra, INF_SV("function_call")) ||
               inf_members_has(extra, INF_SV("audio"));
  if (choice->text.len > 0) {
    member_sv(out, INF_SV("content"), &choice->text);
  } else if (inf_members_has(extra, INF_SV("content"))) {
    inf_json_key(out, INF_SV("content"));
    take_status(out, inf_members_write_value(extra, INF_SV("content"), out));
  } else if (choice->has_text && !other) {
    member_sv(out, INF_SV("content"), &choice->text);
  } else {
    inf_json_member_raw(out, INF_SV("content"), INF_SV("null"));
  }
}

static void
write_role(const inf_choice *choice, inf_buf *out)
{
  inf_json_member_string(out, INF_SV("role"),
                         choice->role.len > 0 ? inf_buf_sv(&choice->role)
                                              : INF_SV("assistant"));
}

static void
write_reasoning(const inf_choice *choice, inf_buf *out)
{
  if (choice->reasoning.len > 0)
    member_sv(out, inf_sv_from(choice->reasoning_name), &choice->reasoning);
}

static void
write_message(const inf_choice *choice, inf_buf *out)
{
  inf_json_open(out, '{');
  write_role(choice, out);
  write_content(choice, out);
  if (choice->refusal.len > 0)
    member_sv(out, INF_SV("refusal"), &choice->refusal);
  else
    inf_json_member_raw(out, INF_SV("refusal"), INF_SV("null"));
  write_reasoning(choice, out);
  write_tool_calls(choice, out);
  write_extra_but(&choice->message_extra, INF_SV("content"), out);
  inf_json_close(out, '}');
}

/* Audio goes back by its id alone. */
static void
write_audio_id(const inf_choice *choice, inf_buf *out)
{
  inf_buf audio;
  inf_buf_init(&audio, SIZE_MAX);
  take_status(out, inf_members_write_value(&choice->message_extra,
                                           INF_SV("audio"), &audio));
  inf_sv id = inf_json_get(inf_buf_sv(&audio), INF_SV("id"));
  if (id.len > 0) {
    inf_json_key(out, INF_SV("audio"));
    inf_json_open(out, '{');
    inf_json_member_raw(out, INF_SV("id"), id);
    inf_json_close(out, '}');
  }
  inf_buf_fini(&audio);
}

void
inf_answer_write_message(const inf_answer *answer, uint32_t index, inf_buf *out)
{
  static const inf_choice nothing = {0};
  const inf_choice *choice = inf_answer_choice(answer, index);
  if (!choice)
    choice = &nothing;
  inf_json_open(out, '{');
  write_role(choice, out);
  write_content(choice, out);
  if (choice->refusal.len > 0)
    member_sv(out, INF_SV("refusal"), &choice->refusal);
  if (choice->tool_call_count > 0)
    write_reasoning(choice, out);
  write_tool_calls(choice, out);
  const inf_members *extra = &choice->message_extra;
  for (size_t i = 0; i < extra->count; i++) {
    inf_sv name = inf_buf_sv(&extra->list[i].name);
    if (inf_sv_eq(name, INF_SV("content")) ||
        inf_sv_eq(name, INF_SV("annotations")))
      continue;
    if (inf_sv_eq(name, INF_SV("audio"))) {
      write_audio_id(choice, out);
      continue;
    }
    inf_members_put_name(out, name);
    take_status(out, inf_members_write_value(extra, name, out));
  }
  inf_json_close(out, '}');
}

/* ---- The whole ----------------------------------------------------------- */

static void
write_list(inf_buf *out, inf_sv key, const inf_buf *elements)
{
  inf_json_key(out, key);
  if (elements->len == 0) {
    inf_json_put_null(out);
    return;
  }
  inf_json_open(out, '[');
  inf_json_put_raw(out, inf_buf_sv(elements));
  inf_json_close(out, ']');
}

static void
write_logprobs(const inf_choice *choice, inf_buf *out)
{
  inf_json_key(out, INF_SV("logprobs"));
  if (choice->has_logprobs) {
    inf_json_open(out, '{');
    write_list(out, INF_SV("content"), &choice->logprobs);
    write_list(out, INF_SV("refusal"), &choice->refusal_logprobs);
    inf_json_close(out, '}');
  } else {
    take_status(
        out, inf_members_write_value(&choice->extra, INF_SV("logprobs"), out));
  }
}

static void
write_choice(const inf_choice *choice, inf_buf *out)
{
  const inf_buf *native = &choice->native_finish_reason;
  inf_json_open(out, '{');
  inf_json_member_int(out, INF_SV("index"), choice->index);
  inf_json_key(out, INF_SV("message"));
  write_message(choice, out);
  write_logprobs(choice, out);
  if (choice->finish_reason.len > 0)
    member_sv(out, INF_SV("finish_reason"), &choice->finish_reason);
  else
    inf_json_member_raw(out, INF_SV("finish_reason"), INF_SV("null"));
  if (!inf_sv_eq(inf_buf_sv(native), inf_buf_sv(&choice->finish_reason)) &&
      !inf_members_has(&choice->extra, INF_SV("native_finish_reason")))
    member_sv(out, INF_SV("native_finish_reason"), native);
  write_extra_but(&choice->extra, INF_SV("logprobs"), out);
  inf_json_close(out, '}');
}

static void
write_identity(const inf_answer *answer, inf_sv object, inf_buf *out)
{
  member_sv(out, INF_SV("id"), &answer->id);
  inf_json_member_string(out, INF_SV("object"), object);
  inf_json_member_int(out, INF_SV("created"),
                      answer->created < 0 ? 0 : answer->created);
  member_sv(out, INF_SV("model"), &answer->model);
}

void
inf_answer_write_head(const inf_answer *answer, inf_buf *out)
{
  inf_json_open(out, '{');
  write_identity(answer, INF_SV("chat.completion.chunk"), out);
  take_status(out, inf_members_write(&answer->extra, out));
  inf_json_close(out, '}');
}

void
inf_answer_write_json(const inf_answer *answer, inf_buf *out)
{
  inf_json_open(out, '{');
  write_identity(answer, INF_SV("chat.completion"), out);
  inf_json_key(out, INF_SV("choices"));
  inf_json_open(out, '[');
  for (size_t i = 0; i < answer->choice_count; i++)
    write_choice(&answer->choices[i], out);
  inf_json_close(out, ']');
  if (answer->usage_json.len > 0 || answer->usage.input >= 0 ||
      answer->usage.output >= 0) {
    inf_json_key(out, INF_SV("usage"));
    inf_answer_write_usage(answer, out);
  }
  take_status(out, inf_members_write(&answer->extra, out));
  inf_json_close(out, '}');
}
