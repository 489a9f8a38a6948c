/* SPDX-License-Identifier: MIT */
#include "engine/meter_view.h"

#include "support/breaker_world.h"

typedef struct seen {
  size_t count;
  inf_meter_view views[4];
} seen;

static void
note(void *context, const inf_meter_view *view)
{
  seen *all = context;
  assert_true(all->count < 4);
  all->views[all->count++] = *view;
}

static seen
look(fake_client *fake)
{
  seen all = {0};
  inf_meters_each(runtime_of(fake), fake->net.now_ns, note, &all);
  return all;
}

static void
configured_limits_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "providers.a.limits",
      "{'requests_per_minute':10,'tokens_per_day':1000,'concurrency':5}", NULL);
  assert_int_equal(look(fake).count, 0); /* nothing was sent yet */
  is_well(fake, A);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  seen all = look(fake);
  assert_int_equal(all.count, 1);
  const inf_meter_view *view = &all.views[0];
  assert_string_equal(view->provider, "a");
  assert_string_equal(view->model, "m");
  assert_int_equal(view->count, 2);
  assert_int_equal(view->concurrency, 5);
  assert_int_equal(view->open, 0);
  assert_string_equal(view->limits[0].unit, "requests");
  assert_true(view->limits[0].limit == 10 && view->limits[0].free == 9);
  assert_int_equal(view->limits[0].period_ns, 60 * INF_NS_PER_S);
  assert_false(view->limits[0].told);
  assert_string_equal(view->limits[1].unit, "tokens");
  assert_true(view->limits[1].limit == 1000 && view->limits[1].free < 1000);
  assert_int_equal(view->headroom_percent, 90);
  fake_client_free(fake);
}

/* What a provider says in its headers, whatever it has been asked how often. */
static void
told_quotas_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_for(&fake->net, A);
  fake_sent(script, 0);
  fake_headers(script, 5, 200,
               "content-type: text/event-stream\n"
               "x-ratelimit-limit-requests: 100\n"
               "x-ratelimit-remaining-requests: 40\n"
               "x-ratelimit-reset-requests: 36s");
  fake_body(script, 6, sse_text("ok"));
  fake_body(script, 6, sse_finish("stop"));
  fake_body(script, 6, SSE_DONE);
  fake_done(script, 6, INF_NET_OK);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  for (int i = 0; i < 3; i++) { /* reading changes nothing */
    seen all = look(fake);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.views[0].count, 1);
    const inf_limit_view *limit = &all.views[0].limits[0];
    assert_string_equal(limit->unit, "requests");
    assert_true(limit->told);
    assert_true(limit->limit == 100);
    assert_true(limit->free >= 38 && limit->free <= 41);
    assert_true(all.views[0].headroom_percent >= 38 &&
                all.views[0].headroom_percent <= 41);
  }
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(configured_limits_are_told),
      cmocka_unit_test(told_quotas_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
