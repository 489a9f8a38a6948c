/* SPDX-License-Identifier: MIT */
/* Calls for embeddings: their targets, their parts, and how the parts' vectors
 * become one list. See batch.h.
 *
 * A part ends amidst whatever ended it, a callback of the network or a timer.
 * What follows for the whole is done from the whole's own timer, which is due
 * at once: so no part is freed, begun or cancelled under the feet of
 * another. */
#include "engine/batch.h"

#include "base/mem.h"
#include "engine/overrides.h"
#include "engine/spend.h"
#include "provider/embed.h"
#include "wire/json_scan.h"

/* ---- Targets ------------------------------------------------------------- */

/* The model as the configuration names it, which is the same for all who have
 * it, whatever each calls it. */
static inf_sv
space_of(const inf_target_config *target)
{
  inf_sv name = inf_sv_from(target->name);
  size_t skip = strlen(target->provider->name) + 1;
  return inf_sv_of(name.ptr + skip, name.len - skip);
}

static bool
can_embed(const inf_provider_kind *kind)
{
  return (kind->abilities & INF_CAN_EMBED) && kind->dialect->write_embed;
}

/* Whose model is the route's: neither a key that is set aside nor a long input
 * may change that. */
static const inf_target_config *
anchor_of(const inf_plan_item *items, const inf_route_config *route)
{
  for (size_t i = 0; i < route->target_count; i++)
    for (size_t k = 0; k < route->target_count; k++)
      if (items[k].target == &route->targets[i] && !items[k].missing_label &&
          can_embed(route->targets[i].provider->kind))
        return &route->targets[i];
  return NULL;
}

/* The first of them says why there is none. */
static void
blame(inf_plan_item *items, size_t count, const inf_target_config *anchor)
{
  for (size_t i = 0; i < count; i++)
    if (items[i].target == anchor) {
      inf_plan_item item = items[i];
      items[i] = items[0];
      items[0] = item;
      return;
    }
}

size_t
inf_batch_same_space(inf_plan_item *items, size_t usable,
                     const inf_route_config *route, const inf_chat *chat)
{
  const inf_target_config *anchor = anchor_of(items, route);
  size_t kept = 0;
  for (size_t i = 0; i < usable; i++) {
    inf_plan_item item = items[i];
    if (!can_embed(item.target->provider->kind))
      item.lacking = "makes no embeddings";
    else if (!inf_sv_eq(space_of(item.target), space_of(anchor)))
      item.lacking = "has another model than the route's first";
    else if (!inf_sv_eq(inf_overrides_dimensions(chat, item.target),
                        inf_overrides_dimensions(chat, anchor)))
      item.lacking = "makes vectors of another length than the route's first";
    items[i] = item;
    if (item.lacking)
      continue;
    items[i] = items[kept];
    items[kept++] = item;
  }
  if (kept == 0)
    blame(items, route->target_count, anchor);
  return kept;
}

/* ---- Life ---------------------------------------------------------------- */

static inf_embed_limits
limits_of(const struct infer_call *call)
{
  inf_embed_limits least = {.inputs = SIZE_MAX, .bytes = 0};
  for (size_t i = 0; i < call->target_count; i++) {
    const inf_target_config *target = call->targets[i];
    inf_embed_limits limits =
        inf_embed_limits_of(target->provider->kind, inf_sv_from(target->model));
    if (target->provider->embed_inputs > 0)
      limits.inputs = (size_t)target->provider->embed_inputs;
    if (limits.inputs < least.inputs)
      least.inputs = limits.inputs;
    if (limits.bytes > 0 && (least.bytes == 0 || limits.bytes < least.bytes))
      least.bytes = limits.bytes;
  }
  return least;
}

