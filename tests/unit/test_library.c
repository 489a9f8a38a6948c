/* SPDX-License-Identifier: MIT */
/* Version, features, the process-wide hooks, and that the public functions
 * stand NULL where the header says so. */
#include "support/fake_client.h"
#include "support/fail_alloc.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- Version and features ------------------------------------------------ */

static void
the_version_is_the_headers(void **state)
{
  (void)state;
  char text[32];
  snprintf(text, sizeof text, "%d.%d.%d", INFER_VERSION_MAJOR,
           INFER_VERSION_MINOR, INFER_VERSION_PATCH);
  assert_string_equal(infer_version(), INFER_VERSION);
  assert_string_equal(infer_version(), text);
  assert_int_equal(infer_version_number(), INFER_VERSION_MAJOR * 1000000 +
                                               INFER_VERSION_MINOR * 1000 +
                                               INFER_VERSION_PATCH);
}

static void
every_feature_is_had(void **state)
{
  (void)state;
  char copy[512], *rest = copy;
  const char *features = infer_features();
  assert_true(strlen(features) < sizeof copy);
  memcpy(copy, features, strlen(features) + 1);
  size_t count = 0;
  for (char *name; (name = strtok_r(rest, " ", &rest)); count++)
    assert_int_equal(infer_has_feature(name), 1);
  assert_true(count > 8);
  assert_int_equal(infer_has_feature("threads"), 1);
  assert_int_equal(infer_has_feature("libinfer/" INFER_VERSION), 1);
  assert_ptr_equal(infer_features(), features);
}

