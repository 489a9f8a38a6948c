/* SPDX-License-Identifier: MIT */
/* What a client tells of itself, and the line of a dry run. That a race counts
 * right is tested with the races, that attempts do in test_observe.c. */
#include "support/breaker_world.h"
#include "support/fail_alloc.h"

#include <json-c/json.h>
#include <json-c/json_pointer.h>
#include <stdio.h>
#include <stdlib.h>

#define HEDGED "routes.r.hedge", "{}"

static char *
stats_of(fake_client *fake)
{
  char *json = NULL;
  size_t len = 0;
  assert_int_equal(infer_client_stats(fake->client, &json, &len), INFER_OK);
  assert_int_equal(len, strlen(json));
  return json;
}

/* expected: the document with "hedging" alone. What else stands behind that
 * has tests of its own. */
static void
assert_stats(fake_client *fake, const char *expected)
{
  char *json = stats_of(fake);
  for (char *at = json; *at; at++)
    *at = *at == '"' ? '\'' : *at;
  char *others = strstr(json, ",'spend':");
  assert_non_null(others);
  memcpy(others, "}", 2);
  assert_string_equal(json, expected);
  infer_text_free(json);
}

/* Nothing has come of the hedges of a route. */
#define NO_HEDGES(cost)                                                        \
  "{'sent':0,'won':0,'lost':0,'rescues':0,'delay_ms':null,'probability':0,"    \
  "'calls_cost':" cost ",'losers_cost':0,'suppressed':{'no_plan':0,'drawn':0," \
  "'run_once':0,'nowhere':0,'slowdown':0,'loses':0,'budget':0}}"

static void
routes_that_hedge_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(HEDGED, NULL);
  is_well(fake, A);
  assert_stats(fake, "{'hedging':{}}");
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  assert_stats(fake, "{'hedging':{}}");
  /* 3 tokens in, 2 out. */
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_stats(fake, "{'hedging':{'r':" NO_HEDGES("11") "}}");
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_stats(fake, "{'hedging':{'r':" NO_HEDGES("22") "}}");
  fake_client_free(fake);
}

static void
so_are_targets_that_requests_name(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.hedge", "{}", NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "a/\"x\""), INFER_OK);
  char *json = stats_of(fake);
  assert_contains(json, "{\"hedging\":{\"a/\\\"x\\\"\":{\"sent\":0,");
  infer_text_free(json);
  fake_client_free(fake);
}

