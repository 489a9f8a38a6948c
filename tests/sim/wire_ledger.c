/* SPDX-License-Identifier: MIT */
/* `infer sim --ledger`: what is in the file after an end in order and after a
 * kill at the worst moment. */
#include "wire_util.h"

#include <signal.h>

static char path[64];

static int
make_file(void **state)
{
  (void)state;
  snprintf(path, sizeof path, "/tmp/infer-ledger-XXXXXX");
  int fd = mkstemp(path);
  if (fd < 0 || write(fd, "old\n", 4) != 4)
    return -1;
  return close(fd);
}

static int
remove_file(void **state)
{
  (void)state;
  return unlink(path);
}

static sim_process *
start(const char *script)
{
  return must_start(script, (const char *const[]){"--ledger", path, NULL});
}

static void
expect_ledger(const char *expected)
{
  char text[1024];
  FILE *file = fopen(path, "re");
  assert_non_null(file);
  size_t len = fread(text, 1, sizeof text - 1, file);
  text[len] = '\0';
  fclose(file);
  assert_string_equal(text, expected);
}

static void
ask_with_id(sim_process *sim, const char *id, const char *body)
{
  char fields[256];
  snprintf(fields, sizeof fields,
           "Connection: close\r\nX-Client-Request-Id: %s\r\n", id);
  char *request = make_request(fields, body);
  free(sim_exchange(sim, request, strlen(request), NULL, NULL));
  free(request);
}

static void
two_lines_for_each_request(void **state)
{
  (void)state;
  sim_process *sim =
      start("{\"defaults\":{\"text\":\"one two three\"},\"rules\":["
            "{\"when\":{\"requests\":\"2\"},\"do\":{\"status\":503}},"
            "{\"when\":{\"requests\":\"1-\"},\"do\":{}}]}");
  expect_ledger("");
  ask_with_id(sim, "call-7", WHOLE);
  ask_with_id(sim, "7 and more", STREAM);
  free(ask(sim, "{", NULL, NULL));
  free(sim_exchange(sim, "nonsense\r\n\r\n", 12, NULL, NULL));
  json_object_put(ended_log(sim, 4));
  assert_true(sim_stop(sim));
  expect_ledger("request 1 call-7\nend 1 200 complete 1 3\n"
                "request 2 7\nend 2 503 complete 0 0\n"
                "request 3 -\nend 3 400 complete 0 0\n"
                "request 4 -\nend 4 400 complete 0 0\n");
}

/* Who has got a byte of an answer finds the request in the ledger. */
static void
a_kill_loses_nothing_that_was_answered(void **state)
{
  (void)state;
  sim_process *sim = start("{\"defaults\":{\"stall_after_tokens\":2}}");
  char *request = make_request("X-Client-Request-Id: 9\r\n", STREAM);
  int fd = sim_connect(sim);
  assert_true(fd >= 0);
  send_text(fd, request);
  free(read_until(fd, "HTTP/1.1"));
  sim_kill(sim);
  expect_ledger("request 1 9\n");
  close(fd);
  free(request);
}

/* An end in order ends what is being answered. */
static void
an_end_in_order_leaves_nothing_open(void **state)
{
  (void)state;
  sim_process *sim = start("{\"defaults\":{\"silence\":true}}");
  char *request = make_request("X-Client-Request-Id: 9\r\n", WHOLE);
  int fd = sim_connect(sim);
  assert_true(fd >= 0);
  send_text(fd, request);
  for (int i = 0; i < 5000 && stat_of(sim, "/requests") == 0; i++)
    poll(NULL, 0, 1);
  assert_true(sim_stop(sim));
  expect_ledger("request 1 9\nend 1 0 server_down 0 0\n");
  close(fd);
  free(request);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(two_lines_for_each_request, make_file,
                                      remove_file),
      cmocka_unit_test_setup_teardown(a_kill_loses_nothing_that_was_answered,
                                      make_file, remove_file),
      cmocka_unit_test_setup_teardown(an_end_in_order_leaves_nothing_open,
                                      make_file, remove_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
