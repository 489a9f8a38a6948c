/* SPDX-License-Identifier: MIT */
/* Plays a trace: see replay_run.h. */

#include "replay_run.h"

#include "cmd.h"
#include "load.h"
#include "out.h"
#include "replay_call.h"
#include "replay_dialect.h"
#include "replay_trace.h"

#include "base/mem.h"
#include "engine/client.h"

#include <time.h>

enum { batch = 64 };
/* An engine that does so much while no time passes does it for ever. */
enum { turns_at_once_max = 1000000 };
/* Tokens come together within so much, but never within more than a quarter of
 * the time after which a silent answer is given up. */
static const uint64_t most_gap_ns = 2 * INF_NS_PER_S;
/* 2026-01-01; the clock starts at one second. */
static const int64_t wall_start_ns = INT64_C(1767225600000000000);
static const uint64_t start_ns = INF_NS_PER_S;
/* Some 190 years: the wall clock's 64 bits end soon after. */
static const double longest_ns = 6e18;

typedef struct replay {
  const inf_replay_options *options;
  inf_replay_result *result;
  inf_virtual_clock clock;
  inf_replay_server *server;
  inf_provider_kind *kinds;
  infer_client *client;
  infer_queue *queue;
  inf_replay_trace *trace;
  inf_replay_trace_request next; /* the next request */
  bool has_next;
  uint64_t next_ns;
  inf_replay_places places;
  uint64_t live;
  inf_replay_prompt prompt;
  inf_buf error;
  int code; /* of that error */
} replay;

/* ---- Hooks --------------------------------------------------------------- */

static void
on_attempt(const infer_call *call, const infer_attempt *attempt,
           void *user_data)
{
  replay *run = user_data;
  (void)call;
  inf_replay_tally_attempt(&run->result->tally, attempt);
}

static inf_replay_facts *
facts_of(void *context, uint64_t place)
{
  replay *run = context;
  inf_replay_call *call = inf_replay_place_at(&run->places, place);
  return call ? &call->facts : NULL;
}

/* ---- Calls --------------------------------------------------------------- */

static int32_t
make_request(replay *run, size_t place, infer_request **request)
{
  const inf_replay_trace_request *from = &run->next;
  int32_t status = infer_request_new(
      request, from->model[0] ? from->model : run->options->model);
  if (status == INFER_OK) {
    status = inf_replay_prompt_add(&run->prompt, *request, place,
                                   from->prompt_tokens);
  }
  if (status == INFER_OK && from->tenant[0]) {
    status = infer_request_set_tenant(*request, from->tenant);
  }
  return status;
}

static size_t
take_place(replay *run)
{
  const inf_replay_trace_request *from = &run->next;
  size_t place = inf_replay_place_take(&run->places);
  inf_replay_call *call = inf_replay_place_at(&run->places, place);
  call->made_ns = run->clock.now_ns;
  call->facts.number = run->result->requests;
  call->facts.prompt_tokens = from->prompt_tokens;
  call->facts.answer_tokens = from->answer_tokens;
  inf_buf_append(&call->facts.prefix, from->prefix,
                 from->prefix_count * sizeof(*from->prefix));
  inf_sim_must(&call->facts.prefix);
  return place;
}

/* Says what is wrong with the request at hand. */
static bool
fail_request(replay *run, const char *why)
{
  inf_buf_appendf(&run->error, "%s:%llu: %s", run->options->trace,
                  (unsigned long long)run->next.line, why);
  return false;
}

/* False for a mistake of the trace, which is named. */
static bool
submit(replay *run)
{
  if (!run->next.model[0] && !run->options->model) {
    run->code = EXIT_USAGE;
    return fail_request(run, "the request names no model, and there is no only "
                             "route: give one with --model");
  }
  infer_request *request = NULL;
  infer_error *error = NULL;
  size_t place = take_place(run);
  int32_t status = make_request(run, place, &request);
  bool made = status == INFER_OK;
  if (made) {
    status = infer_submit(run->client, request, INFER_SUBMIT_STREAM, run->queue,
                          place, NULL, &error);
  }
  infer_request_free(request);
  run->result->requests++;
  if (status == INFER_OK) {
    run->live++;
    if (run->live > run->result->live_max) {
      run->result->live_max = run->live;
    }
    return true;
  }
  inf_replay_place_give(&run->places, place);
  if (made && status == INFER_E_LIMIT) {
    inf_replay_tally_call(&run->result->tally, status, 0, 0);
    infer_error_free(error);
    return true;
  }
  if (!made && status == INFER_E_INVALID_ARGUMENT) {
    return fail_request(run, "the name of its model or tenant is not valid");
  }
  fail_request(run,
               error ? infer_error_message(error) : infer_status_text(status));
  infer_error_free(error);
  return false;
}

