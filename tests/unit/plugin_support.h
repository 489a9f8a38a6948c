/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_PLUGIN_SUPPORT_H
#define TESTS_UNIT_PLUGIN_SUPPORT_H

#include "support/fail_alloc.h"
#include "support/noisy_plugin.h"
#include "unit/provider_support.h"

static inline inf_plugin *
plugin_made(const infer_provider_descriptor *descriptor)
{
  char why[INF_PLUGIN_WHY_MAX] = "";
  inf_plugin *plugin;
  if (inf_plugin_new(descriptor, &plugin, why) != INFER_OK)
    fail_msg("%s", why);
  return plugin;
}

/* One answer through the plug-in of that framing. The class is checked. */
static inline void
plugin_read(reading *r, inf_plugin *plugin, bool stream, const char *body,
            size_t step, int32_t expected)
{
  inf_decoder_options options = default_options(stream);
  options.kind = &plugin->kind;
  reading_init(r, options);
  int32_t status = reading_run(r, 200, S(body), step);
  if (status != expected)
    fail_msg("%s: %s (%s)", body, infer_status_name(status),
             inf_buf_cstr(&r->decoder.failure.message));
}

#endif
