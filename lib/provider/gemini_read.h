/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_GEMINI_READ_H
#define INF_PROVIDER_GEMINI_READ_H

#include "provider/dialect.h"

/* Reading Gemini's generateContent and streamGenerateContent: the read_*
 * functions of a dialect (see dialect.h). What becomes of its parts:
 *
 *   text           the text; with "thought", reasoning_content
 *   functionCall   a tool call. Its arguments are "args" as it came, to the
 *                  byte; where it has no id it is given one that
 *                  inf_gemini_is_made_id() knows again
 *   inlineData     an image is one of "images", as [{"type": "image_url",
 *                  "image_url": {"url": "data:..."}}], with "signature"
 *                  where it has one
 *   anything else  one of "content_parts", as it came: code and its result,
 *                  other data, files, what the provider's own tools did
 *
 * A thoughtSignature, without which a model does not know its thoughts again,
 * is one of "reasoning_details", all with "format": "google-gemini-v1":
 *
 *   {"type": "reasoning.encrypted", "data": S, "id": I}  of the call with that
 *                              id; without an id of the text, or with "alone":
 *                              true of a part that had no text
 *   {"type": "reasoning.text", "text": T, "signature": S}   of a thought
 *
 * Other members of a candidate (groundingMetadata, citationMetadata,
 * safetyRatings, ...) are members of the choice under their own names.
 * logprobsResult becomes logprobs. Of the whole, promptFeedback stands beside
 * the choices, and usageMetadata too where the end came.
 *
 * Input counts the prompt and what the provider's tools added to it, output
 * thoughts too. A prompt that was blocked is INFER_E_CONTENT_FILTER; an answer
 * that was blocked ends with finish reason content_filter. */
int32_t inf_gemini_read_body(inf_decoder *decoder, inf_sv body);
int32_t inf_gemini_read_event(inf_decoder *decoder, const inf_sse_event *event);

/* Is it an id that was made here, for a call that had none? */
bool inf_gemini_is_made_id(inf_sv id);

#endif
