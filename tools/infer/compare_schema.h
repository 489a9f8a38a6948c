/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_SCHEMA_H
#define INF_TOOLS_COMPARE_SCHEMA_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* Does a value match a JSON schema? The part of JSON Schema that structured
 * outputs are written in: type (one or several), properties, required,
 * additionalProperties, items, enum, const, anyOf, $ref to "#/$defs/..." or
 * "#/definitions/...", true and false, minimum, maximum, minItems, maxItems,
 * minLength and maxLength (in characters).
 *
 * Other keywords that restrict (pattern, format, oneOf, not, ...) are not
 * looked at: inf_cmp_schema_unknown() names the first one, so that a report can
 * say what was not checked. */

/* On a mismatch why says where and what, in one line; it may be NULL. */
bool inf_cmp_schema_match(json_object *schema, json_object *value, char *why,
                          size_t why_size);
/* A keyword of the schema that is not checked; NULL if all are. */
const char *inf_cmp_schema_unknown(json_object *schema);

#endif
