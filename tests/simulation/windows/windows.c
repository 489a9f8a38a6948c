/* SPDX-License-Identifier: MIT */
/* windows_simulation: what the statistics' windows say of a target whose
 * attempts are hedged, beside the distribution that they are drawn from.
 *
 *   windows_simulation [--seed N] [--calls M]
 *
 * The shipped engine under a virtual clock. Two providers have their first
 * content after a lognormal time, a tenth of the attempts after five times as
 * long; calls come as a Poisson process, 20 each second, over a route that
 * hedges for 10 % of the cost. What is slow at the first provider is mostly cut
 * short.
 *
 * Prints, for each percentile of the last 60 minutes,
 *
 *   NAME RELATIVE-ERROR LIMIT ok|MISSED
 *
 * and on lines that begin with "#" what the times would be if those that were
 * cut were left out. That has to be wrong by more than the limit at p95, or the
 * run has proved nothing. Exits with 1 for what was missed. */
#include "../calls/few_bytes.h"
#include "../dice.h"
#include "engine/runtime_state.h"
#include "transport/virtual.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { batch = 64, draws = 1000000 };

static const char config_text[] =
    "{\"threads\":0,\"providers\":["
    "{\"name\":\"p0\",\"type\":\"openai\",\"base_url\":\"http://0\","
    "\"api_key\":\"k\",\"proxy\":\"none\"},"
    "{\"name\":\"p1\",\"type\":\"openai\",\"base_url\":\"http://1\","
    "\"api_key\":\"k\",\"proxy\":\"none\"}],"
    "\"defaults\":{\"timeouts\":{\"first_token_ms\":60000,"
    "\"attempt_ms\":90000,\"deadline_ms\":120000}},"
    "\"routes\":{\"r\":{\"targets\":[\"p0/m\",\"p1/m\"],"
    "\"breaker\":false,\"keep_warm\":false,\"hedge\":{\"budget\":0.1}}}}";

typedef struct world {
  inf_virtual_clock clock;
  inf_virtual_server server;
  inf_rng times[2], arrivals;
  infer_client *client;
  infer_queue *queue;
  uint64_t calls, made, ended, failed;
} world;

static uint64_t
draw_ns(inf_rng *rng)
{
  uint64_t ns =
      dice_lognormal(rng, 300 * INF_NS_PER_MS, (uint32_t)(DICE_ONE * 0.4));
  return dice_chance(rng, 100) ? 5 * ns : ns;
}

static void
on_connect(void *context, const inf_http_request *request, uint64_t now_ns,
           inf_virtual_link *link)
{
  (void)context;
  (void)request;
  (void)now_ns;
  link->reused = true;
}

static void
put_piece(inf_virtual_answer *answer, const char *piece, uint64_t at_ns)
{
  inf_buf_append_cstr(&answer->body, piece);
  inf_virtual_piece_at(answer, at_ns, answer->body.len);
}

