/* SPDX-License-Identifier: MIT */
#include "wire/json_names.h"

/* A name may be written with escapes, though nobody does. */
static size_t
search_escaped(inf_sv key, const inf_json_name *names, size_t count)
{
  const inf_json_iter it = {.key = key};
  size_t i = 0;
  if (key.len == 0 || !memchr(key.ptr, '\\', key.len))
    return count;
  while (i < count &&
         !inf_json_key_is(&it, inf_sv_of(names[i].text, names[i].len)))
    i++;
  return i;
}

size_t
inf_json_search_name(const inf_json_index *index, inf_sv key,
                     const inf_json_name *names, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (inf_json_is_name(key, &names[i]))
      return i;
  return inf_json_index_may_escape(index, key)
             ? search_escaped(key, names, count)
             : count;
}

bool
inf_json_pick(const inf_json_index *index, inf_sv object,
              const inf_json_name *names, size_t count, inf_sv *values)
{
  size_t next = 0;
  bool alone = true;
  inf_json_iter it = inf_json_iter_by(index, object);
  for (size_t i = 0; i < count; i++)
    values[i] = inf_sv_of(NULL, 0);
  if (!it.object)
    return false;
  while (inf_json_next(&it)) {
    size_t at = inf_json_find_name(&it, names, count, &next);
    if (at == count) {
      alone = false;
      continue;
    }
    alone = alone && values[at].len == 0;
    values[at] = it.value;
  }
  return alone;
}
