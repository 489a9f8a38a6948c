/* SPDX-License-Identifier: MIT */
/* Options of the collector: see observe.h. */
#include "observe.h"

#include "otlp_collector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A call in a world whose client has these options of telemetry.otlp, and what
 * the collector got of it by the client's end. $URL in more becomes its
 * address; provider: more members of the provider. */
static void
told_to(otlp_collector *collector, const char *more, const char *provider)
{
  static char config[2048], members[1024];
  const char *url = strstr(more, "$URL");
  otlp_collector_start(collector, OTLP_TAKES);
  if (url)
    snprintf(members, sizeof members, "%.*s%s%s", (int)(url - more), more,
             collector->url, url + 4);
  else
    snprintf(members, sizeof members, "%s", more);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':'$1'%s}],"
           "'telemetry':{'otlp':{%s}}}",
           provider, members);
  world w = observe_world(OK_SCRIPT, config);
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  assert_int_equal(infer_client_close(w.client, 10000), INFER_OK);
  world_end(&w);
  otlp_collector_stop(collector);
}

/* Has the collector got that text? */
static bool
heard(const char *more, int which, const char *text)
{
  otlp_collector collector;
  told_to(&collector, more, "");
  return strstr(collector.body[which], text) ||
         strstr(collector.head[which], text);
}

void
observe_otlp_endpoint(void **state)
{
  (void)state;
  otlp_collector collector;
  told_to(&collector, "'endpoint':'$URL'", "");
  assert_int_equal(collector.count[OTLP_TRACES_GOT], 1);
  assert_int_equal(collector.count[OTLP_METRICS_GOT], 1);
  told_to(&collector, "", "");
  assert_int_equal(collector.count[OTLP_TRACES_GOT], 0);
  assert_int_equal(collector.count[OTLP_METRICS_GOT], 0);
}

void
observe_otlp_headers(void **state)
{
  (void)state;
  assert_true(heard("'endpoint':'$URL','headers':{'X-Key':'k'}",
                    OTLP_TRACES_GOT, "X-Key: k"));
  assert_false(heard("'endpoint':'$URL'", OTLP_TRACES_GOT, "X-Key"));
}

void
observe_otlp_service_name(void **state)
{
  (void)state;
  assert_true(heard("'endpoint':'$URL','service_name':'shop'", OTLP_METRICS_GOT,
                    "\"stringValue\":\"shop\""));
  assert_true(heard("'endpoint':'$URL'", OTLP_METRICS_GOT,
                    "\"stringValue\":\"unknown_service:libinfer\""));
}

void
observe_otlp_semconv(void **state)
{
  (void)state;
  unsetenv("OTEL_SEMCONV_STABILITY_OPT_IN");
  assert_true(heard("'endpoint':'$URL','semconv':'genai-head'",
                    OTLP_METRICS_GOT, "gen_ai.client.inference.duration"));
  assert_true(heard("'endpoint':'$URL'", OTLP_METRICS_GOT,
                    "gen_ai.client.operation.duration"));
  setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental", 1);
  assert_true(heard("'endpoint':'$URL'", OTLP_METRICS_GOT,
                    "gen_ai.client.inference.duration"));
  assert_true(heard("'endpoint':'$URL','semconv':'v1.41'", OTLP_METRICS_GOT,
                    "gen_ai.client.operation.duration"));
  unsetenv("OTEL_SEMCONV_STABILITY_OPT_IN");
}

void
observe_otlp_from_environment(void **state)
{
  (void)state;
  setenv("OTEL_SERVICE_NAME", "of-the-environment", 1);
  assert_true(heard("'endpoint':'$URL','from_environment':true",
                    OTLP_TRACES_GOT, "of-the-environment"));
  assert_false(
      heard("'endpoint':'$URL'", OTLP_TRACES_GOT, "of-the-environment"));
  unsetenv("OTEL_SERVICE_NAME");
}

/* How often metrics come within 700 ms. */
static int
metrics_with(const char *more)
{
  static char config[1024];
  otlp_collector collector;
  otlp_collector_start(&collector, OTLP_TAKES);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':'$1'}],"
           "'telemetry':{'otlp':{'endpoint':'%s'%s}}}",
           collector.url, more);
  world w = observe_world(
      "{'defaults':{'tokens':8,'first_token_ms':100,'inter_token_ms':100}}",
      config);
  outcome o = world_chat(&w, "p/m");
  assert_int_equal(o.status, INFER_OK);
  outcome_end(&o);
  o = world_chat(&w, "p/m"); /* now there is something to tell of */
  outcome_end(&o);
  int count = otlp_collector_count(&collector, OTLP_METRICS_GOT);
  world_end(&w);
  otlp_collector_stop(&collector);
  return count;
}

void
observe_otlp_interval_ms(void **state)
{
  (void)state;
  assert_true(metrics_with(",'interval_ms':100") >= 3);
  assert_int_equal(metrics_with(""), 0);
}

/* Spans that are dropped of 60 calls whose collector is not there. */
static int64_t
dropped_with(const char *more)
{
  static char config[1024];
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':'$1'}],"
           "'telemetry':{'otlp':{'endpoint':'$DEAD'%s}}}",
           more);
  world w = observe_world(OK_SCRIPT, config);
  for (int i = 0; i < 60; i++) {
    outcome o = world_chat(&w, "p/m");
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
  }
  char *text;
  assert_int_equal(infer_client_stats(w.client, &text, NULL), INFER_OK);
  const char *at = strstr(text, "\"spans_dropped\":");
  assert_non_null(at);
  int64_t dropped = strtoll(at + strlen("\"spans_dropped\":"), NULL, 10);
  infer_text_free(text);
  world_end(&w);
  return dropped;
}

void
observe_otlp_max_queue_bytes(void **state)
{
  (void)state;
  assert_true(dropped_with(",'max_queue_bytes':65536") > 0);
  assert_int_equal(dropped_with(""), 0);
}

void
observe_traceparent(void **state)
{
  (void)state;
  static const char given[] =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (int on = 0; on < 2; on++) {
    world w = observe_world(OK_SCRIPT,
                            on ? ONE("", "") : ONE(",'traceparent':false", ""));
    infer_request *request = world_request("p/m", "x");
    infer_request_set_header(request, "traceparent", given);
    outcome o = world_run(&w, request, false);
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
    infer_request_free(request);
    json_object *log = world_log(&w, 1, 1);
    assert_string_equal(log_header(log, 0, "traceparent"), on ? given : "");
    json_object_put(log);
    world_end(&w);
  }
}
