/* SPDX-License-Identifier: MIT */
/* The trail of a call's attempts, and the public accessors of one attempt. */
#include "engine/record.h"

#include "base/mem.h"

inf_trail *
inf_trail_new(inf_config *config, const inf_route_config *route,
              uint64_t accepted_ns)
{
  inf_trail *trail = inf_calloc(1, sizeof *trail);
  if (!trail)
    return NULL;
  atomic_init(&trail->refs, 1);
  trail->config = config;
  trail->route = route;
  trail->accepted_ns = accepted_ns;
  trail->records = trail->few;
  trail->capacity = sizeof trail->few / sizeof trail->few[0];
  return trail;
}

inf_trail *
inf_trail_ref(inf_trail *trail)
{
  atomic_fetch_add_explicit(&trail->refs, 1, memory_order_relaxed);
  return trail;
}

static void
record_free(const inf_trail *trail, struct infer_attempt *record)
{
  inf_free(record->message);
  inf_free(record->request_id);
  if (record != &trail->first)
    inf_free(record);
}

void
inf_trail_unref(inf_trail *trail)
{
  if (!trail ||
      atomic_fetch_sub_explicit(&trail->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < trail->count; i++)
    record_free(trail, trail->records[i]);
  if (trail->records != trail->few)
    inf_free(trail->records);
  if (trail->whole) {
    inf_trail_unref(trail->whole);
  } else {
    inf_config_release_route(trail->config, trail->route);
    inf_config_unref(trail->config);
  }
  inf_free(trail);
}

inf_trail *
inf_trail_new_part(inf_trail *whole)
{
  inf_trail *part =
      inf_trail_new(whole->config, whole->route, whole->accepted_ns);
  if (part)
    part->whole = inf_trail_ref(whole);
  return part;
}

static bool
grow(inf_trail *trail)
{
  bool few = trail->records == trail->few;
  size_t capacity = trail->capacity * 2;
  struct infer_attempt **records =
      inf_realloc(few ? NULL : trail->records, capacity * sizeof *records);
  if (!records)
    return false;
  if (few)
    memcpy(records, trail->few, sizeof trail->few);
  trail->records = records;
  trail->capacity = capacity;
  return true;
}

struct infer_attempt *
inf_trail_add(inf_trail *trail)
{
  if (trail->count == trail->capacity && !grow(trail))
    return NULL;
  struct infer_attempt *record =
      trail->count == 0 ? &trail->first : inf_calloc(1, sizeof *record);
  if (!record)
    return NULL;
  for (int i = 0; i < INFER_USAGE_COUNT; i++)
    record->usage[i] = -1;
  record->cost_nano = -1;
  trail->records[trail->count++] = record;
  return record;
}

size_t
inf_trail_adopt(inf_trail *part, struct infer_attempt **last)
{
  for (size_t i = 0; i < part->count; i++) {
    struct infer_attempt *record = inf_trail_add(part->whole);
    if (!record)
      return i;
    *record = *part->records[i];
    part->records[i]->message = part->records[i]->request_id = NULL;
    if (last)
      *last = record;
  }
  return part->count;
}

/* They are nearly in order, and those of one time stay in theirs. */
void
inf_trail_sort(inf_trail *trail)
{
  for (size_t i = 1; i < trail->count; i++) {
    struct infer_attempt *record = trail->records[i];
    size_t at = i;
    for (; at > 0 && trail->records[at - 1]->start_ns > record->start_ns; at--)
      trail->records[at] = trail->records[at - 1];
    trail->records[at] = record;
  }
}

inf_cost
inf_trail_cost(const inf_trail *trail)
{
  inf_cost sum = inf_cost_none();
  for (size_t i = 0; i < trail->count; i++)
    sum = inf_cost_add(sum, inf_record_cost(trail->records[i]));
  return sum;
}

static const char *const reason_names[] = {
    "unknown",  "first",    "retry", "failover", "key",     "resend",
    "recovery", "continue", "hedge", "probe",    "prewarm",
};

const char *
inf_reason_name(int32_t reason)
{
  size_t count = sizeof reason_names / sizeof reason_names[0];
  return reason_names[reason > 0 && (size_t)reason < count ? reason : 0];
}

/* ---- Public accessors ---------------------------------------------------- */

static const char *
or_empty(const char *text)
{
  return text ? text : "";
}

/* What is told of NULL. */
static const struct infer_attempt none = {
    .target = "",
    .usage = {-1, -1, -1, -1, -1, -1, -1, -1},
    .cost_nano = -1,
};

static const struct infer_attempt *
or_none(const infer_attempt *attempt)
{
  return attempt ? attempt : &none;
}

const char *
infer_attempt_provider(const infer_attempt *attempt)
{
  return attempt ? attempt->provider->name : "";
}

const char *
infer_attempt_target(const infer_attempt *attempt)
{
  return or_none(attempt)->target;
}

int32_t
infer_attempt_reason(const infer_attempt *attempt)
{
  return or_none(attempt)->reason;
}

const char *
infer_attempt_reason_name(const infer_attempt *attempt)
{
  return inf_reason_name(or_none(attempt)->reason);
}

int32_t
infer_attempt_key_index(const infer_attempt *attempt)
{
  return or_none(attempt)->key_index;
}

int32_t
infer_attempt_status(const infer_attempt *attempt)
{
  return or_none(attempt)->status;
}

const char *
infer_attempt_message(const infer_attempt *attempt)
{
  return or_empty(or_none(attempt)->message);
}

const char *
infer_attempt_decision(const infer_attempt *attempt)
{
  return or_empty(or_none(attempt)->decision);
}

int32_t
infer_attempt_http_status(const infer_attempt *attempt)
{
  return or_none(attempt)->http_status;
}

const char *
infer_attempt_request_id(const infer_attempt *attempt)
{
  return or_empty(or_none(attempt)->request_id);
}

int32_t
infer_attempt_won(const infer_attempt *attempt)
{
  return or_none(attempt)->won;
}

int32_t
infer_attempt_reused_connection(const infer_attempt *attempt)
{
  return or_none(attempt)->reused_connection;
}

int64_t
infer_attempt_start_ns(const infer_attempt *attempt)
{
  return or_none(attempt)->start_offset_ns;
}

int64_t
infer_attempt_phase_ns(const infer_attempt *attempt, int32_t phase)
{
  if (!attempt || phase < 0 || phase >= INFER_PHASE_COUNT)
    return -1;
  if (phase == INFER_PHASE_LIMITER_WAIT)
    return (int64_t)attempt->waited_ns;
  uint64_t at_ns = attempt->phase_ns[phase];
  if (at_ns == 0)
    return -1;
  return at_ns > attempt->start_ns ? (int64_t)(at_ns - attempt->start_ns) : 0;
}

int64_t
infer_attempt_usage(const infer_attempt *attempt, int32_t kind)
{
  return kind < 0 || kind >= INFER_USAGE_COUNT ? -1
                                               : or_none(attempt)->usage[kind];
}

int64_t
infer_attempt_bytes_sent(const infer_attempt *attempt)
{
  return or_none(attempt)->bytes_sent;
}

int64_t
infer_attempt_bytes_received(const infer_attempt *attempt)
{
  return or_none(attempt)->bytes_received;
}

int64_t
infer_attempt_skipped_events(const infer_attempt *attempt)
{
  return or_none(attempt)->skipped_events;
}

int64_t
infer_attempt_cost_nano_usd(const infer_attempt *attempt)
{
  return or_none(attempt)->cost_nano;
}

int32_t
infer_attempt_cost_kind(const infer_attempt *attempt)
{
  return or_none(attempt)->cost_kind;
}
