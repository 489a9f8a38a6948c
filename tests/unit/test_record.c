/* SPDX-License-Identifier: MIT */
/* The trail of attempts, and the accessors of one attempt. */
#include "unit/config_util.h"
#include "unit/result_support.h"

#include "base/clock.h"

#include <pthread.h>

/* ---- Trail --------------------------------------------------------------- */

static void
records_begin_with_nothing_known(void **state)
{
  (void)state;
  inf_trail *trail = trail_new();
  struct infer_attempt *record = inf_trail_add(trail);
  for (int32_t kind = 0; kind < INFER_USAGE_COUNT; kind++)
    assert_int_equal(infer_attempt_usage(record, kind), -1);
  assert_int_equal(infer_attempt_phase_ns(record, INFER_PHASE_LIMITER_WAIT), 0);
  for (int32_t phase = 1; phase < INFER_PHASE_COUNT; phase++)
    assert_int_equal(infer_attempt_phase_ns(record, phase), -1);
  assert_string_equal(infer_attempt_message(record), "");
  assert_string_equal(infer_attempt_request_id(record), "");
  assert_int_equal(infer_attempt_status(record), INFER_OK);
  assert_int_equal(infer_attempt_won(record), 0);
  assert_int_equal(infer_attempt_reused_connection(record), 0);
  assert_string_equal(infer_attempt_reason_name(record), "unknown");
  inf_trail_unref(trail);
}

/* Records are lent: they stay where they are while the trail grows. */
static void
records_stay_where_they_are(void **state)
{
  (void)state;
  enum { many = 100 };
  struct infer_attempt *records[many];
  inf_trail *trail = trail_new();
  for (int32_t i = 0; i < many; i++) {
    records[i] = attempt_new(trail, INFER_OK);
    records[i]->key_index = i;
  }
  assert_int_equal(trail->count, many);
  for (int32_t i = 0; i < many; i++) {
    assert_ptr_equal(trail->records[i], records[i]);
    assert_int_equal(infer_attempt_key_index(records[i]), i);
  }
  inf_trail_unref(trail);
  inf_trail_unref(NULL);
}

static void
the_last_reference_frees(void **state)
{
  (void)state;
  fail_alloc_install();
  inf_trail *trail = trail_new();
  struct infer_attempt *record = attempt_new(trail, INFER_E_SERVER);
  record->message = inf_strndup("m", 1);
  record->request_id = inf_strndup("r", 1);
  assert_ptr_equal(inf_trail_ref(trail), trail);
  inf_trail_unref(trail);
  assert_string_equal(infer_attempt_message(record), "m");
  assert_string_equal(infer_attempt_request_id(record), "r");
  inf_trail_unref(trail);
  fail_alloc_uninstall();
}

/* A route of the configuration, and one that was made for a call. */
static void
it_pins_configuration_and_route(void **state)
{
  (void)state;
  fail_alloc_install();
  static const char *const models[] = {"r", "house/other"};
  for (size_t i = 0; i < 2; i++) {
    infer_error *error = NULL;
    const inf_route_config *route;
    inf_config *config = compiled("{'providers':[" HOUSE
                                  "],'routes':{'r':{'targets':['house/m']}}}");
    assert_int_equal(
        inf_config_resolve(config, inf_sv_from(models[i]), &route, &error),
        INFER_OK);
    inf_trail *trail = inf_trail_new(config, route, 5); /* takes both over */
    assert_non_null(trail);
    assert_true(trail->accepted_ns == 5);
    struct infer_attempt *record = inf_trail_add(trail);
    record->provider = route->targets[0].provider;
    record->target = route->targets[0].name;
    assert_string_equal(infer_attempt_provider(record), "house");
    assert_string_equal(infer_attempt_target(record),
                        i == 0 ? "house/m" : "house/other");
    inf_trail_unref(trail);
  }
  fail_alloc_uninstall();
}

static void
fill_trail(void *arg)
{
  (void)arg;
  size_t added = 0;
  inf_trail *trail = inf_trail_new(NULL, NULL, 0);
  if (!trail) {
    assert_true(fail_alloc_hits() > 0);
    return;
  }
  for (int i = 0; i < 9; i++) {
    size_t hits = fail_alloc_hits();
    bool made = inf_trail_add(trail) != NULL;
    assert_true(made == (fail_alloc_hits() == hits));
    added += made;
    assert_int_equal(trail->count, added);
  }
  inf_trail_unref(trail);
}

static void
short_memory_adds_nothing(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(fill_trail, NULL) > 10);
  fail_alloc_uninstall();
}

static void *
ref_and_unref(void *context)
{
  for (int i = 0; i < 10000; i++)
    inf_trail_unref(inf_trail_ref(context));
  inf_trail_unref(context);
  return NULL;
}

