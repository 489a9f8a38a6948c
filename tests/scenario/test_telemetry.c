/* SPDX-License-Identifier: MIT */
/* What a client tells of calls over real sockets: statistics, metrics that
 * promtool accepts, and records as events. */
#include "world.h"

#include <json-c/json_pointer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* a answers after 60 ms with 20 tokens, 5 ms apart; b is busy. */
static const char good[] =
    "{'defaults':{'tokens':20,'first_token_ms':60,'inter_token_ms':5}}";
static const char busy[] = "{'defaults':{'status':503}}";
static const char routes[] =
    "'metrics_tenants':2,'defaults':{'stay':{'retries':0}},"
    "'routes':{'fast':{'targets':['a/m']},"
    "'odd \\\"name\\\"':{'targets':['b/m','a/m']}}";

static json_object *
stats_of(world *w)
{
  char *text = NULL;
  size_t len = 0;
  assert_int_equal(infer_client_stats(w->client, &text, &len), INFER_OK);
  assert_int_equal(len, strlen(text));
  json_object *json = json_tokener_parse(text);
  assert_non_null(json);
  infer_text_free(text);
  return json;
}

static char *
metrics_of(world *w)
{
  char *text = NULL;
  assert_int_equal(infer_client_metrics(w->client, &text, NULL), INFER_OK);
  return text;
}

/* The series of a target on a route. */
static json_object *
series_of(json_object *stats, const char *target, const char *route)
{
  json_object *targets = json_object_object_get(stats, "targets");
  for (size_t i = 0; i < json_object_array_length(targets); i++) {
    json_object *one = json_object_array_get_idx(targets, i);
    if (strcmp(json_object_get_string(json_object_object_get(one, "target")),
               target) == 0 &&
        strcmp(json_object_get_string(json_object_object_get(one, "route")),
               route) == 0)
      return one;
  }
  fail_msg("no %s on %s in %s", target, route,
           json_object_to_json_string(stats));
  return NULL;
}

static double
number_at(json_object *json, const char *path)
{
  json_object *found = NULL;
  if (json_pointer_get(json, path, &found) != 0 || !found)
    fail_msg("no %s in %s", path, json_object_to_json_string(json));
  return json_object_get_double(found);
}

static void
begin(world *w)
{
  memset(w, 0, sizeof *w);
  world_sim(w, 1, good);
  world_sim(w, 2, busy);
  world_usual(w, routes);
}

static void
make_calls(world *w)
{
  infer_request *request = world_request("odd \"name\"", "x");
  infer_request_set_tenant(request, "te\"nant\\2");
  outcome o = world_run(w, request, true);
  assert_string_equal(outcome_trail(&o),
                      "b/m first OVERLOADED, a/m failover OK");
  outcome_end(&o);
  infer_request_free(request);
  for (int i = 0; i < 5; i++) {
    o = world_chat(w, "fast");
    assert_int_equal(o.status, INFER_OK);
    outcome_end(&o);
  }
}

static void
statistics_are_those_of_the_calls(void **state)
{
  (void)state;
  world w;
  begin(&w);
  make_calls(&w);
  json_object *stats = stats_of(&w);
  json_object *fast = series_of(stats, "a/m", "fast");
  assert_true(number_at(fast, "/calls/ok") == 5);
  assert_true(number_at(fast, "/attempts/first/ok") == 5);
  assert_true(number_at(fast, "/tokens/output") == 100);
  assert_true(number_at(fast, "/windows/1m/attempts") == 5);
  assert_true(number_at(fast, "/windows/1m/attempts_per_s") > 0.5);
  double first = number_at(fast, "/windows/5m/first_token_ms/p50");
  double total = number_at(fast, "/windows/60m/total_ms/p50");
  assert_true(first >= 59 && first < 300);
  /* 100 ms of tokens; medians of different calls where the machine is busy. */
  assert_true(total >= first + 50 && total < 1000);
  assert_true(number_at(fast, "/windows/1m/per_output_token_ms/p50") >= 4);
  json_object *failed = series_of(stats, "b/m", "odd \"name\"");
  json_object *odd = series_of(stats, "a/m", "odd \"name\"");
  assert_true(number_at(failed, "/attempts/first/overloaded") == 1);
  assert_true(number_at(failed, "/windows/1m/failed") == 1);
  assert_true(number_at(odd, "/attempts/failover/ok") == 1);
  assert_true(number_at(odd, "/calls/ok") == 1);
  json_object *tenant;
  assert_true(json_object_object_get_ex(
      json_object_object_get(stats, "tenants"), "te\"nant\\2", &tenant));
  json_object_put(stats);
  world_end(&w);
}

