/* SPDX-License-Identifier: MIT */
/* HTTP/2 through a real proxy: nghttpx speaks it to the client and HTTP/1.1 to
 * the simulated provider behind it. How many connections there were is told by
 * nghttpx. What no proper server does on demand is in test_http2_frames.c. */
#include "world.h"

#include "support/nghttpx_process.h"
#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { wait_ms = 30000, max_calls = 160, tries = 8 };

/* A provider "p" behind nghttpx, and its client. */
typedef struct proxied {
  world w;
  nghttpx_process *proxy;
} proxied;

#define PROXIED(argument) \
  (const char *const[])   \
  {                       \
    argument, NULL        \
  }

/* members: of the document, each after a comma. $DEAD and the rest of
 * world_text() are replaced in it. */
static void
start_proxied(proxied *p, const char *script, const char *members,
              const char *const *args)
{
  char config[2048];
  memset(p, 0, sizeof *p);
  world_folder(&p->w);
  assert_true(tiny_make_certificates(p->w.folder));
  world_sim(&p->w, 1, script);
  p->proxy = nghttpx_start(sim_port(p->w.sims[0]), p->w.folder, args);
  assert_non_null(p->proxy);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'p','type':'openai','base_url':"
           "'https://localhost:%u/v1','ca_file':'$DIR/ca.pem'},"
           "{'name':'plain','type':'openai','base_url':'$1'}]%s}",
           nghttpx_port(p->proxy), members);
  world_client(&p->w, config);
}

static void
end_proxied(proxied *p)
{
  infer_client_free(p->w.client);
  p->w.client = NULL;
  nghttpx_kill(p->proxy);
  world_end(&p->w);
}

static infer_call *
submit(proxied *p, const char *model, int32_t mode, infer_queue *queue)
{
  infer_call *call;
  infer_request *request = world_request(model, "x");
  assert_int_equal(
      infer_submit(p->w.client, request, mode, queue, 0, &call, NULL),
      INFER_OK);
  infer_request_free(request);
  return call;
}

static void
expect_end(infer_call *call, int32_t status)
{
  infer_error *error = NULL;
  int32_t ended = infer_call_wait(call, wait_ms, NULL, &error);
  if (ended != status)
    fail_msg("%s, not %s: %s", infer_status_name(ended),
             infer_status_name(status),
             error ? infer_error_message(error) : "");
  infer_error_free(error);
  infer_call_free(call);
}

static void
expect_ok(proxied *p, const char *model)
{
  outcome o = world_stream(&p->w, model);
  if (o.status != INFER_OK)
    fail_msg("%s", infer_error_message(o.error));
  outcome_end(&o);
}

/* So many calls at once, all of which succeed. */
static void
burst(proxied *p, int count)
{
  infer_call *calls[max_calls];
  for (int i = 0; i < count; i++)
    calls[i] = submit(p, "p/m", INFER_SUBMIT_WHOLE, NULL);
  for (int i = 0; i < count; i++)
    expect_end(calls[i], INFER_OK);
}

static nghttpx_counts
counts(proxied *p, size_t requests)
{
  nghttpx_counts counted = nghttpx_wait_counts(p->proxy, requests, wait_ms / 3);
  assert_int_equal(counted.requests, requests);
  return counted;
}

/* Reads until so much text of the call has come. */
static void
read_text(infer_queue *queue, size_t len)
{
  uint64_t until = world_now_ms() + wait_ms;
  for (size_t got = 0; got < len;) {
    infer_event *event = NULL;
    assert_true(world_now_ms() < until);
    if (infer_queue_poll(queue, 1000, &event) != INFER_OK)
      continue;
    size_t piece = 0;
    assert_int_not_equal(infer_event_type(event), INFER_EVENT_DONE);
    if (infer_event_type(event) == INFER_EVENT_TEXT)
      infer_event_text(event, &piece);
    got += piece;
    infer_event_free(event);
  }
}

static infer_queue *
new_queue(proxied *p)
{
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, p->w.client), INFER_OK);
  return queue;
}

/* ---- Connections --------------------------------------------------------- */

#define SLOW_SCRIPT "{'defaults':{'text':'Hello there','first_token_ms':200}}"

/* The fewest connections that two such bursts made, in a few tries: on a busy
 * machine a handshake may outlast the time that calls wait for it. */
static size_t
fewest_connections(int count, size_t wanted)
{
  size_t fewest = SIZE_MAX;
  for (int i = 0; i < tries && fewest > wanted; i++) {
    proxied p;
    start_proxied(&p, SLOW_SCRIPT, "", NULL);
    burst(&p, count);
    burst(&p, count);
    nghttpx_counts counted = counts(&p, 2 * (size_t)count);
    assert_int_equal(counted.http2, 2 * count);
    if (counted.connections < fewest)
      fewest = counted.connections;
    end_proxied(&p);
  }
  return fewest;
}

