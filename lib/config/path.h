/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_PATH_H
#define INF_CONFIG_PATH_H

#include "config/tree.h"

/* Options by path: "threads", "routes.fast.timeouts.connect_ms",
 * "providers.house.base_url" (a provider by its name), and names that contain
 * dots in quotes: providers."my.house".base_url. */

#define INF_PATH_MAX_SEGMENTS 8

typedef struct inf_path {
  inf_sv segments[INF_PATH_MAX_SEGMENTS]; /* views of the text */
  size_t count;
} inf_path;

/* INFER_OK or INFER_E_INVALID_ARGUMENT. */
int32_t inf_path_parse(inf_sv text, inf_path *path, struct infer_error **error);

/* Puts value at the path in the document, making what is missing on the way;
 * replaces what is there. A value that is JSON null removes the option. Takes
 * value over, also when it fails; then the document is as it was. value must
 * be made with the name inf_path_value_name(). */
int32_t inf_path_set(inf_node *document, const inf_path *path, inf_node *value,
                     struct infer_error **error);
inf_sv inf_path_value_name(const inf_path *path);

#endif
