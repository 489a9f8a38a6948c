/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_REPORT_H
#define INF_TOOLS_COMPARE_REPORT_H

#include "compare_summary.h"

#include "base/buf.h"

#include <stddef.h>

/* Enough for sixteen subjects; the HTML page has a plot for each sample. */
#define INF_CMP_MAX_REPORT ((size_t)64 << 20)

/* compare_report.c: the report for a terminal or a text file, in ASCII but for
 * names, at most width columns wide where names allow it: tables from 72
 * columns on, lists below. No colours. */
void inf_cmp_report_text(const inf_cmp_summary *summary, size_t width,
                         inf_buf *out);
/* compare_json.c: for machines; docs/compare.md describes it. */
void inf_cmp_report_json(const inf_cmp_summary *summary, inf_buf *out);
/* compare_html.c: one page that needs nothing else. */
void inf_cmp_report_html(const inf_cmp_summary *summary, inf_buf *out);

#endif
