/* SPDX-License-Identifier: MIT */
/* Counts what comes of a replay: see replay_tally.h. */

#include "replay_tally.h"

#include <stdlib.h>

/* Past the table's end classes share the last place. */
static void
count_class(inf_replay_tally *tally, int32_t status)
{
  size_t i = 0;
  while (i < tally->class_count && tally->classes[i].status != status) {
    i++;
  }
  if (i == INF_REPLAY_TALLY_CLASSES) {
    i--;
  } else if (i == tally->class_count) {
    tally->classes[tally->class_count++].status = status;
  }
  tally->classes[i].calls++;
}

void
inf_replay_tally_call(inf_replay_tally *tally, int32_t status, uint64_t ttft_ns,
                      uint64_t total_ns)
{
  tally->calls++;
  if (status != INFER_OK) {
    tally->failed++;
    count_class(tally, status);
    return;
  }
  tally->answered++;
  inf_histogram_record(&tally->ttft, ttft_ns, 1);
  inf_histogram_record(&tally->total, total_ns, 1);
}

static void
count_reason(inf_replay_tally *tally, const infer_attempt *attempt)
{
  switch (infer_attempt_reason(attempt)) {
  case INFER_REASON_RETRY:
  case INFER_REASON_RESEND:
  case INFER_REASON_KEY:
    tally->retries++;
    break;
  case INFER_REASON_FAILOVER:
  case INFER_REASON_RECOVERY:
  case INFER_REASON_CONTINUE:
    tally->failovers++;
    break;
  case INFER_REASON_HEDGE:
    tally->hedges++;
    tally->hedges_won += infer_attempt_won(attempt) == 1;
    break;
  case INFER_REASON_PROBE:
    tally->probes++;
    break;
  default:
    break;
  }
}

static void
count_cost(inf_replay_tally *tally, const infer_attempt *attempt)
{
  int64_t cost = infer_attempt_cost_nano_usd(attempt);
  if (cost < 0) {
    tally->unknown_costs++;
    return;
  }
  tally->spend_nano_usd += (uint64_t)cost;
  if (infer_attempt_won(attempt) != 1) {
    tally->wasted_nano_usd += (uint64_t)cost;
  }
  tally->estimated_costs +=
      infer_attempt_cost_kind(attempt) == INFER_COST_ESTIMATED;
}

static uint64_t
usage_of(const infer_attempt *attempt, int32_t kind)
{
  int64_t tokens = infer_attempt_usage(attempt, kind);
  return tokens > 0 ? (uint64_t)tokens : 0;
}

void
inf_replay_tally_attempt(inf_replay_tally *tally, const infer_attempt *attempt)
{
  if (infer_attempt_reason(attempt) == INFER_REASON_PREWARM) {
    return;
  }
  tally->attempts++;
  tally->limited += infer_attempt_http_status(attempt) == 429;
  tally->prompt_tokens += usage_of(attempt, INFER_USAGE_INPUT);
  tally->answer_tokens += usage_of(attempt, INFER_USAGE_OUTPUT);
  tally->cached_tokens += usage_of(attempt, INFER_USAGE_CACHE_READ);
  count_reason(tally, attempt);
  count_cost(tally, attempt);
}

/* By number, then by status: the same order whatever came first. */
static int
by_calls(const void *left, const void *right)
{
  const inf_replay_tally_class *a = left, *b = right;
  if (a->calls != b->calls) {
    return a->calls > b->calls ? -1 : 1;
  }
  return (a->status < b->status) - (a->status > b->status);
}

void
inf_replay_tally_sort(inf_replay_tally *tally)
{
  qsort(tally->classes, tally->class_count, sizeof(tally->classes[0]),
        by_calls);
}

double
inf_replay_tally_ms(const inf_histogram *histogram, double share)
{
  return histogram->total > 0
             ? (double)inf_histogram_quantile(histogram, share) / 1e6
             : -1;
}
