/* SPDX-License-Identifier: MIT */
/* Making of responses and errors, and what the two share. */
#include "engine/result.h"

#include "base/buf.h"
#include "base/mem.h"
#include "policy/failure_table.h"

#include <stddef.h>

void
inf_parts_free(inf_part *parts, size_t count)
{
  for (size_t i = 0; i < count; i++)
    inf_free(parts[i].model);
  inf_free(parts);
}

/* ---- Making -------------------------------------------------------------- */

/* A larger answer gives its buffers away instead of being copied. */
enum { packed_max_bytes = 64 << 10 };
/* What a call may hold while it waits for its answer. */
enum { room_max_bytes = 8 << 10, room_step_bytes = 256 };

/* Where the parts of a packed answer begin. */
#define PARTS_AT                                                 \
  ((sizeof(struct infer_response) + _Alignof(max_align_t) - 1) / \
   _Alignof(max_align_t) * _Alignof(max_align_t))

void
inf_response_room_make(inf_response_room *room, size_t bytes)
{
  room->memory = bytes > 0 ? inf_malloc(bytes) : NULL;
  room->bytes = room->memory ? bytes : 0;
}

void
inf_response_room_free(inf_response_room *room)
{
  inf_free(room->memory);
  *room = (inf_response_room){0};
}

size_t
inf_response_room_after(size_t room_bytes, size_t bytes)
{
  size_t wanted = (bytes / room_step_bytes + 1) * room_step_bytes;
  if (wanted > room_max_bytes)
    wanted = 0;
  return wanted >= room_bytes ? wanted
                              : room_bytes - (room_bytes - wanted + 15) / 16;
}

/* NULL where it does not fit. */
static struct infer_response *
pack_into(void *memory, size_t bytes, const inf_answer *answer)
{
  struct infer_response *response = memory;
  if (bytes < PARTS_AT)
    return NULL;
  *response = (struct infer_response){.packed = true};
  size_t room = bytes - PARTS_AT;
  size_t used = inf_answer_pack(&response->answer, answer,
                                (char *)memory + PARTS_AT, room);
  response->bytes = PARTS_AT + used;
  return used <= room ? response : NULL;
}

static struct infer_response *
response_of(inf_answer *answer)
{
  size_t bytes = PARTS_AT + inf_answer_packed_bytes(answer);
  bool packed = bytes <= packed_max_bytes;
  struct infer_response *response = inf_malloc(packed ? bytes : PARTS_AT);
  if (!response)
    return NULL;
  if (packed)
    return pack_into(response, bytes, answer);
  *response = (struct infer_response){.bytes = bytes};
  inf_answer_init(&response->answer, answer->max_bytes);
  inf_answer_move(&response->answer, answer);
  return response;
}

struct infer_response *
inf_response_new(inf_answer *answer, inf_trail *trail,
                 const struct infer_attempt *winner)
{
  inf_response_room none = {0};
  return inf_response_new_in(&none, answer, trail, winner);
}

struct infer_response *
inf_response_new_in(inf_response_room *room, inf_answer *answer,
                    inf_trail *trail, const struct infer_attempt *winner)
{
  struct infer_response *response =
      pack_into(room->memory, room->bytes, answer);
  if (response)
    *room = (inf_response_room){0};
  else
    inf_response_room_free(room);
  if (!response)
    response = response_of(answer);
  if (!response)
    return NULL;
  atomic_init(&response->refs, 1);
  atomic_init(&response->json, NULL);
  response->trail = inf_trail_ref(trail);
  response->winner = winner;
  return response;
}

struct infer_response *
inf_response_ref(struct infer_response *response)
{
  if (response)
    atomic_fetch_add_explicit(&response->refs, 1, memory_order_relaxed);
  return response;
}

bool
inf_response_has_part(const struct infer_response *response,
                      const struct infer_attempt *record)
{
  bool found = response && (record == response->winner ||
                            (response->summed && record->won));
  for (size_t i = 0; response && i < response->part_count && !found; i++)
    found = record == response->parts[i].attempt;
  return found;
}

void
infer_response_free(infer_response *response)
{
  if (!response ||
      atomic_fetch_sub_explicit(&response->refs, 1, memory_order_acq_rel) != 1)
    return;
  if (!response->packed)
    inf_answer_fini(&response->answer);
  inf_parts_free(response->parts, response->part_count);
  inf_trail_unref(response->trail);
  inf_free(atomic_load(&response->json));
  inf_free(response);
}

/* ---- Errors -------------------------------------------------------------- */

