/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_DECODE_H
#define TESTS_FUZZ_DECODE_H

#include "fuzz/fuzz.h"

#include "provider/dialect.h"
#include "support/heard.h"

/* One response through the decoder, and everything that comes out of it. */
typedef struct fuzz_response {
  inf_decoder_options options;
  int http_status;
  bool clean_end;
  inf_headers headers;
  inf_sv body;
} fuzz_response;

typedef struct fuzz_outcome {
  inf_answer answer;
  inf_decoder decoder;
  heard heard; /* what the listener was told */
  inf_buf json;
  int32_t status;
} fuzz_outcome;

/* Feeds the body in pieces of its own blocks. The outcome must be ended by
 * fuzz_outcome_fini(). */
void fuzz_decode(const fuzz_response *response, uint32_t cut_seed,
                 fuzz_outcome *outcome);
void fuzz_outcome_fini(fuzz_outcome *outcome);

/* Does the same stand in both? */
bool fuzz_outcome_same(const fuzz_outcome *a, const fuzz_outcome *b);
/* What must hold of every outcome, whatever came. */
void fuzz_outcome_check(const fuzz_response *response,
                        const fuzz_outcome *outcome);

#endif
