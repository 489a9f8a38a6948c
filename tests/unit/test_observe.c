/* SPDX-License-Identifier: MIT */
/* What is told of attempts and calls when they have ended: to the aggregates,
 * the hook, and queues that want records. */
#include "engine/observe.h"

#include "support/fail_alloc.h"
#include "support/race_world.h"

#define MS INF_NS_PER_MS

/* ---- The aggregates ------------------------------------------------------ */

static inf_telemetry *
telemetry_of(fake_client *fake)
{
  return runtime_of(fake)->telemetry;
}

static const inf_telemetry_series *
series_of(fake_client *fake, const char *target, const char *route)
{
  const inf_telemetry_series *at = inf_telemetry_first(telemetry_of(fake));
  while (at &&
         (strcmp(at->target, target) != 0 || strcmp(at->route, route) != 0))
    at = at->next;
  if (!at)
    fail_msg("no series of %s on \"%s\"", target, route);
  return at;
}

static inf_series_counters
counters_of(fake_client *fake, const char *target, const char *route)
{
  inf_series_counters counters;
  inf_telemetry_counters(telemetry_of(fake), series_of(fake, target, route),
                         &counters);
  return counters;
}

static uint64_t
attempts_of(fake_client *fake, const char *target, const char *route,
            int32_t reason, int32_t status)
{
  return counters_of(fake, target, route)
      .attempts[reason][inf_telemetry_class(status)];
}

static uint64_t
calls_of(fake_client *fake, const char *target, const char *route,
         int32_t status)
{
  return counters_of(fake, target, route).calls[inf_telemetry_class(status)];
}

static inf_quantiles
times_of(fake_client *fake, const char *target, const char *route,
         inf_time_kind kind)
{
  static inf_quantile_work work;
  return inf_telemetry_quantiles(telemetry_of(fake),
                                 series_of(fake, target, route), INF_WINDOW_1M,
                                 kind, fake->net.now_ns, &work);
}

static void
assert_about_ms(uint64_t ns, uint64_t ms)
{
  if (ns + ns / 50 < ms * MS || ns > ms * MS + ms * MS / 50)
    fail_msg("%g ms instead of %llu", (double)ns / 1e6, (unsigned long long)ms);
}

/* 11 tokens in, 21 out in 40 ms. */
static void
script_answer(fake_client *fake)
{
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 10);
  fake_body(script, 60, sse_text("a"));
  fake_body(script, 100, sse_text("b"));
  fake_body(script, 110, sse_finish("stop"));
  fake_body(script, 110, sse_usage(11, 21));
  fake_body(script, 110, SSE_DONE);
  fake_done(script, 110, INF_NET_OK);
}

static void
an_answer_is_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  script_answer(fake);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 200);
  assert_int_equal(attempts_of(fake, "a/m", "r", INFER_REASON_FIRST, INFER_OK),
                   1);
  assert_int_equal(calls_of(fake, "a/m", "r", INFER_OK), 1);
  inf_series_counters counters = counters_of(fake, "a/m", "r");
  assert_int_equal(counters.tokens[INF_TOKENS_INPUT], 11);
  assert_int_equal(counters.tokens[INF_TOKENS_OUTPUT], 21);
  assert_int_equal(counters.call_first_token.sum, 60 * MS);
  assert_int_equal(counters.call_tokens[0].sum, 11);
  assert_int_equal(counters.call_tokens[1].sum, 21);
  assert_about_ms(times_of(fake, "a/m", "r", INF_TIME_FIRST_TOKEN).ns[0], 60);
  assert_about_ms(times_of(fake, "a/m", "r", INF_TIME_PER_TOKEN).ns[0], 2);
  assert_about_ms(times_of(fake, "a/m", "r", INF_TIME_TOTAL).ns[0], 110);
  const inf_telemetry_series *series = series_of(fake, "a/m", "r");
  assert_string_equal(series->provider, "a");
  assert_string_equal(series->kind, "openai");
  assert_string_equal(series->model, "m");
  inf_buckets durations;
  assert_true(
      inf_telemetry_durations(telemetry_of(fake), series, 0, &durations));
  assert_int_equal(durations.sum, 110 * MS);
  infer_response *response = fake_response(call);
  double pace =
      infer_attempt_tokens_per_second(infer_response_attempt(response, 0));
  assert_true(pace > 499.9 && pace < 500.1);
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
pace_is_not_known_of_everything(void **state)
{
  (void)state;
  struct infer_attempt record = {.usage = {-1, -1, -1, -1, -1, -1}};
  assert_true(infer_attempt_tokens_per_second(NULL) < 0);
  record.phase_ns[INFER_PHASE_FIRST_CONTENT] = 1000;
  record.phase_ns[INFER_PHASE_LAST_CONTENT] = 2000;
  assert_true(infer_attempt_tokens_per_second(&record) < 0);
  record.usage[INFER_USAGE_OUTPUT] = 1;
  assert_true(infer_attempt_tokens_per_second(&record) < 0);
  record.usage[INFER_USAGE_OUTPUT] = 11;
  assert_true(infer_attempt_tokens_per_second(&record) > 9.9e6);
  record.phase_ns[INFER_PHASE_LAST_CONTENT] = 1000;
  assert_true(infer_attempt_tokens_per_second(&record) < 0);
}

