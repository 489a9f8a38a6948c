/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_SUGGEST_H
#define INF_CONFIG_SUGGEST_H

#include "base/sv.h"

/* "Did you mean": of the names offered, the one that is nearest to a word
 * that was not understood. */
typedef struct inf_suggestion {
  inf_sv word;
  inf_sv name; /* the nearest so far; empty: none is near enough */
  size_t distance;
} inf_suggestion;

void inf_suggest_init(inf_suggestion *suggestion, inf_sv word);
void inf_suggest_offer(inf_suggestion *suggestion, inf_sv name);

#define INF_SUGGEST_TEXT_MAX 96

/* ` (did you mean "x"?)`, or "" when nothing was near. Returns text. */
const char *inf_suggest_text(const inf_suggestion *suggestion,
                             char text[INF_SUGGEST_TEXT_MAX]);

#endif
