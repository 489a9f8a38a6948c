/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_REQUEST_H
#define INF_TOOLS_SIM_REQUEST_H

#include "sim_mem.h"

/* What a chat completion request asks for, as far as the simulator cares. */
typedef struct inf_sim_request {
  inf_buf model;
  bool stream, include_usage, logprobs;
  uint64_t n;            /* choices */
  uint64_t top_logprobs; /* with each token */
  uint64_t max_tokens;   /* UINT64_MAX: not given */
  bool max_tokens_given;
  uint64_t prompt_tokens; /* estimated: one for four bytes of text */
  /* Is the last message from the assistant? Its text, then. */
  bool prefilled;
  inf_buf prefill;
  /* How it asks to be gone on from: "prefix" of the message, and
   * continue_final_message of the request without add_generation_prompt. */
  bool prefix, continue_final_message;
  inf_buf last_user; /* text of the last message from the user */
  /* Of model and messages without the prefill: equal for the same question,
   * streamed or not. */
  uint64_t hash;
  /* Of embeddings, see sim_embed.h. */
  inf_buf input; /* as the body has it */
  uint64_t dimensions;
  bool base64;
} inf_sim_request;

void inf_sim_request_init(inf_sim_request *request);
void inf_sim_request_fini(inf_sim_request *request);

/* Reads a body. NULL, or what is wrong with it for a 400; the request is then
 * filled as far as it was read. */
const char *inf_sim_request_read(inf_sim_request *request, inf_sv body);

/* FNV-1a over text, going on from hash; INF_SIM_HASH_START to begin. */
#define INF_SIM_HASH_START 14695981039346656037ull
uint64_t inf_sim_hash(uint64_t hash, inf_sv text);

#endif
