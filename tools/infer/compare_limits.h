/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_LIMITS_H
#define INF_TOOLS_COMPARE_LIMITS_H

#include "compare_data.h"

#include "base/buf.h"
#include "infer/infer.h"

#include <json-c/json_types.h>

/* Rate limits of the targets, as far as the client knows them in the end: of
 * its configuration, or told by the providers. */

void inf_cmp_limits_read(infer_client *client, inf_cmp_data *data);
/* The same of the document that infer_client_stats() gives. */
void inf_cmp_limits_take(inf_cmp_data *data, json_object *stats);
/* Appends "60 requests a minute, 90000 tokens a minute". */
void inf_cmp_limits_put(inf_buf *out, const inf_cmp_subject *subject);

#endif