/* A call is told of where it ended; each attempt where it was. */
static void
a_failover_is_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  fake_reply(fake_script_next(&fake->net), 20, 503, NULL, "");
  script_answer(fake);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 300);
  assert_int_equal(
      attempts_of(fake, "a/m", "r", INFER_REASON_FIRST, INFER_E_OVERLOADED), 1);
  assert_int_equal(
      attempts_of(fake, "b/m", "r", INFER_REASON_FAILOVER, INFER_OK), 1);
  assert_int_equal(calls_of(fake, "a/m", "r", INFER_OK), 0);
  assert_int_equal(calls_of(fake, "b/m", "r", INFER_OK), 1);
  /* The call has waited for both. */
  assert_int_equal(counters_of(fake, "b/m", "r").call_first_token.sum, 80 * MS);
  assert_int_equal(times_of(fake, "a/m", "r", INF_TIME_FIRST_TOKEN).events, 0);
  assert_int_equal(times_of(fake, "a/m", "r", INF_TIME_FIRST_TOKEN).censored,
                   0);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_loser_of_a_race_was_cut(void **state)
{
  (void)state;
  fake_client *fake = earned_client();
  is_silent(fake, A);
  talks(fake, B, 40, "ok");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, cold_ms + 100);
  assert_string_equal(race_trail(call),
                      "a/m first E_CANCELLED, b/m hedge OK won");
  assert_int_equal(
      attempts_of(fake, "a/m", "r", INFER_REASON_FIRST, INFER_E_CANCELLED), 1);
  assert_int_equal(attempts_of(fake, "b/m", "r", INFER_REASON_HEDGE, INFER_OK),
                   1);
  inf_quantiles lost = times_of(fake, "a/m", "r", INF_TIME_FIRST_TOKEN);
  assert_int_equal(lost.events, 0);
  assert_int_equal(lost.censored, 1);
  assert_int_equal(calls_of(fake, "b/m", "r", INFER_OK), 1);
  end(fake, call);
}

static void
a_deadline_cuts_what_is_silent(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream(fake_script_next(&fake->net), 1);
  infer_request *request = fake_request_new("one");
  infer_request_set_deadline_ms(request, 300);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 400);
  assert_int_equal(calls_of(fake, "a/m", "one", INFER_E_DEADLINE), 1);
  assert_int_equal(times_of(fake, "a/m", "one", INF_TIME_FIRST_TOKEN).censored,
                   1);
  inf_window_counts counts = inf_telemetry_window_counts(
      telemetry_of(fake), series_of(fake, "a/m", "one"), INF_WINDOW_1M,
      fake->net.now_ns);
  assert_int_equal(counts.failed, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The machine slept meanwhile: it is counted, and its times are dropped. */
static void
a_clock_jump_drops_times(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  script_answer(fake);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20);
  fake->net.jump_ns = 10 * INF_NS_PER_S;
  fake_run_ms(fake, 200);
  assert_int_equal(calls_of(fake, "a/m", "one", INFER_OK), 1);
  for (int kind = 0; kind < INF_TIMES; kind++)
    assert_int_equal(times_of(fake, "a/m", "one", (inf_time_kind)kind).events,
                     0);
  inf_buckets durations;
  assert_false(inf_telemetry_durations(
      telemetry_of(fake), series_of(fake, "a/m", "one"), 0, &durations));
  infer_call_free(call);
  fake_client_free(fake);
}

