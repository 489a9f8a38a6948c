/* SPDX-License-Identifier: MIT */
#include "token_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

world here;
token_house house;
static char logged[1 << 16];
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;

static void
note(int32_t level, const char *message, void *user_data)
{
  (void)level;
  (void)user_data;
  pthread_mutex_lock(&log_mutex);
  size_t len = strlen(logged);
  snprintf(logged + len, sizeof logged - len, "%s\n", message);
  pthread_mutex_unlock(&log_mutex);
}

static char *
text_of(const char *json)
{
  char url[64], *text = calloc(1, strlen(json) + 4096);
  size_t len = 0, size = strlen(json) + 4096;
  snprintf(url, sizeof url, "http://127.0.0.1:%d", tiny_port(house.server));
  for (const char *at = json; *at; at++) {
    bool address = strncmp(at, "$H", 2) == 0;
    if (address || strncmp(at, "$DIR", 4) == 0) {
      len += (size_t)snprintf(text + len, size - len, "%s",
                              address ? url : here.folder);
      at += address ? 1 : 3;
    } else {
      text[len++] = (char)(*at == '\'' ? '"' : *at);
    }
  }
  return text;
}

infer_config *
config_of(const char *json)
{
  infer_config *config;
  infer_error *error = NULL;
  char *text = text_of(json);
  const char *threads = getenv("WORLD_THREADS");
  if (infer_config_from_json(&config, text, strlen(text), &error) != INFER_OK)
    fail_msg("config: %s", infer_error_message(error));
  free(text);
  if (threads)
    assert_int_equal(infer_config_set_json(config, "threads", threads,
                                           strlen(threads), NULL),
                     INFER_OK);
  infer_config_set_log(config, INFER_LOG_TRACE, note, NULL);
  return config;
}

void
client_of(infer_config *config)
{
  infer_error *error = NULL;
  if (infer_client_new(&here.client, config, &error) != INFER_OK)
    fail_msg("client: %s", infer_error_message(error));
  infer_config_free(config);
}

void
make_client(const char *json)
{
  client_of(config_of(json));
}

void
reload(const char *json)
{
  infer_config *config = config_of(json);
  assert_int_equal(infer_client_reload(here.client, config, NULL), INFER_OK);
  infer_config_free(config);
}

int
token_set_up(void **state)
{
  (void)state;
  world_forget_proxies();
  memset(&here, 0, sizeof here);
  logged[0] = '\0';
  house_start(&house);
  world_folder(&here);
  house_write_account(&house, here.folder, "sa");
  return 0;
}

int
token_tear_down(void **state)
{
  (void)state;
  /* No token and no assertion is in the log, whatever happened. */
  assert_null(strstr(logged, "token-"));
  assert_null(strstr(logged, "eyJ"));
  infer_client_free(here.client);
  here.client = NULL;
  house_stop(&house);
  world_end(&here);
  return 0;
}

void
expect_trail(const char *trail)
{
  outcome o = world_chat(&here, "p/m");
  assert_string_equal(outcome_trail(&o), trail);
  if (o.error) {
    assert_null(strstr(infer_error_message(o.error), "token-"));
    assert_null(strstr(infer_error_message(o.error), "eyJ"));
  }
  outcome_end(&o);
}

void
expect_counts(int token_requests, int chats)
{
  assert_int_equal(house_get(&house, &house.token_requests), token_requests);
  assert_int_equal(house_get(&house, &house.chats), chats);
}
