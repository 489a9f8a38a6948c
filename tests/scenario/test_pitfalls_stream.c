/* SPDX-License-Identifier: MIT */
/* What others got wrong with streams and timeouts, one case for each rule.
 * The names are those of the projects' public issues; docs/pitfalls.md has
 * the whole list. */
#include "world.h"

#include "support/every_cut.h"
#include "support/tiny_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define GOOD "{'defaults':{'text':'All is well.'}}"
#define LONG "one two three four five six seven eight nine ten"
#define QUICK                                                             \
  "'timeouts':{'connect_ms':2000,'first_token_ms':300,'idle_ms':300,"     \
  "'attempt_ms':8000,'deadline_ms':20000},'breaker':false,'retry_budget'" \
  ":false"
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Provider a does as told, b is well; the route r has both. */
static void
two(world *w, const char *behaviour, const char *members)
{
  char script[4096], route[1024];
  snprintf(script, sizeof script, "{'defaults':{%s}}", behaviour);
  world_sim(w, 1, script);
  world_sim(w, 2, GOOD);
  snprintf(route, sizeof route,
           "'routes':{'r':{'targets':['a/m','b/m']," QUICK "%s}}", members);
  world_usual(w, route);
}

static void
expect_status(const outcome *o, int32_t status, const char *what)
{
  if (o->status != status)
    fail_msg("%s: %s: %s (%s)", what, infer_status_name(o->status),
             o->error ? infer_error_message(o->error) : "no error",
             outcome_trail(o));
}

static void
expect_partial(const outcome *o)
{
  const infer_response *partial = infer_error_partial(o->error);
  assert_non_null(partial);
  assert_string_equal(infer_response_text(partial, NULL), o->text);
  assert_string_equal(infer_response_finish_reason(partial, 0), "");
  assert_int_equal(o->finishes, 0);
}

/* ---- A. Before the first content ----------------------------------------- */

#define ROLE                                                              \
  "data: {\\\"choices\\\":[{\\\"index\\\":0,\\\"delta\\\":{\\\"role\\\":" \
  "\\\"assistant\\\",\\\"content\\\":\\\"\\\"}}]}\\n\\n"
#define EMPTY                                                                \
  "data: {\\\"choices\\\":[{\\\"index\\\":0,\\\"delta\\\":{\\\"content\\\":" \
  "\\\"\\\"}}]}\\n\\n"
#define STREAMED "'content_type':'text/event-stream','framing':'chunked'"
#define NO_TEXT  "'tokens':20,'headers':'with_role','comments':true,"
#define BUSY                                                     \
  "'error_in_200':{'message':'The server is overloaded','type':" \
  "'server_error','code':'overloaded'}"

static const char *const no_content[] = {
    NO_TEXT "'cut':{'after_tokens':0}",
    NO_TEXT "'cut':{'after_tokens':0},'cut_clean':true",
    NO_TEXT "'reset':{'after_tokens':0}",
    "'reset':'after_headers'",
    NO_TEXT "'stall_after_tokens':0",
    NO_TEXT BUSY,
    NO_TEXT BUSY ",'error_form':'event'",
    NO_TEXT BUSY ",'error_form':'field','error_done':true",
    "'body':'" ROLE ": a comment\\n\\n" EMPTY EMPTY "'," STREAMED,
    "'body':': only comments\\n\\n'," STREAMED,
    "'body':''," STREAMED,
};

/* BerriAI/litellm#6957, #22296, PR#26067: no fallback once headers came. */
static void
before_the_first_content_failover_is_unseen(void **state)
{
  (void)state;
  for (size_t i = 0; i < LEN(no_content); i++) {
    world w = {0};
    two(&w, no_content[i], ",'stay':{'retries':0}");
    outcome o = world_stream(&w, "r");
    expect_status(&o, INFER_OK, no_content[i]);
    assert_string_equal(o.text, "All is well.");
    assert_int_equal(o.starts, 1);
    assert_int_equal(o.restarts, 0);
    assert_int_equal(o.finishes, 1);
    assert_int_equal(o.epoch, 0);
    assert_int_equal(outcome_attempts(&o), 2);
    assert_string_equal(infer_attempt_reason_name(outcome_attempt(&o, 1)),
                        "failover");
    assert_string_equal(infer_response_target(o.response), "b/m");
    outcome_end(&o);
    world_end(&w);
  }
}

/* ---- After it ------------------------------------------------------------ */

