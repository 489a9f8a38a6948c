/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_COMPILE_OTLP_H
#define INF_CONFIG_COMPILE_OTLP_H

#include "config/config.h"
#include "config/tree.h"

/* Completes the options telemetry.otlp: what the table puts into the struct by
 * itself is there already. Reads the headers, and, where the document asks for
 * it, the environment's part (the standard variables of OpenTelemetry's SDKs);
 * checks the address; finds the proxy as for providers. The document may be
 * NULL. */
int32_t inf_compile_otlp(const inf_node *document, inf_otlp_options *otlp,
                         infer_error **error);
void inf_otlp_fini(inf_otlp_options *otlp);

#endif