/* What was not sent is told of the target that it was meant for. */
static void
a_refusal_is_told(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("providers.a.limits", "{'requests_per_day':1}", NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_int_equal(call_once(fake, "one"), INFER_E_RATE_LIMITED);
  assert_int_equal(counters_of(fake, "a/m", "one").refusals, 1);
  assert_int_equal(calls_of(fake, "a/m", "one", INFER_E_RATE_LIMITED), 1);
  fake_client_free(fake);
}

static void
a_list_of_models_is_no_chat(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_reply(fake_script_next(&fake->net), 5, 200, NULL,
             "{\"object\":\"list\",\"data\":[]}");
  infer_model_list *list = NULL;
  assert_int_equal(infer_models(fake->client, "a", 1000, &list, NULL),
                   INFER_OK);
  infer_model_list_free(list);
  assert_null(inf_telemetry_first(telemetry_of(fake)));
  fake_client_free(fake);
}

static void
tenants_are_told_if_asked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("metrics_tenants", "1", NULL);
  is_well(fake, A);
  infer_request *request = fake_request_new("one");
  infer_request_set_tenant(request, "gold");
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 100);
  const inf_telemetry_tenant *tenant =
      inf_telemetry_first_tenant(telemetry_of(fake));
  assert_string_equal(tenant->name, "gold");
  assert_int_equal(
      inf_telemetry_tenant_counters(telemetry_of(fake), tenant).calls, 1);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Attempts of no call ------------------------------------------------- */

typedef struct stray {
  int count;
  int32_t status, reason, http_status;
  int64_t content_ms, connect_ms;
  char target[32];
} stray;

static void
note_stray(fake_client *fake, const infer_call *call,
           const infer_attempt *attempt)
{
  stray *seen = fake->on_hook_data;
  if (call || !attempt)
    return;
  assert_int_equal(infer_call_id(call), 0);
  assert_string_equal(infer_call_tenant(call), "");
  seen->count++;
  seen->status = infer_attempt_status(attempt);
  seen->reason = infer_attempt_reason(attempt);
  seen->http_status = infer_attempt_http_status(attempt);
  seen->content_ms =
      infer_attempt_phase_ns(attempt, INFER_PHASE_FIRST_CONTENT) / (int64_t)MS;
  seen->connect_ms =
      infer_attempt_phase_ns(attempt, INFER_PHASE_CONNECT) / (int64_t)MS;
  snprintf(seen->target, sizeof seen->target, "%s",
           infer_attempt_target(attempt));
}

static void
a_probe_is_told(void **state)
{
  (void)state;
  stray seen = {0};
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  is_well(fake, B);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, 2400);
  talks(fake, A, 50, "ok");
  fake->on_hook = note_stray;
  fake->on_hook_data = &seen;
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_int_equal(seen.count, 1);
  assert_int_equal(seen.reason, INFER_REASON_PROBE);
  assert_int_equal(seen.status, INFER_OK);
  assert_int_equal(seen.http_status, 200);
  assert_int_equal(seen.content_ms, 50);
  assert_string_equal(seen.target, "a/m");
  assert_int_equal(attempts_of(fake, "a/m", "r", INFER_REASON_PROBE, INFER_OK),
                   1);
  /* It ends at its first content: its end tells nothing. */
  assert_int_equal(times_of(fake, "a/m", "r", INF_TIME_FIRST_TOKEN).events, 1);
  assert_int_equal(times_of(fake, "a/m", "r", INF_TIME_TOTAL).events, 0);
  assert_contains(fake->telemetry, "attempt a/m probe OK");
  fake_client_free(fake);
}

static void
a_warm_up_is_told(void **state)
{
  (void)state;
  stray seen = {0};
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  script->kept = true;
  script->protocol = "h2";
  script->lookup_ms = 3;
  script->connect_ms = 7;
  fake_sent(script, 10);
  fake_done(script, 12, INF_NET_OK);
  fake->on_hook = note_stray;
  fake->on_hook_data = &seen;
  infer_warm_report *report;
  assert_int_equal(infer_client_prewarm(fake->client, "a", 1000, &report, NULL),
                   INFER_OK);
  infer_warm_report_free(report);
  assert_int_equal(seen.count, 1);
  assert_int_equal(seen.reason, INFER_REASON_PREWARM);
  assert_int_equal(seen.status, INFER_OK);
  assert_string_equal(seen.target, "a");
  assert_int_equal(attempts_of(fake, "a", "", INFER_REASON_PREWARM, INFER_OK),
                   1);
  assert_int_equal(counters_of(fake, "a", "").unpriced, 0);
  fake_client_free(fake);
}

/* ---- Records as events --------------------------------------------------- */

