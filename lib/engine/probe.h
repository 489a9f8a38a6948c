/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_PROBE_H
#define INF_ENGINE_PROBE_H

#include "engine/engine.h"

/* A probe: a duplicate of a call's request, sent to a target whose breaker is
 * open, while the call itself is served elsewhere. So a target that has
 * recovered is found without a user who waits for it. It ends at the first
 * content, which is all that it asks for, except where answers broke off after
 * that: then at the answer's end. Nobody sees its answer, and it is paid from
 * the client's budget of probes (health.h).
 *
 * What a call must not repeat is not repeated here: none for a request that is
 * to run only once, for a call that goes on from a partial answer, or for a
 * list of models. The target is one of the call's own, so that labels hold.
 *
 * A probe lives without its call: it pins the configuration, whose routes have
 * the targets' names. (A model that a request names directly has no route
 * there, but only one target, which gets no duplicate.) Loop only. */

struct inf_probe;

/* So much of a limit has to be free beside it. */
enum { INF_PROBE_KEEP_PERCENT = 20 };

/* Begins one if the budget allows; where it cannot begin (memory, no key),
 * there is none. */
void inf_probe_start(inf_engine *engine, struct infer_call *call,
                     size_t target);
/* The timer of the probe's attempt fired. */
void inf_probe_on_timer(struct inf_probe *probe);
/* Ends all: they say nothing of their targets. */
void inf_probes_end(inf_engine *engine);

#endif
