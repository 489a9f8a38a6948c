/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_ANSWER_H
#define INF_PROVIDER_ANSWER_H

#include "provider/members.h"

/* An answer under construction, in OpenAI's shape. A dialect's decoder calls
 * the inf_answer_* functions as it reads, piece by piece or all at once; the
 * same calls in the same order give the same answer, whether it came as a
 * stream or as one body. After each piece the listener, if there is one,
 * hears what was added: that is what becomes the caller's events.
 *
 * Used by one thread. All buffers together hold at most max_bytes. Errors are
 * sticky in `status` (INFER_E_NO_MEMORY, INFER_E_TOO_LARGE, INFER_E_PROTOCOL
 * for more than INF_ANSWER_MAX_CHOICES choices or INF_ANSWER_MAX_TOOL_CALLS
 * tool calls).
 *
 * Servers differ, and differ between their streams and their whole bodies, in
 * what they spell out as nothing. One form is written for both, that which
 * OpenAI's own whole bodies have: content, refusal, logprobs and
 * finish_reason are always there, null if there is nothing; other members
 * that are null, and empty lists in a message, are left out. content is null
 * where nothing but tool calls, a refusal or audio came. */

#define INF_ANSWER_MAX_CHOICES    128
#define INF_ANSWER_MAX_TOOL_CALLS 1024

/* No answer has more tokens. What a provider says beyond that is taken for it,
 * so that figures can be added up. */
#define INF_USAGE_MAX INT64_C(1000000000000)

typedef struct inf_usage {
  /* -1: not known. Meaning as INFER_USAGE_*: output includes reasoning, input
   * includes what came from the cache. */
  int64_t input, output, reasoning, cache_read, cache_write, total;
  int64_t audio_input, audio_output;
  bool estimated;
} inf_usage;

typedef struct inf_tool_call {
  uint32_t index; /* as the provider numbers it; NO_INDEX if it does not */
  inf_buf id, type, name, arguments;
  inf_members extra; /* other members of the call; those of its "function"
                      * stand as one object under that name */
  bool done;         /* the listener heard TOOL_CALL_DONE */
} inf_tool_call;

#define INF_TOOL_NO_INDEX UINT32_MAX

typedef struct inf_choice {
  uint32_t index;
  inf_buf text;
  bool has_text; /* a string came, even an empty one: content is not null */
  inf_buf reasoning;
  const char *reasoning_name; /* "reasoning_content" or "reasoning" */
  inf_buf refusal;
  bool has_refusal;
  inf_tool_call *tool_calls;
  size_t tool_call_count, tool_call_cap;
  inf_buf logprobs; /* elements of logprobs.content, joined by commas */
  inf_buf refusal_logprobs;
  bool has_logprobs;
  inf_buf role;
  inf_buf finish_reason;        /* OpenAI's word */
  inf_buf native_finish_reason; /* the provider's */
  inf_members message_extra;    /* other members of the message */
  inf_members extra;            /* other members of the choice */
} inf_choice;

typedef enum inf_delta_kind {
  INF_DELTA_TEXT,
  INF_DELTA_REASONING,
  INF_DELTA_REFUSAL,
  INF_DELTA_TOOL_CALL,      /* text: a piece of the arguments, may be "" */
  INF_DELTA_TOOL_CALL_DONE, /* text: the whole arguments */
  INF_DELTA_LOGPROBS,       /* text: JSON array */
  INF_DELTA_EXTRA,          /* text: JSON object of other delta members */
  INF_DELTA_FINISH,         /* text: the finish reason */
  INF_DELTA_USAGE,          /* text: JSON object */
} inf_delta_kind;

typedef struct inf_delta {
  inf_delta_kind kind;
  uint32_t choice;
  uint32_t tool; /* place among the choice's tool calls, from 0 */
  inf_sv text;
  inf_sv tool_id, tool_name;
} inf_delta;

typedef void (*inf_delta_fn)(void *context, const inf_delta *delta);

typedef struct inf_answer {
  inf_buf id, model;
  inf_members extra;   /* other members of the top object */
  int64_t created;     /* -1: unknown */
  inf_choice *choices; /* in the order of their index */
  size_t choice_count, choice_cap;
  size_t choices_made; /* of which so many have buffers, used or spare */
  inf_usage usage;     /* of this attempt alone */
  inf_buf usage_json;  /* the provider's usage object as sent */
  /* Of an answer that goes on where another ended: answer_join.c. */
  int64_t prior_tokens; /* of the output that came before; 0: none did */
  bool prior_estimated;
  inf_sv echo;      /* what may come again first, borrowed; "" for nothing */
  size_t echo_held; /* of it, what has come and was not taken as text yet */
  size_t bytes, max_bytes;
  int32_t status;
  inf_buf scratch; /* what the listener is told, where it must be composed */
  inf_delta_fn listener;
  void *listener_context;
} inf_answer;

void inf_answer_init(inf_answer *answer, size_t max_bytes);
void inf_answer_fini(inf_answer *answer);
/* Empties it for an answer of at most max_bytes, without a listener; some
 * memory is kept. */
void inf_answer_reuse(inf_answer *answer, size_t max_bytes);
/* Moves everything but the listener; from is empty afterwards. */
void inf_answer_move(inf_answer *to, inf_answer *from);
/* A copy in one block of memory: how large that must be, and the copy. It is
 * for reading only; the block belongs to the caller, who frees it instead of
 * calling inf_answer_fini(). memory is aligned as for any object. Gives what
 * the copy takes: if that is more than room, there is no copy. */
