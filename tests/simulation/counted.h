/* SPDX-License-Identifier: MIT */
/* The library's memory, counted, and on demand running out now and then. */
#ifndef TESTS_SIMULATION_COUNTED_H
#define TESTS_SIMULATION_COUNTED_H

#include <stddef.h>
#include <stdint.h>

/* Before the library is used. */
void counted_install(void);
size_t counted_blocks(void);
size_t counted_bytes(void);
size_t counted_peak_bytes(void);
/* From now on one allocation in so many fails, by the dice of that seed; 0:
 * none. */
void counted_fail(uint64_t one_in, uint64_t seed);

#endif
