/* SPDX-License-Identifier: MIT */
#ifndef TEST_SCENARIO_OTLP_COLLECTOR_H
#define TEST_SCENARIO_OTLP_COLLECTOR_H

#include "support/tiny_server.h"

#include <pthread.h>
#include <stdbool.h>

/* A small OpenTelemetry collector over a real socket: it keeps what it gets,
 * and answers as it is told. */

typedef enum otlp_manner {
  OTLP_TAKES,
  OTLP_SILENT,  /* reads and never answers */
  OTLP_RESETS,  /* the connection, after the request */
  OTLP_RUBBISH, /* answers what is no HTTP */
  OTLP_PARTLY,  /* 200, but a span was refused */
  OTLP_BUSY,    /* 503 */
} otlp_manner;

typedef struct otlp_collector {
  tiny_server *server;
  otlp_manner manner;
  char url[64];
  pthread_mutex_t mutex;
  /* The last request for each path, under the mutex. */
  char head[2][4096], body[2][65536];
  int count[2];
} otlp_collector;

enum { OTLP_TRACES_GOT, OTLP_METRICS_GOT };

void otlp_collector_start(otlp_collector *collector, otlp_manner manner);
void otlp_collector_stop(otlp_collector *collector);
/* How many requests for spans (OTLP_TRACES_GOT) or metrics have come. */
int otlp_collector_count(otlp_collector *collector, int which);
/* Does the last of them have the text in its body, or its head? */
bool otlp_collector_has(otlp_collector *collector, int which, const char *text);

#endif
