/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_TOOL_IDS_H
#define INF_PROVIDER_TOOL_IDS_H

#include "base/buf.h"

/* Ids of tool calls in a conversation that may have begun with another
 * service. Some give none (Gemini, Ollama before 2026), most refuse a call or
 * a result without one, and Mistral takes only ids of its own form.
 *
 * A call without an id is named "call_N" by its place among all calls of the
 * conversation, so that the same conversation gets the same ids each time. A
 * result without an id answers the calls of the last message that has any, in
 * order. An id that does not have the wanted form becomes one that has, made
 * of its hash: so call and result still agree. */

typedef enum inf_tool_id_form {
  INF_TOOL_ID_ANY,
  /* Nine of a-z, A-Z, 0-9: "Tool call id was ... but must be a-z, A-Z, 0-9,
   * with a length of 9" (Mistral). */
  INF_TOOL_ID_NINE,
  INF_TOOL_ID_FREE, /* none are needed: nothing is repaired (Z.ai) */
} inf_tool_id_form;

typedef struct inf_tool_ids {
  inf_tool_id_form form;
  size_t seen;     /* calls before those of `calls` */
  inf_sv calls;    /* of the last message that has any: its array */
  size_t count;    /* of them */
  size_t answered; /* results without an id that came after it */
} inf_tool_ids;

/* To be told of each message, in order, before it is written. */
void inf_tool_ids_see(inf_tool_ids *ids, inf_sv message);
/* Appends the text of the id of one of the calls. */
void inf_tool_ids_of_call(const inf_tool_ids *ids, size_t place, inf_buf *out);
/* Which of the calls a result answers; SIZE_MAX for none of them. Takes the
 * next of them for one without an id: so once for each result. */
size_t inf_tool_ids_answered(inf_tool_ids *ids, inf_sv result);
/* Appends the text of a result's id; place is what inf_tool_ids_answered()
 * gave. Nothing if it has none and answers no call. */
void inf_tool_ids_of_result(const inf_tool_ids *ids, inf_sv result,
                            size_t place, inf_buf *out);
/* Is there anything to repair in these messages (joined by commas)? */
bool inf_tool_ids_needed(inf_tool_id_form form, inf_sv messages);

#endif
