/* SPDX-License-Identifier: MIT */
/* Google's service accounts over real sockets: when a token is asked for, by
 * how many, and what calls get when it cannot be had. */
#include "token_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#define P(members)                                  \
  "{'name':'p','type':'openai','base_url':'$H/v1'," \
  "'upstream':'unary','google_credentials':'file:$DIR/sa.json'" members "}"
#define ONE(members, rest) "{'providers':[" P(members) "]" rest "}"

/* ---- Vertex AI, end to end ----------------------------------------------- */

/* The signature is good to the tool that everybody has. */
static void
check_assertion(void)
{
  char data[256], script[2048];
  snprintf(data, sizeof data, "%s/assertion", here.folder);
  FILE *file = fopen(data, "w");
  assert_non_null(file);
  fputs(house.assertion, file);
  fclose(file);
  snprintf(script, sizeof script,
           "cd %s && cut -d. -f1,2 assertion | tr -d '\\n' >signed && "
           "s=$(cut -d. -f3 assertion | tr '_-' '/+') && "
           "while [ $((${#s} %% 4)) -ne 0 ]; do s=$s=; done && "
           "printf %%s \"$s\" | openssl base64 -d -A >signature && "
           "openssl dgst -sha256 -verify sa.pub -signature signature signed "
           ">verdict 2>&1",
           here.folder);
  if (system(script) != 0)
    fail_msg("openssl does not verify %s", house.assertion);
}

static void
test_gemini_on_vertex(void **state)
{
  (void)state;
  make_client("{'providers':[{'name':'p','type':'vertex','base_url':"
              "'$H/v1/projects/p7/locations/l7','upstream':'unary',"
              "'google_credentials':'$DIR/sa.json'}]}");
  expect_trail("p/m first OK");
  expect_trail("p/m first OK");
  expect_counts(1, 2);
  assert_string_equal(house.path, "/v1/projects/p7/locations/l7/publishers/"
                                  "google/models/m:generateContent");
  assert_string_equal(house.authorization, "Bearer ya29.token-1");
  check_assertion();
}

static void
test_anthropic_on_vertex(void **state)
{
  (void)state;
  char path[128];
  snprintf(path, sizeof path, "%s/sa.json", here.folder);
  setenv("TEST_ACCOUNT", path, 1);
  make_client("{'providers':[{'name':'p','type':'vertex-anthropic','base_url':"
              "'$H/v1/projects/p7/locations/l7','upstream':'unary',"
              "'google_credentials':'env:TEST_ACCOUNT'}]}");
  unsetenv("TEST_ACCOUNT");
  expect_trail("p/m first OK");
  assert_string_equal(house.path, "/v1/projects/p7/locations/l7/publishers/"
                                  "anthropic/models/m:rawPredict");
  assert_non_null(strstr(house.body, "vertex-2023-10-16"));
  assert_string_equal(house.authorization, "Bearer ya29.token-1");
}

/* ---- One request for all ------------------------------------------------- */

static void
test_many_calls_one_token(void **state)
{
  (void)state;
  enum { count = 64 };
  infer_call *calls[count];
  make_client(ONE("", ""));
  house_set(&house, &house.delay_ms, 200);
  infer_request *request = world_request("p/m", "x");
  for (int i = 0; i < count; i++)
    assert_int_equal(infer_submit(here.client, request, INFER_SUBMIT_WHOLE,
                                  NULL, 0, &calls[i], NULL),
                     INFER_OK);
  for (int i = 0; i < count; i++) {
    infer_response *response = NULL;
    assert_int_equal(infer_call_wait(calls[i], 10000, &response, NULL),
                     INFER_OK);
    infer_response_free(response);
    infer_call_free(calls[i]);
  }
  infer_request_free(request);
  expect_counts(1, count);
}

/* ---- Its end ------------------------------------------------------------- */

