/* SPDX-License-Identifier: MIT */
/* A server that is there and still loads its model: what says so, how it is
 * waited for, and who serves meanwhile. From the words of the answer to the
 * whole call. */
#include "support/breaker_world.h"

#include "policy/breaker.h"
#include "policy/retry.h"
#include "unit/provider_support.h"

#define NOW (5000 * INF_NS_PER_S)
#define MS  INF_NS_PER_MS
#define S_  INF_NS_PER_S

#define LLAMACPP                                            \
  "{\"error\":{\"code\":503,\"message\":\"Loading model\"," \
  "\"type\":\"unavailable_error\"}}"
#define OLLAMA                                                      \
  "{\"error\":{\"message\":\"unexpected server status: llm server " \
  "loading model\",\"type\":\"api_error\",\"param\":null,\"code\":null}}"

/* ---- What says so -------------------------------------------------------- */

static bool
says_so(int http_status, const char *body)
{
  inf_failure failure;
  inf_headers headers;
  inf_failure_init(&failure);
  inf_headers_init(&headers, 1024);
  inf_classify_failure(&failure, NULL, http_status, &headers, S(body), 0);
  bool loading = failure.loading;
  if (loading)
    assert_int_equal(failure.status, INFER_E_OVERLOADED);
  inf_failure_clear(&failure);
  assert_false(failure.loading);
  inf_headers_fini(&headers);
  inf_failure_fini(&failure);
  return loading;
}

static void
the_words_that_servers_have_for_it(void **state)
{
  (void)state;
  assert_true(says_so(503, LLAMACPP));
  assert_true(says_so(500, OLLAMA));
  assert_true(says_so(503, "{\"error\":\"Model m is currently loading\","
                           "\"estimated_time\":20.0}"));
  assert_true(says_so(503, "{\"error\":\"The model is still loading\"}"));
  assert_true(says_so(200, LLAMACPP)); /* within a stream that has begun */
}

static void
what_only_sounds_like_it(void **state)
{
  (void)state;
  assert_false(says_so(503, ""));
  assert_false(says_so(503, "{\"error\":{\"message\":\"overloaded\"}}"));
  assert_false(says_so(500, "{\"error\":\"error loading model: unknown model "
                            "architecture\"}"));
  assert_false(says_so(503, "{\"error\":\"loading model failed\"}"));
  assert_false(says_so(400, "{\"error\":\"Loading model\"}"));
  assert_false(says_so(404, "{\"error\":{\"message\":\"No models loaded\"}}"));
}

/* ---- The decision -------------------------------------------------------- */

enum { max_targets = 3 };

typedef struct scene {
  inf_route_params params;
  inf_retry_target targets[max_targets];
  inf_retry_call call;
  inf_retry_failure failure;
  inf_rng rng;
  uint64_t now_ns;
} scene;

/* The first target has been asked, and loads. */
static void
scene_init(scene *at, size_t targets)
{
  *at = (scene){
      .params = {.retries = 2, .stay_retries = 1, .stay_max_wait_ms = 1000},
      .failure = {.status = INFER_E_OVERLOADED,
                  .loading = true,
                  .hint_ns = -1,
                  .should_retry = -1,
                  .sent = true},
      .now_ns = NOW};
  for (size_t i = 0; i < targets; i++)
    at->targets[i].has_key = true;
  at->call = (inf_retry_call){.params = &at->params,
                              .targets = at->targets,
                              .target_count = targets,
                              .attempts = 1,
                              .deadline_ns = NOW + 600 * S_};
  inf_rng_seed(&at->rng, 7);
}

static inf_retry_decision
decide(scene *at)
{
  inf_retry_decision next =
      inf_retry_decide(&at->call, &at->failure, at->now_ns, &at->rng);
  if (next.action != INF_RETRY_ATTEMPT)
    return next;
  at->call.current = next.target;
  at->call.attempts += next.counted ? 1 : 0;
  at->now_ns = next.at_ns;
  return next;
}

