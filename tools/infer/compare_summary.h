/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_SUMMARY_H
#define INF_TOOLS_COMPARE_SUMMARY_H

#include "compare_data.h"
#include "compare_quality.h"

/* The figures of a run, computed once; every report prints these. Those of a
 * subject are of the base level, but for its steps. */

#define INF_CMP_P50     0
#define INF_CMP_P95     1
#define INF_CMP_P99     2
#define INF_CMP_PS      3
#define INF_CMP_CLASSES 32

typedef struct inf_cmp_class {
  int32_t status;
  size_t count;
  double longest_retry_after_ms; /* -1: never told */
} inf_cmp_class;

typedef struct inf_cmp_finish {
  char reason[20];
  size_t count;
} inf_cmp_finish;

typedef struct inf_cmp_figures {
  size_t calls, answered, timed_out, stopped, refused;
  inf_cmp_interval ttft_ms[INF_CMP_PS], total_ms[INF_CMP_PS];
  inf_cmp_interval speed;    /* mean tokens in a second of one stream */
  double throughput;         /* output tokens in a second, of all streams */
  bool throughput_is_calls;  /* no tokens are known: answers in a second */
  inf_cmp_interval failures; /* share of calls */
  inf_cmp_class classes[INF_CMP_CLASSES];
  size_t class_count;
  /* Money, over calls whose cost is known. NAN: of none. */
  size_t priced, cost_estimated;
  inf_cmp_interval usd_per_1000_calls;
  double usd_per_million_tokens; /* prompt and answer together */
  /* Answers. */
  size_t json_asked, json_valid, json_right;
  inf_cmp_agreement tools;
  size_t tools_offered, tools_used;
  inf_cmp_finish finishes[8];
  size_t finish_count;
  inf_cmp_interval answer_tokens, answer_bytes;
  double cached_share; /* of prompt tokens; NAN: not told */
  /* Of a route. */
  size_t hedges, failovers;
  size_t waited; /* were held back by a rate limit */
  double longest_wait_ms, new_connections;
} inf_cmp_figures;

/* p95 at a step of the ladder. */
typedef struct inf_cmp_step_figures {
  inf_cmp_interval ttft_p95, total_p95;
} inf_cmp_step_figures;

/* What is compared, and by what a winner is named. */
#define INF_CMP_BY_TTFT_P50  0
#define INF_CMP_BY_TTFT_P95  1
#define INF_CMP_BY_TOTAL_P50 2
#define INF_CMP_BY_TOTAL_P95 3
#define INF_CMP_BY_COST      4
#define INF_CMP_BY_FAILURES  5
#define INF_CMP_VERDICTS     6

/* Among the targets, without routes. best is the one with the best estimate;
 * won only if each other target is worse beyond the noise. */
typedef struct inf_cmp_verdict {
  size_t best, second;
  bool comparable; /* two targets have figures */
  bool won;
  /* The best minus the second, of samples that asked the same; in the unit of
   * what is compared. */
  inf_cmp_interval difference;
} inf_cmp_verdict;

typedef struct inf_cmp_summary {
  const inf_cmp_data *data;
  inf_cmp_figures figures[INF_CMP_MAX_SUBJECTS];
  inf_cmp_step_figures *steps; /* of data->steps */
  inf_cmp_verdict verdicts[INF_CMP_VERDICTS];
} inf_cmp_summary;

/* False if memory is short. data must stay. */
bool inf_cmp_summary_init(inf_cmp_summary *summary, const inf_cmp_data *data);
void inf_cmp_summary_fini(inf_cmp_summary *summary);

/* compare_verdict.c */
bool inf_cmp_verdicts(inf_cmp_summary *summary);
/* "time to first token, p95", ... */
const char *inf_cmp_verdict_name(int by);

#endif
