/* SPDX-License-Identifier: MIT */
/* Telemetry on its way to a collector that takes it, is slow, down, or answers
 * rubbish. */
#include "engine/exporter.h"

#include "support/collector.h"
#include "support/fail_alloc.h"
#include "wire/json_scan.h"

#include <stdio.h>

static void
call_one(fake_client *fake)
{
  collector_call(fake, fake_request_new("one"));
}

static size_t
spans_in(const fake_request *request)
{
  size_t count = 0;
  for (const char *at = request->body; (at = strstr(at, "\"traceId\"")); at++)
    count++;
  return count;
}

/* ---- What is sent -------------------------------------------------------- */

static void
spans_and_metrics_are_sent(void **state)
{
  (void)state;
  fake_client *fake =
      collector_client("telemetry.otlp.headers", "{'X-Key':'k'}");
  call_one(fake);
  assert_int_equal(collector_count(fake, COLLECTOR), 0); /* they wait */
  assert_true(collector_counts(fake)->queued_bytes > 0);
  fake_run_ms(fake, 2000);
  const fake_request *traces = collector_request(fake, TRACES, 0);
  const fake_request *metrics = collector_request(fake, METRICS, 0);
  assert_int_equal(fake_ms(metrics->start_ns), 1000);
  assert_true(fake_ms(traces->start_ns) >= 1005);
  assert_true(fake_ms(traces->start_ns) <= 1100);
  assert_string_equal(traces->method, "POST");
  assert_string_equal(traces->headers,
                      "X-Key: k\nUser-Agent: libinfer/" INFER_VERSION
                      "\nContent-Type: application/json\n");
  assert_string_equal(metrics->headers, traces->headers);
  assert_int_equal(spans_in(traces), 2);
  assert_contains(traces->body, "\"name\":\"chat m\"");
  assert_contains(traces->body, "unknown_service:libinfer");
  assert_contains(traces->body, "\"gen_ai.response.model\"");
  assert_contains(metrics->body, "\"gen_ai.client.operation.duration\"");
  assert_int_equal(collector_counts(fake)->spans_sent, 2);
  assert_int_equal(collector_counts(fake)->spans_dropped, 0);
  assert_int_equal(collector_counts(fake)->queued_bytes, 0);
  fake_run_ms(fake, 2000); /* metrics go on, spans do not */
  assert_true(collector_count(fake, METRICS) >= 3);
  assert_int_equal(collector_count(fake, TRACES), 1);
  fake_client_free(fake);
}

/* What is of no series (hedges, breakers, limits, budgets) comes after them: in
 * a request of its own, once, where the series fill one. */
static void
all_else_comes_after_the_series(void **state)
{
  (void)state;
  enum { name_bytes = 1000 };
  for (int series = 1; series <= INF_EXPORT_SERIES; series += 31) {
    fake_client *fake = collector_client(NULL, NULL);
    char model[name_bytes + 8];
    for (int i = 0; i < series; i++) {
      snprintf(model, sizeof model, "a/%03d-%0*d", i, name_bytes, 0);
      collector_call(fake, fake_request_new(model));
    }
    size_t before = collector_count(fake, METRICS), state_count = 0;
    fake_run_ms(fake, 1005);
    size_t after = collector_count(fake, METRICS);
    for (size_t i = before; i < after; i++) {
      const char *body = collector_request(fake, METRICS, i)->body;
      bool has_series = strstr(body, "\"libinfer.attempts\"");
      bool has_state = strstr(body, "\"libinfer.breaker.state\"");
      assert_int_equal(has_series && has_state, series == 1);
      assert_true(has_series || has_state);
      state_count += has_state;
    }
    assert_int_equal(after - before, series == 1 ? 1 : 2);
    assert_int_equal(state_count, 1);
    fake_client_free(fake);
  }
}

