/* SPDX-License-Identifier: MIT */
/* Many calls at once on an epoll loop of the program's own. The library adds
 * one descriptor to the loop, however many calls there are.
 *
 *   cc eventloop.c -o eventloop $(pkg-config --cflags --libs libinfer)
 *   OPENAI_API_KEY=... ./eventloop openai/gpt-4o-mini 20
 *   INFER_CONFIG=infer.json ./eventloop fast 20 */

#include <infer/infer.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

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

/* The tag tells the calls apart when their answers come back. */
static int32_t
start_call(infer_client *client, infer_queue *queue, const char *model,
           uint64_t tag, infer_error **error)
{
  char prompt[64];
  infer_request *request = NULL;
  snprintf(prompt, sizeof(prompt), "What is %d times 7?", (int)tag);
  int32_t status = infer_request_new(&request, model);
  if (status == INFER_OK) {
    status = infer_request_add_message(request, "user", prompt);
  }
  if (status == INFER_OK) {
    status = infer_submit(client, request, INFER_SUBMIT_WHOLE, queue, tag, NULL,
                          error);
  }
  infer_request_free(request); /* the call has its own copy */
  return status;
}

/* Takes what has come; returns how many calls ended. */
static size_t
take_events(infer_queue *queue)
{
  size_t ended = 0;
  infer_event *event;
  while (infer_queue_poll(queue, 0, &event) == INFER_OK) {
    if (infer_event_type(event) == INFER_EVENT_DONE) {
      int32_t status = infer_event_status(event);
      printf("%llu: %s\n", (unsigned long long)infer_event_tag(event),
             status == INFER_OK
                 ? infer_response_text(infer_event_response(event), NULL)
                 : infer_error_message(infer_event_error(event)));
      ended++;
    }
    infer_event_free(event);
  }
  return ended;
}

int
main(int argc, char **argv)
{
  const char *model = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
  size_t wanted = argc > 2 ? strtoul(argv[2], NULL, 10) : 8;
  size_t started = 0, ended = 0;
  infer_client *client = NULL;
  infer_queue *queue = NULL;
  infer_error *error = NULL;

  int32_t status = open_client(&client, &error);
  if (status == INFER_OK) {
    status = infer_queue_new(&queue, client);
  }
  while (status == INFER_OK && started < wanted) {
    status = start_call(client, queue, model, started, &error);
    started += status == INFER_OK;
  }
  if (status != INFER_OK) {
    fprintf(stderr, "%s: %s\n", infer_status_text(status),
            infer_error_message(error));
  }

  int loop = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event watch = {.events = EPOLLIN};
  if (queue) {
    epoll_ctl(loop, EPOLL_CTL_ADD, infer_queue_fd(queue), &watch);
  }
  while (ended < started) {
    /* The program's own descriptors would be in this loop too. */
    if (epoll_wait(loop, &watch, 1, 1000) > 0) {
      ended += take_events(queue);
    }
  }
  close(loop);

  infer_error_free(error);
  infer_queue_free(queue);
  infer_client_free(client);
  return status == INFER_OK ? 0 : 1;
}