/* ---- Events -------------------------------------------------------------- */

static void
take_done(replay *run, const infer_event *event, size_t place)
{
  const inf_replay_call *call = inf_replay_place_at(&run->places, place);
  int32_t status = infer_event_response(event)
                       ? INFER_OK
                       : infer_error_status(infer_event_error(event));
  uint64_t now_ns = run->clock.now_ns;
  uint64_t first_ns = call->first_ns > 0 ? call->first_ns : now_ns;
  inf_replay_tally_call(&run->result->tally, status, first_ns - call->made_ns,
                        now_ns - call->made_ns);
  run->live--;
  inf_replay_place_give(&run->places, place);
}

static void
take_event(replay *run, const infer_event *event)
{
  size_t place = (size_t)infer_event_tag(event);
  inf_replay_call *call = inf_replay_place_at(&run->places, place);
  switch (infer_event_type(event)) {
  case INFER_EVENT_TEXT:
    if (call->first_ns == 0) {
      call->first_ns = run->clock.now_ns;
    }
    break;
  case INFER_EVENT_DONE:
    take_done(run, event, place);
    break;
  default:
    break;
  }
}

static void
read_events(replay *run)
{
  infer_event *events[batch];
  size_t count = batch;
  while (count == batch) {
    count = inf_queue_take(run->queue, events, batch, NULL);
    for (size_t i = 0; i < count; i++) {
      take_event(run, events[i]);
      infer_event_free(events[i]);
    }
  }
}

/* ---- The course of events ------------------------------------------------ */

static bool
is_stopped(const replay *run)
{
  return run->options->stop && *run->options->stop != 0;
}

/* False if the trace is wrong. */
static bool
read_next(replay *run)
{
  const inf_replay_options *options = run->options;
  run->has_next = false;
  if (is_stopped(run)) {
    run->result->interrupted = true;
    return true;
  }
  if (options->limit > 0 && run->result->requests >= options->limit) {
    return true;
  }
  int got = inf_replay_trace_next(run->trace, &run->next, &run->error);
  if (got != 1) {
    run->result->interrupted = is_stopped(run);
    return got == 0;
  }
  double exact_ns = (double)run->next.at_ns / options->speed;
  if (exact_ns > longest_ns) {
    return fail_request(run, "at this speed, more than 190 years after the "
                             "first request");
  }
  uint64_t after_ns = options->speed > 1 || options->speed < 1
                          ? (uint64_t)exact_ns
                          : run->next.at_ns;
  run->has_next = true;
  run->next_ns = start_ns + after_ns;
  run->result->span_ns = after_ns;
  return true;
}

static bool
submit_due(replay *run)
{
  while (run->has_next && run->clock.now_ns >= run->next_ns) {
    if (!submit(run) || !read_next(run)) {
      return false;
    }
  }
  return true;
}

static bool
has_models(replay *run)
{
  const char *unknown = inf_replay_server_unknown(run->server);
  if (unknown) {
    inf_buf_appendf(&run->error, "no model of a provider is for %s (--models)",
                    unknown);
  }
  return !unknown;
}

static bool
play(replay *run)
{
  uint64_t turns_at_once = 0;
  if (!read_next(run)) {
    return false;
  }
  while (run->has_next || run->live > 0) {
    uint64_t now_ns = run->clock.now_ns;
    uint64_t until_ns = run->has_next ? run->next_ns : INF_NEVER;
    inf_client_drive(run->client, until_ns > now_ns ? until_ns - now_ns : 0);
    turns_at_once = run->clock.now_ns > now_ns ? 0 : turns_at_once + 1;
    if (atomic_load(&run->queue->events) > 0) {
      read_events(run);
    }
    if (!submit_due(run)) {
      return false;
    }
    if (!has_models(run)) {
      return false;
    }
    if (turns_at_once > turns_at_once_max) {
      inf_buf_append_cstr(&run->error, "a call neither goes on nor ends (are "
                                       "all its timeouts off?)");
      return false;
    }
  }
  return true;
}

