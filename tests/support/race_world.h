/* SPDX-License-Identifier: MIT */
/* Routes that hedge, over a fake client: nothing is known of the targets, so a
 * hedge comes after cold_ms of silence, if the route has earned it. */
#ifndef TESTS_SUPPORT_RACE_WORLD_H
#define TESTS_SUPPORT_RACE_WORLD_H

#include "support/breaker_world.h"

#include "engine/hedger.h"

#include <stdio.h>

/* Of all routes, with nothing else that would end an attempt meanwhile. */
#define HEDGED                                                              \
  "defaults.hedge", "{'budget':0.5,'min_delay_ms':0}",                      \
      "defaults.timeouts.connect_ms", "15000",                              \
      "defaults.timeouts.first_token_ms", "15000", "defaults.retries", "2", \
      NO_STAY

enum { cold_ms = 2000, full_retries = 3500 };
/* What calls have cost that a route has earned from. */
enum { earned_calls = 60, earned_cost = 1000 };
/* Tokens of a request with one message "Hi", as a race expects them. */
enum { prompt_tokens = 8 };

/* Connections that are kept ready are no matter of these tests. */
#define hedging_client(...) race_apart(fake_client_new(HEDGED, __VA_ARGS__))

static inline fake_client *
race_apart(fake_client *fake)
{
  fake->net.warm_ups_apart = true;
  return fake;
}

/* The route has earned as much as it may keep: 20 mean costs of a call. */
static inline void
earn(fake_client *fake, const char *route)
{
  const inf_route_config *config;
  assert_int_equal(inf_config_resolve(fake->client->config, inf_sv_from(route),
                                      &config, NULL),
                   INFER_OK);
  inf_hedge_ask ask = {
      .targets = (const inf_target_config *const[]){&config->targets[0]},
      .count = 1,
      .priced = true};
  for (size_t i = 0; i < config->target_count; i++)
    ask.priced &= inf_price_is_known(&config->targets[i].price);
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  inf_hedge_pass pass =
      inf_hedger_arm(runtime_of(fake), config->name, &config->params, &ask,
                     fake->net.now_ns, &rng);
  for (int i = 0; i < earned_calls; i++)
    inf_hedger_complete(runtime_of(fake), &pass, earned_cost);
  inf_config_release_route(fake->client->config, config);
}

typedef struct race_find {
  const char *route;
  inf_hedge_totals totals;
} race_find;

static inline void
race_see(void *context, const inf_hedge_totals *totals)
{
  race_find *find = context;
  if (strcmp(find->route, totals->route) == 0)
    find->totals = *totals;
}

static inline inf_hedge_totals
totals_of(fake_client *fake, const char *route)
{
  race_find find = {.route = route};
  inf_hedgers_each(runtime_of(fake), race_see, &find);
  assert_non_null(find.totals.route);
  return find.totals;
}

static inline int32_t
client_balance(fake_client *fake)
{
  return runtime_of(fake)->retries.balance;
}

/* "a/m first CANCELLED, b/m hedge OK won" */
static inline const char *
race_trail(infer_call *call)
{
  static char text[1024];
  infer_response *response;
  infer_error *error;
  infer_call_wait(call, 0, &response, &error);
  size_t count = response ? infer_response_attempt_count(response)
                          : infer_error_attempt_count(error);
  text[0] = '\0';
  for (size_t i = 0, len = 0; i < count; i++) {
    const infer_attempt *attempt = response
                                       ? infer_response_attempt(response, i)
                                       : infer_error_attempt(error, i);
    const char *status =
        infer_status_name(infer_attempt_status(attempt)) + strlen("INFER_");
    len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s %s%s",
                            i > 0 ? ", " : "", infer_attempt_target(attempt),
                            infer_attempt_reason_name(attempt), status,
                            infer_attempt_won(attempt) ? " won" : "");
  }
  infer_response_free(response);
  infer_error_free(error);
  return text;
}

/* No attempt of a call is left, and nothing is held that was claimed. */
static inline void
assert_at_rest(fake_client *fake)
{
  inf_engine *engine = &fake->client->engine;
  assert_true(inf_list_empty(&engine->calls));
  assert_true(inf_list_empty(&engine->dirty));
  assert_null(engine->pass.meter);
  assert_int_equal(engine->pass_key, INF_KEY_NONE);
  for (size_t i = 0; i < INF_RUNTIME_BUCKETS; i++)
    for (const inf_target_state *state = runtime_of(fake)->targets[i]; state;
         state = state->next)
      assert_int_equal(state->breaker.young, 0);
}

/* An attempt at the URL has content so long after its start. */
static inline fake_script *
talks(fake_client *fake, const char *url, uint64_t at_ms, const char *text)
{
  fake_script *script = fake_script_for(&fake->net, url);
  fake_stream_all(script, at_ms, text);
  return script;
}

/* Its headers come at once, and nothing else. */
static inline void
is_silent(fake_client *fake, const char *url)
{
  fake_stream(fake_script_for(&fake->net, url), 1);
}

/* At at_ms come these pieces; the answer is over if the last is SSE_DONE. */
static inline void
says(fake_client *fake, const char *url, uint64_t at_ms, const char *first,
     const char *second, const char *third)
{
  fake_script *script = fake_script_for(&fake->net, url);
  const char *pieces[] = {first, second, third};
  fake_stream(script, at_ms);
  for (int i = 0; i < 3 && pieces[i]; i++) {
    fake_body(script, at_ms, pieces[i]);
    if (strcmp(pieces[i], SSE_DONE) == 0)
      fake_done(script, at_ms, INF_NET_OK);
  }
}

static inline fake_client *
earned_client(void)
{
  fake_client *fake = hedging_client(NULL);
  earn(fake, "r");
  earn(fake, "one");
  earn(fake, "three");
  return fake;
}

static inline void
end(fake_client *fake, infer_call *call)
{
  infer_call_free(call);
  fake_run_ms(fake, 2000); /* what lingers is over */
  assert_at_rest(fake);
  assert_true(inf_list_empty(&fake->client->engine.attempts));
  fake_client_free(fake);
}

/* Lengths of prompt are the first; nothing was sent but the hedge. */
static inline void
assert_counted(fake_client *fake, const char *route, uint64_t sent,
               uint64_t won, uint64_t lost)
{
  inf_hedge_totals totals = totals_of(fake, route);
  assert_int_equal(totals.sent, sent);
  assert_int_equal(totals.won, won);
  assert_int_equal(totals.lost, lost);
}

static inline const char *
sse_refusal(void)
{
  return sse_delta(0, "{\"refusal\":\"no\"}", NULL);
}

#endif
