/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_MEMBER_RULES_H
#define INF_PROVIDER_MEMBER_RULES_H

#include "provider/dialect.h"
#include "wire/json_value.h"

/* What becomes of a member that the caller set, where a service has another
 * name for it or none. The rules are data: words with blanks between them.
 *
 *   a=b  it goes out as b, unless there is a b already
 *   -a   it is left out: the answer would be no other with it
 *   !a   it is refused, unless it asks for nothing; then it is left out
 *
 * The first word that fits counts; what no word names goes out as it is. In
 * the rules for messages a word may also name a role: "developer=system". */

typedef enum inf_member_fate {
  INF_MEMBER_AS_IS,
  INF_MEMBER_RENAMED,
  INF_MEMBER_LEFT_OUT,
  INF_MEMBER_REFUSED,
} inf_member_fate;

/* rules may be NULL: there are none. *to: the other name, of a renamed one. */
inf_member_fate inf_member_rule(const char *rules, const inf_json_iter *it,
                                inf_sv *to);
/* null, false, 0, "", [] and {}; of some names the value that is usual, as 1 of
 * "n" and true of "parallel_tool_calls", instead. A seed of 0 and
 * web_search_options of {} ask for something. */
bool inf_member_asks_for_nothing(const inf_json_iter *it);
/* Is it one of the names, words with blanks between them? */
bool inf_member_is_listed(const inf_json_iter *it, const char *names);
/* A line in why (may be NULL) that names the member. INFER_E_UNSUPPORTED. */
int32_t inf_member_refuse(const inf_send *send, inf_sv name, inf_buf *why);

/* For send->dropped: the member is left out. Nothing if it asks for nothing, or
 * is stream_options: the usage that they ask for is always told. */
void inf_member_note_dropped(const inf_send *send, const inf_json_iter *it);
/* The same of a member within one, each once. outer: where it stands, as in
 * "tools.function". */
void inf_member_note_within(const inf_send *send, const char *outer,
                            const inf_json_iter *it);
/* The same of all that the object has but what taken names. */
void inf_member_note_inner(const inf_send *send, const char *outer,
                           inf_sv object, const char *taken);
/* The same of a response_format of which the schema goes out. What makes such
 * an answer strict is nothing that is lost: elsewhere it is so anyway. */
void inf_member_note_format(const inf_send *send, inf_sv format);

/* All members of a request, then those that the account adds and the request
 * lacks. Never "model", "messages" or "stream".
 *
 *   inf_member_walk walk = inf_member_walk_of(send);
 *   while (inf_member_next(&walk)) use(&walk.it);
 *   if (walk.status != INFER_OK) memory is short
 */
typedef struct inf_member_walk {
  const inf_send *send;
  inf_json_iter it;
  bool of_account;
  int32_t status;
} inf_member_walk;

inf_member_walk inf_member_walk_of(const inf_send *send);
bool inf_member_next(inf_member_walk *walk);
/* The member of that name, of the request or else of the account. */
inf_sv inf_member_find(const inf_send *send, inf_sv name);

#endif
