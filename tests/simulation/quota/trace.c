/* SPDX-License-Identifier: MIT */
#include "trace_reading.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { max_requests = 1 << 24 };

bool
trace_add(trace_reading *r, double at, double prompt, double output)
{
  trace *into = r->into;
  if (!(prompt >= 0 && output >= 0 && prompt + output < 1e9))
    return false;
  if (into->count == r->room) {
    size_t room = r->room > 0 ? r->room * 2 : 1024;
    trace_request *more = room > max_requests
                              ? NULL
                              : realloc(into->requests, room * sizeof *more);
    if (!more)
      return false;
    into->requests = more;
    r->room = room;
  }
  into->requests[into->count++] = (trace_request){at, prompt, output};
  return true;
}

/* ---- Azure's CSV --------------------------------------------------------- */

static const char csv_head[] = "TIMESTAMP,ContextTokens,GeneratedTokens";

/* 2023-11-16 18:17:03.9799600,4808,10 */
static bool
add_csv(trace_reading *r, const char *line)
{
  struct tm day = {0};
  char *end;
  const char *tail = strptime(line, "%Y-%m-%d %H:%M:", &day);
  if (!tail)
    return false;
  double seconds = strtod(tail, &end);
  if (end == tail)
    return false;
  tail = strchr(end, ','); /* a zone may stand before it */
  if (!tail)
    return false;
  double prompt = strtod(tail + 1, &end);
  if (end == tail + 1 || *end != ',')
    return false;
  tail = end + 1;
  double output = strtod(tail, &end);
  return end != tail && *end == '\0' &&
         trace_add(r, (double)timegm(&day) + seconds, prompt, output);
}

/* ---- JSON ---------------------------------------------------------------- */

/* A number, or one in a string. */
static bool
read_number(json_object *object, const char *name, double *value)
{
  json_object *member = NULL;
  if (!json_object_object_get_ex(object, name, &member) || !member)
    return false;
  if (!json_object_is_type(member, json_type_string)) {
    *value = json_object_get_double(member);
    return json_object_is_type(member, json_type_int) ||
           json_object_is_type(member, json_type_double);
  }
  char *end;
  const char *text = json_object_get_string(member);
  *value = strtod(text, &end);
  return end != text && *end == '\0';
}

static bool
add_json_line(trace_reading *r, const char *line)
{
  double at = 0, prompt = 0, output = 0;
  json_object *object = json_tokener_parse(line);
  bool ok = json_object_is_type(object, json_type_object) &&
            read_number(object, "timestamp", &at) &&
            read_number(object, "input_length", &prompt) &&
            read_number(object, "output_length", &output) &&
            trace_add(r, at, prompt, output);
  json_object_put(object);
  return ok;
}

/* The caller who is free first makes it. */
static bool
add_llmperf(trace_reading *r, json_object *object)
{
  double took = 0, prompt = 0, output = 0;
  size_t who = 0;
  if (!json_object_is_type(object, json_type_object) ||
      !read_number(object, "number_input_tokens", &prompt) ||
      !read_number(object, "number_output_tokens", &output) ||
      !read_number(object, "end_to_end_latency_s", &took) || took < 0)
    return false;
  for (size_t i = 1; i < trace_llmperf_callers; i++)
    if (r->free_at[i] < r->free_at[who])
      who = i;
  double at = r->free_at[who];
  r->free_at[who] += took;
  return trace_add(r, at, prompt, output);
}

static bool
read_array(trace_reading *r, const char *text)
{
  json_object *array = json_tokener_parse(text);
  bool ok = json_object_is_type(array, json_type_array);
  size_t count = ok ? json_object_array_length(array) : 0;
  for (size_t i = 0; i < count && ok; i++) {
    r->line = i + 1;
    ok = add_llmperf(r, json_object_array_get_idx(array, i));
  }
  json_object_put(array);
  return ok;
}

/* ---- Files --------------------------------------------------------------- */

bool
trace_read_lines(trace_reading *r, char *text,
                 bool (*add_one)(trace_reading *r, const char *line))
{
  bool ok = true;
  while (text && ok) {
    char *line = text;
    r->line++;
    text = strchr(line, '\n');
    if (text)
      *text++ = '\0';
    line[strcspn(line, "\r")] = '\0';
    ok = line[0] == '\0' || add_one(r, line);
  }
  return ok;
}

char *
trace_read_file(const char *path)
{
  enum { max_bytes = 1 << 30 };
  FILE *file = fopen(path, "rb");
  size_t len = 0, room = 1 << 16;
  char *text = file ? malloc(room) : NULL;
  while (text && !feof(file) && !ferror(file)) {
    len += fread(text + len, 1, room - len - 1, file);
    if (len + 1 < room)
      continue;
    room *= 2;
    char *more = room <= max_bytes ? realloc(text, room) : NULL;
    if (!more)
      free(text);
    text = more;
  }
  if (text && ferror(file)) {
    free(text);
    text = NULL;
  }
  if (text)
    text[len] = '\0';
  if (file)
    fclose(file);
  return text;
}

/* Which of the forms it is; false if none. */
static bool
read_text(trace_reading *r, char *text, bool *known)
{
  char *begin = text + strspn(text, " \t\r\n");
  *known = true;
  if (strncmp(begin, csv_head, sizeof csv_head - 1) == 0) {
    r->line = 1;
    char *rest = strchr(begin, '\n');
    return !rest || trace_read_lines(r, rest + 1, add_csv);
  }
  if (*begin == '{' && strstr(begin, "\"timestamp\"") &&
      strstr(begin, "\"input_length\""))
    return trace_read_lines(r, begin, add_json_line);
  if (*begin == '[' && strstr(begin, "\"end_to_end_latency_s\""))
    return read_array(r, begin);
  if (servegen_is_line(begin))
    return servegen_read(r, begin);
  *known = false;
  return false;
}

static int
by_time(const void *a, const void *b)
{
  const trace_request *one = a, *other = b;
  return (one->at > other->at) - (one->at < other->at);
}

/* Some traces are not quite in order. */
static bool
put_in_order(trace *loaded)
{
  size_t count = loaded->count;
  if (count < 2)
    return false;
  qsort(loaded->requests, count, sizeof *loaded->requests, by_time);
  double first = loaded->requests[0].at;
  for (size_t i = 0; i < count; i++)
    loaded->requests[i].at -= first;
  double last = loaded->requests[count - 1].at;
  loaded->period = last * (double)count / (double)(count - 1);
  return last > 0;
}

bool
trace_load(trace *loaded, const char *path, char *why, size_t why_size)
{
  trace_reading r = {.into = loaded, .path = path};
  bool known = true, ok = false;
  *loaded = (trace){0};
  char *text = trace_read_file(path);
  if (!text)
    snprintf(why, why_size, "trace \"%s\": cannot be read", path);
  else if (read_text(&r, text, &known)) {
    ok = put_in_order(loaded);
    if (!ok)
      snprintf(why, why_size,
               "trace \"%s\": no two requests at different times", path);
  } else if (known)
    snprintf(why, why_size, "trace \"%s\": line or element %zu is no request",
             path, r.line);
  else
    snprintf(why, why_size,
             "trace \"%s\": in no known format (Azure's CSV, JSON lines with "
             "timestamp, input_length and output_length, llmperf's JSON, "
             "ServeGen's CSV)",
             path);
  free(text);
  if (!ok)
    trace_free(loaded);
  return ok;
}

void
trace_free(trace *loaded)
{
  free(loaded->requests);
  *loaded = (trace){0};
}
