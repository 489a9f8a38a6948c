/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_PROVIDER_H
#define INF_CONFIG_COMPILE_PROVIDER_H

#include "config/config.h"
#include "config/tree.h"

/* Reads one element of "providers" into provider, which is zeroed; the caller
 * calls fini whether this succeeds or not. plugins: types beside the built-in
 * ones; they must outlive the provider. */
int32_t inf_compile_provider(const inf_node *node, const inf_place *place,
                             const inf_plugins *plugins,
                             inf_provider_config *provider,
                             infer_error **error);
void inf_provider_config_fini(inf_provider_config *provider);

/* What the provider calls the model: its alias resolved. */
const char *inf_provider_model(const inf_provider_config *provider,
                               inf_sv model, size_t *len);

#endif
