/* SPDX-License-Identifier: MIT */
/* Asks a Parcel service, whose language the library does not know: the plug-in
 * beside this file teaches it.
 *
 *   parcel_chat BASE_URL MODEL PROMPT      with the token in PARCEL_TOKEN */
#include "parcel.h"

#include <stdio.h>

static int32_t
configure(infer_config *config, const char *base_url, infer_error **error)
{
  int32_t status =
      infer_config_add_provider_type(config, parcel_provider(), error);
  if (status == INFER_OK)
    status =
        infer_config_set_string(config, "providers.post.type", "parcel", error);
  if (status == INFER_OK)
    status = infer_config_set_string(config, "providers.post.base_url",
                                     base_url, error);
  if (status == INFER_OK)
    status = infer_config_set_string(config, "providers.post.api_key",
                                     "env:PARCEL_TOKEN", error);
  return status;
}

int
main(int argc, char **argv)
{
  char model[256];
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_request *request = NULL;
  infer_response *response = NULL;
  infer_error *error = NULL;
  if (argc != 4) {
    fprintf(stderr, "usage: parcel_chat BASE_URL MODEL PROMPT\n");
    return 2;
  }
  snprintf(model, sizeof model, "post/%s", argv[2]);
  int32_t status = infer_config_new(&config);
  if (status == INFER_OK)
    status = configure(config, argv[1], &error);
  if (status == INFER_OK)
    status = infer_client_new(&client, config, &error);
  if (status == INFER_OK)
    status = infer_request_new(&request, model);
  if (status == INFER_OK)
    status = infer_request_add_message(request, "user", argv[3]);
  if (status == INFER_OK)
    status = infer_chat(client, request, &response, &error);
  if (status == INFER_OK)
    printf("%s\n", infer_response_text(response, NULL));
  else
    fprintf(stderr, "parcel_chat: %s\n",
            error ? infer_error_message(error) : infer_status_text(status));
  infer_error_free(error);
  infer_response_free(response);
  infer_request_free(request);
  infer_client_free(client);
  infer_config_free(config);
  return status == INFER_OK ? 0 : 1;
}
