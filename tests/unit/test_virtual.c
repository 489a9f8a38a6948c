/* SPDX-License-Identifier: MIT */
/* The simulated network: what it tells, when, and in which order. */
#include "transport/virtual.h"

#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MS INF_NS_PER_MS

/* ---- A server with one plan for all, and a listener that writes down ------
 */

static inf_virtual_clock virtual_clock;
static inf_transport *network;
static inf_virtual_link plan_link;
static inf_virtual_end plan_end;
static uint64_t plan_end_ms;
static int plan_status;
static char told[1024];
static size_t overs, over_bytes;
static inf_exchange *exchanges[4];
static bool cancel_in_body, refuse_body, start_in_done;

static void
on_connect(void *context, const inf_http_request *request, uint64_t now_ns,
           inf_virtual_link *link)
{
  (void)context;
  (void)request;
  assert_int_equal(now_ns, virtual_clock.now_ns);
  *link = plan_link;
}

/* "one", "two" and "three", ten milliseconds apart, after the headers. */
static void
on_answer(void *context, uint64_t mark, const inf_http_request *request,
          uint64_t now_ns, inf_virtual_answer *answer)
{
  (void)context;
  (void)now_ns;
  assert_int_equal(mark, plan_link.mark);
  assert_string_equal(request->url, "http://a.test/");
  answer->status = plan_status;
  answer->headers_ns = 5 * MS;
  inf_headers_add_line(&answer->headers, INF_SV("X-Test: yes"));
  inf_buf_append_cstr(&answer->body, "onetwothree");
  inf_virtual_piece_at(answer, 10 * MS, 3);
  inf_virtual_piece_at(answer, 20 * MS, 6);
  inf_virtual_piece_at(answer, 15 * MS, 11); /* not before the one before */
  answer->end = plan_end;
  answer->end_ns = plan_end_ms * MS;
}

static void
on_over(void *context, uint64_t mark, uint64_t now_ns, size_t told_bytes)
{
  (void)context;
  (void)now_ns;
  assert_int_equal(mark, plan_link.mark);
  overs++;
  over_bytes = told_bytes;
}

static const inf_virtual_server server = {on_connect, on_answer, on_over, NULL};

static void
tell(const char *format, ...)
{
  size_t len = strlen(told);
  va_list args;
  va_start(args, format);
  vsnprintf(told + len, sizeof told - len, format, args);
  va_end(args);
}

static unsigned
now_ms(void)
{
  return (unsigned)(virtual_clock.now_ns / MS - 1000);
}

static void
heard_sent(void *context, const inf_exchange_times *times, bool reused)
{
  (void)context;
  assert_int_equal(times->sent_ns, virtual_clock.now_ns);
  tell("%u sent%s|", now_ms(), reused ? " reused" : "");
}

static bool
heard_headers(void *context, int status, const inf_headers *headers)
{
  inf_sv value;
  (void)context;
  assert_true(inf_headers_get(headers, INF_SV("x-test"), &value));
  tell("%u %d|", now_ms(), status);
  return true;
}

static bool
heard_body(void *context, const char *ptr, size_t len)
{
  inf_exchange **exchange = context;
  tell("%u %.*s|", now_ms(), (int)len, ptr);
  if (cancel_in_body)
    network->ops->cancel(*exchange);
  return !refuse_body;
}

static void start(size_t index, inf_warm_up warm_up);

static void
heard_done(void *context, const inf_exchange_result *result)
{
  (void)context;
  tell("%u done %d%s%s|", now_ms(), (int)result->net, result->sent ? " s" : "",
       result->response_begun ? " r" : "");
  if (start_in_done) {
    start_in_done = false;
    start(1, INF_WARM_UP_NOT);
  }
}

static const inf_exchange_events listener = {heard_sent, heard_headers,
                                             heard_body, heard_done};

static void
start(size_t index, inf_warm_up warm_up)
{
  static const inf_endpoint endpoint;
  const inf_http_request request = {.method = "POST",
                                    .url = "http://a.test/",
                                    .endpoint = &endpoint,
                                    .warm_up = warm_up,
                                    .warm_up_ms = 30};
  exchanges[index] =
      network->ops->start(network, &request, &listener, &exchanges[index]);
  assert_non_null(exchanges[index]);
}

