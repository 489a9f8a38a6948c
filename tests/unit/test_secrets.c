/* SPDX-License-Identifier: MIT */
#include "config_util.h"

#include "config/secrets.h"

static void
reads(const char *spec, const char *wanted)
{
  infer_error *error = NULL;
  inf_buf text;
  inf_buf_init(&text, INF_SECRET_MAX_BYTES + 2);
  int32_t status = inf_secret_read(inf_sv_from(spec), NULL, &text, &error);
  if (status != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  assert_string_equal(inf_buf_cstr(&text), wanted);
  inf_buf_fini_secret(&text);
}

static void
fails(inf_sv spec, const char *wanted)
{
  infer_error *error = NULL;
  inf_place place = inf_place_member(NULL, INF_SV("k"));
  inf_buf text;
  inf_buf_init(&text, INF_SECRET_MAX_BYTES + 2);
  assert_int_equal(inf_secret_read(spec, &place, &text, &error),
                   INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error), wanted);
  infer_error_free(error);
  inf_buf_fini_secret(&text);
}

static void
takes_literals(void **state)
{
  (void)state;
  reads("sk-123", "sk-123");
  reads("environment:X", "environment:X");
  reads("File:x", "File:x");
}

static void
reads_variables(void **state)
{
  (void)state;
  setenv("INFER_TEST_KEY", "from the environment\n", 1);
  reads("env:INFER_TEST_KEY", "from the environment\n");
  setenv("INFER_TEST_KEY", "", 1);
  fails(INF_SV("env:INFER_TEST_KEY"),
        "k: environment variable INFER_TEST_KEY is empty");
  unsetenv("INFER_TEST_KEY");
  fails(INF_SV("env:INFER_TEST_KEY"),
        "k: environment variable INFER_TEST_KEY is not set");
  fails(INF_SV("env:"), "k: \"env:\" needs the name of a variable");
  fails(INF_SV("env:A\0B"), "k: \"env:\" needs the name of a variable");
}

static void
refuses_a_variable_that_is_too_long(void **state)
{
  (void)state;
  char *value = malloc(INF_SECRET_MAX_BYTES + 2);
  assert_non_null(value);
  memset(value, 'a', INF_SECRET_MAX_BYTES + 1);
  value[INF_SECRET_MAX_BYTES + 1] = '\0';
  setenv("INFER_TEST_KEY", value, 1);
  fails(INF_SV("env:INFER_TEST_KEY"),
        "k: environment variable INFER_TEST_KEY is too long");
  value[INF_SECRET_MAX_BYTES] = '\0';
  setenv("INFER_TEST_KEY", value, 1);
  reads("env:INFER_TEST_KEY", value);
  unsetenv("INFER_TEST_KEY");
  free(value);
}

static void
reads_files(void **state)
{
  (void)state;
  char *path = new_file("in a file\r\n\n", 12), spec[600], message[600];
  snprintf(spec, sizeof spec, "file:%s", path);
  reads(spec, "in a file");
  drop_file(path);
  path = new_file("\n", 1);
  snprintf(spec, sizeof spec, "file:%s", path);
  snprintf(message, sizeof message, "k: file %s is empty", path);
  fails(inf_sv_from(spec), message);
  drop_file(path);
  fails(INF_SV("file:/nonexistent/key"),
        "k: cannot read /nonexistent/key: no such file");
  fails(INF_SV("file:"), "k: \"file:\" needs the path of a file");
}

static void
refuses_a_file_that_is_too_large(void **state)
{
  (void)state;
  char *bytes = malloc(INF_SECRET_MAX_BYTES + 1);
  assert_non_null(bytes);
  memset(bytes, 'a', INF_SECRET_MAX_BYTES + 1);
  char *path = new_file(bytes, INF_SECRET_MAX_BYTES + 1);
  char spec[600], message[600];
  snprintf(spec, sizeof spec, "file:%s", path);
  snprintf(message, sizeof message,
           "k: cannot read %s: larger than 65536 bytes", path);
  fails(inf_sv_from(spec), message);
  drop_file(path);
  free(bytes);
}

static void
knows_names_of_secrets(void **state)
{
  (void)state;
  static const char *const yes[] = {
      "Authorization", "API-KEY", "x-api-key", "cookie",       "apikey",
      "X-Auth-Token",  "key",     "sig",       "client_secret"};
  static const char *const no[] = {"x-team", "accept", "monkey", "api-version",
                                   ""};
  for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
    assert_true(inf_secret_is_likely(inf_sv_from(yes[i])));
  for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
    assert_false(inf_secret_is_likely(inf_sv_from(no[i])));
  assert_true(inf_secret_is_reference(INF_SV("env:A")));
  assert_true(inf_secret_is_reference(INF_SV("file:/a")));
  assert_false(inf_secret_is_reference(INF_SV("sk-env:A")));
}

int
main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_literals),
      cmocka_unit_test(reads_variables),
      cmocka_unit_test(refuses_a_variable_that_is_too_long),
      cmocka_unit_test(reads_files),
      cmocka_unit_test(refuses_a_file_that_is_too_large),
      cmocka_unit_test(knows_names_of_secrets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
