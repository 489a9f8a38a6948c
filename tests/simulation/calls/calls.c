/* SPDX-License-Identifier: MIT */
/* calls_simulation: how many calls a second one core simulates through engine
 * and policies.
 *
 *   calls_simulation [--seed N] [--calls M]
 *
 * The shipped code runs as in infer_simulation, over the same network and under
 * the same virtual clock: requests and calls, attempts with all their timers,
 * retries with backoff, failover, recovery, breakers with their probes, retry
 * budgets, queues and events. What is left out is what bytes cost: providers
 * speak the dialect of few_bytes.h. Calls come as a Poisson process, 200 each
 * virtual second, half of them streamed, over two routes of three targets.
 * Providers refuse, fail, break off and fall silent, now and then for a while,
 * and all that is drawn from the seed.
 *
 * Each call must end once, a success with the text that was meant for it; what
 * does not ends the program with 1. Prints "sim_calls_per_s VALUE", from the
 * time of the CPU, making and reading of requests and answers included; only
 * calls that were sent at least once count. Lines that begin with "#" tell what
 * happened. */
#include "../dice.h"
#include "few_bytes.h"
#include "transport/virtual.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { provider_count = 4, slots = 1 << 16, batch = 64 };

static const char config_text[] =
    "{\"threads\":0,\"providers\":["
    "{\"name\":\"p0\",\"type\":\"openai\",\"base_url\":\"http://0\","
    "\"api_key\":\"k\",\"proxy\":\"none\"},"
    "{\"name\":\"p1\",\"type\":\"openai\",\"base_url\":\"http://1\","
    "\"api_key\":[\"k\",\"l\"],\"proxy\":\"none\"},"
    "{\"name\":\"p2\",\"type\":\"openai\",\"base_url\":\"http://2\","
    "\"api_key\":\"k\",\"proxy\":\"none\"},"
    "{\"name\":\"p3\",\"type\":\"openai\",\"base_url\":\"http://3\","
    "\"api_key\":\"k\",\"proxy\":\"none\"}],"
    "\"defaults\":{\"timeouts\":{\"connect_ms\":1000,\"first_token_ms\":5000,"
    "\"idle_ms\":5000,\"attempt_ms\":30000,\"deadline_ms\":60000}},"
    "\"routes\":{"
    "\"r0\":{\"targets\":[\"p0/m\",\"p1/m\",\"p2/m\"]},"
    "\"r1\":{\"targets\":[\"p3/m\",\"p1/m\",\"p0/m\"],"
    "\"recovery\":\"restart\"}}}";

typedef enum weather { WELL, DOWN, BUSY, SILENT, WEATHERS } weather;

typedef struct provider {
  inf_rng rng;
  weather weather;
  uint64_t until_ns;
} provider;

typedef struct world {
  inf_virtual_clock clock;
  inf_virtual_server server;
  provider providers[provider_count];
  infer_client *client;
  infer_queue *queue;
  inf_rng rng;
  uint64_t calls, made, ended, succeeded, refused;
  uint64_t attempts, failed_attempts, sent_calls;
  uint64_t number[slots]; /* of the call in that place; 0: none */
  bool told[slots];       /* its text */
  bool broken;
} world;

static void
violated(world *w, const char *what, uint64_t number)
{
  if (!w->broken)
    printf("call %llu: %s\n", (unsigned long long)number, what);
  w->broken = true;
}

static char
text_of(uint64_t number)
{
  return (char)('a' + number % 26);
}

/* ---- Providers ----------------------------------------------------------- */

static weather
weather_at(provider *p, uint64_t now_ns)
{
  const uint64_t well_ns = 100 * INF_NS_PER_S, trouble_ns = 10 * INF_NS_PER_S;
  while (now_ns >= p->until_ns) {
    bool was_well = p->weather == WELL;
    p->weather =
        was_well ? (weather)dice_between(&p->rng, DOWN, WEATHERS - 1) : WELL;
    p->until_ns +=
        1 + dice_exponential(&p->rng, was_well ? trouble_ns : well_ns);
  }
  return p->weather;
}

static provider *
provider_of(world *w, const inf_http_request *request)
{
  return &w->providers[request->url[sizeof "http://" - 1] - '0'];
}

static void
on_connect(void *context, const inf_http_request *request, uint64_t now_ns,
           inf_virtual_link *link)
{
  world *w = context;
  provider *p = provider_of(w, request);
  weather now = weather_at(p, now_ns);
  link->reused = now != DOWN && dice_chance(&p->rng, 950);
  if (!link->reused)
    link->after_ns = dice_exponential(&p->rng, 20 * INF_NS_PER_MS);
  if (now == DOWN)
    link->net = INF_NET_CONNECT;
}

