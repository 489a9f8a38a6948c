/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_JSON_ARRAY_H
#define INF_WIRE_JSON_ARRAY_H

#include "base/buf.h"

/* One JSON array that comes in pieces (Gemini without alt=sse): bytes in, the
 * bytes of each element out as soon as it is complete. A number, true, false
 * or null is complete when what stands behind it has come.
 *
 * The array's own brackets, commas and whitespace are checked; its elements
 * are framed by their quotes and brackets, no more: checking them is for
 * whoever reads them.
 *
 * An element that lies whole in the bytes given is a view of them: nothing is
 * copied. No state but this struct; one thread at a time. */

/* False stops the parser: inf_json_array_feed() returns at once and the rest
 * of its bytes is dropped. The view lives until the function returns. */
typedef bool (*inf_json_array_fn)(void *context, inf_sv element);

typedef enum inf_json_array_place {
  INF_JSON_ARRAY_START,  /* before the bracket */
  INF_JSON_ARRAY_FIRST,  /* behind it */
  INF_JSON_ARRAY_NEXT,   /* behind a comma */
  INF_JSON_ARRAY_SCALAR, /* within an element: a number or a name */
  INF_JSON_ARRAY_STRING, /* within a string of an element */
  INF_JSON_ARRAY_NESTED, /* between an element's brackets, in no string */
  INF_JSON_ARRAY_BEHIND, /* behind an element */
  INF_JSON_ARRAY_END,    /* behind the array */
} inf_json_array_place;

typedef struct inf_json_array {
  inf_buf element; /* what came before of an unfinished element */
  size_t max_element_bytes;
  unsigned max_depth, depth; /* of brackets within the element */
  inf_json_array_place place;
  bool escaped; /* the last byte was a backslash */
  bool stopped;
  bool pausing; /* see inf_json_array_feed_element() */
  bool delivered;
  int32_t status;
  const char *reason; /* static text, with INFER_E_PROTOCOL */
} inf_json_array;

/* An element may be at most max_element_bytes long, and nested at most
 * max_depth deep ("[]" is 1 deep). */
void inf_json_array_init(inf_json_array *array, size_t max_element_bytes,
                         unsigned max_depth);
void inf_json_array_fini(inf_json_array *array);
/* For another stream; a buffer of at most keep_bytes is kept. */
void inf_json_array_reuse(inf_json_array *array, size_t max_element_bytes,
                          unsigned max_depth, size_t keep_bytes);
/* INFER_OK, INFER_E_TOO_LARGE, INFER_E_TOO_DEEP, INFER_E_PROTOCOL (no array,
 * or something behind it) or INFER_E_NO_MEMORY; after an error the parser
 * stays stopped and gives the same error again. */
int32_t inf_json_array_feed(inf_json_array *array, const char *ptr, size_t len,
                            inf_json_array_fn fn, void *context);
/* The same, but it takes no byte after the first element that it delivers.
 * Gives the number of bytes taken; array->status says how it went. */
size_t inf_json_array_feed_element(inf_json_array *array, const char *ptr,
                                   size_t len, inf_json_array_fn fn,
                                   void *context);
/* The end of the bytes: also INFER_E_TRUNCATED, where the closing bracket has
 * not come. The parser is stopped then. */
int32_t inf_json_array_finish(inf_json_array *array);

/* Has the closing bracket come? */
static inline bool
inf_json_array_ended(const inf_json_array *array)
{
  return array->place == INF_JSON_ARRAY_END;
}

#endif
