/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "base/mem.h"
#include "config/values.h"

/* Reads the text as a section; returns the status, checks the message. */
static int32_t
read_section(const char *text, const inf_section *sections, size_t count,
             const char *message)
{
  infer_error *error = NULL;
  inf_node *node;
  char *json = quoted(text);
  inf_place place = inf_place_member(NULL, INF_SV("here"));
  assert_int_equal(
      inf_node_parse(inf_sv_from(json), inf_sv_of(NULL, 0), NULL, &node, NULL),
      INFER_OK);
  int32_t status =
      inf_values_read(node, &place, sections, count, "known", &error);
  if (message)
    assert_string_equal(infer_error_message(error), message);
  else if (error)
    fail_msg("%s", infer_error_message(error));
  infer_error_free(error);
  inf_node_free(node);
  free(json);
  return status;
}

static void
client_refused(const char *text, const char *message)
{
  inf_client_options options;
  inf_section section = {"client", &options};
  assert_int_equal(read_section(text, &section, 1, message), INFER_E_CONFIG);
}

static void
sets_defaults(void **state)
{
  (void)state;
  inf_client_options client;
  inf_route_params params;
  memset(&client, 0xff, sizeof client);
  memset(&params, 0xff, sizeof params);
  inf_values_default(&(inf_section){"client", &client});
  inf_values_default(&(inf_section){"policy", &params});
  assert_int_equal(client.threads, 1);
  assert_int_equal(client.delivery_interval_ms, 0);
  assert_int_equal(client.max_response_bytes, 64 << 20);
  assert_int_equal(client.max_event_bytes, 1 << 20);
  assert_int_equal(client.max_json_depth, 128);
  assert_int_equal(client.max_undelivered_bytes, 1 << 20);
  assert_int_equal(client.max_calls, 100000);
  assert_int_equal(client.max_idle_connections, 256);
  assert_int_equal(params.retries, 2);
  assert_int_equal(params.stay_retries, 1);
  assert_int_equal(params.stay_max_wait_ms, 1000);
  assert_int_equal(params.recovery, INF_RECOVERY_ERROR);
  assert_int_equal(params.upstream, INF_UPSTREAM_DEFAULT);
  assert_int_equal(params.hedge_budget, 0);
  assert_int_equal(params.hedge_percentile, 95000000);
  assert_int_equal(params.hedge_min_delay_ms, 10);
  assert_int_equal(params.race_on, INF_RACE_ON_CONTENT);
  assert_int_equal(params.timeouts.connect_ms, 5000);
  assert_int_equal(params.timeouts.first_token_ms, 30000);
  assert_int_equal(params.timeouts.idle_ms, 30000);
  assert_int_equal(params.timeouts.attempt_ms, 600000);
  assert_int_equal(params.timeouts.deadline_ms, 600000);
}

/* Every number of the table, at its limits and beyond. */
static void
numbers_have_limits(void **state)
{
  (void)state;
  inf_client_options client;
  inf_route_params params;
  inf_provider_config provider;
  for (size_t i = 0; i < inf_option_count(); i++) {
    const inf_option *o = inf_option_at(i);
    if (o->type != INF_OPTION_INT)
      continue;
    void *fields = strcmp(o->section, "client") == 0     ? (void *)&client
                   : strcmp(o->section, "provider") == 0 ? (void *)&provider
                                                         : (void *)&params;
    inf_section section = {o->section, fields};
    char form[64], text[128], message[300];
    const char *dot = strchr(o->name, '.');
    const char *last = strrchr(o->name, '.');
    if (dot != last)
      snprintf(form, sizeof form, "{'%.*s':{'%.*s':{'%s':%%lld}}}",
               (int)(dot - o->name), o->name, (int)(last - dot - 1), dot + 1,
               last + 1);
    else if (dot)
      snprintf(form, sizeof form, "{'%.*s':{'%s':%%lld}}", (int)(dot - o->name),
               o->name, dot + 1);
    else
      snprintf(form, sizeof form, "{'%s':%%lld}", o->name);
    const int64_t values[] = {o->minimum, o->maximum, o->minimum - 1,
                              o->maximum + 1};
    for (size_t v = 0; v < 4; v++) {
      long long value = values[v];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      snprintf(text, sizeof text, form, value);
#pragma GCC diagnostic pop
      snprintf(message, sizeof message,
               "here.%s: expected a whole number from %lld to %lld, got %lld",
               o->name, (long long)o->minimum, (long long)o->maximum, value);
      int32_t status = read_section(text, &section, 1, v < 2 ? NULL : message);
      assert_int_equal(status, v < 2 ? INFER_OK : INFER_E_CONFIG);
      if (v < 2)
        assert_int_equal(*(int64_t *)((char *)fields + o->offset), value);
    }
  }
}

