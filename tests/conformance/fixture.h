/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_FIXTURE_H
#define TESTS_CONFORMANCE_FIXTURE_H

#include "base/buf.h"

#include <json-c/json.h>
#include <stdbool.h>

/* The helpers of write_requests.c: what stands in for text of a recording, and
 * comparing two requests. */

/* A copy of the value in which every {"from": POINTER, ...} is the value that
 * the recorded body has there (RFC 6901). "as": "text" makes it a string of
 * its JSON, "as": "json" what a string's JSON says; "before" and "after" are
 * put around a string. NULL with a line in why if there is no such value. */
json_object *fixture_expand(json_object *value, json_object *recorded,
                            inf_buf *why);

/* Appends a line for each member in which the two differ and that unlike, an
 * object of JSON pointers and reasons (or NULL), does not name; also for each
 * it names in vain. The order of members does not count, 1 is 1.0, and
 * "stream": false is the same as none. True if there is no difference. */
bool fixture_compare(json_object *recorded, json_object *sent,
                     json_object *unlike, inf_buf *why);

#endif
