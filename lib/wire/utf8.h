/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_UTF8_H
#define INF_WIRE_UTF8_H

#include "base/buf.h"

/* UTF-8 as RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF. */

/* Length of the longest valid prefix. */
size_t inf_utf8_valid_prefix(const char *ptr, size_t len);

static inline bool
inf_utf8_valid(inf_sv text)
{
  return inf_utf8_valid_prefix(text.ptr, text.len) == text.len;
}

/* Appends text with each maximal ill-formed subsequence replaced by U+FFFD,
 * as the WHATWG decoder does. */
bool inf_utf8_append_lossy(inf_buf *buf, inf_sv text);
/* Writes one code point (U+FFFD for what is none, such as a surrogate) and
 * gives its length. */
size_t inf_utf8_encode(uint32_t code_point, char out[4]);
/* Appends one code point (a surrogate becomes U+FFFD). */
bool inf_utf8_append_code_point(inf_buf *buf, uint32_t code_point);

#endif
