/* SPDX-License-Identifier: MIT */
/* Paths for error messages: see place.h. */
#include "config/place.h"

#include "infer/infer.h"

#include <stdarg.h>
#include <stdio.h>

typedef struct text_out {
  char *ptr;
  size_t len;
} text_out;

static void
put(text_out *out, inf_sv piece)
{
  size_t room = INF_PLACE_TEXT_MAX - 1 - out->len;
  size_t n = piece.len < room ? piece.len : room;
  /* A NUL, legal in a name, would end the text. */
  for (size_t i = 0; i < n; i++)
    out->ptr[out->len++] = piece.ptr[i] ? piece.ptr[i] : ' ';
}

static bool
is_plain_word(inf_sv name)
{
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
          (c >= '0' && c <= '9') || c == '_' || c == '-'))
      return false;
  }
  return name.len > 0;
}

static void
put_name(text_out *out, inf_sv name)
{
  bool quoted = !is_plain_word(name);
  if (out->len > 0)
    put(out, INF_SV("."));
  if (quoted)
    put(out, INF_SV("\""));
  put(out, name);
  if (quoted)
    put(out, INF_SV("\""));
}

/* The recursion is as deep as the document, whose depth is limited. */
static void
put_place(text_out *out, const inf_place *place)
{
  if (place->up)
    put_place(out, place->up);
  if (place->name.ptr) {
    put_name(out, place->name);
    return;
  }
  char index[32];
  int n = snprintf(index, sizeof index, "[%zu]", place->index);
  put(out, inf_sv_of(index, (size_t)n));
}

const char *
inf_place_text(const inf_place *place, char text[INF_PLACE_TEXT_MAX])
{
  text_out out = {text, 0};
  if (place)
    put_place(&out, place);
  text[out.len] = '\0';
  return text;
}

static int32_t
set_error(const inf_place *place, int32_t status, struct infer_error **error,
          const char *format, va_list args)
{
  char path[INF_PLACE_TEXT_MAX], message[1024];
  vsnprintf(message, sizeof message, format, args);
  inf_place_text(place, path);
  if (!path[0])
    return inf_error_set(error, status, "%s", message);
  return inf_error_set(error, status, "%s: %s", path, message);
}

int32_t
inf_place_error(const inf_place *place, struct infer_error **error,
                const char *format, ...)
{
  va_list args;
  va_start(args, format);
  int32_t status = set_error(place, INFER_E_CONFIG, error, format, args);
  va_end(args);
  return status;
}

int32_t
inf_place_error_status(const inf_place *place, int32_t status,
                       struct infer_error **error, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  status = set_error(place, status, error, format, args);
  va_end(args);
  return status;
}

int32_t
inf_place_no_memory(struct infer_error **error)
{
  if (error && !*error)
    *error = inf_error_no_memory();
  return INFER_E_NO_MEMORY;
}