/* Runs until nothing more happens by itself. */
static void
run_out(void)
{
  while (network->ops->next_timeout_ns(network) != INF_NEVER)
    assert_int_equal(network->ops->run(network, INF_NEVER), INFER_OK);
}

static void
run_until(unsigned ms)
{
  while (now_ms() < ms)
    network->ops->run(network, (ms - now_ms()) * MS);
}

static int
set_up(void **state)
{
  (void)state;
  plan_link = (inf_virtual_link){.after_ns = 2 * MS, .mark = 77};
  plan_end = INF_VIRTUAL_CLEAN;
  plan_end_ms = 40;
  plan_status = 200;
  told[0] = '\0';
  overs = over_bytes = 0;
  cancel_in_body = refuse_body = start_in_done = false;
  inf_virtual_clock_init(&virtual_clock, INF_NS_PER_S, 1000);
  network = inf_virtual_transport_new(&virtual_clock, &server);
  return network ? 0 : -1;
}

static int
tear_down(void **state)
{
  (void)state;
  assert_int_equal(inf_virtual_live(network), 0);
  network->ops->free(network);
  return 0;
}

/* ---- Tests --------------------------------------------------------------- */

static void
test_an_answer_comes_as_planned(void **state)
{
  (void)state;
  start(0, INF_WARM_UP_NOT);
  assert_int_equal(inf_virtual_live(network), 1);
  run_out();
  assert_string_equal(told, "2 sent|7 200|12 one|22 two|22 three|"
                            "42 done 0 s r|");
  assert_int_equal(overs, 1);
  assert_int_equal(over_bytes, 11);
}

static void
test_nothing_is_told_before_run(void **state)
{
  (void)state;
  plan_link.after_ns = 0;
  start(0, INF_WARM_UP_NOT);
  assert_string_equal(told, "");
  network->ops->run(network, 0);
  assert_string_equal(told, "0 sent|");
  network->ops->cancel(exchanges[0]);
  assert_int_equal(overs, 1);
}

static void
test_the_clock_goes_no_further_than_the_wait(void **state)
{
  (void)state;
  assert_int_equal(network->ops->next_timeout_ns(network), INF_NEVER);
  network->ops->run(network, 3 * MS);
  assert_int_equal(now_ms(), 3);
  network->ops->run(network, INF_NEVER); /* nothing will ever happen */
  assert_int_equal(now_ms(), 3);
  start(0, INF_WARM_UP_NOT);
  network->ops->run(network, MS);
  assert_int_equal(now_ms(), 4);
  network->ops->run(network, INF_NEVER);
  assert_int_equal(now_ms(), 5);
  network->ops->wake(network);
  network->ops->run(network, INF_NEVER);
  assert_int_equal(now_ms(), 5);
  assert_int_equal(network->ops->fd(network), -1);
  run_out();
}

