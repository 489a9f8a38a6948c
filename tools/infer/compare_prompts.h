/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_PROMPTS_H
#define INF_TOOLS_COMPARE_PROMPTS_H

#include "infer/infer.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The questions of a comparison: from a file, or made (compare_mix.h).
 *
 * A file has one JSON value on each line; empty lines are skipped. The value is
 * a text, which is a user's message; or an object: a Chat Completions request,
 * whose "model" and "stream" are ignored, with "prompt" (a text) allowed in
 * place of "messages". Its member "id", or else the number of its line, is the
 * prompt's name. */

typedef struct inf_cmp_prompt {
  char *name;
  infer_request *request; /* its model is set before each use */
  json_object *messages;  /* to show what was asked */
  json_object *schema;    /* that the answer must match; NULL: none */
  bool wants_json;
  bool wants_tools;   /* offers tools */
  int64_t max_tokens; /* longest answer it asks for; -1: no limit */
  size_t bytes;       /* of the request */
} inf_cmp_prompt;

typedef struct inf_cmp_prompts {
  inf_cmp_prompt *list;
  size_t count, cap;
} inf_cmp_prompts;

/* Reads the file ("-": standard input). False, having said why: a bad line is
 * named as file:line. */
bool inf_cmp_prompts_load(inf_cmp_prompts *prompts, const char *path);
/* The same of a text; what goes wrong is written to why. */
bool inf_cmp_prompts_read(inf_cmp_prompts *prompts, const char *path,
                          const char *text, size_t len, char *why,
                          size_t why_size);
/* Adds one from its object, which stays the caller's. default_name names it if
 * it has no "id". */
bool inf_cmp_prompts_add(inf_cmp_prompts *prompts, json_object *object,
                         const char *default_name, char *why, size_t why_size);
/* For all that do not say how long an answer may be. */
bool inf_cmp_prompts_limit(inf_cmp_prompts *prompts, int64_t max_tokens);
void inf_cmp_prompts_fini(inf_cmp_prompts *prompts);

#endif
