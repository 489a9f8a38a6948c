/* SPDX-License-Identifier: MIT */
/* replay_recordings [FOLDER]: sends the recorded requests of the folder
 * (default: recordings/ of the shared data) to a server that gives the
 * recorded responses, and compares what the public API makes of them with
 * expected.json: in one write by the blocking functions, then byte by byte and
 * as the network delivered it, many calls at once, by a queue. The server's
 * side is checked too: one request for each call, and every member of the
 * recorded request as it was recorded. Ends with a table; exit code 1 if a
 * case failed, 77 without recordings. INFER_CASE=PART: only cases with this in
 * their name. */
#include "conformance/expect.h"
#include "conformance/kinds.h"
#include "conformance/recorded_request.h"
#include "conformance/replay_server.h"
#include "conformance/tally.h"
#include "infer/infer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS_AT_ONCE 32
/* Silence of all calls together that means a hang. */
#define PATIENCE_MS 120000

/* What is known of one case over all its jobs. */
struct outcome {
  bool taken, failed;
  inf_buf why;
};

struct replay {
  test_case_list list;
  struct outcome *outcomes; /* one for each case of the list */
  replay_job *jobs;
  inf_buf *heard; /* for each job: the text of choice 0 in its events */
  size_t job_count, from, to; /* the block that is played */
  replay_server server;
  infer_client *client;
  case_tally tally;
  unsigned as_recorded, rewritten;
};

static const char *const way_names[REPLAY_WAYS] = {"whole", "byte by byte",
                                                   "as recorded"};

/* ---- Jobs ---------------------------------------------------------------- */

/* NULL for what cannot be sent to. */
static const test_kind *
kind_of(const test_case *test)
{
  const test_kind *kind = test_kind_of(test);
  return kind && test_kind_writes(kind) ? kind : NULL;
}

static void
add_job(struct replay *replay, const test_case *test, replay_way way,
        bool stream)
{
  replay->jobs[replay->job_count++] =
      (replay_job){.test = test, .way = way, .stream = stream};
}

static bool
make_jobs(struct replay *replay, const char *only)
{
  size_t most = replay->list.count * (REPLAY_WAYS + 1) + 1;
  replay->outcomes = calloc(replay->list.count + 1, sizeof(struct outcome));
  replay->jobs = calloc(most, sizeof(replay_job));
  replay->heard = calloc(most, sizeof(inf_buf));
  if (!replay->outcomes || !replay->jobs || !replay->heard)
    return false;
  for (size_t i = 0; i < most; i++)
    inf_buf_init(&replay->heard[i], SIZE_MAX);
  for (size_t i = 0; i < replay->list.count; i++) {
    const test_case *test = &replay->list.cases[i];
    inf_buf_init(&replay->outcomes[i].why, (size_t)1 << 16);
    if ((only && !strstr(test->name, only)) ||
        !tally_takes(&replay->tally, test, kind_of(test)))
      continue;
    replay->outcomes[i].taken = true;
    bool stream = test_asks_for_stream(test);
    add_job(replay, test, REPLAY_WHOLE, stream);
    if (test->status >= 300) /* an error is the same however one asked */
      add_job(replay, test, REPLAY_WHOLE, !stream);
    add_job(replay, test, REPLAY_BYTES, stream);
    if (test->chunks)
      add_job(replay, test, REPLAY_RECORDED, stream);
  }
  return true;
}

static void
complain(struct replay *replay, const replay_job *job, const inf_buf *why)
{
  struct outcome *outcome = &replay->outcomes[job->test - replay->list.cases];
  printf("FAIL %s, %s, %s\n%s", job->test->name, way_names[job->way],
         job->stream ? "streamed" : "unary", inf_buf_cstr(why));
  outcome->failed = true;
  inf_buf_append_sv(&outcome->why, inf_buf_sv(why));
}

/* ---- The request --------------------------------------------------------- */

/* Recorded headers say how much is left of quotas that were used up long ago,
 * and the client goes by them: each job has a provider of its own, for it
 * would wait for those of others. A client has as many as it may, so that they
 * are played in blocks. */
enum { block = 1000 };

static void
write_model(inf_buf *out, const struct replay *replay, const replay_job *job)
{
  const char *model = test_member(job->test->request, "model");
  inf_buf_appendf(out, "p%td/%s", job - replay->jobs,
                  model[0] != '\0' ? model : "model");
}

/* The recorded body as a request, without what the row refuses: what it was
 * answered with is asked here. NULL if it is none that a caller could send. */
