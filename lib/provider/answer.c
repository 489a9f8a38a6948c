/* SPDX-License-Identifier: MIT */
/* Assembles an answer out of its pieces. Every function is harmless once
 * `status` is bad, so that a decoder may go on to the end of its event and
 * look at the status once. */
#include "provider/answer.h"

#include "infer/infer.h"

#include "base/mem.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"
#include "wire/swar.h"

static const inf_usage no_usage = {-1, -1, -1, -1, -1, -1, -1, -1, false};

/* What an answer that is used again keeps: nearly all have one choice. */
enum { keep_choices = 1, keep_bytes = 64 << 10 };

/* ---- Life ---------------------------------------------------------------- */

static void
tool_call_fini(inf_tool_call *call)
{
  inf_buf_fini(&call->id);
  inf_buf_fini(&call->type);
  inf_buf_fini(&call->name);
  inf_buf_fini(&call->arguments);
  inf_members_fini(&call->extra);
}

static void
choice_fini(inf_choice *choice)
{
  for (size_t i = 0; i < choice->tool_call_count; i++)
    tool_call_fini(&choice->tool_calls[i]);
  inf_free(choice->tool_calls);
  inf_buf_fini(&choice->text);
  inf_buf_fini(&choice->reasoning);
  inf_buf_fini(&choice->refusal);
  inf_buf_fini(&choice->logprobs);
  inf_buf_fini(&choice->refusal_logprobs);
  inf_buf_fini(&choice->role);
  inf_buf_fini(&choice->finish_reason);
  inf_buf_fini(&choice->native_finish_reason);
  inf_members_fini(&choice->message_extra);
  inf_members_fini(&choice->extra);
}

/* Everything but the tool calls, which few answers have, may be used again. */
static void
choice_reuse(inf_choice *choice, size_t max_bytes)
{
  inf_buf *bufs[] = {
      &choice->text,          &choice->reasoning,           &choice->refusal,
      &choice->logprobs,      &choice->refusal_logprobs,    &choice->role,
      &choice->finish_reason, &choice->native_finish_reason};
  for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++)
    inf_buf_reuse(bufs[i], max_bytes, keep_bytes);
  for (size_t i = 0; i < choice->tool_call_count; i++)
    tool_call_fini(&choice->tool_calls[i]);
  inf_free(choice->tool_calls);
  choice->tool_calls = NULL;
  choice->tool_call_count = choice->tool_call_cap = 0;
  inf_members_clear(&choice->message_extra);
  inf_members_clear(&choice->extra);
  choice->reasoning_name = NULL;
  choice->has_text = choice->has_refusal = choice->has_logprobs = false;
}

void
inf_answer_init(inf_answer *answer, size_t max_bytes)
{
  *answer =
      (inf_answer){.created = -1, .usage = no_usage, .max_bytes = max_bytes};
  inf_buf_init(&answer->id, max_bytes);
  inf_buf_init(&answer->model, max_bytes);
  inf_buf_init(&answer->usage_json, max_bytes);
  inf_buf_init(&answer->scratch, SIZE_MAX);
}

void
inf_answer_fini(inf_answer *answer)
{
  for (size_t i = 0; i < answer->choices_made; i++)
    choice_fini(&answer->choices[i]);
  inf_free(answer->choices);
  inf_buf_fini(&answer->id);
  inf_buf_fini(&answer->model);
  inf_buf_fini(&answer->usage_json);
  inf_buf_fini(&answer->scratch);
  inf_members_fini(&answer->extra);
  answer->choices = NULL;
  answer->choice_count = answer->choice_cap = answer->choices_made = 0;
}

void
inf_answer_reuse(inf_answer *answer, size_t max_bytes)
{
  inf_buf_reuse(&answer->id, max_bytes, keep_bytes);
  inf_buf_reuse(&answer->model, max_bytes, keep_bytes);
  inf_buf_reuse(&answer->usage_json, max_bytes, keep_bytes);
  inf_buf_reuse(&answer->scratch, SIZE_MAX, keep_bytes);
  inf_members_clear(&answer->extra);
  while (answer->choices_made > keep_choices)
    choice_fini(&answer->choices[--answer->choices_made]);
  for (size_t i = 0; i < answer->choices_made; i++)
    choice_reuse(&answer->choices[i], max_bytes);
  answer->choice_count = 0;
  answer->created = -1;
  answer->usage = no_usage;
  answer->prior_tokens = 0;
  answer->prior_estimated = false;
  answer->echo = (inf_sv){0};
  answer->echo_held = 0;
  answer->bytes = 0;
  answer->max_bytes = max_bytes;
  answer->status = INFER_OK;
  answer->listener = NULL;
  answer->listener_context = NULL;
}

