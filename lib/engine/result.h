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
  bool packed;  /* the answer's parts lie behind this struct */
  size_t bytes; /* of both */
  inf_answer answer;
  inf_trail *trail;
  const struct infer_attempt *winner; /* in the trail */
  inf_part *parts;                    /* of a continued answer, else NULL */
  size_t part_count;
  bool summed; /* of several attempts that each gave a part: their usage is
                * together the answer's */
  _Atomic(char *) json; /* written when first asked for */
};

/* Makes a response of an answer, which is then only to be used again or ended;
 * NULL when memory is short, the answer is untouched then. */
struct infer_response *inf_response_new(inf_answer *answer, inf_trail *trail,
                                        const struct infer_attempt *winner);
struct infer_response *inf_response_ref(struct infer_response *response);

/* Did the attempt write any part of the response's answer? NULL has none. */
bool inf_response_has_part(const struct infer_response *response,
                           const struct infer_attempt *record);

/* Room for a response whose answer is still to come. malloc() keeps memory
 * apart for each thread, and where one thread frees what another one has
 * allocated, the two meet at a lock. So the thread that asks, which mostly
 * frees the response too, makes the room for it. */
typedef struct inf_response_room {
  void *memory; /* NULL: none */
  size_t bytes;
} inf_response_room;

/* So many bytes; 0, or where memory is short: none. */
void inf_response_room_make(inf_response_room *room, size_t bytes);
void inf_response_room_free(inf_response_room *room);
/* Like inf_response_new(), and in the room if that is large enough. The room
 * is empty afterwards. */
struct infer_response *inf_response_new_in(inf_response_room *room,
                                           inf_answer *answer, inf_trail *trail,
                                           const struct infer_attempt *winner);
/* How much room the next response may need, after one that took bytes: as much
 * as the larger of the latest ones, and none where they are large. */
size_t inf_response_room_after(size_t room_bytes, size_t bytes);

/* The error of a call whose last attempt is record (NULL: none was made).
 * failure may be NULL; message (may be NULL) replaces the provider's words;
 * partial (may be NULL) is handed over. Never NULL. */
struct infer_error *inf_result_error(int32_t status, inf_trail *trail,
                                     const struct infer_attempt *record,
                                     const inf_failure *failure,
                                     const char *message,
                                     struct infer_response *partial);
/* The error tells from now on of that trail's attempts. */
void inf_result_retell(struct infer_error *error, inf_trail *trail);

#endif
