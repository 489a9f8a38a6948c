/* SPDX-License-Identifier: MIT */
/* How far json-c is right, and where it is not, stands here once: the unit
 * test of the checker and the fuzzer both ask it. */
#include "support/json_reference.h"

#include <infer/infer.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A copy with room more bytes at its end, and none else to spare: a sanitizer
 * sees every read past it. */
static char *
copy_of(inf_sv text, size_t room)
{
  char *copy = malloc(text.len + room ? text.len + room : 1);

  if (!copy)
    abort();
  if (text.len > 0)
    memcpy(copy, text.ptr, text.len);
  return copy;
}

/* A tokener for each text, because json-c 0.16 carries a surrogate without
 * partner over into the next. It needs a NUL to know that a number has ended.
 */
static struct json_object *
other_parse(inf_sv text, unsigned max_depth, bool *ok)
{
  struct json_tokener *tokener = json_tokener_new_ex((int)max_depth + 10);
  struct json_object *object;
  char *copy = copy_of(text, 1);

  if (!tokener)
    abort();
  copy[text.len] = '\0';
  json_tokener_set_flags(tokener,
                         JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
  object = json_tokener_parse_ex(tokener, copy, (int)text.len + 1);
  *ok = json_tokener_get_error(tokener) == json_tokener_success &&
        json_tokener_get_parse_end(tokener) == text.len;
  json_tokener_free(tokener);
  free(copy);
  return object;
}

/* json-c 0.16 does not join every surrogate pair (U+1DA00 becomes U+FFFD): a
 * text of its with that character may be another than ours. That ours are
 * right is tested with the readers, for all code points. */
static bool
has_replacement(inf_sv text)
{
  return text.len > 0 && memmem(text.ptr, text.len, "\xef\xbf\xbd", 3);
}

/* known becomes true where json-c is wrong as it is known to be. */
static bool same(inf_sv value, struct json_object *other, bool *known);

static bool
same_object(inf_sv value, struct json_object *other, bool *known)
{
  json_object_object_foreach(other, key, member)
  {
    inf_sv name = inf_sv_from(key), mine = inf_json_get(value, name);

    if (mine.len == 0 && has_replacement(name))
      *known = true;
    else if (!same(mine, member, known))
      return false;
  }
  return inf_json_count(value) >= (size_t)json_object_object_length(other);
}

static bool
same_array(inf_sv value, struct json_object *other, bool *known)
{
  inf_json_iter it = inf_json_iter_of(value);
  size_t n = json_object_array_length(other), i = 0;

  while (inf_json_next(&it)) {
    if (i == n || !same(it.value, json_object_array_get_idx(other, i), known))
      return false;
    i++;
  }
  return i == n;
}

static bool
same_string(inf_sv value, struct json_object *other, bool *known)
{
  inf_sv text = inf_sv_of(json_object_get_string(other),
                          (size_t)json_object_get_string_len(other));
  inf_buf buf;
  bool equal;

  inf_buf_init(&buf, 1 << 24);
  equal = inf_json_string(value, &buf) && inf_sv_eq(inf_buf_sv(&buf), text) &&
          inf_json_equal(value, text);
  inf_buf_fini(&buf);
  if (equal || !has_replacement(text))
    return equal;
  *known = true;
  return true;
}

static bool
same_int(inf_sv value, struct json_object *other)
{
  int64_t number;

  /* json-c stays at the ends of the range. */
  if (inf_json_int64(value, false, &number))
    return number == json_object_get_int64(other);
  return json_object_get_int64(other) == INT64_MAX ||
         json_object_get_int64(other) == INT64_MIN;
}

static bool
same_double(inf_sv value, struct json_object *other)
{
  double number, theirs = json_object_get_double(other);

  if (inf_json_double(value, false, &number))
    return memcmp(&number, &theirs, sizeof(number)) == 0;
  return theirs > 1e308 || theirs < -1e308;
}

static bool
same(inf_sv value, struct json_object *other, bool *known)
{
  switch (json_object_get_type(other)) {
  case json_type_null:
    return inf_json_is(value, INF_JSON_NULL);
  case json_type_boolean:
    return inf_json_is(value, json_object_get_boolean(other) ? INF_JSON_TRUE
                                                             : INF_JSON_FALSE);
  case json_type_int:
    return inf_json_is(value, INF_JSON_NUMBER) && same_int(value, other);
  case json_type_double:
    return inf_json_is(value, INF_JSON_NUMBER) && same_double(value, other);
  case json_type_string:
    return inf_json_is(value, INF_JSON_STRING) &&
           same_string(value, other, known);
  case json_type_array:
    return inf_json_is(value, INF_JSON_ARRAY) &&
           same_array(value, other, known);
  default:
    return inf_json_is(value, INF_JSON_OBJECT) &&
           same_object(value, other, known);
  }
}

/* What json-c takes although RFC 8259 does not, even in its strict mode: NaN
 * and infinities, control characters in strings, leading zeros, numbers that
 * stop too early ("1.", "1e", "-"), and some malformed UTF-8; and it counts
 * the depth otherwise. Nothing else may be refused by us alone. */
static bool
known_laxity(inf_sv text, const inf_json_error *error)
{
  static const char *const reasons[] = {"control character in a string",
                                        "number with a leading zero",
                                        "expected a digit", "invalid UTF-8"};
  inf_sv rest = inf_sv_of(text.ptr + error->offset, text.len - error->offset);

  for (size_t i = 0; i < COUNT(reasons); i++) {
    if (strcmp(error->reason, reasons[i]) == 0)
      return true;
  }
  return error->status == INFER_E_TOO_DEEP ||
         inf_sv_starts_with(rest, INF_SV("NaN")) ||
         inf_sv_starts_with(rest, INF_SV("Infinity"));
}

/* The names of json-c end at a NUL. */
static bool
has_nul(inf_sv text)
{
  return inf_sv_contains_nocase(text, INF_SV("\\u0000"));
}

json_verdict
json_judge(inf_sv text, unsigned max_depth, const char **why)
{
  json_verdict verdict = JSON_BOTH_REFUSE;
  inf_json_error error = {0};
  inf_sv value = {0};
  char *copy = copy_of(text, 0);
  inf_sv mine = inf_sv_of(copy, text.len);
  bool ours = inf_json_parse(mine, max_depth, &value, &error);
  bool theirs, known = false;
  struct json_object *other = other_parse(text, max_depth, &theirs);

  *why = ours ? "" : error.reason;
  if (ours && !theirs)
    verdict = JSON_ONLY_OURS;
  else if (ours && same(value, other, &known))
    verdict = known ? JSON_KNOWN : JSON_SAME;
  else if (ours)
    verdict = has_nul(text) ? JSON_KNOWN : JSON_DIFFERENT;
  else if (theirs)
    verdict = known_laxity(text, &error) ? JSON_LAX : JSON_ONLY_THEIRS;
  json_object_put(other);
  free(copy);
  return verdict;
}