static void
test_calls_at_once_share_a_connection(void **state)
{
  (void)state;
  assert_int_equal(fewest_connections(40, 1), 1);
}

static void
test_one_call_after_another_uses_one_connection(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, "{'defaults':{'text':'ok'}}", "", NULL);
  for (int i = 0; i < 5; i++)
    expect_ok(&p, "p/m");
  assert_int_equal(counts(&p, 5).connections, 1);
  end_proxied(&p);
}

/* 100 streams is what nghttpx allows, and what is assumed before it says so:
 * the rest shares a second connection. */
static void
test_a_full_connection_gets_a_sister(void **state)
{
  (void)state;
  assert_int_equal(fewest_connections(150, 2), 2);
}

/* Known limit: whoever finds no room opens a connection, and none is refused.
 */
static void
test_a_lower_limit_is_kept_once_it_is_known(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, SLOW_SCRIPT, "",
                PROXIED("--frontend-http2-max-concurrent-streams=4"));
  burst(&p, 1);
  burst(&p, 10);
  nghttpx_counts counted = counts(&p, 11);
  assert_in_range(counted.connections, 2, 7);
  end_proxied(&p);
}

/* Not known yet: nghttpx refuses the streams beyond it, which go again at
 * once, without a retry. */
static void
test_streams_over_an_unknown_limit_are_sent_again(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, SLOW_SCRIPT, ",'defaults':{'retries':0}",
                PROXIED("--frontend-http2-max-concurrent-streams=4"));
  burst(&p, 12);
  assert_int_equal(counts(&p, 12).http2, 12);
  assert_int_equal(world_requests(&p.w, 1), 12);
  end_proxied(&p);
}

/* With HTTP/1.1 each call has a connection of its own and none waits for the
 * answer of another. */
static void
test_http1_only_is_not_serialized(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, SLOW_SCRIPT, "", PROXIED("--npn-list=http/1.1"));
  for (size_t round = 1; round <= 2; round++) {
    burst(&p, 8);
    nghttpx_counts counted = counts(&p, 8 * round);
    assert_int_equal(counted.http2, 0);
    assert_int_equal(counted.connections, 8);
  }
  end_proxied(&p);
}

/* ---- Ends ---------------------------------------------------------------- */

#define LONG_SCRIPT                                                        \
  "{'rules':[{'when':{'model':'quick'},'do':{'text':'ok'}},"               \
  "{'when':{'model':'stalls'},'do':{'tokens':20,'stall_after_tokens':5}}," \
  "{'when':{'model':'breaks'},'do':{'tokens':20,'inter_token_ms':20,"      \
  "'reset':{'after_tokens':5}}}],"                                         \
  "'defaults':{'tokens':40,'inter_token_ms':25}}"

static void
test_goaway_lets_the_streams_finish(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, LONG_SCRIPT, "", NULL);
  infer_queue *queues[3];
  infer_call *calls[3];
  expect_ok(&p, "p/quick"); /* there is a connection to share */
  for (int i = 0; i < 3; i++) {
    queues[i] = new_queue(&p);
    calls[i] = submit(&p, "p/m", INFER_SUBMIT_STREAM, queues[i]);
  }
  for (int i = 0; i < 3; i++)
    read_text(queues[i], 2); /* each of the streams has begun */
  nghttpx_quit(p.proxy);
  for (int i = 0; i < 3; i++) {
    expect_end(calls[i], INFER_OK);
    infer_queue_free(queues[i]);
  }
  assert_int_equal(counts(&p, 4).connections, 1);
  assert_true(nghttpx_ended(p.proxy, wait_ms));
  end_proxied(&p);
}

/* Once the proxy has gone away, calls go elsewhere. */
static void
test_after_goaway_the_route_fails_over(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, "{'defaults':{'text':'ok'}}",
                ",'routes':{'r':{'targets':['p/m','plain/m'],"
                "'stay':{'retries':0}}}",
                NULL);
  expect_ok(&p, "r");
  nghttpx_quit(p.proxy);
  assert_true(nghttpx_ended(p.proxy, wait_ms));
  outcome o = world_stream(&p.w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(
      outcome_attempt(&o, outcome_attempts(&o) - 1)
          ? infer_attempt_target(outcome_attempt(&o, outcome_attempts(&o) - 1))
          : "",
      "plain/m");
  outcome_end(&o);
  end_proxied(&p);
}

