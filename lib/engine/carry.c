/* SPDX-License-Identifier: MIT */
/* Going on with a partial answer; see carry.h.
 *
 * Tokens: the answer's limit is lessened by what was delivered. Where the
 * provider told the count while it streamed, that is it; else it is estimated
 * as everywhere, at four bytes a token. */
#include "engine/carry.h"

#include "base/mem.h"
#include "engine/engine.h"
#include "policy/recovery.h"
#include "provider/prefill.h"
#include "wire/json_write.h"

enum { bytes_per_token = 4 };

void
inf_carry_free(inf_carry *carry)
{
  if (!carry)
    return;
  inf_parts_free(carry->parts, carry->part_count);
  inf_answer_fini(&carry->answer);
  inf_failure_fini(&carry->failure);
  inf_free(carry);
}

static inf_sv
text_of(const inf_answer *answer)
{
  const inf_choice *choice = inf_answer_choice(answer, 0);
  return choice ? inf_buf_sv(&choice->text) : INF_SV("");
}

/* ---- Who could go on ----------------------------------------------------- */

/* How much text there would be to go on from; 0: nothing, or it is not all
 * there is. */
static size_t
plain_bytes(const inf_attempt *attempt)
{
  const inf_carry *carry = attempt->call->carry;
  if (!inf_answer_is_plain_text(&attempt->answer))
    return 0;
  return (carry ? text_of(&carry->answer).len : 0) +
         text_of(&attempt->answer).len;
}

void
inf_carry_mark_targets(const inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  const inf_chat *chat = &call->request->chat;
  bool wanted =
      call->committed && call->params->recovery == INF_RECOVERY_CONTINUE;
  size_t len = wanted ? plain_bytes(attempt) : 0;
  if (len > 0 &&
      !inf_prefill_allows(chat, inf_buf_sv(&attempt->record->provider->body)))
    len = 0;
  for (size_t i = 0; i < call->target_count; i++) {
    const inf_target_config *target = call->targets[i];
    call->retry_targets[i].continues =
        len > 0 && !call->retry_targets[i].no_prefill &&
        inf_prefill_fits((inf_prefill)target->prefill, len) &&
        inf_prefill_allows(chat, inf_buf_sv(&target->provider->body));
  }
}

bool
inf_carry_refused(inf_attempt *attempt, int32_t status)
{
  struct infer_call *call = attempt->call;
  if (!call->carry)
    return false;
  inf_recovery_verdict verdict = inf_recovery_judge(status, attempt->content);
  if (verdict != INF_RECOVERY_FAILED)
    call->retry_targets[attempt->target].no_prefill = true;
  return verdict == INF_RECOVERY_REFUSED;
}

/* ---- From one attempt to the next ---------------------------------------- */

static inf_carry *
need_carry(struct infer_call *call)
{
  if (!call->carry) {
    call->carry = inf_calloc(1, sizeof *call->carry);
    if (!call->carry)
      return NULL;
    inf_answer_init(&call->carry->answer, 0);
    inf_failure_init(&call->carry->failure);
  }
  return call->carry;
}

/* Notes who wrote the next so many bytes. */
static bool
add_part(inf_carry *carry, const inf_attempt *attempt, size_t bytes)
{
  inf_part *parts =
      inf_realloc(carry->parts, (carry->part_count + 1) * sizeof *parts);
  if (!parts)
    return false;
  carry->parts = parts;
  char *model = inf_strndup(inf_buf_cstr(&attempt->answer.model),
                            attempt->answer.model.len);
  if (!model)
    return false;
  parts[carry->part_count++] = (inf_part){attempt->record, model, bytes};
  return true;
}

static void
count_tokens(inf_carry *carry, const inf_attempt *attempt, size_t bytes)
{
  int64_t told = attempt->answer.usage.output;
  if (told > 0 && !attempt->answer.usage.estimated) {
    carry->tokens += told < INT32_MAX ? told : INT32_MAX;
    return;
  }
  carry->tokens += (int64_t)((bytes + bytes_per_token - 1) / bytes_per_token);
  carry->tokens_estimated = true;
}

