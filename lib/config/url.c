/* SPDX-License-Identifier: MIT */
/* Addresses in the configuration: see url.h. */
#include "config/url.h"

#include <arpa/inet.h>
#include <net/if.h>

static bool
is_alnum(char c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z');
}

static bool
is_hex(char c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
         (c >= 'A' && c <= 'F');
}

/* Stays as it is wherever it stands in an address. */
static bool
is_unreserved(char c)
{
  return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static inf_sv
after(inf_sv text, size_t n)
{
  return inf_sv_of(text.ptr + n, text.len - n);
}

/* Printable ASCII that may stand in an address as it is. */
static const char *
check_characters(inf_sv url)
{
  if (url.len == 0)
    return "is empty";
  if (url.len > INF_URL_MAX_BYTES)
    return "is too long";
  for (size_t i = 0; i < url.len; i++) {
    unsigned char c = (unsigned char)url.ptr[i];
    if (c < 0x20 || c == 0x7f)
      return "contains control characters";
    if (c >= 0x80 || c == ' ' || c == '"' || c == '<' || c == '>' ||
        c == '\\' || c == '^' || c == '`' || c == '{' || c == '|' || c == '}')
      return "contains characters that must be percent-encoded";
  }
  return NULL;
}

static bool
is_port(inf_sv port)
{
  long long number;
  return port.len <= 5 && inf_sv_to_int64(port, &number) && number >= 1 &&
         number <= 65535;
}

/* A zone as libcurl reads it: the name of an interface after "%25" or "%". */
static bool
is_zone(inf_sv text)
{
  size_t skip = inf_sv_starts_with(text, INF_SV("%25")) && text.len > 3 ? 3 : 1;
  inf_sv name = after(text, skip);
  for (size_t i = 0; i < name.len; i++)
    if (!is_unreserved(name.ptr[i]))
      return false;
  return name.len > 0 && name.len < IF_NAMESIZE;
}

/* In brackets an IPv6 address, perhaps with a zone. */
static const char *
check_bracketed(inf_sv host, size_t *len)
{
  static const char why[] = "has a host in brackets that is no IPv6 address";
  char address[INET6_ADDRSTRLEN];
  struct in6_addr parsed;
  size_t close = inf_sv_find(host, ']');
  *len = close + 1;
  if (close == host.len)
    return "has no \"]\" after its host";
  inf_sv inside = inf_sv_of(host.ptr + 1, close - 1);
  size_t zone = inf_sv_find(inside, '%');
  if (zone >= sizeof address)
    return why;
  memcpy(address, inside.ptr, zone);
  address[zone] = '\0';
  if (inet_pton(AF_INET6, address, &parsed) != 1)
    return why;
  return zone == inside.len || is_zone(after(inside, zone)) ? NULL : why;
}

/* "host", "host:port", "[v6]:port". */
static const char *
check_authority(inf_sv authority)
{
  size_t len = 0;
  const char *why = NULL;
  if (authority.len == 0 || authority.ptr[0] == ':')
    return "has no host";
  if (authority.ptr[0] == '[') {
    why = check_bracketed(authority, &len);
    if (why)
      return why;
  } else {
    len = inf_sv_find(authority, ':');
    for (size_t i = 0; i < len; i++)
      if (!is_alnum(authority.ptr[i]) && authority.ptr[i] != '-' &&
          authority.ptr[i] != '.' && authority.ptr[i] != '_')
        return "has a host with characters that no host has";
  }
  inf_sv rest = after(authority, len);
  if (rest.len == 0)
    return NULL;
  if (rest.ptr[0] != ':' || !is_port(after(rest, 1)))
    return "has a port that is no number from 1 to 65535";
  return NULL;
}

/* The part between "//" and the path. */
static inf_sv
authority_of(inf_sv rest)
{
  size_t len = 0;
  while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?' &&
         rest.ptr[len] != '#')
    len++;
  return inf_sv_of(rest.ptr, len);
}

static bool
take_scheme(inf_sv *url, inf_sv scheme)
{
  if (url->len < scheme.len ||
      !inf_sv_eq_nocase(inf_sv_of(url->ptr, scheme.len), scheme))
    return false;
  *url = after(*url, scheme.len);
  return true;
}

