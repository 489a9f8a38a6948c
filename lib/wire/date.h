/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_DATE_H
#define INF_WIRE_DATE_H

#include "base/sv.h"

#include <stdint.h>

/* Points in time as text. True and nanoseconds since 1970 (UTC), or false for
 * what is malformed, before 1970, or after 2261 (where the nanoseconds no
 * longer fit). Nothing may stand around the text. */

/* RFC 3339 time: "2026-08-02T17:43:57Z", "...57.123+02:00"; nanoseconds since
 * 1970 (UTC). */
bool inf_parse_rfc3339(inf_sv text, int64_t *wall_ns);
/* HTTP dates of RFC 9110 5.6.7: IMF-fixdate, RFC 850 and asctime forms. */
bool inf_parse_http_date(inf_sv text, int64_t *wall_ns);

#define INF_BASIC_DATE_BYTES 17 /* with its NUL */
/* Writes the basic form of ISO 8601 in UTC, "20260802T174357Z", fractions of a
 * second dropped; its first eight characters are the day. A time before 1970
 * counts as 1970. */
void inf_write_basic_date(int64_t wall_ns, char text[INF_BASIC_DATE_BYTES]);

#endif
