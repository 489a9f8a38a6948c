/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_RUN_H
#define INF_TOOLS_COMPARE_RUN_H

#include "compare_data.h"
#include "compare_prompts.h"
#include "compare_purse.h"

#include "infer/infer.h"

#include <stdbool.h>

/* What happens on the way, for the progress display and for --save. Each hook
 * may be NULL. */
typedef struct inf_cmp_watch {
  /* After each call, and now and then while one is awaited. in_flight: calls
   * under way. */
  void (*tick)(void *user_data, size_t subject, const inf_cmp_level *level,
               uint32_t round, size_t in_flight);
  /* An answer that counts; one of response and error is NULL. */
  void (*answer)(void *user_data, const inf_cmp_sample *sample,
                 const infer_response *response, const infer_error *error);
  void *user_data;
} inf_cmp_watch;

typedef struct inf_cmp_run {
  inf_cmp_data *data; /* subjects and settings are given, the rest is filled */
  inf_cmp_prompts *prompts;
  infer_client *client;
  /* What the library is asked for to reach each subject. */
  char models[INF_CMP_MAX_SUBJECTS][64];
  inf_cmp_purse purse;
  inf_cmp_watch watch;
  /* The rest is the run's own. */
  infer_queue *queue;
  inf_rng rng;
  inf_cmp_deck deck;
  int64_t begun_ns;
  uint32_t pairs;
  const char *trouble; /* local: memory is short, ... */
} inf_cmp_run;

/* Measures: warm-up, the base level, the ladder. Ends early, and keeps what was
 * measured, when a signal comes (interrupt.h) or the budget is used up. False,
 * having said why, if something local failed. */
bool inf_cmp_run_all(inf_cmp_run *run);

/* One turn: count prompts to one subject, level->concurrency at a time. Numbers
 * of samples are pair, pair + 1, ... step gets the turn added. */
typedef struct inf_cmp_turn {
  size_t subject;
  const inf_cmp_level *level;
  uint32_t round, pair;
  bool warm_up; /* is not kept */
  const size_t *prompts;
  size_t count;
  inf_cmp_step *step;
} inf_cmp_turn;
bool inf_cmp_run_turn(inf_cmp_run *run, const inf_cmp_turn *turn);
/* Since the run began. */
double inf_cmp_run_now_ms(const inf_cmp_run *run);
/* Is there a reason to send no more? */
bool inf_cmp_run_stopped(const inf_cmp_run *run);
/* Is there one to send this subject no more? */
bool inf_cmp_run_left_out(const inf_cmp_run *run, size_t subject);

#endif
