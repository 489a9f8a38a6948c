/* SPDX-License-Identifier: MIT */
#include "run.h"

#include "engine/hedger.h"
#include "policy/retry.h"

#include <stdio.h>
#include <stdlib.h>

/* Most of what a call costs is its prompt, as in the traces of code and
 * conversations. */
enum { prompt_tokens = 40 };

static uint64_t
now_of(const sim_run *run)
{
  return inf_clock_now(run->clock) - run->start_ns;
}

static void
complain(sim_run *run, const char *what, const char *why)
{
  if (!run->trouble[0])
    snprintf(run->trouble, sizeof run->trouble, "%s: %s", what, why);
}

void
sim_run_init(sim_run *run, const sim_scene *scene, uint64_t seed)
{
  static uint64_t at_ns[run_max_calls];
  memset(run, 0, sizeof *run);
  run->scene = scene;
  run->seed = seed;
  run->count = scene_plan(scene, seed, at_ns, run_max_calls);
  for (size_t i = 0; i < run->count; i++)
    run->calls[i].due_ns = at_ns[i];
  if (run->count == run_max_calls)
    complain(run, scene->name, "more calls than there is room for");
}

/* ---- Between client and network ------------------------------------------ */

static inf_exchange *
start(inf_transport *transport, const inf_http_request *request,
      const inf_exchange_events *events, void *context)
{
  sim_run *run = INF_CONTAINER_OF(transport->ops, sim_run, ops);
  for (uint32_t i = 0; i < run->scene->targets; i++) {
    size_t len = strlen(run->hosts[i]);
    if (strncmp(request->url, run->hosts[i], len) == 0 &&
        run->send_count < run_max_sends)
      run->sends[run->send_count++] = (run_send){now_of(run), i};
  }
  return run->real_ops->start(transport, request, events, context);
}

/* The client's transport, which tells of each send. */
static inf_transport *
new_transport(void *context, const inf_curl_options *options)
{
  sim_run *run = context;
  inf_transport *transport = run->new_transport(run->context, options);
  if (!transport)
    return NULL;
  run->real_ops = transport->ops;
  run->ops = *transport->ops;
  run->ops.start = start;
  transport->ops = &run->ops;
  return transport;
}

/* ---- Hooks --------------------------------------------------------------- */

static uint32_t
target_of(const infer_attempt *attempt)
{
  return (uint32_t)(infer_attempt_provider(attempt)[1] - '0');
}

static void
note_attempt(sim_run *run, run_call *call, const infer_attempt *attempt)
{
  uint64_t start_ns = (uint64_t)infer_attempt_start_ns(attempt);
  run_attempt entry = {
      .call = (size_t)(call - run->calls),
      .at_ns = call->begun_ns + start_ns,
      .took_ns = (uint64_t)infer_attempt_phase_ns(attempt, INFER_PHASE_END),
      .http_status = infer_attempt_http_status(attempt),
      .status = infer_attempt_status(attempt),
      .target = target_of(attempt),
  };
  if (call->attempts++ == 0)
    call->waited_ns = (int64_t)start_ns;
  call->refused += entry.http_status == 429;
  if (infer_attempt_won(attempt))
    call->served_by = entry.target;
  if (run->attempt_count < run_max_sends)
    run->attempts[run->attempt_count++] = entry;
}

static void
on_call(const infer_call *handle, const infer_response *response,
        const infer_error *error, void *user_data)
{
  sim_run *run = user_data;
  uint64_t number = infer_call_tag(handle);
  run_call *call = &run->calls[number - 1];
  size_t count = response ? infer_response_attempt_count(response)
                          : infer_error_attempt_count(error);
  call->status = infer_error_status(error);
  call->took_ns = now_of(run) - call->begun_ns;
  call->waited_ns = -1;
  for (size_t i = 0; i < count; i++)
    note_attempt(run, call,
                 response ? infer_response_attempt(response, i)
                          : infer_error_attempt(error, i));
  call->ended = true;
  if (run->books)
    ledger_call_ended(run->books, number, call->status,
                      inf_clock_now(run->clock));
  atomic_fetch_add(&run->ended, 1);
}

static void
on_attempt(const infer_call *call, const infer_attempt *attempt,
           void *user_data)
{
  sim_run *run = user_data;
  if (run->books && call) /* else a probe, or a warm-up */
    ledger_attempt_ended(run->books, infer_call_tag(call), attempt,
                         inf_clock_now(run->clock));
}

/* ---- The client ---------------------------------------------------------- */

bool
sim_run_open(sim_run *run, unsigned threads)
{
  const inf_client_parts parts = {new_transport, run, run->clock, run->seed};
  const char *urls[scene_max_targets] = {run->hosts[0], run->hosts[1]};
  infer_config *config = NULL;
  infer_error *error = NULL;
  inf_buf text;
  inf_buf_init(&text, 1 << 16);
  scene_write_config(run->scene, urls, threads, &text);
  int32_t status = infer_config_from_json(&config, text.ptr, text.len, &error);
  if (status == INFER_OK) {
    infer_config_set_telemetry(config, on_attempt, on_call, run);
    status = inf_client_new_with(&run->client, config, &parts, &error);
  }
  if (status == INFER_OK)
    status = infer_queue_new(&run->queue, run->client);
  if (status != INFER_OK)
    complain(run, "no client", infer_error_message(error));
  infer_error_free(error);
  infer_config_free(config);
  inf_buf_fini(&text);
  return status == INFER_OK;
}