/* BerriAI/litellm#26015: a 429 within the stream span at 100 % of the CPU. */
static void
errors_within_streams_end_without_a_spin(void **state)
{
  (void)state;
  static const char limited[] =
      "{'defaults':{'text':'" LONG "','error_in_200':{'message':'Rate limit "
      "reached. Please try again in 600ms.','type':'requests','code':"
      "'rate_limit_exceeded'},'after_tokens':3}}";
  world w = {0};
  world_sim(&w, 1, limited);
  world_sim(&w, 2, limited);
  world_usual(&w, "'routes':{'r':{'targets':['a/m','b/m']," QUICK
                  ",'recovery':'restart'}}");
  clock_t before = clock();
  outcome o = world_stream(&w, "r");
  double busy_ms = (double)(clock() - before) * 1000 / CLOCKS_PER_SEC;
  expect_status(&o, INFER_E_RATE_LIMITED, "limited");
  assert_in_range(outcome_attempts(&o), 2, 4); /* 1 + 2 retries + 1 target */
  assert_int_equal(world_requests(&w, 1) + world_requests(&w, 2),
                   outcome_attempts(&o));
  assert_true(o.took_ms >= 600);
  if (busy_ms * 2 > (double)o.took_ms)
    fail_msg("%.0f ms of CPU in %d ms", busy_ms, (int)o.took_ms);
  outcome_end(&o);
  world_end(&w);
}

static json_object *
at_path(json_object *object, const char *name)
{
  json_object *value = NULL;
  assert_true(json_object_object_get_ex(object, name, &value));
  return value;
}

static const char *
text_at(json_object *object, const char *name)
{
  return json_object_get_string(at_path(object, name));
}

/* BerriAI/litellm#18229: an English instruction before the partial answer. */
static void
a_continuation_adds_no_words(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'text':'" LONG
            "','inter_token_ms':20,'cut':{'after_tokens':6}}}");
  world_sim(&w, 2, "{'defaults':{'text':'" LONG "'}}");
  world_client(&w, "{'providers':[{'name':'a','type':'openai','base_url':'$1'}"
                   ",{'name':'b','type':'openai','base_url':'$2','prefill':"
                   "'assistant'}],'routes':{'r':{'targets':['a/m','b/m'],"
                   "'recovery':'continue'}}}");
  outcome o = world_stream(&w, "r");
  expect_status(&o, INFER_OK, "continue");
  assert_string_equal(o.text, LONG);
  assert_int_equal(infer_response_part_count(o.response), 2);
  char partial[128] = "";
  snprintf(partial, sizeof partial, "%.*s",
           (int)infer_response_part_bytes(o.response, 0), LONG);
  json_object *cut = world_log(&w, 1, 1), *rest = world_log(&w, 2, 1);
  json_object *asked = at_path(log_body(cut, 0), "messages");
  json_object *again = at_path(log_body(rest, 0), "messages");
  assert_int_equal(json_object_array_length(asked), 1);
  assert_int_equal(json_object_array_length(again), 2);
  assert_true(json_object_equal(json_object_array_get_idx(asked, 0),
                                json_object_array_get_idx(again, 0)));
  json_object *added = json_object_array_get_idx(again, 1);
  assert_int_equal(json_object_object_length(added), 2);
  assert_string_equal(text_at(added, "role"), "assistant");
  assert_string_equal(text_at(added, "content"), partial);
  json_object_put(cut);
  json_object_put(rest);
  outcome_end(&o);
  world_end(&w);
}

/* BerriAI/litellm#19077: `disable_fallbacks` was ignored for streams. */
static void
what_may_not_fail_over_does_not(void **state)
{
  (void)state;
  static const char *const troubles[] = {
      "'status':503", "'text':'" LONG "','inter_token_ms':20,'cut':{"
                      "'after_tokens':5}"};
  for (size_t i = 0; i < LEN(troubles); i++) {
    world w = {0};
    two(&w, troubles[i], ",'recovery':'restart'");
    outcome o = world_stream(&w, "a/m"); /* one target is named */
    assert_true(o.status == INFER_E_OVERLOADED ||
                o.status == INFER_E_TRUNCATED);
    outcome_end(&o);
    o = world_chat(&w, "a/m");
    assert_true(o.status != INFER_OK);
    outcome_end(&o);
    infer_request *request = world_request("r", "pay the bill");
    assert_int_equal(infer_request_set_run_once(request, 1), INFER_OK);
    for (int stream = 0; stream < 2; stream++) {
      o = world_run(&w, request, stream);
      assert_true(o.status != INFER_OK);
      assert_int_equal(outcome_attempts(&o), 1);
      outcome_end(&o);
    }
    infer_request_free(request);
    assert_int_equal(world_requests(&w, 2), 0);
    world_end(&w);
  }
}

