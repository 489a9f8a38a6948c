/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_MEMBERS_H
#define INF_PROVIDER_MEMBERS_H

#include "base/buf.h"

/* Members of a JSON object that have no place of their own in an answer, kept
 * as raw JSON in the order of their first coming, so that they pass through.
 *
 * A member that arrives in pieces (a stream's deltas) only collects them;
 * they are merged when the object is written. So a piece costs what it is
 * long, however long the whole has become. */

typedef struct inf_member {
  inf_buf name;   /* as between the quotes: escapes untouched */
  inf_buf pieces; /* JSON array of the pieces */
  size_t count;
} inf_member;

typedef struct inf_members {
  inf_member *list;
  size_t count, cap;
  size_t made; /* elements of the list that have buffers, used or spare */
} inf_members;

/* More names than this in one object are INFER_E_TOO_LARGE. */
#define INF_MEMBERS_MAX 256

/* The zero-initialised struct is empty. */
void inf_members_fini(inf_members *members);

/* Empties it; some memory is kept for the next use. */
void inf_members_clear(inf_members *members);

/* The name is raw, the value JSON; a null value changes nothing: in an answer
 * it says no more than absence does. INFER_OK, INFER_E_NO_MEMORY or
 * INFER_E_TOO_LARGE. */

/* The value takes the place of what is there. */
int32_t inf_members_set(inf_members *members, inf_sv name, inf_sv json);
/* The value is a further piece: strings are joined, arrays extended, objects
 * merged member by member (with more than INF_MEMBERS_MAX names they are only
 * put one after another); of anything else, and of strings whose name tells
 * that they name something ("id", "type", ...), the last stands. Elements of
 * "reasoning_details" with the same index and type are pieces of one. */
int32_t inf_members_add_piece(inf_members *members, inf_sv name, inf_sv json);

/* Is it a name whose strings name something? */
bool inf_members_is_label(inf_sv name);
/* Is this, as one piece, the member's value already? */
bool inf_members_is(const inf_members *members, inf_sv name, inf_sv json);
/* Number of bytes that the pieces of a member take, 0 if there is none. */
size_t inf_members_size(const inf_members *members, inf_sv name);
bool inf_members_has(const inf_members *members, inf_sv name);
/* The value, merged, without its name. */
int32_t inf_members_write_value(const inf_members *members, inf_sv name,
                                inf_buf *out);
/* All members into an open object. */
int32_t inf_members_write(const inf_members *members, inf_buf *out);
/* Writes a member's raw name and the colon into an open object. */
void inf_members_put_name(inf_buf *out, inf_sv raw_name);

#endif
