/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_RUN_H
#define INF_TOOLS_REPLAY_RUN_H

#include "replay_model.h"
#include "replay_tally.h"

#include <signal.h>

/* One configuration's replay of a trace: the engine that ships, under a clock
 * that jumps from one event to the next, over a network whose providers obey
 * models. A call is made when the trace says so, streamed, with a prompt of
 * its length, and read as fast as it comes. */

typedef struct inf_replay_options {
  const char *trace;               /* path */
  const inf_replay_models *models; /* of the providers */
  const char *model; /* whom requests that name none ask; NULL: they must */
  uint64_t limit;    /* of requests; 0: none */
  uint64_t seed;
  double speed; /* requests come so many times as fast, > 0 */
  /* Not 0: no more calls are made; those under way end. */
  const volatile sig_atomic_t *stop;
} inf_replay_options;

typedef struct inf_replay_result {
  inf_replay_tally tally;
  uint64_t requests;   /* of the trace, those that were refused included */
  uint64_t span_ns;    /* from the first request to the last one, as played */
  uint64_t virtual_ns; /* until the last call had ended */
  uint64_t live_max;   /* calls at the same time */
  uint64_t cpu_ns;     /* that it took here */
  bool interrupted;
} inf_replay_result;

/* config is prepared (replay_config.h) and stays the caller's; its telemetry
 * hooks are set. Returns 0 or an exit code, having said why; what was counted
 * until then is in *result. */
int inf_replay_run(infer_config *config, const inf_replay_options *options,
                   inf_replay_result *result);

#endif
