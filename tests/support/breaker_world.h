/* SPDX-License-Identifier: MIT */
/* Short ways to make providers fail and recover, for the tests of breakers,
 * budgets and probes over a fake client. */
#ifndef TESTS_SUPPORT_BREAKER_WORLD_H
#define TESTS_SUPPORT_BREAKER_WORLD_H

#include "support/fake_client.h"

#include "engine/health.h"
#include "engine/runtime_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define A "http://a.test"
#define B "http://b.test"
#define C "http://c.test"

/* One attempt for each target. */
#define NO_STAY "defaults.stay.retries", "0"

enum { answer_ms = 5, opening_failures = 4 };

static inline void
is_well(fake_client *fake, const char *url)
{
  fake_stream_all(fake_script_for(&fake->net, url), answer_ms, "ok");
}

static inline void
is_down(fake_client *fake, const char *url)
{
  fake_reply(fake_script_for(&fake->net, url), answer_ms, 503, NULL, "");
}

static inline size_t
requests_to(const fake_client *fake, const char *url)
{
  size_t count = 0;
  for (size_t i = 0; i < fake->net.request_count; i++)
    count += strncmp(fake->net.requests[i].url, url, strlen(url)) == 0 ? 1 : 0;
  return count;
}

/* A whole call that has 200 ms, and its status; INFER_OK if it goes on. */
static inline int32_t
call_once(fake_client *fake, const char *model)
{
  infer_call *call = fake_submit_whole(fake, model);
  fake_run_ms(fake, 200);
  int32_t status = fake_status(call);
  infer_call_free(call);
  return status;
}

static inline inf_runtime *
runtime_of(fake_client *fake)
{
  return fake->client->runtime;
}

static inline inf_breaker_view
breaker_of(fake_client *fake, const char *target)
{
  return inf_health_look(runtime_of(fake), target, false, fake->net.now_ns);
}

/* The provider fails until the breaker of its target is open: calls of that
 * target alone, without retries. */
static inline void
open_breaker(fake_client *fake, const char *target, const char *url)
{
  is_down(fake, url);
  for (int i = 0; i < 10 && breaker_of(fake, target).state != INF_BREAKER_OPEN;
       i++) {
    infer_request *request = fake_request_new(target);
    infer_request_set_policy(request, "retries", 0);
    infer_call *call = fake_submit(fake, request);
    fake_run_ms(fake, answer_ms);
    infer_call_free(call);
  }
  fake_events(fake);
  assert_int_equal(breaker_of(fake, target).state, INF_BREAKER_OPEN);
}

#endif
