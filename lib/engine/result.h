/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_RESULT_H
#define INF_ENGINE_RESULT_H

#include "base/error.h"
#include "engine/record.h"

/* A stretch of an answer's text and the attempt that wrote it. */
typedef struct inf_part {
  const struct infer_attempt *attempt; /* in the trail */
  char *model;                         /* that the provider says wrote it */
  size_t bytes;
} inf_part;

/* parts may be NULL. */
void inf_parts_free(inf_part *parts, size_t count);

/* What a call ends with: a response, or an error that may carry the part of
 * the answer that had come. Both are unchanged once made and shared by
 * reference count. */
struct infer_response {
  atomic_uint refs;
  bool packed; /* the answer's parts lie behind this struct */
  inf_answer answer;
  inf_trail *trail;
  const struct infer_attempt *winner; /* in the trail */
  inf_part *parts;                    /* of a continued answer, else NULL */
  size_t part_count;
  _Atomic(char *) json; /* written when first asked for */
};

/* Makes a response of an answer, which is then only to be used again or ended;
 * NULL when memory is short, the answer is untouched then. */
struct infer_response *inf_response_new(inf_answer *answer, inf_trail *trail,
                                        const struct infer_attempt *winner);
struct infer_response *inf_response_ref(struct infer_response *response);

/* The error of a call whose last attempt is record (NULL: none was made).
 * failure may be NULL; message (may be NULL) replaces the provider's words;
 * partial (may be NULL) is handed over. Never NULL. */
struct infer_error *inf_result_error(int32_t status, inf_trail *trail,
                                     const struct infer_attempt *record,
                                     const inf_failure *failure,
                                     const char *message,
                                     struct infer_response *partial);

#endif
