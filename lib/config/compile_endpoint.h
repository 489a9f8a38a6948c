/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_ENDPOINT_H
#define INF_CONFIG_COMPILE_ENDPOINT_H

#include "config/config.h"
#include "config/tree.h"

/* Reads and checks where and how the provider is reached: proxy, CAs, client
 * certificate, socket, fixed addresses, HTTP version. What the table puts
 * into the endpoint by itself, and base_url, are there already. Files are
 * looked at now, so that a mistake shows now. */
int32_t inf_compile_endpoint(const inf_node *node, const inf_place *place,
                             inf_provider_config *provider,
                             infer_error **error);
void inf_endpoint_fini(inf_endpoint *endpoint);

#endif
