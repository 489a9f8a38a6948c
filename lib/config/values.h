/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_VALUES_H
#define INF_CONFIG_VALUES_H

#include "config/options.h"
#include "config/tree.h"

/* From members of the document to fields of a struct, as the table of options
 * says. The same code serves all sections; what is no plain field
 * (INF_OPTION_APART) is passed over here and read by the section's own code,
 * with the helpers below. */

/* A section of the table and the struct that its offsets are meant for. */
typedef struct inf_section {
  const char *name;
  void *fields;
} inf_section;

/* Longest text of a single option, and most elements of a list of texts. */
#define INF_VALUE_MAX_BYTES ((size_t)8192)
#define INF_VALUE_MAX_ITEMS ((size_t)1000)

/* Sets numbers, booleans and enums to their defaults. Pointers are left
 * alone: the structs are zeroed before. */
void inf_values_default(const inf_section *section);

/* Reads the members of object. They may belong to any of the sections or to
 * `known` (member names separated by spaces that the caller reads itself); a
 * member that belongs to none is an error. Text is allocated; the caller
 * frees the struct whether this succeeds or not. */
int32_t inf_values_read(const inf_node *object, const inf_place *place,
                        const inf_section *sections, size_t section_count,
                        const char *known, infer_error **error);

/* The same of an object whose members are the options of a group, as "input" of
 * "price.input". */
int32_t inf_values_read_group(const inf_node *object, const inf_place *place,
                              const inf_section *section, inf_sv group,
                              infer_error **error);

/* "expected a string, got 12". The value itself is told only where it is a
 * number or a literal, or the option no secret. */
int32_t inf_value_wrong(const inf_option *option, const inf_node *node,
                        const inf_place *place, infer_error **error);
/* A new NUL-terminated copy of a string value without control characters;
 * replaces and frees what *out held. expected goes into the error: "a
 * string". */
int32_t inf_value_text(const inf_node *node, const inf_place *place,
                       const char *expected, char **out, infer_error **error);
/* An array of such texts, none of them empty. *items gets one more element,
 * NULL. */
int32_t inf_value_texts(const inf_node *node, const inf_place *place,
                        char ***items, size_t *count, infer_error **error);
/* The index of the enum's word. */
int32_t inf_value_enum(const inf_option *option, const inf_node *node,
                       const inf_place *place, int32_t *index,
                       infer_error **error);
/* True for bytes below 0x20 and 0x7f. */
bool inf_has_control(inf_sv text);

void inf_texts_free(char **items, size_t count);

#endif
