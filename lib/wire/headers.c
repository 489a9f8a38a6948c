/* SPDX-License-Identifier: MIT */
/* Collecting header fields; the parsers of their values are in
 * header_values.c. */
#include "wire/headers.h"

#include "infer/infer.h"

void
inf_headers_init(inf_headers *headers, size_t max_bytes)
{
  inf_buf_init(&headers->text, max_bytes);
  headers->count = 0;
}

void
inf_headers_fini(inf_headers *headers)
{
  inf_buf_fini(&headers->text);
  headers->count = 0;
}

void
inf_headers_clear(inf_headers *headers)
{
  inf_buf_clear(&headers->text);
  headers->count = 0;
}

int32_t
inf_headers_add_line(inf_headers *headers, inf_sv line)
{
  line = inf_sv_trim(line);
  size_t colon = inf_sv_find(line, ':');
  if (colon == line.len || colon == 0)
    return headers->text.status;
  inf_sv name = inf_sv_trim(inf_sv_of(line.ptr, colon));
  inf_sv value =
      inf_sv_trim(inf_sv_of(line.ptr + colon + 1, line.len - colon - 1));
  if (!inf_header_name_valid(name) || inf_sv_find(value, '\n') != value.len)
    return headers->text.status;
  if (!inf_buf_reserve(&headers->text, name.len + value.len + 3))
    return headers->text.status;
  inf_buf_append_sv(&headers->text, name);
  inf_buf_append_sv(&headers->text, INF_SV(": "));
  inf_buf_append_sv(&headers->text, value);
  inf_buf_append_char(&headers->text, '\n');
  headers->count++;
  return INFER_OK;
}

/* Takes the next field from *rest. */
static bool
next_field(inf_sv *rest, inf_sv *name, inf_sv *value)
{
  if (rest->len == 0)
    return false;
  size_t line = inf_sv_find(*rest, '\n');
  size_t colon = inf_sv_find(*rest, ':');
  *name = inf_sv_of(rest->ptr, colon);
  *value = inf_sv_of(rest->ptr + colon + 2, line - colon - 2);
  *rest = inf_sv_of(rest->ptr + line + 1, rest->len - line - 1);
  return true;
}

bool
inf_headers_get(const inf_headers *headers, inf_sv wanted, inf_sv *value)
{
  inf_sv rest = inf_buf_sv(&headers->text), name;
  while (next_field(&rest, &name, value))
    if (inf_sv_eq_nocase(name, wanted))
      return true;
  return false;
}

bool
inf_headers_at(const inf_headers *headers, size_t index, inf_sv *name,
               inf_sv *value)
{
  inf_sv rest = inf_buf_sv(&headers->text);
  while (next_field(&rest, name, value))
    if (index-- == 0)
      return true;
  return false;
}

bool
inf_header_name_valid(inf_sv name)
{
  static const char marks[] = "!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < name.len; i++) {
    char c = name.ptr[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && (c == '\0' || !strchr(marks, c)))
      return false;
  }
  return name.len > 0;
}

bool
inf_header_value_valid(inf_sv value)
{
  for (size_t i = 0; i < value.len; i++) {
    unsigned char c = (unsigned char)value.ptr[i];
    if ((c < 0x20 && c != '\t') || c == 0x7f)
      return false;
  }
  return true;
}
