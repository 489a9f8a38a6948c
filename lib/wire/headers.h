/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_HEADERS_H
#define INF_WIRE_HEADERS_H

#include "base/buf.h"
#include "wire/header_values.h"

/* HTTP header fields, collected as text. What their values mean is read by
 * header_values.h. */

/* Fields in the order in which they came, as "name: value\n" with the value
 * trimmed. */
typedef struct inf_headers {
  inf_buf text;
  size_t count;
} inf_headers;

void inf_headers_init(inf_headers *headers, size_t max_bytes);
void inf_headers_fini(inf_headers *headers);
void inf_headers_clear(inf_headers *headers);
/* Takes one field line, with or without its line end. A line without a colon
 * (status line, blank) is ignored. INFER_OK or the buffer's status. */
int32_t inf_headers_add_line(inf_headers *headers, inf_sv line);
/* Value of the first field of that name (ASCII case ignored); false if
 * absent. */
bool inf_headers_get(const inf_headers *headers, inf_sv name, inf_sv *value);
/* All fields in turn: *at is 0 at first, and tells where to go on. */
bool inf_headers_next(const inf_headers *headers, size_t *at, inf_sv *name,
                      inf_sv *value);
bool inf_headers_at(const inf_headers *headers, size_t index, inf_sv *name,
                    inf_sv *value);

/* Is the text a legal field name (token, RFC 9110 5.6.2) or value (no control
 * characters but tab)? What callers give is checked by these. */
bool inf_header_name_valid(inf_sv name);
bool inf_header_value_valid(inf_sv value);

#endif
