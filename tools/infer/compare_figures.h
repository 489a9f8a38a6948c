/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_FIGURES_H
#define INF_TOOLS_COMPARE_FIGURES_H

#include "compare_summary.h"

#include "base/buf.h"

/* The plots of the HTML page, each a <figure> with its caption and legend.
 * One that has nothing to show says why in its place. */

/* Share of calls answered within a time; total: whole answers, else first
 * tokens. */
void inf_cmp_figure_distribution(const inf_cmp_summary *summary, bool total,
                                 inf_buf *out);
/* p95 of the first token against concurrency. */
void inf_cmp_figure_load(const inf_cmp_summary *summary, inf_buf *out);
/* Tokens in a second, of all streams, against concurrency. */
void inf_cmp_figure_throughput(const inf_cmp_summary *summary, inf_buf *out);
/* Dollars for 1,000 calls against the p95 of the whole answer. */
void inf_cmp_figure_cost(const inf_cmp_summary *summary, inf_buf *out);

#endif
