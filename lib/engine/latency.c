/* SPDX-License-Identifier: MIT */
/* Times of targets; see latency.h. */
#include "engine/latency.h"

#include "base/mem.h"
#include "engine/runtime_state.h"
#include "policy/hedge.h"

#include <math.h>

enum { buckets = INF_SINGLE_R_BUCKETS };

/* -log2 of the shares at which a curve is kept, in hundredths. */
static const uint16_t doubts[] = {25, 50, 100, 150, 200, 250, 332, 432};
enum { doubt_count = sizeof doubts / sizeof doubts[0] };

/* What is kept of a series' last reading. */
typedef struct reading {
  inf_latency_marks marks;
  uint64_t usual_ns;
  uint64_t doubt_ns[doubt_count]; /* when so few are left; INF_NEVER */
} reading;

struct inf_latency {
  inf_series series[INF_LATENCY_KINDS][buckets];
  reading readings[INF_LATENCY_KINDS][buckets];
  inf_slowdown slowdown;
  bool silent;
  uint64_t silent_since_ns;
  uint64_t answered_ns; /* when the last that has content was begun */
};

static const reading nothing_read = {
    .marks = {INF_NEVER, INF_NEVER},
    .usual_ns = INF_NEVER,
    .doubt_ns = {INF_NEVER, INF_NEVER, INF_NEVER, INF_NEVER, INF_NEVER,
                 INF_NEVER, INF_NEVER, INF_NEVER},
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
      latency->readings[kind][i] = nothing_read;
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

inf_latency_marks
inf_latency_marks_of(inf_runtime *runtime, const inf_latency_place *place)
{
  inf_latency_marks marks = {INF_NEVER, INF_NEVER};
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_latency *latency = find_locked(runtime, place->target);
  if (latency)
    marks = latency->readings[place->kind][place->bucket].marks;
  pthread_mutex_unlock(&runtime->mutex);
  return marks;
}

/* ---- Silence ------------------------------------------------------------- */

void
inf_latency_note_late(inf_runtime *runtime, const char *target)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_latency *latency = find_locked(runtime, target);
  if (latency)
    inf_slowdown_add(&latency->slowdown, true);
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_latency_note_content(inf_runtime *runtime, const char *target,
                         uint64_t start_ns, bool late)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_latency *latency = find_locked(runtime, target);
  if (latency && !late)
    inf_slowdown_add(&latency->slowdown, false);
  if (latency && start_ns > latency->answered_ns)
    latency->answered_ns = start_ns;
  if (latency && start_ns >= latency->silent_since_ns)
    latency->silent = false;
  pthread_mutex_unlock(&runtime->mutex);
}

/* Between two kept shares by a straight line. */
static uint32_t
doubt_at(const reading *read, uint64_t age_ns)
{
  uint64_t from_ns = 0;
  uint32_t from = 0;
  for (size_t i = 0; i < doubt_count; i++) {
    uint64_t to_ns = read->doubt_ns[i];
    if (to_ns == INF_NEVER)
      return from;
    if (age_ns < to_ns)
      return from + (uint32_t)((doubts[i] - from) * (age_ns - from_ns) /
                               (to_ns - from_ns));
    from = doubts[i];
    from_ns = to_ns;
  }
  return from;
}

uint32_t
inf_latency_doubt(inf_runtime *runtime, const inf_latency_place *place,
                  uint64_t start_ns, uint64_t now_ns)
{
  uint32_t doubt = 0;
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_latency *latency = find_locked(runtime, place->target);
  if (latency && start_ns > latency->answered_ns && start_ns < now_ns)
    doubt = doubt_at(&latency->readings[place->kind][place->bucket],
                     now_ns - start_ns);
  pthread_mutex_unlock(&runtime->mutex);
  return doubt;
}

void
inf_latency_set_silent(inf_runtime *runtime, const char *target,
                       uint64_t since_ns)
{
  pthread_mutex_lock(&runtime->mutex);
  struct inf_latency *latency = find_locked(runtime, target);
  if (latency) {
    latency->silent = true;
    latency->silent_since_ns = since_ns;
  }
  pthread_mutex_unlock(&runtime->mutex);
}

bool
inf_latency_is_silent(inf_runtime *runtime, const char *target)
{
  pthread_mutex_lock(&runtime->mutex);
  const struct inf_latency *latency = find_locked(runtime, target);
  bool silent = latency && latency->silent;
  pthread_mutex_unlock(&runtime->mutex);
  return silent;
}

void
inf_latency_note_tokens(inf_runtime *runtime, const char *target, size_t bytes,
                        int64_t input, int64_t output)
{
  enum { looked_back = 32 };
  pthread_mutex_lock(&runtime->mutex);
  inf_target_state *state = inf_runtime_target_locked(runtime, target);
  if (state && bytes > 0) {
    inf_usual_tokens *usual = &state->usual;
    double per_byte = (double)input / (double)bytes;
    usual->counted += usual->counted < looked_back;
    usual->output += ((double)output - usual->output) / usual->counted;
    usual->input_per_byte +=
        (per_byte - usual->input_per_byte) / usual->counted;
  }
  pthread_mutex_unlock(&runtime->mutex);
}

void
inf_latency_expect(inf_runtime *runtime, const char *target, size_t bytes,
                   int64_t *input, int64_t *output)
{
  static const double usual_per_byte = 0.25;
  pthread_mutex_lock(&runtime->mutex);
  const inf_target_state *state = inf_runtime_known_locked(runtime, target);
  bool known = state && state->usual.counted > 0;
  double per_byte = known ? state->usual.input_per_byte : usual_per_byte;
  *input = (int64_t)(per_byte * (double)bytes + 0.5);
  *output = known ? (int64_t)(state->usual.output + 0.5) : 0;
  pthread_mutex_unlock(&runtime->mutex);
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
  return latency ? latency->readings[place->kind][place->bucket].usual_ns
                 : INF_NEVER;
}

bool
inf_latency_read_locked(inf_runtime *runtime, const inf_latency_place *place,
                        inf_survival *survival)
{
  struct inf_latency *latency = find_locked(runtime, place->target);
  if (!latency ||
      !inf_series_read(&latency->series[place->kind][place->bucket], survival))
    return false;
  const inf_series *series = &latency->series[place->kind][place->bucket];
  reading *read = &latency->readings[place->kind][place->bucket];
  read->marks = (inf_latency_marks){inf_survival_quantile(survival, 0.75),
                                    inf_survival_quantile(survival, 0.9)};
  if (inf_hedge_is_known(inf_series_events(series)))
    read->usual_ns = inf_survival_quantile(survival, 0.5);
  for (size_t i = 0; i < doubt_count; i++)
    read->doubt_ns[i] =
        inf_survival_quantile(survival, 1 - exp2(-doubts[i] / 100.0));
  return true;
}