/* It is renewed ahead of its end while it is in use, and then not any more. */
static void
test_a_token_in_use_is_renewed_by_itself(void **state)
{
  (void)state;
  make_client(ONE("", ""));
  house_set(&house, &house.life_s, 2);
  expect_trail("p/m first OK");
  if (getenv("WORLD_THREADS")) { /* nobody drives meanwhile */
    world_sleep_ms(2200);
    expect_trail("p/m first OK");
    assert_string_equal(house.authorization, "Bearer ya29.token-2");
    return;
  }
  assert_true(house_await(&house, &house.token_requests, 2));
  world_sleep_ms(2500);
  expect_counts(2, 1);
  expect_trail("p/m first OK");
  expect_counts(3, 2);
  assert_string_equal(house.authorization, "Bearer ya29.token-3");
}

/* While the token server is away the one at hand serves on. */
static void
test_an_outage_goes_unnoticed_while_the_token_lives(void **state)
{
  (void)state;
  make_client(ONE("", ""));
  house_set(&house, &house.life_s, 8); /* renewed after 5.8 to 6 s */
  expect_trail("p/m first OK");
  house_mode_set(&house, HOUSE_DOWN);
  world_sleep_ms(5000);
  for (int i = 0; i < 3; i++) {
    expect_trail("p/m first OK");
    world_sleep_ms(100);
  }
  assert_string_equal(house.authorization, "Bearer ya29.token-1");
}

/* ---- None to be had ------------------------------------------------------ */

static outcome
expect_failure(int32_t status, const char *part)
{
  outcome o = world_chat(&here, "p/m");
  char where[64];
  snprintf(where, sizeof where, "POST http://127.0.0.1:%d/token",
           tiny_port(house.server));
  if (o.status != status)
    fail_msg("%s", infer_error_message(o.error));
  assert_non_null(strstr(infer_error_message(o.error), where));
  assert_non_null(strstr(infer_error_message(o.error), part));
  assert_null(strstr(infer_error_message(o.error), "eyJ"));
  return o;
}

#define NO_RETRY ",'defaults':{'retries':0}"

