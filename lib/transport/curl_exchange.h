/* SPDX-License-Identifier: MIT */
#ifndef INF_TRANSPORT_CURL_EXCHANGE_H
#define INF_TRANSPORT_CURL_EXCHANGE_H

#include "base/list.h"
#include "transport/names.h"
#include "transport/poller.h"
#include "transport/transport.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdatomic.h>

/* What the files of the curl transport share: the transport, its generations
 * of connections, and one exchange. */

/* Which descriptors are sockets of ours, for a forked child to close: one bit
 * for each. The child may be made at any moment, so that what it finds must be
 * whole at every one: a set that becomes too small is replaced by a copy. */
typedef struct inf_open_sockets {
  size_t size;
  uint8_t bits[];
} inf_open_sockets;

/* A multi handle with the connections that it keeps. The newest takes all new
 * exchanges; an older one, retired, goes with its last exchange. */
typedef struct inf_generation {
  inf_list node;
  struct inf_curl *owner;
  CURLM *multi;
  uint64_t timer_ns; /* libcurl's own timer; INF_NEVER */
  inf_list live;     /* its exchanges */
  uint32_t id;       /* tag of its sockets in the poller */
  bool broken;       /* the poller could not take one of its sockets */
} inf_generation;

/* What a server was seen to speak. */
typedef enum inf_http {
  INF_HTTP_UNKNOWN,
  INF_HTTP_2,
  INF_HTTP_1,
  INF_HTTP_1_REQUIRED, /* it refused a stream for that reason */
} inf_http;

typedef struct inf_server {
  uint64_t origin; /* 0: none */
  inf_http spoken;
} inf_server;

/* What is known of a connection: curl_silence.c. */
typedef struct inf_line {
  uint64_t heard_ns; /* when something came last */
  size_t exchanges;  /* on it now */
} inf_line;

typedef struct inf_curl {
  inf_transport base;
  inf_curl_options options;
  inf_poller *poller;
  CURLSH *share; /* TLS sessions, for all generations */
  inf_names names;
  inf_list lookups;     /* and changes of addresses that are under way */
  CURLSH *lookup_share; /* keeps their answers out of everybody's cache */
  inf_list generations; /* newest first */
  inf_list starting;    /* started within a callback: added after it */
  inf_list leaders;     /* of those that wait for a connection being made */
  uint64_t patience_ns; /* how long they wait */
  inf_list failed;      /* could not be added; told in the next run() */
  inf_list resumed;     /* to be unpaused in the next run() */
  inf_list dead;        /* cancelled within a callback: removed after it */
  inf_list pool;        /* for reuse */
  size_t pool_count;
  size_t copied_body_max; /* libcurl copies a smaller one when it begins */
  uint32_t last_id;       /* of a generation */
  bool dispatching;       /* libcurl is on the stack */
  bool running;           /* within run(), after its wait */
  bool retire_wanted;
  size_t unserved;   /* sockets, since run() fell behind; 0: it is not */
  bool signals_held; /* libcurl is on the stack and may make a thread */
  sigset_t signals_before;
  _Atomic(inf_open_sockets *) open_sockets;
  inf_server servers[64]; /* each in the place that its origin gives */
  inf_line lines[1024];   /* and these by their local ports */
  uint64_t silence_ns;    /* how much of it is too much */
  uint64_t turn_ns;       /* time of this turn; 0: not asked for yet */
} inf_curl;

typedef enum inf_exchange_state {
  INF_EXCHANGE_STARTING, /* in starting, or it follows a leader */
  INF_EXCHANGE_LIVE,     /* libcurl has it */
  INF_EXCHANGE_FAILED,   /* in failed */
  INF_EXCHANGE_DEAD,     /* cancelled; libcurl may still have it */
  INF_EXCHANGE_ENDED,    /* on_done was called */
  INF_EXCHANGE_GHOST,    /* over for the engine: curl_multiplex.c */
} inf_exchange_state;

