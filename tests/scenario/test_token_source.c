/* SPDX-License-Identifier: MIT */
/* Tokens that the application gives: when it is asked, from where and when it
 * may answer, and what becomes of answers that nobody waits for any more. */
#include "token_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* A source that answers each question as the test says. */
typedef struct source {
  pthread_mutex_t mutex;
  enum { AT_ONCE, LATER, NEVER, FAILS, PASSES, RUBBISH, EXPIRED } mode;
  const char *format; /* of a token; its number is put in */
  int64_t life_s;     /* 0: it does not say */
  int asked, refused;
  int32_t result; /* of the latest answer */
  infer_token_request *kept;
} source;

static source it;

static int32_t
give(infer_token_request *request, int number)
{
  char token[128];
  int64_t now_s = (int64_t)time(NULL);
  snprintf(token, sizeof token, it.format, number);
  if (it.mode == RUBBISH)
    return infer_token_deliver(request, "two\nlines", INFER_NUL_TERMINATED, 0);
  return infer_token_deliver(request, token, strlen(token),
                             it.mode == EXPIRED ? now_s - 1
                             : it.life_s > 0    ? now_s + it.life_s
                                                : 0);
}

/* As a fetch over the network would be. */
static void *
give_later(void *request)
{
  tiny_sleep_ms(150);
  pthread_mutex_lock(&it.mutex);
  it.result = give(request, it.asked);
  pthread_mutex_unlock(&it.mutex);
  return NULL;
}

static void
on_question(infer_token_request *request, void *user_data)
{
  assert_ptr_equal(user_data, &it);
  assert_string_equal(infer_token_request_provider(request), "p");
  pthread_mutex_lock(&it.mutex);
  it.asked++;
  it.refused += infer_token_request_refused(request);
  switch (it.mode) {
  case LATER: {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_later, request), 0);
    pthread_detach(thread);
    break;
  }
  case NEVER:
    it.kept = request;
    break;
  case FAILS:
    it.result = infer_token_fail(request, INFER_E_AUTH, "consent is missing");
    break;
  case PASSES:
    it.result = infer_token_fail(request, INFER_E_CONNECT, NULL);
    break;
  default:
    it.result = give(request, it.asked);
  }
  pthread_mutex_unlock(&it.mutex);
}

static int
asked(void)
{
  pthread_mutex_lock(&it.mutex);
  int count = it.asked;
  pthread_mutex_unlock(&it.mutex);
  return count;
}

static int
set_up(void **state)
{
  memset(&it, 0, sizeof it);
  pthread_mutex_init(&it.mutex, NULL);
  it.format = "token-%d";
  return token_set_up(state);
}

#define P(type, members)                                         \
  "{'providers':[{'name':'p','type':'" type "','base_url':'$H'," \
  "'upstream':'unary'" members "}]"

static void
make_source(const char *json)
{
  infer_config *config = config_of(json);
  assert_int_equal(infer_config_set_token_source(config, "p", on_question, &it),
                   INFER_OK);
  client_of(config);
}

#define AZURE    P("azure-openai", "") "}"
#define NO_RETRY P("azure-openai", "") ",'defaults':{'retries':0}}"

/* ---- Entra --------------------------------------------------------------- */

static void
test_a_token_goes_out_as_a_bearers(void **state)
{
  (void)state;
  make_source(AZURE);
  expect_trail("p/m first OK");
  expect_trail("p/m first OK");
  assert_string_equal(house.authorization, "Bearer token-1");
  assert_string_equal(house.api_key, "");
  assert_int_equal(asked(), 1);
  assert_int_equal(it.result, INFER_OK);
}

/* The loop serves others while the application takes its time. */
static void
test_a_slow_source_blocks_nobody(void **state)
{
  (void)state;
  enum { count = 64 };
  infer_call *calls[count];
  infer_config *config = config_of(
      "{'providers':[{'name':'p','type':'azure-openai','base_url':'$H',"
      "'upstream':'unary'},{'name':'q','type':'openai','base_url':'$H',"
      "'upstream':'unary','api_key':'token-9'}]}");
  infer_config_set_token_source(config, "p", on_question, &it);
  client_of(config);
  it.mode = LATER;
  infer_request *request = world_request("p/m", "x");
  for (int i = 0; i < count; i++)
    assert_int_equal(infer_submit(here.client, request, INFER_SUBMIT_WHOLE,
                                  NULL, 0, &calls[i], NULL),
                     INFER_OK);
  infer_request_free(request);
  outcome other = world_chat(&here, "q/m");
  assert_int_equal(other.status, INFER_OK);
  assert_true(other.took_ms < 140);
  outcome_end(&other);
  for (int i = 0; i < count; i++) {
    assert_int_equal(infer_call_wait(calls[i], 10000, NULL, NULL), INFER_OK);
    infer_call_free(calls[i]);
  }
  assert_int_equal(asked(), 1);
}

static void
test_a_token_that_ends_is_renewed(void **state)
{
  (void)state;
  make_source(AZURE);
  it.life_s = 2;
  expect_trail("p/m first OK");
  world_sleep_ms(2200);
  expect_trail("p/m first OK");
  assert_in_range(asked(), 2, 3);
  assert_string_not_equal(house.authorization, "Bearer token-1");
}

