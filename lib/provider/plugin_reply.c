/* SPDX-License-Identifier: MIT */
#include "provider/plugin_reply.h"

#include "provider/plugin_json.h"
#include "provider/plugin_sink.h"

#include <stdio.h>

#define NS_PER_MS ((int64_t)1000000)
#define MAX_MS    ((int64_t)366 * 24 * 3600 * 1000)

/* ---- The reply ----------------------------------------------------------- */

struct infer_provider_reply {
  int http_status;
  const inf_headers *headers;
  inf_sv body;
};

int32_t
infer_provider_reply_status(const infer_provider_reply *reply)
{
  return reply->http_status;
}

const char *
infer_provider_reply_header(const infer_provider_reply *reply, const char *name,
                            size_t *len)
{
  inf_sv value;
  if (!inf_headers_get(reply->headers, inf_sv_from(name), &value))
    return inf_plugin_lend_value(INF_SV(""), len);
  return inf_plugin_lend(value, len);
}

const char *
infer_provider_reply_body(const infer_provider_reply *reply, size_t *len)
{
  return inf_plugin_lend(reply->body, len);
}

/* ---- Failures ------------------------------------------------------------ */

struct infer_provider_failure {
  inf_failure *failure;
  const char *wrong; /* what the plug-in did that makes no sense, static */
};

int32_t
infer_provider_failure_class(const infer_provider_failure *failure)
{
  return failure->failure->status;
}

void
infer_provider_failure_set_class(infer_provider_failure *failure,
                                 int32_t status)
{
  if (inf_plugin_may_say(status))
    failure->failure->status = status;
  else
    failure->wrong = "gave a class that providers' failures do not have";
}

void
infer_provider_failure_set_hint_ms(infer_provider_failure *failure,
                                   int64_t hint_ms)
{
  if (hint_ms < 0)
    failure->failure->hint_ns = -1;
  else
    failure->failure->hint_ns =
        (hint_ms < MAX_MS ? hint_ms : MAX_MS) * NS_PER_MS;
}

void
infer_provider_failure_set_message(infer_provider_failure *failure,
                                   const char *text, size_t len)
{
  inf_failure_set_text(&failure->failure->message, inf_plugin_text(text, len));
}

void
infer_provider_failure_set_code(infer_provider_failure *failure,
                                const char *text, size_t len)
{
  inf_failure_set_text(&failure->failure->code, inf_plugin_text(text, len));
}

void
inf_plugin_classify(inf_decoder *decoder, inf_sv body)
{
  char text[192];
  const infer_provider_descriptor *plugin =
      decoder->options.kind->dialect->hooks;
  infer_provider_reply reply = {decoder->http_status, &decoder->headers, body};
  infer_provider_failure failure = {.failure = &decoder->failure};
  int32_t status = plugin->classify(plugin->user_data, &reply, &failure);
  if (status != INFER_OK && !failure.wrong)
    failure.wrong = "could not tell what failed";
  if (!failure.wrong)
    return;
  /* The class is what the library found or the plug-in said before. */
  snprintf(text, sizeof text, "the plug-in of type \"%s\" %s", plugin->type,
           failure.wrong);
  inf_failure_set_text(&decoder->failure.message, inf_sv_from(text));
}

/* ---- Quotas -------------------------------------------------------------- */

struct infer_provider_limits {
  inf_rate_sights *sights;
};

/* Milliseconds as nanoseconds; -1 for none. */
static int64_t
in_ns(int64_t ms)
{
  return ms < 0 ? INF_RATE_UNKNOWN : (ms < MAX_MS ? ms : MAX_MS) * NS_PER_MS;
}

void
infer_provider_limits_add(infer_provider_limits *limits, int32_t quota,
                          int64_t period_ms, int64_t limit, int64_t remaining,
                          int64_t reset_ms)
{
  if (quota < INFER_QUOTA_REQUESTS || quota > INFER_QUOTA_OUTPUT_TOKENS)
    return;
  inf_rate_sight sight = {
      .kind = (inf_rate_kind)quota,
      .period_ns = period_ms > 0 ? (uint64_t)in_ns(period_ms) : 0,
      .limit = limit > 0 ? limit : INF_RATE_UNKNOWN,
      .remaining = remaining >= 0 ? remaining : INF_RATE_UNKNOWN,
      .reset_ns = in_ns(reset_ms),
  };
  inf_rate_sights_add(limits->sights, &sight);
}

void
inf_plugin_read_limits(const inf_provider_kind *kind, int http_status,
                       const inf_headers *headers, inf_rate_sights *sights)
{
  const infer_provider_descriptor *plugin = kind->dialect->hooks;
  infer_provider_reply reply = {http_status, headers, INF_SV("")};
  infer_provider_limits limits = {sights};
  sights->count = 0;
  if (plugin->read_limits(plugin->user_data, &reply, &limits) != INFER_OK)
    sights->count = 0;
}
