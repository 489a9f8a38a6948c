# SPDX-License-Identifier: MIT
# Bugs in lib/engine: races of two attempts. See bugs.cmake.

infer_bug(491 engine/race.c
  "unit/test_race"
  "the attempt that lost is let run on: the answer is paid twice"
  [[  if (held != &call->staged)
    inf_deliver_drop(held);
  inf_attempt_detach(attempt, false);]]
  [[  if (held != &call->staged)
    inf_deliver_drop(held);
  inf_attempt_detach(attempt, true);]])

infer_bug(492 engine/race.c
  "unit/test_race"
  "what the loser cost is not settled: hedges look free and take any share of the bill"
  [[  attempt->record->decision = decision;
  inf_hedger_settle(attempt->engine->runtime, &call->race->pass,
                    cost_of(attempt));]]
  [[  attempt->record->decision = decision;]])

infer_bug(493 engine/race.c
  "unit/test_race"
  "an error of the first attempt ends the call, though its hedge is about to answer"
  [[  if (!other) {
    attempt->holds = false;]]
  [[  if (!other || attempt == call->attempt) {
    attempt->holds = false;]])

infer_bug(494 engine/race.c
  "unit/test_race"
  "the reader gets the loser's refusal before the winner's answer"
  [[  if (held != &call->staged)
    inf_deliver_drop(held);]]
  [[  if (held != &call->staged)
    inf_deliver_release(attempt->engine, call, held);]])

infer_bug(495 engine/race.c
  "unit/test_race"
  "a request that asks for patience is hedged as soon as any other"
  [[  if (attempt->hedge_ns > 0 && attempt->hedge_ns < least_ns)
    attempt->hedge_ns = least_ns;]]
  [[  (void)least_ns;]])

infer_bug(496 engine/race.c
  "unit/test_race"
  "the beginning of the winner's answer is lost where it was held back"
  [[    inf_deliver_release(engine, call, held);
  }
  call->attempt = attempt;]]
  [[    inf_deliver_release(engine, call, &race->held_first);
    (void)held;
  }
  call->attempt = attempt;]])

infer_bug(497 engine/race.c
  "unit/test_race"
  "hedges go to a provider that is down"
  [[  if (call->params->breaker &&
      inf_health_admit(]]
  [[  if (!call->params->breaker &&
      inf_health_admit(]])

infer_bug(498 engine/race.c
  "unit/test_race"
  "hedges that always win count as lost: after 64 hardly one is sent"
  [[    bool hedge_won = attempt == race->rival;]]
  [[    bool hedge_won = attempt != race->rival;]])

infer_bug(499 engine/race.c
  "unit/test_race_silence"
  "what was cancelled counts as an answer: the slow ones look as fast as the hedge's delay"
  [[    record_time(attempt, kind_of(attempt), age_ns, true);]]
  [[    record_time(attempt, kind_of(attempt), age_ns, false);]])

infer_bug(525 engine/race.c
  "unit/test_race"
  "calls that fail pay for hedges: an outage sends more of them"
  [[  if (status == INFER_OK && call->race && call->race->pass.hedger)]]
  [[  if (call->race && call->race->pass.hedger)]])

infer_bug(526 engine/race.c
  "unit/test_race_silence"
  "who waits at a silent target is sent there once more"
  [[  if (state->excluded || state->not_before_ns > engine->now_ns ||
      inf_latency_is_silent(engine->runtime, asked->name))]]
  [[  if (state->excluded || state->not_before_ns > engine->now_ns)]])

infer_bug(527 engine/race.c
  "unit/test_race"
  "hedges are not paid from the retry budget: a storm of them on top of retries"
  [[  if (!call->params->retry_budget)
    return true;
  if (!rescue)]]
  [[  if (true)
    return true;
  if (!rescue)]])

infer_bug(528 engine/race.c
  "unit/test_race"
  "a hedge that is not sent after all keeps its part of the limits and of the budget"
  [[  } else {
    take_back(engine, call);
  }
  return reason == INF_HEDGE_YES;]]
  [[  }
  return reason == INF_HEDGE_YES;]])

infer_bug(529 engine/race.c
  "unit/test_race"
  "hedges use up a limit that first attempts need"
  [[keep_percent, inf_waiting_places(engine), &engine->pass)]]
  [[keep_percent - keep_percent, inf_waiting_places(engine),
                       &engine->pass)]])

infer_bug(530 engine/race.c
  "unit/test_race_silence"
  "after the machine has slept every target is taken for silent: all calls are sent twice"
  [[  if (inf_attempt_jumped(attempt)) /* nobody listened */]]
  [[  if (false)]])
