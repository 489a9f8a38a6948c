/* SPDX-License-Identifier: MIT */
/* What ./quickstart runs: the same load to one model name after another, then
 * a table of what the caller got, who answered, and what it took; at last one
 * answer as it comes.
 *
 *   quickstart CONFIG CALLS AT_A_TIME NAME...
 *
 * CONFIG is a file, or "-" for the providers of the environment; each NAME is
 * a route or provider/model. Exits with 0 if all calls to the last NAME were
 * answered. */

#include <infer/infer.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_NAMES     8
#define MAX_CALLS     100000
#define MAX_ANSWERERS 8

typedef struct one_call {
  int64_t submitted_ns, first_token_ns, ended_ns;
} one_call;

typedef struct answered_by {
  char name[64];
  size_t count;
} answered_by;

typedef struct load_run {
  const char *name;
  one_call *calls;
  size_t wanted, started, ended;
  size_t answered, retries, failovers, hedges, hedges_won;
  double *first_ms, *total_ms; /* of the answered ones */
  answered_by answerers[MAX_ANSWERERS];
  char last_error[256];
} load_run;

static int64_t
now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- Sending ------------------------------------------------------------- */

static int32_t
start_call(infer_client *client, infer_queue *queue, load_run *load,
           infer_error **error)
{
  infer_request *request = NULL;
  int32_t status = infer_request_new(&request, load->name);
  if (status == INFER_OK) {
    status = infer_request_add_message(request, "user",
                                       "Name a colour, in one word.");
  }
  if (status == INFER_OK) {
    load->calls[load->started].submitted_ns = now_ns();
    status = infer_submit(client, request, INFER_SUBMIT_STREAM, queue,
                          load->started, NULL, error);
  }
  infer_request_free(request);
  load->started += status == INFER_OK;
  return status;
}

static void
count_attempt(load_run *load, const infer_attempt *attempt)
{
  int32_t reason = infer_attempt_reason(attempt);
  load->failovers += reason == INFER_REASON_FAILOVER;
  load->retries += reason == INFER_REASON_RETRY;
  load->hedges += reason == INFER_REASON_HEDGE;
  load->hedges_won +=
      reason == INFER_REASON_HEDGE && infer_attempt_won(attempt);
}

static void
count_answerer(load_run *load, const char *name)
{
  for (size_t i = 0; i < MAX_ANSWERERS; i++) {
    answered_by *answerer = &load->answerers[i];
    if (answerer->count == 0) {
      snprintf(answerer->name, sizeof(answerer->name), "%s", name);
    }
    if (strcmp(answerer->name, name) == 0) {
      answerer->count++;
      return;
    }
  }
}

static void
on_answer(load_run *load, const one_call *call, const infer_response *response)
{
  load->first_ms[load->answered] =
      (double)(call->first_token_ns - call->submitted_ns) / 1e6;
  load->total_ms[load->answered] =
      (double)(call->ended_ns - call->submitted_ns) / 1e6;
  load->answered++;
  count_answerer(load, infer_response_provider(response));
  for (size_t i = 0; i < infer_response_attempt_count(response); i++) {
    count_attempt(load, infer_response_attempt(response, i));
  }
}

static void
on_failure(load_run *load, const infer_error *error)
{
  snprintf(load->last_error, sizeof(load->last_error), "%s",
           infer_error_message(error));
  for (size_t i = 0; i < infer_error_attempt_count(error); i++) {
    count_attempt(load, infer_error_attempt(error, i));
  }
}

static void
on_event(load_run *load, const infer_event *event)
{
  one_call *call = &load->calls[infer_event_tag(event)];
  int32_t type = infer_event_type(event);
  int64_t now = now_ns();
  if (call->first_token_ns == 0 && type != INFER_EVENT_START) {
    call->first_token_ns = now;
  }
  if (type != INFER_EVENT_DONE) {
    return;
  }
  call->ended_ns = now;
  load->ended++;
  if (infer_event_status(event) == INFER_OK) {
    on_answer(load, call, infer_event_response(event));
  } else {
    on_failure(load, infer_event_error(event));
  }
}

