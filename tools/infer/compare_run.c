/* SPDX-License-Identifier: MIT */
/* The run: warm-up, the base level, then the ladder of concurrency. */

#include "compare_run.h"

#include "interrupt.h"
#include "out.h"

#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

/* Who is at work at a level, and what they have done there. */
typedef struct level_state {
  inf_cmp_level level;
  inf_cmp_step steps[INF_CMP_MAX_SUBJECTS];
  inf_cmp_step before[INF_CMP_MAX_SUBJECTS]; /* of the level below */
  bool climbing[INF_CMP_MAX_SUBJECTS];
} level_state;

/* ---- Warm-up ------------------------------------------------------------- */

/* One request after the other: connections, caches and the purse's first
 * knowledge of a price come from here. */
static void
warm_up(inf_cmp_run *run)
{
  inf_cmp_data *data = run->data;
  const inf_cmp_level level = {
      .concurrency = 1, .rounds = data->warm_up, .per_turn = 1, .last_turn = 1};
  for (uint32_t round = 0; round < data->warm_up; round++) {
    size_t prompt = inf_cmp_deck_draw(&run->deck);
    for (size_t i = 0; i < data->subject_count && !inf_cmp_run_stopped(run);
         i++) {
      if (inf_cmp_run_left_out(run, i)) {
        continue;
      }
      inf_cmp_step unused = {0};
      inf_cmp_turn turn = {.subject = i,
                           .level = &level,
                           .round = round,
                           .warm_up = true,
                           .prompts = &prompt,
                           .count = 1,
                           .step = &unused};
      inf_cmp_run_turn(run, &turn);
    }
  }
}

/* ---- Levels -------------------------------------------------------------- */

static void
run_round(inf_cmp_run *run, level_state *state, uint32_t round,
          const size_t *prompts)
{
  size_t order[INF_CMP_MAX_SUBJECTS];
  size_t count = run->data->subject_count;
  uint32_t pair = run->pairs;
  run->pairs += inf_cmp_turn_requests(&state->level, round);
  inf_cmp_shuffle(&run->rng, order, count);
  for (size_t i = 0; i < count && !inf_cmp_run_stopped(run); i++) {
    size_t subject = order[i];
    if (!state->climbing[subject] || inf_cmp_run_left_out(run, subject)) {
      continue;
    }
    inf_cmp_turn turn = {.subject = subject,
                         .level = &state->level,
                         .round = round,
                         .pair = pair,
                         .prompts = prompts,
                         .count = inf_cmp_turn_requests(&state->level, round),
                         .step = &state->steps[subject]};
    inf_cmp_run_turn(run, &turn);
  }
}

/* Below the base all go on: its figures are what the run is about. */
static int
why_stop(const inf_cmp_run *run, const level_state *state, size_t subject)
{
  const inf_cmp_data *data = run->data;
  if (inf_cmp_run_stopped(run)) {
    return INF_CMP_STOP_ENDED;
  }
  if (state->level.concurrency < data->base_concurrency) {
    return INF_CMP_STOP_NOT;
  }
  if (!data->ladder) {
    return INF_CMP_STOP_TOP;
  }
  const inf_cmp_step *before = &state->before[subject];
  return inf_cmp_climb(before->requests > 0 ? before : NULL,
                       &state->steps[subject], data->max_concurrency);
}

static void
end_level(inf_cmp_run *run, level_state *state)
{
  for (size_t i = 0; i < run->data->subject_count; i++) {
    inf_cmp_step *step = &state->steps[i];
    if (!state->climbing[i] || step->requests == 0) {
      state->climbing[i] = false;
      continue;
    }
    step->stop = why_stop(run, state, i);
    state->climbing[i] = step->stop == INF_CMP_STOP_NOT;
    state->before[i] = *step;
    if (!inf_cmp_data_step(run->data, step)) {
      run->trouble = "out of memory";
    }
  }
}

static void
run_level(inf_cmp_run *run, level_state *state)
{
  size_t *prompts = calloc(state->level.per_turn, sizeof(*prompts));
  if (!prompts) {
    run->trouble = "out of memory";
    return;
  }
  for (size_t i = 0; i < run->data->subject_count; i++) {
    state->steps[i] =
        (inf_cmp_step){.subject = i, .concurrency = state->level.concurrency};
  }
  for (uint32_t round = 0;
       round < state->level.rounds && !inf_cmp_run_stopped(run); round++) {
    for (size_t i = 0; i < inf_cmp_turn_requests(&state->level, round); i++) {
      prompts[i] = inf_cmp_deck_draw(&run->deck);
    }
    run_round(run, state, round, prompts);
  }
  free(prompts);
  end_level(run, state);
}

static bool
anybody_climbs(const level_state *state, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (state->climbing[i]) {
      return true;
    }
  }
  return false;
}

static void
run_levels(inf_cmp_run *run)
{
  inf_cmp_data *data = run->data;
  level_state *state = calloc(1, sizeof(*state));
  if (!state) {
    run->trouble = "out of memory";
    return;
  }
  for (size_t i = 0; i < data->subject_count; i++) {
    state->climbing[i] = true;
  }
  uint32_t concurrency = data->ladder ? 1 : data->base_concurrency;
  while (anybody_climbs(state, data->subject_count) &&
         !inf_cmp_run_stopped(run)) {
    state->level =
        concurrency == data->base_concurrency
            ? inf_cmp_base_level(data->requests, data->base_concurrency)
            : inf_cmp_ladder_level(concurrency);
    run_level(run, state);
    concurrency = inf_cmp_next_concurrency(concurrency, data->base_concurrency);
  }
  free(state);
}

double
inf_cmp_run_now_ms(const inf_cmp_run *run)
{
  int64_t now = (int64_t)inf_clock_now(inf_clock_system());
  return (double)(now - run->begun_ns) / 1e6;
}

/* ---- All of it ----------------------------------------------------------- */

static void
sum_up(inf_cmp_run *run)
{
  inf_cmp_data *data = run->data;
  data->took_ms = inf_cmp_run_now_ms(run);
  data->interrupted = inf_interrupted != 0;
  data->spent_nano_usd = run->purse.spent_nano_usd;
  data->spent_incomplete = run->purse.incomplete;
  data->prompts_repeat = run->pairs + data->warm_up > run->prompts->count;
}

bool
inf_cmp_run_all(inf_cmp_run *run)
{
  inf_cmp_data *data = run->data;
  inf_rng_seed(&run->rng, data->seed);
  run->begun_ns = (int64_t)inf_clock_now(inf_clock_system());
  data->started = (int64_t)time(NULL);
  if (!inf_cmp_deck_init(&run->deck, run->prompts->count, &run->rng) ||
      infer_queue_new(&run->queue, run->client) != INFER_OK) {
    run->trouble = "out of memory";
  }
  if (!run->trouble) {
    warm_up(run);
    run_levels(run);
  }
  sum_up(run);
  inf_cmp_deck_fini(&run->deck);
  infer_queue_free(run->queue);
  run->queue = NULL;
  if (run->trouble) {
    inf_say("%s", run->trouble);
  }
  return !run->trouble;
}
