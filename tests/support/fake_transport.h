/* SPDX-License-Identifier: MIT */
/* A transport whose exchanges do what a script says, under a clock that moves
 * only when the loop waits.
 *
 *   fake_net net;
 *   fake_net_init(&net);
 *   ... a client on fake_net_transport() and net.clock, see fake_client.h ...
 *   fake_script *script = fake_script_next(&net);
 *   fake_sent(script, 5);                        // ms since its start
 *   fake_headers(script, 20, 200, "content-type: text/event-stream");
 *   fake_body(script, 30, "data: ...\n\n");
 *   fake_done(script, 40, INF_NET_OK);
 *
 * The n-th exchange that is started follows the n-th script; what it does
 * after its last step, and one without a script from its start, is silence.
 * Every request is recorded, with when it was cancelled, paused or done.
 *
 * With real_time set (before the client is made) the system's clock is used
 * and run() really waits, for tests with threads. */
#ifndef TESTS_SUPPORT_FAKE_TRANSPORT_H
#define TESTS_SUPPORT_FAKE_TRANSPORT_H

#include "base/list.h"
#include "transport/transport.h"

#include <pthread.h>
#include <stdatomic.h>

/* When the virtual clock begins. */
#define FAKE_EPOCH_NS (1000 * INF_NS_PER_S)

enum { fake_max_exchanges = 256, fake_max_steps = 64, fake_max_hosts = 16 };

typedef enum fake_step_kind {
  FAKE_SENT,
  FAKE_HEADERS,
  FAKE_BODY,
  FAKE_DONE,
} fake_step_kind;

typedef struct fake_step {
  fake_step_kind kind;
  uint64_t at_ns;
  int status; /* HEADERS */
  char *text; /* HEADERS: lines; BODY: the bytes */
  size_t len;
  inf_net net; /* DONE */
} fake_step;

typedef struct fake_script {
  fake_step steps[fake_max_steps];
  size_t step_count;
  bool reused; /* the connection had been used before */
  /* Of on_sent, in ms since the start; 0: not reached. */
  uint64_t lookup_ms, connect_ms, tls_ms;
  /* Of a warm-up. */
  bool kept;
  const char *protocol;
} fake_script;

/* What is known of one exchange. Times are on the clock, 0: never. */
typedef struct fake_request {
  char *method, *url;
  char *headers; /* lines, each with "\n" */
  char *body;
  const inf_endpoint *endpoint;
  bool fresh_connection;
  inf_warm_up warm_up;
  uint32_t warm_up_ms;
  uint64_t start_ns, cancelled_ns, done_ns;
  unsigned pauses, resumes;
  uint64_t paused_ns, resumed_ns; /* the last time */
  size_t held_bytes; /* told while it is paused; the test sets it */
} fake_request;

typedef struct fake_net {
  inf_transport base;
  inf_clock clock;
  _Atomic uint64_t now_ns; /* of the virtual clock; a hook may move it */
  bool real_time;
  bool fails_to_start; /* start() gives NULL */
  bool warm_ups_apart; /* they are neither counted nor answered */
  uint64_t jump_ns;    /* the next wait ends so much later than it was due */
  uint64_t asleep_ns;  /* that the machine has slept so far */
  _Atomic int64_t wall_shift_ns; /* of the wall clock against the other */
  unsigned deaf;   /* so many waits end by a signal: nothing is told */
  unsigned behind; /* so many run() do not come to telling anything */
  size_t live;     /* exchanges that have not ended */
  size_t retired;  /* calls of retire_idle() */
  size_t transports;
  atomic_size_t freed;
  atomic_size_t wakes;
  fake_script *scripts[fake_max_exchanges];
  size_t script_count;
  fake_script *always; /* of exchanges past the last script; NULL: silence */
  struct {
    const char *url; /* how it begins */
    fake_script *script;
  } hosts[fake_max_hosts]; /* before always; the latest that fits */
  size_t host_count;
  fake_request requests[fake_max_exchanges];
  size_t request_count; /* past fake_max_exchanges they are only counted */
  /* Private. */
  inf_list exchanges;
  bool running, woken;
  pthread_mutex_t mutex;
  pthread_cond_t cond;
} fake_net;

void fake_net_init(fake_net *net);
/* Every transport must have been freed. */
void fake_net_fini(fake_net *net);
/* Real time: waits until the transport has been freed. */
void fake_net_wait_freed(fake_net *net);
/* For inf_client_parts.new_transport; context is the fake_net. One transport
 * at a time. */
inf_transport *fake_net_transport(void *context,
                                  const inf_curl_options *options);

fake_script *fake_script_next(fake_net *net);
/* The script of all exchanges that have none of their own. */
fake_script *fake_script_always(fake_net *net);
/* The script from now on of all exchanges whose URL begins so (borrowed). */
fake_script *fake_script_for(fake_net *net, const char *url);
void fake_sent(fake_script *script, uint64_t at_ms);
/* lines: "name: value" separated by "\n"; NULL: none. */
void fake_headers(fake_script *script, uint64_t at_ms, int status,
                  const char *lines);
void fake_body(fake_script *script, uint64_t at_ms, const char *text);
void fake_body_n(fake_script *script, uint64_t at_ms, const char *ptr,
                 size_t len);
void fake_done(fake_script *script, uint64_t at_ms, inf_net net);

/* Sent at once, and at at_ms the whole answer and its clean end. */
void fake_reply(fake_script *script, uint64_t at_ms, int status,
                const char *lines, const char *body);
/* Sent at once, and at at_ms the headers of a stream. */
void fake_stream(fake_script *script, uint64_t at_ms);

/* ---- Pieces of streams ----------------------------------------------------
 */

/* One event of a stream. The text is good until 32 more were made. */
const char *sse_delta(unsigned choice, const char *delta_json,
                      const char *finish_json);
const char *sse_role(void);
const char *sse_empty(void);
const char *sse_text(const char *text);
const char *sse_text_of(unsigned choice, const char *text);
const char *sse_reasoning(const char *text);
/* id and name may be NULL. */
const char *sse_tool(unsigned index, const char *id, const char *name,
                     const char *arguments);
const char *sse_finish(const char *reason);
const char *sse_finish_of(unsigned choice, const char *reason);
const char *sse_usage(unsigned input, unsigned output);
#define SSE_DONE    "data: [DONE]\n\n"
#define SSE_COMMENT ": keep-alive\n\n"

/* A stream that is over at_ms after its start: text, finish, usage, DONE. */
void fake_stream_all(fake_script *script, uint64_t at_ms, const char *text);
/* A whole body that says text. */
const char *unary_body(const char *text);
const char *error_body(const char *code, const char *message);

#endif
