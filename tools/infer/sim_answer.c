/* SPDX-License-Identifier: MIT */
/* The course of an answer in time.
 *
 * A stream goes through the stages below; at each boundary between tokens the
 * script's failures are looked at, in the order malformed event, huge line,
 * deep event, stall, error event, cut or reset. Any other answer is a body
 * that is ready at one moment. Failures that are placed by bytes are left to
 * the frame, which knows how many have gone. */

#include "sim_answer.h"

#include "sim_decide.h"

#include "base/clock.h"

enum stage { STAGE_HEAD, STAGE_ROLE, STAGE_PIECES, STAGE_FINISH, STAGE_END };

/* What a turn of the machine says when it has more to do at once. */
static const inf_sim_step step_on = {INF_SIM_MORE, 0};

static inf_sim_step
step_wait(uint64_t at_ns)
{
  return (inf_sim_step){INF_SIM_WAIT, at_ns};
}

static inf_sim_step
step_do(inf_sim_action action)
{
  return (inf_sim_step){action, 0};
}

/* Times. */

static void
plan_headers(inf_sim_answer *answer)
{
  const inf_sim_behaviour *b = answer->behaviour;
  answer->headers_ns = answer->start_ns;
  if (b->headers_ms.set) {
    answer->headers_ns +=
        inf_sim_dist_draw_ns(&b->headers_ms.dist, &answer->rng);
  }
}

static void
plan_tokens(inf_sim_answer *answer)
{
  const inf_sim_behaviour *b = answer->behaviour;
  answer->first_ns =
      answer->start_ns + inf_sim_dist_draw_ns(&b->first_token_ms, &answer->rng);
  if (answer->first_ns < answer->headers_ns) {
    answer->first_ns = answer->headers_ns;
  }
  answer->ready_ns = answer->first_ns;
  for (size_t i = 1; !answer->streaming && i < answer->content.rounds; i++) {
    answer->ready_ns += inf_sim_dist_draw_ns(&b->inter_token_ms, &answer->rng);
  }
}

/* Errors come as soon as headers may; completions when they are made. */
static void
plan(inf_sim_answer *answer)
{
  const inf_sim_behaviour *b = answer->behaviour;
  plan_headers(answer);
  answer->first_ns = answer->ready_ns = answer->headers_ns;
  if (answer->completion) {
    plan_tokens(answer);
    if (!b->headers_ms.set && b->headers_when == INF_SIM_HEADERS_FIRST_TOKEN) {
      answer->headers_ns = answer->ready_ns;
    }
  }
  answer->due_ns = answer->first_ns;
  answer->next_comment_ns =
      answer->streaming && b->comment_ms.set
          ? answer->headers_ns + b->comment_ms.value * INF_NS_PER_MS
          : INF_NEVER;
}

void
inf_sim_answer_init(inf_sim_answer *answer, inf_sim_call *call)
{
  *answer = (inf_sim_answer){.script = inf_sim_script_ref(call->script),
                             .behaviour = call->behaviour,
                             .request = call->request,
                             .start_ns = call->now_ns};
  inf_sim_request_init(&call->request);
  inf_rng_seed(&answer->rng, call->seed ^ (call->number << 20));
  inf_buf_init(&answer->head, INF_SIM_BUF_MAX);
  inf_buf_init(&answer->body, INF_SIM_BUF_MAX);
  answer->silent = call->behaviour->silence;
  answer->reset_first = call->behaviour->reset == INF_SIM_RESET_BEFORE_HEADERS;
  inf_sim_decide(answer, call);
  plan(answer);
}

void
inf_sim_answer_fini(inf_sim_answer *answer)
{
  inf_sim_frame_fini(&answer->frame);
  inf_sim_render_fini(&answer->render);
  inf_sim_content_fini(&answer->content);
  inf_sim_request_fini(&answer->request);
  inf_buf_fini(&answer->head);
  inf_buf_fini(&answer->body);
  inf_sim_script_unref(answer->script);
}

static void
send_head(inf_sim_answer *answer, uint64_t now_ns, inf_buf *out)
{
  inf_buf_append_sv(out, inf_buf_sv(&answer->head));
  answer->head_sent = true;
  answer->head_sent_ns = now_ns;
}

