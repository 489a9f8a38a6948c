/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_EXTRAS_H
#define INF_CONFIG_COMPILE_EXTRAS_H

#include "config/config.h"
#include "config/tree.h"

/* Reads what a provider adds to each request: headers, query and body. Its
 * auth_scheme is known already: where it is empty, an authorization header
 * may be given. */
int32_t inf_compile_extras(const inf_node *node, const inf_place *place,
                           inf_provider_config *provider, infer_error **error);

#endif
