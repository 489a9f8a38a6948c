/* SPDX-License-Identifier: MIT */
#ifndef TEST_SIM_WIRE_UTIL_H
#define TEST_SIM_WIRE_UTIL_H

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <json.h>

#include "support/sim_process.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define HI \
  "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
#define WHOLE  HI "}"
#define STREAM HI ",\"stream\":true}"

static inline double
now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static inline sim_process *
must_start(const char *script, const char *const *args)
{
  sim_process *sim = sim_start(script, args);
  assert_non_null(sim);
  return sim;
}

/* A POST of body; fields are whole lines. Free it. */
static inline char *
make_request(const char *fields, const char *body)
{
  size_t size = strlen(fields) + strlen(body) + 256;
  char *text = malloc(size);
  assert_non_null(text);
  snprintf(text, size,
           "POST /v1/chat/completions HTTP/1.1\r\nHost: sim\r\n"
           "Content-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
           fields, strlen(body), body);
  return text;
}

static inline void
send_text(int fd, const char *text)
{
  size_t len = strlen(text);
  while (len > 0) {
    ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
    assert_true(n > 0);
    text += n;
    len -= (size_t)n;
  }
}

/* One request on a connection of its own; the raw answer, to be freed. */
static inline char *
ask(sim_process *sim, const char *body, size_t *len, bool *was_reset)
{
  char *request = make_request("Connection: close\r\n", body);
  char *answer = sim_exchange(sim, request, strlen(request), len, was_reset);
  free(request);
  return answer;
}

/* Reads until the text has come (into a buffer to be freed), or fails. */
static inline char *
read_until(int fd, const char *text)
{
  size_t len = 0, cap = 1 << 16;
  char *bytes = malloc(cap);
  assert_non_null(bytes);
  bytes[0] = '\0';
  while (!strstr(bytes, text)) {
    ssize_t n = recv(fd, bytes + len, cap - len - 1, 0);
    if (n <= 0 || len + (size_t)n + 1 == cap)
      fail_msg("%s did not come:\n%s", text, bytes);
    len += (size_t)n;
    bytes[len] = '\0';
  }
  return bytes;
}

static inline json_object *
parse_json(const char *text)
{
  json_object *parsed = text ? json_tokener_parse(text) : NULL;
  if (!parsed)
    fail_msg("no JSON: %s", text ? text : "(null)");
  return parsed;
}

/* A value by its JSON pointer; NULL for null and absent. */
static inline json_object *
at(json_object *json, const char *path)
{
  json_object *value = NULL;
  json_pointer_get(json, path, &value);
  return value;
}

static inline int64_t
int_at(json_object *json, const char *path)
{
  json_object *value = at(json, path);
  if (!json_object_is_type(value, json_type_int))
    fail_msg("%s is no integer: %s", path, json_object_to_json_string(json));
  return json_object_get_int64(value);
}

static inline const char *
text_at(json_object *json, const char *path)
{
  json_object *value = at(json, path);
  if (!json_object_is_type(value, json_type_string))
    fail_msg("%s is no string: %s", path, json_object_to_json_string(json));
  return json_object_get_string(value);
}

/* The log once so many requests have ended. */
static inline json_object *
ended_log(sim_process *sim, size_t count)
{
  char *text = sim_wait_log(sim, count, 5000);
  json_object *log = parse_json(text);
  free(text);
  return log;
}

static inline int64_t
stat_of(sim_process *sim, const char *path)
{
  char *text = sim_stats(sim);
  json_object *stats = parse_json(text);
  int64_t value = int_at(stats, path);
  json_object_put(stats);
  free(text);
  return value;
}

#endif