static void
threads_may_hold_it(void **state)
{
  (void)state;
  enum { threads = 4 };
  pthread_t ids[threads];
  fail_alloc_install();
  inf_trail *trail = trail_new();
  attempt_new(trail, INFER_OK);
  for (size_t i = 0; i < threads; i++) {
    inf_trail_ref(trail);
    assert_int_equal(pthread_create(&ids[i], NULL, ref_and_unref, trail), 0);
  }
  inf_trail_unref(trail);
  for (size_t i = 0; i < threads; i++)
    pthread_join(ids[i], NULL);
  fail_alloc_uninstall();
}

/* ---- Accessors ----------------------------------------------------------- */

static void
every_part_by_its_accessor(void **state)
{
  (void)state;
  char message[] = "it broke", id[] = "req-1";
  const struct infer_attempt record = {
      .provider = &house,
      .target = "house/m",
      .reason = INFER_REASON_RETRY,
      .key_index = 3,
      .status = INFER_E_SERVER,
      .http_status = 503,
      .message = message,
      .request_id = id,
      .won = true,
      .reused_connection = true,
      .usage = {1, 2, 3, 4, 5, 6},
      .bytes_sent = 10,
      .bytes_received = 11,
      .skipped_events = 12,
      .start_offset_ns = 13,
  };
  assert_string_equal(infer_attempt_provider(&record), "house");
  assert_string_equal(infer_attempt_target(&record), "house/m");
  assert_int_equal(infer_attempt_reason(&record), INFER_REASON_RETRY);
  assert_string_equal(infer_attempt_reason_name(&record), "retry");
  assert_int_equal(infer_attempt_key_index(&record), 3);
  assert_int_equal(infer_attempt_status(&record), INFER_E_SERVER);
  assert_string_equal(infer_attempt_message(&record), "it broke");
  assert_int_equal(infer_attempt_http_status(&record), 503);
  assert_string_equal(infer_attempt_request_id(&record), "req-1");
  assert_int_equal(infer_attempt_won(&record), 1);
  assert_int_equal(infer_attempt_reused_connection(&record), 1);
  assert_int_equal(infer_attempt_start_ns(&record), 13);
  for (int32_t kind = 0; kind < INFER_USAGE_COUNT; kind++)
    assert_int_equal(infer_attempt_usage(&record, kind), kind + 1);
  assert_int_equal(infer_attempt_usage(&record, -1), -1);
  assert_int_equal(infer_attempt_usage(&record, INFER_USAGE_COUNT), -1);
  assert_int_equal(infer_attempt_bytes_sent(&record), 10);
  assert_int_equal(infer_attempt_bytes_received(&record), 11);
  assert_int_equal(infer_attempt_skipped_events(&record), 12);
}

static void
phases_count_from_the_attempts_start(void **state)
{
  (void)state;
  struct infer_attempt record = {.start_ns = 1000, .waited_ns = 77};
  record.phase_ns[INFER_PHASE_CONNECT] = 1500;
  record.phase_ns[INFER_PHASE_SENT] = 1000;
  record.phase_ns[INFER_PHASE_LOOKUP] = 999; /* a clock's last digit */
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_LIMITER_WAIT),
                   77);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_CONNECT), 500);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_SENT), 0);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_LOOKUP), 0);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_TLS), -1);
  assert_int_equal(infer_attempt_phase_ns(&record, -1), -1);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_COUNT), -1);
}

static void
every_reason_has_its_name(void **state)
{
  (void)state;
  assert_string_equal(inf_reason_name(INFER_REASON_FIRST), "first");
  assert_string_equal(inf_reason_name(INFER_REASON_RETRY), "retry");
  assert_string_equal(inf_reason_name(INFER_REASON_FAILOVER), "failover");
  assert_string_equal(inf_reason_name(INFER_REASON_KEY), "key");
  assert_string_equal(inf_reason_name(INFER_REASON_RESEND), "resend");
  assert_string_equal(inf_reason_name(INFER_REASON_RECOVERY), "recovery");
  assert_string_equal(inf_reason_name(0), "unknown");
  assert_string_equal(inf_reason_name(-1), "unknown");
  assert_string_equal(inf_reason_name(INFER_REASON_RECOVERY + 1), "unknown");
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_begin_with_nothing_known),
      cmocka_unit_test(records_stay_where_they_are),
      cmocka_unit_test(the_last_reference_frees),
      cmocka_unit_test(it_pins_configuration_and_route),
      cmocka_unit_test(short_memory_adds_nothing),
      cmocka_unit_test(threads_may_hold_it),
      cmocka_unit_test(every_part_by_its_accessor),
      cmocka_unit_test(phases_count_from_the_attempts_start),
      cmocka_unit_test(every_reason_has_its_name),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
