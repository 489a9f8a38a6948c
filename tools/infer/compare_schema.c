/* SPDX-License-Identifier: MIT */
/* A validator for a part of JSON Schema. */

#include "compare_schema.h"

#include "member.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* $ref may lead in circles; a value is at most this deep. */
#define MAX_DEPTH 64

typedef struct check_state {
  json_object *root;
  char *why;
  size_t why_size;
  char path[256];
} check_state;

static bool match(check_state *state, json_object *schema, json_object *value,
                  int depth);

static bool
fail(const check_state *state, const char *what, const char *name)
{
  if (state->why && state->why_size > 0) {
    snprintf(state->why, state->why_size, "%s: %s%s%s",
             state->path[0] ? state->path : "the answer", what,
             name[0] ? " " : "", name);
  }
  return false;
}

static bool
is_integer(json_object *value)
{
  if (json_object_is_type(value, json_type_int)) {
    return true;
  }
  double number = json_object_get_double(value);
  return json_object_is_type(value, json_type_double) &&
         floor(number) == number; /* 1.0 is an integer */
}

static bool
has_type(json_object *value, const char *type)
{
  if (strcmp(type, "integer") == 0) {
    return is_integer(value);
  }
  if (strcmp(type, "number") == 0) {
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
  }
  static const struct {
    const char *name;
    json_type type;
  } types[] = {
      {"string", json_type_string}, {"object", json_type_object},
      {"array", json_type_array},   {"boolean", json_type_boolean},
      {"null", json_type_null},
  };
  for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
    if (strcmp(types[i].name, type) == 0) {
      return json_object_is_type(value, types[i].type);
    }
  }
  return true;
}

static bool
match_type(const check_state *state, json_object *type, json_object *value)
{
  if (json_object_is_type(type, json_type_string)) {
    const char *name = json_object_get_string(type);
    return has_type(value, name) || fail(state, "is not of type", name);
  }
  if (!json_object_is_type(type, json_type_array)) {
    return true;
  }
  for (size_t i = 0; i < json_object_array_length(type); i++) {
    const char *name =
        json_object_get_string(json_object_array_get_idx(type, i));
    if (name && has_type(value, name)) {
      return true;
    }
  }
  return fail(state, "is of none of the types", "");
}

static bool
match_enum(const check_state *state, json_object *list, json_object *value)
{
  if (!json_object_is_type(list, json_type_array)) {
    return true;
  }
  for (size_t i = 0; i < json_object_array_length(list); i++) {
    if (json_object_equal(json_object_array_get_idx(list, i), value)) {
      return true;
    }
  }
  return fail(state, "is none of the values of the enum", "");
}

/* Matches the value at a place below; the path is put back afterwards. */
static bool
match_at(check_state *state, const char *name, json_object *schema,
         json_object *value, int depth)
{
  size_t used = strlen(state->path);
  snprintf(state->path + used, sizeof(state->path) - used, "%s%s",
           used ? "." : "", name);
  bool ok = match(state, schema, value, depth + 1);
  state->path[used] = '\0';
  return ok;
}

static bool
match_required(const check_state *state, json_object *list, json_object *value)
{
  if (!json_object_is_type(list, json_type_array)) {
    return true;
  }
  for (size_t i = 0; i < json_object_array_length(list); i++) {
    const char *name =
        json_object_get_string(json_object_array_get_idx(list, i));
    if (name && !json_object_object_get_ex(value, name, NULL)) {
      return fail(state, "lacks", name);
    }
  }
  return true;
}

static bool
match_object(check_state *state, json_object *schema, json_object *value,
             int depth)
{
  json_object *properties = inf_member(schema, "properties");
  json_object *other = NULL;
  bool has_other =
      json_object_object_get_ex(schema, "additionalProperties", &other);
  if (!match_required(state, inf_member(schema, "required"), value)) {
    return false;
  }
  json_object_iter entry;
  json_object_object_foreachC(value, entry)
  {
    json_object *known = NULL;
    if (json_object_is_type(properties, json_type_object) &&
        json_object_object_get_ex(properties, entry.key, &known)) {
      if (!match_at(state, entry.key, known, entry.val, depth)) {
        return false;
      }
    } else if (has_other && json_object_is_type(other, json_type_boolean) &&
               !json_object_get_boolean(other)) {
      return fail(state, "has a member that is not allowed:", entry.key);
    } else if (has_other &&
               !match_at(state, entry.key, other, entry.val, depth)) {
      return false;
    }
  }
  return true;
}

