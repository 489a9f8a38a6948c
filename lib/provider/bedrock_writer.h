/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_BEDROCK_WRITER_H
#define INF_PROVIDER_BEDROCK_WRITER_H

#include "provider/dialect.h"

/* What the files share that write a Converse request: bedrock_write.c, its
 * members, and bedrock_message.c, its messages. */
typedef struct inf_bedrock_writer {
  const inf_send *send;
  inf_buf *body;
  inf_buf *why;
  inf_buf text;     /* decoded, for the moment */
  int32_t status;   /* the first thing that cannot be said */
  const char *role; /* of the message that is open; NULL: none is */
  bool tools;       /* there is talk of tools */
  bool in_result;   /* what is written is a tool's: no cachePoint there */
  unsigned documents;
} inf_bedrock_writer;

/* Sets the status, unless there is one, and says why: what, then the name in
 * quotation marks, where there is one. */
void inf_bedrock_refuse(inf_bedrock_writer *writer, const char *what,
                        inf_sv name);
void inf_bedrock_refuse_as(inf_bedrock_writer *writer, int32_t status,
                           const char *what, inf_sv name);

/* The text of a string, until the next one is asked for; "" for other types. */
inf_sv inf_bedrock_text(inf_bedrock_writer *writer, inf_sv value);

/* {"cachePoint": ...} as an element, where the object has cache_control. */
void inf_bedrock_cache_point(inf_bedrock_writer *writer, inf_sv object);

/* "messages" and "system". */
void inf_bedrock_messages(inf_bedrock_writer *writer);

#endif