static void
test_a_refused_token_is_renewed_once(void **state)
{
  (void)state;
  make_source(NO_RETRY);
  expect_trail("p/m first OK");
  house_set(&house, &house.least, 2);
  expect_trail("p/m first AUTH, p/m key OK");
  assert_int_equal(it.refused, 1);
  house_set(&house, &house.least, 100);
  expect_trail("p/m first AUTH, p/m key AUTH");
  assert_int_equal(asked(), 3);
  assert_int_equal(it.refused, 2);
}

/* ---- AWS ----------------------------------------------------------------- */

static void
test_temporary_keys_sign(void **state)
{
  (void)state;
  it.format = "AKIDtoken-%d:secret:session-of-3";
  make_source(
      P("bedrock", ",'region':'eu-west-1'") ",'defaults':{'retries':0}}");
  expect_trail("p/m first OK");
  assert_non_null(strstr(house.authorization, "AWS4-HMAC-SHA256 Credential="
                                              "AKIDtoken-1/"));
  assert_string_equal(house.amz_token, "session-of-3");
  /* They expired: 403, as AWS has it. */
  house_set(&house, &house.least, 2);
  expect_trail("p/m first AUTH, p/m key OK");
  assert_non_null(strstr(house.authorization, "AKIDtoken-2/"));
  assert_int_equal(it.refused, 1);
}

/* AWS takes five minutes of difference. Who is told so signs anew at once, also
 * where nothing is retried, and once. */
static void
test_a_wrong_clock_is_corrected_once(void **state)
{
  (void)state;
  char day[32];
  it.format = "AKIDtoken-%d:secret";
  make_source(
      P("bedrock", ",'region':'eu-west-1'") ",'defaults':{'retries':0}}");
  expect_trail("p/m first OK");
  house.skewed = 1;
  house.clock_s = (int64_t)time(NULL) + 86400;
  time_t then = (time_t)house.clock_s;
  struct tm tm;
  strftime(day, sizeof day, "%Y%m%d", gmtime_r(&then, &tm));
  expect_trail("p/m first AUTH, p/m key OK");
  assert_int_equal(strncmp(house.amz_date, day, 8), 0);
  expect_trail("p/m first OK"); /* it is known now */
  assert_int_equal(asked(), 1); /* the key is as good as before */
  /* A server whose date runs away is not followed. */
  house_set(&house, &house.skewed, 2);
  int before = house_get(&house, &house.chats);
  expect_trail("p/m first AUTH, p/m key AUTH");
  assert_int_equal(house_get(&house, &house.chats), before + 2);
}

/* ---- No token ------------------------------------------------------------ */

static void
expect_failure(int mode, int32_t status, const char *part)
{
  it.mode = mode;
  make_source(NO_RETRY);
  outcome o = world_chat(&here, "p/m");
  if (o.status != status || !strstr(infer_error_message(o.error), part))
    fail_msg("%d: %s", (int)o.status, infer_error_message(o.error));
  outcome_end(&o);
  infer_client_free(here.client);
  here.client = NULL;
}

static void
test_a_source_that_has_none(void **state)
{
  (void)state;
  expect_failure(FAILS, INFER_E_AUTH,
                 "no token for provider \"p\": its token source: consent is "
                 "missing");
  assert_int_equal(it.result, INFER_OK);
  expect_failure(PASSES, INFER_E_CONNECT, "its token source");
  expect_failure(RUBBISH, INFER_E_AUTH, "what it gave is no token");
  assert_int_equal(it.result, INFER_E_INVALID_ARGUMENT);
  expect_failure(EXPIRED, INFER_E_AUTH, "what it gave has expired");
  assert_int_equal(it.result, INFER_E_INVALID_ARGUMENT);
  assert_int_equal(house_get(&house, &house.chats), 0);
}

/* A passing failure is asked about again after a second. */
static void
test_a_call_waits_for_the_next_try(void **state)
{
  (void)state;
  it.mode = PASSES;
  make_source(AZURE);
  infer_call *call;
  infer_request *request = world_request("p/m", "x");
  infer_submit(here.client, request, INFER_SUBMIT_WHOLE, NULL, 0, &call, NULL);
  infer_request_free(request);
  for (int i = 0; i < 500 && asked() == 0; i++)
    infer_call_wait(call, 10, NULL, NULL);
  pthread_mutex_lock(&it.mutex);
  it.mode = AT_ONCE;
  pthread_mutex_unlock(&it.mutex);
  assert_int_equal(infer_call_wait(call, 10000, NULL, NULL), INFER_OK);
  infer_call_free(call);
  assert_int_equal(asked(), 2);
}

/* ---- Answers that nobody waits for --------------------------------------- */

