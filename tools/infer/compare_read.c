/* SPDX-License-Identifier: MIT */
/* From the library's records to a sample. */

#include "compare_read.h"

#define NS_PER_MS 1e6

typedef struct record_list {
  const infer_response *response;
  const infer_error *error;
} record_list;

static size_t
count_attempts(const record_list *list)
{
  return list->response ? infer_response_attempt_count(list->response)
                        : infer_error_attempt_count(list->error);
}

static const infer_attempt *
attempt_at(const record_list *list, size_t index)
{
  return list->response ? infer_response_attempt(list->response, index)
                        : infer_error_attempt(list->error, index);
}

/* Milliseconds from the call's submission to the phase; -1: not reached. */
static double
reached_ms(const infer_attempt *attempt, int32_t phase)
{
  int64_t ns = infer_attempt_phase_ns(attempt, phase);
  if (!attempt || ns < 0) {
    return -1;
  }
  return (double)(infer_attempt_start_ns(attempt) + ns) / NS_PER_MS;
}

/* The attempt whose times are the call's: the one that answered, or of a
 * failed call the last. */
static const infer_attempt *
decisive(const record_list *list)
{
  size_t count = count_attempts(list);
  for (size_t i = 0; i < count; i++) {
    if (infer_attempt_won(attempt_at(list, i))) {
      return attempt_at(list, i);
    }
  }
  return count > 0 ? attempt_at(list, count - 1) : NULL;
}

static void
count_reasons(inf_cmp_sample *sample, const record_list *list)
{
  size_t count = count_attempts(list);
  sample->attempts = (int32_t)count;
  for (size_t i = 0; i < count; i++) {
    int32_t reason = infer_attempt_reason(attempt_at(list, i));
    sample->hedges += reason == INFER_REASON_HEDGE;
    sample->failovers += reason == INFER_REASON_FAILOVER;
  }
}

static void
read_times(inf_cmp_sample *sample, const record_list *list, double elapsed_ms)
{
  const infer_attempt *attempt = decisive(list);
  double first = reached_ms(attempt, INFER_PHASE_FIRST_CONTENT);
  double last = reached_ms(attempt, INFER_PHASE_LAST_CONTENT);
  double end = reached_ms(attempt, INFER_PHASE_END);
  /* Before a later attempt it is the wait after a failure. */
  int64_t wait = count_attempts(list) > 0
                     ? infer_attempt_phase_ns(attempt_at(list, 0),
                                              INFER_PHASE_LIMITER_WAIT)
                     : 0;
  sample->ttft_ms = first;
  sample->total_ms = list->response && end >= 0 ? end : elapsed_ms;
  sample->writing_ms = first >= 0 && last >= first ? last - first : -1;
  sample->limiter_ms = wait > 0 ? (double)wait / NS_PER_MS : 0;
  sample->new_connection = attempt && !infer_attempt_reused_connection(attempt);
}

static void
read_counts(inf_cmp_sample *sample, const infer_response *response,
            const infer_attempt *attempt)
{
  if (response) {
    sample->prompt_tokens = infer_response_usage(response, INFER_USAGE_INPUT);
    sample->output_tokens = infer_response_usage(response, INFER_USAGE_OUTPUT);
    sample->cached_tokens =
        infer_response_usage(response, INFER_USAGE_CACHE_READ);
    return;
  }
  sample->prompt_tokens = infer_attempt_usage(attempt, INFER_USAGE_INPUT);
  sample->output_tokens = infer_attempt_usage(attempt, INFER_USAGE_OUTPUT);
  sample->cached_tokens = infer_attempt_usage(attempt, INFER_USAGE_CACHE_READ);
}

static void
read_cost(inf_cmp_sample *sample, const record_list *list)
{
  if (list->response) {
    sample->cost_nano_usd = infer_response_total_cost_nano_usd(list->response);
    sample->cost_kind = infer_response_cost_kind(list->response);
  } else {
    sample->cost_nano_usd = infer_error_total_cost_nano_usd(list->error);
    sample->cost_kind = infer_error_cost_kind(list->error);
  }
}

void
inf_cmp_read_result(inf_cmp_sample *sample, const infer_response *response,
                    const infer_error *error, double elapsed_ms)
{
  record_list list = {response, error};
  const infer_attempt *attempt = decisive(&list);
  count_reasons(sample, &list);
  read_times(sample, &list, elapsed_ms);
  read_counts(sample, response, attempt);
  read_cost(sample, &list);
  sample->http_status = infer_attempt_http_status(attempt);
  sample->retry_after_ms =
      error ? (double)infer_error_retry_after_ms(error) : -1;
}
