/* SPDX-License-Identifier: MIT */
#include "callers.h"

#include "answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* By then every call is over, however the machine is loaded: its deadline is
 * a quarter of that. */
enum { lost_ms = 120000, deadline_ms = 30000 };

const char *const caller_models[] = {"two",   "three", "restart",
                                     "unary", "p1/m",  "p3/m"};
const size_t caller_model_count =
    sizeof caller_models / sizeof caller_models[0];

/* One calling thread. */
typedef struct caller {
  callers *all;
  soak_random random;
} caller;

/* The next call to be made; 0: all were, or something went wrong. */
static uint32_t
next_call(callers *all)
{
  if (atomic_load(&all->book->wrong) > 0)
    return 0;
  uint32_t id = atomic_fetch_add(&all->next, 1);
  return id <= all->book->call_count ? id : 0;
}

static infer_request *
make_request(caller *c, const question *q, bool *run_once)
{
  char id[16];
  unsigned model = roll(&c->random, (unsigned)caller_model_count);
  infer_request *request;
  snprintf(id, sizeof id, "%u", q->id);
  *run_once = roll(&c->random, 20) == 0;
  int64_t limit_ms =
      roll(&c->random, 40) == 0 ? 1 + roll(&c->random, 300) : deadline_ms;
  if (infer_request_new(&request, caller_models[model]) != INFER_OK ||
      infer_request_add_message_n(request, "user", q->text, q->len) !=
          INFER_OK ||
      infer_request_set_header(request, "x-client-request-id", id) !=
          INFER_OK ||
      infer_request_set_tag(request, "id", id) != INFER_OK ||
      infer_request_set_deadline_ms(request, limit_ms) != INFER_OK ||
      infer_request_set_run_once(request, *run_once) != INFER_OK)
    abort();
  return request;
}

/* ---- One at a time ------------------------------------------------------- */

typedef struct listener {
  caller *caller;
  question *question;
  unsigned stop_after; /* events; 0: does not stop */
} listener;

static int32_t
on_event(const infer_event *event, void *user_data)
{
  listener *l = user_data;
  question_take(l->question, l->caller->all->book, event);
  l->question->stopped = l->stop_after > 0 && --l->stop_after == 0;
  return l->question->stopped;
}

static int32_t
ask(caller *c, question *q, const infer_request *request,
    infer_response **response, infer_error **error)
{
  listener l = {.caller = c, .question = q};
  unsigned kind = roll(&c->random, 10);
  if (kind < 5)
    return infer_chat(c->all->client, request, response, error);
  if (kind == 9)
    l.stop_after = 1 + roll(&c->random, 12);
  return infer_chat_stream(c->all->client, request, on_event, &l, response,
                           error);
}

static void *
call_and_wait(void *context)
{
  caller *c = context;
  question *q = malloc(sizeof *q);
  uint32_t id;
  if (!q)
    abort();
  while ((id = next_call(c->all)) > 0) {
    infer_response *response;
    infer_error *error;
    bool run_once;
    question_make(q, id);
    infer_request *request = make_request(c, q, &run_once);
    book_accepted(c->all->book, id, run_once);
    int32_t status = ask(c, q, request, &response, &error);
    question_end(q, c->all->book, status, response, error);
    infer_response_free(response);
    infer_error_free(error);
    infer_request_free(request);
  }
  free(q);
  free(c);
  return NULL;
}

/* ---- Many at a time ------------------------------------------------------ */

typedef struct ball {
  question question; /* id 0: not in the air */
  infer_call *call;  /* or NULL: nobody holds on to it */
} ball;

typedef struct juggler {
  caller *caller;
  infer_queue *queue;
  unsigned in_air;
  ball balls[juggled_max];
} juggler;

/* A tag tells of the ball and the call, so that an event that comes late
 * cannot pass for one of the ball's next call. */
static uint64_t
tag_of(const juggler *j, const ball *b)
{
  return (uint64_t)(b - j->balls) << 32 | b->question.id;
}

static void
put_down(juggler *j, ball *b)
{
  infer_call_free(b->call);
  b->call = NULL;
  b->question.id = 0;
  j->in_air--;
}

static bool
throw_one(juggler *j)
{
  caller *c = j->caller;
  ball *b = j->balls;
  while (b->question.id != 0)
    b++;
  uint32_t id = next_call(c->all);
  if (id == 0)
    return false;
  bool run_once;
  question_make(&b->question, id);
  infer_request *request = make_request(c, &b->question, &run_once);
  int32_t mode = roll(&c->random, 3) ? INFER_SUBMIT_STREAM : INFER_SUBMIT_WHOLE;
  bool hold = roll(&c->random, 4) > 0;
  book_accepted(c->all->book, id, run_once);
  int32_t status = infer_submit(c->all->client, request, mode, j->queue,
                                tag_of(j, b), hold ? &b->call : NULL, NULL);
  book_check(c->all->book, status == INFER_OK, id, "was refused");
  infer_request_free(request);
  j->in_air++;
  if (status != INFER_OK)
    put_down(j, b);
  return true;
}

