/* SPDX-License-Identifier: MIT */
/* Setting options by path: see path.h.
 *
 * The way goes down the document as far as it exists; what is missing is
 * first built apart, from the value upwards, and then hung in by one pointer:
 * so a failure on the way leaves nothing half done. */
#include "config/path.h"

#include "base/mem.h"
#include "config/values.h"
#include "infer/infer.h"
#include "wire/utf8.h"

/* ---- Reading a path ------------------------------------------------------ */

/* Takes one segment and the dot after it off the front. False if malformed. */
static bool
take_segment(inf_sv *rest, inf_sv *segment, bool *more)
{
  size_t len, used;
  if (rest->len > 0 && rest->ptr[0] == '"') {
    inf_sv inside = inf_sv_of(rest->ptr + 1, rest->len - 1);
    len = inf_sv_find(inside, '"');
    if (len == inside.len)
      return false;
    *segment = inf_sv_of(inside.ptr, len);
    used = len + 2;
  } else {
    len = used = inf_sv_find(*rest, '.');
    *segment = inf_sv_of(rest->ptr, len);
    if (inf_sv_find(*segment, '"') != len)
      return false;
  }
  *more = used < rest->len;
  if (len == 0 || (*more && rest->ptr[used] != '.'))
    return false;
  used += *more;
  *rest = inf_sv_of(rest->ptr + used, rest->len - used);
  return true;
}

int32_t
inf_path_parse(inf_sv text, inf_path *path, struct infer_error **error)
{
  bool more = true;
  path->count = 0;
  if (inf_has_control(text) || !inf_utf8_valid(text))
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "path of an option: contains control characters or "
                         "is not UTF-8");
  for (inf_sv rest = text; more;) {
    inf_sv segment;
    if (path->count == INF_PATH_MAX_SEGMENTS)
      return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                           "path of an option: more than %d parts",
                           INF_PATH_MAX_SEGMENTS);
    if (!take_segment(&rest, &segment, &more))
      return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                           "path of an option: \"%.*s\" is malformed "
                           "(names with dots go in quotes)",
                           text.len < 100 ? (int)text.len : 100, text.ptr);
    path->segments[path->count++] = segment;
  }
  return INFER_OK;
}

/* ---- The way down -------------------------------------------------------- */

/* "providers" is an array whose elements go by their "name". */
static bool
is_provider_list(const inf_path *path, size_t level)
{
  return level == 0 && inf_sv_eq(path->segments[0], INF_SV("providers"));
}

static bool
is_provider(const inf_path *path, size_t level)
{
  return level == 1 && is_provider_list(path, 0);
}

inf_sv
inf_path_value_name(const inf_path *path)
{
  size_t last = path->count - 1;
  return is_provider(path, last) ? inf_sv_of(NULL, 0) : path->segments[last];
}

static inf_node *
find_child(const inf_node *parent, const inf_path *path, size_t level)
{
  if (!is_provider(path, level))
    return inf_node_get(parent, path->segments[level]);
  for (inf_node *node = parent->first; node; node = node->next)
    if (inf_node_equals(inf_node_get(node, INF_SV("name")),
                        path->segments[level]))
      return node;
  return NULL;
}

/* Gives a new provider its name, unless it has it. */
static int32_t
add_name(inf_node *provider, const inf_path *path, struct infer_error **error)
{
  inf_sv wanted = path->segments[1];
  const inf_node *given = inf_node_get(provider, INF_SV("name"));
  if (provider->type != INF_JSON_OBJECT)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "providers.%.*s: expected an object", (int)wanted.len,
                         wanted.ptr);
  if (given && !inf_node_equals(given, wanted))
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "providers.%.*s: has another name inside",
                         (int)wanted.len, wanted.ptr);
  if (given)
    return INFER_OK;
  inf_node *name = inf_node_new_string(INF_SV("name"), wanted);
  if (!name)
    return inf_place_no_memory(error);
  inf_node_prepend(provider, name);
  return INFER_OK;
}

/* Wraps *value, which belongs at the path's end, in what is missing above it
 * down from level. */
static int32_t
wrap(const inf_path *path, size_t level, inf_node **value,
     struct infer_error **error)
{
  for (size_t i = path->count; i-- > level;) {
    if (i + 1 < path->count) {
      inf_node *outer = inf_node_new(
          is_provider(path, i) ? inf_sv_of(NULL, 0) : path->segments[i],
          is_provider_list(path, i) ? INF_JSON_ARRAY : INF_JSON_OBJECT,
          INF_SV(""));
      if (!outer)
        return inf_place_no_memory(error);
      inf_node_append(outer, *value);
      *value = outer;
    }
    if (is_provider(path, i)) {
      int32_t status = add_name(*value, path, error);
      if (status != INFER_OK)
        return status;
    }
  }
  return INFER_OK;
}

static int32_t
check_parent(const inf_node *node, const inf_path *path, size_t level,
             struct infer_error **error)
{
  inf_json_type wanted =
      is_provider(path, level) ? INF_JSON_ARRAY : INF_JSON_OBJECT;
  if (node->type == wanted)
    return INFER_OK;
  if (level == 0)
    return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                         "the configuration is no object");
  inf_sv name = path->segments[level - 1];
  return inf_error_set(error, INFER_E_INVALID_ARGUMENT,
                       "path of an option: \"%.*s\" is no %s", (int)name.len,
                       name.ptr, wanted == INF_JSON_ARRAY ? "array" : "object");
}

int32_t
inf_path_set(inf_node *document, const inf_path *path, inf_node *value,
             struct infer_error **error)
{
  bool remove = value->type == INF_JSON_NULL;
  inf_node *parent = document, *child = NULL;
  size_t level = 0;
  int32_t status;
  for (;; level++) {
    status = check_parent(parent, path, level, error);
    if (status != INFER_OK)
      goto failed;
    child = find_child(parent, path, level);
    if (!child || level + 1 == path->count)
      break;
    parent = child;
  }
  if (!remove) {
    status = wrap(path, level, &value, error);
    if (status != INFER_OK)
      goto failed;
    if (!child)
      inf_node_append(parent, value);
    else
      inf_node_replace(parent, child, value);
    return INFER_OK;
  }
  if (child)
    inf_node_replace(parent, child, NULL);
failed:
  inf_node_free(value);
  return status;
}