bool
inf_batch_prepare(struct infer_call *call)
{
  const inf_chat *chat = &call->request->chat;
  inf_sv rest = inf_buf_sv(&chat->messages);
  size_t count;
  size_t dimensions =
      inf_embed_dimensions(inf_overrides_dimensions(chat, call->targets[0]));
  call->vectors = inf_vectors_new(chat->message_count, dimensions);
  if (!call->vectors)
    return false;
  inf_embed_slice(&rest, limits_of(call), &count);
  if (count == chat->message_count)
    return true;
  inf_batch *batch = inf_calloc(1, sizeof *batch);
  if (!batch)
    return false;
  batch->rest = inf_buf_sv(&chat->messages);
  inf_list_init(&batch->live);
  inf_list_init(&batch->ended);
  inf_answer_init(&batch->answer, (size_t)64 << 10);
  call->batch = batch;
  return true;
}

static void
free_ended(inf_batch *batch)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&batch->ended)))
    inf_call_unref(INF_CONTAINER_OF(node, struct infer_call, part_node));
}

void
inf_batch_free(struct infer_call *call)
{
  inf_batch *batch = call->batch;
  if (!batch)
    return;
  free_ended(batch);
  inf_answer_fini(&batch->answer);
  infer_error_free(batch->error);
  inf_free(batch);
  call->batch = NULL;
}

/* ---- Reading ------------------------------------------------------------- */

/* An error inside a 200. */
static bool
is_error(inf_attempt *attempt, inf_sv body)
{
  inf_sv value;
  inf_decoder *decoder = &attempt->decoder;
  return inf_json_scan(body, decoder->options.max_depth, &value, NULL) &&
         inf_classify_value(&decoder->failure, decoder->options.kind,
                            attempt->record->http_status, &decoder->headers,
                            value, decoder->wall_now_ns);
}

int32_t
inf_batch_read(inf_attempt *attempt)
{
  struct infer_call *call = attempt->call;
  inf_decoder *decoder = &attempt->decoder;
  inf_sv body = inf_buf_sv(&attempt->raw);
  inf_buf why;
  inf_buf_init(&why, (size_t)1 << 10);
  inf_vectors_clear(call->vectors);
  int32_t status = inf_embed_read(
      decoder->options.kind, body, decoder->options.max_depth,
      call->request->chat.messages.len, call->vectors, &attempt->answer, &why);
  if (status == INFER_E_PROTOCOL && is_error(attempt, body))
    status = decoder->failure.status;
  else if (status != INFER_OK)
    inf_decoder_fail(decoder, status, inf_buf_cstr(&why));
  if (status != INFER_OK)
    inf_vectors_clear(call->vectors);
  inf_buf_fini(&why);
  return status;
}

/* ---- Parts --------------------------------------------------------------- */

static void
set_due(inf_engine *engine, struct infer_call *call)
{
  call->next_start_ns = engine->now_ns;
  inf_timer_set(&engine->timers, &call->timer, engine->now_ns);
}

static void
add(int64_t *sum, int64_t more)
{
  if (more >= 0)
    *sum = *sum < 0 ? more : *sum + more;
}

/* What a part tells is the whole's; the model is the last one's. */
static void
gather(inf_batch *batch, const inf_answer *part)
{
  inf_usage *sum = &batch->answer.usage;
  add(&sum->input, part->usage.input);
  add(&sum->output, part->usage.output);
  add(&sum->total, part->usage.total);
  sum->estimated = sum->estimated || part->usage.estimated;
  inf_answer_set_model(&batch->answer, inf_buf_sv(&part->model));
}

static void
note_failure(inf_batch *batch, struct infer_error *error)
{
  if (batch->failed) {
    infer_error_free(error);
    return;
  }
  batch->failed = true;
  batch->error = error;
}

/* Vectors that do not fit those of the other parts: a service that answers for
 * one model with two. */
static struct infer_error *
misfit(const struct infer_call *part, int32_t status, const char *why)
{
  return inf_result_error(status, part->trail,
                          part->trail->records[part->trail->count - 1], NULL,
                          why[0] ? why : NULL, NULL);
}

