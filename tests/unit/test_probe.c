/* SPDX-License-Identifier: MIT */
/* Probes that are duplicates: when there is one, what it costs, what its end
 * means, and that it outlives its call and nothing outlives the client. */
#include "support/breaker_world.h"
#include "support/fail_alloc.h"

#include "engine/spend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define PATIENCE_MS (fake_connect_ms + fake_first_token_ms)

/* Long enough for the first probe to be due, by the schedule. */
enum { due_ms = 2400, prompt_tokens = 8 /* of "Hi", by its length */ };

/* a's breaker is open and wants a probe; b is well. */
static fake_client *
probe_is_due(const char *path, const char *value)
{
  fake_client *fake = fake_client_new(NO_STAY, path, value, NULL);
  is_well(fake, B);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, due_ms);
  return fake;
}

static infer_call *
call_r(fake_client *fake)
{
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 0);
  return call;
}

static inf_target_state *
target_of(fake_client *fake, const char *name)
{
  return inf_runtime_known_locked(runtime_of(fake), name);
}

static size_t
live_probes(const fake_client *fake)
{
  size_t count = 0;
  const inf_list *probes = &fake->client->engine.probes;
  for (const inf_list *node = probes->next; node != probes; node = node->next)
    count++;
  return count;
}

/* ---- Its life ------------------------------------------------------------ */

static void
the_user_is_served_elsewhere_meanwhile(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake_script *slow = fake_script_for(&fake->net, A);
  fake_stream(slow, 50);
  fake_body(slow, 60, sse_role());
  fake_body(slow, 100, sse_text("Hello"));
  size_t first = fake->net.request_count;
  infer_call *call = call_r(fake);
  const fake_request *probe = &fake->net.requests[first];
  assert_int_equal(fake->net.request_count, first + 2);
  assert_contains(probe->url, A);
  assert_contains(probe->headers, "key-of-a");
  assert_contains(probe->body, "\"Hi\"");
  assert_string_equal(probe->method, "POST");
  fake_run_ms(fake, answer_ms);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_attempt_count(response), 1);
  assert_string_equal(infer_response_target(response), "b/m");
  infer_response_free(response);
  infer_call_free(call);
  fake_run_ms(fake, 90);
  assert_int_equal(live_probes(fake), 1);
  fake_run_ms(fake, 10); /* content: no more is wanted */
  assert_int_equal(live_probes(fake), 0);
  assert_int_equal(fake_ms(probe->cancelled_ns) - fake_ms(probe->start_ns),
                   100);
  assert_contains(fake->log, "probe of a/m: answered\n");
  assert_lacks(fake->telemetry, "a/m failover");
  fake_client_free(fake);
}

/* Two good ones, then 10, 25, 50 % and all. */
static void
traffic_returns_gradually(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  is_well(fake, A);
  fake->telemetry_off = true;
  size_t asked = requests_to(fake, A);
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 20);
  assert_int_equal(requests_to(fake, A), asked + 1);
  infer_call_free(call_r(fake)); /* the second follows at once */
  fake_run_ms(fake, 20);
  assert_int_equal(requests_to(fake, A), asked + 2);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_RETURNING);
  size_t calls = 0, half = 0;
  while (breaker_of(fake, "a/m").state == INF_BREAKER_RETURNING &&
         calls++ < 200) {
    assert_int_equal(call_once(fake, "r"), INFER_OK);
    if (breaker_of(fake, "a/m").share_percent == 50 && half == 0)
      half = calls;
  }
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_CLOSED);
  assert_int_equal(requests_to(fake, A), asked + 2 + 3 + 5 + 7);
  assert_true(half > 10); /* some 30 for 3, some 20 for 5 */
  asked = requests_to(fake, A);
  for (int i = 0; i < 5; i++)
    call_once(fake, "r");
  assert_int_equal(requests_to(fake, A), asked + 5);
  fake_client_free(fake);
}

static void
a_probe_that_fails_makes_the_next_rarer(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake->telemetry_off = true;
  size_t asked = requests_to(fake, A);
  uint64_t at_ms[4] = {0};
  for (size_t seen = 0; seen < 4;) {
    assert_int_equal(call_once(fake, "r"), INFER_OK);
    if (requests_to(fake, A) > asked + seen)
      at_ms[seen++] = fake_now_ms(fake);
  }
  assert_in_range(at_ms[1] - at_ms[0], 2560 - 200, 3840 + 200); /* 3.2 s */
  assert_in_range(at_ms[2] - at_ms[1], 4096 - 200, 6144 + 200);
  assert_in_range(at_ms[3] - at_ms[2], 6553 - 200, 9831 + 200);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_OPEN);
  fake_client_free(fake);
}

