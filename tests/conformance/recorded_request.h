/* SPDX-License-Identifier: MIT */
#ifndef TESTS_CONFORMANCE_RECORDED_REQUEST_H
#define TESTS_CONFORMANCE_RECORDED_REQUEST_H

#include "base/buf.h"
#include "provider/dialect.h"

#include <json-c/json.h>

/* A recorded request of Chat Completions, sent once more by us. What a row of
 * the catalogue refuses, leaves out or sends under another name was sent all
 * the same by whoever recorded it. */

/* Takes away what the row refuses, from the body and from its messages. */
void recorded_drop_refused(const inf_provider_kind *kind, json_object *body);
/* Is every member of the recorded body in that which was sent, as the row says
 * that it is? A line in why for each that is not. */
void recorded_compare(const inf_provider_kind *kind, json_object *recorded,
                      json_object *sent, inf_buf *why);

#endif