void
inf_answer_move(inf_answer *to, inf_answer *from)
{
  size_t max_bytes = from->max_bytes;
  inf_delta_fn to_listener = to->listener;
  void *to_context = to->listener_context;
  inf_delta_fn from_listener = from->listener;
  void *from_context = from->listener_context;
  inf_answer_fini(to);
  *to = *from;
  to->listener = to_listener;
  to->listener_context = to_context;
  inf_answer_init(from, max_bytes);
  from->listener = from_listener;
  from->listener_context = from_context;
}

/* ---- Helpers ------------------------------------------------------------- */

static void
fail(inf_answer *answer, int32_t status)
{
  if (answer->status == INFER_OK)
    answer->status = status;
}

/* Counts bytes that are to be added. */
static bool
charge(inf_answer *answer, size_t len)
{
  if (answer->status != INFER_OK)
    return false;
  if (len > answer->max_bytes - answer->bytes) {
    fail(answer, INFER_E_TOO_LARGE);
    return false;
  }
  answer->bytes += len;
  return true;
}

static bool
append(inf_answer *answer, inf_buf *buf, inf_sv text)
{
  if (!charge(answer, text.len))
    return false;
  if (inf_buf_append_sv(buf, text))
    return true;
  fail(answer, buf->status);
  return false;
}

static bool
replace(inf_answer *answer, inf_buf *buf, inf_sv text)
{
  if (buf->len == text.len && inf_swar_same(buf->ptr, text.ptr, text.len))
    return true;
  answer->bytes -= buf->len;
  inf_buf_truncate(buf, 0);
  return append(answer, buf, text);
}

static void
set_member(inf_answer *answer, inf_members *members, inf_sv name, inf_sv json,
           bool piece)
{
  size_t before = inf_members_size(members, name);
  if (!charge(answer, json.len + (before == 0 ? name.len : 0)))
    return;
  int32_t status = piece ? inf_members_add_piece(members, name, json)
                         : inf_members_set(members, name, json);
  if (!piece)
    answer->bytes -= before < json.len ? before : json.len;
  if (status != INFER_OK)
    fail(answer, status);
}

static void
tell(const inf_answer *answer, inf_delta_kind kind, const inf_choice *choice,
     inf_sv text)
{
  if (!answer->listener)
    return;
  inf_delta delta = {
      .kind = kind, .choice = choice ? choice->index : 0, .text = text};
  answer->listener(answer->listener_context, &delta);
}

static void
tell_tool(const inf_answer *answer, inf_delta_kind kind,
          const inf_choice *choice, size_t place, inf_sv text)
{
  if (!answer->listener)
    return;
  const inf_tool_call *call = &choice->tool_calls[place];
  inf_delta delta = {
      .kind = kind,
      .choice = choice->index,
      .tool = (uint32_t)place,
      .text = text,
      .tool_id = inf_buf_sv(&call->id),
      .tool_name = inf_buf_sv(&call->name),
  };
  answer->listener(answer->listener_context, &delta);
}

/* ---- Choices ------------------------------------------------------------- */

inf_choice *
inf_answer_choice(const inf_answer *answer, uint32_t index)
{
  for (size_t i = 0; i < answer->choice_count; i++) {
    if (answer->choices[i].index == index)
      return &answer->choices[i];
  }
  return NULL;
}

static bool
grow_choices(inf_answer *answer)
{
  size_t cap = answer->choice_cap ? answer->choice_cap * 2 : 1;
  inf_choice *choices =
      inf_realloc(answer->choices, cap * sizeof(*answer->choices));
  if (!choices)
    return false;
  answer->choices = choices;
  answer->choice_cap = cap;
  return true;
}

static void
choice_init(inf_choice *choice, uint32_t index, size_t max_bytes)
{
  *choice = (inf_choice){.index = index};
  inf_buf_init(&choice->text, max_bytes);
  inf_buf_init(&choice->reasoning, max_bytes);
  inf_buf_init(&choice->refusal, max_bytes);
  inf_buf_init(&choice->logprobs, max_bytes);
  inf_buf_init(&choice->refusal_logprobs, max_bytes);
  inf_buf_init(&choice->role, max_bytes);
  inf_buf_init(&choice->finish_reason, max_bytes);
  inf_buf_init(&choice->native_finish_reason, max_bytes);
}

