/* SPDX-License-Identifier: MIT */
/* What compare_schema.c does not check in a schema. */

#include "compare_schema.h"

#include <string.h>

#define MAX_DEPTH 64

/* Keywords that are checked, and those that restrict nothing. */
static const char *const known[] = {
    "type",        "properties",
    "required",    "additionalProperties",
    "items",       "enum",
    "const",       "anyOf",
    "$ref",        "$defs",
    "definitions", "minimum",
    "maximum",     "minItems",
    "maxItems",    "minLength",
    "maxLength",   "title",
    "description", "default",
    "examples",    "$schema",
    "$id",         "$comment",
    "deprecated",  "propertyOrdering",
    NULL,
};

static bool
is_one_of(const char *name, const char *const *list)
{
  while (*list && strcmp(*list, name) != 0) {
    list++;
  }
  return *list != NULL;
}

static const char *unknown(json_object *schema, int depth);

/* Of schemas that stand below names, or in an array. */
static const char *
unknown_below(json_object *value, int depth)
{
  const char *found = NULL;
  if (json_object_is_type(value, json_type_array)) {
    for (size_t i = 0; !found && i < json_object_array_length(value); i++) {
      found = unknown(json_object_array_get_idx(value, i), depth);
    }
    return found;
  }
  if (!json_object_is_type(value, json_type_object)) {
    return NULL;
  }
  json_object_iter entry;
  json_object_object_foreachC(value, entry)
  {
    found = found ? found : unknown(entry.val, depth);
  }
  return found;
}

static bool
is_ref_elsewhere(const char *key, json_object *value)
{
  const char *ref = json_object_get_string(value);
  return strcmp(key, "$ref") == 0 && strcmp(ref, "#") != 0 &&
         strncmp(ref, "#/$defs/", 8) != 0 &&
         strncmp(ref, "#/definitions/", 14) != 0;
}

static const char *
unknown(json_object *schema, int depth)
{
  static const char *const maps[] = {"properties", "$defs", "definitions",
                                     "anyOf", NULL};
  static const char *const schemas[] = {"items", "additionalProperties", NULL};
  if (depth > MAX_DEPTH || !json_object_is_type(schema, json_type_object)) {
    return NULL;
  }
  const char *found = NULL;
  json_object_iter entry;
  json_object_object_foreachC(schema, entry)
  {
    if (found) {
      continue;
    }
    if (!is_one_of(entry.key, known) ||
        is_ref_elsewhere(entry.key, entry.val)) {
      found = entry.key;
    } else if (is_one_of(entry.key, maps)) {
      found = unknown_below(entry.val, depth + 1);
    } else if (is_one_of(entry.key, schemas)) {
      found = unknown(entry.val, depth + 1);
    }
  }
  return found;
}

const char *
inf_cmp_schema_unknown(json_object *schema)
{
  return unknown(schema, 0);
}
