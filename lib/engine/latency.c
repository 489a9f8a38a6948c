/* SPDX-License-Identifier: MIT */
/* Times of targets; see latency.h. */
#include "engine/latency.h"

#include "base/mem.h"
#include "engine/runtime_state.h"
#include "policy/hedge.h"

enum { buckets = INF_SINGLE_R_BUCKETS };

struct inf_latency {
  inf_series series[INF_LATENCY_KINDS][buckets];
  uint64_t late_ns[INF_LATENCY_KINDS][buckets];
  uint64_t usual_ns[INF_LATENCY_KINDS][buckets];
  inf_slowdown slowdown;
  uint32_t late_run; /* late ones since the last content */
  uint32_t outputs;  /* that `output` is the mean of */
  double output;
};

static struct inf_latency *
latency_new(inf_runtime *runtime)
{
  struct inf_latency *latency = inf_calloc(1, sizeof *latency);
  if (!latency)
    return NULL;
  for (size_t kind = 0; kind < INF_LATENCY_KINDS; kind++)
    for (size_t i = 0; i < buckets; i++) {
      inf_series_init(&latency->series[kind][i], &runtime->latency_room);
      latency->late_ns[kind][i] = latency->usual_ns[kind][i] = INF_NEVER;
    }
  return latency;
}

void
inf_latency_free(struct inf_latency *latency)
{
  if (!latency)
    return;
  for (size_t kind = 0; kind < INF_LATENCY_KINDS; kind++)
    for (size_t i = 0; i < buckets; i++)
      inf_series_fini(&latency->series[kind][i]);
  inf_free(latency);
}

static struct inf_latency *
find_locked(inf_runtime *runtime, const char *target)
{
  inf_target_state *state = inf_runtime_known_locked(runtime, target);
  return state ? state->latency : NULL;
}

static struct inf_latency *
need_locked(inf_runtime *runtime, const char *target)
{
  inf_target_state *state = inf_runtime_target_locked(runtime, target);
  if (state && !state->latency)
    state->latency = latency_new(runtime);
  return state ? state->latency : NULL;
}

/* What was slow belonged to another regime. */
void
inf_latency_record(inf_runtime *runtime, const inf_latency_place *place,
                   uint64_t ns, bool censored)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_latency *latency = need_locked(runtime, place->target);
  if (latency && inf_series_record(&latency->series[place->kind][place->bucket],
                                   ns, censored))
    latency->slowdown = (inf_slowdown){0};
  pthread_mutex_unlock(&runtime->mutex);
}

uint64_t
inf_latency_late_ns(inf_runtime *runtime, const inf_latency_place *place)
{
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_latency *latency = find_locked(runtime, place->target);
  uint64_t ns =
      latency ? latency->late_ns[place->kind][place->bucket] : INF_NEVER;
  pthread_mutex_unlock(&runtime->mutex);
  return ns;
}

static bool
is_silent(const struct inf_latency *latency)
{
  return latency && latency->late_run >= INF_LATENCY_SILENT;
}

uint32_t
inf_latency_note_late(inf_runtime *runtime, const char *target)
{
  uint32_t run = 0;
  pthread_mutex_lock(&runtime->mutex);
  struct inf_latency *latency = find_locked(runtime, target);
  if (latency) {
    inf_slowdown_add(&latency->slowdown, true);
    run = ++latency->late_run;
  }
  pthread_mutex_unlock(&runtime->mutex);
  return run;
}

void
inf_latency_note_content(inf_runtime *runtime, const char *target,
                         bool was_late)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_latency *latency = find_locked(runtime, target);
  if (latency) {
    if (!was_late)
      inf_slowdown_add(&latency->slowdown, false);
    latency->late_run = 0;
  }
  pthread_mutex_unlock(&runtime->mutex);
}

bool
inf_latency_is_silent(inf_runtime *runtime, const char *target)
{
  pthread_mutex_lock(&runtime->mutex);
  bool silent = is_silent(find_locked(runtime, target));
  pthread_mutex_unlock(&runtime->mutex);
  return silent;
}

void
inf_latency_note_output(inf_runtime *runtime, const char *target,
                        int64_t tokens)
{
  enum { looked_back = 32 };
  pthread_mutex_lock(&runtime->mutex);
  struct inf_latency *latency = find_locked(runtime, target);
  if (latency) {
    latency->outputs += latency->outputs < looked_back;
    latency->output += ((double)tokens - latency->output) / latency->outputs;
  }
  pthread_mutex_unlock(&runtime->mutex);
}

int64_t
inf_latency_output(inf_runtime *runtime, const char *target)
{
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_latency *latency = find_locked(runtime, target);
  int64_t tokens = latency ? (int64_t)(latency->output + 0.5) : 0;
  pthread_mutex_unlock(&runtime->mutex);
  return tokens;
}

inf_latency_view
inf_latency_view_locked(inf_runtime *runtime, const inf_latency_place *place)
{
  struct inf_latency *latency = find_locked(runtime, place->target);
  if (!latency)
    return (inf_latency_view){0};
  return (inf_latency_view){&latency->series[place->kind][place->bucket],
                            &latency->slowdown};
}

uint64_t
inf_latency_usual_locked(inf_runtime *runtime, const inf_latency_place *place)
{
  const struct inf_latency *latency = find_locked(runtime, place->target);
  return latency ? latency->usual_ns[place->kind][place->bucket] : INF_NEVER;
}

bool
inf_latency_read_locked(inf_runtime *runtime, const inf_latency_place *place,
                        inf_survival *survival)
{
  struct inf_latency *latency = find_locked(runtime, place->target);
  if (!latency ||
      !inf_series_read(&latency->series[place->kind][place->bucket], survival))
    return false;
  latency->late_ns[place->kind][place->bucket] =
      inf_survival_quantile(survival, 0.9);
  latency->usual_ns[place->kind][place->bucket] =
      inf_survival_quantile(survival, 0.5);
  return true;
}
