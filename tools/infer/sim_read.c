/* SPDX-License-Identifier: MIT */
/* Reading the objects of a script by tables of fields. */

#include "sim_read.h"

#include <stdarg.h>

#define PATH_MAX_BYTES  4096
#define ERROR_MAX_BYTES 8192

void
inf_sim_reader_init(inf_sim_reader *reader, inf_sim_arena *arena)
{
  reader->arena = arena;
  inf_buf_init(&reader->path, PATH_MAX_BYTES);
  inf_buf_init(&reader->error, ERROR_MAX_BYTES);
}

void
inf_sim_reader_fini(inf_sim_reader *reader)
{
  inf_buf_fini(&reader->path);
  inf_buf_fini(&reader->error);
}

bool
inf_sim_reader_fail(inf_sim_reader *reader, const char *format, ...)
{
  if (reader->error.len > 0) {
    return false;
  }
  if (reader->path.len > 0) {
    inf_buf_append_sv(&reader->error, inf_buf_sv(&reader->path));
    inf_buf_append_cstr(&reader->error, ": ");
  }
  va_list args;
  va_start(args, format);
  inf_buf_appendv(&reader->error, format, args);
  va_end(args);
  return false;
}

size_t
inf_sim_reader_enter(inf_sim_reader *reader, inf_sv name)
{
  size_t mark = reader->path.len;
  if (mark > 0) {
    inf_buf_append_char(&reader->path, '.');
  }
  inf_buf_append_sv(&reader->path, name);
  return mark;
}

size_t
inf_sim_reader_enter_at(inf_sim_reader *reader, size_t index)
{
  size_t mark = reader->path.len;
  inf_buf_appendf(&reader->path, "[%zu]", index);
  return mark;
}

void
inf_sim_reader_leave(inf_sim_reader *reader, size_t mark)
{
  inf_buf_truncate(&reader->path, mark);
}

bool
inf_sim_is_off(inf_sv value)
{
  return inf_json_is(value, INF_JSON_NULL) ||
         inf_json_is(value, INF_JSON_FALSE);
}

static size_t
find_field(const inf_json_iter *it, const inf_sim_field *fields, size_t count)
{
  size_t i = 0;
  while (i < count && !inf_json_key_is(it, inf_sv_from(fields[i].name))) {
    i++;
  }
  return i;
}

static bool
read_member(inf_sim_reader *reader, const inf_json_iter *it, void *to,
            const inf_sim_field *fields, size_t count, uint64_t *seen)
{
  if (inf_sv_starts_with(it->key, INF_SV("x-"))) {
    return true;
  }
  size_t i = find_field(it, fields, count);
  if (i == count) {
    return inf_sim_reader_fail(reader, "unknown member");
  }
  uint64_t bit = (uint64_t)1 << i % 64;
  if (seen[i / 64] & bit) {
    return inf_sim_reader_fail(reader, "given twice");
  }
  seen[i / 64] |= bit;
  return fields[i].read(reader, it->value, (char *)to + fields[i].offset,
                        fields[i].param);
}

bool
inf_sim_read_fields(inf_sim_reader *reader, inf_sv value, void *to,
                    const inf_sim_field *fields, size_t count)
{
  if (!inf_json_is(value, INF_JSON_OBJECT)) {
    return inf_sim_reader_fail(reader, "must be an object");
  }
  uint64_t seen[INF_SIM_FIELDS_MAX / 64] = {0};
  bool ok = true;
  inf_json_iter it = inf_json_iter_of(value);
  while (ok && inf_json_next(&it)) {
    size_t mark = inf_sim_reader_enter(reader, it.key);
    ok = read_member(reader, &it, to, fields, count, seen);
    inf_sim_reader_leave(reader, mark);
  }
  return ok;
}

/* Copies up to the next byte that is special where it stands. */
static size_t
put_run(inf_buf *out, inf_sv json, size_t at, bool in_string)
{
  size_t start = at;
  while (at < json.len) {
    char c = json.ptr[at];
    if (c == '"' ||
        (in_string ? c == '\\'
                   : c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      break;
    }
    at++;
  }
  inf_buf_append(out, json.ptr + start, at - start);
  return at;
}

void
inf_sim_put_compact(inf_buf *out, inf_sv json)
{
  bool in_string = false;
  size_t at = 0;
  while (at < json.len) {
    at = put_run(out, json, at, in_string);
    if (at < json.len && json.ptr[at] == '"') {
      in_string = !in_string;
      inf_buf_append_char(out, '"');
    } else if (at + 1 < json.len && in_string) {
      inf_buf_append(out, json.ptr + at, 2);
      at++;
    }
    at++;
  }
  inf_sim_must(out);
}
