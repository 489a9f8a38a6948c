/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_SIM_ANSWER_H
#define INF_TOOLS_SIM_ANSWER_H

#include "sim_frame.h"
#include "sim_render.h"
#include "sim_script.h"

/* One answer: what is sent, and when. It knows neither sockets nor clocks:
 * the connection asks for the next bytes, and is told when to ask again. */

/* What a request is to be answered with. */
enum inf_sim_kind {
  INF_SIM_CHAT,
  INF_SIM_MODELS,
  INF_SIM_EMBED,
  INF_SIM_NO_SUCH_PATH,
  INF_SIM_NO_SUCH_METHOD,
};

/* Everything that an answer depends on. */
typedef struct inf_sim_call {
  int kind;
  inf_sim_script *script;
  const inf_sim_behaviour *behaviour;
  inf_sim_request request;   /* given away to the answer */
  const char *request_error; /* or what is wrong with it */
  inf_sv key;
  uint64_t number; /* of the request, from 1 */
  uint64_t now_ns, seed;
  bool http_1_0, keep_alive, accepts_gzip;
} inf_sim_call;

typedef enum inf_sim_action {
  INF_SIM_MORE,  /* ask again when these bytes have gone out */
  INF_SIM_WAIT,  /* ask again at at_ns */
  INF_SIM_DONE,  /* this was all */
  INF_SIM_CUT,   /* end the connection in order; the answer is not whole */
  INF_SIM_RESET, /* reset the connection */
  INF_SIM_HANG,  /* nothing will come any more */
} inf_sim_action;

typedef struct inf_sim_step {
  inf_sim_action action;
  uint64_t at_ns;
} inf_sim_step;

typedef struct inf_sim_answer {
  inf_sim_script *script;
  const inf_sim_behaviour *behaviour;
  inf_sim_request request;
  inf_sim_content content;
  inf_sim_render render;
  inf_sim_frame frame;
  inf_sim_verdict verdict;
  inf_rng rng; /* for times */
  inf_buf head;
  inf_buf body; /* of an answer that is no stream of events */
  unsigned status;
  bool streaming;  /* events */
  bool completion; /* made content, streamed or not: it is charged */
  bool silent, reset_first;
  bool close_after;   /* the connection cannot be used again */
  inf_sim_action end; /* what happens at the frame's limit */

  /* Times, absolute. */
  uint64_t start_ns, headers_ns, first_ns, ready_ns, due_ns, hold_ns;
  uint64_t next_comment_ns;

  /* How far it is. */
  int stage;
  size_t round;
  size_t body_at, stall_at;
  uint64_t tokens_sent;
  bool usage_sent; /* with a stream */
  bool head_sent, stalled, malformed_sent, huge_sent, deep_sent;
  uint64_t head_sent_ns, first_token_ns; /* 0: not yet */
} inf_sim_answer;

/* Decides what the answer is. The call's request belongs to the answer now.
 */
void inf_sim_answer_init(inf_sim_answer *answer, inf_sim_call *call);
void inf_sim_answer_fini(inf_sim_answer *answer);

/* Appends what is due at now_ns, at most about INF_SIM_ANSWER_ROOM bytes more
 * than one event. scratch is emptied and used. */
#define INF_SIM_ANSWER_ROOM ((size_t)64 * 1024)
inf_sim_step inf_sim_answer_run(inf_sim_answer *answer, uint64_t now_ns,
                                inf_buf *scratch, inf_buf *out);

/* Completion tokens made until now_ns: of a stream what was sent, of a whole
 * answer as time went by. */
uint64_t inf_sim_answer_tokens(const inf_sim_answer *answer, uint64_t now_ns);

#endif
