/* SPDX-License-Identifier: MIT */
/* AWS accounts: keys, regions, and what of a URL is signed. */
#include "provider/aws.h"

#include "infer/infer.h"

/* Room for the lines that a signature adds beside the session token: some 400
 * bytes, and the names of up to INF_SIGV4_MAX_ITEMS headers. */
#define SIGNATURE_BYTES ((size_t)2 << 10)

static inf_sv
rest_after(inf_sv text, size_t at)
{
  size_t from = at < text.len ? at + 1 : text.len;
  return inf_sv_of(text.ptr + from, text.len - from);
}

bool
inf_aws_credentials(inf_sv key, inf_sigv4_account *account)
{
  size_t first = inf_sv_find(key, ':');
  inf_sv rest = rest_after(key, first);
  size_t second = inf_sv_find(rest, ':');
  inf_sv token = rest_after(rest, second);
  if (first == 0 || second == 0 || rest.len == 0 ||
      inf_sv_find(token, ':') < token.len)
    return false;
  if (second < rest.len && token.len == 0)
    return false;
  account->access_key_id = inf_sv_of(key.ptr, first);
  account->secret_access_key = inf_sv_of(rest.ptr, second);
  account->session_token = token;
  return true;
}

/* ---- Address ------------------------------------------------------------- */

static bool
ends_with(inf_sv text, inf_sv end)
{
  return text.len > end.len &&
         inf_sv_eq_nocase(inf_sv_of(text.ptr + text.len - end.len, end.len),
                          end);
}

typedef struct parts {
  inf_sv host, path, query;
} parts;

static parts
split(inf_sv url)
{
  size_t at = 0;
  parts found = {INF_SV(""), INF_SV(""), INF_SV("")};
  while (at + 3 <= url.len && memcmp(url.ptr + at, "://", 3) != 0)
    at++;
  if (at + 3 > url.len)
    return found;
  inf_sv rest = inf_sv_of(url.ptr + at + 3, url.len - at - 3);
  size_t question = inf_sv_find(rest, '?');
  found.query = rest_after(rest, question);
  rest.len = question;
  size_t slash = inf_sv_find(rest, '/');
  found.host = inf_sv_of(rest.ptr, slash);
  found.path = inf_sv_of(rest.ptr + slash, rest.len - slash);
  size_t user = inf_sv_find(found.host, '@');
  if (user < found.host.len)
    found.host = rest_after(found.host, user);
  return found;
}

/* As the Host header has it: without the scheme's own port. */
static inf_sv
without_port(inf_sv host, inf_sv url)
{
  inf_sv port =
      inf_sv_starts_with(url, INF_SV("http:")) ? INF_SV(":80") : INF_SV(":443");
  if (ends_with(host, port))
    host.len -= port.len;
  return host;
}

/* Words of letters and then a number, joined by dashes: us-gov-west-1. */
static bool
is_region(inf_sv label)
{
  size_t words = 0, at = 0;
  while (at < label.len) {
    size_t from = at;
    while (at < label.len && label.ptr[at] >= 'a' && label.ptr[at] <= 'z')
      at++;
    if (at == from || at == label.len || label.ptr[at] != '-')
      break;
    words++;
    at++;
  }
  size_t digits = at;
  while (at < label.len && label.ptr[at] >= '0' && label.ptr[at] <= '9')
    at++;
  return words >= 2 && at > digits && at == label.len;
}

/* The last of them: a VPC endpoint's own name comes before. */
inf_sv
inf_aws_region_of(inf_sv url)
{
  inf_sv host = split(url).host, found = INF_SV("");
  host.len = inf_sv_find(host, ':');
  if (!ends_with(host, INF_SV(".amazonaws.com")) &&
      !ends_with(host, INF_SV(".amazonaws.com.cn")) &&
      !ends_with(host, INF_SV(".api.aws")))
    return found;
  while (host.len > 0) {
    size_t len = inf_sv_find(host, '.');
    if (is_region(inf_sv_of(host.ptr, len)))
      found = inf_sv_of(host.ptr, len);
    host = rest_after(host, len);
  }
  return found;
}

/* ---- Signature ----------------------------------------------------------- */

int32_t
inf_aws_sign(const inf_sigv4_account *account, inf_sv url, inf_sv body,
             int64_t wall_ns, inf_buf *headers, inf_buf *why)
{
  parts found = split(url);
  if (account->region.len == 0) {
    if (why)
      inf_buf_append_cstr(why, "no AWS region (set \"region\" or AWS_REGION)");
    return INFER_E_INVALID_ARGUMENT;
  }
  /* So that the lines stay where they are while they are read. */
  if (!inf_buf_reserve(
          headers, account->access_key_id.len + account->session_token.len +
                       account->region.len + headers->len + SIGNATURE_BYTES))
    return headers->status;
  inf_sigv4_request request = {
      .method = body.len > 0 ? INF_SV("POST") : INF_SV("GET"),
      .host = without_port(found.host, url),
      .path = found.path,
      .query = found.query,
      .headers = inf_buf_sv(headers),
      .body = body,
  };
  return inf_sigv4_sign(account, &request, wall_ns, headers, why);
}