/* Its traffic is no attempt, no call, and in nobody's statistics. */
static void
the_collector_is_no_provider(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  call_one(fake);
  fake_run_ms(fake, 5000);
  assert_true(collector_count(fake, COLLECTOR) > 3);
  size_t lines = 0;
  for (const char *at = fake->telemetry; (at = strchr(at, '\n')); at++)
    lines++;
  assert_int_equal(lines, 2); /* an attempt and a call */
  char *stats;
  assert_int_equal(infer_client_stats(fake->client, &stats, NULL), INFER_OK);
  assert_contains(stats, "\"calls_in_flight\":0");
  assert_contains(stats, "\"otlp\":{\"spans_sent\":2,\"spans_dropped\":0,");
  assert_lacks(stats, "otel.test");
  infer_text_free(stats);
  fake_client_free(fake);
}

static void
without_a_collector_nothing_is_sent(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_always(&fake->net), 50, "x");
  call_one(fake);
  fake_run_ms(fake, 60000);
  assert_int_equal(fake->net.request_count, 1);
  char *stats;
  assert_int_equal(infer_client_stats(fake->client, &stats, NULL), INFER_OK);
  assert_lacks(stats, "\"otlp\"");
  infer_text_free(stats);
  fake_client_free(fake);
}

/* What people write and read stays with the provider: also what it quotes in an
 * error. */
static void
no_text_of_people_is_sent(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "one"), INFER_OK);
  infer_request_add_message(request, "user", "PRIVATE question");
  fake_stream_all(fake_script_for(&fake->net, "http://a.test"), 10,
                  "PRIVATE reply");
  collector_call(fake, request);
  assert_int_equal(infer_request_new(&request, "one"), INFER_OK);
  infer_request_add_message(request, "user", "PRIVATE question");
  fake_reply(fake_script_for(&fake->net, "http://a.test"), 10, 400, NULL,
             error_body("bad", "no such thing: PRIVATE question"));
  collector_call(fake, request);
  fake_run_ms(fake, 2000);
  const fake_request *traces = collector_request(fake, TRACES, 0);
  assert_int_equal(spans_in(traces), 4);
  for (size_t i = 0; i < collector_count(fake, COLLECTOR); i++)
    assert_lacks(collector_request(fake, COLLECTOR, i)->body, "PRIVATE");
  assert_contains(traces->body, "bad_request");
  fake_client_free(fake);
}

/* 512 spans are a batch, which does not wait. */
static void
a_full_batch_goes_at_once(void **state)
{
  (void)state;
  fake_client *fake = collector_client("telemetry.otlp.interval_ms", "60000");
  fake->telemetry_off = true;
  fake->on_hook = NULL;
  for (int i = 0; i < 300; i++) {
    infer_call *call = fake_submit(fake, fake_request_new("one"));
    fake->telemetry_len = 0;
    infer_call_free(call);
    if (i % 50 == 49)
      fake_run_ms(fake, 100);
    fake_events(fake);
  }
  fake_run_ms(fake, 100);
  /* The list of requests is full of calls by then. */
  assert_true(collector_counts(fake)->requests > 0);
  assert_true(collector_counts(fake)->spans_sent >= 100);
  assert_true(collector_counts(fake)->spans_sent <= 512);
  assert_int_equal(collector_counts(fake)->spans_dropped, 0);
  fake_client_free(fake);
}

/* ---- A collector in trouble ---------------------------------------------- */

static void
what_may_pass_is_tried_again(void **state)
{
  (void)state;
  static const int statuses[] = {429, 502, 503, 504};
  for (size_t i = 0; i < 6; i++) {
    fake_client *fake = collector_client(NULL, NULL);
    if (i < 4)
      collector_says(fake, statuses[i], NULL, "");
    else if (i == 4)
      collector_breaks(fake, INF_NET_CONNECT);
    else
      fake_sent(fake_script_for(&fake->net, COLLECTOR), 1); /* silence */
    call_one(fake);
    fake_run_ms(fake, 15000);
    assert_int_equal(collector_counts(fake)->spans_sent, 0);
    assert_int_equal(collector_counts(fake)->spans_dropped, 0);
    assert_true(collector_counts(fake)->requests_failed >= 1);
    assert_true(collector_count(fake, COLLECTOR) <= 7);
    collector_says(fake, 200, NULL, "{}");
    fake_run_ms(fake, 30000);
    assert_int_equal(collector_counts(fake)->spans_sent, 2);
    assert_int_equal(collector_counts(fake)->queued_bytes, 0);
    fake_client_free(fake);
  }
}