/* The choice of that index, made in its place when it is new. NULL with the
 * answer's status set if there can be none. */
static inf_choice *
need_choice(inf_answer *answer, uint32_t index)
{
  if (answer->status != INFER_OK)
    return NULL;
  inf_choice *choice = inf_answer_choice(answer, index);
  if (choice)
    return choice;
  if (answer->choice_count == INF_ANSWER_MAX_CHOICES) {
    fail(answer, INFER_E_PROTOCOL);
    return NULL;
  }
  if (answer->choice_count == answer->choice_cap && !grow_choices(answer)) {
    fail(answer, INFER_E_NO_MEMORY);
    return NULL;
  }
  size_t at = answer->choice_count++;
  if (at == answer->choices_made) {
    choice_init(&answer->choices[at], index, answer->max_bytes);
    answer->choices_made++;
  }
  answer->choices[at].index = index;
  if (at == 0) /* as nearly always */
    return answer->choices;
  inf_choice made = answer->choices[at];
  for (; at > 0 && answer->choices[at - 1].index > index; at--)
    answer->choices[at] = answer->choices[at - 1];
  answer->choices[at] = made;
  return &answer->choices[at];
}

/* ---- The top object ------------------------------------------------------ */

void
inf_answer_set_id(inf_answer *answer, inf_sv id)
{
  if (id.len > 0)
    replace(answer, &answer->id, id);
}

void
inf_answer_set_model(inf_answer *answer, inf_sv model)
{
  if (model.len > 0)
    replace(answer, &answer->model, model);
}

void
inf_answer_set_created(inf_answer *answer, int64_t seconds)
{
  if (seconds > 0 || answer->created < 0)
    answer->created = seconds;
}

void
inf_answer_set_extra(inf_answer *answer, inf_sv name, inf_sv json)
{
  /* Chunks repeat what they say of the whole answer. */
  if (!inf_members_is(&answer->extra, name, json))
    set_member(answer, &answer->extra, name, json, false);
  else if (charge(answer, json.len))
    answer->bytes -= json.len;
}

static void
take_figure(int64_t *to, int64_t from)
{
  if (from >= 0)
    *to = from < INF_USAGE_MAX ? from : INF_USAGE_MAX;
}

void
inf_answer_set_usage(inf_answer *answer, const inf_usage *usage, inf_sv json)
{
  take_figure(&answer->usage.input, usage->input);
  take_figure(&answer->usage.output, usage->output);
  take_figure(&answer->usage.reasoning, usage->reasoning);
  take_figure(&answer->usage.cache_read, usage->cache_read);
  take_figure(&answer->usage.cache_write, usage->cache_write);
  take_figure(&answer->usage.total, usage->total);
  take_figure(&answer->usage.audio_input, usage->audio_input);
  take_figure(&answer->usage.audio_output, usage->audio_output);
  answer->usage.estimated = usage->estimated;
  if (json.len > 0)
    replace(answer, &answer->usage_json, json);
}

/* ---- The message --------------------------------------------------------- */

void
inf_answer_add_text(inf_answer *answer, uint32_t index, inf_sv text)
{
  inf_choice *choice = need_choice(answer, index);
  if (!choice)
    return;
  choice->has_text = true;
  if (answer->echo.len > 0 && !inf_answer_pass_echo(answer, index, &text))
    return;
  if (text.len > 0 && append(answer, &choice->text, text))
    tell(answer, INF_DELTA_TEXT, choice, text);
}

void
inf_answer_add_reasoning(inf_answer *answer, uint32_t index, inf_sv text,
                         const char *member_name)
{
  inf_choice *choice = need_choice(answer, index);
  if (!choice)
    return;
  if (!choice->reasoning_name)
    choice->reasoning_name = member_name;
  if (text.len > 0 && append(answer, &choice->reasoning, text))
    tell(answer, INF_DELTA_REASONING, choice, text);
}

void
inf_answer_add_refusal(inf_answer *answer, uint32_t index, inf_sv text)
{
  inf_choice *choice = need_choice(answer, index);
  if (!choice)
    return;
  choice->has_refusal = true;
  if (text.len > 0 && append(answer, &choice->refusal, text))
    tell(answer, INF_DELTA_REFUSAL, choice, text);
}

void
inf_answer_set_role(inf_answer *answer, uint32_t index, inf_sv role)
{
  inf_choice *choice = need_choice(answer, index);
  if (choice && role.len > 0)
    replace(answer, &choice->role, role);
}

