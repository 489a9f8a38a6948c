/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_LOAD_H
#define INF_TOOLS_LOAD_H

#include "infer/infer.h"

#include <json-c/json_types.h>

/* What the commands read before they begin: files, the configuration, and
 * the model when none is named. On failure they have said why. */

/* The whole file as a NUL-terminated text, at most max bytes of it; NULL on
 * failure. path "-" is standard input. */
char *inf_load_file(const char *path, size_t max, size_t *len);

/* The configuration of path; of $INFER_CONFIG if path is NULL; else of
 * ~/.config/infer/config.json if there is one; else an empty one, which means
 * the providers of the environment. Returns 0 or an exit code. */
int inf_load_config(const char *path, infer_config **config);

/* A client of it. Returns 0 or an exit code. */
int inf_load_client(const infer_config *config, infer_client **client);

/* All of it as JSON, for json_object_put(); NULL if memory is short. */
json_object *inf_load_document(const infer_config *config);

/* The model to ask when the user names none: the only route, or the only
 * model name of the only provider. The caller frees it. NULL, and the choices
 * are listed on standard error, if it is not obvious. */
char *inf_load_only_model(const infer_config *config);

/* The same without a word where it is not obvious. */
char *inf_load_obvious_model(const infer_config *config);

/* Says what a library function reported, and frees it. Returns the exit code
 * that stands for its class. */
int inf_load_failed(infer_error *error, int32_t status);

#endif
