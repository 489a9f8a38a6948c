/* SPDX-License-Identifier: MIT */
/* The loop's turn and its time, and what holds of every call whatever befalls
 * it. */
#include "support/fake_client.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- Clock jumps --------------------------------------------------------- */

static void
a_jump_retires_idle_connections(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 0);
  fake->net.jump_ns = INF_CLOCK_JUMP_NS;
  fake_run_ms(fake, 100);
  assert_int_equal(fake->net.retired, 0);
  fake->net.jump_ns = INF_CLOCK_JUMP_NS + 1;
  fake_run_ms(fake, 10000);
  assert_int_equal(fake->net.retired, 1);
  assert_contains(fake->log, "time jumped");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_jump_ends_calls_whose_deadline_passed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("Hel"));
  fake_stream(fake_script_next(&fake->net), 0);
  fake_reply(fake_script_next(&fake->net), 10, 429, "retry-after: 30", "");
  infer_call *calls[4];
  for (int i = 0; i < 4;
       i++) /* in the answer, before it, waiting, connecting */
    calls[i] = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20);
  assert_int_equal(fake->net.request_count, 4);
  fake->net.jump_ns = 3600 * INF_NS_PER_S;
  fake_run_ms(fake, 10);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(fake_status(calls[i]), INFER_E_DEADLINE);
    infer_call_free(calls[i]);
  }
  assert_int_equal(fake->net.request_count, 4);
  fake_client_free(fake);
}

static void
times_across_a_jump_are_dropped(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_runtime *runtime = fake->client->runtime;
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1500, sse_text("x"));
  fake_body(script, 1500, sse_finish("stop"));
  fake_body(script, 1500, SSE_DONE);
  fake_done(script, 1500, INF_NET_OK);
  infer_config *config =
      fake_config_new(fake, "defaults.timeouts.first_token_ms", "60000", NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20);
  fake->net.jump_ns = 10 * INF_NS_PER_S;
  fake_run_ms(fake, 1);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "a/m"), 0);
  infer_call_free(call);
  fake_stream_all(fake_script_next(&fake->net), 300, "x");
  call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 300);
  assert_int_equal(inf_runtime_ttft_ns(runtime, "a/m"), 300 * INF_NS_PER_MS);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_clock_that_goes_back_does_no_harm(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 500);
  fake->net.now_ns -= 400 * INF_NS_PER_MS;
  inf_client_drive(fake->client, 0);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  fake_run_ms(fake, 1000);
  assert_int_equal(fake_status(call), INFER_E_CONNECT);
  assert_int_equal(fake->net.retired, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Gaps ---------------------------------------------------------------- */

/* A stream that says something at 10 ms and at two_ms, and ends. */
static infer_call *
call_of_two_pieces(fake_client *fake, uint64_t two_ms)
{
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("Hel"));
  fake_body(script, two_ms, sse_text("lo"));
  fake_body(script, two_ms + 10, sse_finish("stop"));
  fake_body(script, two_ms + 10, SSE_DONE);
  fake_done(script, two_ms + 10, INF_NET_OK);
  return fake_submit_model(fake, "one");
}

/* The process is stopped while the loop waits, which ends the wait without a
 * look at the sockets. What came meanwhile is read before the silence is
 * judged: here the gap is too short for the timers to begin anew. */
