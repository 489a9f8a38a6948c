/* SPDX-License-Identifier: MIT */
/* Keeps what was measured, and says how a sample counts. */

#include "compare_data.h"

#include "infer/infer.h"

#include <stdlib.h>
#include <string.h>

/* An answer of one piece has no time of writing. */
#define LEAST_TOKENS 2

void
inf_cmp_data_init(inf_cmp_data *data)
{
  *data = (inf_cmp_data){.budget_nano_usd = -1};
}

void
inf_cmp_data_fini(inf_cmp_data *data)
{
  for (size_t i = 0; i < data->subject_count; i++) {
    free(data->subjects[i].name);
  }
  for (size_t i = 0; i < data->prompt_count; i++) {
    free(data->prompts[i]);
  }
  free((void *)data->prompts);
  free(data->samples);
  free(data->steps);
  inf_cmp_data_init(data);
}

bool
inf_cmp_data_subject(inf_cmp_data *data, const char *name, bool is_route,
                     bool generated)
{
  if (data->subject_count == INF_CMP_MAX_SUBJECTS) {
    return false;
  }
  char *copy = strdup(name);
  if (!copy) {
    return false;
  }
  data->subjects[data->subject_count++] = (inf_cmp_subject){
      .name = copy, .is_route = is_route, .generated = generated};
  return true;
}

/* Room for one more of size bytes. */
static void *
grow(void *ptr, size_t count, size_t *cap, size_t size)
{
  if (count < *cap) {
    return ptr;
  }
  size_t more = *cap ? *cap * 2 : 64;
  void *grown = realloc(ptr, more * size);
  if (grown) {
    *cap = more;
  }
  return grown;
}

bool
inf_cmp_data_sample(inf_cmp_data *data, const inf_cmp_sample *sample)
{
  inf_cmp_sample *samples = grow(data->samples, data->sample_count,
                                 &data->sample_cap, sizeof(*samples));
  if (!samples) {
    return false;
  }
  data->samples = samples;
  samples[data->sample_count++] = *sample;
  return true;
}

bool
inf_cmp_data_step(inf_cmp_data *data, const inf_cmp_step *step)
{
  inf_cmp_step *steps =
      grow(data->steps, data->step_count, &data->step_cap, sizeof(*steps));
  if (!steps) {
    return false;
  }
  data->steps = steps;
  steps[data->step_count++] = *step;
  return true;
}

static bool
ran_out_of_time(const inf_cmp_sample *sample)
{
  switch (sample->status) {
  case INFER_E_DEADLINE:
  case INFER_E_FIRST_TOKEN_TIMEOUT:
  case INFER_E_ATTEMPT_TIMEOUT:
  case INFER_E_IDLE_TIMEOUT:
    return true;
  default:
    return sample->stopped;
  }
}

inf_cmp_time
inf_cmp_sample_ttft(const inf_cmp_sample *sample)
{
  if (sample->ttft_ms >= 0) {
    return (inf_cmp_time){sample->ttft_ms, INF_CMP_SEEN};
  }
  return (inf_cmp_time){sample->total_ms, ran_out_of_time(sample)
                                              ? INF_CMP_BEYOND
                                              : INF_CMP_NEVER};
}

inf_cmp_time
inf_cmp_sample_total(const inf_cmp_sample *sample)
{
  int kind = INF_CMP_NEVER;
  if (sample->status == INFER_OK) {
    kind = INF_CMP_SEEN;
  } else if (ran_out_of_time(sample)) {
    kind = INF_CMP_BEYOND;
  }
  return (inf_cmp_time){sample->total_ms, kind};
}

bool
inf_cmp_sample_refused(const inf_cmp_sample *sample)
{
  return sample->status == INFER_E_RATE_LIMITED ||
         sample->status == INFER_E_OVERLOADED ||
         sample->status == INFER_E_QUOTA;
}

double
inf_cmp_sample_speed(const inf_cmp_sample *sample)
{
  if (sample->status != INFER_OK || sample->output_tokens < LEAST_TOKENS ||
      sample->writing_ms <= 0) {
    return -1;
  }
  return (double)(sample->output_tokens - 1) * 1000 / sample->writing_ms;
}