/* BerriAI/litellm PR#32835, #29808: the beginning came twice. */
static void
a_late_reader_reads_no_text_twice(void **state)
{
  (void)state;
  world w = {0};
  two(&w, "'text':'" LONG "','inter_token_ms':10,'cut':{'after_tokens':7}",
      ",'recovery':'restart','stay':{'retries':0}");
  infer_queue *queue;
  infer_call *call;
  char text[256] = "";
  bool done = false;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  infer_request *request = world_request("r", "hi");
  assert_int_equal(infer_submit(w.client, request, INFER_SUBMIT_STREAM, queue,
                                1, &call, NULL),
                   INFER_OK);
  infer_request_free(request);
  /* Both answers are over before the first event is read. */
  infer_response *response;
  assert_int_equal(infer_call_wait(call, 10000, &response, NULL), INFER_OK);
  while (!done) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 5000, &event), INFER_OK);
    if (infer_event_type(event) == INFER_EVENT_TEXT) {
      assert_int_equal(infer_event_epoch(event), 1);
      size_t have = strlen(text);
      snprintf(text + have, sizeof text - have, "%s",
               infer_event_text(event, NULL));
    }
    done = infer_event_type(event) == INFER_EVENT_DONE;
    infer_event_free(event);
  }
  assert_string_equal(text, "All is well.");
  assert_string_equal(infer_response_text(response, NULL), text);
  infer_response_free(response);
  infer_call_free(call);
  infer_queue_free(queue);
  world_end(&w);
}

/* ---- Ends that are none -------------------------------------------------- */

#define CHOICE(index, rest)                                          \
  "data: {\\\"choices\\\":[{\\\"index\\\":" index ",\\\"delta\\\":{" \
  "\\\"content\\\":\\\"x\\\"}" rest "}]}\\n\\n"
#define STOP ",\\\"finish_reason\\\":\\\"stop\\\""

static const struct ending {
  const char *behaviour;
  int n;
  int32_t status;
} endings[] = {
    /* whole */
    {"'text':'" LONG "'", 1, INFER_OK},
    {"'text':'" LONG "','missing_done':true", 1, INFER_OK},
    {"'text':'" LONG "','missing_finish':true", 1, INFER_OK},
    {"'body':'" CHOICE("0", STOP) CHOICE("1", STOP) "'," STREAMED, 2, INFER_OK},
    /* cut, however orderly HTTP finds it */
    {"'text':'" LONG "','missing_done':true,'missing_finish':true", 1,
     INFER_E_TRUNCATED},
    {"'text':'" LONG "','missing_done':true,'missing_finish':true,'framing':"
     "'close'",
     1, INFER_E_TRUNCATED},
    {"'text':'" LONG "','missing_done':true,'missing_finish':true,"
     "'usage_chunk':'always'",
     1, INFER_E_TRUNCATED},
    {"'text':'" LONG "','cut':{'after_tokens':5},'cut_clean':true,'gzip':true",
     1, INFER_E_TRUNCATED},
    {"'body':'" CHOICE("0", STOP) CHOICE("1", "") "'," STREAMED, 2,
     INFER_E_TRUNCATED},
    {"'body':'" CHOICE("0", STOP) "'," STREAMED, 2, INFER_E_TRUNCATED},
};

/* Portkey-AI/gateway#1797, mnfst/llm-gateway#1656, kortix-ai/suna PR#5689,
 * anomalyco/opencode PR#40061: a cut stream was taken for a whole answer. */
static void
an_end_without_a_finish_is_no_success(void **state)
{
  (void)state;
  for (size_t i = 0; i < LEN(endings); i++)
    for (int stream = 0; stream < 2; stream++) {
      const struct ending *e = &endings[i];
      char script[4096];
      world w = {0};
      snprintf(script, sizeof script, "{'defaults':{%s}}", e->behaviour);
      world_sim(&w, 1, script);
      world_usual(&w, "'defaults':{'retries':0,'stay':{'retries':0}}");
      infer_request *request = world_request("a/m", "hi");
      if (e->n > 1)
        assert_int_equal(infer_request_set_int(request, "n", e->n), INFER_OK);
      outcome o = world_run(&w, request, stream);
      expect_status(&o, e->status, e->behaviour);
      if (stream && e->n == 1 && e->status != INFER_OK)
        expect_partial(&o);
      outcome_end(&o);
      infer_request_free(request);
      world_end(&w);
    }
}