static void
other_features_are_not_had(void **state)
{
  (void)state;
  static const char *const names[] = {NULL,
                                      "",
                                      " ",
                                      "thread",
                                      "threadss",
                                      "hreads",
                                      "threads driven",
                                      "threads ",
                                      " threads",
                                      "Threads",
                                      "libinfer",
                                      "libcurl"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    assert_int_equal(infer_has_feature(names[i]), 0);
}

/* ---- Allocator ----------------------------------------------------------- */

static void
an_allocator_is_whole_or_none(void **state)
{
  (void)state;
  fail_alloc_state *mine = fail_alloc_get();
  fail_alloc_never();
  for (int given = 1; given < 7; given++)
    assert_int_equal(infer_set_allocator(given & 1 ? fail_alloc_malloc : NULL,
                                         given & 2 ? fail_alloc_realloc : NULL,
                                         given & 4 ? fail_alloc_free : NULL,
                                         mine),
                     INFER_E_INVALID_ARGUMENT);
  infer_request *request;
  assert_int_equal(infer_request_new(&request, "m"), INFER_OK);
  infer_request_free(request);
  assert_int_equal(fail_alloc_count(), 0); /* the refused ones were not set */

  assert_int_equal(infer_set_allocator(fail_alloc_malloc, fail_alloc_realloc,
                                       fail_alloc_free, mine),
                   INFER_OK);
  assert_int_equal(infer_request_new(&request, "m"), INFER_OK);
  assert_true(fail_alloc_live() > 0);
  char *json;
  assert_int_equal(infer_request_json(request, &json, NULL), INFER_OK);
  size_t live = fail_alloc_live();
  infer_text_free(json);
  assert_int_equal(fail_alloc_live(), live - 1);
  infer_request_free(request);
  assert_int_equal(fail_alloc_live(), 0);
  assert_int_equal(infer_set_allocator(NULL, NULL, NULL, NULL), INFER_OK);
}

/* ---- Thread-start hook --------------------------------------------------- */

typedef struct started {
  pthread_mutex_t mutex;
  size_t count;
  char name[32], own_name[32];
  pthread_t thread;
} started;

static void
on_start(const char *name, void *user_data)
{
  started *seen = user_data;
  pthread_mutex_lock(&seen->mutex);
  seen->count++;
  seen->thread = pthread_self();
  snprintf(seen->name, sizeof seen->name, "%s", name);
#if defined(__linux__)
  pthread_getname_np(pthread_self(), seen->own_name, sizeof seen->own_name);
#else
  snprintf(seen->own_name, sizeof seen->own_name, "%s", name);
#endif
  pthread_mutex_unlock(&seen->mutex);
}

static void
run_a_call(fake_client *fake)
{
  infer_request *request = fake_request_new("one");
  infer_response *response;
  assert_int_equal(infer_chat(fake->client, request, &response, NULL),
                   INFER_OK);
  infer_response_free(response);
  infer_request_free(request);
}

static void
the_hook_runs_on_the_loop_thread(void **state)
{
  (void)state;
  started seen = {.mutex = PTHREAD_MUTEX_INITIALIZER};
  assert_int_equal(infer_set_thread_start_hook(on_start, &seen), INFER_OK);
  fake_client *fake = fake_client_new_threaded(NULL);
  fake->telemetry_off = true;
  fake_reply(fake_script_always(&fake->net), 0, 200, NULL, unary_body("x"));
  run_a_call(fake); /* the loop has begun once this is over */
  pthread_mutex_lock(&seen.mutex);
  assert_int_equal(seen.count, 1);
  assert_string_equal(seen.name, "infer-loop");
  assert_string_equal(seen.own_name, seen.name);
  assert_false(pthread_equal(seen.thread, pthread_self()));
  pthread_mutex_unlock(&seen.mutex);
  fake_client_free(fake);

  assert_int_equal(infer_set_thread_start_hook(NULL, NULL), INFER_OK);
  fake = fake_client_new_threaded(NULL);
  fake->telemetry_off = true;
  fake_reply(fake_script_always(&fake->net), 0, 200, NULL, unary_body("x"));
  run_a_call(fake);
  assert_int_equal(seen.count, 1);
  fake_client_free(fake);
}

/* ---- NULL ---------------------------------------------------------------- */

static void
every_free_takes_null(void **state)
{
  (void)state;
  infer_text_free(NULL);
  infer_error_free(NULL);
  infer_config_free(NULL);
  infer_client_free(NULL);
  infer_plan_free(NULL);
  infer_model_list_free(NULL);
  infer_request_free(NULL);
  infer_response_free(NULL);
  infer_queue_free(NULL);
  infer_call_free(NULL);
  infer_event_free(NULL);
}

static void
an_error_of_null_is_none(void **state)
{
  (void)state;
  assert_int_equal(infer_error_status(NULL), INFER_OK);
  assert_string_equal(infer_error_message(NULL), "");
  assert_string_equal(infer_error_provider(NULL), "");
  assert_string_equal(infer_error_target(NULL), "");
  assert_int_equal(infer_error_http_status(NULL), 0);
  assert_string_equal(infer_error_request_id(NULL), "");
  assert_string_equal(infer_error_provider_code(NULL), "");
  assert_string_equal(infer_error_provider_type(NULL), "");
  assert_string_equal(infer_error_provider_param(NULL), "");
  assert_string_equal(infer_error_provider_message(NULL), "");
  assert_int_equal(infer_error_retryable(NULL), 0);
  assert_int_equal(infer_error_retry_after_ms(NULL), -1);
  assert_int_equal(infer_error_attempt_count(NULL), 0);
  assert_null(infer_error_attempt(NULL, 0));
  assert_null(infer_error_partial(NULL));
}

#define assert_invalid(call) assert_int_equal(call, INFER_E_INVALID_ARGUMENT)
/* The same of a call that explains itself in error. */
#define assert_invalid_told(call)                                          \
  do {                                                                     \
    infer_error *error = NULL;                                             \
    assert_int_equal(call, INFER_E_INVALID_ARGUMENT);                      \
    assert_int_equal(infer_error_status(error), INFER_E_INVALID_ARGUMENT); \
    infer_error_free(error);                                               \
  } while (0)

static void
configs_of_null(void **state)
{
  (void)state;
  infer_config *config;
  size_t len;
  assert_invalid(infer_config_new(NULL));
  assert_invalid_told(infer_config_from_json(NULL, "{}", 2, &error));
  assert_invalid_told(infer_config_from_json(&config, NULL, 0, &error));
  assert_null(config);
  assert_invalid_told(infer_config_from_file(NULL, "x", &error));
  assert_invalid_told(infer_config_from_file(&config, NULL, &error));
  assert_null(config);
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_invalid_told(infer_config_set_json(NULL, "threads", "1", 1, &error));
  assert_invalid_told(infer_config_set_json(config, NULL, "1", 1, &error));
  assert_invalid_told(
      infer_config_set_json(config, "threads", NULL, 0, &error));
  assert_invalid_told(infer_config_set_string(NULL, "threads", "x", &error));
  assert_invalid_told(infer_config_set_string(config, NULL, "x", &error));
  assert_invalid_told(infer_config_set_string(config, "x", NULL, &error));
  assert_invalid_told(infer_config_set_int(NULL, "threads", 1, &error));
  assert_invalid_told(infer_config_set_int(config, NULL, 1, &error));
  assert_invalid(infer_config_set_log(NULL, 1, NULL, NULL));
  assert_invalid(infer_config_set_telemetry(NULL, NULL, NULL, NULL));
  assert_invalid(infer_config_json(config, NULL, &len));
  assert_invalid(infer_options_manual(NULL, &len));
  infer_config_free(config);
}

static void
clients_of_null(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_request *request = fake_request_new("one");
  infer_response *response;
  infer_plan *plan;
  infer_model_list *models;
  infer_call *call;
  assert_invalid_told(infer_client_new(NULL, NULL, &error));
  assert_null(infer_client_ref(NULL));
  assert_invalid(infer_client_close(NULL, 0));
  assert_invalid_told(infer_client_reload(NULL, NULL, &error));
  assert_invalid(infer_client_drive(NULL, 0));
  assert_int_equal(infer_client_fd(NULL), -1);
  assert_int_equal(infer_client_next_timeout_ns(NULL), -1);
  assert_invalid_told(infer_client_plan(NULL, request, &plan, &error));
  assert_invalid_told(infer_client_plan(fake->client, NULL, &plan, &error));
  assert_invalid_told(infer_client_plan(fake->client, request, NULL, &error));
  assert_invalid(infer_client_stats(NULL, NULL, NULL));
  assert_invalid(infer_client_stats(fake->client, NULL, NULL));
  assert_invalid(infer_client_metrics(NULL, NULL, NULL));
  assert_invalid(infer_client_metrics(fake->client, NULL, NULL));
  assert_invalid(infer_queue_set_records(NULL, 1));
  assert_invalid_told(infer_models(NULL, "a", 0, &models, &error));
  assert_invalid_told(infer_models(fake->client, NULL, 0, &models, &error));
  assert_invalid_told(infer_models(fake->client, "a", 0, NULL, &error));
  assert_invalid_told(infer_chat(NULL, request, &response, &error));
  assert_null(response);
  assert_invalid_told(infer_chat(fake->client, NULL, &response, &error));
  assert_null(response);
  assert_invalid_told(
      infer_chat_stream(NULL, request, NULL, NULL, &response, &error));
  assert_invalid_told(
      infer_chat_stream(fake->client, NULL, NULL, NULL, &response, &error));
  assert_invalid_told(
      infer_submit(NULL, request, INFER_SUBMIT_WHOLE, NULL, 0, &call, &error));
  assert_null(call);
  assert_invalid_told(infer_submit(fake->client, NULL, INFER_SUBMIT_WHOLE, NULL,
                                   0, &call, &error));
  assert_null(call);
  assert_invalid_told(
      infer_submit(fake->client, request, 0, NULL, 0, &call, &error));
  assert_invalid_told(
      infer_submit(fake->client, request, 3, NULL, 0, &call, &error));
  assert_int_equal(fake->net.request_count, 0);
  infer_request_free(request);
  fake_client_free(fake);
}

static void
queues_and_calls_of_null(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  infer_queue *queue;
  infer_event *event;
  size_t count;
  assert_invalid(infer_queue_new(&queue, NULL));
  assert_invalid(infer_queue_new(NULL, fake->client));
  assert_invalid(infer_queue_poll(NULL, 0, &event));
  assert_invalid(infer_queue_poll(fake->queue, 0, NULL));
  assert_invalid(infer_queue_poll_batch(NULL, &event, 1, 0, &count));
  assert_invalid(infer_queue_poll_batch(fake->queue, NULL, 1, 0, &count));
  assert_invalid(infer_queue_poll_batch(fake->queue, &event, 1, 0, NULL));
  assert_invalid(infer_queue_poll_batch(fake->queue, &event, 0, 0, &count));
  assert_int_equal(infer_queue_fd(NULL), -1);
  assert_invalid(infer_queue_set_wakeup(NULL, NULL, NULL));
  assert_invalid(infer_call_cancel(NULL));
  assert_invalid(infer_call_wait(NULL, 0, NULL, NULL));
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_version_is_the_headers),
      cmocka_unit_test(every_feature_is_had),
      cmocka_unit_test(other_features_are_not_had),
      cmocka_unit_test(an_allocator_is_whole_or_none),
      cmocka_unit_test(the_hook_runs_on_the_loop_thread),
      cmocka_unit_test(every_free_takes_null),
      cmocka_unit_test(an_error_of_null_is_none),
      cmocka_unit_test(configs_of_null),
      cmocka_unit_test(clients_of_null),
      cmocka_unit_test(queues_and_calls_of_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
