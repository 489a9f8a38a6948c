/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SUPPORT_EXCHANGE_PROBE_H
#define TESTS_SUPPORT_EXCHANGE_PROBE_H

#include "transport/transport.h"

/* One exchange as a test sees it: what came, in which order, how it ended.
 * Checks by itself that callbacks come only from within run(), in their order,
 * and never after the end or after cancel(). */
typedef enum probe_point {
  PROBE_SENT,
  PROBE_HEADERS,
  PROBE_BODY,
  PROBE_DONE,
} probe_point;

typedef struct probe {
  inf_transport *transport;
  inf_exchange *exchange; /* NULL after the end */
  const char *fault;      /* a broken promise of the transport */
  int sent, headers, bodies, done;
  bool cancelled;
  bool refuse_headers, refuse_body;
  bool sends_nothing; /* a warm-up without a request */
  /* Called within each callback, where set. */
  void (*act)(struct probe *p, probe_point point);
  void *arg;
  struct probe *other;
  bool sent_reused;
  inf_exchange_times sent_times;
  int status;
  char fields[4096]; /* "name: value\n", cut */
  char body[4096];   /* its beginning */
  size_t body_len;
  inf_exchange_result result;
  char detail[512];
} probe;

/* Plain: no proxy, no TLS options but verification. */
inf_endpoint probe_endpoint(void);
inf_transport *probe_transport(void);
/* Every exchange of probes must have ended. */
void probe_transport_free(inf_transport *transport);

/* POST of body, or GET where it is NULL, of a URL made by the format. The
 * endpoint may be NULL. */
void probe_start(probe *p, inf_transport *transport,
                 const inf_endpoint *endpoint, const char *body,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The same with a request made by the caller, whose strings live on. */
void probe_start_request(probe *p, inf_transport *transport,
                         const inf_http_request *request);
void probe_cancel(probe *p);

/* Runs once, with the checks on. */
void probe_run(inf_transport *transport, uint64_t wait_ms);
/* Runs until *count reaches wanted. False after 10 s. */
bool probe_run_until(inf_transport *transport, const int *count, int wanted);
/* Starts and runs to the end; the checks on the probe itself are asserted. */
void probe_exchange(probe *p, inf_transport *transport,
                    const inf_endpoint *endpoint, const char *body,
                    const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void probe_finish(probe *p);

/* Milliseconds of a monotonic clock. */
double probe_now_ms(void);
int probe_count_entries(const char *directory); /* "/proc/self/fd" */

#endif
