/* SPDX-License-Identifier: MIT */
/* "recovery": "continue" over sockets: a cut answer and the rest of it, from
 * a provider that goes on with what it is given, are the whole answer. */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WHOLE                                                       \
  "Gr\xc3\xbc\xc3\x9f, \xe4\xb8\x96\xe7\x95\x8c! \xf0\x9f\x99\x82 " \
  "It was \\\\ a dark night."
static const char whole[] =
    "Gr\xc3\xbc\xc3\x9f, \xe4\xb8\x96\xe7\x95\x8c! \xf0\x9f\x99\x82 "
    "It was \\ a dark night.";

/* ---- Every byte ---------------------------------------------------------- */

enum { most_cuts = 4096, at_once = 64, gap_ms = 15 };

static int64_t
whole_bytes(void)
{
  world w = {0};
  world_sim(&w, 1, "{'defaults':{'text':'" WHOLE "'}}");
  world_usual(&w, "");
  outcome o = world_stream(&w, "a/m");
  assert_string_equal(o.text, whole);
  int64_t bytes = infer_attempt_bytes_received(outcome_attempt(&o, 0));
  outcome_end(&o);
  world_end(&w);
  return bytes;
}

/* The first provider cuts at the byte that the header names, and writes so
 * slowly that what came before has been read; the second goes on. */
static void
cutting_world(world *w, size_t cuts)
{
  size_t size = cuts * 96 + 256, len = 0;
  char *script = malloc(size);
  assert_non_null(script);
  len += (size_t)snprintf(
      script, size,
      "{'defaults':{'inter_token_ms':%d,'text':'" WHOLE "'},'rules':[", gap_ms);
  for (size_t i = 0; i < cuts; i++)
    len += (size_t)snprintf(script + len, size - len,
                            "%s{'when':{'header':{'x-cut':'%zu'}},'do':{'cut':"
                            "{'after_bytes':%zu}}}",
                            i ? "," : "", i, i);
  snprintf(script + len, size - len, "]}");
  world_sim(w, 1, script);
  free(script);
  world_sim(w, 2,
            "{'defaults':{'text':'" WHOLE
            "','prefill_by':'continue_final_message'}}");
  world_client(
      w, "{'providers':[{'name':'a','type':'openai','base_url':'$1'},"
         "{'name':'b','type':'openai','base_url':'$2','prefill':"
         "'continue_final_message'}],'routes':{'r':{'targets':['a/m',"
         "'b/m'],'recovery':'continue','stay':{'retries':0},'breaker':false,"
         "'retry_budget':false}}}");
}

static void
submit_cut(world *w, infer_queue *queue, size_t cut)
{
  char number[24];
  infer_request *request = world_request("r", "same question");
  snprintf(number, sizeof number, "%zu", cut);
  assert_int_equal(infer_request_set_header(request, "x-cut", number),
                   INFER_OK);
  assert_int_equal(infer_submit(w->client, request, INFER_SUBMIT_STREAM, queue,
                                cut, NULL, NULL),
                   INFER_OK);
  infer_request_free(request);
}

/* What the reader of one cut has seen. */
typedef struct reading {
  char text[128];
  int dones;
  bool continued;
} reading;

/* True at the end of its call. */
static bool
take_event(const infer_event *event, reading *at)
{
  size_t len;
  assert_int_equal(at->dones, 0);
  assert_int_equal(infer_event_epoch(event), 0);
  if (infer_event_type(event) == INFER_EVENT_TEXT) {
    const char *piece = infer_event_text(event, &len);
    size_t have = strlen(at->text);
    assert_true(have + len < sizeof at->text);
    memcpy(at->text + have, piece, len + 1);
  }
  if (infer_event_type(event) != INFER_EVENT_DONE)
    return false;
  const infer_response *response = infer_event_response(event);
  if (!response)
    fail_msg("cut at %zu: %s", (size_t)infer_event_tag(event),
             infer_error_message(infer_event_error(event)));
  assert_string_equal(at->text, whole);
  assert_string_equal(infer_response_text(response, NULL), whole);
  assert_string_equal(infer_response_finish_reason(response, 0), "stop");
  at->continued = infer_response_part_count(response) == 2;
  at->dones++;
  return true;
}

