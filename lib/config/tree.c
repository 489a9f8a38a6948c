/* SPDX-License-Identifier: MIT */
/* The configuration document as a tree: see tree.h. It stands apart from the
 * JSON scanner because a configuration is built option by option, and from
 * json-c because a failed allocation must not change a document's meaning. */
#include "config/tree.h"

#include "base/mem.h"
#include "config/hash.h"
#include "infer/infer.h"
#include "wire/json_write.h"

inf_node *
inf_node_new(inf_sv name, inf_json_type type, inf_sv text)
{
  size_t size = sizeof(inf_node) + name.len + text.len + 2;
  inf_node *node = inf_malloc(size);
  if (!node)
    return NULL;
  char *bytes = (char *)(node + 1);
  *node = (inf_node){.type = type, .size = size};
  if (name.ptr) {
    memcpy(bytes, name.ptr, name.len);
    node->name = inf_sv_of(bytes, name.len);
    node->hash = inf_fnv1a(INF_FNV_START, name);
  }
  bytes[name.len] = '\0';
  bytes += name.len + 1;
  if (text.len > 0)
    memcpy(bytes, text.ptr, text.len);
  bytes[text.len] = '\0';
  node->text = inf_sv_of(bytes, text.len);
  return node;
}

inf_node *
inf_node_new_string(inf_sv name, inf_sv text)
{
  inf_buf json;
  inf_node *node = NULL;
  inf_buf_init(&json, 6 * text.len + 2);
  inf_json_put_string(&json, text);
  if (json.status == INFER_OK)
    node = inf_node_new(name, INF_JSON_STRING, inf_buf_sv(&json));
  inf_buf_fini_secret(&json);
  return node;
}

/* Depth first by taking children off one after the other: the depth of the
 * recursion is that of the document. */
void
inf_node_free(inf_node *node)
{
  if (!node)
    return;
  while (node->first) {
    inf_node *child = node->first;
    node->first = child->next;
    inf_node_free(child);
  }
  inf_free_secret(node, node->size);
}

inf_node *
inf_node_get(const inf_node *object, inf_sv name)
{
  if (!object || object->type != INF_JSON_OBJECT)
    return NULL;
  uint64_t hash = inf_fnv1a(INF_FNV_START, name);
  for (inf_node *child = object->first; child; child = child->next)
    if (child->hash == hash && inf_sv_eq(child->name, name))
      return child;
  return NULL;
}

size_t
inf_node_count(const inf_node *node)
{
  size_t count = 0;
  for (const inf_node *child = node->first; child; child = child->next)
    count++;
  return count;
}

void
inf_node_append(inf_node *parent, inf_node *child)
{
  child->next = NULL;
  if (parent->last)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
}

void
inf_node_prepend(inf_node *parent, inf_node *child)
{
  child->next = parent->first;
  parent->first = child;
  if (!parent->last)
    parent->last = child;
}

void
inf_node_replace(inf_node *parent, inf_node *old, inf_node *child)
{
  inf_node *before = NULL;
  inf_node **link = &parent->first;
  while (*link != old) {
    before = *link;
    link = &before->next;
  }
  if (child) {
    child->next = old->next;
    *link = child;
  } else {
    *link = old->next;
  }
  if (parent->last == old)
    parent->last = child ? child : before;
  inf_node_free(old);
}

/* ---- Reading ------------------------------------------------------------- */

typedef struct tree_reader {
  inf_buf name; /* of the member at hand, unescaped */
  size_t values;
  struct infer_error **error;
} tree_reader;

static bool
is_container(inf_json_type type)
{
  return type == INF_JSON_OBJECT || type == INF_JSON_ARRAY;
}

/* Finds a name that stands twice in the object, by a hash table that lives
 * for this one look: an object of 200,000 members takes no quadratic time. */
