/* SPDX-License-Identifier: MIT */
/* The subject: libinfer by its public functions, with its features on: a route
 * of two targets, all timers, telemetry of each attempt and call. */
#include "bench/canned.h"
#include "bench/speed.h"

#include <infer/infer.h>

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { config_max = 2048, batch_max = 64, slots_max = 10000 };

static atomic_uint_fast64_t attempts_seen, calls_seen;
static unsigned records_seen; /* ATTEMPT events */
static bool untold;           /* no hooks */

static void
on_attempt(const infer_call *call, const infer_attempt *attempt, void *unused)
{
  (void)call;
  (void)unused;
  if (infer_attempt_status(attempt) == INFER_OK)
    atomic_fetch_add_explicit(&attempts_seen, 1, memory_order_relaxed);
}

static void
on_call(const infer_call *call, const infer_response *response,
        const infer_error *error, void *unused)
{
  (void)call;
  (void)error;
  (void)unused;
  if (response)
    atomic_fetch_add_explicit(&calls_seen, 1, memory_order_relaxed);
}

static void
write_config(char *text, unsigned port, const bench_job *job)
{
  snprintf(text, config_max,
           "{ \"threads\": %d, \"delivery_interval_ms\": %u,\n"
           "  \"providers\": [\n"
           "    { \"name\": \"first\", \"type\": \"openai\", \"proxy\": "
           "\"none\", \"api_key\": \"" BENCH_KEY "\",\n"
           "      \"base_url\": \"http://127.0.0.1:%u/%s/v1\" },\n"
           "    { \"name\": \"second\", \"type\": \"openai\", \"proxy\": "
           "\"none\", \"api_key\": \"" BENCH_KEY "\",\n"
           "      \"base_url\": \"http://127.0.0.1:%u/%s/v1\" } ],\n"
           "  \"routes\": { \"bench\": {\n"
           "    \"targets\": [ \"first/" BENCH_MODEL "\", \"second/" BENCH_MODEL
           "\" ],\n"
           "    \"upstream\": \"%s\", \"retries\": 2,\n"
           "    \"timeouts\": { \"connect_ms\": 2000, \"first_token_ms\": "
           "8000, \"idle_ms\": 15000,\n"
           "      \"attempt_ms\": 50000, \"deadline_ms\": 60000 } } } }\n",
           job->threaded, job->interval_ms, port, job->path, port, job->path,
           job->chunks > 0 ? "stream" : "unary");
}

/* FNV-1a of the configuration, the port apart. */
uint64_t
infer_config_hash(void)
{
  char text[config_max];
  const bench_job job = {.path = "unary", .threaded = true};
  write_config(text, 0, &job);
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char *at = text; *at; at++)
    hash = (hash ^ (uint8_t)*at) * 0x100000001b3u;
  return hash;
}

void
infer_print_config(unsigned port, const bench_job *job)
{
  char text[config_max];
  write_config(text, port, job);
  fputs(text, stdout);
}

static void
fail_with(const char *what, const infer_error *error)
{
  fprintf(stderr, "bench: %s: %s\n", what, infer_error_message(error));
  exit(1);
}

static infer_client *
make_client(unsigned port, const bench_job *job)
{
  char text[config_max];
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_error *error = NULL;
  write_config(text, port, job);
  if (infer_config_from_json(&config, text, strlen(text), &error) != INFER_OK ||
      (!untold && infer_config_set_telemetry(config, on_attempt, on_call,
                                             NULL) != INFER_OK) ||
      infer_client_new(&client, config, &error) != INFER_OK)
    fail_with("the client", error);
  infer_config_free(config);
  return client;
}

static infer_request *
make_request(void)
{
  infer_request *request = NULL;
  if (infer_request_new(&request, "bench") != INFER_OK ||
      infer_request_add_message(request, "user", BENCH_PROMPT) != INFER_OK)
    bench_fail("the request");
  return request;
}

/* ---- Many calls ---------------------------------------------------------- */

typedef struct caller {
  infer_client *client;
  infer_request *request;
  infer_queue *queue;
  int32_t mode;
  unsigned content_events;      /* events with text that were read */
  size_t text_bytes[slots_max]; /* that came of the call with this tag */
} caller;

static caller all;
static unsigned all_calls; /* that telemetry must have seen at the end */

static void
submit(uint64_t tag)
{
  infer_error *error = NULL;
  all.text_bytes[tag] = 0;
  if (infer_submit(all.client, all.request, all.mode, all.queue, tag, NULL,
                   &error) != INFER_OK)
    fail_with("submit", error);
}

/* Reads an event; true if it was a call's last one, whose tag is then free. */
static bool
take(infer_event *event, uint64_t *tag)
{
  int32_t type = infer_event_type(event);
  size_t len = 0;
  *tag = infer_event_tag(event);
  if (type == INFER_EVENT_TEXT) {
    infer_event_text(event, &len);
    all.text_bytes[*tag] += len;
    all.content_events++;
  }
  records_seen += type == INFER_EVENT_ATTEMPT;
  if (type == INFER_EVENT_DONE) {
    if (infer_event_status(event) != INFER_OK)
      fail_with("a call", infer_event_error(event));
    infer_response_text(infer_event_response(event), &len);
    if (len < 100 ||
        (all.mode == INFER_SUBMIT_STREAM && all.text_bytes[*tag] != len))
      bench_fail("an answer is not whole");
  }
  infer_event_free(event);
  return type == INFER_EVENT_DONE;
}

