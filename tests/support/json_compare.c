/* SPDX-License-Identifier: MIT */
#include "support/json_compare.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

static bool same(json_object *a, json_object *b, char *where, size_t size);

static bool
differ(char *where, size_t size, const char *step)
{
  char rest[512];
  snprintf(rest, sizeof rest, "%s", where);
  snprintf(where, size, "%s%s", step, rest);
  return false;
}

static bool
same_objects(json_object *a, json_object *b, char *where, size_t size)
{
  json_object_object_foreach(a, name, value)
  {
    char step[128];
    snprintf(step, sizeof step, ".%s", name);
    json_object *other;
    if (!json_object_object_get_ex(b, name, &other) ||
        !same(value, other, where, size))
      return differ(where, size, step);
  }
  json_object_object_foreach(b, other_name, ignored)
  {
    (void)ignored;
    if (!json_object_object_get_ex(a, other_name, NULL))
      return differ(where, size, other_name);
  }
  return true;
}

static bool
same_arrays(json_object *a, json_object *b, char *where, size_t size)
{
  size_t count = json_object_array_length(a);
  if (json_object_array_length(b) != count)
    return differ(where, size, "[length]");
  for (size_t i = 0; i < count; i++) {
    char step[32];
    snprintf(step, sizeof step, "[%zu]", i);
    if (!same(json_object_array_get_idx(a, i), json_object_array_get_idx(b, i),
              where, size))
      return differ(where, size, step);
  }
  return true;
}

static bool
same(json_object *a, json_object *b, char *where, size_t size)
{
  if (json_object_get_type(a) != json_object_get_type(b))
    return differ(where, size, " (type)");
  switch (json_object_get_type(a)) {
  case json_type_object:
    return same_objects(a, b, where, size);
  case json_type_array:
    return same_arrays(a, b, where, size);
  default:
    return json_object_equal(a, b) ? true : differ(where, size, " (value)");
  }
}

bool
json_same(const char *a, const char *b, char *where, size_t size)
{
  where[0] = '\0';
  json_object *left = json_tokener_parse(a), *right = json_tokener_parse(b);
  bool equal = left && right ? same(left, right, where, size)
                             : differ(where, size, "not JSON");
  json_object_put(left);
  json_object_put(right);
  return equal;
}
