/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_ROUTE_H
#define INF_CONFIG_COMPILE_ROUTE_H

#include "config/config.h"
#include "config/tree.h"

/* Fills in config->defaults and config->routes from the document (NULL: no
 * document); config->providers are there already. */
int32_t inf_compile_routes(const inf_node *document, inf_config *config,
                           infer_error **error);
void inf_route_config_fini(inf_route_config *route);

/* How the target is asked: as it says itself, else the route, else the
 * provider. Never inf_upstream_default unless all of them leave it open. Where
 * the provider's kind has no streams there is nothing to say. */
int32_t inf_effective_upstream(int32_t target, const inf_route_params *params,
                               const inf_provider_config *provider);

/* How the target is given a partial answer: as it says itself, else the
 * provider, else the provider's kind. Never INF_PREFILL_DEFAULT. A plug-in
 * cannot be given any. */
int32_t inf_effective_prefill(int32_t target,
                              const inf_provider_config *provider);

/* INF_LACKS_* of a target: its own, and what a plug-in does not say it can. */
uint32_t inf_effective_lacks(uint32_t target,
                             const inf_provider_config *provider);

#endif
