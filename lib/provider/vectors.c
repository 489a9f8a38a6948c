/* SPDX-License-Identifier: MIT */
/* Vectors as they come: which input each belongs to, and that none is missing,
 * doubled, of another length or no number. See vectors.h. */
#include "provider/vectors.h"

#include "infer/infer.h"

#include "base/mem.h"
#include "wire/base64.h"
#include "wire/json_value.h"
#include "wire/number.h"

#include <math.h>

/* ---- Life ---------------------------------------------------------------- */

inf_vectors *
inf_vectors_new(size_t count, size_t wanted_dimensions)
{
  inf_vectors *vectors = inf_calloc(1, sizeof *vectors);
  if (!vectors)
    return NULL;
  atomic_init(&vectors->refs, 1);
  vectors->count = count;
  vectors->wanted = wanted_dimensions;
  vectors->has = inf_calloc(count + 1, sizeof *vectors->has);
  if (vectors->has)
    return vectors;
  inf_free(vectors);
  return NULL;
}

inf_vectors *
inf_vectors_ref(inf_vectors *vectors)
{
  atomic_fetch_add_explicit(&vectors->refs, 1, memory_order_relaxed);
  return vectors;
}

void
inf_vectors_unref(inf_vectors *vectors)
{
  if (!vectors ||
      atomic_fetch_sub_explicit(&vectors->refs, 1, memory_order_acq_rel) != 1)
    return;
  inf_free(vectors->data);
  inf_free(vectors->has);
  inf_free(vectors);
}

void
inf_vectors_clear(inf_vectors *vectors)
{
  inf_free(vectors->data);
  vectors->data = NULL;
  vectors->dimensions = 0;
  vectors->filled = 0;
  memset(vectors->has, 0, vectors->count * sizeof *vectors->has);
}

/* ---- Places -------------------------------------------------------------- */

static int32_t
begin(inf_vectors *vectors, size_t dimensions, inf_buf *why)
{
  if (dimensions == 0) {
    inf_buf_append_cstr(why, "a vector is empty");
    return INFER_E_PROTOCOL;
  }
  if (vectors->wanted > 0 && dimensions != vectors->wanted) {
    inf_buf_appendf(why, "vectors have %zu dimensions, %zu were asked for",
                    dimensions, vectors->wanted);
    return INFER_E_PROTOCOL;
  }
  if (dimensions > INF_VECTORS_MAX_DIMENSIONS ||
      vectors->count > INF_VECTORS_MAX_BYTES / sizeof(float) / dimensions)
    return INFER_E_TOO_LARGE;
  vectors->data = inf_malloc(vectors->count * dimensions * sizeof(float));
  if (!vectors->data)
    return INFER_E_NO_MEMORY;
  vectors->dimensions = dimensions;
  return INFER_OK;
}

/* Room for the vector of an input, which has so many numbers. */
static int32_t
take_place(inf_vectors *vectors, size_t index, size_t dimensions, float **place,
           inf_buf *why)
{
  if (index >= vectors->count) {
    inf_buf_appendf(why, "a vector for input %zu of %zu", index,
                    vectors->count);
    return INFER_E_PROTOCOL;
  }
  if (vectors->has[index]) {
    inf_buf_appendf(why, "two vectors for input %zu", index);
    return INFER_E_PROTOCOL;
  }
  int32_t status = vectors->data ? INFER_OK : begin(vectors, dimensions, why);
  if (status != INFER_OK)
    return status;
  if (dimensions != vectors->dimensions) {
    inf_buf_appendf(why,
                    "the vector of input %zu has %zu dimensions, others %zu",
                    index, dimensions, vectors->dimensions);
    return INFER_E_PROTOCOL;
  }
  *place = vectors->data + index * dimensions;
  return INFER_OK;
}

static void
fill(inf_vectors *vectors, size_t index)
{
  vectors->has[index] = true;
  vectors->filled++;
}

/* ---- Reading ------------------------------------------------------------- */

static bool
ends_number(char c)
{
  return c == ',' || c == ']' || c == ' ' || c == '\n' || c == '\r' ||
         c == '\t';
}

/* The next element of a checked array whose inside text is; false at its end.
 * What is no number comes as it stands, and is found out by who reads it. */
