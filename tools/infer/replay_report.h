/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_REPLAY_REPORT_H
#define INF_TOOLS_REPLAY_REPORT_H

#include "replay_run.h"

/* What a replay prints: a table with a column for each configuration, at most
 * 80 wide, and the same as JSON. Nothing in either depends on the machine: the
 * same trace, models, configurations and seed give the same bytes. */

typedef struct inf_replay_column {
  const char *name; /* of the configuration: its file */
  const inf_replay_result *result;
} inf_replay_column;

typedef struct inf_replay_report {
  const inf_replay_options *options;
  const inf_replay_column *columns;
  size_t count;
} inf_replay_report;

/* Appended; errors are the buffer's sticky status. */
void inf_replay_report_text(const inf_replay_report *report, inf_buf *out);
/* Format: docs/replay.md. Ends with a newline. */
void inf_replay_report_json(const inf_replay_report *report, inf_buf *out);

#endif
