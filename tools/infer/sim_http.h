/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_HTTP_H
#define INF_TOOLS_SIM_HTTP_H

#include "sim_mem.h"

#include "wire/headers.h"

/* Reading HTTP/1.1 requests (RFC 9112), in any split of bytes. Strict where
 * leniency hides a client's mistake: a request that a careful server refuses
 * is refused here too. */

#define INF_SIM_HEAD_MAX ((size_t)64 * 1024)
#define INF_SIM_BODY_MAX ((size_t)128 * 1024 * 1024)

typedef enum inf_sim_http_state {
  INF_SIM_HTTP_PARTIAL,
  INF_SIM_HTTP_READY, /* a whole request; reset before the next feed */
  INF_SIM_HTTP_BAD,   /* refuse with error_status and close */
} inf_sim_http_state;

typedef struct inf_sim_http {
  int stage;
  inf_buf line; /* of head, chunk size or trailer, not yet whole */
  size_t head_bytes;
  inf_buf method, target;
  inf_headers headers;
  inf_buf body;
  uint64_t left; /* of the body, or of the chunk */
  bool http_1_0, keep_alive, chunked;
  bool wants_continue; /* "100 Continue" is due; the caller clears it */
  unsigned error_status;
  const char *error;
} inf_sim_http;

void inf_sim_http_init(inf_sim_http *http);
void inf_sim_http_fini(inf_sim_http *http);
/* Ready for the next request; memory is kept. */
void inf_sim_http_reset(inf_sim_http *http);

/* Reads from bytes; *used is how many belong to this request. */
inf_sim_http_state inf_sim_http_feed(inf_sim_http *http, inf_sv bytes,
                                     size_t *used);

/* Has any byte of a request come? */
bool inf_sim_http_begun(const inf_sim_http *http);

/* Is the word among those of a comma-separated field value? */
bool inf_sim_http_lists(inf_sv value, inf_sv word);

#endif
