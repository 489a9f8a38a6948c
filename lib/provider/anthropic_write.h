/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_ANTHROPIC_WRITE_H
#define INF_PROVIDER_ANTHROPIC_WRITE_H

#include "provider/dialect.h"

/* The parts of a request of Anthropic's Messages, written from a chat in
 * OpenAI's shape.
 *
 * What maps to what:
 *   system, developer messages   "system", wherever they stand
 *   max_completion_tokens, max_tokens
 *                                "max_tokens"; the API demands one, so where
 *                                the caller gave none it is
 *                                INF_ANTHROPIC_MAX_TOKENS, on top of the
 *                                budget for thinking if there is one
 *   stop                         "stop_sequences"
 *   tools, tool_choice, parallel_tool_calls
 *                                the same in the API's shape; tools that it
 *                                runs itself (a "type" of its own) as they are
 *   reasoning_effort             by the model: anthropic_think.c
 *   response_format json_schema  "output_config.format"
 *   user, safety_identifier      "metadata.user_id"
 *   service_tier                 auto as it is, default as standard_only
 *   content parts                text, images, files; parts in the API's own
 *                                shape and "cache_control" as they are
 *   messages of role tool        tool_result blocks of one user turn, together
 *                                with the user's message that follows
 *   tool_calls                   tool_use blocks. An id that the API refuses
 *                                or that is too short to be unique is replaced
 *                                by one that is made of its place
 *   reasoning_details            signed thinking, redacted thinking
 *   anthropic_content            the whole content of an assistant's message
 *                                as the API gave it (see anthropic_read.h)
 *
 * Left out because it changes no answer: stream_options, store,
 * prompt_cache_key, prompt_cache_retention, metadata other than user_id, names
 * of messages, "detail" of images, parallel_tool_calls without tools, "strict"
 * and "name" of a schema, and what says nothing (null, false, n of 1, a
 * penalty of 0). Left out because the API has no place for it: reasoning
 * without a signature, messages without any content.
 * Refused with INFER_E_UNSUPPORTED: all that would change the answer, by name:
 * n above 1, seed, logprobs, penalties, logit_bias, audio, json_object, ...
 * Members that are not OpenAI's go out as they are. */

#define INF_ANTHROPIC_MAX_TOKENS 4096

typedef struct inf_anthropic_writer {
  const inf_send *send;
  inf_buf *body;
  inf_buf *why;    /* may be NULL */
  inf_buf scratch; /* a decoded string at a time */
  int version;     /* of the model: inf_anthropic_version() */
  int32_t status;  /* sticky: the first refusal */
} inf_anthropic_writer;

/* Refuses, once, with "<what><rest>" as the reason. Gives the status. */
int32_t inf_anthropic_refuse(inf_anthropic_writer *writer, const char *what,
                             const char *rest);
/* A member of the request, else of what the account adds to it. */
inf_sv inf_anthropic_member(const inf_anthropic_writer *writer,
                            const char *name);
/* Decodes a string into scratch; "" for anything else. */
inf_sv inf_anthropic_text(inf_anthropic_writer *writer, inf_sv value);

/* ---- anthropic_think.c --------------------------------------------------- */

/* Version of the model that a name tells, 100 * major + minor: 406 for
 * "claude-opus-4-6", 307 for "claude-3-7-sonnet@20250219"; 0: it tells none. */
int inf_anthropic_version(inf_sv model);

typedef struct inf_anthropic_thinking {
  inf_sv own;         /* the caller's "thinking", as it is; "" if none */
  int64_t budget;     /* of tokens, own or ours; 0: none */
  const char *effort; /* for output_config; NULL: none */
  bool adaptive;      /* thinking of our making: by effort, not by budget */
  int64_t max_tokens; /* of the request, never 0 */
} inf_anthropic_thinking;

/* What the request asks for; refuses what the model cannot do. */
void inf_anthropic_plan(inf_anthropic_writer *writer,
                        inf_anthropic_thinking *plan);
void inf_anthropic_write_thinking(inf_anthropic_writer *writer,
                                  const inf_anthropic_thinking *plan);

/* ---- anthropic_message.c ------------------------------------------------- */

/* "system" and "messages". */
void inf_anthropic_write_messages(inf_anthropic_writer *writer);

/* The message's reasoning_details that the API signed, as blocks of an open
 * array; false, with nothing written, if it has none. body may be NULL. */
bool inf_anthropic_write_signed(inf_sv message, inf_buf *body);

/* ---- anthropic_parts.c --------------------------------------------------- */

/* Content, a string or an array of parts, as blocks of an open array. */
void inf_anthropic_write_blocks(inf_anthropic_writer *writer, inf_sv content);

/* ---- anthropic_tools.c --------------------------------------------------- */

/* "tools" and "tool_choice". */
void inf_anthropic_write_tools(inf_anthropic_writer *writer);

#endif