struct inf_exchange {
  /* What the pool keeps. */
  CURL *easy;
  bool prepared;   /* the handle has what is the same for all exchanges */
  bool compressed; /* the handle asks for gzip */
  bool lasting;    /* the handle uses addresses of any age */
  unsigned connection_options; /* that the handle has; 0: none yet */
  inf_headers headers;
  CURLU *address;           /* of the last request, parsed; NULL: none */
  char *address_text;       /* the same as it was given */
  struct curl_slist *lines; /* of the request's header */
  size_t lines_capacity;
  /* From here to error all is zero when an exchange begins. */
  inf_list node;        /* in the list that its state names, or the pool */
  inf_list resume_node; /* in resumed */
  inf_list leader_node; /* in leaders while it leads */
  inf_list followers;   /* that wait for its connection */
  uint64_t lead_until_ns;
  uint64_t origin;            /* of a server that may speak HTTP/2, else 0 */
  inf_generation *generation; /* while LIVE or DEAD */
  bool peculiar;              /* the handle has what is this endpoint's own */
  /* What is looked at for each piece of the body. */
  inf_curl *transport;
  inf_exchange_state state;
  bool in_headers; /* the status line of this header block was seen */
  bool headers_told, aborted, paused;
  const inf_exchange_events *events;
  void *context;
  size_t told_bytes; /* of the body, to the engine */
  bool on_line;      /* counted among the exchanges of a line */
  uint16_t local_port;
  /* The rest. */
  const char *url;
  const inf_endpoint *endpoint;
  inf_sv unsent; /* of a body that goes out piece by piece */
  struct curl_slist *resolve, *connect_to;
  inf_name *name;            /* that it looks up; NULL: not remembered */
  struct inf_lookup *lookup; /* it is one, and sends nothing */
  uint64_t connecting_ns;    /* since when it has an address */
  uint64_t start_ns;
  uint64_t sent_ns;
  uint64_t first_byte_ns;
  int status;
  CURLcode failure; /* why it is FAILED */
  bool response_begun, reused, sent;
  bool resend_refused;
  inf_warm_up warm_up;
  bool connected, connection_kept; /* of a warm-up */
  bool wants_http1;                /* that was why a resend was refused */
  bool waited; /* for another's connection, and need not again */
  /* Held back: libcurl keeps what comes for it. */
  bool held;
  bool forsaken;           /* held back, but libcurl has ended it */
  size_t first_held_bytes; /* that were refused when it was held back */
  uint64_t raw_bytes;      /* received until then, before decoding */
  bool headers_too_large, no_http;
  bool no_memory; /* for its headers, or to note its socket */
  char error[CURL_ERROR_SIZE];
};

/* Makes an exchange that launch() hands to libcurl, or leaves in starting or
 * failed. NULL when memory is short. */
inf_exchange *inf_exchange_make(inf_curl *transport,
                                const inf_http_request *request,
                                const inf_exchange_events *events,
                                void *context);
void inf_exchange_launch(inf_exchange *exchange);
/* Both, and between them what the name of the host needs. */
inf_exchange *inf_exchange_start(inf_curl *transport,
                                 const inf_http_request *request,
                                 const inf_exchange_events *events,
                                 void *context);
/* Hands it to the newest generation; on failure it becomes FAILED. */
void inf_exchange_add(inf_exchange *exchange);
void inf_exchange_cancel(inf_exchange *exchange);
void inf_exchange_set_paused(inf_exchange *exchange, bool paused);
/* Takes the exchange out of libcurl and its list, calls on_done, and gives it
 * back to the pool. Not while libcurl is on the stack. */
void inf_exchange_finish(inf_exchange *exchange, CURLcode code);
/* Takes it out of libcurl and every list, and into the pool. Not while
 * libcurl is on the stack. */
void inf_exchange_recycle(inf_exchange *exchange);
/* Frees one that is in no list. */
void inf_exchange_free(inf_exchange *exchange);

/* Bytes that libcurl keeps for an exchange that is held back, about. */
size_t inf_exchange_held_bytes(const inf_exchange *exchange);

/* ---- curl_callbacks.c ---- */

void inf_exchange_set_callbacks(inf_exchange *exchange);
/* libcurl is about to send the request again, and is kept from it. */
void inf_exchange_refuse_resend(inf_exchange *exchange);

/* ---- curl_multiplex.c ---- */

/* Longest time that exchanges wait for another's connection. */
extern const uint64_t inf_multiplex_patience_ns;
/* A hash that stands for the server; 0 if HTTP/2 is out of the question. */
uint64_t inf_multiplex_origin(const char *url, const inf_endpoint *endpoint);
inf_http inf_multiplex_spoken(inf_exchange *exchange);
void inf_multiplex_learn(inf_exchange *exchange, inf_http spoken);
/* True if the exchange is not to be handed to libcurl now: it waits for a
 * leader, and comes to starting when that leaves. Else it may lead. */
