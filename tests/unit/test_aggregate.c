/* SPDX-License-Identifier: MIT */
#include "telemetry/aggregate.h"

#include "base/error.h"
#include "support/fail_alloc.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define S  INF_NS_PER_S
#define MS INF_NS_PER_MS

static const inf_series_name on_r = {"a", "openai", "a/m", "m", "r", false};

/* A success after 2 s, whose first content came after 0.5 s. */
static inf_attempt_facts
success(void)
{
  return (inf_attempt_facts){
      .name = on_r,
      .reason = INFER_REASON_FIRST,
      .status = INFER_OK,
      .won = true,
      .timed = true,
      .stream = true,
      .first_seen = true,
      .total_seen = true,
      .first_ns = 500 * MS,
      .total_ns = 2 * S,
      .waited_ns = 30 * MS,
      .per_token_ns = 20 * MS,
      .input = 100,
      .cached = 60,
      .output = 40,
      .reasoning = 10,
      .cost_nano_usd = 7000,
      .now_ns = 1000 * S,
  };
}

static inf_call_facts
call_success(void)
{
  return (inf_call_facts){
      .name = on_r,
      .tenant = "",
      .status = INFER_OK,
      .timed = true,
      .total_ns = 3 * S,
      .first_ns = 600 * MS,
      .input = 100,
      .output = 40,
      .all_input = 200,
      .all_output = 50,
      .cost_nano_usd = 9000,
      .now_ns = 1000 * S,
  };
}

static inf_series_counters
counters_of(inf_telemetry *telemetry)
{
  inf_series_counters counters;
  inf_telemetry_counters(telemetry, inf_telemetry_first(telemetry), &counters);
  return counters;
}

static inf_quantiles
quantiles_of(inf_telemetry *telemetry, inf_time_kind kind)
{
  static inf_quantile_work work;
  return inf_telemetry_quantiles(telemetry, inf_telemetry_first(telemetry),
                                 INF_WINDOW_1M, kind, 1000 * S, &work);
}

static void
an_attempt_is_counted(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  assert_true(inf_telemetry_began_ns(telemetry) == INF_NEVER);
  inf_attempt_facts facts = success();
  inf_telemetry_attempt(telemetry, &facts);
  assert_int_equal(inf_telemetry_began_ns(telemetry), 1000 * S);
  const inf_telemetry_series *series = inf_telemetry_first(telemetry);
  assert_null(series->next);
  assert_string_equal(series->provider, "a");
  assert_string_equal(series->kind, "openai");
  assert_string_equal(series->target, "a/m");
  assert_string_equal(series->model, "m");
  assert_string_equal(series->route, "r");
  inf_series_counters counters = counters_of(telemetry);
  assert_int_equal(
      counters.attempts[INFER_REASON_FIRST][inf_telemetry_class(INFER_OK)], 1);
  assert_int_equal(counters.tokens[INF_TOKENS_INPUT], 100);
  assert_int_equal(counters.tokens[INF_TOKENS_CACHED], 60);
  assert_int_equal(counters.tokens[INF_TOKENS_OUTPUT], 40);
  assert_int_equal(counters.tokens[INF_TOKENS_REASONING], 10);
  assert_int_equal(counters.cost_nano_usd, 7000);
  assert_int_equal(counters.wasted_cost_nano_usd, 0);
  assert_int_equal(counters.unpriced, 0);
  assert_int_equal(counters.first_token.sum, 500 * MS);
  assert_int_equal(counters.per_token.sum, 20 * MS);
  assert_int_equal(counters.limiter.sum, 30 * MS);
  inf_window_counts counts =
      inf_telemetry_window_counts(telemetry, series, INF_WINDOW_5M, 1000 * S);
  assert_int_equal(counts.attempts, 1);
  assert_int_equal(counts.failed, 0);
  assert_int_equal(counts.cost_nano_usd, 7000);
  for (int kind = 0; kind < INF_TIMES; kind++) {
    inf_quantiles quantiles = quantiles_of(telemetry, (inf_time_kind)kind);
    assert_int_equal(quantiles.events, 1);
    assert_int_equal(quantiles.censored, 0);
  }
  inf_telemetry_free(telemetry);
}

