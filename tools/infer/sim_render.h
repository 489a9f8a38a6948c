/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_RENDER_H
#define INF_TOOLS_SIM_RENDER_H

#include "sim_content.h"

/* The bytes of an answer in OpenAI's shape: a whole body, or the events of a
 * stream one by one. Everything is appended to `out`; nothing here knows of
 * time or connections. */
typedef struct inf_sim_render {
  const inf_sim_behaviour *behaviour;
  const inf_sim_request *request;
  const inf_sim_content *content;
  uint64_t identity; /* id and creation time come from it */
  inf_buf head;      /* of every event, up to the items of "choices" */
  inf_sv tail;       /* from the end of "choices" to the end of the event */
  inf_sv line_end;
} inf_sim_render;

void inf_sim_render_init(inf_sim_render *render,
                         const inf_sim_behaviour *behaviour,
                         const inf_sim_request *request,
                         const inf_sim_content *content, uint64_t identity);
void inf_sim_render_fini(inf_sim_render *render);

void inf_sim_render_unary(const inf_sim_render *render, inf_buf *out);

/* Events. */
void inf_sim_render_role(const inf_sim_render *render, size_t choice,
                         inf_buf *out);
void inf_sim_render_piece(const inf_sim_render *render, size_t choice,
                          size_t piece, inf_buf *out);
void inf_sim_render_finish(const inf_sim_render *render, size_t choice,
                           bool with_usage, inf_buf *out);
void inf_sim_render_usage(const inf_sim_render *render, inf_buf *out);
void inf_sim_render_done(const inf_sim_render *render, inf_buf *out);
void inf_sim_render_comment(const inf_sim_render *render, inf_buf *out);
/* The script's error_in_200, in the form it asks for. */
void inf_sim_render_error(const inf_sim_render *render, inf_buf *out);
/* Broken JSON; a line of that many bytes; JSON of that depth. */
void inf_sim_render_malformed(const inf_sim_render *render, inf_buf *out);
void inf_sim_render_huge_line(const inf_sim_render *render, uint64_t bytes,
                              inf_buf *out);
void inf_sim_render_deep(const inf_sim_render *render, uint64_t depth,
                         inf_buf *out);

/* The error object as a body: with "error" around it if the script gave it
 * without. */
void inf_sim_render_error_body(inf_sv error, inf_buf *out);

#endif