/* ---- Beginning and end --------------------------------------------------- */

static inf_transport *
new_transport(void *context, const inf_curl_options *options)
{
  replay *run = context;
  (void)options;
  return inf_virtual_transport_new(&run->clock,
                                   inf_replay_server_of(run->server));
}

/* The longest time in which tokens may come together. */
static uint64_t
gap_of(const inf_config *config)
{
  uint64_t gap_ns = most_gap_ns;
  for (size_t i = 0; i <= config->route_count; i++) {
    const inf_route_params *params =
        i < config->route_count ? &config->routes[i].params : &config->defaults;
    uint64_t quarter_ns =
        (uint64_t)params->timeouts.idle_ms * INF_NS_PER_MS / 4;
    if (quarter_ns > 0 && quarter_ns < gap_ns) {
      gap_ns = quarter_ns;
    }
  }
  return gap_ns;
}

/* Every target of whom is asked by default has a model, and the name is one. */
static int
check_targets(replay *run)
{
  const inf_config *config = run->client->config;
  const inf_route_config *route;
  infer_error *error = NULL;
  if (!run->options->model) {
    return 0;
  }
  int32_t status = inf_config_resolve(config, inf_sv_from(run->options->model),
                                      &route, &error);
  if (status != INFER_OK) {
    return inf_load_failed(error, status);
  }
  for (size_t i = 0; i < route->target_count; i++) {
    inf_replay_server_expect(run->server, &route->targets[i]);
  }
  inf_config_release_route(config, route);
  return has_models(run) ? 0 : EXIT_CONFIG;
}

static int
open_all(replay *run, infer_config *config)
{
  const inf_replay_options *options = run->options;
  infer_error *error = NULL;
  inf_virtual_clock_init(&run->clock, start_ns, wall_start_ns);
  run->trace = inf_replay_trace_open(options->trace, &run->error);
  if (!run->trace) {
    return EXIT_CALL_FAILED;
  }
  const inf_replay_server_options serving = {
      .models = options->models,
      .clock = &run->clock,
      .seed = options->seed,
      .start_ns = start_ns,
      .facts = facts_of,
      .context = run,
  };
  run->server = inf_replay_server_new(&serving);
  const inf_client_parts parts = {new_transport, run, &run->clock.clock,
                                  options->seed};
  int32_t status = infer_config_set_telemetry(config, on_attempt, NULL, run);
  if (status == INFER_OK) {
    status = inf_client_new_with(&run->client, config, &parts, &error);
  }
  if (status == INFER_OK) {
    status = infer_queue_new(&run->queue, run->client);
  }
  if (status != INFER_OK) {
    return inf_load_failed(error, status);
  }
  inf_replay_server_serve(run->server, run->client->config,
                          gap_of(run->client->config));
  run->kinds = inf_replay_speak(run->client);
  return run->kinds ? check_targets(run)
                    : inf_load_failed(NULL, INFER_E_NO_MEMORY);
}

static void
close_all(replay *run)
{
  infer_queue_free(run->queue);
  infer_client_free(run->client);
  inf_free(run->kinds);
  inf_replay_server_free(run->server);
  inf_replay_trace_close(run->trace);
  inf_replay_places_free(&run->places);
  inf_buf_fini(&run->prompt.text);
  inf_buf_fini(&run->error);
}

static uint64_t
cpu_ns(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return (uint64_t)ts.tv_sec * INF_NS_PER_S + (uint64_t)ts.tv_nsec;
}

int
inf_replay_run(infer_config *config, const inf_replay_options *options,
               inf_replay_result *result)
{
  replay run = {.options = options, .result = result, .code = EXIT_CALL_FAILED};
  uint64_t began_ns = cpu_ns();
  memset(result, 0, sizeof(*result));
  inf_buf_init(&run.error, INF_SIM_BUF_MAX);
  inf_buf_init(&run.prompt.text, INF_SIM_BUF_MAX);
  int code = open_all(&run, config);
  if (code == 0 && !play(&run)) {
    code = run.code;
  }
  result->virtual_ns = run.clock.now_ns - start_ns;
  if (run.error.len > 0) {
    inf_say("%s", inf_buf_cstr(&run.error));
  }
  close_all(&run);
  inf_replay_tally_sort(&result->tally);
  result->cpu_ns = cpu_ns() - began_ns;
  return code;
}