static void
the_only_target_is_waited_for(void **state)
{
  (void)state;
  scene at;
  unsigned asked = 0;
  scene_init(&at, 1);
  at.call.stay_denied = "the budget is used up"; /* it costs none */
  for (;;) {
    uint64_t before_ns = at.now_ns, gone_ns = before_ns - NOW;
    inf_retry_decision next = decide(&at);
    if (next.action == INF_RETRY_END)
      break;
    uint64_t high_ns = gone_ns / 8 < 500 * MS ? 500 * MS : gone_ns / 8;
    high_ns = high_ns > 30 * S_ ? 30 * S_ : high_ns;
    assert_in_range(at.now_ns - before_ns, high_ns / 2, high_ns);
    assert_int_equal(next.reason, INFER_REASON_RETRY);
    assert_false(next.counted);
    assert_false(next.movable);
    asked++;
  }
  /* As long as the deadline allows, and not often. */
  assert_true(at.now_ns + 30 * S_ >= at.call.deadline_ns);
  assert_int_equal(at.call.attempts, 1);
  assert_in_range(asked, 30, 80);
}

static void
others_are_asked_first_and_at_once(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 2);
  inf_retry_decision next = decide(&at);
  assert_int_equal(next.target, 1);
  assert_int_equal(next.reason, INFER_REASON_FAILOVER);
  assert_int_equal(next.at_ns, NOW);
  assert_true(next.counted);
  /* That fails for good: back to the one that loads. */
  at.failure = (inf_retry_failure){.status = INFER_E_NOT_FOUND,
                                   .hint_ns = -1,
                                   .should_retry = -1,
                                   .sent = true};
  next = decide(&at);
  assert_int_equal(next.target, 0);
  assert_int_equal(next.reason, INFER_REASON_FAILOVER);
  assert_false(next.counted);
}

static void
one_answer_allows_one_attempt(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1);
  at.params.retries = 0;
  assert_false(decide(&at).counted);
  at.failure.loading = false; /* now it only is overloaded */
  inf_retry_decision next = decide(&at);
  assert_int_equal(next.action, INF_RETRY_END);
  assert_string_equal(next.why, "the call's allowance of attempts is used up");
}

static void
what_forbids_another_attempt_forbids_this_one(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1);
  at.failure.should_retry = 0;
  assert_int_equal(decide(&at).action, INF_RETRY_END);
  scene_init(&at, 1);
  at.call.run_once = true;
  assert_int_equal(decide(&at).action, INF_RETRY_END);
  scene_init(&at, 1);
  at.failure.hint_ns = 121 * (int64_t)S_;
  assert_int_equal(decide(&at).action, INF_RETRY_END);
  scene_init(&at, 1);
  at.call.deadline_ns = NOW + 200 * MS;
  assert_int_equal(decide(&at).action, INF_RETRY_END);
  /* A failure that may not go elsewhere does not go there. */
  scene_init(&at, 2);
  decide(&at);
  at.failure = (inf_retry_failure){.status = INFER_E_CONTENT_FILTER,
                                   .hint_ns = -1,
                                   .should_retry = -1,
                                   .sent = true};
  assert_int_equal(decide(&at).action, INF_RETRY_END);
}

/* One attempt was silent, the one beside it is told why. */
static void
its_last_word_counts(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1);
  at.targets[0].excluded = at.targets[0].visited = true;
  inf_retry_decision next = decide(&at);
  assert_int_equal(next.action, INF_RETRY_ATTEMPT);
  assert_false(next.counted);
}

static void
its_own_hint_goes_before(void **state)
{
  (void)state;
  scene at;
  scene_init(&at, 1);
  at.failure.hint_ns = 20 * (int64_t)S_;
  assert_in_range(decide(&at).at_ns, NOW + 20 * S_, NOW + 24 * S_);
}

/* ---- The breaker --------------------------------------------------------- */

static void
a_breaker_that_was_open_closes(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.retries", "0", NULL);
  open_breaker(fake, "a/m", A);
  inf_health_attempt attempt = {0};
  inf_retry_claim none = {0};
  inf_rng rng;
  inf_rng_seed(&rng, 1);
  inf_health_begin(runtime_of(fake), &attempt, "a/m", false, &none,
                   fake->net.now_ns, &rng);
  assert_string_equal(
      inf_health_loading(runtime_of(fake), &attempt, fake->net.now_ns, &rng),
      "its breaker closes: its model is being loaded");
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_CLOSED);
  assert_int_equal(breaker_of(fake, "a/m").evidence_percent, 0);
  assert_null(inf_health_loading(runtime_of(fake), &attempt, fake->net.now_ns,
                                 &rng)); /* it has ended */
  fake_client_free(fake);
}

