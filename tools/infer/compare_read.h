/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_READ_H
#define INF_TOOLS_COMPARE_READ_H

#include "compare_data.h"

#include "infer/infer.h"

/* Fills times, tokens, cost and attempts of a sample from the result of its
 * call, of which one is NULL. elapsed_ms: from submission to the event, which
 * counts where no attempt tells. */
void inf_cmp_read_result(inf_cmp_sample *sample, const infer_response *response,
                         const infer_error *error, double elapsed_ms);

#endif
