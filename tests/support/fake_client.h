/* SPDX-License-Identifier: MIT */
/* A client over the fake transport, and short ways to use it.
 *
 * The configuration has the providers a (key "key-of-a"), b (keys "key-b-1"
 * and "key-b-2") and c (none), the routes "r" (a/m, b/m), "three" (a/m, b/m,
 * c/m) and "one" (a/m), "threads": 0, and the timeouts of fake_timeouts below.
 * Options are changed by path:
 *
 *   fake_client *fake = fake_client_new("routes.r.recovery", "'restart'",
 *                                       "delivery_interval_ms", "50", NULL);
 *
 * where a value is JSON with ' for ". Time passes in fake_run_ms() and in the
 * library's own blocking functions. */
#ifndef TESTS_SUPPORT_FAKE_CLIENT_H
#define TESTS_SUPPORT_FAKE_CLIENT_H

#include "support/fake_transport.h"

#include "engine/client.h"

enum {
  fake_connect_ms = 1000,
  fake_first_token_ms = 2000,
  fake_idle_ms = 3000,
  fake_attempt_ms = 20000,
  fake_deadline_ms = 60000,
};

enum { fake_text_bytes = 64 << 10 };

typedef struct fake_client {
  fake_net net;
  infer_client *client;
  infer_queue *queue;
  /* What the telemetry hooks were told, one line each:
   * "attempt <target> <reason> <STATUS> http=<n> <message>" and
   * "call <STATUS>". */
  char telemetry[fake_text_bytes];
  size_t telemetry_len;
  /* Lines of the log hook, "<level> <message>". */
  char log[fake_text_bytes];
  size_t log_len;
  bool telemetry_off; /* write nothing: for many calls */
  /* Called by the telemetry hooks, after they have written their line. */
  void (*on_hook)(struct fake_client *fake, const infer_call *call,
                  const infer_attempt *attempt);
  void *on_hook_data;
} fake_client;

/* Pairs of path and value, then NULL. */
fake_client *fake_client_new(const char *path, ...);
/* In real time, with a loop thread and without one. */
fake_client *fake_client_new_threaded(const char *path, ...);
fake_client *fake_client_new_real_time(const char *path, ...);
/* Frees queue and client, and checks that no exchange is left. */
void fake_client_free(fake_client *fake);
/* The configuration above, changed; for reload and for a client of one's own.
 * fake (may be NULL) gets the hooks. */
infer_config *fake_config_new(fake_client *fake, const char *path, ...);
/* A client of that configuration over fake's network; the status of it. */
int32_t fake_client_start(fake_client *fake, const infer_config *config,
                          infer_client **client, infer_error **error);

/* A request with one message. */
infer_request *fake_request_new(const char *model);
/* Submits to fake->queue and frees the request; the handle is the caller's. */
infer_call *fake_submit(fake_client *fake, infer_request *request);
infer_call *fake_submit_model(fake_client *fake, const char *model);
infer_call *fake_submit_whole(fake_client *fake, const char *model);

/* Lets the loop run for so long. 0: all that is due now. */
void fake_run_ms(fake_client *fake, uint64_t ms);
/* Milliseconds since the clock began. */
uint64_t fake_now_ms(const fake_client *fake);
uint64_t fake_ms(uint64_t at_ns);

/* Takes all events that wait and writes them one after the other, separated
 * by "|": "start a/m|text Hello|finish stop|usage|done OK". An epoch above 0
 * stands before ("1:text"), a choice above 0 behind the type ("text#1"), and
 * a tool's place, name and arguments behind its events
 * ("tool_call_done 0 f {}"); "attempt a/m first OK". A partial answer follows
 * the status: "done IDLE_TIMEOUT [Hel]". The text is good until the next
 * call. */
const char *fake_events(fake_client *fake);
/* The same of another queue, with at most limit events taken. */
const char *fake_events_of(infer_queue *queue, size_t limit);

/* The result of an ended call. */
int32_t fake_status(infer_call *call);
const char *fake_message(infer_call *call);
infer_error *fake_error(infer_call *call);
infer_response *fake_response(infer_call *call);

/* ---- What one looks at again and again -------------------------------------
 */

#define assert_events(fake, expected) \
  assert_string_equal(fake_events(fake), expected)
/* The i-th request went to provider p ("a") at ms. */
#define assert_request(fake, i, provider, ms)                            \
  do {                                                                   \
    assert_true((fake)->net.request_count > (size_t)(i));                \
    assert_string_equal((fake)->net.requests[i].url,                     \
                        "http://" provider ".test/v1/chat/completions"); \
    assert_int_equal(fake_ms((fake)->net.requests[i].start_ns), ms);     \
  } while (0)
#define assert_cancelled_at(fake, i, ms) \
  assert_int_equal(fake_ms((fake)->net.requests[i].cancelled_ns), ms)
#define assert_contains(text, part)                    \
  do {                                                 \
    if (!strstr(text, part))                           \
      fail_msg("\"%s\" is not in \"%s\"", part, text); \
  } while (0)
#define assert_lacks(text, part)                   \
  do {                                             \
    if (strstr(text, part))                        \
      fail_msg("\"%s\" is in \"%s\"", part, text); \
  } while (0)

#endif