static void
silence_ends_it(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake_sent(fake_script_for(&fake->net, A), 0);
  size_t first = fake->net.request_count;
  infer_call_free(call_r(fake));
  const fake_request *probe = &fake->net.requests[first];
  fake_run_ms(fake, PATIENCE_MS - 1);
  assert_int_equal(live_probes(fake), 1);
  fake_run_ms(fake, 1);
  assert_int_equal(live_probes(fake), 0);
  assert_int_equal(fake_ms(probe->cancelled_ns) - fake_ms(probe->start_ns),
                   PATIENCE_MS);
  assert_contains(fake->log, "probe of a/m: first-token timeout\n");
  fake_client_free(fake);
}

/* Headers of a refusal, and a body that never ends: it is the refusal. */
static void
a_hanging_refusal_is_one(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake_script *script = fake_script_for(&fake->net, A);
  fake_sent(script, 0);
  fake_headers(script, 1, 429, "retry-after: 1");
  infer_call_free(call_r(fake));
  fake_run_ms(fake, PATIENCE_MS);
  assert_contains(fake->log, "probe of a/m: rate limited\n");
  fake_client_free(fake);
}

/* While nobody looked it may have been our own fault. */
static void
after_a_gap_its_end_says_nothing(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake_sent(fake_script_for(&fake->net, A), 0);
  infer_call_free(call_r(fake));
  fake->net.jump_ns = 60 * INF_NS_PER_S;
  fake_run_ms(fake, 1000);
  assert_int_equal(live_probes(fake), 0);
  assert_contains(fake->log, "probe of a/m: cancelled\n");
  fake_client_free(fake);
}

static void
it_outlives_call_and_configuration(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake_script *slow = fake_script_for(&fake->net, A);
  fake_stream(slow, 500);
  fake_body(slow, 500, sse_text("Hello"));
  infer_call *call = call_r(fake);
  infer_call_cancel(call);
  infer_call_free(call);
  fake_run_ms(fake, 10);
  fake_events(fake);
  infer_config *config = fake_config_new(NULL, "providers.a.base_url",
                                         "'http://elsewhere.test/v1'", NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  fake_run_ms(fake, 10);
  assert_int_equal(live_probes(fake), 1);
  fake_run_ms(fake, 500);
  assert_int_equal(live_probes(fake), 0);
  assert_contains(fake->log, "probe of a/m: answered\n");
  fake_client_free(fake);
}

static void
the_client_may_go_first(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake_sent(fake_script_for(&fake->net, A), 0);
  infer_call *call = call_r(fake);
  fake_run_ms(fake, 10);
  assert_int_equal(infer_client_close(fake->client, 0), INFER_OK);
  assert_int_equal(live_probes(fake), 1); /* nobody waits for it */
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- What its end means -------------------------------------------------- */

static void
a_refused_key_is_noted(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake_reply(fake_script_for(&fake->net, A), 1, 401, NULL, "");
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 20);
  const inf_provider_config *provider =
      inf_config_provider(fake->client->config, INF_SV("a"));
  int32_t why;
  assert_false(
      inf_runtime_has_key(runtime_of(fake), provider, fake->net.now_ns, &why));
  assert_int_equal(why, INFER_E_AUTH);
  assert_int_equal(target_of(fake, "a/m")->breaker.probing, false);
  fake_client_free(fake);
}

/* a breaks off after its first content, until its breaker is open for that. */
static fake_client *
answers_break_off(void)
{
  fake_client *fake = fake_client_new(NO_STAY, "defaults.retries", "0", NULL);
  is_well(fake, B);
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, 1, sse_text("Hel"));
  fake_done(script, 2, INF_NET_RESET);
  for (int i = 0; i < 10 && breaker_of(fake, "a/m").state == INF_BREAKER_CLOSED;
       i++)
    assert_int_equal(call_once(fake, "a/m"), INFER_E_TRUNCATED);
  assert_int_equal(breaker_of(fake, "a/m").cause, INF_BREAKER_CUT);
  fake_run_ms(fake, due_ms);
  return fake;
}

