/* SPDX-License-Identifier: MIT */
/* What attempts cost; see attempt_cost.h. */
#include "engine/attempt_cost.h"

#include "engine/race.h"

/* Of text, where nobody has counted. */
enum { bytes_per_token = INF_HEDGE_BYTES_PER_TOKEN };
/* A prompt beyond the one for which a price holds costs, for most models of the
 * catalogue and on the first step of the others, twice as much. */
enum { times_beyond = 2 };

bool
inf_cost_runs_on(const inf_provider_kind *kind, bool stream)
{
  return !stream || kind->cancel_billing != INF_CANCEL_STOPS;
}

static const inf_target_config *
target_of(const inf_attempt *attempt)
{
  return attempt->probe ? attempt->asked
                        : attempt->call->targets[attempt->target];
}

static bool
is_chat(const inf_attempt *attempt)
{
  return attempt->probe || attempt->call->kind == INF_CALL_CHAT;
}

/* Did the answer come to its end? */
static bool
is_whole(const inf_attempt *attempt)
{
  return attempt->record->status == INFER_OK && !attempt->enough;
}

/* Did the provider answer with an error, and nothing else? */
static bool
is_refusal(const inf_attempt *attempt)
{
  int32_t status = attempt->record->status;
  if (attempt->record->http_status >= 300)
    return true;
  return attempt->record->http_status > 0 && !attempt->content &&
         attempt->has_decoder && attempt->decoder.failed &&
         status <= INFER_E_OVERLOADED && status >= INFER_E_BAD_REQUEST;
}

static bool
is_gateway(int32_t http_status)
{
  return http_status == 502 || http_status == 504 ||
         (http_status >= 520 && http_status <= 524);
}

/* The provider's figures are those of the end, and not of the beginning of an
 * answer that was cut. */
static bool
has_figures(const inf_attempt *attempt)
{
  const inf_usage *usage = &attempt->answer.usage;
  bool at_end = is_whole(attempt) || attempt->failed_ns > 0 ||
                attempt->decoder.terminated ||
                attempt->record->http_status >= 300;
  return attempt->has_decoder && at_end && !usage->estimated &&
         usage->input >= 0 && (usage->output >= 0 || !is_chat(attempt));
}

static int64_t
larger(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

static void
set_figures(const inf_usage *usage, inf_cost_tokens *tokens)
{
  tokens->input = usage->input;
  tokens->output = usage->output >= 0 ? usage->output : 0;
  tokens->cache_read = usage->cache_read;
  tokens->cache_write = usage->cache_write;
  tokens->reasoning = usage->reasoning;
  tokens->audio_input = usage->audio_input;
  tokens->audio_output = usage->audio_output;
}

/* What is usual there, for this call: a probe's is forgotten, but the decoder
 * was told of it. */
static void
expect(const inf_attempt *attempt, int64_t *input, int64_t *output)
{
  const struct infer_call *call = attempt->call;
  const inf_decoder_options *probe = &attempt->decoder.options;
  if (call && call->race && attempt->watched) {
    *input = call->race->input;
    *output = call->race->output;
    return;
  }
  inf_latency_expect(attempt->engine->runtime, attempt->record->target,
                     call ? call->request->chat.messages.len
                          : probe->prompt_bytes,
                     input, output);
  *output *= (int64_t)(call ? call->choices : probe->choices);
}

static void
set_estimate(const inf_attempt *attempt, inf_cost_tokens *tokens)
{
  int64_t input, output;
  size_t written = 0, reasoning = 0;
  const inf_answer *answer = &attempt->answer;
  for (size_t i = 0; i < answer->choice_count; i++) {
    written += inf_choice_content_bytes(&answer->choices[i]);
    reasoning += answer->choices[i].reasoning.len;
  }
  set_figures(&answer->usage, tokens);
  expect(attempt, &input, &output);
  if (tokens->input < 0)
    tokens->input = input;
  tokens->output =
      larger(tokens->output,
             (int64_t)((written + bytes_per_token - 1) / bytes_per_token));
  tokens->reasoning =
      larger(tokens->reasoning, (int64_t)(reasoning / bytes_per_token));
  if (!is_whole(attempt) &&
      inf_cost_runs_on(attempt->record->provider->kind, attempt->stream))
    tokens->output = larger(tokens->output, output);
}

int32_t
inf_attempt_charge(const inf_attempt *attempt, inf_cost_tokens *tokens)
{
  const struct infer_attempt *record = attempt->record;
  bool left = attempt->sent || record->http_status > 0;
  *tokens = (inf_cost_tokens){0};
  bool models = !attempt->probe && attempt->call->kind == INF_CALL_MODELS;
  if (!left || attempt->refused || models)
    return INFER_COST_EXACT;
  if (has_figures(attempt)) {
    set_figures(&attempt->answer.usage, tokens);
    return INFER_COST_EXACT;
  }
  if (attempt->untouched)
    return INFER_COST_ESTIMATED;
  if (is_refusal(attempt))
    return is_gateway(record->http_status) ? INFER_COST_ESTIMATED
                                           : INFER_COST_EXACT;
  set_estimate(attempt, tokens);
  return INFER_COST_ESTIMATED;
}

/* Races learn of all their attempts; of others only what a cost may need. */
static void
learn(const inf_attempt *attempt, const inf_cost_tokens *tokens)
{
  const struct infer_call *call = attempt->call;
  bool wanted =
      attempt->budgets.count > 0 ||
      (inf_cost_runs_on(attempt->record->provider->kind, attempt->stream) &&
       inf_price_is_known(&target_of(attempt)->price));
  if (attempt->record->status == INFER_OK && !attempt->watched &&
      call->kind == INF_CALL_CHAT && !call->carry && wanted)
    inf_latency_note_tokens(attempt->engine->runtime, attempt->record->target,
                            call->request->chat.messages.len, tokens->input,
                            tokens->output / (int64_t)call->choices);
}

void
inf_attempt_settle_cost(inf_attempt *attempt)
{
  inf_cost_tokens tokens;
  int32_t kind = inf_attempt_charge(attempt, &tokens);
  const inf_target_config *target = target_of(attempt);
  bool dearer = target->price_up_to_tokens > 0 &&
                tokens.input > target->price_up_to_tokens;
  inf_price price = inf_price_times(&target->price, dearer ? times_beyond : 1);
  inf_cost cost =
      inf_cost_of(&price, &tokens, kind == INFER_COST_ESTIMATED || dearer);
  attempt->record->cost_nano = cost.nano_usd;
  attempt->record->cost_kind = cost.kind;
  if (kind == INFER_COST_EXACT && attempt->call)
    learn(attempt, &tokens);
  inf_budgets_settle(attempt->engine, &attempt->budgets, cost.nano_usd,
                     tokens.input + tokens.output);
}