/* A stall moves everything that is to come. */
static inf_sim_step
stall(inf_sim_answer *answer, uint64_t now_ns)
{
  const inf_sim_behaviour *b = answer->behaviour;
  answer->stalled = true;
  if (!b->stall_ms.set) {
    return step_do(INF_SIM_HANG);
  }
  uint64_t ns = inf_sim_dist_draw_ns(&b->stall_ms.dist, &answer->rng);
  answer->hold_ns = now_ns + ns;
  answer->due_ns += ns;
  return step_wait(answer->hold_ns);
}

/* A body that is no stream of events. */

static inf_sim_step
send_body(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload)
{
  size_t end = answer->body.len;
  if (!answer->stalled && answer->stall_at < end) {
    end = answer->stall_at;
  }
  size_t len = end - answer->body_at;
  len = len < INF_SIM_ANSWER_ROOM ? len : INF_SIM_ANSWER_ROOM;
  inf_buf_append(payload, answer->body.ptr + answer->body_at, len);
  answer->body_at += len;
  if (answer->body_at < end) {
    return step_on;
  }
  if (end < answer->body.len) {
    return stall(answer, now_ns);
  }
  return step_do(INF_SIM_DONE);
}

/* Blank bytes before a body go out with the headers. */
static void
send_blank(inf_sim_answer *answer, inf_buf *payload)
{
  const inf_sim_opt *blank = &answer->behaviour->whitespace_before_body;
  if (blank->set && answer->stall_at >= blank->value &&
      !answer->behaviour->gzip) {
    inf_buf_append(payload, answer->body.ptr, blank->value);
    answer->body_at = blank->value;
  }
}

static inf_sim_step
body_turn(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload,
          inf_buf *out)
{
  if (!answer->head_sent) {
    if (now_ns < answer->headers_ns) {
      return step_wait(answer->headers_ns);
    }
    send_head(answer, now_ns, out);
    send_blank(answer, payload);
    return step_on;
  }
  uint64_t due_ns = answer->hold_ns ? answer->hold_ns : answer->ready_ns;
  if (now_ns < due_ns) {
    return step_wait(due_ns);
  }
  if (answer->completion && answer->first_token_ns == 0) {
    answer->first_token_ns = now_ns;
  }
  return send_body(answer, now_ns, payload);
}

/* A stream of events. */

static void
comment(const inf_sim_answer *answer, inf_buf *payload)
{
  if (answer->behaviour->comments) {
    inf_sim_render_comment(&answer->render, payload);
  }
}

static inf_sim_step
head_turn(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload,
          inf_buf *out)
{
  const inf_sim_behaviour *b = answer->behaviour;
  if (now_ns < answer->headers_ns) {
    return step_wait(answer->headers_ns);
  }
  send_head(answer, now_ns, out);
  if (b->bom) {
    inf_buf_append_cstr(payload, "\xef\xbb\xbf");
  }
  for (uint64_t i = 0;
       i < b->whitespace_before_body.value && b->whitespace_before_body.set;
       i++) {
    inf_buf_append_char(payload, '\n');
  }
  comment(answer, payload);
  answer->stage = STAGE_ROLE;
  return step_on;
}

static inf_sim_step
role_turn(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload)
{
  bool early = answer->behaviour->headers_when == INF_SIM_HEADERS_WITH_ROLE;
  if (!early && now_ns < answer->first_ns) {
    return step_wait(answer->first_ns);
  }
  for (size_t i = 0; i < answer->content.count; i++) {
    inf_sim_render_role(&answer->render, i, payload);
  }
  answer->stage = STAGE_PIECES;
  return step_on;
}

static bool
is_due(const inf_sim_answer *answer, const inf_sim_opt *at, bool *sent)
{
  if (!at->set || *sent || answer->tokens_sent < at->value) {
    return false;
  }
  *sent = true;
  return true;
}

