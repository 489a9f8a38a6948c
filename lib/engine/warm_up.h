/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_WARM_UP_H
#define INF_ENGINE_WARM_UP_H

#include "engine/warm_ask.h"
#include "transport/transport.h"

/* One warm-up: the connection to one provider made ready before a call needs
 * it. It is no attempt: no key, prompt or header of an account goes out with
 * it, and no call's record has it. Loop only. */

struct inf_engine;

typedef struct inf_warmups {
  inf_list waiting, running;
  size_t running_count;
} inf_warmups;

void inf_warmups_init(inf_warmups *warmups);
/* Ends all; those who asked are told that the client is closed. */
void inf_warmups_end(struct inf_engine *engine);
/* Begins one, or lets it wait for its turn. ask NULL: for the warmer; else
 * it fills that row. The end is told to inf_warmer_ended(). False when memory
 * is short. */
bool inf_warmup_add(struct inf_engine *engine, inf_config *config,
                    const inf_provider_config *provider, uint64_t until_ns,
                    inf_warm_ask *ask, size_t row);
/* Starts those that wait, as many as may run. */
void inf_warmups_start(struct inf_engine *engine);
/* Adds and starts all that was asked for. Takes over a reference. */
void inf_warmups_ask(struct inf_engine *engine, inf_warm_ask *ask);

#endif
