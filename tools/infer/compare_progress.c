/* SPDX-License-Identifier: MIT */
/* The line that tells how far a run is. */

#include "compare_progress.h"

#include "compare_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LEAST_WIDTH   20
#define USUAL_WIDTH   80
#define DRAW_EVERY_MS 100

size_t
inf_cmp_width(int fd)
{
  struct winsize window = {0};
  if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
    return window.ws_col < LEAST_WIDTH ? LEAST_WIDTH : window.ws_col;
  }
  const char *columns = getenv("COLUMNS");
  long width = columns ? strtol(columns, NULL, 10) : 0;
  if (width <= 0 || width > 1000) {
    return USUAL_WIDTH;
  }
  return width < LEAST_WIDTH ? LEAST_WIDTH : (size_t)width;
}

void
inf_cmp_progress_init(inf_cmp_progress *progress, const inf_cmp_data *data,
                      bool quiet)
{
  const char *term = getenv("TERM");
  *progress = (inf_cmp_progress){.data = data, .last_ms = -DRAW_EVERY_MS};
  progress->on = !quiet && isatty(STDERR_FILENO) && term && term[0] &&
                 strcmp(term, "dumb") != 0;
}

static void
count_calls(const inf_cmp_data *data, size_t subject, uint32_t concurrency,
            size_t *answered, size_t *failed)
{
  *answered = *failed = 0;
  for (size_t i = 0; i < data->sample_count; i++) {
    const inf_cmp_sample *sample = &data->samples[i];
    if (sample->subject == subject && sample->concurrency == concurrency) {
      *answered += sample->status == 0;
      *failed += sample->status != 0;
    }
  }
}

size_t
inf_cmp_progress_line(const inf_cmp_data *data, size_t subject,
                      const inf_cmp_level *level, uint32_t round,
                      size_t in_flight, int64_t spent_nano_usd, double now_ms,
                      char *line, size_t size, size_t width)
{
  size_t answered = 0, failed = 0;
  char name[80], money[40] = "";
  count_calls(data, subject, level->concurrency, &answered, &failed);
  inf_cmp_clean(name, sizeof(name), data->subjects[subject].name);
  if (spent_nano_usd > 0) {
    snprintf(money, sizeof(money), " | $%.4f", (double)spent_nano_usd / 1e9);
  }
  long seconds = (long)(now_ms / 1000);
  int n = snprintf(line, size,
                   "%ld:%02ld | at %u | round %u/%u%s | %zu under way | "
                   "%s: %zu ok, %zu failed",
                   seconds / 60, seconds % 60, level->concurrency, round + 1,
                   level->rounds, money, in_flight, name, answered, failed);
  size_t len = n < 0 ? 0 : (size_t)n;
  len = len >= size ? size - 1 : len;
  if (len > width) {
    len = width;
    /* Not in the middle of a character. */
    while (len > 0 && ((unsigned char)line[len] & 0xc0) == 0x80) {
      len--;
    }
  }
  line[len] = '\0';
  return len;
}

void
inf_cmp_progress_show(inf_cmp_progress *progress, size_t subject,
                      const inf_cmp_level *level, uint32_t round,
                      size_t in_flight, int64_t spent_nano_usd, double now_ms)
{
  if (!progress->on || now_ms - progress->last_ms < DRAW_EVERY_MS) {
    return;
  }
  char line[512];
  /* The last column stays free: some terminals would begin a new line. */
  inf_cmp_progress_line(progress->data, subject, level, round, in_flight,
                        spent_nano_usd, now_ms, line, sizeof(line),
                        inf_cmp_width(STDERR_FILENO) - 1);
  fprintf(stderr, "\r%s\033[K", line);
  fflush(stderr);
  progress->last_ms = now_ms;
  progress->shown = true;
}

void
inf_cmp_progress_say(inf_cmp_progress *progress, const char *text)
{
  if (progress->on) {
    fprintf(stderr, "\r%.*s\033[K", (int)inf_cmp_width(STDERR_FILENO) - 1,
            text);
    fflush(stderr);
    progress->shown = true;
  }
}

void
inf_cmp_progress_end(inf_cmp_progress *progress)
{
  if (progress->shown) {
    fputs("\r\033[K", stderr);
    fflush(stderr);
  }
  progress->shown = false;
}