/* A group within a group, and nothing that only looks like one. */
static void
groups_have_groups(void **state)
{
  (void)state;
  client_refused("{'telemetry':{'otlp':1}}",
                 "here.telemetry.otlp: expected an object");
  client_refused("{'telemetry':{'otlp':{'intervall_ms':1}}}",
                 "here.telemetry.otlp.intervall_ms: unknown option (did you "
                 "mean \"interval_ms\"?)");
  client_refused("{'telemetry':{'otlp':{'otlp':{'interval_ms':100}}}}",
                 "here.telemetry.otlp.otlp: unknown option");
  client_refused("{'telemetry.otlp':{'interval_ms':100}}",
                 "here.\"telemetry.otlp\": unknown option");
  client_refused("{'telemetry':{'otlp.interval_ms':100}}",
                 "here.telemetry.\"otlp.interval_ms\": unknown option");
  client_refused(
      "{'telemetry':{'a-name-of-a-group-that-is-longer-than-any-group-ever-is-"
      "in-the-table':{'interval_ms':100}}}",
      "here.telemetry.a-name-of-a-group-that-is-longer-than-any-group-ever-is-"
      "in-the-table: unknown option");
}

/* {"hedge": {NAME: NUMBER}}; gives the status and the value read. */
static int32_t
read_hedge(const char *name, const char *number, const char *message,
           int64_t *value)
{
  char text[128];
  inf_route_params params = {.hedge_budget = -1, .hedge_percentile = -1};
  inf_section section = {"policy", &params};
  snprintf(text, sizeof text, "{'hedge':{'%s':%s}}", name, number);
  int32_t status = read_section(text, &section, 1, message);
  *value = strcmp(name, "budget") == 0 ? params.hedge_budget
                                       : params.hedge_percentile;
  return status;
}

/* Numbers that need not be whole are kept in millionths. */
static void
decimals_are_read_to_the_millionth(void **state)
{
  (void)state;
  static const struct {
    const char *name, *number;
    int64_t value;
  } cases[] = {
      {"budget", "0", 0},
      {"budget", "0.0", 0},
      {"budget", "-0", 0},
      {"budget", "0.05", 50000},
      {"budget", "5e-2", 50000},
      {"budget", "5E-2", 50000},
      {"budget", "0.5e-1", 50000},
      {"budget", "0.000001", 1},
      {"budget", "0.0000014", 1},
      {"budget", "0.0000016", 2},
      {"budget", "0.5", 500000},
      {"percentile", "50", 50000000},
      {"percentile", "9.5e1", 95000000},
      {"percentile", "95e+0", 95000000},
      {"percentile", "99.9", 99900000},
      {"percentile", "57.285714", 57285714},
  };
  int64_t value;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_int_equal(read_hedge(cases[i].name, cases[i].number, NULL, &value),
                     INFER_OK);
    if (value != cases[i].value)
      fail_msg("%s is read as %lld", cases[i].number, (long long)value);
  }
}

