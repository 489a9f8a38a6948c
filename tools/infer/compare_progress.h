/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_PROGRESS_H
#define INF_TOOLS_COMPARE_PROGRESS_H

#include "compare_data.h"

#include <stdbool.h>
#include <stddef.h>

/* One line on standard error that is written over and over: what is measured
 * now, and how each subject does so far. Nothing where standard error is no
 * terminal, or one that cannot go back to the start of a line (TERM=dumb). */
typedef struct inf_cmp_progress {
  const inf_cmp_data *data;
  bool on, shown;
  double last_ms; /* of the last drawing */
} inf_cmp_progress;

void inf_cmp_progress_init(inf_cmp_progress *progress, const inf_cmp_data *data,
                           bool quiet);
/* now_ms: since the run began. Draws at most ten times a second. */
void inf_cmp_progress_show(inf_cmp_progress *progress, size_t subject,
                           const inf_cmp_level *level, uint32_t round,
                           size_t in_flight, int64_t spent_nano_usd,
                           double now_ms);
/* Shows a text of ASCII in place of the line. */
void inf_cmp_progress_say(inf_cmp_progress *progress, const char *text);
/* Wipes the line. */
void inf_cmp_progress_end(inf_cmp_progress *progress);

/* The line, at most width columns; returns its length. */
size_t inf_cmp_progress_line(const inf_cmp_data *data, size_t subject,
                             const inf_cmp_level *level, uint32_t round,
                             size_t in_flight, int64_t spent_nano_usd,
                             double now_ms, char *line, size_t size,
                             size_t width);

/* Columns of a terminal behind fd; of $COLUMNS; else 80. At least 20. */
size_t inf_cmp_width(int fd);

#endif
