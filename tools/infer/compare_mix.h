/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_MIX_H
#define INF_TOOLS_COMPARE_MIX_H

#include "compare_prompts.h"

/* The built-in prompts: short chat (a question of a line or two), RAG (some
 * 2,000 tokens of passages and a question about one of them), and agent-like (a
 * system message, three tools and a task that needs one).
 *
 * All of them differ, also from those of another seed, so that no provider
 * answers out of a cache; the same seed gives the same ones. */

#define INF_CMP_MIX_CHAT  1
#define INF_CMP_MIX_RAG   2
#define INF_CMP_MIX_AGENT 4
#define INF_CMP_MIX_ALL   7

/* The kinds that "chat,rag" names, 0 if it is wrong. */
int inf_cmp_mix_kinds(const char *text);
/* Adds count prompts, the kinds in turn. False if memory is short. */
bool inf_cmp_mix_add(inf_cmp_prompts *prompts, int kinds, size_t count,
                     uint64_t seed);

#endif