/* Tells the listener of a text that must be put into brackets first. */
static void
tell_wrapped(inf_answer *answer, inf_delta_kind kind, const inf_choice *choice,
             const char *open, inf_sv name, inf_sv json, char close)
{
  inf_buf *out = &answer->scratch;
  if (!answer->listener || answer->status != INFER_OK)
    return;
  inf_buf_clear(out);
  inf_buf_append_cstr(out, open);
  if (name.len > 0) {
    inf_buf_append_sv(out, name);
    inf_buf_append(out, "\":", 2);
  }
  inf_buf_append_sv(out, json);
  inf_buf_append_char(out, close);
  if (out->status != INFER_OK)
    fail(answer, out->status);
  else
    tell(answer, kind, choice, inf_buf_sv(out));
}

void
inf_answer_add_logprobs(inf_answer *answer, uint32_t index, inf_sv json,
                        bool refusal)
{
  inf_choice *choice = need_choice(answer, index);
  if (!choice || json.len == 0)
    return;
  inf_buf *buf = refusal ? &choice->refusal_logprobs : &choice->logprobs;
  choice->has_logprobs = true;
  if (buf->len > 0 && !append(answer, buf, INF_SV(",")))
    return;
  if (append(answer, buf, json))
    tell_wrapped(answer, INF_DELTA_LOGPROBS, choice, "[", INF_SV(""), json,
                 ']');
}

void
inf_answer_set_message_extra(inf_answer *answer, uint32_t index, inf_sv name,
                             inf_sv json, bool merge)
{
  inf_choice *choice = need_choice(answer, index);
  if (!choice || inf_json_is(json, INF_JSON_NULL))
    return;
  inf_json_type type = inf_json_type_of(json);
  if (type == INF_JSON_ARRAY && !inf_json_has_items(json))
    return;
  /* Numbers and names come again with every chunk. */
  if (type == INF_JSON_STRING
          ? inf_members_is_label(name)
          : type != INF_JSON_ARRAY && type != INF_JSON_OBJECT)
    merge = false;
  if (!merge && inf_members_is(&choice->message_extra, name, json))
    return;
  set_member(answer, &choice->message_extra, name, json, merge);
  tell_wrapped(answer, INF_DELTA_EXTRA, choice, "{\"", name, json, '}');
}

void
inf_answer_set_choice_extra(inf_answer *answer, uint32_t index, inf_sv name,
                            inf_sv json)
{
  inf_choice *choice = need_choice(answer, index);
  /* Some servers send their logprobs in a shape of their own, as lists that
   * every piece goes on with. */
  bool piece = inf_sv_eq(name, INF_SV("logprobs"));
  if (choice)
    set_member(answer, &choice->extra, name, json, piece);
}

/* ---- Tool calls ---------------------------------------------------------- */

static bool
same_id(const inf_tool_call *call, inf_sv id)
{
  return inf_sv_eq(inf_buf_sv(&call->id), id);
}

/* The place of the call that a piece continues, or SIZE_MAX for a new one. */
static size_t
continued_call(const inf_choice *choice, uint32_t index, inf_sv id)
{
  size_t last = SIZE_MAX;
  for (size_t i = choice->tool_call_count; i-- > 0;) {
    const inf_tool_call *call = &choice->tool_calls[i];
    if (index != INF_TOOL_NO_INDEX && call->index != index)
      continue;
    if (id.len > 0 && same_id(call, id))
      return i;
    if (last == SIZE_MAX)
      last = i;
  }
  if (last == SIZE_MAX || id.len == 0)
    return last;
  return choice->tool_calls[last].id.len == 0 && index != INF_TOOL_NO_INDEX
             ? last
             : SIZE_MAX;
}

static size_t
count_calls(const inf_answer *answer)
{
  size_t count = 0;
  for (size_t i = 0; i < answer->choice_count; i++)
    count += answer->choices[i].tool_call_count;
  return count;
}

static size_t
new_call(inf_answer *answer, inf_choice *choice, uint32_t index)
{
  if (count_calls(answer) >= INF_ANSWER_MAX_TOOL_CALLS) {
    fail(answer, INFER_E_PROTOCOL);
    return SIZE_MAX;
  }
  if (choice->tool_call_count == choice->tool_call_cap) {
    size_t cap = choice->tool_call_cap ? choice->tool_call_cap * 2 : 2;
    inf_tool_call *calls =
        inf_realloc(choice->tool_calls, cap * sizeof(*calls));
    if (!calls) {
      fail(answer, INFER_E_NO_MEMORY);
      return SIZE_MAX;
    }
    choice->tool_calls = calls;
    choice->tool_call_cap = cap;
  }
  inf_tool_call *call = &choice->tool_calls[choice->tool_call_count];
  *call = (inf_tool_call){.index = index};
  inf_buf_init(&call->id, answer->max_bytes);
  inf_buf_init(&call->type, answer->max_bytes);
  inf_buf_init(&call->name, answer->max_bytes);
  inf_buf_init(&call->arguments, answer->max_bytes);
  return choice->tool_call_count++;
}

