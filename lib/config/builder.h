/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_BUILDER_H
#define INF_CONFIG_BUILDER_H

#include "config/config.h"
#include "config/tree.h"

/* The document that the public handle holds; NULL for NULL. */
const inf_node *inf_config_document(const infer_config *config);
/* The types that were added to it; none for NULL. */
const inf_plugins *inf_config_plugins(const infer_config *config);

#endif
