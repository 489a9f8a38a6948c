/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_CREDENTIALS_H
#define INF_CONFIG_COMPILE_CREDENTIALS_H

#include "config/config.h"
#include "config/tree.h"

/* Credentials that expire. Where the provider has a source of tokens - a Google
 * service account, or a callback of the application - it has one key, without
 * a secret, that says so. Its kind is known; all else comes later. */

/* google_credentials, the callback, or for Vertex AI without api_key, base_url
 * and callback the variable GOOGLE_APPLICATION_CREDENTIALS. */
int32_t inf_compile_credentials(const inf_node *node, const inf_place *place,
                                inf_provider_config *provider,
                                infer_error **error);
/* Appends the project in the address of Google's kinds: the option "project",
 * the service account's, or that of GOOGLE_CLOUD_PROJECT. INFER_E_CONFIG
 * without any, or for one that is none. Nothing for other kinds. */
int32_t inf_compile_project(const inf_node *node, const inf_place *place,
                            const inf_provider_config *provider, inf_buf *out,
                            infer_error **error);

#endif
