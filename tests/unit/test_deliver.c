/* SPDX-License-Identifier: MIT */
/* From the answer's deltas to the reader's events: their order, their
 * merging, and what happens when nobody reads. */
#include "support/fake_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* ---- Order and merging --------------------------------------------------- */

static void
events_come_in_the_order_of_the_answer(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_role());
  fake_body(script, 1, sse_reasoning("hm"));
  fake_body(script, 1, sse_text("a"));
  fake_body(script, 1, sse_delta(0, "{\"refusal\":\"no\"}", NULL));
  fake_body(script, 1, sse_tool(0, "id-1", "f", "{"));
  fake_body(script, 1, sse_tool(0, NULL, NULL, "}"));
  fake_body(script, 1, sse_tool(1, "id-2", "g", "[]"));
  fake_body(script, 1, sse_delta(0, "{\"audio\":{\"id\":\"x\"}}", NULL));
  fake_body(script, 1, sse_finish("tool_calls"));
  fake_body(script, 1, sse_usage(1, 2));
  fake_body(script, 1, SSE_DONE);
  fake_done(script, 1, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1);
  assert_events(fake, "start a/m|reasoning hm|text a|refusal no|"
                      "tool_call_delta 0 f {}|tool_call_delta 1 g []|extra|"
                      "tool_call_done 0 f {}|tool_call_done 1 g []|"
                      "finish tool_calls|usage|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
events_carry_call_tag_and_choice(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text_of(1, "b"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1);
  infer_event *event;
  assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
  assert_int_equal(infer_event_type(event), INFER_EVENT_START);
  assert_int_equal(infer_event_call_id(event), infer_call_id(call));
  assert_int_equal(infer_event_tag(event), 7);
  infer_event_free(event);
  assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
  assert_int_equal(infer_event_type(event), INFER_EVENT_TEXT);
  assert_int_equal(infer_event_choice(event), 1);
  assert_int_equal(infer_event_epoch(event), 0);
  infer_event_free(event);
  infer_call_free(call);
  fake_client_free(fake);
}

/* Pieces that come apart_ms after one another, read at the end. */
static void
check_pieces_at(const char *const *pieces, uint64_t apart_ms,
                const char *unread)
{
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  uint64_t ms = 1;
  for (; *pieces; pieces++, ms += apart_ms)
    fake_body(script, ms, *pieces);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, ms);
  assert_events(fake, unread);
  infer_call_free(call);
  fake_client_free(fake);
}

/* Whether they are merged while they wait for the reader, or already within
 * one turn of the loop, makes no difference. */
static void
check_pieces(const char *const *pieces, const char *unread)
{
  check_pieces_at(pieces, 1, unread);
  check_pieces_at(pieces, 0, unread);
}

static void
adjacent_text_that_waits_is_merged(void **state)
{
  (void)state;
  check_pieces(
      (const char *[]){sse_text("a"), sse_text("b"), sse_text("c"), NULL},
      "start a/m|text abc");
}

static void
nothing_else_is_merged(void **state)
{
  (void)state;
  /* Kinds. */
  check_pieces(
      (const char *[]){sse_text("a"), sse_reasoning("b"), sse_text("c"), NULL},
      "start a/m|text a|reasoning b|text c");
  /* Choices. */
  check_pieces((const char *[]){sse_text_of(0, "a"), sse_text_of(1, "b"),
                                sse_text_of(0, "c"), NULL},
               "start a/m|text a|text#1 b|text c");
  /* Tool calls. */
  check_pieces((const char *[]){sse_tool(0, "i", "f", "a"),
                                sse_tool(1, "j", "f", "b"),
                                sse_tool(0, NULL, NULL, "c"), NULL},
               "start a/m|tool_call_delta 0 f a|tool_call_delta 1 f b|"
               "tool_call_delta 0 f c");
  /* Also where the server gives them no ids. */
  check_pieces((const char *[]){sse_tool(0, NULL, "f", "a"),
                                sse_tool(1, NULL, "f", "b"), NULL},
               "start a/m|tool_call_delta 0 f a|tool_call_delta 1 f b");
  /* Log probabilities stand between. */
  check_pieces(
      (const char *[]){
          "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{"
          "\"content\":\"a\"},\"logprobs\":{\"content\":[{\"token\":\"a\"}]}}"
          "]}\n\n",
          sse_text("b"), NULL},
      "start a/m|text a|logprobs|text b");
  /* Each of them is a JSON text of its own. */
  const char *logprobs =
      "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},"
      "\"logprobs\":{\"content\":[{\"token\":\"a\"}]}}]}\n\n";
  check_pieces((const char *[]){logprobs, logprobs, NULL},
               "start a/m|logprobs|logprobs");
}

