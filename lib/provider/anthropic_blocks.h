/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_ANTHROPIC_BLOCKS_H
#define INF_PROVIDER_ANTHROPIC_BLOCKS_H

#include "provider/dialect.h"

/* What OpenAI's shape has no place for and the next request needs: the
 * signatures of thinking, and the blocks of tools that the provider runs
 * itself, of citations, of what is to come.
 *
 * reasoning_details of the message has an element for each block of thinking
 * that is signed, in order:
 *
 *   {"type": "reasoning.text", "index": I, "format": "anthropic-claude-v1",
 *    "text": S, "signature": S}
 *   {"type": "reasoning.encrypted", "index": I,
 *    "format": "anthropic-claude-v1", "data": S}        what was redacted
 *
 * anthropic_content is there only if the content cannot be told from content,
 * reasoning_details and tool_calls: because of a block of another type, of
 * citations, of a caller other than the model, or because the order is not
 * thinking, text, calls. It is the whole content as the provider has it, and
 * goes back as it is.
 *
 * In a stream that is known only at the end. So a log is kept in the decoder's
 * `carry`: how each block began and what came of it, but no text, which the
 * answer has. */

/* A block begins; before anything of it is added to the answer. */
void inf_anthropic_open_block(inf_decoder *decoder, uint32_t index,
                              inf_sv block);
/* A piece of the block that has no place in the answer. */
void inf_anthropic_log_delta(inf_decoder *decoder, uint32_t index,
                             inf_sv delta);
/* The block at hand ends, if there is one. Gives how it began, borrowed until
 * the next of these calls; "" if there is none. */
inf_sv inf_anthropic_close_block(inf_decoder *decoder);
/* The content is whole: adds anthropic_content where it is needed. */
void inf_anthropic_end_blocks(inf_decoder *decoder);

/* The same for content that came whole, an array. */
void inf_anthropic_keep_content(inf_decoder *decoder, inf_sv content);

/* The call that has the number of this block; NULL if none has. */
const inf_tool_call *inf_anthropic_call_of(const inf_answer *answer,
                                           uint32_t block);

#endif
