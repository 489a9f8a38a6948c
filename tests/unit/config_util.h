/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_CONFIG_UTIL_H
#define TESTS_UNIT_CONFIG_UTIL_H

/* What the tests of configurations have in common. Documents are written with
 * ' for " so that they can be read. */

#include "config/config.h"
#include "infer/infer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define HOUSE "{'name':'house','type':'openai','base_url':'http://h/v1'}"

/* The text with " for '. Freed by free(). */
static inline char *
quoted(const char *text)
{
  char *copy = strdup(text);
  assert_non_null(copy);
  for (char *c = copy; *c; c++)
    if (*c == '\'')
      *c = '"';
  return copy;
}

/* A test begins without anything that the library looks for in the
 * environment. */
static inline int
clear_environment(void **state)
{
  static const char *const names[] = {"OPENAI_BASE_URL",
                                      "https_proxy",
                                      "HTTPS_PROXY",
                                      "http_proxy",
                                      "HTTP_PROXY",
                                      "all_proxy",
                                      "ALL_PROXY",
                                      "no_proxy",
                                      "NO_PROXY",
                                      "AWS_ACCESS_KEY_ID",
                                      "AWS_SECRET_ACCESS_KEY",
                                      "AWS_SESSION_TOKEN",
                                      "AWS_REGION",
                                      "AWS_DEFAULT_REGION",
                                      "OTEL_SERVICE_NAME",
                                      "GOOGLE_CLOUD_LOCATION",
                                      "GOOGLE_CLOUD_PROJECT",
                                      "GOOGLE_APPLICATION_CREDENTIALS"};
  const inf_provider_kind *kind;
  (void)state;
  for (size_t i = 0; (kind = inf_provider_kind_at(i)) != NULL; i++)
    if (kind->key_env)
      unsetenv(kind->key_env);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    unsetenv(names[i]);
  return 0;
}

static inline int32_t
compile_text(const char *text, inf_config **config, infer_error **error)
{
  char *json = quoted(text);
  infer_config *source;
  *config = NULL;
  int32_t status =
      infer_config_from_json(&source, json, INFER_NUL_TERMINATED, error);
  if (status == INFER_OK)
    status = inf_config_compile(source, config, error);
  infer_config_free(source);
  free(json);
  return status;
}

/* Compiles; the caller drops the reference. */
static inline inf_config *
compiled(const char *text)
{
  infer_error *error = NULL;
  inf_config *config;
  int32_t status = compile_text(text, &config, &error);
  if (status != INFER_OK)
    fail_msg("%s", infer_error_message(error));
  assert_null(error);
  assert_non_null(config);
  return config;
}

/* The document is refused with exactly this message. */
static inline void
refused(const char *text, const char *message)
{
  infer_error *error = NULL;
  inf_config *config;
  char *wanted = quoted(message);
  assert_int_equal(compile_text(text, &config, &error), INFER_E_CONFIG);
  assert_null(config);
  assert_int_equal(infer_error_status(error), INFER_E_CONFIG);
  assert_string_equal(infer_error_message(error), wanted);
  infer_error_free(error);
  free(wanted);
}

/* The same for one provider "p" of type openai with these members more. */
static inline void
provider_refused(const char *members, const char *message)
{
  char text[4096];
  snprintf(text, sizeof text, "{'providers':[{'name':'p','type':'openai',%s}]}",
           members);
  refused(text, message);
}

static inline inf_config *
provider_compiled(const char *members)
{
  char text[4096];
  snprintf(text, sizeof text, "{'providers':[{'name':'p','type':'openai',%s}]}",
           members);
  return compiled(text);
}

/* A new file with these bytes; its path, to be given to drop_file(). */
static inline char *
new_file(const void *ptr, size_t len)
{
  const char *folder = getenv("TMPDIR");
  char path[512];
  snprintf(path, sizeof path, "%s/infer-test-XXXXXX", folder ? folder : "/tmp");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, ptr, len), (ssize_t)len);
  assert_int_equal(close(fd), 0);
  char *copy = strdup(path);
  assert_non_null(copy);
  return copy;
}

static inline void
drop_file(char *path)
{
  assert_int_equal(unlink(path), 0);
  free(path);
}

#endif
