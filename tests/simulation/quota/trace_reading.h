/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIMULATION_QUOTA_TRACE_READING_H
#define TESTS_SIMULATION_QUOTA_TRACE_READING_H

#include "trace.h"

/* What the readers of the forms share. */

enum { trace_llmperf_callers = 5 };

typedef struct trace_reading {
  trace *into;
  const char *path;
  size_t room;
  size_t line; /* or element of an array; from 1 */
  double free_at[trace_llmperf_callers];
} trace_reading;

/* False if it cannot be one, or no more fit. */
bool trace_add(trace_reading *r, double at, double prompt, double output);
/* The whole file with a NUL after it, to be freed; NULL if it cannot be read.
 * Who parses text stops at its first NUL. */
char *trace_read_file(const char *path);
/* Calls add_one for each line that is not empty, until one returns false. Cuts
 * the text up. */
bool trace_read_lines(trace_reading *r, char *text,
                      bool (*add_one)(trace_reading *r, const char *line));

/* trace_servegen.c */
/* Does a line say how requests came in a time? */
bool servegen_is_line(const char *text);
bool servegen_read(trace_reading *r, char *text);

#endif
