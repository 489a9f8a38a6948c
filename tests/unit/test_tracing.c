/* SPDX-License-Identifier: MIT */
/* Traces: what providers are told of them, and what the collector gets. */
#include "engine/tracing.h"

#include "support/collector.h"

#include <stdio.h>

#define ID     "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"

/* The value of a header of the index-th request to that address; "" if there
 * is none, and the test fails if there are two. */
static const char *
told(const fake_client *fake, const char *url, size_t index, const char *name)
{
  static char values[32][256];
  static unsigned next;
  char *value = values[next++ % 32];
  char start[64];
  const char *headers = collector_request(fake, url, index)->headers;
  snprintf(start, sizeof start, "%s: ", name);
  value[0] = '\0';
  for (const char *line = headers; *line; line = strchr(line, '\n') + 1)
    if (strncmp(line, start, strlen(start)) == 0) {
      assert_string_equal(value, "");
      size_t len = strcspn(line + strlen(start), "\n");
      snprintf(value, 256, "%.*s", (int)len, line + strlen(start));
    }
  return value;
}

/* The member of the index-th span that the collector got. */
static const char *
member(const fake_client *fake, size_t index, const char *name)
{
  static char values[32][256];
  static unsigned next;
  char *value = values[next++ % 32];
  char start[64];
  const char *at = collector_request(fake, TRACES, 0)->body;
  for (size_t i = 0; i <= index; i++) {
    at = strstr(at, "{\"traceId\":");
    if (!at)
      fail_msg("no span %zu", index);
    at++;
  }
  const char *end = strstr(at, "\"attributes\"");
  snprintf(start, sizeof start, "\"%s\":\"", name);
  value[0] = '\0';
  at = strstr(at, start);
  if (at && at < end)
    snprintf(value, 256, "%.*s", (int)strcspn(at + strlen(start), "\""),
             at + strlen(start));
  return value;
}

static infer_request *
traced_request(const char *model, const char *traceparent, const char *state)
{
  infer_request *request = fake_request_new(model);
  if (traceparent)
    assert_int_equal(
        infer_request_set_header(request, "TraceParent", traceparent), 0);
  if (state)
    assert_int_equal(infer_request_set_header(request, "tracestate", state), 0);
  assert_int_equal(infer_request_set_header(request, "X-Own", "1"), 0);
  return request;
}

/* One trace for a call: its span is the root, each attempt a child, and the
 * provider is told of the attempt. */
static void
attempts_are_children_of_the_call(void **state)
{
  (void)state;
  fake_client *fake = collector_client("routes.r.stay", "{'retries':0}");
  fake_reply(fake_script_for(&fake->net, "http://a.test"), 10, 503, NULL, "");
  fake_stream_all(fake_script_for(&fake->net, "http://b.test"), 10, "x");
  collector_call(fake, fake_request_new("r"));
  fake_run_ms(fake, 2000);
  const char *trace = member(fake, 0, "traceId");
  const char *call = member(fake, 0, "spanId");
  assert_int_equal(strlen(trace), 32);
  assert_int_equal(strlen(call), 16);
  assert_string_equal(member(fake, 0, "parentSpanId"), "");
  const char *urls[] = {"http://a.test", "http://b.test"};
  for (size_t i = 0; i < 2; i++) {
    char expected[64];
    assert_string_equal(member(fake, i + 1, "traceId"), trace);
    assert_string_equal(member(fake, i + 1, "parentSpanId"), call);
    assert_string_not_equal(member(fake, i + 1, "spanId"), call);
    snprintf(expected, sizeof expected, "00-%s-%s-01", trace,
             member(fake, i + 1, "spanId"));
    assert_string_equal(told(fake, urls[i], 0, "traceparent"), expected);
  }
  assert_string_not_equal(member(fake, 1, "spanId"), member(fake, 2, "spanId"));
  assert_contains(collector_request(fake, TRACES, 0)->body,
                  "\"http.request.resend_count\"");
  fake_client_free(fake);
}

