/* SPDX-License-Identifier: MIT */
/* What was spent outlives the client: in a file, and with the application. */
#include "engine/budget_store.h"

#include "engine/budget_file.h"
#include "support/breaker_world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* An answer is 2 tokens, for $10 a million: 20000 nano-dollars. */
#define PRICED(target) "{'target':'" target "','price':{'input':0,'output':10}}"
#define BUDGET(limit)                                                 \
  "routes.s.targets", "[" PRICED("a/m") "]", "defaults.retries", "0", \
      "budgets", "[{'name':'all','usd':" limit "}]"

static char folder[64], path[96], option[128];

static int
make_folder(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/infer-budgets-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/spent", folder);
  snprintf(option, sizeof option, "'%s'", path);
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

static fake_client *
client_of(const char *limit)
{
  char budgets[100];
  snprintf(budgets, sizeof budgets, "[{'name':'all','usd':%s}]", limit);
  fake_client *fake = fake_client_new(BUDGET("1"), "budgets", budgets,
                                      "budgets_file", option, NULL);
  is_well(fake, A);
  return fake;
}

static int32_t
call(fake_client *fake)
{
  infer_request *request = fake_request_new("s");
  infer_request_set_int(request, "max_tokens", 2);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 200);
  int32_t status = fake_status(call);
  infer_call_free(call);
  return status;
}

static void
spoil(const char *name, size_t len)
{
  assert_int_equal(truncate(name, (off_t)len), 0);
}

