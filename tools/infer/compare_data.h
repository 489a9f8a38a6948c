/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_DATA_H
#define INF_TOOLS_COMPARE_DATA_H

#include "compare_plan.h"
#include "compare_stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What `infer compare` has measured. No handles of the library: the reports are
 * made of this and nothing else. */

/* More than anybody reads side by side. */
#define INF_CMP_MAX_SUBJECTS 16

/* A rate limit: so many units (requests, tokens, ...) in a period. */
typedef struct inf_cmp_limit {
  char unit[24];
  int64_t period_s, units;
  bool told; /* by the provider; else by the configuration */
} inf_cmp_limit;

#define INF_CMP_MAX_LIMITS 8

/* A target, or a route. */
typedef struct inf_cmp_subject {
  char *name;     /* "provider/model", or the route's name */
  bool is_route;  /* may send one call to several targets */
  bool generated; /* the route that compare makes of all targets */
  /* Why it was not measured, or not to the end; "" if it was. */
  char left_out[256];
  /* That the client knew in the end, each once whatever the key. */
  inf_cmp_limit limits[INF_CMP_MAX_LIMITS];
  size_t limit_count;
} inf_cmp_subject;

/* What is found out about an answer. */
#define INF_CMP_JSON_NOT_ASKED 0
#define INF_CMP_JSON_BROKEN    1 /* no JSON at all */
#define INF_CMP_JSON_MISMATCH  2 /* JSON, against its schema */
#define INF_CMP_JSON_RIGHT     3

#define INF_CMP_COST_UNKNOWN   0
#define INF_CMP_COST_EXACT     1
#define INF_CMP_COST_ESTIMATED 2

/* A wait of the limiter that is one: shorter ones are those of a busy machine,
 * and nothing beside the time of an answer. */
#define INF_CMP_LEAST_WAIT_MS 20

/* One call. Times are milliseconds since it was submitted, waits included; -1
 * where there is none. Counts are -1 where they are not known. */
typedef struct inf_cmp_sample {
  size_t subject, prompt;
  uint32_t concurrency;
  /* Samples with the same pair asked the same prompt in the same round. */
  uint32_t pair;
  int32_t status; /* INFER_OK or INFER_E_* */
  int32_t http_status;
  bool stopped; /* we gave it up: interrupted */
  double at_ms; /* since the run began */
  double ttft_ms, total_ms;
  double writing_ms; /* first content to last content */
  double limiter_ms; /* of that held back by a rate limit */
  double retry_after_ms;
  int64_t prompt_tokens, cached_tokens, output_tokens;
  int64_t cost_nano_usd; /* of all attempts */
  int32_t cost_kind;
  int32_t attempts, hedges, failovers;
  bool new_connection;
  int json; /* INF_CMP_JSON_* */
  bool tools_offered;
  uint64_t tools; /* of the tool calls: equal ones have the same; 0: none */
  int64_t text_bytes;
  char finish[20];
} inf_cmp_sample;

typedef struct inf_cmp_data {
  inf_cmp_subject subjects[INF_CMP_MAX_SUBJECTS];
  size_t subject_count;
  char **prompts; /* their names */
  size_t prompt_count;
  char prompt_source[256]; /* file, or "built-in mix" */
  bool prompts_repeat;     /* some were asked more than once */
  inf_cmp_sample *samples; /* without the warm-up */
  size_t sample_count, sample_cap;
  inf_cmp_step *steps;
  size_t step_count, step_cap;
  uint32_t base_concurrency, max_concurrency;
  bool ladder;       /* levels below and above the base are measured too */
  uint32_t requests; /* asked for at the base level, of each subject */
  uint32_t warm_up;  /* requests of each subject that are not counted */
  uint64_t seed;
  double timeout_ms;
  double took_ms;
  int64_t started; /* seconds since 1970 */
  bool interrupted;
  int64_t budget_nano_usd; /* -1: none */
  bool budget_reached;
  /* All of the run, the warm-up too, as far as it is known. */
  int64_t spent_nano_usd;
  bool spent_incomplete; /* some calls' cost is not known */
} inf_cmp_data;

void inf_cmp_data_init(inf_cmp_data *data);
void inf_cmp_data_fini(inf_cmp_data *data);
/* False if memory is short, or there are too many subjects. */
bool inf_cmp_data_subject(inf_cmp_data *data, const char *name, bool is_route,
                          bool generated);
bool inf_cmp_data_sample(inf_cmp_data *data, const inf_cmp_sample *sample);
bool inf_cmp_data_step(inf_cmp_data *data, const inf_cmp_step *step);

/* As the statistics take it: a failure never had an answer; a timeout, or a
 * call that was stopped, would have taken longer. */
inf_cmp_time inf_cmp_sample_ttft(const inf_cmp_sample *sample);
inf_cmp_time inf_cmp_sample_total(const inf_cmp_sample *sample);
/* 429, 503 and their like: the provider pushes back. */
bool inf_cmp_sample_refused(const inf_cmp_sample *sample);
/* Tokens in a second while it wrote; -1 where that cannot be told. */
double inf_cmp_sample_speed(const inf_cmp_sample *sample);

#endif
