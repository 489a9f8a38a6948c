/* SPDX-License-Identifier: MIT */
#include "config_util.h"

static void
shows(const infer_config *config, const char *wanted)
{
  char *json, *expected = quoted(wanted);
  size_t len;
  assert_int_equal(infer_config_json(config, &json, &len), INFER_OK);
  assert_string_equal(json, expected);
  assert_int_equal(len, strlen(expected));
  infer_text_free(json);
  free(expected);
}

static void
begins_empty(void **state)
{
  (void)state;
  infer_config *config;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  shows(config, "{}");
  infer_config_free(config);
  infer_config_free(NULL);
}

static void
is_built_option_by_option(void **state)
{
  (void)state;
  infer_config *config;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_int_equal(infer_config_set_int(config, "threads", 0, NULL), INFER_OK);
  assert_int_equal(infer_config_set_string(config, "providers.house.base_url",
                                           "http://h/\"v1\"", NULL),
                   INFER_OK);
  assert_int_equal(infer_config_set_json(config, "routes.fast.targets",
                                         "[\"house/m\"] ignored", 11, NULL),
                   INFER_OK);
  assert_int_equal(infer_config_set_int(config, "threads", INT64_MIN, NULL),
                   INFER_OK);
  shows(config, "{'threads':-9223372036854775808,"
                "'providers':[{'name':'house',"
                "'base_url':'http://h/\\'v1\\''}],"
                "'routes':{'fast':{'targets':['house/m']}}}");
  infer_config_free(config);
}

static void
hides_keys(void **state)
{
  (void)state;
  infer_config *config;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_int_equal(
      infer_config_set_string(config, "providers.a.api_key", "sk-secret", NULL),
      INFER_OK);
  shows(config, "{'providers':[{'name':'a','api_key':'***'}]}");
  infer_config_free(config);
}

static void
from_json_refuses(const char *text, const char *message)
{
  infer_error *error = NULL;
  infer_config *config = (infer_config *)(uintptr_t)1;
  char *json = quoted(text);
  assert_int_equal(infer_config_from_json(&config, json, strlen(json), &error),
                   INFER_E_CONFIG);
  assert_null(config);
  assert_non_null(strstr(infer_error_message(error), message));
  infer_error_free(error);
  free(json);
}

static void
refuses_what_is_no_document(void **state)
{
  (void)state;
  from_json_refuses("", "line 1, column 1: ");
  from_json_refuses("[]", "a configuration is a JSON object");
  from_json_refuses("{'a':1,}", "line 1, column 8: ");
  from_json_refuses("{'a':1,'a':2}", "a: given twice");
  from_json_refuses("{'a':'\xff'}", "line 1, column ");
}

static void
reads_a_file(void **state)
{
  (void)state;
  static const char text[] = "{\"threads\": 0}\n";
  infer_error *error = NULL;
  infer_config *config;
  char *path = new_file(text, sizeof text - 1);
  assert_int_equal(infer_config_from_file(&config, path, &error), INFER_OK);
  assert_null(error);
  shows(config, "{'threads':0}");
  infer_config_free(config);
  drop_file(path);

  path = new_file("{\n 5", 4);
  char message[700];
  snprintf(message, sizeof message, "%s: line 2, column 2: ", path);
  assert_int_equal(infer_config_from_file(&config, path, &error),
                   INFER_E_CONFIG);
  assert_int_equal(
      strncmp(infer_error_message(error), message, strlen(message)), 0);
  infer_error_free(error);
  drop_file(path);

  assert_int_equal(infer_config_from_file(&config, "/nonexistent", &error),
                   INFER_E_IO);
  assert_string_equal(infer_error_message(error),
                      "cannot read /nonexistent: no such file");
  assert_null(config);
  infer_error_free(error);
}

static void
refuses_a_file_that_is_too_large(void **state)
{
  (void)state;
  infer_error *error = NULL;
  infer_config *config;
  size_t len = ((size_t)4 << 20) + 1;
  char *bytes = malloc(len);
  assert_non_null(bytes);
  memset(bytes, ' ', len);
  bytes[0] = '{';
  bytes[1] = '}';
  char *path = new_file(bytes, len);
  assert_int_equal(infer_config_from_file(&config, path, &error), INFER_E_IO);
  assert_non_null(strstr(infer_error_message(error), "larger than 4194304"));
  infer_error_free(error);
  drop_file(path);
  assert_int_equal(infer_config_from_json(&config, bytes, len, &error),
                   INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error), "longer than 4 MiB");
  infer_error_free(error);
  assert_int_equal(infer_config_from_json(&config, bytes, len - 1, NULL),
                   INFER_OK);
  infer_config_free(config);
  free(bytes);
}

