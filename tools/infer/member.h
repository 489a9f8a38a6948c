/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_MEMBER_H
#define INF_TOOLS_MEMBER_H

#include <json-c/json.h>

/* The member of that name, still the object's; NULL where it has none, or is no
 * object. */
static inline json_object *
inf_member(json_object *object, const char *name)
{
  json_object *value = NULL;
  if (json_object_is_type(object, json_type_object)) {
    json_object_object_get_ex(object, name, &value);
  }
  return value;
}

#endif
