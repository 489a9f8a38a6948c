/* SPDX-License-Identifier: MIT */
/* The two worlds. */
#ifndef TESTS_SIMULATION_AGREEMENT_WORLDS_H
#define TESTS_SIMULATION_AGREEMENT_WORLDS_H

#include "run.h"

/* The simulated fleet behind lib/transport/virtual.c, under a virtual clock.
 * One at a time. */
void virtual_play(sim_run *run);

/* How well this machine kept the schedule. */
typedef struct real_pace {
  double late_p99_ms, late_max_ms;     /* calls, behind their times */
  double answer_p99_ms, answer_max_ms; /* answers, behind theirs */
} real_pace;

/* `infer sim` on loopback behind lib/transport/curl.c, in real time: all of
 * them side by side. */
void real_play(sim_run *const *runs, size_t count, real_pace *pace);

#endif
