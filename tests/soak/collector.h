/* SPDX-License-Identifier: MIT */
#ifndef TEST_SOAK_COLLECTOR_H
#define TEST_SOAK_COLLECTOR_H

#include <stdint.h>

/* A collector of telemetry that takes most of what it gets, and now and then is
 * busy, resets the connection, is silent, or answers with what is no HTTP. */
typedef struct collector collector;

/* What it does with its n-th request follows from the seed. */
collector *collector_start(uint64_t seed);
const char *collector_url(const collector *c);
/* From now on it takes everything. */
void collector_comfort(collector *c);
/* How many requests it has taken. Frees it. */
unsigned collector_stop(collector *c);

#endif
