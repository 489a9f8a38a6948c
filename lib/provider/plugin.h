/* SPDX-License-Identifier: MIT */
#ifndef INF_PROVIDER_PLUGIN_H
#define INF_PROVIDER_PLUGIN_H

#include "provider/dialect.h"

#include "infer/provider.h"

#include <stdatomic.h>

/* A plug-in (provider.h) as one more row of the catalogue with a dialect of
 * its own, so that all that is above the dialects takes it as it takes the
 * built-in ones. The built-in dialects do not go through the public interface:
 * they read most chunks of a stream without any call, which hooks cannot.
 *
 * Here is the descriptor: checked, copied, counted. What its hooks are given
 * stands in plugin_request.h, plugin_sink.h and plugin_reply.h. */
typedef struct inf_plugin {
  inf_provider_kind kind;
  inf_dialect dialect;
  infer_provider_descriptor descriptor; /* its strings are copies */
  atomic_uint references;
} inf_plugin;

/* Is it a plug-in's? */
bool inf_plugin_is(const inf_provider_kind *kind);

/* Why not, as one line. */
#define INF_PLUGIN_WHY_MAX 192

/* One reference for the caller. INFER_OK; INFER_E_INVALID_ARGUMENT or
 * INFER_E_UNSUPPORTED with why; INFER_E_NO_MEMORY. */
int32_t inf_plugin_new(const infer_provider_descriptor *descriptor,
                       inf_plugin **plugin, char why[INF_PLUGIN_WHY_MAX]);
inf_plugin *inf_plugin_ref(inf_plugin *plugin); /* atomic */
void inf_plugin_unref(inf_plugin *plugin);      /* atomic; NULL is harmless */

/* Plug-ins of a configuration, each with one reference. The zero-initialised
 * struct is empty. */
typedef struct inf_plugins {
  inf_plugin **items;
  size_t count;
} inf_plugins;

/* Takes the reference over, whatever comes; INFER_OK or INFER_E_NO_MEMORY. */
int32_t inf_plugins_add(inf_plugins *plugins, inf_plugin *plugin);
int32_t inf_plugins_copy(inf_plugins *to, const inf_plugins *from);
void inf_plugins_fini(inf_plugins *plugins);
/* Of these, or of the catalogue. NULL when there is no such type. */
const inf_provider_kind *inf_plugins_find(const inf_plugins *plugins,
                                          inf_sv type);

#endif