/* What a loser cost is waste, and its times are "at least". */
static void
a_loser_is_cut_short(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_attempt_facts facts = success();
  facts.reason = INFER_REASON_HEDGE;
  facts.status = INFER_E_CANCELLED;
  facts.won = facts.first_seen = facts.total_seen = false;
  facts.ended_by_us = facts.first_censored = facts.total_censored = true;
  facts.per_token_ns = 0;
  inf_telemetry_attempt(telemetry, &facts);
  inf_series_counters counters = counters_of(telemetry);
  assert_int_equal(counters.attempts[INFER_REASON_HEDGE]
                                    [inf_telemetry_class(INFER_E_CANCELLED)],
                   1);
  assert_int_equal(counters.cost_nano_usd, 0);
  assert_int_equal(counters.wasted_cost_nano_usd, 7000);
  assert_int_equal(inf_buckets_total(&counters.first_token), 0);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_FIRST_TOKEN).censored, 1);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_TOTAL).censored, 1);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_PER_TOKEN).events, 0);
  inf_window_counts counts = inf_telemetry_window_counts(
      telemetry, inf_telemetry_first(telemetry), INF_WINDOW_1M, 1000 * S);
  assert_int_equal(counts.failed, 0);
  inf_telemetry_free(telemetry);
}

/* A failure counts as one, and its age says nothing of answers. */
static void
a_failure_has_no_times(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_attempt_facts facts = success();
  facts.status = INFER_E_SERVER;
  facts.won = facts.first_seen = facts.total_seen = false;
  facts.per_token_ns = 0;
  facts.input = facts.cached = facts.output = facts.reasoning = -1;
  facts.cost_nano_usd = -1;
  inf_telemetry_attempt(telemetry, &facts);
  inf_series_counters counters = counters_of(telemetry);
  assert_int_equal(counters.tokens[INF_TOKENS_INPUT], 0);
  assert_int_equal(counters.unpriced, 1);
  assert_int_equal(counters.cost_nano_usd + counters.wasted_cost_nano_usd, 0);
  inf_quantiles first = quantiles_of(telemetry, INF_TIME_FIRST_TOKEN);
  inf_quantiles total = quantiles_of(telemetry, INF_TIME_TOTAL);
  assert_int_equal(first.events + first.censored, 0);
  assert_int_equal(total.events + total.censored, 0);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_LIMITER).events, 1);
  inf_window_counts counts = inf_telemetry_window_counts(
      telemetry, inf_telemetry_first(telemetry), INF_WINDOW_1M, 1000 * S);
  assert_int_equal(counts.failed, 1);
  inf_telemetry_free(telemetry);
}

/* Nobody looked for a while: it is counted, its times are not. A whole body
 * has no first token. */
static void
what_is_not_timed_is_counted(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_attempt_facts facts = success();
  facts.timed = false;
  inf_telemetry_attempt(telemetry, &facts);
  for (int kind = 0; kind < INF_TIMES; kind++)
    assert_int_equal(quantiles_of(telemetry, (inf_time_kind)kind).events, 0);
  facts.timed = true;
  facts.stream = false;
  inf_telemetry_attempt(telemetry, &facts);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_FIRST_TOKEN).events, 0);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_TOTAL).events, 1);
  facts.stream = true;
  facts.reason = INFER_REASON_PROBE;
  facts.total_seen = false;
  inf_telemetry_attempt(telemetry, &facts);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_FIRST_TOKEN).events, 1);
  assert_int_equal(quantiles_of(telemetry, INF_TIME_LIMITER).events, 1);
  inf_window_counts counts = inf_telemetry_window_counts(
      telemetry, inf_telemetry_first(telemetry), INF_WINDOW_1M, 1000 * S);
  assert_int_equal(counts.attempts, 3);
  inf_telemetry_free(telemetry);
}

static void
calls_are_counted_by_class(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_call_facts facts = call_success();
  inf_telemetry_call(telemetry, &facts);
  facts.status = INFER_E_RATE_LIMITED;
  facts.unsent = true;
  facts.first_ns = 0;
  facts.input = facts.output = -1;
  facts.total_ns = 50 * MS;
  inf_telemetry_call(telemetry, &facts);
  facts.status = INFER_E_NO_TARGET; /* which no limit has refused */
  facts.timed = false;
  inf_telemetry_call(telemetry, &facts);
  const inf_telemetry_series *series = inf_telemetry_first(telemetry);
  inf_series_counters counters = counters_of(telemetry);
  assert_int_equal(counters.calls[inf_telemetry_class(INFER_OK)], 1);
  assert_int_equal(counters.calls[inf_telemetry_class(INFER_E_RATE_LIMITED)],
                   1);
  assert_int_equal(counters.calls[inf_telemetry_class(INFER_E_NO_TARGET)], 1);
  assert_int_equal(counters.refusals, 1);
  assert_int_equal(counters.call_first_token.sum, 600 * MS);
  assert_int_equal(inf_buckets_total(&counters.call_first_token), 1);
  assert_int_equal(counters.call_tokens[0].sum, 100);
  assert_int_equal(counters.call_tokens[1].sum, 40);
  inf_buckets buckets;
  assert_true(inf_telemetry_durations(telemetry, series,
                                      inf_telemetry_class(INFER_OK), &buckets));
  assert_int_equal(buckets.sum, 3 * S);
  assert_true(inf_telemetry_durations(
      telemetry, series, inf_telemetry_class(INFER_E_RATE_LIMITED), &buckets));
  assert_int_equal(buckets.sum, 50 * MS);
  assert_false(inf_telemetry_durations(
      telemetry, series, inf_telemetry_class(INFER_E_NO_TARGET), &buckets));
  inf_telemetry_free(telemetry);
}

