/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_TRACE_H
#define INF_TOOLS_REPLAY_TRACE_H

#include "base/buf.h"

/* Reading a trace of requests, one after the other: what there is of it in
 * memory does not grow with the file.
 *
 * Formats, told apart by the first line:
 *
 *   CSV with a header: the columns may stand in any order and others are passed
 *   over. Ours, and those of Azure's public traces:
 *     time           seconds, or a date "2023-11-16 18:17:03.97" (UTC unless
 *                    it says otherwise); also TIMESTAMP, timestamp
 *     prompt_tokens  also ContextTokens, input_length
 *     answer_tokens  also GeneratedTokens, output_tokens, output_length
 *     tenant, model  optional
 *     prefix         optional: names of the blocks that the prompt begins
 *                    with, separated by spaces; also hash_ids
 *   CSV without a header: time, prompt_tokens, answer_tokens, then, where there
 *   are more columns, tenant and prefix.
 *   Lines of JSON as Mooncake's public traces have them: {"timestamp": ms,
 *   "input_length", "output_length", "hash_ids": [..]}, and, optional, "tenant"
 *   and "model".
 *
 * Blank lines, and lines that begin with #, are passed over.
 *
 * Lines may be out of order by INF_REPLAY_TRACE_WINDOW lines: so many are held
 * and given in the order of their times, those of the same time in that of the
 * file. */

#define INF_REPLAY_TRACE_WINDOW     1024
#define INF_REPLAY_TRACE_MAX_TOKENS 4000000 /* of a prompt or an answer */
#define INF_REPLAY_TRACE_MAX_PREFIX 65536   /* blocks of one request */
#define INF_REPLAY_TRACE_MAX_LINE   ((size_t)1 << 20)
#define INF_REPLAY_TRACE_MAX_NAME   256 /* bytes of a tenant or model */

typedef struct inf_replay_trace_request {
  uint64_t at_ns; /* since the first one */
  uint32_t prompt_tokens, answer_tokens;
  const char *tenant, *model; /* NUL-terminated; "" where it has none */
  const uint64_t *prefix;     /* numbers that stand for the blocks */
  size_t prefix_count;
  uint64_t line; /* in the file, from 1 */
} inf_replay_trace_request;

typedef struct inf_replay_trace inf_replay_trace;

/* path "-" is standard input. NULL with one line in *error. */
inf_replay_trace *inf_replay_trace_open(const char *path, inf_buf *error);
/* 1: the next request, whose pointers live until the next one; 0: there is none
 * any more; -1: something is wrong: *error names file and line. */
int inf_replay_trace_next(inf_replay_trace *trace,
                          inf_replay_trace_request *request, inf_buf *error);
/* NULL is harmless. */
void inf_replay_trace_close(inf_replay_trace *trace);

#endif
