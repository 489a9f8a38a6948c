/* SPDX-License-Identifier: MIT */
#include "provider/error_body.h"

#include "wire/json_scan.h"

#define MAX_DEPTH 64

/* Clarifai's code for success. */
#define CLARIFAI_SUCCESS 10000

static bool
is_text(inf_sv value)
{
  return inf_json_is(value, INF_JSON_STRING) && value.len > 2;
}

static bool
is_word(inf_sv value)
{
  return is_text(value) || inf_json_is(value, INF_JSON_NUMBER);
}

/* First of the named members (names separated by spaces) that is a non-empty
 * string, or a number where that will do. */
static inf_sv
first_of(inf_sv object, const char *names, bool number_too)
{
  inf_sv rest = inf_sv_from(names);
  while (rest.len > 0) {
    size_t len = inf_sv_find(rest, ' ');
    inf_sv value = inf_json_get(object, inf_sv_of(rest.ptr, len));
    if (number_too ? is_word(value) : is_text(value))
      return value;
    rest.ptr += len;
    rest.len -= len;
    rest = inf_sv_trim(rest);
  }
  return (inf_sv){0};
}

/* The first of the members that is a number like an HTTP status. Strings do
 * not count: Azure's "404" only repeats the status line. */
static int32_t
status_of(inf_sv object, const char *const *names, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    int64_t number;
    inf_sv value = inf_json_get(object, inf_sv_from(names[i]));
    if (inf_json_int64(value, false, &number) && number >= 100 && number <= 599)
      return (int32_t)number;
  }
  return 0;
}

/* Google's details are an array of typed objects, Anthropic's an object. */
static void
read_details(inf_sv details, inf_error_body *error)
{
  error->detail_code = first_of(details, "error_code code", false);
  if (!inf_json_is(details, INF_JSON_ARRAY))
    return;
  inf_json_iter it = inf_json_iter_of(details);
  while (inf_json_next(&it)) {
    inf_sv delay = inf_json_get(it.value, INF_SV("retryDelay"));
    inf_sv reason = inf_json_get(it.value, INF_SV("reason"));
    if (is_text(delay))
      error->retry_delay = delay;
    if (is_text(reason))
      error->detail_code = reason;
  }
}

static void
read_metadata(inf_sv metadata, inf_error_body *error)
{
  error->raw = inf_json_get(metadata, INF_SV("raw"));
  inf_sv headers = inf_json_get(metadata, INF_SV("headers"));
  error->reset = first_of(headers, "X-RateLimit-Reset x-ratelimit-reset", true);
}

static void
read_object(inf_sv object, inf_sv outer, inf_error_body *error)
{
  static const char *const numbers[] = {"code", "status", "status_code"};
  error->message =
      first_of(object, "message Message detail description", false);
  error->type = first_of(object, "type", true);
  if (error->type.len == 0)
    error->type = first_of(object, "status error_type", false);
  error->code = first_of(object, "code", true);
  error->param = first_of(object, "param", false);
  error->request_id = first_of(outer, "request_id", false);
  error->body_status = status_of(object, numbers, 3);
  read_details(inf_json_get(object, INF_SV("details")), error);
  /* Azure tells in an inner error what its filter found. */
  if (error->detail_code.len == 0)
    error->detail_code =
        first_of(inf_json_get(object, INF_SV("innererror")), "code", false);
  read_metadata(inf_json_get(object, INF_SV("metadata")), error);
}

/* {"status": {...}}. A number of its own range, so never an HTTP status. */
static bool
read_clarifai(inf_sv status, inf_error_body *error)
{
  int64_t number;
  inf_sv code = inf_json_get(status, INF_SV("code"));
  if (!is_word(code) || inf_json_equal(code, INF_SV("SUCCESS")) ||
      (inf_json_int64(code, true, &number) && number == CLARIFAI_SUCCESS))
    return false;
  error->clarifai = true;
  error->code = code;
  error->message = first_of(status, "description details", false);
  error->message_more = first_of(status, "details", false);
  if (error->message_more.ptr == error->message.ptr)
    error->message_more = (inf_sv){0};
  error->request_id = first_of(status, "req_id", false);
  return true;
}

/* {"base_resp": {...}}, which tells of success, too. */
static bool
read_minimax(inf_sv resp, inf_error_body *error)
{
  int64_t number;
  inf_sv code = inf_json_get(resp, INF_SV("status_code"));
  if (!inf_json_int64(code, true, &number) || number == 0)
    return false;
  error->minimax = true;
  error->code = code;
  error->message = first_of(resp, "status_msg", false);
  return true;
}