/* The name came after the call had begun: it must not be lost in the event
 * that already waits. */
static void
merging_loses_no_name_of_a_tool(void **state)
{
  (void)state;
  check_pieces((const char *[]){sse_tool(0, "i", NULL, ""),
                                sse_tool(0, NULL, "f", "{}"), NULL},
               "start a/m|tool_call_delta 0  |tool_call_delta 0 f {}");
}

static void
what_was_read_is_not_merged_into(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text("a"));
  fake_body(script, 2, sse_text("b"));
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 1);
  assert_events(fake, "start a/m|text a");
  fake_run_ms(fake, 1);
  assert_events(fake, "text b");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
all_choices_of_a_request_for_several_come(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 1, sse_text_of(1, "b"));
  fake_body(script, 2, sse_text_of(0, "a"));
  fake_body(script, 3, sse_finish_of(1, "stop"));
  fake_body(script, 4, sse_finish_of(0, "length"));
  fake_body(script, 4, SSE_DONE);
  fake_done(script, 4, INF_NET_OK);
  infer_request *request = fake_request_new("one");
  infer_request_set_int(request, "n", 2);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 4);
  assert_events(fake, "start a/m|text#1 b|text a|finish#1 stop|finish length|"
                      "usage|done OK");
  infer_response *response = fake_response(call);
  assert_int_equal(infer_response_choice_count(response), 2);
  assert_string_equal(infer_response_choice_text(response, 0, NULL), "a");
  assert_string_equal(infer_response_choice_text(response, 1, NULL), "b");
  assert_string_equal(infer_response_finish_reason(response, 0), "length");
  infer_response_free(response);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
a_whole_call_has_its_end_only(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 5);
  assert_events(fake, "done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_terminal_event_lends_and_gives_the_result(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "x");
  infer_call *call = fake_submit_whole(fake, "one");
  fake_run_ms(fake, 5);
  infer_call_free(call); /* the event outlives the handle */
  infer_event *event;
  assert_int_equal(infer_queue_poll(fake->queue, 0, &event), INFER_OK);
  assert_int_equal(infer_event_status(event), INFER_OK);
  assert_null(infer_event_error(event));
  assert_string_equal(infer_response_text(infer_event_response(event), NULL),
                      "x");
  infer_response *response = infer_event_take_response(event);
  assert_non_null(response);
  assert_null(infer_event_take_response(event));
  assert_null(infer_event_response(event));
  infer_event_free(event);
  assert_string_equal(infer_response_text(response, NULL), "x");
  infer_response_free(response);
  fake_client_free(fake);
}

/* ---- Back-pressure ----------------------------------------------------- */

enum { piece_bytes = 500 };

/* A piece of piece_bytes a millisecond, of both choices in turn so that they
 * are not merged; silence after the last. */
static fake_script *
script_flood(fake_client *fake, unsigned pieces)
{
  char text[piece_bytes + 1];
  memset(text, 'x', piece_bytes);
  text[piece_bytes] = '\0';
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  for (unsigned i = 1; i <= pieces; i++)
    fake_body(script, i, sse_text_of(i % 2, text));
  return script;
}

