/* SPDX-License-Identifier: MIT */
/* Output of the command line. A provider's text is not ours: written to a
 * terminal as it comes it could move the cursor, change the title, or answer
 * a terminal query into the shell's input. */

#include "out.h"

#include "cmd.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONGEST_ESCAPE 10 /* "^M" and then "\u009b" */

void
inf_out_init(inf_out *out, int fd)
{
  *out = (inf_out){.fd = fd, .terminal = isatty(fd) == 1};
}

/* A descriptor that somebody made non-blocking is waited for. */
static bool
may_go_on(const inf_out *out, int error)
{
  if (error == EINTR) {
    return !out->stop || !*out->stop;
  }
  if (error == EAGAIN || error == EWOULDBLOCK) {
    struct pollfd wait = {.fd = out->fd, .events = POLLOUT};
    return poll(&wait, 1, -1) >= 0 || !out->stop || !*out->stop;
  }
  return false;
}

static bool
write_all(inf_out *out, const char *ptr, size_t len)
{
  while (len > 0 && out->error == 0) {
    ssize_t n = write(out->fd, ptr, len);
    if (n >= 0) {
      ptr += n;
      len -= (size_t)n;
    } else if (!may_go_on(out, errno)) {
      out->error = errno;
    }
  }
  return out->error == 0;
}

static size_t
put_control(char *to, unsigned char c)
{
  to[0] = '^';
  to[1] = (char)(c ^ 0x40);
  return 2;
}

static size_t
put_held_pair(inf_out *out, unsigned char c, char *to, bool *taken)
{
  unsigned char held = out->held;
  out->held = 0;
  *taken = true;
  if (held == '\r' && c == '\n') {
    to[0] = '\n';
    return 1;
  }
  /* U+0080 to U+009F are control characters too, encoded as C2 80..9F. */
  if (held == 0xc2 && c >= 0x80 && c <= 0x9f) {
    return (size_t)snprintf(to, LONGEST_ESCAPE, "\\u%04x", c);
  }
  *taken = false;
  if (held == '\r') {
    return put_control(to, held);
  }
  to[0] = (char)held;
  return 1;
}

/* Writes what becomes of c, at most LONGEST_ESCAPE bytes. */
static size_t
put_safe(inf_out *out, unsigned char c, char *to)
{
  size_t n = 0;
  if (out->held) {
    bool taken;
    n = put_held_pair(out, c, to, &taken);
    if (taken) {
      return n;
    }
  }
  if (c == '\r' || c == 0xc2) {
    out->held = c;
    return n;
  }
  if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
    return n + put_control(to + n, c);
  }
  to[n] = (char)c;
  return n + 1;
}

static bool
write_safe(inf_out *out, const char *ptr, size_t len)
{
  char part[1024];
  size_t used = 0;
  for (size_t i = 0; i < len; i++) {
    if (used > sizeof(part) - LONGEST_ESCAPE) {
      write_all(out, part, used);
      used = 0;
    }
    used += put_safe(out, (unsigned char)ptr[i], part + used);
  }
  return write_all(out, part, used);
}

bool
inf_out_text(inf_out *out, const char *ptr, size_t len)
{
  if (len == 0) {
    return out->error == 0;
  }
  out->in_line = ptr[len - 1] != '\n';
  return out->terminal ? write_safe(out, ptr, len) : write_all(out, ptr, len);
}

bool
inf_out_raw(inf_out *out, const char *text)
{
  return write_all(out, text, strlen(text));
}

bool
inf_out_end(inf_out *out)
{
  if (out->held) {
    char last[LONGEST_ESCAPE];
    unsigned char held = out->held;
    out->held = 0;
    if (held == '\r') {
      write_all(out, last, put_control(last, held));
    }
  }
  if (out->in_line) {
    out->in_line = false;
    write_all(out, "\n", 1);
  }
  return out->error == 0;
}

int
inf_out_result(const inf_out *out)
{
  if (out->error == 0) {
    return 0;
  }
  inf_say("cannot write to standard output: %s", strerror(out->error));
  return EXIT_CALL_FAILED;
}

static void
say(const char *prefix, const char *format, va_list args)
{
  char line[4096];
  int n = vsnprintf(line, sizeof(line), format, args);
  size_t len = n < 0 ? 0 : (size_t)n;
  if (len >= sizeof(line)) {
    len = sizeof(line) - 1;
  }
  for (size_t i = 0; i < len; i++) {
    if (line[i] == '\n') {
      line[i] = ' ';
    }
  }
  inf_out err = {.fd = STDERR_FILENO, .terminal = true};
  inf_out_raw(&err, prefix);
  inf_out_text(&err, line, len);
  err.in_line = true;
  inf_out_end(&err);
}

void
inf_say(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  say("infer: ", format, args);
  va_end(args);
}

void
inf_note(const char *format, ...)
{
  va_list args;
  va_start(args, format);
  say("", format, args);
  va_end(args);
}