size_t inf_answer_packed_bytes(const inf_answer *from);
size_t inf_answer_pack(inf_answer *to, const inf_answer *from, void *memory,
                       size_t room);

/* An empty id or model, and a time that is not above 0, change nothing once
 * there is one; else the last stands. */
void inf_answer_set_id(inf_answer *answer, inf_sv id);
void inf_answer_set_model(inf_answer *answer, inf_sv model);
void inf_answer_set_created(inf_answer *answer, int64_t seconds);
/* A member of the top object, by its raw JSON; the last value stands. */
void inf_answer_set_extra(inf_answer *answer, inf_sv name, inf_sv json);
/* Figures that are known (>= 0) replace earlier ones. json may be empty. The
 * listener hears of it once, from inf_answer_end(). */
void inf_answer_set_usage(inf_answer *answer, const inf_usage *usage,
                          inf_sv json);

/* Text is given decoded, as UTF-8. An empty text is recorded (content is ""
 * then, not null) but tells the listener nothing. */
void inf_answer_add_text(inf_answer *answer, uint32_t choice, inf_sv text);
void inf_answer_add_reasoning(inf_answer *answer, uint32_t choice, inf_sv text,
                              const char *member_name);
void inf_answer_add_refusal(inf_answer *answer, uint32_t choice, inf_sv text);
void inf_answer_set_role(inf_answer *answer, uint32_t choice, inf_sv role);
/* Elements (without brackets) of logprobs.content or .refusal. */
void inf_answer_add_logprobs(inf_answer *answer, uint32_t choice, inf_sv json,
                             bool refusal);
/* A piece of a tool call. Which call it belongs to: a known index with a new
 * non-empty id starts another call; an empty or repeated id continues it;
 * without index (INF_TOOL_NO_INDEX) by id, else the last one. name and type:
 * the first non-empty one stands. Gives its place, or SIZE_MAX on error. */
size_t inf_answer_add_tool_call(inf_answer *answer, uint32_t choice,
                                uint32_t index, inf_sv id, inf_sv type,
                                inf_sv name, inf_sv arguments);
void inf_answer_set_tool_extra(inf_answer *answer, uint32_t choice, size_t tool,
                               inf_sv name, inf_sv json);
/* Members of the message or choice that have no place of their own. A string
 * that comes again in a stream (merge true) is joined, an array extended, an
 * object merged member by member; else the last value stands. */
void inf_answer_set_message_extra(inf_answer *answer, uint32_t choice,
                                  inf_sv name, inf_sv json, bool merge);
void inf_answer_set_choice_extra(inf_answer *answer, uint32_t choice,
                                 inf_sv name, inf_sv json);
/* reason: OpenAI's word; native: as sent. A later non-empty one replaces an
 * earlier one. Completes the choice's tool calls; one that goes on after that
 * is completed again, with all of its arguments. */
void inf_answer_finish(inf_answer *answer, uint32_t choice, inf_sv reason,
                       inf_sv native);
/* The proper end of the whole answer: tool calls still open are done. */
void inf_answer_end(inf_answer *answer);

inf_choice *inf_answer_choice(const inf_answer *answer, uint32_t index);
/* How much the choice says: text, reasoning, refusal, and names and arguments
 * of tool calls. */
size_t inf_choice_content_bytes(const inf_choice *choice);
/* Text, reasoning, refusal or a tool call anywhere? */
bool inf_answer_has_content(const inf_answer *answer);
/* The usage object: the provider's own, or one of the figures at hand; with
 * "x_estimated": true if they are estimates. False, with nothing written,
 * where there is none. */
bool inf_answer_write_usage(const inf_answer *answer, inf_buf *out);
/* ---- Going on where another attempt ended: answer_join.c ----------------- */

/* Is it the beginning of an answer that another model may go on with: no more
 * than text of choice 0, and not its end? */
bool inf_answer_is_plain_text(const inf_answer *answer);
/* The answer, which must be new, goes on after that text (borrowed until its
 * end), which took so many tokens. A repetition of the whole text before the
 * rest is not part of it; a shorter one is, since it may be meant. Where the
 * text is shorter than echo_min_bytes all is. */
void inf_answer_go_on(inf_answer *answer, inf_sv text, int64_t tokens,
                      bool tokens_estimated, size_t echo_min_bytes);
/* For inf_answer_add_text(): takes what may be an echo off the front of text.
 * False if that is all of it. */
bool inf_answer_pass_echo(inf_answer *answer, uint32_t choice, inf_sv *text);
/* No more text comes: what was held for an echo is text. */
void inf_answer_end_echo(inf_answer *answer);
/* Puts the text in front of that of choice 0; the listener knows it already.
 * False, with nothing changed, if memory is short. */
bool inf_answer_join(inf_answer *answer, inf_sv text);
/* Figures of the whole answer: what came before counts as output and not as
 * prompt, as if one attempt had written all of it. The total stays. */
inf_usage inf_answer_whole_usage(const inf_answer *answer);

/* What was said of the whole so far, as a chat.completion.chunk object without
 * choices. */
void inf_answer_write_head(const inf_answer *answer, inf_buf *out);
/* The whole as a chat.completion object. */
void inf_answer_write_json(const inf_answer *answer, inf_buf *out);
/* The message object of a choice, as it goes back into a request: without
 * annotations, with no more of audio than its id, and with reasoning only
 * beside tool calls, where models want it back; elsewhere some refuse it. */
void inf_answer_write_message(const inf_answer *answer, uint32_t choice,
                              inf_buf *out);

#endif
