/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_TARGET_H
#define INF_CONFIG_COMPILE_TARGET_H

#include "config/config.h"
#include "config/tree.h"

/* What a target has beyond its provider and model. */

/* A zeroed target becomes one of which nothing is said. */
void inf_target_config_init(inf_target_config *target);
void inf_target_config_fini(inf_target_config *target);

/* What the configuration does not say of the target is as the catalogue of
 * models knows it, if it knows the model and holds for the provider: context,
 * longest answer, what it lacks, how it wants to be asked, whether it takes a
 * prefill, and the price, as a whole or not at all. provider and model must be
 * there; before inf_effective_prefill(). */
void inf_target_config_complete(inf_target_config *target);

/* Reads "lacks" and "overrides" of a target's object. */
int32_t inf_compile_target_extras(const inf_node *node, const inf_place *place,
                                  inf_target_config *target,
                                  infer_error **error);

#endif
