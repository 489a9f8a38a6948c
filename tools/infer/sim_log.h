/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_LOG_H
#define INF_TOOLS_SIM_LOG_H

#include "sim_script.h"

#include "base/list.h"
#include "wire/headers.h"

/* What the simulator saw and did, request by request, and what it would
 * charge for it. */

enum inf_sim_end {
  INF_SIM_END_OPEN,   /* being answered */
  INF_SIM_END_SILENT, /* being left without an answer */
  INF_SIM_END_COMPLETE,
  INF_SIM_END_CLIENT_CLOSED,
  INF_SIM_END_RESET,
  INF_SIM_END_CUT,
  INF_SIM_END_SERVER_DOWN, /* the script took the server down */
};

/* "complete", "client_closed", ... */
const char *inf_sim_end_name(int end);

/* Tokens of one request, and their price. */
typedef struct inf_sim_charge {
  bool charged;    /* a completion was begun; else all is 0 */
  bool usage_sent; /* the client was told these tokens */
  uint64_t prompt_tokens, cached_tokens, completion_tokens;
  uint64_t reasoning_tokens; /* of the completion */
  uint64_t nano_usd;
} inf_sim_charge;

typedef struct inf_sim_entry {
  inf_list node;
  struct inf_sim_log *log;
  bool finished, detached;
  uint64_t number;
  uint64_t connection, reuse; /* requests before it on the connection */
  bool tls;
  int64_t rule; /* index; -1: the defaults alone */
  inf_sim_text rule_name;
  char *method, *path;
  inf_headers headers;
  char *body;
  size_t body_len;
  bool body_is_json;
  char *model; /* "" if none */
  bool chat, stream;
  unsigned status; /* 0: none sent */
  int end;
  /* CLOCK_MONOTONIC; 0: did not happen. */
  uint64_t received_ns, head_sent_ns, first_token_ns, ended_ns;
  uint64_t bytes_sent; /* head, framing and body */
  uint64_t tokens;     /* of the completion, made so far */
  inf_sim_charge charge;
} inf_sim_entry;

typedef struct inf_sim_log {
  inf_list entries;
  size_t count, bytes;
  size_t count_max, bytes_max;
  uint64_t dropped;
  uint64_t start_ns;
  /* Sums over finished requests, also of those dropped from the list. */
  uint64_t charged_requests, prompt_tokens, cached_tokens, completion_tokens,
      reasoning_tokens, nano_usd;
} inf_sim_log;

void inf_sim_log_init(inf_sim_log *log, size_t count_max, uint64_t start_ns);
void inf_sim_log_fini(inf_sim_log *log);
/* Forgets all; entries being answered live on, in no list. */
void inf_sim_log_clear(inf_sim_log *log, uint64_t start_ns);

/* A new entry, which the log owns from inf_sim_log_finish() on. */
inf_sim_entry *inf_sim_log_add(inf_sim_log *log);
/* The answer has ended: the entry may be gone afterwards. */
void inf_sim_log_finish(inf_sim_entry *entry);

/* Appends the entries with a number above since, as an array or, with lines,
 * one object on each line. */
void inf_sim_log_put(const inf_sim_log *log, uint64_t since, bool lines,
                     inf_buf *out);
/* "key" and "key_hash". */
void inf_sim_log_put_key(inf_buf *out, const inf_headers *headers);
/* sim_invoice.c */
void inf_sim_log_put_invoice(const inf_sim_log *log, inf_buf *out);

/* Charges by the script's price for the model: rounded to whole nano-dollars
 * once, for the request as a whole. */
void inf_sim_charge_price(inf_sim_charge *charge, const inf_sim_script *script,
                          inf_sv model);

/* What the answer's x-request-id says. */
#define INF_SIM_REQUEST_ID_MAX 40
inf_sv inf_sim_request_id(uint64_t number, char text[INF_SIM_REQUEST_ID_MAX]);

/* The bearer key of the request, or "". */
inf_sv inf_sim_key_of(const inf_headers *headers);

#endif