/* What is sent again is the same, and what has ended meanwhile comes later. */
static void
a_batch_on_its_way_is_left_alone(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  fake_reply(fake_script_for(&fake->net, TRACES), 200, 503, NULL, "");
  call_one(fake);
  fake_run_ms(fake, 1000);
  assert_int_equal(collector_count(fake, TRACES), 1);
  call_one(fake); /* while the request is under way */
  fake_run_ms(fake, 200);
  call_one(fake); /* while it waits to be sent again */
  collector_says(fake, 200, NULL, "{}");
  fake_run_ms(fake, 5000);
  assert_int_equal(collector_counts(fake)->spans_sent, 6);
  const char *first = collector_request(fake, TRACES, 0)->body;
  assert_int_equal(spans_in(collector_request(fake, TRACES, 0)), 2);
  assert_string_equal(collector_request(fake, TRACES, 1)->body, first);
  assert_int_equal(spans_in(collector_request(fake, TRACES, 2)), 4);
  for (size_t i = 0; i < collector_count(fake, COLLECTOR); i++) {
    inf_sv value;
    const char *body = collector_request(fake, COLLECTOR, i)->body;
    if (!inf_json_parse(inf_sv_from(body), 32, &value, NULL))
      fail_msg("no JSON: %s", body);
  }
  fake_client_free(fake);
}

static void
what_cannot_pass_is_dropped(void **state)
{
  (void)state;
  static const int statuses[] = {301, 400, 401, 404, 413, 500};
  for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
    fake_client *fake = collector_client(NULL, NULL);
    collector_says(fake, statuses[i], "retry-after: 1", "");
    call_one(fake);
    fake_run_ms(fake, 1500);
    assert_int_equal(collector_count(fake, TRACES), 1);
    assert_int_equal(collector_counts(fake)->spans_dropped, 2);
    assert_int_equal(collector_counts(fake)->queued_bytes, 0);
    fake_run_ms(fake, 5000);
    assert_int_equal(collector_count(fake, TRACES), 1);
    fake_client_free(fake);
  }
}

/* It waits longer each time, and as long as it is told. */
static void
waits_grow(void **state)
{
  (void)state;
  fake_client *fake = collector_client("telemetry.otlp.interval_ms", "3600000");
  collector_breaks(fake, INF_NET_CONNECT);
  call_one(fake);
  fake_run_ms(fake, 3600000 + 299000);
  size_t count = collector_count(fake, COLLECTOR);
  assert_true(count >= 8 && count <= 14);
  uint64_t before_ms = 0;
  for (size_t i = 1; i < count; i++) {
    uint64_t wait_ms =
        fake_ms(collector_request(fake, COLLECTOR, i)->start_ns) -
        fake_ms(collector_request(fake, COLLECTOR, i - 1)->done_ns);
    uint64_t most_ms = i < 7 ? (uint64_t)1000 << (i - 1) : 60000;
    if (wait_ms < most_ms / 2 || wait_ms > most_ms + 1)
      fail_msg("%u ms for the %zuth time", (unsigned)wait_ms, i);
    before_ms = wait_ms;
  }
  assert_true(before_ms >= 30000);
  fake_client_free(fake);

  fake = collector_client(NULL, NULL);
  collector_says(fake, 503, "retry-after: 40", "");
  call_one(fake);
  fake_run_ms(fake, 40900);
  assert_int_equal(collector_count(fake, COLLECTOR), 1);
  fake_run_ms(fake, 300);
  assert_int_equal(collector_count(fake, COLLECTOR), 2);
  fake_client_free(fake);
}

