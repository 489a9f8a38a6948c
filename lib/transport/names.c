/* SPDX-License-Identifier: MIT */
/* How long the address of a name is used.
 *
 * IMPLEMENTATION NOTES
 *
 * An address lives for a minute, as long as libcurl's cache keeps one: the
 * system's resolver does not tell the record's own time to live. Past that it
 * is still used, while a new lookup goes on beside the exchanges (RFC 8767,
 * "Serving Stale Data to Improve DNS Resiliency": an old answer is better than
 * none). Ten minutes past its life it is dropped, and the next exchange waits
 * for a lookup: by then a name may belong to somebody else. An address that
 * does not connect is dropped at once, unless it was found just now: then
 * another lookup would tell the same.
 *
 * Lookups are caused by exchanges only. A client that does nothing looks
 * nothing up. */
#include "transport/names.h"

#include "base/mem.h"

#include <string.h>

#define LIFE_NS (60 * INF_NS_PER_S)
/* How long an address may be used past its life. */
#define STALE_NS (600 * INF_NS_PER_S)
/* Between a lookup that found nothing and the next one. */
#define RETRY_NS (10 * INF_NS_PER_S)
/* An address this young is not looked up anew for having failed. */
#define YOUNG_NS (5 * INF_NS_PER_S)

/* A DNS name has at most 253 bytes. */
enum { host_max = 253 };

/* ---- The name in a URL --------------------------------------------------- */

