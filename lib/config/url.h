/* SPDX-License-Identifier: MIT */
#ifndef INF_CONFIG_URL_H
#define INF_CONFIG_URL_H

#include "base/buf.h"

/* The addresses that a configuration gives: just enough reading to refuse what
 * would later fail far from its cause, or go where nobody meant. */

#define INF_URL_MAX_BYTES ((size_t)4096)

/* Is it the base address of an API? http or https, a host, perhaps a port and
 * a path; no user, query or fragment. NULL if so, else what is wrong. */
const char *inf_url_check_base(inf_sv url);
/* Without slashes at its end. */
inf_sv inf_url_trim(inf_sv url);
bool inf_url_is_https(inf_sv url);

/* "http://host:port", "socks5h://user:pass@host", "host:port". NULL if so,
 * else what is wrong. */
const char *inf_url_check_proxy(inf_sv url);
/* Where user and password stand in it, "@" not included; empty if nowhere. */
inf_sv inf_url_userinfo(inf_sv url);

/* "host:port:address[,address]". NULL if so, else what is wrong. */
const char *inf_url_check_resolve(inf_sv entry);

/* Appends text percent-encoded: letters, digits and -._~ stay. */
bool inf_url_encode(inf_buf *out, inf_sv text);

#endif
