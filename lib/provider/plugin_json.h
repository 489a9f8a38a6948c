/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_PLUGIN_JSON_H
#define INF_PROVIDER_PLUGIN_JSON_H

#include "base/sv.h"

#include "infer/provider.h"

/* What hooks read JSON by: the functions infer_provider_json_* of provider.h,
 * and what they share with the hooks' other functions. */

/* A text that was given with its length or INFER_NUL_TERMINATED; NULL is the
 * empty view, whatever its length. */
inf_sv inf_plugin_text(const char *ptr, size_t len);
/* A view as an accessor gives it: its pointer, never NULL, and its length to
 * len, which may be NULL. */
const char *inf_plugin_lend(inf_sv text, size_t *len);
/* The same of what may be absent: NULL where the view is empty. */
const char *inf_plugin_lend_value(inf_sv value, size_t *len);

#endif