static void
test_a_dying_server_cuts_all_its_streams(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, LONG_SCRIPT, ",'defaults':{'recovery':'error'}", NULL);
  infer_queue *queue = new_queue(&p);
  infer_call *calls[2];
  calls[0] = submit(&p, "p/m", INFER_SUBMIT_STREAM, queue);
  read_text(queue, 5);
  calls[1] = submit(&p, "p/m", INFER_SUBMIT_STREAM, queue);
  read_text(queue, 40);
  nghttpx_kill(p.proxy);
  p.proxy = NULL;
  expect_end(calls[0], INFER_E_TRUNCATED);
  expect_end(calls[1], INFER_E_TRUNCATED);
  infer_queue_free(queue);
  end_proxied(&p);
}

/* The proxy resets one stream when the provider breaks off; the others and
 * the connection live on. */
static void
test_a_reset_stream_is_a_cut_answer(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, LONG_SCRIPT, ",'defaults':{'recovery':'error'}", NULL);
  expect_ok(&p, "p/quick"); /* there is a connection to share */
  infer_call *live = submit(&p, "p/m", INFER_SUBMIT_WHOLE, NULL);
  outcome o = world_stream(&p.w, "p/breaks");
  assert_int_equal(o.status, INFER_E_TRUNCATED);
  assert_true(strlen(o.text) > 0);
  const infer_response *partial = infer_error_partial(o.error);
  assert_string_equal(infer_response_text(partial, NULL), o.text);
  outcome_end(&o);
  expect_end(live, INFER_OK);
  expect_ok(&p, "p/quick");
  assert_int_equal(counts(&p, 4).connections, 1);
  end_proxied(&p);
}

static void
test_recovery_after_a_reset_stream(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, LONG_SCRIPT,
                ",'routes':{'r':{'targets':['p/breaks','plain/quick'],"
                "'recovery':'restart','stay':{'retries':0}}}",
                NULL);
  outcome o = world_stream(&p.w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_int_equal(o.restarts, 1);
  assert_string_equal(outcome_trail(&o),
                      "p/breaks first TRUNCATED, plain/quick recovery OK");
  outcome_end(&o);
  end_proxied(&p);
}

/* A stream that stalls ends by its own timer, beside others that go on. */
static void
test_a_stalled_stream_holds_up_nobody(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, LONG_SCRIPT,
                ",'defaults':{'timeouts':{'idle_ms':1500},'retries':0}", NULL);
  infer_queue *queue = new_queue(&p);
  infer_call *stalled = submit(&p, "p/stalls", INFER_SUBMIT_STREAM, queue);
  read_text(queue, 5);
  for (int i = 0; i < 3; i++)
    expect_ok(&p, "p/quick");
  infer_call *live = submit(&p, "p/m", INFER_SUBMIT_WHOLE, NULL);
  expect_end(stalled, INFER_E_IDLE_TIMEOUT);
  expect_end(live, INFER_OK);
  expect_ok(&p, "p/quick");
  assert_int_equal(counts(&p, 6).connections, 1);
  infer_queue_free(queue);
  end_proxied(&p);
}

/* The provider hears of it at once: nobody else uses the connection. */
static void
test_a_cancel_resets_the_stream_only(void **state)
{
  (void)state;
  proxied p;
  start_proxied(&p, LONG_SCRIPT, "", NULL);
  infer_queue *queue = new_queue(&p);
  infer_call *call = submit(&p, "p/stalls", INFER_SUBMIT_STREAM, queue);
  read_text(queue, 5);
  assert_int_equal(infer_call_cancel(call), INFER_OK);
  expect_end(call, INFER_E_CANCELLED);
  infer_client_drive(p.w.client, 100); /* without a thread: a turn */
  json_object *log = world_log(&p.w, 1, 1);
  assert_string_equal(log_text(log, 0, "end"), "client_closed");
  json_object_put(log);
  expect_ok(&p, "p/quick");
  assert_int_equal(counts(&p, 2).connections, 1);
  infer_queue_free(queue);
  end_proxied(&p);
}

/* ---- Back-pressure ------------------------------------------------------- */

/* Readers so slow that their transfers pause again and again, side by side on
 * one connection: nothing is lost, nothing stalls. */
