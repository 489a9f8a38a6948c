/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_RECORD_H
#define INF_ENGINE_RECORD_H

#include "config/config.h"
#include "policy/cost.h"

#include <stdatomic.h>

/* What is kept of each attempt: the public infer_attempt. The records of a
 * call form its trail, which its response, its error and the telemetry hooks
 * share. The trail also pins the configuration and route that the call began
 * with, because records lend their names from there.
 *
 * Written by the loop while the call lives; once the call has ended nothing
 * changes any more. Reference counted, atomically. */
struct infer_attempt {
  const inf_provider_config *provider;
  const char *target; /* "provider/model" */
  int32_t reason;     /* INFER_REASON_* */
  int32_t key_index;
  int32_t status;
  int32_t http_status;
  char *message;    /* or NULL */
  char *request_id; /* or NULL */
  /* What was decided after it (static); NULL: nothing was to be decided. */
  const char *decision;
  bool won, reused_connection;
  int64_t bytes_received;
  uint64_t phase_ns[INFER_PHASE_COUNT]; /* absolute; 0: not reached */
  uint64_t start_ns;                    /* on the engine's clock */
  uint64_t waited_ns;                   /* before the start */
  int64_t usage[INFER_USAGE_COUNT];
  int64_t bytes_sent, skipped_events;
  int64_t start_offset_ns; /* since the call was accepted */
  int64_t cost_nano;       /* nano-dollars; -1: not known */
  int32_t cost_kind;       /* INFER_COST_*; set when the attempt has ended */
  uint64_t span;           /* its id, see tracing.h; 0: none */
};

typedef struct inf_trail {
  atomic_uint refs;
  inf_config *config;
  const inf_route_config *route;
  struct infer_attempt **records;
  size_t count, capacity;
  uint64_t accepted_ns;
  struct inf_trail *whole; /* of a part of a call: it pins the rest; NULL */
  /* Most calls have one attempt, few have many. */
  struct infer_attempt first, *few[2];
} inf_trail;

/* Takes over the reference to config and the route. NULL when memory is
 * short: then they stay the caller's. */
inf_trail *inf_trail_new(inf_config *config, const inf_route_config *route,
                         uint64_t accepted_ns);
/* One for a part of that trail's call; NULL when memory is short. */
inf_trail *inf_trail_new_part(inf_trail *whole);
/* Gives the records of a part's trail to its whole's, and returns how many:
 * fewer than there are when memory is short. *last (may be NULL) becomes the
 * last one that was given. */
size_t inf_trail_adopt(inf_trail *part, struct infer_attempt **last);
/* Brings the records into the order of their start. */
void inf_trail_sort(inf_trail *trail);
inf_trail *inf_trail_ref(inf_trail *trail);
void inf_trail_unref(inf_trail *trail);
/* A new record at the end, with nothing known; NULL when memory is short. */
struct infer_attempt *inf_trail_add(inf_trail *trail);

static inline inf_cost
inf_record_cost(const struct infer_attempt *record)
{
  return (inf_cost){record->cost_nano, record->cost_kind};
}

/* What the attempts cost together. */
inf_cost inf_trail_cost(const inf_trail *trail);

const char *inf_reason_name(int32_t reason);

#endif