/* {"success": false, "errors": [...]}: the first tells. */
static bool
read_cloudflare(inf_sv value, inf_error_body *error)
{
  inf_sv first = inf_json_at(inf_json_get(value, INF_SV("errors")), 0);
  if (!inf_json_is(inf_json_get(value, INF_SV("success")), INF_JSON_FALSE) ||
      !inf_json_is(first, INF_JSON_OBJECT))
    return false;
  error->message = first_of(first, "message", false);
  error->code = first_of(first, "code", true);
  return error->message.len > 0 || error->code.len > 0;
}

/* The flat shapes, without an "error" member. */
static bool
read_flat(inf_sv value, inf_error_body *error)
{
  static const char *const numbers[] = {"code", "raw_status_code", "status"};
  inf_sv detail = inf_json_get(value, INF_SV("detail"));
  error->aws_type = first_of(value, "__type", false);
  error->message = first_of(value, "message Message detail", false);
  if (error->message.len == 0 && inf_json_is(detail, INF_JSON_ARRAY))
    error->list = detail;
  if (error->message.len == 0 && error->list.len == 0) {
    if (inf_json_is(detail, INF_JSON_OBJECT))
      read_object(detail, value, error);
    return error->message.len > 0 ||
           read_clarifai(inf_json_get(value, INF_SV("status")), error) ||
           read_minimax(inf_json_get(value, INF_SV("base_resp")), error) ||
           read_cloudflare(value, error) || error->aws_type.len > 0;
  }
  error->type = first_of(value, "type error_type", false);
  error->code = first_of(value, "code", true);
  error->param = first_of(value, "param", false);
  error->request_id = first_of(value, "request_id id", false);
  error->body_status = status_of(value, numbers, 3);
  return true;
}

bool
inf_error_body_of(inf_sv value, inf_error_body *error)
{
  *error = (inf_error_body){0};
  if (inf_json_is(value, INF_JSON_ARRAY))
    value = inf_json_at(value, 0);
  if (!inf_json_is(value, INF_JSON_OBJECT))
    return false;
  inf_sv inner = inf_json_get(value, INF_SV("error"));
  if (inf_json_is(inner, INF_JSON_OBJECT) && inf_json_count(inner) > 0) {
    read_object(inner, value, error);
    return true;
  }
  if (is_text(inner)) {
    static const char *const numbers[] = {"code", "status", "status_code"};
    error->message = inner;
    error->type = first_of(value, "error_type type", false);
    error->code = first_of(value, "code", true);
    error->load_time = inf_json_get(value, INF_SV("estimated_time"));
    error->body_status = status_of(value, numbers, 3);
    return true;
  }
  return read_flat(value, error);
}

/* ---- Bodies that are no JSON --------------------------------------------- */

bool
inf_error_body_is_html(inf_sv body)
{
  static const char *const starts[] = {
      "<!doctype html", "<html", "<head", "<!--", "<?xml", "<body", "<h1"};
  body = inf_sv_trim(body);
  for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
    inf_sv start = inf_sv_from(starts[i]);
    if (body.len >= start.len &&
        inf_sv_eq_nocase(inf_sv_of(body.ptr, start.len), start))
      return true;
  }
  return false;
}

/* What stands between <title> and the next '<'. */
static inf_sv
html_title(inf_sv body)
{
  const inf_sv tag = INF_SV("<title>");
  for (size_t i = 0; i + tag.len <= body.len; i++) {
    if (body.ptr[i] != '<' ||
        !inf_sv_eq_nocase(inf_sv_of(body.ptr + i, tag.len), tag))
      continue;
    inf_sv rest = inf_sv_of(body.ptr + i + tag.len, body.len - i - tag.len);
    return inf_sv_trim(inf_sv_of(rest.ptr, inf_sv_find(rest, '<')));
  }
  return INF_SV("an HTML page");
}

bool
inf_error_body_read(inf_sv body, inf_error_body *error)
{
  inf_sv value;
  *error = (inf_error_body){0};
  if (inf_json_scan(body, MAX_DEPTH, &value, NULL)) {
    if (is_text(value)) {
      error->message = value;
      return true;
    }
    return inf_error_body_of(value, error);
  }
  body = inf_sv_trim(body);
  error->text = inf_error_body_is_html(body) ? html_title(body) : body;
  return error->text.len > 0;
}
