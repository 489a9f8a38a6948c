/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIMULATION_QUOTA_IDEAL_H
#define TESTS_SIMULATION_QUOTA_IDEAL_H

#include <stdbool.h>
#include <stddef.h>

/* What could have been used of a quota, at most, by who knows everything and
 * sends without delay: the measure of a trace in which there is not always
 * something to send.
 *
 * Work is a fluid here. It comes with its requests, is served in their order
 * as fast as the quota lets it, and what is left of a request expires with it.
 * Co-tenants take what they took in the real run. */

enum { ideal_dims = 2 };

typedef struct ideal_work {
  double until;             /* expires then */
  double units[ideal_dims]; /* that are left */
} ideal_work;

typedef struct ideal {
  double rate[ideal_dims], cap[ideal_dims], level[ideal_dims];
  double at, from;         /* counted from then on */
  double used[ideal_dims]; /* since then */
  ideal_work *works;       /* a ring */
  size_t head, count, size;
} ideal;

/* cap: what an idle quota saves up, and begins with. */
void ideal_init(ideal *it, const double rate[ideal_dims],
                const double cap[ideal_dims], double from);
void ideal_fini(ideal *it);
/* The rate from now on; what is saved stays, up to the new cap. */
void ideal_change(ideal *it, double now, const double rate[ideal_dims],
                  const double cap[ideal_dims]);
void ideal_offer(ideal *it, double now, double until,
                 const double units[ideal_dims]);
/* Somebody else used it. */
void ideal_taken(ideal *it, double now, const double units[ideal_dims]);
void ideal_advance(ideal *it, double now);

#endif
