/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_TREE_H
#define INF_CONFIG_TREE_H

#include "base/buf.h"
#include "config/place.h"
#include "wire/json_scan.h"

/* The configuration document as a tree that can be changed member by member.
 * Objects and arrays have children in the order in which they were given;
 * everything else is a leaf that keeps its JSON text, so that no digit is
 * lost. Member names occur once in an object. Any leaf may be a key:
 * everything is wiped when freed. */
typedef struct inf_node {
  struct inf_node *next;
  struct inf_node *first, *last; /* children */
  inf_json_type type;
  uint64_t hash; /* of the name */
  inf_sv name;   /* of a member, unescaped; ptr is NULL otherwise */
  inf_sv text;   /* of a leaf: JSON */
  size_t size;   /* of the block that holds node, name and text */
} inf_node;

/* How deep a document may be, and how many values it may have: far more than
 * anybody writes, little enough for a bounded stack and heap. */
#define INF_TREE_MAX_DEPTH  64
#define INF_TREE_MAX_VALUES 200000
#define INF_TREE_MAX_BYTES  ((size_t)4 << 20)

/* A node of its own; name.ptr NULL: an element. NULL when memory is short. */
inf_node *inf_node_new(inf_sv name, inf_json_type type, inf_sv text);
/* A leaf that holds text as a JSON string. */
inf_node *inf_node_new_string(inf_sv name, inf_sv text);
/* With all children; NULL is harmless. */
void inf_node_free(inf_node *node);

/* Reads JSON into a new tree whose root has the given name. The place is for
 * errors: INFER_E_CONFIG with line and column, or with the path of what is
 * given twice. */
int32_t inf_node_parse(inf_sv json, inf_sv name, const inf_place *place,
                       inf_node **out, struct infer_error **error);

/* NULL if there is none or the node is no object (NULL included). */
inf_node *inf_node_get(const inf_node *object, inf_sv name);
size_t inf_node_count(const inf_node *node);
/* Takes ownership of child. */
void inf_node_append(inf_node *parent, inf_node *child);
void inf_node_prepend(inf_node *parent, inf_node *child);
/* Puts child (NULL: nothing) in the place of old, a child of parent, and
 * frees old. */
void inf_node_replace(inf_node *parent, inf_node *old, inf_node *child);

/* Appends the tree as compact JSON; the root's name is not written. */
void inf_node_write(const inf_node *node, inf_buf *out);
/* Appends the text of a string leaf, unescaped; false if it is none or the
 * buffer failed. The buffer is grown once, so that no copy stays behind. */
bool inf_node_string(const inf_node *node, inf_buf *out);
bool inf_node_equals(const inf_node *node, inf_sv text);

#endif
