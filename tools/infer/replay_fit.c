/* SPDX-License-Identifier: MIT */
/* Fits models to measurements: see replay_fit.h. */

#include "replay_fit.h"

#include "base/error.h"
#include "base/mem.h"
#include "infer/infer.h"

#include <math.h>
#include <stdlib.h>

/* Points of a distribution: more say nothing that samples of this kind know. */
enum { max_points = 1001 };
/* Pairs of samples that are looked at for the slope. */
enum { max_pairs = 100000 };
/* Prompts must differ by that much for a pair to say something. */
static const double least_difference_tokens = 16;

static int
by_value(const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* ---- Distributions ------------------------------------------------------- */

/* The quantile of sorted values, a straight line between neighbours. */
static double
quantile_of(const double *values, size_t count, double share)
{
  double at = share * (double)(count - 1);
  size_t low = (size_t)at;
  if (low + 1 >= count) {
    return values[count - 1];
  }
  return values[low] + (at - (double)low) * (values[low + 1] - values[low]);
}

/* Sorts the values. */
static inf_sim_dist
dist_of(double *values, size_t count, inf_sim_arena *arena)
{
  if (count == 0) {
    return inf_sim_dist_constant(0);
  }
  qsort(values, count, sizeof(*values), by_value);
  if (values[0] >= values[count - 1]) {
    return inf_sim_dist_constant(values[0]);
  }
  size_t points = count < max_points ? count : max_points;
  inf_sim_part *parts = inf_sim_arena_alloc(arena, points * sizeof(*parts));
  for (size_t i = 0; i < points; i++) {
    double share = (double)i / (double)(points - 1);
    parts[i].weight = share;
    parts[i].dist = inf_sim_dist_constant(quantile_of(values, count, share));
  }
  return (inf_sim_dist){
      .kind = INF_SIM_QUANTILES, .parts = parts, .part_count = points};
}

/* ---- Times --------------------------------------------------------------- */

static bool
is_answer(const inf_fit_sample *sample)
{
  return sample->status == INFER_OK && sample->ttft_ms >= 0;
}

/* Adds the slope between two answers where their prompts differ enough. */
static size_t
add_slope(double *slopes, size_t count, const inf_fit_sample *a,
          const inf_fit_sample *b)
{
  double run = b->prompt_tokens - a->prompt_tokens;
  if (fabs(run) < least_difference_tokens) {
    return count;
  }
  slopes[count] = (b->ttft_ms - a->ttft_ms) / run;
  return count + 1;
}

/* Of all pairs, or of so many that are drawn, always the same. */
static size_t
find_slopes(double *slopes, const inf_fit_sample *const *answers, size_t count)
{
  size_t found = 0;
  inf_rng rng;
  if (count * (count - 1) / 2 <= max_pairs) {
    for (size_t i = 0; i < count; i++) {
      for (size_t k = i + 1; k < count; k++) {
        found = add_slope(slopes, found, answers[i], answers[k]);
      }
    }
    return found;
  }
  inf_rng_seed(&rng, count);
  for (size_t i = 0; i < max_pairs; i++) {
    const inf_fit_sample *a = answers[inf_rng_below(&rng, count)];
    found = add_slope(slopes, found, a, answers[inf_rng_below(&rng, count)]);
  }
  return found;
}

/* The median of the slopes between pairs; 0 where prompts hardly differ, or
 * longer ones come sooner. */
static double
slope_of(const inf_fit_sample *const *answers, size_t count)
{
  enum { least_answers = 8, least_pairs = 8 };
  if (count < least_answers) {
    return 0;
  }
  double *slopes = inf_sim_alloc(max_pairs * sizeof(*slopes));
  size_t pairs = find_slopes(slopes, answers, count);
  qsort(slopes, pairs, sizeof(*slopes), by_value);
  double slope = pairs >= least_pairs ? quantile_of(slopes, pairs, 0.5) : 0;
  inf_free(slopes);
  return slope > 0 ? slope : 0;
}

static void
fit_first_tokens(inf_replay_model *model, const inf_fit_sample *const *answers,
                 size_t count, inf_sim_arena *arena)
{
  double *values = inf_sim_alloc(count * sizeof(*values));
  bool lengths = true;
  for (size_t i = 0; i < count; i++) {
    lengths = lengths && answers[i]->prompt_tokens >= 0;
  }
  double slope = lengths ? slope_of(answers, count) : 0;
  for (size_t i = 0; i < count; i++) {
    double rest = answers[i]->ttft_ms;
    rest -= slope > 0 ? slope * answers[i]->prompt_tokens : 0;
    values[i] = rest > 0 ? rest : 0;
  }
  model->first_token_ms = dist_of(values, count, arena);
  model->prompt_token_ms = inf_sim_dist_constant(slope);
  inf_free(values);
}

static void
fit_tokens(inf_replay_model *model, const inf_fit_sample *const *answers,
           size_t count, inf_sim_arena *arena)
{
  double *values = inf_sim_alloc(count * sizeof(*values));
  size_t used = 0;
  for (size_t i = 0; i < count; i++) {
    double took_ms = answers[i]->total_ms - answers[i]->ttft_ms;
    if (answers[i]->answer_tokens > 1 && took_ms >= 0) {
      values[used++] = took_ms / (answers[i]->answer_tokens - 1);
    }
  }
  model->token_ms = dist_of(values, used, arena);
  inf_free(values);
}

/* ---- Failures ------------------------------------------------------------ */

typedef struct failure_of_class {
  int32_t class;
  inf_replay_model_failure_kind kind;
  int status;
} failure_of_class;

static const failure_of_class failures_of_classes[] = {
    {INFER_E_RESOLVE, INF_REPLAY_CONNECT, 0},
    {INFER_E_CONNECT, INF_REPLAY_CONNECT, 0},
    {INFER_E_TLS, INF_REPLAY_CONNECT, 0},
    {INFER_E_TLS_VERIFY, INF_REPLAY_CONNECT, 0},
    {INFER_E_RESET, INF_REPLAY_RESET, 0},
    {INFER_E_FIRST_TOKEN_TIMEOUT, INF_REPLAY_SILENCE, 0},
    {INFER_E_ATTEMPT_TIMEOUT, INF_REPLAY_SILENCE, 0},
    {INFER_E_DEADLINE, INF_REPLAY_SILENCE, 0},
    {INFER_E_IDLE_TIMEOUT, INF_REPLAY_STALL, 0},
    {INFER_E_TRUNCATED, INF_REPLAY_CUT, 0},
    {INFER_E_OVERLOADED, INF_REPLAY_STATUS, 503},
    {INFER_E_SERVER, INF_REPLAY_STATUS, 500},
    {INFER_E_RATE_LIMITED, INF_REPLAY_STATUS, 429},
    {INFER_E_QUOTA, INF_REPLAY_STATUS, 402},
    {INFER_E_AUTH, INF_REPLAY_STATUS, 401},
    {INFER_E_NOT_FOUND, INF_REPLAY_STATUS, 404},
    {INFER_E_REQUEST_TOO_LARGE, INF_REPLAY_STATUS, 413},
    {INFER_E_BAD_REQUEST, INF_REPLAY_STATUS, 400},
    {INFER_E_PROTOCOL, INF_REPLAY_STATUS, 502},
};

enum {
  class_count = sizeof(failures_of_classes) / sizeof(failures_of_classes[0])
};

/* Those of the caller's own, as a cancel, are not the provider's. */
static bool
is_providers(int32_t status)
{
  for (size_t i = 0; i < class_count; i++) {
    if (failures_of_classes[i].class == status) {
      return true;
    }
  }
  return status == INFER_OK;
}

static void
fit_failures(inf_replay_model *model, const inf_fit_sample *samples,
             size_t count, inf_sim_arena *arena)
{
  inf_replay_model_failure *failures =
      inf_sim_arena_alloc(arena, class_count * sizeof(*failures));
  size_t sent = 0;
  for (size_t i = 0; i < count; i++) {
    sent += is_providers(samples[i].status);
  }
  for (size_t k = 0; k < class_count; k++) {
    const failure_of_class *class = &failures_of_classes[k];
    size_t seen = 0;
    for (size_t i = 0; i < count; i++) {
      seen += samples[i].status == class->class;
    }
    if (seen > 0) {
      failures[model->failure_count++] = (inf_replay_model_failure){
          class->kind, class->status, (double)seen / (double)sent};
    }
  }
  model->failures = failures;
}

bool
inf_fit_samples(inf_replay_model *model, const inf_fit_sample *samples,
                size_t count, inf_sim_arena *arena)
{
  const inf_fit_sample **answers = inf_sim_alloc(count * sizeof(*answers) + 1);
  size_t answered = 0;
  for (size_t i = 0; i < count; i++) {
    if (is_answer(&samples[i])) {
      answers[answered++] = &samples[i];
    }
  }
  if (answered > 0) {
    fit_first_tokens(model, answers, answered, arena);
    fit_tokens(model, answers, answered, arena);
    fit_failures(model, samples, count, arena);
  }
  inf_free(answers);
  return answered > 0;
}

/* ---- The file ------------------------------------------------------------ */

/* Below 0: it is not there, or null. */
static double
number_of(inf_sv sample, const char *name)
{
  double number;
  inf_sv value = inf_json_get(sample, inf_sv_from(name));
  return inf_json_double(value, false, &number) && isfinite(number) ? number
                                                                    : -1;
}

static bool
read_sample(inf_sim_reader *reader, inf_sv value, inf_fit_sample *sample)
{
  inf_sv name;
  if (!inf_json_is(value, INF_JSON_OBJECT) ||
      !inf_json_is(inf_json_get(value, INF_SV("status")), INF_JSON_STRING)) {
    return inf_sim_reader_fail(reader, "must be an object with a \"status\"");
  }
  if (!inf_sim_read_string(reader, inf_json_get(value, INF_SV("status")),
                           &name)) {
    return false;
  }
  double held_ms = number_of(value, "limiter_ms");
  held_ms = held_ms > 0 ? held_ms : 0;
  *sample = (inf_fit_sample){
      .prompt_tokens = number_of(value, "prompt_tokens"),
      .answer_tokens = number_of(value, "output_tokens"),
      .ttft_ms = number_of(value, "ttft_ms") - held_ms,
      .total_ms = number_of(value, "total_ms") - held_ms,
      .status = INFER_OK,
  };
  if (inf_sv_eq(name, INF_SV("INFER_OK"))) {
    return true;
  }
  for (size_t i = 0; i < class_count; i++) {
    if (strcmp(inf_status_find(failures_of_classes[i].class)->name, name.ptr) ==
        0) {
      sample->status = failures_of_classes[i].class;
      return true;
    }
  }
  sample->status = INFER_E_CANCELLED; /* of no provider's making */
  return true;
}

/* Is it one of those that count? Above the concurrency that was asked for, the
 * comparison looks for the point at which the provider pushes back. */
static bool
is_wanted(inf_sv sample, double concurrency)
{
  double is = number_of(sample, "concurrency");
  return concurrency < 0 || is < 0 || is <= concurrency;
}

static bool
read_samples(inf_sim_reader *reader, inf_sv list, double concurrency,
             inf_fit_sample *samples, size_t *count)
{
  size_t index = 0;
  bool ok = true;
  inf_json_iter it = inf_json_iter_of(list);
  while (ok && inf_json_next(&it)) {
    size_t mark = inf_sim_reader_enter(reader, INF_SV("samples"));
    inf_sim_reader_enter_at(reader, index++);
    ok = read_sample(reader, it.value, &samples[*count]);
    *count += is_wanted(it.value, concurrency);
    inf_sim_reader_leave(reader, mark);
  }
  return ok;
}

/* Adds the target's model; none where no answer is among its samples. */
static bool
fit_target(inf_sim_reader *reader, inf_sv target, double concurrency,
           inf_replay_models *models)
{
  inf_replay_model *model = &models->items[models->count];
  inf_replay_model_init(model);
  inf_sv name = inf_json_get(target, INF_SV("target"));
  inf_sv list = inf_json_get(target, INF_SV("samples"));
  if (!inf_json_is(name, INF_JSON_STRING) ||
      !inf_json_is(list, INF_JSON_ARRAY)) {
    return inf_sim_reader_fail(reader,
                               "must have a \"target\" and its \"samples\"");
  }
  if (!inf_sim_read_string(reader, name, &model->name)) {
    return false;
  }
  size_t count = 0;
  inf_fit_sample *samples =
      inf_sim_alloc((inf_json_count(list) + 1) * sizeof(*samples));
  bool ok = read_samples(reader, list, concurrency, samples, &count);
  models->count += ok && inf_fit_samples(model, samples, count, reader->arena);
  inf_free(samples);
  return ok;
}

bool
inf_fit_compare(inf_sim_reader *reader, inf_sv file, inf_replay_models *models)
{
  int64_t version;
  if (!inf_json_int64(inf_json_get(file, INF_SV("version")), false, &version) ||
      version != 1) {
    return inf_sim_reader_fail(reader, "version: must be 1");
  }
  inf_sv list = inf_json_get(file, INF_SV("targets"));
  size_t count = inf_json_count(list);
  models->items =
      inf_sim_arena_alloc(reader->arena, count * sizeof(*models->items));
  inf_json_iter it = inf_json_iter_of(list);
  size_t mark = inf_sim_reader_enter(reader, INF_SV("targets"));
  double concurrency = number_of(file, "concurrency");
  for (size_t i = 0; inf_json_next(&it); i++) {
    size_t here = inf_sim_reader_enter_at(reader, i);
    if (!fit_target(reader, it.value, concurrency, models)) {
      return false;
    }
    inf_sim_reader_leave(reader, here);
  }
  inf_sim_reader_leave(reader, mark);
  return models->count > 0 ||
         inf_sim_reader_fail(reader, "targets: none of them gave an answer");
}
