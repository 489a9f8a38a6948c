/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_HEADERS_H
#define INF_WIRE_HEADERS_H

#include "base/buf.h"
#include "base/clock.h"

/* HTTP header fields, collected as text, and the values in them that matter
 * to us. Pure: bytes and the time of day in, numbers out. */

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
bool inf_headers_at(const inf_headers *headers, size_t index, inf_sv *name,
                    inf_sv *value);

/* Is the text a legal field name (token, RFC 9110 5.6.2) or value (no control
 * characters but tab)? What callers give is checked by these. */
bool inf_header_name_valid(inf_sv name);
bool inf_header_value_valid(inf_sv value);

/* All parsers below: true and nanoseconds >= 0 in *ns, or false for what is
 * malformed, negative, NaN or above 10 years. */

/* "12", "0.5", "12.599999999": seconds, no sign, no exponent. */
bool inf_parse_seconds(inf_sv text, uint64_t *ns);
/* "1500", "0.5": milliseconds. */
bool inf_parse_millis(inf_sv text, uint64_t *ns);
/* Go durations: "6m0s", "17ms", "12m57.599999999s", "1h2m3s", "350us"; and
 * protobuf ones: "48s", "34.4s". */
bool inf_parse_go_duration(inf_sv text, uint64_t *ns);
/* RFC 3339 time: "2026-08-02T17:43:57Z", "...57.123+02:00"; nanoseconds since
 * 1970 (UTC). */
bool inf_parse_rfc3339(inf_sv text, int64_t *wall_ns);
/* HTTP dates of RFC 9110 5.6.7: IMF-fixdate, RFC 850 and asctime forms. */
bool inf_parse_http_date(inf_sv text, int64_t *wall_ns);
/* Retry-After: seconds (with fraction) or an HTTP-date; a date in the past
 * gives 0. */
bool inf_parse_retry_after(inf_sv text, int64_t wall_now_ns, uint64_t *ns);
/* A rate-limit reset value in any form that is in use: Go duration, seconds
 * with or without fraction, RFC 3339, Unix time in seconds or milliseconds;
 * which of them is told by form and size. Gives the time from now. */
bool inf_parse_reset(inf_sv text, int64_t wall_now_ns, uint64_t *ns);
/* The wait that a sentence tells: "Please try again in 5.289s", "retry after
 * 30 seconds", "Please retry in 48.939935699s.", "try again in 1m26.4s",
 * "try again in 20 ms". */
bool inf_parse_retry_text(inf_sv text, uint64_t *ns);

#endif