static void
calls_have_traces_of_their_own(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  collector_call(fake, fake_request_new("one"));
  collector_call(fake, fake_request_new("one"));
  const char *one = told(fake, "http://a.test", 0, "traceparent");
  const char *other = told(fake, "http://a.test", 1, "traceparent");
  assert_int_not_equal(strncmp(one, other, 35), 0);
  fake_client_free(fake);
}

static void
a_trace_that_comes_in_goes_on(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  collector_call(fake,
                 traced_request("one", "00-" ID "-" PARENT "-01", "v=1,w=2"));
  fake_run_ms(fake, 2000);
  assert_string_equal(member(fake, 0, "traceId"), ID);
  assert_string_equal(member(fake, 0, "parentSpanId"), PARENT);
  char expected[64];
  snprintf(expected, sizeof expected, "00-" ID "-%s-01",
           member(fake, 1, "spanId"));
  assert_string_equal(told(fake, "http://a.test", 0, "traceparent"), expected);
  assert_string_equal(told(fake, "http://a.test", 0, "TraceParent"), "");
  assert_string_equal(told(fake, "http://a.test", 0, "tracestate"), "v=1,w=2");
  assert_string_equal(told(fake, "http://a.test", 0, "X-Own"), "1");
  fake_client_free(fake);
}

/* As the specification wants it: state without a trace means nothing. */
static void
a_malformed_one_begins_anew(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  collector_call(fake, traced_request("one", "00-" ID "-0-01", "v=1"));
  fake_run_ms(fake, 2000);
  assert_string_not_equal(member(fake, 0, "traceId"), ID);
  assert_string_equal(member(fake, 0, "parentSpanId"), "");
  assert_int_equal(strlen(told(fake, "http://a.test", 0, "traceparent")), 55);
  assert_string_equal(told(fake, "http://a.test", 0, "tracestate"), "");
  assert_string_equal(told(fake, "http://a.test", 0, "X-Own"), "1");
  fake_client_free(fake);
}

/* Who began the trace decided that nobody records it. */
static void
what_is_not_sampled_is_told_on_only(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  collector_call(fake, traced_request("one", "00-" ID "-" PARENT "-00", NULL));
  fake_run_ms(fake, 3000);
  assert_int_equal(collector_count(fake, TRACES), 0);
  assert_int_equal(collector_counts(fake)->spans_dropped, 0);
  const char *traceparent = told(fake, "http://a.test", 0, "traceparent");
  assert_int_equal(strncmp(traceparent, "00-" ID "-", 36), 0);
  assert_string_equal(traceparent + 52, "-00");
  assert_null(strstr(traceparent, PARENT));
  fake_client_free(fake);
}

/* Embeddings have one span for the call, and a child for each request of each
 * part. */
