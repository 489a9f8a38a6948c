/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_QUALITY_H
#define INF_TOOLS_COMPARE_QUALITY_H

#include "compare_data.h"
#include "compare_prompts.h"

/* Whether answers hold up, as far as a program can tell: JSON where it was
 * asked for, the same tool calls as others, how answers end, how long they
 * are. Nobody judges here which answer is the better one. */

/* INF_CMP_JSON_* of a text; schema may be NULL. */
int inf_cmp_judge_json(json_object *schema, const char *text, size_t len);
/* A number for a tool call that is the same for the same name and the same
 * arguments, whatever their order and spacing; 0 for no call. Calls of one
 * answer are added up: their order does not count. */
uint64_t inf_cmp_tool_mark(const char *name, const char *arguments, size_t len);
/* Fills what the sample says of its answer. */
void inf_cmp_judge(inf_cmp_sample *sample, const inf_cmp_prompt *prompt,
                   const infer_response *response);

/* How often subject and others made the same tool calls, or none alike, for
 * the same prompt in the same round: each of the others counts. */
typedef struct inf_cmp_agreement {
  size_t same, compared;
} inf_cmp_agreement;
inf_cmp_agreement inf_cmp_tools_agree(const inf_cmp_data *data, size_t subject);

#endif
