/* SPDX-License-Identifier: MIT */
/* The figures of both worlds, side by side. */
#ifndef TESTS_SIMULATION_AGREEMENT_COMPARE_H
#define TESTS_SIMULATION_AGREEMENT_COMPARE_H

#include "run.h"

enum { compare_max_runs = 16 };

/* One scene's runs in one world, by seed. */
typedef struct scene_runs {
  const sim_scene *scene;
  sim_figures runs[compare_max_runs];
  size_t count;
} scene_runs;

/* Returns how many figures differ: shares by more than 0.005, others by more
 * than 5 %, by the seed with the median difference. Prints them unless it is
 * to be quiet; verbose: of all seeds. Both have the same seeds, at least one.
 */
size_t compare_runs(const scene_runs *simulated, const scene_runs *real,
                    bool quiet, bool verbose);

#endif