static void
enter(sim_run *run, ledger_call *entry, const infer_call *handle)
{
  entry->allowance = inf_retry_allowance(handle->params, handle->target_count);
  entry->deadline_ns =
      inf_clock_now(run->clock) + run->scene->deadline_ms * INF_NS_PER_MS;
  entry->attempt_max_ns = entry->deadline_ns;
  entry->hedges = run->scene->hedges;
  ledger_begin(run->books, entry, inf_clock_now(run->clock));
}

static void
note_hedges(void *context, const inf_hedge_totals *totals)
{
  sim_run *run = context;
  run->hedges += totals->sent;
  run->rescues += totals->rescues;
  run->calls_cost += totals->calls_cost;
  run->losers_cost += totals->losers_cost;
}

static void
note_delay(void *context, const inf_hedge_totals *totals)
{
  sim_run *run = context;
  run->hedge_delay_ns = totals->delay_ns;
}

void
sim_run_submit(sim_run *run, size_t index)
{
  run_call *call = &run->calls[index];
  ledger_call *entry = run->books ? ledger_place(run->books) : NULL;
  infer_request *request = NULL;
  infer_call *handle = NULL;
  char text[4 * prompt_tokens + 1];
  /* As the fleet wants it: whose it is, and how long it counts; as long as that
   * for `infer sim`, which counts four bytes a token. */
  int len =
      snprintf(text, sizeof text, "sim:%zu:%d;", index + 1, prompt_tokens);
  memset(text + len, ' ', sizeof text - (size_t)len);
  text[4 * prompt_tokens] = '\0';
  call->begun_ns = now_of(run);
  if (call->due_ns < run->scene->from_ms * INF_NS_PER_MS)
    inf_hedgers_each(run->client->runtime, note_delay, run);
  int32_t status = infer_request_new(&request, "r");
  if (status == INFER_OK)
    status = infer_request_add_message(request, "user", text);
  if (status == INFER_OK)
    status = infer_submit(run->client, request, INFER_SUBMIT_WHOLE, run->queue,
                          index + 1, &handle, NULL);
  infer_request_free(request);
  if (status != INFER_OK)
    complain(run, "a call is not accepted", infer_status_name(status));
  else if (entry)
    enter(run, entry, handle);
  infer_call_free(handle);
}

void
sim_run_close(sim_run *run)
{
  if (run->client)
    inf_hedgers_each(run->client->runtime, note_hedges, run);
  if (atomic_load(&run->ended) < run->count)
    complain(run, run->scene->name, "not all calls have ended");
  infer_queue_free(run->queue);
  infer_client_free(run->client);
  run->queue = NULL;
  run->client = NULL;
}

/* ---- Figures ------------------------------------------------------------- */

static void
add_figure(sim_figures *figures, const char *name, figure_kind kind,
           double value)
{
  figures->at[figures->count].name = name;
  figures->at[figures->count].kind = kind;
  figures->at[figures->count++].value = value;
}

static bool
is_between(uint64_t at_ns, uint64_t from_ms, uint64_t until_ms)
{
  return at_ns >= from_ms * INF_NS_PER_MS && at_ns < until_ms * INF_NS_PER_MS;
}

static bool
is_measured(const sim_run *run, uint64_t at_ns)
{
  return is_between(at_ns, run->scene->measured_from_ms,
                    run->scene->measured_until_ms);
}

static void
measure_limit(const sim_run *run, sim_figures *figures)
{
  const sim_scene *scene = run->scene;
  double sent = 0, refused = 0, calls = 0, lost = 0, waited_ms = 0;
  for (size_t i = 0; i < run->attempt_count; i++) {
    const run_attempt *attempt = &run->attempts[i];
    sent += is_measured(run, attempt->at_ns);
    refused += is_measured(run, attempt->at_ns) && attempt->http_status == 429;
  }
  for (size_t i = 0; i < run->count; i++) {
    const run_call *call = &run->calls[i];
    if (!is_measured(run, call->due_ns))
      continue;
    calls++;
    lost += call->status != INFER_OK;
    waited_ms += (double)call->waited_ns / 1e6;
  }
  double quota = (scene->per_minute - scene->cotenant_per_minute) / 60e3 *
                 (scene->measured_until_ms - scene->measured_from_ms);
  add_figure(figures, "quota used", FIGURE_SHARE, (sent - refused) / quota);
  add_figure(figures, "429s", FIGURE_SHARE, refused / sent);
  add_figure(figures, "calls lost", FIGURE_SHARE, lost / calls);
  add_figure(figures, "mean wait, ms", FIGURE_VALUE, waited_ms / calls);
}

