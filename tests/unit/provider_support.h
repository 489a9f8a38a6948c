/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_PROVIDER_SUPPORT_H
#define TESTS_UNIT_PROVIDER_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "infer/infer.h"
#include "provider/dialect.h"

/* Helpers that the tests of the provider floor share. */

#define S(text) inf_sv_from(text)

static inline void
assert_sv(inf_sv actual, const char *expected)
{
  assert_int_equal(actual.len, strlen(expected));
  if (actual.len > 0)
    assert_memory_equal(actual.ptr, expected, actual.len);
}

static inline void
assert_buf(const inf_buf *actual, const char *expected)
{
  assert_string_equal(inf_buf_cstr(actual), expected);
}

/* Compared as values: order of members and spaces do not matter. */
static inline void
assert_json(const char *actual, const char *expected)
{
  json_object *a = json_tokener_parse(actual);
  json_object *b = json_tokener_parse(expected);
  if (!b)
    fail_msg("the expected text is not JSON: %s", expected);
  if (!a || !json_object_equal(a, b))
    fail_msg("came:     %s\nexpected: %s", actual, expected);
  json_object_put(a);
  json_object_put(b);
}

/* Compares the JSON at a path like "choices.0.message.content". */
static inline void
assert_json_at(const char *json, const char *pointer, const char *expected)
{
  json_object *root = json_tokener_parse(json);
  json_object *value = NULL;
  json_object *wanted = json_tokener_parse(expected);
  if (json_pointer_get(root, pointer, &value) != 0)
    fail_msg("nothing at %s in %s", pointer, json);
  if (!json_object_equal(value, wanted))
    fail_msg("at %s: %s, expected %s", pointer,
             json_object_to_json_string(value), expected);
  json_object_put(wanted);
  json_object_put(root);
}

static inline bool
json_has(const char *json, const char *pointer)
{
  json_object *root = json_tokener_parse(json);
  json_object *value = NULL;
  bool found = json_pointer_get(root, pointer, &value) == 0;
  json_object_put(root);
  return found;
}

/* ---- A decoder with its answer ------------------------------------------- */

typedef struct reading {
  inf_answer answer;
  inf_decoder decoder;
  inf_headers headers;
  inf_decoder_options options;
  inf_buf json;
  int32_t status;
} reading;

static inline inf_decoder_options
default_options(bool stream)
{
  return (inf_decoder_options){
      .kind = inf_provider_kind_find(INF_SV("openai")),
      .stream = stream,
      .choices = 1,
      .max_body_bytes = (size_t)1 << 20,
      .max_event_bytes = (size_t)1 << 16,
      .max_depth = 32,
  };
}

static inline void
reading_init(reading *r, inf_decoder_options options)
{
  *r = (reading){.options = options};
  inf_answer_init(&r->answer, options.max_body_bytes);
  inf_headers_init(&r->headers, 65536);
  inf_buf_init(&r->json, SIZE_MAX);
  inf_decoder_init(&r->decoder, &options, &r->answer);
}

static inline void
reading_fini(reading *r)
{
  inf_decoder_fini(&r->decoder);
  inf_answer_fini(&r->answer);
  inf_headers_fini(&r->headers);
  inf_buf_fini(&r->json);
}

static inline void
reading_header(reading *r, const char *line)
{
  assert_int_equal(inf_headers_add_line(&r->headers, S(line)), INFER_OK);
}

/* Feeds all of it in pieces of step bytes (0: at once) and ends. */
static inline int32_t
reading_run(reading *r, int http_status, inf_sv body, size_t step)
{
  inf_decoder_headers(&r->decoder, http_status, &r->headers, 0);
  while (body.len > 0) {
    size_t len = step > 0 && step < body.len ? step : body.len;
    if (inf_decoder_feed(&r->decoder, body.ptr, len) == INF_DECODER_DONE)
      break;
    body = inf_sv_of(body.ptr + len, body.len - len);
  }
  r->status = inf_decoder_end(&r->decoder, true);
  inf_answer_write_json(&r->answer, &r->json);
  return r->status;
}

#endif