static void
test_cut_at_every_byte(void **state)
{
  (void)state;
  static reading readings[most_cuts];
  world w = {0};
  size_t cuts = (size_t)whole_bytes(), next = 0, ended = 0, continued = 0;
  assert_in_range(cuts, 500, most_cuts);
  memset(readings, 0, sizeof readings);
  cutting_world(&w, cuts);
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  while (ended < cuts) {
    for (; next < cuts && next < ended + at_once; next++)
      submit_cut(&w, queue, next);
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 30000, &event), INFER_OK);
    ended += take_event(event, &readings[infer_event_tag(event)]);
    infer_event_free(event);
  }
  for (size_t i = 0; i < cuts; i++)
    continued += readings[i].continued;
  /* Those before the first text, and after the last, need no second hand. */
  assert_in_range(continued, cuts / 4, cuts);
  infer_queue_free(queue);
  world_end(&w);
}

/* ---- What ends an answer ------------------------------------------------- */

#define QUICK                                                          \
  "'timeouts':{'connect_ms':2000,'first_token_ms':2000,'idle_ms':400," \
  "'attempt_ms':8000,'deadline_ms':20000}"
#define LONG "one two three four five six seven eight nine ten"

static const char *const breakages[] = {
    "'cut':{'after_tokens':5}",
    "'cut':{'after_tokens':5},'cut_clean':true",
    "'reset':{'after_tokens':5}",
    "'stall_after_tokens':5,'stall_ms':15000",
    "'error_in_200':{'message':'The server is overloaded','type':"
    "'server_error','code':'overloaded'},'after_tokens':5",
};

/* a breaks, b answers as told. */
static void
two(world *w, const char *breakage, const char *b, const char *provider,
    const char *route)
{
  char script[1024], config[1024];
  snprintf(script, sizeof script,
           "{'defaults':{'text':'" LONG "','inter_token_ms':40,%s}}", breakage);
  world_sim(w, 1, script);
  snprintf(script, sizeof script, "{'defaults':{'text':'" LONG "'%s}}", b);
  world_sim(w, 2, script);
  snprintf(config, sizeof config,
           "{'providers':[{'name':'a','type':'openai','base_url':'$1'},{"
           "'name':'b','type':'openai','base_url':'$2'%s}],'routes':{'r':{"
           "'targets':['a/m','b/m'],'recovery':'continue','stay':{'retries':0}"
           "," QUICK "%s}}}",
           provider, route);
  world_client(w, config);
}

static void
test_whatever_breaks_it_off(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof breakages / sizeof breakages[0]; i++) {
    world w = {0};
    two(&w, breakages[i], "", ",'prefill':'assistant'", "");
    outcome o = world_stream(&w, "r");
    if (o.status != INFER_OK)
      fail_msg("%s: %s", breakages[i], infer_error_message(o.error));
    assert_string_equal(o.text, LONG);
    assert_int_equal(o.restarts, 0);
    assert_int_equal(o.starts, 1);
    assert_int_equal(o.finishes, 1);
    assert_int_equal(infer_response_part_count(o.response), 2);
    assert_string_equal(infer_attempt_reason_name(outcome_attempt(&o, 1)),
                        "continue");
    assert_true(infer_response_usage(o.response, INFER_USAGE_OUTPUT) > 5);
    outcome_end(&o);
    world_end(&w);
  }
}

static void
test_an_echo_is_dropped(void **state)
{
  (void)state;
  world w = {0};
  two(&w, breakages[0], ",'prefill':'echo','prefill_by':'prefix'",
      ",'prefill':'prefix'", "");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(o.text, LONG);
  assert_int_equal(o.restarts, 0);
  outcome_end(&o);
  world_end(&w);
}

