/* SPDX-License-Identifier: MIT */
/* Made measurements, for the tests of figures and reports. */
#ifndef TESTS_TOOLS_COMPARE_MADE_H
#define TESTS_TOOLS_COMPARE_MADE_H

#include "compare_data.h"

#include "infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name that every format has to escape. */
#define MADE_EVIL_NAME "ev<il>/\"&'\n\033[31m\\x"

/* An answer to request `pair`. */
static inline inf_cmp_sample
made_answer(size_t subject, uint32_t pair, double ttft_ms, double total_ms)
{
  return (inf_cmp_sample){.subject = subject,
                          .pair = pair,
                          .concurrency = 4,
                          .status = INFER_OK,
                          .http_status = 200,
                          .at_ms = pair * 100.0,
                          .ttft_ms = ttft_ms,
                          .total_ms = total_ms,
                          .writing_ms = total_ms - ttft_ms,
                          .retry_after_ms = -1,
                          .prompt_tokens = 100,
                          .cached_tokens = -1,
                          .output_tokens = 51,
                          .cost_nano_usd = 15000 * ((int64_t)subject + 1),
                          .cost_kind = INF_CMP_COST_EXACT,
                          .attempts = 1,
                          .text_bytes = 200,
                          .finish = "stop"};
}

static inline inf_cmp_sample
made_failure(size_t subject, uint32_t pair, int32_t status)
{
  inf_cmp_sample sample = made_answer(subject, pair, -1, 3);
  sample.status = status;
  sample.http_status = status == INFER_E_RATE_LIMITED ? 429 : 0;
  sample.writing_ms = -1;
  sample.output_tokens = -1;
  sample.cost_nano_usd = 0;
  sample.finish[0] = '\0';
  return sample;
}

static inline void
made_add(inf_cmp_data *data, inf_cmp_sample sample)
{
  if (!inf_cmp_data_sample(data, &sample)) {
    abort();
  }
}

/* Two targets and no samples. */
static inline void
made_begin(inf_cmp_data *data, const char *one, const char *other)
{
  inf_cmp_data_init(data);
  data->base_concurrency = 4;
  data->max_concurrency = 8;
  data->requests = 100;
  data->warm_up = 2;
  data->seed = 1;
  data->timeout_ms = 60000;
  data->took_ms = 12000;
  data->started = 1764428400;
  snprintf(data->prompt_source, sizeof(data->prompt_source), "made");
  data->prompts = (char **)calloc(1, sizeof(char *));
  data->prompts[0] = strdup("p");
  data->prompt_count = 1;
  if (!inf_cmp_data_subject(data, one, false, false) ||
      !inf_cmp_data_subject(data, other, false, false)) {
    abort();
  }
}

/* The same with a hundred pairs: the second one is twice as slow and has four
 * failures. */
static inline void
made_run(inf_cmp_data *data, const char *one, const char *other)
{
  made_begin(data, one, other);
  for (uint32_t i = 0; i < 100; i++) {
    double ms = 100 + (i * 37) % 100;
    made_add(data, made_answer(0, i, ms, 2 * ms));
    made_add(data, i % 25 == 7 ? made_failure(1, i, INFER_E_RATE_LIMITED)
                               : made_answer(1, i, 2 * ms, 4 * ms));
  }
  data->ladder = true;
  for (size_t i = 0; i < 2; i++) {
    inf_cmp_step step = {.subject = i,
                         .concurrency = 4,
                         .requests = 100,
                         .ok = 100,
                         .output_tokens = 5100,
                         .busy_ms = 30000,
                         .stop = i ? INF_CMP_STOP_PUSHBACK : 0};
    if (!inf_cmp_data_step(data, &step)) {
      abort();
    }
  }
}

#endif