static void
pairs_have_a_series_each(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  static const inf_series_name names[] = {
      {"a", "openai", "a/m", "m", "r", false},
      {"a", "openai", "a/m", "m", "s", false},
      {"a", "openai", "a/n", "n", "r", false},
      {"a", "openai", "a/m", "m", "", false},
      {"a", "openai", "a/", "", "mr", false},
      {"a", "openai", "a/m", "m", "r", true},
  };
  enum { pairs = sizeof names / sizeof names[0] };
  for (int round = 0; round < 3; round++)
    for (size_t i = 0; i < pairs; i++) {
      inf_attempt_facts facts = success();
      facts.name = names[i];
      inf_telemetry_attempt(telemetry, &facts);
    }
  size_t count = 0;
  for (const inf_telemetry_series *at = inf_telemetry_first(telemetry); at;
       at = at->next, count++) {
    inf_series_counters counters;
    inf_telemetry_counters(telemetry, at, &counters);
    assert_int_equal(counters.tokens[INF_TOKENS_INPUT], 300);
  }
  assert_int_equal(count, pairs);
  inf_telemetry_free(telemetry);
}

/* Whoever names ever new models does not fill the memory. */
static void
there_are_so_many_series(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  char target[40], longest[INF_TELEMETRY_NAME_MAX + 2];
  inf_attempt_facts facts = success();
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = '\0';
  facts.name.route = longest;
  inf_telemetry_attempt(telemetry, &facts);
  assert_null(inf_telemetry_first(telemetry));
  assert_int_equal(inf_telemetry_memory_of(telemetry).dropped, 1);
  facts.name.route = "";
  for (int i = 0; i < INF_TELEMETRY_SERIES_MAX + 10; i++) {
    snprintf(target, sizeof target, "a/%d", i);
    facts.name.target = target;
    facts.name.model = target + 2;
    inf_telemetry_attempt(telemetry, &facts);
  }
  size_t count = 0;
  for (const inf_telemetry_series *at = inf_telemetry_first(telemetry); at;
       at = at->next)
    count++;
  inf_telemetry_memory memory = inf_telemetry_memory_of(telemetry);
  assert_int_equal(count, INF_TELEMETRY_SERIES_MAX);
  assert_int_equal(memory.dropped, 11);
  assert_true(memory.used_bytes < memory.cap_bytes);
  facts.name = (inf_series_name){"a", "openai", "a/7", "7", "", false};
  inf_telemetry_attempt(telemetry, &facts);
  assert_int_equal(inf_telemetry_memory_of(telemetry).dropped, 11);
  inf_telemetry_free(telemetry);
}

static void
tenants_are_told_apart_if_asked(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_call_facts facts = call_success();
  facts.tenant = "gold";
  inf_telemetry_call(telemetry, &facts);
  assert_null(inf_telemetry_first_tenant(telemetry));
  facts.tenants_max = 2;
  static const char *const tenants[] = {"gold", "", "iron", "gold", "lead"};
  for (size_t i = 0; i < 5; i++) {
    facts.tenant = tenants[i];
    facts.status = i == 3 ? INFER_E_SERVER : INFER_OK;
    inf_telemetry_call(telemetry, &facts);
  }
  const inf_telemetry_tenant *iron = inf_telemetry_first_tenant(telemetry);
  assert_string_equal(iron->name, "iron");
  const inf_telemetry_tenant *gold = iron->next;
  assert_string_equal(gold->name, "gold");
  assert_null(gold->next);
  inf_tenant_counters counters = inf_telemetry_tenant_counters(telemetry, gold);
  assert_int_equal(counters.calls, 2);
  assert_int_equal(counters.failed, 1);
  assert_int_equal(counters.input_tokens, 400);
  assert_int_equal(counters.output_tokens, 100);
  assert_int_equal(counters.cost_nano_usd, 18000);
  inf_telemetry_free(telemetry);
}

