/* SPDX-License-Identifier: MIT */
/* What the command line lets through to a terminal. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../tools/infer/out.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct case_ {
  const char *text, *shown;
} case_;

static const case_ cases[] = {
    {"plain\n", "plain\n"},
    {"no end", "no end\n"},
    {"", ""},
    {"tab\there\n", "tab\there\n"},
    /* A title, a colour, a bell, a query that the terminal would answer. */
    {"\033]0;x\007\n", "^[]0;x^G\n"},
    {"\033[31mred\033[0m\n", "^[[31mred^[[0m\n"},
    {"a\bb\177c\n", "a^Hb^?c\n"},
    /* CR LF is a line end, CR alone would overwrite the line. */
    {"one\r\ntwo\r\n", "one\ntwo\n"},
    {"visible\rhidden\n", "visible^Mhidden\n"},
    {"\r\r\n", "^M\n"},
    {"end\r", "end^M\n"},
    /* CSI as one character, which UTF-8 terminals obey too. */
    {"\xc2\x9b"
     "31m\n",
     "\\u009b31m\n"},
    {"\xc2\x85\n", "\\u0085\n"},
    /* C2 begins printable characters as well. */
    {"\xc2\xa9 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\n",
     "\xc2\xa9 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\n"},
    {"\xc2\xc2\x9b\n", "\xc2\\u009b\n"},
    {"\r\xc2\x9b\n", "^M\\u009b\n"},
};

static size_t
read_back(int fd, char *to, size_t size)
{
  ssize_t n = read(fd, to, size - 1);
  to[n > 0 ? n : 0] = '\0';
  return n > 0 ? (size_t)n : 0;
}

static void
check_case(const case_ *one, size_t piece, bool terminal, const char *expected)
{
  int fds[2];
  char got[512];
  assert_int_equal(pipe(fds), 0);
  inf_out out;
  inf_out_init(&out, fds[1]);
  assert_false(out.terminal);
  out.terminal = terminal;
  size_t len = strlen(one->text);
  for (size_t i = 0; i < len; i += piece) {
    assert_true(
        inf_out_text(&out, one->text + i, len - i < piece ? len - i : piece));
  }
  assert_true(inf_out_end(&out));
  close(fds[1]);
  read_back(fds[0], got, sizeof(got));
  close(fds[0]);
  assert_string_equal(got, expected);
}

static void
test_terminal_shows_control_characters(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (size_t piece = 1; piece <= strlen(cases[i].text) + 1; piece++) {
      check_case(&cases[i], piece, true, cases[i].shown);
    }
  }
}

static void
test_pipe_gets_the_bytes(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char expected[512];
    const char *text = cases[i].text;
    size_t len = strlen(text);
    bool open = len > 0 && text[len - 1] != '\n';
    snprintf(expected, sizeof(expected), "%s%s", text, open ? "\n" : "");
    check_case(&cases[i], 3, false, expected);
  }
}

static void
test_long_text_grows_without_loss(void **state)
{
  (void)state;
  static char text[5000], got[12000];
  int fds[2];
  memset(text, '\033', sizeof(text));
  assert_int_equal(pipe(fds), 0);
  inf_out out;
  inf_out_init(&out, fds[1]);
  out.terminal = true;
  assert_true(inf_out_text(&out, text, sizeof(text)));
  close(fds[1]);
  assert_int_equal(read_back(fds[0], got, sizeof(got)), 2 * sizeof(text));
  close(fds[0]);
  for (size_t i = 0; i < 2 * sizeof(text); i += 2) {
    assert_memory_equal(got + i, "^[", 2);
  }
}

static void
test_broken_output_is_remembered(void **state)
{
  (void)state;
  int fds[2];
  assert_int_equal(pipe(fds), 0);
  close(fds[0]);
  inf_out out;
  inf_out_init(&out, fds[1]);
  assert_false(inf_out_text(&out, "x", 1));
  assert_int_equal(out.error, EPIPE);
  assert_false(inf_out_text(&out, "y", 1));
  assert_false(inf_out_end(&out));
  close(fds[1]);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_terminal_shows_control_characters),
      cmocka_unit_test(test_pipe_gets_the_bytes),
      cmocka_unit_test(test_long_text_grows_without_loss),
      cmocka_unit_test(test_broken_output_is_remembered),
  };
  signal(SIGPIPE, SIG_IGN);
  return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}
