/* SPDX-License-Identifier: MIT */
#ifndef INF_WIRE_JSON_WRITE_H
#define INF_WIRE_JSON_WRITE_H

#include "base/buf.h"

/* Writing JSON into a buffer. Commas are put by the writer itself, from the
 * last byte written: a value after '{', '[' or ':' needs none. Errors are the
 * buffer's sticky status.
 *
 *   inf_json_open(buf, '{');
 *   inf_json_key(buf, INF_SV("a"));  inf_json_put_int(buf, 1);
 *   inf_json_close(buf, '}');
 */

void inf_json_open(inf_buf *buf, char bracket);
void inf_json_close(inf_buf *buf, char bracket);
void inf_json_key(inf_buf *buf, inf_sv key);
/* Escapes what JSON requires, nothing more; invalid UTF-8 becomes U+FFFD. */
void inf_json_put_string(inf_buf *buf, inf_sv text);
void inf_json_put_int(inf_buf *buf, int64_t value);
/* Shortest form that reads back as the same number; null for NaN and
 * infinities. Never in the user's locale. */
void inf_json_put_double(inf_buf *buf, double value);
void inf_json_put_bool(inf_buf *buf, bool value);
void inf_json_put_null(inf_buf *buf);
/* A value that is JSON already. */
void inf_json_put_raw(inf_buf *buf, inf_sv json);
/* key and value at once. */
void inf_json_member_string(inf_buf *buf, inf_sv key, inf_sv text);
void inf_json_member_int(inf_buf *buf, inf_sv key, int64_t value);
void inf_json_member_raw(inf_buf *buf, inf_sv key, inf_sv json);
void inf_json_member_bool(inf_buf *buf, inf_sv key, bool value);

/* The text of a string value without its quotes, for pieces. */
void inf_json_escape(inf_buf *buf, inf_sv text);

#endif
