/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_EMBED_H
#define INF_PROVIDER_EMBED_H

#include "provider/dialect.h"
#include "provider/vectors.h"

/* Embeddings: requests of n inputs, answers of n vectors.
 *
 * A request is an inf_chat whose messages are its inputs: JSON strings, or (of
 * services that speak OpenAI's protocol) arrays of token numbers. Of its
 * members these mean the same everywhere:
 *
 *   dimensions       numbers of a vector, where the model can choose
 *   encoding_format  how the answer is to be written for the application; what
 *                    the service sends is our own affair
 *   user             left out where a service has none
 *   input_type       what the text is for, in Cohere's words ("search_query",
 *                    "search_document", "classification", "clustering") or
 *                    the service's own; left out at OpenAI and Azure
 *
 * All others go out as they are, or are refused where a service has no place
 * for them. */

/* Without a limit of its own a service gets so many inputs at once: what a
 * server of text-embeddings-inference takes as it is delivered
 * (--max-client-batch-size, its README, read 2026-11). */
#define INF_EMBED_SAFE_INPUTS 32

/* Makes the request of an OpenAI embeddings object: "model", "input" (a string,
 * an array of strings, of token numbers, or of arrays of such) and members.
 * Errors as inf_chat_from_json(). */
int32_t inf_embed_from_json(inf_chat *chat, inf_sv json, const char **reason,
                            size_t *offset);
/* Adds an input. A request has inputs or messages, not both. */
int32_t inf_embed_add_input(inf_chat *chat, inf_sv text, const char **reason);
/* Is there anything to send, and are the members that we read well-formed? */
int32_t inf_embed_check(const inf_chat *chat, const char **reason);
/* Of the member "dimensions"; 0: there is none, or it is not a length. */
size_t inf_embed_dimensions(inf_sv member);

/* What one request to the service may hold; bytes 0: any number. */
typedef struct inf_embed_limits {
  size_t inputs, bytes;
} inf_embed_limits;

inf_embed_limits inf_embed_limits_of(const inf_provider_kind *kind,
                                     inf_sv model);
/* Takes as many inputs off the front of a list (as chat->messages) as the
 * limits allow, at least one. *count 0: the list was empty. */
inf_sv inf_embed_slice(inf_sv *inputs, inf_embed_limits limits, size_t *count);

/* Reads a whole body that came with 2xx into vectors, which has been cleared,
 * and what else it tells into answer. The figures of usage that did not come
 * are estimated from prompt_bytes (4 bytes a token) and marked. INFER_OK,
 * INFER_E_NO_MEMORY, INFER_E_TOO_LARGE, INFER_E_TOO_DEEP, or with a line in why
 * INFER_E_TRUNCATED for a text that just stops and INFER_E_PROTOCOL for any
 * other answer that has not one vector for each input. */
int32_t inf_embed_read(const inf_provider_kind *kind, inf_sv body,
                       unsigned max_depth, size_t prompt_bytes,
                       inf_vectors *vectors, inf_answer *answer, inf_buf *why);

/* What dialects have as write_embed and read_embed. */
int32_t inf_openai_write_embed(const inf_send *send, inf_wire_request *out,
                               inf_buf *why);
int32_t inf_openai_read_embed(inf_sv body, inf_vectors *vectors,
                              inf_answer *answer, inf_buf *why);
int32_t inf_cohere_write_embed(const inf_send *send, inf_wire_request *out,
                               inf_buf *why);
int32_t inf_cohere_read_embed(inf_sv body, inf_vectors *vectors,
                              inf_answer *answer, inf_buf *why);
int32_t inf_gemini_write_embed(const inf_send *send, inf_wire_request *out,
                               inf_buf *why);
int32_t inf_gemini_read_embed(inf_sv body, inf_vectors *vectors,
                              inf_answer *answer, inf_buf *why);
int32_t inf_ollama_write_embed(const inf_send *send, inf_wire_request *out,
                               inf_buf *why);
int32_t inf_ollama_read_embed(inf_sv body, inf_vectors *vectors,
                              inf_answer *answer, inf_buf *why);
/* The body alone: of Amazon's Titan or Cohere's models, by the model's name. */
int32_t inf_bedrock_write_embed_body(const inf_send *send, inf_buf *body,
                                     inf_buf *why);
int32_t inf_bedrock_read_embed(inf_sv body, inf_vectors *vectors,
                               inf_answer *answer, inf_buf *why);

#endif