static void
classes_have_places_and_names(void **state)
{
  (void)state;
  char text[32];
  assert_true(inf_status_count() <= INF_TELEMETRY_CLASSES);
  for (size_t i = 0; i < inf_status_count(); i++) {
    assert_int_equal(inf_telemetry_class(inf_status_at(i)->status), i);
    assert_true(strlen(inf_telemetry_error_type(i, text)) < sizeof text);
  }
  assert_string_equal(
      inf_telemetry_error_type(inf_telemetry_class(INFER_OK), text), "");
  assert_string_equal(
      inf_telemetry_error_type(inf_telemetry_class(INFER_E_RATE_LIMITED), text),
      "rate_limited");
  assert_string_equal(
      inf_telemetry_error_type(inf_telemetry_class(INFER_E_FIRST_TOKEN_TIMEOUT),
                               text),
      "first_token_timeout");
  assert_string_equal(inf_telemetry_error_type(INF_TELEMETRY_CLASSES, text),
                      "");
}

static void
what_is_lost_is_counted(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_telemetry *telemetry = inf_telemetry_new();
  inf_attempt_facts facts = success();
  inf_call_facts call = call_success();
  call.tenant = "gold";
  call.tenants_max = 5;
  fail_alloc_from(1);
  inf_telemetry_attempt(telemetry, &facts);
  inf_telemetry_call(telemetry, &call);
  assert_true(inf_telemetry_memory_of(telemetry).dropped >= 3);
  assert_null(inf_telemetry_first(telemetry));
  fail_alloc_never();
  inf_telemetry_note_dropped(telemetry);
  uint64_t dropped = inf_telemetry_memory_of(telemetry).dropped;
  inf_telemetry_attempt(telemetry, &facts);
  inf_telemetry_call(telemetry, &call);
  assert_int_equal(inf_telemetry_memory_of(telemetry).dropped, dropped);
  inf_telemetry_free(telemetry);
  fail_alloc_from(1);
  assert_null(inf_telemetry_new());
  fail_alloc_never();
  fail_alloc_uninstall();
  inf_telemetry_free(NULL);
}

/* ---- Threads ------------------------------------------------------------- */

enum { threads = 3, records = 3000 };

static void *
record_many(void *context)
{
  for (int i = 0; i < records; i++) {
    inf_attempt_facts facts = success();
    facts.name.route = i % 2 ? "r" : "s";
    inf_telemetry_attempt(context, &facts);
  }
  return NULL;
}

static void
threads_may_record_and_read(void **state)
{
  (void)state;
  inf_telemetry *telemetry = inf_telemetry_new();
  pthread_t ids[threads];
  for (int i = 0; i < threads; i++)
    assert_int_equal(pthread_create(&ids[i], NULL, record_many, telemetry), 0);
  for (int i = 0; i < 200; i++)
    for (const inf_telemetry_series *at = inf_telemetry_first(telemetry); at;
         at = at->next) {
      inf_window_counts counts =
          inf_telemetry_window_counts(telemetry, at, INF_WINDOW_60M, 1000 * S);
      assert_int_equal(counts.input_tokens, 100 * counts.attempts);
    }
  for (int i = 0; i < threads; i++)
    pthread_join(ids[i], NULL);
  uint64_t sum = 0;
  for (const inf_telemetry_series *at = inf_telemetry_first(telemetry); at;
       at = at->next) {
    inf_series_counters counters;
    inf_telemetry_counters(telemetry, at, &counters);
    sum += counters.tokens[INF_TOKENS_OUTPUT];
  }
  assert_int_equal(sum, 40 * threads * records);
  inf_telemetry_free(telemetry);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_attempt_is_counted),
      cmocka_unit_test(a_loser_is_cut_short),
      cmocka_unit_test(a_failure_has_no_times),
      cmocka_unit_test(what_is_not_timed_is_counted),
      cmocka_unit_test(calls_are_counted_by_class),
      cmocka_unit_test(pairs_have_a_series_each),
      cmocka_unit_test(there_are_so_many_series),
      cmocka_unit_test(tenants_are_told_apart_if_asked),
      cmocka_unit_test(classes_have_places_and_names),
      cmocka_unit_test(what_is_lost_is_counted),
      cmocka_unit_test(threads_may_record_and_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
