/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_SIGV4_CANONICAL_H
#define INF_PROVIDER_SIGV4_CANONICAL_H

#include "base/buf.h"

#include <stdint.h>

/* The parts of a canonical request (see sigv4.h) that are more than copied.
 * Pure. Errors are the buffer's sticky status, or a return value. */

#define INF_SIGV4_MAX_ITEMS 64 /* headers; parts of a query */

/* A header, or a part of the query that is encoded already. */
typedef struct inf_sigv4_item {
  inf_sv name, value;
} inf_sigv4_item;

/* The path of a request line as it is signed: without "." and "..", with
 * single slashes, and each byte but letters, digits, -._~ and / encoded, the
 * percent signs of an encoded path also: "%3A" becomes "%253A". S3 alone signs
 * the path as it is sent. "" is "/". */
void inf_sigv4_path(inf_sv path, bool s3, inf_buf *out);

/* The query as it is signed: each name and value decoded and encoded anew, so
 * that there is one way to write it, and sorted by name, then by value; a name
 * without '=' gets one. A '+' is a plus sign. INFER_OK, INFER_E_TOO_LARGE for
 * more than INF_SIGV4_MAX_ITEMS, or the buffer's status. */
int32_t inf_sigv4_query(inf_sv query, inf_buf *out);

/* Headers to be signed. */
typedef struct inf_sigv4_headers {
  inf_sigv4_item items[INF_SIGV4_MAX_ITEMS];
  size_t count;
} inf_sigv4_headers;

/* Puts a header where its name belongs, behind others of that name. Views, not
 * copies. False if there are too many. */
bool inf_sigv4_headers_add(inf_sigv4_headers *headers, inf_sv name,
                           inf_sv value);
/* Adds the lines (each NUL-terminated) that are signed; sigv4.h says which. */
bool inf_sigv4_headers_add_lines(inf_sigv4_headers *headers, inf_sv lines);
/* "name:value\n" for each name: in lower case; values of one name joined by
 * commas, trimmed, runs of blanks within them one space. */
void inf_sigv4_headers_write(const inf_sigv4_headers *headers, inf_buf *out);
/* The names: "content-type;host;x-amz-date". */
void inf_sigv4_headers_write_names(const inf_sigv4_headers *headers,
                                   inf_buf *out);

#endif