const char *
inf_url_check_base(inf_sv url)
{
  const char *why = check_characters(url);
  if (why)
    return why;
  if (!take_scheme(&url, INF_SV("https://")) &&
      !take_scheme(&url, INF_SV("http://")))
    return "must begin with https:// or http://";
  if (inf_sv_find(url, '?') != url.len || inf_sv_find(url, '#') != url.len)
    return "must have no query and no fragment (use query)";
  inf_sv authority = authority_of(url);
  if (inf_sv_find(authority, '@') != authority.len)
    return "must name no user (use api_key or headers)";
  return check_authority(authority);
}

inf_sv
inf_url_trim(inf_sv url)
{
  while (url.len > 0 && url.ptr[url.len - 1] == '/')
    url.len--;
  return url;
}

bool
inf_url_is_https(inf_sv url)
{
  return take_scheme(&url, INF_SV("https://"));
}

/* What follows "scheme://", or all of it. */
static inf_sv
after_scheme(inf_sv url)
{
  for (size_t i = 0; i + 3 <= url.len; i++)
    if (memcmp(url.ptr + i, "://", 3) == 0)
      return after(url, i + 3);
  return url;
}

const char *
inf_url_check_proxy(inf_sv url)
{
  static const char *const schemes[] = {"http://",   "https://",
                                        "socks4://", "socks4a://",
                                        "socks5://", "socks5h://"};
  const char *why = check_characters(url);
  if (why)
    return why;
  inf_sv rest = after_scheme(url);
  bool known = rest.len == url.len;
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0] && !known; i++) {
    inf_sv with = url;
    known = take_scheme(&with, inf_sv_from(schemes[i])) && with.len == rest.len;
  }
  if (!known)
    return "must begin with http://, https:// or socks5h:// (or socks5, "
           "socks4, socks4a)";
  inf_sv authority = authority_of(rest);
  inf_sv user = inf_url_userinfo(url);
  /* libcurl takes the first "@" for the end of the user. */
  if (inf_sv_find(user, '@') < user.len)
    return "has an \"@\" in its user or password (write %40)";
  if (user.len > 0 || (authority.len > 0 && authority.ptr[0] == '@'))
    authority = after(authority, user.len + 1);
  return check_authority(authority);
}

inf_sv
inf_url_userinfo(inf_sv url)
{
  inf_sv authority = authority_of(after_scheme(url));
  for (size_t len = authority.len; len > 0; len--)
    if (authority.ptr[len - 1] == '@')
      return inf_sv_of(authority.ptr, len - 1);
  return INF_SV("");
}

const char *
inf_url_check_resolve(inf_sv entry)
{
  static const char form[] = "is not of the form \"host:port:address\"";
  const char *why = check_characters(entry);
  if (why)
    return why;
  size_t host = inf_sv_find(entry, ':');
  if (host == 0 || host == entry.len)
    return form;
  for (size_t i = 0; i < host; i++)
    if (!is_alnum(entry.ptr[i]) &&
        (i == 0 ||
         (entry.ptr[i] != '-' && entry.ptr[i] != '.' && entry.ptr[i] != '_')))
      return "has a host with characters that no host has";
  inf_sv rest = after(entry, host + 1);
  size_t port = inf_sv_find(rest, ':');
  if (port == rest.len)
    return form;
  if (!is_port(inf_sv_of(rest.ptr, port)))
    return "has a port that is no number from 1 to 65535";
  inf_sv address = after(rest, port + 1);
  if (address.len == 0)
    return form;
  for (size_t i = 0; i < address.len; i++)
    if (!is_hex(address.ptr[i]) && !strchr(":.,[]", address.ptr[i]))
      return "has an address that is no IP address";
  return NULL;
}

bool
inf_url_encode(inf_buf *out, inf_sv text)
{
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];
    char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
    bool plain = is_unreserved((char)c);
    if (!inf_buf_append(out, plain ? (const char *)&c : escape, plain ? 1 : 3))
      return false;
  }
  return true;
}
