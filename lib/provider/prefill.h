/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_PREFILL_H
#define INF_PROVIDER_PREFILL_H

#include "provider/dialect.h"
#include "wire/json_value.h"

/* A prefill is a partial answer at the end of a request: the model is to go
 * on from there. Services take it in different ways, or not at all, which the
 * catalogue and the configuration tell (inf_prefill).
 *
 * What goes out is the partial answer to the byte, and no word of ours: an
 * instruction to continue would be in one language and would change what the
 * model writes. What it may be sent for is limited to where the model's next
 * token is all that is asked for: one choice of plain text. Tools, log
 * probabilities and output that must fit a schema or grammar have state that
 * the partial text does not carry over.
 *
 * Some services send the prefill back before the rest (Mistral; some versions
 * of llama.cpp's server), others do not (DeepSeek, vLLM), and nothing in the
 * response says which. inf_answer_go_on() therefore drops what equals the
 * whole prefill, and nothing less. That is a proof only if the prefill is so
 * long that no model begins its continuation by repeating it:
 * INF_PREFILL_MIN_BYTES, a few words. Where a shorter one might be echoed,
 * there is no prefill. */
#define INF_PREFILL_MIN_BYTES 16

/* Can the service be given a partial answer of that length? */
bool inf_prefill_fits(inf_prefill prefill, size_t len);
/* Is it a request whose answer may be continued? body_members: what the
 * account adds to it. One that ends with an assistant's message is itself a
 * prefill or means something else by it, and is not. */
bool inf_prefill_allows(const inf_chat *chat, inf_sv body_members);

/* The partial answer as the last message; nothing without one. */
void inf_prefill_write_message(const inf_send *send, inf_buf *messages);
/* Is the member one that the prefill says otherwise? Then writes what it has
 * to be: a token limit less what was delivered, at least 1. */
bool inf_prefill_write_member(const inf_send *send, const inf_json_iter *it,
                              inf_buf *body);
/* The members that ask for the continuation. */
void inf_prefill_write_members(const inf_send *send, inf_buf *body);

#endif