static void
trace_embeddings(const char *traceparent)
{
  fake_client *fake = collector_client("providers.a.embed_inputs", "1");
  infer_request *request;
  infer_embeddings *got;
  infer_call *call;
  for (int i = 0; i < 2; i++)
    fake_reply(fake_script_next(&fake->net), 5, 200, NULL,
               "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]}],"
               "\"model\":\"said\",\"usage\":{\"prompt_tokens\":4}}");
  assert_int_equal(infer_request_new(&request, "a/m"), INFER_OK);
  if (traceparent)
    infer_request_set_header(request, "traceparent", traceparent);
  for (int i = 0; i < 2; i++)
    assert_int_equal(infer_request_add_input(request, "x"), INFER_OK);
  assert_int_equal(
      infer_submit_embed(fake->client, request, fake->queue, 0, &call, NULL),
      INFER_OK);
  infer_request_free(request);
  fake_run_ms(fake, 3000);
  assert_int_equal(infer_call_embeddings(call, &got, NULL), INFER_OK);
  infer_embeddings_free(got);
  infer_call_free(call);
  assert_int_equal(collector_count(fake, TRACES), 1);
  assert_string_equal(member(fake, 0, "name"), "embeddings m");
  const char *trace = member(fake, 0, "traceId");
  if (traceparent)
    assert_string_equal(trace, ID);
  assert_string_equal(member(fake, 0, "parentSpanId"),
                      traceparent ? PARENT : "");
  for (size_t i = 0; i < 2; i++) {
    char expected[64];
    assert_string_equal(member(fake, i + 1, "parentSpanId"),
                        member(fake, 0, "spanId"));
    snprintf(expected, sizeof expected, "00-%s-%s-01", trace,
             member(fake, i + 1, "spanId"));
    assert_string_equal(told(fake, "http://a.test", i, "traceparent"),
                        expected);
  }
  const char *body = collector_request(fake, TRACES, 0)->body;
  assert_contains(body, "\"gen_ai.operation.name\",\"value\":{"
                        "\"stringValue\":\"embeddings\"}");
  assert_contains(body, "\"gen_ai.embeddings.dimension.count\",\"value\":{"
                        "\"intValue\":\"3\"}");
  assert_contains(body, "\"gen_ai.usage.input_tokens\",\"value\":{"
                        "\"intValue\":\"8\"}"); /* of both parts */
  assert_lacks(body, "gen_ai.request.stream");
  const char *output = strstr(body, "gen_ai.usage.output_tokens");
  assert_true(!output || output > strstr(body, "\"name\":\"POST\""));
  fake_client_free(fake);
}

static void
embeddings_are_traced(void **state)
{
  (void)state;
  trace_embeddings("00-" ID "-" PARENT "-01");
  trace_embeddings(NULL);
}

static void
a_provider_need_not_know(void **state)
{
  (void)state;
  fake_client *fake = collector_client("providers.a.traceparent", "false");
  collector_call(fake, traced_request("one", "00-" ID "-" PARENT "-01", "v=1"));
  fake_run_ms(fake, 2000);
  assert_string_equal(told(fake, "http://a.test", 0, "traceparent"), "");
  assert_string_equal(told(fake, "http://a.test", 0, "TraceParent"), "");
  assert_string_equal(told(fake, "http://a.test", 0, "tracestate"), "");
  assert_string_equal(told(fake, "http://a.test", 0, "X-Own"), "1");
  assert_string_equal(member(fake, 0, "parentSpanId"), PARENT);
  fake_client_free(fake);
}

/* Without a collector nobody would ever see our spans: the provider gets what
 * the application gave. */
static void
without_a_collector_headers_pass(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_always(&fake->net), 10, "x");
  collector_call(fake, traced_request("one", "00-" ID "-" PARENT "-01", "v=1"));
  assert_string_equal(told(fake, "http://a.test", 0, "TraceParent"),
                      "00-" ID "-" PARENT "-01");
  assert_string_equal(told(fake, "http://a.test", 0, "tracestate"), "v=1");
  collector_call(fake, fake_request_new("one"));
  assert_string_equal(told(fake, "http://a.test", 1, "traceparent"), "");
  fake_client_free(fake);

  fake = fake_client_new("providers.a.traceparent", "false", NULL);
  fake_stream_all(fake_script_always(&fake->net), 10, "x");
  collector_call(fake, traced_request("one", "00-" ID "-" PARENT "-01", "v=1"));
  assert_string_equal(told(fake, "http://a.test", 0, "TraceParent"), "");
  assert_string_equal(told(fake, "http://a.test", 0, "tracestate"), "");
  fake_client_free(fake);
}

/* A provider's own headers stay. */
static void
headers_of_the_account_stay(void **state)
{
  (void)state;
  fake_client *fake =
      collector_client("providers.a.headers", "{'X-Team':'red'}");
  collector_call(fake, fake_request_new("one"));
  assert_string_equal(told(fake, "http://a.test", 0, "X-Team"), "red");
  assert_int_equal(strlen(told(fake, "http://a.test", 0, "traceparent")), 55);
  fake_client_free(fake);
}