static void
decimals_have_limits(void **state)
{
  (void)state;
  static const struct {
    const char *name, *number, *message;
  } cases[] = {
      {"budget", "0.500001", "from 0 to 0.5, got 0.500001"},
      {"budget", "-0.000001", "from 0 to 0.5, got -0.000001"},
      {"budget", "5", "from 0 to 0.5, got 5"},
      {"budget", "1e300", "from 0 to 0.5, got 1e300"},
      {"budget", "-1e300", "from 0 to 0.5, got -1e300"},
      {"budget", "1e400", "from 0 to 0.5, got 1e400"},
      {"budget", "'0.05'", "from 0 to 0.5, got \"0.05\""},
      {"budget", "true", "from 0 to 0.5, got true"},
      {"budget", "null", "from 0 to 0.5, got null"},
      {"budget", "[0.05]", "from 0 to 0.5, got an array"},
      {"budget", "{}", "from 0 to 0.5, got an object"},
      {"percentile", "49.999999", "from 50 to 99.9, got 49.999999"},
      {"percentile", "99.900001", "from 50 to 99.9, got 99.900001"},
      {"percentile", "0.95", "from 50 to 99.9, got 0.95"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char message[200];
    int64_t value;
    snprintf(message, sizeof message, "here.hedge.%s: expected a number %s",
             cases[i].name, cases[i].message);
    assert_int_equal(
        read_hedge(cases[i].name, cases[i].number, message, &value),
        INFER_E_CONFIG);
    assert_int_equal(value, -1);
  }
}

static void
tells_what_was_expected(void **state)
{
  (void)state;
  client_refused("{'threads':'two'}",
                 "here.threads: expected a whole number from 0 to 1, got "
                 "\"two\"");
  client_refused("{'threads':0.5}",
                 "here.threads: expected a whole number from 0 to 1, got 0.5");
  client_refused("{'threads':null}", "here.threads: expected a whole number "
                                     "from 0 to 1, got null");
  client_refused("{'threads':{}}", "here.threads: expected a whole number "
                                   "from 0 to 1, got an object");
  client_refused("{'threads':[1]}", "here.threads: expected a whole number "
                                    "from 0 to 1, got an array");
  client_refused("{'threads':1e400}",
                 "here.threads: expected a whole number from 0 to 1, got "
                 "1e400");
  client_refused("[]", "here: expected an object, got an array");
  client_refused("'text'", "here: expected an object, got a string");
}

static void
reads_enums_and_booleans(void **state)
{
  (void)state;
  inf_route_params params = {0};
  inf_section section = {"policy", &params};
  assert_int_equal(read_section("{'recovery':'restart','upstream':'unary'}",
                                &section, 1, NULL),
                   INFER_OK);
  assert_int_equal(params.recovery, INF_RECOVERY_RESTART);
  assert_int_equal(params.upstream, INF_UPSTREAM_UNARY);
  assert_int_equal(
      read_section("{'recovery':'retry'}", &section, 1,
                   "here.recovery: expected \"error\" or \"restart\" or "
                   "\"continue\", got "
                   "\"retry\""),
      INFER_E_CONFIG);
  assert_int_equal(
      read_section("{'recovery':true}", &section, 1,
                   "here.recovery: expected \"error\" or \"restart\" or "
                   "\"continue\", got "
                   "true"),
      INFER_E_CONFIG);
  assert_int_equal(read_section("{'race_on':'answer'}", &section, 1, NULL),
                   INFER_OK);
  assert_int_equal(params.race_on, INF_RACE_ON_ANSWER);
  assert_int_equal(read_section("{'race_on':'headers'}", &section, 1,
                                "here.race_on: expected \"content\" or "
                                "\"answer\", got \"headers\""),
                   INFER_E_CONFIG);
  inf_provider_config provider = {0};
  inf_section other = {"provider", &provider};
  assert_int_equal(read_section("{'compression':true}", &other, 1, NULL),
                   INFER_OK);
  assert_true(provider.endpoint.compression);
  assert_int_equal(
      read_section("{'compression':1}", &other, 1,
                   "here.compression: expected true or false, got 1"),
      INFER_E_CONFIG);
}

static void
names_unknown_options(void **state)
{
  (void)state;
  inf_route_params params;
  inf_route_config route;
  inf_section sections[] = {{"route", &route}, {"policy", &params}};
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"{'retrys':1}",
       "here.retrys: unknown option (did you mean \"retries\"?)"},
      {"{'targts':[]}",
       "here.targts: unknown option (did you mean \"targets\"?)"},
      {"{'timeout':{}}",
       "here.timeout: unknown option (did you mean \"timeouts\"?)"},
      {"{'timeouts':{'idel_ms':1}}",
       "here.timeouts.idel_ms: unknown option (did you mean \"idle_ms\"?)"},
      {"{'stay':{'idle_ms':1}}", "here.stay.idle_ms: unknown option"},
      {"{'hegde':{}}", "here.hegde: unknown option (did you mean \"hedge\"?)"},
      {"{'hedge':{'budgt':0.1}}",
       "here.hedge.budgt: unknown option (did you mean \"budget\"?)"},
      {"{'hedge':true}", "here.hedge: expected an object"},
      {"{'mirror':{}}", "here.mirror: unknown option"},
      {"{'knwon':1}", "here.knwon: unknown option (did you mean \"known\"?)"},
      {"{'timeouts.idle_ms':1}", "here.\"timeouts.idle_ms\": unknown option"},
      {"{'timeouts':5}", "here.timeouts: expected an object"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
    assert_int_equal(read_section(cases[i].text, sections, 2, cases[i].message),
                     INFER_E_CONFIG);
}

static void
passes_over_known_and_private_ones(void **state)
{
  (void)state;
  inf_route_params params;
  inf_section section = {"policy", &params};
  inf_values_default(&section);
  assert_int_equal(read_section("{'known':{'any':1},'x-team':[1],"
                                "'timeouts':{'x-why':'slow','idle_ms':7}}",
                                &section, 1, NULL),
                   INFER_OK);
  assert_int_equal(params.timeouts.idle_ms, 7);
}

static void
reads_texts(void **state)
{
  (void)state;
  inf_provider_config provider = {0};
  inf_section section = {"provider", &provider};
  assert_int_equal(
      read_section("{'name':'a\\u00e9','labels':['x','y']}", &section, 1, NULL),
      INFER_OK);
  assert_string_equal(provider.name, "a\xc3\xa9");
  assert_int_equal(provider.label_count, 2);
  assert_string_equal(provider.labels[1], "y");
  assert_null(provider.labels[2]);
  inf_free(provider.name);
  inf_texts_free(provider.labels, provider.label_count);
}

static void
refuses_texts(void **state)
{
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"{'name':5}", "here.name: expected a string, got 5"},
      {"{'name':''}", "here.name: is empty"},
      {"{'name':'a\\nb'}", "here.name: contains control characters"},
      {"{'name':'a\\u0000b'}", "here.name: contains control characters"},
      {"{'labels':'a'}",
       "here.labels: expected an array of strings, got a string"},
      {"{'labels':['a',5]}", "here.labels[1]: expected a string, got 5"},
      {"{'labels':['a','']}", "here.labels[1]: is empty"},
      {"{'labels':['\\u007f']}", "here.labels[0]: contains control characters"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    inf_provider_config provider = {0};
    inf_section section = {"provider", &provider};
    assert_int_equal(read_section(cases[i].text, &section, 1, cases[i].message),
                     INFER_E_CONFIG);
    inf_free(provider.name);
    assert_null(provider.labels);
  }
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sets_defaults),
      cmocka_unit_test(numbers_have_limits),
      cmocka_unit_test(groups_have_groups),
      cmocka_unit_test(decimals_are_read_to_the_millionth),
      cmocka_unit_test(decimals_have_limits),
      cmocka_unit_test(tells_what_was_expected),
      cmocka_unit_test(reads_enums_and_booleans),
      cmocka_unit_test(names_unknown_options),
      cmocka_unit_test(passes_over_known_and_private_ones),
      cmocka_unit_test(reads_texts),
      cmocka_unit_test(refuses_texts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
