/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/file.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static void
reads_within(const char *path, size_t max, int wait_ms, const char *wanted)
{
  char why[INF_FILE_WHY_MAX];
  inf_buf text;
  inf_buf_init(&text, max + 100);
  assert_true(inf_buf_append_cstr(&text, "<"));
  int32_t status = inf_file_read(path, max, wait_ms, &text, why);
  if (status != INFER_OK)
    fail_msg("%s", why);
  assert_int_equal(text.len, 1 + strlen(wanted));
  assert_string_equal(inf_buf_cstr(&text) + 1, wanted);
  inf_buf_fini(&text);
}

static void
reads(const char *path, size_t max, const char *wanted)
{
  reads_within(path, max, 0, wanted);
}

static void
fails(const char *path, size_t max, const char *wanted)
{
  char why[INF_FILE_WHY_MAX];
  inf_buf text;
  inf_buf_init(&text, max + 1);
  assert_int_equal(inf_file_read(path, max, 0, &text, why), INFER_E_IO);
  assert_string_equal(why, wanted);
  inf_buf_fini(&text);
}

static void
reads_up_to_the_limit(void **state)
{
  (void)state;
  char *path = new_file("0123456789", 10);
  reads(path, 10, "0123456789");
  reads(path, 1000, "0123456789");
  fails(path, 9, "larger than 9 bytes");
  drop_file(path);
  path = new_file("", 0);
  reads(path, 10, "");
  drop_file(path);
}

static void
says_why_it_fails(void **state)
{
  (void)state;
  fails("/nonexistent/file", 10, "no such file");
  fails("/", 10, "is a directory");
  char *path = new_file("x", 1);
  if (geteuid() != 0) {
    assert_int_equal(chmod(path, 0), 0);
    fails(path, 10, "permission denied");
  }
  char below[600];
  snprintf(below, sizeof below, "%s/x", path);
  fails(below, 10, "no such file");
  drop_file(path);
}

static void
says_what_is_wrong_with_a_path(void **state)
{
  (void)state;
  char folder[] = "/tmp/test_file.XXXXXX", path[64], name[600];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/loop", folder);
  assert_int_equal(symlink(path, path), 0);
  fails(path, 10, "too many symbolic links");
  assert_int_equal(unlink(path), 0);
  memset(name, 'x', sizeof name);
  name[0] = '/';
  name[sizeof name - 1] = '\0';
  fails(name, 10, "name too long");
  /* A socket is there, but not to be opened: what has no words of ours is
   * told by its number. */
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(path, sizeof path, "%s/socket", folder);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  snprintf(name, sizeof name, "error %d of the system", ENXIO);
  fails(path, 10, name);
  close(fd);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(folder), 0);
}

static void
says_that_no_descriptor_is_left(void **state)
{
  (void)state;
  struct rlimit before, none;
  char *path = new_file("x", 1);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  fails(path, 10, "too many open files");
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  drop_file(path);
}

static void
reads_a_pipe(void **state)
{
  (void)state;
  int fds[2];
  char path[64];
  assert_int_equal(pipe(fds), 0);
  assert_int_equal(write(fds[1], "through", 7), 7);
  close(fds[1]);
  snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
  reads(path, 100, "through");
  close(fds[0]);
}

static void *
write_and_close(void *arg)
{
  int fd = *(int *)arg;
  assert_int_equal(write(fd, "late", 4), 4);
  close(fd);
  return NULL;
}

static void
waits_for_a_pipe(void **state)
{
  (void)state;
  int fds[2];
  char path[64];
  pthread_t thread;
  assert_int_equal(pipe(fds), 0);
  snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
  assert_int_equal(pthread_create(&thread, NULL, write_and_close, &fds[1]), 0);
  reads_within(path, 100, 60000, "late");
  pthread_join(thread, NULL);
  close(fds[0]);
}

static void
does_not_wait_for_ever(void **state)
{
  (void)state;
  int fds[2];
  char path[64];
  assert_int_equal(pipe(fds), 0);
  snprintf(path, sizeof path, "/dev/fd/%d", fds[0]);
  fails(path, 100, "its end does not come");
  close(fds[0]);
  close(fds[1]);
}

static void
a_limit_of_the_buffer_is_no_crash(void **state)
{
  (void)state;
  char why[INF_FILE_WHY_MAX];
  inf_buf text;
  inf_buf_init(&text, 10);
  assert_int_equal(inf_file_read("/dev/null", 100, 0, &text, why),
                   INFER_E_NO_MEMORY);
  inf_buf_fini(&text);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_up_to_the_limit),
      cmocka_unit_test(says_why_it_fails),
      cmocka_unit_test(says_what_is_wrong_with_a_path),
      cmocka_unit_test(says_that_no_descriptor_is_left),
      cmocka_unit_test(reads_a_pipe),
      cmocka_unit_test(waits_for_a_pipe),
      cmocka_unit_test(does_not_wait_for_ever),
      cmocka_unit_test(a_limit_of_the_buffer_is_no_crash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
