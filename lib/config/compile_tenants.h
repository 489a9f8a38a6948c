/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_TENANTS_H
#define INF_CONFIG_COMPILE_TENANTS_H

#include "config/config.h"
#include "config/place.h"
#include "config/tree.h"

/* The member "tenants" of the document: name -> weight. */
int32_t inf_compile_tenants(const inf_node *document, inf_config *config,
                            infer_error **error);
void inf_tenants_free(inf_config *config);

#endif
