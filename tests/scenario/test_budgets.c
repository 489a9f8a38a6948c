/* SPDX-License-Identifier: MIT */
/* Budgets over real sockets: 64 calls at once, of which the limit lets so many
 * through, by the books of both sides, to the nano-dollar; and a restart. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* An answer is 5 tokens, for $10 a million. */
#define SCRIPT                                                                \
  "{'defaults':{'text':'ok','first_token_ms':30,'usage':{'prompt_tokens':20," \
  "'completion_tokens':5,'total_tokens':25}}}"
#define MEMBERS                                                             \
  "'routes':{'r':{'retries':0,'targets':[{'target':'a/m','price':{'input':" \
  "0,'output':10}}]}},'budgets':[%s]"
enum { calls = 64, call_nano = 50000 };

static void
with_budgets(world *w, const char *budgets, const char *more)
{
  char members[1000], all[1200];
  snprintf(members, sizeof members, MEMBERS, budgets);
  snprintf(all, sizeof all, "%s%s", members, more);
  world_usual(w, all);
}

static infer_request *
request_of(int64_t max_tokens)
{
  infer_request *request = world_request("r", "Hi");
  infer_request_set_int(request, "max_tokens", max_tokens);
  return request;
}

/* All at once; how many have succeeded. The others are refused. */
static size_t
run_all(world *w, int64_t max_tokens)
{
  infer_call *all[calls];
  size_t good = 0;
  infer_request *request = request_of(max_tokens);
  for (int i = 0; i < calls; i++)
    assert_int_equal(infer_submit(w->client, request, INFER_SUBMIT_WHOLE, NULL,
                                  0, &all[i], NULL),
                     INFER_OK);
  infer_request_free(request);
  for (int i = 0; i < calls; i++) {
    infer_response *response = NULL;
    infer_error *error = NULL;
    int32_t status = infer_call_wait(all[i], -1, &response, &error);
    if (status == INFER_OK) {
      assert_int_equal(infer_response_total_cost_nano_usd(response), call_nano);
      good++;
    } else {
      assert_int_equal(status, INFER_E_BUDGET);
      assert_non_null(strstr(infer_error_message(error), "budget \"all\""));
      assert_int_equal(infer_error_attempt_count(error), 0);
    }
    infer_response_free(response);
    infer_error_free(error);
    infer_call_free(all[i]);
  }
  return good;
}

static void
expect_stats(world *w, const char *part)
{
  char *json = NULL;
  assert_int_equal(infer_client_stats(w->client, &json, NULL), INFER_OK);
  if (!strstr(json, part))
    fail_msg("%s is not in %s", part, json);
  infer_text_free(json);
}

/* Never above, and none lost below: 40 are paid, so 40 are sent. */
static void
test_64_at_the_limit(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, SCRIPT);
  with_budgets(&w, "{'name':'all','usd':0.002}", "");
  assert_int_equal(run_all(&w, 5), 40);
  assert_int_equal(world_requests(&w, 1), 40);
  expect_stats(&w, "\"spent_nano_usd\":2000000,\"spent_tokens\":1000,"
                   "\"reserved_nano_usd\":0,\"reserved_tokens\":0");
  assert_int_equal(run_all(&w, 5), 0);
  assert_int_equal(world_requests(&w, 1), 40);
  world_end(&w);
}

/* Each reserves twice what it needs: half as many at once, the rest later, and
 * in the end all that the limit pays but what one has to reserve. */
static void
test_reservations_come_back(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1, SCRIPT);
  with_budgets(&w, "{'name':'all','usd':0.002}", "");
  size_t good = 0, more;
  while ((more = run_all(&w, 10)) > 0) {
    assert_true(good > 0 || more >= 20);
    good += more;
    assert_true(good <= 40);
  }
  assert_int_equal(good, 39);
  assert_int_equal(world_requests(&w, 1), 39);
  expect_stats(&w, "\"spent_nano_usd\":1950000,");
  world_end(&w);
}

/* A process that is killed, with no chance to write: what it spent more than
 * two seconds ago is not forgotten. */
static void
test_a_killed_process_has_written(void **state)
{
  (void)state;
  static const struct timespec pause = {0, 50000000};
  world w = {0};
  world_folder(&w);
  world_sim(&w, 1, SCRIPT);
  int ready[2];
  char byte;
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    alarm(60); /* whatever becomes of the test */
    with_budgets(&w, "{'name':'all','usd':0.002}", ",'budgets_file':'$DIR/b'");
    byte = run_all(&w, 5) == 40 ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1)
      _exit(1);
    for (;;)
      nanosleep(&pause, NULL);
  }
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_int_equal(byte, 'y');
  char path[80];
  snprintf(path, sizeof path, "%s/b", w.folder);
  for (int i = 0; i < 200 && access(path, F_OK) != 0; i++)
    nanosleep(&pause, NULL);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  close(ready[0]);
  close(ready[1]);
  with_budgets(&w, "{'name':'all','usd':0.002}", ",'budgets_file':'$DIR/b'");
  assert_int_equal(run_all(&w, 5), 0);
  world_end(&w);
}

/* A child that was forked keeps nothing from being written, and writes nothing
 * of its own. */
static void
test_a_forked_child_is_no_matter(void **state)
{
  (void)state;
  static const struct timespec pause = {0, 10000000};
  world w = {0};
  world_folder(&w);
  world_sim(&w, 1, SCRIPT);
  with_budgets(&w, "{'name':'all','usd':0.002}", ",'budgets_file':'$DIR/b'");
  assert_int_equal(run_all(&w, 5), 40);
  pid_t child = fork();
  if (child == 0) {
    infer_client_free(w.client);
    nanosleep(&pause, NULL);
    _exit(0);
  }
  infer_client_free(w.client);
  w.client = NULL;
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  with_budgets(&w, "{'name':'all','usd':0.002}", ",'budgets_file':'$DIR/b'");
  assert_int_equal(run_all(&w, 5), 0);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_64_at_the_limit),
      cmocka_unit_test(test_reservations_come_back),
      cmocka_unit_test(test_a_killed_process_has_written),
      cmocka_unit_test(test_a_forked_child_is_no_matter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
