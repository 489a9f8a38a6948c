/* SPDX-License-Identifier: MIT */
#include "provider/plugin_json.h"

#include "wire/json_scan.h"

#define MAX_DEPTH 128

inf_sv
inf_plugin_text(const char *ptr, size_t len)
{
  if (!ptr)
    return INF_SV("");
  return len == INFER_NUL_TERMINATED ? inf_sv_from(ptr) : inf_sv_of(ptr, len);
}

const char *
inf_plugin_lend(inf_sv text, size_t *len)
{
  if (len)
    *len = text.len;
  return text.len > 0 ? text.ptr : "";
}

const char *
inf_plugin_lend_value(inf_sv value, size_t *len)
{
  if (len)
    *len = value.len;
  return value.len > 0 ? value.ptr : NULL;
}

int32_t
infer_provider_json_check(const char *json, size_t len)
{
  inf_sv value;
  return inf_json_parse(inf_plugin_text(json, len), MAX_DEPTH, &value, NULL);
}

/* One step of a path: a member, or a place in an array. */
static inf_sv
step(inf_sv value, inf_sv name)
{
  long long index;
  if (!inf_json_is(value, INF_JSON_ARRAY))
    return inf_json_get(value, name);
  if (!inf_sv_to_int64(name, &index) || index < 0)
    return INF_SV("");
  return inf_json_at(value, (size_t)index);
}

const char *
infer_provider_json_get(const char *json, size_t len, const char *path,
                        size_t *value_len)
{
  inf_sv value = inf_sv_trim(inf_plugin_text(json, len));
  inf_sv rest = inf_sv_from(path);
  while (rest.len > 0 && value.len > 0) {
    size_t end = inf_sv_find(rest, '.');
    value = step(value, inf_sv_of(rest.ptr, end));
    end += end < rest.len;
    rest = inf_sv_of(rest.ptr + end, rest.len - end);
  }
  return inf_plugin_lend_value(value, value_len);
}

const char *
infer_provider_json_next(const char *json, size_t len, size_t *at,
                         const char **name, size_t *name_len, size_t *value_len)
{
  inf_sv text = inf_plugin_text(json, len);
  inf_json_iter it = inf_json_iter_of(text);
  if (it.at && *at > 0)
    it.at = text.ptr + (*at < text.len ? *at : text.len);
  bool found = it.at && inf_json_next(&it);
  if (found)
    *at = (size_t)(it.at - text.ptr);
  const char *key = inf_plugin_lend(it.key, name_len);
  if (name)
    *name = found && it.object ? key : NULL;
  return inf_plugin_lend_value(found ? it.value : INF_SV(""), value_len);
}

int32_t
infer_provider_json_int(const char *json, size_t len, int64_t *number)
{
  return number && inf_json_int64(inf_plugin_text(json, len), true, number);
}

int32_t
infer_provider_json_is(const char *json, size_t len, const char *text)
{
  return inf_json_equal(inf_plugin_text(json, len), inf_sv_from(text));
}
