/* SPDX-License-Identifier: MIT */
/* One turn: sends a subject its prompts, so many at a time, and takes the
 * results. */

#include "compare_quality.h"
#include "compare_read.h"
#include "compare_run.h"
#include "interrupt.h"
#include "out.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often the display is told while nothing ends. */
#define TICK_MS 200

typedef struct pending {
  infer_call *call;
  int64_t sent_ns, reserved;
  size_t prompt;
  bool stopped;
} pending;

typedef struct turn_state {
  inf_cmp_run *run;
  const inf_cmp_turn *turn;
  pending *calls; /* by tag: the place among the turn's prompts */
  size_t next, in_flight;
  bool budget_reached, cancelled;
} turn_state;

static int64_t
now_ns(void)
{
  return (int64_t)inf_clock_now(inf_clock_system());
}

static double
ms_between(int64_t from_ns, int64_t to_ns)
{
  return (double)(to_ns - from_ns) / 1e6;
}

bool
inf_cmp_run_stopped(const inf_cmp_run *run)
{
  return inf_interrupted || run->trouble || run->data->budget_reached;
}

bool
inf_cmp_run_left_out(const inf_cmp_run *run, size_t subject)
{
  return run->data->subjects[subject].left_out[0] != '\0';
}

/* With a budget, and without knowing what a request costs. */
static bool
is_blind(const inf_cmp_run *run, size_t subject)
{
  return run->purse.limit_nano_usd >= 0 && !run->purse.subjects[subject].known;
}

/* Nothing can be reserved for what has no price. */
static void
leave_out(inf_cmp_run *run, size_t subject)
{
  inf_cmp_subject *entry = &run->data->subjects[subject];
  snprintf(entry->left_out, sizeof(entry->left_out),
           "its price is not known, which --budget-usd needs");
}

/* ---- Sending ------------------------------------------------------------- */

/* A call that the library does not accept is a sample too. */
static void
take_result(turn_state *state, size_t place, int32_t status,
            const infer_response *response, const infer_error *error)
{
  inf_cmp_run *run = state->run;
  const inf_cmp_turn *turn = state->turn;
  pending *call = &state->calls[place];
  const inf_cmp_prompt *prompt = &run->prompts->list[call->prompt];
  int64_t now = now_ns();
  inf_cmp_sample sample = {
      .subject = turn->subject,
      .prompt = call->prompt,
      .concurrency = turn->level->concurrency,
      .pair = turn->pair + (uint32_t)place,
      .status = status,
      .stopped = call->stopped && status == INFER_E_CANCELLED,
      .at_ms = ms_between(run->begun_ns, call->sent_ns),
  };
  inf_cmp_read_result(&sample, response, error, ms_between(call->sent_ns, now));
  if (response) {
    inf_cmp_judge(&sample, prompt, response);
  }
  inf_cmp_purse_settle(&run->purse, turn->subject, call->reserved,
                       prompt->bytes, sample.output_tokens,
                       sample.cost_nano_usd);
  if (is_blind(run, turn->subject) && sample.cost_nano_usd < 0 &&
      !sample.stopped) {
    leave_out(run, turn->subject);
  }
  if (turn->warm_up) {
    return;
  }
  turn->step->requests++;
  turn->step->busy_ms += sample.total_ms;
  turn->step->ok += status == INFER_OK;
  turn->step->refused += inf_cmp_sample_refused(&sample);
  turn->step->waited += sample.limiter_ms >= INF_CMP_LEAST_WAIT_MS;
  if (status == INFER_OK && sample.output_tokens > 0) {
    turn->step->output_tokens += sample.output_tokens;
  }
  if (!inf_cmp_data_sample(run->data, &sample)) {
    run->trouble = "out of memory";
  }
  if (run->watch.answer) {
    run->watch.answer(run->watch.user_data, &sample, response, error);
  }
}

