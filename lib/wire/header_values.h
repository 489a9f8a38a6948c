/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_HEADER_VALUES_H
#define INF_WIRE_HEADER_VALUES_H

#include "wire/date.h"

/* The values of HTTP header fields that matter to us, and times as error
 * bodies tell them. Pure: bytes and the time of day in, numbers out.
 *
 * All parsers take the whole text (nothing around it) and give true and
 * nanoseconds >= 0, or false for what is malformed, negative, NaN or above 10
 * years. */

/* "12", "0.5", "12.599999999": seconds, no sign, no exponent. */
bool inf_parse_seconds(inf_sv text, uint64_t *ns);
/* "1500", "0.5": milliseconds. */
bool inf_parse_millis(inf_sv text, uint64_t *ns);
/* Go durations: "6m0s", "17ms", "12m57.599999999s", "1h2m3s", "350us"; and
 * protobuf ones: "48s", "34.4s". */
bool inf_parse_go_duration(inf_sv text, uint64_t *ns);
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