static void
set_refuses(int32_t status, const char *path, const char *json,
            const char *message)
{
  infer_error *error = NULL;
  infer_config *config;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_int_equal(
      infer_config_set_json(config, path, json, INFER_NUL_TERMINATED, &error),
      status);
  assert_non_null(strstr(infer_error_message(error), message));
  infer_error_free(error);
  shows(config, "{}");
  infer_config_free(config);
}

static void
setting_refuses(void **state)
{
  (void)state;
  set_refuses(INFER_E_INVALID_ARGUMENT, "a..b", "1", "malformed");
  set_refuses(INFER_E_CONFIG, "routes.fast.retries", "[1",
              "retries: line 1, column ");
  set_refuses(INFER_E_CONFIG, "providers.house", "{\"a\":1,\"a\":2}",
              "house.a: given twice");
  infer_config *config;
  infer_error *error = NULL;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_int_equal(
      infer_config_set_string(config, "providers.a.type", "\xff", &error),
      INFER_E_INVALID_ARGUMENT);
  infer_error_free(error);
  infer_config_free(config);
}

static void
checks_arguments(void **state)
{
  (void)state;
  infer_error *error = NULL;
  infer_config *config;
  char *json;
  assert_int_equal(infer_config_new(NULL), INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_from_json(NULL, "{}", 2, &error),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_error_status(error), INFER_E_INVALID_ARGUMENT);
  infer_error_free(error);
  assert_int_equal(infer_config_from_json(&config, NULL, 0, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_from_file(&config, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_json(NULL, "a", "1", 1, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_string(NULL, "a", "1", NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_int(NULL, "a", 1, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_json(NULL, &json, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_check(NULL, NULL), INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_telemetry(NULL, NULL, NULL, NULL),
                   INFER_E_INVALID_ARGUMENT);
}

static void
log_line(int32_t level, const char *message, void *user_data)
{
  (void)level;
  (void)message;
  (void)user_data;
}

static void
attempt_ended(const infer_call *call, const infer_attempt *attempt,
              void *user_data)
{
  (void)call;
  (void)attempt;
  (void)user_data;
}

static void
call_ended(const infer_call *call, const infer_response *response,
           const infer_error *error, void *user_data)
{
  (void)call;
  (void)response;
  (void)error;
  (void)user_data;
}

static void
keeps_hooks(void **state)
{
  (void)state;
  infer_config *config;
  int here;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_null(inf_config_hooks_of(NULL)->log.fn);
  assert_null(inf_config_hooks_of(config)->on_call);
  assert_int_equal(
      infer_config_set_log(config, INFER_LOG_TRACE + 1, log_line, NULL),
      INFER_E_INVALID_ARGUMENT);
  assert_int_equal(infer_config_set_log(config, -1, log_line, NULL),
                   INFER_E_INVALID_ARGUMENT);
  assert_int_equal(
      infer_config_set_log(config, INFER_LOG_DEBUG, log_line, &here), INFER_OK);
  assert_int_equal(
      infer_config_set_telemetry(config, attempt_ended, call_ended, &here),
      INFER_OK);
  const inf_config_hooks *hooks = inf_config_hooks_of(config);
  assert_int_equal(hooks->log.level, INFER_LOG_DEBUG);
  assert_ptr_equal(hooks->log.fn, log_line);
  assert_ptr_equal(hooks->log.user_data, &here);
  assert_ptr_equal(hooks->on_attempt, attempt_ended);
  assert_ptr_equal(hooks->on_call, call_ended);
  assert_ptr_equal(hooks->telemetry_user_data, &here);
  infer_config_free(config);
}

static void
is_checked_as_a_whole(void **state)
{
  (void)state;
  infer_error *error = NULL;
  infer_config *config;
  assert_int_equal(infer_config_new(&config), INFER_OK);
  assert_int_equal(infer_config_set_string(config, "providers.house.base_url",
                                           "http://h", NULL),
                   INFER_OK);
  assert_int_equal(infer_config_check(config, &error), INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error),
                      "providers[0]: has no \"type\"");
  infer_error_free(error);
  assert_int_equal(
      infer_config_set_string(config, "providers.house.type", "openai", NULL),
      INFER_OK);
  assert_int_equal(infer_config_check(config, &error), INFER_OK);
  assert_null(error);
  infer_config_free(config);
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(begins_empty),
      cmocka_unit_test(is_built_option_by_option),
      cmocka_unit_test(hides_keys),
      cmocka_unit_test(refuses_what_is_no_document),
      cmocka_unit_test(reads_a_file),
      cmocka_unit_test(refuses_a_file_that_is_too_large),
      cmocka_unit_test(setting_refuses),
      cmocka_unit_test(checks_arguments),
      cmocka_unit_test(keeps_hooks),
      cmocka_unit_test(is_checked_as_a_whole),
  };
  return cmocka_run_group_tests(tests, clear_environment, NULL);
}
