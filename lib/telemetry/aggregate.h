/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_AGGREGATE_H
#define INF_TELEMETRY_AGGREGATE_H

#include "infer/infer.h"
#include "telemetry/buckets.h"
#include "telemetry/window.h"

/* What a client's attempts and calls come to: counters since ever and rolling
 * windows, for each target and route, chat and embeddings apart; and counters
 * for each tenant, if that was asked for.
 *
 * Fed once for each attempt and once for each call, at their ends; nothing is
 * done for a piece of an answer. One record is a lookup and at most a dozen
 * sketches: 0.5 to 1 us, never more than 13 steps of a search each.
 *
 * Memory. A series takes 8 KB, and up to some 100 KB of sketches when it is
 * busy and its times are far apart. All series together take at most
 * INF_TELEMETRY_MAX_BYTES; there are at most INF_TELEMETRY_SERIES_MAX of them,
 * with names of at most INF_TELEMETRY_NAME_MAX bytes each. What does not fit is
 * dropped and counted (inf_telemetry_memory); nothing else suffers.
 *
 * Any thread: one mutex, which is held for a record, and for one series at a
 * time by readers. */

#define INF_TELEMETRY_MAX_BYTES ((size_t)16 << 20)
enum {
  INF_TELEMETRY_SERIES_MAX = 1024,
  INF_TELEMETRY_NAME_MAX = 1024,
  /* INFER_REASON_*, and classes by their place in infer_status_at(). */
  INF_TELEMETRY_REASONS = INFER_REASON_PREWARM + 1,
  INF_TELEMETRY_CLASSES = 48,
};

typedef struct inf_telemetry inf_telemetry;

/* Which series: lent for the time of a record. */
typedef struct inf_series_name {
  const char *provider; /* as it is called in the configuration */
  const char *kind;     /* its type there */
  const char *target;   /* "provider/model" */
  const char *model;
  const char *route; /* "": the request named the target */
  bool embeds;       /* it was asked for embeddings, else for chat */
} inf_series_name;

/* An attempt that has ended. */
typedef struct inf_attempt_facts {
  inf_series_name name;
  int32_t reason, status;
  bool won;
  bool ended_by_us; /* it neither succeeded nor failed */
  /* Times; all 0 or false where nobody looked for a while. */
  bool timed;
  bool stream;
  bool first_seen;     /* first_ns is a time */
  bool first_censored; /* it was so long silent, and not waited for longer */
  bool total_seen, total_censored; /* the same of total_ns */
  uint64_t first_ns, total_ns, waited_ns;
  uint64_t per_token_ns; /* 0: not known */
  /* Tokens; -1: not known. */
  int64_t input, cached, output, reasoning;
  int64_t cost_nano_usd; /* -1: the price is not known */
  uint64_t now_ns;
} inf_attempt_facts;

/* A call that has ended; name is that of its last attempt, or of the target
 * that it could not be sent to. */
typedef struct inf_call_facts {
  inf_series_name name;
  const char *tenant; /* "": none */
  size_t tenants_max; /* so many tenants are told apart */
  int32_t status;
  bool timed, unsent;
  uint64_t total_ns;
  uint64_t first_ns;             /* to the first content; 0: not known */
  int64_t input, output;         /* of the answer that was delivered; -1 */
  int64_t all_input, all_output; /* of all attempts */
  int64_t cost_nano_usd;         /* of all attempts; -1: not known */
  uint64_t now_ns;
} inf_call_facts;

typedef enum inf_token_kind {
  INF_TOKENS_INPUT,
  INF_TOKENS_CACHED, /* of the input */
  INF_TOKENS_OUTPUT,
  INF_TOKENS_REASONING, /* of the output */
  INF_TOKENS,
} inf_token_kind;

/* Since ever. */
typedef struct inf_series_counters {
  uint64_t attempts[INF_TELEMETRY_REASONS][INF_TELEMETRY_CLASSES];
  uint64_t calls[INF_TELEMETRY_CLASSES];
  uint64_t tokens[INF_TOKENS];
  uint64_t cost_nano_usd;        /* of attempts that won */
  uint64_t wasted_cost_nano_usd; /* of those that did not */
  uint64_t unpriced;             /* attempts of which it is not known */
  uint64_t refusals; /* calls that limits kept from being sent at all */
  inf_buckets first_token, per_token, limiter; /* of attempts */
  inf_buckets call_first_token;
  inf_buckets call_tokens[2]; /* input, output */
} inf_series_counters;

/* Lives as long as the telemetry; names and next do not change. */
typedef struct inf_telemetry_series {
  struct inf_telemetry_series *next;
  char *provider, *kind, *target, *model, *route;
  bool embeds;
  /* Under the lock. */
  inf_series_counters counters;
  inf_buckets *call_durations[INF_TELEMETRY_CLASSES]; /* NULL: none */
  inf_windows windows;
  struct inf_telemetry_series *chain; /* of the table's bucket */
} inf_telemetry_series;

typedef struct inf_tenant_counters {
  uint64_t calls, failed, input_tokens, output_tokens, cost_nano_usd;
} inf_tenant_counters;

typedef struct inf_telemetry_tenant {
  struct inf_telemetry_tenant *next;
  char *name;
  inf_tenant_counters counters; /* under the lock */
} inf_telemetry_tenant;

typedef struct inf_telemetry_memory {
  size_t used_bytes, cap_bytes;
  uint64_t dropped;
} inf_telemetry_memory;

/* NULL when memory is short. */
inf_telemetry *inf_telemetry_new(void);
void inf_telemetry_free(inf_telemetry *telemetry);

void inf_telemetry_attempt(inf_telemetry *telemetry,
                           const inf_attempt_facts *facts);
void inf_telemetry_call(inf_telemetry *telemetry, const inf_call_facts *facts);
/* Something was lost for want of memory elsewhere. */
void inf_telemetry_note_dropped(inf_telemetry *telemetry);

/* ---- Reading ------------------------------------------------------------- */

/* Place of a status in infer_status_at(), and back. */
size_t inf_telemetry_class(int32_t status);
/* "rate_limited": what error.type says of a class; "" for INFER_OK. At most 31
 * characters; gives out. */
const char *inf_telemetry_error_type(size_t class, char out[32]);

/* All series one after the other, the newest first: next, until NULL. */
const inf_telemetry_series *inf_telemetry_first(inf_telemetry *telemetry);
void inf_telemetry_counters(inf_telemetry *telemetry,
                            const inf_telemetry_series *series,
                            inf_series_counters *out);
/* How long calls of this class took; false: there were none. */
bool inf_telemetry_durations(inf_telemetry *telemetry,
                             const inf_telemetry_series *series, size_t class,
                             inf_buckets *out);
/* When the first record came; INF_NEVER: none has. */
uint64_t inf_telemetry_began_ns(inf_telemetry *telemetry);
inf_window_counts
inf_telemetry_window_counts(inf_telemetry *telemetry,
                            const inf_telemetry_series *series,
                            inf_window window, uint64_t now_ns);
inf_quantiles inf_telemetry_quantiles(inf_telemetry *telemetry,
                                      const inf_telemetry_series *series,
                                      inf_window window, inf_time_kind kind,
                                      uint64_t now_ns, inf_quantile_work *work);
const inf_telemetry_tenant *
inf_telemetry_first_tenant(inf_telemetry *telemetry);
inf_tenant_counters
inf_telemetry_tenant_counters(inf_telemetry *telemetry,
                              const inf_telemetry_tenant *tenant);
inf_telemetry_memory inf_telemetry_memory_of(inf_telemetry *telemetry);

#endif