/* Keeps at_a_time calls in flight until all are done. */
static int32_t
run_load(infer_client *client, load_run *load, size_t at_a_time,
         infer_error **error)
{
  infer_queue *queue = NULL;
  int32_t status = infer_queue_new(&queue, client);
  while (status == INFER_OK && load->ended < load->wanted) {
    while (status == INFER_OK && load->started < load->wanted &&
           load->started - load->ended < at_a_time) {
      status = start_call(client, queue, load, error);
    }
    infer_event *event = NULL;
    if (status == INFER_OK) {
      status = infer_queue_poll(queue, -1, &event);
    }
    if (status == INFER_OK) {
      on_event(load, event);
      infer_event_free(event);
    }
  }
  infer_queue_free(queue);
  return status;
}

/* ---- Telling ------------------------------------------------------------- */

static int
compare_doubles(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void
print_quantiles(double *values, size_t count)
{
  static const double quantiles[] = {0.50, 0.95, 0.99};
  qsort(values, count, sizeof(values[0]), compare_doubles);
  for (size_t i = 0; i < 3; i++) {
    /* The smallest value that so many of the calls were not above. */
    size_t rank = (size_t)(quantiles[i] * (double)count + 0.999999);
    if (count == 0) {
      printf("%8s", "-");
    } else {
      printf("%8.0f", values[rank > 0 ? rank - 1 : 0]);
    }
  }
}

static void
print_header(size_t calls, size_t at_a_time)
{
  printf("%zu calls to each, %zu at a time; milliseconds of the answered "
         "calls\n\n",
         calls, at_a_time);
  printf("%32s%24s%24s\n", "", "first token", "whole answer");
  printf("%-16s%9s%7s", "asked for", "answered", "failed");
  printf("%8s%8s%8s%8s%8s%8s\n", "p50", "p95", "p99", "p50", "p95", "p99");
}

static void
print_load(load_run *load)
{
  printf("%-16.16s%9zu%7zu", load->name, load->answered,
         load->ended - load->answered);
  print_quantiles(load->first_ms, load->answered);
  print_quantiles(load->total_ms, load->answered);
  printf("\n");
  fflush(stdout);
}

static void
print_answerers(const load_run *load)
{
  printf("\n\"%s\": %zu retries, %zu failovers; answered by", load->name,
         load->retries, load->failovers);
  for (size_t i = 0; i < MAX_ANSWERERS && load->answerers[i].count; i++) {
    printf("%s %s %zu", i ? "," : "", load->answerers[i].name,
           load->answerers[i].count);
  }
  printf("%s\n", load->answered ? "" : " nobody");
  if (load->hedges > 0) {
    printf("hedges: %zu, for %.1f %% of the calls; %zu of them were sooner "
           "than the first attempt\n",
           load->hedges, 100.0 * (double)load->hedges / (double)load->ended,
           load->hedges_won);
  }
  if (load->last_error[0]) {
    printf("last failure: %s\n", load->last_error);
  }
}

static int32_t
print_text(const infer_event *event, void *user_data)
{
  (void)user_data;
  if (infer_event_type(event) == INFER_EVENT_TEXT) {
    fputs(infer_event_text(event, NULL), stdout);
    fflush(stdout);
  }
  return 0;
}

/* What has come of hedges, in the library's own words: the first member of all
 * that it tells. */
static void
print_stats(infer_client *client)
{
  char *json = NULL;
  if (infer_client_stats(client, &json, NULL) == INFER_OK) {
    const char *next = strstr(json, ",\"spend\":");
    int len = next ? (int)(next - json) : (int)strlen(json);
    printf("infer_client_stats(): %.*s, ...}\n", len, json);
  }
  infer_text_free(json);
}

static int32_t
stream_one(infer_client *client, const char *name, infer_error **error)
{
  infer_request *request = NULL;
  infer_response *response = NULL;
  int32_t status = infer_request_new(&request, name);
  if (status == INFER_OK) {
    status = infer_request_add_message(request, "user",
                                       "Why do clients retry? One sentence.");
  }
  if (status == INFER_OK) {
    printf("\none answer of \"%s\" as it comes:\n", name);
    status =
        infer_chat_stream(client, request, print_text, NULL, &response, error);
    printf("\n");
  }
  if (status == INFER_OK) {
    printf("(by %s)\n", infer_response_target(response));
  }
  infer_response_free(response);
  infer_request_free(request);
  return status;
}

/* ---- Together ------------------------------------------------------------ */

static int32_t
open_client(const char *path, infer_client **client, infer_error **error)
{
  infer_config *config = NULL;
  int32_t status = INFER_OK;
  if (strcmp(path, "-") != 0) {
    status = infer_config_from_file(&config, path, error);
  }
  if (status == INFER_OK) {
    status = infer_client_new(client, config, error);
  }
  infer_config_free(config);
  return status;
}

static bool
load_init(load_run *load, const char *name, size_t calls)
{
  *load = (load_run){.name = name, .wanted = calls};
  load->calls = calloc(calls, sizeof(*load->calls));
  load->first_ms = calloc(calls, sizeof(*load->first_ms));
  load->total_ms = calloc(calls, sizeof(*load->total_ms));
  return load->calls && load->first_ms && load->total_ms;
}

static void
load_fini(load_run *load)
{
  free(load->calls);
  free(load->first_ms);
  free(load->total_ms);
}

static int32_t
try_name(infer_client *client, load_run *load, size_t at_a_time,
         infer_error **error)
{
  int32_t status = run_load(client, load, at_a_time, error);
  if (status == INFER_OK) {
    print_load(load);
  }
  return status;
}

static int32_t
try_all(infer_client *client, load_run *loads, size_t count, size_t at_a_time,
        infer_error **error)
{
  load_run *last = &loads[count - 1];
  int32_t status = INFER_OK;
  print_header(last->wanted, at_a_time);
  for (size_t i = 0; i < count && status == INFER_OK; i++) {
    status = try_name(client, &loads[i], at_a_time, error);
  }
  if (status == INFER_OK) {
    print_answerers(last);
    if (last->hedges > 0) {
      print_stats(client);
    }
    if (last->answered > 0) {
      status = stream_one(client, last->name, error);
    }
  }
  return status;
}

int
main(int argc, char **argv)
{
  size_t calls = argc > 4 ? strtoul(argv[2], NULL, 10) : 0;
  size_t at_a_time = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;
  size_t count = argc > 4 ? (size_t)argc - 4 : 0;
  if (calls < 1 || calls > MAX_CALLS || at_a_time < 1 || count > MAX_NAMES) {
    fprintf(stderr, "usage: %s CONFIG CALLS AT_A_TIME NAME...\n", argv[0]);
    return 2;
  }
  load_run loads[MAX_NAMES] = {{0}};
  infer_client *client = NULL;
  infer_error *error = NULL;
  int32_t status = open_client(argv[1], &client, &error);
  for (size_t i = 0; i < count && status == INFER_OK; i++) {
    status =
        load_init(&loads[i], argv[4 + i], calls) ? INFER_OK : INFER_E_NO_MEMORY;
  }
  if (status == INFER_OK) {
    status = try_all(client, loads, count, at_a_time, &error);
  }
  if (status != INFER_OK) {
    fprintf(stderr, "%s: %s\n", infer_status_text(status),
            infer_error_message(error));
  }
  bool all_answered = status == INFER_OK && loads[count - 1].answered == calls;
  for (size_t i = 0; i < count; i++) {
    load_fini(&loads[i]);
  }
  infer_error_free(error);
  infer_client_free(client);
  return all_answered ? 0 : 1;
}
