/* SPDX-License-Identifier: MIT */
#include "worlds.h"

#include "support/sim_process.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* From the start of a provider's script to the first call: by then all of them
 * have been started. */
enum { lead_ms = 4000, max_runs = 64 };

typedef struct real_hosts {
  sim_process *sims[scene_max_targets];
  uint64_t began_ns; /* the first provider's script, on the system's clock */
} real_hosts;

/* A call of any run, and when it is to be made. */
typedef struct due_call {
  uint64_t at_ns;
  sim_run *run;
  size_t index;
} due_call;

static inf_transport *
new_transport(void *context, const inf_curl_options *options)
{
  (void)context;
  return inf_curl_transport_new(options);
}

static void
complain(sim_run *run, const char *what)
{
  if (!run->trouble[0])
    snprintf(run->trouble, sizeof run->trouble, "%s: %s", run->scene->name,
             what);
}

static uint64_t
monotonic_ns(void)
{
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * INF_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* ---- Providers ----------------------------------------------------------- */

static uint64_t
member_ns(json_object *entry, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex(entry, name, &value);
  return (uint64_t)json_object_get_int64(value);
}

/* When its script began, on CLOCK_MONOTONIC, by its log of a request that is no
 * completion; 0: not known. */
static uint64_t
script_began_ns(sim_process *sim)
{
  static const char ask[] = "GET /v1/models HTTP/1.1\r\nHost: sim\r\n"
                            "Connection: close\r\n\r\n";
  size_t len;
  if (!sim_reset(sim))
    return 0;
  free(sim_exchange(sim, ask, sizeof ask - 1, &len, NULL));
  char *text = sim_wait_log(sim, 1, 5000);
  json_object *log = text ? json_tokener_parse(text) : NULL;
  json_object *entry = log ? json_object_array_get_idx(log, 0) : NULL;
  uint64_t began_ns = 0;
  if (entry)
    began_ns = member_ns(entry, "received_monotonic_ns") -
               member_ns(entry, "received_ns");
  json_object_put(log);
  free(text);
  return began_ns;
}

static bool
open_providers(sim_run *run, real_hosts *hosts)
{
  for (size_t i = 0; i < run->scene->targets; i++) {
    inf_buf script;
    inf_buf_init(&script, 1 << 16);
    scene_write_script(run->scene, run->seed, i, lead_ms, &script);
    hosts->sims[i] = sim_start(inf_buf_cstr(&script), NULL);
    inf_buf_fini(&script);
    if (!hosts->sims[i])
      return false;
    snprintf(run->hosts[i], sizeof run->hosts[i], "%s",
             sim_url(hosts->sims[i]));
  }
  hosts->began_ns = script_began_ns(hosts->sims[0]);
  return hosts->began_ns > 0;
}

static void
open_run(sim_run *run, real_hosts *hosts)
{
  run->clock = inf_clock_system();
  run->new_transport = new_transport;
  if (!open_providers(run, hosts)) {
    complain(run, "no provider");
    return;
  }
  /* The two clocks differ by the time that the machine has slept. */
  uint64_t slept_ns = inf_clock_now(run->clock) - monotonic_ns();
  run->start_ns = hosts->began_ns + slept_ns + lead_ms * INF_NS_PER_MS;
  sim_run_open(run, 1);
  if (inf_clock_now(run->clock) >= run->start_ns)
    complain(run, "its providers were not started in time");
}

/* ---- Calls --------------------------------------------------------------- */

static int
by_time(const void *left, const void *right)
{
  const due_call *a = left, *b = right;
  return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

static void
sleep_until(const inf_clock *clock, uint64_t at_ns)
{
  for (;;) {
    uint64_t now_ns = inf_clock_now(clock);
    if (now_ns >= at_ns)
      return;
    uint64_t ns = at_ns - now_ns;
    struct timespec wait = {(time_t)(ns / INF_NS_PER_S),
                            (long)(ns % INF_NS_PER_S)};
    nanosleep(&wait, NULL);
  }
}

static void
make_calls(sim_run *const *runs, size_t count)
{
  size_t due_count = 0;
  due_call *due = calloc(count * run_max_calls, sizeof *due);
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; !runs[i]->trouble[0] && k < runs[i]->count; k++)
      due[due_count++] =
          (due_call){runs[i]->start_ns + runs[i]->calls[k].due_ns, runs[i], k};
  qsort(due, due_count, sizeof *due, by_time);
  for (size_t i = 0; i < due_count; i++) {
    sleep_until(due[i].run->clock, due[i].at_ns);
    sim_run_submit(due[i].run, due[i].index);
  }
  free(due);
}

static void
wait_for_ends(sim_run *run)
{
  uint64_t deadline_ns = run->scene->deadline_ms * INF_NS_PER_MS;
  uint64_t end_ns = inf_clock_now(run->clock) + deadline_ns + 2 * INF_NS_PER_S;
  while (atomic_load(&run->ended) < run->count &&
         inf_clock_now(run->clock) < end_ns)
    sleep_until(run->clock, inf_clock_now(run->clock) + 5 * INF_NS_PER_MS);
}

/* ---- Pace ---------------------------------------------------------------- */

static int
by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

static double
percentile(double *values, size_t count, size_t percent)
{
  qsort(values, count, sizeof *values, by_value);
  return count > 0 ? values[(count - 1) * percent / 100] : 0;
}

/* What came later than its provider meant it. */
static double
behind_ms(const sim_run *run, const run_attempt *attempt)
{
  return (double)attempt->took_ns / 1e6 - run->scene->answer_ms;
}

static void
measure_pace(sim_run *const *runs, size_t count, real_pace *pace)
{
  size_t calls = 0, answers = 0;
  double *late = calloc(count * run_max_calls, sizeof *late);
  double *behind = calloc(count * run_max_sends, sizeof *behind);
  for (size_t i = 0; i < count; i++) {
    const sim_run *run = runs[i];
    for (size_t k = 0; k < run->count; k++)
      late[calls++] =
          ((double)run->calls[k].begun_ns - (double)run->calls[k].due_ns) / 1e6;
    for (size_t k = 0; k < run->attempt_count; k++)
      if (run->attempts[k].status == INFER_OK && !run->scene->hedges)
        behind[answers++] = behind_ms(run, &run->attempts[k]);
  }
  pace->late_p99_ms = percentile(late, calls, 99);
  pace->late_max_ms = percentile(late, calls, 100);
  pace->answer_p99_ms = percentile(behind, answers, 99);
  pace->answer_max_ms = percentile(behind, answers, 100);
  free(late);
  free(behind);
}

/* ---- All of them --------------------------------------------------------- */

void
real_play(sim_run *const *runs, size_t count, real_pace *pace)
{
  static real_hosts hosts[max_runs];
  memset(hosts, 0, sizeof hosts);
  for (size_t i = 0; i < count; i++)
    open_run(runs[i], &hosts[i]);
  make_calls(runs, count);
  for (size_t i = 0; i < count; i++) {
    if (!runs[i]->trouble[0])
      wait_for_ends(runs[i]);
    sim_run_close(runs[i]);
    for (size_t k = 0; k < runs[i]->scene->targets; k++)
      if (!sim_stop(hosts[i].sims[k]))
        complain(runs[i], "a provider did not end in order");
  }
  measure_pace(runs, count, pace);
}
