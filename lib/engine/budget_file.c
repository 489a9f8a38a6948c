/* SPDX-License-Identifier: MIT */
/* The file of budgets; see budget_file.h. */
#include "engine/budget_file.h"

#include "base/clock.h"
#include "infer/infer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { path_max_bytes = 16 << 10, mode = 0600, lock_pause_ms = 10 };

static int32_t
fail(int number, char why[INF_BUDGET_FILE_WHY])
{
  static const struct {
    int number;
    const char *text;
  } known[] = {
      {ENOENT, "no such directory"},
      {ENOTDIR, "no such directory"},
      {EACCES, "permission denied"},
      {EPERM, "permission denied"},
      {EROFS, "read-only file system"},
      {ENOSPC, "no space left"},
      {EDQUOT, "no space left"},
      {EFBIG, "no space left"},
      {EISDIR, "is a directory"},
      {EMFILE, "too many open files"},
      {EWOULDBLOCK, "others hold its lock"},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (known[i].number == number) {
      snprintf(why, INF_BUDGET_FILE_WHY, "%s", known[i].text);
      return INFER_E_IO;
    }
  if (number == ENOMEM)
    snprintf(why, INF_BUDGET_FILE_WHY, "out of memory");
  else
    snprintf(why, INF_BUDGET_FILE_WHY, "error %d of the system", number);
  return number == ENOMEM ? INFER_E_NO_MEMORY : INFER_E_IO;
}

/* FILE and what stands behind it; NULL without memory. */
static const char *
beside(const char *path, const char *suffix, inf_buf *name)
{
  inf_buf_init(name, path_max_bytes);
  inf_buf_append_cstr(name, path);
  inf_buf_append_cstr(name, suffix);
  return name->status == INFER_OK ? name->ptr : NULL;
}

/* ---- The lock ------------------------------------------------------------ */

int32_t
inf_budget_file_lock(const char *path, int wait_ms, int *out,
                     char why[INF_BUDGET_FILE_WHY])
{
  static const struct timespec pause = {0, lock_pause_ms * INF_NS_PER_MS};
  inf_buf name;
  const char *lock_path = beside(path, ".lock", &name);
  errno = ENOMEM;
  int lock =
      lock_path ? open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, mode) : -1;
  int failed = lock < 0 ? errno : 0;
  *out = -1;
  inf_buf_fini(&name);
  for (; lock >= 0; wait_ms -= lock_pause_ms) {
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
      *out = lock;
      return INFER_OK;
    }
    failed = errno;
    if (failed != EINTR && (failed != EWOULDBLOCK || wait_ms <= 0))
      break;
    nanosleep(&pause, NULL);
  }
  if (lock >= 0)
    close(lock);
  return fail(failed, why);
}

/* A child that was forked meanwhile has the descriptor too: to close it would
 * not be enough. */
void
inf_budget_file_unlock(int lock)
{
  if (lock < 0)
    return;
  flock(lock, LOCK_UN);
  close(lock);
}

/* ---- Reading ------------------------------------------------------------- */

static int32_t
read_all(int fd, inf_buf *out, char why[INF_BUDGET_FILE_WHY])
{
  char part[8 << 10];
  for (;;) {
    ssize_t n = read(fd, part, sizeof part);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail(errno, why);
    if (n == 0)
      return INFER_OK;
    if (!inf_buf_append(out, part, (size_t)n)) {
      snprintf(why, INF_BUDGET_FILE_WHY, "too large, or no memory for it");
      return out->status;
    }
  }
}

int32_t
inf_budget_file_read(const char *path, bool old, inf_buf *out,
                     char why[INF_BUDGET_FILE_WHY])
{
  inf_buf name;
  const char *from = beside(path, old ? ".old" : "", &name);
  errno = ENOMEM;
  /* Not to be kept waiting by a pipe that has this name. */
  int fd = from ? open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
  int failed = errno;
  inf_buf_fini(&name);
  if (fd < 0)
    return failed == ENOENT ? INFER_OK : fail(failed, why);
  int32_t status = read_all(fd, out, why);
  close(fd);
  return status;
}

/* ---- Writing ------------------------------------------------------------- */

static int
write_all(int fd, inf_sv text)
{
  while (text.len > 0) {
    ssize_t n = write(fd, text.ptr, text.len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n < 0 ? errno : ENOSPC;
    text = inf_sv_of(text.ptr + n, text.len - (size_t)n);
  }
  return fsync(fd) == 0 ? 0 : errno;
}

/* So that the rename itself lasts. Not all file systems can do that. */
static void
sync_directory(const char *path)
{
  inf_buf name;
  const char *slash = strrchr(path, '/');
  inf_buf_init(&name, path_max_bytes);
  if (slash)
    inf_buf_append(&name, path, (size_t)(slash - path) + 1);
  else
    inf_buf_append_cstr(&name, ".");
  int fd = name.status == INFER_OK
               ? open(name.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
               : -1;
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
  inf_buf_fini(&name);
}

/* FILE.old becomes a second name of what FILE is, so that there is a FILE at
 * every moment. Not all file systems can do that. */
static void
keep_old(const char *path, const char *old)
{
  struct stat info;
  if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
    return;
  unlink(old);
  if (link(path, old) != 0)
    rename(path, old);
}

int32_t
inf_budget_file_write(const char *path, inf_sv text,
                      char why[INF_BUDGET_FILE_WHY])
{
  inf_buf temporary, old;
  const char *to = beside(path, ".tmp", &temporary);
  const char *kept = beside(path, ".old", &old);
  int failed = ENOMEM;
  if (to && kept) {
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    failed = fd < 0 ? errno : write_all(fd, text);
    if (fd >= 0 && close(fd) != 0 && failed == 0)
      failed = errno;
    if (failed == 0) {
      keep_old(path, kept);
      failed = rename(to, path) == 0 ? 0 : errno;
    }
    if (failed != 0)
      unlink(to);
    else
      sync_directory(path);
  }
  inf_buf_fini(&temporary);
  inf_buf_fini(&old);
  return failed == 0 ? INFER_OK : fail(failed, why);
}

void
inf_budget_file_set_aside(const char *path)
{
  inf_buf bad;
  const char *to = beside(path, ".bad", &bad);
  if (to)
    rename(path, to);
  inf_buf_fini(&bad);
}
