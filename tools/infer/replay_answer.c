/* SPDX-License-Identifier: MIT */
/* Writes simulated answers: see replay_answer.h. */

#include "replay_answer.h"

#include "replay_dialect.h"

enum {
  /* An event stays below 4 KiB. */
  most_tokens_at_once = 1000,
  most_pieces = 4000,
};

void
inf_replay_plan_draw(inf_replay_plan *plan, const inf_replay_model *model,
                     inf_rng *rng)
{
  uint32_t cached = plan->cached_tokens > 0 ? (uint32_t)plan->cached_tokens : 0;
  double first_ms = inf_sim_dist_draw(&model->first_token_ms, rng);
  first_ms += (double)(plan->prompt_tokens - cached) *
              inf_sim_dist_draw(&model->prompt_token_ms, rng);
  double token_ms = inf_sim_dist_draw(&model->token_ms, rng);
  plan->first_ns = (uint64_t)(first_ms * 1e6);
  plan->rest_ns =
      (uint64_t)(token_ms * 1e6 * (double)(plan->answer_tokens - 1));
}

/* Of what comes after the first token. */
static uint32_t
count_pieces(const inf_replay_plan *plan)
{
  uint64_t rest = plan->answer_tokens - 1;
  uint64_t pieces = plan->rest_ns / plan->gap_ns + 1;
  uint64_t least = rest / most_tokens_at_once + 1;
  pieces = pieces < least ? least : pieces;
  pieces = pieces > most_pieces ? most_pieces : pieces;
  return (uint32_t)(pieces > rest ? rest : pieces);
}

static void
write_rest(const inf_replay_plan *plan, inf_virtual_answer *answer)
{
  uint32_t rest = plan->answer_tokens - 1, done = 0;
  uint32_t pieces = count_pieces(plan);
  uint32_t stop = plan->broken_after > 0 ? plan->broken_after - 1 : rest;
  for (uint32_t i = 1; i <= pieces && done < stop; i++) {
    uint32_t upto = (uint32_t)((uint64_t)rest * i / pieces);
    upto = upto < stop ? upto : stop;
    inf_replay_put_text(&answer->body, upto - done);
    done = upto;
    answer->end_ns = plan->first_ns + (uint64_t)((double)plan->rest_ns *
                                                 (double)done / (double)rest);
    inf_virtual_piece_at(answer, answer->end_ns, answer->body.len);
  }
}

static void
write_stream(const inf_replay_plan *plan, inf_virtual_answer *answer)
{
  answer->headers_ns = answer->end_ns = plan->first_ns;
  inf_replay_put_text(&answer->body, 1);
  inf_virtual_piece_at(answer, plan->first_ns, answer->body.len);
  write_rest(plan, answer);
  if (plan->broken_after == 0) {
    inf_replay_put_end(&answer->body, plan->prompt_tokens, plan->answer_tokens,
                       plan->cached_tokens);
    inf_virtual_piece_at(answer, answer->end_ns, answer->body.len);
  }
}

static void
write_whole(const inf_replay_plan *plan, inf_virtual_answer *answer)
{
  answer->headers_ns = answer->end_ns = plan->first_ns + plan->rest_ns;
  if (plan->broken_after == 0) {
    inf_replay_put_whole(&answer->body, plan->prompt_tokens,
                         plan->answer_tokens, plan->cached_tokens);
  }
  inf_virtual_piece_at(answer, answer->end_ns, answer->body.len);
}

void
inf_replay_plan_write(const inf_replay_plan *plan, inf_virtual_answer *answer)
{
  answer->status = 200;
  if (plan->stream) {
    write_stream(plan, answer);
  } else {
    write_whole(plan, answer);
  }
}
