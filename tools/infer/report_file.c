/* SPDX-License-Identifier: MIT */
/* Writes reports. */

#include "report_file.h"

#include "out.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
inf_report_is_stdout(const char *path)
{
  return path && strcmp(path, "-") == 0;
}

static void
say_why(const char *path, int why)
{
  inf_say("cannot write %s: %s", path, strerror(why));
}

bool
inf_report_check(const char *path)
{
  struct stat status;
  if (inf_report_is_stdout(path)) {
    return true;
  }
  bool is_new = lstat(path, &status) != 0;
  FILE *file = fopen(path, "ab");
  if (!file) {
    say_why(path, errno);
    return false;
  }
  fclose(file);
  if (is_new) {
    unlink(path);
  }
  return true;
}

/* 0, or why not. */
static int
write_to(FILE *file, const inf_buf *text)
{
  int why = fwrite(text->ptr, 1, text->len, file) == text->len ? 0 : errno;
  if (fclose(file) != 0 && why == 0) {
    why = errno;
  }
  return why;
}

static int
write_plainly(const char *path, const inf_buf *text)
{
  FILE *file = fopen(path, "wb");
  return file ? write_to(file, text) : errno;
}

static int
write_beside(const char *path, const char *other, const inf_buf *text)
{
  FILE *file = fopen(other, "wb");
  if (!file) {
    /* The file may be ours where its folder is not. */
    return errno == EACCES || errno == EPERM || errno == ENAMETOOLONG
               ? write_plainly(path, text)
               : errno;
  }
  int why = write_to(file, text);
  if (why == 0 && rename(other, path) != 0) {
    why = errno;
  }
  if (why != 0) {
    unlink(other);
  }
  return why;
}

bool
inf_report_write(const char *path, const inf_buf *text)
{
  struct stat status;
  char other[PATH_MAX];
  if (inf_report_is_stdout(path)) {
    /* main() looks whether it could be written. */
    fwrite(text->ptr, 1, text->len, stdout);
    return true;
  }
  int n = snprintf(other, sizeof(other), "%s.part", path);
  bool fits = n > 0 && (size_t)n < sizeof(other);
  bool is_special = lstat(path, &status) == 0 && !S_ISREG(status.st_mode);
  int why = is_special || !fits ? write_plainly(path, text)
                                : write_beside(path, other, text);
  if (why != 0) {
    say_why(path, why);
  }
  return why == 0;
}