/* Events that do not belong: they change nothing about what follows. */
static void
send_oddities(inf_sim_answer *answer, inf_buf *payload)
{
  const inf_sim_behaviour *b = answer->behaviour;
  const inf_sim_opt after_first = {.set = true, .value = 1};
  if (is_due(answer, &b->malformed_event, &answer->malformed_sent)) {
    inf_sim_render_malformed(&answer->render, payload);
  }
  if (b->huge_line.set && is_due(answer, &after_first, &answer->huge_sent)) {
    inf_sim_render_huge_line(&answer->render, b->huge_line.value, payload);
  }
  if (b->deep.set && is_due(answer, &after_first, &answer->deep_sent)) {
    inf_sim_render_deep(&answer->render, b->deep.value, payload);
  }
}

static bool
reaches_token_point(const inf_sim_answer *answer)
{
  const inf_sim_behaviour *b = answer->behaviour;
  const inf_sim_point *point =
      b->reset == INF_SIM_RESET_AT_POINT ? &b->reset_at : &b->cut;
  return point->set && point->tokens && answer->tokens_sent >= point->at;
}

/* The failures placed at the token reached. INF_SIM_MORE: none. */
static inf_sim_step
fail_turn(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload)
{
  const inf_sim_behaviour *b = answer->behaviour;
  send_oddities(answer, payload);
  if (is_due(answer, &b->stall_after_tokens, &answer->stalled)) {
    return stall(answer, now_ns);
  }
  if (b->error_in_200.len > 0 && answer->tokens_sent >= b->after_tokens) {
    inf_sim_render_error(&answer->render, payload);
    if (b->error_done) {
      inf_sim_render_done(&answer->render, payload);
    }
    return step_do(INF_SIM_DONE);
  }
  if (reaches_token_point(answer)) {
    return step_do(answer->end);
  }
  return step_on;
}

static void
send_round(inf_sim_answer *answer, inf_buf *payload)
{
  const inf_sim_content *content = &answer->content;
  for (size_t i = 0; i < content->count; i++) {
    if (answer->round < content->choices[i].count) {
      comment(answer, payload);
      inf_sim_render_piece(&answer->render, i, answer->round, payload);
      answer->tokens_sent += content->choices[i].pieces[answer->round].tokens;
    }
  }
  answer->round++;
}

static inf_sim_step
piece_turn(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload)
{
  if (answer->round == 0 && now_ns < answer->due_ns) {
    return step_wait(answer->due_ns);
  }
  if (now_ns < answer->hold_ns) {
    return step_wait(answer->hold_ns);
  }
  inf_sim_step failure = fail_turn(answer, now_ns, payload);
  if (failure.action != INF_SIM_MORE) {
    return failure;
  }
  if (answer->round == answer->content.rounds) {
    answer->stage = STAGE_FINISH;
    return step_on;
  }
  if (now_ns < answer->due_ns) {
    return step_wait(answer->due_ns);
  }
  if (answer->first_token_ns == 0) {
    answer->first_token_ns = now_ns;
  }
  send_round(answer, payload);
  answer->due_ns +=
      inf_sim_dist_draw_ns(&answer->behaviour->inter_token_ms, &answer->rng);
  return step_on;
}

static bool
wants_usage_event(const inf_sim_answer *answer)
{
  int form = answer->behaviour->usage_chunk;
  return form == INF_SIM_USAGE_ALWAYS ||
         (form == INF_SIM_USAGE_EMPTY_CHOICES && answer->request.include_usage);
}

static inf_sim_step
finish_turn(inf_sim_answer *answer, inf_buf *payload)
{
  const inf_sim_behaviour *b = answer->behaviour;
  size_t count = answer->content.count;
  for (size_t i = 0; i < count && !b->missing_finish; i++) {
    bool with_usage =
        b->usage_chunk == INF_SIM_USAGE_WITH_CHOICES && i + 1 == count;
    comment(answer, payload);
    inf_sim_render_finish(&answer->render, i, with_usage, payload);
  }
  answer->usage_sent =
      b->usage_chunk == INF_SIM_USAGE_WITH_CHOICES || wants_usage_event(answer);
  if (wants_usage_event(answer)) {
    inf_sim_render_usage(&answer->render, payload);
  }
  if (!b->missing_done) {
    inf_sim_render_done(&answer->render, payload);
  }
  return step_do(INF_SIM_DONE);
}