static void
where_answers_break_off_it_is_read_to_its_end(void **state)
{
  (void)state;
  fake_client *fake = answers_break_off();
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, 1, sse_text("Hel"));
  fake_body(script, 2000, sse_text("lo"));
  fake_body(script, 4000, sse_finish("stop"));
  fake_body(script, 4000, SSE_DONE);
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 3999);
  assert_int_equal(target_of(fake, "a/m")->breaker.goods, 0);
  assert_int_equal(live_probes(fake), 1);
  fake_run_ms(fake, 1);
  assert_int_equal(target_of(fake, "a/m")->breaker.goods, 1);
  assert_int_equal(live_probes(fake), 0);
  fake_client_free(fake);
}

/* ---- Its cost ------------------------------------------------------------ */

/* An input token is 1000 nano-dollars, one of the answer a million. */
#define PRICED(target) \
  "{'target':'" target "','price':{'input':1,'output':1000}}"
#define TARGETS "routes.r.targets", "[" PRICED("a/m") "," PRICED("b/m") "]"

typedef struct paid {
  size_t count;
  int64_t nano_usd;
  int32_t kind, status;
} paid;

static void
note_paid(fake_client *fake, const infer_call *call,
          const infer_attempt *attempt)
{
  paid *seen = fake->on_hook_data;
  if (call || !attempt || infer_attempt_reason(attempt) != INFER_REASON_PROBE)
    return;
  seen->count++;
  seen->nano_usd = infer_attempt_cost_nano_usd(attempt);
  seen->kind = infer_attempt_cost_kind(attempt);
  seen->status = infer_attempt_status(attempt);
}

/* One probe, which follows the script of A: its hook, the sums of the client
 * and the day's budget have the same of it. */
static paid
paid_for_probe(fake_client *fake, uint64_t ms)
{
  paid seen = {0};
  fake->on_hook = note_paid;
  fake->on_hook_data = &seen;
  inf_spend before = inf_spend_total(runtime_of(fake));
  infer_call *call = call_r(fake);
  fake_run_ms(fake, ms);
  infer_response *response = fake_response(call);
  int64_t served = infer_response_total_cost_nano_usd(response);
  inf_spend after = inf_spend_total(runtime_of(fake));
  assert_int_equal(seen.count, 1);
  assert_int_equal(after.attempts - before.attempts, 2);
  assert_int_equal(after.wasted_nano - before.wasted_nano, seen.nano_usd);
  int64_t exact = after.exact_nano - before.exact_nano - served;
  int64_t estimated = after.estimated_nano - before.estimated_nano;
  assert_int_equal(exact, seen.kind == INFER_COST_EXACT ? seen.nano_usd : 0);
  assert_int_equal(estimated,
                   seen.kind == INFER_COST_EXACT ? 0 : seen.nano_usd);
  char *json = NULL, text[80];
  assert_int_equal(infer_client_stats(fake->client, &json, NULL), INFER_OK);
  snprintf(text, sizeof text, "\"spent_nano_usd\":%lld,",
           (long long)(after.exact_nano + after.estimated_nano));
  assert_contains(json, text);
  assert_contains(json, "\"reserved_nano_usd\":0,");
  infer_text_free(json);
  infer_response_free(response);
  infer_call_free(call);
  fake->on_hook = NULL;
  return seen;
}

static fake_client *
probe_is_due_and_paid(void)
{
  fake_client *fake = fake_client_new(
      NO_STAY, TARGETS, "budgets",
      "[{'name':'day','usd':99,'without_price':'allow'}]", NULL);
  is_well(fake, B);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, due_ms);
  return fake;
}

/* Two tokens are written; the prompt is "Hi" in its JSON. */
static void
cut_at_its_first_content_it_is_estimated(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due_and_paid();
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, 1, sse_text("12345"));
  paid seen = paid_for_probe(fake, 50);
  assert_int_equal(seen.status, INFER_OK);
  assert_int_equal(seen.kind, INFER_COST_ESTIMATED);
  assert_int_equal(seen.nano_usd, prompt_tokens * 1000 + 2 * 1000000);
  fake_client_free(fake);
}

/* Figures at the begin of a stream are not those of its end. */
static void
early_figures_are_a_beginning(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due_and_paid();
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, 1, sse_usage(50, 1));
  fake_body(script, 2, sse_text("1234567890"));
  paid seen = paid_for_probe(fake, 50);
  assert_int_equal(seen.kind, INFER_COST_ESTIMATED);
  assert_int_equal(seen.nano_usd, 50 * 1000 + 3 * 1000000);
  fake_client_free(fake);
}

static void
a_refused_one_costs_nothing(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due_and_paid();
  is_down(fake, A);
  paid seen = paid_for_probe(fake, 50);
  assert_int_equal(seen.status, INFER_E_OVERLOADED);
  assert_int_equal(seen.kind, INFER_COST_EXACT);
  assert_int_equal(seen.nano_usd, 0);
  fake_client_free(fake);
}