static bool
next_number(inf_sv *text, inf_sv *number)
{
  const char *at = text->ptr, *end = at + text->len;
  while (at < end && ends_number(*at))
    at++;
  const char *begin_of = at;
  while (at < end && !ends_number(*at))
    at++;
  *number = inf_sv_of(begin_of, (size_t)(at - begin_of));
  *text = inf_sv_of(at, (size_t)(end - at));
  return number->len > 0;
}

/* In an array of numbers each comma stands between two. */
static size_t
count_numbers(inf_sv inside)
{
  inf_sv rest = inside, number;
  if (!next_number(&rest, &number))
    return 0;
  size_t count = 1;
  for (size_t i = 0; i < rest.len; i++)
    count += rest.ptr[i] == ',';
  return count;
}

static int32_t
put_array(inf_vectors *vectors, size_t index, inf_sv value, inf_buf *why)
{
  inf_sv inside = inf_sv_of(value.ptr + 1, value.len - 2), number;
  size_t dimensions = count_numbers(inside), got = 0;
  float *place;
  int32_t status = take_place(vectors, index, dimensions, &place, why);
  if (status != INFER_OK)
    return status;
  while (got < dimensions && next_number(&inside, &number) &&
         inf_number_to_float(number, &place[got]))
    got++;
  if (got < dimensions) {
    inf_buf_appendf(why, "place %zu of the vector of input %zu is no number",
                    got, index);
    return INFER_E_PROTOCOL;
  }
  fill(vectors, index);
  return INFER_OK;
}

static bool
all_finite(const float *numbers, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (!isfinite(numbers[i]))
      return false;
  return true;
}

static int32_t
put_base64(inf_vectors *vectors, size_t index, inf_sv value, inf_buf *why)
{
  inf_sv text;
  float *place;
  size_t count = 0;
  inf_buf unescaped; /* "\/" is legal JSON */
  inf_buf_init(&unescaped, INF_VECTORS_MAX_DIMENSIONS * 8);
  if (!inf_json_plain(value, &text)) {
    inf_json_string(value, &unescaped);
    text = inf_buf_sv(&unescaped);
  }
  size_t dimensions = inf_base64_size(text) / sizeof(float);
  int32_t status = unescaped.status;
  if (status == INFER_OK)
    status = take_place(vectors, index, dimensions, &place, why);
  if (status == INFER_OK) {
    status = inf_base64_get_floats(text, place, dimensions, &count);
    if (status == INFER_OK &&
        (count != dimensions || !all_finite(place, count)))
      status = INFER_E_PROTOCOL;
    if (status == INFER_OK)
      fill(vectors, index);
    else
      inf_buf_appendf(why, "the vector of input %zu is no base64 of numbers",
                      index);
  }
  inf_buf_fini(&unescaped);
  return status;
}

int32_t
inf_vectors_put(inf_vectors *vectors, size_t index, inf_sv value, inf_buf *why)
{
  switch (inf_json_type_of(value)) {
  case INF_JSON_ARRAY:
    return put_array(vectors, index, value, why);
  case INF_JSON_STRING:
    return put_base64(vectors, index, value, why);
  default:
    inf_buf_appendf(why, "input %zu has no vector", index);
    return INFER_E_PROTOCOL;
  }
}

/* ---- Wholes -------------------------------------------------------------- */

int32_t
inf_vectors_join(inf_vectors *vectors, size_t first, const inf_vectors *part,
                 inf_buf *why)
{
  for (size_t i = 0; i < part->count; i++) {
    float *place;
    int32_t status =
        take_place(vectors, first + i, part->dimensions, &place, why);
    if (status != INFER_OK)
      return status;
    memcpy(place, inf_vectors_at(part, i), part->dimensions * sizeof(float));
    fill(vectors, first + i);
  }
  return INFER_OK;
}

int32_t
inf_vectors_check(const inf_vectors *vectors, inf_buf *why)
{
  if (vectors->filled == vectors->count)
    return INFER_OK;
  inf_buf_appendf(why, "%zu vectors for %zu inputs", vectors->filled,
                  vectors->count);
  return INFER_E_PROTOCOL;
}

const float *
inf_vectors_at(const inf_vectors *vectors, size_t index)
{
  return vectors->data && index < vectors->count
             ? vectors->data + index * vectors->dimensions
             : NULL;
}