static void
what_waits_is_read_before_silence_is_judged(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
    infer_call *call = call_of_two_pieces(fake, 1000);
    fake_run_ms(fake, 20);
    fake->net.jump_ns = (fake_idle_ms + 1000) * INF_NS_PER_MS;
    *(i == 0 ? &fake->net.deaf : &fake->net.behind) = i == 0 ? 1 : 3;
    fake_run_ms(fake, 20000);
    assert_int_equal(fake_status(call), INFER_OK);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

/* Content that came in time has moved the end of the silence; up to there,
 * too, it is judged by what was heard. */
static void
a_silence_that_began_anew_is_judged_by_what_was_heard(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("a"));
  fake_body(script, 2500, sse_text("b"));
  fake_body(script, 5000, sse_text("c"));
  fake_body(script, 5100, sse_finish("stop"));
  fake_body(script, 5100, SSE_DONE);
  fake_done(script, 5100, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  /* Past first_token_ms, when the timer was last set, and past "b". */
  fake_run_ms(fake, 2600);
  /* The first silence would be over, the second is; "c" waits unread. */
  fake->net.now_ns += (10 + fake_idle_ms - 2600 + 10) * INF_NS_PER_MS;
  fake->net.jump_ns = 2600 * INF_NS_PER_MS;
  fake->net.deaf = 1;
  fake_run_ms(fake, 5000);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* A transport that is behind is not behind for ever. */
static void
silence_is_judged_by_what_was_heard(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  infer_call *call = call_of_two_pieces(fake, 100000);
  fake_run_ms(fake, 10 + fake_idle_ms - 1);
  fake->net.behind = 4; /* looking at the status drives, too */
  fake->net.now_ns += INF_NS_PER_MS;
  for (int i = 0; i < 3; i++)
    inf_client_drive(fake->client, 0);
  assert_int_equal(fake_status(call), INFER_E_TIMEOUT);
  for (int i = 0; i < 2; i++)
    inf_client_drive(fake->client, 0);
  assert_int_equal(fake_status(call), INFER_E_IDLE_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

/* Nobody listened meanwhile, so nobody can say that the provider was silent. */
static void
timers_of_attempts_begin_anew_after_a_gap(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_script_next(&fake->net); /* not even connected */
  fake_sent(fake_script_next(&fake->net), 5);
  infer_call *calls[3] = {fake_submit_model(fake, "one"),
                          fake_submit_model(fake, "one"),
                          call_of_two_pieces(fake, 100000)};
  static const struct {
    int32_t status;
    uint64_t ms;
  } ends[3] = {{INFER_E_CONNECT, fake_connect_ms},
               {INFER_E_FIRST_TOKEN_TIMEOUT, fake_first_token_ms},
               {INFER_E_IDLE_TIMEOUT, fake_idle_ms}};
  fake_run_ms(fake, 500);
  fake->net.jump_ns = 30 * INF_NS_PER_S;
  inf_client_drive(fake->client, 1);
  uint64_t back_ms = fake_now_ms(fake);
  assert_true(back_ms >= 30500);
  for (int i = 0; i < 3; i++) {
    fake_run_ms(fake, back_ms + ends[i].ms - 1 - fake_now_ms(fake));
    assert_int_equal(fake_status(calls[i]), INFER_E_TIMEOUT);
    fake_run_ms(fake, 1);
    assert_int_equal(fake_status(calls[i]), ends[i].status);
    infer_call_free(calls[i]);
  }
  fake_client_free(fake);
}

/* An application that drives, and is busy otherwise for long: what came
 * meanwhile counts, the connections are kept, the time measured is not. */
static void
a_driver_may_take_its_time(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  infer_call *call = call_of_two_pieces(fake, 2000);
  fake_run_ms(fake, 0);
  fake->net.now_ns += 30 * INF_NS_PER_S;
  fake_run_ms(fake, 0);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(fake->net.retired, 0);
  assert_int_equal(inf_runtime_ttft_ns(fake->client->runtime, "a/m"), 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* No connection from before a sleep is used after it, however idle the client
 * was. Idleness alone retires nothing. */
static void
a_sleep_is_noticed_before_the_next_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  static const struct {
    uint64_t idle_s, asleep_s;
    size_t retired;
  } nights[] = {
      {3600, 0, 0}, {3600, 4, 0}, {3600, 8, 1}, {3600, 0, 1}, {8, 8, 2}};
  for (size_t i = 0; i < sizeof nights / sizeof nights[0]; i++) {
    fake->net.now_ns += nights[i].idle_s * INF_NS_PER_S;
    fake->net.asleep_ns += nights[i].asleep_s * INF_NS_PER_S;
    fake_stream_all(fake_script_next(&fake->net), 5, "x");
    infer_call *call = fake_submit_model(fake, "one");
    assert_int_equal(fake->net.retired, i == 0 ? 0 : nights[i - 1].retired);
    inf_client_drive(fake->client, 0);
    assert_int_equal(fake->net.retired, nights[i].retired);
    fake_run_ms(fake, 10);
    assert_int_equal(fake_status(call), INFER_OK);
    infer_call_free(call);
  }
  fake_client_free(fake);
}

/* A sleep within a wait that was meant to be as long. */
static void
a_sleep_within_a_long_wait_is_noticed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake->net.asleep_ns = 20 * INF_NS_PER_S;
  inf_client_drive(fake->client, 60 * INF_NS_PER_S);
  assert_int_equal(fake->net.retired, 1);
  fake_client_free(fake);
}

/* However long a timer still has, a gap stands out, and a deadline that passed
 * in a sleep, which the kernel's wait does not count, is noticed. */
static void
no_wait_is_long_while_there_is_a_call(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  inf_client_drive(fake->client, 60 * INF_NS_PER_S);
  assert_int_equal(fake_now_ms(fake), 60000);
  fake_reply(fake_script_next(&fake->net), 10, 429, "retry-after: 30", "");
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20);
  uint64_t before_ns = fake->net.now_ns;
  inf_client_drive(fake->client, 60 * INF_NS_PER_S);
  assert_true(fake->net.now_ns <= before_ns + INF_LONGEST_WAIT_NS);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The wall clock is for dates only, whichever way it is set. */
static void
a_wall_clock_that_is_set_changes_nothing(void **state)
{
  (void)state;
  static const int64_t days[] = {-365, -1, 1, 365};
  for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
    fake_client *fake = fake_client_new(NULL);
    fake_reply(fake_script_next(&fake->net), 10, 429, "retry-after: 1", "");
    fake_sent(fake_script_next(&fake->net), 5);
    infer_call *call = fake_submit_model(fake, "one");
    for (int step = 0; step < 10; step++) {
      fake_run_ms(fake, 200);
      fake->net.wall_shift_ns += days[i] * 86400 * (int64_t)INF_NS_PER_S;
    }
    assert_int_equal(fake->net.request_count, 2);
    uint64_t start_ms = fake_ms(fake->net.requests[1].start_ns);
    assert_in_range(start_ms, 1010, 1600); /* the hint, and its jitter */
    fake_run_ms(fake, start_ms + 6 + fake_first_token_ms - fake_now_ms(fake));
    assert_cancelled_at(fake, 1, start_ms + 5 + fake_first_token_ms);
    fake_run_ms(fake, fake_deadline_ms);
    assert_int_not_equal(fake_status(call), INFER_E_TIMEOUT);
    assert_int_equal(fake->net.retired, 0);
    infer_call_free(call);
    fake_client_free(fake);
  }
}

/* A time to first token of a whole body says nothing of tokens. */
static void
whole_bodies_are_not_first_tokens(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.upstream", "'unary'", NULL);
  fake_reply(fake_script_next(&fake->net), 900, 200, NULL, unary_body("x"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 900);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(inf_runtime_ttft_ns(fake->client->runtime, "a/m"), 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Time in hooks ------------------------------------------------------- */

static void
take_time(fake_client *fake, const infer_call *call,
          const infer_attempt *attempt)
{
  (void)call;
  if (attempt && !fake->on_hook_data)
    fake->net.now_ns += 300 * INF_NS_PER_MS;
  fake->on_hook_data = fake;
}

/* The clock is read again after a hook, so that what follows is timed right. */
static void
a_slow_hook_is_noticed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.stay.retries", "0", NULL);
  fake->on_hook = take_time;
  fake_reply(fake_script_next(&fake->net), 10, 500, NULL, "");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 311 + fake_connect_ms - 2);
  assert_request(fake, 1, "b", 310);
  assert_int_equal(fake->net.requests[1].cancelled_ns, 0);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 1, 310 + fake_connect_ms);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
timers_of_one_moment_fire_in_the_order_of_their_setting(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  infer_call *calls[5];
  for (int i = 0; i < 5; i++)
    calls[i] = fake_submit_model(fake, "one");
  fake_run_ms(fake, fake_connect_ms);
  for (int i = 0; i < 5; i++) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
    assert_int_equal(infer_event_call_id(event), infer_call_id(calls[i]));
    infer_event_free(event);
    infer_call_free(calls[i]);
  }
  fake_client_free(fake);
}

/* ---- Whatever happens ---------------------------------------------------- */

static uint64_t
below(inf_rng *rng, uint64_t bound)
{
  return inf_rng_below(rng, bound);
}

/* One exchange of random content, which may end, break, hang, or be an error
 * at any point. */
static void
script_anything(fake_client *fake, inf_rng *rng)
{
  fake_script *script = fake_script_next(&fake->net);
  uint64_t ms = below(rng, 40);
  script->reused = below(rng, 3) == 0;
  if (below(rng, 8) == 0) {
    fake_done(script, ms, (inf_net)(1 + below(rng, INF_NET_PROTOCOL)));
    return;
  }
  fake_sent(script, ms);
  if (below(rng, 8) == 0) {
    fake_done(script, ms + 5,
              below(rng, 2) ? INF_NET_RESET : INF_NET_REFUSED_STREAM);
    return;
  }
  if (below(rng, 10) == 0)
    return;
  static const int statuses[] = {400, 401, 402, 403, 404, 408, 413,
                                 429, 500, 502, 503, 504, 529};
  if (below(rng, 3) == 0) {
    int status = statuses[below(rng, sizeof statuses / sizeof statuses[0])];
    fake_headers(script, ms + 5, status,
                 below(rng, 3) == 0 ? "retry-after: 1" : NULL);
    fake_body(script, ms + 6, error_body("x", "Something"));
    if (below(rng, 8) > 0)
      fake_done(script, ms + 7, INF_NET_OK);
    return;
  }
  fake_headers(script, ms + 5, 200, "content-type: text/event-stream");
  uint64_t pieces = below(rng, 12);
  enum { plain_kinds = 4 }; /* an answer of these may be continued */
  bool plain = below(rng, 2) == 0;
  for (uint64_t i = 0; i < pieces; i++) {
    ms += below(rng, 300);
    const char *kinds[] = {
        sse_text("t"),
        sse_text("v"),
        sse_empty(),
        SSE_COMMENT,
        sse_text_of(1, "u"),
        sse_reasoning("r"),
        sse_tool(0, "i", "f", "{}"),
        "data: {bad\n\n",
        sse_role(),
        sse_usage(1, 1),
        sse_tool(1, "j", "g", "[]"),
    };
    fake_body(script, ms + 6,
              kinds[below(rng, plain ? plain_kinds
                                     : sizeof kinds / sizeof kinds[0])]);
  }
  if (below(rng, 2) == 0)
    fake_body(script, ms + 7, sse_finish("stop"));
  if (below(rng, 3) == 0)
    fake_body(script, ms + 7, sse_finish_of(1, "stop"));
  if (below(rng, 10) == 0)
    fake_body(script, ms + 7, error_body("x", "not an event"));
  if (below(rng, 2) == 0)
    fake_body(script, ms + 8, SSE_DONE);
  static const inf_net ends[] = {INF_NET_OK, INF_NET_RESET, INF_NET_PARTIAL};
  if (below(rng, 4) > 0)
    fake_done(script, ms + 9, ends[below(rng, 3)]);
}

/* What was heard of one call so far. */
typedef struct heard {
  uint32_t epoch;
  bool started, done, tool_done;
  char text[4096]; /* choice 0, this epoch */
  size_t text_len;
} heard;

static void
hear(heard *ear, const infer_event *event)
{
  int32_t type = infer_event_type(event);
  assert_false(ear->done); /* nothing comes after the terminal event */
  if (infer_event_epoch(event) != ear->epoch) {
    assert_true(type == INFER_EVENT_RESTART);
    assert_true(infer_event_epoch(event) > ear->epoch);
    assert_false(ear->tool_done);
    *ear = (heard){.epoch = infer_event_epoch(event)};
    return;
  }
  assert_int_not_equal(type, INFER_EVENT_RESTART);
  if (type == INFER_EVENT_DONE) {
    ear->done = true;
    return;
  }
  assert_int_equal(ear->started, type != INFER_EVENT_START);
  ear->started = true;
  ear->tool_done = ear->tool_done || type == INFER_EVENT_TOOL_CALL_DONE;
  if (type == INFER_EVENT_TEXT && infer_event_choice(event) == 0) {
    size_t len;
    const char *text = infer_event_text(event, &len);
    memcpy(ear->text + ear->text_len, text, len);
    ear->text_len += len;
  }
}

static void
check_end(const heard *ear, infer_call *call)
{
  infer_response *response;
  infer_error *error;
  int32_t status = infer_call_wait(call, 0, &response, &error);
  assert_int_not_equal(status, INFER_E_TIMEOUT);
  assert_true((status == INFER_OK) == (response != NULL));
  assert_true((status == INFER_OK) == (error == NULL));
  assert_int_equal(infer_error_status(error), status);
  const infer_response *said = response ? response : infer_error_partial(error);
  const inf_choice *choice = said ? inf_answer_choice(&said->answer, 0) : NULL;
  if (choice && ear->started) {
    assert_int_equal(choice->text.len, ear->text_len);
    if (ear->text_len > 0)
      assert_memory_equal(choice->text.ptr, ear->text, ear->text_len);
  }
  infer_response_free(response);
  infer_error_free(error);
}

static void
drain(fake_client *fake, infer_call *call, heard *ear)
{
  infer_event *event;
  while (infer_queue_poll(fake->queue, 0, &event) == INFER_OK) {
    assert_int_equal(infer_event_call_id(event), infer_call_id(call));
    hear(ear, event);
    infer_event_free(event);
  }
}

static size_t
count_lines(const char *text, const char *start)
{
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, start)); at++)
    count += at == text || at[-1] == '\n';
  return count;
}

