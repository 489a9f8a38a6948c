/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_PLACE_H
#define INF_CONFIG_PLACE_H

#include "base/error.h"
#include "base/sv.h"

#include <stdint.h>

/* Where in the document we are, so that every complaint can name its path.
 * Places stand on the stack of the functions that walk the document, each
 * pointing to the one above: naming a path costs nothing until it is told. */
typedef struct inf_place {
  const struct inf_place *up; /* NULL: directly in the document */
  inf_sv name;                /* of a member; ptr is NULL for an element */
  size_t index;               /* of an element of an array */
} inf_place;

static inline inf_place
inf_place_member(const inf_place *up, inf_sv name)
{
  return (inf_place){up, name, 0};
}

static inline inf_place
inf_place_element(const inf_place *up, size_t index)
{
  return (inf_place){up, {NULL, 0}, index};
}

#define INF_PLACE_TEXT_MAX 256

/* "providers[1].api_key"; names that are not plain words stand in quotes:
 * routes."my.route".retries. Cut when it does not fit. Returns text. */
const char *inf_place_text(const inf_place *place,
                           char text[INF_PLACE_TEXT_MAX]);

/* An INFER_E_CONFIG error "path: message"; without a place just the message.
 * Returns the status for the caller to return. */
int32_t inf_place_error(const inf_place *place, struct infer_error **error,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for another status. */
int32_t inf_place_error_status(const inf_place *place, int32_t status,
                               struct infer_error **error, const char *format,
                               ...) __attribute__((format(printf, 4, 5)));

/* The static out-of-memory error. Returns INFER_E_NO_MEMORY. */
int32_t inf_place_no_memory(struct infer_error **error);

#endif
