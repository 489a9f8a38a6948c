/* SPDX-License-Identifier: MIT */
#include "provider/send.h"

#include "provider/model_list.h"

#include <string.h>

#include "base/mem.h"
#include "infer/infer.h"
#include "wire/swar.h"

/* Providers and the servers in front of them refuse more. */
#define MAX_URL_BYTES     (16 << 10)
#define MAX_HEADERS_BYTES (128 << 10)
/* Larger memory is not kept for the next request. */
#define KEEP_HEADERS_BYTES ((size_t)4 << 10)
/* What the account adds to the body. */
#define MAX_ADDED_BYTES ((size_t)4 << 20)

void
inf_wire_request_init(inf_wire_request *request)
{
  inf_buf_init(&request->url, MAX_URL_BYTES);
  inf_buf_init(&request->headers, MAX_HEADERS_BYTES);
  inf_buf_init(&request->body, INF_CHAT_MAX_BYTES + MAX_ADDED_BYTES);
}

void
inf_wire_request_fini(inf_wire_request *request)
{
  inf_buf_fini(&request->url);
  inf_buf_fini_secret(&request->headers);
  inf_buf_fini(&request->body);
}

void
inf_wire_request_clear(inf_wire_request *request)
{
  inf_wipe(request->url.ptr, request->url.len); /* a query may hold a key */
  inf_buf_clear(&request->url);
  if (request->headers.cap > KEEP_HEADERS_BYTES)
    inf_buf_fini_secret(&request->headers);
  inf_wipe(request->headers.ptr, request->headers.len);
  inf_buf_clear(&request->headers);
  inf_buf_clear(&request->body);
}

static int32_t
refuse(inf_buf *why, const char *text)
{
  if (why)
    inf_buf_append_cstr(why, text);
  return INFER_E_INVALID_ARGUMENT;
}

/* Eight bytes that may stand in a URL before its fragment. */
static bool
is_url_text(uint64_t word)
{
  return (inf_swar_below(word, 0x21) | inf_swar_equal(word, 0x7f) |
          inf_swar_equal(word, '#')) == 0;
}

static bool
url_text_valid(inf_sv text)
{
  size_t i = 0;
  while (text.len - i >= 8 && is_url_text(inf_swar_load(text.ptr + i)))
    i += 8;
  for (; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    if (c <= 0x20 || c == 0x7F || c == '#')
      return false;
  }
  return true;
}

static bool
is_unreserved(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

/* RFC 3986 2.1: all but the unreserved, so that a model's name is one
 * segment whatever stands in it. */
static void
append_encoded(inf_buf *url, inf_sv text)
{
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    const char hex[] = {'%', digits[c >> 4], digits[c & 15]};
    if (is_unreserved(text.ptr[i]))
      inf_buf_append_char(url, text.ptr[i]);
    else
      inf_buf_append(url, hex, sizeof(hex));
  }
}

static void
append_path(inf_buf *url, const char *path, inf_sv model)
{
  static const char mark[] = "{model}";
  const char *at = strstr(path, mark);
  if (at) {
    inf_buf_append(url, path, (size_t)(at - path));
    append_encoded(url, model);
    path = at + sizeof(mark) - 1;
  }
  inf_buf_append_cstr(url, path);
}

const char *
inf_send_chat_path(const inf_send *send)
{
  const inf_provider_kind *kind = send->kind;
  return send->stream && kind->stream_path ? kind->stream_path
                                           : kind->chat_path;
}

static void
append_query(inf_buf *url, inf_sv query, char *sign)
{
  if (query.len == 0)
    return;
  inf_buf_append_char(url, *sign);
  inf_buf_append_sv(url, query);
  *sign = '&';
}

int32_t
inf_send_write_url(const inf_send *send, const char *path, inf_buf *url,
                   inf_buf *why)
{
  inf_sv base = send->base_url;
  if (base.len == 0)
    return refuse(why, "no base_url");
  if (!url_text_valid(base) || !url_text_valid(send->query))
    return refuse(why, "the URL has spaces, control characters or a '#'");
  size_t question = inf_sv_find(base, '?');
  inf_sv front = inf_sv_of(base.ptr, question);
  inf_sv own = question < base.len
                   ? inf_sv_of(base.ptr + question + 1, base.len - question - 1)
                   : INF_SV("");
  while (front.len > 0 && front.ptr[front.len - 1] == '/')
    front.len--;
  inf_buf_append_sv(url, front);
  append_path(url, path, send->model);
  inf_sv query = send->query;
  if (own.len == 0 && query.len == 0 && send->kind->query)
    query = inf_sv_from(send->kind->query);
  char sign = strchr(path, '?') ? '&' : '?';
  append_query(url, own, &sign);
  append_query(url, query, &sign);
  return url->status;
}

/* The next NUL-terminated line of the extra headers, split at the colon. */
static bool
next_line(inf_sv *rest, inf_sv *name, inf_sv *value)
{
  if (rest->len == 0)
    return false;
  size_t len = inf_sv_find(*rest, '\0');
  inf_sv line = inf_sv_of(rest->ptr, len);
  size_t step = len < rest->len ? len + 1 : len;
  *rest = inf_sv_of(rest->ptr + step, rest->len - step);
  size_t colon = inf_sv_find(line, ':');
  *name = inf_sv_of(line.ptr, colon);
  *value = colon < len
               ? inf_sv_trim(inf_sv_of(line.ptr + colon + 1, len - colon - 1))
               : INF_SV("");
  return true;
}

