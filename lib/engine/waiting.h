/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_WAITING_H
#define INF_ENGINE_WAITING_H

#include "engine/meter.h"

/* The calls that wait because a rate limit does not let them through yet: one
 * line for the client, in the order of policy/line.h (fair between tenants,
 * earliest deadline within one). A call that cannot start in time is refused
 * at once with what is known of the limit; so is one that finds the line full.
 * Where anybody waits, nobody overtakes: who comes then joins the line, which
 * is gone through in the same turn. Loop only. */

struct inf_engine;
struct infer_call;

enum { INF_WAITING_PLACES = 64 };

typedef struct inf_waiting {
  inf_line line;
  uint32_t calls_at[INF_WAITING_PLACES]; /* how many may run at each place */
  uint64_t next_ns; /* when it is to be gone through; INF_NEVER: empty */
} inf_waiting;

/* What limits need to know of a call that waits, or has waited. */
typedef struct inf_call_limits {
  struct infer_call *call;
  inf_meter_cost cost;
  inf_line_entry entry;
  bool stays; /* it waits for the target that is meant, and for no other */
} inf_call_limits;

/* What a target's limits say to a call. */
typedef struct inf_waiting_place {
  size_t target; /* index in call->targets */
  inf_meter_verdict verdict;
  uint64_t start_ns; /* when it would be let through, with those before it */
} inf_waiting_place;

void inf_waiting_init(inf_waiting *waiting);
void inf_waiting_fini(inf_waiting *waiting);
void inf_waiting_configure(inf_waiting *waiting, size_t calls_max);

/* Does any call wait? */
bool inf_waiting_any(const struct inf_engine *engine);
/* The places at which somebody waits. */
uint64_t inf_waiting_places(const struct inf_engine *engine);

/* When the call would be let through there if it joined the line now. */
uint64_t inf_waiting_start_ns(struct inf_engine *engine,
                              const struct infer_call *call, size_t target,
                              const inf_meter_cost *cost,
                              const inf_meter_verdict *verdict);
/* The call joins the line, for the places of `where`, of which `soonest` is
 * the best; or ends. */
void inf_waiting_join(struct inf_engine *engine, struct infer_call *call,
                      const inf_meter_cost *cost,
                      const inf_waiting_place *soonest, uint64_t where,
                      bool stays);
/* It leaves without having been served; harmless if it does not wait. */
void inf_waiting_leave(struct inf_engine *engine, struct infer_call *call);
/* Something has become free, or known: the line is gone through this turn. */
void inf_waiting_stir(struct inf_engine *engine);
/* Goes through the line if it is time, and starts those that fit. */
void inf_waiting_serve(struct inf_engine *engine);
/* A call was let through without waiting, while others wait elsewhere. */
void inf_waiting_passed(struct inf_engine *engine,
                        const struct infer_call *call,
                        const inf_limit_cost *cost);
/* What an attempt of a call that has waited really cost. */
void inf_waiting_settle(struct inf_engine *engine,
                        const struct infer_call *call,
                        const inf_limit_cost *used);

#endif