static fake_client *
new_small(void)
{
  return fake_client_new("max_undelivered_bytes", "8192", "routes.r.recovery",
                         "'restart'", "routes.one.timeouts.attempt_ms",
                         "100000", NULL);
}

static void
the_transfer_pauses_when_too_much_is_unread(void **state)
{
  (void)state;
  fake_client *fake = new_small();
  script_flood(fake, 40);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 100);
  const fake_request *request = &fake->net.requests[0];
  assert_int_equal(request->pauses, 1);
  assert_int_equal(request->resumes, 0);
  assert_true(call->pending_bytes >= 8192);
  assert_true(call->pending_bytes < 8192 + 2 * piece_bytes);
  assert_in_range(fake_ms(request->paused_ns), 8, 17);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
it_resumes_when_half_is_read(void **state)
{
  (void)state;
  fake_client *fake = new_small();
  script_flood(fake, 60);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 100);
  const fake_request *request = &fake->net.requests[0];
  for (bool half = false; !half;) {
    assert_int_equal(request->resumes, 0);
    fake_events_of(fake->queue, 1);
    half = call->pending_bytes <= 4096;
    fake_run_ms(fake, 0);
    assert_int_equal(request->resumes, half);
  }
  fake_run_ms(fake, 100);
  assert_int_equal(request->pauses, 2);
  /* All of it arrives in the end. */
  for (int i = 0; i < 20; i++) {
    fake_events(fake);
    fake_run_ms(fake, 10);
  }
  infer_call_cancel(call);
  fake_run_ms(fake, 0);
  infer_error *error = fake_error(call);
  const infer_response *partial = infer_error_partial(error);
  size_t lens[2];
  infer_response_choice_text(partial, 0, &lens[0]);
  infer_response_choice_text(partial, 1, &lens[1]);
  assert_int_equal(lens[0] + lens[1], 60 * piece_bytes);
  infer_error_free(error);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_idle_timer_stands_still_meanwhile(void **state)
{
  (void)state;
  fake_client *fake = new_small();
  script_flood(fake, 40);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 20000);
  assert_int_equal(fake->net.live, 1);
  uint64_t silent_since_ms = fake_ms(fake->net.requests[0].paused_ns);
  /* On it goes; what has come by then is all that comes. */
  while (*fake_events(fake))
    fake_run_ms(fake, 0);
  uint64_t now_ms = fake_now_ms(fake);
  assert_true(now_ms >= 20000 && silent_since_ms < 40);
  fake_run_ms(fake, fake_idle_ms - 1);
  fake_events(fake);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_int_equal(fake->net.live, 0);
  assert_int_equal(fake_status(call), INFER_E_IDLE_TIMEOUT);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_deadline_does_not_stand_still(void **state)
{
  (void)state;
  fake_client *fake = new_small();
  script_flood(fake, 40);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, fake_deadline_ms - 1);
  assert_int_equal(fake->net.live, 1);
  fake_run_ms(fake, 1);
  assert_cancelled_at(fake, 0, fake_deadline_ms);
  assert_int_equal(fake_status(call), INFER_E_DEADLINE);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The fake transport's functions, with a reader that is called when a transfer
 * is paused. */
static inf_transport_ops ops_with_reader;
static void (*plain_set_paused)(inf_exchange *exchange, bool paused);
static fake_client *reading;

static void
set_paused_and_read(inf_exchange *exchange, bool paused)
{
  struct infer_event *events[64];
  plain_set_paused(exchange, paused);
  size_t count = paused ? inf_queue_take(reading->queue, events, 64, NULL) : 0;
  for (size_t i = 0; i < count; i++)
    infer_event_free(events[i]);
}

static void
read_when_paused(fake_client *fake)
{
  inf_transport *transport = fake->client->engine.transport;
  reading = fake;
  ops_with_reader = *transport->ops;
  plain_set_paused = ops_with_reader.set_paused;
  ops_with_reader.set_paused = set_paused_and_read;
  transport->ops = &ops_with_reader;
}

