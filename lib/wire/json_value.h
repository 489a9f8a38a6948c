/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_JSON_VALUE_H
#define INF_WIRE_JSON_VALUE_H

#include "base/buf.h"
#include "wire/json_index.h"

/* Reading the values of a JSON text that json_scan.h has checked. A value is
 * a view of its bytes; nothing is copied but decoded strings. On unchecked
 * text the answers mean nothing, but no byte outside the view is read. */

typedef enum inf_json_type {
  INF_JSON_NONE, /* the empty view: no such member */
  INF_JSON_NULL,
  INF_JSON_FALSE,
  INF_JSON_TRUE,
  INF_JSON_NUMBER,
  INF_JSON_STRING,
  INF_JSON_ARRAY,
  INF_JSON_OBJECT,
} inf_json_type;

inf_json_type inf_json_type_of(inf_sv value);
static inline bool
inf_json_is(inf_sv value, inf_json_type type)
{
  return inf_json_type_of(value) == type;
}

/* Iterating objects and arrays. A value of another type has no items.
 *
 *   inf_json_iter it = inf_json_iter_of(value);
 *   while (inf_json_next(&it)) use(it.key, it.value);
 */
typedef struct inf_json_iter {
  const char *at, *end;
  bool object;
  inf_sv key;   /* raw text of the name without quotes, escapes untouched */
  inf_sv value; /* raw text of the value */
  const inf_json_index *index; /* NULL: there is none */
  uint32_t entry, stop;        /* the next value's entry, and the end */
} inf_json_iter;

inf_json_iter inf_json_iter_of(inf_sv value);
/* The same by the index of the text that the value stands in, which is faster.
 * Where it has none (NULL, a text too long, another text) it is of no use, and
 * of no harm. It must outlive the iterator. */
inf_json_iter inf_json_iter_by(const inf_json_index *index, inf_sv value);
/* What inf_json_next() does where there is no index: the iterator with the
 * next item, an empty value at the end. It is by value so that an iterator by
 * an index, which goes nowhere else, can stay in registers. */
inf_json_iter inf_json_next_in_text(inf_json_iter it);
static inline bool
inf_json_next(inf_json_iter *it)
{
  const inf_json_index *index = it->index;
  if (!index) {
    if (it->at == it->end)
      return false;
    *it = inf_json_next_in_text(*it);
    return it->value.len > 0;
  }
  if (it->entry == it->stop)
    return false;
  const inf_json_entry *entry = &index->entries[it->entry];
  if (it->object)
    it->key = inf_sv_of(index->text + entry->key, entry->key_len);
  it->value = inf_sv_of(index->text + entry->start, entry->end - entry->start);
  it->entry = entry->next;
  return true;
}
/* Does the name equal the text, escapes taken into account? */
bool inf_json_key_is(const inf_json_iter *it, inf_sv name);
size_t inf_json_count(inf_sv value);
/* Is it an array or object with anything in it? */
bool inf_json_has_items(inf_sv value);

/* Value of a member, the empty view if there is none or value is no object.
 * inf_json_path() walks several names separated by dots: "usage.details.x"
 * (for names without dots only). */
inf_sv inf_json_get(inf_sv object, inf_sv name);
inf_sv inf_json_path(inf_sv object, const char *path);
inf_sv inf_json_at(inf_sv array, size_t index);

/* Appends the decoded text of a string value: escapes resolved, surrogate
 * pairs joined, lone surrogates and invalid UTF-8 replaced by U+FFFD. False
 * if it is no string or the buffer failed. */
bool inf_json_string(inf_sv value, inf_buf *out);
/* Same for the raw text between the quotes (it.key). */
bool inf_json_unescape(inf_sv raw, inf_buf *out);
/* The text between the quotes of a string that has no escapes and is plain
 * valid UTF-8; false otherwise (then use inf_json_string()). */
bool inf_json_plain(inf_sv value, inf_sv *text);
/* The same in a text that is known to be valid UTF-8. */
bool inf_json_plain_in_valid(inf_sv value, inf_sv *text);
/* Does the string value equal the text? False for other types. */
bool inf_json_equal(inf_sv value, inf_sv text);

/* Numbers. A string that holds a number ("12") is accepted where lax is true.
 * int64: also 12.0 and 1e3 if exact; false when out of range or fractional. */
bool inf_json_int64(inf_sv value, bool lax, int64_t *number);
bool inf_json_double(inf_sv value, bool lax, double *number);

/* Does the value of a member ask for nothing: null, false, 0, "", [], {}, or no
 * value at all? */
bool inf_json_is_nothing(inf_sv value);

#endif
