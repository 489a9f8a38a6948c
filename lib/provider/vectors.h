/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_VECTORS_H
#define INF_PROVIDER_VECTORS_H

#include "base/buf.h"

#include <stdatomic.h>

/* The vectors of an embeddings call, one for each input and all of the same
 * dimension, as they are read from an answer. A place is filled once; who reads
 * asks at the end whether all are. Written by one thread; unchanged and shared
 * by reference count once the call has ended.
 *
 * Functions that may fail give INFER_OK, INFER_E_NO_MEMORY, INFER_E_TOO_LARGE,
 * or INFER_E_PROTOCOL with a line in why. */

/* Models have up to 4096 (2026); a mistaken answer is not to take more memory
 * than this many times the inputs. */
#define INF_VECTORS_MAX_DIMENSIONS ((size_t)64 << 10)
/* Of one call: 64,000 vectors of 4096 floats, nearly. */
#define INF_VECTORS_MAX_BYTES ((size_t)1 << 30)

typedef struct inf_vectors {
  atomic_uint refs;
  size_t count;      /* of inputs */
  size_t dimensions; /* 0: not known yet */
  size_t wanted;     /* dimensions that were asked for; 0: as the model has */
  size_t filled;
  float *data; /* count * dimensions; NULL until the first is put */
  bool *has;   /* count of them */
} inf_vectors;

/* NULL when memory is short. */
inf_vectors *inf_vectors_new(size_t count, size_t wanted_dimensions);
inf_vectors *inf_vectors_ref(inf_vectors *vectors);
void inf_vectors_unref(inf_vectors *vectors);
/* Forgets what was put: the answer begins anew. */
void inf_vectors_clear(inf_vectors *vectors);
/* The vector of an input, from checked JSON: an array of numbers, or a string,
 * which is base64 of floats (wire/base64.h). NaN and infinities are refused. */
int32_t inf_vectors_put(inf_vectors *vectors, size_t index, inf_sv value,
                        inf_buf *why);
/* All vectors of part, from the place first on. */
int32_t inf_vectors_join(inf_vectors *vectors, size_t first,
                         const inf_vectors *part, inf_buf *why);
/* Is there one for each input? */
int32_t inf_vectors_check(const inf_vectors *vectors, inf_buf *why);
/* NULL past the end. */
const float *inf_vectors_at(const inf_vectors *vectors, size_t index);

#endif
