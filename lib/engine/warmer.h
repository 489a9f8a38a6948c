/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_WARMER_H
#define INF_ENGINE_WARMER_H

#include "engine/warm_up.h"
#include "policy/warmth.h"

/* Routes that keep their next targets warm, as those do that hedge: what is
 * known of the connections to each provider, and which of them need a warm-up
 * now. Loop only. */

/* One provider of the configuration. */
typedef struct inf_warm_entry {
  inf_warm_state state;
  bool has_http2;   /* as its last warm-up told */
  bool wanted;      /* some route wants it warm now */
  bool running;     /* a warm-up of ours is under way */
  bool looking;     /* which is a second look */
  uint64_t look_ns; /* when that is due; 0: it is not */
} inf_warm_entry;

typedef struct inf_warmer {
  inf_config *config;
  inf_warm_entry *entries; /* as many as config has providers; or NULL */
  bool keeps;              /* some route says keep_warm, or hedges */
  bool stopped;
  uint64_t used_ns; /* when the client's last call began; 0: never */
  uint64_t next_ns; /* when inf_warmer_run() is due */
} inf_warmer;

void inf_warmer_init(inf_warmer *warmer);
void inf_warmer_fini(inf_warmer *warmer);
/* From now on the providers and routes of this configuration; what is known of
 * providers is kept by name. Without memory nothing is kept warm. */
void inf_warmer_configure(struct inf_engine *engine, inf_config *config);
/* The client takes no calls any more. */
void inf_warmer_stop(struct inf_engine *engine);
/* Starts what is due at next_ns. */
void inf_warmer_run(struct inf_engine *engine);
/* All connections are gone. */
void inf_warmer_forget(inf_warmer *warmer, uint64_t now_ns);

/* A warm-up has ended: one of ours, or one that was asked for. */
void inf_warmer_ended(struct inf_engine *engine,
                      const inf_provider_config *provider, bool ours,
                      const inf_exchange_result *result);
/* Does the provider speak HTTP/2, as far as is known? */
bool inf_warmer_has_http2(const struct inf_engine *engine,
                          const inf_provider_config *provider);

/* What happens to calls. Cheap while no route says keep_warm. */
void inf_warmer_note_call(struct inf_engine *engine);
void inf_warmer_note_use(struct inf_engine *engine,
                         const inf_provider_config *provider);
/* An exchange was cancelled: with HTTP/1.1 that closes its connection, as a leg
 * that loses a race does, and the next hedge would have to connect. */
void inf_warmer_note_cut(struct inf_engine *engine,
                         const inf_provider_config *provider);
/* No connection was to be had. */
void inf_warmer_note_failure(struct inf_engine *engine,
                             const inf_provider_config *provider);

#endif
