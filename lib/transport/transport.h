/* SPDX-License-Identifier: MIT */
#ifndef INF_TRANSPORT_TRANSPORT_H
#define INF_TRANSPORT_TRANSPORT_H

#include "base/clock.h"
#include "base/log.h"
#include "wire/headers.h"

/* HTTP exchanges for the engine: one request out, status, headers and body
 * bytes in. A transport knows HTTP and nothing of inference. curl.c is the
 * real one; virtual.c (a simulated network) implements the same table, so
 * the engine cannot tell them apart.
 *
 * Threads: everything is called by the thread that runs the loop, except
 * wake(). Callbacks come only from within run(), never from within start(),
 * cancel() or set_paused(). A callback may start and cancel exchanges, its own
 * included.
 *
 * One exchange is one send: a transport never sends a request a second time.
 * Where the HTTP library would do so by itself, the exchange ends with
 * INF_NET_RESET instead, and the engine decides. */

typedef struct inf_transport inf_transport;
typedef struct inf_exchange inf_exchange;

/* How an exchange ended, as far as the network is concerned. */
typedef enum inf_net {
  INF_NET_OK,
  INF_NET_BAD_URL,
  INF_NET_RESOLVE,
  INF_NET_CONNECT,
  INF_NET_TLS,
  INF_NET_TLS_VERIFY,
  INF_NET_RESET,          /* broke before the response was complete */
  INF_NET_PARTIAL,        /* body shorter than its framing announced, or cut */
  INF_NET_REFUSED_STREAM, /* HTTP/2: not processed, safe to send again */
  INF_NET_PROTOCOL,       /* not HTTP, bad framing, bad content coding */
  INF_NET_TOO_LARGE,      /* headers over their limit */
  INF_NET_ABORTED,        /* a callback returned false */
  INF_NET_NO_MEMORY,
} inf_net;

/* Where and how to connect: the part of a provider's configuration that
 * concerns the network. Owned by the configuration and unchanged while any
 * exchange uses it. Strings may be NULL. */
typedef struct inf_endpoint {
  const char *proxy;          /* URL; NULL: none */
  const char *no_proxy;       /* hosts not to be proxied, comma separated */
  const char *ca_file;        /* PEM file instead of the system's CAs */
  const char *ca_pem;         /* PEM text instead of the system's CAs */
  const char *client_cert;    /* PEM file */
  const char *client_key;     /* PEM file; NULL: in client_cert */
  const char *unix_socket;    /* path; NULL: TCP */
  const char *const *resolve; /* "host:port:address", NULL-terminated */
  bool tls_verify;
  bool compression;     /* offer gzip */
  uint8_t http_version; /* 0: negotiate; 1: HTTP/1.1 */
} inf_endpoint;

/* An exchange may serve to have a connection ready for later ones. */
typedef enum inf_warm_up {
  INF_WARM_UP_NOT,
  /* Connects and sends no request. A connection of HTTP/2 then waits for later
   * exchanges; one of HTTP/1.1 does not, for libcurl keeps none over which no
   * request went, and one that waited already is lost by it: set
   * fresh_connection unless the server is known to have HTTP/2. Ends with
   * INF_NET_OK; only on_done is called. */
  INF_WARM_UP_CONNECT,
  /* Sends the request, a GET. Whatever the answer, the connection may wait. */
  INF_WARM_UP_REQUEST,
} inf_warm_up;

typedef struct inf_http_request {
  const char *method; /* "GET" or "POST" */
  const char *url;
  /* Lines "Name: value", each NUL-terminated, one after the other. May hold a
   * key: never logged. */
  inf_sv headers;
  inf_sv body; /* for POST */
  const inf_endpoint *endpoint;
  /* Not over a connection that was used before. */
  bool fresh_connection;
  inf_warm_up warm_up;
  uint32_t warm_up_ms; /* a warm-up ends after so long, wherever it is */
} inf_http_request;

/* Points of the exchange's life on the engine's clock, 0: not reached. */
typedef struct inf_exchange_times {
  uint64_t start_ns;
  uint64_t lookup_ns;
  uint64_t connect_ns;
  uint64_t tls_ns;
  uint64_t sent_ns;       /* connection ready, request handed over */
  uint64_t first_byte_ns; /* first byte of the response */
} inf_exchange_times;

