/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_GEMINI_ALIKE_H
#define INF_PROVIDER_GEMINI_ALIKE_H

#include "provider/dialect.h"
#include "wire/json_index.h"

/* The short way through Gemini's streams (guess.h): chunks that differ only in
 * one text and in how many tokens were used so far. */

/* A chunk was read in full: is it one whose next may be alike? index: of its
 * text. */
void inf_gemini_learn(inf_decoder *decoder, const inf_json_index *index,
                      inf_sv value);
/* Takes the chunk if it is like the last one. */
bool inf_gemini_read_alike_chunk(inf_decoder *decoder, inf_sv chunk);
/* read_alike of the dialect. */
size_t inf_gemini_read_alike(inf_decoder *decoder, inf_sv text, size_t *count);

#endif