/* After five minutes a batch makes room for those behind it. */
static void
a_batch_is_given_up(void **state)
{
  (void)state;
  fake_client *fake = collector_client("telemetry.otlp.interval_ms", "600000");
  collector_breaks(fake, INF_NET_RESET);
  call_one(fake);
  fake_run_ms(fake, 600000 + 270000);
  assert_int_equal(collector_counts(fake)->spans_dropped, 0);
  fake_run_ms(fake, 400000);
  assert_int_equal(collector_counts(fake)->spans_dropped, 2);
  assert_int_equal(collector_counts(fake)->queued_bytes, 0);
  fake_client_free(fake);
}

static size_t
log_lines(const fake_client *fake, const char *part)
{
  size_t count = 0;
  for (const char *at = fake->log; (at = strstr(at, part)); at++)
    count++;
  return count;
}

static void
trouble_is_told_once(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  collector_breaks(fake, INF_NET_CONNECT);
  call_one(fake);
  fake_run_ms(fake, 20000);
  assert_true(collector_counts(fake)->requests_failed > 2);
  assert_int_equal(log_lines(fake, "telemetry: the collector"), 1);
  collector_says(fake, 200, NULL, "{}");
  fake_run_ms(fake, 60000);
  assert_int_equal(log_lines(fake, "takes it again"), 1);
  collector_says(fake, 400, NULL, "");
  fake_run_ms(fake, 10000);
  assert_int_equal(log_lines(fake, "HTTP status 400"), 1);
  fake_client_free(fake);
}

/* Rubbish with a 2xx is taken for what the status says; a body without end
 * costs at most 64 KiB. */
static void
rubbish_is_no_failure(void **state)
{
  (void)state;
  static char endless[100000];
  memset(endless, '{', sizeof endless - 1);
  const char *const bodies[] = {"<html>", "{\"partialSuccess\":[1]}", "",
                                "\xff\xfe{", endless};
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    fake_client *fake = collector_client(NULL, NULL);
    collector_says(fake, 200, NULL, bodies[i]);
    call_one(fake);
    fake_run_ms(fake, 3000);
    assert_int_equal(collector_count(fake, TRACES), 1);
    assert_int_equal(collector_counts(fake)->spans_sent, 2);
    assert_int_equal(collector_counts(fake)->requests_failed, 0);
    fake_client_free(fake);
  }
}

static void
partial_success_is_counted(void **state)
{
  (void)state;
  fake_client *fake = collector_client("telemetry.otlp.interval_ms", "2000");
  fake_reply(fake_script_for(&fake->net, TRACES), 5, 200, NULL,
             "{\"partialSuccess\":{\"rejectedSpans\":\"1\","
             "\"errorMessage\":\"no\"}}");
  call_one(fake);
  fake_run_ms(fake, 3000);
  assert_int_equal(collector_counts(fake)->rejected, 1);
  assert_int_equal(collector_counts(fake)->requests_failed, 0);
  assert_int_equal(collector_count(fake, TRACES), 1); /* not sent again */
  assert_int_equal(log_lines(fake, "partialSuccess"), 1);
  fake_client_free(fake);
}

/* What waits is bounded, whatever the application does; and its calls are
 * answered all the same. */
static void
memory_is_bounded(void **state)
{
  (void)state;
  fake_client *fake =
      collector_client("telemetry.otlp.max_queue_bytes", "65536");
  fake->telemetry_off = true;
  collector_breaks(fake, INF_NET_CONNECT);
  for (int i = 0; i < 200; i++) {
    infer_call *call = fake_submit(fake, fake_request_new("one"));
    fake->telemetry_len = 0;
    fake_run_ms(fake, 60);
    assert_non_null(strstr(fake_events(fake), "done OK"));
    infer_call_free(call);
    assert_true(collector_counts(fake)->queued_bytes <= 65536);
  }
  assert_true(collector_counts(fake)->queued_bytes > 32768);
  assert_true(collector_counts(fake)->spans_dropped > 200);
  assert_int_equal(log_lines(fake, "telemetry: the collector"), 0);
  fake_client_free(fake);
}

/* ---- The end ------------------------------------------------------------- */

