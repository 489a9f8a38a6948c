/* SPDX-License-Identifier: MIT */
/* The trail of a call, and the accessors of an attempt. */
#include "engine/record.h"

#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* A trail of its own, over the configuration of a client. */
static inf_trail *
trail_of(fake_client *fake)
{
  inf_config *config = inf_config_ref(fake->client->config);
  const inf_route_config *route;
  assert_int_equal(inf_config_resolve(config, INF_SV("a/m"), &route, NULL),
                   INFER_OK);
  inf_trail *trail = inf_trail_new(config, route, 123);
  assert_non_null(trail);
  return trail;
}

static void
a_new_record_knows_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_trail *trail = trail_of(fake);
  struct infer_attempt *record = inf_trail_add(trail);
  assert_non_null(record);
  record->start_ns = 50;
  assert_string_equal(infer_attempt_message(record), "");
  assert_string_equal(infer_attempt_decision(record), "");
  assert_string_equal(infer_attempt_request_id(record), "");
  assert_string_equal(infer_attempt_reason_name(record), "unknown");
  assert_int_equal(infer_attempt_http_status(record), 0);
  assert_int_equal(infer_attempt_won(record), 0);
  for (int32_t i = 0; i < INFER_USAGE_COUNT; i++)
    assert_int_equal(infer_attempt_usage(record, i), -1);
  assert_int_equal(infer_attempt_cost_nano_usd(record), -1);
  assert_int_equal(infer_attempt_cost_kind(record), INFER_COST_UNKNOWN);
  for (int32_t i = 1; i < INFER_PHASE_COUNT; i++)
    assert_int_equal(infer_attempt_phase_ns(record, i), -1);
  assert_int_equal(infer_attempt_phase_ns(record, INFER_PHASE_LIMITER_WAIT), 0);
  inf_trail_unref(trail);
  fake_client_free(fake);
}

static void
phases_count_from_the_start(void **state)
{
  (void)state;
  struct infer_attempt record = {.start_ns = 1000, .waited_ns = 77};
  record.phase_ns[INFER_PHASE_SENT] = 1500;
  record.phase_ns[INFER_PHASE_LOOKUP] = 900; /* not before the start */
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_SENT), 500);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_LOOKUP), 0);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_LIMITER_WAIT),
                   77);
  assert_int_equal(infer_attempt_phase_ns(&record, -1), -1);
  assert_int_equal(infer_attempt_phase_ns(&record, INFER_PHASE_COUNT), -1);
  assert_int_equal(infer_attempt_usage(&record, -1), -1);
  assert_int_equal(infer_attempt_usage(&record, INFER_USAGE_COUNT), -1);
}

static void
every_reason_has_its_name(void **state)
{
  (void)state;
  const char *const names[] = {
      [INFER_REASON_FIRST] = "first",
      [INFER_REASON_RETRY] = "retry",
      [INFER_REASON_FAILOVER] = "failover",
      [INFER_REASON_KEY] = "key",
      [INFER_REASON_RESEND] = "resend",
      [INFER_REASON_RECOVERY] = "recovery",
      [INFER_REASON_CONTINUE] = "continue",
      [INFER_REASON_HEDGE] = "hedge",
  };
  for (int32_t i = 1; i <= INFER_REASON_HEDGE; i++)
    assert_string_equal(inf_reason_name(i), names[i]);
  assert_string_equal(inf_reason_name(0), "unknown");
  assert_string_equal(inf_reason_name(-5), "unknown");
  assert_string_equal(inf_reason_name(99), "unknown");
}

/* Records stay where they are while the trail grows. */
static void
a_trail_grows(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_trail *trail = trail_of(fake);
  struct infer_attempt *first = inf_trail_add(trail);
  first->http_status = 42;
  for (int i = 0; i < 40; i++)
    assert_non_null(inf_trail_add(trail));
  assert_int_equal(trail->count, 41);
  assert_ptr_equal(trail->records[0], first);
  assert_int_equal(first->http_status, 42);
  inf_trail_unref(trail);
  inf_trail_unref(NULL);
  fake_client_free(fake);
}

/* A record lends its names from the configuration that the trail pins. */
static void
a_trail_outlives_its_client(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_trail *trail = inf_trail_ref(trail_of(fake));
  struct infer_attempt *record = inf_trail_add(trail);
  record->provider = trail->route->targets[0].provider;
  record->target = trail->route->targets[0].name;
  fake_client_free(fake);
  inf_trail_unref(trail);
  assert_string_equal(infer_attempt_provider(record), "a");
  assert_string_equal(infer_attempt_target(record), "a/m");
  inf_trail_unref(trail);
}

static void
a_trail_sums_what_its_attempts_cost(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_trail *trail = trail_of(fake);
  assert_int_equal(inf_trail_cost(trail).nano_usd, 0);
  assert_int_equal(inf_trail_cost(trail).kind, INFER_COST_EXACT);
  struct infer_attempt *record = inf_trail_add(trail);
  record->cost_nano = 12;
  record->cost_kind = INFER_COST_EXACT;
  assert_int_equal(inf_trail_cost(trail).nano_usd, 12);
  record = inf_trail_add(trail);
  assert_int_equal(inf_trail_cost(trail).nano_usd, -1);
  record->cost_nano = 5;
  record->cost_kind = INFER_COST_ESTIMATED;
  assert_int_equal(inf_trail_cost(trail).nano_usd, 17);
  assert_int_equal(inf_trail_cost(trail).kind, INFER_COST_ESTIMATED);
  inf_trail_unref(trail);
  fake_client_free(fake);
}

static void
accessors_accept_null(void **state)
{
  (void)state;
  assert_string_equal(infer_attempt_provider(NULL), "");
  assert_string_equal(infer_attempt_target(NULL), "");
  assert_int_equal(infer_attempt_reason(NULL), 0);
  assert_string_equal(infer_attempt_reason_name(NULL), "unknown");
  assert_int_equal(infer_attempt_key_index(NULL), 0);
  assert_int_equal(infer_attempt_status(NULL), INFER_OK);
  assert_string_equal(infer_attempt_message(NULL), "");
  assert_string_equal(infer_attempt_decision(NULL), "");
  assert_int_equal(infer_attempt_http_status(NULL), 0);
  assert_string_equal(infer_attempt_request_id(NULL), "");
  assert_int_equal(infer_attempt_won(NULL), 0);
  assert_int_equal(infer_attempt_reused_connection(NULL), 0);
  assert_int_equal(infer_attempt_start_ns(NULL), 0);
  for (int32_t phase = -1; phase <= INFER_PHASE_COUNT; phase++)
    assert_int_equal(infer_attempt_phase_ns(NULL, phase), -1);
  for (int32_t kind = -1; kind <= INFER_USAGE_COUNT; kind++)
    assert_int_equal(infer_attempt_usage(NULL, kind), -1);
  assert_int_equal(infer_attempt_cost_nano_usd(NULL), -1);
  assert_int_equal(infer_attempt_cost_kind(NULL), INFER_COST_UNKNOWN);
  assert_int_equal(infer_attempt_bytes_sent(NULL), 0);
  assert_int_equal(infer_attempt_bytes_received(NULL), 0);
  assert_int_equal(infer_attempt_skipped_events(NULL), 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_new_record_knows_nothing),
      cmocka_unit_test(phases_count_from_the_start),
      cmocka_unit_test(every_reason_has_its_name),
      cmocka_unit_test(a_trail_grows),
      cmocka_unit_test(a_trail_outlives_its_client),
      cmocka_unit_test(a_trail_sums_what_its_attempts_cost),
      cmocka_unit_test(accessors_accept_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
