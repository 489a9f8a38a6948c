/* SPDX-License-Identifier: MIT */
/* `infer replay`: what would it have been? Plays a trace of requests through
 * the engine under a virtual clock, once for each configuration, and prints
 * them side by side. docs/replay.md is the manual. */

#include "cmd.h"
#include "load.h"
#include "options.h"
#include "out.h"
#include "replay_config.h"
#include "replay_report.h"
#include "report_file.h"

#include "base/mem.h"
#include "wire/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MODELS_MAX_BYTES ((size_t)256 << 20)

enum { max_configs = 16 };

static const char manual[] =
    "usage: infer replay [OPTIONS] --models FILE TRACE\n"
    "\n"
    "Plays the requests of a trace through the library in virtual time, "
    "against\n"
    "models of the providers, and prints what would have come of it: times,\n"
    "429s, failures, spend and hedges. Nothing is sent, and no key is needed.\n"
    "\n"
    "TRACE is CSV (time, prompt_tokens, answer_tokens, and optional tenant,\n"
    "prefix and model; or as Azure's public traces are) or lines of JSON as\n"
    "Mooncake's public traces are. \"-\" is standard input.\n"
    "\n"
    "  -c, --config FILE    configuration (as for infer chat); give several "
    "to\n"
    "                       see them side by side\n"
    "      --models FILE    what the providers are like: given, or measured "
    "by\n"
    "                       infer compare --json\n"
    "  -m, --model NAME     route or model of requests that name none\n"
    "      --limit N        the first N requests only\n"
    "      --speed N        requests come N times as fast (default 1)\n"
    "      --seed N         of everything random (default 1)\n"
    "      --json FILE      write the results as JSON as well; \"-\" is "
    "standard\n"
    "                       output\n"
    "      --report KIND    text (default) or none\n"
    "  -v, --verbose        say how long each replay took\n"
    "  -h, --help\n"
    "\n"
    "Ctrl-C ends the replay and keeps what was done. Exit codes: 0 success, 1\n"
    "the trace or another file is wrong, 2 wrong usage, 3 wrong configuration\n"
    "or models, 130 interrupted.\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"models", required_argument, NULL, 'M'},
    {"model", required_argument, NULL, 'm'},
    {"limit", required_argument, NULL, 'l'},
    {"speed", required_argument, NULL, 's'},
    {"seed", required_argument, NULL, 'S'},
    {"json", required_argument, NULL, 'j'},
    {"report", required_argument, NULL, 'r'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

typedef struct arguments {
  const char *configs[max_configs];
  size_t config_count;
  const char *models, *model, *json;
  inf_replay_options replay;
  bool text, verbose, help;
} arguments;

static volatile sig_atomic_t stopped;

static void
on_signal(int signal_number)
{
  stopped = signal_number;
}

/* ---- Arguments ----------------------------------------------------------- */

static int
parse_count(const char *text, uint64_t *count, const char *option)
{
  long long number;
  if (!inf_sv_to_int64(inf_sv_from(text), &number) || number < 0) {
    inf_say("%s takes a whole number", option);
    return EXIT_USAGE;
  }
  *count = (uint64_t)number;
  return 0;
}

static int
parse_speed(const char *text, double *speed)
{
  if (!inf_number_to_double(inf_sv_from(text), speed) ||
      !(*speed >= 0.001 && *speed <= 1000000)) {
    inf_say("--speed takes a number from 0.001 to 1000000");
    return EXIT_USAGE;
  }
  return 0;
}

static int
add_config(arguments *args, const char *path)
{
  if (args->config_count == max_configs) {
    inf_say("at most %d configurations are compared", max_configs);
    return EXIT_USAGE;
  }
  args->configs[args->config_count++] = path;
  return 0;
}

static int
parse_report(arguments *args, const char *kind)
{
  args->text = strcmp(kind, "text") == 0;
  if (args->text || strcmp(kind, "none") == 0) {
    return 0;
  }
  inf_say("--report takes text or none");
  return EXIT_USAGE;
}

static int
take_option(void *to, int option, const char *value)
{
  arguments *args = to;
  switch (option) {
  case 'c':
    return add_config(args, value);
  case 'M':
    args->models = value;
    return 0;
  case 'm':
    args->model = value;
    return 0;
  case 'l':
    return parse_count(value, &args->replay.limit, "--limit");
  case 's':
    return parse_speed(value, &args->replay.speed);
  case 'S':
    return parse_count(value, &args->replay.seed, "--seed");
  case 'j':
    args->json = value;
    return 0;
  case 'r':
    return parse_report(args, value);
  default:
    args->verbose = true;
    return 0;
  }
}

static int
parse(arguments *args, int argc, char **argv)
{
  static const inf_options how = {"replay", ":c:m:vh", options, take_option};
  int code = inf_options_take(&how, args, &args->help, argc, argv);
  if (code != 0 || args->help) {
    return code;
  }
  if (argc - optind != 1 || !args->models) {
    inf_say("a trace and --models are needed (see infer help replay)");
    return EXIT_USAGE;
  }
  args->replay.trace = argv[optind];
  if (strcmp(args->replay.trace, "-") == 0 && args->config_count > 1) {
    inf_say("standard input is read once: give a file for several "
            "configurations");
    return EXIT_USAGE;
  }
  return 0;
}

/* ---- Running ------------------------------------------------------------- */

static int
load_models(const char *path, inf_replay_models *models)
{
  size_t len = 0;
  inf_buf error;
  char *text = inf_load_file(path, MODELS_MAX_BYTES, &len);
  if (!text) {
    return EXIT_CONFIG;
  }
  inf_buf_init(&error, INF_SIM_BUF_MAX);
  bool ok = inf_replay_models_read(models, inf_sv_of(text, len), &error);
  if (!ok) {
    inf_say("%s: %s", path, inf_buf_cstr(&error));
  }
  inf_buf_fini(&error);
  free(text);
  return ok ? 0 : EXIT_CONFIG;
}

static void
say_pace(const char *name, const inf_replay_result *result)
{
  double took_s = (double)result->cpu_ns / 1e9;
  inf_say("%s: %.1f s of it in %.2f s, %.0f calls a second", name,
          (double)result->virtual_ns / 1e9, took_s,
          took_s > 0 ? (double)result->requests / took_s : 0);
}

/* Prepared for a replay; the default one where path is NULL. */
static int
load_config(const char *path, infer_config **config)
{
  infer_error *error = NULL;
  int code = inf_load_config(path, config);
  if (code == 0) {
    code = inf_replay_prepare(*config);
  }
  if (code == 0 && infer_config_check(*config, &error) != INFER_OK) {
    inf_say("%s%s%s", path ? path : "", path ? ": " : "",
            infer_error_message(error));
    code = EXIT_CONFIG;
  }
  infer_error_free(error);
  return code;
}

/* A wrong one is told before the others are played. */
static int
check_configs(const arguments *args)
{
  int code = 0;
  for (size_t i = 0; code == 0 && i < args->config_count; i++) {
    infer_config *config = NULL;
    code = load_config(args->configs[i], &config);
    infer_config_free(config);
  }
  return code;
}

/* One configuration; the default one where path is NULL. */
static int
run_config(const arguments *args, const inf_replay_models *models,
           const char *path, inf_replay_result *result)
{
  inf_replay_options replay = args->replay;
  infer_config *config = NULL;
  char *only = NULL;
  int code = load_config(path, &config);
  if (code == 0) {
    replay.models = models;
    replay.model = args->model;
    replay.stop = &stopped;
    if (!replay.model) {
      only = inf_load_obvious_model(config);
      replay.model = only;
    }
    code = inf_replay_run(config, &replay, result);
  }
  free(only);
  infer_config_free(config);
  return code;
}

/* ---- Results ------------------------------------------------------------- */

static bool
print_text(const inf_replay_report *report)
{
  inf_buf text;
  inf_out out;
  inf_buf_init(&text, INF_SIM_BUF_MAX);
  inf_replay_report_text(report, &text);
  inf_sim_must(&text);
  inf_out_init(&out, STDOUT_FILENO);
  inf_out_text(&out, text.ptr, text.len);
  inf_out_end(&out);
  inf_buf_fini(&text);
  return inf_out_result(&out) == 0;
}

static bool
write_json(const inf_replay_report *report, const char *path)
{
  inf_buf json;
  inf_buf_init(&json, INF_SIM_BUF_MAX);
  inf_replay_report_json(report, &json);
  inf_sim_must(&json);
  bool ok = inf_report_write(path, &json);
  inf_buf_fini(&json);
  return ok;
}

static int
print_results(const arguments *args, const inf_replay_column *columns,
              size_t count)
{
  const inf_replay_report report = {&args->replay, columns, count};
  bool ok = true;
  if (count == 0) {
    return 0;
  }
  if (args->text) {
    ok = print_text(&report);
  }
  if (args->json) {
    ok = write_json(&report, args->json) && ok;
  }
  return ok ? 0 : EXIT_CALL_FAILED;
}

static int
run_all(const arguments *args, const inf_replay_models *models)
{
  size_t wanted = args->config_count > 0 ? args->config_count : 1, done = 0;
  inf_replay_result *results = inf_sim_alloc(wanted * sizeof(*results));
  inf_replay_column columns[max_configs];
  int code = 0;
  while (code == 0 && done < wanted && !stopped) {
    const char *path = args->configs[done];
    const char *name = path ? path : "default";
    code = run_config(args, models, path, &results[done]);
    columns[done] = (inf_replay_column){name, &results[done]};
    if (code == 0 && args->verbose) {
      say_pace(name, &results[done]);
    }
    if (code != 0 && wanted > 1) {
      inf_say("%s: not played to its end", name);
    }
    done += code == 0;
  }
  int printed = print_results(args, columns, done);
  inf_free(results);
  code = code ? code : printed;
  return code == 0 && stopped ? EXIT_SIGNAL + stopped : code;
}

int
cmd_replay(int argc, char **argv)
{
  arguments args = {.text = true, .replay = {.speed = 1, .seed = 1}};
  inf_replay_models models = {0};
  int code = parse(&args, argc, argv);
  if (code == 0 && args.help) {
    fputs(manual, stdout);
    return 0;
  }
  if (code == 0) {
    code = load_models(args.models, &models);
  }
  if (code == 0 && args.json && !inf_report_check(args.json)) {
    code = EXIT_CALL_FAILED;
  }
  if (code == 0) {
    code = check_configs(&args);
  }
  if (code == 0) {
    /* A second one ends the program at once. */
    const struct sigaction action = {.sa_handler = on_signal,
                                     .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    code = run_all(&args, &models);
  }
  inf_replay_models_free(&models);
  return code;
}
