/* SPDX-License-Identifier: MIT */
#ifndef INF_TRANSPORT_NAMES_H
#define INF_TRANSPORT_NAMES_H

#include "base/clock.h"
#include "base/list.h"
#include "base/sv.h"

#include <stdbool.h>
#include <stdint.h>

/* What is known of the names that exchanges connect to: since when there is an
 * address, and so when to look it up anew, when to go on with an old one, and
 * when to drop it. The addresses themselves are kept by whoever looks up; here
 * is only the decision. Pure: the time comes as an argument.
 *
 * A name is remembered while it is among the last INF_NAMES_MAX that were
 * used, and as long as somebody holds it. */
enum { INF_NAMES_MAX = 64 };

typedef struct inf_names {
  inf_list list; /* the most recently used one first */
  size_t count;
  bool full_once; /* names were forgotten for others */
} inf_names;

typedef struct inf_name {
  inf_list node;
  size_t holders;
  uint64_t known_ns; /* when the address in use was found; 0: there is none */
  uint64_t retry_ns; /* no lookup before that */
  bool looking;      /* a lookup is under way beside the exchanges */
  bool pinned;       /* the address in use came from such a lookup */
  bool doubtful;     /* may have been forgotten while it had an address */
  uint16_t port;
  size_t host_len;
  char host[]; /* NUL-terminated */
} inf_name;

/* What is to be done before an exchange may use the name. */
typedef enum inf_name_advice {
  INF_NAME_GO_ON,
  INF_NAME_LOOK_UP, /* go on, and look it up meanwhile */
  INF_NAME_DROP,    /* forget its addresses: they are too old */
} inf_name_advice;

void inf_names_init(inf_names *names);
/* Nobody may hold a name any more. */
void inf_names_fini(inf_names *names);

/* Host and port that an exchange with the URL will look up, or those of the
 * proxy (NULL or "": none). False if there is nothing to look up that is worth
 * remembering: an address, a host in other than plain letters, a SOCKS proxy
 * (which may resolve the name or leave it to us). */
bool inf_names_parse(const char *url, const char *proxy, inf_sv *host,
                     uint16_t *port);
/* The name, made if it is new; the caller holds it until it is released. NULL
 * when memory is short or too many are held. */
inf_name *inf_names_hold(inf_names *names, inf_sv host, uint16_t port);
void inf_names_release(inf_names *names, inf_name *name);

/* An exchange is about to use the name. lasting: its address stays in use
 * until we drop it; else it would go by itself when its life is over, and only
 * one that we looked up stays. */
inf_name_advice inf_name_check(inf_name *name, bool lasting, uint64_t now_ns);
/* An exchange has an address, and begins to connect. */
void inf_name_met(inf_name *name, uint64_t now_ns);
/* No connection came of the address. True: drop it. */
bool inf_name_failed(inf_name *name, uint64_t now_ns);
/* A lookup was begun; it has ended, and found addresses or not. */
void inf_name_looking(inf_name *name);
void inf_name_found(inf_name *name, bool found, uint64_t now_ns);
/* All addresses are gone. */
void inf_names_forget(inf_names *names);

#endif
