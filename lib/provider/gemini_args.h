/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_GEMINI_ARGS_H
#define INF_PROVIDER_GEMINI_ARGS_H

#include "base/buf.h"

/* A function call's arguments that come in pieces, each with the place that it
 * belongs to (Vertex AI, functionCallingConfig.streamFunctionCallArguments):
 *
 *   {"jsonPath": "$.city", "stringValue": "Par", "willContinue": true}
 *   {"jsonPath": "$.city", "stringValue": "is"}
 *   {"jsonPath": "$.days[0]", "numberValue": 3}
 *
 * Each is turned at once into the bytes of the object that it adds, so that the
 * pieces of the text that come out, joined, are the object. That asks for them
 * in the order of the text: who goes back to a list or object that was left,
 * or skips an element, is refused.
 *
 * The state is a buffer that is empty before the first piece: what the last
 * one's path was and whether its string goes on. Pure; any thread. */

/* INFER_OK and the text appended; INFER_E_PROTOCOL, with nothing appended, for
 * what is no such piece or is out of order; else a buffer's status. */
int32_t inf_gemini_args_piece(inf_buf *state, inf_sv piece, inf_buf *out);
/* The end of the object, "{}" if there was no piece. Empties the state. */
int32_t inf_gemini_args_end(inf_buf *state, inf_buf *out);

#endif