static uint64_t
number_in(const inf_http_request *request)
{
  static const char before[] = "\"content\":\"";
  const char *at =
      memmem(request->body.ptr, request->body.len, before, sizeof before - 1);
  return at ? strtoull(at + sizeof before - 1, NULL, 10) : 0;
}

static void
put_piece(inf_virtual_answer *answer, char what, uint64_t at_ns)
{
  inf_buf_append(&answer->body, "data:", 5);
  inf_buf_append_char(&answer->body, what);
  inf_buf_append(&answer->body, "\n\n", 2);
  inf_virtual_piece_at(answer, at_ns, answer->body.len);
}

static void
on_answer(void *context, uint64_t mark, const inf_http_request *request,
          uint64_t now_ns, inf_virtual_answer *answer)
{
  world *w = context;
  provider *p = provider_of(w, request);
  weather now = weather_at(p, now_ns);
  uint32_t draw = dice_below(&p->rng, 1000);
  (void)mark;
  answer->headers_ns = answer->end_ns =
      dice_lognormal(&p->rng, 300 * INF_NS_PER_MS, DICE_ONE / 2);
  if (now == SILENT) {
    answer->end = INF_VIRTUAL_NEVER;
    return;
  }
  if (draw < 5) { /* 0.5 %, before any byte of it */
    answer->end = INF_VIRTUAL_RESET;
    return;
  }
  if (now == BUSY || draw < 15) { /* 1 % */
    answer->status = 503;
    return;
  }
  if (draw < 17) {
    answer->status = 429;
    inf_headers_add_line(&answer->headers, INF_SV("retry-after: 1"));
    return;
  }
  answer->status = 200;
  put_piece(answer, text_of(number_in(request)), answer->headers_ns);
  answer->end_ns += dice_exponential(&p->rng, 500 * INF_NS_PER_MS);
  if (draw < 22) /* 0.5 %, within it */
    answer->end = INF_VIRTUAL_CUT;
  else
    put_piece(answer, '.', answer->end_ns);
}

static void
on_over(void *context, uint64_t mark, uint64_t now_ns, size_t told_bytes)
{
  (void)context;
  (void)mark;
  (void)now_ns;
  (void)told_bytes;
}

static inf_transport *
new_transport(void *context, const inf_curl_options *options)
{
  world *w = context;
  (void)options;
  return inf_virtual_transport_new(&w->clock, &w->server);
}

/* ---- Calls --------------------------------------------------------------- */

static void
on_attempt(const infer_call *call, const infer_attempt *attempt,
           void *user_data)
{
  world *w = user_data;
  (void)call;
  w->attempts++;
  w->failed_attempts += infer_attempt_status(attempt) != INFER_OK;
}

static void
submit(world *w)
{
  char content[24], *at = content + sizeof content - 1;
  uint64_t number = ++w->made, rest = number;
  uint64_t *place = &w->number[number % slots];
  infer_request *request = NULL;
  *at = '\0';
  do
    *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (*place > 0)
    violated(w, "has not ended", *place);
  int32_t mode =
      dice_chance(&w->rng, 500) ? INFER_SUBMIT_STREAM : INFER_SUBMIT_WHOLE;
  if (infer_request_new(&request, dice_chance(&w->rng, 500) ? "r0" : "r1") !=
          INFER_OK ||
      infer_request_add_message(request, "user", at) != INFER_OK)
    violated(w, "no request", number);
  else if (infer_submit(w->client, request, mode, w->queue, number, NULL,
                        NULL) == INFER_OK)
    *place = number;
  else
    w->refused++;
  w->told[number % slots] = false;
  infer_request_free(request);
}

static bool
is_text_of(const char *text, size_t len, uint64_t number)
{
  return len == 1 && text[0] == text_of(number);
}

static void
take_done(world *w, const infer_event *event)
{
  uint64_t number = infer_event_tag(event);
  const infer_response *response = infer_event_response(event);
  w->ended++;
  if (!response) {
    size_t sent = infer_error_attempt_count(infer_event_error(event));
    w->sent_calls += sent > 0;
  } else {
    size_t len;
    const char *text = infer_response_text(response, &len);
    w->succeeded++;
    w->sent_calls++;
    if (!is_text_of(text, len, number))
      violated(w, "another text than its own", number);
  }
  w->number[number % slots] = 0;
}

