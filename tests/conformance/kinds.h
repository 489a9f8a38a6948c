/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_KINDS_H
#define TESTS_CONFORMANCE_KINDS_H

#include "conformance/cases.h"
#include "provider/dialect.h"

/* Which kind of provider a recorded case is read by, and what its API's
 * recordings have otherwise than Chat Completions: one table for all programs
 * that decode or replay. */

typedef struct test_kind {
  const char *api;      /* as meta.json has it */
  const char *provider; /* NULL: any that no earlier row names */
  const char *url;      /* part of the recorded one; NULL: any */
  const char *type;     /* of the catalogue */
  /* What the expected usage counts otherwise than ours (answer.h). */
  bool input_without_cache;
  /* Members of a provider in a configuration that it cannot do without, as
   * ",\"name\":value..."; NULL: none. */
  const char *config;
} test_kind;

/* The row for a case; NULL: its dialect is not there yet. */
const test_kind *test_kind_of(const test_case *test);
const inf_provider_kind *test_provider_kind(const test_kind *kind);
/* May it be sent to, or only read from? */
bool test_kind_writes(const test_kind *kind);
/* Is the recorded request one in OpenAI's shape, as a caller's is? */
bool test_kind_is_openai(const test_kind *kind);

/* Did the recorded request ask for a stream? Where its body does not tell, as
 * with APIs that have a path for it, the kind of the response does. */
bool test_asks_for_stream(const test_case *test);

/* Our figures, in the order of INFER_USAGE_*, as the recorded API counts. */
void test_usage_as_recorded(const test_kind *kind, int64_t *usage);

#endif