/* The collector hears what the call was, and when. */
static void
a_span_tells_of_its_call(void **state)
{
  (void)state;
  fake_client *fake = collector_client("telemetry.otlp.service_name", "'shop'");
  infer_request *request = fake_request_new("one");
  infer_request_set_tenant(request, "gold");
  infer_request_set_tag(request, "team", "red");
  fake_run_ms(fake, 100);
  collector_call(fake, request);
  fake_run_ms(fake, 2000);
  const char *body = collector_request(fake, TRACES, 0)->body;
  static const char *const parts[] = {
      "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}}",
      "{\"key\":\"gen_ai.response.finish_reasons\",\"value\":{\"arrayValue\":{"
      "\"values\":[{\"stringValue\":\"stop\"}]}}}",
      "{\"key\":\"gen_ai.response.time_to_first_chunk\",\"value\":{"
      "\"doubleValue\":0.05}}",
      "{\"key\":\"libinfer.tenant\",\"value\":{\"stringValue\":\"gold\"}}",
      "{\"key\":\"libinfer.tag.team\",\"value\":{\"stringValue\":\"red\"}}",
      "{\"key\":\"libinfer.route\",\"value\":{\"stringValue\":\"one\"}}",
      "{\"key\":\"libinfer.attempt.reason\",\"value\":{\"stringValue\":"
      "\"first\"}}",
      "{\"key\":\"libinfer.attempt.won\",\"value\":{\"boolValue\":true}}",
      "{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":"
      "\"200\"}}",
      "{\"key\":\"libinfer.phase.first_content\",\"value\":{\"doubleValue\":"
      "0.05}}",
  };
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    assert_contains(body, parts[i]);
  assert_lacks(body, "error.type");
  int64_t start = strtoll(member(fake, 0, "startTimeUnixNano"), NULL, 10);
  int64_t end = strtoll(member(fake, 0, "endTimeUnixNano"), NULL, 10);
  assert_int_equal(end - start, 50 * INF_NS_PER_MS);
  int64_t begin = fake->net.clock.wall_ns(fake->net.clock.context) -
                  (int64_t)(fake_now_ms(fake) * INF_NS_PER_MS);
  assert_int_equal(start - begin, 100 * INF_NS_PER_MS);
  fake_client_free(fake);
}

/* A call that no provider got has a span too. */
static void
calls_that_were_not_sent_have_spans(void **state)
{
  (void)state;
  fake_client *fake =
      collector_client("providers.a.limits", "{'requests_per_minute':1}");
  collector_call(fake, fake_request_new("one"));
  infer_request *request = fake_request_new("one");
  infer_request_set_deadline_ms(request, 200);
  collector_call(fake, request);
  fake_run_ms(fake, 2000);
  const char *body = collector_request(fake, TRACES, 0)->body;
  assert_contains(body, "\"error.type\"");
  assert_contains(body,
                  "{\"key\":\"libinfer.attempts\",\"value\":{\"intValue\":"
                  "\"0\"}}");
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(attempts_are_children_of_the_call),
      cmocka_unit_test(calls_have_traces_of_their_own),
      cmocka_unit_test(a_trace_that_comes_in_goes_on),
      cmocka_unit_test(a_malformed_one_begins_anew),
      cmocka_unit_test(what_is_not_sampled_is_told_on_only),
      cmocka_unit_test(embeddings_are_traced),
      cmocka_unit_test(a_provider_need_not_know),
      cmocka_unit_test(without_a_collector_headers_pass),
      cmocka_unit_test(headers_of_the_account_stay),
      cmocka_unit_test(a_span_tells_of_its_call),
      cmocka_unit_test(calls_that_were_not_sent_have_spans),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
