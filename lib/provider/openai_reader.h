/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_OPENAI_READER_H
#define INF_PROVIDER_OPENAI_READER_H

#include "provider/dialect.h"
#include "wire/json_names.h"
#include "wire/json_scan.h"

/* What the files that read Chat Completions share: the state of reading one
 * chunk or body, and small helpers. openai_read.c reads the outer object and
 * its choices, openai_message.c a message or delta, openai_usage.c figures. */

typedef struct inf_openai_reader {
  inf_decoder *decoder;
  inf_answer *answer;
  inf_guess *guess;            /* NULL for a whole body */
  inf_sv text;                 /* the event or body */
  bool valid;                  /* it is valid UTF-8 */
  const inf_json_index *index; /* of the text */
  bool chunk;                  /* of a stream */
  bool repeats;        /* the object repeats the whole answer: nothing to add */
  size_t choice_count; /* that the object brought */
  uint32_t choice;     /* index of the one at hand */
  bool bad_choice;     /* a choice of a whole body without a message */
  inf_sv choice_error; /* the first choice that carries an "error" */
  int32_t bad_finish;  /* class that a finish reason means, or INFER_OK */
  /* Members that say something of the whole answer mostly come first. */
  bool head_known;          /* those at the beginning are not read again */
  bool scattered;           /* there are some after others */
  inf_sv other_name, other; /* the first other member of the top object */
} inf_openai_reader;

/* Iterates an object; any other value has no members. */
static inline inf_json_iter
inf_openai_members_of(const inf_openai_reader *reader, inf_sv value)
{
  if (value.len > 0 && value.ptr[0] == '{')
    return inf_json_iter_by(reader->index, value);
  return (inf_json_iter){0};
}

/* The text of a string value; it lives until the next event. */
inf_sv inf_openai_decoded(inf_openai_reader *reader, inf_sv value);
/* Sets the answer's status, if it is still good. */
void inf_openai_fail(inf_openai_reader *reader, int32_t status);
/* The chunk is no template for the next (see guess.h). */
void inf_openai_spoil(inf_openai_reader *reader);
/* The string may be another in the next chunk. */
void inf_openai_hole(inf_openai_reader *reader, inf_hole_kind kind,
                     inf_sv value, const char *name);

/* A message or delta of the choice at hand. */
void inf_openai_message(inf_openai_reader *reader, inf_sv object);
/* A usage object; anything without figures is ignored. */
void inf_openai_usage(inf_openai_reader *reader, inf_sv json);
/* Groq's "x_groq", which may have usage in it. */
void inf_openai_x_groq(inf_openai_reader *reader, inf_sv json);

static inline bool
inf_openai_is_string(inf_sv value)
{
  return value.len > 0 && value.ptr[0] == '"';
}

/* Is it a string that says this? */
bool inf_openai_says(const inf_openai_reader *reader, inf_sv value,
                     inf_sv text);

/* The text of a string value, "" for another type. It lives until the next
 * event. */
static inline inf_sv
inf_openai_text(inf_openai_reader *reader, inf_sv value)
{
  if (!inf_openai_is_string(value))
    return INF_SV("");
  if (reader->valid && !inf_json_index_may_escape(reader->index, value))
    return inf_sv_of(value.ptr + 1, value.len - 2);
  return inf_openai_decoded(reader, value);
}

/* A string that is not empty? */
static inline bool
inf_openai_is_filled(inf_sv value)
{
  return inf_openai_is_string(value) && value.len > 2;
}

#endif
