/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_SERVER_H
#define INF_TOOLS_REPLAY_SERVER_H

#include "replay_model.h"

#include "config/config.h"
#include "transport/virtual.h"

/* The providers of a replay, behind the virtual network: each target does what
 * its model says.
 *
 * What is drawn for a request follows from the seed, the number of the call,
 * the target, and how often this call has asked it before, and from nothing
 * else: in the replays of two configurations the same call meets the same
 * weather at the same target, and their difference is that of the
 * configurations. */

/* What the providers know of a call; the caller keeps it while its place is
 * named by requests. */
typedef struct inf_replay_facts {
  uint64_t number; /* in the trace, from 0 */
  uint32_t prompt_tokens, answer_tokens;
  inf_buf prefix;    /* of uint64_t */
  uint8_t asked[16]; /* how often, by the target's number modulo 16 */
} inf_replay_facts;

typedef struct inf_replay_server inf_replay_server;

typedef struct inf_replay_server_options {
  const inf_replay_models *models;
  const inf_virtual_clock *clock;
  uint64_t seed;
  uint64_t start_ns; /* the trace's beginning on the clock */
  /* The facts of a place, NULL: there is none. */
  inf_replay_facts *(*facts)(void *context, uint64_t place);
  void *context;
} inf_replay_server_options;

inf_replay_server *
inf_replay_server_new(const inf_replay_server_options *options);
/* Whose client asks, and within how long tokens may come together: they are
 * not sent one by one. Before the first request. */
void inf_replay_server_serve(inf_replay_server *server,
                             const inf_config *config, uint64_t gap_ns);
/* NULL is harmless. After the transport. */
void inf_replay_server_free(inf_replay_server *server);
const inf_virtual_server *inf_replay_server_of(inf_replay_server *server);
/* Notes the target as one that may be asked. */
void inf_replay_server_expect(inf_replay_server *server,
                              const inf_target_config *target);
/* A target that was asked, or may be, and has no model, or NULL. */
const char *inf_replay_server_unknown(const inf_replay_server *server);

#endif
