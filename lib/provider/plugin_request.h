/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_PLUGIN_REQUEST_H
#define INF_PROVIDER_PLUGIN_REQUEST_H

#include "provider/plugin.h"

/* The way out through a plug-in: what its write_request and sign are given
 * (infer_provider_request_* and infer_provider_writer_* of provider.h), and
 * what becomes of what they give. Headers of the account and the request stand
 * in place of the plug-in's, and those in place of the library's own. */

int32_t inf_plugin_write_chat(const inf_send *send, inf_wire_request *out,
                              inf_buf *why);
int32_t inf_plugin_sign(const inf_send *send, inf_wire_request *request,
                        int64_t wall_now_ns, inf_buf *why);

#endif