typedef struct inf_exchange_result {
  inf_net net;
  inf_exchange_times times;
  bool reused_connection;
  bool sent;           /* at least one byte of the request may have left */
  bool response_begun; /* at least one byte of the response came */
  /* HTTP/2: the server was closing the connection (GOAWAY) and, so far as is
   * known, has not processed the request. */
  bool going_away;
  const char *detail; /* one line for people, never NULL, no key in it */
  /* Of a warm-up: does a connection wait now, and what does the server speak
   * ("h2", "http/1.1"; NULL: not known)? */
  bool connection_kept;
  const char *protocol;
} inf_exchange_result;

/* What the engine hears. The request's strings, headers and body must live
 * until on_done or cancel(). */
typedef struct inf_exchange_events {
  /* The connection is ready and the request goes out now; times are filled in
   * up to sent_ns. May be NULL. */
  void (*on_sent)(void *context, const inf_exchange_times *times,
                  bool reused_connection);
  /* Final status and headers are complete. False aborts the exchange. */
  bool (*on_headers)(void *context, int status, const inf_headers *headers);
  /* Decoded body bytes. False aborts the exchange. */
  bool (*on_body)(void *context, const char *ptr, size_t len);
  /* The end; exactly once unless cancelled. The exchange is gone after it. */
  void (*on_done)(void *context, const inf_exchange_result *result);
} inf_exchange_events;

typedef struct inf_transport_ops {
  /* NULL when memory is short. All other failures come by on_done. */
  inf_exchange *(*start)(inf_transport *transport,
                         const inf_http_request *request,
                         const inf_exchange_events *events, void *context);
  /* No callback of this exchange comes after this; the exchange is gone.
   * Never waits, not even for a hanging name lookup. */
  void (*cancel)(inf_exchange *exchange);
  /* While paused no more than what was already on the way (at most 64 KiB for
   * HTTP/1.1) is delivered. Other exchanges go on, also those that share its
   * connection. */
  void (*set_paused)(inf_exchange *exchange, bool paused);
  /* Bytes of the body that the transport keeps for a paused exchange: what
   * was on the way, and with HTTP/2, beside streams that go on, as much as the
   * server was allowed to send (32 MiB with libcurl 7.88). */
  size_t (*held_bytes)(const inf_exchange *exchange);
  /* Waits at most wait_ns (0: not at all) for the network or wake(), then
   * delivers callbacks. INFER_OK or INFER_E_NO_MEMORY. */
  int32_t (*run)(inf_transport *transport, uint64_t wait_ns);
  /* Makes a run() that waits, or the next one, return at once. Any thread. */
  void (*wake)(inf_transport *transport);
  /* Readable when run(0) has something to do (timers apart); -1: none. */
  int (*fd)(inf_transport *transport);
  /* Absolute time by which run() must be called for the transport's own
   * timers; INF_NEVER if none. */
  uint64_t (*next_timeout_ns)(inf_transport *transport);
  /* Closes connections that are idle (after a suspend or a clock jump). */
  void (*retire_idle)(inf_transport *transport);
  /* All exchanges have ended or been cancelled. Does not wait. */
  void (*free)(inf_transport *transport);
  /* In a forked child: closes own descriptors, leaks the rest. */
  void (*free_forked)(inf_transport *transport);
} inf_transport_ops;

/* First member of every transport. run() calls after_wait, where set, between
 * its wait and the callbacks: the engine then reads the clock.
 *
 * Who wants to say that an exchange was silent until some moment must have
 * looked into its socket after that moment: the loop may have slept, or been
 * stopped, while bytes came. Unless run() has left it behind, everything that
 * had come when it was called has been told when it returns. It is behind only
 * for so many calls in a row as it takes to serve every socket once.
 *
 * The engine tells the time at which it called run(), and in after_wait the
 * time then: now_ns saves reading the clock again. 0: it does not.
 *
 * The engine sets eager where somebody waits for a single call: run() may then
 * spend some microseconds of CPU time to tell him sooner. */
struct inf_transport {
  const inf_transport_ops *ops;
  void (*after_wait)(void *context);
  void *after_wait_context;
  uint64_t now_ns;
  bool behind;
  bool eager;
};

typedef struct inf_curl_options {
  const inf_clock *clock;
  const inf_log *log;
  size_t max_header_bytes; /* of a response, all together */
  uint32_t max_idle_connections;
} inf_curl_options;

/* The real transport. NULL when memory or descriptors are short. */
inf_transport *inf_curl_transport_new(const inf_curl_options *options);
/* "libcurl/7.88.1 OpenSSL/3.0.15 ..." and whether a feature is there. */
const char *inf_curl_version(void);
bool inf_curl_has_http2(void);

#endif