/* A tool runs when its arguments are whole, not when the stream is over:
 * anomalyco/opencode PR#40061. */
static void
a_cut_tool_call_does_not_run(void **state)
{
  (void)state;
  world w = {0};
  world_sim(&w, 1,
            "{'defaults':{'tool_calls':[{'id':'c1','name':'pay','arguments':{"
            "'amount':1000000}}],'tool_piece_bytes':4,'inter_token_ms':10,"
            "'cut':{'after_tokens':4},'cut_clean':true}}");
  world_usual(&w, "'defaults':{'retries':0,'stay':{'retries':0}}");
  outcome o = world_stream(&w, "a/m");
  expect_status(&o, INFER_E_TRUNCATED, "tool call");
  assert_int_equal(o.starts, 1);
  assert_int_equal(o.tools_done, 0);
  outcome_end(&o);
  world_end(&w);
}

/* ---- Cut at every byte --------------------------------------------------- */

enum { most_cuts = 4096, at_once = 64 };

/* How an answer goes out, and from which kind of provider. */
static const struct road {
  const char *kind, *delivery;
} roads[] = {
    {"openai", "'inter_token_ms':2"},
    {"openai", "'inter_token_ms':2,'cut_clean':true"},
    {"openai", "'framing':'close'"},
    {"openai", "'gzip':true"},
    {"openai", "'gzip':true,'framing':'close','inter_token_ms':2"},
    {"openai", "'crlf':true,'comments':true"},
    {"clarifai", "'inter_token_ms':2"},
};

static const char whole[] = "Gr\xc3\xbc\xc3\x9f \xf0\x9f\x99\x82 ok.";

/* Route e stays with a, which cuts where the header says; r may restart at b,
 * which is well. */
static void
cutting_world(world *w, const struct road *road, size_t cuts)
{
  size_t size = cuts * 96 + 512, len = 0;
  char *script = malloc(size), config[2048];
  assert_non_null(script);
  len +=
      (size_t)snprintf(script, size, "{'defaults':{'text':'%s',%s},'rules':[",
                       whole, road->delivery);
  for (size_t i = 0; i < cuts; i++)
    len += (size_t)snprintf(script + len, size - len,
                            "%s{'when':{'header':{'x-cut':'%zu'}},'do':{'cut':"
                            "{'after_bytes':%zu}}}",
                            i ? "," : "", i, i);
  snprintf(script + len, size - len, "]}");
  world_sim(w, 1, script);
  free(script);
  world_sim(w, 2, GOOD);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'a','type':'%s','base_url':'$1','api_key':"
           "'key-0123456789','limits':{'requests_per_second':0}},{'name':'b','"
           "type':'openai','base_url':'$2'}],"
           "'defaults':{'retries':0,'stay':{'retries':0},'breaker':false,"
           "'retry_budget':false},'routes':{'e':{'targets':['a/m']},'r':{"
           "'targets':['a/m','b/m'],'recovery':'restart'}}}",
           road->kind);
  world_client(w, config);
}

static int64_t
whole_bytes(const struct road *road)
{
  world w = {0};
  cutting_world(&w, road, 0);
  outcome o = world_stream(&w, "e");
  expect_status(&o, INFER_OK, road->delivery);
  assert_string_equal(o.text, whole);
  json_object *log = world_log(&w, 1, 1);
  int64_t bytes = log_int(log, 0, "bytes_sent");
  json_object_put(log);
  outcome_end(&o);
  world_end(&w);
  return bytes;
}

/* What the reader of one call has seen, and how it ended. */
typedef struct reading {
  char text[128];
  int restarts;
  enum { READING, COMPLETE, INTERRUPTED, UNSEEN, RESTARTED } end;
} reading;

