/* SPDX-License-Identifier: MIT */
#include "otlp_collector.h"

#include <stdio.h>
#include <string.h>

static void
keep(otlp_collector *collector, const tiny_conn *conn)
{
  int which =
      strstr(conn->head, "/v1/metrics ") ? OTLP_METRICS_GOT : OTLP_TRACES_GOT;
  pthread_mutex_lock(&collector->mutex);
  snprintf(collector->head[which], sizeof collector->head[which], "%.4000s",
           conn->head);
  size_t len = conn->body_len < sizeof collector->body[which] - 1
                   ? conn->body_len
                   : sizeof collector->body[which] - 1;
  memcpy(collector->body[which], conn->body, len);
  collector->body[which][len] = '\0';
  collector->count[which]++;
  pthread_mutex_unlock(&collector->mutex);
}

static void
serve(tiny_conn *conn)
{
  otlp_collector *collector = conn->context;
  while (tiny_read(conn)) {
    keep(collector, conn);
    switch (collector->manner) {
    case OTLP_TAKES:
      tiny_answer(conn, "{}");
      break;
    case OTLP_SILENT:
      tiny_wait_closed(conn);
      return;
    case OTLP_RESETS:
      tiny_reset(conn);
      return;
    case OTLP_RUBBISH:
      tiny_puts(conn, "\x16\x03 this is no HTTP\r\n\r\n");
      return;
    case OTLP_PARTLY:
      tiny_answer(conn, "{\"partialSuccess\":{\"rejectedSpans\":\"1\"}}");
      break;
    case OTLP_BUSY:
      tiny_puts(conn, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
      break;
    }
  }
}

void
otlp_collector_start(otlp_collector *collector, otlp_manner manner)
{
  memset(collector, 0, sizeof *collector);
  collector->manner = manner;
  pthread_mutex_init(&collector->mutex, NULL);
  collector->server = tiny_start(serve, collector, NULL);
  snprintf(collector->url, sizeof collector->url, "http://127.0.0.1:%d",
           tiny_port(collector->server));
}

void
otlp_collector_stop(otlp_collector *collector)
{
  tiny_stop(collector->server);
  pthread_mutex_destroy(&collector->mutex);
}

int
otlp_collector_count(otlp_collector *collector, int which)
{
  pthread_mutex_lock(&collector->mutex);
  int count = collector->count[which];
  pthread_mutex_unlock(&collector->mutex);
  return count;
}

bool
otlp_collector_has(otlp_collector *collector, int which, const char *text)
{
  pthread_mutex_lock(&collector->mutex);
  bool found = strstr(collector->body[which], text) ||
               strstr(collector->head[which], text);
  pthread_mutex_unlock(&collector->mutex);
  return found;
}
