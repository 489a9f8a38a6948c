/* SPDX-License-Identifier: MIT */
#ifndef TEST_SIM_PLAY_H
#define TEST_SIM_PLAY_H

#include "part_util.h"

#include "sim_answer.h"

/* Plays answers under a virtual clock: each wait is skipped, and what came
 * when is written down. */

#define PLAY_MARKS_MAX 4096

typedef struct play_mark {
  double at_ms;     /* since the request */
  size_t from, len; /* of the bytes that came then */
} play_mark;

typedef struct play {
  inf_buf bytes;
  play_mark marks[PLAY_MARKS_MAX];
  size_t count;
  inf_sim_action end;
  double end_ms;
  uint64_t tokens; /* as told at the end */
  /* Of the response: */
  unsigned status;
  char *head;
  inf_buf body;    /* without chunk framing */
  bool body_ended; /* by the last chunk, or the whole length */
} play;

/* Options that are not in the script. */
typedef struct play_options {
  const char *key;
  bool gzip, http_1_0;
  double stop_ms; /* look at the answer no later than that; 0: to the end */
} play_options;

void play_fini(play *p);
/* The body is that of POST /v1/chat/completions; behaviour is the script's
 * defaults, as text: "\"text\":\"a\"". */
void play_run(play *p, const char *behaviour, const char *body,
              const play_options *options);
/* The same within a script that lives on: limits are kept. */
void play_script(play *p, inf_sim_script *script, double now_ms,
                 const char *body, const play_options *options);

bool play_has(const play *p, const char *text);
/* When the text was complete, in ms; fails the test if it never came. */
double play_when(const play *p, const char *text);

/* The message that the events of a stream amount to, in the form of the whole
 * answer (json-c, to be put), or NULL with a failed test. */
struct json_object *play_assemble(const play *p);
/* The whole answer's body. */
struct json_object *play_parse(const play *p);

#endif
