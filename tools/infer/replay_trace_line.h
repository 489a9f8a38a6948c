/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_TRACE_LINE_H
#define INF_TOOLS_REPLAY_TRACE_LINE_H

#include "base/buf.h"

/* One line of a trace, whose formats are in replay_trace.h. Pure. */

typedef enum inf_replay_trace_column {
  INF_REPLAY_TRACE_TIME,
  INF_REPLAY_TRACE_PROMPT,
  INF_REPLAY_TRACE_ANSWER,
  INF_REPLAY_TRACE_TENANT,
  INF_REPLAY_TRACE_PREFIX,
  INF_REPLAY_TRACE_MODEL,
  INF_REPLAY_TRACE_COLUMNS,
} inf_replay_trace_column;

typedef struct inf_replay_trace_columns {
  bool json;
  bool header;                      /* the line is one, and no request */
  int at[INF_REPLAY_TRACE_COLUMNS]; /* from 0; -1: there is none */
} inf_replay_trace_columns;

typedef struct inf_replay_trace_line {
  int64_t wall_ns; /* of whatever clock the trace has */
  uint32_t prompt_tokens, answer_tokens;
  inf_buf tenant, model;
  inf_buf prefix; /* of uint64_t */
} inf_replay_trace_line;

void inf_replay_trace_line_init(inf_replay_trace_line *line);
void inf_replay_trace_line_fini(inf_replay_trace_line *line);

/* What the first line says of the format. False with a static text in *why. */
bool inf_replay_trace_columns_read(inf_replay_trace_columns *columns,
                                   inf_sv text, const char **why);
/* A request; text is not empty and has no white space at its ends. */
bool inf_replay_trace_line_read(inf_replay_trace_line *line,
                                const inf_replay_trace_columns *columns,
                                inf_sv text, const char **why);

#endif
