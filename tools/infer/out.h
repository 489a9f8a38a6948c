/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_OUT_H
#define INF_TOOLS_OUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* Where a provider's text goes: a terminal, which must not obey it, or a pipe
 * or file, which gets it as it came. */
typedef struct inf_out {
  int fd;
  bool terminal;      /* neutralise control characters */
  bool in_line;       /* the last byte written was no newline */
  unsigned char held; /* first byte of what may become a pair, or 0 */
  int error;          /* errno of the write that failed; then nothing goes */
  /* A write that a signal interrupts is given up when this is not 0. May be
   * NULL. */
  const volatile sig_atomic_t *stop;
} inf_out;

/* terminal is found by isatty(). */
void inf_out_init(inf_out *out, int fd);
/* Text of a provider, in pieces of any size. On a terminal control characters
 * other than newline and tab are shown as ^[ or \u009b, and CR LF becomes LF.
 * False once a write has failed. */
bool inf_out_text(inf_out *out, const char *ptr, size_t len);
/* What the program itself writes, as it is. */
bool inf_out_raw(inf_out *out, const char *text);
/* Shows what is held back and ends the line if one is open. */
bool inf_out_end(inf_out *out);
/* 0 if all was written; else an exit code, having said why it was not. */
int inf_out_result(const inf_out *out);

/* One line on standard error, "infer: " before it. Control characters in it
 * are neutralised. */
void inf_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same without "infer: ". */
void inf_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
