/* SPDX-License-Identifier: MIT */
/* Draws plots. */

#include "compare_plot.h"

#include "compare_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Colours come back after so many subjects; dashes and marks go with others. */
#define COLOURS 8

static const char *const dashes[] = {"", "7 3", "2 3", "9 3 2 3", "4 4"};

void
inf_cmp_html_text(inf_buf *out, const char *text)
{
  size_t size = strlen(text) * 8 + 8;
  char *clean = malloc(size);
  if (!clean) {
    return;
  }
  inf_cmp_clean(clean, size, text);
  for (const char *c = clean; *c; c++) {
    switch (*c) {
    case '&':
      inf_buf_append_cstr(out, "&amp;");
      break;
    case '<':
      inf_buf_append_cstr(out, "&lt;");
      break;
    case '>':
      inf_buf_append_cstr(out, "&gt;");
      break;
    case '"':
      inf_buf_append_cstr(out, "&quot;");
      break;
    case '\'':
      inf_buf_append_cstr(out, "&#39;");
      break;
    default:
      inf_buf_append_char(out, *c);
    }
  }
  free(clean);
}

/* Round numbers without zeros at their end. */
static void
put_tick_text(inf_buf *out, double value)
{
  inf_buf_appendf(out, "%.6g", value);
}

static void
draw_x_ticks(inf_cmp_plot *plot)
{
  for (size_t i = 0; i < plot->x.tick_count; i++) {
    double x = inf_cmp_axis_place(&plot->x, plot->x.ticks[i]);
    inf_buf_appendf(plot->out,
                    "<path class=\"grid\" d=\"M%.1f %dV%d\"/>"
                    "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                    x, INF_CMP_FIELD_TOP, INF_CMP_FIELD_FOOT, x,
                    INF_CMP_FIELD_FOOT + 17);
    put_tick_text(plot->out, plot->x.ticks[i]);
    inf_buf_append_cstr(plot->out, "</text>\n");
  }
}

static void
draw_y_ticks(inf_cmp_plot *plot, const char *unit)
{
  for (size_t i = 0; i < plot->y.tick_count; i++) {
    double y = inf_cmp_axis_place(&plot->y, plot->y.ticks[i]);
    inf_buf_appendf(plot->out,
                    "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
                    "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">",
                    INF_CMP_FIELD_LEFT, y, INF_CMP_FIELD_RIGHT,
                    INF_CMP_FIELD_LEFT - 6, y + 4);
    put_tick_text(plot->out, plot->y.ticks[i]);
    inf_buf_append_cstr(plot->out, unit);
    inf_buf_append_cstr(plot->out, "</text>\n");
  }
}