static infer_request *
request_as_recorded(const replay_job *job, const char *model)
{
  infer_request *request = NULL;
  const test_kind *kind = test_kind_of(job->test);
  json_object *body = NULL;
  if (!job->test->request || !test_kind_is_openai(kind) ||
      json_object_deep_copy(job->test->request, &body, NULL) != 0)
    return NULL;
  recorded_drop_refused(test_provider_kind(kind), body);
  json_object_object_add(body, "model", json_object_new_string(model));
  const char *text = json_object_to_json_string_ext(
      body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
  if (infer_request_from_json(&request, text, INFER_NUL_TERMINATED, NULL) !=
      INFER_OK)
    request = NULL;
  json_object_put(body);
  return request;
}

static infer_request *
make_request(struct replay *replay, const replay_job *job)
{
  inf_buf model;
  char number[32];
  inf_buf_init(&model, 1 << 16);
  write_model(&model, replay, job);
  infer_request *request = request_as_recorded(job, inf_buf_cstr(&model));
  if (request)
    replay->as_recorded++;
  else if (infer_request_new(&request, inf_buf_cstr(&model)) == INFER_OK &&
           infer_request_add_message(request, "user", "Hello") == INFER_OK)
    replay->rewritten++;
  inf_buf_fini(&model);
  snprintf(number, sizeof(number), "%td", job - replay->jobs);
  if (infer_request_set_header(request, REPLAY_FIELD, number) != INFER_OK) {
    infer_request_free(request);
    return NULL;
  }
  return request;
}

/* ---- What the server saw ------------------------------------------------- */

static void
check_members(const replay_job *job, json_object *sent, inf_buf *why)
{
  const inf_provider_kind *kind = test_provider_kind(test_kind_of(job->test));
  json_object *value = NULL;
  const char *model = test_member(job->test->request, "model");
  if (strcmp(test_member(sent, "model"), model[0] ? model : "model") != 0)
    inf_buf_appendf(why, "the server was asked for model \"%s\"\n",
                    test_member(sent, "model"));
  json_object_object_get_ex(sent, "stream", &value);
  if (json_object_get_boolean(value) != job->stream)
    inf_buf_appendf(why, "\"stream\" is wrong in the request\n");
  if (job->test->request &&
      json_object_object_get_ex(job->test->request, "messages", NULL))
    recorded_compare(kind, job->test->request, sent, why);
}

static void
check_server(struct replay *replay, const replay_job *job, inf_buf *why)
{
  inf_buf body;
  inf_buf_init(&body, SIZE_MAX);
  size_t number = (size_t)(job - replay->jobs);
  unsigned requests = replay_server_seen(&replay->server, number, &body);
  if (requests != 1)
    inf_buf_appendf(why, "%u requests instead of 1\n", requests);
  json_object *sent = json_tokener_parse(inf_buf_cstr(&body));
  if (sent && test_kind_is_openai(test_kind_of(job->test)))
    check_members(job, sent, why);
  if (!sent)
    inf_buf_appendf(why, "the server did not get JSON\n");
  json_object_put(sent);
  inf_buf_fini(&body);
}

/* ---- What the caller got ------------------------------------------------- */

static expect_actual
actual_of(const test_case *test, const infer_response *response,
          const infer_error *error, int32_t status)
{
  const infer_response *answer =
      response ? response : infer_error_partial(error);
  expect_actual actual = {
      .body = inf_buf_sv(&test->body),
      .choices = infer_response_choice_count(answer),
      .no_answer = !answer,
      .tool_calls = infer_response_tool_call_count(answer, 0),
      .native_finish_reason =
          inf_sv_from(infer_response_native_finish_reason(answer, 0)),
      .usage_estimated = infer_response_usage_estimated(answer) == 1,
      .status = status,
      .http_status = infer_error_http_status(error),
      .body_status = -1,
      .type = inf_sv_from(infer_error_provider_type(error)),
      .code = inf_sv_from(infer_error_provider_code(error)),
      .param = inf_sv_from(infer_error_provider_param(error)),
      .message = inf_sv_from(infer_error_provider_message(error)),
  };
  actual.text.ptr = infer_response_text(answer, &actual.text.len);
  actual.reasoning.ptr =
      infer_response_reasoning(answer, 0, &actual.reasoning.len);
  actual.refusal.ptr = infer_response_refusal(answer, 0, &actual.refusal.len);
  if (actual.choices > 0)
    actual.json.ptr = infer_response_json(answer, &actual.json.len);
  for (int32_t kind = 0; kind < INFER_USAGE_COUNT; kind++)
    actual.usage[kind] = infer_response_usage(answer, kind);
  test_usage_as_recorded(test_kind_of(test), actual.usage);
  return actual;
}

/* heard: the text of the events, or NULL where there were none. */
static void
check_job(struct replay *replay, const replay_job *job, int32_t status,
          const infer_response *response, const infer_error *error,
          const inf_buf *heard)
{
  inf_buf why;
  inf_buf_init(&why, (size_t)1 << 16);
  expect_actual actual = actual_of(job->test, response, error, status);
  if (!expect_compare(job->test->expected, &actual, &why) && error)
    inf_buf_appendf(&why, "%s\n", infer_error_message(error));
  if (heard && !inf_sv_eq(inf_buf_sv(heard), actual.text))
    inf_buf_appendf(&why, "the events' text differs from the answer's\n");
  check_server(replay, job, &why);
  if (why.len > 0)
    complain(replay, job, &why);
  inf_buf_fini(&why);
}

static void
fail_job(struct replay *replay, const replay_job *job, const char *what,
         const infer_error *error)
{
  inf_buf why;
  inf_buf_init(&why, (size_t)1 << 16);
  inf_buf_appendf(&why, "%s: %s\n", what, infer_error_message(error));
  complain(replay, job, &why);
  inf_buf_fini(&why);
}

static void
hear(inf_buf *heard, const infer_event *event)
{
  size_t len;
  if (infer_event_type(event) == INFER_EVENT_RESTART)
    inf_buf_clear(heard);
  if (infer_event_type(event) != INFER_EVENT_TEXT ||
      infer_event_choice(event) != 0)
    return;
  const char *text = infer_event_text(event, &len);
  inf_buf_append(heard, text, len);
}

/* ---- By the blocking functions ------------------------------------------- */

static int32_t
on_event(const infer_event *event, void *user_data)
{
  hear(user_data, event);
  return 0;
}

static void
run_blocking(struct replay *replay, replay_job *job)
{
  int32_t status;
  infer_response *response = NULL;
  infer_error *error = NULL;
  inf_buf *heard = &replay->heard[job - replay->jobs];
  infer_request *request = make_request(replay, job);
  if (!request) {
    fail_job(replay, job, "no request could be made", NULL);
    return;
  }
  if (job->stream)
    status = infer_chat_stream(replay->client, request, on_event, heard,
                               &response, &error);
  else
    status = infer_chat(replay->client, request, &response, &error);
  check_job(replay, job, status, response, error, job->stream ? heard : NULL);
  infer_request_free(request);
  infer_response_free(response);
  infer_error_free(error);
}

/* ---- By a queue ---------------------------------------------------------- */

static bool
submit(struct replay *replay, infer_queue *queue, size_t number)
{
  infer_error *error = NULL;
  replay_job *job = &replay->jobs[number];
  infer_request *request = make_request(replay, job);
  int32_t status = infer_submit(replay->client, request, INFER_SUBMIT_STREAM,
                                queue, number, NULL, &error);
  if (status != INFER_OK)
    fail_job(replay, job, "not accepted", error);
  infer_request_free(request);
  infer_error_free(error);
  return status == INFER_OK;
}

/* Returns 1 for a call's last event. */
static size_t
take_event(struct replay *replay, infer_event *event)
{
  size_t number = (size_t)infer_event_tag(event);
  inf_buf *heard = &replay->heard[number];
  bool last = infer_event_type(event) == INFER_EVENT_DONE;
  if (last)
    check_job(replay, &replay->jobs[number], infer_event_status(event),
              infer_event_response(event), infer_event_error(event), heard);
  else
    hear(heard, event);
  infer_event_free(event);
  return last;
}

/* The next job that goes by the queue, from `from` on. */
static size_t
next_queued(const struct replay *replay, size_t from)
{
  while (from < replay->to && replay->jobs[from].way == REPLAY_WHOLE)
    from++;
  return from;
}

static bool
run_queued(struct replay *replay)
{
  infer_event *events[64];
  infer_queue *queue = NULL;
  size_t in_flight = 0, count;
  int32_t status = infer_queue_new(&queue, replay->client);
  size_t next = next_queued(replay, replay->from);
  while (status == INFER_OK && (next < replay->to || in_flight > 0)) {
    while (in_flight < CALLS_AT_ONCE && next < replay->to) {
      in_flight += submit(replay, queue, next);
      next = next_queued(replay, next + 1);
    }
    status = infer_queue_poll_batch(queue, events, 64, PATIENCE_MS, &count);
    for (size_t i = 0; status == INFER_OK && i < count; i++)
      in_flight -= take_event(replay, events[i]);
  }
  infer_queue_free(queue);
  if (status != INFER_OK)
    printf("FAIL the queue: %s, with %zu calls in flight\n",
           infer_status_text(status), in_flight);
  return status == INFER_OK;
}

/* ---- All of it ----------------------------------------------------------- */

static void
write_provider(inf_buf *out, const struct replay *replay, size_t number,
               int port)
{
  const replay_job *job = &replay->jobs[number];
  const test_kind *kind = test_kind_of(job->test);
  inf_buf_appendf(out,
                  "%s{\"name\":\"p%zu\",\"type\":\"%s\","
                  "\"upstream\":\"%s\",\"proxy\":\"none\","
                  "\"base_url\":\"http://127.0.0.1:%d/v1\"%s}",
                  number > replay->from ? "," : "", number, kind->type,
                  job->stream ? "stream" : "unary", port,
                  kind->config ? kind->config : "");
}

static void
write_config(const struct replay *replay, inf_buf *out, int port)
{
  inf_buf_append_cstr(out, "{\"providers\":[");
  for (size_t i = replay->from; i < replay->to; i++)
    write_provider(out, replay, i, port);
  inf_buf_appendf(out,
                  "],\"defaults\":{\"retries\":0,\"stay\":{\"retries\":0},"
                  "\"timeouts\":{\"deadline_ms\":%d}}}",
                  PATIENCE_MS);
}

static infer_client *
make_client(const struct replay *replay, int port)
{
  inf_buf text;
  infer_config *config = NULL;
  infer_client *client = NULL;
  infer_error *error = NULL;
  inf_buf_init(&text, (size_t)1 << 20);
  write_config(replay, &text, port);
  if (infer_config_from_json(&config, inf_buf_cstr(&text), text.len, &error) !=
          INFER_OK ||
      infer_client_new(&client, config, &error) != INFER_OK)
    fprintf(stderr, "no client: %s\n", infer_error_message(error));
  infer_error_free(error);
  infer_config_free(config);
  inf_buf_fini(&text);
  return client;
}

static double
seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool
run_block(struct replay *replay)
{
  bool went = false;
  replay->client = make_client(replay, tiny_port(replay->server.tiny));
  if (replay->client) {
    for (size_t i = replay->from; i < replay->to; i++) {
      if (replay->jobs[i].way == REPLAY_WHOLE)
        run_blocking(replay, &replay->jobs[i]);
    }
    went = run_queued(replay);
  }
  infer_client_free(replay->client);
  return went;
}

static bool
run_all(struct replay *replay)
{
  bool went = true;
  double start = seconds_now();
  if (!replay_server_start(&replay->server, replay->jobs, replay->job_count)) {
    fprintf(stderr, "no server\n");
    return false;
  }
  while (went && replay->to < replay->job_count) {
    replay->from = replay->to;
    replay->to += block;
    if (replay->to > replay->job_count)
      replay->to = replay->job_count;
    went = run_block(replay);
  }
  printf("%zu calls in %.1f s, %d connections; %u requests as recorded, %u "
         "without a recorded body\n",
         replay->job_count, seconds_now() - start,
         tiny_connections(replay->server.tiny), replay->as_recorded,
         replay->rewritten);
  replay_server_stop(&replay->server);
  return went;
}

/* Nothing has passed that was not played. */
static void
add_up(struct replay *replay, bool went)
{
  for (size_t i = 0; i < replay->list.count; i++) {
    struct outcome *outcome = &replay->outcomes[i];
    if (outcome->taken && !went) {
      outcome->failed = true;
      inf_buf_append_cstr(&outcome->why, "not all were played\n");
    }
    if (outcome->taken)
      tally_add(&replay->tally, &replay->list.cases[i], !outcome->failed,
                inf_buf_cstr(&outcome->why));
  }
}

static void
clean_up(struct replay *replay)
{
  for (size_t i = 0; replay->heard && i < replay->job_count; i++)
    inf_buf_fini(&replay->heard[i]);
  for (size_t i = 0; replay->outcomes && i < replay->list.count; i++)
    inf_buf_fini(&replay->outcomes[i].why);
  free(replay->heard);
  free(replay->jobs);
  free(replay->outcomes);
  test_cases_free(&replay->list);
}

int
main(int argc, char **argv)
{
  static struct replay replay;
  char *folder =
      argc > 1 ? strdup(argv[1]) : test_shared_folder("data/recordings");
  if (!folder) {
    printf("SKIP: no recordings (set INFER_SHARED)\n");
    return 77;
  }
  long found = test_cases_load(folder, &replay.list);
  free(folder);
  if (found < 0) {
    fprintf(stderr, "the folder cannot be read\n");
    return 2;
  }
  bool went = make_jobs(&replay, getenv("INFER_CASE")) && run_all(&replay);
  add_up(&replay, went);
  tally_print(&replay.tally);
  bool passed = went && replay.tally.failed == 0 && replay.tally.cases > 0;
  clean_up(&replay);
  return passed ? 0 : 1;
}