static void
test_slow_readers_beside_each_other(void **state)
{
  (void)state;
  enum { readers = 3 };
  proxied p;
  start_proxied(&p,
                "{'rules':[{'when':{'model':'quick'},'do':{'text':'ok'}}],"
                "'defaults':{'tokens':6000,'chunk_tokens':20}}",
                ",'max_undelivered_bytes':4096", NULL);
  expect_ok(&p, "p/quick"); /* there is a connection to share */
  infer_queue *queues[readers];
  infer_call *calls[readers];
  size_t lens[readers] = {0};
  for (int i = 0; i < readers; i++) {
    queues[i] = new_queue(&p);
    calls[i] = submit(&p, "p/m", INFER_SUBMIT_STREAM, queues[i]);
  }
  uint64_t until = world_now_ms() + wait_ms;
  for (int left = readers; left > 0;) {
    assert_true(world_now_ms() < until);
    for (int i = 0; i < readers; i++) {
      infer_event *event = NULL;
      size_t len = 0;
      if (infer_queue_poll(queues[i], i == 0, &event) != INFER_OK)
        continue;
      if (infer_event_type(event) == INFER_EVENT_TEXT)
        infer_event_text(event, &len);
      lens[i] += len;
      left -= infer_event_type(event) == INFER_EVENT_DONE;
      infer_event_free(event);
    }
  }
  for (int i = 0; i < readers; i++) {
    infer_response *response = NULL;
    size_t len = 0;
    assert_int_equal(infer_call_wait(calls[i], 0, &response, NULL), INFER_OK);
    infer_response_text(response, &len);
    assert_int_equal(lens[i], len);
    assert_true(len > 20000);
    infer_response_free(response);
    infer_call_free(calls[i]);
    infer_queue_free(queues[i]);
  }
  assert_int_equal(counts(&p, readers + 1).connections, 1);
  end_proxied(&p);
}

/* Hedges: the attempt that loses resets its stream, and no more than that. */
static void
test_a_lost_race_resets_the_stream_only(void **state)
{
  (void)state;
  enum { learned = 60, paid = 10, raced = 5 };
  proxied p;
  start_proxied(
      &p,
      "{'defaults':{'text':'First.'},'rules':["
      "{'when':{'model':'second'},'do':{'text':'Second.'}},"
      "{'when':{'requests':'1-60'},'do':{'first_token_ms':"
      "{'mix':[[0.85,2],[0.15,60]]}}},{'when':{'requests':'1-10'},'do':{}},"
      "{'do':{'first_token_ms':1500}}]}",
      ",'routes':{'learn':{'targets':['p/m'],'hedge':{'budget':0.5,"
      "'min_delay_ms':600000}},'r':{'targets':['p/m','plain/second'],"
      "'hedge':{'budget':0.5,'min_delay_ms':20}}}",
      NULL);
  for (int i = 0; i < learned; i++)
    expect_ok(&p, "learn");
  /* Nothing is hedged meanwhile, however slow the machine. */
  infer_request *request = world_request("r", "x");
  infer_request_set_policy(request, "hedge.min_delay_ms", 600000);
  for (int i = 0; i < paid; i++) {
    outcome o = world_run(&p.w, request, true);
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
  }
  infer_request_free(request);
  for (int i = 0; i < raced; i++) {
    outcome o = world_stream(&p.w, "r");
    assert_int_equal(o.status, INFER_OK);
    assert_string_equal(outcome_trail(&o),
                        "p/m first CANCELLED, plain/second hedge OK");
    assert_string_equal(o.text, "Second.");
    assert_int_equal(o.starts, 1);
    outcome_end(&o);
  }
  /* What was reset is in no log; the connection goes on. */
  expect_ok(&p, "learn");
  nghttpx_counts counted = counts(&p, learned + paid + 1);
  assert_int_equal(counted.connections, 1);
  assert_int_equal(counted.http2, learned + paid + 1);
  end_proxied(&p);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_calls_at_once_share_a_connection),
      cmocka_unit_test(test_one_call_after_another_uses_one_connection),
      cmocka_unit_test(test_a_full_connection_gets_a_sister),
      cmocka_unit_test(test_a_lower_limit_is_kept_once_it_is_known),
      cmocka_unit_test(test_streams_over_an_unknown_limit_are_sent_again),
      cmocka_unit_test(test_http1_only_is_not_serialized),
      cmocka_unit_test(test_goaway_lets_the_streams_finish),
      cmocka_unit_test(test_after_goaway_the_route_fails_over),
      cmocka_unit_test(test_a_dying_server_cuts_all_its_streams),
      cmocka_unit_test(test_a_reset_stream_is_a_cut_answer),
      cmocka_unit_test(test_recovery_after_a_reset_stream),
      cmocka_unit_test(test_a_stalled_stream_holds_up_nobody),
      cmocka_unit_test(test_a_cancel_resets_the_stream_only),
      cmocka_unit_test(test_slow_readers_beside_each_other),
      cmocka_unit_test(test_a_lost_race_resets_the_stream_only),
  };
  world_forget_proxies();
  if (!nghttpx_available()) {
    print_message("SKIP: nghttpx is not installed (Debian: nghttp2-proxy)\n");
    return 0;
  }
  return cmocka_run_group_tests(tests, NULL, NULL);
}
