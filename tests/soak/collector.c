/* SPDX-License-Identifier: MIT */
#include "collector.h"

#include "random.h"
#include "support/tiny_server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct collector {
  tiny_server *server;
  uint64_t seed;
  char url[64];
  atomic_uint requests, taken;
  atomic_bool comfort;
};

typedef enum manner {
  TAKES,
  BUSY,
  BUSY_FOR_A_SECOND,
  RESETS,
  SILENT,
  RUBBISH
} manner;

/* Of a silent one nobody hears for so long; less than what a request has. */
enum { silence_ms = 1500 };

static manner
manner_of(collector *c)
{
  static const manner manners[] = {TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   TAKES,
                                   BUSY,
                                   BUSY_FOR_A_SECOND,
                                   RESETS,
                                   SILENT,
                                   RUBBISH};
  uint64_t number = atomic_fetch_add(&c->requests, 1);
  if (atomic_load(&c->comfort))
    return TAKES;
  soak_random random = soak_random_of(c->seed, number);
  return manners[roll(&random, sizeof manners / sizeof manners[0])];
}

/* False: the connection is over. */
static bool
answer(collector *c, tiny_conn *conn)
{
  switch (manner_of(c)) {
  case TAKES:
    atomic_fetch_add(&c->taken, 1);
    return tiny_answer(conn, "{}");
  case BUSY:
    return tiny_puts(conn, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
  case BUSY_FOR_A_SECOND:
    return tiny_puts(conn, "HTTP/1.1 429 Busy\r\nRetry-After: 1\r\n"
                           "Content-Length: 0\r\n\r\n");
  case RESETS:
    tiny_reset(conn);
    return false;
  case SILENT:
    tiny_sleep_ms(silence_ms);
    return false;
  default:
    tiny_puts(conn, "\x16\x03 this is no HTTP\r\n\r\n");
    return false;
  }
}

static void
serve(tiny_conn *conn)
{
  collector *c = conn->context;
  while (tiny_read(conn))
    if (!answer(c, conn))
      return;
}

collector *
collector_start(uint64_t seed)
{
  collector *c = calloc(1, sizeof *c);
  if (!c)
    abort();
  c->seed = seed;
  c->server = tiny_start(serve, c, NULL);
  snprintf(c->url, sizeof c->url, "http://127.0.0.1:%d", tiny_port(c->server));
  return c;
}

const char *
collector_url(const collector *c)
{
  return c->url;
}

void
collector_comfort(collector *c)
{
  atomic_store(&c->comfort, true);
}

unsigned
collector_stop(collector *c)
{
  unsigned taken = atomic_load(&c->taken);
  tiny_stop(c->server);
  free(c);
  return taken;
}