/* Between the moment when too much is unread and the pause that follows,
 * another thread may read it all: then nobody would end the pause. */
static void
a_reader_that_is_faster_than_the_pause_does_not_wait(void **state)
{
  (void)state;
  fake_client *fake = new_small();
  char text[piece_bytes + 1];
  memset(text, 'x', piece_bytes);
  text[piece_bytes] = '\0';
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  for (unsigned i = 0; i < 30; i++)
    fake_body(script, 1, sse_text_of(i % 2, text));
  fake_body(script, 2, sse_finish("stop"));
  fake_body(script, 2, SSE_DONE);
  fake_done(script, 3, INF_NET_OK);
  read_when_paused(fake);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10);
  assert_int_equal(fake->net.requests[0].pauses, 1);
  assert_int_equal(fake->net.requests[0].resumes, 1);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- The cap on what all paused calls hold ------------------------------- */

enum { cap_bytes = 1 << 20 };

/* Two calls that nobody reads, the second of which is paused after the
 * first. */
static fake_client *
new_capped(infer_call *calls[2])
{
  fake_client *fake = fake_client_new("max_undelivered_bytes", "8192",
                                      "max_paused_bytes", "1048576", NULL);
  for (int i = 0; i < 2; i++) {
    script_flood(fake, 40);
    calls[i] = fake_submit_model(fake, "one");
    fake_run_ms(fake, 50);
    assert_int_equal(fake->net.requests[i].pauses, 1);
  }
  return fake;
}

static void
free_capped(fake_client *fake, infer_call *calls[2])
{
  infer_call_free(calls[0]);
  infer_call_free(calls[1]);
  fake_client_free(fake);
}

static void
the_call_paused_first_ends_by_the_cap(void **state)
{
  (void)state;
  infer_call *calls[2];
  fake_client *fake = new_capped(calls);
  size_t unread = calls[0]->pending_bytes + calls[1]->pending_bytes;
  /* As much as there may be; the second call holds it. */
  fake->net.requests[1].held_bytes = cap_bytes - unread;
  fake_run_ms(fake, 10);
  assert_int_equal(fake->net.live, 2);
  fake->net.requests[1].held_bytes++;
  fake_run_ms(fake, 10);
  assert_int_equal(fake_status(calls[0]), INFER_E_LIMIT);
  assert_contains(fake_message(calls[0]), "max_paused_bytes (1048576)");
  assert_contains(fake_message(calls[0]), "1048577 bytes of 2 calls");
  assert_true(fake->net.requests[0].cancelled_ns > 0);
  assert_int_equal(fake->net.live, 1);
  assert_int_equal(fake->net.request_count, 2); /* it is not tried again */
  /* The reader finds what came, and the one end. */
  const char *events = fake_events_of(fake->queue, SIZE_MAX);
  assert_contains(events, "done LIMIT [xxx");
  assert_null(strstr(strstr(events, "done LIMIT") + 1, "done"));
  free_capped(fake, calls);
}

static void
what_an_ended_call_held_counts_no_more(void **state)
{
  (void)state;
  infer_call *calls[2];
  fake_client *fake = new_capped(calls);
  fake->net.requests[0].held_bytes = 2 * cap_bytes;
  fake_run_ms(fake, 50);
  assert_int_equal(fake_status(calls[0]), INFER_E_LIMIT);
  assert_int_equal(fake->net.live, 1);
  /* One alone can be too much, too. */
  fake->net.requests[1].held_bytes = cap_bytes;
  fake_run_ms(fake, 50);
  assert_int_equal(fake_status(calls[1]), INFER_E_LIMIT);
  assert_contains(fake_message(calls[1]), "of 1 calls");
  free_capped(fake, calls);
}

