/* SPDX-License-Identifier: MIT */
/* telemetry_off URL: one call through a library that was built without
 * telemetry; see telemetry_off.sh. */
#include <infer/infer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
on_call(const infer_call *call, const infer_response *response,
        const infer_error *error, void *user_data)
{
  (void)call;
  (void)response;
  (void)error;
  *(int *)user_data = 1;
}

static void
expect(int good, const char *what)
{
  if (good)
    return;
  fprintf(stderr, "telemetry_off: %s\n", what);
  exit(1);
}

static infer_client *
client_of(const char *url, int *told)
{
  infer_config *config = NULL;
  infer_client *client = NULL;
  expect(infer_config_new(&config) == INFER_OK &&
             infer_config_set_string(config, "providers.p.type", "openai",
                                     NULL) == INFER_OK &&
             infer_config_set_string(config, "providers.p.base_url", url,
                                     NULL) == INFER_OK &&
             infer_config_set_string(config, "providers.p.proxy", "none",
                                     NULL) == INFER_OK,
         "no configuration");
  expect(infer_config_set_telemetry(config, NULL, on_call, told) ==
             INFER_E_UNSUPPORTED,
         "a hook is taken");
  expect(infer_config_set_telemetry(config, NULL, NULL, NULL) == INFER_OK,
         "no hook is not taken");
  expect(infer_config_set_string(config, "telemetry.otlp.endpoint",
                                 "http://localhost:4318", NULL) == INFER_OK &&
             infer_client_new(&client, config, NULL) == INFER_E_CONFIG,
         "a collector is taken");
  expect(infer_config_set_json(config, "telemetry", "{}", INFER_NUL_TERMINATED,
                               NULL) == INFER_OK,
         "no collector is not taken");
  expect(infer_client_new(&client, config, NULL) == INFER_OK, "no client");
  infer_config_free(config);
  return client;
}

int
main(int argc, char **argv)
{
  int told = 0;
  char *text = (char *)"";
  infer_request *request = NULL;
  infer_response *response = NULL;
  infer_queue *queue = NULL;
  expect(argc == 2, "usage: telemetry_off URL");
  infer_client *client = client_of(argv[1], &told);
  expect(infer_client_stats(client, &text, NULL) == INFER_E_UNSUPPORTED &&
             !text,
         "there are statistics");
  expect(infer_client_metrics(client, &text, NULL) == INFER_E_UNSUPPORTED,
         "there are metrics");
  expect(infer_client_stats(NULL, &text, NULL) == INFER_E_INVALID_ARGUMENT,
         "NULL is taken for a client");
  expect(infer_queue_new(&queue, client) == INFER_OK &&
             infer_queue_set_records(queue, 1) == INFER_E_UNSUPPORTED,
         "a queue tells of attempts");
  expect(infer_request_new(&request, "p/m") == INFER_OK &&
             infer_request_add_message(request, "user", "Hi") == INFER_OK &&
             infer_chat(client, request, &response, NULL) == INFER_OK,
         "the call failed");
  expect(strcmp(infer_response_text(response, NULL), "Hello.") == 0,
         "another answer");
  expect(infer_response_attempt_count(response) == 1, "no trail");
  expect(!told, "a hook was called");
  infer_response_free(response);
  infer_request_free(request);
  infer_queue_free(queue);
  infer_client_free(client);
  puts("telemetry_off: ok");
  return 0;
}
