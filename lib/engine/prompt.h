/* SPDX-License-Identifier: MIT */
#ifndef INF_ENGINE_PROMPT_H
#define INF_ENGINE_PROMPT_H

#include "engine/request.h"
#include "policy/estimate.h"

/* What a request will cost, read off its JSON before it is sent: the text that
 * the model will see, and the most that it may answer. Pure. */

/* Of one text no more than this is read word by word; the rest counts as four
 * bytes a token. */
#define INF_PROMPT_READ_MAX ((size_t)256 << 10)
/* An image: 85 tokens and 170 for each of four tiles of 512 pixels, which is
 * what OpenAI's vision guide (read 2026-08) has for one of 1024 by 1024. Sound
 * and files, whose length in tokens no one can tell from outside, count as much
 * and what their bytes say. */
#define INF_PROMPT_IMAGE_TOKENS 765

void inf_prompt_of(inf_estimate_prompt *prompt,
                   const struct infer_request *request);
/* The request's own limit of the tokens of one answer; 0: it has none. */
uint64_t inf_prompt_max_tokens(const struct infer_request *request);

#endif