static void
a_call_that_goes_on_counts_no_more(void **state)
{
  (void)state;
  infer_call *calls[2];
  fake_client *fake = new_capped(calls);
  while (fake->client->engine.paused.count == 2) {
    assert_true(*fake_events_of(fake->queue, 1));
    infer_client_drive(fake->client, 0);
  }
  /* As much as there may be of the one that is left. */
  int left = calls[0]->paused ? 0 : 1;
  fake->net.requests[left].held_bytes = cap_bytes - calls[left]->pending_bytes;
  fake_run_ms(fake, 1);
  assert_int_equal(fake->net.live, 2);
  assert_int_equal(fake->client->engine.paused.bytes, cap_bytes);
  free_capped(fake, calls);
}

static void
a_reload_changes_the_cap(void **state)
{
  (void)state;
  infer_call *calls[2];
  fake_client *fake = new_capped(calls);
  infer_config *config = fake_config_new(fake, "max_undelivered_bytes", "8192",
                                         "max_paused_bytes", "65536", NULL);
  fake->net.requests[1].held_bytes = 65536;
  fake_run_ms(fake, 50);
  assert_int_equal(fake->net.live, 2);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  fake_run_ms(fake, 50);
  assert_int_equal(fake_status(calls[0]), INFER_E_LIMIT);
  free_capped(fake, calls);
}

