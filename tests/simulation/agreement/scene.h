/* SPDX-License-Identifier: MIT */
/* What is played in both worlds, and what is measured of it. One description
 * makes the client's configuration, the script of `infer sim` and what the
 * simulated fleet is like. */
#ifndef TESTS_SIMULATION_AGREEMENT_SCENE_H
#define TESTS_SIMULATION_AGREEMENT_SCENE_H

#include "../fleet.h"
#include "base/buf.h"

enum { scene_max_targets = 2 };

/* The first target's trouble. */
typedef enum scene_outage {
  SCENE_WELL,
  SCENE_ERRORS,  /* 503 */
  SCENE_REFUSED, /* connections are, and those that there were are reset */
  SCENE_SILENT,  /* requests are taken, and nothing comes */
} scene_outage;

/* Times count from the first call. */
typedef struct sim_scene {
  const char *name;
  size_t targets;
  uint32_t gap_us; /* between two calls */
  bool poisson;    /* on average; else exactly */
  uint32_t herd;   /* so many more at the very beginning, all at once */
  uint32_t run_ms; /* calls are made so long */
  uint32_t deadline_ms;
  uint32_t answer_ms; /* from a request to its answer, a 429 too */
  uint32_t error_ms;  /* to an error */
  /* Answers are spread: lognormal, with that 95th percentile in percent of the
   * median; 0: not. And in permille, those that take ten times as long. */
  uint32_t p95_percent, stragglers;
  /* The quota of a target, which its headers tell; 0: none. */
  uint32_t per_minute, burst, cotenant_per_minute;
  /* Of the client, as JSON: its limits, and more members of its route, each
   * after a comma. NULL: none. */
  const char *limits, *route;
  scene_outage outage;
  uint32_t from_ms, until_ms;
  /* What is measured, is between these, and of so many runs, by seeds. */
  uint32_t measured_from_ms, measured_until_ms;
  size_t runs;
  bool hedges; /* its route does; played by itself only, with --scene */
} sim_scene;

extern const sim_scene scenes[];
extern const size_t scene_count;

/* The client's configuration. urls: of the targets' providers. */
void scene_write_config(const sim_scene *scene, const char *const *urls,
                        unsigned threads, inf_buf *config);
/* Of the `infer sim` that plays a target; its clock starts lead_ms before the
 * first call. */
void scene_write_script(const sim_scene *scene, uint64_t seed, size_t target,
                        uint32_t lead_ms, inf_buf *script);
/* Of the simulated provider, where the first call is made at start_ns. */
void scene_fill_fleet(const sim_scene *scene, size_t target, uint64_t start_ns,
                      fleet_params *params);
/* When calls are made, in nanoseconds from the first one: as many as `most` at
 * most. Returns how many. */
size_t scene_plan(const sim_scene *scene, uint64_t seed, uint64_t *at_ns,
                  size_t most);

#endif
