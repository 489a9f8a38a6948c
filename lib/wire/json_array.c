/* SPDX-License-Identifier: MIT */
/* The framing of a streamed JSON array: a machine of eight places. Within an
 * element it looks only at quotes, backslashes and brackets, sixteen bytes at
 * a time.
 *
 * An element's limit ends the bytes that are looked at, so that the error for
 * one too long comes at the same byte however the stream is cut. */
#include "wire/json_array.h"

#include "wire/json_chars.h"
#include "wire/swar.h"

#include <infer/infer.h>

typedef struct cursor {
  const char *at, *end;
  const char *from; /* where the element begins, or goes on, in these bytes */
  inf_json_array_fn fn;
  void *context;
} cursor;

void
inf_json_array_init(inf_json_array *array, size_t max_element_bytes,
                    unsigned max_depth)
{
  *array = (inf_json_array){.max_element_bytes = max_element_bytes,
                            .max_depth = max_depth};
  inf_buf_init(&array->element, max_element_bytes);
}

void
inf_json_array_fini(inf_json_array *array)
{
  inf_buf_fini(&array->element);
}

void
inf_json_array_reuse(inf_json_array *array, size_t max_element_bytes,
                     unsigned max_depth, size_t keep_bytes)
{
  inf_buf element = array->element;

  inf_json_array_init(array, max_element_bytes, max_depth);
  array->element = element;
  inf_buf_reuse(&array->element, max_element_bytes, keep_bytes);
}

static bool
stop(inf_json_array *array, int32_t status)
{
  array->stopped = true;
  array->status = status;
  return false;
}

static bool
refuse(inf_json_array *array, const char *reason)
{
  array->reason = reason;
  return stop(array, INFER_E_PROTOCOL);
}

/* Elements ------------------------------------------------------------- */

/* What came of the element in these bytes. */
static bool
keep_part(inf_json_array *array, const cursor *in)
{
  return inf_buf_append(&array->element, in->from,
                        (size_t)(in->at - in->from)) ||
         stop(array, array->element.status);
}

static bool
deliver(inf_json_array *array, cursor *in)
{
  inf_sv element = inf_sv_of(in->from, (size_t)(in->at - in->from));
  bool go_on;

  array->place = INF_JSON_ARRAY_BEHIND;
  if (array->element.len > 0) {
    if (!keep_part(array, in))
      return false;
    element = inf_buf_sv(&array->element);
  }
  array->delivered = true;
  go_on = in->fn(in->context, element);
  inf_buf_clear(&array->element);
  return go_on || stop(array, INFER_OK);
}

/* Where the element reaches its limit, if these bytes go so far. */
static const char *
limit_of(const inf_json_array *array, const cursor *in)
{
  size_t room = array->max_element_bytes - array->element.len;

  return room < (size_t)(in->end - in->from) ? in->from + room : in->end;
}

static bool
take_bracket(inf_json_array *array, cursor *in)
{
  bool opens = (*in->at++ | 0x20) == '{';

  if (opens) {
    array->place = INF_JSON_ARRAY_NESTED;
    return array->depth++ < array->max_depth || stop(array, INFER_E_TOO_DEEP);
  }
  return --array->depth > 0 || deliver(array, in);
}

static bool
take_nested(inf_json_array *array, cursor *in, const char *end)
{
  in->at = inf_swar_bracket(in->at, end);
  if (in->at == end)
    return true;
  if (*in->at != '"')
    return take_bracket(array, in);
  in->at++;
  array->place = INF_JSON_ARRAY_STRING;
  return true;
}

static bool
take_string(inf_json_array *array, cursor *in, const char *end)
{
  if (array->escaped) {
    array->escaped = false;
    in->at++;
    return true;
  }
  in->at = inf_swar_plain_end(in->at, end);
  if (in->at == end)
    return true;
  char c = *in->at++;
  array->escaped = c == '\\';
  if (c != '"')
    return true;
  array->place = INF_JSON_ARRAY_NESTED;
  return array->depth > 0 || deliver(array, in);
}

static bool
ends_scalar(char c)
{
  return c == ',' || c == ']' || c == ' ' || c == '\t' || c == '\n' ||
         c == '\r';
}

