/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_PLOT_H
#define INF_TOOLS_COMPARE_PLOT_H

#include "compare_axis.h"

#include "base/buf.h"

#include <stddef.h>

/* One plot as inline SVG: axes, and curves or points of subjects. A subject's
 * colour is that of the class s0, s1, ... in the page's style; on paper without
 * colour its dashes and its mark tell it from others. */
typedef struct inf_cmp_plot {
  inf_buf *out;
  inf_cmp_axis x, y;
  /* Moves what is drawn to the right, so that subjects with the same x do not
   * cover one another. */
  double shift;
} inf_cmp_plot;

/* The drawing's size, and the field within it. */
#define INF_CMP_PLOT_WIDTH  460
#define INF_CMP_PLOT_HEIGHT 300
#define INF_CMP_FIELD_LEFT  68
#define INF_CMP_FIELD_RIGHT 434
#define INF_CMP_FIELD_TOP   14
#define INF_CMP_FIELD_FOOT  252

/* Escapes text for HTML, as content and in attributes; control characters and
 * invalid UTF-8 are cleaned (compare_text.h). */
void inf_cmp_html_text(inf_buf *out, const char *text);

/* Begins the SVG and draws the axes, which are set by then. unit is written
 * after each number of the y axis. title is read to who does not see it. */
void inf_cmp_plot_begin(inf_cmp_plot *plot, const char *title,
                        const char *x_title, const char *y_title,
                        const char *y_unit);
/* A curve is points one after another; steps: like a staircase. */
void inf_cmp_plot_curve_begin(inf_cmp_plot *plot, size_t subject);
void inf_cmp_plot_curve_to(inf_cmp_plot *plot, double x, double y, bool first,
                           bool steps);
void inf_cmp_plot_curve_end(inf_cmp_plot *plot);
/* The subject's mark. tip is shown when it is pointed at. */
void inf_cmp_plot_mark(inf_cmp_plot *plot, size_t subject, double x, double y,
                       const char *tip);
/* A line from low to high at x, or, across, at y. */
void inf_cmp_plot_whisker(inf_cmp_plot *plot, size_t subject, double at,
                          double low, double high, bool across);
void inf_cmp_plot_end(inf_cmp_plot *plot);

/* For a legend: a small SVG with the subject's line and mark. */
void inf_cmp_plot_key(inf_buf *out, size_t subject);

#endif