void
inf_cmp_plot_begin(inf_cmp_plot *plot, const char *title, const char *x_title,
                   const char *y_title, const char *y_unit)
{
  inf_buf_appendf(plot->out,
                  "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                  INF_CMP_PLOT_WIDTH, INF_CMP_PLOT_HEIGHT);
  inf_cmp_html_text(plot->out, title);
  inf_buf_append_cstr(plot->out, "\">\n");
  draw_x_ticks(plot);
  draw_y_ticks(plot, y_unit);
  inf_buf_appendf(plot->out,
                  "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>"
                  "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                  INF_CMP_FIELD_LEFT, INF_CMP_FIELD_TOP, INF_CMP_FIELD_FOOT,
                  INF_CMP_FIELD_RIGHT,
                  (INF_CMP_FIELD_LEFT + INF_CMP_FIELD_RIGHT) / 2,
                  INF_CMP_PLOT_HEIGHT - 8);
  inf_cmp_html_text(plot->out, x_title);
  int middle = (INF_CMP_FIELD_TOP + INF_CMP_FIELD_FOOT) / 2;
  inf_buf_appendf(plot->out,
                  "</text><text x=\"14\" y=\"%d\" text-anchor=\"middle\" "
                  "transform=\"rotate(-90 14 %d)\">",
                  middle, middle);
  inf_cmp_html_text(plot->out, y_title);
  inf_buf_append_cstr(plot->out, "</text>\n");
}

static void
open_line(inf_buf *out, size_t subject)
{
  size_t dash = subject % (sizeof(dashes) / sizeof(dashes[0]));
  inf_buf_appendf(out, "<path class=\"line s%zu\" stroke-dasharray=\"%s\" d=\"",
                  subject % COLOURS, dash > 0 ? dashes[dash] : "none");
}

void
inf_cmp_plot_curve_begin(inf_cmp_plot *plot, size_t subject)
{
  open_line(plot->out, subject);
}

void
inf_cmp_plot_curve_to(inf_cmp_plot *plot, double x, double y, bool first,
                      bool steps)
{
  double left = inf_cmp_axis_place(&plot->x, x) + plot->shift;
  double top = inf_cmp_axis_place(&plot->y, y);
  inf_buf_appendf(plot->out,
                  first   ? "M%.1f %.1f"
                  : steps ? "H%.1fV%.1f"
                          : "L%.1f %.1f",
                  left, top);
}

void
inf_cmp_plot_curve_end(inf_cmp_plot *plot)
{
  inf_buf_append_cstr(plot->out, "\"/>\n");
}

/* A circle, square, triangle, rhombus or cross around a place. */
static void
put_shape(inf_buf *out, size_t subject, double x, double y)
{
  switch (subject % 5) {
  case 0:
    inf_buf_appendf(out,
                    "<circle class=\"mark s%zu\" cx=\"%.1f\" cy=\"%.1f\" "
                    "r=\"4.5\">",
                    subject % COLOURS, x, y);
    return;
  case 1:
    inf_buf_appendf(out, "<path class=\"mark s%zu\" d=\"M%.1f %.1fh8v8h-8z\">",
                    subject % COLOURS, x - 4, y - 4);
    return;
  case 2:
    inf_buf_appendf(out, "<path class=\"mark s%zu\" d=\"M%.1f %.1fl5 9h-10z\">",
                    subject % COLOURS, x, y - 5);
    return;
  case 3:
    inf_buf_appendf(out,
                    "<path class=\"mark s%zu\" d=\"M%.1f %.1fl5 6l-5 6l-5-6z"
                    "\">",
                    subject % COLOURS, x, y - 6);
    return;
  default:
    inf_buf_appendf(out,
                    "<path class=\"mark s%zu\" d=\"M%.1f %.1fl5-5l2 2l-5 5l5 "
                    "5l-2 2l-5-5l-5 5l-2-2l5-5l-5-5l2-2z\">",
                    subject % COLOURS, x, y - 2);
  }
}

static void
close_shape(inf_buf *out, size_t subject)
{
  inf_buf_append_cstr(out, subject % 5 == 0 ? "</circle>\n" : "</path>\n");
}

void
inf_cmp_plot_mark(inf_cmp_plot *plot, size_t subject, double x, double y,
                  const char *tip)
{
  put_shape(plot->out, subject, inf_cmp_axis_place(&plot->x, x) + plot->shift,
            inf_cmp_axis_place(&plot->y, y));
  inf_buf_append_cstr(plot->out, "<title>");
  inf_cmp_html_text(plot->out, tip);
  inf_buf_append_cstr(plot->out, "</title>");
  close_shape(plot->out, subject);
}

void
inf_cmp_plot_whisker(inf_cmp_plot *plot, size_t subject, double at, double low,
                     double high, bool across)
{
  const inf_cmp_axis *along = across ? &plot->x : &plot->y;
  double place = inf_cmp_axis_place(across ? &plot->y : &plot->x, at) +
                 (across ? 0 : plot->shift);
  double from = inf_cmp_axis_place(along, isnan(low) ? along->low : low);
  double to = inf_cmp_axis_place(along, isnan(high) ? along->high : high);
  inf_buf_appendf(plot->out, "<path class=\"whisker s%zu\" ",
                  subject % COLOURS);
  if (isnan(low) || isnan(high)) {
    inf_buf_append_cstr(plot->out, "stroke-dasharray=\"1 3\" ");
  }
  inf_buf_appendf(plot->out,
                  across ? "d=\"M%.1f %.1fH%.1f\"/>\n"
                         : "d=\"M%.1f %.1fV%.1f\"/>\n",
                  across ? from : place, across ? place : from, to);
}

void
inf_cmp_plot_end(inf_cmp_plot *plot)
{
  inf_buf_append_cstr(plot->out, "</svg>\n");
}

void
inf_cmp_plot_key(inf_buf *out, size_t subject)
{
  inf_buf_append_cstr(out, "<svg class=\"key\" viewBox=\"0 0 36 14\" "
                           "aria-hidden=\"true\">");
  open_line(out, subject);
  inf_buf_append_cstr(out, "M1 7H35\"/>");
  put_shape(out, subject, 18, 7);
  close_shape(out, subject);
  inf_buf_append_cstr(out, "</svg>");
}
