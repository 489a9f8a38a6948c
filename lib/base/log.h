/* SPDX-License-Identifier: MIT */
#ifndef INF_BASE_LOG_H
#define INF_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Levels are INFER_LOG_ERROR (1) to INFER_LOG_TRACE (5); 0 is off. */
typedef void (*inf_log_fn)(int32_t level, const char *message, void *user_data);

typedef struct inf_log {
  int32_t level;
  inf_log_fn fn;
  void *user_data;
} inf_log;

static inline bool
inf_log_enabled(const inf_log *log, int32_t level)
{
  return log && log->fn && level <= log->level;
}

/* One line without an end mark, cut at 1 KiB; control characters become
 * spaces, so that no server's text forges a second line. Never given a key,
 * a prompt or an answer. */
void inf_logf(const inf_log *log, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