/* Moves the attempt's own text behind what there was. */
static bool
take_text(inf_carry *carry, inf_attempt *attempt)
{
  size_t bytes = text_of(&attempt->answer).len;
  if (!add_part(carry, attempt, bytes) ||
      !inf_answer_join(&attempt->answer, text_of(&carry->answer)))
    return false;
  count_tokens(carry, attempt, bytes);
  attempt->answer.listener = NULL;
  inf_answer_move(&carry->answer, &attempt->answer);
  return true;
}

static void
take_cause(inf_carry *carry, inf_attempt *attempt, int32_t status)
{
  carry->status = status;
  carry->target = attempt->target;
  carry->record = attempt->record;
  inf_failure_fini(&carry->failure);
  inf_failure_init(&carry->failure);
  if (!attempt->has_decoder)
    return;
  carry->failure = attempt->decoder.failure;
  inf_failure_init(&attempt->decoder.failure);
}

bool
inf_carry_keep(inf_attempt *attempt, int32_t status, bool refused)
{
  inf_carry *carry = need_carry(attempt->call);
  if (!carry)
    return false;
  if (text_of(&attempt->answer).len > 0 && !take_text(carry, attempt))
    return false;
  if (!refused)
    take_cause(carry, attempt, status);
  return true;
}

void
inf_carry_begin(inf_attempt *attempt)
{
  const inf_carry *carry = attempt->call->carry;
  if (!carry)
    return;
  inf_sv text = text_of(&carry->answer);
  size_t max_bytes = attempt->answer.max_bytes;
  attempt->answer.max_bytes -= text.len < max_bytes ? text.len : max_bytes;
  inf_answer_go_on(&attempt->answer, text, carry->tokens,
                   carry->tokens_estimated, INF_PREFILL_MIN_BYTES);
}

/* ---- The end ------------------------------------------------------------- */

/* Who wrote what, as a member of the answer: "x_parts". Where a provider has
 * sent so many members that there is no room it stays out. */
static bool
tell_parts(inf_answer *answer, const inf_carry *carry)
{
  inf_buf json;
  inf_buf_init(&json, SIZE_MAX);
  inf_json_open(&json, '[');
  for (size_t i = 0; i < carry->part_count; i++) {
    const inf_part *part = &carry->parts[i];
    inf_json_open(&json, '{');
    inf_json_member_string(&json, INF_SV("target"),
                           inf_sv_from(part->attempt->target));
    inf_json_member_string(&json, INF_SV("model"), inf_sv_from(part->model));
    inf_json_member_int(&json, INF_SV("bytes"), (int64_t)part->bytes);
    inf_json_close(&json, '}');
  }
  inf_json_close(&json, ']');
  int32_t status = json.status;
  if (status == INFER_OK)
    status =
        inf_members_set(&answer->extra, INF_SV("x_parts"), inf_buf_sv(&json));
  inf_buf_fini(&json);
  return status != INFER_E_NO_MEMORY;
}

/* A response of an answer that is joined already. */
static struct infer_response *
respond(struct infer_call *call, inf_answer *answer,
        const struct infer_attempt *record)
{
  inf_carry *carry = call->carry;
  if (carry && carry->part_count > 1 && !tell_parts(answer, carry))
    return NULL;
  struct infer_response *response =
      inf_response_new_in(&call->room, answer, call->trail, record);
  if (!response || !carry)
    return response;
  response->parts = carry->parts;
  response->part_count = carry->part_count;
  carry->parts = NULL;
  carry->part_count = 0;
  return response;
}

struct infer_response *
inf_carry_response(inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  inf_carry *carry = call->carry;
  attempt->answer.listener = NULL;
  if (carry && (!add_part(carry, attempt, text_of(&attempt->answer).len) ||
                !inf_answer_join(&attempt->answer, text_of(&carry->answer))))
    return NULL;
  return respond(call, &attempt->answer, attempt->record);
}

/* Content, or the provider's word for how it ended. */
static bool
says_anything(const inf_answer *answer)
{
  for (size_t i = 0; i < answer->choice_count; i++)
    if (answer->choices[i].native_finish_reason.len > 0)
      return true;
  return inf_answer_has_content(answer);
}

struct infer_response *
inf_carry_partial(struct infer_call *call)
{
  inf_attempt *attempt = call->attempt;
  if (attempt && says_anything(&attempt->answer))
    return inf_carry_response(attempt);
  if (!call->carry)
    return NULL;
  const inf_carry *carry = call->carry;
  return respond(call, &call->carry->answer,
                 carry->parts[carry->part_count - 1].attempt);
}
