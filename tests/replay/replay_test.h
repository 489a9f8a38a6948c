/* SPDX-License-Identifier: MIT */
#ifndef TESTS_REPLAY_REPLAY_TEST_H
#define TESTS_REPLAY_REPLAY_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A new file with that text, whose path the caller frees. */
static inline char *
write_file(const char *text, size_t len)
{
  char path[] = "/tmp/infer-replay-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, len), len);
  close(fd);
  return strdup(path);
}

static inline void
remove_file(char *path)
{
  unlink(path);
  free(path);
}

static inline void
assert_near(double got, double wanted, double share)
{
  double off = got > wanted ? got - wanted : wanted - got;
  if (!(off <= share * (wanted > 0 ? wanted : 1)))
    fail_msg("%g, not %g", got, wanted);
}

#endif
