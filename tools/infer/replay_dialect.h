/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_DIALECT_H
#define INF_TOOLS_REPLAY_DIALECT_H

#include "engine/client.h"

/* What a replay's clients and its simulated providers speak, whatever type a
 * provider has: hardly any bytes, since a replay is about times, limits and
 * money, and not about JSON. Everything above the dialect is as it ships.
 *
 * A request's address is its base URL, it has no headers, and its body is five
 * words: the number of the call's place, the number of the key, "stream" or
 * "whole", the tokens of the answer that are there already, and the model. The
 * place stands at the beginning of the user's message, inf_replay_mark().
 *
 * A stream has events of text, four bytes for each token, and a last one of
 * ". PROMPT ANSWER CACHED", the usage (CACHED is -1 where there is no cache); a
 * whole answer is these three numbers in a JSON array. */

#define INF_REPLAY_BYTES_PER_TOKEN 4
#define INF_REPLAY_MARK_BYTES      40

typedef struct inf_replay_ask {
  uint64_t place;
  unsigned key;
  bool stream;
  uint32_t prior_tokens;
  inf_sv model; /* within the body */
} inf_replay_ask;

/* From now on all providers of the client speak it. Before the first call. The
 * kinds that this makes are the caller's to free with inf_free(), after the
 * client. NULL: memory is short. */
inf_provider_kind *inf_replay_speak(struct infer_client *client);

/* The beginning of a message; gives its length. */
size_t inf_replay_mark(uint64_t place, char out[INF_REPLAY_MARK_BYTES]);
/* False where the body is none of the above. */
bool inf_replay_read_ask(inf_sv body, inf_replay_ask *ask);
/* Appends a piece of an answer's text; the end of a stream; a whole answer. */
void inf_replay_put_text(inf_buf *body, uint32_t tokens);
void inf_replay_put_end(inf_buf *body, uint32_t prompt, uint32_t answer,
                        int64_t cached);
void inf_replay_put_whole(inf_buf *body, uint32_t prompt, uint32_t answer,
                          int64_t cached);
/* Letters of which each four are a token, so many tokens at least; the same
 * memory for all. */
const char *inf_replay_filler(uint32_t tokens);

#endif
