/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_CONTENT_H
#define INF_TOOLS_SIM_CONTENT_H

#include "sim_behaviour.h"
#include "sim_request.h"

/* What an answer says, before anybody decides how it is sent: the choices,
 * each as a row of pieces. The same seed, model and messages give the same
 * content, streamed or not. */

enum inf_sim_piece_kind {
  INF_SIM_REASONING,
  INF_SIM_TEXT,
  INF_SIM_REFUSAL,
  INF_SIM_TOOL_HEAD, /* id and name of a tool call */
  INF_SIM_TOOL_ARGS,
};

/* One event of a stream. start is counted in the choice's text, or in the
 * arguments of the tool. */
typedef struct inf_sim_piece {
  uint32_t start, len;
  uint16_t tokens;
  uint8_t kind;
  uint8_t tool;
} inf_sim_piece;

typedef struct inf_sim_choice {
  inf_buf text;                                   /* all sections in a row */
  size_t reasoning_len, content_len, refusal_len; /* of the sections */
  inf_sim_piece *pieces;
  size_t count, cap;
  uint64_t tokens, reasoning_tokens;
  const char *finish_reason; /* unless the script says another */
} inf_sim_choice;

typedef struct inf_sim_content {
  inf_sim_choice *choices;
  size_t count;
  bool has_text; /* else the message's content is null */
  uint64_t prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens;
  uint64_t billed_tokens; /* completion tokens, as the script's usage says */
  size_t rounds;          /* pieces of the longest choice */
} inf_sim_content;

/* An empty struct is a valid content for fini. */
void inf_sim_content_make(inf_sim_content *content,
                          const inf_sim_behaviour *behaviour,
                          const inf_sim_request *request, uint64_t seed);
void inf_sim_content_fini(inf_sim_content *content);

/* The bytes of a piece, in the choice's text or the tool's arguments. */
inf_sv inf_sim_piece_text(const inf_sim_choice *choice,
                          const inf_sim_piece *piece,
                          const inf_sim_behaviour *behaviour);

/* Length of the token at the start of text: spaces and a word, at most 16
 * bytes, never ending within a character. 0 at the end. */
size_t inf_sim_token_len(inf_sv text);
/* Appends an English-like text of exactly that many tokens. */
void inf_sim_make_text(inf_buf *text, inf_rng *rng, uint64_t tokens);

#endif