static void
take_end(const infer_event *event, reading *at)
{
  const infer_response *response = infer_event_response(event);
  const infer_error *error = infer_event_error(event);
  if (!response) {
    assert_true(infer_error_status(error) == INFER_E_TRUNCATED ||
                infer_error_status(error) == INFER_E_RESET);
    const infer_response *partial = infer_error_partial(error);
    const char *text = infer_response_text(partial, NULL);
    assert_string_equal(at->text, text ? text : "");
    assert_memory_equal(at->text, whole, strlen(at->text));
    at->end = INTERRUPTED;
    return;
  }
  bool second = infer_response_attempt_count(response) == 2;
  assert_string_equal(at->text, infer_response_text(response, NULL));
  assert_string_equal(at->text, second ? "All is well." : whole);
  assert_true(second || at->restarts == 0);
  at->end = !second ? COMPLETE : at->restarts ? RESTARTED : UNSEEN;
}

/* True at the end of its call. */
static bool
take(const infer_event *event, reading *at)
{
  size_t len, have = strlen(at->text);
  assert_int_equal(at->end, READING);
  if (infer_event_type(event) == INFER_EVENT_RESTART) {
    at->restarts++;
    at->text[0] = '\0';
  } else if (infer_event_type(event) == INFER_EVENT_TEXT) {
    const char *piece = infer_event_text(event, &len);
    assert_true(have + len < sizeof at->text);
    memcpy(at->text + have, piece, len + 1);
  } else if (infer_event_type(event) == INFER_EVENT_DONE) {
    take_end(event, at);
  }
  return infer_event_type(event) == INFER_EVENT_DONE;
}

static void
submit_cut(world *w, const char *route, infer_queue *queue, size_t cut)
{
  char number[24];
  infer_request *request = world_request(route, "same question");
  snprintf(number, sizeof number, "%zu", cut);
  assert_int_equal(infer_request_set_header(request, "x-cut", number),
                   INFER_OK);
  assert_int_equal(infer_submit(w->client, request, INFER_SUBMIT_STREAM, queue,
                                cut, NULL, NULL),
                   INFER_OK);
  infer_request_free(request);
}

/* How many of the calls, one for each cut, ended in each way. Their number. */
static size_t
cut_everywhere(world *w, const char *route, size_t cuts, size_t *ends)
{
  static reading readings[most_cuts];
  size_t next = 0, begun = 0, ended = 0;
  infer_queue *queue;
  memset(readings, 0, sizeof readings);
  assert_int_equal(infer_queue_new(&queue, w->client), INFER_OK);
  while (next < cuts || ended < begun) {
    for (; next < cuts && begun < ended + at_once;
         next = next_cut(next, cuts)) {
      submit_cut(w, route, queue, next);
      begun++;
    }
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 30000, &event), INFER_OK);
    ended += take(event, &readings[infer_event_tag(event)]);
    infer_event_free(event);
  }
  infer_queue_free(queue);
  bool complete = false;
  for (size_t at = 0; at < cuts; at = next_cut(at, cuts)) {
    ends[readings[at].end]++;
    assert_true(!complete || readings[at].end == COMPLETE);
    complete = readings[at].end == COMPLETE;
  }
  /* The first byte is no answer, and the last are no part of it. */
  assert_int_not_equal(readings[0].end, COMPLETE);
  assert_int_equal(readings[cuts - 1].end, COMPLETE);
  return ended;
}

/* With no other call beside it: does one of some calls restart, whose answers
 * are cut in the second quarter or later? */
static bool
restarts_alone(world *w, size_t cuts)
{
  bool restarted = false;
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w->client), INFER_OK);
  for (size_t cut = cuts / 4; cut < cuts && !restarted; cut += cuts / 100) {
    reading at = {.restarts = 0};
    submit_cut(w, "r", queue, cut);
    for (bool ended = false; !ended;) {
      infer_event *event;
      assert_int_equal(infer_queue_poll(queue, 30000, &event), INFER_OK);
      ended = take(event, &at);
      infer_event_free(event);
    }
    restarted = at.end == RESTARTED;
  }
  infer_queue_free(queue);
  return restarted;
}

/* The rule of section A as a property: BerriAI/litellm#22296, PR#32835,
 * Portkey-AI/gateway#1797. */