static bool
has_extra(const inf_send *send, inf_sv wanted)
{
  inf_sv rest = send->headers, name, value;
  while (next_line(&rest, &name, &value)) {
    if (inf_sv_eq_nocase(name, wanted))
      return true;
  }
  return false;
}

static int32_t
write_line(inf_sv name, inf_sv value, inf_buf *headers, inf_buf *why)
{
  if (!inf_header_name_valid(name))
    return refuse(why, "a header's name is not valid");
  if (!inf_header_value_valid(value)) {
    if (why) {
      inf_buf_append_cstr(why, "the value of header ");
      inf_buf_append_sv(why, name);
    }
    return refuse(why, " has control characters");
  }
  inf_buf_append_sv(headers, name);
  inf_buf_append(headers, ": ", 2);
  inf_buf_append_sv(headers, value);
  inf_buf_append_char(headers, '\0');
  return headers->status;
}

static void
write_own(const inf_send *send, inf_sv line, inf_buf *headers)
{
  if (send->headers.len > 0 &&
      has_extra(send, inf_sv_of(line.ptr, inf_sv_find(line, ':'))))
    return;
  inf_buf_append(headers, line.ptr, line.len + 1);
}

int32_t
inf_send_write_header(const inf_send *send, inf_sv name, inf_sv value,
                      inf_buf *headers, inf_buf *why)
{
  if (send->headers.len > 0 && has_extra(send, name))
    return INFER_OK;
  return write_line(name, value, headers, why);
}

void
inf_send_write_fixed(const inf_send *send, inf_buf *headers)
{
  const char *line = send->kind->fixed_headers;
  for (; line && *line; line += strlen(line) + 1)
    write_own(send, inf_sv_from(line), headers);
}

/* Fixed headers end with an empty line. */
static size_t
fixed_bytes(const inf_provider_kind *kind)
{
  const char *line = kind->fixed_headers;
  if (!line)
    return 0;
  while (*line)
    line += strlen(line) + 1;
  return (size_t)(line - kind->fixed_headers);
}

void
inf_send_write_common(const inf_send *send, bool has_body, inf_sv accept,
                      inf_buf *headers)
{
  /* The caller's, and names and words of dialects, which take 180 bytes. */
  enum { own_bytes = 256 };
  inf_buf_reserve(headers, own_bytes + fixed_bytes(send->kind) +
                               send->auth_scheme.len + send->key.len +
                               send->organization.len + send->project.len +
                               send->headers.len);
  if (has_body)
    write_own(send, INF_SV("Content-Type: application/json"), headers);
  write_own(send, accept, headers);
  write_own(send, INF_SV("User-Agent: libinfer/" INFER_VERSION), headers);
  inf_send_write_fixed(send, headers);
}

int32_t
inf_send_write_key(const inf_send *send, inf_buf *headers, inf_buf *why)
{
  const char *own = send->kind->key_header;
  bool bare = own && inf_sv_eq_nocase(send->auth_scheme, inf_sv_from(own));
  const inf_sv name = bare ? inf_sv_from(own) : INF_SV("Authorization");
  if (send->key.len == 0 || send->auth_scheme.len == 0 || has_extra(send, name))
    return INFER_OK;
  if (!inf_header_name_valid(send->auth_scheme))
    return refuse(why, "the authorization scheme is not one word");
  if (!inf_header_value_valid(send->key))
    return refuse(why, "the API key has control characters");
  inf_buf_append_sv(headers, name);
  inf_buf_append(headers, ": ", 2);
  if (!bare) {
    inf_buf_append_sv(headers, send->auth_scheme);
    inf_buf_append_char(headers, ' ');
  }
  inf_buf_append_sv(headers, send->key);
  inf_buf_append_char(headers, '\0');
  return headers->status;
}

int32_t
inf_send_write_extra(const inf_send *send, inf_buf *headers, inf_buf *why)
{
  inf_sv rest = send->headers, name, value;
  while (next_line(&rest, &name, &value)) {
    int32_t status = write_line(name, value, headers, why);
    if (status != INFER_OK)
      return status;
  }
  return INFER_OK;
}

static int32_t
write_headers(const inf_send *send, bool has_body, inf_sv accept,
              inf_buf *headers, inf_buf *why)
{
  inf_send_write_common(send, has_body, accept, headers);
  int32_t status = headers->status;
  if (status == INFER_OK)
    status = inf_send_write_key(send, headers, why);
  if (status == INFER_OK)
    status = inf_send_write_extra(send, headers, why);
  return status;
}

int32_t
inf_send_write_head_to(const inf_send *send, const char *path, inf_sv accept,
                       inf_wire_request *out, inf_buf *why)
{
  int32_t status = inf_send_write_url(send, path, &out->url, why);
  if (status == INFER_OK)
    status = write_headers(send, true, accept, &out->headers, why);
  return status;
}

int32_t
inf_send_write_head(const inf_send *send, inf_sv accept, inf_wire_request *out,
                    inf_buf *why)
{
  return inf_send_write_head_to(send, inf_send_chat_path(send), accept, out,
                                why);
}

int32_t
inf_send_write_models(const inf_send *send, inf_wire_request *out)
{
  int32_t status = inf_model_list_write(send, out);
  if (status == INFER_OK)
    status = write_headers(send, out->body.len > 0, INF_ACCEPT_JSON,
                           &out->headers, NULL);
  return status;
}
