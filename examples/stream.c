/* SPDX-License-Identifier: MIT */
/* An answer that is printed as it comes.
 *
 *   cc stream.c -o stream $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... ./stream openai/gpt-4o-mini "Tell me a story."
 *   INFER_CONFIG=infer.json ./stream fast "Tell me a story." */

#include <infer/infer.h>

#include <stdio.h>
#include <stdlib.h>

/* Runs on this program's own thread. Types that it does not know are left
 * alone: later versions of the library may add some. */
static int32_t
on_event(const infer_event *event, void *user_data)
{
  size_t len = 0;
  const char *text = infer_event_text(event, &len);
  (void)user_data;
  switch (infer_event_type(event)) {
  case INFER_EVENT_TEXT:
    fwrite(text, 1, len, stdout);
    fflush(stdout);
    break;
  case INFER_EVENT_RESTART:
    /* Only a route with "recovery": "restart" or "continue" does this: what was
     * printed so far is void, a whole new answer follows. */
    printf("\n[starting over: %s]\n", text);
    break;
  default:
    break;
  }
  return ferror(stdout); /* not 0: cancel the call */
}

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
  const char *prompt = argc > 2 ? argv[2] : "Tell me a story.";
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
    status =
        infer_chat_stream(client, request, on_event, NULL, &response, &error);
  }
  if (status == INFER_OK) {
    printf("\n(finish reason: %s)\n",
           infer_response_finish_reason(response, 0));
  } else {
    /* A cut answer is never reported as a success. What had come stands in
     * infer_error_partial(error). */
    fprintf(stderr, "\n%s: %s\n", infer_status_text(status),
            infer_error_message(error));
  }

  infer_error_free(error);
  infer_response_free(response);
  infer_request_free(request);
  infer_client_free(client);
  return status == INFER_OK ? 0 : 1;
}