static void
a_queue_tells_if_asked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  fake_reply(fake_script_next(&fake->net), 20, 503, NULL, "");
  script_answer(fake);
  assert_int_equal(infer_queue_set_records(fake->queue, 1), INFER_OK);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 300);
  assert_events(fake, "attempt a/m first OVERLOADED|start b/m|text ab|"
                      "finish stop|usage|attempt b/m failover OK|done OK");
  infer_call_free(call);
  assert_int_equal(infer_queue_set_records(fake->queue, 0), INFER_OK);
  is_well(fake, A);
  is_well(fake, B);
  call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 300);
  assert_lacks(fake_events(fake), "attempt");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
whole_answers_have_records_too(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_queue_set_records(fake->queue, 1);
  is_well(fake, A);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 100);
  assert_events(fake, "attempt a/m first OK|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

/* What was told of an attempt is no answer: the call may go on unseen, as
 * without records, and a restart discards text but no record. */
static void
a_record_commits_to_nothing(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_STAY, "routes.r.recovery", "'restart'", NULL);
  infer_queue_set_records(fake->queue, 1);
  fake_reply(fake_script_next(&fake->net), 20, 503, NULL, "");
  script_answer(fake);
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 30);
  assert_false(call->committed);
  assert_events(fake, "attempt a/m first OVERLOADED");
  fake_run_ms(fake, 300);
  assert_events(fake, "start b/m|text ab|finish stop|usage|"
                      "attempt b/m failover OK|done OK");
  infer_call_free(call);

  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 5);
  fake_body(script, 10, sse_text("Hel"));
  fake_done(script, 20, INF_NET_RESET);
  script_answer(fake);
  call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 300);
  assert_events(fake, "attempt a/m first TRUNCATED|1:restart answer "
                      "truncated|1:start b/m|1:text ab|1:finish stop|1:usage|"
                      "1:attempt b/m recovery OK|1:done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

/* A record keeps what it was given, whatever comes of the call. */
static void
a_record_outlives_its_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  infer_queue_set_records(fake->queue, 1);
  fake_reply(fake_script_next(&fake->net), 20, 503, "x-request-id: q-1",
             "{\"error\":{\"message\":\"busy\"}}");
  script_answer(fake);
  infer_request *request = fake_request_new("r");
  infer_request_set_tenant(request, "gold");
  infer_request_set_tag(request, "team", "blue");
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 300);
  infer_event *record, *event;
  assert_int_equal(inf_queue_take(fake->queue, &record, 1, NULL), 1);
  while (inf_queue_take(fake->queue, &event, 1, NULL) > 0) {
    if (infer_event_type(event) == INFER_EVENT_DONE)
      assert_string_equal(infer_call_tenant(infer_event_call(event)), "gold");
    if (infer_event_type(event) == INFER_EVENT_TEXT) {
      assert_null(infer_event_attempt(event));
      assert_null(infer_event_call(event));
    }
    infer_event_free(event);
  }
  infer_call_free(call);
  const infer_attempt *attempt = infer_event_attempt(record);
  assert_string_equal(infer_attempt_provider(attempt), "a");
  assert_string_equal(infer_attempt_message(attempt), "busy");
  assert_string_equal(infer_attempt_request_id(attempt), "q-1");
  assert_string_equal(infer_attempt_decision(attempt), "");
  const infer_call *told = infer_event_call(record);
  assert_string_equal(infer_call_route(told), "r");
  assert_string_equal(infer_call_tag_name(told, 0), "team");
  assert_string_equal(infer_call_tag_value(told, "team"), "blue");
  assert_string_equal(infer_call_tag_name(told, 1), "");
  assert_null(infer_event_response(record));
  infer_event_free(record);
  fake_client_free(fake);
}

static void
unread_records_go_with_the_queue(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, fake->client), INFER_OK);
  infer_queue_set_records(queue, 1);
  is_well(fake, A);
  infer_request *request = fake_request_new("one");
  for (int i = 0; i < 2; i++) {
    infer_submit(fake->client, request, INFER_SUBMIT_WHOLE, queue, 1, NULL,
                 NULL);
    if (i == 0)
      fake_run_ms(fake, 100);
  }
  infer_queue_free(queue); /* one has ended, one is cancelled */
  infer_request_free(request);
  fake_client_free(fake);
}

static void
arguments_are_checked(void **state)
{
  (void)state;
  assert_int_equal(infer_queue_set_records(NULL, 1), INFER_E_INVALID_ARGUMENT);
  assert_null(infer_event_attempt(NULL));
  assert_null(infer_event_call(NULL));
  assert_string_equal(infer_call_tag_name(NULL, 0), "");
}