/* A target that is asked for one whole body goes on as well. */
static void
test_the_rest_as_one_body(void **state)
{
  (void)state;
  world w = {0};
  two(&w, breakages[0], "", ",'prefill':'assistant','upstream':'unary'", "");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(o.text, LONG);
  assert_int_equal(o.restarts, 0);
  outcome_end(&o);
  world_end(&w);
}

static void
test_a_refused_prefill(void **state)
{
  (void)state;
  world w = {0};
  two(&w, breakages[0], ",'prefill':'reject'", ",'prefill':'assistant'", "");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_OK);
  assert_string_equal(o.text, LONG);
  assert_int_equal(o.restarts, 1);
  assert_string_equal(outcome_trail(&o),
                      "a/m first TRUNCATED, b/m continue BAD_REQUEST, "
                      "b/m recovery OK");
  outcome_end(&o);
  world_end(&w);
}

static void
test_a_refused_prefill_is_not_what_is_reported(void **state)
{
  (void)state;
  world w = {0};
  two(&w, breakages[0], ",'prefill':'reject'", ",'prefill':'assistant'",
      ",'retries':0");
  outcome o = world_stream(&w, "r");
  assert_int_equal(o.status, INFER_E_TRUNCATED);
  assert_int_equal(o.restarts, 0);
  assert_null(strstr(infer_error_message(o.error), "prefill"));
  assert_string_equal(infer_error_target(o.error), "a/m");
  assert_string_equal(infer_response_text(infer_error_partial(o.error), NULL),
                      o.text);
  assert_string_equal(outcome_trail(&o),
                      "a/m first TRUNCATED, b/m continue BAD_REQUEST");
  outcome_end(&o);
  world_end(&w);
}

/* ---- What is more than text ---------------------------------------------- */

static void
test_more_than_text_starts_again(void **state)
{
  (void)state;
  static const struct {
    const char *behaviour, *member, *json;
    int cut; /* after so many tokens: the text has ten */
  } cases[] = {
      {"'reasoning':'Let me think of it.'", NULL, NULL, 8},
      {"'tool_calls':[{'id':'c1','name':'weather','arguments':{'city':'Ulm'}}]"
       ",'tool_piece_bytes':1",
       NULL, NULL, 14},
      {"'chunk_tokens':1", "n", "2", 6},
      {"'chunk_tokens':1", "logprobs", "true", 6},
      {"'chunk_tokens':1", "response_format",
       "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":"
       "{}}}",
       6},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    world w = {0};
    char breakage[512];
    snprintf(breakage, sizeof breakage, "%s,'cut':{'after_tokens':%d}",
             cases[i].behaviour, cases[i].cut);
    two(&w, breakage, "", ",'prefill':'assistant'", "");
    infer_request *request = world_request("r", "same question");
    if (cases[i].member)
      assert_int_equal(infer_request_set_json(request, cases[i].member,
                                              cases[i].json,
                                              strlen(cases[i].json), NULL),
                       INFER_OK);
    outcome o = world_run(&w, request, true);
    if (o.status != INFER_OK)
      fail_msg("case %zu: %s", i, infer_error_message(o.error));
    assert_int_equal(o.restarts, 1);
    assert_string_equal(outcome_trail(&o),
                        "a/m first TRUNCATED, b/m recovery OK");
    infer_request_free(request);
    outcome_end(&o);
    world_end(&w);
  }
}

int
main(void)
{
  world_forget_proxies();
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cut_at_every_byte),
      cmocka_unit_test(test_whatever_breaks_it_off),
      cmocka_unit_test(test_an_echo_is_dropped),
      cmocka_unit_test(test_the_rest_as_one_body),
      cmocka_unit_test(test_a_refused_prefill),
      cmocka_unit_test(test_a_refused_prefill_is_not_what_is_reported),
      cmocka_unit_test(test_more_than_text_starts_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
