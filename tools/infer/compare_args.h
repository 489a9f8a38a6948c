/* SPDX-License-Identifier: MIT */
#ifndef INF_TOOLS_COMPARE_ARGS_H
#define INF_TOOLS_COMPARE_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the command line of `infer compare` says. Strings are argv's own. */
typedef struct inf_cmp_args {
  const char *config_path, *prompts_path;
  const char *html_path, *json_path, *save_path;
  int mix; /* INF_CMP_MIX_* */
  uint32_t requests, concurrency, max_concurrency, warm_up;
  int64_t max_tokens; /* -1: not said */
  double timeout_s;
  int64_t budget_nano_usd; /* -1: none */
  uint64_t seed;
  bool no_ladder, no_route, quiet, help;
  const char *const *targets;
  size_t target_count;
} inf_cmp_args;

/* Returns 0 or an exit code, having said why. */
int inf_cmp_args_parse(inf_cmp_args *args, int argc, char **argv);

#endif