static void
test_the_error_names_the_token_server(void **state)
{
  (void)state;
  static const struct {
    house_mode mode;
    int32_t status;
    const char *part;
  } rows[] = {
      {HOUSE_DOWN, INFER_E_OVERLOADED, "no token for provider \"p\""},
      {HOUSE_RUBBISH, INFER_E_PROTOCOL, "has no token"},
      {HOUSE_REFUSES, INFER_E_AUTH, "quotes the assertion"},
      {HOUSE_RESETS, INFER_E_RESET, "no token"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    make_client(ONE("", NO_RETRY));
    house_mode_set(&house, rows[i].mode);
    outcome o = expect_failure(rows[i].status, rows[i].part);
    assert_string_equal(infer_error_provider(o.error), "p");
    outcome_end(&o);
    infer_client_free(here.client);
    here.client = NULL;
  }
  assert_int_equal(house_get(&house, &house.chats), 0);
}

/* A call that can wait gets its token when the server is back. */
static void
test_a_call_waits_for_the_next_try(void **state)
{
  (void)state;
  make_client(ONE("", ""));
  house_mode_set(&house, HOUSE_DOWN);
  infer_request *request = world_request("p/m", "x");
  infer_call *call;
  assert_int_equal(infer_submit(here.client, request, INFER_SUBMIT_WHOLE, NULL,
                                0, &call, NULL),
                   INFER_OK);
  infer_request_free(request);
  for (int i = 0; i < 500 && house_get(&house, &house.token_requests) == 0; i++)
    infer_call_wait(call, 10, NULL, NULL);
  house_mode_set(&house, HOUSE_GOOD);
  infer_response *response = NULL;
  assert_int_equal(infer_call_wait(call, 10000, &response, NULL), INFER_OK);
  assert_int_equal(infer_response_attempt_count(response), 2);
  infer_response_free(response);
  infer_call_free(call);
  expect_counts(2, 1);
}

/* A refused account is not asked about again with each call. */
static void
test_a_refused_account_rests(void **state)
{
  (void)state;
  make_client(ONE("", NO_RETRY));
  house_mode_set(&house, HOUSE_REFUSES);
  for (int i = 0; i < 3; i++) {
    outcome o = expect_failure(INFER_E_AUTH, "no token");
    outcome_end(&o);
  }
  expect_counts(1, 0);
  /* A reload gives it another chance. */
  house_mode_set(&house, HOUSE_GOOD);
  reload(ONE("", NO_RETRY));
  expect_trail("p/m first OK");
}

static void
test_another_target_serves_meanwhile(void **state)
{
  (void)state;
  make_client("{'providers':[" P(
      "") ",{'name':'q','type':'openai',"
          "'base_url':'$H/v1','upstream':'unary','api_key':'token-9'}],"
          "'routes':{'r':{'targets':['p/m','q/m']}}}");
  house_mode_set(&house, HOUSE_REFUSES);
  outcome o = world_chat(&here, "r");
  assert_string_equal(outcome_trail(&o), "p/m first AUTH, q/m failover OK");
  outcome_end(&o);
}

/* ---- A token that the provider refuses ----------------------------------- */

static void
test_a_refused_token_is_renewed(void **state)
{
  (void)state;
  make_client(ONE("", NO_RETRY));
  expect_trail("p/m first OK");
  house_set(&house, &house.least, 2);
  expect_trail("p/m first AUTH, p/m key OK");
  expect_trail("p/m first OK");
  expect_counts(2, 4);
}

static void
test_a_refused_token_is_renewed_only_once(void **state)
{
  (void)state;
  make_client(ONE("", ""));
  house_set(&house, &house.least, 100);
  expect_trail("p/m first AUTH, p/m key AUTH");
  expect_counts(2, 2);
  /* The next call does not ask for another. */
  expect_trail("p/m first AUTH");
  expect_counts(2, 3);
}

static void
test_many_refused_calls_one_renewal(void **state)
{
  (void)state;
  enum { count = 16 };
  infer_call *calls[count];
  make_client(ONE("", ""));
  expect_trail("p/m first OK");
  house_set(&house, &house.least, 2);
  infer_request *request = world_request("p/m", "x");
  for (int i = 0; i < count; i++)
    assert_int_equal(infer_submit(here.client, request, INFER_SUBMIT_WHOLE,
                                  NULL, 0, &calls[i], NULL),
                     INFER_OK);
  infer_request_free(request);
  for (int i = 0; i < count; i++) {
    assert_int_equal(infer_call_wait(calls[i], 10000, NULL, NULL), INFER_OK);
    infer_call_free(calls[i]);
  }
  assert_int_equal(house_get(&house, &house.token_requests), 2);
}

/* ---- Reload -------------------------------------------------------------- */

static void
test_a_reload_keeps_the_token_of_the_same_account(void **state)
{
  (void)state;
  make_client(ONE("", ""));
  expect_trail("p/m first OK");
  reload(ONE(",'labels':['x']", ""));
  expect_trail("p/m first OK");
  expect_counts(1, 2);
  house_write_account(&house, here.folder, "sa");
  reload(ONE("", ""));
  expect_trail("p/m first OK");
  expect_counts(2, 3);
}

/* ---- Waiting ------------------------------------------------------------- */

static infer_call *
waiting_call(int64_t deadline_ms)
{
  infer_call *call;
  make_client(ONE("", ""));
  house_mode_set(&house, HOUSE_HANGS);
  infer_request *request = world_request("p/m", "x");
  if (deadline_ms > 0)
    infer_request_set_deadline_ms(request, deadline_ms);
  assert_int_equal(infer_submit(here.client, request, INFER_SUBMIT_WHOLE, NULL,
                                0, &call, NULL),
                   INFER_OK);
  infer_request_free(request);
  for (int i = 0; i < 500 && house_get(&house, &house.token_requests) == 0; i++)
    infer_call_wait(call, 10, NULL, NULL);
  return call;
}

static void
test_a_waiting_call_is_cancelled(void **state)
{
  (void)state;
  infer_call *call = waiting_call(0);
  uint64_t before = world_now_ms();
  infer_call_cancel(call);
  assert_int_equal(infer_call_wait(call, 5000, NULL, NULL), INFER_E_CANCELLED);
  assert_true(world_now_ms() - before < 1000);
  infer_call_free(call);
}

static void
test_a_waiting_call_ends_at_its_deadline(void **state)
{
  (void)state;
  infer_error *error = NULL;
  infer_call *call = waiting_call(300);
  assert_int_equal(infer_call_wait(call, 5000, NULL, &error), INFER_E_DEADLINE);
  assert_non_null(
      strstr(infer_error_message(error), "waited for a token of provider"));
  infer_error_free(error);
  infer_call_free(call);
}

static void
test_the_client_closes_while_a_call_waits(void **state)
{
  (void)state;
  infer_call *call = waiting_call(0);
  uint64_t before = world_now_ms();
  assert_int_equal(infer_client_close(here.client, 50), INFER_E_TIMEOUT);
  assert_true(world_now_ms() - before < 2000);
  assert_int_equal(infer_call_wait(call, 0, NULL, NULL), INFER_E_CANCELLED);
  infer_call_free(call);
}

static void
test_the_client_is_freed_while_a_call_waits(void **state)
{
  (void)state;
  infer_call *call = waiting_call(0);
  infer_client_free(here.client);
  here.client = NULL;
  assert_int_equal(infer_call_wait(call, 0, NULL, NULL), INFER_E_CANCELLED);
  infer_call_free(call);
}

/* ---- Time ---------------------------------------------------------------- */

/* "iat" of an assertion. */
static int64_t
issued_at(const char *assertion)
{
  static unsigned char text[4096];
  const char *from = strchr(assertion, '.');
  assert_non_null(from);
  size_t len = strcspn(from + 1, ".");
  char *part = calloc(1, len + 4);
  memcpy(part, from + 1, len);
  for (char *at = part; *at; at++)
    *at = (char)(*at == '-' ? '+' : *at == '_' ? '/' : *at);
  for (; len % 4; len++)
    part[len] = '=';
  assert_true(EVP_DecodeBlock(text, (unsigned char *)part, (int)strlen(part)) >
              0);
  free(part);
  const char *iat = strstr((char *)text, "\"iat\":");
  assert_non_null(iat);
  return strtoll(iat + strlen("\"iat\":"), NULL, 10);
}

/* An assertion of a wrong clock is refused; the server's Date tells the time.
 */
static void
test_a_wrong_clock_is_corrected(void **state)
{
  (void)state;
  make_client(ONE("", NO_RETRY));
  house_mode_set(&house, HOUSE_REFUSES);
  house.clock_s = (int64_t)time(NULL) + 7200;
  outcome o = expect_failure(INFER_E_AUTH, "no token");
  outcome_end(&o);
  expect_counts(2, 0); /* once more, and only once */
  int64_t off_s = issued_at(house.assertion) - house.clock_s;
  assert_in_range(off_s + 5, 0, 10);
}

int
main(void)
{
#define T(test) \
  cmocka_unit_test_setup_teardown(test, token_set_up, token_tear_down)
  const struct CMUnitTest tests[] = {
      T(test_gemini_on_vertex),
      T(test_anthropic_on_vertex),
      T(test_many_calls_one_token),
      T(test_a_token_in_use_is_renewed_by_itself),
      T(test_an_outage_goes_unnoticed_while_the_token_lives),
      T(test_the_error_names_the_token_server),
      T(test_a_call_waits_for_the_next_try),
      T(test_a_refused_account_rests),
      T(test_another_target_serves_meanwhile),
      T(test_a_refused_token_is_renewed),
      T(test_a_refused_token_is_renewed_only_once),
      T(test_many_refused_calls_one_renewal),
      T(test_a_reload_keeps_the_token_of_the_same_account),
      T(test_a_waiting_call_is_cancelled),
      T(test_a_waiting_call_ends_at_its_deadline),
      T(test_the_client_closes_while_a_call_waits),
      T(test_the_client_is_freed_while_a_call_waits),
      T(test_a_wrong_clock_is_corrected),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
