/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_REGION_H
#define INF_CONFIG_REGION_H

#include "config/config.h"
#include "config/tree.h"

/* The region of a provider whose kind has "{region}" in its address: from the
 * option "region", else from the configured base_url, else from AWS_REGION or
 * AWS_DEFAULT_REGION; of Google's services, which have "{project}" there, too,
 * from GOOGLE_CLOUD_LOCATION. */

/* Fills in provider->region, which its option may have set; the kind is
 * known. NULL stays where only a base_url is given that has none, as that of
 * a test server. INFER_E_CONFIG for an option that the kind has no use for or
 * that is no region, and where the kind's address would lack one. */
int32_t inf_compile_region(const inf_node *node, const inf_place *place,
                           inf_provider_config *provider, infer_error **error);

/* Does the kind's address have a region? And does the environment name one? */
bool inf_region_matters(const inf_provider_kind *kind);
bool inf_region_is_set(void);

/* Is the kind's address one of Google's cloud? */
bool inf_region_is_google(const inf_provider_kind *kind);

/* Appends the address with the region, the project (may be "") and for "{host}"
 * Google's server for that region in it. */
void inf_region_expand(const char *base_url, const char *region,
                       const char *project, inf_buf *out);

#endif
