/* SPDX-License-Identifier: MIT */
/* The command line of `infer compare`. */

#include "compare_args.h"

#include "cmd.h"
#include "compare_data.h"
#include "compare_mix.h"
#include "options.h"
#include "out.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_REQUESTS        100 /* the interval of a p95 takes 72 */
#define DEFAULT_CONCURRENCY     4
#define DEFAULT_MAX_CONCURRENCY 16
#define DEFAULT_WARM_UP         2
#define DEFAULT_TIMEOUT_S       60
#define MAX_REQUESTS            100000
#define MAX_CONCURRENCY         1024
#define NANO                    1e9

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"prompts", required_argument, NULL, 'p'},
    {"mix", required_argument, NULL, 'x'},
    {"requests", required_argument, NULL, 'n'},
    {"concurrency", required_argument, NULL, 'k'},
    {"max-concurrency", required_argument, NULL, 'K'},
    {"no-ladder", no_argument, NULL, 'L'},
    {"warm-up", required_argument, NULL, 'w'},
    {"max-tokens", required_argument, NULL, 't'},
    {"timeout", required_argument, NULL, 'T'},
    {"budget-usd", required_argument, NULL, 'b'},
    {"seed", required_argument, NULL, 's'},
    {"no-route", no_argument, NULL, 'R'},
    {"html", required_argument, NULL, 'H'},
    {"json", required_argument, NULL, 'j'},
    {"save", required_argument, NULL, 'S'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
usage(const char *what, const char *value)
{
  return inf_options_wrong("compare", what, value);
}

/* A whole number from least to most; false if text is none. */
static bool
read_count(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
  char *end = NULL;
  errno = 0;
  unsigned long long number = strtoull(text, &end, 10);
  if (end == text || *end != '\0' || errno != 0 || strchr(text, '-') ||
      number < least || number > most) {
    return false;
  }
  *value = number;
  return true;
}

static int
set_count(uint32_t *to, const char *what, const char *text, uint64_t least,
          uint64_t most)
{
  uint64_t value = 0;
  if (!read_count(text, least, most, &value)) {
    inf_say("%s takes %llu to %llu, not %s (see infer help compare)", what,
            (unsigned long long)least, (unsigned long long)most, text);
    return EXIT_USAGE;
  }
  *to = (uint32_t)value;
  return 0;
}

static bool
read_amount(const char *text, double least, double most, double *value)
{
  char *end = NULL;
  *value = strtod(text, &end);
  return end != text && *end == '\0' && *value >= least && *value <= most;
}

static int
set_budget(inf_cmp_args *args, const char *text)
{
  double dollars = 0;
  if (!read_amount(text, 0, 1e6, &dollars)) {
    return usage("--budget-usd takes 0 to 1000000 dollars, not", text);
  }
  args->budget_nano_usd = llround(dollars * NANO);
  return 0;
}

static int
take_number(inf_cmp_args *args, int option, const char *text)
{
  uint64_t number = 0;
  switch (option) {
  case 'n':
    return set_count(&args->requests, "--requests", text, 1, MAX_REQUESTS);
  case 'k':
    return set_count(&args->concurrency, "--concurrency", text, 1,
                     MAX_CONCURRENCY);
  case 'K':
    return set_count(&args->max_concurrency, "--max-concurrency", text, 1,
                     MAX_CONCURRENCY);
  case 'w':
    return set_count(&args->warm_up, "--warm-up", text, 0, 1000);
  case 't':
    if (!read_count(text, 1, 1000000, &number)) {
      return usage("--max-tokens takes 1 to 1000000, not", text);
    }
    args->max_tokens = (int64_t)number;
    return 0;
  case 's':
    return read_count(text, 0, UINT64_MAX, &args->seed)
               ? 0
               : usage("--seed takes a whole number, not", text);
  case 'T':
    return read_amount(text, 0.001, 86400, &args->timeout_s)
               ? 0
               : usage("--timeout takes 0.001 to 86400 seconds, not", text);
  default:
    return set_budget(args, text);
  }
}

static int
take_text(inf_cmp_args *args, int option, const char *text)
{
  if (text[0] == '\0') {
    return usage("an option needs a value that is not empty", "");
  }
  switch (option) {
  case 'c':
    args->config_path = text;
    break;
  case 'p':
    args->prompts_path = text;
    break;
  case 'H':
    args->html_path = text;
    break;
  case 'j':
    args->json_path = text;
    break;
  case 'S':
    args->save_path = text;
    break;
  default:
    args->mix = inf_cmp_mix_kinds(text);
    return args->mix ? 0 : usage("--mix takes chat, rag and agent, not", text);
  }
  return 0;
}

static int
take(void *to, int option, const char *value)
{
  inf_cmp_args *args = to;
  switch (option) {
  case 'L':
    args->no_ladder = true;
    return 0;
  case 'R':
    args->no_route = true;
    return 0;
  case 'q':
    args->quiet = true;
    return 0;
  default:
    return strchr("cpHjSx", option) ? take_text(args, option, value)
                                    : take_number(args, option, value);
  }
}

static bool
are_equal(const char *one, const char *other)
{
  return one && other && strcmp(one, other) == 0;
}

static int
check(inf_cmp_args *args)
{
  if (are_equal(args->html_path, args->json_path)) {
    return usage("--html and --json would write to the same file:",
                 args->html_path);
  }
  if (args->max_concurrency < args->concurrency) {
    args->max_concurrency = args->concurrency;
  }
  if (args->target_count == 0) {
    return usage("name the targets to compare, such as",
                 "openai/gpt-4o-mini groq/llama-3.1-8b-instant");
  }
  /* Room is left for the route. */
  if (args->target_count > INF_CMP_MAX_SUBJECTS - 1) {
    inf_say("at most %d targets", INF_CMP_MAX_SUBJECTS - 1);
    return EXIT_USAGE;
  }
  for (size_t i = 0; i < args->target_count; i++) {
    for (size_t k = 0; k < i; k++) {
      if (strcmp(args->targets[i], args->targets[k]) == 0) {
        return usage("named twice:", args->targets[i]);
      }
    }
  }
  if (args->budget_nano_usd >= 0 && args->warm_up == 0) {
    args->warm_up = 1; /* it tells what a request costs */
  }
  return 0;
}

int
inf_cmp_args_parse(inf_cmp_args *args, int argc, char **argv)
{
  *args = (inf_cmp_args){.requests = DEFAULT_REQUESTS,
                         .concurrency = DEFAULT_CONCURRENCY,
                         .max_concurrency = DEFAULT_MAX_CONCURRENCY,
                         .warm_up = DEFAULT_WARM_UP,
                         .timeout_s = DEFAULT_TIMEOUT_S,
                         .max_tokens = -1,
                         .budget_nano_usd = -1,
                         .mix = INF_CMP_MIX_ALL,
                         .seed = 1};
  static const inf_options how = {"compare", ":c:p:n:qh", options, take};
  int code = inf_options_take(&how, args, &args->help, argc, argv);
  if (code != 0 || args->help) {
    return code;
  }
  args->targets = (const char *const *)argv + optind;
  args->target_count = (size_t)(argc - optind);
  return check(args);
}
