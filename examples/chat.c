/* SPDX-License-Identifier: MIT */
/* One question, one answer.
 *
 *   cc chat.c -o chat $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... ./chat openai/gpt-4o-mini "What is a hedge?"
 *
 * With a configuration file, MODEL may be one of its routes:
 *
 *   INFER_CONFIG=infer.json ./chat fast "What is a hedge?" */

#include <infer/infer.h>

#include <stdio.h>
#include <stdlib.h>

/* Without INFER_CONFIG: the providers whose keys are in the environment. */
static int32_t
open_client(infer_client **client, infer_error **error)
{
  const char *path = getenv("INFER_CONFIG");
  infer_config *config = NULL;
  int32_t status = INFER_OK;
  if (path) {
    status = infer_config_from_file(&config, path, error);
  }
  if (status == INFER_OK) {
    status = infer_client_new(client, config, error);
  }
  infer_config_free(config);
  return status;
}

int
main(int argc, char **argv)
{
  const char *model = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
  const char *prompt = argc > 2 ? argv[2] : "Say hello.";
  infer_client *client = NULL;
  infer_request *request = NULL;
  infer_response *response = NULL;
  infer_error *error = NULL;

  int32_t status = open_client(&client, &error);
  if (status == INFER_OK) {
    status = infer_request_new(&request, model);
  }
  if (status == INFER_OK) {
    status = infer_request_add_message(request, "user", prompt);
  }
  if (status == INFER_OK) {
    status = infer_chat(client, request, &response, &error);
  }
  if (status == INFER_OK) {
    printf("%s\n", infer_response_text(response, NULL));
    printf("(%s, %lld tokens)\n", infer_response_target(response),
           (long long)infer_response_usage(response, INFER_USAGE_TOTAL));
  } else {
    fprintf(stderr, "%s: %s\n", infer_status_text(status),
            infer_error_message(error));
  }

  infer_error_free(error);
  infer_response_free(response);
  infer_request_free(request);
  infer_client_free(client);
  return status == INFER_OK ? 0 : 1;
}