/* ---- Metrics ------------------------------------------------------------- */

static void
assert_line(const char *text, const char *line)
{
  if (!strstr(text, line))
    fail_msg("no \"%s\" in:\n%s", line, text);
}

static void
metrics_are_those_of_the_calls(void **state)
{
  (void)state;
  world w;
  begin(&w);
  make_calls(&w);
  char *text = metrics_of(&w);
  assert_line(text, "\ngen_ai_client_operation_duration_seconds_count{"
                    "gen_ai_operation_name=\"chat\",gen_ai_provider_name="
                    "\"openai\",gen_ai_request_model=\"m\",libinfer_provider="
                    "\"a\",libinfer_route=\"fast\"} 5\n");
  assert_line(text, "\nlibinfer_attempts_total{provider=\"b\",model=\"m\","
                    "route=\"odd \\\"name\\\"\",reason=\"first\",error_type="
                    "\"overloaded\"} 1\n");
  assert_line(text, "\nlibinfer_tenant_calls_total{tenant=\"te\\\"nant\\\\2\"} "
                    "1\n");
  assert_line(text, "\nlibinfer_breaker_state{target=\"a/m\",state="
                    "\"closed\"} 1\n");
  infer_text_free(text);
  world_end(&w);
}

static void
promtool_accepts_them(void **state)
{
  (void)state;
  if (system("command -v promtool >/dev/null 2>&1") != 0) {
    print_message("SKIP: there is no promtool (Debian's prometheus)\n");
    skip();
  }
  world w;
  begin(&w);
  for (int round = 0; round < 2; round++) { /* of nothing, and of calls */
    char *text = metrics_of(&w);
    char said[4096] = "", path[] = "/tmp/infer-metrics-XXXXXX", command[200];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    snprintf(command, sizeof command, "promtool check metrics <%s 2>&1", path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    infer_text_free(text);
    FILE *promtool = popen(command, "r");
    assert_non_null(promtool);
    size_t len = fread(said, 1, sizeof said - 1, promtool);
    int code = pclose(promtool);
    remove(path);
    if (code != 0 || len > 0)
      fail_msg("promtool (%d): %s", code, said);
    make_calls(&w);
  }
  world_end(&w);
}

/* ---- Records ------------------------------------------------------------- */

/* Each attempt of each of many calls has one record, before its call's end. */
static void
records_come_before_the_end(void **state)
{
  (void)state;
  enum { calls = 40 };
  world w;
  int attempts[calls] = {0}, ended[calls] = {0};
  begin(&w);
  infer_queue *queue;
  assert_int_equal(infer_queue_new(&queue, w.client), INFER_OK);
  assert_int_equal(infer_queue_set_records(queue, 1), INFER_OK);
  infer_request *request = world_request("odd \"name\"", "x");
  infer_request_set_tag(request, "team", "blue");
  for (uint64_t i = 0; i < calls; i++)
    assert_int_equal(
        infer_submit(w.client, request,
                     i % 2 ? INFER_SUBMIT_STREAM : INFER_SUBMIT_WHOLE, queue, i,
                     NULL, NULL),
        INFER_OK);
  infer_request_free(request);
  for (int done = 0; done < calls;) {
    infer_event *event;
    assert_int_equal(infer_queue_poll(queue, 20000, &event), INFER_OK);
    uint64_t tag = infer_event_tag(event);
    const infer_attempt *attempt = infer_event_attempt(event);
    assert_false(ended[tag]);
    if (attempt) {
      attempts[tag]++;
      assert_int_equal(infer_event_status(event),
                       infer_attempt_status(attempt));
      assert_string_equal(infer_call_tag_value(infer_event_call(event), "team"),
                          "blue");
      assert_true(infer_attempt_phase_ns(attempt, INFER_PHASE_END) > 0);
    }
    if (infer_event_type(event) == INFER_EVENT_DONE) {
      const infer_response *response = infer_event_response(event);
      assert_int_equal(attempts[tag], infer_response_attempt_count(response));
      ended[tag] = 1;
      done++;
    }
    infer_event_free(event);
  }
  infer_queue_free(queue);
  world_end(&w);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(statistics_are_those_of_the_calls),
      cmocka_unit_test(metrics_are_those_of_the_calls),
      cmocka_unit_test(promtool_accepts_them),
      cmocka_unit_test(records_come_before_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
