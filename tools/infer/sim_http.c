/* SPDX-License-Identifier: MIT */
/* The request parser: a line at a time for head, chunk sizes and trailers,
 * bytes in bulk for bodies. */

#include "sim_http.h"

enum stage {
  STAGE_START,
  STAGE_FIELDS,
  STAGE_BODY,
  STAGE_CHUNK_SIZE,
  STAGE_CHUNK_DATA,
  STAGE_CHUNK_END,
  STAGE_TRAILER,
  STAGE_READY,
  STAGE_BAD,
};

void
inf_sim_http_init(inf_sim_http *http)
{
  *http = (inf_sim_http){0};
  inf_buf_init(&http->line, INF_SIM_HEAD_MAX + 1);
  inf_buf_init(&http->method, INF_SIM_HEAD_MAX);
  inf_buf_init(&http->target, INF_SIM_HEAD_MAX);
  inf_headers_init(&http->headers, 2 * INF_SIM_HEAD_MAX);
  inf_buf_init(&http->body, INF_SIM_BODY_MAX);
}

void
inf_sim_http_fini(inf_sim_http *http)
{
  inf_buf_fini(&http->line);
  inf_buf_fini(&http->method);
  inf_buf_fini(&http->target);
  inf_headers_fini(&http->headers);
  inf_buf_fini(&http->body);
}

void
inf_sim_http_reset(inf_sim_http *http)
{
  inf_buf_clear(&http->line);
  inf_buf_clear(&http->method);
  inf_buf_clear(&http->target);
  inf_headers_clear(&http->headers);
  inf_buf_clear(&http->body);
  http->stage = STAGE_START;
  http->head_bytes = 0;
  http->left = 0;
  http->http_1_0 = http->keep_alive = http->chunked = false;
  http->wants_continue = false;
  http->error_status = 0;
  http->error = NULL;
}

bool
inf_sim_http_begun(const inf_sim_http *http)
{
  return http->stage != STAGE_START || http->line.len > 0;
}

static void
refuse(inf_sim_http *http, unsigned status, const char *error)
{
  http->stage = STAGE_BAD;
  http->error_status = status;
  http->error = error;
}

bool
inf_sim_http_lists(inf_sv value, inf_sv word)
{
  while (value.len > 0) {
    size_t comma = inf_sv_find(value, ',');
    inf_sv item = inf_sv_of(value.ptr, comma);
    item.len = inf_sv_find(item, ';');
    if (inf_sv_eq_nocase(inf_sv_trim(item), word)) {
      return true;
    }
    size_t next = comma < value.len ? comma + 1 : comma;
    value = inf_sv_of(value.ptr + next, value.len - next);
  }
  return false;
}

/* The request line: method, target, version. */
static void
read_start(inf_sim_http *http, inf_sv line)
{
  if (line.len == 0) {
    return; /* RFC 9112 2.2: blank lines before a request are ignored */
  }
  size_t space = inf_sv_find(line, ' ');
  inf_sv rest = inf_sv_of(line.ptr + space, line.len - space);
  if (rest.len < 2 || !inf_header_name_valid(inf_sv_of(line.ptr, space))) {
    refuse(http, 400, "The request line is malformed.");
    return;
  }
  rest = inf_sv_of(rest.ptr + 1, rest.len - 1);
  size_t end = inf_sv_find(rest, ' ');
  inf_sv version = inf_sv_of(rest.ptr + end, rest.len - end);
  http->http_1_0 = inf_sv_eq(version, INF_SV(" HTTP/1.0"));
  if (end == 0 || (rest.ptr[0] != '/' && rest.ptr[0] != 'h') ||
      (!http->http_1_0 && !inf_sv_eq(version, INF_SV(" HTTP/1.1")))) {
    refuse(http, 400, "The request line is malformed.");
    return;
  }
  inf_buf_append(&http->method, line.ptr, space);
  inf_buf_append(&http->target, rest.ptr, end);
  http->stage = STAGE_FIELDS;
}

static void
read_field(inf_sim_http *http, inf_sv line)
{
  size_t colon = inf_sv_find(line, ':');
  inf_sv name = inf_sv_of(line.ptr, colon);
  if (colon == line.len || !inf_header_name_valid(name) ||
      !inf_header_value_valid(
          inf_sv_of(line.ptr + colon + 1, line.len - colon - 1))) {
    refuse(http, 400, "A header field is malformed.");
    return;
  }
  inf_headers_add_line(&http->headers, line);
}

static size_t
count_fields(const inf_headers *headers, inf_sv wanted, inf_sv *value)
{
  size_t count = 0;
  inf_sv name, text;
  for (size_t i = 0; inf_headers_at(headers, i, &name, &text); i++) {
    if (inf_sv_eq_nocase(name, wanted)) {
      *value = text;
      count++;
    }
  }
  return count;
}

static void
begin_length(inf_sim_http *http, inf_sv value)
{
  long long length = 0;
  if (!inf_sv_to_int64(value, &length) || length < 0) {
    refuse(http, 400, "Content-Length is malformed.");
  } else if ((uint64_t)length > INF_SIM_BODY_MAX) {
    refuse(http, 413, "The request body is too large.");
  } else {
    http->left = (uint64_t)length;
    http->stage = length > 0 ? STAGE_BODY : STAGE_READY;
  }
}