static inf_sim_step
stream_turn(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload,
            inf_buf *out)
{
  switch (answer->stage) {
  case STAGE_HEAD:
    return head_turn(answer, now_ns, payload, out);
  case STAGE_ROLE:
    return role_turn(answer, now_ns, payload);
  case STAGE_PIECES:
    return piece_turn(answer, now_ns, payload);
  case STAGE_FINISH:
    return finish_turn(answer, payload);
  default:
    return step_do(INF_SIM_DONE);
  }
}

/* While a stream waits, comments show that the server lives. */
static inf_sim_step
wait_or_comment(inf_sim_answer *answer, inf_sim_step step, uint64_t now_ns,
                inf_buf *payload)
{
  if (!answer->head_sent || answer->next_comment_ns == INF_NEVER) {
    return step;
  }
  if (now_ns >= answer->next_comment_ns) {
    inf_sim_render_comment(&answer->render, payload);
    answer->next_comment_ns +=
        answer->behaviour->comment_ms.value * INF_NS_PER_MS;
  }
  if (step.action == INF_SIM_HANG || answer->next_comment_ns < step.at_ns) {
    return step_wait(answer->next_comment_ns);
  }
  return step;
}

/* After a stall without end only comments may come. */
static bool
hangs(const inf_sim_answer *answer)
{
  return answer->stalled && !answer->behaviour->stall_ms.set &&
         answer->hold_ns == 0;
}

static inf_sim_step
next_turn(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload,
          inf_buf *out)
{
  if (hangs(answer)) {
    return step_do(INF_SIM_HANG);
  }
  return answer->streaming ? stream_turn(answer, now_ns, payload, out)
                           : body_turn(answer, now_ns, payload, out);
}

/* Makes no more than fits and, where the body will be cut, no event behind
 * the cut: its tokens would be counted. */
static inf_sim_step
run_turns(inf_sim_answer *answer, uint64_t now_ns, inf_buf *payload,
          inf_buf *out)
{
  uint64_t room = answer->frame.limit - answer->frame.sent;
  room = room < INF_SIM_ANSWER_ROOM ? room : INF_SIM_ANSWER_ROOM;
  inf_sim_step step = step_on;
  do {
    step = next_turn(answer, now_ns, payload, out);
  } while (step.action == INF_SIM_MORE && payload->len < room);
  if (step.action == INF_SIM_WAIT || step.action == INF_SIM_HANG) {
    step = wait_or_comment(answer, step, now_ns, payload);
  }
  return step;
}

/* Frames what the turns made; the frame's limit may end the answer early. */
static inf_sim_step
frame_payload(inf_sim_answer *answer, inf_sim_step step, inf_sv payload,
              inf_buf *out)
{
  if (answer->head_sent && !inf_sim_frame_put(&answer->frame, payload, out)) {
    step = step_do(answer->end);
  }
  if (step.action == INF_SIM_DONE) {
    inf_sim_frame_end(&answer->frame, out);
    answer->stage = STAGE_END;
  }
  return step;
}

inf_sim_step
inf_sim_answer_run(inf_sim_answer *answer, uint64_t now_ns, inf_buf *scratch,
                   inf_buf *out)
{
  if (answer->silent) {
    return step_do(INF_SIM_HANG);
  }
  if (answer->reset_first) {
    return now_ns < answer->headers_ns && answer->behaviour->headers_ms.set
               ? step_wait(answer->headers_ns)
               : step_do(INF_SIM_RESET);
  }
  inf_buf_clear(scratch);
  inf_sim_step step = run_turns(answer, now_ns, scratch, out);
  inf_sim_must(scratch);
  return frame_payload(answer, step, inf_buf_sv(scratch), out);
}

uint64_t
inf_sim_answer_tokens(const inf_sim_answer *answer, uint64_t now_ns)
{
  uint64_t total = answer->content.completion_tokens;
  if (!answer->completion) {
    return 0;
  }
  if (answer->streaming) {
    return answer->tokens_sent;
  }
  if (now_ns < answer->first_ns || total == 0) {
    return 0;
  }
  if (now_ns >= answer->ready_ns) {
    return total;
  }
  double part = (double)(now_ns - answer->first_ns) /
                (double)(answer->ready_ns - answer->first_ns);
  return 1 + (uint64_t)(part * (double)(total - 1));
}