static struct infer_error *
take(struct infer_call *whole, struct infer_call *part,
     const struct infer_response *response)
{
  inf_batch *batch = whole->batch;
  struct infer_error *error = NULL;
  inf_buf why;
  inf_buf_init(&why, (size_t)1 << 10);
  int32_t status =
      inf_vectors_join(whole->vectors, part->first_input, part->vectors, &why);
  if (status != INFER_OK)
    error = misfit(part, status, inf_buf_cstr(&why));
  gather(batch, &response->answer);
  inf_buf_fini(&why);
  return error;
}

void
inf_batch_part_ended(inf_engine *engine, struct infer_call *part,
                     struct infer_response *response, struct infer_error *error)
{
  struct infer_call *whole = part->whole;
  inf_batch *batch = whole->batch;
  inf_list_remove(&part->part_node);
  inf_list_push_back(&batch->ended, &part->part_node);
  batch->live_count--;
  if (response)
    error = take(whole, part, response);
  if (error)
    inf_result_retell(error, whole->trail);
  const inf_trail *trail = part->trail;
  size_t adopted = inf_trail_adopt(part->trail, response ? &batch->last : NULL);
  if (adopted < trail->count && !error)
    error = inf_result_error(INFER_E_NO_MEMORY, whole->trail, NULL, NULL, NULL,
                             NULL);
  for (; adopted < trail->count; adopted++) /* in no call's record */
    inf_spend_note_stray(engine->runtime, trail->records[adopted],
                         trail->route->name);
  if (error)
    note_failure(batch, error);
  infer_response_free(response);
  if (!whole->ended)
    set_due(engine, whole);
}

/* False when memory is short. */
static bool
begin_part(inf_engine *engine, struct infer_call *call)
{
  inf_batch *batch = call->batch;
  size_t count;
  inf_sv inputs = inf_embed_slice(&batch->rest, limits_of(call), &count);
  struct infer_call *part = inf_call_new_part(call, inputs, batch->next, count);
  if (!part)
    return false;
  batch->next += count;
  batch->live_count++;
  inf_list_push_back(&batch->live, &part->part_node);
  inf_engine_begin(engine, part);
  return true;
}

static void
end_whole(inf_engine *engine, struct infer_call *call)
{
  inf_batch *batch = call->batch;
  inf_trail_sort(call->trail);
  struct infer_error *error = batch->error;
  batch->error = NULL;
  if (batch->failed) {
    inf_batch_abandon(engine, call, INFER_E_CANCELLED,
                      "another part of the call failed");
    inf_trail_sort(call->trail);
    inf_call_end(engine, call, NULL, error);
    return;
  }
  struct infer_response *response =
      inf_response_new(&batch->answer, call->trail, batch->last);
  if (response)
    response->summed = true;
  else
    error = inf_result_error(INFER_E_NO_MEMORY, call->trail, NULL, NULL, NULL,
                             NULL);
  inf_call_end(engine, call, response, error);
}

void
inf_batch_step(inf_engine *engine, struct infer_call *call)
{
  inf_batch *batch = call->batch;
  free_ended(batch);
  while (!batch->failed && batch->rest.len > 0 &&
         batch->live_count < INF_BATCH_PARTS_AT_ONCE)
    if (!begin_part(engine, call))
      note_failure(batch, inf_result_error(INFER_E_NO_MEMORY, call->trail, NULL,
                                           NULL, NULL, NULL));
  if (batch->failed || batch->live_count == 0)
    end_whole(engine, call);
}

void
inf_batch_abandon(inf_engine *engine, struct infer_call *call, int32_t status,
                  const char *why)
{
  inf_batch *batch = call->batch;
  if (!batch)
    return;
  call->ended = true; /* for the parts */
  while (!inf_list_empty(&batch->live))
    inf_call_end_cancelled(
        engine,
        INF_CONTAINER_OF(batch->live.next, struct infer_call, part_node),
        status, why);
  call->ended = false;
}