static void
cut_at_every_byte_an_answer_is_whole_interrupted_or_restarted(void **state)
{
  (void)state;
  for (size_t i = 0; i < LEN(roads); i++) {
    size_t alone[5] = {0}, both[5] = {0};
    size_t cuts = (size_t)whole_bytes(&roads[i]);
    world w = {0};
    assert_in_range(cuts, 100, most_cuts);
    cutting_world(&w, &roads[i], cuts);
    size_t calls = cut_everywhere(&w, "e", cuts, alone);
    assert_int_equal(cut_everywhere(&w, "r", cuts, both), calls);
    assert_int_equal(alone[COMPLETE] + alone[INTERRUPTED], calls);
    assert_true(alone[INTERRUPTED] > calls / 4);
    assert_int_equal(both[INTERRUPTED], 0);
    assert_int_equal(both[COMPLETE] + both[UNSEEN] + both[RESTARTED], calls);
    assert_true(both[UNSEEN] > 0);
    if (strstr(roads[i].delivery, "inter_token_ms")) {
      /* On a machine that is so busy that pauses of 2 ms go by unnoticed, text
       * and cut come together. */
      assert_true(both[RESTARTED] > 0 || restarts_alone(&w, cuts));
    }
    world_end(&w);
  }
}

/* ---- B. Four clocks ------------------------------------------------------ */

#define CLOCKS(first, idle, attempt, deadline)                              \
  "'defaults':{'retries':0,'timeouts':{'first_token_ms':" #first            \
  ",'idle_ms':" #idle ",'attempt_ms':" #attempt ",'deadline_ms':" #deadline \
  "}}"
#define FIRST    CLOCKS(300, 9000, 9000, 9000)
#define IDLE     CLOCKS(9000, 300, 9000, 9000)
#define ATTEMPT  CLOCKS(9000, 9000, 300, 9000)
#define DEADLINE CLOCKS(9000, 9000, 9000, 300)
#define UNARY    ",'routes':{'u':{'targets':['a/m'],'upstream':'unary'}}"

/* Empty deltas, one each 50 ms, for 4 s. */
#define EMPTY8 EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY EMPTY
#define TRICKLE                                                            \
  STREAMED ",'write_bytes':53,'write_delay_us':50000,'body':'" ROLE EMPTY8 \
      EMPTY8 EMPTY8 EMPTY8 EMPTY8 "'"

static const struct clocks {
  const char *behaviour, *members, *model;
  int32_t status;
} clocks[] = {
    /* to the first content, whatever else has come */
    {"'silence':true", FIRST, "a/m", INFER_E_FIRST_TOKEN_TIMEOUT},
    {"'headers':'immediate','stall_after_tokens':0", FIRST, "a/m",
     INFER_E_FIRST_TOKEN_TIMEOUT},
    {"'headers':'immediate','comment_ms':40,'stall_after_tokens':0", FIRST,
     "a/m", INFER_E_FIRST_TOKEN_TIMEOUT},
    {"'headers':'with_role','comment_ms':40,'first_token_ms':5000", FIRST,
     "a/m", INFER_E_FIRST_TOKEN_TIMEOUT},
    {TRICKLE, FIRST, "a/m", INFER_E_FIRST_TOKEN_TIMEOUT},
    /* between two contents */
    {"'tokens':20,'stall_after_tokens':3", IDLE, "a/m", INFER_E_IDLE_TIMEOUT},
    {"'tokens':20,'comment_ms':40,'stall_after_tokens':3", IDLE, "a/m",
     INFER_E_IDLE_TIMEOUT},
    /* one attempt */
    {"'tokens':500,'inter_token_ms':20", ATTEMPT, "a/m",
     INFER_E_ATTEMPT_TIMEOUT},
    {"'silence':true", ATTEMPT UNARY, "u", INFER_E_ATTEMPT_TIMEOUT},
    {"'headers':'immediate','whitespace_before_body':99,'first_token_ms':5000",
     ATTEMPT UNARY, "u", INFER_E_ATTEMPT_TIMEOUT},
    /* the whole call */
    {"'tokens':500,'inter_token_ms':20", DEADLINE, "a/m", INFER_E_DEADLINE},
    {"'silence':true", DEADLINE, "a/m", INFER_E_DEADLINE},
    {"'silence':true", DEADLINE UNARY, "u", INFER_E_DEADLINE},
};

/* BerriAI/litellm#5859, #17991, #4050, #19909, #7870, PR#30337 and bifrost
 * PR#7199: timeouts that were ignored, or ran only from the first chunk on.
 * router-for-me/CLIProxyAPI#2447: comments kept a dead stream alive. */
