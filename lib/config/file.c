/* SPDX-License-Identifier: MIT */
/* Small files: configurations, keys, certificates. Without stdio, whose
 * buffers would keep copies of keys; without blocking, because a path may
 * name a pipe that nobody writes to. */
#include "config/file.h"

#include "infer/infer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A pipe is waited for in slices, counted over the whole file, so that
 * neither signals nor a writer that trickles makes the wait longer. */
#define SLICE_MS 50

/* strerror() is not safe in threads, and speaks the user's language. */
static const char *
errno_text(int number, char why[INF_FILE_WHY_MAX])
{
  const char *text = NULL;
  switch (number) {
  case ENOENT:
  case ENOTDIR:
    text = "no such file";
    break;
  case EACCES:
  case EPERM:
    text = "permission denied";
    break;
  case EISDIR:
    text = "is a directory";
    break;
  case EAGAIN:
  case EINTR:
    text = "its end does not come";
    break;
  case EMFILE:
  case ENFILE:
    text = "too many open files";
    break;
  case ELOOP:
    text = "too many symbolic links";
    break;
  case ENAMETOOLONG:
    text = "name too long";
    break;
  default:
    break;
  }
  if (text)
    snprintf(why, INF_FILE_WHY_MAX, "%s", text);
  else
    snprintf(why, INF_FILE_WHY_MAX, "error %d of the system", number);
  return why;
}

/* Bytes read, 0 at the end, -1 with errno. */
static ssize_t
read_some(int fd, char *ptr, size_t len, int *slices)
{
  for (;;) {
    ssize_t n = read(fd, ptr, len);
    if (n >= 0 || (errno != EINTR && errno != EAGAIN))
      return n;
    if (--*slices < 0)
      return -1;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    (void)poll(&wait, 1, SLICE_MS);
  }
}

static int32_t
read_all(int fd, size_t max_bytes, int wait_ms, inf_buf *out,
         char why[INF_FILE_WHY_MAX])
{
  size_t start = out->len;
  char *piece = out->ptr + start;
  int slices = wait_ms / SLICE_MS;
  for (;;) {
    size_t len = out->len - start;
    ssize_t n = read_some(fd, piece + len, max_bytes + 1 - len, &slices);
    if (n < 0) {
      errno_text(errno, why);
      return INFER_E_IO;
    }
    if (n == 0)
      break;
    out->len += (size_t)n;
    if (out->len - start > max_bytes) {
      snprintf(why, INF_FILE_WHY_MAX, "larger than %zu bytes", max_bytes);
      return INFER_E_IO;
    }
  }
  out->ptr[out->len] = '\0';
  return INFER_OK;
}

int32_t
inf_file_read(const char *path, size_t max_bytes, int wait_ms, inf_buf *out,
              char why[INF_FILE_WHY_MAX])
{
  struct stat info;
  why[0] = '\0';
  if (!inf_buf_reserve(out, max_bytes + 1))
    return INFER_E_NO_MEMORY;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  int32_t status = INFER_E_IO;
  if (fd < 0 || fstat(fd, &info) != 0)
    errno_text(errno, why);
  else if (S_ISDIR(info.st_mode))
    errno_text(EISDIR, why);
  else
    status = read_all(fd, max_bytes, wait_ms, out, why);
  if (fd >= 0)
    close(fd);
  return status;
}