/* Is amount below the limit `least` or above `most` of the schema? */
static bool
in_range(json_object *schema, const char *least, const char *most,
         double amount)
{
  json_object *low = inf_member(schema, least),
              *high = inf_member(schema, most);
  return (!low || amount >= json_object_get_double(low)) &&
         (!high || amount <= json_object_get_double(high));
}

static bool
match_array(check_state *state, json_object *schema, json_object *value,
            int depth)
{
  size_t count = json_object_array_length(value);
  json_object *items = inf_member(schema, "items");
  if (!in_range(schema, "minItems", "maxItems", (double)count)) {
    return fail(state, "has too few or too many items", "");
  }
  for (size_t i = 0; items && i < count; i++) {
    char name[32];
    snprintf(name, sizeof(name), "[%zu]", i);
    if (!match_at(state, name, items, json_object_array_get_idx(value, i),
                  depth)) {
      return false;
    }
  }
  return true;
}

static size_t
characters(json_object *value)
{
  const char *text = json_object_get_string(value);
  size_t count = 0;
  for (int i = 0; i < json_object_get_string_len(value); i++) {
    count += ((unsigned char)text[i] & 0xc0) != 0x80;
  }
  return count;
}

static bool
match_by_kind(check_state *state, json_object *schema, json_object *value,
              int depth)
{
  switch (json_object_get_type(value)) {
  case json_type_object:
    return match_object(state, schema, value, depth);
  case json_type_array:
    return match_array(state, schema, value, depth);
  case json_type_string:
    return in_range(schema, "minLength", "maxLength",
                    (double)characters(value)) ||
           fail(state, "is too short or too long", "");
  case json_type_int:
  case json_type_double:
    return in_range(schema, "minimum", "maximum",
                    json_object_get_double(value)) ||
           fail(state, "is too small or too large", "");
  default:
    return true;
  }
}

static bool
match_any(check_state *state, json_object *list, json_object *value, int depth)
{
  if (!json_object_is_type(list, json_type_array)) {
    return true;
  }
  for (size_t i = 0; i < json_object_array_length(list); i++) {
    if (match(state, json_object_array_get_idx(list, i), value, depth + 1)) {
      return true;
    }
  }
  return fail(state, "matches none of anyOf", "");
}

/* What "#/$defs/name" leads to; NULL if it leads nowhere. */
static json_object *
resolve(json_object *root, const char *ref)
{
  if (strcmp(ref, "#") == 0) {
    return root;
  }
  static const char *const places[] = {"$defs", "definitions"};
  for (size_t i = 0; i < 2; i++) {
    size_t len = strlen(places[i]);
    if (strncmp(ref, "#/", 2) == 0 && strncmp(ref + 2, places[i], len) == 0 &&
        ref[2 + len] == '/') {
      return inf_member(inf_member(root, places[i]), ref + 3 + len);
    }
  }
  return NULL;
}

static bool
match(check_state *state, json_object *schema, json_object *value, int depth)
{
  if (depth > MAX_DEPTH) {
    return fail(state, "is nested too deeply", "");
  }
  if (json_object_is_type(schema, json_type_boolean)) {
    return json_object_get_boolean(schema) || fail(state, "is not allowed", "");
  }
  if (!json_object_is_type(schema, json_type_object)) {
    return true;
  }
  json_object *ref = inf_member(schema, "$ref");
  json_object *found =
      ref ? resolve(state->root, json_object_get_string(ref)) : NULL;
  if (found && !match(state, found, value, depth + 1)) {
    return false;
  }
  json_object *only = NULL;
  if (json_object_object_get_ex(schema, "const", &only) &&
      !json_object_equal(only, value)) {
    return fail(state, "is not the value of const", "");
  }
  return match_type(state, inf_member(schema, "type"), value) &&
         match_enum(state, inf_member(schema, "enum"), value) &&
         match_any(state, inf_member(schema, "anyOf"), value, depth) &&
         match_by_kind(state, schema, value, depth);
}

bool
inf_cmp_schema_match(json_object *schema, json_object *value, char *why,
                     size_t why_size)
{
  check_state state = {.root = schema, .why = why, .why_size = why_size};
  if (why && why_size > 0) {
    why[0] = '\0';
  }
  bool ok = match(&state, schema, value, 0);
  if (ok && why && why_size > 0) {
    why[0] = '\0'; /* what an anyOf tried and left */
  }
  return ok;
}