/* What waited is discarded, so that there is no reason left to wait. */
static void
a_restart_ends_the_pause(void **state)
{
  (void)state;
  fake_client *fake = new_small();
  script_flood(fake, 40);
  fake_stream_all(fake_script_next(&fake->net), 500, "short");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, fake_attempt_ms + 500);
  assert_int_equal(fake->net.request_count, 2);
  assert_int_equal(fake->net.requests[0].pauses, 1);
  assert_events(fake, "1:restart attempt timeout|1:start b/m|1:text short|"
                      "1:finish stop|1:usage|1:done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

/* Many small pieces that cannot be merged cost more than their bytes. */
static void
small_pieces_count_as_what_they_cost(void **state)
{
  (void)state;
  enum { pieces = 20000 };
  fake_client *fake = fake_client_new("max_undelivered_bytes", "65536", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  for (uint64_t ms = 1; ms <= 50; ms++) {
    static char body[pieces / 50 * 200];
    size_t len = 0;
    for (unsigned i = 0; i < pieces / 50; i++) {
      const char *piece = sse_text_of(i % 2, "x");
      memcpy(body + len, piece, strlen(piece));
      len += strlen(piece);
    }
    fake_body_n(script, ms, body, len);
  }
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 100);
  assert_int_equal(fake->net.requests[0].pauses, 1);
  size_t events = atomic_load(&fake->queue->events);
  assert_true(events * sizeof(struct infer_event) < 65536 * 4);
  infer_call_free(call);
  fake_client_free(fake);
}

/* The answer is whole but for its end mark, which is held back by the pause:
 * an exchange that stayed paused would never end by itself. */
static void
a_whole_answer_lingers_unpaused(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("max_undelivered_bytes", "4096", NULL);
  fake_script *script = fake_script_next(&fake->net);
  static char body[20 * 1024];
  size_t len = 0;
  for (unsigned i = 0; i < 20; i++) {
    const char *piece = sse_text_of(i % 2, "A piece of some length");
    memcpy(body + len, piece, strlen(piece));
    len += strlen(piece);
  }
  fake_stream(script, 0);
  fake_body_n(script, 1, body, len);
  fake_body(script, 1, sse_finish_of(0, "stop"));
  fake_body(script, 1, sse_finish_of(1, "stop"));
  fake_body(script, 2, SSE_DONE);
  fake_done(script, 3, INF_NET_OK);
  infer_request *request = fake_request_new("one");
  infer_request_set_int(request, "n", 2);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, fake_attempt_ms + 10);
  assert_int_equal(fake->net.requests[0].pauses, 1);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_int_equal(fake->net.live, 0);
  assert_int_equal(fake->net.requests[0].cancelled_ns, 0);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- delivery_interval_ms ------------------------------------------------ */

static void
count_wakeup(void *user_data)
{
  ++*(int *)user_data;
}

static void
delivery_waits_for_its_interval(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("delivery_interval_ms", "50", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  for (uint64_t ms = 10; ms <= 100; ms += 10)
    fake_body(script, ms, sse_text("x"));
  int wakeups = 0;
  infer_queue_set_wakeup(fake->queue, count_wakeup, &wakeups);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 10); /* the first waits for nothing */
  assert_events(fake, "start a/m|text x");
  fake_run_ms(fake, 49);
  assert_events(fake, "");
  fake_run_ms(fake, 1); /* at 60 */
  assert_events(fake, "text xxxxx");
  fake_run_ms(fake, 49);
  assert_events(fake, "");
  fake_run_ms(fake, 1);
  assert_events(fake, "text xxxx");
  assert_int_equal(wakeups, 3);
  infer_call_free(call);
  fake_client_free(fake);
}

static void
the_end_does_not_wait_for_the_interval(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("delivery_interval_ms", "1000", NULL);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("a"));
  fake_body(script, 20, sse_text("b"));
  fake_body(script, 30, sse_finish("stop"));
  fake_body(script, 30, SSE_DONE);
  fake_done(script, 30, INF_NET_OK);
  infer_call *call = fake_submit_model(fake, "one");
  fake_run_ms(fake, 29);
  assert_events(fake, "start a/m|text a");
  fake_run_ms(fake, 1);
  assert_events(fake, "text b|finish stop|usage|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

/* What still waited for its interval has not been delivered: the call may
 * change its target unseen. */
static void
what_waits_for_the_interval_is_not_committed(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("delivery_interval_ms", "1000", NULL);
  fake_stream_all(fake_script_next(&fake->net), 5, "first");
  infer_call *first = fake_submit_model(fake, "one");
  fake_run_ms(fake, 5);
  infer_call_free(first);
  fake_events(fake);
  fake_script *script = fake_script_next(&fake->net);
  fake_stream(script, 0);
  fake_body(script, 10, sse_text("lost"));
  fake_done(script, 20, INF_NET_RESET);
  fake_stream_all(fake_script_next(&fake->net), 5, "whole");
  infer_call *call = fake_submit_model(fake, "r");
  fake_run_ms(fake, 2000);
  assert_events(fake, "start b/m|text whole|finish stop|usage|done OK");
  infer_call_free(call);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(events_come_in_the_order_of_the_answer),
      cmocka_unit_test(events_carry_call_tag_and_choice),
      cmocka_unit_test(adjacent_text_that_waits_is_merged),
      cmocka_unit_test(nothing_else_is_merged),
      cmocka_unit_test(merging_loses_no_name_of_a_tool),
      cmocka_unit_test(what_was_read_is_not_merged_into),
      cmocka_unit_test(all_choices_of_a_request_for_several_come),
      cmocka_unit_test(a_whole_call_has_its_end_only),
      cmocka_unit_test(the_terminal_event_lends_and_gives_the_result),
      cmocka_unit_test(the_transfer_pauses_when_too_much_is_unread),
      cmocka_unit_test(it_resumes_when_half_is_read),
      cmocka_unit_test(the_idle_timer_stands_still_meanwhile),
      cmocka_unit_test(the_deadline_does_not_stand_still),
      cmocka_unit_test(the_call_paused_first_ends_by_the_cap),
      cmocka_unit_test(what_an_ended_call_held_counts_no_more),
      cmocka_unit_test(a_call_that_goes_on_counts_no_more),
      cmocka_unit_test(a_reload_changes_the_cap),
      cmocka_unit_test(a_reader_that_is_faster_than_the_pause_does_not_wait),
      cmocka_unit_test(a_restart_ends_the_pause),
      cmocka_unit_test(small_pieces_count_as_what_they_cost),
      cmocka_unit_test(a_whole_answer_lingers_unpaused),
      cmocka_unit_test(delivery_waits_for_its_interval),
      cmocka_unit_test(the_end_does_not_wait_for_the_interval),
      cmocka_unit_test(what_waits_for_the_interval_is_not_committed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
