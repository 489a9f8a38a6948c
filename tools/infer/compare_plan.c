/* SPDX-License-Identifier: MIT */
/* Turns, levels and the end of the ladder. */

#include "compare_plan.h"

#include <math.h>
#include <stdlib.h>

/* Requests of a subject on a step of the ladder: enough for a p95 that means
 * something, few enough to be done in minutes. */
#define LADDER_REQUESTS   20
#define LADDER_TURN_DEPTH 2

void
inf_cmp_shuffle(inf_rng *rng, size_t *order, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    order[i] = i;
  }
  for (size_t i = count; i > 1; i--) {
    size_t other = (size_t)inf_rng_below(rng, i);
    size_t held = order[i - 1];
    order[i - 1] = order[other];
    order[other] = held;
  }
}

bool
inf_cmp_deck_init(inf_cmp_deck *deck, size_t count, inf_rng *rng)
{
  *deck = (inf_cmp_deck){.rng = rng, .count = count, .next = count};
  deck->cards = calloc(count ? count : 1, sizeof(*deck->cards));
  return deck->cards != NULL;
}

size_t
inf_cmp_deck_draw(inf_cmp_deck *deck)
{
  if (deck->next >= deck->count) {
    inf_cmp_shuffle(deck->rng, deck->cards, deck->count);
    deck->next = 0;
  }
  return deck->cards[deck->next++];
}

void
inf_cmp_deck_fini(inf_cmp_deck *deck)
{
  free(deck->cards);
  deck->cards = NULL;
}

static uint32_t
divide_up(uint32_t a, uint32_t b)
{
  return (a + b - 1) / b;
}

inf_cmp_level
inf_cmp_base_level(uint32_t requests, uint32_t concurrency)
{
  uint32_t rounds = divide_up(requests, concurrency);
  return (inf_cmp_level){.concurrency = concurrency,
                         .rounds = rounds,
                         .per_turn = concurrency,
                         .last_turn = requests - (rounds - 1) * concurrency};
}

uint32_t
inf_cmp_level_requests(const inf_cmp_level *level)
{
  return (level->rounds - 1) * level->per_turn + level->last_turn;
}

uint32_t
inf_cmp_turn_requests(const inf_cmp_level *level, uint32_t round)
{
  return round + 1 == level->rounds ? level->last_turn : level->per_turn;
}

inf_cmp_level
inf_cmp_ladder_level(uint32_t concurrency)
{
  uint32_t per_turn = LADDER_TURN_DEPTH * concurrency;
  uint32_t rounds = divide_up(LADDER_REQUESTS, per_turn);
  return (inf_cmp_level){.concurrency = concurrency,
                         .rounds = rounds < 2 ? 2 : rounds,
                         .per_turn = per_turn,
                         .last_turn = per_turn};
}

uint32_t
inf_cmp_next_concurrency(uint32_t concurrency, uint32_t base)
{
  return concurrency < base && base < 2 * concurrency ? base : 2 * concurrency;
}

uint64_t
inf_cmp_most_requests(uint32_t requests, uint32_t base,
                      uint32_t max_concurrency, bool ladder)
{
  uint64_t count = 0;
  for (uint32_t level = ladder ? 1 : base; level <= max_concurrency;
       level = inf_cmp_next_concurrency(level, base)) {
    inf_cmp_level plan = level == base ? inf_cmp_base_level(requests, base)
                                       : inf_cmp_ladder_level(level);
    count += inf_cmp_level_requests(&plan);
    if (!ladder) {
      break;
    }
  }
  return count;
}

double
inf_cmp_step_throughput(const inf_cmp_step *step)
{
  if (step->busy_ms <= 0) {
    return 0;
  }
  double amount =
      step->output_tokens > 0 ? (double)step->output_tokens : (double)step->ok;
  return amount * 1000 * step->concurrency / step->busy_ms;
}

double
inf_cmp_step_tokens_per_s(const inf_cmp_step *step)
{
  bool told = step->output_tokens > 0 || step->ok == 0;
  return told ? inf_cmp_step_throughput(step) : NAN;
}

static bool
is_pushback(const inf_cmp_step *step)
{
  uint32_t held = step->refused + step->waited;
  return held >= INF_CMP_PUSHBACK_LEAST &&
         held >= INF_CMP_PUSHBACK_SHARE * step->requests;
}

int
inf_cmp_climb(const inf_cmp_step *before, const inf_cmp_step *step,
              uint32_t max_concurrency)
{
  if (is_pushback(step)) {
    return INF_CMP_STOP_PUSHBACK;
  }
  if (step->ok * 2 <= step->requests) {
    return INF_CMP_STOP_FAILING;
  }
  if (before &&
      inf_cmp_step_throughput(step) <
          (1 + INF_CMP_LEAST_GAIN) * inf_cmp_step_throughput(before)) {
    return INF_CMP_STOP_NO_FASTER;
  }
  return step->concurrency > max_concurrency / 2 ? INF_CMP_STOP_TOP
                                                 : INF_CMP_STOP_NOT;
}

const char *
inf_cmp_stop_text(int stop)
{
  static const char *const texts[] = {
      "", "pushes back", "fails", "no faster", "highest measured", "run ended",
  };
  size_t count = sizeof(texts) / sizeof(texts[0]);
  return stop >= 0 && (size_t)stop < count ? texts[stop] : "";
}