static void
test_the_ways_to_end(void **state)
{
  static const struct {
    inf_virtual_end end;
    int status;
    const char *last;
  } ways[] = {
      {INF_VIRTUAL_CUT, 200, "22 three|42 done 7 s r|"},
      {INF_VIRTUAL_RESET, 200, "22 three|42 done 6 s r|"},
      {INF_VIRTUAL_RESET, 0, "2 sent|42 done 6 s|"},
      {INF_VIRTUAL_REFUSED, 0, "2 sent|42 done 8 s|"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
    plan_end = ways[i].end;
    plan_status = ways[i].status;
    told[0] = '\0';
    inf_virtual_clock_init(&virtual_clock, INF_NS_PER_S, 0);
    start(0, INF_WARM_UP_NOT);
    run_out();
    assert_non_null(strstr(told, ways[i].last));
  }
}

static void
test_a_refused_connection_sends_nothing(void **state)
{
  (void)state;
  plan_link.net = INF_NET_CONNECT;
  start(0, INF_WARM_UP_NOT);
  run_out();
  assert_string_equal(told, "2 done 3|");
}

static void
test_silence_waits_for_the_cancel(void **state)
{
  (void)state;
  plan_end = INF_VIRTUAL_NEVER;
  start(0, INF_WARM_UP_NOT);
  plan_link.after_ns = INF_NEVER;
  start(1, INF_WARM_UP_NOT);
  run_out();
  assert_string_equal(told, "2 sent|7 200|12 one|22 two|22 three|");
  assert_int_equal(inf_virtual_live(network), 2);
  network->ops->cancel(exchanges[0]);
  network->ops->cancel(exchanges[1]);
  assert_int_equal(overs, 2);
}

static void
test_a_pause_holds_the_body_and_the_end(void **state)
{
  (void)state;
  start(0, INF_WARM_UP_NOT);
  run_until(13);
  network->ops->set_paused(exchanges[0], true);
  assert_int_equal(network->ops->held_bytes(exchanges[0]), 0);
  run_until(60);
  assert_string_equal(told, "2 sent|7 200|12 one|");
  assert_int_equal(network->ops->held_bytes(exchanges[0]), 8);
  network->ops->set_paused(exchanges[0], false);
  assert_int_equal(network->ops->held_bytes(exchanges[0]), 0);
  run_out();
  assert_string_equal(told, "2 sent|7 200|12 one|60 two|60 three|"
                            "60 done 0 s r|");
}

static void
test_a_callback_may_cancel_its_own_and_refuse(void **state)
{
  (void)state;
  cancel_in_body = true;
  start(0, INF_WARM_UP_NOT);
  run_out();
  assert_string_equal(told, "2 sent|7 200|12 one|");
  cancel_in_body = false;
  refuse_body = true;
  told[0] = '\0';
  start(0, INF_WARM_UP_NOT);
  run_out();
  assert_string_equal(told, "14 sent|19 200|24 one|24 done 11 s r|");
  assert_int_equal(overs, 2);
}

static void
test_a_callback_may_start_another(void **state)
{
  (void)state;
  start_in_done = true;
  plan_link.reused = true;
  plan_link.after_ns = 0;
  start(0, INF_WARM_UP_NOT);
  run_out();
  assert_string_equal(told, "0 sent reused|5 200|10 one|20 two|20 three|"
                            "40 done 0 s r|40 sent reused|45 200|50 one|60 two|"
                            "60 three|80 done 0 s r|");
}

static void
test_equal_times_keep_their_order(void **state)
{
  (void)state;
  start(0, INF_WARM_UP_NOT);
  start(1, INF_WARM_UP_NOT);
  run_until(7);
  network->ops->cancel(exchanges[0]);
  run_out();
  assert_string_equal(told, "2 sent|2 sent|7 200|7 200|12 one|22 two|"
                            "22 three|42 done 0 s r|");
}

static void
test_warm_ups(void **state)
{
  (void)state;
  start(0, INF_WARM_UP_CONNECT);
  run_out();
  assert_string_equal(told, "2 done 0|");
  told[0] = '\0';
  start(0, INF_WARM_UP_REQUEST); /* given up after 30 ms */
  run_out();
  assert_string_equal(told, "4 sent|9 200|14 one|24 two|24 three|"
                            "32 done 6 s r|");
}

static void
note_wait(void *context)
{
  tell("%u waited|", now_ms());
  (void)context;
}

static void
test_after_wait_comes_before_the_callbacks(void **state)
{
  (void)state;
  network->after_wait = note_wait;
  start(0, INF_WARM_UP_NOT);
  network->ops->run(network, INF_NEVER);
  assert_string_equal(told, "2 waited|2 sent|");
  network->ops->cancel(exchanges[0]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_an_answer_comes_as_planned),
      TEST(test_nothing_is_told_before_run),
      TEST(test_the_clock_goes_no_further_than_the_wait),
      TEST(test_the_ways_to_end),
      TEST(test_a_refused_connection_sends_nothing),
      TEST(test_silence_waits_for_the_cancel),
      TEST(test_a_pause_holds_the_body_and_the_end),
      TEST(test_a_callback_may_cancel_its_own_and_refuse),
      TEST(test_a_callback_may_start_another),
      TEST(test_equal_times_keep_their_order),
      TEST(test_warm_ups),
      TEST(test_after_wait_comes_before_the_callbacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