static bool
is_plain(unsigned char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/* The last label of a name does not begin with a digit, that of an IPv4 address
 * in any of its forms does ("127.1", "0x7f000001"). With a dot at its end
 * ("host.") a name has other rules, and is left to libcurl as well. */
static bool
is_address(inf_sv host)
{
  size_t at = host.len;
  while (at > 0 && host.ptr[at - 1] != '.')
    at--;
  return at == host.len || (host.ptr[at] >= '0' && host.ptr[at] <= '9');
}

static bool
parse_port(const char *at, uint16_t *port)
{
  uint32_t value = 0;
  size_t digits = 0;
  for (; at[digits] >= '0' && at[digits] <= '9' && digits < 6; digits++)
    value = value * 10 + (uint32_t)(at[digits] - '0');
  *port = (uint16_t)value;
  return digits > 0 && digits < 6 && value > 0 && value <= UINT16_MAX &&
         (at[digits] == '\0' || strchr("/?#", at[digits]));
}

/* "host:port" or "host", where a path may follow. */
static bool
parse_authority(const char *at, uint16_t usual_port, inf_sv *host,
                uint16_t *port)
{
  size_t len = 0;
  while (is_plain((unsigned char)at[len]))
    len++;
  *host = inf_sv_of(at, len);
  *port = usual_port;
  if (len == 0 || len > host_max || is_address(*host))
    return false;
  if (at[len] == ':')
    return parse_port(at + len + 1, port);
  return at[len] == '\0' || strchr("/?#", at[len]);
}

static bool
has_scheme(const char **at, const char *scheme, size_t len)
{
  if (strncmp(*at, scheme, len) != 0)
    return false;
  *at += len;
  return true;
}

/* libcurl takes 1080 where an address of a proxy has no port, and 443 for one
 * that is spoken to over TLS. */
static bool
parse_proxy(const char *proxy, inf_sv *host, uint16_t *port)
{
  uint16_t usual_port = 1080;
  if (has_scheme(&proxy, "https://", 8))
    usual_port = 443;
  else if (!has_scheme(&proxy, "http://", 7) && strstr(proxy, "://"))
    return false;
  const char *user_end = strrchr(proxy, '@');
  return parse_authority(user_end ? user_end + 1 : proxy, usual_port, host,
                         port);
}

bool
inf_names_parse(const char *url, const char *proxy, inf_sv *host,
                uint16_t *port)
{
  if (proxy && proxy[0])
    return parse_proxy(proxy, host, port);
  if (has_scheme(&url, "https://", 8))
    return parse_authority(url, 443, host, port);
  return has_scheme(&url, "http://", 7) && parse_authority(url, 80, host, port);
}

/* ---- The names ----------------------------------------------------------- */

static inf_name *
name_of(inf_list *node)
{
  return INF_CONTAINER_OF(node, inf_name, node);
}

void
inf_names_init(inf_names *names)
{
  inf_list_init(&names->list);
  names->count = 0;
  names->full_once = false;
}

void
inf_names_fini(inf_names *names)
{
  inf_list *node;
  while ((node = inf_list_pop_front(&names->list)))
    inf_free(name_of(node));
  names->count = 0;
}

static inf_name *
find(const inf_names *names, inf_sv host, uint16_t port)
{
  for (inf_list *node = names->list.next; node != &names->list;
       node = node->next) {
    inf_name *name = name_of(node);
    if (name->port == port && name->host_len == host.len &&
        inf_sv_eq_nocase(inf_sv_of(name->host, host.len), host))
      return name;
  }
  return NULL;
}

/* Frees the name that was not used for the longest time. False if all are
 * held. Whoever keeps the addresses is not told: should the name come back,
 * its addresses are of unknown age, and dropped first. */
static bool
make_room(inf_names *names)
{
  for (inf_list *node = names->list.prev; node != &names->list;
       node = node->prev) {
    inf_name *name = name_of(node);
    if (name->holders > 0)
      continue;
    inf_list_remove(node);
    inf_free(name);
    names->count--;
    names->full_once = true;
    return true;
  }
  return false;
}

inf_name *
inf_names_hold(inf_names *names, inf_sv host, uint16_t port)
{
  inf_name *name = find(names, host, port);
  if (!name && (names->count < INF_NAMES_MAX || make_room(names))) {
    name = inf_calloc(1, sizeof *name + host.len + 1);
    if (!name)
      return NULL;
    inf_list_init(&name->node);
    memcpy(name->host, host.ptr, host.len);
    name->host_len = host.len;
    name->port = port;
    name->doubtful = names->full_once;
    names->count++;
  }
  if (!name)
    return NULL;
  name->holders++;
  if (names->list.next != &name->node) {
    inf_list_remove(&name->node);
    inf_list_push_front(&names->list, &name->node);
  }
  return name;
}

void
inf_names_release(inf_names *names, inf_name *name)
{
  (void)names;
  name->holders--;
}

/* ---- Decisions ----------------------------------------------------------- */

static void
drop(inf_name *name)
{
  name->known_ns = 0;
  name->pinned = false;
}

inf_name_advice
inf_name_check(inf_name *name, bool lasting, uint64_t now_ns)
{
  if (name->doubtful) {
    name->doubtful = false;
    return INF_NAME_DROP;
  }
  if (name->known_ns == 0)
    return INF_NAME_GO_ON;
  uint64_t age_ns = now_ns > name->known_ns ? now_ns - name->known_ns : 0;
  bool vanishes = !lasting && !name->pinned;
  if (age_ns < LIFE_NS && !vanishes)
    return INF_NAME_GO_ON;
  if (age_ns >= LIFE_NS + STALE_NS) {
    drop(name);
    return INF_NAME_DROP;
  }
  if (name->looking || now_ns < name->retry_ns)
    return INF_NAME_GO_ON;
  return INF_NAME_LOOK_UP;
}

void
inf_name_met(inf_name *name, uint64_t now_ns)
{
  if (name->known_ns == 0)
    name->known_ns = now_ns;
}

bool
inf_name_failed(inf_name *name, uint64_t now_ns)
{
  if (name->known_ns == 0 || now_ns < name->known_ns + YOUNG_NS)
    return false;
  drop(name);
  return true;
}

void
inf_name_looking(inf_name *name)
{
  name->looking = true;
}

void
inf_name_found(inf_name *name, bool found, uint64_t now_ns)
{
  name->looking = false;
  if (!found) {
    name->retry_ns = inf_time_add(now_ns, RETRY_NS);
    return;
  }
  name->known_ns = now_ns;
  name->pinned = true;
  name->retry_ns = 0;
}

void
inf_names_forget(inf_names *names)
{
  for (inf_list *node = names->list.next; node != &names->list;
       node = node->next)
    drop(name_of(node));
}