static void
one_that_finds_nobody_costs_nothing(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due_and_paid();
  fake_done(fake_script_for(&fake->net, A), 1, INF_NET_CONNECT);
  paid seen = paid_for_probe(fake, 50);
  assert_int_equal(seen.kind, INFER_COST_EXACT);
  assert_int_equal(seen.nano_usd, 0);
  fake_client_free(fake);
}

/* Where a model has no stream the answer comes whole, with its figures. */
static void
a_whole_one_has_its_figures(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due_and_paid();
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, 1, sse_usage(5, 4));
  fake_body(script, 1, SSE_DONE);
  paid seen = paid_for_probe(fake, 50);
  assert_int_equal(seen.kind, INFER_COST_EXACT);
  assert_int_equal(seen.nano_usd, 5 * 1000 + 4 * 1000000);
  fake_client_free(fake);
}

static void
one_that_breaks_off_again_is_not_good(void **state)
{
  (void)state;
  fake_client *fake = answers_break_off();
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 100);
  assert_int_equal(target_of(fake, "a/m")->breaker.goods, 0);
  assert_contains(fake->log, "probe of a/m: answer truncated\n");
  fake_client_free(fake);
}

static void
nor_is_one_that_falls_silent(void **state)
{
  (void)state;
  fake_client *fake = answers_break_off();
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  fake_body(script, 1, sse_text("Hel"));
  size_t first = fake->net.request_count;
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 10000);
  const fake_request *probe = &fake->net.requests[first];
  assert_int_equal(fake_ms(probe->cancelled_ns) - fake_ms(probe->start_ns),
                   1 + fake_idle_ms);
  assert_contains(fake->log, "probe of a/m: idle timeout\n");
  fake_client_free(fake);
}

static void
nor_is_one_without_end(void **state)
{
  (void)state;
  fake_client *fake = answers_break_off();
  fake_script *script = fake_script_for(&fake->net, A);
  fake_stream(script, 1);
  for (uint64_t ms = 1000; ms <= 40000; ms += 1000)
    fake_body(script, ms, sse_text("and so on"));
  size_t first = fake->net.request_count;
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 40000);
  const fake_request *probe = &fake->net.requests[first];
  assert_int_equal(fake_ms(probe->cancelled_ns) - fake_ms(probe->start_ns),
                   fake_attempt_ms);
  fake_client_free(fake);
}

static void
answers_in_one_piece_do_too(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due("providers.a.upstream", "'unary'");
  fake_reply(fake_script_for(&fake->net, A), 50, 200, NULL, unary_body("ok"));
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 60);
  assert_int_equal(target_of(fake, "a/m")->breaker.goods, 1);
  fake_client_free(fake);
}

/* ---- Where there is none ------------------------------------------------- */

static void
assert_no_probe(fake_client *fake, infer_request *request)
{
  size_t asked = requests_to(fake, A);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(requests_to(fake, A), asked);
  infer_call_free(call);
  assert_int_equal(target_of(fake, "a/m")->breaker.probing, false);
}

static void
what_may_run_once_is_not_repeated(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  infer_request *request = fake_request_new("r");
  infer_request_set_run_once(request, 1);
  assert_no_probe(fake, request);
  fake_client_free(fake);
}

static void
a_target_that_is_kept_out_gets_none(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due("providers.b.labels", "['eu']");
  infer_request *request = fake_request_new("r");
  infer_request_require_label(request, "eu");
  assert_no_probe(fake, request);
  fake_client_free(fake);
}

static void
ten_and_one_for_a_hundred_successes(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  inf_retry_budget *probes = &runtime_of(fake)->probes;
  assert_int_equal(probes->balance, 1000);
  infer_call_free(call_r(fake));
  fake_run_ms(fake, 20);
  assert_int_equal(probes->balance, 1000 - 100 + 1);
  probes->balance = 98; /* and 1 more with this call */
  fake_run_ms(fake, 5000);
  assert_no_probe(fake, fake_request_new("r"));
  assert_int_equal(probes->balance, 99);
  fake_client_free(fake);
}

