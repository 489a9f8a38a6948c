/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_HEARD_H
#define TESTS_SUPPORT_HEARD_H

#include "provider/answer.h"

/* What an answer's listener was told, as text to compare by. How a text comes
 * in pieces depends on how it was read; whoever listens merges the pieces that
 * come together, and so does this. */
typedef struct heard {
  inf_buf text;
  inf_delta last; /* its kind and choice only */
  bool any;
} heard;

static inline void
heard_init(heard *log)
{
  *log = (heard){0};
  inf_buf_init(&log->text, SIZE_MAX);
}

static inline void
heard_fini(heard *log)
{
  inf_buf_fini(&log->text);
}

/* For inf_answer.listener; context is the log. */
static inline void
heard_on_delta(void *context, const inf_delta *delta)
{
  heard *log = context;
  bool goes_on = log->any && delta->kind <= INF_DELTA_REFUSAL &&
                 log->last.kind == delta->kind &&
                 log->last.choice == delta->choice;
  log->last = (inf_delta){.kind = delta->kind, .choice = delta->choice};
  log->any = true;
  if (!goes_on) {
    inf_buf_appendf(&log->text, "\n%d %u %u ", (int)delta->kind, delta->choice,
                    delta->tool);
    inf_buf_append_sv(&log->text, delta->tool_id);
    inf_buf_append_char(&log->text, ' ');
    inf_buf_append_sv(&log->text, delta->tool_name);
    inf_buf_append_char(&log->text, ' ');
  }
  inf_buf_append_sv(&log->text, delta->text);
}

#endif