static int32_t
check_names(const inf_node *object, const inf_place *place,
            struct infer_error **error)
{
  size_t count = inf_node_count(object), slots = 4;
  if (count < 2)
    return INFER_OK;
  while (slots < 2 * count)
    slots *= 2;
  const inf_node **table = inf_calloc(slots, sizeof *table);
  if (!table)
    return inf_place_no_memory(error);
  int32_t status = INFER_OK;
  for (const inf_node *child = object->first; child; child = child->next) {
    size_t slot = child->hash & (slots - 1);
    while (table[slot] && !inf_sv_eq(table[slot]->name, child->name))
      slot = (slot + 1) & (slots - 1);
    if (table[slot]) {
      inf_place here = inf_place_member(place, child->name);
      status = inf_place_error(&here, error, "given twice");
      break;
    }
    table[slot] = child;
  }
  inf_free(table);
  return status;
}

static int32_t
add_child(tree_reader *reader, inf_node *parent, const inf_json_iter *it,
          const inf_place *place)
{
  inf_sv name = {NULL, 0};
  if (++reader->values > INF_TREE_MAX_VALUES)
    return inf_place_error(place, reader->error, "more than %d values",
                           INF_TREE_MAX_VALUES);
  if (it->object) {
    inf_buf_clear(&reader->name);
    if (!inf_json_unescape(it->key, &reader->name))
      return inf_place_no_memory(reader->error);
    name = inf_sv_of(inf_buf_cstr(&reader->name), reader->name.len);
  }
  inf_json_type type = inf_json_type_of(it->value);
  inf_sv text = is_container(type) ? INF_SV("") : it->value;
  inf_node *child = inf_node_new(name, type, text);
  if (!child)
    return inf_place_no_memory(reader->error);
  inf_node_append(parent, child);
  return INFER_OK;
}

static int32_t
fill(tree_reader *reader, inf_node *node, inf_sv json, const inf_place *place)
{
  int32_t status = INFER_OK;
  inf_json_iter it = inf_json_iter_of(json);
  for (size_t i = 0; status == INFER_OK && inf_json_next(&it); i++) {
    status = add_child(reader, node, &it, place);
    if (status != INFER_OK || !is_container(node->last->type))
      continue;
    inf_place here = it.object ? inf_place_member(place, node->last->name)
                               : inf_place_element(place, i);
    status = fill(reader, node->last, it.value, &here);
  }
  if (status == INFER_OK && node->type == INF_JSON_OBJECT)
    status = check_names(node, place, reader->error);
  return status;
}

int32_t
inf_node_parse(inf_sv json, inf_sv name, const inf_place *place, inf_node **out,
               struct infer_error **error)
{
  inf_sv value;
  inf_json_error mistake;
  *out = NULL;
  if (json.len > INF_TREE_MAX_BYTES)
    return inf_place_error(place, error, "longer than 4 MiB");
  if (!inf_json_parse(json, INF_TREE_MAX_DEPTH, &value, &mistake))
    return inf_place_error(place, error, "line %zu, column %zu: %s",
                           mistake.line, mistake.column, mistake.reason);
  inf_json_type type = inf_json_type_of(value);
  inf_node *node =
      inf_node_new(name, type, is_container(type) ? INF_SV("") : value);
  if (!node)
    return inf_place_no_memory(error);
  tree_reader reader = {.values = 1, .error = error};
  inf_buf_init(&reader.name, INF_TREE_MAX_BYTES);
  int32_t status = fill(&reader, node, value, place);
  inf_buf_fini(&reader.name);
  if (status == INFER_OK)
    *out = node;
  else
    inf_node_free(node);
  return status;
}

/* ---- Writing ------------------------------------------------------------- */

void
inf_node_write(const inf_node *node, inf_buf *out)
{
  if (!is_container(node->type)) {
    inf_json_put_raw(out, node->text);
    return;
  }
  bool object = node->type == INF_JSON_OBJECT;
  inf_json_open(out, object ? '{' : '[');
  for (const inf_node *child = node->first; child; child = child->next) {
    if (object)
      inf_json_key(out, child->name);
    inf_node_write(child, out);
  }
  inf_json_close(out, object ? '}' : ']');
}

bool
inf_node_string(const inf_node *node, inf_buf *out)
{
  return node->type == INF_JSON_STRING &&
         inf_buf_reserve(out, node->text.len) &&
         inf_json_string(node->text, out);
}

bool
inf_node_equals(const inf_node *node, inf_sv text)
{
  return node && inf_json_equal(node->text, text);
}
