/* SPDX-License-Identifier: MIT */
/* A client that tells a collector of its calls, over the fake transport: the
 * collector is http://otel.test:4318, and what it got is looked up in the list
 * of requests. */
#ifndef TESTS_SUPPORT_COLLECTOR_H
#define TESTS_SUPPORT_COLLECTOR_H

#include "support/fake_client.h"

#include "engine/runtime_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COLLECTOR "http://otel.test:4318"
#define TRACES    COLLECTOR "/v1/traces"
#define METRICS   COLLECTOR "/v1/metrics"

/* From now on it answers so, 5 ms after the request. */
static inline void
collector_says(fake_client *fake, int status, const char *lines,
               const char *body)
{
  fake_reply(fake_script_for(&fake->net, COLLECTOR), 5, status, lines, body);
}

/* From now on all exchanges with it end so. */
static inline void
collector_breaks(fake_client *fake, inf_net net)
{
  fake_done(fake_script_for(&fake->net, COLLECTOR), 5, net);
}

/* Metrics and spans are sent each second; a answers within 50 ms. */
static inline fake_client *
collector_client(const char *path, const char *value)
{
  fake_client *fake =
      path ? fake_client_new("telemetry.otlp.endpoint", "'" COLLECTOR "'",
                             "telemetry.otlp.interval_ms", "1000", path, value,
                             NULL)
           : fake_client_new("telemetry.otlp.endpoint", "'" COLLECTOR "'",
                             "telemetry.otlp.interval_ms", "1000", NULL);
  fake_stream_all(fake_script_for(&fake->net, "http://a.test"), 50,
                  "the answer");
  collector_says(fake, 200, "content-type: application/json", "{}");
  return fake;
}

/* How many requests went to addresses that begin so. */
static inline size_t
collector_count(const fake_client *fake, const char *url)
{
  size_t count = 0;
  for (size_t i = 0; i < fake->net.request_count && i < fake_max_exchanges; i++)
    count += strncmp(fake->net.requests[i].url, url, strlen(url)) == 0;
  return count;
}

/* The index-th of them, from 0. */
static inline const fake_request *
collector_request(const fake_client *fake, const char *url, size_t index)
{
  for (size_t i = 0; i < fake->net.request_count && i < fake_max_exchanges; i++)
    if (strncmp(fake->net.requests[i].url, url, strlen(url)) == 0 &&
        index-- == 0)
      return &fake->net.requests[i];
  fail_msg("no such request to %s", url);
  return NULL;
}

static inline const inf_export_counts *
collector_counts(const fake_client *fake)
{
  return &fake->client->runtime->exported;
}

/* A call that is over 100 ms later. */
static inline void
collector_call(fake_client *fake, infer_request *request)
{
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 100);
  fake_events(fake);
  infer_call_free(call);
}

#endif
