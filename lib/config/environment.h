/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_ENVIRONMENT_H
#define INF_CONFIG_ENVIRONMENT_H

#include "config/config.h"
#include "config/tree.h"

/* What the environment says where the document says nothing. */

/* A "providers" array as a document would have it: one provider, named like
 * its kind, for each kind of the catalogue whose key variables are set, and a
 * region where its address has one; but for those that only a document can
 * name (by_name_only): a GITHUB_TOKEN says nothing of inference, and a key
 * without an address is of no use.
 * OPENAI_BASE_URL goes to openai, which is then there without a key too.
 * INFER_E_CONFIG tells which variables to set when there is none. */
int32_t inf_environment_providers(inf_node **providers, infer_error **error);

/* Appends the key that the kind's variables give: that of key_env, else those
 * of key_parts_env joined by colons. Nothing where they are not set. False
 * without memory. The caller wipes the buffer. */
bool inf_environment_key(const inf_provider_kind *kind, inf_buf *out);
/* Is there one, and all that the environment has to say beside it? */
bool inf_environment_has_key(const inf_provider_kind *kind);

/* Fills in proxy and no_proxy of the provider's endpoint for its base_url:
 * https_proxy or HTTPS_PROXY for https, http_proxy (lower case only: a CGI
 * program gets the upper-case name from a client's "Proxy:" header) for http,
 * then all_proxy or ALL_PROXY; no_proxy or NO_PROXY. */
int32_t inf_environment_proxy(inf_provider_config *provider,
                              infer_error **error);

#endif
