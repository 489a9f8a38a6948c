/* SPDX-License-Identifier: MIT */
/* A key is in memory only as long as it is needed: whatever the library gives
 * back to the heap no longer holds one. A core dump, or another part of the
 * application that gets the same block, would show it. */
#include "support/fake_client.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- A heap that looks at what comes back -------------------------------- */

/* Every secret of this file has it in it. */
static const char mark[] = "SECRET";

/* In front of each block, which it keeps aligned. */
typedef union block {
  size_t size;
  max_align_t align;
} block;

static unsigned blocks_with_secrets;

static void *
heap_malloc(size_t size, void *user_data)
{
  (void)user_data;
  block *at = malloc(sizeof *at + size);
  if (!at)
    return NULL;
  at->size = size;
  return at + 1;
}

static void
heap_free(void *ptr, void *user_data)
{
  (void)user_data;
  block *at = (block *)ptr - 1;
  const char *bytes = ptr;
  for (size_t i = 0; i + sizeof mark - 1 <= at->size; i++)
    if (memcmp(bytes + i, mark, sizeof mark - 1) == 0) {
      blocks_with_secrets++;
      break;
    }
  free(at);
}

/* Always moves, as a full heap does. */
static void *
heap_realloc(void *ptr, size_t size, void *user_data)
{
  void *to = heap_malloc(size, user_data);
  if (!to)
    return NULL;
  size_t before = ((block *)ptr - 1)->size;
  memcpy(to, ptr, before < size ? before : size);
  heap_free(ptr, user_data);
  return to;
}

static int
set_up(void **state)
{
  (void)state;
  blocks_with_secrets = 0;
  inf_mem_set_functions(heap_malloc, heap_realloc, heap_free, NULL);
  return 0;
}

static int
tear_down(void **state)
{
  (void)state;
  inf_mem_set_functions(NULL, NULL, NULL, NULL);
  return 0;
}

/* ---- Where keys pass ----------------------------------------------------- */

static void
the_heap_finds_what_is_not_wiped(void **state)
{
  (void)state;
  inf_free(inf_strndup("a SECRET key", 12));
  assert_int_equal(blocks_with_secrets, 1);
  char *wiped = inf_strndup("a SECRET key", 12);
  inf_free_secret(wiped, 12);
  assert_int_equal(blocks_with_secrets, 1);
}

/* The variable and the file hold the keys, so that no copy is the test's. A
 * long header after the key makes a buffer grow that is not large enough from
 * the start. */
static fake_client *
client_with_secrets(const char *file)
{
  char spec[64], headers[900];
  snprintf(spec, sizeof spec, "'file:%s'", file);
  snprintf(headers, sizeof headers, "{'X-Long':'%0800d'}", 0);
  assert_int_equal(setenv("KEY_MEMORY_TEST", "sk-SECRET-of-a", 1), 0);
  return fake_client_new("providers.a.api_key", "'env:KEY_MEMORY_TEST'",
                         "providers.b.api_key", spec, "providers.b.headers",
                         "{'X-Token':'env:KEY_MEMORY_TEST'}",
                         "providers.a.query", "{'sig':'env:KEY_MEMORY_TEST'}",
                         "providers.a.headers", headers, NULL);
}

static void
write_key_file(char path[])
{
  static const char key[] = "sk-SECRET-of-b\n";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, key, sizeof key - 1), sizeof key - 1);
  close(fd);
}

static void
no_key_is_left_in_memory(void **state)
{
  (void)state;
  char path[] = "/tmp/infer-key-XXXXXX";
  write_key_file(path);
  fake_client *fake = client_with_secrets(path);
  assert_int_equal(blocks_with_secrets, 0);
  /* Both providers are sent their keys, and the first sends its own back. */
  fake_reply(fake_script_next(&fake->net), 1, 503, NULL,
             "{\"error\":{\"message\":\"busy\"}}");
  fake_stream_all(fake_script_next(&fake->net), 1, "hello");
  infer_request *request = fake_request_new("r");
  infer_request_set_header(request, "X-Own", "beside the accounts'");
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 2000);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_true(fake->net.request_count >= 2);
  assert_contains(fake->net.requests[0].headers, "Bearer sk-SECRET-of-a");
  assert_int_equal(blocks_with_secrets, 0);
  infer_call_free(call);
  /* A header of the account's, put before the request's own. */
  fake_stream_all(fake_script_next(&fake->net), 1, "hello");
  request = fake_request_new("b/m");
  infer_request_set_header(request, "X-Own", "beside the accounts'");
  call = fake_submit(fake, request);
  fake_run_ms(fake, 2000);
  assert_int_equal(fake_status(call), INFER_OK);
  assert_contains(fake->net.requests[2].headers, "X-Token: sk-SECRET-of-a");
  assert_int_equal(blocks_with_secrets, 0);
  infer_call_free(call);
  fake_client_free(fake);
  assert_int_equal(blocks_with_secrets, 0);
  unlink(path);
}

static void
nor_after_a_reload(void **state)
{
  (void)state;
  char path[] = "/tmp/infer-key-XXXXXX";
  write_key_file(path);
  fake_client *fake = client_with_secrets(path);
  infer_config *other = fake_config_new(fake, NULL);
  assert_int_equal(infer_client_reload(fake->client, other, NULL), INFER_OK);
  infer_config_free(other);
  fake_client_free(fake);
  assert_int_equal(blocks_with_secrets, 0);
  unlink(path);
}

/* A key that stands in the configuration itself, with an escape in it, goes
 * through the reader of JSON, and one that is set, through the builder. */
static void
nor_of_a_configuration(void **state)
{
  (void)state;
  static const char json[] =
      "{\"providers\":[{\"name\":\"a\",\"type\":\"openai\","
      "\"api_key\":[\"sk-SECRET-1\",\"sk-SECRET\\u002d2\"],"
      "\"base_url\":\"http://a.test/v1\","
      "\"proxy\":\"http://user:SECRET@proxy.test:3128\"}]}";
  infer_config *config;
  assert_int_equal(
      infer_config_from_json(&config, json, INFER_NUL_TERMINATED, NULL),
      INFER_OK);
  assert_int_equal(infer_config_set_string(config, "providers.b.api_key",
                                           "sk-SECRET-3", NULL),
                   INFER_OK);
  assert_int_equal(infer_config_set_string(config, "providers.b.api_key",
                                           "sk-SECRET-4", NULL),
                   INFER_OK);
  infer_config_set_string(config, "providers.b.type", "openai", NULL);
  infer_client *client;
  assert_int_equal(infer_client_new(&client, config, NULL), INFER_OK);
  infer_client_free(client);
  infer_config_free(config);
  assert_int_equal(blocks_with_secrets, 0);
}

/* The caller's own header may be a secret too. */
static void
nor_of_a_request(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  fake_stream_all(fake_script_next(&fake->net), 1, "hello");
  infer_request *request = fake_request_new("one");
  assert_int_equal(
      infer_request_set_header(request, "X-Token", "a SECRET of the caller"),
      INFER_OK);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 2000);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  fake_client_free(fake);
  assert_int_equal(blocks_with_secrets, 0);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_heap_finds_what_is_not_wiped, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(no_key_is_left_in_memory, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(nor_after_a_reload, set_up, tear_down),
      cmocka_unit_test_setup_teardown(nor_of_a_configuration, set_up,
                                      tear_down),
      cmocka_unit_test_setup_teardown(nor_of_a_request, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