static bool
take_scalar(inf_json_array *array, cursor *in, const char *end)
{
  while (in->at < end && !ends_scalar(*in->at))
    in->at++;
  return in->at == in->end || !ends_scalar(*in->at) || deliver(array, in);
}

static bool
take_structure(inf_json_array *array, cursor *in, const char *end)
{
  while (in->at < end && array->place != INF_JSON_ARRAY_BEHIND) {
    bool in_string = array->place == INF_JSON_ARRAY_STRING;

    if (!(in_string ? take_string : take_nested)(array, in, end))
      return false;
  }
  return true;
}

/* Up to the end of the element, of these bytes, or of what it may take. */
static bool
take_element(inf_json_array *array, cursor *in)
{
  const char *end = limit_of(array, in);
  bool scalar = array->place == INF_JSON_ARRAY_SCALAR;

  if (!(scalar ? take_scalar : take_structure)(array, in, end))
    return false;
  if (array->place == INF_JSON_ARRAY_BEHIND)
    return true;
  return in->at == in->end ? keep_part(array, in)
                           : stop(array, INFER_E_TOO_LARGE);
}

/* The array itself ----------------------------------------------------- */

static bool
begin_element(inf_json_array *array, cursor *in)
{
  char c = *in->at;

  if (c == ',' || c == ']' || c == '}' || c == ':')
    return refuse(array, "expected a value");
  in->from = in->at;
  array->depth = 0;
  array->place = INF_JSON_ARRAY_SCALAR;
  if (c == '"' || c == '{' || c == '[')
    array->place = INF_JSON_ARRAY_NESTED;
  return take_element(array, in);
}

static bool
move(inf_json_array *array, cursor *in, inf_json_array_place place)
{
  in->at++;
  array->place = place;
  return true;
}

/* One byte that is no whitespace, outside of elements. */
static bool
take_mark(inf_json_array *array, cursor *in)
{
  char c = *in->at;

  switch (array->place) {
  case INF_JSON_ARRAY_START:
    return c == '[' ? move(array, in, INF_JSON_ARRAY_FIRST)
                    : refuse(array, "expected '['");
  case INF_JSON_ARRAY_FIRST:
    return c == ']' ? move(array, in, INF_JSON_ARRAY_END)
                    : begin_element(array, in);
  case INF_JSON_ARRAY_NEXT:
    return begin_element(array, in);
  case INF_JSON_ARRAY_BEHIND:
    if (c == ',')
      return move(array, in, INF_JSON_ARRAY_NEXT);
    return c == ']' ? move(array, in, INF_JSON_ARRAY_END)
                    : refuse(array, "expected ',' or ']'");
  default:
    return refuse(array, "expected nothing behind the array");
  }
}

static bool
within_element(const inf_json_array *array)
{
  return array->place >= INF_JSON_ARRAY_SCALAR &&
         array->place <= INF_JSON_ARRAY_NESTED;
}

static bool
take_next(inf_json_array *array, cursor *in)
{
  if (within_element(array))
    return take_element(array, in);
  in->at = inf_json_skip_space(in->at, in->end);
  return in->at == in->end || take_mark(array, in);
}

/* Gives the number of bytes taken: all, unless the parser was stopped or
 * paused. */
static size_t
feed(inf_json_array *array, const char *ptr, size_t len, inf_json_array_fn fn,
     void *context)
{
  cursor in = {.at = ptr, .from = ptr, .fn = fn, .context = context};

  if (array->stopped || len == 0)
    return 0;
  in.end = ptr + len;
  while (in.at < in.end && take_next(array, &in) &&
         !(array->pausing && array->delivered)) {
  }
  return (size_t)(in.at - ptr);
}

int32_t
inf_json_array_feed(inf_json_array *array, const char *ptr, size_t len,
                    inf_json_array_fn fn, void *context)
{
  feed(array, ptr, len, fn, context);
  return array->status;
}

size_t
inf_json_array_feed_element(inf_json_array *array, const char *ptr, size_t len,
                            inf_json_array_fn fn, void *context)
{
  array->pausing = true;
  array->delivered = false;
  size_t taken = feed(array, ptr, len, fn, context);
  array->pausing = false;
  return taken;
}

int32_t
inf_json_array_finish(inf_json_array *array)
{
  if (!array->stopped)
    stop(array, inf_json_array_ended(array) ? INFER_OK : INFER_E_TRUNCATED);
  return array->status;
}