static void
send_one(turn_state *state)
{
  inf_cmp_run *run = state->run;
  size_t place = state->next;
  pending *call = &state->calls[place];
  call->prompt = state->turn->prompts[place];
  const inf_cmp_prompt *prompt = &run->prompts->list[call->prompt];
  int64_t expected = inf_cmp_purse_expect(&run->purse, state->turn->subject,
                                          prompt->bytes, prompt->max_tokens);
  if (!inf_cmp_purse_reserve(&run->purse, expected)) {
    state->budget_reached = true;
    return;
  }
  call->reserved = expected;
  call->sent_ns = now_ns();
  state->next++;
  infer_error *error = NULL;
  int32_t status = infer_request_set_model(prompt->request,
                                           run->models[state->turn->subject]);
  if (status == INFER_OK) {
    status = infer_submit(run->client, prompt->request, INFER_SUBMIT_WHOLE,
                          run->queue, place, &call->call, &error);
  }
  if (status == INFER_OK) {
    state->in_flight++;
  } else {
    take_result(state, place, status, NULL, error);
  }
  infer_error_free(error);
}

/* With a budget, what has no price yet is sent alone. */
static size_t
most_in_flight(const turn_state *state)
{
  return is_blind(state->run, state->turn->subject)
             ? 1
             : state->turn->level->concurrency;
}

static void
send_more(turn_state *state)
{
  while (state->next < state->turn->count && !state->budget_reached &&
         state->in_flight < most_in_flight(state) &&
         !inf_cmp_run_left_out(state->run, state->turn->subject) &&
         !inf_cmp_run_stopped(state->run)) {
    send_one(state);
  }
}

/* ---- Receiving ----------------------------------------------------------- */

static void
take_event(turn_state *state, const infer_event *event)
{
  if (infer_event_type(event) != INFER_EVENT_DONE) {
    return;
  }
  size_t place = (size_t)infer_event_tag(event);
  take_result(state, place, infer_event_status(event),
              infer_event_response(event), infer_event_error(event));
  infer_call_free(state->calls[place].call);
  state->calls[place].call = NULL;
  state->in_flight--;
}

static void
take_events(turn_state *state)
{
  infer_event *event = NULL;
  int32_t status = INFER_OK;
  while (state->in_flight > 0 && status == INFER_OK) {
    status = infer_queue_poll(state->run->queue, 0, &event);
    if (status == INFER_OK) {
      take_event(state, event);
      infer_event_free(event);
    }
  }
  if (status != INFER_OK && status != INFER_E_TIMEOUT) {
    state->run->trouble = infer_status_text(status);
  }
}

/* Their terminal events follow. */
static void
cancel_all(turn_state *state)
{
  for (size_t i = 0; i < state->next; i++) {
    if (state->calls[i].call) {
      state->calls[i].stopped = true;
      infer_call_cancel(state->calls[i].call);
    }
  }
  state->cancelled = true;
}

static void
await(turn_state *state)
{
  struct pollfd fds[2] = {
      {.fd = infer_queue_fd(state->run->queue), .events = POLLIN},
      {.fd = state->cancelled ? -1 : inf_interrupt_fd(), .events = POLLIN},
  };
  if (poll(fds, 2, TICK_MS) < 0 && errno != EINTR) {
    state->run->trouble = strerror(errno);
  }
  if (inf_interrupted && !state->cancelled) {
    cancel_all(state);
  }
  take_events(state);
}

static void
tell(const turn_state *state)
{
  const inf_cmp_run *run = state->run;
  if (run->watch.tick) {
    run->watch.tick(run->watch.user_data, state->turn->subject,
                    state->turn->level, state->turn->round, state->in_flight);
  }
}

bool
inf_cmp_run_turn(inf_cmp_run *run, const inf_cmp_turn *turn)
{
  turn_state state = {.run = run, .turn = turn};
  state.calls = calloc(turn->count, sizeof(*state.calls));
  if (!state.calls) {
    run->trouble = "out of memory";
    return false;
  }
  send_more(&state);
  while (state.in_flight > 0 && !run->trouble) {
    tell(&state);
    await(&state);
    send_more(&state);
  }
  tell(&state);
  run->data->budget_reached |= state.budget_reached;
  for (size_t i = 0; i < turn->count; i++) {
    infer_call_free(state.calls[i].call);
  }
  free(state.calls);
  return !run->trouble;
}
