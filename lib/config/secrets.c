/* SPDX-License-Identifier: MIT */
/* Where secrets are read: see secrets.h. */
#include "config/secrets.h"

#include "base/mem.h"
#include "config/file.h"
#include "infer/infer.h"

#include <stdlib.h>

#define NAME_MAX_BYTES 4096

static const inf_sv env_prefix = {"env:", 4};
static const inf_sv file_prefix = {"file:", 5};

bool
inf_secret_is_reference(inf_sv spec)
{
  return inf_sv_starts_with(spec, env_prefix) ||
         inf_sv_starts_with(spec, file_prefix);
}

inf_sv
inf_environment_get(const char *name)
{
  return inf_sv_from(getenv(name));
}

static int32_t
read_variable(const char *name, const inf_place *place, inf_buf *out,
              struct infer_error **error)
{
  inf_sv value = inf_environment_get(name);
  if (value.len == 0)
    return inf_place_error(place, error, "environment variable %s is %s", name,
                           value.ptr ? "empty" : "not set");
  if (value.len > INF_SECRET_MAX_BYTES)
    return inf_place_error(place, error, "environment variable %s is too long",
                           name);
  return inf_buf_append_sv(out, value) ? INFER_OK : inf_place_no_memory(error);
}

static int32_t
read_file(const char *path, const inf_place *place, inf_buf *out,
          struct infer_error **error)
{
  char why[INF_FILE_WHY_MAX];
  size_t start = out->len;
  int32_t status =
      inf_file_read(path, INF_SECRET_MAX_BYTES, INF_FILE_WAIT_MS, out, why);
  if (status == INFER_E_NO_MEMORY)
    return inf_place_no_memory(error);
  if (status != INFER_OK)
    return inf_place_error(place, error, "cannot read %s: %s", path, why);
  size_t len = out->len;
  while (len > start &&
         (out->ptr[len - 1] == '\n' || out->ptr[len - 1] == '\r'))
    len--;
  inf_buf_truncate(out, len);
  if (len == start)
    return inf_place_error(place, error, "file %s is empty", path);
  return INFER_OK;
}

int32_t
inf_secret_read(inf_sv spec, const inf_place *place, inf_buf *out,
                struct infer_error **error)
{
  bool variable = inf_sv_starts_with(spec, env_prefix);
  if (!inf_secret_is_reference(spec))
    return inf_buf_append_sv(out, spec) ? INFER_OK : inf_place_no_memory(error);
  size_t skip = variable ? env_prefix.len : file_prefix.len;
  inf_sv name = inf_sv_of(spec.ptr + skip, spec.len - skip);
  if (name.len == 0 || name.len > NAME_MAX_BYTES ||
      inf_sv_find(name, '\0') != name.len)
    return inf_place_error(place, error,
                           variable ? "\"env:\" needs the name of a variable"
                                    : "\"file:\" needs the path of a file");
  char *copy = inf_strndup(name.ptr, name.len);
  if (!copy)
    return inf_place_no_memory(error);
  int32_t status = variable ? read_variable(copy, place, out, error)
                            : read_file(copy, place, out, error);
  inf_free(copy);
  return status;
}

bool
inf_secret_is_likely(inf_sv name)
{
  static const char *const parts[] = {
      "authorization", "apikey",   "api-key",   "api_key",    "token",
      "secret",        "password", "signature", "credential", "cookie",
  };
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (inf_sv_contains_nocase(name, inf_sv_from(parts[i])))
      return true;
  return inf_sv_eq_nocase(name, INF_SV("key")) ||
         inf_sv_eq_nocase(name, INF_SV("sig")) ||
         inf_sv_eq_nocase(name, INF_SV("code"));
}