static void
each_clock_runs_by_itself_and_has_its_own_error(void **state)
{
  (void)state;
  for (size_t i = 0; i < LEN(clocks); i++)
    for (int stream = 0; stream < 2; stream++) {
      const struct clocks *c = &clocks[i];
      char script[16384];
      world w = {0};
      snprintf(script, sizeof script, "{'defaults':{%s}}", c->behaviour);
      world_sim(&w, 1, script);
      world_usual(&w, c->members);
      outcome o =
          stream ? world_stream(&w, c->model) : world_chat(&w, c->model);
      expect_status(&o, c->status, c->behaviour);
      assert_int_equal(outcome_attempts(&o), 1);
      if (o.took_ms < 290 || o.took_ms > 2500)
        fail_msg("%s: after %d ms", c->behaviour, (int)o.took_ms);
      json_object *log = world_log(&w, 1, 1);
      assert_string_equal(log_text(log, 0, "end"), "client_closed");
      json_object_put(log);
      outcome_end(&o);
      world_end(&w);
    }
}

static void
take_and_say_nothing(tiny_conn *conn)
{
  while (tiny_read(conn))
    ;
}

/* The fourth clock: bifrost PR#7199 (#7035, #7104, #7106). */
static void
a_handshake_that_hangs_is_given_up(void **state)
{
  (void)state;
  world w = {0};
  char config[1024];
  tiny_server *server = tiny_start(take_and_say_nothing, NULL, NULL);
  world_sim(&w, 1, GOOD);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'x','type':'openai','base_url':"
           "'https://127.0.0.1:%d/v1'},{'name':'b','type':'openai','base_url':"
           "'$1'}],'routes':{'r':{'targets':['x/m','b/m'],'stay':{'retries':0},"
           "'timeouts':{'connect_ms':300,'first_token_ms':9000}}}}",
           tiny_port(server));
  world_client(&w, config);
  outcome o = world_stream(&w, "r");
  expect_status(&o, INFER_OK, "handshake");
  assert_string_equal(outcome_trail(&o), "x/m first CONNECT, b/m failover OK");
  assert_in_range(o.took_ms, 290, 2500);
  outcome_end(&o);
  world_end(&w);
  tiny_stop(server);
}

/* BerriAI/litellm#4050: each attempt had the whole timeout again. */
static void
one_deadline_holds_for_all_attempts(void **state)
{
  (void)state;
  static const char *const ways[] = {
      "'status':503,'headers_ms':200",                /* retries */
      "'headers':'immediate','stall_after_tokens':0", /* failover */
      "'text':'" LONG "','inter_token_ms':30,'cut':{'after_tokens':6}",
  };
  for (size_t i = 0; i < LEN(ways); i++)
    for (int stream = 0; stream < 2; stream++) {
      char script[1024];
      world w = {0};
      snprintf(script, sizeof script, "{'defaults':{%s}}", ways[i]);
      for (int sim = 1; sim <= 3; sim++)
        world_sim(&w, sim, script);
      world_usual(&w, "'routes':{'r':{'targets':['a/m','b/m','c/m'],'retries':"
                      "10,'stay':{'retries':10},'recovery':'restart','breaker'"
                      ":false,'retry_budget':false,'timeouts':{"
                      "'first_token_ms':400,'deadline_ms':2000}}}");
      outcome o = stream ? world_stream(&w, "r") : world_chat(&w, "r");
      assert_true(o.status != INFER_OK);
      assert_true(outcome_attempts(&o) >= 3);
      if (o.took_ms > 3000)
        fail_msg("%s: %d ms, %s", ways[i], (int)o.took_ms, outcome_trail(&o));
      outcome_end(&o);
      world_end(&w);
    }
}

int
main(void)
{
  world_forget_proxies();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(before_the_first_content_failover_is_unseen),
      cmocka_unit_test(errors_within_streams_end_without_a_spin),
      cmocka_unit_test(a_continuation_adds_no_words),
      cmocka_unit_test(what_may_not_fail_over_does_not),
      cmocka_unit_test(a_late_reader_reads_no_text_twice),
      cmocka_unit_test(an_end_without_a_finish_is_no_success),
      cmocka_unit_test(a_cut_tool_call_does_not_run),
      cmocka_unit_test(
          cut_at_every_byte_an_answer_is_whole_interrupted_or_restarted),
      cmocka_unit_test(each_clock_runs_by_itself_and_has_its_own_error),
      cmocka_unit_test(a_handshake_that_hangs_is_given_up),
      cmocka_unit_test(one_deadline_holds_for_all_attempts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
