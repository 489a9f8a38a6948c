/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_ANTHROPIC_ALIKE_H
#define INF_PROVIDER_ANTHROPIC_ALIKE_H

#include "provider/dialect.h"

/* The short way through a run of Anthropic's deltas (see guess.h): those of
 * one block differ in nothing but their text. */

/* A delta of text, or of thinking, was read in full: its value and the string
 * in it. Makes it the template if it says nothing else. */
void inf_anthropic_learn(inf_decoder *decoder, const inf_sse_event *event,
                         inf_sv value, inf_sv string, bool thinking);
/* Is the event's data like that of the template? Then it is read. */
bool inf_anthropic_read_by_guess(inf_decoder *decoder, inf_sv data);
/* read_alike of the dialect. */
size_t inf_anthropic_read_alike(inf_decoder *decoder, inf_sv text,
                                size_t *count);

#endif
