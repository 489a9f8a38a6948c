/* SPDX-License-Identifier: MIT */
#include "support/exchange_probe.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { wait_ms_max = 10000 };

static bool in_run;

double
probe_now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int
probe_count_entries(const char *directory)
{
  DIR *open = opendir(directory);
  int count = 0;
  while (open && readdir(open))
    count++;
  if (open)
    closedir(open);
  return count;
}

/* ---- Callbacks ---------------------------------------------------------- */

static void
check(probe *p, bool kept, const char *promise)
{
  if (!kept && !p->fault)
    p->fault = promise;
}

static void
enter(probe *p)
{
  check(p, in_run, "callbacks come from run() only");
  check(p, !p->cancelled, "nothing comes after cancel()");
  check(p, p->done == 0, "nothing comes after the end");
}

static void
on_sent(void *context, const inf_exchange_times *times, bool reused)
{
  probe *p = context;
  enter(p);
  check(p, p->sent == 0, "one exchange is one send");
  check(p, p->headers == 0, "sent comes first");
  p->sent++;
  p->sent_reused = reused;
  p->sent_times = *times;
  if (p->act)
    p->act(p, PROBE_SENT);
}

static bool
on_headers(void *context, int status, const inf_headers *headers)
{
  probe *p = context;
  enter(p);
  check(p, p->headers == 0, "headers come once");
  check(p, p->sent == 1, "headers come after the send");
  check(p, status >= 200, "interim answers are not told");
  p->headers++;
  p->status = status;
  snprintf(p->fields, sizeof p->fields, "%s", inf_buf_cstr(&headers->text));
  if (p->act)
    p->act(p, PROBE_HEADERS);
  return !p->refuse_headers;
}

static bool
on_body(void *context, const char *ptr, size_t len)
{
  probe *p = context;
  enter(p);
  check(p, p->headers == 1, "the body comes after the headers");
  check(p, len > 0, "no empty piece of a body");
  size_t room =
      p->body_len < sizeof p->body - 1 ? sizeof p->body - 1 - p->body_len : 0;
  memcpy(p->body + p->body_len, ptr, len < room ? len : room);
  p->bodies++;
  p->body_len += len;
  if (p->act)
    p->act(p, PROBE_BODY);
  return !p->refuse_body;
}

static void
on_done(void *context, const inf_exchange_result *result)
{
  probe *p = context;
  enter(p);
  p->done++;
  p->exchange = NULL;
  p->result = *result;
  check(p, result->detail != NULL, "there is always a detail");
  snprintf(p->detail, sizeof p->detail, "%s", result->detail);
  check(p, !strchr(p->detail, '\n'), "the detail is one line");
  check(p, result->net != INF_NET_OK || p->headers == !p->sends_nothing,
        "success has headers");
  if (p->act)
    p->act(p, PROBE_DONE);
}

static const inf_exchange_events events = {on_sent, on_headers, on_body,
                                           on_done};

/* ---- Exchanges ---------------------------------------------------------- */

inf_endpoint
probe_endpoint(void)
{
  return (inf_endpoint){.tls_verify = true, .http_version = 1};
}

inf_transport *
probe_transport(void)
{
  inf_curl_options options = {.clock = inf_clock_system(),
                              .max_header_bytes = 64 << 10,
                              .max_idle_connections = 2000};
  inf_transport *transport = inf_curl_transport_new(&options);
  assert_non_null(transport);
  return transport;
}

void
probe_transport_free(inf_transport *transport)
{
  transport->ops->free(transport);
}

void
probe_start_request(probe *p, inf_transport *transport,
                    const inf_http_request *request)
{
  bool within = in_run;
  in_run = false;
  p->transport = transport;
  p->exchange = transport->ops->start(transport, request, &events, p);
  in_run = within;
}

/* The strings of a request live until the end of the program's next 4096
 * starts, which is longer than any exchange of a test. */
static const char *
keep_url(const char *format, va_list args)
{
  static char urls[4096][256];
  static size_t next;
  char *url = urls[next++ % 4096];
  vsnprintf(url, sizeof urls[0], format, args);
  return url;
}

static void
start(probe *p, inf_transport *transport, const inf_endpoint *endpoint,
      const char *body, const char *format, va_list args)
{
  static const char lines[] = "Content-Type: application/json\0X-Test: yes";
  static inf_endpoint plain;
  plain = probe_endpoint();
  inf_http_request request = {.method = body ? "POST" : "GET",
                              .url = keep_url(format, args),
                              .headers = {lines, sizeof lines},
                              .body = inf_sv_from(body),
                              .endpoint = endpoint ? endpoint : &plain};
  probe_start_request(p, transport, &request);
}

void
probe_start(probe *p, inf_transport *transport, const inf_endpoint *endpoint,
            const char *body, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  start(p, transport, endpoint, body, format, args);
  va_end(args);
  assert_non_null(p->exchange);
}

void
probe_cancel(probe *p)
{
  bool within = in_run;
  in_run = false;
  inf_exchange *exchange = p->exchange;
  p->exchange = NULL;
  p->cancelled = true;
  p->transport->ops->cancel(exchange);
  in_run = within;
}

void
probe_run(inf_transport *transport, uint64_t wait_ms)
{
  in_run = true;
  transport->ops->run(transport, wait_ms * INF_NS_PER_MS);
  in_run = false;
}

bool
probe_run_until(inf_transport *transport, const int *count, int wanted)
{
  double until = probe_now_ms() + wait_ms_max;
  while (*count < wanted && probe_now_ms() < until)
    probe_run(transport, 100);
  return *count >= wanted;
}

void
probe_finish(probe *p)
{
  assert_true(probe_run_until(p->transport, &p->done, 1));
  if (p->fault)
    fail_msg("%s", p->fault);
}

void
probe_exchange(probe *p, inf_transport *transport, const inf_endpoint *endpoint,
               const char *body, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  start(p, transport, endpoint, body, format, args);
  va_end(args);
  assert_non_null(p->exchange);
  probe_finish(p);
}