static void
what_cannot_be_written_is_none(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  const inf_provider_config *provider =
      inf_config_provider(fake->client->config, INF_SV("a"));
  infer_call *call = fake_submit_whole(fake, "r");
  inf_runtime_note_key(runtime_of(fake), provider, 0, INFER_E_AUTH, -1,
                       fake->net.now_ns);
  size_t asked = requests_to(fake, A);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(requests_to(fake, A), asked);
  assert_int_equal(runtime_of(fake)->probes.balance, 1000);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Memory -------------------------------------------------------------- */

static void
call_in_a_shortage(fake_client *fake)
{
  infer_call *call = NULL;
  infer_request *request = NULL;
  if (infer_request_new(&request, "r") == INFER_OK &&
      infer_request_add_message(request, "user", "Hi") == INFER_OK &&
      infer_submit(fake->client, request, INFER_SUBMIT_WHOLE, fake->queue, 7,
                   &call, NULL) != INFER_OK)
    call = NULL;
  infer_request_free(request);
  fake_run_ms(fake, 20);
  infer_event *event;
  while (inf_queue_take(fake->queue, &event, 1, NULL) > 0)
    infer_event_free(event);
  infer_call_free(call);
}

/* Each allocation of a call with a probe fails in turn: once alone, once with
 * all that follow. */
static void
each_allocation_may_fail(void **state)
{
  (void)state;
  fail_alloc_install();
  for (int from = 0; from < 2; from++) {
    size_t probes = 0, spared = 0, n;
    for (n = 1; n < 1000; n++) {
      fake_client *fake = probe_is_due(NULL, NULL);
      fake_stream_all(fake_script_for(&fake->net, A), 10, "ok");
      size_t asked = requests_to(fake, A);
      if (from)
        fail_alloc_from(n);
      else
        fail_alloc_nth(n);
      call_in_a_shortage(fake);
      bool failed = fail_alloc_hits() > 0;
      fail_alloc_never();
      bool probed = requests_to(fake, A) > asked;
      probes += probed;
      spared += !probed;
      assert_int_equal(live_probes(fake), 0);
      const inf_target_state *target = target_of(fake, "a/m");
      assert_int_equal(target->breaker.probing, false);
      /* Spent, or given back, but not both; and each success pays 1. */
      int32_t balance = runtime_of(fake)->probes.balance;
      assert_in_range(balance, probed ? 900 : 1000, probed ? 902 : 1000);
      assert_int_equal(runtime_of(fake)->retries.balance, 3500);
      fake_client_free(fake);
      if (!failed)
        break;
    }
    assert_true(n > 20 && n < 1000);
    assert_true(probes > 0 && spared > 0);
  }
  fail_alloc_uninstall();
}

/* The network takes nothing more. */
static void
a_transport_that_cannot_start_is_no_failure(void **state)
{
  (void)state;
  fake_client *fake = probe_is_due(NULL, NULL);
  fake->net.fails_to_start = true;
  infer_call *call = call_r(fake);
  fake_run_ms(fake, 20);
  assert_int_equal(fake_status(call), INFER_E_NO_MEMORY);
  assert_int_equal(live_probes(fake), 0);
  assert_int_equal(target_of(fake, "a/m")->breaker.probing, false);
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_user_is_served_elsewhere_meanwhile),
      cmocka_unit_test(traffic_returns_gradually),
      cmocka_unit_test(a_probe_that_fails_makes_the_next_rarer),
      cmocka_unit_test(silence_ends_it),
      cmocka_unit_test(a_hanging_refusal_is_one),
      cmocka_unit_test(after_a_gap_its_end_says_nothing),
      cmocka_unit_test(it_outlives_call_and_configuration),
      cmocka_unit_test(the_client_may_go_first),
      cmocka_unit_test(a_refused_key_is_noted),
      cmocka_unit_test(where_answers_break_off_it_is_read_to_its_end),
      cmocka_unit_test(cut_at_its_first_content_it_is_estimated),
      cmocka_unit_test(early_figures_are_a_beginning),
      cmocka_unit_test(a_refused_one_costs_nothing),
      cmocka_unit_test(one_that_finds_nobody_costs_nothing),
      cmocka_unit_test(a_whole_one_has_its_figures),
      cmocka_unit_test(one_that_breaks_off_again_is_not_good),
      cmocka_unit_test(nor_is_one_that_falls_silent),
      cmocka_unit_test(nor_is_one_without_end),
      cmocka_unit_test(answers_in_one_piece_do_too),
      cmocka_unit_test(what_may_run_once_is_not_repeated),
      cmocka_unit_test(a_target_that_is_kept_out_gets_none),
      cmocka_unit_test(ten_and_one_for_a_hundred_successes),
      cmocka_unit_test(what_cannot_be_written_is_none),
      cmocka_unit_test(each_allocation_may_fail),
      cmocka_unit_test(a_transport_that_cannot_start_is_no_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