static void
begin_body(inf_sim_http *http)
{
  inf_sv length = {0}, coding = {0};
  size_t lengths =
      count_fields(&http->headers, INF_SV("content-length"), &length);
  size_t codings =
      count_fields(&http->headers, INF_SV("transfer-encoding"), &coding);
  if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0)) {
    refuse(http, 400, "The length of the request body is ambiguous.");
  } else if (codings > 0 && !inf_sv_eq_nocase(coding, INF_SV("chunked"))) {
    refuse(http, 501, "Transfer-Encoding is not supported.");
  } else if (codings > 0) {
    http->chunked = true;
    http->stage = STAGE_CHUNK_SIZE;
  } else if (lengths > 0) {
    begin_length(http, length);
  } else {
    http->stage = STAGE_READY;
  }
}

static void
end_fields(inf_sim_http *http)
{
  inf_sv value = {0};
  size_t hosts = count_fields(&http->headers, INF_SV("host"), &value);
  if (hosts > 1 || (hosts == 0 && !http->http_1_0)) {
    refuse(http, 400, "A request must have one Host field.");
    return;
  }
  bool named = inf_headers_get(&http->headers, INF_SV("connection"), &value);
  http->keep_alive =
      http->http_1_0 ? false
                     : !named || !inf_sim_http_lists(value, INF_SV("close"));
  begin_body(http);
  if (http->stage != STAGE_READY && http->stage != STAGE_BAD &&
      inf_headers_get(&http->headers, INF_SV("expect"), &value)) {
    http->wants_continue = inf_sv_eq_nocase(value, INF_SV("100-continue"));
  }
}

static bool
parse_chunk_size(inf_sv line, uint64_t *size)
{
  inf_sv digits = inf_sv_trim(inf_sv_of(line.ptr, inf_sv_find(line, ';')));
  *size = 0;
  for (size_t i = 0; i < digits.len; i++) {
    char c = digits.ptr[i];
    char lower = (char)(c | 0x20);
    if (c >= '0' && c <= '9') {
      *size = *size * 16 + (uint64_t)(c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      *size = *size * 16 + (uint64_t)(lower - 'a' + 10);
    } else {
      return false;
    }
  }
  return digits.len > 0 && digits.len <= 8;
}

static void
read_chunk_size(inf_sim_http *http, inf_sv line)
{
  if (!parse_chunk_size(line, &http->left)) {
    refuse(http, 400, "A chunk size is malformed.");
  } else if (http->left + http->body.len > INF_SIM_BODY_MAX) {
    refuse(http, 413, "The request body is too large.");
  } else {
    http->stage = http->left > 0 ? STAGE_CHUNK_DATA : STAGE_TRAILER;
  }
}

static void
read_line(inf_sim_http *http, inf_sv line)
{
  switch (http->stage) {
  case STAGE_START:
    read_start(http, line);
    break;
  case STAGE_FIELDS:
    if (line.len > 0) {
      read_field(http, line);
    } else {
      end_fields(http);
    }
    break;
  case STAGE_CHUNK_SIZE:
    read_chunk_size(http, line);
    break;
  case STAGE_CHUNK_END:
    http->stage = STAGE_CHUNK_SIZE;
    if (line.len > 0) {
      refuse(http, 400, "A chunk does not end where it should.");
    }
    break;
  case STAGE_TRAILER:
    if (line.len == 0) {
      http->stage = STAGE_READY;
    }
    break;
  default:
    break;
  }
}

/* Takes bytes up to the end of a line; head, sizes and trailers together may
 * not be longer than a head. */
static size_t
feed_line(inf_sim_http *http, inf_sv bytes)
{
  size_t at = inf_sv_find(bytes, '\n');
  bool whole = at < bytes.len;
  size_t used = whole ? at + 1 : at;
  if (http->stage <= STAGE_FIELDS || http->stage == STAGE_TRAILER) {
    http->head_bytes += used;
  }
  if (http->head_bytes > INF_SIM_HEAD_MAX ||
      http->line.len + used > INF_SIM_HEAD_MAX) {
    refuse(http, 431, "The request head is too large.");
    return used;
  }
  inf_buf_append(&http->line, bytes.ptr, at);
  inf_sim_must(&http->line);
  if (whole) {
    inf_sv line = inf_buf_sv(&http->line);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
      line.len--;
    }
    read_line(http, line);
    inf_buf_clear(&http->line);
  }
  return used;
}

static size_t
feed_body(inf_sim_http *http, inf_sv bytes)
{
  size_t len = bytes.len < http->left ? bytes.len : (size_t)http->left;
  inf_buf_append(&http->body, bytes.ptr, len);
  inf_sim_must(&http->body);
  http->left -= len;
  if (http->left == 0) {
    http->stage = http->stage == STAGE_BODY ? STAGE_READY : STAGE_CHUNK_END;
  }
  return len;
}

inf_sim_http_state
inf_sim_http_feed(inf_sim_http *http, inf_sv bytes, size_t *used)
{
  *used = 0;
  while (*used < bytes.len && http->stage < STAGE_READY) {
    inf_sv rest = inf_sv_of(bytes.ptr + *used, bytes.len - *used);
    if (http->stage == STAGE_BODY || http->stage == STAGE_CHUNK_DATA) {
      *used += feed_body(http, rest);
    } else {
      *used += feed_line(http, rest);
    }
  }
  return http->stage == STAGE_READY ? INF_SIM_HTTP_READY
         : http->stage == STAGE_BAD ? INF_SIM_HTTP_BAD
                                    : INF_SIM_HTTP_PARTIAL;
}
