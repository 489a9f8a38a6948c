/* SPDX-License-Identifier: MIT */
/* One run of a scene in one of the worlds: the client, what was sent when, and
 * how each call ended. */
#ifndef TESTS_SIMULATION_AGREEMENT_RUN_H
#define TESTS_SIMULATION_AGREEMENT_RUN_H

#include "engine/client.h"
#include "scene.h"

#include <stdatomic.h>

enum { run_max_calls = 2048, run_max_sends = 8192 };

/* Times in nanoseconds from the first call. */
typedef struct run_call {
  uint64_t due_ns, begun_ns;
  int64_t waited_ns; /* until it was first sent; -1: it was not */
  uint64_t took_ns;  /* from its making to its end */
  uint32_t attempts, refused, served_by;
  int32_t status;
  bool ended;
} run_call;

typedef struct run_send {
  uint64_t at_ns;
  uint32_t target;
} run_send;

typedef struct run_attempt {
  size_t call;
  uint64_t at_ns, took_ns;
  int32_t http_status, status;
  uint32_t target;
} run_attempt;

typedef struct sim_run {
  const sim_scene *scene;
  uint64_t seed;
  uint64_t start_ns; /* of the first call, on the client's clock */
  const inf_clock *clock;
  infer_client *client;
  infer_queue *queue;                 /* nobody reads it */
  char hosts[scene_max_targets][128]; /* the targets' addresses begin so */
  run_call calls[run_max_calls];
  size_t count;
  _Atomic size_t ended;
  /* By the loop. */
  run_send sends[run_max_sends]; /* probes too */
  run_attempt attempts[run_max_sends];
  size_t send_count, attempt_count;
  /* Between client and network. */
  inf_transport *(*new_transport)(void *context,
                                  const inf_curl_options *options);
  void *context;
  inf_transport_ops ops;
  const inf_transport_ops *real_ops;
  /* The virtual world's books; NULL in the other one. */
  ledger *books;
  /* Of hedges, at the client's end. */
  uint64_t hedges, rescues;
  int64_t calls_cost, losers_cost;
  uint64_t hedge_delay_ns; /* of the plan when trouble began; INF_NEVER: none */
  char trouble[512];       /* what went wrong; "": nothing */
} sim_run;

/* Plans the calls. */
void sim_run_init(sim_run *run, const sim_scene *scene, uint64_t seed);
/* With clock, hosts, new_transport and its context set. */
bool sim_run_open(sim_run *run, unsigned threads);
/* Makes the call. */
void sim_run_submit(sim_run *run, size_t index);
/* Ends the client, and what is left of calls with it. */
void sim_run_close(sim_run *run);

/* ---- Figures ------------------------------------------------------------- */

/* How two values are compared. */
typedef enum figure_kind {
  FIGURE_SHARE, /* to 0.005 */
  FIGURE_VALUE, /* to 5 % */
} figure_kind;

enum { run_max_figures = 8 };

typedef struct sim_figures {
  size_t count;
  struct {
    const char *name;
    figure_kind kind;
    double value;
  } at[run_max_figures];
} sim_figures;

/* What the scene is about, of that run. */
void sim_run_measure(const sim_run *run, sim_figures *figures);
/* Of a silent target: what it has added to the calls that were there, beyond
 * the hedge's delay and the other target's answer. Returns how many. */
size_t sim_run_added(const sim_run *run, double *added_ms, size_t most);

#endif
