/* SPDX-License-Identifier: MIT */
#ifndef LIMIT_REFERENCE_H
#define LIMIT_REFERENCE_H

#include "base/wide.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One dimension of a rate limit by its definition: a list of all that was
 * ever taken, and a sum over every window that ends at the moment in question.
 * It shares nothing with gcra.c but the unit: a unit has period_ns ticks, and
 * in a nanosecond `limit` ticks are allowed, so that all sums are whole. */

enum { reference_events_max = 1024 };

typedef struct reference_event {
  uint64_t at_ns;
  inf_i128 ticks;        /* taken; negative: given by the provider */
  uint64_t reservation;  /* whose it is; 0: nobody's */
  bool is_rate;          /* no taking, but the end of a rate: */
  uint64_t limit_before; /* that one */
} reference_event;

typedef struct reference {
  uint64_t limit, period_ns, burst;
  reference_event event[reference_events_max];
  size_t count;
} reference;

void reference_init(reference *of, uint64_t limit, uint64_t period_ns,
                    uint64_t burst);
void reference_take(reference *of, uint64_t units, uint64_t reservation,
                    uint64_t at_ns);
/* What the provider said made the debt larger or smaller. */
void reference_adjust(reference *of, inf_i128 ticks, uint64_t at_ns);
/* The reservation used less: as if it never took that. False if it took
 * nothing here. */
bool reference_reduce(reference *of, uint64_t units, uint64_t reservation);
void reference_set_rate(reference *of, uint64_t limit, uint64_t burst,
                        uint64_t at_ns);
/* Of all windows that end at at_ns (the empty one too), the largest excess of
 * what was taken in one over limit * its length / period, in ticks. */
inf_i128 reference_excess(const reference *of, uint64_t at_ns);
/* With `units` more at at_ns, does every window that ends there hold at most
 * the part of the burst that is not to be kept, plus its share of the limit? */
bool reference_fits(const reference *of, uint64_t units, uint32_t keep_percent,
                    uint64_t at_ns);

#endif
