/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_CHAT_H
#define INF_PROVIDER_CHAT_H

#include "base/buf.h"

/* A chat request as the caller meant it, in OpenAI's shape, before any
 * provider's dialect. It stays text: the messages and all other members are
 * kept as checked JSON, so that unknown members and every digit pass through
 * untouched, and a copy is three memcpys. */
typedef struct inf_chat {
  inf_buf model;    /* as the caller named it */
  inf_buf messages; /* JSON values joined by commas, without the brackets */
  size_t message_count;
  bool inputs; /* they are no messages, but what is to be embedded: embed.h */
  /* JSON object of all other members ("{}" when empty): never "model",
   * "messages" or "stream"; each name once. */
  inf_buf members;
} inf_chat;

/* Largest request, all parts together: 64 MiB (images travel in it). */
#define INF_CHAT_MAX_BYTES ((size_t)64 << 20)
#define INF_CHAT_MAX_DEPTH 128

void inf_chat_init(inf_chat *chat);
void inf_chat_fini(inf_chat *chat);

/* The functions below return INFER_OK, INFER_E_NO_MEMORY, INFER_E_TOO_LARGE
 * or INFER_E_INVALID_ARGUMENT; in the last case *reason (may be NULL) becomes
 * a static text, and for JSON mistakes *offset (may be NULL) their place.
 * A failed call changes nothing. */

int32_t inf_chat_from_json(inf_chat *chat, inf_sv json, const char **reason,
                           size_t *offset);
int32_t inf_chat_set_model(inf_chat *chat, inf_sv model, const char **reason);
/* The same of a request's member "model". */
int32_t inf_chat_take_model(inf_chat *chat, inf_sv value, const char **reason);
int32_t inf_chat_add_message(inf_chat *chat, inf_sv role, inf_sv text,
                             const char **reason);
/* A message object; must have a string member "role". */
int32_t inf_chat_add_message_json(inf_chat *chat, inf_sv json,
                                  const char **reason, size_t *offset);
/* Sets, replaces or (null) removes a member. */
int32_t inf_chat_set_member(inf_chat *chat, inf_sv name, inf_sv json,
                            const char **reason, size_t *offset);
inf_sv inf_chat_member(const inf_chat *chat, inf_sv name);
/* The empty view if there is none. */
inf_sv inf_chat_last_message(const inf_chat *chat);
/* Appends one element to the array member `name`, made when absent. */
int32_t inf_chat_append_to_member(inf_chat *chat, inf_sv name, inf_sv json);
/* Is there anything to send: a model and at least one message? */
int32_t inf_chat_check(const inf_chat *chat, const char **reason);
/* As one JSON object. */
void inf_chat_write_json(const inf_chat *chat, inf_buf *out);

#endif