/* ---- Bad luck ------------------------------------------------------------ */

/* Each allocation of a call's end fails once: the call ends well or as out of
 * memory, and what is lost of its telemetry is counted. */
static void
without_memory_a_record_is_lost(void **state)
{
  (void)state;
  fail_alloc_install();
  bool lost = false;
  for (size_t n = 1; n < 40; n++) {
    fake_client *fake = fake_client_new(NULL);
    infer_queue_set_records(fake->queue, 1);
    is_well(fake, A);
    infer_call *call = fake_submit_whole(fake, "one");
    fake_run_ms(fake, 1);
    fail_alloc_nth(n);
    fake_run_ms(fake, 100);
    fail_alloc_never();
    const char *events = fake_events(fake);
    const char *done = strstr(events, "done");
    assert_non_null(done);
    bool whole = strstr(events, "attempt a/m") &&
                 inf_telemetry_first(telemetry_of(fake));
    if (strcmp(done, "done OK") == 0 && !whole) {
      lost = true;
      assert_true(inf_telemetry_memory_of(telemetry_of(fake)).dropped > 0);
    }
    infer_call_free(call);
    fake_client_free(fake);
  }
  assert_true(lost);
  fail_alloc_uninstall();
}

static void
take_long(fake_client *fake, const infer_call *call,
          const infer_attempt *attempt)
{
  (void)call;
  (void)attempt;
  fake->net.now_ns += 500 * MS;
}

/* The call's deadline is judged by the time after the hook, and the next
 * attempt begins then. */
static void
a_slow_hook_is_noticed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  fake_reply(fake_script_next(&fake->net), 20, 503, NULL, "");
  script_answer(fake);
  fake->on_hook = take_long;
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 2000);
  assert_request(fake, 1, "b", 520);
  assert_int_equal(calls_of(fake, "b/m", "r", INFER_OK), 1);
  assert_about_ms(times_of(fake, "b/m", "r", INF_TIME_FIRST_TOKEN).ns[0], 60);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
enter_again(fake_client *fake, const infer_call *call,
            const infer_attempt *attempt)
{
  (void)call;
  (void)attempt;
  size_t *entered = fake->on_hook_data;
  char *text = NULL;
  infer_response *response = NULL;
  infer_request *request = fake_request_new("one");
  assert_int_equal(infer_chat(fake->client, request, &response, NULL),
                   INFER_E_REENTRANT);
  infer_request_free(request);
  assert_int_equal(infer_client_stats(fake->client, &text, NULL), INFER_OK);
  infer_text_free(text);
  assert_int_equal(infer_client_metrics(fake->client, &text, NULL), INFER_OK);
  infer_text_free(text);
  infer_queue_set_records(fake->queue, 1);
  ++*entered;
}

static void
a_hook_may_enter_again(void **state)
{
  (void)state;
  size_t entered = 0;
  fake_client *fake = fake_client_new(NULL);
  is_well(fake, A);
  fake->on_hook = enter_again;
  fake->on_hook_data = &entered;
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_int_equal(entered, 2);
  fake_client_free(fake);
}

static void
a_reload_keeps_what_is_known(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  infer_config *config = fake_config_new(NULL, NULL, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_int_equal(calls_of(fake, "a/m", "one", INFER_OK), 2);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_is_told),
      cmocka_unit_test(pace_is_not_known_of_everything),
      cmocka_unit_test(a_failover_is_told),
      cmocka_unit_test(the_loser_of_a_race_was_cut),
      cmocka_unit_test(a_deadline_cuts_what_is_silent),
      cmocka_unit_test(a_clock_jump_drops_times),
      cmocka_unit_test(a_refusal_is_told),
      cmocka_unit_test(a_list_of_models_is_no_chat),
      cmocka_unit_test(tenants_are_told_if_asked),
      cmocka_unit_test(a_probe_is_told),
      cmocka_unit_test(a_warm_up_is_told),
      cmocka_unit_test(a_queue_tells_if_asked),
      cmocka_unit_test(whole_answers_have_records_too),
      cmocka_unit_test(a_record_commits_to_nothing),
      cmocka_unit_test(a_record_outlives_its_call),
      cmocka_unit_test(unread_records_go_with_the_queue),
      cmocka_unit_test(arguments_are_checked),
      cmocka_unit_test(without_memory_a_record_is_lost),
      cmocka_unit_test(a_slow_hook_is_noticed),
      cmocka_unit_test(a_hook_may_enter_again),
      cmocka_unit_test(a_reload_keeps_what_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
