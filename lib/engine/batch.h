/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_BATCH_H
#define INF_ENGINE_BATCH_H

#include "engine/engine.h"

/* Calls for embeddings.
 *
 * Vectors of different models cannot be compared, not even when they have the
 * same length; a store with both in it finds nonsense, and nothing tells. So
 * such a call stays with one model: that of the first target of its route that
 * may serve it, in the route's own order. Of the other targets those are used,
 * by the route's strategy and for failover, that have the same model: the same
 * name behind "provider/", and overrides that ask for vectors of the same
 * length. A provider that calls it otherwise is given that name by its
 * "models". Where none of these answers the call fails; nothing
 * goes to another model.
 *
 * More inputs than the services of these targets take at once (embed.h: the
 * smallest of their limits) are cut into parts. Each is a call of its own to
 * the engine, with retries, failover, limits and all, except that it is told of
 * by the whole's id, has the whole's deadline, and its end is no event. They
 * are begun in the order of the inputs, so many at a time; each failing one
 * ends the whole, for there is nothing to tell of an answer with gaps. An
 * attempt of an embeddings call is never hedged. */

/* Two rounds of connections to a server of HTTP/1.1 with six each, as browsers
 * have it, would be 12; the limits of accounts are met sooner. Parts of a call
 * beyond these wait for one to end, and leave room for other calls. */
#define INF_BATCH_PARTS_AT_ONCE 8

typedef struct inf_batch {
  inf_sv rest;          /* inputs that no part has yet, in the request */
  size_t next;          /* place of the first of them */
  inf_list live, ended; /* parts, by part_node */
  size_t live_count;
  struct infer_error *error;  /* of the part that ended the whole */
  bool failed;                /* error is, or is for want of memory NULL */
  inf_answer answer;          /* what the parts told, and cost */
  struct infer_attempt *last; /* in the whole's trail */
} inf_batch;

/* Of the usable targets at the front, in the route's order, keeps those that
 * make embeddings with its model, and gives how many. Those that are left out
 * follow, with the reason; where none is left the first tells why. */
size_t inf_batch_same_space(inf_plan_item *items, size_t usable,
                            const inf_route_config *route,
                            const inf_chat *chat);
/* The room for the vectors, and the parts where there are several. False when
 * memory is short. */
bool inf_batch_prepare(struct infer_call *call);
void inf_batch_free(struct infer_call *call);

/* Reads the body of an attempt that came as a whole. INFER_OK, or the class of
 * its failure with the words in its decoder. Loop, as all below. */
int32_t inf_batch_read(inf_attempt *attempt);
/* Begins parts, and ends the call once the last one has. */
void inf_batch_step(inf_engine *engine, struct infer_call *call);
/* A part has ended, by the one or the other, which are given. */
void inf_batch_part_ended(inf_engine *engine, struct infer_call *part,
                          struct infer_response *response,
                          struct infer_error *error);
/* The whole ends: so do the parts that are left. */
void inf_batch_abandon(inf_engine *engine, struct infer_call *call,
                       int32_t status, const char *why);

#endif