static void
and_none_opens(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.retries", "0", NULL);
  fake_reply(fake_script_for(&fake->net, A), answer_ms, 503, NULL, LLAMACPP);
  is_well(fake, B);
  for (int i = 0; i < 20; i++)
    assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_int_equal(requests_to(fake, A), 20);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_CLOSED);
  assert_int_equal(breaker_of(fake, "a/m").evidence_percent, 0);
  fake_client_free(fake);
}

/* It was down and comes back; who may go elsewhere does meanwhile. */
static void
a_probe_that_finds_it_loading_closes_it(void **state)
{
  (void)state;
  enum { due_ms = 2400 };
  fake_client *fake = fake_client_new(NO_STAY, NULL);
  is_well(fake, B);
  open_breaker(fake, "a/m", A);
  fake_run_ms(fake, due_ms);
  fake_reply(fake_script_for(&fake->net, A), answer_ms, 503, NULL, LLAMACPP);
  size_t before = requests_to(fake, A);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_int_equal(requests_to(fake, A), before + 1);
  assert_int_equal(breaker_of(fake, "a/m").state, INF_BREAKER_CLOSED);
  assert_contains(fake->log, "its breaker closes: its model is being loaded");
  fake_client_free(fake);
}

/* ---- The call ------------------------------------------------------------ */

static void
another_serves_until_it_has_loaded(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL, NULL, NULL);
  fake_reply(fake_script_for(&fake->net, A), answer_ms, 503, NULL, LLAMACPP);
  is_well(fake, B);
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 2 * answer_ms);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_request(fake, 0, "a", 0);
  assert_request(fake, 1, "b", answer_ms);
  infer_call_free(call);
  is_well(fake, A);
  call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, answer_ms);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(fake->net.request_count, 3);
  assert_contains(fake->net.requests[2].url, A);
  infer_call_free(call);
  fake_client_free(fake);
}

/* Two retries and a budget would not last for it. */
static void
a_minute_is_waited_for_within_the_deadline(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("defaults.timeouts.deadline_ms", "120000", NULL);
  fake_reply(fake_script_for(&fake->net, A), answer_ms, 503, NULL, LLAMACPP);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 60000);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT); /* it goes on */
  is_well(fake, A);
  fake_run_ms(fake, 60000 / 8 + 1000);
  infer_response *response = fake_response(call);
  assert_string_equal(infer_response_text(response, NULL), "ok");
  size_t attempts = infer_response_attempt_count(response);
  assert_in_range(attempts, 15, 50);
  assert_string_equal(
      infer_attempt_decision(infer_response_attempt(response, attempts - 2)),
      "its model is being loaded: asked again later");
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The failover that nobody pays for is no reason to give up. */
static void
without_a_budget_it_is_waited_for(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL, NULL, NULL);
  fake_reply(fake_script_for(&fake->net, A), answer_ms, 503, NULL, LLAMACPP);
  is_well(fake, B);
  runtime_of(fake)->retries.balance = 0;
  infer_call *call = fake_submit_whole(fake, "r");
  fake_run_ms(fake, 3000);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  assert_int_equal(requests_to(fake, B), 0);
  is_well(fake, A);
  fake_run_ms(fake, 1000);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
one_that_never_comes_ends_with_what_it_said(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new("defaults.timeouts.deadline_ms", "20000", NULL);
  fake_reply(fake_script_for(&fake->net, A), answer_ms, 503, NULL, LLAMACPP);
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 20000);
  assert_int_equal(fake_status(call), INFER_E_OVERLOADED);
  assert_contains(fake_message(call), "Loading model");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_words_that_servers_have_for_it),
      cmocka_unit_test(what_only_sounds_like_it),
      cmocka_unit_test(the_only_target_is_waited_for),
      cmocka_unit_test(others_are_asked_first_and_at_once),
      cmocka_unit_test(one_answer_allows_one_attempt),
      cmocka_unit_test(what_forbids_another_attempt_forbids_this_one),
      cmocka_unit_test(its_last_word_counts),
      cmocka_unit_test(its_own_hint_goes_before),
      cmocka_unit_test(a_breaker_that_was_open_closes),
      cmocka_unit_test(and_none_opens),
      cmocka_unit_test(a_probe_that_finds_it_loading_closes_it),
      cmocka_unit_test(another_serves_until_it_has_loaded),
      cmocka_unit_test(a_minute_is_waited_for_within_the_deadline),
      cmocka_unit_test(without_a_budget_it_is_waited_for),
      cmocka_unit_test(one_that_never_comes_ends_with_what_it_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