static void
a_reload_forgets_nothing(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(HEDGED, NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  infer_config *config = fake_config_new(NULL, NULL, NULL);
  assert_int_equal(infer_client_reload(fake->client, config, NULL), INFER_OK);
  infer_config_free(config);
  assert_stats(fake, "{'hedging':{'r':" NO_HEDGES("11") "}}");
  fake_client_free(fake);
}

static void
ask_in_hook(fake_client *fake, const infer_call *call,
            const infer_attempt *attempt)
{
  (void)call;
  (void)attempt;
  size_t *asked = fake->on_hook_data;
  char *json = stats_of(fake);
  *asked += strstr(json, "\"hedging\"") != NULL;
  infer_text_free(json);
}

static void
hooks_may_ask(void **state)
{
  (void)state;
  size_t asked = 0;
  fake_client *fake = fake_client_new(HEDGED, NULL);
  is_well(fake, A);
  fake->on_hook = ask_in_hook;
  fake->on_hook_data = &asked;
  assert_int_equal(call_once(fake, "r"), INFER_OK);
  assert_int_equal(asked, 2); /* an attempt and a call */
  fake_client_free(fake);
}

static void
arguments_are_checked(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL, NULL);
  char *json = NULL;
  assert_int_equal(infer_client_stats(NULL, &json, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_stats(fake->client, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_client_stats(fake->client, &json, NULL), INFER_OK);
  infer_text_free(json);
  fake_client_free(fake);
}

/* A document without memory is none, and nothing of it is left. */
static void
bears_failing_allocations(void **state)
{
  (void)state;
  static const char *const before[] = {"", "r"};
  for (size_t i = 0; i < 2; i++) {
    fail_alloc_install();
    fake_client *fake = fake_client_new(HEDGED, NULL);
    is_well(fake, A);
    if (before[i][0])
      assert_int_equal(call_once(fake, before[i]), INFER_OK);
    size_t failed = 0;
    for (size_t n = 1;; n++) {
      char *json = (char *)"";
      fail_alloc_nth(n);
      int32_t status = infer_client_stats(fake->client, &json, NULL);
      bool hit = fail_alloc_hits() > 0;
      fail_alloc_never();
      infer_text_free(status == INFER_OK ? json : NULL);
      if (!hit) {
        assert_int_equal(status, INFER_OK);
        break;
      }
      failed++;
      assert_int_equal(status, INFER_E_NO_MEMORY);
      assert_null(json);
    }
    assert_true(failed > 0);
    fake_client_free(fake);
    fail_alloc_uninstall();
  }
}

/* ---- The other members --------------------------------------------------- */

static struct json_object *
parsed(fake_client *fake)
{
  char *text = stats_of(fake);
  struct json_object *json = json_tokener_parse(text);
  if (!json)
    fail_msg("no JSON: %s", text);
  infer_text_free(text);
  return json;
}

/* The member at a path of names and places: "targets/0/route". */
static struct json_object *
at(struct json_object *json, const char *path)
{
  struct json_object *found = NULL;
  char pointer[200];
  snprintf(pointer, sizeof pointer, "/%s", path);
  if (json_pointer_get(json, pointer, &found) != 0)
    fail_msg("no %s in %s", path, json_object_to_json_string(json));
  return found;
}

static int64_t
int_at(struct json_object *json, const char *path)
{
  return json_object_get_int64(at(json, path));
}

static void
assert_text_at(struct json_object *json, const char *path, const char *text)
{
  assert_string_equal(json_object_get_string(at(json, path)), text);
}

static void
assert_near_at(struct json_object *json, const char *path, double expected)
{
  double value = json_object_get_double(at(json, path));
  if (value < expected * 0.98 || value > expected * 1.02)
    fail_msg("%s: %g instead of %g", path, value, expected);
}

static void
targets_are_told(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.one.retries", "0", NULL);
  fake_reply(fake_script_next(&fake->net), 5, 503, NULL, "");
  is_well(fake, A);
  for (int i = 0; i < 21; i++)
    call_once(fake, "one");
  struct json_object *json = parsed(fake);
  assert_int_equal(json_object_array_length(at(json, "targets")), 1);
  assert_text_at(json, "targets/0/target", "a/m");
  assert_text_at(json, "targets/0/provider", "a");
  assert_text_at(json, "targets/0/model", "m");
  assert_text_at(json, "targets/0/route", "one");
  assert_int_equal(int_at(json, "targets/0/calls/ok"), 20);
  assert_int_equal(int_at(json, "targets/0/calls/overloaded"), 1);
  assert_int_equal(int_at(json, "targets/0/attempts/first/ok"), 20);
  assert_int_equal(int_at(json, "targets/0/attempts/first/overloaded"), 1);
  assert_int_equal(int_at(json, "targets/0/tokens/input"), 60);
  assert_int_equal(int_at(json, "targets/0/tokens/output"), 40);
  assert_int_equal(int_at(json, "targets/0/limiter_refusals"), 0);
  static const char *const windows[] = {"1m", "5m", "60m"};
  for (size_t i = 0; i < 3; i++) {
    char path[64];
    snprintf(path, sizeof path, "targets/0/windows/%s", windows[i]);
    struct json_object *window = at(json, path);
    assert_int_equal(int_at(window, "attempts"), 21);
    assert_int_equal(int_at(window, "failed"), 1);
    assert_near_at(window, "seconds", 4.2);
    assert_near_at(window, "attempts_per_s", 5);
    assert_near_at(window, "output_tokens_per_s", 40 / 4.2);
    assert_int_equal(int_at(window, "first_token_ms/seen"), 20);
    assert_int_equal(int_at(window, "first_token_ms/cut"), 0);
    assert_near_at(window, "first_token_ms/p50", answer_ms);
    assert_near_at(window, "first_token_ms/p99", answer_ms);
    assert_near_at(window, "total_ms/p95", answer_ms);
    assert_int_equal(int_at(window, "limiter_wait_ms/seen"), 21);
    assert_int_equal(int_at(window, "per_output_token_ms/seen"), 0);
    assert_null(at(window, "per_output_token_ms/p50"));
  }
  json_object_put(json);
  fake_client_free(fake);
}

/* A window forgets, counters do not. */
static void
a_window_ends(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(NULL);
  is_well(fake, A);
  assert_int_equal(call_once(fake, "one"), INFER_OK);
  fake_run_ms(fake, 75000);
  struct json_object *json = parsed(fake);
  assert_int_equal(int_at(json, "targets/0/windows/1m/attempts"), 0);
  assert_null(at(json, "targets/0/windows/1m/total_ms/p50"));
  assert_int_equal(int_at(json, "targets/0/windows/5m/attempts"), 1);
  assert_int_equal(int_at(json, "targets/0/calls/ok"), 1);
  json_object_put(json);
  fake_client_free(fake);
}

static void
limits_and_breakers_are_told(void **state)
{
  (void)state;
  fake_client *fake =
      fake_client_new(NO_STAY, "providers.b.limits",
                      "{'requests_per_minute':10,'concurrency':4}", NULL);
  is_well(fake, B);
  assert_int_equal(call_once(fake, "b/m"), INFER_OK);
  open_breaker(fake, "a/m", A);
  struct json_object *json = parsed(fake);
  assert_int_equal(json_object_array_length(at(json, "limits")), 1);
  assert_text_at(json, "limits/0/provider", "b");
  assert_text_at(json, "limits/0/model", "m");
  assert_int_equal(int_at(json, "limits/0/key"), 0);
  assert_int_equal(int_at(json, "limits/0/headroom_percent"), 90);
  assert_int_equal(int_at(json, "limits/0/concurrency"), 4);
  assert_int_equal(int_at(json, "limits/0/under_way"), 0);
  assert_text_at(json, "limits/0/limits/0/unit", "requests");
  assert_int_equal(int_at(json, "limits/0/limits/0/limit"), 10);
  assert_int_equal(int_at(json, "limits/0/limits/0/free"), 9);
  assert_int_equal(int_at(json, "limits/0/limits/0/period_s"), 60);
  assert_text_at(json, "limits/0/limits/0/source", "configuration");
  size_t which =
      strcmp(json_object_get_string(at(json, "breakers/0/target")), "a/m") != 0;
  struct json_object *breaker =
      json_object_array_get_idx(at(json, "breakers"), which);
  assert_text_at(breaker, "target", "a/m");
  assert_text_at(breaker, "state", "open");
  assert_text_at(breaker, "cause", "failing");
  assert_int_equal(int_at(breaker, "opened"), 1);
  assert_int_equal(int_at(breaker, "share_percent"), 0);
  json_object_put(json);
  fake_client_free(fake);
}

/* Names of any kind come back as they were. */
/* The text of a file of docs/, behind that of the one before. */
static size_t
read_docs(const char *name, char *text, size_t size)
{
  char path[512];
  snprintf(path, sizeof path, "%s/docs/%s", INFER_SOURCE_DIR, name);
  FILE *in = fopen(path, "r");
  if (!in)
    fail_msg("no file %s", path);
  size_t len = fread(text, 1, size - 1, in);
  assert_true(len < size - 1);
  text[len] = '\0';
  fclose(in);
  return len;
}

/* Objects whose members are names of the user, reasons or classes. */
static bool
has_names(const char *key)
{
  static const char *const keys[] = {"hedging", "providers", "routes",
                                     "tenants", "calls",     "attempts"};
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
    if (strcmp(key, keys[i]) == 0)
      return true;
  return strcmp(key, "targets") == 0; /* of "spend": else it is an array */
}

/* Asserts that docs has each member of the value; gives how many there are. */
static size_t
assert_documented(json_object *value, const char *key, const char *docs)
{
  size_t count = 0;
  if (json_object_is_type(value, json_type_array))
    for (size_t i = 0; i < json_object_array_length(value); i++)
      count += assert_documented(json_object_array_get_idx(value, i), "", docs);
  if (!json_object_is_type(value, json_type_object))
    return count;
  json_object_object_foreach(value, name, member)
  {
    char quoted[64], told[64];
    snprintf(quoted, sizeof quoted, "\"%s\":", name);
    snprintf(told, sizeof told, "`%s`", name);
    if (!has_names(key) && !strstr(docs, quoted) && !strstr(docs, told))
      fail_msg("\"%s\" is not in the documentation", name);
    count += 1 + assert_documented(member, name, docs);
  }
  return count;
}

/* docs/telemetry.md and docs/hedging.md are the schema. */
static void
each_member_is_documented(void **state)
{
  (void)state;
  static char docs[1 << 17];
  fake_client *fake = fake_client_new(
      HEDGED, "providers.a.labels", "['eu']", "routes.r.require_labels",
      "['eu']", "providers.a.limits", "{'requests_per_minute':9}",
      "metrics_tenants", "2", "telemetry.otlp.endpoint", "'http://otel.test'",
      "budgets", "[{'name':'n','tokens':99999}]", NULL);
  size_t len = read_docs("telemetry.md", docs, sizeof docs);
  read_docs("hedging.md", docs + len, sizeof docs - len);
  is_well(fake, A);
  infer_request *request = fake_request_new("r");
  assert_int_equal(infer_request_set_tenant(request, "t"), INFER_OK);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 100);
  assert_int_equal(fake_status(call), INFER_OK);
  infer_call_free(call);
  char *json = stats_of(fake);
  json_object *stats = json_tokener_parse(json);
  assert_true(assert_documented(stats, "", docs) > 150);
  static const char *const parts[] = {
      "/hedging/r",      "/spend/total",
      "/budgets/0",      "/refusals/0",
      "/targets/0",      "/limits/0/limits/0",
      "/breakers/0",     "/tenants/t",
      "/telemetry/otlp", "/targets/0/windows/5m/first_token_ms"};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (json_pointer_get(stats, parts[i], NULL) != 0)
      fail_msg("no %s in %s", parts[i], json);
  json_object_put(stats);
  infer_text_free(json);
  fake_client_free(fake);
}

static void
names_are_escaped(void **state)
{
  (void)state;
  static const char odd[] = "a\"b\\c{}=,d";
  fake_client *fake = fake_client_new("metrics_tenants", "3", NULL);
  is_well(fake, A);
  char model[40];
  snprintf(model, sizeof model, "a/%s", odd);
  infer_request *request = fake_request_new(model);
  infer_request_set_tenant(request, odd);
  infer_call *call = fake_submit(fake, request);
  fake_run_ms(fake, 100);
  assert_int_equal(fake_status(call), INFER_OK);
  struct json_object *json = parsed(fake), *tenant = NULL;
  assert_text_at(json, "targets/0/model", odd);
  assert_true(json_object_object_get_ex(at(json, "tenants"), odd, &tenant));
  assert_int_equal(int_at(tenant, "calls"), 1);
  assert_int_equal(int_at(json, "calls_in_flight"), 0);
  assert_int_equal(int_at(json, "telemetry/dropped"), 0);
  assert_true(int_at(json, "telemetry/bytes") > 0);
  assert_int_equal(int_at(json, "telemetry/max_bytes"), 16 << 20);
  json_object_put(json);
  infer_call_free(call);
  fake_client_free(fake);
}

/* ---- Plans --------------------------------------------------------------- */

/* The reason of the first target of the dry run. */
static const char *
outlook_of(fake_client *fake, const infer_request *request)
{
  static char text[500];
  infer_plan *plan;
  assert_int_equal(infer_client_plan(fake->client, request, &plan, NULL),
                   INFER_OK);
  snprintf(text, sizeof text, "%s", infer_plan_reason(plan, 0));
  for (size_t i = 1; i < infer_plan_count(plan); i++)
    assert_lacks(infer_plan_reason(plan, i), "hedge");
  infer_plan_free(plan);
  return text;
}

static const char *
outlook(fake_client *fake, const char *model)
{
  infer_request *request = fake_request_new(model);
  const char *text = outlook_of(fake, request);
  infer_request_free(request);
  return text;
}

/* 64 answers: seven of eight after answer_ms, the others after slow_ms. */
static void
learn(fake_client *fake, const char *model, uint64_t slow_ms)
{
  size_t at = fake->net.host_count;
  is_well(fake, A);
  fake_stream_all(fake_script_for(&fake->net, A), slow_ms, "ok");
  fake_script *fast = fake->net.hosts[at].script;
  fake_script *slow = fake->net.hosts[at + 1].script;
  for (int i = 0; i < 64; i++) {
    fake->net.hosts[at].script = i % 8 == 7 ? fast : slow;
    fake->net.hosts[at + 1].script = i % 8 == 7 ? slow : fast;
    assert_int_equal(call_once(fake, model), INFER_OK);
  }
}

static void
a_dry_run_tells_of_hedges(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new(
      "routes.r.hedge", "{'budget':5e-2}", "routes.one.hedge",
      "{'percentile':99.9,'budget':0.125}", "routes.one.retries", "0", NULL);
  assert_lacks(outlook(fake, "three"), "hedge");
  assert_contains(outlook(fake, "r"),
                  "place 1 in the order of route \"r\"; hedged for p95 with "
                  "5 % of the cost: too few times are known for a plan");
  assert_contains(outlook(fake, "one"),
                  "; no hedge: without retries there is one attempt only");
  infer_request *request = fake_request_new("one");
  infer_request_set_policy(request, "retries", 1);
  assert_contains(outlook_of(fake, request),
                  "; hedged for p99.9 with 12.5 % of the cost: too few");
  infer_request_set_run_once(request, 1);
  assert_contains(outlook_of(fake, request),
                  "; no hedge: the request may run only once");
  infer_request_free(request);
  assert_stats(fake, "{'hedging':{}}"); /* to look is no call */
  fake_client_free(fake);
}

/* Plan and counters speak of the same. */
static void
a_dry_run_tells_the_plan(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("routes.r.hedge",
                                      "{'budget':0.5,'min_delay_ms':20}", NULL);
  learn(fake, "r", 150);
  char *json = stats_of(fake);
  const char *told = strstr(json, "\"delay_ms\":");
  assert_non_null(told);
  double delay_ms = strtod(told + strlen("\"delay_ms\":"), NULL);
  told = strstr(json, "\"probability\":");
  assert_non_null(told);
  double probability = strtod(told + strlen("\"probability\":"), NULL);
  assert_true(delay_ms >= 20 && delay_ms < 150);
  assert_true(probability > 0.2 && probability <= 1);
  infer_text_free(json);
  unsigned ms;
  double share;
  assert_int_equal(sscanf(outlook(fake, "r"),
                          "place 1 in the order of route \"r\"; hedged for p95 "
                          "with 50 %% of the cost: now after %u ms with "
                          "probability %lf",
                          &ms, &share),
                   2);
  assert_int_equal(ms, (unsigned)delay_ms);
  assert_true(share > probability - 0.006 && share < probability + 0.006);
  fake_client_free(fake);
}

static void
where_nothing_is_gained_it_says_so(void **state)
{
  (void)state;
  fake_client *fake = fake_client_new("defaults.hedge", "{}", NULL);
  learn(fake, "a/m", answer_ms);
  assert_contains(outlook(fake, "a/m"),
                  "named by the request; hedged for p95 with 5 % of the cost: "
                  "now it would not help");
  char *json = stats_of(fake);
  assert_contains(json, "\"a/m\":{\"sent\":0,");
  assert_contains(json, "\"delay_ms\":null,\"probability\":0,");
  infer_text_free(json);
  fake_client_free(fake);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(routes_that_hedge_are_told),
      cmocka_unit_test(so_are_targets_that_requests_name),
      cmocka_unit_test(a_reload_forgets_nothing),
      cmocka_unit_test(hooks_may_ask),
      cmocka_unit_test(arguments_are_checked),
      cmocka_unit_test(bears_failing_allocations),
      cmocka_unit_test(targets_are_told),
      cmocka_unit_test(a_window_ends),
      cmocka_unit_test(limits_and_breakers_are_told),
      cmocka_unit_test(each_member_is_documented),
      cmocka_unit_test(names_are_escaped),
      cmocka_unit_test(a_dry_run_tells_of_hedges),
      cmocka_unit_test(a_dry_run_tells_the_plan),
      cmocka_unit_test(where_nothing_is_gained_it_says_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
