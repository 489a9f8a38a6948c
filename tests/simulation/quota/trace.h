/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIMULATION_QUOTA_TRACE_H
#define TESTS_SIMULATION_QUOTA_TRACE_H

#include <stdbool.h>
#include <stddef.h>

/* Requests that were once made somewhere: when, and how long prompt and answer
 * were. Four forms are known by what is in them:
 *
 *   Azure's CSV      TIMESTAMP,ContextTokens,GeneratedTokens
 *   JSON lines       "timestamp", "input_length", "output_length": Mooncake's
 *                    and RAGPulse's
 *   llmperf's JSON   "number_input_tokens", "number_output_tokens" and
 *                    "end_to_end_latency_s" of requests that five callers made,
 *                    each its next one when it had the answer: so we place them
 *   ServeGen's CSV   for each ten minutes the rate and the shape of the gaps,
 *                    from which requests are drawn (trace_servegen.c)
 *
 * The unit of time differs and does not matter: who plays a trace gives it the
 * speed that makes the load. */
typedef struct trace_request {
  double at; /* from 0 on, in order */
  double prompt, output;
} trace_request;

typedef struct trace {
  trace_request *requests;
  size_t count;
  /* When the first one comes again, a mean gap after the last. */
  double period;
} trace;

/* False with a line that says why. */
bool trace_load(trace *loaded, const char *path, char *why, size_t why_size);
void trace_free(trace *loaded);

#endif
