/* SPDX-License-Identifier: MIT */
/* Writes reports. */

#include "compare_file.h"

#include "cmd.h"
#include "out.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
inf_cmp_file_is_stdout(const char *path)
{
  return path && strcmp(path, "-") == 0;
}

int
inf_cmp_file_check(const char *path)
{
  if (inf_cmp_file_is_stdout(path)) {
    return 0;
  }
  bool is_new = access(path, F_OK) != 0;
  FILE *file = fopen(path, "ab");
  if (!file) {
    inf_say("%s: %s", path, strerror(errno));
    return EXIT_USAGE;
  }
  fclose(file);
  if (is_new) {
    unlink(path);
  }
  return 0;
}

static int
write_plainly(const char *path, const inf_buf *text)
{
  FILE *file = fopen(path, "wb");
  bool ok = file && fwrite(text->ptr, 1, text->len, file) == text->len;
  ok = file && fclose(file) == 0 && ok;
  if (!ok) {
    inf_say("%s: %s", path, strerror(errno));
  }
  return ok ? 0 : EXIT_CALL_FAILED;
}

int
inf_cmp_file_write(const char *path, const inf_buf *text)
{
  struct stat status;
  char other[PATH_MAX];
  if (inf_cmp_file_is_stdout(path)) {
    /* main() looks whether it could be written. */
    fwrite(text->ptr, 1, text->len, stdout);
    return 0;
  }
  if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
    return write_plainly(path, text);
  }
  int n = snprintf(other, sizeof(other), "%s.part", path);
  if (n < 0 || (size_t)n >= sizeof(other)) {
    inf_say("%s: the name is too long", path);
    return EXIT_CALL_FAILED;
  }
  int code = write_plainly(other, text);
  if (code == 0 && rename(other, path) != 0) {
    inf_say("%s: %s", path, strerror(errno));
    code = EXIT_CALL_FAILED;
  }
  if (code != 0) {
    unlink(other);
  }
  return code;
}
