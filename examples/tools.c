/* SPDX-License-Identifier: MIT */
/* A model that may call a function of the program: the loop of question, tool
 * call, result, answer.
 *
 *   cc tools.c -o tools $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... ./tools openai/gpt-4o-mini
 *   INFER_CONFIG=infer.json ./tools fast */

#include <infer/infer.h>

#include <stdio.h>
#include <stdlib.h>

#define MAX_TURNS 8 /* a model that never stops asking is stopped */

static const char parameters[] =
    "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},"
    "\"required\":[\"city\"],\"additionalProperties\":false}";

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

/* The arguments are the model's words: a real program parses them as JSON and
 * trusts nothing in them. */
static const char *
get_weather(const char *arguments)
{
  printf("get_weather(%s)\n", arguments);
  return "{\"temperature_c\":21,\"sky\":\"clear\"}";
}

/* Runs the functions that the response asks for and adds their results. */
static int32_t
run_tools(infer_request *request, const infer_response *response)
{
  int32_t status = infer_request_add_response(request, response);
  size_t count = infer_response_tool_call_count(response, 0);
  for (size_t i = 0; i < count && status == INFER_OK; i++) {
    const char *id = infer_response_tool_call_id(response, 0, i);
    const char *arguments =
        infer_response_tool_call_arguments(response, 0, i, NULL);
    status = infer_request_add_tool_result(request, id, get_weather(arguments),
                                           INFER_NUL_TERMINATED);
  }
  return status;
}

static int32_t
converse(infer_client *client, infer_request *request, infer_error **error)
{
  for (int turn = 0; turn < MAX_TURNS; turn++) {
    infer_response *response = NULL;
    int32_t status = infer_chat(client, request, &response, error);
    if (status != INFER_OK) {
      return status;
    }
    if (infer_response_tool_call_count(response, 0) == 0) {
      printf("%s\n", infer_response_text(response, NULL));
      infer_response_free(response);
      return INFER_OK;
    }
    status = run_tools(request, response);
    infer_response_free(response);
    if (status != INFER_OK) {
      return status;
    }
  }
  fprintf(stderr, "no answer within %d turns\n", MAX_TURNS);
  return INFER_E_LIMIT;
}

int
main(int argc, char **argv)
{
  const char *model = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
  infer_client *client = NULL;
  infer_request *request = NULL;
  infer_error *error = NULL;

  int32_t status = open_client(&client, &error);
  if (status == INFER_OK) {
    status = infer_request_new(&request, model);
  }
  if (status == INFER_OK) {
    status =
        infer_request_add_tool(request, "get_weather",
                               "The weather in a city now", parameters, &error);
  }
  if (status == INFER_OK) {
    status = infer_request_add_message(request, "user",
                                       "What is the weather in Oslo?");
  }
  if (status == INFER_OK) {
    status = converse(client, request, &error);
  }
  if (status != INFER_OK) {
    fprintf(stderr, "%s: %s\n", infer_status_text(status),
            infer_error_message(error));
  }

  infer_error_free(error);
  infer_request_free(request);
  infer_client_free(client);
  return status == INFER_OK ? 0 : 1;
}