static size_t
size_of(const char *name)
{
  FILE *file = fopen(name, "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  fclose(file);
  return (size_t)size;
}

static void
a_restart_does_not_forget_the_month(void **state)
{
  (void)state;
  for (int start = 0; start < 3; start++) {
    fake_client *fake = client_of("0.00006");
    assert_int_equal(call(fake), INFER_OK);
    fake_client_free(fake);
  }
  fake_client *fake = client_of("0.00006");
  assert_int_equal(call(fake), INFER_E_BUDGET);
  /* The next month it may. */
  fake->net.wall_shift_ns = INT64_C(31) * 86400 * (int64_t)INF_NS_PER_S;
  assert_int_equal(call(fake), INFER_OK);
  fake_client_free(fake);
}

/* Cut at every byte: the copy before it stands, which lacks the last start. */
static void
a_torn_file_does_no_harm(void **state)
{
  (void)state;
  for (int i = 0; i < 2; i++) {
    fake_client *fake = client_of("1");
    assert_int_equal(call(fake), INFER_OK);
    fake_client_free(fake);
  }
  size_t size = size_of(path);
  char whole[4096], old[4096];
  FILE *file = fopen(path, "rb");
  assert_int_equal(fread(whole, 1, sizeof whole, file), size);
  fclose(file);
  file = fopen(beside(".old"), "rb");
  size_t old_size = fread(old, 1, sizeof old, file);
  fclose(file);
  for (size_t cut = 1; cut < size; cut++) {
    file = fopen(path, "wb");
    fwrite(whole, 1, cut, file);
    fclose(file);
    file = fopen(beside(".old"), "wb");
    fwrite(old, 1, old_size, file);
    fclose(file);
    fake_client *fake = client_of("0.00004");
    assert_int_equal(call(fake), INFER_OK);
    assert_int_equal(call(fake), INFER_E_BUDGET);
    assert_contains(fake->log, "\": it is damaged: the copy before it is used");
    fake_client_free(fake);
    assert_int_equal(access(beside(".bad"), F_OK), 0);
  }
}

static void
without_a_good_copy_it_begins_anew(void **state)
{
  (void)state;
  fake_client *fake = client_of("0.00002");
  assert_int_equal(call(fake), INFER_OK);
  fake_client_free(fake);
  spoil(path, 20);
  fake = client_of("0.00002");
  fake_run_ms(fake, 1);
  assert_contains(fake->log, "there is no good copy");
  assert_int_equal(call(fake), INFER_OK);
  fake_client_free(fake);
  fake = client_of("0.00002");
  assert_int_equal(call(fake), INFER_E_BUDGET);
  fake_client_free(fake);
}

/* Two clients, as of two processes: what they have spent adds up. */
static void
two_share_a_file(void **state)
{
  (void)state;
  fake_client *one = client_of("1"), *two = client_of("1");
  assert_int_equal(call(one), INFER_OK);
  assert_int_equal(call(two), INFER_OK);
  assert_int_equal(call(two), INFER_OK);
  fake_client_free(one);
  fake_client_free(two);
  fake_client *next = client_of("0.00008");
  assert_int_equal(call(next), INFER_OK);
  assert_int_equal(call(next), INFER_E_BUDGET);
  fake_client_free(next);
}

/* While the clients live: one learns of the other's spending when it writes
 * its own. In real time, for the store's thread has a clock of its own. */
static void
they_learn_of_each_other(void **state)
{
  (void)state;
  static const struct timespec pause = {0, 20000000};
  fake_client *one = client_of("0.0001"), *two = client_of("0.0001");
  assert_int_equal(call(one), INFER_OK);
  assert_int_equal(call(one), INFER_OK);
  for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
    nanosleep(&pause, NULL);
  assert_int_equal(access(path, F_OK), 0);
  assert_int_equal(call(two), INFER_OK);
  for (int i = 0; i < 500 && access(beside(".old"), F_OK) != 0; i++)
    nanosleep(&pause, NULL);
  nanosleep(&pause, NULL);
  assert_int_equal(call(two), INFER_OK);
  assert_int_equal(call(two), INFER_OK);
  assert_int_equal(call(two), INFER_E_BUDGET);
  fake_client_free(one);
  fake_client_free(two);
}

/* Calls go on, it is told once, and what was spent is there when there is room
 * again. */
static void
a_full_disk_stops_no_call(void **state)
{
  (void)state;
  static const struct timespec pause = {0, 20000000};
  struct rlimit before, none;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  none = before;
  none.rlim_cur = 10;
  signal(SIGXFSZ, SIG_IGN);
  fake_client *fake = client_of("0.0001");
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
  assert_int_equal(call(fake), INFER_OK);
  static const char line[] = "cannot be written";
  for (int i = 0; i < 500 && !strstr(fake->log, line); i++) {
    nanosleep(&pause, NULL);
    fake_run_ms(fake, 1);
  }
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_contains(fake->log, line);
  assert_contains(fake->log, "no space left");
  assert_lacks(strstr(fake->log, line) + 1, line);
  assert_int_equal(call(fake), INFER_OK);
  fake_client_free(fake);
  fake = client_of("0.00006");
  assert_int_equal(call(fake), INFER_OK);
  assert_int_equal(call(fake), INFER_E_BUDGET);
  fake_client_free(fake);
}

static int32_t
start(const char *file, infer_config *config, char message[200])
{
  fake_client *fake = calloc(1, sizeof *fake);
  assert_non_null(fake);
  fake_net_init(&fake->net);
  infer_config *own =
      config ? config
             : fake_config_new(NULL, BUDGET("1"), "budgets_file", file, NULL);
  infer_client *client = NULL;
  infer_error *error = NULL;
  int32_t status = fake_client_start(fake, own, &client, &error);
  snprintf(message, 200, "%s", infer_error_message(error));
  infer_error_free(error);
  infer_client_free(client);
  infer_config_free(own);
  fake_net_fini(&fake->net);
  free(fake);
  return status;
}

static void
a_file_that_can_never_be_is_refused(void **state)
{
  (void)state;
  char message[200];
  assert_int_equal(start("'/nonexistent/spent'", NULL, message), INFER_E_IO);
  assert_string_equal(message,
                      "budgets_file \"/nonexistent/spent\": no such directory");
}

static void
a_reload_keeps_the_file(void **state)
{
  (void)state;
  fake_client *fake = client_of("0.00002");
  infer_error *error = NULL;
  infer_config *config =
      fake_config_new(fake, BUDGET("1"), "budgets_file", "'/x'", NULL);
  assert_int_equal(infer_client_reload(fake->client, config, &error),
                   INFER_E_CONFIG);
  assert_contains(infer_error_message(error), "budgets_file cannot change");
  infer_error_free(error);
  infer_config_free(config);
  fake_client_free(fake);
}

/* ---- The application's own ----------------------------------------------- */

typedef struct keeper {
  char data[256 << 10];
  size_t len;
  int loads, saves;
  int32_t status;
} keeper;

static int32_t
load(char *data, size_t capacity, size_t *len, void *user_data)
{
  keeper *kept = user_data;
  kept->loads++;
  *len = kept->len;
  if (kept->len <= capacity)
    memcpy(data, kept->data, kept->len);
  return kept->status;
}

static int32_t
save(const char *data, size_t len, void *user_data)
{
  keeper *kept = user_data;
  kept->saves++;
  kept->len = len;
  memcpy(kept->data, data, len);
  return INFER_OK;
}

/* One call of a client whose application keeps what is spent. */
static int32_t
call_of_kept(keeper *kept, const char *limit, int32_t *started)
{
  char budgets[100];
  snprintf(budgets, sizeof budgets, "[{'name':'all','usd':%s}]", limit);
  fake_client *fake = calloc(1, sizeof *fake);
  assert_non_null(fake);
  fake_net_init(&fake->net);
  is_well(fake, A);
  infer_config *config =
      fake_config_new(fake, BUDGET("1"), "budgets", budgets, NULL);
  assert_int_equal(infer_config_set_budget_store(config, load, save, kept),
                   INFER_OK);
  infer_client *client = NULL;
  infer_error *error = NULL;
  *started = fake_client_start(fake, config, &client, &error);
  infer_error_free(error);
  infer_config_free(config);
  int32_t status = INFER_OK;
  if (*started == INFER_OK) {
    infer_request *request = fake_request_new("s");
    infer_request_set_int(request, "max_tokens", 2);
    infer_response *response = NULL;
    status = infer_chat(client, request, &response, NULL);
    infer_response_free(response);
    infer_request_free(request);
    infer_client_free(client);
  }
  fake_net_fini(&fake->net);
  free(fake);
  return status;
}

static void
the_application_may_keep_it(void **state)
{
  (void)state;
  static keeper kept;
  int32_t started;
  kept = (keeper){.status = INFER_OK};
  for (int i = 0; i < 2; i++)
    assert_int_equal(call_of_kept(&kept, "0.00004", &started), INFER_OK);
  assert_int_equal(kept.loads, 2);
  assert_true(kept.saves >= 2);
  assert_int_equal(call_of_kept(&kept, "0.00004", &started), INFER_E_BUDGET);
  /* What it gives is checked. */
  kept.data[10] ^= 1;
  assert_int_equal(call_of_kept(&kept, "0.00004", &started), INFER_OK);
  assert_int_equal(started, INFER_OK);
  /* Its own failures are none of that. */
  static const int32_t failures[] = {INFER_E_AUTH, INFER_E_PROTOCOL};
  for (size_t i = 0; i < 2; i++) {
    kept.status = failures[i];
    call_of_kept(&kept, "0.00004", &started);
    assert_int_equal(started, failures[i]);
  }
}

static void
more_room_is_made_for_it(void **state)
{
  (void)state;
  static keeper kept;
  int32_t started;
  kept = (keeper){.status = INFER_OK, .len = 100 << 10};
  assert_int_equal(call_of_kept(&kept, "1", &started), INFER_OK);
  assert_int_equal(kept.loads, 2);
}

static void
its_arguments_are_checked(void **state)
{
  (void)state;
  infer_config *config = fake_config_new(NULL, NULL);
  assert_int_equal(infer_config_set_budget_store(NULL, load, save, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_budget_store(config, load, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_budget_store(config, NULL, save, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_budget_store(config, load, save, NULL),
                   INFER_OK);
  assert_int_equal(infer_config_set_budget_store(config, NULL, NULL, NULL),
                   INFER_OK);
  infer_config_free(config);
  char message[200];
  config = fake_config_new(NULL, BUDGET("1"), "budgets_file", option, NULL);
  infer_config_set_budget_store(config, load, save, NULL);
  assert_int_equal(start(NULL, config, message), INFER_E_CONFIG);
  assert_contains(message, "budgets_file: ");
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int
main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(a_restart_does_not_forget_the_month),
      TEST(a_torn_file_does_no_harm),
      TEST(without_a_good_copy_it_begins_anew),
      TEST(two_share_a_file),
      TEST(they_learn_of_each_other),
      TEST(a_full_disk_stops_no_call),
      TEST(a_file_that_can_never_be_is_refused),
      TEST(a_reload_keeps_the_file),
      TEST(the_application_may_keep_it),
      TEST(more_room_is_made_for_it),
      TEST(its_arguments_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