/* 1 if an attempt went on with a cut answer. */
static size_t
live_once(uint64_t seed)
{
  inf_rng rng;
  inf_rng_seed(&rng, seed);
  static const char *const recoveries[] = {"'restart'", "'error'", "'continue'",
                                           "'continue'"};
  static const char *const prefills[] = {"'none'", "'continue_final_message'",
                                         "'continue_final_message'"};
  fake_client *fake =
      fake_client_new("routes.three.recovery", recoveries[below(&rng, 4)],
                      "routes.three.retries", below(&rng, 2) ? "2" : "5",
                      "delivery_interval_ms", below(&rng, 4) ? "0" : "70",
                      "providers.a.prefill", prefills[below(&rng, 3)],
                      "providers.b.prefill", prefills[below(&rng, 3)],
                      "providers.c.prefill", prefills[below(&rng, 3)], NULL);
  for (int i = 0; i < 12; i++)
    script_anything(fake, &rng);
  infer_request *request = fake_request_new("three");
  infer_request_set_deadline_ms(request, 1 + (int64_t)below(&rng, 9000));
  infer_request_set_run_once(request, below(&rng, 8) == 0);
  if (below(&rng, 4) == 0)
    infer_request_set_int(request, "n", 2);
  bool whole = below(&rng, 4) == 0;
  infer_call *call;
  assert_int_equal(
      infer_submit(fake->client, request,
                   whole ? INFER_SUBMIT_WHOLE : INFER_SUBMIT_STREAM,
                   fake->queue, 0, &call, NULL),
      INFER_OK);
  infer_request_free(request);
  heard ear = {0};
  uint64_t cancel_ms = below(&rng, 4) == 0 ? below(&rng, 3000) : UINT64_MAX;
  while (fake_now_ms(fake) < 10000) {
    fake_run_ms(fake, 1 + below(&rng, 200));
    if (fake_now_ms(fake) >= cancel_ms)
      infer_call_cancel(call);
    if (below(&rng, 3) > 0)
      drain(fake, call, &ear);
  }
  drain(fake, call, &ear);
  assert_true(ear.done);
  check_end(&ear, call);
  fake_run_ms(fake, 2000);
  assert_int_equal(fake->net.live, 0);
  assert_int_equal(count_lines(fake->telemetry, "call "), 1);
  assert_int_equal(count_lines(fake->telemetry, "attempt "),
                   fake->net.request_count);
  size_t continued = strstr(fake->telemetry, " continue ") != NULL;
  infer_call_free(call);
  fake_client_free(fake);
  return continued;
}

