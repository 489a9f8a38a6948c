/* SPDX-License-Identifier: MIT */
/* From samples to figures. */

#include "compare_summary.h"

#include "infer/infer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double quantiles[INF_CMP_PS] = {0.50, 0.95, 0.99};

/* Room for the values of one figure. */
typedef struct scratch {
  inf_cmp_time *times;
  double *values;
} scratch;

static bool
is_of(const inf_cmp_sample *sample, size_t subject, uint32_t concurrency)
{
  return sample->subject == subject && sample->concurrency == concurrency;
}

/* ---- Times --------------------------------------------------------------- */

static size_t
collect(const inf_cmp_data *data, size_t subject, uint32_t concurrency,
        inf_cmp_time (*time_of)(const inf_cmp_sample *sample),
        inf_cmp_time *times)
{
  size_t count = 0;
  for (size_t i = 0; i < data->sample_count; i++) {
    if (is_of(&data->samples[i], subject, concurrency)) {
      times[count++] = time_of(&data->samples[i]);
    }
  }
  return count;
}

static bool
measure_times(const inf_cmp_data *data, size_t subject, scratch *room,
              inf_cmp_figures *figures)
{
  size_t count = collect(data, subject, data->base_concurrency,
                         inf_cmp_sample_ttft, room->times);
  bool ok = inf_cmp_quantiles(room->times, count, quantiles, INF_CMP_PS,
                              data->seed, figures->ttft_ms);
  count = collect(data, subject, data->base_concurrency, inf_cmp_sample_total,
                  room->times);
  return ok && inf_cmp_quantiles(room->times, count, quantiles, INF_CMP_PS,
                                 data->seed, figures->total_ms);
}

static bool
measure_steps(inf_cmp_summary *summary, scratch *room)
{
  const inf_cmp_data *data = summary->data;
  for (size_t i = 0; i < data->step_count; i++) {
    const inf_cmp_step *step = &data->steps[i];
    inf_cmp_step_figures *figures = &summary->steps[i];
    size_t count = collect(data, step->subject, step->concurrency,
                           inf_cmp_sample_ttft, room->times);
    bool ok = inf_cmp_quantiles(room->times, count, &quantiles[INF_CMP_P95], 1,
                                data->seed, &figures->ttft_p95);
    count = collect(data, step->subject, step->concurrency,
                    inf_cmp_sample_total, room->times);
    ok = ok && inf_cmp_quantiles(room->times, count, &quantiles[INF_CMP_P95], 1,
                                 data->seed, &figures->total_p95);
    if (!ok) {
      return false;
    }
  }
  return true;
}

/* ---- Means --------------------------------------------------------------- */

static double
speed_of(const inf_cmp_sample *sample)
{
  return inf_cmp_sample_speed(sample);
}

static double
tokens_of(const inf_cmp_sample *sample)
{
  return sample->status == INFER_OK ? (double)sample->output_tokens : -1;
}

static double
bytes_of(const inf_cmp_sample *sample)
{
  return sample->status == INFER_OK ? (double)sample->text_bytes : -1;
}

static double
cost_of(const inf_cmp_sample *sample)
{
  return sample->cost_nano_usd < 0 ? -1
                                   : (double)sample->cost_nano_usd / 1e9 * 1000;
}

/* The mean of what value_of gives; below 0 is no value. */
static bool
measure_mean(const inf_cmp_data *data, size_t subject, scratch *room,
             double (*value_of)(const inf_cmp_sample *sample),
             inf_cmp_interval *out)
{
  size_t count = 0;
  for (size_t i = 0; i < data->sample_count; i++) {
    if (is_of(&data->samples[i], subject, data->base_concurrency)) {
      double value = value_of(&data->samples[i]);
      if (value >= 0) {
        room->values[count++] = value;
      }
    }
  }
  return inf_cmp_mean(room->values, count, 0.95, data->seed, out);
}

/* ---- Counts -------------------------------------------------------------- */

static void
count_class(inf_cmp_figures *figures, const inf_cmp_sample *sample)
{
  size_t i = 0;
  while (i < figures->class_count &&
         figures->classes[i].status != sample->status) {
    i++;
  }
  if (i == INF_CMP_CLASSES) {
    i--;
  } else if (i == figures->class_count) {
    figures->classes[figures->class_count++] =
        (inf_cmp_class){sample->status, 0, -1};
  }
  figures->classes[i].count++;
  if (sample->retry_after_ms > figures->classes[i].longest_retry_after_ms) {
    figures->classes[i].longest_retry_after_ms = sample->retry_after_ms;
  }
}

static void
count_finish(inf_cmp_figures *figures, const char *reason)
{
  size_t max = sizeof(figures->finishes) / sizeof(figures->finishes[0]);
  size_t i = 0;
  while (i < figures->finish_count &&
         strcmp(figures->finishes[i].reason, reason) != 0) {
    i++;
  }
  if (i == max) {
    i--;
  } else if (i == figures->finish_count) {
    snprintf(figures->finishes[i].reason, sizeof(figures->finishes[i].reason),
             "%s", reason);
    figures->finish_count++;
  }
  figures->finishes[i].count++;
}

static void
count_answer(inf_cmp_figures *figures, const inf_cmp_sample *sample)
{
  figures->answered++;
  count_finish(figures, sample->finish[0] ? sample->finish : "none");
  if (sample->json != INF_CMP_JSON_NOT_ASKED) {
    figures->json_asked++;
    figures->json_valid += sample->json >= INF_CMP_JSON_MISMATCH;
    figures->json_right += sample->json == INF_CMP_JSON_RIGHT;
  }
  figures->tools_offered += sample->tools_offered;
  figures->tools_used += sample->tools_offered && sample->tools != 0;
}

