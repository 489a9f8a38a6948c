/* SPDX-License-Identifier: MIT */
/* What a key was used for, held against the limits that its client has for it:
 * by the definition of a limit, and not by the way it is kept.
 *
 *   In no window is more sent than burst + limit * window / period.
 *
 * What never left, or was refused unread, counts as never sent; until that is
 * known it counts. The largest excess over all windows that end now is worked
 * out anew for each request, from all that were sent (Lindley's recursion);
 * those that nothing can change any more are summed up. All integers. */
#ifndef TESTS_SIMULATION_ACCOUNT_H
#define TESTS_SIMULATION_ACCOUNT_H

#include "base/wide.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct account_limits {
  uint64_t requests, period_ns; /* requests 0: no such limit */
  uint32_t concurrency;         /* 0: none */
} account_limits;

typedef struct account_entry {
  uint64_t at_ns, mark;
  bool over, arrived, refused;
} account_entry;

/* Zeroed: nothing was sent. */
typedef struct sim_account {
  account_entry *entries;
  size_t first, count, capacity; /* first: of those that are not summed up */
  inf_i128 excess;               /* of the others, at excess_ns */
  uint64_t excess_ns;
  uint32_t open;
} sim_account;

void account_free(sim_account *account);
/* A request is sent now. NULL, or what it breaks. Of those under way, `whole`
 * have brought all of their answer. */
const char *account_send(sim_account *account, const account_limits *limits,
                         uint64_t mark, uint32_t whole, uint64_t now_ns);
/* It reached the provider. */
void account_arrive(sim_account *account, uint64_t mark, bool refused);
/* It is over. False if it is not of this account. */
bool account_over(sim_account *account, uint64_t mark);

#endif
