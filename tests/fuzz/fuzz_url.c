/* SPDX-License-Identifier: MIT */
/* Addresses as a configuration could give them, held against libcurl: what is
 * accepted libcurl takes too, and goes to the same host and port; what is
 * encoded libcurl decodes to the same. */
#include "fuzz/fuzz.h"

#include "config/url.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES (16 * INF_URL_MAX_BYTES)

/* A part of the address as libcurl reads it; NULL if it has none. */
static char *
part_of(CURLU *url, CURLUPart part)
{
  char *text = NULL;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK)
    text = NULL;
  return text;
}

static CURLU *
by_curl(const char *text, unsigned flags)
{
  CURLU *url = curl_url();
  if (!url)
    abort();
  FUZZ_CHECK(curl_url_set(url, CURLUPART_URL, text, flags) == CURLUE_OK);
  return url;
}

/* Does libcurl read the host in its own way: an IPv4 address with hex or
 * missing parts, an IPv6 address in its shortest form or without its zone? */
static bool
is_rewritten(inf_sv authority, inf_sv host)
{
  return (host.len > 0 && strspn(host.ptr, "0123456789.") == host.len) ||
         authority.ptr[0] == '[';
}

/* "host" or "host:port" of ours is what libcurl reads. */
static void
check_authority(CURLU *url, inf_sv authority)
{
  char *host = part_of(url, CURLUPART_HOST);
  char *port = part_of(url, CURLUPART_PORT);
  inf_sv expected = inf_sv_from(host);
  FUZZ_CHECK(host && expected.len > 0);
  size_t colon = authority.len;
  while (port && colon > 0 && authority.ptr[colon - 1] != ':')
    colon--;
  inf_sv ours = inf_sv_of(authority.ptr, port ? colon - 1 : colon);
  FUZZ_CHECK(!port || colon > 0);
  FUZZ_CHECK(inf_sv_eq_nocase(ours, expected) ||
             is_rewritten(authority, expected));
  if (port)
    FUZZ_CHECK(strtol(authority.ptr + colon, NULL, 10) ==
               strtol(port, NULL, 10));
  curl_free(host);
  curl_free(port);
}

static void
check_base(const char *text, inf_sv url)
{
  if (inf_url_check_base(url))
    return;
  CURLU *parsed = by_curl(text, 0);
  char *user = part_of(parsed, CURLUPART_USER);
  char *query = part_of(parsed, CURLUPART_QUERY);
  char *fragment = part_of(parsed, CURLUPART_FRAGMENT);
  FUZZ_CHECK(!user && !query && !fragment);
  inf_sv rest = url;
  fuzz_take_until(&rest, "://");
  inf_sv authority = fuzz_take_until(&rest, "/");
  check_authority(parsed, authority);
  FUZZ_CHECK(inf_url_check_base(inf_url_trim(url)) == NULL);
  curl_url_cleanup(parsed);
}

static void
check_proxy(const char *text, inf_sv url)
{
  if (inf_url_check_proxy(url))
    return;
  /* As libcurl reads a proxy: any scheme, and none means http. */
  CURLU *parsed = by_curl(text, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME);
  char *user = part_of(parsed, CURLUPART_USER);
  FUZZ_CHECK(!user || inf_url_userinfo(url).len > 0 || user[0] == '\0');
  curl_free(user);
  curl_url_cleanup(parsed);
}

static void
check_encoding(inf_sv text)
{
  inf_buf out;
  int len = 0;
  inf_buf_init(&out, SIZE_MAX);
  FUZZ_CHECK(inf_url_encode(&out, text));
  char *decoded =
      curl_easy_unescape(NULL, inf_buf_cstr(&out), (int)out.len, &len);
  FUZZ_CHECK(decoded && inf_sv_eq(inf_sv_of(decoded, (size_t)len), text));
  curl_free(decoded);
  inf_buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);
  if (!text)
    abort();
  if (size > 0)
    memcpy(text, data, size);
  text[size] = '\0';
  inf_sv url = inf_sv_of(text, size);
  fuzz_memory_begin();
  if (size <= INF_URL_MAX_BYTES) {
    check_base(text, url);
    check_proxy(text, url);
    check_encoding(url);
    (void)inf_url_check_resolve(url);
  }
  fuzz_memory_end(MAX_BYTES);
  free(text);
  return 0;
}
