/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_BEHAVIOUR_H
#define INF_TOOLS_SIM_BEHAVIOUR_H

#include "sim_read.h"

/* What the simulator does with a request: the `do` of a rule, laid over the
 * script's defaults. docs/sim.md explains each member. */

/* A point of an answer: after so many bytes of the body, or tokens. */
typedef struct inf_sim_point {
  bool set, tokens;
  uint64_t at;
} inf_sim_point;

typedef struct inf_sim_tool {
  inf_sv id, name, arguments;
} inf_sim_tool;

typedef struct inf_sim_tools {
  const inf_sim_tool *items;
  size_t count;
} inf_sim_tools;

/* Rates are per minute; 0 is no limit. Rules that inherit the limit of the
 * defaults share its state, because they share this object. */
typedef struct inf_sim_limit {
  uint64_t requests, tokens;
  uint64_t burst, burst_tokens; /* sizes of the buckets */
  /* What others take of the rates, always; clients are told nothing of it. */
  uint64_t others_requests, others_tokens;
  int per; /* inf_sim_limit_per */
} inf_sim_limit;

enum inf_sim_limit_per { INF_SIM_PER_KEY, INF_SIM_PER_MODEL };
enum inf_sim_tool_index {
  INF_SIM_INDEX_NORMAL,
  INF_SIM_INDEX_ABSENT,
  INF_SIM_INDEX_SHARED
};
enum inf_sim_usage_chunk {
  INF_SIM_USAGE_EMPTY_CHOICES,
  INF_SIM_USAGE_WITH_CHOICES,
  INF_SIM_USAGE_NEVER,
  INF_SIM_USAGE_ALWAYS
};
enum inf_sim_role_chunk {
  INF_SIM_ROLE_NORMAL,
  INF_SIM_ROLE_NULL_CONTENT,
  INF_SIM_ROLE_NONE
};
enum inf_sim_headers_when {
  INF_SIM_HEADERS_FIRST_TOKEN,
  INF_SIM_HEADERS_IMMEDIATE,
  INF_SIM_HEADERS_WITH_ROLE
};
enum inf_sim_error_form {
  INF_SIM_ERROR_DATA,
  INF_SIM_ERROR_EVENT,
  INF_SIM_ERROR_FIELD
};
enum inf_sim_framing {
  INF_SIM_FRAMING_AUTO,
  INF_SIM_FRAMING_CHUNKED,
  INF_SIM_FRAMING_CLOSE
};
enum inf_sim_prefill {
  INF_SIM_PREFILL_HONOUR,
  INF_SIM_PREFILL_REJECT,
  INF_SIM_PREFILL_IGNORE,
  INF_SIM_PREFILL_ECHO
};
enum inf_sim_prefill_by {
  INF_SIM_PREFILL_BY_ANY,
  INF_SIM_PREFILL_BY_ASSISTANT,
  INF_SIM_PREFILL_BY_PREFIX,
  INF_SIM_PREFILL_BY_CONTINUE
};
enum inf_sim_reset {
  INF_SIM_RESET_NONE,
  INF_SIM_RESET_ACCEPT,
  INF_SIM_RESET_BEFORE_HEADERS,
  INF_SIM_RESET_AT_POINT
};
enum inf_sim_cancel_billing { INF_SIM_CANCEL_STOPS, INF_SIM_CANCEL_FULL };

typedef struct inf_sim_behaviour {
  /* The answer. */
  inf_sim_text text;
  bool echo;
  inf_sim_dist tokens;
  uint64_t chunk_tokens;
  inf_sim_text reasoning;
  inf_sim_opt_dist reasoning_tokens;
  int reasoning_field;
  inf_sim_tools tools;
  int tool_index;
  uint64_t tool_piece_bytes;
  inf_sim_text refusal;
  inf_sim_text finish_reason;
  inf_sv usage;
  uint64_t cached_tokens;
  int usage_chunk;
  int role_chunk;
  inf_sim_text answer_model, service_tier, system_fingerprint;
  inf_sv extra;
  int prefill, prefill_by;

  /* Times. */
  inf_sim_dist first_token_ms, inter_token_ms;
  inf_sim_opt_dist headers_ms;
  int headers_when;
  inf_sim_opt stall_after_tokens;
  inf_sim_opt_dist stall_ms;

  /* A given answer in place of a made one. */
  inf_sim_opt status;
  inf_sim_text body;
  bool body_is_json;
  bool html_error;
  inf_sim_text redirect;
  inf_sim_text content_type;
  bool wrong_content_type;
  inf_sim_pairs fields; /* header fields to add or replace */

  /* Failures. */
  inf_sv error_in_200;
  uint64_t after_tokens;
  int error_form;
  bool error_done;
  int reset;
  inf_sim_point reset_at;
  inf_sim_point cut;
  bool cut_clean;
  bool silence;
  inf_sim_opt malformed_event;
  bool missing_done, missing_finish;
  inf_sim_opt huge_line, huge_body, deep, whitespace_before_body;

  /* How the bytes go out. */
  int framing;
  bool comments;
  inf_sim_opt comment_ms;
  bool crlf, cr;
  bool bom, gzip;
  inf_sim_opt write_bytes;
  uint64_t write_delay_us;
  bool close_after_response;
  inf_sim_opt keepalive_idle_ms;

  /* Account. */
  inf_sim_texts require_key;
  const inf_sim_limit *limit;
  int cancel_billing;
} inf_sim_behaviour;

void inf_sim_behaviour_init(inf_sim_behaviour *behaviour);
/* Lays the members of value over *to, an inf_sim_behaviour. */
bool inf_sim_behaviour_read(inf_sim_reader *reader, inf_sv value, void *to,
                            const void *param);

#endif