bool inf_multiplex_hold(inf_exchange *exchange);
/* It leads no longer, if it did. */
typedef enum inf_leave {
  INF_LEAVE_SENT, /* the connection is there */
  INF_LEAVE_FAILED,
  INF_LEAVE_CANCELLED,
} inf_leave;
void inf_multiplex_leave(inf_exchange *exchange, inf_leave why);
/* When some have waited long enough; INF_NEVER. */
uint64_t inf_multiplex_next_ns(const inf_curl *transport);
void inf_multiplex_serve_timer(inf_curl *transport);
/* Makes a ghost of an exchange that we ended and that libcurl has given back.
 * False if there is no need of one. */
bool inf_multiplex_haunt(inf_exchange *exchange);
/* Within the ghost's PREREQ callback: sends what waits on its connection. */
void inf_multiplex_flush(inf_exchange *ghost);

/* ---- curl_silence.c ---- */

extern const uint64_t inf_silence_ns;
/* The exchange has its connection, which is known by its local port. */
void inf_silence_join(inf_exchange *exchange, int local_port);
/* Something came for the exchange. */
void inf_silence_note(inf_exchange *exchange);
/* The exchange is about to leave libcurl; given up: unfinished, and by us. True
 * if its connection will be closed by that, having been silent. */
bool inf_silence_leave(inf_exchange *exchange, bool given_up);

/* ---- curl_endpoint.c ---- */

/* Sets what the endpoint says on the exchange's handle. */
CURLcode inf_exchange_set_endpoint(inf_exchange *exchange,
                                   const inf_endpoint *endpoint);
/* Frees what that allocated; the handle must no longer use it. */
void inf_exchange_clear_endpoint(inf_exchange *exchange);

/* ---- curl_lookup.c ---- */

/* Finds the name that the exchange will look up, and starts what it needs. */
void inf_exchange_use_name(inf_exchange *exchange,
                           const inf_http_request *request);
/* libcurl has an address and opens a socket. */
void inf_exchange_note_connecting(inf_exchange *exchange);
/* It ended so, or (net INF_NET_ABORTED) was cancelled. Lets go of the name. */
void inf_exchange_leave_name(inf_exchange *exchange, inf_net net);
/* Notes an address that was found; nobody connects to it. */
curl_socket_t inf_lookup_take(struct inf_lookup *lookup,
                              const struct curl_sockaddr *address);
/* Ends all lookups, and forgets every address: for a new generation. */
void inf_lookups_cancel(inf_curl *transport);

/* ---- curl_result.c ---- */

void inf_exchange_times_fill(const inf_exchange *exchange,
                             inf_exchange_times *times);
/* result->detail points into exchange or to constant text. */
void inf_exchange_result_fill(inf_exchange *exchange, CURLcode code,
                              inf_exchange_result *result);

/* ---- curl_warm_up.c ---- */

/* Makes a warm-up of the exchange. */
void inf_exchange_set_warm_up(inf_exchange *exchange,
                              const inf_http_request *request);
/* It has ended: was its connection kept? While libcurl still has it. */
void inf_exchange_note_kept(inf_exchange *exchange);
/* The result's part about the connection that waits. */
void inf_exchange_warm_up_fill(const inf_exchange *exchange,
                               inf_exchange_result *result);

/* ---- curl_generation.c ---- */

/* A new generation: at once, or within run() at the end of the turn, which
 * goes through the list of generations. */
void inf_curl_retire(inf_curl *transport);

inf_generation *inf_generation_of(inf_list *node);
/* Makes the newest generation. False when memory is short. */
bool inf_generation_add(inf_curl *transport);
void inf_generation_free(inf_generation *generation);
/* NULL for one that is gone. */
inf_generation *inf_generation_find(inf_curl *transport, uint32_t id);
/* Frees the older generations that have no exchange any more. */
void inf_generations_free_drained(inf_curl *transport);
/* A new generation for all later exchanges. False when memory is short: then
 * retire_wanted stays set, for the next run() to try again. */
bool inf_generations_retire(inf_curl *transport);

/* For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION. */
curl_socket_t inf_curl_open_socket(void *exchange, curlsocktype purpose,
                                   struct curl_sockaddr *address);
int inf_curl_close_socket(void *transport, curl_socket_t fd);
/* Blocks signals until libcurl has returned to the loop. */
void inf_curl_hold_signals(inf_curl *transport);
/* In a forked child. */
void inf_curl_close_sockets(inf_curl *transport);

#endif
