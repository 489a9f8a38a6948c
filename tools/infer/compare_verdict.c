/* SPDX-License-Identifier: MIT */
/* Who is better, where that can be said.
 *
 * Targets are compared over the rounds in which both were asked the same
 * prompt, drawn together, so that what makes a prompt slow for all counts for
 * none. The best is a winner only if its lead over every other target is
 * outside of the noise: an interval of the difference that leaves out 0. With
 * k - 1 rivals each interval leaves out 5 % / (k - 1), so that a winner is
 * named wrongly in one comparison of twenty at most (Bonferroni), however many
 * targets there are. */

#include "compare_summary.h"

#include "infer/infer.h"

#include <math.h>
#include <stdlib.h>

#define RISK 0.05
/* A p50 of six pairs, or a p95 of less than 40, is anybody's guess. */
#define LEAST_PAIRS 6

/* What a verdict is about. */
static const struct {
  const char *name;
  double q; /* 0: a mean */
  inf_cmp_time (*time_of)(const inf_cmp_sample *sample);
} subjects_of[INF_CMP_VERDICTS] = {
    {"Time to first token, p50", 0.50, inf_cmp_sample_ttft},
    {"Time to first token, p95", 0.95, inf_cmp_sample_ttft},
    {"Total time, p50", 0.50, inf_cmp_sample_total},
    {"Total time, p95", 0.95, inf_cmp_sample_total},
    {"Cost per 1000 requests", 0, NULL},
    {"Share of failures", 0, NULL},
};

const char *
inf_cmp_verdict_name(int by)
{
  return by >= 0 && by < INF_CMP_VERDICTS ? subjects_of[by].name : "";
}

/* The samples of two targets by pair, so that those who belong together stand
 * at the same place. */
typedef struct pairing {
  const inf_cmp_sample **left, **right;
  size_t count;
} pairing;

static int
by_pair(const void *a, const void *b)
{
  const inf_cmp_sample *left = *(const inf_cmp_sample *const *)a;
  const inf_cmp_sample *right = *(const inf_cmp_sample *const *)b;
  return (left->pair > right->pair) - (left->pair < right->pair);
}

static size_t
list_of(const inf_cmp_data *data, size_t subject, const inf_cmp_sample **list)
{
  size_t count = 0;
  for (size_t i = 0; i < data->sample_count; i++) {
    const inf_cmp_sample *sample = &data->samples[i];
    if (sample->subject == subject &&
        sample->concurrency == data->base_concurrency) {
      list[count++] = sample;
    }
  }
  if (count > 0) {
    qsort((void *)list, count, sizeof(list[0]), by_pair);
  }
  return count;
}

/* Leaves those that have a partner. */
static void
match_up(pairing *pairs, size_t left_count, size_t right_count)
{
  size_t i = 0, k = 0;
  pairs->count = 0;
  while (i < left_count && k < right_count) {
    if (pairs->left[i]->pair < pairs->right[k]->pair) {
      i++;
    } else if (pairs->left[i]->pair > pairs->right[k]->pair) {
      k++;
    } else {
      pairs->left[pairs->count] = pairs->left[i++];
      pairs->right[pairs->count++] = pairs->right[k++];
    }
  }
}

static int
has_failed(const inf_cmp_sample *sample)
{
  return sample->status != INFER_OK && !sample->stopped;
}

/* A bootstrap of a few failures makes too much of them: a lead counts only if
 * the pairs in which one failed and the other did not are no chance. */
static void
doubt_failures(const double *values, size_t count, double confidence,
               inf_cmp_interval *out)
{
  size_t better = 0, worse = 0;
  for (size_t i = 0; i < count; i++) {
    better += values[i] < 0;
    worse += values[i] > 0;
  }
  size_t least = better < worse ? better : worse;
  if (inf_cmp_sign_test(least, better + worse) > 1 - confidence) {
    out->low = fmin(out->low, 0);
    out->high = fmax(out->high, 0);
  }
}

/* A failure is no cheap answer. */
static bool
both_have_a_price(const inf_cmp_sample *a, const inf_cmp_sample *b)
{
  return a->status == INFER_OK && b->status == INFER_OK &&
         a->cost_nano_usd >= 0 && b->cost_nano_usd >= 0;
}

/* Means of costs or failures: the differences of the pairs. False if memory is
 * short. */
static bool
mean_difference(const pairing *pairs, int by, double confidence,
                const inf_cmp_data *data, inf_cmp_interval *out)
{
  double *values = calloc(pairs->count + 1, sizeof(*values));
  size_t count = 0;
  for (size_t i = 0; values && i < pairs->count; i++) {
    const inf_cmp_sample *a = pairs->left[i], *b = pairs->right[i];
    if (by == INF_CMP_BY_FAILURES) {
      values[count++] = has_failed(a) - has_failed(b);
    } else if (both_have_a_price(a, b)) {
      values[count++] =
          (double)(a->cost_nano_usd - b->cost_nano_usd) / 1e9 * 1000;
    }
  }
  bool ok = values && inf_cmp_mean(values, count, confidence, data->seed, out);
  if (ok && by == INF_CMP_BY_FAILURES) {
    doubt_failures(values, count, confidence, out);
  }
  if (count < LEAST_PAIRS) {
    out->low = out->high = NAN;
  }
  free(values);
  return ok;
}

