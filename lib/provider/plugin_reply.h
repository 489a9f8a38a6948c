/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_PLUGIN_REPLY_H
#define INF_PROVIDER_PLUGIN_REPLY_H

#include "provider/plugin.h"

/* What a plug-in says of failures and quotas: what its classify and
 * read_limits are given (infer_provider_reply_*, _failure_* and _limits_* of
 * provider.h), and what becomes of what they give. */

void inf_plugin_classify(inf_decoder *decoder, inf_sv body);
void inf_plugin_read_limits(const inf_provider_kind *kind, int http_status,
                            const inf_headers *headers,
                            inf_rate_sights *sights);

#endif