static infer_call *
waiting_call(int64_t deadline_ms)
{
  infer_call *call;
  it.mode = NEVER;
  make_source(AZURE);
  infer_request *request = world_request("p/m", "x");
  infer_request_set_deadline_ms(request, deadline_ms);
  infer_submit(here.client, request, INFER_SUBMIT_WHOLE, NULL, 0, &call, NULL);
  infer_request_free(request);
  for (int i = 0; i < 500 && asked() == 0; i++)
    infer_call_wait(call, 10, NULL, NULL);
  return call;
}

static void
test_a_late_answer_serves_the_next_call(void **state)
{
  (void)state;
  infer_call *call = waiting_call(300);
  assert_int_equal(infer_call_wait(call, 5000, NULL, NULL), INFER_E_DEADLINE);
  infer_call_free(call);
  assert_int_equal(infer_token_deliver(it.kept, "token-7", 7, 0), INFER_OK);
  expect_trail("p/m first OK");
  assert_string_equal(house.authorization, "Bearer token-7");
  assert_int_equal(asked(), 1);
}

static void
test_an_answer_after_the_client_has_gone(void **state)
{
  (void)state;
  infer_call *call = waiting_call(10000);
  infer_client_free(here.client);
  here.client = NULL;
  assert_int_equal(infer_call_wait(call, 0, NULL, NULL), INFER_E_CANCELLED);
  infer_call_free(call);
  assert_int_equal(infer_token_deliver(it.kept, "token-7", 7, 0),
                   INFER_E_CLOSED);
}

static void
test_an_answer_after_a_reload_without_the_source(void **state)
{
  (void)state;
  infer_call *call = waiting_call(10000);
  reload(P("openai", ",'api_key':'token-3'") "}");
  expect_trail("p/m first OK");
  assert_string_equal(house.authorization, "Bearer token-3");
  /* The call began with the old one. */
  assert_int_equal(infer_token_deliver(it.kept, "token-7", 7, 0), INFER_OK);
  assert_int_equal(infer_call_wait(call, 10000, NULL, NULL), INFER_OK);
  assert_string_equal(house.authorization, "Bearer token-7");
  infer_call_free(call);
}

static void
test_a_reload_with_the_same_source_keeps_the_token(void **state)
{
  (void)state;
  make_source(AZURE);
  expect_trail("p/m first OK");
  infer_config *config = config_of(AZURE);
  infer_config_set_token_source(config, "p", on_question, &it);
  assert_int_equal(infer_client_reload(here.client, config, NULL), INFER_OK);
  infer_config_free(config);
  expect_trail("p/m first OK");
  assert_int_equal(asked(), 1);
}

/* ---- What is no source --------------------------------------------------- */

static void
expect_refusal(const char *json, const char *part)
{
  infer_error *error = NULL;
  infer_config *config = config_of(json);
  infer_config_set_token_source(config, "p", on_question, &it);
  assert_int_equal(infer_config_check(config, &error), INFER_E_CONFIG);
  if (!strstr(infer_error_message(error), part))
    fail_msg("%s", infer_error_message(error));
  infer_error_free(error);
  infer_config_free(config);
}

/* A forked child has no loop that would take it. */
static void
test_no_answer_from_a_forked_child(void **state)
{
  (void)state;
  infer_call *call = waiting_call(10000);
  pid_t child = fork();
  if (child == 0)
    _exit(infer_token_deliver(it.kept, "token-7", 7, 0) == INFER_E_FORKED ? 0
                                                                          : 1);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(infer_token_deliver(it.kept, "token-7", 7, 0), INFER_OK);
  assert_int_equal(infer_call_wait(call, 5000, NULL, NULL), INFER_OK);
  infer_call_free(call);
}

static void
test_a_source_has_a_provider_to_itself(void **state)
{
  (void)state;
  expect_refusal("{'providers':[{'name':'q','type':'openai','api_key':'k'}]}",
                 "provider \"p\", which the configuration does not have");
  expect_refusal(P("openai", ",'api_key':'k'") "}", "cannot go with");
  expect_refusal(P("openai", ",'google_credentials':'$DIR/sa.json'") "}",
                 "cannot go with a token source");
  /* One that is taken back is none. */
  infer_config *config =
      config_of("{'providers':[{'name':'q','type':'openai','api_key':'k'}]}");
  infer_config_set_token_source(config, "p", on_question, &it);
  infer_config_set_token_source(config, "p", NULL, NULL);
  assert_int_equal(infer_config_check(config, NULL), INFER_OK);
  infer_config_free(config);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, token_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_a_token_goes_out_as_a_bearers),
      T(test_a_slow_source_blocks_nobody),
      T(test_a_token_that_ends_is_renewed),
      T(test_a_refused_token_is_renewed_once),
      T(test_temporary_keys_sign),
      T(test_a_wrong_clock_is_corrected_once),
      T(test_a_source_that_has_none),
      T(test_a_call_waits_for_the_next_try),
      T(test_a_late_answer_serves_the_next_call),
      T(test_an_answer_after_the_client_has_gone),
      T(test_an_answer_after_a_reload_without_the_source),
      T(test_a_reload_with_the_same_source_keeps_the_token),
      T(test_no_answer_from_a_forked_child),
      T(test_a_source_has_a_provider_to_itself),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
