/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_TEXT_H
#define INF_TOOLS_COMPARE_TEXT_H

#include "compare_stats.h"

#include "base/buf.h"

#include <stddef.h>

/* Texts of the reports: names made harmless, figures made short. */

/* Longest of the figures below, with its NUL. */
#define INF_CMP_FIGURE 64

/* Writes text to `to`; control characters, quotes and backslashes as \n, \"
 * and \u001b, invalid UTF-8 as U+FFFD, cut between characters where the room
 * ends. Returns `to`. */
const char *inf_cmp_clean(char *to, size_t size, const char *text);
/* Columns that a text takes: its characters. */
size_t inf_cmp_columns(const char *text);

/* Three digits or so: "0.42", "7.3", "812", "15300". "none" for INFINITY, "?"
 * for NAN. Returns `to`, which has room for INF_CMP_FIGURE. */
const char *inf_cmp_number(char *to, double value);
/* "812 [640, 1200]"; without the brackets if neither end is known. */
const char *inf_cmp_range(char *to, const inf_cmp_interval *interval);
/* "$0.0123"; "?" for NAN. */
const char *inf_cmp_dollars(char *to, double usd);

/* Appends the text in lines of at most width columns, the first one indented
 * by first, the others by rest, with a newline at the end. A word that is too
 * long for a line stands alone on one. */
void inf_cmp_wrap(inf_buf *out, const char *text, size_t width, size_t first,
                  size_t rest);
/* Appends so many spaces. */
void inf_cmp_spaces(inf_buf *out, size_t count);

#endif