static void
set_once(inf_answer *answer, inf_buf *buf, inf_sv text)
{
  if (buf->len == 0 && text.len > 0)
    append(answer, buf, text);
}

size_t
inf_answer_add_tool_call(inf_answer *answer, uint32_t choice_index,
                         uint32_t index, inf_sv id, inf_sv type, inf_sv name,
                         inf_sv arguments)
{
  inf_choice *choice = need_choice(answer, choice_index);
  if (!choice)
    return SIZE_MAX;
  size_t place = continued_call(choice, index, id);
  bool is_new = place == SIZE_MAX;
  if (is_new)
    place = new_call(answer, choice, index);
  if (place == SIZE_MAX)
    return SIZE_MAX;
  inf_tool_call *call = &choice->tool_calls[place];
  set_once(answer, &call->id, id);
  set_once(answer, &call->type, type);
  set_once(answer, &call->name, name);
  if (!append(answer, &call->arguments, arguments))
    return SIZE_MAX;
  if (arguments.len > 0)
    call->done = false;
  if (is_new || arguments.len > 0)
    tell_tool(answer, INF_DELTA_TOOL_CALL, choice, place, arguments);
  return place;
}

void
inf_answer_set_tool_extra(inf_answer *answer, uint32_t choice_index,
                          size_t tool, inf_sv name, inf_sv json)
{
  inf_choice *choice = need_choice(answer, choice_index);
  if (choice && tool < choice->tool_call_count)
    set_member(answer, &choice->tool_calls[tool].extra, name, json, true);
}

/* ---- The end ------------------------------------------------------------- */

static void
complete_calls(inf_answer *answer, inf_choice *choice)
{
  for (size_t i = 0; i < choice->tool_call_count; i++) {
    inf_tool_call *call = &choice->tool_calls[i];
    if (call->done)
      continue;
    call->done = true;
    tell_tool(answer, INF_DELTA_TOOL_CALL_DONE, choice, i,
              inf_buf_sv(&call->arguments));
  }
}

void
inf_answer_finish(inf_answer *answer, uint32_t index, inf_sv reason,
                  inf_sv native)
{
  inf_choice *choice = need_choice(answer, index);
  if (!choice || reason.len == 0)
    return;
  inf_answer_end_echo(answer);
  bool changed = !inf_sv_eq(inf_buf_sv(&choice->finish_reason), reason);
  if (!replace(answer, &choice->finish_reason, reason) ||
      !replace(answer, &choice->native_finish_reason, native))
    return;
  complete_calls(answer, choice);
  if (changed)
    tell(answer, INF_DELTA_FINISH, choice, reason);
}

void
inf_answer_end(inf_answer *answer)
{
  inf_answer_end_echo(answer);
  if (answer->status != INFER_OK)
    return;
  for (size_t i = 0; i < answer->choice_count; i++)
    complete_calls(answer, &answer->choices[i]);
  if (!answer->listener)
    return;
  inf_buf_clear(&answer->scratch);
  if (!inf_answer_write_usage(answer, &answer->scratch))
    return;
  if (answer->scratch.status != INFER_OK)
    fail(answer, answer->scratch.status);
  else
    tell(answer, INF_DELTA_USAGE, NULL, inf_buf_sv(&answer->scratch));
}

size_t
inf_choice_content_bytes(const inf_choice *choice)
{
  size_t bytes = choice->text.len + choice->reasoning.len + choice->refusal.len;
  for (size_t i = 0; i < choice->tool_call_count; i++)
    bytes +=
        choice->tool_calls[i].name.len + choice->tool_calls[i].arguments.len;
  return bytes;
}

static bool
choice_has_content(const inf_choice *choice)
{
  return choice->text.len > 0 || choice->reasoning.len > 0 ||
         choice->refusal.len > 0 || choice->tool_call_count > 0;
}

bool
inf_answer_has_content(const inf_answer *answer)
{
  for (size_t i = 0; i < answer->choice_count; i++) {
    if (choice_has_content(&answer->choices[i]))
      return true;
  }
  return false;
}