static void
run(unsigned total)
{
  unsigned started = 0, ended = 0;
  for (; started < total && started < BENCH_CONCURRENCY; started++)
    submit(started);
  while (ended < total) {
    infer_event *events[batch_max];
    size_t count;
    if (infer_queue_poll_batch(all.queue, events, batch_max, -1, &count) !=
        INFER_OK)
      bench_fail("poll");
    for (size_t i = 0; i < count; i++) {
      uint64_t tag;
      if (!take(events[i], &tag))
        continue;
      ended++;
      if (started < total) {
        started++;
        submit(tag);
      }
    }
  }
}

static void
caller_init(unsigned port, const bench_job *job)
{
  all.client = make_client(port, job);
  all.request = make_request();
  all.mode = job->whole ? INFER_SUBMIT_WHOLE : INFER_SUBMIT_STREAM;
  if (infer_queue_new(&all.queue, all.client) != INFER_OK)
    bench_fail("the queue");
}

static void
caller_fini(unsigned calls)
{
  infer_queue_free(all.queue);
  infer_request_free(all.request);
  infer_client_free(all.client);
  if (!untold && (atomic_load(&attempts_seen) != calls ||
                  atomic_load(&calls_seen) != calls))
    bench_fail("the telemetry");
}

static void
begin_cpu(unsigned port, const bench_job *job)
{
  caller_init(port, job);
}

static double
slice_cpu(const bench_job *job)
{
  uint64_t before_ns = bench_cpu_ns();
  run(job->transfers);
  all_calls += job->transfers;
  return (double)(bench_cpu_ns() - before_ns) / job->transfers;
}

static void
end(void)
{
  caller_fini(all_calls);
}

const bench_side infer_cpu = {begin_cpu, slice_cpu, end};

double
infer_one_stream(unsigned port)
{
  const bench_job job = {.path = "paced", .chunks = 1};
  caller_init(port, &job);
  run(1);
  caller_fini(1);
  /* Not the events that were read: chunks that come together are one. */
  return CANNED_PACED_CHUNKS;
}

enum { bulk_calls = 40, bulk_chunks = 1000 };
static const bench_job bulk_job = {.path = "bulk", .chunks = bulk_chunks};

double
infer_untold_bulk(unsigned port)
{
  untold = true;
  caller_init(port, &bulk_job);
  run(bulk_calls);
  caller_fini(bulk_calls);
  return (double)bulk_calls * bulk_chunks;
}

double
infer_told_bulk(unsigned port)
{
  char *text = NULL;
  caller_init(port, &bulk_job);
  if (infer_queue_set_records(all.queue, 1) != INFER_OK)
    bench_fail("records");
  run(bulk_calls);
  if (records_seen != bulk_calls ||
      infer_client_stats(all.client, &text, NULL) != INFER_OK ||
      !strstr(text, "\"route\":\"bench\""))
    bench_fail("the statistics");
  infer_text_free(text);
  caller_fini(bulk_calls);
  return (double)bulk_calls * bulk_chunks;
}

/* ---- One call at a time -------------------------------------------------- */

static void
chat(infer_client *client, const infer_request *request)
{
  infer_response *response = NULL;
  infer_error *error = NULL;
  if (infer_chat(client, request, &response, &error) != INFER_OK)
    fail_with("a call", error);
  infer_response_free(response);
}

static void
begin_latency(unsigned port, const bench_job *job)
{
  all.client = make_client(port, job);
  all.request = make_request();
}

static double
slice_latency(const bench_job *job)
{
  double taken[BENCH_LATENCY_CALLS];
  (void)job;
  for (unsigned i = 0; i < BENCH_LATENCY_CALLS; i++) {
    uint64_t begin_ns = bench_now_ns();
    chat(all.client, all.request);
    taken[i] = (double)(bench_now_ns() - begin_ns);
  }
  all_calls += BENCH_LATENCY_CALLS;
  return bench_median(taken, BENCH_LATENCY_CALLS);
}

const bench_side infer_latency = {begin_latency, slice_latency, end};

/* ---- Open streams -------------------------------------------------------- */

static void
open_streams(unsigned from, unsigned to)
{
  for (unsigned i = from; i < to; i++) {
    unsigned before = all.content_events;
    submit(i);
    while (all.content_events == before) {
      infer_event *event;
      uint64_t tag;
      if (infer_queue_poll(all.queue, 10000, &event) != INFER_OK)
        bench_fail("poll");
      if (take(event, &tag))
        bench_fail("a stream ended");
    }
  }
}

double
infer_open_bytes(unsigned port)
{
  const bench_job job = {.path = "hold", .chunks = 1, .threaded = true};
  caller_init(port, &job);
  open_streams(0, 1000);
  double before = bench_rss_bytes();
  open_streams(1000, 10000);
  return (bench_rss_bytes() - before) / 9000;
}

/* ---- The empty queue ----------------------------------------------------- */

double
infer_poll_empty_ns(unsigned port)
{
  enum { polls = 2000000 };
  const bench_job job = {.path = "unary", .threaded = true};
  infer_event *event;
  caller_init(port, &job);
  uint64_t before_ns = bench_now_ns();
  for (int i = 0; i < polls; i++)
    if (infer_queue_poll(all.queue, 0, &event) != INFER_E_TIMEOUT)
      bench_fail("poll");
  double taken_ns = (double)(bench_now_ns() - before_ns);
  caller_fini(0);
  return taken_ns / polls;
}
