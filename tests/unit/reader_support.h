/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_READER_SUPPORT_H
#define TESTS_UNIT_READER_SUPPORT_H

/* A reader of Chat Completions over an answer and a decoder of its own, for
 * the tests of its parts. */

#include "support/fail_alloc.h"
#include "unit/provider_support.h"

#include "provider/openai_reader.h"

typedef struct reader_fixture {
  inf_answer answer;
  inf_decoder decoder;
  inf_guess guess;
  inf_openai_reader reader;
  inf_buf out;
} reader_fixture;

/* text is what the reader reads: all values it is given lie in it. */
static inline void
reader_init(reader_fixture *f, bool chunk, const char *text)
{
  *f = (reader_fixture){0};
  inf_answer_init(&f->answer, 1 << 16);
  inf_buf_init(&f->decoder.scratch, 1 << 16);
  inf_guess_init(&f->guess);
  inf_guess_begin(&f->guess, S(text));
  inf_buf_init(&f->out, SIZE_MAX);
  f->reader = (inf_openai_reader){
      .decoder = &f->decoder,
      .answer = &f->answer,
      .guess = chunk ? &f->guess : NULL,
      .text = S(text),
      .chunk = chunk,
  };
}

static inline void
reader_fini(reader_fixture *f)
{
  inf_answer_fini(&f->answer);
  inf_buf_fini(&f->decoder.scratch);
  inf_guess_fini(&f->guess);
  inf_buf_fini(&f->out);
}

/* The next event or body: its strings begin anew. */
static inline inf_sv
reader_next(reader_fixture *f, const char *text)
{
  inf_buf_clear(&f->decoder.scratch);
  inf_guess_begin(&f->guess, S(text));
  f->reader.text = S(text);
  return S(text);
}

static inline const char *
reader_json(reader_fixture *f)
{
  inf_buf_clear(&f->out);
  inf_answer_write_json(&f->answer, &f->out);
  return inf_buf_cstr(&f->out);
}

#endif
