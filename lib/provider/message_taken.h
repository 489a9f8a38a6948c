/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_MESSAGE_TAKEN_H
#define INF_PROVIDER_MESSAGE_TAKEN_H

#include "provider/dialect.h"
#include "wire/json_value.h"

#include <stdbool.h>

/* What a dialect takes of messages in OpenAI's shape, as data: so that what a
 * conversation has beside it is not left out in silence. A message that began
 * elsewhere may have members of any service, and a content part too.
 *
 * The lists are words with blanks between them. NULL: nothing is looked at,
 * since all of it goes out, or what does not is refused. */

typedef struct inf_part_taken {
  const char *type;   /* of the content part */
  const char *part;   /* its members */
  const char *object; /* those of its object, which is named as its type */
} inf_part_taken;

typedef struct inf_message_taken {
  const char *system, *user, *assistant, *tool; /* by role: developer's are
                                                 * those of system */
  const char *call, *function, *custom;         /* of an item of tool_calls */
  const inf_part_taken *parts;                  /* others go out as they are */
  size_t part_count;
  const char *whole; /* a list of an assistant's message that goes out in place
                      * of all else that it has */
  bool (*detail)(
      inf_sv detail); /* does the item of reasoning_details go out? */
} inf_message_taken;

/* Notes for send->dropped, each name once, what the messages of the request
 * have that is not taken: "messages.name", "messages.tool_calls.x",
 * "messages.content.cache_control", "messages.content.image_url.detail",
 * "messages.reasoning_details". Reasoning that goes out as details is not
 * missed as text. Costs nothing where nobody wants to know (send->dropped is
 * NULL). */
void inf_message_note_dropped(const inf_send *send,
                              const inf_message_taken *taken);
/* The text of reasoning, which goes by two names. */
bool inf_message_is_reasoning(const inf_json_iter *it);

#endif
