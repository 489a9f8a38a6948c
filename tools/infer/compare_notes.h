/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_NOTES_H
#define INF_TOOLS_COMPARE_NOTES_H

#include "compare_summary.h"

#include "base/buf.h"

/* The sentences of the reports, one on each line of out, as plain text: names
 * are cleaned (compare_text.h), nothing is escaped for a format. */

/* What was measured, and how it ended. */
void inf_cmp_note_run(const inf_cmp_summary *summary, inf_buf *out);
/* Who is better, or that nobody can be said to be. */
void inf_cmp_note_verdicts(const inf_cmp_summary *summary, inf_buf *out);
/* Calls, failures by class, rate limits: of one subject. */
void inf_cmp_note_failures(const inf_cmp_summary *summary, size_t subject,
                           inf_buf *out);
/* Whether its answers hold up. */
void inf_cmp_note_answers(const inf_cmp_summary *summary, size_t subject,
                          inf_buf *out);
/* How the figures are to be read. */
void inf_cmp_note_method(const inf_cmp_summary *summary, inf_buf *out);

#endif