/* Many callers would pay for the haste of one. */
static void
only_a_single_call_is_waited_for_eagerly(void **state)
{
  (void)state;
  infer_call *calls[2];
  fake_client *fake = fake_client_new(NULL);
  for (int i = 0; i < 2; i++)
    fake_stream_all(fake_script_next(&fake->net), 10 + 10 * (uint64_t)i, "x");
  fake_run_ms(fake, 1);
  assert_false(fake->net.base.eager);
  for (int i = 0; i < 2; i++) {
    calls[i] = fake_submit_model(fake, "one");
    fake_run_ms(fake, 1);
    assert_int_equal(fake->net.base.eager, i == 0);
  }
  fake_run_ms(fake, 15);
  assert_int_equal(fake_status(calls[0]), INFER_OK);
  assert_true(fake->net.base.eager);
  fake_run_ms(fake, 15);
  assert_int_equal(fake_status(calls[1]), INFER_OK);
  assert_false(fake->net.base.eager);
  for (int i = 0; i < 2; i++)
    infer_call_free(calls[i]);
  fake_client_free(fake);
}

/* Exactly one terminal event, nothing after it, each epoch in order, the text
 * as delivered equal to the result's, every attempt and call told once, no
 * exchange left behind. */
static void
a_thousand_random_lives_end_well(void **state)
{
  (void)state;
  size_t continued = 0;
  for (uint64_t seed = 1; seed <= 1000; seed++)
    continued += live_once(seed);
  assert_in_range(continued, 10, 1000);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_jump_retires_idle_connections),
      cmocka_unit_test(a_jump_ends_calls_whose_deadline_passed),
      cmocka_unit_test(times_across_a_jump_are_dropped),
      cmocka_unit_test(a_clock_that_goes_back_does_no_harm),
      cmocka_unit_test(what_waits_is_read_before_silence_is_judged),
      cmocka_unit_test(a_silence_that_began_anew_is_judged_by_what_was_heard),
      cmocka_unit_test(silence_is_judged_by_what_was_heard),
      cmocka_unit_test(timers_of_attempts_begin_anew_after_a_gap),
      cmocka_unit_test(a_driver_may_take_its_time),
      cmocka_unit_test(a_sleep_is_noticed_before_the_next_call),
      cmocka_unit_test(a_sleep_within_a_long_wait_is_noticed),
      cmocka_unit_test(no_wait_is_long_while_there_is_a_call),
      cmocka_unit_test(a_wall_clock_that_is_set_changes_nothing),
      cmocka_unit_test(whole_bodies_are_not_first_tokens),
      cmocka_unit_test(a_slow_hook_is_noticed),
      cmocka_unit_test(timers_of_one_moment_fire_in_the_order_of_their_setting),
      cmocka_unit_test(only_a_single_call_is_waited_for_eagerly),
      cmocka_unit_test(a_thousand_random_lives_end_well),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