static double
sends_between(const sim_run *run, uint64_t from_ms, uint64_t until_ms)
{
  double count = 0;
  for (size_t i = 0; i < run->send_count; i++)
    count += run->sends[i].target == 0 &&
             is_between(run->sends[i].at_ns, from_ms, until_ms);
  return count;
}

static double
calls_between(const sim_run *run, uint64_t from_ms, uint64_t until_ms)
{
  double count = 0;
  for (size_t i = 0; i < run->count; i++)
    count += is_between(run->calls[i].due_ns, from_ms, until_ms);
  return count;
}

static void
measure_outage(const sim_run *run, sim_figures *figures)
{
  const sim_scene *scene = run->scene;
  uint32_t from_ms = scene->from_ms, until_ms = scene->until_ms;
  double calls = calls_between(run, from_ms, until_ms);
  double lost = 0, by_second = 0, normal_ms = 0;
  for (size_t i = 0; i < run->count; i++) {
    const run_call *call = &run->calls[i];
    bool ok = call->status == INFER_OK;
    if (is_between(call->due_ns, from_ms, until_ms)) {
      lost += !ok;
      by_second += ok && call->served_by == 1;
    } else if (call->due_ns >= until_ms * INF_NS_PER_MS &&
               (!ok || call->served_by != 0)) {
      normal_ms = (double)call->due_ns / 1e6 - until_ms;
    }
  }
  add_figure(figures, "attempts per call, 1 s", FIGURE_VALUE,
             sends_between(run, from_ms, from_ms + 1000) /
                 calls_between(run, from_ms, from_ms + 1000));
  add_figure(figures, "attempts per call", FIGURE_VALUE,
             sends_between(run, from_ms, until_ms) / calls);
  add_figure(figures, "calls lost", FIGURE_SHARE, lost / calls);
  if (scene->targets > 1)
    add_figure(figures, "by the second target", FIGURE_SHARE,
               by_second / calls);
  add_figure(figures, "repair to normal, ms", FIGURE_VALUE, normal_ms);
}

static int
by_time(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double
percentile(double *sorted, size_t count, size_t permille)
{
  return count > 0 ? sorted[(count - 1) * permille / 1000] : 0;
}

/* Was the call sent to the silent target, and then to another beside it? What
 * was sent before is answered. */
static bool
was_helped(const sim_run *run, const run_call *call)
{
  const sim_scene *scene = run->scene;
  return call->attempts > 1 &&
         is_between(call->due_ns, scene->from_ms, scene->until_ms);
}

size_t
sim_run_added(const sim_run *run, double *added_ms, size_t most)
{
  size_t count = 0;
  for (size_t i = 0; i < run->attempt_count && count < most; i++) {
    const run_attempt *attempt = &run->attempts[i];
    const run_call *call = &run->calls[attempt->call];
    if (attempt->status == INFER_OK && attempt->target == 1 &&
        was_helped(run, call))
      added_ms[count++] = ((double)(attempt->at_ns - call->begun_ns) -
                           (double)run->hedge_delay_ns) /
                          1e6;
  }
  return count;
}

static void
measure_silence(const sim_run *run, sim_figures *figures)
{
  static double added[run_max_calls];
  size_t count = sim_run_added(run, added, run_max_calls);
  double lost = 0;
  for (size_t i = 0; i < run->count; i++)
    lost += run->calls[i].status != INFER_OK;
  qsort(added, count, sizeof *added, by_time);
  add_figure(figures, "calls lost", FIGURE_SHARE, lost);
  add_figure(figures, "calls helped", FIGURE_VALUE, (double)count);
  add_figure(figures, "added p99, ms", FIGURE_VALUE,
             percentile(added, count, 990));
}

static void
measure_hedges(const sim_run *run, sim_figures *figures)
{
  static double times[run_max_calls];
  size_t count = 0;
  double lost = 0;
  for (size_t i = 0; i < run->count; i++) {
    const run_call *call = &run->calls[i];
    lost += call->status != INFER_OK;
    if (is_measured(run, call->due_ns))
      times[count++] = (double)call->took_ns / 1e6;
  }
  qsort(times, count, sizeof *times, by_time);
  add_figure(figures, "p95, ms", FIGURE_VALUE, percentile(times, count, 950));
  add_figure(figures, "p90, ms", FIGURE_VALUE, percentile(times, count, 900));
  add_figure(figures, "p50, ms", FIGURE_VALUE, percentile(times, count, 500));
  add_figure(figures, "calls lost", FIGURE_SHARE, lost / (double)run->count);
}

void
sim_run_measure(const sim_run *run, sim_figures *figures)
{
  figures->count = 0;
  if (run->scene->outage == SCENE_SILENT)
    measure_silence(run, figures);
  else if (run->scene->hedges)
    measure_hedges(run, figures);
  else if (run->scene->per_minute > 0)
    measure_limit(run, figures);
  else
    measure_outage(run, figures);
}
