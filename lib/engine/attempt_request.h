/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_ATTEMPT_REQUEST_H
#define INF_ENGINE_ATTEMPT_REQUEST_H

#include "engine/attempt.h"

/* From the call and its target to what an attempt needs: a decoder for the
 * answer and the request as the provider's dialect writes it. Loop only. */

void inf_attempt_prepare_decoder(inf_attempt *attempt);
/* Writes the request into attempt->wire. why gets a line for what the dialect
 * cannot say. */
int32_t inf_attempt_write_request(inf_attempt *attempt,
                                  const inf_target_config *target,
                                  inf_buf *why);

#endif
