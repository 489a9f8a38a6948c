/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_KEYS_H
#define INF_CONFIG_COMPILE_KEYS_H

#include "config/config.h"
#include "config/tree.h"

/* Reads api_key, organization and project of the provider, whose kind,
 * base_url and auth_scheme are known already. Without api_key the key comes
 * from the kind's variable; it may be missing where an address of one's own
 * is configured or no key is sent. */
int32_t inf_compile_keys(const inf_node *node, const inf_place *place,
                         inf_provider_config *provider, infer_error **error);
void inf_keys_free(inf_key *keys, size_t count);

#endif
