/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_PRICE_H
#define INF_CONFIG_COMPILE_PRICE_H

#include "config/config.h"
#include "config/tree.h"

/* What models cost, from the nearest place that says so: the target, then
 * "prices" of its provider. A nearer place that gives the price of the input
 * gives all of its parts too: one without a price of its own costs as the
 * whole, and not what a place further away has for it. The same with output. */

/* Reads "prices" of a provider's object. */
int32_t inf_compile_prices(const inf_node *node, const inf_place *place,
                           inf_provider_config *provider, infer_error **error);
void inf_model_prices_free(inf_model_price *prices, size_t count);

/* Completes the price that the target has of its own. Its provider, model and
 * name are known. */
void inf_target_settle_price(inf_target_config *target);

#endif
