/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_REPLY_H
#define INF_TOOLS_SIM_REPLY_H

#include "sim_script.h"

/* Bodies that are not completions, and the head of every answer. */

/* OpenAI's error object; param and code may be NULL. */
void inf_sim_put_error(inf_buf *out, inf_sv message, const char *type,
                       const char *param, const char *code);
/* The error that OpenAI would send with this status. */
void inf_sim_put_status_error(inf_buf *out, unsigned status);
/* A gateway's page. */
void inf_sim_put_html(inf_buf *out, unsigned status);
void inf_sim_put_limit_error(inf_buf *out, const inf_sim_verdict *verdict,
                             inf_sv model);
/* GET /models: those of the script, else the models its rules name. */
void inf_sim_put_models(inf_buf *out, const inf_sim_script *script);

const char *inf_sim_status_reason(unsigned status);

#define INF_SIM_LENGTH_UNKNOWN UINT64_MAX

typedef struct inf_sim_head {
  unsigned status;
  inf_sv content_type;
  uint64_t length; /* of the body, or INF_SIM_LENGTH_UNKNOWN */
  bool chunked, gzip, close;
  uint64_t request_number;
  inf_sv location;                /* "": none */
  const inf_sim_verdict *verdict; /* NULL: no limit */
  const inf_sim_pairs *fields;    /* the script's, which replace ours */
} inf_sim_head;

void inf_sim_put_head(inf_buf *out, const inf_sim_head *head);

#endif
