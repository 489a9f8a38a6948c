/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_FIT_H
#define INF_TOOLS_REPLAY_FIT_H

#include "replay_model.h"
#include "sim_read.h"

/* A provider's model from what was measured of it.
 *
 * Times are taken as they came: quantiles of what was seen, straight lines
 * between them, so that no form of distribution is assumed. What a prompt's
 * length does to the first token is told apart first: a line through the points
 * by Theil and Sen (the median of the slopes between pairs), which a few very
 * late answers do not move; what is above the line's share of each answer is
 * the distribution. Failures count by their kind. */

/* One request that was measured. */
typedef struct inf_fit_sample {
  double prompt_tokens, answer_tokens; /* below 0: not known */
  double ttft_ms, total_ms;            /* below 0: not reached */
  int32_t status;                      /* INFER_OK or its class */
} inf_fit_sample;

/* Fits all but the name. At least one answer must have come. False if none
 * has. */
bool inf_fit_samples(inf_replay_model *model, const inf_fit_sample *samples,
                     size_t count, inf_sim_arena *arena);

/* The file of `infer compare --json`: a model for each of its targets that gave
 * an answer, by its samples at the concurrency that was asked for. What a limit
 * of the client held a call back is not the provider's and is taken off. */
bool inf_fit_compare(inf_sim_reader *reader, inf_sv file,
                     inf_replay_models *models);

#endif
