/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_JSON_INDEX_H
#define INF_WIRE_JSON_INDEX_H

#include "base/sv.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the values of a JSON text stand: what inf_json_scan() saw on its way,
 * so that readers go from value to value without a second look at the bytes
 * between. One entry a value, in the order of the text; of a longer text there
 * is no index, and readers look for themselves. */

enum { INF_JSON_INDEX_MAX = 160, INF_JSON_INDEX_SLOTS = 64 };

typedef struct inf_json_entry {
  uint32_t key, key_len; /* of a member: offset and length of its raw name */
  uint32_t start, end;   /* of the value */
  uint32_t next;         /* the entry of the value after it; while it is open,
                          * that of the container around it */
} inf_json_entry;

typedef struct inf_json_index {
  const char *text; /* offsets count from here; NULL: there is no index */
  uint32_t count;
  /* What was seen on the way, also where there is no index. */
  bool ascii;               /* all of the value is */
  const char *first_escape; /* a backslash; NULL: there is none */
  const char *last_escape;
  /* By offset modulo their number: the entry of the last container that begins
   * at such an offset, which most likely is the one that is looked for. */
  uint8_t slots[INF_JSON_INDEX_SLOTS];
  inf_json_entry entries[INF_JSON_INDEX_MAX];
} inf_json_index;

static inline bool
inf_json_entry_is(const inf_json_entry *entry, size_t start, size_t len)
{
  return entry->start == start && entry->end - entry->start == len;
}

/* The entry of the value, NULL if it has none: then the value is not of that
 * text, or the text has no index. index may be NULL. */
static inline const inf_json_entry *
inf_json_index_find(const inf_json_index *index, inf_sv value)
{
  if (!index || !index->text || value.len == 0 || value.ptr < index->text)
    return NULL;
  size_t start = (size_t)(value.ptr - index->text);
  uint32_t slot = index->slots[start % INF_JSON_INDEX_SLOTS];
  if (slot < index->count &&
      inf_json_entry_is(&index->entries[slot], start, value.len))
    return &index->entries[slot];
  /* The last of count entries from there on that does not begin after it. */
  const inf_json_entry *found = index->entries;
  for (uint32_t count = index->count; count > 1;) {
    uint32_t half = count / 2;
    found += found[half].start <= start ? half : 0;
    count -= half;
  }
  return index->count > 0 && inf_json_entry_is(found, start, value.len) ? found
                                                                        : NULL;
}

/* May there be an escape in a part of the text? */
static inline bool
inf_json_index_may_escape(const inf_json_index *index, inf_sv part)
{
  return !index || (part.len > 0 && index->first_escape &&
                    part.ptr <= index->last_escape &&
                    part.ptr + part.len > index->first_escape);
}

#endif