static void
take(world *w, const infer_event *event)
{
  uint64_t number = infer_event_tag(event);
  if (number == 0 || w->number[number % slots] != number) {
    violated(w, "an event after its end", number);
    return;
  }
  bool *told = &w->told[number % slots];
  size_t len;
  const char *text = infer_event_text(event, &len);
  switch (infer_event_type(event)) {
  case INFER_EVENT_DONE:
    take_done(w, event);
    break;
  case INFER_EVENT_RESTART:
    *told = false;
    break;
  case INFER_EVENT_TEXT:
    if (*told || !is_text_of(text, len, number))
      violated(w, "is told a wrong text", number);
    *told = true;
    break;
  default:
    break;
  }
}

static void
read_all(world *w)
{
  infer_event *events[batch];
  size_t count = batch;
  while (count == batch) {
    count = inf_queue_take(w->queue, events, batch, NULL);
    for (size_t i = 0; i < count; i++) {
      take(w, events[i]);
      infer_event_free(events[i]);
    }
  }
}

static void
play(world *w)
{
  const uint64_t gap_ns = 5 * INF_NS_PER_MS;
  uint64_t next_ns = w->clock.now_ns;
  while (w->ended + w->refused < w->calls && !w->broken) {
    uint64_t now_ns = w->clock.now_ns;
    uint64_t until_ns = w->made < w->calls ? next_ns : INF_NEVER;
    inf_client_drive(w->client, until_ns > now_ns ? until_ns - now_ns : 0);
    if (atomic_load(&w->queue->events) > 0)
      read_all(w);
    if (w->made < w->calls && w->clock.now_ns >= next_ns) {
      submit(w);
      next_ns += dice_exponential(&w->rng, gap_ns);
    }
  }
}

/* ---- The run ------------------------------------------------------------- */

static bool
begin(world *w, uint64_t seed)
{
  infer_config *config = NULL;
  infer_error *error = NULL;
  inf_virtual_clock_init(&w->clock, INF_NS_PER_S, INT64_C(1767225600000000000));
  w->server = (inf_virtual_server){on_connect, on_answer, on_over, w};
  inf_rng_seed(&w->rng, seed);
  for (size_t i = 0; i < provider_count; i++) {
    inf_rng_seed(&w->providers[i].rng, seed ^ (i + 1) << 32);
    w->providers[i].until_ns =
        INF_NS_PER_S +
        dice_exponential(&w->providers[i].rng, 100 * INF_NS_PER_S);
  }
  const inf_client_parts parts = {new_transport, w, &w->clock.clock, seed};
  int32_t status = infer_config_from_json(&config, config_text,
                                          sizeof config_text - 1, &error);
  if (status == INFER_OK) {
    infer_config_set_telemetry(config, on_attempt, NULL, w);
    status = inf_client_new_with(&w->client, config, &parts, &error);
  }
  if (status == INFER_OK)
    status = infer_queue_new(&w->queue, w->client);
  if (status != INFER_OK)
    fprintf(stderr, "calls_simulation: %s\n", infer_error_message(error));
  else
    few_bytes_speak(w->client);
  infer_config_free(config);
  infer_error_free(error);
  return status == INFER_OK;
}

static double
cpu_s(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

int
main(int argc, char **argv)
{
  static world w;
  uint64_t seed = 1;
  w.calls = 500000;
  for (int i = 1; i + 1 < argc; i += 2) {
    uint64_t value = strtoull(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--seed") == 0)
      seed = value;
    else if (strcmp(argv[i], "--calls") == 0)
      w.calls = value;
    else
      argc = 0;
  }
  if (argc % 2 == 0) {
    fprintf(stderr, "usage: calls_simulation [--seed N] [--calls M]\n");
    return 2;
  }
  if (!begin(&w, seed))
    return 2;
  double began_s = cpu_s();
  play(&w);
  double took_s = cpu_s() - began_s;
  infer_queue_free(w.queue);
  infer_client_free(w.client);
  printf("# %llu calls: %llu succeeded, %llu were sent, %llu refused; %llu "
         "attempts, of which %llu failed; %.0f virtual seconds in %.2f s\n",
         (unsigned long long)w.ended, (unsigned long long)w.succeeded,
         (unsigned long long)w.sent_calls, (unsigned long long)w.refused,
         (unsigned long long)w.attempts, (unsigned long long)w.failed_attempts,
         (double)w.clock.now_ns * 1e-9, took_s);
  printf("sim_calls_per_s %.0f\n", (double)w.sent_calls / took_s);
  return w.broken ? 1 : 0;
}
