/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_BUDGETS_H
#define INF_CONFIG_COMPILE_BUDGETS_H

#include "config/config.h"
#include "config/place.h"
#include "config/tree.h"

/* The members "budgets" and "budgets_file" of the document: at most
 * INF_BUDGETS_MAX budgets, each with a name of its own and a limit. */
int32_t inf_compile_budgets(const inf_node *document, inf_config *config,
                            infer_error **error);
void inf_budgets_config_free(inf_config *config);

#endif
