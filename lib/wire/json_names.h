/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_JSON_NAMES_H
#define INF_WIRE_JSON_NAMES_H

#include "wire/json_value.h"
#include "wire/swar.h"

/* Members of an object by the names that mean something to its reader: a table
 * of them, in the order in which they mostly come, and one pass over the
 * object. inf_json_get() goes through it anew for each. */

typedef struct inf_json_name {
  const char *text;
  size_t len;
} inf_json_name;

#define INF_JSON_NAME(literal)   \
  {                              \
    literal, sizeof(literal) - 1 \
  }

static inline bool
inf_json_is_name(inf_sv key, const inf_json_name *name)
{
  return key.len == name->len && inf_swar_same(key.ptr, name->text, key.len);
}

/* Which of the names the raw key is, escapes taken into account; count for
 * another one. index: of the text; NULL: there is none. */
size_t inf_json_search_name(const inf_json_index *index, inf_sv key,
                            const inf_json_name *names, size_t count);

/* The same of the member at hand. *next, 0 at first, is which name is expected:
 * only where another comes is there a search. */
static inline size_t
inf_json_find_name(const inf_json_iter *it, const inf_json_name *names,
                   size_t count, size_t *next)
{
  size_t at = *next;
  if (at == count || !inf_json_is_name(it->key, &names[at]))
    at = inf_json_search_name(it->index, it->key, names, count);
  if (at < count)
    *next = at + 1;
  return at;
}

/* Picks several members: values[i] becomes what inf_json_get() gives of
 * names[i]. Has the object these members alone, and none of them twice? False
 * for what is no object. index: as for inf_json_iter_by(). */
bool inf_json_pick(const inf_json_index *index, inf_sv object,
                   const inf_json_name *names, size_t count, inf_sv *values);

#endif