static void
count_call(inf_cmp_figures *figures, const inf_cmp_sample *sample)
{
  if (sample->stopped) {
    figures->stopped++; /* by us: no failure of theirs */
    return;
  }
  figures->calls++;
  figures->refused += inf_cmp_sample_refused(sample);
  figures->timed_out += sample->status != INFER_OK &&
                        inf_cmp_sample_total(sample).kind == INF_CMP_BEYOND;
  figures->hedges += (size_t)sample->hedges;
  figures->failovers += (size_t)sample->failovers;
  figures->new_connections += sample->new_connection;
  figures->waited += sample->limiter_ms >= INF_CMP_LEAST_WAIT_MS;
  figures->longest_wait_ms = fmax(figures->longest_wait_ms, sample->limiter_ms);
  if (sample->status == INFER_OK) {
    count_answer(figures, sample);
  } else {
    count_class(figures, sample);
  }
}

static void
count_all(const inf_cmp_data *data, size_t subject, inf_cmp_figures *figures)
{
  double usd = 0, tokens = 0, prompts = 0, cached = 0;
  for (size_t i = 0; i < data->sample_count; i++) {
    const inf_cmp_sample *sample = &data->samples[i];
    if (!is_of(sample, subject, data->base_concurrency)) {
      continue;
    }
    count_call(figures, sample);
    if (sample->cost_nano_usd >= 0) {
      figures->priced++;
      figures->cost_estimated += sample->cost_kind == INF_CMP_COST_ESTIMATED;
      usd += (double)sample->cost_nano_usd / 1e9;
      tokens +=
          (double)(sample->prompt_tokens > 0 ? sample->prompt_tokens : 0) +
          (double)(sample->output_tokens > 0 ? sample->output_tokens : 0);
    }
    if (sample->cached_tokens >= 0 && sample->prompt_tokens > 0) {
      prompts += (double)sample->prompt_tokens;
      cached += (double)sample->cached_tokens;
    }
  }
  figures->usd_per_million_tokens = tokens > 0 ? usd / tokens * 1e6 : NAN;
  figures->cached_share = prompts > 0 ? cached / prompts : NAN;
  figures->failures =
      inf_cmp_share(figures->calls - figures->answered, figures->calls);
}

static void
take_throughput(const inf_cmp_data *data, size_t subject,
                inf_cmp_figures *figures)
{
  figures->throughput = NAN;
  for (size_t i = 0; i < data->step_count; i++) {
    const inf_cmp_step *step = &data->steps[i];
    if (step->subject == subject &&
        step->concurrency == data->base_concurrency) {
      figures->throughput = inf_cmp_step_throughput(step);
      figures->throughput_is_calls = step->output_tokens <= 0;
    }
  }
}

/* A failure costs nothing where nothing came: that is no price. */
static bool
has_priced_answer(const inf_cmp_data *data, size_t subject)
{
  for (size_t i = 0; i < data->sample_count; i++) {
    const inf_cmp_sample *sample = &data->samples[i];
    if (is_of(sample, subject, data->base_concurrency) &&
        sample->status == INFER_OK && sample->cost_nano_usd >= 0) {
      return true;
    }
  }
  return false;
}

static bool
measure_cost(const inf_cmp_data *data, size_t subject, scratch *room,
             inf_cmp_figures *figures)
{
  if (!has_priced_answer(data, subject)) {
    figures->usd_per_1000_calls = (inf_cmp_interval){NAN, NAN, NAN};
    figures->usd_per_million_tokens = NAN;
    return true;
  }
  return measure_mean(data, subject, room, cost_of,
                      &figures->usd_per_1000_calls);
}

static bool
measure_subject(const inf_cmp_data *data, size_t subject, scratch *room,
                inf_cmp_figures *figures)
{
  count_all(data, subject, figures);
  take_throughput(data, subject, figures);
  figures->tools = inf_cmp_tools_agree(data, subject);
  return measure_times(data, subject, room, figures) &&
         measure_mean(data, subject, room, speed_of, &figures->speed) &&
         measure_cost(data, subject, room, figures) &&
         measure_mean(data, subject, room, tokens_of,
                      &figures->answer_tokens) &&
         measure_mean(data, subject, room, bytes_of, &figures->answer_bytes);
}

bool
inf_cmp_summary_init(inf_cmp_summary *summary, const inf_cmp_data *data)
{
  memset(summary, 0, sizeof(*summary));
  summary->data = data;
  size_t count = data->sample_count + 1;
  scratch room = {calloc(count, sizeof(*room.times)),
                  calloc(count, sizeof(*room.values))};
  summary->steps = calloc(data->step_count + 1, sizeof(*summary->steps));
  bool ok = room.times && room.values && summary->steps;
  for (size_t i = 0; ok && i < data->subject_count; i++) {
    ok = measure_subject(data, i, &room, &summary->figures[i]);
  }
  ok = ok && measure_steps(summary, &room) && inf_cmp_verdicts(summary);
  free(room.times);
  free(room.values);
  return ok;
}

void
inf_cmp_summary_fini(inf_cmp_summary *summary)
{
  free(summary->steps);
  summary->steps = NULL;
}
