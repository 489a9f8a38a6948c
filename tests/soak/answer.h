/* SPDX-License-Identifier: MIT */
#ifndef TEST_SOAK_ANSWER_H
#define TEST_SOAK_ANSWER_H

#include "book.h"

/* The question of a call, and the look at what comes back. */

enum { question_max = 4096 };

typedef struct question {
  uint32_t id; /* 0: none */
  size_t len;
  char text[question_max];
  size_t heard; /* how much of it the stream has repeated so far */
  uint32_t epoch;
  bool ended, streams;
  /* The listener wants no more. The answer may have been whole by then. */
  bool stopped;
} question;

/* Of random length, but always the same for the same call. */
void question_make(question *q, uint32_t id);

/* An event of a stream, the terminal one too. */
void question_take(question *q, soak_book *b, const infer_event *event);
/* The end of the call, with its result; tells the book. */
void question_end(question *q, soak_book *b, int32_t status,
                  const infer_response *response, const infer_error *error);

#endif
