/* SPDX-License-Identifier: MIT */
/* Two providers behind one name: if the first one fails, the second answers.
 * The configuration is built in the program; it could as well be a file.
 *
 *   cc failover.c -o failover $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... CLARIFAI_PAT=... ./failover
 *
 * Other servers that speak the OpenAI protocol, and a model of each:
 *
 *   ./failover http://127.0.0.1:8000/v1 llama http://127.0.0.1:8001/v1 qwen */

#include <infer/infer.h>

#include <stdio.h>

/* An option: its path, and its value as JSON. */
typedef struct setting {
  const char *path, *json;
} setting;

static const setting services[] = {
    {"providers.first.type", "\"openai\""},
    {"providers.first.api_key", "\"env:OPENAI_API_KEY\""},
    {"providers.second.type", "\"clarifai\""},
    {"providers.second.api_key", "\"env:CLARIFAI_PAT\""},
    {"routes.safe.targets",
     "[\"first/gpt-4o-mini\", \"second/https://clarifai.com/openai/"
     "chat-completion/models/gpt-oss-120b\"]"},
    {"routes.safe.timeouts.first_token_ms", "8000"},
    {NULL, NULL},
};

static const setting servers[] = {
    {"providers.first.type", "\"openai\""},
    {"providers.second.type", "\"openai\""},
    {NULL, NULL},
};

static int32_t
configure(infer_config *config, const setting *settings, infer_error **error)
{
  int32_t status = INFER_OK;
  for (size_t i = 0; settings[i].path && status == INFER_OK; i++) {
    status = infer_config_set_json(config, settings[i].path, settings[i].json,
                                   INFER_NUL_TERMINATED, error);
  }
  return status;
}

/* Addresses and models from the command line. */
static int32_t
configure_servers(infer_config *config, char **argv, infer_error **error)
{
  char targets[512];
  snprintf(targets, sizeof(targets), "[\"first/%s\", \"second/%s\"]", argv[2],
           argv[4]);
  int32_t status = configure(config, servers, error);
  if (status == INFER_OK) {
    status = infer_config_set_string(config, "providers.first.base_url",
                                     argv[1], error);
  }
  if (status == INFER_OK) {
    status = infer_config_set_string(config, "providers.second.base_url",
                                     argv[3], error);
  }
  if (status == INFER_OK) {
    status = infer_config_set_json(config, "routes.safe.targets", targets,
                                   INFER_NUL_TERMINATED, error);
  }
  return status;
}

static void
print_attempts(const infer_response *response)
{
  for (size_t i = 0; i < infer_response_attempt_count(response); i++) {
    const infer_attempt *attempt = infer_response_attempt(response, i);
    int32_t status = infer_attempt_status(attempt);
    printf("%zu. %s (%s): %s\n", i + 1, infer_attempt_target(attempt),
           infer_attempt_reason_name(attempt),
           status == INFER_OK ? "answered" : infer_status_text(status));
  }
}

int
main(int argc, char **argv)
{
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_request *request = NULL;
  infer_response *response = NULL;
  infer_error *error = NULL;

  int32_t status = infer_config_new(&config);
  if (status == INFER_OK) {
    status = argc > 4 ? configure_servers(config, argv, &error)
                      : configure(config, services, &error);
  }
  if (status == INFER_OK) {
    status = infer_client_new(&client, config, &error);
  }
  if (status == INFER_OK) {
    status = infer_request_new(&request, "safe");
  }
  if (status == INFER_OK) {
    status = infer_request_add_message(request, "user", "Say hello.");
  }
  if (status == INFER_OK) {
    status = infer_chat(client, request, &response, &error);
  }
  if (status == INFER_OK) {
    print_attempts(response);
    printf("%s\n", infer_response_text(response, NULL));
  } else {
    fprintf(stderr, "%s: %s\n", infer_status_text(status),
            infer_error_message(error));
  }

  infer_error_free(error);
  infer_response_free(response);
  infer_request_free(request);
  infer_client_free(client);
  infer_config_free(config);
  return status == INFER_OK ? 0 : 1;
}