static void
take(juggler *j, const infer_event *event)
{
  soak_book *book = j->caller->all->book;
  uint64_t tag = infer_event_tag(event);
  ball *b = &j->balls[(tag >> 32) % juggled_max];
  if (b->question.id == 0 || tag_of(j, b) != tag) {
    book_check(book, false, (uint32_t)tag, "an event after its end");
    return;
  }
  question_take(&b->question, book, event);
  if (infer_event_type(event) != INFER_EVENT_DONE)
    return;
  question_end(&b->question, book, infer_event_status(event),
               infer_event_response(event), infer_event_error(event));
  put_down(j, b);
}

/* The result may be waited for beside the queue. */
static void
wait_for_one(juggler *j)
{
  ball *b = &j->balls[roll(&j->caller->random, juggled_max)];
  infer_response *response;
  infer_error *error;
  if (!b->call)
    return;
  int32_t status = infer_call_wait(b->call, 5, &response, &error);
  book_check(j->caller->all->book,
             status == INFER_E_TIMEOUT || status == infer_error_status(error),
             b->question.id, "a wait that gave another's status");
  infer_response_free(response);
  infer_error_free(error);
}

static void
new_queue(juggler *j)
{
  if (infer_queue_new(&j->queue, j->caller->all->client) != INFER_OK)
    abort();
}

/* The queue goes while calls run: they end, and nobody hears of it. */
static void
abandon_all(juggler *j)
{
  soak_book *book = j->caller->all->book;
  infer_queue_free(j->queue);
  for (ball *b = j->balls; b < j->balls + juggled_max; b++) {
    if (b->question.id == 0)
      continue;
    if (b->call)
      book_check(book,
                 infer_call_wait(b->call, lost_ms, NULL, NULL) !=
                     INFER_E_TIMEOUT,
                 b->question.id, "outlives its queue");
    book_abandoned(book, b->question.id);
    put_down(j, b);
  }
  new_queue(j);
}

static void
play_a_trick(juggler *j)
{
  soak_random *random = &j->caller->random;
  ball *b = &j->balls[roll(random, juggled_max)];
  unsigned trick = roll(random, 2000);
  if (trick == 0)
    abandon_all(j);
  else if (trick < 100)
    wait_for_one(j);
  else if (trick < 200 && b->call)
    infer_call_cancel(b->call);
}

/* False if nothing has come for so long that a call must be lost. */
static bool
catch_some(juggler *j)
{
  infer_event *events[16];
  size_t count;
  int32_t status =
      infer_queue_poll_batch(j->queue, events, 16, lost_ms, &count);
  for (size_t i = 0; i < count; i++) {
    take(j, events[i]);
    infer_event_free(events[i]);
  }
  book_check(j->caller->all->book, status == INFER_OK, 0,
             "calls under way, and no event for two minutes");
  return status == INFER_OK;
}

static void *
juggle(void *context)
{
  juggler *j = calloc(1, sizeof *j);
  if (!j)
    abort();
  j->caller = context;
  new_queue(j);
  bool more = true, good = true;
  while (good && (more || j->in_air > 0)) {
    unsigned wanted = 1 + roll(&j->caller->random, juggled_max);
    while (more && j->in_air < wanted)
      more = throw_one(j);
    play_a_trick(j);
    if (j->in_air > 0)
      good = catch_some(j);
  }
  infer_queue_free(j->queue);
  free(j->caller);
  free(j);
  return NULL;
}

/* ---- All ----------------------------------------------------------------- */

void
callers_start(callers *all, infer_client *client, soak_book *b, uint64_t seed)
{
  *all = (callers){.client = client, .book = b, .seed = seed};
  atomic_init(&all->next, 1);
  for (unsigned i = 0; i < caller_count; i++) {
    caller *c = malloc(sizeof *c);
    if (!c)
      abort();
    *c = (caller){.all = all, .random = soak_random_of(seed, i)};
    if (pthread_create(&all->threads[i], NULL,
                       i < blocking_count ? call_and_wait : juggle, c) != 0)
      abort();
  }
}

void
callers_join(callers *all)
{
  for (unsigned i = 0; i < caller_count; i++)
    pthread_join(all->threads[i], NULL);
}