static bool
time_difference(const pairing *pairs, int by, double confidence,
                const inf_cmp_data *data, inf_cmp_interval *out)
{
  inf_cmp_time *left = calloc(pairs->count + 1, sizeof(*left));
  inf_cmp_time *right = calloc(pairs->count + 1, sizeof(*right));
  for (size_t i = 0; left && right && i < pairs->count; i++) {
    left[i] = subjects_of[by].time_of(pairs->left[i]);
    right[i] = subjects_of[by].time_of(pairs->right[i]);
  }
  bool ok = left && right &&
            inf_cmp_paired(left, right, pairs->count, subjects_of[by].q,
                           confidence, data->seed, out);
  free(left);
  free(right);
  return ok;
}

static bool
difference(const inf_cmp_data *data, size_t a, size_t b, int by,
           double confidence, inf_cmp_interval *out)
{
  pairing pairs = {(const inf_cmp_sample **)calloc(
                       data->sample_count + 1, sizeof(const inf_cmp_sample *)),
                   (const inf_cmp_sample **)calloc(
                       data->sample_count + 1, sizeof(const inf_cmp_sample *)),
                   0};
  bool ok = pairs.left && pairs.right;
  if (ok) {
    size_t left = list_of(data, a, pairs.left);
    size_t right = list_of(data, b, pairs.right);
    match_up(&pairs, left, right);
    ok = subjects_of[by].q > 0
             ? time_difference(&pairs, by, confidence, data, out)
             : mean_difference(&pairs, by, confidence, data, out);
  }
  free((void *)pairs.left);
  free((void *)pairs.right);
  return ok;
}

/* What the estimate of a target is; NAN: it has none. */
static double
estimate(const inf_cmp_figures *figures, int by)
{
  if (figures->calls == 0) {
    return NAN;
  }
  switch (by) {
  case INF_CMP_BY_TTFT_P50:
    return figures->ttft_ms[INF_CMP_P50].value;
  case INF_CMP_BY_TTFT_P95:
    return figures->ttft_ms[INF_CMP_P95].value;
  case INF_CMP_BY_TOTAL_P50:
    return figures->total_ms[INF_CMP_P50].value;
  case INF_CMP_BY_TOTAL_P95:
    return figures->total_ms[INF_CMP_P95].value;
  case INF_CMP_BY_COST:
    return figures->usd_per_1000_calls.value;
  default:
    return figures->failures.value;
  }
}

/* Finds the two best; the number of targets that can be compared. */
static size_t
find_best(const inf_cmp_summary *summary, int by, inf_cmp_verdict *verdict)
{
  size_t count = 0;
  double best = INFINITY, second = INFINITY;
  for (size_t i = 0; i < summary->data->subject_count; i++) {
    double value = estimate(&summary->figures[i], by);
    if (summary->data->subjects[i].is_route || isnan(value)) {
      continue;
    }
    count++;
    if (count == 1 || value < best) {
      verdict->second = verdict->best;
      second = best;
      verdict->best = i;
      best = value;
    } else if (count == 2 || value < second) {
      verdict->second = i;
      second = value;
    }
  }
  return count;
}

static bool
judge(inf_cmp_summary *summary, int by)
{
  inf_cmp_verdict *verdict = &summary->verdicts[by];
  size_t count = find_best(summary, by, verdict);
  verdict->difference = (inf_cmp_interval){NAN, NAN, NAN};
  verdict->comparable = count > 1;
  verdict->won = count > 1;
  double confidence = count > 1 ? 1 - RISK / (double)(count - 1) : 0;
  for (size_t i = 0; verdict->comparable && i < summary->data->subject_count;
       i++) {
    inf_cmp_interval lead = {NAN, NAN, NAN};
    if (i == verdict->best || summary->data->subjects[i].is_route ||
        isnan(estimate(&summary->figures[i], by))) {
      continue;
    }
    if (!difference(summary->data, verdict->best, i, by, confidence, &lead)) {
      return false;
    }
    verdict->won &= lead.high < 0; /* an unknown end wins nothing */
    if (i == verdict->second) {
      verdict->difference = lead;
    }
  }
  return true;
}

bool
inf_cmp_verdicts(inf_cmp_summary *summary)
{
  for (int by = 0; by < INF_CMP_VERDICTS; by++) {
    if (!judge(summary, by)) {
      return false;
    }
  }
  return true;
}
