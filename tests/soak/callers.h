/* SPDX-License-Identifier: MIT */
#ifndef TEST_SOAK_CALLERS_H
#define TEST_SOAK_CALLERS_H

#include "book.h"
#include "random.h"

/* Threads that make calls in every way there is until the book is full, and
 * look at each answer: the providers echo the question, which holds the
 * number of the call, so that an answer that is not word for word the
 * question is cut, mixed up, or somebody else's. */

/* Threads that wait for each call, and threads that have many under way. */
enum { blocking_count = 6, juggling_count = 2, caller_count = 8 };
/* Calls that one juggling thread has under way at most. */
enum { juggled_max = 64 };

typedef struct callers {
  infer_client *client;
  soak_book *book;
  uint64_t seed;
  atomic_uint next; /* the call after the last one that was taken */
  pthread_t threads[caller_count];
} callers;

/* The models that requests name, for the configuration to have. */
extern const char *const caller_models[];
extern const size_t caller_model_count;

void callers_start(callers *all, infer_client *client, soak_book *b,
                   uint64_t seed);
void callers_join(callers *all);

#endif