/* What hangs on an error from this floor. */
typedef struct error_detail {
  inf_trail *trail;
  struct infer_response *partial;
} error_detail;

/* Of an error that there was no memory to tell more of. */
static error_detail lost;

static void
keep_detail(void *context)
{
  (void)context;
}

static void
release_detail(void *context)
{
  error_detail *detail = context;
  inf_trail_unref(detail->trail);
  infer_response_free(detail->partial);
  inf_free(detail);
}

static void
write_message(inf_buf *out, int32_t status, const struct infer_attempt *record,
              const char *words)
{
  enum { words_max = 2048 }; /* an error's message is cut there anyway */
  if (record) {
    inf_buf_append_cstr(out, record->target);
    inf_buf_append(out, ": ", 2);
  }
  inf_buf_append_cstr(out, inf_status_find(status)->text);
  if (record && record->http_status > 0)
    inf_buf_appendf(out, " (HTTP %d)", (int)record->http_status);
  if (words && words[0]) {
    inf_buf_append(out, ": ", 2);
    inf_buf_append(out, words, strnlen(words, words_max));
  }
}

struct infer_error *
inf_result_error(int32_t status, inf_trail *trail,
                 const struct infer_attempt *record, const inf_failure *failure,
                 const char *message, struct infer_response *partial)
{
  inf_error_fields fields = {
      .status = status,
      .retryable = inf_failure_rule_of(status)->retryable,
      .retry_after_ms = -1,
  };
  const char *words = message;
  if (record) {
    fields.provider = record->provider->name;
    fields.target = record->target;
    fields.http_status = record->http_status;
    fields.request_id = record->request_id;
    if (!words)
      words = record->message;
  }
  if (failure) {
    fields.provider_code = inf_buf_cstr(&failure->code);
    fields.provider_type = inf_buf_cstr(&failure->type);
    fields.provider_param = inf_buf_cstr(&failure->param);
    fields.provider_message = inf_buf_cstr(&failure->message);
    if (failure->hint_ns >= 0)
      fields.retry_after_ms = failure->hint_ns / (int64_t)INF_NS_PER_MS;
  }
  inf_buf text;
  inf_buf_init(&text, 16 << 10);
  write_message(&text, status, record, words);
  struct infer_error *error = text.status == INFER_OK
                                  ? inf_error_new(&fields, inf_buf_cstr(&text))
                                  : inf_error_no_memory();
  inf_buf_fini(&text);

  error_detail *detail = inf_calloc(1, sizeof *detail);
  if (!detail) {
    infer_response_free(partial);
    inf_error_set_detail(error, &lost, keep_detail);
    return error;
  }
  detail->trail = inf_trail_ref(trail);
  detail->partial = partial;
  inf_error_set_detail(error, detail, release_detail);
  return error;
}

void
inf_result_retell(struct infer_error *error, inf_trail *trail)
{
  error_detail *detail = error ? inf_error_detail(error) : NULL;
  if (!detail || !detail->trail) /* which is shared by all such errors */
    return;
  inf_trail_unref(detail->trail);
  detail->trail = inf_trail_ref(trail);
}

static const inf_trail *
trail_of(const infer_error *error)
{
  const error_detail *detail = error ? inf_error_detail(error) : NULL;
  return detail ? detail->trail : NULL;
}

size_t
infer_error_attempt_count(const infer_error *error)
{
  const inf_trail *trail = trail_of(error);
  return trail ? trail->count : 0;
}

const infer_attempt *
infer_error_attempt(const infer_error *error, size_t index)
{
  const inf_trail *trail = trail_of(error);
  return trail && index < trail->count ? trail->records[index] : NULL;
}

static inf_cost
cost_of(const infer_error *error)
{
  const error_detail *detail = error ? inf_error_detail(error) : NULL;
  if (detail && detail->trail)
    return inf_trail_cost(detail->trail);
  bool nothing_sent =
      error && !detail && infer_error_status(error) != INFER_E_NO_MEMORY;
  return nothing_sent ? inf_cost_none() : inf_cost_unknown();
}

int64_t
infer_error_total_cost_nano_usd(const infer_error *error)
{
  return cost_of(error).nano_usd;
}

/* Nobody has got a whole answer for it. */
int64_t
infer_error_wasted_cost_nano_usd(const infer_error *error)
{
  return infer_error_total_cost_nano_usd(error);
}

int32_t
infer_error_cost_kind(const infer_error *error)
{
  return cost_of(error).kind;
}

const infer_response *
infer_error_partial(const infer_error *error)
{
  const error_detail *detail = error ? inf_error_detail(error) : NULL;
  return detail ? detail->partial : NULL;
}
