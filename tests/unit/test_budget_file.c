/* SPDX-License-Identifier: MIT */
#include "engine/budget_file.h"

#include "infer/infer.h"
#include "support/fail_alloc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], path[96], why[INF_BUDGET_FILE_WHY];

static int
make_folder(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/infer-budgets-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/spent", folder);
  return 0;
}

static const char *
beside(const char *suffix)
{
  static char name[128];
  snprintf(name, sizeof name, "%s%s", path, suffix);
  return name;
}

static int
remove_folder(void **state)
{
  static const char *const all[] = {"", ".old", ".tmp", ".bad", ".lock"};
  (void)state;
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    unlink(beside(all[i]));
  return rmdir(folder);
}

static void
holds(bool old, const char *expected)
{
  inf_buf text;
  inf_buf_init(&text, 1000);
  assert_int_equal(inf_budget_file_read(path, old, &text, why), INFER_OK);
  assert_string_equal(inf_buf_cstr(&text), expected);
  inf_buf_fini(&text);
}

static int32_t
write_text(const char *text)
{
  return inf_budget_file_write(path, inf_sv_from(text), why);
}

static void
what_is_written_is_read(void **state)
{
  (void)state;
  struct stat info;
  holds(false, "");
  holds(true, "");
  assert_int_equal(write_text("one"), INFER_OK);
  holds(false, "one");
  holds(true, "");
  assert_int_equal(write_text("two"), INFER_OK);
  holds(false, "two");
  holds(true, "one");
  assert_int_equal(write_text("three"), INFER_OK);
  holds(true, "two");
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_int_not_equal(access(beside(".tmp"), F_OK), 0);
  /* One that is too large. */
  inf_buf text;
  inf_buf_init(&text, 3);
  assert_int_equal(inf_budget_file_read(path, false, &text, why),
                   INFER_E_TOO_LARGE);
  inf_buf_fini(&text);
}

static void
a_damaged_one_is_set_aside(void **state)
{
  (void)state;
  assert_int_equal(write_text("good"), INFER_OK);
  assert_int_equal(write_text("damaged"), INFER_OK);
  inf_budget_file_set_aside(path);
  holds(false, "");
  holds(true, "good");
  assert_int_equal(access(beside(".bad"), F_OK), 0);
  /* The good one stays until there is another. */
  assert_int_equal(write_text("new"), INFER_OK);
  holds(false, "new");
  assert_int_equal(access(beside(".bad"), F_OK), 0);
}

/* The disk is full: what was there stays, whole. */
static void
a_full_disk_harms_nothing(void **state)
{
  (void)state;
  struct rlimit before, small = {100, 100};
  char large[1000];
  memset(large, 'x', sizeof large - 1);
  large[sizeof large - 1] = '\0';
  assert_int_equal(write_text("one"), INFER_OK);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small.rlim_max = before.rlim_max;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  int32_t status = write_text(large);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(status, INFER_E_IO);
  assert_string_equal(why, "no space left");
  holds(false, "one");
  assert_int_not_equal(access(beside(".tmp"), F_OK), 0);
}

static void
what_cannot_be_is_told(void **state)
{
  (void)state;
  char before[96];
  snprintf(before, sizeof before, "%s", path);
  snprintf(path, sizeof path, "%s/none/spent", folder);
  assert_int_equal(write_text("x"), INFER_E_IO);
  assert_string_equal(why, "no such directory");
  int lock;
  assert_int_equal(inf_budget_file_lock(path, 0, &lock, why), INFER_E_IO);
  assert_int_equal(lock, -1);
  assert_string_equal(why, "no such directory");
  snprintf(path, sizeof path, "%s", folder);
  assert_int_equal(write_text("x"), INFER_E_IO);
  inf_buf text;
  inf_buf_init(&text, 1000);
  assert_int_equal(inf_budget_file_read(path, false, &text, why), INFER_E_IO);
  assert_string_equal(why, "is a directory");
  inf_buf_fini(&text);
  unlink(beside(".tmp"));
  unlink(beside(".old"));
  snprintf(path, sizeof path, "%s", before);
}

/* Also when a child, forked meanwhile, still has the descriptor. */
static void
one_holds_the_lock(void **state)
{
  (void)state;
  int lock, other;
  assert_int_equal(inf_budget_file_lock(path, 0, &lock, why), INFER_OK);
  assert_true(lock >= 0);
  assert_int_equal(inf_budget_file_lock(path, 30, &other, why), INFER_E_IO);
  assert_int_equal(other, -1);
  assert_string_equal(why, "others hold its lock");
  pid_t child = fork();
  if (child == 0) {
    alarm(5); /* also if the test fails */
    pause();
    _exit(0);
  }
  inf_budget_file_unlock(lock);
  assert_int_equal(inf_budget_file_lock(path, 0, &lock, why), INFER_OK);
  inf_budget_file_unlock(lock);
  inf_budget_file_unlock(-1);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void
all_of_it(void *arg)
{
  (void)arg;
  inf_buf text;
  int lock;
  inf_buf_init(&text, 1000);
  int32_t status = inf_budget_file_lock(path, 0, &lock, why);
  inf_budget_file_unlock(lock);
  if (status == INFER_OK)
    status = write_text("one");
  if (status == INFER_OK)
    status = inf_budget_file_read(path, false, &text, why);
  assert_true(status == INFER_OK ||
              (status == INFER_E_NO_MEMORY && fail_alloc_hits() > 0));
  inf_budget_file_set_aside(path);
  inf_buf_fini(&text);
}

static void
memory_may_fail_anywhere(void **state)
{
  (void)state;
  fail_alloc_install();
  assert_true(fail_alloc_sweep(all_of_it, NULL) > 0);
  fail_alloc_uninstall();
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(what_is_written_is_read),   TEST(a_damaged_one_is_set_aside),
      TEST(a_full_disk_harms_nothing), TEST(what_cannot_be_is_told),
      TEST(one_holds_the_lock),        TEST(memory_may_fail_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
