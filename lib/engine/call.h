/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_CALL_H
#define INF_ENGINE_CALL_H

#include "base/heap.h"
#include "engine/health.h"
#include "engine/paused.h"
#include "engine/plan.h"
#include "engine/queue.h"
#include "engine/result.h"
#include "policy/retry.h"
#include "provider/vectors.h"
#include "telemetry/trace_context.h"

/* A call: what the application asked for, from its submission to its one
 * terminal event.
 *
 * Who touches what:
 *   unmarked   set at submit, never changed after
 *   [loop]     only by the thread that runs the loop
 *   [queue]    under call->queue->mutex
 *   [client]   under call->client->mutex
 * References: the application's handle, the engine while the call lives, the
 * terminal event until it is freed. */

typedef enum inf_call_kind {
  INF_CALL_CHAT,
  INF_CALL_MODELS,
  INF_CALL_EMBED,
} inf_call_kind;

/* So many targets take no memory of their own. */
#define INF_CALL_FEW_TARGETS 2

/* A list of models, which comes in pages. */
typedef struct inf_pages {
  inf_buf json;  /* those that have come, one after another */
  inf_buf asked; /* which is asked for; "": the first */
  size_t count;
} inf_pages;

struct infer_call {
  atomic_uint refs;
  uint64_t id, tag;
  struct infer_client *client; /* holds a reference */
  struct infer_queue *queue;   /* holds a reference; never NULL */
  inf_call_kind kind;
  bool wants_events; /* INFER_SUBMIT_STREAM */
  bool own_queue;    /* submitted without a queue: the terminal event is not
                      * queued */
  struct infer_request *request;  /* the snapshot */
  inf_trail *trail;               /* pins configuration and route */
  const inf_route_params *params; /* the route's, or own_params */
  inf_route_params *own_params;   /* where the request has some of its own, or
                                   * NULL */
  uint64_t accepted_ns, deadline_ns;
  uint32_t choices;       /* n of the request */
  inf_response_room room; /* [loop] */

  /* The targets that may be tried and what the retry policy knows of them. */
  const inf_target_config **targets;
  inf_retry_target *retry_targets; /* [loop] */
  const inf_target_config *few_targets[INF_CALL_FEW_TARGETS];
  inf_retry_target few_retry_targets[INF_CALL_FEW_TARGETS];
  size_t target_count;

  atomic_bool cancel_requested;
  inf_list command_node; /* [client] in the client's command list */
  bool command_queued;   /* [client] */
  inf_list queue_node;   /* [queue] in queue->calls */

  /* The call's life. */
  inf_list engine_node; /* [loop] in engine->calls */
  inf_timer timer;      /* [loop] deadline, or the start of the next attempt */
  uint64_t next_start_ns;         /* [loop] of the next attempt; INF_NEVER */
  uint64_t wait_since_ns;         /* [loop] since when it is held back; 0 before
                                   * its first attempt is due */
  uint64_t clock_epoch;           /* [loop] engine->clock_jumps at its begin */
  size_t next_target;             /* [loop] */
  int32_t next_reason;            /* [loop] INFER_REASON_* */
  bool next_fresh;                /* [loop] not over a used connection */
  bool next_movable;              /* [loop] another target may take its place */
  bool next_probe;                /* [loop] it is an open breaker's probe */
  inf_retry_claim claim;          /* [loop] on the budgets, for that attempt */
  inf_health_attempt resent;      /* [loop] what a resend goes on with */
  struct inf_call_limits *limits; /* [loop] once it waited for one, or NULL */
  inf_trace trace;                /* [loop] see tracing.h */
  inf_list token_node; /* [loop] while it waits for a token: credentials.h */
  uint64_t renewed;    /* [loop] targets, as bits, with inf_attempt.renewed */
  uint32_t counted_attempts;     /* [loop] against the allowance */
  struct inf_carry *carry;       /* [loop] what the next attempt goes on from */
  struct inf_race *race;         /* [loop] of a route that hedges, or NULL */
  inf_paused_entry paused_entry; /* [loop] in engine->paused */

  /* Delivery: all that is looked at for each piece of the answer. */
  struct inf_attempt *attempt; /* [loop] in flight, or NULL */
  uint32_t epoch;              /* [loop] */
  bool started;                /* [loop] START of this epoch is staged */
  bool committed;              /* [loop] an event of the answer was delivered */
  bool tool_call_done;         /* [loop] a completed tool call was delivered */
  bool paused;                 /* [loop] for want of a reader */
  bool ended;                  /* [loop] */
  bool resume_wanted;     /* [queue] paused: the reader says when to go on */
  inf_list staged;        /* [loop] events of this turn */
  inf_list dirty_node;    /* [loop] in engine->dirty */
  size_t max_undelivered; /* bytes: with more the transfer pauses */
  size_t pending_bytes;   /* [queue] */
  inf_list pending;       /* [queue] events that wait for the reader */
  inf_list ready_node;    /* [queue] in queue->ready */

  /* The end. The event is allocated with the call, so that it always comes. */
  bool done; /* [queue] result is valid */
  struct infer_event done_event;
  int32_t status;                  /* [queue] */
  struct infer_response *response; /* [queue] */
  struct infer_error *error;       /* [queue] */
  inf_pages *pages; /* [loop], then read-only: of MODELS, else NULL */

  /* EMBED: see batch.h. */
  inf_vectors *vectors;     /* [loop], then read-only */
  struct inf_batch *batch;  /* [loop] of one that is cut into parts, or NULL */
  struct infer_call *whole; /* [loop] whose part this is, until that ends */
  bool part;                /* it is one, whether the whole lives or not */
  size_t first_input;       /* of a part: its place in the whole */
  inf_list part_node;       /* [loop] of a part: in the batch's lists */
};

void inf_call_ref(struct infer_call *call);
void inf_call_unref(struct infer_call *call);

/* Makes a call from a request. On success it holds references to client and
 * queue. queue NULL: one of its own. Any thread. */
int32_t inf_call_new(struct infer_call **call, struct infer_client *client,
                     const struct infer_request *request, inf_call_kind kind,
                     int32_t mode, struct infer_queue *queue, uint64_t tag,
                     struct infer_error **error);
/* A call for some of the inputs of another one, in inputs as there: with its
 * targets, parameters, deadline and id. NULL when memory is short. Loop. */
struct infer_call *inf_call_new_part(struct infer_call *whole, inf_sv inputs,
                                     size_t first, size_t count);

#endif
