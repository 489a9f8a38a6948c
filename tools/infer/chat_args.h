/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_CHAT_ARGS_H
#define INF_TOOLS_CHAT_ARGS_H

#include "infer/infer.h"

#include <stdbool.h>

/* What the command line of `infer chat` says. Strings are argv's own. */
typedef struct inf_chat_args {
  const char *config_path, *model, *system, *schema_path;
  const char *temperature, *max_tokens, *deadline;
  const char **sets;   /* "member=JSON" */
  const char **labels; /* required labels */
  size_t set_count, label_count;
  char **words; /* of the prompt */
  int word_count;
  bool help, json, plan, reasoning;
  bool stream, no_stream; /* neither: as the terminal says */
  int verbose;
} inf_chat_args;

/* Returns 0 or an exit code, having said why. fini is needed in any case. */
int inf_chat_args_parse(inf_chat_args *args, int argc, char **argv);
void inf_chat_args_fini(inf_chat_args *args);

/* The request that args ask for, without its prompt. Returns 0 or an exit
 * code. */
int inf_chat_args_request(const inf_chat_args *args, const char *model,
                          infer_request **request);

/* Adds the prompt; reads standard input where it comes from there, and so may
 * wait for somebody to type. Returns 0 or an exit code. */
int inf_chat_args_prompt(const inf_chat_args *args, infer_request *request);

#endif
