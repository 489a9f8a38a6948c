/* SPDX-License-Identifier: MIT */
/* The routes that are made for a comparison, and its command line. */

#include "compare_config.h"

#include "cmd.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char document[] =
    "{\"providers\":[{\"name\":\"a\",\"type\":\"openai\",\"api_key\":\"k\","
    "\"base_url\":\"http://127.0.0.1:9/v1\"},{\"name\":\"b\",\"type\":"
    "\"openai\",\"base_url\":\"http://127.0.0.1:9/v1\"}],"
    "\"defaults\":{\"hedge\":{}},"
    "\"routes\":{\"mine\":{\"targets\":[\"a/x\",{\"target\":\"b/y\","
    "\"price\":{\"input\":1,\"output\":2}}]}}}";

typedef struct made {
  infer_config *config;
  inf_cmp_data data;
  char models[INF_CMP_MAX_SUBJECTS][64];
  json_object *routes;
  json_object *whole;
  int code;
} made;

/* What becomes of these targets. */
static made
make(const char *const *targets, size_t count, bool no_route)
{
  made result;
  memset(&result, 0, sizeof(result));
  inf_cmp_args args = {
      .targets = targets, .target_count = count, .no_route = no_route};
  inf_cmp_data_init(&result.data);
  assert_int_equal(infer_config_from_json(&result.config, document,
                                          sizeof(document) - 1, NULL),
                   INFER_OK);
  result.code = inf_cmp_config_subjects(&args, result.config, &result.data,
                                        result.models);
  char *json = NULL;
  assert_int_equal(infer_config_json(result.config, &json, NULL), INFER_OK);
  result.whole = json_tokener_parse(json);
  result.routes = json_object_object_get(result.whole, "routes");
  infer_text_free(json);
  if (result.code == 0) {
    assert_int_equal(infer_config_check(result.config, NULL), INFER_OK);
  }
  return result;
}

static void
done(made *result)
{
  json_object_put(result->whole);
  inf_cmp_data_fini(&result->data);
  infer_config_free(result->config);
}

/* A member of a route, by its path. */
static const char *
option(const made *result, size_t subject, const char *name, const char *below)
{
  json_object *route =
      json_object_object_get(result->routes, result->models[subject]);
  json_object *value = json_object_object_get(route, name);
  if (below[0]) {
    value = json_object_object_get(value, below);
  }
  return json_object_to_json_string_ext(
      value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void
test_targets_are_sent_to_and_nothing_else(void **state)
{
  (void)state;
  const char *targets[] = {"a/x", "b/y", "mine"};
  made result = make(targets, 3, false);
  assert_int_equal(result.code, 0);
  assert_int_equal(result.data.subject_count, 4);
  assert_string_equal(option(&result, 0, "targets", ""), "[\"a/x\"]");
  assert_string_equal(option(&result, 0, "retries", ""), "0");
  assert_string_equal(option(&result, 0, "breaker", ""), "false");
  /* Also where the defaults hedge. */
  assert_string_equal(option(&result, 0, "hedge", "budget"), "0");
  /* The price that the user's route gives the target. */
  assert_string_equal(
      option(&result, 1, "targets", ""),
      "[{\"target\":\"b/y\",\"price\":{\"input\":1,\"output\":2}}]");
  assert_string_equal(result.models[2], "mine");
  assert_true(result.data.subjects[2].is_route);
  assert_false(result.data.subjects[2].generated);
  done(&result);
}

static void
test_route_of_all(void **state)
{
  (void)state;
  const char *targets[] = {"a/x", "b/y", "mine"};
  made result = make(targets, 3, false);
  assert_true(result.data.subjects[3].generated);
  assert_string_equal(option(&result, 3, "strategy", ""), "\"latency\"");
  assert_string_equal(option(&result, 3, "hedge", "budget"), "0.05");
  assert_non_null(strstr(option(&result, 3, "targets", ""), "\"a/x\""));
  assert_non_null(strstr(option(&result, 3, "targets", ""), "\"b/y\""));
  assert_null(strstr(option(&result, 3, "targets", ""), "mine"));
  done(&result);
  result = make(targets, 2, true);
  assert_int_equal(result.data.subject_count, 2);
  done(&result);
  result = make(targets, 1, false); /* nothing to fail over to */
  assert_int_equal(result.data.subject_count, 1);
  done(&result);
}

static void
test_wrong_names(void **state)
{
  (void)state;
  const char *targets[] = {"a/x", "nobody"};
  made result = make(targets, 2, false);
  assert_int_equal(result.code, EXIT_USAGE);
  done(&result);
}

static inf_cmp_args
parse(int wanted, int argc, const char **argv)
{
  inf_cmp_args args;
  assert_int_equal(inf_cmp_args_parse(&args, argc, (char **)argv), wanted);
  return args;
}

static void
test_command_line(void **state)
{
  (void)state;
  const char *plain[] = {"compare", "a/x", "b/y", NULL};
  inf_cmp_args args = parse(0, 3, plain);
  assert_int_equal(args.requests, 100);
  assert_int_equal(args.concurrency, 4);
  assert_int_equal(args.max_concurrency, 16);
  assert_int_equal(args.budget_nano_usd, -1);
  assert_int_equal(args.target_count, 2);
  const char *full[] = {"compare",     "--budget-usd=0.25",
                        "--warm-up=0", "--concurrency=32",
                        "a/x",         "-n",
                        "7",           NULL};
  args = parse(0, 7, full);
  assert_int_equal(args.budget_nano_usd, 250000000);
  assert_int_equal(args.warm_up, 1); /* tells the price */
  assert_int_equal(args.max_concurrency, 32);
  assert_int_equal(args.requests, 7);
  assert_int_equal(args.target_count, 1);
  const char *many[20] = {"compare"};
  char names[18][4];
  for (int i = 0; i < 17; i++) {
    snprintf(names[i], sizeof(names[i]), "a/%c", 'a' + i);
    many[i + 1] = names[i];
  }
  parse(0, 16, many);
  parse(EXIT_USAGE, 17, many);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_targets_are_sent_to_and_nothing_else),
      cmocka_unit_test(test_route_of_all),
      cmocka_unit_test(test_wrong_names),
      cmocka_unit_test(test_command_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
