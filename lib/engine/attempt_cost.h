/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_ATTEMPT_COST_H
#define INF_ENGINE_ATTEMPT_COST_H

#include "engine/engine.h"

/* What an attempt is charged for: decided in this one place, at its end, for
 * its record (nano-dollars) and for the race that it was in (the hedge budget).
 *
 *   nothing, exactly      it never left; the provider refused the stream
 *                         unread; it answered with an error (a status of 300
 *                         or more, or an error in place of an answer): who did
 *                         not serve does not charge
 *   nothing, as a guess   the same error from a gateway (502, 504, 520-524),
 *                         behind which somebody may have worked; a used
 *                         connection that broke before a byte of the answer
 *   the figures, exactly  the provider sent them for a whole answer, or after
 *                         the error that ended one
 *   an estimate           all else: cut, timed out, cancelled, lost, or without
 *                         figures. Input: the provider's figure, else as many
 *                         tokens as a prompt of that length had there. Output:
 *                         the provider's figure so far or what was written, the
 *                         larger; and where the answer is made and charged to
 *                         its end though nobody listens (a whole body; a stream
 *                         whose provider is not known to stop: cancel_billing
 *                         of the catalogue), at least as many as usual
 *
 * A prompt that is longer than the target's price holds for is charged twice
 * the price, as an estimate.
 *
 * Loop only; the record has its status and HTTP status. */

/* INFER_COST_EXACT or INFER_COST_ESTIMATED: of the counts. */
int32_t inf_attempt_charge(const inf_attempt *attempt, inf_cost_tokens *tokens);

/* Fills in the record's cost, and settles the budgets by it. Of an attempt
 * outside a race it also learns the usual length, where that may be charged.
 * A probe is charged by the same rule; cut short at its first content it is
 * such a cut answer, though it succeeded. */
void inf_attempt_settle_cost(inf_attempt *attempt);

/* Is an answer charged to its end when its request is cancelled? */
bool inf_cost_runs_on(const inf_provider_kind *kind, bool stream);

#endif
