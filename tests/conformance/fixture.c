/* SPDX-License-Identifier: MIT */
#include "conformance/fixture.h"

#include <json-c/json_pointer.h>
#include <stdio.h>
#include <string.h>

/* ---- What stands for recorded text --------------------------------------- */

static const char *
word(json_object *object, const char *name)
{
  json_object *value = NULL;
  if (!json_object_object_get_ex(object, name, &value))
    return NULL;
  return json_object_get_string(value);
}

static bool
is_reference(json_object *value)
{
  const char *from =
      json_object_is_type(value, json_type_object) ? word(value, "from") : NULL;
  return from && from[0] == '/';
}

static json_object *
around(json_object *reference, const char *text)
{
  inf_buf out;
  const char *before = word(reference, "before");
  const char *after = word(reference, "after");
  inf_buf_init(&out, SIZE_MAX);
  inf_buf_append_cstr(&out, before ? before : "");
  inf_buf_append_cstr(&out, text);
  inf_buf_append_cstr(&out, after ? after : "");
  json_object *made = json_object_new_string(inf_buf_cstr(&out));
  inf_buf_fini(&out);
  return made;
}

static json_object *
resolve(json_object *reference, json_object *recorded, inf_buf *why)
{
  json_object *value = NULL, *copy = NULL;
  const char *as = word(reference, "as");
  if (json_pointer_get(recorded, word(reference, "from"), &value) != 0) {
    inf_buf_appendf(why, "the recording has no %s\n", word(reference, "from"));
    return NULL;
  }
  if (as && strcmp(as, "text") == 0)
    return json_object_new_string(json_object_to_json_string_ext(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
  if (as && strcmp(as, "json") == 0)
    return json_tokener_parse(json_object_get_string(value));
  if (word(reference, "before") || word(reference, "after"))
    return around(reference, json_object_get_string(value));
  json_object_deep_copy(value, &copy, NULL);
  return copy;
}

static json_object *
expand_members(json_object *value, json_object *recorded, inf_buf *why)
{
  json_object *made = json_object_new_object();
  json_object_object_foreach(value, name, member)
  {
    json_object_object_add(made, name, fixture_expand(member, recorded, why));
  }
  return made;
}

json_object *
fixture_expand(json_object *value, json_object *recorded, inf_buf *why)
{
  if (is_reference(value))
    return resolve(value, recorded, why);
  if (json_object_is_type(value, json_type_object))
    return expand_members(value, recorded, why);
  if (!json_object_is_type(value, json_type_array))
    return json_object_get(value);
  json_object *made = json_object_new_array();
  for (size_t i = 0; i < json_object_array_length(value); i++)
    json_object_array_add(
        made,
        fixture_expand(json_object_array_get_idx(value, i), recorded, why));
  return made;
}

/* ---- Comparing ----------------------------------------------------------- */

#define MAX_POINTER 512
#define MAX_UNLIKE  32

struct comparison {
  json_object *unlike;
  bool met[MAX_UNLIKE]; /* in the order of its members */
  inf_buf *why;
  bool same;
};

/* Is a difference there allowed? Notes that there is one. */
static bool
is_allowed(struct comparison *all, const char *pointer)
{
  size_t at = 0;
  if (!all->unlike)
    return false;
  json_object_object_foreach(all->unlike, name, reason)
  {
    (void)reason;
    if (strcmp(name, pointer) == 0 && at < MAX_UNLIKE) {
      all->met[at] = true;
      return true;
    }
    at++;
  }
  return false;
}

static const char *
text_of(json_object *value)
{
  return json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
}

/* Where the difference is in long texts. */
static size_t
equal_bytes(const char *a, const char *b)
{
  size_t at = 0;
  while (a[at] != '\0' && a[at] == b[at])
    at++;
  return at > 10 ? at - 10 : 0;
}

static void
differ(struct comparison *all, const char *pointer, json_object *recorded,
       json_object *sent)
{
  if (is_allowed(all, pointer))
    return;
  char *a = strdup(text_of(recorded));
  const char *b = text_of(sent);
  size_t from = a ? equal_bytes(a, b) : 0;
  inf_buf_appendf(all->why, "%s: recorded %.80s, sent %.80s\n",
                  pointer[0] ? pointer : "/", a ? a + from : "", b + from);
  free(a);
  all->same = false;
}

/* The pointer to a member of what another one names. */
static void
step(char *to, const char *pointer, const char *name)
{
  size_t at = (size_t)snprintf(to, MAX_POINTER, "%s/", pointer);
  for (; *name != '\0' && at + 3 < MAX_POINTER; name++) {
    const char *escape = *name == '/' ? "~1" : *name == '~' ? "~0" : NULL;
    if (escape)
      at += (size_t)snprintf(to + at, MAX_POINTER - at, "%s", escape);
    else
      to[at++] = *name;
  }
  to[at < MAX_POINTER ? at : MAX_POINTER - 1] = '\0';
}

static void compare(struct comparison *all, const char *pointer,
                    json_object *recorded, json_object *sent);

static bool
is_no_stream(const char *pointer, json_object *value)
{
  return strcmp(pointer, "/stream") == 0 && !json_object_get_boolean(value);
}

static void
compare_objects(struct comparison *all, const char *pointer,
                json_object *recorded, json_object *sent)
{
  char below[MAX_POINTER];
  json_object *other;
  json_object_object_foreach(recorded, name, value)
  {
    step(below, pointer, name);
    if (json_object_object_get_ex(sent, name, &other))
      compare(all, below, value, other);
    else if (!is_no_stream(below, value) && !is_allowed(all, below)) {
      inf_buf_appendf(all->why, "%s: not sent\n", below);
      all->same = false;
    }
  }
  json_object_object_foreach(sent, sent_name, sent_value)
  {
    step(below, pointer, sent_name);
    if (!json_object_object_get_ex(recorded, sent_name, NULL) &&
        !is_no_stream(below, sent_value) && !is_allowed(all, below)) {
      inf_buf_appendf(all->why, "%s: not recorded\n", below);
      all->same = false;
    }
  }
}

static bool
is_number(json_object *value)
{
  return json_object_is_type(value, json_type_int) ||
         json_object_is_type(value, json_type_double);
}

static bool
equal(json_object *a, json_object *b)
{
  if (is_number(a) && is_number(b) && !json_object_equal(a, b))
    return json_object_get_double(a) == json_object_get_double(b);
  return json_object_equal(a, b);
}

static void
compare(struct comparison *all, const char *pointer, json_object *recorded,
        json_object *sent)
{
  char below[MAX_POINTER], number[32];
  if (json_object_is_type(recorded, json_type_object) &&
      json_object_is_type(sent, json_type_object)) {
    compare_objects(all, pointer, recorded, sent);
    return;
  }
  if (!json_object_is_type(recorded, json_type_array) ||
      !json_object_is_type(sent, json_type_array) ||
      json_object_array_length(recorded) != json_object_array_length(sent)) {
    if (!equal(recorded, sent))
      differ(all, pointer, recorded, sent);
    return;
  }
  for (size_t i = 0; i < json_object_array_length(recorded); i++) {
    snprintf(number, sizeof(number), "%zu", i);
    step(below, pointer, number);
    compare(all, below, json_object_array_get_idx(recorded, i),
            json_object_array_get_idx(sent, i));
  }
}

bool
fixture_compare(json_object *recorded, json_object *sent, json_object *unlike,
                inf_buf *why)
{
  struct comparison all = {.unlike = unlike, .why = why, .same = true};
  size_t at = 0;
  compare(&all, "", recorded, sent);
  if (!unlike)
    return all.same;
  json_object_object_foreach(unlike, name, reason)
  {
    (void)reason;
    if (at >= MAX_UNLIKE || !all.met[at]) {
      inf_buf_appendf(why, "\"unlike\" names %s, which is alike\n", name);
      all.same = false;
    }
    at++;
  }
  return all.same;
}
