/* SPDX-License-Identifier: MIT */
#ifndef INF_TELEMETRY_OTLP_SPANS_H
#define INF_TELEMETRY_OTLP_SPANS_H

#include "infer/infer.h"
#include "telemetry/otlp_json.h"
#include "telemetry/trace_context.h"

/* A call as OTLP spans: one for the call by the conventions for generative AI,
 * and a child of it for each HTTP request that was made.
 *
 * No text of a prompt or an answer gets in, nor a provider's message, which may
 * quote one. All strings are lent. Pure. */

typedef struct inf_span_tokens {
  int64_t input, output, cached, cache_write, reasoning; /* -1: not known */
} inf_span_tokens;

typedef struct inf_span_cost {
  int64_t nano_usd; /* -1: not known */
  bool estimated;
} inf_span_cost;

/* What an attempt and a call have in common. */
typedef struct inf_span_base {
  int64_t start_unix_ns, end_unix_ns;
  const char *provider; /* as it is called in the configuration */
  const char *target;   /* "provider/model" */
  const char *base_url; /* of the provider: its server */
  int32_t status;       /* INFER_OK, or the class of the failure */
  inf_span_tokens tokens;
  inf_span_cost cost;
} inf_span_base;

typedef struct inf_call_span {
  inf_span_base base; /* target of the answer, or of the last attempt */
  const char *kind;   /* the provider's type */
  bool embeds;        /* embeddings, else chat */
  size_t dimensions;  /* of the vectors; 0: not known */
  const char *model;  /* that was asked for */
  const char *route;  /* "": the request named the target */
  inf_sv response_id, response_model;
  uint64_t first_ns; /* to the first content; 0: not known */
  bool stream;       /* the caller gets events */
  uint32_t choices;  /* that were asked for */
  size_t attempts;
  int64_t wasted_nano_usd; /* -1: not known */
  const char *tenant;      /* or NULL */
  /* Finish reasons, one for each choice of the answer; "": not known. */
  const char *(*finish_reason)(const void *context, size_t choice);
  size_t choice_count;
  /* "libinfer.tag.NAME". */
  const char *(*tag)(const void *context, size_t index, const char **name);
  size_t tag_count;
  const void *context; /* of the two */
} inf_call_span;

typedef struct inf_attempt_span {
  inf_span_base base;
  uint64_t span;
  const char *reason; /* the word for INFER_REASON_* */
  int32_t http_status;
  size_t resend; /* how many attempts of the call came before it */
  bool won, reused_connection;
  bool ended_by_us; /* it neither succeeded nor failed */
  uint64_t waited_ns;
  /* INFER_PHASE_*, since the attempt's start; -1: not reached. */
  int64_t phase_ns[INFER_PHASE_COUNT];
} inf_attempt_span;

void inf_otlp_call_span(inf_buf *out, const inf_trace *trace,
                        const inf_otlp_names *names, const inf_call_span *call);
void inf_otlp_attempt_span(inf_buf *out, const inf_trace *trace,
                           const inf_otlp_names *names,
                           const inf_attempt_span *attempt);

#endif