static void
closing_sends_what_there_is(void **state)
{
  (void)state;
  fake_client *fake = collector_client("telemetry.otlp.interval_ms", "60000");
  infer_call *call = fake_submit(fake, fake_request_new("one"));
  assert_int_equal(infer_client_close(fake->client, 5000), INFER_OK);
  assert_true(fake_now_ms(fake) < 200);
  assert_int_equal(collector_count(fake, TRACES), 1);
  assert_int_equal(collector_count(fake, METRICS), 1);
  assert_int_equal(collector_counts(fake)->spans_sent, 2);
  assert_contains(fake_events(fake), "done OK");
  assert_int_equal(infer_client_close(fake->client, 5000), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The drain time is for all of it. No call was cut, so none is told to be. */
static void
closing_does_not_wait_for_a_silent_collector(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  fake_sent(fake_script_for(&fake->net, COLLECTOR), 1);
  call_one(fake);
  uint64_t before_ms = fake_now_ms(fake);
  assert_int_equal(infer_client_close(fake->client, 500), INFER_OK);
  assert_int_equal(fake_now_ms(fake) - before_ms, 500);
  assert_int_equal(collector_counts(fake)->spans_dropped, 2);
  assert_int_equal(collector_counts(fake)->queued_bytes, 0);
  fake_client_free(fake);
}

static void
closing_tries_once(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  collector_says(fake, 503, "retry-after: 100", "");
  call_one(fake);
  uint64_t before_ms = fake_now_ms(fake);
  assert_int_equal(infer_client_close(fake->client, 60000), INFER_OK);
  assert_true(fake_now_ms(fake) - before_ms < 100);
  assert_int_equal(collector_count(fake, COLLECTOR), 1);
  assert_int_equal(collector_counts(fake)->spans_dropped, 2);
  fake_client_free(fake);
}

static void
a_cut_call_is_still_told(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  fake_sent(fake_script_for(&fake->net, "http://a.test"), 1);
  infer_call *call = fake_submit(fake, fake_request_new("one"));
  assert_int_equal(infer_client_close(fake->client, 500), INFER_E_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_loop_thread_sends_too(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new_threaded("telemetry.otlp.endpoint",
                                               "'" COLLECTOR "'", NULL);
  fake_stream_all(fake_script_for(&fake->net, "http://a.test"), 5, "x");
  collector_says(fake, 200, NULL, "{}");
  infer_call *call = fake_submit(fake, fake_request_new("one"));
  assert_int_equal(infer_client_close(fake->client, 20000), INFER_OK);
  assert_int_equal(collector_counts(fake)->spans_sent, 2);
  infer_call_free(call);
  infer_queue_free(fake->queue);
  infer_client_free(fake->client);
  fake_net_wait_freed(&fake->net);
  fake_net_fini(&fake->net);
  free(fake);
}

/* ---- Reload -------------------------------------------------------------- */

static void
reload(fake_client *fake, const char *endpoint)
{
  infer_config *config =
      endpoint ? fake_config_new(NULL, "telemetry.otlp.endpoint", endpoint,
                                 "telemetry.otlp.interval_ms", "1000", NULL)
               : fake_config_new(NULL, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  fake_run_ms(fake, 0);
}

static void
a_reload_may_change_the_collector(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  fake_reply(fake_script_for(&fake->net, "http://other.test"), 5, 200, NULL,
             "{}");
  call_one(fake);
  reload(fake, "'http://other.test'"); /* what waits goes there */
  fake_run_ms(fake, 2000);
  assert_int_equal(collector_count(fake, COLLECTOR), 0);
  assert_int_equal(collector_count(fake, "http://other.test/v1/traces"), 1);
  assert_int_equal(collector_counts(fake)->spans_sent, 2);
  call_one(fake);
  reload(fake, NULL); /* and nothing any more */
  assert_int_equal(collector_counts(fake)->spans_dropped, 2);
  size_t count = fake->net.request_count;
  call_one(fake);
  fake_run_ms(fake, 5000);
  assert_int_equal(fake->net.request_count, count + 1);
  reload(fake, "'" COLLECTOR "'"); /* and again */
  call_one(fake);
  fake_run_ms(fake, 2000);
  assert_int_equal(collector_count(fake, TRACES), 1);
  assert_int_equal(infer_client_close(fake->client, 1000), INFER_OK);
  fake_client_free(fake);
}

/* While a request is under way. */
static void
a_reload_may_come_at_any_time(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  fake_sent(fake_script_for(&fake->net, COLLECTOR), 1);
  fake_done(fake_script_for(&fake->net, METRICS), 500, INF_NET_CONNECT);
  call_one(fake);
  fake_run_ms(fake, 1000);
  assert_int_equal(collector_count(fake, COLLECTOR), 1);
  reload(fake, "'http://other.test'");
  fake_run_ms(fake, 1000);
  reload(fake, NULL);
  fake_client_free(fake);
}

/* ---- Memory -------------------------------------------------------------- */

static void
short_of_memory(void (*plan)(size_t n))
{
  bool lost = false, started = false;
  for (size_t n = 1; n < 60; n++) {
    fake_client *fake = collector_client(NULL, NULL);
    infer_call *call = fake_submit(fake, fake_request_new("one"));
    fake_run_ms(fake, 49);
    plan(n);
    fake_run_ms(fake, 2000);
    fail_alloc_never();
    const char *events = fake_events(fake);
    assert_non_null(strstr(events, "done"));
    fake_run_ms(fake, 70000);
    const inf_export_counts *counts = collector_counts(fake);
    assert_int_equal(counts->spans_sent + counts->spans_dropped, 2);
    lost = lost || counts->spans_dropped > 0;
    started = started || counts->spans_sent > 0;
    infer_call_free(call);
    fake_client_free(fake);
  }
  assert_true(lost && started);
}

static void
without_memory_telemetry_is_lost(void **state)
{
  (void)state;
  fail_alloc_install();
  short_of_memory(fail_alloc_nth);
  short_of_memory(fail_alloc_from);
  fail_alloc_uninstall();
}

static void
without_memory_there_is_no_exporter(void **state)
{
  (void)state;
  fake_client *fake = collector_client(NULL, NULL);
  fake->net.fails_to_start = true; /* as if it were short then */
  fake_run_ms(fake, 10);
  fake->net.fails_to_start = false;
  call_one(fake);
  fake->net.fails_to_start = true;
  fake_run_ms(fake, 5000);
  assert_true(collector_counts(fake)->requests_failed > 0);
  fake->net.fails_to_start = false;
  fake_run_ms(fake, 60000);
  assert_int_equal(collector_counts(fake)->spans_sent, 2);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(spans_and_metrics_are_sent),
      cmocka_unit_test(all_else_comes_after_the_series),
      cmocka_unit_test(the_collector_is_no_provider),
      cmocka_unit_test(without_a_collector_nothing_is_sent),
      cmocka_unit_test(no_text_of_people_is_sent),
      cmocka_unit_test(a_full_batch_goes_at_once),
      cmocka_unit_test(what_may_pass_is_tried_again),
      cmocka_unit_test(a_batch_on_its_way_is_left_alone),
      cmocka_unit_test(what_cannot_pass_is_dropped),
      cmocka_unit_test(waits_grow),
      cmocka_unit_test(a_batch_is_given_up),
      cmocka_unit_test(trouble_is_told_once),
      cmocka_unit_test(rubbish_is_no_failure),
      cmocka_unit_test(partial_success_is_counted),
      cmocka_unit_test(memory_is_bounded),
      cmocka_unit_test(closing_sends_what_there_is),
      cmocka_unit_test(closing_does_not_wait_for_a_silent_collector),
      cmocka_unit_test(closing_tries_once),
      cmocka_unit_test(a_cut_call_is_still_told),
      cmocka_unit_test(a_loop_thread_sends_too),
      cmocka_unit_test(a_reload_may_change_the_collector),
      cmocka_unit_test(a_reload_may_come_at_any_time),
      cmocka_unit_test(without_memory_telemetry_is_lost),
      cmocka_unit_test(without_memory_there_is_no_exporter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