static void
on_answer(void *context, uint64_t mark, const inf_http_request *request,
          uint64_t now_ns, inf_virtual_answer *answer)
{
  world *w = context;
  (void)mark;
  (void)now_ns;
  uint64_t ns = draw_ns(&w->times[request->url[sizeof "http://" - 1] - '0']);
  answer->status = 200;
  answer->headers_ns = ns;
  put_piece(answer, "data:a\n\n", ns);
  answer->end_ns = ns + 50 * INF_NS_PER_MS;
  put_piece(answer, "data:.\n\n", answer->end_ns);
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

static bool
begin(world *w, uint64_t seed)
{
  infer_config *config = NULL;
  infer_error *error = NULL;
  inf_virtual_clock_init(&w->clock, INF_NS_PER_S, INT64_C(1767225600000000000));
  w->server = (inf_virtual_server){on_connect, on_answer, on_over, w};
  inf_rng_seed(&w->arrivals, seed);
  for (uint64_t i = 0; i < 2; i++)
    inf_rng_seed(&w->times[i], seed ^ (i + 1) << 32);
  const inf_client_parts parts = {new_transport, w, &w->clock.clock, seed};
  int32_t status = infer_config_from_json(&config, config_text,
                                          sizeof config_text - 1, &error);
  if (status == INFER_OK)
    status = inf_client_new_with(&w->client, config, &parts, &error);
  if (status == INFER_OK)
    status = infer_queue_new(&w->queue, w->client);
  if (status == INFER_OK)
    few_bytes_speak(w->client);
  else
    fprintf(stderr, "windows_simulation: %s\n", infer_error_message(error));
  infer_config_free(config);
  infer_error_free(error);
  return status == INFER_OK;
}

static void
submit(world *w)
{
  infer_request *request = NULL;
  w->made++;
  if (infer_request_new(&request, "r") != INFER_OK ||
      infer_request_add_message(request, "user", "hello") != INFER_OK ||
      infer_submit(w->client, request, INFER_SUBMIT_WHOLE, w->queue, 0, NULL,
                   NULL) != INFER_OK) {
    w->ended++;
    w->failed++;
  }
  infer_request_free(request);
}

static void
read_all(world *w)
{
  infer_event *event;
  while (inf_queue_take(w->queue, &event, 1, NULL) > 0) {
    w->ended++;
    w->failed += infer_event_status(event) != INFER_OK;
    infer_event_free(event);
  }
}

static void
play(world *w)
{
  uint64_t next_ns = w->clock.now_ns;
  while (w->ended < w->calls) {
    uint64_t now_ns = w->clock.now_ns;
    uint64_t until_ns = w->made < w->calls ? next_ns : INF_NEVER;
    inf_client_drive(w->client, until_ns > now_ns ? until_ns - now_ns : 0);
    read_all(w);
    if (w->made < w->calls && w->clock.now_ns >= next_ns) {
      submit(w);
      next_ns += dice_exponential(&w->arrivals, 50 * INF_NS_PER_MS);
    }
  }
}

/* ---- What is said of it -------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* The quantiles of the distribution itself. */
static void
true_quantiles(uint64_t out[INF_QUANTILES])
{
  static uint64_t times[draws];
  inf_rng rng;
  inf_rng_seed(&rng, 4711);
  for (size_t i = 0; i < draws; i++)
    times[i] = draw_ns(&rng);
  qsort(times, draws, sizeof *times, compare);
  for (size_t i = 0; i < INF_QUANTILES; i++)
    out[i] = times[(size_t)(inf_quantile_shares[i] * draws)];
}

static double
error_of(uint64_t told_ns, uint64_t true_ns)
{
  return told_ns == INF_NEVER ? 1 : fabs((double)told_ns / (double)true_ns - 1);
}

static bool
tell(const world *w)
{
  static const char *const names[] = {"p50", "p90", "p95"};
  static inf_quantile_work work, seen;
  inf_telemetry *telemetry = w->client->runtime->telemetry;
  const inf_telemetry_series *series = inf_telemetry_first(telemetry);
  uint64_t exact[INF_QUANTILES];
  bool ok = true;
  while (strcmp(series->target, "p0/m") != 0)
    series = series->next;
  true_quantiles(exact);
  inf_quantiles told =
      inf_telemetry_quantiles(telemetry, series, INF_WINDOW_60M,
                              INF_TIME_FIRST_TOKEN, w->clock.now_ns, &work);
  seen.events = work.events;
  inf_quantiles naive = inf_quantiles_read(&seen);
  printf("# %llu times seen, %llu cut\n", (unsigned long long)told.events,
         (unsigned long long)told.censored);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    double error = error_of(told.ns[i], exact[i]);
    printf("# %s %.1f ms, said %.1f ms; without those that were cut %.1f ms\n",
           names[i], (double)exact[i] / 1e6, (double)told.ns[i] / 1e6,
           (double)naive.ns[i] / 1e6);
    printf("windows_%s_error %.4f 0.05 %s\n", names[i], error,
           error <= 0.05 ? "ok" : "MISSED");
    ok = ok && error <= 0.05;
  }
  bool proves = error_of(naive.ns[2], exact[2]) > 0.05;
  if (!proves)
    printf("# nothing is proved: hardly anything was cut\n");
  return ok && proves && w->failed == 0;
}

int
main(int argc, char **argv)
{
  static world w;
  uint64_t seed = 1;
  w.calls = 68000; /* 57 minutes */
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
    fprintf(stderr, "usage: windows_simulation [--seed N] [--calls M]\n");
    return 2;
  }
  if (!begin(&w, seed))
    return 2;
  play(&w);
  bool ok = tell(&w);
  infer_queue_free(w.queue);
  infer_client_free(w.client);
  return ok ? 0 : 1;
}
